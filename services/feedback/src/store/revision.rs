//! Statements on what a tenant has settled.

use fault::Fault;
use jiff_sqlx::{Timestamp, ToSqlx as _};
use kernel::page::Page;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::PgConnection;
use sqlx::types::{Json, JsonValue};

use crate::revision::{Revision, Subject};

#[derive(sqlx::FromRow)]
struct Row<T> {
    name: String,
    version: i64,
    content: Json<T>,
    note: String,
    created_at: Timestamp,
    created_by: String,
    activated_at: Option<Timestamp>,
    activated_by: String,
}

impl<T> Row<T> {
    fn revision(self) -> (String, Revision<T>) {
        let revision = Revision {
            version: self.version,
            content: self.content.0,
            note: self.note,
            created: Some((self.created_at.to_jiff(), self.created_by)),
            activated: self.activated_at.map(|at| (at.to_jiff(), self.activated_by)),
        };
        (self.name, revision)
    }
}

/// Reads versions of one subject of the tenant, `$1`: what follows is given.
macro_rules! select_revisions {
    ($rest:literal) => {
        concat!(
            "SELECT name, version, content, note, created_at, created_by, activated_at, activated_by
             FROM revision WHERE tenant_id = current_setting('redress.tenant') AND subject = $1 ",
            $rest
        )
    };
}

/// Keeps others from making or activating versions of a subject until the transaction
/// ends; answers the latest version.
pub(crate) async fn hold_revisions(
    conn: &mut PgConnection,
    subject: Subject,
    name: &str,
) -> Result<i64, Fault> {
    pg::hold(conn, &format!("revision {}", subject.number())).await?;
    let latest = sqlx::query_scalar(
        "SELECT coalesce(max(version), 0) FROM revision
         WHERE tenant_id = current_setting('redress.tenant') AND subject = $1 AND name = $2",
    )
    .bind(subject.number())
    .bind(name)
    .fetch_one(conn)
    .await?;
    Ok(latest)
}

/// Writes a new version.
pub(crate) async fn insert_revision<T: Serialize + Sync>(
    conn: &mut PgConnection,
    subject: Subject,
    name: &str,
    made: &Revision<T>,
) -> Result<(), Fault> {
    let (created, creator) = made.created.clone().unwrap_or_default();
    sqlx::query(
        "INSERT INTO revision (tenant_id, subject, name, version, content, note, created_at, created_by)
         VALUES (current_setting('redress.tenant'), $1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(subject.number())
    .bind(name)
    .bind(made.version)
    .bind(Json(&made.content))
    .bind(&made.note)
    .bind(created.to_sqlx())
    .bind(creator)
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes that a version was put in force.
pub(crate) async fn activate_revision<T: Sync>(
    conn: &mut PgConnection,
    subject: Subject,
    name: &str,
    put: &Revision<T>,
) -> Result<(), Fault> {
    let (activated, activator) = put.activated.clone().unwrap_or_default();
    sqlx::query(
        "UPDATE revision SET activated_at = $4, activated_by = $5
         WHERE tenant_id = current_setting('redress.tenant') AND subject = $1 AND name = $2 AND version = $3",
    )
    .bind(subject.number())
    .bind(name)
    .bind(put.version)
    .bind(activated.to_sqlx())
    .bind(activator)
    .execute(conn)
    .await?;
    Ok(())
}

/// Reads one version.
pub(crate) async fn revision<T: DeserializeOwned + Send + Unpin + 'static>(
    conn: &mut PgConnection,
    subject: Subject,
    name: &str,
    version: i64,
) -> Result<Option<Revision<T>>, Fault> {
    let row: Option<Row<T>> = sqlx::query_as(select_revisions!("AND name = $2 AND version = $3"))
        .bind(subject.number())
        .bind(name)
        .bind(version)
        .fetch_optional(conn)
        .await?;
    Ok(row.map(|row| row.revision().1))
}

/// Reads the version that was activated last, by name; those that have none are not
/// among them. One that this program cannot read is passed over, with a line in the log:
/// what one tenant has settled never stops the notices of the others.
pub(crate) async fn revisions_in_force<T: DeserializeOwned>(
    conn: &mut PgConnection,
    subject: Subject,
) -> Result<Vec<(String, Revision<T>)>, Fault> {
    let rows: Vec<Row<JsonValue>> = sqlx::query_as(
        "SELECT DISTINCT ON (name) name, version, content, note, created_at, created_by, activated_at, activated_by
         FROM revision
         WHERE tenant_id = current_setting('redress.tenant') AND subject = $1 AND activated_at IS NOT NULL
         ORDER BY name, activated_at DESC, version DESC",
    )
    .bind(subject.number())
    .fetch_all(conn)
    .await?;
    let read = |row: Row<JsonValue>| {
        let (name, Revision { version, content, note, created, activated }) = row.revision();
        match T::deserialize(content) {
            Ok(content) => Some((name, Revision { version, content, note, created, activated })),
            Err(error) => {
                tracing::warn!(?subject, name, version, %error, "what is settled cannot be read; the shipped holds");
                None
            }
        }
    };
    Ok(rows.into_iter().filter_map(read).collect())
}

/// One page of versions, by name, latest first.
pub(crate) async fn revisions<T: DeserializeOwned + Send + Unpin + 'static>(
    conn: &mut PgConnection,
    subject: Subject,
    page: &Page,
    after: Option<(String, i64)>,
) -> Result<Vec<(String, Revision<T>)>, Fault> {
    let (name, version) = after.map_or((None, None), |(name, version)| (Some(name), Some(version)));
    let rows: Vec<Row<T>> = sqlx::query_as(select_revisions!(
        "AND ($2::text IS NULL OR name > $2 OR (name = $2 AND version < $3)) ORDER BY name, version DESC LIMIT $4"
    ))
    .bind(subject.number())
    .bind(name)
    .bind(version)
    .bind(page.limit())
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(Row::revision).collect())
}
