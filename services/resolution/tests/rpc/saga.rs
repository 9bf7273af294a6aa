//! Cancelling what is under way: tasks are stopped, what was done is undone.

use proto::redress::resolution::v1::{
    HeartbeatRequest, PlanCancelled, PlanState, RejectTaskRequest, RemedyKind, RequeueTaskRequest, Step,
    TaskCompleted, TaskState,
};
use testkit::request_id;
use tonic::Code;

use crate::world::{
    LEASE, World, apology, cancellation, exchange, failure, refund, refused, step, step_id, task_id, yuan,
};

#[tokio::test]
async fn what_was_done_is_undone_in_reverse_order() {
    let world = World::open().await;
    let steps = vec![
        refund("first"),
        step("second", RemedyKind::Exchange, &["first"]),
        step("sorry", RemedyKind::Apology, &["second"]),
        step("third", RemedyKind::Compensation, &["sorry"]),
        step("never", RemedyKind::Repair, &["third"]),
    ];
    let plan = world.approved(steps).await;
    let mut done = Vec::new();
    for department in ["finance", "warehouse", "service", "finance"] {
        let lease = world.take(department).await;
        world.complete(&lease).await.unwrap();
        done.push(lease);
    }
    let cancelling = world.cancel(&plan).await;
    assert_eq!(cancelling.state(), PlanState::Cancelling);
    assert_eq!(cancelling.reason, "the customer keeps the goods");
    assert!(world.poll("service").await.is_empty(), "what had not begun never does");
    for (department, undone) in [("finance", &done[3]), ("warehouse", &done[1]), ("finance", &done[0])] {
        assert_eq!(world.plan(&plan).await.state(), PlanState::Cancelling);
        let lease = world.take(department).await;
        let task = lease.task.as_ref().unwrap();
        assert!(task.compensation);
        assert_eq!(
            (task.compensates_task_id.as_str(), task.step_id.as_str()),
            (task_id(undone), step_id(undone))
        );
        world.complete(&lease).await.unwrap();
    }
    let cancelled = world.plan(&plan).await;
    assert_eq!(cancelled.state(), PlanState::Cancelled);
    let still_done: Vec<bool> = cancelled.steps.iter().map(|step| step.done).collect();
    assert_eq!(still_done, [false, false, true, false, false], "an apology stands");
    assert_eq!(world.published::<PlanCancelled>().await, 1);
    let undone: Vec<bool> =
        world.house.published::<TaskCompleted>("resolution").await.iter().map(|t| t.compensation).collect();
    assert_eq!(undone, [false, false, false, false, true, true, true]);
    let ended = world.approver().cancel_plan(cancellation(&plan)).await;
    refused(ended, Code::FailedPrecondition, "INVALID_PLAN_STATE");
    world.house.done().await;
}

#[tokio::test]
async fn a_worker_who_was_done_already_is_heard_and_its_work_undone() {
    let world = World::open().await;
    let plan = world.approved(vec![refund("a"), exchange("b"), apology("c")]).await;
    world.complete(&world.take("warehouse").await).await.unwrap();
    let held = world.take("finance").await;
    world.cancel(&plan).await;
    let waiting = world.plan(&plan).await.steps[2].task_id.clone();
    assert_eq!(world.task(&waiting).await.state(), TaskState::Cancelled, "nobody had begun it");
    let beat = HeartbeatRequest {
        task_id: task_id(&held).to_owned(),
        lease_token: held.lease_token.clone(),
        lease_duration: None,
        checkpoint: Vec::new(),
    };
    assert!(world.client("worker").heartbeat(beat).await.unwrap().into_inner().cancel_requested);
    assert!(world.poll("warehouse").await.is_empty(), "nothing is undone while something may still be done");
    let mut partly = crate::world::completion(&held);
    partly.result.as_mut().unwrap().amount = Some(yuan(40));
    world.client("worker").complete_task(partly).await.unwrap();
    let undo = world.take("finance").await;
    assert_eq!(undo.task.as_ref().unwrap().amount, Some(yuan(40)), "as much as was paid");
    world.complete(&undo).await.unwrap();
    world.complete(&world.take("warehouse").await).await.unwrap();
    assert_eq!(world.plan(&plan).await.state(), PlanState::Cancelled);
    world.house.done().await;
}

