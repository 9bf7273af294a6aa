//! Plans proposed, those that come together in one transaction.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use fault::Fault;
use kernel::PlanId;
use pg::{Batch, BatchedMutation, Tx, Verdicts, Work};
use prost::Message as _;
use proto::redress::resolution::v1::ProposePlanResponse;
use uuid::Uuid;

use super::{HEAVY, refused};
use crate::approval::policy::ApprovalPolicy;
use crate::approval::{Facts, GroundsByCase, Outcome};
use crate::case::CaseView;
use crate::flow::approval_policies::ApprovalPolicies;
use crate::flow::progress;
use crate::flow::remedy_types::TypesInUse;
use crate::ledger::Entry;
use crate::plan::{Plan, PlanState, Step};
use crate::refusal::Refusal;
use crate::remedy_type::RemedyTypes;
use crate::wire::plans::Proposal;
use crate::{store, wire};

/// Proposals of plans.
pub(in crate::rpc) struct Proposals {
    pub(in crate::rpc) policies: Arc<ApprovalPolicies>,
    pub(in crate::rpc) types: Arc<TypesInUse>,
}

impl Batch for Proposals {
    type Job = Proposal;

    fn name(&self) -> &'static str {
        "plan.propose"
    }

    fn carry_out<'a>(&'a self, tx: &'a mut Tx, asked: &'a [BatchedMutation<Proposal>]) -> Work<'a, Verdicts> {
        Box::pin(propose(tx, self, asked))
    }
}

/// What proposals are held against.
struct Held {
    policy: Arc<ApprovalPolicy>,
    cases: HashMap<Uuid, CaseView>,
    departments: HashSet<String>,
    types: RemedyTypes,
    grounds: GroundsByCase,
}

/// What is to be stored of proposals.
#[derive(Default)]
struct Sound {
    plans: Vec<Plan>,
    facts: Vec<Facts>,
    entries: Vec<Entry>,
}

/// The cases are held until the plans are stored: one that ends meanwhile finds the
/// plan to cancel.
async fn propose(
    tx: &mut Tx,
    proposals: &Proposals,
    asked: &[BatchedMutation<Proposal>],
) -> Result<Verdicts, Fault> {
    let Some(first) = asked.first() else { return Ok(Verdicts::new()) };
    let policy = proposals.policies.active(tx, &first.caller.tenant).await?;
    let mut held = hold(tx, (policy, &proposals.types), asked).await?;
    let mut sound = Sound::default();
    let is_heavy = held.policy.weight().saturating_mul(asked.len()) > HEAVY
        || held
            .types
            .is_heavy_for_inputs(asked.iter().flat_map(|one| &one.job.steps).map(|step| &step.remedy));
    let verdicts: Vec<Result<PlanId, Fault>> = server::aside(is_heavy, || {
        asked.iter().map(|one| evaluate(tx, &mut held, &mut sound, one)).collect()
    });
    let Sound { mut plans, facts, entries } = sound;
    if !plans.is_empty() {
        store::plans::insert(tx, &plans, &facts, &entries).await?;
        begin(tx, &mut plans).await?;
    }
    let answer = |plan_id: PlanId| {
        let plan = plans.iter().find(|plan| plan.plan_id == plan_id).map(wire::plans::plan);
        ProposePlanResponse { plan }.encode_to_vec()
    };
    Ok(verdicts.into_iter().map(|verdict| verdict.map(answer)).collect())
}

/// Holds the cases; where a tenant has a policy of its own, those linked to them by an
/// order, and their complainants, too: of what a rule approves by itself, nothing may be
/// granted elsewhere meanwhile.
async fn hold(
    tx: &mut Tx,
    (policy, types): (Arc<ApprovalPolicy>, &TypesInUse),
    asked: &[BatchedMutation<Proposal>],
) -> Result<Held, Fault> {
    let ids: Vec<Uuid> = asked.iter().map(|one| one.job.case_id.0).collect();
    let mut all = ids.clone();
    if !policy.is_shipped() {
        all.extend(store::approvals::same_order(tx, &ids).await?);
    }
    let cases = store::cases::lock(tx, &all).await?;
    if !policy.is_shipped() {
        store::approvals::hold_complainants(tx, &ids).await?;
    }
    let steps = || asked.iter().flat_map(|one| &one.job.steps);
    let tenant =
        asked.first().map(|one| &one.caller.tenant).ok_or_else(|| Fault::internal("nothing asked"))?;
    let types = types.of_steps(tx, tenant, steps()).await?;
    let departments = steps().map(|step| step.department_id.as_str()).chain(types.departments());
    let departments: Vec<&str> = departments.collect();
    let departments = store::departments::known(tx, &departments).await?;
    let now = tx.now();
    let grounds = store::approvals::grounds(tx, &ids, now).await?;
    let cases = cases.into_iter().map(|case| (case.case_id.0, case)).collect();
    Ok(Held { policy, cases, departments, types, grounds })
}

