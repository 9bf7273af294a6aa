//! Statements on signals, and on how readily they are raised.

use std::collections::HashMap;

use fault::Fault;
use jiff::civil::Date;
use jiff_sqlx::{Timestamp, ToSqlx as _};
use kernel::page::Page;
use kernel::{CaseId, TenantId};
use pg::{Binds, Tx};
use sqlx::types::Json;
use sqlx::{AssertSqlSafe, PgConnection};
use uuid::Uuid;

use super::impossible;
use super::tally::Part;
use crate::fact::Ending as CaseEnding;
use crate::signal::hint::{Hint, Kind};
use crate::signal::{
    Baseline, Dismissal, Ending, LATE_DAYS, MAX_SERIES, Series, Settings, Signal, State, Surge, WINDOW,
};

/// A hint, as it is kept.
#[derive(serde::Deserialize, serde::Serialize)]
struct HintRow {
    kind: i16,
    department_id: String,
    category: Option<String>,
    product: Option<String>,
    region: Option<String>,
    instructions: String,
}

impl HintRow {
    fn of(hint: &Hint) -> Self {
        let Hint { kind, department_id, series, instructions } = hint.clone();
        let Series { category, product, region } = series;
        Self { kind: kind.number(), department_id, category, product, region, instructions }
    }

    fn hint(self) -> Result<Hint, Fault> {
        let Self { kind, department_id, category, product, region, instructions } = self;
        let wrong = || Fault::internal("impossible row: a hint of signal_setting has no kind");
        let kind = Kind::of(kind).ok_or_else(wrong)?;
        Ok(Hint { kind, department_id, series: Series { category, product, region }, instructions })
    }
}

#[derive(sqlx::FromRow)]
struct SettingRow {
    version: i64,
    false_alarms: f64,
    min_count: i32,
    quiet_days: i32,
    note: String,
    hints: Json<Vec<HintRow>>,
}

/// The settings of the tenant, or those everybody has.
pub(crate) async fn signal_settings(conn: &mut PgConnection) -> Result<Settings, Fault> {
    let row: Option<SettingRow> = sqlx::query_as(
        "SELECT version, false_alarms, min_count, quiet_days, note, hints FROM signal_setting
         WHERE tenant_id = current_setting('redress.tenant')",
    )
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(Settings::default()) };
    let SettingRow { version, false_alarms, min_count, quiet_days, note, hints: Json(hints) } = row;
    let hints = hints.into_iter().map(HintRow::hint).collect::<Result<_, _>>()?;
    Ok(Settings { version, false_alarms, min_count, quiet_days, note, hints })
}

/// Writes settings; who does holds the signals.
pub(crate) async fn save_signal_settings(conn: &mut PgConnection, settings: &Settings) -> Result<(), Fault> {
    let Settings { version, false_alarms, min_count, quiet_days, note, hints } = settings;
    sqlx::query(
        "INSERT INTO signal_setting (tenant_id, version, false_alarms, min_count, quiet_days, note, hints)
         VALUES (current_setting('redress.tenant'), $1, $2, $3, $4, $5, $6)
         ON CONFLICT ON CONSTRAINT signal_setting_pkey DO UPDATE
         SET version = excluded.version, false_alarms = excluded.false_alarms, min_count = excluded.min_count,
             quiet_days = excluded.quiet_days, note = excluded.note, hints = excluded.hints",
    )
    .bind(version)
    .bind(false_alarms)
    .bind(min_count)
    .bind(quiet_days)
    .bind(note)
    .bind(Json(hints.iter().map(HintRow::of).collect::<Vec<_>>()))
    .execute(conn)
    .await?;
    Ok(())
}

/// Keeps others from raising, following or dismissing signals, and from changing what they
/// are raised by, until the transaction ends.
pub(crate) async fn hold_signals(conn: &mut PgConnection) -> Result<(), Fault> {
    pg::hold(conn, "signals").await
}

/// Notes that signals are to be looked for, where one of these cases was received on a day
/// that is looked at, or that is a past of one: a past that is told of late may be what makes
/// a day stand out. Days more: those of zones begin at different times.
pub(crate) async fn note_signal_change(tx: &mut Tx, cases: &[CaseId]) -> Result<(), Fault> {
    let days = i64::try_from(WINDOW + LATE_DAYS + 2).map_err(Fault::internal)?;
    let since = tx.now() - jiff::SignedDuration::from_hours(24 * days);
    sqlx::query(
        "INSERT INTO signal_change (tenant_id) SELECT current_setting('redress.tenant') WHERE EXISTS (
             SELECT FROM case_fact WHERE tenant_id = current_setting('redress.tenant')
             AND case_id = ANY($1) AND received_at >= $2)",
    )
    .bind(cases.iter().map(|case| case.0).collect::<Vec<_>>())
    .bind(since.to_sqlx())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Takes the changes that are noted away: who does looks for signals.
