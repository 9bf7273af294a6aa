//! The lines of plans that are revised.

use super::table::{BAD_PAGE, EMPTY, Invalid, invalid};
use super::unknown::{Unknown, unknown};

pub(super) const INVALID: &[Invalid] = &[
    invalid(
        "RevisionService.RevisePlan",
        EMPTY,
        "INVALID_REVISION",
        &["request_id", "plan_id", "steps", "reason"],
    ),
    invalid(
        "RevisionService.ApprovePlanRevision",
        EMPTY,
        "INVALID_REQUEST",
        &["request_id", "plan_id", "number"],
    ),
    invalid(
        "RevisionService.RejectPlanRevision",
        EMPTY,
        "INVALID_REASON",
        &["request_id", "plan_id", "number", "reason"],
    ),
    invalid("RevisionService.ListPlanRevisions", BAD_PAGE, "INVALID_REQUEST", &["page_size", "plan_id"]),
];

pub(super) const UNKNOWN: &[Unknown] = &[
    unknown(
        "ProposalService.ProposeTaskWriteOff",
        r#"{"request_id": "$KEY", "task_id": "$ID", "reason": "x"}"#,
        "TASK_NOT_FOUND",
    ),
    unknown(
        "RevisionService.RevisePlan",
        r#"{"request_id": "$KEY", "plan_id": "$ID", "reason": "x",
            "steps": [{"step_id": "s", "kind": 1, "department_id": "care"}]}"#,
        "PLAN_NOT_FOUND",
    ),
    unknown(
        "RevisionService.ApprovePlanRevision",
        r#"{"request_id": "$KEY", "plan_id": "$ID", "number": 1}"#,
        "PLAN_NOT_FOUND",
    ),
    unknown(
        "RevisionService.RejectPlanRevision",
        r#"{"request_id": "$KEY", "plan_id": "$ID", "number": 1, "reason": "x"}"#,
        "PLAN_NOT_FOUND",
    ),
    unknown("RevisionService.ListPlanRevisions", r#"{"plan_id": "$ID"}"#, "PLAN_NOT_FOUND"),
];
