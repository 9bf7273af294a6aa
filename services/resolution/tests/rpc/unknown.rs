//! Tasks of which nobody can say whether they were done, and those done in part.

use proto::redress::resolution::v1::{
    PlanCompleted, PlanState, RequeueTaskRequest, SettleTaskRequest, Task, TaskNeedsAttention, TaskState,
};
use testkit::request_id;
use tonic::{Code, Status};

use crate::repeated;
use crate::world::{
    LEASE, World, apology, completion, exchange, failure, invalid, refund, refused, settlement, task_id,
    unknown_outcome, yuan,
};

async fn settle(world: &World, request: SettleTaskRequest) -> Result<Task, Status> {
    Ok(world.client("worker").settle_task(request).await?.into_inner().task.unwrap())
}

fn requeue(task: &Task) -> RequeueTaskRequest {
    RequeueTaskRequest {
        request_id: request_id(),
        task_id: task.task_id.clone(),
        department_id: String::new(),
        reason: "the rest may be paid".to_owned(),
    }
}

#[tokio::test]
async fn a_task_of_unknown_outcome_is_not_handed_out_requeued_or_cancelled_before_it_is_settled() {
    let world = World::open().await;
    let plan = world.approved(vec![refund("a")]).await;
    let lease = world.take("finance").await;
    let failed = world.client("worker").fail_task(unknown_outcome(&lease)).await.unwrap().into_inner();
    assert_eq!(failed.task.unwrap().state(), TaskState::OutcomeUnknown);
    world.house.advance(LEASE * 100);
    assert!(world.poll("finance").await.is_empty(), "it is not handed out");
    let task = world.task(task_id(&lease)).await;
    let refusal = world.client("boss").requeue_task(requeue(&task)).await;
    refused(refusal, Code::FailedPrecondition, "INVALID_TASK_STATE");
    for _ in 0..2 {
        assert_eq!(world.cancel(&plan).await.state(), PlanState::Cancelling, "it is waited for");
        assert_eq!(world.task(task_id(&lease)).await.state(), TaskState::OutcomeUnknown);
    }
    let told = world.house.published::<TaskNeedsAttention>("resolution").await;
    assert_eq!(told.iter().map(|event| event.outcome_unknown).collect::<Vec<_>>(), [true]);
    // It was paid: now it is collected again.
    settle(&world, settlement(&task, true)).await.unwrap();
    let undo = world.take("finance").await;
    assert!(undo.task.as_ref().unwrap().compensation);
    world.complete(&undo).await.unwrap();
    assert_eq!(world.plan(&plan).await.state(), PlanState::Cancelled);
    world.house.done().await;
}

#[tokio::test]
async fn a_settled_task_is_done_once_or_handed_out_again_or_cancelled() {
    let world = World::open().await;
    let done = world.approved(vec![refund("a")]).await;
    let lease = world.take("finance").await;
    world.client("worker").fail_task(unknown_outcome(&lease)).await.unwrap();
    let task = world.task(task_id(&lease)).await;
    let request = settlement(&task, true);
    let settled =
        repeated!(world.client("worker"), settle_task, request.clone(), |other: &mut SettleTaskRequest| {
            other.reason = "changed".to_owned();
        });
    let settled = settled.task.unwrap();
    assert_eq!(settled.state(), TaskState::Completed);
    assert!(!request.reason.is_empty() && settled.settle_reason == request.reason);
    assert_ne!(settled.last_error, request.reason, "why it is known to be done is no error");
    assert_eq!(world.task(&settled.task_id).await.settle_reason, request.reason, "it is kept");
    assert_eq!(world.plan(&done).await.state(), PlanState::Completed);
    assert_eq!(world.published::<PlanCompleted>().await, 1);
    let again = settle(&world, settlement(&task, false)).await;
    refused(again, Code::FailedPrecondition, "INVALID_TASK_STATE");

    let undone = world.approved(vec![refund("a")]).await;
    let lease = world.take("finance").await;
    world.client("worker").fail_task(unknown_outcome(&lease)).await.unwrap();
    let request = settlement(lease.task.as_ref().unwrap(), false);
    let settled = settle(&world, request.clone()).await.unwrap();
    assert_eq!((&settled.settle_reason, &settled.last_error), (&request.reason, &request.reason));
    let lease = world.take("finance").await;
    assert_eq!(lease.task.as_ref().unwrap().attempt, 1, "with fresh attempts");
    world.client("worker").fail_task(unknown_outcome(&lease)).await.unwrap();
    world.cancel(&undone).await;
    let settled = settle(&world, settlement(lease.task.as_ref().unwrap(), false)).await.unwrap();
    assert_eq!(settled.state(), TaskState::Cancelled);
    assert_eq!(world.plan(&undone).await.state(), PlanState::Cancelled, "nothing was to undo");
    world.house.done().await;
}

