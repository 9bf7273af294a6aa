//! What is kept for a time only.

use std::time::Duration;

use fault::Fault;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use jiff::Timestamp;
use pg::Tx;
use server::Retention;

use crate::routing::DECISIONS_KEPT;
use crate::store::decisions;

/// Decisions of cycles that are over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Decisions;

impl Retention for Decisions {
    fn name(&self) -> &'static str {
        "decisions.forget"
    }

    fn kept(&self) -> Duration {
        DECISIONS_KEPT
    }

    fn forget<'a>(
        &'a self,
        tx: &'a mut Tx,
        before: Timestamp,
        limit: i64,
    ) -> BoxFuture<'a, Result<bool, Fault>> {
        decisions::forget(tx, before, limit).boxed()
    }
}
