//! What this service tells the world, and what it hears of cases.

use kernel::{CaseId, Money};
use proto::redress::cases::v1 as cases;
use proto::redress::resolution::v1;

use super::money;
use crate::case::{CaseView, RemedyStatus};
use crate::plan::Plan;
use crate::task::{Task, TaskState};

/// Priority of a case that does not say.
const USUAL_PRIORITY: i16 = 3;

pub(crate) fn plan_proposed(plan: &Plan) -> v1::PlanProposed {
    v1::PlanProposed {
        case_id: plan.case_id.to_string(),
        plan_id: plan.plan_id.to_string(),
        cycle: plan.cycle,
        proposer: plan.proposer.clone(),
        summary: plan.summary(),
    }
}

pub(crate) fn plan_approved(plan: &Plan) -> v1::PlanApproved {
    v1::PlanApproved {
        case_id: plan.case_id.to_string(),
        plan_id: plan.plan_id.to_string(),
        cycle: plan.cycle,
        approver: plan.approver.clone(),
    }
}

pub(crate) fn plan_rejected(plan: &Plan) -> v1::PlanRejected {
    v1::PlanRejected {
        case_id: plan.case_id.to_string(),
        plan_id: plan.plan_id.to_string(),
        cycle: plan.cycle,
        approver: plan.approver.clone(),
        reason: plan.reason.clone(),
    }
}

pub(crate) fn plan_completed(plan: &Plan) -> v1::PlanCompleted {
    v1::PlanCompleted {
        case_id: plan.case_id.to_string(),
        plan_id: plan.plan_id.to_string(),
        cycle: plan.cycle,
    }
}

pub(crate) fn plan_cancelled(plan: &Plan) -> v1::PlanCancelled {
    v1::PlanCancelled {
        case_id: plan.case_id.to_string(),
        plan_id: plan.plan_id.to_string(),
        cycle: plan.cycle,
        reason: plan.reason.clone(),
    }
}

pub(crate) fn task_completed(task: &Task) -> v1::TaskCompleted {
    let result = task.result.as_ref();
    v1::TaskCompleted {
        case_id: task.case_id.to_string(),
        plan_id: task.plan_id.to_string(),
        cycle: task.cycle,
        task_id: task.task_id.to_string(),
        department_id: task.department_id.clone(),
        kind: i32::from(task.remedy.kind.number()),
        compensation: task.is_compensation(),
        reference: result.map(|result| result.reference.clone()).unwrap_or_default(),
        amount: result.and_then(|result| result.amount.as_ref()).map(money),
    }
}

pub(crate) fn task_needs_attention(task: &Task) -> v1::TaskNeedsAttention {
    v1::TaskNeedsAttention {
        case_id: task.case_id.to_string(),
        plan_id: task.plan_id.to_string(),
        cycle: task.cycle,
        task_id: task.task_id.to_string(),
        department_id: task.department_id.clone(),
        reason: task.last_error.clone(),
        outcome_unknown: task.state == TaskState::OutcomeUnknown,
    }
}

/// A case whose outcome was decided. Its id is the event's subject.
pub(crate) fn decided(case_id: CaseId, event: &cases::CaseDecided, traceparent: &str) -> CaseView {
    let standing = if event.remedy_due { RemedyStatus::RemedyDue } else { RemedyStatus::NothingDue };
    let sought = event.amount_sought.as_ref();
    let sought = sought.and_then(|sum| Money::parse(&sum.currency_code, sum.units, sum.nanos).ok());
    let (priority, recused) = (read_priority(event.priority), event.recused_subjects.clone());
    let (traceparent, handler) = (traceparent.to_owned(), String::new());
    CaseView { case_id, cycle: event.cycle, priority, standing, sought, traceparent, recused, handler }
}

/// A case whose decision was replaced by another.
pub(crate) fn corrected(case_id: CaseId, event: &cases::DecisionCorrected, traceparent: &str) -> CaseView {
    let standing = if event.remedy_due { RemedyStatus::RemedyDue } else { RemedyStatus::NothingDue };
    let (priority, recused) = (read_priority(event.priority), event.recused_subjects.clone());
    let (traceparent, handler) = (traceparent.to_owned(), String::new());
    CaseView { case_id, cycle: event.cycle, priority, standing, sought: None, traceparent, recused, handler }
}

/// A case reopened as its next cycle.
pub(crate) fn reopened(case_id: CaseId, event: &cases::CaseReopened, traceparent: &str) -> CaseView {
    let (priority, traceparent) = (read_priority(event.priority), traceparent.to_owned());
    let (standing, recused, handler) = (RemedyStatus::Undecided, Vec::new(), String::new());
    CaseView { case_id, cycle: event.cycle, priority, standing, sought: None, traceparent, recused, handler }
}

fn read_priority(priority: i32) -> i16 {
    i16::try_from(priority).ok().filter(|priority| (1..=4).contains(priority)).unwrap_or(USUAL_PRIORITY)
}
