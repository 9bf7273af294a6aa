//! What is wrong with a request.

use crate::limits::{MAX_DEPTH, MAX_VALUES, MAX_VIOLATIONS};

/// A field at fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Path of the field, as the contract names it: `complaint.complainant.email`,
    /// `steps[2].amount`. A field nobody knows is named as it was sent; `body` or `query` is
    /// the whole of it.
    pub field: String,
    /// What it must be, for people.
    pub description: String,
}

/// Why a request cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The body is no JSON at all.
    #[error("the body is no JSON: {0}")]
    NoJson(String),
    /// It has more values than are read.
    #[error("the body has more values than this server accepts: {MAX_VALUES}")]
    TooManyValues,
    /// It is nested too deep.
    #[error("the body is nested deeper than this server accepts: {MAX_DEPTH} levels")]
    TooDeep,
    /// Fields at fault, and how many more there are.
    #[error("{} fields are at fault", .0.len() + .1)]
    Fields(Vec<Violation>, usize),
}

/// What is at fault where no field is, but the body.
pub(crate) const BODY: &str = "body";

/// Violations as they are found.
#[derive(Default)]
pub(crate) struct Violations {
    noted: Vec<Violation>,
    more: usize,
}

impl Violations {
    pub(crate) fn note(&mut self, field: impl Into<String>, description: impl Into<String>) {
        if self.noted.len() == MAX_VIOLATIONS {
            self.more += 1;
            return;
        }
        let mut field = field.into();
        if field.is_empty() {
            BODY.clone_into(&mut field);
        }
        self.noted.push(Violation { field, description: description.into() });
    }

    pub(crate) fn check(self) -> Result<(), Refused> {
        if self.noted.is_empty() { Ok(()) } else { Err(Refused::Fields(self.noted, self.more)) }
    }
}
