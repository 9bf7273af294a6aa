//! Assignment's rpcs and reactions over a real Postgres: good, bad, repeated,
//! raced, and another tenant's.
#![expect(clippy::unwrap_used, reason = "a step of a test that fails has failed the test")]

#[path = "rpc/agents.rs"]
mod agents;
#[path = "rpc/case_events.rs"]
mod case_events;
#[path = "rpc/hands.rs"]
mod hands;
#[path = "rpc/imports.rs"]
mod imports;
#[path = "rpc/leaving.rs"]
mod leaving;
#[path = "rpc/merges.rs"]
mod merges;
#[path = "rpc/passing.rs"]
mod passing;
#[path = "rpc/pressed.rs"]
mod pressed;
#[path = "rpc/races.rs"]
mod races;
#[path = "rpc/retention.rs"]
mod retention;
#[path = "rpc/revised.rs"]
mod revised;
#[path = "rpc/roster.rs"]
mod roster;
#[path = "rpc/routing.rs"]
mod routing;
#[path = "rpc/tenants.rs"]
mod tenants;

use proto::redress::assignment::v1::assignment_service_client::AssignmentServiceClient;
use proto::redress::assignment::v1::{
    Agent, AssignCaseRequest, Assignment, AssignmentState, CaseAssigned, CaseQueued, CreateAgentRequest,
    CreateDepartmentRequest, Department, GetAgentRequest, GetAssignmentRequest, ListQueueRequest, Presence,
    UpdateAgentRequest, UpdateDepartmentRequest,
};
use proto::redress::cases::v1::{CaseOpened, CaseReopened, CaseResolved, Priority};
use testkit::{CallerChannel, House, MockClock, request_id};
use uuid::Uuid;

type Client = AssignmentServiceClient<CallerChannel>;

/// The service alone, its caller, and the events of cases it is told.
struct World {
    house: House,
    client: Client,
}

impl World {
    async fn open() -> Self {
        let house = House::open(&[assignment::SERVICE]).await;
        let client = AssignmentServiceClient::new(house.channel());
        Self { house, client }
    }

    /// A world whose time stands still from Monday 23 November 2026 at 09:00 UTC, with one
    /// department that takes everything about deliveries.
    async fn at_nine() -> Self {
        let house = House::builder(&[assignment::SERVICE]).clock(MockClock::default()).open().await;
        let client = AssignmentServiceClient::new(house.channel());
        let mut world = Self { house, client };
        world.department("delivery", &["delivery"]).await;
        world
    }

    /// A world with one department that takes everything about deliveries.
    async fn with_delivery() -> Self {
        let mut world = Self::open().await;
        world.department("delivery", &["delivery"]).await;
        world
    }

    async fn department(&mut self, id: &str, categories: &[&str]) -> Department {
        let request = CreateDepartmentRequest {
            request_id: request_id(),
            department: Some(department(id, categories)),
        };
        self.client.create_department(request).await.unwrap().into_inner().department.unwrap()
    }

    async fn update_department(&mut self, id: &str, categories: &[&str]) -> Department {
        let request = UpdateDepartmentRequest {
            request_id: request_id(),
            department: Some(department(id, categories)),
            expected_version: None,
        };
        self.client.update_department(request).await.unwrap().into_inner().department.unwrap()
    }

    async fn agent(&mut self, id: &str, department: &str, capacity: i32) -> Agent {
        self.hire(agent(id, department, capacity)).await
    }

    /// Someone who is given nothing by routing, but may claim.
    async fn puller(&mut self, id: &str, department: &str, capacity: i32) -> Agent {
        self.hire(Agent { available: false, ..agent(id, department, capacity) }).await
    }

    async fn hire(&mut self, agent: Agent) -> Agent {
        let request = CreateAgentRequest { request_id: request_id(), agent: Some(agent) };
        self.client.create_agent(request).await.unwrap().into_inner().agent.unwrap()
    }

