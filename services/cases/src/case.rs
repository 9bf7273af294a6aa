//! A case and what people do to it. Each function checks the table of moves
//! first and, when it refuses, has changed nothing; what happened is noted in the
//! case's journal, from which the timeline is written and other services are
//! told.

mod correction;
mod history;
mod merge;
mod origin;
#[cfg(test)]
pub(crate) mod properties;
mod urgency;

use jiff::{SignedDuration, Timestamp};
use kernel::CaseId;
use triage::Triage;
use vocabulary::{CloseReason, Level, Outcome, Priority, State};

pub(crate) use correction::{Correction, CorrectionState};
pub(crate) use history::History;
pub(crate) use merge::{Joining, Merged};
pub(crate) use origin::Origin;
pub(crate) use urgency::Lowering;

pub(crate) use crate::moves::Move;
use crate::refusal::Refusal;
use crate::reopening::{RESPONSE_DAYS, ReopeningTerms};
use crate::timeline::{Course, Fact, Grading, Handling, Noted, Ruling, WithdrawalSource, Written};

/// How long the complainant may answer an outcome.
pub(crate) const RESPONSE_WINDOW: SignedDuration = SignedDuration::from_hours(24 * RESPONSE_DAYS as i64);

/// This service, where it does something by itself.
pub(crate) const CASES: &str = "<cases>";
/// The service that tells the complainant.
pub(crate) const FEEDBACK: &str = "<feedback>";

/// Who does something to a case, when, and in which trace.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Occasion<'a> {
    /// When.
    pub(crate) now: Timestamp,
    /// A person's subject, or a service in angle brackets.
    pub(crate) actor: &'a str,
    /// W3C trace context.
    pub(crate) traceparent: &'a str,
}

/// One complaint being handled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Case {
    /// The complaint's id.
    pub(crate) id: CaseId,
    /// What it began with.
    pub(crate) origin: Origin,
    /// Counts the changes a caller can see.
    pub(crate) version: i64,
    /// Where it stands.
    pub(crate) state: State,
    /// What it is merged into; none unless MERGED.
    pub(crate) merged: Option<Merged>,
    /// Which attempt at resolution this is, from 1.
    pub(crate) cycle: i32,
    /// How many levels up it has been raised.
    pub(crate) tier: i32,
    /// How urgent it is.
    pub(crate) priority: Priority,
    /// What a person raised it to: triage finds it no less urgent; none where nobody has.
    pub(crate) priority_floor: Option<Priority>,
    /// A lower priority that waits for a second person.
    pub(crate) lowering: Option<Lowering>,
    /// How hard it is to find out and to settle.
    pub(crate) complexity: Level,
    /// What it is about, as a path.
    pub(crate) category: String,
    /// Why triage decided so.
    pub(crate) triage_reasons: Vec<String>,
    /// Department it lies with; empty before assignment.
    pub(crate) department_id: String,
    /// Who handles it; empty while nobody does.
    pub(crate) agent_id: String,
    /// What this cycle's investigation found.
    pub(crate) findings: String,
    /// Root cause as far as known.
    pub(crate) root_cause: String,
    /// What was decided in this cycle.
    pub(crate) outcome: Option<Outcome>,
    /// Why it was decided so.
    pub(crate) decision_reasons: String,
    /// Which correction of this cycle's decision holds; 0 for the decision as first made.
    pub(crate) correction: i32,
    /// When the case was opened.
    pub(crate) open_time: Timestamp,
    /// When this cycle's outcome took effect.
    pub(crate) resolve_time: Option<Timestamp>,
    /// By what it may be taken up again, since then; set as it is saved.
    pub(crate) reopening: Option<ReopeningTerms>,
    /// When it ended.
    pub(crate) close_time: Option<Timestamp>,
    /// When a handler was first found.
    pub(crate) first_assign_time: Option<Timestamp>,
    /// When an outcome first took effect.
    pub(crate) first_resolve_time: Option<Timestamp>,
    /// When the next of its running clocks is due; none while none runs.
    pub(crate) due_time: Option<Timestamp>,
    /// How often that has changed since it was opened; the store counts.
    pub(crate) due_changes: i32,
    /// IANA name of the zone its clocks are counted in; empty until they were looked
    /// at. Not kept: what is told of the case is told with it.
    pub(crate) time_zone: String,
    /// How many entries the timeline has, the journal's included.
    pub(crate) entries: i32,
    /// What happened since it was read; the store writes it.
    pub(crate) journal: Vec<Noted>,
}

/// What is decided about a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Decision {
    /// The outcome.
    pub(crate) outcome: Outcome,
    /// Why, in words for the complainant.
    pub(crate) reasons: String,
    /// Whether a remedy must follow.
    pub(crate) remedy_due: bool,
}

