//! The statements of a feed: its horizon, its epoch, its events.

use std::sync::Arc;

use fault::Fault;
use futures::TryStreamExt as _;
use kernel::Lane;
use prost_types::Any;
use proto::redress::event::v1::Event;
use sqlx::PgConnection;
use uuid::Uuid;

use super::size;
use crate::horizon::{Horizon, Sight};
use crate::{Subscription, Tenants};

/// Most positions that one statement looks through, whatever it wants of them: so long
/// and no longer does a reader keep a connection who wants nothing that is there.
const SCAN: i64 = 50_000;

/// How far the feed may be read.
pub(super) async fn sight(conn: &mut PgConnection, horizon: &Horizon) -> Result<Sight, Fault> {
    let (last, quiet, bound, xmin) =
        sqlx::query_as("SELECT last_position, quiet, bound, xmin FROM feed_sight($1, $2)")
            .bind(horizon.known())
            .bind(horizon.safe())
            .fetch_one(conn)
            .await?;
    Ok(Sight { last, quiet, bound, xmin })
}

/// Last position handed out, whatever has become of it.
pub(super) async fn last(conn: &mut PgConnection) -> Result<i64, Fault> {
    let last =
        sqlx::query_scalar("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM outbox_position")
            .fetch_one(conn)
            .await?;
    Ok(last)
}

/// The feed's epoch.
pub(super) async fn epoch(conn: &mut PgConnection) -> Result<String, Fault> {
    let epoch = sqlx::query_scalar("SELECT epoch::text FROM feed_epoch ORDER BY ordinal DESC LIMIT 1")
        .fetch_one(conn)
        .await?;
    Ok(epoch)
}

/// Up to where an epoch of before tells the same as the current one; 0 when it is not
/// known here.
pub(super) async fn common(conn: &mut PgConnection, epoch: &str) -> Result<i64, Fault> {
    let common = sqlx::query_scalar(
        "SELECT coalesce((SELECT min(later.base) FROM feed_epoch mine JOIN feed_epoch later
                          ON later.ordinal > mine.ordinal WHERE mine.epoch::text = $1), 0)",
    )
    .bind(epoch)
    .fetch_one(conn)
    .await?;
    Ok(common)
}

#[derive(sqlx::FromRow)]
struct Row {
    position: i64,
    tenant_id: String,
    event_id: Uuid,
    subject: Uuid,
    r#type: String,
    occurred_at: jiff_sqlx::Timestamp,
    traceparent: String,
    payload: Vec<u8>,
    lane: i16,
    follows: i64,
}

/// Reads what is wanted of the events after a position and up to another, so many and
/// so much of them at most; answers also up to where it has read.
pub(super) async fn read(
    conn: &mut PgConnection,
    source: &str,
    (after, up_to): (i64, i64),
    wanted: &Subscription,
    (most, most_bytes): (usize, usize),
) -> Result<(Vec<Arc<Event>>, i64), Fault> {
    let up_to = up_to.min(after.saturating_add(SCAN));
    let (only, but) = match &wanted.tenants {
        Tenants::All => ("", Vec::new()),
        Tenants::Only(tenant) => (tenant.as_str(), Vec::new()),
        Tenants::Except(others) => ("", others.iter().map(ToString::to_string).collect()),
    };
    let mut rows = sqlx::query_as(
        "SELECT position, tenant_id, event_id, subject, type, occurred_at, traceparent, payload, lane, follows
         FROM feed_page($1, $2, $3, $4, $5, $6, $7) ORDER BY position",
    )
    .bind(after)
    .bind(up_to)
    .bind(i64::try_from(most).unwrap_or(i64::MAX))
    .bind(wanted.lane.map_or(0, Lane::number))
    .bind(only)
    .bind(but)
    .bind(&*wanted.types)
    .fetch(conn);
    let (mut events, mut bytes) = (Vec::new(), 0);
    while let Some(row) = rows.try_next().await? {
        let event = event(source, row);
        let position = event.position;
        bytes += size(&event);
        events.push(Arc::new(event));
        if events.len() == most || bytes > most_bytes {
            return Ok((events, position));
        }
    }
    Ok((events, up_to))
}

fn event(source: &str, row: Row) -> Event {
    Event {
        id: row.event_id.to_string(),
        source: source.to_owned(),
        position: row.position,
        tenant_id: row.tenant_id,
        subject: row.subject.to_string(),
        occur_time: Some(proto::timestamp(row.occurred_at.to_jiff())),
        traceparent: row.traceparent,
        payload: Some(Any { type_url: format!("type.googleapis.com/{}", row.r#type), value: row.payload }),
        lane: row.lane.into(),
        follows_position: row.follows,
    }
}
