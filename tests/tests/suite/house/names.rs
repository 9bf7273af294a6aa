//! Names that were metaphors, or one word for many things: they do not come back.

use std::fs;
use std::path::Path;

use super::all_sources;

/// A name, and what it was instead.
const GONE: [(&str, &str); 22] = [
    ("Asked", "what is asked with: a query, a request, arguments"),
    ("Book", "the clocks of a case"),
    ("Desk", "a handler, a board"),
    ("Floor", "an allocation"),
    ("Given", "the context of a layer"),
    ("Heard", "an answer, an update, a status"),
    ("Judgement", "what came of an evaluation"),
    ("Knock", "a pending submission"),
    ("Listing", "a filter, a page"),
    ("News", "an update"),
    ("Newsworthy", "an external event"),
    ("Roads", "connected feeds"),
    ("Standing", "a backlog, a state"),
    ("bell", "a notifier"),
    ("door", "the submission queue"),
    ("hang_up", "close"),
    ("judge", "evaluate, inspect, compare"),
    ("keep_house", "spawn maintenance"),
    ("news", "an update, thresholds crossed"),
    ("permit", "authorize"),
    ("sweep", "clean up"),
    ("take_apart", "split"),
];

/// What begins a definition.
const KINDS: [&str; 6] = ["struct", "enum", "trait", "type", "mod", "fn"];

/// The name that a line of code defines.
fn defined(line: &str) -> Option<&str> {
    let code = line.split("//").next().unwrap_or_default();
    let mut words = code.split_whitespace();
    words.find(|word| KINDS.contains(word))?;
    words.next()?.split(|c: char| !(c.is_alphanumeric() || c == '_')).next()
}

#[test]
fn metaphors_do_not_come_back_as_names() {
    let mut wrong = Vec::new();
    let is_in = |path: &Path, folder: &str| path.components().any(|part| part.as_os_str() == folder);
    // Tests have fixtures of their own.
    for path in all_sources().iter().filter(|path| is_in(path, "src")) {
        for line in fs::read_to_string(path).unwrap().lines() {
            let name = defined(line);
            let found = GONE.iter().find(|(gone, _)| name == Some(*gone));
            wrong.extend(found.map(|(gone, instead)| format!("{}: {gone}: {instead}", path.display())));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_definition_has_its_name() {
    assert_eq!(defined("    pub(crate) async fn judge(tx: &mut Tx) {"), Some("judge"));
    assert_eq!(defined("pub struct Heard<'a> {"), Some("Heard"));
    assert_eq!(defined("    heard.judge(); // fn judge"), None);
    assert_eq!(defined("let told: fn(Heard) -> bool = judge;"), None);
}
