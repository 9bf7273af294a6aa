//! Surveys: sent once an outcome was told, answered once by who has the code, and by
//! nobody else's doing.

use std::time::Duration;

use proto::redress::cases::v1::{CaseMerged, CaseUnmerged, CaseWithdrawn, CloseReason};
use proto::redress::feedback::v1::survey_service_client::SurveyServiceClient;
use proto::redress::feedback::v1::{
    ActivateQuestionnaireRequest, CreateQuestionnaireRequest, GetQuestionnaireRequest, GetSurveyRequest,
    GetSurveyResponse, ListSurveysRequest, Notice, NoticeKind, NoticeSettled, NoticeState, Questionnaire,
    RecordNoticeRequest, ResendNoticeRequest, SubmitSurveyRequest, Survey, SurveyAnswer, SurveyAnswered,
    SurveyState, SurveyWording,
};
use testkit::{CallerChannel, House, consistency_token, eventually, reason, request_id, violations};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::records::{called, mailing};
use crate::sink::Sink;
use crate::{case, client, closed, house, list, refused, registered, resolved};

type Surveys = SurveyServiceClient<CallerChannel>;

const DAY: Duration = Duration::from_hours(24);

fn surveys(house: &House) -> Surveys {
    Surveys::new(house.channel())
}

/// A case whose outcome was told by mail.
pub(crate) async fn told_case(house: &House, sink: &Sink) -> Uuid {
    let before = sink.mails().len();
    let case = case();
    house.tell("intake", case, &registered(case, "ada@example.org")).await;
    house.tell("cases", case, &resolved(case, 1)).await;
    eventually(async || sink.mails().len() == before + 2).await;
    eventually(async || !listed(house, case).await.is_empty()).await;
    case
}

async fn listed(house: &House, case: Uuid) -> Vec<Survey> {
    let request = ListSurveysRequest { case_id: case.to_string(), ..ListSurveysRequest::default() };
    surveys(house).list_surveys(request).await.unwrap().into_inner().surveys
}

/// Lets time pass, and the worker look.
pub(crate) fn pass(house: &House, time: Duration) {
    house.advance(time);
    house.db("feedback").notifier().notify("notices");
}

/// The codes of the survey mails that arrived so far.
fn codes(sink: &Sink) -> Vec<String> {
    let code =
        |text: &str| Some(text.split("where you complained: ").nth(1)?.split_whitespace().next()?.to_owned());
    // A check character may be `=`, which quoted-printable writes as `=3D`.
    let plain = |text: String| text.replace("=\n", "").replace("=3D", "=");
    sink.mails().into_iter().filter_map(|mail| code(&plain(mail.text))).collect()
}

/// The code of the invitation.
async fn invited(house: &House, sink: &Sink) -> String {
    let before = codes(sink).len();
    pass(house, DAY);
    eventually(async || codes(sink).len() > before).await;
    codes(sink).pop().unwrap()
}

fn answer(code: &str, handling: i32) -> SubmitSurveyRequest {
    SubmitSurveyRequest {
        request_id: request_id(),
        survey_code: code.to_owned(),
        answer: Some(SurveyAnswer { handling, outcome: 4, effort: 2, comment: "thanks".into() }),
        end_user: String::new(),
    }
}

async fn questions(surveys: &mut Surveys, code: &str) -> Result<GetSurveyResponse, Status> {
    let request = GetSurveyRequest { survey_code: code.to_owned(), end_user: "ann".into() };
    Ok(surveys.get_survey(request).await?.into_inner())
}

fn survey_notices(notices: Vec<Notice>) -> Vec<Notice> {
    notices.into_iter().filter(|notice| notice.kind() == NoticeKind::Survey).collect()
}

