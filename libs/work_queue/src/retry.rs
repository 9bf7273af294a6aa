//! When work is tried again.

use std::time::Duration;

use kernel::time::doubled;

use crate::Blame;

/// How long work waits that could not be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// The first time; the double each time after that.
    pub first: Duration,
    /// At most.
    pub longest: Duration,
}

/// When work is tried again, and how often it was in vain by then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Again {
    /// How long it waits.
    pub after: Duration,
    /// How often it was tried in vain.
    pub attempts: i32,
}

impl Default for Retry {
    fn default() -> Self {
        Self { first: Duration::from_secs(1), longest: Duration::from_mins(5) }
    }
}

impl Retry {
    /// When work is tried again that was tried in vain so often before: what nobody could have
    /// done says nothing about the work, and does not count.
    pub fn again(self, attempts: i32, blame: Blame) -> Again {
        match blame {
            Blame::Stop => Again { after: Duration::ZERO, attempts },
            Blame::Outage => Again { after: self.first, attempts },
            Blame::Work => Again {
                after: doubled(self.first, self.longest, attempts),
                attempts: attempts.saturating_add(1),
            },
        }
    }
}
