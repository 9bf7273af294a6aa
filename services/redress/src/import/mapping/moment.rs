//! Times as files write them.

use anyhow::{Context as _, ensure};
use jiff::civil::{Date, DateTime};
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use serde::Deserialize;

/// What a mapping calls the days counted by spreadsheets, from 1900 and from 1904.
const SERIALS: [(&str, Date); 2] =
    [("serial-1900", Date::constant(1899, 12, 30)), ("serial-1904", Date::constant(1904, 1, 1))];
/// Spreadsheets have a 29 February 1900: days before it are counted otherwise.
const FIRST_TRUE_SERIAL: f64 = 61.0;
/// The last day spreadsheets know: 31 December 9999.
const LAST_SERIAL: f64 = 2_958_466.0;
/// How times are written where a mapping does not say; RFC 3339 besides.
const USUAL: [&str; 12] = [
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%d",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d",
    "%Y.%m.%d %H:%M:%S",
    "%Y.%m.%d %H:%M",
    "%Y.%m.%d",
    "%Y年%m月%d日 %H:%M:%S",
    "%Y年%m月%d日 %H:%M",
    "%Y年%m月%d日",
];
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// How cells of time fields are written.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Times {
    formats: Option<Vec<String>>,
    zone: Option<String>,
}

/// The time zone and formats of time cells.
#[derive(Debug)]
pub(super) struct Zoned {
    formats: Vec<String>,
    zone: TimeZone,
}

impl Zoned {
    /// As a mapping says.
    pub(super) fn of(times: Times) -> anyhow::Result<Self> {
        let Times { formats, zone } = times;
        let formats = formats.unwrap_or_else(|| USUAL.map(str::to_owned).to_vec());
        ensure!(!formats.is_empty(), "[times] formats: names none");
        let zone = zone.map_or(Ok(TimeZone::UTC), |zone| {
            calendar::zones::get(&zone).with_context(|| format!("[times] names no time zone: {zone}"))
        })?;
        Ok(Self { formats, zone })
    }

    /// The moment a cell tells.
    pub(super) fn moment(&self, text: &str) -> Option<Timestamp> {
        let text = text.trim();
        let exact = || text.parse::<Timestamp>().ok();
        self.formats.iter().find_map(|format| self.by(format, text)).or_else(exact)
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
        let begin = begin.filter(|begin| begin.time() == jiff::civil::Time::midnight())?;
        self.here(begin.checked_add(1.day()).ok()?)
    }

    fn parsed(&self, format: &str, text: &str) -> Option<Timestamp> {
        let parsed = strtime::parse(format, text).ok()?;
        parsed.to_timestamp().ok().or_else(|| {
            let day = || parsed.to_date().ok().map(Date::to_datetime_midnight);
            self.here(parsed.to_datetime().ok().or_else(day)?)
        })
    }

    fn here(&self, local: DateTime) -> Option<Timestamp> {
        Some(local.to_zoned(self.zone.clone()).ok()?.timestamp())
    }
}

/// What a spreadsheet's number of days and parts of a day is, to the second.
fn serial(epoch: Date, text: &str) -> Option<DateTime> {
    let days: f64 = text.parse().ok()?;
    let first = if epoch.year() == 1899 { FIRST_TRUE_SERIAL } else { 0.0 };
    if !(first..LAST_SERIAL).contains(&days) {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "within the days spreadsheets know")]
    let seconds = (days * DAY.as_secs_f64()).round() as i64;
    epoch.to_datetime(jiff::civil::Time::midnight()).checked_add(SignedDuration::from_secs(seconds)).ok()
}

trait Midnight {
    fn to_datetime_midnight(self) -> DateTime;
}

impl Midnight for Date {
    fn to_datetime_midnight(self) -> DateTime {
        self.to_datetime(jiff::civil::Time::midnight())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(formats: Option<&[&str]>, text: &str) -> Option<String> {
        let formats = formats.map(|formats| formats.iter().map(ToString::to_string).collect());
        let times = Times { formats, zone: Some("Asia/Shanghai".to_owned()) };
        Zoned::of(times).unwrap().moment(text).map(|time| time.to_string())
    }

    #[test]
    fn times_are_read_as_people_write_them() {
        let usual = |text| read(None, text);
        assert_eq!(usual("2026/1/5 8:03").as_deref(), Some("2026-01-05T00:03:00Z"));
        assert_eq!(usual("2026-01-05 08:03:09").as_deref(), Some("2026-01-05T00:03:09Z"));
        assert_eq!(usual("2026/1/5").as_deref(), Some("2026-01-04T16:00:00Z"));
        assert_eq!(usual("2026年1月5日 8:03").as_deref(), Some("2026-01-05T00:03:00Z"));
        assert_eq!(usual("2026-01-05T08:03:00Z").as_deref(), Some("2026-01-05T08:03:00Z"));
        assert_eq!(usual("2026/1/31 24:00").as_deref(), Some("2026-01-31T16:00:00Z"), "1 February there");
        assert_eq!(usual("2026/1/5 24:00:00").as_deref(), Some("2026-01-05T16:00:00Z"));
        for none in ["2026/1/5 24:01", "2026/13/5", "5/1/2026", "42059.4832", "soon", ""] {
            assert_eq!(usual(none), None, "{none}");
        }
    }

    #[test]
    fn days_counted_by_spreadsheets_are_read_where_they_are_named() {
        let serial = |text| read(Some(&["serial-1900", "%Y/%m/%d %H:%M"]), text);
        assert_eq!(serial("42059.4832").as_deref(), Some("2015-02-24T03:35:48Z"));
        assert_eq!(serial("42059").as_deref(), Some("2015-02-23T16:00:00Z"));
        assert_eq!(serial("2015/2/24 11:35").as_deref(), Some("2015-02-24T03:35:00Z"), "beside others");
        for none in ["60", "-1", "2958466", "NaN", "1e9"] {
            assert_eq!(serial(none), None, "{none}");
        }
        assert_eq!(read(Some(&["serial-1904"]), "40597.4832").as_deref(), Some("2015-02-24T03:35:48Z"));
    }
}
