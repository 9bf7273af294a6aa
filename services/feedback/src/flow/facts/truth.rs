//! What happened to a case, and what was known of it at a time.

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::fact::Ending;

/// What happened in a cycle.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cycle {
    pub(crate) resolved: Timestamp,
    pub(crate) outcome: i32,
    pub(crate) told: Option<Timestamp>,
    /// Scores for the handling and the outcome, and when.
    pub(crate) scores: Option<(i32, i32, Timestamp)>,
    pub(crate) reopened: Option<Timestamp>,
    /// When it was closed before that.
    pub(crate) closed: Option<Timestamp>,
    /// When its decision was corrected to what it is; it was another before.
    pub(crate) corrected: Timestamp,
    /// Scores that came with the answer to the outcome, before those of the survey.
    pub(crate) first_scores: Option<(i32, i32, Timestamp)>,
    /// When it was told by a mail that came back, and when that did.
    pub(crate) bounced: Option<(Timestamp, Timestamp)>,
}

impl Cycle {
    /// What was decided, by a time.
    pub(crate) fn outcome_by(&self, as_of: Timestamp) -> i32 {
        if self.corrected <= as_of { self.outcome } else { 4 - self.outcome }
    }

    /// The scores that were given by a time.
    pub(crate) fn scores_by(&self, as_of: Timestamp) -> Option<(i32, i32)> {
        let by_then = |scores: Option<(i32, i32, Timestamp)>| scores.filter(|(.., at)| *at <= as_of);
        by_then(self.scores).or(by_then(self.first_scores)).map(|(handling, outcome, _)| (handling, outcome))
    }

    /// When its outcome was told, as it was known at a time.
    pub(crate) fn told_by(&self, as_of: Timestamp) -> Option<Timestamp> {
        let trusted = self.bounced.filter(|(_, back)| *back > as_of).map(|(told, _)| told);
        [trusted, self.told].into_iter().flatten().filter(|at| *at <= as_of).min()
    }
}

/// What happened to a case.
#[derive(Clone, Debug, Default)]
pub(crate) struct Truth {
    pub(crate) id: Uuid,
    pub(crate) received: Timestamp,
    pub(crate) channel: i32,
    pub(crate) region: String,
    pub(crate) customer: Option<u64>,
    pub(crate) history: bool,
    pub(crate) category: String,
    pub(crate) department: String,
    pub(crate) acknowledged: Option<Timestamp>,
    pub(crate) escalated: Option<Timestamp>,
    pub(crate) pause: Option<(Timestamp, Timestamp)>,
    pub(crate) breach: Option<(Timestamp, bool)>,
    pub(crate) cycles: Vec<Cycle>,
    pub(crate) call: Option<(Timestamp, bool)>,
    pub(crate) paid: Option<(Timestamp, i64)>,
    /// When the task of that began, and by when it was due.
    pub(crate) task: (Timestamp, Timestamp),
    pub(crate) ended: Option<(Timestamp, Ending)>,
}

/// A loss that was written off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Loss {
    pub(crate) at: Timestamp,
    pub(crate) department: &'static str,
    pub(crate) currency: &'static str,
    pub(crate) minor: i64,
}

impl Truth {
    fn number(&self) -> u128 {
        self.id.as_u128() % 1_000
    }

    /// Who recorded it: one of three.
    pub(crate) fn recorder(&self) -> String {
        format!("agent-{}", self.number() % 3)
    }

    /// When and how it had ended, as it was known at a time.
    pub(crate) fn ended_by(&self, as_of: Timestamp) -> Option<(Timestamp, Ending)> {
        let closed = self.cycles.iter().filter_map(|cycle| Some((cycle.closed?, Some(Ending::Closed))));
        let opened = self.cycles.iter().filter_map(|cycle| Some((cycle.reopened?, None)));
        let ended = self.ended.map(|(at, ending)| (at, Some(ending)));
        let mut all: Vec<_> = closed.chain(opened).chain(ended).filter(|(at, _)| *at <= as_of).collect();
        all.sort_by_key(|(at, _)| *at);
        let (at, ending) = all.pop()?;
        Some((at, ending?))
    }

    /// Every other payment could not be taken back, and was written off a day later.
    pub(crate) fn loss(&self) -> Option<Loss> {
        let (paid, minor) = self.paid.filter(|_| self.number().is_multiple_of(2))?;
        let department = if self.number().is_multiple_of(4) { "finance" } else { "shop" };
        let currency = if self.number().is_multiple_of(3) { "JPY" } else { "CNY" };
        Some(Loss { at: paid + SignedDuration::from_hours(24), department, currency, minor })
    }

    /// Every other complainant can be reached, each by a telephone of their own.
    pub(super) fn phone(&self) -> String {
        let number = self.number();
        if number.is_multiple_of(2) { format!("+86138{number:08}") } else { String::new() }
    }

    /// Three of five say what it is about.
    pub(super) fn product(&self) -> &'static str {
        if self.number() % 5 < 3 { "kettle" } else { " " }
    }

    /// Whether it could be worked on as it was recorded; none of history.
    pub(crate) fn complete(&self) -> Option<bool> {
        (!self.history).then(|| !self.phone().is_empty() && !self.product().trim().is_empty())
    }
}
