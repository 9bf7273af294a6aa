//! Tasks whose departments lack the goods for them.

use std::time::Duration;

use proto::redress::cases::v1::CaseDecided;
use proto::redress::resolution::v1::stock_service_client::StockServiceClient;
use proto::redress::resolution::v1::{
    GetTaskRequest, Goods, HeartbeatRequest, Lease, ListTasksRequest, Plan, PlanState, RemedyKind,
    ReportShortageRequest, ReportShortageResponse, RequeueTaskRequest, Shortage, ShortageReported, Step,
    StepAlternative, Task, TaskNeedsAttention, TaskState,
};
use testkit::{CallerChannel, request_id};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::repeated;
use crate::world::{
    LEASE, World, apology, completion, decided, exchange, failure, invalid, refund, refused, step, task_id,
    yuan,
};

type Client = StockServiceClient<CallerChannel>;

/// Where the tests' clock stands at first.
const NOW: i64 = 1_795_424_400;
const DAY: i64 = 86_400;

fn days(days: i64) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds: NOW + days * DAY, nanos: 0 }
}

fn client(world: &World, subject: &str, roles: &[&str]) -> Client {
    Client::new(world.house.channel_as("development", subject, roles))
}

/// An exchange of an article that no other step is of: one that is short for many tasks
/// raises an alert.
fn exchange_of(number: i32) -> Step {
    Step { goods: Some(Goods { sku: format!("A-{number}"), quantity: 1 }), ..exchange("a") }
}

fn lacking(lease: &Lease, expected: i64) -> ReportShortageRequest {
    ReportShortageRequest {
        request_id: request_id(),
        task_id: task_id(lease).to_owned(),
        lease_token: lease.lease_token.clone(),
        sku: String::new(),
        expect_time: Some(days(expected)),
    }
}

async fn report(world: &World, request: ReportShortageRequest) -> Result<Task, Status> {
    let answer = client(world, "worker", &["department-worker"]).report_shortage(request).await?;
    let ReportShortageResponse { task } = answer.into_inner();
    Ok(task.unwrap())
}

/// Who holds a task lacks an article for it.
pub(crate) async fn lack(world: &World, lease: &Lease, sku: &str) {
    let request = ReportShortageRequest { sku: sku.to_owned(), ..lacking(lease, 5) };
    report(world, request).await.unwrap();
}

async fn shortages(world: &World, task_id: &str) -> Vec<Shortage> {
    let request = GetTaskRequest { task_id: task_id.to_owned() };
    world.handler().get_task(request).await.unwrap().into_inner().shortages
}

fn in_days(days: u64) -> Duration {
    Duration::from_secs(days * DAY.unsigned_abs())
}

