//! Domain → contract: outbound events.

use jiff::Timestamp;
use pg::Tx;
use proto::redress::resolution::v1;
use proto::timestamp;

use super::money;
use super::tasks::{plan_id, recall_id};
use crate::approval::Outcome;
use crate::plan::Plan;
use crate::plan::revision::Revision;
use crate::proposal::{ProposalState, TaskProposal};
use crate::remedy::RemedyKind;
use crate::shortage::Shortage;
use crate::supervision::Step;
use crate::task::{Task, TaskResult, TaskState};

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
    let ruling = plan.ruling.as_ref();
    v1::PlanApproved {
        case_id: plan.case_id.to_string(),
        plan_id: plan.plan_id.to_string(),
        cycle: plan.cycle,
        approver: plan.approver.clone(),
        rule: ruling.map(|ruling| ruling.rule.clone()).unwrap_or_default(),
        policy_version: ruling.map(|ruling| ruling.policy).unwrap_or_default(),
        automatic: ruling.is_some_and(|ruling| ruling.outcome == Outcome::Automatic),
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

pub(crate) fn revision_proposed(plan: &Plan, revision: &Revision) -> v1::PlanRevisionProposed {
    v1::PlanRevisionProposed {
        case_id: plan.case_id.to_string(),
        plan_id: plan.plan_id.to_string(),
        cycle: plan.cycle,
        number: revision.number.into(),
        reviser: revision.reviser.clone(),
        changes: plan.changes(revision),
        reason: revision.reason.clone(),
    }
}

pub(crate) fn plan_revised(plan: &Plan, revision: &Revision) -> v1::PlanRevised {
    v1::PlanRevised {
        case_id: plan.case_id.to_string(),
        plan_id: plan.plan_id.to_string(),
        cycle: plan.cycle,
        number: revision.number.into(),
        reviser: revision.reviser.clone(),
        approver: revision.decider.clone(),
        changes: plan.changes(revision),
        reason: revision.reason.clone(),
        summary: plan.summary(),
    }
}

pub(crate) fn revision_rejected(plan: &Plan, revision: &Revision) -> v1::PlanRevisionRejected {
    v1::PlanRevisionRejected {
        case_id: plan.case_id.to_string(),
        plan_id: plan.plan_id.to_string(),
        cycle: plan.cycle,
        number: revision.number.into(),
        approver: revision.decider.clone(),
        reason: revision.decision_reason.clone(),
    }
}

fn task_completed(task: &Task, now: Timestamp) -> v1::TaskCompleted {
    let result = task.result.as_ref();
    v1::TaskCompleted {
        case_id: task.case_id.to_string(),
        plan_id: plan_id(task),
        cycle: task.cycle,
        task_id: task.task_id.to_string(),
        department_id: task.department_id.clone(),
        kind: i32::from(task.remedy.kind.number()),
        compensation: task.is_compensation(),
        reference: result.map(|result| result.reference.clone()).unwrap_or_default(),
        amount: result.and_then(|result| result.amount.as_ref()).map(money),
        create_time: Some(timestamp(task.created_at)),
        first_lease_time: task.first_leased_at.map(timestamp),
        complete_time: Some(timestamp(now)),
        due_time: task.due_time.map(timestamp),
        recall_id: recall_id(task),
        remedy_type: task.remedy.custom.as_ref().map(|custom| custom.type_id.clone()).unwrap_or_default(),
    }
}

pub(crate) fn task_overdue(task: &Task) -> v1::TaskOverdue {
    v1::TaskOverdue {
        case_id: task.case_id.to_string(),
        plan_id: plan_id(task),
        cycle: task.cycle,
        task_id: task.task_id.to_string(),
        department_id: task.department_id.clone(),
        kind: i32::from(task.remedy.kind.number()),
        due_time: task.due_time.map(timestamp),
    }
}

pub(crate) fn task_escalated(task: &Task, step: &Step) -> v1::TaskEscalated {
    v1::TaskEscalated {
        case_id: task.case_id.to_string(),
        plan_id: plan_id(task),
        cycle: task.cycle,
        task_id: task.task_id.to_string(),
        department_id: task.department_id.clone(),
        kind: i32::from(task.remedy.kind.number()),
        due_time: Some(timestamp(step.due_time)),
        level: i32::from(step.level.number()),
        recipient: step.recipient.clone(),
        rung: i32::from(step.rung),
    }
}

/// A department has done what it was asked to: a step, or something of no plan.
pub(crate) fn tell_completed(tx: &mut Tx, task: &Task) {
    match task.remedy.kind {
        RemedyKind::Investigation => tx.emit(task.case_id.0, &investigation_completed(task)),
        RemedyKind::StockAlert => tx.emit(task.case_id.0, &super::stock::alert_closed(task)),
        RemedyKind::ProblemHint => tx.emit(task.case_id.0, &super::problem_hints::answered(task)),
        _ => tx.emit(task.case_id.0, &task_completed(task, tx.now())),
    }
}

fn investigation_completed(task: &Task) -> v1::InvestigationCompleted {
    let TaskResult { reference, amount: _, remark, evidence, output: _ } =
        task.result.clone().unwrap_or_default();
    v1::InvestigationCompleted {
        case_id: task.case_id.to_string(),
        cycle: task.cycle,
        task_id: task.task_id.to_string(),
        department_id: task.department_id.clone(),
        question: task.remedy.instructions.clone(),
        findings: remark,
        evidence,
        reference,
    }
}

pub(crate) fn investigation_requested(task: &Task) -> v1::InvestigationRequested {
    v1::InvestigationRequested {
        case_id: task.case_id.to_string(),
        cycle: task.cycle,
        task_id: task.task_id.to_string(),
        department_id: task.department_id.clone(),
        inquiry: task.inquiry.map_or(0, |inquiry| i32::from(inquiry.number())),
        question: task.remedy.instructions.clone(),
        due_time: task.due_time.map(timestamp),
        requester: task.requester.clone(),
    }
}

pub(crate) fn investigation_cancelled(task: &Task, reason: &str) -> v1::InvestigationCancelled {
    v1::InvestigationCancelled {
        case_id: task.case_id.to_string(),
        cycle: task.cycle,
        task_id: task.task_id.to_string(),
        department_id: task.department_id.clone(),
        reason: reason.to_owned(),
    }
}

pub(crate) fn shortage_reported(task: &Task, shortage: &Shortage) -> v1::ShortageReported {
    v1::ShortageReported {
        case_id: task.case_id.to_string(),
        plan_id: plan_id(task),
        cycle: task.cycle,
        task_id: task.task_id.to_string(),
        department_id: shortage.department_id.clone(),
        kind: i32::from(task.remedy.kind.number()),
        sku: shortage.sku.clone(),
        expect_time: Some(timestamp(shortage.expected_at)),
        number: shortage.number,
    }
}

/// A department has handed a task back.
pub(crate) fn task_rejected(task: &Task) -> v1::TaskNeedsAttention {
    let (rejections, escalated) = (task.rejections, task.is_escalated());
    v1::TaskNeedsAttention { rejections, escalated, ..task_needs_attention(task) }
}

pub(crate) fn task_needs_attention(task: &Task) -> v1::TaskNeedsAttention {
    v1::TaskNeedsAttention {
        case_id: task.case_id.to_string(),
        plan_id: plan_id(task),
        cycle: task.cycle,
        task_id: task.task_id.to_string(),
        department_id: task.department_id.clone(),
        reason: task.last_error.clone(),
        outcome_unknown: task.state == TaskState::OutcomeUnknown,
        rejections: 0,
        escalated: false,
        recall_id: recall_id(task),
    }
}

pub(crate) fn task_written_off(task: &Task, proposal: &TaskProposal) -> v1::TaskWrittenOff {
    v1::TaskWrittenOff {
        case_id: task.case_id.to_string(),
        plan_id: plan_id(task),
        cycle: task.cycle,
        task_id: task.task_id.to_string(),
        department_id: task.department_id.clone(),
        kind: i32::from(task.remedy.kind.number()),
        amount: task.remedy.amount.as_ref().map(money),
        proposer: proposal.proposer.clone(),
        approver: proposal.decider.clone(),
        reason: proposal.reason.clone(),
        remedy_type: task.remedy.custom.as_ref().map(|custom| custom.type_id.clone()).unwrap_or_default(),
    }
}

pub(crate) fn proposal_made(task: &Task, proposal: &TaskProposal) -> v1::TaskProposalMade {
    v1::TaskProposalMade {
        case_id: task.case_id.to_string(),
        plan_id: plan_id(task),
        cycle: task.cycle,
        task_id: task.task_id.to_string(),
        department_id: task.department_id.clone(),
        proposal_id: proposal.proposal_id.to_string(),
        kind: i32::from(proposal.proposed.kind().number()),
        proposer: proposal.proposer.clone(),
        reason: proposal.reason.clone(),
    }
}

pub(crate) fn proposal_decided(task: &Task, proposal: &TaskProposal) -> v1::TaskProposalDecided {
    v1::TaskProposalDecided {
        case_id: task.case_id.to_string(),
        plan_id: plan_id(task),
        cycle: task.cycle,
        task_id: task.task_id.to_string(),
        department_id: task.department_id.clone(),
        proposal_id: proposal.proposal_id.to_string(),
        kind: i32::from(proposal.proposed.kind().number()),
        approved: proposal.state == ProposalState::Approved,
        decider: proposal.decider.clone(),
        decision_reason: proposal.decision_reason.clone(),
        due_time: task.due_time.map(timestamp),
    }
}
