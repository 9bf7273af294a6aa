//! When an agent works: hours of weekdays, on the days a calendar says are worked.

use std::collections::HashMap;
use std::sync::Arc;

use calendar::{Calendar, Day, builtin};
use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

/// How many days ahead the next shift is looked for: no calendar rests for longer.
const HORIZON_DAYS: u32 = calendar::MAX_IDLE_DAYS + 14;
/// Minutes of a day.
pub const DAY_MINUTES: i32 = 1_440;

/// Hours of one weekday.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hours {
    /// 1 is Monday, 7 Sunday.
    pub weekday: i32,
    /// First minute of the day.
    pub from: i32,
    /// The minute they end before.
    pub until: i32,
}

/// When an agent works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shift {
    /// Name of the calendar that tells the worked days and the zone: the tenant's own, or a
    /// shipped one.
    pub calendar: String,
    /// The hours, in order.
    pub hours: Vec<Hours>,
}

/// The calendars that shifts go by: the tenant's own, and the shipped ones it has not edited.
#[derive(Clone, Debug, Default)]
pub struct Calendars(HashMap<String, Arc<Calendar>>);

impl Calendars {
    /// Adds one of the tenant's own.
    pub fn add(&mut self, name: String, calendar: Calendar) {
        self.0.insert(name, Arc::new(calendar));
    }

    /// The calendar of a name.
    pub fn get(&self, name: &str) -> Option<&Calendar> {
        self.0.get(name).map(Arc::as_ref).or_else(|| builtin::get(name))
    }
}

/// A version of a calendar of the tenant's own, as others tell it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CalendarVersion {
    /// What shifts call it.
    pub name: String,
    /// Which version; of two, the higher is the later.
    pub version: i64,
    /// All it says, as JSON.
    pub content: String,
}

/// A time of work without a break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stint {
    /// When it begins.
    pub from: Timestamp,
    /// When it is over.
    pub until: Timestamp,
}

impl Stint {
    /// Whether it is on at a moment.
    pub fn is_on(&self, now: Timestamp) -> bool {
        (self.from..self.until).contains(&now)
    }

    /// When that changes next, seen from a moment; none where it is over.
    pub fn turns(&self, now: Timestamp) -> Option<Timestamp> {
        [self.from, self.until].into_iter().find(|turn| *turn > now)
    }
}

impl Shift {
    /// The stint that is on at a moment, or the next; none where the calendar has none for
    /// a year.
    pub fn stint(&self, now: Timestamp, calendars: &Calendars) -> Option<Stint> {
        let calendar = calendars.get(&self.calendar)?;
        // Yesterday's last minute may still be on where a clock was set back.
        let mut day = calendar.date(now).yesterday().ok()?;
        for _ in 0..HORIZON_DAYS {
            let stint = self.stints(calendar, day).find(|stint| stint.until > now);
            if stint.is_some() {
                return stint;
            }
            day = day.tomorrow().ok()?;
        }
        None
    }

    /// The stints of a day, in order.
    fn stints<'a>(&'a self, calendar: &'a Calendar, day: Date) -> impl Iterator<Item = Stint> + 'a {
        let weekday = if calendar.is_worked(day) { Some(self.weekday_of(calendar, day)) } else { None };
        let hours = self.hours.iter().filter(move |hours| Some(hours.weekday) == weekday);
        hours.filter_map(move |hours| {
            let from = instant(calendar.zone(), day, hours.from)?;
            let until = instant(calendar.zone(), day, hours.until)?;
            (from < until).then_some(Stint { from, until })
        })
    }

    /// The weekday whose hours hold on a worked day: a weekend worked in exchange has those
    /// of the first weekday, unless it has its own.
    fn weekday_of(&self, calendar: &Calendar, day: Date) -> i32 {
        let weekday = i32::from(day.weekday().to_monday_one_offset());
        let has_own = self.hours.iter().any(|hours| hours.weekday == weekday);
        let in_exchange = weekday > 5 && calendar.day(day) != Day::Worked(String::new());
        match self.hours.first() {
            Some(first) if in_exchange && !has_own => first.weekday,
            _ => weekday,
        }
    }
}

