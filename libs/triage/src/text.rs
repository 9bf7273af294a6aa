//! Texts in the form triage looks at, and the words it looks for in them: all
//! words of a rule set in one pass.

use std::collections::HashMap;

use aho_corasick::{AhoCorasick, BuildError, MatchKind};

/// Subject and description, ready to be searched: lower case, with a single space
/// for every run of ASCII white space and punctuation and one at either end.
/// ` late ` is then a whole word, ` injur` the beginning of one, and Chinese is
/// found wherever it stands.
#[derive(Clone, Debug)]
pub(crate) struct Normal {
    all: String,
    /// Where the subject ends, behind its closing space.
    subject_end: usize,
}

impl Normal {
    /// The two texts in their normal form.
    pub(crate) fn of(subject: &str, description: &str) -> Self {
        let mut all = String::with_capacity(subject.len() + description.len() + 3);
        all.push(' ');
        append(&mut all, subject);
        let subject_end = all.len();
        append(&mut all, description);
        Self { all, subject_end }
    }

    /// Both, the subject first.
    pub(crate) fn all(&self) -> &str {
        &self.all
    }

    /// The subject alone.
    pub(crate) fn subject(&self) -> &str {
        &self.all[..self.subject_end]
    }

    /// The description alone, from the space before it.
    pub(crate) fn description(&self) -> &str {
        &self.all[self.subject_end - 1..]
    }
}

/// Adds a text and the space behind it.
fn append(normal: &mut String, text: &str) {
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            normal.push(c.to_ascii_lowercase());
        } else if !c.is_ascii() {
            normal.extend(c.to_lowercase());
        } else if !normal.ends_with(' ') {
            normal.push(' ');
        }
    }
    if !normal.ends_with(' ') {
        normal.push(' ');
    }
}

/// Whether a piece can occur in a normal form at all.
pub(crate) fn can_occur(piece: &str) -> bool {
    Normal::of("x", &format!("x{piece}x")).all().contains(piece)
}

/// Where a word was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Places {
    /// In the subject.
    pub(crate) subject: bool,
    /// In the description.
    pub(crate) description: bool,
    /// Anywhere, across both as well.
    pub(crate) anywhere: bool,
}

/// Finds the words of several lists in one pass over a text.
#[derive(Clone, Debug)]
pub(crate) struct Finder {
    words: AhoCorasick,
    /// The lists each word belongs to.
    lists_of: Vec<Vec<usize>>,
    lists: usize,
}

/// What was found in one text.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// Per list: where any of its words stands.
    pub(crate) places: Vec<Places>,
    /// Per list: how many different words of it occur.
    pub(crate) counts: Vec<u32>,
}

impl Finder {
    /// Over lists of words, each word in normal form.
    pub(crate) fn new(lists: &[&[String]]) -> Result<Self, BuildError> {
        let mut lists_of: Vec<Vec<usize>> = Vec::new();
        let mut words: Vec<&str> = Vec::new();
        let mut place_of: HashMap<&str, usize> = HashMap::new();
        for (list, word) in
            lists.iter().enumerate().flat_map(|(at, all)| all.iter().map(move |word| (at, word)))
        {
            let place = *place_of.entry(word).or_insert_with(|| {
                words.push(word);
                lists_of.push(Vec::new());
                words.len() - 1
            });
            lists_of[place].push(list);
        }
        let words = AhoCorasick::builder().match_kind(MatchKind::Standard).build(words)?;
        Ok(Self { words, lists_of, lists: lists.len() })
    }

    /// Looks through a text. What was seen of a word is noted once for each part of the
    /// text, however often it occurs.
    pub(crate) fn find(&self, text: &Normal) -> Found {
        let mut found = Found { places: vec![Places::default(); self.lists], counts: vec![0; self.lists] };
        let mut seen = vec![Places::default(); self.lists_of.len()];
        for word in self.words.find_overlapping_iter(text.all()) {
            let which = word.pattern().as_usize();
            let place = Places {
                subject: word.end() <= text.subject_end,
                description: word.start() + 1 >= text.subject_end,
                anywhere: true,
            };
            let (before, now) = (seen[which], seen[which].and(place));
            if before == now {
                continue;
            }
            seen[which] = now;
            for list in &self.lists_of[which] {
                found.counts[*list] += u32::from(!before.anywhere);
                found.places[*list] = found.places[*list].and(place);
            }
        }
        found
    }
}

impl Places {
    fn and(self, other: Self) -> Self {
        Self {
            subject: self.subject || other.subject,
            description: self.description || other.description,
            anywhere: self.anywhere || other.anywhere,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_parts_are_normal_themselves() {
        let text = Normal::of("Broken!  KETTLE", "was -- Crushed. 碎了");
        assert_eq!(text.all(), " broken kettle was crushed 碎了 ");
        assert_eq!((text.subject(), text.description()), (" broken kettle ", " was crushed 碎了 "));
        assert_eq!(Normal::of("", "").all(), " ");
    }

    #[test]
    fn what_normal_texts_lack_cannot_occur() {
        assert!([" late ", " injur", "退款", "a b"].into_iter().all(can_occur));
        assert!(["Late", "a  b", "what?", "don't"].into_iter().all(|piece| !can_occur(piece)));
    }

    proptest! {
        #[test]
        fn one_pass_finds_what_searching_each_word_finds(
            subject in "[ab c!]{0,12}", description in "[ab c!]{0,12}",
            lists in proptest::collection::vec(proptest::collection::vec("[ab c]{1,3}", 0..4), 0..4),
        ) {
            let text = Normal::of(&subject, &description);
            let slices: Vec<&[String]> = lists.iter().map(Vec::as_slice).collect();
            let found = Finder::new(&slices).expect("few words").find(&text);
            for (at, words) in lists.iter().enumerate() {
                let any = |part: &str| words.iter().any(|word| part.contains(word.as_str()));
                let places = Places {
                    subject: any(text.subject()),
                    description: any(text.description()),
                    anywhere: any(text.all()),
                };
                prop_assert_eq!(found.places[at], places);
                let count = words.iter().filter(|word| text.all().contains(word.as_str())).count();
                prop_assert_eq!(found.counts[at] as usize, count);
            }
        }
    }
}
