//! Proposing, approving, rejecting and cancelling plans.

use proto::redress::resolution::v1::{
    ApprovePlanRequest, CancelPlanRequest, Goods, PlanApproved, PlanCancelled, PlanProposed, PlanRejected,
    PlanState, ProposePlanRequest, RejectPlanRequest, RemedyKind, Step, StepState,
};
use testkit::request_id;
use tonic::Code;
use uuid::Uuid;

use crate::repeated;
use crate::world::{World, apology, cancellation, exchange, invalid, proposal, refund, refused, step, yuan};

fn approval(plan_id: &str) -> ApprovePlanRequest {
    ApprovePlanRequest {
        request_id: request_id(),
        plan_id: plan_id.to_owned(),
        expected_version: None,
        on_behalf_of: String::new(),
    }
}

fn rejection(plan_id: &str) -> RejectPlanRequest {
    let reason = "too much for a scratch".to_owned();
    RejectPlanRequest {
        request_id: request_id(),
        plan_id: plan_id.to_owned(),
        expected_version: None,
        reason,
    }
}

#[tokio::test]
async fn a_plan_is_proposed_once() {
    let world = World::open().await;
    let case = world.decided_case().await;
    let due_time = Some(prost_types::Timestamp { seconds: 1_800_000_000, nanos: 500_000_000 });
    let steps = vec![
        Step { due_time, ..refund("refund") },
        step("exchange", RemedyKind::Exchange, &["refund"]),
        apology("sorry"),
    ];
    let request = proposal(case, steps.clone());
    let answer = repeated!(world.handler(), propose_plan, request, |other: &mut ProposePlanRequest| {
        other.steps.pop();
    });
    let plan = answer.plan.unwrap();
    assert_eq!(plan.state(), PlanState::Proposed);
    assert_eq!((plan.version, plan.cycle, plan.proposer.as_str()), (1, 1, "handler"));
    let shown = steps.into_iter().map(|step| Step { state: StepState::Waiting.into(), ..step });
    assert_eq!(plan.steps, shown.collect::<Vec<_>>());
    assert_eq!(plan.case_id, case.to_string());
    assert_eq!(world.plan(&plan).await, plan, "what is answered is what is read later");
    let told = world.house.published::<PlanProposed>("resolution").await;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].summary, "refund of CNY 100.00, exchange of 1 × A-17, apology");
    assert_eq!((told[0].proposer.as_str(), told[0].plan_id.as_str()), ("handler", plan.plan_id.as_str()));
    world.house.done().await;
}

#[tokio::test]
async fn a_bad_proposal_learns_everything_at_once() {
    let world = World::open().await;
    let mut handler = world.handler();
    let nothing = ProposePlanRequest::default();
    invalid(handler.propose_plan(nothing).await, "INVALID_PLAN", &["request_id", "case_id", "steps"]);
    let finer = proto::google::r#type::Money { nanos: 1, ..yuan(1) };
    let steps = vec![
        Step { kind: 0, department_id: "Finance".to_owned(), ..apology("a") },
        Step { amount: Some(yuan(0)), instructions: "x".repeat(4001), ..refund("b") },
        Step { amount: Some(finer), depends_on: vec!["e".to_owned()], ..refund("c") },
        Step {
            amount: Some(yuan(1)),
            goods: Some(Goods { sku: String::new(), quantity: 0 }),
            ..apology("d")
        },
        Step { goods: None, depends_on: vec!["c".to_owned(), "?".to_owned()], ..exchange("e") },
        Step { amount: None, ..refund("e") },
    ];
    invalid(
        handler.propose_plan(proposal(Uuid::nil(), steps)).await,
        "INVALID_PLAN",
        &[
            "steps[0].department_id",
            "steps[0].kind",
            "steps[1].instructions",
            "steps[1].amount",
            "steps[2].amount",
            "steps[3].goods.quantity",
            "steps[3].goods.sku",
            "steps[3].amount",
            "steps[3].goods",
            "steps[4].goods",
            "steps[5].amount",
            "steps[5].step_id",
            "steps[4].depends_on[1]",
            "steps[4].depends_on",
        ],
    );
    world.house.done().await;
}

#[tokio::test]
async fn a_plan_needs_a_decided_case_without_an_open_plan() {
    let world = World::open().await;
    let mut handler = world.handler();
    let unknown = proposal(Uuid::from_u128(7), vec![apology("a")]);
    refused(handler.propose_plan(unknown).await, Code::NotFound, "CASE_NOT_FOUND");
    let nothing_due = world.case_decided(3, false).await;
    let premature = proposal(nothing_due, vec![apology("a")]);
    refused(handler.propose_plan(premature).await, Code::FailedPrecondition, "CASE_NOT_DECIDED");
    let case = world.decided_case().await;
    world.proposed(case, vec![apology("a")]).await;
    let second = proposal(case, vec![apology("b")]);
    refused(handler.propose_plan(second).await, Code::FailedPrecondition, "PLAN_ALREADY_OPEN");
    world.house.done().await;
}

#[tokio::test]
async fn of_plans_proposed_at_once_one_is_taken() {
    let world = World::open().await;
    let case = world.decided_case().await;
    let rivals = (0..6).map(|n| {
        let mut client = world.client(&format!("handler-{n}"));
        tokio::spawn(async move { client.propose_plan(proposal(case, vec![apology("a")])).await })
    });
    let mut taken = 0;
    for rival in rivals.collect::<Vec<_>>() {
        match rival.await.unwrap() {
            Ok(_) => taken += 1,
            lost => refused(lost, Code::FailedPrecondition, "PLAN_ALREADY_OPEN"),
        }
    }
    assert_eq!(taken, 1);
    world.house.done().await;
}

