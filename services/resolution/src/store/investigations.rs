//! What departments are asked on cases: tasks of that kind.

use fault::Fault;
use kernel::{CaseId, TaskId};
use sqlx::PgConnection;
use uuid::Uuid;

use super::tasks::{Row, columns, tasks};
use crate::remedy::RemedyKind;
use crate::task::{Task, TaskState};

/// How many requests on a case, which is locked, have not ended.
pub(crate) async fn count_open(conn: &mut PgConnection, case_id: CaseId) -> Result<i64, Fault> {
    let count = sqlx::query_scalar(pg::sql!(
        "SELECT count(*) FROM task
         WHERE tenant_id = current_setting('redress.tenant') AND case_id = $1 AND kind = {investigation}
           AND state IN ({ready}, {leased}, {attention}, {unknown})",
        investigation = RemedyKind::Investigation,
        ready = TaskState::Ready,
        leased = TaskState::Leased,
        attention = TaskState::NeedsAttention,
        unknown = TaskState::OutcomeUnknown,
    ))
    .bind(case_id.0)
    .fetch_one(conn)
    .await?;
    Ok(count)
}

/// The requests on cases, which are locked, that have not ended; locked.
pub(crate) async fn lock_open(conn: &mut PgConnection, cases: &[CaseId]) -> Result<Vec<Task>, Fault> {
    let rows: Vec<Row> = sqlx::query_as(pg::sql!(
        concat!(
            "SELECT ",
            columns!(),
            " FROM task
             WHERE tenant_id = current_setting('redress.tenant') AND case_id = ANY($1)
               AND kind = {investigation} AND state IN ({ready}, {leased}, {attention}, {unknown})
             ORDER BY task_id FOR UPDATE"
        ),
        investigation = RemedyKind::Investigation,
        ready = TaskState::Ready,
        leased = TaskState::Leased,
        attention = TaskState::NeedsAttention,
        unknown = TaskState::OutcomeUnknown,
    ))
    .bind(cases.iter().map(|case| case.0).collect::<Vec<_>>())
    .fetch_all(conn)
    .await?;
    tasks(rows)
}

/// The requests on a case, newest first, after the last of the page before.
pub(crate) async fn list(
    conn: &mut PgConnection,
    (case_id, open_only): (CaseId, bool),
    after: Option<TaskId>,
    limit: i64,
) -> Result<Vec<Task>, Fault> {
    let rows: Vec<Row> = sqlx::query_as(pg::sql!(
        concat!(
            "SELECT ",
            columns!(),
            " FROM task
             WHERE tenant_id = current_setting('redress.tenant') AND case_id = $1 AND task_id < $2
               AND kind = {investigation}
               AND (NOT $4 OR state IN ({ready}, {leased}, {attention}, {unknown}))
             ORDER BY task_id DESC LIMIT $3"
        ),
        investigation = RemedyKind::Investigation,
        ready = TaskState::Ready,
        leased = TaskState::Leased,
        attention = TaskState::NeedsAttention,
        unknown = TaskState::OutcomeUnknown,
    ))
    .bind(case_id.0)
    .bind(after.map_or(Uuid::max(), |task_id| task_id.0))
    .bind(limit)
    .bind(open_only)
    .fetch_all(conn)
    .await?;
    tasks(rows)
}
