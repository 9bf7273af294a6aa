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
    /// The case has no clock of this kind.
    ClockNotFound,
    /// What the clock's policy does not allow.
    Clock(calendar::Refusal),
    /// No extension of this tenant has the id.
    ExtensionNotFound,
    /// The tenant has no policy of this version.
    PolicyNotFound,
    /// There are as many policies as there may be.
    TooManyPolicies,
    /// It was granted or refused before.
    ExtensionDecided,
    /// One is waiting for its answer.
    ExtensionPending,
    /// Who asked may not approve.
    ApproverIsRequester,
    /// A receipt code that is wrong in any way.
    ReceiptCodeUnknown,
    /// Too many wrong receipt codes by one caller.
    TooManyGuesses,
    /// No calendar of this tenant, and none built in, has the name and version.
    CalendarNotFound,
    /// A calendar of this tenant, or a built-in one, has the name.
    CalendarExists,
    /// The tenant has as many calendars as it may.
    TooManyCalendars,
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
            Self::ClockNotFound => f.write_str("the case has no clock of this kind"),
            Self::Clock(refusal) => write!(f, "{refusal}"),
            Self::ExtensionNotFound => f.write_str("there is no such extension"),
            Self::PolicyNotFound => f.write_str("there is no such policy"),
            Self::TooManyPolicies => f.write_str("there are as many policies as there may be"),
            Self::ExtensionDecided => f.write_str("the extension was granted or refused before"),
            Self::ExtensionPending => f.write_str("an extension of this clock waits for its answer"),
            Self::ApproverIsRequester => f.write_str("who asked for the extension may not approve it"),
            Self::ReceiptCodeUnknown => f.write_str("this receipt code is not known"),
            Self::TooManyGuesses => f.write_str("too many wrong receipt codes; try again later"),
            Self::CalendarNotFound => f.write_str("there is no such calendar"),
            Self::CalendarExists => f.write_str("there is a calendar of this name already"),
            Self::TooManyCalendars => f.write_str("there are as many calendars as there may be"),
        }
    }
}

impl fault::Refusal for Refusal {
    fn kind(&self) -> Kind {
        match self {
            Self::CaseNotFound
            | Self::ClockNotFound
            | Self::ExtensionNotFound
            | Self::PolicyNotFound
            | Self::ReceiptCodeUnknown
            | Self::CalendarNotFound => Kind::NotFound,
            Self::CalendarExists => Kind::Exists,
            Self::InvalidCaseState(_)
            | Self::ReopenWindowPassed
            | Self::ReopenLimit
            | Self::Clock(_)
            | Self::ExtensionDecided
            | Self::ExtensionPending
            | Self::ApproverIsRequester => Kind::Precondition,
            Self::TooManyGuesses | Self::TooManyCalendars | Self::TooManyPolicies => Kind::Exhausted,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::CaseNotFound => "CASE_NOT_FOUND",
            Self::InvalidCaseState(_) => "INVALID_CASE_STATE",
            Self::ReopenWindowPassed => "REOPEN_WINDOW_PASSED",
            Self::ReopenLimit => "REOPEN_LIMIT",
            Self::ClockNotFound => "CLOCK_NOT_FOUND",
            Self::Clock(refusal) => clock_reason(*refusal),
            Self::ExtensionNotFound => "EXTENSION_NOT_FOUND",
            Self::PolicyNotFound => "POLICY_NOT_FOUND",
            Self::TooManyPolicies => "TOO_MANY_POLICIES",
            Self::ExtensionDecided => "EXTENSION_DECIDED",
            Self::ExtensionPending => "EXTENSION_PENDING",
            Self::ApproverIsRequester => "APPROVER_IS_REQUESTER",
            Self::ReceiptCodeUnknown => "RECEIPT_CODE_UNKNOWN",
            Self::TooManyGuesses => "TOO_MANY_GUESSES",
            Self::CalendarNotFound => "CALENDAR_NOT_FOUND",
            Self::CalendarExists => "CALENDAR_EXISTS",
            Self::TooManyCalendars => "TOO_MANY_CALENDARS",
        }
    }
}

fn clock_reason(refusal: calendar::Refusal) -> &'static str {
    use calendar::Refusal;
    match refusal {
        Refusal::AlreadyPaused => "CLOCK_PAUSED",
        Refusal::NotPaused => "CLOCK_NOT_PAUSED",
        Refusal::Ended => "CLOCK_ENDED",
        Refusal::NotMet => "CLOCK_NOT_MET",
        Refusal::Overdue => "CLOCK_OVERDUE",
        Refusal::MayNotPause => "CLOCK_MAY_NOT_PAUSE",
        Refusal::UnlawfulReason => "UNLAWFUL_PAUSE",
        Refusal::PauseUsedUp => "PAUSE_USED_UP",
        Refusal::MayNotExtend => "CLOCK_MAY_NOT_EXTEND",
        Refusal::ExtendedAlready => "EXTENDED_ALREADY",
        Refusal::BeyondMaximum => "BEYOND_MAXIMUM",
        Refusal::ReasonMissing => "REASON_MISSING",
        Refusal::ApproverMissing => "APPROVER_MISSING",
        Refusal::ApproverIsHandler => "APPROVER_IS_HANDLER",
    }
}
