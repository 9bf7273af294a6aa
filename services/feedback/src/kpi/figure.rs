//! Figures of counts, and which of them are not told.

use std::collections::BTreeMap;

use statistics::wilson;

use super::definition::{Definition, Made};
use super::measure::{Counts, Measure, Tally};
use super::statistics::{mean, percentile_cont};
use super::{Query, Settings};

/// Where the ages of what is open are cut, in days.
pub const AGES: [i32; 8] = [0, 1, 3, 7, 15, 30, 60, 90];
/// So many customers a density is told for.
const PER: f64 = 1_000.0;

/// A figure.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Figure {
    /// In the unit of its KPI.
    pub value: Option<f64>,
    /// Of a share, its interval.
    pub interval: Option<(f64, f64)>,
    /// How many of them.
    pub numerator: i64,
    /// What it is counted from.
    pub denominator: i64,
    /// How many cases, cycles, answers, calls, payments or losses it is counted from.
    pub group: i64,
    /// Of a duration.
    pub percentiles: Vec<(f64, f64)>,
    /// Of money: currency and minor units.
    pub amounts: Vec<(String, i64)>,
    /// Nothing of it is told.
    pub suppressed: bool,
}

/// A figure and what it is of.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The part of the window, or the age.
    pub period: String,
    /// The value of the dimension.
    pub value: String,
    /// The figure.
    pub figure: Figure,
    /// What it is compared with.
    pub previous: Option<Figure>,
}

/// The name of an age, by its place among [`AGES`].
pub fn age(place: usize) -> String {
    match (AGES.get(place), AGES.get(place + 1)) {
        (Some(from), Some(to)) => format!("{from}-{to}"),
        (Some(from), None) => format!("{from}+"),
        (None, _) => String::new(),
    }
}

