//! Whole rosters at once, agents who are absent, agents who leave.

use pg::Db;
use proto::redress::assignment::v1::roster_service_server::RosterService;
use proto::redress::assignment::v1::{
    ImportAgentsRequest, ImportAgentsResponse, OffboardAgentRequest, OffboardAgentResponse,
    RecordAbsenceRequest, RecordAbsenceResponse, RemoveAgentRequest, RemoveAgentResponse,
};
use tonic::Request;

use super::{Answer, staff};
use crate::wire;

/// The rpcs about who is there.
pub(crate) struct RosterRpc {
    db: Db,
}

impl RosterRpc {
    pub(crate) fn new(db: Db) -> Self {
        Self { db }
    }
}

#[tonic::async_trait]
impl RosterService for RosterRpc {
    async fn import_agents(&self, request: Request<ImportAgentsRequest>) -> Answer<ImportAgentsResponse> {
        let (context, request) = server::mutation(request)?;
        let rows = wire::import(request)?;
        let done = self
            .db
            .mutate(context, async move |mut tx, _| {
                let verdicts = staff::import(&mut tx, rows).await?;
                Ok((tx, ImportAgentsResponse { verdicts }))
            })
            .await?;
        Ok(server::reply(done))
    }

    async fn record_absence(&self, request: Request<RecordAbsenceRequest>) -> Answer<RecordAbsenceResponse> {
        let (context, request) = server::mutation(request)?;
        let absence = wire::absence(request)?;
        let done = self
            .db
            .mutate(context, async move |mut tx, caller| {
                let (agent, handed_over) = staff::record_absence(&mut tx, absence, &caller).await?;
                let agent = Some(wire::agent(agent, tx.now()));
                Ok((tx, RecordAbsenceResponse { agent, handed_over }))
            })
            .await?;
        Ok(server::reply(done))
    }

    async fn offboard_agent(&self, request: Request<OffboardAgentRequest>) -> Answer<OffboardAgentResponse> {
        let (context, request) = server::mutation(request)?;
        let leaver = wire::offboard(request)?;
        let done = self
            .db
            .mutate(context, async move |mut tx, _| {
                let (agent, handed_over) = staff::offboard(&mut tx, leaver).await?;
                let agent = Some(wire::agent(agent, tx.now()));
                Ok((tx, OffboardAgentResponse { agent, handed_over }))
            })
            .await?;
        Ok(server::reply(done))
    }

    async fn remove_agent(&self, request: Request<RemoveAgentRequest>) -> Answer<RemoveAgentResponse> {
        let (context, request) = server::mutation(request)?;
        let leaver = wire::remove(request)?;
        let done = self
            .db
            .mutate(context, async move |mut tx, _| {
                staff::remove(&mut tx, leaver).await?;
                Ok((tx, RemoveAgentResponse {}))
            })
            .await?;
        Ok(server::reply(done))
    }
}
