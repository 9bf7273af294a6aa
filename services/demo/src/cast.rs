//! Who there is: departments, agents, and a worker for each department.

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use client::Client;
use client::worker::Worker;
use proto::redress::assignment::v1::assignment_service_client::AssignmentServiceClient;
use proto::redress::assignment::v1::{Agent, CreateAgentRequest, CreateDepartmentRequest, Department};
use serde::Deserialize;
use serde_json::Value;
use show::json;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status};

use crate::reference_worker::{Ledger, ReferenceWorker};

const ROSTER: &str = include_str!("../sample/roster.json");
/// Who sets the roster up.
const MANAGER: &str = "roster.office";
/// How long a department takes over a task.
const PACE: Duration = Duration::from_millis(40);
/// How long a worker's poll waits, and so how long stopping it takes.
const POLL_WAIT: Duration = Duration::from_secs(1);

#[derive(Deserialize)]
struct Roster {
    departments: Vec<Value>,
    agents: Vec<Value>,
}

/// Departments and agents.
pub(super) struct Cast {
    pub(super) departments: Vec<Department>,
    pub(super) agents: Vec<Agent>,
}

impl Cast {
    /// Reads the sample's.
    pub(super) fn read() -> anyhow::Result<Self> {
        let Roster { departments, agents } = serde_json::from_str(ROSTER)?;
        let departments = departments.iter().map(|value| json::read(&value.to_string()));
        let agents = agents.iter().map(|value| json::read(&value.to_string()));
        let cast = Self {
            departments: departments.collect::<Result<_, _>>()?,
            agents: agents.collect::<Result<_, _>>()?,
        };
        Ok(cast)
    }

    /// Registers everyone; who is there already stays as they are.
    pub(super) async fn enter(&self, client: &Client) -> anyhow::Result<()> {
        let client = client.speaking_as(MANAGER)?;
        let mut assignment = AssignmentServiceClient::new(client.calls());
        for department in &self.departments {
            let request = CreateDepartmentRequest {
                request_id: client.request_id(),
                department: Some(department.clone()),
            };
            known(assignment.create_department(request).await)
                .context("a department cannot be registered")?;
        }
        for agent in &self.agents {
            let request = CreateAgentRequest { request_id: client.request_id(), agent: Some(agent.clone()) };
            known(assignment.create_agent(request).await).context("an agent cannot be registered")?;
        }
        Ok(())
    }

    /// Starts a worker for each department.
    pub(super) fn work(
        &self,
        client: &Client,
        ledgers: &Path,
        stop: &CancellationToken,
    ) -> anyhow::Result<JoinSet<Result<(), Status>>> {
        let mut workers = JoinSet::new();
        for Department { department_id, .. } in &self.departments {
            let ledger = Ledger::open(&ledgers.join(format!("{department_id}.jsonl")), department_id)?;
            let reference = ReferenceWorker::new(ledger, PACE, |_, _| {});
            let name = format!("{department_id}-worker");
            let worker = Worker { wait: POLL_WAIT, ..Worker::new(department_id.clone(), name) };
            let (client, stop) = (client.clone(), stop.clone());
            workers.spawn(async move {
                worker.run(&client, move |work| reference.clone().carry_out(work), stop).await
            });
        }
        Ok(workers)
    }
}

/// What exists already is no failure: a database can see more than one demo.
fn known<T>(answer: Result<T, Status>) -> Result<(), Status> {
    match answer {
        Err(status) if status.code() != Code::AlreadyExists => Err(status),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_agent_has_a_department() {
        let cast = Cast::read().unwrap();
        for agent in &cast.agents {
            assert!(cast.departments.iter().any(|d| d.department_id == agent.department_id), "{agent:?}");
        }
    }
}
