//! The ways feedback says no.

use fault::Kind;

use crate::notice::Obstacle;

/// A refusal of this service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No outcome was told, for this case or this cycle.
    FeedbackNotFound,
    /// The cycle's outcome has its answer.
    AlreadyAnswered,
    /// The time to answer has passed, or the case has moved on.
    ResponseWindowClosed,
    /// There is no such notice.
    NoticeNotFound,
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
    /// There is no such version of the policy.
    CallBackPolicyNotFound,
    /// There is no such version of the template.
    TemplateNotFound,
    /// The complaint is about the caller.
    CallerRecused,
    /// There are as many versions as is allowed.
    TooManyVersions,
    /// An answer would have more rows than is allowed.
    TooManyGroups,
    /// There is no such report.
    ReportNotFound,
    /// The report has no such file, or not yet.
    ReportFileNotFound,
    /// As many reports wait to be made as may.
    TooManyReports,
}

impl fault::Refusal for Refusal {
    fn kind(&self) -> Kind {
        match self {
            Self::FeedbackNotFound
            | Self::NoticeNotFound
            | Self::ContactNotFound
            | Self::SurveyCodeUnknown
            | Self::QuestionnaireNotFound
            | Self::CallBackNotFound
            | Self::CallBackPolicyNotFound
            | Self::TemplateNotFound
            | Self::ReportNotFound
            | Self::ReportFileNotFound => Kind::NotFound,
            Self::CallerRecused => Kind::Forbidden,
            Self::TooManyGuesses | Self::TooManyVersions | Self::TooManyGroups | Self::TooManyReports => {
                Kind::Exhausted
            }
            Self::AlreadyAnswered
            | Self::ResponseWindowClosed
            | Self::NoticeDelivered
            | Self::NoticePending
            | Self::Obstacle(_)
            | Self::TooManySendings
            | Self::TooManyCorrections
            | Self::NoticeOfSurvey
            | Self::SurveyAnswered
            | Self::SurveyExpired
            | Self::SurveyCancelled
            | Self::CallBackEnded => Kind::Precondition,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::FeedbackNotFound => "FEEDBACK_NOT_FOUND",
            Self::AlreadyAnswered => "ALREADY_ANSWERED",
            Self::ResponseWindowClosed => "RESPONSE_WINDOW_CLOSED",
            Self::NoticeNotFound => "NOTICE_NOT_FOUND",
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
            Self::CallBackPolicyNotFound => "CALL_BACK_POLICY_NOT_FOUND",
            Self::TemplateNotFound => "TEMPLATE_NOT_FOUND",
            Self::CallerRecused => "CALLER_RECUSED",
            Self::TooManyVersions => "TOO_MANY_VERSIONS",
            Self::TooManyGroups => "TOO_MANY_GROUPS",
            Self::ReportNotFound => "REPORT_NOT_FOUND",
            Self::ReportFileNotFound => "REPORT_FILE_NOT_FOUND",
            Self::TooManyReports => "TOO_MANY_REPORTS",
        }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::FeedbackNotFound => "no outcome was told for this case and cycle",
            Self::AlreadyAnswered => "the outcome of this cycle has been answered",
            Self::ResponseWindowClosed => "the time to answer this outcome is over",
            Self::NoticeNotFound => "there is no such notice",
            Self::NoticeDelivered => "there is evidence already that this notice was delivered",
            Self::NoticePending => "delivery of this notice is still tried",
            Self::Obstacle(Obstacle::Anonymous | Obstacle::NoAddress) => {
                "no e-mail address is known; correct the contact, or record that they were told"
            }
            Self::Obstacle(Obstacle::OwnAddress) => "the address is the organisation's own",
            Self::Obstacle(Obstacle::AutomaticSender | Obstacle::AutomaticMessage) => {
                "only programs write from this address"
            }
            Self::Obstacle(Obstacle::NoTransport) => "no mail server is configured",
            Self::Obstacle(Obstacle::TemplateStopped) => "the template could not write it",
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
            Self::CallBackPolicyNotFound => "there is no such version of the policy",
            Self::TemplateNotFound => "there is no such version of the template",
            Self::CallerRecused => "the complaint is about you; somebody else must do this",
            Self::TooManyVersions => "there are as many versions as is allowed",
            Self::TooManyGroups => "the answer would have too many rows; ask for fewer parts or groups",
            Self::ReportNotFound => "there is no such report",
            Self::ReportFileNotFound => "the report has no such file, or not yet",
            Self::TooManyReports => "as many reports wait to be made as may; wait for one",
        })
    }
}
