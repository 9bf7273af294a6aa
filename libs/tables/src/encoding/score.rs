//! How much sense a reading makes.

use std::collections::HashSet;
use std::sync::LazyLock;

use encoding_rs::{
    BIG5, DecoderResult, EUC_JP, EUC_KR, Encoding, GB18030, SHIFT_JIS, UTF_8, UTF_16BE, UTF_16LE,
};

use super::letters::{EUROPEAN, JAPANESE, KOREAN, SIMPLIFIED, TRADITIONAL, WORDS};

/// For a place that the encoding has no character for.
const MALFORMED: i64 = -8;
/// For what nobody writes: control characters, places without a character.
const NEVER: i64 = -6;
/// For each byte of a heading that is known.
const HEADING: i64 = 4;
/// For a letter of one byte alone, where no language has such a word: a broken place.
const LONE: i64 = -9;
/// Words of one letter: French, Italian, Portuguese, Scandinavian.
const WORDS_OF_ONE: &str = "àèéåöøóôÀÈÉ";
/// What stands for a place that cannot be decoded: no encoding has it.
const BROKEN: char = '\u{fdd0}';

static SIMPLE: LazyLock<HashSet<char>> = LazyLock::new(|| SIMPLIFIED.chars().collect());
static TRADITION: LazyLock<HashSet<char>> = LazyLock::new(|| TRADITIONAL.chars().collect());
static JAPAN: LazyLock<HashSet<char>> = LazyLock::new(|| JAPANESE.chars().collect());
static KOREA: LazyLock<HashSet<char>> = LazyLock::new(|| KOREAN.chars().collect());

/// The points of a reading.
#[derive(Debug, Default)]
pub(super) struct Score {
    /// The sum.
    pub(super) points: i64,
    /// The first known heading it has.
    pub(super) heading: Option<String>,
}

/// The families of encodings: what is frequent in one is odd in another.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    Utf8,
    Wide,
    Simplified,
    Traditional,
    Japanese,
    Korean,
    Single,
}

impl Family {
    fn of(encoding: &'static Encoding) -> Self {
        match encoding {
            _ if encoding == UTF_8 => Self::Utf8,
            _ if encoding == UTF_16LE || encoding == UTF_16BE => Self::Wide,
            _ if encoding == GB18030 => Self::Simplified,
            _ if encoding == BIG5 => Self::Traditional,
            _ if encoding == SHIFT_JIS || encoding == EUC_JP => Self::Japanese,
            _ if encoding == EUC_KR => Self::Korean,
            _ => Self::Single,
        }
    }

    /// Bytes of a character.
    fn width(self, letter: char) -> i64 {
        let bytes = match self {
            Self::Utf8 => letter.len_utf8(),
            Self::Wide => letter.len_utf16() * 2,
            Self::Single => 1,
            _ if letter.is_ascii() || is_half_kana(letter) => 1,
            // Those of GB18030 that GBK does not have.
            Self::Simplified if matches!(letter, '\u{3400}'..='\u{4dbf}' | '\u{10000}'..) => 4,
            _ => 2,
        };
        i64::try_from(bytes).unwrap_or(1)
    }
}

impl Score {
    /// How these bytes read in an encoding.
    pub(super) fn of(encoding: &'static Encoding, bytes: &[u8], headings: &[&str]) -> Self {
        let family = Family::of(encoding);
        let text = decoded(encoding, bytes);
        let letters: Vec<char> = text.chars().collect();
        let mut points = 0;
        for (place, letter) in letters.iter().enumerate() {
            let before = place.checked_sub(1).and_then(|place| letters.get(place)).copied();
            let after = letters.get(place + 1).copied();
            points += match letter {
                &BROKEN => MALFORMED,
                letter => worth(family, *letter, before, after) * family.width(*letter),
            };
        }
        let mut heading = None;
        for known in known(&text, headings, family) {
            points += HEADING * known.chars().map(|letter| family.width(letter)).sum::<i64>();
            heading.get_or_insert(known);
        }
        Self { points, heading }
    }
}

/// The text, with [`BROKEN`] where it cannot be decoded; the end may be cut.
fn decoded(encoding: &'static Encoding, bytes: &[u8]) -> String {
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let room = decoder.max_utf8_buffer_length(bytes.len()).unwrap_or(bytes.len() * 3);
    let mut text = String::with_capacity(room);
    let mut rest = bytes;
    loop {
        let (result, read) = decoder.decode_to_string_without_replacement(rest, &mut text, false);
        rest = &rest[read..];
        match result {
            DecoderResult::InputEmpty => return text,
            DecoderResult::OutputFull => text.reserve(rest.len() * 3 + 16),
            DecoderResult::Malformed(..) => text.push(BROKEN),
        }
    }
}

/// The known headings of a first line. In what is not wide, headings of ASCII alone tell
/// nothing: they read the same in every encoding.
fn known(text: &str, headings: &[&str], family: Family) -> Vec<String> {
    let mut found = Vec::new();
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    for cell in first.split([',', ';', '\t', '|']) {
        let cell = cell.trim().trim_matches(['"', '\'']).trim();
        if cell.is_empty() || (cell.is_ascii() && family != Family::Wide) {
            continue;
        }
        if headings.iter().any(|known| known.to_lowercase() == cell.to_lowercase()) {
            found.push(cell.to_owned());
        } else if let Some(word) = WORDS.iter().find(|word| cell.contains(**word)) {
            found.push((*word).to_owned());
        }
    }
    found
}

