//! A decision that takes the place of another: one asks for it, another confirms.

use jiff::Timestamp;
use kernel::{CaseId, person};
use uuid::Uuid;

use super::{Case, Decision, Move, Occasion};
use crate::refusal::Refusal;
use crate::timeline::{Fact, Ruling};
use vocabulary::State;

kernel::numbered! {
    /// Where a correction stands.
    CorrectionState {
        /// Waits for a second person.
        Pending = 1,
        /// The decision was replaced.
        InForce = 2,
        /// The decision stays.
        Refused = 3,
    }
}

/// A decision that is to take the place of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Correction {
    /// Identity.
    pub(crate) id: Uuid,
    /// The case.
    pub(crate) case: CaseId,
    /// The cycle whose decision it corrects.
    pub(crate) cycle: i32,
    /// Where it stands.
    pub(crate) state: CorrectionState,
    /// What is to be decided.
    pub(crate) decision: Decision,
    /// Why the decision before was wrong.
    pub(crate) reason: String,
    /// Who asked.
    pub(crate) proposer: String,
    /// When.
    pub(crate) proposed: Timestamp,
    /// Who confirmed or refused; empty while pending.
    pub(crate) decider: String,
    /// When; none while pending.
    pub(crate) decided: Option<Timestamp>,
    /// Why it was refused; else empty.
    pub(crate) refusal: String,
}

impl Correction {
    fn must_be_pending(&self) -> Result<(), Refusal> {
        if self.state == CorrectionState::Pending { Ok(()) } else { Err(Refusal::CorrectionDecided) }
    }

    fn end(&mut self, state: CorrectionState, at: &Occasion<'_>) {
        self.state = state;
        at.actor.clone_into(&mut self.decider);
        self.decided = Some(at.now);
    }

    /// Refuses it: the decision stays.
    pub(crate) fn refuse(
        &mut self,
        case: &mut Case,
        reason: String,
        at: &Occasion<'_>,
    ) -> Result<(), Refusal> {
        self.must_be_pending()?;
        self.end(CorrectionState::Refused, at);
        self.refusal.clone_from(&reason);
        case.note(at, Fact::Ruling(Ruling::CorrectionRefused { reason }));
        Ok(())
    }
}

impl Case {
    /// Takes in that a correction is asked for.
    pub(crate) fn ask_correction(
        &mut self,
        correction: &Correction,
        at: &Occasion<'_>,
    ) -> Result<(), Refusal> {
        self.may_be_corrected(correction.decision.remedy_due)?;
        let (outcome, reason) = (correction.decision.outcome, correction.reason.clone());
        self.note(at, Fact::Ruling(Ruling::CorrectionAsked { outcome, reason }));
        Ok(())
    }

    /// Another than who asked puts a correction in force.
    pub(crate) fn correct(
        &mut self,
        correction: &mut Correction,
        number: i32,
        at: &Occasion<'_>,
    ) -> Result<(), Refusal> {
        correction.must_be_pending()?;
        if person::is_same(&correction.proposer, at.actor) {
            return Err(Refusal::SecondPersonRequired);
        }
        let Decision { outcome, reasons, remedy_due } = correction.decision.clone();
        let step = self.may_be_corrected(remedy_due)?;
        // Taken up again meanwhile: what it corrects is gone.
        if correction.cycle != self.cycle {
            return Err(Refusal::InvalidCaseState(self.state));
        }
        self.make(step)?;
        let previous = self.outcome.replace(outcome).unwrap_or(outcome);
        self.decision_reasons.clone_from(&reasons);
        self.correction = number;
        self.resolve_time = None;
        self.reopening = None;
        let reason = correction.reason.clone();
        self.note(at, Fact::Ruling(Ruling::Corrected { outcome, previous, remedy_due, reason, number }));
        correction.end(CorrectionState::InForce, at);
        if !remedy_due {
            self.take_effect(at);
        }
        Ok(())
    }

