//! Groups: many complainants, one matter. Pure.

use jiff::Timestamp;
use uuid::Uuid;
use vocabulary::{Matter, Priority};

use crate::case::{Case, Occasion};
use crate::refusal::Refusal;
use crate::timeline::{Fact, Together};

/// How urgent the cases of a group are that is large enough for the alarm: what
/// concerns so many is a major matter.
pub(crate) const MAJOR: Priority = Priority::P1;

/// What a tenant has decided about groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Policy {
    /// Most representatives of a group.
    pub(crate) max_representatives: i32,
    /// Cases from which a group raises the alarm.
    pub(crate) alarm_from: i32,
    /// Why it was decided so.
    pub(crate) reason: String,
}

impl Default for Policy {
    /// Five representatives, as for petitions brought by many; twenty for the alarm.
    fn default() -> Self {
        Self { max_representatives: 5, alarm_from: 20, reason: String::new() }
    }
}

/// Many complainants, one matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Group {
    /// Its id.
    pub(crate) id: Uuid,
    /// Counts the changes; 0 before it is stored.
    pub(crate) version: i64,
    /// What it is about.
    pub(crate) title: String,
    /// What all its cases are.
    pub(crate) matter: Matter,
    /// How many cases are in it.
    pub(crate) members: i32,
    /// How many of them are representatives'.
    pub(crate) representatives: i32,
    /// When it reached its size of alarm.
    pub(crate) alarm_time: Option<Timestamp>,
    /// When it was registered.
    pub(crate) create_time: Timestamp,
}

/// A case of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    /// The case.
    pub(crate) case: Uuid,
    /// Whether its complainant speaks for all.
    pub(crate) representative: bool,
    /// Who added it.
    pub(crate) actor: String,
    /// When.
    pub(crate) join_time: Timestamp,
}

impl Group {
    /// A group without members.
    pub(crate) fn new(id: Uuid, title: String, matter: Matter, now: Timestamp) -> Self {
        Self {
            id,
            version: 0,
            title,
            matter,
            members: 0,
            representatives: 0,
            alarm_time: None,
            create_time: now,
        }
    }

    /// Takes cases in that are in no group; refused, it has changed nothing.
    pub(crate) fn admit(
        &mut self,
        cases: &mut [Case],
        representatives: usize,
        reason: &str,
        policy: &Policy,
        at: &Occasion<'_>,
    ) -> Result<(), Refusal> {
        if cases.iter().any(|case| case.origin.matter != self.matter) {
            return Err(Refusal::MattersDiffer);
        }
        let all = self.representatives.saturating_add(count(representatives));
        if all > policy.max_representatives {
            return Err(Refusal::TooManyRepresentatives(policy.max_representatives));
        }
        self.representatives = all;
        self.members = self.members.saturating_add(count(cases.len()));
        self.version += 1;
        for case in cases.iter_mut() {
            let (title, reason) = (self.title.clone(), reason.to_owned());
            case.note(at, Fact::Together(Together::Grouped { group: self.id, title, reason }));
            if self.alarm_time.is_some() {
                case.raise_for(self, at);
            }
        }
        Ok(())
    }

    /// Lets a member go.
    pub(crate) fn dismiss(
        &mut self,
        case: &mut Case,
        representative: bool,
        reason: String,
        at: &Occasion<'_>,
    ) {
        self.members -= 1;
        self.representatives -= i32::from(representative);
        self.version += 1;
        case.note(at, Fact::Together(Together::Ungrouped { group: self.id, reason }));
    }

    /// Whether with so many more it reaches its size of alarm, for the first time.
    pub(crate) fn would_alarm(&self, more: usize, policy: &Policy) -> bool {
        self.alarm_time.is_none() && self.members.saturating_add(count(more)) >= policy.alarm_from
    }

    /// Raises the alarm: its cases, all of them, are raised. Once in its life.
    pub(crate) fn alarm(&mut self, cases: &mut [Case], at: &Occasion<'_>) {
        self.alarm_time = Some(at.now);
        for case in cases {
            case.raise_for(self, at);
        }
    }
}

fn count(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

impl Case {
    /// Becomes most urgent, at least one level up, for the size of its group, where it
    /// is not so already; what has ended stays.
    fn raise_for(&mut self, group: &Group, at: &Occasion<'_>) {
        if self.state.is_over() {
            return;
        }
        self.note(at, Fact::Together(Together::GroupAlarm { group: group.id, members: group.members }));
        let reason = format!("its group has {} cases", group.members);
        self.raise_priority_to(MAJOR, reason.clone(), at);
        // A case begins at level 0 and goes up by one with each cycle.
        if self.tier < self.cycle {
            self.escalate_to(self.cycle, reason, at);
        }
    }
}
