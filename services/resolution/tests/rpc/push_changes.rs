//! What is changed while tasks are brought to a department: its endpoint is paused or
//! deleted, a task is cancelled, a delivery is asked for once more.

use std::time::Duration;

use proto::redress::resolution::v1::{
    DeleteEndpointRequest, DeliveryKind, DeliveryState, PauseEndpointRequest, PlanState,
    RedeliverTaskRequest, TaskState,
};
use testkit::{eventually, request_id};
use tonic::Code;

use crate::push::{delivered, deliveries, endpoints, pushing, reached, reported, task_is, tried};
use crate::reached::answer;
use crate::world::{completion, refund, refused};

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
