//! Holidays by rule: a fixed date, the nth weekday of a month, a distance from
//! Easter; each with what happens when it falls on a day off anyway.

use jiff::civil::{Date, Weekday};

use crate::draft::Observed;

/// Which day of a year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum On {
    /// The same date each year; 29 February only where there is one.
    Fixed { month: i8, day: i8 },
    /// The nth such weekday of a month; −1 is the last.
    Nth { month: i8, weekday: Weekday, nth: i8 },
    /// So many days from Easter Sunday (Gregorian).
    Easter { days: i32 },
}

/// One holiday that comes back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) name: String,
    pub(crate) on: On,
    pub(crate) observed: Observed,
    /// First and last year it is kept.
    pub(crate) since: i16,
    pub(crate) until: i16,
}

impl On {
    /// The day in a year; none where the year has no such day.
    pub(crate) fn in_year(self, year: i16) -> Option<Date> {
        match self {
            Self::Fixed { month, day } => Date::new(year, month, day).ok(),
            Self::Nth { month, weekday, nth } => {
                Date::new(year, month, 1).ok()?.nth_weekday_of_month(nth, weekday).ok()
            }
            Self::Easter { days } => easter(year)?.checked_add(jiff::Span::new().days(days)).ok(),
        }
    }

    /// Reads `12-25`, `3rd monday of january`, `last monday of may`, `easter -2`.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match words[..] {
            ["easter"] => Some(Self::Easter { days: 0 }),
            ["easter", days] => {
                let days = days.parse().ok().filter(|days: &i32| days.abs() <= 180)?;
                Some(Self::Easter { days })
            }
            [nth, weekday, "of", month] => {
                Some(Self::Nth { month: month_of(month)?, weekday: weekday_of(weekday)?, nth: nth_of(nth)? })
            }
            [fixed] => {
                let (month, day) = fixed.split_once('-')?;
                let (month, day) = (month.parse().ok()?, day.parse().ok()?);
                // A leap year knows every day there can be.
                Date::new(2000, month, day).ok().map(|_| Self::Fixed { month, day })
            }
            _ => None,
        }
    }
}

/// Weekdays by name, Monday first.
pub(crate) const WEEKDAYS: [(&str, Weekday); 7] = [
    ("monday", Weekday::Monday),
    ("tuesday", Weekday::Tuesday),
    ("wednesday", Weekday::Wednesday),
    ("thursday", Weekday::Thursday),
    ("friday", Weekday::Friday),
    ("saturday", Weekday::Saturday),
    ("sunday", Weekday::Sunday),
];

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

fn weekday_of(word: &str) -> Option<Weekday> {
    WEEKDAYS.iter().find(|(name, _)| *name == word).map(|(_, weekday)| *weekday)
}

fn month_of(word: &str) -> Option<i8> {
    MONTHS.iter().zip(1_i8..).find(|(name, _)| **name == word).map(|(_, month)| month)
}

fn nth_of(word: &str) -> Option<i8> {
    match word {
        "1st" | "first" => Some(1),
        "2nd" | "second" => Some(2),
        "3rd" | "third" => Some(3),
        "4th" | "fourth" => Some(4),
        "last" => Some(-1),
        _ => None,
    }
}

/// Easter Sunday of the Gregorian calendar: the anonymous algorithm of 1876, its
/// letters given names.
fn easter(year: i16) -> Option<Date> {
    let year_number = i32::from(year);
    let golden = year_number % 19;
    let (century, of_century) = (year_number / 100, year_number % 100);
    let moon = (19 * golden + century - century / 4 - (8 * century + 13) / 25 + 15) % 30;
    let weekday = (32 + 2 * (century % 4) + 2 * (of_century / 4) - moon - of_century % 4) % 7;
    let late = (golden + 11 * moon + 22 * weekday) / 451;
    let from_march = moon + weekday - 7 * late + 114;
    Date::new(year, i8::try_from(from_march / 31).ok()?, i8::try_from(from_march % 31 + 1).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn easter_falls_where_the_tables_say() {
        for expected in [
            date(1970, 3, 29),
            date(1981, 4, 19),
            date(2000, 4, 23),
            date(2008, 3, 23),
            date(2011, 4, 24),
            date(2024, 3, 31),
            date(2025, 4, 20),
            date(2026, 4, 5),
            date(2027, 3, 28),
            date(2038, 4, 25),
            date(2049, 4, 18),
            date(2100, 3, 28),
        ] {
            assert_eq!(easter(expected.year()), Some(expected));
        }
    }

    #[test]
    fn a_rule_is_read_as_it_is_said() {
        assert_eq!(On::read("12-25"), Some(On::Fixed { month: 12, day: 25 }));
        assert_eq!(
            On::read("Last Monday of May"),
            Some(On::Nth { month: 5, weekday: Weekday::Monday, nth: -1 })
        );
        assert_eq!(On::read("easter -2"), Some(On::Easter { days: -2 }));
        for nonsense in ["", "13-01", "02-30", "5th monday of may", "monday", "easter monday", "easter 400"] {
            assert_eq!(On::read(nonsense), None, "{nonsense}");
        }
        assert_eq!(On::read("02-29").and_then(|on| on.in_year(2023)), None);
    }
}
