//! The rpcs of which no request is wrong, each with the reason why.

/// Rpcs no request to which is malformed, and why.
/// Rpcs no request to which is malformed, and why.
pub(super) const NEVER_INVALID: &[(&str, &str)] = &[
    (
        "IntakeService.SubmitComplaints",
        "a row's faults are in its verdict: a_wrong_row_is_refused_by_its_verdict",
    ),
    ("AttachmentService.GetAttachmentSettings", "the request has no fields"),
    ("ChannelService.ListChannelSettings", "the request has no fields"),
    ("MailboxService.ListMailboxes", "the request has no fields"),
    ("WebhookSourceService.ListWebhookSources", "the request has no fields"),
    ("FileDropService.ListFileDrops", "the request has no fields"),
    ("CaseService.CountCases", "the request has no fields"),
    ("DirectoryService.GetDirectory", "the request has no fields"),
    ("GroupService.GetGroupPolicy", "the request has no fields"),
    ("ResolutionService.GetApprovalLimits", "the request has no fields"),
    ("SupervisionService.GetSupervision", "the request has no fields"),
    ("ReportService.GetReportSchedules", "the request has no fields"),
    ("EventSubscriptionService.ListEventSubscriptions", "the request has no fields"),
    ("KpiService.ListKpis", "the request has no fields"),
    ("KpiService.GetKpiSettings", "the request has no fields"),
    ("KpiService.GetFactState", "the request has no fields"),
    ("SignalService.GetSignalSettings", "the request has no fields"),
    ("TemplateService.GetQuietHours", "the request has no fields"),
    ("SurveyService.GetSurvey", "a code that is wrong in any way is unknown: who guesses learns nothing"),
    ("CaseService.TrackComplaint", "a code that is wrong in any way is unknown: who guesses learns nothing"),
];
