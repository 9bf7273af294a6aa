//! Plans judged by a tenant's own policy: approved by a rule, by several people, refused;
//! its versions, and what they would have made of past plans.

use std::time::Duration;

use proto::redress::cases::v1::{CaseLinked, CaseOpened, CaseUnlinked};
use proto::redress::resolution::v1::approval_service_client::ApprovalServiceClient;
use proto::redress::resolution::v1::{
    ActivateApprovalPolicyRequest, ApprovalDemand, ApprovalPolicy, ApprovalRule, ApprovalRuling,
    ApprovePlanRequest, ApproverLimit, CreateApprovalPolicyRequest, Plan, PlanApproved, PlanProposed,
    PlanState, ProposePlanRequest, RemedyKind, Step,
};
use testkit::{CallerChannel, reason, request_id};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::repeated;
use crate::world::{
    World, apology, cancellation, completion, decided, poll, proposal, refund, refused, step, yuan,
};

type Policies = ApprovalServiceClient<CallerChannel>;

pub(crate) fn policies(world: &World, subject: &str) -> Policies {
    let roles = ["admin", "supervisor"];
    ApprovalServiceClient::new(world.house.channel_as("development", subject, &roles))
}

pub(crate) fn rule(name: &str, when: &str, demand: ApprovalDemand, approvers: i32) -> ApprovalRule {
    ApprovalRule {
        name: name.to_owned(),
        when: when.to_owned(),
        reason: format!("because of {name}"),
        demand: demand.into(),
        approvers,
        approver_limit: Vec::new(),
    }
}

pub(crate) fn automatic(name: &str, when: &str) -> ApprovalRule {
    rule(name, when, ApprovalDemand::Automatic, 0)
}

pub(crate) fn by_people(name: &str, when: &str, approvers: i32) -> ApprovalRule {
    rule(name, when, ApprovalDemand::Approvers, approvers)
}

pub(crate) fn of_rules(rules: Vec<ApprovalRule>) -> ApprovalPolicy {
    ApprovalPolicy { rules, ..ApprovalPolicy::default() }
}

pub(crate) fn creation(policy: ApprovalPolicy) -> CreateApprovalPolicyRequest {
    CreateApprovalPolicyRequest { request_id: request_id(), policy: Some(policy) }
}

/// Makes a policy and has plans judged by it from now on; answers its version.
pub(crate) async fn in_force(world: &World, policy: ApprovalPolicy) -> i64 {
    let mut admin = policies(world, "admin");
    let made = admin.create_approval_policy(creation(policy)).await.unwrap().into_inner().policy.unwrap();
    let request = ActivateApprovalPolicyRequest { request_id: request_id(), version: made.version };
    admin.activate_approval_policy(request).await.unwrap();
    made.version
}

pub(crate) async fn approve(world: &World, plan: &Plan, by: &str, behalf: &str) -> Result<Plan, Status> {
    let request = ApprovePlanRequest {
        request_id: request_id(),
        plan_id: plan.plan_id.clone(),
        expected_version: None,
        on_behalf_of: behalf.to_owned(),
    };
    Ok(world.client(by).approve_plan(request).await?.into_inner().plan.unwrap())
}

pub(crate) fn refund_of(units: i64) -> Step {
    Step { amount: Some(yuan(units)), ..refund("back") }
}

/// A decided case of a customer.
async fn case_of(world: &World, customer: &str) -> Uuid {
    let case = Uuid::try_parse(&request_id()).unwrap();
    let opened = CaseOpened {
        case_id: case.to_string(),
        cycle: 1,
        customer_id: customer.to_owned(),
        ..CaseOpened::default()
    };
    world.house.tell("cases", case, &opened).await;
    world.house.tell("cases", case, &decided(case, 1, 3, true)).await;
    world.house.settled().await;
    case
}

fn ruling(plan: &Plan) -> ApprovalRuling {
    plan.ruling.clone().unwrap()
}

pub(crate) const SMALL: &str = "total_minor <= 5000 && 'refund' in kinds && size(kinds) == 1";

