//! Plans: what is asked about them, and how they are shown.

use std::collections::HashSet;

use fault::{Check, Fault};
use kernel::page::Page;
use kernel::{CaseId, PlanId};
use proto::redress::resolution::v1;
use proto::timestamp;
use uuid::Uuid;

use super::{INVALID_REQUEST, MAX_JSON, MAX_NAME, MAX_REASON, MAX_TEXT, goods, money, note, page_by_id};
use crate::ledger::Books;
use crate::plan::{Plan, Step, StepState, dag};
use crate::remedy::{CustomRemedy, Goods, Remedy, RemedyKind};
use crate::remedy_type::RemedyTypes;

const MAX_QUANTITY: i32 = 10_000;

/// What is proposed, and for which case.
#[derive(Clone)]
pub(crate) struct Proposal {
    pub(crate) case_id: CaseId,
    pub(crate) steps: Vec<Step>,
}

/// A plan, and the version of it that the caller has seen.
#[derive(Clone, Copy)]
pub(crate) struct PlanTarget {
    pub(crate) plan_id: PlanId,
    pub(crate) expected_version: Option<i64>,
}

/// An approval: of which plan, and with whose authority; empty for the caller's own.
#[derive(Clone)]
pub(crate) struct Consent {
    pub(crate) target: PlanTarget,
    pub(crate) on_behalf_of: String,
}

/// A case's plans, page by page.
pub(crate) struct PlanListQuery {
    pub(crate) case_id: CaseId,
    pub(crate) page: Page,
    pub(crate) after: Option<PlanId>,
}

pub(crate) fn proposal(request: v1::ProposePlanRequest) -> Result<Proposal, Fault> {
    let v1::ProposePlanRequest { request_id, case_id, steps } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let case_id = check.id("case_id", &case_id);
    let steps = read_steps(&mut check, steps);
    check.done("INVALID_PLAN")?;
    Ok(Proposal { case_id, steps })
}

/// The steps of a plan, by themselves and together.
pub(super) fn read_steps(check: &mut Check, steps: Vec<v1::Step>) -> Vec<Step> {
    let is_cut = steps.len() > dag::MAX_STEPS;
    let steps = check.list("steps", steps, dag::MAX_STEPS);
    let steps: Vec<Step> =
        steps.into_iter().enumerate().map(|(index, asked)| step(check, index, asked)).collect();
    if !is_cut {
        note(check, "", dag::flaws(&steps));
    }
    steps
}

/// Steps under the versions of their types that hold; refused are those that do not fit
/// them, and those for departments that there are not.
pub(crate) fn taken(
    steps: &[Step],
    departments: &HashSet<String>,
    types: &RemedyTypes,
) -> Result<Vec<Step>, Fault> {
    let mut check = Check::new();
    let mut steps = steps.to_vec();
    for (index, step) in steps.iter_mut().enumerate() {
        take(&mut check, (index, step), departments, types);
    }
    check.done("INVALID_PLAN")?;
    Ok(steps)
}

/// Puts a step that is proposed under the version of its type that holds; notes what does not
/// fit that, and a department that there is not.
pub(super) fn take(
    check: &mut Check,
    (index, step): (usize, &mut Step),
    departments: &HashSet<String>,
    types: &RemedyTypes,
) {
    let at = format!("steps[{index}].");
    note(check, &at, types.take(&mut step.remedy, &mut step.department_id));
    let is_known = step.department_id.is_empty() || departments.contains(&step.department_id);
    check.ensure(is_known, &format!("{at}department_id"), "is not a department");
}

