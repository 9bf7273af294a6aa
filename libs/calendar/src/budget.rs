//! How much time is owed, and how it is counted.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use jiff::{SignedDuration, Span, Timestamp};
use serde::{Deserialize, Serialize};

use crate::calendar::{Calendar, LAST_DAY};
use crate::civil::{self, Wall};
use crate::scale::Scale;

/// What lengths are counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unit {
    /// Elapsed minutes.
    Minutes,
    /// Elapsed hours.
    Hours,
    /// Minutes within working hours.
    WorkingMinutes,
    /// Hours within working hours.
    WorkingHours,
    /// Worked days.
    WorkingDays,
    /// Days of the calendar.
    Days,
    /// Seven days of the calendar.
    Weeks,
    /// Months: to the same day of a later month, or its last.
    Months,
    /// Twelve months.
    Years,
}

impl Unit {
    /// Every unit with its words and the most of it there may be (ten years).
    const ALL: [(Self, &'static str, &'static str, u32); 9] = [
        (Self::Minutes, "minute", "minutes", 5_256_000),
        (Self::Hours, "hour", "hours", 87_600),
        (Self::WorkingMinutes, "working minute", "working minutes", 5_256_000),
        (Self::WorkingHours, "working hour", "working hours", 87_600),
        (Self::WorkingDays, "working day", "working days", 3_660),
        (Self::Days, "day", "days", 3_660),
        (Self::Weeks, "week", "weeks", 520),
        (Self::Months, "month", "months", 120),
        (Self::Years, "year", "years", 10),
    ];

    /// The scale its time is spent on.
    pub fn scale(self) -> Scale {
        match self {
            Self::Minutes | Self::Hours => Scale::Elapsed,
            Self::WorkingMinutes | Self::WorkingHours => Scale::WorkingTime,
            Self::WorkingDays => Scale::WorkingDays,
            Self::Days | Self::Weeks | Self::Months | Self::Years => Scale::Days,
        }
    }

    /// Whether it is counted in whole days, from a first one to a last.
    fn is_counted_in_days(self) -> bool {
        matches!(self.scale(), Scale::Days | Scale::WorkingDays)
    }
}

/// An amount of a unit, as `15 working days`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Length {
    amount: u32,
    unit: Unit,
}

/// Which day is the first of a budget of days.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Start {
    /// The day it starts on, or the first worked day from it on.
    SameDay,
    /// The day after: the usual rule.
    #[default]
    NextDay,
    /// The first worked day after, also when days of the calendar are counted.
    NextWorkingDay,
}

/// When on its last day a budget of days ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum End {
    /// At midnight that ends the day.
    #[default]
    EndOfDay,
    /// At the time of day it started at.
    SameTime,
    /// When the last shift of the day ends.
    CloseOfBusiness,
}

/// More than any stretch of working time there is: some 10 000 years.
const BEYOND: SignedDuration = SignedDuration::from_hours(24 * 366 * 10_000);

/// How much time is owed and how it is counted. Written in words: `2 hours`,
/// `15 working days`, `3 working days to close of business`, `30 days from next
/// working day`, `1 working day to same time`; days are counted from the next
/// day to the end of the last unless it says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Budget {
    length: Length,
    start: Start,
    end: End,
}

/// Why words are no length or budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Badly {
    /// Not an amount and a unit.
    #[error("is no amount and unit, as `15 working days`")]
    Length,
    /// Nothing, or more than ten years.
    #[error("is nothing, or more than ten years")]
    Amount,
    /// Not a way to count days.
    #[error(
        "counts neither `from same day|next day|next working day` nor `to end of day|same time|close of business`"
    )]
    Counting,
    /// Hours and minutes start at once and end when they are over.
    #[error("counts hours or minutes by days")]
    NotDays,
    /// The first day counts in full, so it must also end in full.
    #[error("counts the first day in full, so it can only last to the end of a day")]
    SameDayEnd,
}

impl Length {
    /// So much of a unit; at least one, at most ten years.
    pub fn new(amount: u32, unit: Unit) -> Result<Self, Badly> {
        let limit = Unit::ALL.iter().find(|entry| entry.0 == unit).map_or(0, |entry| entry.3);
        if (1..=limit).contains(&amount) { Ok(Self { amount, unit }) } else { Err(Badly::Amount) }
    }

    /// How much.
    pub fn amount(self) -> u32 {
        self.amount
    }

    /// Of what.
    pub fn unit(self) -> Unit {
        self.unit
    }

