//! A department's queue: what waits, whether a worker asks for it, and what is kept back.
//! Pure.

use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

use crate::refusal::Refusal;
use crate::remedy::RemedyKind;

/// How long tasks may wait without a worker asking before the department counts as
/// having none.
pub const WORKER_EXPECTED: Duration = Duration::from_mins(5);
/// How often it is looked at.
pub const WATCH_EVERY: Duration = Duration::from_mins(1);
/// How soon it is looked at again where more is overdue than is told at a time.
pub const WATCH_AGAIN: Duration = Duration::from_secs(1);
/// How often it is noted that a worker asked: workers ask all the time.
pub const POLL_NOTED_EVERY: Duration = Duration::from_secs(10);

/// How a pause is kept that is of every kind of task.
pub const EVERY_KIND: i16 = 0;

/// Whether somebody takes what waits for a department.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attendance {
    /// The key of its timer.
    pub watch_id: Uuid,
    /// The department.
    pub department_id: String,
    /// When a worker last asked.
    pub polled_at: Option<Timestamp>,
    /// Since when the task waits that waits longest of those it may be handed.
    pub waiting_since: Option<Timestamp>,
}

impl Attendance {
    /// Since when tasks wait and no worker asks, if that is too long; none while all is well.
    pub fn unattended_since(&self, now: Timestamp) -> Option<Timestamp> {
        let since = self.waiting_since?.max(self.polled_at.unwrap_or(Timestamp::MIN));
        (since + WORKER_EXPECTED <= now).then_some(since)
    }
}

/// A pause of a department.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pause {
    /// Identity.
    pub pause_id: Uuid,
    /// The department.
    pub department_id: String,
    /// The kind of task it is not handed; none means all.
    pub kind: Option<RemedyKind>,
    /// Why.
    pub reason: String,
    /// Who paused it.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Who resumed it, and when; none while it is paused.
    pub resumed: Option<Resumed>,
}

/// The end of a pause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resumed {
    /// Who resumed it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

/// What waits for a department, counted up to a bound.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Queue {
    /// The department.
    pub department_id: String,
    /// Ready tasks.
    pub ready: i32,
    /// Held tasks.
    pub leased: i32,
    /// Tasks that people look into.
    pub needs_attention: i32,
    /// Tasks that may or may not have been done.
    pub outcome_unknown: i32,
    /// Tasks that wait for goods.
    pub awaiting_stock: i32,
    /// When a worker last asked.
    pub polled_at: Option<Timestamp>,
    /// Since when no worker asks for what waits.
    pub unattended_since: Option<Timestamp>,
    /// The pauses in force.
    pub pauses: Vec<Pause>,
}

/// Of the pauses in force, that of a kind.
pub fn of_kind(pauses: Vec<Pause>, kind: Option<RemedyKind>) -> Result<Pause, Refusal> {
    pauses.into_iter().find(|pause| pause.kind == kind).ok_or(Refusal::NotPaused)
}

/// Refuses to pause twice.
pub fn must_not_be_paused(pauses: &[Pause], kind: Option<RemedyKind>) -> Result<(), Refusal> {
    if pauses.iter().any(|pause| pause.kind == kind) { Err(Refusal::AlreadyPaused) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + Duration::from_secs(seconds.unsigned_abs())
    }

    proptest! {
        #[test]
        fn a_department_is_unattended_when_something_waits_and_nobody_has_asked_since(
            polled in prop::option::of(0..2_000_i64),
            waiting in prop::option::of(0..2_000_i64),
            now in 0..2_000_i64,
        ) {
            let (polled_at, waiting_since) = (polled.map(at), waiting.map(at));
            let attendance = Attendance {
                watch_id: Uuid::nil(),
                department_id: "finance".to_owned(),
                polled_at,
                waiting_since,
            };
            let since = attendance.unattended_since(at(now));
            let patience = i64::try_from(WORKER_EXPECTED.as_secs()).unwrap();
            let waits = waiting.is_some_and(|waiting| waiting + patience <= now);
            let nobody = polled.is_none_or(|polled| polled + patience <= now);
            prop_assert_eq!(since.is_some(), waits && nobody);
            if let Some(since) = since {
                prop_assert!(Some(since) >= polled_at && Some(since) >= waiting_since);
            }
        }
    }
}
