//! Events of the other services, and what a case makes of them. One that no longer fits
//! (an older cycle, a state that has moved on) is refused, which the listener takes as
//! "skip": between services that is no error but time.

mod shared;

use jiff::Timestamp;
use vocabulary::{CloseReason, NoticeKind, State};

use crate::case::{Case, Merged, Move, Occasion};
use crate::refusal::Refusal;
use crate::timeline::{
    Contact, Fact, Handling, Information, Investigation, Mail, PlanChange, Remedy, Visibility, Written,
};

/// Why a notice was not delivered, as feedback says it, where nobody is known who could be
/// told.
pub(crate) const ANONYMOUS: &str = "ANONYMOUS";

/// An event of another service about a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ExternalEvent {
    /// The cycle it is about.
    pub(crate) cycle: i32,
    /// Who did it: a person's subject, or a service in angle brackets.
    pub(crate) actor: String,
    /// What happened.
    pub(crate) event: Event,
}

/// What happened elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// It waits for a handler.
    Queued {
        /// In whose queue; empty when no department takes it.
        department: String,
        /// Why.
        explanation: String,
    },
    /// A handler was found.
    Assigned {
        /// Department in charge.
        department: String,
        /// Agent in charge.
        agent: String,
        /// Why they.
        explanation: String,
    },
    /// The handler accepted.
    Accepted,
    /// Assignment has raised it one level up.
    Escalated {
        /// Why, and who has it now.
        reason: String,
    },
    /// It waits, and nobody can take it as things stand.
    Unassignable {
        /// In whose queue; empty when no department takes it.
        department: String,
        /// What keeps it from everybody.
        explanation: String,
    },
    /// A plan waits for approval.
    PlanProposed {
        /// What it consists of.
        summary: String,
    },
    /// The plan was approved.
    PlanApproved {
        /// The rule that approved it by itself; empty where people did.
        rule: String,
    },
    /// The plan was rejected.
    PlanRejected {
        /// Why.
        reason: String,
    },
    /// Every step of the plan is done.
    PlanCompleted,
    /// The plan was cancelled and undone.
    PlanCancelled {
        /// Why.
        reason: String,
    },
    /// The plan was revised, is to be, or is not to be.
    PlanRevised(PlanChange),
    /// A department carried out a step, or undid one.
    TaskCompleted {
        /// What was done, in a sentence.
        work: String,
    },
    /// A department could not carry out a step.
    TaskNeedsAttention {
        /// The department.
        department: String,
        /// Why.
        reason: String,
    },
    /// What a department could not undo was given up.
    TaskWrittenOff {
        /// The department.
        department: String,
        /// What it was to undo, in a phrase.
        work: String,
        /// Why it was given up.
        reason: String,
    },
    /// A department lacks what a step needs.
    GoodsLacking {
        /// The department.
        department: String,
        /// The article.
        article: String,
        /// When it is expected.
        expected: Timestamp,
    },
    /// A department was asked something about it, or answers.
    Investigation(Investigation),
    /// A department is overdue with a step, and somebody was told.
    TaskEscalated {
        /// The department.
        department: String,
        /// Who was told.
        told: String,
    },
    /// It is part of a recall.
    Recalled {
        /// The article.
        article: String,
        /// The lot; empty means the whole article.
        lot: String,
        /// What the complainant is to know.
        notice: String,
    },
    /// A department did for it what a recall asks for.
    RecallTaskCompleted {
        /// What was done, in a sentence.
        work: String,
    },
    /// Something was added to the complaint.
    InformationAdded(Information),
    /// The complainant accepted the outcome.
    Accepts {
        /// In their words; may be empty.
        comment: String,
    },
    /// The complainant disputed the outcome.
    Disputes {
        /// In their words.
        comment: String,
    },
    /// A notice was delivered, or finally was not.
    NoticeSettled {
        /// What it was for.
        kind: NoticeKind,
        /// Why it was not delivered; none when it was.
        failure: Option<String>,
        /// The mail it went by; none where it went by other means.
        mail: Option<Mail>,
    },
    /// A delivery that was told is taken back.
    NoticeBounced {
        /// What the notice was for.
        kind: NoticeKind,
        /// The mail that came back.
        mail: Mail,
        /// The status code that came with it.
        status: String,
    },
    /// Somebody recorded that the complainant was told by other means than mail.
    NoticeRecorded {
        /// What the notice was for.
        kind: NoticeKind,
        /// By which means, in words.
        by: String,
        /// When they were told.
        told: Timestamp,
    },
    /// Whom notices go to was corrected.
    ContactCorrected {
        /// Why.
        reason: String,
    },
}

impl Event {
    /// Whether it goes on to the case that stands for a merged one: what the complainant
    /// says, and what is added to what they said.
    pub(crate) fn is_passed_on(&self) -> bool {
        matches!(self, Self::InformationAdded(_) | Self::Accepts { .. } | Self::Disputes { .. })
    }

