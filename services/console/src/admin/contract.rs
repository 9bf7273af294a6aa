//! Contracts as JSON, as the command line reads and writes them, and the line of what is wrong.

use prost::{Message, Name};
use transcoding::Refused;

use super::input::{Input, Placed};
use crate::problem::{Problem, Violation};

/// Longest JSON that is edited on a page, in characters.
pub(super) const JSON_MAX: usize = 400_000;
/// From this length on it takes a while to read.
const HEAVY: usize = 20_000;

/// A message over several lines.
pub(super) fn write<M: Message + Name>(message: &M) -> Result<String, Problem> {
    server::aside(true, || show::json::pretty(message))
        .map_err(|error| Problem::broken(&format!("{error:#}")))
}

/// A message from JSON, read strictly; everything that is wrong with it at once.
pub(super) fn read<M: Message + Name + Default>(text: &str, field: &str) -> Result<M, Problem> {
    let descriptor = show::json::descriptor::<M>().map_err(|error| Problem::broken(&format!("{error:#}")))?;
    let read = server::aside(text.len() > HEAVY, || transcoding::read(&descriptor, text.as_bytes()));
    let one = |description: String| vec![Violation { field: field.to_owned(), description }];
    let violations = match read {
        Ok(message) => {
            return message.transcode_to().map_err(|error| Problem::broken(&error.to_string()));
        }
        Err(Refused::Fields(violations, _)) => violations
            .into_iter()
            .map(|one| Violation { field: format!("{field}.{}", one.field), description: one.description })
            .collect(),
        Err(other) => one(other.to_string()),
    };
    Err(super::input::all_wrong(violations))
}

/// Where a violation belongs that the service found in a contract which one field has as JSON, but
/// for its note, which is a field of its own.
pub(super) fn place(path: &str, field: &'static str, inputs: &[Input]) -> Placed {
    let rest = path.strip_prefix(field).unwrap_or(path).trim_start_matches('.');
    if rest == "note" {
        return Placed { input: "note", line: None };
    }
    let text = inputs.iter().find(|input| input.name == field).map_or("", |input| &input.value);
    Placed { input: field, line: line_of(text, rest) }
}

/// The line of a JSON text that a path leads to, `rules[3].when`, from 1; that of what is around
/// it where it is not there.
pub(super) fn line_of(text: &str, path: &str) -> Option<usize> {
    let mut scanner = Scanner { text: text.as_bytes(), at: 0, line: 1 };
    let steps = steps(path);
    let mut best = None;
    scanner.find(&steps, 0, &mut best);
    best.map(|(_, line)| line)
}

/// A step of a path.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    Member(String),
    Place(usize),
}

fn steps(path: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    for piece in path.split('.') {
        let mut rest = piece.split('[');
        match rest.next() {
            Some("") | None => {}
            Some(name) => steps.push(Step::Member(plain(name))),
        }
        let places = rest.filter_map(|place| place.trim_end_matches(']').parse().ok());
        steps.extend(places.map(Step::Place));
    }
    steps
}

/// A name without what tells `word_lists` from `wordLists`.
fn plain(name: &str) -> String {
    name.chars().filter(|c| *c != '_').flat_map(char::to_lowercase).collect()
}

/// How deep a text is looked into.
const DEPTH_MAX: usize = 64;

/// Goes along a JSON text, without a mind to what is wrong with it.
struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
    line: usize,
}

