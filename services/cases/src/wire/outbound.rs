//! Domain → contract: outbound events, which facts become one and how.

use pg::Tx;
use proto::redress::cases::v1::{
    CaseCategorised, CaseClosed, CaseDecided, CaseDeclined, CaseDueTimeChanged, CaseEscalated, CaseLinked,
    CaseMerged, CaseOpened, CasePriorityRaised, CaseReopened, CaseResolved, CaseRetriaged, CaseReturned,
    CaseUnlinked, CaseUnmerged, CaseWithdrawn, ClockBreached, ClockPaused, ClockReminder, ClockResumed,
    DecisionCorrected, ExtensionGranted, HoldingReplySent, RemedyDelayed,
};
use proto::timestamp;
use sameness::LinkStanding;
use vocabulary::{Outcome, State};

use super::money;
use crate::case::Case;
use crate::links::Link;
use crate::promise;
use crate::timeline::{
    Course, Fact, Grading, Handling, Noted, Remedy, Ruling, SharedOutcome, Timing, Together, Urgency,
};

/// Publishes what others must know of a fact, in the trace it happened in.
pub(crate) fn publish(tx: &mut Tx, case: &Case, noted: &Noted, recused: &[String]) {
    match &noted.fact {
        Fact::Grading(grading) => of_grading(tx, case, noted, grading, recused),
        Fact::Ruling(ruling) => of_ruling(tx, case, noted, ruling, recused),
        Fact::Course(course) => of_course(tx, case, noted, course),
        Fact::Timing(timing) => of_timing(tx, case, noted, timing),
        Fact::Urgency(urgency) => of_urgency(tx, case, noted, urgency),
        Fact::Together(together) => publish_together(tx, case, noted, together),
        Fact::Remedy(remedy) => of_remedy(tx, case, noted, remedy),
        // Others told of it, or only staff are concerned.
        Fact::Handling(_) | Fact::Contact(_) => {}
    }
}

/// Tells what a case is taken for.
fn of_grading(tx: &mut Tx, case: &Case, noted: &Noted, grading: &Grading, recused: &[String]) {
    let (id, trace) = (case.id.0, noted.traceparent.clone());
    let (case_id, cycle, ordinal) = (case.id.to_string(), noted.cycle, noted.ordinal);
    match grading {
        Grading::Triaged { .. } => tx.emit_in(trace, id, &opened(case, cycle, recused)),
        Grading::Retriaged { category, .. } => {
            let (category, priority) = (category.clone(), case.priority.number().into());
            tx.emit_in(trace, id, &CaseRetriaged { case_id, cycle, category, priority, ordinal });
        }
        Grading::Categorised { category, previous } => {
            let (category, previous_category) = (category.clone(), previous.clone());
            tx.emit_in(trace, id, &CaseCategorised { case_id, cycle, category, previous_category, ordinal });
        }
        Grading::Opened { .. } | Grading::Imported { .. } => {}
    }
}

/// Tells what is decided, for the first time in its cycle or once more, and when it takes
/// effect.
fn of_ruling(tx: &mut Tx, case: &Case, noted: &Noted, ruling: &Ruling, recused: &[String]) {
    let (id, trace) = (case.id.0, noted.traceparent.clone());
    let (case_id, cycle, recused_subjects) = (case.id.to_string(), noted.cycle, recused.to_vec());
    let priority = case.priority.number().into();
    match ruling {
        Ruling::Decided { outcome, remedy_due, .. } => {
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
                category: case.category.clone(),
                ordinal: noted.ordinal,
                due_number: case.due_changes,
            };
            tx.emit_in(trace, id, &decided);
        }
        Ruling::Corrected { outcome, previous, remedy_due, number, .. } => {
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
                ordinal: noted.ordinal,
            };
            tx.emit_in(trace, id, &corrected);
        }
        Ruling::Resolved { outcome, reasons, respond_until }
        | Ruling::SharedOutcome(SharedOutcome { outcome, reasons, respond_until }) => {
            tx.emit_in(trace, id, &resolved(case, cycle, *outcome, reasons, *respond_until));
        }
        Ruling::CorrectionAsked { .. } | Ruling::CorrectionRefused { .. } => {}
    }
}

