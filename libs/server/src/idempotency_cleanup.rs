//! Forgets answers whose time to be repeated is over.

use std::time::Duration;

use fault::Fault;
use jiff_sqlx::ToSqlx as _;
use pg::Db;

use crate::service::Stop;

/// How often to look.
const EVERY: Duration = Duration::from_hours(1);
/// Most rows of one transaction: a cleanup must not be felt.
const BATCH: i64 = 1_000;
/// Pause between two transactions of a cleanup.
const PAUSE: Duration = Duration::from_millis(100);

/// Sweeps one schema from time to time, until told to stop.
pub(crate) async fn run(db: Db, stop: Stop) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = sweep_for_ever(&db) => {}
    }
}

async fn sweep_for_ever(db: &Db) {
    // Replicas and services started together should not clean up together.
    let mut pause = EVERY.mul_f64(db.ids().fraction());
    loop {
        tokio::time::sleep(pause).await;
        pause = EVERY;
        match clean_up(db).await {
            Ok(swept) if swept == BATCH.unsigned_abs() => pause = PAUSE,
            Ok(swept) => tracing::debug!(schema = db.schema(), swept, "old answers are forgotten"),
            Err(fault) => {
                tracing::warn!(schema = db.schema(), fault = fault.chain(), "old answers could not be swept");
            }
        }
    }
}

async fn clean_up(db: &Db) -> Result<u64, Fault> {
    let kept_since = db.clock().now() - pg::IDEMPOTENCY_KEPT;
    db.transact_as_worker("idempotency.cleanup", async move |mut tx| {
        let swept = sqlx::query(
            "DELETE FROM idempotency
             WHERE created_at < $1
               AND ctid = ANY (ARRAY (SELECT ctid FROM idempotency WHERE created_at < $1 LIMIT $2))",
        )
        .bind(kept_since.to_sqlx())
        .bind(BATCH)
        .execute(&mut *tx)
        .await?;
        Ok((tx, swept.rows_affected()))
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use kernel::{RandomIds, SystemClock};
    use testkit::Database;

    use super::*;

    #[tokio::test]
    async fn only_what_is_old_is_forgotten_whosever_it_is() -> anyhow::Result<()> {
        let migrate = async |url: String| pg::migrate(&url, "intake", &[&pg::MIGRATIONS]).await;
        let database = Database::copy_of("swept", migrate).await?;
        let mut owner = database.connect().await?;
        sqlx::raw_sql(
            "INSERT INTO intake.idempotency
             SELECT 'tenant-' || n % 3, 'Rpc', age || n::text, '', '', 0, now() - age::interval
             FROM generate_series(1, 600) n, (VALUES ('7 days 1 minute'), ('6 days 23 hours')) AS a (age)",
        )
        .execute(&mut owner)
        .await?;
        let (clock, ids) = (Arc::new(SystemClock), Arc::new(RandomIds));
        let db = Db::open(database.url(), 2, "intake", clock, ids)?;
        assert_eq!(clean_up(&db).await?, 600);
        assert_eq!(clean_up(&db).await?, 0);
        let left: i64 =
            sqlx::query_scalar("SELECT count(*) FROM intake.idempotency").fetch_one(&mut owner).await?;
        assert_eq!(left, 600);
        db.pool().close().await;
        drop(owner);
        database.drop().await
    }
}
