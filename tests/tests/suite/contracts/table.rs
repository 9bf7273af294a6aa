//! The requests, by rpc: one line each, or the reason why there is none.

/// An rpc, a request that is wrong, and how it is refused.
pub(super) struct Invalid {
    pub(super) rpc: &'static str,
    pub(super) request: &'static str,
    pub(super) reason: &'static str,
    /// Every field at fault, in the order told.
    pub(super) fields: &'static [&'static str],
}

/// An rpc, a request for what does not exist, and how it is refused. `$ID` is an
/// id of nothing, `$KEY` a request id that was never used.
pub(super) struct Unknown {
    pub(super) rpc: &'static str,
    pub(super) request: &'static str,
    pub(super) reason: &'static str,
}

const fn invalid(
    rpc: &'static str,
    request: &'static str,
    reason: &'static str,
    fields: &'static [&'static str],
) -> Invalid {
    Invalid { rpc, request, reason, fields }
}

const fn unknown(rpc: &'static str, request: &'static str, reason: &'static str) -> Unknown {
    Unknown { rpc, request, reason }
}

/// Lacks everything that is required.
const EMPTY: &str = "{}";
const BAD_PAGE: &str = r#"{"page_size": -1}"#;
const CASE: &str = r#"{"case_id": "$ID"}"#;

