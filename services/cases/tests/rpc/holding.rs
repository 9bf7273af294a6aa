//! Holding replies: there is no answer yet, and the complainant is told so.

use jiff::SignedDuration;
use prost_types::Timestamp;
use proto::redress::cases::v1::clock_service_client::ClockServiceClient;
use proto::redress::cases::v1::policy_service_client::PolicyServiceClient;
use proto::redress::cases::v1::{
    ActivatePolicyRequest, AddNoteRequest, CaseClock, ClockBreached, ClockKind, ClockReminder, ClockState,
    CreatePolicyRequest, ExtensionGranted, ExtensionState, HoldingReplySent, ListClocksRequest,
    ListExtensionsRequest, RequestExtensionRequest, SendHoldingReplyRequest, SendHoldingReplyResponse,
    Visibility,
};
use testkit::{CallerChannel, eventually, reason, request_id, violations};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::scene::Scene;

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

fn line(scene: &Scene) -> ClockServiceClient<CallerChannel> {
    ClockServiceClient::new(scene.house.channel_as("development", "ann", &[]))
}

/// A case of a house where this pack is in force.
pub(crate) async fn under(pack: &str) -> (Scene, Uuid) {
    let scene = Scene::timed().await;
    put_under(&scene, 1, CreatePolicyRequest { shipped_pack: pack.to_owned(), ..Default::default() }).await;
    let case = scene.assigned().await;
    (scene, case)
}

async fn put_under(scene: &Scene, version: i32, policy: CreatePolicyRequest) {
    let mut policies = PolicyServiceClient::new(scene.house.channel());
    let request = CreatePolicyRequest { request_id: request_id(), ..policy };
    policies.create_policy(request).await.expect("made");
    let request = ActivatePolicyRequest { request_id: request_id(), version, validate_only: false };
    policies.activate_policy(request).await.expect("activated");
}

fn reply(case: Uuid) -> SendHoldingReplyRequest {
    SendHoldingReplyRequest {
        request_id: request_id(),
        case_id: case.to_string(),
        expected_version: None,
        text: "we have asked the other bank".to_owned(),
        reason: "the other bank has not answered".to_owned(),
        next_update_time: None,
        extend_by: None,
        cause: "beyond-control".to_owned(),
    }
}

/// So many seconds from now.
fn ahead(scene: &Scene, seconds: i64) -> Timestamp {
    Timestamp { seconds: scene.now().as_second() + seconds, nanos: 0 }
}

async fn hold(scene: &Scene, request: SendHoldingReplyRequest) -> Result<SendHoldingReplyResponse, Status> {
    Ok(line(scene).send_holding_reply(request).await?.into_inner())
}

async fn refused(scene: &Scene, request: SendHoldingReplyRequest) -> String {
    let refusal = hold(scene, request).await.expect_err("refused");
    assert_eq!(refusal.code(), Code::FailedPrecondition);
    reason(&refusal)
}

async fn clocks(scene: &Scene, case: Uuid) -> Vec<CaseClock> {
    let request = ListClocksRequest { case_id: case.to_string() };
    line(scene).list_clocks(request).await.expect("listed").into_inner().clocks
}

fn of(clocks: &[CaseClock], kind: ClockKind) -> &CaseClock {
    clocks.iter().find(|clock| clock.kind() == kind).expect("there is such a clock")
}

