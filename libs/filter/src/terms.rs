//! Words as the search knows them, for Chinese and English alike.
//!
//! English is cut at what is no letter or digit, in lower case and without the
//! plural's s. Chinese has no gaps: it is cut into pairs of neighbouring
//! characters, 退款未到 into 退款 款未 未到, and its last character once more alone.
//! What is sought is cut the same way and found where the pairs follow each other:
//! nothing is missed and nothing else is found, which no dictionary's cut can
//! promise, for names, slang and misspellings least of all; and none is loaded.

use std::fmt::Write as _;

use kernel::TenantId;

/// Longest word kept whole; what is longer is no word but a number or an address.
const MAX_WORD: usize = 40;

/// A piece of a text: a word, or characters written without gaps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Run {
    Word(String),
    Characters(Vec<char>),
}

/// The words of a tenant's texts.
#[derive(Clone, Debug)]
pub struct Terms {
    tag: String,
}

impl Terms {
    /// Words of this tenant. Each begins with the tenant's tag, so that tenants lie
    /// apart in the one index; two that share a tag share a part of it, no answers.
    pub fn of(tenant: &TenantId) -> Self {
        let hash = tenant.as_str().bytes().fold(0x811c_9dc5_u32, |hash, byte| {
            (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193) // FNV-1a
        });
        Self { tag: format!("{:04x}", (hash >> 16) ^ (hash & 0xffff)) }
    }

    /// The words of texts with their places, as Postgres reads a `tsvector`.
    pub fn vector(&self, texts: &[&str]) -> String {
        let mut vector = String::new();
        let mut place = 0;
        for text in texts {
            for term in runs(text).into_iter().flat_map(terms) {
                place += 1;
                // Letters and digits only: nothing to be quoted.
                let _ = write!(vector, "{}{term}:{place} ", self.tag);
            }
            // The texts' ends do not follow each other.
            place += 1;
        }
        vector
    }

    /// A word, as the search knows it, with the tag of this tenant's texts.
    pub fn tagged(&self, word: &str) -> String {
        format!("{}{word}", self.tag)
    }

    /// A word of this tenant's texts without the tag; none of another's.
    pub fn untagged<'t>(&self, term: &'t str) -> Option<&'t str> {
        term.strip_prefix(&self.tag)
    }

    /// What finds the texts that have all of the words sought, as Postgres reads a
    /// `tsquery`. A star at the end finds every word that begins so. None if there
    /// is no word.
    pub fn query(&self, sought: &str) -> Option<String> {
        let runs = runs(sought);
        let last = runs.len().checked_sub(1)?;
        let open = sought.trim_end().ends_with('*');
        let words = runs.into_iter().enumerate().map(|(at, run)| self.sought(run, open && at == last));
        Some(words.collect::<Vec<_>>().join(" & "))
    }

    fn sought(&self, run: Run, open: bool) -> String {
        let tag = &self.tag;
        match run {
            Run::Word(word) if open => format!("{tag}{word}:*"),
            Run::Word(word) => format!("{tag}{}", singular(&word)),
            // Every character begins a term: its pair, or itself at the end.
            Run::Characters(single) if single.len() == 1 => format!("{tag}{}:*", single[0]),
            Run::Characters(characters) => {
                let pairs = characters.windows(2).map(|pair| format!("{tag}{}{}", pair[0], pair[1]));
                format!("({})", pairs.collect::<Vec<_>>().join(" <-> "))
            }
        }
    }
}

/// The words of a text as the search knows them, without a tenant's tag, in the order they
/// stand in: of Chinese, each pair of neighbouring characters.
pub(crate) fn plain(text: &str) -> impl Iterator<Item = String> {
    runs(text).into_iter().flat_map(terms)
}

/// Whether a text has a word that can be sought.
pub fn has_words(text: &str) -> bool {
    !runs(text).is_empty()
}

fn terms(run: Run) -> Vec<String> {
    match run {
        Run::Word(word) => vec![singular(&word).to_owned()],
        Run::Characters(characters) => {
            let pairs = characters.windows(2).map(String::from_iter);
            pairs.chain(characters.last().map(char::to_string)).collect()
        }
    }
}

