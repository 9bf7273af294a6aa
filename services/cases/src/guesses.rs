//! How often one caller may be wrong about receipt codes. Only wrong codes count, and
//! of them not those their check character shows to be misspelt, which nobody who
//! guesses would send. A caller who has used their guesses up is refused before the
//! code is looked at, or the limit would not protect the one right guess: right codes
//! too, for some seconds. A portal that calls for many complainants as one subject
//! shares its guesses among them, and a code whose case is not open yet is as wrong as
//! any until it is.
//!
//! A leaky bucket kept as one moment per caller (GCRA). Written out because a
//! limiter that decides and counts in one step cannot count failures only.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use kernel::{Caller, TenantId};

/// Wrong guesses in a row that are free of charge.
const BURST: i32 = 10;
/// After them, one more in this time.
const INTERVAL: SignedDuration = SignedDuration::from_secs(6);
/// Callers remembered before those whose guesses are long past are forgotten.
const FORGET_BEYOND: usize = 10_000;

/// Whose guesses are counted together.
type Guesser = (TenantId, Arc<str>);

/// The wrong guesses of late, of this process.
#[derive(Debug, Default)]
pub(crate) struct Guesses {
    /// When a guesser's guesses will all be forgiven, an interval for each.
    forgiven: Mutex<HashMap<Guesser, Timestamp>>,
}

impl Guesses {
    /// How long a caller has to wait before guessing again; none if they may now.
    pub(crate) fn must_wait(&self, caller: &Caller, now: Timestamp) -> Option<Duration> {
        let forgiven = *self.lock().get(&guesser(caller))?;
        let wait = forgiven.duration_since(now) - INTERVAL * (BURST - 1);
        Duration::try_from(wait).ok().filter(|wait| !wait.is_zero())
    }

    /// Counts a wrong guess.
    pub(crate) fn count(&self, caller: &Caller, now: Timestamp) {
        let mut forgiven = self.lock();
        if forgiven.len() >= FORGET_BEYOND {
            forgiven.retain(|_, until| *until > now);
        }
        let until = forgiven.entry(guesser(caller)).or_insert(now);
        *until = (*until).max(now).checked_add(INTERVAL).unwrap_or(*until);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Guesser, Timestamp>> {
        self.forgiven.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn guesser(caller: &Caller) -> Guesser {
    (caller.tenant.clone(), caller.subject.clone())
}

#[cfg(test)]
mod tests {
    use kernel::Roles;

    use super::*;

    fn caller(subject: &str) -> Caller {
        Caller { tenant: TenantId::development(), subject: subject.into(), roles: Roles::default() }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).expect("in range")
    }

    #[test]
    fn ten_are_free_then_one_in_six_seconds() {
        let (guesses, ann) = (Guesses::default(), caller("ann"));
        for guess in 0..BURST {
            assert_eq!(guesses.must_wait(&ann, at(0)), None, "guess {guess}");
            guesses.count(&ann, at(0));
        }
        assert_eq!(guesses.must_wait(&ann, at(0)), Some(Duration::from_secs(6)));
        assert_eq!(guesses.must_wait(&ann, at(5)), Some(Duration::from_secs(1)));
        assert_eq!(guesses.must_wait(&ann, at(6)), None);
        guesses.count(&ann, at(6));
        assert_eq!(guesses.must_wait(&ann, at(6)), Some(Duration::from_secs(6)));
        assert_eq!(guesses.must_wait(&ann, at(66)), None);
    }

    #[test]
    fn each_caller_pays_for_themselves() {
        let guesses = Guesses::default();
        (0..50).for_each(|_| guesses.count(&caller("ann"), at(0)));
        assert_eq!(guesses.must_wait(&caller("bob"), at(0)), None);
        assert!(guesses.must_wait(&caller("ann"), at(100)).is_some());
    }

    #[test]
    fn the_forgiven_are_forgotten() {
        let guesses = Guesses::default();
        (0..FORGET_BEYOND).for_each(|n| guesses.count(&caller(&n.to_string()), at(0)));
        guesses.count(&caller("late"), at(60));
        assert_eq!(guesses.lock().len(), 1);
    }
}
