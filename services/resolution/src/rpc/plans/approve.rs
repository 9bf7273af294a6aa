//! Plans approved, those that come together in one transaction.

use std::collections::HashMap;
use std::sync::Arc;

use fault::Fault;
use jiff::{SignedDuration, Timestamp};
use kernel::person;
use pg::{Batch, BatchedMutation, Tx, Verdicts, Work};
use prost::Message as _;
use proto::redress::resolution::v1::ApprovePlanResponse;
use uuid::Uuid;

use super::{HEAVY, refused};
use crate::approval::policy::ApprovalPolicy;
use crate::approval::{Approval, GroundsByCase};
use crate::case::CaseView;
use crate::delegation::Delegation;
use crate::flow::approval_policies::ApprovalPolicies;
use crate::flow::progress;
use crate::plan::{Plan, PlanState};
use crate::refusal::Refusal;
use crate::wire::plans::Consent;
use crate::{store, wire};

/// Approvals of plans.
pub(in crate::rpc) struct Approvals(pub(in crate::rpc) Arc<ApprovalPolicies>);

impl Batch for Approvals {
    type Job = Consent;

    fn name(&self) -> &'static str {
        "plan.approve"
    }

    fn carry_out<'a>(&'a self, tx: &'a mut Tx, asked: &'a [BatchedMutation<Consent>]) -> Work<'a, Verdicts> {
        Box::pin(approve_all(tx, &self.0, asked))
    }
}

/// What approvals are held against.
struct Held {
    policy: Arc<ApprovalPolicy>,
    plans: HashMap<Uuid, Plan>,
    cases: HashMap<Uuid, CaseView>,
    grounds: GroundsByCase,
    delegations: Vec<Delegation>,
}

async fn approve_all(
    tx: &mut Tx,
    policies: &ApprovalPolicies,
    asked: &[BatchedMutation<Consent>],
) -> Result<Verdicts, Fault> {
    let Some(first) = asked.first() else { return Ok(Verdicts::new()) };
    let policy = policies.active(tx, &first.caller.tenant).await?;
    let mut held = hold(tx, policy, asked).await?;
    // Each as this approval left it: two may be of one plan.
    let is_heavy = held.policy.weight().saturating_mul(asked.len()) > HEAVY;
    let approved: Vec<Result<Plan, Fault>> =
        server::aside(is_heavy, || asked.iter().map(|one| approve(tx, &mut held, one)).collect());
    let mut changed: Vec<Plan> = held
        .plans
        .into_values()
        .filter(|plan| approved.iter().flatten().any(|one| one.plan_id == plan.plan_id))
        .collect();
    changed.sort_unstable_by_key(|plan| plan.plan_id.0);
    if !changed.is_empty() {
        store::approvals::keep(tx, &changed).await?;
        progress::carry_on(tx, &mut changed, &[]).await?;
    }
    let answer = |approved: Plan| {
        // One that is carried out from now on has its first tasks.
        let begun = changed.iter().find(|plan| plan.plan_id == approved.plan_id);
        let begun = begun.filter(|_| approved.state == PlanState::Executing);
        let plan = Some(wire::plans::plan(begun.unwrap_or(&approved)));
        ApprovePlanResponse { plan }.encode_to_vec()
    };
    Ok(approved.into_iter().map(|approved| approved.map(answer)).collect())
}

async fn hold(
    tx: &mut Tx,
    policy: Arc<ApprovalPolicy>,
    asked: &[BatchedMutation<Consent>],
) -> Result<Held, Fault> {
    let ids: Vec<Uuid> = asked.iter().map(|one| one.job.target.plan_id.0).collect();
    let plans = store::plans::lock(tx, &ids).await?;
    let cases: Vec<Uuid> = plans.iter().map(|plan| plan.case_id.0).collect();
    if !policy.is_shipped() {
        store::approvals::hold_complainants(tx, &cases).await?;
    }
    let now = tx.now();
    let delegations = delegations(tx, asked, now).await?;
    let grounds = store::approvals::grounds(tx, &cases, now).await?;
    let views = store::cases::read(tx, &cases).await?;
    Ok(Held {
        policy,
        plans: plans.into_iter().map(|plan| (plan.plan_id.0, plan)).collect(),
        cases: views.into_iter().map(|case| (case.case_id.0, case)).collect(),
        grounds,
        delegations,
    })
}

/// The delegations of those whose authority somebody uses.
async fn delegations(
    tx: &mut Tx,
    asked: &[BatchedMutation<Consent>],
    now: Timestamp,
) -> Result<Vec<Delegation>, Fault> {
    let named = asked.iter().map(|one| person::folded(&one.job.on_behalf_of));
    delegated(tx, named.filter(|one| !one.is_empty()).collect(), now).await
}

/// What these people, each folded, have delegated that holds now.
pub(in crate::rpc) async fn delegated(
    tx: &mut Tx,
    named: Vec<String>,
    now: Timestamp,
) -> Result<Vec<Delegation>, Fault> {
    if named.is_empty() {
        return Ok(Vec::new());
    }
    let moment = (now, now + SignedDuration::from_micros(1));
    store::delegations::of_people(tx, &named, moment).await
}

/// Approves one plan, in memory; a refused one stays as it was.
fn approve(tx: &mut Tx, held: &mut Held, one: &BatchedMutation<Consent>) -> Result<Plan, Fault> {
    let Consent { target, on_behalf_of } = &one.job;
    let known = held.plans.get_mut(&target.plan_id.0).ok_or(Refusal::PlanNotFound)?;
    if let Some(case) = held.cases.get(&known.case_id.0) {
        case.not_about(&one.caller)?;
        case.not_about_person(on_behalf_of)?;
    }
    known.seen_as(target.expected_version)?;
    let approval = Approval {
        approver: one.caller.subject.to_string(),
        on_behalf_of: on_behalf_of.clone(),
        approved_at: tx.now(),
    };
    let lets = |given: &Delegation| given.lets(&approval.approver, on_behalf_of, tx.now());
    if !on_behalf_of.is_empty() && !held.delegations.iter().any(lets) {
        return Err(Refusal::NoDelegation.into());
    }
    let mut plan = known.clone();
    let facts = plan.facts().against(held.grounds.get(plan.case_id));
    let evaluation = held.policy.evaluate(&facts);
    let limit = held.policy.limit_of(approval.authority(), &evaluation);
    let ruling = evaluation.ruling;
    plan.approve(approval, &limit, ruling.clone()).map_err(|refusal| refused(refusal, &ruling))?;
    one.trace(tx, &plan.traceparent);
    if plan.state == PlanState::Executing {
        held.grounds.grant(plan.case_id, &plan.total());
        tx.emit(plan.case_id.0, &wire::outbound::plan_approved(&plan));
    }
    known.clone_from(&plan);
    Ok(plan)
}