/// Cuts a text into its runs.
pub(crate) fn runs(text: &str) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut ended = true;
    for c in text.chars().map(narrow).flat_map(char::to_lowercase) {
        if !c.is_alphanumeric() {
            ended = true;
            continue;
        }
        match runs.last_mut().filter(|_| !ended) {
            Some(Run::Word(word)) if !is_gapless(c) => {
                if word.len() < MAX_WORD {
                    word.push(c);
                }
            }
            Some(Run::Characters(characters)) if is_gapless(c) => characters.push(c),
            _ if is_gapless(c) => runs.push(Run::Characters(vec![c])),
            _ => runs.push(Run::Word(c.to_string())),
        }
        ended = false;
    }
    runs
}

/// A letter as wide as a Chinese character is the letter itself.
fn narrow(c: char) -> char {
    match c {
        '！'..='～' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        _ => c,
    }
}

/// Whether a character is of a script written without gaps, or as good as: Chinese,
/// Japanese, Korean.
pub(crate) fn is_gapless(c: char) -> bool {
    matches!(c,
        '\u{3040}'..='\u{30ff}'   // kana
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' // Han
        | '\u{ac00}'..='\u{d7af}' // Hangul
        | '\u{20000}'..='\u{323af}' // Han, the rare ones
    )
}

/// An English word without the plural's s (Harman's S stemmer): more would merge
/// words that differ.
pub(crate) fn singular(word: &str) -> &str {
    let ends = |endings: &[&str]| endings.iter().any(|ending| word.ends_with(ending));
    match word.strip_suffix('s') {
        Some(stem) if stem.len() > 2 && !ends(&["us", "ss", "is"]) => stem,
        _ => word,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ours() -> Terms {
        Terms { tag: "t".to_owned() }
    }

    #[test]
    fn each_script_is_cut_its_own_way() {
        let vector = ours().vector(&["iPhone手机壳,Refunds", "退"]);
        assert_eq!(vector, "tiphone:1 t手机:2 t机壳:3 t壳:4 trefund:5 t退:7 ");
        assert_eq!(ours().vector(&["ＡＢＣ１２ ..."]), "tabc12:1 ");
    }

    #[test]
    fn what_is_sought_is_cut_as_what_was_said() {
        let query = |sought: &str| ours().query(sought);
        assert_eq!(query("Refunds, late").as_deref(), Some("trefund & tlate"));
        assert_eq!(query("refun*").as_deref(), Some("trefun:*"));
        assert_eq!(query("退款未").as_deref(), Some("(t退款 <-> t款未)"));
        assert_eq!(query("退").as_deref(), Some("t退:*"));
        assert_eq!(query(" ?*'"), None);
    }

    #[test]
    fn only_the_plural_is_taken_off() {
        let stems = ["refunds", "boxes", "address", "status", "analysis", "bus", "gas", "was"].map(singular);
        assert_eq!(stems, ["refund", "boxe", "address", "status", "analysis", "bus", "gas", "was"]);
    }

    #[test]
    fn tenants_have_tags_of_four_digits() {
        let tag = |name: &str| Terms::of(&TenantId::parse(name).expect("a name")).tag;
        assert_eq!(tag("tenant-a").len(), 4);
        assert_ne!(tag("tenant-a"), tag("tenant-b"));
    }

    proptest! {
        /// Whatever people write, Postgres is given letters, digits and places.
        #[test]
        fn nothing_needs_to_be_quoted(text in ".{0,60}") {
            let vector = ours().vector(&[&text]);
            for term in vector.split_terminator(' ') {
                let (term, place) = term.split_once(':').expect("a place");
                prop_assert!(term.chars().all(char::is_alphanumeric), "{term}");
                prop_assert!(place.parse::<u32>().is_ok(), "{place}");
            }
            let query = ours().query(&text).unwrap_or_default();
            prop_assert!(query.chars().all(|c| c.is_alphanumeric() || " &()<->:*".contains(c)), "{query}");
        }
    }
}
