//! Domain → contract: which facts other services are told, and how.

use pg::Tx;
use proto::redress::cases::v1::{
    CaseCategorised, CaseClosed, CaseDecided, CaseDeclined, CaseOpened, CaseReopened, CaseResolved,
    CaseRetriaged, CaseWithdrawn,
};

use super::time;
use crate::case::Case;
use crate::timeline::{Fact, Noted};

/// Tells what others must know of a fact, in the trace it happened in.
pub(crate) fn tell(tx: &mut Tx, case: &Case, noted: &Noted) {
    let (id, trace) = (case.id.0, noted.traceparent.clone());
    let (case_id, cycle) = (case.id.to_string(), noted.cycle);
    let priority = case.priority.number().into();
    match &noted.fact {
        Fact::Triaged { .. } => tx.emit_in(trace, id, &opened(case, cycle)),
        Fact::Retriaged { category, .. } => {
            let category = category.clone();
            tx.emit_in(trace, id, &CaseRetriaged { case_id, cycle, category, priority });
        }
        Fact::Categorised { category, previous } => {
            let (category, previous_category) = (category.clone(), previous.clone());
            tx.emit_in(trace, id, &CaseCategorised { case_id, cycle, category, previous_category });
        }
        Fact::Reopened { reason, previous_agent } => tx.emit_in(
            trace,
            id,
            &CaseReopened {
                case_id,
                cycle,
                category: case.category.clone(),
                priority,
                tier: case.tier,
                reason: reason.clone(),
                previous_agent_id: previous_agent.clone(),
            },
        ),
        Fact::Decided { outcome, remedy_due, .. } => {
            let (outcome, remedy_due) = (outcome.number().into(), *remedy_due);
            tx.emit_in(trace, id, &CaseDecided { case_id, cycle, outcome, priority, remedy_due });
        }
        Fact::Resolved { outcome, reasons, respond_until } => tx.emit_in(
            trace,
            id,
            &CaseResolved {
                case_id,
                cycle,
                outcome: outcome.number().into(),
                reasons: reasons.clone(),
                respond_until_time: Some(time(*respond_until)),
            },
        ),
        Fact::Closed { reason, .. } => {
            tx.emit_in(trace, id, &CaseClosed { case_id, cycle, reason: reason.number().into() });
        }
        Fact::Withdrawn { reason } => {
            tx.emit_in(trace, id, &CaseWithdrawn { case_id, cycle, reason: reason.clone() });
        }
        Fact::OutOfScope { referral } => {
            tx.emit_in(trace, id, &CaseDeclined { case_id, cycle, referral: referral.clone() });
        }
        Fact::Opened { .. }
        | Fact::Queued { .. }
        | Fact::Assigned { .. }
        | Fact::Accepted
        | Fact::Note { .. }
        | Fact::Findings { .. }
        | Fact::PlanProposed { .. }
        | Fact::PlanApproved
        | Fact::PlanRejected { .. }
        | Fact::PlanCancelled { .. }
        | Fact::TaskCompleted { .. }
        | Fact::TaskNeedsAttention { .. }
        | Fact::Notice { .. }
        | Fact::Answered { .. } => {}
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
        receive_time: Some(time(origin.receive_time)),
        respondent_staff: origin.respondent_staff.clone(),
    }
}
