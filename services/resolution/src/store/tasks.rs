//! Departments' tasks.

mod queue;

use fault::Fault;
use jiff_sqlx::ToSqlx;
use kernel::{CaseId, PlanId, TaskId};
use sqlx::PgConnection;
use uuid::Uuid;

pub(crate) use queue::{Claim, Claimed, claim, heartbeat};

use super::{Remedies, goods, impossible, kind, money};
use crate::remedy::Remedy;
use crate::task::{Requeued, Task, TaskResult, TaskState};

/// Since when the task might have been handed out that waits longest, of all tenants;
/// later than now while all are leased or back off.
pub(crate) const OLDEST_READY: &str = "SELECT min(visible_at) FROM task WHERE state IN (1, 2)";

#[derive(sqlx::FromRow)]
struct Row {
    task_id: Uuid,
    version: i64,
    plan_id: Uuid,
    step_id: String,
    case_id: Uuid,
    cycle: i32,
    department_id: String,
    kind: i16,
    compensates_task_id: Option<Uuid>,
    amount_minor: Option<i64>,
    currency: Option<String>,
    sku: Option<String>,
    quantity: Option<i32>,
    instructions: String,
    priority: i16,
    due_time: Option<jiff_sqlx::Timestamp>,
    state: i16,
    attempt: i32,
    max_attempts: i32,
    worker: String,
    visible_at: jiff_sqlx::Timestamp,
    cancel_requested: bool,
    checkpoint: Vec<u8>,
    last_error: String,
    result_reference: Option<String>,
    result_minor: Option<i64>,
    result_remark: Option<String>,
    lease_token: Option<Uuid>,
    requeued_by: Option<String>,
    requeue_reason: Option<String>,
    traceparent: String,
    created_at: jiff_sqlx::Timestamp,
}

/// The columns of a row.
macro_rules! columns {
    () => {
        "task_id, version, plan_id, step_id, case_id, cycle, department_id, kind, compensates_task_id,
         amount_minor, currency, sku, quantity, instructions, priority, due_time, state, attempt,
         max_attempts, worker, visible_at, cancel_requested, checkpoint, last_error, result_reference,
         result_minor, result_remark, lease_token, requeued_by, requeue_reason, traceparent, created_at"
    };
}
use columns;

impl Row {
    fn task(self) -> Result<Task, Fault> {
        let task_id = TaskId(self.task_id);
        let kind = kind(self.kind, task_id)?;
        let state = TaskState::of(self.state).ok_or_else(|| impossible("task.state", self.state, task_id))?;
        let currency = self.currency.as_deref();
        let moved = money(self.result_minor, currency);
        let result = self.result_reference.zip(self.result_remark);
        let requeued = self.requeued_by.zip(self.requeue_reason);
        Ok(Task {
            task_id,
            version: self.version,
            plan_id: PlanId(self.plan_id),
            step_id: self.step_id,
            case_id: CaseId(self.case_id),
            cycle: self.cycle,
            department_id: self.department_id,
            remedy: Remedy {
                kind,
                amount: money(self.amount_minor, currency),
                goods: goods(self.sku, self.quantity),
                instructions: self.instructions,
            },
            compensates: self.compensates_task_id.map(TaskId),
            priority: self.priority,
            due_time: self.due_time.map(jiff_sqlx::Timestamp::to_jiff),
            state,
            attempt: self.attempt,
            max_attempts: self.max_attempts,
            worker: self.worker,
            visible_at: self.visible_at.to_jiff(),
            cancel_requested: self.cancel_requested,
            checkpoint: self.checkpoint,
            last_error: self.last_error,
            result: result.map(|(reference, remark)| TaskResult { reference, amount: moved, remark }),
            lease_token: self.lease_token,
            requeued: requeued.map(|(by, reason)| Requeued { by, reason }),
            traceparent: self.traceparent,
            created_at: self.created_at.to_jiff(),
        })
    }
}

fn tasks(rows: Vec<Row>) -> Result<Vec<Task>, Fault> {
    rows.into_iter().map(Row::task).collect()
}

/// A task.
pub(crate) async fn get(conn: &mut PgConnection, task_id: TaskId) -> Result<Option<Task>, Fault> {
    let row: Option<Row> = sqlx::query_as(concat!(
        "SELECT ",
        columns!(),
        " FROM task WHERE tenant_id = current_setting('redress.tenant') AND task_id = $1"
    ))
    .bind(task_id.0)
    .fetch_optional(conn)
    .await?;
    row.map(Row::task).transpose()
}

