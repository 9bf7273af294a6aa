//! The two lanes of an event feed.

/// Which lane an event travels in: what a person has just done never waits behind
/// what was handed in by the thousands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// What has just been done, one thing at a time.
    #[default]
    Live,
    /// Imports, and what services do about them.
    Bulk,
}

impl Lane {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Live, Self::Bulk];

    /// Its number: in the contract (`redress.event.v1.Lane`) and in the tables.
    pub fn number(self) -> i16 {
        match self {
            Self::Live => 1,
            Self::Bulk => 2,
        }
    }

    /// The lane of a number; an event of a server that knows no lanes is live.
    pub fn of(number: i32) -> Self {
        if number == i32::from(Self::Bulk.number()) { Self::Bulk } else { Self::Live }
    }

    /// Its name, in logs and measurements.
    pub fn name(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Bulk => "bulk",
        }
    }
}
