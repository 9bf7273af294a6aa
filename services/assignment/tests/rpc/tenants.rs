//! Two tenants who never see each other.

use assignment::SERVICE;
use proto::redress::assignment::v1::assignment_service_client::AssignmentServiceClient;
use proto::redress::assignment::v1::routing_service_client::RoutingServiceClient;
use proto::redress::assignment::v1::{
    AcceptCaseRequest, ActivateRoutingPolicyRequest, ClaimNextRequest, CreateAgentRequest,
    CreateDepartmentRequest, CreateRoutingPolicyRequest, DeclineAssignmentRequest, ExplainAssignmentRequest,
    GetAgentRequest, GetAssignmentRequest, GetDepartmentRequest, ListAgentsRequest, ListDepartmentsRequest,
    ListQueueRequest, ListUnassignableRequest, ReplayRoutingRequest, RoutingPolicy, RoutingWeights,
};
use testkit::{House, reason, request_id};
use uuid::Uuid;

use crate::{agent, assign, department, new_case, opened};

#[tokio::test(flavor = "multi_thread")]
async fn one_tenant_sees_nothing_of_another() {
    let house = House::builder(&[SERVICE]).identified().open().await;
    let mut north = AssignmentServiceClient::new(house.channel_as("north", "ann", &["supervisor", "admin"]));
    let mut south = AssignmentServiceClient::new(house.channel_as("south", "bo", &["supervisor", "admin"]));
    let key = request_id();
    let create = CreateDepartmentRequest {
        request_id: key.clone(),
        department: Some(department("delivery", &["delivery"])),
    };
    north.create_department(create.clone()).await.unwrap();
    let hire = CreateAgentRequest { request_id: request_id(), agent: Some(agent("ann", "delivery", 1)) };
    north.create_agent(hire).await.unwrap();
    let (held, waiting) = (new_case(), new_case());
    for case in [held, waiting] {
        house.tell_as("north", "cases", case, &opened("delivery")).await;
    }
    let foreign = new_case();
    house.tell_as("south", "cases", foreign, &opened("delivery")).await;
    house.settled().await;

    let unseen = [
        south.get_department(GetDepartmentRequest { department_id: "delivery".into() }).await.map(drop),
        south.get_agent(GetAgentRequest { agent_id: "ann".into() }).await.map(drop),
        south.get_assignment(GetAssignmentRequest { case_id: held.to_string() }).await.map(drop),
        south
            .claim_next(ClaimNextRequest { request_id: request_id(), agent_id: "ann".into() })
            .await
            .map(drop),
        south.assign_case(assign(waiting, "")).await.map(drop),
        south
            .accept_case(AcceptCaseRequest {
                request_id: request_id(),
                case_id: held.to_string(),
                expected_version: None,
                agent_id: "ann".into(),
            })
            .await
            .map(drop),
    ];
    for answer in unseen {
        assert!(reason(&answer.unwrap_err()).ends_with("_NOT_FOUND"));
    }
    assert!(
        south
            .list_departments(ListDepartmentsRequest::default())
            .await
            .unwrap()
            .into_inner()
            .departments
            .is_empty()
    );
    assert!(south.list_agents(ListAgentsRequest::default()).await.unwrap().into_inner().agents.is_empty());
    let queue = south.list_queue(ListQueueRequest::default()).await.unwrap().into_inner().assignments;
    assert_eq!(queue.len(), 1, "their own case, which no department takes");
    assert_eq!(queue[0].case_id, foreign.to_string());

    routing_is_unseen(&house, held, foreign).await;

    // The same ids and the same key are theirs to use.
    south.create_department(create).await.unwrap();
    let hire = CreateAgentRequest { request_id: key, agent: Some(agent("ann", "delivery", 5)) };
    let hired = south.create_agent(hire).await.unwrap().into_inner().agent.unwrap();
    assert_eq!(hired.load, 1);
    let ann = north.get_agent(GetAgentRequest { agent_id: "ann".into() }).await.unwrap().into_inner().agent;
    assert_eq!(ann.unwrap().load, 1);
    house.done().await;
}

/// What one tenant decided, and by which weights, is nobody else's.
async fn routing_is_unseen(house: &House, held: Uuid, foreign: Uuid) {
    let mut south = AssignmentServiceClient::new(house.channel_as("south", "bo", &["supervisor"]));
    let routing =
        |tenant: &str| RoutingServiceClient::new(house.channel_as(tenant, "bo", &["supervisor", "admin"]));
    let mut elsewhere = routing("south");
    let explain = ExplainAssignmentRequest { case_id: held.to_string(), cycle: 0 };
    assert_eq!(reason(&elsewhere.explain_assignment(explain).await.unwrap_err()), "ASSIGNMENT_NOT_FOUND");
    let replay = ReplayRoutingRequest { department_id: "delivery".into(), ..Default::default() };
    assert_eq!(reason(&elsewhere.replay_routing(replay).await.unwrap_err()), "DEPARTMENT_NOT_FOUND");
    let weights = Some(RoutingWeights { load: 7, ..RoutingWeights::default() });
    let policy = Some(RoutingPolicy { weights, ..RoutingPolicy::default() });
    let create_policy = CreateRoutingPolicyRequest { request_id: request_id(), policy };
    routing("north").create_routing_policy(create_policy).await.unwrap();
    let activate = ActivateRoutingPolicyRequest { request_id: request_id(), version: 1 };
    let refused = elsewhere.activate_routing_policy(activate).await.unwrap_err();
    assert_eq!(reason(&refused), "ROUTING_POLICY_NOT_FOUND");
    let listed = elsewhere.list_unassignable(ListUnassignableRequest::default()).await.unwrap().into_inner();
    let listed: Vec<_> = listed.assignments.into_iter().map(|case| case.case_id).collect();
    assert_eq!(listed, [foreign.to_string()]);
    let decline = DeclineAssignmentRequest {
        request_id: request_id(),
        case_id: held.to_string(),
        expected_version: None,
        agent_id: "ann".into(),
        reason: "x".into(),
    };
    assert_eq!(reason(&south.decline_assignment(decline).await.unwrap_err()), "ASSIGNMENT_NOT_FOUND");
}
