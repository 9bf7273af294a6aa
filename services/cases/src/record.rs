//! Puts what happened to cases on record: the rows, the timeline, the events, the
//! timers, the bell, all in the transaction in which it happened.

use fault::Fault;
use pg::Tx;

use crate::case::Case;
use crate::clocks::follow;
use crate::clocks::follow::Begun;
use crate::{store, window, wire};

/// Topic of the bell rung on every change of a case.
pub(crate) const TOPIC: &str = "cases";

/// Records what happened to cases locked by this transaction.
pub(crate) async fn changed(tx: &mut Tx, cases: &mut [Case]) -> Result<(), Fault> {
    if cases.is_empty() {
        return Ok(());
    }
    follow::follow(tx, cases).await?;
    store::save(tx, cases).await?;
    publish(tx, cases).await
}

/// Records the beginning of cases this transaction has inserted.
pub(crate) async fn opened(tx: &mut Tx, cases: &[Case], begun: Begun) -> Result<(), Fault> {
    if cases.is_empty() {
        return Ok(());
    }
    begun.keep(tx, cases).await?;
    publish(tx, cases).await
}

async fn publish(tx: &mut Tx, cases: &[Case]) -> Result<(), Fault> {
    store::timeline::append(tx, cases).await?;
    window::set(tx, cases).await?;
    for case in cases {
        for noted in &case.journal {
            wire::told::tell(tx, case, noted);
        }
    }
    tx.ring(TOPIC);
    Ok(())
}
