//! How angry a text is, from calm to furious, and what it threatens to do; by a
//! lexicon of our own for Chinese and English.
//!
//! Words of anger have a weight from 1 to 4, words of praise take away from it.
//! A word before them may turn them round (not, 不), sharpen them (very, 太) or
//! soften them (a bit, 有点); shouting (capitals, !!!) sharpens the whole. The
//! strongest word decides, others add less and less.

mod words;

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, Input, MatchKind};

use words::{
    ANGER, CALMED, COURT, DOUBT, LEAVING, MEDIA, NEGATION, PRAISE, REGULATOR, SHARPENING, SOFTENING,
};

/// How many bytes of a text are read; people say it early.
const MAX_BYTES: usize = 20_000;
/// How far a modifier reaches, in bytes: two or three words, four characters.
const REACH: usize = 12;
/// What a threat tells of anger; who leaves has had enough.
const THREATENING: f32 = 1.0;
const LEAVING_ALREADY: f32 = 2.0;
/// What a second word of anger adds; the third half of it, and so on.
const FURTHER: f32 = 0.5;

/// How angry a text is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// No anger is seen.
    #[default]
    Calm = 0,
    /// Not content.
    Displeased = 1,
    /// Annoyed: it has been going on for too long.
    Annoyed = 2,
    /// Angry.
    Angry = 3,
    /// Beside themselves.
    Furious = 4,
}

impl Level {
    /// Its number, from 0 to 4.
    pub fn number(self) -> u8 {
        self as u8
    }
}

/// What a complainant threatens to do, or has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Threat {
    /// Turn to a regulator, an ombudsman or a consumer association.
    Regulator,
    /// Turn to the media or the public.
    Media,
    /// Go to court, or to a lawyer.
    Court,
    /// Leave for a competitor, close the account.
    Leaving,
}

/// How a text is meant.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Emotion {
    /// How angry it is.
    pub level: Level,
    /// What it threatens, each once, in order.
    pub threats: Vec<Threat>,
    /// What the level was cut from: higher is angrier, below zero is praise.
    pub score: f32,
}

impl Emotion {
    /// Whether it threatens to take the matter elsewhere.
    pub fn threatens_escalation(&self) -> bool {
        !self.threats.is_empty()
    }
}

/// Reads how a text is meant. The same text gives the same answer.
pub fn emotion(text: &str) -> Emotion {
    let text = crate::beginning(text, MAX_BYTES);
    let normal = normal(text);
    let mut tally = Tally::default();
    let mut modifier = Modifier::default();
    for found in LEXICON.find(&normal) {
        let (start, end, meaning) = found;
        if modifier.is_out_of_reach(&normal, start) {
            modifier = Modifier::default();
        }
        match meaning {
            Meaning::Negates => modifier.negate(end),
            Meaning::Scales(factor) => modifier.scale(factor, end),
            Meaning::Feels(weight) => {
                tally.feel(modifier.applied_to(weight));
                modifier = Modifier::default();
            }
            Meaning::Threatens(threat) if !modifier.negated => {
                tally.threaten(threat);
                modifier = Modifier::default();
            }
            Meaning::Threatens(_) | Meaning::Nothing => {}
        }
    }
    tally.read(shouting(text))
}

/// What a word of the lexicon does.
#[derive(Clone, Copy, Debug)]
enum Meaning {
    /// Anger above zero, praise below.
    Feels(f32),
    /// Turns what follows round.
    Negates,
    /// Sharpens or softens what follows.
    Scales(f32),
    /// Says where they will turn to.
    Threatens(Threat),
    /// Only hides a shorter word that would be misread.
    Nothing,
}

/// What the words before one do to it.
#[derive(Clone, Copy, Debug)]
struct Modifier {
    negated: bool,
    factor: f32,
    end: usize,
}

impl Default for Modifier {
    fn default() -> Self {
        Self { negated: false, factor: 1.0, end: 0 }
    }
}

impl Modifier {
    /// Whether it stands too far before, or in another clause.
    fn is_out_of_reach(&self, text: &str, start: usize) -> bool {
        start > self.end + REACH || text.get(self.end..start).is_some_and(|between| between.contains('\n'))
    }

    fn negate(&mut self, end: usize) {
        *self = Self { negated: !self.negated, end, ..*self };
    }

    fn scale(&mut self, factor: f32, end: usize) {
        *self = Self { factor: self.factor * factor, end, ..*self };
    }

    /// Not good is bad, not bad is no praise; a very bad is worse.
    fn applied_to(&self, weight: f32) -> f32 {
        match (self.negated, weight > 0.0) {
            (false, _) => weight * self.factor,
            (true, true) => 0.0,
            (true, false) => -weight * self.factor,
        }
    }
}

/// What was found so far.
#[derive(Debug, Default)]
struct Tally {
    anger: Vec<f32>,
    praise: f32,
    threats: Vec<Threat>,
}

impl Tally {
    fn feel(&mut self, weight: f32) {
        if weight > 0.0 {
            self.anger.push(weight);
        } else {
            self.praise -= weight;
        }
    }

    fn threaten(&mut self, threat: Threat) {
        self.threats.push(threat);
        self.anger.push(if threat == Threat::Leaving { LEAVING_ALREADY } else { THREATENING });
    }

    fn read(mut self, shouting: f32) -> Emotion {
        self.anger.sort_unstable_by(|a, b| b.total_cmp(a));
        let mut share = FURTHER;
        let mut anger = 0.0;
        for (place, weight) in self.anger.iter().enumerate() {
            if place == 0 {
                anger = *weight;
            } else {
                anger += weight * share;
                share *= FURTHER;
            }
        }
        if anger > 0.0 {
            anger += shouting;
        }
        self.threats.sort_unstable();
        self.threats.dedup();
        // Praise outweighs little anger, never fury: "the old one was great".
        let score = anger - (self.praise * 0.5).min(1.5);
        Emotion { level: level(score), threats: self.threats, score }
    }
}

