//! Clocks of cases, from the opening to the last step of a ladder.

use jiff::SignedDuration;
use prost_types::{Duration, Timestamp};
use proto::redress::cases::v1::clock_service_client::ClockServiceClient;
use proto::redress::cases::v1::{
    CaseClock, CaseEscalated, CaseState, ClockBreached, ClockKind, ClockReminder, ClockState,
    ExplainDeadlineRequest, ExplainDeadlineResponse, IntervalKind, ListClocksRequest, TimelineKind,
    WithdrawCaseRequest,
};
use proto::redress::feedback::v1::{NoticeKind, NoticeSettled, NoticeState, Response};
use testkit::{CallerChannel, House, eventually, reason, request_id, violations};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::scene::{Scene, complaint, registered};

const HOUR: SignedDuration = SignedDuration::from_hours(1);

fn client(house: &House) -> ClockServiceClient<CallerChannel> {
    ClockServiceClient::new(house.channel())
}

async fn clocks(scene: &Scene, case: Uuid) -> Vec<CaseClock> {
    let request = ListClocksRequest { case_id: case.to_string() };
    client(&scene.house).list_clocks(request).await.expect("listed").into_inner().clocks
}

async fn clock(scene: &Scene, case: Uuid, kind: ClockKind) -> CaseClock {
    let found = clocks(scene, case).await.into_iter().find(|clock| clock.kind() == kind);
    found.expect("the case has such a clock")
}

async fn explain(scene: &Scene, case: Uuid, kind: ClockKind) -> Result<ExplainDeadlineResponse, Status> {
    let request = ExplainDeadlineRequest { case_id: case.to_string(), kind: kind.into() };
    Ok(client(&scene.house).explain_deadline(request).await?.into_inner())
}

fn acknowledged(case: Uuid, detail: &str) -> NoticeSettled {
    let state = if detail.is_empty() { NoticeState::Delivered } else { NoticeState::Undelivered };
    NoticeSettled {
        case_id: case.to_string(),
        cycle: 1,
        notice_id: String::new(),
        kind: NoticeKind::Acknowledgement.into(),
        state: state.into(),
        detail: detail.to_owned(),
        ..NoticeSettled::default()
    }
}

fn at(text: &str) -> Timestamp {
    let time: jiff::Timestamp = text.parse().expect("a time");
    Timestamp { seconds: time.as_second(), nanos: 0 }
}

/// Cases whose next step is armed.
async fn armed(scene: &Scene) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM cases.timer WHERE kind = 'clock'")
        .fetch_one(&mut scene.house.owner().await)
        .await
        .expect("counted")
}

// The clock of these tests stands at Monday 23 November 2026, 17:00 in China: an
// hour before closing time.

#[tokio::test]
async fn a_case_is_opened_with_what_is_promised() {
    let scene = Scene::timed().await;
    let case = scene.triaged().await;
    let kinds: Vec<_> =
        clocks(&scene, case).await.iter().map(|clock| (clock.kind(), clock.state())).collect();
    assert_eq!(
        kinds,
        [(ClockKind::Acknowledge, ClockState::Running), (ClockKind::Decide, ClockState::Running)]
    );
    let acknowledge = clock(&scene, case, ClockKind::Acknowledge).await;
    assert_eq!(acknowledge.due_time, Some(at("2026-11-23T10:00:00Z")));
    let decide = clock(&scene, case, ClockKind::Decide).await;
    assert_eq!(decide.due_time, Some(at("2026-12-02T16:00:00Z")), "the end of the seventh working day after");
    assert_eq!((decide.policy.as_str(), decide.budget.as_str()), ("general-e-commerce@1", "7 working days"));
    assert_eq!((decide.calendar.as_str(), decide.own_target, decide.breached), ("cn", true, false));
    assert_eq!(scene.case(case).await.due_time, acknowledge.due_time, "the first of them");
    assert_eq!(armed(&scene).await, 1, "the next step alone");
    scene.house.done().await;
}

