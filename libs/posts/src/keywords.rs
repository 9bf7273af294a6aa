//! Words in posts, whatever their case and width. A Chinese word is found anywhere, as there
//! are no spaces around words; a word of letters only where no letter goes before or after
//! it: `art` is not in `smart`.

use aho_corasick::{AhoCorasick, BuildError, MatchKind};
use caseless::Caseless as _;
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization as _;

/// Which posts are complaints: those with one of some words, all of others, none of others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Its name.
    pub name: String,
    /// One of these must be there, where there are any.
    #[serde(default)]
    pub any_of: Vec<String>,
    /// All of these must be.
    #[serde(default)]
    pub all_of: Vec<String>,
    /// None of these may be.
    #[serde(default)]
    pub none_of: Vec<String>,
}

/// Rules, ready to be asked.
#[derive(Clone, Debug)]
pub struct Matcher {
    /// Finds all words in one pass.
    words: AhoCorasick,
    /// For each word, whether it begins and ends with a letter of a word.
    edges: Vec<(bool, bool)>,
    rules: Vec<Compiled>,
}

#[derive(Clone, Debug)]
struct Compiled {
    name: String,
    any_of: Vec<usize>,
    all_of: Vec<usize>,
    none_of: Vec<usize>,
}

impl Matcher {
    /// Makes rules ready.
    ///
    /// # Errors
    ///
    /// Fails if the words are too many or too long for one automaton.
    pub fn new(rules: &[Rule]) -> Result<Self, BuildError> {
        let mut words: Vec<String> = Vec::new();
        let mut numbers = |list: &[String]| -> Vec<usize> {
            let folded = list.iter().map(|word| folded(word)).filter(|word| !word.is_empty());
            let mut number = |word: String| {
                words.iter().position(|known| *known == word).unwrap_or_else(|| {
                    words.push(word);
                    words.len() - 1
                })
            };
            folded.map(&mut number).collect()
        };
        let rules = rules.iter().map(|rule| Compiled {
            name: rule.name.clone(),
            any_of: numbers(&rule.any_of),
            all_of: numbers(&rule.all_of),
            none_of: numbers(&rule.none_of),
        });
        let rules = rules.collect();
        let edge = |c: Option<char>| c.is_some_and(is_of_a_word);
        let edges = words.iter().map(|word| (edge(word.chars().next()), edge(word.chars().next_back())));
        let edges = edges.collect();
        let words = AhoCorasick::builder().match_kind(MatchKind::Standard).build(&words)?;
        Ok(Self { words, edges, rules })
    }

    /// The first rule that takes a text.
    pub fn taken(&self, text: &str) -> Option<&str> {
        let text = folded(text);
        let mut found = vec![false; self.edges.len()];
        for hit in self.words.find_overlapping_iter(&text) {
            let word = hit.pattern().as_usize();
            found[word] |= self.is_whole(&text, word, hit.range());
        }
        let holds = |rule: &&Compiled| {
            (rule.any_of.is_empty() || rule.any_of.iter().any(|word| found[*word]))
                && rule.all_of.iter().all(|word| found[*word])
                && !rule.none_of.iter().any(|word| found[*word])
        };
        self.rules.iter().find(holds).map(|rule| rule.name.as_str())
    }

    /// Whether a word that was found is not a part of a longer one.
    fn is_whole(&self, text: &str, word: usize, at: std::ops::Range<usize>) -> bool {
        let (begins, ends) = self.edges[word];
        let before = text[..at.start].chars().next_back();
        let after = text[at.end..].chars().next();
        !(begins && before.is_some_and(is_of_a_word) || ends && after.is_some_and(is_of_a_word))
    }
}

/// A text as words are looked for in it: NFKC, in one case (so a full-width letter is the
/// letter), one blank for each run of white space and around nothing, and without what cannot
/// be seen.
pub fn folded(text: &str) -> String {
    let seen = text.chars().filter(|c| !is_invisible(*c));
    let folded = seen.nfkc().default_case_fold().nfkc();
    let mut out = String::with_capacity(text.len());
    for c in folded {
        if !c.is_whitespace() {
            out.push(c);
        } else if !out.is_empty() && !out.ends_with(' ') {
            out.push(' ');
        }
    }
    if out.ends_with(' ') {
        out.pop();
    }
    out
}

/// What is put between letters so that words are not found.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
}

/// Whether a character is of a word that has spaces around it.
fn is_of_a_word(c: char) -> bool {
    c.is_alphanumeric() && !is_syllable(c)
}

/// Whether a character is one of a script without spaces between words.
pub(crate) fn is_syllable(c: char) -> bool {
    matches!(u32::from(c), 0x3040..=0x30FF | 0x3400..=0x9FFF | 0xAC00..=0xD7AF | 0xF900..=0xFAFF | 0x20000..=0x3FFFF)
}
