//! How plans are approved: versions of the policy, what they would have made of past plans,
//! and who approves for whom.

use fault::Fault;
use kernel::{Caller, TenantId, person};
use pg::{Db, Tx};
use proto::redress::resolution::v1::approval_service_server::ApprovalService;
use proto::redress::resolution::v1::{
    ActivateApprovalPolicyRequest, ActivateApprovalPolicyResponse, ApprovalDelegation,
    CreateApprovalPolicyRequest, CreateApprovalPolicyResponse, DelegateApprovalsRequest,
    DelegateApprovalsResponse, GetApprovalPolicyRequest, GetApprovalPolicyResponse,
    ListApprovalPoliciesRequest, ListApprovalPoliciesResponse, ListDelegationsRequest,
    ListDelegationsResponse, ReplayApprovalsRequest, ReplayApprovalsResponse, RevokeDelegationRequest,
    RevokeDelegationResponse,
};
use server::Length;
use tonic::{Request, Response, Status};

use crate::approval::KeptPolicy;
use crate::approval::policy::{ApprovalPolicy, Definition, MAX_POLICIES};
use crate::delegation::Delegation;
use crate::flow::approval_policies;
use crate::refusal::Refusal;
use crate::store;
use crate::store::approval_policies::JudgedRow;
use crate::wire::approvals::{self as wire, Candidate};

/// The rpcs over one schema.
pub(crate) struct PlanApprovals {
    db: Db,
}

impl PlanApprovals {
    pub(crate) fn new(db: Db) -> Self {
        Self { db }
    }

    /// What past plans are judged by; none where it is a version that is to be read.
    async fn candidate(&self, tenant: &TenantId, candidate: Candidate) -> Result<ApprovalPolicy, Fault> {
        match candidate {
            Candidate::Policy(definition) => {
                let read = approval_policies::read(tenant, 0, definition).await?;
                read.or_else(|flaws| wire::flawed_candidate(flaws).map(|()| ApprovalPolicy::default()))
            }
            Candidate::Version(version) => {
                let of = tenant.clone();
                self.db
                    .transact("approval_policy.read", tenant, async move |mut tx| {
                        let policy = approval_policies::get(&mut tx, &of, version).await?;
                        Ok((tx, policy))
                    })
                    .await
            }
        }
    }
}

/// The policy that is shipped, as if it were kept.
fn shipped(active: i64) -> KeptPolicy {
    KeptPolicy {
        version: 0,
        note: "the policy that is shipped: one person approves".to_owned(),
        creator: String::new(),
        created_at: None,
        activated_at: None,
        is_active: active == 0,
        definition: Some(Definition::default()),
    }
}

