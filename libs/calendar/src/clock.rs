//! A clock: one promise with a budget that is being spent. It keeps what was
//! spent and since when it runs; when it is due, and whether that has passed, is
//! worked out each time somebody asks.

mod refusal;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

use crate::budget::{Badly, Budget, End, Length, Roll, Start, Unit};
use crate::calendar::Calendar;
use crate::civil::{self, Wall};
use crate::pack::{Kind, Starts};
use crate::scale::Scale;
use crate::terms::{Approval, Reason, Reopening, Terms};

pub use refusal::Refusal;

/// Whether time is being spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "is")]
pub enum State {
    /// It is.
    Running {
        /// Since when.
        since: Timestamp,
    },
    /// It stands still, for now.
    Paused {
        /// Since when.
        since: Timestamp,
        /// For which reason.
        reason: Reason,
    },
    /// What was promised was done.
    Met {
        /// When.
        at: Timestamp,
    },
    /// Nothing is owed any more: withdrawn, merged, out of scope.
    Stopped {
        /// When.
        at: Timestamp,
    },
}

/// A stretch over which it ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// From when.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// What that took of the budget, by the calendar of its day.
    pub consumed: SignedDuration,
}

/// A stretch over which it stood still.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// From when.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// For which reason.
    pub reason: Reason,
}

/// One promise that is being kept, or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    /// What is promised.
    pub kind: Kind,
    /// Which policy in which version promises it, as `uk-fca-disp@1`.
    pub policy: String,
    /// What it promises.
    pub terms: Terms,
    /// When it was started.
    pub start: Timestamp,
    /// By what; none where that was not kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begun_by: Option<Starts>,
    /// Where it stands.
    pub state: State,
    /// When it ran before.
    #[serde(default)]
    pub runs: Vec<Run>,
    /// When it stood still before.
    #[serde(default)]
    pub pauses: Vec<Pause>,
    /// What was added to its budget, in the budget's unit.
    #[serde(default)]
    pub extended: u32,
    /// How often.
    #[serde(default)]
    pub extensions: u32,
}

impl Clock {
    /// Starts one.
    pub fn start(kind: Kind, terms: Terms, policy: &str, now: Timestamp) -> Self {
        Self {
            kind,
            policy: policy.to_owned(),
            terms,
            start: now,
            begun_by: None,
            state: State::Running { since: now },
            runs: Vec::new(),
            pauses: Vec::new(),
            extended: 0,
            extensions: 0,
        }
    }

    /// The same, and what started it.
    #[must_use]
    pub fn begun_by(self, starts: Starts) -> Self {
        Self { begun_by: Some(starts), ..self }
    }

    /// Starts one that is due at a moment that was named. What is left until then
    /// is counted in whole minutes, the first of which may have begun before now.
    ///
    /// # Errors
    ///
    /// Fails with [`Badly::Amount`] if the moment is not after now, or is too far away.
    pub fn until(kind: Kind, moment: Timestamp, policy: &str, now: Timestamp) -> Result<Self, Badly> {
        const MINUTE: i128 = 60_000_000_000;
        let left = moment.duration_since(now).as_nanos();
        let minutes = u32::try_from((left + MINUTE - 1).div_euclid(MINUTE)).map_err(|_| Badly::Amount)?;
        let budget = Budget::new(Length::new(minutes, Unit::Minutes)?, Start::default(), End::default())?;
        let start = civil::add(moment, -SignedDuration::from_mins(i64::from(minutes)));
        Ok(Self::start(kind, Terms::of(budget), policy, start))
    }

    /// The scale its budget is spent on.
    pub fn scale(&self) -> Scale {
        self.terms.budget.scale()
    }

    /// Whether it has neither been met nor stopped.
    pub fn is_open(&self) -> bool {
        matches!(self.state, State::Running { .. } | State::Paused { .. })
    }

    /// Since when it runs without a break; none while it stands still or when it
    /// has ended.
    pub fn running_since(&self) -> Option<Timestamp> {
        match self.state {
            State::Running { since } => Some(since),
            _ => None,
        }
    }

