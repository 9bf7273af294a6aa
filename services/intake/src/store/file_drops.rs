//! Statements about file drops.

use std::time::Duration;

use fault::Fault;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use kernel::TenantId;
use pg::Binds;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::file_drop::{Failure, FileDrop, Place, Settings};

#[derive(sqlx::FromRow)]
struct Row {
    file_drop_id: String,
    place: i16,
    path: String,
    channel: i16,
    authority: String,
    mapping: String,
    sheet: String,
    encoding: String,
    separator: String,
    owner: String,
    language: String,
    silent_after_s: i64,
    paused: bool,
    version: i64,
    updater: String,
    updated_at: jiff_sqlx::Timestamp,
    held_until: Option<jiff_sqlx::Timestamp>,
    looked_at: Option<jiff_sqlx::Timestamp>,
    last_file_at: Option<jiff_sqlx::Timestamp>,
    error_reason: String,
    error: String,
    failing_since: Option<jiff_sqlx::Timestamp>,
    attempts: i32,
}

impl TryFrom<Row> for FileDrop {
    type Error = Fault;

    fn try_from(row: Row) -> Result<Self, Fault> {
        let time = |time: Option<jiff_sqlx::Timestamp>| time.map(jiff_sqlx::Timestamp::to_jiff);
        let unknown = || Fault::internal("a file drop with a number that is out of its range");
        let silent = u64::try_from(row.silent_after_s).map_err(|_| unknown())?;
        let failure = |since| Failure { reason: row.error_reason, words: row.error, since };
        Ok(Self {
            settings: Settings {
                id: row.file_drop_id,
                place: Place::of(row.place).ok_or_else(unknown)?,
                path: row.path,
                channel: row.channel,
                authority: row.authority,
                mapping: row.mapping,
                sheet: row.sheet,
                encoding: row.encoding,
                separator: row.separator,
                owner: row.owner,
                language: row.language,
                silent_after: Some(Duration::from_secs(silent)).filter(|after| !after.is_zero()),
                paused: row.paused,
            },
            version: row.version,
            updater: row.updater,
            updated: row.updated_at.to_jiff(),
            held_until: time(row.held_until),
            looked: time(row.looked_at),
            last_file: time(row.last_file_at),
            failure: time(row.failing_since).map(failure),
            attempts: row.attempts,
        })
    }
}

/// Reads drops: what follows the tenant's condition is given.
macro_rules! select_drops {
    ($rest:literal) => {
        concat!(
            "SELECT file_drop_id, place, path, channel, authority, mapping, sheet, encoding, separator, owner,
                    language, silent_after_s, paused, version, updater, updated_at,
                    nullif(held_until, '-infinity') AS held_until, looked_at, last_file_at, error_reason,
                    error, failing_since, attempts
             FROM file_drop WHERE tenant_id = current_setting('redress.tenant') ",
            $rest
        )
    };
}

