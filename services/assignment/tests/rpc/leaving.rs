//! Agents who are absent, leave and are removed.

use std::time::Duration;

use prost_types::Timestamp;
use proto::redress::assignment::v1::assignment_service_client::AssignmentServiceClient;
use proto::redress::assignment::v1::roster_service_client::RosterServiceClient;
use proto::redress::assignment::v1::{
    AcceptCaseRequest, Agent, AgentRemoved, AgentRouting, CreateAgentRequest, CreateDepartmentRequest,
    GetAgentRequest, ListAgentsRequest, OffboardAgentRequest, Presence, RecordAbsenceRequest,
    RemoveAgentRequest, TransferCaseRequest,
};
use testkit::{CallerChannel, House, MockClock, eventually, reason, request_id, violations};
use tonic::Code;

use crate::races::wrong_loads;
use crate::{World, agent, opened};

/// 23 November 2026 at 09:00 UTC, when the clock of these worlds begins.
const NINE: i64 = 1_795_424_400;

impl World {
    pub(crate) fn roster(&self) -> RosterServiceClient<CallerChannel> {
        RosterServiceClient::new(self.house.channel())
    }
}

fn absent(agent: &str, hours: i64, hand_over: bool) -> RecordAbsenceRequest {
    RecordAbsenceRequest {
        request_id: request_id(),
        agent_id: agent.to_owned(),
        until_time: Some(Timestamp { seconds: NINE + hours * 3_600, nanos: 0 }),
        hand_over,
        reason: "ill".to_owned(),
    }
}

fn offboard(agent: &str) -> OffboardAgentRequest {
    OffboardAgentRequest {
        request_id: request_id(),
        expected_version: None,
        agent_id: agent.to_owned(),
        reason: "retires".to_owned(),
    }
}