#[tokio::test]
async fn a_survey_is_sent_a_day_after_the_outcome_was_told_and_answered_once() {
    let sink = Sink::open().await;
    let house = mailing(&sink).await;
    let case = told_case(&house, &sink).await;
    let open = listed(&house, case).await.pop().unwrap();
    assert_eq!((open.state(), open.cycle, open.questionnaire_version), (SurveyState::Open, 1, 0));
    assert_eq!(codes(&sink), Vec::<String>::new(), "it is not sent at once");
    let code = invited(&house, &sink).await;

    let mut surveys = surveys(&house);
    let asked = questions(&mut surveys, &code.to_lowercase().replace('-', " ")).await.unwrap();
    assert_eq!((asked.subject.as_str(), asked.expire_time), ("late parcel", open.expire_time));
    assert!(asked.wording.unwrap().handling.starts_with("How satisfied"));
    let request = answer(&code, 5);
    let first = surveys.submit_survey(request.clone()).await.unwrap();
    let second = surveys.submit_survey(request.clone()).await.unwrap();
    assert_eq!(consistency_token(&first), consistency_token(&second));
    assert_eq!(first.into_inner(), second.into_inner());
    let again = surveys.submit_survey(answer(&code, 1)).await;
    assert_eq!(refused(again), (Code::FailedPrecondition, "SURVEY_ANSWERED".into()));
    assert_eq!(refused(questions(&mut surveys, &code).await).1, "SURVEY_ANSWERED");
    let survey = listed(&house, case).await.pop().unwrap();
    assert_eq!((survey.state(), survey.answer), (SurveyState::Answered, request.answer.clone()));

    let told: Vec<SurveyAnswered> = house.published("feedback").await;
    assert_eq!((told.len(), told[0].low, told[0].answer.clone()), (1, false, request.answer));
    let reminder = survey_notices(list(&mut client(&house), case).await);
    let ended: Vec<_> = reminder.iter().filter(|notice| notice.failure_reason == "SURVEY_ENDED").collect();
    assert_eq!((reminder.len(), ended.len()), (2, 1), "who has answered is not reminded");
    house.done().await;
}

#[tokio::test]
async fn the_reminder_opens_the_same_survey_with_a_code_of_its_own() {
    let sink = Sink::open().await;
    let house = mailing(&sink).await;
    let case = told_case(&house, &sink).await;
    let first = invited(&house, &sink).await;
    pass(&house, 7 * DAY);
    eventually(async || codes(&sink).len() == 2).await;
    let second = codes(&sink).pop().unwrap();
    assert_ne!(first, second);
    let mut surveys = surveys(&house);
    surveys.submit_survey(answer(&first, 2)).await.unwrap();
    assert_eq!(refused(surveys.submit_survey(answer(&second, 5)).await).1, "SURVEY_ANSWERED");
    assert!(house.published::<SurveyAnswered>("feedback").await[0].low);
    assert_eq!(listed(&house, case).await.len(), 1);
    house.settled().await;
    house.done().await;
}

#[tokio::test]
async fn both_mails_answered_at_the_same_moment_are_one_answer() {
    let sink = Sink::open().await;
    let house = mailing(&sink).await;
    told_case(&house, &sink).await;
    let first = invited(&house, &sink).await;
    pass(&house, 7 * DAY);
    eventually(async || codes(&sink).len() == 2).await;
    let second = codes(&sink).pop().unwrap();
    let (mut one, mut other) = (surveys(&house), surveys(&house));
    let (one, other) =
        tokio::join!(one.submit_survey(answer(&first, 5)), other.submit_survey(answer(&second, 5)));
    let refusal = one.and(other).unwrap_err();
    assert_eq!(reason(&refusal), "SURVEY_ANSWERED");
    assert_eq!(house.published::<SurveyAnswered>("feedback").await.len(), 1);
    house.settled().await;
    house.done().await;
}

#[tokio::test]
async fn a_mail_that_is_tried_again_bears_another_code_that_opens_the_same_survey() {
    let sink = Sink::open().await;
    let house = mailing(&sink).await;
    let case = told_case(&house, &sink).await;
    sink.script("ada@example.org", &["451 4.7.1 greylisted", crate::sink::HANG_UP]);
    for asked in 3..=5 {
        pass(&house, DAY);
        eventually(async || sink.asked() == asked).await;
        house.settled().await;
    }
    eventually(async || codes(&sink).len() == 1).await;
    let kept = "SELECT count(*) FROM feedback.survey_code";
    let kept: i64 = sqlx::query_scalar(kept).fetch_one(&mut house.owner().await).await.unwrap();
    assert_eq!(kept, 3, "one for each attempt");
    surveys(&house).submit_survey(answer(&codes(&sink)[0], 5)).await.unwrap();
    assert_eq!(listed(&house, case).await[0].state(), SurveyState::Answered);
    house.done().await;
}

