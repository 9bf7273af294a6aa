//! Topics: what complaints speak of more often of late than before. Pure.
//!
//! A word is told if more cases of a window have it than those of the time before explain. How
//! likely so many are by chance is exact: of all cases that have the word, which of them fall
//! into the window is like drawing them (the hypergeometric distribution). All words that are
//! looked at share the chance of a false alarm (Bonferroni). What is told is ranked by the
//! log-likelihood ratio G² (Dunning, "Accurate Methods for the Statistics of Surprise and
//! Coincidence", Computational Linguistics 19, 1993).

use std::collections::{BTreeMap, BTreeSet};

use filter::keywords::is_telling;
use filter::terms::Terms;
use jiff::ToSpan as _;
use jiff::civil::Date;
use kernel::CaseId;

/// How likely anything is told where nothing has changed, at most.
pub(crate) const FALSE_ALARMS: f64 = 0.05;
/// Fewest cases of the window that have a word.
const FEWEST_CASES: usize = 4;
/// Fewest cases of the baseline.
pub(crate) const FEWEST_BEFORE: i64 = 30;
/// Least G² of a word: one in a thousand are above, of one word by chance.
const LEAST_RATIO: f64 = 10.83;
/// Most words that are counted in the baseline.
pub(crate) const MOST_TERMS: usize = 3_000;
/// Most words that topics are made of, the most telling.
const MOST_TELLING: usize = 200;
/// Words that have so much of their cases in common are of one topic (Jaccard).
const SAME_CASES: f64 = 0.4;
/// Most cases of a window that are looked at.
pub(crate) const MOST_CASES: i64 = 4_000;
/// Most cases of a baseline that are looked at.
pub(crate) const MOST_BEFORE: i64 = 16_000;
/// Most words of a case that are looked at.
pub(crate) const MOST_WORDS: i32 = 600;
/// Most words told of a topic.
const MAX_TERMS: usize = 12;
/// Most cases told of a topic.
pub(crate) const MAX_CASES: usize = 100;
/// Most phrases told of a topic.
const MAX_PHRASES: usize = 5;

/// The days that are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    /// The last day.
    pub(crate) end: Date,
    /// How many days.
    pub(crate) days: i32,
    /// How many days before them they are compared with.
    pub(crate) before: i32,
}

impl Window {
    /// The first day.
    pub(crate) fn start(&self) -> Date {
        self.end.saturating_sub((self.days - 1).days())
    }

    /// The first day they are compared with.
    pub(crate) fn baseline_start(&self) -> Date {
        self.start().saturating_sub(self.before.days())
    }

    /// The day after the last.
    pub(crate) fn after(&self) -> Date {
        self.end.saturating_add(1.day())
    }
}

/// Cases by day.
pub(crate) type Days = BTreeMap<Date, i64>;

/// What was looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Coverage {
    /// The days that were compared.
    pub(crate) window: Window,
    /// Cases of the window, and of how many one was taken.
    pub(crate) now: (i64, i64),
    /// Cases of the baseline, and of how many one was taken.
    pub(crate) before: (i64, i64),
    /// How many words any case of the window has.
    pub(crate) words: usize,
    /// Whether words were left out.
    pub(crate) is_capped: bool,
}

/// What is told of a topic beside its words.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told {
    /// How it reads in the complaints.
    pub(crate) phrases: Vec<String>,
    /// Its cases of the baseline.
    pub(crate) before: i64,
    /// Its cases by day.
    pub(crate) days: Days,
}

/// A case of the window as it is kept: its words lie together, as they are many.
#[derive(Clone, Debug)]
pub(crate) struct KeptCase {
    /// The case.
    pub(crate) case: CaseId,
    /// The words of its text as the index has them, with spaces between.
    pub(crate) terms: String,
}

/// The cases of a window, and which have which words.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recent {
    cases: Vec<CaseId>,
    /// Words that enough cases have, each with the places of those cases, in order.
    bearers: BTreeMap<String, Vec<usize>>,
    /// How many words any case has.
    pub(crate) looked_at: usize,
    /// Whether words were left out.
    pub(crate) is_capped: bool,
}

