//! The queue of a department: what is due is handed out, most urgent first.

use fault::Fault;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use pg::Binds;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Row, columns};
use crate::department::EVERY_KIND;
use crate::refusal::Refusal;
use crate::remedy::RemedyKind;
use crate::task::{HeartbeatStatus, Task, TaskState};

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

/// What the queue of department $3 has at $4. The comparison of kinds is wrapped: taken for
/// selective, it would have the whole queue read and sorted.
macro_rules! waiting {
    () => {
        "department_id = $3 AND state IN ({ready}, {leased}) AND visible_at <= $4
               AND 0 <> ALL ((SELECT kinds FROM paused)::smallint[])
               AND coalesce(kind <> ALL ((SELECT kinds FROM paused)::smallint[]), false)"
    };
}

/// The kinds department $3 has paused; 0 is all of them.
macro_rules! paused {
    () => {
        "paused AS (
             SELECT coalesce(array_agg(kind), '{{}}') AS kinds FROM department_pause
             WHERE tenant_id = current_setting('redress.tenant') AND department_id = $3 AND resumed_at IS NULL)"
    };
}

/// What is handed out to a poll, or found again; of the whole queue, or of some tasks of it.
/// Who planned a task that moves money is looked up task by task, in the order of the queue:
/// as a join, all plans would be read for ten tasks.
macro_rules! claim_statement {
    ($rest:literal) => {
        concat!(
            "WITH held AS (
             SELECT *, poll_hash = $2 AS same_poll FROM task
             WHERE tenant_id = current_setting('redress.tenant') AND poll_id = $1 AND state = {leased} AND $13),
         ",
            paused!(),
            ",
         due AS (
             SELECT task_id, attempt_seconds, attempt < max_attempts AS has_attempts,
                    state = {leased} AND visible_at >= attempt_until AS overran
             FROM task
             WHERE tenant_id = current_setting('redress.tenant') AND ",
            $rest,
            waiting!(),
            " AND NOT EXISTS (SELECT FROM held)
               AND coalesce(amount_minor IS NULL OR (
                   SELECT $9 = ANY (SELECT lower(btrim(planner))
                                    FROM UNNEST(ARRAY[plan.proposer, plan.approver, plan.first_approver]
                                                || plan.approvers || plan.approvers_for || plan.revisers
                                                || plan.earlier_approvers) AS planner)
                   FROM plan
                   WHERE plan.tenant_id = current_setting('redress.tenant') AND plan.plan_id = task.plan_id)
                   IS NOT TRUE, false)
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
                 worker = CASE WHEN may THEN $5 ELSE worker END,
                 first_leased_at = CASE WHEN may THEN coalesce(first_leased_at, $4) ELSE first_leased_at END,
                 visible_at = CASE WHEN may THEN least($6, $4 + limits.longest) ELSE visible_at END,
                 attempt_until = CASE WHEN may THEN $4 + limits.longest ELSE attempt_until END,
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

/// Writes the numbers of states into a statement.
macro_rules! numbered {
    ($text:expr) => {
        pg::sql!(
            $text,
            ready = TaskState::Ready,
            leased = TaskState::Leased,
            unknown = TaskState::OutcomeUnknown,
            attention = TaskState::NeedsAttention,
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
    let arguments = arguments(claim).arguments()?;
    sort(sqlx::query_as_with(numbered!(claim_statement!("")), arguments).fetch_all(conn).await?)
}

/// The same of some tasks only, as far as they are due, free and may be handed to who asks.
pub(crate) async fn claim_of(
    conn: &mut PgConnection,
    claim: Claim<'_>,
    tasks: &[Uuid],
) -> Result<Claimed, Fault> {
    take_turns(conn, claim.poll_id).await?;
    let mut binds = arguments(claim);
    binds.value(tasks);
    let statement = numbered!(claim_statement!("task_id = ANY($14) AND "));
    sort(sqlx::query_as_with(statement, binds.arguments()?).fetch_all(conn).await?)
}

/// What the statement of a claim is about: `$1` to `$13`.
fn arguments(claim: Claim<'_>) -> Binds {
    let limit = i64::try_from(claim.tokens.len()).unwrap_or(i64::MAX);
    let valuable = RemedyKind::ALL.iter().filter(|kind| kind.moves_value()).map(|kind| kind.number());
    let longest = RemedyKind::ALL.iter().map(|kind| kind.start_to_close().as_secs().cast_signed());
    let mut binds = Binds::default();
    binds.value(claim.poll_id);
    binds.value(claim.poll_hash);
    binds.value(claim.department_id);
    binds.value(claim.now.to_sqlx());
    binds.value(claim.worker);
    binds.value(claim.until.to_sqlx());
    binds.value(claim.tokens);
    binds.value(limit);
    binds.value(claim.executor);
    binds.value(valuable.collect::<Vec<_>>());
    binds.value(RemedyKind::ALL.iter().map(|kind| kind.number()).collect::<Vec<_>>());
    binds.value(longest.collect::<Vec<_>>());
    binds.value(claim.replays);
    binds
}

/// The tasks a department's queue begins with, most urgent first; those left out that are
/// being handed out already. Locks nothing.
pub(crate) async fn ahead(
    conn: &mut PgConnection,
    department_id: &str,
    now: Timestamp,
    limit: i64,
    without: &[Uuid],
) -> Result<Vec<Uuid>, Fault> {
    let tasks = sqlx::query_scalar(pg::sql!(
        concat!(
            "WITH ",
            paused!(),
            " SELECT task_id FROM task WHERE tenant_id = current_setting('redress.tenant') AND ",
            waiting!(),
            " AND task_id <> ALL ($1) ORDER BY priority, due_time, created_at LIMIT $2"
        ),
        ready = TaskState::Ready,
        leased = TaskState::Leased,
    ))
    .bind(without)
    .bind(limit)
    .bind(department_id)
    .bind(now.to_sqlx())
    .fetch_all(conn)
    .await?;
    Ok(tasks)
}

/// How many rows that are no more lie in the table of tasks, as Postgres has counted.
pub(crate) async fn dead_rows(conn: &mut PgConnection) -> Result<i64, Fault> {
    Ok(sqlx::query_scalar("SELECT pg_stat_get_dead_tuples('task'::regclass)").fetch_one(conn).await?)
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
    pg::hold(conn, &format!("poll {poll_id}")).await
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
struct HeartbeatRow {
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
) -> Result<Option<HeartbeatStatus>, Fault> {
    let (task_id, token) = holder;
    let heard: Option<HeartbeatRow> = sqlx::query_as(pg::sql!(
        "UPDATE task SET version = version + 1, visible_at = least($3, attempt_until),
                         checkpoint = CASE WHEN $4 = ''::bytea THEN checkpoint ELSE $4 END
         WHERE tenant_id = current_setting('redress.tenant') AND task_id = $1 AND state = {leased}
           AND lease_token = $2 AND coalesce(attempt_until > $5, true)
         RETURNING visible_at, cancel_requested, EXISTS (
             SELECT FROM department_pause p
             WHERE p.tenant_id = task.tenant_id AND p.department_id = task.department_id
               AND p.resumed_at IS NULL AND p.kind IN ({every_kind}, task.kind)) AS pause_requested",
        every_kind = EVERY_KIND,
        leased = TaskState::Leased,
    ))
    .bind(task_id.0)
    .bind(token)
    .bind(until.to_sqlx())
    .bind(checkpoint)
    .bind(now.to_sqlx())
    .fetch_optional(conn)
    .await?;
    Ok(heard.map(|row| HeartbeatStatus {
        until: row.visible_at.to_jiff(),
        cancel_requested: row.cancel_requested,
        pause_requested: row.pause_requested,
    }))
}

#[cfg(test)]
mod tests;
