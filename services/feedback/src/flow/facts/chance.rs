//! Chance that can be drawn again.

use jiff::{SignedDuration, Timestamp};

/// Draws numbers, the same for the same seed.
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    /// A number below another.
    pub(crate) fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }

    /// One of some things.
    pub(crate) fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.place(of.len())]
    }

    /// A place below another.
    pub(crate) fn place(&mut self, most: usize) -> usize {
        usize::try_from(self.below(most as u64)).unwrap_or(0)
    }

    /// Whether something happens that does so often of a hundred times.
    pub(super) fn is(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// A time after another, within some hours.
    pub(super) fn after(&mut self, at: Timestamp, hours: u64) -> Timestamp {
        let seconds = i64::try_from(self.below(hours * 3_600) + 1).unwrap_or(1);
        at + SignedDuration::from_secs(seconds)
    }
}