#[tokio::test]
async fn a_small_refund_is_approved_by_a_rule_that_is_recorded_and_told() {
    let world = World::open().await;
    let version = in_force(&world, of_rules(vec![automatic("small", SMALL)])).await;
    let request = proposal(world.decided_case().await, vec![refund_of(50)]);
    let plan = repeated!(world.handler(), propose_plan, request, |other: &mut ProposePlanRequest| {
        other.case_id = request_id();
    });
    let plan = plan.plan.unwrap();
    assert_eq!((plan.state(), plan.approver.as_str(), plan.approvals.len()), (PlanState::Executing, "", 0));
    let by = ruling(&plan);
    assert_eq!(
        (by.demand(), by.rule.as_str(), by.policy_version),
        (ApprovalDemand::Automatic, "small", version)
    );
    assert_eq!(by.reasons, ["because of small"]);
    assert_eq!(world.plan(&plan).await, plan, "it is stored so");
    let told = world.house.published::<PlanApproved>("resolution").await;
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].rule.as_str(), told[0].policy_version, told[0].automatic), ("small", version, true));
    assert_eq!(world.published::<PlanProposed>().await, 1);

    let own = world.client("handler").poll_tasks(poll("finance")).await.unwrap().into_inner().leases;
    assert!(own.is_empty(), "who proposed it does not pay it");
    let lease = world.take("finance").await;
    let own = world.client("Handler").complete_task(completion(&lease)).await;
    refused(own, Code::PermissionDenied, "EXECUTOR_IS_PLANNER");
    world.complete(&lease).await.unwrap();
    assert_eq!(world.plan(&plan).await.state(), PlanState::Completed);
    let late = approve(&world, &plan, "approver", "").await;
    refused(late, Code::FailedPrecondition, "INVALID_PLAN_STATE");

    let more = world.proposed(world.decided_case().await, vec![refund_of(51)]).await;
    assert_eq!((more.state(), ruling(&more).approvers), (PlanState::Proposed, 1));
    let other = world.proposed(world.decided_case().await, vec![refund_of(50), apology("sorry")]).await;
    assert_eq!(other.state(), PlanState::Proposed, "not a refund alone");
    world.house.done().await;
}

#[tokio::test]
async fn as_many_people_approve_as_the_rule_says_and_none_of_them_pays() {
    let world = World::open().await;
    in_force(&world, of_rules(vec![by_people("large", "total_minor > 10000", 3)])).await;
    let plan = world.proposed(world.decided_case().await, vec![refund_of(101)]).await;
    assert_eq!((ruling(&plan).demand(), ruling(&plan).approvers), (ApprovalDemand::Approvers, 3));
    for (by, stands) in [("one", 1), ("two", 2)] {
        let waiting = approve(&world, &plan, by, "").await.unwrap();
        assert_eq!((waiting.state(), waiting.approvals.len()), (PlanState::Proposed, stands));
    }
    refused(approve(&world, &plan, "ONE", "").await, Code::PermissionDenied, "APPROVED_ALREADY");
    refused(approve(&world, &plan, "Handler", "").await, Code::PermissionDenied, "APPROVER_IS_PROPOSER");
    let begun = approve(&world, &plan, "three", "").await.unwrap();
    let approvers: Vec<_> = begun.approvals.iter().map(|one| one.approver.as_str()).collect();
    assert_eq!((begun.state(), approvers), (PlanState::Executing, vec!["one", "two", "three"]));
    assert_eq!((begun.first_approver.as_str(), begun.approver.as_str()), ("one", "three"));
    assert_eq!(world.published::<PlanApproved>().await, 1);
    for planner in ["handler", "one", "TWO", "three"] {
        let leases = world.client(planner).poll_tasks(poll("finance")).await.unwrap().into_inner().leases;
        assert!(leases.is_empty(), "{planner}");
    }
    let lease = world.take("finance").await;
    for planner in ["one", "Two", "three"] {
        let paid = world.client(planner).complete_task(completion(&lease)).await;
        refused(paid, Code::PermissionDenied, "EXECUTOR_IS_PLANNER");
    }
    world.complete(&lease).await.unwrap();
    world.house.done().await;
}

