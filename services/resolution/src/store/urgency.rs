//! How urgent cases are and when they are due, and that their tasks follow.

use fault::Fault;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use kernel::CaseId;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::case::{Redate, Regrade};
use crate::plan::PlanState;
use crate::task::TaskState;

/// Keeps how urgent cases are found, where that is later than what was known. Answers those
/// of which it is, locked. What nothing is known of has no task.
pub(crate) async fn regrade(conn: &mut PgConnection, regrades: &[Regrade]) -> Result<Vec<CaseId>, Fault> {
    let changed: Vec<Uuid> = sqlx::query_scalar(
        "WITH told AS (
             SELECT DISTINCT ON (case_id) case_id, ordinal, priority
             FROM UNNEST($1::uuid[], $2::int[], $3::smallint[]) AS told (case_id, ordinal, priority)
             ORDER BY case_id, ordinal DESC),
         known AS (
             SELECT v.case_id, told.ordinal, told.priority
             FROM case_view v JOIN told ON told.case_id = v.case_id
             WHERE v.tenant_id = current_setting('redress.tenant') AND v.priority_ordinal < told.ordinal
             ORDER BY v.case_id FOR UPDATE OF v)
         UPDATE case_view SET priority = known.priority, priority_ordinal = known.ordinal
         FROM known
         WHERE case_view.tenant_id = current_setting('redress.tenant') AND case_view.case_id = known.case_id
         RETURNING case_view.case_id",
    )
    .bind(regrades.iter().map(|regrade| regrade.case_id.0).collect::<Vec<_>>())
    .bind(regrades.iter().map(|regrade| regrade.ordinal).collect::<Vec<_>>())
    .bind(regrades.iter().map(|regrade| regrade.priority).collect::<Vec<_>>())
    .fetch_all(conn)
    .await?;
    Ok(changed.into_iter().map(CaseId).collect())
}

/// Keeps when cases are due, where that is later news than what was
/// known. Answers those of which it is, locked.
pub(crate) async fn redate(conn: &mut PgConnection, redates: &[Redate]) -> Result<Vec<CaseId>, Fault> {
    let due = |redate: &Redate| redate.due_time.map(jiff_sqlx::ToSqlx::to_sqlx);
    let changed: Vec<Uuid> = sqlx::query_scalar(
        "WITH told AS (
             SELECT DISTINCT ON (case_id) case_id, number, due_time
             FROM UNNEST($1::uuid[], $2::int[], $3::timestamptz[]) AS told (case_id, number, due_time)
             ORDER BY case_id, number DESC),
         known AS (
             SELECT v.case_id, told.number, told.due_time
             FROM case_view v JOIN told ON told.case_id = v.case_id
             WHERE v.tenant_id = current_setting('redress.tenant') AND v.due_number < told.number
             ORDER BY v.case_id FOR UPDATE OF v)
         UPDATE case_view SET due_time = known.due_time, due_number = known.number
         FROM known
         WHERE case_view.tenant_id = current_setting('redress.tenant') AND case_view.case_id = known.case_id
         RETURNING case_view.case_id",
    )
    .bind(redates.iter().map(|redate| redate.case_id.0).collect::<Vec<_>>())
    .bind(redates.iter().map(|redate| redate.number).collect::<Vec<_>>())
    .bind(redates.iter().map(due).collect::<Vec<_>>())
    .fetch_all(conn)
    .await?;
    Ok(changed.into_iter().map(CaseId).collect())
}

/// Has whoever begins tasks of plans of these cases wait, and waits for who does: plans are
/// locked after their cases and before their tasks.
pub(crate) async fn hold_plans(conn: &mut PgConnection, cases: &[CaseId]) -> Result<(), Fault> {
    sqlx::query(pg::sql!(
        "SELECT FROM plan
         WHERE tenant_id = current_setting('redress.tenant') AND case_id = ANY($1)
           AND state IN ({executing}, {cancelling})
         ORDER BY plan_id FOR UPDATE",
        executing = PlanState::Executing,
        cancelling = PlanState::Cancelling,
    ))
    .bind(ids(cases))
    .execute(conn)
    .await?;
    Ok(())
}

/// Has the open tasks of cases follow them: each is as urgent as its case, and due with it
/// where nobody gave it a time of its own. One that is not overdue any more climbs the ladder
/// from its beginning once it is again.
pub(crate) async fn follow(conn: &mut PgConnection, cases: &[CaseId], now: Timestamp) -> Result<(), Fault> {
    sqlx::query(pg::sql!(
        "WITH moved AS (
             SELECT t.task_id, v.priority, CASE WHEN t.due_with_case THEN v.due_time ELSE t.due_time END AS due_time
             FROM task t JOIN case_view v ON v.tenant_id = t.tenant_id AND v.case_id = t.case_id
             WHERE t.tenant_id = current_setting('redress.tenant') AND t.case_id = ANY($1)
               AND t.state IN ({ready}, {leased}, {attention}, {unknown}, {stock})
               AND (t.priority <> v.priority OR t.due_with_case AND t.due_time IS DISTINCT FROM v.due_time)
             ORDER BY t.task_id FOR UPDATE OF t)
         UPDATE task SET version = version + 1, priority = moved.priority, due_time = moved.due_time,
                overdue_step = CASE WHEN moved.due_time > $2 THEN 0 ELSE overdue_step END
         FROM moved
         WHERE task.tenant_id = current_setting('redress.tenant') AND task.task_id = moved.task_id",
        ready = TaskState::Ready,
        leased = TaskState::Leased,
        attention = TaskState::NeedsAttention,
        unknown = TaskState::OutcomeUnknown,
        stock = TaskState::AwaitingStock,
    ))
    .bind(ids(cases))
    .bind(now.to_sqlx())
    .execute(conn)
    .await?;
    Ok(())
}

fn ids(cases: &[CaseId]) -> Vec<Uuid> {
    cases.iter().map(|case_id| case_id.0).collect()
}
