//! Contract ⇄ domain: clocks and the arithmetic behind them.

use calendar::{Budget, Explanation, Kind, Line, Reason, State, Why, zones};
use fault::{Check, Fault};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use kernel::CaseId;
use proto::redress::cases::v1::{
    ApproveExtensionRequest, CaseClock as WireClock, ClockExtension, ClockState, ExplainDeadlineRequest,
    ExplainDeadlineResponse, Interval, IntervalKind, PauseClocksRequest, PauseReason, RefuseExtensionRequest,
    RequestExtensionRequest, ResumeClocksRequest, SendHoldingReplyRequest,
};
use proto::timestamp;
use uuid::Uuid;

use super::policies::kebab;
use super::{CaseTarget, MAX_REASON, MAX_TEXT, target};
use crate::clocks::CaseClock;
use crate::clocks::holding::Reply;
use crate::clocks::pauses_and_extensions::Extension;
use crate::promise::{kind_of, number, reason_name};

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

/// Reads which clocks are to stand still, why, and what happened.
pub(crate) fn pause(request: PauseClocksRequest) -> Result<(CaseTarget, Vec<Kind>, Reason, String), Fault> {
    let PauseClocksRequest { request_id, case_id, expected_version, kinds, reason, remark } = request;
    let mut check = Check::new();
    let target = target(&mut check, request_id, &case_id, expected_version);
    let kinds = self::kinds(&mut check, &kinds);
    let reason = match PauseReason::try_from(reason) {
        Ok(PauseReason::AwaitingComplainant) => Reason::AwaitingComplainant,
        Ok(PauseReason::Appraisal) => Reason::Appraisal,
        Ok(PauseReason::Proceedings) => Reason::Proceedings,
        Ok(PauseReason::ForceMajeure) => Reason::ForceMajeure,
        Ok(PauseReason::Unspecified) | Err(_) => {
            check.fail("reason", if reason == 0 { "is required" } else { "is not a known reason" });
            Reason::Appraisal
        }
    };
    let remark = check.required("remark", remark, MAX_REASON);
    check.done("INVALID_PAUSE")?;
    Ok((target, kinds, reason, remark))
}

/// Reads which clocks are to run on, and what happened.
pub(crate) fn resume(request: ResumeClocksRequest) -> Result<(CaseTarget, Vec<Kind>, String), Fault> {
    let ResumeClocksRequest { request_id, case_id, expected_version, kinds, remark } = request;
    let mut check = Check::new();
    let target = target(&mut check, request_id, &case_id, expected_version);
    let kinds = self::kinds(&mut check, &kinds);
    let remark = check.required("remark", remark, MAX_REASON);
    check.done("INVALID_PAUSE")?;
    Ok((target, kinds, remark))
}

/// Most kinds of clocks that are named at once; there are fewer.
const MAX_KINDS: usize = 32;

fn kinds(check: &mut Check, kinds: &[i32]) -> Vec<Kind> {
    if kinds.len() > MAX_KINDS {
        check.fail("kinds", format!("must be at most {MAX_KINDS}"));
        return Vec::new();
    }
    let known: Vec<Kind> = kinds.iter().copied().filter_map(kind_of).collect();
    check.ensure(known.len() == kinds.len(), "kinds", "must be known kinds of clocks");
    known
}

/// More time that is asked for.
pub(crate) struct Wanted {
    pub(crate) target: CaseTarget,
    pub(crate) kind: Kind,
    pub(crate) amount: u32,
    pub(crate) reason: String,
}

/// Reads a request for more time.
pub(crate) fn request(request: RequestExtensionRequest) -> Result<Wanted, Fault> {
    let RequestExtensionRequest { request_id, case_id, expected_version, kind, amount, reason } = request;
    let mut check = Check::new();
    let target = target(&mut check, request_id, &case_id, expected_version);
    let kind = self::kind(&mut check, kind);
    check.ensure(amount > 0, "amount", "must be positive");
    let reason = check.required("reason", reason, MAX_REASON);
    check.done("INVALID_EXTENSION")?;
    Ok(Wanted { target, kind, amount: u32::try_from(amount).unwrap_or_default(), reason })
}

/// Reads which extension is approved, and the version of the case seen.
pub(crate) fn approval(request: ApproveExtensionRequest) -> Result<(Uuid, Option<i64>), Fault> {
    let ApproveExtensionRequest { request_id, extension_id, expected_version } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let id = check.id("extension_id", &extension_id);
    check.done("INVALID_EXTENSION")?;
    Ok((id, expected_version))
}

/// Reads which extension is refused, and why.
pub(crate) fn refused(request: RefuseExtensionRequest) -> Result<(Uuid, String), Fault> {
    let RefuseExtensionRequest { request_id, extension_id, reason } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let id = check.id("extension_id", &extension_id);
    let reason = check.required("reason", reason, MAX_REASON);
    check.done("INVALID_EXTENSION")?;
    Ok((id, reason))
}

