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
    /// A receipt code that is wrong in any way.
    ReceiptCodeUnknown,
    /// Too many wrong receipt codes by one caller.
    TooManyGuesses,
    /// The tenant has no such version of its rules.
    RuleSetNotFound,
    /// The case was opened before triage kept records.
    NoTriageRecord,
    /// The tenant's tree has no such category, or there is no tree.
    CategoryNotFound,
    /// The tenant has a tree, and it is not in it.
    CategoryNotInTree,
    /// The tenant has no such classifier, or none is active.
    ClassifierNotFound,
    /// There are too few texts of known category.
    TooLittleToLearn,
    /// One of the tenant's classifiers is being trained.
    TrainingUnderWay,
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
            Self::ReceiptCodeUnknown => f.write_str("this receipt code is not known"),
            Self::TooManyGuesses => f.write_str("too many wrong receipt codes; try again later"),
            Self::RuleSetNotFound => f.write_str("there is no such version of the triage rules"),
            Self::NoTriageRecord => f.write_str("the case was opened before triage kept records"),
            Self::CategoryNotFound => f.write_str("there is no such category"),
            Self::CategoryNotInTree => f.write_str("the tree of categories has no such category"),
            Self::ClassifierNotFound => f.write_str("there is no such classifier, or none is active"),
            Self::TooLittleToLearn => f.write_str(
                "there must be two categories at least with 5 texts each that a person confirmed or that are closed",
            ),
            Self::TrainingUnderWay => f.write_str("a classifier is being trained; try again later"),
        }
    }
}

impl fault::Refusal for Refusal {
    fn kind(&self) -> Kind {
        match self {
            Self::CaseNotFound
            | Self::ReceiptCodeUnknown
            | Self::RuleSetNotFound
            | Self::CategoryNotFound
            | Self::ClassifierNotFound => Kind::NotFound,
            Self::InvalidCaseState(_)
            | Self::ReopenWindowPassed
            | Self::ReopenLimit
            | Self::NoTriageRecord
            | Self::CategoryNotInTree
            | Self::TooLittleToLearn => Kind::Precondition,
            Self::TrainingUnderWay => Kind::Conflict,
            Self::TooManyGuesses => Kind::Exhausted,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::CaseNotFound => "CASE_NOT_FOUND",
            Self::InvalidCaseState(_) => "INVALID_CASE_STATE",
            Self::ReopenWindowPassed => "REOPEN_WINDOW_PASSED",
            Self::ReopenLimit => "REOPEN_LIMIT",
            Self::ReceiptCodeUnknown => "RECEIPT_CODE_UNKNOWN",
            Self::TooManyGuesses => "TOO_MANY_GUESSES",
            Self::RuleSetNotFound => "RULE_SET_NOT_FOUND",
            Self::NoTriageRecord => "NO_TRIAGE_RECORD",
            Self::CategoryNotFound => "CATEGORY_NOT_FOUND",
            Self::CategoryNotInTree => "CATEGORY_NOT_IN_TREE",
            Self::ClassifierNotFound => "CLASSIFIER_NOT_FOUND",
            Self::TooLittleToLearn => "TOO_LITTLE_TO_LEARN",
            Self::TrainingUnderWay => "TRAINING_UNDER_WAY",
        }
    }
}
