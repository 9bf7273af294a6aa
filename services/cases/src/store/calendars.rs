//! Calendars of tenants, every version of each.

use std::borrow::Cow;
use std::time::Duration;

use calendar::Draft;
use fault::Fault;
use jiff_sqlx::ToSqlx;
use kernel::TenantId;
use pg::Binds;
use sqlx::types::Json;
use sqlx::{Executor as _, FromRow, PgConnection};
use uuid::Uuid;

use crate::calendars::{Calendars, Edition, Listed, remember, remembered};
use crate::refusal::Refusal;

/// When to try again what could not have the clocks to itself.
const RETRY: Duration = Duration::from_secs(1);

/// Holds calendars still until the transaction ends: whoever writes clocks does,
/// so that an edit sees every clock that was counted without it. For who has locked
/// no case; a lock on a case includes it. A statement of its own: one that also read
/// would read what was before it waited.
pub(crate) async fn hold(conn: &mut PgConnection) -> Result<(), Fault> {
    sqlx::query(
        "SELECT pg_advisory_xact_lock_shared(
             hashtextextended('cases.calendars.' || current_setting('redress.tenant'), 0))",
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Longest wait for everybody who is writing clocks: whoever comes later waits meanwhile.
const SEIZE_TIMEOUT: &str = "SET LOCAL lock_timeout = '2s'";
/// What Postgres says when that was not long enough.
const LOCK_NOT_AVAILABLE: &str = "55P03";

/// Keeps everybody else from editing calendars and from writing clocks until the
/// transaction ends; that must not do much.
pub(crate) async fn seize(conn: &mut PgConnection) -> Result<(), Fault> {
    conn.execute(SEIZE_TIMEOUT).await?;
    let seized = sqlx::query(
        "SELECT pg_advisory_xact_lock(
             hashtextextended('cases.calendars.' || current_setting('redress.tenant'), 0))",
    )
    .execute(conn)
    .await;
    match seized {
        Ok(_) => Ok(()),
        Err(error) if code(&error).as_deref() == Some(LOCK_NOT_AVAILABLE) => {
            Err(Fault::from(Refusal::ClocksBusy).retry_after(RETRY).because(error))
        }
        Err(error) => Err(error.into()),
    }
}

fn code(error: &sqlx::Error) -> Option<Cow<'_, str>> {
    error.as_database_error().and_then(sqlx::error::DatabaseError::code)
}

#[derive(FromRow)]
struct EditionRow {
    name: String,
    version: i64,
    effective_at: jiff_sqlx::Timestamp,
    content: Json<Draft>,
}

impl From<EditionRow> for Edition {
    fn from(row: EditionRow) -> Self {
        let EditionRow { name, version, effective_at, content: Json(draft) } = row;
        Self { name, version, effective: Some(effective_at.to_jiff()), draft }
    }
}

/// The current edition of a calendar, the tenant's own before a built-in one.
pub(crate) async fn current(conn: &mut PgConnection, name: &str) -> Result<Option<Edition>, Fault> {
    let row: Option<EditionRow> = sqlx::query_as(
        "SELECT name, version, effective_at, content FROM calendars
         WHERE tenant_id = current_setting('redress.tenant') AND name = $1
         ORDER BY version DESC LIMIT 1",
    )
    .bind(name)
    .fetch_optional(conn)
    .await?;
    Ok(row.map(Edition::from).or_else(|| Edition::builtin(name)))
}

/// An edition of a calendar; 0 is the built-in one.
pub(crate) async fn get(conn: &mut PgConnection, name: &str, version: i64) -> Result<Option<Edition>, Fault> {
    if version == 0 {
        return Ok(Edition::builtin(name));
    }
    let row: Option<EditionRow> = sqlx::query_as(
        "SELECT name, version, effective_at, content FROM calendars
         WHERE tenant_id = current_setting('redress.tenant') AND name = $1 AND version = $2",
    )
    .bind(name)
    .bind(version)
    .fetch_optional(conn)
    .await?;
    Ok(row.map(Edition::from))
}

#[derive(FromRow)]
struct ListedRow {
    name: String,
    version: i64,
    effective_at: jiff_sqlx::Timestamp,
    title: String,
    time_zone: String,
    known_until: String,
}

impl From<ListedRow> for Listed {
    fn from(row: ListedRow) -> Self {
        let ListedRow { name, version, effective_at, title, time_zone, known_until } = row;
        Self { name, version, effective: Some(effective_at.to_jiff()), title, zone: time_zone, known_until }
    }
}

/// The tenant's own calendars in their current editions; there are not many.
pub(crate) async fn list(conn: &mut PgConnection) -> Result<Vec<Listed>, Fault> {
    let rows: Vec<ListedRow> = sqlx::query_as(
        "SELECT DISTINCT ON (name) name, version, effective_at, title, time_zone, known_until FROM calendars
         WHERE tenant_id = current_setting('redress.tenant')
         ORDER BY name, version DESC",
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(Listed::from).collect())
}

