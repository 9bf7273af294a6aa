//! Removes the contents of attachments that were refused or deleted, and attachments that
//! nobody refers to: one of a tenant at a time in turn, so that however many one has, the quota of
//! others is not held by theirs.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use fault::Fault;
use futures::FutureExt as _;
use jiff::Timestamp;
use kernel::TenantId;
use pg::Tx;
use server::Retention;

use crate::store::attachments::keeping;

/// How long an attachment is kept that nobody refers to, finished or not.
const UNREFERRED_KEPT: Duration = Duration::from_hours(24);
/// Most chunks that are removed in one transaction: 25 MiB.
const MOST_CHUNKS: i64 = 100;

/// Attachments that were refused or deleted: their contents are not kept at all.
pub(crate) const UNWANTED: Retention = Retention {
    name: "attachments.remove",
    kept: Duration::ZERO,
    forget: |tx, _, limit| remove(tx, limit).boxed(),
};

/// Attachments that nobody refers to.
pub(crate) const ORPHANS: Retention = Retention {
    name: "attachments.collect",
    kept: UNREFERRED_KEPT,
    forget: |tx, before, limit| collect(tx, before, limit).boxed(),
};

/// The tenants whose attachments went last in this process: those after them are next.
static LAST_REMOVED: Turn = Turn(Mutex::new(String::new()));
static LAST_COLLECTED: Turn = Turn(Mutex::new(String::new()));

/// Whose turn was last.
struct Turn(Mutex<String>);

impl Turn {
    fn last(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes whose turn it was; whether it was anybody's.
    fn was(&self, tenant: Option<&TenantId>) -> bool {
        if let Some(tenant) = tenant {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = tenant.to_string();
        }
        tenant.is_some()
    }
}

async fn remove(tx: &mut Tx, limit: i64) -> Result<bool, Fault> {
    let removed = keeping::collect_unwanted(tx, &LAST_REMOVED.last(), limit.min(MOST_CHUNKS)).await?;
    Ok(LAST_REMOVED.was(removed.as_ref()))
}

async fn collect(tx: &mut Tx, before: Timestamp, limit: i64) -> Result<bool, Fault> {
    let of = (before, limit.min(MOST_CHUNKS));
    let collected = keeping::collect_orphan(tx, &LAST_COLLECTED.last(), of).await?;
    Ok(LAST_COLLECTED.was(collected.as_ref()))
}
