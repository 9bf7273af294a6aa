//! Cuts a text into what counts: words, pairs of words, pieces of words.
//!
//! English and the like: lower-case words, pairs of neighbours, and pieces of four
//! letters, in which inflections and misspellings still agree. Chinese: the words
//! of jieba's segmentation and pairs of characters, in which its mistakes do not
//! matter.

use std::sync::LazyLock;

use jieba_rs::Jieba;

/// How many bytes of a text are read: a page, in which the matter has been named.
const MAX_BYTES: usize = 6_000;
/// Letters in a piece of a word.
const WORD_PIECE: usize = 4;
/// Characters in a piece of Chinese.
const HAN_PIECE: usize = 2;

/// The dictionary: some tens of megabytes, so loaded only when the first Chinese
/// text comes.
static DICTIONARY: LazyLock<Jieba> = LazyLock::new(Jieba::new);

/// Loads the dictionary now.
pub(crate) fn load() {
    LazyLock::force(&DICTIONARY);
}

/// What a token is, so that a word and a piece of the same letters differ.
#[derive(Clone, Copy)]
enum Kind {
    Word = 1,
    Pair = 2,
    Piece = 3,
}

/// The tokens of a text as stable hashes, each with how often it occurs, in the
/// order of the hashes.
pub(crate) fn counted(text: &str) -> Vec<(u32, u32)> {
    let mut hashes = hashes(text);
    hashes.sort_unstable();
    let mut counted: Vec<(u32, u32)> = Vec::with_capacity(hashes.len());
    for hash in hashes {
        match counted.last_mut() {
            Some((last, count)) if *last == hash => *count += 1,
            _ => counted.push((hash, 1)),
        }
    }
    counted
}

fn hashes(text: &str) -> Vec<u32> {
    let text = crate::beginning(text, MAX_BYTES).to_lowercase();
    let mut hashes = Vec::with_capacity(text.len() / 2);
    let mut before: Option<&str> = None;
    for run in runs(&text) {
        if run.starts_with(is_han) {
            han(run, &mut hashes);
            before = None;
        } else {
            word(run, before, &mut hashes);
            before = Some(run);
        }
    }
    hashes
}

/// The words of a text and its stretches of Chinese.
fn runs(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric()).flat_map(|part| {
        let mut rest = part;
        std::iter::from_fn(move || {
            let han = is_han(rest.chars().next()?);
            let end = rest.find(|c| is_han(c) != han).unwrap_or(rest.len());
            let (run, after) = rest.split_at(end);
            rest = after;
            Some(run)
        })
    })
}

fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

fn word(word: &str, before: Option<&str>, hashes: &mut Vec<u32>) {
    hashes.push(hash(Kind::Word, &[word]));
    if let Some(before) = before {
        hashes.push(hash(Kind::Pair, &[before, word]));
    }
    // A word of four letters is its own piece.
    if word.chars().nth(WORD_PIECE).is_some() {
        pieces(word, WORD_PIECE, hashes);
    }
}

fn han(run: &str, hashes: &mut Vec<u32>) {
    hashes.extend(DICTIONARY.cut(run, false).iter().map(|token| hash(Kind::Word, &[token.word])));
    pieces(run, HAN_PIECE, hashes);
}

/// Every piece of so many characters.
fn pieces(run: &str, length: usize, hashes: &mut Vec<u32>) {
    let bounds: Vec<usize> = run.char_indices().map(|(at, _)| at).chain([run.len()]).collect();
    for piece in bounds.windows(length + 1) {
        hashes.push(hash(Kind::Piece, &[&run[piece[0]..piece[length]]]));
    }
}

/// FNV-1a folded to 32 bits: written down in models, so it may never change.
fn hash(kind: Kind, parts: &[&str]) -> u32 {
    const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0100_0000_01b3;
    let mut hash = (OFFSET ^ kind as u64).wrapping_mul(PRIME);
    for part in parts {
        for byte in part.bytes().chain([0]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(PRIME);
        }
    }
    let (low, high) = (hash & u64::from(u32::MAX), hash >> 32);
    u32::try_from(low ^ high).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn has(text: &str, kind: Kind, parts: &[&str]) -> bool {
        hashes(text).contains(&hash(kind, parts))
    }

    #[test]
    fn english_is_words_pairs_and_pieces() {
        let text = "Refunds: LATE again";
        assert!(has(text, Kind::Word, &["refunds"]));
        assert!(has(text, Kind::Pair, &["late", "again"]));
        assert!(has(text, Kind::Piece, &["efun"]) && has("refunded", Kind::Piece, &["efun"]));
        assert!(!has(text, Kind::Piece, &["late"]), "four letters are a word already");
    }

    #[test]
    fn chinese_is_words_and_pairs_of_characters() {
        let text = "快递送到时包装破损,退款ABC";
        assert!(has(text, Kind::Word, &["快递"]) && has(text, Kind::Word, &["退款"]));
        assert!(has(text, Kind::Piece, &["装破"]));
        assert!(has(text, Kind::Word, &["abc"]));
        assert!(!has(text, Kind::Pair, &["退款", "abc"]));
    }

    #[test]
    fn the_hash_is_the_one_in_kept_models() {
        assert_eq!(hash(Kind::Word, &["refund"]), 1_971_235_927);
    }

    proptest! {
        #[test]
        fn any_text_is_cut(text in "\\PC{0,200}") {
            let counted = counted(&text);
            prop_assert!(counted.windows(2).all(|pair| pair[0].0 < pair[1].0));
            let total: u32 = counted.iter().map(|(_, count)| count).sum();
            prop_assert_eq!(usize::try_from(total).ok(), Some(hashes(&text).len()));
        }
    }
}
