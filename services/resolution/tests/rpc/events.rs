//! What happens to cases, told once and twice.

use proto::redress::cases::v1::{
    CaseClosed, CaseDeclined, CaseReopened, CaseWithdrawn, CloseReason, DecisionCorrected, Outcome, Priority,
};
use proto::redress::event::v1::Event;
use proto::redress::resolution::v1::{PlanCancelled, PlanState, Task};
use testkit::request_id;
use tonic::Code;
use uuid::Uuid;

use crate::world::{World, apology, decided, proposal, refund, refused};

/// Has an event delivered again: as it was, and once more as if it were a new one.
async fn again(world: &World, event: Event) {
    world.house.tell_raw("cases", event.clone()).await;
    world.house.settled().await;
    let position = world.house.fake("cases").head() + 1;
    world.house.tell_raw("cases", Event { position, ..event }).await;
    world.house.settled().await;
}

fn withdrawn(case: Uuid) -> CaseWithdrawn {
    CaseWithdrawn {
        case_id: case.to_string(),
        cycle: 1,
        reason: "found it".to_owned(),
        ..CaseWithdrawn::default()
    }
}

fn reopened(case: Uuid, cycle: i32) -> CaseReopened {
    CaseReopened {
        case_id: case.to_string(),
        cycle,
        category: "delivery".to_owned(),
        priority: Priority::P2.into(),
        tier: 1,
        reason: "not solved".to_owned(),
        ..CaseReopened::default()
    }
}

#[tokio::test]
async fn a_withdrawal_cancels_what_is_proposed_and_undoes_what_was_done() {
    let world = World::open().await;
    let (waiting, begun) = (world.decided_case().await, world.decided_case().await);
    let proposed = world.proposed(waiting, vec![refund("a")]).await;
    let executing = world.approved_for(begun, vec![refund("a"), apology("b")]).await;
    world.complete(&world.take("finance").await).await.unwrap();
    let events = [
        world.house.tell("cases", waiting, &withdrawn(waiting)).await,
        world.house.tell("cases", begun, &withdrawn(begun)).await,
    ];
    world.house.settled().await;
    assert_eq!(world.plan(&proposed).await.state(), PlanState::Cancelled);
    let cancelling = world.plan(&executing).await;
    assert_eq!(cancelling.state(), PlanState::Cancelling);
    assert_eq!(cancelling.reason, "the complaint was withdrawn");
    for event in events {
        again(&world, event).await;
    }
    assert_eq!(world.plan(&executing).await, cancelling, "told twice, done once");
    let undo = world.take("finance").await;
    assert!(undo.task.as_ref().is_some_and(|task: &Task| task.compensation));
    world.complete(&undo).await.unwrap();
    assert_eq!(world.plan(&executing).await.state(), PlanState::Cancelled);
    assert_eq!(world.published::<PlanCancelled>().await, 2);
    for case in [waiting, begun] {
        let late = world.handler().propose_plan(proposal(case, vec![apology("a")])).await;
        refused(late, Code::FailedPrecondition, "CASE_NOT_DECIDED");
    }
    world.house.done().await;
}

#[tokio::test]
async fn declining_and_closing_a_case_cancel_its_plan_too() {
    let world = World::open().await;
    let (elsewhere, closed) = (world.decided_case().await, world.decided_case().await);
    let plans =
        [world.proposed(elsewhere, vec![refund("a")]).await, world.proposed(closed, vec![refund("a")]).await];
    let case_id = elsewhere.to_string();
    let decline = CaseDeclined { case_id, cycle: 1, referral: "the city".to_owned() };
    let close = CaseClosed { case_id: closed.to_string(), cycle: 1, reason: CloseReason::Staff.into() };
    let events = [
        world.house.tell("cases", elsewhere, &decline).await,
        world.house.tell("cases", closed, &close).await,
    ];
    world.house.settled().await;
    for event in events {
        again(&world, event).await;
    }
    for plan in &plans {
        assert_eq!(world.plan(plan).await.state(), PlanState::Cancelled);
    }
    assert_eq!(world.published::<PlanCancelled>().await, 2);
    world.house.done().await;
}

#[tokio::test]
async fn a_completed_plan_is_left_alone_when_its_case_closes() {
    let world = World::open().await;
    let case = world.decided_case().await;
    let plan = world.approved_for(case, vec![refund("a")]).await;
    world.complete(&world.take("finance").await).await.unwrap();
    let close = CaseClosed { case_id: case.to_string(), cycle: 1, reason: CloseReason::Accepted.into() };
    let event = world.house.tell("cases", case, &close).await;
    world.house.settled().await;
    again(&world, event).await;
    assert_eq!(world.plan(&plan).await.state(), PlanState::Completed);
    assert!(world.poll("finance").await.is_empty());
    world.house.done().await;
}

