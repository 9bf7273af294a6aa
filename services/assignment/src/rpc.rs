//! One function per rpc: parse → transact → render.

mod accept;
mod acting;
mod roster;
mod routing;
mod staff;
mod steps;

use std::sync::Arc;

use pg::{Db, Group};
use proto::redress::assignment::v1::assignment_service_server::AssignmentService;
use proto::redress::assignment::v1::{
    AcceptCaseRequest, AcceptCaseResponse, AssignCaseRequest, AssignCaseResponse, ClaimNextRequest,
    ClaimNextResponse, CreateAgentRequest, CreateAgentResponse, CreateDepartmentRequest,
    CreateDepartmentResponse, DeclineAssignmentRequest, DeclineAssignmentResponse, GetAgentRequest,
    GetAgentResponse, GetAssignmentRequest, GetAssignmentResponse, GetDepartmentRequest,
    GetDepartmentResponse, ListAgentsRequest, ListAgentsResponse, ListDepartmentsRequest,
    ListDepartmentsResponse, ListQueueRequest, ListQueueResponse, TransferCaseRequest, TransferCaseResponse,
    UpdateAgentRequest, UpdateAgentResponse, UpdateDepartmentRequest, UpdateDepartmentResponse,
};
use tonic::{Request, Response, Status};

use crate::refusal::Refusal;
use crate::store::assignments::{self, Stretch};
use crate::store::{self, agents};
use crate::wire;
use accept::Acceptances;

pub(crate) use roster::RosterRpc;
pub(crate) use routing::RoutingRpc;

/// The service's rpcs.
pub(crate) struct Rpc {
    db: Db,
    acceptances: Arc<Group<Acceptances>>,
}