/// Tasks, locked.
pub(crate) async fn lock(conn: &mut PgConnection, task_ids: &[Uuid]) -> Result<Vec<Task>, Fault> {
    let rows = sqlx::query_as(concat!(
        "SELECT ",
        columns!(),
        " FROM task
         WHERE tenant_id = current_setting('redress.tenant') AND task_id = ANY($1)
         ORDER BY task_id FOR UPDATE"
    ))
    .bind(task_ids)
    .fetch_all(conn)
    .await?;
    tasks(rows)
}

/// The tasks of plans, which are locked, that have not ended; locked.
pub(crate) async fn lock_open(
    conn: &mut PgConnection,
    plans: &[(CaseId, PlanId)],
) -> Result<Vec<Task>, Fault> {
    let rows = sqlx::query_as(concat!(
        "SELECT ",
        columns!(),
        " FROM task
         WHERE tenant_id = current_setting('redress.tenant') AND case_id = ANY($1) AND plan_id = ANY($2)
           AND state IN (1, 2, 4, 6)
         ORDER BY task_id FOR UPDATE"
    ))
    .bind(plans.iter().map(|(case_id, _)| case_id.0).collect::<Vec<_>>())
    .bind(plans.iter().map(|(_, plan_id)| plan_id.0).collect::<Vec<_>>())
    .fetch_all(conn)
    .await?;
    tasks(rows)
}

/// A case's tasks, newest first, after the last of the page before.
pub(crate) async fn list_of_case(
    conn: &mut PgConnection,
    case_id: CaseId,
    after: Option<TaskId>,
    limit: i64,
) -> Result<Vec<Task>, Fault> {
    let rows = sqlx::query_as(concat!(
        "SELECT ",
        columns!(),
        " FROM task
         WHERE tenant_id = current_setting('redress.tenant') AND case_id = $1
           AND task_id < $2
         ORDER BY task_id DESC LIMIT $3"
    ))
    .bind(case_id.0)
    .bind(after.map_or(Uuid::max(), |task_id| task_id.0))
    .bind(limit)
    .fetch_all(conn)
    .await?;
    tasks(rows)
}

/// A department's tasks, newest first, after the last of the page before. The
/// index is by state: for all states, the newest of each are merged.
pub(crate) async fn list_of_department(
    conn: &mut PgConnection,
    department_id: &str,
    state: Option<TaskState>,
    after: Option<TaskId>,
    limit: i64,
) -> Result<Vec<Task>, Fault> {
    let states = state.map_or_else(|| (1..=6).collect(), |state| vec![state.number()]);
    let rows = sqlx::query_as(concat!(
        "SELECT ",
        columns!(),
        " FROM UNNEST($1::smallint[]) AS wanted (wanted_state)
         CROSS JOIN LATERAL (
             SELECT * FROM task
             WHERE tenant_id = current_setting('redress.tenant') AND department_id = $2
               AND state = wanted_state AND task_id < $3
             ORDER BY task_id DESC LIMIT $4) AS newest
         ORDER BY task_id DESC LIMIT $4"
    ))
    .bind(states)
    .bind(department_id)
    .bind(after.map_or(Uuid::max(), |task_id| task_id.0))
    .bind(limit)
    .fetch_all(conn)
    .await?;
    tasks(rows)
}

/// Stores new tasks.
pub(crate) async fn insert(conn: &mut PgConnection, tasks: &[Task]) -> Result<(), Fault> {
    let remedies = Remedies::of(tasks.iter().map(|task| &task.remedy));
    sqlx::query(
        "INSERT INTO task (tenant_id, version, attempt, task_id, plan_id, step_id, case_id, cycle,
                           department_id, compensates_task_id, priority, due_time, max_attempts, visible_at,
                           traceparent, created_at, kind, amount_minor, currency, sku, quantity, instructions,
                           state, last_error)
         SELECT current_setting('redress.tenant'), 1, 0, t.*
         FROM (SELECT UNNEST($1::uuid[]), UNNEST($2::uuid[]), UNNEST($3::text[]), UNNEST($4::uuid[]),
                      UNNEST($5::int[]), UNNEST($6::text[]), UNNEST($7::uuid[]), UNNEST($8::smallint[]),
                      UNNEST($9::timestamptz[]), UNNEST($10::int[]), UNNEST($11::timestamptz[]),
                      UNNEST($12::text[]), UNNEST($13::timestamptz[]), UNNEST($14::smallint[]),
                      UNNEST($15::bigint[]), UNNEST($16::text[]), UNNEST($17::text[]), UNNEST($18::int[]),
                      UNNEST($19::text[]), UNNEST($20::smallint[]), UNNEST($21::text[])) AS t",
    )
    .bind(tasks.iter().map(|task| task.task_id.0).collect::<Vec<_>>())
    .bind(tasks.iter().map(|task| task.plan_id.0).collect::<Vec<_>>())
    .bind(tasks.iter().map(|task| task.step_id.as_str()).collect::<Vec<_>>())
    .bind(tasks.iter().map(|task| task.case_id.0).collect::<Vec<_>>())
    .bind(tasks.iter().map(|task| task.cycle).collect::<Vec<_>>())
    .bind(tasks.iter().map(|task| task.department_id.as_str()).collect::<Vec<_>>())
    .bind(tasks.iter().map(|task| task.compensates.map(|id| id.0)).collect::<Vec<_>>())
    .bind(tasks.iter().map(|task| task.priority).collect::<Vec<_>>())
    .bind(tasks.iter().map(|task| task.due_time.map(ToSqlx::to_sqlx)).collect::<Vec<_>>())
    .bind(tasks.iter().map(|task| task.max_attempts).collect::<Vec<_>>())
    .bind(tasks.iter().map(|task| task.visible_at.to_sqlx()).collect::<Vec<_>>())
    .bind(tasks.iter().map(|task| task.traceparent.as_str()).collect::<Vec<_>>())
    .bind(tasks.iter().map(|task| task.created_at.to_sqlx()).collect::<Vec<_>>())
    .bind(remedies.kinds)
    .bind(remedies.minors)
    .bind(remedies.currencies)
    .bind(remedies.skus)
    .bind(remedies.quantities)
    .bind(remedies.instructions)
    .bind(tasks.iter().map(|task| task.state.number()).collect::<Vec<_>>())
    .bind(tasks.iter().map(|task| task.last_error.as_str()).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}

