//! The statements about events that are set aside: those that failed, those that wait for
//! the other lane, those behind them.

use std::collections::HashMap;

use fault::Fault;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use kernel::Lane;
use pg::{Binds, Tx};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::Delivered;

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
    pub(crate) lane: i16,
    pub(crate) follows: i64,
    pub(crate) retry_at: Option<jiff_sqlx::Timestamp>,
    pub(crate) failing_since: Option<jiff_sqlx::Timestamp>,
}

/// What is set aside of a subject that waits first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct First {
    pub(crate) position: i64,
    /// Whether it waits for somebody to drive it again.
    pub(crate) is_stuck: bool,
}

/// The subjects among these events of which events of this source are set aside, each
/// with the first of those.
pub(crate) async fn firsts(
    conn: &mut PgConnection,
    source: &str,
    events: &[Delivered],
) -> Result<HashMap<Uuid, First>, Fault> {
    let subjects: Vec<Uuid> = events.iter().map(|event| event.subject).collect();
    let rows: Vec<(Uuid, i64, bool)> = sqlx::query_as(
        "SELECT DISTINCT ON (subject) subject, position, retry_at IS NULL FROM parked_event
         WHERE tenant_id = current_setting('redress.tenant') AND source = $1 AND subject = ANY($2)
         ORDER BY subject, position",
    )
    .bind(source)
    .bind(subjects)
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|(of, position, is_stuck)| (of, First { position, is_stuck })).collect())
}

/// Why an event is set aside, and what becomes of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Aside {
    /// Empty for one that only waits.
    pub(crate) error: String,
    pub(crate) attempts: u32,
    /// When it is tried again by itself; none where somebody must say so.
    pub(crate) retry_at: Option<Timestamp>,
    /// Since when the database has been too busy for it.
    pub(crate) failing_since: Option<Timestamp>,
}

/// Sets an event aside whose tenant the transaction is bound to.
pub(crate) async fn park(tx: &mut Tx, source: &str, event: &Delivered, aside: &Aside) -> Result<(), Fault> {
    let now = tx.now();
    let mut binds = Binds::default();
    let rows = binds
        .row(event)
        .column("source", |_| source)
        .column("position", |event| event.position)
        .column("event_id", |event| event.id)
        .column("subject", |event| event.subject)
        .column("type", |event| event.type_name.as_str())
        .column("occurred_at", |event| event.occurred.to_sqlx())
        .column("traceparent", |event| event.traceparent.as_str())
        .column("payload", |event| event.payload.as_slice())
        .column("error", |_| aside.error.as_str())
        .column("attempts", |_| i32::try_from(aside.attempts).unwrap_or(i32::MAX))
        .column("parked_at", |_| now.to_sqlx())
        .column("lane", |event| event.lane.number())
        .column("follows", |event| event.follows)
        .column("retry_at", |_| aside.retry_at.map(ToSqlx::to_sqlx))
        .column("failing_since", |_| aside.failing_since.map(ToSqlx::to_sqlx))
        .done();
    let statement = rows.insert_into("parked_event");
    binds.execute(&statement, tx).await?;
    resize(tx, source, 1).await
}

/// Counts events that were set aside, or are no longer; answers how many of the source
/// there are.
async fn resize(conn: &mut PgConnection, source: &str, by: i64) -> Result<(), Fault> {
    sqlx::query("UPDATE inbox_size SET events = events + $2 WHERE source = $1")
        .bind(source)
        .bind(by)
        .execute(conn)
        .await?;
    Ok(())
}

/// How many events of a source are set aside, over all tenants.
pub(crate) async fn size(conn: &mut PgConnection, source: &str) -> Result<i64, Fault> {
    let events = sqlx::query_scalar("SELECT events FROM inbox_size WHERE source = $1")
        .bind(source)
        .fetch_optional(conn)
        .await?;
    Ok(events.unwrap_or_default())
}

