//! Departments' tasks follow their cases: how urgent they are, when they are due, in whatever
//! order and how often that is heard.

use std::time::Duration;

use prost_types::Timestamp;
use proto::redress::assignment::v1::CaseAssigned;
use proto::redress::cases::v1::{
    CaseDecided, CaseDueTimeChanged, CaseOpened, CasePriorityRaised, CaseReopened, CaseRetriaged, Priority,
};
use proto::redress::resolution::v1::{Inquiry, PollTasksRequest, Step, TaskOverdue};
use testkit::request_id;
use uuid::Uuid;

use crate::investigations::asked;
use crate::world::{World, decided, poll, refund, step_id};

/// So many hours from now.
fn after(world: &World, hours: i64) -> Timestamp {
    let now = world.house.db("resolution").clock().now();
    Timestamp { seconds: now.as_second() + hours * 3_600, nanos: 0 }
}

fn raised(case: Uuid, ordinal: i32, priority: Priority) -> CasePriorityRaised {
    let (case_id, reason) = (case.to_string(), "time runs out".to_owned());
    CasePriorityRaised { case_id, cycle: 1, priority: priority.into(), reason, ordinal }
}

fn retriaged(case: Uuid, ordinal: i32, priority: Priority) -> CaseRetriaged {
    let (case_id, category) = (case.to_string(), "delivery".to_owned());
    CaseRetriaged { case_id, cycle: 1, category, priority: priority.into(), ordinal }
}

fn redated(case: Uuid, number: i32, due_time: Option<Timestamp>) -> CaseDueTimeChanged {
    CaseDueTimeChanged { case_id: case.to_string(), cycle: 1, due_time, number }
}

async fn hear<M: prost::Name>(world: &World, case: Uuid, event: &M) {
    world.house.tell("cases", case, event).await;
    world.house.settled().await;
}

/// A case that is due in so many hours, with one refund that was approved.
async fn refunded(world: &World, name: &str, hours: i64) -> (Uuid, String) {
    let case = Uuid::try_parse(&request_id()).unwrap();
    let due_time = Some(after(world, hours));
    let told = CaseDecided { due_time, ordinal: 5, due_number: 2, ..decided(case, 1, 3, true) };
    hear(world, case, &told).await;
    let plan = world.approved_for(case, vec![refund(name)]).await;
    world.house.advance(Duration::from_secs(1));
    (case, plan.steps[0].task_id.clone())
}

/// The names of finance's tasks as it is handed them, one poll after the other.
async fn order(world: &World) -> Vec<String> {
    let mut order = Vec::new();
    loop {
        let one = PollTasksRequest { max_tasks: 1, ..poll("finance") };
        let leases = world.client("worker").poll_tasks(one).await.unwrap().into_inner().leases;
        let Some(lease) = leases.first() else { return order };
        order.push(step_id(lease).to_owned());
    }
}

#[tokio::test]
async fn tasks_of_a_case_that_becomes_more_urgent_are_handed_out_first_and_nothing_turns_that_back() {
    let world = World::open().await;
    let (_, _) = refunded(&world, "first", 10).await;
    let (case, task) = refunded(&world, "urgent", 20).await;
    let (mild, later) = refunded(&world, "mild", 5).await;
    hear(&world, case, &raised(case, 9, Priority::P1)).await;
    hear(&world, mild, &retriaged(mild, 8, Priority::P4)).await;
    assert_eq!((world.task(&task).await.priority, world.task(&later).await.priority), (1, 4));
    // Heard once more, and late: what was so before.
    let version = world.task(&task).await.version;
    hear(&world, case, &raised(case, 9, Priority::P1)).await;
    hear(&world, case, &retriaged(case, 7, Priority::P4)).await;
    hear(&world, case, &raised(case, 8, Priority::P2)).await;
    hear(&world, mild, &raised(mild, 7, Priority::P1)).await;
    let told = CaseDecided { ordinal: 5, due_number: 2, ..decided(case, 1, 3, true) };
    hear(&world, case, &told).await;
    assert_eq!(world.task(&task).await.version, version, "nothing is told that is new");
    assert_eq!(order(&world).await, ["urgent", "first", "mild"]);
    world.house.done().await;
}

#[tokio::test]
async fn what_a_plan_begins_later_is_as_urgent_as_its_case_is_then() {
    let world = World::open().await;
    let case = world.decided_case().await;
    let second = Step { depends_on: vec!["a".to_owned()], ..refund("b") };
    let plan = world.approved_for(case, vec![refund("a"), second]).await;
    hear(&world, case, &raised(case, 9, Priority::P2)).await;
    hear(&world, case, &redated(case, 1, Some(after(&world, 3)))).await;
    let lease = world.take("finance").await;
    assert_eq!(lease.task.as_ref().unwrap().priority, 2);
    world.complete(&lease).await.unwrap();
    let next = world.take("finance").await.task.unwrap();
    assert_eq!((next.step_id.as_str(), next.priority), ("b", 2));
    assert_eq!(next.due_time, Some(after(&world, 3)));
    assert_eq!(world.plan(&plan).await.version, 3, "of the plan itself nothing has changed");
    world.house.done().await;
}

