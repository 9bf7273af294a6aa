//! Statements about rule sets.

use fault::Fault;
use jiff::Timestamp;
use jiff_sqlx::{Timestamp as Moment, ToSqlx as _};
use kernel::page::Page;
use sqlx::PgConnection;
use triage::definition::Definition;

use crate::triage_record::KeptSet;

#[derive(sqlx::FromRow)]
struct Row {
    version: i64,
    note: String,
    creator: String,
    created_at: Moment,
    activated_at: Option<Moment>,
    active: bool,
    data: Option<String>,
}

impl Row {
    fn into_set(self) -> Result<KeptSet, Fault> {
        let definition = self.data.map(|data| serde_json::from_str(&data).map_err(Fault::internal));
        Ok(KeptSet {
            version: self.version,
            note: self.note,
            creator: self.creator,
            create_time: Some(self.created_at.to_jiff()),
            activate_time: self.activated_at.map(Moment::to_jiff),
            active: self.active,
            definition: definition.transpose()?,
        })
    }
}

/// Writes a tenant's next version; answers its number. Whoever creates another waits
/// for this one.
pub(crate) async fn create(
    conn: &mut PgConnection,
    definition: &Definition,
    note: &str,
    creator: &str,
    now: Timestamp,
) -> Result<i64, Fault> {
    let data = serde_json::to_string(definition).map_err(Fault::internal)?;
    let version = sqlx::query_scalar(
        "WITH state AS (
             INSERT INTO triage_state (tenant_id, newest, active)
             VALUES (current_setting('redress.tenant'), 1, 0)
             ON CONFLICT (tenant_id) DO UPDATE SET newest = triage_state.newest + 1
             RETURNING newest)
         INSERT INTO triage_rule_set (tenant_id, version, note, data, creator, created_at)
         SELECT current_setting('redress.tenant'), newest, $1, $2::text::jsonb, $3, $4 FROM state
         RETURNING version",
    )
    .bind(note)
    .bind(data)
    .bind(creator)
    .bind(now.to_sqlx())
    .fetch_one(conn)
    .await?;
    Ok(version)
}

/// The version cases are triaged by.
pub(crate) async fn active(conn: &mut PgConnection) -> Result<i64, Fault> {
    let active: Option<i64> = sqlx::query_scalar(
        "SELECT active FROM triage_state WHERE tenant_id = current_setting('redress.tenant')",
    )
    .fetch_optional(conn)
    .await?;
    Ok(active.unwrap_or(0))
}

/// Reads a version.
pub(crate) async fn get(conn: &mut PgConnection, version: i64) -> Result<Option<KeptSet>, Fault> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT r.version, r.note, r.creator, r.created_at, r.activated_at, r.data::text AS data,
                coalesce(s.active, 0) = r.version AS active
         FROM triage_rule_set r LEFT JOIN triage_state s ON s.tenant_id = r.tenant_id
         WHERE r.tenant_id = current_setting('redress.tenant') AND r.version = $1",
    )
    .bind(version)
    .fetch_optional(conn)
    .await?;
    row.map(Row::into_set).transpose()
}

/// Lists versions without their data, newest first.
pub(crate) async fn list(conn: &mut PgConnection, page: &Page) -> Result<Vec<KeptSet>, Fault> {
    let before: i64 = match &page.after {
        Some(key) => key.parse().map_err(|_| Fault::invalid_page_token())?,
        None => i64::MAX,
    };
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT r.version, r.note, r.creator, r.created_at, r.activated_at, NULL AS data,
                coalesce(s.active, 0) = r.version AS active
         FROM triage_rule_set r LEFT JOIN triage_state s ON s.tenant_id = r.tenant_id
         WHERE r.tenant_id = current_setting('redress.tenant') AND r.version < $1
         ORDER BY r.version DESC LIMIT $2",
    )
    .bind(before)
    .bind(page.limit())
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Row::into_set).collect()
}

/// Makes a version the active one; answers the one before. None when there is no such
/// version; 0 there always is.
pub(crate) async fn activate(
    conn: &mut PgConnection,
    version: i64,
    now: Timestamp,
) -> Result<Option<i64>, Fault> {
    // Whoever activates another version waits here.
    let before: Option<i64> = sqlx::query_scalar(
        "SELECT active FROM triage_state
         WHERE tenant_id = current_setting('redress.tenant') FOR NO KEY UPDATE",
    )
    .fetch_optional(&mut *conn)
    .await?;
    let marked = sqlx::query(
        "UPDATE triage_rule_set SET activated_at = $2
         WHERE tenant_id = current_setting('redress.tenant') AND version = $1",
    )
    .bind(version)
    .bind(now.to_sqlx())
    .execute(&mut *conn)
    .await?;
    if version != 0 && marked.rows_affected() == 0 {
        return Ok(None);
    }
    // A tenant without a row has no versions: it returns to what it has.
    sqlx::query("UPDATE triage_state SET active = $1 WHERE tenant_id = current_setting('redress.tenant')")
        .bind(version)
        .execute(conn)
        .await?;
    Ok(Some(before.unwrap_or(0)))
}
