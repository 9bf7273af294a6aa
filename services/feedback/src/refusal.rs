//! The ways feedback says no.

use fault::Kind;

use crate::obstacle::Obstacle;

/// A refusal of this service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No outcome was told, for this case or this cycle.
    FeedbackNotFound,
    /// The receipt code is wrong in some way.
    ReceiptCodeUnknown,
    /// The cycle's outcome has its answer.
    AlreadyAnswered,
    /// The time to answer has passed, or the case has moved on.
    ResponseWindowClosed,
    /// There is no such notice.
    NoticeNotFound,
    /// No notice of the tenant was sent with this return address.
    BounceUnknown,
    /// The return address is not signed by us, or another mail was returned.
    BounceForged,
    /// Mails have no return address that could be read.
    BouncesNotConfigured,
    /// There is evidence of the notice's delivery already.
    NoticeDelivered,
    /// The notice is still tried.
    NoticePending,
    /// A notice sent now would come to nothing.
    Obstacle(Obstacle),
    /// The notice was sent as often as is allowed.
    TooManySendings,
    /// Nobody knows whom to write to: there is no such case, or not yet.
    ContactNotFound,
    /// The contact was corrected as often as is allowed.
    TooManyCorrections,
    /// No person has a part in a survey.
    NoticeOfSurvey,
    /// No survey has this code.
    SurveyCodeUnknown,
    /// Too many wrong codes of late.
    TooManyGuesses,
    /// The survey has its answer.
    SurveyAnswered,
    /// The survey's time has passed.
    SurveyExpired,
    /// Nobody is to be asked any more.
    SurveyCancelled,
    /// There is no such version.
    QuestionnaireNotFound,
    /// There is no such call-back.
    CallBackNotFound,
    /// The call-back has ended.
    CallBackEnded,
    /// The case is merged or withdrawn: nobody is to be called.
    CallBackUnwanted,
    /// No number of the complainant is known.
    PhoneUnknown,
    /// There is no such version of the policy.
    CallBackPolicyNotFound,
    /// There is no such version of the template.
    TemplateNotFound,
    /// There is no such version of the routing of notices.
    NoticeRoutingNotFound,
    /// The complaint is about the caller.
    CallerRecused,
    /// There are as many versions as is allowed.
    TooManyVersions,
    /// An answer would have more rows than is allowed.
    TooManyGroups,
    /// There is no such signal.
    SignalNotFound,
    /// The signal has been dismissed.
    SignalDismissed,
    /// There is no such problem.
    ProblemNotFound,
    /// One of the cases is unknown.
    ProblemCaseNotFound,
    /// A problem of the same series is open.
    ProblemOpenAlready,
    /// The problem is closed.
    ProblemClosed,
    /// The problem would have more cases than is allowed.
    TooManyProblemCases,
    /// No case of the problem is linked.
    ProblemWithoutCases,
    /// Departments are asked as much about the problem as is allowed.
    TooManyProblemTasks,
    /// The taxonomy has no such root cause.
    RootCauseNotFound,
    /// There is no such version of the taxonomy.
    RootCausesNotFound,
    /// There is no such report.
    ReportNotFound,
    /// The report has no such file, or not yet.
    ReportFileNotFound,
    /// As many reports wait to be made as may.
    TooManyReports,
    /// Facts are being rebuilt: what is there is not all.
    FactsRebuilding,
    /// There is no such version of the mapping.
    ReturnMappingNotFound,
    /// The period of a return has not ended.
    ReturnPeriodOpen,
    /// Facts changed while a return was read.
    ReturnChanged,
    /// There is no such action.
    ImprovementActionNotFound,
    /// The action is done.
    ImprovementActionDone,
    /// The action is not done, or assessed already.
    ImprovementActionNotDone,
    /// Who sees to an action, or did it, does not assess it.
    OwnImprovementAction,
    /// The problem has as many actions as is allowed.
    TooManyImprovementActions,
    /// There is no such review.
    QualityReviewNotFound,
    /// Two have rated the review.
    QualityReviewCompleted,
    /// The caller has rated the review.
    QualityReviewRated,
    /// Who handled a case does not rate it.
    OwnQualityReview,
    /// There is no such version of the policy.
    QualityPolicyNotFound,
    /// There is no such subscription.
    EventSubscriptionNotFound,
    /// The subscription is paused.
    EventSubscriptionPaused,
    /// The subscription is not paused.
    EventSubscriptionNotPaused,
    /// There are as many subscriptions as is allowed.
    TooManyEventSubscriptions,
}