    async fn update_agent(&mut self, agent: Agent) -> Agent {
        let request =
            UpdateAgentRequest { request_id: request_id(), agent: Some(agent), expected_version: None };
        self.client.update_agent(request).await.unwrap().into_inner().agent.unwrap()
    }

    /// A case is opened and what is done about it awaited.
    async fn case(&self, category: &str) -> Uuid {
        self.case_like(opened(category)).await
    }

    async fn case_like(&self, event: CaseOpened) -> Uuid {
        let case = new_case();
        self.house.tell("cases", case, &CaseOpened { case_id: case.to_string(), ..event }).await;
        self.house.settled().await;
        case
    }

    async fn resolved(&self, case: Uuid, cycle: i32) {
        self.house.tell("cases", case, &resolved(case, cycle)).await;
        self.house.settled().await;
    }

    async fn load(&mut self, agent: &str) -> i32 {
        let request = GetAgentRequest { agent_id: agent.to_owned() };
        self.client.get_agent(request).await.unwrap().into_inner().agent.unwrap().load
    }

    async fn assignment(&mut self, case: Uuid) -> Assignment {
        let request = GetAssignmentRequest { case_id: case.to_string() };
        self.client.get_assignment(request).await.unwrap().into_inner().assignment.unwrap()
    }

    /// Who handles a case; empty while it waits.
    async fn handler(&mut self, case: Uuid) -> String {
        self.assignment(case).await.agent_id
    }

    /// The cases of a queue, in order.
    async fn queue(&mut self, department: &str) -> Vec<String> {
        let request =
            ListQueueRequest { department_id: department.to_owned(), ..ListQueueRequest::default() };
        let waiting = self.client.list_queue(request).await.unwrap().into_inner().assignments;
        waiting.into_iter().map(|assignment| assignment.case_id).collect()
    }

    async fn told_assigned(&self) -> Vec<CaseAssigned> {
        self.house.published("assignment").await
    }

    async fn told_queued(&self) -> Vec<CaseQueued> {
        self.house.published("assignment").await
    }
}

/// Who handles a case; empty while it waits.
async fn handler_of(mut client: Client, case: &str) -> String {
    let request = GetAssignmentRequest { case_id: case.to_owned() };
    client.get_assignment(request).await.unwrap().into_inner().assignment.unwrap().agent_id
}

/// An id no case had before.
fn new_case() -> Uuid {
    request_id().parse().unwrap()
}

fn department(id: &str, categories: &[&str]) -> Department {
    Department {
        department_id: id.to_owned(),
        version: 0,
        display_name: format!("Department {id}"),
        categories: categories.iter().map(|&category| category.to_owned()).collect(),
    }
}

fn agent(id: &str, department: &str, capacity: i32) -> Agent {
    Agent {
        agent_id: id.to_owned(),
        version: 0,
        department_id: department.to_owned(),
        display_name: format!("Agent {id}"),
        capacity,
        available: true,
        presence: Presence::Present.into(),
        ..Agent::default()
    }
}

fn opened(category: &str) -> CaseOpened {
    CaseOpened {
        cycle: 1,
        category: category.to_owned(),
        priority: Priority::P3.into(),
        ..CaseOpened::default()
    }
}

fn reopened(case: Uuid, cycle: i32, previous: &str) -> CaseReopened {
    CaseReopened {
        case_id: case.to_string(),
        cycle,
        category: "delivery/late".to_owned(),
        priority: Priority::P2.into(),
        tier: cycle - 1,
        reason: "still late".to_owned(),
        previous_agent_id: previous.to_owned(),
        ..CaseReopened::default()
    }
}

fn resolved(case: Uuid, cycle: i32) -> CaseResolved {
    CaseResolved { case_id: case.to_string(), cycle, ..CaseResolved::default() }
}

fn assign(case: Uuid, agent: &str) -> AssignCaseRequest {
    AssignCaseRequest {
        request_id: request_id(),
        case_id: case.to_string(),
        expected_version: None,
        agent_id: agent.to_owned(),
    }
}

fn state(assignment: &Assignment) -> AssignmentState {
    assignment.state()
}
