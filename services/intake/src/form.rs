//! The forms of categories: what is asked of complaints.

use std::sync::Arc;

pub(crate) use forms::{Form, Review, Violation, answer, merge, touched};
use jiff::Timestamp;

/// A form as it is kept.
#[derive(Clone, Debug)]
pub(crate) struct KeptForm {
    /// The category it is for.
    pub(crate) category: String,
    /// Its version.
    pub(crate) version: i64,
    /// Title for people.
    pub(crate) title: String,
    /// JSON Schema; empty in a list.
    pub(crate) schema: String,
    /// Who created it.
    pub(crate) creator: String,
    /// When.
    pub(crate) created: Timestamp,
}

/// A form that holds, ready to be answered.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    /// The form as it is kept.
    pub(crate) kept: KeptForm,
    /// The form, read.
    pub(crate) form: Arc<Form>,
}

/// How the form of a submission is to be dealt with.
#[derive(Clone, Debug)]
pub(crate) enum FormCheck {
    /// The submission was answered before: it is not checked again.
    Answered,
    /// It is checked against this form; none serves its category.
    By(Option<Held>),
}

/// The categories whose form may serve one, nearest first: itself, those above it,
/// and the form for all.
pub(crate) fn candidates(category: &str) -> Vec<String> {
    let mut candidates = vec![category.to_owned()];
    let mut rest = category;
    while let Some((above, _)) = rest.rsplit_once('/') {
        candidates.push(above.to_owned());
        rest = above;
    }
    if !category.is_empty() {
        candidates.push(String::new());
    }
    candidates
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_form_serves() {
        assert_eq!(candidates("a/b/c"), ["a/b/c", "a/b", "a", ""]);
        assert_eq!(candidates(""), [""]);
    }
}