#[tokio::test]
async fn a_deadline_is_explained_to_the_second() {
    let scene = Scene::timed().await;
    let case = scene.triaged().await;
    let explained = explain(&scene, case, ClockKind::Decide).await.expect("explained");
    let clock = explained.clock.clone().expect("a clock");
    assert_eq!(explained.time_zone, "Asia/Shanghai");
    let mut from = clock.start_time;
    let mut sum = 0;
    for interval in &explained.intervals {
        assert_eq!(interval.from_time, from, "without a gap");
        sum += interval.amount.as_ref().map_or(0, |amount| amount.seconds);
        assert_eq!(interval.sum, Some(Duration { seconds: sum, nanos: 0 }));
        from = interval.until_time;
    }
    assert_eq!(from, clock.due_time, "they end at the due time");
    assert_eq!(explained.total, Some(Duration { seconds: sum, nanos: 0 }));
    let kinds: Vec<_> = explained.intervals.iter().map(proto::redress::cases::v1::Interval::kind).collect();
    assert!(kinds.contains(&IntervalKind::Weekend) && kinds.contains(&IntervalKind::BeforeFirstDay));
    scene.house.done().await;
}

#[tokio::test]
async fn what_happens_keeps_the_promises() {
    let scene = Scene::timed().await;
    let case = scene.assigned().await;
    scene.house.tell("feedback", case, &acknowledged(case, "")).await;
    scene.house.settled().await;
    let decide = clock(&scene, case, ClockKind::Decide).await;
    assert_eq!(clock(&scene, case, ClockKind::Acknowledge).await.state(), ClockState::Met);
    assert_eq!(scene.case(case).await.due_time, decide.due_time);
    scene.decide(case, true).await;
    assert_eq!(clock(&scene, case, ClockKind::Decide).await.state(), ClockState::Running, "not told yet");
    let resolved = scene.resolved().await;
    let decide = clock(&scene, resolved, ClockKind::Decide).await;
    assert_eq!((decide.state(), decide.end_time), (ClockState::Met, Some(at("2026-11-23T09:00:00Z"))));
    scene.respond(resolved, 1, Response::Disputed, "still broken").await;
    let cycles: Vec<_> =
        clocks(&scene, resolved).await.iter().map(|clock| (clock.kind(), clock.cycle)).collect();
    assert_eq!(cycles, [(ClockKind::Acknowledge, 1), (ClockKind::Decide, 2), (ClockKind::Decide, 1)]);
    scene.house.done().await;
}

#[tokio::test]
async fn what_was_done_before_the_case_was_there_counts() {
    let scene = Scene::timed().await;
    let case = scene.new_id();
    scene.house.tell("feedback", case, &acknowledged(case, "")).await;
    scene.house.settled().await;
    scene.house.tell("intake", case, &registered(case, complaint(), scene.now())).await;
    scene.house.settled().await;
    assert_eq!(clock(&scene, case, ClockKind::Acknowledge).await.state(), ClockState::Met);
    scene.house.done().await;
}

#[tokio::test]
async fn a_complaint_told_twice_has_its_clocks_once() {
    let scene = Scene::timed().await;
    let case = scene.triaged().await;
    let before = clocks(&scene, case).await;
    scene.advance(HOUR / 2);
    scene.house.tell("intake", case, &registered(case, complaint(), scene.now())).await;
    scene.house.settled().await;
    assert_eq!(clocks(&scene, case).await, before);
    assert_eq!(armed(&scene).await, 1);
    scene.house.done().await;
}

#[tokio::test]
async fn nothing_is_owed_to_who_withdrew() {
    let scene = Scene::timed().await;
    let case = scene.triaged().await;
    let request = WithdrawCaseRequest {
        request_id: request_id(),
        case_id: case.to_string(),
        ..WithdrawCaseRequest::default()
    };
    let answer = scene.cases.clone().withdraw_case(request).await.expect("withdrawn").into_inner();
    assert_eq!(answer.case.and_then(|case| case.due_time), None);
    assert!(clocks(&scene, case).await.iter().all(|clock| clock.state() == ClockState::Stopped));
    assert_eq!(armed(&scene).await, 0);
    scene.advance(HOUR * 24 * 60);
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert_eq!(scene.house.published::<ClockBreached>("cases").await, []);
    scene.house.done().await;
}

