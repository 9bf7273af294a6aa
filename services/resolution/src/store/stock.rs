//! What departments said they lacked for their tasks.

use std::collections::HashMap;

use fault::Fault;
use jiff_sqlx::ToSqlx as _;
use kernel::TaskId;
use sqlx::PgConnection;
use timers::Held;
use uuid::Uuid;

use crate::plan::Plan;
use crate::shortage::Shortage;
use crate::task::TaskState;

/// Most shortages that are shown of one task.
const MAX_SHOWN: i64 = 100;

#[derive(sqlx::FromRow)]
struct Row {
    task_id: Uuid,
    number: i32,
    department_id: String,
    sku: String,
    expected_at: jiff_sqlx::Timestamp,
    reporter: String,
    reported_at: jiff_sqlx::Timestamp,
}

impl Row {
    fn shortage(self) -> Shortage {
        Shortage {
            task_id: TaskId(self.task_id),
            number: self.number,
            department_id: self.department_id,
            sku: self.sku,
            expected_at: self.expected_at.to_jiff(),
            reporter: self.reporter,
            reported_at: self.reported_at.to_jiff(),
        }
    }
}

/// Stores that a task, which is locked, lacks something; answers which time it is.
pub(crate) async fn insert(conn: &mut PgConnection, shortage: &Shortage) -> Result<i32, Fault> {
    let number = sqlx::query_scalar(
        "INSERT INTO shortage (
             tenant_id, task_id, number, department_id, sku, expected_at, reporter, reported_at)
         SELECT current_setting('redress.tenant'), $1, coalesce(max(number), 0) + 1, $2, $3, $4, $5, $6
         FROM shortage WHERE tenant_id = current_setting('redress.tenant') AND task_id = $1
         RETURNING number",
    )
    .bind(shortage.task_id.0)
    .bind(&shortage.department_id)
    .bind(&shortage.sku)
    .bind(shortage.expected_at.to_sqlx())
    .bind(&shortage.reporter)
    .bind(shortage.reported_at.to_sqlx())
    .fetch_one(conn)
    .await?;
    Ok(number)
}

/// The last shortages of a task, the oldest first.
pub(crate) async fn of_task(conn: &mut PgConnection, task_id: TaskId) -> Result<Vec<Shortage>, Fault> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT task_id, number, department_id, sku, expected_at, reporter, reported_at FROM shortage
         WHERE tenant_id = current_setting('redress.tenant') AND task_id = $1
         ORDER BY number DESC LIMIT $2",
    )
    .bind(task_id.0)
    .bind(MAX_SHOWN)
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().rev().map(Row::shortage).collect())
}

/// What the tasks of a plan wait for, by the task: the last shortage of each that does.
pub(crate) async fn of_plan(
    conn: &mut PgConnection,
    plan: &Plan,
) -> Result<HashMap<TaskId, Shortage>, Fault> {
    let rows: Vec<Row> = sqlx::query_as(pg::sql!(
        "SELECT DISTINCT ON (s.task_id)
                s.task_id, s.number, s.department_id, s.sku, s.expected_at, s.reporter, s.reported_at
         FROM task t
         JOIN shortage s ON s.tenant_id = t.tenant_id AND s.task_id = t.task_id
         WHERE t.tenant_id = current_setting('redress.tenant') AND t.case_id = $1 AND t.plan_id = $2
           AND t.state = {stock}
         ORDER BY s.task_id, s.number DESC",
        stock = TaskState::AwaitingStock,
    ))
    .bind(plan.case_id.0)
    .bind(plan.plan_id.0)
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(Row::shortage).map(|shortage| (shortage.task_id, shortage)).collect())
}

/// Locks tasks that nobody else has locked.
pub(crate) async fn hold(conn: &mut PgConnection, tasks: &[Uuid]) -> Result<Held, Fault> {
    let held: Vec<Uuid> = sqlx::query_scalar(
        "SELECT task_id FROM task
         WHERE tenant_id = current_setting('redress.tenant') AND task_id = ANY($1)
         FOR UPDATE SKIP LOCKED",
    )
    .bind(tasks)
    .fetch_all(conn)
    .await?;
    // Tasks are never removed.
    Ok(Held { held, gone: Vec::new() })
}
