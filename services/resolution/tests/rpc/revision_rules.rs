//! Who revises a plan and who approves that, what a policy says, and what is refused.

use proto::redress::assignment::v1::CaseAssigned;
use proto::redress::cases::v1::CaseWithdrawn;
use proto::redress::resolution::v1::{
    LedgerMovement, Plan, PlanApproved, PlanRevised, PlanRevisionState, PlanState, RemedyKind,
    RevisePlanRequest, SetApprovalLimitsRequest, Step, StepState, TaskState,
};
use testkit::request_id;
use tonic::Code;
use uuid::Uuid;

use crate::approval_policies::{automatic, by_people, in_force, of_rules};
use crate::ledger::moved;
use crate::revisions::{Revisions, approval, refund_of, rejection, revised};
use crate::stock::lack;
use crate::world::{
    World, apology, cancellation, exchange, invalid, poll, refund, refused, step, task_id, yuan,
};

#[tokio::test]
async fn everything_wrong_with_a_revision_is_told_at_once() {
    let world = World::identified().await;
    let plan = world.approved(vec![refund("a"), apology("b")]).await;
    let mut planner = world.revisions("planner");
    let empty = planner.revise_plan(RevisePlanRequest::default()).await;
    invalid(empty, "INVALID_REVISION", &["request_id", "plan_id", "steps", "reason"]);
    let asked = vec![
        Step { depends_on: vec!["n".to_owned()], ..refund("a") },
        Step { due_time: Some(prost_types::Timestamp { seconds: 1, nanos: 0 }), ..apology("b") },
        Step { department_id: "nowhere".to_owned(), ..apology("n") },
        Step {
            remedy_type: "nothing".to_owned(),
            input: "{}".to_owned(),
            ..step("t", RemedyKind::Custom, &[])
        },
    ];
    let wrong = planner.revise_plan(revised(&plan, asked)).await;
    let fields =
        ["steps[0].depends_on[0]", "steps[1].due_time", "steps[2].department_id", "steps[3].remedy_type"];
    invalid(wrong, "INVALID_REVISION", &fields);
    let same = planner.revise_plan(revised(&plan, vec![refund("a"), apology("b")])).await;
    refused(same, Code::FailedPrecondition, "NOTHING_TO_REVISE");
    let seen = RevisePlanRequest { expected_version: Some(9), ..revised(&plan, vec![refund("a")]) };
    refused(planner.revise_plan(seen).await, Code::Aborted, "VERSION_MISMATCH");
    let unknown = Plan { plan_id: request_id(), ..Plan::default() };
    refused(
        planner.revise_plan(revised(&unknown, vec![refund("a")])).await,
        Code::NotFound,
        "PLAN_NOT_FOUND",
    );
    let mut theirs = Revisions::new(world.house.channel_as("other", "planner", &["supervisor"]));
    let other = theirs.revise_plan(revised(&plan, vec![refund("a")])).await;
    refused(other, Code::NotFound, "PLAN_NOT_FOUND");
    refused(theirs.approve_plan_revision(approval(&plan, 1)).await, Code::NotFound, "PLAN_NOT_FOUND");
    assert_eq!(world.plan(&plan).await.version, plan.version, "nothing of that changed it");
    world.house.done().await;
}

#[tokio::test]
async fn a_revision_that_waits_keeps_others_out_and_is_decided_once() {
    let world = World::open().await;
    let plan = world.approved(vec![refund("a")]).await;
    let more = || vec![refund("a"), apology("b")];
    world.revise(&plan, more()).await.unwrap();
    refused(world.revise(&plan, vec![apology("c")]).await, Code::FailedPrecondition, "REVISION_PENDING");
    refused(world.approve_revision("approver", &plan, 2).await, Code::NotFound, "REVISION_NOT_FOUND");
    for planner in ["planner", "Handler"] {
        let own = world.approve_revision(planner, &plan, 1).await;
        refused(own, Code::PermissionDenied, "APPROVER_IS_PROPOSER");
    }
    refused(world.approve_revision("mallory", &plan, 1).await, Code::PermissionDenied, "CALLER_RECUSED");
    let mut approver = world.revisions("approver");
    let applied = crate::repeated!(approver, approve_plan_revision, approval(&plan, 1), |other: &mut _| {
        let proto::redress::resolution::v1::ApprovePlanRevisionRequest { number, .. } = other;
        *number = 2;
    });
    assert_eq!(applied.revision.unwrap().state(), PlanRevisionState::Applied);
    refused(
        world.approve_revision("other", &plan, 1).await,
        Code::FailedPrecondition,
        "INVALID_REVISION_STATE",
    );
    let late = approver.reject_plan_revision(rejection(&plan, 1)).await;
    refused(late, Code::FailedPrecondition, "INVALID_REVISION_STATE");
    assert_eq!(world.published::<PlanRevised>().await, 1);
    for planner in ["planner", "approver", "handler"] {
        let leases = world.client(planner).poll_tasks(poll("finance")).await.unwrap().into_inner().leases;
        assert!(leases.is_empty(), "{planner} planned it");
    }
    world.cancel(&plan).await;
    refused(world.revise(&plan, more()).await, Code::FailedPrecondition, "INVALID_PLAN_STATE");
    world.house.done().await;
}

