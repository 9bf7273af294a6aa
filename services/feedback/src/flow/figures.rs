//! Figures: facts are counted for a batch of questions, all of one moment.
//!
//! Questions that ask of the same facts are counted together. Where they ask of all cases as
//! they are now, days whose totals are up to date are taken from those, and the others are
//! counted; see `store::totals`.

#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use fault::Fault;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span as Days};
use kernel::TenantId;
use pg::{Db, Patience, Tx};
use server::Stop;

use crate::kpi::figure::{AGES, age, is_stock, open, rows, suppress};
use crate::kpi::measure::Tally;
use crate::kpi::{Bucket, Comparison, MAX_ROWS, Query, Row, Scope, Settings, Window, window};
use crate::refusal::Refusal;
use crate::store::{self, Part, Wanted};
use crate::working_hours;

/// How often it is looked for days whose totals are out of date.
const LOOK: Duration = Duration::from_secs(5);
/// How long a day is left out of date: of one of which much is told, totals are made once.
const REST: SignedDuration = SignedDuration::from_secs(60);
/// Most changed days of which totals are made at once.
const AT_ONCE: usize = 4;
/// How long a statement that makes totals may take, as nobody waits for its answer; and how long
/// it waits for another replica that makes some of the same tenant.
const PATIENCE: Patience = Patience { lock: Duration::from_secs(2), statement: Duration::from_mins(2) };

/// What a batch of questions is answered from.
pub(crate) struct Counted {
    pub(crate) settings: Settings,
    groups: Vec<(Group, Tally)>,
    /// Of stocks: place of the age, value, how many, how many overdue; by place of the question.
    open: HashMap<usize, Vec<(i32, String, i64, i64)>>,
}

/// Questions that are counted together.
#[derive(PartialEq, Eq)]
struct Group {
    scope: Scope,
    window: Window,
    comparison: Option<Comparison>,
}

impl Group {
    fn of(query: &Query) -> Option<Self> {
        let window = query.window?;
        Some(Self { scope: query.scope.clone(), window, comparison: query.comparison })
    }

    /// The parts of the window, and those they are compared with.
    fn buckets(&self) -> Vec<Bucket> {
        let mut buckets = self.window.buckets();
        if let Some(comparison) = self.comparison {
            let earlier: Vec<Bucket> = buckets.iter().map(|bucket| bucket.earlier(comparison)).collect();
            buckets.extend(earlier);
        }
        buckets
    }
}

/// The zone in which days begin.
pub(crate) fn zone(settings: &Settings) -> TimeZone {
    calendar::zones::get(working_hours::known(&settings.time_zone)).unwrap_or(TimeZone::UTC)
}

/// Counts what a batch asks for, in a transaction that sees one moment.
pub(crate) async fn count(tx: &mut Tx, queries: &[Query]) -> Result<Counted, Fault> {
    let settings = store::kpi_settings(tx).await?;
    let zone = zone(&settings);
    let mut wanted: Vec<(Group, Wanted)> = Vec::new();
    for query in queries {
        let Some(group) = Group::of(query) else { continue };
        let known = wanted.iter().position(|(other, _)| *other == group);
        let place = known.unwrap_or(wanted.len());
        if known.is_none() {
            wanted.push((group, Wanted::default()));
        }
        if let Some((_, wanted)) = wanted.get_mut(place) {
            wanted.measures.extend(query.kpi.measures());
            wanted.spans.extend(query.kpi.span(query.time));
        }
    }
    let stale = stale_days(&store::changed_days(tx).await?);
    let mut groups = Vec::new();
    for (group, wanted) in wanted {
        let tally = tally(tx, &group, &wanted, &stale, &zone).await?;
        groups.push((group, tally));
    }
    let mut stocks = HashMap::new();
    for (place, query) in queries.iter().enumerate().filter(|(_, query)| is_stock(query.kpi)) {
        let at = query.scope.as_of.unwrap_or(tx.now());
        stocks.insert(place, store::count_open(tx, at, &AGES, &query.scope).await?);
    }
    Ok(Counted { settings, groups, open: stocks })
}

/// The days a change may concern, whatever the zone: those around it.
fn around(day: Date) -> impl Iterator<Item = Date> {
    [-1, 0, 1].into_iter().filter_map(move |days| day.checked_add(Days::new().days(days)).ok())
}

fn stale_days(changed: &[Date]) -> BTreeSet<Date> {
    changed.iter().copied().flat_map(around).collect()
}

fn number(place: usize) -> Result<i32, Fault> {
    i32::try_from(place).map_err(Fault::internal)
}

async fn tally(
    tx: &mut Tx,
    group: &Group,
    wanted: &Wanted,
    stale: &BTreeSet<Date>,
    zone: &TimeZone,
) -> Result<Tally, Fault> {
    let mut tally = Tally::new();
    let (mut days, mut parts): (Vec<(i32, Date)>, Vec<Part>) = (Vec::new(), Vec::new());
    for (place, bucket) in group.buckets().iter().enumerate() {
        let place = number(place)?;
        if !group.scope.is_of_totals() {
            let (from, until) = bucket.times(zone);
            parts.push((place, from, until));
            continue;
        }
        for day in bucket.days() {
            if stale.contains(&day) {
                add_day(&mut parts, place, day, zone);
            } else {
                days.push((place, day));
            }
        }
    }
    store::count_facts(tx, &parts, &group.scope, wanted, &mut tally).await?;
    if !days.is_empty() {
        store::add_totals(tx, &days, &group.scope, wanted, &mut tally).await?;
    }
    Ok(tally)
}

