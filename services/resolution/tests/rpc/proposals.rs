//! What one person proposes about a task and another decides.

use std::time::Duration;

use proto::redress::cases::v1::{CaseDecided, CaseDueTimeChanged};
use proto::redress::resolution::v1::proposal_service_client::ProposalServiceClient;
use proto::redress::resolution::v1::{
    ApproveTaskProposalRequest, GetTaskRequest, PlanState, ProposalKind, ProposalState,
    ProposeTaskCompletionRequest, RefuseTaskProposalRequest, RequestTaskExtensionRequest, Step, Task,
    TaskCompleted, TaskProposal, TaskProposalDecided, TaskProposalMade, TaskResult, TaskState,
};
use testkit::{CallerChannel, request_id};
use tonic::Code;
use uuid::Uuid;

use crate::repeated;
use crate::world::{World, apology, decided, invalid, refund, refused, step_id, yuan};

type Client = ProposalServiceClient<CallerChannel>;

/// Where the tests' clock stands at first.
const NOW: i64 = 1_795_424_400;
const HOUR: i64 = 3_600;

fn after(hours: i64) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds: NOW + hours * HOUR, nanos: 0 }
}

pub(crate) fn client(world: &World, subject: &str) -> Client {
    let roles = ["supervisor", "department-worker"];
    Client::new(world.house.channel_as("development", subject, &roles))
}

fn extension(task_id: &str, hours: i64) -> RequestTaskExtensionRequest {
    RequestTaskExtensionRequest {
        request_id: request_id(),
        task_id: task_id.to_owned(),
        due_time: Some(after(hours)),
        reason: "the bank needs two days".to_owned(),
    }
}

pub(crate) fn finished(task: &Task) -> ProposeTaskCompletionRequest {
    let result =
        TaskResult { reference: "BANK-1".to_owned(), amount: task.amount.clone(), ..TaskResult::default() };
    ProposeTaskCompletionRequest {
        request_id: request_id(),
        task_id: task.task_id.clone(),
        result: Some(result),
        reason: "the statement shows it".to_owned(),
    }
}

pub(crate) fn approval(proposal: &TaskProposal) -> ApproveTaskProposalRequest {
    ApproveTaskProposalRequest {
        request_id: request_id(),
        proposal_id: proposal.proposal_id.clone(),
        remark: "as the carrier says".to_owned(),
    }
}

fn refusal(proposal: &TaskProposal) -> RefuseTaskProposalRequest {
    RefuseTaskProposalRequest {
        request_id: request_id(),
        proposal_id: proposal.proposal_id.clone(),
        reason: "they have had a week".to_owned(),
    }
}

async fn asked(world: &World, task_id: &str, hours: i64) -> TaskProposal {
    let request = extension(task_id, hours);
    client(world, "worker").request_task_extension(request).await.unwrap().into_inner().proposal.unwrap()
}

pub(crate) async fn proposals(world: &World, task_id: &str) -> Vec<TaskProposal> {
    let request = GetTaskRequest { task_id: task_id.to_owned() };
    world.handler().get_task(request).await.unwrap().into_inner().proposals
}

/// The task of a case that is due in ten hours; its step is due in one.
async fn due(world: &World) -> Task {
    let case = Uuid::try_parse(&request_id()).unwrap();
    let told = CaseDecided { due_time: Some(after(10)), ..decided(case, 1, 3, true) };
    world.house.tell("cases", case, &told).await;
    world.house.settled().await;
    let plan = world.approved_for(case, vec![Step { due_time: Some(after(1)), ..refund("a") }]).await;
    world.task(&plan.steps[0].task_id).await
}

#[tokio::test]
async fn a_department_gets_more_time_when_a_second_person_agrees() {
    let world = World::open().await;
    let task = due(&world).await;
    let mut worker = client(&world, "worker");
    let request = extension(&task.task_id, 9);
    let answer =
        repeated!(worker, request_task_extension, request, |other: &mut RequestTaskExtensionRequest| {
            other.reason.push('!');
        });
    let proposal = answer.proposal.unwrap();
    assert_eq!((proposal.kind(), proposal.state()), (ProposalKind::Extension, ProposalState::Pending));
    assert_eq!(world.task(&task.task_id).await.due_time, Some(after(1)), "nothing has changed yet");
    let second = worker.request_task_extension(extension(&task.task_id, 5)).await;
    refused(second, Code::FailedPrecondition, "PROPOSAL_PENDING");
    let alone = client(&world, "WORKER").approve_task_proposal(approval(&proposal)).await;
    refused(alone, Code::PermissionDenied, "DECIDER_IS_PROPOSER");
    let about = client(&world, "mallory").approve_task_proposal(approval(&proposal)).await;
    refused(about, Code::PermissionDenied, "CALLER_RECUSED");
    let mut boss = client(&world, "boss");
    let request = approval(&proposal);
    let answer = repeated!(boss, approve_task_proposal, request, |other: &mut ApproveTaskProposalRequest| {
        other.remark.push('!');
    });
    assert_eq!(answer.task.unwrap().due_time, Some(after(9)));
    let approved = answer.proposal.unwrap();
    assert_eq!((approved.state(), approved.decider.as_str()), (ProposalState::Approved, "boss"));
    assert_eq!(approved.decision_reason, "as the carrier says");
    refused(
        boss.approve_task_proposal(approval(&proposal)).await,
        Code::FailedPrecondition,
        "INVALID_PROPOSAL_STATE",
    );
    refused(
        boss.refuse_task_proposal(refusal(&proposal)).await,
        Code::FailedPrecondition,
        "INVALID_PROPOSAL_STATE",
    );
    assert_eq!(proposals(&world, &task.task_id).await, [approved]);
    assert_eq!(world.published::<TaskProposalMade>().await, 1);
    let told = world.house.published::<TaskProposalDecided>("resolution").await;
    assert_eq!((told.len(), told[0].approved, told[0].due_time), (1, true, Some(after(9))));
    world.house.done().await;
}

