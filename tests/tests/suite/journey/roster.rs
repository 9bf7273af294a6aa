//! Who handles cases: hired, described anew, away while cases wait.

use proto::redress::assignment::v1::{
    ActivateRoutingPolicyRequest, Agent, AgentRowState, AssignCaseRequest, AssignmentState, ClaimNextRequest,
    CreateAgentRequest, CreateDepartmentRequest, CreateRoutingPolicyRequest, DeclineAssignmentRequest,
    Department, GetRoutingPolicyRequest, ImportAgentsRequest, ListQueueRequest, OffboardAgentRequest,
    RecordAbsenceRequest, RemoveAgentRequest, RoutingPolicy, UpdateAgentRequest, UpdateDepartmentRequest,
};
use proto::redress::cases::v1::{CaseState, TimelineKind};
use proto::redress::intake::v1::Complaint;
use testkit::request_id;
use tonic::Code;

use super::scene::{Scene, broken_cups, refused};

/// Who handles deliveries.
const DELIVERY: &str = "delivery";
/// Whom nobody reaches but by a transfer.
pub(crate) const SENIOR: &str = "senior";
const OPERATOR: &str = "operator";

/// Two agents for deliveries, one whom others hand cases to.
pub(crate) async fn hired(scene: &Scene) {
    let department = create_department(scene, DELIVERY).await;
    for department in ["seniors", "finance", "warehouse"] {
        create_department(scene, department).await;
    }
    let changed = Department { categories: vec!["delivery".to_owned()], ..department.clone() };
    let request = UpdateDepartmentRequest {
        request_id: request_id(),
        expected_version: Some(department.version),
        department: Some(changed),
    };
    let updated = scene.assignment(OPERATOR).update_department(request.clone()).await.unwrap().into_inner();
    assert_eq!(updated.department.unwrap().version, department.version + 1);
    let stale = UpdateDepartmentRequest { request_id: request_id(), ..request };
    let answer = scene.assignment(OPERATOR).update_department(stale).await;
    refused(answer, Code::Aborted, "VERSION_MISMATCH");

    for (agent, department) in [("ann", DELIVERY), ("bo", DELIVERY), (SENIOR, "seniors")] {
        let request = CreateAgentRequest {
            request_id: request_id(),
            agent: Some(Agent { available: true, ..described(agent, department) }),
        };
        scene.assignment(OPERATOR).create_agent(request).await.unwrap();
    }
}

async fn create_department(scene: &Scene, id: &str) -> Department {
    let department = Department {
        department_id: id.to_owned(),
        display_name: format!("The {id} people"),
        ..Department::default()
    };
    let request = CreateDepartmentRequest { request_id: request_id(), department: Some(department) };
    let answer = scene.assignment(OPERATOR).create_department(request).await.unwrap();
    answer.into_inner().department.unwrap()
}

fn described(agent: &str, department: &str) -> Agent {
    Agent {
        agent_id: agent.to_owned(),
        department_id: department.to_owned(),
        display_name: format!("{agent} of {department}"),
        capacity: 20,
        ..Agent::default()
    }
}

/// Both agents are away: cases wait, the most urgent first; one is given to an
/// agent by name, the other is claimed.
pub(crate) async fn waited_for(scene: &Scene) {
    for agent in ["ann", "bo"] {
        let away = Agent { available: false, ..described(agent, DELIVERY) };
        let request =
            UpdateAgentRequest { request_id: request_id(), expected_version: Some(1), agent: Some(away) };
        let updated = scene.assignment(OPERATOR).update_agent(request).await.unwrap().into_inner();
        assert!(!updated.agent.unwrap().available);
    }
    let usual = scene.submit(broken_cups()).await.complaint_id;
    let hurt = Complaint { description: "I was injured by the glass".to_owned(), ..broken_cups() };
    let urgent = scene.submit(hurt).await.complaint_id;
    let expected = [TimelineKind::Opened, TimelineKind::Triaged, TimelineKind::Queued];
    assert_eq!(scene.story(&usual).await, expected);
    assert_eq!(scene.case(&usual).await.state(), CaseState::Triaged);
    assert_eq!(queue(scene).await, [urgent.clone(), usual.clone()], "the most urgent first");

    let request = AssignCaseRequest {
        request_id: request_id(),
        case_id: usual.clone(),
        expected_version: None,
        agent_id: "ann".to_owned(),
    };
    let given = scene.assignment(OPERATOR).assign_case(request).await.unwrap().into_inner();
    assert_eq!(given.assignment.unwrap().agent_id, "ann");
    let claim = || ClaimNextRequest { request_id: request_id(), agent_id: "bo".to_owned() };
    let claimed = scene.assignment("bo").claim_next(claim()).await.unwrap().into_inner();
    let claimed = claimed.assignment.unwrap();
    assert_eq!((claimed.case_id.as_str(), claimed.state()), (urgent.as_str(), AssignmentState::Assigned));
    let nothing = scene.assignment("bo").claim_next(claim()).await.unwrap().into_inner();
    assert_eq!(nothing.assignment, None);
    scene.settled().await;

    assert_eq!(queue(scene).await, [""; 0]);
    passed_on(scene, &usual).await;
    for (case, agent) in [(&usual, "bo"), (&urgent, "bo")] {
        let first =
            [TimelineKind::Opened, TimelineKind::Triaged, TimelineKind::Queued, TimelineKind::Assigned];
        let again = [TimelineKind::Queued, TimelineKind::Assigned];
        let expected = if *case == usual { [&first[..], &again[..]].concat() } else { first.to_vec() };
        assert_eq!(scene.story(case).await, expected);
        let case = scene.case(case).await;
        assert_eq!((case.state(), case.agent_id.as_str()), (CaseState::Assigned, agent));
    }
}

