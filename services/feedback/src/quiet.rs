//! The hours of the day in which nobody is written to.

use calendar::zones;
use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use serde::{Deserialize, Serialize};

/// Longest that a notice waits for the hours to be over.
const LONGEST: SignedDuration = SignedDuration::from_hours(24);

/// Hours in which nobody is written to, by the wall clock of who is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuietHours {
    /// Minute of the day from which it is quiet; the same as `until` for never.
    pub from: i16,
    /// Minute of the day from which it is not; the day after, where it is before `from`.
    pub until: i16,
    /// IANA name of the zone of those whose own is not known; empty for UTC.
    pub zone: String,
}

impl QuietHours {
    /// Whether a minute of the day is quiet.
    fn is_quiet(&self, minute: i16) -> bool {
        if self.from <= self.until {
            (self.from..self.until).contains(&minute)
        } else {
            minute >= self.from || minute < self.until
        }
    }

    /// The first moment from `time` on that is not quiet in a zone: never more than a day
    /// later.
    pub fn postpone(&self, time: Timestamp, zone: &str) -> Timestamp {
        let named = if zone.is_empty() { &self.zone } else { zone };
        let zone = if named.is_empty() { None } else { zones::get(named) }.unwrap_or(TimeZone::UTC);
        let there = time.to_zoned(zone.clone());
        let minute = i16::from(there.hour()) * 60 + i16::from(there.minute());
        if !self.is_quiet(minute) {
            return time;
        }
        let (hour, minute_of_hour) = (i8::try_from(self.until / 60), i8::try_from(self.until % 60));
        let at = Time::new(hour.unwrap_or(0), minute_of_hour.unwrap_or(0), 0, 0).unwrap_or_default();
        let today = there.date().to_datetime(at);
        let end = if minute < self.until { Ok(today) } else { today.checked_add(1.day()) };
        let end = end.and_then(|end| end.to_zoned(zone)).map(|end| end.timestamp());
        let latest = time.saturating_add(LONGEST).unwrap_or(time);
        end.unwrap_or(time).clamp(time, latest)
    }
}

/// A minute of the day as people write it, `22:30`; none if it is none.
pub fn minute(text: &str) -> Option<i16> {
    let (hour, minute) = text.split_once(':')?;
    let digits = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    let (hour, minute) =
        (digits(hour).then(|| hour.parse().ok())??, digits(minute).then(|| minute.parse().ok())??);
    let (hour, minute): (i16, i16) = (hour, minute);
    (hour < 24 && minute < 60).then_some(hour * 60 + minute)
}

/// The same the other way round.
pub fn written(minute: i16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn minute_there(time: Timestamp, zone: &str) -> i16 {
        let there = time.to_zoned(zones::get(zone).unwrap());
        i16::from(there.hour()) * 60 + i16::from(there.minute())
    }

    proptest! {
        #[test]
        fn nobody_is_written_to_in_quiet_hours_nor_more_than_a_day_later(
            from in 0..1_440_i16,
            until in 0..1_440_i16,
            second in 1_700_000_000..1_900_000_000_i64,
            zone in prop::sample::select(vec!["Asia/Shanghai", "Europe/London", "America/New_York", "Asia/Kathmandu"]),
        ) {
            let quiet = QuietHours { from, until, zone: String::new() };
            let time = Timestamp::from_second(second).unwrap();
            let sent = quiet.postpone(time, zone);
            prop_assert!(sent >= time && sent.duration_since(time) <= LONGEST);
            prop_assert_eq!(sent == time, !quiet.is_quiet(minute_there(time, zone)));
            // Where clocks are put on, the end of the hours may not be on them.
            let there = minute_there(sent, zone);
            prop_assert!(!quiet.is_quiet(there) || sent.duration_since(time) == LONGEST, "{there}");
            prop_assert_eq!(quiet.postpone(sent, zone) == sent, !quiet.is_quiet(there));
        }

        #[test]
        fn minutes_are_read_as_they_are_written(minute_of_day in 0..1_440_i16) {
            prop_assert_eq!(minute(&written(minute_of_day)), Some(minute_of_day));
        }
    }

    #[test]
    fn hours_over_midnight_end_in_the_morning_of_who_is_written_to() {
        let quiet = QuietHours { from: 22 * 60, until: 7 * 60 + 30, zone: "Asia/Shanghai".to_owned() };
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        for (time, zone, sent) in [
            ("2026-11-28T23:00:00+08:00", "Asia/Shanghai", "2026-11-29T07:30:00+08:00"),
            ("2026-11-29T03:00:00+08:00", "", "2026-11-29T07:30:00+08:00"),
            ("2026-11-29T07:30:00+08:00", "Asia/Shanghai", "2026-11-29T07:30:00+08:00"),
            ("2026-11-28T23:00:00+08:00", "Europe/London", "2026-11-28T23:00:00+08:00"),
        ] {
            assert_eq!(quiet.postpone(at(time), zone), at(sent), "{time} {zone}");
        }
        assert_eq!(
            QuietHours::default().postpone(at("2026-11-28T00:00:00Z"), ""),
            at("2026-11-28T00:00:00Z")
        );
        for wrong in ["24:00", "7:30", "07:60", "0730", "-1:00", "07:3x", ""] {
            assert_eq!(minute(wrong), None, "{wrong}");
        }
    }
}
