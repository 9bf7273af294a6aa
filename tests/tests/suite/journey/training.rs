//! A case to learn from is made of a closed one, looked at by another, and given to others.

use proto::redress::cases::v1::training_service_client::TrainingServiceClient;
use proto::redress::cases::v1::{
    CaseState, CreateTrainingCaseRequest, EditTrainingCaseRequest, ExportTrainingCasesRequest,
    ListCasesRequest, PersonalDetail, PersonalDetailKind, PublishTrainingCaseRequest,
    RetireTrainingCaseRequest, SubmitTrainingCaseRequest, TrainingCaseState, TrainingContent,
};
use testkit::request_id;

use super::scene::Scene;
use crate::twice::Twice;

fn of(scene: &Scene, subject: &str) -> TrainingServiceClient<Twice> {
    TrainingServiceClient::new(scene.line(subject))
}

/// A training case grows from a closed case, and is taken out of use in the end.
pub(crate) async fn made(scene: &Scene) {
    let request = ListCasesRequest { state: CaseState::Closed.into(), ..ListCasesRequest::default() };
    let closed = scene.cases("reader").list_cases(request).await.unwrap().into_inner().cases;
    let name = PersonalDetail { kind: PersonalDetailKind::Name.into(), value: "Nobody Else".to_owned() };
    let request = CreateTrainingCaseRequest {
        request_id: request_id(),
        case_id: closed[0].case_id.clone(),
        details: vec![name],
    };
    let draft =
        of(scene, "ann").create_training_case(request).await.unwrap().into_inner().training_case.unwrap();
    let lesson = "Look at it at once.".to_owned();
    let request = EditTrainingCaseRequest {
        request_id: request_id(),
        training_case_id: draft.training_case_id.clone(),
        expected_version: draft.version,
        content: Some(TrainingContent { lesson, ..draft.content.unwrap() }),
    };
    let edited =
        of(scene, "bo").edit_training_case(request).await.unwrap().into_inner().training_case.unwrap();
    let (training_case_id, expected_version) = (edited.training_case_id, edited.version);
    let request = SubmitTrainingCaseRequest { request_id: request_id(), training_case_id, expected_version };
    let submitted =
        of(scene, "bo").submit_training_case(request).await.unwrap().into_inner().training_case.unwrap();
    let (training_case_id, expected_version) = (submitted.training_case_id, submitted.version);
    let request = PublishTrainingCaseRequest { request_id: request_id(), training_case_id, expected_version };
    let published = of(scene, "supervisor")
        .publish_training_case(request)
        .await
        .unwrap()
        .into_inner()
        .training_case
        .unwrap();
    assert_eq!((published.state(), published.published_revision), (TrainingCaseState::Published, 2));
    assert_eq!(published.source_case_id, "", "nobody knows of which case it was made");

    let request = ExportTrainingCasesRequest::default();
    let mut sent = of(scene, "ann").export_training_cases(request).await.unwrap().into_inner();
    let one = sent.message().await.unwrap().unwrap().training_case.unwrap();
    assert_eq!(one.training_case_id, published.training_case_id);
    assert_eq!(sent.message().await.unwrap(), None);
    let request = RetireTrainingCaseRequest {
        request_id: request_id(),
        training_case_id: published.training_case_id,
        expected_version: published.version,
        reason: "It was for a test.".to_owned(),
    };
    of(scene, "supervisor").retire_training_case(request).await.unwrap();
}
