//! Contract → domain: inbound events, those of the cases service.

#![expect(
    clippy::needless_pass_by_value,
    clippy::unnecessary_wraps,
    reason = "handlers are given the payload, and may fail"
)]

use events::Delivered;
use fault::Fault;
use kernel::CaseId;
use proto::redress::cases::v1::{
    CalendarChanged, CaseCategorised, CaseClosed, CaseDeclined, CaseMerged, CaseOpened, CasePriorityRaised,
    CaseReopened, CaseResolved, CaseRetriaged, CaseReturned, CaseUnmerged, CaseWithdrawn,
};

use crate::assignment::{Origin, Wanted};
use crate::roster::CalendarVersion;
use vocabulary::Priority;

/// A cycle that is over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ended {
    /// The case.
    pub(crate) case_id: CaseId,
    /// The cycle.
    pub(crate) cycle: i32,
    /// How.
    pub(crate) ending: Ending,
}

/// How a cycle is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// For good.
    Over,
    /// Another case stands for it, until that is undone.
    Merged,
}

/// A cycle whose case is no longer merged into another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Resumed {
    /// The case.
    pub(crate) case_id: CaseId,
    /// The cycle.
    pub(crate) cycle: i32,
}

/// Something new about a cycle that goes on.
#[derive(Clone, Debug)]
pub(crate) struct Revised {
    /// The case.
    pub(crate) case_id: CaseId,
    /// The cycle.
    pub(crate) cycle: i32,
    /// Its place in the case's timeline; 0 where that is not told.
    pub(crate) ordinal: i32,
    /// What it is.
    pub(crate) what: Revision,
}

impl Revised {
    /// What its case is about, if that is new.
    pub(crate) fn category(&self) -> Option<&str> {
        match &self.what {
            Revision::Category(category) | Revision::Triage(category, _) => Some(category),
            Revision::Priority(_) | Revision::Return(_) => None,
        }
    }
}

/// What may be new about a cycle that goes on.
#[derive(Clone, Debug)]
pub(crate) enum Revision {
    /// How urgent it is.
    Priority(Priority),
    /// What it is about.
    Category(String),
    /// Both.
    Triage(String, Priority),
    /// Somebody else is to have it, for this reason.
    Return(String),
}

/// An event about one case.
#[derive(Debug)]
pub(crate) enum CaseEvent {
    /// A cycle wants a handler.
    Wanted(Wanted),
    /// A cycle is over.
    Ended(Ended),
    /// There is something new about a cycle.
    Revised(Revised),
    /// A cycle goes on.
    Resumed(Resumed),
}

/// What a function of this module takes an event into.
#[derive(Debug, Default)]
pub(crate) struct Events {
    /// What happened to cases, in the order of the feed.
    pub(crate) cases: Vec<CaseEvent>,
    /// Calendars that were made or edited.
    pub(crate) calendars: Vec<CalendarVersion>,
}

impl Events {
    fn push(&mut self, event: CaseEvent) {
        self.cases.push(event);
    }
}

/// A calendar was made or edited.
pub(crate) fn calendar_changed(
    events: &mut Events,
    _: &Delivered,
    changed: CalendarChanged,
) -> Result<(), Fault> {
    let CalendarChanged { name, version, content } = changed;
    events.calendars.push(CalendarVersion { name, version, content });
    Ok(())
}

/// A case was opened: its first cycle wants a handler.
pub(crate) fn opened(events: &mut Events, event: &Delivered, opened: CaseOpened) -> Result<(), Fault> {
    let CaseOpened {
        case_id: _, // the event's subject
        cycle,
        category,
        priority,
        channel: _,
        customer_id,
        receive_time: _,
        respondent_staff,
        language,
        region,
        recused_subjects: _, // routed by whom it names
        time_zone: _,        // who is called back is feedback's
        call_back_requested: _,
        due_time: _,
    } = opened;
    let origin = Origin { respondent: respondent_staff, customer: customer_id, language, region };
    events.push(CaseEvent::Wanted(Wanted {
        case_id: CaseId(event.subject),
        cycle,
        category,
        priority: self::priority(priority)?,
        origin: Some(origin),
        is_bulk: false,
        previous_agent: None,
        since: event.occurred,
        traceparent: event.traceparent.clone(),
    }));
    Ok(())
}

