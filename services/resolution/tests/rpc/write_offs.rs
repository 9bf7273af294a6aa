//! What a department cannot undo is written off by two people, who see what was paid and what
//! was tried; the ledger has the loss, and the plan ends.

use std::time::Duration;

use proto::redress::resolution::v1::supervision_service_client::SupervisionServiceClient;
use proto::redress::resolution::v1::{
    ApproveTaskProposalRequest, GetDepartmentBoardRequest, GetTaskRequest, GetTaskResponse, Lease,
    LedgerMovement, ListBalancesRequest, ListTasksRequest, Plan, PlanState, ProposalKind, ProposalState,
    ProposeTaskWriteOffRequest, RefuseTaskProposalRequest, RemedyKind, RequeueTaskRequest, Step, StepState,
    TaskState, TaskWrittenOff,
};
use testkit::request_id;
use tonic::Code;

use crate::ledger::{moved, unbalanced};
use crate::proposals::client;
use crate::repeated;
use crate::saga_failures::steps;
use crate::world::{
    World, apology, completion, exchange, failure, invalid, refund, refused, step, step_id, task_id, yuan,
};

fn writing_off(task: &str) -> ProposeTaskWriteOffRequest {
    let reason = "the account is closed, the complainant does not answer".to_owned();
    ProposeTaskWriteOffRequest { request_id: request_id(), task_id: task.to_owned(), reason }
}

fn approval(proposal_id: &str) -> ApproveTaskProposalRequest {
    let (proposal_id, remark) = (proposal_id.to_owned(), "agreed".to_owned());
    ApproveTaskProposalRequest { request_id: request_id(), proposal_id, remark }
}

/// Proposed by one, approved by another.
async fn written_off(world: &World, task: &str) {
    let proposed = client(world, "ann").propose_task_write_off(writing_off(task)).await.unwrap().into_inner();
    let proposal = proposed.proposal.unwrap();
    client(world, "boss").approve_task_proposal(approval(&proposal.proposal_id)).await.unwrap();
}

async fn fails(world: &World, lease: &Lease, code: &str) {
    later(world);
    world.client("worker").fail_task(failure(lease, code, false)).await.unwrap();
    later(world);
}

/// What happens next is later: what happens at one moment is in no order.
fn later(world: &World) {
    world.house.advance(Duration::from_millis(10));
}

async fn looked_at(world: &World, task: &str) -> GetTaskResponse {
    let request = GetTaskRequest { task_id: task.to_owned() };
    world.handler().get_task(request).await.unwrap().into_inner()
}

async fn requeued(world: &World, task: &str) {
    let request = RequeueTaskRequest {
        request_id: request_id(),
        task_id: task.to_owned(),
        department_id: String::new(),
        reason: "try the other account".to_owned(),
    };
    world.approver().requeue_task(request).await.unwrap();
}

async fn not_undone(world: &World) -> i32 {
    let channel = world.house.channel_as("development", "boss", &["reader"]);
    let request = GetDepartmentBoardRequest { department_id: "finance".to_owned() };
    let board = SupervisionServiceClient::new(channel).get_department_board(request).await.unwrap();
    board.into_inner().board.unwrap().not_undone
}

/// A refund that was paid and is to be collected again, in part it was.
async fn partly_collected(world: &World) -> (Plan, Lease) {
    // What nobody begins keeps the plan open.
    let plan = world.approved(vec![refund("a"), apology("never")]).await;
    later(world);
    world.complete(&world.take("finance").await).await.unwrap();
    later(world);
    world.cancel(&plan).await;
    let mut partly = completion(&world.take("finance").await);
    partly.result.as_mut().unwrap().amount = Some(yuan(30));
    world.client("worker").complete_task(partly).await.unwrap();
    let rest = world.plan(&plan).await.steps[0].clone();
    assert_eq!(rest.state(), StepState::Undoing);
    let request = ListTasksRequest { case_id: plan.case_id.clone(), ..ListTasksRequest::default() };
    let tasks = world.handler().list_tasks(request).await.unwrap().into_inner().tasks;
    let rest = tasks.iter().find(|task| task.state() == TaskState::NeedsAttention).unwrap();
    requeued(world, &rest.task_id).await;
    let lease = world.take("finance").await;
    (plan, lease)
}

