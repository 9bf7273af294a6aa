//! One case that stands for those of several people: what each says reaches it.

use vocabulary::CloseReason;

use super::{Event, ExternalEvent};
use crate::case::{Case, Occasion};
use crate::refusal::Refusal;
use crate::timeline::{Contact, Course, Fact, Handling, Information, Together};

impl Case {
    /// Takes in what its complainant says while another case stands for it, and passes
    /// it on to that one.
    pub(crate) fn pass_on(
        &mut self,
        survivor: &mut Self,
        external: ExternalEvent,
        at: &Occasion<'_>,
    ) -> Result<(), Refusal> {
        let answers_shared = external.cycle == self.cycle && self.resolve_time.is_some();
        match external.event {
            Event::InformationAdded(added) => {
                self.inform(survivor, added, at);
                Ok(())
            }
            Event::Accepts { comment } if answers_shared => {
                self.answer_shared(survivor, true, at);
                if !comment.trim().is_empty() {
                    let what = format!("the complainant said: {comment}");
                    self.inform(
                        survivor,
                        Information { what, words: String::new(), by_complainant: true },
                        at,
                    );
                }
                Ok(())
            }
            Event::Disputes { comment } if answers_shared => {
                self.answer_shared(survivor, false, at);
                self.dispute_shared(survivor, comment, at)
            }
            _ => self.hear(external, at),
        }
    }

    fn inform(&mut self, survivor: &mut Self, added: Information, at: &Occasion<'_>) {
        let Information { what, words, by_complainant } = added.clone();
        survivor.note(at, Fact::Together(Together::Informed { case: self.id, what, words, by_complainant }));
        self.note(at, Fact::Handling(Handling::Information(added)));
    }

    fn answer_shared(&mut self, survivor: &mut Self, accepted: bool, at: &Occasion<'_>) {
        self.note(at, Fact::Contact(Contact::Answered { accepted }));
        survivor.note(at, Fact::Together(Together::Answered { case: self.id, accepted }));
    }

    /// Whoever disputes has the case taken up again for all. Where that is not allowed any
    /// more, who disputes is told where else to turn; one that is taken up already is.
    fn dispute_shared(
        &mut self,
        survivor: &mut Self,
        comment: String,
        at: &Occasion<'_>,
    ) -> Result<(), Refusal> {
        match survivor.may_reopen(at.now) {
            Ok(()) => survivor.begin_next_cycle(comment, at),
            Err(Refusal::ReopenLimit(_)) => {
                self.note(
                    at,
                    Fact::Course(Course::Closed { reason: CloseReason::ReopenLimit, remark: String::new() }),
                );
                Ok(())
            }
            Err(_) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use vocabulary::{Outcome, State};

    use super::*;
    use crate::case::properties::{occasion, opened};
    use crate::case::{Decision, Joining};

    fn handled(at: &Occasion<'_>) -> Case {
        let mut case = opened(at);
        let event = Event::Assigned {
            department: "d".to_owned(),
            agent: "ann".to_owned(),
            explanation: String::new(),
        };
        case.hear(ExternalEvent { cycle: 1, actor: String::new(), event }, at).expect("waits");
        case
    }

    fn resolve(case: &mut Case, at: &Occasion<'_>) {
        let decision =
            Decision { outcome: Outcome::Upheld, reasons: "we were wrong".to_owned(), remedy_due: false };
        case.decide(decision, at).expect("handled");
    }

    fn disputes(cycle: i32) -> ExternalEvent {
        ExternalEvent {
            cycle,
            actor: String::new(),
            event: Event::Disputes { comment: "still broken".to_owned() },
        }
    }

    #[test]
    fn each_outcome_shared_is_answered_by_itself_and_a_dispute_reopens_for_all() {
        let at = occasion(Timestamp::UNIX_EPOCH);
        let (mut merged, mut survivor) = (handled(&at), handled(&at));
        let across = Some("one household".to_owned());
        let joining = Joining { reason: String::new(), people_differ: true, across };
        merged.merge_into(&mut survivor, joining, &at).expect("a supervisor says so");
        assert!(merged.pass_on(&mut survivor, disputes(1), &at).is_err(), "nothing was told yet");
        resolve(&mut survivor, &at);
        merged.share_outcome(survivor.shared().expect("an outcome"), &at);
        assert_eq!((merged.state, merged.cycle), (State::Merged, 1));
        merged.pass_on(&mut survivor, disputes(1), &at).expect("in time");
        assert_eq!((survivor.state, survivor.cycle, survivor.tier), (State::Triaged, 2, 1));
        assert_eq!((merged.state, merged.cycle), (State::Merged, 1));
        // Taken up already: it is only noted.
        merged.pass_on(&mut survivor, disputes(1), &at).expect("noted");
        assert_eq!(survivor.cycle, 2);
        assert_eq!(merged.unmerge(&mut survivor, String::new(), &at), Err(Refusal::OutcomeShared));
        let event = Event::Assigned {
            department: "d".to_owned(),
            agent: "ann".to_owned(),
            explanation: String::new(),
        };
        survivor.hear(ExternalEvent { cycle: 2, actor: String::new(), event }, &at).expect("waits");
        resolve(&mut survivor, &at);
        merged.share_outcome(survivor.shared().expect("an outcome"), &at);
        assert_eq!(merged.cycle, 2, "told anew, to be answered anew");
        assert!(merged.pass_on(&mut survivor, disputes(1), &at).is_err(), "the outcome before");
    }
}
