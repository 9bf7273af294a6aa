//! Handing tasks out: to whom, in which order, how often.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use proto::redress::resolution::v1::{
    HeartbeatRequest, Lease, PollTasksRequest, RemedyKind, Step, TaskNeedsAttention, TaskState,
};
use testkit::{House, request_id};
use tonic::Code;
use uuid::Uuid;

use crate::world::{
    Client, LEASE, World, apology, completion, found_departments, invalid, poll, refund, refused, step,
    step_id, task_id,
};

/// Shorter than a lease by a second.
const ALMOST: Duration = Duration::from_secs(59);

fn seconds(seconds: i64) -> prost_types::Duration {
    prost_types::Duration { seconds, nanos: 0 }
}

#[tokio::test]
async fn a_lease_says_what_is_to_be_done_and_counts_as_an_attempt() {
    let world = World::open().await;
    let plan = world.approved(vec![refund("a")]).await;
    assert!(world.poll("warehouse").await.is_empty(), "it is another department's");
    let lease = world.take("finance").await;
    let task = lease.task.clone().unwrap();
    assert_eq!(task.state(), TaskState::Leased);
    assert_eq!((task.attempt, task.max_attempts, task.worker.as_str()), (1, 5, "worker-1"));
    assert_eq!(
        (task.plan_id.as_str(), task.case_id.as_str()),
        (plan.plan_id.as_str(), plan.case_id.as_str())
    );
    assert_eq!((task.instructions.as_str(), task.priority), ("do a", 3));
    assert_eq!(task.amount, plan.steps[0].amount);
    assert_eq!(task.visible_time, lease.expire_time);
    assert_eq!(task.task_id, plan.steps[0].task_id);
    assert_eq!(world.task(&task.task_id).await, task);
    assert!(world.poll("finance").await.is_empty(), "it is held");
    world.house.done().await;
}

#[tokio::test]
async fn the_most_urgent_comes_first_then_what_is_due_first_then_the_oldest() {
    let world = World::open().await;
    let due = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
    let usual = world.case_decided(3, true).await;
    let urgent = world.case_decided(1, true).await;
    world.approved_for(usual, vec![refund("old")]).await;
    world.house.advance(Duration::from_secs(1));
    let steps = vec![
        Step { due_time: due(1_900_000_000), ..refund("due-later") },
        Step { due_time: due(1_800_000_000), ..refund("due-soon") },
        refund("young"),
    ];
    world.approved(steps).await;
    world.approved_for(urgent, vec![refund("urgent")]).await;
    let leases = world.poll("finance").await;
    let order: Vec<&str> = leases.iter().map(step_id).collect();
    assert_eq!(order, ["urgent", "due-soon", "due-later", "old", "young"]);
    world.house.done().await;
}

/// What six workers are handed who take all there is at once, half of them from a second
/// replica.
pub(crate) async fn raced(world: &World) -> Vec<Lease> {
    let replica = world.house.replica(&[resolution::SERVICE]).await;
    let racers = (0..6).map(|racer| {
        let mut client = if racer % 2 == 0 { world.client("worker") } else { Client::new(replica.channel()) };
        tokio::spawn(async move {
            let mut mine = Vec::new();
            loop {
                let request = PollTasksRequest { max_tasks: 3, ..poll("finance") };
                let leases = client.poll_tasks(request).await.unwrap().into_inner().leases;
                if leases.is_empty() {
                    return mine;
                }
                mine.extend(leases);
            }
        })
    });
    let mut leases = Vec::new();
    for racer in racers.collect::<Vec<_>>() {
        leases.extend(racer.await.unwrap());
    }
    // A racer may pass over what another has just locked, and leave it behind.
    leases.extend(world.poll("finance").await);
    replica.done().await;
    leases
}

/// Sixty tasks were handed out, each once.
pub(crate) fn each_once(leases: &[Lease]) {
    let distinct: HashSet<&str> = leases.iter().map(task_id).collect();
    assert_eq!((leases.len(), distinct.len()), (60, 60));
    assert!(leases.iter().all(|lease| lease.task.as_ref().unwrap().attempt == 1));
}

#[tokio::test]
async fn workers_who_race_never_get_the_same_task() {
    let world = World::open().await;
    for _ in 0..4 {
        world.approved((0..15).map(|n| refund(&format!("s{n}"))).collect()).await;
    }
    each_once(&raced(&world).await);
    world.house.done().await;
}

