//! Every SQL statement about timers.

use fault::Fault;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use kernel::TenantId;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::tenant_rotation::{LOOK_MAX, Place};
use crate::{Fired, Timer};

/// Before every time a timer can have.
const EARLIEST: Timestamp = Timestamp::constant(-62_135_596_800, 0);

/// A timer that is due now or soon.
#[derive(Debug)]
pub(crate) struct Due {
    pub(crate) tenant: TenantId,
    pub(crate) kind: String,
    pub(crate) key: Uuid,
    pub(crate) try_at: Timestamp,
    pub(crate) attempts: i32,
}

pub(crate) async fn arm(conn: &mut PgConnection, timers: &[Timer]) -> Result<(), Fault> {
    // In the order of the key, so that two armings of the same timers queue up
    // instead of deadlocking.
    sqlx::query(
        "INSERT INTO timer (tenant_id, kind, key, fire_at, try_at, traceparent)
         SELECT DISTINCT ON (t.kind, t.key)
                current_setting('redress.tenant'), t.kind, t.key, t.fire_at, t.fire_at, t.traceparent
         FROM UNNEST($1::text[], $2::uuid[], $3::timestamptz[], $4::text[])
              WITH ORDINALITY AS t (kind, key, fire_at, traceparent, place)
         ORDER BY t.kind, t.key, t.place DESC
         ON CONFLICT ON CONSTRAINT timer_pkey DO UPDATE
         SET generation = excluded.generation, fire_at = excluded.fire_at, try_at = excluded.try_at,
             attempts = excluded.attempts, traceparent = excluded.traceparent",
    )
    .bind(timers.iter().map(|timer| timer.kind).collect::<Vec<_>>())
    .bind(timers.iter().map(|timer| timer.key).collect::<Vec<_>>())
    .bind(timers.iter().map(|timer| timer.fire_at.to_sqlx()).collect::<Vec<_>>())
    .bind(timers.iter().map(|timer| timer.traceparent.as_str()).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}

pub(crate) async fn disarm(conn: &mut PgConnection, kind: &str, keys: &[Uuid]) -> Result<(), Fault> {
    sqlx::query(
        "DELETE FROM timer
         WHERE tenant_id = current_setting('redress.tenant') AND kind = $1 AND key = ANY($2)",
    )
    .bind(kind)
    .bind(keys)
    .execute(conn)
    .await?;
    Ok(())
}

type Row = (String, String, Uuid, jiff_sqlx::Timestamp, i32);

fn due((tenant, kind, key, try_at, attempts): Row) -> Result<Due, Fault> {
    let tenant = TenantId::parse(&tenant).map_err(Fault::internal)?;
    Ok(Due { tenant, kind, key, try_at: try_at.to_jiff(), attempts })
}

/// What is tried up to a moment, of all tenants, first things first, as much as one look
/// takes. Locks nothing.
pub(crate) async fn due_until(
    conn: &mut PgConnection,
    kinds: &[&'static str],
    until: Timestamp,
) -> Result<Vec<Due>, Fault> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT tenant_id, kind, key, try_at, attempts FROM timer
         WHERE try_at <= $1 AND kind = ANY($2)
         ORDER BY try_at LIMIT $3",
    )
    .bind(until.to_sqlx())
    .bind(kinds)
    .bind(limit(LOOK_MAX))
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(due).collect()
}

/// The tenants that have something due, those after one, in the order of their ids.
/// Goes from tenant to tenant by the index, however many timers each has.
pub(crate) async fn due_tenants(
    conn: &mut PgConnection,
    after: Option<&TenantId>,
    now: Timestamp,
    tenants: usize,
) -> Result<Vec<TenantId>, Fault> {
    let ids: Vec<String> = sqlx::query_scalar(
        "WITH RECURSIVE first AS (
             (SELECT tenant_id, try_at FROM timer WHERE tenant_id > $1 ORDER BY tenant_id, try_at LIMIT 1)
             UNION ALL
             SELECT next.tenant_id, next.try_at FROM first, LATERAL (
                 SELECT t.tenant_id, t.try_at FROM timer t WHERE t.tenant_id > first.tenant_id
                 ORDER BY t.tenant_id, t.try_at LIMIT 1) AS next)
         SELECT tenant_id FROM first WHERE try_at <= $2 LIMIT $3",
    )
    .bind(after.map_or("", TenantId::as_str))
    .bind(now.to_sqlx())
    .bind(limit(tenants))
    .fetch_all(conn)
    .await?;
    ids.iter().map(|id| TenantId::parse(id).map_err(Fault::internal)).collect()
}

