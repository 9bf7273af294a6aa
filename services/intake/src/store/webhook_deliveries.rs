//! Statements about what was posted to webhooks.

use fault::Fault;
use futures::future::BoxFuture;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use pg::Tx;
use sqlx::PgConnection;
use uuid::Uuid;
use work_queue::Table;

/// A delivery that is about to be kept.
pub(crate) struct NewDelivery<'a> {
    /// Its identity.
    pub(crate) id: Uuid,
    /// The source.
    pub(crate) source: &'a str,
    /// Hash of the id that its sender gave it.
    pub(crate) message: Option<[u8; 32]>,
    /// Hash of its body.
    pub(crate) content: [u8; 32],
    /// Its body.
    pub(crate) body: &'a [u8],
}

/// A delivery that waits to be split.
#[derive(sqlx::FromRow)]
pub(crate) struct Delivery {
    /// The source.
    pub(crate) source_id: String,
    /// Its body.
    pub(crate) body: Vec<u8>,
    /// When it was taken in.
    received_at: jiff_sqlx::Timestamp,
}

impl Delivery {
    /// When it was taken in.
    pub(crate) fn received(&self) -> Timestamp {
        self.received_at.to_jiff()
    }
}

/// Keeps a delivery; answers the id of the one that it is, where it is known.
pub(crate) async fn insert(
    conn: &mut PgConnection,
    new: &NewDelivery<'_>,
    now: Timestamp,
) -> Result<Option<Uuid>, Fault> {
    let written = sqlx::query(
        "INSERT INTO webhook_delivery (tenant_id, delivery_id, source_id, message_hash, content_hash, body,
                                       received_at, next_at)
         VALUES (current_setting('redress.tenant'), $1, $2, $3, $4, $5, $6, $6)
         ON CONFLICT DO NOTHING",
    )
    .bind(new.id)
    .bind(new.source)
    .bind(new.message.as_ref().map(<[u8; 32]>::as_slice))
    .bind(new.content.as_slice())
    .bind(new.body)
    .bind(now.to_sqlx())
    .execute(&mut *conn)
    .await?;
    if written.rows_affected() == 1 { Ok(None) } else { known(conn, new).await }
}

/// The delivery that one is, by its id or its body.
pub(crate) async fn known(conn: &mut PgConnection, new: &NewDelivery<'_>) -> Result<Option<Uuid>, Fault> {
    let known = sqlx::query_scalar(
        "SELECT delivery_id FROM webhook_delivery
         WHERE tenant_id = current_setting('redress.tenant') AND source_id = $1
           AND (message_hash = $2 OR content_hash = $3)
         ORDER BY delivery_id LIMIT 1",
    );
    let known = known
        .bind(new.source)
        .bind(new.message.as_ref().map(<[u8; 32]>::as_slice))
        .bind(new.content.as_slice());
    Ok(known.fetch_optional(conn).await?)
}

/// Whether so many deliveries of a source wait to be split, or more.
pub(crate) async fn is_full(conn: &mut PgConnection, source: &str, most: i64) -> Result<bool, Fault> {
    let is_full = sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM webhook_delivery
                        WHERE tenant_id = current_setting('redress.tenant') AND source_id = $1
                          AND next_at IS NOT NULL OFFSET $2)",
    );
    Ok(is_full.bind(source).bind(most - 1).fetch_one(conn).await?)
}

/// Deliveries that wait to be split.
pub(crate) fn waiting() -> Table {
    Table::new("webhook_delivery", "delivery_id", "w.next_at IS NOT NULL")
}

/// A delivery that waits to be split, and keeps others from splitting it.
pub(crate) async fn lock(conn: &mut PgConnection, id: Uuid) -> Result<Option<Delivery>, Fault> {
    let row = sqlx::query_as(
        "SELECT source_id, body, received_at FROM webhook_delivery
         WHERE tenant_id = current_setting('redress.tenant') AND delivery_id = $1 AND next_at IS NOT NULL
         FOR UPDATE",
    );
    Ok(row.bind(id).fetch_optional(conn).await?)
}

/// Notes that a delivery was split: its posts have what it said.
pub(crate) async fn split(conn: &mut PgConnection, id: Uuid) -> Result<(), Fault> {
    sqlx::query(
        "UPDATE webhook_delivery SET body = NULL, next_at = NULL
         WHERE tenant_id = current_setting('redress.tenant') AND delivery_id = $1",
    )
    .bind(id)
    .execute(conn)
    .await?;
    Ok(())
}

/// Has a delivery split at a moment.
pub(crate) async fn put_off(conn: &mut PgConnection, id: Uuid, next: Timestamp) -> Result<(), Fault> {
    sqlx::query(
        "UPDATE webhook_delivery SET next_at = $2
         WHERE tenant_id = current_setting('redress.tenant') AND delivery_id = $1 AND next_at IS NOT NULL",
    )
    .bind(id)
    .bind(next.to_sqlx())
    .execute(conn)
    .await?;
    Ok(())
}

/// Has all deliveries of a source split now.
pub(crate) async fn wake(conn: &mut PgConnection, source: &str, now: Timestamp) -> Result<(), Fault> {
    sqlx::query(
        "UPDATE webhook_delivery SET next_at = $2
         WHERE tenant_id = current_setting('redress.tenant') AND source_id = $1 AND next_at > $2",
    )
    .bind(source)
    .bind(now.to_sqlx())
    .execute(conn)
    .await?;
    Ok(())
}

/// Forgets that deliveries were split before a moment; of all tenants, at most so many. One of
/// them that is sent again is another one from then on.
pub(crate) fn forget(tx: &mut Tx, before: Timestamp, most: i64) -> BoxFuture<'_, Result<bool, Fault>> {
    Box::pin(async move { waiting().forget(tx, ("w.next_at IS NULL", "received_at"), before, most).await })
}
