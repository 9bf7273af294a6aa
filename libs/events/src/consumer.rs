//! Applies other services' feeds: effects and cursor in one transaction.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fault::{Fault, Kind};
use futures::StreamExt as _;
use futures::future::join_all;
use jiff::SignedDuration;
use kernel::TenantId;
use opentelemetry::metrics::{Gauge, Histogram};
use opentelemetry::{KeyValue, global};
use pg::{Db, Tx};
use tokio::sync::{Mutex, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::parked::{self, Cursor};
use crate::{Batch, Delivered, Follow, Reactor, Source};

/// How long a replica keeps a feed to itself without applying anything.
const HOLD: SignedDuration = SignedDuration::from_secs(5);
/// How long to wait before trying again what failed for want of a database, a
/// peer, or another replica's hold.
const RETRY: Duration = Duration::from_millis(300);
/// Longest that letting go of feeds may hold up the end of the process.
const RELEASE: Duration = Duration::from_millis(300);
/// A stream that is silent for longer than a few heartbeats is dead.
const SILENCE: Duration = Duration::from_secs(10);
/// How often one event is tried before it is parked.
const TRIES: u32 = 5;
/// Pause before the second try; doubles each time.
const TRY_PAUSE: Duration = Duration::from_millis(40);
/// A cursor that moved over filtered events only is stored no more often than this.
const IDLE_STORE: Duration = Duration::from_millis(250);
/// How often a replica that does not hold the feed looks how far it is applied.
const LOOK: Duration = Duration::from_millis(20);
/// How often one that does looks all the same: it may have lost its hold.
const RARE_LOOK: Duration = Duration::from_secs(1);
/// When a caller is told to come back for an event that is not applied yet.
const NOT_YET_RETRY: Duration = Duration::from_millis(100);

/// How far this replica knows a source to be applied.
#[derive(Default)]
struct Applied {
    cursor: watch::Sender<Cursor>,
    /// Whether this replica applies it, and so need not ask the database.
    is_held: AtomicBool,
    /// When the database was last asked: one look serves all who wait.
    looked: Mutex<Option<Instant>>,
}

/// One service as a consumer of others.
pub struct Consumer {
    db: Db,
    reactor: Arc<dyn Reactor>,
    sources: HashMap<&'static str, Arc<dyn Source>>,
    applied: HashMap<&'static str, Applied>,
    replica: Uuid,
    lag: Histogram<f64>,
    parked: Gauge<i64>,
}

impl Consumer {
    /// A consumer; `sources` must hold every source the reactor follows.
    pub fn new(
        db: Db,
        reactor: Arc<dyn Reactor>,
        sources: HashMap<&'static str, Arc<dyn Source>>,
    ) -> Arc<Self> {
        let applied = reactor.follows().iter().map(|follow| (follow.source, Applied::default())).collect();
        let replica = db.ids().token();
        let meter = global::meter("redress");
        let lag = meter
            .f64_histogram("redress.feed.lag")
            .with_unit("s")
            .with_description("Age of events when they are applied")
            .build();
        let parked = meter.i64_gauge("redress.feed.parked").with_description("Events parked").build();
        Arc::new(Self { db, reactor, sources, applied, replica, lag, parked })
    }

    /// The service's name.
    pub fn name(&self) -> &'static str {
        self.reactor.consumer()
    }

    /// Whether it follows a source.
    pub fn follows(&self, source: &str) -> bool {
        self.applied.contains_key(source)
    }

    /// The services it follows.
    pub fn sources(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.reactor.follows().iter().map(|follow| follow.source)
    }

    pub(crate) fn db(&self) -> &Db {
        &self.db
    }

    pub(crate) fn reactor(&self) -> &Arc<dyn Reactor> {
        &self.reactor
    }

    /// Follows every source until told to stop; then others may at once.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        let follows = self.reactor.follows().iter().map(|follow| self.follow(follow));
        tokio::select! {
            () = stop.cancelled() => {}
            _ = join_all(follows) => {}
        }
        let replica = self.replica;
        let released = self.db.transact_shared("inbox.release", async move |mut tx| {
            parked::release(&mut tx, replica).await?;
            Ok((tx, ()))
        });
        // Without it, or without a database, the hold runs out by itself.
        let _ = tokio::time::timeout(RELEASE, released).await;
    }

    async fn follow(&self, follow: &'static Follow) {
        let Some(source) = self.sources.get(follow.source) else {
            tracing::error!(source = follow.source, "a source is followed but not connected");
            return;
        };
        loop {
            if let Err(fault) = self.follow_once(follow, source.as_ref()).await {
                tracing::debug!(source = follow.source, fault = fault.chain(), "a feed is read again");
            }
            self.set_held(follow.source, false);
            tokio::time::sleep(RETRY).await;
        }
    }

    /// Takes hold of the feed and applies it until something fails.
    async fn follow_once(&self, follow: &'static Follow, source: &dyn Source) -> Result<(), Fault> {
        let cursor = self.hold(follow.source).await?;
        let mut stored = cursor.position;
        let mut stored_at = Instant::now();
        self.note(follow.source, cursor);
        self.set_held(follow.source, true);
        let mut stream = source.subscribe(cursor.position, follow.types);
        while let Ok(Some(batch)) = tokio::time::timeout(SILENCE, stream.next()).await {
            let Batch { events, cursor } = batch?;
            if events.is_empty() {
                // Nothing of interest up to here: known at once, stored now and then.
                self.note_position(follow.source, cursor);
                let idle = stored_at.elapsed() > IDLE_STORE;
                if (cursor == stored && stored_at.elapsed() < HOLD.unsigned_abs() / 2) || !idle {
                    continue;
                }
            }
            let opened = self.open(&events);
            let applied = self.apply(follow.source, opened, cursor).await?;
            self.note(follow.source, applied);
            stored = applied.position;
            stored_at = Instant::now();
        }
        Ok(())
    }

    /// Takes events apart. One that is not an event at all has no tenant to be
    /// parked under: it is logged and left out.
    fn open(&self, events: &[Arc<proto::redress::event::v1::Event>]) -> Vec<Delivered> {
        let opened = events.iter().filter_map(|event| {
            Delivered::open(event, self.name())
                .inspect_err(|fault| {
                    tracing::error!(event.id = event.id, fault = fault.chain(), "not an event; left out");
                })
                .ok()
        });
        opened.collect()
    }

    /// Applies a batch, in whole or, where an event resists, one by one.
    async fn apply(
        &self,
        source: &'static str,
        events: Vec<Delivered>,
        cursor: i64,
    ) -> Result<Cursor, Fault> {
        let events = Arc::new(events);
        match self.apply_whole(source, events.clone(), cursor).await {
            Ok(applied) => {
                self.measure(source, &events);
                Ok(applied)
            }
            Err(fault) if is_outage(&fault) => Err(fault),
            Err(fault) => {
                tracing::warn!(
                    source,
                    fault = fault.chain(),
                    "a batch resists; its events are tried one by one"
                );
                self.apply_singly(source, &events, cursor).await
            }
        }
    }

    async fn apply_singly(
        &self,
        source: &'static str,
        events: &[Delivered],
        cursor: i64,
    ) -> Result<Cursor, Fault> {
        for event in events {
            let one = Arc::new(vec![event.clone()]);
            let mut pause = TRY_PAUSE;
            for attempt in 1..=TRIES {
                let outcome = self.apply_whole(source, one.clone(), event.position).await;
                let Err(fault) = outcome else { break };
                if is_outage(&fault) {
                    return Err(fault);
                }
                if attempt == TRIES {
                    tracing::error!(
                        source,
                        event.id = %event.id,
                        event.type = event.type_name,
                        case.id = %event.subject,
                        fault = fault.chain(),
                        "an event is parked; its case waits for it to be driven again"
                    );
                    self.park(source, event.clone(), fault.chain()).await?;
                    break;
                }
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
        }
        self.apply_whole(source, Arc::default(), cursor).await
    }

    /// Parks an event, unless another replica has got past it meanwhile.
    async fn park(&self, source: &'static str, event: Delivered, error: String) -> Result<(), Fault> {
        self.db
            .transact_shared("inbox.park", async move |mut tx| {
                let cursor = parked::lock(&mut tx, source).await?;
                if event.position > cursor.position {
                    parked::park(&mut tx, source, std::slice::from_ref(&event), &error, TRIES).await?;
                    let cursor = Cursor { position: event.position, parked: cursor.parked + 1 };
                    parked::store(&mut tx, source, cursor).await?;
                }
                Ok((tx, ()))
            })
            .await
    }

    /// Applies events in one transaction with the cursor. What is at or below the
    /// stored cursor was applied before and is left out; what belongs to a case
    /// with parked events queues up behind them.
    async fn apply_whole(
        &self,
        source: &'static str,
        events: Arc<Vec<Delivered>>,
        cursor: i64,
    ) -> Result<Cursor, Fault> {
        let reactor = self.reactor.clone();
        let replica = self.replica;
        self.db
            .transact_shared("inbox.apply", async move |mut tx| {
                let mut stored = parked::lock(&mut tx, source).await?;
                for (tenant, group) in by_tenant(fresh(&events, stored.position)) {
                    tx.act_for(&tenant).await?;
                    let ready = set_behind(&mut tx, source, &mut stored, group).await?;
                    if !ready.is_empty() {
                        reactor.react(&mut tx, &ready).await?;
                    }
                }
                stored.position = stored.position.max(cursor);
                parked::store_and_hold(&mut tx, source, stored, replica, HOLD).await?;
                Ok((tx, stored))
            })
            .await
    }

    /// Waits until this replica may work the feed; answers where it stands.
    async fn hold(&self, source: &'static str) -> Result<Cursor, Fault> {
        let replica = self.replica;
        loop {
            let held = self
                .db
                .transact_shared("inbox.hold", async move |mut tx| {
                    parked::ensure(&mut tx, source).await?;
                    let cursor = parked::try_hold(&mut tx, source, replica, HOLD).await?;
                    Ok((tx, cursor))
                })
                .await?;
            match held {
                Some(cursor) => return Ok(cursor),
                None => tokio::time::sleep(RETRY).await,
            }
        }
    }

    fn note(&self, source: &'static str, cursor: Cursor) {
        if let Some(applied) = self.applied.get(source) {
            applied.cursor.send_replace(cursor);
        }
        let labels = [KeyValue::new("consumer", self.name()), KeyValue::new("source", source)];
        self.parked.record(cursor.parked, &labels);
    }

    fn set_held(&self, source: &'static str, is_held: bool) {
        if let Some(applied) = self.applied.get(source) {
            applied.is_held.store(is_held, Ordering::Relaxed);
        }
    }

    fn note_position(&self, source: &'static str, position: i64) {
        if let Some(applied) = self.applied.get(source) {
            applied.cursor.send_if_modified(|cursor| {
                let moved = position > cursor.position;
                cursor.position = cursor.position.max(position);
                moved
            });
        }
    }

    fn measure(&self, source: &'static str, events: &[Delivered]) {
        let now = self.db.clock().now();
        let labels = [KeyValue::new("consumer", self.name()), KeyValue::new("source", source)];
        // The oldest of a batch waited longest; one measurement a batch is enough.
        if let Some(oldest) = events.first() {
            self.lag.record(now.duration_since(oldest.occurred).as_secs_f64().max(0.0), &labels);
        }
    }

    /// Waits until an event of a source has taken effect here, whichever replica
    /// applied it; a fault if it has not within the patience given.
    pub async fn wait_applied(
        &self,
        source: &str,
        position: i64,
        tenant: &TenantId,
        patience: Duration,
    ) -> Result<(), Fault> {
        let Some((&source, applied)) = self.applied.get_key_value(source) else {
            let sentence = "this service does not follow the token's source";
            return Err(Fault::new(Kind::Invalid, "INVALID_CONSISTENCY_TOKEN", sentence));
        };
        let mut cursors = applied.cursor.subscribe();
        let seen = async {
            if !applied.is_held.load(Ordering::Relaxed) && cursors.borrow().position < position {
                self.look(source, applied).await;
            }
            loop {
                let cursor = *cursors.borrow_and_update();
                if cursor.position >= position && !self.is_parked(source, position, tenant, cursor).await {
                    return;
                }
                if tokio::time::timeout(applied.patience(), cursors.changed()).await.is_err() {
                    self.look(source, applied).await;
                }
            }
        };
        tokio::time::timeout(patience, seen).await.map_err(|_| {
            Fault::new(
                Kind::Unavailable,
                "NOT_YET_APPLIED",
                "what the consistency token stands for is not applied yet",
            )
            .retry_after(NOT_YET_RETRY)
        })
    }

    /// Looks how far another replica has applied a source; one look serves all who
    /// wait, and a database that is away is looked at again.
    async fn look(&self, source: &'static str, applied: &Applied) {
        let mut looked = applied.looked.lock().await;
        if looked.is_some_and(|looked| looked.elapsed() < LOOK) {
            return;
        }
        let stored = self
            .db
            .transact_shared("inbox.look", async move |mut tx| {
                let cursor = parked::look(&mut tx, source).await?;
                Ok((tx, cursor))
            })
            .await;
        if let Ok(stored) = stored {
            // Behind what is known here only if this replica has moved on meanwhile.
            applied.cursor.send_if_modified(|cursor| {
                let is_news = stored.position >= cursor.position && *cursor != stored;
                if is_news {
                    *cursor = stored;
                }
                is_news
            });
        }
        *looked = Some(Instant::now());
    }

    async fn is_parked(
        &self,
        source: &'static str,
        position: i64,
        tenant: &TenantId,
        cursor: Cursor,
    ) -> bool {
        cursor.parked > 0
            && self
                .db
                .transact("inbox.is_parked", tenant, async move |mut tx| {
                    let parked = parked::has(&mut tx, source, position).await?;
                    Ok((tx, parked))
                })
                .await
                .unwrap_or(true)
    }
}

