//! The complaint as received: what a submission is, and what becomes of one that
//! was submitted before.

use jiff::Timestamp;
use kernel::{CaseId, Lane, TenantId};
use uuid::Uuid;

use crate::refusal::Refusal;

/// A checked submission on its way in. Its content is opaque here: intake keeps
/// it word for word and decides nothing about it.
#[derive(Clone, Debug)]
pub(crate) struct NewComplaint {
    pub(crate) tenant: TenantId,
    /// Id it will bear if it is new.
    pub(crate) id: CaseId,
    pub(crate) request_id: String,
    pub(crate) request_hash: [u8; 32],
    /// Number of the contract's channel.
    pub(crate) channel: i16,
    pub(crate) external_ref: Option<String>,
    /// Hash of that number and of what was said; none without a number.
    pub(crate) content: Option<[u8; 32]>,
    pub(crate) customer_id: Option<String>,
    /// Hash of the receipt code.
    pub(crate) receipt_hash: [u8; 32],
    /// When it is registered.
    pub(crate) registered: Timestamp,
    /// When it counts as received: now, or as its submitter states.
    pub(crate) received: Timestamp,
    /// The event that tells of it, encoded: the complaint is in it.
    pub(crate) event: Vec<u8>,
    /// Trace the submission came in.
    pub(crate) traceparent: String,
    /// The lane of the feed that it is told of in.
    pub(crate) lane: Lane,
    /// The attachments it refers to, and their places among its evidence.
    pub(crate) attachments: Vec<(usize, Uuid)>,
}

/// What became of a submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Registered {
    pub(crate) id: CaseId,
    pub(crate) received: Timestamp,
    /// Where the feed tells of it.
    pub(crate) position: i64,
    /// In which lane.
    pub(crate) lane: Lane,
    /// Registered before under another key: the channel told it again.
    pub(crate) already: bool,
}

/// A complaint that stands where a submission wanted to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ExistingComplaint {
    pub(crate) id: CaseId,
    pub(crate) received: Timestamp,
    pub(crate) position: i64,
    pub(crate) lane: Lane,
    pub(crate) request_id: String,
    pub(crate) request_hash: Vec<u8>,
    pub(crate) channel: i16,
    /// The channel's number, where it is this complaint's alone.
    pub(crate) external_ref: Option<String>,
    /// Hash of the number and of what was said; none without a number.
    pub(crate) content: Option<[u8; 32]>,
}

/// What a submission is answered that did not become a complaint of its own.
/// `existing` are the complaints under its key, its channel's number or its content,
/// `used` is the hash of an earlier request under this key that was answered with
/// another key's complaint. None if nothing explains why it was not registered.
///
/// Only who says the same is answered with a complaint that exists: its receipt code
/// opens it.
pub(crate) fn settle(
    complaint: &NewComplaint,
    existing: &[ExistingComplaint],
    used: Option<&[u8]>,
) -> Option<Result<Registered, Refusal>> {
    if let Some(mine) = existing.iter().find(|one| one.request_id == complaint.request_id) {
        let same = mine.request_hash == complaint.request_hash;
        return Some(if same { Ok(mine.registered(false)) } else { Err(Refusal::KeyReused) });
    }
    if used.is_some_and(|hash| hash != complaint.request_hash) {
        return Some(Err(Refusal::KeyReused));
    }
    if let Some(same) = existing.iter().find(|one| one.says_the_same_as(complaint)) {
        return Some(Ok(same.registered(true)));
    }
    let taken = existing.iter().any(|one| one.has_the_number_of(complaint));
    taken.then_some(Err(Refusal::ExternalRefReused))
}

impl ExistingComplaint {
    fn says_the_same_as(&self, complaint: &NewComplaint) -> bool {
        self.channel == complaint.channel && self.content.is_some() && self.content == complaint.content
    }

    fn has_the_number_of(&self, complaint: &NewComplaint) -> bool {
        self.channel == complaint.channel
            && self.external_ref.is_some()
            && self.external_ref == complaint.external_ref
    }

    fn registered(&self, already: bool) -> Registered {
        Registered { id: self.id, received: self.received, position: self.position, lane: self.lane, already }
    }
}

/// Something added to a complaint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Addition {
    /// Place among the complaint's additions, from 1 without gaps.
    pub(crate) ordinal: i32,
    /// Number of the contract's source.
    pub(crate) source: i16,
    /// Who wrote it down.
    pub(crate) author: String,
    /// When.
    pub(crate) added: Timestamp,
    /// In their words.
    pub(crate) text: String,
    /// What was filled into the form; none when nothing was.
    pub(crate) form_data: Option<String>,
    /// Further proof, encoded.
    pub(crate) evidence: Vec<u8>,
}

/// Which complaints a list shows.
#[derive(Clone, Debug)]
pub(crate) enum Filter {
    /// Every one.
    All,
    /// Those of a channel.
    Channel(i16),
    /// Those of a customer.
    Customer(String),
}

