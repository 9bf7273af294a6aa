//! What is in force after a review: how it is named, and what lists of it are of.

use std::fmt::Display;

use fault::Check;
use kernel::page::Page;
use language::Detail;
use uuid::Uuid;

use crate::article::MAX_NAME;
use crate::article::suggestion::subtag;

/// Something reviewed that somebody does something to, who has seen a version of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReviewTarget {
    /// Which.
    pub(crate) id: Uuid,
    /// The version seen.
    pub(crate) version: i64,
}

/// Reads what something is done to; it is named by a field.
pub(super) fn target(
    check: &mut Check,
    request_id: String,
    (field, id): (&str, &str),
    version: i64,
) -> ReviewTarget {
    check.request_id(request_id);
    let id = check.id(field, id);
    check.ensure(version > 0, "expected_version", "must be positive");
    ReviewTarget { id, version }
}

/// Notes each personal detail of a text, by kind and place; never the detail itself.
pub(super) fn impersonal<K: Display>(check: &mut Check, field: &str, details: Vec<Detail<K>>) {
    for Detail { kind, line, column, characters: _ } in details {
        check.fail(field, format!("must not have {kind}: see line {line}, character {column}"));
    }
}

/// The number of a revision; none is the latest.
pub(super) fn revision(check: &mut Check, number: i32) -> Option<i32> {
    check.ensure(number >= 0, "revision", "must not be negative");
    (number > 0).then_some(number)
}

/// The category and the language that a list is of, each empty for all.
pub(super) fn of_kind(check: &mut Check, category: &str, language: String) -> (String, String) {
    let category = check.text("category", category.trim().to_owned(), MAX_NAME);
    let language = if language.is_empty() { language } else { subtag(&check.language("language", language)) };
    (category, language)
}

/// The last one of the page before.
pub(super) fn before(check: &mut Check, page: &Page) -> Option<Uuid> {
    let before = page.after.as_deref().map(|key| Uuid::try_parse(key).ok());
    check.ensure(before != Some(None), "page_token", "is not of this list");
    before.flatten()
}
