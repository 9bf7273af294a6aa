//! Clocks that stand still, and more time.

use jiff::SignedDuration;
use proto::redress::cases::v1::clock_service_client::ClockServiceClient;
use proto::redress::cases::v1::{
    ApproveExtensionRequest, CaseClock, ClockExtension, ClockKind, ClockPaused, ClockResumed, ClockState,
    ExtensionGranted, ExtensionState, ListClocksRequest, ListExtensionsRequest, PauseClocksRequest,
    PauseReason, RefuseExtensionRequest, RequestExtensionRequest, ResumeClocksRequest,
};
use testkit::{CallerChannel, eventually, reason, request_id};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::scene::Scene;

const DAY: i64 = 24 * 3600;

fn line(scene: &Scene, subject: &str) -> ClockServiceClient<CallerChannel> {
    ClockServiceClient::new(scene.house.channel_as("development", subject, &[]))
}

fn pause(case: Uuid, kinds: &[ClockKind], reason: PauseReason) -> PauseClocksRequest {
    PauseClocksRequest {
        request_id: request_id(),
        case_id: case.to_string(),
        expected_version: None,
        kinds: kinds.iter().map(|kind| (*kind).into()).collect(),
        reason: reason.into(),
        remark: "sent to the laboratory".to_owned(),
    }
}

fn resume(case: Uuid) -> ResumeClocksRequest {
    ResumeClocksRequest {
        request_id: request_id(),
        case_id: case.to_string(),
        expected_version: None,
        kinds: Vec::new(),
        remark: "it has answered".to_owned(),
    }
}

fn more(case: Uuid, amount: i32) -> RequestExtensionRequest {
    RequestExtensionRequest {
        request_id: request_id(),
        case_id: case.to_string(),
        expected_version: None,
        kind: ClockKind::Decide.into(),
        amount,
        reason: "an expert looks at it".to_owned(),
    }
}

fn of(clocks: Vec<CaseClock>, kind: ClockKind) -> CaseClock {
    clocks.into_iter().find(|clock| clock.kind() == kind).expect("there is such a clock")
}

async fn decide_clock(scene: &Scene, case: Uuid) -> CaseClock {
    let request = ListClocksRequest { case_id: case.to_string() };
    of(line(scene, "ann").list_clocks(request).await.expect("listed").into_inner().clocks, ClockKind::Decide)
}

fn due(clock: &CaseClock) -> i64 {
    clock.due_time.as_ref().expect("due").seconds
}

async fn ask(scene: &Scene, case: Uuid, amount: i32) -> Result<ClockExtension, Status> {
    let answer = line(scene, "clerk").request_extension(more(case, amount)).await?.into_inner();
    Ok(answer.extension.expect("an extension"))
}

async fn approve(scene: &Scene, id: &str, by: &str) -> Result<CaseClock, Status> {
    let request = ApproveExtensionRequest {
        request_id: request_id(),
        extension_id: id.to_owned(),
        expected_version: None,
    };
    Ok(line(scene, by).approve_extension(request).await?.into_inner().clock.expect("a clock"))
}

#[tokio::test]
async fn time_stands_still_for_a_lawful_reason_and_not_for_longer_than_its_cap() {
    let scene = Scene::timed().await;
    let case = scene.assigned().await;
    let before = decide_clock(&scene, case).await;
    let version = scene.case(case).await.version;
    let request = pause(case, &[], PauseReason::Appraisal);
    let clocks = line(&scene, "ann").pause_clocks(request.clone()).await.expect("paused").into_inner().clocks;
    assert_eq!(of(clocks.clone(), ClockKind::Decide).state(), ClockState::Paused);
    assert_eq!(of(clocks, ClockKind::Acknowledge).state(), ClockState::Running, "its policy lets it not");
    assert_eq!(scene.case(case).await.version, version + 1);
    line(&scene, "ann").pause_clocks(request.clone()).await.expect("the same answer");
    assert_eq!(scene.case(case).await.version, version + 1, "one effect");
    let changed = PauseClocksRequest { remark: "another".to_owned(), ..request };
    let refusal = line(&scene, "ann").pause_clocks(changed).await.unwrap_err();
    assert_eq!(reason(&refusal), "IDEMPOTENCY_KEY_REUSED");

    // A day later it runs on: a day is what it gained.
    scene.advance(SignedDuration::from_secs(DAY));
    let clocks = line(&scene, "ann").resume_clocks(resume(case)).await.expect("resumed").into_inner().clocks;
    assert!(due(&of(clocks, ClockKind::Decide)) >= due(&before) + DAY);

    // Fifteen days in all, then it runs on by itself.
    line(&scene, "ann").pause_clocks(pause(case, &[], PauseReason::Appraisal)).await.expect("paused again");
    scene.advance(SignedDuration::from_secs(14 * DAY));
    eventually(async || decide_clock(&scene, case).await.state() == ClockState::Running).await;
    let refusal =
        line(&scene, "ann").pause_clocks(pause(case, &[ClockKind::Decide], PauseReason::Appraisal)).await;
    assert_eq!(reason(&refusal.unwrap_err()), "PAUSE_USED_UP");
    let texts: Vec<String> = scene.timeline(case).await.into_iter().map(|entry| entry.text).collect();
    assert!(texts.iter().any(|text| text.ends_with("runs on: its pause is used up")), "{texts:?}");
    // Each is told, with its place in the timeline.
    let is_decide = |kind: ClockKind| kind == ClockKind::Decide;
    let paused: Vec<ClockPaused> = scene.house.published("cases").await;
    let paused: Vec<i32> =
        paused.iter().filter(|told| is_decide(told.kind())).map(|told| told.ordinal).collect();
    let resumed: Vec<ClockResumed> = scene.house.published("cases").await;
    let resumed: Vec<i32> =
        resumed.iter().filter(|told| is_decide(told.kind())).map(|told| told.ordinal).collect();
    assert!(paused.len() == 2 && resumed.len() == 2, "{paused:?} {resumed:?}");
    assert!(paused[0] < resumed[0] && resumed[0] < paused[1] && paused[1] < resumed[1]);
    scene.house.done().await;
}

