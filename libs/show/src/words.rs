//! The contracts' enums as words: `CASE_STATE_OUT_OF_SCOPE` is `out of scope`, and
//! is written `out-of-scope` on the command line.

use proto::redress::assignment::v1::{AssignmentState, Barrier, EarlierHandler, Escalation, Presence};
use proto::redress::cases::v1::{
    ArticleMatch, ArticleState, CalendarDayKind, CaseChallenge, CaseState, ClockKind, ClockState,
    CloseReason, ComplainantIdentifier, CorrectionState, DirectoryKind, DirectoryPart, EmotionLevel,
    ExtensionState, IntervalKind, Level, LinkKind, LinkStanding, MoodTrend, Observance, Outcome, PauseReason,
    PersonalDetailKind, Priority, RungAction, Threat, TimelineKind, TrainingCaseState, Visibility,
};
use proto::redress::event::v1::Lane;
use proto::redress::feedback::v1::{
    CallBackCause, CallBackOutcome, CallBackPhone, CallBackState, DeliveryAction, EventSubscriptionState,
    ImprovementEffectState, ImprovementKind, ImprovementState, KpiComparison, KpiDimension, KpiPeriod,
    KpiTime, KpiUnit, NoticeKind, NoticeMeans, NoticeState, ProblemState, ProblemTaskKind, ProblemTaskState,
    ProcessActivity, QualityReviewState, ReportFormat, ReportLength, ReportState, Response, ReturnFormat,
    ReturnRegime, SignalEnding, SignalState, SupervisionReason, SurveyState,
};
use proto::redress::intake::v1::{
    AttachmentRefusal, AttachmentState, Channel, ChannelState, DroppedFileState, FileDropPlace,
    FileDropState, HandOverReason, InformationSource, MailSecurity, MailSetAside, MailState, MailboxState,
    Matter, PostField, PostSetAside, PostState, ReplyDraftState, WebhookSignature, WebhookSourceState,
};
use proto::redress::resolution::v1::{
    ApprovalDemand, BalanceGrouping, DeliveryKind, DeliveryState, EndpointKind, EndpointState, Inquiry,
    LedgerAccount, LedgerMovement, PlanRevisionState, PlanState, ProposalKind, ProposalState, RecallState,
    RecallVerdict, RemedyKind, StatementDirection, StatementVerdict, StepChangeKind, StepState,
    SupervisionLevel, TaskOrder, TaskState,
};

/// An enum of the contracts.
pub trait Words: Copy + TryFrom<i32> {
    /// What all its names begin with.
    const PREFIX: &'static str;
    /// Its name in the contract.
    fn name(self) -> &'static str;
    /// The value of this name.
    fn named(name: &str) -> Option<Self>;
}

macro_rules! words {
    ($($kind:ty: $prefix:literal;)+) => {$(
        impl Words for $kind {
            const PREFIX: &'static str = $prefix;

            fn name(self) -> &'static str {
                self.as_str_name()
            }

            fn named(name: &str) -> Option<Self> {
                Self::from_str_name(name)
            }
        }
    )+};
}

/// A value in words, lower case; `-` for none.
pub fn word<E: Words>(number: i32) -> String {
    match E::try_from(number) {
        Ok(_) if number == 0 => "-".to_owned(),
        Ok(value) => value.name().trim_start_matches(E::PREFIX).replace('_', " ").to_lowercase(),
        Err(_) => format!("({number})"),
    }
}

/// A priority, as people write it: `P1`.
pub fn priority(number: i32) -> String {
    word::<Priority>(number).to_uppercase()
}

/// Reads a value as people write it on a command line.
///
/// # Errors
///
/// Fails with a sentence that lists the values if the text is none of them.
pub fn read<E: Words>(text: &str) -> Result<E, String> {
    let name = format!("{}{}", E::PREFIX, text.to_uppercase().replace(['-', ' '], "_"));
    E::named(&name)
        .filter(|_| !name.ends_with("_UNSPECIFIED"))
        .ok_or_else(|| format!("must be one of {}", choices::<E>()))
}

/// Every value, as people write them: `phone, chat, in-app`.
pub fn choices<E: Words>() -> String {
    let all: Vec<String> = (1..).map_while(|number| E::try_from(number).ok()).map(written).collect();
    all.join(", ")
}

fn written<E: Words>(value: E) -> String {
    value.name().trim_start_matches(E::PREFIX).replace('_', "-").to_lowercase()
}