impl Recent {
    /// Of cases, in whatever order.
    pub(crate) fn of(mut kept: Vec<KeptCase>, terms: &Terms) -> Self {
        kept.sort_by_key(|one| one.case);
        let mut bearers: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (place, one) in kept.iter().enumerate() {
            let plain = one.terms.split(' ').filter_map(|term| terms.untagged(term));
            for term in plain.filter(|term| is_telling(term)).collect::<BTreeSet<_>>() {
                bearers.entry(term).or_default().push(place);
            }
        }
        let looked_at = bearers.len();
        let mut enough: Vec<(&str, Vec<usize>)> =
            bearers.into_iter().filter(|(_, places)| places.len() >= FEWEST_CASES).collect();
        let is_capped = enough.len() > MOST_TERMS;
        enough.sort_by(|(one, places), (other, others)| {
            others.len().cmp(&places.len()).then_with(|| one.cmp(other))
        });
        enough.truncate(MOST_TERMS);
        let bearers = enough.into_iter().map(|(term, places)| (term.to_owned(), places)).collect();
        Self { cases: kept.iter().map(|one| one.case).collect(), bearers, looked_at, is_capped }
    }

    /// The words that may be told.
    pub(crate) fn terms(&self) -> Vec<String> {
        self.bearers.keys().cloned().collect()
    }

    /// How many cases there are.
    pub(crate) fn count(&self) -> i64 {
        i64::try_from(self.cases.len()).unwrap_or(i64::MAX)
    }
}

/// The cases of the baseline: how many there are, and how many have each word.
#[derive(Clone, Debug, Default)]
pub(crate) struct Before {
    /// How many there are.
    pub(crate) cases: i64,
    /// How many have each word; none have those that are missing.
    pub(crate) bearers: BTreeMap<String, i64>,
}

/// A word that is told.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Term {
    /// The word.
    pub(crate) word: String,
    /// Cases of the window that have it.
    pub(crate) cases: i64,
    /// How many there would be if it were as frequent as before.
    pub(crate) expected: f64,
    /// G².
    pub(crate) ratio: f64,
}

/// Words that are in the same cases.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Topic {
    /// The words, the most telling first.
    pub(crate) terms: Vec<Term>,
    /// How many cases of the window have any of them.
    pub(crate) count: i64,
    /// Some of these cases, those with the most of its words first.
    pub(crate) cases: Vec<CaseId>,
}

/// The topics of a window, the most telling first. The order of the cases does not matter.
pub(crate) fn topics(recent: &Recent, before: &Before) -> Vec<Topic> {
    if before.cases < FEWEST_BEFORE {
        return Vec::new();
    }
    let told = telling(recent, before);
    let mut topic_of: Vec<usize> = (0..told.len()).collect();
    let places: Vec<&[usize]> = told.iter().map(|term| recent.bearers[&term.word].as_slice()).collect();
    for (at, one) in places.iter().enumerate() {
        for (other_at, other) in places.iter().enumerate().skip(at + 1) {
            if jaccard(one, other) >= SAME_CASES {
                join(&mut topic_of, at, other_at);
            }
        }
    }
    let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (at, topic) in topic_of.iter().enumerate() {
        members.entry(*topic).or_default().push(at);
    }
    // The least place of its words names a topic: they are in the order of how telling they are.
    members.into_values().map(|members| topic(recent, &told, &places, &members)).collect()
}

/// Two topics are one from now on.
fn join(topic_of: &mut [usize], one: usize, other: usize) {
    let (one, other) = (topic_of[one], topic_of[other]);
    let (kept, gone) = (one.min(other), one.max(other));
    for topic in topic_of.iter_mut().filter(|topic| **topic == gone) {
        *topic = kept;
    }
}

fn topic(recent: &Recent, told: &[Term], places: &[&[usize]], members: &[usize]) -> Topic {
    let members = &members[..members.len().min(MAX_TERMS)];
    let mut words: BTreeMap<usize, usize> = BTreeMap::new();
    for place in members.iter().flat_map(|member| places[*member]) {
        *words.entry(*place).or_default() += 1;
    }
    let count = i64::try_from(words.len()).unwrap_or(i64::MAX);
    let mut cases: Vec<(usize, usize)> = words.into_iter().collect();
    cases.sort_by(|(one, words), (other, others)| others.cmp(words).then(one.cmp(other)));
    Topic {
        terms: members.iter().map(|member| told[*member].clone()).collect(),
        count,
        cases: cases.into_iter().take(MAX_CASES).map(|(place, _)| recent.cases[place]).collect(),
    }
}

