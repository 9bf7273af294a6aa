//! Completed tasks, those that come together in one transaction.

use std::collections::HashMap;

use fault::Fault;
use pg::{Batch, BatchedMutation, Tx, Verdicts, Work};
use prost::Message as _;
use proto::redress::resolution::v1::CompleteTaskResponse;
use uuid::Uuid;

use crate::flow::progress;
use crate::plan::Plan;
use crate::refusal::Refusal;
use crate::task::{Task, TaskResult};
use crate::wire::tasks::Holder;
use crate::{store, wire};

/// Completions of tasks.
pub(in crate::rpc) struct Completions;

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
        Box::pin(carry_out(tx, asked))
    }
}

/// The plans first, so that two tasks of one that end at once take turns, and the
/// second sees what the first left to do.
async fn carry_out(tx: &mut Tx, asked: &[BatchedMutation<(Holder, TaskResult)>]) -> Result<Verdicts, Fault> {
    let ids: Vec<Uuid> = asked.iter().map(|one| one.job.0.task_id.0).collect();
    let plans = store::plans::lock_of_tasks(tx, &ids).await?;
    let tasks = store::tasks::lock(tx, &ids).await?;
    let mut plans: HashMap<Uuid, Plan> = plans.into_iter().map(|plan| (plan.plan_id.0, plan)).collect();
    let mut tasks: HashMap<Uuid, Task> = tasks.into_iter().map(|task| (task.task_id.0, task)).collect();
    let mut ended = Vec::new();
    let mut verdicts = Vec::with_capacity(asked.len());
    for one in asked {
        let outcome = complete(tx, &mut tasks, &plans, one);
        if let Ok(task) = &outcome {
            if let Some(plan) = plans.get_mut(&task.plan_id.0) {
                plan.task_ended(task);
            }
            ended.push(task.clone());
        }
        verdicts.push(
            outcome.map(|task| CompleteTaskResponse { task: Some(wire::tasks::task(&task)) }.encode_to_vec()),
        );
    }
    let mut moved: Vec<Plan> =
        plans.into_values().filter(|plan| ended.iter().any(|task| task.plan_id == plan.plan_id)).collect();
    if !moved.is_empty() {
        moved.sort_unstable_by_key(|plan| plan.plan_id.0);
        progress::carry_on(tx, &mut moved, &ended).await?;
    }
    Ok(verdicts)
}

/// Completes one task, in memory; a refused one stays as it was.
fn complete(
    tx: &mut Tx,
    tasks: &mut HashMap<Uuid, Task>,
    plans: &HashMap<Uuid, Plan>,
    one: &BatchedMutation<(Holder, TaskResult)>,
) -> Result<Task, Fault> {
    let (holder, result) = &one.job;
    let known = tasks.get_mut(&holder.task_id.0).ok_or(Refusal::TaskNotFound)?;
    server::serving(&one.caller, &known.department_id)?;
    known.held_under(holder.token)?;
    if known.remedy.amount.is_some() {
        plans.get(&known.plan_id.0).map_or(Ok(()), |plan| plan.may_be_paid_by(&one.caller.subject))?;
    }
    wire::tasks::fitting(known, result)?;
    let mut task = known.clone();
    task.complete(holder.token, result.clone())?;
    one.trace(tx, &task.traceparent);
    tx.emit(task.case_id.0, &wire::outbound::task_completed(&task));
    *known = task.clone();
    Ok(task)
}