#[tonic::async_trait]
impl ApprovalService for PlanApprovals {
    async fn create_approval_policy(
        &self,
        request: Request<CreateApprovalPolicyRequest>,
    ) -> Result<Response<CreateApprovalPolicyResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let (definition, note) = wire::creation(request)?;
        let read = approval_policies::read(&context.caller.tenant, 0, definition.clone()).await?;
        wire::flawed(read.err().unwrap_or_default())?;
        let done = self
            .db
            .mutate(context, async move |mut tx, caller| {
                let (now, by) = (tx.now(), (note.as_str(), &*caller.subject));
                let version =
                    store::approval_policies::create(&mut tx, &definition, by, MAX_POLICIES, now).await?;
                let kept = KeptPolicy {
                    version,
                    note,
                    creator: caller.subject.to_string(),
                    created_at: Some(now),
                    activated_at: None,
                    is_active: false,
                    definition: Some(definition),
                };
                Ok((tx, CreateApprovalPolicyResponse { policy: Some(wire::policy(kept)) }))
            })
            .await?;
        Ok(server::reply(done))
    }

    async fn activate_approval_policy(
        &self,
        request: Request<ActivateApprovalPolicyRequest>,
    ) -> Result<Response<ActivateApprovalPolicyResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let version = wire::activation(request)?;
        let done = self
            .db
            .mutate(context, async move |mut tx, _| {
                let now = tx.now();
                let before = store::approval_policies::activate(&mut tx, version, now).await?;
                let previous_version = before.ok_or(Refusal::ApprovalPolicyNotFound)?;
                Ok((tx, ActivateApprovalPolicyResponse { version, previous_version }))
            })
            .await?;
        Ok(server::reply(done))
    }

    async fn get_approval_policy(
        &self,
        request: Request<GetApprovalPolicyRequest>,
    ) -> Result<Response<GetApprovalPolicyResponse>, Status> {
        let caller = server::caller(&request)?;
        let wanted = wire::reading(request.into_inner())?;
        let kept = self
            .db
            .transact("approval_policy.get", &caller.tenant, async move |mut tx| {
                let active = store::approval_policies::active(&mut tx).await?;
                let kept = match wanted.unwrap_or(active) {
                    0 => Some(shipped(active)),
                    version => store::approval_policies::get(&mut tx, version).await?,
                };
                Ok((tx, kept.ok_or(Refusal::ApprovalPolicyNotFound)?))
            })
            .await?;
        Ok(Response::new(GetApprovalPolicyResponse { policy: Some(wire::policy(kept)) }))
    }

    async fn list_approval_policies(
        &self,
        request: Request<ListApprovalPoliciesRequest>,
    ) -> Result<Response<ListApprovalPoliciesResponse>, Status> {
        let caller = server::caller(&request)?;
        let (before, page) = wire::listing(request.into_inner())?;
        let limit = page.limit();
        let kept = self
            .db
            .transact("approval_policy.list", &caller.tenant, async move |mut tx| {
                let kept = store::approval_policies::list(&mut tx, before, limit).await?;
                Ok((tx, kept))
            })
            .await?;
        let kept = kept.into_iter().map(|kept| (kept.version.to_string(), wire::policy(kept)));
        let (policies, next_page_token) = server::page(&page, kept);
        Ok(Response::new(ListApprovalPoliciesResponse { policies, next_page_token }))
    }

    async fn replay_approvals(
        &self,
        request: Request<ReplayApprovalsRequest>,
    ) -> Result<Response<ReplayApprovalsResponse>, Status> {
        let caller = server::caller(&request)?;
        let wire::Replay { candidate, window, page, after } = wire::replay(request.into_inner())?;
        let policy = self.candidate(&caller.tenant, candidate).await?;
        let wanted = page.clone();
        let mut judged = self
            .db
            .transact("approval_policy.replay", &caller.tenant, async move |mut tx| {
                let judged = store::approval_policies::judged(&mut tx, window, after, &wanted).await?;
                Ok((tx, judged))
            })
            .await?;
        let next_page_token = page.cut(&mut judged, |one| one.judgement_id.to_string());
        let replay = move || replayed(&policy, &judged, next_page_token);
        let answer =
            server::blocking(&caller.tenant, Length::Quick, "approval_policy.replay", replay).await??;
        Ok(Response::new(answer))
    }

    async fn delegate_approvals(
        &self,
        request: Request<DelegateApprovalsRequest>,
    ) -> Result<Response<DelegateApprovalsResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let delegation = wire::delegation(request)?;
        let done = self
            .db
            .mutate(context, async move |mut tx, caller| {
                let delegation = delegation(tx.new_id(), &caller.subject, tx.now())?;
                delegate(&mut tx, &delegation).await?;
                let delegation = Some(wire::shown_delegation(&delegation));
                Ok((tx, DelegateApprovalsResponse { delegation }))
            })
            .await?;
        Ok(server::reply(done))
    }

    async fn revoke_delegation(
        &self,
        request: Request<RevokeDelegationRequest>,
    ) -> Result<Response<RevokeDelegationResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let delegation_id = wire::revocation(request)?;
        let done = self
            .db
            .mutate(context, async move |mut tx, caller| {
                let delegation = Some(revoke(&mut tx, &caller, delegation_id).await?);
                Ok((tx, RevokeDelegationResponse { delegation }))
            })
            .await?;
        Ok(server::reply(done))
    }

    async fn list_delegations(
        &self,
        request: Request<ListDelegationsRequest>,
    ) -> Result<Response<ListDelegationsResponse>, Status> {
        let caller = server::caller(&request)?;
        let (page, before) = wire::delegations(request.into_inner())?;
        let limit = page.limit();
        let delegations = self
            .db
            .transact("approval_delegation.list", &caller.tenant, async move |mut tx| {
                let delegations = store::delegations::list(&mut tx, before, limit).await?;
                Ok((tx, delegations))
            })
            .await?;
        let shown =
            delegations.iter().map(|one| (one.delegation_id.to_string(), wire::shown_delegation(one)));
        let (delegations, next_page_token) = server::page(&page, shown);
        Ok(Response::new(ListDelegationsResponse { delegations, next_page_token }))
    }
}

/// What a policy would have made of plans as they were proposed and revised.
fn replayed(
    policy: &ApprovalPolicy,
    judged: &[JudgedRow],
    next_page_token: String,
) -> Result<ReplayApprovalsResponse, Fault> {
    let examined = i32::try_from(judged.len()).unwrap_or(i32::MAX);
    let mut answer =
        ReplayApprovalsResponse { examined, next_page_token, ..ReplayApprovalsResponse::default() };
    for one in judged {
        let one = one.read()?;
        let ruling = policy.evaluate(&one.facts).ruling;
        let plan = wire::replayed(&mut answer, &one, &ruling);
        answer.plans.extend(plan);
    }
    Ok(answer)
}

/// Stores a delegation beside those that hold in its time.
async fn delegate(tx: &mut Tx, delegation: &Delegation) -> Result<(), Fault> {
    store::delegations::seize(tx).await?;
    let people = [&delegation.delegator, &delegation.delegate].map(|one| person::folded(one));
    let others = store::delegations::of_people(tx, &people, (delegation.start, delegation.end)).await?;
    delegation.must_fit(&others)?;
    store::delegations::insert(tx, delegation).await
}

async fn revoke(
    tx: &mut Tx,
    caller: &Caller,
    delegation_id: uuid::Uuid,
) -> Result<ApprovalDelegation, Fault> {
    let known = store::delegations::lock(tx, delegation_id).await?;
    let mut delegation = known.ok_or(Refusal::DelegationNotFound)?;
    delegation.revoke(&caller.subject, tx.now())?;
    store::delegations::revoke(tx, &delegation).await?;
    Ok(wire::shown_delegation(&delegation))
}
