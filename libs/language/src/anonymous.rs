//! Puts placeholders where texts tell who somebody is: `[PHONE 1]`, `[NAME 2]`. One thing has
//! the same placeholder in all texts of a case, however it is written; a date is told as days
//! since the first: `[DAY 3]`.

use std::collections::HashMap;
use std::ops::Range;

use jiff::civil::Date;

use crate::identifying::{IdentifyingKind, TAKEN, by_words, day, days_between};
use crate::personal::{Detail, Found, by_form, narrow, placed};

/// Most rounds in which what others gave away is looked for; a round without a find is the
/// last.
const MAX_ROUNDS: usize = 8;
/// Dates further away than this are not told in days.
const MAX_DAYS: i32 = 1_100;
/// A Latin name with fewer letters is written like a word of any text (`a`, `an`, `in`): it is
/// left where it stands alone.
const SHORT_NAME: usize = 3;
/// Words that any text has: who is named by one is found by the rest of their name.
const COMMON_WORDS: [&str; 72] = [
    "all", "and", "any", "are", "ask", "bad", "but", "buy", "call", "came", "can", "care", "did", "for",
    "from", "get", "got", "had", "has", "have", "her", "here", "him", "his", "how", "its", "just", "late",
    "like", "made", "make", "may", "more", "new", "not", "now", "off", "old", "one", "our", "out", "over",
    "own", "paid", "pay", "put", "said", "say", "see", "she", "sent", "that", "the", "them", "then", "they",
    "this", "too", "two", "use", "very", "was", "way", "were", "when", "who", "why", "will", "with", "yes",
    "yet", "you",
];
/// A part of a name with fewer letters may be a word: it must be written as a name.
const SHORT_PART: usize = 4;

/// Somebody or something that is known to be in the texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Party {
    /// What it is.
    pub kind: IdentifyingKind,
    /// How it is written: a name, and the name of the same person elsewhere.
    pub forms: Vec<String>,
}

/// A way in which a party is written.
struct Form {
    kind: IdentifyingKind,
    party: usize,
    /// Its signs, lower case, without what may stand between them.
    signs: Vec<char>,
    /// Whether it must begin with a capital letter.
    is_capital: bool,
}

/// Puts placeholders into the texts of one case.
pub struct Anonymiser {
    forms: Vec<Form>,
    parties: usize,
    /// The number of each thing, by what it is and how it is known again.
    numbers: HashMap<(IdentifyingKind, String), usize>,
    counts: HashMap<IdentifyingKind, usize>,
    first_day: Option<Date>,
}

impl Anonymiser {
    /// With whom the case is about, as far as is known, and the day that is `[DAY 0]`; without
    /// one, dates are numbered as all else is.
    pub fn new(parties: impl IntoIterator<Item = Party>, first_day: Option<Date>) -> Self {
        let mut new = Self {
            forms: Vec::new(),
            parties: 0,
            numbers: HashMap::new(),
            counts: HashMap::new(),
            first_day,
        };
        for party in parties {
            new.meet(&party);
        }
        new
    }

    /// Texts with placeholders in them. What one of them gives away, as a name by which
    /// somebody signs, is found in the others.
    pub fn anonymise(&mut self, mut texts: Vec<String>) -> Vec<String> {
        for text in &texts {
            self.leave_out(text);
        }
        for _ in 0..MAX_ROUNDS {
            let mut is_changed = false;
            for text in &mut texts {
                let found = self.found(text);
                if !found.is_empty() {
                    *text = self.replaced(text, found);
                    is_changed = true;
                }
            }
            if !is_changed {
                break;
            }
        }
        texts
    }

    /// What a text still tells, and where.
    pub fn identifying(&self, text: &str) -> Vec<Detail<IdentifyingKind>> {
        placed(text, self.found(text).into_iter().map(|(kind, range, _)| (kind, range)).collect())
    }

    /// Placeholders that a text has are not given to something else.
    fn leave_out(&mut self, text: &str) {
        let signs: Vec<char> = text.chars().collect();
        for (word, number, _) in placeholders(&signs) {
            if let Some(kind) = IdentifyingKind::ALL.iter().find(|kind| kind.word() == word) {
                let count = self.counts.entry(*kind).or_default();
                *count = number.max(*count);
            }
        }
    }

