//! Call-backs: who is called, by when, what came of it.

use std::collections::BTreeMap;
use std::time::Duration;

use proto::redress::cases::v1::{CaseDecided, CaseOpened, CaseWithdrawn, CloseReason, Priority};
use proto::redress::feedback::v1::call_back_service_client::CallBackServiceClient;
use proto::redress::feedback::v1::{
    ActivateCallBackPolicyRequest, CallBack, CallBackAttempted, CallBackCause, CallBackOpened,
    CallBackOutcome, CallBackPolicy, CallBackState, CountCallBacksRequest, CountCallBacksResponse,
    CreateCallBackPolicyRequest, FeedbackReceived, GetCallBackPolicyRequest, ListCallBacksRequest,
    RecordCallBackAttemptRequest, Response, Satisfaction,
};
use proto::redress::intake::v1::{Channel, Complainant, Respondent};
use testkit::{CallerChannel, House, consistency_token, eventually, reason, request_id, violations};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::records::{called, mailing};
use crate::sink::Sink;
use crate::{accept, case, client, closed, dispute, house, list, refused, registered, resolved, respond};

type CallBacks = CallBackServiceClient<CallerChannel>;

fn call_backs(house: &House) -> CallBacks {
    CallBacks::new(house.channel())
}

async fn listed(house: &House, case: Uuid) -> Vec<CallBack> {
    let request = ListCallBacksRequest { case_id: case.to_string(), ..ListCallBacksRequest::default() };
    call_backs(house).list_call_backs(request).await.unwrap().into_inner().call_backs
}

fn opened(case: Uuid, priority: Priority) -> CaseOpened {
    CaseOpened { case_id: case.to_string(), cycle: 1, priority: priority.into(), ..CaseOpened::default() }
}

/// A case of this urgency, whose outcome somebody told by telephone.
async fn told(house: &House, priority: Priority) -> Uuid {
    let case = case();
    let mut registered = registered(case, "");
    registered.complaint.as_mut().unwrap().complainant.as_mut().unwrap().phone = "+86 138".into();
    house.tell("intake", case, &registered).await;
    house.tell("cases", case, &opened(case, priority)).await;
    tell(house, case).await;
    case
}

/// Tells the outcome of a case that is registered.
async fn tell(house: &House, case: Uuid) {
    house.tell("cases", case, &resolved(case, 1)).await;
    house.settled().await;
    let mut client = client(house);
    for notice in list(&mut client, case).await {
        client.record_notice(called(house, &notice)).await.unwrap();
    }
}

fn attempt(
    call_back: &CallBack,
    outcome: CallBackOutcome,
    satisfied: Option<bool>,
) -> RecordCallBackAttemptRequest {
    RecordCallBackAttemptRequest {
        request_id: request_id(),
        call_back_id: call_back.call_back_id.clone(),
        outcome: outcome.into(),
        satisfied,
        note: "still no parcel".into(),
    }
}

async fn record(house: &House, request: RecordCallBackAttemptRequest) -> Result<CallBack, Status> {
    Ok(call_backs(house).record_call_back_attempt(request).await?.into_inner().call_back.unwrap())
}

async fn count(house: &House) -> CountCallBacksResponse {
    let now = house.db("feedback").clock().now().as_second();
    let time = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
    let request = CountCallBacksRequest { start_time: time(now - 86_400 * 30), end_time: time(now + 1) };
    call_backs(house).count_call_backs(request).await.unwrap().into_inner()
}

