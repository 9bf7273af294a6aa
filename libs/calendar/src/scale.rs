//! The four ways time is counted, and how far a time is from another on each.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::calendar::{Calendar, FIRST_DAY, days_back, days_from};
use crate::civil::{self, Wall};

/// How time is counted. On each scale what two stretches take together is what
/// they take one by one, whatever the calendar and wherever they are cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scale {
    /// As a stop watch does.
    Elapsed,
    /// A stop watch that runs in working hours only.
    WorkingTime,
    /// Wall time: every day has 24 hours, also when clocks are set.
    Days,
    /// Wall time of worked days only.
    WorkingDays,
}

impl Scale {
    /// How much of this scale lies between two instants; nothing when they are
    /// the wrong way round. Working time is counted from 1970 to 2149.
    pub fn measure(self, calendar: &Calendar, from: Timestamp, until: Timestamp) -> SignedDuration {
        if until <= from {
            return SignedDuration::ZERO;
        }
        let zone = calendar.zone();
        match self {
            Self::Elapsed => until.duration_since(from),
            Self::WorkingTime => working_time(calendar, from, until),
            Self::Days | Self::WorkingDays => {
                self.measure_wall(calendar, civil::wall(zone, from), civil::wall(zone, until))
            }
        }
    }

    /// Same between two readings of the wall clock, on the scales of wall time.
    pub(crate) fn measure_wall(self, calendar: &Calendar, from: Wall, until: Wall) -> SignedDuration {
        if self == Self::WorkingDays {
            working_days(calendar, from, until)
        } else {
            until.duration_since(from)
        }
    }

    /// The first instant by which so much has passed since `from`; the end of time
    /// (`Timestamp::MAX`) where working time does not last that long before 2150.
    pub fn advance(self, calendar: &Calendar, from: Timestamp, amount: SignedDuration) -> Timestamp {
        if !amount.is_positive() {
            return from;
        }
        let zone = calendar.zone();
        match self {
            Self::Elapsed => civil::add(from, amount),
            Self::WorkingTime => advance_working(calendar, from, amount),
            Self::Days => {
                let reading = civil::add(civil::wall(zone, from), amount);
                from.max(civil::passed(zone, reading))
            }
            Self::WorkingDays => {
                let reading = advance_days(calendar, civil::wall(zone, from), amount);
                from.max(civil::passed(zone, reading))
            }
        }
    }

    /// The last instant from which so much passes before `until`; the beginning of time
    /// where there is not so much working time since 1970.
    pub fn retreat(self, calendar: &Calendar, until: Timestamp, amount: SignedDuration) -> Timestamp {
        if !amount.is_positive() {
            return until;
        }
        let zone = calendar.zone();
        match self {
            Self::Elapsed => civil::add(until, -amount),
            Self::WorkingTime => retreat_working(calendar, until, amount),
            Self::Days => {
                let reading = civil::add(civil::wall(zone, until), -amount);
                until.min(civil::reach_wall(zone, reading))
            }
            Self::WorkingDays => {
                let reading = retreat_days(calendar, civil::wall(zone, until), amount);
                until.min(civil::reach_wall(zone, reading))
            }
        }
    }
}

fn working_time(calendar: &Calendar, from: Timestamp, until: Timestamp) -> SignedDuration {
    // Clocks set back over midnight show a day again that was over before.
    let last = civil::date(civil::wall(calendar.zone(), until));
    days_from(calendar.date(from).max(FIRST_DAY))
        .take_while(|date| *date <= last)
        .flat_map(|date| calendar.shifts(date))
        .map(|(begin, end)| end.min(until).duration_since(begin.max(from)))
        .filter(SignedDuration::is_positive)
        .sum()
}

fn working_days(calendar: &Calendar, from: Wall, until: Wall) -> SignedDuration {
    days_from(civil::date(from).max(FIRST_DAY))
        .take_while(|date| civil::midnight(*date) < until)
        .filter(|date| calendar.is_worked(*date))
        .map(|date| day_end(date).min(until).duration_since(civil::midnight(date).max(from)))
        .sum()
}

fn advance_working(calendar: &Calendar, from: Timestamp, amount: SignedDuration) -> Timestamp {
    let mut left = amount;
    for date in days_from(calendar.date(from)) {
        for (begin, end) in calendar.shifts(date) {
            let begin = begin.max(from);
            let room = end.duration_since(begin);
            if left <= room {
                return civil::add(begin, left);
            }
            left -= room.max(SignedDuration::ZERO);
        }
    }
    Timestamp::MAX
}

fn advance_days(calendar: &Calendar, from: Wall, amount: SignedDuration) -> Wall {
    let mut left = amount;
    for date in days_from(civil::date(from)).filter(|date| calendar.is_worked(*date)) {
        let begin = civil::midnight(date).max(from);
        let room = day_end(date).duration_since(begin);
        if left <= room {
            return civil::add(begin, left);
        }
        left -= room;
    }
    Timestamp::MAX
}

fn retreat_working(calendar: &Calendar, until: Timestamp, amount: SignedDuration) -> Timestamp {
    let mut left = amount;
    for date in days_back(civil::date(civil::wall(calendar.zone(), until))) {
        for (begin, end) in calendar.shifts(date).into_iter().rev() {
            let end = end.min(until);
            let room = end.duration_since(begin);
            if left <= room {
                return civil::add(end, -left);
            }
            left -= room.max(SignedDuration::ZERO);
        }
    }
    Timestamp::MIN
}

fn retreat_days(calendar: &Calendar, until: Wall, amount: SignedDuration) -> Wall {
    let mut left = amount;
    for date in days_back(civil::date(until)).filter(|date| calendar.is_worked(*date)) {
        let end = day_end(date).min(until);
        let room = end.duration_since(civil::midnight(date));
        if left <= room {
            return civil::add(end, -left);
        }
        left -= room;
    }
    Timestamp::MIN
}

fn day_end(date: Date) -> Wall {
    civil::midnight(civil::next(date))
}
