//! Messages to departments, and each try of one.

mod due;

use std::collections::HashMap;
use std::time::Duration;

use fault::Fault;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use kernel::TaskId;
use pg::Binds;
use sqlx::PgConnection;
use uuid::Uuid;

#[cfg(test)]
pub(crate) use due::waiting_statement;
pub(crate) use due::{Room, claim, clean_up, waiting};

use super::impossible;
use crate::delivery::{Delivery, DeliveryKind, DeliveryState, Hold, Seen, Try};
use crate::task::TaskState;

/// Most tries that are shown of one delivery.
const MAX_TRIES: i64 = 20;

#[derive(sqlx::FromRow)]
struct Row {
    delivery_id: Uuid,
    task_id: Uuid,
    department_id: String,
    kind: i16,
    state: i16,
    lease_token: Uuid,
    created_at: jiff_sqlx::Timestamp,
    due_at: jiff_sqlx::Timestamp,
    give_up_at: jiff_sqlx::Timestamp,
    tries: i32,
    is_under_way: bool,
    may_have_arrived: bool,
    ended_at: Option<jiff_sqlx::Timestamp>,
    traceparent: String,
}

/// The columns of a row.
macro_rules! delivery_columns {
    () => {
        "delivery_id, task_id, department_id, kind, state, lease_token, created_at, due_at, give_up_at, tries,
         is_under_way, may_have_arrived, ended_at, traceparent"
    };
}

impl Row {
    fn delivery(self) -> Result<Delivery, Fault> {
        let id = self.delivery_id;
        let kind = DeliveryKind::of(self.kind).ok_or_else(|| impossible("delivery.kind", self.kind, id))?;
        let state = DeliveryState::of(self.state);
        Ok(Delivery {
            delivery_id: id,
            task_id: TaskId(self.task_id),
            department_id: self.department_id,
            kind,
            state: state.ok_or_else(|| impossible("delivery.state", self.state, id))?,
            token: self.lease_token,
            created_at: self.created_at.to_jiff(),
            due_at: self.due_at.to_jiff(),
            give_up_at: self.give_up_at.to_jiff(),
            tries: self.tries,
            is_under_way: self.is_under_way,
            may_have_arrived: self.may_have_arrived,
            ended_at: self.ended_at.map(jiff_sqlx::Timestamp::to_jiff),
            traceparent: self.traceparent,
        })
    }
}

fn deliveries(rows: Vec<Row>) -> Result<Vec<Delivery>, Fault> {
    rows.into_iter().map(Row::delivery).collect()
}

/// Stores new deliveries. What was to be delivered of the same tasks before is superseded;
/// of a cancellation that is under way already there is no second one.
pub(crate) async fn insert(
    conn: &mut PgConnection,
    deliveries: &[Delivery],
    now: Timestamp,
) -> Result<(), Fault> {
    if deliveries.is_empty() {
        return Ok(());
    }
    let tasks = deliveries.iter().filter(|delivery| delivery.kind == DeliveryKind::Task);
    supersede(conn, &tasks.map(|delivery| delivery.task_id.0).collect::<Vec<_>>(), now).await?;
    let mut binds = Binds::default();
    let rows = binds
        .rows(deliveries)
        .column("delivery_id", |delivery| delivery.delivery_id)
        .column("task_id", |delivery| delivery.task_id.0)
        .column("department_id", |delivery| delivery.department_id.as_str())
        .column("kind", |delivery| delivery.kind.number())
        .column("state", |delivery| delivery.state.number())
        .column("lease_token", |delivery| delivery.token)
        .column("created_at", |delivery| delivery.created_at.to_sqlx())
        .column("due_at", |delivery| delivery.due_at.to_sqlx())
        .column("give_up_at", |delivery| delivery.give_up_at.to_sqlx())
        .column("traceparent", |delivery| delivery.traceparent.as_str())
        .done();
    let statement = format!("{} ON CONFLICT DO NOTHING", rows.insert_into("delivery"));
    binds.execute(&statement, conn).await?;
    Ok(())
}

/// Ends what waits to be delivered of tasks that are held by others now.
async fn supersede(conn: &mut PgConnection, tasks: &[Uuid], now: Timestamp) -> Result<(), Fault> {
    sqlx::query(pg::sql!(
        "UPDATE delivery SET state = {superseded}, ended_at = $2
         WHERE tenant_id = current_setting('redress.tenant') AND task_id = ANY($1) AND state = {pending}",
        superseded = DeliveryState::Superseded,
        pending = DeliveryState::Pending,
    ))
    .bind(tasks)
    .bind(now.to_sqlx())
    .execute(conn)
    .await?;
    Ok(())
}

