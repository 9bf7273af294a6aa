//! The lines of training cases.

use super::table::{BAD_PAGE, EMPTY, Invalid, invalid};
use super::unknown::{Unknown, unknown};

const INVALID_CASE: &str = "INVALID_TRAINING_CASE";
const TARGET: &[&str] = &["request_id", "training_case_id", "expected_version"];

pub(super) const INVALID: &[Invalid] = &[
    invalid(
        "TrainingService.PickTrainingCases",
        r#"{"start_date": "soon", "end_date": "2026-1-1", "max_results": 101}"#,
        "INVALID_SEARCH",
        &["start_date", "end_date", "max_results"],
    ),
    invalid(
        "TrainingService.CreateTrainingCase",
        r#"{"details": [{"value": "-"}]}"#,
        INVALID_CASE,
        &["request_id", "case_id", "details[0].kind", "details[0].value"],
    ),
    invalid(
        "TrainingService.EditTrainingCase",
        r#"{"content": {"steps": [{"after": "-1s"}]}}"#,
        INVALID_CASE,
        &[
            "request_id",
            "training_case_id",
            "expected_version",
            "content.title",
            "content.description",
            "content.steps[0].after",
            "content.steps[0].cycle",
            "content.steps[0].kind",
            "content.steps[0].text",
        ],
    ),
    invalid("TrainingService.SubmitTrainingCase", EMPTY, INVALID_CASE, TARGET),
    invalid("TrainingService.PublishTrainingCase", EMPTY, INVALID_CASE, TARGET),
    invalid(
        "TrainingService.RetireTrainingCase",
        EMPTY,
        INVALID_CASE,
        &["request_id", "training_case_id", "expected_version", "reason"],
    ),
    invalid(
        "TrainingService.GetTrainingCase",
        r#"{"revision": -1}"#,
        "INVALID_REQUEST",
        &["training_case_id", "revision"],
    ),
    invalid("TrainingService.ListTrainingCases", BAD_PAGE, "INVALID_LIST", &["page_size"]),
    invalid("TrainingService.ExportTrainingCases", r#"{"language": "?"}"#, "INVALID_LIST", &["language"]),
];

/// Does something to a training case that there is not.
const CHANGE: &str = r#"{"request_id": "$KEY", "training_case_id": "$ID", "expected_version": 1}"#;
const NOT_FOUND: &str = "TRAINING_CASE_NOT_FOUND";

pub(super) const UNKNOWN: &[Unknown] = &[
    unknown(
        "TrainingService.CreateTrainingCase",
        r#"{"request_id": "$KEY", "case_id": "$ID"}"#,
        "CASE_NOT_FOUND",
    ),
    unknown(
        "TrainingService.EditTrainingCase",
        r#"{"request_id": "$KEY", "training_case_id": "$ID", "expected_version": 1,
            "content": {"title": "x", "description": "x"}}"#,
        NOT_FOUND,
    ),
    unknown("TrainingService.SubmitTrainingCase", CHANGE, NOT_FOUND),
    unknown("TrainingService.PublishTrainingCase", CHANGE, NOT_FOUND),
    unknown(
        "TrainingService.RetireTrainingCase",
        r#"{"request_id": "$KEY", "training_case_id": "$ID", "expected_version": 1, "reason": "x"}"#,
        NOT_FOUND,
    ),
    unknown("TrainingService.GetTrainingCase", r#"{"training_case_id": "$ID"}"#, NOT_FOUND),
];
