//! What is done on the way to a due time and after it: a ladder of rungs.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::budget::Length;
use crate::calendar::Calendar;
use crate::clock::Clock;
use crate::draft::Flaw;

/// When a rung is reached. Written `80%`, `4 working hours before`, `1 day after`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Trigger {
    /// So much of the budget is spent; 100 is the due time.
    Percent(u16),
    /// So long before the due time.
    Before(Length),
    /// So long after it.
    After(Length),
}

/// What a rung does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Reminds the handler.
    Remind,
    /// Raises the priority by one.
    RaisePriority,
    /// Gives the case to somebody else.
    Reassign,
    /// Tells the supervisor.
    Escalate,
}

/// One rung.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rung {
    /// What it is called; unique in its ladder.
    pub name: String,
    /// When it is reached.
    pub at: Trigger,
    /// What it does, in this order.
    pub actions: Vec<Action>,
}

/// Rungs in the order they were written. Made by [`Ladder::check`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Ladder(Vec<Rung>);

/// A rung and when it is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step<'a> {
    /// When.
    pub at: Timestamp,
    /// What.
    pub rung: &'a Rung,
}

/// Rungs that were reached and have not been dealt with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Missed<'a> {
    /// The newest, to be run; more than one if they are reached at one instant.
    pub run: Vec<Step<'a>>,
    /// Older ones, to be noted only: their moment has passed.
    pub log: Vec<Step<'a>>,
}

/// How many rungs a ladder may have.
const MAX_RUNGS: usize = 20;
/// The longest name of a rung.
const MAX_NAME: usize = 50;
/// The latest percentage of a budget.
const MAX_PERCENT: u16 = 1_000;

impl Ladder {
    /// A ladder of these rungs, or everything that is wrong with them.
    ///
    /// # Errors
    ///
    /// Fails with every flaw: too many rungs, a name that lacks or is too long, two rungs of
    /// one name or time, no actions, or the same action twice.
    pub fn check(rungs: Vec<Rung>) -> Result<Self, Vec<Flaw>> {
        let mut flaws = Vec::new();
        let mut flaw = |field: String, problem: &str| flaws.push(Flaw { field, problem: problem.to_owned() });
        if rungs.len() > MAX_RUNGS {
            flaw("rungs".to_owned(), "are more than 20");
        }
        let (mut names, mut times) = (BTreeSet::new(), BTreeSet::new());
        for (index, Rung { name, at, actions }) in rungs.iter().enumerate() {
            if name.trim().is_empty() || name.chars().count() > MAX_NAME {
                flaw(format!("rungs[{index}].name"), "must have 1 to 50 characters");
            }
            if !names.insert(name) {
                flaw(format!("rungs[{index}].name"), "is the name of another rung");
            }
            if !times.insert(at.to_string()) {
                flaw(format!("rungs[{index}].at"), "is when another rung is reached");
            }
            if actions.is_empty() {
                flaw(format!("rungs[{index}].actions"), "must be at least one");
            }
            if actions.iter().collect::<BTreeSet<_>>().len() < actions.len() {
                flaw(format!("rungs[{index}].actions"), "say the same twice");
            }
        }
        if flaws.is_empty() { Ok(Self(rungs)) } else { Err(flaws) }
    }

    /// Its rungs, as they were written.
    pub fn rungs(&self) -> &[Rung] {
        &self.0
    }

    /// When each rung is reached, in order of time; those of a clock that stands
    /// still without a cap are not in sight.
    pub fn steps(&self, clock: &Clock, calendar: &Calendar) -> Vec<Step<'_>> {
        let clock = &*clock.governing(calendar);
        let total = clock.total_alone(calendar);
        let due = clock.moment(calendar, total);
        let mut steps: Vec<Step<'_>> = self
            .0
            .iter()
            .filter_map(|rung| Some(Step { at: rung.at.time(clock, calendar, total, due)?, rung }))
            .collect();
        steps.sort_by_key(|step| step.at);
        steps
    }

    /// The next rung that is reached after `after` and has not been dealt with.
    pub fn next(
        &self,
        clock: &Clock,
        calendar: &Calendar,
        after: Timestamp,
        done: impl Fn(&str) -> bool,
    ) -> Option<Step<'_>> {
        self.steps(clock, calendar).into_iter().find(|step| step.at > after && !done(&step.rung.name))
    }

    /// The rungs reached by `now` that have not been dealt with: after a
    /// downtime only the newest is run. None of a clock that is not open.
    pub fn missed(
        &self,
        clock: &Clock,
        calendar: &Calendar,
        now: Timestamp,
        done: impl Fn(&str) -> bool,
    ) -> Missed<'_> {
        if !clock.is_open() {
            return Missed::default();
        }
        let mut log = self.steps(clock, calendar);
        log.retain(|step| step.at <= now && !done(&step.rung.name));
        let newest = log.last().map(|step| step.at);
        let run = log.split_off(log.partition_point(|step| Some(step.at) < newest));
        Missed { run, log }
    }
}

impl Trigger {
    fn time(
        self,
        clock: &Clock,
        calendar: &Calendar,
        total: SignedDuration,
        due: Option<Timestamp>,
    ) -> Option<Timestamp> {
        match self {
            Self::Percent(percent) => clock.moment(calendar, total / 100 * i32::from(percent)),
            Self::Before(length) => Some(length.unit().scale().retreat(calendar, due?, length.fixed()?)),
            Self::After(length) => Some(length.unit().scale().advance(calendar, due?, length.fixed()?)),
        }
    }
}

impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Percent(percent) => write!(f, "{percent}%"),
            Self::Before(length) => write!(f, "{length} before"),
            Self::After(length) => write!(f, "{length} after"),
        }
    }
}

/// Words that are no [`Trigger`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is none of `80%`, `4 working hours before`, `1 day after`")]
pub struct NoTrigger;

impl FromStr for Trigger {
    type Err = NoTrigger;

    fn from_str(text: &str) -> Result<Self, NoTrigger> {
        // Months are of no fixed length, so a distance cannot be counted in them.
        let length = |text: &str| text.parse::<Length>().ok().filter(|length| length.fixed().is_some());
        if let Some(percent) = text.strip_suffix('%') {
            let percent = percent.parse().ok().filter(|percent| (1..=MAX_PERCENT).contains(percent));
            percent.map(Self::Percent).ok_or(NoTrigger)
        } else if let Some(before) = text.strip_suffix(" before") {
            length(before).map(Self::Before).ok_or(NoTrigger)
        } else {
            text.strip_suffix(" after").and_then(length).map(Self::After).ok_or(NoTrigger)
        }
    }
}

impl TryFrom<String> for Trigger {
    type Error = NoTrigger;

    fn try_from(text: String) -> Result<Self, NoTrigger> {
        text.parse()
    }
}

impl From<Trigger> for String {
    fn from(trigger: Trigger) -> Self {
        trigger.to_string()
    }
}
