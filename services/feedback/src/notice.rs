//! What a complainant is owed in writing, and what became of it.
//!
//! ```text
//! PENDING ─ a transport took it over ──────────────────────────▶ DELIVERED, with its evidence
//!    │  ▲                                                            ▲          │
//!    │  └──────────────── sent again ◀──────────────────────────────-│──────────┤ it came back
//!    │                                         told by other means ──┤          │
//!    └─ no address, no transport, refused, given up ─▶ UNDELIVERED, with the reason
//! ```
//!
//! A notice goes by one means after the other, as its tenant's routing orders them: it is
//! undelivered when the last of them has failed.

mod delivery;
pub mod routing;

use std::time::Duration;

use jiff::Timestamp;
use kernel::{CaseId, NoticeId};

pub use crate::contact::Contact;
use crate::letter::trial::Places;
use crate::letter::{Letter, Letters};
pub use crate::obstacle::Obstacle;
pub use crate::owed::{Closing, Delay, Holding, Kind, Lacking, Missed, Owed, Planned, ProgressUpdate, Word};
use crate::refusal::Refusal;
pub use delivery::{Delivery, Way};
use routing::Routing;

/// How often delivery is tried: for about two days.
pub const MAX_ATTEMPTS: i32 = 56;
/// Longest pause after the first attempt; doubles with each.
const FIRST_PAUSE: Duration = Duration::from_secs(15);
/// Longest pause between attempts.
const LONGEST_PAUSE: Duration = Duration::from_hours(1);
/// Most characters kept of what a server says, and of what else proves a delivery.
pub const MAX_DETAIL: usize = 500;
/// Most times a notice is sent.
pub const MAX_SENDINGS: i32 = 20;
/// Most corrections of a contact.
pub const MAX_CORRECTIONS: i64 = 50;

/// Why word that the time to answer ends is not sent any more: it has ended.
pub const CYCLE_ENDED: &str = "CYCLE_ENDED";
/// Why news of an open case is not sent any more: it is not open, or was reopened.
pub const CASE_MOVED_ON: &str = "CASE_MOVED_ON";
/// Why word of a call is not sent any more: they were spoken to, or are called at another time.
pub const CALL_BACK_ENDED: &str = "CALL_BACK_ENDED";
/// Why a notice is sent again by itself: by another means.
pub const NEXT_MEANS: &str = "NEXT_MEANS";
/// Longest that a server may have a notice wait for the next attempt.
pub const LONGEST_RETRY_AFTER: Duration = Duration::from_hours(1);
/// Why a survey is not sent any more: it was answered or cancelled.
pub const SURVEY_ENDED: &str = "SURVEY_ENDED";

kernel::numbered! {
    /// Where a notice stands.
    State {
        /// Owed; delivery is being tried.
        Pending = 1,
        /// Taken over by a transport. Final, unless it comes back: see `bounce`.
        Delivered = 2,
        /// Cannot be delivered. Final.
        Undelivered = 3,
    }
}

kernel::numbered! {
    /// By which means a complainant was told.
    Means {
        /// By e-mail.
        Email = 1,
        /// By letter or fax.
        Letter = 2,
        /// By telephone.
        Telephone = 3,
        /// At a branch or counter.
        InPerson = 4,
        /// By a message of a person, of another kind.
        Message = 5,
        /// By a text message through a gateway.
        Sms = 6,
        /// By the operator's own system.
        Webhook = 7,
    }
}

impl Means {
    /// As the contract names it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Email => "EMAIL",
            Self::Letter => "LETTER",
            Self::Telephone => "TELEPHONE",
            Self::InPerson => "IN_PERSON",
            Self::Message => "MESSAGE",
            Self::Sms => "SMS",
            Self::Webhook => "WEBHOOK",
        }
    }
}

/// What decides how a new notice leaves.
#[derive(Clone, Copy, Debug)]
pub struct Dispatch<'a> {
    /// How notices leave this house.
    pub delivery: &'a Delivery,
    /// The words in force.
    pub letters: &'a Letters,
    /// By which means the tenant has them go.
    pub routing: &'a Routing,
}

/// Something the complainant is owed in writing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Identity.
    pub id: NoticeId,
    /// The case it is about.
    pub case_id: CaseId,
    /// The cycle it belongs to.
    pub cycle: i32,
    /// What it is for.
    pub kind: Kind,
    /// Which of several of its kind in the cycle.
    pub number: i32,
    /// Where it stands.
    pub state: State,
    /// By which means it goes.
    pub means: Means,
    /// Address it goes to; empty when none is known.
    pub recipient: String,
    /// Its text.
    pub letter: Letter,
    /// What the receiving server answered; empty unless it took it over.
    pub evidence: String,
    /// Why it was not delivered; empty unless undelivered.
    pub failure_reason: String,
    /// How often delivery was tried.
    pub attempts: i32,
    /// Trace context of what made it owed.
    pub traceparent: String,
    /// When it became owed.
    pub created: Timestamp,
    /// When it was delivered or given up.
    pub ended: Option<Timestamp>,
    /// When delivery is tried next; none once it has ended.
    pub due: Option<Timestamp>,
    /// Which time it is sent, from 1.
    pub sending: i32,
    /// That the complainant was told by other means, as somebody recorded.
    pub record: Option<Record>,
    /// What was put into the places of its template; of a new one only.
    pub places: Places,
}