/// Keeps others from setting up a drop meanwhile.
pub(crate) async fn hold(conn: &mut PgConnection) -> Result<(), Fault> {
    sqlx::query(
        "SELECT pg_advisory_xact_lock(hashtextextended('file drops ' || current_setting('redress.tenant'), 0))",
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A drop.
pub(crate) async fn get(conn: &mut PgConnection, id: &str) -> Result<Option<FileDrop>, Fault> {
    let sql = select_drops!("AND file_drop_id = $1");
    let row: Option<Row> = sqlx::query_as(sql).bind(id).fetch_optional(conn).await?;
    row.map(FileDrop::try_from).transpose()
}

/// Same, and keeps others from changing it.
pub(crate) async fn lock(conn: &mut PgConnection, id: &str) -> Result<Option<FileDrop>, Fault> {
    let sql = select_drops!("AND file_drop_id = $1 FOR UPDATE");
    let row: Option<Row> = sqlx::query_as(sql).bind(id).fetch_optional(conn).await?;
    row.map(FileDrop::try_from).transpose()
}

/// All drops, by name.
pub(crate) async fn list(conn: &mut PgConnection) -> Result<Vec<FileDrop>, Fault> {
    let sql = select_drops!("ORDER BY file_drop_id");
    let rows: Vec<Row> = sqlx::query_as(sql).fetch_all(conn).await?;
    rows.into_iter().map(FileDrop::try_from).collect()
}

/// Writes a drop, new or changed; whoever watches it lets go of it, and it is looked into at once.
pub(crate) async fn save(conn: &mut PgConnection, drop: &FileDrop) -> Result<(), Fault> {
    let silent = drop.settings.silent_after.map_or(0, |after| after.as_secs());
    let mut binds = Binds::default();
    let rows = binds
        .row(drop)
        .column("file_drop_id", |drop| drop.settings.id.as_str())
        .column("place", |drop| drop.settings.place.number())
        .column("path", |drop| drop.settings.path.as_str())
        .column("channel", |drop| drop.settings.channel)
        .column("authority", |drop| drop.settings.authority.as_str())
        .column("mapping", |drop| drop.settings.mapping.as_str())
        .column("sheet", |drop| drop.settings.sheet.as_str())
        .column("encoding", |drop| drop.settings.encoding.as_str())
        .column("separator", |drop| drop.settings.separator.as_str())
        .column("owner", |drop| drop.settings.owner.as_str())
        .column("language", |drop| drop.settings.language.as_str())
        .column("silent_after_s", |_| i64::try_from(silent).unwrap_or(i64::MAX))
        .column("paused", |drop| drop.settings.paused)
        .column("version", |drop| drop.version)
        .column("updater", |drop| drop.updater.as_str())
        .column("updated_at", |drop| drop.updated.to_sqlx())
        .done();
    let statement = format!(
        "{insert} ON CONFLICT ON CONSTRAINT file_drop_pkey DO UPDATE
             SET {settings}, holder = NULL, held_until = '-infinity', look_at = '-infinity',
                 looked_at = NULL, error_reason = '', error = '', failing_since = NULL, attempts = 0",
        insert = rows.insert_into("file_drop"),
        settings = rows.overwrite(&["file_drop_id"]),
    );
    binds.execute(&statement, conn).await?;
    Ok(())
}

/// Forgets a drop.
pub(crate) async fn delete(conn: &mut PgConnection, id: &str) -> Result<(), Fault> {
    sqlx::query(
        "DELETE FROM file_drop WHERE tenant_id = current_setting('redress.tenant') AND file_drop_id = $1",
    )
    .bind(id)
    .execute(conn)
    .await?;
    Ok(())
}

/// A drop, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Found {
    /// The tenant.
    pub(crate) tenant: TenantId,
    /// Its name.
    pub(crate) id: String,
}

/// Takes drops that are to be looked into now and that nobody else watches, at most so many, of
/// all tenants: those that have waited longest. Until a moment nobody else watches them, and
/// before another nobody looks into them again.
pub(crate) async fn claim(
    conn: &mut PgConnection,
    holder: Uuid,
    (now, until, next): (Timestamp, Timestamp, Timestamp),
    most: i64,
) -> Result<Vec<Found>, Fault> {
    let rows: Vec<(String, String)> = sqlx::query_as(
        "UPDATE file_drop d SET holder = $1, held_until = $3, look_at = $4
         FROM (SELECT tenant_id, file_drop_id FROM file_drop
               WHERE NOT paused AND look_at <= $2 AND (holder = $1 OR held_until <= $2)
               ORDER BY look_at LIMIT $5 FOR UPDATE SKIP LOCKED) AS next
         WHERE d.tenant_id = next.tenant_id AND d.file_drop_id = next.file_drop_id
         RETURNING d.tenant_id, d.file_drop_id",
    )
    .bind(holder)
    .bind(now.to_sqlx())
    .bind(until.to_sqlx())
    .bind(next.to_sqlx())
    .bind(most)
    .fetch_all(conn)
    .await?;
    let one = |(tenant, id): (String, String)| {
        Ok(Found { tenant: TenantId::parse(&tenant).map_err(Fault::internal)?, id })
    };
    rows.into_iter().map(one).collect()
}

/// Lets go of all drops that one watches, so that others may at once.
pub(crate) async fn let_go(conn: &mut PgConnection, holder: Uuid) -> Result<(), Fault> {
    sqlx::query("UPDATE file_drop SET holder = NULL, held_until = '-infinity' WHERE holder = $1")
        .bind(holder)
        .execute(conn)
        .await?;
    Ok(())
}

/// Notes that a drop was looked into, by who watches it, whether new files lay there, and what is
/// wrong with others; whatever else was wrong is over. False where it is somebody else's, was changed,
/// or is no more.
pub(crate) async fn looked(
    conn: &mut PgConnection,
    id: &str,
    holder: Uuid,
    (now, found): (Timestamp, bool),
    failure: Option<&Failure>,
) -> Result<bool, Fault> {
    let noted = sqlx::query(
        "UPDATE file_drop SET looked_at = $3, last_file_at = CASE WHEN $4 THEN $3 ELSE last_file_at END,
                              error_reason = $5, error = $6, attempts = 0,
                              failing_since = CASE WHEN $5 <> '' THEN coalesce(failing_since, $3) END
         WHERE tenant_id = current_setting('redress.tenant') AND file_drop_id = $1 AND holder = $2
           AND NOT paused",
    )
    .bind(id)
    .bind(holder)
    .bind(now.to_sqlx())
    .bind(found)
    .bind(failure.map_or("", |failure| failure.reason.as_str()))
    .bind(failure.map_or("", |failure| failure.words.as_str()))
    .execute(conn)
    .await?;
    Ok(noted.rows_affected() == 1)
}

/// Notes that a drop cannot be looked into, and lets go of it until a moment.
pub(crate) async fn failed(
    conn: &mut PgConnection,
    id: &str,
    holder: Uuid,
    (failure, retry): (&Failure, Timestamp),
) -> Result<(), Fault> {
    sqlx::query(
        "UPDATE file_drop SET error_reason = $3, error = $4, failing_since = coalesce(failing_since, $5),
                              attempts = attempts + 1, look_at = $6, held_until = '-infinity', holder = NULL
         WHERE tenant_id = current_setting('redress.tenant') AND file_drop_id = $1 AND holder = $2",
    )
    .bind(id)
    .bind(holder)
    .bind(&failure.reason)
    .bind(&failure.words)
    .bind(failure.since.to_sqlx())
    .bind(retry.to_sqlx())
    .execute(conn)
    .await?;
    Ok(())
}

/// Since when the drop that cannot be looked into longest cannot be.
pub(crate) fn failing_since() -> String {
    "SELECT min(failing_since) FROM file_drop WHERE NOT paused".to_owned()
}

/// Since when the drop has been silent too long that has been so longest.
pub(crate) fn silent_since() -> String {
    "SELECT min(coalesce(last_file_at, updated_at) + silent_after_s * interval '1 second') FROM file_drop
     WHERE NOT paused AND silent_after_s > 0"
        .to_owned()
}
