//! KPIs: what is asked, what is answered, what figures are counted by.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use fault::{Check, Fault};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use kernel::Money;
use proto::redress::cases::v1::Priority;
use proto::redress::feedback::v1 as wire;
use proto::redress::intake::v1::Channel;
use proto::timestamp;

use super::money;
use crate::fact::Rebuild;
use crate::kpi::definition::Made;
use crate::kpi::figure::{change, is_stock};
use crate::kpi::window::{MAX_DAILY, MAX_DAYS};
use crate::kpi::{
    Comparison, DEFINITIONS, Definition, Dimension, Figure, Filter, MAX_CUSTOMERS, MAX_MIN_GROUP,
    MAX_PERCENTILES, MAX_QUERIES, MAX_REGIONS, MAX_VALUE, MAX_VALUES, Period, Query, Row, Scope, Settings,
    Time, Window,
};
use crate::revision::MAX_NOTE;
use crate::working_hours;

/// Reason of a question that cannot be answered.
const INVALID_KPI_QUERY: &str = "INVALID_KPI_QUERY";
/// Reason of settings that cannot be.
const INVALID_KPI_SETTINGS: &str = "INVALID_KPI_SETTINGS";
/// Longest name of an answer.
const MAX_NAME: usize = 100;
/// Longest name of a region.
const MAX_REGION: usize = 20;
/// Longest name of a zone.
const MAX_ZONE: usize = 100;
/// What is told of a duration where nobody asks for percentiles.
const PERCENTILES: [f64; 2] = [0.5, 0.9];
/// Clocks of callers may run ahead so far.
const AHEAD: SignedDuration = SignedDuration::from_mins(5);

/// The questions of a batch.
pub(crate) fn queries(request: wire::QueryKpisRequest, now: Timestamp) -> Result<Vec<Query>, Fault> {
    let wire::QueryKpisRequest { queries } = request;
    let mut check = Check::new();
    let queries = check.some("queries", queries, MAX_QUERIES);
    let mut names = BTreeSet::new();
    let mut read = Vec::new();
    for (place, query) in queries.into_iter().enumerate() {
        let path = format!("queries[{place}]");
        check.ensure(names.insert(query.name.clone()), &format!("{path}.name"), "names another question too");
        read.extend(one(&mut check, &path, query, now));
    }
    check.done(INVALID_KPI_QUERY)?;
    Ok(read)
}

fn one(check: &mut Check, path: &str, query: wire::KpiQuery, now: Timestamp) -> Option<Query> {
    let wire::KpiQuery {
        name,
        kpi,
        start_date,
        end_date,
        period,
        dimension,
        filters,
        comparison,
        as_of_time,
        time,
        percentiles,
    } = query;
    let at = |field: &str| format!("{path}.{field}");
    let name = check.required(&at("name"), name, MAX_NAME);
    let known = Definition::of(&kpi);
    check.ensure(known.is_some(), &at("kpi"), "is not the name of a KPI");
    let period_of = Period::of(period);
    check.ensure(period == 0 || period_of.is_some(), &at("period"), "must be DAY or MONTH");
    let dimension_of = Dimension::of(dimension);
    check.ensure(dimension == 0 || dimension_of.is_some(), &at("dimension"), "is not a dimension");
    let comparison_of = Comparison::of(comparison);
    check.ensure(comparison == 0 || comparison_of.is_some(), &at("comparison"), "must be MONTH or YEAR");
    let filters = filters_of(check, path, filters);
    let as_of = check.time(&at("as_of_time"), as_of_time);
    let is_past = as_of.is_none_or(|as_of| as_of <= now + AHEAD);
    check.ensure(is_past, &at("as_of_time"), "must not be in the future");
    let percentiles = check.list(&at("percentiles"), percentiles, MAX_PERCENTILES);
    let kpi = known?;
    let window = window_of(check, path, kpi, (start_date, end_date), period_of, comparison);
    if matches!(kpi.made, Made::Density(_)) {
        let by_region = dimension_of == Some(Dimension::Region);
        check.ensure(by_region, &at("dimension"), "must be REGION for `density`");
        let others = filters.iter().any(|filter| filter.dimension != Dimension::Region);
        check.ensure(!others, &at("filters"), "must be of REGION for `density`");
    }
    let time = time_of(check, &at("time"), kpi, time);
    let percentiles = percentiles_of(check, &at("percentiles"), kpi, percentiles);
    let scope = Scope { dimension: dimension_of, filters, as_of };
    Some(Query { name, kpi, window, scope, comparison: comparison_of, time, percentiles })
}

