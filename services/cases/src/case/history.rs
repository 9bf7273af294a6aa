//! A case that ended before its complaint was brought here.

use jiff::Timestamp;
use kernel::CaseId;
use triage::Triage;

use super::{Case, Occasion, Origin};
use crate::timeline::{Fact, Grading};
use vocabulary::{Outcome, State};

/// How it ended, as far as that is on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct History {
    /// What was decided; none where nobody knows.
    pub(crate) outcome: Option<Outcome>,
    /// Why.
    pub(crate) reasons: String,
    /// When the outcome took effect; none where nobody knows.
    pub(crate) resolved: Option<Timestamp>,
    /// When it was closed.
    pub(crate) closed: Timestamp,
}

impl Case {
    /// Takes in the case of a complaint that ended elsewhere: it is over from the
    /// start, and graded only so that it can be counted and found. No other service is
    /// told of it.
    pub(crate) fn import(
        id: CaseId,
        origin: Origin,
        triage: Triage,
        history: History,
        at: &Occasion<'_>,
    ) -> Self {
        let mut case = Self::received(id, origin, triage, at);
        let History { outcome, reasons, resolved, closed } = history;
        case.version += 1;
        case.state = State::Closed;
        case.outcome = outcome;
        case.decision_reasons.clone_from(&reasons);
        case.resolve_time = resolved;
        case.first_resolve_time = resolved;
        case.close_time = Some(closed);
        case.note(at, Fact::Grading(Grading::Imported { outcome, reasons, resolved, closed }));
        case
    }
}

#[cfg(test)]
mod tests {
    use super::super::properties::{occasion, opened};
    use super::*;

    #[test]
    fn a_case_of_before_is_over_and_may_be_taken_up_within_its_window() {
        let day = |days: i64| Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_hours(24 * days);
        let before = opened(&occasion(day(0)));
        let triage = Triage {
            category: before.category.clone(),
            priority: before.priority,
            complexity: before.complexity,
            reasons: Vec::new(),
        };
        let history = History {
            outcome: Some(Outcome::Upheld),
            reasons: "late".to_owned(),
            resolved: Some(day(3)),
            closed: day(4),
        };
        let mut case = Case::import(before.id, before.origin, triage, history, &occasion(day(10)));
        assert_eq!(
            (case.state, case.outcome, case.close_time),
            (State::Closed, Some(Outcome::Upheld), Some(day(4)))
        );
        assert_eq!(case.journal.len(), 1);
        let text = case.journal[0].entry("").text;
        assert_eq!(text, "imported: it was closed on 1970-01-05 00:00 (UTC), upheld: late");
        assert!(case.clone().reopen("again".to_owned(), &occasion(day(64))).is_err());
        assert!(case.reopen("again".to_owned(), &occasion(day(63))).is_ok());
    }
}