pub(crate) async fn take_signal_changes(conn: &mut PgConnection) -> Result<(), Fault> {
    sqlx::query("DELETE FROM signal_change WHERE tenant_id = current_setting('redress.tenant')")
        .execute(conn)
        .await?;
    Ok(())
}

/// Whose signals are to be looked for now.
pub(crate) async fn signal_tenants(
    conn: &mut PgConnection,
    now: jiff::Timestamp,
) -> Result<Vec<TenantId>, Fault> {
    let tenants: Vec<String> = sqlx::query_scalar(
        "SELECT tenant_id FROM signal_change UNION SELECT tenant_id FROM signal_look WHERE next_at <= $1",
    )
    .bind(now.to_sqlx())
    .fetch_all(conn)
    .await?;
    Ok(tenants.iter().filter_map(|tenant| TenantId::parse(tenant).ok()).collect())
}

/// Says when surges are to be followed again; never where none is.
pub(crate) async fn save_next_look(
    conn: &mut PgConnection,
    next: Option<jiff::Timestamp>,
) -> Result<(), Fault> {
    sqlx::query(
        "WITH gone AS (DELETE FROM signal_look WHERE tenant_id = current_setting('redress.tenant') AND $1::timestamptz IS NULL)
         INSERT INTO signal_look (tenant_id, next_at) SELECT current_setting('redress.tenant'), $1 WHERE $1::timestamptz IS NOT NULL
         ON CONFLICT ON CONSTRAINT signal_look_pkey DO UPDATE SET next_at = excluded.next_at
         WHERE signal_look.next_at <> excluded.next_at",
    )
    .bind(next.map(jiff_sqlx::ToSqlx::to_sqlx))
    .execute(conn)
    .await?;
    Ok(())
}

/// Complaints received on days, each with the number of its day.
fn received(binds: &mut Binds, days: &[Part]) -> String {
    let rows = binds
        .rows(days)
        .column("part", |part| part.0)
        .column("lower", |part| part.1.to_sqlx())
        .column("upper", |part| part.2.to_sqlx())
        .done();
    format!(
        "case_fact c JOIN {rows} AS b ON c.tenant_id = current_setting('redress.tenant')
         AND c.received_at >= b.lower AND c.received_at < b.upper AND NOT coalesce(c.ending = {merged}, false)",
        merged = CaseEnding::Merged.number(),
    )
}

/// The series of which one of these days has enough complaints, those with the most first; and
/// A series (its category, product and region), and how many there are of all.
type Counted = (Option<String>, Option<String>, Option<String>, i64);

/// how many more there are than are looked at.
pub(crate) async fn busy_series(
    conn: &mut PgConnection,
    days: &[Part],
    min_count: i32,
) -> Result<(Vec<Series>, i64), Fault> {
    let mut binds = Binds::default();
    let rows = received(&mut binds, days);
    let least = binds.value(i64::from(min_count));
    let statement = format!(
        "WITH f AS (SELECT b.part, nullif(c.category, '') AS category, nullif(c.product, '') AS product,
                           nullif(c.region, '') AS region, count(*) AS n FROM {rows} GROUP BY 1, 2, 3, 4)
         SELECT d.category, d.product, d.region, count(*) OVER () FROM (
             SELECT v.category, v.product, v.region, sum(f.n) AS n FROM f CROSS JOIN LATERAL (VALUES
                 (0, NULL::text, NULL::text, NULL::text),
                 (1, f.category, NULL, NULL), (1, NULL, f.product, NULL), (1, NULL, NULL, f.region),
                 (2, f.category, f.product, NULL), (2, f.category, NULL, f.region), (2, NULL, f.product, f.region)
             ) AS v (wanted, category, product, region)
             WHERE num_nonnulls(v.category, v.product, v.region) = v.wanted
             GROUP BY f.part, v.category, v.product, v.region) d
         GROUP BY d.category, d.product, d.region HAVING max(d.n) >= {least}
         ORDER BY max(d.n) DESC, d.category, d.product, d.region LIMIT {MAX_SERIES}"
    );
    let found: Vec<Counted> =
        sqlx::query_as_with(AssertSqlSafe(statement), binds.arguments()?).fetch_all(conn).await?;
    let all = found.first().map_or(0, |(.., all)| *all);
    let left_out = all - i64::try_from(found.len()).unwrap_or(all);
    let series = found.into_iter().map(|(category, product, region, _)| Series { category, product, region });
    Ok((series.collect(), left_out))
}