impl Scanner<'_> {
    fn peek(&mut self) -> Option<u8> {
        while let Some(byte) = self.text.get(self.at) {
            match byte {
                b'\n' => self.line += 1,
                b' ' | b'\t' | b'\r' | b',' | b':' => {}
                _ => return Some(*byte),
            }
            self.at += 1;
        }
        None
    }

    fn string(&mut self) -> String {
        let begin = self.at + 1;
        self.at = begin;
        while let Some(byte) = self.text.get(self.at) {
            match byte {
                b'\\' => self.at += 1,
                b'"' => break,
                b'\n' => self.line += 1,
                _ => {}
            }
            self.at += 1;
        }
        let end = self.at.min(self.text.len());
        self.at = (self.at + 1).min(self.text.len());
        String::from_utf8_lossy(self.text.get(begin..end).unwrap_or_default()).into_owned()
    }

    /// Notes the line of the deepest step that is found; `along` is whether all before matched.
    fn find(&mut self, steps: &[Step], depth: usize, best: &mut Option<(usize, usize)>) {
        if depth > DEPTH_MAX {
            self.at = self.text.len();
            return;
        }
        match self.peek() {
            Some(b'{') => self.members(steps, depth, best),
            Some(b'[') => self.places(steps, depth, best),
            Some(b'"') => {
                self.string();
            }
            Some(_) => {
                let is_end = |byte: &u8| b",]} \n\r\t".contains(byte);
                while self.text.get(self.at).is_some_and(|byte| !is_end(byte)) {
                    self.at += 1;
                }
            }
            None => {}
        }
    }

    fn note(depth: usize, line: usize, best: &mut Option<(usize, usize)>) {
        if best.is_none_or(|(deepest, _)| depth > deepest) {
            *best = Some((depth, line));
        }
    }

    fn members(&mut self, steps: &[Step], depth: usize, best: &mut Option<(usize, usize)>) {
        self.at += 1;
        while let Some(byte) = self.peek() {
            if byte != b'"' {
                self.at += 1;
                if byte == b'}' {
                    return;
                }
                continue;
            }
            let line = self.line;
            let name = plain(&self.string());
            if matches!(steps.first(), Some(Step::Member(wanted)) if *wanted == name) {
                Self::note(depth, line, best);
                self.find(steps.get(1..).unwrap_or_default(), depth + 1, best);
            } else {
                self.find(&[], depth + 1, best);
            }
        }
    }

    fn places(&mut self, steps: &[Step], depth: usize, best: &mut Option<(usize, usize)>) {
        self.at += 1;
        let mut place = 0;
        while let Some(byte) = self.peek() {
            if byte == b']' {
                self.at += 1;
                return;
            }
            let (line, before) = (self.line, self.at);
            if matches!(steps.first(), Some(Step::Place(wanted)) if *wanted == place) {
                Self::note(depth, line, best);
                self.find(steps.get(1..).unwrap_or_default(), depth + 1, best);
            } else {
                self.find(&[], depth + 1, best);
            }
            // What is no value is passed over.
            if self.at == before {
                self.at += 1;
            }
            place += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use proto::redress::cases::v1::{Rule, RuleSet};

    use super::*;

    const TEXT: &str = "{\n  \"note\": \"a \\\" b\",\n  \"wordLists\": [\n    { \"name\": \"x\" }\n  ],\n  \"rules\": [\n    { \"name\": \"one\",\n      \"when\": \"true\" },\n    {\n      \"name\": \"two\",\n      \"when\": \"nonsense {\"\n    }\n  ]\n}";

    #[test]
    fn the_line_of_a_path_is_found() {
        for (path, line) in [
            ("note", Some(2)),
            ("word_lists[0].name", Some(4)),
            ("rules[0].when", Some(8)),
            ("rules[1].when", Some(11)),
            ("rules[1].reason", Some(9)),
            ("rules[7]", Some(6)),
            ("nowhere", None),
        ] {
            assert_eq!(line_of(TEXT, path), line, "{path}");
        }
        for odd in ["", "{", "[", "\"", "{\"a", "[[[[", "{]}", "}{", "\\"] {
            assert_eq!(line_of(odd, "rules[1].when"), None, "{odd}");
        }
        assert_eq!(line_of(&"[".repeat(10_000), "a"), None);
    }

    #[test]
    fn json_is_read_strictly_and_written_as_it_is_read() {
        let rule = Rule { name: "one".into(), when: "true".into(), ..Rule::default() };
        let set = RuleSet { note: "x".into(), rules: vec![rule], ..RuleSet::default() };
        let text = write(&set).unwrap();
        assert_eq!(read::<RuleSet>(&text, "rule_set").unwrap(), set);
        let wrong = read::<RuleSet>("{\"note\": 1, \"rulse\": []}", "rule_set").unwrap_err();
        let fields: Vec<&str> = wrong.violations.iter().map(|one| one.field.as_str()).collect();
        assert_eq!(fields, ["rule_set.note", "rule_set.rulse"]);
        assert_eq!(read::<RuleSet>("{", "rule_set").unwrap_err().violations[0].field, "rule_set");
    }
}
