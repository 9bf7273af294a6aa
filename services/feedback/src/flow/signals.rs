//! Signals are looked for where facts have changed, and followed as days pass.
//!
//! A step is one tenant's, in one transaction that holds its signals: what one replica has
//! looked at, another finds done, and one tenant's fault is no other's.

#[cfg(test)]
mod tests;

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use fault::Fault;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use kernel::TenantId;
use pg::{Db, Tx};
use server::Stop;
use uuid::Uuid;

use super::figures::zone;
use super::problem_tasks;
use crate::fact::Rebuild;
use crate::kpi::window;
use crate::problem::Problem;
use crate::signal::{self, Days, LATE_DAYS, Series, Settings, Signal, Surge, WINDOW};
use crate::store::{self, Part, SurgeCases};
use crate::wire;

/// How often it is looked for tenants whose signals are to be looked for.
const LOOK: Duration = Duration::from_secs(5);
/// How many times as long as a look has taken a tenant is left alone afterwards: the signals
/// of one with very many complaints take a twentieth of a core, not all of it.
const REST: u32 = 20;

/// Until when tenants are left alone.
#[derive(Default)]
struct Resting(HashMap<TenantId, Instant>);

impl Resting {
    fn is_resting(&self, tenant: &TenantId, now: Instant) -> bool {
        self.0.get(tenant).is_some_and(|until| *until > now)
    }

    /// Notes a look that took some time; forgets those who have rested.
    fn looked(&mut self, tenant: TenantId, took: Duration, now: Instant) {
        self.0.retain(|_, until| *until > now);
        self.0.insert(tenant, now + took * REST);
    }
}

/// Looks for signals until told to stop.
pub(crate) async fn run(db: Db, stop: Stop) {
    let mut resting = Resting::default();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LOOK) => {}
        }
        if let Err(fault) = round(&db, &mut resting, &stop).await {
            tracing::warn!(fault = fault.chain(), "signals cannot be looked for; trying again");
        }
    }
}

/// Looks at every tenant that has changed, one after the other.
async fn round(db: &Db, resting: &mut Resting, stop: &Stop) -> Result<(), Fault> {
    let now = db.clock().now();
    let tenants = db
        .transact_as_worker("signals.changed", async move |mut tx| {
            let tenants = store::signal_tenants(&mut tx, now).await?;
            Ok((tx, tenants))
        })
        .await?;
    for tenant in tenants {
        if stop.is_cancelled() {
            return Ok(());
        }
        let begun = Instant::now();
        if resting.is_resting(&tenant, begun) {
            continue;
        }
        if let Err(fault) = look(db, &tenant).await {
            tracing::warn!(%tenant, fault = fault.chain(), "signals of a tenant cannot be looked for; trying again");
        }
        resting.looked(tenant, begun.elapsed(), Instant::now());
    }
    Ok(())
}

/// Looks for a tenant's signals, and follows those there are.
async fn look(db: &Db, tenant: &TenantId) -> Result<(), Fault> {
    let of = tenant.clone();
    db.transact("signals.look", tenant, async move |mut tx| {
        let figures = store::share_kpi_settings(&mut tx).await?;
        // Half of the facts would be half of a past. What is noted stays until they are whole.
        if store::rebuilds(&mut tx).await?.iter().any(is_rebuilding) {
            return Ok((tx, ()));
        }
        store::hold_signals(&mut tx).await?;
        store::take_signal_changes(&mut tx).await?;
        let zone = zone(&figures);
        let settings = store::signal_settings(&mut tx).await?;
        let looked = counted(&mut tx, &zone, &settings).await?;
        let (today, left_out) = (looked.today, looked.left_out);
        if left_out > 0 {
            tracing::warn!(tenant = %of, left_out, "more series have enough complaints than are looked at");
        }
        let raised = tx.now();
        let found = move || looked.decide(&settings, raised);
        let found = server::blocking(&of, server::Length::Quick, "signals", found).await??;
        keep(&mut tx, found, &zone).await?;
        let goes_on = !store::followed_signals(&mut tx).await?.is_empty();
        let next = goes_on.then(|| window::begin(signal::after(today, 1), &zone));
        store::save_next_look(&mut tx, next).await?;
        Ok((tx, ()))
    })
    .await
}

fn is_rebuilding(rebuild: &Rebuild) -> bool {
    rebuild.finished.is_none()
}

/// What there is to decide from.
struct Looked {
    today: Date,
    followed: Vec<Signal>,
    over: HashMap<Series, Date>,
    /// The days of each series; of all the first day is one that has complaints.
    series: Vec<(Series, Days)>,
    /// How many more have enough complaints, and are not looked at.
    left_out: i64,
}

