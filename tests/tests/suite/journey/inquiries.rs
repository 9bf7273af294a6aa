//! What departments are asked on a case.

use proto::redress::cases::v1::{TimelineKind, WithdrawCaseRequest};
use proto::redress::resolution::v1::investigation_service_client::InvestigationServiceClient;
use proto::redress::resolution::v1::{
    CancelInvestigationRequest, CompleteTaskRequest, Inquiry, ListInvestigationsRequest,
    RequestInvestigationRequest, Task, TaskResult, TaskState,
};
use testkit::request_id;

use super::scene::{BOSS, Scene, broken_cups};
use crate::twice::Twice;

fn investigations(scene: &Scene, subject: &str) -> InvestigationServiceClient<Twice> {
    InvestigationServiceClient::new(scene.line(subject))
}

async fn request(scene: &Scene, agent: &str, case_id: &str) -> Task {
    let request = RequestInvestigationRequest {
        request_id: request_id(),
        case_id: case_id.to_owned(),
        department_id: "warehouse".to_owned(),
        inquiry: Inquiry::Evidence.into(),
        question: "Who packed the cups?".to_owned(),
        due_time: None,
    };
    let asked = investigations(scene, agent).request_investigation(request).await.unwrap().into_inner();
    scene.settled().await;
    asked.task.unwrap()
}

async fn open(scene: &Scene, case_id: &str) -> usize {
    let request = ListInvestigationsRequest {
        case_id: case_id.to_owned(),
        open_only: true,
        ..ListInvestigationsRequest::default()
    };
    investigations(scene, "reader").list_investigations(request).await.unwrap().into_inner().tasks.len()
}

/// One question is answered, one taken back, and one open when the complainant withdraws.
pub(crate) async fn asked(scene: &Scene) {
    let case_id = scene.submit(broken_cups()).await.complaint_id;
    let agent = scene.accept(&case_id).await;
    let answered = request(scene, &agent, &case_id).await;
    let lease = scene.poll("warehouse").await;
    let evidence = vec!["CAM-7".to_owned()];
    let result =
        TaskResult { remark: "Li did, without padding".to_owned(), evidence, ..TaskResult::default() };
    let complete = CompleteTaskRequest {
        request_id: request_id(),
        task_id: answered.task_id,
        lease_token: lease.lease_token,
        result: Some(result),
    };
    scene.resolution("worker").complete_task(complete).await.unwrap();
    let taken_back = request(scene, &agent, &case_id).await.task_id;
    let cancel = CancelInvestigationRequest {
        request_id: request_id(),
        task_id: taken_back,
        reason: "we know by now".to_owned(),
    };
    let cancelled = investigations(scene, &agent).cancel_investigation(cancel).await.unwrap().into_inner();
    assert_eq!(cancelled.task.unwrap().state(), TaskState::Cancelled);
    request(scene, &agent, &case_id).await;
    assert_eq!(open(scene, &case_id).await, 1);

    let withdraw = WithdrawCaseRequest {
        request_id: request_id(),
        case_id: case_id.clone(),
        expected_version: None,
        reason: "the cups were found whole".to_owned(),
    };
    scene.cases(BOSS).withdraw_case(withdraw).await.unwrap();
    scene.settled().await;
    assert_eq!(open(scene, &case_id).await, 0);
    let timeline = scene.timeline(&case_id).await;
    let found = timeline.iter().find(|entry| entry.kind() == TimelineKind::Findings).unwrap();
    assert!(
        found.text.starts_with("warehouse found: Li did, without padding\nevidence: CAM-7"),
        "{}",
        found.text
    );
    let said = |words: &str| timeline.iter().filter(|entry| entry.text.starts_with(words)).count();
    assert_eq!(said("warehouse is asked for evidence: Who packed"), 3);
    assert_eq!(said("what warehouse was asked is not wanted any more"), 2);
}
