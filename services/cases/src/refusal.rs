//! The ways this service says no.

use fault::Kind;

use crate::case::State;

/// A request that is understood and not granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// No case of this tenant has the id.
    CaseNotFound,
    /// The state does not allow the move.
    InvalidCaseState(State),
    /// Resolved too long ago to be taken up again.
    ReopenWindowPassed,
    /// Taken up again as often as is allowed.
    ReopenLimit,
    /// The case to merge into is over, or merged itself.
    MergeTargetOver(State),
    /// Two customers, each of whom is owed an answer.
    ComplainantsDiffer,
    /// A complaint and a report.
    MattersDiffer,
    /// No link between the two.
    LinkNotFound,
    /// No group of this tenant has the id.
    GroupNotFound,
    /// The case is in another group.
    AlreadyInAGroup,
    /// The case is not in this group.
    NotInTheGroup,
    /// More would speak for a group than may.
    TooManyRepresentatives(i32),
    /// A receipt code that is wrong in any way.
    ReceiptCodeUnknown,
    /// Too many wrong receipt codes by one caller.
    TooManyGuesses,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::CaseNotFound => f.write_str("there is no such case"),
            Self::InvalidCaseState(state) => write!(f, "the case is {state}, which does not allow this"),
            Self::ReopenWindowPassed => {
                f.write_str("the case was resolved more than 60 days ago; a new complaint is needed")
            }
            Self::ReopenLimit => f.write_str("the case was reopened as often as is allowed"),
            Self::MergeTargetOver(state) => {
                write!(f, "the case to merge into is {state}; only one that goes on can stand for another")
            }
            Self::ComplainantsDiffer => {
                f.write_str("the cases are of two customers, each of whom is owed an answer; use a group")
            }
            Self::MattersDiffer => {
                f.write_str("a complaint and a report of a violation go different ways and are not merged")
            }
            Self::GroupNotFound => f.write_str("there is no such group"),
            Self::AlreadyInAGroup => f.write_str("a case is in another group already"),
            Self::NotInTheGroup => f.write_str("the case is not in this group"),
            Self::TooManyRepresentatives(most) => {
                write!(f, "a group is spoken for by at most {most} of its complainants")
            }
            Self::LinkNotFound => f.write_str("these cases are not linked"),
            Self::ReceiptCodeUnknown => f.write_str("this receipt code is not known"),
            Self::TooManyGuesses => f.write_str("too many wrong receipt codes; try again later"),
        }
    }
}

impl fault::Refusal for Refusal {
    fn kind(&self) -> Kind {
        match self {
            Self::CaseNotFound | Self::LinkNotFound | Self::GroupNotFound | Self::ReceiptCodeUnknown => {
                Kind::NotFound
            }
            Self::InvalidCaseState(_)
            | Self::ReopenWindowPassed
            | Self::ReopenLimit
            | Self::MergeTargetOver(_)
            | Self::ComplainantsDiffer
            | Self::MattersDiffer
            | Self::AlreadyInAGroup
            | Self::NotInTheGroup
            | Self::TooManyRepresentatives(_) => Kind::Precondition,
            Self::TooManyGuesses => Kind::Exhausted,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::CaseNotFound => "CASE_NOT_FOUND",
            Self::InvalidCaseState(_) => "INVALID_CASE_STATE",
            Self::ReopenWindowPassed => "REOPEN_WINDOW_PASSED",
            Self::ReopenLimit => "REOPEN_LIMIT",
            Self::MergeTargetOver(_) => "MERGE_TARGET_OVER",
            Self::ComplainantsDiffer => "COMPLAINANTS_DIFFER",
            Self::MattersDiffer => "MATTERS_DIFFER",
            Self::LinkNotFound => "LINK_NOT_FOUND",
            Self::GroupNotFound => "GROUP_NOT_FOUND",
            Self::AlreadyInAGroup => "ALREADY_IN_A_GROUP",
            Self::NotInTheGroup => "NOT_IN_THE_GROUP",
            Self::TooManyRepresentatives(_) => "TOO_MANY_REPRESENTATIVES",
            Self::ReceiptCodeUnknown => "RECEIPT_CODE_UNKNOWN",
            Self::TooManyGuesses => "TOO_MANY_GUESSES",
        }
    }
}
