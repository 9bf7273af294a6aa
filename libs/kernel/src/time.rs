//! Time is an argument: the one clock that reads the machine's is here.

use std::time::Duration;

use jiff::{Timestamp, TimestampRound, Unit};

/// Tells the time.
pub trait Clock: Send + Sync + 'static {
    /// Now, to the microsecond: as exact as Postgres keeps it, so that what is
    /// answered equals what is read later.
    fn now(&self) -> Timestamp;

    /// Whether it tells the time of the world, and must agree with the database's. One
    /// that a test or a demonstration moves does not.
    fn is_real(&self) -> bool {
        false
    }
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the real clock")]
    fn now(&self) -> Timestamp {
        micros(Timestamp::now())
    }

    fn is_real(&self) -> bool {
        true
    }
}

/// Cuts a moment to the microsecond.
pub fn micros(time: Timestamp) -> Timestamp {
    let round = TimestampRound::new().smallest(Unit::Microsecond).mode(jiff::RoundMode::Trunc);
    time.round(round).unwrap_or(time)
}

/// A moment after another; the other itself where there is none so late.
pub fn later(time: Timestamp, by: Duration) -> Timestamp {
    time.saturating_add(by).unwrap_or(time)
}

/// How long to wait after so many failures in a row: `first` after none, the double after each
/// further one, at most `longest`. Fewer than none are none.
pub fn doubled(first: Duration, longest: Duration, failures: i32) -> Duration {
    let failures = u32::try_from(failures).unwrap_or(0);
    first.saturating_mul(2_u32.saturating_pow(failures)).min(longest)
}

/// The time a caller gives, as gRPC writes it (`grpc-timeout`): up to eight digits and
/// a unit. One that cannot be read is none.
pub fn timeout(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let plain = digits.len() <= 8 && digits.bytes().all(|digit| digit.is_ascii_digit());
    let value = digits.parse().ok().filter(|_| plain)?;
    match unit {
        "H" => Some(Duration::from_hours(value)),
        "M" => Some(Duration::from_mins(value)),
        "S" => Some(Duration::from_secs(value)),
        "m" => Some(Duration::from_millis(value)),
        "u" => Some(Duration::from_micros(value)),
        "n" => Some(Duration::from_nanos(value)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_until_they_are_longest() {
        let [first, longest] = [1, 300].map(Duration::from_secs);
        let seconds: Vec<u64> = [-1, 0, 1, 2, 8, 9, i32::MAX]
            .map(|failures| doubled(first, longest, failures).as_secs())
            .to_vec();
        assert_eq!(seconds, [1, 1, 2, 4, 256, 300, 300]);
    }

    #[test]
    fn nothing_is_later_than_the_last_moment() {
        assert_eq!(later(Timestamp::UNIX_EPOCH, Duration::from_secs(7)).as_second(), 7);
        assert_eq!(later(Timestamp::MAX, Duration::from_secs(7)), Timestamp::MAX);
    }

    #[test]
    fn timeouts_are_read_as_the_protocol_says() {
        assert_eq!(timeout("2H"), Some(Duration::from_hours(2)));
        assert_eq!(timeout("3M"), Some(Duration::from_mins(3)));
        assert_eq!(timeout("4S"), Some(Duration::from_secs(4)));
        assert_eq!(timeout("250m"), Some(Duration::from_millis(250)));
        assert_eq!(timeout("99999999u"), Some(Duration::from_micros(99_999_999)));
        assert_eq!(timeout("7n"), Some(Duration::from_nanos(7)));
    }

    #[test]
    fn what_is_no_timeout_is_none() {
        for wrong in ["", "S", "1", "1x", "-1S", "+5S", "123456789S", "1.5S", "1\u{20ac}"] {
            assert_eq!(timeout(wrong), None, "{wrong:?}");
        }
    }
}
