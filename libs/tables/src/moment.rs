//! Dates and times as people write them, with the time zone they are of.
//!
//! Where nobody says how they are written, these are read: `2026-01-05 08:03:09`,
//! `2026/1/5 8:03`, `2026.1.5`, `05.01.2026 8:03`, `2026年1月5日 下午3点05分`,
//! `2026/1/5 3:05 PM`, each without the time of day too, and RFC 3339. `24:00` is the end
//! of a day. What may be two days (`05/01/2026`, `26-01-05`) is refused by name.
//!
//! A time is of the zone that is named, unless it says so itself. One that the clocks there
//! skip is taken as many minutes after the gap began as it says; of one that comes twice,
//! the first is taken.

mod words;

use jiff::civil::{Date, DateTime, Time};
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use thiserror::Error;

use words::plain;

/// What a format calls the days counted by spreadsheets, from 1900 and from 1904.
const SERIALS: [(&str, Date); 2] =
    [("serial-1900", Date::constant(1899, 12, 30)), ("serial-1904", Date::constant(1904, 1, 1))];
/// Spreadsheets have a 29 February 1900: days before it are counted otherwise.
const FIRST_TRUE_SERIAL: f64 = 61.0;
/// The last day spreadsheets know: 31 December 9999.
const LAST_SERIAL: f64 = 2_958_466.0;
/// How days are written where nobody says so.
const DAYS: [&str; 4] = ["%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%d.%m.%Y"];
/// How the time of day is.
const TIMES: [&str; 3] = ["%H:%M:%S%.f", "%H:%M:%S", "%H:%M"];
/// Most bytes of a time: none that is true has more.
const MAX_TEXT: usize = 80;
/// The first year of four digits that is read: no complaint is older.
const FIRST_YEAR: i16 = 1000;
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// Why a text is no time.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum NotATime {
    /// It is something else.
    #[error("is no time as told")]
    Other,
    /// The day may be the month.
    #[error("may be read day first or month first: name the format in [times] formats")]
    DayOrMonth,
    /// The year has two digits.
    #[error("has a year of two digits: name the format in [times] formats, and pivot, the first year meant")]
    ShortYear,
    /// A number, as spreadsheets count days.
    #[error("may be a day that a spreadsheet counts: [times] formats = [\"serial-1900\"] reads it")]
    Serial,
    /// There is no such day, or time of day.
    #[error("is no day of the calendar, or no time of the day")]
    NoSuch,
}

/// Why times cannot be read as somebody says.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum InvalidFormats {
    /// There are no formats.
    #[error("[times] formats: names none")]
    None,
    /// A format has years of two digits, and nobody says of which hundred years.
    #[error("[times] formats: {0} has years of two digits: pivot, the first year meant, says which")]
    NoPivot(String),
    /// A format is none.
    #[error("[times] formats: {0} is no format as strptime has them")]
    NotAFormat(String),
    /// The pivot is no year.
    #[error("[times] pivot: must be a year from 1900 to 2100")]
    Pivot,
}

/// How times are written, and of which zone they are.
#[derive(Clone, Debug)]
pub struct Times {
    formats: Option<Vec<String>>,
    zone: TimeZone,
    pivot: Option<i16>,
}

impl Times {
    /// Times of a zone. `formats` are tried in order, as strptime has them, or
    /// `serial-1900`, `serial-1904`; without, the usual ones. `pivot` is the first of the
    /// hundred years that two digits stand for.
    ///
    /// # Errors
    ///
    /// Fails if a format cannot be, or has years of two digits without a pivot.
    pub fn new(
        formats: Option<Vec<String>>,
        zone: TimeZone,
        pivot: Option<i16>,
    ) -> Result<Self, InvalidFormats> {
        if formats.as_ref().is_some_and(Vec::is_empty) {
            return Err(InvalidFormats::None);
        }
        if pivot.is_some_and(|pivot| !(1900..=2100).contains(&pivot)) {
            return Err(InvalidFormats::Pivot);
        }
        let sample = Date::constant(2026, 1, 5).at(8, 3, 9, 0).to_zoned(TimeZone::UTC);
        for format in formats.iter().flatten() {
            if SERIALS.iter().any(|(name, _)| name == format) {
                continue;
            }
            if has_short_year(format) && pivot.is_none() {
                return Err(InvalidFormats::NoPivot(format.clone()));
            }
            let written = sample.as_ref().ok().and_then(|time| strtime::format(format, time).ok());
            if !format.contains('%') || written.is_none() {
                return Err(InvalidFormats::NotAFormat(format.clone()));
            }
        }
        Ok(Self { formats, zone, pivot })
    }

    /// The zone of times that name none.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The moment a text tells.
    ///
    /// # Errors
    ///
    /// Says why the text is no time, or may be two.
    pub fn moment(&self, text: &str) -> Result<Timestamp, NotATime> {
        let text = text.trim();
        if text.is_empty() || text.len() > MAX_TEXT {
            return Err(NotATime::Other);
        }
        // What names its offset, or is written as spreadsheets' own dates are passed on.
        if let Ok(moment) = text.parse::<Timestamp>() {
            return Ok(moment);
        }
        if text.contains('T')
            && let Ok(local) = text.parse::<DateTime>()
        {
            return self.here(local).ok_or(NotATime::NoSuch);
        }
        match &self.formats {
            Some(formats) => formats.iter().find_map(|format| self.by(format, text)).ok_or(NotATime::Other),
            None => self.usual(text),
        }
    }

