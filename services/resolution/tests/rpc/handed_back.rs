//! Tasks that a department hands back, and those that another is given.

use proto::redress::resolution::v1::{
    GetTaskRequest, GetTaskResponse, Lease, PlanCompleted, PlanState, RejectTaskRequest, RequeueTaskRequest,
    Task, TaskNeedsAttention, TaskState,
};
use testkit::request_id;
use tonic::Code;

use crate::repeated;
use crate::world::{LEASE, World, apology, completion, refund, refused, task_id};

fn rejection(lease: &Lease) -> RejectTaskRequest {
    RejectTaskRequest {
        request_id: request_id(),
        task_id: task_id(lease).to_owned(),
        lease_token: lease.lease_token.clone(),
        reason: "the account is not ours".to_owned(),
    }
}

fn to(department_id: &str, task_id: &str) -> RequeueTaskRequest {
    RequeueTaskRequest {
        request_id: request_id(),
        task_id: task_id.to_owned(),
        department_id: department_id.to_owned(),
        reason: "they keep that account".to_owned(),
    }
}

async fn given(world: &World, task_id: &str, department: &str) -> Task {
    let answer = world.client("boss").requeue_task(to(department, task_id)).await.unwrap();
    answer.into_inner().task.unwrap()
}

async fn found(world: &World, task_id: &str) -> GetTaskResponse {
    let request = GetTaskRequest { task_id: task_id.to_owned() };
    world.handler().get_task(request).await.unwrap().into_inner()
}

#[tokio::test]
async fn a_task_handed_back_leaves_its_department_and_the_third_time_is_escalated() {
    let world = World::open().await;
    let plan = world.approved(vec![refund("a")]).await;
    let mut department = "finance";
    for (time, next) in [(1, "audit"), (2, "audit"), (3, "")] {
        let lease = world.take(department).await;
        let task = world.client("worker").reject_task(rejection(&lease)).await.unwrap();
        let task = task.into_inner().task.unwrap();
        assert_eq!(
            (task.state(), task.rejections, task.escalated),
            (TaskState::NeedsAttention, time, time == 3)
        );
        assert!(world.poll(department).await.is_empty(), "it left their queue");
        if !next.is_empty() {
            given(&world, &task.task_id, next).await;
            department = next;
        }
    }
    let told = world.house.published::<TaskNeedsAttention>("resolution").await;
    let counted: Vec<_> = told.iter().map(|told| (told.rejections, told.escalated)).collect();
    assert_eq!(counted, [(1, false), (2, false), (3, true)]);
    assert!(told.iter().all(|told| told.reason == "the account is not ours" && told.case_id == plan.case_id));
    world.house.done().await;
}

#[tokio::test]
async fn another_department_gets_a_task_of_its_own_once() {
    let world = World::open().await;
    let plan = world.approved(vec![refund("a")]).await;
    let waiting = plan.steps[0].task_id.clone();
    let mut boss = world.client("boss");
    let request = to("outlet", &waiting);
    let answer =
        repeated!(boss, requeue_task, request, |other: &mut RequeueTaskRequest| other.reason.push('!'));
    let next = answer.task.unwrap();
    assert_eq!((next.department_id.as_str(), next.state()), ("outlet", TaskState::Ready));
    let old = world.task(&waiting).await;
    assert_eq!((old.state(), old.given_to_task_id.as_str()), (TaskState::Reassigned, next.task_id.as_str()));
    assert_eq!(world.plan(&plan).await.steps[0].task_id, next.task_id);
    assert!(world.poll("finance").await.is_empty());
    refused(boss.requeue_task(to("audit", &waiting)).await, Code::FailedPrecondition, "INVALID_TASK_STATE");
    refused(boss.requeue_task(to("nowhere", &next.task_id)).await, Code::NotFound, "DEPARTMENT_NOT_FOUND");
    let lease = world.take("outlet").await;
    assert_eq!(task_id(&lease), next.task_id);
    refused(
        boss.requeue_task(to("audit", &next.task_id)).await,
        Code::FailedPrecondition,
        "INVALID_TASK_STATE",
    );
    world.complete(&lease).await.unwrap();
    assert_eq!(world.plan(&plan).await.state(), PlanState::Completed);
    world.house.done().await;
}

/// A task whose last lease ran out, and what its step went on as.
async fn given_on(world: &World) -> (Lease, Task) {
    world.approved(vec![apology("a")]).await;
    let mut last = world.take("service").await;
    for _ in 1..5 {
        world.house.advance(LEASE);
        last = world.take("service").await;
    }
    world.house.advance(LEASE);
    assert!(world.poll("service").await.is_empty());
    let next = given(world, task_id(&last), "outlet").await;
    (last, next)
}

#[tokio::test]
async fn the_old_department_reports_it_done_before_the_new_one_has_it() {
    let world = World::open().await;
    let (last, next) = given_on(&world).await;
    let done = world.complete(&last).await.unwrap().task.unwrap();
    assert_eq!(done.state(), TaskState::Completed);
    assert_eq!(world.task(&next.task_id).await.state(), TaskState::Cancelled);
    assert!(world.poll("outlet").await.is_empty(), "nothing is done twice");
    assert_eq!(world.published::<PlanCompleted>().await, 1);
    world.house.done().await;
}

#[tokio::test]
async fn a_report_that_comes_too_late_is_refused_and_kept_once() {
    let world = World::open().await;
    let (last, next) = given_on(&world).await;
    let taken = world.take("outlet").await;
    for _ in 0..3 {
        let late = world.client("stale").complete_task(completion(&last)).await;
        refused(late, Code::FailedPrecondition, "LEASE_LOST");
    }
    let old = found(&world, task_id(&last)).await;
    assert_eq!(old.task.unwrap().state(), TaskState::Reassigned);
    let kept: Vec<_> = old
        .refused_reports
        .iter()
        .map(|kept| {
            (kept.department_id.as_str(), kept.reporter.as_str(), kept.result.clone().unwrap().reference)
        })
        .collect();
    assert_eq!(kept, [("service", "stale", "REF-a".to_owned())]);
    assert!(found(&world, &next.task_id).await.refused_reports.is_empty());
    for n in 0..30 {
        let mut another = completion(&last);
        another.result.as_mut().unwrap().reference = format!("REF-{n}");
        refused(world.client("stale").complete_task(another).await, Code::FailedPrecondition, "LEASE_LOST");
    }
    assert_eq!(found(&world, task_id(&last)).await.refused_reports.len(), 20);
    world.complete(&taken).await.unwrap();
    assert_eq!(world.published::<PlanCompleted>().await, 1);
    world.house.done().await;
}
