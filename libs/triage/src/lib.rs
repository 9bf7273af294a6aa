//! Triage: what a complaint is about and how urgent it is. Pure.
//!
//! A tenant's [`RuleSet`] decides, or the one that is shipped: rules in CEL over the
//! record, tried in order; the first rule that sets something decides it. A set with
//! a rule that cannot be read, can never match or is shadowed by earlier ones is
//! refused (`reachability` says what is proven).
#![warn(clippy::missing_errors_doc)]

mod condition;
pub mod definition;
#[cfg(test)]
mod known;
mod limits;
#[cfg(test)]
mod properties;
mod reachability;
pub mod rules;
#[cfg(test)]
mod tests;
mod text;
mod typed;

use kernel::Money;
use language::{Threat, Trend};
use serde::{Deserialize, Serialize};
use vocabulary::{Channel, HandOverReason, Level, Priority, UNCLASSIFIED};

use condition::{HAND_OVERS, Record};
use definition::{Rule, Sets};
pub use definition::{Surge, Traffic};
pub use rules::RuleSet;
use text::{Found, Normal};

/// Earlier cases of a customer are counted up to here.
pub const MOST_REPEATS: i64 = 20;
/// How many days back they are counted.
pub const REPEAT_DAYS: i64 = 30;

/// What triage looks at.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The road the complaint came by.
    pub channel: Channel,
    /// One line, in the complainant's words.
    pub subject: &'a str,
    /// What happened, in their words.
    pub description: &'a str,
    /// Language to answer in.
    pub language: &'a str,
    /// What the channel believes it is about; empty when it does not know.
    pub category_hint: &'a str,
    /// Vulnerabilities told or seen.
    pub vulnerabilities: &'a [String],
    /// How many may have seen a public post; 0 elsewhere.
    pub reach: i64,
    /// How angry the text is; calm where it was not read.
    pub anger: language::Level,
    /// What the text threatens, each once.
    pub threats: &'a [Threat],
    /// How it was brought forward: a call, a chat.
    pub conversation: Conversation,
    /// The sum asked for, where one was named.
    pub amount_sought: Option<&'a Money>,
    /// What a person or the classifier says it is about.
    pub named: Option<Named<'a>>,
    /// What was going on around it.
    pub around: Surroundings,
}

/// What is known of the call or chat that a complaint came by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Conversation {
    /// Nobody took the call.
    pub missed_call: bool,
    /// The caller is to be called back.
    pub call_back_requested: bool,
    /// A bot handed over to a person.
    pub handed_over: bool,
    /// Why it did; none where that is not told.
    pub hand_over_reason: Option<HandOverReason>,
    /// How the customer's mood went; none where no turns were told.
    pub mood: Option<MoodFacts>,
}

/// How a mood went from turn to turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MoodFacts {
    /// At the first turn.
    pub first: language::Level,
    /// At its worst.
    pub worst: language::Level,
    /// At the last turn.
    pub last: language::Level,
    /// Where it went; none of one turn.
    pub trend: Option<Trend>,
}

impl MoodFacts {
    /// What levels from turn to turn come to; none without turns.
    pub fn of(levels: &[language::Level]) -> Option<Self> {
        let (first, last) = (*levels.first()?, *levels.last()?);
        let worst = levels.iter().copied().max()?;
        Some(Self { first, worst, last, trend: language::trend(levels) })
    }
}

/// What a complaint is about as somebody says who is neither the channel nor a list
/// of words.
#[derive(Clone, Copy, Debug)]
pub struct Named<'a> {
    /// The category.
    pub category: &'a str,
    /// Why, in words.
    pub why: &'a str,
    /// Whether a person says so, who knows better than the channel.
    pub by_person: bool,
}

/// What the record does not say itself: what else there was when it came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// Cases of the same customer in the 30 days before, up to [`MOST_REPEATS`].
    pub repeats: i64,
    /// Whether its channel was surging.
    pub surge: bool,
    /// Whether the tenant's tree of categories has the hint, or there is no tree.
    pub hint_known: bool,
}

