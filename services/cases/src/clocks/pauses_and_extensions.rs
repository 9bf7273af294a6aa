//! What people do about clocks: let them stand still, and ask for more time. Pure;
//! what is refused has changed nothing.

use calendar::{Approval, Kind, Reason};
use jiff::Timestamp;
use kernel::{CaseId, person};
use uuid::Uuid;

use super::{CaseClock, Clocks};
use crate::case::{Case, Occasion};
use crate::refusal::Refusal;
use crate::timeline::{Fact, Timing};

kernel::numbered! {
    /// Where a request for more time stands.
    ExtensionState {
        /// Somebody else than the handler decides.
        Pending = 1,
        /// Approved, or nobody had to.
        Granted = 2,
        /// It was refused.
        Refused = 3,
    }
}

/// Whoever may approve; nobody bears this name.
const ANYBODY: &str = "<anybody>";

/// More time for one clock, asked for and perhaps granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Extension {
    /// Identity.
    pub(crate) id: Uuid,
    /// The case.
    pub(crate) case: CaseId,
    /// The kind of clock.
    pub(crate) kind: Kind,
    /// The cycle the clock was started in.
    pub(crate) cycle: i32,
    /// Where it stands.
    pub(crate) state: ExtensionState,
    /// How much more, in the unit of the clock's budget.
    pub(crate) amount: u32,
    /// Why, in words the complainant may read.
    pub(crate) reason: String,
    /// Who asked.
    pub(crate) requester: String,
    /// When.
    pub(crate) requested: Timestamp,
    /// Who decided; empty while pending, and where nobody had to.
    pub(crate) approver: String,
    /// When; none while pending.
    pub(crate) decided: Option<Timestamp>,
    /// Why it was refused; else empty.
    pub(crate) refusal: String,
}

impl Clocks {
    /// Lets clocks stand still: those named, or every one that may.
    pub(crate) fn pause(
        &mut self,
        case: &mut Case,
        kinds: &[Kind],
        reason: Reason,
        remark: &str,
        at: &Occasion<'_>,
    ) -> Result<(), Refusal> {
        let mut paused = self.clone();
        let mut facts = Vec::new();
        for clock in paused.chosen(kinds)? {
            match clock.clock.pause(reason, &clock.calendar, at.now) {
                Ok(()) => {
                    clock.changed = true;
                    facts.push(Fact::Timing(Timing::Paused {
                        kind: clock.clock.kind,
                        reason,
                        remark: remark.to_owned(),
                    }));
                }
                Err(_) if kinds.is_empty() => {}
                Err(refusal) => return Err(Refusal::Clock(refusal)),
            }
        }
        if facts.is_empty() {
            return Err(Refusal::Clock(calendar::Refusal::MayNotPause));
        }
        *self = paused;
        self.settle(case, facts, at);
        Ok(())
    }

    /// Lets paused clocks run on: those named, or all of them.
    pub(crate) fn resume(
        &mut self,
        case: &mut Case,
        kinds: &[Kind],
        remark: &str,
        at: &Occasion<'_>,
    ) -> Result<(), Refusal> {
        let mut running = self.clone();
        let mut facts = Vec::new();
        for clock in running.chosen(kinds)? {
            match clock.clock.resume(at.now) {
                Ok(()) => {
                    clock.changed = true;
                    facts.push(Fact::Timing(Timing::Resumed {
                        kind: clock.clock.kind,
                        reason: remark.to_owned(),
                    }));
                }
                Err(_) if kinds.is_empty() => {}
                Err(refusal) => return Err(Refusal::Clock(refusal)),
            }
        }
        if facts.is_empty() {
            return Err(Refusal::Clock(calendar::Refusal::NotPaused));
        }
        *self = running;
        self.settle(case, facts, at);
        Ok(())
    }

    /// Takes in a request for more time: granted at once where nobody has to
    /// approve.
    pub(crate) fn request(
        &mut self,
        case: &mut Case,
        extension: &mut Extension,
        number: i32,
        at: &Occasion<'_>,
    ) -> Result<(), Refusal> {
        let clock = self.latest(extension.kind).ok_or(Refusal::ClockNotFound)?;
        extension.cycle = clock.cycle;
        if clock.clock.terms.extension.as_ref().is_some_and(|terms| terms.holding_reply) {
            return Err(Refusal::HoldingReplyNeeded);
        }
        let approval = clock.clock.terms.extension.as_ref().is_none_or(|terms| terms.approval);
        // Would it be granted, if somebody approved?
        let approver = if approval { ANYBODY } else { "" };
        let mut granted = clock.clock.clone();
        let wanted = Approval { reason: &extension.reason, handler: &case.agent_id, approver };
        granted.extend(extension.amount, &wanted, &clock.calendar, at.now).map_err(Refusal::Clock)?;
        if !approval {
            return self.grant(case, extension, "", number, at);
        }
        let (kind, amount, reason) = (extension.kind, extension.amount, extension.reason.clone());
        self.settle(case, vec![Fact::Timing(Timing::ExtensionRequested { kind, amount, reason })], at);
        Ok(())
    }

