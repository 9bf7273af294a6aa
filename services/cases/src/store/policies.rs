//! Statements about policies.

use std::collections::BTreeSet;

use calendar::Pack;
use fault::Fault;
use jiff_sqlx::{Timestamp, ToSqlx};
use kernel::page::Page;
use pg::Binds;
use sqlx::PgConnection;
use sqlx::types::Json;

use crate::calendars::Calendars;
use crate::clocks::policy::{KeptPolicy, KindLadder, Policy, packs, shipped_pack};
use crate::reopening::ReopeningLimits;

#[derive(sqlx::FromRow)]
struct Row {
    version: i32,
    pack: Json<Pack>,
    shipped: bool,
    ladders: Json<Vec<KindLadder>>,
    reopen_days: i32,
    reopen_times: i32,
}

impl Row {
    fn into_policy(self, calendars: &Calendars) -> Result<Policy, Fault> {
        let packs = packs(&self.pack, self.shipped);
        let reopening = ReopeningLimits { window_days: self.reopen_days, maximum: self.reopen_times };
        Policy::of(self.version, packs, self.ladders.0, reopening, calendars)
    }
}

/// Reads the policies that are in force, the latest first; the shipped one is the
/// last.
pub(crate) async fn in_force(conn: &mut PgConnection) -> Result<Vec<Policy>, Fault> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT version, pack, shipped, ladders, reopen_days, reopen_times FROM policy
         WHERE tenant_id = current_setting('redress.tenant') AND activated_at IS NOT NULL
         ORDER BY activated_at DESC, version DESC",
    )
    .fetch_all(&mut *conn)
    .await?;
    let mut names = vec![shipped_pack()?.calendar.as_str()];
    names.extend(rows.iter().map(|row| row.pack.calendar.as_str()));
    let calendars = super::calendars::resolve(conn, &names).await?;
    policies(rows, &calendars)
}

/// Reads policies; asks nobody for the shipped one, which is the last of them, nor
/// for the calendars: they are those of the clocks that are under them.
pub(crate) async fn of(
    conn: &mut PgConnection,
    mut versions: BTreeSet<i32>,
    calendars: &Calendars,
) -> Result<Vec<Policy>, Fault> {
    versions.remove(&0);
    if versions.is_empty() {
        return policies(Vec::new(), calendars);
    }
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT version, pack, shipped, ladders, reopen_days, reopen_times FROM policy
         WHERE tenant_id = current_setting('redress.tenant') AND version = ANY($1)",
    )
    .bind(versions.into_iter().collect::<Vec<_>>())
    .fetch_all(conn)
    .await?;
    policies(rows, calendars)
}

fn policies(rows: Vec<Row>, calendars: &Calendars) -> Result<Vec<Policy>, Fault> {
    let kept = rows.into_iter().map(|row| row.into_policy(calendars));
    kept.chain([Policy::shipped(calendars)]).collect()
}

#[derive(sqlx::FromRow)]
struct KeptRow {
    version: i32,
    pack: Json<Pack>,
    shipped: bool,
    ladders: Json<Vec<KindLadder>>,
    reopen_days: i32,
    reopen_times: i32,
    note: String,
    created_at: Timestamp,
    created_by: String,
    activated_at: Option<Timestamp>,
    activated_by: String,
}

impl From<KeptRow> for KeptPolicy {
    fn from(row: KeptRow) -> Self {
        Self {
            version: row.version,
            pack: row.pack.0,
            shipped: row.shipped,
            ladders: row.ladders.0,
            reopening: ReopeningLimits { window_days: row.reopen_days, maximum: row.reopen_times },
            note: row.note,
            created: Some(row.created_at.to_jiff()),
            creator: row.created_by,
            activated: row.activated_at.map(Timestamp::to_jiff),
            activator: row.activated_by,
        }
    }
}

/// Reads one version.
pub(crate) async fn get(conn: &mut PgConnection, version: i32) -> Result<Option<KeptPolicy>, Fault> {
    let row: Option<KeptRow> = sqlx::query_as(
        "SELECT version, pack, shipped, ladders, reopen_days, reopen_times, note, created_at, created_by,
                activated_at, activated_by
         FROM policy WHERE tenant_id = current_setting('redress.tenant') AND version = $1",
    )
    .bind(version)
    .fetch_optional(conn)
    .await?;
    Ok(row.map(KeptPolicy::from))
}

/// Reads the version that was activated last; none if none was.
pub(crate) async fn latest_activated(conn: &mut PgConnection) -> Result<Option<KeptPolicy>, Fault> {
    let row: Option<KeptRow> = sqlx::query_as(
        "SELECT version, pack, shipped, ladders, reopen_days, reopen_times, note, created_at, created_by,
                activated_at, activated_by
         FROM policy WHERE tenant_id = current_setting('redress.tenant') AND activated_at IS NOT NULL
         ORDER BY activated_at DESC, version DESC LIMIT 1",
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(KeptPolicy::from))
}

/// Reads a page of versions, latest first.
pub(crate) async fn list(conn: &mut PgConnection, page: &Page) -> Result<Vec<KeptPolicy>, Fault> {
    let before: i32 = match &page.after {
        Some(key) => key.parse().map_err(|_| Fault::invalid_page_token())?,
        None => i32::MAX,
    };
    let rows: Vec<KeptRow> = sqlx::query_as(
        "SELECT version, pack, shipped, ladders, reopen_days, reopen_times, note, created_at, created_by,
                activated_at, activated_by
         FROM policy WHERE tenant_id = current_setting('redress.tenant') AND version < $1
         ORDER BY version DESC LIMIT $2",
    )
    .bind(before)
    .bind(page.limit())
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(KeptPolicy::from).collect())
}

/// The latest version; 0 if there is none.
pub(crate) async fn latest(conn: &mut PgConnection) -> Result<i32, Fault> {
    let version: i32 = sqlx::query_scalar(
        "SELECT coalesce(max(version), 0) FROM policy WHERE tenant_id = current_setting('redress.tenant')",
    )
    .fetch_one(conn)
    .await?;
    Ok(version)
}

/// Writes a new version.
pub(crate) async fn insert(conn: &mut PgConnection, kept: &KeptPolicy) -> Result<(), Fault> {
    let mut binds = Binds::default();
    let rows = binds
        .row(kept)
        .column("version", |kept| kept.version)
        .column("pack", |kept| Json(kept.pack.clone()))
        .column("shipped", |kept| kept.shipped)
        .column("ladders", |kept| Json(kept.ladders.clone()))
        .column("note", |kept| kept.note.as_str())
        .column("created_at", |kept| kept.created.map(ToSqlx::to_sqlx))
        .column("created_by", |kept| kept.creator.as_str())
        .column("reopen_days", |kept| kept.reopening.window_days)
        .column("reopen_times", |kept| kept.reopening.maximum)
        .column("activated_by", |_| "")
        .done();
    binds.execute(&rows.insert_into("policy"), conn).await?;
    Ok(())
}

/// Writes that a version was activated.
pub(crate) async fn activate(conn: &mut PgConnection, kept: &KeptPolicy) -> Result<(), Fault> {
    let written = sqlx::query(
        "UPDATE policy SET activated_at = $2, activated_by = $3
         WHERE tenant_id = current_setting('redress.tenant') AND version = $1",
    )
    .bind(kept.version)
    .bind(kept.activated.map(ToSqlx::to_sqlx))
    .bind(&kept.activator)
    .execute(conn)
    .await?;
    if written.rows_affected() == 1 {
        return Ok(());
    }
    Err(Fault::internal(format!("policy {} was not activated", kept.version)))
}
