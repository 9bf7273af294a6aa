//! Departments and agents.

use proto::redress::assignment::v1::{
    Agent, CreateAgentRequest, CreateDepartmentRequest, Department, GetAgentRequest, GetDepartmentRequest,
    ListAgentsRequest, ListDepartmentsRequest, UpdateAgentRequest, UpdateDepartmentRequest,
};
use testkit::{reason, request_id, violations};
use tonic::Code;

use crate::{World, agent, department};

#[tokio::test(flavor = "multi_thread")]
async fn a_department_is_created_once_read_and_replaced() {
    let mut world = World::open().await;
    let request = CreateDepartmentRequest {
        request_id: request_id(),
        department: Some(department("finance", &["billing", "*"])),
    };
    let created = world.client.create_department(request.clone()).await.unwrap().into_inner();
    let stored = created.department.clone().unwrap();
    assert_eq!(stored, Department { version: 1, ..department("finance", &["billing", "*"]) });
    let again = world.client.create_department(request.clone()).await.unwrap().into_inner();
    assert_eq!(again, created);
    let altered = CreateDepartmentRequest { department: Some(department("other", &[])), ..request };
    let refused = world.client.create_department(altered).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::AlreadyExists, "IDEMPOTENCY_KEY_REUSED"));
    let taken =
        CreateDepartmentRequest { request_id: request_id(), department: Some(department("finance", &[])) };
    let refused = world.client.create_department(taken).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::AlreadyExists, "DEPARTMENT_EXISTS"));

    let request = UpdateDepartmentRequest {
        request_id: request_id(),
        expected_version: Some(1),
        department: Some(department("finance", &["refund"])),
    };
    let updated = world.client.update_department(request.clone()).await.unwrap().into_inner();
    assert_eq!(updated.department, Some(Department { version: 2, ..department("finance", &["refund"]) }));
    let again = world.client.update_department(request.clone()).await.unwrap().into_inner();
    assert_eq!(again, updated);
    let stale = UpdateDepartmentRequest { request_id: request_id(), ..request.clone() };
    let refused = world.client.update_department(stale).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::Aborted, "VERSION_MISMATCH"));
    let altered = UpdateDepartmentRequest { expected_version: None, ..request };
    let refused = world.client.update_department(altered).await.unwrap_err();
    assert_eq!(reason(&refused), "IDEMPOTENCY_KEY_REUSED");
    let read = GetDepartmentRequest { department_id: "finance".to_owned() };
    let read = world.client.get_department(read).await.unwrap().into_inner().department;
    assert_eq!(read, updated.department);
    world.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_department_is_told_all_that_is_wrong() {
    let mut world = World::open().await;
    let bad = Department {
        department_id: "Fin.ance".to_owned(),
        version: 0,
        display_name: " ".to_owned(),
        categories: vec!["ok/path".to_owned(), String::new(), "a//b".to_owned(), "a/*".to_owned()],
    };
    let wrong = [
        "request_id",
        "department.department_id",
        "department.department_id",
        "department.display_name",
        "department.categories[1]",
        "department.categories[2]",
        "department.categories[3]",
    ];
    let request = CreateDepartmentRequest { request_id: String::new(), department: Some(bad.clone()) };
    let refused = world.client.create_department(request).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::InvalidArgument, "INVALID_DEPARTMENT"));
    assert_eq!(violations(&refused), wrong);
    let request = UpdateDepartmentRequest { department: Some(bad), ..UpdateDepartmentRequest::default() };
    let refused = world.client.update_department(request).await.unwrap_err();
    assert_eq!(violations(&refused), wrong);
    let many = vec!["x"; 201];
    let request =
        CreateDepartmentRequest { request_id: request_id(), department: Some(department("many", &many)) };
    let refused = world.client.create_department(request).await.unwrap_err();
    assert_eq!(violations(&refused), ["department.categories"]);
    let none = CreateDepartmentRequest { request_id: request_id(), department: None };
    let refused = world.client.create_department(none).await.unwrap_err();
    assert_eq!(violations(&refused), ["department"]);
    let request = UpdateDepartmentRequest {
        request_id: request_id(),
        expected_version: None,
        department: Some(department("nowhere", &[])),
    };
    let refused = world.client.update_department(request).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::NotFound, "DEPARTMENT_NOT_FOUND"));
    world.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_is_created_once_read_and_replaced() {
    let mut world = World::with_delivery().await;
    let request =
        CreateAgentRequest { request_id: request_id(), agent: Some(agent("ann.lee", "delivery", 3)) };
    let created = world.client.create_agent(request.clone()).await.unwrap().into_inner();
    assert_eq!(created.agent, Some(Agent { version: 1, ..agent("ann.lee", "delivery", 3) }));
    let again = world.client.create_agent(request.clone()).await.unwrap().into_inner();
    assert_eq!(again, created);
    let altered = CreateAgentRequest { agent: Some(agent("ann.lee", "delivery", 4)), ..request.clone() };
    let refused = world.client.create_agent(altered).await.unwrap_err();
    assert_eq!(reason(&refused), "IDEMPOTENCY_KEY_REUSED");
    let taken = CreateAgentRequest { request_id: request_id(), ..request };
    let refused = world.client.create_agent(taken).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::AlreadyExists, "AGENT_EXISTS"));

    let renamed = Agent { display_name: "A. Lee".to_owned(), load: 77, ..agent("ann.lee", "delivery", 5) };
    let request = UpdateAgentRequest {
        request_id: request_id(),
        expected_version: Some(1),
        agent: Some(renamed.clone()),
    };
    let updated = world.client.update_agent(request.clone()).await.unwrap().into_inner();
    assert_eq!(updated.agent, Some(Agent { version: 2, load: 0, ..renamed }));
    let again = world.client.update_agent(request.clone()).await.unwrap().into_inner();
    assert_eq!(again, updated);
    let stale = UpdateAgentRequest { request_id: request_id(), ..request.clone() };
    let refused = world.client.update_agent(stale).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::Aborted, "VERSION_MISMATCH"));
    let altered = UpdateAgentRequest { expected_version: None, ..request };
    let refused = world.client.update_agent(altered).await.unwrap_err();
    assert_eq!(reason(&refused), "IDEMPOTENCY_KEY_REUSED");
    let read = GetAgentRequest { agent_id: "ann.lee".to_owned() };
    assert_eq!(world.client.get_agent(read).await.unwrap().into_inner().agent, updated.agent);
    world.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_agent_is_told_all_that_is_wrong() {
    let mut world = World::with_delivery().await;
    let bad = Agent { display_name: "x".repeat(201), ..agent("Ann", "", -1) };
    let wrong =
        ["request_id", "agent.capacity", "agent.agent_id", "agent.department_id", "agent.display_name"];
    let request = CreateAgentRequest { request_id: String::new(), agent: Some(bad.clone()) };
    let refused = world.client.create_agent(request).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::InvalidArgument, "INVALID_AGENT"));
    assert_eq!(violations(&refused), wrong);
    let request = UpdateAgentRequest { agent: Some(bad), ..UpdateAgentRequest::default() };
    let refused = world.client.update_agent(request).await.unwrap_err();
    assert_eq!(violations(&refused), wrong);
    let none = CreateAgentRequest { request_id: request_id(), agent: None };
    assert_eq!(violations(&world.client.create_agent(none).await.unwrap_err()), ["agent"]);
    let astray = CreateAgentRequest { request_id: request_id(), agent: Some(agent("bo", "nowhere", 1)) };
    let refused = world.client.create_agent(astray).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::NotFound, "DEPARTMENT_NOT_FOUND"));
    let unknown = UpdateAgentRequest {
        request_id: request_id(),
        expected_version: None,
        agent: Some(agent("bo", "delivery", 1)),
    };
    let refused = world.client.update_agent(unknown).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::NotFound, "AGENT_NOT_FOUND"));
    world.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_changes_department_with_empty_hands_only() {
    let mut world = World::with_delivery().await;
    world.department("finance", &["billing"]).await;
    world.agent("ann", "delivery", 2).await;
    let case = world.case("delivery/late").await;
    let moving = UpdateAgentRequest {
        request_id: request_id(),
        expected_version: None,
        agent: Some(agent("ann", "finance", 2)),
    };
    let refused = world.client.update_agent(moving.clone()).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "AGENT_HOLDS_CASES"));
    world.resolved(case, 1).await;
    let billing = world.case("billing").await;
    assert_eq!(world.handler(billing).await, "");
    let moved = world.client.update_agent(moving).await.unwrap().into_inner().agent.unwrap();
    assert_eq!((moved.department_id.as_str(), moved.load), ("finance", 1));
    assert_eq!(world.handler(billing).await, "ann");
    let astray = UpdateAgentRequest {
        request_id: request_id(),
        expected_version: None,
        agent: Some(agent("ann", "nowhere", 2)),
    };
    let refused = world.client.update_agent(astray).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::InvalidArgument, "INVALID_AGENT"));
    assert_eq!(violations(&refused), ["agent.department_id"]);
    world.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_go_on_where_the_page_before_ended() {
    let mut world = World::open().await;
    for id in ["c", "a", "b"] {
        world.department(id, &[]).await;
        world.agent(&format!("{id}.1"), id, 1).await;
    }
    world.agent("z", "b", 1).await;
    let mut page = ListDepartmentsRequest { page_size: 2, page_token: String::new() };
    let first = world.client.list_departments(page.clone()).await.unwrap().into_inner();
    let ids: Vec<_> = first.departments.iter().map(|department| department.department_id.as_str()).collect();
    assert_eq!(ids, ["a", "b"]);
    page.page_token = first.next_page_token;
    let last = world.client.list_departments(page).await.unwrap().into_inner();
    assert_eq!((last.departments.len(), last.next_page_token.as_str()), (1, ""));

    let mut of_b = ListAgentsRequest { page_size: 1, department_id: "b".to_owned(), ..Default::default() };
    let first = world.client.list_agents(of_b.clone()).await.unwrap().into_inner();
    assert_eq!(first.agents[0].agent_id, "b.1");
    of_b.page_token.clone_from(&first.next_page_token);
    let last = world.client.list_agents(of_b).await.unwrap().into_inner();
    assert_eq!((last.agents[0].agent_id.as_str(), last.next_page_token.as_str()), ("z", ""));
    let all = world.client.list_agents(ListAgentsRequest::default()).await.unwrap().into_inner();
    assert_eq!(all.agents.len(), 4);
    let elsewhere = ListAgentsRequest { page_token: first.next_page_token, ..ListAgentsRequest::default() };
    let refused = world.client.list_agents(elsewhere).await.unwrap_err();
    assert_eq!(violations(&refused), ["page_token"]);
    world.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_of_the_roster_with_bad_arguments_are_refused() {
    let mut world = World::open().await;
    let request = ListDepartmentsRequest { page_size: 501, page_token: String::new() };
    let refused = world.client.list_departments(request).await.unwrap_err();
    assert_eq!((refused.code(), violations(&refused)), (Code::InvalidArgument, vec!["page_size".to_owned()]));
    let request = ListAgentsRequest { page_size: -1, department_id: "B".to_owned(), ..Default::default() };
    let refused = world.client.list_agents(request).await.unwrap_err();
    assert_eq!(reason(&refused), "INVALID_LIST");
    assert_eq!(violations(&refused), ["page_size", "department_id"]);
    let unknown = GetDepartmentRequest { department_id: "nowhere".to_owned() };
    let refused = world.client.get_department(unknown).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::NotFound, "DEPARTMENT_NOT_FOUND"));
    let refused = world.client.get_department(GetDepartmentRequest::default()).await.unwrap_err();
    assert_eq!(
        (refused.code(), violations(&refused)),
        (Code::InvalidArgument, vec!["department_id".to_owned()])
    );
    let refused =
        world.client.get_agent(GetAgentRequest { agent_id: "nobody".to_owned() }).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::NotFound, "AGENT_NOT_FOUND"));
    let refused = world.client.get_agent(GetAgentRequest { agent_id: "a\0b".to_owned() }).await.unwrap_err();
    assert_eq!((refused.code(), violations(&refused)), (Code::InvalidArgument, vec!["agent_id".to_owned()]));
    world.house.done().await;
}
