//! Grounds of refusal and of ending, where a policy knows them.

use proto::redress::cases::v1::decision_service_client::DecisionServiceClient;
use proto::redress::cases::v1::{
    CaseState, CorrectDecisionRequest, DecideCaseRequest, DecisionCorrection, DeclineCaseRequest, Outcome,
    TimelineEntry, TimelineKind,
};
use testkit::{reason, request_id, violations};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::holding::under;
use crate::scene::{Scene, decision};

async fn decline(scene: &Scene, case: Uuid, ground: &str) -> Result<CaseState, Status> {
    let request = DeclineCaseRequest {
        request_id: request_id(),
        case_id: case.to_string(),
        expected_version: None,
        referral: "the courts".to_owned(),
        ground: ground.to_owned(),
    };
    let answer = scene.cases.clone().decline_case(request).await?.into_inner();
    Ok(answer.case.unwrap_or_default().state())
}

async fn decide(scene: &Scene, case: Uuid, outcome: Outcome, ground: &str) -> Result<CaseState, Status> {
    let request =
        DecideCaseRequest { outcome: outcome.into(), ground: ground.to_owned(), ..decision(case, false) };
    let answer = scene.cases.clone().decide_case(request).await?.into_inner();
    Ok(answer.case.unwrap_or_default().state())
}

async fn correct(
    scene: &Scene,
    case: Uuid,
    outcome: Outcome,
    ground: &str,
) -> Result<DecisionCorrection, Status> {
    let request = CorrectDecisionRequest {
        request_id: request_id(),
        case_id: case.to_string(),
        expected_version: None,
        outcome: outcome.into(),
        reasons: "looked at once more".to_owned(),
        remedy_due: false,
        reason: "a paper was overlooked".to_owned(),
        ground: ground.to_owned(),
    };
    let mut decisions = DecisionServiceClient::new(scene.house.channel());
    Ok(decisions.correct_decision(request).await?.into_inner().correction.unwrap_or_default())
}

fn refused(answer: Result<CaseState, Status>, reason_wanted: &str) -> String {
    let status = answer.expect_err("no such ground");
    assert_eq!((status.code(), reason(&status).as_str()), (Code::InvalidArgument, reason_wanted));
    assert_eq!(violations(&status), ["ground"]);
    format!("{:?}", status.details())
}

fn told(timeline: &[TimelineEntry], kind: TimelineKind) -> &str {
    &timeline.iter().find(|entry| entry.kind() == kind).expect("told").text
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_needs_one_of_the_grounds_its_policy_knows_and_tells_it() {
    let (scene, case) = under("cn-samr-mediation").await;
    refused(decline(&scene, case, "").await, "INVALID_REFERRAL");
    refused(decline(&scene, case, "busy").await, "INVALID_REFERRAL");
    // A ground of ending is none of refusal.
    refused(decline(&scene, case, "time-over").await, "INVALID_REFERRAL");
    assert_eq!(decline(&scene, case, "too-old").await.expect("lawful"), CaseState::OutOfScope);
    let timeline = scene.timeline(case).await;
    let text = told(&timeline, TimelineKind::OutOfScope);
    assert!(text.contains("the courts") && text.contains("More than 3 years"), "{text}");
    assert!(text.ends_with("(too-old)"), "{text}");
    scene.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_in_vain_needs_one_of_the_grounds_its_policy_knows_and_tells_it() {
    let (scene, case) = under("cn-samr-mediation").await;
    refused(decide(&scene, case, Outcome::NotUpheld, "").await, "INVALID_DECISION");
    refused(decide(&scene, case, Outcome::NotUpheld, "too-old").await, "INVALID_DECISION");
    // What is upheld ends with a settlement.
    refused(decide(&scene, case, Outcome::Upheld, "no-agreement").await, "INVALID_DECISION");
    let decided = decide(&scene, case, Outcome::NotUpheld, "no-agreement").await.expect("lawful");
    assert_eq!(decided, CaseState::Resolved);
    let case = scene.case(case).await;
    assert!(case.decision_reasons.ends_with("(no-agreement)"), "{}", case.decision_reasons);
    scene.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correction_to_not_upheld_needs_a_ground_and_tells_it() {
    let (scene, case) = under("cn-samr-mediation").await;
    decide(&scene, case, Outcome::Upheld, "").await.expect("lawful");
    for (outcome, ground) in
        [(Outcome::NotUpheld, ""), (Outcome::NotUpheld, "too-old"), (Outcome::Upheld, "no-agreement")]
    {
        let status = correct(&scene, case, outcome, ground).await.expect_err("no such ground");
        assert_eq!((status.code(), reason(&status).as_str()), (Code::InvalidArgument, "INVALID_CORRECTION"));
        assert_eq!(violations(&status), ["ground"]);
    }
    let asked = correct(&scene, case, Outcome::NotUpheld, "no-agreement").await.expect("lawful");
    assert!(asked.reasons.ends_with("(no-agreement)"), "{}", asked.reasons);
    scene.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_a_policy_knows_no_grounds_none_is_named() {
    let scene = Scene::open().await;
    let case = scene.assigned().await;
    refused(decline(&scene, case, "too-old").await, "INVALID_REFERRAL");
    refused(decide(&scene, case, Outcome::NotUpheld, "too-old").await, "INVALID_DECISION");
    assert_eq!(decline(&scene, case, "").await.expect("for any reason"), CaseState::OutOfScope);
    scene.house.done().await;
}
