//! Systems that post to a webhook: what is settled about each, and how far it is.

use std::time::Duration;

use jiff::Timestamp;
use server::Secret;

use crate::channel::FailingSource;

/// Most sources of a tenant.
pub(crate) const MAX_SOURCES: i64 = 50;
/// Most versions of a source's mapping.
pub(crate) const MAX_MAPPINGS: i64 = 1_000;
/// Posts of one author within an hour that become complaints, where nothing is settled.
pub(crate) const DEFAULT_PER_AUTHOR: i32 = 20;
/// Most of them that may be settled.
pub(crate) const MAX_PER_AUTHOR: i32 = 1_000;
/// Longest public reply, where nothing is settled.
pub(crate) const DEFAULT_REPLY_LENGTH: i32 = 280;
/// Longest that may be settled.
pub(crate) const MAX_REPLY_LENGTH: i32 = 10_000;
/// Longest that a source may be silent before it is told.
pub(crate) const MAX_SILENT: Duration = Duration::from_hours(90 * 24);
/// Refusals in a row from which on a source is said to fail: one may be somebody who tries.
pub(crate) const FAILING_FROM: i32 = 3;
/// How long deliveries that are not believed must go on, without one that is, until a source is
/// said to fail that was believed before: anybody may send some.
pub(crate) const UNSIGNED_FOR: Duration = Duration::from_hours(1);

/// Why what a source delivers is refused, as a stable name: nobody believes that it is its.
pub(crate) const SIGNATURE_REFUSED: &str = "SIGNATURE_REFUSED";
/// The same, where it is its, and posts cannot be read.
pub(crate) const MAPPING_REFUSED: &str = "MAPPING_REFUSED";

/// What is wrong with deliveries that are not believed, in words.
const UNSIGNED_WORDS: &str =
    "the signature is of another secret, or its moment is too far from the clock here";

kernel::numbered! {
    /// How deliveries are signed; numbers of the contract.
    Signature {
        /// As Standard Webhooks say.
        Standard = 1,
        /// As GitHub and Meta do.
        HubSha256 = 2,
    }
}

kernel::numbered! {
    /// How far a source is; numbers of the contract.
    State {
        /// Nothing has come, or nothing can be read.
        Waiting = 1,
        /// Posts come.
        Receiving = 2,
        /// Nothing has come for too long.
        Silent = 3,
        /// It takes nothing.
        Paused = 4,
        /// What comes is refused.
        Failing = 5,
    }
}

/// What is settled about a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    /// Its name.
    pub(crate) id: String,
    /// Number of the channel that it delivers for.
    pub(crate) channel: i16,
    /// Who answers for it.
    pub(crate) owner: String,
    /// Language of posts that name none.
    pub(crate) language: String,
    /// The category its posts are believed to belong to.
    pub(crate) category_hint: String,
    /// How its deliveries are signed.
    pub(crate) signature: Signature,
    /// What with.
    pub(crate) secret: Option<Secret>,
    /// What else is good.
    pub(crate) next_secret: Option<Secret>,
    /// How long it may be silent; none: as long as it likes.
    pub(crate) silent_after: Option<Duration>,
    /// Whether it is left alone.
    pub(crate) paused: bool,
    /// Posts of one author within an hour that become complaints.
    pub(crate) max_per_author_hour: i32,
    /// Longest public reply.
    pub(crate) max_reply_length: i32,
}

/// Why posts cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    /// A stable name.
    pub(crate) reason: String,
    /// In words.
    pub(crate) words: String,
    /// Since when.
    pub(crate) since: Timestamp,
    /// How often since then.
    pub(crate) count: i32,
}

/// Deliveries that were not believed since the last that was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unsigned {
    /// How many.
    pub(crate) count: i32,
    /// When the first came.
    pub(crate) since: Timestamp,
    /// When the last came.
    pub(crate) last: Timestamp,
}

/// A source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WebhookSource {
    /// What is settled about it.
    pub(crate) settings: Settings,
    /// Counts the changes, from 1.
    pub(crate) version: i64,
    /// Who changed it last.
    pub(crate) updater: String,
    /// When.
    pub(crate) updated: Timestamp,
    /// The mapping that posts are read by; 0 where there is none.
    pub(crate) active_mapping: i64,
    /// When a delivery was last taken in.
    pub(crate) last_delivery: Option<Timestamp>,
    /// Why posts cannot be read.
    pub(crate) refused: Option<Refused>,
    /// What came and was not believed.
    pub(crate) unsigned: Option<Unsigned>,
}

