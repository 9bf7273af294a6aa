//! A calendar: which days are worked, and when on them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::OnceLock;

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::civil;
use crate::draft::Observed;
use crate::rules::Rule;

/// Years whose days are looked up in a table made at first need; other years are
/// worked out each time.
const FIRST_YEAR: i16 = 1970;
const YEARS: usize = 180;
/// The days of those years: working time is counted and looked for in them, and what is
/// not found there is beyond all horizons. So every search ends.
pub(crate) const FIRST_DAY: Date = jiff::civil::date(FIRST_YEAR, 1, 1);
pub(crate) const LAST_DAY: Date = jiff::civil::date(2149, 12, 31);
/// Most days in a row that a calendar may be without working time.
pub const MAX_IDLE_DAYS: u32 = 366;

/// Minutes of the day between which work is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shift {
    pub(crate) from: u16,
    pub(crate) until: u16,
}

/// A day somebody listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) worked: bool,
    pub(crate) name: String,
}

/// What a day is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Day {
    /// Worked; named when a listed day makes it so.
    Worked(String),
    /// Off because of its weekday.
    Weekend,
    /// Off by rule or by list, with its name.
    Holiday(String),
}

/// Which days are worked in a zone, and when on them. Made from a [`Draft`].
///
/// [`Draft`]: crate::Draft
pub struct Calendar {
    zone: TimeZone,
    /// Shifts of each weekday, Monday first.
    week: [Vec<Shift>; 7],
    make_up: Vec<Shift>,
    rules: Vec<Rule>,
    listed: BTreeMap<Date, Listed>,
    known_until: Option<Date>,
    years: Box<[OnceLock<Year>]>,
}

/// The days of one year that are not as their weekday says.
struct Year {
    /// One bit a day of the year: worked or not.
    worked: [u64; 6],
    holidays: BTreeMap<Date, String>,
}

impl Calendar {
    pub(crate) fn of(
        zone: TimeZone,
        week: [Vec<Shift>; 7],
        make_up: Vec<Shift>,
        rules: Vec<Rule>,
        listed: BTreeMap<Date, Listed>,
        known_until: Option<Date>,
    ) -> Self {
        let years = (0..YEARS).map(|_| OnceLock::new()).collect();
        Self { zone, week, make_up, rules, listed, known_until, years }
    }

    /// The zone its days and hours are in.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// Last day whose holidays are known, where rules do not settle every year.
    pub fn known_until(&self) -> Option<Date> {
        self.known_until
    }

    /// Whether a due time lies beyond what is known of the holidays: it may
    /// still move when they are announced.
    pub fn is_provisional(&self, due: Timestamp) -> bool {
        self.known_until.is_some_and(|last| due > civil::reach(&self.zone, midnight_after(last)))
    }

    /// The date the wall clock shows at an instant.
    pub fn date(&self, time: Timestamp) -> Date {
        self.zone.to_datetime(time).date()
    }

    /// Whether a day is worked.
    pub fn is_worked(&self, date: Date) -> bool {
        match self.year(date.year()) {
            Some(year) => year.is_worked(date),
            None => matches!(self.find(date, &self.holidays(date.year())), Day::Worked(_)),
        }
    }

    /// What a day is, and what it is called.
    pub fn day(&self, date: Date) -> Day {
        match self.year(date.year()) {
            Some(year) => self.find(date, &year.holidays),
            None => self.find(date, &self.holidays(date.year())),
        }
    }

    /// The first worked day from `date` on; the end of time where there is none before
    /// the horizon.
    pub(crate) fn worked_from(&self, date: Date) -> Date {
        days_from(date).find(|date| self.is_worked(*date)).unwrap_or(Date::MAX)
    }

    /// Where more than [`MAX_IDLE_DAYS`] days in a row are without working time: the first
    /// of them. Looks at every year of the table and keeps nothing of it.
    pub(crate) fn idle_from(&self) -> Option<Date> {
        let mut idle = 0;
        for year in (FIRST_YEAR..).take(YEARS) {
            let holidays = self.holidays(year);
            let mut day = Date::new(year, 1, 1).ok()?;
            while day.year() == year {
                idle = if matches!(self.find(day, &holidays), Day::Worked(_)) { 0 } else { idle + 1 };
                if idle > MAX_IDLE_DAYS {
                    let back = jiff::Span::new().days(i64::from(MAX_IDLE_DAYS));
                    return Some(day.saturating_sub(back));
                }
                day = civil::next(day);
            }
        }
        None
    }

    /// The hours worked on a day, as instants; none where the wall clock skips
    /// them.
    pub(crate) fn shifts(&self, date: Date) -> Vec<(Timestamp, Timestamp)> {
        if !self.is_worked(date) {
            return Vec::new();
        }
        let usual = &self.week[weekday_index(date.weekday())];
        let shifts = if usual.is_empty() { &self.make_up } else { usual };
        let begin = civil::reach(&self.zone, date.to_datetime(jiff::civil::Time::midnight()));
        let end = civil::reach(&self.zone, midnight_after(date));
        // On a day of 24 hours no clock is set: minutes can simply be counted.
        let even = end.duration_since(begin) == SignedDuration::from_hours(24);
        let instant = |minute: u16| match (even, minute) {
            (true, minute) => civil::add(begin, SignedDuration::from_mins(i64::from(minute))),
            (false, minute) => self.reading(date, minute),
        };
        shifts
            .iter()
            .map(|shift| (instant(shift.from), instant(shift.until)))
            .filter(|(from, until)| from < until)
            .collect()
    }