#[tokio::test]
async fn no_code_is_kept_where_staff_could_read_it() {
    let sink = Sink::open().await;
    let house = mailing(&sink).await;
    let case = told_case(&house, &sink).await;
    let code = invited(&house, &sink).await;
    let notices = survey_notices(list(&mut client(&house), case).await);
    assert!(
        notices.iter().all(|notice| notice.body.contains("[survey code]") && !notice.body.contains(&code))
    );
    let mut owner = house.owner().await;
    let dumps: Vec<String> = sqlx::query_scalar(
        "SELECT t::text FROM feedback.notice t UNION ALL SELECT t::text FROM feedback.survey t
         UNION ALL SELECT t::text FROM feedback.survey_code t",
    )
    .fetch_all(&mut owner)
    .await
    .unwrap();
    assert!(dumps.len() >= 6 && dumps.iter().all(|row| !row.contains(&code)));

    let mut client = client(&house);
    let record = client.record_notice(called(&house, &notices[0])).await;
    assert_eq!(refused(record), (Code::FailedPrecondition, "NOTICE_OF_SURVEY".into()));
    let (notice_id, reason) = (notices[0].notice_id.clone(), "lost".to_owned());
    let again =
        client.resend_notice(ResendNoticeRequest { request_id: request_id(), notice_id, reason }).await;
    assert_eq!(refused(again), (Code::FailedPrecondition, "NOTICE_OF_SURVEY".into()));
    house.done().await;
}

#[tokio::test]
async fn wrong_codes_are_the_same_refusal_until_there_are_too_many() {
    let house = house().await;
    let mut surveys = surveys(&house);
    // Of another tenant, or of nobody: its check character is right.
    let (wrong, misspelt) = ("00000-00000-00000-00000-0", "00000-00000-00000-00000-1");
    for _ in 0..20 {
        assert_eq!(refused(questions(&mut surveys, misspelt).await).1, "SURVEY_CODE_UNKNOWN", "is no guess");
    }
    for _ in 0..10 {
        let refusal = refused(questions(&mut surveys, wrong).await);
        assert_eq!(refusal, (Code::NotFound, "SURVEY_CODE_UNKNOWN".into()));
    }
    let refusal = refused(questions(&mut surveys, wrong).await);
    assert_eq!(refusal, (Code::ResourceExhausted, "TOO_MANY_GUESSES".into()));
    let guess = SubmitSurveyRequest { end_user: "ann".into(), ..answer(wrong, 5) };
    assert_eq!(refused(surveys.submit_survey(guess).await).1, "TOO_MANY_GUESSES");
    house.done().await;
}

#[tokio::test]
async fn an_answer_that_is_wrong_is_told_all_that_is_wrong() {
    let house = house().await;
    let mut surveys = surveys(&house);
    let wrong = SurveyAnswer { handling: 6, outcome: -1, effort: 9, comment: "x".repeat(10_001) };
    let request = SubmitSurveyRequest { answer: Some(wrong), ..SubmitSurveyRequest::default() };
    let status = surveys.submit_survey(request).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::InvalidArgument, "INVALID_SURVEY"));
    let fields =
        ["request_id", "survey_code", "answer.handling", "answer.outcome", "answer.effort", "answer.comment"];
    assert_eq!(violations(&status), fields);
    let nothing = SubmitSurveyRequest { answer: None, ..answer("x", 1) };
    assert_eq!(violations(&surveys.submit_survey(nothing).await.unwrap_err()), ["answer"]);
    let bad =
        ListSurveysRequest { page_size: 501, case_id: "7".into(), state: 9, ..ListSurveysRequest::default() };
    let status = surveys.list_surveys(bad).await.unwrap_err();
    assert_eq!(violations(&status), ["page_size", "case_id", "state", "state"]);
    house.done().await;
}