#[tokio::test]
async fn a_worker_who_was_not_done_says_so() {
    let world = World::open().await;
    let plan = world.approved(vec![refund("a")]).await;
    let held = world.take("finance").await;
    assert_eq!(world.cancel(&plan).await.state(), PlanState::Cancelling);
    let answer = world.client("worker").fail_task(failure(&held, "CANCELLED", false)).await.unwrap();
    assert_eq!(answer.into_inner().task.unwrap().state(), TaskState::Cancelled);
    assert_eq!(world.plan(&plan).await.state(), PlanState::Cancelled);
    assert_eq!(world.published::<PlanCancelled>().await, 1);
    world.house.done().await;
}

#[tokio::test]
async fn a_lost_workers_task_is_handed_out_again_to_learn_whether_it_was_done() {
    let world = World::open().await;
    let plan = world.approved(vec![refund("a")]).await;
    let lost = world.take("finance").await;
    world.cancel(&plan).await;
    assert!(world.poll("finance").await.is_empty());
    world.house.advance(LEASE);
    let next = world.take("finance").await;
    assert_eq!(task_id(&next), task_id(&lost));
    assert!(next.task.as_ref().unwrap().cancel_requested);
    world.client("worker").fail_task(failure(&next, "CANCELLED", false)).await.unwrap();
    assert_eq!(world.plan(&plan).await.state(), PlanState::Cancelled);
    world.house.done().await;
}

#[tokio::test]
async fn what_needs_attention_while_cancelling_is_requeued_or_given_up() {
    let world = World::open().await;
    let plan = world.approved(vec![refund("a"), exchange("b")]).await;
    world.complete(&world.take("warehouse").await).await.unwrap();
    let held = world.take("finance").await;
    world.cancel(&plan).await;
    let rejection = |lease: &proto::redress::resolution::v1::Lease| RejectTaskRequest {
        request_id: request_id(),
        task_id: task_id(lease).to_owned(),
        lease_token: lease.lease_token.clone(),
        reason: "cannot tell".to_owned(),
    };
    world.client("worker").reject_task(rejection(&held)).await.unwrap();
    let requeue = RequeueTaskRequest {
        request_id: request_id(),
        task_id: task_id(&held).to_owned(),
        department_id: String::new(),
        reason: "look again".to_owned(),
    };
    world.approver().requeue_task(requeue).await.unwrap();
    let again = world.take("finance").await;
    assert!(again.task.as_ref().unwrap().cancel_requested, "it is still to be cancelled");
    world.client("worker").reject_task(rejection(&again)).await.unwrap();
    assert!(world.poll("warehouse").await.is_empty());
    world.cancel(&plan).await;
    assert_eq!(world.task(task_id(&held)).await.state(), TaskState::Cancelled);

    let undo = world.take("warehouse").await;
    world.cancel(&plan).await;
    assert_eq!(world.task(task_id(&undo)).await.state(), TaskState::Leased, "an undoing is never cancelled");
    assert!(!world.task(task_id(&undo)).await.cancel_requested);
    world.complete(&undo).await.unwrap();
    assert_eq!(world.plan(&plan).await.state(), PlanState::Cancelled);
    world.house.done().await;
}

#[tokio::test]
async fn a_completion_and_a_cancellation_at_once_leave_nothing_half_done() {
    let world = World::open().await;
    for _ in 0..15 {
        let plan = world
            .approved(vec![refund("a"), Step { department_id: "other".to_owned(), ..refund("b") }])
            .await;
        let (held, mut worker, mut approver) =
            (world.take("finance").await, world.client("worker"), world.approver());
        let (complete, cancel) = (crate::world::completion(&held), cancellation(&plan));
        let reported = tokio::spawn(async move { worker.complete_task(complete).await });
        let cancelled = tokio::spawn(async move { approver.cancel_plan(cancel).await });
        reported.await.unwrap().expect("whoever comes first, the holder is heard");
        cancelled.await.unwrap().unwrap();
        let undo = world.take("finance").await;
        assert!(undo.task.as_ref().unwrap().compensation);
        world.complete(&undo).await.unwrap();
        assert_eq!(world.plan(&plan).await.state(), PlanState::Cancelled);
        assert!(world.poll("other").await.is_empty());
    }
    assert_eq!(world.published::<PlanCancelled>().await, 15);
    world.house.done().await;
}