    /// How much of its scale it takes, where that is the same everywhere: all
    /// but months and years, whose length depends on where they begin.
    pub fn fixed(self) -> Option<SignedDuration> {
        let amount = i64::from(self.amount);
        match self.unit {
            Unit::Minutes | Unit::WorkingMinutes => Some(SignedDuration::from_mins(amount)),
            Unit::Hours | Unit::WorkingHours => Some(SignedDuration::from_hours(amount)),
            Unit::Days | Unit::WorkingDays => Some(SignedDuration::from_hours(24 * amount)),
            Unit::Weeks => Some(SignedDuration::from_hours(7 * 24 * amount)),
            Unit::Months | Unit::Years => None,
        }
    }
}

impl Budget {
    /// A length, and how its days are counted; hours and minutes are not counted
    /// by days.
    pub fn new(length: Length, start: Start, end: End) -> Result<Self, Badly> {
        let plain = start == Start::default() && end == End::default();
        match (length.unit.is_counted_in_days(), start, end) {
            (false, ..) if !plain => Err(Badly::NotDays),
            (true, Start::SameDay, End::SameTime | End::CloseOfBusiness) => Err(Badly::SameDayEnd),
            _ => Ok(Self { length, start, end }),
        }
    }

    /// How much.
    pub fn length(self) -> Length {
        self.length
    }

    /// From which day on days are counted.
    pub fn start(self) -> Start {
        self.start
    }

    /// When the last day ends.
    pub fn end(self) -> End {
        self.end
    }

    /// The scale it is spent on.
    pub fn scale(self) -> Scale {
        self.length.unit.scale()
    }

    /// The same with a longer length; stays within what a length may be.
    pub(crate) fn longer(self, amount: u32) -> Self {
        let longest = Length::new(self.length.amount.saturating_add(amount), self.length.unit);
        Self { length: longest.unwrap_or(self.length), ..self }
    }

    /// When it is used up if it is spent from `start` without a break; the end of time
    /// where that is not before 2150.
    pub fn due(self, calendar: &Calendar, start: Timestamp) -> Timestamp {
        self.scale().advance(calendar, start, self.total(calendar, start))
    }

    /// How much of its scale there is to spend, started at `start`: what is left
    /// of the days before the first that counts, and the days.
    pub fn total(self, calendar: &Calendar, start: Timestamp) -> SignedDuration {
        match self.length.fixed() {
            Some(fixed) if !self.length.unit.is_counted_in_days() => fixed,
            _ => {
                let begin = civil::wall(calendar.zone(), start);
                let last = self.last_reading(calendar, start).max(begin);
                // What lies beyond the horizon is not measured: nothing would be left.
                let is_beyond = self.scale() == Scale::WorkingDays && civil::date(last) > LAST_DAY;
                if is_beyond { BEYOND } else { self.scale().measure_wall(calendar, begin, last) }
            }
        }
    }

    /// How much of that lies before the first day that counts.
    pub fn lead(self, calendar: &Calendar, start: Timestamp) -> SignedDuration {
        if !self.length.unit.is_counted_in_days() {
            return SignedDuration::ZERO;
        }
        let begin = civil::wall(calendar.zone(), start);
        let first = civil::midnight(self.first_day(calendar, calendar.date(start)));
        if first <= begin { SignedDuration::ZERO } else { self.scale().measure_wall(calendar, begin, first) }
    }

    fn first_day(self, calendar: &Calendar, day: Date) -> Date {
        let first = if self.start == Start::SameDay { day } else { civil::next(day) };
        if self.start == Start::NextWorkingDay || self.length.unit == Unit::WorkingDays {
            calendar.worked_from(first)
        } else {
            first
        }
    }

    fn last_day(self, calendar: &Calendar, day: Date) -> Date {
        let first = self.first_day(calendar, day);
        let amount = i64::from(self.length.amount);
        let span = match self.length.unit {
            Unit::WorkingDays => {
                return (1..amount).fold(first, |day, _| calendar.worked_from(civil::next(day)));
            }
            Unit::Weeks => Span::new().weeks(amount),
            Unit::Months => Span::new().months(amount),
            Unit::Years => Span::new().years(amount),
            _ => Span::new().days(amount),
        };
        civil::previous(first).saturating_add(span)
    }