/// Counts the series that have enough complaints of late, and those that are followed.
async fn counted(tx: &mut Tx, zone: &TimeZone, settings: &Settings) -> Result<Looked, Fault> {
    let today = zone.to_datetime(tx.now()).date();
    let followed = store::followed_signals(tx).await?;
    let earliest = followed.iter().map(|signal| signal.surge.first).min().unwrap_or(today);
    let first = before(today, WINDOW + LATE_DAYS).min(earliest);
    let days = parts(first, today, zone)?;
    let late = days.get(days.len().saturating_sub(LATE_DAYS + 1)..).unwrap_or_default();
    let (busy, left_out) = store::busy_series(tx, late, settings.min_count).await?;
    // All together first: they tell where the past begins.
    let mut wanted = vec![Series::default()];
    let rest: BTreeSet<Series> =
        busy.into_iter().chain(followed.iter().map(|signal| signal.series.clone())).collect();
    wanted.extend(rest.into_iter().filter(|series| *series != Series::default()));
    let counts = store::series_counts(tx, &wanted, &days).await?;
    let all = counts.first().map_or(&[][..], Vec::as_slice);
    let begun = all.iter().position(|count| *count > 0).unwrap_or(all.len());
    let first = signal::after(first, begun);
    let of_series =
        |counts: Vec<i64>| Days { first, counts: counts.get(begun..).unwrap_or_default().to_vec() };
    let series = wanted.into_iter().zip(counts.into_iter().map(of_series)).collect();
    let over = store::surges_over(tx, before(today, LATE_DAYS)).await?;
    Ok(Looked { today, followed, over, series, left_out })
}

pub(super) fn before(day: Date, days: usize) -> Date {
    let days = i64::try_from(days).unwrap_or(i64::MAX);
    day.checked_sub(jiff::Span::new().try_days(days).unwrap_or_default()).unwrap_or(Date::MIN)
}

pub(super) fn days_between(first: Date, last: Date) -> usize {
    first.until(last).map_or(0, |span| usize::try_from(span.get_days()).unwrap_or(0))
}

/// The days from one to another, numbered from 0, each with its beginning and its end.
pub(super) fn parts(first: Date, last: Date, zone: &TimeZone) -> Result<Vec<Part>, Fault> {
    let day = |place: usize| {
        let day = signal::after(first, place);
        let number = i32::try_from(place).map_err(Fault::internal)?;
        Ok((number, window::begin(day, zone), window::begin(signal::after(day, 1), zone)))
    };
    (0..=days_between(first, last)).map(day).collect()
}

/// The counts from a day on, which may be before the first that is known.
fn since(days: &Days, first: Date) -> Vec<i64> {
    let known = days.counts.get(days_between(days.first, first.max(days.first))..).unwrap_or_default();
    let mut counts = vec![0; days_between(first.min(days.first), days.first)];
    counts.extend(known);
    counts
}

/// What has come of a look: the surges that are new, and the signals that have changed.
struct Found {
    raised: Vec<Raised>,
    changed: Vec<Signal>,
    /// The problems of the surges that go on, each with what they are numbered by.
    going_on: Vec<(usize, Uuid)>,
    settings: Settings,
}

/// A surge that is new.
struct Raised {
    series: Series,
    surge: Surge,
    /// The same as that of the others which are this surge in other series.
    number: usize,
}

impl Looked {
    fn decide(self, settings: &Settings, now: Timestamp) -> Result<Found, Fault> {
        let Self { today, followed, mut over, series, left_out: _ } = self;
        let of: HashMap<&Series, &Days> = series.iter().map(|(series, days)| (series, days)).collect();
        let (mut changed, mut active) = (Vec::new(), Vec::new());
        let mut busy = BTreeSet::new();
        for mut signal in followed {
            let days = of.get(&signal.series).ok_or_else(|| Fault::internal("a series is not counted"))?;
            if signal.follow(&since(days, signal.surge.first), now) {
                changed.push(signal.clone());
            }
            if signal.ended.is_some() {
                over.insert(signal.series, signal::after(signal.surge.first, signal.surge.counts.len()));
            } else {
                busy.insert(signal.series.clone());
                active.push(signal);
            }
        }
        let late = before(today, LATE_DAYS);
        let mut raised = Vec::new();
        for (series, days) in series.iter().filter(|(series, _)| !busy.contains(series)) {
            let free = over.get(series).copied().unwrap_or(late).max(late);
            let from = days_between(days.first, free.max(days.first));
            let surges = signal::scan(days, from, settings);
            raised.extend(surges.into_iter().map(|surge| (series.clone(), surge)));
        }
        let of_raised = raised.iter().map(|(series, surge)| (series, surge));
        let of_active = active.iter().map(|signal| (&signal.series, &signal.surge));
        let mut numbers = signal::same::together(&of_raised.chain(of_active).collect::<Vec<_>>());
        let going_on = numbers.split_off(raised.len());
        let going_on = going_on.into_iter().zip(active.iter().map(|signal| signal.problem)).collect();
        let numbered = raised.into_iter().zip(numbers);
        let raised = numbered.map(|((series, surge), number)| Raised { series, surge, number }).collect();
        Ok(Found { raised, changed, going_on, settings: settings.clone() })
    }
}