impl Case {
    /// Opens and triages the case of a complaint.
    pub(crate) fn open(id: CaseId, origin: Origin, triage: Triage, at: &Occasion<'_>) -> Self {
        let mut case = Self::received(id, origin, triage, at);
        case.note(at, Fact::Grading(Grading::Opened { channel: case.origin.channel }));
        if case.make(Move::Triage).is_ok() {
            let (category, reasons) = (case.category.clone(), case.triage_reasons.clone());
            case.note(at, Fact::Grading(Grading::Triaged { category, priority: case.priority, reasons }));
        }
        case
    }

    /// The case of a complaint before anything has happened to it.
    fn received(id: CaseId, origin: Origin, triage: Triage, at: &Occasion<'_>) -> Self {
        let Triage { category, priority, complexity, reasons } = triage;
        Self {
            id,
            origin,
            version: 0,
            state: State::Received,
            merged: None,
            cycle: 1,
            tier: 0,
            priority,
            priority_floor: None,
            lowering: None,
            complexity,
            category,
            triage_reasons: reasons,
            department_id: String::new(),
            agent_id: String::new(),
            findings: String::new(),
            root_cause: String::new(),
            outcome: None,
            decision_reasons: String::new(),
            correction: 0,
            open_time: at.now,
            resolve_time: None,
            reopening: None,
            close_time: None,
            first_assign_time: None,
            first_resolve_time: None,
            due_time: None,
            due_changes: 0,
            time_zone: String::new(),
            entries: 0,
            journal: Vec::new(),
        }
    }

    /// Takes a new triage over, raised as often as it was reopened and at least to
    /// what it is anyway, whatever rules say; tells whether it came out otherwise. Not
    /// once it is over.
    pub(crate) fn retriage(
        &mut self,
        triage: Triage,
        anyway: Option<Priority>,
        at: &Occasion<'_>,
    ) -> Result<bool, Refusal> {
        if self.state.is_over() {
            return Err(Refusal::InvalidCaseState(self.state));
        }
        let Triage { category, priority, complexity, reasons } = triage;
        let raised = (1..self.cycle).fold(priority, |priority, _| priority.raised());
        let priority =
            [Some(raised), anyway, self.priority_floor].into_iter().flatten().min().unwrap_or(raised);
        let before = (&self.category, self.priority, self.complexity, &self.triage_reasons);
        if (&category, priority, complexity, &reasons) == before {
            return Ok(false);
        }
        self.version += 1;
        self.priority = priority;
        self.complexity = complexity;
        self.category.clone_from(&category);
        self.triage_reasons.clone_from(&reasons);
        self.note(at, Fact::Grading(Grading::Retriaged { category, priority, reasons }));
        Ok(true)
    }

    /// Takes over what a person says it is about; any state allows it.
    pub(crate) fn categorise(&mut self, category: String, at: &Occasion<'_>) {
        let previous = std::mem::replace(&mut self.category, category.clone());
        self.version += 1;
        self.note(at, Fact::Grading(Grading::Categorised { category, previous }));
    }

    /// Writes a note; any state allows it.
    pub(crate) fn add_note(&mut self, note: Written, at: &Occasion<'_>) {
        self.note(at, Fact::Handling(Handling::Note(note)));
    }

    /// Records what the investigation found, in place of earlier findings.
    pub(crate) fn record_findings(
        &mut self,
        findings: String,
        root_cause: String,
        at: &Occasion<'_>,
    ) -> Result<(), Refusal> {
        self.make(Move::Investigate)?;
        self.findings.clone_from(&findings);
        self.root_cause.clone_from(&root_cause);
        self.note(at, Fact::Handling(Handling::Findings { findings, root_cause }));
        Ok(())
    }

    /// Decides the outcome; without a remedy it takes effect at once.
    pub(crate) fn decide(&mut self, decision: Decision, at: &Occasion<'_>) -> Result<(), Refusal> {
        let Decision { outcome, reasons, remedy_due } = decision;
        self.make(if remedy_due { Move::DecideRemedy } else { Move::DecideNoRemedy })?;
        self.outcome = Some(outcome);
        self.decision_reasons.clone_from(&reasons);
        self.note(at, Fact::Ruling(Ruling::Decided { outcome, reasons, remedy_due }));
        if !remedy_due {
            self.take_effect(at);
        }
        Ok(())
    }

    /// Withdraws it at the complainant's wish.
    pub(crate) fn withdraw(
        &mut self,
        source: WithdrawalSource,
        reason: String,
        at: &Occasion<'_>,
    ) -> Result<(), Refusal> {
        self.make(Move::Withdraw)?;
        self.close_time = Some(at.now);
        self.note(at, Fact::Course(Course::Withdrawn { source, reason }));
        Ok(())
    }

