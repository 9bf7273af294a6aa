//! Tasks of a department as its boards list them, and those that are overdue.

use std::time::Duration;

use fault::Fault;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use kernel::TaskId;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Row, columns, tasks};
use crate::store::supervision::{all_steps, open_states};
use crate::supervision::LOOPING;
use crate::task::{Task, TaskState};

/// A department's tasks, oldest first, after the last of the page before; as
/// [`super::list_of_department`], the other way round.
pub(crate) async fn list_oldest(
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
               AND state = wanted_state AND task_id > $3
             ORDER BY task_id LIMIT $4) AS oldest
         ORDER BY task_id LIMIT $4"
    ))
    .bind(super::wanted(state))
    .bind(department_id)
    .bind(after.map_or(Uuid::nil(), |task_id| task_id.0))
    .bind(limit)
    .fetch_all(conn)
    .await?;
    tasks(rows)
}

/// A department's open tasks that have a due time, the least time left first, after the
/// last of the page before. The index is by state and by how far being overdue was told:
/// the first of each are merged.
pub(crate) async fn list_by_slack(
    conn: &mut PgConnection,
    department_id: &str,
    state: Option<TaskState>,
    after: Option<(Timestamp, TaskId)>,
    limit: i64,
) -> Result<Vec<Task>, Fault> {
    let rows = sqlx::query_as(pg::sql!(
        concat!(
            "SELECT ",
            columns!(),
            " FROM UNNEST($1::smallint[]) AS wanted (wanted_state), UNNEST($2::smallint[]) AS told (told_step)
             CROSS JOIN LATERAL (
                 SELECT * FROM task
                 WHERE tenant_id = current_setting('redress.tenant') AND department_id = $3
                   AND state = wanted_state AND state IN ({ready}, {leased}, {attention}, {unknown})
                   AND overdue_step = told_step AND due_time IS NOT NULL
                   AND (due_time, task_id) > (coalesce($4, '-infinity'::timestamptz), $5)
                 ORDER BY due_time, task_id LIMIT $6) AS next
             ORDER BY due_time, task_id LIMIT $6"
        ),
        ready = TaskState::Ready,
        leased = TaskState::Leased,
        attention = TaskState::NeedsAttention,
        unknown = TaskState::OutcomeUnknown,
    ))
    .bind(state.map_or_else(open_states, |state| vec![state.number()]))
    .bind(all_steps())
    .bind(department_id)
    .bind(after.map(|(due_time, _)| due_time.to_sqlx()))
    .bind(after.map_or(Uuid::nil(), |(_, task_id)| task_id.0))
    .bind(limit)
    .fetch_all(conn)
    .await?;
    tasks(rows)
}

/// A department's open tasks that go to and fro, newest first, after the last of the page
/// before.
pub(crate) async fn list_looping(
    conn: &mut PgConnection,
    department_id: &str,
    after: Option<TaskId>,
    limit: i64,
) -> Result<Vec<Task>, Fault> {
    let rows = sqlx::query_as(pg::sql!(
        concat!(
            "SELECT ",
            columns!(),
            " FROM task
             WHERE tenant_id = current_setting('redress.tenant') AND department_id = $1
               AND state IN ({ready}, {leased}, {attention}, {unknown}) AND rejections >= {looping}
               AND task_id < $2
             ORDER BY task_id DESC LIMIT $3"
        ),
        ready = TaskState::Ready,
        leased = TaskState::Leased,
        attention = TaskState::NeedsAttention,
        unknown = TaskState::OutcomeUnknown,
        looping = LOOPING,
    ))
    .bind(department_id)
    .bind(after.map_or(Uuid::max(), |task_id| task_id.0))
    .bind(limit)
    .fetch_all(conn)
    .await?;
    tasks(rows)
}

/// Tasks of departments, named by their watches, of which more is to be told: those that
/// were told of so far and are overdue by so much. Locked; who holds one just now is passed
/// over.
pub(crate) async fn overdue(
    conn: &mut PgConnection,
    watches: &[Uuid],
    thresholds: &[(i16, Duration)],
    now: Timestamp,
    limit: i64,
) -> Result<Vec<Task>, Fault> {
    let rows: Vec<Row> = sqlx::query_as(pg::sql!(
        concat!(
            "WITH overdue AS (
                 SELECT next.* FROM department d
                 CROSS JOIN UNNEST($2::smallint[]) AS wanted (state)
                 CROSS JOIN UNNEST($3::smallint[], $4::timestamptz[]) AS told (step, due_before)
                 CROSS JOIN LATERAL (
                     SELECT t.* FROM task t
                     WHERE t.tenant_id = d.tenant_id AND t.department_id = d.department_id
                       AND t.state = wanted.state AND t.state IN ({ready}, {leased}, {attention}, {unknown})
                       AND t.overdue_step = told.step AND t.due_time <= told.due_before
                     ORDER BY t.due_time, t.task_id LIMIT $5
                     FOR UPDATE OF t SKIP LOCKED) AS next
                 WHERE d.tenant_id = current_setting('redress.tenant') AND d.watch_id = ANY($1)
                 LIMIT $5)
             SELECT ",
            columns!(),
            " FROM overdue"
        ),
        ready = TaskState::Ready,
        leased = TaskState::Leased,
        attention = TaskState::NeedsAttention,
        unknown = TaskState::OutcomeUnknown,
    ))
    .bind(watches)
    .bind(open_states())
    .bind(thresholds.iter().map(|(step, _)| *step).collect::<Vec<_>>())
    .bind(thresholds.iter().map(|(_, after)| (now - *after).to_sqlx()).collect::<Vec<_>>())
    .bind(limit)
    .fetch_all(conn)
    .await?;
    tasks(rows)
}