/// A delivery, locked.
pub(crate) async fn lock(conn: &mut PgConnection, delivery_id: Uuid) -> Result<Option<Delivery>, Fault> {
    let row: Option<Row> = sqlx::query_as(concat!(
        "SELECT ",
        delivery_columns!(),
        " FROM delivery
         WHERE tenant_id = current_setting('redress.tenant') AND delivery_id = $1 FOR UPDATE"
    ))
    .bind(delivery_id)
    .fetch_optional(conn)
    .await?;
    row.map(Row::delivery).transpose()
}

/// The latest delivery that a task is held under, locked.
pub(crate) async fn lock_of_lease(
    conn: &mut PgConnection,
    task_id: TaskId,
    token: Uuid,
) -> Result<Option<Delivery>, Fault> {
    let row: Option<Row> = sqlx::query_as(pg::sql!(
        concat!(
            "SELECT ",
            delivery_columns!(),
            " FROM delivery
             WHERE tenant_id = current_setting('redress.tenant') AND task_id = $1 AND lease_token = $2
               AND kind = {task}
             ORDER BY delivery_id DESC LIMIT 1 FOR UPDATE"
        ),
        task = DeliveryKind::Task,
    ))
    .bind(task_id.0)
    .bind(token)
    .fetch_optional(conn)
    .await?;
    row.map(Row::delivery).transpose()
}

/// Stores what became of a delivery, which is locked.
pub(crate) async fn save(conn: &mut PgConnection, delivery: &Delivery) -> Result<(), Fault> {
    sqlx::query(
        "UPDATE delivery SET state = $2, due_at = $3, give_up_at = $4, may_have_arrived = $5, ended_at = $6,
                             tries = $7, is_under_way = $8
         WHERE tenant_id = current_setting('redress.tenant') AND delivery_id = $1",
    )
    .bind(delivery.delivery_id)
    .bind(delivery.state.number())
    .bind(delivery.due_at.to_sqlx())
    .bind(delivery.give_up_at.to_sqlx())
    .bind(delivery.may_have_arrived)
    .bind(delivery.ended_at.map(ToSqlx::to_sqlx))
    .bind(delivery.tries)
    .bind(delivery.is_under_way)
    .execute(conn)
    .await?;
    Ok(())
}

/// Has what waits to be brought to a department looked at now.
pub(crate) async fn wake(conn: &mut PgConnection, department_id: &str, now: Timestamp) -> Result<(), Fault> {
    sqlx::query(pg::sql!(
        "UPDATE delivery SET due_at = $2
         WHERE tenant_id = current_setting('redress.tenant') AND department_id = $1 AND state = {pending}
           AND NOT is_under_way",
        pending = DeliveryState::Pending,
    ))
    .bind(department_id)
    .bind(now.to_sqlx())
    .execute(conn)
    .await?;
    Ok(())
}

/// Of tasks whose holders are asked to stop, what is to be told to departments: has
/// deliveries that wait looked at now, and answers the tokens of those that were taken.
pub(crate) async fn cancelled(
    conn: &mut PgConnection,
    tasks: &[Uuid],
    now: Timestamp,
) -> Result<Vec<(Uuid, Uuid)>, Fault> {
    let found: Vec<(Uuid, Uuid, i16)> = sqlx::query_as(pg::sql!(
        "WITH found AS (
             SELECT d.delivery_id, d.task_id, d.lease_token, d.state, d.is_under_way
             FROM delivery d JOIN task t ON t.tenant_id = d.tenant_id AND t.task_id = d.task_id
             WHERE d.tenant_id = current_setting('redress.tenant') AND d.task_id = ANY($1) AND d.kind = {task}
               AND d.lease_token = t.lease_token AND t.state = {leased} AND d.state IN ({pending}, {taken})),
         woken AS (
             UPDATE delivery SET due_at = $2 FROM found
             WHERE delivery.tenant_id = current_setting('redress.tenant')
               AND delivery.delivery_id = found.delivery_id
               AND found.state = {pending} AND NOT found.is_under_way)
         SELECT task_id, lease_token, state FROM found",
        task = DeliveryKind::Task,
        leased = TaskState::Leased,
        pending = DeliveryState::Pending,
        taken = DeliveryState::Taken,
    ))
    .bind(tasks)
    .bind(now.to_sqlx())
    .fetch_all(conn)
    .await?;
    let taken = found.into_iter().filter(|(.., state)| *state == DeliveryState::Taken.number());
    Ok(taken.map(|(task, token, _)| (task, token)).collect())
}

