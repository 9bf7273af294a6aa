//! What fails around each step of a saga that is revised on its way, enumerated: revised after
//! every number of its steps, at every hand-out before and after that, each way in which a
//! worker, an answer or a department can fail. Whatever it was, what is executed and taken out
//! is undone once, in the reverse order, what is put in is done once after that, and the
//! ledger says so.

use proto::redress::resolution::v1::{PlanState, RemedyKind, Step};

use crate::revisions::refund_of;
use crate::saga_failures::{Effects, FAILURES, Failure, Saga, steps};
use crate::world::{World, step};

/// Less money, and then goods again: the rest is taken out.
fn revised() -> Vec<Step> {
    vec![refund_of("a", 60), step("e", RemedyKind::Exchange, &["a"])]
}

/// Carries a plan out until so many steps are done, revises it, and carries that out; the
/// hand-out of this place goes wrong. Answers how many hand-outs there were.
async fn run(world: &World, revised_after: usize, place: usize, failure: Failure) -> usize {
    let plan = world.approved(steps()).await;
    let mut saga = Saga { world, plan, effects: Effects::default() };
    let mut handed_out = 0;
    let what = format!("{failure:?} at {place}, revised after {revised_after}");
    loop {
        if handed_out == revised_after {
            world.revise_approved(&saga.plan, revised()).await;
        }
        let Some(lease) = saga.next().await else { break };
        let failure = if handed_out == place { failure } else { Failure::None };
        saga.pass(lease, failure).await;
        handed_out += 1;
    }
    let done = &["a", "b", "c", "d"][..revised_after];
    assert_eq!(saga.effects.of(false), [done, &["a-r1", "e"]].concat(), "{what}");
    let undone: Vec<&str> = done.iter().rev().copied().filter(|step| *step != "c").collect();
    assert_eq!(saga.effects.of(true), undone, "{what}");
    assert_eq!(world.plan(&saga.plan).await.state(), PlanState::Completed, "{what}");
    let back = if revised_after == 0 { 0 } else { 100 };
    assert_eq!(saga.booked().await, (back + 60, back), "{what}");
    handed_out
}

#[tokio::test]
async fn every_failure_at_every_step_of_a_revised_saga_ends_in_each_effect_once() {
    let world = World::open().await;
    let mut runs = 0;
    for revised_after in 0..steps().len() {
        let hand_outs = run(&world, revised_after, usize::MAX, Failure::None).await;
        for place in 0..hand_outs {
            for failure in FAILURES {
                assert_eq!(run(&world, revised_after, place, failure).await, hand_outs);
                runs += 1;
            }
        }
    }
    assert_eq!(runs, (2 + 4 + 6 + 7) * FAILURES.len(), "no hand-out was left out");
    world.house.done().await;
}