/// A version of a source's mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeptMapping {
    /// Which.
    pub(crate) number: i64,
    /// What it says.
    pub(crate) spec: posts::Spec,
    /// Who created it.
    pub(crate) creator: String,
    /// When.
    pub(crate) created: Timestamp,
}

impl WebhookSource {
    /// One that was just set up.
    pub(crate) fn new(settings: Settings, updater: String, now: Timestamp) -> Self {
        Self {
            settings,
            version: 1,
            updater,
            updated: now,
            active_mapping: 0,
            last_delivery: None,
            refused: None,
            unsigned: None,
        }
    }

    /// Changes what is settled; whatever was wrong is looked at anew.
    pub(crate) fn change(&mut self, settings: Settings, updater: String, now: Timestamp) {
        self.settings = settings;
        self.touch(updater, now);
    }

    /// Has posts read by another mapping.
    pub(crate) fn activate(&mut self, number: i64, updater: String, now: Timestamp) {
        self.active_mapping = number;
        self.touch(updater, now);
    }

    fn touch(&mut self, updater: String, now: Timestamp) {
        self.version += 1;
        (self.updater, self.updated) = (updater, now);
        (self.refused, self.unsigned) = (None, None);
    }

    /// How far it is.
    pub(crate) fn state(&self, now: Timestamp) -> State {
        if self.settings.paused {
            return State::Paused;
        }
        let is_unread = self.refused.as_ref().is_some_and(|refused| refused.count >= FAILING_FROM);
        if is_unread || self.is_disbelieved() {
            return State::Failing;
        }
        if self.is_silent(now) {
            return State::Silent;
        }
        if self.active_mapping == 0 || self.last_delivery.is_none() {
            return State::Waiting;
        }
        State::Receiving
    }

    /// What is wrong with what comes: with posts that are its own first, as those are lost from
    /// view; none where nothing is.
    pub(crate) fn error(&self) -> Option<Refused> {
        let unsigned = self.unsigned.map(|one| Refused {
            reason: SIGNATURE_REFUSED.to_owned(),
            words: UNSIGNED_WORDS.to_owned(),
            since: one.since,
            count: one.count,
        });
        match (self.refused.clone(), unsigned) {
            (Some(mut unread), Some(unsigned)) => {
                unread.words =
                    format!("{}; besides, of {} deliveries {}", unread.words, unsigned.count, unsigned.words);
                Some(unread)
            }
            (unread, unsigned) => unread.or(unsigned),
        }
    }

    /// What its channel says of it, where it fails.
    pub(crate) fn failing(&self, now: Timestamp) -> Option<FailingSource> {
        let error = self.error().filter(|_| self.state(now) == State::Failing)?;
        Some(FailingSource {
            channel: self.settings.channel,
            name: format!("webhookSources/{}", self.settings.id),
            owner: self.settings.owner.clone(),
            reason: error.reason,
            since: error.since,
        })
    }

    /// Whether what comes is not believed: at once where nothing was since it was changed, as its
    /// secret may be wrong; else once that has gone on for a while, as anybody may send something.
    fn is_disbelieved(&self) -> bool {
        let is_known = self.last_delivery.is_some_and(|last| last >= self.updated);
        self.unsigned.is_some_and(|Unsigned { count, since, last }| {
            count >= FAILING_FROM && (!is_known || last.duration_since(since).unsigned_abs() >= UNSIGNED_FOR)
        })
    }

    /// Whether nothing has come for longer than is usual: since the last delivery, or since it
    /// was changed.
    fn is_silent(&self, now: Timestamp) -> bool {
        let since = self.last_delivery.unwrap_or(self.updated);
        let told = self.settings.silent_after.and_then(|after| since.saturating_add(after).ok());
        told.is_some_and(|told| told < now)
    }
}

impl Settings {
    /// Takes what is not given from before: the secrets, where deliveries are signed as they
    /// were.
    pub(crate) fn keep_secrets_of(&mut self, before: &Self) {
        if self.signature != before.signature {
            return;
        }
        if self.secret.is_none() {
            self.secret.clone_from(&before.secret);
        }
        if self.next_secret.is_none() {
            self.next_secret.clone_from(&before.next_secret);
        }
    }

