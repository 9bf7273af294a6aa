//! Whose tasks a worker may touch: its departments', where it is bound to some.

use proto::redress::resolution::v1::{
    GetTaskRequest, HeartbeatRequest, HeartbeatResponse, Lease, ListTasksRequest, RejectTaskRequest,
    TaskCompleted, TaskState,
};
use testkit::request_id;
use tonic::{Code, Status};

use crate::world::{Client, World, completion, exchange, failure, poll, refund, refused, task_id};

const FINANCE: &[&str] = &["department-worker:finance"];

fn forbidden<T: std::fmt::Debug>(answer: Result<T, Status>) {
    refused(answer, Code::PermissionDenied, "ROLE_REQUIRED");
}

async fn beat(worker: &mut Client, lease: &Lease) -> Result<HeartbeatResponse, Status> {
    let request = HeartbeatRequest {
        task_id: task_id(lease).to_owned(),
        lease_token: lease.lease_token.clone(),
        lease_duration: None,
        checkpoint: b"half".to_vec(),
    };
    Ok(worker.heartbeat(request).await?.into_inner())
}

async fn list(worker: &mut Client, case_id: &str, department_id: &str) -> Result<usize, Status> {
    let (case_id, department_id) = (case_id.to_owned(), department_id.to_owned());
    let request = ListTasksRequest { case_id, department_id, ..ListTasksRequest::default() };
    Ok(worker.list_tasks(request).await?.into_inner().tasks.len())
}

fn get(lease: &Lease) -> GetTaskRequest {
    GetTaskRequest { task_id: task_id(lease).to_owned() }
}

fn rejection(lease: &Lease) -> RejectTaskRequest {
    RejectTaskRequest {
        request_id: request_id(),
        task_id: task_id(lease).to_owned(),
        lease_token: lease.lease_token.clone(),
        reason: "not ours".to_owned(),
    }
}

#[tokio::test]
async fn another_departments_task_stays_as_it_is() {
    let world = World::identified().await;
    let plan = world.approved(vec![refund("a"), exchange("b")]).await;
    let mut finance = world.client_as("pat", FINANCE);
    forbidden(finance.poll_tasks(poll("warehouse")).await);
    let lease = world.take("warehouse").await;
    let before = world.task(task_id(&lease)).await;

    forbidden(beat(&mut finance, &lease).await);
    let complete = completion(&lease);
    forbidden(finance.complete_task(complete.clone()).await);
    let fail = failure(&lease, "BROKEN", true);
    forbidden(finance.fail_task(fail.clone()).await);
    let reject = rejection(&lease);
    forbidden(finance.reject_task(reject.clone()).await);
    forbidden(finance.get_task(get(&lease)).await);
    forbidden(list(&mut finance, "", "warehouse").await);
    forbidden(list(&mut finance, &plan.case_id, "").await);
    assert_eq!(world.task(task_id(&lease)).await, before, "nothing has changed");
    assert_eq!((before.state(), world.published::<TaskCompleted>().await), (TaskState::Leased, 0));

    // Nor was a refusal kept as the answer of its key.
    let mut warehouse = world.client_as("sam", &["department-worker:warehouse"]);
    let done = warehouse.complete_task(complete).await.unwrap().into_inner().task.unwrap();
    assert_eq!(done.state(), TaskState::Completed);
    world.house.done().await;
}

#[tokio::test]
async fn its_own_tasks_are_a_workers_whole() {
    let world = World::identified().await;
    world.approved(vec![refund("a")]).await;
    let mut finance = world.client_as("pat", &["department-worker:audit", FINANCE[0]]);
    let lease = finance.poll_tasks(poll("finance")).await.unwrap().into_inner().leases.remove(0);
    beat(&mut finance, &lease).await.unwrap();
    let seen = finance.get_task(get(&lease)).await.unwrap().into_inner().task.unwrap();
    assert_eq!(seen.checkpoint, b"half");
    assert_eq!(list(&mut finance, "", "finance").await.unwrap(), 1);
    finance.fail_task(failure(&lease, "BROKEN", false)).await.unwrap();

    world.approved(vec![refund("a")]).await;
    let lease = finance.poll_tasks(poll("finance")).await.unwrap().into_inner().leases.remove(0);
    finance.reject_task(rejection(&lease)).await.unwrap();
    world.approved(vec![refund("a")]).await;
    let lease = finance.poll_tasks(poll("finance")).await.unwrap().into_inner().leases.remove(0);
    finance.complete_task(completion(&lease)).await.unwrap();
    refused(beat(&mut finance, &lease).await, Code::FailedPrecondition, "LEASE_LOST");
    world.house.done().await;
}

#[tokio::test]
async fn a_worker_who_reads_sees_all_and_carries_out_its_own() {
    let world = World::identified().await;
    let plan = world.approved(vec![exchange("b")]).await;
    let lease = world.take("warehouse").await;
    let mut both = world.client_as("pat", &["reader", FINANCE[0]]);
    both.get_task(get(&lease)).await.unwrap();
    assert_eq!(list(&mut both, &plan.case_id, "").await.unwrap(), 1);
    assert_eq!(list(&mut both, "", "warehouse").await.unwrap(), 1);
    forbidden(both.complete_task(completion(&lease)).await);
    forbidden(beat(&mut both, &lease).await);
    let mut unbound = world.client_as("kim", &["department-worker"]);
    assert_eq!(list(&mut unbound, &plan.case_id, "").await.unwrap(), 1);
    unbound.complete_task(completion(&lease)).await.unwrap();
    world.house.done().await;
}
