//! Bringing open clocks under a policy that was put in force, or a calendar that was
//! edited. Pure; `jobs` does it, a page of cases at a time.

use jiff::Timestamp;
use kernel::CaseId;
use uuid::Uuid;

use super::policy::Policy;
use super::{CaseClock, facts};
use crate::case::Case;

/// What was put in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// A version of the tenant's policy.
    Policy(i32),
    /// The newest edition of a calendar of this name.
    Calendar(String),
}

/// Something that was put in force and reaches the open clocks page by page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Job {
    /// Counts the jobs of the tenant.
    pub(crate) number: i64,
    /// What was put in force.
    pub(crate) what: What,
    /// From when it holds.
    pub(crate) asked: Timestamp,
    /// The last case that was reached.
    pub(crate) passed: Uuid,
    /// The last case there is to reach.
    pub(crate) last: Uuid,
}

impl Job {
    /// Whether a case is still to be reached, unless something happened to it since.
    pub(crate) fn awaits(&self, case: CaseId) -> bool {
        self.passed < case.0 && case.0 <= self.last
    }
}

/// How far a job has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Progress {
    /// From when it holds.
    pub(crate) begin: Timestamp,
    /// How many cases it has reached.
    pub(crate) cases: i64,
    /// When it had reached all; none while it has not.
    pub(crate) finish: Option<Timestamp>,
}

/// What a job does to clocks.
#[derive(Clone)]
pub(crate) enum Change {
    /// Puts them under a policy, as of a moment.
    Policy(Box<Policy>, Timestamp),
    /// Counts those of a calendar anew, by the edition they were read with.
    Calendar(String),
}

impl Change {
    /// Brings clocks of a case under it.
    pub(crate) fn apply(&self, case: &Case, clocks: &mut [CaseClock]) {
        for clock in clocks {
            match self {
                Self::Policy(policy, asked) => put_under(case, clock, policy, *asked),
                Self::Calendar(name) if clock.calendar_name == *name && clock.clock.is_open() => {
                    clock.clock.remeasure(&clock.calendar);
                    clock.held = None;
                    // Its due time may move, though what was spent has not.
                    clock.changed = true;
                }
                Self::Calendar(_) => {}
            }
        }
    }
}

/// An open clock is put under the policy if it holds for its case.
pub(super) fn put_under(case: &Case, clock: &mut CaseClock, policy: &Policy, now: Timestamp) {
    if clock.clock.is_open() && policy.applies(case.origin.receive_time) {
        clock.change(policy, policy.pack(case.origin.receive_time), &facts(case), now);
    }
}
