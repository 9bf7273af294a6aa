//! Completed tasks, those that come together in one transaction.

use std::collections::HashMap;
use std::sync::Arc;

use fault::{Fault, Refusal as _};
use pg::{Batch, BatchedMutation, Tx, Verdicts, Work};
use prost::Message as _;
use proto::redress::resolution::v1::CompleteTaskResponse;
use uuid::Uuid;

use crate::flow::progress;
use crate::flow::remedy_types::TypesInUse;
use crate::plan::Plan;
use crate::refusal::Refusal;
use crate::remedy_type::RemedyTypes;
use crate::task::{RefusedReport, Task, TaskResult};
use crate::wire::tasks::Holder;
use crate::{store, wire};

/// Completions of tasks.
pub(in crate::rpc) struct Completions(pub(in crate::rpc) Arc<TypesInUse>);

impl Batch for Completions {
    type Job = (Holder, TaskResult);

    fn name(&self) -> &'static str {
        "task.complete"
    }

    fn carry_out<'a>(
        &'a self,
        tx: &'a mut Tx,
        asked: &'a [BatchedMutation<Self::Job>],
    ) -> Work<'a, Verdicts> {
        Box::pin(carry_out(tx, &self.0, asked))
    }
}

/// The plans first, so that two tasks of one that end at once take turns, and the
/// second sees what the first left to do.
async fn carry_out(
    tx: &mut Tx,
    types: &TypesInUse,
    asked: &[BatchedMutation<(Holder, TaskResult)>],
) -> Result<Verdicts, Fault> {
    let Some(first) = asked.first() else { return Ok(Verdicts::new()) };
    let ids: Vec<Uuid> = asked.iter().map(|one| one.job.0.task_id.0).collect();
    let plans = store::plans::lock_of_tasks(tx, &ids).await?;
    let tasks = store::tasks::lock(tx, &ids).await?;
    let types = types.of_tasks(tx, &first.caller.tenant, tasks.iter()).await?;
    let given_to: Vec<Uuid> = tasks.iter().filter_map(|task| task.given_to).map(|id| id.0).collect();
    let next = if given_to.is_empty() { Vec::new() } else { store::tasks::lock(tx, &given_to).await? };
    let tasks = tasks.into_iter().chain(next);
    let mut tasks: HashMap<Uuid, Task> = tasks.map(|task| (task.task_id.0, task)).collect();
    let mut plans: HashMap<Uuid, Plan> = plans.into_iter().map(|plan| (plan.plan_id.0, plan)).collect();
    let (mut ended, mut refused) = (Vec::new(), Vec::new());
    let mut verdicts = Vec::with_capacity(asked.len());
    for one in asked {
        let outcome = complete(tx, (&mut tasks, &types), &plans, one);
        if let Ok((task, next)) = &outcome {
            if let Some(plan) = task.plan_id.and_then(|id| plans.get_mut(&id.0)) {
                plan.task_ended(task);
            }
            ended.push(task.clone());
            ended.extend(next.clone());
        }
        refused.extend(outcome.as_ref().err().and_then(|fault| too_late(tx, &tasks, one, fault)));
        verdicts.push(
            outcome.map(|(task, _)| {
                CompleteTaskResponse { task: Some(wire::tasks::task(&task)) }.encode_to_vec()
            }),
        );
    }
    store::reports::keep(tx, &refused).await?;
    let (ended, apart): (Vec<Task>, Vec<Task>) = ended.into_iter().partition(|task| task.plan_id.is_some());
    if !apart.is_empty() {
        progress::save_apart(tx, &apart).await?;
    }
    let in_it = |plan: &Plan| ended.iter().any(|task| task.plan_id == Some(plan.plan_id));
    let mut moved: Vec<Plan> = plans.into_values().filter(in_it).collect();
    if !moved.is_empty() {
        moved.sort_unstable_by_key(|plan| plan.plan_id.0);
        progress::carry_on(tx, &mut moved, &ended).await?;
    }
    Ok(verdicts)
}

/// Completes one task, in memory; a refused one stays as it was. Answers what was to be
/// done of it by another department as well, cancelled.
fn complete(
    tx: &mut Tx,
    (tasks, types): (&mut HashMap<Uuid, Task>, &RemedyTypes),
    plans: &HashMap<Uuid, Plan>,
    one: &BatchedMutation<(Holder, TaskResult)>,
) -> Result<(Task, Option<Task>), Fault> {
    let (holder, result) = &one.job;
    let known = tasks.get(&holder.task_id.0).ok_or(Refusal::TaskNotFound)?;
    server::serving(&one.caller, &known.department_id)?;
    known.held_under(holder.token)?;
    known.may_be_paid_by(known.plan_id.and_then(|id| plans.get(&id.0)), &one.caller.subject)?;
    wire::tasks::fitting(known, result, types)?;
    let mut task = known.clone();
    let mut next = task.given_to.and_then(|id| tasks.get(&id.0)).cloned();
    match &mut next {
        Some(next) => task.complete_reassigned(holder.token, result.clone(), next)?,
        None => task.complete(holder.token, result.clone())?,
    }
    one.trace(tx, &task.traceparent);
    wire::outbound::tell_completed(tx, &task);
    for changed in next.iter().chain([&task]) {
        tasks.insert(changed.task_id.0, changed.clone());
    }
    Ok((task, next))
}

/// The report as it is kept, where it was refused because somebody else holds the task.
fn too_late(
    tx: &Tx,
    tasks: &HashMap<Uuid, Task>,
    one: &BatchedMutation<(Holder, TaskResult)>,
    fault: &Fault,
) -> Option<(RefusedReport, Uuid)> {
    let (holder, result) = &one.job;
    // No token of ours is the nil one.
    if fault.reason() != Refusal::LeaseLost.reason() || holder.token.is_nil() {
        return None;
    }
    let task = tasks.get(&holder.task_id.0)?;
    let report = RefusedReport {
        task_id: task.task_id,
        department_id: task.department_id.clone(),
        reporter: one.caller.subject.to_string(),
        result: result.clone(),
        reported_at: tx.now(),
    };
    Some((report, holder.token))
}
