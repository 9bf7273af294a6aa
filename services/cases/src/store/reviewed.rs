//! Statements about what is reviewed before it is in force: the same of articles and of training
//! cases, but for the tables.

use fault::Fault;
use jiff_sqlx::ToSqlx as _;
use pg::AssertSqlSafe;
use sqlx::PgConnection;

use crate::review::{ReviewState, Reviewed, ReviewedKind};

/// Where things of a kind are.
struct Tables {
    /// The things.
    table: &'static str,
    /// Their revisions.
    revisions: &'static str,
    /// The column of both that says which thing.
    id: &'static str,
}

fn tables(kind: ReviewedKind) -> Tables {
    match kind {
        ReviewedKind::Article => Tables { table: "article", revisions: "article_revision", id: "article_id" },
        ReviewedKind::TrainingCase => {
            Tables { table: "training_case", revisions: "training_revision", id: "training_case_id" }
        }
    }
}

/// Keeps others from making things of a kind; answers how many are not retired.
pub(crate) async fn lock_count(conn: &mut PgConnection, kind: ReviewedKind) -> Result<i64, Fault> {
    let Tables { table, .. } = tables(kind);
    sqlx::query(
        "SELECT pg_advisory_xact_lock(hashtextextended(
             'cases.' || $1 || '.' || current_setting('redress.tenant'), 0))",
    )
    .bind(table)
    .execute(&mut *conn)
    .await?;
    let statement = format!(
        "SELECT count(*) FROM {table} WHERE tenant_id = current_setting('redress.tenant') AND state <> $1"
    );
    let count = sqlx::query_scalar(AssertSqlSafe(statement))
        .bind(ReviewState::Retired.number())
        .fetch_one(conn)
        .await?;
    Ok(count)
}

/// Writes what was done to a thing that this transaction has locked.
pub(crate) async fn save(conn: &mut PgConnection, reviewed: &Reviewed) -> Result<(), Fault> {
    let Tables { table, id, .. } = tables(reviewed.kind);
    let (retirer, reason) = reviewed.retired.clone().unwrap_or_default();
    let statement = format!(
        "UPDATE {table}
         SET version = $2, state = $3, latest = $4, in_force = $5, retirer = $6, retire_reason = $7
         WHERE tenant_id = current_setting('redress.tenant') AND {id} = $1"
    );
    sqlx::query(AssertSqlSafe(statement))
        .bind(reviewed.id)
        .bind(reviewed.version)
        .bind(reviewed.state.number())
        .bind(reviewed.latest)
        .bind(reviewed.in_force)
        .bind(retirer)
        .bind(reason)
        .execute(conn)
        .await?;
    Ok(())
}

/// Who wrote the revisions of a thing since the one in force.
pub(crate) async fn authors(conn: &mut PgConnection, reviewed: &Reviewed) -> Result<Vec<String>, Fault> {
    let Tables { revisions: table, id, .. } = tables(reviewed.kind);
    let statement = format!(
        "SELECT DISTINCT author FROM {table}
         WHERE tenant_id = current_setting('redress.tenant') AND {id} = $1 AND revision > $2"
    );
    let authors = sqlx::query_scalar(AssertSqlSafe(statement))
        .bind(reviewed.id)
        .bind(reviewed.in_force.unwrap_or(0))
        .fetch_all(conn)
        .await?;
    Ok(authors)
}

/// Notes who put the latest revision of a thing in force.
pub(crate) async fn publish(
    conn: &mut PgConnection,
    reviewed: &Reviewed,
    (by, now): (&str, jiff::Timestamp),
) -> Result<(), Fault> {
    let Tables { revisions: table, id, .. } = tables(reviewed.kind);
    let statement = format!(
        "UPDATE {table} SET reviewer = $3, published_at = $4
         WHERE tenant_id = current_setting('redress.tenant') AND {id} = $1 AND revision = $2"
    );
    sqlx::query(AssertSqlSafe(statement))
        .bind(reviewed.id)
        .bind(reviewed.latest)
        .bind(by)
        .bind(now.to_sqlx())
        .execute(conn)
        .await?;
    Ok(())
}
