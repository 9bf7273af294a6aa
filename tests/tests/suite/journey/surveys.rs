//! What is asked of a complainant once they were told the outcome, by mail and by
//! telephone.

use kernel::receipt::{ReceiptCode, ReceiptKey};
use proto::redress::cases::v1::{CaseState, Outcome, WithdrawCaseRequest};
use proto::redress::feedback::v1::call_back_service_client::CallBackServiceClient;
use proto::redress::feedback::v1::survey_service_client::SurveyServiceClient;
use proto::redress::feedback::v1::template_service_client::TemplateServiceClient;
use proto::redress::feedback::v1::{
    ActivateCallBackPolicyRequest, ActivateQuestionnaireRequest, ActivateTemplateRequest, CallBackCause,
    CallBackOutcome, CallBackPolicy, CreateCallBackPolicyRequest, CreateQuestionnaireRequest,
    CreateTemplateRequest, GetQuestionnaireRequest, GetTemplateRequest, ListCallBacksRequest,
    ListNoticesRequest, ListSurveysRequest, NoticeKind, NoticeMeans, Questionnaire, QuietHours,
    RecordCallBackAttemptRequest, RecordNoticeRequest, SetQuietHoursRequest, SubmitSurveyRequest,
    SurveyAnswer, Template,
};
use proto::redress::intake::v1::Complainant;
use testkit::request_id;

use super::scene::{Scene, broken_cups};
use crate::twice::Twice;

/// Somebody without an e-mail address is called, answers the survey with a low score, is
/// called back, and what they say disputes the outcome; then they let it be.
pub(crate) async fn asked_afterwards(scene: &Scene) {
    settled_how(scene).await;
    let mut complaint = broken_cups();
    let vulnerabilities = vec!["elderly".to_owned()];
    let phone = "+8613800138000".to_owned();
    complaint.complainant = Some(Complainant { phone, vulnerabilities, ..Complainant::default() });
    let case_id = scene.submit(complaint).await.complaint_id;
    let agent = scene.accept(&case_id).await;
    scene.decide(&agent, &case_id, Outcome::NotUpheld, false).await;
    let request = ListNoticesRequest { case_id: case_id.clone(), ..ListNoticesRequest::default() };
    let notices = scene.feedback().list_notices(request).await.unwrap().into_inner().notices;
    let outcome = notices.into_iter().find(|notice| notice.kind() == NoticeKind::Outcome).unwrap();
    let record = RecordNoticeRequest {
        request_id: request_id(),
        notice_id: outcome.notice_id,
        means: NoticeMeans::Telephone.into(),
        tell_time: outcome.create_time,
        evidence: "recording 4711".to_owned(),
    };
    scene.feedback().record_notice(record).await.unwrap();
    answered(scene, &case_id).await;
    called_back(scene, &case_id).await;

    let withdraw = WithdrawCaseRequest {
        request_id: request_id(),
        case_id: case_id.clone(),
        expected_version: None,
        reason: "it is not worth it".to_owned(),
    };
    scene.cases("clerk").withdraw_case(withdraw).await.unwrap();
    scene.settled().await;
    assert_eq!(scene.case(&case_id).await.state(), CaseState::Withdrawn);
}

fn surveys(scene: &Scene) -> SurveyServiceClient<Twice> {
    SurveyServiceClient::new(scene.line("portal"))
}

fn call_backs(scene: &Scene) -> CallBackServiceClient<Twice> {
    CallBackServiceClient::new(scene.line("lin"))
}

