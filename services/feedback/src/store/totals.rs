//! Statements on what the facts of a day come to.
//!
//! A day is out of date while a change is noted within a day of it, by UTC: whatever the
//! zone, no fact of it is farther away. Totals are made anew together with taking away the
//! changes that are seen, in one statement: what changes meanwhile is noted still. Who counts
//! sees one moment, and so the totals and the changes of the same.

use fault::Fault;
use jiff::civil::Date;
use jiff_sqlx::ToSqlx as _;
use kernel::{CaseId, TenantId};
use pg::Tx;
use sqlx::PgConnection;

use super::tally::{Counting, NumberRow, Part, SampleRow, Wanted, take};
use crate::kpi::measure::Tally;
use crate::kpi::{Dimension, Measure, Scope, Span};

/// Has the transaction see one moment, and change nothing. Its first statement.
pub(crate) async fn see_one_moment(conn: &mut PgConnection) -> Result<(), Fault> {
    sqlx::query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY").execute(conn).await?;
    Ok(())
}

/// Keeps others from making totals until the transaction ends.
pub(crate) async fn hold_totals(conn: &mut PgConnection) -> Result<(), Fault> {
    pg::hold(conn, "totals").await
}

/// Notes the days on which anything is counted of these cases, and of others of the same
/// complainants that may repeat them or be repeated.
pub(crate) async fn note_changed_days(tx: &mut Tx, cases: &[CaseId]) -> Result<(), Fault> {
    let now = tx.now();
    sqlx::query(
        "WITH mine AS (SELECT * FROM case_fact
                       WHERE tenant_id = current_setting('redress.tenant') AND case_id = ANY($1)),
              times AS (
                  SELECT UNNEST(ARRAY[received_at, acknowledged_at, resolved_at, ended_at]) AS at FROM mine
                  UNION ALL
                  SELECT UNNEST(ARRAY[o.received_at, o.resolved_at]) FROM mine m JOIN case_fact o
                  ON o.tenant_id = m.tenant_id AND o.complainant = m.complainant AND o.case_id <> m.case_id
                  WHERE o.received_at BETWEEN m.received_at AND m.received_at + interval '31 days'
                     OR m.received_at BETWEEN o.resolved_at AND o.resolved_at + interval '31 days'
                  UNION ALL
                  SELECT UNNEST(ARRAY[resolved_at, told_at]) FROM cycle_fact
                  WHERE tenant_id = current_setting('redress.tenant') AND case_id = ANY($1)
                  UNION ALL
                  SELECT ended_at FROM call_back_fact
                  WHERE tenant_id = current_setting('redress.tenant') AND case_id = ANY($1)
                  UNION ALL
                  SELECT paid_at FROM payment_fact
                  WHERE tenant_id = current_setting('redress.tenant') AND case_id = ANY($1)
                  UNION ALL
                  SELECT written_off_at FROM loss_fact
                  WHERE tenant_id = current_setting('redress.tenant') AND case_id = ANY($1)
                  UNION ALL
                  SELECT UNNEST(ARRAY[done_at, overdue_at]) FROM task_fact
                  WHERE tenant_id = current_setting('redress.tenant') AND case_id = ANY($1))
         INSERT INTO fact_change (tenant_id, day, changed_at)
         SELECT current_setting('redress.tenant'), day, $2
         FROM (SELECT DISTINCT (at AT TIME ZONE 'UTC')::date AS day FROM times WHERE at IS NOT NULL) d",
    )
    .bind(cases.iter().map(|case| case.0).collect::<Vec<_>>())
    .bind(now.to_sqlx())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The days around which facts have changed since their totals were made, by UTC.
pub(crate) async fn changed_days(conn: &mut PgConnection) -> Result<Vec<Date>, Fault> {
    let days: Vec<jiff_sqlx::Date> = sqlx::query_scalar(
        "SELECT DISTINCT day FROM fact_change WHERE tenant_id = current_setting('redress.tenant') ORDER BY day",
    )
    .fetch_all(conn)
    .await?;
    Ok(days.into_iter().map(jiff_sqlx::Date::to_jiff).collect())
}

/// Those of them that have been out of date since some time.
pub(crate) async fn changed_days_since(
    conn: &mut PgConnection,
    since: jiff::Timestamp,
) -> Result<Vec<Date>, Fault> {
    let days: Vec<jiff_sqlx::Date> = sqlx::query_scalar(
        "SELECT day FROM fact_change WHERE tenant_id = current_setting('redress.tenant')
         GROUP BY day HAVING min(changed_at) <= $1 ORDER BY day",
    )
    .bind(since.to_sqlx())
    .fetch_all(conn)
    .await?;
    Ok(days.into_iter().map(jiff_sqlx::Date::to_jiff).collect())
}