#[tokio::test]
async fn what_is_due_sooner_comes_first_what_is_paused_last_and_no_older_news_counts() {
    let world = World::open().await;
    let (_, first) = refunded(&world, "first", 10).await;
    let (case, task) = refunded(&world, "sooner", 20).await;
    let (paused, waits) = refunded(&world, "paused", 5).await;
    let (other, own) = {
        let case = Uuid::try_parse(&request_id()).unwrap();
        hear(&world, case, &CaseDecided { due_time: Some(after(&world, 30)), ..decided(case, 1, 3, true) })
            .await;
        let dated = Step { due_time: Some(after(&world, 12)), ..refund("dated") };
        let plan = world.approved_for(case, vec![dated]).await;
        (case, plan.steps[0].task_id.clone())
    };
    let (sooner, dated) = (after(&world, 2), world.task(&own).await.due_time);
    hear(&world, case, &redated(case, 4, Some(sooner))).await;
    hear(&world, paused, &redated(paused, 3, None)).await;
    hear(&world, other, &redated(other, 1, Some(after(&world, 1)))).await;
    assert_eq!(world.task(&task).await.due_time, Some(sooner));
    assert_eq!(world.task(&waits).await.due_time, None);
    assert_eq!(world.task(&own).await.due_time, dated, "somebody gave it a time of its own");
    let version = world.task(&task).await.version;
    for (number, hours) in [(4, 99), (3, 1), (2, 20)] {
        hear(&world, case, &redated(case, number, Some(after(&world, hours)))).await;
    }
    let told = CaseDecided { due_time: None, due_number: 2, ..decided(case, 1, 3, true) };
    hear(&world, case, &told).await;
    assert_eq!((world.task(&task).await.due_time, world.task(&task).await.version), (Some(sooner), version));
    assert_eq!(world.task(&first).await.priority, 3);
    assert_eq!(order(&world).await, ["sooner", "first", "dated", "paused"]);
    // Resumed: it is due again, with its case.
    hear(&world, paused, &redated(paused, 5, Some(sooner))).await;
    assert_eq!(world.task(&waits).await.due_time, Some(sooner));
    world.house.done().await;
}

#[tokio::test]
async fn what_becomes_overdue_because_its_case_does_climbs_the_ladder_and_begins_anew_with_more_time() {
    let world = World::open().await;
    let (case, task) = refunded(&world, "a", 50).await;
    hear(&world, case, &redated(case, 3, Some(after(&world, 1)))).await;
    world.house.advance(Duration::from_hours(2));
    testkit::eventually(async || world.published::<TaskOverdue>().await == 1).await;
    hear(&world, case, &redated(case, 4, Some(after(&world, 3)))).await;
    world.house.advance(Duration::from_hours(4));
    testkit::eventually(async || world.published::<TaskOverdue>().await == 2).await;
    let due = world.task(&task).await.due_time;
    // Due at another time that has passed as well, it is not told of as if it were not known.
    hear(&world, case, &redated(case, 5, Some(after(&world, -2)))).await;
    assert_ne!(world.task(&task).await.due_time, due);
    world.house.advance(Duration::from_mins(3));
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(world.published::<TaskOverdue>().await, 2);
    world.house.done().await;
}

#[tokio::test]
async fn a_case_is_due_from_its_opening_and_a_next_cycle_as_its_reopening_tells() {
    let world = World::open().await;
    let case = Uuid::try_parse(&request_id()).unwrap();
    let case_id = case.to_string();
    let due_time = Some(after(&world, 8));
    let opened =
        CaseOpened { case_id: case_id.clone(), cycle: 1, priority: 3, due_time, ..Default::default() };
    hear(&world, case, &opened).await;
    let assigned =
        CaseAssigned { case_id: case_id.clone(), agent_id: "ann".to_owned(), ..Default::default() };
    world.house.tell("assignment", case, &assigned).await;
    world.house.settled().await;
    let task = asked(&world, case, Inquiry::Evidence).await.task_id;
    assert_eq!(world.task(&task).await.due_time, due_time);
    hear(&world, case, &redated(case, 1, Some(after(&world, 6)))).await;
    assert_eq!(world.task(&task).await.due_time, Some(after(&world, 6)));
    let reopened = CaseReopened {
        case_id,
        cycle: 2,
        priority: Priority::P2.into(),
        ordinal: 20,
        due_time: Some(after(&world, 4)),
        due_number: 3,
        ..CaseReopened::default()
    };
    hear(&world, case, &reopened).await;
    let now = world.task(&task).await;
    assert_eq!((now.due_time, now.priority), (Some(after(&world, 4)), 2));
    hear(&world, case, &redated(case, 2, Some(after(&world, 1)))).await;
    hear(&world, case, &raised(case, 19, Priority::P1)).await;
    assert_eq!(world.task(&task).await, now, "that was so before it was reopened");
    world.house.done().await;
}
