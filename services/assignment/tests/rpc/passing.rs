//! Cases that are declined, not accepted in time, sent to and fro, reworked too often, or
//! that nobody can take.

use std::time::Duration;

use proto::redress::assignment::v1::{
    AcceptCaseRequest, Agent, AgentRouting, AssignmentEscalated, AssignmentState, CaseUnassignable,
    DeclineAssignmentRequest, Escalation, ListUnassignableRequest, RoutingPolicy, TransferCaseRequest,
};
use proto::redress::cases::v1::CaseOpened;
use testkit::{eventually, reason, request_id, violations};
use tonic::Code;
use uuid::Uuid;

use crate::routing::weights;
use crate::{World, agent, new_case, opened, reopened, state};

fn decline(case: Uuid, agent: &str) -> DeclineAssignmentRequest {
    DeclineAssignmentRequest {
        request_id: request_id(),
        case_id: case.to_string(),
        expected_version: None,
        agent_id: agent.to_owned(),
        reason: "not my field".to_owned(),
    }
}

fn accept(case: Uuid, agent: &str) -> AcceptCaseRequest {
    AcceptCaseRequest {
        request_id: request_id(),
        case_id: case.to_string(),
        expected_version: None,
        agent_id: agent.to_owned(),
    }
}

fn send(case: Uuid, department: &str) -> TransferCaseRequest {
    TransferCaseRequest {
        request_id: request_id(),
        case_id: case.to_string(),
        department_id: department.to_owned(),
        reason: "not ours".to_owned(),
        ..TransferCaseRequest::default()
    }
}

fn below(id: &str, department: &str, supervisor: &str) -> Agent {
    let routing = AgentRouting { supervisor_id: supervisor.to_owned(), ..AgentRouting::default() };
    Agent { routing: Some(routing), ..agent(id, department, 5) }
}

