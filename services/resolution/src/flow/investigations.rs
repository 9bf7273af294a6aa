//! Ends what departments are asked on cases that end.

use fault::Fault;
use kernel::CaseId;
use pg::Tx;

use crate::{store, wire};

/// Cancels the open requests on cases, which are locked, and tells so.
pub(crate) async fn cancel(tx: &mut Tx, cases: &[CaseId], reason: &str) -> Result<(), Fault> {
    let mut changed = Vec::new();
    for mut task in store::investigations::lock_open(tx, cases).await? {
        let before = task.version;
        task.cancel();
        if task.version != before {
            let event = wire::outbound::investigation_cancelled(&task, reason);
            tx.emit_in(task.traceparent.clone(), task.case_id.0, &event);
            changed.push(task);
        }
    }
    if changed.is_empty() {
        return Ok(());
    }
    store::tasks::save(tx, &changed).await?;
    super::progress::tell_holders(tx, &changed).await
}