/// Whom it was given to declines it; nobody else is there, so it waits and is given to
/// another.
async fn passed_on(scene: &Scene, case: &str) {
    let request = DeclineAssignmentRequest {
        request_id: request_id(),
        case_id: case.to_owned(),
        expected_version: None,
        agent_id: "ann".to_owned(),
        reason: "I know these people".to_owned(),
    };
    let declined = scene.assignment(OPERATOR).decline_assignment(request).await.unwrap().into_inner();
    assert_eq!(declined.assignment.unwrap().state(), AssignmentState::Waiting);
    scene.settled().await;
    let request = AssignCaseRequest {
        request_id: request_id(),
        case_id: case.to_owned(),
        expected_version: None,
        agent_id: "bo".to_owned(),
    };
    scene.assignment(OPERATOR).assign_case(request).await.unwrap();
    scene.settled().await;
}

/// A roster is brought along, one of it is ill, leaves and is removed; the weights are put
/// in force as they are shipped.
pub(crate) async fn kept(scene: &Scene) {
    let temp = Agent { capacity: 0, ..described("temp", DELIVERY) };
    let request = ImportAgentsRequest { request_id: request_id(), agents: vec![temp] };
    let imported = scene.roster().import_agents(request).await.unwrap().into_inner();
    assert_eq!(imported.verdicts[0].state(), AgentRowState::Created);
    let request = RecordAbsenceRequest {
        request_id: request_id(),
        agent_id: "temp".to_owned(),
        reason: "moves house".to_owned(),
        ..RecordAbsenceRequest::default()
    };
    scene.roster().record_absence(request).await.unwrap();
    let request = OffboardAgentRequest {
        request_id: request_id(),
        expected_version: None,
        agent_id: "temp".to_owned(),
        reason: "the season is over".to_owned(),
    };
    let left = scene.roster().offboard_agent(request).await.unwrap().into_inner();
    assert_eq!(left.handed_over, 0);
    let request =
        RemoveAgentRequest { request_id: request_id(), expected_version: None, agent_id: "temp".to_owned() };
    scene.roster().remove_agent(request).await.unwrap();

    let shipped =
        scene.routing().get_routing_policy(GetRoutingPolicyRequest { version: Some(0) }).await.unwrap();
    let policy = RoutingPolicy { note: "as shipped".to_owned(), ..shipped.into_inner().policy.unwrap() };
    let request = CreateRoutingPolicyRequest { request_id: request_id(), policy: Some(policy) };
    let made = scene.routing().create_routing_policy(request).await.unwrap().into_inner().policy.unwrap();
    let request = ActivateRoutingPolicyRequest { request_id: request_id(), version: made.version };
    let active = scene.routing().activate_routing_policy(request).await.unwrap().into_inner().policy.unwrap();
    assert!(active.active);
}

async fn queue(scene: &Scene) -> Vec<String> {
    let request = ListQueueRequest { department_id: DELIVERY.to_owned(), ..ListQueueRequest::default() };
    let waiting = scene.assignment(OPERATOR).list_queue(request).await.unwrap().into_inner().assignments;
    waiting.into_iter().map(|assignment| assignment.case_id).collect()
}
