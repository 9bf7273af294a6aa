//! When a case is due is told whenever it changes, whatever changes it.

use jiff::SignedDuration;
use proto::redress::cases::v1::clock_service_client::ClockServiceClient;
use proto::redress::cases::v1::policy_service_client::PolicyServiceClient;
use proto::redress::cases::v1::{
    ActivatePolicyRequest, CaseDecided, CaseDueTimeChanged, CaseOpened, CreatePolicyRequest,
    PauseClocksRequest, PauseReason, ResumeClocksRequest,
};
use proto::redress::feedback::v1::{NoticeKind, NoticeSettled, NoticeState};
use testkit::request_id;
use uuid::Uuid;

use crate::scene::Scene;

/// Everything is due at another time than by the shipped pack.
const PACK: &str = r#"
    name = "ours"
    version = 2
    title = "Our own"
    source = "own choice"
    calendar = "always"
    effective_from = "2026-01-01"
    promises = [
        { kind = "acknowledge", budget = "31 hours", own_target = true },
        { kind = "decide", budget = "9 days", pause = { reasons = ["appraisal"], cap = "15 days" } },
    ]
"#;

async fn pause(scene: &Scene, case: Uuid) {
    let request = PauseClocksRequest {
        request_id: request_id(),
        case_id: case.to_string(),
        expected_version: None,
        kinds: Vec::new(),
        reason: PauseReason::Appraisal.into(),
        remark: "sent to the laboratory".to_owned(),
    };
    ClockServiceClient::new(scene.house.channel()).pause_clocks(request).await.expect("paused");
}

async fn resume(scene: &Scene, case: Uuid) {
    let request = ResumeClocksRequest {
        request_id: request_id(),
        case_id: case.to_string(),
        expected_version: None,
        kinds: Vec::new(),
        remark: "it came back".to_owned(),
    };
    ClockServiceClient::new(scene.house.channel()).resume_clocks(request).await.expect("resumed");
}

async fn activate(scene: &Scene) {
    let mut policies = PolicyServiceClient::new(scene.house.channel());
    let request = CreatePolicyRequest {
        request_id: request_id(),
        pack_toml: PACK.to_owned(),
        ..CreatePolicyRequest::default()
    };
    policies.create_policy(request).await.expect("made");
    let request = ActivatePolicyRequest { request_id: request_id(), version: 1, validate_only: false };
    policies.activate_policy(request).await.expect("activated");
}

async fn told(scene: &Scene, case: Uuid) -> Vec<CaseDueTimeChanged> {
    let mut told: Vec<CaseDueTimeChanged> = scene.house.published("cases").await;
    told.retain(|told| told.case_id == case.to_string());
    told
}

#[tokio::test]
async fn when_a_case_is_due_is_told_with_its_opening_and_whenever_it_changes() {
    let scene = Scene::timed().await;
    let case = scene.assigned().await;
    let opened: Vec<CaseOpened> = scene.house.published("cases").await;
    let mut due = scene.case(case).await.due_time;
    assert_eq!(opened[0].due_time, due, "nothing has moved since");
    let mut last = 0;
    let mut moves = async |what: &str| {
        let told = told(&scene, case).await;
        let now = scene.case(case).await.due_time;
        if now == due {
            assert_eq!(told.last().map_or(0, |told| told.number), last, "{what} moves nothing");
            return false;
        }
        let latest = told.last().unwrap_or_else(|| panic!("{what} is told"));
        assert_eq!((latest.due_time, latest.cycle), (now, 1), "{what}");
        assert!(latest.number > last, "{what} is told as the later: {told:?}");
        (due, last) = (now, latest.number);
        true
    };
    activate(&scene).await;
    assert!(moves("a policy").await);
    let kept = NoticeSettled {
        case_id: case.to_string(),
        cycle: 1,
        kind: NoticeKind::Acknowledgement.into(),
        state: NoticeState::Delivered.into(),
        ..NoticeSettled::default()
    };
    scene.house.tell("feedback", case, &kept).await;
    scene.house.settled().await;
    assert!(moves("a promise that is kept").await);
    pause(&scene, case).await;
    moves("a pause").await;
    scene.advance(SignedDuration::from_hours(30));
    resume(&scene, case).await;
    moves("the end of it").await;
    scene.house.done().await;
}

#[tokio::test]
async fn a_decision_tells_when_the_case_is_due_by_itself_and_what_nobody_works_on_is_not_told() {
    let scene = Scene::timed().await;
    let (case, over) = (scene.assigned().await, scene.assigned().await);
    let before = told(&scene, case).await.len();
    scene.decide(case, true).await;
    let decided: Vec<CaseDecided> = scene.house.published("cases").await;
    assert_eq!(decided[0].due_time, scene.case(case).await.due_time);
    assert!(decided[0].ordinal > 0, "its place in the timeline");
    assert_eq!(told(&scene, case).await.len(), before, "it is not told once more");
    scene.decide(over, false).await;
    let told_before = told(&scene, over).await.len();
    activate(&scene).await;
    let after = told(&scene, case).await;
    assert_eq!(after.last().map(|told| told.due_time), Some(scene.case(case).await.due_time));
    assert!(after.last().is_some_and(|told| told.number > decided[0].due_number));
    assert_eq!(told(&scene, over).await.len(), told_before, "it is resolved");
    scene.house.done().await;
}
