//! Figures of invented histories, against a recount by hand.

mod real;

use std::collections::BTreeMap;

use jiff::civil::date;
use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::fact::Ending;
use crate::flow::facts::history::{Truth, events, invented};
use crate::flow::facts::tests::{feedback, kept, tenant};
use crate::kpi::{Definition, Dimension, Filter, Period, Time};

const ZONE: &str = "Asia/Shanghai";
const REPEATED: SignedDuration = SignedDuration::from_hours(30 * 24);

/// What a share is counted from, by hand: day of the event, hits, all.
type Recount = BTreeMap<(String, String), (i64, i64)>;

fn day(at: Timestamp) -> String {
    at.to_zoned(calendar::zones::get(ZONE).expect("a zone")).date().to_string()
}

fn is_merged(truth: &Truth, as_of: Timestamp) -> bool {
    truth.ended_by(as_of).is_some_and(|(_, ending)| ending == Ending::Merged)
}

fn is_like(one: &Truth, other: &Truth) -> bool {
    one.id != other.id
        && one.customer.is_some()
        && one.customer == other.customer
        && one.category == other.category
}

/// Every pair of a share for one case: when it counts, whether it hits.
fn pairs(kpi: &str, truth: &Truth, all: &[Truth], as_of: Timestamp) -> Vec<(Timestamp, bool)> {
    let by_then = |at: Option<Timestamp>| at.is_some_and(|at| at <= as_of);
    let others = || all.iter().filter(|other| is_like(truth, other) && !is_merged(other, as_of));
    let received = |hit: bool| if is_merged(truth, as_of) { vec![] } else { vec![(truth.received, hit)] };
    let cycles = truth.cycles.iter();
    match kpi {
        "received" => received(true),
        "completion_rate" => {
            received(truth.ended_by(as_of).is_some_and(|(_, ending)| ending != Ending::Merged))
        }
        "repeat_rate" => received(others().any(|other| {
            other.received < truth.received && truth.received.duration_since(other.received) <= REPEATED
        })),
        "escalation_rate" => received(by_then(truth.escalated) || [6, 9].contains(&truth.channel)),
        "reopen_rate" => cycles.map(|cycle| (cycle.resolved, by_then(cycle.reopened))).collect(),
        "upheld_rate" => cycles.map(|cycle| (cycle.resolved, cycle.outcome_by(as_of) <= 2)).collect(),
        "first_time_resolution" => {
            let Some(first) = truth.cycles.first() else { return vec![] };
            let again = others().any(|other| {
                other.received > first.resolved
                    && other.received <= as_of
                    && other.received.duration_since(first.resolved) <= REPEATED
            });
            vec![(first.resolved, !by_then(first.reopened) && !again)]
        }
        "closed" | "on_time_rate" | "kept_promise_rate" => {
            let Some((ended, Ending::Closed)) = truth.ended_by(as_of) else { return vec![] };
            if truth.history && kpi != "closed" {
                return vec![];
            }
            let is_broken =
                truth.breach.is_some_and(|(at, own)| at <= ended && (kpi == "kept_promise_rate" || !own));
            vec![(ended, kpi == "closed" || !is_broken)]
        }
        "response_rate" => {
            let told =
                cycles.filter_map(|cycle| Some((cycle.told_by(as_of)?, cycle.scores_by(as_of).is_some())));
            told.collect()
        }
        "satisfaction" | "handling_satisfaction" => {
            let scored = cycles.filter_map(|cycle| {
                let (handling, outcome) = cycle.scores_by(as_of)?;
                let score = if kpi == "satisfaction" { outcome } else { handling };
                Some((cycle.told_by(as_of)?, score >= 4))
            });
            scored.collect()
        }
        "complete_rate" => truth.complete().map(received).unwrap_or_default(),
        "call_back_reach" => truth.call.into_iter().collect(),
        "department_on_time_rate" => {
            truth.paid.map(|(done, _)| (done, done <= truth.task.1)).into_iter().collect()
        }
        "tasks_overdue" => truth
            .paid
            .filter(|(done, _)| *done > truth.task.1)
            .map(|_| (truth.task.1, true))
            .into_iter()
            .collect(),
        _ => panic!("{kpi} is no share"),
    }
}

fn recounted(kpi: &str, truths: &[Truth], as_of: Timestamp, value: impl Fn(&Truth) -> String) -> Recount {
    let mut recount = Recount::new();
    for truth in truths {
        for (at, hit) in pairs(kpi, truth, truths, as_of) {
            if at > as_of {
                continue;
            }
            let counted = recount.entry((day(at), value(truth))).or_default();
            counted.0 += i64::from(hit);
            counted.1 += 1;
        }
    }
    recount
}

