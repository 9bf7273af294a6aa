//! By which ladder overdue tasks are supervised, what they have climbed, and how
//! departments stand.

use std::collections::BTreeMap;
use std::time::Duration;

use fault::Fault;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use kernel::TaskId;
use pg::Binds;
use sqlx::PgConnection;

use super::departments::MAX_COUNT;
use super::impossible;
use crate::supervision::{
    DepartmentBacklog, LOOPING, MAX_RUNGS, Rung, Step, Supervision, SupervisionLevel, Supervisors,
};
use crate::task::TaskState;

/// Most steps of a task that are shown.
const MAX_SHOWN: i64 = 100;

#[derive(sqlx::FromRow)]
struct Row {
    version: i64,
    levels: Vec<i16>,
    after_seconds: Vec<i64>,
    departments: Vec<String>,
    supervisors: Vec<String>,
    heads: Vec<String>,
}

impl Row {
    fn supervision(self) -> Result<(i64, Supervision), Fault> {
        let rungs = self.levels.into_iter().zip(self.after_seconds).map(|(level, seconds)| {
            let after = Duration::from_secs(seconds.unsigned_abs());
            Ok(Rung { level: read_level(level, "supervision")?, after })
        });
        let rungs = rungs.collect::<Result<Vec<_>, Fault>>()?;
        let people = self.supervisors.into_iter().zip(self.heads);
        let people = people.map(|(supervisor, head)| Supervisors { supervisor, head });
        let departments: BTreeMap<_, _> = self.departments.into_iter().zip(people).collect();
        Ok((self.version, Supervision { rungs, departments }))
    }
}

fn read_level(number: i16, row: impl std::fmt::Debug) -> Result<SupervisionLevel, Fault> {
    SupervisionLevel::of(number).ok_or_else(|| impossible("level", number, row))
}

/// The tenant's ladder, and its version; the shipped one and 0 where nobody has set any.
pub(crate) async fn get(conn: &mut PgConnection) -> Result<(i64, Supervision), Fault> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT version, levels, after_seconds, departments, supervisors, heads FROM supervision
         WHERE tenant_id = current_setting('redress.tenant')",
    )
    .fetch_optional(conn)
    .await?;
    row.map_or_else(|| Ok((0, Supervision::default())), Row::supervision)
}

/// Replaces the tenant's ladder; answers the version it is in now, or none where it is in
/// another than was seen.
pub(crate) async fn set(
    conn: &mut PgConnection,
    seen: Option<i64>,
    supervision: &Supervision,
) -> Result<Option<i64>, Fault> {
    let Supervision { rungs, departments } = supervision;
    let version = sqlx::query_scalar(
        "INSERT INTO supervision AS known
             (tenant_id, version, levels, after_seconds, departments, supervisors, heads)
         SELECT current_setting('redress.tenant'), 1, $1, $2, $3, $4, $5
         WHERE coalesce($6, 0) = 0 OR EXISTS (
             SELECT FROM supervision WHERE tenant_id = current_setting('redress.tenant'))
         ON CONFLICT (tenant_id) DO UPDATE
         SET version = known.version + 1, levels = excluded.levels, after_seconds = excluded.after_seconds,
             departments = excluded.departments, supervisors = excluded.supervisors, heads = excluded.heads
         WHERE known.version = coalesce($6, known.version)
         RETURNING version",
    )
    .bind(rungs.iter().map(|rung| rung.level.number()).collect::<Vec<_>>())
    .bind(rungs.iter().map(|rung| rung.after.as_secs().cast_signed()).collect::<Vec<_>>())
    .bind(departments.keys().collect::<Vec<_>>())
    .bind(departments.values().map(|named| named.supervisor.as_str()).collect::<Vec<_>>())
    .bind(departments.values().map(|named| named.head.as_str()).collect::<Vec<_>>())
    .bind(seen)
    .fetch_optional(conn)
    .await?;
    Ok(version)
}

/// Keeps what tasks, which are locked, have climbed, and how far they were told of.
pub(crate) async fn keep(
    conn: &mut PgConnection,
    told: &[(TaskId, i16)],
    steps: &[Step],
) -> Result<(), Fault> {
    sqlx::query(
        "UPDATE task SET version = version + 1, overdue_step = n.step
         FROM UNNEST($1::uuid[], $2::smallint[]) AS n (task_id, step)
         WHERE task.tenant_id = current_setting('redress.tenant') AND task.task_id = n.task_id",
    )
    .bind(told.iter().map(|(task_id, _)| task_id.0).collect::<Vec<_>>())
    .bind(told.iter().map(|(_, step)| *step).collect::<Vec<_>>())
    .execute(&mut *conn)
    .await?;
    if steps.is_empty() {
        return Ok(());
    }
    let mut binds = Binds::default();
    let rows = binds
        .rows(steps)
        .column("task_id", |step| step.task_id.0)
        .column("due_time", |step| step.due_time.to_sqlx())
        .column("rung", |step| step.rung)
        .column("level", |step| step.level.number())
        .column("recipient", |step| step.recipient.as_str())
        .column("skipped", |step| step.skipped)
        .column("told_at", |step| step.told_at.to_sqlx())
        .done();
    binds.execute(&rows.insert_into("task_supervision_step"), conn).await?;
    Ok(())
}

#[derive(sqlx::FromRow)]
struct StepRow {
    due_time: jiff_sqlx::Timestamp,
    rung: i16,
    level: i16,
    recipient: String,
    skipped: bool,
    told_at: jiff_sqlx::Timestamp,
}

