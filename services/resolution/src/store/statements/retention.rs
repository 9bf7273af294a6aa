//! Rows of statements that are no longer kept, of all tenants.

use fault::Fault;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::ledger::statement::Verdict;

/// A statement whose rows are no longer kept.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct OldStatement {
    tenant_id: String,
    reconciliation_id: Uuid,
    is_done: bool,
}

/// The oldest statement that was begun before a moment, or broke off before another; it is
/// locked.
pub(crate) async fn oldest(
    conn: &mut PgConnection,
    before: Timestamp,
    broken_off: Timestamp,
) -> Result<Option<OldStatement>, Fault> {
    let oldest = sqlx::query_as(
        "SELECT tenant_id, reconciliation_id, content_hash IS NOT NULL AS is_done FROM reconciliation
         WHERE rows_kept AND created_at < CASE WHEN content_hash IS NULL THEN $2::timestamptz ELSE $1 END
         ORDER BY created_at LIMIT 1 FOR UPDATE SKIP LOCKED",
    )
    .bind(before.to_sqlx())
    .bind(broken_off.to_sqlx())
    .fetch_optional(conn)
    .await?;
    Ok(oldest)
}

/// Forgets rows, as many as are allowed, but not which entries they had; answers how many.
pub(crate) async fn forget_rows(
    conn: &mut PgConnection,
    of: &OldStatement,
    limit: i64,
) -> Result<i64, Fault> {
    let forgotten = sqlx::query_scalar(pg::sql!(
        "WITH forgotten AS (
             DELETE FROM statement_row
             WHERE tenant_id = $1 AND reconciliation_id = $2 AND number IN (
                 SELECT number FROM statement_row
                 WHERE tenant_id = $1 AND reconciliation_id = $2
                 ORDER BY number LIMIT $3)
             RETURNING tenant_id, reconciliation_id, verdict, entry_id),
         stated AS (
             INSERT INTO stated_entry (tenant_id, entry_id, start_day, end_day)
             SELECT r.tenant_id, f.entry_id, r.start_day, r.end_day
             FROM forgotten f
             JOIN reconciliation r ON r.tenant_id = f.tenant_id AND r.reconciliation_id = f.reconciliation_id
             WHERE r.content_hash IS NOT NULL AND f.entry_id IS NOT NULL AND f.verdict <> {missing}
             ON CONFLICT DO NOTHING)
         SELECT count(*) FROM forgotten",
        missing = Verdict::Missing,
    ))
    .bind(&of.tenant_id)
    .bind(of.reconciliation_id)
    .bind(limit)
    .fetch_one(conn)
    .await?;
    Ok(forgotten)
}

/// Notes that the last row is gone; one that broke off goes itself.
pub(crate) async fn forget_statement(conn: &mut PgConnection, of: &OldStatement) -> Result<(), Fault> {
    let statement = if of.is_done {
        "UPDATE reconciliation SET rows_kept = false WHERE tenant_id = $1 AND reconciliation_id = $2"
    } else {
        "DELETE FROM reconciliation WHERE tenant_id = $1 AND reconciliation_id = $2 AND content_hash IS NULL"
    };
    sqlx::query(statement).bind(&of.tenant_id).bind(of.reconciliation_id).execute(conn).await?;
    Ok(())
}
