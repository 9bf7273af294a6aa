//! What departments are asked on a case, and lack for it.

use proto::redress::cases::v1::{CaseState, Outcome, TimelineKind, WithdrawCaseRequest};
use proto::redress::feedback::v1::NoticeKind;
use proto::redress::resolution::v1::investigation_service_client::InvestigationServiceClient;
use proto::redress::resolution::v1::stock_service_client::StockServiceClient;
use proto::redress::resolution::v1::{
    CancelInvestigationRequest, CompleteTaskRequest, Inquiry, ListInvestigationsRequest,
    ReportShortageRequest, RequestInvestigationRequest, RequeueTaskRequest, Task, TaskResult, TaskState,
};
use testkit::request_id;

use super::recalls;
use super::scene::{BOSS, Scene, approved_sum, broken_cups};
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

/// The goods are lacking, the complainant is told until when, and some are found before.
async fn lacking(scene: &Scene, agent: &str, case_id: &str) {
    scene.decide(agent, case_id, Outcome::Upheld, true).await;
    let plan = scene.propose(agent, case_id).await;
    scene.approve(BOSS, &plan).await.unwrap();
    scene.complete(&scene.poll("finance").await, Some(approved_sum())).await.unwrap();
    let lease = scene.poll("warehouse").await;
    let task_id = lease.task.unwrap().task_id;
    let expected = scene.house.db("resolution").clock().now().as_second() + 9 * 86_400;
    let request = ReportShortageRequest {
        request_id: request_id(),
        task_id: task_id.clone(),
        lease_token: lease.lease_token,
        sku: String::new(),
        expect_time: Some(prost_types::Timestamp { seconds: expected, nanos: 0 }),
    };
    let mut stock = StockServiceClient::new(scene.line("worker"));
    let waiting = stock.report_shortage(request).await.unwrap().into_inner().task.unwrap();
    assert_eq!(waiting.state(), TaskState::AwaitingStock);
    scene.settled().await;
    let told = scene.notices(case_id).await;
    assert_eq!(told.iter().filter(|(kind, _)| *kind == NoticeKind::Shortage).count(), 1);
    let shortage = scene.plan(&plan.plan_id).await.steps[1].shortage.clone().unwrap();
    assert_eq!(
        (shortage.sku.as_str(), shortage.alternatives.len()),
        ("CUP-6", 2),
        "all that was sought is paid"
    );
    let request = RequeueTaskRequest {
        request_id: request_id(),
        task_id,
        department_id: String::new(),
        reason: "a box was found".to_owned(),
    };
    scene.resolution(BOSS).requeue_task(request).await.unwrap();
    scene.complete(&scene.poll("warehouse").await, None).await.unwrap();
    assert_eq!(scene.case(case_id).await.state(), CaseState::Resolved);
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
    lacking(scene, &agent, &case_id).await;
    recalls::recalled(scene, &case_id).await;
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