/// What triage decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Triage {
    /// What it is about, as a path.
    pub category: String,
    /// How urgent it is.
    pub priority: Priority,
    /// How hard it is to find out and to settle.
    pub complexity: Level,
    /// Why, a sentence for the category and each rule that decided.
    pub reasons: Vec<String>,
}

/// What the rules say of a complaint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attributes {
    /// How bad it is for the complainant.
    pub severity: Level,
    /// How hard it is to find out and to settle.
    pub complexity: Level,
    /// How many it concerns.
    pub impact: Level,
    /// How soon something must be done.
    pub urgency: Level,
    /// Whether somebody was or may be hurt.
    pub safety: bool,
    /// Whether the complainant is vulnerable.
    pub vulnerable: bool,
}

impl Default for Attributes {
    fn default() -> Self {
        let level = Level::Medium;
        Self {
            severity: level,
            complexity: level,
            impact: level,
            urgency: level,
            safety: false,
            vulnerable: false,
        }
    }
}

/// A rule whose condition held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Matched {
    /// The rule.
    pub name: String,
    /// Why it decides so.
    pub reason: String,
    /// Whether something came out as it says; if not, rules before it decided.
    pub decided: bool,
}

/// What triage decides, and how it came to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What it decides.
    pub triage: Triage,
    /// Version of the rule set.
    pub rule_set: i64,
    /// What the rules say of it.
    pub attributes: Attributes,
    /// The rules whose conditions held, in order.
    pub matched: Vec<Matched>,
}

impl RuleSet {
    /// Decides for one complaint; the same facts give the same answer.
    pub fn triage(&self, facts: &Facts<'_>) -> Verdict {
        let text = Normal::of(facts.subject, facts.description);
        let found = self.finder.find(&text);
        let (category, why) = self.category(facts, &found);
        let mut record = self.record(facts, &text, &found, &category);
        let mut taken = Sets::default();
        let mut held = Vec::new();
        for (rule, condition) in self.definition.rules.iter().zip(&self.evaluated) {
            if condition::holds(condition, &record) {
                taken = rule.sets.behind(taken);
                record.attributes = taken.attributes();
                held.push(rule);
            }
        }
        let attributes = record.attributes;
        let priority = taken.priority.unwrap_or(Priority::P3);
        let mut reasons = vec![why];
        reasons.extend(held.iter().filter_map(|rule| rule.told(taken)));
        if taken.priority.is_none() {
            reasons.push(format!("{priority}: no rule says otherwise"));
        }
        let priority = if taken.raises { priority.raised() } else { priority };
        let matched = held.into_iter().map(|rule| rule.matched(taken)).collect();
        Verdict {
            triage: Triage { category, priority, complexity: attributes.complexity, reasons },
            rule_set: self.version,
            attributes,
            matched,
        }
    }