#[tokio::test]
async fn a_holding_reply_in_time_gives_the_answer_until_day_35() {
    let (scene, case) = under("uk-eu-payment").await;
    let before = clocks(&scene, case).await;
    assert_eq!(of(&before, ClockKind::Final).budget, "15 working days");
    let more = RequestExtensionRequest {
        request_id: request_id(),
        case_id: case.to_string(),
        expected_version: None,
        kind: ClockKind::Final.into(),
        amount: 20,
        reason: "nobody is told".to_owned(),
    };
    let refusal = line(&scene).request_extension(more).await.expect_err("refused");
    assert_eq!(reason(&refusal), "HOLDING_REPLY_NEEDED");
    let request = SendHoldingReplyRequest { extend_by: Some(21), ..reply(case) };
    assert_eq!(refused(&scene, request).await, "BEYOND_MAXIMUM");
    let request = SendHoldingReplyRequest { next_update_time: Some(ahead(&scene, 70 * DAY)), ..reply(case) };
    assert_eq!(refused(&scene, request).await, "UPDATE_BEYOND_LIMIT");
    assert_eq!(clocks(&scene, case).await, before, "what is refused changes nothing");

    assert_eq!(refused(&scene, reply(case)).await, "ANSWER_TIME_NEEDED");
    let next = Some(ahead(&scene, 40 * DAY + 17));
    for cause in ["", "we-were-busy"] {
        let request =
            SendHoldingReplyRequest { cause: cause.to_owned(), next_update_time: next, ..reply(case) };
        assert_eq!(refused(&scene, request).await, "UNLAWFUL_CAUSE");
    }
    assert_eq!(clocks(&scene, case).await, before, "what is refused changes nothing");

    let version = scene.case(case).await.version;
    let next = Some(ahead(&scene, 40 * DAY + 17));
    let request = SendHoldingReplyRequest { next_update_time: next, ..reply(case) };
    let answer = hold(&scene, request.clone()).await.expect("sent");
    assert_eq!(hold(&scene, request).await.expect("the same answer"), answer);
    assert_eq!(scene.case(case).await.version, version + 1, "one effect");
    assert_eq!(clocks(&scene, case).await, answer.clocks);
    let final_clock = of(&answer.clocks, ClockKind::Final);
    assert_eq!((final_clock.budget.as_str(), final_clock.extended), ("35 working days", 20));
    let update = of(&answer.clocks, ClockKind::Update);
    assert_eq!((update.due_time, update.policy.as_str()), (next, "holding-reply"));
    assert!(update.own_target && !update.unverified);

    let extension = answer.extension.expect("more time");
    assert_eq!((extension.state(), extension.amount), (ExtensionState::Granted, 20));
    let request = ListExtensionsRequest { case_id: case.to_string() };
    let listed = line(&scene).list_extensions(request).await.expect("listed").into_inner().extensions;
    assert_eq!(listed, [extension]);
    let told: Vec<HoldingReplySent> = scene.house.published("cases").await;
    assert_eq!((told.len(), told[0].next_update_time, told[0].due_time), (1, next, final_clock.due_time));
    let granted: Vec<ExtensionGranted> = scene.house.published("cases").await;
    assert_eq!((granted.len(), granted[0].notice_due), (1, false), "the reply tells of it");
    let timeline = scene.timeline(case).await;
    let entry = timeline.iter().find(|entry| entry.ordinal == told[0].ordinal).expect("on the record");
    assert_eq!((entry.visibility(), entry.actor.as_str()), (Visibility::Public, "ann"));
    assert!(entry.text.starts_with("we have asked the other bank\nit takes longer: the other bank"));

    let request = SendHoldingReplyRequest { extend_by: Some(1), ..reply(case) };
    assert_eq!(refused(&scene, request).await, "EXTENDED_ALREADY");
    let again = hold(&scene, reply(case)).await.expect("sent");
    assert_eq!((of(&again.clocks, ClockKind::Update).state(), again.extension), (ClockState::Met, None));
    scene.house.done().await;
}

#[tokio::test]
async fn too_late_it_gives_nothing() {
    let (scene, case) = under("uk-eu-payment").await;
    scene.advance(SignedDuration::from_secs(30 * DAY));
    eventually(async || scene.case(case).await.tier == 1).await;
    assert_eq!(refused(&scene, reply(case)).await, "CLOCK_OVERDUE");
    // Better late news than none.
    let next = Some(ahead(&scene, DAY));
    let request = SendHoldingReplyRequest { extend_by: Some(0), next_update_time: next, ..reply(case) };
    let answer = hold(&scene, request).await.expect("sent");
    assert_eq!((of(&answer.clocks, ClockKind::Final).extended, answer.extension), (0, None));
    assert_eq!(of(&answer.clocks, ClockKind::Update).due_time, next);
    assert_eq!(scene.case(case).await.due_time, of(&answer.clocks, ClockKind::Final).due_time);
    let told: Vec<HoldingReplySent> = scene.house.published("cases").await;
    assert_eq!(told[0].due_time, None, "nobody promises what is past");
    scene.house.done().await;
}

