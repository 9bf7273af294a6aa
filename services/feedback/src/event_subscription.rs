//! Where events are posted to, for those who cannot read the feed: what is wanted, and whether
//! its server is there. Pure.

pub mod filter;

use std::time::Duration;

use fault::Fault;
use jiff::Timestamp;
use kernel::time::{doubled, later};
use server::Secret;
use uuid::Uuid;

use crate::refusal::Refusal;

/// Most subscriptions of a tenant.
pub const MAX_SUBSCRIPTIONS: i64 = 20;
/// Most types that a subscription names.
pub const MAX_TYPES: usize = 100;
/// Longest condition.
pub const MAX_FILTER: usize = 2_000;
/// How long one try may take where nothing was said.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
/// Shortest time for a try.
pub const MIN_TIMEOUT: Duration = Duration::from_secs(1);
/// Longest time for a try.
pub const MAX_TIMEOUT: Duration = Duration::from_secs(15);
/// How long the secret before signs as well where nothing was said.
pub const DEFAULT_KEEP: Duration = Duration::from_hours(24);
/// Longest such time.
pub const MAX_KEEP: Duration = Duration::from_hours(30 * 24);
/// Back-off after the first try that fails; doubles with each further one.
pub const FIRST_BACK_OFF: Duration = Duration::from_secs(5);
/// Longest back-off, also where the server asks for more.
pub const MAX_BACK_OFF: Duration = Duration::from_hours(1);
/// How long an event is tried before its subscription is paused.
pub const GIVE_UP_AFTER: Duration = Duration::from_hours(72);
/// The services whose events are posted, in order.
pub const SOURCES: [&str; 5] = ["assignment", "cases", "feedback", "intake", "resolution"];

kernel::numbered! {
    /// Whether events are posted.
    SubscriptionState {
        /// They are.
        Enabled = 1,
        /// They wait, until somebody resumes it.
        Paused = 2,
    }
}

/// What is wanted, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// What it is for.
    pub title: String,
    /// Where events are posted to.
    pub url: String,
    /// Full names of the messages that are posted; empty for all.
    pub types: Vec<String>,
    /// The condition an event must meet; empty for none.
    pub filter: String,
    /// Longest that one try may take.
    pub timeout: Duration,
}

/// A subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventSubscription {
    /// Identity.
    pub id: Uuid,
    /// Counts the changes that people made, and pauses.
    pub version: i64,
    /// What is wanted.
    pub wanted: Wanted,
    /// What events are signed with.
    pub secret: Secret,
    /// The secret before, and until when it signs as well.
    pub old_secret: Option<(Secret, Timestamp)>,
    /// Why nothing is posted; none while it is.
    pub pause: Option<Pause>,
    /// Who made it.
    pub creator: String,
    /// When it was made.
    pub created: Timestamp,
    /// When somebody changed it last.
    pub updated: Timestamp,
}

/// A pause of a subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pause {
    /// Why.
    pub reason: String,
    /// Who paused it; empty where it was for its failures.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

impl EventSubscription {
    /// Whether events are posted.
    pub fn state(&self) -> SubscriptionState {
        if self.pause.is_none() { SubscriptionState::Enabled } else { SubscriptionState::Paused }
    }

    /// Refuses a caller who has seen another version.
    pub fn seen_as(&self, version: i64) -> Result<(), Fault> {
        if version == self.version { Ok(()) } else { Err(Fault::version_mismatch(self.version)) }
    }

    /// The secrets that events are signed with now, the newest first.
    pub fn secrets(&self, now: Timestamp) -> Vec<&Secret> {
        let old = self.old_secret.as_ref().filter(|(_, until)| now < *until).map(|(secret, _)| secret);
        std::iter::once(&self.secret).chain(old).collect()
    }

    /// Something else is wanted from now on.
    pub fn change(&mut self, wanted: Wanted, now: Timestamp) {
        self.wanted = wanted;
        self.touched(now);
    }

    /// Another secret signs from now on, beside the one before for a while.
    pub fn rotate(&mut self, secret: Secret, keep: Duration, now: Timestamp) {
        let old = std::mem::replace(&mut self.secret, secret);
        self.old_secret = (!keep.is_zero()).then(|| (old, later(now, keep)));
        self.touched(now);
    }

    /// Nothing is posted from now on.
    pub fn pause(&mut self, pause: Pause) -> Result<(), Refusal> {
        if self.pause.is_some() {
            return Err(Refusal::EventSubscriptionPaused);
        }
        self.touched(pause.at);
        self.pause = Some(pause);
        Ok(())
    }

    /// Events are posted again.
    pub fn resume(&mut self, now: Timestamp) -> Result<(), Refusal> {
        self.pause.take().ok_or(Refusal::EventSubscriptionNotPaused)?;
        self.touched(now);
        Ok(())
    }

    fn touched(&mut self, now: Timestamp) {
        self.version += 1;
        self.updated = now;
    }
}

/// How far a subscription is with the feed of one service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// The service.
    pub source: String,
    /// Up to where events were taken or left out.
    pub position: i64,
    /// How many the server took.
    pub posted: i64,
    /// When it took the latest.
    pub posted_at: Option<Timestamp>,
    /// How many tries of the next event have failed.
    pub failures: i32,
    /// Since when they fail.
    pub failing_since: Option<Timestamp>,
    /// Why the latest failed.
    pub last_error: String,
    /// When it is tried again.
    pub next_try: Option<Timestamp>,
}

/// What came of a try that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// Why: the status that was answered, or why there was no answer.
    pub why: String,
    /// How long the server asks to be left alone.
    pub retry_after: Option<Duration>,
    /// Whether it says that it is gone for good.
    pub is_gone: bool,
}

impl Progress {
    /// Everything up to a position was taken or left out.
    pub fn passed(&mut self, position: i64) {
        self.position = self.position.max(position);
        self.counts_anew();
    }

    /// The server took the event at a position.
    pub fn taken(&mut self, position: i64, now: Timestamp) {
        self.passed(position);
        self.posted += 1;
        self.posted_at = Some(now);
    }

    /// Somebody goes back, or on.
    pub fn moved(&mut self, position: i64) {
        self.position = position;
        self.counts_anew();
    }

    /// Its failures count anew, and it is tried at once.
    pub fn counts_anew(&mut self) {
        self.failures = 0;
        self.failing_since = None;
        self.last_error = String::new();
        self.next_try = None;
    }

    /// A try of the next event failed; answers why its subscription is paused for that, if it is.
    pub fn failed(&mut self, failed: Failed, now: Timestamp) -> Option<String> {
        let back_off = back_off(self.failures).max(failed.retry_after.unwrap_or_default()).min(MAX_BACK_OFF);
        self.failures = self.failures.saturating_add(1);
        let since = *self.failing_since.get_or_insert(now);
        self.next_try = Some(later(now, back_off));
        self.last_error = failed.why;
        if failed.is_gone {
            return Some("its server answered that it is gone (410)".to_owned());
        }
        let is_over = later(since, GIVE_UP_AFTER) <= now;
        is_over
            .then(|| format!("an event of {} was not taken since {since}: {}", self.source, self.last_error))
    }
}

/// How long it is waited after a try that failed, when so many had failed before.
fn back_off(failures: i32) -> Duration {
    doubled(FIRST_BACK_OFF, MAX_BACK_OFF, failures)
}

#[cfg(test)]
mod tests;
