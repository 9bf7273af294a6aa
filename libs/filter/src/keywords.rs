//! The words that tell what a text is about: those the search knows, without the ones that
//! every text has.

use std::collections::HashSet;

use crate::terms::{Run, is_gapless, plain, runs, singular};

/// English words that every text has.
const FUNCTION_WORDS: &[&str] = &[
    "about", "after", "again", "all", "also", "am", "an", "and", "any", "are", "as", "at", "be", "because",
    "been", "before", "being", "but", "by", "can", "cannot", "could", "did", "do", "doe", "does", "doing",
    "don", "for", "from", "get", "got", "had", "has", "have", "having", "he", "her", "here", "him", "his",
    "how", "if", "in", "into", "is", "it", "its", "just", "me", "more", "most", "my", "no", "nor", "not",
    "now", "of", "on", "only", "or", "other", "our", "out", "over", "own", "please", "same", "she", "should",
    "so", "some", "still", "such", "than", "thank", "that", "the", "their", "them", "then", "there", "these",
    "they", "this", "those", "to", "too", "under", "until", "up", "very", "was", "we", "were", "what",
    "when", "where", "which", "while", "who", "whom", "why", "will", "with", "would", "you", "your",
];
/// Chinese characters that stand in every text: a pair that has one of them says little.
const FUNCTION_CHARACTERS: &str =
    "的了是我你您他她它们在和就都而及与着或也这那有不没要吗呢吧啊被把给对从向为以等很再又还请个之其此";

/// Whether a word, as the search knows it, tells what a text is about.
pub fn is_telling(word: &str) -> bool {
    let mut characters = word.chars();
    let Some(first) = characters.next() else { return false };
    if characters.next().is_none() {
        return false;
    }
    if is_gapless(first) {
        return !word.contains(|c| FUNCTION_CHARACTERS.contains(c));
    }
    let is_number = word.bytes().all(|b| b.is_ascii_digit());
    !is_number && FUNCTION_WORDS.binary_search(&word).is_err()
}

/// The words that tell what a text is about, each once, in the order they stand in; at most
/// so many.
pub fn keywords(text: &str, most: usize) -> Vec<String> {
    let mut met = HashSet::new();
    plain(text).filter(|word| is_telling(word) && met.insert(word.clone())).take(most).collect()
}

/// What some words say in a text where they follow each other: words with spaces between, of
/// Chinese the characters. Of words that stand alone, the words.
pub fn phrases(text: &str, is_of: impl Fn(&str) -> bool) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut follows = false;
    for run in runs(text) {
        match run {
            Run::Word(word) if is_of(singular(&word)) => {
                match found.last_mut().filter(|_| follows) {
                    Some(phrase) => phrase.extend([" ", &word]),
                    None => found.push(word),
                }
                follows = true;
            }
            Run::Word(_) => follows = false,
            Run::Characters(characters) => {
                follows = false;
                found.extend(stretches(&characters, &is_of));
            }
        }
    }
    found
}

/// The longest stretches of characters each pair of which is of some words.
fn stretches(characters: &[char], is_of: impl Fn(&str) -> bool) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut last = None;
    for (at, pair) in characters.windows(2).enumerate() {
        if !is_of(&String::from_iter(pair)) {
            continue;
        }
        match found.last_mut().filter(|_| at > 0 && last == Some(at - 1)) {
            Some(stretch) => stretch.push(pair[1]),
            None => found.push(String::from_iter(pair)),
        }
        last = Some(at);
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_every_text_has_is_left_out() {
        let words = keywords("The kettle is broken, my Kettles are broken; 退款还没到账 2026", 9);
        assert_eq!(words, ["kettle", "broken", "退款", "到账"].map(str::to_owned).to_vec());
        assert_eq!(keywords("the of 的了 1 a 2026", 9), Vec::<String>::new());
    }

    #[test]
    fn words_that_follow_each_other_are_a_phrase() {
        let words = ["battery", "swelling", "电池", "池鼓", "鼓包", "退款"];
        let said = |text: &str| phrases(text, |word| words.contains(&word));
        assert_eq!(
            said("Batterys swelling; the swelling battery was hot"),
            ["batterys swelling", "swelling battery"]
        );
        assert_eq!(said("我的电池鼓包了，要退款。电池好"), ["电池鼓包", "退款", "电池"]);
        assert_eq!(said("nothing 没有"), Vec::<String>::new());
    }

    #[test]
    fn the_list_can_be_searched() {
        assert!(FUNCTION_WORDS.is_sorted());
    }

    proptest! {
        #[test]
        fn each_word_is_told_once_and_no_more_than_asked_for(text in ".{0,120}", most in 0..9_usize) {
            let words = keywords(&text, most);
            prop_assert!(words.len() <= most && words.iter().all(|word| is_telling(word)));
            let distinct: HashSet<&String> = words.iter().collect();
            prop_assert_eq!(distinct.len(), words.len());
        }
    }
}