#[tokio::test]
async fn each_rule_calls_back_and_nobody_is_called_twice() {
    let house = house().await;
    let urgent = told(&house, Priority::P2).await;
    let due = listed(&house, urgent).await;
    assert_eq!(due.len(), 1);
    let due = &due[0];
    assert_eq!(
        (due.state(), due.causes().collect::<Vec<_>>()),
        (CallBackState::Due, vec![CallBackCause::Priority])
    );
    assert_eq!(
        (due.display_name.as_str(), due.phone.as_str(), due.language.as_str()),
        ("Ada", "+86 138", "en")
    );
    assert_eq!((due.time_zone.as_str(), due.draw.clone()), ("Asia/Shanghai", None));
    let (created, by) = (due.create_time.unwrap().seconds, due.due_time.unwrap().seconds);
    assert!(by - created >= 16 * 3_600, "sixteen working hours");
    let hour =
        jiff::Timestamp::from_second(by).unwrap().to_zoned(calendar::zones::get("Asia/Shanghai").unwrap());
    assert!((9..=18).contains(&hour.hour()), "{hour}");

    let careful = case();
    let mut event = registered(careful, "");
    let complaint = event.complaint.as_mut().unwrap();
    complaint.complainant.as_mut().unwrap().vulnerabilities = vec!["elderly".into()];
    complaint.respondent = Some(Respondent { staff: "Mallory".into(), ..Respondent::default() });
    house.tell("intake", careful, &event).await;
    tell(&house, careful).await;
    let due = listed(&house, careful).await;
    let causes: Vec<_> = due[0].causes().collect();
    assert_eq!(causes, [CallBackCause::Vulnerable, CallBackCause::AboutStaff]);
    // Who gives a low score is due already: there is one cause more.
    let low = Satisfaction { handling: 1, outcome: 5 };
    let answer =
        proto::redress::feedback::v1::RespondToOutcomeRequest { satisfaction: Some(low), ..accept(careful) };
    respond(&mut client(&house), answer).await.unwrap();
    let due = listed(&house, careful).await;
    let causes: Vec<_> = due[0].causes().collect();
    assert_eq!((due.len(), causes.last().copied()), (1, Some(CallBackCause::LowScore)));
    let told: Vec<CallBackOpened> = house.published("feedback").await;
    assert_eq!(told.len(), 2, "told once each");
    house.done().await;
}

#[tokio::test]
async fn a_dispute_is_called_back_and_who_is_withdrawn_is_not() {
    let house = house().await;
    let case = told(&house, Priority::P4).await;
    let before = listed(&house, case).await.len();
    respond(&mut client(&house), dispute(case)).await.unwrap();
    let due = listed(&house, case).await;
    assert!(
        due.iter().any(|due| due.causes().any(|cause| cause == CallBackCause::Dispute)),
        "{before} before"
    );
    let withdrawn = CaseWithdrawn { case_id: case.to_string(), cycle: 1, ..Default::default() };
    house.tell("cases", case, &withdrawn).await;
    house.settled().await;
    let over = listed(&house, case).await;
    assert!(over.iter().all(|one| one.state() == CallBackState::Cancelled && one.due_time.is_none()));
    let refusal = refused(record(&house, attempt(&over[0], CallBackOutcome::Reached, Some(true))).await);
    assert_eq!(refusal, (Code::FailedPrecondition, "CALL_BACK_ENDED".into()));
    // One that is closed for want of an answer is called all the same.
    let silent = told(&house, Priority::P1).await;
    house.tell("cases", silent, &closed(silent, 1, CloseReason::WindowPassed)).await;
    house.settled().await;
    assert_eq!(listed(&house, silent).await[0].state(), CallBackState::Due);
    house.done().await;
}

#[tokio::test]
async fn nobody_is_called_of_whom_nobody_knows_who_they_are_and_how_to_reach_them() {
    let house = house().await;
    let numbered = Complainant { phone: "+86 138".into(), ..Complainant::default() };
    let written = Complainant { email: "ann@example.org".into(), ..Complainant::default() };
    let named = Complainant { display_name: "Ada".into(), ..Complainant::default() };
    for (complainant, calls) in [
        (None, 0),
        (Some(Complainant::default()), 0),
        (Some(numbered), 1),
        (Some(written), 1),
        (Some(named), 1),
    ] {
        let case = case();
        let mut event = registered(case, "");
        event.complaint.as_mut().unwrap().complainant.clone_from(&complainant);
        house.tell("intake", case, &event).await;
        house.tell("cases", case, &opened(case, Priority::P1)).await;
        house.tell("cases", case, &resolved(case, 1)).await;
        house.settled().await;
        respond(&mut client(&house), dispute(case)).await.unwrap();
        assert_eq!(listed(&house, case).await.len(), calls, "{complainant:?}");
    }
    house.done().await;
}

