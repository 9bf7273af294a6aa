//! Feedback against a real database: each rpc good, bad, repeated; each event it
//! hears, twice and out of step; delivery through a real mail server.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod bounces;
mod call_backs;
mod call_notices;
mod closing;
mod delivery;
mod endpoint;
mod event_subscriptions;
mod improvement;
mod inbound;
mod kpis;
mod means;
mod problem_tasks;
mod problems;
mod process;
mod progress;
mod quality;
mod receipt_codes;
mod records;
mod reports;
mod requested_call_backs;
mod returns;
mod routing;
mod signals;
mod sink;
mod supervision;
mod surveys;
mod template_trials;
mod templates;

use std::time::Duration;

use kernel::{Ids as _, RandomIds};
use proto::redress::cases::v1::{CaseClosed, CaseReopened, CaseResolved, CloseReason, Outcome};
use proto::redress::feedback::v1::feedback_service_client::FeedbackServiceClient;
use proto::redress::feedback::v1::{
    Feedback, FeedbackReceived, GetFeedbackRequest, ListNoticesRequest, ListNoticesResponse, Notice,
    NoticeState, RespondToOutcomeRequest, Response, Satisfaction,
};
use proto::redress::intake::v1::{Complainant, Complaint, ComplaintRegistered};
use testkit::{CallerChannel, House, MockClock, consistency_token, reason, request_id, violations};
use tonic::{Code, Status};
use uuid::Uuid;

type Client = FeedbackServiceClient<CallerChannel>;

/// How long the outcomes here may be answered.
const WINDOW: Duration = Duration::from_hours(24);

async fn house() -> House {
    House::builder(&[feedback::SERVICE]).clock(MockClock::default()).open().await
}

fn client(house: &House) -> Client {
    FeedbackServiceClient::new(house.channel())
}

fn case() -> Uuid {
    RandomIds.token()
}

fn registered(case: Uuid, email: &str) -> ComplaintRegistered {
    let complainant =
        Complainant { display_name: "Ada".into(), email: email.into(), ..Complainant::default() };
    let complaint = Complaint {
        complaint_id: case.to_string(),
        complainant: Some(complainant),
        subject: "late parcel".into(),
        language: "en".into(),
        ..Complaint::default()
    };
    ComplaintRegistered { complaint: Some(complaint), ..ComplaintRegistered::default() }
}

/// The outcome of a cycle, to be answered within [`WINDOW`] of the mock clock's
/// beginning.
fn resolved(case: Uuid, cycle: i32) -> CaseResolved {
    use kernel::Clock as _;
    let until = MockClock::default().now() + WINDOW;
    CaseResolved {
        case_id: case.to_string(),
        cycle,
        outcome: Outcome::PartlyUpheld.into(),
        reasons: "the parcel was late by our fault".into(),
        respond_until_time: Some(prost_types::Timestamp { seconds: until.as_second(), nanos: 0 }),
        time_zone: "Asia/Shanghai".into(),
        correction: 0,
    }
}

fn reopened(case: Uuid, cycle: i32) -> CaseReopened {
    CaseReopened { case_id: case.to_string(), cycle, ..CaseReopened::default() }
}

fn closed(case: Uuid, cycle: i32, reason: CloseReason) -> CaseClosed {
    CaseClosed { case_id: case.to_string(), cycle, reason: reason.into() }
}

/// A case whose first outcome was told.
async fn resolved_case(house: &House) -> Uuid {
    let case = case();
    house.tell("intake", case, &registered(case, "ada@example.org")).await;
    house.tell("cases", case, &resolved(case, 1)).await;
    house.settled().await;
    case
}

fn accept(case: Uuid) -> RespondToOutcomeRequest {
    RespondToOutcomeRequest {
        request_id: request_id(),
        case_id: case.to_string(),
        cycle: 0,
        response: Response::Accepted.into(),
        comment: String::new(),
        satisfaction: Some(Satisfaction { handling: 5, outcome: 4 }),
        ..RespondToOutcomeRequest::default()
    }
}

