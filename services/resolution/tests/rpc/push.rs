//! Tasks that are brought to a department: what it is told, what its answers do, and what
//! becomes of a delivery that nobody answers.

use std::time::Duration;

use proto::redress::resolution::v1::endpoint_service_client::EndpointServiceClient;
use proto::redress::resolution::v1::{
    CompleteTaskRequest, Delivery, DeliveryState, Endpoint, EndpointKind, EndpointPaused, EndpointState,
    GetEndpointRequest, ListDeliveriesRequest, PlanState, RemedyKind, ResumeEndpointRequest,
    RotateEndpointSecretRequest, SetEndpointRequest, Task, TaskNeedsAttention, TaskState,
};
use testkit::{CallerChannel, House, MockClock, eventually, request_id};
use webhook::{Message, Secret, verify};

use crate::reached::{Act, Department, Received, answer};
use crate::world::{World, apology, found_departments, poll, refund, step, yuan};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OTHER: &str = "whsec_b3RoZXJvdGhlcm90aGVyb3RoZXJvdGhlcg==";

pub(crate) type Client = EndpointServiceClient<CallerChannel>;

/// A world whose dispatcher may connect to this machine.
pub(crate) async fn pushing() -> World {
    let house = House::builder(&[resolution::SERVICE])
        .clock(MockClock::default())
        .settings(|settings| settings.endpoint_networks = vec!["127.0.0.0/8".parse().unwrap()])
        .open()
        .await;
    found_departments(&house, "development").await;
    World { house }
}

pub(crate) fn endpoints(world: &World, subject: &str) -> Client {
    Client::new(world.house.channel_as("development", subject, &["admin", "supervisor"]))
}

pub(crate) fn setting(department: &str, url: &str) -> SetEndpointRequest {
    SetEndpointRequest {
        request_id: request_id(),
        department_id: department.to_owned(),
        expected_version: None,
        kind: EndpointKind::Webhook.into(),
        url: url.to_owned(),
        secret: SECRET.to_owned(),
        timeout_duration: Some(prost_types::Duration { seconds: 1, nanos: 0 }),
        hold_duration: Some(prost_types::Duration { seconds: 3_600, nanos: 0 }),
    }
}

pub(crate) async fn reached(world: &World, department: &str, always: Act) -> Department {
    let server = Department::open(always).await;
    endpoints(world, "boss").set_endpoint(setting(department, &server.url)).await.unwrap();
    server
}

pub(crate) async fn deliveries(world: &World, department: &str) -> Vec<Delivery> {
    let request =
        ListDeliveriesRequest { department_id: department.to_owned(), ..ListDeliveriesRequest::default() };
    endpoints(world, "reader").list_deliveries(request).await.unwrap().into_inner().deliveries
}

async fn endpoint(world: &World, department: &str) -> Endpoint {
    let request = GetEndpointRequest { department_id: department.to_owned() };
    endpoints(world, "reader").get_endpoint(request).await.unwrap().into_inner().endpoint.unwrap()
}

/// Waits until the only delivery of a department has this state.
pub(crate) async fn delivered(world: &World, department: &str, state: DeliveryState) -> Delivery {
    eventually(async || deliveries(world, department).await.iter().any(|one| one.state() == state)).await;
    deliveries(world, department).await.into_iter().find(|one| one.state() == state).unwrap()
}

/// Waits until the newest delivery was tried so often, and waits for its next try.
pub(crate) async fn tried(world: &World, department: &str, count: i32) -> Delivery {
    let done = |one: &Delivery| {
        one.tries.first().is_some_and(|latest| latest.number >= count && latest.duration.is_some())
    };
    eventually(async || deliveries(world, department).await.first().is_some_and(done)).await;
    deliveries(world, department).await.remove(0)
}

pub(crate) async fn task_is(world: &World, task_id: &str, state: TaskState) -> Task {
    eventually(async || world.task(task_id).await.state() == state).await;
    world.task(task_id).await
}

pub(crate) fn reported(received: &Received, reference: &str) -> CompleteTaskRequest {
    CompleteTaskRequest {
        request_id: request_id(),
        task_id: received.task_id(),
        lease_token: received.token(),
        result: Some(proto::redress::resolution::v1::TaskResult {
            reference: reference.to_owned(),
            amount: Some(yuan(100)),
            remark: String::new(),
            evidence: Vec::new(),
            output: String::new(),
        }),
    }
}

