//! What mail servers report about the mails of notices after they took them over, and what
//! a notice makes of it.
//!
//! ```text
//! a mail of the sending now        DELIVERED ─ failed ─▶ UNDELIVERED, and a delivery is taken back
//!                                  PENDING ─ failed ─▶ UNDELIVERED
//!                                  DELIVERED ─ delivered ─▶ DELIVERED, with more evidence
//! a mail of an earlier sending     what became of it is put right; the notice is not moved
//! all else                         noted
//! ```
//!
//! What failed stays failed: no report about the same mail delivers it again.

mod notification;
mod return_path;

use jiff::Timestamp;
use kernel::NoticeId;

use crate::notice::{Answer, Notice, Sending, State, abridged};
use crate::refusal::Refusal;
pub use notification::{MAX_MESSAGE, Notification, RecipientReport};
pub use return_path::{Reading, ReturnPath};

/// Most characters kept of the name of a server that reports.
pub const MAX_SERVER: usize = 200;

kernel::numbered! {
    /// What a mail server reports about a mail it took over.
    Action {
        /// It could not be delivered, and is not tried any more.
        Failed = 1,
        /// It could not be delivered so far.
        Delayed = 2,
        /// It was delivered to the mailbox.
        Delivered = 3,
        /// It was handed to a server that reports nothing.
        Relayed = 4,
        /// It was delivered to a list, and sent on from there.
        Expanded = 5,
    }
}

/// A mail of a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The notice.
    pub notice: NoticeId,
    /// Which of its sendings, from 1.
    pub sending: i32,
}

/// What was reported about a mail of a notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The mail.
    pub sent: Sent,
    /// What is reported.
    pub action: Action,
    /// Its status code, as `5.1.1`.
    pub status: String,
    /// What the server says of it; may be empty.
    pub diagnostic: String,
    /// The server that reports it; may be empty.
    pub server: String,
    /// When it was taken in.
    pub reported: Timestamp,
}

impl Report {
    /// In one line: the status, and what the server says.
    pub fn said(&self) -> String {
        let Self { status, diagnostic, .. } = self;
        abridged(format!("{status} {diagnostic}").trim_end())
    }
}

/// What a report makes of its notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing: it is kept.
    Noted,
    /// There is more evidence of the delivery.
    Confirmed,
    /// The notice is undelivered now.
    Failed {
        /// Its delivery was told, and is taken back.
        taken_back: bool,
    },
    /// What became of an earlier sending is put right.
    Corrected {
        /// The sending as it is now.
        sending: Sending,
        /// Its delivery was told, and is taken back.
        taken_back: bool,
    },
}

/// The mail that a notification is about: one whose return address we have signed, and that
/// is the one returned.
pub fn sent(path: &ReturnPath, recipient: &str, told: &Notification) -> Result<Sent, Refusal> {
    let named = [recipient].into_iter().filter(|recipient| !recipient.is_empty());
    let addresses = named.chain(told.addresses.iter().map(String::as_str));
    let mut forged = false;
    for address in addresses {
        match path.read(address) {
            Reading::Ours(sent) => {
                let other = told.message_id.as_deref().is_some_and(|id| id != sent.message_id());
                return if other { Err(Refusal::BounceForged) } else { Ok(sent) };
            }
            Reading::Forged => forged = true,
            Reading::Other => {}
        }
    }
    Err(if forged { Refusal::BounceForged } else { Refusal::BounceUnknown })
}

impl Sent {
    /// The mail of a notice as it is sent now.
    pub fn of(notice: &Notice) -> Self {
        Self { notice: notice.id, sending: notice.sending }
    }

    /// The Message-ID of the mail, without brackets.
    pub fn message_id(self) -> String {
        format!("{}@redress", self.sending_id())
    }

    /// The same at every attempt, so that a receiver can tell a second copy; another each
    /// time it is sent again.
    pub fn sending_id(self) -> String {
        match self.sending {
            1 => self.notice.to_string(),
            sending => format!("{}.{sending}", self.notice),
        }
    }
}

impl Notice {
    /// Takes in what was reported about one of its mails; `failed` where a failure of that
    /// mail is on record already, `earlier` are the sendings before the one now.
    pub fn take_report(
        &mut self,
        report: &Report,
        failed: bool,
        earlier: &[Sending],
        now: Timestamp,
    ) -> Effect {
        if failed {
            return Effect::Noted;
        }
        let is_now = report.sent.sending == self.sending && self.record.is_none();
        match (report.action, self.state) {
            (Action::Failed, State::Delivered) if is_now => {
                self.state = State::Undelivered;
                self.failure_reason = report.said();
                self.ended = Some(now);
                Effect::Failed { taken_back: true }
            }
            (Action::Failed, State::Pending) if is_now => {
                self.tried(Answer::Refused(report.said()), now, 0.0);
                Effect::Failed { taken_back: false }
            }
            (Action::Delivered, State::Delivered) if is_now => {
                self.evidence = abridged(&format!("{}; delivered: {}", self.evidence, report.said()));
                Effect::Confirmed
            }
            (Action::Failed, _) => {
                let sending = earlier.iter().find(|sending| sending.number == report.sent.sending);
                sending.filter(|sending| sending.state != State::Undelivered).map_or(
                    Effect::Noted,
                    |sending| {
                        let taken_back = sending.state == State::Delivered;
                        let (state, failure_reason) = (State::Undelivered, report.said());
                        Effect::Corrected {
                            sending: Sending { state, failure_reason, ..sending.clone() },
                            taken_back,
                        }
                    },
                )
            }
            _ => Effect::Noted,
        }
    }
}

#[cfg(test)]
mod tests;
