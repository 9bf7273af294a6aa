//! What departments are asked about cases, and lack for them.

use proto::redress::cases::v1::{RemedyDelayed, TimelineKind, Visibility, WithdrawCaseRequest};
use proto::redress::resolution::v1::{
    Inquiry, InvestigationCancelled, InvestigationCompleted, InvestigationRequested, RecallCaseAdded,
    RemedyKind, ShortageReported, TaskCompleted,
};
use testkit::request_id;
use uuid::Uuid;

use crate::scene::Scene;

#[tokio::test]
async fn what_departments_are_asked_and_find_is_on_the_record_however_late() {
    let scene = Scene::open().await;
    let case = scene.assigned().await;
    let before = scene.case(case).await;
    let (case_id, department_id) = (case.to_string(), "warehouse".to_owned());
    let requested = InvestigationRequested {
        case_id: case_id.clone(),
        cycle: 1,
        department_id: department_id.clone(),
        inquiry: Inquiry::Evidence.into(),
        question: "Who packed it?".to_owned(),
        requester: "bob".to_owned(),
        ..InvestigationRequested::default()
    };
    let completed = InvestigationCompleted {
        case_id: case_id.clone(),
        cycle: 1,
        department_id: department_id.clone(),
        question: "Who packed it?".to_owned(),
        findings: "Li did".to_owned(),
        evidence: vec!["CAM-7".to_owned()],
        reference: "W-1".to_owned(),
        ..InvestigationCompleted::default()
    };
    let reason = "we know by now".to_owned();
    let cancelled = InvestigationCancelled {
        case_id: case_id.clone(),
        cycle: 1,
        department_id,
        reason,
        ..Default::default()
    };
    scene.house.tell("resolution", case, &requested).await;
    scene.house.tell("resolution", case, &completed).await;
    scene.house.tell("resolution", case, &cancelled).await;
    scene.house.settled().await;
    let after = scene.case(case).await;
    assert_eq!(
        (after.state(), after.findings),
        (before.state(), before.findings),
        "its handler finds for the case"
    );

    let withdraw =
        WithdrawCaseRequest { request_id: request_id(), case_id, ..WithdrawCaseRequest::default() };
    scene.cases.clone().withdraw_case(withdraw).await.unwrap();
    let event = scene.house.tell("resolution", case, &completed).await;
    scene.house.settled().await;
    scene.house.tell_raw("resolution", event).await;
    scene.house.settled().await;
    let timeline = scene.timeline(case).await;
    let said: Vec<_> = timeline.iter().filter(|entry| entry.text.contains("warehouse")).collect();
    let texts: Vec<&str> = said.iter().map(|entry| entry.text.as_str()).collect();
    let found = "warehouse found: Li did\nevidence: W-1, CAM-7\nit was asked: Who packed it?";
    let expected = [
        "warehouse is asked for evidence: Who packed it?",
        found,
        "what warehouse was asked is not wanted any more: we know by now",
        found,
    ];
    assert_eq!(texts, expected);
    assert!(said.iter().all(|entry| entry.visibility() == Visibility::Internal));
    assert_eq!((said[0].actor.as_str(), said[1].kind()), ("bob", TimelineKind::Findings));
    scene.house.done().await;
}

fn short(case: Uuid, cycle: i32, sku: &str) -> ShortageReported {
    ShortageReported {
        case_id: case.to_string(),
        cycle,
        department_id: "warehouse".to_owned(),
        sku: sku.to_owned(),
        expect_time: Some(prost_types::Timestamp { seconds: 1_800_000_000, nanos: 0 }),
        number: 1,
        ..ShortageReported::default()
    }
}

#[tokio::test]
async fn a_new_promise_is_noted_and_told_on_while_the_case_goes_on() {
    let scene = Scene::open().await;
    let case = scene.assigned().await;
    scene.decide(case, true).await;
    let event = scene.house.tell("resolution", case, &short(case, 1, "A-17")).await;
    scene.house.tell("resolution", case, &short(case, 2, "of no cycle yet")).await;
    scene.house.tell_raw("resolution", event).await;
    scene.house.tell("resolution", case, &short(case, 1, "A-18")).await;
    scene.house.settled().await;
    let timeline = scene.timeline(case).await;
    let said: Vec<_> = timeline.iter().filter(|entry| entry.text.starts_with("warehouse has no")).collect();
    assert_eq!(said.len(), 2);
    assert!(
        said[0].text.starts_with("warehouse has no A-17; it is expected on 2027-01-1"),
        "{}",
        said[0].text
    );
    assert_eq!(
        (said[0].kind(), said[0].visibility()),
        (TimelineKind::TaskNeedsAttention, Visibility::Internal)
    );
    let told = scene.house.published::<RemedyDelayed>("cases").await;
    let told: Vec<_> = told.iter().map(|told| (told.sku.as_str(), told.ordinal, told.cycle)).collect();
    assert_eq!(told, [("A-17", said[0].ordinal, 1), ("A-18", said[1].ordinal, 1)]);

    let case_id = case.to_string();
    let withdraw =
        WithdrawCaseRequest { request_id: request_id(), case_id, ..WithdrawCaseRequest::default() };
    scene.cases.clone().withdraw_case(withdraw).await.unwrap();
    scene.house.tell("resolution", case, &short(case, 1, "A-19")).await;
    scene.house.settled().await;
    assert_eq!(
        scene.house.published::<RemedyDelayed>("cases").await.len(),
        2,
        "nothing is promised any more"
    );
    assert!(!scene.timeline(case).await.iter().any(|entry| entry.text.contains("A-19")));
    scene.house.done().await;
}

#[tokio::test]
async fn a_recall_and_what_is_done_for_it_are_on_the_record_in_whatever_cycle_and_once() {
    let scene = Scene::open().await;
    let case = scene.assigned().await;
    let before = scene.case(case).await;
    let added = RecallCaseAdded {
        case_id: case.to_string(),
        cycle: 7,
        recall_id: request_id(),
        sku: "A-17".to_owned(),
        lot: "L-9".to_owned(),
        notice: "do not use it; we exchange it".to_owned(),
        adder: "boss".to_owned(),
    };
    let done = TaskCompleted {
        case_id: case.to_string(),
        cycle: 7,
        department_id: "warehouse".to_owned(),
        kind: RemedyKind::Exchange.into(),
        reference: "W-1".to_owned(),
        ..TaskCompleted::default()
    };
    let of_recall = TaskCompleted { recall_id: added.recall_id.clone(), ..done.clone() };
    let event = scene.house.tell("resolution", case, &added).await;
    scene.house.tell("resolution", case, &of_recall).await;
    scene.house.tell("resolution", case, &done).await;
    scene.house.settled().await;
    scene.house.tell_raw("resolution", event).await;
    scene.house.settled().await;
    assert_eq!(scene.case(case).await.state(), before.state(), "its handling goes on as before");
    let timeline = scene.timeline(case).await;
    let told: Vec<_> = timeline.iter().filter(|entry| entry.text.contains("is recalled")).collect();
    assert_eq!(told.len(), 1, "once");
    let words = "the article A-17, lot L-9, is recalled: do not use it; we exchange it";
    assert_eq!((told[0].text.as_str(), told[0].actor.as_str()), (words, "boss"));
    assert_eq!((told[0].visibility(), told[0].kind()), (Visibility::Public, TimelineKind::Note));
    let exchanged = timeline.iter().filter(|entry| entry.text.contains("W-1"));
    assert_eq!(exchanged.count(), 1, "a step of a plan counts in its cycle, only");
    scene.house.done().await;
}
