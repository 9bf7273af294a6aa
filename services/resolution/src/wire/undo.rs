//! What is known of undoing a step, as it is shown.

use proto::redress::resolution::v1;
use proto::timestamp;

use super::{ledger, money};
use crate::undo::{UndoFailure, UndoRecord};

/// A record as it is shown.
pub(crate) fn record(record: &UndoRecord) -> v1::UndoRecord {
    let sums = record.sums();
    let sum = |place: usize| sums.as_ref().map(|sums| money(&sums[place]));
    v1::UndoRecord {
        paid: sum(0),
        collected: sum(1),
        written_off: sum(2),
        outstanding: sum(3),
        customer_id: record.customer_id.clone(),
        entries: record.entries.iter().map(ledger::entry).collect(),
        failures: record.failures.iter().map(failure).collect(),
    }
}

fn failure(failure: &UndoFailure) -> v1::UndoFailure {
    v1::UndoFailure {
        task_id: failure.task_id.to_string(),
        department_id: failure.department_id.clone(),
        worker: failure.worker.clone(),
        attempt: failure.attempt,
        time: Some(timestamp(failure.failed_at)),
        error: failure.error.clone(),
    }
}