impl Applied {
    /// How long to wait for news before looking into the database.
    fn patience(&self) -> Duration {
        if self.is_held.load(Ordering::Relaxed) { RARE_LOOK } else { LOOK }
    }
}

/// Whether a failure says nothing about the event: a database that is away.
fn is_outage(fault: &Fault) -> bool {
    fault.reason() == "DATABASE_UNAVAILABLE"
}

/// The events that were not applied yet: positions grow, and one that comes again
/// was applied, or is in this very batch.
fn fresh(events: &[Delivered], mut applied: i64) -> impl Iterator<Item = &Delivered> {
    events.iter().filter(move |event| {
        let is_new = event.position > applied;
        applied = applied.max(event.position);
        is_new
    })
}

/// Splits events by tenant, keeping each tenant's order.
fn by_tenant<'a>(events: impl Iterator<Item = &'a Delivered>) -> Vec<(TenantId, Vec<Delivered>)> {
    let mut groups: Vec<(TenantId, Vec<Delivered>)> = Vec::new();
    for event in events {
        match groups.iter_mut().find(|(tenant, _)| *tenant == event.tenant) {
            Some((_, group)) => group.push(event.clone()),
            None => groups.push((event.tenant.clone(), vec![event.clone()])),
        }
    }
    groups
}

/// Parks the events of cases that have parked events of this source already;
/// answers the others.
async fn set_behind(
    tx: &mut Tx,
    source: &'static str,
    cursor: &mut Cursor,
    group: Vec<Delivered>,
) -> Result<Vec<Delivered>, Fault> {
    if cursor.parked == 0 {
        return Ok(group);
    }
    let waiting = parked::subjects(tx, source, &group).await?;
    let (behind, ready): (Vec<_>, Vec<_>) =
        group.into_iter().partition(|event| waiting.contains(&event.subject));
    parked::park(tx, source, &behind, "", 0).await?;
    cursor.parked += i64::try_from(behind.len()).unwrap_or(i64::MAX);
    Ok(ready)
}