fn believed(world: &World, received: &Received, secrets: &[&str]) -> bool {
    let secrets: Vec<Secret> = secrets.iter().map(|secret| secret.parse().unwrap()).collect();
    let message = Message {
        id: received.header(webhook::ID),
        timestamp: received.header(webhook::TIMESTAMP).parse().unwrap(),
        body: &received.raw,
    };
    let now = world.house.db("resolution").clock().now().as_second();
    verify(&secrets, &message, received.header(webhook::SIGNATURE), now).is_ok()
}

#[tokio::test]
async fn a_task_is_brought_as_a_signed_webhook_taken_and_reported_later() {
    let world = pushing().await;
    let server = reached(&world, "finance", answer(202, "")).await;
    let plan = world.approved(vec![refund("a")]).await;
    let received = server.heard(1).await.remove(0);
    assert!(believed(&world, &received, &[SECRET]) && !believed(&world, &received, &[OTHER]));
    let delivery = delivered(&world, "finance", DeliveryState::Taken).await;
    assert_eq!(
        (received.kind(), received.header(webhook::ID)),
        ("task.delivered", delivery.delivery_id.as_str())
    );
    assert_eq!(received.header("content-type"), "application/json");
    let data = &received.body["data"];
    assert_eq!(
        (data["tenantId"].as_str(), data["lease"]["task"]["kind"].as_str()),
        (Some("development"), Some("REMEDY_KIND_REFUND"))
    );
    assert_eq!((delivery.try_count, delivery.tries[0].status.as_str()), (1, "202"));
    let task = world.task(&received.task_id()).await;
    assert_eq!(
        (task.state(), task.attempt, task.worker.as_str()),
        (TaskState::Leased, 1, "webhook endpoint")
    );
    let told: jiff::Timestamp = data["lease"]["expireTime"].as_str().unwrap().parse().unwrap();
    assert_eq!(task.visible_time.unwrap().seconds, told.as_second(), "held for as long as it was told");
    assert_eq!(
        task.visible_time.unwrap().seconds,
        world.house.db("resolution").clock().now().as_second() + 3_600
    );
    world.client("bank").complete_task(reported(&received, "P-1")).await.unwrap();
    assert_eq!(world.plan(&plan).await.state(), PlanState::Completed);
    assert_eq!(server.received().len(), 1);
    world.house.done().await;
}

