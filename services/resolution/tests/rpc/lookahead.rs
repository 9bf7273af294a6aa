//! Handing tasks out while a transaction that stays open keeps Postgres from removing rows
//! that are no more: one look at the queue serves many polls.

use std::time::Duration;

use proto::redress::resolution::v1::{PollTasksRequest, Step};
use sqlx::{Connection as _, Executor as _, PgConnection};

use crate::queue::{each_once, raced};
use crate::world::{World, poll, proposal, refund, step_id};

/// How often all tasks are written anew, so that more dead rows lie there than are borne.
const REWRITES: usize = 110;

/// Has rows of the tasks there are pile up that are no more; the connections keep it so.
async fn pile_up(world: &World) -> (PgConnection, PgConnection) {
    let (mut idle, mut owner) = (world.house.owner().await, world.house.owner().await);
    idle.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM resolution.task")
        .await
        .unwrap();
    for _ in 0..REWRITES {
        owner.execute("UPDATE resolution.task SET version = version").await.unwrap();
    }
    owner.execute("SELECT pg_stat_force_next_flush()").await.unwrap();
    // They are counted anew every second.
    world.house.advance(Duration::from_secs(1));
    (idle, owner)
}

#[tokio::test]
async fn with_many_dead_rows_every_task_is_handed_out_once() {
    let world = World::open().await;
    for _ in 0..4 {
        world.approved((0..15).map(|n| refund(&format!("s{n}"))).collect()).await;
    }
    let (idle, owner) = pile_up(&world).await;
    each_once(&raced(&world).await);
    idle.close().await.unwrap();
    owner.close().await.unwrap();
    world.house.done().await;
}

#[tokio::test]
async fn with_many_dead_rows_a_more_urgent_task_waits_for_the_next_look() {
    let world = World::open().await;
    for _ in 0..4 {
        world.approved((0..15).map(|n| refund(&format!("usual{n}"))).collect()).await;
    }
    let (idle, owner) = pile_up(&world).await;
    let one = PollTasksRequest { max_tasks: 1, ..poll("finance") };
    let next = async || {
        let request = PollTasksRequest { request_id: testkit::request_id(), ..one.clone() };
        let leases = world.client("worker").poll_tasks(request).await.unwrap().into_inner().leases;
        step_id(&leases[0]).to_owned()
    };
    assert!(next().await.starts_with("usual"));
    let urgent = world.case_decided(1, true).await;
    world.approved_for(urgent, vec![refund("urgent")]).await;
    assert!(next().await.starts_with("usual"), "of the same look");
    world.house.advance(Duration::from_millis(101));
    assert_eq!(next().await, "urgent");
    idle.close().await.unwrap();
    owner.close().await.unwrap();
    world.house.done().await;
}

#[tokio::test]
async fn with_many_dead_rows_who_planned_what_comes_first_is_handed_what_comes_after() {
    let world = World::open().await;
    let due = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
    let own = |n| Step { due_time: due(1_800_000_000), ..refund(&format!("own{n}")) };
    for _ in 0..4 {
        world.approved((0..15).map(own).collect()).await;
    }
    let case = world.decided_case().await;
    let others = world.client("somebody").propose_plan(proposal(case, vec![refund("others")])).await.unwrap();
    world.approve(&others.into_inner().plan.unwrap()).await;
    let (idle, owner) = pile_up(&world).await;
    let leases = world.handler().poll_tasks(poll("finance")).await.unwrap().into_inner().leases;
    assert_eq!(leases.iter().map(step_id).collect::<Vec<_>>(), ["others"]);
    idle.close().await.unwrap();
    owner.close().await.unwrap();
    world.house.done().await;
}