impl World {
    async fn unassignable(&self) -> Vec<String> {
        let listed = self.routing().list_unassignable(ListUnassignableRequest::default()).await;
        listed.unwrap().into_inner().assignments.into_iter().map(|case| case.case_id).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_declined_goes_to_the_next_and_is_not_offered_again() {
    let mut world = World::with_delivery().await;
    world.agent("ann", "delivery", 5).await;
    let case = world.case("delivery").await;
    world.agent("bo", "delivery", 5).await;
    let request = decline(case, "ann");
    let passed = world.client.decline_assignment(request.clone()).await.unwrap().into_inner();
    let assignment = passed.assignment.clone().unwrap();
    assert_eq!((assignment.agent_id.as_str(), assignment.transfers), ("bo", 1));
    assert_eq!(assignment.passed_agent_ids, ["ann"]);
    assert!(
        assignment.explanation.starts_with("declined by developer for ann: not my field; "),
        "{assignment:?}"
    );
    assert_eq!(world.client.decline_assignment(request).await.unwrap().into_inner(), passed);
    assert_eq!((world.load("ann").await, world.load("bo").await), (0, 1));
    let last = world.client.decline_assignment(decline(case, "bo")).await.unwrap().into_inner();
    let last = last.assignment.unwrap();
    assert_eq!((state(&last), last.passed_agent_ids.len()), (AssignmentState::Waiting, 2));
    assert_eq!(world.unassignable().await, [case.to_string()]);
    // Whoever passed it on may still take it up.
    world.client.assign_case(crate::assign(case, "ann")).await.unwrap();
    assert!(world.unassignable().await.is_empty());

    let refused = world.client.decline_assignment(decline(case, "bo")).await.unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused).as_str()),
        (Code::FailedPrecondition, "NOT_ASSIGNED_TO_AGENT")
    );
    world.client.accept_case(accept(case, "ann")).await.unwrap();
    let refused = world.client.decline_assignment(decline(case, "ann")).await.unwrap_err();
    assert_eq!(reason(&refused), "NOT_ASSIGNED_TO_AGENT", "who accepted hands on with a transfer");
    let refused = world.client.decline_assignment(decline(new_case(), "ann")).await.unwrap_err();
    assert_eq!(reason(&refused), "ASSIGNMENT_NOT_FOUND");
    let refused = world.client.decline_assignment(DeclineAssignmentRequest::default()).await.unwrap_err();
    assert_eq!(violations(&refused), ["request_id", "case_id", "agent_id", "reason"]);
    world.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_accepted_in_time_goes_to_the_next_and_says_so() {
    let mut world = World::at_nine().await;
    world
        .policy(RoutingPolicy {
            weights: Some(weights(100, 0)),
            accept_seconds: 3_600,
            ..RoutingPolicy::default()
        })
        .await;
    world.agent("ann", "delivery", 5).await;
    let (late, accepted) = (world.case("delivery").await, world.case("delivery").await);
    assert!(world.assignment(late).await.accept_by_time.is_some());
    let taken = world.client.accept_case(accept(accepted, "ann")).await.unwrap().into_inner();
    assert_eq!(taken.assignment.unwrap().accept_by_time, None);
    world.agent("bo", "delivery", 5).await;
    world.house.advance(Duration::from_mins(59));
    world.house.advance(Duration::from_mins(2));
    let (client, id) = (world.client.clone(), late.to_string());
    eventually(async || crate::handler_of(client.clone(), &id).await == "bo").await;
    let assignment = world.assignment(late).await;
    assert!(assignment.explanation.starts_with("not accepted in time by ann; bo is"), "{assignment:?}");
    assert_eq!(world.handler(accepted).await, "ann");
    let told = world.told_assigned().await;
    assert!(told.last().unwrap().explanation.starts_with("not accepted in time by ann"));
    world.house.advance(Duration::from_mins(61));
    eventually(async || crate::handler_of(client.clone(), &id).await.is_empty()).await;
    let told: Vec<CaseUnassignable> = world.house.published("assignment").await;
    assert_eq!((told.len(), told[0].case_id.as_str()), (1, id.as_str()));
    world.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_third_department_does_not_get_a_case_but_the_supervisor() {
    let mut world = World::with_delivery().await;
    for department in ["finance", "care", "seniors"] {
        world.department(department, &[department]).await;
    }
    world.agent("head", "seniors", 5).await;
    world.hire(below("lead", "seniors", "head")).await;
    world.agent("ann", "delivery", 5).await;
    world.hire(below("cy", "finance", "lead")).await;
    world.agent("di", "care", 5).await;
    let case = world.case("delivery").await;
    world.client.transfer_case(send(case, "finance")).await.unwrap();
    assert_eq!(world.handler(case).await, "cy");
    let sent = world.client.transfer_case(send(case, "care")).await.unwrap().into_inner().assignment.unwrap();
    assert_eq!((sent.agent_id.as_str(), sent.escalation()), ("lead", Escalation::PingPong));
    assert!(sent.explanation.ends_with("the third department of its cycle; escalated to lead"), "{sent:?}");
    let told: Vec<AssignmentEscalated> = world.house.published("assignment").await;
    assert_eq!(
        (told.len(), told[0].reason(), told[0].supervisor_id.as_str()),
        (1, Escalation::PingPong, "lead")
    );
    let sent = world.client.transfer_case(send(case, "care")).await.unwrap().into_inner().assignment.unwrap();
    assert_eq!(sent.agent_id, "di", "who looks after it sends it where it belongs");
    assert_eq!(world.house.published::<AssignmentEscalated>("assignment").await.len(), 1);

    let alone = world.case("delivery").await;
    world.client.transfer_case(send(alone, "care")).await.unwrap();
    let sent =
        world.client.transfer_case(send(alone, "finance")).await.unwrap().into_inner().assignment.unwrap();
    assert_eq!(
        (sent.agent_id.as_str(), sent.escalation()),
        ("cy", Escalation::PingPong),
        "nobody is above di"
    );
    let told: Vec<AssignmentEscalated> = world.house.published("assignment").await;
    assert_eq!(told[1].supervisor_id, "");
    world.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_third_rework_goes_one_level_up_past_who_has_no_room() {
    let mut world = World::with_delivery().await;
    world.department("seniors", &["senior"]).await;
    world.agent("head", "seniors", 5).await;
    world.hire(Agent { capacity: 0, ..below("lead", "seniors", "head") }).await;
    world.hire(below("ann", "delivery", "lead")).await;
    let case = world.case("delivery").await;
    for cycle in 2..=4 {
        world.resolved(case, cycle - 1).await;
        world.house.tell("cases", case, &reopened(case, cycle, "ann")).await;
        world.house.settled().await;
        let expected =
            if cycle == 4 { ("head", Escalation::Rework) } else { ("ann", Escalation::Unspecified) };
        let assignment = world.assignment(case).await;
        assert_eq!((assignment.agent_id.as_str(), assignment.escalation()), expected);
    }
    let told: Vec<AssignmentEscalated> = world.house.published("assignment").await;
    assert_eq!((told.len(), told[0].cycle, told[0].supervisor_id.as_str()), (1, 4, "head"));
    world.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_nobody_can_take_is_told_and_listed_until_somebody_can() {
    let mut world = World::open().await;
    let homeless = world.case("delivery").await;
    assert_eq!(world.unassignable().await, [homeless.to_string()]);
    world.department("delivery", &["delivery"]).await;
    assert_eq!(world.unassignable().await, [homeless.to_string()], "a department without agents");
    world.puller("bo", "delivery", 5).await;
    assert!(world.unassignable().await.is_empty(), "who is away may claim it");
    let about_bo =
        world.case_like(CaseOpened { respondent_staff: "bo".to_owned(), ..opened("delivery") }).await;
    assert_eq!(world.unassignable().await, [about_bo.to_string()]);
    world.update_agent(Agent { capacity: 0, available: false, ..agent("bo", "delivery", 0) }).await;
    let mut both = [homeless.to_string(), about_bo.to_string()];
    both.sort_unstable();
    assert_eq!(world.unassignable().await, both);
    let told: Vec<CaseUnassignable> = world.house.published("assignment").await;
    let told: Vec<_> = told.iter().map(|one| (one.case_id.clone(), one.department_id.as_str())).collect();
    let expected =
        [(homeless.to_string(), ""), (about_bo.to_string(), "delivery"), (homeless.to_string(), "delivery")];
    assert_eq!(told, expected);
    page_by_page(&world, &both).await;
    world.update_agent(agent("bo", "delivery", 1)).await;
    assert_eq!(world.handler(homeless).await, "bo", "who is there again has it");
    world.house.done().await;
}

async fn page_by_page(world: &World, both: &[String]) {
    let mut page = ListUnassignableRequest { page_size: 1, page_token: String::new() };
    let first = world.routing().list_unassignable(page.clone()).await.unwrap().into_inner();
    page.page_token = first.next_page_token;
    let second = world.routing().list_unassignable(page).await.unwrap().into_inner();
    assert_eq!(second.assignments[0].case_id, both[1]);
    assert_eq!(second.next_page_token, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_in_a_department_that_its_last_agent_left_is_told() {
    let mut world = World::with_delivery().await;
    world.department("finance", &["billing"]).await;
    world.puller("bo", "delivery", 1).await;
    let case = world.case("delivery").await;
    assert!(world.unassignable().await.is_empty());
    world.update_agent(agent("bo", "finance", 1)).await;
    assert_eq!(world.unassignable().await, [case.to_string()]);
    let told: Vec<CaseUnassignable> = world.house.published("assignment").await;
    assert_eq!(told.last().map(|one| one.case_id.clone()), Some(case.to_string()));
    world.update_agent(agent("bo", "delivery", 1)).await;
    assert_eq!(world.handler(case).await, "bo");
    world.house.done().await;
}
