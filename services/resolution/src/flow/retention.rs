//! What is kept for a time only.

use fault::Fault;
use futures::FutureExt as _;
use jiff::Timestamp;
use pg::Tx;
use server::Retention;

use crate::ledger::statement::{ROWS_KEPT, UNFINISHED};
use crate::store::statements::retention;

/// Rows of statements, and statements that broke off.
pub(crate) const STATEMENTS: Retention = Retention {
    name: "statements.forget",
    kept: ROWS_KEPT,
    forget: |tx, before, limit| forget(tx, before, limit).boxed(),
};

async fn forget(tx: &mut Tx, before: Timestamp, limit: i64) -> Result<bool, Fault> {
    let broken_off = tx.now() - UNFINISHED;
    let Some(old) = retention::oldest(tx, before, broken_off).await? else { return Ok(false) };
    if retention::forget_rows(tx, &old, limit).await? < limit {
        retention::forget_statement(tx, &old).await?;
    }
    Ok(true)
}
