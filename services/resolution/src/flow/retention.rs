//! What is kept for a time only.

use std::time::Duration;

use fault::Fault;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use jiff::Timestamp;
use pg::Tx;
use server::Retention;

use crate::ledger::statement::{ROWS_KEPT, UNFINISHED};
use crate::store::statements::retention;

/// Rows of statements, and statements that broke off.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Statements;

impl Retention for Statements {
    fn name(&self) -> &'static str {
        "statements.forget"
    }

    fn kept(&self) -> Duration {
        ROWS_KEPT
    }

    fn forget<'a>(
        &'a self,
        tx: &'a mut Tx,
        before: Timestamp,
        limit: i64,
    ) -> BoxFuture<'a, Result<bool, Fault>> {
        forget(tx, before, limit).boxed()
    }
}

async fn forget(tx: &mut Tx, before: Timestamp, limit: i64) -> Result<bool, Fault> {
    let broken_off = tx.now() - UNFINISHED;
    let Some(old) = retention::oldest(tx, before, broken_off).await? else { return Ok(false) };
    if retention::forget_rows(tx, &old, limit).await? < limit {
        retention::forget_statement(tx, &old).await?;
    }
    Ok(true)
}