const SHARES: [&str; 17] = [
    "received",
    "closed",
    "on_time_rate",
    "kept_promise_rate",
    "completion_rate",
    "first_time_resolution",
    "satisfaction",
    "handling_satisfaction",
    "response_rate",
    "repeat_rate",
    "escalation_rate",
    "reopen_rate",
    "upheld_rate",
    "complete_rate",
    "call_back_reach",
    "department_on_time_rate",
    "tasks_overdue",
];

fn daily(kpi: &str, dimension: Option<Dimension>, as_of: Option<Timestamp>) -> Query {
    let window = Window { start: date(2026, 1, 1), end: date(2026, 6, 1), period: Some(Period::Day) };
    Query {
        name: kpi.to_owned(),
        kpi: Definition::of(kpi).expect("a KPI"),
        window: Some(window),
        scope: Scope { dimension, filters: Vec::new(), as_of },
        comparison: None,
        time: Time::Wall,
        percentiles: vec![0.5, 0.9],
    }
}

async fn answered(db: &Db, tenant: &TenantId, queries: &[Query]) -> anyhow::Result<Vec<Vec<Row>>> {
    let asked = queries.to_vec();
    let counted = db.transact("test", tenant, async move |mut tx| {
        store::see_one_moment(&mut tx).await?;
        let counted = count(&mut tx, &asked).await?;
        Ok((tx, counted))
    });
    let mut counted = counted.await.map_err(|fault| anyhow::anyhow!(fault.chain()))?;
    Ok(answers(queries, &mut counted)?)
}

fn pairs_of(rows: &[Row]) -> Recount {
    let counted = rows.iter().filter(|row| row.figure.denominator > 0);
    counted
        .map(|row| {
            let Row { period, value, figure, .. } = row;
            ((period.clone(), value.clone()), (figure.numerator, figure.denominator))
        })
        .collect()
}

/// The value of a case in a dimension.
type ValueOf = fn(&Truth) -> String;

/// A database, whose it is, and what happened.
type Told = (testkit::Database, Db, TenantId, Vec<Truth>);

async fn told(seed: u64) -> anyhow::Result<Told> {
    let (database, db) = feedback().await?;
    let (mine, truths) = (tenant("mine"), invented(seed, 150, 90));
    let settings = Settings { version: 1, time_zone: ZONE.to_owned(), min_group: 0, ..Settings::default() };
    db.transact("test", &mine, async move |mut tx| {
        store::save_kpi_settings(&mut tx, &settings).await?;
        Ok((tx, ()))
    })
    .await?;
    for source in events(mine.as_str(), &truths) {
        for batch in source.chunks(200) {
            kept(&db, &mine, batch).await?;
        }
    }
    Ok((database, db, mine, truths))
}

async fn renewed(db: &Db) -> anyhow::Result<()> {
    renew(db, SignedDuration::ZERO, &Stop::new()).await.map_err(|fault| anyhow::anyhow!(fault.chain()))
}

