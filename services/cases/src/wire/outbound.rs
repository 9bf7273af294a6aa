//! Domain → contract: outbound events, which facts become one and how.

use pg::Tx;
use proto::redress::cases::v1::{
    CaseCategorised, CaseClosed, CaseDecided, CaseDeclined, CaseEscalated, CaseMerged, CaseOpened,
    CasePriorityRaised, CaseReopened, CaseResolved, CaseRetriaged, CaseReturned, CaseUnmerged, CaseWithdrawn,
    ClockBreached, ClockReminder, DecisionCorrected, ExtensionGranted, HoldingReplySent,
};
use proto::timestamp;

use super::money;
use crate::case::{Case, Outcome, SharedOutcome};
use crate::clocks;
use crate::timeline::{Fact, Noted, Together};

/// Publishes what others must know of a fact, in the trace it happened in.
pub(crate) fn publish(tx: &mut Tx, case: &Case, noted: &Noted, recused: &[String]) {
    let (id, trace) = (case.id.0, noted.traceparent.clone());
    let (case_id, cycle, ordinal) = (case.id.to_string(), noted.cycle, noted.ordinal);
    let priority = case.priority.number().into();
    match &noted.fact {
        Fact::Triaged { .. } => tx.emit_in(trace, id, &opened(case, cycle)),
        Fact::Retriaged { category, .. } => {
            let category = category.clone();
            tx.emit_in(trace, id, &CaseRetriaged { case_id, cycle, category, priority, ordinal });
        }
        Fact::Categorised { category, previous } => {
            let (category, previous_category) = (category.clone(), previous.clone());
            tx.emit_in(trace, id, &CaseCategorised { case_id, cycle, category, previous_category, ordinal });
        }
        Fact::Reopened { reason, previous_agent } => {
            tx.emit_in(trace, id, &reopened(case, cycle, reason, previous_agent));
        }
        Fact::Decided { .. } | Fact::Corrected { .. } => of_decision(tx, case, noted, recused),
        Fact::Resolved { outcome, reasons, respond_until }
        | Fact::SharedOutcome(SharedOutcome { outcome, reasons, respond_until }) => {
            tx.emit_in(trace, id, &resolved(case, cycle, *outcome, reasons, *respond_until));
        }
        Fact::Closed { reason, .. } => {
            tx.emit_in(trace, id, &CaseClosed { case_id, cycle, reason: reason.number().into() });
        }
        Fact::Withdrawn { reason } => {
            tx.emit_in(trace, id, &CaseWithdrawn { case_id, cycle, reason: reason.clone() });
        }
        Fact::OutOfScope { referral } => {
            tx.emit_in(trace, id, &CaseDeclined { case_id, cycle, referral: referral.clone() });
        }
        Fact::Reminded { .. }
        | Fact::Breached { .. }
        | Fact::ExtensionGranted { .. }
        | Fact::HoldingReply { .. }
        | Fact::PriorityRaised { .. }
        | Fact::PrioritySet { .. }
        | Fact::Returned { .. }
        | Fact::Escalated { .. } => of_time(tx, case, noted),
        Fact::Together(together) => publish_together(tx, case, noted, together),
        Fact::Opened { .. }
        | Fact::Imported { .. }
        | Fact::Queued { .. }
        | Fact::Assigned { .. }
        | Fact::Accepted
        | Fact::Note(_)
        | Fact::Information(_)
        | Fact::LowerPriorityAsked { .. }
        | Fact::Findings { .. }
        | Fact::CorrectionAsked { .. }
        | Fact::CorrectionRefused { .. }
        | Fact::PlanProposed { .. }
        | Fact::PlanApproved
        | Fact::PlanRejected { .. }
        | Fact::PlanCancelled { .. }
        | Fact::TaskCompleted { .. }
        | Fact::TaskNeedsAttention { .. }
        | Fact::Notice { .. }
        | Fact::NoticeRecorded { .. }
        | Fact::RungMissed { .. }
        | Fact::ClockPaused { .. }
        | Fact::ClockResumed { .. }
        | Fact::ExtensionRequested { .. }
        | Fact::ExtensionRefused { .. }
        | Fact::Answered { .. } => {}
    }
}

/// Tells what is decided, for the first time in its cycle or once more.
fn of_decision(tx: &mut Tx, case: &Case, noted: &Noted, recused: &[String]) {
    let (id, trace) = (case.id.0, noted.traceparent.clone());
    let (case_id, cycle, recused_subjects) = (case.id.to_string(), noted.cycle, recused.to_vec());
    let priority = case.priority.number().into();
    match &noted.fact {
        Fact::Decided { outcome, remedy_due, .. } => {
            let (outcome, remedy_due) = (outcome.number().into(), *remedy_due);
            let amount_sought = case.origin.amount_sought.as_ref().map(money);
            let decided = CaseDecided {
                case_id,
                cycle,
                outcome,
                priority,
                remedy_due,
                recused_subjects,
                amount_sought,
                due_time: case.due_time.map(timestamp),
            };
            tx.emit_in(trace, id, &decided);
        }
        Fact::Corrected { outcome, previous, remedy_due, number, .. } => {
            let (outcome, previous_outcome) = (outcome.number().into(), previous.number().into());
            let (remedy_due, number) = (*remedy_due, *number);
            let corrected = DecisionCorrected {
                case_id,
                cycle,
                outcome,
                previous_outcome,
                priority,
                remedy_due,
                number,
                recused_subjects,
            };
            tx.emit_in(trace, id, &corrected);
        }
        _ => {}
    }
}

