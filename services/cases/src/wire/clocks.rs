//! Contract ⇄ domain: clocks and the arithmetic behind them.

use calendar::{Budget, Explanation, Kind, Length, Line, State, Why};
use fault::{Check, Fault};
use jiff::{SignedDuration, Timestamp};
use kernel::CaseId;
use proto::redress::cases::v1::{
    CaseClock as WireClock, ClockState, ExplainDeadlineRequest, ExplainDeadlineResponse, Interval,
    IntervalKind,
};

use super::time;
use crate::clocks::{CaseClock, kind_of, number};

/// Reads which deadline is to be explained.
pub(crate) fn explain(request: ExplainDeadlineRequest) -> Result<(CaseId, Kind), Fault> {
    let ExplainDeadlineRequest { case_id, kind } = request;
    let mut check = Check::new();
    let case = check.id("case_id", &case_id);
    let kind = self::kind(&mut check, kind);
    check.done("INVALID_CLOCK")?;
    Ok((case, kind))
}

/// Reads the kind of a clock.
pub(crate) fn kind(check: &mut Check, kind: i32) -> Kind {
    kind_of(kind).unwrap_or_else(|| {
        check.fail("kind", if kind == 0 { "is required" } else { "is not a known kind" });
        Kind::Decide
    })
}

/// A clock as callers see it at a moment.
pub(crate) fn clock(of: &CaseClock, now: Timestamp) -> WireClock {
    let clock = &of.clock;
    let due = clock.due(&of.calendar);
    let (state, ended) = match clock.state {
        State::Running { .. } => (ClockState::Running, None),
        State::Paused { .. } => (ClockState::Paused, None),
        State::Met { at } => (ClockState::Met, Some(at)),
        State::Stopped { at } => (ClockState::Stopped, Some(at)),
    };
    WireClock {
        kind: number(clock.kind).into(),
        cycle: of.cycle,
        state: state.into(),
        policy: clock.policy.clone(),
        budget: budget(of).to_string(),
        calendar: of.calendar_name.clone(),
        start_time: Some(time(clock.start)),
        due_time: due.map(time),
        end_time: ended.map(time),
        breached: clock.is_breached(&of.calendar, now),
        own_target: of.own_target,
        unverified: of.unverified,
        rungs_done: of.rungs.clone(),
        provisional: due.is_some_and(|due| of.calendar.is_provisional(due)),
        extended: i32::try_from(clock.extended).unwrap_or(i32::MAX),
    }
}

/// The budget with what was added to it.
fn budget(of: &CaseClock) -> Budget {
    let budget = of.clock.terms.budget;
    let length = budget.length();
    let longer = Length::new(length.amount().saturating_add(of.clock.extended), length.unit());
    longer.and_then(|length| Budget::new(length, budget.start(), budget.end())).unwrap_or(budget)
}

/// The arithmetic behind a due time.
pub(crate) fn explained(of: &CaseClock, now: Timestamp) -> ExplainDeadlineResponse {
    let Explanation { scale: _, start: _, total, lead, lines, due: _, provisional: _ } =
        of.clock.explain(&of.calendar);
    ExplainDeadlineResponse {
        clock: Some(clock(of, now)),
        total: Some(duration(total)),
        lead: Some(duration(lead)),
        intervals: lines.into_iter().map(interval).collect(),
        time_zone: of.calendar.zone().iana_name().unwrap_or_default().to_owned(),
    }
}

fn interval(line: Line) -> Interval {
    let Line { from, until, why, amount, sum } = line;
    let (kind, note) = match why {
        Why::Counts => (IntervalKind::Counts, String::new()),
        Why::Settled => (IntervalKind::Settled, String::new()),
        Why::BeforeFirstDay => (IntervalKind::BeforeFirstDay, String::new()),
        Why::OutOfHours => (IntervalKind::OutOfHours, String::new()),
        Why::Weekend => (IntervalKind::Weekend, String::new()),
        Why::Holiday(name) => (IntervalKind::Holiday, name),
        Why::ClocksSet => (IntervalKind::ClocksSet, String::new()),
        Why::Paused(reason) => (IntervalKind::Paused, reason_words(reason).to_owned()),
    };
    Interval {
        from_time: Some(time(from)),
        until_time: Some(time(until)),
        kind: kind.into(),
        note,
        amount: Some(duration(amount)),
        sum: Some(duration(sum)),
    }
}

/// A reason to pause, as data names it.
fn reason_words(reason: calendar::Reason) -> &'static str {
    calendar::Reason::ALL.iter().find(|(known, _)| *known == reason).map_or("", |(_, name)| name)
}

fn duration(duration: SignedDuration) -> prost_types::Duration {
    prost_types::Duration { seconds: duration.as_secs(), nanos: duration.subsec_nanos() }
}

#[cfg(test)]
mod tests {
    use proto::redress::cases::v1::ClockKind;

    use crate::clocks::{kind_of, number};

    #[test]
    fn our_numbers_are_the_contracts() {
        for code in 1..=12 {
            let theirs = ClockKind::try_from(code).map(|kind| format!("{kind:?}"));
            let ours = kind_of(code);
            assert_eq!(theirs.ok(), ours.map(|kind| format!("{kind:?}")));
            assert_eq!(ours.map(|kind| i32::from(number(kind))), Some(code));
        }
        assert!(ClockKind::try_from(13).is_err() && kind_of(13).is_none() && kind_of(0).is_none());
    }
}
