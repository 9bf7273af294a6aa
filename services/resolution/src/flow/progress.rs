//! Takes plans that changed as far as they go by themselves, stores what came of
//! it, and tells of those that ended.

use std::slice;

use fault::Fault;
use kernel::TaskId;
use pg::Tx;
use uuid::Uuid;

use super::stock_alerts;
use crate::delivery::Delivery;
use crate::plan::{Plan, PlanState};
use crate::store;
use crate::task::{Task, TaskState};
use crate::wire;

/// Notified when tasks may be polled for.
pub(crate) const TASKS: &str = "tasks";
/// Notified when there is something to bring to departments.
pub(crate) const DELIVERIES: &str = "deliveries";

/// Advances plans, which are locked and open, and stores them with what is booked of them,
/// those of their tasks that changed and those that begin.
pub(crate) async fn carry_on(tx: &mut Tx, plans: &mut [Plan], changed: &[Task]) -> Result<(), Fault> {
    let now = tx.now();
    let (mut begun, mut entries) = (Vec::new(), Vec::new());
    for plan in plans.iter_mut() {
        let tasks = plan.advance(now, || TaskId(tx.new_id()));
        for rest in tasks.iter().filter(|task| task.state == TaskState::NeedsAttention) {
            tell(tx, plan, &wire::outbound::task_needs_attention(rest));
        }
        begun.extend(tasks);
        tell_end(tx, plan);
        entries.extend(plan.book(changed, now, || tx.new_id()).map_err(Fault::internal)?);
    }
    store::plans::save(tx, plans, &entries).await?;
    if !changed.is_empty() {
        store::tasks::save(tx, changed).await?;
    }
    if !begun.is_empty() {
        store::tasks::insert(tx, &begun).await?;
        tx.notify(TASKS);
    }
    Ok(())
}

/// A task has ended, and the plan it belongs to, if it does, is locked: that goes on.
pub(crate) async fn task_ended(tx: &mut Tx, plan: Option<Plan>, task: &Task) -> Result<(), Fault> {
    if task.state == TaskState::Completed {
        wire::outbound::tell_completed(tx, task);
    }
    let changed = slice::from_ref(task);
    let Some(mut plan) = plan else { return save_apart(tx, changed).await };
    plan.task_ended(task);
    carry_on(tx, slice::from_mut(&mut plan), changed).await
}

/// Stores what became of tasks that belong to no plan, with what ends by that.
pub(crate) async fn save_apart(tx: &mut Tx, ended: &[Task]) -> Result<(), Fault> {
    store::tasks::save(tx, ended).await?;
    stock_alerts::close(tx, ended).await
}

/// A task went on as another, and the plan it belongs to, if it does, is locked.
pub(crate) async fn task_given_on(tx: &mut Tx, plan: Option<Plan>, task: &Task) -> Result<(), Fault> {
    let changed = slice::from_ref(task);
    let Some(mut plan) = plan else { return store::tasks::save(tx, changed).await };
    plan.task_given_on(task);
    carry_on(tx, slice::from_mut(&mut plan), changed).await
}

/// Cancels plans, which are locked, for one reason.
pub(crate) async fn cancel(tx: &mut Tx, plans: &mut [Plan], reason: &str) -> Result<(), Fault> {
    let begun: Vec<_> = plans
        .iter()
        .filter(|plan| plan.state != PlanState::Proposed)
        .map(|plan| (plan.case_id, plan.plan_id))
        .collect();
    let mut tasks = if begun.is_empty() { Vec::new() } else { store::tasks::lock_open(tx, &begun).await? };
    let before = versions(&tasks);
    let revised = plans.iter().filter(|plan| plan.pending_revision.is_some());
    let revised: Vec<Uuid> = revised.map(|plan| plan.plan_id.0).collect();
    let now = tx.now();
    if !revised.is_empty() {
        store::revisions::lapse(tx, &revised, now).await?;
    }
    for plan in plans.iter_mut() {
        plan.cancel(reason.to_owned(), &mut tasks, now)?;
    }
    let changed = changed(&before, tasks);
    carry_on(tx, plans, &changed).await?;
    tell_holders(tx, &changed).await
}

/// The versions of tasks, as they are before something is done about them.
pub(crate) fn versions(tasks: &[Task]) -> Vec<i64> {
    tasks.iter().map(|task| task.version).collect()
}

/// Those of tasks that are in another version than they were.
pub(crate) fn changed(before: &[i64], tasks: Vec<Task>) -> Vec<Task> {
    let changed = before.iter().zip(tasks).filter(|(version, task)| task.version != **version);
    changed.map(|(_, task)| task).collect()
}

/// Has departments told, to which tasks were brought, that these are no longer wanted.
/// Workers that poll hear it by their heartbeats.
pub(crate) async fn tell_holders(tx: &mut Tx, changed: &[Task]) -> Result<(), Fault> {
    let asked = |task: &&Task| task.state == TaskState::Leased && task.cancel_requested;
    let tasks: Vec<&Task> = changed.iter().filter(asked).collect();
    if tasks.is_empty() {
        return Ok(());
    }
    let now = tx.now();
    let ids: Vec<Uuid> = tasks.iter().map(|task| task.task_id.0).collect();
    let taken = store::deliveries::cancelled(tx, &ids, now).await?;
    let of = |(id, token): (Uuid, Uuid)| {
        let task = tasks.iter().find(|task| task.task_id.0 == id)?;
        Some(Delivery::of_cancel(tx.new_id(), task, token, now))
    };
    let deliveries: Vec<Delivery> = taken.into_iter().filter_map(of).collect();
    store::deliveries::insert(tx, &deliveries, now).await?;
    tx.notify(DELIVERIES);
    Ok(())
}

fn tell_end(tx: &mut Tx, plan: &Plan) {
    match plan.state {
        PlanState::Completed => tell(tx, plan, &wire::outbound::plan_completed(plan)),
        PlanState::Cancelled => tell(tx, plan, &wire::outbound::plan_cancelled(plan)),
        PlanState::Proposed | PlanState::Executing | PlanState::Rejected | PlanState::Cancelling => {}
    }
}

/// Tells of a plan in its case's trace; a batch serves many.
fn tell<M: prost::Name>(tx: &mut Tx, plan: &Plan, event: &M) {
    tx.emit_in(plan.traceparent.clone(), plan.case_id.0, event);
}
