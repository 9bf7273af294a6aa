//! Time is an argument: the one clock that reads the machine's is here.

use jiff::{Timestamp, TimestampRound, Unit};

/// Tells the time.
pub trait Clock: Send + Sync + 'static {
    /// Now, to the microsecond: as exact as Postgres keeps it, so that what is
    /// answered equals what is read later.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the real clock")]
    fn now(&self) -> Timestamp {
        micros(Timestamp::now())
    }
}

/// Cuts a moment to the microsecond.
pub fn micros(time: Timestamp) -> Timestamp {
    let round = TimestampRound::new().smallest(Unit::Microsecond).mode(jiff::RoundMode::Trunc);
    time.round(round).unwrap_or(time)
}