fn remove(agent: &str) -> RemoveAgentRequest {
    RemoveAgentRequest { request_id: request_id(), expected_version: None, agent_id: agent.to_owned() }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_absent_hands_over_everything_and_is_given_cases_again_once_back() {
    let mut world = World::at_nine().await;
    world.agent("ann", "delivery", 5).await;
    let accepted = world.case("delivery").await;
    world.house.advance(Duration::from_mins(1));
    let assigned = world.case("delivery").await;
    let accept = AcceptCaseRequest {
        request_id: request_id(),
        case_id: accepted.to_string(),
        expected_version: None,
        agent_id: "ann".to_owned(),
    };
    world.client.accept_case(accept).await.unwrap();
    world.agent("bo", "delivery", 1).await;
    let request = absent("ann", 8, true);
    let done = world.roster().record_absence(request.clone()).await.unwrap().into_inner();
    assert_eq!(world.roster().record_absence(request).await.unwrap().into_inner(), done);
    let ann = done.agent.unwrap();
    assert_eq!((done.handed_over, ann.load, ann.presence()), (2, 0, Presence::Absent));
    assert_eq!(ann.absent_until_time.unwrap().seconds, NINE + 8 * 3_600);
    let handed = world.assignment(accepted).await;
    assert_eq!((handed.agent_id.as_str(), handed.transfers), ("bo", 1));
    assert!(handed.explanation.starts_with("handed over by ann: ill; bo is"), "{handed:?}");
    assert_eq!(world.queue("delivery").await, [assigned.to_string()]);
    let later = world.case("delivery").await;
    world.house.advance(Duration::from_hours(8));
    let (client, id) = (world.client.clone(), later.to_string());
    eventually(async || crate::handler_of(client.clone(), &id).await == "ann").await;
    assert_eq!(world.handler(assigned).await, "", "whoever handed it over is not given it again");
    assert_eq!(wrong_loads(&mut world.house.owner().await).await, Vec::<String>::new());
    world.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_absence_is_ended_early_and_refused_for_its_reasons() {
    let mut world = World::at_nine().await;
    world.agent("ann", "delivery", 5).await;
    world.roster().record_absence(absent("ann", 8, false)).await.unwrap();
    let case = world.case("delivery").await;
    assert_eq!(world.handler(case).await, "");
    let back = RecordAbsenceRequest { until_time: None, ..absent("ann", 0, false) };
    let ann = world.roster().record_absence(back.clone()).await.unwrap().into_inner().agent.unwrap();
    assert_eq!((ann.presence(), ann.load), (Presence::Present, 1));
    let refused = world.roster().record_absence(absent("ann", 0, false)).await.unwrap_err();
    assert_eq!(
        (reason(&refused).as_str(), violations(&refused)),
        ("INVALID_ABSENCE", vec!["until_time".to_owned()])
    );
    let wrong =
        RecordAbsenceRequest { hand_over: true, reason: String::new(), request_id: request_id(), ..back };
    let refused = world.roster().record_absence(wrong).await.unwrap_err();
    assert_eq!(violations(&refused), ["hand_over", "reason"]);
    let refused = world.roster().record_absence(absent("nobody", 8, false)).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::NotFound, "AGENT_NOT_FOUND"));
    world.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_hands_over_all_they_hold_however_much_and_is_removed_then() {
    let mut world = World::with_delivery().await;
    world.agent("ann", "delivery", 450).await;
    for _ in 0..450 {
        world.house.tell("cases", crate::new_case(), &opened("delivery")).await;
    }
    world.house.settled().await;
    assert_eq!(world.load("ann").await, 450);
    world.agent("bo", "delivery", 500).await;
    let refused = world.roster().remove_agent(remove("ann")).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "AGENT_HOLDS_CASES"));
    let request = offboard("ann");
    let done = world.roster().offboard_agent(request.clone()).await.unwrap().into_inner();
    assert_eq!(world.roster().offboard_agent(request).await.unwrap().into_inner(), done);
    let ann = done.agent.unwrap();
    assert_eq!((done.handed_over, ann.presence()), (200, Presence::Leaving));
    let client = world.client.clone();
    eventually(async || {
        let request = GetAgentRequest { agent_id: "ann".to_owned() };
        client.clone().get_agent(request).await.unwrap().into_inner().agent.unwrap().load == 0
    })
    .await;
    assert_eq!(world.load("bo").await, 450);
    let given =
        world.client.assign_case(crate::assign(world.case("delivery").await, "ann")).await.unwrap_err();
    assert_eq!(reason(&given), "NOT_WAITING");
    let request = remove("ann");
    world.roster().remove_agent(request.clone()).await.unwrap();
    world.roster().remove_agent(request).await.unwrap();
    let gone = world.client.get_agent(GetAgentRequest { agent_id: "ann".to_owned() }).await.unwrap_err();
    assert_eq!(reason(&gone), "AGENT_NOT_FOUND");
    let listed = world.client.list_agents(ListAgentsRequest::default()).await.unwrap().into_inner().agents;
    assert_eq!(listed.len(), 1);
    let told: Vec<AgentRemoved> = world.house.published("assignment").await;
    assert_eq!((told[0].agent_id.as_str(), told[0].version), ("ann", ann.version + 1));
    let again = world.agent("ann", "delivery", 3).await;
    assert_eq!(
        (again.version, again.presence()),
        (ann.version + 2, Presence::Present),
        "their name is known by version"
    );
    assert_eq!(wrong_loads(&mut world.house.owner().await).await, Vec::<String>::new());
    world.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_is_given_nothing_and_who_stands_above_others_is_not_removed() {
    let mut world = World::with_delivery().await;
    world.agent("lead", "delivery", 5).await;
    let routing = AgentRouting { supervisor_id: "lead".to_owned(), ..AgentRouting::default() };
    let below = Agent { routing: Some(routing), ..agent("ann", "delivery", 0) };
    world.hire(below).await;
    world.roster().offboard_agent(offboard("lead")).await.unwrap();
    let case = world.case("delivery").await;
    assert_eq!(world.handler(case).await, "");
    let refused = world.client.assign_case(crate::assign(case, "lead")).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "AGENT_LEAVING"));
    let to_lead = TransferCaseRequest {
        request_id: request_id(),
        case_id: case.to_string(),
        agent_id: "lead".to_owned(),
        reason: "x".to_owned(),
        ..TransferCaseRequest::default()
    };
    assert_eq!(reason(&world.client.transfer_case(to_lead).await.unwrap_err()), "AGENT_LEAVING");
    let claim = proto::redress::assignment::v1::ClaimNextRequest {
        request_id: request_id(),
        agent_id: "lead".to_owned(),
    };
    assert_eq!(reason(&world.client.claim_next(claim).await.unwrap_err()), "AGENT_LEAVING");
    let refused = world.roster().remove_agent(remove("lead")).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "AGENT_SUPERVISES"));
    let stale = RemoveAgentRequest { expected_version: Some(1), ..remove("lead") };
    assert_eq!(reason(&world.roster().remove_agent(stale).await.unwrap_err()), "VERSION_MISMATCH");
    for refused in [
        world.roster().remove_agent(remove("nobody")).await.map(drop).unwrap_err(),
        world.roster().offboard_agent(offboard("nobody")).await.map(drop).unwrap_err(),
    ] {
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::NotFound, "AGENT_NOT_FOUND"));
    }
    world.update_agent(Agent { routing: Some(AgentRouting::default()), ..agent("ann", "delivery", 1) }).await;
    world.roster().remove_agent(remove("lead")).await.unwrap();
    world.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_absence_is_the_agents_own_or_a_supervisors_and_no_other_tenants() {
    let house = House::builder(&[assignment::SERVICE]).identified().clock(MockClock::default()).open().await;
    let roster = |tenant: &str, subject: &str, role: &str| {
        RosterServiceClient::new(house.channel_as(tenant, subject, &[role]))
    };
    let mut admin = AssignmentServiceClient::new(house.channel_as("south", "chief", &["admin"]));
    let department = Some(crate::department("delivery", &["delivery"]));
    admin.create_department(CreateDepartmentRequest { request_id: request_id(), department }).await.unwrap();
    let hire = CreateAgentRequest { request_id: request_id(), agent: Some(agent("ann", "delivery", 1)) };
    admin.create_agent(hire).await.unwrap();
    let refused = roster("south", "bo", "agent").record_absence(absent("ann", 8, false)).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::PermissionDenied, "NOT_THE_HANDLER"));
    for (subject, role) in [("Ann", "agent"), ("boss", "supervisor")] {
        roster("south", subject, role).record_absence(absent("ann", 8, false)).await.unwrap();
    }
    for refused in [
        roster("north", "x", "admin").remove_agent(remove("ann")).await.map(drop).unwrap_err(),
        roster("north", "x", "admin").offboard_agent(offboard("ann")).await.map(drop).unwrap_err(),
        roster("north", "x", "supervisor")
            .record_absence(absent("ann", 8, false))
            .await
            .map(drop)
            .unwrap_err(),
    ] {
        assert_eq!(reason(&refused), "AGENT_NOT_FOUND");
    }
    house.done().await;
}