#[tokio::test]
async fn every_share_is_that_of_a_recount_by_day_from_facts_and_from_totals() -> anyhow::Result<()> {
    for seed in [3, 4] {
        let (database, db, mine, truths) = told(seed).await?;
        let dimensions: [(Option<Dimension>, ValueOf); 5] = [
            (None, |_| String::new()),
            (Some(Dimension::Region), |truth| truth.region.clone()),
            (Some(Dimension::Channel), |truth| truth.channel.to_string()),
            (Some(Dimension::Department), |truth| truth.department.clone()),
            (Some(Dimension::Recorder), Truth::recorder),
        ];
        for round in ["facts", "totals", "both"] {
            match round {
                "totals" => renewed(&db).await?,
                // Told again: days are out of date, and come to the same.
                "both" => kept(&db, &mine, &events(mine.as_str(), &truths[..20])[1]).await?,
                _ => {}
            }
            for (dimension, value) in dimensions {
                let queries: Vec<Query> = SHARES.iter().map(|kpi| daily(kpi, dimension, None)).collect();
                let answers = answered(&db, &mine, &queries).await?;
                for (kpi, rows) in SHARES.iter().zip(&answers) {
                    let is_of_tasks = matches!(*kpi, "department_on_time_rate" | "tasks_overdue");
                    let value = match dimension {
                        Some(Dimension::Department) if is_of_tasks => (|_| "finance".to_owned()) as ValueOf,
                        _ => value,
                    };
                    let expected = recounted(kpi, &truths, Timestamp::MAX, value);
                    assert!(!expected.is_empty());
                    assert_eq!(pairs_of(rows), expected, "{kpi} of {round} by {dimension:?}, seed {seed}");
                }
            }
        }
        database.drop().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_figure_as_of_a_time_leaves_out_what_happened_later() -> anyhow::Result<()> {
    let (database, db, mine, truths) = told(5).await?;
    for seconds in [1_769_900_000, 1_772_000_000, 1_774_500_000] {
        let as_of = Timestamp::from_second(seconds)?;
        let queries: Vec<Query> = SHARES.iter().map(|kpi| daily(kpi, None, Some(as_of))).collect();
        for (kpi, rows) in SHARES.iter().zip(answered(&db, &mine, &queries).await?) {
            assert_eq!(
                pairs_of(&rows),
                recounted(kpi, &truths, as_of, |_| String::new()),
                "{kpi} as of {as_of}"
            );
        }
        let backlog = Query { window: None, ..daily("backlog", None, Some(as_of)) };
        let rows = answered(&db, &mine, &[backlog]).await?.remove(0);
        let open = truths.iter().filter(|truth| truth.received <= as_of && truth.ended_by(as_of).is_none());
        let open: Vec<&Truth> = open.collect();
        let overdue = open.iter().filter(|truth| truth.breach.is_some_and(|(at, _)| at <= as_of)).count();
        let sum = |of: fn(&Row) -> i64| rows.iter().map(of).sum::<i64>();
        assert_eq!(sum(|row| row.figure.denominator), i64::try_from(open.len())?);
        assert_eq!(sum(|row| row.figure.numerator), i64::try_from(overdue)?);
        let young = open.iter().filter(|truth| as_of.duration_since(truth.received).as_hours() < 24).count();
        assert_eq!(rows[0].figure.denominator, i64::try_from(young)?, "{:?}", rows[0]);
    }
    database.drop().await?;
    Ok(())
}

/// Seconds of every response, by hand.
fn responses(truths: &[Truth], time: Time) -> Vec<i64> {
    let one = |truth: &Truth| {
        let resolved = truth.cycles.first()?.resolved;
        let wall = resolved.duration_since(truth.received).as_secs();
        Some(match (time, truth.pause) {
            (Time::Working, _) => {
                working_hours::until(ZONE, resolved) - working_hours::until(ZONE, truth.received)
            }
            (Time::Net, Some((from, until))) => {
                let still = until.min(resolved).duration_since(from.min(resolved)).as_secs();
                wall - still
            }
            _ => wall,
        })
    };
    truths.iter().filter_map(one).collect()
}

#[tokio::test]
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "small numbers of a test"
)]
async fn durations_are_those_of_a_recount_in_each_time() -> anyhow::Result<()> {
    let (database, db, mine, truths) = told(6).await?;
    let whole = Window { start: date(2026, 1, 1), end: date(2026, 12, 1), period: None };
    for round in 0..2 {
        if round == 1 {
            renewed(&db).await?;
        }
        for time in [Time::Wall, Time::Working, Time::Net] {
            let query = Query { window: Some(whole), time, ..daily("response_time", None, None) };
            let figure = answered(&db, &mine, &[query]).await?.remove(0).remove(0).figure;
            let mut expected = responses(&truths, time);
            expected.sort_unstable();
            let at = |of: f64| {
                let place = of * (expected.len() - 1) as f64;
                let (low, high) = (expected[place.floor() as usize], expected[place.ceil() as usize]);
                low as f64 + (high - low) as f64 * place.fract()
            };
            assert_eq!(figure.denominator, i64::try_from(expected.len())?);
            let mean = expected.iter().sum::<i64>() as f64 / expected.len() as f64;
            assert!((figure.value.unwrap() - mean).abs() < 1e-6, "{time:?}");
            for (percentile, value) in figure.percentiles {
                assert!((value - at(percentile)).abs() < 1e-6, "{time:?} {percentile}: {value}");
            }
        }
        let query = Query { window: Some(whole), ..daily("redress_paid", None, None) };
        let figure = answered(&db, &mine, &[query]).await?.remove(0).remove(0).figure;
        let paid: i64 = truths.iter().filter_map(|truth| truth.paid).map(|(_, minor)| minor).sum();
        assert_eq!(figure.amounts, [("CNY".to_owned(), paid)]);
    }
    database.drop().await?;
    Ok(())
}

/// Losses by hand, day and department: how many, and what they come to by currency.
fn losses(
    truths: &[Truth],
    as_of: Timestamp,
    by_department: bool,
) -> BTreeMap<(String, String), (i64, BTreeMap<String, i64>)> {
    let mut recount: BTreeMap<_, (i64, BTreeMap<String, i64>)> = BTreeMap::new();
    for loss in truths.iter().filter_map(Truth::loss).filter(|loss| loss.at <= as_of) {
        let department = if by_department { loss.department } else { "" };
        let counted = recount.entry((day(loss.at), department.to_owned())).or_default();
        counted.0 += 1;
        *counted.1.entry(loss.currency.to_owned()).or_default() += loss.minor;
    }
    recount
}