    fn may_be_corrected(&self, remedy_due: bool) -> Result<Move, Refusal> {
        if self.state == State::Remedying {
            return Err(Refusal::PlanUnderWay);
        }
        let step = if remedy_due { Move::CorrectToRemedy } else { Move::CorrectToNone };
        step.from(self.state).map(|_| step)
    }
}

#[cfg(test)]
mod tests {
    use super::super::properties::{occasion, opened};
    use super::*;
    use crate::external_event::{Event, ExternalEvent};
    use vocabulary::Outcome;

    fn by(actor: &str) -> Occasion<'_> {
        Occasion { actor, ..occasion(Timestamp::UNIX_EPOCH) }
    }

    fn decided(remedy_due: bool) -> Case {
        let at = by("ann");
        let mut case = opened(&at);
        let event = Event::Assigned {
            department: "d".to_owned(),
            agent: "ann".to_owned(),
            explanation: String::new(),
        };
        case.hear(ExternalEvent { cycle: 1, actor: String::new(), event }, &at).expect("waits");
        let decision = Decision { outcome: Outcome::Upheld, reasons: "yes".to_owned(), remedy_due };
        case.decide(decision, &at).expect("handled");
        case
    }

    fn correction(case: &Case, remedy_due: bool) -> Correction {
        Correction {
            id: Uuid::nil(),
            case: case.id,
            cycle: case.cycle,
            state: CorrectionState::Pending,
            decision: Decision { outcome: Outcome::PartlyUpheld, reasons: "half".to_owned(), remedy_due },
            reason: "the invoice was misread".to_owned(),
            proposer: "ann".to_owned(),
            proposed: Timestamp::UNIX_EPOCH,
            decider: String::new(),
            decided: None,
            refusal: String::new(),
        }
    }

    #[test]
    fn a_second_person_puts_it_in_force_and_it_takes_effect_anew() {
        let mut case = decided(false);
        let mut asked = correction(&case, false);
        case.ask_correction(&asked, &by("ann")).expect("resolved");
        assert_eq!(case.correct(&mut asked, 1, &by("Ann")), Err(Refusal::SecondPersonRequired));
        case.correct(&mut asked, 1, &by("boss")).expect("another");
        assert_eq!((case.state, case.outcome), (State::Resolved, Some(Outcome::PartlyUpheld)));
        assert_eq!((asked.state, asked.decider.as_str()), (CorrectionState::InForce, "boss"));
        let told = case
            .journal
            .iter()
            .filter(|noted| matches!(noted.fact, Fact::Ruling(Ruling::Resolved { .. })))
            .count();
        assert_eq!(told, 2);
        assert_eq!(case.correct(&mut asked, 2, &by("boss")), Err(Refusal::CorrectionDecided));
    }

    #[test]
    fn a_remedy_that_is_found_due_is_waited_for() {
        let mut case = decided(false);
        let mut asked = correction(&case, true);
        case.correct(&mut asked, 1, &by("boss")).expect("resolved");
        assert_eq!((case.state, case.resolve_time), (State::Decided, None));
        let mut back = correction(&case, false);
        case.correct(&mut back, 2, &by("boss")).expect("decided");
        assert_eq!(case.state, State::Resolved);
    }

    #[test]
    fn not_while_departments_carry_its_plan_out_and_not_in_another_cycle() {
        let mut case = decided(true);
        let event = Event::PlanApproved { rule: String::new() };
        case.hear(ExternalEvent { cycle: 1, actor: String::new(), event }, &by("boss")).expect("decided");
        let mut asked = correction(&case, false);
        assert_eq!(case.ask_correction(&asked, &by("ann")), Err(Refusal::PlanUnderWay));
        assert_eq!(case.correct(&mut asked, 1, &by("boss")), Err(Refusal::PlanUnderWay));
        let mut case = decided(false);
        let mut asked = correction(&case, false);
        asked.cycle = 2;
        assert_eq!(case.correct(&mut asked, 1, &by("boss")), Err(Refusal::InvalidCaseState(State::Resolved)));
    }
}