#[tokio::test]
async fn what_may_not_stand_still_does_not() {
    let scene = Scene::timed().await;
    let case = scene.assigned().await;
    let mut ann = line(&scene, "ann");
    for (kinds, why, refused) in [
        (vec![ClockKind::Acknowledge], PauseReason::Appraisal, "CLOCK_MAY_NOT_PAUSE"),
        (vec![ClockKind::Decide, ClockKind::Acknowledge], PauseReason::Appraisal, "CLOCK_MAY_NOT_PAUSE"),
        (vec![ClockKind::Decide], PauseReason::Proceedings, "UNLAWFUL_PAUSE"),
        (vec![], PauseReason::Proceedings, "CLOCK_MAY_NOT_PAUSE"),
        (vec![ClockKind::Final], PauseReason::Appraisal, "CLOCK_NOT_FOUND"),
    ] {
        let refusal = ann.pause_clocks(pause(case, &kinds, why)).await.unwrap_err();
        assert_eq!(reason(&refusal), refused, "{kinds:?}");
    }
    assert_eq!(decide_clock(&scene, case).await.state(), ClockState::Running, "all or nothing");
    let refusal = ann.resume_clocks(resume(case)).await.unwrap_err();
    assert_eq!((refusal.code(), reason(&refusal).as_str()), (Code::FailedPrecondition, "CLOCK_NOT_PAUSED"));
    let stale = PauseClocksRequest { expected_version: Some(1), ..pause(case, &[], PauseReason::Appraisal) };
    assert_eq!(reason(&ann.pause_clocks(stale).await.unwrap_err()), "VERSION_MISMATCH");
    scene.house.done().await;
}

#[tokio::test]
async fn more_time_is_granted_by_somebody_else_and_told() {
    let scene = Scene::timed().await;
    let case = scene.assigned().await;
    let before = decide_clock(&scene, case).await;
    let asked = ask(&scene, case, 5).await.expect("asked for");
    assert_eq!((asked.state(), asked.requester.as_str()), (ExtensionState::Pending, "clerk"));
    assert_eq!(due(&decide_clock(&scene, case).await), due(&before), "nothing moves before it is granted");
    assert_eq!(reason(&ask(&scene, case, 5).await.unwrap_err()), "EXTENSION_PENDING");
    for (by, refused) in [("bob", "APPROVER_IS_HANDLER"), ("clerk", "APPROVER_IS_REQUESTER")] {
        assert_eq!(reason(&approve(&scene, &asked.extension_id, by).await.unwrap_err()), refused);
    }
    let clock = approve(&scene, &asked.extension_id, "boss").await.expect("granted");
    assert!(due(&clock) >= due(&before) + 5 * DAY);
    assert_eq!((clock.extended, clock.budget.as_str()), (5, "12 working days"));
    let told: Vec<ExtensionGranted> = scene.house.published("cases").await;
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].notice_due, told[0].number, told[0].due_time), (true, 1, clock.due_time));
    assert_eq!(reason(&approve(&scene, &asked.extension_id, "boss").await.unwrap_err()), "EXTENSION_DECIDED");
    assert_eq!(reason(&ask(&scene, case, 1).await.unwrap_err()), "EXTENDED_ALREADY");
    scene.house.done().await;
}

#[tokio::test]
async fn more_than_the_maximum_is_not_asked_for_and_a_refusal_moves_nothing() {
    let scene = Scene::timed().await;
    let case = scene.assigned().await;
    let before = decide_clock(&scene, case).await;
    assert_eq!(reason(&ask(&scene, case, 8).await.unwrap_err()), "BEYOND_MAXIMUM");
    let asked = ask(&scene, case, 7).await.expect("asked for");
    let request = RefuseExtensionRequest {
        request_id: request_id(),
        extension_id: asked.extension_id,
        reason: "two days are enough".to_owned(),
    };
    let refused = line(&scene, "boss").refuse_extension(request).await.expect("refused").into_inner();
    assert_eq!(refused.extension.map(|one| one.state()), Some(ExtensionState::Refused));
    assert_eq!(decide_clock(&scene, case).await, before);
    // Ids are in the order of time, to the millisecond.
    scene.advance(SignedDuration::from_secs(60));
    let second = ask(&scene, case, 2).await.expect("asked for again");
    let request = ListExtensionsRequest { case_id: case.to_string() };
    let all = line(&scene, "ann").list_extensions(request).await.expect("listed").into_inner().extensions;
    let states: Vec<_> = all.iter().map(ClockExtension::state).collect();
    assert_eq!(states, [ExtensionState::Refused, ExtensionState::Pending]);
    // Decided meanwhile: there is nothing left to be extended.
    scene.decide(case, false).await;
    assert_eq!(reason(&approve(&scene, &second.extension_id, "boss").await.unwrap_err()), "CLOCK_ENDED");
    assert_eq!(scene.house.published::<ExtensionGranted>("cases").await, []);
    scene.house.done().await;
}
