//! The arithmetic behind a due time, interval by interval, so that anybody can
//! check it by hand.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use crate::budget::{Budget, Days};
use crate::calendar::{Calendar, Day, LAST_DAY};
use crate::civil::{self, Wall};
use crate::clock::{Clock, Pause, State};
use crate::pack::Starts;
use crate::scale::Scale;
use crate::terms::Reason;

/// Why an interval counts or does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// It counts.
    Counts,
    /// It counted, as measured by an earlier version of the calendar.
    Settled,
    /// It lies before the first day that counts, and is given away.
    BeforeFirstDay,
    /// Worked day, but outside working hours.
    OutOfHours,
    /// Day off because of its weekday.
    Weekend,
    /// Holiday, with its name.
    Holiday(String),
    /// Wall time that was skipped at midnight, when clocks were set forward: it
    /// counts, and takes no time.
    ClocksSet,
    /// The clock stood still.
    Paused(Reason),
    /// The last day was one nobody works: it was rolled forward past this.
    RolledForward,
}

/// One interval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// From when.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// Why it counts or does not.
    pub why: Why,
    /// What it takes of the budget: nothing when it does not count.
    pub amount: SignedDuration,
    /// What has been taken with it.
    pub sum: SignedDuration,
}

/// How a due time comes about. The lines follow one another without a gap from
/// `start` to `due`, and their amounts add up to `total`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// How the amounts are counted.
    pub scale: Scale,
    /// When the clock was started.
    pub start: Timestamp,
    /// What there is to spend, `lead` included.
    pub total: SignedDuration,
    /// What of it lies before the first day that counts.
    pub lead: SignedDuration,
    /// Interval by interval.
    pub lines: Vec<Line>,
    /// When it is due; none while the clock is paused without a cap.
    pub due: Option<Timestamp>,
    /// Whether holidays up to then are not all known yet.
    pub provisional: bool,
    /// The limit that is laid out: of two beside each other the one that holds, with
    /// what was added.
    pub budget: Budget,
    /// The other limit, and when it is due alone; none where there is one only.
    pub beside: Option<(Budget, Option<Timestamp>)>,
    /// What started it; none where that was not kept.
    pub begun_by: Option<Starts>,
    /// The days the limit runs from and to before pauses and before the last is rolled
    /// forward; none where hours or minutes are counted.
    pub days: Option<Days>,
    /// The last day before it was rolled forward, and the one it was rolled to; none
    /// where it was not.
    pub rolled: Option<(Date, Date)>,
}

impl Clock {
    /// The arithmetic behind its due time.
    pub fn explain(&self, calendar: &Calendar) -> Explanation {
        let clock = self.governing(calendar);
        let other = clock.other(calendar);
        let beside = other.map(|other| (other.terms.budget, other.due_alone(calendar)));
        Explanation { beside, ..clock.explain_alone(calendar) }
    }

    fn explain_alone(&self, calendar: &Calendar) -> Explanation {
        let total = self.total_alone(calendar);
        let rolled = self.rolled_by(calendar);
        let lead = self.terms.budget.lead(calendar, self.start).min(total);
        let due = self.due_alone(calendar);
        let (scale, plain) = (self.scale(), total - rolled);
        let mut builder = IntervalsBuilder {
            calendar,
            scale,
            lead,
            plain,
            total,
            sum: SignedDuration::ZERO,
            lines: Vec::new(),
        };
        let mut pauses = self.pauses.iter().copied().peekable();
        for run in &self.runs {
            builder.paused_until(&mut pauses, run.from);
            builder.settled(run.from, run.until, run.consumed);
        }
        builder.paused_until(&mut pauses, Timestamp::MAX);
        if let State::Paused { since, reason } = self.state {
            builder.paused(Pause { from: since, until: self.tail().unwrap_or(since), reason });
        }
        if let (Some(from), Some(due)) = (self.tail(), due) {
            builder.counted(from, due, total);
        }
        let provisional = due.is_some_and(|due| calendar.is_provisional(due));
        let budget = self.terms.budget.longer(self.extended);
        Explanation {
            scale,
            start: self.start,
            total,
            lead,
            lines: builder.lines,
            due,
            provisional,
            budget,
            beside: None,
            begun_by: self.begun_by,
            days: budget.days(calendar, self.start),
            rolled: self.rolled_days(calendar, plain, rolled),
        }
    }

    /// The last day before it was rolled forward, and after.
    fn rolled_days(
        &self,
        calendar: &Calendar,
        plain: SignedDuration,
        rolled: SignedDuration,
    ) -> Option<(Date, Date)> {
        let last = |end: Wall| civil::date(civil::add(end, SignedDuration::from_nanos(-1)));
        let end = self.reading(calendar, plain).filter(|_| rolled.is_positive())?;
        Some((last(end), last(civil::add(end, rolled))))
    }
}

/// Lines being written, until the total is reached.
struct IntervalsBuilder<'a> {
    calendar: &'a Calendar,
    scale: Scale,
    lead: SignedDuration,
    /// The total without what the last day is rolled forward by.
    plain: SignedDuration,
    total: SignedDuration,
    sum: SignedDuration,
    lines: Vec<Line>,
}

