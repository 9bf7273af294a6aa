//! What the clock on the wall says in a zone, as a line that never runs back.
//!
//! Where the wall clock is set back, it is taken to stand still until it shows
//! something new; where it is set forward, what it skips takes no time. So every
//! reading is reached exactly once, and a day lasts 24 hours of wall time
//! whatever the zone does.

use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};

/// A reading of the wall clock, kept as if the zone were UTC.
pub(crate) type Wall = Timestamp;

/// What the wall clock has shown at most by `time`.
pub(crate) fn wall(zone: &TimeZone, time: Timestamp) -> Wall {
    let shown = zone.to_datetime(time);
    match zone.to_ambiguous_timestamp(shown).offset() {
        // Shown a second time: the clock stands where it was set back.
        AmbiguousOffset::Fold { before, after } if instant(after, shown) == time => {
            match zone.preceding(after_one_nano(time)).next() {
                Some(back) => as_wall(before.to_datetime(back.timestamp())),
                None => as_wall(shown),
            }
        }
        _ => as_wall(shown),
    }
}

/// The first instant at which the wall clock shows `reading` or later.
pub(crate) fn reach(zone: &TimeZone, reading: DateTime) -> Timestamp {
    match zone.to_ambiguous_timestamp(reading).offset() {
        AmbiguousOffset::Unambiguous { offset } => instant(offset, reading),
        AmbiguousOffset::Fold { before, .. } => instant(before, reading),
        AmbiguousOffset::Gap { before, .. } => {
            let late = instant(before, reading);
            zone.preceding(after_one_nano(late)).next().map_or(late, |skip| skip.timestamp())
        }
    }
}

/// Same, of a reading kept as a [`Wall`].
pub(crate) fn reach_wall(zone: &TimeZone, reading: Wall) -> Timestamp {
    reach(zone, shown(reading))
}

/// The first instant by which the wall clock has shown all that comes before `reading`. Where
/// it is set back at just that reading, that is then, not when it shows it afterwards.
pub(crate) fn passed(zone: &TimeZone, reading: Wall) -> Timestamp {
    let last = shown(add(reading, SignedDuration::from_nanos(-1)));
    match zone.to_ambiguous_timestamp(last).offset() {
        AmbiguousOffset::Fold { before, .. } => instant(before, shown(reading)),
        AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Gap { .. } => reach_wall(zone, reading),
    }
}

/// Midnight at which a date begins, on the wall.
pub(crate) fn midnight(date: Date) -> Wall {
    as_wall(date.to_datetime(jiff::civil::Time::midnight()))
}

/// What a reading looks like.
pub(crate) fn shown(reading: Wall) -> DateTime {
    Offset::UTC.to_datetime(reading)
}

/// The date a reading lies in.
pub(crate) fn date(reading: Wall) -> Date {
    shown(reading).date()
}

/// The day after; the last day there is follows itself.
pub(crate) fn next(date: Date) -> Date {
    date.tomorrow().unwrap_or(Date::MAX)
}

/// The day before; the first day there is precedes itself.
pub(crate) fn previous(date: Date) -> Date {
    date.yesterday().unwrap_or(Date::MIN)
}

/// A sum that stops at the ends of time: budgets are bounded, data may not be.
pub(crate) fn add(time: Timestamp, amount: SignedDuration) -> Timestamp {
    let limit = if amount.is_negative() { Timestamp::MIN } else { Timestamp::MAX };
    time.checked_add(amount).unwrap_or(limit)
}

/// A reading, kept as a [`Wall`].
pub(crate) fn as_wall(reading: DateTime) -> Wall {
    instant(Offset::UTC, reading)
}

fn instant(offset: Offset, reading: DateTime) -> Timestamp {
    let limit =
        if reading < DateTime::constant(1970, 1, 1, 0, 0, 0, 0) { Timestamp::MIN } else { Timestamp::MAX };
    offset.to_timestamp(reading).unwrap_or(limit)
}

fn after_one_nano(time: Timestamp) -> Timestamp {
    add(time, SignedDuration::from_nanos(1))
}
