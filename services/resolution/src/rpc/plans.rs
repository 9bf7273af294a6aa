//! Plans: proposed, approved or rejected, cancelled, read.

mod approve;
mod propose;

use std::slice;
use std::sync::Arc;

use fault::{Fault, Refusal as _};
use kernel::{Caller, CaseId};
use pg::{Db, Group, Tx};
use proto::redress::resolution::v1::{
    ApprovePlanRequest, ApprovePlanResponse, CancelPlanRequest, CancelPlanResponse, GetPlanRequest,
    GetPlanResponse, ListPlansRequest, ListPlansResponse, ProposePlanRequest, ProposePlanResponse,
    RejectPlanRequest, RejectPlanResponse,
};
use tonic::{Request, Response};

use crate::approval::Ruling;
use crate::flow::progress;
use crate::plan::Plan;
use crate::refusal::Refusal;
use crate::store;
use crate::wire;
use crate::wire::plans::PlanTarget;
pub(super) use approve::{Approvals, delegated};
pub(super) use propose::Proposals;

/// Facts that are asked for on the thread of the calls; more are asked for beside it.
pub(super) const HEAVY: usize = 5_000;

/// A refusal; one by the approval policy with the rule and why.
pub(super) fn refused(refusal: Refusal, ruling: &Ruling) -> Fault {
    if refusal != Refusal::RefusedByPolicy {
        return refusal.into();
    }
    let Ruling { rule, reasons, policy, .. } = ruling;
    let why = reasons.join("; ");
    Fault::new(refusal.kind(), refusal.reason(), format!("{refusal} by rule {rule}: {why}"))
        .with("rule", rule.as_str())
        .with("policy_version", policy.to_string())
}

/// `ProposePlan`
pub(super) async fn propose(
    proposals: &Arc<Group<Proposals>>,
    request: Request<ProposePlanRequest>,
) -> Result<Response<ProposePlanResponse>, Fault> {
    let (context, request) = server::mutation(request)?;
    let proposal = wire::plans::proposal(request)?;
    Ok(server::reply(proposals.mutate(context, proposal).await?))
}

/// The plan a caller means, locked, as they have seen it; what is told next is in
/// its case's trace.
pub(super) async fn lock(tx: &mut Tx, target: PlanTarget, caller: &Caller) -> Result<Plan, Fault> {
    let plan = store::plans::lock(tx, &[target.plan_id.0]).await?.pop().ok_or(Refusal::PlanNotFound)?;
    not_about(tx, plan.case_id, caller).await?;
    plan.seen_as(target.expected_version)?;
    tx.join_trace(&plan.traceparent);
    Ok(plan)
}

/// Refuses whom a case is about.
pub(super) async fn not_about(tx: &mut Tx, case: CaseId, caller: &Caller) -> Result<(), Fault> {
    let case = store::cases::read(tx, &[case.0]).await?.pop();
    Ok(case.map_or(Ok(()), |case| case.not_about(caller))?)
}

/// `ApprovePlan`
pub(super) async fn approve(
    approvals: &Arc<Group<Approvals>>,
    request: Request<ApprovePlanRequest>,
) -> Result<Response<ApprovePlanResponse>, Fault> {
    let (context, request) = server::mutation(request)?;
    let target = wire::plans::approval(request)?;
    Ok(server::reply(approvals.mutate(context, target).await?))
}

/// `RejectPlan`
pub(super) async fn reject(
    db: &Db,
    request: Request<RejectPlanRequest>,
) -> Result<Response<RejectPlanResponse>, Fault> {
    let (context, request) = server::mutation(request)?;
    let (target, reason) = wire::plans::rejection(request)?;
    let done = db
        .mutate(context, async move |mut tx, caller| {
            let mut plan = lock(&mut tx, target, &caller).await?;
            plan.reject(&caller.subject, reason, tx.now())?;
            tx.emit(plan.case_id.0, &wire::outbound::plan_rejected(&plan));
            let entries = plan.book(&[], tx.now(), || tx.new_id()).map_err(Fault::internal)?;
            store::plans::save(&mut tx, slice::from_ref(&plan), &entries).await?;
            Ok((tx, RejectPlanResponse { plan: Some(wire::plans::plan(&plan)) }))
        })
        .await?;
    Ok(server::reply(done))
}

/// `CancelPlan`
pub(super) async fn cancel(
    db: &Db,
    request: Request<CancelPlanRequest>,
) -> Result<Response<CancelPlanResponse>, Fault> {
    let (context, request) = server::mutation(request)?;
    let (target, reason) = wire::plans::cancellation(request)?;
    let done = db
        .mutate(context, async move |mut tx, caller| {
            let mut plan = lock(&mut tx, target, &caller).await?;
            progress::cancel(&mut tx, slice::from_mut(&mut plan), &reason).await?;
            Ok((tx, CancelPlanResponse { plan: Some(wire::plans::plan(&plan)) }))
        })
        .await?;
    Ok(server::reply(done))
}

/// `GetPlan`
pub(super) async fn get(
    db: &Db,
    request: Request<GetPlanRequest>,
) -> Result<Response<GetPlanResponse>, Fault> {
    let caller = server::caller(&request)?;
    let plan_id = wire::plans::reading(request.into_inner())?;
    let plan = db
        .transact("resolution.get_plan", &caller.tenant, async move |mut tx| {
            let plan = store::plans::get(&mut tx, plan_id).await?.ok_or(Refusal::PlanNotFound)?;
            let shortages = store::stock::of_plan(&mut tx, &plan).await?;
            let mut shown = wire::plans::plan(&plan);
            if !shortages.is_empty() {
                let now = tx.now();
                let grounds = store::approvals::grounds(&mut tx, &[plan.case_id.0], now).await?;
                wire::stock::show(&mut shown, &plan, (&shortages, &grounds.get(plan.case_id)));
            }
            Ok((tx, shown))
        })
        .await?;
    Ok(Response::new(GetPlanResponse { plan: Some(plan) }))
}

/// `ListPlans`
pub(super) async fn list(
    db: &Db,
    request: Request<ListPlansRequest>,
) -> Result<Response<ListPlansResponse>, Fault> {
    let caller = server::caller(&request)?;
    let wire::plans::PlanListQuery { case_id, page, after } = wire::plans::listing(request.into_inner())?;
    let limit = page.limit();
    let plans = db
        .transact("resolution.list_plans", &caller.tenant, async move |mut tx| {
            let plans = store::plans::list(&mut tx, case_id, after, limit).await?;
            Ok((tx, plans))
        })
        .await?;
    let plans = plans.iter().map(|plan| (plan.plan_id.to_string(), wire::plans::plan(plan)));
    let (plans, next_page_token) = server::page(&page, plans);
    Ok(Response::new(ListPlansResponse { plans, next_page_token }))
}
