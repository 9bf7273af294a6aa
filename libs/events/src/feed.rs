//! What a service tells, as a stream: its outbox, and rows that are events themselves.
//!
//! One tailer per process looks how far they may be read and loads new
//! events once for all subscribers. Who is further behind than what is kept in
//! memory reads the table, up to the same horizon.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fault::Fault;
use futures::stream::BoxStream;
use futures::{StreamExt as _, TryStreamExt as _};
use pg::Db;
use prost_types::Any;
use proto::redress::event::v1::Event;
use sqlx::PgConnection;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::delivered::type_name;
use crate::horizon::{Horizon, Sight};
use crate::{Batch, MAX_BATCH, Source};

/// How long the tailer waits when nobody rings.
const POLL: Duration = Duration::from_millis(500);
/// How soon it looks again while positions are undecided.
const UNDECIDED: Duration = Duration::from_millis(4);
/// Least time between two looks: under load, events are read in batches.
const GAP: Duration = Duration::from_millis(20);
/// How long it waits when the database cannot be reached.
const RETRY: Duration = Duration::from_millis(500);
/// A subscriber hears at least this often, if only a cursor.
const HEARTBEAT: Duration = Duration::from_secs(2);
/// Events kept in memory for subscribers that are up to date.
const KEPT: usize = 2_000;
/// Most payload of these.
const KEPT_BYTES: usize = 32 * 1024 * 1024;
/// Most events loaded by one look.
const LOAD: usize = 1_000;
/// Most payload of these, but for the last.
const LOAD_BYTES: usize = 8 * 1024 * 1024;
/// Most payload of one batch: with what is around it, less than the 4 MiB that gRPC
/// clients take in unless told otherwise. One event is a batch however long it is.
const MAX_BATCH_BYTES: usize = 3 * 1024 * 1024;

/// The feed of one service.
pub struct Feed {
    db: Db,
    head: watch::Sender<i64>,
    recent: Mutex<Recent>,
    closed: CancellationToken,
}

/// Which events a subscriber wants.
pub(crate) type Wanted = Arc<dyn Fn(&Event) -> bool + Send + Sync>;

/// The latest events: all there are after `floor`.
#[derive(Default)]
struct Recent {
    floor: i64,
    events: VecDeque<Arc<Event>>,
    bytes: usize,
}

impl Recent {
    /// Takes in what came after; lets go of the oldest.
    fn extend(&mut self, events: Vec<Arc<Event>>) {
        self.bytes += events.iter().map(|event| size(event)).sum::<usize>();
        self.events.extend(events);
        while self.events.len() > KEPT || self.bytes > KEPT_BYTES {
            let Some(oldest) = self.events.pop_front() else { break };
            self.bytes -= size(&oldest);
            self.floor = oldest.position;
        }
    }
}

/// What an event takes: its payload, beside which the rest is little.
fn size(event: &Event) -> usize {
    event.payload.as_ref().map_or(0, |payload| payload.value.len())
}

impl Feed {
    /// The feed of a service; [`Feed::run`] brings it to life.
    pub fn new(db: Db) -> Arc<Self> {
        Arc::new(Self {
            db,
            head: watch::Sender::new(0),
            recent: Mutex::default(),
            closed: CancellationToken::new(),
        })
    }