/// The organisation's own questions, and whom it calls.
async fn settled_how(scene: &Scene) {
    let shipped = surveys(scene).get_questionnaire(GetQuestionnaireRequest::default()).await.unwrap();
    let questionnaire =
        Questionnaire { note: "ours".to_owned(), ..shipped.into_inner().questionnaire.unwrap() };
    let request = CreateQuestionnaireRequest { request_id: request_id(), questionnaire: Some(questionnaire) };
    let made =
        surveys(scene).create_questionnaire(request).await.unwrap().into_inner().questionnaire.unwrap();
    let request = ActivateQuestionnaireRequest { request_id: request_id(), version: made.version };
    surveys(scene).activate_questionnaire(request).await.unwrap();

    let policy = CallBackPolicy {
        vulnerable: true,
        dissatisfied: true,
        within_working_hours: 8,
        retry_working_hours: 4,
        max_attempts: 3,
        note: "who needs it most".to_owned(),
        ..CallBackPolicy::default()
    };
    worded(scene).await;
    let request = CreateCallBackPolicyRequest { request_id: request_id(), policy: Some(policy) };
    let made = call_backs(scene).create_call_back_policy(request).await.unwrap().into_inner().policy.unwrap();
    let request = ActivateCallBackPolicyRequest { request_id: request_id(), version: made.version };
    call_backs(scene).activate_call_back_policy(request).await.unwrap();
}

/// The organisation's own words, and the hours in which nobody is written to.
async fn worded(scene: &Scene) {
    let mut templates = TemplateServiceClient::new(scene.line("admin"));
    let (kind, language) = (NoticeKind::Recourse.into(), "en".to_owned());
    let request = GetTemplateRequest { kind, language: language.clone(), version: Some(0) };
    let shipped = templates.get_template(request).await.unwrap().into_inner().template.unwrap();
    let template = Template { note: "ours".to_owned(), ..shipped };
    let request = CreateTemplateRequest { request_id: request_id(), template: Some(template) };
    let version = templates.create_template(request).await.unwrap().into_inner().template.unwrap().version;
    let request = ActivateTemplateRequest {
        request_id: request_id(),
        kind,
        language,
        version,
        ..ActivateTemplateRequest::default()
    };
    templates.activate_template(request).await.unwrap();
    let never = QuietHours { start: "00:00".to_owned(), end: "00:00".to_owned(), time_zone: String::new() };
    let request =
        SetQuietHoursRequest { request_id: request_id(), quiet_hours: Some(never), note: String::new() };
    templates.set_quiet_hours(request).await.unwrap();
}

/// No mail leaves this house: a code is put where one that was sent would be.
async fn answered(scene: &Scene, case_id: &str) {
    let request = ListSurveysRequest { case_id: case_id.to_owned(), ..ListSurveysRequest::default() };
    let open = surveys(scene).list_surveys(request).await.unwrap().into_inner().surveys.pop().unwrap();
    let key = ReceiptKey::new(b"the key of a story").unwrap();
    let code = ReceiptCode::derive(&key, open.survey_id.parse().unwrap());
    sqlx::query(
        "INSERT INTO feedback.survey_code (tenant_id, code_hash, survey_id)
         SELECT tenant_id, $1, survey_id FROM feedback.survey WHERE survey_id::text = $2",
    )
    .bind(code.hash().to_vec())
    .bind(&open.survey_id)
    .execute(&mut scene.house.owner().await)
    .await
    .unwrap();
    let request = SubmitSurveyRequest {
        request_id: request_id(),
        survey_code: code.to_string(),
        answer: Some(SurveyAnswer { handling: 4, outcome: 1, ..SurveyAnswer::default() }),
        end_user: String::new(),
    };
    surveys(scene).submit_survey(request).await.unwrap();
}

async fn called_back(scene: &Scene, case_id: &str) {
    let request = ListCallBacksRequest { case_id: case_id.to_owned(), ..ListCallBacksRequest::default() };
    let due =
        call_backs(scene).list_call_backs(request).await.unwrap().into_inner().call_backs.pop().unwrap();
    let causes: Vec<_> = due.causes().collect();
    assert_eq!(causes, [CallBackCause::Vulnerable, CallBackCause::LowScore]);
    let request = RecordCallBackAttemptRequest {
        request_id: request_id(),
        call_back_id: due.call_back_id,
        outcome: CallBackOutcome::Reached.into(),
        satisfied: Some(false),
        note: "half the cups are broken still".to_owned(),
    };
    let done =
        call_backs(scene).record_call_back_attempt(request).await.unwrap().into_inner().call_back.unwrap();
    assert!(done.attempts[0].disputed);
    scene.settled().await;
    assert_eq!(scene.case(case_id).await.cycle, 2, "reopened");
}