/// A complaint that stands where a submission wanted to go, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeptComplaint {
    /// Its id.
    pub(crate) complaint_id: Uuid,
    /// Its position in the feed.
    pub(crate) position: i64,
    /// The lane it travelled in, as stored.
    pub(crate) lane: i16,
    /// The key it was submitted under.
    pub(crate) request_id: String,
    /// Hash of that request.
    pub(crate) request_hash: Vec<u8>,
    /// Number of the contract's channel.
    pub(crate) channel: i16,
    /// The channel's own number.
    pub(crate) external_ref: Option<String>,
    /// Its registration, encoded.
    pub(crate) event: Vec<u8>,
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn new_complaint(request_id: &str, hash: u8, external_ref: Option<&str>) -> NewComplaint {
        NewComplaint {
            tenant: TenantId::development(),
            id: CaseId(Uuid::from_u128(9)),
            request_id: request_id.to_owned(),
            request_hash: [hash; 32],
            channel: 4,
            external_ref: external_ref.map(str::to_owned),
            content: external_ref.map(|_| [7; 32]),
            customer_id: None,
            receipt_hash: [hash; 32],
            registered: Timestamp::UNIX_EPOCH,
            received: Timestamp::UNIX_EPOCH,
            event: Vec::new(),
            traceparent: String::new(),
            lane: Lane::Live,
            attachments: Vec::new(),
        }
    }

    fn existing(id: u128, request_id: &str, hash: u8, external_ref: Option<&str>) -> ExistingComplaint {
        ExistingComplaint {
            id: CaseId(Uuid::from_u128(id)),
            received: Timestamp::UNIX_EPOCH,
            position: 7,
            lane: Lane::Live,
            request_id: request_id.to_owned(),
            request_hash: vec![hash; 32],
            channel: 4,
            external_ref: external_ref.map(str::to_owned),
            content: external_ref.map(|_| [7; 32]),
        }
    }

    fn id(outcome: Option<Result<Registered, Refusal>>) -> Option<(u128, bool)> {
        outcome.and_then(Result::ok).map(|registered| (registered.id.0.as_u128(), registered.already))
    }

    #[test]
    fn the_same_request_is_the_same_complaint() {
        let existing = [existing(1, "r1", 1, None)];
        assert_eq!(id(settle(&new_complaint("r1", 1, None), &existing, None)), Some((1, false)));
        assert_eq!(settle(&new_complaint("r1", 2, None), &existing, None), Some(Err(Refusal::KeyReused)));
    }

    #[test]
    fn the_same_channel_number_is_the_same_complaint() {
        let existing = [existing(1, "r1", 1, Some("e1"))];
        assert_eq!(id(settle(&new_complaint("r2", 2, Some("e1")), &existing, None)), Some((1, true)));
        assert_eq!(
            id(settle(&new_complaint("r2", 2, Some("e1")), &existing, Some(&[2; 32]))),
            Some((1, true))
        );
        assert_eq!(
            settle(&new_complaint("r2", 3, Some("e2")), &existing, Some(&[2; 32])),
            Some(Err(Refusal::KeyReused)),
            "a key answered once stands for its request"
        );
    }

    #[test]
    fn the_same_number_with_another_content_is_refused() {
        let other = NewComplaint { content: Some([8; 32]), ..new_complaint("r2", 2, Some("e1")) };
        let reused = Some(Err(Refusal::ExternalRefReused));
        assert_eq!(settle(&other, &[existing(1, "r1", 1, Some("e1"))], None), reused);
        let elsewhere = ExistingComplaint { channel: 5, ..existing(1, "r1", 1, Some("e1")) };
        assert_eq!(settle(&other, &[elsewhere], None), None, "another channel's number");
        // Where numbers repeat, the one that says the same is found among others.
        let repeating = |id, content| ExistingComplaint {
            external_ref: None,
            content: Some([content; 32]),
            ..existing(id, "r", 1, None)
        };
        assert_eq!(id(settle(&other, &[repeating(1, 7), repeating(2, 8)], None)), Some((2, true)));
        // Nothing is compared that has no number.
        let bare = NewComplaint { content: None, ..new_complaint("r2", 2, None) };
        assert_eq!(settle(&bare, &[existing(1, "r1", 1, None)], None), None);
    }

    #[test]
    fn its_own_key_rules_over_the_channel_number() {
        let both = [existing(1, "r1", 1, Some("e1")), existing(2, "r2", 2, None)];
        assert_eq!(id(settle(&new_complaint("r2", 2, Some("e1")), &both, None)), Some((2, false)));
    }

    #[test]
    fn what_nothing_explains_is_not_explained_away() {
        assert_eq!(settle(&new_complaint("r1", 1, None), &[], None), None);
        assert_eq!(settle(&new_complaint("r1", 1, None), &[existing(2, "r2", 2, None)], None), None);
    }
}
