//! Applies other services' feeds: effects and cursor in one transaction.

mod apart;
mod applied;
mod apply;
mod lane;
mod retry;
mod silence;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use fault::{Fault, Kind};
use futures::FutureExt as _;
use jiff::SignedDuration;
use kernel::Lane;
use opentelemetry::metrics::{Gauge, Histogram};
use opentelemetry::{KeyValue, global};
use pg::Db;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use self::applied::Applied;
use self::lane::Work;
use self::silence::Silence;
use crate::cursor::{self, FeedProgress};
use crate::feed::{EPOCH_CHANGED, RESUME_POSITION};
use crate::{Delivered, Follow, Reactor, Source};

/// How long a replica keeps a lane to itself without applying anything.
const HOLD: SignedDuration = SignedDuration::from_secs(5);
/// How long to wait before trying again what failed for want of a database, a
/// peer, or another replica's hold.
const RETRY: Duration = Duration::from_millis(300);
/// Longest that letting go of lanes may hold up the end of the process.
const RELEASE: Duration = Duration::from_millis(300);
/// A stream that is silent for longer than a few heartbeats is dead.
const SILENCE: Duration = Duration::from_secs(10);
/// Most transactions at once of bulk lanes, tenants read apart and events tried again: the
/// live lanes and the calls have the other connections.
const BACKGROUND: usize = 2;

/// One service as a consumer of others.
pub struct Consumer {
    db: Db,
    reactor: Arc<dyn Reactor>,
    sources: HashMap<&'static str, Arc<dyn Source>>,
    applied: HashMap<&'static str, Applied>,
    background: Semaphore,
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
        let parked = meter.i64_gauge("redress.feed.parked").with_description("Events set aside").build();
        let background = Semaphore::new(BACKGROUND);
        Arc::new(Self { db, reactor, sources, applied, background, replica, lag, silence, parked })
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
        let mut parts = JoinSet::new();
        for follow in self.reactor.follows() {
            for lane in Lane::ALL {
                let this = self.clone();
                parts.spawn(async move { this.follow(follow, lane).await });
            }
            let this = self.clone();
            parts.spawn(async move { this.retry(follow.source).await });
        }
        tokio::select! {
            () = stop.cancelled() => {}
            Some(Err(ended)) = parts.join_next(), if !parts.is_empty() => {
                // Our own mistake, and as such the end of the process.
                std::panic::resume_unwind(ended.into_panic());
            }
        }
        parts.shutdown().await;
        let replica = self.replica;
        let released = self.db.transact_shared("inbox.release", async move |mut tx| {
            cursor::release(&mut tx, replica).await?;
            Ok((tx, ()))
        });
        // Without it, or without a database, the hold runs out by itself.
        let _ = tokio::time::timeout(RELEASE, released).await;
    }

    async fn follow(&self, follow: &'static Follow, lane: Lane) {
        let Some(source) = self.sources.get(follow.source) else {
            tracing::error!(source = follow.source, "a source is followed but not connected");
            return;
        };
        let mut silence = Silence::new();
        loop {
            // Boxed: large, and seldom.
            let ended = self.follow_once(follow, lane, source.as_ref(), &mut silence).boxed().await;
            let ended = match ended {
                Err(fault) if fault.reason() == EPOCH_CHANGED => self.adopt(follow.source, fault).await,
                ended => ended,
            };
            let now = Instant::now();
            let lasts = silence.lasts(now);
            self.measure_silence((follow.source, lane), lasts);
            // A peer that stops in good order is back, or replaced, in moments.
            let is_passing = ended.is_ok() && lasts < SILENCE;
            let fault = ended.map_or_else(|fault| fault.chain(), |()| "it ended".to_owned());
            let source = follow.source;
            if !is_passing && silence.is_worth_saying(now) {
                tracing::warn!(source, lane = lane.name(), fault, "a feed cannot be followed; trying again");
            } else {
                tracing::debug!(source, lane = lane.name(), fault, "a feed is read again");
            }
            self.set_held(follow.source, lane, false);
            tokio::time::sleep(RETRY).await;
        }
    }

    /// Takes hold of a lane and applies it until it ends in good order or something
    /// fails.
    async fn follow_once(
        &self,
        follow: &'static Follow,
        lane: Lane,
        source: &dyn Source,
        silence: &mut Silence,
    ) -> Result<(), Fault> {
        let progress = self.hold((follow.source, lane), silence).await?;
        self.note(follow.source, lane, &progress);
        self.set_held(follow.source, lane, true);
        let work = Work::new(follow, lane, source, &progress);
        // One task: what one of them notes, the other does not pass by.
        tokio::select! {
            ended = self.read_lane(&work, silence) => ended,
            never = self.read_apart(&work) => match never {},
        }
    }

    /// A source was restored to an earlier moment. Where it has lost nothing that was
    /// applied here, it is followed on; else an operator has to look into it.
    async fn adopt(&self, source: &'static str, fault: Fault) -> Result<(), Fault> {
        let Some(common) = fault.fact(RESUME_POSITION).and_then(|position| position.parse().ok()) else {
            return Err(fault);
        };
        let adopted = self
            .db
            .transact_shared("inbox.adopt", async move |mut tx| {
                let adopted = cursor::adopt(&mut tx, source, common).await?;
                Ok((tx, adopted))
            })
            .await?;
        if adopted {
            tracing::warn!(source, common, "a feed has a new epoch, and has lost nothing that was applied");
            return Ok(());
        }
        Err(fault)
    }

    /// Waits until this replica may work a lane; answers where its feed stands.
    async fn hold(
        &self,
        (source, lane): (&'static str, Lane),
        silence: &mut Silence,
    ) -> Result<FeedProgress, Fault> {
        let replica = self.replica;
        loop {
            let held = self
                .db
                .transact_shared("inbox.hold", async move |mut tx| {
                    cursor::ensure(&mut tx, source).await?;
                    let progress = if cursor::try_hold(&mut tx, (source, lane), replica, HOLD).await? {
                        Some(cursor::look(&mut tx, source).await?)
                    } else {
                        None
                    };
                    Ok((tx, progress))
                })
                .await?;
            if let Some(progress) = held {
                return Ok(progress);
            }
            // Another replica follows it, and says so if it cannot.
            self.hear((source, lane), silence);
            tokio::time::sleep(RETRY).await;
        }
    }

    fn hear(&self, part: (&'static str, Lane), silence: &mut Silence) {
        silence.end(Instant::now());
        self.measure_silence(part, Duration::ZERO);
    }

    fn labels(&self, (source, lane): (&'static str, Lane)) -> [KeyValue; 3] {
        let lane = KeyValue::new("lane", lane.name());
        [KeyValue::new("consumer", self.name()), KeyValue::new("source", source), lane]
    }

    fn measure_silence(&self, part: (&'static str, Lane), lasts: Duration) {
        self.silence.record(lasts.as_secs_f64(), &self.labels(part));
    }

    fn measure(&self, part: (&'static str, Lane), events: &[Delivered]) {
        let now = self.db.clock().now();
        // The oldest of a batch waited longest; one measurement a batch is enough.
        if let Some(oldest) = events.first() {
            let age = now.duration_since(oldest.occurred).as_secs_f64().max(0.0);
            self.lag.record(age, &self.labels(part));
        }
    }
}

fn silent() -> Fault {
    Fault::new(Kind::Unavailable, "FEED_SILENT", "the feed fell silent")
}

/// Whether a failure says nothing about the event: a database that is away, or
/// another replica at work.
fn is_outage(fault: &Fault) -> bool {
    fault.is_outage() || fault.reason() == cursor::LOCKED
}