    fn record<'a>(
        &self,
        facts: &Facts<'a>,
        text: &'a Normal,
        found: &'a Found,
        category: &'a str,
    ) -> Record<'a> {
        let sum = facts.amount_sought;
        let why = facts.conversation.hand_over_reason;
        let hand_over = HAND_OVERS.iter().find(|(reason, _)| Some(*reason) == why);
        Record {
            text,
            found,
            category,
            channel: facts.channel.name(),
            language: facts.language,
            currency: sum.map_or("", |sum| &sum.currency),
            amount_minor: sum.map_or(0, |sum| sum.minor),
            loss: sum.map_or(0, |sum| self.loss(sum)),
            reach: facts.reach,
            repeat_count: facts.around.repeats.min(MOST_REPEATS),
            emotion: facts.anger.number().into(),
            surge: facts.around.surge,
            vulnerabilities: facts.vulnerabilities,
            threats: facts.threats,
            conversation: facts.conversation,
            hand_over_reason: hand_over.map_or("", |(_, name)| name),
            attributes: Attributes::default(),
        }
    }

    /// A sum in percent of what is a major loss in its currency.
    fn loss(&self, sum: &Money) -> i64 {
        let major = self.definition.major_losses.iter().find(|loss| loss.currency == sum.currency);
        major.map_or(0, |major| {
            let percent = i128::from(sum.minor) * 100 / i128::from(major.minor);
            i64::try_from(percent).unwrap_or(i64::MAX)
        })
    }

    /// What a person says; else the hint of the channel; else what the classifier
    /// says; else the category most of whose words occur, the earlier in the list
    /// where two are even. A tenant's tree admits no others.
    fn category(&self, facts: &Facts<'_>, found: &Found) -> (String, String) {
        let named =
            |Named { category, why, .. }| (category.to_owned(), format!("category {category}: {why}"));
        if let Some(by_person) = facts.named.filter(|named| named.by_person) {
            return named(by_person);
        }
        let hint = facts.category_hint.trim();
        if !hint.is_empty() && facts.around.hint_known {
            return (hint.to_owned(), format!("category {hint}: as the channel says"));
        }
        if let Some(by_classifier) = facts.named {
            return named(by_classifier);
        }
        let (mut best, mut most) = (UNCLASSIFIED, 0);
        let counts = &found.counts[self.definition.word_lists.len()..];
        for ((list, in_tree), count) in self.definition.categories.iter().zip(&self.in_tree).zip(counts) {
            if *in_tree && *count > most {
                (best, most) = (&list.name, *count);
            }
        }
        let why = if most == 0 { "no rule matched" } else { "the text speaks of it" };
        let unknown = match hint {
            "" => String::new(),
            hint => format!("; the channel says {hint}, which is not in the tree"),
        };
        (best.to_owned(), format!("category {best}: {why}{unknown}"))
    }
}

impl Sets {
    /// What holds when these are set after others: what is set stays.
    fn behind(self, before: Self) -> Self {
        Self {
            priority: before.priority.or(self.priority),
            raises: before.raises || self.raises,
            severity: before.severity.or(self.severity),
            complexity: before.complexity.or(self.complexity),
            impact: before.impact.or(self.impact),
            urgency: before.urgency.or(self.urgency),
            safety: before.safety || self.safety,
            vulnerable: before.vulnerable || self.vulnerable,
        }
    }

    fn attributes(self) -> Attributes {
        let usual = Attributes::default();
        Attributes {
            severity: self.severity.unwrap_or(usual.severity),
            complexity: self.complexity.unwrap_or(usual.complexity),
            impact: self.impact.unwrap_or(usual.impact),
            urgency: self.urgency.unwrap_or(usual.urgency),
            safety: self.safety,
            vulnerable: self.vulnerable,
        }
    }
}

impl Rule {
    /// What came out as this rule says, the most telling part of it, and why.
    fn told(&self, taken: Sets) -> Option<String> {
        let sets = &self.sets;
        let level = |name: &str, own: Option<Level>, taken: Option<Level>| {
            own.filter(|own| Some(*own) == taken).map(|level| format!("{name} {level}"))
        };
        let what = sets
            .priority
            .filter(|own| Some(*own) == taken.priority)
            .map(|priority| priority.to_string())
            .or_else(|| sets.raises.then(|| "raised".to_owned()))
            .or_else(|| sets.safety.then(|| "safety".to_owned()))
            .or_else(|| sets.vulnerable.then(|| "vulnerable".to_owned()))
            .or_else(|| level("severity", sets.severity, taken.severity))
            .or_else(|| level("urgency", sets.urgency, taken.urgency))
            .or_else(|| level("impact", sets.impact, taken.impact))
            .or_else(|| level("complexity", sets.complexity, taken.complexity))?;
        // A rule about priority that comes too late is not worth a sentence.
        let too_late = sets.priority.is_some() && sets.priority != taken.priority && !sets.raises;
        (!too_late).then(|| format!("{what}: {}", self.reason))
    }

    fn matched(&self, taken: Sets) -> Matched {
        let (name, reason) = (self.name.clone(), self.reason.clone());
        Matched { name, reason, decided: self.told(taken).is_some() }
    }
}
