//! How far a source is applied, and waiting for it: what lets a caller read what
//! happened elsewhere.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fault::{Fault, Kind};
use kernel::TenantId;
use opentelemetry::KeyValue;
use tokio::sync::{Mutex, watch};
use tokio::time::Instant;

use super::Consumer;
use crate::parked::{self, Cursor};

/// How often a replica that does not hold the feed looks how far it is applied.
const LOOK: Duration = Duration::from_millis(20);
/// How often one that does looks all the same: it may have lost its hold.
const RARE_LOOK: Duration = Duration::from_secs(1);
/// When a caller is told to come back for an event that is not applied yet.
const NOT_YET_RETRY: Duration = Duration::from_millis(100);

/// How far this replica knows a source to be applied.
#[derive(Default)]
pub(super) struct Applied {
    cursor: watch::Sender<Cursor>,
    /// Whether this replica applies it, and so need not ask the database.
    is_held: AtomicBool,
    /// When the database was last asked: one look serves all who wait.
    looked: Mutex<Option<Instant>>,
}

impl Applied {
    /// How long to wait for news before looking into the database.
    fn patience(&self) -> Duration {
        if self.is_held.load(Ordering::Relaxed) { RARE_LOOK } else { LOOK }
    }
}

impl Consumer {
    pub(super) fn note(&self, source: &'static str, cursor: Cursor) {
        if let Some(applied) = self.applied.get(source) {
            applied.cursor.send_replace(cursor);
        }
        let labels = [KeyValue::new("consumer", self.name()), KeyValue::new("source", source)];
        self.parked.record(cursor.parked, &labels);
    }

    /// Notes that the number of parked events has changed, wherever the cursor stands.
    pub(crate) fn note_parked(&self, source: &'static str, parked: i64) {
        if let Some(applied) = self.applied.get(source) {
            applied.cursor.send_modify(|cursor| cursor.parked = parked);
        }
        let labels = [KeyValue::new("consumer", self.name()), KeyValue::new("source", source)];
        self.parked.record(parked, &labels);
    }

    pub(super) fn set_held(&self, source: &'static str, is_held: bool) {
        if let Some(applied) = self.applied.get(source) {
            applied.is_held.store(is_held, Ordering::Relaxed);
        }
    }

    pub(super) fn note_position(&self, source: &'static str, position: i64) {
        if let Some(applied) = self.applied.get(source) {
            applied.cursor.send_if_modified(|cursor| {
                let moved = position > cursor.position;
                cursor.position = cursor.position.max(position);
                moved
            });
        }
    }

    /// Waits until an event of a source has taken effect here, whichever replica
    /// applied it; a fault if it has not within the patience given.
    pub async fn wait_applied(
        &self,
        source: &str,
        position: i64,
        tenant: &TenantId,
        patience: Duration,
    ) -> Result<(), Fault> {
        let Some((&source, applied)) = self.applied.get_key_value(source) else {
            let sentence = "this service does not follow the token's source";
            return Err(Fault::new(Kind::Invalid, "INVALID_CONSISTENCY_TOKEN", sentence));
        };
        let mut cursors = applied.cursor.subscribe();
        let seen = async {
            if !applied.is_held.load(Ordering::Relaxed) && cursors.borrow().position < position {
                self.look(source, applied).await;
            }
            loop {
                let cursor = *cursors.borrow_and_update();
                if cursor.position >= position && !self.is_parked(source, position, tenant, cursor).await {
                    return;
                }
                if tokio::time::timeout(applied.patience(), cursors.changed()).await.is_err() {
                    self.look(source, applied).await;
                }
            }
        };
        tokio::time::timeout(patience, seen).await.map_err(|_| {
            Fault::new(
                Kind::Unavailable,
                "NOT_YET_APPLIED",
                "what the consistency token stands for is not applied yet",
            )
            .retry_after(NOT_YET_RETRY)
        })
    }

    /// Looks how far another replica has applied a source; one look serves all who
    /// wait, and a database that is away is looked at again.
    async fn look(&self, source: &'static str, applied: &Applied) {
        let mut looked = applied.looked.lock().await;
        if looked.is_some_and(|looked| looked.elapsed() < LOOK) {
            return;
        }
        let stored = self
            .db
            .transact_shared("inbox.look", async move |mut tx| {
                let cursor = parked::look(&mut tx, source).await?;
                Ok((tx, cursor))
            })
            .await;
        if let Ok(stored) = stored {
            // Behind what is known here only if this replica has moved on meanwhile.
            applied.cursor.send_if_modified(|cursor| {
                let is_news = stored.position >= cursor.position && *cursor != stored;
                if is_news {
                    *cursor = stored;
                }
                is_news
            });
        }
        *looked = Some(Instant::now());
    }

    async fn is_parked(
        &self,
        source: &'static str,
        position: i64,
        tenant: &TenantId,
        cursor: Cursor,
    ) -> bool {
        cursor.parked > 0
            && self
                .db
                .transact("inbox.is_parked", tenant, async move |mut tx| {
                    let parked = parked::has(&mut tx, source, position).await?;
                    Ok((tx, parked))
                })
                .await
                .unwrap_or(true)
    }
}
