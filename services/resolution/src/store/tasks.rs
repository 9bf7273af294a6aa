//! Departments' tasks.

mod boards;
mod queue;

use fault::Fault;
use jiff_sqlx::ToSqlx;
use kernel::{CaseId, PlanId, RecallId, TaskId};
use pg::Binds;
use sqlx::PgConnection;
use uuid::Uuid;

pub(crate) use boards::{list_by_slack, list_looping, list_oldest, overdue};
pub(crate) use queue::{Claim, Claimed, ahead, claim, claim_of, dead_rows, heartbeat, held};

use super::{CustomRow, goods, impossible, kind, money, remedy_columns};
use crate::remedy::{Hint, Inquiry, Remedy};
use crate::task::{OfProblem, Requeued, Task, TaskResult, TaskState};

/// Since when the task might have been handed out that waits longest, of all tenants;
/// later than now while all are leased or back off.
pub(crate) fn oldest_ready() -> String {
    let oldest = pg::sql!(
        "SELECT min(visible_at) FROM task WHERE state IN ({ready}, {leased})",
        ready = TaskState::Ready,
        leased = TaskState::Leased,
    );
    oldest.0
}

#[derive(sqlx::FromRow)]
pub(super) struct Row {
    task_id: Uuid,
    version: i64,
    plan_id: Option<Uuid>,
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
    due_with_case: bool,
    state: i16,
    attempt: i32,
    max_attempts: i32,
    worker: String,
    visible_at: jiff_sqlx::Timestamp,
    cancel_requested: bool,
    checkpoint: Vec<u8>,
    last_error: String,
    settle_reason: String,
    result_reference: Option<String>,
    result_minor: Option<i64>,
    result_remark: Option<String>,
    result_evidence: Vec<String>,
    inquiry: Option<i16>,
    requester: String,
    recall_id: Option<Uuid>,
    problem_id: Option<Uuid>,
    first_task_id: Option<Uuid>,
    hint: Option<i16>,
    lease_token: Option<Uuid>,
    requeued_by: Option<String>,
    requeue_reason: Option<String>,
    rejections: i32,
    given_to_task_id: Option<Uuid>,
    attempt_until: Option<jiff_sqlx::Timestamp>,
    overdue_step: i16,
    first_leased_at: Option<jiff_sqlx::Timestamp>,
    traceparent: String,
    created_at: jiff_sqlx::Timestamp,
    result_output: Option<String>,
    #[sqlx(flatten)]
    custom: CustomRow,
}

/// The columns of a row.
macro_rules! columns {
    () => {
        "task_id, version, plan_id, step_id, case_id, cycle, department_id, kind, compensates_task_id,
         amount_minor, currency, sku, quantity, instructions, priority, due_time, due_with_case, state, attempt,
         max_attempts, worker, visible_at, cancel_requested, checkpoint, last_error, settle_reason, result_reference,
         result_minor, result_remark, result_evidence, inquiry, requester, recall_id, problem_id, first_task_id, hint, lease_token, requeued_by, requeue_reason, rejections,
         given_to_task_id, attempt_until, overdue_step, first_leased_at, traceparent, created_at, result_output,
         remedy_type, remedy_type_version, input, moves_value, attempt_seconds, undo_instructions"
    };
}
pub(super) use columns;