    /// Declines it as somebody else's matter.
    pub(crate) fn decline(&mut self, referral: String, at: &Occasion<'_>) -> Result<(), Refusal> {
        self.make(Move::Decline)?;
        self.close_time = Some(at.now);
        self.note(at, Fact::Course(Course::OutOfScope { referral }));
        Ok(())
    }

    /// Closes it without waiting for the complainant's answer.
    pub(crate) fn close(&mut self, remark: String, at: &Occasion<'_>) -> Result<(), Refusal> {
        self.end(CloseReason::Staff, remark, at)
    }

    /// Takes it up again as the next cycle, one level up.
    pub(crate) fn reopen(&mut self, reason: String, at: &Occasion<'_>) -> Result<(), Refusal> {
        self.may_reopen(at.now)?;
        self.begin_next_cycle(reason, at)
    }

    /// Closes it when the time to answer its outcome has passed; a later cycle's
    /// window is another one.
    pub(crate) fn pass_window(&mut self, at: &Occasion<'_>) -> Result<(), Refusal> {
        match self.respond_until() {
            Some(until) if until <= at.now => self.end(CloseReason::WindowPassed, String::new(), at),
            _ => Err(Refusal::InvalidCaseState(self.state)),
        }
    }

    /// Until when the complainant may answer; none before the outcome took effect.
    pub(crate) fn respond_until(&self) -> Option<Timestamp> {
        self.resolve_time.and_then(|resolved| resolved.checked_add(RESPONSE_WINDOW).ok())
    }

    /// Until when it may be taken up again; none where nobody knows when it was resolved.
    pub(crate) fn reopen_until(&self) -> Option<Timestamp> {
        self.reopening.unwrap_or(ReopeningTerms::SHIPPED).until(self.resolve_time?)
    }

    /// Makes a move the table allows; counts as a change.
    pub(crate) fn make(&mut self, step: Move) -> Result<(), Refusal> {
        self.state = step.from(self.state)?;
        self.version += 1;
        Ok(())
    }

    /// Notes what happened in this cycle.
    pub(crate) fn note(&mut self, at: &Occasion<'_>, fact: Fact) {
        self.note_in(self.cycle, at, fact);
    }

    /// Notes what happened in a cycle that may be over.
    pub(crate) fn note_in(&mut self, cycle: i32, at: &Occasion<'_>, fact: Fact) {
        self.entries += 1;
        self.journal.push(Noted {
            ordinal: self.entries,
            cycle,
            time: at.now,
            actor: at.actor.to_owned(),
            traceparent: at.traceparent.to_owned(),
            fact,
        });
    }

    /// The outcome takes effect: the complainant may answer from now on.
    pub(crate) fn take_effect(&mut self, at: &Occasion<'_>) {
        self.resolve_time = Some(at.now);
        self.first_resolve_time.get_or_insert(at.now);
        if let (Some(outcome), Some(respond_until)) = (self.outcome, self.respond_until()) {
            let reasons = self.decision_reasons.clone();
            self.note(at, Fact::Ruling(Ruling::Resolved { outcome, reasons, respond_until }));
        }
    }

    pub(crate) fn end(
        &mut self,
        reason: CloseReason,
        remark: String,
        at: &Occasion<'_>,
    ) -> Result<(), Refusal> {
        self.make(Move::Close)?;
        self.close_time = Some(at.now);
        self.note(at, Fact::Course(Course::Closed { reason, remark }));
        Ok(())
    }

    /// Whether state, window and limit allow another cycle.
    pub(crate) fn may_reopen(&self, now: Timestamp) -> Result<(), Refusal> {
        Move::Reopen.from(self.state)?;
        let terms = self.reopening.unwrap_or(ReopeningTerms::SHIPPED);
        if self.reopen_until().is_some_and(|until| until < now) {
            return Err(Refusal::ReopenWindowPassed(terms));
        }
        if terms.left(self.cycle) == 0 {
            return Err(Refusal::ReopenLimit(terms));
        }
        Ok(())
    }

    /// What was found and decided belongs to the cycle that is over: the timeline
    /// keeps it.
    pub(crate) fn begin_next_cycle(&mut self, reason: String, at: &Occasion<'_>) -> Result<(), Refusal> {
        self.make(Move::Reopen)?;
        self.cycle += 1;
        self.tier += 1;
        self.priority = self.priority.raised();
        let previous_agent = std::mem::take(&mut self.agent_id);
        self.department_id.clear();
        self.findings.clear();
        self.root_cause.clear();
        self.outcome = None;
        self.decision_reasons.clear();
        self.correction = 0;
        self.resolve_time = None;
        self.reopening = None;
        self.close_time = None;
        self.note(at, Fact::Course(Course::Reopened { reason, previous_agent }));
        Ok(())
    }
}
