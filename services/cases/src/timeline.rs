//! The timeline: what happened to a case, as an immutable entry for people to
//! read. Who may read an entry, and in what words, is decided here.
//!
//! What the complainant may read names no agent, department or reason of
//! triage, and nothing typed by staff for staff.

mod ending;
mod facts;
mod spoken;
mod timing;
mod together;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use vocabulary::{CloseReason, Outcome};

pub(crate) use ending::Ending;
pub(crate) use facts::{
    Contact, Course, DISPUTED, Grading, Handling, Investigation, Mail, PlanChange, Remedy, Ruling, Urgency,
    WithdrawalSource,
};
pub(crate) use spoken::Spoken;
pub(crate) use timing::Timing;
pub(crate) use together::Together;

kernel::numbered! {
    /// Who may read an entry.
    Visibility {
        /// Anyone, the complainant included.
        Public = 1 "public",
        /// The organisation's staff.
        Internal = 2 "internal",
        /// Those who handle or supervise the case.
        Restricted = 3 "restricted",
    }
}

kernel::numbered! {
    /// What an entry records.
    Kind {
        /// The case was opened.
        Opened = 1 "opened",
        /// Category and priority were decided.
        Triaged = 2 "triaged",
        /// A handler was found.
        Assigned = 3 "assigned",
        /// The handler accepted.
        Accepted = 4 "accepted",
        /// Somebody wrote a note.
        Note = 5 "note",
        /// Findings were recorded.
        Findings = 6 "findings",
        /// The outcome was decided.
        Decided = 7 "decided",
        /// A remedy plan was proposed.
        PlanProposed = 8 "plan proposed",
        /// A remedy plan was approved.
        PlanApproved = 9 "plan approved",
        /// A remedy plan was rejected or cancelled.
        PlanEnded = 10 "plan ended",
        /// A department carried out a step.
        TaskCompleted = 11 "task completed",
        /// A department could not carry out a step.
        TaskNeedsAttention = 12 "task needs attention",
        /// The outcome took effect.
        Resolved = 13 "resolved",
        /// A notice was settled.
        Notice = 14 "notice",
        /// The complainant answered.
        Response = 15 "response",
        /// The next cycle began.
        Reopened = 16 "reopened",
        /// The case was closed.
        Closed = 17 "closed",
        /// The complainant withdrew.
        Withdrawn = 18 "withdrawn",
        /// It was found to be somebody else's matter.
        OutOfScope = 19 "out of scope",
        /// The case waits.
        Queued = 20 "queued",
        /// It was merged, or another into it.
        Merged = 21 "merged",
        /// A merge was undone.
        Unmerged = 22 "unmerged",
        /// It was linked to another, or a link was dismissed.
        Linked = 23 "linked",
        /// A step of a clock's ladder, a pause, an extension, a breach, a holding reply.
        Clock = 24 "clock",
        /// One level up, or more urgent.
        Escalated = 25 "escalated",
        /// It joined or left a group, or its group raised the alarm.
        Grouped = 26 "grouped",
        /// A remedy plan was revised, is to be, or is not to be.
        PlanRevised = 27 "plan revised",
        /// What a department could not undo was given up.
        TaskWrittenOff = 28 "task written off",
    }
}

impl Kind {
    /// What says which way a cycle went, for who handles the next: what was found, decided and
    /// carried out, and what the complainant said to it.
    pub(crate) const TRIED: [Self; 10] = [
        Self::Findings,
        Self::Decided,
        Self::PlanProposed,
        Self::PlanApproved,
        Self::PlanRevised,
        Self::PlanEnded,
        Self::TaskCompleted,
        Self::TaskNeedsAttention,
        Self::Resolved,
        Self::Response,
    ];
}

/// Something that happened to a case, with what others must be told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fact {
    Grading(Grading),
    Handling(Handling),
    Ruling(Ruling),
    Remedy(Remedy),
    Contact(Contact),
    Course(Course),
    Timing(Timing),
    Urgency(Urgency),
    Together(Together),
}

/// A note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    /// What it says.
    pub(crate) text: String,
    /// Who may read it.
    pub(crate) visibility: Visibility,
    /// The idempotency key it was written under; none where a service writes.
    pub(crate) request_id: Option<String>,
}

