//! How plans were revised.

use proto::redress::resolution::v1::{
    ListPlanRevisionsResponse, PlanRevision, PlanRevisionState, Step, StepChange, StepChangeKind, StepState,
};

use super::approvals::{approval, ruling};
use super::remedies::what;
use super::{more, none_of};
use crate::lines::time;
use crate::table::{Table, facts};
use crate::words::word;

/// One revision of a plan, and what it changes.
pub fn plan_revision(revision: &PlanRevision) -> String {
    let head = facts(&[
        ("revision", revision.number.to_string()),
        ("plan", revision.plan_id.clone()),
        ("state", word::<PlanRevisionState>(revision.state)),
        ("by", revision.reviser.clone()),
        ("reason", revision.reason.clone()),
        ("approved by", revision.approvals.iter().map(approval).collect::<Vec<_>>().join(", ")),
        ("judged", revision.ruling.as_ref().map(ruling).unwrap_or_default()),
        ("decided by", revision.decider.clone()),
        ("decided because", revision.decision_reason.clone()),
        ("revised", time(revision.create_time.as_ref())),
        ("decided", time(revision.decide_time.as_ref())),
    ]);
    if revision.changes.is_empty() {
        return head;
    }
    let mut table = Table::new(["change", "step", "what", "state", "in place of"]);
    for change in &revision.changes {
        table.row(row(change));
    }
    format!("{head}\n{}", table.render())
}

/// A change in short: the step that is put in, or the one that is taken out.
fn row(change: &StepChange) -> [String; 5] {
    let StepChange { kind, before, after } = change;
    let named = |step: &Step| format!("{} ({})", step.step_id, what(step));
    let step = after.as_ref().or(before.as_ref()).cloned().unwrap_or_default();
    let former = after.as_ref().and(before.as_ref()).map(named).unwrap_or_default();
    [word::<StepChangeKind>(*kind), step.step_id.clone(), what(&step), word::<StepState>(step.state), former]
}

/// A page of revisions, each whole.
pub fn plan_revisions(list: &ListPlanRevisionsResponse) -> String {
    if list.revisions.is_empty() {
        return none_of("revisions", &list.next_page_token);
    }
    let each: Vec<String> = list.revisions.iter().map(plan_revision).collect();
    each.join("\n") + &more(&list.next_page_token)
}