    /// What the wall clock shows when it is used up.
    fn last_reading(self, calendar: &Calendar, start: Timestamp) -> Wall {
        let last = self.last_day(calendar, calendar.date(start));
        let end_of_day = civil::midnight(civil::next(last));
        match self.end {
            End::EndOfDay => end_of_day,
            End::SameTime => civil::as_wall(last.to_datetime(calendar.zone().to_datetime(start).time())),
            End::CloseOfBusiness => calendar.close(last).unwrap_or(end_of_day),
        }
    }
}

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = Unit::ALL.iter().find(|entry| entry.0 == self.unit);
        let word = words.map_or("", |entry| if self.amount == 1 { entry.1 } else { entry.2 });
        write!(f, "{} {word}", self.amount)
    }
}

impl FromStr for Length {
    type Err = Badly;

    fn from_str(text: &str) -> Result<Self, Badly> {
        let (amount, word) = text.trim().split_once(' ').ok_or(Badly::Length)?;
        let word = word.trim().strip_prefix("calendar ").unwrap_or(word.trim());
        let unit = Unit::ALL.iter().find(|entry| entry.1 == word || entry.2 == word).ok_or(Badly::Length)?;
        Self::new(amount.parse().map_err(|_| Badly::Length)?, unit.0)
    }
}

const STARTS: [(Start, &str); 3] =
    [(Start::SameDay, "same day"), (Start::NextDay, "next day"), (Start::NextWorkingDay, "next working day")];

const ENDS: [(End, &str); 3] = [
    (End::EndOfDay, "end of day"),
    (End::SameTime, "same time"),
    (End::CloseOfBusiness, "close of business"),
];

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.length)?;
        for (_, words) in
            STARTS.iter().filter(|(start, _)| *start == self.start && self.start != Start::default())
        {
            write!(f, " from {words}")?;
        }
        for (_, words) in ENDS.iter().filter(|(end, _)| *end == self.end && self.end != End::default()) {
            write!(f, " to {words}")?;
        }
        Ok(())
    }
}

impl FromStr for Budget {
    type Err = Badly;

    fn from_str(text: &str) -> Result<Self, Badly> {
        let (text, end) = text.split_once(" to ").map_or((text, ENDS[0].1), |(text, end)| (text, end.trim()));
        let (length, start) =
            text.split_once(" from ").map_or((text, STARTS[1].1), |(text, start)| (text, start.trim()));
        let start = STARTS.iter().find(|(_, words)| *words == start).ok_or(Badly::Counting)?.0;
        let end = ENDS.iter().find(|(_, words)| *words == end).ok_or(Badly::Counting)?.0;
        Self::new(length.parse()?, start, end)
    }
}

impl TryFrom<String> for Length {
    type Error = Badly;

    fn try_from(text: String) -> Result<Self, Badly> {
        text.parse()
    }
}

impl From<Length> for String {
    fn from(length: Length) -> Self {
        length.to_string()
    }
}

impl TryFrom<String> for Budget {
    type Error = Badly;

    fn try_from(text: String) -> Result<Self, Badly> {
        text.parse()
    }
}

impl From<Budget> for String {
    fn from(budget: Budget) -> Self {
        budget.to_string()
    }
}

impl Calendar {
    /// What the wall clock shows when the last shift of a day ends.
    fn close(&self, date: Date) -> Option<Wall> {
        self.shifts(date).last().map(|(_, end)| civil::wall(self.zone(), *end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_and_written_alike() {
        for text in [
            "2 hours",
            "45 working minutes",
            "1 working day to same time",
            "15 working days",
            "3 working days to close of business",
            "30 days from next working day",
            "8 weeks",
            "6 months",
            "1 day from same day",
        ] {
            assert_eq!(text.parse::<Budget>().map(|budget| budget.to_string()), Ok(text.to_owned()));
        }
        assert_eq!(
            "15 calendar days".parse::<Budget>().map(|budget| budget.to_string()),
            Ok("15 days".to_owned())
        );
    }

    #[test]
    fn nonsense_is_refused() {
        for (text, badly) in [
            ("", Badly::Length),
            ("days", Badly::Length),
            ("-1 days", Badly::Length),
            ("0 days", Badly::Amount),
            ("3661 days", Badly::Amount),
            ("2 fortnights", Badly::Length),
            ("2 hours to end of time", Badly::Counting),
            ("2 hours from same day", Badly::NotDays),
            ("2 days from same day to same time", Badly::SameDayEnd),
        ] {
            assert_eq!(text.parse::<Budget>(), Err(badly), "{text}");
        }
    }
}
