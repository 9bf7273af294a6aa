//! Which due times a policy, an edit of a calendar or other time zones would move. Pure;
//! `flow` reads the clocks, page by page.

use calendar::{Calendar, Kind};
use jiff::Timestamp;
use kernel::CaseId;

use super::CaseClock;
use super::policy::Policy;
use super::policy_activation::put_under;
use crate::case::Case;

/// Most due times that are told of one change.
pub(crate) const MAX_TOLD: usize = 10_000;

/// A due time that moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moved {
    /// The case.
    pub(crate) case: CaseId,
    /// The cycle its clock was started in.
    pub(crate) cycle: i32,
    /// What was promised.
    pub(crate) kind: Kind,
    /// When it is due now; none while paused without a cap.
    pub(crate) before: Option<Timestamp>,
    /// When it will be.
    pub(crate) after: Option<Timestamp>,
}

/// The due times that move.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// The soonest first; of very many the first.
    pub(crate) moved: Vec<Moved>,
    /// How many there are.
    pub(crate) count: usize,
    /// Whether time ran out before all were looked at.
    pub(crate) partial: bool,
}

impl Moved {
    /// Where the time zones of this process move a due time.
    pub(crate) fn by_zones(clock: &CaseClock) -> Option<Self> {
        let mut adopted = clock.clone();
        adopted.adopt_zones();
        let (before, after) = (clock.due(), adopted.due());
        let (case, cycle, kind) = (clock.case, clock.cycle, clock.clock.kind);
        (before != after).then_some(Self { case, cycle, kind, before, after })
    }
}

impl Found {
    /// All of them, whatever their order.
    pub(crate) fn of(moved: Vec<Moved>) -> Self {
        let mut found = Self::default();
        found.add(moved);
        found.cut();
        found
    }

    /// Adds some more.
    pub(crate) fn add(&mut self, moved: Vec<Moved>) {
        self.count += moved.len();
        self.moved.extend(moved);
        if self.moved.len() > 2 * MAX_TOLD {
            self.cut();
        }
    }

    /// Orders them, and keeps of very many the first.
    pub(crate) fn cut(&mut self) {
        self.moved.sort_by_key(|moved| {
            (moved.before.min(moved.after).or(moved.before).or(moved.after), moved.case)
        });
        self.moved.truncate(MAX_TOLD);
    }
}

/// What would be put in force.
pub(crate) enum Edit {
    /// A policy.
    Policy(Box<Policy>),
    /// A calendar of this name as it would be.
    Calendar(String, Box<Calendar>),
    /// The time zones of this process.
    Zones,
}

impl Edit {
    /// When an open clock is due under it.
    pub(crate) fn due(&self, case: &Case, mut clock: CaseClock, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Policy(policy) => put_under(case, &mut clock, policy, now),
            Self::Calendar(name, new) if clock.calendar_name == *name => {
                clock.clock.remeasure(new);
                return clock.clock.due(new);
            }
            Self::Calendar(..) => {}
            Self::Zones => {
                clock.adopt_zones();
            }
        }
        clock.due()
    }
}
