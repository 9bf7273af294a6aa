//! Times as people read them: in their own time zone.

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use crate::session::Visitor;

/// A moment, for programs and for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    /// As HTML has it, `2026-11-30T09:00:00Z`.
    pub(crate) iso: String,
    /// `2026-11-30 17:00`, in the time zone of who reads.
    pub(crate) text: String,
    /// The day only.
    pub(crate) day: String,
}

impl Moment {
    /// A moment, as it is where somebody is.
    pub(crate) fn new(time: Timestamp, zone: &TimeZone) -> Self {
        let local: Zoned = time.to_zoned(zone.clone());
        Self {
            iso: time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            text: local.strftime("%Y-%m-%d %H:%M").to_string(),
            day: local.strftime("%Y-%m-%d").to_string(),
        }
    }

    /// A moment of a contract; none if it is absent or no time.
    pub(crate) fn of(time: Option<&prost_types::Timestamp>, visitor: &Visitor) -> Option<Self> {
        Some(Self::new(timestamp(time?)?, &visitor.zone))
    }
}

/// A time of a contract.
pub(crate) fn timestamp(time: &prost_types::Timestamp) -> Option<Timestamp> {
    Timestamp::new(time.seconds, time.nanos).ok()
}

/// How far off a time is, in the greatest unit that says something: days, hours, minutes.
pub(crate) fn distance(visitor: &Visitor, time: Timestamp) -> String {
    let t = visitor.words;
    let seconds = time.as_second() - visitor.app.now();
    let minutes = seconds.unsigned_abs().div_ceil(60);
    let amount = match minutes {
        0..60 => t.minutes(minutes),
        60..2880 => t.hours(minutes / 60),
        _ => t.days(minutes / 1440),
    };
    if seconds < 0 { t.ago(amount) } else { t.within(amount) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_told_where_its_reader_is() {
        let moment = Moment::new(
            "2026-11-30T17:30:00Z".parse().unwrap(),
            &calendar::zones::get("Asia/Shanghai").unwrap(),
        );
        assert_eq!(moment.text, "2026-12-01 01:30");
        assert_eq!(moment.day, "2026-12-01");
        assert_eq!(moment.iso, "2026-11-30T17:30:00Z");
    }
}