impl IntervalsBuilder<'_> {
    /// Writes the pauses that began before `time`.
    fn paused_until(
        &mut self,
        pauses: &mut std::iter::Peekable<impl Iterator<Item = Pause>>,
        time: Timestamp,
    ) {
        while let Some(pause) = pauses.next_if(|pause| pause.from < time) {
            self.paused(pause);
        }
    }

    fn paused(&mut self, pause: Pause) {
        if self.sum < self.total {
            self.write(pause.from, pause.until, Why::Paused(pause.reason), SignedDuration::ZERO);
        }
    }

    /// A stretch that is over: by today's calendar if it says the same.
    fn settled(&mut self, from: Timestamp, until: Timestamp, consumed: SignedDuration) {
        let enough = self.total - self.sum;
        if enough <= SignedDuration::ZERO {
            return;
        }
        if self.scale.measure(self.calendar, from, until) != consumed {
            let until = if enough < consumed {
                self.scale.advance(self.calendar, from, enough).min(until)
            } else {
                until
            };
            self.write(from, until, Why::Settled, consumed.min(enough));
        } else if enough <= consumed {
            self.counted(from, self.scale.advance(self.calendar, from, enough).min(until), self.total);
        } else {
            self.counted(from, until, self.sum + consumed);
        }
    }

    /// A stretch that takes the sum to `target` exactly.
    fn counted(&mut self, from: Timestamp, until: Timestamp, target: SignedDuration) {
        let calendar = self.calendar;
        match self.scale {
            Scale::Elapsed | Scale::Days => self.count(from, until, target),
            Scale::WorkingDays => {
                self.each_day(from, until, |builder, _, from, until| builder.count(from, until, target));
            }
            Scale::WorkingTime => self.each_day(from, until, |builder, date, from, until| {
                let mut at = from;
                for (begin, end) in calendar.shifts(date) {
                    let (begin, end) = (begin.clamp(at, until), end.clamp(at, until));
                    builder.write(at, begin, Why::OutOfHours, SignedDuration::ZERO);
                    builder.count(begin, end, target);
                    at = end;
                }
                builder.write(at, until, Why::OutOfHours, SignedDuration::ZERO);
            }),
        }
        // What the wall clock skipped at the beginning of a day lies between lines.
        let skipped = target - self.sum;
        if skipped.is_positive() && calendar.date(until) <= LAST_DAY {
            self.sum = target;
            let why = Why::ClocksSet;
            self.lines.push(Line { from: until, until, why, amount: skipped, sum: target });
        }
    }

    /// Walks over the days of a stretch; days off do not count. Ends at the horizon: a
    /// clock that is not used up before it has no due time to explain.
    fn each_day(
        &mut self,
        from: Timestamp,
        until: Timestamp,
        worked: impl Fn(&mut Self, Date, Timestamp, Timestamp),
    ) {
        let (mut at, mut date) = (from, self.calendar.date(from));
        while at < until && date <= LAST_DAY {
            date = civil::next(date);
            let end = civil::reach(self.calendar.zone(), date.to_datetime(jiff::civil::Time::midnight()))
                .min(until);
            let today = civil::previous(date);
            match self.calendar.day(today) {
                Day::Worked(_) => worked(self, today, at, end),
                Day::Weekend => self.write(at, end, Why::Weekend, SignedDuration::ZERO),
                Day::Holiday(name) => self.write(at, end, Why::Holiday(name), SignedDuration::ZERO),
            }
            at = end.max(at);
        }
    }

    /// Counts a stretch without breaks; what lies before the first day that
    /// counts is a line of its own.
    fn count(&mut self, from: Timestamp, until: Timestamp, target: SignedDuration) {
        let mut from = from;
        if self.sum < self.lead {
            let end = self.scale.advance(self.calendar, from, self.lead - self.sum).min(until);
            let amount = self.scale.measure(self.calendar, from, end).min(self.lead - self.sum);
            self.write(from, end, Why::BeforeFirstDay, amount);
            from = end;
        }
        if self.plain < target && self.sum < self.plain {
            let end = self.scale.advance(self.calendar, from, self.plain - self.sum).min(until);
            let amount = self.scale.measure(self.calendar, from, end).min(self.plain - self.sum);
            self.write(from, end, Why::Counts, amount);
            from = end;
        }
        let why =
            if self.plain < self.total && self.plain <= self.sum { Why::RolledForward } else { Why::Counts };
        let amount = self.scale.measure(self.calendar, from, until).min(target - self.sum);
        self.write(from, until, why, amount);
    }

    /// Writes a line, or lengthens the last one if it says the same.
    fn write(&mut self, from: Timestamp, until: Timestamp, why: Why, amount: SignedDuration) {
        if from >= until {
            return;
        }
        self.sum += amount;
        match self.lines.last_mut() {
            Some(last) if last.why == why && last.until == from => {
                last.until = until;
                last.amount += amount;
                last.sum = self.sum;
            }
            _ => self.lines.push(Line { from, until, why, amount, sum: self.sum }),
        }
    }
}
