//! Statements on what a tenant's figures are counted by, and on rebuilds of its facts.

use std::collections::HashMap;

use fault::Fault;
use jiff_sqlx::{Timestamp, ToSqlx as _};
use kernel::TenantId;
use pg::Tx;
use sqlx::types::Json;
use sqlx::{AssertSqlSafe, PgConnection};

use crate::fact::Rebuild;
use crate::kpi::{Customers, Settings};

/// Tables whose rows a rebuild throws away, and the most of them at once.
const THROWN: [&str; 15] = [
    "case_fact",
    "cycle_fact",
    "call_back_fact",
    "payment_fact",
    "loss_fact",
    "pause_fact",
    "process_event",
    "telling_fact",
    "ending_fact",
    "outcome_fact",
    "score_fact",
    "task_fact",
    "fact_total",
    "fact_sample",
    "fact_change",
];
/// Most rows of a table that one transaction throws away.
const AT_ONCE: i64 = 10_000;

type SettingsRow = (i64, String, i32, Json<Customers>, String);

/// The settings, which stay as they are until the transaction ends.
pub(crate) async fn share_kpi_settings(conn: &mut PgConnection) -> Result<Settings, Fault> {
    pg::share(conn, "kpi").await?;
    kpi_settings(conn).await
}

/// The settings, for who changes them: nobody else does, and no facts are kept meanwhile.
pub(crate) async fn hold_kpi_settings(conn: &mut PgConnection) -> Result<Settings, Fault> {
    pg::hold(conn, "kpi").await?;
    kpi_settings(conn).await
}

/// The settings of the tenant, or those everybody has.
pub(crate) async fn kpi_settings(conn: &mut PgConnection) -> Result<Settings, Fault> {
    let row: Option<SettingsRow> = sqlx::query_as(
        "SELECT version, time_zone, min_group_size, customers, note FROM kpi_setting
         WHERE tenant_id = current_setting('redress.tenant')",
    )
    .fetch_optional(conn)
    .await?;
    let settings = row.map(|(version, time_zone, min_group, customers, note): SettingsRow| Settings {
        version,
        time_zone,
        min_group,
        customers: customers.0,
        note,
    });
    Ok(settings.unwrap_or_default())
}

/// Writes settings that this transaction holds.
pub(crate) async fn save_kpi_settings(conn: &mut PgConnection, settings: &Settings) -> Result<(), Fault> {
    let Settings { version, time_zone, min_group, customers, note } = settings;
    sqlx::query(
        "INSERT INTO kpi_setting (tenant_id, version, time_zone, min_group_size, customers, note)
         VALUES (current_setting('redress.tenant'), $1, $2, $3, $4, $5)
         ON CONFLICT ON CONSTRAINT kpi_setting_pkey DO UPDATE
         SET version = excluded.version, time_zone = excluded.time_zone, min_group_size = excluded.min_group_size,
             customers = excluded.customers, note = excluded.note",
    )
    .bind(version)
    .bind(time_zone)
    .bind(min_group)
    .bind(Json(customers))
    .bind(note)
    .execute(conn)
    .await?;
    Ok(())
}

/// Has every source read again from its beginning, once the facts of before are gone.
pub(crate) async fn request_rebuild(tx: &mut Tx, sources: &[&'static str]) -> Result<(), Fault> {
    let now = tx.now();
    sqlx::query(
        "INSERT INTO fact_rebuild (tenant_id, source, requested_at, position)
         SELECT current_setting('redress.tenant'), UNNEST($1::text[]), $2, -1
         ON CONFLICT ON CONSTRAINT fact_rebuild_pkey DO UPDATE
         SET requested_at = excluded.requested_at, position = -1, until_position = NULL, finished_at = NULL",
    )
    .bind(sources)
    .bind(now.to_sqlx())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

type Row = (String, Timestamp, i64, Option<i64>, Option<Timestamp>);

/// The last rebuild, by source.
pub(crate) async fn rebuilds(conn: &mut PgConnection) -> Result<Vec<Rebuild>, Fault> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT source, requested_at, position, until_position, finished_at FROM fact_rebuild
         WHERE tenant_id = current_setting('redress.tenant') ORDER BY source",
    )
    .fetch_all(conn)
    .await?;
    let read = |(source, requested, position, until, finished): Row| Rebuild {
        source,
        requested: requested.to_jiff(),
        position,
        until,
        finished: finished.map(Timestamp::to_jiff),
    };
    Ok(rows.into_iter().map(read).collect())
}

