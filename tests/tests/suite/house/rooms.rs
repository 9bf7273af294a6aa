//! The rooms of each service: which of its modules may name which, and that none go
//! round in a circle.
//!
//! A room is a module at the top of a service's sources. `wire`, `store`, `flow`, `rpc`
//! and `react` are the same in each; every other is a noun. Read from the sources, as they
//! are written: what is only for tests is left out.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::statements::without_tests;
use super::{NAMES, root, sources};

/// Which rooms a room may name, besides itself and the nouns.
const ARROWS: [(&str, &[&str]); 5] = [
    ("wire", &[]),
    ("store", &[]),
    ("flow", &["store", "wire"]),
    ("rpc", &["store", "wire", "flow"]),
    ("react", &["store", "wire", "flow"]),
];
/// What a noun does not name: who decides knows neither statements nor contracts.
const NOT_FOR_NOUNS: [&str; 7] = ["sqlx::", "proto::", "prost::", "tonic::", "pg::Tx", "pg::Db", "pg::{"];

/// The modules each module names, and in which file.
type Arrows = BTreeMap<String, BTreeMap<String, String>>;

/// The sources of a service by their path below `src`, without what is only for tests.
fn shipped(service: &str) -> BTreeMap<PathBuf, String> {
    let folder = root().join("services").join(service).join("src");
    let mut files = Vec::new();
    sources(&folder, &mut files);
    let read = |path: &PathBuf| {
        let below = path.strip_prefix(&folder).unwrap().to_owned();
        (below, fs::read_to_string(path).unwrap())
    };
    let mut all: BTreeMap<PathBuf, String> = files.iter().map(read).collect();
    let tests: Vec<PathBuf> = all.iter().flat_map(|(path, text)| test_modules(path, text)).collect();
    all.retain(|path, _| {
        !tests.iter().any(|test| path.starts_with(test) || *path == test.with_extension("rs"))
    });
    all.into_iter().map(|(path, text)| (path, without_tests_and_texts(&text))).collect()
}

/// Where the modules of a file lie: beside it, in a folder of its name.
fn home(path: &Path) -> PathBuf {
    let is_root = ["lib.rs", "main.rs"].iter().any(|name| path.ends_with(name));
    if is_root { PathBuf::new() } else { path.with_extension("") }
}

/// The folders of the modules that a file has for tests only.
fn test_modules(path: &Path, text: &str) -> Vec<PathBuf> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let after_test = lines.iter().enumerate().filter(|(_, line)| **line == "#[cfg(test)]");
    let named = after_test.filter_map(|(at, _)| {
        let item = lines[at + 1..].iter().find(|line| !line.starts_with("#["))?;
        let (_, name) = item.strip_suffix(';')?.split_once("mod ")?;
        Some(home(path).join(name))
    });
    named.collect()
}

/// A text without comments, strings and what is only for tests. rustfmt ends an item at
/// the indentation it began with.
fn without_tests_and_texts(text: &str) -> String {
    let mut kept = without_tests(text);
    for quote in ["\\\\", "\\\"", "'\"'"] {
        kept = kept.replace(quote, "");
    }
    kept.split('"').step_by(2).collect()
}

/// What a text names of its own crate, each as a path from the crate's root.
fn named(module: &[String], text: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for (start, root) in [("crate::", true), ("super::", false)] {
        for (at, _) in text.match_indices(start) {
            let before = text[..at].chars().next_back();
            let is_path = before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':');
            if is_path {
                continue;
            }
            let mut rest = &text[at + start.len()..];
            let mut above = module.len().saturating_sub(1);
            while let Some(further) = rest.strip_prefix("super::") {
                (rest, above) = (further, above.saturating_sub(1));
            }
            let base = if root { &[][..] } else { &module[..above] };
            expand(rest, base, &mut found);
        }
    }
    found
}

/// Takes a tree of names apart, as after `use`.
fn expand(tree: &str, base: &[String], found: &mut Vec<Vec<String>>) {
    let tree = tree.trim_start();
    if let Some(inner) = tree.strip_prefix('{') {
        for part in split(inner) {
            expand(part, base, found);
        }
        return;
    }
    let end = tree.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(tree.len());
    let (name, rest) = tree.split_at(end);
    let path = [base, &[name.to_owned()]].concat();
    match rest.strip_prefix("::") {
        Some(rest) => expand(rest, &path, found),
        None => found.push(path),
    }
}

