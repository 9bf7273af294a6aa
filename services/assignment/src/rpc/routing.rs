//! How agents are chosen: its versions, and decisions taken apart.

use fault::Fault;
use pg::Db;
use prost::Message as _;
use proto::redress::assignment::v1::routing_service_server::RoutingService;
use proto::redress::assignment::v1::{
    ActivateRoutingPolicyRequest, ActivateRoutingPolicyResponse, CreateRoutingPolicyRequest,
    CreateRoutingPolicyResponse, ExplainAssignmentRequest, ExplainAssignmentResponse,
    GetRoutingPolicyRequest, GetRoutingPolicyResponse, ListRoutingPoliciesRequest,
    ListRoutingPoliciesResponse, ListUnassignableRequest, ListUnassignableResponse, ReplayRoutingRequest,
    ReplayRoutingResponse, RoutingDecision,
};
use server::Length;
use tonic::Request;

use super::{Answer, steps};
use crate::refusal::Refusal;
use crate::routing::{self, MAX_POLICIES, RoutingPolicy};
use crate::store::{agents, assignments, decisions, policies, roster};
use crate::wire;

/// Most cycles that one replay goes through.
const MAX_REPLAYED: i64 = 2_000;

/// The rpcs about how agents are chosen.
pub(crate) struct RoutingRpc {
    db: Db,
}

impl RoutingRpc {
    pub(crate) fn new(db: Db) -> Self {
        Self { db }
    }
}

#[tonic::async_trait]
impl RoutingService for RoutingRpc {
    async fn create_routing_policy(
        &self,
        request: Request<CreateRoutingPolicyRequest>,
    ) -> Answer<CreateRoutingPolicyResponse> {
        let (context, request) = server::mutation(request)?;
        let policy = wire::create_policy(request)?;
        let done = self
            .db
            .mutate(context, async move |mut tx, _| {
                let latest = policies::seize(&mut tx).await?;
                if latest >= MAX_POLICIES {
                    return Err(Refusal::TooManyPolicies.into());
                }
                let created = Some(tx.now());
                let policy = RoutingPolicy { version: latest + 1, created, is_active: false, ..policy };
                policies::insert(&mut tx, &policy).await?;
                Ok((tx, CreateRoutingPolicyResponse { policy: Some(wire::routing_policy(policy)) }))
            })
            .await?;
        Ok(server::reply(done))
    }

    async fn activate_routing_policy(
        &self,
        request: Request<ActivateRoutingPolicyRequest>,
    ) -> Answer<ActivateRoutingPolicyResponse> {
        let (context, request) = server::mutation(request)?;
        let version = wire::activate_policy(request)?;
        let done = self
            .db
            .mutate(context, async move |mut tx, _| {
                policies::seize(&mut tx).await?;
                let policy = policies::get(&mut tx, version).await?.ok_or(Refusal::RoutingPolicyNotFound)?;
                // Without a version of its own in force a tenant has the shipped one.
                policies::activate(&mut tx, version).await?;
                steps::look_at_queues(&mut tx).await?;
                let policy = RoutingPolicy { is_active: true, ..policy };
                Ok((tx, ActivateRoutingPolicyResponse { policy: Some(wire::routing_policy(policy)) }))
            })
            .await?;
        Ok(server::reply(done))
    }

    async fn get_routing_policy(
        &self,
        request: Request<GetRoutingPolicyRequest>,
    ) -> Answer<GetRoutingPolicyResponse> {
        let caller = server::caller(&request)?;
        let version = wire::get_policy(request.into_inner())?;
        let policy = self
            .db
            .transact("routing.policy", &caller.tenant, async move |mut tx| {
                let policy = match version {
                    Some(version) => {
                        policies::get(&mut tx, version).await?.ok_or(Refusal::RoutingPolicyNotFound)?
                    }
                    None => policies::in_force(&mut tx).await?,
                };
                Ok((tx, policy))
            })
            .await?;
        Ok(GetRoutingPolicyResponse { policy: Some(wire::routing_policy(policy)) }.into())
    }