#[tokio::test]
async fn a_reopened_case_needs_another_decision_and_takes_its_priority() {
    let world = World::open().await;
    let case = Uuid::try_parse(&request_id()).unwrap();
    let first = world.house.tell("cases", case, &decided(case, 1, 3, true)).await;
    world.house.settled().await;
    world.approved_for(case, vec![refund("a")]).await;
    world.complete(&world.take("finance").await).await.unwrap();
    let close = CaseClosed { case_id: case.to_string(), cycle: 1, reason: CloseReason::Accepted.into() };
    let close = world.house.tell("cases", case, &close).await;
    let reopen = world.house.tell("cases", case, &reopened(case, 2)).await;
    world.house.settled().await;
    let premature = world.handler().propose_plan(proposal(case, vec![apology("a")])).await;
    refused(premature, Code::FailedPrecondition, "CASE_NOT_DECIDED");
    again(&world, first).await;
    let old_news = world.handler().propose_plan(proposal(case, vec![apology("a")])).await;
    refused(old_news, Code::FailedPrecondition, "CASE_NOT_DECIDED");

    let second = world.house.tell("cases", case, &decided(case, 2, 1, true)).await;
    world.house.settled().await;
    for old in [close, reopen, second] {
        again(&world, old).await;
    }
    let plan = world.approved_for(case, vec![refund("again")]).await;
    assert_eq!(plan.cycle, 2);
    assert_eq!(world.take("finance").await.task.unwrap().priority, 1);
    world.house.done().await;
}

#[tokio::test]
async fn what_happens_to_unknown_cases_is_no_error() {
    let world = World::open().await;
    let case = Uuid::from_u128(7);
    world.house.tell("cases", case, &withdrawn(case)).await;
    world.house.settled().await;
    let unknown = world.handler().propose_plan(proposal(case, vec![apology("a")])).await;
    refused(unknown, Code::NotFound, "CASE_NOT_FOUND");
    world.house.done().await;
}

#[tokio::test]
async fn everything_told_of_a_case_is_in_its_trace() {
    let world = World::open().await;
    let case = Uuid::try_parse(&request_id()).unwrap();
    let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00".to_owned();
    let event = world.house.tell("cases", Uuid::from_u128(7), &decided(Uuid::from_u128(7), 1, 3, true)).await;
    let (position, subject) = (event.position + 1, case.to_string());
    let event = Event { position, subject, traceparent: traceparent.clone(), ..event };
    world.house.tell_raw("cases", event).await;
    world.house.settled().await;
    let plan = world.approved_for(case, vec![refund("a"), refund("b")]).await;
    let leases = world.poll("finance").await;
    assert!(leases.iter().all(|lease| lease.traceparent == traceparent), "a worker can continue it");
    world.complete(&leases[0]).await.unwrap();
    world.cancel(&plan).await;
    world.complete(&leases[1]).await.unwrap();
    for _ in 0..2 {
        world.complete(&world.take("finance").await).await.unwrap();
    }
    let told = world.house.published_by("resolution").await;
    assert_eq!(told.len(), 7, "proposed, approved, two done, two undone, cancelled");
    assert!(told.iter().all(|told| told.traceparent == traceparent && told.subject == case));
    world.house.done().await;
}

fn corrected(case: Uuid, number: i32, remedy_due: bool) -> DecisionCorrected {
    DecisionCorrected {
        case_id: case.to_string(),
        cycle: 1,
        outcome: Outcome::PartlyUpheld.into(),
        previous_outcome: Outcome::Upheld.into(),
        priority: Priority::P3.into(),
        remedy_due,
        number,
        ..DecisionCorrected::default()
    }
}

#[tokio::test]
async fn a_corrected_decision_cancels_what_was_planned_and_may_want_another_plan() {
    let world = World::open().await;
    let (waiting, begun) = (world.decided_case().await, world.decided_case().await);
    let proposed = world.proposed(waiting, vec![refund("a")]).await;
    let executing = world.approved_for(begun, vec![refund("a")]).await;
    world.house.tell("cases", waiting, &corrected(waiting, 1, false)).await;
    world.house.tell("cases", begun, &corrected(begun, 1, true)).await;
    world.house.settled().await;
    assert_eq!(world.plan(&proposed).await.state(), PlanState::Cancelled);
    assert_eq!(world.plan(&executing).await.state(), PlanState::Cancelled);
    let propose = async |case| world.handler().propose_plan(proposal(case, vec![apology("b")])).await;
    let refusal = propose(waiting).await.unwrap_err();
    assert_eq!(testkit::reason(&refusal), "CASE_NOT_DECIDED");
    let plan = propose(begun).await.unwrap().into_inner().plan.unwrap();
    // Heard of again, it is no news.
    world.house.tell("cases", begun, &corrected(begun, 1, true)).await;
    let event = world.house.tell("cases", waiting, &corrected(waiting, 2, true)).await;
    world.house.settled().await;
    again(&world, event).await;
    assert_eq!(world.plan(&plan).await.state(), PlanState::Proposed);
    propose(waiting).await.unwrap();
    world.house.done().await;
}