/// How many complaints of each series were received on each of these days, which are numbered
/// from 0.
pub(crate) async fn series_counts(
    conn: &mut PgConnection,
    series: &[Series],
    days: &[Part],
) -> Result<Vec<Vec<i64>>, Fault> {
    let mut binds = Binds::default();
    let received = received(&mut binds, days);
    let numbered: Vec<(i32, &Series)> = (0..).zip(series).collect();
    let rows = binds
        .rows(&numbered)
        .column("place", |one| one.0)
        .column("category", |one| one.1.category.as_deref())
        .column("product", |one| one.1.product.as_deref())
        .column("region", |one| one.1.region.as_deref())
        .done();
    let statement = format!(
        "WITH f AS (SELECT b.part, c.category, c.product, c.region, count(*) AS n FROM {received} GROUP BY 1, 2, 3, 4)
         SELECT s.place, f.part, sum(f.n)::bigint FROM {rows} AS s JOIN f
         ON (s.category IS NULL OR s.category = f.category) AND (s.product IS NULL OR s.product = f.product)
            AND (s.region IS NULL OR s.region = f.region)
         GROUP BY s.place, f.part"
    );
    let rows: Vec<(i32, i32, i64)> =
        sqlx::query_as_with(AssertSqlSafe(statement), binds.arguments()?).fetch_all(conn).await?;
    let mut counts = vec![vec![0; days.len()]; series.len()];
    for (place, part, count) in rows {
        let (place, part) = (
            usize::try_from(place).map_err(Fault::internal)?,
            usize::try_from(part).map_err(Fault::internal)?,
        );
        if let Some(known) = counts.get_mut(place).and_then(|days| days.get_mut(part)) {
            *known = count;
        }
    }
    Ok(counts)
}

/// A series, and the first day after its last surge.
type OverRow = (Option<String>, Option<String>, Option<String>, jiff_sqlx::Date);

/// Of series whose surges are over, the first day that their last did not cover, since a day.
pub(crate) async fn surges_over(
    conn: &mut PgConnection,
    since: Date,
) -> Result<HashMap<Series, Date>, Fault> {
    let rows: Vec<OverRow> = sqlx::query_as(
        "SELECT category, product, region, max(first_day + cardinality(counts)) FROM signal
         WHERE tenant_id = current_setting('redress.tenant') AND ended_at IS NOT NULL
           AND first_day + cardinality(counts) >= $1
         GROUP BY category, product, region",
    )
    .bind(since.to_sqlx())
    .fetch_all(conn)
    .await?;
    let over =
        |(category, product, region, day): OverRow| (Series { category, product, region }, day.to_jiff());
    Ok(rows.into_iter().map(over).collect())
}

#[derive(sqlx::FromRow)]
struct Row {
    signal_id: Uuid,
    version: i64,
    category: Option<String>,
    product: Option<String>,
    region: Option<String>,
    first_day: jiff_sqlx::Date,
    last_day: jiff_sqlx::Date,
    baseline: Json<Baseline>,
    past: Vec<i64>,
    counts: Vec<i64>,
    false_alarms: f64,
    min_count: i32,
    quiet_days: i32,
    raised_at: Timestamp,
    ended_at: Option<Timestamp>,
    ending: Option<i16>,
    dismissed_at: Option<Timestamp>,
    dismissed_by: String,
    reason: String,
    problem_id: Uuid,
}

impl Row {
    fn signal(self) -> Result<Signal, Fault> {
        let ending = match self.ending {
            None => None,
            Some(ending) => {
                Some(Ending::of(ending).ok_or_else(|| impossible("signal", "ending", self.signal_id))?)
            }
        };
        let (by, reason) = (self.dismissed_by, self.reason);
        Ok(Signal {
            id: self.signal_id,
            version: self.version,
            series: Series { category: self.category, product: self.product, region: self.region },
            surge: Surge {
                first: self.first_day.to_jiff(),
                baseline: self.baseline.0,
                past: self.past,
                counts: self.counts,
                last: self.last_day.to_jiff(),
                ending,
            },
            settings: Settings {
                false_alarms: self.false_alarms,
                min_count: self.min_count,
                quiet_days: self.quiet_days,
                ..Settings::default()
            },
            raised: self.raised_at.to_jiff(),
            ended: self.ended_at.map(Timestamp::to_jiff),
            dismissal: self.dismissed_at.map(|at| Dismissal { at: at.to_jiff(), by, reason }),
            problem: self.problem_id,
        })
    }
}

