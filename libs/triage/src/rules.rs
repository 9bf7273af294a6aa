//! A rule set ready to be used: conditions read, words indexed, and what is wrong
//! with one that cannot be.

use std::cell::Cell;
use std::collections::HashSet;
use std::sync::LazyLock;

use super::condition::{Condition, Flag, Number, THREATS};
use vocabulary::Level;

use super::definition::{Definition, Rule, WordList};
use super::limits::{MAX_ENDINGS, MAX_PROOF_STEPS, MAX_WORD_BYTES};
use super::reachability::{Attribute, Setting, World};
use super::text::{Finder, can_occur};
use super::{MOST_REPEATS, condition, typed};

/// The rules of tenants without rules of their own.
static SHIPPED: LazyLock<Option<Definition>> =
    LazyLock::new(|| serde_json::from_str(include_str!("default.json")).ok());

/// Something wrong with a rule set, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// Path within the definition.
    pub place: String,
    /// What it is, naming the rule.
    pub what: String,
}

impl Flaw {
    fn new(place: impl Into<String>, what: impl Into<String>) -> Self {
        Self { place: place.into(), what: what.into() }
    }
}

/// A rule set ready to be used.
#[derive(Clone, Debug)]
pub struct RuleSet {
    /// Its version; 0 is the set that is shipped.
    pub version: i64,
    pub(super) definition: Definition,
    pub(super) conditions: Vec<Condition>,
    /// The same as they are evaluated: pieces of texts are words of lists behind the others.
    pub(super) evaluated: Vec<Condition>,
    pub(super) finder: Finder,
    /// Which of its categories the tenant's tree has.
    pub(super) in_tree: Vec<bool>,
}

/// The definition that is shipped.
pub fn shipped() -> Definition {
    SHIPPED.clone().unwrap_or_default()
}

impl RuleSet {
    /// Reads a definition; what cannot be read is told all at once.
    ///
    /// # Errors
    ///
    /// Fails with every flaw of the definition.
    pub fn read(version: i64, definition: Definition) -> Result<Self, Vec<Flaw>> {
        let mut flaws = words("word_lists", &definition.word_lists);
        flaws.extend(words("categories", &definition.categories));
        flaws.extend(sums(&definition));
        flaws.extend(names(&definition.rules));
        let lists: Vec<String> = definition.word_lists.iter().map(|list| list.name.clone()).collect();
        let sources: Vec<&str> = definition.rules.iter().map(|rule| rule.when.as_str()).collect();
        let mut conditions = Vec::with_capacity(sources.len());
        for (at, read) in typed::conditions(&sources, &lists).into_iter().enumerate() {
            match read {
                Ok(condition) => conditions.push(condition),
                Err(wrong) => {
                    let what = format!("rule {} does not type-check: {wrong}", definition.rules[at].name);
                    flaws.push(Flaw::new(format!("rules[{at}].when"), what));
                }
            }
        }
        let lists = definition.word_lists.iter().chain(&definition.categories);
        let mut lists: Vec<&[String]> = lists.map(|list| list.words.as_slice()).collect();
        let pieces = pieces(&conditions);
        lists.extend(pieces.iter().map(std::slice::from_ref));
        flaws.extend(too_costly(&lists));
        if !flaws.is_empty() {
            return Err(flaws);
        }
        let finder = Finder::new(&lists).map_err(|error| vec![Flaw::new("word_lists", error.to_string())])?;
        let first = lists.len() - pieces.len();
        let list_of = pieces.iter().enumerate().map(|(at, piece)| (piece.as_str(), first + at)).collect();
        let evaluated = conditions.iter().map(|condition| condition::listed(condition, &list_of)).collect();
        let in_tree = vec![true; definition.categories.len()];
        Ok(Self { version, definition, conditions, evaluated, finder, in_tree })
    }

    /// The set that is shipped.
    ///
    /// # Errors
    ///
    /// Fails as [`RuleSet::read`] does; a test holds that the shipped rules have no flaw.
    pub fn shipped() -> Result<Self, Vec<Flaw>> {
        Self::read(0, shipped())
    }