#[tokio::test]
async fn who_was_not_reached_is_called_again_until_it_was_tried_often_enough() {
    let house = house().await;
    let case = told(&house, Priority::P1).await;
    let due = listed(&house, case).await.pop().unwrap();
    for number in 1..=3 {
        let request = attempt(&due, CallBackOutcome::NotReached, None);
        let first = call_backs(&house).record_call_back_attempt(request.clone()).await.unwrap();
        let second = call_backs(&house).record_call_back_attempt(request).await.unwrap();
        assert_eq!(consistency_token(&first), consistency_token(&second));
        let tried = first.into_inner().call_back.unwrap();
        assert_eq!(tried.attempts.len(), number, "repeated, recorded once");
        assert_eq!(tried.state() == CallBackState::Done, number == 3);
        house.advance(Duration::from_hours(4));
    }
    let refusal = refused(record(&house, attempt(&due, CallBackOutcome::Refused, None)).await);
    assert_eq!(refusal.1, "CALL_BACK_ENDED");
    let told: Vec<CallBackAttempted> = house.published("feedback").await;
    assert_eq!(
        told.iter().map(|told| (told.number, told.ended)).collect::<Vec<_>>(),
        [(1, false), (2, false), (3, true)]
    );
    house.done().await;
}

#[tokio::test]
async fn who_is_not_satisfied_disputes_while_the_cycle_takes_an_answer() {
    let house = house().await;
    let (early, late) = (told(&house, Priority::P1).await, told(&house, Priority::P1).await);
    let due = listed(&house, early).await.pop().unwrap();
    let request = attempt(&due, CallBackOutcome::Reached, Some(false));
    let done = record(&house, request.clone()).await.unwrap();
    assert_eq!((done.state(), done.attempts[0].disputed), (CallBackState::Done, true));
    assert_eq!(record(&house, request).await.unwrap(), done);
    let answers: Vec<FeedbackReceived> = house.published("feedback").await;
    assert_eq!(answers.len(), 1);
    assert_eq!((answers[0].response(), answers[0].comment.as_str()), (Response::Disputed, "still no parcel"));
    assert_eq!(listed(&house, early).await.len(), 1, "who was just spoken to is not called back for it");

    house.advance(crate::WINDOW);
    let due = listed(&house, late).await.pop().unwrap();
    let done = record(&house, attempt(&due, CallBackOutcome::Reached, Some(false))).await.unwrap();
    assert!(!done.attempts[0].disputed, "its time is over");
    assert_eq!(house.published::<FeedbackReceived>("feedback").await.len(), 1);
    let counted = count(&house).await;
    assert_eq!((counted.owed, counted.due, counted.reached, counted.satisfied), (2, 0, 2, 0));
    assert_eq!(counted.reached_share, Some(1.0));
    house.done().await;
}

#[tokio::test]
async fn a_call_that_disputes_and_an_answer_that_comes_meanwhile_have_one_effect() {
    let house = house().await;
    for _ in 0..8 {
        let case = told(&house, Priority::P1).await;
        let due = listed(&house, case).await.pop().unwrap();
        let before = house.published::<FeedbackReceived>("feedback").await.len();
        let mut client = client(&house);
        let (call, answer) = tokio::join!(
            record(&house, attempt(&due, CallBackOutcome::Reached, Some(false))),
            respond(&mut client, dispute(case)),
        );
        let disputed = call.unwrap().attempts[0].disputed;
        assert_eq!(disputed, answer.is_err(), "one of the two");
        assert_eq!(house.published::<FeedbackReceived>("feedback").await.len(), before + 1);
    }
    house.done().await;
}