    async fn list_routing_policies(
        &self,
        request: Request<ListRoutingPoliciesRequest>,
    ) -> Answer<ListRoutingPoliciesResponse> {
        let caller = server::caller(&request)?;
        let (before, page) = wire::list_policies(request.into_inner())?;
        let wanted = page.clone();
        let policies = self
            .db
            .transact("routing.policies", &caller.tenant, async move |mut tx| {
                let policies = policies::list(&mut tx, before, &wanted).await?;
                Ok((tx, policies))
            })
            .await?;
        let policies =
            policies.into_iter().map(|policy| (policy.version.to_string(), wire::routing_policy(policy)));
        let (policies, next_page_token) = server::page(&page, policies);
        Ok(ListRoutingPoliciesResponse { policies, next_page_token }.into())
    }

    async fn explain_assignment(
        &self,
        request: Request<ExplainAssignmentRequest>,
    ) -> Answer<ExplainAssignmentResponse> {
        let caller = server::caller(&request)?;
        let (case_id, cycle) = wire::explain(request.into_inner())?;
        let stored = self
            .db
            .transact("assignment.explain", &caller.tenant, async move |mut tx| {
                let decision = decisions::get(&mut tx, case_id, cycle).await?;
                Ok((tx, decision.ok_or(Refusal::AssignmentNotFound)?))
            })
            .await?;
        let decision = RoutingDecision::decode(stored.as_slice()).map_err(Fault::internal)?;
        Ok(ExplainAssignmentResponse { decision: Some(decision) }.into())
    }

    async fn list_unassignable(
        &self,
        request: Request<ListUnassignableRequest>,
    ) -> Answer<ListUnassignableResponse> {
        let caller = server::caller(&request)?;
        let (after, page) = wire::list_unassignable(request.into_inner())?;
        let wanted = page.clone();
        let cases = self
            .db
            .transact("assignment.unassignable", &caller.tenant, async move |mut tx| {
                let cases = assignments::unassignable(&mut tx, after, &wanted).await?;
                Ok((tx, cases))
            })
            .await?;
        let cases = cases.into_iter().map(|case| (case.case_id.to_string(), wire::assignment(case)));
        let (assignments, next_page_token) = server::page(&page, cases);
        Ok(ListUnassignableResponse { assignments, next_page_token }.into())
    }

    async fn replay_routing(&self, request: Request<ReplayRoutingRequest>) -> Answer<ReplayRoutingResponse> {
        let caller = server::caller(&request)?;
        let wire::Replay { department, version, weights, window, page, after } =
            wire::replay(request.into_inner())?;
        let (agents, policy, mut cases) = self
            .db
            .transact("routing.replay", &caller.tenant, async move |mut tx| {
                roster::department(&mut tx, &department).await?.ok_or(Refusal::DepartmentNotFound)?;
                let policy = policies::get(&mut tx, version).await?.ok_or(Refusal::RoutingPolicyNotFound)?;
                let agents = agents::agents_of(&mut tx, std::slice::from_ref(&department)).await?;
                let cases = decisions::past(&mut tx, &department, window, MAX_REPLAYED + 1).await?;
                Ok((tx, (agents, policy, cases)))
            })
            .await?;
        let weights = weights.unwrap_or(policy.weights);
        let policy = RoutingPolicy { weights, ..policy };
        let most = usize::try_from(MAX_REPLAYED).unwrap_or_default();
        let is_partial = cases.len() > most;
        cases.truncate(most);
        let replayed = move || {
            let outcomes = routing::replay(agents, &cases, &policy);
            wire::replayed(&cases, &outcomes, (&page, after), is_partial)
        };
        let answer = server::blocking(&caller.tenant, Length::Quick, "routing.replay", replayed).await?;
        Ok(answer.into())
    }
}