#[tokio::test]
async fn four_who_approve_at_once_are_each_counted_once_and_three_are_enough() {
    let world = World::open().await;
    in_force(&world, of_rules(vec![by_people("all", "true", 3)])).await;
    for _ in 0..5 {
        let plan = world.proposed(world.decided_case().await, vec![refund_of(5)]).await;
        let approve = |by| approve(&world, &plan, by, "");
        let (a, b, again, c) = tokio::join!(approve("a"), approve("b"), approve("A"), approve("c"));
        let answers = [a, b, again, c];
        let taken = answers.iter().filter(|answer| answer.is_ok()).count();
        assert_eq!(taken, 3, "{answers:?}");
        let plan = world.plan(&plan).await;
        assert_eq!((plan.state(), plan.approvals.len()), (PlanState::Executing, 3));
    }
    assert_eq!(world.published::<PlanApproved>().await, 5);
    world.house.done().await;
}

#[tokio::test]
async fn what_the_policy_refuses_is_refused_with_the_rule_and_its_reason() {
    let world = World::open().await;
    let waiting = world.proposed(world.decided_case().await, vec![refund("a")]).await;
    let staff = rule("staff", "'staff_measures' in kinds", ApprovalDemand::Refusal, 0);
    let late = rule("late", "category.startsWith('delivery/')", ApprovalDemand::Refusal, 0);
    in_force(&world, of_rules(vec![staff.clone()])).await;
    let case = world.decided_case().await;
    let measures = step("train", RemedyKind::StaffMeasures, &[]);
    let answer = world.handler().propose_plan(proposal(case, vec![measures])).await.unwrap_err();
    assert_eq!((answer.code(), reason(&answer).as_str()), (Code::FailedPrecondition, "REFUSED_BY_POLICY"));
    let told = "the approval policy refuses the plan by rule staff: because of staff";
    assert_eq!(answer.message(), told);
    assert_eq!(world.published::<PlanProposed>().await, 1, "nothing is stored");
    world.proposed(case, vec![refund("a")]).await;
    // A plan that waits is judged by what holds when it is approved.
    in_force(&world, of_rules(vec![staff, late])).await;
    let answer = approve(&world, &waiting, "approver", "").await;
    refused(answer, Code::FailedPrecondition, "REFUSED_BY_POLICY");
    assert_eq!(world.plan(&waiting).await, waiting);
    world.cancel(&waiting).await;
    world.house.done().await;
}

#[tokio::test]
async fn what_a_complainant_was_granted_in_all_their_cases_counts_for_its_days() {
    let world = World::open().await;
    let rules = vec![automatic("small", "complainant_total_minor <= 10000")];
    let caps = ApprovalPolicy { complainant_caps: vec![yuan(120)], complainant_days: 30, ..of_rules(rules) };
    in_force(&world, caps).await;
    let propose = async |customer: &str, units| {
        let case = case_of(&world, customer).await;
        world.proposed(case, vec![refund_of(units)]).await
    };
    assert_eq!(propose("C-1", 60).await.state(), PlanState::Executing);
    let second = propose("C-1", 40).await;
    assert_eq!(second.state(), PlanState::Executing, "up to the cap");
    let more = propose("C-1", 1).await;
    assert_eq!((more.state(), ruling(&more).approvers), (PlanState::Proposed, 1));
    let above = propose("C-1", 21).await;
    assert_eq!((above.state(), ruling(&above).approvers), (PlanState::Proposed, 2));
    let told = "CNY 121.00 to the complainant in 30 days is above the cap of CNY 120.00";
    assert_eq!(above.second_approval_reason, told);
    assert_eq!(propose("C-2", 100).await.state(), PlanState::Executing, "another's count apart");
    assert_eq!(propose("", 100).await.state(), PlanState::Executing, "without a number the case counts");
    // What is given up is granted no longer.
    world.approver().cancel_plan(cancellation(&second)).await.unwrap();
    assert_eq!(propose("C-1", 40).await.state(), PlanState::Executing);
    world.house.advance(Duration::from_hours(30 * 24));
    assert_eq!(propose("C-1", 100).await.state(), PlanState::Executing, "that was before");
    world.house.done().await;
}

#[tokio::test]
async fn plans_of_one_complainant_proposed_at_once_stay_below_what_a_rule_approves() {
    let world = World::open().await;
    in_force(&world, of_rules(vec![automatic("small", "complainant_total_minor <= 10000")])).await;
    let mut cases = Vec::new();
    for _ in 0..6 {
        cases.push(case_of(&world, "C-1").await);
    }
    let propose = |case: Uuid| {
        let mut handler = world.handler();
        async move { handler.propose_plan(proposal(case, vec![refund_of(30)])).await }
    };
    let plans = futures::future::join_all(cases.into_iter().map(propose)).await;
    let states: Vec<_> =
        plans.into_iter().map(|answer| answer.unwrap().into_inner().plan.unwrap().state()).collect();
    let begun = states.iter().filter(|state| **state == PlanState::Executing).count();
    assert_eq!(begun, 3, "{states:?}");
    world.house.done().await;
}