impl fault::Refusal for Refusal {
    fn kind(&self) -> Kind {
        match self {
            Self::FeedbackNotFound
            | Self::ReceiptCodeUnknown
            | Self::NoticeNotFound
            | Self::BounceUnknown
            | Self::ContactNotFound
            | Self::SurveyCodeUnknown
            | Self::QuestionnaireNotFound
            | Self::CallBackNotFound
            | Self::CallBackPolicyNotFound
            | Self::TemplateNotFound
            | Self::NoticeRoutingNotFound
            | Self::SignalNotFound
            | Self::ProblemNotFound
            | Self::ProblemCaseNotFound
            | Self::RootCauseNotFound
            | Self::RootCausesNotFound
            | Self::ReportNotFound
            | Self::ReportFileNotFound
            | Self::ReturnMappingNotFound
            | Self::ImprovementActionNotFound
            | Self::QualityReviewNotFound
            | Self::QualityPolicyNotFound
            | Self::EventSubscriptionNotFound => Kind::NotFound,
            Self::CallerRecused
            | Self::OwnImprovementAction
            | Self::OwnQualityReview
            | Self::BounceForged => Kind::Forbidden,
            Self::TooManyGuesses
            | Self::TooManyVersions
            | Self::TooManyGroups
            | Self::TooManyProblemCases
            | Self::TooManyProblemTasks
            | Self::TooManyReports
            | Self::TooManyImprovementActions
            | Self::TooManyEventSubscriptions => Kind::Exhausted,
            Self::ReturnChanged => Kind::Conflict,
            Self::AlreadyAnswered
            | Self::ResponseWindowClosed
            | Self::BouncesNotConfigured
            | Self::NoticeDelivered
            | Self::NoticePending
            | Self::Obstacle(_)
            | Self::TooManySendings
            | Self::TooManyCorrections
            | Self::NoticeOfSurvey
            | Self::SurveyAnswered
            | Self::SurveyExpired
            | Self::SurveyCancelled
            | Self::CallBackEnded
            | Self::CallBackUnwanted
            | Self::PhoneUnknown
            | Self::SignalDismissed
            | Self::ProblemOpenAlready
            | Self::ProblemClosed
            | Self::ProblemWithoutCases
            | Self::FactsRebuilding
            | Self::ReturnPeriodOpen
            | Self::ImprovementActionDone
            | Self::ImprovementActionNotDone
            | Self::QualityReviewCompleted
            | Self::QualityReviewRated
            | Self::EventSubscriptionPaused
            | Self::EventSubscriptionNotPaused => Kind::Precondition,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::FeedbackNotFound => "FEEDBACK_NOT_FOUND",
            Self::ReceiptCodeUnknown => "RECEIPT_CODE_UNKNOWN",
            Self::AlreadyAnswered => "ALREADY_ANSWERED",
            Self::ResponseWindowClosed => "RESPONSE_WINDOW_CLOSED",
            Self::NoticeNotFound => "NOTICE_NOT_FOUND",
            Self::BounceUnknown => "BOUNCE_UNKNOWN",
            Self::BounceForged => "BOUNCE_FORGED",
            Self::BouncesNotConfigured => "BOUNCES_NOT_CONFIGURED",
            Self::NoticeDelivered => "NOTICE_DELIVERED",
            Self::NoticePending => "NOTICE_PENDING",
            Self::Obstacle(obstacle) => obstacle.reason(),
            Self::TooManySendings => "TOO_MANY_SENDINGS",
            Self::ContactNotFound => "CONTACT_NOT_FOUND",
            Self::TooManyCorrections => "TOO_MANY_CORRECTIONS",
            Self::NoticeOfSurvey => "NOTICE_OF_SURVEY",
            Self::SurveyCodeUnknown => "SURVEY_CODE_UNKNOWN",
            Self::TooManyGuesses => "TOO_MANY_GUESSES",
            Self::SurveyAnswered => "SURVEY_ANSWERED",
            Self::SurveyExpired => "SURVEY_EXPIRED",
            Self::SurveyCancelled => "SURVEY_CANCELLED",
            Self::QuestionnaireNotFound => "QUESTIONNAIRE_NOT_FOUND",
            Self::CallBackNotFound => "CALL_BACK_NOT_FOUND",
            Self::CallBackEnded => "CALL_BACK_ENDED",
            Self::CallBackUnwanted => "CALL_BACK_UNWANTED",
            Self::PhoneUnknown => "PHONE_UNKNOWN",
            Self::CallBackPolicyNotFound => "CALL_BACK_POLICY_NOT_FOUND",
            Self::TemplateNotFound => "TEMPLATE_NOT_FOUND",
            Self::NoticeRoutingNotFound => "NOTICE_ROUTING_NOT_FOUND",
            Self::CallerRecused => "CALLER_RECUSED",
            Self::TooManyVersions => "TOO_MANY_VERSIONS",
            Self::TooManyGroups => "TOO_MANY_GROUPS",
            Self::SignalNotFound => "SIGNAL_NOT_FOUND",
            Self::SignalDismissed => "SIGNAL_DISMISSED",
            Self::ProblemNotFound => "PROBLEM_NOT_FOUND",
            Self::ProblemCaseNotFound => "PROBLEM_CASE_NOT_FOUND",
            Self::ProblemOpenAlready => "PROBLEM_OPEN_ALREADY",
            Self::ProblemClosed => "PROBLEM_CLOSED",
            Self::TooManyProblemCases => "TOO_MANY_PROBLEM_CASES",
            Self::ProblemWithoutCases => "PROBLEM_WITHOUT_CASES",
            Self::TooManyProblemTasks => "TOO_MANY_PROBLEM_TASKS",
            Self::RootCauseNotFound => "ROOT_CAUSE_NOT_FOUND",
            Self::RootCausesNotFound => "ROOT_CAUSES_NOT_FOUND",
            Self::ReportNotFound => "REPORT_NOT_FOUND",
            Self::ReportFileNotFound => "REPORT_FILE_NOT_FOUND",
            Self::TooManyReports => "TOO_MANY_REPORTS",
            Self::FactsRebuilding => "FACTS_REBUILDING",
            Self::ReturnMappingNotFound => "RETURN_MAPPING_NOT_FOUND",
            Self::ReturnPeriodOpen => "RETURN_PERIOD_OPEN",
            Self::ReturnChanged => "RETURN_CHANGED",
            Self::ImprovementActionNotFound => "IMPROVEMENT_ACTION_NOT_FOUND",
            Self::ImprovementActionDone => "IMPROVEMENT_ACTION_DONE",
            Self::ImprovementActionNotDone => "IMPROVEMENT_ACTION_NOT_DONE",
            Self::OwnImprovementAction => "OWN_IMPROVEMENT_ACTION",
            Self::TooManyImprovementActions => "TOO_MANY_IMPROVEMENT_ACTIONS",
            Self::QualityReviewNotFound => "QUALITY_REVIEW_NOT_FOUND",
            Self::QualityReviewCompleted => "QUALITY_REVIEW_COMPLETED",
            Self::QualityReviewRated => "QUALITY_REVIEW_RATED",
            Self::OwnQualityReview => "OWN_QUALITY_REVIEW",
            Self::QualityPolicyNotFound => "QUALITY_POLICY_NOT_FOUND",
            Self::EventSubscriptionNotFound => "EVENT_SUBSCRIPTION_NOT_FOUND",
            Self::EventSubscriptionPaused => "EVENT_SUBSCRIPTION_PAUSED",
            Self::EventSubscriptionNotPaused => "EVENT_SUBSCRIPTION_NOT_PAUSED",
            Self::TooManyEventSubscriptions => "TOO_MANY_EVENT_SUBSCRIPTIONS",
        }
    }
}

