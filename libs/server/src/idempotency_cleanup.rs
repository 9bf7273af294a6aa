//! Forgets answers whose time to be repeated is over.

use fault::Fault;
use futures::FutureExt as _;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use sqlx::PgConnection;

use crate::retention::Retention;

/// Answers kept for repeated requests.
pub(crate) const ANSWERS: Retention = Retention {
    name: "idempotency.cleanup",
    kept: pg::IDEMPOTENCY_KEPT,
    forget: |tx, before, limit| forget(tx, before, limit).boxed(),
};

async fn forget(conn: &mut PgConnection, before: Timestamp, limit: i64) -> Result<bool, Fault> {
    let swept = sqlx::query(
        "DELETE FROM idempotency
         WHERE created_at < $1
           AND ctid = ANY (ARRAY (SELECT ctid FROM idempotency WHERE created_at < $1 LIMIT $2))",
    )
    .bind(before.to_sqlx())
    .bind(limit)
    .execute(conn)
    .await?;
    Ok(swept.rows_affected() == limit.unsigned_abs())
}