words! {
    ArticleMatch: "ARTICLE_MATCH_";
    ArticleState: "ARTICLE_STATE_";
    AssignmentState: "ASSIGNMENT_STATE_";
    ApprovalDemand: "APPROVAL_DEMAND_";
    AttachmentRefusal: "ATTACHMENT_REFUSAL_";
    AttachmentState: "ATTACHMENT_STATE_";
    BalanceGrouping: "BALANCE_GROUPING_";
    Barrier: "BARRIER_";
    CalendarDayKind: "CALENDAR_DAY_KIND_";
    CallBackCause: "CALL_BACK_CAUSE_";
    CallBackOutcome: "CALL_BACK_OUTCOME_";
    CallBackPhone: "CALL_BACK_PHONE_";
    CallBackState: "CALL_BACK_STATE_";
    CaseChallenge: "CASE_CHALLENGE_";
    CaseState: "CASE_STATE_";
    Channel: "CHANNEL_";
    ChannelState: "CHANNEL_STATE_";
    ClockKind: "CLOCK_KIND_";
    ClockState: "CLOCK_STATE_";
    CloseReason: "CLOSE_REASON_";
    ComplainantIdentifier: "COMPLAINANT_IDENTIFIER_";
    CorrectionState: "CORRECTION_STATE_";
    DeliveryAction: "DELIVERY_ACTION_";
    DirectoryKind: "DIRECTORY_KIND_";
    DirectoryPart: "DIRECTORY_PART_";
    EarlierHandler: "EARLIER_HANDLER_";
    EmotionLevel: "EMOTION_LEVEL_";
    Escalation: "ESCALATION_";
    ExtensionState: "EXTENSION_STATE_";
    ImprovementEffectState: "IMPROVEMENT_EFFECT_STATE_";
    ImprovementKind: "IMPROVEMENT_KIND_";
    ImprovementState: "IMPROVEMENT_STATE_";
    InformationSource: "INFORMATION_SOURCE_";
    Inquiry: "INQUIRY_";
    HandOverReason: "HAND_OVER_REASON_";
    IntervalKind: "INTERVAL_KIND_";
    KpiComparison: "KPI_COMPARISON_";
    KpiDimension: "KPI_DIMENSION_";
    KpiPeriod: "KPI_PERIOD_";
    KpiTime: "KPI_TIME_";
    KpiUnit: "KPI_UNIT_";
    Lane: "LANE_";
    LedgerAccount: "LEDGER_ACCOUNT_";
    LedgerMovement: "LEDGER_MOVEMENT_";
    Level: "LEVEL_";
}

words! {
    LinkKind: "LINK_KIND_";
    LinkStanding: "LINK_STANDING_";
    Matter: "MATTER_";
    NoticeKind: "NOTICE_KIND_";
    NoticeMeans: "NOTICE_MEANS_";
    NoticeState: "NOTICE_STATE_";
    Observance: "OBSERVANCE_";
    Outcome: "OUTCOME_";
    PauseReason: "PAUSE_REASON_";
    PlanRevisionState: "PLAN_REVISION_STATE_";
    PlanState: "PLAN_STATE_";
    ProcessActivity: "PROCESS_ACTIVITY_";
    ReportFormat: "REPORT_FORMAT_";
    ReportLength: "REPORT_LENGTH_";
    ReportState: "REPORT_STATE_";
    RecallState: "RECALL_STATE_";
    RecallVerdict: "RECALL_VERDICT_";
    Presence: "PRESENCE_";
    DroppedFileState: "DROPPED_FILE_STATE_";
    FileDropPlace: "FILE_DROP_PLACE_";
    FileDropState: "FILE_DROP_STATE_";
    MailSecurity: "MAIL_SECURITY_";
    MailSetAside: "MAIL_SET_ASIDE_";
    MailState: "MAIL_STATE_";
    MailboxState: "MAILBOX_STATE_";
    MoodTrend: "MOOD_TREND_";
    PostField: "POST_FIELD_";
    PostSetAside: "POST_SET_ASIDE_";
    PostState: "POST_STATE_";
    ReplyDraftState: "REPLY_DRAFT_STATE_";
    WebhookSignature: "WEBHOOK_SIGNATURE_";
    WebhookSourceState: "WEBHOOK_SOURCE_STATE_";
    PersonalDetailKind: "PERSONAL_DETAIL_KIND_";
    Priority: "PRIORITY_";
    ProblemState: "PROBLEM_STATE_";
    ProblemTaskKind: "PROBLEM_TASK_KIND_";
    ProblemTaskState: "PROBLEM_TASK_STATE_";
    ProposalKind: "PROPOSAL_KIND_";
    ProposalState: "PROPOSAL_STATE_";
    EndpointKind: "ENDPOINT_KIND_";
    EndpointState: "ENDPOINT_STATE_";
    EventSubscriptionState: "EVENT_SUBSCRIPTION_STATE_";
    DeliveryKind: "DELIVERY_KIND_";
    DeliveryState: "DELIVERY_STATE_";
    RemedyKind: "REMEDY_KIND_";
    Response: "RESPONSE_";
    ReturnFormat: "RETURN_FORMAT_";
    ReturnRegime: "RETURN_REGIME_";
    RungAction: "RUNG_ACTION_";
    SignalEnding: "SIGNAL_ENDING_";
    SignalState: "SIGNAL_STATE_";
    QualityReviewState: "QUALITY_REVIEW_STATE_";
    StatementDirection: "STATEMENT_DIRECTION_";
    StatementVerdict: "STATEMENT_VERDICT_";
    StepChangeKind: "STEP_CHANGE_KIND_";
    StepState: "STEP_STATE_";
    SupervisionLevel: "SUPERVISION_LEVEL_";
    SupervisionReason: "SUPERVISION_REASON_";
    SurveyState: "SURVEY_STATE_";
    TaskOrder: "TASK_ORDER_";
    TaskState: "TASK_STATE_";
    Threat: "THREAT_";
    TimelineKind: "TIMELINE_KIND_";
    TrainingCaseState: "TRAINING_CASE_STATE_";
    Visibility: "VISIBILITY_";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_shown_read_back() {
        assert_eq!(word::<CaseState>(CaseState::OutOfScope.into()), "out of scope");
        assert_eq!(word::<CaseState>(0), "-");
        assert_eq!(word::<CaseState>(99), "(99)");
        assert_eq!(priority(1), "P1");
        assert_eq!(read("out-of-scope"), Ok(CaseState::OutOfScope));
        assert_eq!(read("In-App"), Ok(Channel::InApp));
        assert_eq!(read::<Visibility>("secret"), Err("must be one of public, internal, restricted".into()));
        assert!(read::<Visibility>("unspecified").is_err());
    }
}
