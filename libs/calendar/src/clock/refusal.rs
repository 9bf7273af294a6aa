//! The ways a clock says no.

/// Why a clock says no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It stands still already.
    #[error("the clock is paused already")]
    AlreadyPaused,
    /// It is not paused.
    #[error("the clock is not paused")]
    NotPaused,
    /// It has been met or stopped.
    #[error("the clock has ended")]
    Ended,
    /// It has not been met.
    #[error("the clock has not been met")]
    NotMet,
    /// Its due time has passed: that can be neither paused nor extended away.
    #[error("the due time has passed")]
    Overdue,
    /// Its policy lets nothing pause it.
    #[error("this clock may not be paused")]
    MayNotPause,
    /// Its policy does not know this reason.
    #[error("this is no lawful reason to pause this clock")]
    UnlawfulReason,
    /// It has stood still for as long as it may.
    #[error("the clock has been paused for as long as its policy allows")]
    PauseUsedUp,
    /// Its policy knows no extension.
    #[error("this clock may not be extended")]
    MayNotExtend,
    /// It has been extended as often as it may.
    #[error("the clock has been extended as often as its policy allows")]
    ExtendedAlready,
    /// Nothing, or more than its policy's maximum.
    #[error("the extension is nothing, or goes beyond the policy's maximum")]
    BeyondMaximum,
    /// No reason was given.
    #[error("an extension needs a reason")]
    ReasonMissing,
    /// Nobody approved.
    #[error("an extension needs an approver")]
    ApproverMissing,
    /// The handler approved their own extension.
    #[error("the handler may not approve the extension")]
    ApproverIsHandler,
}
