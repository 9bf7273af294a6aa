//! When people are called: in working hours of their zone.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use calendar::{Calendar, Draft, Hours, Scale, builtin, zones};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// The zone of those whose zone is not known.
pub const UTC: &str = "UTC";
/// Working hours in zones that no built-in calendar is of, Monday to Friday.
const OFFICE: &str = "09:00-18:00";

/// A time of late: years before it are counted at the start.
const LATELY: i64 = 1_790_000_000;

/// Calendars of our own, by zone; there are no more than there are zones.
static OFFICES: LazyLock<Mutex<HashMap<String, Arc<Calendar>>>> = LazyLock::new(Mutex::default);

/// Working seconds from 1970 to the beginning of a day of UTC, by zone; there are no more
/// than there are zones and days.
static DAYS: LazyLock<Mutex<HashMap<(String, Date), i64>>> = LazyLock::new(Mutex::default);
/// Working time is counted from here.
const FIRST_YEAR: i16 = 1970;

/// A zone as it is called back in: the one named, or UTC where there is no such zone.
pub fn known(zone: &str) -> &str {
    if !zone.is_empty() && zones::get(zone).is_some() { zone } else { UTC }
}

/// The moment by which so many working hours of a zone have passed.
pub fn after(zone: &str, from: Timestamp, hours: i32) -> Timestamp {
    let amount = SignedDuration::from_hours(hours.into());
    let zone = known(zone);
    if let Some(calendar) = built_in(zone) {
        return Scale::WorkingTime.advance(calendar, from, amount);
    }
    match office(zone) {
        Some(calendar) => Scale::WorkingTime.advance(&calendar, from, amount),
        None => from,
    }
}

/// The last moment between two times that is worked in a zone; none where none is.
pub fn last_within(zone: &str, from: Timestamp, to: Timestamp) -> Option<Timestamp> {
    let worked = until(zone, to) - until(zone, from);
    if to <= from || worked <= 0 {
        return None;
    }
    let (zone, amount) = (known(zone), SignedDuration::from_secs(worked));
    let last = match built_in(zone) {
        Some(calendar) => Scale::WorkingTime.advance(calendar, from, amount),
        None => Scale::WorkingTime.advance(&*office(zone)?, from, amount),
    };
    // Counted from far away, a second may be lost or gained.
    Some(last.min(to))
}

/// How many working seconds of a zone have passed from 1970 until a time; those between
/// two times are its difference. Times of before 1970 have none.
pub fn until(zone: &str, at: Timestamp) -> i64 {
    let zone = known(zone);
    if let Some(calendar) = built_in(zone) {
        return worked(zone, calendar, at);
    }
    office(zone).map_or(0, |calendar| worked(zone, &calendar, at))
}

/// The working seconds up to a time: those up to the beginning of its day, which are
/// counted once, and those since.
fn worked(zone: &str, calendar: &Calendar, at: Timestamp) -> i64 {
    let date = at.to_zoned(TimeZone::UTC).date();
    let Some(begin) = midnight(date) else { return 0 };
    before(zone, calendar, date) + Scale::WorkingTime.measure(calendar, begin, at).as_secs()
}

/// The working seconds from 1970 to the beginning of a day, by way of that of its year and
/// those of the years before: each is counted once.
fn before(zone: &str, calendar: &Calendar, date: Date) -> i64 {
    if date.year() < FIRST_YEAR {
        return 0;
    }
    let key = (zone.to_owned(), date);
    let known = DAYS.lock().unwrap_or_else(PoisonError::into_inner).get(&key).copied();
    if let Some(known) = known {
        return known;
    }
    let new_year = date.first_of_year();
    let since = if date == new_year { date.yesterday().map(Date::first_of_year) } else { Ok(new_year) };
    let worked = since.ok().and_then(|since| {
        let part = Scale::WorkingTime.measure(calendar, midnight(since)?, midnight(date)?).as_secs();
        Some(before(zone, calendar, since) + part)
    });
    let worked = worked.unwrap_or(0);
    DAYS.lock().unwrap_or_else(PoisonError::into_inner).insert(key, worked);
    worked
}

