//! Articles that are short again and again.

use std::time::Duration;

use proto::redress::cases::v1::{CaseClosed, CloseReason};
use proto::redress::resolution::v1::stock_service_client::StockServiceClient;
use proto::redress::resolution::v1::{
    CompleteTaskRequest, Goods, Lease, ListStockAlertsRequest, PollTasksRequest, RemedyKind,
    ReportShortageRequest, Step, StockAlert, StockAlertClosed, StockAlertRaised, Task, TaskCompleted,
    TaskResult, TaskState,
};
use testkit::{CallerChannel, request_id};
use tonic::Code;
use uuid::Uuid;

use crate::repeated;
use crate::world::{World, exchange, invalid, poll, refused, task_id};

type Client = StockServiceClient<CallerChannel>;

const DAY: Duration = Duration::from_hours(24);

fn client(world: &World) -> Client {
    Client::new(world.house.channel_as("development", "worker", &["supervisor", "department-worker"]))
}

/// An exchange of an article that is in the warehouse's hands.
async fn held(world: &World, sku: &str) -> Lease {
    let goods = Some(Goods { sku: sku.to_owned(), quantity: 2 });
    world.approved(vec![Step { goods, ..exchange("a") }]).await;
    world.take("warehouse").await
}

fn lacking(lease: &Lease, now: jiff::Timestamp) -> ReportShortageRequest {
    ReportShortageRequest {
        request_id: request_id(),
        task_id: task_id(lease).to_owned(),
        lease_token: lease.lease_token.clone(),
        sku: String::new(),
        expect_time: Some(prost_types::Timestamp { seconds: now.as_second() + 20 * 86_400, nanos: 0 }),
    }
}

fn now(world: &World) -> jiff::Timestamp {
    world.house.db("resolution").clock().now()
}

async fn short(world: &World, sku: &str) -> Lease {
    let lease = held(world, sku).await;
    client(world).report_shortage(lacking(&lease, now(world))).await.unwrap();
    lease
}

async fn alerts(world: &World, open_only: bool) -> Vec<StockAlert> {
    let request = ListStockAlertsRequest { open_only, ..ListStockAlertsRequest::default() };
    client(world).list_stock_alerts(request).await.unwrap().into_inner().alerts
}

/// The task of an alert, done.
async fn seen_to(world: &World) -> Task {
    let lease = world.take("warehouse").await;
    let request = CompleteTaskRequest {
        request_id: request_id(),
        task_id: task_id(&lease).to_owned(),
        lease_token: lease.lease_token.clone(),
        result: Some(TaskResult { remark: "a pallet is ordered".to_owned(), ..TaskResult::default() }),
    };
    let mut worker = world.client("worker");
    let change = |other: &mut CompleteTaskRequest| other.lease_token.push('0');
    repeated!(worker, complete_task, request, change).task.unwrap()
}

