//! Forgets answers whose time to be repeated is over.

use std::time::Duration;

use fault::Fault;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use pg::Tx;
use sqlx::PgConnection;

use crate::retention::Retention;

/// Answers kept for repeated requests.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answers;

impl Retention for Answers {
    fn name(&self) -> &'static str {
        "idempotency.cleanup"
    }

    fn kept(&self) -> Duration {
        pg::IDEMPOTENCY_KEPT
    }

    fn forget<'a>(
        &'a self,
        tx: &'a mut Tx,
        before: Timestamp,
        limit: i64,
    ) -> BoxFuture<'a, Result<bool, Fault>> {
        forget(tx, before, limit).boxed()
    }
}

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