#[tokio::test]
async fn steps_are_taken_one_by_one_as_time_runs_out() {
    let scene = Scene::timed().await;
    let case = scene.assigned().await;
    scene.house.tell("feedback", case, &acknowledged(case, "")).await;
    scene.house.settled().await;
    // 80 % of 7 working days and the 7 hours that are given away.
    scene.advance(HOUR * 24 * 8 + HOUR * 12);
    eventually(async || !scene.house.published::<ClockReminder>("cases").await.is_empty()).await;
    let reminders = scene.house.published::<ClockReminder>("cases").await;
    let reminder = reminders.first().expect("one");
    assert_eq!((reminders.len(), reminder.kind(), reminder.agent_id.as_str()), (1, ClockKind::Decide, "bob"));
    assert_eq!(scene.house.published::<ClockBreached>("cases").await, []);
    scene.advance(HOUR * 24);
    eventually(async || !scene.house.published::<ClockBreached>("cases").await.is_empty()).await;
    let breached = clock(&scene, case, ClockKind::Decide).await;
    assert_eq!((breached.breached, breached.state()), (true, ClockState::Running));
    assert_eq!(breached.rungs_done, ["last-fifth", "breach"]);
    scene.advance(HOUR * 24);
    eventually(async || scene.case(case).await.tier == 1).await;
    let escalated: Vec<CaseEscalated> = scene.house.published("cases").await;
    assert_eq!(escalated.iter().map(|told| told.tier).collect::<Vec<_>>(), [1]);
    scene.advance(HOUR * 24 * 30);
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert_eq!(scene.house.published::<ClockReminder>("cases").await.len(), 1);
    assert_eq!(scene.house.published::<ClockBreached>("cases").await.len(), 1);
    let kinds = scene.kinds(case).await;
    assert_eq!(kinds[kinds.len() - 3..], [TimelineKind::Clock, TimelineKind::Clock, TimelineKind::Escalated]);
    assert_eq!(armed(&scene).await, 0);
    scene.house.done().await;
}

#[tokio::test]
async fn after_a_downtime_the_newest_step_is_taken_and_the_others_are_noted() {
    let scene = Scene::timed().await;
    let case = scene.assigned().await;
    scene.advance(HOUR * 24 * 40);
    eventually(async || scene.case(case).await.tier == 1).await;
    assert_eq!(scene.house.published::<ClockReminder>("cases").await, []);
    assert_eq!(scene.house.published::<ClockBreached>("cases").await.len(), 2, "both promises were broken");
    let passed =
        scene.timeline(case).await.iter().filter(|entry| entry.text.contains("passed while")).count();
    assert_eq!(passed, 2, "it is too late to remind anybody");
    assert_eq!(scene.case(case).await.state(), CaseState::Investigating);
    scene.house.done().await;
}

#[tokio::test]
async fn bad_questions_about_clocks_are_refused() {
    let house = House::builder(&[cases::SERVICE]).identified().open().await;
    let mut clocks = ClockServiceClient::new(house.channel_as("tenant-a", "ann", &["agent"]));
    let unknown = Uuid::from_u128(7).to_string();
    let refusal = clocks.list_clocks(ListClocksRequest { case_id: "x".to_owned() }).await.unwrap_err();
    assert_eq!((refusal.code(), violations(&refusal)), (Code::InvalidArgument, vec!["case_id".to_owned()]));
    let bad = ExplainDeadlineRequest { case_id: String::new(), kind: 0 };
    let refusal = clocks.explain_deadline(bad).await.unwrap_err();
    assert_eq!(violations(&refusal), ["case_id", "kind"]);
    let refusal = clocks.list_clocks(ListClocksRequest { case_id: unknown }).await.unwrap_err();
    assert_eq!((refusal.code(), reason(&refusal).as_str()), (Code::NotFound, "CASE_NOT_FOUND"));

    let case = house.db("cases").ids().id(house.db("cases").clock().now());
    let now = house.db("cases").clock().now();
    house.tell_as("tenant-b", "intake", case, &registered(case, complaint(), now)).await;
    house.settled().await;
    let foreign = clocks.list_clocks(ListClocksRequest { case_id: case.to_string() }).await.unwrap_err();
    assert_eq!(reason(&foreign), "CASE_NOT_FOUND", "another tenant sees nothing");
    let mut own = ClockServiceClient::new(house.channel_as("tenant-b", "bob", &["agent"]));
    let request = ExplainDeadlineRequest { case_id: case.to_string(), kind: ClockKind::Final.into() };
    let refusal = own.explain_deadline(request).await.unwrap_err();
    assert_eq!((refusal.code(), reason(&refusal).as_str()), (Code::NotFound, "CLOCK_NOT_FOUND"));
    house.done().await;
}
