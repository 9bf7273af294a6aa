//! Statements on how many acknowledgements addresses were sent of late.

use std::collections::{BTreeMap, HashMap};

use fault::Fault;
use jiff_sqlx::{Timestamp, ToSqlx as _};
use sqlx::PgConnection;

use crate::address::INTERVAL;

/// Counts acknowledgements to addresses; answers when those before will be forgotten.
/// In the order of the addresses, so that two batches never wait for each other in a
/// circle.
pub(crate) async fn reserve(
    conn: &mut PgConnection,
    counts: &BTreeMap<String, i32>,
    now: jiff::Timestamp,
) -> Result<HashMap<String, jiff::Timestamp>, Fault> {
    let rows: Vec<(String, Timestamp)> = sqlx::query_as(
        "INSERT INTO address_limit AS l (tenant_id, address, free_at)
         SELECT current_setting('redress.tenant'), c.address, $3::timestamptz + make_interval(secs => c.number * $4)
         FROM (SELECT UNNEST($1::text[]) AS address, UNNEST($2::int[]) AS number) AS c
         ON CONFLICT ON CONSTRAINT address_limit_pkey
         DO UPDATE SET free_at = greatest(l.free_at, $3) + (excluded.free_at - $3)
         RETURNING l.address, l.free_at",
    )
    .bind(counts.keys().map(String::as_str).collect::<Vec<_>>())
    .bind(counts.values().copied().collect::<Vec<_>>())
    .bind(now.to_sqlx())
    .bind(INTERVAL.as_secs_f64())
    .fetch_all(conn)
    .await?;
    let before = |(address, after): (String, Timestamp)| {
        let number = counts.get(&address).copied().unwrap_or_default();
        let before = after.to_jiff().checked_sub(INTERVAL * number).unwrap_or(now);
        (address, before)
    };
    Ok(rows.into_iter().map(before).collect())
}

/// Most addresses swept at once.
const SWEPT: i64 = 1_000;

/// Forgets addresses of all tenants that are limited no more: run as the worker.
pub(crate) async fn clean_up_addresses(conn: &mut PgConnection, now: jiff::Timestamp) -> Result<(), Fault> {
    sqlx::query(
        "DELETE FROM address_limit
         WHERE ctid = ANY (ARRAY (SELECT ctid FROM address_limit WHERE free_at < $1 ORDER BY free_at LIMIT $2
                                  FOR UPDATE SKIP LOCKED))",
    )
    .bind(now.to_sqlx())
    .bind(SWEPT)
    .execute(conn)
    .await?;
    Ok(())
}