#[tokio::test]
async fn whom_it_is_about_does_not_call() {
    let house =
        House::builder(&[feedback::SERVICE]).clock(testkit::MockClock::default()).identified().open().await;
    let case = case();
    house.tell_as("tenant-a", "intake", case, &registered(case, "")).await;
    house.tell_as("tenant-a", "cases", case, &opened(case, Priority::P1)).await;
    let decided = CaseDecided {
        case_id: case.to_string(),
        cycle: 1,
        priority: Priority::P1.into(),
        recused_subjects: vec!["mallory".into()],
        ..CaseDecided::default()
    };
    house.tell_as("tenant-a", "cases", case, &decided).await;
    house.tell_as("tenant-a", "cases", case, &resolved(case, 1)).await;
    house.settled().await;
    let line = |subject: &str, tenant: &str| house.channel_as(tenant, subject, &["agent", "admin"]);
    let mut notices = crate::Client::new(line("lin", "tenant-a"));
    for notice in list(&mut notices, case).await {
        notices.record_notice(called(&house, &notice)).await.unwrap();
    }
    let mut owner = CallBacks::new(line("lin", "tenant-a"));
    let all = ListCallBacksRequest::default();
    let due = owner.list_call_backs(all.clone()).await.unwrap().into_inner().call_backs.pop().unwrap();
    let request = attempt(&due, CallBackOutcome::Reached, Some(true));
    let mallory = CallBacks::new(line("Mallory", "tenant-a")).record_call_back_attempt(request.clone()).await;
    assert_eq!(refused(mallory), (Code::PermissionDenied, "CALLER_RECUSED".into()));

    let mut other = CallBacks::new(line("bob", "tenant-b"));
    assert_eq!(refused(other.record_call_back_attempt(request.clone()).await).1, "CALL_BACK_NOT_FOUND");
    assert_eq!(other.list_call_backs(all).await.unwrap().into_inner().call_backs, []);
    let now = house.db("feedback").clock().now().as_second();
    let time = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
    let period = CountCallBacksRequest { start_time: time(now - 1), end_time: time(now + 1) };
    let counted = other.count_call_backs(period).await.unwrap().into_inner();
    assert_eq!((counted.owed, counted.reached_share), (0, None));
    assert_eq!(counted, CountCallBacksResponse::default());
    owner.create_call_back_policy(made(policy())).await.unwrap();
    assert_eq!(refused(other.activate_call_back_policy(put(1)).await).1, "CALL_BACK_POLICY_NOT_FOUND");
    owner.record_call_back_attempt(request).await.unwrap();
    house.done().await;
}

fn policy() -> CallBackPolicy {
    CallBackPolicy {
        sample_percent: 30,
        seed: "november".into(),
        within_working_hours: 8,
        retry_working_hours: 1,
        max_attempts: 1,
        note: "a trial".into(),
        ..CallBackPolicy::default()
    }
}

fn made(policy: CallBackPolicy) -> CreateCallBackPolicyRequest {
    CreateCallBackPolicyRequest { request_id: request_id(), policy: Some(policy) }
}

fn put(version: i64) -> ActivateCallBackPolicyRequest {
    ActivateCallBackPolicyRequest { request_id: request_id(), version }
}

/// The parts of a draw, put together again as the contract says.
fn drawn_again(seed: &str, call_back: &CallBack) -> bool {
    let draw = call_back.draw.as_ref().unwrap();
    let case = kernel::CaseId(call_back.case_id.parse().unwrap());
    let ticket = feedback::sample::ticket(seed, case);
    let (before, after) = (draw.owed_before, draw.owed_before + i64::from(draw.percent));
    let crosses = after / 100 > before / 100;
    let float = |number: i64| f64::from(i32::try_from(number).unwrap());
    let chance = match (draw.drawn_before <= before / 100, crosses) {
        (true, true) => 1.0,
        (true, false) => float(after % 100 - before % 100) / float(100 - before % 100),
        (false, true) => float(after % 100) / float(before % 100),
        (false, false) => 0.0,
    };
    assert!((draw.ticket - ticket).abs() < 1e-15 && (draw.chance - chance).abs() < 1e-12, "{draw:?}");
    ticket < chance
}

