//! Whether somebody takes what waits for a department, how long an attempt may take, and
//! pauses.

use std::time::{Duration, Instant};

use proto::redress::resolution::v1::department_service_client::DepartmentServiceClient;
use proto::redress::resolution::v1::{
    DepartmentAttended, DepartmentPaused, DepartmentQueue, DepartmentResumed, DepartmentUnattended,
    GetDepartmentQueueRequest, HeartbeatRequest, HeartbeatResponse, Lease, PauseDepartmentRequest,
    PollTasksRequest, RemedyKind, ResumeDepartmentRequest, Step, TaskNeedsAttention, TaskState,
};
use testkit::{CallerChannel, PATIENCE, request_id};
use tonic::{Code, Status};

use crate::repeated;
use crate::world::{World, apology, invalid, poll, refund, refused, step, step_id, task_id};

type Client = DepartmentServiceClient<CallerChannel>;

fn client(world: &World, subject: &str) -> Client {
    let roles = ["supervisor", "department-worker"];
    Client::new(world.house.channel_as("development", subject, &roles))
}

async fn queue(world: &World, department: &str) -> DepartmentQueue {
    let request = GetDepartmentQueueRequest { department_id: department.to_owned() };
    client(world, "boss").get_department_queue(request).await.unwrap().into_inner().queue.unwrap()
}

fn pause(department: &str, kind: RemedyKind) -> PauseDepartmentRequest {
    PauseDepartmentRequest {
        request_id: request_id(),
        department_id: department.to_owned(),
        kind: kind.into(),
        reason: "the bank is down".to_owned(),
    }
}

fn resume(department: &str, kind: RemedyKind) -> ResumeDepartmentRequest {
    ResumeDepartmentRequest {
        request_id: request_id(),
        department_id: department.to_owned(),
        kind: kind.into(),
        reason: "it is back".to_owned(),
    }
}

/// All kinds.
const ALL: RemedyKind = RemedyKind::Unspecified;

async fn beat(world: &World, lease: &Lease) -> Result<HeartbeatResponse, Status> {
    let request = HeartbeatRequest {
        task_id: task_id(lease).to_owned(),
        lease_token: lease.lease_token.clone(),
        lease_duration: Some(prost_types::Duration { seconds: 3_600, nanos: 0 }),
        checkpoint: Vec::new(),
    };
    Ok(world.client("worker").heartbeat(request).await?.into_inner())
}

