//! Cases that are being worked on, and when their complainants last heard of them.
//!
//! ```text
//! OPENED, REOPENED ─▶ open ─ every so many days without a word ─▶ news of it
//!                      │ ▲
//!                      ▼ │ unmerged, another outcome is due
//!      resolved, closed, withdrawn, declined, merged: at rest
//! ```

use jiff::Timestamp;
use kernel::CaseId;

kernel::numbered! {
    /// How far a case is that is open.
    Stage {
        /// Nobody has taken it up yet.
        Received = 1,
        /// Somebody looks into it.
        InHand = 2,
        /// It is decided, and what that demands is being carried out.
        CarryingOut = 3,
    }
}

/// A case whose complainant has heard nothing for long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenCase {
    /// The case.
    pub case_id: CaseId,
    /// Its cycle.
    pub cycle: i32,
    /// How far it is.
    pub stage: Stage,
    /// How many news its complainant has had of this cycle.
    pub number: i32,
}

/// What was told of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// A cycle is open, its complainant knows.
    Opened {
        /// The cycle.
        cycle: i32,
        /// How far it is.
        stage: Stage,
        /// Since when.
        since: Timestamp,
    },
    /// A cycle that is open has come further.
    Reached {
        /// The cycle.
        cycle: i32,
        /// How far.
        stage: Stage,
    },
    /// It is at rest.
    Rests,
}

impl Change {
    /// The two in one.
    #[must_use]
    pub fn then(self, later: Self) -> Self {
        match (self, later) {
            (Self::Opened { cycle, since, .. }, Self::Reached { cycle: of, stage }) if of == cycle => {
                Self::Opened { cycle, stage, since }
            }
            // What is at rest, or in a later cycle, comes no further.
            (Self::Opened { .. } | Self::Rests, Self::Reached { .. }) => self,
            (_, later) => later,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPENED: Change = Change::Opened { cycle: 2, stage: Stage::Received, since: Timestamp::UNIX_EPOCH };

    fn reached(cycle: i32) -> Change {
        Change::Reached { cycle, stage: Stage::InHand }
    }

    #[test]
    fn what_was_told_of_a_case_comes_to_one_change() {
        let in_hand = Change::Opened { cycle: 2, stage: Stage::InHand, since: Timestamp::UNIX_EPOCH };
        for (earlier, later, one) in [
            (OPENED, reached(2), in_hand),
            (OPENED, reached(1), OPENED),
            (OPENED, Change::Rests, Change::Rests),
            (Change::Rests, reached(2), Change::Rests),
            (Change::Rests, OPENED, OPENED),
            (reached(1), reached(2), reached(2)),
            (reached(1), OPENED, OPENED),
        ] {
            assert_eq!(earlier.then(later), one, "{earlier:?}, then {later:?}");
        }
    }
}