#[tokio::test]
async fn who_may_cancel_the_plan_takes_steps_out_at_once_and_an_agent_asks() {
    let world = World::identified().await;
    let case = world.decided_case().await;
    let assigned = CaseAssigned {
        case_id: case.to_string(),
        cycle: 1,
        agent_id: "ann".to_owned(),
        ..CaseAssigned::default()
    };
    world.house.tell("assignment", case, &assigned).await;
    world.house.settled().await;
    let plan = world.approved_for(case, vec![refund("a"), apology("b"), apology("c")]).await;
    world.complete(&world.take("finance").await).await.unwrap();

    let mut ann = world.revisions_as("ann", &["agent"]);
    let other = world.revisions_as("bob", &["agent"]).revise_plan(revised(&plan, vec![apology("b")])).await;
    refused(other, Code::PermissionDenied, "NOT_THE_HANDLER");
    let asked = ann.revise_plan(revised(&plan, vec![apology("b"), apology("c")])).await.unwrap().into_inner();
    assert_eq!(asked.revision.unwrap().state(), PlanRevisionState::Pending, "money is taken back");
    let own = ann.approve_plan_revision(approval(&plan, 1)).await;
    refused(own, Code::PermissionDenied, "ROLE_REQUIRED");
    world.revisions("approver").reject_plan_revision(rejection(&plan, 1)).await.unwrap();

    let (changed, revision) = world.revise(&plan, vec![apology("b"), apology("c")]).await.unwrap();
    assert_eq!(revision.state(), PlanRevisionState::Applied);
    assert_eq!((changed.approver.as_str(), changed.approvals.len()), ("approver", 1), "who approved, has");
    assert_eq!(changed.taken_out_steps[0].state(), StepState::Undoing);
    let numbers: Vec<i32> = world.listed(&plan).await.iter().map(|revision| revision.number).collect();
    assert_eq!(numbers, [2, 1], "newest first");
    world.house.done().await;
}

#[tokio::test]
async fn the_policy_judges_the_plan_as_revised_and_counts_its_own_sums_once() {
    let world = World::open().await;
    let capped = SetApprovalLimitsRequest {
        request_id: request_id(),
        expected_version: None,
        case_caps: vec![yuan(150)],
    };
    world.client_as("admin", &["admin"]).set_approval_limits(capped).await.unwrap();
    let plan = world.approved(vec![refund("a"), apology("c")]).await;
    world.complete(&world.take("finance").await).await.unwrap();
    let (_, revision) =
        world.revise(&plan, vec![refund("a"), refund_of("b", 50), apology("c")]).await.unwrap();
    assert_eq!(revision.ruling.as_ref().unwrap().approvers, 1, "150 in all are not above the cap");
    world.revisions("approver").reject_plan_revision(rejection(&plan, 1)).await.unwrap();
    let (_, revision) =
        world.revise(&plan, vec![refund("a"), refund_of("b", 51), apology("c")]).await.unwrap();
    assert_eq!((revision.number, revision.ruling.as_ref().unwrap().approvers), (2, 2));
    let first = world.approve_revision("approver", &plan, 2).await.unwrap();
    assert_eq!((first.pending_revision, first.steps.len()), (2, 2), "another must, too");
    refused(world.approve_revision("Approver", &plan, 2).await, Code::PermissionDenied, "APPROVED_ALREADY");
    let second = world.approve_revision("second", &plan, 2).await.unwrap();
    assert_eq!((second.pending_revision, second.steps.len()), (0, 3));
    assert_eq!((second.first_approver.as_str(), second.approver.as_str()), ("approver", "second"));
    assert_eq!(second.second_approval_reason, "CNY 151.00 in all is above the cap of CNY 150.00");
    world.house.done().await;
}