/// That a complainant was told by other means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// By which.
    pub means: Means,
    /// Who recorded it.
    pub recorder: String,
    /// When they were told.
    pub told: Timestamp,
}

/// What became of a notice before it was sent again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sending {
    /// The notice.
    pub notice: NoticeId,
    /// Which time it was sent, from 1.
    pub number: i32,
    /// By which means it went.
    pub means: Means,
    /// Address it went to.
    pub recipient: String,
    /// Where it stood; pending where that was not known yet.
    pub state: State,
    /// What the receiving server answered, or what proved that they were told.
    pub evidence: String,
    /// Why it was not delivered.
    pub failure_reason: String,
    /// How often delivery was tried.
    pub attempts: i32,
    /// When it was delivered or given up.
    pub ended: Option<Timestamp>,
    /// Who had it sent again; empty where it went on to the next means by itself.
    pub requester: String,
    /// Why.
    pub reason: String,
    /// When.
    pub resent: Timestamp,
}

impl Notice {
    /// A new notice to a contact. Where something keeps it from being sent it is
    /// undelivered from the start, and says why.
    pub fn new(id: NoticeId, owed: Owed, contact: &Contact, dispatch: Dispatch<'_>, now: Timestamp) -> Self {
        let Dispatch { delivery, letters, routing } = dispatch;
        let kind = owed.word.kind();
        let (letter, stopped) = letters.write(&owed.word, contact, &owed.zone);
        let places = Places::of(&owed.word, contact, &owed.zone);
        let order = routing.means(kind, contact.channel);
        let found = delivery.way(kind, &order, contact);
        let obstacle = found.as_ref().err().copied().or(stopped);
        let unsent = || Way {
            means: order.first().copied().unwrap_or(Means::Email),
            recipient: contact.recipient.clone(),
        };
        let Way { means, recipient } = found.unwrap_or_else(|_| unsent());
        Self {
            id,
            case_id: owed.case_id,
            cycle: owed.cycle,
            kind,
            number: owed.word.number(),
            state: if obstacle.is_some() { State::Undelivered } else { State::Pending },
            means,
            recipient,
            letter,
            evidence: String::new(),
            failure_reason: obstacle.map_or("", Obstacle::reason).to_owned(),
            attempts: 0,
            traceparent: owed.traceparent,
            created: now,
            ended: obstacle.map(|_| now),
            due: obstacle.is_none().then_some(now),
            sending: 1,
            record: None,
            places,
        }
    }

    /// Takes in that the complainant was told by other means.
    pub fn take_record(&mut self, record: Record, evidence: String, now: Timestamp) -> Result<(), Refusal> {
        self.check_for_people()?;
        if self.state == State::Delivered {
            return Err(Refusal::NoticeDelivered);
        }
        self.state = State::Delivered;
        self.evidence = evidence;
        self.failure_reason.clear();
        self.ended = Some(now);
        self.due = None;
        self.record = Some(record);
        Ok(())
    }

    /// Sends it again, to the address that is now known, by the first means it can go by;
    /// answers what became of it before. While it is tried at that very address, that goes
    /// on.
    pub fn send_again(
        &mut self,
        contact: &Contact,
        (delivery, routing): (&Delivery, &Routing),
        by: Requester,
        now: Timestamp,
    ) -> Result<Sending, Refusal> {
        self.check_for_people()?;
        if self.state == State::Pending && self.recipient == delivery.recipient(self.means, contact) {
            return Err(Refusal::NoticePending);
        }
        // A person asks for it: what a program wrote is acknowledged all the same.
        let contact = Contact { automatic: false, ..contact.clone() };
        let order = routing.means(self.kind, contact.channel);
        let way = delivery.way(self.kind, &order, &contact).map_err(Refusal::Obstacle)?;
        if self.sending >= MAX_SENDINGS {
            return Err(Refusal::TooManySendings);
        }
        Ok(self.go(way, by, now))
    }

    /// Goes on to the next means, where it could not be delivered by those before, of which
    /// `earlier` says what became; answers what became of it before. None where there is no
    /// other: it stays undelivered, with what each said.
    pub fn go_on(
        &mut self,
        earlier: &[Sending],
        contact: &Contact,
        (delivery, routing): (&Delivery, &Routing),
        now: Timestamp,
    ) -> Option<Sending> {
        let by_itself = earlier.iter().rev().take_while(|sending| sending.requester.is_empty());
        let mut tried: Vec<(Means, &str)> =
            by_itself.map(|sending| (sending.means, sending.failure_reason.as_str())).collect();
        tried.reverse();
        tried.push((self.means, self.failure_reason.as_str()));
        let is_left = |means: &Means| tried.iter().all(|(before, _)| before != means);
        let order: Vec<Means> =
            routing.means(self.kind, contact.channel).into_iter().filter(is_left).collect();
        let way = delivery.way(self.kind, &order, contact).ok().filter(|_| self.sending < MAX_SENDINGS);
        let Some(way) = way else {
            if tried.len() > 1 {
                self.failure_reason = said_by_each(&tried);
            }
            return None;
        };
        let by = Requester { requester: String::new(), reason: NEXT_MEANS.to_owned() };
        Some(self.go(way, by, now))
    }