#[tokio::test]
async fn a_refund_for_the_same_order_in_a_linked_case_stops_at_a_person_who_is_shown_it() {
    let world = World::open().await;
    in_force(&world, of_rules(vec![automatic("all", "true")])).await;
    let (first, second) = (case_of(&world, "C-1").await, case_of(&world, "C-2").await);
    let linked = |same_order| CaseLinked {
        case_id: second.to_string(),
        other_case_id: first.to_string(),
        same_order,
        ..CaseLinked::default()
    };
    world.house.tell("cases", second, &linked(true)).await;
    world.house.settled().await;
    let refunded = world.proposed(first, vec![refund_of(30)]).await;
    assert_eq!(refunded.state(), PlanState::Executing);
    let again = world.proposed(second, vec![refund_of(30)]).await;
    assert_eq!((again.state(), ruling(&again).approvers), (PlanState::Proposed, 1));
    let shown = format!("the linked case {first} holds a refund of CNY 30.00 for the same order");
    assert_eq!(ruling(&again).reasons, ["because of all".to_owned(), shown]);
    world.cancel(&again).await;

    let unlinked = CaseUnlinked { case_id: second.to_string(), other_case_id: first.to_string() };
    world.house.tell("cases", second, &unlinked).await;
    world.house.settled().await;
    assert_eq!(world.proposed(second, vec![refund_of(30)]).await.state(), PlanState::Executing);
    let third = case_of(&world, "C-3").await;
    let other_order = CaseLinked { case_id: third.to_string(), ..linked(false) };
    world.house.tell("cases", third, &other_order).await;
    world.house.settled().await;
    assert_eq!(world.proposed(third, vec![refund_of(30)]).await.state(), PlanState::Executing);
    world.house.done().await;
}

#[tokio::test]
async fn linked_cases_proposed_at_once_are_not_both_refunded_by_a_rule() {
    let world = World::open().await;
    in_force(&world, of_rules(vec![automatic("all", "true")])).await;
    for _ in 0..5 {
        let (first, second) = (world.decided_case().await, world.decided_case().await);
        let (case_id, other_case_id) = (second.to_string(), first.to_string());
        let linked = CaseLinked { case_id, other_case_id, same_order: true, ..CaseLinked::default() };
        world.house.tell("cases", second, &linked).await;
        world.house.settled().await;
        let (one, two) = (proposal(first, vec![refund_of(5)]), proposal(second, vec![refund_of(5)]));
        let (mut left, mut right) = (world.client("left"), world.client("right"));
        let (one, two) = tokio::join!(left.propose_plan(one), right.propose_plan(two));
        let states = [one, two].map(|answer| answer.unwrap().into_inner().plan.unwrap().state());
        assert!(
            states.contains(&PlanState::Executing) && states.contains(&PlanState::Proposed),
            "{states:?}"
        );
    }
    world.house.done().await;
}

#[tokio::test]
async fn nobody_approves_beyond_their_limit() {
    let world = World::open().await;
    let limited = ApprovalRule { approver_limit: vec![yuan(50)], ..by_people("all", "true", 1) };
    let head = ApproverLimit { approver: "head".to_owned(), limits: vec![yuan(500)] };
    in_force(&world, ApprovalPolicy { approver_limits: vec![head], ..of_rules(vec![limited]) }).await;
    let small = world.proposed(world.decided_case().await, vec![refund_of(50)]).await;
    assert_eq!(approve(&world, &small, "approver", "").await.unwrap().state(), PlanState::Executing);
    let large = world.proposed(world.decided_case().await, vec![refund_of(51)]).await;
    let answer = approve(&world, &large, "approver", "").await;
    refused(answer, Code::PermissionDenied, "APPROVER_LIMIT_EXCEEDED");
    assert_eq!(approve(&world, &large, "Head", "").await.unwrap().state(), PlanState::Executing);
    world.house.done().await;
}
