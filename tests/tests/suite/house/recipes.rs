//! The README's recipes, followed against the tree by what was added before: each path
//! they name is there, and every file that names the example is one they name.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::root;

/// Something that was added once, by a recipe.
struct Example {
    recipe: &'static str,
    /// What it is called in code, contracts and texts.
    names: &'static [&'static str],
    /// How many files name it, but for its tests and migrations.
    files: usize,
    /// What stands for the recipe's `<service>`, `<noun>` and the like.
    stands_for: &'static [(&'static str, &'static [&'static str])],
}

const EXAMPLES: [Example; 8] = [
    Example {
        recipe: "To add an rpc",
        names: &["SendHoldingReply", "SendHoldingReplyRequest", "send_holding_reply"],
        files: 5,
        stands_for: &[
            ("service", &["cases"]),
            ("noun", &["clock_service", "clocks", "clock", "holding", "deadlines"]),
        ],
    },
    Example {
        recipe: "To add an rpc",
        names: &["CorrectContact", "CorrectContactRequest", "correct_contact"],
        files: 5,
        stands_for: &[
            ("service", &["feedback"]),
            ("noun", &["service", "contact", "notice", "notices", "feedback"]),
        ],
    },
    Example {
        recipe: "To hear an event of another service",
        names: &["AgentChanged", "agent_changed"],
        files: 5,
        stands_for: &[
            ("publisher", &["assignment"]),
            ("listener", &["cases"]),
            ("noun", &["events", "steps", "staff", "roster"]),
        ],
    },
    Example {
        recipe: "To hear an event of another service",
        names: &["HoldingReplySent"],
        files: 4,
        stands_for: &[
            ("publisher", &["cases"]),
            ("listener", &["feedback"]),
            ("noun", &["clock_events", "clocks", "deadlines"]),
        ],
    },
    Example {
        recipe: "To hear an event of another service",
        names: &["ShortageReported"],
        files: 4,
        stands_for: &[
            ("publisher", &["resolution"]),
            ("listener", &["cases"]),
            ("noun", &["events", "inquiries"]),
        ],
    },
    Example {
        recipe: "To add a kind of remedy",
        names: &["REMEDY_KIND_REDELIVERY", "Redelivery", "redelivery"],
        files: 8,
        stands_for: &[],
    },
    Example {
        recipe: "To add a channel",
        // Not a partner's, which file drops name as well.
        names: &["CHANNEL_BRANCH", "(Channel::Branch", "Branch = 8", "Word::Branch"],
        files: 4,
        stands_for: &[("noun", &["rules"])],
    },
    Example {
        recipe: "To add a column",
        names: &["respondent_staff"],
        files: 8,
        stands_for: &[
            ("service", &["cases", "assignment"]),
            ("noun", &["case/origin", "row", "tests", "decisions", "assignments"]),
        ],
    },
];

/// The most files a recipe may have one open, and tests beside them.
const MOST: [(&str, usize, usize); 5] = [
    ("To add an rpc", 11, 7),
    ("To hear an event of another service", 5, 3),
    ("To add a kind of remedy", 9, 1),
    ("To add a channel", 8, 3),
    ("To add a column", 8, 1),
];

/// The paths of a recipe.
fn paths(readme: &str, recipe: &str) -> Vec<String> {
    let (_, rest) = readme.split_once(&format!("### {recipe}\n")).unwrap();
    let section = rest.split("\n#").next().unwrap();
    let quoted = section.split('`').skip(1).step_by(2);
    let is_path = |text: &&str| text.contains('/') || *text == "README.md";
    quoted.filter(is_path).map(str::to_owned).collect()
}

/// What a path of a recipe stands for: one for each of what its placeholders stand for,
/// and the file that is the whole room where there is no folder.
fn spelt_out(path: &str, example: &Example) -> Vec<String> {
    let mut found = vec![path.to_owned()];
    for (placeholder, values) in example.stands_for {
        let placeholder = format!("<{placeholder}>");
        found = found
            .iter()
            .flat_map(|path| values.iter().map(|value| path.replace(&placeholder, value)).collect::<Vec<_>>())
            .collect();
    }
    let rooms: Vec<String> = found.iter().filter_map(|path| room(path)).collect();
    found.into_iter().chain(rooms).collect()
}

/// `services/cases/src/store.rs`, for `services/cases/src/store/row.rs`.
fn room(path: &str) -> Option<String> {
    let (folder, _) = path.strip_suffix(".rs")?.rsplit_once('/')?;
    folder.contains("/src/").then(|| format!("{folder}.rs"))
}

/// Whether a text has a word: not as a part of another.
fn has_word(text: &str, word: &str) -> bool {
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
    text.match_indices(word).any(|(at, _)| {
        let (before, after) = (text[..at].chars().next_back(), text[at + word.len()..].chars().next());
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

/// Every text of the tree, by its path.
fn texts() -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if path.is_dir() && !["target", ".git", ".redress"].contains(&name) {
                folders.push(path);
            } else if path.is_file()
                && let Ok(text) = fs::read_to_string(&path)
            {
                let path = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
                found.push((path, text));
            }
        }
    }
    assert!(found.len() > 300, "the sources lie elsewhere");
    // This file names the examples, as examples.
    found.retain(|(path, _)| !Path::new(path).ends_with("house/recipes.rs"));
    found
}

#[test]
fn every_recipe_leads_to_all_files_that_name_what_was_added_by_it() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let texts = texts();
    let mut wrong = Vec::new();
    for example in &EXAMPLES {
        let (recipe, what) = (example.recipe, example.names[0]);
        let steps: Vec<Vec<String>> =
            paths(&readme, recipe).iter().map(|path| spelt_out(path, example)).collect();
        for step in &steps {
            if !step.iter().any(|path| root().join(path).exists()) {
                wrong.push(format!("{recipe}, as {what}: nothing is there: {step:?}"));
            }
        }
        let is_listed = |file: &str| {
            steps.iter().flatten().any(|path| path == file || (path.ends_with('/') && file.starts_with(path)))
        };
        let named: BTreeSet<&str> = texts
            .iter()
            .filter(|(_, text)| example.names.iter().any(|name| has_word(text, name)))
            .map(|(path, _)| path.as_str())
            .collect();
        assert!(named.len() >= 3, "{what} is no example any more: {named:?}");
        let opened: Vec<_> =
            named.iter().filter(|file| !is_test(file) && !file.contains("/migrations/")).collect();
        assert_eq!(opened.len(), example.files, "{what} is named in {opened:#?}");
        let unlisted = named.iter().filter(|file| !is_listed(file));
        wrong.extend(unlisted.map(|file| format!("{recipe}, as {what}: does not list {file}")));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Whether a path leads to tests.
fn is_test(path: &str) -> bool {
    path.split('/').any(|part| part == "tests" || part == "tests.rs")
}

#[test]
fn no_recipe_grows_longer_unnoticed() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    for (recipe, most, most_tests) in MOST {
        let (tests, files): (Vec<_>, Vec<_>) =
            paths(&readme, recipe).into_iter().partition(|path| is_test(path));
        assert_eq!((files.len(), tests.len()), (most, most_tests), "{recipe}: {files:#?}, {tests:#?}");
    }
}

#[test]
fn a_word_is_not_a_part_of_another() {
    assert!(has_word("emit(AgentChanged {", "AgentChanged"));
    assert!(has_word("AgentChanged", "AgentChanged"));
    assert!(!has_word("AgentChangedTwice, MyAgentChanged, _AgentChanged", "AgentChanged"));
}
