//! A clock that stands still until a test moves it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use kernel::Clock;

/// Tells the time a test has set. Copies tell the same time.
#[derive(Clone, Debug)]
pub struct MockClock(Arc<Mutex<Timestamp>>);

impl MockClock {
    /// A clock that stands at a moment.
    pub fn at(now: Timestamp) -> Self {
        Self(Arc::new(Mutex::new(now)))
    }

    /// Moves it to a moment, back or forth.
    pub fn set(&self, now: Timestamp) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }

    /// Moves it forward.
    pub fn advance(&self, by: Duration) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) += by;
    }
}

/// Stands at the beginning of a working day, a Monday.
impl Default for MockClock {
    fn default() -> Self {
        // 2026-11-23T09:00:00Z
        Self::at(Timestamp::constant(1_795_424_400, 0))
    }
}

impl Clock for MockClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_tell_the_same_time() {
        let clock = MockClock::default();
        let copy = clock.clone();
        clock.advance(Duration::from_hours(1));
        assert_eq!(copy.now().to_string(), "2026-11-23T10:00:00Z");
    }
}
