//! Forgets what is kept for a time only: a batch at a time, of all tenants.

use std::time::Duration;

use fault::Fault;
use futures::future::BoxFuture;
use jiff::Timestamp;
use kernel::time::later;
use pg::{Db, Tx};

use crate::service::Stop;

/// How often to look for what is no longer kept.
const EVERY: Duration = Duration::from_hours(1);
/// How often the clock is asked whether it is time to look.
const CLOCK: Duration = Duration::from_millis(500);
/// Most rows of one transaction: forgetting must not be felt.
const BATCH: i64 = 1_000;
/// Pause between two transactions of one look.
const PAUSE: Duration = Duration::from_millis(100);

/// What is kept for a time only.
#[derive(Clone, Copy, Debug)]
pub struct Retention {
    /// Names its transactions and its lines in the log.
    pub name: &'static str,
    /// How long it is kept.
    pub kept: Duration,
    /// Forgets what was over before a moment, of all tenants, at most so many rows; answers
    /// whether there may be more. The transaction's role is the one that serves all tenants.
    pub forget: for<'a> fn(&'a mut Tx, Timestamp, i64) -> BoxFuture<'a, Result<bool, Fault>>,
}

/// Looks from time to time, until told to stop.
pub(crate) async fn run(db: Db, retention: Retention, stop: Stop) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = look_for_ever(&db, &retention) => {}
    }
}

async fn look_for_ever(db: &Db, retention: &Retention) {
    // Replicas and services started together should not look together.
    let mut next = later(db.clock().now(), EVERY.mul_f64(db.ids().fraction()));
    loop {
        tokio::time::sleep(CLOCK).await;
        let now = db.clock().now();
        if now < next {
            continue;
        }
        next = later(now, EVERY);
        // What could not be done now is done the next time: nothing waits for it.
        if let Err(fault) = forget_all(db, retention).await {
            let (schema, chain) = (db.schema(), fault.chain());
            tracing::warn!(schema, what = retention.name, fault = chain, "old rows could not be forgotten");
        }
    }
}

/// Forgets all that is no longer kept; answers in how many transactions.
async fn forget_all(db: &Db, retention: &Retention) -> Result<u32, Fault> {
    let mut transactions = 1;
    while forget(db, retention).await? {
        transactions += 1;
        tokio::time::sleep(PAUSE).await;
    }
    tracing::debug!(schema = db.schema(), what = retention.name, transactions, "old rows are forgotten");
    Ok(transactions)
}

async fn forget(db: &Db, retention: &Retention) -> Result<bool, Fault> {
    db.transact_as_worker(retention.name, async |mut tx| {
        let before = tx.now().saturating_sub(retention.kept).unwrap_or(Timestamp::MIN);
        let more = (retention.forget)(&mut tx, before, BATCH).await?;
        Ok((tx, more))
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use kernel::RandomIds;
    use testkit::{Database, MockClock, eventually};

    use super::*;
    use crate::idempotency_cleanup::ANSWERS;

    async fn left(db: &Db) -> Result<i64, Fault> {
        db.transact_as_worker("test.left", async |mut tx| {
            let left = sqlx::query_scalar("SELECT count(*) FROM idempotency").fetch_one(&mut *tx).await?;
            Ok((tx, left))
        })
        .await
    }

    #[tokio::test]
    async fn what_is_old_is_forgotten_whosever_it_is_in_batches_and_what_is_not_is_kept() -> anyhow::Result<()>
    {
        let migrate = async |url: String| pg::migrate(&url, "intake", &[&pg::MIGRATIONS]).await;
        let database = Database::copy_of("swept", migrate).await?;
        let clock = MockClock::default();
        let db = Db::open(database.url(), 2, "intake", Arc::new(clock.clone()), Arc::new(RandomIds))?;
        let mut owner = database.connect().await?;
        sqlx::raw_sql(
            "INSERT INTO intake.idempotency
             SELECT 'tenant-' || n % 3, 'Rpc', age || n::text, '', '', 0,
                    '2026-11-23T09:00:00Z'::timestamptz - age::interval
             FROM generate_series(1, 2500) n, (VALUES ('1 minute'), ('-1 hour')) AS a (age)",
        )
        .execute(&mut owner)
        .await?;
        clock.advance(ANSWERS.kept.saturating_sub(Duration::from_mins(2)));
        assert_eq!(forget_all(&db, &ANSWERS).await?, 1);
        assert_eq!(left(&db).await?, 5_000);
        clock.advance(Duration::from_mins(2));
        assert_eq!(forget_all(&db, &ANSWERS).await?, 3, "no transaction has more than a batch");
        assert_eq!(left(&db).await?, 2_500);
        // The worker looks by the clock of its database.
        let stop = Stop::new();
        let running = tokio::spawn(run(db.clone(), ANSWERS, stop.clone()));
        tokio::time::sleep(CLOCK * 2).await;
        assert_eq!(left(&db).await?, 2_500);
        clock.advance(EVERY + Duration::from_mins(1));
        eventually(|| async { left(&db).await.is_ok_and(|left| left == 0) }).await;
        stop.cancel();
        running.await?;
        db.pool().close().await;
        drop(owner);
        database.drop().await
    }
}