fn filters_of(check: &mut Check, path: &str, filters: Vec<wire::KpiFilter>) -> Vec<Filter> {
    let filters = check.list(&format!("{path}.filters"), filters, Dimension::ALL.len());
    let mut read: Vec<Filter> = Vec::new();
    for (place, filter) in filters.into_iter().enumerate() {
        let wire::KpiFilter { dimension, values } = filter;
        let at = |field: &str| format!("{path}.filters[{place}].{field}");
        let values = check.some(&at("values"), values, MAX_VALUES);
        let Some(dimension) = Dimension::of(dimension) else {
            check.fail(&at("dimension"), "is not a dimension");
            continue;
        };
        let is_again = read.iter().any(|other| other.dimension == dimension);
        check.ensure(!is_again, &at("dimension"), "is filtered by already");
        let mut stored = Vec::new();
        for value in values {
            let value = check.text(&at("values"), value, MAX_VALUE);
            let known = stored_value(dimension, &value);
            check.ensure(known.is_some(), &at("values"), "is no value of this dimension");
            stored.extend(known);
        }
        stored.sort();
        stored.dedup();
        read.push(Filter { dimension, values: stored });
    }
    read.sort_by_key(|filter| filter.dimension);
    read
}

fn window_of(
    check: &mut Check,
    path: &str,
    kpi: &Definition,
    (start, end): (String, String),
    period: Option<Period>,
    comparison: i32,
) -> Option<Window> {
    let at = |field: &str| format!("{path}.{field}");
    if is_stock(kpi) {
        let none = "is not told of `backlog`, which is of a moment";
        check.ensure(start.is_empty(), &at("start_date"), none);
        check.ensure(end.is_empty(), &at("end_date"), none);
        check.ensure(period.is_none(), &at("period"), none);
        check.ensure(comparison == 0, &at("comparison"), none);
        return None;
    }
    let most = if period == Some(Period::Day) { MAX_DAILY } else { MAX_DAYS };
    let (start, end) = days_between(check, path, (&start, &end), most)?;
    Some(Window { start, end, period })
}

/// The days from `start_date` on, without `end_date`, of a message at a path.
pub(crate) fn days_between(
    check: &mut Check,
    path: &str,
    (start, end): (&str, &str),
    most: i32,
) -> Option<(Date, Date)> {
    let at = |field: &str| if path.is_empty() { field.to_owned() } else { format!("{path}.{field}") };
    let mut date = |field: &str, text: &str| {
        let read: Option<Date> = (text.len() == 10).then(|| text.parse().ok()).flatten();
        let read = read.filter(|date| (1900..=2200).contains(&date.year()));
        check.ensure(read.is_some(), &at(field), "must be a day, as `2026-11-01`, from 1900 to 2200");
        read
    };
    let (start, end) = (date("start_date", start), date("end_date", end));
    let (start, end) = (start?, end?);
    let days = Window { start, end, period: None }.days();
    let description = format!("must be 1 to {most} days after start_date");
    check.ensure((1..=most).contains(&days), &at("end_date"), &description);
    Some((start, end))
}

fn time_of(check: &mut Check, field: &str, kpi: &Definition, time: i32) -> Time {
    let times = kpi.times();
    let known = if time == 0 { Some(Time::Wall) } else { Time::of(time) };
    let is_told = if times.is_empty() { time == 0 } else { known.is_some_and(|time| times.contains(&time)) };
    check.ensure(is_told, field, "is no time that this KPI counts");
    known.unwrap_or(Time::Wall)
}