    /// Paths of the categories its words tell.
    pub fn categories(&self) -> Vec<String> {
        self.definition.categories.iter().map(|list| list.name.clone()).collect()
    }

    /// Keeps to the categories of a tree.
    pub fn keep_to(&mut self, tree: &HashSet<String>) {
        self.in_tree = self.definition.categories.iter().map(|list| tree.contains(&list.name)).collect();
    }

    /// When a channel surges.
    pub fn surge(&self) -> super::Surge {
        self.definition.surge
    }

    /// The rules that can never decide anything.
    pub fn dead_rules(&self) -> Vec<Flaw> {
        let rules = self.definition.rules.iter().enumerate();
        world_of(self, |world| rules.filter_map(|(at, rule)| self.death(world, at, rule)).collect())
    }

    fn death(&self, world: &World<'_>, at: usize, rule: &Rule) -> Option<Flaw> {
        let condition = &self.conditions[at];
        let place = format!("rules[{at}].when");
        if world.is_dead(at, condition) {
            return Some(Flaw::new(place, format!("rule {} can never match", rule.name)));
        }
        let earlier = self.definition.rules[..at].iter().enumerate();
        let mut shadows: Vec<&str> = Vec::new();
        for field in FIELDS.iter().filter(|field| field(rule)) {
            let same: Vec<(usize, &Condition)> = earlier
                .clone()
                .filter(|(_, other)| field(other))
                .map(|(other, _)| (other, &self.conditions[other]))
                .collect();
            // One that is enough alone is named alone.
            let alone = same.iter().find(|one| world.is_covered(at, condition, &[**one]));
            let covering = alone.map_or(same.as_slice(), std::slice::from_ref);
            if alone.is_none() && !world.is_covered(at, condition, covering) {
                return None;
            }
            shadows.extend(covering.iter().map(|(other, _)| self.definition.rules[*other].name.as_str()));
        }
        shadows.sort_unstable();
        shadows.dedup();
        let by = shadows.join(", ");
        Some(Flaw::new(
            place,
            format!("rule {} is shadowed by {by}: whatever it sets is set before", rule.name),
        ))
    }
}

/// Looks into what can be known of the records of a set.
pub(super) fn world_of<T>(set: &RuleSet, look: impl FnOnce(&World<'_>) -> T) -> T {
    let lists: Vec<&[String]> = set.definition.word_lists.iter().map(|list| list.words.as_slice()).collect();
    let settings = settings(&set.definition.rules);
    let left = Cell::new(MAX_PROOF_STEPS);
    look(&World { lists: &lists, settings: &settings, initial, most, left: &left })
}

/// What a rule can set, each as whether it does.
const FIELDS: [fn(&Rule) -> bool; 8] = [
    |rule| rule.sets.priority.is_some(),
    |rule| rule.sets.raises,
    |rule| rule.sets.severity.is_some(),
    |rule| rule.sets.complexity.is_some(),
    |rule| rule.sets.impact.is_some(),
    |rule| rule.sets.urgency.is_some(),
    |rule| rule.sets.safety,
    |rule| rule.sets.vulnerable,
];

fn settings(rules: &[Rule]) -> Vec<Setting> {
    let mut settings = Vec::new();
    for (at, rule) in rules.iter().enumerate() {
        let levels = [
            (Number::Severity, rule.sets.severity),
            (Number::Complexity, rule.sets.complexity),
            (Number::Impact, rule.sets.impact),
            (Number::Urgency, rule.sets.urgency),
        ];
        for (number, level) in levels {
            let value = level.map(|level| i64::from(level.number()));
            let attribute = Attribute::Number(number);
            settings.extend(value.map(|value| Setting { rule: at, attribute, value }));
        }
        for (flag, set) in [(Flag::Safety, rule.sets.safety), (Flag::Vulnerable, rule.sets.vulnerable)] {
            let setting = Setting { rule: at, attribute: Attribute::Flag(flag), value: 1 };
            settings.extend(set.then_some(setting));
        }
    }
    settings
}

/// What an attribute is before any rule has set it.
fn initial(attribute: Attribute) -> i64 {
    match attribute {
        Attribute::Number(_) => i64::from(Level::Medium.number()),
        Attribute::Flag(_) => 0,
    }
}

/// Most that a number can be.
fn most(number: Number) -> i64 {
    match number {
        Number::RepeatCount => MOST_REPEATS,
        Number::Emotion | Number::MoodFirst | Number::MoodWorst | Number::MoodLast => {
            language::Level::Furious.number().into()
        }
        Number::Threats => i64::try_from(THREATS.len()).unwrap_or(i64::MAX),
        _ => i64::MAX,
    }
}

fn words(field: &str, lists: &[WordList]) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    let mut seen = HashSet::new();
    for (at, list) in lists.iter().enumerate() {
        let place = format!("{field}[{at}]");
        if !seen.insert(&list.name) {
            flaws.push(Flaw::new(format!("{place}.name"), format!("{} is there already", list.name)));
        }
        if list.words.is_empty() {
            flaws.push(Flaw::new(format!("{place}.words"), format!("{} has no words", list.name)));
        }
        for (nth, word) in list.words.iter().enumerate() {
            if word.trim().is_empty() || !can_occur(word) {
                let what = format!(
                    "{word:?} never occurs: texts are lower case, with one space between words and at either end"
                );
                flaws.push(Flaw::new(format!("{place}.words[{nth}]"), what));
            }
        }
    }
    flaws
}

