//! What is changed while tasks are brought to a department: its endpoint is paused or
//! deleted, a task is cancelled, a delivery is asked for once more.

use std::sync::Arc;
use std::time::Duration;

use proto::redress::resolution::v1::{
    DeleteEndpointRequest, DeliveryKind, DeliveryState, PauseEndpointRequest, PlanState, PollTasksRequest,
    RedeliverTaskRequest, ResumeEndpointRequest, SetEndpointRequest, TaskState,
};
use testkit::{eventually, request_id};
use tokio::sync::Notify;
use tonic::Code;

use crate::push::{delivered, deliveries, endpoints, pushing, reached, reported, setting, task_is, tried};
use crate::reached::{Act, Department, answer};
use crate::world::{completion, poll, refund, refused};

#[tokio::test]
async fn a_paused_endpoint_is_brought_nothing_and_its_department_may_poll() {
    let world = pushing().await;
    let server = reached(&world, "finance", answer(200, "")).await;
    let pause = PauseEndpointRequest {
        request_id: request_id(),
        department_id: "finance".to_owned(),
        reason: "they migrate".to_owned(),
    };
    endpoints(&world, "boss").pause_endpoint(pause).await.unwrap();
    world.approved(vec![refund("a")]).await;
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert!(server.received().is_empty() && deliveries(&world, "finance").await.is_empty());
    let lease = world.take("finance").await;
    world.complete(&lease).await.unwrap();
    world.house.done().await;
}

#[tokio::test]
async fn a_deleted_endpoint_gives_back_what_did_not_reach_it() {
    let world = pushing().await;
    let server = reached(&world, "finance", answer(404, "")).await;
    world.approved(vec![refund("a")]).await;
    tried(&world, "finance", 1).await;
    assert!(world.poll("finance").await.is_empty(), "it is leased for its delivery");
    let request = DeleteEndpointRequest {
        request_id: request_id(),
        department_id: "finance".to_owned(),
        expected_version: None,
    };
    endpoints(&world, "boss").delete_endpoint(request).await.unwrap();
    delivered(&world, "finance", DeliveryState::Superseded).await;
    let lease = world.take("finance").await;
    assert_eq!(lease.task.as_ref().unwrap().attempt, 1);
    world.client("worker").complete_task(completion(&lease)).await.unwrap();
    assert_eq!(server.received().len(), 1);
    world.house.done().await;
}

/// The clock stands still, nearly: no back-off ends by itself.
#[tokio::test]
async fn what_is_changed_during_a_try_counts_when_it_has_failed() {
    let world = pushing().await;
    let told = Arc::new(Notify::new());
    let server = Department::open(answer(202, "")).await;
    let (department_id, url) = ("finance".to_owned(), server.url.clone());
    let slow = Some(prost_types::Duration { seconds: 15, nanos: 0 });
    let set = SetEndpointRequest { timeout_duration: slow, ..setting("finance", &url) };
    endpoints(&world, "boss").set_endpoint(set.clone()).await.unwrap();
    let failing = async |name: &str, tried: usize| {
        server.then(Act::AnswerWhen(told.clone(), 404));
        let plan = world.approved(vec![refund(name)]).await;
        let received = server.heard(tried).await;
        (plan, received[tried - 1].task_id())
    };

    let taken = async || {
        let request = PollTasksRequest { wait_duration: slow, ..poll("finance") };
        world.client("worker").poll_tasks(request).await.unwrap().into_inner().leases.remove(0)
    };

    failing("changed", 1).await;
    let changed = SetEndpointRequest { request_id: request_id(), ..set };
    endpoints(&world, "boss").set_endpoint(changed).await.unwrap();
    told.notify_one();
    server.heard(2).await;
    delivered(&world, "finance", DeliveryState::Taken).await;

    let (_, task_id) = failing("asked-for", 3).await;
    world.house.advance(Duration::from_millis(1));
    let request = RedeliverTaskRequest { request_id: request_id(), task_id: task_id.clone() };
    endpoints(&world, "boss").redeliver_task(request).await.unwrap();
    told.notify_one();
    assert_eq!(server.heard(4).await[3].task_id(), task_id);

    let (plan, task_id) = failing("cancelled", 5).await;
    world.cancel(&plan).await;
    told.notify_one();
    task_is(&world, &task_id, TaskState::Cancelled).await;

    failing("paused", 6).await;
    let request = PauseEndpointRequest {
        request_id: request_id(),
        department_id: department_id.clone(),
        reason: "they migrate".to_owned(),
    };
    endpoints(&world, "boss").pause_endpoint(request).await.unwrap();
    told.notify_one();
    world.complete(&taken().await).await.unwrap();
    let request = ResumeEndpointRequest {
        request_id: request_id(),
        department_id: department_id.clone(),
        reason: "they have".to_owned(),
    };
    endpoints(&world, "boss").resume_endpoint(request).await.unwrap();

    failing("deleted", 7).await;
    let request = DeleteEndpointRequest { request_id: request_id(), department_id, expected_version: None };
    endpoints(&world, "boss").delete_endpoint(request).await.unwrap();
    told.notify_one();
    world.complete(&taken().await).await.unwrap();
    assert_eq!(server.received().len(), 7);
    world.house.done().await;
}