#[tokio::test]
async fn a_refused_extension_leaves_the_task_and_its_reason() {
    let world = World::open().await;
    let task = due(&world).await;
    let proposal = asked(&world, &task.task_id, 9).await;
    let own = client(&world, "worker").refuse_task_proposal(refusal(&proposal)).await;
    refused(own, Code::PermissionDenied, "DECIDER_IS_PROPOSER");
    let request = refusal(&proposal);
    let answer = repeated!(
        client(&world, "boss"),
        refuse_task_proposal,
        request,
        |other: &mut RefuseTaskProposalRequest| {
            other.reason.push('!');
        }
    );
    let no = answer.proposal.unwrap();
    assert_eq!((no.state(), no.decision_reason.as_str()), (ProposalState::Refused, "they have had a week"));
    assert_eq!(world.task(&task.task_id).await, task);
    asked(&world, &task.task_id, 2).await;
    assert_eq!(proposals(&world, &task.task_id).await.len(), 2, "another may be asked for");
    world.house.done().await;
}

#[tokio::test]
async fn no_task_is_due_after_its_case_and_none_before_it_was() {
    let world = World::open().await;
    let task = due(&world).await;
    let mut worker = client(&world, "worker");
    for hours in [-1, 0, 1, 11] {
        let answer = worker.request_task_extension(extension(&task.task_id, hours)).await;
        invalid(answer, "INVALID_PROPOSAL", &["due_time"]);
    }
    let case = Uuid::try_parse(&task.case_id).unwrap();
    let granted =
        CaseDueTimeChanged { case_id: task.case_id.clone(), cycle: 1, due_time: Some(after(12)), number: 1 };
    world.house.tell("cases", case, &granted).await;
    world.house.settled().await;
    let proposal = asked(&world, &task.task_id, 11).await;
    assert_eq!(proposal.due_time, Some(after(11)), "the case itself was given more time");
    let nothing = RequestTaskExtensionRequest::default();
    let fields = ["request_id", "task_id", "due_time", "reason"];
    invalid(worker.request_task_extension(nothing).await, "INVALID_PROPOSAL", &fields);
    let unknown = worker.request_task_extension(extension(&Uuid::from_u128(7).to_string(), 2)).await;
    refused(unknown, Code::NotFound, "TASK_NOT_FOUND");
    world.house.done().await;
}

#[tokio::test]
async fn what_nobody_dated_is_due_with_its_case_and_moves_with_it() {
    let world = World::open().await;
    let case = Uuid::try_parse(&request_id()).unwrap();
    let told = CaseDecided { due_time: Some(after(10)), ..decided(case, 1, 3, true) };
    world.house.tell("cases", case, &told).await;
    world.house.settled().await;
    let steps = vec![refund("undated"), Step { due_time: Some(after(20)), ..refund("dated") }];
    let plan = world.approved_for(case, steps).await;
    // Of a case that is due before, though it was decided later.
    world.house.advance(Duration::from_secs(1));
    let urgent = Uuid::try_parse(&request_id()).unwrap();
    let sooner = CaseDecided { due_time: Some(after(5)), ..decided(urgent, 1, 3, true) };
    world.house.tell("cases", urgent, &sooner).await;
    world.house.settled().await;
    world.approved_for(urgent, vec![refund("least-slack")]).await;
    assert_eq!(world.task(&plan.steps[0].task_id).await.due_time, Some(after(10)));
    let granted =
        CaseDueTimeChanged { case_id: case.to_string(), cycle: 1, due_time: Some(after(15)), number: 1 };
    world.house.tell("cases", case, &granted).await;
    world.house.settled().await;
    assert_eq!(world.task(&plan.steps[0].task_id).await.due_time, Some(after(15)));
    assert_eq!(world.task(&plan.steps[1].task_id).await.due_time, Some(after(20)));
    let order: Vec<String> =
        world.poll("finance").await.iter().map(|lease| step_id(lease).to_owned()).collect();
    assert_eq!(order, ["least-slack", "undated", "dated"]);
    world.house.done().await;
}

