//! How urgent people say a case is: one raises it, it takes two to lower it.

use kernel::person;

use super::{Case, Occasion};
use crate::refusal::Refusal;
use crate::timeline::{Fact, Urgency};
use vocabulary::Priority;

/// A lower priority that one person asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lowering {
    /// To which.
    pub(crate) to: Priority,
    /// Who asked.
    pub(crate) by: String,
}

impl Case {
    /// Raises it, for good: no triage makes it less urgent again.
    pub(crate) fn raise_by_hand(
        &mut self,
        priority: Priority,
        reason: String,
        at: &Occasion<'_>,
    ) -> Result<(), Refusal> {
        self.must_be_open()?;
        if priority >= self.priority {
            return Err(Refusal::PriorityNotHigher(self.priority));
        }
        self.priority = priority;
        self.priority_floor = Some(priority);
        self.lowering = None;
        self.version += 1;
        self.note(at, Fact::Urgency(Urgency::PrioritySet { priority, reason, raised: true }));
        Ok(())
    }

    /// Asks for it to be less urgent, or agrees with who asked: then it is. Answers
    /// whether it is.
    pub(crate) fn lower_by_hand(
        &mut self,
        priority: Priority,
        reason: String,
        at: &Occasion<'_>,
    ) -> Result<bool, Refusal> {
        self.must_be_open()?;
        if priority <= self.priority {
            return Err(Refusal::PriorityNotLower(self.priority));
        }
        self.version += 1;
        match self.lowering.take() {
            Some(asked) if asked.to == priority && person::is_same(&asked.by, at.actor) => {
                self.version -= 1;
                self.lowering = Some(asked);
                Err(Refusal::SecondPersonRequired)
            }
            Some(asked) if asked.to == priority => {
                self.priority = priority;
                self.priority_floor = None;
                let reason = format!("{reason} (asked for by {})", asked.by);
                self.note(at, Fact::Urgency(Urgency::PrioritySet { priority, reason, raised: false }));
                Ok(true)
            }
            _ => {
                self.lowering = Some(Lowering { to: priority, by: at.actor.to_owned() });
                self.note(at, Fact::Urgency(Urgency::LowerPriorityAsked { priority, reason }));
                Ok(false)
            }
        }
    }

    fn must_be_open(&self) -> Result<(), Refusal> {
        if self.state.is_over() || self.merged.is_some() {
            return Err(Refusal::InvalidCaseState(self.state));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::super::properties::{occasion, opened};
    use super::*;
    use triage::Triage;
    use vocabulary::Level;

    fn by(actor: &str) -> Occasion<'_> {
        Occasion { actor, ..occasion(Timestamp::UNIX_EPOCH) }
    }

    fn triage(priority: Priority) -> Triage {
        Triage { category: "refund".to_owned(), priority, complexity: Level::Medium, reasons: Vec::new() }
    }

    #[test]
    fn what_a_person_raised_stays_raised_whatever_triage_says() {
        let mut case = opened(&by("ann"));
        assert_eq!(
            case.raise_by_hand(Priority::P4, String::new(), &by("ann")),
            Err(Refusal::PriorityNotHigher(Priority::P4))
        );
        case.raise_by_hand(Priority::P2, "her child was hurt".to_owned(), &by("ann")).expect("higher");
        case.retriage(triage(Priority::P3), None, &by("bob")).expect("open");
        assert_eq!(case.priority, Priority::P2);
        case.retriage(triage(Priority::P1), None, &by("bob")).expect("open");
        assert_eq!(case.priority, Priority::P1);
    }

    #[test]
    fn it_takes_two_people_to_lower_it() {
        let mut case = opened(&by("ann"));
        case.raise_by_hand(Priority::P1, String::new(), &by("ann")).expect("higher");
        let lower = |case: &mut Case, to, actor: &str| case.lower_by_hand(to, String::new(), &by(actor));
        assert_eq!(lower(&mut case, Priority::P3, "ann"), Ok(false));
        assert_eq!(lower(&mut case, Priority::P3, " ANN "), Err(Refusal::SecondPersonRequired));
        assert_eq!(case.priority, Priority::P1);
        // Another priority is another request.
        assert_eq!(lower(&mut case, Priority::P2, "bob"), Ok(false));
        assert_eq!(lower(&mut case, Priority::P3, "bob"), Ok(false));
        assert_eq!(lower(&mut case, Priority::P3, "ann"), Ok(true));
        assert_eq!((case.priority, case.priority_floor, case.lowering.clone()), (Priority::P3, None, None));
        assert_eq!(lower(&mut case, Priority::P2, "ann"), Err(Refusal::PriorityNotLower(Priority::P3)));
    }
}
