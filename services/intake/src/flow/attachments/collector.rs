//! Removes the contents of attachments that were refused or deleted, and attachments that
//! nobody refers to.

use std::time::Duration;

use fault::Fault;
use futures::FutureExt as _;
use jiff::Timestamp;
use pg::Tx;
use server::Retention;

use crate::store::attachments::keeping;

/// How long an attachment is kept that nobody refers to, finished or not.
const UNREFERRED_KEPT: Duration = Duration::from_hours(24);
/// Most chunks that are removed in one transaction: 25 MiB.
const MOST_CHUNKS: i64 = 100;

/// Attachments that nobody refers to.
pub(crate) const ORPHANS: Retention = Retention {
    name: "attachments.collect",
    kept: UNREFERRED_KEPT,
    forget: |tx, before, limit| collect(tx, before, limit).boxed(),
};

async fn collect(tx: &mut Tx, before: Timestamp, limit: i64) -> Result<bool, Fault> {
    keeping::collect(tx, before, limit.min(MOST_CHUNKS)).await
}
