//! The lines of what is known before anybody is asked.

use super::table::{EMPTY, Invalid, invalid};
use super::unknown::{Unknown, unknown};

pub(super) const INVALID: &[Invalid] = &[
    invalid(
        "FormService.PrefillForm",
        r#"{"category": "\u0000", "formData": "[]"}"#,
        "INVALID_FORM_NAME",
        &["category", "form_data"],
    ),
    invalid("DirectoryService.LookUpDirectory", EMPTY, "INVALID_DIRECTORY_QUESTION", &["customer_id"]),
];

pub(super) const UNKNOWN: &[Unknown] = &[
    unknown("FormService.PrefillForm", r#"{"category": "nothing"}"#, "FORM_NOT_FOUND"),
    unknown("DirectoryService.LookUpDirectory", r#"{"customerId": "c-1"}"#, "DIRECTORY_NOT_FOUND"),
];
