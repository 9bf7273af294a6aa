//! Cases that go one level up with assignment, that nobody can take, or whose departments
//! are overdue: on record, and the level raised.

use proto::redress::assignment::v1::{AssignmentEscalated, CaseQueued, CaseUnassignable, Escalation};
use proto::redress::cases::v1::{
    Case, CaseEscalated, TimelineEntry, TimelineKind, Visibility, WithdrawCaseRequest,
};
use proto::redress::resolution::v1::{SupervisionLevel, TaskEscalated};
use testkit::request_id;
use uuid::Uuid;

use crate::scene::Scene;

fn escalated(case: Uuid, cycle: i32, reason: Escalation, supervisor: &str) -> AssignmentEscalated {
    AssignmentEscalated {
        case_id: case.to_string(),
        cycle,
        reason: reason.into(),
        supervisor_id: supervisor.to_owned(),
        explanation: "full".to_owned(),
    }
}

fn unassignable(case: Uuid, cycle: i32) -> CaseUnassignable {
    CaseUnassignable {
        case_id: case.to_string(),
        cycle,
        department_id: "care".to_owned(),
        explanation: "everybody is absent".to_owned(),
    }
}

async fn tell<M: prost::Name>(scene: &Scene, source: &str, case: Uuid, event: &M) -> Case {
    scene.house.tell(source, case, event).await;
    scene.house.settled().await;
    scene.case(case).await
}

async fn last(scene: &Scene, case: Uuid) -> TimelineEntry {
    scene.timeline(case).await.pop().expect("an entry")
}

#[tokio::test]
async fn a_case_that_assignment_escalates_goes_one_level_up_and_says_why() {
    let scene = Scene::open().await;
    let case = scene.assigned().await;
    let before = scene.case(case).await;
    let event = escalated(case, 1, Escalation::PingPong, "lead");
    let after = tell(&scene, "assignment", case, &event).await;
    assert_eq!((before.tier, after.tier, after.version), (0, 1, before.version + 1));
    assert_eq!(
        (after.state, &after.agent_id),
        (before.state, &before.agent_id),
        "who has it, assignment tells"
    );
    let entry = last(&scene, case).await;
    assert_eq!((entry.kind(), entry.visibility()), (TimelineKind::Escalated, Visibility::Internal));
    assert_eq!(entry.text, "raised to level 1: to and fro between departments; lead has it now");
    assert_eq!(entry.actor, "<assignment>");
    let told = scene.house.published::<CaseEscalated>("cases").await;
    assert_eq!((told.len(), told[0].tier), (1, 1));
    let nobody = escalated(case, 1, Escalation::Rework, "");
    assert_eq!(tell(&scene, "assignment", case, &nobody).await.tier, 2);
    let entry = last(&scene, case).await;
    assert_eq!(entry.text, "raised to level 2: reworked too often; nobody above can take it");
    scene.house.done().await;
}

#[tokio::test]
async fn an_escalation_told_twice_raises_a_case_once() {
    let scene = Scene::open().await;
    let case = scene.assigned().await;
    let told = scene.house.tell("assignment", case, &escalated(case, 1, Escalation::PingPong, "lead")).await;
    scene.house.tell_raw("assignment", told).await;
    scene.house.settled().await;
    assert_eq!(scene.case(case).await.tier, 1);
    scene.house.done().await;
}

#[tokio::test]
async fn a_case_nobody_can_take_says_so_while_it_waits() {
    let scene = Scene::open().await;
    let case = scene.triaged().await;
    let queued = CaseQueued {
        case_id: case.to_string(),
        cycle: 1,
        department_id: "care".to_owned(),
        explanation: "no room".to_owned(),
    };
    tell(&scene, "assignment", case, &queued).await;
    let before = scene.case(case).await;
    let after = tell(&scene, "assignment", case, &unassignable(case, 1)).await;
    assert_eq!((after.state, after.tier), (before.state, before.tier));
    let entry = last(&scene, case).await;
    assert_eq!((entry.kind(), entry.visibility()), (TimelineKind::Queued, Visibility::Internal));
    assert_eq!(
        entry.text,
        "nobody can take it as things stand; it waits in the queue of care: everybody is absent"
    );
    scene.house.done().await;
}

#[tokio::test]
async fn news_that_no_longer_fits_is_skipped() {
    let scene = Scene::open().await;
    let case = scene.assigned().await;
    let entries = scene.timeline(case).await.len();
    tell(&scene, "assignment", case, &unassignable(case, 1)).await;
    assert_eq!(scene.timeline(case).await.len(), entries, "it has a handler");
    tell(&scene, "assignment", case, &escalated(case, 2, Escalation::PingPong, "lead")).await;
    assert_eq!(scene.case(case).await.tier, 0, "of another cycle");
    let withdraw = WithdrawCaseRequest {
        request_id: request_id(),
        case_id: case.to_string(),
        reason: "settled among ourselves".to_owned(),
        ..WithdrawCaseRequest::default()
    };
    scene.cases.clone().withdraw_case(withdraw).await.unwrap();
    let after = tell(&scene, "assignment", case, &escalated(case, 1, Escalation::PingPong, "lead")).await;
    assert_eq!(after.tier, 0, "it is over");
    assert!(scene.house.parked("cases").await.is_empty());
    scene.house.done().await;
}

#[tokio::test]
async fn a_department_that_is_overdue_is_on_the_record_with_who_was_told() {
    let scene = Scene::open().await;
    let case = scene.assigned().await;
    let overdue = |level: SupervisionLevel, recipient: &str| TaskEscalated {
        case_id: case.to_string(),
        cycle: 1,
        department_id: "finance".to_owned(),
        level: level.into(),
        recipient: recipient.to_owned(),
        ..TaskEscalated::default()
    };
    tell(&scene, "resolution", case, &overdue(SupervisionLevel::Department, "")).await;
    let entry = last(&scene, case).await;
    assert_eq!((entry.kind(), entry.visibility()), (TimelineKind::TaskNeedsAttention, Visibility::Internal));
    assert_eq!(entry.text, "finance is overdue with its task: it was reminded");
    let after = tell(&scene, "resolution", case, &overdue(SupervisionLevel::Head, "hal")).await;
    assert_eq!(last(&scene, case).await.text, "finance is overdue with its task: its head was told (hal)");
    assert_eq!(after.tier, 0, "the department is late, the case is not raised");
    scene.house.done().await;
}
