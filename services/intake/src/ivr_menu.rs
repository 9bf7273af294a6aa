//! What the keys of a telephone system mean: choices, by the keys that lead to them. Pure.
//!
//! Keys are read along the longest path that the menu knows. What follows may be an order
//! number, or newer than the data: it is left aside, and refuses nothing.

mod words;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub(crate) use words::{joined, missed_call};

/// Most versions of a tenant.
pub(crate) const MAX_VERSIONS: i64 = 500;
/// Most choices of a menu.
pub(crate) const MAX_CHOICES: usize = 500;
/// How deep a choice may stand.
pub(crate) const MAX_DEPTH: usize = 10;
/// Most signs of one choice's key.
const MAX_KEY: usize = 4;
/// Most languages of a choice.
pub(crate) const MAX_LABELS: usize = 20;
/// Most labels of all choices together: a menu is read in about a millisecond.
pub(crate) const MAX_ALL_LABELS: usize = 2_000;
/// Most characters of a label.
pub(crate) const MAX_LABEL: usize = 100;

/// A menu: its choices in the order they were written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Menu {
    /// Language to answer in where no choice says.
    pub(crate) language: String,
    /// The choices.
    pub(crate) choices: Vec<Choice>,
}

/// One choice.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Choice {
    /// The keys that lead to it, `1.3.2`.
    pub(crate) keys: String,
    /// What it is called, by language.
    pub(crate) labels: Vec<Label>,
    /// The category; empty where the choice above says.
    pub(crate) category_hint: String,
    /// Number of the contract's matter; 0 where the choice above says.
    pub(crate) matter: i32,
    /// Language to answer in; empty where the choice above says.
    pub(crate) language: String,
    /// Whether it asks for a call-back.
    pub(crate) call_back: bool,
}

/// What a choice is called in a language.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Label {
    /// The language.
    pub(crate) language: String,
    /// The words.
    pub(crate) text: String,
}

/// A menu as it is kept.
#[derive(Clone, Debug)]
pub(crate) struct KeptMenu {
    /// Its version.
    pub(crate) version: i64,
    /// What is new in it.
    pub(crate) note: String,
    /// Who created it.
    pub(crate) creator: String,
    /// When.
    pub(crate) created: Timestamp,
    /// When it was last put in force.
    pub(crate) activated: Option<Timestamp>,
    /// Whether it is in force.
    pub(crate) is_active: bool,
    /// What it says; none in a list.
    pub(crate) menu: Option<Menu>,
}

/// What is wrong with the keys of a menu's choices, by their places.
pub(crate) fn flaws(keys: &[&str]) -> Vec<(usize, &'static str)> {
    let all: HashSet<&str> = keys.iter().copied().collect();
    let mut seen = HashSet::new();
    let mut flaws = Vec::new();
    for (place, keys) in keys.iter().enumerate() {
        let path: Vec<&str> = keys.split('.').collect();
        if !path.iter().all(|key| is_key(key)) {
            flaws.push((place, "must be keys with dots between, such as `1.3.2`: digits, `*` and `#`"));
            continue;
        }
        if path.len() > MAX_DEPTH {
            flaws.push((place, "must be at most 10 deep"));
        }
        if !seen.insert(*keys) {
            flaws.push((place, "is there already"));
        }
        if let Some((above, _)) = keys.rsplit_once('.')
            && !all.contains(above)
        {
            flaws.push((place, "the choice above it is missing"));
        }
    }
    flaws
}

fn is_key(key: &str) -> bool {
    (1..=MAX_KEY).contains(&key.len()) && key.bytes().all(|sign| matches!(sign, b'0'..=b'9' | b'*' | b'#'))
}

/// A menu, ready to be asked.
#[derive(Clone, Debug)]
pub(crate) struct Tree {
    language: String,
    choices: HashMap<String, Choice>,
}

/// A version of a menu, ready to be asked.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    /// Its version.
    pub(crate) version: i64,
    /// What it says.
    pub(crate) tree: Arc<Tree>,
}

/// What keys come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Resolution {
    /// As much of them as is known.
    pub(crate) known: String,
    /// The labels of the choices on the way.
    pub(crate) labels: Vec<String>,
    /// The category; empty where no choice says.
    pub(crate) category_hint: String,
    /// Number of the contract's matter; 0 where no choice says.
    pub(crate) matter: i32,
    /// The language to answer in.
    pub(crate) language: String,
    /// Whether a choice asks for a call-back.
    pub(crate) call_back: bool,
}

impl From<Menu> for Tree {
    fn from(menu: Menu) -> Self {
        let choices = menu.choices.into_iter().map(|choice| (choice.keys.clone(), choice)).collect();
        Self { language: menu.language, choices }
    }
}

impl Tree {
    /// What keys come to; the labels in a language, or in that to answer in where it is
    /// empty.
    pub(crate) fn resolve(&self, keys: &str, language: &str) -> Resolution {
        let mut known = String::new();
        let mut way: Vec<&Choice> = Vec::new();
        for key in keys.split('.').map(str::trim).take(MAX_DEPTH) {
            let next = if known.is_empty() { key.to_owned() } else { format!("{known}.{key}") };
            let Some(choice) = self.choices.get(&next) else { break };
            way.push(choice);
            known = next;
        }
        // The deepest that says something says it.
        let last = |says: fn(&Choice) -> &str| {
            way.iter().rev().map(|choice| says(choice)).find(|said| !said.is_empty())
        };
        let own = last(|choice| &choice.language).unwrap_or(&self.language).to_owned();
        let wanted = if language.is_empty() { own.as_str() } else { language };
        Resolution {
            labels: way.iter().map(|choice| self.label(choice, wanted)).collect(),
            category_hint: last(|choice| &choice.category_hint).unwrap_or_default().to_owned(),
            matter: way.iter().rev().map(|choice| choice.matter).find(|matter| *matter != 0).unwrap_or(0),
            call_back: way.iter().any(|choice| choice.call_back),
            language: own,
            known,
        }
    }

    /// What a choice is called in a language: in just that, in one like it, in the menu's,
    /// or in whichever there is.
    fn label(&self, choice: &Choice, language: &str) -> String {
        let just =
            |wanted: &str| choice.labels.iter().find(|label| label.language.eq_ignore_ascii_case(wanted));
        let like = |wanted: &str| {
            let wanted = primary(wanted);
            choice.labels.iter().find(|label| primary(&label.language).eq_ignore_ascii_case(wanted))
        };
        let label = just(language)
            .or_else(|| like(language))
            .or_else(|| just(&self.language))
            .or_else(|| like(&self.language))
            .or_else(|| choice.labels.first());
        label.map(|label| label.text.clone()).unwrap_or_default()
    }
}

/// The language of a tag, without script and region.
fn primary(tag: &str) -> &str {
    tag.split('-').next().unwrap_or_default()
}

#[cfg(test)]
mod tests;
