//! The timeline: what happened to a case, as an immutable entry for people to
//! read. Who may read an entry, and in what words, is decided here.
//!
//! What the complainant may read names no agent, department or reason of
//! triage, and nothing typed by staff for staff.

mod ending;
mod together;

use calendar::{Kind as Promised, Reason as PauseReason};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use vocabulary::{Channel, CloseReason, NoticeKind, Outcome, Priority};

use crate::promise;
pub(crate) use ending::Ending;
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
    }
}

/// Something that happened to a case, with what others must be told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fact {
    Opened { channel: Channel },
    Imported { outcome: Option<Outcome>, reasons: String, resolved: Option<Timestamp>, closed: Timestamp },
    Triaged { category: String, priority: Priority, reasons: Vec<String> },
    Retriaged { category: String, priority: Priority, reasons: Vec<String> },
    Categorised { category: String, previous: String },
    Queued { department: String, explanation: String },
    Assigned { department: String, agent: String, explanation: String },
    Accepted,
    Note(Written),
    Information(Information),
    Findings { findings: String, root_cause: String },
    Decided { outcome: Outcome, reasons: String, remedy_due: bool },
    CorrectionAsked { outcome: Outcome, reason: String },
    CorrectionRefused { reason: String },
    Corrected { outcome: Outcome, previous: Outcome, remedy_due: bool, reason: String, number: i32 },
    PlanProposed { summary: String },
    PlanApproved,
    PlanRejected { reason: String },
    PlanCancelled { reason: String },
    TaskCompleted { work: String },
    TaskNeedsAttention { department: String, reason: String },
    Resolved { outcome: Outcome, reasons: String, respond_until: Timestamp },
    SharedOutcome(SharedOutcome),
    Notice { kind: NoticeKind, failure: Option<String> },
    NoticeRecorded { kind: NoticeKind, by: String, told: Timestamp },
    Answered { accepted: bool },
    Reopened { reason: String, previous_agent: String },
    Closed { reason: CloseReason, remark: String },
    Withdrawn { reason: String },
    OutOfScope { referral: String },
    Reminded { kind: Promised, rung: String, due: Option<Timestamp> },
    RungMissed { kind: Promised, rung: String },
    Breached { kind: Promised, due: Timestamp, policy: String, own_target: bool },
    ClockPaused { kind: Promised, reason: PauseReason, remark: String },
    ClockResumed { kind: Promised, reason: String },
    ExtensionRequested { kind: Promised, amount: u32, reason: String },
    ExtensionGranted { kind: Promised, due: Option<Timestamp>, reason: String, notice_due: bool, number: i32 },
    ExtensionRefused { kind: Promised, reason: String },
    HoldingReply { text: String, reason: String, next: Option<Timestamp>, due: Option<Timestamp> },
    PriorityRaised { priority: Priority, reason: String },
    PrioritySet { priority: Priority, reason: String, raised: bool },
    LowerPriorityAsked { priority: Priority, reason: String },
    Returned { reason: String },
    Escalated { tier: i32, reason: String },
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
            Fact::Opened { channel } => format!("the complaint came in {channel} and a case was opened"),
            Fact::Triaged { category, priority, reasons } => {
                with_reason(format!("triaged as {category}, {priority}"), &reasons.join("; "))
            }
            Fact::Retriaged { category, priority, reasons } => {
                with_reason(format!("triaged anew as {category}, {priority}"), &reasons.join("; "))
            }
            Fact::Categorised { category, previous } if category == previous => {
                format!("confirmed as {category}")
            }
            Fact::Categorised { category, previous } => format!("corrected to {category} from {previous}"),
            Fact::Queued { department, explanation } => with_reason(waits(department), explanation),
            Fact::Assigned { department, agent, explanation } => {
                with_reason(format!("assigned to {agent} of {department}"), explanation)
            }
            Fact::Accepted => "a handler has taken the case up".to_owned(),
            Fact::Note(note) => note.text.clone(),
            Fact::Information(added) => added.what.clone(),
            Fact::Findings { findings, root_cause } if root_cause.is_empty() => findings.clone(),
            Fact::Findings { findings, root_cause } => format!("{findings}\nroot cause: {root_cause}"),
            Fact::Decided { .. }
            | Fact::CorrectionAsked { .. }
            | Fact::CorrectionRefused { .. }
            | Fact::Corrected { .. }
            | Fact::PlanProposed { .. }
            | Fact::PlanApproved
            | Fact::PlanRejected { .. }
            | Fact::PlanCancelled { .. }
            | Fact::TaskCompleted { .. }
            | Fact::TaskNeedsAttention { .. } => self.fact.of_remedy(),
            Fact::Resolved { outcome, reasons, .. }
            | Fact::SharedOutcome(SharedOutcome { outcome, reasons, .. }) => {
                with_reason(format!("the complaint is {outcome}"), reasons)
            }
            Fact::Notice { kind, failure: None } => format!("the {kind} was delivered"),
            Fact::Notice { kind, failure: Some(why) } => {
                with_reason(format!("the {kind} could not be delivered"), why)
            }
            Fact::NoticeRecorded { kind, by, told } => {
                format!("the {kind} was given {by} on {}", in_zone(*told, zone))
            }
            Fact::Answered { accepted: true } => "the complainant accepted the outcome".to_owned(),
            Fact::Answered { accepted: false } => "the complainant disputed the outcome".to_owned(),
            Fact::Reopened { reason, .. } => {
                with_reason(format!("taken up again as cycle {}", self.cycle), reason)
            }
            Fact::Closed { reason, remark } => with_reason(closed(*reason), remark),
            Fact::Withdrawn { reason } => with_reason("the complainant withdrew".to_owned(), reason),
            Fact::OutOfScope { referral } => {
                with_reason("this is not ours to decide; please turn to".to_owned(), referral)
            }
            Fact::Reminded { .. }
            | Fact::RungMissed { .. }
            | Fact::Breached { .. }
            | Fact::ClockPaused { .. }
            | Fact::ClockResumed { .. }
            | Fact::ExtensionRequested { .. }
            | Fact::ExtensionGranted { .. }
            | Fact::ExtensionRefused { .. }
            | Fact::HoldingReply { .. }
            | Fact::PriorityRaised { .. }
            | Fact::PrioritySet { .. }
            | Fact::LowerPriorityAsked { .. }
            | Fact::Returned { .. }
            | Fact::Imported { .. }
            | Fact::Escalated { .. } => self.fact.of_time(zone),
            Fact::Together(together) => together.text(),
        }
    }
}

