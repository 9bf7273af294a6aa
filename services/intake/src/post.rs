//! A post that was delivered: what it is known by, and what becomes of it. Pure.

use jiff::{SignedDuration, Timestamp};
use kernel::CaseId;
use posts::{Content, normalized_uri};
use sameness::Sketch;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// Most remarks that are kept.
const MAX_REMARKS: usize = 50;
/// Longest remark.
const MAX_REMARK: usize = 300;
/// How long texts are compared with those of others.
pub(crate) const NEAR_WINDOW: SignedDuration = SignedDuration::from_hours(48);
/// From which likeness on two texts are nearly the same: of ten pieces, nine are.
pub(crate) const NEAR_FROM: f64 = 0.9;
/// Letters of a text from which on it is told from others by what it says; a syllable counts
/// as three. `快递太慢了` many people say, each of their own parcel.
const ENOUGH_LETTERS: usize = 60;
/// Letters that a syllable counts for.
const SYLLABLE: usize = 3;

kernel::numbered! {
    /// What became of a post; numbers of the contract.
    State {
        /// It is about to be looked at.
        Waiting = 1,
        /// It became a complaint.
        Registered = 2,
        /// It tells of a known matter.
        Mention = 3,
        /// It was added to a case.
        Added = 4,
        /// It became nothing.
        SetAside = 5,
    }
}

kernel::numbered! {
    /// Why a post was set aside; numbers of the contract.
    SetAside {
        /// No rule takes it.
        NoRule = 1,
        /// Its author posts too much.
        AuthorRate = 2,
        /// Its body cannot be read.
        Unreadable = 3,
        /// There is no text in it.
        Unmapped = 4,
        /// What it says was refused.
        Refused = 5,
    }
}

kernel::numbered! {
    /// What a post is known by.
    KeyKind {
        /// The network's number.
        Number = 1,
        /// The address.
        Address = 2,
    }
}

/// A post, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Post {
    /// Its identity.
    pub(crate) id: Uuid,
    /// The source.
    pub(crate) source: String,
    /// The mapping it was read by; 0 where none could.
    pub(crate) mapping: i64,
    /// The post as it came; empty where it cannot be read.
    pub(crate) item: String,
    /// What is read of it.
    pub(crate) content: Content,
    /// When it came.
    pub(crate) received: Timestamp,
    /// What became of it.
    pub(crate) state: State,
    /// Why it was set aside.
    pub(crate) set_aside: Option<SetAside>,
    /// The complaint it became, was added to, or is to be added to.
    pub(crate) complaint: Option<CaseId>,
    /// The matter it tells of.
    pub(crate) matter: Option<Uuid>,
    /// The rule that took it.
    pub(crate) rule: String,
    /// What had to be left out.
    pub(crate) remarks: Vec<String>,
    /// Whether somebody says that it is to be registered.
    pub(crate) by_hand: bool,
    /// Who does.
    pub(crate) registrar: String,
    /// How often it could not be looked at.
    pub(crate) attempts: i32,
}

/// What posts tell of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Matter {
    /// Its identity.
    pub(crate) id: Uuid,
    /// The post that becomes the complaint.
    pub(crate) head: Uuid,
    /// The account of that post.
    pub(crate) account: String,
    /// The complaint, once there is one.
    pub(crate) complaint: Option<CaseId>,
    /// Whether its post was refused: the next one becomes the complaint.
    pub(crate) abandoned: bool,
    /// How far it has spread.
    pub(crate) spread: Spread,
    /// The greatest threshold of mentions that was told.
    pub(crate) told_mentions: i64,
    /// That of reach.
    pub(crate) told_reach: i64,
}

/// How far a matter has spread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Spread {
    /// Posts that tell of it.
    pub(crate) mentions: i64,
    /// Accounts that posted them.
    pub(crate) accounts: i64,
    /// How often one of them was delivered.
    pub(crate) reports: i64,
    /// Most that one may have been seen by.
    pub(crate) max_reach: i64,
    /// The most of each account, together.
    pub(crate) total_reach: i64,
    /// When the first came.
    pub(crate) first: Timestamp,
    /// When the last came.
    pub(crate) last: Timestamp,
}

/// Something a post is known by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    /// What it is.
    pub(crate) kind: KeyKind,
    /// Hash of it.
    pub(crate) hash: [u8; 32],
    /// Whether it is this post's, and not that of the one it repeats.
    pub(crate) is_own: bool,
}

/// Which posts a list shows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    /// Those of a source.
    pub(crate) source: Option<String>,
    /// Those of which this became.
    pub(crate) state: Option<State>,
    /// Those of a complaint.
    pub(crate) complaint: Option<CaseId>,
    /// Those of the matter of a post.
    pub(crate) head: Option<Uuid>,
}

impl Post {
    /// One that was just split off a delivery.
    pub(crate) fn new(id: Uuid, source: &str, received: Timestamp) -> Self {
        Self {
            id,
            source: source.to_owned(),
            mapping: 0,
            item: String::new(),
            content: Content::default(),
            received,
            state: State::Waiting,
            set_aside: None,
            complaint: None,
            matter: None,
            rule: String::new(),
            remarks: Vec::new(),
            by_hand: false,
            registrar: String::new(),
            attempts: 0,
        }
    }