fn step(check: &mut Check, index: usize, step: v1::Step) -> Step {
    let v1::Step {
        step_id,
        kind,
        department_id,
        amount,
        goods,
        depends_on,
        instructions,
        due_time,
        task_id: _,  // output only
        done: _,     // output only
        shortage: _, // output only
        remedy_type,
        remedy_type_version: _, // output only
        input,
        state: _,        // output only
        replaces: _,     // output only
        put_in_by: _,    // output only
        taken_out_by: _, // output only
    } = step;
    let at = format!("steps[{index}].");
    // A type may say who does it.
    let department = format!("{at}department_id");
    let department_id = if remedy_type.is_empty() {
        check.slug(&department, department_id)
    } else {
        check.optional_slug(&department, department_id).unwrap_or_default()
    };
    let asked = RequestedRemedy { kind, amount, goods, instructions, remedy_type, input };
    Step {
        step_id,
        department_id,
        remedy: remedy(check, &at, asked),
        depends_on: check.list(&format!("{at}depends_on"), depends_on, dag::MAX_STEPS),
        due_time: check.time(&format!("{at}due_time"), due_time),
        state: StepState::Waiting,
        done_order: None,
        moved: None,
        part: String::new(),
        task_id: None,
        books: Books::default(),
        put_in_by: 0,
        taken_out_by: None,
        replaces: String::new(),
    }
}

/// The fields of a step that say what is done.
struct RequestedRemedy {
    kind: i32,
    amount: Option<proto::google::r#type::Money>,
    goods: Option<v1::Goods>,
    instructions: String,
    remedy_type: String,
    input: String,
}

fn remedy(check: &mut Check, at: &str, asked: RequestedRemedy) -> Remedy {
    let RequestedRemedy { kind, amount, goods, instructions, remedy_type, input } = asked;
    let kind = i16::try_from(kind).ok().and_then(RemedyKind::of);
    check.ensure(kind.is_some(), &format!("{at}kind"), "is required");
    let sum_given = amount.is_some();
    let amount = check.money(&format!("{at}amount"), amount);
    let sum_misread = sum_given && amount.is_none();
    let goods = goods.map(|asked| read_goods(check, at, asked));
    let instructions = check.text(&format!("{at}instructions"), instructions, MAX_TEXT);
    let custom = custom(check, at, (remedy_type, input));
    let remedy = Remedy { kind: kind.unwrap_or(RemedyKind::Apology), amount, goods, instructions, custom };
    if kind.is_some() {
        let mut flaws = remedy.flaws();
        // A sum that cannot be read has been told of; it is not missing beside.
        flaws.retain(|flaw| !(sum_misread && flaw.field == "amount"));
        note(check, at, flaws);
    }
    remedy
}

/// What a step brings for a type of the tenant's own; held against that later.
fn custom(check: &mut Check, at: &str, (type_id, input): (String, String)) -> Option<CustomRemedy> {
    let field = format!("{at}input");
    let type_id = check.optional_slug(&format!("{at}remedy_type"), type_id);
    check.ensure(type_id.is_some() || input.is_empty(), &field, "goes with a remedy_type only");
    check.ensure(type_id.is_none() || !input.is_empty(), &field, "is required for this kind");
    let input = check.text(&field, input, MAX_JSON);
    type_id.map(|type_id| CustomRemedy { type_id, input, ..CustomRemedy::default() })
}

pub(super) fn read_goods(check: &mut Check, at: &str, goods: v1::Goods) -> Goods {
    let v1::Goods { sku, quantity } = goods;
    let field = format!("{at}goods.quantity");
    check.ensure((1..=MAX_QUANTITY).contains(&quantity), &field, "must be 1 to 10000");
    Goods { sku: check.required(&format!("{at}goods.sku"), sku, MAX_NAME), quantity }
}

pub(crate) fn approval(request: v1::ApprovePlanRequest) -> Result<Consent, Fault> {
    let v1::ApprovePlanRequest { request_id, plan_id, expected_version, on_behalf_of } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let plan_id = check.id("plan_id", &plan_id);
    let on_behalf_of = check.text("on_behalf_of", on_behalf_of, MAX_NAME);
    check.done(INVALID_REQUEST)?;
    Ok(Consent { target: PlanTarget { plan_id, expected_version }, on_behalf_of })
}

pub(crate) fn rejection(request: v1::RejectPlanRequest) -> Result<(PlanTarget, String), Fault> {
    let v1::RejectPlanRequest { request_id, plan_id, expected_version, reason } = request;
    reasoned(request_id, &plan_id, expected_version, reason)
}

