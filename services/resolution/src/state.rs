//! Where plans, their steps and tasks stand: words that refusals tell as well.

use std::fmt;

kernel::numbered! {
    /// Where a plan stands.
    PlanState {
        /// Waits for approval.
        Proposed = 1,
        /// Departments carry it out.
        Executing = 2,
        /// Every step is done. Final.
        Completed = 3,
        /// Refused by an approver. Final.
        Rejected = 4,
        /// Steps under way are stopped, steps done are undone.
        Cancelling = 5,
        /// Nothing of it is left to stop or undo. Final.
        Cancelled = 6,
    }
}

impl fmt::Display for PlanState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Proposed => "proposed",
            Self::Executing => "executing",
            Self::Completed => "completed",
            Self::Rejected => "rejected",
            Self::Cancelling => "cancelling",
            Self::Cancelled => "cancelled",
        })
    }
}

kernel::numbered! {
    /// How far a step is.
    StepState {
        /// Steps it depends on are not done.
        Waiting = 1,
        /// Its department has it as a task.
        Open = 2,
        /// Done.
        Done = 3,
        /// Its plan was cancelled before it was done.
        Dropped = 4,
        /// Its department has the undoing of it as a task.
        Undoing = 5,
        /// Done and undone.
        Undone = 6,
        /// Done, and two people gave up undoing it.
        WrittenOff = 7,
    }
}

kernel::numbered! {
    /// Where a task stands.
    TaskState {
        /// May be handed out from `visible_at` on.
        Ready = 1,
        /// Held by a worker until `visible_at`.
        Leased = 2,
        /// Done. Final.
        Completed = 3,
        /// Refused, failed for good or out of attempts: people look into it.
        NeedsAttention = 4,
        /// Its plan was cancelled before it was done. Final.
        Cancelled = 5,
        /// Nobody can say whether it was done: its department must.
        OutcomeUnknown = 6,
        /// Its step went on as another department's task. Final, unless its last holder
        /// reports it done before anybody was handed that one.
        Reassigned = 7,
        /// Its department lacks what it needs: it may be handed out from `visible_at` on.
        AwaitingStock = 8,
        /// Two people gave up what it was to undo. Final.
        WrittenOff = 9,
    }
}

impl TaskState {
    /// Whether something is still to be done about it.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Ready | Self::Leased | Self::NeedsAttention | Self::OutcomeUnknown)
    }
}

impl fmt::Display for TaskState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ready => "ready",
            Self::Leased => "leased",
            Self::Completed => "completed",
            Self::NeedsAttention => "in need of attention",
            Self::Cancelled => "cancelled",
            Self::OutcomeUnknown => "of unknown outcome",
            Self::Reassigned => "given to another department",
            Self::AwaitingStock => "waiting for goods",
            Self::WrittenOff => "written off",
        })
    }
}
