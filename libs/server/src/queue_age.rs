//! How long what waits longest has waited: a queue's age, measured from time to time.

use std::time::Duration;

use fault::Fault;
use opentelemetry::global;
use pg::Db;
use sqlx::AssertSqlSafe;

use crate::service::Stop;

/// How often to look: it reads all that waits.
const EVERY: Duration = Duration::from_secs(15);

/// Measures until told to stop. `oldest` is the statement that reads since when what
/// waits longest has waited; the role that serves all tenants must be allowed to.
pub(crate) async fn run(db: Db, metric: &'static str, oldest: String, stop: Stop) {
    let gauge = global::meter("redress")
        .f64_gauge(metric)
        .with_unit("s")
        .with_description("How long what waits longest has waited")
        .build();
    // Replicas started together should not look together.
    let mut pause = EVERY.mul_f64(db.ids().fraction());
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(pause) => pause = EVERY,
        }
        match measure(&db, &oldest).await {
            Ok(age) => gauge.record(age.as_secs_f64(), &[]),
            Err(fault) => tracing::warn!(metric, fault = fault.chain(), "a queue's age cannot be read"),
        }
    }
}

/// Nothing waits: no time at all.
async fn measure(db: &Db, oldest: &str) -> Result<Duration, Fault> {
    let oldest = oldest.to_owned();
    db.transact_as_worker("queue.age", async move |mut tx| {
        let since: Option<jiff_sqlx::Timestamp> =
            sqlx::query_scalar(AssertSqlSafe(oldest)).fetch_one(&mut *tx).await?;
        let age = since.map(|since| tx.now().duration_since(since.to_jiff()));
        Ok((tx, age.and_then(|age| Duration::try_from(age).ok()).unwrap_or_default()))
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use kernel::{Clock as _, RandomIds};
    use testkit::{Database, MockClock};

    use super::*;

    #[tokio::test]
    async fn it_is_that_of_what_waits_longest_whosever_it_is() -> anyhow::Result<()> {
        const OLDEST: &str = "SELECT min(created_at) FROM idempotency";
        let migrate = async |url: String| pg::migrate(&url, "intake", &[&pg::MIGRATIONS]).await;
        let database = Database::copy_of("aged", migrate).await?;
        let clock = MockClock::default();
        let db = Db::open(database.url(), 2, "intake", Arc::new(clock.clone()), Arc::new(RandomIds))?;
        assert_eq!(measure(&db, OLDEST).await?, Duration::ZERO);
        let mut owner = database.connect().await?;
        sqlx::raw_sql(
            "INSERT INTO intake.idempotency
             SELECT 'tenant-' || n, 'Rpc', n::text, '', '', 0, '2026-11-23T09:00:00Z'::timestamptz + n * interval '1 h'
             FROM generate_series(-3, 3) n",
        )
        .execute(&mut owner)
        .await?;
        assert_eq!(clock.now().to_string(), "2026-11-23T09:00:00Z");
        assert_eq!(measure(&db, OLDEST).await?, Duration::from_hours(3));
        clock.advance(Duration::from_mins(1));
        assert_eq!(measure(&db, OLDEST).await?, Duration::from_mins(181));
        clock.set("2026-11-01T09:00:00Z".parse()?);
        assert_eq!(measure(&db, OLDEST).await?, Duration::ZERO, "what begins later does not wait yet");
        db.pool().close().await;
        drop(owner);
        database.drop().await
    }
}
