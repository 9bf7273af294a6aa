//! Keeps what goes wrong when steps are undone, for who decides whether to try once more.

use fault::Fault;
use pg::Tx;

use crate::store;
use crate::task::Task;
use crate::undo::UndoFailure;

/// Notes that tasks have failed now, where they undo something.
pub(crate) async fn note_failed(tx: &mut Tx, tasks: &[Task]) -> Result<(), Fault> {
    let failures = UndoFailure::of(tasks, tx.now());
    let failures: Vec<_> = failures.into_iter().map(|failure| (tx.new_id(), failure)).collect();
    store::undo::keep(tx, &failures).await
}
