//! The queue of a department: what is due is handed out, most urgent first.

use fault::Fault;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Row, columns};
use crate::refusal::Refusal;
use crate::remedy::RemedyKind;
use crate::task::{Heard, Task, TaskState};

/// Who claims, how many, until when.
pub(crate) struct Claim<'a> {
    pub(crate) poll_id: &'a str,
    pub(crate) poll_hash: &'a [u8],
    pub(crate) department_id: &'a str,
    pub(crate) worker: &'a str,
    /// Who asks, folded: money they planned themselves is not handed to them.
    pub(crate) executor: &'a str,
    /// Whether it is answered with what it was handed before and still holds, if anything.
    pub(crate) replays: bool,
    pub(crate) now: Timestamp,
    pub(crate) until: Timestamp,
    /// One for each task wanted.
    pub(crate) tokens: Vec<Uuid>,
}

/// What came of a claim.
#[derive(Default)]
pub(crate) struct Claimed {
    /// Held by the worker now, most urgent first.
    pub(crate) leased: Vec<Task>,
    /// Found without attempts left, and set aside for people.
    pub(crate) exhausted: Vec<Task>,
}

#[derive(sqlx::FromRow)]
struct ClaimedRow {
    #[sqlx(flatten)]
    row: Row,
    same_poll: bool,
}

/// What is handed out to a poll, or found again.
macro_rules! claim_statement {
    () => {
        concat!(
        "WITH held AS (
             SELECT *, poll_hash = $2 AS same_poll FROM task
             WHERE tenant_id = current_setting('redress.tenant') AND poll_id = $1 AND state = {leased} AND $13),
         paused AS (
             SELECT kind FROM department_pause
             WHERE tenant_id = current_setting('redress.tenant') AND department_id = $3 AND resumed_at IS NULL),
         due AS (
             SELECT task_id, attempt_seconds, attempt < max_attempts AS has_attempts,
                    state = {leased} AND visible_at >= attempt_until AS overran
             FROM task
             WHERE tenant_id = current_setting('redress.tenant') AND department_id = $3
               AND state IN ({ready}, {leased}) AND visible_at <= $5 AND NOT EXISTS (SELECT FROM held)
               AND NOT EXISTS (SELECT FROM paused WHERE kind = 0)
               AND NOT EXISTS (SELECT FROM paused WHERE paused.kind = task.kind)
               AND (amount_minor IS NULL OR NOT EXISTS (
                   SELECT FROM plan
                   WHERE plan.tenant_id = current_setting('redress.tenant') AND plan.plan_id = task.plan_id
                     AND ($9 IN (lower(btrim(plan.proposer)), lower(btrim(plan.approver)),
                                 lower(btrim(plan.first_approver)))
                          OR EXISTS (SELECT FROM UNNEST(plan.approvers || plan.approvers_for) AS planner
                                     WHERE lower(btrim(planner)) = $9))))
             ORDER BY priority, due_time, created_at LIMIT $8
             FOR UPDATE SKIP LOCKED),
         numbered AS (
             SELECT task_id, attempt_seconds, overran, has_attempts AND overran IS NOT TRUE AS may, row_number() OVER () AS ordinal
             FROM due),
         claimed AS (
             UPDATE task SET
                 version = version + 1,
                 state = CASE WHEN may THEN {leased} WHEN coalesce(moves_value, kind = ANY($10)) THEN {unknown} ELSE {attention} END,
                 attempt = CASE WHEN may THEN attempt + 1 ELSE attempt END,
                 worker = CASE WHEN may THEN $4 ELSE worker END,
                 first_leased_at = CASE WHEN may THEN coalesce(first_leased_at, $5) ELSE first_leased_at END,
                 visible_at = CASE WHEN may THEN least($6, $5 + limits.longest) ELSE visible_at END,
                 attempt_until = CASE WHEN may THEN $5 + limits.longest ELSE attempt_until END,
                 lease_token = CASE WHEN may THEN ($7::uuid[])[ordinal] ELSE lease_token END,
                 last_error = CASE WHEN may THEN last_error WHEN overran THEN 'the attempt took longer than it may'
                                   ELSE 'no attempts left: the last lease expired' END,
                 poll_id = CASE WHEN may THEN $1 ELSE poll_id END,
                 poll_hash = CASE WHEN may THEN $2 ELSE poll_hash END
             FROM numbered, UNNEST($11::smallint[], $12::bigint[]) AS seconds (of_kind, longest),
                  LATERAL (SELECT make_interval(secs => coalesce(numbered.attempt_seconds, seconds.longest)) AS longest)
                      AS limits
             WHERE task.tenant_id = current_setting('redress.tenant') AND task.task_id = numbered.task_id
               AND seconds.of_kind = task.kind
             RETURNING task.*)
         SELECT ",
        columns!(),
        ", same_poll FROM held
         UNION ALL
         SELECT ",
        columns!(),
        ", true FROM claimed
         ORDER BY priority, due_time, created_at, task_id"
        )
    };
}