/// The points of a letter, for each of its bytes.
fn worth(family: Family, letter: char, before: Option<char>, after: Option<char>) -> i64 {
    match letter {
        '\t' | '\n' | '\r' | ' '..='~' => 0,
        _ if is_no_letter(letter) => NEVER,
        _ if family == Family::Single => single(letter, before, after),
        '\u{4e00}'..='\u{9fff}' => ideograph(family, letter),
        '\u{3000}'..='\u{303f}' | '\u{ff01}'..='\u{ff5e}' | '\u{ffe0}'..='\u{ffe6}' => 1,
        '\u{2010}'..='\u{2026}' | '·' | '¥' | '€' | '°' | '×' | '§' => {
            i64::from(family == Family::Utf8)
        }
        '\u{3040}'..='\u{30ff}' => match family {
            Family::Japanese | Family::Utf8 | Family::Wide => 3,
            _ => -2,
        },
        _ if is_half_kana(letter) => -2,
        '\u{ac00}'..='\u{d7a3}' => match family {
            _ if KOREA.contains(&letter) => 3,
            Family::Korean | Family::Utf8 => 1,
            _ => -1,
        },
        '\u{a0}'..='\u{52f}' if family == Family::Wide && letter.is_alphabetic() => 2,
        '\u{3400}'..='\u{4dbf}' | '\u{20000}'..='\u{3ffff}' => match family {
            Family::Utf8 => 1,
            // Four bytes that fit together are no accident.
            Family::Simplified => 0,
            _ => -2,
        },
        _ => match family {
            // Two bytes that are a letter of these are some Chinese character in GBK, too.
            Family::Utf8 if letter.to_lowercase().all(|letter| EUROPEAN.contains(letter)) => 4,
            Family::Utf8 if letter.is_alphabetic() => 2,
            Family::Utf8 => 1,
            // Pairs that fit together.
            Family::Wide if letter.len_utf16() == 2 => 1,
            // Emoji and the like.
            Family::Simplified if letter.len_utf16() == 2 => 0,
            _ => -2,
        },
    }
}

fn ideograph(family: Family, letter: char) -> i64 {
    let (simple, tradition) = (SIMPLE.contains(&letter), TRADITION.contains(&letter));
    match family {
        Family::Simplified if simple || tradition => 3,
        Family::Traditional if tradition => 3,
        Family::Japanese if JAPAN.contains(&letter) => 3,
        Family::Japanese if simple || tradition => 1,
        Family::Utf8 | Family::Wide if simple || tradition || JAPAN.contains(&letter) => 3,
        Family::Utf8 => 1,
        Family::Korean => -3,
        Family::Simplified if is_first_plane(GB18030, letter, 0xb0..=0xd7, 0xa1) => 0,
        Family::Traditional if is_first_plane(BIG5, letter, 0xa4..=0xc6, 0x40) => 0,
        // Neither set of 1980 and 1984 has it among the letters in use.
        _ => -1,
    }
}

/// Control characters, and places that are private or have no character.
fn is_no_letter(letter: char) -> bool {
    let is_private = matches!(letter, '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..);
    letter.is_control() || is_private || matches!(letter, '\u{fff0}'..='\u{ffff}')
}

/// Whether the standard has the character among those in use, which it has first.
fn is_first_plane(
    encoding: &'static Encoding,
    letter: char,
    rows: std::ops::RangeInclusive<u8>,
    from: u8,
) -> bool {
    let mut utf8 = [0; 4];
    let (bytes, _, _) = encoding.encode(letter.encode_utf8(&mut utf8));
    matches!(bytes.as_ref(), [row, cell] if rows.contains(row) && *cell >= from)
}

/// A letter of an encoding of 256 characters, in which everything can be read: it has to
/// stand as letters do.
fn single(letter: char, before: Option<char>, after: Option<char>) -> i64 {
    let quotes = |c: char| matches!(c, '’' | '‘' | '“' | '”' | '«' | '»' | '„' | '–' | '—' | '…' | '\u{a0}');
    let is_latin = |c: char| c.is_alphabetic() && c <= '\u{24f}';
    let ascii = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphabetic());
    let crowded =
        |c: Option<char>| c.is_some_and(|c| !(c.is_ascii() || quotes(c) || is_latin(c) && c.is_lowercase()));
    if quotes(letter) || matches!(letter, '€' | '°' | '£' | '§' | '²' | '³' | '®' | '©' | '½' | '™')
    {
        return if crowded(before) || crowded(after) { -2 } else { 1 };
    }
    if !letter.is_alphabetic() {
        return -2;
    }
    if !is_latin(letter) {
        let is_like = |c: Option<char>| c.is_some_and(|c| !c.is_ascii() && c.is_alphabetic() && !is_latin(c));
        let falls = letter.is_uppercase() && before.is_some_and(char::is_lowercase);
        return if falls || !(is_like(before) || is_like(after)) { -2 } else { 1 };
    }
    let known = letter.to_lowercase().all(|letter| EUROPEAN.contains(letter));
    let most = if known { 3 } else { 2 };
    if crowded(before) || crowded(after) {
        return -2;
    }
    let stands = if letter.is_uppercase() {
        ascii(after) && !before.is_some_and(char::is_lowercase)
            || before.is_some_and(|c| c.is_ascii_uppercase())
    } else {
        ascii(before) || ascii(after)
    };
    let is_lone = |c: Option<char>| c.is_none_or(|c| c.is_ascii() && !c.is_ascii_alphabetic());
    match stands {
        true => most,
        false if WORDS_OF_ONE.contains(letter) => 2,
        false if is_lone(before) && is_lone(after) => LONE,
        false => -2,
    }
}

fn is_half_kana(letter: char) -> bool {
    matches!(letter, '\u{ff61}'..='\u{ff9f}')
}