/// The moment the wall clock shows a minute of a day.
fn instant(zone: &TimeZone, day: Date, minute: i32) -> Option<Timestamp> {
    let (day, minute) = if minute >= DAY_MINUTES { (day.tomorrow().ok()?, 0) } else { (day, minute) };
    let time = Time::new(i8::try_from(minute / 60).ok()?, i8::try_from(minute % 60).ok()?, 0, 0).ok()?;
    DateTime::from_parts(day, time).to_zoned(zone.clone()).ok().map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use calendar::{DayDraft, DayKind};
    use proptest::prelude::*;

    use super::*;

    fn office(calendar: &str) -> Shift {
        let day = |weekday| Hours { weekday, from: 9 * 60, until: 17 * 60 };
        Shift { calendar: calendar.to_owned(), hours: (1..=5).map(day).collect() }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    fn stint(shift: &Shift, now: &str) -> (String, String) {
        let stint = shift.stint(at(now), &Calendars::default()).expect("there is work");
        (stint.from.to_string(), stint.until.to_string())
    }

    #[test]
    fn it_is_on_from_its_first_minute_to_its_last() {
        let shift = office("uk");
        let monday = ("2026-11-30T09:00:00Z".to_owned(), "2026-11-30T17:00:00Z".to_owned());
        assert_eq!(stint(&shift, "2026-11-30T08:59:59Z"), monday);
        assert_eq!(stint(&shift, "2026-11-30T16:59:59Z"), monday);
        assert_eq!(stint(&shift, "2026-11-30T17:00:00Z").0, "2026-12-01T09:00:00Z");
        let on = shift.stint(at("2026-11-30T09:00:00Z"), &Calendars::default()).expect("there is work");
        assert!(on.is_on(at("2026-11-30T09:00:00Z")) && !on.is_on(at("2026-11-30T17:00:00Z")));
    }

    #[test]
    fn weekends_and_holidays_are_off() {
        assert_eq!(stint(&office("uk"), "2026-12-24T17:30:00Z").0, "2026-12-29T09:00:00Z");
    }

    #[test]
    fn a_weekend_worked_in_exchange_has_the_hours_of_the_first_weekday() {
        assert_eq!(stint(&office("cn"), "2026-10-10T00:30:00Z").0, "2026-10-10T01:00:00Z");
    }

    #[test]
    fn hours_follow_the_wall_clock() {
        assert_eq!(stint(&office("uk"), "2026-07-01T00:00:00Z").0, "2026-07-01T08:00:00Z");
        let night = Shift {
            calendar: "always".to_owned(),
            hours: vec![Hours { weekday: 1, from: 22 * 60, until: DAY_MINUTES }],
        };
        assert_eq!(stint(&night, "2026-11-30T00:00:00Z").1, "2026-12-01T00:00:00Z");
    }

    #[test]
    fn the_tenants_own_calendar_comes_before_the_shipped_one_of_its_name() {
        let mut draft = builtin::draft("uk").expect("it is shipped");
        let (date, name) = ("2026-11-30".to_owned(), "Founders' day".to_owned());
        draft.days.push(DayDraft { date, kind: DayKind::Holiday, name });
        let mut calendars = Calendars::default();
        calendars.add("uk".to_owned(), draft.check().expect("it is sound"));
        let stint = office("uk").stint(at("2026-11-30T09:00:00Z"), &calendars).expect("there is work");
        assert_eq!(stint.from.to_string(), "2026-12-01T09:00:00Z");
    }

    #[test]
    fn nobody_works_by_a_calendar_there_is_not() {
        assert_eq!(office("mars").stint(at("2026-11-30T09:00:00Z"), &Calendars::default()), None);
    }

    proptest! {
        /// Following the turns misses no moment of work.
        #[test]
        fn a_turn_is_never_missed(hour in 0..9_000_i64, calendar in 0..7_usize) {
            let name = builtin::names().nth(calendar).expect("seven");
            let shift = office(name);
            let now = at("2026-01-01T00:00:00Z") + jiff::SignedDuration::from_hours(hour);
            let found = shift.stint(now, &Calendars::default()).expect("there is work");
            prop_assert!(found.until > now);
            let turn = found.turns(now).expect("it is not over");
            let before = turn - jiff::SignedDuration::from_secs(1);
            let stays = shift.stint(before.max(now), &Calendars::default()).map(|stint| stint.is_on(before.max(now)));
            prop_assert_eq!(stays, Some(found.is_on(now)));
        }
    }
}
