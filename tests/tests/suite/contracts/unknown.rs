//! The requests for what does not exist, by rpc: one line each, or the reason why
//! there is none.

/// An rpc, a request for what does not exist, and how it is refused. `$ID` is an
/// id of nothing, `$KEY` a request id that was never used.
pub(super) struct Unknown {
    pub(super) rpc: &'static str,
    pub(super) request: &'static str,
    pub(super) reason: &'static str,
}

pub(super) const fn unknown(rpc: &'static str, request: &'static str, reason: &'static str) -> Unknown {
    Unknown { rpc, request, reason }
}

const CASE: &str = r#"{"case_id": "$ID"}"#;
const OF_CASE: &str = r#"{"request_id": "$KEY", "case_id": "$ID", "reason": "x"}"#;
const PRIORITY: &str = r#"{"request_id": "$KEY", "case_id": "$ID", "priority": 1, "reason": "x"}"#;
const REPLY: &str = r#"{"request_id": "$KEY", "case_id": "$ID", "text": "x", "reason": "x"}"#;

/// Ends a recall that there is not.
const END_RECALL: &str = r#"{"request_id": "$KEY", "recall_id": "$ID", "reason": "x"}"#;

pub(super) const UNKNOWN: &[Unknown] = &[
    unknown("IntakeService.GetComplaint", r#"{"complaint_id": "$ID"}"#, "COMPLAINT_NOT_FOUND"),
    unknown("FormService.GetForm", r#"{"category": "nothing"}"#, "FORM_NOT_FOUND"),
    unknown("FormService.ValidateForm", r#"{"category": "nothing"}"#, "FORM_NOT_FOUND"),
    unknown(
        "FormService.AddInformation",
        r#"{"request_id": "$KEY", "complaint_id": "$ID", "source": 1, "text": "x"}"#,
        "COMPLAINT_NOT_FOUND",
    ),
    unknown("FormService.GetInformation", r#"{"complaint_id": "$ID"}"#, "COMPLAINT_NOT_FOUND"),
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
    unknown("ClockService.SendHoldingReply", REPLY, "CASE_NOT_FOUND"),
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
    unknown("CaseService.CloseCase", OF_CASE, "CASE_NOT_FOUND"),
    unknown("CaseService.ReopenCase", OF_CASE, "CASE_NOT_FOUND"),
    unknown("CaseService.TrackComplaint", r#"{"receipt_code": "0000-0000"}"#, "RECEIPT_CODE_UNKNOWN"),
    unknown(
        "ClassifierService.ActivateClassifier",
        r#"{"request_id": "$KEY", "version": 7}"#,
        "CLASSIFIER_NOT_FOUND",
    ),
    unknown("ClassifierService.GetClassifier", "{}", "CLASSIFIER_NOT_FOUND"),
    unknown("ClassifierService.ClassifyText", r#"{"text": "x"}"#, "CLASSIFIER_NOT_FOUND"),
    unknown(
        "ClassifierService.ConfirmCategory",
        r#"{"request_id": "$KEY", "case_id": "$ID", "category": "x"}"#,
        "CASE_NOT_FOUND",
    ),
    unknown("ClassifierService.GetReading", CASE, "CASE_NOT_FOUND"),
    unknown("TriageService.GetRuleSet", r#"{"version": 7}"#, "RULE_SET_NOT_FOUND"),
    unknown("TriageService.ActivateRuleSet", r#"{"request_id": "$KEY", "version": 7}"#, "RULE_SET_NOT_FOUND"),
    unknown("TriageService.ReplayRules", r#"{"version": 7}"#, "RULE_SET_NOT_FOUND"),
    unknown("TriageService.RetriageCase", r#"{"request_id": "$KEY", "case_id": "$ID"}"#, "CASE_NOT_FOUND"),
    unknown("TriageService.RaisePriority", PRIORITY, "CASE_NOT_FOUND"),
    unknown("TriageService.LowerPriority", PRIORITY, "CASE_NOT_FOUND"),
    unknown(
        "DecisionService.CorrectDecision",
        r#"{"request_id": "$KEY", "case_id": "$ID", "outcome": 1, "reasons": "x", "reason": "x"}"#,
        "CASE_NOT_FOUND",
    ),
    unknown(
        "DecisionService.ConfirmCorrection",
        r#"{"request_id": "$KEY", "correction_id": "$ID"}"#,
        "CORRECTION_NOT_FOUND",
    ),
    unknown(
        "DecisionService.RefuseCorrection",
        r#"{"request_id": "$KEY", "correction_id": "$ID", "reason": "x"}"#,
        "CORRECTION_NOT_FOUND",
    ),
    unknown("DecisionService.ListCorrections", CASE, "CASE_NOT_FOUND"),
    unknown("TriageService.ExplainTriage", CASE, "CASE_NOT_FOUND"),
    unknown("CategoryService.GetCategory", r#"{"path": "nothing"}"#, "CATEGORY_NOT_FOUND"),
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
    unknown("ComplainantService.GetComplainantHistory", CASE, "CASE_NOT_FOUND"),
    unknown("DirectoryService.GetCaseDirectory", CASE, "CASE_NOT_FOUND"),
    unknown("DirectoryService.GetDirectory", "{}", "DIRECTORY_NOT_FOUND"),
    unknown("DirectoryService.DeleteDirectory", r#"{"request_id": "$KEY"}"#, "DIRECTORY_NOT_FOUND"),
    unknown("LinkService.ListLinks", CASE, "CASE_NOT_FOUND"),
    unknown(
        "LinkService.LinkCases",
        r#"{"request_id": "$KEY", "case_id": "$ID", "other_case_id": "01890000-0000-7000-8000-000000000001", "kind": 1}"#,
        "CASE_NOT_FOUND",
    ),
    unknown(
        "LinkService.UnlinkCases",
        r#"{"request_id": "$KEY", "case_id": "$ID", "other_case_id": "01890000-0000-7000-8000-000000000001"}"#,
        "CASE_NOT_FOUND",
    ),
    unknown(
        "LinkService.MergeCase",
        r#"{"request_id": "$KEY", "case_id": "$ID", "into_case_id": "01890000-0000-7000-8000-000000000001", "reason": "x"}"#,
        "CASE_NOT_FOUND",
    ),
    unknown("LinkService.UnmergeCase", OF_CASE, "CASE_NOT_FOUND"),
    unknown("LinkService.FindSimilarCases", CASE, "CASE_NOT_FOUND"),
    unknown(
        "GroupService.CreateGroup",
        r#"{"request_id": "$KEY", "title": "x", "case_ids": ["$ID"]}"#,
        "CASE_NOT_FOUND",
    ),
    unknown(
        "GroupService.AddToGroup",
        r#"{"request_id": "$KEY", "group_id": "$ID", "case_ids": ["$ID"]}"#,
        "GROUP_NOT_FOUND",
    ),
    unknown(
        "GroupService.RemoveFromGroup",
        r#"{"request_id": "$KEY", "group_id": "$ID", "case_id": "$ID"}"#,
        "GROUP_NOT_FOUND",
    ),
    unknown("GroupService.GetGroup", r#"{"group_id": "$ID"}"#, "GROUP_NOT_FOUND"),
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
        "AssignmentService.DeclineAssignment",
        r#"{"request_id": "$KEY", "case_id": "$ID", "agent_id": "x", "reason": "x"}"#,
        "ASSIGNMENT_NOT_FOUND",
    ),
    unknown(
        "RosterService.RecordAbsence",
        r#"{"request_id": "$KEY", "agent_id": "nobody"}"#,
        "AGENT_NOT_FOUND",
    ),
    unknown(
        "RosterService.OffboardAgent",
        r#"{"request_id": "$KEY", "agent_id": "nobody", "reason": "x"}"#,
        "AGENT_NOT_FOUND",
    ),
    unknown(
        "RosterService.RemoveAgent",
        r#"{"request_id": "$KEY", "agent_id": "nobody"}"#,
        "AGENT_NOT_FOUND",
    ),
    unknown(
        "RoutingService.ActivateRoutingPolicy",
        r#"{"request_id": "$KEY", "version": 9}"#,
        "ROUTING_POLICY_NOT_FOUND",
    ),
    unknown("RoutingService.GetRoutingPolicy", r#"{"version": 9}"#, "ROUTING_POLICY_NOT_FOUND"),
    unknown("RoutingService.ExplainAssignment", CASE, "ASSIGNMENT_NOT_FOUND"),
    unknown("RoutingService.ReplayRouting", r#"{"department_id": "nobody"}"#, "DEPARTMENT_NOT_FOUND"),
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
        "ResolutionService.PollTasks",
        r#"{"request_id": "$KEY", "department_id": "nowhere", "worker": "w"}"#,
        "DEPARTMENT_NOT_FOUND",
    ),
    unknown(
        "ResolutionService.StreamTasks",
        r#"{"request_id": "$KEY", "department_id": "nowhere", "worker": "w", "credits": 1}"#,
        "DEPARTMENT_NOT_FOUND",
    ),
    unknown("ResolutionService.ListTasks", r#"{"department_id": "nowhere"}"#, "DEPARTMENT_NOT_FOUND"),
    unknown(
        "ResolutionService.SettleTask",
        r#"{"request_id": "$KEY", "task_id": "$ID", "reason": "x"}"#,
        "TASK_NOT_FOUND",
    ),
    unknown(
        "ResolutionService.RequeueTask",
        r#"{"request_id": "$KEY", "task_id": "$ID", "reason": "x"}"#,
        "TASK_NOT_FOUND",
    ),
    unknown(
        "ApprovalService.ActivateApprovalPolicy",
        r#"{"request_id": "$KEY", "version": 9}"#,
        "APPROVAL_POLICY_NOT_FOUND",
    ),
    unknown("ApprovalService.GetApprovalPolicy", r#"{"version": 9}"#, "APPROVAL_POLICY_NOT_FOUND"),
    unknown("ApprovalService.ReplayApprovals", r#"{"version": 9}"#, "APPROVAL_POLICY_NOT_FOUND"),
    unknown(
        "ApprovalService.RevokeDelegation",
        r#"{"request_id": "$KEY", "delegation_id": "$ID"}"#,
        "DELEGATION_NOT_FOUND",
    ),
    unknown(
        "ProposalService.RequestTaskExtension",
        r#"{"request_id": "$KEY", "task_id": "$ID", "due_time": "2126-01-01T00:00:00Z", "reason": "x"}"#,
        "TASK_NOT_FOUND",
    ),
    unknown(
        "ProposalService.ProposeTaskCompletion",
        r#"{"request_id": "$KEY", "task_id": "$ID", "reason": "x"}"#,
        "TASK_NOT_FOUND",
    ),
    unknown(
        "ProposalService.ApproveTaskProposal",
        r#"{"request_id": "$KEY", "proposal_id": "$ID"}"#,
        "PROPOSAL_NOT_FOUND",
    ),
    unknown(
        "ProposalService.RefuseTaskProposal",
        r#"{"request_id": "$KEY", "proposal_id": "$ID", "reason": "x"}"#,
        "PROPOSAL_NOT_FOUND",
    ),
    unknown(
        "DepartmentService.GetDepartmentQueue",
        r#"{"department_id": "nowhere"}"#,
        "DEPARTMENT_NOT_FOUND",
    ),
    unknown(
        "DepartmentService.PauseDepartment",
        r#"{"request_id": "$KEY", "department_id": "nowhere", "reason": "x"}"#,
        "DEPARTMENT_NOT_FOUND",
    ),
    unknown(
        "DepartmentService.ResumeDepartment",
        r#"{"request_id": "$KEY", "department_id": "nowhere", "reason": "x"}"#,
        "DEPARTMENT_NOT_FOUND",
    ),
    unknown(
        "InvestigationService.RequestInvestigation",
        r#"{"request_id": "$KEY", "case_id": "$ID", "department_id": "x", "inquiry": 1, "question": "x"}"#,
        "CASE_NOT_FOUND",
    ),
    unknown(
        "InvestigationService.CancelInvestigation",
        r#"{"request_id": "$KEY", "task_id": "$ID", "reason": "x"}"#,
        "TASK_NOT_FOUND",
    ),
    unknown(
        "StockService.ReportShortage",
        r#"{"request_id": "$KEY", "task_id": "$ID", "lease_token": "$ID", "expect_time": "2126-01-01T00:00:00Z"}"#,
        "TASK_NOT_FOUND",
    ),
    unknown("RecallService.GetRecall", r#"{"recall_id": "$ID"}"#, "RECALL_NOT_FOUND"),
    unknown(
        "RecallService.AddRecallCases",
        r#"{"request_id": "$KEY", "recall_id": "$ID", "case_ids": ["$ID"]}"#,
        "RECALL_NOT_FOUND",
    ),
    unknown("RecallService.CloseRecall", END_RECALL, "RECALL_NOT_FOUND"),
    unknown("RecallService.CancelRecall", END_RECALL, "RECALL_NOT_FOUND"),
    unknown(
        "SupervisionService.GetDepartmentBoard",
        r#"{"department_id": "nowhere"}"#,
        "DEPARTMENT_NOT_FOUND",
    ),
    unknown(
        "EndpointService.SetEndpoint",
        r#"{"request_id": "$KEY", "department_id": "nowhere", "kind": 1, "url": "https://example.com"}"#,
        "DEPARTMENT_NOT_FOUND",
    ),
    unknown("EndpointService.GetEndpoint", r#"{"department_id": "nowhere"}"#, "ENDPOINT_NOT_FOUND"),
    unknown(
        "EndpointService.RotateEndpointSecret",
        r#"{"request_id": "$KEY", "department_id": "nowhere", "secret": "x"}"#,
        "ENDPOINT_NOT_FOUND",
    ),
    unknown(
        "EndpointService.PauseEndpoint",
        r#"{"request_id": "$KEY", "department_id": "nowhere", "reason": "x"}"#,
        "ENDPOINT_NOT_FOUND",
    ),
    unknown(
        "EndpointService.ResumeEndpoint",
        r#"{"request_id": "$KEY", "department_id": "nowhere", "reason": "x"}"#,
        "ENDPOINT_NOT_FOUND",
    ),
    unknown(
        "EndpointService.DeleteEndpoint",
        r#"{"request_id": "$KEY", "department_id": "nowhere"}"#,
        "ENDPOINT_NOT_FOUND",
    ),
    unknown("EndpointService.ListDeliveries", r#"{"task_id": "$ID"}"#, "TASK_NOT_FOUND"),
    unknown("EndpointService.RedeliverTask", r#"{"request_id": "$KEY", "task_id": "$ID"}"#, "TASK_NOT_FOUND"),
    unknown(
        "RemedyTypeService.SetRemedyType",
        r#"{"request_id": "$KEY", "remedy_type": {"type_id": "x", "title": "x", "department_id": "nowhere",
            "input_schema": "{\"type\": \"object\"}", "result_schema": "{\"type\": \"object\"}"}}"#,
        "DEPARTMENT_NOT_FOUND",
    ),
    unknown("RemedyTypeService.GetRemedyType", r#"{"type_id": "x"}"#, "REMEDY_TYPE_NOT_FOUND"),
    unknown(
        "RemedyTypeService.DisableRemedyType",
        r#"{"request_id": "$KEY", "type_id": "x"}"#,
        "REMEDY_TYPE_NOT_FOUND",
    ),
    unknown("ResolutionService.GetTask", r#"{"task_id": "$ID"}"#, "TASK_NOT_FOUND"),
    unknown("LedgerService.ListLedgerEntries", r#"{"department_id": "nowhere"}"#, "DEPARTMENT_NOT_FOUND"),
    unknown(
        "LedgerService.ReconcileStatement",
        r#"{"request_id": "$KEY", "department_id": "nowhere", "start_day": "2026-01-01", "end_day": "2026-01-31"}"#,
        "DEPARTMENT_NOT_FOUND",
    ),
    unknown(
        "LedgerService.ListReconciledRows",
        r#"{"reconciliation_id": "$ID"}"#,
        "RECONCILIATION_NOT_FOUND",
    ),
    unknown(
        "LedgerService.ListBalances",
        r#"{"department_id": "nowhere", "start_day": "2026-01-01", "end_day": "2026-01-31"}"#,
        "DEPARTMENT_NOT_FOUND",
    ),
    unknown(
        "FeedbackService.RespondToOutcome",
        r#"{"request_id": "$KEY", "case_id": "$ID", "response": 1}"#,
        "FEEDBACK_NOT_FOUND",
    ),
    unknown("FeedbackService.GetFeedback", CASE, "FEEDBACK_NOT_FOUND"),
    unknown(
        "FeedbackService.RecordNotice",
        r#"{"request_id": "$KEY", "notice_id": "$ID", "means": 2, "tell_time": "2026-01-01T00:00:00Z", "evidence": "x"}"#,
        "NOTICE_NOT_FOUND",
    ),
    unknown(
        "FeedbackService.ResendNotice",
        r#"{"request_id": "$KEY", "notice_id": "$ID", "reason": "x"}"#,
        "NOTICE_NOT_FOUND",
    ),
    unknown("FeedbackService.GetContact", CASE, "CONTACT_NOT_FOUND"),
    unknown("FeedbackService.CorrectContact", OF_CASE, "CONTACT_NOT_FOUND"),
    unknown(
        "SurveyService.ActivateQuestionnaire",
        r#"{"request_id": "$KEY", "version": 7}"#,
        "QUESTIONNAIRE_NOT_FOUND",
    ),
    unknown(
        "NoticeRoutingService.ActivateNoticeRouting",
        r#"{"request_id": "$KEY", "version": 7}"#,
        "NOTICE_ROUTING_NOT_FOUND",
    ),
    unknown("NoticeRoutingService.GetNoticeRouting", r#"{"version": 7}"#, "NOTICE_ROUTING_NOT_FOUND"),
    unknown("SurveyService.GetQuestionnaire", r#"{"version": 7}"#, "QUESTIONNAIRE_NOT_FOUND"),
    unknown("SurveyService.GetSurvey", r#"{"survey_code": "x"}"#, "SURVEY_CODE_UNKNOWN"),
    unknown(
        "SurveyService.SubmitSurvey",
        r#"{"request_id": "$KEY", "survey_code": "x", "answer": {"handling": 1}}"#,
        "SURVEY_CODE_UNKNOWN",
    ),
    unknown(
        "CallBackService.ActivateCallBackPolicy",
        r#"{"request_id": "$KEY", "version": 7}"#,
        "CALL_BACK_POLICY_NOT_FOUND",
    ),
    unknown("CallBackService.GetCallBackPolicy", r#"{"version": 7}"#, "CALL_BACK_POLICY_NOT_FOUND"),
    unknown(
        "CallBackService.RecordCallBackAttempt",
        r#"{"request_id": "$KEY", "call_back_id": "$ID", "outcome": 2}"#,
        "CALL_BACK_NOT_FOUND",
    ),
    unknown(
        "TemplateService.ActivateTemplate",
        r#"{"request_id": "$KEY", "kind": 1, "language": "en", "version": 7}"#,
        "TEMPLATE_NOT_FOUND",
    ),
    unknown(
        "TemplateService.GetTemplate",
        r#"{"kind": 1, "language": "en", "version": 7}"#,
        "TEMPLATE_NOT_FOUND",
    ),
    unknown("EventFeed.Subscribe", r#"{"source": "nobody"}"#, "UNKNOWN_SOURCE"),
    unknown("EventInbox.ListParkedEvents", r#"{"consumer": "nobody"}"#, "UNKNOWN_CONSUMER"),
    unknown(
        "EventInbox.RedriveParkedEvents",
        r#"{"consumer": "nobody", "subject": "$ID"}"#,
        "UNKNOWN_CONSUMER",
    ),
];