impl Rpc {
    pub(crate) fn new(db: Db) -> Self {
        Self { acceptances: Group::new(db.clone(), Acceptances), db }
    }
}

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl AssignmentService for Rpc {
    async fn create_department(
        &self,
        request: Request<CreateDepartmentRequest>,
    ) -> Answer<CreateDepartmentResponse> {
        let (context, request) = server::mutation(request)?;
        let profile = wire::create_department(request)?;
        let done = self
            .db
            .mutate(context, async move |mut tx, _| {
                let department = steps::create_department(&mut tx, profile).await?;
                Ok((tx, CreateDepartmentResponse { department: Some(wire::department(department)) }))
            })
            .await?;
        Ok(server::reply(done))
    }

    async fn get_department(&self, request: Request<GetDepartmentRequest>) -> Answer<GetDepartmentResponse> {
        let caller = server::caller(&request)?;
        let id = wire::get_department(request.into_inner())?;
        let department = self
            .db
            .transact("departments.get", &caller.tenant, async move |mut tx| {
                let department =
                    store::roster::department(&mut tx, &id).await?.ok_or(Refusal::DepartmentNotFound)?;
                Ok((tx, department))
            })
            .await?;
        Ok(Response::new(GetDepartmentResponse { department: Some(wire::department(department)) }))
    }

    async fn list_departments(
        &self,
        request: Request<ListDepartmentsRequest>,
    ) -> Answer<ListDepartmentsResponse> {
        let caller = server::caller(&request)?;
        let page = wire::list_departments(request.into_inner())?;
        let wanted = page.clone();
        let departments = self
            .db
            .transact("departments.list", &caller.tenant, async move |mut tx| {
                let departments = store::roster::list_departments(&mut tx, &wanted).await?;
                Ok((tx, departments))
            })
            .await?;
        let departments = departments
            .into_iter()
            .map(|department| (department.profile.id.clone(), wire::department(department)));
        let (departments, next_page_token) = server::page(&page, departments);
        Ok(Response::new(ListDepartmentsResponse { departments, next_page_token }))
    }

    async fn update_department(
        &self,
        request: Request<UpdateDepartmentRequest>,
    ) -> Answer<UpdateDepartmentResponse> {
        let (context, request) = server::mutation(request)?;
        let (profile, expected) = wire::update_department(request)?;
        let done = self
            .db
            .mutate(context, async move |mut tx, _| {
                let department = steps::update_department(&mut tx, profile, expected).await?;
                Ok((tx, UpdateDepartmentResponse { department: Some(wire::department(department)) }))
            })
            .await?;
        Ok(server::reply(done))
    }

    async fn create_agent(&self, request: Request<CreateAgentRequest>) -> Answer<CreateAgentResponse> {
        let (context, request) = server::mutation(request)?;
        let profile = wire::create_agent(request)?;
        let done = self
            .db
            .mutate(context, async move |mut tx, _| {
                let (agent, now) = (staff::create_agent(&mut tx, profile).await?, tx.now());
                Ok((tx, CreateAgentResponse { agent: Some(wire::agent(agent, now)) }))
            })
            .await?;
        Ok(server::reply(done))
    }

    async fn get_agent(&self, request: Request<GetAgentRequest>) -> Answer<GetAgentResponse> {
        let caller = server::caller(&request)?;
        let id = wire::get_agent(request.into_inner())?;
        let (agent, now) = self
            .db
            .transact("agents.get", &caller.tenant, async move |mut tx| {
                let agent = agents::agent(&mut tx, &id).await?.ok_or(Refusal::AgentNotFound)?;
                let now = tx.now();
                Ok((tx, (agent, now)))
            })
            .await?;
        Ok(Response::new(GetAgentResponse { agent: Some(wire::agent(agent, now)) }))
    }

    async fn list_agents(&self, request: Request<ListAgentsRequest>) -> Answer<ListAgentsResponse> {
        let caller = server::caller(&request)?;
        let wire::AgentsPage { department, team, page } = wire::list_agents(request.into_inner())?;
        let wanted = page.clone();
        let (mut agents, now) = self
            .db
            .transact("agents.list", &caller.tenant, async move |mut tx| {
                let (department, team) = (department.as_deref(), team.as_deref());
                let agents = agents::list_agents(&mut tx, department, team, &wanted).await?;
                let now = tx.now();
                Ok((tx, (agents, now)))
            })
            .await?;
        let next_page_token = page.cut(&mut agents, |agent| agent.profile.id.clone());
        let agents = agents.into_iter().map(|agent| wire::agent(agent, now)).collect();
        Ok(Response::new(ListAgentsResponse { agents, next_page_token }))
    }

    async fn update_agent(&self, request: Request<UpdateAgentRequest>) -> Answer<UpdateAgentResponse> {
        let (context, request) = server::mutation(request)?;
        let (described, expected) = wire::update_agent(request)?;
        let done = self
            .db
            .mutate(context, async move |mut tx, _| {
                let (agent, now) = (staff::update_agent(&mut tx, described, expected).await?, tx.now());
                Ok((tx, UpdateAgentResponse { agent: Some(wire::agent(agent, now)) }))
            })
            .await?;
        Ok(server::reply(done))
    }

    async fn get_assignment(&self, request: Request<GetAssignmentRequest>) -> Answer<GetAssignmentResponse> {
        let caller = server::caller(&request)?;
        let case_id = wire::get_assignment(request.into_inner())?;
        let case = self
            .db
            .transact("assignments.get", &caller.tenant, async move |mut tx| {
                let case = assignments::get(&mut tx, case_id).await?.ok_or(Refusal::AssignmentNotFound)?;
                Ok((tx, case))
            })
            .await?;
        Ok(Response::new(GetAssignmentResponse { assignment: Some(wire::assignment(case)) }))
    }

    async fn list_queue(&self, request: Request<ListQueueRequest>) -> Answer<ListQueueResponse> {
        let caller = server::caller(&request)?;
        let wire::QueuePage { department, page, after } = wire::list_queue(request.into_inner())?;
        let stretch = Stretch { department, after, limit: page.limit() };
        let waiting = self
            .db
            .transact("queue.list", &caller.tenant, async move |mut tx| {
                let waiting = assignments::waiting(&mut tx, std::slice::from_ref(&stretch)).await?;
                Ok((tx, waiting))
            })
            .await?;
        let waiting = waiting.into_iter().map(|case| (case.place().to_string(), wire::assignment(case)));
        let (assignments, next_page_token) = server::page(&page, waiting);
        Ok(Response::new(ListQueueResponse { assignments, next_page_token }))
    }

    async fn assign_case(&self, request: Request<AssignCaseRequest>) -> Answer<AssignCaseResponse> {
        let (context, request) = server::mutation(request)?;
        let wanted = wire::assign(request)?;
        let done = self
            .db
            .mutate(context, async move |mut tx, caller| {
                let case = steps::assign(&mut tx, wanted, &caller).await?;
                Ok((tx, AssignCaseResponse { assignment: Some(wire::assignment(case)) }))
            })
            .await?;
        Ok(server::reply(done))
    }

    async fn accept_case(&self, request: Request<AcceptCaseRequest>) -> Answer<AcceptCaseResponse> {
        let (context, request) = server::mutation(request)?;
        let wanted = wire::accept(request)?;
        Ok(server::reply(self.acceptances.mutate(context, wanted).await?))
    }

    async fn decline_assignment(
        &self,
        request: Request<DeclineAssignmentRequest>,
    ) -> Answer<DeclineAssignmentResponse> {
        let (context, request) = server::mutation(request)?;
        let wanted = wire::decline(request)?;
        let done = self
            .db
            .mutate(context, async move |mut tx, caller| {
                let case = steps::decline(&mut tx, wanted, &caller).await?;
                Ok((tx, DeclineAssignmentResponse { assignment: Some(wire::assignment(case)) }))
            })
            .await?;
        Ok(server::reply(done))
    }

    async fn transfer_case(&self, request: Request<TransferCaseRequest>) -> Answer<TransferCaseResponse> {
        let (context, request) = server::mutation(request)?;
        let wanted = wire::transfer(request)?;
        let done = self
            .db
            .mutate(context, async move |mut tx, caller| {
                let case = steps::transfer(&mut tx, wanted, &caller).await?;
                Ok((tx, TransferCaseResponse { assignment: Some(wire::assignment(case)) }))
            })
            .await?;
        Ok(server::reply(done))
    }

    async fn claim_next(&self, request: Request<ClaimNextRequest>) -> Answer<ClaimNextResponse> {
        let (context, request) = server::mutation(request)?;
        let agent = wire::claim(request)?;
        let done = self
            .db
            .mutate(context, async move |mut tx, caller| {
                let case = steps::claim(&mut tx, &agent, &caller).await?;
                Ok((tx, ClaimNextResponse { assignment: case.map(wire::assignment) }))
            })
            .await?;
        Ok(server::reply(done))
    }
}