/// Longest code of a cause.
const MAX_CAUSE: usize = 64;

/// Reads a holding reply.
pub(crate) fn hold(request: SendHoldingReplyRequest) -> Result<(CaseTarget, Reply), Fault> {
    let SendHoldingReplyRequest {
        request_id,
        case_id,
        expected_version,
        text,
        reason,
        next_update_time,
        extend_by,
        cause,
    } = request;
    let mut check = Check::new();
    let target = target(&mut check, request_id, &case_id, expected_version);
    let text = check.required("text", text, MAX_TEXT);
    let reason = check.required("reason", reason, MAX_REASON);
    let next = check.time("next_update_time", next_update_time);
    let cause = check.text("cause", cause, MAX_CAUSE);
    let more = extend_by.map(u32::try_from).transpose().unwrap_or_else(|_| {
        check.fail("extend_by", "must not be negative");
        None
    });
    check.done("INVALID_HOLDING_REPLY")?;
    Ok((target, Reply { text, reason, next, more, cause }))
}

/// An extension as callers see it.
pub(crate) fn extension(extension: &Extension) -> ClockExtension {
    ClockExtension {
        extension_id: extension.id.to_string(),
        case_id: extension.case.to_string(),
        kind: number(extension.kind).into(),
        cycle: extension.cycle,
        state: extension.state.number().into(),
        amount: i32::try_from(extension.amount).unwrap_or(i32::MAX),
        reason: extension.reason.clone(),
        requester: extension.requester.clone(),
        request_time: Some(timestamp(extension.requested)),
        approver: extension.approver.clone(),
        decide_time: extension.decided.map(timestamp),
        refusal: extension.refusal.clone(),
    }
}

/// A clock as callers see it at a moment.
pub(crate) fn clock(of: &CaseClock, now: Timestamp) -> WireClock {
    let clock = &of.clock;
    let due = of.promised_due();
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
        start_time: Some(timestamp(clock.start)),
        due_time: due.map(timestamp),
        end_time: ended.map(timestamp),
        breached: of.is_breached(now),
        own_target: of.own_target,
        unverified: of.unverified,
        rungs_done: of.rungs.clone(),
        provisional: due.is_some_and(|due| of.calendar.is_provisional(due)),
        extended: i32::try_from(clock.extended).unwrap_or(i32::MAX),
    }
}

/// The budget with what was added to it.
fn budget(of: &CaseClock) -> Budget {
    of.clock.terms.budget.longer(of.clock.extended)
}

/// The arithmetic behind a due time.
pub(crate) fn explained(of: &CaseClock, now: Timestamp) -> ExplainDeadlineResponse {
    let explanation = of.clock.explain(&of.calendar);
    let Explanation { scale: _, start: _, total, lead, lines, due: _, provisional: _, .. } = explanation;
    let Explanation { budget, beside, begun_by, days, rolled, .. } = explanation;
    let day = |day: Option<Date>| day.map(|day| day.to_string()).unwrap_or_default();
    ExplainDeadlineResponse {
        clock: Some(clock(of, now)),
        total: Some(duration(total)),
        lead: Some(duration(lead)),
        intervals: lines.into_iter().map(interval).collect(),
        time_zone: of.calendar.zone().iana_name().unwrap_or_default().to_owned(),
        begun_by: begun_by.map(|starts| kebab(&format!("{starts:?}"))).unwrap_or_default(),
        budget: budget.to_string(),
        beside: beside.map(|(other, _)| other.to_string()).unwrap_or_default(),
        beside_due_time: beside.and_then(|(_, due)| due).map(timestamp),
        first_day: day(days.map(|days| days.first)),
        last_day: day(days.map(|days| days.last)),
        shortened_month: days.is_some_and(|days| days.shortened),
        rolled_from: day(rolled.map(|rolled| rolled.0)),
        rolled_to: day(rolled.map(|rolled| rolled.1)),
        reopened: kebab(&format!("{:?}", of.clock.reopening(of.own_target))),
        time_zone_release: of.zone_release().to_owned(),
        counted_by_release: zones::version().to_owned(),
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
        Why::RolledForward => (IntervalKind::RolledForward, String::new()),
        Why::Paused(reason) => (IntervalKind::Paused, reason_name(reason).to_owned()),
    };
    Interval {
        from_time: Some(timestamp(from)),
        until_time: Some(timestamp(until)),
        kind: kind.into(),
        note,
        amount: Some(duration(amount)),
        sum: Some(duration(sum)),
    }
}

fn duration(duration: SignedDuration) -> prost_types::Duration {
    prost_types::Duration { seconds: duration.as_secs(), nanos: duration.subsec_nanos() }
}

#[cfg(test)]
mod tests {
    use proto::redress::cases::v1::ClockKind;

    use crate::promise::{kind_of, number};

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
