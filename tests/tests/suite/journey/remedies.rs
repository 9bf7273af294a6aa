//! A remedy of the tenant's own: set, planned, done, its next version, and no more of it.

use proto::redress::cases::v1::{CaseState, Outcome};
use proto::redress::feedback::v1::{RespondToOutcomeRequest, Response};
use proto::redress::resolution::v1::remedy_type_service_client::RemedyTypeServiceClient;
use proto::redress::resolution::v1::{
    CompleteTaskRequest, DisableRemedyTypeRequest, GetRemedyTypeRequest, ListRemedyTypesRequest, PlanState,
    ProposePlanRequest, RemedyKind, RemedyType, SetRemedyTypeRequest, Step, TaskResult,
};
use testkit::request_id;

use super::scene::{BOSS, Scene, WORKER, broken_cups};
use crate::twice::Twice;

/// What it is called.
const GIFT_CARD: &str = "gift-card";
/// Who gives it.
const FINANCE: &str = "finance";
const OBJECT: &str = r#"{"type": "object", "required": ["code"]}"#;

fn types(scene: &Scene) -> RemedyTypeServiceClient<Twice> {
    RemedyTypeServiceClient::new(scene.line(BOSS))
}

/// A complaint is put right by a gift card, and there are no more of them.
pub(crate) async fn put_right(scene: &Scene) {
    called(scene).await;
    let case_id = scene.submit(broken_cups()).await.complaint_id;
    let agent = scene.accept(&case_id).await;
    scene.decide(&agent, &case_id, Outcome::Upheld, true).await;
    given(scene, &agent, &case_id).await;
    let request = RespondToOutcomeRequest {
        request_id: request_id(),
        case_id: case_id.clone(),
        cycle: 1,
        response: Response::Accepted.into(),
        ..RespondToOutcomeRequest::default()
    };
    scene.feedback().respond_to_outcome(request).await.unwrap();
    scene.settled().await;
    assert_eq!(scene.case(&case_id).await.state(), CaseState::Closed);
    given_up(scene).await;
}

/// Gift cards there are.
async fn called(scene: &Scene) {
    let remedy_type = RemedyType {
        type_id: GIFT_CARD.to_owned(),
        title: "礼品卡".to_owned(),
        input_schema: r#"{"type": "object", "required": ["value"]}"#.to_owned(),
        result_schema: OBJECT.to_owned(),
        undo_instructions: "Void it.".to_owned(),
        ..RemedyType::default()
    };
    let request = SetRemedyTypeRequest {
        request_id: request_id(),
        expected_version: Some(0),
        remedy_type: Some(remedy_type),
    };
    let set = types(scene).set_remedy_type(request).await.unwrap().into_inner().remedy_type.unwrap();
    let request = GetRemedyTypeRequest { type_id: GIFT_CARD.to_owned(), version: 1 };
    let found = types(scene).get_remedy_type(request).await.unwrap().into_inner().remedy_type.unwrap();
    assert_eq!((found.version, &found.result_schema), (1, &set.result_schema));
}

/// A case is put right by one.
async fn given(scene: &Scene, agent: &str, case_id: &str) {
    let step = Step {
        step_id: "card".to_owned(),
        kind: RemedyKind::Custom.into(),
        department_id: FINANCE.to_owned(),
        remedy_type: GIFT_CARD.to_owned(),
        input: r#"{"value": 50}"#.to_owned(),
        ..Step::default()
    };
    let request =
        ProposePlanRequest { request_id: request_id(), case_id: case_id.to_owned(), steps: vec![step] };
    let plan = scene.resolution(agent).propose_plan(request).await.unwrap().into_inner().plan.unwrap();
    scene.settled().await;
    scene.approve(BOSS, &plan).await.unwrap();
    let lease = scene.poll(FINANCE).await;
    let task = lease.task.unwrap();
    assert_eq!((task.remedy_type.as_str(), task.input.as_str()), (GIFT_CARD, r#"{"value": 50}"#));
    let output = r#"{"code": "ABCD"}"#.to_owned();
    let request = CompleteTaskRequest {
        request_id: request_id(),
        task_id: task.task_id,
        lease_token: lease.lease_token,
        result: Some(TaskResult { output, ..TaskResult::default() }),
    };
    scene.resolution(WORKER).complete_task(request).await.unwrap();
    scene.settled().await;
    assert_eq!(scene.plan(&plan.plan_id).await.state(), PlanState::Completed);
}

/// There are no more of them.
async fn given_up(scene: &Scene) {
    let request = DisableRemedyTypeRequest {
        request_id: request_id(),
        type_id: GIFT_CARD.to_owned(),
        expected_version: Some(1),
    };
    types(scene).disable_remedy_type(request).await.unwrap();
    let listed =
        types(scene).list_remedy_types(ListRemedyTypesRequest::default()).await.unwrap().into_inner();
    assert!(listed.remedy_types[0].disable_time.is_some());
}