    fn reading(&self, date: Date, minute: u16) -> Timestamp {
        let reading = civil::add(civil::midnight(date), SignedDuration::from_mins(i64::from(minute)));
        civil::reach_wall(&self.zone, reading)
    }

    fn year(&self, year: i16) -> Option<&Year> {
        let cell = self.years.get(usize::try_from(year - FIRST_YEAR).ok()?)?;
        Some(cell.get_or_init(|| {
            let holidays = self.holidays(year);
            let mut worked = [0; 6];
            for ordinal in 0..366_u16 {
                let date =
                    Date::new(year, 1, 1).map(|first| first.saturating_add(jiff::Span::new().days(ordinal)));
                if date.is_ok_and(|date| matches!(self.find(date, &holidays), Day::Worked(_))) {
                    worked[usize::from(ordinal / 64)] |= 1 << (ordinal % 64);
                }
            }
            Year { worked, holidays }
        }))
    }

    fn find(&self, date: Date, holidays: &BTreeMap<Date, String>) -> Day {
        let usual = !self.week[weekday_index(date.weekday())].is_empty();
        match (self.listed.get(&date), holidays.get(&date)) {
            (Some(Listed { worked: true, name }), _) => Day::Worked(name.clone()),
            (Some(Listed { worked: false, name }), _) | (None, Some(name)) => Day::Holiday(name.clone()),
            (None, None) if usual => Day::Worked(String::new()),
            (None, None) => Day::Weekend,
        }
    }

    /// The holidays by rule of a year, with those of its neighbours that are
    /// observed in it.
    fn holidays(&self, year: i16) -> BTreeMap<Date, String> {
        let mut all = BTreeMap::new();
        let mut moving = BTreeSet::new();
        for year in [year - 1, year, year + 1] {
            for rule in self.rules.iter().filter(|rule| (rule.since..=rule.until).contains(&year)) {
                let Some(date) = rule.on.in_year(year) else { continue };
                all.entry(date).or_insert_with(|| rule.name.clone());
                let day_off = self.week[weekday_index(date.weekday())].is_empty();
                if day_off && rule.observed != Observed::Never {
                    moving.insert((date, rule.name.as_str(), rule.observed == Observed::Next));
                }
            }
        }
        // In order of their dates: what was taken behind one is taken for the next too.
        let mut taken_until = Date::MIN;
        for (date, name, next) in moving {
            let instead = if next { self.next_free(date.max(taken_until), &all) } else { nearest(date) };
            if next {
                taken_until = instead;
            }
            all.entry(instead).or_insert_with(|| format!("{name} (observed)"));
        }
        all.retain(|date, _| date.year() == year);
        all
    }

    /// The next day that would be worked and is no holiday yet.
    fn next_free(&self, date: Date, taken: &BTreeMap<Date, String>) -> Date {
        let mut day = civil::next(date);
        while day < Date::MAX
            && (taken.contains_key(&day) || self.week[weekday_index(day.weekday())].is_empty())
        {
            day = civil::next(day);
        }
        day
    }
}

impl Year {
    fn is_worked(&self, date: Date) -> bool {
        let ordinal = usize::try_from(date.day_of_year() - 1).unwrap_or(0);
        self.worked[ordinal / 64] >> (ordinal % 64) & 1 == 1
    }
}

impl fmt::Debug for Calendar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Calendar").field("zone", &self.zone.iana_name()).finish_non_exhaustive()
    }
}

/// The Friday before a Saturday, the Monday after a Sunday.
fn nearest(date: Date) -> Date {
    match date.weekday() {
        Weekday::Saturday => civil::previous(date),
        Weekday::Sunday => civil::next(date),
        _ => date,
    }
}

/// The days from one on, up to the horizon; none where it lies outside of the years that
/// are counted.
pub(crate) fn days_from(first: Date) -> impl Iterator<Item = Date> {
    let first = Some(first).filter(|first| (FIRST_DAY..=LAST_DAY).contains(first));
    std::iter::successors(first, |date| date.tomorrow().ok().filter(|date| *date <= LAST_DAY))
}

/// The days from one back, likewise.
pub(crate) fn days_back(last: Date) -> impl Iterator<Item = Date> {
    let last = Some(last).filter(|last| (FIRST_DAY..=LAST_DAY).contains(last));
    std::iter::successors(last, |date| date.yesterday().ok().filter(|date| *date >= FIRST_DAY))
}

fn midnight_after(date: Date) -> jiff::civil::DateTime {
    civil::next(date).to_datetime(jiff::civil::Time::midnight())
}

fn weekday_index(weekday: Weekday) -> usize {
    usize::try_from(weekday.to_monday_zero_offset()).unwrap_or(0)
}
