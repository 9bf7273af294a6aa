//! Windows of days, and how they are cut.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

/// Longest window, in days.
pub const MAX_DAYS: i32 = 1_830;
/// Longest window that is cut into days.
pub const MAX_DAILY: i32 = 400;

kernel::numbered! {
    /// How a window is cut.
    Period {
        /// Into days.
        Day = 1,
        /// Into calendar months.
        Month = 2,
    }
}

kernel::numbered! {
    /// What figures are compared with.
    Comparison {
        /// The same days one month earlier.
        Month = 1,
        /// The same days one year earlier.
        Year = 2,
    }
}

/// Days from the first on, without the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Window {
    /// The first day.
    pub start: Date,
    /// The day after the last.
    pub end: Date,
    /// How it is cut; none is not at all.
    pub period: Option<Period>,
}

/// A part of a window.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Bucket {
    /// What it is called; empty where the window is not cut.
    pub label: String,
    /// The first day.
    pub start: Date,
    /// The day after the last.
    pub end: Date,
}

impl Window {
    /// How many days it has.
    pub fn days(&self) -> i32 {
        self.start.until(self.end).map_or(0, |span| span.get_days())
    }

    /// Its parts, in order.
    pub fn buckets(&self) -> Vec<Bucket> {
        let Some(period) = self.period else {
            return vec![Bucket { label: String::new(), start: self.start, end: self.end }];
        };
        let mut buckets = Vec::new();
        let mut start = self.start;
        while start < self.end {
            let next = match period {
                Period::Day => start.tomorrow(),
                Period::Month => start.first_of_month().checked_add(Span::new().months(1)),
            };
            let end = next.unwrap_or(self.end).min(self.end);
            let label = match period {
                Period::Day => start.to_string(),
                Period::Month => start.strftime("%Y-%m").to_string(),
            };
            buckets.push(Bucket { label, start, end });
            start = end;
        }
        buckets
    }
}

impl Bucket {
    /// The same days, earlier. The end of a month stays one.
    #[must_use]
    pub fn earlier(&self, by: Comparison) -> Self {
        let span = match by {
            Comparison::Month => Span::new().months(1),
            Comparison::Year => Span::new().years(1),
        };
        let back = |date: Date| date.checked_sub(span).unwrap_or(date);
        Self { label: self.label.clone(), start: back(self.start), end: back(self.end) }
    }

    /// Its days.
    pub fn days(&self) -> impl Iterator<Item = Date> + '_ {
        let next = |date: &Date| date.tomorrow().ok();
        std::iter::successors(Some(self.start), next).take_while(|date| *date < self.end)
    }

    /// When it begins and ends in a zone.
    pub fn times(&self, zone: &TimeZone) -> (Timestamp, Timestamp) {
        (begin(self.start, zone), begin(self.end, zone))
    }
}

/// When a day begins in a zone, were it at one o'clock because clocks are set.
pub fn begin(date: Date, zone: &TimeZone) -> Timestamp {
    date.to_zoned(zone.clone()).map(|zoned| zoned.timestamp()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn months_at_the_ends_may_be_parts_of_one() {
        let window = Window { start: date(2026, 1, 20), end: date(2026, 3, 3), period: Some(Period::Month) };
        let cut: Vec<_> =
            window.buckets().into_iter().map(|part| (part.label, part.start, part.end)).collect();
        assert_eq!(
            cut,
            [
                ("2026-01".to_owned(), date(2026, 1, 20), date(2026, 2, 1)),
                ("2026-02".to_owned(), date(2026, 2, 1), date(2026, 3, 1)),
                ("2026-03".to_owned(), date(2026, 3, 1), date(2026, 3, 3)),
            ]
        );
    }

    #[test]
    fn a_month_is_compared_with_the_whole_month_before() {
        let march = Window { start: date(2026, 3, 1), end: date(2026, 4, 1), period: Some(Period::Month) };
        let before = march.buckets()[0].earlier(Comparison::Month);
        assert_eq!((before.start, before.end), (date(2026, 2, 1), date(2026, 3, 1)));
        let last = march.buckets()[0].earlier(Comparison::Year);
        assert_eq!((last.start, last.end), (date(2025, 3, 1), date(2025, 4, 1)));
    }

    #[test]
    fn a_day_is_as_long_as_it_is() {
        let berlin = calendar::zones::get("Europe/Berlin").unwrap();
        let set = Bucket { label: String::new(), start: date(2026, 3, 29), end: date(2026, 3, 30) };
        let (from, until) = set.times(&berlin);
        assert_eq!(until.duration_since(from).as_hours(), 23);
    }

    proptest! {
        #[test]
        fn the_parts_of_a_window_are_the_window(
            first in 0..3_000_i32,
            days in 1..400_i32,
            period in prop::sample::select(vec![None, Some(Period::Day), Some(Period::Month)]),
        ) {
            let start = date(2020, 1, 1).checked_add(Span::new().days(first)).unwrap();
            let end = start.checked_add(Span::new().days(days)).unwrap();
            let window = Window { start, end, period };
            let parts = window.buckets();
            prop_assert_eq!(parts[0].start, start);
            prop_assert_eq!(parts[parts.len() - 1].end, end);
            prop_assert!(parts.windows(2).all(|pair| pair[0].end == pair[1].start));
            prop_assert_eq!(i32::try_from(parts.iter().flat_map(Bucket::days).count()), Ok(days));
            prop_assert_eq!(window.days(), days);
        }
    }
}