/// Tells that what is done takes longer; of the rest others told.
fn of_remedy(tx: &mut Tx, case: &Case, noted: &Noted, remedy: &Remedy) {
    let Remedy::Delayed { department: _, article, expected } = remedy else { return };
    let delayed = RemedyDelayed {
        case_id: case.id.to_string(),
        cycle: noted.cycle,
        ordinal: noted.ordinal,
        sku: article.clone(),
        expect_time: Some(timestamp(*expected)),
        time_zone: case.time_zone.clone(),
    };
    tx.emit_in(noted.traceparent.clone(), case.id.0, &delayed);
}

/// Tells that a case ends, or is taken up again.
fn of_course(tx: &mut Tx, case: &Case, noted: &Noted, course: &Course) {
    let (id, trace) = (case.id.0, noted.traceparent.clone());
    let (case_id, cycle) = (case.id.to_string(), noted.cycle);
    match course {
        Course::Reopened { reason, previous_agent } => {
            tx.emit_in(trace, id, &reopened(case, noted, reason, previous_agent));
        }
        Course::Closed { reason, .. } => {
            tx.emit_in(trace, id, &CaseClosed { case_id, cycle, reason: reason.number().into() });
        }
        Course::Withdrawn { source, reason } => {
            let (source, reason) = (source.number().into(), reason.clone());
            tx.emit_in(trace, id, &CaseWithdrawn { case_id, cycle, reason, source });
        }
        Course::OutOfScope { referral } => {
            tx.emit_in(trace, id, &CaseDeclined { case_id, cycle, referral: referral.clone() });
        }
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

fn reopened(case: &Case, noted: &Noted, reason: &str, previous_agent: &str) -> CaseReopened {
    CaseReopened {
        case_id: case.id.to_string(),
        cycle: noted.cycle,
        category: case.category.clone(),
        priority: case.priority.number().into(),
        tier: case.tier,
        reason: reason.to_owned(),
        previous_agent_id: previous_agent.to_owned(),
        ordinal: noted.ordinal,
        due_time: case.due_time.map(timestamp),
        due_number: case.due_changes,
    }
}

/// Tells of promises that run out of time, of broken ones, and of what is done.
fn of_timing(tx: &mut Tx, case: &Case, noted: &Noted, timing: &Timing) {
    let (id, trace) = (case.id.0, noted.traceparent.clone());
    let (case_id, cycle) = (case.id.to_string(), noted.cycle);
    match timing {
        Timing::Reminded { kind, rung, due } => tx.emit_in(
            trace,
            id,
            &ClockReminder {
                case_id,
                cycle,
                kind: promise::number(*kind).into(),
                rung: rung.clone(),
                due_time: due.map(timestamp),
                department_id: case.department_id.clone(),
                agent_id: case.agent_id.clone(),
            },
        ),
        Timing::Breached { kind, due, policy, own_target } => {
            let kind = promise::number(*kind).into();
            let (due_time, policy, own_target) = (Some(timestamp(*due)), policy.clone(), *own_target);
            tx.emit_in(trace, id, &ClockBreached { case_id, cycle, kind, due_time, policy, own_target });
        }
        Timing::ExtensionGranted { kind, due, reason, notice_due, number } => tx.emit_in(
            trace,
            id,
            &ExtensionGranted {
                case_id,
                cycle,
                kind: promise::number(*kind).into(),
                due_time: due.map(timestamp),
                reason: reason.clone(),
                notice_due: *notice_due,
                number: *number,
                time_zone: case.time_zone.clone(),
            },
        ),
        Timing::HoldingReply { text, reason, next, due } => tx.emit_in(
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
        Timing::Paused { kind, .. } => {
            let (kind, ordinal) = (promise::number(*kind).into(), noted.ordinal);
            tx.emit_in(trace, id, &ClockPaused { case_id, cycle, kind, ordinal });
        }
        Timing::Resumed { kind, .. } => {
            let (kind, ordinal) = (promise::number(*kind).into(), noted.ordinal);
            tx.emit_in(trace, id, &ClockResumed { case_id, cycle, kind, ordinal });
        }
        Timing::RungMissed { .. } | Timing::ExtensionRequested { .. } | Timing::ExtensionRefused { .. } => {}
    }
}

/// Tells how urgent a case is found, and that somebody else is to see to it.
fn of_urgency(tx: &mut Tx, case: &Case, noted: &Noted, urgency: &Urgency) {
    let (id, trace) = (case.id.0, noted.traceparent.clone());
    let (case_id, cycle, ordinal) = (case.id.to_string(), noted.cycle, noted.ordinal);
    match urgency {
        // Less urgent, it is what a new triage would make of it.
        Urgency::PrioritySet { priority, raised: false, .. } => {
            let (category, priority) = (case.category.clone(), priority.number().into());
            tx.emit_in(trace, id, &CaseRetriaged { case_id, cycle, category, priority, ordinal });
        }
        Urgency::PriorityRaised { priority, reason } | Urgency::PrioritySet { priority, reason, .. } => {
            let (priority, reason) = (priority.number().into(), reason.clone());
            tx.emit_in(trace, id, &CasePriorityRaised { case_id, cycle, priority, reason, ordinal });
        }
        Urgency::Returned { reason } => {
            tx.emit_in(trace, id, &CaseReturned { case_id, cycle, reason: reason.clone(), ordinal });
        }
        Urgency::Escalated { tier, reason } => {
            tx.emit_in(trace, id, &CaseEscalated { case_id, cycle, tier: *tier, reason: reason.clone() });
        }
        Urgency::LowerPriorityAsked { .. } => {}
    }
}

/// Publishes that a case is due at another time, while somebody may be at work on it; not
/// beside a decision or a reopening, which tell it. No fact of a case leads to it: what is put in force for
/// all moves it as well.
pub(crate) fn publish_due_time(tx: &mut Tx, case: &Case) {
    let tells = |noted: &Noted| {
        let fact = &noted.fact;
        matches!(fact, Fact::Ruling(Ruling::Decided { .. }) | Fact::Course(Course::Reopened { .. }))
    };
    let awaits_no_work = case.state.is_over() || matches!(case.state, State::Resolved | State::Merged);
    if awaits_no_work || case.journal.iter().any(tells) {
        return;
    }
    let changed = CaseDueTimeChanged {
        case_id: case.id.to_string(),
        cycle: case.cycle,
        due_time: case.due_time.map(timestamp),
        number: case.due_changes,
    };
    let last = case.journal.last().map(|noted| noted.traceparent.clone());
    tx.emit_in(last.unwrap_or_else(|| case.origin.traceparent.clone()), case.id.0, &changed);
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

/// Publishes a link between two cases, of the later one: no fact of a case tells whether both
/// name the same order.
pub(crate) fn publish_link(tx: &mut Tx, link: &Link, same_order: bool, traceparent: String) {
    let (case_id, other_case_id) = (link.pair.later.to_string(), link.pair.earlier.to_string());
    if link.standing == LinkStanding::Dismissed {
        tx.emit_in(traceparent, link.pair.later.0, &CaseUnlinked { case_id, other_case_id });
        return;
    }
    let (kind, standing) = (link.kind.number().into(), link.standing.number().into());
    let linked = CaseLinked { case_id, other_case_id, kind, standing, same_order };
    tx.emit_in(traceparent, link.pair.later.0, &linked);
}

fn opened(case: &Case, cycle: i32, recused: &[String]) -> CaseOpened {
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
        language: origin.language.clone(),
        region: origin.region.clone(),
        recused_subjects: recused.to_vec(),
        time_zone: case.time_zone.clone(),
        call_back_requested: case.journal.iter().any(asks_for_call_back),
        due_time: case.due_time.map(timestamp),
    }
}

fn asks_for_call_back(noted: &Noted) -> bool {
    matches!(&noted.fact, Fact::Handling(Handling::Spoken(spoken)) if spoken.asks_for_call_back())
}