#[tokio::test]
async fn a_lost_answer_strands_nothing() {
    let world = World::open().await;
    let request = PollTasksRequest { max_tasks: 3, ..poll("finance") };
    let mut worker = world.client("worker");
    assert_eq!(worker.poll_tasks(request.clone()).await.unwrap().into_inner().leases, []);
    world.approved(vec![refund("a"), refund("b"), refund("c"), refund("d")]).await;
    let lost = worker.poll_tasks(request.clone()).await.unwrap().into_inner().leases;
    assert_eq!(lost.len(), 3);
    let again = worker.poll_tasks(request.clone()).await.unwrap().into_inner().leases;
    assert_eq!(again, lost, "the same tasks under the same tokens");
    world.complete(&again[0]).await.unwrap();
    let rest = worker.poll_tasks(request.clone()).await.unwrap().into_inner().leases;
    assert_eq!(rest, again[1..], "as far as they are still held");
    let other = PollTasksRequest { worker: "somebody else".to_owned(), ..request };
    refused(worker.poll_tasks(other).await, Code::AlreadyExists, "IDEMPOTENCY_KEY_REUSED");
    world.house.done().await;
}

#[tokio::test]
async fn a_poll_sent_twice_at_once_is_answered_once() {
    let world = World::open().await;
    for _ in 0..10 {
        world.approved(vec![refund("a"), refund("b"), refund("c"), refund("d")]).await;
        let request = PollTasksRequest { max_tasks: 2, ..poll("finance") };
        let twins = (0..4).map(|_| {
            let (mut client, request) = (world.client("worker"), request.clone());
            tokio::spawn(async move { client.poll_tasks(request).await.unwrap().into_inner().leases })
        });
        let mut answers = Vec::new();
        for twin in twins.collect::<Vec<_>>() {
            answers.push(twin.await.unwrap());
        }
        assert_eq!(answers[0].len(), 2);
        assert!(answers.iter().all(|answer| *answer == answers[0]));
        assert_eq!(world.poll("finance").await.len(), 2, "the others are left");
    }
    world.house.done().await;
}

#[tokio::test]
async fn a_worker_waits_for_the_first_task_but_not_for_ever() {
    let world = World::open().await;
    let mut client = world.client("worker");
    let waiting = PollTasksRequest { wait_duration: Some(seconds(30)), ..poll("finance") };
    let started = Instant::now();
    let waiter = tokio::spawn(async move { client.poll_tasks(waiting).await.unwrap().into_inner().leases });
    world.approved(vec![refund("a")]).await;
    assert_eq!(waiter.await.unwrap().len(), 1);
    assert!(started.elapsed() < Duration::from_secs(30), "it was woken");

    let started = Instant::now();
    let brief = prost_types::Duration { seconds: 0, nanos: 300_000_000 };
    let request = PollTasksRequest { wait_duration: Some(brief), ..poll("finance") };
    assert!(world.client("worker").poll_tasks(request).await.unwrap().into_inner().leases.is_empty());
    assert!(started.elapsed() >= Duration::from_millis(300), "it waited as long as it was told to");
    world.house.done().await;
}

#[tokio::test]
async fn workers_who_wait_together_are_all_served() {
    let world = World::open().await;
    let waiters = (0..5).map(|_| {
        let mut client = world.client("worker");
        let request = PollTasksRequest { max_tasks: 1, wait_duration: Some(seconds(30)), ..poll("finance") };
        tokio::spawn(async move { client.poll_tasks(request).await.unwrap().into_inner().leases })
    });
    let waiters: Vec<_> = waiters.collect();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let started = Instant::now();
    world.approved((0..5).map(|n| refund(&format!("s{n}"))).collect()).await;
    let mut steps = HashSet::new();
    for waiter in waiters {
        let leases = waiter.await.unwrap();
        assert_eq!(leases.len(), 1);
        steps.insert(step_id(&leases[0]).to_owned());
    }
    assert_eq!(steps.len(), 5);
    assert!(started.elapsed() < Duration::from_secs(30), "none of them had to wait for its time to end");
    world.house.done().await;
}

