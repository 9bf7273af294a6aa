//! The sentences that services write into timelines, in the language of the page.
//!
//! A timeline keeps what happened as a sentence in English and the kind of what it records; the
//! words that people wrote stand in it as they are. Here each sentence of a kind is known by its
//! pattern, read back into what it says, and said anew. What no pattern knows is what somebody
//! wrote, or is newer than this console: it stays as it is. `table` has the patterns; a test holds
//! them to the sentences that the service of cases has in its source.

mod table;

use std::borrow::Cow;

use proto::redress::cases::v1::TimelineKind;

use crate::language::Language;
use crate::words::Words;
use table::{Pattern, UNITS, VALUES};

/// Longest text that is compared with patterns; a service's own sentence is shorter, but for
/// the words of people at its end.
const READ_MAX: usize = 50_000;
/// Between a sentence and the words somebody gave for it.
const TAIL: &str = ": ";

/// What an entry says, in the language of the page.
pub(crate) fn told(t: Words, kind: TimelineKind, text: &str) -> Cow<'_, str> {
    if t.0 == Language::English || text.len() > READ_MAX {
        return Cow::Borrowed(text);
    }
    let patterns = table::of(kind);
    let found = patterns.iter().find_map(|pattern| said_anew(pattern, text));
    found.map_or(Cow::Borrowed(text), Cow::Owned)
}

/// The sentence by one pattern; none where it is another.
fn said_anew((english, chinese): &Pattern, text: &str) -> Option<String> {
    let (values, tail) = read(english, text)?;
    let mut said = String::new();
    for piece in chinese.split('}') {
        let (words, hole) = piece.split_once('{').unwrap_or((piece, ""));
        said.push_str(words);
        // A hole names its value by its place in the English pattern.
        if !hole.is_empty() {
            said.push_str(values.get(hole.parse::<usize>().ok()?)?);
        }
    }
    if let Some(tail) = tail {
        said.push('：');
        said.push_str(tail);
    }
    Some(said)
}

/// What stands in the holes of a pattern, in Chinese where it is a word of the service, and what
/// follows the sentence. A hole `{}` is as short as can be and no sentence of its own, `{+}` the
/// words of somebody, and `{*}` everything that is left.
fn read<'a>(pattern: &str, text: &'a str) -> Option<(Vec<&'a str>, Option<&'a str>)> {
    let mut rest = text;
    let mut values = Vec::new();
    let mut pieces = pattern.split('{');
    rest = rest.strip_prefix(pieces.next()?)?;
    for piece in pieces {
        let (hole, literal) = piece.split_once('}')?;
        let end = match (hole, literal) {
            ("*", "") => rest.len(),
            (_, "") => rest.find(TAIL).unwrap_or(rest.len()),
            (_, literal) => rest.find(literal)?,
        };
        let value = rest.get(..end)?;
        if hole.is_empty() && value.contains(TAIL) {
            return None;
        }
        values.push(word(value));
        rest = rest.get(end + literal.len()..)?;
    }
    match rest {
        "" => Some((values, None)),
        rest => rest.strip_prefix(TAIL).map(|tail| (values, Some(tail))),
    }
}

/// A length of time as policies have it, `3 working days`, in the language of the page.
pub(crate) fn budget(t: Words, text: &str) -> String {
    if t.0 == Language::English {
        return text.to_owned();
    }
    let said = text.split_once(' ').and_then(|(amount, unit)| {
        let (_, chinese) = UNITS.iter().find(|(english, _)| *english == unit.trim_end_matches('s'))?;
        amount.parse::<u32>().ok().map(|amount| format!("{amount} {chinese}"))
    });
    said.unwrap_or_else(|| text.to_owned())
}

/// A word of a service's in Chinese; the words of people as they are.
fn word(value: &str) -> &str {
    VALUES.iter().find(|(english, _)| *english == value).map_or(value, |(_, chinese)| chinese)
}

#[cfg(test)]
mod tests;
