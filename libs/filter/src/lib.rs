//! Which cases are wanted, in the filter language of AIP-160, and in which order
//! (AIP-132).
//!
//! ```text
//! state = TRIAGED AND (priority <= P2 OR breached = true) AND -agent:*
//! category:"delivery/*" AND due_time < 2026-12-01T00:00:00Z
//! text:"退款未到" 手机
//! ```
//!
//! `syntax` is what can be said, `scan` and `parse` read it, `fields` is what can be
//! asked for, `check` makes typed conditions of it; who keeps the cases makes SQL of
//! these. `terms` are the words that texts are found by, `keywords` those of
//! them that tell what a text is about. Nothing of the text itself ever reaches a statement but
//! as a value bound.
//! Whatever is wrong with a filter is told at once, each with its place.
//!
//! The crates that read this language stop at the first fault, give no place for
//! what is well-formed but wrong, or bind AND tighter than OR, which the standard
//! does not.
#![warn(clippy::missing_errors_doc)]

mod check;
mod facets;
mod fields;
pub mod keywords;
mod order;
mod parse;
#[cfg(test)]
mod properties;
mod scan;
mod syntax;
pub mod terms;

use check::check;
pub use check::{Compare, Condition, Search, Test};
pub use facets::{Counted, Facet, FacetCounts};
pub use fields::{Code, Field, Moment, Word};
pub use order::{Key, Order, order};

/// Longest filter.
pub const MAX_LENGTH: usize = 2_000;

/// What is wrong with a filter, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Which character it begins at, from 1.
    pub at: usize,
    /// What is wrong.
    pub text: String,
}

impl Problem {
    fn new(at: usize, text: impl Into<String>) -> Self {
        Self { at, text: text.into() }
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "at character {}: {}", self.at, self.text)
    }
}

/// Reads a filter; an empty one takes every case.
///
/// # Errors
///
/// Fails with every place where the text is no filter, or asks what cannot be asked.
pub fn read(text: &str) -> Result<Search, Vec<Problem>> {
    let (expression, mut problems) = parse::parse(text);
    let search = match expression.as_ref().map(check).transpose() {
        Ok(search) => search.unwrap_or_default(),
        Err(wrong) => {
            problems.extend(wrong);
            Search::default()
        }
    };
    problems.sort_by_key(|problem| problem.at);
    if problems.is_empty() { Ok(search) } else { Err(problems) }
}
