//! Domain → contract: outbound events.

use proto::redress::resolution::v1;

use super::money;
use crate::plan::Plan;
use crate::task::{Task, TaskState};

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