    /// The service whose feed it is.
    pub fn source(&self) -> &'static str {
        self.db.schema()
    }

    /// Last position that can be read; grows.
    pub fn head(&self) -> i64 {
        *self.head.borrow()
    }

    /// Follows what is told until told to stop; then every subscription ends.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        let guard = self.closed.clone().drop_guard();
        let tail = async {
            loop {
                if let Err(fault) = self.follow().await {
                    tracing::warn!(
                        fault = fault.chain(),
                        feed = self.source(),
                        "feed waits for its database"
                    );
                    tokio::time::sleep(RETRY).await;
                }
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = tail => {}
        }
        drop(guard);
    }

    async fn follow(&self) -> Result<(), Fault> {
        let mut conn = self.db.worker_connection().await?;
        let mut bell = self.db.bell().listen(pg::bell::EVENTS);
        let mut horizon = Horizon::default();
        loop {
            horizon.observe(sight(&mut conn, &horizon).await?);
            let more = self.load(&mut conn, horizon.safe()).await?;
            if more {
                continue;
            }
            tokio::time::sleep(if horizon.is_waiting() { UNDECIDED } else { GAP }).await;
            if !horizon.is_waiting() {
                bell.heard_within(POLL).await;
            }
        }
    }

    /// Loads what is new up to the horizon; true when there may be more.
    async fn load(&self, conn: &mut PgConnection, safe: i64) -> Result<bool, Fault> {
        let head = self.head();
        if safe <= head {
            return Ok(false);
        }
        if head == 0 || self.head.receiver_count() == 0 {
            // Just started, or nobody listens: who comes later reads the table.
            *self.recent.lock().unwrap_or_else(PoisonError::into_inner) =
                Recent { floor: safe, ..Recent::default() };
            self.head.send_replace(safe);
            return Ok(false);
        }
        let (events, reached) = read(conn, self.source(), head, safe).await?;
        self.recent.lock().unwrap_or_else(PoisonError::into_inner).extend(events);
        self.head.send_replace(reached);
        Ok(reached < safe)
    }

    /// Reads the next events after a cursor, without waiting.
    async fn next(&self, cursor: i64, wanted: &Wanted, max: usize) -> Result<Batch, Fault> {
        let head = self.head();
        if cursor >= head {
            return Ok(Batch { events: Vec::new(), cursor });
        }
        if let Some(batch) = self.next_in_memory(cursor, head, wanted, max) {
            return Ok(batch);
        }
        let source = self.source();
        let (events, reached) = self
            .db
            .transact_as_worker("feed.catch_up", async move |mut tx| {
                let read = read(&mut tx, source, cursor, head).await?;
                Ok((tx, read))
            })
            .await?;
        Ok(take(events.iter(), reached, wanted, max))
    }

    fn next_in_memory(&self, cursor: i64, head: i64, wanted: &Wanted, max: usize) -> Option<Batch> {
        let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if cursor < recent.floor {
            return None;
        }
        let start = recent.events.partition_point(|event| event.position <= cursor);
        let end = recent.events.partition_point(|event| event.position <= head);
        Some(take(recent.events.range(start..end), head, wanted, max))
    }

    /// Streams the events a reader wants, with heartbeats, until the feed closes.
    pub(crate) fn stream(
        self: Arc<Self>,
        mut cursor: i64,
        max: usize,
        wanted: Wanted,
    ) -> BoxStream<'static, Result<Batch, Fault>> {
        let mut head = self.head.subscribe();
        async_stream::try_stream! {
            loop {
                let batch = self.next(cursor, &wanted, max).await?;
                let moved = batch.cursor > cursor;
                cursor = batch.cursor;
                if !batch.events.is_empty() || !moved {
                    yield batch;
                }
                if !moved {
                    tokio::select! {
                        () = self.closed.cancelled() => break,
                        _ = tokio::time::timeout(HEARTBEAT, head.wait_for(|head| *head > cursor)) => {}
                    }
                }
            }
        }
        .boxed()
    }
}

/// Takes the wanted events up to a maximum; the cursor ends where taking ended.
fn take<'a>(
    events: impl Iterator<Item = &'a Arc<Event>>,
    reached: i64,
    wanted: &Wanted,
    max: usize,
) -> Batch {
    let mut batch = Batch { events: Vec::new(), cursor: reached };
    let mut bytes = 0;
    for event in events.filter(|event| wanted(event)) {
        bytes += size(event);
        if let Some(last) = batch.events.last()
            && (batch.events.len() == max || bytes > MAX_BATCH_BYTES)
        {
            batch.cursor = last.position;
            break;
        }
        batch.events.push(event.clone());
    }
    batch
}

