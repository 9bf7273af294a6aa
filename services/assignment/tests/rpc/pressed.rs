//! What is done for cycles for which time is running out.

use proto::redress::cases::v1::{CasePriorityRaised, CaseReturned, Priority};
use uuid::Uuid;

use crate::{World, new_case, resolved};

fn returned(case: Uuid, cycle: i32) -> CaseReturned {
    let reason = "half of the time is spent".to_owned();
    CaseReturned { case_id: case.to_string(), cycle, reason, ordinal: 0 }
}

fn raised(case: Uuid, cycle: i32) -> CasePriorityRaised {
    let priority = Priority::P1.into();
    CasePriorityRaised { case_id: case.to_string(), cycle, priority, ..CasePriorityRaised::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_that_is_returned_goes_to_somebody_else_or_waits() {
    let mut world = World::with_delivery().await;
    world.agent("ann", "delivery", 1).await;
    world.agent("bo", "delivery", 1).await;
    let case = world.case("delivery").await;
    assert_eq!(world.handler(case).await, "ann");
    world.house.tell("cases", case, &returned(case, 1)).await;
    world.house.settled().await;
    assert_eq!(world.handler(case).await, "bo");
    assert_eq!((world.load("ann").await, world.load("bo").await), (0, 1));
    let told = world.told_assigned().await;
    assert_eq!(told.len(), 2);
    assert!(told[1].explanation.starts_with("taken back: half of the time is spent"), "{:?}", told[1]);

    // An older cycle, one that is over, and a case nobody knows: skipped.
    world.house.tell("cases", case, &returned(case, 2)).await;
    world.house.tell("cases", case, &resolved(case, 1)).await;
    world.house.tell("cases", case, &returned(case, 1)).await;
    let unknown = new_case();
    world.house.tell("cases", unknown, &returned(unknown, 1)).await;
    world.house.settled().await;
    assert_eq!(world.told_assigned().await.len(), 2);
    assert_eq!((world.load("ann").await, world.load("bo").await), (0, 0));
    world.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_that_is_raised_goes_before_others_and_returned_ones_wait_on() {
    let mut world = World::with_delivery().await;
    world.agent("ann", "delivery", 1).await;
    let first = world.case("delivery").await;
    let older = world.case("delivery").await;
    let newer = world.case("delivery").await;
    assert_eq!(world.queue("delivery").await, [older, newer].map(|case| case.to_string()));
    world.house.tell("cases", newer, &raised(newer, 1)).await;
    world.house.tell("cases", older, &returned(older, 1)).await;
    world.house.settled().await;
    assert_eq!(world.queue("delivery").await, [newer, older].map(|case| case.to_string()));
    assert_eq!(world.told_queued().await.len(), 2, "who waits already is told nothing new");
    world.resolved(first, 1).await;
    assert_eq!(world.handler(newer).await, "ann");
    world.house.done().await;
}
