//! How often one end user may be wrong about secret codes, as receipt codes are. Only
//! wrong codes count, and of them not those their check character shows to be misspelt,
//! which nobody who guesses would send. A right code is always answered: of 100 secret bits none is
//! found by guessing, and whoever has used their guesses up must not keep others, or
//! themselves, from their own complaint. A code that opens nothing yet is as wrong as any
//! until it does.
//!
//! A channel calls for many people as one subject, and says for whom; where it does
//! not, all of them share an allowance that is a hundred times as large.
//!
//! A leaky bucket kept as one moment per end user (GCRA), in each process for itself.
//! Written out because a limiter that decides and counts in one step cannot count
//! failures only.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use kernel::{Caller, Role, TenantId};

/// End users remembered; beyond, those whose guesses are long past are forgotten, and
/// where none are, new ones are counted with their caller.
const MAX_KEYS: usize = 10_000;
/// Characters of an end user's name that count.
const MAX_END_USER: usize = 200;

/// How many wrong codes there may be.
struct Allowance {
    /// In a row, free of charge.
    burst: i32,
    /// After them, one more in this time.
    interval: SignedDuration,
}

/// What an end user has whom the channel names.
const END_USER: Allowance = Allowance { burst: 10, interval: SignedDuration::from_secs(6) };
/// What a caller has who names nobody.
const CALLER: Allowance = Allowance { burst: 1_000, interval: SignedDuration::from_millis(100) };

/// Whose guesses are counted together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LimitKey {
    tenant: TenantId,
    subject: Arc<str>,
    /// Empty for the caller's own.
    end_user: String,
}

impl LimitKey {
    /// Who guesses when a caller asks for an end user, whom only channels may name.
    pub fn new(caller: &Caller, end_user: &str) -> Self {
        let is_believed = caller.roles.may_act_as(Role::Channel);
        let end_user =
            if is_believed { end_user.chars().take(MAX_END_USER).collect() } else { String::new() };
        Self { tenant: caller.tenant.clone(), subject: caller.subject.clone(), end_user }
    }

    fn allowance(&self) -> &'static Allowance {
        if self.end_user.is_empty() { &CALLER } else { &END_USER }
    }

    /// The caller themselves.
    fn caller(&self) -> Self {
        Self { end_user: String::new(), ..self.clone() }
    }
}

/// The wrong guesses of late, of this process.
#[derive(Debug, Default)]
pub struct CodeRateLimit {
    /// When the wrong guesses of a key will all be forgiven, an interval for each.
    forgiven: Mutex<HashMap<LimitKey, Timestamp>>,
}

impl CodeRateLimit {
    /// Counts a wrong guess; answers how long who made it has to wait where it is one
    /// too many, which is not counted.
    pub fn count(&self, key: LimitKey, now: Timestamp) -> Option<Duration> {
        let mut forgiven = self.lock();
        if forgiven.len() >= MAX_KEYS && !forgiven.contains_key(&key) {
            forgiven.retain(|_, until| *until > now);
        }
        let is_full = forgiven.len() >= MAX_KEYS && !forgiven.contains_key(&key);
        let key = if is_full { key.caller() } else { key };
        let &Allowance { burst, interval } = key.allowance();
        let until = forgiven.entry(key).or_insert(now);
        *until = (*until).max(now);
        let wait = until.duration_since(now) - interval * (burst - 1);
        if wait.is_positive() {
            return Duration::try_from(wait).ok();
        }
        *until = until.checked_add(interval).unwrap_or(*until);
        None
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<LimitKey, Timestamp>> {
        self.forgiven.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use kernel::Roles;

    use super::*;

    fn caller(roles: &str) -> Caller {
        let roles = Roles::read(roles.split_whitespace());
        Caller { tenant: TenantId::development(), subject: "portal".into(), roles }
    }

    fn key(end_user: &str) -> LimitKey {
        LimitKey::new(&caller("channel"), end_user)
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).expect("in range")
    }

    #[test]
    fn an_end_user_has_ten_wrong_codes_then_one_in_six_seconds() {
        let (limit, ann) = (CodeRateLimit::default(), key("ann"));
        for guess in 0..10 {
            assert_eq!(limit.count(ann.clone(), at(0)), None, "guess {guess}");
        }
        assert_eq!(limit.count(ann.clone(), at(0)), Some(Duration::from_secs(6)));
        assert_eq!(limit.count(ann.clone(), at(5)), Some(Duration::from_secs(1)));
        assert_eq!(limit.count(ann.clone(), at(6)), None);
        assert_eq!(limit.count(ann.clone(), at(6)), Some(Duration::from_secs(6)));
        assert_eq!(limit.count(ann, at(66)), None);
    }

    #[test]
    fn an_unnamed_audience_has_a_thousand_then_ten_a_second() {
        let limit = CodeRateLimit::default();
        for guess in 0..1_000 {
            assert_eq!(limit.count(key(""), at(0)), None, "guess {guess}");
        }
        assert_eq!(limit.count(key(""), at(0)), Some(Duration::from_millis(100)));
        assert_eq!((0..10).filter(|_| limit.count(key(""), at(1)).is_none()).count(), 10);
    }

    #[test]
    fn each_end_user_pays_for_themselves() {
        let limit = CodeRateLimit::default();
        for _ in 0..50 {
            limit.count(key("ann"), at(0));
        }
        assert_eq!(limit.count(key("bob"), at(0)), None);
        assert_eq!(limit.count(key(""), at(0)), None);
        assert!(limit.count(key("ann"), at(0)).is_some());
    }

    #[test]
    fn only_channels_name_end_users() {
        assert_eq!(LimitKey::new(&caller("reader"), "ann"), LimitKey::new(&caller("reader"), "bob"));
        assert_ne!(LimitKey::new(&caller("channel reader"), "ann"), LimitKey::new(&caller("channel"), "bob"));
        assert_eq!(key(&"x".repeat(300)), key(&"x".repeat(200)), "the rest does not count");
    }

    #[test]
    fn the_forgiven_are_forgotten_and_the_many_share_their_callers_allowance() {
        let limit = CodeRateLimit::default();
        for n in 0..MAX_KEYS {
            limit.count(key(&n.to_string()), at(0));
        }
        (0..20).for_each(|_| assert_eq!(limit.count(key("late"), at(0)), None, "as its caller"));
        assert_eq!(limit.lock().len(), MAX_KEYS + 1);
        limit.count(key("late"), at(60));
        assert_eq!(limit.lock().len(), 1);
    }
}
