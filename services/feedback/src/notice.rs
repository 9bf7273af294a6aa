//! What a complainant is owed in writing, and what became of it.
//!
//! ```text
//! PENDING ─ a transport took it over ─▶ DELIVERED, with its evidence
//!    │
//!    └─ no address, no transport, refused, given up ─▶ UNDELIVERED, with the reason
//! ```

use std::time::Duration;

use jiff::Timestamp;
use kernel::{CaseId, NoticeId};

use crate::letter::Letter;
use crate::response::Ruling;

/// Why a notice is not delivered: no address that mail can be sent to.
pub const NO_ADDRESS: &str = "NO_ADDRESS";
/// Why a notice is not delivered: nothing to send it with is configured.
pub const NO_TRANSPORT: &str = "NO_TRANSPORT";

/// How often delivery is tried: for about two days.
pub const MAX_ATTEMPTS: i32 = 56;
/// Longest pause after the first attempt; doubles with each.
const FIRST_PAUSE: Duration = Duration::from_secs(15);
/// Longest pause between attempts.
const LONGEST_PAUSE: Duration = Duration::from_hours(1);
/// Most characters kept of what a server says.
const MAX_DETAIL: usize = 500;

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

/// How notices leave this house.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Road {
    /// By e-mail.
    Mail,
    /// Not at all: no transport is configured.
    None,
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
}

/// What a notice has to say, and why now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owed {
    /// The case it is about.
    pub case_id: CaseId,
    /// The cycle it belongs to.
    pub cycle: i32,
    /// What it has to say.
    pub word: Word,
    /// Trace context of what made it owed.
    pub traceparent: String,
}

/// What a notice has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// We have your complaint.
    Acknowledgement,
    /// This is what we decided.
    Outcome(Ruling),
    /// This is where else to turn.
    Recourse,
    /// It takes longer.
    Extension(Delay),
    /// There is no answer yet.
    Holding(Holding),
}

/// A holding reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holding {
    /// Which of the case: its place in the timeline.
    pub number: i32,
    /// What the handler has to say.
    pub text: String,
    /// Why it takes longer.
    pub reason: String,
    /// When the complainant hears again; none where that was not promised.
    pub next: Option<Timestamp>,
    /// By when the answer is promised; none while nobody can say.
    pub due: Option<Timestamp>,
}

/// More time was granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delay {
    /// Which extension of the case, from 1.
    pub number: i32,
    /// By when the answer is promised now; none while nobody can say.
    pub due: Option<Timestamp>,
    /// Why, in words for the complainant.
    pub reason: String,
}

impl Word {
    /// What a notice that says this is for.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Acknowledgement => Kind::Acknowledgement,
            Self::Outcome(_) => Kind::Outcome,
            Self::Recourse => Kind::Recourse,
            Self::Extension(_) => Kind::Extension,
            Self::Holding(_) => Kind::Holding,
        }
    }

    /// Which of several of its kind in a cycle.
    pub fn number(&self) -> i32 {
        match self {
            Self::Extension(delay) => delay.number,
            Self::Holding(holding) => holding.number,
            Self::Acknowledgement | Self::Outcome(_) | Self::Recourse => 0,
        }
    }
}

impl Notice {
    /// A new notice to a contact. Where there is no address or no road it is
    /// undelivered from the start, and says why.
    pub fn new(id: NoticeId, owed: Owed, contact: &Contact, road: Road, now: Timestamp) -> Self {
        let failure_reason = match road {
            _ if contact.recipient.is_empty() => NO_ADDRESS,
            Road::None => NO_TRANSPORT,
            Road::Mail => "",
        };
        let pending = failure_reason.is_empty();
        Self {
            id,
            case_id: owed.case_id,
            cycle: owed.cycle,
            kind: owed.word.kind(),
            number: owed.word.number(),
            state: if pending { State::Pending } else { State::Undelivered },
            recipient: contact.recipient.clone(),
            letter: Letter::new(&owed.word, contact),
            evidence: String::new(),
            failure_reason: failure_reason.to_owned(),
            attempts: 0,
            traceparent: owed.traceparent,
            created: now,
            ended: (!pending).then_some(now),
        }
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

/// Which notices a list shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filter {
    /// All.
    All,
    /// Those of one case.
    Case(CaseId),
    /// Those in one state.
    State(State),
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn contact(recipient: &str) -> Contact {
        Contact {
            case_id: CaseId(Uuid::nil()),
            recipient: recipient.to_owned(),
            name: String::new(),
            language: "en".to_owned(),
            subject: "late parcel".to_owned(),
            traceparent: String::new(),
        }
    }

    fn owed(recipient: &str, road: Road) -> Notice {
        let case_id = CaseId(Uuid::nil());
        let owed = Owed { case_id, cycle: 1, word: Word::Acknowledgement, traceparent: String::new() };
        Notice::new(NoticeId(Uuid::nil()), owed, &contact(recipient), road, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn what_cannot_leave_says_why_at_once() {
        for (recipient, road, reason) in [
            ("a@b.example", Road::None, NO_TRANSPORT),
            ("", Road::Mail, NO_ADDRESS),
            ("", Road::None, NO_ADDRESS),
        ] {
            let notice = owed(recipient, road);
            assert_eq!((notice.state, notice.failure_reason.as_str()), (State::Undelivered, reason));
            assert_eq!(notice.ended, Some(Timestamp::UNIX_EPOCH));
        }
        let notice = owed("a@b.example", Road::Mail);
        assert_eq!((notice.state, notice.ended, notice.detail()), (State::Pending, None, ""));
    }

    #[test]
    fn an_answer_settles_it() {
        let mut taken = owed("a@b.example", Road::Mail);
        assert_eq!(taken.tried(Answer::Taken("250 ok".into()), Timestamp::UNIX_EPOCH, 0.0), None);
        assert_eq!((taken.state, taken.detail()), (State::Delivered, "250 ok"));
        let mut refused = owed("a@b.example", Road::Mail);
        assert_eq!(refused.tried(Answer::Refused("550 no".into()), Timestamp::UNIX_EPOCH, 0.0), None);
        assert_eq!((refused.state, refused.detail()), (State::Undelivered, "550 no"));
        assert_eq!(refused.ended, Some(Timestamp::UNIX_EPOCH));
    }

    #[test]
    fn attempts_end() {
        let mut notice = owed("a@b.example", Road::Mail);
        let mut now = Timestamp::UNIX_EPOCH;
        loop {
            notice.attempts += 1;
            match notice.tried(Answer::Later("451 greylisted".into()), now, 1.0) {
                Some(again) => now = again,
                None => break,
            }
        }
        assert_eq!((notice.attempts, notice.state), (MAX_ATTEMPTS, State::Undelivered));
        assert_eq!(notice.detail(), "451 greylisted");
        let hours = (now - Timestamp::UNIX_EPOCH).get_seconds() / 3600;
        assert!((44..=52).contains(&hours), "given up after {hours} hours");
    }

    proptest! {
        #[test]
        fn pauses_grow_up_to_the_longest(attempts in 1..200_i32, fraction in 0.0..1.0_f64) {
            let this = pause(attempts, fraction);
            prop_assert!(this >= FIRST_PAUSE / 2 && this <= LONGEST_PAUSE);
            prop_assert!(pause(attempts + 1, fraction) >= this);
        }

        #[test]
        fn what_servers_say_is_bounded(text in "\\PC{0,600}") {
            prop_assert!(abridged(&text).chars().count() <= MAX_DETAIL);
        }
    }
}
