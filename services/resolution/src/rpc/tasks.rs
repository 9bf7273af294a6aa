//! Tasks: polled for, kept alive, reported done or failed, looked into, read.

mod complete;
mod poll;
mod stream;

use std::slice;
use std::sync::Arc;

use fault::Fault;
use kernel::{Caller, TaskId};
use pg::{Db, Group, Tx};
use proto::redress::resolution::v1::{
    CompleteTaskRequest, CompleteTaskResponse, FailTaskRequest, FailTaskResponse, GetTaskRequest,
    GetTaskResponse, HeartbeatRequest, HeartbeatResponse, ListTasksRequest, ListTasksResponse,
    RejectTaskRequest, RejectTaskResponse, RequeueTaskRequest, RequeueTaskResponse, SettleTaskRequest,
    SettleTaskResponse,
};
use tonic::{Request, Response};

pub(super) use complete::Completions;
pub(super) use poll::poll;
pub(super) use stream::{Leases, Streams};

use crate::flow::departments::Departments;
use crate::flow::remedy_types::TypesInUse;
use crate::flow::{progress, reports, undo};
use crate::plan::Plan;
use crate::refusal::Refusal;
use crate::store;
use crate::task::{Requeued, Task, TaskState};
use crate::wire;
use crate::wire::tasks::{After, Filter, Holder, Order, TaskListQuery};

/// The task a worker of its department holds, locked; what is told next is in its
/// case's trace.
async fn lock(tx: &mut Tx, caller: &Caller, holder: Holder) -> Result<Task, Fault> {
    let task = store::tasks::lock(tx, &[holder.task_id.0]).await?.pop().ok_or(Refusal::TaskNotFound)?;
    server::serving(caller, &task.department_id)?;
    task.held_under(holder.token)?;
    tx.join_trace(&task.traceparent);
    Ok(task)
}

/// As [`lock`], and its plan: the plan first, so that two tasks of it that end at
/// once take turns, and the second sees what the first left to do.
pub(super) async fn lock_with_plan(
    tx: &mut Tx,
    caller: &Caller,
    holder: Holder,
) -> Result<(Option<Plan>, Task), Fault> {
    let plan = store::plans::lock_of_tasks(tx, &[holder.task_id.0]).await?.pop();
    let task = lock(tx, caller, holder).await?;
    Ok((plan, task))
}

/// `Heartbeat`
pub(super) async fn heartbeat(
    db: &Db,
    request: Request<HeartbeatRequest>,
) -> Result<Response<HeartbeatResponse>, Fault> {
    let caller = server::caller(&request)?;
    let worker = &caller;
    let sign = wire::tasks::sign(request.into_inner())?;
    let answer = db
        .transact("resolution.heartbeat", &caller.tenant, async move |mut tx| {
            let until = kernel::time::micros(tx.now() + sign.lease);
            let Holder { task_id, token } = sign.holder;
            // Only a worker who is bound need be asked whose the task is.
            if worker.roles.bound_to().is_some() {
                let task = store::tasks::get(&mut tx, task_id).await?.ok_or(Refusal::TaskNotFound)?;
                server::serving(worker, &task.department_id)?;
            }
            let span = (tx.now(), until);
            match store::tasks::heartbeat(&mut tx, (task_id, token), span, &sign.checkpoint).await? {
                Some(heard) => Ok((tx, wire::tasks::heard(&heard))),
                None if store::tasks::get(&mut tx, task_id).await?.is_none() => {
                    Err(Refusal::TaskNotFound.into())
                }
                None => Err(Refusal::LeaseLost.into()),
            }
        })
        .await?;
    Ok(Response::new(answer))
}

/// `CompleteTask`
pub(super) async fn complete(
    completions: &Arc<Group<Completions>>,
    request: Request<CompleteTaskRequest>,
) -> Result<Response<CompleteTaskResponse>, Fault> {
    let (context, request) = server::mutation(request)?;
    let completion = wire::tasks::completion(request)?;
    Ok(server::reply(completions.mutate(context, completion).await?))
}