fn midnight(date: Date) -> Option<Timestamp> {
    Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

/// The built-in calendar of a zone, but for the one that knows no rest.
fn built_in(zone: &str) -> Option<&'static Calendar> {
    let names = builtin::names().filter(|name| *name != "always");
    names.filter_map(builtin::get).find(|calendar| calendar.zone().iana_name() == Some(zone))
}

/// An office's hours in a zone.
fn office(zone: &str) -> Option<Arc<Calendar>> {
    let mut offices = OFFICES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = offices.get(zone) {
        return Some(Arc::clone(known));
    }
    let day = || vec![OFFICE.to_owned()];
    let hours = Hours {
        monday: day(),
        tuesday: day(),
        wednesday: day(),
        thursday: day(),
        friday: day(),
        ..Hours::default()
    };
    let draft = Draft { zone: zone.to_owned(), hours, ..Draft::default() };
    let calendar = Arc::new(draft.accepted().ok()?);
    offices.insert(zone.to_owned(), Arc::clone(&calendar));
    Some(calendar)
}

/// Makes the built-in calendars, which takes longer than a call may compute: once, at the
/// start.
pub fn prepare() {
    built_in(UTC);
    until(UTC, Timestamp::from_second(LATELY).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn people_are_called_while_offices_are_open_where_they_are(
            second in 1_700_000_000..1_900_000_000_i64,
            hours in 1..200_i32,
            zone in prop::sample::select(vec![
                "Asia/Shanghai", "Europe/London", "America/New_York", "America/Bogota", "Asia/Kathmandu", "", "Mars/Olympus",
            ]),
        ) {
            let from = Timestamp::from_second(second).unwrap();
            let due = after(zone, from, hours);
            prop_assert!(due > from);
            let there = due.to_zoned(zones::get(known(zone)).unwrap_or(TimeZone::UTC));
            let minute = i32::from(there.hour()) * 60 + i32::from(there.minute());
            prop_assert!((8 * 60..=18 * 60).contains(&minute), "{there}");
            // A weekend is worked in exchange for a holiday, in China alone.
            let weekday = there.weekday().to_monday_zero_offset() < 5;
            prop_assert!(weekday || zone == "Asia/Shanghai", "{there}");
            prop_assert!(after(zone, from, hours + 1) > due);
        }
    }

    proptest! {
        #[test]
        fn what_was_worked_between_two_times_is_the_difference(
            second in 0..1_900_000_000_i64,
            further in 0..40_000_000_i64,
            zone in prop::sample::select(vec!["Asia/Shanghai", "America/New_York", "UTC"]),
        ) {
            let from = Timestamp::from_second(second).unwrap();
            let to = Timestamp::from_second(second + further).unwrap();
            let measure = |calendar: &Calendar| Scale::WorkingTime.measure(calendar, from, to).as_secs();
            let measured = built_in(zone).map_or_else(|| measure(&office(zone).unwrap()), measure);
            prop_assert!((until(zone, to) - until(zone, from) - measured).abs() <= 1);
        }
    }

    proptest! {
        #[test]
        fn the_last_moment_of_a_window_is_worked_and_within_it(
            second in 1_700_000_000..1_900_000_000_i64,
            minutes in 1..20_000_i64,
            zone in prop::sample::select(vec!["Asia/Shanghai", "America/New_York", "America/Bogota", "UTC"]),
        ) {
            let from = Timestamp::from_second(second).unwrap();
            let to = Timestamp::from_second(second + minutes * 60).unwrap();
            if let Some(last) = last_within(zone, from, to) {
                prop_assert!(from < last && last <= to);
                prop_assert!((until(zone, to) - until(zone, last)).abs() <= 1, "nothing is worked after it");
                let there = last.to_zoned(zones::get(zone).unwrap());
                let minute = i32::from(there.hour()) * 60 + i32::from(there.minute());
                prop_assert!((8 * 60..=18 * 60).contains(&minute), "{there}");
            } else {
                prop_assert!(until(zone, to) - until(zone, from) <= 0);
            }
        }
    }

    #[test]
    fn a_friday_evening_is_followed_by_monday() {
        let from = "2026-11-27T17:30:00-05:00[America/Bogota]".parse::<jiff::Zoned>().unwrap().timestamp();
        let due = after("America/Bogota", from, 2).to_zoned(zones::get("America/Bogota").unwrap());
        assert_eq!(due.strftime("%A %H:%M").to_string(), "Monday 10:30");
    }
}
