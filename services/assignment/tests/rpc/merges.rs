//! Cases that are merged into others, and go on.

use proto::redress::assignment::v1::{AcceptCaseRequest, AssignmentState};
use proto::redress::cases::v1::{CaseMerged, CaseUnmerged};
use testkit::request_id;
use uuid::Uuid;

use crate::{World, state};

/// Published twice, as two events: the second finds nothing to do.
async fn merged(world: &World, case: Uuid) {
    let merged = CaseMerged { case_id: case.to_string(), cycle: 1, ..CaseMerged::default() };
    world.house.tell("cases", case, &merged).await;
    world.house.tell("cases", case, &merged).await;
    world.house.settled().await;
}

async fn unmerged(world: &World, case: Uuid) {
    let unmerged = CaseUnmerged { case_id: case.to_string(), cycle: 1, ..CaseUnmerged::default() };
    world.house.tell("cases", case, &unmerged).await;
    world.house.tell("cases", case, &unmerged).await;
    world.house.settled().await;
}

async fn accept(world: &mut World, case: Uuid) {
    let (case_id, agent_id) = (case.to_string(), "ann".to_owned());
    let request = AcceptCaseRequest { request_id: request_id(), case_id, expected_version: None, agent_id };
    world.client.accept_case(request).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merged_case_frees_its_handler_and_comes_back_as_it_was() {
    let mut world = World::with_delivery().await;
    world.agent("ann", "delivery", 3).await;
    let (accepted, assigned) = (world.case("delivery").await, world.case("delivery").await);
    accept(&mut world, accepted).await;
    let before = (world.assignment(accepted).await, world.assignment(assigned).await);
    let told = world.house.published_by("assignment").await.len();
    for case in [accepted, assigned] {
        merged(&world, case).await;
        assert_eq!(state(&world.assignment(case).await), AssignmentState::Released);
    }
    assert_eq!(world.load("ann").await, 0);
    for case in [accepted, assigned] {
        unmerged(&world, case).await;
    }
    let mut after = (world.assignment(accepted).await, world.assignment(assigned).await);
    assert_eq!((after.0.version, after.1.version), (before.0.version + 2, before.1.version + 2));
    (after.0.version, after.1.version) = (before.0.version, before.1.version);
    assert_ne!(after.1.accept_by_time, before.1.accept_by_time, "they have as long as at first");
    after.1.accept_by_time = before.1.accept_by_time;
    assert_eq!(after, before);
    assert_eq!(world.load("ann").await, 2);
    assert_eq!(world.house.published_by("assignment").await.len(), told, "nothing has changed for others");
    world.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_room_goes_to_who_waits_and_capacity_is_never_exceeded() {
    let mut world = World::with_delivery().await;
    world.agent("ann", "delivery", 1).await;
    let (held, waiting) = (world.case("delivery").await, world.case("delivery").await);
    merged(&world, held).await;
    assert_eq!(world.handler(waiting).await, "ann");
    unmerged(&world, held).await;
    assert_eq!((world.handler(held).await.as_str(), world.load("ann").await), ("", 1));
    let told = world.told_queued().await;
    assert_eq!(told.last().map(|queued| queued.case_id.clone()), Some(held.to_string()));
    assert_eq!(told.last().unwrap().explanation, "ann has no room for it any more");
    world.resolved(waiting, 1).await;
    assert_eq!(world.handler(held).await, "ann");
    world.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_case_leaves_the_queue_and_comes_back_to_its_place() {
    let mut world = World::with_delivery().await;
    let (first, second) = (world.case("delivery").await, world.case("delivery").await);
    let order = [first, second].map(|case| case.to_string());
    merged(&world, first).await;
    assert_eq!(world.queue("delivery").await, &order[1..]);
    unmerged(&world, first).await;
    assert_eq!(world.queue("delivery").await, order);
    merged(&world, first).await;
    world.agent("ann", "delivery", 2).await;
    assert_eq!(world.load("ann").await, 1, "who is merged is given to nobody");
    unmerged(&world, first).await;
    assert_eq!((world.handler(first).await.as_str(), world.load("ann").await), ("ann", 2));
    world.house.done().await;
}
