//! Who may act on a case, and who reads what is kept to few. Pure.
//!
//! Whom a complaint is about never works it, whatever their role: they are known by
//! the subject they sign in as and by the name they are registered under.

use std::sync::Arc;

use kernel::{Caller, Role, person};

use crate::case::Case;
use crate::refusal::Refusal;
use crate::timeline::Visibility;

/// Who wants to do something to a case.
#[derive(Clone, Debug)]
pub(crate) struct Actor {
    subject: Arc<str>,
    name: String,
    supervises: bool,
}

/// What is to be done, as far as it matters who does it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// Work on it: for its handler, or a supervisor.
    Handle,
    /// End it at its complainant's wish: as [`Self::Handle`], and not while it stands for
    /// cases of other people.
    Withdraw,
    /// End it as its complainant: for every channel that asks for them, and not while it
    /// stands for cases of other people.
    WithdrawAsComplainant,
    /// Say what it is and where it belongs: as [`Self::Handle`], and for every agent
    /// while it has no handler.
    Sort,
    /// Help with it: for every agent.
    Assist,
    /// Say something about it: for every agent, whom it is about included.
    Comment,
}

impl Act {
    /// Whether it ends a case at its complainant's wish.
    pub(crate) fn withdraws(self) -> bool {
        matches!(self, Self::Withdraw | Self::WithdrawAsComplainant)
    }

    /// Writing a note that these may read. Whom the complaint is about may make a
    /// statement; what the complainant reads is the handler's to say.
    pub(crate) fn noting(visibility: Visibility) -> Self {
        match visibility {
            Visibility::Public => Self::Handle,
            Visibility::Internal => Self::Comment,
            Visibility::Restricted => Self::Assist,
        }
    }
}

impl Actor {
    /// A caller, with the name the roster has for them; empty when it has none, and
    /// where no case of the matter is about anybody.
    pub(crate) fn new(caller: &Caller, name: String) -> Self {
        let supervises = caller.roles.may_act_as(Role::Supervisor);
        Self { subject: caller.subject.clone(), name, supervises }
    }

    /// Refuses who is not a supervisor.
    pub(crate) fn must_supervise(&self) -> Result<(), Refusal> {
        if self.supervises { Ok(()) } else { Err(Refusal::SupervisorRequired) }
    }
}

/// Which restricted entries of a timeline somebody reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Restricted<'a> {
    /// Every one.
    All,
    /// What this subject wrote.
    By(&'a str),
    /// Not one.
    None,
}

impl Case {
    /// Refuses who may not do this to it.
    pub(crate) fn authorize(&self, act: Act, actor: &Actor) -> Result<(), Refusal> {
        if act != Act::Comment && self.is_about(actor) {
            return Err(Refusal::CallerRecused);
        }
        let unhandled = self.agent_id.is_empty();
        match act {
            Act::Assist | Act::Comment | Act::WithdrawAsComplainant => Ok(()),
            Act::Sort if unhandled => Ok(()),
            Act::Handle | Act::Withdraw | Act::Sort if actor.supervises || self.is_handled_by(actor) => {
                Ok(())
            }
            Act::Handle | Act::Withdraw | Act::Sort => Err(Refusal::NotTheHandler),
        }
    }

    /// What of its restricted entries they read: who handles or supervises it all of
    /// them, others what they wrote, whom it is about none.
    pub(crate) fn restricted_for<'a>(&self, actor: &'a Actor) -> Restricted<'a> {
        if self.is_about(actor) {
            Restricted::None
        } else if actor.supervises || self.is_handled_by(actor) {
            Restricted::All
        } else {
            Restricted::By(&actor.subject)
        }
    }

    fn is_about(&self, actor: &Actor) -> bool {
        let is = |about: String| [&*actor.subject, &actor.name].map(person::folded).contains(&about);
        self.origin.respondent().is_some_and(is)
    }

    fn is_handled_by(&self, actor: &Actor) -> bool {
        person::is_same(&self.agent_id, &actor.subject)
    }
}
