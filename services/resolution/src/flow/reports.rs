//! What a department says of a task it holds, however it says so: by a call of its own, or
//! in the answer to a delivery.

use std::slice;
use std::sync::LazyLock;

use fault::Fault;
use opentelemetry::global;
use opentelemetry::metrics::Counter;
use pg::Tx;
use uuid::Uuid;

use crate::flow::{problem_hints, progress, undo};
use crate::plan::Plan;
use crate::task::{Failure, Task, TaskResult, TaskState};
use crate::{store, wire};

static ESCALATIONS: LazyLock<Counter<u64>> = LazyLock::new(|| {
    global::meter("redress")
        .u64_counter("redress.task.escalations")
        .with_description("Tasks handed back for the third time or more")
        .build()
});

/// It is done. The plan it belongs to, if it does, and the task are locked, and the result
/// fits.
pub(crate) async fn completed(
    tx: &mut Tx,
    plan: Option<Plan>,
    task: &mut Task,
    token: Uuid,
    result: TaskResult,
) -> Result<(), Fault> {
    task.complete(token, result)?;
    progress::task_ended(tx, plan, task).await
}

/// It failed. The plan it belongs to, if it does, and the task are locked.
pub(crate) async fn failed(
    tx: &mut Tx,
    plan: Option<Plan>,
    task: &mut Task,
    (token, failure): (Uuid, Failure),
    jitter: f64,
) -> Result<(), Fault> {
    task.fail(token, failure, tx.now(), jitter)?;
    undo::note_failed(tx, slice::from_ref(task)).await?;
    if matches!(task.state, TaskState::NeedsAttention | TaskState::OutcomeUnknown) {
        tx.emit(task.case_id.0, &wire::outbound::task_needs_attention(task));
        problem_hints::tell_given_up(tx, task);
    }
    if task.state == TaskState::Cancelled {
        return progress::task_ended(tx, plan, task).await;
    }
    store::tasks::save(tx, slice::from_ref(task)).await
}

/// The department hands it back. The task is locked.
pub(crate) async fn rejected(tx: &mut Tx, task: &mut Task, token: Uuid, reason: String) -> Result<(), Fault> {
    task.reject(token, reason)?;
    undo::note_failed(tx, slice::from_ref(task)).await?;
    tx.emit(task.case_id.0, &wire::outbound::task_rejected(task));
    problem_hints::tell_given_up(tx, task);
    store::tasks::save(tx, slice::from_ref(task)).await
}

/// Counts a task that was handed back too often, once that is stored.
pub(crate) fn count_escalation(is_escalated: bool) {
    if is_escalated {
        ESCALATIONS.add(1, &[]);
    }
}