/// `FailTask`
pub(super) async fn fail(
    db: &Db,
    request: Request<FailTaskRequest>,
) -> Result<Response<FailTaskResponse>, Fault> {
    let (context, request) = server::mutation(request)?;
    let (holder, failure) = wire::tasks::failure(request)?;
    let jitter = db.ids().fraction();
    let done = db
        .mutate(context, async move |mut tx, caller| {
            let (plan, mut task) = lock_with_plan(&mut tx, &caller, holder).await?;
            reports::failed(&mut tx, plan, &mut task, (holder.token, failure), jitter).await?;
            Ok((tx, FailTaskResponse { task: Some(wire::tasks::task(&task)) }))
        })
        .await?;
    Ok(server::reply(done))
}

/// `RejectTask`
pub(super) async fn reject(
    db: &Db,
    request: Request<RejectTaskRequest>,
) -> Result<Response<RejectTaskResponse>, Fault> {
    let (context, request) = server::mutation(request)?;
    let (holder, reason) = wire::tasks::rejection(request)?;
    let done = db
        .mutate(context, async move |mut tx, caller| {
            let mut task = lock(&mut tx, &caller, holder).await?;
            reports::rejected(&mut tx, &mut task, holder.token, reason).await?;
            Ok((tx, RejectTaskResponse { task: Some(wire::tasks::task(&task)) }))
        })
        .await?;
    reports::count_escalation(done.answer.task.as_ref().is_some_and(|task| task.escalated));
    Ok(server::reply(done))
}

/// `SettleTask`
pub(super) async fn settle(
    db: &Db,
    types: &TypesInUse,
    request: Request<SettleTaskRequest>,
) -> Result<Response<SettleTaskResponse>, Fault> {
    let (context, request) = server::mutation(request)?;
    let (task_id, settlement) = wire::tasks::settlement(request)?;
    let done = db
        .mutate(context, async move |mut tx, caller| {
            let plan = store::plans::lock_of_tasks(&mut tx, &[task_id.0]).await?.pop();
            let task = store::tasks::lock(&mut tx, &[task_id.0]).await?.pop();
            let mut task = task.ok_or(Refusal::TaskNotFound)?;
            server::serving(&caller, &task.department_id)?;
            task.may_be_paid_by(plan.as_ref(), &caller.subject)?;
            if let Some(result) = &settlement.result {
                let types = types.of_tasks(&mut tx, &caller.tenant, slice::from_ref(&task).iter()).await?;
                wire::tasks::fitting(&task, result, &types)?;
            }
            task.settle(settlement, tx.now())?;
            tx.join_trace(&task.traceparent);
            if task.state == TaskState::Ready {
                undo::note_failed(&mut tx, slice::from_ref(&task)).await?;
                store::tasks::save(&mut tx, slice::from_ref(&task)).await?;
                tx.notify(progress::TASKS);
            } else {
                progress::task_ended(&mut tx, plan, &task).await?;
            }
            Ok((tx, SettleTaskResponse { task: Some(wire::tasks::task(&task)) }))
        })
        .await?;
    Ok(server::reply(done))
}

/// `RequeueTask`
pub(super) async fn requeue(
    db: &Db,
    departments: &Departments,
    request: Request<RequeueTaskRequest>,
) -> Result<Response<RequeueTaskResponse>, Fault> {
    let (context, request) = server::mutation(request)?;
    let requeue = wire::tasks::requeue(request)?;
    if let Some(department) = &requeue.department_id {
        departments.ensure(db, &context.caller.tenant, department).await?;
    }
    let done = db
        .mutate(context, async move |mut tx, caller| {
            let plan = store::plans::lock_of_tasks(&mut tx, &[requeue.task_id.0]).await?.pop();
            let task = store::tasks::lock(&mut tx, &[requeue.task_id.0]).await?.pop();
            let mut task = task.ok_or(Refusal::TaskNotFound)?;
            super::plans::not_about(&mut tx, task.case_id, &caller).await?;
            let requeued = Requeued { by: caller.subject.to_string(), reason: requeue.reason };
            let department_id = requeue.department_id.filter(|id| *id != task.department_id);
            let requeued = if let Some(department_id) = department_id {
                let next = (TaskId(tx.new_id()), department_id);
                let next = task.give_to(next, requeued, tx.now())?;
                progress::task_given_on(&mut tx, plan, &task).await?;
                store::tasks::insert(&mut tx, slice::from_ref(&next)).await?;
                next
            } else {
                task.requeue(requeued, tx.now())?;
                store::tasks::save(&mut tx, slice::from_ref(&task)).await?;
                task
            };
            tx.notify(progress::TASKS);
            Ok((tx, RequeueTaskResponse { task: Some(wire::tasks::task(&requeued)) }))
        })
        .await?;
    Ok(server::reply(done))
}