#[tokio::test]
async fn two_people_write_off_what_cannot_be_collected_and_the_plan_ends() {
    let world = World::open().await;
    let (plan, lease) = partly_collected(&world).await;
    let task = task_id(&lease).to_owned();
    fails(&world, &lease, "ACCOUNT_CLOSED").await;
    assert_eq!(not_undone(&world).await, 1);
    let proposal = repeated!(
        client(&world, "ann"),
        propose_task_write_off,
        writing_off(&task),
        |request: &mut ProposeTaskWriteOffRequest| {
            request.reason.push('!');
        }
    )
    .proposal
    .unwrap();
    assert_eq!((proposal.kind(), proposal.state()), (ProposalKind::WriteOff, ProposalState::Pending));
    assert_eq!(proposal.amount, Some(yuan(70)), "what is still out");
    assert_eq!(world.plan(&plan).await.state(), PlanState::Cancelling, "until somebody else agrees");
    let alone = client(&world, "ANN").approve_task_proposal(approval(&proposal.proposal_id)).await;
    refused(alone, Code::PermissionDenied, "DECIDER_IS_PROPOSER");
    for planner in ["handler", "approver"] {
        let planned = client(&world, planner).approve_task_proposal(approval(&proposal.proposal_id)).await;
        refused(planned, Code::PermissionDenied, "EXECUTOR_IS_PLANNER");
    }
    let about = client(&world, "mallory").approve_task_proposal(approval(&proposal.proposal_id)).await;
    refused(about, Code::PermissionDenied, "CALLER_RECUSED");
    let done = repeated!(
        client(&world, "boss"),
        approve_task_proposal,
        approval(&proposal.proposal_id),
        |request: &mut ApproveTaskProposalRequest| { request.remark.push('!') }
    );
    assert_eq!(done.task.unwrap().state(), TaskState::WrittenOff);
    let ended = world.plan(&plan).await;
    assert_eq!((ended.state(), ended.steps[0].state()), (PlanState::Cancelled, StepState::WrittenOff));
    let entries = world.entries(&plan.case_id).await;
    let last = entries.last().unwrap();
    assert_eq!(
        moved(&entries)[2..],
        [(LedgerMovement::Executed, 100), (LedgerMovement::Reversed, 30), (LedgerMovement::WrittenOff, 70)]
    );
    assert_eq!((last.task_id.as_str(), last.reference.as_str()), (task.as_str(), ""));
    let request = ListBalancesRequest { case_id: plan.case_id.clone(), ..ListBalancesRequest::default() };
    let balance = world.balances(request).await.remove(0);
    assert_eq!((balance.written_off, balance.executed_net), (Some(yuan(70)), Some(yuan(0))));
    assert_eq!(unbalanced(&mut world.schema().await).await, 0);
    let told: Vec<TaskWrittenOff> = world.house.published("resolution").await;
    let [told] = told.as_slice() else { panic!("once: {told:?}") };
    assert_eq!((told.proposer.as_str(), told.approver.as_str()), ("ann", "boss"));
    assert_eq!((told.amount.clone(), told.task_id.as_str()), (Some(yuan(70)), task.as_str()));
    assert_eq!(not_undone(&world).await, 0);
    let twice = client(&world, "eve").approve_task_proposal(approval(&proposal.proposal_id)).await;
    refused(twice, Code::FailedPrecondition, "INVALID_PROPOSAL_STATE");
    let late = world.complete(&lease).await;
    refused(late, Code::FailedPrecondition, "LEASE_LOST");
    world.house.done().await;
}

#[tokio::test]
async fn who_decides_sees_what_was_paid_collected_and_tried() {
    let world = World::open().await;
    let (plan, lease) = partly_collected(&world).await;
    let task = task_id(&lease).to_owned();
    fails(&world, &lease, "ACCOUNT_CLOSED").await;
    requeued(&world, &task).await;
    let again = world.take("finance").await;
    fails(&world, &again, "NO_SUCH_ACCOUNT").await;
    let record = looked_at(&world, &task).await.undo_record.unwrap();
    assert_eq!((record.paid, record.collected), (Some(yuan(100)), Some(yuan(30))));
    assert_eq!((record.outstanding, record.written_off), (Some(yuan(70)), Some(yuan(0))));
    let booked: Vec<_> =
        record.entries.iter().map(|entry| (entry.movement(), entry.reference.as_str())).collect();
    assert_eq!(booked, [(LedgerMovement::Executed, "REF-a"), (LedgerMovement::Reversed, "REF-a")]);
    let tried: Vec<_> = (record.failures.iter())
        .map(|failure| (failure.task_id.as_str(), failure.attempt, failure.error.as_str()))
        .collect();
    let because = |code: &str| format!("{code}: no answer from the bank");
    let (closed, unknown) = (because("ACCOUNT_CLOSED"), because("NO_SUCH_ACCOUNT"));
    assert_eq!(tried, [(task.as_str(), 1, closed.as_str()), (task.as_str(), 1, unknown.as_str())]);
    assert_eq!(
        (record.failures[0].worker.as_str(), record.failures[0].department_id.as_str()),
        ("worker-1", "finance")
    );
    let paid = world.plan(&plan).await.steps[0].task_id.clone();
    assert_eq!(looked_at(&world, &paid).await.undo_record, None, "it undoes nothing");
    world.house.done().await;
}

