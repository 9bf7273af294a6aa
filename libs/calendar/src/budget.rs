//! How much time is owed, and how it is counted.

mod words;

use jiff::civil::Date;
use jiff::{SignedDuration, Span, Timestamp};
use serde::{Deserialize, Serialize};

use crate::calendar::{Calendar, Day, LAST_DAY};
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

/// What becomes of a last day that nobody works: the budget is rolled forward to the
/// first day after it that is none of these.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Roll {
    /// Nothing: it ends on that day.
    #[default]
    Never,
    /// Past statutory holidays, and the days off that belong to them; an ordinary
    /// weekend stays the last day.
    Holidays,
    /// Past every day off: weekends and holidays.
    DaysOff,
}

/// How much time is owed and how it is counted. Written in words: `2 hours`,
/// `15 working days`, `3 working days to close of business`, `30 days from next
/// working day`, `1 working day to same time`, `60 days rolled past holidays`; days
/// are counted from the next day to the end of the last unless it says otherwise.
///
/// A month ends on the day of a later month that bears the number of the day it was
/// counted from, or on the last day of that month where it has no such day: a month
/// from 31 January ends on 28 February.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Budget {
    length: Length,
    start: Start,
    end: End,
    roll: Roll,
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
    /// Only days of the calendar, weeks, months and years can end on a day off.
    #[error("rolls `past holidays` or `past days off`, and only what is counted in days of the calendar")]
    Rolling,
}

/// The most days a last day is rolled forward: a calendar that knows no day between
/// holidays for so long ends there.
const MAX_ROLLED_DAYS: i64 = 60;

/// The days a budget runs from and to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Days {
    /// The first that counts.
    pub first: Date,
    /// The last, before pauses and before it is rolled forward.
    pub last: Date,
    /// The month it ends in is too short for the day it was counted from: it ends on
    /// the last of that month.
    pub shortened: bool,
}

impl Length {
    /// So much of a unit; at least one, at most ten years.
    ///
    /// # Errors
    ///
    /// Fails with [`Badly::Amount`] if the amount is none or beyond ten years.
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
    ///
    /// # Errors
    ///
    /// Fails if hours or minutes are counted by days, or if the first day counts in full and
    /// the last does not.
    pub fn new(length: Length, start: Start, end: End) -> Result<Self, Badly> {
        let plain = start == Start::default() && end == End::default();
        match (length.unit.is_counted_in_days(), start, end) {
            (false, ..) if !plain => Err(Badly::NotDays),
            (true, Start::SameDay, End::SameTime | End::CloseOfBusiness) => Err(Badly::SameDayEnd),
            _ => Ok(Self { length, start, end, roll: Roll::Never }),
        }
    }

    /// The same, with a last day that is rolled forward.
    ///
    /// # Errors
    ///
    /// Fails with [`Badly::Rolling`] if it is counted in anything but days of the calendar.
    pub fn rolled(self, roll: Roll) -> Result<Self, Badly> {
        if roll != Roll::Never && self.scale() != Scale::Days {
            return Err(Badly::Rolling);
        }
        Ok(Self { roll, ..self })
    }

    /// What becomes of a last day that nobody works.
    pub fn roll(self) -> Roll {
        self.roll
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
    #[must_use]
    pub fn longer(self, amount: u32) -> Self {
        let longest = Length::new(self.length.amount.saturating_add(amount), self.length.unit);
        Self { length: longest.unwrap_or(self.length), ..self }
    }

    /// When it is used up if it is spent from `start` without a break; the end of time
    /// where that is not before 2150.
    pub fn due(self, calendar: &Calendar, start: Timestamp) -> Timestamp {
        let total = self.total(calendar, start);
        let rolled = self.rolled_by(calendar, civil::add(civil::wall(calendar.zone(), start), total));
        self.scale().advance(calendar, start, total + rolled)
    }

    /// The days it runs from and to, started at `start` and spent without a break; none
    /// of one that is counted in hours or minutes.
    pub fn days(self, calendar: &Calendar, start: Timestamp) -> Option<Days> {
        let day = calendar.date(start);
        let (first, last) = (self.first_day(calendar, day), self.last_day(calendar, day));
        let in_months = matches!(self.length.unit, Unit::Months | Unit::Years);
        let shortened = in_months && last.day() != civil::previous(first).day();
        self.length.unit.is_counted_in_days().then_some(Days { first, last, shortened })
    }

    /// How much the last day is rolled forward, where the wall clock shows `end` when
    /// it is used up: whole days.
    pub(crate) fn rolled_by(self, calendar: &Calendar, end: Wall) -> SignedDuration {
        let last = civil::date(civil::add(end, SignedDuration::from_nanos(-1)));
        let rolls = |date: Date| match self.roll {
            Roll::Never => false,
            Roll::Holidays => matches!(calendar.day(date), Day::Holiday(_)),
            Roll::DaysOff => !calendar.is_worked(date),
        };
        let mut days = 0;
        while days < MAX_ROLLED_DAYS && rolls(last.saturating_add(Span::new().days(days))) {
            days += 1;
        }
        SignedDuration::from_hours(24 * days)
    }

    /// How much of its scale there is to spend, started at `start`: what is left
    /// of the days before the first that counts, and the days. What it is rolled
    /// forward by comes on top of it, once it is known when it would end.
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

impl Calendar {
    /// What the wall clock shows when the last shift of a day ends.
    fn close(&self, date: Date) -> Option<Wall> {
        self.shifts(date).last().map(|(_, end)| civil::wall(self.zone(), *end))
    }
}
