//! Merges the words of new cases into their index, time and again.

use std::time::Duration;

use fault::Fault;
use pg::Db;
use server::Stop;

use crate::store;

/// How often: what has not been merged yet is searched from end to end, and what is
/// merged at once keeps a core busy.
const EVERY: Duration = Duration::from_millis(500);

/// Merges until told to stop.
pub(crate) async fn run(db: Db, stop: Stop) {
    // Replicas started together should not merge together.
    let mut pause = EVERY.mul_f64(db.ids().fraction());
    while stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_some() {
        pause = EVERY;
        if let Err(fault) = merge(&db).await {
            tracing::warn!(fault = fault.chain(), "new words are not merged; searches take longer");
        }
    }
}

/// Merges what waits; answers how many pages of words that were.
async fn merge(db: &Db) -> Result<i64, Fault> {
    db.transact_as_worker("cases.merge_words", async move |mut tx| {
        let pages = store::text::merge_words(&mut tx).await?;
        Ok((tx, pages))
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
    async fn words_that_wait_are_merged_once_whosever_they_are() -> anyhow::Result<()> {
        let lists = [&pg::MIGRATIONS, &events::MIGRATIONS, &timers::MIGRATIONS, &crate::MIGRATIONS];
        let migrate = async |url: String| pg::migrate(&url, "cases", &lists).await;
        let database = Database::copy_of("words", migrate).await?;
        let (clock, ids) = (Arc::new(SystemClock), Arc::new(RandomIds));
        let db = Db::open(database.url(), 2, "cases", clock, ids)?;
        let mut owner = database.connect().await?;
        sqlx::raw_sql("SET search_path = cases").execute(&mut owner).await?;
        assert_eq!(merge(&db).await?, 0, "there are no words yet");
        for tenant in ["one", "two"] {
            sqlx::query(
                "INSERT INTO case_text (tenant_id, case_id, description, terms)
                 SELECT $1, gen_random_uuid(), '', ('word' || n)::tsvector
                 FROM generate_series(1, 200) n",
            )
            .bind(tenant)
            .execute(&mut owner)
            .await?;
        }
        assert!(merge(&db).await? > 0, "they wait to be merged");
        assert_eq!(merge(&db).await?, 0, "none is left");
        db.pool().close().await;
        drop(owner);
        database.drop().await
    }
}
