//! By what the complainant was told: a promise to tell them is kept for as long as one
//! telling stands. A mail that was taken over may come back; what a person recorded, what
//! went by other means and what the complainant has answered does not.

use calendar::{Kind, State};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use vocabulary::NoticeKind;

use super::{CaseClock, Clocks};
use crate::case::Case;
use crate::timeline::{Contact, Fact, Mail};

/// Most tellings that are kept of a clock: after as many mails, another changes nothing.
const MAX_TELLINGS: usize = 30;

/// Once that the complainant was told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Telling {
    /// The mail it was by; none of what does not come back.
    pub(crate) mail: Option<Mail>,
    /// When.
    pub(crate) at: Timestamp,
    /// Whether it came back.
    pub(crate) bounced: bool,
}

/// The promises that are kept by telling something.
pub(super) fn kept_by(kind: NoticeKind) -> &'static [Kind] {
    match kind {
        NoticeKind::Outcome => &[Kind::Acknowledge, Kind::Tell, Kind::Final],
        _ => &[Kind::Acknowledge],
    }
}

/// How a fact tells the complainant something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tells {
    /// By a mail, which may come back.
    ByMail(Mail),
    /// By what does not come back.
    ForGood,
}

impl Tells {
    /// How a fact tells them, if it does.
    fn of(fact: &Fact) -> Option<Self> {
        match fact {
            Fact::Contact(Contact::Notice { failure: None, mail, .. }) => {
                Some(mail.map_or(Self::ForGood, Self::ByMail))
            }
            Fact::Contact(Contact::NoticeRecorded { .. } | Contact::Answered { .. }) => Some(Self::ForGood),
            _ => None,
        }
    }

    fn mail(self) -> Option<Mail> {
        match self {
            Self::ByMail(mail) => Some(mail),
            Self::ForGood => None,
        }
    }
}

/// What a promise is kept by once the mail that kept it has come back.
#[derive(Clone, Copy)]
enum Left {
    /// By another telling, as of then.
    Telling(Timestamp),
    /// By nothing.
    Nothing,
}

impl CaseClock {
    /// Whether it is not kept by a fact because its mail has come back already.
    pub(super) fn is_taken_back(&self, fact: &Fact) -> bool {
        let Some(Tells::ByMail(mail)) = Tells::of(fact) else { return false };
        self.tellings.iter().any(|telling| telling.bounced && telling.mail == Some(mail))
    }

    /// Notes by what it is kept. After what does not come back nothing more is of use.
    pub(super) fn note_telling(&mut self, fact: &Fact, at: Timestamp) {
        if !matches!(self.clock.state, State::Met { .. }) {
            return;
        }
        let Some(mail) = Tells::of(fact).map(Tells::mail) else { return };
        let is_known = |telling: &Telling| telling.mail.is_none() || telling.mail == mail;
        if self.tellings.len() < MAX_TELLINGS && !self.tellings.iter().any(is_known) {
            self.tellings.push(Telling { mail, at, bounced: false });
            self.changed = true;
        }
    }

    /// Notes that a mail came back; answers what is left where the promise was kept by that.
    fn note_bounce(&mut self, mail: Mail, at: Timestamp) -> Option<Left> {
        let known = self.tellings.iter_mut().find(|telling| telling.mail == Some(mail));
        let Some(telling) = known else {
            if self.tellings.len() < MAX_TELLINGS {
                self.tellings.push(Telling { mail: Some(mail), at, bounced: true });
                self.changed = true;
            }
            return None;
        };
        if std::mem::replace(&mut telling.bounced, true) {
            return None;
        }
        self.changed = true;
        let State::Met { at: met } = self.clock.state else { return None };
        let standing = self.tellings.iter().filter(|telling| !telling.bounced);
        let next = standing.map(|telling| telling.at).min();
        match next {
            None => Some(Left::Nothing),
            Some(next) => (met < next).then_some(Left::Telling(next)),
        }
    }

    /// Runs on as if it had not been met, until it was met after all, if it was.
    fn unmeet(&mut self, left: Left) {
        if self.clock.reopen().is_ok() {
            self.held = None;
            self.changed = true;
            if let Left::Telling(met) = left {
                self.end(true, met);
            }
        }
    }
}

impl Clocks {
    /// A mail came back: what was promised and kept by it alone is owed again, due when it
    /// was. Not of a case that is over, nor where the promise goes on in a later cycle.
    pub(super) fn take_back(&mut self, case: &Case, kind: NoticeKind, mail: Mail, now: Timestamp) {
        let state = case.merged.as_ref().map_or(case.state, |merged| merged.stood);
        for place in 0..self.0.len() {
            let Some(clock) = self.0.get_mut(place) else { continue };
            let (of, cycle) = (clock.clock.kind, clock.cycle);
            if !kept_by(kind).contains(&of) {
                continue;
            }
            let Some(left) = clock.note_bounce(mail, now) else { continue };
            let goes_on = self.0.iter().any(|other| other.clock.kind == of && other.cycle > cycle);
            // What an earlier outcome owed went with it.
            let owed = of == Kind::Acknowledge || cycle == case.cycle;
            let may_run = !state.is_over() && owed && !goes_on;
            let is_kept = matches!(left, Left::Telling(_));
            if let Some(clock) = self.0.get_mut(place).filter(|_| is_kept || may_run) {
                clock.unmeet(left);
            }
        }
    }
}

#[cfg(test)]
mod tests;