    /// The next secret takes the place of the other; false where there is none.
    pub(crate) fn finish_rotation(&mut self) -> bool {
        let Some(next) = self.next_secret.take() else { return false };
        self.secret = Some(next);
        true
    }

    /// The secrets that are good.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &str> {
        self.secret.iter().chain(&self.next_secret).map(Secret::expose)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a moment")
    }

    fn settings() -> Settings {
        Settings {
            id: "weibo".to_owned(),
            channel: 6,
            owner: "ada".to_owned(),
            language: "zh-CN".to_owned(),
            category_hint: String::new(),
            signature: Signature::Standard,
            secret: Some(Secret::from("one".to_owned())),
            next_secret: None,
            silent_after: Some(Duration::from_secs(100)),
            paused: false,
            max_per_author_hour: DEFAULT_PER_AUTHOR,
            max_reply_length: DEFAULT_REPLY_LENGTH,
        }
    }

    #[test]
    fn a_source_is_as_far_as_what_is_known_of_it() {
        let mut one = WebhookSource::new(settings(), "ada".to_owned(), at(0));
        assert_eq!(one.state(at(1)), State::Waiting);
        assert_eq!(one.state(at(101)), State::Silent);
        one.last_delivery = Some(at(60));
        assert_eq!(one.state(at(101)), State::Waiting, "it has no mapping");
        one.activate(1, "ada".to_owned(), at(61));
        assert_eq!(one.state(at(101)), State::Receiving);
        assert_eq!(one.state(at(161)), State::Silent);
        let refused =
            |count| Refused { reason: MAPPING_REFUSED.to_owned(), words: String::new(), since: at(3), count };
        one.refused = Some(refused(2));
        assert_eq!(one.state(at(101)), State::Receiving, "somebody may be trying");
        one.refused = Some(refused(3));
        assert_eq!(one.state(at(161)), State::Failing);
        one.settings.paused = true;
        assert_eq!(one.state(at(161)), State::Paused);
        let settled = one.settings.clone();
        one.change(Settings { paused: false, ..settled }, "bob".to_owned(), at(162));
        assert_eq!((one.state(at(99)), one.version), (State::Receiving, 3));
    }

    #[test]
    fn what_is_not_believed_is_a_failure_at_once_or_after_an_hour_where_something_was() {
        let hour = 3_600;
        let unsigned = |count, since, last| Some(Unsigned { count, since: at(since), last: at(last) });
        let silent_after = None;
        let fresh = WebhookSource::new(Settings { silent_after, ..settings() }, "ada".to_owned(), at(10));
        let fresh = WebhookSource { active_mapping: 1, ..fresh };
        let state =
            |one: &WebhookSource, unsigned| WebhookSource { unsigned, ..one.clone() }.state(at(2 * hour));
        assert_eq!(state(&fresh, unsigned(2, 11, 12)), State::Waiting);
        assert_eq!(state(&fresh, unsigned(3, 11, 12)), State::Failing, "its secret may be wrong");
        let known = WebhookSource { last_delivery: Some(at(10)), ..fresh.clone() };
        assert_eq!(state(&known, unsigned(1_000, 11, 10 + hour)), State::Receiving, "anybody may send that");
        assert_eq!(state(&known, unsigned(2, 11, 11 + hour)), State::Receiving);
        assert_eq!(state(&known, unsigned(3, 11, 11 + hour)), State::Failing);
        let before = WebhookSource { last_delivery: Some(at(9)), ..fresh };
        assert_eq!(state(&before, unsigned(3, 11, 12)), State::Failing, "not since it was changed");
    }

    #[test]
    fn secrets_are_kept_while_they_are_of_the_same_kind_and_are_changed_in_two_steps() {
        let before = settings();
        let secret = |text: &str| Some(Secret::from(text.to_owned()));
        let mut rotating = Settings { secret: None, next_secret: secret("two"), ..settings() };
        rotating.keep_secrets_of(&before);
        assert_eq!(rotating.secrets().collect::<Vec<_>>(), ["one", "two"]);
        assert!(rotating.finish_rotation() && !rotating.finish_rotation());
        assert_eq!(rotating.secrets().collect::<Vec<_>>(), ["two"]);
        let mut other = Settings { secret: None, signature: Signature::HubSha256, ..settings() };
        other.keep_secrets_of(&before);
        assert_eq!(other.secret, None);
    }
}
