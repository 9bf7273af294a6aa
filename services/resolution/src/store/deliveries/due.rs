//! What is due, of all tenants: run as the worker.

use std::collections::HashMap;

use fault::Fault;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use kernel::TenantId;
use sqlx::{AssertSqlSafe, PgConnection};
use uuid::Uuid;

use super::{Row, impossible};
use crate::delivery::{Delivery, DeliveryState};
use crate::endpoint::{AT_ONCE, FAILING};
use crate::task::TaskState;

/// Most deliveries that are forgotten in one transaction.
const SWEEP: i64 = 1_000;

/// How much there is room for, and what is under way in this process.
pub(crate) struct Room {
    /// Most deliveries in all.
    pub(crate) limit: i64,
    /// Most of one tenant, those under way with them.
    pub(crate) of_tenant: i64,
    /// How many are under way of each tenant's department.
    pub(crate) under_way: HashMap<(TenantId, String), i64>,
}

impl Room {
    fn tenants(&self) -> Vec<&str> {
        self.under_way.keys().map(|(tenant, _)| tenant.as_str()).collect()
    }

    fn departments(&self) -> Vec<&str> {
        self.under_way.keys().map(|(_, department)| department.as_str()).collect()
    }

    fn counts(&self) -> Vec<i64> {
        self.under_way.values().copied().collect()
    }
}

#[derive(sqlx::FromRow)]
struct ClaimedRow {
    tenant_id: String,
    #[sqlx(flatten)]
    row: Row,
}

fn tenant(id: &str) -> Result<TenantId, Fault> {
    TenantId::parse(id).map_err(|_| impossible("tenant_id", id, "delivery"))
}

/// Claims deliveries that are due, until another process may make them. Goes from
/// department to department by the index; of each, as many as its endpoint takes at once;
/// the tenant with the fewest under way is next. One whose last try was never settled may
/// have arrived.
pub(crate) async fn claim(
    conn: &mut PgConnection,
    room: &Room,
    (now, until): (Timestamp, Timestamp),
) -> Result<Vec<(TenantId, Delivery)>, Fault> {
    let rows: Vec<ClaimedRow> = sqlx::query_as(pg::sql!(
        concat!(
            "WITH RECURSIVE queue AS (
                 (SELECT tenant_id, department_id FROM delivery WHERE state = {pending}
                  ORDER BY tenant_id, department_id LIMIT 1)
                 UNION ALL
                 SELECT next.tenant_id, next.department_id FROM queue, LATERAL (
                     SELECT d.tenant_id, d.department_id FROM delivery d
                     WHERE d.state = {pending} AND (d.tenant_id, d.department_id) > (queue.tenant_id, queue.department_id)
                     ORDER BY d.tenant_id, d.department_id LIMIT 1) AS next),
             busy AS (
                 SELECT * FROM UNNEST($4::text[], $5::text[], $6::bigint[]) AS b (tenant_id, department_id, count)),
             due AS (
                 SELECT d.tenant_id, d.delivery_id, d.due_at, row_number() OVER (
                            PARTITION BY queue.tenant_id ORDER BY d.turn, d.due_at)
                        + coalesce((SELECT sum(count) FROM busy WHERE busy.tenant_id = queue.tenant_id), 0) AS turn
                 FROM queue
                 LEFT JOIN endpoint e ON e.tenant_id = queue.tenant_id AND e.department_id = queue.department_id
                 LEFT JOIN busy ON busy.tenant_id = queue.tenant_id AND busy.department_id = queue.department_id
                 CROSS JOIN LATERAL (
                     SELECT w.tenant_id, w.delivery_id, w.due_at, row_number() OVER (ORDER BY w.due_at) AS turn
                     FROM delivery w
                     WHERE w.state = {pending} AND w.tenant_id = queue.tenant_id
                       AND w.department_id = queue.department_id AND w.due_at <= $1
                     ORDER BY w.due_at LIMIT $7) AS d
                 WHERE d.turn <= CASE WHEN e.failures >= $8 THEN 1 ELSE $7 END - coalesce(busy.count, 0)),
             claimed AS (
                 SELECT w.tenant_id, w.delivery_id
                 FROM due JOIN delivery w ON w.tenant_id = due.tenant_id AND w.delivery_id = due.delivery_id
                 WHERE w.state = {pending} AND w.due_at <= $1 AND due.turn <= $9
                 ORDER BY due.turn, due.due_at LIMIT $3
                 FOR UPDATE OF w SKIP LOCKED)
             UPDATE delivery SET due_at = $2, tries = tries + 1, is_under_way = true,
                                 may_have_arrived = may_have_arrived OR is_under_way
             FROM claimed
             WHERE delivery.tenant_id = claimed.tenant_id AND delivery.delivery_id = claimed.delivery_id
             RETURNING delivery.*"
        ),
        pending = DeliveryState::Pending,
    ))
    .bind(now.to_sqlx())
    .bind(until.to_sqlx())
    .bind(room.limit)
    .bind(room.tenants())
    .bind(room.departments())
    .bind(room.counts())
    .bind(AT_ONCE)
    .bind(FAILING)
    .bind(room.of_tenant)
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(|row| Ok((tenant(&row.tenant_id)?, row.row.delivery()?))).collect()
}

