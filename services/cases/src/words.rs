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

async fn merge(db: &Db) -> Result<(), Fault> {
    db.transact_as_worker("cases.merge_words", async move |mut tx| {
        store::text::merge_words(&mut tx).await?;
        Ok((tx, ()))
    })
    .await
}