#[tokio::test]
async fn the_third_task_that_lacks_an_article_raises_one_alert_until_it_is_seen_to() {
    let world = World::open().await;
    short(&world, "A-17").await;
    let second = short(&world, "A-17").await;
    short(&world, "B-2").await;
    // Another date for the same task counts no more.
    client(&world).report_shortage(lacking(&second, now(&world))).await.unwrap();
    assert!(alerts(&world, false).await.is_empty());

    let third = held(&world, "A-17").await;
    let request = lacking(&third, now(&world));
    let mut stock = client(&world);
    let change = |other: &mut ReportShortageRequest| other.sku.push('!');
    repeated!(stock, report_shortage, request, change);
    let raised = alerts(&world, true).await;
    assert_eq!(raised.len(), 1);
    assert_eq!((raised[0].sku.as_str(), raised[0].tasks, raised[0].quantity), ("A-17", 3, 6));
    let case_id = third.task.as_ref().unwrap().case_id.clone();
    assert_eq!((raised[0].case_id.clone(), raised[0].department_id.as_str()), (case_id.clone(), "warehouse"));
    let told = world.house.published::<StockAlertRaised>("resolution").await;
    assert_eq!((told.len(), told[0].alert_id.clone()), (1, raised[0].alert_id.clone()));
    let task = world.task(&raised[0].alert_id).await;
    assert_eq!(
        (task.kind(), task.plan_id.as_str(), task.state()),
        (RemedyKind::StockAlert, "", TaskState::Ready)
    );
    assert_eq!(task.goods, Some(Goods { sku: "A-17".to_owned(), quantity: 6 }));
    assert_eq!(task.instructions, "A-17 was short for 3 tasks within 7 days: see to its stock");

    // It outlives the case that made it due, and is one until somebody sees to it.
    let close = CaseClosed { case_id: case_id.clone(), cycle: 1, reason: CloseReason::Staff.into() };
    world.house.tell("cases", Uuid::try_parse(&case_id).unwrap(), &close).await;
    world.house.settled().await;
    let done = seen_to(&world).await;
    assert_eq!((done.task_id.clone(), done.state()), (raised[0].alert_id.clone(), TaskState::Completed));
    assert!(alerts(&world, true).await.is_empty());
    assert!(alerts(&world, false).await[0].close_time.is_some());
    let closed = world.house.published::<StockAlertClosed>("resolution").await;
    assert_eq!((closed.len(), closed[0].remark.as_str()), (1, "a pallet is ordered"));
    assert_eq!(world.published::<TaskCompleted>().await, 0, "it is no step of a plan");

    short(&world, "A-17").await;
    assert_eq!(alerts(&world, true).await[0].tasks, 4, "it is short again");
    let lease = world.take("warehouse").await;
    assert_eq!(lease.task.as_ref().unwrap().kind(), RemedyKind::StockAlert);
    let unfit = client(&world).report_shortage(lacking(&lease, now(&world))).await;
    refused(unfit, Code::FailedPrecondition, "NO_GOODS_NEEDED");
    world.house.done().await;
}

#[tokio::test]
async fn what_was_short_more_than_seven_days_ago_and_elsewhere_raises_nothing() {
    let world = World::identified().await;
    short(&world, "A-17").await;
    world.house.advance(DAY * 4);
    short(&world, "A-17").await;
    world.house.advance(DAY * 3);
    short(&world, "A-17").await;
    assert!(alerts(&world, false).await.is_empty(), "the first was seven days ago");
    world.house.advance(DAY * 4);
    short(&world, "A-17").await;
    assert!(alerts(&world, false).await.is_empty());
    world.house.advance(Duration::from_hours(1));
    short(&world, "A-17").await;
    assert_eq!(alerts(&world, false).await.len(), 1, "three within the last seven");
    let mut other = Client::new(world.house.channel_as("other", "boss", &["supervisor"]));
    let theirs = other.list_stock_alerts(ListStockAlertsRequest::default()).await.unwrap().into_inner();
    assert!(theirs.alerts.is_empty());
    let bad = ListStockAlertsRequest { page_size: -1, ..ListStockAlertsRequest::default() };
    invalid(other.list_stock_alerts(bad).await, "INVALID_REQUEST", &["page_size"]);
    world.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_reports_at_two_replicas_at_once_one_raises_the_alert() {
    let world = World::open().await;
    let replica = world.house.replica(&[resolution::SERVICE]).await;
    for round in 0..4 {
        let sku = format!("R-{round}");
        let goods = Some(Goods { sku: sku.clone(), quantity: 1 });
        for _ in 0..9 {
            world.approved(vec![Step { goods: goods.clone(), ..exchange("a") }]).await;
        }
        let request = PollTasksRequest { max_tasks: 20, ..poll("warehouse") };
        let leases = world.client("worker").poll_tasks(request).await.unwrap().into_inner().leases;
        let exchanges =
            leases.iter().filter(|lease| lease.task.as_ref().unwrap().kind() == RemedyKind::Exchange);
        let reports = exchanges.enumerate().map(|(number, lease)| {
            let mut stock = if number % 2 == 0 { Client::new(replica.channel()) } else { client(&world) };
            let request = lacking(lease, now(&world));
            tokio::spawn(async move { stock.report_shortage(request).await.unwrap() })
        });
        let reports: Vec<_> = reports.collect();
        assert_eq!(reports.len(), 9);
        for report in reports {
            report.await.unwrap();
        }
        let raised = alerts(&world, true).await;
        assert_eq!(raised.iter().filter(|alert| alert.sku == sku).count(), 1, "neither none nor two");
    }
    assert_eq!(world.published::<StockAlertRaised>().await, 4);
    replica.done().await;
    world.house.done().await;
}
