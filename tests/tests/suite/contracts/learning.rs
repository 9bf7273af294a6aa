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
    invalid("ProblemService.OpenProblem", EMPTY, "INVALID_PROBLEM", &["request_id", "title"]),
    invalid("ProblemService.GetProblem", EMPTY, "INVALID_REQUEST", &["problem_id"]),
    invalid("ProblemService.ListProblems", BAD_PAGE, "INVALID_REQUEST", &["page_size"]),
    invalid("ProblemService.ListProblemCases", BAD_PAGE, "INVALID_REQUEST", &["problem_id", "page_size"]),
    invalid(
        "ProblemService.LinkProblemCases",
        EMPTY,
        "INVALID_PROBLEM_CASES",
        &["request_id", "problem_id", "expected_version", "case_ids"],
    ),
    invalid(
        "ProblemService.UnlinkProblemCases",
        EMPTY,
        "INVALID_PROBLEM_CASES",
        &["request_id", "problem_id", "expected_version", "case_ids"],
    ),
    invalid(
        "ProblemService.NameRootCause",
        EMPTY,
        "INVALID_ROOT_CAUSE",
        &["request_id", "problem_id", "expected_version", "root_cause"],
    ),
    invalid(
        "ProblemService.CloseProblem",
        EMPTY,
        "INVALID_CONCLUSION",
        &["request_id", "problem_id", "expected_version", "conclusion"],
    ),
    invalid(
        "ProblemService.UpdateRootCauses",
        r#"{"expected_version": -1, "root_causes": {"causes": [{"path": "a/b"}]}}"#,
        "INVALID_ROOT_CAUSES",
        &["request_id", "expected_version", "root_causes.causes[0].path", "root_causes.causes[0].name"],
    ),
    invalid("ProblemService.GetRootCauses", r#"{"version": -1}"#, "INVALID_VERSION", &["version"]),
    invalid(
        "ImprovementService.CreateImprovementAction",
        EMPTY,
        "INVALID_IMPROVEMENT_ACTION",
        &["request_id", "problem_id", "kind", "title", "owner", "due_date"],
    ),
    invalid(
        "ImprovementService.UpdateImprovementAction",
        EMPTY,
        "INVALID_IMPROVEMENT_ACTION",
        &["request_id", "action_id", "expected_version", "owner", "due_date"],
    ),
    invalid(
        "ImprovementService.CompleteImprovementAction",
        EMPTY,
        "INVALID_IMPROVEMENT_ACTION",
        &["request_id", "action_id", "expected_version", "note"],
    ),
    invalid(
        "ImprovementService.AssessImprovementAction",
        EMPTY,
        "INVALID_IMPROVEMENT_ACTION",
        &["request_id", "action_id", "expected_version", "finding"],
    ),
    invalid("ImprovementService.GetImprovementAction", EMPTY, "INVALID_REQUEST", &["action_id"]),
    invalid("ImprovementService.ListImprovementActions", BAD_PAGE, "INVALID_REQUEST", &["page_size"]),
];

const OF_PROBLEM: &str =
    r#"{"request_id": "$KEY", "problem_id": "$ID", "expected_version": 1, "case_ids": ["$ID"]}"#;

pub(super) const UNKNOWN: &[Unknown] = &[
    unknown("SignalService.GetSignal", r#"{"signal_id": "$ID"}"#, "SIGNAL_NOT_FOUND"),
    unknown(
        "SignalService.DismissSignal",
        r#"{"request_id": "$KEY", "signal_id": "$ID", "expected_version": 1, "reason": "a test"}"#,
        "SIGNAL_NOT_FOUND",
    ),
    unknown("ProblemService.GetProblem", r#"{"problem_id": "$ID"}"#, "PROBLEM_NOT_FOUND"),
    unknown("ProblemService.ListProblemCases", r#"{"problem_id": "$ID"}"#, "PROBLEM_NOT_FOUND"),
    unknown("ProblemService.LinkProblemCases", OF_PROBLEM, "PROBLEM_NOT_FOUND"),
    unknown("ProblemService.UnlinkProblemCases", OF_PROBLEM, "PROBLEM_NOT_FOUND"),
    unknown(
        "ProblemService.NameRootCause",
        r#"{"request_id": "$KEY", "problem_id": "$ID", "expected_version": 1, "root_cause": "people"}"#,
        "PROBLEM_NOT_FOUND",
    ),
    unknown(
        "ProblemService.CloseProblem",
        r#"{"request_id": "$KEY", "problem_id": "$ID", "expected_version": 1, "conclusion": "x"}"#,
        "PROBLEM_NOT_FOUND",
    ),
    unknown("ProblemService.GetRootCauses", r#"{"version": 7}"#, "ROOT_CAUSES_NOT_FOUND"),
    unknown(
        "ImprovementService.CreateImprovementAction",
        r#"{"request_id": "$KEY", "problem_id": "$ID", "kind": 1, "title": "x", "owner": "x", "due_date": "2026-11-29"}"#,
        "PROBLEM_NOT_FOUND",
    ),
    unknown(
        "ImprovementService.UpdateImprovementAction",
        r#"{"request_id": "$KEY", "action_id": "$ID", "expected_version": 1, "owner": "x", "due_date": "2026-11-29"}"#,
        "IMPROVEMENT_ACTION_NOT_FOUND",
    ),
    unknown(
        "ImprovementService.CompleteImprovementAction",
        r#"{"request_id": "$KEY", "action_id": "$ID", "expected_version": 1, "note": "x"}"#,
        "IMPROVEMENT_ACTION_NOT_FOUND",
    ),
    unknown(
        "ImprovementService.AssessImprovementAction",
        r#"{"request_id": "$KEY", "action_id": "$ID", "expected_version": 1, "finding": "x"}"#,
        "IMPROVEMENT_ACTION_NOT_FOUND",
    ),
    unknown(
        "ImprovementService.GetImprovementAction",
        r#"{"action_id": "$ID"}"#,
        "IMPROVEMENT_ACTION_NOT_FOUND",
    ),
];

/// Those that act on no case, with the reason why: see `acting`.
pub(crate) const NOT_ON_A_CASE: &[(&str, &str)] = &[
    ("ImprovementService.CreateImprovementAction", "on no case: about a problem"),
    ("ImprovementService.UpdateImprovementAction", "on no case: about a problem"),
    ("ImprovementService.CompleteImprovementAction", "on no case: about a problem"),
    ("ImprovementService.AssessImprovementAction", "on no case: about a problem"),
    ("ProblemService.OpenProblem", "on no case"),
    ("ProblemService.LinkProblemCases", "says what cases have in common, and decides none"),
    ("ProblemService.UnlinkProblemCases", "says what cases have in common, and decides none"),
    ("ProblemService.NameRootCause", "on no case: what many have in common"),
    ("ProblemService.CloseProblem", "on no case: what many have in common"),
    ("ProblemService.UpdateRootCauses", "a setting"),
    ("SignalService.DismissSignal", "on no case: what many come to"),
    ("SignalService.UpdateSignalSettings", "a setting"),
];