    /// A time written in one of the usual ways.
    fn usual(&self, text: &str) -> Result<Timestamp, NotATime> {
        let (text, half) = plain(text);
        let (day, time) = match text.split_once(' ') {
            Some((day, time)) => (day, Some(time)),
            None => (text.as_str(), None),
        };
        let date = DAYS.iter().find_map(|format| Date::strptime(format, day).ok());
        let date = date.filter(|date| date.year() >= FIRST_YEAR).ok_or_else(|| unread(day))?;
        let Some(time) = time else {
            let whole = date.to_datetime(Time::midnight());
            return if half.is_none() {
                self.here(whole).ok_or(NotATime::NoSuch)
            } else {
                Err(NotATime::Other)
            };
        };
        if half.is_none() && matches!(time, "24:00" | "24:00:00") {
            let next = date.checked_add(1.day()).map_err(|_| NotATime::NoSuch)?;
            return self.here(next.to_datetime(Time::midnight())).ok_or(NotATime::NoSuch);
        }
        let time = TIMES.iter().find_map(|format| Time::strptime(format, time).ok());
        let time = time.ok_or(NotATime::NoSuch)?;
        let hour = half.map_or(Some(time.hour()), |half| half.hour(time.hour())).ok_or(NotATime::NoSuch)?;
        let local = date.at(hour, time.minute(), time.second(), time.subsec_nanosecond());
        self.here(local).ok_or(NotATime::NoSuch)
    }

    fn by(&self, format: &str, text: &str) -> Option<Timestamp> {
        if let Some((_, epoch)) = SERIALS.iter().find(|(name, _)| *name == format) {
            return self.here(serial(*epoch, text)?);
        }
        if let Some(time) = self.parsed(format, text) {
            return Some(time);
        }
        // The end of a day, said as such: the beginning of the next.
        let midnight = text.replacen("24:00", "00:00", 1);
        let begin = (midnight != text).then(|| strtime::parse(format, &midnight).ok()?.to_datetime().ok())?;
        let begin = begin.filter(|begin| begin.time() == Time::midnight())?;
        self.here(self.of_the_right_century(format, begin)?.checked_add(1.day()).ok()?)
    }

    fn parsed(&self, format: &str, text: &str) -> Option<Timestamp> {
        let parsed = strtime::parse(format, text).ok()?;
        let has_offset = parsed.to_timestamp().ok();
        if let Some(moment) = has_offset.filter(|_| !has_short_year(format)) {
            return Some(moment);
        }
        let day = || parsed.to_date().ok().map(|day| day.to_datetime(Time::midnight()));
        let local = parsed.to_datetime().ok().or_else(day)?;
        self.here(self.of_the_right_century(format, local)?)
    }

    /// A day whose year has two digits, in the hundred years that begin with the pivot.
    fn of_the_right_century(&self, format: &str, local: DateTime) -> Option<DateTime> {
        let Some(pivot) = self.pivot.filter(|_| has_short_year(format)) else { return Some(local) };
        let year = pivot + (local.year().rem_euclid(100) - pivot.rem_euclid(100)).rem_euclid(100);
        let day = Date::new(year, local.month(), local.day()).ok()?;
        Some(day.to_datetime(local.time()))
    }

    fn here(&self, local: DateTime) -> Option<Timestamp> {
        Some(local.to_zoned(self.zone.clone()).ok()?.timestamp())
    }
}

fn has_short_year(format: &str) -> bool {
    ["%y", "%-y", "%_y", "%0y", "%D", "%g"].iter().any(|short| format.contains(short))
}

/// Why a text is no day in one of the usual ways.
fn unread(day: &str) -> NotATime {
    let parts: Vec<&str> = day.split(['/', '-', '.']).collect();
    let are_digits = parts.iter().all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
    match parts.as_slice() {
        _ if !are_digits && day.parse::<f64>().is_err() => NotATime::Other,
        [_, _, year] if year.len() == 4 && parts[0].len() <= 2 && !day.contains('.') => NotATime::DayOrMonth,
        [first, _, year] if first.len() <= 2 && year.len() <= 2 => NotATime::ShortYear,
        [_, _, _] => NotATime::NoSuch,
        [_] | [_, _]
            if day.parse::<f64>().is_ok_and(|days| (FIRST_TRUE_SERIAL..LAST_SERIAL).contains(&days)) =>
        {
            NotATime::Serial
        }
        _ => NotATime::Other,
    }
}

fn serial(epoch: Date, text: &str) -> Option<DateTime> {
    days_after(epoch, text.parse().ok()?)
}

/// What a spreadsheet's number of days and parts of a day is, to the second.
pub(crate) fn counted(days: f64, from_1904: bool) -> Option<DateTime> {
    let [(_, from_1900), (_, later)] = SERIALS;
    days_after(if from_1904 { later } else { from_1900 }, days)
}

fn days_after(epoch: Date, days: f64) -> Option<DateTime> {
    let first = if epoch.year() == 1899 { FIRST_TRUE_SERIAL } else { 0.0 };
    if !(first..LAST_SERIAL).contains(&days) {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "within the days spreadsheets know")]
    let seconds = (days * DAY.as_secs_f64()).round() as i64;
    epoch.to_datetime(Time::midnight()).checked_add(SignedDuration::from_secs(seconds)).ok()
}