/// Hands out what is due, each with a token of its own, in one statement; or what
/// this poll was handed before, as far as it is still held. Every hand-out is an
/// attempt; a task that has none left is set aside instead, and keeps its token:
/// its last holder may still report. If it moves value, nobody knows whether
/// its last holder did so.
pub(crate) async fn claim(conn: &mut PgConnection, claim: Claim<'_>) -> Result<Claimed, Fault> {
    take_turns(conn, claim.poll_id).await?;
    let limit = i64::try_from(claim.tokens.len()).unwrap_or(i64::MAX);
    let valuable: Vec<i16> =
        RemedyKind::ALL.iter().filter(|kind| kind.moves_value()).map(|kind| kind.number()).collect();
    let rows: Vec<ClaimedRow> = sqlx::query_as(pg::sql!(
        claim_statement!(),
        ready = TaskState::Ready,
        leased = TaskState::Leased,
        unknown = TaskState::OutcomeUnknown,
        attention = TaskState::NeedsAttention,
    ))
    .bind(claim.poll_id)
    .bind(claim.poll_hash)
    .bind(claim.department_id)
    .bind(claim.worker)
    .bind(claim.now.to_sqlx())
    .bind(claim.until.to_sqlx())
    .bind(claim.tokens)
    .bind(limit)
    .bind(claim.executor)
    .bind(valuable)
    .bind(RemedyKind::ALL.iter().map(|kind| kind.number()).collect::<Vec<_>>())
    .bind(
        RemedyKind::ALL.iter().map(|kind| kind.start_to_close().as_secs().cast_signed()).collect::<Vec<_>>(),
    )
    .bind(claim.replays)
    .fetch_all(conn)
    .await?;
    sort(rows)
}

/// How many tasks a poll was handed and still holds.
pub(crate) async fn held(conn: &mut PgConnection, poll_id: &str, now: Timestamp) -> Result<i64, Fault> {
    let held = sqlx::query_scalar(pg::sql!(
        "SELECT count(*) FROM task
         WHERE tenant_id = current_setting('redress.tenant') AND poll_id = $1 AND state = {leased}
           AND visible_at > $2",
        leased = TaskState::Leased,
    ))
    .bind(poll_id)
    .bind(now.to_sqlx())
    .fetch_one(conn)
    .await?;
    Ok(held)
}

/// Has the same poll, sent twice at once, answered one after the other: the second
/// finds what the first was handed. A statement of its own, because the next one
/// must look after the wait.
async fn take_turns(conn: &mut PgConnection, poll_id: &str) -> Result<(), Fault> {
    sqlx::query(
        "SELECT pg_advisory_xact_lock(hashtextextended(current_setting('redress.tenant') || ' poll ' || $1, 0))",
    )
    .bind(poll_id)
    .execute(conn)
    .await?;
    Ok(())
}

fn sort(rows: Vec<ClaimedRow>) -> Result<Claimed, Fault> {
    let mut claimed = Claimed::default();
    for ClaimedRow { row, same_poll } in rows {
        if !same_poll {
            return Err(Refusal::KeyReused.into());
        }
        let task = row.task()?;
        if task.state == TaskState::Leased {
            claimed.leased.push(task);
        } else {
            claimed.exhausted.push(task);
        }
    }
    Ok(claimed)
}

/// What a worker hears who gave a sign of life.
#[derive(sqlx::FromRow)]
struct HeardRow {
    visible_at: jiff_sqlx::Timestamp,
    cancel_requested: bool,
    pause_requested: bool,
}

/// Holds a lease on, with the worker's checkpoint if there is one, but not beyond the limit
/// of its attempt. None if it is not held, or the limit has passed.
pub(crate) async fn heartbeat(
    conn: &mut PgConnection,
    holder: (kernel::TaskId, Uuid),
    (now, until): (Timestamp, Timestamp),
    checkpoint: &[u8],
) -> Result<Option<Heard>, Fault> {
    let (task_id, token) = holder;
    let heard: Option<HeardRow> = sqlx::query_as(pg::sql!(
        "UPDATE task SET version = version + 1, visible_at = least($3, attempt_until),
                         checkpoint = CASE WHEN $4 = ''::bytea THEN checkpoint ELSE $4 END
         WHERE tenant_id = current_setting('redress.tenant') AND task_id = $1 AND state = {leased}
           AND lease_token = $2 AND coalesce(attempt_until > $5, true)
         RETURNING visible_at, cancel_requested, EXISTS (
             SELECT FROM department_pause p
             WHERE p.tenant_id = task.tenant_id AND p.department_id = task.department_id
               AND p.resumed_at IS NULL AND p.kind IN (0, task.kind)) AS pause_requested",
        leased = TaskState::Leased,
    ))
    .bind(task_id.0)
    .bind(token)
    .bind(until.to_sqlx())
    .bind(checkpoint)
    .bind(now.to_sqlx())
    .fetch_optional(conn)
    .await?;
    Ok(heard.map(|row| Heard {
        until: row.visible_at.to_jiff(),
        cancel_requested: row.cancel_requested,
        pause_requested: row.pause_requested,
    }))
}
