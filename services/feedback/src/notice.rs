//! What a complainant is owed in writing, and what became of it.
//!
//! ```text
//! PENDING ─ a transport took it over ──────────────────────────▶ DELIVERED, with its evidence
//!    │  ▲                                                            ▲          │
//!    │  └──────────────── sent again ◀──────────────────────────────-│──────────┤
//!    │                                         told by other means ──┤          │
//!    └─ no address, no transport, refused, given up ─▶ UNDELIVERED, with the reason
//! ```

mod word;

use std::time::Duration;

use jiff::Timestamp;
use kernel::{CaseId, NoticeId};

use crate::address::{OwnAddresses, is_program};
use crate::letter::{Letter, Letters};
use crate::refusal::Refusal;
pub use word::{Delay, Holding, Lacking, Owed, Word};

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

/// Why a survey is not sent any more: it was answered or cancelled.
pub const SURVEY_ENDED: &str = "SURVEY_ENDED";

kernel::numbered! {
    /// What a notice is for.
    Kind {
        /// We have it, this is how to follow it.
        Acknowledgement = 1,
        /// This is the outcome; is it accepted, how satisfied are you?
        Outcome = 2,
        /// This is where else to turn.
        Recourse = 3,
        /// It takes longer: until when, and why.
        Extension = 4,
        /// There is no answer yet: why, and when there is news.
        Holding = 5,
        /// How did you find it?
        Survey = 6,
        /// Goods are lacking: when the remedy goes on.
        Shortage = 7,
    }
}

kernel::numbered! {
    /// Where a notice stands.
    State {
        /// Owed; delivery is being tried.
        Pending = 1,
        /// Taken over by a transport. Final.
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
        /// By a message of another kind.
        Message = 5,
    }
}

/// How notices leave this house.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// By e-mail, from these addresses of ours.
    Mail(OwnAddresses),
    /// Not at all: no transport is configured.
    None,
}

/// Why a notice is not even tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// Nobody is known who could be told.
    Anonymous,
    /// Somebody is known, but no address that mail can be sent to.
    NoAddress,
    /// The address is the organisation's own.
    OwnAddress,
    /// Only programs write from the address.
    AutomaticSender,
    /// A program wrote the complaint: it is not acknowledged.
    AutomaticMessage,
    /// Nothing to send it with is configured.
    NoTransport,
    /// The tenant's template could not write it.
    TemplateStopped,
}

impl Obstacle {
    /// As the contract names it.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Anonymous => "ANONYMOUS",
            Self::NoAddress => "NO_ADDRESS",
            Self::OwnAddress => "OWN_ADDRESS",
            Self::AutomaticSender => "AUTOMATIC_SENDER",
            Self::AutomaticMessage => "AUTOMATIC_MESSAGE",
            Self::NoTransport => "NO_TRANSPORT",
            Self::TemplateStopped => "TEMPLATE_STOPPED",
        }
    }
}

impl Delivery {
    /// What keeps a notice from being sent to a contact.
    pub fn obstacle(&self, kind: Kind, contact: &Contact) -> Option<Obstacle> {
        let is_own = |address: &str| matches!(self, Self::Mail(own) if own.has(address));
        match contact.recipient.as_str() {
            "" if contact.anonymous => Some(Obstacle::Anonymous),
            "" => Some(Obstacle::NoAddress),
            address if is_own(address) => Some(Obstacle::OwnAddress),
            address if is_program(address) => Some(Obstacle::AutomaticSender),
            _ if contact.automatic && kind == Kind::Acknowledgement => Some(Obstacle::AutomaticMessage),
            _ if *self == Self::None => Some(Obstacle::NoTransport),
            _ => None,
        }
    }
}

/// Whom the notices of a case go to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// The case.
    pub case_id: CaseId,
    /// E-mail address; empty when none is known.
    pub recipient: String,
    /// Name that belongs to it; empty when unknown.
    pub name: String,
    /// BCP 47 tag of the language to write in.
    pub language: String,
    /// The complaint in one line.
    pub subject: String,
    /// Trace context of the complaint.
    pub traceparent: String,
    /// Nobody is known who could be told.
    pub anonymous: bool,
    /// A program wrote the complaint, the channel says.
    pub automatic: bool,
    /// Counts the corrections, from 1.
    pub version: i64,
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
    /// Address it goes to; empty when none is known.
    pub recipient: String,
    /// Its text.
    pub letter: Letter,
    /// What the receiving server answered; empty unless delivered.
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
    /// Who had it sent again.
    pub requester: String,
    /// Why.
    pub reason: String,
    /// When.
    pub resent: Timestamp,
}

impl Notice {
    /// A new notice to a contact. Where something keeps it from being sent it is
    /// undelivered from the start, and says why.
    pub fn new(
        id: NoticeId,
        owed: Owed,
        contact: &Contact,
        (delivery, letters): (&Delivery, &Letters),
        now: Timestamp,
    ) -> Self {
        let kind = owed.word.kind();
        let (letter, stopped) = letters.write(&owed.word, contact, &owed.zone);
        let obstacle = delivery.obstacle(kind, contact).or(stopped);
        Self {
            id,
            case_id: owed.case_id,
            cycle: owed.cycle,
            kind,
            number: owed.word.number(),
            state: if obstacle.is_some() { State::Undelivered } else { State::Pending },
            recipient: contact.recipient.clone(),
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

    /// Sends it again, to the address that is now known; answers what became of it
    /// before. While it is tried at that very address, that goes on.
    pub fn send_again(
        &mut self,
        contact: &Contact,
        delivery: &Delivery,
        by: Requester,
        now: Timestamp,
    ) -> Result<Sending, Refusal> {
        self.check_for_people()?;
        if self.state == State::Pending && self.recipient == contact.recipient {
            return Err(Refusal::NoticePending);
        }
        // A person asks for it: what a program wrote is acknowledged all the same.
        let contact = Contact { automatic: false, ..contact.clone() };
        if let Some(obstacle) = delivery.obstacle(self.kind, &contact) {
            return Err(Refusal::Obstacle(obstacle));
        }
        if self.sending >= MAX_SENDINGS {
            return Err(Refusal::TooManySendings);
        }
        let Requester { requester, reason } = by;
        let before = Sending {
            notice: self.id,
            number: self.sending,
            recipient: std::mem::replace(&mut self.recipient, contact.recipient),
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
        Ok(before)
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
            Answer::Later(_) if self.attempts < MAX_ATTEMPTS => {
                return Some(now.saturating_add(pause(self.attempts, fraction)).unwrap_or(now));
            }
            Answer::Taken(evidence) => {
                self.evidence = abridged(&evidence);
                State::Delivered
            }
            Answer::Refused(reason) | Answer::Later(reason) => {
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
    /// It was not taken now, for a reason that may pass.
    Later(String),
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
    let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(0).min(16);
    let longest = FIRST_PAUSE.saturating_mul(1 << doublings).min(LONGEST_PAUSE);
    longest.mul_f64(0.5 + fraction / 2.0)
}

fn abridged(text: &str) -> String {
    text.chars().filter(|c| *c != '\0').take(MAX_DETAIL).collect()
}

/// One correction: what was there before it.
#[derive(Clone, Debug)]
pub(crate) struct Correction {
    /// The version it made.
    pub(crate) version: i64,
    /// The address before.
    pub(crate) recipient: String,
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
