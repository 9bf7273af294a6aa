//! Has overdue tasks climb the tenant's ladder, and tells of it.

use std::sync::LazyLock;

use fault::Fault;
use opentelemetry::global;
use opentelemetry::metrics::Counter;
use pg::Tx;
use uuid::Uuid;

use crate::store;
use crate::supervision::{Climb, Rung, Step, Supervision};
use crate::task::Task;
use crate::wire::outbound;

/// Most tasks that are told of at a time; the rest soon after.
const BATCH: usize = 500;

static OVERDUE: LazyLock<Counter<u64>> = LazyLock::new(|| {
    global::meter("redress")
        .u64_counter("redress.task.overdue")
        .with_description("Departments' tasks that were found beyond their due time")
        .build()
});

/// Tells of overdue tasks of departments, named by their watches, which are locked; answers
/// whether more are left.
pub(crate) async fn climb(tx: &mut Tx, watches: &[Uuid]) -> Result<bool, Fault> {
    let now = tx.now();
    let (_, supervision) = store::supervision::get(tx).await?;
    let thresholds: Vec<_> = supervision.thresholds().collect();
    let limit = i64::try_from(BATCH).unwrap_or(i64::MAX);
    let tasks = store::tasks::overdue(tx, watches, &thresholds, now, limit).await?;
    let (mut told, mut steps, mut overdue) = (Vec::new(), Vec::new(), 0);
    for task in &tasks {
        let Some(due) = task.due_time else { continue };
        let Some(climb) = supervision.climb(task.overdue_step, due, now) else { continue };
        if climb.overdue {
            overdue += 1;
            tx.emit_in(task.traceparent.clone(), task.case_id.0, &outbound::task_overdue(task));
        }
        let climbed = climbed(tx, &supervision, task, &climb);
        if let Some(step) = climbed.last() {
            tx.emit_in(task.traceparent.clone(), task.case_id.0, &outbound::task_escalated(task, step));
        }
        told.push((task.task_id, climb.step));
        steps.extend(climbed);
    }
    if !told.is_empty() {
        store::supervision::keep(tx, &told, &steps).await?;
    }
    OVERDUE.add(overdue, &[]);
    Ok(tasks.len() >= BATCH)
}

/// What is kept of a climb: the highest rung is told, those below were due as well.
fn climbed(tx: &Tx, supervision: &Supervision, task: &Task, climb: &Climb) -> Vec<Step> {
    let highest = climb.rungs.last().map(|(number, _)| *number);
    let step = |(number, rung): &(i16, Rung)| Step {
        task_id: task.task_id,
        due_time: task.due_time.unwrap_or(tx.now()),
        rung: *number,
        level: rung.level,
        recipient: supervision.recipient(&task.department_id, rung.level),
        skipped: Some(*number) != highest,
        told_at: tx.now(),
    };
    climb.rungs.iter().map(step).collect()
}