/// Stores what has come of a look, and tells it.
async fn keep(tx: &mut Tx, found: Found, zone: &TimeZone) -> Result<(), Fault> {
    let problems = join_problems(tx, &found).await?;
    let Found { raised, changed, going_on: _, settings } = found;
    let (mut kept, mut hinted_at) = (Vec::new(), Vec::new());
    for Raised { series, surge, number } in raised {
        let problem = problems.of(&series, number)?;
        let signal = Signal {
            id: tx.new_id(),
            version: 1,
            series,
            ended: surge.ending.map(|_| tx.now()),
            surge,
            settings: settings.clone(),
            raised: tx.now(),
            dismissal: None,
            problem,
        };
        tx.emit(signal.id, &wire::signal_raised(&signal));
        hinted_at.push((signal.problem, signal.series.clone()));
        kept.push(signal);
    }
    kept.extend(changed);
    for signal in kept.iter().filter(|signal| signal.ended.is_some() && signal.dismissal.is_none()) {
        tx.emit(signal.id, &wire::signal_ended(signal));
    }
    store::save_signals(tx, &kept).await?;
    let surge = |signal: &Signal| SurgeCases {
        problem: signal.problem,
        series: signal.series.clone(),
        from: window::begin(signal.surge.first, zone),
        until: window::begin(signal::after(signal.surge.last, 1), zone),
    };
    let linked = kept.iter().filter(|signal| problems.has_cases_of(signal));
    store::link_surges(tx, &linked.map(surge).collect::<Vec<_>>()).await?;
    problem_tasks::note_hints(tx, &settings.hints, &hinted_at).await?;
    let problems: Vec<Uuid> = kept.iter().map(|signal| signal.problem).collect();
    problem_tasks::ask_waiting(tx, &problems).await
}

/// The open problems that signals join.
struct Problems {
    of_series: HashMap<Series, Uuid>,
    of_number: HashMap<usize, Uuid>,
}

impl Problems {
    /// That of a new surge: of its own series, else of what it is a surge of.
    fn of(&self, series: &Series, number: usize) -> Result<Uuid, Fault> {
        let problem = self.of_series.get(series).or_else(|| self.of_number.get(&number));
        problem.copied().ok_or_else(|| Fault::internal("no problem was opened"))
    }

    /// Whether the complaints of a signal are of what its problem is about: those of all
    /// complaints are not all of a product's, though they are more because of it.
    fn has_cases_of(&self, signal: &Signal) -> bool {
        let about = self.of_series.iter().find(|(_, problem)| **problem == signal.problem);
        about.is_some_and(|(series, _)| signal.series.is_within(series))
    }
}

/// Finds the open problem of each new surge, and opens one where there is none: one for all that
/// is one surge, about the narrowest series of it that has most.
async fn join_problems(tx: &mut Tx, found: &Found) -> Result<Problems, Fault> {
    let of_series = store::problems_of_series(tx).await?;
    let open: BTreeSet<Uuid> = of_series.values().copied().collect();
    let mut problems = Problems { of_series, of_number: HashMap::new() };
    for (number, problem) in found.going_on.iter().filter(|(_, problem)| open.contains(problem)) {
        problems.of_number.entry(*number).or_insert(*problem);
    }
    for raised in &found.raised {
        if let Some(problem) = problems.of_series.get(&raised.series) {
            problems.of_number.entry(raised.number).or_insert(*problem);
        }
    }
    let mut narrowest: Vec<&Raised> = found.raised.iter().collect();
    narrowest.sort_by(|one, other| {
        let dimensions = other.series.dimensions().cmp(&one.series.dimensions());
        dimensions.then(other.surge.above().total_cmp(&one.surge.above())).then(one.series.cmp(&other.series))
    });
    let mut opened = Vec::new();
    for raised in narrowest {
        let Entry::Vacant(place) = problems.of_number.entry(raised.number) else { continue };
        let problem = Problem::of_signal(tx.new_id(), raised.series.clone(), tx.now());
        tx.emit(problem.id, &wire::problem_opened(&problem));
        place.insert(problem.id);
        problems.of_series.insert(raised.series.clone(), problem.id);
        opened.push(problem);
    }
    store::save_problems(tx, &opened).await?;
    Ok(problems)
}
