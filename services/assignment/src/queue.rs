//! Whose turn comes first: the more urgent, until what is less so has waited long enough.
//!
//! A case's rank is when its cycle began to want a handler, and an allowance for what can
//! wait; the earliest rank is taken first. The rank of a case never changes while it waits,
//! unless its priority does, so a queue is read from its front at the same cost however
//! long it is. What is less urgent comes before a fresh case that is more so once it has
//! waited for the difference of their allowances: a P4 of 48 hours before a fresh P3. Within
//! that rule what people just did comes before what was handed in by the thousands. And
//! nobody starves: who comes more than [`LONGEST_ALLOWANCE`] after a case never overtakes it.

use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use vocabulary::Priority;

/// What a case of bulk may wait longer.
const BULK_ALLOWANCE: SignedDuration = SignedDuration::from_hours(24);
/// The longest there is.
pub const LONGEST_ALLOWANCE: SignedDuration = SignedDuration::from_hours(96);

/// How long a case may wait before it comes before everything that is fresh.
pub fn allowance(priority: Priority, is_bulk: bool) -> SignedDuration {
    let hours = match priority {
        Priority::P1 => 0,
        Priority::P2 => 8,
        Priority::P3 => 24,
        Priority::P4 => 72,
    };
    let own = SignedDuration::from_hours(hours);
    if is_bulk { own.saturating_add(BULK_ALLOWANCE) } else { own }
}

/// A place in a queue: the earliest rank first, then the case's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Since when it wants a handler, and its allowance.
    pub rank: Timestamp,
    /// The case.
    pub case_id: Uuid,
}

impl Place {
    /// Before every case.
    pub const FRONT: Self = Self { rank: Timestamp::UNIX_EPOCH, case_id: Uuid::nil() };

    /// The place of a case that wants a handler since a moment.
    pub fn of(case_id: Uuid, since: Timestamp, priority: Priority, is_bulk: bool) -> Self {
        let rank = since.saturating_add(allowance(priority, is_bulk)).unwrap_or(Timestamp::MAX);
        Self { rank, case_id }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.rank.as_microsecond(), self.case_id)
    }
}

/// A text that names no place in a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidPlace;

impl FromStr for Place {
    type Err = InvalidPlace;

    fn from_str(text: &str) -> Result<Self, InvalidPlace> {
        let (micros, case_id) = text.split_once(' ').ok_or(InvalidPlace)?;
        let micros = micros.parse().map_err(|_| InvalidPlace)?;
        let rank = Timestamp::from_microsecond(micros).map_err(|_| InvalidPlace)?;
        let case_id = case_id.parse().map_err(|_| InvalidPlace)?;
        Ok(Self { rank, case_id })
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    const ALL: [Priority; 4] = [Priority::P1, Priority::P2, Priority::P3, Priority::P4];

    fn place(id: u128, hour: i64, priority: Priority, is_bulk: bool) -> Place {
        let since = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hour);
        Place::of(Uuid::from_u128(id), since, priority, is_bulk)
    }

    #[test]
    fn the_more_urgent_comes_first_until_the_other_has_waited_for_the_difference() {
        assert!(place(2, 47, Priority::P3, false) < place(1, 0, Priority::P4, false));
        assert!(place(2, 49, Priority::P3, false) > place(1, 0, Priority::P4, false));
        assert!(place(2, 71, Priority::P1, false) < place(1, 0, Priority::P4, false));
        assert!(place(2, 73, Priority::P1, false) > place(1, 0, Priority::P4, false));
    }

    #[test]
    fn bulk_comes_after_what_is_live_and_not_for_ever() {
        assert!(place(2, 23, Priority::P3, false) < place(1, 0, Priority::P3, true));
        assert!(place(2, 25, Priority::P3, false) > place(1, 0, Priority::P3, true));
    }

    #[test]
    fn a_place_is_written_and_read() {
        let place = place(7, 5, Priority::P2, true);
        assert_eq!(place.to_string().parse(), Ok(place));
        assert!(Place::FRONT < place);
        assert_eq!("1 x".parse::<Place>(), Err(InvalidPlace));
        assert_eq!("".parse::<Place>(), Err(InvalidPlace));
    }

    proptest! {
        /// Whatever comes, a case is overtaken only by what came within the longest
        /// allowance after it; and of the same kind, by nothing that came later.
        #[test]
        fn nobody_starves(cases in vec((0..500_i64, 0..4_usize, any::<bool>()), 2..60)) {
            let places = cases.iter().enumerate().map(|(id, (hour, priority, bulk))| {
                (*hour, (*priority, *bulk), place(id as u128, *hour, ALL[*priority], *bulk))
            });
            let places: Vec<_> = places.collect();
            for (hour, kind, waiting) in &places {
                for (later, other, fresh) in places.iter().filter(|(later, ..)| later > hour) {
                    let overtakes = fresh < waiting;
                    prop_assert!(!overtakes || SignedDuration::from_hours(later - hour) <= LONGEST_ALLOWANCE);
                    prop_assert!(!overtakes || kind != other);
                }
            }
        }

        /// However busy the queue: with one place free an hour and one fresh P1 an hour, what
        /// waits is taken by the time all that may come before it has been.
        #[test]
        fn a_stream_of_urgent_cases_does_not_hold_up_one_that_is_not(ahead in 0..50_u8) {
            let mut queue: Vec<Place> =
                (0..ahead).map(|id| place(u128::from(id), 0, Priority::P1, false)).collect();
            let mine = place(1_000, 0, Priority::P4, true);
            queue.push(mine);
            let bound = LONGEST_ALLOWANCE.as_hours() + i64::from(ahead) + 1;
            let taken = (1..=bound).find(|hour| {
                queue.push(place(2_000 + u128::from(hour.unsigned_abs()), *hour, Priority::P1, false));
                let next = queue.iter().copied().min().expect("one was pushed");
                queue.retain(|place| *place != next);
                next == mine
            });
            prop_assert!(taken.is_some(), "it waits longer than {bound} hours");
        }
    }
}
