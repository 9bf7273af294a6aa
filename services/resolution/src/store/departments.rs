//! Which departments there are, whether somebody takes their work, and which are paused.

use std::collections::HashSet;

use fault::Fault;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::PgConnection;
use timers::Held;
use uuid::Uuid;

use super::kind;
use crate::department::{Attendance, EVERY_KIND, Pause, Queue, Resumed, WORKER_EXPECTED};
use crate::remedy::RemedyKind;
use crate::task::TaskState;

/// How far tasks of a state are counted.
pub(super) const MAX_COUNT: i64 = 10_000;

/// Keeps departments that were told of; answers the watches of those that are new.
pub(crate) async fn keep(conn: &mut PgConnection, departments: &[String]) -> Result<Vec<Uuid>, Fault> {
    let watches = sqlx::query_scalar(
        "INSERT INTO department (tenant_id, department_id)
         SELECT current_setting('redress.tenant'), UNNEST($1::text[])
         ON CONFLICT DO NOTHING RETURNING watch_id",
    )
    .bind(departments)
    .fetch_all(conn)
    .await?;
    Ok(watches)
}

/// Those of the departments that there are.
pub(crate) async fn known(conn: &mut PgConnection, departments: &[&str]) -> Result<HashSet<String>, Fault> {
    let known: Vec<String> = sqlx::query_scalar(
        "SELECT department_id FROM department
         WHERE tenant_id = current_setting('redress.tenant') AND department_id = ANY($1)",
    )
    .bind(departments)
    .fetch_all(conn)
    .await?;
    Ok(known.into_iter().collect())
}

/// The watch of a department, which is locked; none where there is no such department.
pub(crate) async fn lock(conn: &mut PgConnection, department_id: &str) -> Result<Option<Uuid>, Fault> {
    let watch = sqlx::query_scalar(
        "SELECT watch_id FROM department
         WHERE tenant_id = current_setting('redress.tenant') AND department_id = $1 FOR UPDATE",
    )
    .bind(department_id)
    .fetch_optional(conn)
    .await?;
    Ok(watch)
}

/// Notes that a worker has asked; answers the watch, and since when none had, where that
/// had been noticed.
pub(crate) async fn polled(
    conn: &mut PgConnection,
    department_id: &str,
    now: Timestamp,
) -> Result<Option<(Uuid, Timestamp)>, Fault> {
    let row: Option<(Uuid, Option<jiff_sqlx::Timestamp>)> = sqlx::query_as(
        "WITH before AS (
             SELECT unattended_since FROM department
             WHERE tenant_id = current_setting('redress.tenant') AND department_id = $1 FOR UPDATE)
         UPDATE department SET polled_at = greatest(polled_at, $2), unattended_since = NULL
         FROM before
         WHERE tenant_id = current_setting('redress.tenant') AND department_id = $1
         RETURNING watch_id, before.unattended_since",
    )
    .bind(department_id)
    .bind(now.to_sqlx())
    .fetch_optional(conn)
    .await?;
    Ok(row.and_then(|(watch, since)| Some((watch, since?.to_jiff()))))
}

/// Locks departments nobody else has locked.
pub(crate) async fn hold(conn: &mut PgConnection, watches: &[Uuid]) -> Result<Held, Fault> {
    let held: Vec<Uuid> = sqlx::query_scalar(
        "SELECT watch_id FROM department
         WHERE tenant_id = current_setting('redress.tenant') AND watch_id = ANY($1)
         FOR UPDATE SKIP LOCKED",
    )
    .bind(watches)
    .fetch_all(conn)
    .await?;
    // Departments are never removed.
    Ok(Held { held, gone: Vec::new() })
}

/// Of departments, those no worker has asked for in a while and that are not known to be
/// unattended: since when something waits for them that is not paused.
pub(crate) async fn attendance(
    conn: &mut PgConnection,
    watches: &[Uuid],
    now: Timestamp,
) -> Result<Vec<Attendance>, Fault> {
    type Row = (Uuid, String, Option<jiff_sqlx::Timestamp>, Option<jiff_sqlx::Timestamp>);
    let rows: Vec<Row> = sqlx::query_as(pg::sql!(
        "SELECT d.watch_id, d.department_id, d.polled_at, waiting.since
         FROM department d
         CROSS JOIN LATERAL (
             SELECT min(t.visible_at) AS since FROM task t
             WHERE t.tenant_id = d.tenant_id AND t.department_id = d.department_id
               AND t.state IN ({ready}, {leased}) AND t.visible_at <= $2
               AND NOT EXISTS (
                   SELECT FROM department_pause p
                   WHERE p.tenant_id = d.tenant_id AND p.department_id = d.department_id
                     AND p.resumed_at IS NULL AND p.kind IN ({every_kind}, t.kind))) AS waiting
         WHERE d.tenant_id = current_setting('redress.tenant') AND d.watch_id = ANY($1)
           AND d.unattended_since IS NULL AND coalesce(d.polled_at <= $3, true)",
        every_kind = EVERY_KIND,
        ready = TaskState::Ready,
        leased = TaskState::Leased,
    ))
    .bind(watches)
    .bind(now.to_sqlx())
    .bind((now - WORKER_EXPECTED).to_sqlx())
    .fetch_all(conn)
    .await?;
    let attendance = |(watch_id, department_id, polled_at, since): Row| Attendance {
        watch_id,
        department_id,
        polled_at: polled_at.map(jiff_sqlx::Timestamp::to_jiff),
        waiting_since: since.map(jiff_sqlx::Timestamp::to_jiff),
    };
    Ok(rows.into_iter().map(attendance).collect())
}

