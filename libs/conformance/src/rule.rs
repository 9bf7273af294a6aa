//! The promises a worker is held to.

/// A promise a worker keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Rule {
    /// It asks as the contract says.
    ValidPoll,
    /// What it reports fits the task.
    FittingResult,
    /// It asks again in the same words when the answer to a poll was lost.
    LostPollAnswer,
    /// It reports again in the same words when the answer to a report was lost.
    LostReportAnswer,
    /// It does not report under another `request_id` while an answer is slow.
    SlowReportAnswer,
    /// It does a task once that is handed out again after it was done.
    DuplicateDelivery,
    /// It does a task once that is handed out again while it is at work on it.
    ConcurrentDelivery,
    /// It is silent once a lease is lost, and reports under the next one only.
    LateToken,
    /// It does not do what is no longer wanted.
    Cancel,
    /// It says that it did what is no longer wanted, where it did.
    CancelAfterDone,
    /// It holds its lease until it has reported.
    HeldLease,
    /// It goes on after its connections broke, and reports what it held in the same words.
    BrokenConnection,
    /// It does not storm a server that is overloaded.
    Overload,
    /// It begins a stream as the contract says.
    ValidStream,
    /// It begins a stream that was cut again, in the same words, and does once what it held.
    CutStream,
    /// It holds no more streamed tasks at once than its credits, and each of them.
    StreamCredits,
    /// It does not do what is no longer wanted when a stream begun again hands it out.
    StreamCancel,
    /// Its own books have one effect for each task it reported done, and none for others.
    EffectsOnce,
}

impl Rule {
    /// Every rule that a worker that polls is tried by, in the order in which they are best tried. What
    /// the worker's books say is judged afterwards ([`crate::Runner::judge_effects`]).
    pub const ATTACKS: [Self; 13] = [
        Self::ValidPoll,
        Self::FittingResult,
        Self::LostPollAnswer,
        Self::LostReportAnswer,
        Self::SlowReportAnswer,
        Self::DuplicateDelivery,
        Self::ConcurrentDelivery,
        Self::LateToken,
        Self::Cancel,
        Self::CancelAfterDone,
        Self::HeldLease,
        Self::BrokenConnection,
        Self::Overload,
    ];

    /// The same for a worker that has its tasks streamed.
    pub const STREAM_ATTACKS: [Self; 15] = [
        Self::ValidStream,
        Self::FittingResult,
        Self::CutStream,
        Self::LostReportAnswer,
        Self::SlowReportAnswer,
        Self::DuplicateDelivery,
        Self::ConcurrentDelivery,
        Self::LateToken,
        Self::Cancel,
        Self::CancelAfterDone,
        Self::StreamCancel,
        Self::StreamCredits,
        Self::HeldLease,
        Self::BrokenConnection,
        Self::Overload,
    ];

    /// Its name, stable for programs.
    pub fn name(self) -> &'static str {
        match self {
            Self::ValidPoll => "VALID_POLL",
            Self::FittingResult => "FITTING_RESULT",
            Self::LostPollAnswer => "LOST_POLL_ANSWER",
            Self::LostReportAnswer => "LOST_REPORT_ANSWER",
            Self::SlowReportAnswer => "SLOW_REPORT_ANSWER",
            Self::DuplicateDelivery => "DUPLICATE_DELIVERY",
            Self::ConcurrentDelivery => "CONCURRENT_DELIVERY",
            Self::LateToken => "LATE_TOKEN",
            Self::Cancel => "CANCEL",
            Self::CancelAfterDone => "CANCEL_AFTER_DONE",
            Self::HeldLease => "HELD_LEASE",
            Self::BrokenConnection => "BROKEN_CONNECTION",
            Self::Overload => "OVERLOAD",
            Self::ValidStream => "VALID_STREAM",
            Self::CutStream => "CUT_STREAM",
            Self::StreamCredits => "STREAM_CREDITS",
            Self::StreamCancel => "STREAM_CANCEL",
            Self::EffectsOnce => "EFFECTS_ONCE",
        }
    }

    /// What the worker promises, in a sentence.
    pub fn promise(self) -> &'static str {
        match self {
            Self::ValidPoll => "asks for tasks as the contract says",
            Self::FittingResult => "reports a result that fits the task, under the token of its lease",
            Self::LostPollAnswer => "asks again in the same words when the answer to a poll was lost",
            Self::LostReportAnswer => "reports again in the same words when the answer was lost",
            Self::SlowReportAnswer => "reports under one request_id, however slow the answer",
            Self::DuplicateDelivery => "does a task once that is handed out again after it was done",
            Self::ConcurrentDelivery => "does a task once that is handed out twice at a time",
            Self::LateToken => "is silent once a lease is lost, and reports under the next one only",
            Self::Cancel => "does not do what is no longer wanted, and fails it with code CANCELLED",
            Self::CancelAfterDone => "reports what it has done as done, wanted or not",
            Self::HeldLease => "holds its lease by heartbeats until it has reported",
            Self::BrokenConnection => "goes on after a broken connection, and repeats its report as it was",
            Self::Overload => "asks an overloaded server no more than 20 times a second",
            Self::ValidStream => "has tasks streamed as the contract says",
            Self::CutStream => {
                "begins a stream that was cut again in the same words, and does once what it held"
            }
            Self::StreamCredits => {
                "holds no more streamed tasks at once than its credits, and each until reported"
            }
            Self::StreamCancel => "does not do what is no longer wanted when its stream begins again",
            Self::EffectsOnce => "has one effect for each task it reported done, and none for others",
        }
    }
}

/// What came of trying a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The rule.
    pub rule: Rule,
    /// Whether the worker keeps it.
    pub passed: bool,
    /// What was seen, in a sentence.
    pub seen: String,
}