/// Waits for so many alarms: timers fire by themselves.
async fn told(world: &World, expected: usize) -> Vec<DepartmentUnattended> {
    let started = Instant::now();
    loop {
        let told = world.house.published::<DepartmentUnattended>("resolution").await;
        if told.len() >= expected || started.elapsed() > PATIENCE {
            return told;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_department_with_tasks_and_no_worker_is_told_of_once_until_one_asks() {
    let world = World::open().await;
    world.approved(vec![refund("a"), apology("b")]).await;
    assert!(world.poll("finance").await.len() == 1, "finance has a worker");
    assert_eq!(queue(&world, "service").await.unattended_since_time, None);
    world.house.advance(Duration::from_mins(3));
    world.poll("finance").await;
    world.house.advance(Duration::from_mins(3));
    let first = told(&world, 1).await;
    assert_eq!(first.iter().map(|told| told.department_id.as_str()).collect::<Vec<_>>(), ["service"]);
    let service = queue(&world, "service").await;
    assert_eq!((service.ready, service.unattended_since_time), (1, first[0].since_time));
    assert_eq!(queue(&world, "finance").await.unattended_since_time, None);
    // Looked at again and again, it is told of no more.
    for _ in 0..3 {
        world.house.advance(Duration::from_secs(61));
        world.poll("finance").await;
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    assert_eq!(told(&world, 1).await.len(), 1);

    world.poll("service").await;
    let service = queue(&world, "service").await;
    assert_eq!((service.leased, service.unattended_since_time), (1, None));
    assert!(service.poll_time.is_some());
    let attended = world.house.published::<DepartmentAttended>("resolution").await;
    assert_eq!((attended.len(), attended[0].since_time), (1, first[0].since_time));
    world.house.done().await;
}

#[tokio::test]
async fn nobody_is_missed_where_nothing_waits_or_all_of_it_is_paused() {
    let world = World::open().await;
    world.approved(vec![apology("a")]).await;
    client(&world, "boss").pause_department(pause("service", RemedyKind::Apology)).await.unwrap();
    world.approved(vec![refund("b")]).await;
    world.house.advance(Duration::from_mins(7));
    let told = told(&world, 1).await;
    assert_eq!(told.iter().map(|told| told.department_id.as_str()).collect::<Vec<_>>(), ["finance"]);
    world.house.done().await;
}

#[tokio::test]
async fn a_paused_department_is_handed_nothing_and_a_paused_kind_is_left_out() {
    let world = World::open().await;
    let mut boss = client(&world, "boss");
    world.approved(vec![refund("a")]).await;
    let held = world.take("finance").await;
    assert!(!beat(&world, &held).await.unwrap().pause_requested);
    let request = pause("finance", ALL);
    let answer = repeated!(boss, pause_department, request, |other: &mut PauseDepartmentRequest| {
        other.reason.push('!');
    });
    let begun = answer.pause.unwrap();
    assert_eq!((begun.kind(), begun.pauser.as_str(), begun.resumer.as_str()), (ALL, "boss", ""));
    assert!(beat(&world, &held).await.unwrap().pause_requested, "what it holds it keeps");
    refused(boss.pause_department(pause("finance", ALL)).await, Code::FailedPrecondition, "ALREADY_PAUSED");
    world.approved(vec![refund("b"), step("c", RemedyKind::FeeWaiver, &[])]).await;
    assert!(world.poll("finance").await.is_empty());
    assert_eq!(queue(&world, "finance").await.pauses, [begun]);
    boss.pause_department(pause("finance", RemedyKind::Refund)).await.unwrap();

    let mut worker = world.client("worker");
    let wait_duration = Some(prost_types::Duration { seconds: 30, nanos: 0 });
    let waiting = PollTasksRequest { wait_duration, ..poll("finance") };
    let waiter = tokio::spawn(async move { worker.poll_tasks(waiting).await.unwrap().into_inner().leases });
    let request = resume("finance", ALL);
    let answer = repeated!(boss, resume_department, request, |other: &mut ResumeDepartmentRequest| {
        other.reason.push('!');
    });
    let over = answer.pause.unwrap();
    assert_eq!((over.resumer.as_str(), over.resume_reason.as_str()), ("boss", "it is back"));
    let leases = waiter.await.unwrap();
    assert_eq!(leases.iter().map(step_id).collect::<Vec<_>>(), ["c"], "refunds are paused still");
    refused(boss.resume_department(resume("finance", ALL)).await, Code::FailedPrecondition, "NOT_PAUSED");
    boss.resume_department(resume("finance", RemedyKind::Refund)).await.unwrap();
    assert_eq!(step_id(&world.take("finance").await), "b");
    assert!(queue(&world, "finance").await.pauses.is_empty());
    assert_eq!(world.published::<DepartmentPaused>().await, 2);
    assert_eq!(world.published::<DepartmentResumed>().await, 2);
    world.house.done().await;
}

#[tokio::test]
async fn an_attempt_is_held_on_up_to_its_limit_and_then_needs_attention() {
    let world = World::open().await;
    world.approved(vec![refund("money"), step("goods", RemedyKind::Exchange, &[])]).await;
    let (money, goods) = (world.take("finance").await, world.take("warehouse").await);
    for _ in 0..3 {
        beat(&world, &money).await.unwrap();
        beat(&world, &goods).await.unwrap();
        world.house.advance(Duration::from_mins(59));
    }
    world.house.advance(Duration::from_secs(30));
    let earlier = beat(&world, &money).await.unwrap();
    let task = world.task(task_id(&money)).await;
    assert_eq!((task.state(), task.attempt), (TaskState::Leased, 1));
    world.house.advance(Duration::from_mins(59));
    let last = beat(&world, &money).await.unwrap();
    assert_eq!(last.expire_time, task.attempt_end_time, "no further than four hours");
    assert_ne!(earlier.expire_time, last.expire_time);
    world.house.advance(Duration::from_mins(10));
    refused(beat(&world, &money).await, Code::FailedPrecondition, "LEASE_LOST");
    assert!(world.poll("finance").await.is_empty(), "it is not handed out blindly");
    let task = world.task(task_id(&money)).await;
    assert_eq!(task.state(), TaskState::OutcomeUnknown);
    assert_eq!(task.last_error, "the attempt took longer than it may");
    assert_eq!(world.published::<TaskNeedsAttention>().await, 1);
    beat(&world, &goods).await.expect("goods have days");
    world.complete(&money).await.expect("its last holder did it after all, and nobody else holds it");
    world.house.done().await;
}

#[tokio::test]
async fn a_lease_that_merely_ran_out_is_another_attempt() {
    let world = World::open().await;
    world.approved(vec![refund("a")]).await;
    let first = world.take("finance").await;
    world.house.advance(Duration::from_hours(5));
    let second = world.take("finance").await;
    assert_eq!(task_id(&first), task_id(&second));
    assert_eq!(second.task.unwrap().attempt, 2, "nobody held it on");
    world.house.done().await;
}

#[tokio::test]
async fn pauses_and_queues_are_of_departments_that_there_are() {
    let world = World::identified().await;
    let mut boss = client(&world, "boss");
    refused(boss.pause_department(pause("nowhere", ALL)).await, Code::NotFound, "DEPARTMENT_NOT_FOUND");
    refused(boss.resume_department(resume("nowhere", ALL)).await, Code::NotFound, "DEPARTMENT_NOT_FOUND");
    let unknown =
        boss.get_department_queue(GetDepartmentQueueRequest { department_id: "nowhere".to_owned() });
    refused(unknown.await, Code::NotFound, "DEPARTMENT_NOT_FOUND");
    let bad = PauseDepartmentRequest { kind: 99, ..PauseDepartmentRequest::default() };
    let fields = ["request_id", "department_id", "kind", "reason"];
    invalid(boss.pause_department(bad).await, "INVALID_PAUSE", &fields);
    let bad = ResumeDepartmentRequest { kind: -1, ..ResumeDepartmentRequest::default() };
    invalid(boss.resume_department(bad).await, "INVALID_PAUSE", &fields);
    let nothing = boss.get_department_queue(GetDepartmentQueueRequest::default()).await;
    invalid(nothing, "INVALID_REQUEST", &["department_id"]);

    let other = |roles: &[&str]| Client::new(world.house.channel_as("other", "boss", roles));
    let theirs = other(&["supervisor"]).pause_department(pause("finance", ALL)).await;
    refused(theirs, Code::NotFound, "DEPARTMENT_NOT_FOUND");
    let request = GetDepartmentQueueRequest { department_id: "finance".to_owned() };
    let mut bound =
        Client::new(world.house.channel_as("development", "sam", &["department-worker:warehouse"]));
    refused(bound.get_department_queue(request).await, Code::PermissionDenied, "ROLE_REQUIRED");
    refused(bound.pause_department(pause("warehouse", ALL)).await, Code::PermissionDenied, "ROLE_REQUIRED");
    world.house.done().await;
}

#[tokio::test]
async fn a_queue_counts_what_waits_by_state() {
    let world = World::open().await;
    let steps: Vec<Step> = (0..7).map(|n| refund(&format!("s{n}"))).collect();
    world.approved(steps).await;
    let request = PollTasksRequest { max_tasks: 2, ..poll("finance") };
    world.client("worker").poll_tasks(request).await.unwrap();
    let finance = queue(&world, "finance").await;
    assert_eq!(
        (finance.ready, finance.leased, finance.needs_attention, finance.outcome_unknown),
        (5, 2, 0, 0)
    );
    world.house.done().await;
}