#[tokio::test]
async fn the_sample_is_drawn_per_stratum_and_can_be_drawn_again_from_its_seed() {
    const EACH: usize = 20;
    let sink = Sink::open().await;
    let house = mailing(&sink).await;
    let mut call_backs = call_backs(&house);
    call_backs.create_call_back_policy(made(policy())).await.unwrap();
    call_backs.activate_call_back_policy(put(1)).await.unwrap();
    for channel in [Channel::Email, Channel::Phone] {
        for _ in 0..EACH {
            let case = case();
            let mut event = registered(case, &format!("{}@example.org", case.simple()));
            event.complaint.as_mut().unwrap().channel = channel.into();
            house.tell("intake", case, &event).await;
            house.tell("cases", case, &resolved(case, 1)).await;
        }
    }
    let told = "SELECT count(*) FROM feedback.feedback WHERE told_at IS NOT NULL";
    eventually(async || {
        let told: i64 = sqlx::query_scalar(told).fetch_one(&mut house.owner().await).await.unwrap();
        usize::try_from(told).unwrap() == 2 * EACH
    })
    .await;
    let request = ListCallBacksRequest { page_size: 500, ..ListCallBacksRequest::default() };
    let drawn = call_backs.list_call_backs(request).await.unwrap().into_inner().call_backs;
    let mut strata: BTreeMap<String, usize> = BTreeMap::new();
    for one in &drawn {
        assert_eq!((one.policy_version, one.causes().collect::<Vec<_>>()), (1, vec![CallBackCause::Sample]));
        assert!(drawn_again("november", one), "{one:?}");
        *strata.entry(one.draw.as_ref().unwrap().stratum.clone()).or_default() += 1;
    }
    assert_eq!(
        strata,
        BTreeMap::from([("1/2".to_owned(), 6), ("4/2".to_owned(), 6)]),
        "30 of a hundred of each"
    );

    let due = ListCallBacksRequest { page_size: 5, state: CallBackState::Due.into(), ..Default::default() };
    let mut pages = vec![call_backs.list_call_backs(due.clone()).await.unwrap().into_inner()];
    while let Some(token) =
        pages.last().map(|page| page.next_page_token.clone()).filter(|token| !token.is_empty())
    {
        let next = ListCallBacksRequest { page_token: token, ..due.clone() };
        pages.push(call_backs.list_call_backs(next).await.unwrap().into_inner());
    }
    let mut ids: Vec<_> =
        pages.iter().flat_map(|page| &page.call_backs).map(|one| one.call_back_id.clone()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!((ids.len(), pages.len()), (12, 3));
    house.settled().await;
    house.done().await;
}

#[tokio::test]
async fn who_is_told_at_the_same_moment_is_drawn_one_after_the_other() {
    const EACH: usize = 20;
    let house = house().await;
    call_backs(&house).create_call_back_policy(made(policy())).await.unwrap();
    call_backs(&house).activate_call_back_policy(put(1)).await.unwrap();
    let cases: Vec<Uuid> = (0..EACH).map(|_| case()).collect();
    let mut notices = Vec::new();
    for case in &cases {
        house.tell("intake", *case, &registered(*case, "")).await;
        house.tell("cases", *case, &resolved(*case, 1)).await;
        house.settled().await;
        notices.extend(list(&mut client(&house), *case).await);
    }
    let record = async |notice| client(&house).record_notice(called(&house, &notice)).await.unwrap();
    futures::future::join_all(notices.into_iter().map(record)).await;
    let request = ListCallBacksRequest { page_size: 500, ..ListCallBacksRequest::default() };
    let drawn = call_backs(&house).list_call_backs(request).await.unwrap().into_inner().call_backs;
    assert!(drawn.len() == 6 && drawn.iter().all(|one| drawn_again("november", one)), "{drawn:?}");
    let mut owed: Vec<i64> = drawn.iter().map(|one| one.draw.as_ref().unwrap().owed_before).collect();
    owed.sort_unstable();
    owed.dedup();
    assert_eq!(owed.len(), 6, "each at a place of its own");
    house.done().await;
}

#[tokio::test]
async fn a_policy_is_in_force_once_activated_and_the_shipped_one_can_be_had_back() {
    let house = house().await;
    let mut call_backs = call_backs(&house);
    let get = async |call_backs: &mut CallBacks, version| {
        let answer = call_backs.get_call_back_policy(GetCallBackPolicyRequest { version }).await?;
        Ok::<_, Status>(answer.into_inner().policy.unwrap())
    };
    let shipped = get(&mut call_backs, None).await.unwrap();
    assert_eq!((shipped.version, shipped.priority_up_to, shipped.sample_percent), (0, 2, 10));
    let request = made(CallBackPolicy { seed: String::new(), ..policy() });
    let first = call_backs.create_call_back_policy(request.clone()).await.unwrap().into_inner();
    let second = call_backs.create_call_back_policy(request).await.unwrap().into_inner();
    assert_eq!(first, second);
    assert_eq!(first.policy.unwrap().seed.len(), 32, "one is drawn");
    assert_eq!(get(&mut call_backs, None).await.unwrap(), shipped);
    let request = put(1);
    let first = call_backs.activate_call_back_policy(request.clone()).await.unwrap().into_inner();
    assert_eq!(call_backs.activate_call_back_policy(request).await.unwrap().into_inner(), first);
    assert_eq!(get(&mut call_backs, None).await.unwrap().version, 1);
    let back = call_backs.activate_call_back_policy(put(0)).await.unwrap().into_inner().policy.unwrap();
    assert_eq!((back.version, back.seed.as_str()), (2, "shipped"));
    assert_eq!(refused(get(&mut call_backs, Some(7)).await).1, "CALL_BACK_POLICY_NOT_FOUND");
    house.done().await;
}

#[tokio::test]
async fn what_is_wrong_is_told_with_all_that_is_wrong() {
    let house = house().await;
    let mut call_backs = call_backs(&house);
    let bad = CallBackPolicy {
        priority_up_to: 5,
        sample_percent: 101,
        seed: "x".repeat(101),
        within_working_hours: 0,
        retry_working_hours: 201,
        max_attempts: 0,
        note: "x".repeat(2_001),
        ..CallBackPolicy::default()
    };
    let status = call_backs.create_call_back_policy(made(bad)).await.unwrap_err();
    assert_eq!(
        (status.code(), reason(&status).as_str()),
        (Code::InvalidArgument, "INVALID_CALL_BACK_POLICY")
    );
    let fields: Vec<String> = violations(&status).iter().map(|field| field.replace("policy.", "")).collect();
    let expected = [
        "priority_up_to",
        "sample_percent",
        "within_working_hours",
        "retry_working_hours",
        "max_attempts",
        "seed",
        "note",
    ];
    assert_eq!(fields, expected);

    let wrong = RecordCallBackAttemptRequest {
        request_id: String::new(),
        call_back_id: "7".into(),
        outcome: CallBackOutcome::NotReached.into(),
        satisfied: Some(false),
        note: " ".into(),
    };
    let status = call_backs.record_call_back_attempt(wrong).await.unwrap_err();
    assert_eq!(violations(&status), ["request_id", "call_back_id", "satisfied", "note"]);
    let unknown = CallBack { call_back_id: case().to_string(), ..CallBack::default() };
    let refusal = refused(record(&house, attempt(&unknown, CallBackOutcome::Refused, None)).await);
    assert_eq!(refusal, (Code::NotFound, "CALL_BACK_NOT_FOUND".into()));
    let time = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
    for (start_time, end_time, fields) in [
        (None, None, vec!["start_time", "end_time"]),
        (time(10), time(10), vec!["end_time"]),
        (time(0), time(86_400 * 401), vec!["end_time"]),
    ] {
        let request = CountCallBacksRequest { start_time, end_time };
        assert_eq!(violations(&call_backs.count_call_backs(request).await.unwrap_err()), fields);
    }
    let bad = ListCallBacksRequest { page_size: 501, case_id: "7".into(), state: 9, ..Default::default() };
    let status = call_backs.list_call_backs(bad).await.unwrap_err();
    assert_eq!(violations(&status), ["page_size", "case_id", "state", "state"]);
    house.done().await;
}