async fn sight(conn: &mut PgConnection, horizon: &Horizon) -> Result<Sight, Fault> {
    let (last, quiet, bound, xmin) =
        sqlx::query_as("SELECT last_position, quiet, bound, xmin FROM feed_sight($1, $2)")
            .bind(horizon.known())
            .bind(horizon.safe())
            .fetch_one(conn)
            .await?;
    Ok(Sight { last, quiet, bound, xmin })
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
}

/// Reads events up to a position, or fewer where they are many or long; answers also
/// up to where.
async fn read(
    conn: &mut PgConnection,
    source: &str,
    after: i64,
    up_to: i64,
) -> Result<(Vec<Arc<Event>>, i64), Fault> {
    let mut rows = sqlx::query_as(
        "SELECT position, tenant_id, event_id, subject, type, occurred_at, traceparent, payload
         FROM feed($1, $2, $3) ORDER BY position",
    )
    .bind(after)
    .bind(up_to)
    .bind(i64::try_from(LOAD).unwrap_or(i64::MAX))
    .fetch(conn);
    let (mut events, mut bytes) = (Vec::new(), 0);
    while let Some(row) = rows.try_next().await? {
        let event = event(source, row);
        let position = event.position;
        bytes += size(&event);
        events.push(Arc::new(event));
        if events.len() == LOAD || bytes > LOAD_BYTES {
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
    }
}

/// A feed read in the process that serves it.
pub struct LocalSource(pub Arc<Feed>);

impl Source for LocalSource {
    fn subscribe(
        &self,
        cursor: i64,
        types: &'static [&'static str],
    ) -> BoxStream<'static, Result<Batch, Fault>> {
        let wanted: Wanted = Arc::new(move |event| {
            event.payload.as_ref().is_some_and(|payload| types.contains(&type_name(&payload.type_url)))
        });
        self.0.clone().stream(cursor, MAX_BATCH, wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(payload: usize) -> Vec<Arc<Event>> {
        let payload = Some(Any { type_url: String::new(), value: vec![0; payload] });
        (1..=4)
            .map(|position| Arc::new(Event { position, payload: payload.clone(), ..Event::default() }))
            .collect()
    }

    #[test]
    fn a_batch_ends_at_so_many_events_or_so_much_of_them() {
        let all: Wanted = Arc::new(|_| true);
        let taken = |payload: usize, max: usize| {
            let Batch { events, cursor } = take(events(payload).iter(), 9, &all, max);
            (events.len(), cursor)
        };
        assert_eq!(taken(1, 3), (3, 3));
        assert_eq!(taken(1, 4), (4, 9), "there are no more up to there");
        assert_eq!(taken(MAX_BATCH_BYTES / 2, 4), (2, 2));
        assert_eq!(taken(MAX_BATCH_BYTES + 1, 4), (1, 1), "one is always taken");
    }

    #[test]
    fn only_so_much_is_kept() {
        let mut recent = Recent::default();
        recent.extend(events(KEPT_BYTES / 3));
        assert_eq!((recent.floor, recent.events.len()), (1, 3));
        let next = Event { position: 5, ..Event::default() };
        recent.extend(vec![Arc::new(next)]);
        assert_eq!((recent.floor, recent.events.len(), recent.bytes), (1, 4, KEPT_BYTES / 3 * 3));
        recent.extend(events(KEPT_BYTES + 1).into_iter().take(1).collect());
        assert_eq!((recent.events.len(), recent.bytes), (0, 0), "who wants it reads the table");
    }

    #[test]
    fn what_is_not_wanted_is_left_behind() {
        let third: Wanted = Arc::new(|event| event.position == 3);
        let Batch { events, cursor } = take(events(1).iter(), 9, &third, 1);
        assert_eq!((events.len(), cursor), (1, 9));
    }
}
