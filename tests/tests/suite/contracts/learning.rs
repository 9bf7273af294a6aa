//! The lines of what is learnt from complaints: signals, and what is made of them.

use super::table::{BAD_PAGE, EMPTY, Invalid, invalid};
use super::unknown::{Unknown, unknown};

pub(super) const INVALID: &[Invalid] = &[
    invalid("SignalService.ListSignals", BAD_PAGE, "INVALID_REQUEST", &["page_size"]),
    invalid("SignalService.GetSignal", EMPTY, "INVALID_REQUEST", &["signal_id"]),
    invalid(
        "SignalService.DismissSignal",
        EMPTY,
        "INVALID_DISMISSAL",
        &["request_id", "signal_id", "expected_version", "reason"],
    ),
    invalid(
        "SignalService.UpdateSignalSettings",
        r#"{"expected_version": -1, "settings": {"false_alarms_per_year": 3, "quiet_days": 29}}"#,
        "INVALID_SIGNAL_SETTINGS",
        &[
            "request_id",
            "expected_version",
            "settings.false_alarms_per_year",
            "settings.min_count",
            "settings.quiet_days",
        ],
    ),
];

pub(super) const UNKNOWN: &[Unknown] = &[
    unknown("SignalService.GetSignal", r#"{"signal_id": "$ID"}"#, "SIGNAL_NOT_FOUND"),
    unknown(
        "SignalService.DismissSignal",
        r#"{"request_id": "$KEY", "signal_id": "$ID", "expected_version": 1, "reason": "a test"}"#,
        "SIGNAL_NOT_FOUND",
    ),
];
