//! Holding replies: the complainant is told that there is no answer yet, why, and
//! when there is news. That keeps the promise to tell how it goes and may give the
//! next; some policies give more time to answer for it. Pure; what is refused has
//! changed nothing.

use std::cmp::Reverse;

use calendar::{Clock, Kind};
use jiff::Timestamp;
use uuid::Uuid;
use vocabulary::State;

use super::pauses_and_extensions::{Extension, ExtensionState};
use super::policy::Policy;
use super::{CaseClock, Clocks};
use crate::case::{Case, Occasion};
use crate::promise::number;
use crate::refusal::Refusal;
use crate::timeline::{Fact, Timing};

/// What promises news of a clock that no policy promises: somebody's word.
const GIVEN_WORD: &str = "holding-reply";

/// What the complainant is told instead of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    /// What they read.
    pub(crate) text: String,
    /// Why it takes longer.
    pub(crate) reason: String,
    /// When they hear again; none makes no promise of it.
    pub(crate) next: Option<Timestamp>,
    /// How much more time to answer it gives; none for as much as the policy allows.
    pub(crate) more: Option<u32>,
    /// The cause for which more time is lawful, in the pack's word; empty where the
    /// pack names none.
    pub(crate) cause: String,
}

/// What an extension that a reply gives is known by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Granting {
    /// Its identity.
    pub(crate) id: Uuid,
    /// Counts those granted of the case.
    pub(crate) number: i32,
}

impl CaseClock {
    /// Whether it was promised in a holding reply, not by a policy.
    pub(super) fn is_given_word(&self) -> bool {
        self.clock.policy == GIVEN_WORD
    }

    fn is_answer(&self) -> bool {
        self.clock.is_open() && matches!(self.clock.kind, Kind::Decide | Kind::Final)
    }
}

impl Clocks {
    /// Takes in a holding reply; answers the extension it gave.
    pub(crate) fn hold(
        &mut self,
        case: &mut Case,
        policies: &[Policy],
        reply: Reply,
        granting: Granting,
        at: &Occasion<'_>,
    ) -> Result<Option<Extension>, Refusal> {
        if case.state.is_over() || case.state == State::Resolved {
            return Err(Refusal::InvalidCaseState(case.state));
        }
        let mut held = self.clone();
        let given = held.give_time(case, &reply, granting, at)?;
        held.give_word(case, policies, reply.next, at)?;
        let due = held.answer_due(at.now, |_| true);
        let Reply { text, reason, next, more: _, cause: _ } = reply;
        let mut facts = vec![Fact::Timing(Timing::HoldingReply { text, reason, next, due })];
        let extension = given.map(|(extension, fact)| {
            facts.push(fact);
            extension
        });
        *self = held;
        self.settle(case, facts, at);
        Ok(extension)
    }

    /// Gives more time to answer, where a policy gives it for a holding reply.
    fn give_time(
        &mut self,
        case: &Case,
        reply: &Reply,
        Granting { id, number }: Granting,
        at: &Occasion<'_>,
    ) -> Result<Option<(Extension, Fact)>, Refusal> {
        let prolongs = |clock: &&CaseClock| {
            let terms = clock.clock.terms.extension.as_ref();
            clock.clock.is_open() && terms.is_some_and(|terms| terms.holding_reply)
        };
        let Some(clock) = self.0.iter().find(prolongs) else {
            let in_vain = reply.more.is_some_and(|more| more > 0);
            return if in_vain { Err(Refusal::Clock(calendar::Refusal::MayNotExtend)) } else { Ok(None) };
        };
        let amount = reply.more.unwrap_or_else(|| clock.clock.most_more());
        if amount == 0 {
            return Ok(None);
        }
        let terms = clock.clock.terms.extension.clone();
        let mut extension = Extension {
            id,
            case: case.id,
            kind: clock.clock.kind,
            cycle: clock.cycle,
            state: ExtensionState::Pending,
            amount,
            reason: reply.reason.clone(),
            requester: at.actor.to_owned(),
            requested: at.now,
            approver: String::new(),
            decided: None,
            refusal: String::new(),
        };
        let fact = self.prolong(case, &mut extension, "", number, at)?;
        let terms = terms.as_ref();
        if terms.is_some_and(|terms| !terms.causes.is_empty() && !terms.causes.contains(&reply.cause)) {
            return Err(Refusal::UnlawfulCause);
        }
        if reply.next.is_none() && terms.is_some_and(|terms| terms.names_date) {
            return Err(Refusal::AnswerTimeNeeded);
        }
        Ok(Some((extension, fact)))
    }

    /// Keeps the promise to tell how it goes, and gives the next.
    fn give_word(
        &mut self,
        case: &Case,
        policies: &[Policy],
        next: Option<Timestamp>,
        at: &Occasion<'_>,
    ) -> Result<(), Refusal> {
        for clock in self.0.iter_mut().filter(|clock| clock.clock.kind == Kind::Update) {
            clock.end(true, at.now);
        }
        let Some(next) = next else { return Ok(()) };
        if next <= at.now {
            return Err(Refusal::UpdateNotAhead);
        }
        let limit = self.answer_due(at.now, |clock| !clock.own_target);
        if limit.is_some_and(|limit| limit < next) {
            return Err(Refusal::UpdateBeyondLimit);
        }
        let clock = Clock::until(Kind::Update, next, GIVEN_WORD, at.now);
        let clock = clock.map_err(|_| Refusal::UpdateBeyondLimit)?;
        let policy = self.policy(case, policies).ok_or(Refusal::PolicyNotFound)?;
        // There is one of a kind in a cycle: the timeline keeps what became of it.
        self.0.retain(|clock| (clock.clock.kind, clock.cycle) != (Kind::Update, case.cycle));
        self.0.push(CaseClock::begin(case, policy, clock, true, false));
        self.0.sort_by_key(|clock| (number(clock.clock.kind), Reverse(clock.cycle)));
        Ok(())
    }

    /// When the first of some answers is due, of those that are not late already.
    fn answer_due(&self, now: Timestamp, wanted: impl Fn(&CaseClock) -> bool) -> Option<Timestamp> {
        let answers = self.0.iter().filter(|clock| clock.is_answer() && wanted(clock));
        answers.filter_map(CaseClock::due).filter(|due| *due > now).min()
    }
}
