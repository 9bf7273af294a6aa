//! What readers from outside may take: they must not be in the way of the services,
//! which live on the same feeds, nor of each other.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fault::{Fault, Kind};
use kernel::{Caller, TenantId};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::feed::Pace;

/// Most subscriptions from outside that a process serves.
const MAX_STREAMS: usize = 64;
/// Most subscriptions of one caller: tenant and subject.
const MAX_STREAMS_PER_CALLER: usize = 4;
/// Most reads of the tables for them at once, each over a connection of the pool.
const MAX_READS: usize = 2;
/// Pause of each of them between two reads of the tables.
const PAGE_PAUSE: Duration = Duration::from_millis(100);
/// When a refused caller is told to come back.
const RETRY: Duration = Duration::from_secs(5);

type Key = (TenantId, Arc<str>);

/// The subscriptions from outside.
pub(crate) struct Outside {
    streams: Arc<Semaphore>,
    reads: Arc<Semaphore>,
    callers: Arc<Mutex<HashMap<Key, usize>>>,
}

/// The place of one subscription; given back when it is dropped.
pub(crate) struct Place {
    _stream: OwnedSemaphorePermit,
    callers: Arc<Mutex<HashMap<Key, usize>>>,
    key: Key,
}

impl Outside {
    pub(crate) fn new() -> Self {
        let reads = Arc::new(Semaphore::new(MAX_READS));
        Self { streams: Arc::new(Semaphore::new(MAX_STREAMS)), reads, callers: Arc::default() }
    }

    /// How they are served.
    pub(crate) fn pace(&self) -> Pace {
        Pace { reads: Some(self.reads.clone()), pause: PAGE_PAUSE }
    }

    /// A place for a caller's subscription, or a refusal.
    pub(crate) fn place(&self, caller: &Caller) -> Result<Place, Fault> {
        let key = (caller.tenant.clone(), caller.subject.clone());
        let mut callers = lock(&self.callers);
        let mine = callers.get(&key).copied().unwrap_or_default();
        if mine >= MAX_STREAMS_PER_CALLER {
            return Err(too_many("caller", MAX_STREAMS_PER_CALLER));
        }
        let stream =
            self.streams.clone().try_acquire_owned().map_err(|_| too_many("process", MAX_STREAMS))?;
        callers.insert(key.clone(), mine + 1);
        Ok(Place { _stream: stream, callers: self.callers.clone(), key })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut callers = lock(&self.callers);
        if let Some(mine) = callers.get_mut(&self.key) {
            *mine -= 1;
            if *mine == 0 {
                callers.remove(&self.key);
            }
        }
    }
}

fn too_many(limit: &'static str, most: usize) -> Fault {
    let sentence = format!("this {limit} has {most} subscriptions, and may have no more; end one first");
    Fault::new(Kind::Exhausted, "TOO_MANY_SUBSCRIPTIONS", sentence).with("limit", limit).retry_after(RETRY)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use kernel::Roles;

    use super::*;

    fn caller(subject: usize) -> Caller {
        let roles = Roles::read(["reader"]);
        Caller { tenant: TenantId::development(), subject: subject.to_string().into(), roles }
    }

    fn refused(place: Result<Place, Fault>) -> Option<(Kind, &'static str)> {
        place.err().map(|fault| (fault.kind(), fault.reason()))
    }

    #[test]
    fn a_caller_and_a_process_have_so_many_subscriptions_and_no_more() {
        let outside = Outside::new();
        let full = Some((Kind::Exhausted, "TOO_MANY_SUBSCRIPTIONS"));
        let mut places: Vec<_> = (0..MAX_STREAMS_PER_CALLER).map(|_| outside.place(&caller(0))).collect();
        assert_eq!(refused(outside.place(&caller(0))), full);
        places.pop();
        places.push(outside.place(&caller(0)));
        assert!(places.iter().all(Result::is_ok), "an ended one makes room");
        places.extend((places.len()..MAX_STREAMS).map(|other| outside.place(&caller(other))));
        assert!(places.iter().all(Result::is_ok));
        assert_eq!(refused(outside.place(&caller(1_000))), full);
        places.clear();
        assert!(lock(&outside.callers).is_empty(), "nobody is remembered");
    }
}
