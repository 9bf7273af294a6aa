//! Plans proposed and approved, those that come together in one transaction.

use std::collections::HashMap;

use fault::Fault;
use kernel::PlanId;
use pg::{Batch, BatchedMutation, Tx, Verdicts, Work};
use prost::Message as _;
use proto::redress::resolution::v1::{ApprovePlanResponse, ProposePlanResponse};
use uuid::Uuid;

use crate::approval::Grounds;
use crate::case::CaseView;
use crate::flow::progress;
use crate::plan::{Plan, PlanState};
use crate::refusal::Refusal;
use crate::wire::plans::{PlanTarget, Proposal};
use crate::{approval, store, wire};

/// Proposals of plans.
pub(in crate::rpc) struct Proposals;

impl Batch for Proposals {
    type Job = Proposal;

    fn name(&self) -> &'static str {
        "plan.propose"
    }

    fn carry_out<'a>(&'a self, tx: &'a mut Tx, asked: &'a [BatchedMutation<Proposal>]) -> Work<'a, Verdicts> {
        Box::pin(propose(tx, asked))
    }
}

/// The cases are held until the plans are stored: one that ends meanwhile finds the
/// plan to cancel.
async fn propose(tx: &mut Tx, asked: &[BatchedMutation<Proposal>]) -> Result<Verdicts, Fault> {
    let ids: Vec<Uuid> = asked.iter().map(|one| one.job.case_id.0).collect();
    let cases = store::cases::lock(tx, &ids).await?;
    let cases: HashMap<Uuid, CaseView> = cases.into_iter().map(|case| (case.case_id.0, case)).collect();
    let steps = asked.iter().flat_map(|one| &one.job.steps);
    let departments: Vec<&str> = steps.map(|step| step.department_id.as_str()).collect();
    let departments = store::departments::known(tx, &departments).await?;
    let (mut plans, mut entries) = (Vec::with_capacity(asked.len()), Vec::new());
    let mut verdicts = Vec::with_capacity(asked.len());
    for one in asked {
        let case = cases.get(&one.job.case_id.0).ok_or(Refusal::CaseNotFound);
        let wanted = case.and_then(|case| {
            case.must_be_worked_by(&one.caller)?;
            case.must_want_a_plan().map(|()| case)
        });
        let sound = wanted
            .map_err(Fault::from)
            .and_then(|case| wire::plans::known_departments(&one.job.steps, &departments).map(|()| case));
        let verdict = sound.and_then(|case| {
            let mut plan = proposed(tx, case, one);
            entries.extend(plan.book(&[], tx.now(), || tx.new_id()).map_err(Fault::internal)?);
            one.trace(tx, &plan.traceparent);
            tx.emit(plan.case_id.0, &wire::outbound::plan_proposed(&plan));
            let answer = ProposePlanResponse { plan: Some(wire::plans::plan(&plan)) };
            plans.push(plan);
            Ok(answer.encode_to_vec())
        });
        verdicts.push(verdict);
    }
    if !plans.is_empty() {
        store::plans::insert(tx, &plans, &entries).await?;
    }
    Ok(verdicts)
}

fn proposed(tx: &Tx, case: &CaseView, one: &BatchedMutation<Proposal>) -> Plan {
    Plan {
        plan_id: PlanId(tx.new_id()),
        version: 1,
        case_id: case.case_id,
        cycle: case.cycle,
        state: PlanState::Proposed,
        steps: one.job.steps.clone(),
        proposer: one.caller.subject.to_string(),
        approver: String::new(),
        first_approver: String::new(),
        second_reason: String::new(),
        reason: String::new(),
        priority: case.priority,
        traceparent: case.traceparent.clone(),
        created_at: tx.now(),
        ended_at: None,
    }
}

/// Approvals of plans.
pub(in crate::rpc) struct Approvals;

impl Batch for Approvals {
    type Job = PlanTarget;

    fn name(&self) -> &'static str {
        "plan.approve"
    }

    fn carry_out<'a>(
        &'a self,
        tx: &'a mut Tx,
        asked: &'a [BatchedMutation<PlanTarget>],
    ) -> Work<'a, Verdicts> {
        Box::pin(approve_all(tx, asked))
    }
}

async fn approve_all(tx: &mut Tx, asked: &[BatchedMutation<PlanTarget>]) -> Result<Verdicts, Fault> {
    let ids: Vec<Uuid> = asked.iter().map(|one| one.job.plan_id.0).collect();
    let plans = store::plans::lock(tx, &ids).await?;
    let cases: Vec<Uuid> = plans.iter().map(|plan| plan.case_id.0).collect();
    let grounds = store::approvals::grounds(tx, &cases).await?;
    let mut plans: HashMap<Uuid, Plan> = plans.into_iter().map(|plan| (plan.plan_id.0, plan)).collect();
    let views = views(tx, plans.values()).await?;
    // Each as this approval left it: two may be of one plan.
    let approved: Vec<Result<Plan, Fault>> =
        asked.iter().map(|one| approve(tx, &mut plans, (&views, &grounds), one)).collect();
    let mut changed: Vec<Plan> = plans
        .into_values()
        .filter(|plan| approved.iter().flatten().any(|one| one.plan_id == plan.plan_id))
        .collect();
    changed.sort_unstable_by_key(|plan| plan.plan_id.0);
    if !changed.is_empty() {
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

/// The cases of plans, by id.
async fn views(tx: &mut Tx, plans: impl Iterator<Item = &Plan>) -> Result<HashMap<Uuid, CaseView>, Fault> {
    let ids: Vec<Uuid> = plans.map(|plan| plan.case_id.0).collect();
    let cases = store::cases::read(tx, &ids).await?;
    Ok(cases.into_iter().map(|case| (case.case_id.0, case)).collect())
}

/// Approves one plan, in memory; a refused one stays as it was.
fn approve(
    tx: &mut Tx,
    plans: &mut HashMap<Uuid, Plan>,
    (cases, grounds): (&HashMap<Uuid, CaseView>, &HashMap<Uuid, Grounds>),
    one: &BatchedMutation<PlanTarget>,
) -> Result<Plan, Fault> {
    let known = plans.get_mut(&one.job.plan_id.0).ok_or(Refusal::PlanNotFound)?;
    cases.get(&known.case_id.0).map_or(Ok(()), |case| case.not_about(&one.caller))?;
    known.seen_as(one.job.expected_version)?;
    let mut plan = known.clone();
    let grounds = grounds.get(&plan.case_id.0).cloned().unwrap_or_default();
    let second_reason = approval::second_approval(&plan.steps, &grounds);
    plan.approve(&one.caller.subject, second_reason)?;
    one.trace(tx, &plan.traceparent);
    if plan.state == PlanState::Executing {
        tx.emit(plan.case_id.0, &wire::outbound::plan_approved(&plan));
    }
    known.clone_from(&plan);
    Ok(plan)
}