/// How far each lane of each source has been applied for the tenant.
pub(crate) async fn applied_positions(conn: &mut PgConnection) -> Result<HashMap<(String, i16), i64>, Fault> {
    let rows: Vec<(String, i16, i64)> = sqlx::query_as(
        "SELECT DISTINCT ON (source, lane) source, lane, position FROM feed_cursor
         WHERE apart IN ('', current_setting('redress.tenant')) ORDER BY source, lane, apart DESC",
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|(source, lane, position)| ((source, lane), position)).collect())
}

/// How many events of each source are set aside for the tenant.
pub(crate) async fn parked_counts(conn: &mut PgConnection) -> Result<HashMap<String, i64>, Fault> {
    let rows: Vec<(String, i64)> = sqlx::query_as(
        "SELECT source, count(*) FROM parked_event WHERE tenant_id = current_setting('redress.tenant')
         GROUP BY source",
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().collect())
}

/// Whose facts are being rebuilt.
pub(crate) async fn rebuilding_tenants(conn: &mut PgConnection) -> Result<Vec<TenantId>, Fault> {
    let tenants: Vec<String> =
        sqlx::query_scalar("SELECT DISTINCT tenant_id FROM fact_rebuild WHERE finished_at IS NULL")
            .fetch_all(conn)
            .await?;
    Ok(tenants.iter().filter_map(|tenant| TenantId::parse(tenant).ok()).collect())
}

/// A rebuild of a source; nobody else goes on with it until the transaction ends.
pub(crate) async fn lock_rebuild(conn: &mut PgConnection, source: &str) -> Result<Option<Rebuild>, Fault> {
    sqlx::query(
        "SELECT FROM fact_rebuild WHERE tenant_id = current_setting('redress.tenant') AND source = $1 FOR UPDATE",
    )
    .bind(source)
    .execute(&mut *conn)
    .await?;
    Ok(rebuilds(conn).await?.into_iter().find(|rebuild| rebuild.source == source))
}

/// Writes how far a rebuild is that this transaction holds.
pub(crate) async fn save_rebuild(conn: &mut PgConnection, rebuild: &Rebuild) -> Result<(), Fault> {
    sqlx::query(
        "UPDATE fact_rebuild SET position = $2, until_position = $3, finished_at = $4
         WHERE tenant_id = current_setting('redress.tenant') AND source = $1",
    )
    .bind(&rebuild.source)
    .bind(rebuild.position)
    .bind(rebuild.until)
    .bind(rebuild.finished.map(jiff_sqlx::ToSqlx::to_sqlx))
    .execute(conn)
    .await?;
    Ok(())
}

/// Throws facts away, and what they come to; answers whether any may be left. No facts are
/// kept meanwhile: the settings are held.
pub(crate) async fn throw_facts_away(conn: &mut PgConnection) -> Result<bool, Fault> {
    let mut left = false;
    for rows in THROWN {
        let statement = format!(
            "DELETE FROM {rows} WHERE ctid = ANY(ARRAY(
                 SELECT ctid FROM {rows} WHERE tenant_id = current_setting('redress.tenant') LIMIT {AT_ONCE}))"
        );
        let gone = sqlx::query(AssertSqlSafe(statement)).execute(&mut *conn).await?;
        left |= i64::try_from(gone.rows_affected()).is_ok_and(|gone| gone >= AT_ONCE);
    }
    Ok(left)
}

/// Has the rebuilds begin to read whose facts are gone.
pub(crate) async fn begin_rebuilds(conn: &mut PgConnection) -> Result<(), Fault> {
    sqlx::query(
        "UPDATE fact_rebuild SET position = 0
         WHERE tenant_id = current_setting('redress.tenant') AND position = -1",
    )
    .execute(conn)
    .await?;
    Ok(())
}