/// Whose facts have changed.
pub(crate) async fn changed_tenants(conn: &mut PgConnection) -> Result<Vec<TenantId>, Fault> {
    let tenants: Vec<String> =
        sqlx::query_scalar("SELECT DISTINCT tenant_id FROM fact_change ORDER BY tenant_id")
            .fetch_all(conn)
            .await?;
    Ok(tenants.iter().filter_map(|tenant| TenantId::parse(tenant).ok()).collect())
}

/// Every dimension, and all together.
fn all_dimensions() -> Vec<Option<Dimension>> {
    let mut all = vec![None];
    all.extend(Dimension::ALL.iter().copied().map(Some));
    all
}

/// Makes the totals of days anew and takes away the changes noted of others, which they
/// cover. `parts` are the days with the number of each among them.
pub(crate) async fn make_totals(
    conn: &mut PgConnection,
    changed: &[Date],
    days: &[Date],
    parts: &[Part],
) -> Result<(), Fault> {
    let sql = |days: &[Date]| days.iter().map(|day| day.to_sqlx()).collect::<Vec<_>>();
    sqlx::query(
        "DELETE FROM fact_total WHERE tenant_id = current_setting('redress.tenant') AND day = ANY($1)",
    )
    .bind(sql(days))
    .execute(&mut *conn)
    .await?;
    sqlx::query(
        "DELETE FROM fact_sample WHERE tenant_id = current_setting('redress.tenant') AND day = ANY($1)",
    )
    .bind(sql(days))
    .execute(&mut *conn)
    .await?;
    let mut counting = Counting::new(parts, all_dimensions(), &[], None);
    let (rows, samples) = (
        counting.numbers(&Measure::ALL.iter().copied().collect()),
        counting.samples(&Span::ALL.iter().copied().collect()),
    );
    let (made, seen) = (counting.binds.value(sql(days)), counting.binds.value(sql(changed)));
    let statement = format!(
        "WITH seen AS (DELETE FROM fact_change
                       WHERE tenant_id = current_setting('redress.tenant') AND day = ANY({seen})),
              kept AS (INSERT INTO fact_sample (tenant_id, dimension, day, value, span, seconds)
                       SELECT current_setting('redress.tenant'), t.dimension, ({made}::date[])[t.part + 1], t.value,
                              t.span, t.seconds
                       FROM ({samples}) t)
         INSERT INTO fact_total (tenant_id, dimension, day, value, measures, currencies, amounts)
         SELECT current_setting('redress.tenant'), t.dimension, ({made}::date[])[t.part + 1], t.value,
                array_agg(t.measure), array_agg(t.currency), array_agg(t.amount)
         FROM ({rows}) t GROUP BY t.dimension, t.part, t.value"
    );
    counting.binds.execute(&statement, conn).await?;
    Ok(())
}

/// Adds what days come to; each day with the part it belongs to.
pub(crate) async fn add_totals(
    conn: &mut PgConnection,
    days: &[(i32, Date)],
    scope: &Scope,
    wanted: &Wanted,
    tally: &mut Tally,
) -> Result<(), Fault> {
    let dimension = scope.dimension.map_or(0, Dimension::number);
    let parts: Vec<i32> = days.iter().map(|(part, _)| *part).collect();
    let dates: Vec<jiff_sqlx::Date> = days.iter().map(|(_, day)| day.to_sqlx()).collect();
    let numbers: Vec<NumberRow> = sqlx::query_as(
        "SELECT d.part, t.value, m.measure, m.currency, sum(m.amount)::bigint
         FROM (SELECT UNNEST($1::integer[]) AS part, UNNEST($2::date[]) AS day) d JOIN fact_total t
         ON t.tenant_id = current_setting('redress.tenant') AND t.dimension = $3 AND t.day = d.day
         CROSS JOIN LATERAL UNNEST(t.measures, t.currencies, t.amounts) AS m (measure, currency, amount)
         WHERE m.measure = ANY($4) GROUP BY d.part, t.value, m.measure, m.currency",
    )
    .bind(&parts)
    .bind(&dates)
    .bind(dimension)
    .bind(wanted.measures.iter().map(|measure| measure.number()).collect::<Vec<_>>())
    .fetch_all(&mut *conn)
    .await?;
    let mut samples: Vec<SampleRow> = Vec::new();
    if !wanted.spans.is_empty() {
        samples = sqlx::query_as(
            "SELECT d.part, t.value, t.span, t.seconds
             FROM (SELECT UNNEST($1::integer[]) AS part, UNNEST($2::date[]) AS day) d JOIN fact_sample t
             ON t.tenant_id = current_setting('redress.tenant') AND t.dimension = $3 AND t.day = d.day
             WHERE t.span = ANY($4)",
        )
        .bind(&parts)
        .bind(&dates)
        .bind(dimension)
        .bind(wanted.spans.iter().map(|span| span.number()).collect::<Vec<_>>())
        .fetch_all(conn)
        .await?;
    }
    take(tally, numbers, samples)
}
