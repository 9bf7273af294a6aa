//! What everything that happened adds up to.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use kernel::{Clock as _, Money, SystemClock};
use proto::google::r#type::Money as WireMoney;
use proto::redress::assignment::v1::CaseAssigned;
use proto::redress::cases::v1::CaseDecided;
use proto::redress::event::v1::Event;
use proto::redress::feedback::v1::{NoticeSettled, NoticeState};
use proto::redress::resolution::v1::TaskCompleted;

use super::board::read;

/// A number that many add to.
#[derive(Default)]
pub(super) struct Count(AtomicU64);

impl Count {
    pub(super) fn up(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Sums by currency, in smallest units.
#[derive(Default)]
pub(super) struct Sums(Mutex<BTreeMap<String, i64>>);

impl Sums {
    pub(super) fn add(&self, sum: Option<&WireMoney>) {
        let sum = sum.and_then(|sum| Money::parse(&sum.currency_code, sum.units, sum.nanos).ok());
        if let Some(Money { minor, currency }) = sum {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(currency).or_default() += minor;
        }
    }

    pub(super) fn all(&self) -> Vec<Money> {
        let sums = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sums.iter().map(|(currency, minor)| Money { minor: *minor, currency: currency.clone() }).collect()
    }
}

/// Satisfaction: how many gave each score.
#[derive(Default)]
pub(super) struct Scores([Count; 5]);

impl Scores {
    pub(super) fn add(&self, score: i32) {
        let place = usize::try_from(score - 1).ok();
        if let Some(count) = place.and_then(|place| self.0.get(place)) {
            count.up();
        }
    }

    /// How many gave 1, 2, … 5.
    pub(super) fn counts(&self) -> [u64; 5] {
        std::array::from_fn(|place| self.0[place].get())
    }
}

/// What everything that happened adds up to.
#[derive(Default)]
pub(super) struct Tally {
    /// What happened before is not counted: the database may have a past.
    since: Timestamp,
    pub(super) registered: Count,
    pub(super) assigned: Count,
    pub(super) decided: Count,
    pub(super) plans: Count,
    pub(super) plans_automatic: Count,
    pub(super) plans_rejected: Count,
    pub(super) tasks: Count,
    pub(super) disputed: Count,
    pub(super) accepted: Count,
    pub(super) ended: Count,
    pub(super) delivered: Count,
    pub(super) undelivered: Count,
    /// Why not, and how often.
    obstacles: Mutex<BTreeMap<String, u64>>,
    /// Steps with a sum in approved plans, and what they come to.
    pub(super) payments_approved: Count,
    pub(super) sum_approved: Sums,
    /// The same as departments reported it.
    pub(super) payments_made: Count,
    pub(super) sum_paid: Sums,
    pub(super) handling: Scores,
    pub(super) outcome: Scores,
}

impl Tally {
    /// Nothing has happened yet.
    pub(super) fn new() -> Self {
        Self { since: SystemClock.now(), ..Self::default() }
    }

    fn hinder(&self, reason: String) {
        self.undelivered.up();
        *self.obstacles.lock().unwrap_or_else(PoisonError::into_inner).entry(reason).or_default() += 1;
    }

    /// Why notices were not delivered, most often first: ` (9 no address, 2 anonymous)`; empty
    /// where all were.
    pub(super) fn obstacles(&self) -> String {
        let obstacles = self.obstacles.lock().unwrap_or_else(PoisonError::into_inner);
        let mut most: Vec<(&String, &u64)> = obstacles.iter().collect();
        most.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        let told =
            most.iter().map(|(reason, count)| format!("{count} {}", reason.to_lowercase().replace('_', " ")));
        let told: Vec<String> = told.collect();
        if told.is_empty() { String::new() } else { format!(" ({})", told.join(", ")) }
    }

    /// Counts an event.
    pub(super) fn see(&self, event: &Event) {
        let time = event.occur_time.and_then(|time| Timestamp::new(time.seconds, time.nanos).ok());
        if time.is_none_or(|time| time < self.since) {
            return;
        }
        if let Some(done) = read::<TaskCompleted>(event) {
            self.tasks.up();
            if done.amount.is_some() {
                self.payments_made.up();
                self.sum_paid.add(done.amount.as_ref());
            }
        } else if let Some(notice) = read::<NoticeSettled>(event) {
            if notice.state() == NoticeState::Delivered {
                self.delivered.up();
            } else {
                self.hinder(notice.detail);
            }
        } else if read::<CaseDecided>(event).is_some() {
            self.decided.up();
        } else if read::<CaseAssigned>(event).is_some() {
            self.assigned.up();
        }
    }
}