impl Row {
    fn task(self) -> Result<Task, Fault> {
        let task_id = TaskId(self.task_id);
        let kind = kind(self.kind, task_id)?;
        let state = TaskState::of(self.state).ok_or_else(|| impossible("task.state", self.state, task_id))?;
        let inquiry = self
            .inquiry
            .map(|inquiry| Inquiry::of(inquiry).ok_or_else(|| impossible("task.inquiry", inquiry, task_id)));
        let of_problem = match (self.problem_id, self.first_task_id, self.hint) {
            (Some(problem_id), Some(first), Some(hint)) => {
                let hint = Hint::of(hint).ok_or_else(|| impossible("task.hint", hint, task_id))?;
                Some(OfProblem { problem_id, first_task_id: TaskId(first), hint })
            }
            _ => None,
        };
        let currency = self.currency.as_deref();
        let moved = money(self.result_minor, currency);
        let (evidence, result) = (self.result_evidence, self.result_reference.zip(self.result_remark));
        let output = self.result_output.unwrap_or_default();
        let result = result.map(|(reference, remark)| TaskResult {
            reference,
            amount: moved,
            remark,
            evidence,
            output,
        });
        let requeued = self.requeued_by.zip(self.requeue_reason);
        Ok(Task {
            task_id,
            version: self.version,
            plan_id: self.plan_id.map(PlanId),
            step_id: self.step_id,
            case_id: CaseId(self.case_id),
            cycle: self.cycle,
            department_id: self.department_id,
            remedy: Remedy {
                kind,
                amount: money(self.amount_minor, currency),
                goods: goods(self.sku, self.quantity),
                instructions: self.instructions,
                custom: self.custom.remedy(),
            },
            compensates: self.compensates_task_id.map(TaskId),
            priority: self.priority,
            due_time: self.due_time.map(jiff_sqlx::Timestamp::to_jiff),
            due_with_case: self.due_with_case,
            state,
            attempt: self.attempt,
            max_attempts: self.max_attempts,
            worker: self.worker,
            visible_at: self.visible_at.to_jiff(),
            cancel_requested: self.cancel_requested,
            checkpoint: self.checkpoint,
            last_error: self.last_error,
            settle_reason: self.settle_reason,
            result,
            lease_token: self.lease_token,
            requeued: requeued.map(|(by, reason)| Requeued { by, reason }),
            rejections: self.rejections,
            attempt_until: self.attempt_until.map(jiff_sqlx::Timestamp::to_jiff),
            overdue_step: self.overdue_step,
            first_leased_at: self.first_leased_at.map(jiff_sqlx::Timestamp::to_jiff),
            given_to: self.given_to_task_id.map(TaskId),
            inquiry: inquiry.transpose()?,
            requester: self.requester,
            recall_id: self.recall_id.map(RecallId),
            of_problem,
            traceparent: self.traceparent,
            created_at: self.created_at.to_jiff(),
        })
    }
}

pub(super) fn tasks(rows: Vec<Row>) -> Result<Vec<Task>, Fault> {
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

/// Those of these ids that are tasks.
pub(crate) async fn existing(conn: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<Uuid>, Fault> {
    let existing = sqlx::query_scalar(
        "SELECT task_id FROM task WHERE tenant_id = current_setting('redress.tenant') AND task_id = ANY($1)",
    )
    .bind(ids)
    .fetch_all(conn)
    .await?;
    Ok(existing)
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
    let rows = sqlx::query_as(pg::sql!(
        concat!(
            "SELECT ",
            columns!(),
            " FROM task
             WHERE tenant_id = current_setting('redress.tenant') AND case_id = ANY($1) AND plan_id = ANY($2)
               AND state IN ({ready}, {leased}, {attention}, {unknown}, {stock})
             ORDER BY task_id FOR UPDATE"
        ),
        ready = TaskState::Ready,
        leased = TaskState::Leased,
        attention = TaskState::NeedsAttention,
        unknown = TaskState::OutcomeUnknown,
        stock = TaskState::AwaitingStock,
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
    .bind(wanted(state))
    .bind(department_id)
    .bind(after.map_or(Uuid::max(), |task_id| task_id.0))
    .bind(limit)
    .fetch_all(conn)
    .await?;
    tasks(rows)
}

/// The states that are listed: one, or all.
fn wanted(state: Option<TaskState>) -> Vec<i16> {
    match state {
        Some(state) => vec![state.number()],
        None => TaskState::ALL.iter().map(|state| state.number()).collect(),
    }
}

/// What is due when nobody said, is due with its case.
const DUE_TIME: &str = "coalesce({}, (SELECT v.due_time FROM case_view v
    WHERE v.tenant_id = current_setting('redress.tenant') AND v.case_id = r.case_id))";

/// As urgent as its case is now: its plan may be older.
const PRIORITY: &str = "coalesce((SELECT v.priority FROM case_view v
    WHERE v.tenant_id = current_setting('redress.tenant') AND v.case_id = r.case_id), {})";

