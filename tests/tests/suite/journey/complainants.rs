//! What complainants do themselves, with nothing but their receipt code.

use proto::redress::cases::v1::{CaseState, Outcome, TimelineKind, WithdrawComplaintRequest};
use proto::redress::feedback::v1::{NoticeKind, RespondToOutcomeRequest, Response};
use proto::redress::intake::v1::form_service_client::FormServiceClient;
use proto::redress::intake::v1::{AddInformationRequest, InformationSource};
use testkit::request_id;

use super::scene::{Scene, broken_cups};

/// They add to it, dispute the outcome, accept the next; and another is withdrawn. All of
/// it by code, and what the code shows is progress.
pub(crate) async fn spoke_for_themselves(scene: &Scene) {
    let registered = scene.submit(broken_cups()).await;
    let (case_id, code) = (registered.complaint_id, registered.receipt_code);
    let request = AddInformationRequest {
        request_id: request_id(),
        receipt_code: code.clone(),
        source: InformationSource::Complainant.into(),
        text: "the box was open".to_owned(),
        ..AddInformationRequest::default()
    };
    FormServiceClient::new(scene.line("portal")).add_information(request).await.unwrap();
    scene.settled().await;
    let story = scene.timeline(&case_id).await;
    assert!(story.iter().any(|entry| entry.text.contains("the box was open")), "{story:?}");

    let agent = scene.accept(&case_id).await;
    scene.decide(&agent, &case_id, Outcome::NotUpheld, false).await;
    answer(scene, &code, Response::Disputed).await;
    assert_eq!(scene.case(&case_id).await.cycle, 2);
    let agent = scene.accept(&case_id).await;
    scene.decide(&agent, &case_id, Outcome::PartlyUpheld, false).await;
    answer(scene, &code, Response::Accepted).await;
    let seen = scene.track(&code).await;
    assert_eq!((seen.state(), seen.cycle, seen.outcome()), (CaseState::Closed, 2, Outcome::PartlyUpheld));
    withdrawn(scene).await;
}

async fn answer(scene: &Scene, code: &str, response: Response) {
    let request = RespondToOutcomeRequest {
        request_id: request_id(),
        receipt_code: code.to_owned(),
        response: response.into(),
        comment: "about the handle".to_owned(),
        ..RespondToOutcomeRequest::default()
    };
    let answered = scene.feedback().respond_to_outcome(request).await.unwrap().into_inner().feedback.unwrap();
    assert_eq!((answered.case_id.as_str(), answered.response()), ("", response));
    scene.settled().await;
}

async fn withdrawn(scene: &Scene) {
    let registered = scene.submit(broken_cups()).await;
    let request = WithdrawComplaintRequest {
        request_id: request_id(),
        receipt_code: registered.receipt_code.clone(),
        reason: "the cups were found".to_owned(),
        confirmed: true,
        ..WithdrawComplaintRequest::default()
    };
    let answer = scene.cases("portal").withdraw_complaint(request).await.unwrap().into_inner();
    assert_eq!(answer.state(), CaseState::Withdrawn);
    scene.settled().await;
    let told = scene.notices(&registered.complaint_id).await;
    assert_eq!(told.last(), Some(&(NoticeKind::Withdrawal, 1)), "it is confirmed in writing");
    let seen = scene.track(&registered.receipt_code).await;
    assert_eq!(seen.state(), CaseState::Withdrawn);
    assert!(seen.entries.iter().any(|entry| entry.kind() == TimelineKind::Withdrawn));
}