#[tokio::test]
async fn a_survey_expires() {
    let sink = Sink::open().await;
    let house = mailing(&sink).await;
    let case = told_case(&house, &sink).await;
    let code = invited(&house, &sink).await;
    house.advance(14 * DAY);
    let mut surveys = surveys(&house);
    assert_eq!(refused(surveys.submit_survey(answer(&code, 5)).await).1, "SURVEY_EXPIRED");
    for (state, found) in [(SurveyState::Expired, 1), (SurveyState::Open, 0), (SurveyState::Unspecified, 1)] {
        let request = ListSurveysRequest { state: state.into(), ..ListSurveysRequest::default() };
        let listed = surveys.list_surveys(request).await.unwrap().into_inner().surveys;
        assert_eq!(listed.len(), found, "{state:?}");
    }
    assert_eq!(listed(&house, case).await[0].state(), SurveyState::Expired);
    house.done().await;
}

#[tokio::test]
async fn who_is_not_to_be_asked_is_not_asked_any_more() {
    let sink = Sink::open().await;
    let house = mailing(&sink).await;
    let into_case_id = case().to_string();
    for reason in ["MERGED", "WITHDRAWN", "AUTO_CLOSED"] {
        let case = told_case(&house, &sink).await;
        let case_id = case.to_string();
        match reason {
            "MERGED" => {
                let merged = CaseMerged {
                    case_id: case_id.clone(),
                    cycle: 1,
                    into_case_id: into_case_id.clone(),
                    ..CaseMerged::default()
                };
                house.tell("cases", case, &merged).await;
                let unmerged = CaseUnmerged { case_id, cycle: 1, ..CaseUnmerged::default() };
                house.settled().await;
                house.tell("cases", case, &unmerged).await;
            }
            "WITHDRAWN" => {
                house.tell("cases", case, &CaseWithdrawn { case_id, cycle: 1, ..Default::default() }).await;
            }
            _ => {
                house.tell("cases", case, &closed(case, 1, CloseReason::WindowPassed)).await;
            }
        }
        house.settled().await;
        let survey = listed(&house, case).await.pop().unwrap();
        assert_eq!((survey.state(), survey.cancel_reason.as_str()), (SurveyState::Cancelled, reason));
        let notices = survey_notices(list(&mut client(&house), case).await);
        assert!(notices.len() == 2 && notices.iter().all(|notice| notice.failure_reason == "SURVEY_ENDED"));
    }
    let told = house.published::<NoticeSettled>("feedback").await;
    assert_eq!(told.len(), 6, "three acknowledgements and three outcomes");
    house.done().await;
}

#[tokio::test]
async fn a_duplicate_whose_outcome_is_told_is_not_surveyed_and_one_told_again_is_not_asked_twice() {
    let sink = Sink::open().await;
    let house = mailing(&sink).await;
    let merged = case();
    house.tell("intake", merged, &registered(merged, "ada@example.org")).await;
    let event = CaseMerged { case_id: merged.to_string(), cycle: 1, ..CaseMerged::default() };
    house.tell("cases", merged, &event).await;
    house.tell("cases", merged, &resolved(merged, 1)).await;
    eventually(async || sink.mails().len() == 2).await;

    let case = told_case(&house, &sink).await;
    let outcome = list(&mut client(&house), case).await;
    let outcome = outcome.into_iter().find(|notice| notice.kind() == NoticeKind::Outcome).unwrap();
    let (notice_id, reason) = (outcome.notice_id, "lost".to_owned());
    let again = ResendNoticeRequest { request_id: request_id(), notice_id, reason };
    client(&house).resend_notice(again).await.unwrap();
    eventually(async || sink.mails().len() == 5).await;
    eventually(async || {
        list(&mut client(&house), case)
            .await
            .iter()
            .all(|notice| notice.kind() == NoticeKind::Survey || notice.state() == NoticeState::Delivered)
    })
    .await;
    assert_eq!((listed(&house, case).await.len(), listed(&house, merged).await.len()), (1, 0));
    assert_eq!(survey_notices(list(&mut client(&house), case).await).len(), 2);
    house.done().await;
}