/// What was added to a complaint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Information {
    /// What, in a sentence.
    pub(crate) what: String,
    /// The words that were added, without who added them; empty where only a form was
    /// filled in.
    pub(crate) words: String,
    /// Whether the complainant added it, and not staff.
    pub(crate) by_complainant: bool,
}

/// The outcome of a case, for all the people it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SharedOutcome {
    /// What was decided.
    pub(crate) outcome: Outcome,
    /// Why.
    pub(crate) reasons: String,
    /// Until when each may answer.
    pub(crate) respond_until: Timestamp,
}

/// A fact in its place: when, by whom, in which cycle and trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Noted {
    /// Place in the case's timeline, from 1, without gaps.
    pub(crate) ordinal: i32,
    /// The cycle it belongs to.
    pub(crate) cycle: i32,
    /// When it happened.
    pub(crate) time: Timestamp,
    /// A person's subject, or a service in angle brackets.
    pub(crate) actor: String,
    /// Trace it happened in.
    pub(crate) traceparent: String,
    /// What happened.
    pub(crate) fact: Fact,
}

/// An entry as it is kept and read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Place in the case's timeline, from 1, without gaps.
    pub(crate) ordinal: i32,
    /// When it happened.
    pub(crate) time: Timestamp,
    /// The cycle it belongs to.
    pub(crate) cycle: i32,
    /// What it records.
    pub(crate) kind: Kind,
    /// Who may read it.
    pub(crate) visibility: Visibility,
    /// Who did it.
    pub(crate) actor: String,
    /// What happened, in a sentence.
    pub(crate) text: String,
    /// Trace it happened in; empty when untraced.
    pub(crate) trace_id: String,
}

impl Noted {
    /// The entry people read. Times in it are told in the zone of this IANA name, and
    /// name it; in UTC where there is none.
    pub(crate) fn entry(&self, zone: &str) -> Entry {
        let (kind, visibility) = self.fact.filed_under();
        Entry {
            ordinal: self.ordinal,
            time: self.time,
            cycle: self.cycle,
            kind,
            visibility,
            actor: self.actor.clone(),
            text: self.text(zone),
            trace_id: pg::trace::trace_id(&self.traceparent).to_owned(),
        }
    }

    fn text(&self, zone: &str) -> String {
        match &self.fact {
            Fact::Grading(grading) => grading.text(zone),
            Fact::Handling(handling) => handling.text(),
            Fact::Ruling(ruling) => ruling.text(),
            Fact::Remedy(remedy) => remedy.text(zone),
            Fact::Contact(contact) => contact.text(zone),
            Fact::Course(course) => course.text(self.cycle),
            Fact::Timing(timing) => timing.text(zone),
            Fact::Urgency(urgency) => urgency.text(),
            Fact::Together(together) => together.text(),
        }
    }
}

impl Fact {
    fn filed_under(&self) -> (Kind, Visibility) {
        match self {
            Self::Grading(grading) => grading.filed_under(),
            Self::Handling(handling) => handling.filed_under(),
            Self::Ruling(ruling) => ruling.filed_under(),
            Self::Remedy(remedy) => remedy.filed_under(),
            Self::Contact(contact) => contact.filed_under(),
            Self::Course(course) => course.filed_under(),
            Self::Timing(timing) => (Kind::Clock, timing.visibility()),
            Self::Urgency(_) => (Kind::Escalated, Visibility::Internal),
            Self::Together(together) => (together.kind(), Visibility::Internal),
        }
    }
}

impl Entry {
    /// What the complainant reads of it. Why a notice could not be delivered names our
    /// own arrangements, and is for staff.
    pub(crate) fn public_text(self) -> String {
        match self.text.split_once(": ") {
            Some((sentence, _)) if self.kind == Kind::Notice => sentence.to_owned(),
            _ => self.text,
        }
    }
}

/// A moment as people read it, with the zone it is told in.
fn in_zone(time: Timestamp, zone: &str) -> String {
    let known = if zone.is_empty() { None } else { calendar::zones::get(zone) };
    let name = known.as_ref().map_or("UTC", |_| zone);
    let there = time.to_zoned(known.unwrap_or(TimeZone::UTC));
    format!("{} ({name})", there.strftime("%Y-%m-%d %H:%M"))
}

fn closed(reason: CloseReason) -> String {
    format!("closed: {reason}")
}

fn with_reason(sentence: String, reason: &str) -> String {
    if reason.is_empty() { sentence } else { format!("{sentence}: {reason}") }
}

#[cfg(test)]
mod tests;