/// Keeps since when departments, which are locked, have no worker.
pub(crate) async fn mark_unattended(
    conn: &mut PgConnection,
    found: &[(Uuid, Timestamp)],
) -> Result<(), Fault> {
    if found.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "UPDATE department SET unattended_since = n.since
         FROM UNNEST($1::uuid[], $2::timestamptz[]) AS n (watch_id, since)
         WHERE department.tenant_id = current_setting('redress.tenant') AND department.watch_id = n.watch_id",
    )
    .bind(found.iter().map(|(watch, _)| *watch).collect::<Vec<_>>())
    .bind(found.iter().map(|(_, since)| since.to_sqlx()).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}

/// What waits for a department; none where there is no such department.
pub(crate) async fn queue(conn: &mut PgConnection, department_id: &str) -> Result<Option<Queue>, Fault> {
    type Row = (Option<jiff_sqlx::Timestamp>, Option<jiff_sqlx::Timestamp>);
    let row: Option<Row> = sqlx::query_as(
        "SELECT polled_at, unattended_since FROM department
         WHERE tenant_id = current_setting('redress.tenant') AND department_id = $1",
    )
    .bind(department_id)
    .fetch_optional(&mut *conn)
    .await?;
    let Some((polled_at, unattended_since)) = row else { return Ok(None) };
    let mut queue = Queue {
        department_id: department_id.to_owned(),
        polled_at: polled_at.map(jiff_sqlx::Timestamp::to_jiff),
        unattended_since: unattended_since.map(jiff_sqlx::Timestamp::to_jiff),
        pauses: pauses(conn, department_id).await?,
        ..Queue::default()
    };
    for (state, count) in counts(conn, department_id).await? {
        match TaskState::of(state) {
            Some(TaskState::Ready) => queue.ready = count,
            Some(TaskState::Leased) => queue.leased = count,
            Some(TaskState::NeedsAttention) => queue.needs_attention = count,
            Some(TaskState::OutcomeUnknown) => queue.outcome_unknown = count,
            Some(TaskState::AwaitingStock) => queue.awaiting_stock = count,
            _ => {}
        }
    }
    Ok(Some(queue))
}

/// How many of a department's tasks are in each state that is not final, up to a bound.
async fn counts(conn: &mut PgConnection, department_id: &str) -> Result<Vec<(i16, i32)>, Fault> {
    let open = [
        TaskState::Ready,
        TaskState::Leased,
        TaskState::NeedsAttention,
        TaskState::OutcomeUnknown,
        TaskState::AwaitingStock,
    ];
    let counts = sqlx::query_as(
        "SELECT wanted.state, counted.count
         FROM UNNEST($1::smallint[]) AS wanted (state)
         CROSS JOIN LATERAL (
             SELECT count(*)::integer AS count FROM (
                 SELECT FROM task t
                 WHERE t.tenant_id = current_setting('redress.tenant') AND t.department_id = $2
                   AND t.state = wanted.state LIMIT $3) AS first) AS counted",
    )
    .bind(open.map(TaskState::number).to_vec())
    .bind(department_id)
    .bind(MAX_COUNT)
    .fetch_all(conn)
    .await?;
    Ok(counts)
}

#[derive(sqlx::FromRow)]
struct PauseRow {
    pause_id: Uuid,
    kind: i16,
    reason: String,
    paused_by: String,
    paused_at: jiff_sqlx::Timestamp,
}

/// The pauses of a department that are in force.
pub(crate) async fn pauses(conn: &mut PgConnection, department_id: &str) -> Result<Vec<Pause>, Fault> {
    let rows: Vec<PauseRow> = sqlx::query_as(
        "SELECT pause_id, kind, reason, paused_by, paused_at FROM department_pause
         WHERE tenant_id = current_setting('redress.tenant') AND department_id = $1 AND resumed_at IS NULL
         ORDER BY kind",
    )
    .bind(department_id)
    .fetch_all(conn)
    .await?;
    let pause = |row: PauseRow| {
        Ok(Pause {
            pause_id: row.pause_id,
            department_id: department_id.to_owned(),
            kind: if row.kind == EVERY_KIND { None } else { Some(kind(row.kind, row.pause_id)?) },
            reason: row.reason,
            by: row.paused_by,
            at: row.paused_at.to_jiff(),
            resumed: None,
        })
    };
    rows.into_iter().map(pause).collect()
}

/// Stores a new pause of a department, which is locked.
pub(crate) async fn insert_pause(conn: &mut PgConnection, pause: &Pause) -> Result<(), Fault> {
    sqlx::query(
        "INSERT INTO department_pause (tenant_id, pause_id, department_id, kind, reason, paused_by, paused_at)
         VALUES (current_setting('redress.tenant'), $1, $2, $3, $4, $5, $6)",
    )
    .bind(pause.pause_id)
    .bind(&pause.department_id)
    .bind(pause.kind.map_or(EVERY_KIND, RemedyKind::number))
    .bind(&pause.reason)
    .bind(&pause.by)
    .bind(pause.at.to_sqlx())
    .execute(conn)
    .await?;
    Ok(())
}

/// Ends a pause of a department, which is locked.
pub(crate) async fn resume(conn: &mut PgConnection, pause_id: Uuid, resumed: &Resumed) -> Result<(), Fault> {
    sqlx::query(
        "UPDATE department_pause SET resumed_by = $2, resume_reason = $3, resumed_at = $4
         WHERE tenant_id = current_setting('redress.tenant') AND pause_id = $1",
    )
    .bind(pause_id)
    .bind(&resumed.by)
    .bind(&resumed.reason)
    .bind(resumed.at.to_sqlx())
    .execute(conn)
    .await?;
    Ok(())
}