/// What some tenants have due behind a place each, first things first, a share of each,
/// of whatever kind: asked for kinds, the index would not give the order.
pub(crate) async fn shares(
    conn: &mut PgConnection,
    now: Timestamp,
    tenants: &[TenantId],
    behind: &[Option<&Place>],
    share: usize,
) -> Result<Vec<Due>, Fault> {
    let time = |place: Option<&Place>| place.map_or(EARLIEST, |place| place.try_at).to_sqlx();
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT d.tenant_id, d.kind, d.key, d.try_at, d.attempts
         FROM UNNEST($1::text[], $2::timestamptz[], $3::text[], $4::uuid[]) AS t (tenant_id, try_at, kind, key)
         CROSS JOIN LATERAL (
             SELECT r.tenant_id, r.kind, r.key, r.try_at, r.attempts FROM timer r
             WHERE r.tenant_id = t.tenant_id AND (r.try_at, r.kind, r.key) > (t.try_at, t.kind, t.key)
               AND r.try_at <= $5
             ORDER BY r.try_at, r.kind, r.key LIMIT $6) AS d",
    )
    .bind(tenants.iter().map(TenantId::as_str).collect::<Vec<_>>())
    .bind(behind.iter().map(|place| time(*place)).collect::<Vec<_>>())
    .bind(behind.iter().map(|place| place.map_or("", |place| &place.kind)).collect::<Vec<_>>())
    .bind(behind.iter().map(|place| place.map_or(Uuid::nil(), |place| place.key)).collect::<Vec<_>>())
    .bind(now.to_sqlx())
    .bind(limit(share))
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(due).collect()
}

fn limit(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Takes those of the timers that are still due and that nobody else is taking:
/// they are gone when the transaction commits.
pub(crate) async fn take(
    conn: &mut PgConnection,
    kind: &str,
    keys: &[Uuid],
    now: Timestamp,
) -> Result<Vec<Fired>, Fault> {
    let rows: Vec<(Uuid, i64, jiff_sqlx::Timestamp, String)> = sqlx::query_as(
        "WITH due AS MATERIALIZED (
             SELECT tenant_id, kind, key FROM timer
             WHERE tenant_id = current_setting('redress.tenant') AND kind = $1 AND key = ANY($2)
               AND try_at <= $3
             FOR UPDATE SKIP LOCKED),
         taken AS (
             DELETE FROM timer t USING due d
             WHERE t.tenant_id = d.tenant_id AND t.kind = d.kind AND t.key = d.key
             RETURNING t.key, t.generation, t.fire_at, t.traceparent)
         SELECT key, generation, fire_at, traceparent FROM taken ORDER BY fire_at, key",
    )
    .bind(kind)
    .bind(keys)
    .bind(now.to_sqlx())
    .fetch_all(conn)
    .await?;
    let fired = rows.into_iter().map(|(key, generation, fire_at, traceparent)| Fired {
        key,
        generation,
        fire_at: fire_at.to_jiff(),
        traceparent,
    });
    Ok(fired.collect())
}

/// Puts off timers whose alarm failed, unless another worker has done so. Waits for the
/// transaction in which they failed to be rolled back.
pub(crate) async fn put_off(
    conn: &mut PgConnection,
    kind: &str,
    keys: &[Uuid],
    attempts: i32,
    until: Timestamp,
) -> Result<(), Fault> {
    sqlx::query(
        "UPDATE timer SET try_at = $4, attempts = attempts + 1
         WHERE tenant_id = current_setting('redress.tenant') AND kind = $1 AND key = ANY($2)
           AND attempts = $3 AND try_at < $4",
    )
    .bind(kind)
    .bind(keys)
    .bind(attempts)
    .bind(until.to_sqlx())
    .execute(conn)
    .await?;
    Ok(())
}