/// Reads signals of the tenant: what follows the tenant's condition is given.
macro_rules! select_signals {
    ($rest:literal) => {
        concat!(
            "SELECT signal_id, version, category, product, region, first_day, last_day, baseline, past, counts,
                    false_alarms, min_count, quiet_days, raised_at, ended_at, ending, dismissed_at, dismissed_by, reason, problem_id
             FROM signal WHERE tenant_id = current_setting('redress.tenant') ",
            $rest
        )
    };
}

/// The signals whose surges go on.
pub(crate) async fn followed_signals(conn: &mut PgConnection) -> Result<Vec<Signal>, Fault> {
    let rows: Vec<Row> =
        sqlx::query_as(select_signals!("AND ended_at IS NULL ORDER BY signal_id")).fetch_all(conn).await?;
    rows.into_iter().map(Row::signal).collect()
}

/// A signal, as it stands now.
pub(crate) async fn signal(conn: &mut PgConnection, id: Uuid) -> Result<Option<Signal>, Fault> {
    let row: Option<Row> =
        sqlx::query_as(select_signals!("AND signal_id = $1")).bind(id).fetch_optional(conn).await?;
    row.map(Row::signal).transpose()
}

/// One page of signals, newest first.
pub(crate) async fn signals(
    conn: &mut PgConnection,
    state: Option<State>,
    page: &Page,
    after: Option<(jiff::Timestamp, Uuid)>,
) -> Result<Vec<Signal>, Fault> {
    let (at, id) = after.map_or((None, None), |(at, id)| (Some(at.to_sqlx()), Some(id)));
    let rows: Vec<Row> = sqlx::query_as(select_signals!(
        "AND ($1::smallint IS NULL OR state = $1) AND ($2::timestamptz IS NULL OR (raised_at, signal_id) < ($2, $3))
         ORDER BY raised_at DESC, signal_id DESC LIMIT $4"
    ))
    .bind(state.map(State::number))
    .bind(at)
    .bind(id)
    .bind(page.limit())
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Row::signal).collect()
}

/// A list of counts, which travels as JSON.
const COUNTS: &str = "ARRAY(SELECT jsonb_array_elements({})::bigint)";

/// Writes signals, new ones and those that are known; who does holds them.
pub(crate) async fn save_signals(conn: &mut PgConnection, signals: &[Signal]) -> Result<(), Fault> {
    if signals.is_empty() {
        return Ok(());
    }
    let mut binds = Binds::default();
    let rows = binds
        .rows(signals)
        .column("signal_id", |one| one.id)
        .column("version", |one| one.version)
        .column("category", |one| one.series.category.as_deref())
        .column("product", |one| one.series.product.as_deref())
        .column("region", |one| one.series.region.as_deref())
        .column("first_day", |one| one.surge.first.to_sqlx())
        .column("last_day", |one| one.surge.last.to_sqlx())
        .column("baseline", |one| Json(&one.surge.baseline))
        .column_as("past", COUNTS, |one| Json(&one.surge.past))
        .column_as("counts", COUNTS, |one| Json(&one.surge.counts))
        .column("false_alarms", |one| one.settings.false_alarms)
        .column("min_count", |one| one.settings.min_count)
        .column("quiet_days", |one| one.settings.quiet_days)
        .column("state", |one| one.state().number())
        .column("raised_at", |one| one.raised.to_sqlx())
        .column("ended_at", |one| one.ended.map(jiff_sqlx::ToSqlx::to_sqlx))
        .column("ending", |one| one.surge.ending.map(Ending::number))
        .column("dismissed_at", |one| one.dismissal.as_ref().map(|known| known.at.to_sqlx()))
        .column("dismissed_by", |one| one.dismissal.as_ref().map_or("", |known| known.by.as_str()))
        .column("reason", |one| one.dismissal.as_ref().map_or("", |known| known.reason.as_str()))
        .column("problem_id", |one| one.problem)
        .done();
    let statement = format!(
        "{insert} ON CONFLICT ON CONSTRAINT signal_pkey DO UPDATE
         SET version = excluded.version, last_day = excluded.last_day, counts = excluded.counts,
             state = excluded.state, ended_at = excluded.ended_at, ending = excluded.ending,
             dismissed_at = excluded.dismissed_at, dismissed_by = excluded.dismissed_by, reason = excluded.reason",
        insert = rows.insert_into("signal"),
    );
    binds.execute(&statement, conn).await?;
    Ok(())
}
