//! What a service tells, as a stream: its outbox, and rows that are events themselves.
//!
//! One tailer per process looks how far they may be read and loads new
//! events once for all subscribers. Who is further behind than what is kept in
//! memory reads the table, up to the same horizon.

mod page;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fault::{Fault, Kind};
use futures::StreamExt as _;
use futures::stream::BoxStream;
use pg::Db;
use proto::redress::event::v1::Event;
use sqlx::PgConnection;
use tokio::sync::{Semaphore, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::horizon::Horizon;
use crate::{Batch, Source, Subscription};

/// How long the tailer waits when nobody notifies it.
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

/// How often the feed's epoch is looked at: it changes under a process that runs only
/// where an operator was in haste.
const EPOCH_LOOK: Duration = Duration::from_secs(5);
/// Longest a new subscription waits for a feed that has just begun to be followed.
const READY: Duration = Duration::from_secs(3);
/// When a reader is told to come back whose feed is not ready.
const READY_RETRY: Duration = Duration::from_millis(500);

/// The feed of one service.
pub struct Feed {
    db: Db,
    /// Grows while the database is the same.
    head: watch::Sender<i64>,
    /// None until the database has been seen. Whoever reads has what stood when they
    /// began, or is sent away.
    epoch: watch::Sender<Option<Arc<Epoch>>>,
    recent: Mutex<Recent>,
    closed: CancellationToken,
}

/// What positions mean: the database's epoch, as far as this process has followed it
/// without a break.
#[derive(Debug, PartialEq, Eq)]
struct Epoch {
    id: Arc<str>,
    /// How often the database has been found to have gone back, here.
    setback: u64,
}

/// How a subscriber is served.
#[derive(Clone, Default)]
pub(crate) struct Pace {
    /// Reads of the table at once, where they are limited.
    pub(crate) reads: Option<Arc<Semaphore>>,
    /// Pause between two of them.
    pub(crate) pause: Duration,
}

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
            epoch: watch::Sender::default(),
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
        let mut listener = self.db.notifier().listen(pg::notifier::EVENTS);
        let mut horizon = Horizon::default();
        self.look_at_epoch(&mut conn).await?;
        let mut looked = Instant::now();
        loop {
            if looked.elapsed() > EPOCH_LOOK {
                self.look_at_epoch(&mut conn).await?;
                looked = Instant::now();
            }
            horizon.observe(page::sight(&mut conn, &horizon).await?);
            let more = self.load(&mut conn, horizon.safe()).await?;
            if more {
                continue;
            }
            tokio::time::sleep(if horizon.is_waiting() { UNDECIDED } else { GAP }).await;
            if !horizon.is_waiting() {
                listener.notified_within(POLL).await;
            }
        }
    }

    /// Notices that the database was restored to an earlier moment: it has another
    /// epoch, or has handed out less than was read here. What is kept is forgotten, and
    /// every subscription ends; who comes again is told.
    async fn look_at_epoch(&self, conn: &mut PgConnection) -> Result<(), Fault> {
        let id: Arc<str> = page::epoch(conn).await?.into();
        let last = page::last(conn).await?;
        let known = self.epoch.borrow().clone();
        let is_back = last < self.head();
        if !is_back && known.as_ref().is_some_and(|known| known.id == id) {
            return Ok(());
        }
        if known.is_some() {
            let (feed, head) = (self.source(), self.head());
            tracing::error!(feed, last, head, "the database was restored to an earlier moment");
            *self.kept() = Recent::default();
            self.head.send_replace(0);
        }
        let setback = known.map_or(0, |known| known.setback + 1);
        self.epoch.send_replace(Some(Arc::new(Epoch { id, setback })));
        Ok(())
    }

    /// Loads what is new up to the horizon; true when there may be more.
    async fn load(&self, conn: &mut PgConnection, safe: i64) -> Result<bool, Fault> {
        let head = self.head();
        if safe <= head {
            return Ok(false);
        }
        if head == 0 || self.head.receiver_count() == 0 {
            // Just started, or nobody listens: who comes later reads the table.
            *self.kept() = Recent { floor: safe, ..Recent::default() };
            self.head.send_replace(safe);
            return Ok(false);
        }
        let all = Subscription::after(head, &[]);
        let (events, reached) =
            page::read(conn, self.source(), (head, safe), &all, (LOAD, LOAD_BYTES)).await?;
        self.kept().extend(events);
        self.head.send_replace(reached);
        Ok(reached < safe)
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Recent> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the next events after a cursor, without waiting for new ones.
    async fn next(&self, cursor: i64, wanted: &Subscription, pace: &Pace) -> Result<Next, Fault> {
        let head = self.head();
        if cursor >= head {
            return Ok(Next { batch: Batch { cursor, head, ..Batch::default() }, is_from_table: false });
        }
        if let Some(batch) = self.next_in_memory(cursor, head, wanted) {
            return Ok(Next { batch, is_from_table: false });
        }
        let _permit = match &pace.reads {
            Some(reads) => Some(reads.acquire().await.map_err(Fault::internal)?),
            None => None,
        };
        let source = self.source();
        let (events, reached) = self
            .db
            .transact_as_worker("feed.catch_up", async move |mut tx| {
                let most = (wanted.max, MAX_BATCH_BYTES);
                let read = page::read(&mut tx, source, (cursor, head), wanted, most).await?;
                Ok((tx, read))
            })
            .await?;
        let batch = Batch { head, ..take(events.iter(), reached, wanted) };
        Ok(Next { batch, is_from_table: true })
    }

    fn next_in_memory(&self, cursor: i64, head: i64, wanted: &Subscription) -> Option<Batch> {
        let recent = self.kept();
        if cursor < recent.floor {
            return None;
        }
        let start = recent.events.partition_point(|event| event.position <= cursor);
        let end = recent.events.partition_point(|event| event.position <= head);
        Some(Batch { head, ..take(recent.events.range(start..end), head, wanted) })
    }

    /// Streams the events a reader wants, with heartbeats, until the feed closes.
    pub(crate) fn stream(
        self: Arc<Self>,
        wanted: Subscription,
        pace: Pace,
    ) -> BoxStream<'static, Result<Batch, Fault>> {
        let mut head = self.head.subscribe();
        async_stream::try_stream! {
            let epoch = self.admit(&wanted).await?;
            let mut cursor = wanted.cursor;
            let mut said = Instant::now();
            loop {
                self.ensure_current(&epoch)?;
                let Next { mut batch, is_from_table } = self.next(cursor, &wanted, &pace).await?;
                let moved = batch.cursor > cursor;
                cursor = batch.cursor;
                batch.epoch = epoch.id.clone();
                let is_worth_saying = !batch.events.is_empty() || !moved || said.elapsed() > HEARTBEAT / 2;
                if is_worth_saying {
                    said = Instant::now();
                    yield batch;
                }
                if is_from_table && !pace.pause.is_zero() {
                    tokio::time::sleep(pace.pause).await;
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

    /// Whether a reader's cursor means here what the reader takes it for; answers the
    /// epoch that it is of.
    async fn admit(&self, wanted: &Subscription) -> Result<Arc<Epoch>, Fault> {
        let mut epochs = self.epoch.subscribe();
        let ready = async { epochs.wait_for(Option::is_some).await.ok().and_then(|epoch| epoch.clone()) };
        let current = tokio::time::timeout(READY, ready).await.ok().flatten().ok_or_else(not_ready)?;
        let is_other = !wanted.epoch.is_empty() && wanted.epoch != *current.id;
        if !is_other && wanted.cursor <= self.head() {
            return Ok(current);
        }
        let epoch = &wanted.epoch;
        let (last, common) = self
            .db
            .transact_as_worker("feed.admit", async move |mut tx| {
                let common = if is_other { page::common(&mut tx, epoch).await? } else { 0 };
                let last = page::last(&mut tx).await?;
                Ok((tx, (last, common)))
            })
            .await?;
        if is_other {
            return Err(epoch_changed(&current.id, common));
        }
        // What another replica has read already may not have been seen here yet.
        if wanted.cursor > last {
            return Err(beyond_head(last));
        }
        Ok(current)
    }

    fn ensure_current(&self, epoch: &Arc<Epoch>) -> Result<(), Fault> {
        let is_current = self.epoch.borrow().as_ref() == Some(epoch);
        if is_current { Ok(()) } else { Err(not_ready()) }
    }
}

/// What was read.
struct Next {
    batch: Batch,
    is_from_table: bool,
}

fn not_ready() -> Fault {
    let sentence = "this feed cannot be read just now; try again";
    Fault::new(Kind::Unavailable, "FEED_NOT_READY", sentence).retry_after(READY_RETRY)
}

/// Reason of a cursor of another epoch than the feed's.
pub(crate) const EPOCH_CHANGED: &str = "FEED_EPOCH_CHANGED";
/// Its metadata: up to where both epochs tell the same.
pub(crate) const RESUME_POSITION: &str = "resume_position";

fn epoch_changed(epoch: &str, common: i64) -> Fault {
    let sentence = format!(
        "the feed's database was restored to an earlier moment: up to position {common} it tells what it told \
         before, and what came after that is gone"
    );
    Fault::new(Kind::Precondition, EPOCH_CHANGED, sentence)
        .with("epoch", epoch)
        .with(RESUME_POSITION, common.to_string())
}

fn beyond_head(last: i64) -> Fault {
    let sentence = format!("the cursor is beyond {last}, the last position that was ever handed out here");
    Fault::new(Kind::Precondition, "CURSOR_BEYOND_HEAD", sentence).with("head", last.to_string())
}

/// Takes the wanted events up to a maximum; the cursor ends where taking ended.
fn take<'a>(events: impl Iterator<Item = &'a Arc<Event>>, reached: i64, wanted: &Subscription) -> Batch {
    let mut batch = Batch { cursor: reached, ..Batch::default() };
    let mut bytes = 0;
    for event in events.filter(|event| wanted.wants(event)) {
        bytes += size(event);
        if let Some(last) = batch.events.last()
            && (batch.events.len() == wanted.max || bytes > MAX_BATCH_BYTES)
        {
            batch.cursor = last.position;
            break;
        }
        batch.events.push(event.clone());
    }
    batch
}

/// A feed read in the process that serves it.
pub struct LocalSource(pub Arc<Feed>);

impl Source for LocalSource {
    fn subscribe(&self, wanted: Subscription) -> BoxStream<'static, Result<Batch, Fault>> {
        self.0.clone().stream(wanted, Pace::default())
    }
}

#[cfg(test)]
mod tests {
    use prost_types::Any;

    use super::*;

    fn wanted(max: usize) -> Subscription {
        Subscription { max, ..Subscription::after(0, &[]) }
    }

    fn events(payload: usize) -> Vec<Arc<Event>> {
        let payload = Some(Any { type_url: String::new(), value: vec![0; payload] });
        (1..=4)
            .map(|position| Arc::new(Event { position, payload: payload.clone(), ..Event::default() }))
            .collect()
    }

    #[test]
    fn a_batch_ends_at_so_many_events_or_so_much_of_them() {
        let taken = |payload: usize, max: usize| {
            let Batch { events, cursor, .. } = take(events(payload).iter(), 9, &wanted(max));
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
        let bulk = Subscription { lane: Some(kernel::Lane::Bulk), ..wanted(1) };
        let mut events = events(1);
        let third = Event { position: 3, lane: 2, ..Event::default() };
        events[2] = Arc::new(third);
        let Batch { events, cursor, .. } = take(events.iter(), 9, &bulk);
        assert_eq!((events.len(), cursor), (1, 9));
    }
}