#[tokio::test]
async fn a_settlement_that_does_not_fit_is_refused() {
    let world = World::open().await;
    world.approved(vec![refund("a")]).await;
    let lease = world.take("finance").await;
    let task = lease.task.clone().unwrap();
    refused(settle(&world, settlement(&task, true)).await, Code::FailedPrecondition, "INVALID_TASK_STATE");
    world.client("worker").fail_task(unknown_outcome(&lease)).await.unwrap();
    let fields = ["request_id", "task_id", "reason"];
    invalid(settle(&world, SettleTaskRequest::default()).await, "INVALID_RESULT", &fields);
    let both = SettleTaskRequest { done: false, ..settlement(&task, true) };
    invalid(settle(&world, both).await, "INVALID_RESULT", &["result"]);
    let mut above = settlement(&task, true);
    above.result.as_mut().unwrap().amount = Some(yuan(101));
    invalid(settle(&world, above).await, "INVALID_RESULT", &["result.amount"]);
    let empty = SettleTaskRequest { result: None, ..settlement(&task, true) };
    invalid(settle(&world, empty).await, "INVALID_RESULT", &["result.reference", "result.amount"]);
    world.house.done().await;
}

#[tokio::test]
async fn only_what_moves_value_is_of_unknown_outcome_when_its_last_lease_expires() {
    let world = World::open().await;
    world.approved(vec![refund("a"), exchange("b"), apology("c")]).await;
    for (department, state) in [
        ("finance", TaskState::OutcomeUnknown),
        ("warehouse", TaskState::OutcomeUnknown),
        ("service", TaskState::NeedsAttention),
    ] {
        let mut last = None;
        for _ in 0..resolution::task::MAX_ATTEMPTS {
            last = Some(world.take(department).await);
            world.house.advance(LEASE * 2);
        }
        assert!(world.poll(department).await.is_empty());
        let last = last.unwrap();
        assert_eq!(world.task(task_id(&last)).await.state(), state, "{department}");
        // Who held it last may still say.
        world.complete(&last).await.unwrap();
    }
    assert_eq!(world.published::<PlanCompleted>().await, 1);
    world.house.done().await;
}

#[tokio::test]
async fn what_is_paid_in_part_stays_open_for_the_rest() {
    let world = World::open().await;
    let plan = world.approved(vec![refund("a")]).await;
    let first = world.take("finance").await;
    let mut report = completion(&first);
    report.result.as_mut().unwrap().amount = Some(yuan(60));
    world.client("worker").complete_task(report).await.unwrap();
    assert_eq!(world.plan(&plan).await.state(), PlanState::Executing);
    let step = world.plan(&plan).await.steps.remove(0);
    assert!(!step.done && step.task_id != task_id(&first), "the rest is a task of its own: {step:?}");
    let rest = world.task(&step.task_id).await;
    assert_eq!((rest.state(), rest.amount.clone()), (TaskState::NeedsAttention, Some(yuan(40))));
    assert_eq!(rest.last_error, "part payment: CNY 60.00 was moved, CNY 40.00 is still open");
    assert_eq!(world.published::<TaskNeedsAttention>().await, 1);
    world.client("boss").requeue_task(requeue(&rest)).await.unwrap();
    world.complete(&world.take("finance").await).await.unwrap();
    assert_eq!(world.plan(&plan).await.state(), PlanState::Completed);
    world.house.done().await;
}

#[tokio::test]
async fn what_was_paid_in_part_is_undone_as_far_as_it_was_paid() {
    let world = World::open().await;
    let plan = world.approved(vec![refund("a"), apology("b")]).await;
    let mut report = completion(&world.take("finance").await);
    report.result.as_mut().unwrap().amount = Some(yuan(60));
    world.client("worker").complete_task(report).await.unwrap();
    let waiting = world.take("service").await;
    world.cancel(&plan).await;
    world.client("worker").fail_task(failure(&waiting, "CANCELLED", false)).await.unwrap();
    let undo = world.take("finance").await;
    assert_eq!(undo.task.as_ref().unwrap().amount, Some(yuan(60)));
    // Collected in part: the rest is still to be collected.
    let mut report = completion(&undo);
    report.result.as_mut().unwrap().amount = Some(yuan(50));
    world.client("worker").complete_task(report).await.unwrap();
    let step = world.plan(&plan).await.steps.remove(0);
    assert_eq!(world.plan(&plan).await.state(), PlanState::Cancelling, "{step:?}");
    let told = world.house.published::<TaskNeedsAttention>("resolution").await;
    let rest = world.task(&told.last().unwrap().task_id).await;
    assert_eq!((rest.compensation, rest.amount.clone()), (true, Some(yuan(10))));
    world.client("boss").requeue_task(requeue(&rest)).await.unwrap();
    world.complete(&world.take("finance").await).await.unwrap();
    assert_eq!(world.plan(&plan).await.state(), PlanState::Cancelled);
    world.house.done().await;
}