#[tokio::test]
async fn a_plan_is_approved_once_by_somebody_else() {
    let world = World::open().await;
    let case = world.decided_case().await;
    let plan = world.proposed(case, vec![refund("a"), step("b", RemedyKind::Exchange, &["a"])]).await;
    let request = approval(&plan.plan_id);
    refused(world.handler().approve_plan(request).await, Code::PermissionDenied, "APPROVER_IS_PROPOSER");
    let stale = ApprovePlanRequest { expected_version: Some(7), ..approval(&plan.plan_id) };
    refused(world.approver().approve_plan(stale).await, Code::Aborted, "VERSION_MISMATCH");
    let request = ApprovePlanRequest { expected_version: Some(plan.version), ..approval(&plan.plan_id) };
    let answer = repeated!(world.approver(), approve_plan, request, |other: &mut ApprovePlanRequest| {
        other.expected_version = None;
    });
    let approved = answer.plan.unwrap();
    assert_eq!(approved.state(), PlanState::Executing);
    assert_eq!((approved.version, approved.approver.as_str()), (2, "approver"));
    assert!(!approved.steps[0].task_id.is_empty(), "its first task waits");
    assert!(approved.steps[1].task_id.is_empty(), "the second depends on it");
    assert_eq!(world.plan(&plan).await, approved);
    let again = world.approver().approve_plan(approval(&plan.plan_id)).await;
    refused(again, Code::FailedPrecondition, "INVALID_PLAN_STATE");
    assert_eq!(world.published::<PlanApproved>().await, 1);
    assert_eq!(world.poll("finance").await.len(), 1);
    assert_eq!(world.poll("warehouse").await.len(), 0);
    world.house.done().await;
}

#[tokio::test]
async fn a_rejected_plan_makes_room_for_another() {
    let world = World::open().await;
    let case = world.decided_case().await;
    let plan = world.proposed(case, vec![refund("a")]).await;
    let stale = RejectPlanRequest { expected_version: Some(0), ..rejection(&plan.plan_id) };
    refused(world.approver().reject_plan(stale).await, Code::Aborted, "VERSION_MISMATCH");
    let request = rejection(&plan.plan_id);
    let answer = repeated!(world.approver(), reject_plan, request, |other: &mut RejectPlanRequest| {
        other.reason.push('!');
    });
    let rejected = answer.plan.unwrap();
    assert_eq!(rejected.state(), PlanState::Rejected);
    assert_eq!(rejected.reason, "too much for a scratch");
    assert!(rejected.end_time.is_some());
    assert_eq!(world.plan(&plan).await, rejected);
    let again = world.approver().reject_plan(rejection(&plan.plan_id)).await;
    refused(again, Code::FailedPrecondition, "INVALID_PLAN_STATE");
    let told = world.house.published::<PlanRejected>("resolution").await;
    assert_eq!((told.len(), told[0].reason.as_str()), (1, "too much for a scratch"));
    assert_eq!(world.proposed(case, vec![apology("a")]).await.state(), PlanState::Proposed);
    world.house.done().await;
}

#[tokio::test]
async fn a_plan_that_was_not_begun_is_cancelled_at_once() {
    let world = World::open().await;
    let case = world.decided_case().await;
    let plan = world.proposed(case, vec![refund("a")]).await;
    let stale = CancelPlanRequest { expected_version: Some(3), ..cancellation(&plan) };
    refused(world.approver().cancel_plan(stale).await, Code::Aborted, "VERSION_MISMATCH");
    let request = cancellation(&plan);
    let answer = repeated!(world.approver(), cancel_plan, request, |other: &mut CancelPlanRequest| {
        other.expected_version = Some(1);
    });
    let cancelled = answer.plan.unwrap();
    assert_eq!(cancelled.state(), PlanState::Cancelled);
    assert_eq!(world.plan(&plan).await, cancelled);
    let again = world.approver().cancel_plan(cancellation(&plan)).await;
    refused(again, Code::FailedPrecondition, "INVALID_PLAN_STATE");
    let too_late = world.approver().approve_plan(approval(&plan.plan_id)).await;
    refused(too_late, Code::FailedPrecondition, "INVALID_PLAN_STATE");
    assert_eq!(world.published::<PlanCancelled>().await, 1);
    world.house.done().await;
}

#[tokio::test]
async fn verdicts_on_plans_with_bad_arguments_are_refused() {
    let world = World::open().await;
    let mut approver = world.approver();
    let fields = ["request_id", "plan_id", "reason"];
    let nothing = ApprovePlanRequest::default();
    invalid(approver.approve_plan(nothing).await, "INVALID_REQUEST", &fields[..2]);
    let nothing = RejectPlanRequest::default();
    invalid(approver.reject_plan(nothing).await, "INVALID_REASON", &fields);
    let nothing = CancelPlanRequest::default();
    invalid(approver.cancel_plan(nothing).await, "INVALID_REASON", &fields);
    let unknown = Uuid::from_u128(7).to_string();
    refused(approver.approve_plan(approval(&unknown)).await, Code::NotFound, "PLAN_NOT_FOUND");
    refused(approver.reject_plan(rejection(&unknown)).await, Code::NotFound, "PLAN_NOT_FOUND");
    let long = RejectPlanRequest { reason: "x".repeat(2001), ..rejection(&unknown) };
    invalid(approver.reject_plan(long).await, "INVALID_REASON", &["reason"]);
    let reason = "why not".to_owned();
    let cancel =
        CancelPlanRequest { request_id: request_id(), plan_id: unknown, expected_version: None, reason };
    refused(approver.cancel_plan(cancel).await, Code::NotFound, "PLAN_NOT_FOUND");
    world.house.done().await;
}
