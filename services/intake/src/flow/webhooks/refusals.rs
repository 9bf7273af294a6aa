//! Deliveries that were not believed, noted on their source: beside the calls, and together, so
//! that nobody learns from how long the answer takes that there is such a source, nor keeps the
//! database busy.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fault::Fault;
use kernel::TenantId;
use pg::Db;
use server::Stop;

use crate::store::webhook_sources;

/// How often they are noted.
const EVERY: Duration = Duration::from_secs(1);
/// Most sources that are noted at once; what is refused beyond is not.
const MAX_SOURCES: usize = 1_000;

/// Deliveries that were not believed of late, by source.
#[derive(Clone, Default)]
pub(crate) struct Refusals(Arc<Mutex<HashMap<(TenantId, String), i32>>>);

impl Refusals {
    /// Counts one.
    pub(crate) fn count(&self, tenant: &TenantId, source: &str) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (tenant.clone(), source.to_owned());
        if counts.len() < MAX_SOURCES || counts.contains_key(&key) {
            let count = counts.entry(key).or_default();
            *count = count.saturating_add(1);
        }
    }

    /// Notes them until told to stop.
    pub(crate) async fn run(self, db: Db, stop: Stop) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(EVERY) => {}
            }
            let counts = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
            for ((tenant, source), count) in counts {
                if let Err(fault) = note(&db, &tenant, source, count).await {
                    tracing::warn!(%tenant, fault = fault.chain(), "a refused delivery cannot be noted");
                }
            }
        }
    }
}

async fn note(db: &Db, tenant: &TenantId, source: String, count: i32) -> Result<(), Fault> {
    db.transact("webhook.refused", tenant, async move |mut tx| {
        let now = tx.now();
        webhook_sources::disbelieved(&mut tx, &source, (count, now)).await?;
        Ok((tx, ()))
    })
    .await
}
