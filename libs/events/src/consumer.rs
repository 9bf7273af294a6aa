//! Applies other services' feeds: effects and cursor in one transaction.

mod applied;
mod silence;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use fault::{Fault, Kind};
use futures::StreamExt as _;
use futures::future::join_all;
use jiff::SignedDuration;
use kernel::TenantId;
use opentelemetry::metrics::{Gauge, Histogram};
use opentelemetry::{KeyValue, global};
use pg::{Db, Tx};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use self::applied::Applied;
use self::silence::Silence;
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

/// One service as a consumer of others.
pub struct Consumer {
    db: Db,
    reactor: Arc<dyn Reactor>,
    sources: HashMap<&'static str, Arc<dyn Source>>,
    applied: HashMap<&'static str, Applied>,
    replica: Uuid,
    lag: Histogram<f64>,
    silence: Gauge<f64>,
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
        let silence = meter
            .f64_gauge("redress.feed.silence")
            .with_unit("s")
            .with_description("Time for which a feed could not be followed")
            .build();
        let parked = meter.i64_gauge("redress.feed.parked").with_description("Events parked").build();
        Arc::new(Self { db, reactor, sources, applied, replica, lag, silence, parked })
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
        let mut silence = Silence::new();
        loop {
            let ended = self.follow_once(follow, source.as_ref(), &mut silence).await;
            let now = Instant::now();
            let lasts = silence.lasts(now);
            self.measure_silence(follow.source, lasts);
            // A peer that stops in good order is back, or replaced, in moments.
            let is_passing = ended.is_ok() && lasts < SILENCE;
            let fault = ended.map_or_else(|fault| fault.chain(), |()| "it ended".to_owned());
            if !is_passing && silence.is_worth_saying(now) {
                tracing::warn!(source = follow.source, fault, "a feed cannot be followed; trying again");
            } else {
                tracing::debug!(source = follow.source, fault, "a feed is read again");
            }
            self.set_held(follow.source, false);
            tokio::time::sleep(RETRY).await;
        }
    }

    /// Takes hold of the feed and applies it until it ends in good order or something
    /// fails.
    async fn follow_once(
        &self,
        follow: &'static Follow,
        source: &dyn Source,
        silence: &mut Silence,
    ) -> Result<(), Fault> {
        let cursor = self.hold(follow.source, silence).await?;
        let mut stored = cursor.position;
        let mut stored_at = Instant::now();
        self.note(follow.source, cursor);
        self.set_held(follow.source, true);
        let mut stream = source.subscribe(cursor.position, follow.types);
        while let Some(batch) = tokio::time::timeout(SILENCE, stream.next()).await.map_err(|_| silent())? {
            let Batch { events, cursor } = batch?;
            if events.is_empty() {
                // Nothing of interest up to here: known at once, stored now and then.
                self.note_position(follow.source, cursor);
                let idle = stored_at.elapsed() > IDLE_STORE;
                if (cursor == stored && stored_at.elapsed() < HOLD.unsigned_abs() / 2) || !idle {
                    self.hear(follow.source, silence);
                    continue;
                }
            }
            let opened = self.open(&events);
            let applied = self.apply(follow.source, opened, cursor).await?;
            self.note(follow.source, applied);
            self.hear(follow.source, silence);
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
                        fault::caught(reactor.react(&mut tx, &ready)).await?;
                    }
                }
                stored.position = stored.position.max(cursor);
                parked::store_and_hold(&mut tx, source, stored, replica, HOLD).await?;
                Ok((tx, stored))
            })
            .await
    }

    /// Waits until this replica may work the feed; answers where it stands.
    async fn hold(&self, source: &'static str, silence: &mut Silence) -> Result<Cursor, Fault> {
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
            if let Some(cursor) = held {
                return Ok(cursor);
            }
            // Another replica follows it, and says so if it cannot.
            self.hear(source, silence);
            tokio::time::sleep(RETRY).await;
        }
    }

    fn hear(&self, source: &'static str, silence: &mut Silence) {
        silence.end(Instant::now());
        self.measure_silence(source, Duration::ZERO);
    }

    fn measure_silence(&self, source: &'static str, lasts: Duration) {
        let labels = [KeyValue::new("consumer", self.name()), KeyValue::new("source", source)];
        self.silence.record(lasts.as_secs_f64(), &labels);
    }

    fn measure(&self, source: &'static str, events: &[Delivered]) {
        let now = self.db.clock().now();
        let labels = [KeyValue::new("consumer", self.name()), KeyValue::new("source", source)];
        // The oldest of a batch waited longest; one measurement a batch is enough.
        if let Some(oldest) = events.first() {
            self.lag.record(now.duration_since(oldest.occurred).as_secs_f64().max(0.0), &labels);
        }
    }
}

fn silent() -> Fault {
    Fault::new(Kind::Unavailable, "FEED_SILENT", "the feed fell silent")
}

/// Whether a failure says nothing about the event: a database that is away, or
/// another replica at work. A statement that always runs out of time does.
fn is_outage(fault: &Fault) -> bool {
    fault.is_outage() || fault.reason() == parked::LOCKED
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
