//! Signals: how they are asked for, and how they read.

use fault::{Check, Fault};
use jiff::Timestamp;
use jiff::civil::Date;
use kernel::page::Page;
use proto::redress::feedback::v1 as wire;
use proto::timestamp;
use uuid::Uuid;

use super::problem_tasks::{hint, read_hints};
use super::surveys::within;
use super::{INVALID_REQUEST, read_key, time_key};
use crate::revision::MAX_NOTE;
use crate::signal::{
    Baseline, FALSE_ALARMS, MAX_COUNT, MAX_QUIET, MAX_REASON, Series, Settings, Signal, State, after,
};

/// Which signals to list, from where on.
#[derive(Clone, Debug)]
pub(crate) struct SignalListQuery {
    pub(crate) state: Option<State>,
    pub(crate) page: Page,
    pub(crate) after: Option<(Timestamp, Uuid)>,
}

pub(crate) fn signals_of(request: wire::ListSignalsRequest) -> Result<SignalListQuery, Fault> {
    let wire::ListSignalsRequest { page_size, page_token, state } = request;
    let mut check = Check::new();
    let page = check.page(page_size, &page_token, &format!("state={state}"));
    let by_state = State::of(state);
    check.ensure(state == 0 || by_state.is_some(), "state", "is not a state of a signal");
    let after = page.after.as_deref().map(read_key);
    check.ensure(after != Some(None), "page_token", "is not of this list");
    check.done(INVALID_REQUEST)?;
    Ok(SignalListQuery { state: by_state, page, after: after.flatten() })
}

/// Where a signal stands in the list.
pub(crate) fn signal_key(signal: &Signal) -> String {
    time_key(signal.raised, signal.id)
}

pub(crate) fn signal_of(request: wire::GetSignalRequest) -> Result<Uuid, Fault> {
    let wire::GetSignalRequest { signal_id } = request;
    let mut check = Check::new();
    let id = check.id("signal_id", &signal_id);
    check.done(INVALID_REQUEST)?;
    Ok(id)
}

/// A signal that means nothing, as somebody says who has seen a version of it.
#[derive(Clone, Debug)]
pub(crate) struct Dismissed {
    pub(crate) id: Uuid,
    pub(crate) expected: i64,
    pub(crate) reason: String,
}

pub(crate) fn dismissed(request: wire::DismissSignalRequest) -> Result<Dismissed, Fault> {
    let wire::DismissSignalRequest { request_id, signal_id, expected_version, reason } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let id = check.id("signal_id", &signal_id);
    check.ensure(expected_version > 0, "expected_version", "must be positive");
    let reason = check.required("reason", reason, MAX_REASON);
    check.done("INVALID_DISMISSAL")?;
    Ok(Dismissed { id, expected: expected_version, reason })
}

/// Settings somebody wants, and the version they replace.
pub(crate) fn wanted_signal_settings(
    request: wire::UpdateSignalSettingsRequest,
) -> Result<(Settings, i64), Fault> {
    let wire::UpdateSignalSettingsRequest { request_id, expected_version, settings } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    check.ensure(expected_version >= 0, "expected_version", "must not be negative");
    check.ensure(settings.is_some(), "settings", "is required");
    let given = settings.is_some();
    let wire::SignalSettings { version: _, false_alarms_per_year, min_count, quiet_days, note, hints } =
        settings.unwrap_or_default();
    let note = check.text("settings.note", note, MAX_NOTE);
    let hints = read_hints(&mut check, hints);
    if given {
        let is_rate = FALSE_ALARMS.contains(&false_alarms_per_year);
        check.ensure(is_rate, "settings.false_alarms_per_year", "must be 0.01 to 2");
        within(&mut check, "settings.min_count", min_count, 1..=MAX_COUNT);
        within(&mut check, "settings.quiet_days", quiet_days, 1..=MAX_QUIET);
    }
    check.done("INVALID_SIGNAL_SETTINGS")?;
    let version = expected_version + 1;
    let settings =
        Settings { version, false_alarms: false_alarms_per_year, min_count, quiet_days, note, hints };
    Ok((settings, expected_version))
}

