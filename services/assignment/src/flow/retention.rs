//! What is kept for a time only.

use futures::FutureExt as _;
use server::Retention;

use crate::routing::DECISIONS_KEPT;
use crate::store::decisions;

/// Decisions of cycles that are over.
pub(crate) const DECISIONS: Retention = Retention {
    name: "decisions.forget",
    kept: DECISIONS_KEPT,
    forget: |tx, before, limit| decisions::forget(tx, before, limit).boxed(),
};