/// The figure that a query asks for, of what a group comes to.
pub fn figure(query: &Query, value: &str, counts: Option<&mut Counts>, settings: &Settings) -> Figure {
    let mut none = Counts::default();
    let counts = counts.unwrap_or(&mut none);
    match query.kpi.made {
        Made::Share(hits, of) => share(counts.number(hits), counts.number(of)),
        Made::Number(measure) => number(counts.number(measure)),
        Made::Density(measure) => density(counts.number(measure), settings.customers.get(value).copied()),
        Made::Duration(_) => duration(query, counts),
        Made::Money(number, sum) => money(counts, number, sum),
        Made::Backlog => Figure::default(),
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn share(hits: i64, of: i64) -> Figure {
    let value = (of > 0).then(|| hits as f64 / of as f64);
    let interval = wilson(hits, of);
    Figure { value, interval, numerator: hits, denominator: of, group: of, ..Figure::default() }
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn number(count: i64) -> Figure {
    let value = Some(count as f64);
    Figure { value, numerator: count, denominator: count, group: count, ..Figure::default() }
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn density(count: i64, customers: Option<i64>) -> Figure {
    let value = customers.map(|customers| PER * count as f64 / customers as f64);
    let denominator = customers.unwrap_or(0);
    Figure { value, numerator: count, denominator, group: count, ..Figure::default() }
}

fn duration(query: &Query, counts: &mut Counts) -> Figure {
    let mut none = Vec::new();
    let span = query.kpi.span(query.time);
    let seconds = span.and_then(|span| counts.samples.get_mut(&span)).unwrap_or(&mut none);
    let percentile = |percentile: &f64| Some((*percentile, percentile_cont(seconds, *percentile)?));
    let percentiles = query.percentiles.iter().filter_map(percentile).collect();
    let count = i64::try_from(seconds.len()).unwrap_or(i64::MAX);
    let value = mean(seconds);
    Figure { value, numerator: count, denominator: count, group: count, percentiles, ..Figure::default() }
}

fn money(counts: &Counts, number: Measure, sum: Measure) -> Figure {
    let count = counts.number(number);
    let amounts = counts.money(sum);
    Figure { numerator: count, denominator: count, group: count, amounts, ..Figure::default() }
}

/// How many are open at an age, and how many of those are overdue.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
pub fn open(count: i64, overdue: i64) -> Figure {
    let value = Some(count as f64);
    Figure { value, numerator: overdue, denominator: count, group: count, ..Figure::default() }
}

/// The rows of an answer: of each part of the window, the groups in which anything is
/// counted. `labels` names the parts; a tally of what they are compared with may follow.
pub fn rows(
    query: &Query,
    labels: &[String],
    tally: &mut Tally,
    previous: Option<&mut Tally>,
    settings: &Settings,
) -> Vec<Row> {
    let mut previous = previous;
    let mut values: Vec<String> = tally.keys().map(|(_, value)| value.clone()).collect();
    values.extend(previous.iter().flat_map(|tally| tally.keys().map(|(_, value)| value.clone())));
    if query.scope.dimension.is_none() {
        values = vec![String::new()];
    }
    values.sort();
    values.dedup();
    let mut rows = Vec::new();
    for (place, label) in labels.iter().enumerate() {
        for value in &values {
            let key = (place, value.clone());
            let now = figure(query, value, tally.get_mut(&key), settings);
            let before = previous.as_mut().map(|tally| figure(query, value, tally.get_mut(&key), settings));
            let is_empty = now.group == 0 && before.as_ref().is_none_or(|before| before.group == 0);
            if query.scope.dimension.is_some() && is_empty {
                continue;
            }
            let (period, value) = (label.clone(), value.clone());
            rows.push(Row { period, value, figure: now, previous: before });
        }
    }
    rows
}

impl Figure {
    fn is_small(&self, least: i64) -> bool {
        self.group > 0 && self.group < least
    }

    fn suppress(&mut self) {
        *self = Self { suppressed: true, ..Self::default() };
    }
}

/// Suppresses the figures of groups smaller than the settings say. Where that leaves one of
/// a part of the window alone, it could be told by subtracting the others from the whole:
/// the smallest of those is suppressed too.
pub fn suppress(rows: &mut [Row], query: &Query, settings: &Settings) {
    let least = i64::from(settings.min_group);
    if !query.scope.is_parted() || least <= 1 {
        return;
    }
    let mut parts: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (place, row) in rows.iter().enumerate() {
        parts.entry(row.period.clone()).or_default().push(place);
    }
    for part in parts.values() {
        hide(rows, part, least, |row| Some(&mut row.figure));
        hide(rows, part, least, |row| row.previous.as_mut());
    }
}

fn hide(rows: &mut [Row], part: &[usize], least: i64, figure: impl Fn(&mut Row) -> Option<&mut Figure>) {
    let mut small = 0;
    let mut others = Vec::new();
    for place in part {
        let Some(figure) = rows.get_mut(*place).and_then(&figure) else { continue };
        if figure.is_small(least) {
            figure.suppress();
            small += 1;
        } else if figure.group > 0 {
            others.push((figure.group, *place));
        }
    }
    let smallest = others.into_iter().min().filter(|_| small == 1);
    let alone = smallest.and_then(|(_, place)| rows.get_mut(place)).and_then(&figure);
    if let Some(alone) = alone {
        alone.suppress();
    }
}

/// What changed between two figures that are told.
pub fn change(row: &Row) -> Option<f64> {
    Some(row.figure.value? - row.previous.as_ref()?.value?)
}

/// Whether a KPI is told of a moment rather than of a window.
pub fn is_stock(kpi: &Definition) -> bool {
    kpi.made == Made::Backlog
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kpi::{Dimension, Measure, Scope, Time};

    fn query(kpi: &str) -> Query {
        Query {
            name: "q".to_owned(),
            kpi: Definition::of(kpi).unwrap(),
            window: None,
            scope: Scope { dimension: Some(Dimension::Region), filters: Vec::new(), as_of: None },
            comparison: None,
            time: Time::Wall,
            percentiles: vec![0.5],
        }
    }

    fn tally(groups: &[i64]) -> Tally {
        let counted = |(place, count): (usize, &i64)| {
            let mut counts = Counts::default();
            counts.add(Measure::Received, String::new(), *count);
            ((0, format!("r{place}")), counts)
        };
        groups.iter().enumerate().map(counted).collect()
    }

    proptest! {
        #[test]
        fn no_small_group_is_told_nor_can_be_reckoned(groups in prop::collection::vec(0..30_i64, 1..8)) {
            let (query, settings) = (query("received"), Settings::default());
            let mut rows = rows(&query, &[String::new()], &mut tally(&groups), None, &settings);
            suppress(&mut rows, &query, &settings);
            let hidden = rows.iter().filter(|row| row.figure.suppressed).count();
            for row in &rows {
                prop_assert!(row.figure.suppressed || row.figure.group >= 5);
                prop_assert!(!row.figure.suppressed || (row.figure.value.is_none() && row.figure.denominator == 0));
            }
            // One alone is what is left of the whole; unless it is the whole.
            prop_assert!(hidden != 1 || rows.len() == 1);
            let small = groups.iter().filter(|group| (1..5).contains(*group)).count();
            prop_assert!(hidden >= small && hidden <= small.max(2));
        }
    }

    #[test]
    fn a_density_needs_the_customers_of_its_region() {
        let customers = [("r0".to_owned(), 4_000)].into_iter().collect();
        let settings = Settings { customers, ..Settings::default() };
        let rows = rows(&query("density"), &[String::new()], &mut tally(&[12, 12]), None, &settings);
        let values: Vec<Option<f64>> = rows.iter().map(|row| row.figure.value).collect();
        assert_eq!(values, [Some(3.0), None]);
    }

    #[test]
    fn a_share_of_nothing_is_none() {
        let rows = rows(
            &Query {
                scope: Scope { dimension: None, filters: Vec::new(), as_of: None },
                ..query("upheld_rate")
            },
            &["2026-11".to_owned()],
            &mut Tally::new(),
            None,
            &Settings::default(),
        );
        assert_eq!(rows.len(), 1);
        assert_eq!((rows[0].figure.value, rows[0].figure.interval), (None, None));
    }

    #[test]
    fn ages_have_names() {
        assert_eq!(age(0), "0-1");
        assert_eq!(age(AGES.len() - 1), "90+");
    }
}
