//! What the complainant answers to the outcome of a cycle.
//!
//! An outcome that takes effect opens its cycle for one answer. The answer, a
//! reopening, or the end of the case closes it; so does the time it was given.

use jiff::Timestamp;
use kernel::CaseId;

use crate::refusal::Refusal;

/// Most characters of an answer.
pub const MAX_COMMENT: usize = 10_000;
/// Best score of satisfaction; 1 is the worst, 0 means not answered.
pub const MAX_SCORE: i16 = 5;

kernel::numbered! {
    /// What was decided about the complaint.
    Outcome {
        /// The complainant is right.
        Upheld = 1,
        /// Right in part.
        PartlyUpheld = 2,
        /// Not right.
        NotUpheld = 3,
    }
}

kernel::numbered! {
    /// What the complainant says to an outcome.
    Verdict {
        /// It is put right.
        Accepted = 1,
        /// It is not put right.
        Disputed = 2,
    }
}

/// How satisfied the complainant is; 0 where they did not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Satisfaction {
    /// With how the complaint was handled, 1–5.
    pub handling: i16,
    /// With what came of it, 1–5.
    pub outcome: i16,
}

/// The complainant's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Accepted or disputed.
    pub verdict: Verdict,
    /// In words.
    pub comment: String,
    /// In numbers.
    pub satisfaction: Satisfaction,
}

/// What was decided and why, as the complainant is told it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ruling {
    /// What was decided.
    pub outcome: Outcome,
    /// Why; may be empty.
    pub reasons: String,
    /// Until when an answer is taken.
    pub respond_until: Timestamp,
    /// Which correction of the decision it is; 0 for the decision as first made.
    pub correction: i32,
}

/// A cycle whose outcome was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cycle {
    /// The case.
    pub case_id: CaseId,
    /// Which cycle, from 1.
    pub cycle: i32,
    /// What was decided in it.
    pub outcome: Outcome,
    /// Until when an answer is taken.
    pub respond_until: Timestamp,
    /// Which correction of the decision it is; 0 for the decision as first made.
    pub correction: i32,
    /// False once answered, or once the case has moved on.
    pub awaited: bool,
    /// The answer and when it came.
    pub answer: Option<(Answer, Timestamp)>,
}

impl Cycle {
    /// A cycle whose outcome takes effect: it awaits one answer.
    pub fn opened(case_id: CaseId, cycle: i32, ruling: &Ruling) -> Self {
        let &Ruling { outcome, reasons: _, respond_until, correction } = ruling;
        Self { case_id, cycle, outcome, respond_until, correction, awaited: true, answer: None }
    }

    /// Whether an answer would be taken at this moment.
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.awaited && now < self.respond_until
    }

    /// Takes the complainant's answer; a cycle takes one.
    pub fn take(&mut self, answer: Answer, now: Timestamp) -> Result<(), Refusal> {
        if self.answer.is_some() {
            return Err(Refusal::AlreadyAnswered);
        }
        if !self.is_open(now) {
            return Err(Refusal::ResponseWindowClosed);
        }
        self.awaited = false;
        self.answer = Some((answer, now));
        Ok(())
    }
}

/// A case that moved on without an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Over {
    /// The case.
    pub(crate) case_id: CaseId,
    /// Last cycle that awaits no answer any more.
    pub(crate) cycle: i32,
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan as _;
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn cycle(awaited: bool) -> Cycle {
        Cycle {
            case_id: CaseId(Uuid::nil()),
            cycle: 1,
            outcome: Outcome::Upheld,
            respond_until: Timestamp::UNIX_EPOCH + 24.hours(),
            correction: 0,
            awaited,
            answer: None,
        }
    }

    fn answer(verdict: Verdict) -> Answer {
        Answer { verdict, comment: "still broken".to_owned(), satisfaction: Satisfaction::default() }
    }

    #[test]
    fn the_first_answer_stands() {
        let mut cycle = cycle(true);
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(cycle.take(answer(Verdict::Disputed), now), Ok(()));
        assert!(!cycle.is_open(now));
        let stands = cycle.clone();
        assert_eq!(cycle.take(answer(Verdict::Accepted), now), Err(Refusal::AlreadyAnswered));
        assert_eq!(cycle, stands);
    }

    #[test]
    fn a_case_that_moved_on_takes_no_answer() {
        let mut cycle = cycle(false);
        let refused = cycle.take(answer(Verdict::Accepted), Timestamp::UNIX_EPOCH);
        assert_eq!(refused, Err(Refusal::ResponseWindowClosed));
    }

    proptest! {
        #[test]
        fn the_window_decides_to_the_second(seconds in 0..200_000_i64) {
            let mut cycle = cycle(true);
            let now = Timestamp::UNIX_EPOCH + seconds.seconds();
            let open = cycle.is_open(now);
            prop_assert_eq!(open, seconds < 86_400);
            prop_assert_eq!(cycle.take(answer(Verdict::Accepted), now).is_ok(), open);
            prop_assert_eq!(cycle.answer.is_some(), open);
        }

        #[test]
        fn numbers_of_outcomes_and_verdicts_read_back(number in any::<i16>()) {
            prop_assert_eq!(Outcome::of(number).map(Outcome::number), (1..=3).contains(&number).then_some(number));
            prop_assert_eq!(Verdict::of(number).map(Verdict::number), (1..=2).contains(&number).then_some(number));
        }
    }
}