/// The subjects whose first event is to be tried again now, those of each tenant that
/// have waited longest. Over all tenants: for the worker's role.
pub(crate) async fn due(tx: &mut Tx, source: &str, of_each: i64) -> Result<Vec<(String, Uuid)>, Fault> {
    let now = tx.now();
    let due = sqlx::query_as(pg::sql!(
        "SELECT tenant_id, subject FROM (
             SELECT p.tenant_id, p.subject, row_number() OVER (PARTITION BY p.tenant_id ORDER BY p.retry_at) AS place
             FROM parked_event p
             WHERE p.source = $1 AND p.retry_at <= $2
               AND p.follows <= coalesce(
                   (SELECT c.position FROM feed_cursor c
                    WHERE c.source = p.source AND c.lane = {bulk} AND c.apart = p.tenant_id),
                   (SELECT c.position FROM feed_cursor c
                    WHERE c.source = p.source AND c.lane = {bulk} AND c.apart = ''))
               AND NOT EXISTS (SELECT FROM parked_event e
                               WHERE e.tenant_id = p.tenant_id AND e.subject = p.subject
                                 AND e.source = p.source AND e.position < p.position)) AS first
         WHERE place <= $3 ORDER BY place",
        bulk = Lane::Bulk.number(),
    ))
    .bind(source)
    .bind(now.to_sqlx())
    .bind(of_each)
    .fetch_all(&mut **tx)
    .await?;
    Ok(due)
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
                error, attempts, parked_at, lane, follows, retry_at, failing_since
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

/// The first event of a subject from a source that is set aside, for nobody else to
/// touch.
pub(crate) async fn first_of(
    conn: &mut PgConnection,
    source: &str,
    subject: Uuid,
) -> Result<Option<Row>, Fault> {
    let row = sqlx::query_as(
        "SELECT tenant_id, source, position, event_id, subject, type, occurred_at, traceparent, payload,
                error, attempts, parked_at, lane, follows, retry_at, failing_since
         FROM parked_event
         WHERE tenant_id = current_setting('redress.tenant') AND subject = $1 AND source = $2
         ORDER BY position LIMIT 1 FOR UPDATE",
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

/// Takes an event out that has been applied; answers how many of the source are left.
pub(crate) async fn delete(conn: &mut PgConnection, source: &str, position: i64) -> Result<i64, Fault> {
    sqlx::query(
        "DELETE FROM parked_event
         WHERE tenant_id = current_setting('redress.tenant') AND source = $1 AND position = $2",
    )
    .bind(source)
    .bind(position)
    .execute(&mut *conn)
    .await?;
    resize(conn, source, -1).await?;
    size(conn, source).await
}

/// Notes that an event was tried again, why it stays, and what becomes of it. What waits
/// behind one that is stuck is not looked at any more.
pub(crate) async fn failed_again(
    conn: &mut PgConnection,
    row: &Row,
    Aside { error, attempts, retry_at, failing_since }: &Aside,
) -> Result<(), Fault> {
    sqlx::query(
        "UPDATE parked_event SET error = $3, attempts = $4, retry_at = $5, failing_since = $6
         WHERE tenant_id = current_setting('redress.tenant') AND source = $1 AND position = $2",
    )
    .bind(&row.source)
    .bind(row.position)
    .bind(error)
    .bind(i32::try_from(*attempts).unwrap_or(i32::MAX))
    .bind(retry_at.map(ToSqlx::to_sqlx))
    .bind(failing_since.map(ToSqlx::to_sqlx))
    .execute(&mut *conn)
    .await?;
    if retry_at.is_none() {
        sqlx::query(
            "UPDATE parked_event SET retry_at = NULL
             WHERE tenant_id = current_setting('redress.tenant') AND source = $1 AND subject = $2
               AND position > $3 AND retry_at IS NOT NULL",
        )
        .bind(&row.source)
        .bind(row.subject)
        .bind(row.position)
        .execute(conn)
        .await?;
    }
    Ok(())
}