fn percentiles_of(check: &mut Check, field: &str, kpi: &Definition, percentiles: Vec<f64>) -> Vec<f64> {
    let is_duration = !kpi.times().is_empty();
    check.ensure(is_duration || percentiles.is_empty(), field, "are told of durations only");
    let bounded = percentiles.iter().all(|percentile| (0.0..=1.0).contains(percentile));
    check.ensure(bounded, field, "must each be 0.0 to 1.0");
    if percentiles.is_empty() && is_duration { PERCENTILES.to_vec() } else { percentiles }
}

/// How a value of a dimension is kept; none where it is no value of it.
fn stored_value(dimension: Dimension, value: &str) -> Option<String> {
    let number = |number: i32| Some(number.to_string());
    match dimension {
        Dimension::Channel | Dimension::Priority if value.is_empty() => number(0),
        Dimension::Channel => {
            number(Channel::from_str_name(&format!("CHANNEL_{}", value.to_uppercase()))?.into())
        }
        Dimension::Priority => {
            number(Priority::from_str_name(&format!("PRIORITY_{}", value.to_uppercase()))?.into())
        }
        _ => Some(value.to_owned()),
    }
}

/// How a value of a dimension is told.
fn told_value(dimension: Option<Dimension>, value: String) -> String {
    let name = |name: Option<&'static str>, prefix: &str| {
        let name = name.and_then(|name| name.strip_prefix(prefix)).filter(|name| *name != "UNSPECIFIED");
        name.unwrap_or_default().to_lowercase()
    };
    let number = value.parse::<i32>().ok();
    match dimension {
        Some(Dimension::Channel) => {
            let channel = number.and_then(|number| Channel::try_from(number).ok());
            name(channel.map(|channel| channel.as_str_name()), "CHANNEL_")
        }
        Some(Dimension::Priority) => {
            let priority = number.and_then(|number| Priority::try_from(number).ok());
            name(priority.map(|priority| priority.as_str_name()), "PRIORITY_")
        }
        _ => value,
    }
}

/// An answer, as it is told.
pub(crate) fn answer(query: &Query, rows: Vec<Row>) -> wire::KpiAnswer {
    let row = |row: Row| {
        let change = change(&row);
        let Row { period, value, figure, previous } = row;
        wire::KpiRow {
            period,
            value: told_value(query.scope.dimension, value),
            figure: Some(told_figure(figure)),
            previous: previous.map(told_figure),
            change,
        }
    };
    let is_duration = !query.kpi.times().is_empty();
    wire::KpiAnswer {
        name: query.name.clone(),
        kpi: query.kpi.name.to_owned(),
        unit: query.kpi.unit().number().into(),
        rows: rows.into_iter().map(row).collect(),
        time: if is_duration { query.time.number().into() } else { 0 },
    }
}

fn told_figure(figure: Figure) -> wire::KpiFigure {
    let Figure { value, interval, numerator, denominator, group: _, percentiles, amounts, suppressed } =
        figure;
    let percentile = |(percentile, value): (f64, f64)| wire::KpiPercentile { percentile, value };
    let amount = |(currency, minor): (String, i64)| money(Money { minor, currency });
    wire::KpiFigure {
        value,
        lower: interval.map(|(lower, _)| lower),
        upper: interval.map(|(_, upper)| upper),
        numerator,
        denominator,
        percentiles: percentiles.into_iter().map(percentile).collect(),
        amounts: amounts.into_iter().map(amount).collect(),
        suppressed,
    }
}

/// Every KPI, described.
pub(crate) fn described() -> Vec<wire::Kpi> {
    let one = |definition: &Definition| wire::Kpi {
        name: definition.name.to_owned(),
        description: definition.description.to_owned(),
        formula: definition.formula.to_owned(),
        unit: definition.unit().number().into(),
        counted_by: definition.counted_by.to_owned(),
        sources: definition.sources.iter().map(ToString::to_string).collect(),
        times: definition.times().into_iter().map(|time| time.number().into()).collect(),
        origin: definition.origin.to_owned(),
    };
    DEFINITIONS.iter().map(one).collect()
}

