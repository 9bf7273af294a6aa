//! A decision is found to be wrong: another takes its place, and the complainant is told
//! and asked anew.

use proto::redress::cases::v1::decision_service_client::DecisionServiceClient;
use proto::redress::cases::v1::{
    CaseState, ConfirmCorrectionRequest, CorrectDecisionRequest, CorrectionState, DecisionCorrection,
    ListCorrectionsRequest, Outcome, RefuseCorrectionRequest,
};
use proto::redress::feedback::v1::{NoticeKind, RespondToOutcomeRequest, Response};
use testkit::request_id;
use tonic::Code;

use super::scene::{BOSS, Scene, broken_cups, refused};

async fn asked(scene: &Scene, agent: &str, case_id: &str, remedy_due: bool) -> DecisionCorrection {
    let request = CorrectDecisionRequest {
        request_id: request_id(),
        case_id: case_id.to_owned(),
        expected_version: None,
        outcome: Outcome::PartlyUpheld.into(),
        reasons: "two of the six cups were broken".to_owned(),
        remedy_due,
        reason: "the photograph was overlooked".to_owned(),
        ground: String::new(),
    };
    let mut decisions = DecisionServiceClient::new(scene.line(agent));
    decisions.correct_decision(request).await.unwrap().into_inner().correction.unwrap()
}

pub(crate) async fn decided_again(scene: &Scene) {
    let case_id = scene.submit(broken_cups()).await.complaint_id;
    let agent = scene.accept(&case_id).await;
    scene.decide(&agent, &case_id, Outcome::NotUpheld, false).await;
    let (mut own, mut boss) =
        (DecisionServiceClient::new(scene.line(&agent)), DecisionServiceClient::new(scene.line(BOSS)));

    let correction = asked(scene, &agent, &case_id, false).await;
    let confirm = |correction: &DecisionCorrection| ConfirmCorrectionRequest {
        request_id: request_id(),
        correction_id: correction.correction_id.clone(),
        expected_version: None,
    };
    let answer = own.confirm_correction(confirm(&correction)).await;
    refused(answer, Code::PermissionDenied, "SECOND_PERSON_REQUIRED");
    let refuse = RefuseCorrectionRequest {
        request_id: request_id(),
        correction_id: correction.correction_id.clone(),
        reason: "look at it once more".to_owned(),
    };
    boss.refuse_correction(refuse).await.unwrap();
    refused(
        boss.confirm_correction(confirm(&correction)).await,
        Code::FailedPrecondition,
        "CORRECTION_DECIDED",
    );
    assert_eq!(scene.case(&case_id).await.outcome(), Outcome::NotUpheld);

    let correction = asked(scene, &agent, &case_id, false).await;
    let case = boss.confirm_correction(confirm(&correction)).await.unwrap().into_inner().case.unwrap();
    assert_eq!((case.state(), case.outcome(), case.cycle), (CaseState::Resolved, Outcome::PartlyUpheld, 1));
    scene.settled().await;
    let told = [(NoticeKind::Acknowledgement, 1), (NoticeKind::Outcome, 1), (NoticeKind::Outcome, 1)];
    assert_eq!(scene.notices(&case_id).await, told, "the complainant is told of both");
    let states: Vec<_> = own
        .list_corrections(ListCorrectionsRequest { case_id: case_id.clone() })
        .await
        .unwrap()
        .into_inner()
        .corrections
        .iter()
        .map(DecisionCorrection::state)
        .collect();
    assert_eq!(states, [CorrectionState::Refused, CorrectionState::InForce]);

    // A remedy is found due after all: the outcome told is answered no more, until there is another.
    let correction = asked(scene, &agent, &case_id, true).await;
    boss.confirm_correction(confirm(&correction)).await.unwrap();
    scene.settled().await;
    let accept = || RespondToOutcomeRequest {
        request_id: request_id(),
        case_id: case_id.clone(),
        cycle: 1,
        response: Response::Accepted.into(),
        ..RespondToOutcomeRequest::default()
    };
    let answer = scene.feedback().respond_to_outcome(accept()).await;
    refused(answer, Code::FailedPrecondition, "RESPONSE_WINDOW_CLOSED");
    scene.propose(&agent, &case_id).await;
    let correction = asked(scene, &agent, &case_id, false).await;
    boss.confirm_correction(confirm(&correction)).await.unwrap();
    scene.settled().await;
    scene.feedback().respond_to_outcome(accept()).await.unwrap();
    scene.settled().await;
    assert_eq!(scene.case(&case_id).await.state(), CaseState::Closed);
}