    fn go(&mut self, way: Way, by: Requester, now: Timestamp) -> Sending {
        let Requester { requester, reason } = by;
        let before = Sending {
            notice: self.id,
            number: self.sending,
            means: std::mem::replace(&mut self.means, way.means),
            recipient: std::mem::replace(&mut self.recipient, way.recipient),
            state: std::mem::replace(&mut self.state, State::Pending),
            evidence: std::mem::take(&mut self.evidence),
            failure_reason: std::mem::take(&mut self.failure_reason),
            attempts: std::mem::take(&mut self.attempts),
            ended: self.ended.take(),
            requester,
            reason,
            resent: now,
        };
        self.record = None;
        self.sending += 1;
        self.due = Some(now);
        before
    }

    /// That people may see to it: they have no part in a survey.
    fn check_for_people(&self) -> Result<(), Refusal> {
        if self.kind == Kind::Survey { Err(Refusal::NoticeOfSurvey) } else { Ok(()) }
    }

    /// Lets it wait, where it waits at all, until a time.
    #[must_use]
    pub fn at(mut self, time: Timestamp) -> Self {
        self.due = self.due.map(|due| due.max(time));
        self
    }

    /// What an attempt leads to. `fraction`, from 0 to 1, spreads the next ones so
    /// that a server that comes back is not met by all of them at once. Answers
    /// when to try again; none once it is settled.
    pub fn tried(&mut self, answer: Answer, now: Timestamp, fraction: f64) -> Option<Timestamp> {
        let state = match answer {
            Answer::Later(_, wait) if self.attempts < MAX_ATTEMPTS => {
                // What the server asks for, and a part of our own, so that not all come at once.
                let asked = wait.unwrap_or_default().min(LONGEST_RETRY_AFTER);
                let pause = pause(self.attempts, fraction);
                let pause = if asked > pause { asked + pause.mul_f64(fraction) } else { pause };
                return Some(now.saturating_add(pause).unwrap_or(now));
            }
            Answer::Taken(evidence) => {
                self.evidence = abridged(&evidence);
                State::Delivered
            }
            Answer::Refused(reason) | Answer::Later(reason, _) => {
                self.failure_reason = abridged(&reason);
                State::Undelivered
            }
        };
        self.state = state;
        self.ended = Some(now);
        self.due = None;
        None
    }

    /// The evidence of its delivery, or why there is none.
    pub fn detail(&self) -> &str {
        if self.state == State::Delivered { &self.evidence } else { &self.failure_reason }
    }
}

/// What came of one attempt to deliver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The receiving server took it over; what it said.
    Taken(String),
    /// It will never be taken; what the server said.
    Refused(String),
    /// It was not taken now, for a reason that may pass; and how long the server asks to be
    /// left alone.
    Later(String, Option<Duration>),
}

/// Who has a notice sent again, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requester {
    /// Their subject.
    pub requester: String,
    /// Why.
    pub reason: String,
}

/// Which notices a list shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filter {
    /// All.
    All,
    /// Those of one case.
    Case(CaseId),
    /// Those in one state.
    State(State),
    /// Those that wait for a person.
    NeedsPerson,
}

/// Half of the pause is fixed, half is spread.
fn pause(attempts: i32, fraction: f64) -> Duration {
    let longest = kernel::time::doubled(FIRST_PAUSE, LONGEST_PAUSE, attempts.saturating_sub(1));
    longest.mul_f64(0.5 + fraction / 2.0)
}

/// What was said by each means, shared out fairly.
fn said_by_each(tried: &[(Means, &str)]) -> String {
    let most = MAX_DETAIL / tried.len().max(1) - 16;
    let said = |(means, reason): &(Means, &str)| {
        format!("{}: {}", means.name(), reason.chars().take(most).collect::<String>())
    };
    tried.iter().map(said).collect::<Vec<_>>().join("; ")
}

/// What is kept of a text: its first [`MAX_DETAIL`] characters.
pub(crate) fn abridged(text: &str) -> String {
    text.chars().filter(|c| *c != '\0').take(MAX_DETAIL).collect()
}

/// One correction: what was there before it.
#[derive(Clone, Debug)]
pub(crate) struct Correction {
    /// The version it made.
    pub(crate) version: i64,
    /// The address before.
    pub(crate) recipient: String,
    /// The telephone number before.
    pub(crate) phone: String,
    /// The name before.
    pub(crate) name: String,
    /// The language before.
    pub(crate) language: String,
    /// Who corrected it.
    pub(crate) actor: String,
    /// Why.
    pub(crate) reason: String,
    /// When.
    pub(crate) corrected: Timestamp,
}

#[cfg(test)]
mod tests;