    fn meet(&mut self, party: &Party) {
        let number = self.parties;
        self.parties += 1;
        for form in &party.forms {
            let whole = plain(form);
            let is_name = party.kind == IdentifyingKind::Name;
            if whole.len() < 2 || is_name && whole.len() > 100 {
                continue;
            }
            let is_word = is_name && is_everyday(&whole);
            let mut add = |signs: Vec<char>, is_capital| {
                self.forms.push(Form { kind: party.kind, party: number, signs, is_capital });
            };
            if is_name {
                for part in form.split_whitespace().filter(|part| form.trim() != *part) {
                    let signs = plain(part);
                    let is_word = signs.len() < SHORT_PART || is_everyday(&signs);
                    if signs.len() >= 2 && !TITLES.contains(&&*signs.iter().collect::<String>()) {
                        add(signs, is_word);
                    }
                }
                if let Some(family) = family(&whole) {
                    for title in HAN_TITLES {
                        add(family.iter().copied().chain(title.chars()).collect(), false);
                    }
                }
            }
            if !is_word {
                add(whole, false);
            }
        }
        // The longest first: a name before its parts.
        self.forms.sort_by_key(|form| std::cmp::Reverse(form.signs.len()));
    }

    /// What a text tells: the kind, the characters, and the party where it is one.
    fn found(&self, text: &str) -> Vec<(IdentifyingKind, Range<usize>, Option<usize>)> {
        let mut signs: Vec<char> = text.chars().map(narrow).collect();
        for (.., range) in placeholders(&signs) {
            signs[range].fill(TAKEN);
        }
        let mut found = Vec::new();
        // An address is one, though it is of somebody's name.
        let is_address = |kind: &IdentifyingKind| *kind == IdentifyingKind::Email;
        let kinds = by_form(signs.clone()).into_iter().map(|(kind, range)| (kind.into(), range));
        for (kind, range) in kinds.filter(|(kind, _)| is_address(kind)) {
            signs[range.clone()].fill(TAKEN);
            found.push((kind, range, None));
        }
        for form in &self.forms {
            for range in form.occurrences(&signs) {
                signs[range.clone()].fill(TAKEN);
                found.push((form.kind, range, Some(form.party)));
            }
        }
        for (kind, range) in by_form(signs.clone()) {
            signs[range.clone()].fill(TAKEN);
            found.push((kind.into(), range, None));
        }
        let by_words: Vec<Found<IdentifyingKind>> = by_words(&mut signs);
        found.extend(by_words.into_iter().map(|(kind, range)| (kind, range, None)));
        found.sort_by_key(|(_, range, _)| range.start);
        found
    }

    fn replaced(&mut self, text: &str, found: Vec<(IdentifyingKind, Range<usize>, Option<usize>)>) -> String {
        let signs: Vec<char> = text.chars().collect();
        let (mut written, mut at) = (String::with_capacity(text.len()), 0);
        for (kind, range, party) in found {
            written.extend(&signs[at..range.start]);
            let told: String = signs[range.clone()].iter().collect();
            written.push_str(&self.placeholder(kind, &told, party));
            at = range.end;
        }
        written.extend(&signs[at..]);
        written
    }

    fn placeholder(&mut self, kind: IdentifyingKind, told: &str, party: Option<usize>) -> String {
        if let (IdentifyingKind::Date, Some(first)) = (kind, self.first_day) {
            let days =
                day(&told.chars().map(narrow).collect::<String>(), first).map(|day| days_between(first, day));
            if let Some(days) = days.filter(|days| days.abs() <= MAX_DAYS) {
                return format!("[DAY {days}]");
            }
        }
        let key = match party {
            Some(party) => format!("/{party}"),
            None => again(kind, told),
        };
        let is_new = !self.numbers.contains_key(&(kind, key.clone()));
        if is_new {
            let count = self.counts.entry(kind).or_default();
            *count += 1;
            self.numbers.insert((kind, key.clone()), *count);
            if kind == IdentifyingKind::Name && party.is_none() {
                // Known from here on, in whatever text.
                self.numbers.insert((kind, format!("/{}", self.parties)), *count);
                self.meet(&Party { kind, forms: vec![told.to_owned()] });
            }
        }
        let number = self.numbers.get(&(kind, key)).copied().unwrap_or_default();
        format!("[{} {number}]", kind.word())
    }
}