#[tokio::test]
async fn a_department_that_took_a_task_is_told_that_it_is_no_longer_wanted() {
    let world = pushing().await;
    let server = reached(&world, "finance", answer(200, r#"{"stopped": true}"#)).await;
    let plan = world.approved(vec![refund("a")]).await;
    delivered(&world, "finance", DeliveryState::Taken).await;
    world.cancel(&plan).await;
    let received = server.heard(2).await;
    assert_eq!((received[1].kind(), received[1].task_id()), ("task.cancelled", received[0].task_id()));
    assert_eq!(received[1].body["data"]["leaseToken"].as_str(), Some(received[0].token().as_str()));
    task_is(&world, &received[0].task_id(), TaskState::Cancelled).await;
    assert_eq!(world.plan(&plan).await.state(), PlanState::Cancelled);
    let cancel = delivered(&world, "finance", DeliveryState::Done).await;
    assert_eq!((cancel.kind(), cancel.try_count), (DeliveryKind::Cancel, 1));
    world.house.done().await;
}

#[tokio::test]
async fn a_task_whose_delivery_reached_nobody_is_cancelled_at_once_and_one_that_may_have_is_told() {
    let world = pushing().await;
    let server = reached(&world, "finance", answer(404, "")).await;
    let plan = world.approved(vec![refund("a")]).await;
    let task_id = tried(&world, "finance", 1).await.task_id;
    world.cancel(&plan).await;
    task_is(&world, &task_id, TaskState::Cancelled).await;
    assert_eq!((server.received().len(), world.plan(&plan).await.state()), (1, PlanState::Cancelled));

    server.then(answer(500, ""));
    server.then(answer(200, r#"{"failed": {"code": "CANCELLED"}}"#));
    let plan = world.approved(vec![refund("b")]).await;
    server.heard(2).await;
    tried(&world, "finance", 1).await;
    world.cancel(&plan).await;
    let received = server.heard(3).await;
    assert_eq!(received[2].body["data"]["lease"]["task"]["cancelRequested"].as_bool(), Some(true));
    task_is(&world, &received[2].task_id(), TaskState::Cancelled).await;
    assert_eq!(world.plan(&plan).await.state(), PlanState::Cancelled);
    world.house.done().await;
}

#[tokio::test]
async fn a_delivery_is_made_again_as_itself_when_somebody_asks() {
    let world = pushing().await;
    let server = reached(&world, "finance", answer(200, "")).await;
    world.approved(vec![refund("a")]).await;
    let taken = delivered(&world, "finance", DeliveryState::Taken).await;
    let request = RedeliverTaskRequest { request_id: request_id(), task_id: taken.task_id.clone() };
    let again = crate::repeated!(
        endpoints(&world, "boss"),
        redeliver_task,
        request,
        |other: &mut RedeliverTaskRequest| other.task_id = request_id()
    );
    assert_eq!(again.delivery.unwrap().delivery_id, taken.delivery_id);
    let received = server.heard(2).await;
    assert_eq!(received[1].header(webhook::ID), received[0].header(webhook::ID));
    assert_eq!(received[1].token(), received[0].token());
    eventually(async || deliveries(&world, "finance").await[0].state() == DeliveryState::Taken).await;
    assert_eq!(deliveries(&world, "finance").await.len(), 1);
    world.client("bank").complete_task(reported(&received[1], "P-1")).await.unwrap();
    let request = || RedeliverTaskRequest { request_id: request_id(), task_id: taken.task_id.clone() };
    refused(
        endpoints(&world, "boss").redeliver_task(request()).await,
        Code::FailedPrecondition,
        "NOTHING_TO_DELIVER",
    );
    world.house.done().await;
}
