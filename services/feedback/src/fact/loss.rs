//! Money that was given up: what a department could not take back.

use jiff::Timestamp;
use kernel::{CaseId, Money};

/// A loss that two people wrote off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LossFact {
    /// The case.
    pub case_id: CaseId,
    /// The department that was to take it back.
    pub department: String,
    /// When it was written off.
    pub written_off: Timestamp,
    /// How much, never negative.
    pub amount: Money,
}
