//! Moments as people type them.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// Reads a time with its offset (RFC 3339), or a day, which is taken for its beginning in UTC.
pub(crate) fn read(text: &str) -> Result<Timestamp, String> {
    let text = text.trim();
    // Not `parse`, which takes the beginning of a time without an offset for a day.
    let day = || Date::strptime("%Y-%m-%d", text).ok()?.to_zoned(TimeZone::UTC).ok();
    let moment = text.parse::<Timestamp>().ok().or_else(|| day().map(|day| day.timestamp()));
    moment.ok_or_else(|| {
        "give a time with its offset, e.g. 2026-11-01T00:00:00+08:00, or a day, which begins in UTC"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn a_time_has_its_offset_and_a_day_begins_in_utc() {
        assert_eq!(read("2026-11-01T08:00:00+08:00"), Ok("2026-11-01T00:00:00Z".parse().unwrap()));
        assert_eq!(read("2026-11-01"), Ok("2026-11-01T00:00:00Z".parse().unwrap()));
    }

    #[test]
    fn a_time_without_an_offset_is_no_day() {
        for text in ["2026-11-01T08:00:00", "2026-11-01 08:00", "1 November", "2026-13-01", ""] {
            assert!(read(text).is_err(), "{text:?}");
        }
    }
}
