//! Contract → domain: inbound events, those of cases.

use jiff::Timestamp;
use kernel::{CaseId, Money};
use proto::redress::cases::v1 as cases;
use uuid::Uuid;

use crate::case::{CaseView, Redate, Regrade, RemedyStatus, USUAL_PRIORITY};

/// A case that was opened.
pub(crate) fn opened(case_id: CaseId, event: &cases::CaseOpened, traceparent: &str) -> CaseView {
    let (priority, recused) = (read_priority(event.priority), event.recused_subjects.clone());
    let (traceparent, handler) = (traceparent.to_owned(), String::new());
    CaseView {
        case_id,
        cycle: event.cycle,
        priority,
        standing: RemedyStatus::Undecided,
        category: event.category.clone(),
        sought: None,
        due_time: time(event.due_time),
        priority_ordinal: 0,
        due_number: 0,
        traceparent,
        recused,
        handler,
    }
}

/// A case whose outcome was decided. Its id is the event's subject.
pub(crate) fn decided(case_id: CaseId, event: &cases::CaseDecided, traceparent: &str) -> CaseView {
    let standing = if event.remedy_due { RemedyStatus::RemedyDue } else { RemedyStatus::NothingDue };
    let sought = event.amount_sought.as_ref();
    let due_time = time(event.due_time);
    let sought = sought.and_then(|sum| Money::parse(&sum.currency_code, sum.units, sum.nanos).ok());
    let (priority, recused) = (read_priority(event.priority), event.recused_subjects.clone());
    let (traceparent, handler) = (traceparent.to_owned(), String::new());
    CaseView {
        case_id,
        cycle: event.cycle,
        priority,
        standing,
        category: event.category.clone(),
        sought,
        due_time,
        priority_ordinal: event.ordinal,
        due_number: event.due_number,
        traceparent,
        recused,
        handler,
    }
}

/// A case whose decision was replaced by another.
pub(crate) fn corrected(case_id: CaseId, event: &cases::DecisionCorrected, traceparent: &str) -> CaseView {
    let standing = if event.remedy_due { RemedyStatus::RemedyDue } else { RemedyStatus::NothingDue };
    let (priority, recused) = (read_priority(event.priority), event.recused_subjects.clone());
    let (traceparent, handler) = (traceparent.to_owned(), String::new());
    CaseView {
        case_id,
        cycle: event.cycle,
        priority,
        standing,
        category: String::new(),
        sought: None,
        due_time: None,
        priority_ordinal: event.ordinal,
        due_number: 0,
        traceparent,
        recused,
        handler,
    }
}

/// A case reopened as its next cycle.
pub(crate) fn reopened(case_id: CaseId, event: &cases::CaseReopened, traceparent: &str) -> CaseView {
    let (priority, traceparent) = (read_priority(event.priority), traceparent.to_owned());
    let (standing, recused, handler) = (RemedyStatus::Undecided, Vec::new(), String::new());
    CaseView {
        case_id,
        cycle: event.cycle,
        priority,
        standing,
        category: event.category.clone(),
        sought: None,
        due_time: time(event.due_time),
        priority_ordinal: event.ordinal,
        due_number: event.due_number,
        traceparent,
        recused,
        handler,
    }
}

/// Two cases that were linked and name the same order; none where they do not.
pub(crate) fn linked(event: &cases::CaseLinked, case_id: CaseId) -> Option<(CaseId, CaseId)> {
    other(&event.other_case_id).filter(|_| event.same_order).map(|other| (case_id, other))
}

/// Two cases whose link was dismissed.
pub(crate) fn unlinked(event: &cases::CaseUnlinked, case_id: CaseId) -> Option<(CaseId, CaseId)> {
    other(&event.other_case_id).map(|other| (case_id, other))
}

fn other(id: &str) -> Option<CaseId> {
    Uuid::try_parse(id).ok().map(CaseId)
}

/// A case that is due at another time.
pub(crate) fn redated(case_id: CaseId, event: &cases::CaseDueTimeChanged) -> Redate {
    Redate { case_id, number: event.number, due_time: time(event.due_time) }
}

/// A case that is found as urgent as this; none where the number means no priority.
pub(crate) fn regraded(case_id: CaseId, ordinal: i32, priority: i32) -> Option<Regrade> {
    let priority = i16::try_from(priority).ok().filter(|priority| (1..=4).contains(priority))?;
    Some(Regrade { case_id, ordinal, priority })
}

fn time(time: Option<prost_types::Timestamp>) -> Option<Timestamp> {
    time.and_then(|time| Timestamp::new(time.seconds, time.nanos).ok())
}

fn read_priority(priority: i32) -> i16 {
    i16::try_from(priority).ok().filter(|priority| (1..=4).contains(priority)).unwrap_or(USUAL_PRIORITY)
}