    /// Grants a request for more time; `number` counts those granted of the case.
    pub(crate) fn grant(
        &mut self,
        case: &mut Case,
        extension: &mut Extension,
        approver: &str,
        number: i32,
        at: &Occasion<'_>,
    ) -> Result<(), Refusal> {
        extension.ensure_pending()?;
        if person::is_same(approver, &extension.requester) {
            return Err(Refusal::ApproverIsRequester);
        }
        let fact = self.prolong(case, extension, approver, number, at)?;
        self.settle(case, vec![fact], at);
        Ok(())
    }

    /// Gives a clock the time of an extension, and answers what is to be noted of it.
    pub(super) fn prolong(
        &mut self,
        case: &Case,
        extension: &mut Extension,
        approver: &str,
        number: i32,
        at: &Occasion<'_>,
    ) -> Result<Fact, Refusal> {
        let of =
            |clock: &&mut CaseClock| clock.clock.kind == extension.kind && clock.cycle == extension.cycle;
        let clock = self.0.iter_mut().find(of).ok_or(Refusal::ClockNotFound)?;
        let (handler, by) = (person::folded(&case.agent_id), person::folded(approver));
        let approval = Approval { reason: &extension.reason, handler: &handler, approver: &by };
        clock.clock.extend(extension.amount, &approval, &clock.calendar, at.now).map_err(Refusal::Clock)?;
        clock.changed = true;
        // A holding reply that gives the time tells of it, too.
        let terms = clock.clock.terms.extension.as_ref();
        let notice_due = terms.is_some_and(|terms| terms.notice && !terms.holding_reply);
        let fact = Fact::Timing(Timing::ExtensionGranted {
            kind: extension.kind,
            due: clock.due(),
            reason: extension.reason.clone(),
            notice_due,
            number,
        });
        extension.decide(ExtensionState::Granted, approver, at.now);
        Ok(fact)
    }

    /// The open clocks among the latest of the kinds named; every open one where
    /// none is named.
    fn chosen(&mut self, kinds: &[Kind]) -> Result<Vec<&mut CaseClock>, Refusal> {
        for kind in kinds {
            self.latest(*kind).ok_or(Refusal::ClockNotFound)?;
        }
        let mut chosen: Vec<&mut CaseClock> = Vec::new();
        // In the order of the rows: the latest cycle of a kind comes first.
        for clock in &mut self.0 {
            let seen = chosen.last().is_some_and(|last| last.clock.kind == clock.clock.kind);
            let wanted =
                if kinds.is_empty() { clock.clock.is_open() } else { kinds.contains(&clock.clock.kind) };
            if wanted && !seen {
                chosen.push(clock);
            }
        }
        Ok(chosen)
    }

    pub(super) fn settle(&self, case: &mut Case, facts: Vec<Fact>, at: &Occasion<'_>) {
        for fact in facts {
            case.note(at, fact);
        }
        case.version += 1;
        self.date(case);
    }
}

impl Extension {
    /// Refuses the request; the due time stays.
    pub(crate) fn refuse(
        &mut self,
        case: &mut Case,
        approver: &str,
        refusal: String,
        at: &Occasion<'_>,
    ) -> Result<(), Refusal> {
        self.ensure_pending()?;
        self.decide(ExtensionState::Refused, approver, at.now);
        self.refusal.clone_from(&refusal);
        case.note(at, Fact::Timing(Timing::ExtensionRefused { kind: self.kind, reason: refusal }));
        Ok(())
    }

    fn ensure_pending(&self) -> Result<(), Refusal> {
        if self.state == ExtensionState::Pending { Ok(()) } else { Err(Refusal::ExtensionDecided) }
    }

    fn decide(&mut self, state: ExtensionState, approver: &str, now: Timestamp) {
        self.state = state;
        approver.clone_into(&mut self.approver);
        self.decided = Some(now);
    }
}