#[tokio::test]
async fn a_poll_that_waits_does_not_hold_up_the_end_of_the_process() {
    let world = World::open().await;
    let mut client = world.client("worker");
    let waiting = PollTasksRequest { wait_duration: Some(seconds(60)), ..poll("finance") };
    let waiter = tokio::spawn(async move { client.poll_tasks(waiting).await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    let started = Instant::now();
    world.house.done().await;
    assert!(started.elapsed() < Duration::from_mins(1));
    refused(waiter.await.unwrap(), Code::Unavailable, "STOPPING");
}

#[tokio::test]
async fn an_expired_lease_is_taken_over_and_its_late_holder_refused() {
    let world = World::open().await;
    world.approved(vec![refund("a")]).await;
    let first = world.take("finance").await;
    world.house.advance(ALMOST);
    assert!(world.poll("finance").await.is_empty(), "it still holds");
    world.house.advance(Duration::from_secs(1));
    let second = world.take("finance").await;
    assert_eq!(task_id(&first), task_id(&second));
    assert_ne!(first.lease_token, second.lease_token);
    assert_eq!(second.task.as_ref().unwrap().attempt, 2);
    refused(world.complete(&first).await, Code::FailedPrecondition, "LEASE_LOST");
    assert_eq!(world.complete(&second).await.unwrap().task.unwrap().state(), TaskState::Completed);
    refused(world.complete(&first).await, Code::FailedPrecondition, "LEASE_LOST");
    world.house.done().await;
}

#[tokio::test]
async fn a_late_holder_is_heard_while_nobody_else_holds_the_task() {
    let world = World::open().await;
    world.approved(vec![refund("a")]).await;
    let lease = world.take("finance").await;
    world.house.advance(LEASE * 10);
    assert_eq!(world.complete(&lease).await.unwrap().task.unwrap().state(), TaskState::Completed);
    world.house.done().await;
}

fn heartbeat(task_id: &str, token: &str) -> HeartbeatRequest {
    HeartbeatRequest {
        task_id: task_id.to_owned(),
        lease_token: token.to_owned(),
        lease_duration: Some(seconds(120)),
        checkpoint: b"half".to_vec(),
    }
}

#[tokio::test]
async fn a_heartbeat_extends_the_lease_and_leaves_a_note_for_the_next() {
    let world = World::open().await;
    world.approved(vec![refund("a")]).await;
    let lease = world.take("finance").await;
    let mut worker = world.client("worker");
    world.house.advance(ALMOST);
    let beat = worker.heartbeat(heartbeat(task_id(&lease), &lease.lease_token)).await.unwrap().into_inner();
    assert!(!beat.cancel_requested);
    assert_eq!(beat.expire_time, world.task(task_id(&lease)).await.visible_time);
    world.house.advance(Duration::from_secs(119));
    assert!(world.poll("finance").await.is_empty());
    let silent =
        HeartbeatRequest { checkpoint: Vec::new(), ..heartbeat(task_id(&lease), &lease.lease_token) };
    worker.heartbeat(silent).await.unwrap();
    world.house.advance(Duration::from_mins(2));
    let next = world.take("finance").await;
    assert_eq!(next.task.unwrap().checkpoint, b"half", "a heartbeat without a note keeps the last");
    let late = worker.heartbeat(heartbeat(task_id(&lease), &lease.lease_token)).await;
    refused(late, Code::FailedPrecondition, "LEASE_LOST");
    let unknown = worker.heartbeat(heartbeat(&Uuid::from_u128(7).to_string(), &lease.lease_token)).await;
    refused(unknown, Code::NotFound, "TASK_NOT_FOUND");
    world.house.done().await;
}

#[tokio::test]
async fn a_task_that_used_up_its_attempts_needs_attention() {
    let world = World::open().await;
    world.approved(vec![apology("a")]).await;
    let mut last = None;
    for attempt in 1..=5 {
        let lease = world.take("service").await;
        assert_eq!(lease.task.as_ref().unwrap().attempt, attempt);
        world.house.advance(LEASE);
        last = Some(lease);
    }
    assert!(world.poll("service").await.is_empty());
    let lease = last.unwrap();
    let task = world.task(task_id(&lease)).await;
    assert_eq!(task.state(), TaskState::NeedsAttention);
    assert_eq!(task.attempt, 5);
    let told = world.house.published::<TaskNeedsAttention>("resolution").await;
    assert_eq!(told.len(), 1);
    assert_eq!(
        (told[0].task_id.as_str(), told[0].reason.as_str()),
        (task_id(&lease), task.last_error.as_str())
    );
    world.complete(&lease).await.expect("its last holder did it after all, and nobody else holds it");
    world.house.done().await;
}

#[tokio::test]
async fn exhausted_tasks_do_not_hide_those_behind_them() {
    let world = World::open().await;
    world.approved(vec![refund("a")]).await;
    for _ in 1..=5 {
        world.take("finance").await;
        world.house.advance(LEASE);
    }
    world.approved(vec![refund("b")]).await;
    let request = PollTasksRequest { max_tasks: 1, ..poll("finance") };
    let leases = world.client("worker").poll_tasks(request).await.unwrap().into_inner().leases;
    assert_eq!(leases.iter().map(step_id).collect::<Vec<_>>(), ["b"]);
    world.house.done().await;
}

#[tokio::test]
async fn bad_polls_and_heartbeats_are_refused() {
    let world = World::open().await;
    let mut worker = world.client("worker");
    let bad = PollTasksRequest {
        max_tasks: 101,
        wait_duration: Some(seconds(61)),
        lease_duration: Some(seconds(-1)),
        ..PollTasksRequest::default()
    };
    let fields = ["request_id", "department_id", "worker", "max_tasks", "wait_duration", "lease_duration"];
    invalid(worker.poll_tasks(bad).await, "INVALID_POLL", &fields);
    let bad = HeartbeatRequest {
        checkpoint: vec![0; 64 * 1024 + 1],
        lease_duration: Some(seconds(3601)),
        ..HeartbeatRequest::default()
    };
    let fields = ["lease_token", "task_id", "lease_duration", "checkpoint"];
    invalid(worker.heartbeat(bad).await, "INVALID_HEARTBEAT", &fields);
    world.house.done().await;
}

#[tokio::test]
async fn a_step_is_handed_out_once_what_it_depends_on_is_done() {
    let world = World::open().await;
    world.approved(vec![refund("a"), apology("b"), step("c", RemedyKind::Exchange, &["a", "b"])]).await;
    world.complete(&world.take("finance").await).await.unwrap();
    assert!(world.poll("warehouse").await.is_empty());
    let mut warehouse = world.client("worker");
    let waiting = PollTasksRequest { wait_duration: Some(seconds(30)), ..poll("warehouse") };
    let waiter =
        tokio::spawn(async move { warehouse.poll_tasks(waiting).await.unwrap().into_inner().leases });
    world.complete(&world.take("service").await).await.unwrap();
    assert_eq!(waiter.await.unwrap().len(), 1);
    world.house.done().await;
}

#[tokio::test]
async fn two_tenants_never_see_each_others_plans_tasks_or_keys() {
    let house = House::builder(&[resolution::SERVICE]).identified().open().await;
    let (ours, theirs) = ("tenant-a", "tenant-b");
    for tenant in [ours, theirs] {
        found_departments(&house, tenant).await;
    }
    let roles = ["supervisor", "department-worker"];
    let client = |tenant: &str, subject: &str| Client::new(house.channel_as(tenant, subject, &roles));
    let case = Uuid::try_parse(&request_id()).unwrap();
    house.tell_as(ours, "cases", case, &crate::world::decided(case, 1, 3, true)).await;
    house.settled().await;
    let request = crate::world::proposal(case, vec![refund("a")]);
    let stranger = client(theirs, "handler").propose_plan(request.clone()).await;
    refused(stranger, Code::NotFound, "CASE_NOT_FOUND");
    let plan = client(ours, "handler").propose_plan(request).await.unwrap().into_inner().plan.unwrap();
    let approve = proto::redress::resolution::v1::ApprovePlanRequest {
        request_id: request_id(),
        plan_id: plan.plan_id.clone(),
        expected_version: None,
        on_behalf_of: String::new(),
    };
    let stranger = client(theirs, "approver").approve_plan(approve.clone()).await;
    refused(stranger, Code::NotFound, "PLAN_NOT_FOUND");
    client(ours, "approver").approve_plan(approve).await.unwrap();
    let request = poll("finance");
    let none = client(theirs, "worker").poll_tasks(request.clone()).await.unwrap().into_inner().leases;
    assert!(none.is_empty());
    let leases = client(ours, "worker").poll_tasks(request.clone()).await.unwrap().into_inner().leases;
    assert_eq!(leases.len(), 1);
    let again = client(theirs, "worker").poll_tasks(request).await.unwrap().into_inner().leases;
    assert!(again.is_empty(), "a key belongs to its tenant");
    let stranger = client(theirs, "worker").complete_task(completion(&leases[0])).await;
    refused(stranger, Code::NotFound, "TASK_NOT_FOUND");
    client(ours, "worker").complete_task(completion(&leases[0])).await.unwrap();
    house.done().await;
}
