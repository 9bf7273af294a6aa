//! The lines of what is learnt from complaints: figures, reports, signals, and what is made of them.

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
        "ProblemService.RequestProblemTask",
        EMPTY,
        "INVALID_PROBLEM_TASK",
        &["request_id", "problem_id", "expected_version", "kind", "department_id"],
    ),
    invalid("ProblemService.ListProblemTasks", BAD_PAGE, "INVALID_REQUEST", &["page_size"]),
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
        "KpiService.QueryKpis",
        r#"{"queries": [{"kpi": "speed", "period": 9, "dimension": 9, "comparison": 9}]}"#,
        "INVALID_KPI_QUERY",
        &[
            "queries[0].name",
            "queries[0].kpi",
            "queries[0].period",
            "queries[0].dimension",
            "queries[0].comparison",
        ],
    ),
    invalid(
        "KpiService.UpdateKpiSettings",
        r#"{"expected_version": -1, "settings": {"time_zone": "Mars/Olympus", "min_group_size": 101}}"#,
        "INVALID_KPI_SETTINGS",
        &["request_id", "expected_version", "settings.time_zone", "settings.min_group_size"],
    ),
    invalid("ReportService.CreateReport", EMPTY, "INVALID_REPORT", &["request_id", "length", "start_date"]),
    invalid("ReportService.GetReport", EMPTY, "INVALID_REQUEST", &["report_id"]),
    invalid("ReportService.ListReports", BAD_PAGE, "INVALID_REQUEST", &["page_size"]),
    invalid("ReportService.DownloadReport", EMPTY, "INVALID_REQUEST", &["report_id", "language", "format"]),
    invalid(
        "ReportService.UpdateReportSchedules",
        EMPTY,
        "INVALID_REPORT_SCHEDULES",
        &["request_id", "schedules"],
    ),
    invalid(
        "ReturnService.UpdateReturnMapping",
        r#"{"expected_version": -1, "mapping": {"regime": 1, "rules": [{"codes": [{"field": "submitted_via", "value": "Pigeon"}]}]}}"#,
        "INVALID_RETURN_MAPPING",
        &["request_id", "expected_version", "mapping.rules[0].codes[0].value"],
    ),
    invalid(
        "ReturnService.GetReturnMapping",
        r#"{"version": -1}"#,
        "INVALID_REQUEST",
        &["regime", "version"],
    ),
    invalid("ReturnService.CheckReturn", EMPTY, "INVALID_REQUEST", &["regime", "start_date", "end_date"]),
    invalid(
        "ReturnService.ExportReturn",
        r#"{"regime": 3, "start_date": "2026-07-01", "end_date": "2026-12-31", "format": 2}"#,
        "INVALID_REQUEST",
        &["format", "end_date"],
    ),
    invalid("ProcessService.ExportProcessLog", EMPTY, "INVALID_REQUEST", &["start_date", "end_date"]),
    invalid("KpiService.RebuildFacts", EMPTY, "INVALID_REQUEST", &["request_id"]),
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
    invalid("QualityService.UpdateQualityPolicy", EMPTY, "INVALID_QUALITY_POLICY", &["request_id", "policy"]),
    invalid("QualityService.GetQualityPolicy", r#"{"version": -1}"#, "INVALID_VERSION", &["version"]),
    invalid("QualityService.ListQualityReviews", BAD_PAGE, "INVALID_REQUEST", &["page_size"]),
    invalid("QualityService.GetQualityReview", EMPTY, "INVALID_REQUEST", &["review_id"]),
    invalid(
        "QualityService.RateQualityReview",
        EMPTY,
        "INVALID_QUALITY_RATING",
        &["request_id", "review_id", "items"],
    ),
    invalid(
        "QualityService.GetQualityAgreement",
        r#"{"policy_version": -1}"#,
        "INVALID_REQUEST",
        &["start_date", "end_date", "policy_version"],
    ),
    invalid(
        "QualityService.ListScorecards",
        BAD_PAGE,
        "INVALID_REQUEST",
        &["page_size", "start_date", "end_date"],
    ),
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
    unknown("ReturnService.GetReturnMapping", r#"{"regime": 1, "version": 7}"#, "RETURN_MAPPING_NOT_FOUND"),
    unknown("QualityService.GetQualityPolicy", r#"{"version": 7}"#, "QUALITY_POLICY_NOT_FOUND"),
    unknown("QualityService.GetQualityReview", r#"{"review_id": "$ID"}"#, "QUALITY_REVIEW_NOT_FOUND"),
    unknown(
        "QualityService.RateQualityReview",
        r#"{"request_id": "$KEY", "review_id": "$ID", "items": [{"criterion_id": "x", "rated_class": "x"}]}"#,
        "QUALITY_REVIEW_NOT_FOUND",
    ),
    unknown(
        "QualityService.GetQualityAgreement",
        r#"{"start_date": "2026-11-01", "end_date": "2026-12-01", "policy_version": 7}"#,
        "QUALITY_POLICY_NOT_FOUND",
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
        "ProblemService.RequestProblemTask",
        r#"{"request_id": "$KEY", "problem_id": "$ID", "expected_version": 1, "kind": 1, "department_id": "x"}"#,
        "PROBLEM_NOT_FOUND",
    ),
    unknown("ProblemService.ListProblemTasks", r#"{"problem_id": "$ID"}"#, "PROBLEM_NOT_FOUND"),
    unknown(
        "ProblemService.CloseProblem",
        r#"{"request_id": "$KEY", "problem_id": "$ID", "expected_version": 1, "conclusion": "x"}"#,
        "PROBLEM_NOT_FOUND",
    ),
    unknown("ProblemService.GetRootCauses", r#"{"version": 7}"#, "ROOT_CAUSES_NOT_FOUND"),
    unknown("ReportService.GetReport", r#"{"report_id": "$ID"}"#, "REPORT_NOT_FOUND"),
    unknown(
        "ReportService.DownloadReport",
        r#"{"report_id": "$ID", "language": "en", "format": 1}"#,
        "REPORT_NOT_FOUND",
    ),
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