/// Stores what became of tasks, which are locked.
pub(crate) async fn save(conn: &mut PgConnection, tasks: &[Task]) -> Result<(), Fault> {
    let result = |task: &Task| task.result.clone();
    let saved = sqlx::query(
        "UPDATE task SET version = t.version, department_id = t.department_id, state = t.state,
                         attempt = t.attempt, visible_at = t.visible_at,
                         cancel_requested = t.cancel_requested, last_error = t.last_error,
                         result_reference = t.reference, result_minor = t.minor, result_remark = t.remark,
                         lease_token = t.lease_token, requeued_by = t.requeued_by,
                         requeue_reason = t.requeue_reason
         FROM (SELECT UNNEST($1::uuid[]) AS task_id, UNNEST($2::bigint[]) AS version,
                      UNNEST($3::text[]) AS department_id, UNNEST($4::smallint[]) AS state,
                      UNNEST($5::int[]) AS attempt, UNNEST($6::timestamptz[]) AS visible_at,
                      UNNEST($7::bool[]) AS cancel_requested, UNNEST($8::text[]) AS last_error,
                      UNNEST($9::text[]) AS reference, UNNEST($10::bigint[]) AS minor,
                      UNNEST($11::text[]) AS remark, UNNEST($12::uuid[]) AS lease_token,
                      UNNEST($13::text[]) AS requeued_by, UNNEST($14::text[]) AS requeue_reason) AS t
         WHERE task.tenant_id = current_setting('redress.tenant') AND task.task_id = t.task_id",
    )
    .bind(tasks.iter().map(|task| task.task_id.0).collect::<Vec<_>>())
    .bind(tasks.iter().map(|task| task.version).collect::<Vec<_>>())
    .bind(tasks.iter().map(|task| task.department_id.as_str()).collect::<Vec<_>>())
    .bind(tasks.iter().map(|task| task.state.number()).collect::<Vec<_>>())
    .bind(tasks.iter().map(|task| task.attempt).collect::<Vec<_>>())
    .bind(tasks.iter().map(|task| task.visible_at.to_sqlx()).collect::<Vec<_>>())
    .bind(tasks.iter().map(|task| task.cancel_requested).collect::<Vec<_>>())
    .bind(tasks.iter().map(|task| task.last_error.as_str()).collect::<Vec<_>>())
    .bind(tasks.iter().map(|task| result(task).map(|result| result.reference)).collect::<Vec<_>>())
    .bind(
        tasks
            .iter()
            .map(|task| result(task).and_then(|result| result.amount).map(|amount| amount.minor))
            .collect::<Vec<_>>(),
    )
    .bind(tasks.iter().map(|task| result(task).map(|result| result.remark)).collect::<Vec<_>>())
    .bind(tasks.iter().map(|task| task.lease_token).collect::<Vec<_>>())
    .bind(tasks.iter().map(|task| task.requeued.as_ref().map(|r| r.by.as_str())).collect::<Vec<_>>())
    .bind(tasks.iter().map(|task| task.requeued.as_ref().map(|r| r.reason.as_str())).collect::<Vec<_>>())
    .execute(conn)
    .await?
    .rows_affected();
    if usize::try_from(saved).ok() == Some(tasks.len()) {
        Ok(())
    } else {
        Err(impossible("tasks saved", saved, tasks.iter().map(|task| task.task_id).collect::<Vec<_>>()))
    }
}