fn dispute(case: Uuid) -> RespondToOutcomeRequest {
    let comment = "still no parcel".to_owned();
    RespondToOutcomeRequest {
        response: Response::Disputed.into(),
        comment,
        satisfaction: None,
        ..accept(case)
    }
}

async fn respond(client: &mut Client, request: RespondToOutcomeRequest) -> Result<Feedback, Status> {
    Ok(client.respond_to_outcome(request).await?.into_inner().feedback.unwrap())
}

async fn feedback_of(client: &mut Client, case: Uuid) -> Result<Vec<Feedback>, Status> {
    let request = GetFeedbackRequest { case_id: case.to_string() };
    Ok(client.get_feedback(request).await?.into_inner().cycles)
}

async fn list(client: &mut Client, case: Uuid) -> Vec<Notice> {
    let request = ListNoticesRequest { case_id: case.to_string(), ..ListNoticesRequest::default() };
    client.list_notices(request).await.unwrap().into_inner().notices
}

async fn notices_of(house: &House, case: Uuid) -> Vec<Notice> {
    list(&mut client(house), case).await
}

/// A refusal's code and reason.
fn refused<T: std::fmt::Debug>(answer: Result<T, Status>) -> (Code, String) {
    let status = answer.unwrap_err();
    (status.code(), reason(&status))
}

// --- RespondToOutcome -------------------------------------------------------

#[tokio::test]
async fn accepting_is_recorded_and_told() {
    let house = house().await;
    let case = resolved_case(&house).await;
    let mut client = client(&house);
    let feedback = respond(&mut client, accept(case)).await.unwrap();
    assert_eq!((feedback.cycle, feedback.response(), feedback.open), (1, Response::Accepted, false));
    assert_eq!(feedback.satisfaction, Some(Satisfaction { handling: 5, outcome: 4 }));
    assert!(feedback.response_time.is_some());
    assert_eq!(feedback_of(&mut client, case).await.unwrap(), [feedback]);

    let received: Vec<FeedbackReceived> = house.published("feedback").await;
    assert_eq!(received.len(), 1);
    assert_eq!((received[0].case_id.clone(), received[0].cycle), (case.to_string(), 1));
    assert_eq!((received[0].response(), received[0].comment.as_str()), (Response::Accepted, ""));
    assert_eq!(received[0].satisfaction, Some(Satisfaction { handling: 5, outcome: 4 }));
    house.done().await;
}

#[tokio::test]
async fn a_repeated_answer_has_one_effect() {
    let house = house().await;
    let case = resolved_case(&house).await;
    let mut client = client(&house);
    let request = dispute(case);
    let first = client.respond_to_outcome(request.clone()).await.unwrap();
    house.advance(WINDOW);
    let second = client.respond_to_outcome(request.clone()).await.unwrap();
    assert_eq!(consistency_token(&first), consistency_token(&second));
    assert_eq!(first.into_inner(), second.into_inner());
    assert_eq!(house.published::<FeedbackReceived>("feedback").await.len(), 1);

    let changed = RespondToOutcomeRequest { comment: "no parcel at all".into(), ..request };
    let reused = respond(&mut client, changed).await;
    assert_eq!(refused(reused), (Code::AlreadyExists, "IDEMPOTENCY_KEY_REUSED".into()));
    let again = respond(&mut client, accept(case)).await;
    assert_eq!(refused(again), (Code::FailedPrecondition, "ALREADY_ANSWERED".into()));
    house.done().await;
}

#[tokio::test]
async fn equal_requests_at_once_have_one_effect() {
    let house = house().await;
    let case = resolved_case(&house).await;
    let request = dispute(case);
    let (mut one, mut other) = (client(&house), client(&house));
    let (first, second) =
        tokio::join!(respond(&mut one, request.clone()), respond(&mut other, request.clone()));
    let answers: Vec<Feedback> = [first, second].into_iter().filter_map(Result::ok).collect();
    assert!(!answers.is_empty());
    let stands = respond(&mut one, request).await.unwrap();
    assert!(answers.iter().all(|answer| *answer == stands));
    assert_eq!(house.published::<FeedbackReceived>("feedback").await.len(), 1);
    house.done().await;
}