/// `GetTask`
pub(super) async fn get(
    db: &Db,
    request: Request<GetTaskRequest>,
) -> Result<Response<GetTaskResponse>, Fault> {
    let caller = server::caller(&request)?;
    let task_id = wire::tasks::reading(request.into_inner())?;
    let found = db
        .transact("resolution.get_task", &caller.tenant, async move |mut tx| {
            let task = store::tasks::get(&mut tx, task_id).await?.ok_or(Refusal::TaskNotFound)?;
            let proposals = store::proposals::of_task(&mut tx, task_id).await?;
            let reports = store::reports::of_task(&mut tx, task_id).await?;
            let shortages = store::stock::of_task(&mut tx, task_id).await?;
            let steps = store::supervision::of_task(&mut tx, task_id).await?;
            let undoing = match task.undoes() {
                Some(step) => Some(store::undo::record(&mut tx, &step).await?),
                None => None,
            };
            Ok((tx, (task, proposals, reports, shortages, steps, undoing)))
        })
        .await?;
    let (task, proposals, reports, shortages, steps, undoing) = found;
    server::seeing(&caller, &task.department_id)?;
    Ok(Response::new(GetTaskResponse {
        task: Some(wire::tasks::task(&task)),
        proposals: proposals.iter().map(wire::proposals::proposal).collect(),
        refused_reports: reports.iter().map(wire::tasks::refused_report).collect(),
        shortages: shortages.iter().map(wire::stock::shortage).collect(),
        supervision_steps: steps.iter().map(wire::supervision::step).collect(),
        undo_record: undoing.as_ref().map(wire::undo::record),
    }))
}

/// `ListTasks`
pub(super) async fn list(
    db: &Db,
    departments: &Departments,
    request: Request<ListTasksRequest>,
) -> Result<Response<ListTasksResponse>, Fault> {
    let caller = server::caller(&request)?;
    let TaskListQuery { filter, page, after } = wire::tasks::listing(request.into_inner())?;
    match &filter {
        Filter::Case(_) => server::seeing_all(&caller)?,
        Filter::Department(department_id, ..) => {
            server::seeing(&caller, department_id)?;
            departments.ensure(db, &caller.tenant, department_id).await?;
        }
    }
    let (limit, listed) = (page.limit(), filter.clone());
    let tasks = db
        .transact("resolution.list_tasks", &caller.tenant, async move |mut tx| {
            let tasks = listed_tasks(&mut tx, listed, after, limit).await?;
            Ok((tx, tasks))
        })
        .await?;
    let tasks = tasks.iter().map(|task| (filter.key(task), wire::tasks::task(task)));
    let (tasks, next_page_token) = server::page(&page, tasks);
    Ok(Response::new(ListTasksResponse { tasks, next_page_token }))
}

async fn listed_tasks(
    tx: &mut Tx,
    filter: Filter,
    after: Option<After>,
    limit: i64,
) -> Result<Vec<Task>, Fault> {
    let id = after.map(|after| after.task_id);
    match filter {
        Filter::Case(case_id) => store::tasks::list_of_case(tx, case_id, id, limit).await,
        Filter::Department(department, state, Order::Newest) => {
            store::tasks::list_of_department(tx, &department, state, id, limit).await
        }
        Filter::Department(department, state, Order::Oldest) => {
            store::tasks::list_oldest(tx, &department, state, id, limit).await
        }
        Filter::Department(department, state, Order::LeastSlack) => {
            let after = after.and_then(|after| Some((after.due_time?, after.task_id)));
            store::tasks::list_by_slack(tx, &department, state, after, limit).await
        }
        Filter::Department(department, _, Order::Looping) => {
            store::tasks::list_looping(tx, &department, id, limit).await
        }
    }
}