fn resolved(
    case: &Case,
    cycle: i32,
    outcome: Outcome,
    reasons: &str,
    respond_until: jiff::Timestamp,
) -> CaseResolved {
    CaseResolved {
        case_id: case.id.to_string(),
        cycle,
        outcome: outcome.number().into(),
        reasons: reasons.to_owned(),
        respond_until_time: Some(timestamp(respond_until)),
        time_zone: case.time_zone.clone(),
        correction: case.correction,
    }
}

fn reopened(case: &Case, cycle: i32, reason: &str, previous_agent: &str) -> CaseReopened {
    CaseReopened {
        case_id: case.id.to_string(),
        cycle,
        category: case.category.clone(),
        priority: case.priority.number().into(),
        tier: case.tier,
        reason: reason.to_owned(),
        previous_agent_id: previous_agent.to_owned(),
    }
}

/// Tells of promises that run out of time, of broken ones, and of what is done.
fn of_time(tx: &mut Tx, case: &Case, noted: &Noted) {
    let (id, trace) = (case.id.0, noted.traceparent.clone());
    let (case_id, cycle, ordinal) = (case.id.to_string(), noted.cycle, noted.ordinal);
    match &noted.fact {
        Fact::Reminded { kind, rung, due } => tx.emit_in(
            trace,
            id,
            &ClockReminder {
                case_id,
                cycle,
                kind: clocks::number(*kind).into(),
                rung: rung.clone(),
                due_time: due.map(timestamp),
                department_id: case.department_id.clone(),
                agent_id: case.agent_id.clone(),
            },
        ),
        Fact::Breached { kind, due, policy, own_target } => {
            let kind = clocks::number(*kind).into();
            let (due_time, policy, own_target) = (Some(timestamp(*due)), policy.clone(), *own_target);
            tx.emit_in(trace, id, &ClockBreached { case_id, cycle, kind, due_time, policy, own_target });
        }
        Fact::ExtensionGranted { kind, due, reason, notice_due, number } => tx.emit_in(
            trace,
            id,
            &ExtensionGranted {
                case_id,
                cycle,
                kind: clocks::number(*kind).into(),
                due_time: due.map(timestamp),
                reason: reason.clone(),
                notice_due: *notice_due,
                number: *number,
                time_zone: case.time_zone.clone(),
            },
        ),
        Fact::HoldingReply { text, reason, next, due } => tx.emit_in(
            trace,
            id,
            &HoldingReplySent {
                case_id,
                cycle,
                ordinal: noted.ordinal,
                text: text.clone(),
                reason: reason.clone(),
                next_update_time: next.map(timestamp),
                due_time: due.map(timestamp),
                time_zone: case.time_zone.clone(),
            },
        ),
        // Less urgent, it is what a new triage would make of it.
        Fact::PrioritySet { priority, raised: false, .. } => {
            let (category, priority) = (case.category.clone(), priority.number().into());
            tx.emit_in(trace, id, &CaseRetriaged { case_id, cycle, category, priority, ordinal });
        }
        Fact::PriorityRaised { priority, reason } | Fact::PrioritySet { priority, reason, .. } => {
            let (priority, reason) = (priority.number().into(), reason.clone());
            tx.emit_in(trace, id, &CasePriorityRaised { case_id, cycle, priority, reason, ordinal });
        }
        Fact::Returned { reason } => {
            tx.emit_in(trace, id, &CaseReturned { case_id, cycle, reason: reason.clone(), ordinal });
        }
        Fact::Escalated { tier, reason } => {
            tx.emit_in(trace, id, &CaseEscalated { case_id, cycle, tier: *tier, reason: reason.clone() });
        }
        _ => {}
    }
}

/// Of what a case does together with others, only merges concern other services;
/// groups tell of themselves.
fn publish_together(tx: &mut Tx, case: &Case, noted: &Noted, together: &Together) {
    let (id, trace) = (case.id.0, noted.traceparent.clone());
    let (case_id, cycle) = (case.id.to_string(), noted.cycle);
    match together {
        Together::Merged { into, reason, across } => {
            let (into_case_id, reason) = (into.to_string(), reason.clone());
            let complainants_differ = across.is_some();
            let merged = CaseMerged { case_id, cycle, into_case_id, reason, complainants_differ };
            tx.emit_in(trace, id, &merged);
        }
        Together::Unmerged { from, reason } => {
            let (from_case_id, reason) = (from.to_string(), reason.clone());
            tx.emit_in(trace, id, &CaseUnmerged { case_id, cycle, from_case_id, reason });
        }
        Together::Absorbed { .. }
        | Together::Parted { .. }
        | Together::Informed { .. }
        | Together::Answered { .. }
        | Together::Linked { .. }
        | Together::Unlinked { .. }
        | Together::Grouped { .. }
        | Together::Ungrouped { .. }
        | Together::GroupAlarm { .. } => {}
    }
}

fn opened(case: &Case, cycle: i32) -> CaseOpened {
    let origin = &case.origin;
    CaseOpened {
        case_id: case.id.to_string(),
        cycle,
        category: case.category.clone(),
        priority: case.priority.number().into(),
        channel: origin.channel.number().into(),
        customer_id: origin.customer_id.clone(),
        receive_time: Some(timestamp(origin.receive_time)),
        respondent_staff: origin.respondent_staff.clone(),
    }
}
