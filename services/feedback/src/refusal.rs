//! The ways feedback says no.

use fault::Kind;

/// A refusal of this service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No outcome was told, for this case or this cycle.
    FeedbackNotFound,
    /// The cycle's outcome has its answer.
    AlreadyAnswered,
    /// The time to answer has passed, or the case has moved on.
    ResponseWindowClosed,
}

impl fault::Refusal for Refusal {
    fn kind(&self) -> Kind {
        match self {
            Self::FeedbackNotFound => Kind::NotFound,
            Self::AlreadyAnswered | Self::ResponseWindowClosed => Kind::Precondition,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::FeedbackNotFound => "FEEDBACK_NOT_FOUND",
            Self::AlreadyAnswered => "ALREADY_ANSWERED",
            Self::ResponseWindowClosed => "RESPONSE_WINDOW_CLOSED",
        }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::FeedbackNotFound => "no outcome was told for this case and cycle",
            Self::AlreadyAnswered => "the outcome of this cycle has been answered",
            Self::ResponseWindowClosed => "the time to answer this outcome is over",
        })
    }
}