pub(crate) fn cancellation(request: v1::CancelPlanRequest) -> Result<(PlanTarget, String), Fault> {
    let v1::CancelPlanRequest { request_id, plan_id, expected_version, reason } = request;
    reasoned(request_id, &plan_id, expected_version, reason)
}

fn reasoned(
    request_id: String,
    plan_id: &str,
    expected_version: Option<i64>,
    reason: String,
) -> Result<(PlanTarget, String), Fault> {
    let mut check = Check::new();
    check.request_id(request_id);
    let plan_id = check.id("plan_id", plan_id);
    let reason = check.required("reason", reason, MAX_REASON);
    check.done("INVALID_REASON")?;
    Ok((PlanTarget { plan_id, expected_version }, reason))
}

pub(crate) fn reading(request: v1::GetPlanRequest) -> Result<PlanId, Fault> {
    let v1::GetPlanRequest { plan_id } = request;
    let mut check = Check::new();
    let plan_id = check.id("plan_id", &plan_id);
    check.done(INVALID_REQUEST)?;
    Ok(plan_id)
}

pub(crate) fn listing(request: v1::ListPlansRequest) -> Result<PlanListQuery, Fault> {
    let v1::ListPlansRequest { case_id, page_size, page_token } = request;
    let mut check = Check::new();
    let (page, after) = page_by_id(&mut check, page_size, &page_token, &case_id);
    let case_id = check.id::<Uuid>("case_id", &case_id).into();
    check.done(INVALID_REQUEST)?;
    Ok(PlanListQuery { case_id, page, after: after.map(PlanId) })
}

/// A plan as it is shown.
pub(crate) fn plan(plan: &Plan) -> v1::Plan {
    v1::Plan {
        plan_id: plan.plan_id.to_string(),
        version: plan.version,
        case_id: plan.case_id.to_string(),
        cycle: plan.cycle,
        state: i32::from(plan.state.number()),
        steps: plan.parts().map(shown_step).collect(),
        proposer: plan.proposer.clone(),
        approver: plan.approver.clone(),
        first_approver: plan.first_approver.clone(),
        second_approval_reason: plan.second_reason.clone(),
        reason: plan.reason.clone(),
        create_time: Some(timestamp(plan.created_at)),
        end_time: plan.ended_at.map(timestamp),
        approvals: plan.approvals.iter().map(super::approvals::approval).collect(),
        ruling: plan.ruling.as_ref().map(super::approvals::ruling),
        pending_revision: plan.pending_revision.map_or(0, i32::from),
        revisers: plan.revisers.clone(),
        taken_out_steps: plan.steps.iter().filter(|step| was_taken_out(step)).map(shown_step).collect(),
    }
}

/// Whether a step was part of its plan, and is no more.
fn was_taken_out(step: &Step) -> bool {
    step.taken_out_by.is_some_and(|number| number > step.put_in_by)
}

pub(super) fn shown_step(step: &Step) -> v1::Step {
    let custom = step.remedy.custom.as_ref();
    v1::Step {
        step_id: step.step_id.clone(),
        kind: i32::from(step.remedy.kind.number()),
        department_id: step.department_id.clone(),
        amount: step.remedy.amount.as_ref().map(money),
        goods: step.remedy.goods.as_ref().map(goods),
        depends_on: step.depends_on.clone(),
        instructions: step.remedy.instructions.clone(),
        due_time: step.due_time.map(timestamp),
        task_id: step.task_id.map(|id| id.to_string()).unwrap_or_default(),
        done: step.is_done(),
        shortage: None,
        remedy_type: custom.map(|custom| custom.type_id.clone()).unwrap_or_default(),
        remedy_type_version: custom.map_or(0, |custom| custom.version),
        input: custom.map(|custom| custom.input.clone()).unwrap_or_default(),
        state: i32::from(step.state.number()),
        replaces: step.replaces.clone(),
        put_in_by: i32::from(step.put_in_by),
        taken_out_by: step.taken_out_by.map_or(0, i32::from),
    }
}
