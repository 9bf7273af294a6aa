//! What is reviewed before it is in force, and where its latest revision stands. Pure.

use std::fmt;

/// What it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReviewedKind {
    /// What is known about a matter.
    Article,
    /// A case to learn from.
    TrainingCase,
}

impl fmt::Display for ReviewedKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Article => "article",
            Self::TrainingCase => "training case",
        })
    }
}

kernel::numbered! {
    /// Where the latest revision stands.
    ReviewState {
        /// Written.
        Draft = 1 "a draft",
        /// Handed in.
        InReview = 2 "in review",
        /// In force.
        Published = 3 "published",
        /// Out of use.
        Retired = 4 "retired",
    }
}