/// Settings, as they are told.
pub(crate) fn signal_settings(settings: Settings) -> wire::SignalSettings {
    let Settings { version, false_alarms, min_count, quiet_days, note, hints } = settings;
    let hints = hints.into_iter().map(hint).collect();
    wire::SignalSettings { version, false_alarms_per_year: false_alarms, min_count, quiet_days, note, hints }
}

pub(super) fn series(series: &Series) -> wire::SignalSeries {
    let Series { category, product, region } = series.clone();
    wire::SignalSeries {
        category: category.unwrap_or_default(),
        product: product.unwrap_or_default(),
        region: region.unwrap_or_default(),
    }
}

fn baseline(baseline: &Baseline) -> wire::SignalBaseline {
    let Baseline { level, weekdays, dispersion, days } = baseline;
    wire::SignalBaseline {
        level: *level,
        weekdays: weekdays.to_vec(),
        dispersion: *dispersion,
        days: i32::try_from(*days).unwrap_or(i32::MAX),
    }
}

fn day(signal: &Signal, day: Date, count: i64) -> wire::SignalDay {
    let (expected, bound) =
        (signal.surge.baseline.expected(day), signal.settings.bound(&signal.surge.baseline, day));
    wire::SignalDay { date: day.to_string(), count, expected, bound }
}

/// The days before the first of a surge, and those since.
fn days(signal: &Signal) -> Vec<wire::SignalDay> {
    let surge = &signal.surge;
    let begun = i64::try_from(surge.past.len()).unwrap_or(0);
    let first = surge.first.checked_sub(jiff::Span::new().days(begun)).unwrap_or(surge.first);
    let counts = surge.past.iter().chain(&surge.counts).enumerate();
    counts.map(|(place, count)| day(signal, after(first, place), *count)).collect()
}

/// A signal with its days. Takes its time: each day's bound is computed.
pub(crate) fn signal_with_days(signal: &Signal) -> wire::Signal {
    wire::Signal { days: days(signal), ..self::signal(signal) }
}

/// A signal, without its days.
pub(crate) fn signal(signal: &Signal) -> wire::Signal {
    let surge = &signal.surge;
    let dismissal = signal.dismissal.clone();
    let (dismiss_time, dismissed_by, reason) = dismissal
        .map_or((None, String::new(), String::new()), |known| {
            (Some(timestamp(known.at)), known.by, known.reason)
        });
    wire::Signal {
        signal_id: signal.id.to_string(),
        version: signal.version,
        series: Some(series(&signal.series)),
        state: signal.state().number().into(),
        first_date: surge.first.to_string(),
        last_date: surge.last.to_string(),
        total: surge.total(),
        expected_total: surge.expected(),
        raise_time: Some(timestamp(signal.raised)),
        end_time: signal.ended.map(timestamp),
        ending: surge.ending.map_or(0, |ending| ending.number().into()),
        dismiss_time,
        dismissed_by,
        reason,
        baseline: Some(baseline(&surge.baseline)),
        days: Vec::new(),
        problem_id: signal.problem.to_string(),
    }
}

/// What is told when a signal is raised.
pub(crate) fn signal_raised(signal: &Signal) -> wire::SignalRaised {
    let count = signal.surge.counts.first().copied().unwrap_or_default();
    wire::SignalRaised {
        signal_id: signal.id.to_string(),
        series: Some(series(&signal.series)),
        day: Some(day(signal, signal.surge.first, count)),
    }
}

/// What is told when its surge is over.
pub(crate) fn signal_ended(signal: &Signal) -> wire::SignalEnded {
    let surge = &signal.surge;
    wire::SignalEnded {
        signal_id: signal.id.to_string(),
        series: Some(series(&signal.series)),
        first_date: surge.first.to_string(),
        last_date: surge.last.to_string(),
        total: surge.total(),
        expected_total: surge.expected(),
        ending: surge.ending.map_or(0, |ending| ending.number().into()),
    }
}