/// The words that are told, the most telling first.
#[expect(clippy::cast_precision_loss, reason = "counts of cases and words are far below 2^53")]
fn telling(recent: &Recent, before: &Before) -> Vec<Term> {
    let chance = FALSE_ALARMS / recent.looked_at.max(1) as f64;
    let draw = Draw::new(recent.count(), before.cases);
    let of = |(term, places): (&String, &Vec<usize>)| {
        let cases = i64::try_from(places.len()).unwrap_or(i64::MAX);
        // What has been told twice meanwhile is no more than there are.
        let earlier = before.bearers.get(term).copied().unwrap_or(0).min(before.cases);
        let expected = recent.count() as f64 * earlier as f64 / before.cases as f64;
        let ratio = draw.ratio(cases, earlier);
        let is_told = ratio >= LEAST_RATIO && cases as f64 > expected && draw.tail(cases, earlier) <= chance;
        is_told.then(|| Term { word: term.clone(), cases, expected, ratio })
    };
    let mut told: Vec<Term> = recent.bearers.iter().filter_map(of).collect();
    told.sort_by(|one, other| other.ratio.total_cmp(&one.ratio).then_with(|| one.word.cmp(&other.word)));
    told.truncate(MOST_TELLING);
    told
}

/// Share of two sets of places that both have.
#[expect(clippy::cast_precision_loss, reason = "counts of cases")]
fn jaccard(one: &[usize], other: &[usize]) -> f64 {
    let mut others = other.iter().peekable();
    let mut both = 0_usize;
    for place in one {
        while others.next_if(|next| *next < place).is_some() {}
        both += usize::from(others.next_if_eq(&place).is_some());
    }
    both as f64 / (one.len() + other.len() - both).max(1) as f64
}

/// Cases of a window and of a baseline, of which some have a word.
struct Draw {
    now: i64,
    before: i64,
    /// The logarithm of the factorial of each number.
    factorials: Vec<f64>,
}

impl Draw {
    #[expect(clippy::cast_precision_loss, reason = "counts of cases")]
    fn new(now: i64, before: i64) -> Self {
        let all = usize::try_from(now + before).unwrap_or_default();
        let logarithms = (1..=all).scan(0.0, |sum, number| {
            *sum += (number as f64).ln();
            Some(*sum)
        });
        Self { now, before, factorials: std::iter::once(0.0).chain(logarithms).collect() }
    }

    /// The logarithm of how many ways there are to choose.
    fn ways(&self, of: i64, chosen: i64) -> f64 {
        let factorial = |number: i64| {
            let place = usize::try_from(number).ok();
            place.and_then(|place| self.factorials.get(place)).copied().unwrap_or(f64::NEG_INFINITY)
        };
        factorial(of) - factorial(chosen) - factorial(of - chosen)
    }

    /// How likely at least so many of the cases that have a word fall into the window.
    fn tail(&self, cases: i64, earlier: i64) -> f64 {
        let bearing = cases + earlier;
        let all = self.ways(self.now + self.before, bearing);
        let chance =
            |count: i64| (self.ways(self.now, count) + self.ways(self.before, bearing - count) - all).exp();
        let most = bearing.min(self.now);
        // Each further one is less likely, as the count is above what is expected.
        (cases..=most).map(chance).sum::<f64>().min(1.0)
    }

    /// G² of the four counts: with the word and without, now and before.
    #[expect(clippy::cast_precision_loss, reason = "counts of cases")]
    fn ratio(&self, cases: i64, earlier: i64) -> f64 {
        let (now, before) = (self.now as f64, self.before as f64);
        let (with, all) = ((cases + earlier) as f64, now + before);
        let part = |observed: i64, row: f64, column: f64| {
            let observed = observed as f64;
            if observed > 0.0 { observed * (observed * all / (row * column)).ln() } else { 0.0 }
        };
        2.0 * (part(cases, now, with)
            + part(self.now - cases, now, all - with)
            + part(earlier, before, with)
            + part(self.before - earlier, before, all - with))
    }
}

/// How a topic reads: what its words say where they follow each other in texts, most frequent
/// first, and the longer of two that are as frequent.
pub(crate) fn phrases(topic: &Topic, texts: &[String]) -> Vec<String> {
    let words: BTreeSet<&str> = topic.terms.iter().map(|term| term.word.as_str()).collect();
    let mut found: BTreeMap<String, usize> = BTreeMap::new();
    for text in texts {
        let phrases = filter::keywords::phrases(text, |word| words.contains(word));
        for phrase in phrases.into_iter().collect::<BTreeSet<_>>() {
            *found.entry(phrase).or_default() += 1;
        }
    }
    let mut found: Vec<(String, usize)> = found.into_iter().collect();
    found.sort_by(|(one, count), (other, others)| {
        let longer = || other.chars().count().cmp(&one.chars().count());
        others.cmp(count).then_with(longer).then_with(|| one.cmp(other))
    });
    found.into_iter().take(MAX_PHRASES).map(|(phrase, _)| phrase).collect()
}

#[cfg(test)]
mod tests;
