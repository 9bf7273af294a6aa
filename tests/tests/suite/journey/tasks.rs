//! What two people decide about a department's task, and how its queue is supervised.

use proto::google::r#type::Money;
use proto::redress::resolution::v1::department_service_client::DepartmentServiceClient;
use proto::redress::resolution::v1::endpoint_service_client::EndpointServiceClient;
use proto::redress::resolution::v1::proposal_service_client::ProposalServiceClient;
use proto::redress::resolution::v1::supervision_service_client::SupervisionServiceClient;
use proto::redress::resolution::v1::{
    ApproveTaskProposalRequest, DeleteEndpointRequest, EndpointKind, EndpointState,
    GetDepartmentBoardRequest, GetDepartmentQueueRequest, GetEndpointRequest, GetSupervisionRequest,
    GetTaskRequest, Lease, ListDeliveriesRequest, ListEndpointsRequest, PauseDepartmentRequest,
    PauseEndpointRequest, ProposalState, ProposeTaskCompletionRequest, ProposeTaskWriteOffRequest,
    RedeliverTaskRequest, RefuseTaskProposalRequest, RequestTaskExtensionRequest, ResumeDepartmentRequest,
    ResumeEndpointRequest, RotateEndpointSecretRequest, SetEndpointRequest, SetSupervisionRequest,
    TaskProposal, TaskResult, TaskState,
};
use testkit::request_id;
use tonic::Code;

use super::scene::{BOSS, Scene, refused};
use crate::twice::Twice;

/// How long the task that is extended has to be done.
pub(crate) const FIRST_DUE_SECONDS: i64 = 600;

fn proposals(scene: &Scene, subject: &str) -> ProposalServiceClient<Twice> {
    ProposalServiceClient::new(scene.line(subject))
}

/// The worker gets more time; what somebody takes for done is not.
pub(crate) async fn decided_by_two(scene: &Scene, lease: &Lease) {
    let task = lease.task.clone().unwrap();
    let due = task.due_time.unwrap();
    let later = prost_types::Timestamp { seconds: due.seconds + FIRST_DUE_SECONDS, nanos: 0 };
    let request = RequestTaskExtensionRequest {
        request_id: request_id(),
        task_id: task.task_id.clone(),
        due_time: Some(later),
        reason: "the carrier is late".to_owned(),
    };
    let asked = proposals(scene, "worker").request_task_extension(request).await.unwrap().into_inner();
    let proposal_id = asked.proposal.unwrap().proposal_id;
    let request =
        ApproveTaskProposalRequest { request_id: request_id(), proposal_id, remark: "granted".to_owned() };
    let alone = proposals(scene, "worker").approve_task_proposal(request.clone()).await;
    refused(alone, Code::PermissionDenied, "DECIDER_IS_PROPOSER");
    let given = proposals(scene, BOSS).approve_task_proposal(request).await.unwrap().into_inner();
    assert_eq!(given.task.unwrap().due_time, Some(later));

    let request = ProposeTaskCompletionRequest {
        request_id: request_id(),
        task_id: task.task_id.clone(),
        result: Some(TaskResult { reference: "S-1".to_owned(), ..TaskResult::default() }),
        reason: "the parcel is gone".to_owned(),
    };
    let said = proposals(scene, "clerk").propose_task_completion(request).await.unwrap().into_inner();
    let request = RefuseTaskProposalRequest {
        request_id: request_id(),
        proposal_id: said.proposal.unwrap().proposal_id,
        reason: "it lies in the warehouse".to_owned(),
    };
    proposals(scene, BOSS).refuse_task_proposal(request).await.unwrap();
    let request = GetTaskRequest { task_id: task.task_id };
    let found = scene.resolution("reader").get_task(request).await.unwrap().into_inner();
    let states: Vec<_> = found.proposals.iter().map(TaskProposal::state).collect();
    assert_eq!(states, [ProposalState::Approved, ProposalState::Refused]);
}

/// What is left to be collected for a case is not to be had: two people, who paid nothing of it,
/// write it off.
pub(crate) async fn written_off(scene: &Scene, case_id: &str, loss: Money) {
    let tasks = scene.tasks(case_id).await;
    let rest = tasks.iter().find(|task| task.state() == TaskState::NeedsAttention).unwrap();
    let request = GetTaskRequest { task_id: rest.task_id.clone() };
    let found = scene.resolution("reader").get_task(request).await.unwrap().into_inner();
    assert_eq!(found.undo_record.unwrap().outstanding, Some(loss.clone()));
    let request = ProposeTaskWriteOffRequest {
        request_id: request_id(),
        task_id: rest.task_id.clone(),
        reason: "the account is closed".to_owned(),
    };
    let proposal = proposals(scene, "clerk").propose_task_write_off(request).await.unwrap().into_inner();
    let proposal = proposal.proposal.unwrap();
    assert_eq!(proposal.amount, Some(loss));
    let request = ApproveTaskProposalRequest {
        request_id: request_id(),
        proposal_id: proposal.proposal_id,
        remark: "agreed".to_owned(),
    };
    let paid_it = proposals(scene, BOSS).approve_task_proposal(request.clone()).await;
    refused(paid_it, Code::PermissionDenied, "EXECUTOR_IS_PLANNER");
    let done = proposals(scene, "head").approve_task_proposal(request).await.unwrap().into_inner();
    assert_eq!(done.task.unwrap().state(), TaskState::WrittenOff);
    scene.settled().await;
}