    /// Whether it is taken in however late it comes: evidence belongs on the record, what is
    /// added to the complaint is of no cycle, a recall outlives one, and so does a loss.
    fn is_of_any_cycle(&self) -> bool {
        matches!(
            self,
            Self::NoticeSettled { .. }
                | Self::NoticeBounced { .. }
                | Self::NoticeRecorded { .. }
                | Self::ContactCorrected { .. }
                | Self::Investigation(_)
                | Self::InformationAdded(_)
                | Self::Recalled { .. }
                | Self::RecallTaskCompleted { .. }
                | Self::TaskWrittenOff { .. }
        )
    }
}

impl Case {
    /// Takes in an event. While the case is merged it is about where the case
    /// stood: undone, the merge leaves nothing to catch up on.
    pub(crate) fn hear(&mut self, external: ExternalEvent, at: &Occasion<'_>) -> Result<(), Refusal> {
        let Some(Merged { into, stood, across }) = self.merged else { return self.take_in(external, at) };
        self.state = stood;
        let heard = self.take_in(external, at);
        self.merged = Some(Merged { into, stood: self.state, across });
        self.state = State::Merged;
        heard
    }

    fn take_in(&mut self, external: ExternalEvent, at: &Occasion<'_>) -> Result<(), Refusal> {
        let ExternalEvent { cycle, actor: _, event } = external;
        if cycle != self.cycle && !event.is_of_any_cycle() {
            return Err(Refusal::InvalidCaseState(self.state));
        }
        match event {
            Event::Queued { department, explanation } => self.wait(department, explanation, at)?,
            Event::Assigned { department, agent, explanation } => {
                self.assign(department, agent, explanation, at)?;
            }
            Event::Accepted => self.accept(at)?,
            Event::Escalated { reason } => self.escalate(reason, at)?,
            Event::Unassignable { department, explanation } => {
                self.find_nobody(department, explanation, at)?;
            }
            Event::PlanProposed { summary } => self.note(at, Fact::Remedy(Remedy::PlanProposed { summary })),
            Event::PlanApproved { rule } => self.approve_plan(rule, at)?,
            Event::PlanRejected { reason } => self.note(at, Fact::Remedy(Remedy::PlanRejected { reason })),
            Event::PlanCompleted => self.complete_plan(at)?,
            Event::PlanCancelled { reason } => self.cancel_plan(reason, at),
            Event::PlanRevised(revised) => self.note(at, Fact::Remedy(Remedy::PlanRevised(revised))),
            Event::TaskCompleted { work } => self.note(at, Fact::Remedy(Remedy::TaskCompleted { work })),
            Event::TaskNeedsAttention { department, reason } => {
                self.note(at, Fact::Remedy(Remedy::TaskNeedsAttention { department, reason }));
            }
            Event::TaskWrittenOff { department, work, reason } => {
                self.note_in(cycle, at, Fact::Remedy(Remedy::WrittenOff { department, work, reason }));
            }
            Event::GoodsLacking { department, article, expected } => {
                self.delay(Remedy::Delayed { department, article, expected }, at)?;
            }
            Event::Investigation(heard) => {
                self.note_in(cycle, at, Fact::Handling(Handling::Investigation(heard)));
            }
            Event::TaskEscalated { department, told } => {
                self.note(at, Fact::Remedy(Remedy::TaskOverdue { department, told }));
            }
            Event::Recalled { article, lot, notice } => {
                self.note_in(cycle, at, Fact::Handling(Handling::Recalled { article, lot, notice }));
            }
            Event::RecallTaskCompleted { work } => {
                self.note_in(cycle, at, Fact::Remedy(Remedy::TaskCompleted { work }));
            }
            Event::InformationAdded(added) => self.note(at, Fact::Handling(Handling::Information(added))),
            Event::Accepts { comment } => self.accept_outcome(&comment, at)?,
            Event::Disputes { comment } => self.dispute(comment, at)?,
            Event::NoticeSettled { kind, failure, mail } => {
                self.note_in(cycle, at, Fact::Contact(Contact::Notice { kind, failure, mail }));
            }
            Event::NoticeBounced { kind, mail, status } => {
                self.note_in(cycle, at, Fact::Contact(Contact::NoticeBounced { kind, mail, status }));
            }
            Event::NoticeRecorded { kind, by, told } => {
                self.note_in(cycle, at, Fact::Contact(Contact::NoticeRecorded { kind, by, told }));
            }
            Event::ContactCorrected { reason } => {
                let text = format!("whom notices go to was corrected: {reason}");
                self.add_note(Written { text, visibility: Visibility::Internal, request_id: None }, at);
            }
        }
        Ok(())
    }

