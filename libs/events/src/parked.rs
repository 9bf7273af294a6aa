//! The statements of a consumer: cursors and parked events.

use std::collections::HashSet;

use fault::{Fault, Kind};
use jiff::SignedDuration;
use jiff_sqlx::ToSqlx as _;
use pg::Tx;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::Delivered;

/// Reason of a cursor that could not be locked in time.
pub(crate) const LOCKED: &str = "CURSOR_LOCKED";

/// How far a source has been applied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub(crate) struct Cursor {
    /// Last position applied or parked.
    pub(crate) position: i64,
    /// How many events of the source are parked, over all tenants.
    pub(crate) parked: i64,
}

/// A parked event as stored.
#[derive(sqlx::FromRow)]
pub(crate) struct Row {
    pub(crate) tenant_id: String,
    pub(crate) source: String,
    pub(crate) position: i64,
    pub(crate) event_id: Uuid,
    pub(crate) subject: Uuid,
    pub(crate) r#type: String,
    pub(crate) occurred_at: jiff_sqlx::Timestamp,
    pub(crate) traceparent: String,
    pub(crate) payload: Vec<u8>,
    pub(crate) error: String,
    pub(crate) attempts: i32,
    pub(crate) parked_at: jiff_sqlx::Timestamp,
}

pub(crate) async fn ensure(conn: &mut PgConnection, source: &str) -> Result<(), Fault> {
    sqlx::query("INSERT INTO inbox_cursor (source) VALUES ($1) ON CONFLICT DO NOTHING")
        .bind(source)
        .execute(conn)
        .await?;
    Ok(())
}

/// Takes the feed for a replica unless another holds it; answers where it stands.
pub(crate) async fn try_hold(
    tx: &mut Tx,
    source: &str,
    replica: Uuid,
    hold: SignedDuration,
) -> Result<Option<Cursor>, Fault> {
    let now = tx.now();
    let cursor = sqlx::query_as(
        "UPDATE inbox_cursor SET holder = $2, held_until = $4
         WHERE source = $1 AND (holder IS NULL OR holder = $2 OR held_until < $3)
         RETURNING position, parked",
    )
    .bind(source)
    .bind(replica)
    .bind(now.to_sqlx())
    .bind((now + hold).to_sqlx())
    .fetch_optional(&mut **tx)
    .await?;
    Ok(cursor)
}

/// Lets go of every feed a replica holds.
pub(crate) async fn release(conn: &mut PgConnection, replica: Uuid) -> Result<(), Fault> {
    sqlx::query("UPDATE inbox_cursor SET holder = NULL, held_until = NULL WHERE holder = $1")
        .bind(replica)
        .execute(conn)
        .await?;
    Ok(())
}

/// Locks the cursor: whoever else applies this source waits here.
pub(crate) async fn lock(conn: &mut PgConnection, source: &str) -> Result<Cursor, Fault> {
    let cursor = sqlx::query_as("SELECT position, parked FROM inbox_cursor WHERE source = $1 FOR UPDATE")
        .bind(source)
        .fetch_one(conn)
        .await;
    cursor.map_err(|error| {
        Fault::new(Kind::Unavailable, LOCKED, "another replica applies this feed").because(error)
    })
}

pub(crate) async fn look(conn: &mut PgConnection, source: &str) -> Result<Cursor, Fault> {
    let cursor = sqlx::query_as("SELECT position, parked FROM inbox_cursor WHERE source = $1")
        .bind(source)
        .fetch_optional(conn)
        .await?;
    Ok(cursor.unwrap_or_default())
}

/// Moves a locked cursor.
pub(crate) async fn store(conn: &mut PgConnection, source: &str, cursor: Cursor) -> Result<(), Fault> {
    sqlx::query("UPDATE inbox_cursor SET position = $2, parked = $3 WHERE source = $1")
        .bind(source)
        .bind(cursor.position)
        .bind(cursor.parked)
        .execute(conn)
        .await?;
    Ok(())
}