/// Parts of names that are none.
const TITLES: [&str; 12] = ["mr", "mrs", "ms", "miss", "mx", "dr", "the", "and", "of", "von", "van", "de"];
/// What Chinese calls somebody after the name of the family.
const HAN_TITLES: [&str; 9] = ["先生", "女士", "小姐", "太太", "师傅", "经理", "主任", "老师", "阿姨"];

fn is_han(c: char) -> bool {
    ('\u{4e00}'..='\u{9fff}').contains(&c)
}

/// The family of a Chinese name.
fn family(name: &[char]) -> Option<&[char]> {
    let is_name = (2..=4).contains(&name.len()) && name.iter().copied().all(is_han);
    is_name.then(|| if name.len() == 4 { &name[..2] } else { &name[..1] })
}

/// A sign as it is compared.
fn folded(c: char) -> char {
    c.to_lowercase().next().unwrap_or(c)
}

/// A text without what may stand between its signs.
fn plain(text: &str) -> Vec<char> {
    text.chars().map(narrow).filter(|c| c.is_alphanumeric()).map(folded).collect()
}

/// How something is known again, however it is written.
fn again(kind: IdentifyingKind, told: &str) -> String {
    let plain: String = plain(told).into_iter().collect();
    match kind {
        // Without what is dialled before it.
        IdentifyingKind::Telephone => {
            let from = plain.char_indices().rev().nth(9).map_or(0, |(at, _)| at);
            plain[from..].to_owned()
        }
        _ => plain,
    }
}

impl Form {
    /// Where it stands among the signs of a text: as a whole word, where it is of letters that
    /// words are of.
    fn occurrences(&self, signs: &[char]) -> Vec<Range<usize>> {
        let (first, last) = (self.signs[0], self.signs[self.signs.len() - 1]);
        let goes_on = |edge: char, other: Option<&char>| {
            !is_han(edge) && other.is_some_and(|c| c.is_alphanumeric() && !is_han(*c))
        };
        let mut found = Vec::new();
        let mut at = 0;
        while at < signs.len() {
            let is_begun = at > 0 && goes_on(first, signs.get(at - 1));
            let end = if is_begun || folded(signs[at]) != first { None } else { self.end(&signs[at..]) };
            match end.map(|end| at + end).filter(|end| !goes_on(last, signs.get(*end))) {
                Some(end) if !self.is_capital || signs[at].is_uppercase() || is_han(first) => {
                    found.push(at..end);
                    at = end;
                }
                _ => at += 1,
            }
        }
        found
    }

    /// Where it ends in signs that begin with it.
    fn end(&self, signs: &[char]) -> Option<usize> {
        let (mut at, mut between) = (0, 0);
        for sign in &self.signs {
            loop {
                let c = *signs.get(at)?;
                at += 1;
                if folded(c) == *sign {
                    between = 0;
                    break;
                }
                between += 1;
                if c.is_alphanumeric() || !" -._/·'’()+".contains(c) || between > 2 {
                    return None;
                }
            }
        }
        Some(at)
    }
}

/// The placeholders of a text: what each calls, its number, and its characters.
fn placeholders(signs: &[char]) -> Vec<(String, usize, Range<usize>)> {
    let mut found = Vec::new();
    for (start, _) in signs.iter().enumerate().filter(|(_, c)| **c == '[') {
        // The longest is `[IDENTITY 99999]`.
        let within = &signs[start + 1..signs.len().min(start + 20)];
        let Some(length) = within.iter().position(|c| *c == ']') else { continue };
        let inner: String = within[..length].iter().collect();
        let Some((word, number)) = inner.split_once(' ') else { continue };
        let is_word = word == "DAY" || IdentifyingKind::ALL.iter().any(|kind| kind.word() == word);
        let digits = number.strip_prefix('-').filter(|_| word == "DAY").unwrap_or(number);
        let is_number = (1..=5).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        if is_word && is_number {
            found.push((word.to_owned(), digits.parse().unwrap_or(0), start..start + length + 2));
        }
    }
    found
}

/// Whether a name, without what stands between its letters, is written like a word that any
/// text has. One of Chinese signs never is.
fn is_everyday(name: &[char]) -> bool {
    let is_latin = name.iter().all(char::is_ascii_alphabetic);
    is_latin && (name.len() < SHORT_NAME || COMMON_WORDS.contains(&&*name.iter().collect::<String>()))
}

#[cfg(test)]
mod tests;