#[tokio::test]
async fn each_cycle_takes_its_own_answer() {
    let house = house().await;
    let case = resolved_case(&house).await;
    let mut client = client(&house);
    respond(&mut client, dispute(case)).await.unwrap();
    house.tell("cases", case, &reopened(case, 2)).await;
    let too_early = respond(&mut client, accept(case)).await;
    assert_eq!(
        refused(too_early),
        (Code::FailedPrecondition, "ALREADY_ANSWERED".into()),
        "cycle 1 is the latest"
    );
    house.tell("cases", case, &resolved(case, 2)).await;
    house.settled().await;

    let first = RespondToOutcomeRequest { cycle: 1, ..accept(case) };
    assert_eq!(refused(respond(&mut client, first).await).1, "ALREADY_ANSWERED");
    let third = RespondToOutcomeRequest { cycle: 3, ..accept(case) };
    assert_eq!(refused(respond(&mut client, third).await), (Code::NotFound, "FEEDBACK_NOT_FOUND".into()));
    let latest = respond(&mut client, accept(case)).await.unwrap();
    assert_eq!((latest.cycle, latest.response()), (2, Response::Accepted));
    let answers: Vec<Response> =
        feedback_of(&mut client, case).await.unwrap().iter().map(Feedback::response).collect();
    assert_eq!(answers, [Response::Disputed, Response::Accepted]);
    house.done().await;
}

#[tokio::test]
async fn an_answer_after_the_window_is_refused() {
    let house = house().await;
    let case = resolved_case(&house).await;
    let mut client = client(&house);
    house.advance(WINDOW.saturating_sub(Duration::from_secs(1)));
    assert!(feedback_of(&mut client, case).await.unwrap()[0].open);
    house.advance(Duration::from_secs(1));
    assert!(!feedback_of(&mut client, case).await.unwrap()[0].open);
    let late = respond(&mut client, accept(case)).await;
    assert_eq!(refused(late), (Code::FailedPrecondition, "RESPONSE_WINDOW_CLOSED".into()));
    assert_eq!(house.published::<FeedbackReceived>("feedback").await, []);
    house.done().await;
}

#[tokio::test]
async fn a_bad_answer_is_told_all_that_is_wrong() {
    let house = house().await;
    let mut client = client(&house);
    let bad = RespondToOutcomeRequest {
        request_id: String::new(),
        case_id: "7".into(),
        cycle: -1,
        response: Response::Disputed.into(),
        comment: " ".into(),
        satisfaction: Some(Satisfaction { handling: 6, outcome: -1 }),
        ..RespondToOutcomeRequest::default()
    };
    let status = client.respond_to_outcome(bad).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::InvalidArgument, "INVALID_RESPONSE"));
    let fields =
        ["request_id", "case_id", "cycle", "comment", "satisfaction.handling", "satisfaction.outcome"];
    assert_eq!(violations(&status), fields);

    let bad = RespondToOutcomeRequest { response: 9, comment: "x".repeat(10_001), ..accept(case()) };
    let status = client.respond_to_outcome(bad).await.unwrap_err();
    assert_eq!(violations(&status), ["response", "comment"]);
    let nothing_told = respond(&mut client, accept(case())).await;
    assert_eq!(refused(nothing_told), (Code::NotFound, "FEEDBACK_NOT_FOUND".into()));
    house.done().await;
}

// --- GetFeedback, ListNotices -----------------------------------------------

#[tokio::test]
async fn feedback_of_a_case_that_was_told_nothing_is_not_found() {
    let house = house().await;
    let mut client = client(&house);
    let case = case();
    house.tell("intake", case, &registered(case, "")).await;
    house.settled().await;
    let unknown = feedback_of(&mut client, case).await;
    assert_eq!(refused(unknown), (Code::NotFound, "FEEDBACK_NOT_FOUND".into()));
    let status = client.get_feedback(GetFeedbackRequest { case_id: "7".into() }).await.unwrap_err();
    assert_eq!((status.code(), violations(&status)), (Code::InvalidArgument, vec!["case_id".to_owned()]));
    house.done().await;
}