#[tokio::test]
async fn who_was_told_by_telephone_is_surveyed_too_and_nobody_need_see_to_it() {
    let house = house().await;
    let case = case();
    house.tell("intake", case, &registered(case, "")).await;
    house.tell("cases", case, &resolved(case, 1)).await;
    house.settled().await;
    let mut client = client(&house);
    for notice in list(&mut client, case).await {
        let request: RecordNoticeRequest = called(&house, &notice);
        client.record_notice(request.clone()).await.unwrap();
        client.record_notice(request).await.unwrap();
    }
    assert_eq!(listed(&house, case).await.len(), 1);
    let notices = survey_notices(list(&mut client, case).await);
    assert!(notices.len() == 2 && notices.iter().all(|notice| notice.failure_reason == "NO_ADDRESS"));
    let waiting =
        proto::redress::feedback::v1::ListNoticesRequest { needs_person: true, ..Default::default() };
    assert_eq!(client.list_notices(waiting).await.unwrap().into_inner().notices, []);
    house.done().await;
}

fn questionnaire() -> Questionnaire {
    let wording = SurveyWording {
        language: "en".into(),
        handling: "Were we kind?".into(),
        outcome: "Was it right?".into(),
        effort: "Was it hard?".into(),
        comment: "What else?".into(),
    };
    Questionnaire {
        wordings: vec![wording],
        send_after_hours: 0,
        remind_after_hours: 0,
        valid_for_hours: 48,
        low_score: 3,
        note: "short".into(),
        ..Questionnaire::default()
    }
}

fn made(questionnaire: Questionnaire) -> CreateQuestionnaireRequest {
    CreateQuestionnaireRequest { request_id: request_id(), questionnaire: Some(questionnaire) }
}

fn put(version: i64) -> ActivateQuestionnaireRequest {
    ActivateQuestionnaireRequest { request_id: request_id(), version }
}

async fn in_force(surveys: &mut Surveys, version: Option<i64>) -> Result<Questionnaire, Status> {
    let answer = surveys.get_questionnaire(GetQuestionnaireRequest { version }).await?;
    Ok(answer.into_inner().questionnaire.unwrap())
}

#[tokio::test]
async fn a_questionnaire_asks_from_its_activation_on() {
    let sink = Sink::open().await;
    let house = mailing(&sink).await;
    let mut surveys = surveys(&house);
    let shipped = in_force(&mut surveys, None).await.unwrap();
    let languages: Vec<&str> = shipped.wordings.iter().map(|wording| wording.language.as_str()).collect();
    assert_eq!((shipped.version, languages), (0, vec!["en", "zh"]));
    let request = made(questionnaire());
    let first = surveys.create_questionnaire(request.clone()).await.unwrap();
    let second = surveys.create_questionnaire(request).await.unwrap();
    assert_eq!(consistency_token(&first), consistency_token(&second));
    let draft = first.into_inner().questionnaire.unwrap();
    assert_eq!((draft.version, draft.creator.is_empty(), draft.activate_time), (1, false, None));
    assert_eq!(in_force(&mut surveys, None).await.unwrap(), shipped, "made is not in force");
    let request = put(1);
    let first = surveys.activate_questionnaire(request.clone()).await.unwrap().into_inner();
    assert_eq!(surveys.activate_questionnaire(request).await.unwrap().into_inner(), first);
    assert_eq!(in_force(&mut surveys, None).await.unwrap().version, 1);

    let case = told_case(&house, &sink).await;
    eventually(async || codes(&sink).len() == 1).await;
    let asked = questions(&mut surveys, &codes(&sink)[0]).await.unwrap();
    assert_eq!(asked.wording, questionnaire().wordings.pop());
    assert_eq!(listed(&house, case).await[0].questionnaire_version, 1);
    surveys.submit_survey(answer(&codes(&sink)[0], 3)).await.unwrap();
    assert!(house.published::<SurveyAnswered>("feedback").await[0].low, "three is low here");

    let back = surveys.activate_questionnaire(put(0)).await.unwrap().into_inner().questionnaire.unwrap();
    assert_eq!((back.version, back.wordings), (2, shipped.wordings), "the shipped one is kept as a version");
    let again = surveys.activate_questionnaire(put(0)).await.unwrap().into_inner().questionnaire.unwrap();
    assert_eq!(again.version, 2);
    house.done().await;
}

