//! A rule set as data: what a tenant writes, and what is kept of each version.

use serde::{Deserialize, Serialize};
use vocabulary::{Level, Priority};

/// Everything triage decides by.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// Words that conditions look for, by name.
    pub word_lists: Vec<WordList>,
    /// Words that tell what a complaint is about; the name is the category's path.
    pub categories: Vec<WordList>,
    /// From which sum on a loss is major.
    pub major_losses: Vec<MajorLoss>,
    /// When a channel surges.
    pub surge: Surge,
    /// The rules, in the order they are tried.
    pub rules: Vec<Rule>,
}

/// Words under a name, in normal form: ` late ` is a word, ` injur` the beginning of
/// one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WordList {
    /// What it is called.
    pub name: String,
    /// The words.
    pub words: Vec<String>,
}

/// A sum from which a loss is major.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MajorLoss {
    /// ISO 4217 code.
    pub currency: String,
    /// In the smallest unit of the currency; more than nothing.
    pub minor: i64,
}

/// A channel surges when, in this hour and the one before, it brought at least so
/// many complaints, and so many times what such two hours brought in the week before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Surge {
    /// Fewest complaints that are a surge.
    pub at_least: i64,
    /// Times the usual.
    pub times: i64,
}

impl Default for Surge {
    fn default() -> Self {
        Self { at_least: 30, times: 3 }
    }
}

/// What a channel brought lately, and before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Complaints of this hour and the one before.
    pub recent: i64,
    /// Complaints of the week before that, as far back as is known.
    pub before: i64,
    /// Hours from the first of those to the recent ones; 0 when there are none.
    pub hours: i64,
}

/// Hours of history without which nothing is known to be unusual.
const MIN_HISTORY: i64 = 24;
/// Hours that count as recent.
const RECENT_HOURS: i64 = 2;

impl Surge {
    /// Whether a channel with this traffic surges.
    pub fn is_on(&self, traffic: &Traffic) -> bool {
        let Traffic { recent, before, hours } = *traffic;
        // recent ≥ times × before × 2 ÷ hours, in whole numbers.
        let usual = self.times.saturating_mul(before).saturating_mul(RECENT_HOURS);
        hours >= MIN_HISTORY && recent >= self.at_least && recent.saturating_mul(hours) >= usual
    }
}

/// What holds when a condition does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// What it is called, in explanations and refusals.
    pub name: String,
    /// The condition, in CEL.
    pub when: String,
    /// Why it decides so, for people.
    pub reason: String,
    /// What it sets.
    #[serde(flatten)]
    pub sets: Sets,
}

/// What a rule sets. Of several rules that hold, the first to set something decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sets {
    /// How urgent the case is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// Whether that is raised by one level.
    #[serde(default, skip_serializing_if = "is_false")]
    pub raises: bool,
    /// How bad it is for the complainant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Level>,
    /// How hard it is to find out and to settle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub complexity: Option<Level>,
    /// How many it concerns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub impact: Option<Level>,
    /// How soon something must be done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub urgency: Option<Level>,
    /// That somebody was or may be hurt.
    #[serde(default, skip_serializing_if = "is_false")]
    pub safety: bool,
    /// That the complainant is vulnerable.
    #[serde(default, skip_serializing_if = "is_false")]
    pub vulnerable: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_false(truth: &bool) -> bool {
    !truth
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_surges_against_its_own_week() {
        let surge = Surge { at_least: 30, times: 3 };
        // 840 in a week are 10 in two hours.
        let week = |recent| Traffic { recent, before: 840, hours: 168 };
        assert!(surge.is_on(&week(30)) && !surge.is_on(&week(29)));
        let busy = |recent| Traffic { recent, before: 1680, hours: 168 };
        assert!(surge.is_on(&busy(60)) && !surge.is_on(&busy(59)));
        let silent = Traffic { recent: 30, before: 0, hours: 168 };
        assert!(surge.is_on(&silent));
    }

    #[test]
    fn without_a_day_of_history_nothing_is_unusual() {
        let surge = Surge::default();
        assert!(!surge.is_on(&Traffic { recent: 10_000, before: 1, hours: 23 }));
        assert!(surge.is_on(&Traffic { recent: 10_000, before: 1, hours: 24 }));
        assert!(!surge.is_on(&Traffic::default()));
    }
}