/// Waits until the timers that are due have fired, and answers what waits then.
async fn handed_out(world: &World, department: &str) -> Lease {
    for _ in 0..200 {
        if let Some(lease) = world.poll(department).await.pop() {
            return lease;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("nothing is handed out to {department}");
}

#[tokio::test]
async fn a_task_waits_for_goods_and_is_handed_out_again_when_they_are_expected() {
    let world = World::open().await;
    let plan = world.approved(vec![exchange("a")]).await;
    let lease = world.take("warehouse").await;
    let mut worker = client(&world, "worker", &["department-worker"]);
    let request = lacking(&lease, 10);
    let change = |other: &mut ReportShortageRequest| other.sku.push('!');
    let task = repeated!(worker, report_shortage, request, change).task.unwrap();
    assert_eq!((task.state(), task.visible_time), (TaskState::AwaitingStock, Some(days(10))));
    assert_eq!(task.attempt, 0, "nothing was tried");
    let told = world.house.published::<ShortageReported>("resolution").await;
    assert_eq!(told.len(), 1, "told once");
    assert_eq!((told[0].sku.as_str(), told[0].expect_time, told[0].number), ("A-17", Some(days(10)), 1));
    assert_eq!((told[0].plan_id.clone(), told[0].kind()), (plan.plan_id.clone(), RemedyKind::Exchange));
    assert_eq!(world.published::<TaskNeedsAttention>().await, 0);

    world.house.advance(in_days(9));
    world.house.settled().await;
    assert!(world.poll("warehouse").await.is_empty(), "not before it is expected");
    let beat = HeartbeatRequest {
        task_id: task.task_id.clone(),
        lease_token: lease.lease_token.clone(),
        ..HeartbeatRequest::default()
    };
    refused(world.client("worker").heartbeat(beat).await, Code::FailedPrecondition, "LEASE_LOST");
    world.house.advance(in_days(1));
    let again = handed_out(&world, "warehouse").await;
    assert_eq!(again.task.as_ref().unwrap().attempt, 1, "the first attempt that counts");
    world.complete(&again).await.unwrap();
    assert_eq!(world.plan(&plan).await.state(), PlanState::Completed);
    refused(report(&world, lacking(&lease, 20)).await, Code::FailedPrecondition, "LEASE_LOST");
    world.house.done().await;
}

#[tokio::test]
async fn another_report_names_another_date_and_who_found_some_is_heard() {
    let world = World::open().await;
    let plan = world.approved(vec![exchange("a")]).await;
    let lease = world.take("warehouse").await;
    report(&world, lacking(&lease, 5)).await.unwrap();
    let later = ReportShortageRequest { sku: "A-17-lid".to_owned(), ..lacking(&lease, 12) };
    assert_eq!(report(&world, later).await.unwrap().visible_time, Some(days(12)));
    world.house.advance(in_days(6));
    world.house.settled().await;
    // A moment for what would fire by the first date.
    tokio::time::sleep(timers::POLL * 2).await;
    assert_eq!(world.task(task_id(&lease)).await.state(), TaskState::AwaitingStock, "the last date counts");
    let told = shortages(&world, task_id(&lease)).await;
    let told: Vec<_> = told.iter().map(|one| (one.number, one.sku.as_str(), one.reporter.as_str())).collect();
    assert_eq!(told, [(1, "A-17", "worker"), (2, "A-17-lid", "worker")]);
    let numbers: Vec<i32> = world
        .house
        .published::<ShortageReported>("resolution")
        .await
        .iter()
        .map(|told| told.number)
        .collect();
    assert_eq!(numbers, [1, 2]);
    world.complete(&lease).await.unwrap();
    assert_eq!(world.plan(&plan).await.state(), PlanState::Completed, "they found one");
    world.house.done().await;
}

#[tokio::test]
async fn an_operator_hands_out_before_the_goods_are_expected_or_to_others() {
    let world = World::open().await;
    world.approved(vec![exchange("a")]).await;
    let lease = world.take("warehouse").await;
    report(&world, lacking(&lease, 30)).await.unwrap();
    let requeue = |task: &str, department: &str| RequeueTaskRequest {
        request_id: request_id(),
        task_id: task.to_owned(),
        department_id: department.to_owned(),
        reason: "a pallet came".to_owned(),
    };
    let mut boss = world.client("boss");
    let ready = boss.requeue_task(requeue(task_id(&lease), "")).await.unwrap().into_inner().task.unwrap();
    assert_eq!(ready.state(), TaskState::Ready);
    let lease = world.take("warehouse").await;
    report(&world, lacking(&lease, 60)).await.unwrap();
    let given =
        boss.requeue_task(requeue(task_id(&lease), "outlet")).await.unwrap().into_inner().task.unwrap();
    assert_eq!((given.department_id.as_str(), given.state()), ("outlet", TaskState::Ready));
    assert_eq!(task_id(&world.take("outlet").await), given.task_id);
    // What is over waits for no goods, whatever timers say.
    world.house.advance(in_days(61));
    world.house.settled().await;
    tokio::time::sleep(timers::POLL * 2).await;
    assert_eq!(world.task(task_id(&lease)).await.state(), TaskState::Reassigned);
    world.house.done().await;
}

#[tokio::test]
async fn a_cancelled_plan_waits_for_no_goods() {
    let world = World::open().await;
    let (waiting, held) = (world.approved(vec![exchange("a")]).await, world.decided_case().await);
    let lease = world.take("warehouse").await;
    report(&world, lacking(&lease, 30)).await.unwrap();
    assert_eq!(world.cancel(&waiting).await.state(), PlanState::Cancelled, "nobody is at work on it");
    assert_eq!(world.task(task_id(&lease)).await.state(), TaskState::Cancelled);

    let held = world.approved_for(held, vec![exchange("a")]).await;
    let lease = world.take("warehouse").await;
    assert_eq!(world.cancel(&held).await.state(), PlanState::Cancelling);
    let ended = report(&world, lacking(&lease, 30)).await.unwrap();
    assert_eq!((ended.state(), ended.last_error.as_str()), (TaskState::Cancelled, "OUT_OF_STOCK"));
    assert_eq!(world.plan(&held).await.state(), PlanState::Cancelled, "nothing was done of it");
    assert_eq!(world.published::<ShortageReported>().await, 1, "no new promise");
    world.house.done().await;
}

#[tokio::test]
async fn a_shortage_says_what_is_lacking_and_until_when() {
    let world = World::identified().await;
    let repair = step("b", RemedyKind::Repair, &[]);
    world.approved(vec![exchange("a"), repair, refund("c"), apology("d")]).await;
    let lease = world.take("warehouse").await;
    let fields = ["request_id", "lease_token", "task_id", "expect_time"];
    invalid(report(&world, ReportShortageRequest::default()).await, "INVALID_SHORTAGE", &fields);
    for expected in [-1, 0, 181] {
        invalid(report(&world, lacking(&lease, expected)).await, "INVALID_SHORTAGE", &["expect_time"]);
    }
    let long = ReportShortageRequest { sku: "x".repeat(201), ..lacking(&lease, 1) };
    invalid(report(&world, long).await, "INVALID_SHORTAGE", &["sku"]);
    let unknown = ReportShortageRequest { task_id: request_id(), ..lacking(&lease, 1) };
    refused(report(&world, unknown).await, Code::NotFound, "TASK_NOT_FOUND");
    let stale = ReportShortageRequest { lease_token: request_id(), ..lacking(&lease, 1) };
    refused(report(&world, stale).await, Code::FailedPrecondition, "LEASE_LOST");
    let bound =
        client(&world, "pat", &["department-worker:finance"]).report_shortage(lacking(&lease, 1)).await;
    refused(bound, Code::PermissionDenied, "ROLE_REQUIRED");
    let agent = client(&world, "ann", &["agent"]).report_shortage(lacking(&lease, 1)).await;
    refused(agent, Code::PermissionDenied, "ROLE_REQUIRED");
    let mut theirs = Client::new(world.house.channel_as("other", "worker", &["department-worker"]));
    refused(theirs.report_shortage(lacking(&lease, 1)).await, Code::NotFound, "TASK_NOT_FOUND");
    assert_eq!(world.task(task_id(&lease)).await.state(), TaskState::Leased, "nothing has changed");
    report(&world, lacking(&lease, 180)).await.unwrap();

    let money = world.take("finance").await;
    let no_goods = ReportShortageRequest { sku: "A-17".to_owned(), ..lacking(&money, 1) };
    refused(report(&world, no_goods).await, Code::FailedPrecondition, "NO_GOODS_NEEDED");
    let service = world.poll("service").await;
    let repair = service.iter().find(|one| one.task.as_ref().unwrap().step_id == "b").unwrap();
    invalid(report(&world, lacking(repair, 1)).await, "INVALID_SHORTAGE", &["sku"]);
    let part = ReportShortageRequest { sku: "hinge".to_owned(), ..lacking(repair, 1) };
    report(&world, part).await.unwrap();
    assert_eq!(world.published::<ShortageReported>().await, 2);
    world.house.done().await;
}

/// A plan whose exchange waits for goods, in a case in which so much was sought.
async fn short(world: &World, sought: Option<i64>, steps: Vec<Step>) -> Plan {
    let case = Uuid::try_parse(&request_id()).unwrap();
    let told = CaseDecided { amount_sought: sought.map(yuan), ..decided(case, 1, 3, true) };
    world.house.tell("cases", case, &told).await;
    world.house.settled().await;
    let plan = world.approved_for(case, steps).await;
    let lease = world.take("warehouse").await;
    report(world, lacking(&lease, 9)).await.unwrap();
    world.plan(&plan).await
}

#[tokio::test]
async fn the_planner_sees_what_is_lacking_and_what_else_could_be_done() {
    let world = World::open().await;
    let plan = short(&world, Some(300), vec![exchange("a"), apology("b")]).await;
    let seen = plan.steps[0].shortage.clone().unwrap();
    assert_eq!((seen.sku.as_str(), seen.expect_time, seen.reports), ("A-17", Some(days(9)), 1));
    let kinds: Vec<RemedyKind> = seen.alternatives.iter().map(StepAlternative::kind).collect();
    assert_eq!((kinds.len(), kinds[0], kinds[2]), (3, RemedyKind::Repair, RemedyKind::Refund));
    assert_eq!(seen.alternatives[2].up_to, Some(yuan(300)));
    assert_eq!((seen.alternatives[0].up_to.clone(), plan.steps[1].shortage.clone()), (None, None));

    // Of what was sought, all is paid back already.
    let plan = short(&world, Some(100), vec![exchange("a"), refund("m")]).await;
    world.complete(&world.take("finance").await).await.unwrap();
    let seen = world.plan(&plan).await.steps[0].shortage.clone().unwrap();
    assert_eq!(seen.alternatives.len(), 2, "nothing is left to be paid");
    let request = ListTasksRequest {
        department_id: "warehouse".to_owned(),
        state: TaskState::AwaitingStock.into(),
        ..ListTasksRequest::default()
    };
    let waiting = world.handler().list_tasks(request).await.unwrap().into_inner().tasks;
    assert_eq!(waiting.len(), 2);
    world.house.done().await;
}

#[tokio::test]
async fn of_a_report_and_a_completion_at_once_one_holds() {
    let world = World::open().await;
    for number in 0..8 {
        let plan = world.approved(vec![exchange_of(number)]).await;
        let lease = world.take("warehouse").await;
        let (mut stock, mut worker) = (client(&world, "w", &["department-worker"]), world.client("w"));
        let (short, done) = tokio::join!(
            stock.report_shortage(lacking(&lease, 1)),
            worker.complete_task(completion(&lease)),
        );
        done.unwrap();
        let state = world.task(task_id(&lease)).await.state();
        // Who found some in the meantime is heard; who had sent them lacks nothing.
        assert_eq!((state, world.plan(&plan).await.state()), (TaskState::Completed, PlanState::Completed));
        if let Err(status) = short {
            assert_eq!(testkit::reason(&status), "LEASE_LOST");
        }
    }
    world.house.done().await;
}

#[tokio::test]
async fn two_replicas_hand_out_once_what_waited() {
    let world = World::open().await;
    let replica = world.house.replica(&[resolution::SERVICE]).await;
    let mut tasks = Vec::new();
    for number in 0..6 {
        world.approved(vec![exchange_of(number)]).await;
        let lease = world.take("warehouse").await;
        let mut stock = Client::new(replica.channel());
        stock.report_shortage(lacking(&lease, 3)).await.unwrap();
        tasks.push(task_id(&lease).to_owned());
    }
    world.house.advance(in_days(3));
    let mut handed = Vec::new();
    for _ in 0..200 {
        handed.extend(world.poll("warehouse").await.iter().map(|lease| task_id(lease).to_owned()));
        if handed.len() >= tasks.len() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    handed.sort_unstable();
    tasks.sort_unstable();
    assert_eq!(handed, tasks);
    for task in &tasks {
        let task = world.task(task).await;
        assert_eq!((task.state(), task.attempt), (TaskState::Leased, 1), "fired once");
    }
    replica.done().await;
    world.house.done().await;
}

#[tokio::test]
async fn who_reports_after_the_last_attempt_is_heard_and_gets_it_back() {
    let world = World::open().await;
    world.approved(vec![exchange("a")]).await;
    for _ in 0..4 {
        let lease = world.take("warehouse").await;
        world.client("worker").fail_task(failure(&lease, "FORKLIFT_DOWN", true)).await.unwrap();
        world.house.advance(LEASE);
    }
    let last = world.take("warehouse").await;
    world.house.advance(LEASE);
    assert!(world.poll("warehouse").await.is_empty());
    assert_eq!(world.task(task_id(&last)).await.state(), TaskState::OutcomeUnknown);
    let waiting = report(&world, lacking(&last, 2)).await.unwrap();
    assert_eq!((waiting.state(), waiting.attempt), (TaskState::AwaitingStock, 4), "nothing was done of it");
    world.house.advance(in_days(2));
    assert_eq!(handed_out(&world, "warehouse").await.task.unwrap().attempt, 5);
    world.house.done().await;
}
