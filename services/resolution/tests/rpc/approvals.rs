//! How many people approve, and which departments there are.

use proto::redress::assignment::v1::DepartmentCreated;
use proto::redress::cases::v1::CaseDecided;
use proto::redress::resolution::v1::{
    ApprovePlanRequest, GetApprovalLimitsRequest, ListTasksRequest, Plan, PlanApproved, PlanState,
    RequeueTaskRequest, SetApprovalLimitsRequest, Step,
};
use testkit::request_id;
use tonic::{Code, Status};
use uuid::Uuid;

use crate::repeated;
use crate::world::{
    World, apology, decided, failure, invalid, poll, proposal, refund, refused, task_id, yuan,
};

async fn approve(world: &World, plan: &Plan, by: &str) -> Result<Plan, Status> {
    let plan_id = plan.plan_id.clone();
    let request = ApprovePlanRequest {
        request_id: request_id(),
        plan_id,
        expected_version: None,
        on_behalf_of: String::new(),
    };
    Ok(world.client(by).approve_plan(request).await?.into_inner().plan.unwrap())
}

/// Caps of so many yuan for a case; none where there is none.
fn capped(units: Option<i64>) -> SetApprovalLimitsRequest {
    SetApprovalLimitsRequest {
        request_id: request_id(),
        expected_version: None,
        case_caps: units.map(yuan).into_iter().collect(),
    }
}

async fn cap(world: &World, units: i64) {
    world.client_as("admin", &["admin"]).set_approval_limits(capped(Some(units))).await.unwrap();
}

fn refund_of(id: &str, units: i64) -> Step {
    Step { amount: Some(yuan(units)), ..refund(id) }
}

#[tokio::test]
async fn a_plan_above_the_cap_is_approved_by_two_people_who_are_not_its_proposer() {
    let world = World::open().await;
    cap(&world, 150).await;
    let plan = world.proposed(world.decided_case().await, vec![refund_of("a", 151)]).await;
    let first = approve(&world, &plan, "approver").await.unwrap();
    assert_eq!((first.state(), first.first_approver.as_str()), (PlanState::Proposed, "approver"));
    assert_eq!(first.second_approval_reason, "CNY 151.00 in all is above the cap of CNY 150.00");
    assert!(world.poll("finance").await.is_empty(), "nothing is done yet");
    assert_eq!(world.published::<PlanApproved>().await, 0);
    let again = approve(&world, &plan, "Approver").await;
    refused(again, Code::PermissionDenied, "APPROVED_ALREADY");
    let own = approve(&world, &plan, "HANDLER").await;
    refused(own, Code::PermissionDenied, "APPROVER_IS_PROPOSER");
    let second = approve(&world, &plan, "second").await.unwrap();
    assert_eq!((second.state(), second.approver.as_str()), (PlanState::Executing, "second"));
    assert!(!second.steps[0].task_id.is_empty());
    assert_eq!(world.published::<PlanApproved>().await, 1);
    world.house.done().await;
}

#[tokio::test]
async fn a_cap_counts_all_cycles_of_a_case_and_no_other_case() {
    let world = World::open().await;
    cap(&world, 150).await;
    let case = world.decided_case().await;
    let one = world.proposed(case, vec![refund_of("a", 100)]).await;
    assert_eq!(approve(&world, &one, "approver").await.unwrap().state(), PlanState::Executing);
    world.complete(&world.take("finance").await).await.unwrap();
    world.house.tell("cases", case, &decided(case, 2, 3, true)).await;
    world.house.settled().await;
    let more = world.proposed(case, vec![refund_of("a", 51)]).await;
    let first = approve(&world, &more, "approver").await.unwrap();
    assert_eq!(first.second_approval_reason, "CNY 151.00 in all is above the cap of CNY 150.00");
    let other = world.proposed(world.decided_case().await, vec![refund_of("a", 150)]).await;
    assert_eq!(approve(&world, &other, "approver").await.unwrap().state(), PlanState::Executing);
    world.house.done().await;
}

#[tokio::test]
async fn what_goes_beyond_what_was_sought_needs_two() {
    let world = World::open().await;
    for (sought, states) in [
        (Some(yuan(100)), PlanState::Executing),
        (Some(yuan(99)), PlanState::Proposed),
        (None, PlanState::Executing),
    ] {
        let case = Uuid::try_parse(&request_id()).unwrap();
        let told = CaseDecided { amount_sought: sought, ..decided(case, 1, 3, true) };
        world.house.tell("cases", case, &told).await;
        world.house.settled().await;
        let plan = world.proposed(case, vec![refund("a")]).await;
        assert_eq!(approve(&world, &plan, "approver").await.unwrap().state(), states);
    }
    world.house.done().await;
}

