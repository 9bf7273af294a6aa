//! Tries to undo steps that failed, and what is known of undoing one.

use fault::Fault;
use jiff_sqlx::ToSqlx as _;
use kernel::TaskId;
use pg::Binds;
use sqlx::PgConnection;
use uuid::Uuid;

use super::ledger;
use crate::plan::Plan;
use crate::undo::{MAX_SHOWN, UndoFailure, UndoRecord, UndoneStep};

/// Keeps tries that failed.
pub(crate) async fn keep(conn: &mut PgConnection, failures: &[(Uuid, UndoFailure)]) -> Result<(), Fault> {
    if failures.is_empty() {
        return Ok(());
    }
    let mut binds = Binds::default();
    let rows = binds
        .rows(failures)
        .column("failure_id", |(id, _)| *id)
        .column("task_id", |(_, failure)| failure.task_id.0)
        .column("department_id", |(_, failure)| failure.department_id.as_str())
        .column("worker", |(_, failure)| failure.worker.as_str())
        .column("attempt", |(_, failure)| failure.attempt)
        .column("failed_at", |(_, failure)| failure.failed_at.to_sqlx())
        .column("error", |(_, failure)| failure.error.as_str())
        .done();
    binds.execute(&rows.insert_into("undo_failure"), conn).await?;
    Ok(())
}

#[derive(sqlx::FromRow)]
struct FailureRow {
    task_id: Uuid,
    department_id: String,
    worker: String,
    attempt: i32,
    failed_at: jiff_sqlx::Timestamp,
    error: String,
}

/// What is known of undoing a step.
pub(crate) async fn record(conn: &mut PgConnection, of: &UndoneStep) -> Result<UndoRecord, Fault> {
    let plan = super::plans::get(conn, of.plan_id).await?;
    let step = plan.iter().flat_map(|plan: &Plan| &plan.steps).find(|step| step.step_id == of.step_id);
    let currency = step.and_then(|step| step.remedy.amount.as_ref()).map(|amount| amount.currency.clone());
    let books = step.map(|step| step.books).unwrap_or_default();
    let entries = ledger::of_undoing(conn, of, MAX_SHOWN).await?;
    let customer: Option<String> = sqlx::query_scalar(
        "SELECT customer_id FROM case_complainant
         WHERE tenant_id = current_setting('redress.tenant') AND case_id = $1",
    )
    .bind(of.case_id.0)
    .fetch_optional(&mut *conn)
    .await?;
    let failures = failures(conn, of).await?;
    Ok(UndoRecord { currency, books, customer_id: customer.unwrap_or_default(), entries, failures })
}

async fn failures(conn: &mut PgConnection, of: &UndoneStep) -> Result<Vec<UndoFailure>, Fault> {
    let rows: Vec<FailureRow> = sqlx::query_as(
        "SELECT f.task_id, f.department_id, f.worker, f.attempt, f.failed_at, f.error
         FROM task t JOIN undo_failure f ON f.tenant_id = t.tenant_id AND f.task_id = t.task_id
         WHERE t.tenant_id = current_setting('redress.tenant') AND t.case_id = $1 AND t.plan_id = $2
           AND t.step_id = $3 AND t.compensates_task_id IS NOT NULL
         ORDER BY f.failure_id DESC LIMIT $4",
    )
    .bind(of.case_id.0)
    .bind(of.plan_id.0)
    .bind(&of.step_id)
    .bind(MAX_SHOWN)
    .fetch_all(conn)
    .await?;
    let failure = |row: FailureRow| UndoFailure {
        task_id: TaskId(row.task_id),
        department_id: row.department_id,
        worker: row.worker,
        attempt: row.attempt,
        failed_at: row.failed_at.to_jiff(),
        error: row.error,
    };
    Ok(rows.into_iter().rev().map(failure).collect())
}