#[tokio::test]
async fn only_what_undoes_a_step_and_needs_attention_is_written_off() {
    let world = World::open().await;
    let plan = world.approved(vec![refund("a"), exchange("b"), apology("never")]).await;
    let mut ann = client(&world, "ann");
    let lease = world.take("finance").await;
    let doing = ann.propose_task_write_off(writing_off(task_id(&lease))).await;
    refused(doing, Code::FailedPrecondition, "NOT_A_COMPENSATION");
    world.complete(&lease).await.unwrap();
    world.complete(&world.take("warehouse").await).await.unwrap();
    world.cancel(&plan).await;
    // Undone first: the exchange, which has no sum.
    let goods = world.take("warehouse").await;
    let held = ann.propose_task_write_off(writing_off(task_id(&goods))).await;
    refused(held, Code::FailedPrecondition, "INVALID_TASK_STATE");
    fails(&world, &goods, "NOT_RETURNED").await;
    for (by, reason) in [("mallory", "CALLER_RECUSED")] {
        let refusal = client(&world, by).propose_task_write_off(writing_off(task_id(&goods))).await;
        refused(refusal, Code::PermissionDenied, reason);
    }
    let proposed = ann.propose_task_write_off(writing_off(task_id(&goods))).await.unwrap().into_inner();
    let proposal = proposed.proposal.unwrap();
    assert_eq!(proposal.amount, None);
    let second = client(&world, "eve").propose_task_write_off(writing_off(task_id(&goods))).await;
    refused(second, Code::FailedPrecondition, "PROPOSAL_PENDING");
    // Tried once more meanwhile: nothing is given up that may come back.
    requeued(&world, task_id(&goods)).await;
    let meanwhile = client(&world, "boss").approve_task_proposal(approval(&proposal.proposal_id)).await;
    refused(meanwhile, Code::FailedPrecondition, "INVALID_TASK_STATE");
    fails(&world, &world.take("warehouse").await, "NOT_RETURNED").await;
    client(&world, "boss").approve_task_proposal(approval(&proposal.proposal_id)).await.unwrap();
    let money = world.take("finance").await;
    fails(&world, &money, "ACCOUNT_CLOSED").await;
    for planner in ["handler", "approver"] {
        let planned = client(&world, planner).propose_task_write_off(writing_off(task_id(&money))).await;
        refused(planned, Code::PermissionDenied, "EXECUTOR_IS_PLANNER");
    }
    let proposed = ann.propose_task_write_off(writing_off(task_id(&money))).await.unwrap().into_inner();
    let request = RefuseTaskProposalRequest {
        request_id: request_id(),
        proposal_id: proposed.proposal.unwrap().proposal_id,
        reason: "a lawyer tries first".to_owned(),
    };
    client(&world, "boss").refuse_task_proposal(request).await.unwrap();
    assert_eq!(world.plan(&plan).await.state(), PlanState::Cancelling);
    written_off(&world, task_id(&money)).await;
    assert_eq!(world.plan(&plan).await.state(), PlanState::Cancelled);
    let empty = ann.propose_task_write_off(ProposeTaskWriteOffRequest::default()).await;
    invalid(empty, "INVALID_REASON", &["request_id", "task_id", "reason"]);
    world.house.done().await;
}

/// Whichever of the undoings of a saga cannot be done, each before it is undone and each after
/// it, and the loss is what that one moved.
#[tokio::test]
async fn whichever_step_of_a_saga_cannot_be_undone_the_others_are_and_the_plan_ends() {
    let world = World::open().await;
    for (lost, loss) in [("d", 100), ("b", 0), ("a", 100)] {
        let never = step("never", RemedyKind::Apology, &["d"]);
        let plan = world.approved([steps(), vec![never]].concat()).await;
        for department in ["finance", "warehouse", "service", "finance"] {
            world.complete(&world.take(department).await).await.unwrap();
        }
        world.cancel(&plan).await;
        let mut undone = Vec::new();
        for department in ["finance", "warehouse", "finance"] {
            let lease = world.take(department).await;
            let name = step_id(&lease).to_owned();
            if name == lost {
                fails(&world, &lease, "IMPOSSIBLE").await;
                assert!(world.poll("finance").await.is_empty() && world.poll("warehouse").await.is_empty());
                written_off(&world, task_id(&lease)).await;
            } else {
                world.complete(&lease).await.unwrap();
            }
            undone.push(name);
        }
        assert_eq!(undone, ["d", "b", "a"], "in reverse");
        let states: Vec<StepState> = world.plan(&plan).await.steps.iter().take(4).map(Step::state).collect();
        let of = |step: &str| if step == lost { StepState::WrittenOff } else { StepState::Undone };
        assert_eq!(states, [of("a"), of("b"), StepState::Done, of("d")]);
        let request = ListBalancesRequest { case_id: plan.case_id.clone(), ..Default::default() };
        let balance = world.balances(request).await.remove(0);
        assert_eq!(balance.written_off, Some(yuan(loss)));
        assert_eq!(balance.executed_net, Some(yuan(0)));
    }
    world.house.done().await;
}