/// Stores new tasks.
pub(crate) async fn insert(conn: &mut PgConnection, tasks: &[Task]) -> Result<(), Fault> {
    let mut binds = Binds::default();
    let rows = binds
        .rows(tasks)
        .column("task_id", |task| task.task_id.0)
        .column("version", |_| 1_i64)
        .column("attempt", |_| 0_i32)
        .column("plan_id", |task| task.plan_id.map(|id| id.0))
        .column("step_id", |task| task.step_id.as_str())
        .column("case_id", |task| task.case_id.0)
        .column("cycle", |task| task.cycle)
        .column("department_id", |task| task.department_id.as_str())
        .column("compensates_task_id", |task| task.compensates.map(|id| id.0))
        .column_as("priority", PRIORITY, |task| task.priority)
        .column("due_with_case", |task| task.due_with_case)
        .column_as("due_time", DUE_TIME, |task| task.due_time.map(ToSqlx::to_sqlx))
        .column("max_attempts", |task| task.max_attempts)
        .column("visible_at", |task| task.visible_at.to_sqlx())
        .column("traceparent", |task| task.traceparent.as_str())
        .column("created_at", |task| task.created_at.to_sqlx())
        .column("state", |task| task.state.number())
        .column("last_error", |task| task.last_error.as_str())
        .column("checkpoint", |task| task.checkpoint.as_slice())
        .column("rejections", |task| task.rejections)
        .column("inquiry", |task| task.inquiry.map(Inquiry::number))
        .column("requester", |task| task.requester.as_str())
        .column("recall_id", |task| task.recall_id.map(|id| id.0))
        .column("problem_id", |task| task.of_problem.map(|of| of.problem_id))
        .column("first_task_id", |task| task.of_problem.map(|of| of.first_task_id.0))
        .column("hint", |task| task.of_problem.map(|of| of.hint.number()))
        .column("requeued_by", |task| task.requeued.as_ref().map(|requeued| requeued.by.as_str()))
        .column("requeue_reason", |task| task.requeued.as_ref().map(|requeued| requeued.reason.as_str()));
    let rows = remedy_columns(rows, |task| &task.remedy).done();
    binds.execute(&rows.insert_into("task"), conn).await?;
    Ok(())
}

/// Stores what became of tasks, which are locked.
pub(crate) async fn save(conn: &mut PgConnection, tasks: &[Task]) -> Result<(), Fault> {
    fn moved(result: &TaskResult) -> Option<i64> {
        result.amount.as_ref().map(|amount| amount.minor)
    }
    let mut binds = Binds::default();
    let rows = binds
        .rows(tasks)
        .column("task_id", |task| task.task_id.0)
        .column("version", |task| task.version)
        .column("state", |task| task.state.number())
        .column("attempt", |task| task.attempt)
        .column("visible_at", |task| task.visible_at.to_sqlx())
        .column("due_time", |task| task.due_time.map(ToSqlx::to_sqlx))
        .column("due_with_case", |task| task.due_with_case)
        .column("rejections", |task| task.rejections)
        .column("overdue_step", |task| task.overdue_step)
        .column("given_to_task_id", |task| task.given_to.map(|id| id.0))
        .column("cancel_requested", |task| task.cancel_requested)
        .column("last_error", |task| task.last_error.as_str())
        .column("settle_reason", |task| task.settle_reason.as_str())
        .column("result_reference", |task| task.result.as_ref().map(|result| result.reference.as_str()))
        .column("result_minor", |task| task.result.as_ref().and_then(moved))
        .column("result_remark", |task| task.result.as_ref().map(|result| result.remark.as_str()))
        .list("result_evidence", |task| {
            task.result.as_ref().map_or(&[][..], |result| result.evidence.as_slice())
        })
        .column("result_output", |task| task.result.as_ref().map(|result| result.output.as_str()))
        .column("lease_token", |task| task.lease_token)
        .column("requeued_by", |task| task.requeued.as_ref().map(|requeued| requeued.by.as_str()))
        .column("requeue_reason", |task| task.requeued.as_ref().map(|requeued| requeued.reason.as_str()))
        .done();
    let saved = binds.execute(&rows.update("task", &["task_id"]), conn).await?.rows_affected();
    if usize::try_from(saved).ok() == Some(tasks.len()) {
        Ok(())
    } else {
        Err(impossible("tasks saved", saved, tasks.iter().map(|task| task.task_id).collect::<Vec<_>>()))
    }
}