impl Fact {
    fn filed_under(&self) -> (Kind, Visibility) {
        use Visibility::{Internal, Public};
        match self {
            Self::Opened { .. } => (Kind::Opened, Public),
            Self::Triaged { .. } | Self::Retriaged { .. } | Self::Categorised { .. } => {
                (Kind::Triaged, Internal)
            }
            Self::Queued { .. } => (Kind::Queued, Internal),
            Self::Assigned { .. } => (Kind::Assigned, Internal),
            Self::Accepted => (Kind::Accepted, Public),
            Self::Note(note) => (Kind::Note, note.visibility),
            Self::Information(_) => (Kind::Note, Internal),
            Self::Findings { .. } => (Kind::Findings, Internal),
            // Public once it takes effect: that is the next entry but the remedy.
            Self::Decided { .. }
            | Self::CorrectionAsked { .. }
            | Self::CorrectionRefused { .. }
            | Self::Corrected { .. } => (Kind::Decided, Internal),
            Self::PlanProposed { .. } => (Kind::PlanProposed, Internal),
            Self::PlanApproved => (Kind::PlanApproved, Internal),
            Self::PlanRejected { .. } | Self::PlanCancelled { .. } => (Kind::PlanEnded, Internal),
            Self::TaskCompleted { .. } => (Kind::TaskCompleted, Internal),
            Self::TaskNeedsAttention { .. } => (Kind::TaskNeedsAttention, Internal),
            Self::Resolved { .. } | Self::SharedOutcome(_) => (Kind::Resolved, Public),
            Self::Notice { .. } | Self::NoticeRecorded { .. } => (Kind::Notice, Public),
            Self::Answered { .. } => (Kind::Response, Public),
            Self::Reopened { .. } => (Kind::Reopened, Internal),
            // What staff remark on closing is theirs, as is what old records say; the state
            // tells the rest.
            Self::Imported { .. } | Self::Closed { reason: CloseReason::Staff, .. } => {
                (Kind::Closed, Internal)
            }
            Self::Closed { .. } => (Kind::Closed, Public),
            Self::Withdrawn { .. } => (Kind::Withdrawn, Public),
            Self::OutOfScope { .. } => (Kind::OutOfScope, Public),
            Self::ExtensionGranted { notice_due: true, .. } | Self::HoldingReply { .. } => {
                (Kind::Clock, Public)
            }
            Self::Reminded { .. }
            | Self::RungMissed { .. }
            | Self::Breached { .. }
            | Self::ClockPaused { .. }
            | Self::ClockResumed { .. }
            | Self::ExtensionRequested { .. }
            | Self::ExtensionGranted { .. }
            | Self::ExtensionRefused { .. } => (Kind::Clock, Internal),
            Self::Returned { .. }
            | Self::PriorityRaised { .. }
            | Self::PrioritySet { .. }
            | Self::LowerPriorityAsked { .. }
            | Self::Escalated { .. } => (Kind::Escalated, Internal),
            Self::Together(together) => (together.kind(), Internal),
        }
    }