/// What keeps a notice from being sent, as a sentence.
fn in_the_way(obstacle: Obstacle) -> &'static str {
    match obstacle {
        Obstacle::Anonymous | Obstacle::NoAddress => {
            "no address is known that it can be sent to; correct the contact, or record that they were told"
        }
        Obstacle::OwnAddress => "the address is the organisation's own",
        Obstacle::AutomaticSender | Obstacle::AutomaticMessage => "only programs write from this address",
        Obstacle::NoTransport => "no means that it could go by is configured",
        Obstacle::TemplateStopped => "the template could not write it",
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::FeedbackNotFound => "no outcome was told for this case and cycle",
            Self::ReceiptCodeUnknown => "this receipt code is not known",
            Self::AlreadyAnswered => "the outcome of this cycle has been answered",
            Self::ResponseWindowClosed => "the time to answer this outcome is over",
            Self::NoticeNotFound => "there is no such notice",
            Self::BounceUnknown => "no notice was sent with this return address",
            Self::BounceForged => "the return address is not ours, or another mail was returned",
            Self::BouncesNotConfigured => {
                "REDRESS_NOTICE_BOUNCE_ADDRESS names no mailbox that mail comes back to"
            }
            Self::NoticeDelivered => "there is evidence already that this notice was delivered",
            Self::NoticePending => "delivery of this notice is still tried",
            Self::Obstacle(obstacle) => in_the_way(*obstacle),
            Self::TooManySendings => "this notice was sent as often as is allowed",
            Self::ContactNotFound => "nobody knows yet whom to write to about this case",
            Self::TooManyCorrections => "this contact was corrected as often as is allowed",
            Self::NoticeOfSurvey => "surveys are sent and answered without anybody's doing",
            Self::SurveyCodeUnknown => "no survey has this code",
            Self::TooManyGuesses => "too many wrong codes; wait a moment",
            Self::SurveyAnswered => "this survey has been answered",
            Self::SurveyExpired => "the time to answer this survey is over",
            Self::SurveyCancelled => "this survey takes no answer any more: its case has ended otherwise",
            Self::QuestionnaireNotFound => "there is no such version of the questionnaire",
            Self::CallBackNotFound => "there is no such call-back",
            Self::CallBackEnded => "this call-back has ended",
            Self::CallBackUnwanted => "the case is merged or withdrawn: nobody is called about it",
            Self::PhoneUnknown => "no number of the complainant is known; name one",
            Self::TemplateNotFound => "there is no such version of the template",
            Self::NoticeRoutingNotFound => "there is no such version of the routing of notices",
            Self::CallerRecused => "the complaint is about you; somebody else must do this",
            Self::TooManyVersions => "there are as many versions as is allowed",
            Self::TooManyGroups => "the answer would have too many rows; ask for fewer parts or groups",
            Self::SignalNotFound => "there is no such signal",
            Self::SignalDismissed => "this signal has been dismissed",
            Self::ProblemNotFound => "there is no such problem",
            Self::ProblemCaseNotFound => "one of these cases is unknown",
            Self::ProblemOpenAlready => "a problem of the same series is open",
            Self::ProblemClosed => "this problem is closed",
            Self::TooManyProblemCases => "the problem would have too many cases",
            Self::ProblemWithoutCases => "no case of this problem is linked: a department's task is in one",
            Self::TooManyProblemTasks => "departments are asked as much about this problem as is allowed",
            Self::RootCauseNotFound => "the taxonomy has no such root cause",
            Self::RootCausesNotFound => "there is no such version of the root causes",
            Self::ReportNotFound => "there is no such report",
            Self::ReportFileNotFound => "the report has no such file, or not yet",
            Self::TooManyReports => "as many reports wait to be made as may; wait for one",
            Self::FactsRebuilding => "the facts are being rebuilt, not all are there; ask again later",
            Self::ReturnMappingNotFound => "there is no such version of the mapping",
            Self::ReturnPeriodOpen => "the period of this return has not ended; check it until then",
            Self::ReturnChanged => "facts changed while this return was read; ask for it again",
            Self::ImprovementActionNotFound => "there is no such action",
            Self::ImprovementActionDone => "this action is done",
            Self::ImprovementActionNotDone => "this action is not done, or assessed already",
            Self::OwnImprovementAction => "somebody else must assess this action",
            Self::TooManyImprovementActions => "this problem has as many actions as is allowed",
            Self::QualityReviewNotFound => "there is no such review",
            Self::QualityReviewCompleted => "two have rated this review",
            Self::QualityReviewRated => "you have rated this review",
            Self::OwnQualityReview => "somebody who did not handle this case must rate it",
            Self::CallBackPolicyNotFound | Self::QualityPolicyNotFound => {
                "there is no such version of the policy"
            }
            Self::EventSubscriptionNotFound => "there is no such subscription",
            Self::EventSubscriptionPaused => "this subscription is paused",
            Self::EventSubscriptionNotPaused => "this subscription is not paused",
            Self::TooManyEventSubscriptions => "there are as many subscriptions as is allowed; delete one",
        })
    }
}
