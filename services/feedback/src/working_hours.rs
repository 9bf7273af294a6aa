//! When people are called: in working hours of their zone.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use calendar::{Calendar, Draft, Hours, Scale, builtin, zones};
use jiff::{SignedDuration, Timestamp};

/// The zone of those whose zone is not known.
pub const UTC: &str = "UTC";
/// Working hours in zones that no built-in calendar is of, Monday to Friday.
const OFFICE: &str = "09:00-18:00";

/// Calendars of our own, by zone; there are no more than there are zones.
static OFFICES: LazyLock<Mutex<HashMap<String, Arc<Calendar>>>> = LazyLock::new(Mutex::default);

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
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;
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

    #[test]
    fn a_friday_evening_is_followed_by_monday() {
        let from = "2026-11-27T17:30:00-05:00[America/Bogota]".parse::<jiff::Zoned>().unwrap().timestamp();
        let due = after("America/Bogota", from, 2).to_zoned(zones::get("America/Bogota").unwrap());
        assert_eq!(due.strftime("%A %H:%M").to_string(), "Monday 10:30");
    }
}
