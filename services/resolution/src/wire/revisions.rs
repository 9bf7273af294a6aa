//! Revisions of plans: what is asked, and how they are shown.

use std::collections::HashSet;

use fault::{Check, Fault};
use kernel::PlanId;
use kernel::page::Page;
use proto::redress::resolution::v1;
use proto::timestamp;

use super::plans::{PlanTarget, read_steps, shown_step, take};
use super::{INVALID_REQUEST, MAX_NAME, MAX_REASON, note};
use crate::plan::revision::Revision;
use crate::plan::{Plan, Step};
use crate::remedy_type::RemedyTypes;

/// Reason of a revision that cannot be made.
const INVALID_REVISION: &str = "INVALID_REVISION";

/// A plan is to consist of these steps.
pub(crate) struct RevisionRequest {
    pub(crate) target: PlanTarget,
    pub(crate) steps: Vec<Step>,
    pub(crate) reason: String,
}

/// A revision that is decided, as the caller has seen its plan.
#[derive(Clone, Copy)]
pub(crate) struct RevisionTarget {
    pub(crate) plan: PlanTarget,
    pub(crate) number: i16,
}

pub(crate) fn revision(request: v1::RevisePlanRequest) -> Result<RevisionRequest, Fault> {
    let v1::RevisePlanRequest { request_id, plan_id, expected_version, steps, reason } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let plan_id = check.id("plan_id", &plan_id);
    let steps = read_steps(&mut check, steps);
    let reason = check.required("reason", reason, MAX_REASON);
    check.done(INVALID_REVISION)?;
    Ok(RevisionRequest { target: PlanTarget { plan_id, expected_version }, steps, reason })
}

/// The steps that are asked for: those that the plan has as they are, and the others under the
/// versions of their types that hold. Refused are those that do not fit these, those for
/// departments that there are not, and what the plan does not allow any more.
pub(crate) fn taken(
    plan: &Plan,
    mut steps: Vec<Step>,
    departments: &HashSet<String>,
    types: &RemedyTypes,
) -> Result<Vec<Step>, Fault> {
    let mut check = Check::new();
    note(&mut check, "", plan.flaws_of_revision(&steps));
    for (index, step) in steps.iter_mut().enumerate() {
        if let Some(kept) = plan.kept(step) {
            step.department_id.clone_from(&kept.department_id);
        } else {
            take(&mut check, (index, step), departments, types);
        }
    }
    check.done(INVALID_REVISION)?;
    Ok(steps)
}

pub(crate) fn approval(request: v1::ApprovePlanRevisionRequest) -> Result<(RevisionTarget, String), Fault> {
    let v1::ApprovePlanRevisionRequest { request_id, plan_id, number, expected_version, on_behalf_of } =
        request;
    let mut check = Check::new();
    check.request_id(request_id);
    let target = target(&mut check, &plan_id, number, expected_version);
    let on_behalf_of = check.text("on_behalf_of", on_behalf_of, MAX_NAME);
    check.done(INVALID_REQUEST)?;
    Ok((target, on_behalf_of))
}

pub(crate) fn rejection(request: v1::RejectPlanRevisionRequest) -> Result<(RevisionTarget, String), Fault> {
    let v1::RejectPlanRevisionRequest { request_id, plan_id, number, expected_version, reason } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let target = target(&mut check, &plan_id, number, expected_version);
    let reason = check.required("reason", reason, MAX_REASON);
    check.done("INVALID_REASON")?;
    Ok((target, reason))
}

fn target(check: &mut Check, plan_id: &str, number: i32, expected_version: Option<i64>) -> RevisionTarget {
    let plan_id = check.id("plan_id", plan_id);
    check.ensure(number > 0, "number", "must be 1 or more");
    // Beyond, there is none.
    let number = i16::try_from(number).unwrap_or(i16::MAX);
    RevisionTarget { plan: PlanTarget { plan_id, expected_version }, number }
}

/// The plan, the page, and below which number it begins.
pub(crate) fn listing(request: v1::ListPlanRevisionsRequest) -> Result<(PlanId, Page, i16), Fault> {
    let v1::ListPlanRevisionsRequest { plan_id, page_size, page_token } = request;
    let mut check = Check::new();
    let page = check.page(page_size, &page_token, &plan_id);
    let below = page.after.as_deref().map_or(Some(i16::MAX), |after| after.parse().ok());
    check.ensure(below.is_some(), "page_token", "is not a token of this list");
    let plan_id = check.id("plan_id", &plan_id);
    check.done(INVALID_REQUEST)?;
    Ok((plan_id, page, below.unwrap_or(i16::MAX)))
}

/// A revision of a plan as it is shown.
pub(crate) fn shown(plan: &Plan, revision: &Revision) -> v1::PlanRevision {
    v1::PlanRevision {
        number: revision.number.into(),
        plan_id: revision.plan_id.to_string(),
        state: i32::from(revision.state.number()),
        reviser: revision.reviser.clone(),
        reason: revision.reason.clone(),
        create_time: Some(timestamp(revision.created_at)),
        changes: changes(plan, revision),
        approvals: revision.approvals.iter().map(super::approvals::approval).collect(),
        ruling: Some(super::approvals::ruling(&revision.ruling)),
        decider: revision.decider.clone(),
        decision_reason: revision.decision_reason.clone(),
        decide_time: revision.decided_at.map(timestamp),
    }
}

/// What it changes: what is put in, in place of what, and what else is taken out.
fn changes(plan: &Plan, revision: &Revision) -> Vec<v1::StepChange> {
    use v1::StepChangeKind::{Added, Removed, Replaced};
    let find = |id: &String| plan.steps.iter().find(|step| step.step_id == *id);
    let added: Vec<&Step> = revision.added.iter().filter_map(find).collect();
    let removed: Vec<&Step> = revision.removed.iter().filter_map(find).collect();
    let put_in = added.iter().map(|after| {
        let before = removed.iter().find(|before| before.step_id == after.replaces);
        v1::StepChange {
            kind: if before.is_some() { Replaced } else { Added }.into(),
            before: before.map(|step| shown_step(step)),
            after: Some(shown_step(after)),
        }
    });
    let alone = removed.iter().filter(|before| !added.iter().any(|after| after.replaces == before.step_id));
    let taken_out = alone.map(|before| v1::StepChange {
        kind: Removed.into(),
        before: Some(shown_step(before)),
        after: None,
    });
    put_in.chain(taken_out).collect()
}