#[tokio::test]
async fn an_answer_may_say_that_it_is_done_handed_back_or_failed() {
    let world = pushing().await;
    let server = Department::open(answer(200, "")).await;
    let done =
        r#"{"done": {"reference": "P-7", "amount": {"currencyCode": "CNY", "units": "100"}}, "ours": 1}"#;
    server.then(answer(200, done));
    server.then(answer(200, r#"{"rejected": "not ours"}"#));
    server.then(answer(200, r#"{"failed": {"code": "BANK_DOWN", "message": "x", "outcomeUnknown": true}}"#));
    endpoints(&world, "boss").set_endpoint(setting("finance", &server.url)).await.unwrap();
    let mut plans = Vec::new();
    for (count, state) in
        [(1, TaskState::Completed), (2, TaskState::NeedsAttention), (3, TaskState::OutcomeUnknown)]
    {
        plans.push(world.approved(vec![refund("a")]).await);
        let task_id = server.heard(count).await[count - 1].task_id();
        task_is(&world, &task_id, state).await;
        // Deliveries of one moment are in no order.
        world.house.advance(Duration::from_secs(1));
    }
    assert_eq!(world.plan(&plans[0]).await.state(), PlanState::Completed);
    let tasks: Vec<_> = server.received().iter().map(Received::task_id).collect();
    assert_eq!(world.task(&tasks[0]).await.result.unwrap().reference, "P-7");
    assert_eq!(
        (world.task(&tasks[1]).await.last_error.as_str(), world.task(&tasks[1]).await.rejections),
        ("not ours", 1)
    );
    assert_eq!(world.task(&tasks[2]).await.last_error, "BANK_DOWN: x");
    let states: Vec<_> = deliveries(&world, "finance").await.iter().map(Delivery::state).collect();
    assert_eq!(states, [DeliveryState::Failed, DeliveryState::Rejected, DeliveryState::Done]);
    assert_eq!(world.published::<TaskNeedsAttention>().await, 2);
    world.house.done().await;
}

#[tokio::test]
async fn a_result_that_does_not_fit_takes_the_task_and_is_noted() {
    let world = pushing().await;
    let server = Department::open(answer(200, "[1]")).await;
    for body in [
        r#"{"done": {"reference": "P-7", "amount": {"currencyCode": "CNY", "units": "101"}}}"#,
        r#"{"done": {"reference": 5}}"#,
        r#"{"done"#,
    ] {
        server.then(answer(200, body));
    }
    endpoints(&world, "boss").set_endpoint(setting("finance", &server.url)).await.unwrap();
    let mut reasons = Vec::new();
    for count in 1..=4 {
        world.approved(vec![refund("a")]).await;
        let task_id = server.heard(count).await[count - 1].task_id();
        eventually(async || {
            deliveries(&world, "finance")
                .await
                .iter()
                .filter(|one| one.state() == DeliveryState::Taken)
                .count()
                == count
        })
        .await;
        assert_eq!(world.task(&task_id).await.state(), TaskState::Leased);
        reasons.push(deliveries(&world, "finance").await[0].tries[0].reason.clone());
        // Deliveries of one moment are in no order.
        world.house.advance(Duration::from_secs(1));
    }
    assert_eq!(reasons[0], "result.amount must not be above CNY 100.00");
    assert!(
        reasons[1].starts_with("its body is no response")
            && reasons[2].starts_with("its body is no response")
    );
    assert_eq!(reasons[3], "", "what is no object says nothing");
    world.house.done().await;
}

#[tokio::test]
async fn what_is_not_answered_is_made_again_as_the_same_message_under_the_same_lease() {
    let world = pushing().await;
    let server = Department::open(answer(204, "")).await;
    for act in [answer(500, "oops \u{0}"), answer(302, ""), Act::Die, Act::Stall, answer(404, "")] {
        server.then(act);
    }
    endpoints(&world, "boss").set_endpoint(setting("finance", &server.url)).await.unwrap();
    world.approved(vec![refund("a")]).await;
    for count in 1..=5 {
        tried(&world, "finance", count).await;
        world.house.advance(Duration::from_mins(3));
    }
    let delivery = delivered(&world, "finance", DeliveryState::Taken).await;
    let received = server.received();
    assert_eq!(received.len(), 6);
    for one in &received {
        assert_eq!(one.header(webhook::ID), delivery.delivery_id);
        assert_eq!((one.task_id(), one.token()), (received[0].task_id(), received[0].token()));
    }
    let task = world.task(&received[0].task_id()).await;
    assert_eq!((task.state(), task.attempt), (TaskState::Leased, 1), "one lease, one attempt");
    let seen: Vec<(&str, &str)> =
        delivery.tries.iter().rev().map(|one| (one.status.as_str(), one.reason.as_str())).collect();
    let expected = [
        ("500", "its answer is no success"),
        ("302", "it answered with a redirect, which is not followed"),
        ("", "the connection broke before the whole answer was there"),
        ("", "it was not answered in time"),
        ("404", "its answer is no success"),
        ("204", ""),
    ];
    assert_eq!(seen, expected);
    assert_eq!(delivery.tries[5].excerpt, "oops ");
    assert_eq!(endpoint(&world, "finance").await.failures, 0, "it answered at last");
    world.house.done().await;
}

#[tokio::test]
async fn a_delivery_that_failed_is_not_made_again_before_its_back_off_is_over() {
    let world = pushing().await;
    let server = reached(&world, "finance", answer(503, "")).await;
    world.approved(vec![refund("a")]).await;
    let first = tried(&world, "finance", 1).await;
    let wait = first.next_try_time.unwrap().seconds - first.create_time.unwrap().seconds;
    assert!((2..=5).contains(&wait), "{wait} s");
    world.house.advance(Duration::from_secs(1));
    tokio::time::sleep(Duration::from_millis(800)).await;
    assert_eq!(server.received().len(), 1, "not before it is due");
    world.house.advance(Duration::from_secs(5));
    tried(&world, "finance", 2).await;
    world.house.done().await;
}

#[tokio::test]
async fn what_reached_nobody_within_72_hours_needs_attention() {
    let world = pushing().await;
    let nowhere = Department::open(Act::Die).await;
    let url = nowhere.url.clone();
    drop(nowhere);
    endpoints(&world, "boss").set_endpoint(setting("finance", &url)).await.unwrap();
    let plan = world.approved(vec![refund("a")]).await;
    tried(&world, "finance", 1).await;
    // Longer than an attempt at money may go on: none has begun.
    world.house.advance(Duration::from_hours(30));
    let delivery = tried(&world, "finance", 2).await;
    assert_eq!(world.task(&delivery.task_id).await.state(), TaskState::Leased);
    world.house.advance(Duration::from_hours(43));
    let delivery = delivered(&world, "finance", DeliveryState::Undeliverable).await;
    let task = task_is(&world, &delivery.task_id, TaskState::NeedsAttention).await;
    assert!(
        task.last_error.starts_with("UNDELIVERABLE: its department did not answer within 2 tries"),
        "{}",
        task.last_error
    );
    assert_eq!(delivery.try_count, 2);
    assert_eq!(world.published::<TaskNeedsAttention>().await, 1);
    world.cancel(&plan).await;
    world.house.done().await;
}

#[tokio::test]
async fn money_that_may_have_been_moved_is_not_asked_for_beyond_its_attempt() {
    let world = pushing().await;
    let server = reached(&world, "finance", answer(500, "")).await;
    world.approved(vec![refund("a")]).await;
    let delivery = tried(&world, "finance", 1).await;
    world.house.advance(Duration::from_hours(3));
    tried(&world, "finance", 2).await;
    world.house.advance(Duration::from_hours(2));
    let task = task_is(&world, &delivery.task_id, TaskState::OutcomeUnknown).await;
    assert_eq!(task.last_error, "the attempt took longer than it may");
    delivered(&world, "finance", DeliveryState::Superseded).await;
    assert_eq!((server.received().len(), world.published::<TaskNeedsAttention>().await), (2, 1));
    world.house.done().await;
}

#[tokio::test]
async fn an_apology_that_may_have_arrived_needs_attention_after_72_hours() {
    let world = pushing().await;
    let _server = reached(&world, "service", answer(500, "")).await;
    world.approved(vec![step("a", RemedyKind::StaffMeasures, &[])]).await;
    let delivery = tried(&world, "service", 1).await;
    world.house.advance(Duration::from_hours(73));
    let task = task_is(&world, &delivery.task_id, TaskState::NeedsAttention).await;
    assert!(task.last_error.starts_with("UNDELIVERABLE"), "{}", task.last_error);
    world.house.done().await;
}

#[tokio::test]
async fn what_is_taken_and_not_reported_is_brought_again_as_another_attempt() {
    let world = pushing().await;
    let server = reached(&world, "finance", answer(200, "")).await;
    world.approved(vec![refund("a")]).await;
    for attempt in 1..=5 {
        server.heard(attempt).await;
        eventually(async || {
            deliveries(&world, "finance")
                .await
                .iter()
                .filter(|one| one.state() == DeliveryState::Taken)
                .count()
                == attempt
        })
        .await;
        world.house.advance(Duration::from_secs(3_601));
    }
    let received = server.received();
    let task = task_is(&world, &received[0].task_id(), TaskState::OutcomeUnknown).await;
    assert_eq!((received.len(), task.attempt), (5, 5));
    let mut ids: Vec<_> = received.iter().map(|one| one.header(webhook::ID).to_owned()).collect();
    ids.dedup();
    assert_eq!(ids.len(), 5, "each lease is a message of its own");
    // Its last holder may report late, as any.
    world.client("bank").complete_task(reported(&received[4], "P-1")).await.unwrap();
    world.house.done().await;
}

#[tokio::test]
async fn an_endpoint_that_is_gone_is_paused_and_its_task_waits_in_the_queue() {
    let world = pushing().await;
    let server = reached(&world, "finance", answer(200, "")).await;
    server.then(answer(410, "gone"));
    world.approved(vec![refund("a")]).await;
    let delivery = delivered(&world, "finance", DeliveryState::Superseded).await;
    let paused = endpoint(&world, "finance").await;
    assert_eq!((paused.state(), paused.pauser.as_str(), paused.failures), (EndpointState::Paused, "", 1));
    let told = world.house.published::<EndpointPaused>("resolution").await;
    assert_eq!(
        (told.len(), told[0].department_id.as_str(), told[0].reason.contains("410")),
        (1, "finance", true)
    );
    let task = task_is(&world, &delivery.task_id, TaskState::Ready).await;
    assert_eq!(task.attempt, 0, "what reached nobody is no attempt");
    let request = ResumeEndpointRequest {
        request_id: request_id(),
        department_id: "finance".to_owned(),
        reason: "it moved back".to_owned(),
    };
    endpoints(&world, "boss").resume_endpoint(request).await.unwrap();
    let received = server.heard(2).await;
    assert_eq!(received[1].task_id(), delivery.task_id);
    assert_ne!(received[1].header(webhook::ID), delivery.delivery_id);
    delivered(&world, "finance", DeliveryState::Taken).await;
    world.house.done().await;
}

#[tokio::test]
async fn a_dead_endpoint_is_paused_after_many_failures_over_a_day() {
    let world = pushing().await;
    let _server = reached(&world, "service", answer(500, "")).await;
    // Of a kind whose attempt lasts, or it would end before.
    world.approved(vec![step("a", RemedyKind::StaffMeasures, &[])]).await;
    for count in 1..=50 {
        tried(&world, "service", count).await;
        world.house.advance(Duration::from_mins(61));
        if count < 50 {
            assert_eq!(endpoint(&world, "service").await.state(), EndpointState::Enabled, "{count}");
        }
    }
    let paused = endpoint(&world, "service").await;
    assert_eq!((paused.state(), paused.failures), (EndpointState::Paused, 50));
    assert_eq!(world.published::<EndpointPaused>().await, 1);
    world.house.done().await;
}

#[tokio::test]
async fn while_a_secret_is_changed_both_sign() {
    let world = pushing().await;
    let server = reached(&world, "finance", answer(200, "")).await;
    let request = RotateEndpointSecretRequest {
        request_id: request_id(),
        department_id: "finance".to_owned(),
        expected_version: Some(1),
        secret: OTHER.to_owned(),
        keep_duration: Some(prost_types::Duration { seconds: 60, nanos: 0 }),
    };
    endpoints(&world, "boss").rotate_endpoint_secret(request).await.unwrap();
    world.approved(vec![refund("a")]).await;
    let received = server.heard(1).await;
    assert!(believed(&world, &received[0], &[SECRET]) && believed(&world, &received[0], &[OTHER]));
    world.house.advance(Duration::from_secs(61));
    world.approved(vec![refund("b")]).await;
    let received = server.heard(2).await;
    assert!(!believed(&world, &received[1], &[SECRET]) && believed(&world, &received[1], &[OTHER]));
    eventually(async || deliveries(&world, "finance").await.iter().all(|one| one.end_time.is_some())).await;
    world.house.done().await;
}

#[tokio::test]
async fn addresses_of_ours_are_refused_unless_the_operator_allows_them() {
    let world = World::open().await;
    let server = reached(&world, "finance", answer(200, "")).await;
    world.approved(vec![refund("a")]).await;
    let delivery = tried(&world, "finance", 1).await;
    assert_eq!(delivery.tries[0].reason, "no address of the host may be connected to");
    assert!(server.received().is_empty());
    world.house.done().await;
}

#[tokio::test]
async fn two_replicas_bring_each_task_once() {
    const MANY: usize = 40;
    let world = pushing().await;
    let replica = world.house.replica(&[resolution::SERVICE]).await;
    let server = reached(&world, "service", answer(200, r#"{"done": {}}"#)).await;
    let steps: Vec<_> = (0..MANY).map(|n| apology(&format!("s{n}"))).collect();
    let plan = world.approved(steps).await;
    eventually(async || world.plan(&plan).await.state() == PlanState::Completed).await;
    let mut ids: Vec<String> = server.received().iter().map(Received::task_id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((ids.len(), server.received().len()), (MANY, MANY));
    assert!(poll("service").max_tasks > 0 && world.poll("service").await.is_empty());
    replica.done().await;
    world.house.done().await;
}