#[tokio::test]
async fn two_people_complete_what_nobody_reports_and_its_holder_is_heard_no_more() {
    let world = World::open().await;
    let plan = world.approved(vec![refund("a")]).await;
    let lease = world.take("finance").await;
    let task = lease.task.clone().unwrap();
    let mut ann = client(&world, "ann");
    for planner in ["handler", "APPROVER"] {
        let planned = client(&world, planner).propose_task_completion(finished(&task)).await;
        refused(planned, Code::PermissionDenied, "EXECUTOR_IS_PLANNER");
    }
    let about = client(&world, "mallory").propose_task_completion(finished(&task)).await;
    refused(about, Code::PermissionDenied, "CALLER_RECUSED");
    let mut too_much = finished(&task);
    too_much.result.as_mut().unwrap().amount = Some(yuan(101));
    invalid(ann.propose_task_completion(too_much).await, "INVALID_RESULT", &["result.amount"]);
    let request = finished(&task);
    let answer =
        repeated!(ann, propose_task_completion, request, |other: &mut ProposeTaskCompletionRequest| {
            other.reason.push('!');
        });
    let proposal = answer.proposal.unwrap();
    refused(
        ann.approve_task_proposal(approval(&proposal)).await,
        Code::PermissionDenied,
        "DECIDER_IS_PROPOSER",
    );
    let planner = client(&world, "handler").approve_task_proposal(approval(&proposal)).await;
    refused(planner, Code::PermissionDenied, "EXECUTOR_IS_PLANNER");
    assert_eq!(world.published::<TaskCompleted>().await, 0);
    let done = client(&world, "boss").approve_task_proposal(approval(&proposal)).await.unwrap().into_inner();
    let done = done.task.unwrap();
    assert_eq!((done.state(), done.result.unwrap().reference.as_str()), (TaskState::Completed, "BANK-1"));
    assert_eq!(world.plan(&plan).await.state(), PlanState::Completed);
    refused(world.complete(&lease).await, Code::FailedPrecondition, "LEASE_LOST");
    assert_eq!(world.published::<TaskCompleted>().await, 1);
    let ended = ann.propose_task_completion(finished(&task)).await;
    refused(ended, Code::FailedPrecondition, "INVALID_TASK_STATE");
    world.house.done().await;
}

#[tokio::test]
async fn a_proposal_about_what_its_holder_reported_meanwhile_changes_nothing() {
    let world = World::open().await;
    world.approved(vec![apology("a")]).await;
    let lease = world.take("service").await;
    let request = finished(lease.task.as_ref().unwrap());
    let proposal =
        client(&world, "ann").propose_task_completion(request).await.unwrap().into_inner().proposal;
    world.complete(&lease).await.unwrap();
    let late = client(&world, "boss").approve_task_proposal(approval(&proposal.clone().unwrap())).await;
    refused(late, Code::FailedPrecondition, "INVALID_TASK_STATE");
    client(&world, "boss").refuse_task_proposal(refusal(&proposal.unwrap())).await.unwrap();
    assert_eq!(world.published::<TaskCompleted>().await, 1);
    world.house.done().await;
}

#[tokio::test]
async fn a_proposal_is_its_tenants_and_needs_an_id_that_there_is() {
    let world = World::identified().await;
    let task = due(&world).await;
    let proposal = asked(&world, &task.task_id, 2).await;
    let roles = ["supervisor", "department-worker"];
    let mut boss = Client::new(world.house.channel_as("other", "boss", &roles));
    refused(boss.approve_task_proposal(approval(&proposal)).await, Code::NotFound, "PROPOSAL_NOT_FOUND");
    refused(boss.refuse_task_proposal(refusal(&proposal)).await, Code::NotFound, "PROPOSAL_NOT_FOUND");
    let stranger = boss.request_task_extension(extension(&task.task_id, 3)).await;
    refused(stranger, Code::NotFound, "TASK_NOT_FOUND");
    refused(boss.propose_task_completion(finished(&task)).await, Code::NotFound, "TASK_NOT_FOUND");
    let nothing = ApproveTaskProposalRequest::default();
    invalid(boss.approve_task_proposal(nothing).await, "INVALID_REQUEST", &["request_id", "proposal_id"]);
    let nothing = RefuseTaskProposalRequest::default();
    invalid(
        boss.refuse_task_proposal(nothing).await,
        "INVALID_REASON",
        &["request_id", "proposal_id", "reason"],
    );
    world.house.done().await;
}

#[tokio::test]
async fn a_worker_of_another_department_asks_for_no_time() {
    let world = World::identified().await;
    let task = due(&world).await;
    let mut other =
        Client::new(world.house.channel_as("development", "sam", &["department-worker:warehouse"]));
    let answer = other.request_task_extension(extension(&task.task_id, 2)).await;
    refused(answer, Code::PermissionDenied, "ROLE_REQUIRED");
    let mut own = Client::new(world.house.channel_as("development", "pat", &["department-worker:finance"]));
    own.request_task_extension(extension(&task.task_id, 2)).await.unwrap();
    world.house.done().await;
}
