//! What this service must know of a case: whether a remedy may be planned.

use jiff::Timestamp;
use kernel::{CaseId, Money};

use crate::refusal::Refusal;
use crate::task::TaskOrigin;

/// Priority of a case that does not say.
pub const USUAL_PRIORITY: i16 = 3;

/// How urgent a case is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Regrade {
    /// The case.
    pub case_id: CaseId,
    /// Place in its timeline: of two, the higher is the later.
    pub ordinal: i32,
    /// How urgent it is: 1 (most) to 4.
    pub priority: i16,
}

/// When a case is due now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Redate {
    /// The case.
    pub case_id: CaseId,
    /// Which change it is: of two, the higher is the later.
    pub number: i32,
    /// When; none while none of its clocks runs.
    pub due_time: Option<Timestamp>,
}

kernel::numbered! {
    /// Where a case stands, as far as remedies go; within a cycle it only grows.
    RemedyStatus {
        /// Not decided in its present cycle.
        Undecided = 1,
        /// Decided, and a remedy is due.
        RemedyDue = 2,
        /// Decided, and none is due.
        NothingDue = 3,
        /// Closed, withdrawn or declined.
        Closed = 4,
    }
}

/// A case as its events tell of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseView {
    /// The case.
    pub case_id: CaseId,
    /// The latest cycle heard of.
    pub cycle: i32,
    /// How urgent it is: 1 (most) to 4.
    pub priority: i16,
    /// Where it stands.
    pub standing: RemedyStatus,
    /// What it is about; empty where it was not told.
    pub category: String,
    /// What the complainant asked for; none where no sum was named.
    pub sought: Option<Money>,
    /// When the next of its clocks is due; none where none runs, or it was not told.
    pub due_time: Option<Timestamp>,
    /// Place in the case's timeline of what told its priority; 0 where that was not told.
    pub priority_ordinal: i32,
    /// Which change of when it is due that is; 0 where that was not told.
    pub due_number: i32,
    /// Its trace.
    pub traceparent: String,
    /// Whom the complaint is about, by every name they are known under; in lower case.
    pub recused: Vec<String>,
    /// Who handles it; empty where nobody does.
    pub handler: String,
}

impl CaseView {
    /// What a task for it keeps of it.
    pub fn origin(&self) -> TaskOrigin<'_> {
        let Self { case_id, cycle, priority, traceparent, .. } = self;
        TaskOrigin { case_id: *case_id, cycle: *cycle, priority: *priority, traceparent }
    }

    /// Refuses a plan for a case that waits for none.
    pub fn must_want_a_plan(&self) -> Result<(), Refusal> {
        if self.standing == RemedyStatus::RemedyDue { Ok(()) } else { Err(Refusal::CaseNotDecided) }
    }
}