#[tokio::test]
async fn two_who_approve_one_plan_at_once_are_both_counted() {
    let world = World::open().await;
    cap(&world, 1).await;
    for _ in 0..10 {
        let plan = world.proposed(world.decided_case().await, vec![refund("a")]).await;
        let (one, two) = tokio::join!(approve(&world, &plan, "one"), approve(&world, &plan, "two"));
        let states = [one.unwrap().state(), two.unwrap().state()];
        assert!(
            states.contains(&PlanState::Proposed) && states.contains(&PlanState::Executing),
            "{states:?}"
        );
    }
    assert_eq!(world.published::<PlanApproved>().await, 10);
    assert_eq!(world.poll("finance").await.len(), 10);
    world.house.done().await;
}

#[tokio::test]
async fn limits_are_set_once_by_who_has_seen_them() {
    let world = World::open().await;
    let mut admin = world.client_as("admin", &["admin"]);
    let none =
        admin.get_approval_limits(GetApprovalLimitsRequest {}).await.unwrap().into_inner().limits.unwrap();
    assert_eq!((none.version, none.case_caps.len()), (0, 0));
    let set =
        repeated!(admin, set_approval_limits, capped(Some(5)), |other: &mut SetApprovalLimitsRequest| {
            other.case_caps = vec![yuan(6)];
        });
    assert_eq!(set.limits.unwrap().version, 1);
    for (seen, stands) in [(0, false), (2, false), (1, true), (1, false)] {
        let request = SetApprovalLimitsRequest { expected_version: Some(seen), ..capped(None) };
        let answer = admin.set_approval_limits(request).await;
        if stands {
            assert_eq!(answer.unwrap().into_inner().limits.unwrap().version, 2);
        } else {
            refused(answer, Code::Aborted, "VERSION_MISMATCH");
        }
    }
    let bad = SetApprovalLimitsRequest { case_caps: vec![yuan(0), yuan(1), yuan(1)], ..capped(None) };
    invalid(
        admin.set_approval_limits(bad).await,
        "INVALID_LIMITS",
        &["case_caps[0]", "case_caps[1]", "case_caps[2]"],
    );
    world.house.done().await;
}

#[tokio::test]
async fn a_department_that_there_is_not_is_refused_everywhere() {
    let world = World::open().await;
    let nowhere = |id: &str| Step { department_id: "nowhere".to_owned(), ..apology(id) };
    let case = world.decided_case().await;
    let refusal =
        world.handler().propose_plan(proposal(case, vec![nowhere("a"), apology("b"), nowhere("c")])).await;
    invalid(refusal, "INVALID_PLAN", &["steps[0].department_id", "steps[2].department_id"]);
    refused(world.client("worker").poll_tasks(poll("nowhere")).await, Code::NotFound, "DEPARTMENT_NOT_FOUND");
    let list = ListTasksRequest { department_id: "nowhere".to_owned(), ..ListTasksRequest::default() };
    refused(world.client("boss").list_tasks(list).await, Code::NotFound, "DEPARTMENT_NOT_FOUND");
    world.approved_for(case, vec![refund("a")]).await;
    let lease = world.take("finance").await;
    world.client("worker").fail_task(failure(&lease, "BROKEN", false)).await.unwrap();
    let requeue = RequeueTaskRequest {
        request_id: request_id(),
        task_id: task_id(&lease).to_owned(),
        department_id: "nowhere".to_owned(),
        reason: "they may".to_owned(),
    };
    refused(world.client("boss").requeue_task(requeue.clone()).await, Code::NotFound, "DEPARTMENT_NOT_FOUND");
    // Once there is one, it may have tasks.
    let created = DepartmentCreated { department_id: "nowhere".to_owned() };
    world.house.tell("assignment", Uuid::try_parse(&request_id()).unwrap(), &created).await;
    world.house.settled().await;
    world.client("boss").requeue_task(requeue).await.unwrap();
    assert_eq!(world.poll("nowhere").await.len(), 1);
    world.house.done().await;
}