    /// When a paused clock runs on by itself because its cap is used up.
    pub fn resumes_at(&self) -> Option<Timestamp> {
        let State::Paused { since, .. } = self.state else { return None };
        let cap = self.terms.pause.as_ref()?.cap()?;
        Some(civil::add(since, (cap - self.stood_still()).max(SignedDuration::ZERO)))
    }

    /// The clock of the limit that holds: of two beside each other the one that is due
    /// first, counted from the same start through the same pauses.
    pub(crate) fn governing(&self, calendar: &Calendar) -> Cow<'_, Self> {
        let Some(other) = self.other(calendar) else { return Cow::Borrowed(self) };
        match (self.due_alone(calendar), other.due_alone(calendar)) {
            (Some(own), Some(due)) if due < own => Cow::Owned(other),
            _ => Cow::Borrowed(self),
        }
    }

    /// The clock of the limit beside its own, if there is one.
    pub(crate) fn other(&self, calendar: &Calendar) -> Option<Self> {
        let beside = self.terms.beside?;
        let mut other = self.clone();
        (other.terms.budget, other.terms.beside) = (beside, Some(self.terms.budget));
        other.remeasure(calendar);
        Some(other)
    }

    /// How much there is to spend, with what was added and what the last day is rolled
    /// forward by.
    pub fn total(&self, calendar: &Calendar) -> SignedDuration {
        self.governing(calendar).total_alone(calendar)
    }

    /// How much was spent by `at`.
    pub fn consumed(&self, calendar: &Calendar, at: Timestamp) -> SignedDuration {
        let clock = self.governing(calendar);
        let open = match (clock.state, clock.tail()) {
            (State::Running { .. } | State::Paused { .. }, Some(since)) => {
                clock.scale().measure(calendar, since, at)
            }
            _ => SignedDuration::ZERO,
        };
        clock.settled() + open
    }

    /// When it is due: when the budget will be, or would have been, used up.
    /// None while it is paused without a cap.
    pub fn due(&self, calendar: &Calendar) -> Option<Timestamp> {
        self.governing(calendar).due_alone(calendar)
    }

    pub(crate) fn due_alone(&self, calendar: &Calendar) -> Option<Timestamp> {
        self.moment(calendar, self.total_alone(calendar))
    }

    pub(crate) fn total_alone(&self, calendar: &Calendar) -> SignedDuration {
        self.plain_total(calendar) + self.rolled_by(calendar)
    }

    /// How much there is to spend, were the last day not rolled forward.
    fn plain_total(&self, calendar: &Calendar) -> SignedDuration {
        self.terms.budget.longer(self.extended).total(calendar, self.start)
    }

    /// How much the last day is rolled forward, with every pause there was.
    pub(crate) fn rolled_by(&self, calendar: &Calendar) -> SignedDuration {
        if self.terms.budget.roll() == Roll::Never {
            return SignedDuration::ZERO;
        }
        let end = self.reading(calendar, self.plain_total(calendar));
        end.map_or(SignedDuration::ZERO, |end| self.terms.budget.rolled_by(calendar, end))
    }

    /// What the wall clock shows when so many days of the calendar are spent; none
    /// while it is paused without a cap.
    pub(crate) fn reading(&self, calendar: &Calendar, amount: SignedDuration) -> Option<Wall> {
        let reading = |from: Timestamp, left| civil::add(civil::wall(calendar.zone(), from), left);
        let mut left = amount;
        for run in &self.runs {
            if left <= run.consumed {
                return Some(reading(run.from, left));
            }
            left -= run.consumed;
        }
        self.tail().map(|since| reading(since, left))
    }

    /// When so much of the budget will be, or would have been, spent.
    pub(crate) fn moment(&self, calendar: &Calendar, amount: SignedDuration) -> Option<Timestamp> {
        let mut left = amount;
        for run in &self.runs {
            if left <= run.consumed {
                return Some(self.scale().advance(calendar, run.from, left).min(run.until));
            }
            left -= run.consumed;
        }
        self.tail().map(|since| self.scale().advance(calendar, since, left))
    }

    /// Whether the promise was broken by `at`: a due time is the first moment
    /// that is too late.
    pub fn is_breached(&self, calendar: &Calendar, at: Timestamp) -> bool {
        let until = match self.state {
            State::Met { at: end } | State::Stopped { at: end } => at.min(end),
            _ => at,
        };
        self.due(calendar).is_some_and(|due| due <= until)
    }

    /// Lets it stand still.
    ///
    /// # Errors
    ///
    /// Refuses a clock that stands still already or has ended, one that may not pause or not
    /// for this reason, one whose pauses are used up, and one that is overdue.
    pub fn pause(&mut self, reason: Reason, calendar: &Calendar, now: Timestamp) -> Result<(), Refusal> {
        let since = match self.state {
            State::Running { since } => since,
            State::Paused { .. } => return Err(Refusal::AlreadyPaused),
            State::Met { .. } | State::Stopped { .. } => return Err(Refusal::Ended),
        };
        let pausing = self.terms.pause.as_ref().ok_or(Refusal::MayNotPause)?;
        if !pausing.reasons.contains(&reason) {
            return Err(Refusal::UnlawfulReason);
        }
        if pausing.cap().is_some_and(|cap| cap <= self.stood_still()) {
            return Err(Refusal::PauseUsedUp);
        }
        let now = now.max(since);
        if self.is_breached(calendar, now) {
            return Err(Refusal::Overdue);
        }
        self.settle(calendar, since, now);
        self.state = State::Paused { since: now, reason };
        Ok(())
    }

    /// Lets it run on; from when its cap was used up, if that was before.
    ///
    /// # Errors
    ///
    /// Refuses a clock that does not stand still.
    pub fn resume(&mut self, now: Timestamp) -> Result<(), Refusal> {
        let State::Paused { since, reason } = self.state else {
            return Err(if self.is_open() { Refusal::NotPaused } else { Refusal::Ended });
        };
        let until = self.resumes_at().map_or(now, |forced| forced.min(now)).max(since);
        self.pauses.push(Pause { from: since, until, reason });
        self.state = State::Running { since: until };
        Ok(())
    }

    /// Gives it more time, counted in the unit of its budget.
    ///
    /// # Errors
    ///
    /// Refuses a clock that has ended or is overdue, one that may not be extended (again, or by
    /// so much), and an approval without a reason, without an approver where one is needed, or
    /// by the handler.
    pub fn extend(
        &mut self,
        more: u32,
        approval: &Approval<'_>,
        calendar: &Calendar,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        self.may_extend(more, approval)?;
        if self.is_breached(calendar, now) {
            return Err(Refusal::Overdue);
        }
        self.extended += more;
        self.extensions += 1;
        Ok(())
    }

    /// The most it may still be extended by.
    pub fn most_more(&self) -> u32 {
        let again = self.terms.extension.as_ref().is_some_and(|extension| self.extensions < extension.times);
        if again { self.terms.most_extension().saturating_sub(self.extended) } else { 0 }
    }

    fn may_extend(&self, more: u32, approval: &Approval<'_>) -> Result<(), Refusal> {
        let Approval { reason, handler, approver } = approval;
        let extension = self.terms.extension.as_ref().ok_or(Refusal::MayNotExtend)?;
        if !self.is_open() {
            return Err(Refusal::Ended);
        }
        if self.extensions >= extension.times {
            return Err(Refusal::ExtendedAlready);
        }
        if more == 0 || self.extended.saturating_add(more) > self.terms.most_extension() {
            return Err(Refusal::BeyondMaximum);
        }
        if reason.trim().is_empty() {
            return Err(Refusal::ReasonMissing);
        }
        match approver.is_empty() {
            true if extension.approval => Err(Refusal::ApproverMissing),
            false if approver == handler => Err(Refusal::ApproverIsHandler),
            _ => Ok(()),
        }
    }

    /// What was promised was done.
    ///
    /// # Errors
    ///
    /// Refuses a clock that has ended.
    pub fn meet(&mut self, calendar: &Calendar, now: Timestamp) -> Result<(), Refusal> {
        let at = self.end(calendar, now)?;
        self.state = State::Met { at };
        Ok(())
    }

    /// Nothing is owed any more.
    ///
    /// # Errors
    ///
    /// Refuses a clock that has ended.
    pub fn stop(&mut self, calendar: &Calendar, now: Timestamp) -> Result<(), Refusal> {
        let at = self.end(calendar, now)?;
        self.state = State::Stopped { at };
        Ok(())
    }

    /// It was met, but not for good: it runs on as if it had never stopped.
    ///
    /// # Errors
    ///
    /// Refuses a clock that was not met.
    pub fn reopen(&mut self) -> Result<(), Refusal> {
        let State::Met { at } = self.state else { return Err(Refusal::NotMet) };
        self.state = State::Running { since: at };
        Ok(())
    }

    /// It was met, but not for good: it runs on, and the time since does not count.
    ///
    /// # Errors
    ///
    /// Refuses a clock that was not met.
    pub fn reopen_at(&mut self, now: Timestamp) -> Result<(), Refusal> {
        let State::Met { at } = self.state else { return Err(Refusal::NotMet) };
        let until = now.max(at);
        self.pauses.push(Pause { from: at, until, reason: Reason::Resolved });
        self.state = State::Running { since: until };
        Ok(())
    }

    /// What becomes of it when its case is reopened: as its terms say; where they do
    /// not, a regime's answer is counted on, and the rest is over.
    pub fn reopening(&self, own_target: bool) -> Reopening {
        self.terms.reopened.unwrap_or_else(|| Reopening::usual(self.kind, own_target))
    }

    /// Puts it under other terms: a new priority or policy. What was spent and
    /// how long it stood still stays; what was added stays as far as the new
    /// terms allow. One that stands still for what they know no pause for runs on.
    pub fn change(&mut self, terms: Terms, policy: &str, calendar: &Calendar, now: Timestamp) {
        if let State::Paused { reason, .. } = self.state
            && !terms.pause.as_ref().is_some_and(|pause| pause.reasons.contains(&reason))
        {
            // By the old terms, which may have let it run on before now.
            self.resume(now).ok();
        }
        let counted_alike = terms.budget.scale() == self.scale();
        let unit_alike = terms.budget.length().unit() == self.terms.budget.length().unit();
        self.terms = terms;
        policy.clone_into(&mut self.policy);
        self.extended = if unit_alike { self.extended.min(self.terms.most_extension()) } else { 0 };
        if !counted_alike {
            self.remeasure(calendar);
        }
    }

    /// Counts what was spent anew: the calendar was edited.
    pub fn remeasure(&mut self, calendar: &Calendar) {
        let scale = self.scale();
        for run in &mut self.runs {
            run.consumed = scale.measure(calendar, run.from, run.until);
        }
    }

    /// Where it began, or would begin, to run without an end.
    pub(crate) fn tail(&self) -> Option<Timestamp> {
        match self.state {
            State::Running { since } => Some(since),
            State::Paused { .. } => self.resumes_at(),
            State::Met { at } | State::Stopped { at } => Some(at),
        }
    }

    fn end(&mut self, calendar: &Calendar, now: Timestamp) -> Result<Timestamp, Refusal> {
        if let State::Paused { .. } = self.state {
            self.resume(now)?;
        }
        let since = self.running_since().ok_or(Refusal::Ended)?;
        let now = now.max(since);
        self.settle(calendar, since, now);
        Ok(now)
    }

    fn settle(&mut self, calendar: &Calendar, from: Timestamp, until: Timestamp) {
        if from < until {
            let consumed = self.scale().measure(calendar, from, until);
            self.runs.push(Run { from, until, consumed });
        }
    }

    fn settled(&self) -> SignedDuration {
        self.runs.iter().map(|run| run.consumed).sum()
    }

    /// How long it stood still before the pause it may be in.
    fn stood_still(&self) -> SignedDuration {
        let asked_for = self.pauses.iter().filter(|pause| pause.reason != Reason::Resolved);
        asked_for.map(|pause| pause.until.duration_since(pause.from)).sum()
    }
}