    /// Sets it aside.
    pub(crate) fn set_aside(&mut self, why: SetAside) {
        (self.state, self.set_aside) = (State::SetAside, Some(why));
        self.complaint = None;
    }

    /// The key it is registered under, however often that is tried.
    pub(crate) fn request_id(&self) -> String {
        format!("post.{}", self.id)
    }

    /// The name that the machine has which registers posts of its source.
    pub(crate) fn subject_of_reader(&self) -> String {
        format!("webhook:{}", self.source)
    }

    /// Adds to what is remarked about it, as far as there is room, nothing twice.
    pub(crate) fn remark(&mut self, remark: &str) {
        let remark: String = remark.chars().take(MAX_REMARK).collect();
        if self.remarks.len() < MAX_REMARKS && !self.remarks.contains(&remark) {
            self.remarks.push(remark);
        }
    }

    /// What it is known by: its own number and address first.
    pub(crate) fn keys(&self) -> Vec<Key> {
        let content = &self.content;
        let number =
            |id: &str, is_own| number_key(&self.source, id).map(|hash| (KeyKind::Number, hash, is_own));
        let address = |uri: &str, is_own| {
            let hash = normalized_uri(uri).map(|uri| hash(&[b"redress.post.address", uri.as_bytes()]))?;
            Some((KeyKind::Address, hash, is_own))
        };
        let all = [
            number(&content.external_id, true),
            address(&content.uri, true),
            number(&content.origin_id, false),
            address(&content.origin_uri, false),
        ];
        let mut keys: Vec<Key> = Vec::new();
        for (kind, hash, is_own) in all.into_iter().flatten() {
            if !keys.iter().any(|key| key.kind == kind && key.hash == hash) {
                keys.push(Key { kind, hash, is_own });
            }
        }
        keys
    }

    /// What the post is known by that it answers.
    pub(crate) fn parent_key(&self) -> Option<Key> {
        let hash = number_key(&self.source, &self.content.parent_id)?;
        Some(Key { kind: KeyKind::Number, hash, is_own: false })
    }

    /// Its account, as accounts are counted.
    pub(crate) fn account_hash(&self) -> [u8; 32] {
        hash(&[b"redress.post.account", self.source.as_bytes(), self.content.account().as_bytes()])
    }

    /// Its text made small; none where it says too little to be told from others.
    pub(crate) fn sketch(&self) -> Option<Sketch> {
        let text = &self.content.text;
        let weight = |c: char| if c.is_ascii() { 1 } else { SYLLABLE };
        let letters: usize = text.chars().filter(|c| c.is_alphanumeric()).map(weight).sum();
        if letters < ENOUGH_LETTERS { None } else { Sketch::of(text) }
    }
}

impl Matter {
    /// That a post is the first to tell of. What its reach passes alone needs no telling: the
    /// complaint says it.
    pub(crate) fn new(post: &Post, reach_thresholds: &[i64]) -> Self {
        let reach = post.content.reach;
        Self {
            id: post.id,
            head: post.id,
            account: post.content.account(),
            complaint: None,
            abandoned: false,
            spread: Spread {
                mentions: 1,
                accounts: 1,
                reports: 1,
                max_reach: reach,
                total_reach: reach,
                first: post.received,
                last: post.received,
            },
            told_mentions: 0,
            told_reach: passed(reach_thresholds, reach),
        }
    }

    /// Whether a post is of the account that told of it first.
    pub(crate) fn is_by(&self, post: &Post) -> bool {
        !self.account.is_empty() && self.account == post.content.account()
    }

    /// The thresholds it has passed since the case was last told, of mentions and of reach;
    /// none where it was told.
    pub(crate) fn crossed_thresholds(&self, mentions: &[i64], reach: &[i64]) -> Option<(i64, i64)> {
        let now = (passed(mentions, self.spread.mentions), passed(reach, self.spread.total_reach));
        let is_more = now.0 > self.told_mentions || now.1 > self.told_reach;
        is_more.then_some((now.0.max(self.told_mentions), now.1.max(self.told_reach)))
    }
}

/// The greatest threshold that a number has reached; 0 where it has none.
fn passed(thresholds: &[i64], number: i64) -> i64 {
    thresholds.iter().copied().filter(|threshold| *threshold <= number).max().unwrap_or_default()
}

fn number_key(source: &str, id: &str) -> Option<[u8; 32]> {
    (!id.is_empty()).then(|| hash(&[b"redress.post.number", source.as_bytes(), id.as_bytes()]))
}

/// The id of a post at a place of its delivery: in the order of the places, and of the time of
/// another id.
pub(crate) fn placed(base: Uuid, place: usize) -> Uuid {
    let mut bytes = *base.as_bytes();
    // The place first among the random bits.
    let place = u16::try_from(place).unwrap_or(u16::MAX) & 0x0fff;
    bytes[6..8].copy_from_slice(&(0x7000 | place).to_be_bytes());
    Uuid::from_bytes(bytes)
}

/// The hash of some texts, each told from the next by its length.
pub(crate) fn hash(texts: &[&[u8]]) -> [u8; 32] {
    let mut digest = Sha256::new();
    for text in texts {
        digest.update(u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
        digest.update(text);
    }
    digest.finalize().into()
}

#[cfg(test)]
mod tests;