/// The parts of a list within braces, whose first is taken off.
fn split(inner: &str) -> Vec<&str> {
    let (mut depth, mut from, mut parts) = (0, 0, Vec::new());
    for (at, c) in inner.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            '}' => {
                parts.push(&inner[from..at]);
                break;
            }
            ',' if depth == 0 => {
                parts.push(&inner[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.retain(|part| !part.trim().is_empty());
    parts
}

/// The arrows between the modules at the top of a service.
fn arrows(sources: &BTreeMap<PathBuf, String>) -> Arrows {
    let module = |path: &Path| -> Vec<String> {
        home(path).iter().map(|part| part.to_string_lossy().into_owned()).collect()
    };
    let tops: BTreeSet<String> = sources.keys().filter_map(|path| module(path).into_iter().next()).collect();
    let mut arrows = Arrows::new();
    for (path, text) in sources {
        let own = module(path);
        let Some(top) = own.first() else { continue };
        for to in named(&own, text).into_iter().filter_map(|path| path.into_iter().next()) {
            if to != *top && tops.contains(&to) {
                let file = path.display().to_string();
                arrows.entry(top.clone()).or_default().entry(to).or_insert(file);
            }
        }
    }
    arrows
}

/// The arrows that point the wrong way: from, to, and where.
fn wrong_way(arrows: &Arrows) -> Vec<(String, String, String)> {
    let rooms: BTreeMap<&str, &[&str]> = ARROWS.into_iter().collect();
    let all = arrows.iter().flat_map(|(from, to)| to.iter().map(move |(to, file)| (from, to, file)));
    let wrong = all.filter(|(from, to, _)| {
        let allowed = rooms.get(from.as_str()).copied().unwrap_or_default();
        rooms.contains_key(to.as_str()) && !allowed.contains(&to.as_str())
    });
    wrong.map(|(from, to, file)| (from.clone(), to.clone(), file.clone())).collect()
}

/// The modules that a module leads to, however far.
fn reached<'a>(arrows: &'a Arrows, from: &'a str) -> BTreeSet<&'a str> {
    let (mut reached, mut next) = (BTreeSet::new(), vec![from]);
    while let Some(module) = next.pop() {
        for to in arrows.get(module).into_iter().flat_map(BTreeMap::keys) {
            if reached.insert(to.as_str()) {
                next.push(to);
            }
        }
    }
    reached
}

/// The modules that go round in a circle, those of one circle together.
fn circles(arrows: &Arrows) -> BTreeSet<BTreeSet<&str>> {
    let leads: BTreeMap<&str, BTreeSet<&str>> =
        arrows.keys().map(|module| (module.as_str(), reached(arrows, module))).collect();
    let of = |module: &str| -> BTreeSet<&str> {
        let back = leads[module].iter().copied();
        back.filter(|other| leads.get(other).is_some_and(|leads| leads.contains(module))).collect()
    };
    leads.keys().map(|module| of(module)).filter(|circle| !circle.is_empty()).collect()
}

#[test]
fn rooms_of_each_service_name_only_those_they_may() {
    let mut wrong = Vec::new();
    for service in NAMES {
        let arrows = arrows(&shipped(service));
        assert!(arrows.contains_key("store") && arrows.contains_key("rpc"), "{service} has other rooms");
        let wrong_way = wrong_way(&arrows).into_iter();
        wrong.extend(wrong_way.map(|(from, to, file)| format!("{service}: {from} names {to} in {file}")));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn no_modules_of_a_service_form_a_circle() {
    let mut wrong = Vec::new();
    for service in NAMES {
        wrong.extend(
            circles(&arrows(&shipped(service))).iter().map(|circle| format!("{service}: {circle:?}")),
        );
    }
    assert!(wrong.is_empty(), "modules that know each other in a circle:\n{}", wrong.join("\n"));
}

/// What a noun names that is not for nouns.
fn not_for_nouns(text: &str) -> Vec<&'static str> {
    let is_whole = |at: usize| {
        let before = text[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':')
    };
    let names = |name: &&str| text.match_indices(*name).any(|(at, _)| is_whole(at));
    NOT_FOR_NOUNS.into_iter().filter(names).collect()
}

#[test]
fn a_noun_knows_neither_statements_nor_contracts() {
    let mut wrong = Vec::new();
    for service in NAMES {
        for (path, text) in shipped(service) {
            let own = home(&path);
            let Some(top) = own.iter().next().and_then(|top| top.to_str()) else { continue };
            let is_noun = ARROWS.iter().all(|(room, _)| *room != top);
            if is_noun {
                let named = not_for_nouns(&text);
                wrong.extend(named.iter().map(|name| format!("{service}/{} names {name}", path.display())));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(
        not_for_nouns("use sqlx::PgConnection;\nasync fn read(tx: &mut pg::Tx) {}"),
        ["sqlx::", "pg::Tx"]
    );
    assert_eq!(not_for_nouns("pg::trace::trace_id(text); my_sqlx::name()"), [""; 0]);
}

fn of(files: &[(&str, &str)]) -> Arrows {
    arrows(&files.iter().map(|(path, text)| (PathBuf::from(path), without_tests_and_texts(text))).collect())
}

#[test]
fn an_arrow_that_points_the_wrong_way_is_seen() {
    let rest = [("plan.rs", "use kernel::Money;"), ("store.rs", ""), ("rpc.rs", "use crate::{plan, store};")];
    assert_eq!(wrong_way(&of(&rest)), []);
    for (file, text, seen) in [
        ("wire/plans.rs", "use crate::{plan::{Plan, Step}, store::Row};", ("wire", "store")),
        ("plan/dag.rs", "use super::super::store;", ("plan", "store")),
        ("plan/dag.rs", "fn read() { crate::store::read() }", ("plan", "store")),
        ("store.rs", "use crate::wire::Over;", ("store", "wire")),
        ("flow/progress.rs", "use crate::rpc;", ("flow", "rpc")),
    ] {
        let all = [&rest[..], &[("wire.rs", ""), (file, text)]].concat();
        let wrong = wrong_way(&of(&all));
        let wrong: Vec<_> = wrong.iter().map(|(from, to, _)| (from.as_str(), to.as_str())).collect();
        assert_eq!(wrong, [seen], "{text}");
    }
    let for_tests =
        "#[cfg(test)]\nmod tests {\n    use crate::store;\n}\n// crate::store\nlet _ = \"crate::store\";";
    assert_eq!(wrong_way(&of(&[("plan.rs", for_tests), ("store.rs", "")])), []);
}

#[test]
fn a_circle_is_seen_whole_and_what_only_leads_into_it_is_not_of_it() {
    let files = [
        ("rpc.rs", "use crate::plan;"),
        ("plan.rs", "use crate::task;"),
        ("task.rs", "use crate::refusal;"),
        ("refusal.rs", "use crate::plan::State;\nuse crate::remedy;"),
        ("remedy.rs", ""),
    ];
    assert_eq!(circles(&of(&files)), BTreeSet::from([BTreeSet::from(["plan", "refusal", "task"])]));
}