/// Judges one proposal; answers the plan it becomes.
fn evaluate(
    tx: &mut Tx,
    held: &mut Held,
    sound: &mut Sound,
    one: &BatchedMutation<Proposal>,
) -> Result<PlanId, Fault> {
    let case = held.cases.get(&one.job.case_id.0).ok_or(Refusal::CaseNotFound)?;
    case.must_be_worked_by(&one.caller)?;
    case.must_want_a_plan()?;
    let steps = wire::plans::taken(&one.job.steps, &held.departments, &held.types)?;
    let mut plan = proposed(tx, case, (one, steps));
    let facts = plan.facts().against(held.grounds.get(plan.case_id));
    let ruling = held.policy.evaluate(&facts).ruling;
    if ruling.outcome == Outcome::Refused {
        return Err(refused(Refusal::RefusedByPolicy, &ruling));
    }
    if ruling.outcome == Outcome::Automatic {
        held.grounds.grant(plan.case_id, &plan.total());
    }
    held.grounds.propose(plan.case_id, &plan.refunds());
    plan.judged(ruling);
    let entries = plan.book(&[], tx.now(), || tx.new_id()).map_err(Fault::internal)?;
    one.trace(tx, &plan.traceparent);
    tx.emit(plan.case_id.0, &wire::outbound::plan_proposed(&plan));
    let plan_id = plan.plan_id;
    sound.entries.extend(entries);
    sound.plans.push(plan);
    sound.facts.push(facts);
    Ok(plan_id)
}

fn proposed(tx: &Tx, case: &CaseView, (one, steps): (&BatchedMutation<Proposal>, Vec<Step>)) -> Plan {
    Plan {
        plan_id: PlanId(tx.new_id()),
        version: 1,
        case_id: case.case_id,
        cycle: case.cycle,
        state: PlanState::Proposed,
        steps,
        revisions: 0,
        pending_revision: None,
        revisers: Vec::new(),
        reviser_roles: Vec::new(),
        earlier_approvers: Vec::new(),
        proposer: one.caller.subject.to_string(),
        proposer_roles: one.caller.roles.held().iter().map(|role| role.name().to_owned()).collect(),
        approver: String::new(),
        first_approver: String::new(),
        second_reason: String::new(),
        approvals: Vec::new(),
        ruling: None,
        approved_at: None,
        reason: String::new(),
        priority: case.priority,
        traceparent: case.traceparent.clone(),
        created_at: tx.now(),
        ended_at: None,
    }
}

/// Begins the plans that a rule has approved.
async fn begin(tx: &mut Tx, plans: &mut [Plan]) -> Result<(), Fault> {
    let is_automatic =
        |plan: &&Plan| plan.ruling.as_ref().is_some_and(|one| one.outcome == Outcome::Automatic);
    let mut begun: Vec<Plan> = plans.iter().filter(is_automatic).cloned().collect();
    if begun.is_empty() {
        return Ok(());
    }
    for plan in &mut begun {
        plan.approve_automatically(tx.now())?;
        tx.emit_in(plan.traceparent.clone(), plan.case_id.0, &wire::outbound::plan_approved(plan));
    }
    store::approvals::keep(tx, &begun).await?;
    progress::carry_on(tx, &mut begun, &[]).await?;
    for plan in begun {
        if let Some(known) = plans.iter_mut().find(|known| known.plan_id == plan.plan_id) {
            *known = plan;
        }
    }
    Ok(())
}