/// The pieces that conditions look for, each once.
fn pieces(conditions: &[Condition]) -> Vec<String> {
    let mut pieces: Vec<&str> = conditions.iter().flat_map(condition::pieces).collect();
    pieces.sort_unstable();
    pieces.dedup();
    pieces.into_iter().map(str::to_owned).collect()
}

/// What makes a set cost too much of each complaint: too many words, or words that are
/// found in each other.
fn too_costly(lists: &[&[String]]) -> Vec<Flaw> {
    let words: HashSet<&str> = lists.iter().copied().flatten().map(String::as_str).collect();
    let bytes: usize = words.iter().map(|word| word.len()).sum();
    if bytes > MAX_WORD_BYTES {
        let what = format!(
            "have words of {bytes} bytes, with those that conditions look for; {MAX_WORD_BYTES} are allowed"
        );
        return vec![Flaw::new("word_lists", what)];
    }
    let endings =
        |word: &str| word.char_indices().skip(1).filter(|(at, _)| words.contains(&word[*at..])).count();
    let nested = words.iter().copied().filter(|word| endings(word) > MAX_ENDINGS).min();
    let flaw = |word: &str| {
        let count = endings(word);
        Flaw::new("word_lists", format!("{word:?} ends with {count} other words; {MAX_ENDINGS} are allowed"))
    };
    nested.map(flaw).into_iter().collect()
}

fn sums(definition: &Definition) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    let mut seen = HashSet::new();
    for (at, loss) in definition.major_losses.iter().enumerate() {
        let place = format!("major_losses[{at}]");
        if !seen.insert(&loss.currency) {
            flaws.push(Flaw::new(&place, format!("{} is there already", loss.currency)));
        }
        if loss.minor <= 0 {
            flaws.push(Flaw::new(&place, "must be more than nothing"));
        }
    }
    if definition.surge.at_least < 1 || definition.surge.times < 1 {
        flaws.push(Flaw::new("surge", "must ask for at least 1 complaint and 1 times the usual"));
    }
    flaws
}

fn names(rules: &[Rule]) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    let mut seen = HashSet::new();
    for (at, rule) in rules.iter().enumerate() {
        if !seen.insert(&rule.name) {
            flaws.push(Flaw::new(format!("rules[{at}].name"), format!("{} is there already", rule.name)));
        }
        if !FIELDS.iter().any(|field| field(rule)) {
            flaws.push(Flaw::new(format!("rules[{at}]"), format!("rule {} sets nothing", rule.name)));
        }
    }
    if rules.is_empty() {
        flaws.push(Flaw::new("rules", "there must be one"));
    }
    flaws
}