/// Moves a locked cursor and keeps the feed for the replica that moved it.
pub(crate) async fn store_and_hold(
    tx: &mut Tx,
    source: &str,
    cursor: Cursor,
    replica: Uuid,
    hold: SignedDuration,
) -> Result<(), Fault> {
    let held_until = tx.now() + hold;
    sqlx::query(
        "UPDATE inbox_cursor SET position = $2, parked = $3, holder = $4, held_until = $5 WHERE source = $1",
    )
    .bind(source)
    .bind(cursor.position)
    .bind(cursor.parked)
    .bind(replica)
    .bind(held_until.to_sqlx())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The subjects among these events that have parked events of this source.
pub(crate) async fn subjects(
    conn: &mut PgConnection,
    source: &str,
    events: &[Delivered],
) -> Result<HashSet<Uuid>, Fault> {
    let subjects: Vec<Uuid> = events.iter().map(|event| event.subject).collect();
    let parked: Vec<Uuid> = sqlx::query_scalar(
        "SELECT DISTINCT subject FROM parked_event
         WHERE tenant_id = current_setting('redress.tenant') AND source = $1 AND subject = ANY($2)",
    )
    .bind(source)
    .bind(subjects)
    .fetch_all(conn)
    .await?;
    Ok(parked.into_iter().collect())
}

/// Parks events of one tenant, to which the transaction is bound here.
pub(crate) async fn park(
    tx: &mut Tx,
    source: &str,
    events: &[Delivered],
    error: &str,
    attempts: u32,
) -> Result<(), Fault> {
    let now = tx.now();
    for event in events {
        tx.act_for(&event.tenant).await?;
        sqlx::query(
            "INSERT INTO parked_event (tenant_id, source, position, event_id, subject, type, occurred_at,
                                       traceparent, payload, error, attempts, parked_at)
             VALUES (current_setting('redress.tenant'), $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        )
        .bind(source)
        .bind(event.position)
        .bind(event.id)
        .bind(event.subject)
        .bind(&event.type_name)
        .bind(event.occurred.to_sqlx())
        .bind(&event.traceparent)
        .bind(&event.payload)
        .bind(error)
        .bind(i32::try_from(attempts).unwrap_or(i32::MAX))
        .bind(now.to_sqlx())
        .execute(&mut **tx)
        .await?;
    }
    Ok(())
}

/// Whether the event at a position is parked.
pub(crate) async fn has(conn: &mut PgConnection, source: &str, position: i64) -> Result<bool, Fault> {
    let has = sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM parked_event
         WHERE tenant_id = current_setting('redress.tenant') AND source = $1 AND position = $2)",
    )
    .bind(source)
    .bind(position)
    .fetch_one(conn)
    .await?;
    Ok(has)
}

/// Parked events of the tenant, by source and position.
pub(crate) async fn list(
    conn: &mut PgConnection,
    after: Option<(String, i64)>,
    limit: i64,
) -> Result<Vec<Row>, Fault> {
    let (source, position) = after.unwrap_or_default();
    let rows = sqlx::query_as(
        "SELECT tenant_id, source, position, event_id, subject, type, occurred_at, traceparent, payload,
                error, attempts, parked_at
         FROM parked_event
         WHERE tenant_id = current_setting('redress.tenant') AND (source, position) > ($1, $2)
         ORDER BY source, position LIMIT $3",
    )
    .bind(source)
    .bind(position)
    .bind(limit)
    .fetch_all(conn)
    .await?;
    Ok(rows)
}

/// The first parked event of a subject from a source.
pub(crate) async fn first_of(
    conn: &mut PgConnection,
    source: &str,
    subject: Uuid,
) -> Result<Option<Row>, Fault> {
    let row = sqlx::query_as(
        "SELECT tenant_id, source, position, event_id, subject, type, occurred_at, traceparent, payload,
                error, attempts, parked_at
         FROM parked_event
         WHERE tenant_id = current_setting('redress.tenant') AND subject = $1 AND source = $2
         ORDER BY position LIMIT 1",
    )
    .bind(subject)
    .bind(source)
    .fetch_optional(conn)
    .await?;
    Ok(row)
}

pub(crate) async fn count_of(conn: &mut PgConnection, subject: Uuid) -> Result<i64, Fault> {
    let count = sqlx::query_scalar(
        "SELECT count(*) FROM parked_event
         WHERE tenant_id = current_setting('redress.tenant') AND subject = $1",
    )
    .bind(subject)
    .fetch_one(conn)
    .await?;
    Ok(count)
}

pub(crate) async fn delete(conn: &mut PgConnection, source: &str, position: i64) -> Result<(), Fault> {
    sqlx::query(
        "DELETE FROM parked_event
         WHERE tenant_id = current_setting('redress.tenant') AND source = $1 AND position = $2",
    )
    .bind(source)
    .bind(position)
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes that a parked event was tried again and why it stays.
pub(crate) async fn failed_again(
    conn: &mut PgConnection,
    source: &str,
    position: i64,
    error: &str,
) -> Result<(), Fault> {
    sqlx::query(
        "UPDATE parked_event SET error = $3, attempts = attempts + 1
         WHERE tenant_id = current_setting('redress.tenant') AND source = $1 AND position = $2",
    )
    .bind(source)
    .bind(position)
    .bind(error)
    .execute(conn)
    .await?;
    Ok(())
}