    /// A case that has a handler loses them; one that waits already may wait elsewhere.
    fn wait(&mut self, department: String, explanation: String, at: &Occasion<'_>) -> Result<(), Refusal> {
        if self.agent_id.is_empty() {
            Move::Queue.from(self.state)?;
            // One that never had a handler lies with nobody yet.
            if !self.department_id.is_empty() && self.department_id != department {
                self.version += 1;
                self.department_id.clone_from(&department);
            }
        } else {
            self.make(Move::Queue)?;
            self.agent_id.clear();
            self.department_id.clone_from(&department);
        }
        self.note(at, Fact::Handling(Handling::Queued { department, explanation }));
        Ok(())
    }

    fn assign(
        &mut self,
        department: String,
        agent: String,
        explanation: String,
        at: &Occasion<'_>,
    ) -> Result<(), Refusal> {
        self.make(Move::Assign)?;
        self.first_assign_time.get_or_insert(at.now);
        self.department_id.clone_from(&department);
        self.agent_id.clone_from(&agent);
        self.note(at, Fact::Handling(Handling::Assigned { department, agent, explanation }));
        Ok(())
    }

    /// Who has recorded findings before accepting is investigating already: the
    /// acceptance is only noted.
    fn accept(&mut self, at: &Occasion<'_>) -> Result<(), Refusal> {
        if self.state.is_over() || self.agent_id.is_empty() {
            return Err(Refusal::InvalidCaseState(self.state));
        }
        if Move::Accept.from(self.state).is_ok() {
            self.make(Move::Accept)?;
        }
        self.note(at, Fact::Handling(Handling::Accepted));
        Ok(())
    }

    /// Whom it is about to be put right for is promised another date; not once it is over.
    fn delay(&mut self, delayed: Remedy, at: &Occasion<'_>) -> Result<(), Refusal> {
        if self.state.is_over() {
            return Err(Refusal::InvalidCaseState(self.state));
        }
        self.note(at, Fact::Remedy(delayed));
        Ok(())
    }

    /// It went one level up with assignment, and does so here.
    fn escalate(&mut self, reason: String, at: &Occasion<'_>) -> Result<(), Refusal> {
        if self.state.is_over() {
            return Err(Refusal::InvalidCaseState(self.state));
        }
        self.escalate_to(self.tier + 1, reason, at);
        Ok(())
    }

    /// A person must see to it that somebody can take it. Who has a handler by now waits for
    /// nobody.
    fn find_nobody(
        &mut self,
        department: String,
        explanation: String,
        at: &Occasion<'_>,
    ) -> Result<(), Refusal> {
        if self.state.is_over() || !self.agent_id.is_empty() {
            return Err(Refusal::InvalidCaseState(self.state));
        }
        self.note(at, Fact::Handling(Handling::Unassignable { department, explanation }));
        Ok(())
    }

    fn approve_plan(&mut self, rule: String, at: &Occasion<'_>) -> Result<(), Refusal> {
        self.make(Move::ApprovePlan)?;
        self.note(at, Fact::Remedy(Remedy::PlanApproved { rule }));
        Ok(())
    }

    fn complete_plan(&mut self, at: &Occasion<'_>) -> Result<(), Refusal> {
        self.make(Move::CompletePlan)?;
        self.take_effect(at);
        Ok(())
    }

    /// Back to where a plan is wanted. Elsewhere there is no way back to go: a plan
    /// cancelled before its approval, or undone after the case has ended, is only
    /// for the record.
    fn cancel_plan(&mut self, reason: String, at: &Occasion<'_>) {
        self.make(Move::CancelPlan).ok();
        self.note(at, Fact::Remedy(Remedy::PlanCancelled { reason }));
    }

    /// It is over. One that staff have closed meanwhile stays so, and has the answer on
    /// record; what the complainant says with it is for staff to read.
    fn accept_outcome(&mut self, comment: &str, at: &Occasion<'_>) -> Result<(), Refusal> {
        let is_closed = self.state == State::Closed;
        if !is_closed {
            Move::Close.from(self.state)?;
        }
        self.note(at, Fact::Contact(Contact::Answered { accepted: true }));
        if !comment.trim().is_empty() {
            let text = format!("the complainant said: {comment}");
            self.add_note(Written { text, visibility: Visibility::Internal, request_id: None }, at);
        }
        if is_closed { Ok(()) } else { self.end(CloseReason::Accepted, String::new(), at) }
    }

    /// The next cycle, or the end when there were enough. A case closed meanwhile
    /// is taken up again just so: the answer was in time when it was given.
    fn dispute(&mut self, comment: String, at: &Occasion<'_>) -> Result<(), Refusal> {
        let otherwise = match self.may_reopen(at.now) {
            Ok(()) => None,
            Err(Refusal::ReopenLimit(_)) => Some(CloseReason::ReopenLimit),
            Err(Refusal::ReopenWindowPassed(_)) => Some(CloseReason::WindowPassed),
            Err(refusal) => return Err(refusal),
        };
        self.note(at, Fact::Contact(Contact::Answered { accepted: false }));
        match otherwise {
            None => self.begin_next_cycle(comment, at),
            Some(_) if self.state.is_over() => Ok(()),
            Some(reason) => self.end(reason, String::new(), at),
        }
    }
}
