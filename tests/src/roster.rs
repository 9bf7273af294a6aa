//! Who handles cases.

use client::Client;
use futures::future::try_join_all;
use proto::redress::assignment::v1::assignment_service_client::AssignmentServiceClient;
use proto::redress::assignment::v1::{Agent, CreateAgentRequest, CreateDepartmentRequest, Department};
use tonic::Status;

/// The department [`staff`] registers.
pub const DEPARTMENT: &str = "care";
/// More than any test has open.
const CAPACITY: i32 = 100_000;

/// One department that takes every case, and those that carry out its remedies.
pub fn departments() -> [CreateDepartmentRequest; 4] {
    let everything = vec!["*".to_owned()];
    let departments = [
        (DEPARTMENT, "Customer care", everything),
        ("finance", "Finance", Vec::new()),
        ("warehouse", "Warehouse", Vec::new()),
        ("depot", "Depot", Vec::new()),
    ];
    departments.map(|(department_id, display_name, categories)| CreateDepartmentRequest {
        request_id: format!("roster-{department_id}"),
        department: Some(Department {
            department_id: department_id.to_owned(),
            display_name: display_name.to_owned(),
            categories,
            ..Department::default()
        }),
    })
}

/// Registers [`departments`], with so many agents who never run out of room. Repeat
/// freely.
pub async fn staff(client: &Client, agents: usize) -> Result<(), Status> {
    for request in departments() {
        AssignmentServiceClient::new(client.calls()).create_department(request).await?;
    }
    try_join_all((0..agents).map(|number| hire(client, format!("agent-{number}")))).await?;
    Ok(())
}

async fn hire(client: &Client, agent_id: String) -> Result<(), Status> {
    let agent = Agent {
        display_name: agent_id.clone(),
        agent_id: agent_id.clone(),
        department_id: DEPARTMENT.to_owned(),
        capacity: CAPACITY,
        available: true,
        ..Agent::default()
    };
    let request = CreateAgentRequest { request_id: format!("roster-{agent_id}"), agent: Some(agent) };
    AssignmentServiceClient::new(client.calls()).create_agent(request).await?;
    Ok(())
}
