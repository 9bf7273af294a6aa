//! What a department's queue begins with, looked up for many polls at once.
//!
//! A transaction that stays open, wherever in the database, keeps Postgres from removing rows
//! that are no more: each look at a queue then passes over all tasks that were done since. So
//! once many such rows have piled up, one look serves the polls of the next moment, and each
//! of them is handed tasks by their keys. While few lie there, every poll looks for itself:
//! what is handed out is the most urgent there is, to the moment.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use kernel::TenantId;
use uuid::Uuid;

/// With more rows than these that are no more, it pays to look ahead.
const MANY_DEAD_ROWS: i64 = 5_000;
/// How often they are counted.
const COUNTED_EVERY: Duration = Duration::from_secs(1);
/// Tasks of one look.
pub(crate) const LOOK: i64 = 400;
/// How long a look serves: longest that a more urgent task may come after others.
const SERVES: Duration = Duration::from_millis(100);

type Key = (TenantId, String);

/// The looks at the queues of this process.
#[derive(Default)]
pub(crate) struct Lookahead {
    queues: Mutex<HashMap<Key, Arc<Queue>>>,
    counted: Mutex<Counted>,
}

/// How many rows that are no more were counted, and when.
#[derive(Default)]
struct Counted {
    at: Option<Timestamp>,
    is_many: bool,
}

/// One department's.
#[derive(Default)]
pub(crate) struct Queue {
    /// Of all polls that find nothing found yet, one looks.
    turn: tokio::sync::Mutex<()>,
    found: Mutex<Found>,
}

#[derive(Default)]
struct Found {
    tasks: VecDeque<Uuid>,
    until: Option<Timestamp>,
    /// Being handed out: they still look as if they waited.
    taken: HashSet<Uuid>,
}

/// Tasks that are being handed out, to nobody else of this process.
pub(crate) struct Taken {
    queue: Arc<Queue>,
    /// Which, most urgent first.
    pub(crate) tasks: Vec<Uuid>,
}

impl Lookahead {
    /// Whether dead rows are to be counted anew.
    pub(crate) fn is_count_due(&self, now: Timestamp) -> bool {
        self.counted().at.is_none_or(|at| after(at, COUNTED_EVERY) <= now)
    }

    /// Takes note of a count.
    pub(crate) fn counted_rows(&self, dead: i64, now: Timestamp) {
        *self.counted() = Counted { at: Some(now), is_many: dead > MANY_DEAD_ROWS };
    }

    /// The queue of a department, where it pays to look ahead.
    pub(crate) fn queue(&self, tenant: &TenantId, department_id: &str) -> Option<Arc<Queue>> {
        if !self.counted().is_many {
            self.queues().clear();
            return None;
        }
        Some(self.queues().entry((tenant.clone(), department_id.to_owned())).or_default().clone())
    }

    fn counted(&self) -> MutexGuard<'_, Counted> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn queues(&self) -> MutexGuard<'_, HashMap<Key, Arc<Queue>>> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    /// Waits for the turn to look; whoever has it should [`Self::take`] first.
    pub(crate) async fn turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    /// So many of what was found and is still good; none where somebody has to look.
    pub(crate) fn take(self: &Arc<Self>, count: usize, now: Timestamp) -> Option<Taken> {
        let mut found = self.found();
        if found.until.is_none_or(|until| until < now) {
            found.tasks.clear();
        }
        let count = count.min(found.tasks.len());
        let tasks: Vec<Uuid> = found.tasks.drain(..count).collect();
        found.taken.extend(&tasks);
        (!tasks.is_empty()).then(|| Taken { queue: Arc::clone(self), tasks })
    }

    /// What a look leaves out.
    pub(crate) fn taken(&self) -> Vec<Uuid> {
        self.found().taken.iter().copied().collect()
    }

    /// Keeps what was found at a time.
    pub(crate) fn keep(&self, tasks: Vec<Uuid>, now: Timestamp) {
        let mut found = self.found();
        found.tasks = tasks.into();
        found.until = Some(after(now, SERVES));
    }

    fn found(&self) -> MutexGuard<'_, Found> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// They are handed out, or wait again.
impl Drop for Taken {
    fn drop(&mut self) {
        let mut found = self.queue.found();
        for task in &self.tasks {
            found.taken.remove(task);
        }
    }
}

fn after(time: Timestamp, by: Duration) -> Timestamp {
    time.saturating_add(by).unwrap_or(time)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ids(count: u128) -> Vec<Uuid> {
        (1..=count).map(Uuid::from_u128).collect()
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(millis).unwrap()
    }

    #[test]
    fn what_was_found_serves_for_a_moment_only() {
        let queue = Arc::new(Queue::default());
        assert!(queue.take(1, at(0)).is_none(), "nobody has looked");
        queue.keep(ids(3), at(0));
        assert_eq!(queue.take(1, at(100)).unwrap().tasks, ids(1));
        assert!(queue.take(1, at(101)).is_none(), "a more urgent one may have come");
    }

    #[test]
    fn every_poll_looks_for_itself_while_few_dead_rows_lie_there() {
        let (lookahead, tenant) = (Lookahead::default(), TenantId::development());
        assert!(lookahead.is_count_due(at(0)));
        lookahead.counted_rows(MANY_DEAD_ROWS, at(0));
        assert!(!lookahead.is_count_due(at(999)) && lookahead.is_count_due(at(1_000)));
        assert!(lookahead.queue(&tenant, "finance").is_none());
        lookahead.counted_rows(MANY_DEAD_ROWS + 1, at(1_000));
        let queue = lookahead.queue(&tenant, "finance").unwrap();
        queue.keep(ids(2), at(1_000));
        let again = lookahead.queue(&tenant, "finance").unwrap();
        assert_eq!(again.take(9, at(1_000)).unwrap().tasks, ids(2), "one queue for all its polls");
        assert!(lookahead.queue(&tenant, "warehouse").unwrap().take(1, at(1_000)).is_none());
    }

    proptest! {
        /// However polls take and let go, no task is with two of them at once, and all are
        /// taken in the order they were found in.
        #[test]
        fn no_task_is_taken_twice_at_once(wanted in prop::collection::vec(1..9_usize, 1..20)) {
            let queue = Arc::new(Queue::default());
            queue.keep(ids(40), at(0));
            let polls: Vec<Taken> = wanted.iter().filter_map(|count| queue.take(*count, at(1))).collect();
            let taken: Vec<Uuid> = polls.iter().flat_map(|poll| poll.tasks.clone()).collect();
            let count = wanted.iter().sum::<usize>().min(40);
            prop_assert_eq!(&taken, &ids(count as u128));
            let mut left_out = queue.taken();
            left_out.sort();
            prop_assert_eq!(left_out, taken);
            drop(polls);
            prop_assert!(queue.taken().is_empty());
        }
    }
}