#[tokio::test]
async fn notices_are_listed_newest_first_page_by_page() {
    let house = house().await;
    for _ in 0..7 {
        let case = case();
        house.tell("intake", case, &registered(case, "ada@example.org")).await;
        house.settled().await;
        house.advance(Duration::from_secs(1));
    }
    let mut client = client(&house);
    for state in [NoticeState::Unspecified, NoticeState::Undelivered] {
        let mut request =
            ListNoticesRequest { page_size: 3, state: state.into(), ..ListNoticesRequest::default() };
        let (mut sizes, mut times) = (Vec::new(), Vec::new());
        loop {
            let ListNoticesResponse { notices, next_page_token } =
                client.list_notices(request.clone()).await.unwrap().into_inner();
            sizes.push(notices.len());
            times.extend(notices.iter().filter_map(|notice| notice.create_time).map(|time| time.seconds));
            if next_page_token.is_empty() {
                break;
            }
            request.page_token = next_page_token;
        }
        assert_eq!(sizes, [3, 3, 1]);
        assert!(times.is_sorted_by(|one, next| one > next), "{times:?}");
    }
    let pending = ListNoticesRequest { state: NoticeState::Pending.into(), ..ListNoticesRequest::default() };
    assert_eq!(client.list_notices(pending).await.unwrap().into_inner().notices, []);
    house.done().await;
}

#[tokio::test]
async fn a_bad_list_is_told_all_that_is_wrong() {
    let house = house().await;
    let mut client = client(&house);
    let bad = ListNoticesRequest {
        page_size: 501,
        page_token: String::new(),
        case_id: "7".into(),
        state: 9,
        needs_person: true,
    };
    let status = client.list_notices(bad).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert_eq!(violations(&status), ["page_size", "case_id", "state", "state", "needs_person"]);
    let both = ListNoticesRequest { case_id: case().to_string(), state: 1, ..ListNoticesRequest::default() };
    let status = client.list_notices(both).await.unwrap_err();
    assert_eq!((status.code(), violations(&status)), (Code::InvalidArgument, vec!["state".to_owned()]));
    let forged = ListNoticesRequest { page_token: "forged".into(), ..ListNoticesRequest::default() };
    let status = client.list_notices(forged).await.unwrap_err();
    assert_eq!(violations(&status), ["page_token"]);
    house.done().await;
}

#[tokio::test]
async fn tenants_do_not_see_each_other() {
    let house = House::builder(&[feedback::SERVICE]).clock(MockClock::default()).identified().open().await;
    let case = case();
    house.tell_as("tenant-a", "intake", case, &registered(case, "ada@example.org")).await;
    house.tell_as("tenant-a", "cases", case, &resolved(case, 1)).await;
    house.settled().await;
    let mut owner = FeedbackServiceClient::new(house.channel_as("tenant-a", "alice", &["agent", "channel"]));
    let mut other = FeedbackServiceClient::new(house.channel_as("tenant-b", "bob", &["agent", "channel"]));
    assert_eq!(list(&mut owner, case).await.len(), 2);
    assert_eq!(list(&mut other, case).await, []);
    let all = other.list_notices(ListNoticesRequest::default()).await.unwrap().into_inner();
    assert_eq!(all, ListNoticesResponse::default());
    assert_eq!(refused(feedback_of(&mut other, case).await).1, "FEEDBACK_NOT_FOUND");
    let request = accept(case);
    assert_eq!(refused(respond(&mut other, request.clone()).await).1, "FEEDBACK_NOT_FOUND");
    respond(&mut owner, request).await.unwrap();

    // The same case id in another tenant is another case.
    house.tell_as("tenant-b", "intake", case, &registered(case, "bo@example.org")).await;
    house.settled().await;
    assert_eq!(list(&mut other, case).await[0].recipient, "bo@example.org");
    assert_eq!(list(&mut owner, case).await.len(), 2);
    house.done().await;
}