/// Holds tasks so, those that are held under their tokens.
pub(crate) async fn hold(conn: &mut PgConnection, leases: &[(Uuid, Uuid)], hold: Hold) -> Result<(), Fault> {
    sqlx::query(pg::sql!(
        "UPDATE task SET version = version + 1, visible_at = $3, attempt_until = $4
         FROM UNNEST($1::uuid[], $2::uuid[]) AS held (id, token)
         WHERE task.tenant_id = current_setting('redress.tenant') AND task.task_id = held.id
           AND task.lease_token = held.token AND task.state = {leased}",
        leased = TaskState::Leased,
    ))
    .bind(leases.iter().map(|(task, _)| *task).collect::<Vec<_>>())
    .bind(leases.iter().map(|(_, token)| *token).collect::<Vec<_>>())
    .bind(hold.until.to_sqlx())
    .bind(hold.attempt_until.to_sqlx())
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes a try down before it is made.
pub(crate) async fn begin_try(
    conn: &mut PgConnection,
    delivery: &Delivery,
    now: Timestamp,
) -> Result<(), Fault> {
    sqlx::query(
        "INSERT INTO delivery_try (tenant_id, delivery_id, number, tried_at)
         VALUES (current_setting('redress.tenant'), $1, $2, $3)",
    )
    .bind(delivery.delivery_id)
    .bind(delivery.tries)
    .bind(now.to_sqlx())
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes down what came of a try.
pub(crate) async fn end_try(
    conn: &mut PgConnection,
    (delivery_id, number): (Uuid, i32),
    took: Duration,
    seen: &Seen,
) -> Result<(), Fault> {
    sqlx::query(
        "UPDATE delivery_try SET duration_ms = $3, status = $4, reason = $5, excerpt = $6
         WHERE tenant_id = current_setting('redress.tenant') AND delivery_id = $1 AND number = $2",
    )
    .bind(delivery_id)
    .bind(number)
    .bind(i64::try_from(took.as_millis()).unwrap_or(i64::MAX))
    .bind(&seen.status)
    .bind(&seen.reason)
    .bind(&seen.excerpt)
    .execute(conn)
    .await?;
    Ok(())
}

/// The deliveries of a task, newest first, after the last of the page before.
pub(crate) async fn list_of_task(
    conn: &mut PgConnection,
    task_id: TaskId,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Delivery>, Fault> {
    let rows = sqlx::query_as(concat!(
        "SELECT ",
        delivery_columns!(),
        " FROM delivery
         WHERE tenant_id = current_setting('redress.tenant') AND task_id = $1 AND delivery_id < $2
         ORDER BY delivery_id DESC LIMIT $3"
    ))
    .bind(task_id.0)
    .bind(after.unwrap_or(Uuid::max()))
    .bind(limit)
    .fetch_all(conn)
    .await?;
    deliveries(rows)
}

/// The deliveries to a department, newest first, after the last of the page before.
pub(crate) async fn list_of_department(
    conn: &mut PgConnection,
    department_id: &str,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Delivery>, Fault> {
    let rows = sqlx::query_as(concat!(
        "SELECT ",
        delivery_columns!(),
        " FROM delivery
         WHERE tenant_id = current_setting('redress.tenant') AND department_id = $1 AND delivery_id < $2
         ORDER BY delivery_id DESC LIMIT $3"
    ))
    .bind(department_id)
    .bind(after.unwrap_or(Uuid::max()))
    .bind(limit)
    .fetch_all(conn)
    .await?;
    deliveries(rows)
}

#[derive(sqlx::FromRow)]
struct TryRow {
    delivery_id: Uuid,
    number: i32,
    tried_at: jiff_sqlx::Timestamp,
    duration_ms: Option<i64>,
    status: String,
    reason: String,
    excerpt: String,
}

/// The latest tries of deliveries, the newest first.
pub(crate) async fn tries(
    conn: &mut PgConnection,
    deliveries: &[Uuid],
) -> Result<HashMap<Uuid, Vec<Try>>, Fault> {
    let rows: Vec<TryRow> = sqlx::query_as(
        "SELECT t.delivery_id, t.number, t.tried_at, t.duration_ms, t.status, t.reason, t.excerpt
         FROM UNNEST($1::uuid[]) AS wanted (id)
         CROSS JOIN LATERAL (
             SELECT * FROM delivery_try
             WHERE tenant_id = current_setting('redress.tenant') AND delivery_id = wanted.id
             ORDER BY number DESC LIMIT $2) AS t
         ORDER BY t.delivery_id, t.number DESC",
    )
    .bind(deliveries)
    .bind(MAX_TRIES)
    .fetch_all(conn)
    .await?;
    let mut tries: HashMap<Uuid, Vec<Try>> = HashMap::new();
    for row in rows {
        let seen = Seen { status: row.status, reason: row.reason, excerpt: row.excerpt };
        let took = row.duration_ms.map(|ms| Duration::from_millis(ms.unsigned_abs()));
        let one = Try { number: row.number, at: row.tried_at.to_jiff(), took, seen };
        tries.entry(row.delivery_id).or_default().push(one);
    }
    Ok(tries)
}