/// Settings somebody wants, and the version they replace.
pub(crate) fn wanted_settings(request: wire::UpdateKpiSettingsRequest) -> Result<(Settings, i64), Fault> {
    let wire::UpdateKpiSettingsRequest { request_id, expected_version, settings } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    check.ensure(expected_version >= 0, "expected_version", "must not be negative");
    check.ensure(settings.is_some(), "settings", "is required");
    let given = settings.is_some();
    let wire::KpiSettings { version: _, time_zone, min_group_size, customers, note } =
        settings.unwrap_or_default();
    let note = check.text("settings.note", note, MAX_NOTE);
    let time_zone = check.text("settings.time_zone", time_zone, MAX_ZONE);
    let is_zone = !time_zone.is_empty() && working_hours::known(&time_zone) == time_zone;
    check.ensure(is_zone || !given, "settings.time_zone", "must be the IANA name of a time zone");
    super::surveys::within(&mut check, "settings.min_group_size", min_group_size, 0..=MAX_MIN_GROUP);
    let customers = check.list("settings.customers", customers, MAX_REGIONS);
    let mut by_region = BTreeMap::new();
    for (place, region) in customers.into_iter().enumerate() {
        let wire::RegionCustomers { region, customers } = region;
        let at = |field: &str| format!("settings.customers[{place}].{field}");
        let region = check.required(&at("region"), region.trim().to_owned(), MAX_REGION);
        check.ensure(
            (1..=MAX_CUSTOMERS).contains(&customers),
            &at("customers"),
            "must be 1 to a million millions",
        );
        let is_new = by_region.insert(region, customers).is_none();
        check.ensure(is_new, &at("region"), "is named already");
    }
    check.done(INVALID_KPI_SETTINGS)?;
    let settings = Settings {
        version: expected_version + 1,
        time_zone,
        min_group: min_group_size,
        customers: by_region,
        note,
    };
    Ok((settings, expected_version))
}

/// Settings, as they are told.
pub(crate) fn kpi_settings(settings: Settings) -> wire::KpiSettings {
    let Settings { version, time_zone, min_group, customers, note } = settings;
    let region = |(region, customers)| wire::RegionCustomers { region, customers };
    let customers = customers.into_iter().map(region).collect();
    wire::KpiSettings { version, time_zone, min_group_size: min_group, customers, note }
}

/// A request that has nothing but its key.
pub(crate) fn rebuild(request: wire::RebuildFactsRequest) -> Result<(), Fault> {
    let wire::RebuildFactsRequest { request_id } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    check.done(super::INVALID_REQUEST)
}

/// How current the facts are with a source.
pub(crate) struct SourceState {
    pub(crate) source: &'static str,
    pub(crate) lag: Option<Duration>,
    pub(crate) parked: i64,
}

/// How current facts are.
pub(crate) fn fact_state(sources: Vec<SourceState>, rebuilds: &[Rebuild]) -> wire::FactState {
    let rebuilding = rebuilds.iter().any(|rebuild| rebuild.finished.is_none());
    let one = |state: SourceState| {
        let SourceState { source, lag, parked } = state;
        let rebuild = rebuilds.iter().find(|rebuild| rebuild.source == source && rebuild.finished.is_none());
        wire::FactSource {
            source: source.to_owned(),
            lag: lag.and_then(|lag| prost_types::Duration::try_from(lag).ok()),
            rebuilt_position: rebuild.map(|rebuild| rebuild.position.max(0)),
            rebuild_until_position: rebuild.and_then(|rebuild| rebuild.until),
            parked_count: parked,
        }
    };
    let finished = rebuilds.iter().map(|rebuild| rebuild.finished).max().flatten();
    wire::FactState {
        sources: sources.into_iter().map(one).collect(),
        rebuilding,
        rebuild_request_time: rebuilds.iter().map(|rebuild| rebuild.requested).max().map(timestamp),
        rebuild_finish_time: finished.filter(|_| !rebuilding).map(timestamp),
    }
}