/// How many calendars of its own the tenant has.
pub(crate) async fn count(conn: &mut PgConnection) -> Result<i64, Fault> {
    let count = sqlx::query_scalar(
        "SELECT count(*) FROM calendars WHERE tenant_id = current_setting('redress.tenant') AND version = 1",
    )
    .fetch_one(conn)
    .await?;
    Ok(count)
}

/// Writes a new edition.
pub(crate) async fn insert(
    conn: &mut PgConnection,
    edition: &Edition,
    id: Uuid,
    editor: &str,
) -> Result<(), Fault> {
    let mut binds = Binds::default();
    let rows = binds
        .row(edition)
        .column("name", |edition| edition.name.as_str())
        .column("version", |edition| edition.version)
        .column("edition_id", |_| id)
        .column("effective_at", |edition| edition.effective.map(ToSqlx::to_sqlx))
        .column("edited_by", |_| editor)
        .column("title", |edition| edition.draft.title.as_str())
        .column("time_zone", |edition| edition.draft.zone.as_str())
        .column("known_until", |edition| edition.draft.known_until.as_str())
        .column("content", |edition| Json(&edition.draft))
        .column("told", |_| true)
        .done();
    binds.execute(&rows.insert_into("calendars"), conn).await?;
    Ok(())
}

/// Tenants with versions of calendars that nobody was told of, at most so many.
pub(crate) async fn untold_tenants(conn: &mut PgConnection, tenants: i64) -> Result<Vec<TenantId>, Fault> {
    let ids: Vec<String> = sqlx::query_scalar(
        "SELECT DISTINCT tenant_id FROM calendars WHERE NOT told ORDER BY tenant_id LIMIT $1",
    )
    .bind(tenants)
    .fetch_all(conn)
    .await?;
    ids.iter().map(|id| TenantId::parse(id).map_err(Fault::internal)).collect()
}

/// Marks all versions of calendars as told; answers those in force that were not. Calendars
/// are held still.
pub(crate) async fn take_untold(conn: &mut PgConnection) -> Result<Vec<(Uuid, Edition)>, Fault> {
    let rows: Vec<UntoldRow> = sqlx::query_as(
        "WITH untold AS (
             UPDATE calendars SET told = true
             WHERE tenant_id = current_setting('redress.tenant') AND NOT told
             RETURNING name, version, edition_id, effective_at, content)
         SELECT u.edition_id, u.name, u.version, u.effective_at, u.content FROM untold u
         WHERE u.version = (SELECT max(c.version) FROM calendars c
                            WHERE c.tenant_id = current_setting('redress.tenant') AND c.name = u.name)
         ORDER BY u.name",
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.edition_id, Edition::from(row.edition))).collect())
}

#[derive(FromRow)]
struct UntoldRow {
    edition_id: Uuid,
    #[sqlx(flatten)]
    edition: EditionRow,
}

/// The calendars of these names to count by.
pub(crate) async fn resolve(conn: &mut PgConnection, names: &[&str]) -> Result<Calendars, Fault> {
    let editions: Vec<(String, Uuid)> = sqlx::query_as(
        "SELECT DISTINCT ON (name) name, edition_id FROM calendars
         WHERE tenant_id = current_setting('redress.tenant') AND name = ANY($1)
         ORDER BY name, version DESC",
    )
    .bind(names)
    .fetch_all(&mut *conn)
    .await?;
    made(conn, editions).await
}

/// Calendars of editions, remembered or made now.
pub(crate) async fn made(
    conn: &mut PgConnection,
    editions: impl IntoIterator<Item = (String, Uuid)>,
) -> Result<Calendars, Fault> {
    let mut calendars = Calendars::default();
    let mut unmade = Vec::new();
    for (name, edition) in editions {
        match remembered(edition) {
            Some(calendar) => calendars.add(name, calendar),
            None => unmade.push(edition),
        }
    }
    if unmade.is_empty() {
        return Ok(calendars);
    }
    let rows: Vec<(String, Uuid, Json<Draft>)> = sqlx::query_as(
        "SELECT name, edition_id, content FROM calendars
         WHERE tenant_id = current_setting('redress.tenant') AND edition_id = ANY($1)",
    )
    .bind(unmade)
    .fetch_all(conn)
    .await?;
    for (name, edition, Json(draft)) in rows {
        let calendar = draft.accepted().map_err(|flaws| {
            Fault::internal(format!("calendars: edition {edition} of {name} is unsound: {flaws:?}"))
        })?;
        calendars.add(name, remember(edition, calendar));
    }
    Ok(calendars)
}