/// Adds a day to the times that are counted; days that follow each other are one.
fn add_day(parts: &mut Vec<Part>, place: i32, day: Date, zone: &TimeZone) {
    let from = window::begin(day, zone);
    let until = day.tomorrow().map_or(from, |next| window::begin(next, zone));
    match parts.last_mut() {
        Some((last, _, end)) if *last == place && *end == from => *end = until,
        _ => parts.push((place, from, until)),
    }
}

/// The answers, in the order of the questions. Takes its time: percentiles look at every
/// duration.
pub(crate) fn answers(queries: &[Query], counted: &mut Counted) -> Result<Vec<Vec<Row>>, Fault> {
    let one = |(place, query): (usize, &Query)| answer(query, place, counted);
    queries.iter().enumerate().map(one).collect()
}

/// The answer to the question of a place.
pub(crate) fn answer(query: &Query, place: usize, counted: &mut Counted) -> Result<Vec<Row>, Fault> {
    let Counted { settings, groups, open } = counted;
    let mut answer = match Group::of(query) {
        None => stock(open.get(&place).map_or(&[][..], Vec::as_slice), query),
        Some(wanted) => match groups.iter_mut().find(|(group, _)| *group == wanted) {
            Some((group, tally)) => flow(query, group, tally, settings),
            None => Vec::new(),
        },
    };
    if answer.len() > MAX_ROWS {
        return Err(Refusal::TooManyGroups.into());
    }
    suppress(&mut answer, query, settings);
    Ok(answer)
}

fn flow(query: &Query, group: &Group, tally: &mut Tally, settings: &Settings) -> Vec<Row> {
    let labels: Vec<String> = group.window.buckets().into_iter().map(|bucket| bucket.label).collect();
    if group.comparison.is_none() {
        return rows(query, &labels, tally, None, settings);
    }
    // What is compared with stands behind what is asked for.
    let earlier = tally.iter().filter(|((place, _), _)| *place >= labels.len());
    let mut earlier: Tally = earlier
        .map(|((place, value), counts)| ((place - labels.len(), value.clone()), counts.clone()))
        .collect();
    let mut now: Tally = tally
        .iter()
        .filter(|((place, _), _)| *place < labels.len())
        .map(|(key, counts)| (key.clone(), counts.clone()))
        .collect();
    rows(query, &labels, &mut now, Some(&mut earlier), settings)
}

fn stock(counted: &[(i32, String, i64, i64)], query: &Query) -> Vec<Row> {
    let mut all: Vec<&(i32, String, i64, i64)> = counted.iter().collect();
    all.sort_by(|one, other| (one.0, &one.1).cmp(&(other.0, &other.1)));
    let row = |(place, value, count, overdue): &(i32, String, i64, i64)| Row {
        period: usize::try_from(*place).map(age).unwrap_or_default(),
        value: value.clone(),
        figure: open(*count, *overdue),
        previous: None,
    };
    let known = all.into_iter().map(row);
    if query.scope.dimension.is_some() {
        return known.collect();
    }
    let known: Vec<Row> = known.collect();
    let of_age = |place: usize| {
        let found = known.iter().find(|row| row.period == age(place)).cloned();
        let none = Row { period: age(place), value: String::new(), figure: open(0, 0), previous: None };
        found.unwrap_or(none)
    };
    (0..AGES.len()).map(of_age).collect()
}

/// Makes the totals of days anew that are out of date, until told to stop.
pub(crate) async fn run(db: Db, stop: Stop) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LOOK) => {}
        }
        if let Err(fault) = renew(&db, REST, &stop).await {
            tracing::warn!(fault = fault.chain(), "totals cannot be made; trying again");
        }
    }
}

/// Makes the totals of every tenant that has changed. One tenant's fault is no other's: it is told
/// once all have been looked at.
async fn renew(db: &Db, rest: SignedDuration, stop: &Stop) -> Result<(), Fault> {
    let tenants = db
        .transact_as_worker("totals.look", async move |mut tx| {
            let tenants = store::changed_tenants(&mut tx).await?;
            Ok((tx, tenants))
        })
        .await?;
    let mut outcome = Ok(());
    for tenant in tenants {
        outcome = outcome.and(renew_one(db, &tenant, rest, stop).await);
    }
    outcome
}

async fn renew_one(db: &Db, tenant: &TenantId, rest: SignedDuration, stop: &Stop) -> Result<(), Fault> {
    // Those that change meanwhile are for the next look.
    let changed = db
        .transact("totals.changed", tenant, async move |mut tx| {
            let since = tx.now() - rest;
            let changed = store::changed_days_since(&mut tx, since).await?;
            Ok((tx, changed))
        })
        .await?;
    for some in changed.chunks(AT_ONCE) {
        if stop.is_cancelled() {
            return Ok(());
        }
        match make(db, tenant, some.to_vec()).await {
            // Too much at once, it may be: what is made of one day is not made again.
            Err(fault) if fault.is_contention() && some.len() > 1 => {
                for day in some {
                    make(db, tenant, vec![*day]).await?;
                }
            }
            made => made?,
        }
    }
    Ok(())
}

async fn make(db: &Db, tenant: &TenantId, changed: Vec<Date>) -> Result<(), Fault> {
    let days: Vec<Date> = stale_days(&changed).into_iter().collect();
    db.transact_within("totals.make", PATIENCE, Some(tenant), async move |mut tx| {
        store::hold_totals(&mut tx).await?;
        let zone = zone(&store::kpi_settings(&mut tx).await?);
        let mut parts: Vec<Part> = Vec::new();
        for (place, day) in days.iter().enumerate() {
            add_day(&mut parts, number(place)?, *day, &zone);
        }
        store::make_totals(&mut tx, &changed, &days, &parts).await?;
        Ok((tx, ()))
    })
    .await
}