#[tokio::test]
async fn a_rule_approves_a_revision_or_refuses_it() {
    let world = World::open().await;
    let small = automatic("small", "total_minor <= 10000");
    let large = by_people("large", "total_minor <= 50000", 1);
    let mut never = by_people("never", "true", 1);
    (never.demand, never.approvers) = (proto::redress::resolution::v1::ApprovalDemand::Refusal.into(), 0);
    in_force(&world, of_rules(vec![small, large, never])).await;
    let plan = world.proposed(world.decided_case().await, vec![refund_of("a", 50)]).await;
    assert_eq!(plan.state(), PlanState::Executing);
    let (changed, revision) =
        world.revise(&plan, vec![refund_of("a", 50), refund_of("b", 50)]).await.unwrap();
    assert_eq!(revision.state(), PlanRevisionState::Applied);
    assert_eq!((revision.approvals.len(), revision.ruling.unwrap().rule.as_str()), (0, "small"));
    assert_eq!(changed.steps[1].state(), StepState::Open, "they are handed out at once");
    let (_, revision) = world.revise(&plan, vec![refund_of("a", 50), refund_of("b", 51)]).await.unwrap();
    assert_eq!(revision.state(), PlanRevisionState::Pending);
    world.revisions("approver").reject_plan_revision(rejection(&plan, 2)).await.unwrap();
    let refusal = world.revise(&plan, vec![refund_of("a", 501)]).await;
    refused(refusal, Code::FailedPrecondition, "REFUSED_BY_POLICY");
    let waits = world.proposed(world.decided_case().await, vec![refund_of("a", 200)]).await;
    assert_eq!(waits.state(), PlanState::Proposed);
    let before = world.published::<PlanApproved>().await;
    let (begun, _) = world.revise(&waits, vec![refund_of("a", 100)]).await.unwrap();
    assert_eq!((begun.state(), begun.steps[0].state()), (PlanState::Executing, StepState::Open));
    assert_eq!(world.published::<PlanApproved>().await, before + 1);
    world.house.done().await;
}

#[tokio::test]
async fn goods_that_are_short_and_what_a_department_handed_back_are_put_right_by_revising() {
    let world = World::open().await;
    let plan = world.approved(vec![exchange("a"), refund("b")]).await;
    let short = world.take("warehouse").await;
    lack(&world, &short, "A-17").await;
    let back = world.take("finance").await;
    world.client("worker").fail_task(crate::world::failure(&back, "CLOSED", false)).await.unwrap();
    let other = Step { department_id: "other".to_owned(), ..refund("b") };
    let going = world.revise_approved(&plan, vec![refund_of("a", 30), other]).await;
    for lease in [&short, &back] {
        assert_eq!(world.task(task_id(lease)).await.state(), TaskState::Cancelled);
    }
    assert_eq!(going.steps.iter().map(Step::state).collect::<Vec<_>>(), [StepState::Open; 2]);
    world.complete(&world.take("finance").await).await.unwrap();
    world.complete(&world.take("other").await).await.unwrap();
    assert_eq!(world.plan(&plan).await.state(), PlanState::Completed);
    world.house.done().await;
}

#[tokio::test]
async fn a_revision_lapses_when_its_plan_is_cancelled() {
    let world = World::open().await;
    for withdrawn in [false, true] {
        let plan = world.approved(vec![refund("a")]).await;
        world.revise(&plan, vec![refund("a"), refund_of("b", 7)]).await.unwrap();
        if withdrawn {
            let case = Uuid::try_parse(&plan.case_id).unwrap();
            let told = CaseWithdrawn {
                case_id: plan.case_id.clone(),
                cycle: 1,
                reason: "found it".to_owned(),
                ..CaseWithdrawn::default()
            };
            world.house.tell("cases", case, &told).await;
            world.house.settled().await;
        } else {
            world.approver().cancel_plan(cancellation(&plan)).await.unwrap();
        }
        let ended = world.plan(&plan).await;
        assert_eq!((ended.state(), ended.pending_revision), (PlanState::Cancelled, 0));
        let revision = world.listed(&plan).await.remove(0);
        assert_eq!(revision.state(), PlanRevisionState::Lapsed);
        assert!(revision.decide_time.is_some());
        let late = world.approve_revision("approver", &plan, 1).await;
        refused(late, Code::FailedPrecondition, "INVALID_REVISION_STATE");
        let mut entries = world.entries(&plan.case_id).await;
        entries.retain(|entry| entry.step_id == "b");
        entries.sort_by_key(|entry| entry.movement);
        assert_eq!(moved(&entries), [(LedgerMovement::Promised, 7), (LedgerMovement::Withdrawn, 7)]);
    }
    world.house.done().await;
}

#[tokio::test]
async fn a_plan_is_revised_so_often_and_no_more() {
    let world = World::open().await;
    let plan = world.proposed(world.decided_case().await, vec![refund("a")]).await;
    let most = i64::from(resolution::plan::revision::MAX_REVISIONS);
    for number in 1..=most {
        world.revise(&plan, vec![refund_of("a", 100 + number)]).await.unwrap();
    }
    refused(world.revise(&plan, vec![refund("z")]).await, Code::ResourceExhausted, "TOO_MANY_REVISIONS");
    let shown = world.plan(&plan).await;
    assert_eq!((shown.steps.len(), shown.taken_out_steps.len()), (1, 20));
    assert_eq!(shown.steps[0].step_id, "a-r20");
    world.house.done().await;
}
