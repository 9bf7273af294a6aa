//! The lines of what complainants do themselves, and of the letters they are sent.

use super::table::{EMPTY, Invalid, invalid};
use super::unknown::{Unknown, unknown};

pub(super) const INVALID: &[Invalid] = &[
    invalid(
        "CaseService.WithdrawComplaint",
        EMPTY,
        "INVALID_WITHDRAWAL",
        &["request_id", "case_id", "confirmed"],
    ),
    invalid("TemplateService.PreviewTemplate", EMPTY, "INVALID_TEMPLATE", &["template"]),
];

pub(super) const UNKNOWN: &[Unknown] = &[
    unknown(
        "CaseService.WithdrawComplaint",
        r#"{"request_id": "$KEY", "case_id": "$ID", "confirmed": true}"#,
        "CASE_NOT_FOUND",
    ),
    unknown(
        "TemplateService.PreviewTemplate",
        r#"{"case_id": "$ID", "template": {"kind": 1, "language": "en", "subject": "x", "body": "{{ case }}"}}"#,
        "CONTACT_NOT_FOUND",
    ),
];