#[tokio::test]
async fn a_word_given_has_its_steps_and_is_kept_by_the_next_news() {
    let (scene, case) = under("in-rbi").await;
    let request = SendHoldingReplyRequest { next_update_time: Some(ahead(&scene, 10 * DAY)), ..reply(case) };
    hold(&scene, request).await.expect("sent");
    assert_eq!(scene.case(case).await.due_time, Some(ahead(&scene, 10 * DAY)), "the next that is owed");
    scene.advance(SignedDuration::from_secs(8 * DAY + 60));
    eventually(async || !scene.house.published::<ClockReminder>("cases").await.is_empty()).await;
    let reminders: Vec<ClockReminder> = scene.house.published("cases").await;
    assert_eq!((reminders.len(), reminders[0].kind()), (1, ClockKind::Update));

    // In time: the next word is another clock with steps of its own.
    let next = Some(ahead(&scene, 2 * DAY));
    let request = SendHoldingReplyRequest { next_update_time: next, ..reply(case) };
    let answer = hold(&scene, request).await.expect("sent");
    let update = of(&answer.clocks, ClockKind::Update);
    assert_eq!((update.due_time, update.rungs_done.len()), (next, 0));
    scene.advance(SignedDuration::from_secs(2 * DAY));
    eventually(async || !scene.house.published::<ClockBreached>("cases").await.is_empty()).await;
    let breaches: Vec<ClockBreached> = scene.house.published("cases").await;
    assert_eq!((breaches.len(), breaches[0].kind(), breaches[0].due_time), (1, ClockKind::Update, next));
    let note = AddNoteRequest {
        request_id: request_id(),
        case_id: case.to_string(),
        text: "the bank has answered".to_owned(),
        visibility: Visibility::Public.into(),
    };
    scene.cases.clone().add_note(note).await.expect("noted");
    let clocks = clocks(&scene, case).await;
    assert_eq!(of(&clocks, ClockKind::Update).state(), ClockState::Met);
    scene.house.done().await;
}

#[tokio::test]
async fn no_policy_changes_a_word_that_was_given() {
    let (scene, case) = under("in-rbi").await;
    let next = Some(ahead(&scene, 10 * DAY));
    let request = SendHoldingReplyRequest { next_update_time: next, ..reply(case) };
    hold(&scene, request).await.expect("sent");
    let pack = r#"
        name = "ours"
        version = 1
        title = "Our own"
        source = "own choice"
        calendar = "always"
        effective_from = "2026-01-01"
        promises = [
            { kind = "final", budget = "20 days" },
            { kind = "update", budget = "5 days", own_target = true },
        ]
    "#;
    put_under(&scene, 2, CreatePolicyRequest { pack_toml: pack.to_owned(), ..Default::default() }).await;
    let clocks = clocks(&scene, case).await;
    assert_eq!(of(&clocks, ClockKind::Final).budget, "20 days");
    assert_eq!(of(&clocks, ClockKind::Update).due_time, next);
    scene.house.done().await;
}

#[tokio::test]
async fn what_cannot_be_said_is_refused() {
    let (scene, case) = under("general-e-commerce").await;
    let beyond = SendHoldingReplyRequest { extend_by: Some(3), ..reply(case) };
    assert_eq!(refused(&scene, beyond).await, "CLOCK_MAY_NOT_EXTEND", "that needs an approval");
    let past = SendHoldingReplyRequest { next_update_time: Some(ahead(&scene, 0)), ..reply(case) };
    assert_eq!(refused(&scene, past).await, "UPDATE_NOT_AHEAD");
    let bad = SendHoldingReplyRequest {
        text: String::new(),
        reason: "x".repeat(2_001),
        extend_by: Some(-1),
        ..reply(case)
    };
    let refusal = hold(&scene, bad).await.expect_err("refused");
    assert_eq!(reason(&refusal), "INVALID_HOLDING_REPLY");
    assert_eq!(violations(&refusal), ["text", "reason", "extend_by"]);
    let stale = SendHoldingReplyRequest { expected_version: Some(1), ..reply(case) };
    assert_eq!(reason(&hold(&scene, stale).await.expect_err("refused")), "VERSION_MISMATCH");
    // An own target is no limit to when there is news.
    let later = SendHoldingReplyRequest { next_update_time: Some(ahead(&scene, 30 * DAY)), ..reply(case) };
    hold(&scene, later).await.expect("sent");
    scene.decide(case, false).await;
    assert_eq!(of(&clocks(&scene, case).await, ClockKind::Update).state(), ClockState::Met);
    assert_eq!(refused(&scene, reply(case)).await, "INVALID_CASE_STATE");
    scene.house.done().await;
}
