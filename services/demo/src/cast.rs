//! Who there is: departments, agents, and a worker for each department.

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use client::Client;
use client::worker::{Work, Worker};
use proto::redress::assignment::v1::assignment_service_client::AssignmentServiceClient;
use proto::redress::assignment::v1::{Agent, CreateAgentRequest, CreateDepartmentRequest, Department};
use proto::redress::feedback::v1::kpi_service_client::KpiServiceClient;
use proto::redress::feedback::v1::{GetKpiSettingsRequest, KpiSettings, UpdateKpiSettingsRequest};
use proto::redress::resolution::v1::approval_service_client::ApprovalServiceClient;
use proto::redress::resolution::v1::{
    ActivateApprovalPolicyRequest, ApprovalDemand, ApprovalRule, CreateApprovalPolicyRequest,
    GetApprovalPolicyRequest,
};
use serde::Deserialize;
use serde_json::Value;
use show::json;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status};

use crate::departments::Shortage;
use crate::reference_worker::{Ledger, ReferenceWorker};

const ROSTER: &str = include_str!("../sample/roster.json");
/// Who sets the roster up.
const MANAGER: &str = "roster.office";
/// By which small and clear sums are approved without anybody, in the sample's currencies.
const SMALL: &str = "small-and-clear";
const SMALL_WHEN: &str =
    "total_minor > 0 && total_minor <= 6000 && !above_sought && cycle == 1 && !linked_refund";
/// Where most complaints of the sample come from.
const ZONE: &str = "Asia/Shanghai";
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

    /// Has small sums that are clear approved by a rule; all else as before. A database that
    /// saw this before has the rule.
    pub(super) async fn approve_small_sums(client: &Client) -> anyhow::Result<()> {
        let client = client.speaking_as(MANAGER)?;
        let mut approvals = ApprovalServiceClient::new(client.calls());
        let request = GetApprovalPolicyRequest { version: None };
        let answer = approvals.get_approval_policy(request).await?.into_inner();
        let mut policy = answer.policy.context("an approval policy")?;
        if policy.rules.iter().any(|rule| rule.name == SMALL) {
            return Ok(());
        }
        let rule = ApprovalRule {
            name: SMALL.to_owned(),
            when: SMALL_WHEN.to_owned(),
            reason: "no more than was sought, and little of it".to_owned(),
            demand: ApprovalDemand::Automatic.into(),
            ..ApprovalRule::default()
        };
        policy.rules.insert(0, rule);
        "small and clear sums need nobody".clone_into(&mut policy.note);
        let request = CreateApprovalPolicyRequest { request_id: client.request_id(), policy: Some(policy) };
        let made = approvals.create_approval_policy(request).await?.into_inner().policy;
        let version = made.context("an approval policy")?.version;
        let request = ActivateApprovalPolicyRequest { request_id: client.request_id(), version };
        approvals.activate_approval_policy(request).await?;
        Ok(())
    }

    /// Has figures counted in the days and the working hours of those who complain, unless
    /// somebody has said by which: before anything is counted, since another zone has all of it
    /// counted anew.
    pub(super) async fn set_zone(client: &Client) -> anyhow::Result<()> {
        let client = client.speaking_as(MANAGER)?;
        let mut kpis = KpiServiceClient::new(client.calls());
        let settings = kpis.get_kpi_settings(GetKpiSettingsRequest {}).await?.into_inner().settings;
        let settings = settings.unwrap_or_default();
        if settings.version == 0 {
            let request = UpdateKpiSettingsRequest {
                request_id: client.request_id(),
                expected_version: settings.version,
                settings: Some(KpiSettings { time_zone: ZONE.to_owned(), ..settings }),
            };
            kpis.update_kpi_settings(request).await?;
        }
        Ok(())
    }

    /// Starts a worker for each department; the warehouse is out of stock once.
    pub(super) fn work(
        &self,
        client: &Client,
        ledgers: &Path,
        shortage: &Shortage,
        stop: &CancellationToken,
    ) -> anyhow::Result<JoinSet<Result<(), Status>>> {
        let mut workers = JoinSet::new();
        for Department { department_id, .. } in &self.departments {
            let ledger = Ledger::open(&ledgers.join(format!("{department_id}.jsonl")), department_id)?;
            let reference = ReferenceWorker::new(ledger, PACE, |_, _| {});
            let name = format!("{department_id}-worker");
            let worker = Worker { wait: POLL_WAIT, ..Worker::new(department_id.clone(), name) };
            let (client, stop, shortage) = (client.clone(), stop.clone(), shortage.clone());
            workers.spawn(async move {
                let stock = client.clone();
                let handler = move |work: Work| {
                    let (lacks, reference) = (shortage.of(&stock, &work.task), reference.clone());
                    async move {
                        match lacks {
                            Some(lacks) => Err(lacks),
                            None => reference.carry_out(work).await,
                        }
                    }
                };
                worker.run(&client, handler, stop).await
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
