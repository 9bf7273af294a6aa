//! What departments said they lacked for their tasks.

use std::collections::HashMap;

use fault::Fault;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use kernel::{CaseId, TaskId};
use sqlx::PgConnection;
use timers::Held;
use uuid::Uuid;

use crate::plan::Plan;
use crate::shortage::{ALERT_WINDOW, Lack, Shortage, StockAlert};
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

/// Most tasks that lack an article of which it is asked.
const MAX_LACKS: i64 = 1_000;

/// Has those who look at one article take turns, until their transactions end: of two who
/// report at once, the second sees what the first has stored. Taken after all other locks.
pub(crate) async fn take_turns(conn: &mut PgConnection, sku: &str) -> Result<(), Fault> {
    pg::hold(conn, &format!("article {sku}")).await
}

/// The tasks that lacked an article of late, each with when that was last said; the latest.
pub(crate) async fn lacks(conn: &mut PgConnection, sku: &str, now: Timestamp) -> Result<Vec<Lack>, Fault> {
    let rows: Vec<(Uuid, jiff_sqlx::Timestamp, i32)> = sqlx::query_as(
        "SELECT s.task_id, max(s.reported_at) AS reported_at, coalesce(max(t.quantity), 1)
         FROM shortage s
         JOIN task t ON t.tenant_id = s.tenant_id AND t.task_id = s.task_id
         WHERE s.tenant_id = current_setting('redress.tenant') AND s.sku = $1 AND s.reported_at > $2
         GROUP BY s.task_id ORDER BY reported_at DESC LIMIT $3",
    )
    .bind(sku)
    .bind((now - ALERT_WINDOW).to_sqlx())
    .bind(MAX_LACKS)
    .fetch_all(conn)
    .await?;
    let lack = |(task_id, reported_at, quantity): (Uuid, jiff_sqlx::Timestamp, i32)| Lack {
        task_id: TaskId(task_id),
        reported_at: reported_at.to_jiff(),
        quantity,
    };
    Ok(rows.into_iter().map(lack).collect())
}

/// Whether an article, whose turn this is, has an open alert.
pub(crate) async fn is_alerted(conn: &mut PgConnection, sku: &str) -> Result<bool, Fault> {
    let alerted = sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM stock_alert
             WHERE tenant_id = current_setting('redress.tenant') AND sku = $1 AND closed_at IS NULL)",
    )
    .bind(sku)
    .fetch_one(conn)
    .await?;
    Ok(alerted)
}

/// Stores a new alert.
pub(crate) async fn insert_alert(conn: &mut PgConnection, alert: &StockAlert) -> Result<(), Fault> {
    sqlx::query(
        "INSERT INTO stock_alert (
             tenant_id, alert_id, sku, department_id, case_id, tasks, quantity, raised_at)
         VALUES (current_setting('redress.tenant'), $1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(alert.alert_id.0)
    .bind(&alert.sku)
    .bind(&alert.department_id)
    .bind(alert.case_id.0)
    .bind(alert.tasks)
    .bind(alert.quantity)
    .bind(alert.raised_at.to_sqlx())
    .execute(conn)
    .await?;
    Ok(())
}

/// Closes the open alert of each of these articles, whose tasks are completed.
pub(crate) async fn close_alerts(
    conn: &mut PgConnection,
    articles: &[&str],
    now: Timestamp,
) -> Result<(), Fault> {
    sqlx::query(
        "UPDATE stock_alert SET closed_at = $2
         WHERE tenant_id = current_setting('redress.tenant') AND sku = ANY($1) AND closed_at IS NULL",
    )
    .bind(articles)
    .bind(now.to_sqlx())
    .execute(conn)
    .await?;
    Ok(())
}

#[derive(sqlx::FromRow)]
struct AlertRow {
    alert_id: Uuid,
    sku: String,
    department_id: String,
    case_id: Uuid,
    tasks: i32,
    quantity: i32,
    raised_at: jiff_sqlx::Timestamp,
    closed_at: Option<jiff_sqlx::Timestamp>,
}

/// Alerts, newest first, after the last of the page before.
pub(crate) async fn list_alerts(
    conn: &mut PgConnection,
    open_only: bool,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<StockAlert>, Fault> {
    let rows: Vec<AlertRow> = sqlx::query_as(
        "SELECT alert_id, sku, department_id, case_id, tasks, quantity, raised_at, closed_at FROM stock_alert
         WHERE tenant_id = current_setting('redress.tenant') AND alert_id < $1
           AND (NOT $2 OR closed_at IS NULL)
         ORDER BY alert_id DESC LIMIT $3",
    )
    .bind(after.unwrap_or(Uuid::max()))
    .bind(open_only)
    .bind(limit)
    .fetch_all(conn)
    .await?;
    let alert = |row: AlertRow| StockAlert {
        alert_id: TaskId(row.alert_id),
        sku: row.sku,
        department_id: row.department_id,
        case_id: CaseId(row.case_id),
        tasks: row.tasks,
        quantity: row.quantity,
        raised_at: row.raised_at.to_jiff(),
        closed_at: row.closed_at.map(jiff_sqlx::Timestamp::to_jiff),
    };
    Ok(rows.into_iter().map(alert).collect())
}
