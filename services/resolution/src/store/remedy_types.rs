//! Types of remedy of a tenant's own, and their versions.

use std::time::Duration;

use fault::Fault;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use pg::Binds;
use sqlx::{AssertSqlSafe, PgConnection};

use crate::refusal::Refusal;
use crate::remedy_type::{MAX_TYPES, MAX_VERSIONS, RemedyType};

#[derive(sqlx::FromRow)]
struct Row {
    type_id: String,
    version: i64,
    title: String,
    department_id: Option<String>,
    input_schema: String,
    result_schema: String,
    moves_value: bool,
    attempt_seconds: i32,
    undo_instructions: Option<String>,
    creator: String,
    created_at: jiff_sqlx::Timestamp,
    disabled_at: Option<jiff_sqlx::Timestamp>,
}

impl From<Row> for RemedyType {
    fn from(row: Row) -> Self {
        Self {
            type_id: row.type_id,
            version: row.version,
            title: row.title,
            department_id: row.department_id,
            input_schema: row.input_schema,
            result_schema: row.result_schema,
            moves_value: row.moves_value,
            attempt: Duration::from_secs(row.attempt_seconds.unsigned_abs().into()),
            undo_instructions: row.undo_instructions,
            creator: row.creator,
            created_at: row.created_at.to_jiff(),
            disabled_at: row.disabled_at.map(jiff_sqlx::Timestamp::to_jiff),
        }
    }
}

/// A type as plans are proposed with it.
#[derive(sqlx::FromRow)]
pub(crate) struct Head {
    pub(crate) type_id: String,
    /// The version that holds.
    pub(crate) newest: i64,
    /// Whether no plan may be proposed with it.
    pub(crate) is_disabled: bool,
}

/// The heads of types, held until the plans with them are stored: one that is disabled
/// meanwhile is disabled after them.
pub(crate) async fn hold(conn: &mut PgConnection, type_ids: &[&str]) -> Result<Vec<Head>, Fault> {
    let heads = sqlx::query_as(
        "SELECT type_id, newest, disabled_at IS NOT NULL AS is_disabled FROM remedy_type
         WHERE tenant_id = current_setting('redress.tenant') AND type_id = ANY ($1)
         ORDER BY type_id FOR SHARE",
    )
    .bind(type_ids)
    .fetch_all(conn)
    .await?;
    Ok(heads)
}

/// Has whoever sets or disables types of the tenant take turns.
pub(crate) async fn take_turns(conn: &mut PgConnection) -> Result<(), Fault> {
    pg::hold(conn, "remedy types").await
}

/// Writes the next version of a type, which holds from now on; answers its number. Whoever
/// sets one takes turns with others.
pub(crate) async fn insert(conn: &mut PgConnection, new: &RemedyType) -> Result<i64, Fault> {
    let mut binds = Binds::default();
    let id = binds.value(new.type_id.as_str());
    let (types, versions) = (binds.value(MAX_TYPES), binds.value(MAX_VERSIONS));
    let rows = binds
        .row(new)
        .column("type_id", |new| new.type_id.as_str())
        .column("title", |new| new.title.as_str())
        .column("department_id", |new| new.department_id.as_deref())
        .column("input_schema", |new| new.input_schema.as_str())
        .column("result_schema", |new| new.result_schema.as_str())
        .column("moves_value", |new| new.moves_value)
        .column("attempt_seconds", |new| super::seconds(new.attempt))
        .column("undo_instructions", |new| new.undo_instructions.as_deref())
        .column("creator", |new| new.creator.as_str())
        .column("created_at", |new| new.created_at.to_sqlx())
        .done();
    let statement = format!(
        "WITH head AS (
             INSERT INTO remedy_type (tenant_id, type_id, newest)
             SELECT current_setting('redress.tenant'), {id}, 1
             WHERE EXISTS (SELECT FROM remedy_type
                           WHERE tenant_id = current_setting('redress.tenant') AND type_id = {id})
                OR (SELECT count(*) FROM remedy_type
                    WHERE tenant_id = current_setting('redress.tenant')) < {types}
             ON CONFLICT (tenant_id, type_id)
                 DO UPDATE SET newest = remedy_type.newest + 1, disabled_at = NULL
                 WHERE remedy_type.newest < {versions}
             RETURNING newest)
         INSERT INTO remedy_type_version (tenant_id, version, {names})
         SELECT current_setting('redress.tenant'), newest, {values} FROM head, {rows} AS r
         RETURNING version",
        names = rows.names(),
        values = rows.values("r"),
    );
    let version: Option<i64> =
        sqlx::query_scalar_with(AssertSqlSafe(statement), binds.arguments()?).fetch_optional(conn).await?;
    Ok(version.ok_or(Refusal::TooManyRemedyTypes)?)
}

/// The version that holds of a type; none where there is no such type.
pub(crate) async fn newest(conn: &mut PgConnection, type_id: &str) -> Result<Option<i64>, Fault> {
    let newest = sqlx::query_scalar(
        "SELECT newest FROM remedy_type WHERE tenant_id = current_setting('redress.tenant') AND type_id = $1",
    )
    .bind(type_id)
    .fetch_optional(conn)
    .await?;
    Ok(newest)
}

/// Keeps plans from being proposed with a type; when that was said before stays.
pub(crate) async fn disable(conn: &mut PgConnection, type_id: &str, now: Timestamp) -> Result<(), Fault> {
    sqlx::query(
        "UPDATE remedy_type SET disabled_at = coalesce(disabled_at, $2)
         WHERE tenant_id = current_setting('redress.tenant') AND type_id = $1",
    )
    .bind(type_id)
    .bind(now.to_sqlx())
    .execute(conn)
    .await?;
    Ok(())
}

/// A version of a type; 0 for the one that holds.
pub(crate) async fn get(
    conn: &mut PgConnection,
    type_id: &str,
    version: i64,
) -> Result<Option<RemedyType>, Fault> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT v.type_id, v.version, v.title, v.department_id, v.input_schema, v.result_schema, v.moves_value,
                v.attempt_seconds, v.undo_instructions, v.creator, v.created_at, t.disabled_at
         FROM remedy_type t
         JOIN remedy_type_version v ON v.tenant_id = t.tenant_id AND v.type_id = t.type_id
         WHERE t.tenant_id = current_setting('redress.tenant') AND t.type_id = $1
           AND v.version = coalesce(nullif($2, 0), t.newest)",
    )
    .bind(type_id)
    .bind(version)
    .fetch_optional(conn)
    .await?;
    Ok(row.map(Into::into))
}

/// Types as they hold, without their schemas, after the last of the page before.
pub(crate) async fn list(conn: &mut PgConnection, after: &str, limit: i64) -> Result<Vec<RemedyType>, Fault> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT v.type_id, v.version, v.title, v.department_id, '' AS input_schema, '' AS result_schema,
                v.moves_value, v.attempt_seconds, v.undo_instructions, v.creator, v.created_at, t.disabled_at
         FROM remedy_type t
         JOIN remedy_type_version v ON v.tenant_id = t.tenant_id AND v.type_id = t.type_id
                                   AND v.version = t.newest
         WHERE t.tenant_id = current_setting('redress.tenant') AND t.type_id > $1
         ORDER BY t.type_id LIMIT $2",
    )
    .bind(after)
    .bind(limit)
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}