fn level(score: f32) -> Level {
    match score {
        score if score < 0.75 => Level::Calm,
        score if score < 1.75 => Level::Displeased,
        score if score < 3.0 => Level::Annoyed,
        score if score < 4.0 => Level::Angry,
        _ => Level::Furious,
    }
}

/// What shouting adds: three marks or more in all, words in capitals.
fn shouting(text: &str) -> f32 {
    let marks = text.chars().filter(|c| matches!(c, '!' | '！')).count();
    let loud = |word: &&str| word.len() >= 4 && word.bytes().all(|b| b.is_ascii_uppercase());
    let quiet = |word: &&str| word.len() >= 4 && word.bytes().any(|b| b.is_ascii_lowercase());
    let words = || text.split(|c: char| !c.is_ascii_alphabetic());
    // XXXX stands for what was blacked out.
    let capitals = words().filter(loud).filter(|word| word.bytes().any(|b| b != b'X')).count();
    let mut more = 0.0;
    if marks >= 3 {
        more += 0.5;
    }
    if capitals >= 3 && capitals * 4 >= words().filter(quiet).count() {
        more += 1.0;
    } else if capitals >= 3 {
        more += 0.25;
    }
    more
}

/// Lower case; one space for a run of white space, one at either end and between
/// scripts; a line
/// break where a clause ends; apostrophes dropped (don't, dont), other
/// punctuation a space.
fn normal(text: &str) -> String {
    let mut normal = String::with_capacity(text.len() + 2);
    normal.push(' ');
    for c in text.chars() {
        match c {
            '\'' | '’' => {}
            ',' | '.' | ';' | '!' | '?' | '，' | '。' | '；' | '！' | '？' | '\n' => {
                normal.push_str("\n ");
            }
            c if c.is_alphanumeric() => {
                // 打12315投诉: three words.
                if normal.ends_with(|last: char| last != ' ' && last.is_ascii() != c.is_ascii()) {
                    normal.push(' ');
                }
                normal.extend(c.to_lowercase());
            }
            _ if normal.ends_with(' ') => {}
            _ => normal.push(' '),
        }
    }
    normal.push(' ');
    normal
}

/// The lists of words, ready to be looked for all at once.
struct Lexicon {
    words: AhoCorasick,
    meanings: Vec<(Meaning, Ending)>,
}

/// What may follow a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// Anything: Chinese, or a stem.
    Open,
    /// No letter.
    Closed,
}

static LEXICON: LazyLock<Lexicon> = LazyLock::new(Lexicon::new);

impl Lexicon {
    // The lists are constants; a test builds the lexicon.
    #[expect(clippy::expect_used, reason = "short constant words make an automaton far below its limits")]
    fn new() -> Self {
        let mut patterns = Vec::new();
        let mut meanings = Vec::new();
        for (meaning, words) in entries() {
            for word in listed(words) {
                let (pattern, ending) = pattern(word);
                patterns.push(pattern);
                meanings.push((meaning, ending));
            }
        }
        let words = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(patterns);
        Self { words: words.expect("the lexicon is small"), meanings }
    }

    /// Where its words occur in a normal text: from left to right, the longest.
    fn find<'a>(&'a self, text: &'a str) -> impl Iterator<Item = (usize, usize, Meaning)> + 'a {
        let mut at = 0;
        std::iter::from_fn(move || {
            loop {
                let found = self.words.find(Input::new(text).range(at..))?;
                let (meaning, ending) = self.meanings[found.pattern().as_usize()];
                at = found.end();
                let next = text[at..].chars().next();
                if ending == Ending::Open || !next.is_some_and(char::is_alphanumeric) {
                    return Some((found.start(), found.end(), meaning));
                }
            }
        })
    }
}

/// Every list with what its words do.
fn entries() -> Vec<(Meaning, &'static str)> {
    let mut entries = vec![
        (Meaning::Negates, NEGATION),
        (Meaning::Nothing, CALMED),
        (Meaning::Feels(-1.0), PRAISE),
        (Meaning::Feels(0.8), DOUBT),
        (Meaning::Threatens(Threat::Regulator), REGULATOR),
        (Meaning::Threatens(Threat::Media), MEDIA),
        (Meaning::Threatens(Threat::Court), COURT),
        (Meaning::Threatens(Threat::Leaving), LEAVING),
    ];
    entries.extend(ANGER.iter().map(|(weight, words)| (Meaning::Feels(*weight), *words)));
    entries.extend(SHARPENING.iter().map(|(factor, words)| (Meaning::Scales(*factor), *words)));
    entries.extend(SOFTENING.iter().map(|(factor, words)| (Meaning::Scales(*factor), *words)));
    entries
}

/// The words of a list.
fn listed(words: &'static str) -> impl Iterator<Item = &'static str> {
    words.split(',').map(str::trim)
}

/// How a word is looked for: English begins a word, and ends one unless a star
/// marks a stem; Chinese stands anywhere.
fn pattern(word: &str) -> (String, Ending) {
    if !word.is_ascii() {
        return (word.to_owned(), Ending::Open);
    }
    match word.strip_suffix('*') {
        Some(stem) => (format!(" {stem}"), Ending::Open),
        None => (format!(" {word}"), Ending::Closed),
    }
}

#[cfg(test)]
mod tests;