#[tokio::test]
async fn losses_written_off_are_those_of_a_recount_by_day_department_and_currency() -> anyhow::Result<()> {
    let (database, db, mine, truths) = told(8).await?;
    let (middle, end) = (Timestamp::from_second(1_772_000_000)?, Timestamp::MAX);
    for round in ["facts", "totals", "both"] {
        match round {
            "totals" => renewed(&db).await?,
            "both" => kept(&db, &mine, &events(mine.as_str(), &truths[..20])[3]).await?,
            _ => {}
        }
        for (dimension, as_of) in [
            (None, None),
            (Some(Dimension::Department), None),
            (None, Some(middle)),
            (Some(Dimension::Department), Some(middle)),
        ] {
            let query = daily("losses_written_off", dimension, as_of);
            let rows = answered(&db, &mine, &[query]).await?.remove(0);
            let expected = losses(&truths, as_of.unwrap_or(end), dimension.is_some());
            let currencies = expected.values().flat_map(|(_, sums)| sums.keys());
            assert_eq!(currencies.collect::<BTreeSet<_>>().len(), 2, "both currencies");
            let counted = rows.into_iter().filter(|row| row.figure.denominator > 0).map(|row| {
                let Row { period, value, figure, .. } = row;
                ((period, value), (figure.numerator, figure.amounts.into_iter().collect()))
            });
            let counted: BTreeMap<_, _> = counted.collect();
            assert_eq!(counted, expected, "{round} by {dimension:?} as of {as_of:?}");
        }
    }
    database.drop().await?;
    Ok(())
}

#[tokio::test]
async fn filters_months_and_comparisons_are_those_of_a_recount() -> anyhow::Result<()> {
    let (database, db, mine, truths) = told(7).await?;
    let months = Window { start: date(2026, 2, 1), end: date(2026, 4, 1), period: Some(Period::Month) };
    let filters = vec![
        Filter { dimension: Dimension::Category, values: vec!["c0".to_owned()] },
        Filter { dimension: Dimension::Region, values: vec!["r0".to_owned(), "r2".to_owned()] },
    ];
    let scope = Scope { dimension: None, filters, as_of: None };
    let query = Query {
        window: Some(months),
        scope,
        comparison: Some(Comparison::Month),
        ..daily("received", None, None)
    };
    let plain = Query {
        scope: Scope { filters: Vec::new(), ..query.scope.clone() },
        name: "all".to_owned(),
        ..query.clone()
    };
    renewed(&db).await?;
    let answers = answered(&db, &mine, &[query, plain]).await?;
    let of_month = |month: &str, is_chosen: fn(&Truth) -> bool| {
        let all = recounted("received", &truths, Timestamp::MAX, |truth| is_chosen(truth).to_string());
        let mine = all.iter().filter(|((day, chosen), _)| day.starts_with(month) && chosen == "true");
        mine.map(|(_, (_, count))| *count).sum::<i64>()
    };
    let chosen: fn(&Truth) -> bool = |truth| truth.category == "c0" && truth.region != "r1";
    for (rows, is_chosen) in answers.iter().zip([chosen, |_| true]) {
        let told: Vec<(i64, i64)> = rows
            .iter()
            .map(|row| (row.figure.denominator, row.previous.as_ref().map_or(0, |before| before.denominator)))
            .collect();
        let [january, february, march] =
            ["2026-01", "2026-02", "2026-03"].map(|month| of_month(month, is_chosen));
        assert_eq!(told, [(february, january), (march, february)]);
    }
    database.drop().await?;
    Ok(())
}

#[tokio::test]
async fn a_tenant_whose_totals_cannot_be_made_keeps_no_other_from_theirs() -> anyhow::Result<()> {
    let (database, db) = feedback().await?;
    let tenants = ["a", "b", "c"].map(tenant);
    for tenant in &tenants {
        let truths = invented(7, 3, 2);
        for source in events(tenant.as_str(), &truths) {
            kept(&db, tenant, &source).await?;
        }
    }
    let changed = async |tenant: &TenantId| {
        let changed = db.transact("test", tenant, async |mut tx| {
            let changed = store::changed_days(&mut tx).await?;
            Ok((tx, changed.len()))
        });
        anyhow::Ok(changed.await?)
    };
    let renewing = db.clone();
    let held = db.transact("test", &tenants[0], async move |mut tx| {
        store::hold_totals(&mut tx).await?;
        let renewed = renew(&renewing, SignedDuration::ZERO, &Stop::new()).await;
        Ok((tx, renewed.map_err(|fault| fault.is_contention())))
    });
    assert_eq!(held.await?, Err(true), "the first cannot be made while another makes them");
    assert!(changed(&tenants[0]).await? > 0);
    assert_eq!((changed(&tenants[1]).await?, changed(&tenants[2]).await?), (0, 0));
    renewed(&db).await?;
    assert_eq!(changed(&tenants[0]).await?, 0);
    database.drop().await
}