/// The rungs a task has climbed, the oldest first; the last of them.
pub(crate) async fn of_task(conn: &mut PgConnection, task_id: TaskId) -> Result<Vec<Step>, Fault> {
    let mut rows: Vec<StepRow> = sqlx::query_as(
        "SELECT due_time, rung, level, recipient, skipped, told_at FROM task_supervision_step
         WHERE tenant_id = current_setting('redress.tenant') AND task_id = $1
         ORDER BY due_time DESC, rung DESC LIMIT $2",
    )
    .bind(task_id.0)
    .bind(MAX_SHOWN)
    .fetch_all(conn)
    .await?;
    rows.reverse();
    let step = |row: StepRow| {
        Ok(Step {
            task_id,
            due_time: row.due_time.to_jiff(),
            rung: row.rung,
            level: read_level(row.level, task_id)?,
            recipient: row.recipient,
            skipped: row.skipped,
            told_at: row.told_at.to_jiff(),
        })
    };
    rows.into_iter().map(step).collect()
}

/// Every step a task may have been told of.
pub(super) fn all_steps() -> Vec<i16> {
    (0..).take(MAX_RUNGS + 2).collect()
}

/// The states of tasks that have not ended.
pub(super) fn open_states() -> Vec<i16> {
    let open = [TaskState::Ready, TaskState::Leased, TaskState::NeedsAttention, TaskState::OutcomeUnknown];
    open.map(TaskState::number).to_vec()
}

#[derive(sqlx::FromRow)]
struct BacklogRow {
    oldest: Option<jiff_sqlx::Timestamp>,
    least_due: Option<jiff_sqlx::Timestamp>,
    looping: i32,
    not_undone: i32,
}

/// How a department stands.
pub(crate) async fn standing(
    conn: &mut PgConnection,
    department_id: &str,
    now: Timestamp,
) -> Result<DepartmentBacklog, Fault> {
    let row: BacklogRow = sqlx::query_as(pg::sql!(
        "SELECT (SELECT min(first.created_at)
                 FROM UNNEST($2::smallint[]) AS wanted (state)
                 CROSS JOIN LATERAL (
                     SELECT t.created_at FROM task t
                     WHERE t.tenant_id = current_setting('redress.tenant') AND t.department_id = $1
                       AND t.state = wanted.state
                     ORDER BY t.task_id LIMIT 1) AS first) AS oldest,
                (SELECT min(first.due_time)
                 FROM UNNEST($2::smallint[]) AS wanted (state), UNNEST($3::smallint[]) AS told (step)
                 CROSS JOIN LATERAL (
                     SELECT t.due_time FROM task t
                     WHERE t.tenant_id = current_setting('redress.tenant') AND t.department_id = $1
                       AND t.state = wanted.state AND t.state IN ({ready}, {leased}, {attention}, {unknown}) AND t.overdue_step = told.step
                       AND t.due_time IS NOT NULL
                     ORDER BY t.due_time, t.task_id LIMIT 1) AS first) AS least_due,
                (SELECT count(*)::integer FROM (
                     SELECT FROM task t
                     WHERE t.tenant_id = current_setting('redress.tenant') AND t.department_id = $1
                       AND t.state IN ({ready}, {leased}, {attention}, {unknown}) AND t.rejections >= {looping} LIMIT $4) AS first) AS looping,
                (SELECT count(*)::integer FROM (
                     SELECT FROM task t
                     WHERE t.tenant_id = current_setting('redress.tenant') AND t.department_id = $1
                       AND t.state = {attention} AND t.compensates_task_id IS NOT NULL LIMIT $4) AS first) AS not_undone",
        ready = TaskState::Ready,
        leased = TaskState::Leased,
        attention = TaskState::NeedsAttention,
        unknown = TaskState::OutcomeUnknown,
        looping = LOOPING,
    ))
    .bind(department_id)
    .bind(open_states())
    .bind(all_steps())
    .bind(MAX_COUNT)
    .fetch_one(&mut *conn)
    .await?;
    Ok(DepartmentBacklog {
        overdue: overdue(conn, department_id, now).await?,
        oldest: row.oldest.map(jiff_sqlx::Timestamp::to_jiff),
        least_due: row.least_due.map(jiff_sqlx::Timestamp::to_jiff),
        looping: row.looping,
        not_undone: row.not_undone,
    })
}

/// How many open tasks of a department are overdue, by how far that was told.
async fn overdue(
    conn: &mut PgConnection,
    department_id: &str,
    now: Timestamp,
) -> Result<Vec<(i16, i32)>, Fault> {
    let counts = sqlx::query_as(pg::sql!(
        "SELECT told.step, sum(counted.count)::integer
         FROM UNNEST($2::smallint[]) AS wanted (state), UNNEST($3::smallint[]) AS told (step)
         CROSS JOIN LATERAL (
             SELECT count(*) AS count FROM (
                 SELECT FROM task t
                 WHERE t.tenant_id = current_setting('redress.tenant') AND t.department_id = $1
                   AND t.state = wanted.state AND t.state IN ({ready}, {leased}, {attention}, {unknown}) AND t.overdue_step = told.step
                   AND t.due_time <= $4 LIMIT $5) AS first) AS counted
         GROUP BY told.step",
        ready = TaskState::Ready,
        leased = TaskState::Leased,
        attention = TaskState::NeedsAttention,
        unknown = TaskState::OutcomeUnknown,
    ))
    .bind(department_id)
    .bind(open_states())
    .bind(all_steps())
    .bind(now.to_sqlx())
    .bind(MAX_COUNT)
    .fetch_all(conn)
    .await?;
    Ok(counts)
}
