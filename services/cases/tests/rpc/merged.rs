//! The clocks of a case for which another stands: they run on, and nothing fires.

use jiff::SignedDuration;
use proto::redress::cases::v1::clock_service_client::ClockServiceClient;
use proto::redress::cases::v1::link_service_client::LinkServiceClient;
use proto::redress::cases::v1::{
    CaseClock, CaseEscalated, ClockBreached, ClockKind, ClockReminder, ListCasesRequest, ListClocksRequest,
    MergeCaseRequest, PauseClocksRequest, PauseReason, RequestExtensionRequest, UnmergeCaseRequest,
};
use testkit::{eventually, reason, request_id};
use tonic::Status;
use uuid::Uuid;

use crate::scene::Scene;

const HOUR: SignedDuration = SignedDuration::from_hours(1);

async fn merge(scene: &Scene, case: Uuid, into: Uuid) {
    let request = MergeCaseRequest {
        request_id: request_id(),
        case_id: case.to_string(),
        expected_version: None,
        into_case_id: into.to_string(),
        reason: "told twice".to_owned(),
        different_complainants_reason: String::new(),
    };
    LinkServiceClient::new(scene.house.channel()).merge_case(request).await.expect("merged");
}

async fn unmerge(scene: &Scene, case: Uuid) {
    let request = UnmergeCaseRequest {
        request_id: request_id(),
        case_id: case.to_string(),
        expected_version: None,
        reason: "two kettles".to_owned(),
    };
    LinkServiceClient::new(scene.house.channel()).unmerge_case(request).await.expect("unmerged");
}

async fn clocks(scene: &Scene, case: Uuid) -> Vec<CaseClock> {
    let request = ListClocksRequest { case_id: case.to_string() };
    let mut client = ClockServiceClient::new(scene.house.channel());
    client.list_clocks(request).await.expect("listed").into_inner().clocks
}

/// How often it was told of a case that it is reminded of, breached and raised.
async fn told(scene: &Scene, case: Uuid) -> [usize; 3] {
    let case = case.to_string();
    let reminded: Vec<ClockReminder> = scene.house.published("cases").await;
    let breached: Vec<ClockBreached> = scene.house.published("cases").await;
    let raised: Vec<CaseEscalated> = scene.house.published("cases").await;
    [
        reminded.iter().filter(|told| told.case_id == case).count(),
        breached.iter().filter(|told| told.case_id == case).count(),
        raised.iter().filter(|told| told.case_id == case).count(),
    ]
}

async fn found(scene: &Scene, filter: &str) -> Vec<String> {
    let request = ListCasesRequest { filter: filter.to_owned(), ..ListCasesRequest::default() };
    let cases = scene.cases.clone().list_cases(request).await.expect("listed").into_inner().cases;
    cases.into_iter().map(|case| case.case_id).collect()
}

#[tokio::test]
async fn no_step_is_taken_while_a_case_is_merged_and_then_only_the_newest() {
    let scene = Scene::timed().await;
    let (into, case) = (scene.assigned().await, scene.assigned().await);
    merge(&scene, case, into).await;
    let before = scene.timeline(case).await;
    assert_eq!(scene.case(case).await.due_time, None);
    scene.advance(HOUR * 24 * 40);
    eventually(async || scene.case(into).await.tier == 1).await;
    assert_eq!(told(&scene, into).await, [0, 2, 1], "the case that stands for both has its own");
    assert_eq!(told(&scene, case).await, [0, 0, 0]);
    assert_eq!(scene.timeline(case).await, before);
    assert_eq!(found(&scene, "breached = true").await, [into.to_string()]);
    assert_eq!(found(&scene, "due_time < 2030-01-01T00:00:00Z").await, [into.to_string()]);

    unmerge(&scene, case).await;
    eventually(async || scene.case(case).await.tier == 1).await;
    assert_eq!(told(&scene, case).await, [0, 2, 1], "the reminders are noted only");
    let passed =
        scene.timeline(case).await.iter().filter(|entry| entry.text.contains("passed while")).count();
    assert_eq!(passed, 2);
    assert_eq!(clocks(&scene, case).await, clocks(&scene, into).await, "as if never merged");
    assert_eq!(scene.case(case).await.due_time, scene.case(into).await.due_time);
    assert_eq!(found(&scene, "breached = true").await.len(), 2);
    scene.house.done().await;
}

#[tokio::test]
async fn its_time_runs_on_and_nobody_pauses_or_extends_it_meanwhile() {
    let scene = Scene::timed().await;
    let (into, case) = (scene.assigned().await, scene.assigned().await);
    merge(&scene, case, into).await;
    scene.advance(HOUR / 2);
    let refused = |refusal: Result<_, Status>| reason(&refusal.expect_err("refused"));
    let mut client = ClockServiceClient::new(scene.house.channel());
    let pause = PauseClocksRequest {
        request_id: request_id(),
        case_id: case.to_string(),
        expected_version: None,
        kinds: Vec::new(),
        reason: PauseReason::Appraisal.into(),
        remark: "at the laboratory".to_owned(),
    };
    assert_eq!(refused(client.pause_clocks(pause).await.map(drop)), "INVALID_CASE_STATE");
    let more = RequestExtensionRequest {
        request_id: request_id(),
        case_id: case.to_string(),
        expected_version: None,
        kind: ClockKind::Decide.into(),
        amount: 1,
        reason: "an expert looks at it".to_owned(),
    };
    assert_eq!(refused(client.request_extension(more).await.map(drop)), "INVALID_CASE_STATE");
    unmerge(&scene, case).await;
    assert_eq!(clocks(&scene, case).await, clocks(&scene, into).await);
    // Four fifths of the hour to acknowledge it are over.
    scene.advance(HOUR / 3);
    eventually(async || told(&scene, case).await == [1, 0, 0]).await;
    scene.house.done().await;
}