#[tokio::test]
async fn a_questionnaire_that_is_wrong_is_told_all_that_is_wrong() {
    let house = house().await;
    let mut surveys = surveys(&house);
    let twice = SurveyWording { handling: "x".repeat(301), ..questionnaire().wordings.pop().unwrap() };
    let bad = Questionnaire {
        wordings: vec![
            SurveyWording { language: "e n".into(), ..SurveyWording::default() },
            twice.clone(),
            twice,
        ],
        send_after_hours: -1,
        remind_after_hours: 48,
        low_score: 5,
        note: "x".repeat(2_001),
        ..questionnaire()
    };
    let request = CreateQuestionnaireRequest { request_id: String::new(), ..made(bad) };
    let status = surveys.create_questionnaire(request).await.unwrap_err();
    let at = "questionnaire.";
    let fields: Vec<String> = violations(&status).iter().map(|field| field.replace(at, "")).collect();
    let expected = [
        "request_id",
        "wordings[0].language",
        "wordings[0].handling",
        "wordings[0].outcome",
        "wordings[0].effort",
        "wordings[0].comment",
        "wordings[1].handling",
        "wordings[2].handling",
        "wordings",
        "send_after_hours",
        "remind_after_hours",
        "low_score",
        "note",
    ];
    assert_eq!(fields, expected);
    assert_eq!(violations(&surveys.activate_questionnaire(put(-1)).await.unwrap_err()), ["version"]);
    let unknown = refused(surveys.activate_questionnaire(put(7)).await);
    assert_eq!(unknown, (Code::NotFound, "QUESTIONNAIRE_NOT_FOUND".into()));
    assert_eq!(refused(in_force(&mut surveys, Some(7)).await).1, "QUESTIONNAIRE_NOT_FOUND");
    assert_eq!(violations(&in_force(&mut surveys, Some(-7)).await.unwrap_err()), ["version"]);
    house.done().await;
}

#[tokio::test]
async fn another_tenants_surveys_do_not_exist() {
    let sink = Sink::open().await;
    let house = crate::delivery::builder(&sink).identified().open().await;
    let case = case();
    house.tell_as("tenant-a", "intake", case, &registered(case, "ada@example.org")).await;
    house.tell_as("tenant-a", "cases", case, &resolved(case, 1)).await;
    let mut owner = Surveys::new(house.channel_as("tenant-a", "alice", &["reader", "channel", "admin"]));
    let mut other = Surveys::new(house.channel_as("tenant-b", "bob", &["reader", "channel", "admin"]));
    eventually(async || sink.mails().len() == 2).await;
    eventually(async || {
        let mut reader = Surveys::new(house.channel_as("tenant-a", "alice", &["reader"]));
        !reader.list_surveys(ListSurveysRequest::default()).await.unwrap().into_inner().surveys.is_empty()
    })
    .await;
    let code = invited(&house, &sink).await;
    assert_eq!(refused(questions(&mut other, &code).await).1, "SURVEY_CODE_UNKNOWN");
    assert_eq!(refused(other.submit_survey(answer(&code, 5)).await).1, "SURVEY_CODE_UNKNOWN");
    assert_eq!(other.list_surveys(ListSurveysRequest::default()).await.unwrap().into_inner().surveys, []);
    owner.create_questionnaire(made(questionnaire())).await.unwrap();
    assert_eq!(refused(other.activate_questionnaire(put(1)).await).1, "QUESTIONNAIRE_NOT_FOUND");
    owner.submit_survey(answer(&code, 5)).await.unwrap();
    house.done().await;
}
