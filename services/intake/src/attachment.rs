//! Attachments: files that complaints refer to as evidence, what is accepted of them,
//! and how their contents arrive.

pub(crate) mod content;
pub(crate) mod settings;
pub(crate) mod token;
mod upload;

pub(crate) use content::media_type_of;
pub(crate) use settings::Settings;
pub(crate) use upload::{CHUNK, Upload, Wrong};

use jiff::Timestamp;
use kernel::CaseId;
use uuid::Uuid;

use crate::refusal::Refusal;

kernel::numbered! {
    /// How far an attachment is. The first four are the contract's.
    State {
        /// Its content is being received.
        Receiving = 1,
        /// It is whole; the scanner has not answered yet.
        Scanning = 2,
        /// It can be fetched.
        Ready = 3,
        /// It was refused.
        Refused = 4,
        /// It was deleted; its content may still have to be removed.
        Deleted = 5,
    }
}

kernel::numbered! {
    /// Why an attachment was refused; numbers of the contract.
    Reason {
        /// The SHA-256 is not the one declared.
        Sha256Mismatch = 1,
        /// The content is of another type than was declared.
        MediaTypeMismatch = 2,
        /// The content is of a type that is not accepted.
        MediaTypeForbidden = 3,
        /// The scanner found something.
        Malware = 4,
    }
}

kernel::numbered! {
    /// Where the content of an attachment lies.
    Store {
        /// In rows of the database.
        Postgres = 1,
        /// In objects of a bucket.
        S3 = 2,
    }
}

/// An attachment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Attachment {
    /// Its identity.
    pub(crate) id: Uuid,
    /// Name of the file.
    pub(crate) file_name: String,
    /// Its type: as declared, later as found.
    pub(crate) media_type: String,
    /// How long it is.
    pub(crate) size: i64,
    /// How much of it is kept.
    pub(crate) received: i64,
    /// What its SHA-256 is to be.
    pub(crate) declared_sha256: Option<Vec<u8>>,
    /// What it is, once it is whole.
    pub(crate) sha256: Option<Vec<u8>>,
    /// How far it is.
    pub(crate) state: State,
    /// Why it was refused.
    pub(crate) reason: Option<Reason>,
    /// The scanner's name for what it found.
    pub(crate) signature: String,
    /// Where its content lies.
    pub(crate) store: Store,
    /// Whose it is.
    pub(crate) complaint: Option<CaseId>,
    /// Who created it.
    pub(crate) creator: String,
    /// When.
    pub(crate) created: Timestamp,
}

impl Attachment {
    /// Whether all of its content is here, and it is still to be looked at.
    pub(crate) fn is_to_be_finished(&self) -> bool {
        self.state == State::Receiving && self.received == self.size
    }

    /// Whether the chunk that begins at an offset is the next to be kept.
    pub(crate) fn awaits(&self, offset: i64) -> bool {
        self.state == State::Receiving && self.received == offset
    }

    /// The refusal of who uploads it, if it was refused.
    pub(crate) fn refusal(&self) -> Option<Refusal> {
        self.reason.filter(|_| self.state == State::Refused).map(|reason| match reason {
            Reason::Sha256Mismatch => Refusal::Sha256Mismatch,
            Reason::MediaTypeMismatch => Refusal::MediaTypeMismatch,
            Reason::MediaTypeForbidden => Refusal::MediaTypeForbidden,
            Reason::Malware => Refusal::MalwareFound,
        })
    }

    /// Refuses who wants to fetch it while nobody can.
    pub(crate) fn fetched(&self) -> Result<(), Refusal> {
        match self.state {
            State::Ready => Ok(()),
            State::Receiving | State::Scanning => Err(Refusal::AttachmentNotReady),
            State::Refused | State::Deleted => Err(Refusal::AttachmentRefused),
        }
    }

    /// Why a complaint cannot refer to it; none if it can. One that is scanned may be
    /// referred to: complaints do not wait for a scanner.
    pub(crate) fn unfit(&self, owner: Owner) -> Option<&'static str> {
        match self.state {
            State::Receiving => return Some("has not been uploaded whole"),
            State::Refused | State::Deleted => return Some("was refused"),
            State::Scanning | State::Ready => {}
        }
        let is_others = match owner {
            Owner::New => self.complaint.is_some(),
            Owner::Known(id) => self.complaint.is_some_and(|owner| owner != id),
            Owner::Unclear => false,
        };
        is_others.then_some(IS_ANOTHERS)
    }

    /// The part of a range that it has: the first byte and the one after the last. None
    /// where the range begins after its end. A length of 0 takes all that follows.
    pub(crate) fn range(&self, offset: i64, length: i64) -> Option<(i64, i64)> {
        let end = if length == 0 { self.size } else { offset.saturating_add(length).min(self.size) };
        (offset <= self.size).then_some((offset, end))
    }
}

/// What is wrong with an attachment of another complaint.
pub(crate) const IS_ANOTHERS: &str = "belongs to another complaint";
/// What is wrong with an attachment there is not.
pub(crate) const IS_UNKNOWN: &str = "is no attachment here";

/// Who refers to an attachment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// A complaint that is about to be registered.
    New,
    /// A complaint that is registered.
    Known(CaseId),
    /// A submission that may turn out to be a complaint told again.
    Unclear,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attachment(state: State) -> Attachment {
        Attachment {
            id: Uuid::nil(),
            file_name: "cup.jpg".to_owned(),
            media_type: "image/jpeg".to_owned(),
            size: 10,
            received: 10,
            declared_sha256: None,
            sha256: None,
            state,
            reason: None,
            signature: String::new(),
            store: Store::Postgres,
            complaint: None,
            creator: String::new(),
            created: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn only_what_is_whole_and_nobody_elses_is_referred_to() {
        let (mine, other) = (CaseId(Uuid::from_u128(1)), CaseId(Uuid::from_u128(2)));
        for state in [State::Receiving, State::Refused, State::Deleted] {
            assert!(attachment(state).unfit(Owner::Unclear).is_some(), "{state:?}");
        }
        for state in [State::Scanning, State::Ready] {
            assert_eq!(attachment(state).unfit(Owner::New), None);
            let taken = Attachment { complaint: Some(mine), ..attachment(state) };
            assert_eq!(taken.unfit(Owner::New), Some(IS_ANOTHERS));
            assert_eq!(taken.unfit(Owner::Known(mine)), None);
            assert_eq!(taken.unfit(Owner::Known(other)), Some(IS_ANOTHERS));
            assert_eq!(taken.unfit(Owner::Unclear), None);
        }
    }

    #[test]
    fn only_what_is_ready_is_fetched() {
        let told = |state| attachment(state).fetched();
        assert_eq!(told(State::Ready), Ok(()));
        assert_eq!(told(State::Receiving), Err(Refusal::AttachmentNotReady));
        assert_eq!(told(State::Scanning), Err(Refusal::AttachmentNotReady));
        assert_eq!(told(State::Refused), Err(Refusal::AttachmentRefused));
    }

    #[test]
    fn a_range_is_cut_to_what_there_is() {
        let all = attachment(State::Ready);
        for ((offset, length), expected) in [
            ((0, 0), Some((0, 10))),
            ((3, 4), Some((3, 7))),
            ((3, 100), Some((3, 10))),
            ((3, i64::MAX), Some((3, 10))),
            ((10, 1), Some((10, 10))),
            ((11, 0), None),
        ] {
            assert_eq!(all.range(offset, length), expected, "{offset} {length}");
        }
    }
}