/// A case was reopened: its next cycle wants a handler.
pub(crate) fn reopened(events: &mut Events, event: &Delivered, reopened: CaseReopened) -> Result<(), Fault> {
    let CaseReopened {
        case_id: _,
        cycle,
        category,
        priority,
        tier: _,
        reason: _,
        previous_agent_id,
        ordinal: _, // a cycle is begun once
        due_time: _,
        due_number: _,
    } = reopened;
    events.push(CaseEvent::Wanted(Wanted {
        case_id: CaseId(event.subject),
        cycle,
        category,
        priority: self::priority(priority)?,
        origin: None,
        is_bulk: false,
        previous_agent: Some(previous_agent_id).filter(|id| !id.is_empty()),
        since: event.occurred,
        traceparent: event.traceparent.clone(),
    }));
    Ok(())
}

/// A cycle was resolved: it is over.
pub(crate) fn resolved(events: &mut Events, event: &Delivered, resolved: CaseResolved) -> Result<(), Fault> {
    ended(events, event, resolved.cycle, Ending::Over)
}

/// A case was closed: its cycle is over.
pub(crate) fn closed(events: &mut Events, event: &Delivered, closed: CaseClosed) -> Result<(), Fault> {
    ended(events, event, closed.cycle, Ending::Over)
}

/// A case was withdrawn: its cycle is over.
pub(crate) fn withdrawn(
    events: &mut Events,
    event: &Delivered,
    withdrawn: CaseWithdrawn,
) -> Result<(), Fault> {
    ended(events, event, withdrawn.cycle, Ending::Over)
}

/// A case was declined: its cycle is over.
pub(crate) fn declined(events: &mut Events, event: &Delivered, declined: CaseDeclined) -> Result<(), Fault> {
    ended(events, event, declined.cycle, Ending::Over)
}

/// A case was merged into another: its cycle is over until that is undone.
pub(crate) fn merged(events: &mut Events, event: &Delivered, merged: CaseMerged) -> Result<(), Fault> {
    ended(events, event, merged.cycle, Ending::Merged)
}

/// A case is no longer merged into another: its cycle goes on.
pub(crate) fn unmerged(events: &mut Events, event: &Delivered, unmerged: CaseUnmerged) -> Result<(), Fault> {
    events.push(CaseEvent::Resumed(Resumed { case_id: CaseId(event.subject), cycle: unmerged.cycle }));
    Ok(())
}

/// A case has become more urgent.
pub(crate) fn priority_raised(
    events: &mut Events,
    event: &Delivered,
    raised: CasePriorityRaised,
) -> Result<(), Fault> {
    let CasePriorityRaised { case_id: _, cycle, priority, reason: _, ordinal } = raised;
    revised(events, event, (cycle, ordinal), Revision::Priority(self::priority(priority)?))
}

/// A case was triaged again.
pub(crate) fn retriaged(
    events: &mut Events,
    event: &Delivered,
    retriaged: CaseRetriaged,
) -> Result<(), Fault> {
    let CaseRetriaged { case_id: _, cycle, category, priority, ordinal } = retriaged;
    revised(events, event, (cycle, ordinal), Revision::Triage(category, self::priority(priority)?))
}

/// A case is found to be about something else.
pub(crate) fn categorised(
    events: &mut Events,
    event: &Delivered,
    categorised: CaseCategorised,
) -> Result<(), Fault> {
    let CaseCategorised { case_id: _, cycle, category, previous_category: _, ordinal } = categorised;
    revised(events, event, (cycle, ordinal), Revision::Category(category))
}

/// Somebody else is to have a case.
pub(crate) fn returned(events: &mut Events, event: &Delivered, returned: CaseReturned) -> Result<(), Fault> {
    let CaseReturned { case_id: _, cycle, reason, ordinal } = returned;
    revised(events, event, (cycle, ordinal), Revision::Return(reason))
}

fn ended(events: &mut Events, event: &Delivered, cycle: i32, ending: Ending) -> Result<(), Fault> {
    events.push(CaseEvent::Ended(Ended { case_id: CaseId(event.subject), cycle, ending }));
    Ok(())
}

fn revised(
    events: &mut Events,
    event: &Delivered,
    (cycle, ordinal): (i32, i32),
    what: Revision,
) -> Result<(), Fault> {
    events.push(CaseEvent::Revised(Revised { case_id: CaseId(event.subject), cycle, ordinal, what }));
    Ok(())
}

fn priority(number: i32) -> Result<Priority, Fault> {
    Priority::of(number)
        .ok_or_else(|| Fault::internal(format!("an event has a case wanted with priority {number}")))
}