/// The department is paused for a while, and knows.
pub(crate) async fn paused(scene: &Scene, department: &str) {
    let mut boss = DepartmentServiceClient::new(scene.line(BOSS));
    let request = PauseDepartmentRequest {
        request_id: request_id(),
        department_id: department.to_owned(),
        kind: 0,
        reason: "the bank is down".to_owned(),
    };
    let pause = boss.pause_department(request).await.unwrap().into_inner().pause.unwrap();
    let request = GetDepartmentQueueRequest { department_id: department.to_owned() };
    let queue = boss.get_department_queue(request).await.unwrap().into_inner().queue.unwrap();
    assert_eq!(queue.pauses, [pause]);
    let request = ResumeDepartmentRequest {
        request_id: request_id(),
        department_id: department.to_owned(),
        kind: 0,
        reason: "it is back".to_owned(),
    };
    boss.resume_department(request).await.unwrap();
}

/// By which ladder what is overdue is supervised, as it was; and how a department stands.
pub(crate) async fn supervised(scene: &Scene, department: &str) {
    let mut boss = SupervisionServiceClient::new(scene.line(BOSS));
    let shipped = boss.get_supervision(GetSupervisionRequest {}).await.unwrap().into_inner();
    let shipped = shipped.supervision.unwrap();
    let request = SetSupervisionRequest {
        request_id: request_id(),
        expected_version: Some(shipped.version),
        rungs: shipped.rungs.clone(),
        departments: shipped.departments,
    };
    let set = boss.set_supervision(request).await.unwrap().into_inner().supervision.unwrap();
    assert_eq!(set.rungs, shipped.rungs);
    let request = GetDepartmentBoardRequest { department_id: department.to_owned() };
    let board = boss.get_department_board(request).await.unwrap().into_inner().board.unwrap();
    assert_eq!(board.queue.unwrap().department_id, department);
}

fn endpoints(scene: &Scene) -> EndpointServiceClient<Twice> {
    EndpointServiceClient::new(scene.line(BOSS))
}

/// The department cannot poll, and says where it is: nowhere yet.
pub(crate) async fn reached_elsewhere(scene: &Scene, department: &str) {
    let request = SetEndpointRequest {
        request_id: request_id(),
        department_id: department.to_owned(),
        expected_version: Some(0),
        kind: EndpointKind::Webhook.into(),
        url: "https://warehouse.invalid/tasks".to_owned(),
        secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned(),
        timeout_duration: None,
        hold_duration: None,
    };
    let set = endpoints(scene).set_endpoint(request).await.unwrap().into_inner().endpoint.unwrap();
    let request = GetEndpointRequest { department_id: department.to_owned() };
    let found = endpoints(scene).get_endpoint(request).await.unwrap().into_inner().endpoint.unwrap();
    assert_eq!((found.version, found.url, found.has_secret), (set.version, set.url, true));
}

/// Its task reaches nobody, however often it is brought; the endpoint is paused, and the
/// task waits for a worker again.
pub(crate) async fn brought_in_vain(scene: &Scene, department: &str) {
    let deliveries = async || {
        let request = ListDeliveriesRequest {
            department_id: department.to_owned(),
            ..ListDeliveriesRequest::default()
        };
        endpoints(scene).list_deliveries(request).await.unwrap().into_inner().deliveries
    };
    testkit::eventually(async || !deliveries().await.is_empty()).await;
    let task_id = deliveries().await.remove(0).task_id;
    let request = RedeliverTaskRequest { request_id: request_id(), task_id };
    endpoints(scene).redeliver_task(request).await.unwrap();
    let request = RotateEndpointSecretRequest {
        request_id: request_id(),
        department_id: department.to_owned(),
        expected_version: None,
        secret: "whsec_b3RoZXJvdGhlcm90aGVyb3RoZXJvdGhlcg==".to_owned(),
        keep_duration: None,
    };
    endpoints(scene).rotate_endpoint_secret(request).await.unwrap();
    let request = PauseEndpointRequest {
        request_id: request_id(),
        department_id: department.to_owned(),
        reason: "it is nowhere".to_owned(),
    };
    let paused = endpoints(scene).pause_endpoint(request).await.unwrap().into_inner().endpoint.unwrap();
    assert_eq!(paused.state(), EndpointState::Paused);
}

/// It polls from now on.
pub(crate) async fn polls_at_last(scene: &Scene, department: &str) {
    let request = ResumeEndpointRequest {
        request_id: request_id(),
        department_id: department.to_owned(),
        reason: "to be taken away".to_owned(),
    };
    endpoints(scene).resume_endpoint(request).await.unwrap();
    let request = DeleteEndpointRequest {
        request_id: request_id(),
        department_id: department.to_owned(),
        expected_version: None,
    };
    endpoints(scene).delete_endpoint(request).await.unwrap();
    let left = endpoints(scene).list_endpoints(ListEndpointsRequest::default()).await.unwrap().into_inner();
    assert_eq!(left.endpoints, []);
}