    /// What was decided, planned and done about it, in a sentence; the others have their own.
    fn of_remedy(&self) -> String {
        match self {
            Self::Decided { outcome, reasons, remedy_due: true } => {
                with_reason(format!("decided: {outcome}, a remedy is due"), reasons)
            }
            Self::Decided { outcome, reasons, .. } => with_reason(format!("decided: {outcome}"), reasons),
            Self::CorrectionAsked { outcome, reason } => with_reason(
                format!("a correction to {outcome} was asked for; a second person must confirm it"),
                reason,
            ),
            Self::CorrectionRefused { reason } => {
                with_reason("the correction was refused, the decision stays".to_owned(), reason)
            }
            Self::Corrected { outcome, previous, remedy_due, reason, .. } => {
                let remedy = if *remedy_due { ", a remedy is due" } else { "" };
                with_reason(
                    format!("the decision was corrected to {outcome} from {previous}{remedy}"),
                    reason,
                )
            }
            Self::PlanProposed { summary } => with_reason("a remedy plan was proposed".to_owned(), summary),
            Self::PlanApproved => "the remedy plan was approved".to_owned(),
            Self::PlanRejected { reason } => with_reason("the remedy plan was rejected".to_owned(), reason),
            Self::PlanCancelled { reason } => {
                with_reason("the remedy plan was cancelled and undone".to_owned(), reason)
            }
            Self::TaskCompleted { work } => work.clone(),
            Self::TaskNeedsAttention { department, reason } => {
                with_reason(format!("{department} could not carry out its task"), reason)
            }
            _ => String::new(),
        }
    }

    /// What clocks had done, in a sentence; the others have their own.
    fn of_time(&self, zone: &str) -> String {
        match self {
            Self::Reminded { kind, rung, due } => {
                let due = due.map(|due| format!(", due {}", in_zone(due, zone))).unwrap_or_default();
                format!("reminder {rung}: it is promised {}{due}", promise::words(*kind))
            }
            Self::RungMissed { kind, rung } => {
                format!(
                    "step {rung} of the promise {} passed while nobody could take it",
                    promise::words(*kind)
                )
            }
            Self::Breached { kind, due, policy, .. } => {
                let due = in_zone(*due, zone);
                format!("the promise {} was broken: it was due {due} by {policy}", promise::words(*kind))
            }
            Self::ClockResumed { kind, reason } => {
                with_reason(format!("the time {} runs on", promise::words(*kind)), reason)
            }
            Self::ClockPaused { kind, reason, remark } => {
                let sentence = format!(
                    "the time {} stands still ({})",
                    promise::words(*kind),
                    promise::reason_name(*reason)
                );
                with_reason(sentence, remark)
            }
            Self::ExtensionRequested { kind, amount, reason } => {
                with_reason(format!("{amount} more were asked for {}", promise::words(*kind)), reason)
            }
            Self::ExtensionGranted { kind, due, reason, .. } => {
                let until = due.map(|due| format!(" until {}", in_zone(due, zone))).unwrap_or_default();
                with_reason(format!("more time {} was granted{until}", promise::words(*kind)), reason)
            }
            Self::ExtensionRefused { kind, reason } => {
                with_reason(format!("more time {} was refused", promise::words(*kind)), reason)
            }
            Self::HoldingReply { text, reason, next, due } => {
                let next = next.map(|next| format!("; more by {}", in_zone(next, zone))).unwrap_or_default();
                let due =
                    due.map(|due| format!("; the answer by {}", in_zone(due, zone))).unwrap_or_default();
                format!("{text}\nit takes longer: {reason}{next}{due}")
            }
            Self::Imported { outcome, reasons, closed, .. } => {
                let outcome = outcome.map(|outcome| format!(", {outcome}")).unwrap_or_default();
                let closed = in_zone(*closed, zone);
                with_reason(format!("imported: it was closed on {closed}{outcome}"), reasons)
            }
            Self::PriorityRaised { priority, reason }
            | Self::PrioritySet { priority, reason, raised: true } => {
                with_reason(format!("raised to {priority}"), reason)
            }
            Self::PrioritySet { priority, reason, .. } => {
                with_reason(format!("lowered to {priority}"), reason)
            }
            Self::LowerPriorityAsked { priority, reason } => {
                with_reason(format!("{priority} was asked for; a second person must agree"), reason)
            }
            Self::Returned { reason } => with_reason("somebody else is to take it over".to_owned(), reason),
            Self::Escalated { tier, reason } => with_reason(format!("raised to level {tier}"), reason),
            _ => String::new(),
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

fn waits(department: &str) -> String {
    match department {
        "" => "waits for a department".to_owned(),
        department => format!("waits in the queue of {department}"),
    }
}

fn closed(reason: CloseReason) -> String {
    format!("closed: {reason}")
}

fn with_reason(sentence: String, reason: &str) -> String {
    if reason.is_empty() { sentence } else { format!("{sentence}: {reason}") }
}

#[cfg(test)]
mod tests;