/// How departments are found for which tasks wait.
pub(crate) fn waiting_statement() -> AssertSqlSafe<String> {
    pg::sql!(
        "SELECT e.tenant_id, e.department_id, free.count
         FROM endpoint e
         CROSS JOIN LATERAL (
             SELECT CASE WHEN e.failures >= $3 THEN 1 - least(1, count(*))
                         ELSE $4 - count(*) FILTER (WHERE d.due_at <= $1 OR d.is_under_way) END AS count
             FROM delivery d
             WHERE d.tenant_id = e.tenant_id AND d.department_id = e.department_id AND d.state = {pending}) AS free
         CROSS JOIN LATERAL (
             SELECT FROM task t
             WHERE t.tenant_id = e.tenant_id AND t.department_id = e.department_id
               AND t.state IN ({ready}, {leased}) AND t.visible_at <= $1
             LIMIT 1) AS waits
         WHERE e.paused_at IS NULL AND free.count > 0
         ORDER BY random() LIMIT $2",
        pending = DeliveryState::Pending,
        ready = TaskState::Ready,
        leased = TaskState::Leased,
    )
}

/// Departments whose endpoint is enabled and for which tasks wait, with how many it takes
/// now: one that fails none beside the one that shows whether it is back. Looks for one task of
/// each: asked whether there is any, Postgres would gather all that wait, of all departments,
/// and see of which there are.
pub(crate) async fn waiting(
    conn: &mut PgConnection,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<(TenantId, String, i64)>, Fault> {
    let rows: Vec<(String, String, i64)> = sqlx::query_as(waiting_statement())
        .bind(now.to_sqlx())
        .bind(limit)
        .bind(FAILING)
        .bind(AT_ONCE)
        .fetch_all(conn)
        .await?;
    rows.into_iter().map(|(id, department, free)| Ok((tenant(&id)?, department, free))).collect()
}

/// Forgets deliveries that ended before a moment, with their tries, as many as are no
/// burden; answers how many.
pub(crate) async fn clean_up(conn: &mut PgConnection, before: Timestamp) -> Result<u64, Fault> {
    let ids: Vec<(String, Uuid)> = sqlx::query_as(pg::sql!(
        "DELETE FROM delivery
         WHERE state <> {pending} AND ended_at < $1
           AND ctid = ANY (ARRAY (
               SELECT ctid FROM delivery WHERE state <> {pending} AND ended_at < $1 LIMIT $2))
         RETURNING tenant_id, delivery_id",
        pending = DeliveryState::Pending,
    ))
    .bind(before.to_sqlx())
    .bind(SWEEP)
    .fetch_all(&mut *conn)
    .await?;
    sqlx::query(
        "DELETE FROM delivery_try USING UNNEST($1::text[], $2::uuid[]) AS gone (tenant_id, delivery_id)
         WHERE delivery_try.tenant_id = gone.tenant_id AND delivery_try.delivery_id = gone.delivery_id",
    )
    .bind(ids.iter().map(|(tenant, _)| tenant.as_str()).collect::<Vec<_>>())
    .bind(ids.iter().map(|(_, id)| *id).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(ids.len() as u64)
}