pub(super) const INVALID: &[Invalid] = &[
    invalid("IntakeService.SubmitComplaint", EMPTY, "INVALID_COMPLAINT", &["request_id", "complaint"]),
    invalid("IntakeService.GetComplaint", EMPTY, "INVALID_COMPLAINT_ID", &["complaint_id"]),
    invalid("IntakeService.ListComplaints", BAD_PAGE, "INVALID_LIST", &["page_size"]),
    invalid("CaseService.GetCase", EMPTY, "INVALID_CASE_ID", &["case_id"]),
    invalid("CaseService.ListCases", BAD_PAGE, "INVALID_LIST", &["page_size"]),
    invalid("CaseService.WatchCase", EMPTY, "INVALID_CASE_ID", &["case_id"]),
    invalid("CaseService.GetTimeline", BAD_PAGE, "INVALID_LIST", &["page_size", "case_id"]),
    invalid("CaseService.AddNote", EMPTY, "INVALID_NOTE", &["request_id", "case_id", "text"]),
    invalid("CaseService.RecordFindings", EMPTY, "INVALID_FINDINGS", &["request_id", "case_id", "findings"]),
    invalid(
        "CaseService.DecideCase",
        EMPTY,
        "INVALID_DECISION",
        &["request_id", "case_id", "outcome", "reasons"],
    ),
    invalid("CaseService.WithdrawCase", EMPTY, "INVALID_WITHDRAWAL", &["request_id", "case_id"]),
    invalid("CaseService.DeclineCase", EMPTY, "INVALID_REFERRAL", &["request_id", "case_id", "referral"]),
    invalid("CaseService.CloseCase", EMPTY, "INVALID_REASON", &["request_id", "case_id", "reason"]),
    invalid("CaseService.ReopenCase", EMPTY, "INVALID_REASON", &["request_id", "case_id", "reason"]),
    invalid("CalendarService.CreateCalendar", EMPTY, "INVALID_CALENDAR", &["request_id", "name", "content"]),
    invalid("CalendarService.UpdateCalendar", EMPTY, "INVALID_CALENDAR", &["request_id", "name", "content"]),
    invalid("CalendarService.ImportHolidays", EMPTY, "INVALID_CALENDAR", &["request_id", "name", "days"]),
    invalid("CalendarService.GetCalendar", EMPTY, "INVALID_CALENDAR_NAME", &["name"]),
    invalid("CalendarService.ListCalendars", BAD_PAGE, "INVALID_LIST", &["page_size"]),
    invalid("ClockService.ListClocks", EMPTY, "INVALID_CASE_ID", &["case_id"]),
    invalid("ClockService.ExplainDeadline", EMPTY, "INVALID_CLOCK", &["case_id", "kind"]),
    invalid(
        "ClockService.PauseClocks",
        EMPTY,
        "INVALID_PAUSE",
        &["request_id", "case_id", "reason", "remark"],
    ),
    invalid("ClockService.ResumeClocks", EMPTY, "INVALID_PAUSE", &["request_id", "case_id", "remark"]),
    invalid(
        "ClockService.RequestExtension",
        EMPTY,
        "INVALID_EXTENSION",
        &["request_id", "case_id", "kind", "amount", "reason"],
    ),
    invalid("ClockService.ApproveExtension", EMPTY, "INVALID_EXTENSION", &["request_id", "extension_id"]),
    invalid(
        "ClockService.RefuseExtension",
        EMPTY,
        "INVALID_EXTENSION",
        &["request_id", "extension_id", "reason"],
    ),
    invalid("ClockService.ListExtensions", EMPTY, "INVALID_CASE_ID", &["case_id"]),
    invalid("PolicyService.CreatePolicy", EMPTY, "INVALID_POLICY", &["request_id", "shipped_pack"]),
    invalid("PolicyService.ActivatePolicy", EMPTY, "INVALID_POLICY", &["request_id", "version"]),
    invalid("PolicyService.GetPolicy", r#"{"version": -1}"#, "INVALID_POLICY", &["version"]),
    invalid("PolicyService.ListPolicies", BAD_PAGE, "INVALID_LIST", &["page_size"]),
    invalid("SearchService.FacetCases", EMPTY, "INVALID_FACETS", &["fields"]),
    invalid("AssignmentService.CreateDepartment", EMPTY, "INVALID_DEPARTMENT", &["request_id", "department"]),
    invalid("AssignmentService.GetDepartment", EMPTY, "INVALID_REQUEST", &["department_id"]),
    invalid("AssignmentService.ListDepartments", BAD_PAGE, "INVALID_LIST", &["page_size"]),
    invalid("AssignmentService.UpdateDepartment", EMPTY, "INVALID_DEPARTMENT", &["request_id", "department"]),
    invalid("AssignmentService.CreateAgent", EMPTY, "INVALID_AGENT", &["request_id", "agent"]),
    invalid("AssignmentService.GetAgent", EMPTY, "INVALID_REQUEST", &["agent_id"]),
    invalid("AssignmentService.ListAgents", BAD_PAGE, "INVALID_LIST", &["page_size"]),
    invalid("AssignmentService.UpdateAgent", EMPTY, "INVALID_AGENT", &["request_id", "agent"]),
    invalid("AssignmentService.GetAssignment", EMPTY, "INVALID_REQUEST", &["case_id"]),
    invalid("AssignmentService.ListQueue", BAD_PAGE, "INVALID_LIST", &["page_size"]),
    invalid("AssignmentService.AssignCase", EMPTY, "INVALID_REQUEST", &["request_id", "case_id"]),
    invalid("AssignmentService.AcceptCase", EMPTY, "INVALID_REQUEST", &["request_id", "case_id", "agent_id"]),
    invalid(
        "AssignmentService.TransferCase",
        EMPTY,
        "INVALID_TRANSFER",
        &["request_id", "case_id", "reason", "department_id"],
    ),
    invalid("AssignmentService.ClaimNext", EMPTY, "INVALID_REQUEST", &["request_id", "agent_id"]),
    invalid("ResolutionService.ProposePlan", EMPTY, "INVALID_PLAN", &["request_id", "case_id", "steps"]),
    invalid("ResolutionService.ApprovePlan", EMPTY, "INVALID_REQUEST", &["request_id", "plan_id"]),
    invalid("ResolutionService.RejectPlan", EMPTY, "INVALID_REASON", &["request_id", "plan_id", "reason"]),
    invalid("ResolutionService.CancelPlan", EMPTY, "INVALID_REASON", &["request_id", "plan_id", "reason"]),
    invalid("ResolutionService.GetPlan", EMPTY, "INVALID_REQUEST", &["plan_id"]),
    invalid("ResolutionService.ListPlans", BAD_PAGE, "INVALID_REQUEST", &["page_size", "case_id"]),
    invalid("ResolutionService.PollTasks", EMPTY, "INVALID_POLL", &["request_id", "department_id", "worker"]),
    invalid("ResolutionService.Heartbeat", EMPTY, "INVALID_HEARTBEAT", &["lease_token", "task_id"]),
    invalid(
        "ResolutionService.CompleteTask",
        EMPTY,
        "INVALID_RESULT",
        &["request_id", "lease_token", "task_id"],
    ),
    invalid(
        "ResolutionService.FailTask",
        EMPTY,
        "INVALID_FAILURE",
        &["request_id", "lease_token", "task_id", "code"],
    ),
    invalid(
        "ResolutionService.RejectTask",
        EMPTY,
        "INVALID_REASON",
        &["request_id", "lease_token", "task_id", "reason"],
    ),
    invalid("ResolutionService.RequeueTask", EMPTY, "INVALID_REASON", &["request_id", "task_id", "reason"]),
    invalid("ResolutionService.GetTask", EMPTY, "INVALID_REQUEST", &["task_id"]),
    invalid("ResolutionService.ListTasks", BAD_PAGE, "INVALID_REQUEST", &["page_size", "case_id"]),
    invalid(
        "FeedbackService.RespondToOutcome",
        EMPTY,
        "INVALID_RESPONSE",
        &["request_id", "case_id", "response"],
    ),
    invalid("FeedbackService.GetFeedback", EMPTY, "INVALID_REQUEST", &["case_id"]),
    invalid("FeedbackService.ListNotices", BAD_PAGE, "INVALID_REQUEST", &["page_size"]),
    invalid("EventFeed.Subscribe", EMPTY, "INVALID_SUBSCRIPTION", &["source"]),
    invalid("EventInbox.ListParkedEvents", BAD_PAGE, "INVALID_LIST", &["page_size"]),
    invalid("EventInbox.RedriveParkedEvents", EMPTY, "INVALID_REDRIVE", &["subject"]),
];

/// Rpcs no request to which is malformed, and why.
pub(super) const NEVER_INVALID: &[(&str, &str)] = &[
    (
        "IntakeService.SubmitComplaints",
        "a row's faults are in its verdict: a_wrong_row_is_refused_by_its_verdict",
    ),
    ("CaseService.CountCases", "the request has no fields"),
    ("CaseService.TrackComplaint", "a code that is wrong in any way is unknown: who guesses learns nothing"),
];

pub(super) const UNKNOWN: &[Unknown] = &[
    unknown("IntakeService.GetComplaint", r#"{"complaint_id": "$ID"}"#, "COMPLAINT_NOT_FOUND"),
    unknown("CaseService.GetCase", CASE, "CASE_NOT_FOUND"),
    unknown("CaseService.WatchCase", CASE, "CASE_NOT_FOUND"),
    unknown("CaseService.GetTimeline", CASE, "CASE_NOT_FOUND"),
    unknown("ClockService.ListClocks", CASE, "CASE_NOT_FOUND"),
    unknown("ClockService.ListExtensions", CASE, "CASE_NOT_FOUND"),
    unknown("PolicyService.ActivatePolicy", r#"{"request_id": "$KEY", "version": 9}"#, "POLICY_NOT_FOUND"),
    unknown("PolicyService.GetPolicy", r#"{"version": 9}"#, "POLICY_NOT_FOUND"),
    unknown(
        "ClockService.PauseClocks",
        r#"{"request_id": "$KEY", "case_id": "$ID", "reason": "PAUSE_REASON_APPRAISAL", "remark": "x"}"#,
        "CASE_NOT_FOUND",
    ),
    unknown(
        "ClockService.ResumeClocks",
        r#"{"request_id": "$KEY", "case_id": "$ID", "remark": "x"}"#,
        "CASE_NOT_FOUND",
    ),
    unknown(
        "ClockService.RequestExtension",
        r#"{"request_id": "$KEY", "case_id": "$ID", "kind": "CLOCK_KIND_DECIDE", "amount": 1, "reason": "x"}"#,
        "CASE_NOT_FOUND",
    ),
    unknown(
        "ClockService.ApproveExtension",
        r#"{"request_id": "$KEY", "extension_id": "$ID"}"#,
        "EXTENSION_NOT_FOUND",
    ),
    unknown(
        "ClockService.RefuseExtension",
        r#"{"request_id": "$KEY", "extension_id": "$ID", "reason": "x"}"#,
        "EXTENSION_NOT_FOUND",
    ),
    unknown(
        "ClockService.ExplainDeadline",
        r#"{"case_id": "$ID", "kind": "CLOCK_KIND_DECIDE"}"#,
        "CASE_NOT_FOUND",
    ),
    unknown(
        "CaseService.AddNote",
        r#"{"request_id": "$KEY", "case_id": "$ID", "text": "x"}"#,
        "CASE_NOT_FOUND",
    ),
    unknown(
        "CaseService.RecordFindings",
        r#"{"request_id": "$KEY", "case_id": "$ID", "findings": "x"}"#,
        "CASE_NOT_FOUND",
    ),
    unknown(
        "CaseService.DecideCase",
        r#"{"request_id": "$KEY", "case_id": "$ID", "outcome": 1, "reasons": "x"}"#,
        "CASE_NOT_FOUND",
    ),
    unknown("CaseService.WithdrawCase", r#"{"request_id": "$KEY", "case_id": "$ID"}"#, "CASE_NOT_FOUND"),
    unknown(
        "CaseService.DeclineCase",
        r#"{"request_id": "$KEY", "case_id": "$ID", "referral": "x"}"#,
        "CASE_NOT_FOUND",
    ),
    unknown(
        "CaseService.CloseCase",
        r#"{"request_id": "$KEY", "case_id": "$ID", "reason": "x"}"#,
        "CASE_NOT_FOUND",
    ),
    unknown(
        "CaseService.ReopenCase",
        r#"{"request_id": "$KEY", "case_id": "$ID", "reason": "x"}"#,
        "CASE_NOT_FOUND",
    ),
    unknown("CaseService.TrackComplaint", r#"{"receipt_code": "0000-0000"}"#, "RECEIPT_CODE_UNKNOWN"),
    unknown(
        "CalendarService.UpdateCalendar",
        r#"{"request_id": "$KEY", "name": "nobodys",
            "content": {"time_zone": "UTC", "hours": {"monday": ["09:00-17:00"]}}}"#,
        "CALENDAR_NOT_FOUND",
    ),
    unknown(
        "CalendarService.ImportHolidays",
        r#"{"request_id": "$KEY", "name": "nobodys", "days": [{"date": "2027-01-01", "kind": 1}]}"#,
        "CALENDAR_NOT_FOUND",
    ),
    unknown("CalendarService.GetCalendar", r#"{"name": "nobodys"}"#, "CALENDAR_NOT_FOUND"),
    unknown("AssignmentService.GetDepartment", r#"{"department_id": "nobody"}"#, "DEPARTMENT_NOT_FOUND"),
    unknown(
        "AssignmentService.UpdateDepartment",
        r#"{"request_id": "$KEY", "department": {"department_id": "nobody", "display_name": "x"}}"#,
        "DEPARTMENT_NOT_FOUND",
    ),
    unknown(
        "AssignmentService.CreateAgent",
        r#"{"request_id": "$KEY", "agent": {"agent_id": "x", "department_id": "nobody", "display_name": "x"}}"#,
        "DEPARTMENT_NOT_FOUND",
    ),
    unknown("AssignmentService.GetAgent", r#"{"agent_id": "nobody"}"#, "AGENT_NOT_FOUND"),
    unknown(
        "AssignmentService.UpdateAgent",
        r#"{"request_id": "$KEY", "agent": {"agent_id": "nobody", "department_id": "x", "display_name": "x"}}"#,
        "AGENT_NOT_FOUND",
    ),
    unknown("AssignmentService.GetAssignment", CASE, "ASSIGNMENT_NOT_FOUND"),
    unknown(
        "AssignmentService.AssignCase",
        r#"{"request_id": "$KEY", "case_id": "$ID"}"#,
        "ASSIGNMENT_NOT_FOUND",
    ),
    unknown(
        "AssignmentService.AcceptCase",
        r#"{"request_id": "$KEY", "case_id": "$ID", "agent_id": "x"}"#,
        "ASSIGNMENT_NOT_FOUND",
    ),
    unknown(
        "AssignmentService.TransferCase",
        r#"{"request_id": "$KEY", "case_id": "$ID", "department_id": "x", "reason": "x"}"#,
        "ASSIGNMENT_NOT_FOUND",
    ),
    unknown(
        "AssignmentService.ClaimNext",
        r#"{"request_id": "$KEY", "agent_id": "nobody"}"#,
        "AGENT_NOT_FOUND",
    ),
    unknown(
        "ResolutionService.ProposePlan",
        r#"{"request_id": "$KEY", "case_id": "$ID", "steps": [{"step_id": "x", "kind": 1, "department_id": "x"}]}"#,
        "CASE_NOT_FOUND",
    ),
    unknown("ResolutionService.ApprovePlan", r#"{"request_id": "$KEY", "plan_id": "$ID"}"#, "PLAN_NOT_FOUND"),
    unknown(
        "ResolutionService.RejectPlan",
        r#"{"request_id": "$KEY", "plan_id": "$ID", "reason": "x"}"#,
        "PLAN_NOT_FOUND",
    ),
    unknown(
        "ResolutionService.CancelPlan",
        r#"{"request_id": "$KEY", "plan_id": "$ID", "reason": "x"}"#,
        "PLAN_NOT_FOUND",
    ),
    unknown("ResolutionService.GetPlan", r#"{"plan_id": "$ID"}"#, "PLAN_NOT_FOUND"),
    unknown("ResolutionService.Heartbeat", r#"{"task_id": "$ID", "lease_token": "$ID"}"#, "TASK_NOT_FOUND"),
    unknown(
        "ResolutionService.CompleteTask",
        r#"{"request_id": "$KEY", "task_id": "$ID", "lease_token": "$ID"}"#,
        "TASK_NOT_FOUND",
    ),
    unknown(
        "ResolutionService.FailTask",
        r#"{"request_id": "$KEY", "task_id": "$ID", "lease_token": "$ID", "code": "X"}"#,
        "TASK_NOT_FOUND",
    ),
    unknown(
        "ResolutionService.RejectTask",
        r#"{"request_id": "$KEY", "task_id": "$ID", "lease_token": "$ID", "reason": "x"}"#,
        "TASK_NOT_FOUND",
    ),
    unknown(
        "ResolutionService.RequeueTask",
        r#"{"request_id": "$KEY", "task_id": "$ID", "reason": "x"}"#,
        "TASK_NOT_FOUND",
    ),
    unknown("ResolutionService.GetTask", r#"{"task_id": "$ID"}"#, "TASK_NOT_FOUND"),
    unknown(
        "FeedbackService.RespondToOutcome",
        r#"{"request_id": "$KEY", "case_id": "$ID", "response": 1}"#,
        "FEEDBACK_NOT_FOUND",
    ),
    unknown("FeedbackService.GetFeedback", CASE, "FEEDBACK_NOT_FOUND"),
    unknown("EventFeed.Subscribe", r#"{"source": "nobody"}"#, "UNKNOWN_SOURCE"),
    unknown("EventInbox.ListParkedEvents", r#"{"consumer": "nobody"}"#, "UNKNOWN_CONSUMER"),
    unknown(
        "EventInbox.RedriveParkedEvents",
        r#"{"consumer": "nobody", "subject": "$ID"}"#,
        "UNKNOWN_CONSUMER",
    ),
];

/// Rpcs that ask for nothing that might not exist, and why.
pub(super) const NEVER_UNKNOWN: &[(&str, &str)] = &[
    ("IntakeService.SubmitComplaint", "makes what it names"),
    ("IntakeService.SubmitComplaints", "makes what it names"),
    ("IntakeService.ListComplaints", "what nothing matches is an empty list"),
    ("CaseService.ListCases", "what nothing matches is an empty list"),
    ("PolicyService.CreatePolicy", "it names nothing that must exist"),
    ("PolicyService.ListPolicies", "no policies are an empty list"),
    ("CaseService.CountCases", "the request has no fields"),
    ("CalendarService.CreateCalendar", "makes what it names"),
    ("CalendarService.ListCalendars", "what nothing matches is an empty list"),
    ("SearchService.FacetCases", "of what nothing matches there are none"),
    ("AssignmentService.CreateDepartment", "makes what it names"),
    ("AssignmentService.ListDepartments", "what nothing matches is an empty list"),
    ("AssignmentService.ListAgents", "what nothing matches is an empty list"),
    ("AssignmentService.ListQueue", "what nothing matches is an empty list"),
    ("ResolutionService.ListPlans", "what nothing matches is an empty list"),
    ("ResolutionService.PollTasks", "a department without tasks has none to hand out"),
    ("ResolutionService.ListTasks", "what nothing matches is an empty list"),
    ("FeedbackService.ListNotices", "what nothing matches is an empty list"),
];
