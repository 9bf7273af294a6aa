//! What tests of timers stand on: a schema with timers, and an alarm that records.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use fault::Fault;
use futures::future::BoxFuture;
use kernel::{Clock, Ids as _, RandomIds, TenantId};
use pg::{Db, Tx};
use testkit::{Database, MockClock};
use timers::{Alarm, Fired, Held, Timer};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub(crate) const KIND: &str = "reminder";
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A schema with timers, and a clock that stands still unless a test wants the real one.
pub(crate) struct Bench {
    pub(crate) database: Database,
    pub(crate) db: Db,
    pub(crate) clock: MockClock,
}

impl Bench {
    pub(crate) async fn new() -> Self {
        let clock = MockClock::default();
        Self::with(Arc::new(clock.clone()), clock).await
    }

    pub(crate) async fn with(time: Arc<dyn Clock>, clock: MockClock) -> Self {
        let migrate =
            async |url: String| pg::migrate(&url, "cases", &[&pg::MIGRATIONS, &timers::MIGRATIONS]).await;
        let database = Database::copy_of("timers", migrate).await.unwrap();
        let db = Db::open(database.url(), 10, "cases", time, Arc::new(RandomIds)).unwrap();
        Self { database, db, clock }
    }

    pub(crate) fn timer(&self, after: Duration) -> Timer {
        let now = self.db.clock().now();
        Timer { kind: KIND, key: RandomIds.id(now), fire_at: now + after, traceparent: String::new() }
    }

    pub(crate) async fn arm(&self, tenant: &str, timers: &[Timer]) {
        let arm = async |mut tx| {
            timers::arm(&mut tx, timers).await?;
            Ok((tx, ()))
        };
        self.db.transact("arm", &tenant_of(tenant), arm).await.unwrap();
    }

    pub(crate) async fn disarm(&self, tenant: &str, kind: &'static str, key: Uuid) {
        let disarm = async |mut tx| {
            timers::disarm(&mut tx, kind, &[key]).await?;
            Ok((tx, ()))
        };
        self.db.transact("disarm", &tenant_of(tenant), disarm).await.unwrap();
    }

    pub(crate) fn run(&self, alarm: &Arc<Recorder>) -> Runner {
        let stop = CancellationToken::new();
        let work = timers::run(self.db.clone(), vec![alarm.clone()], stop.clone());
        Runner { task: tokio::spawn(work), stop }
    }

    /// As the owner, who sees everything: tenant, key, generation, attempts.
    pub(crate) async fn rows(&self) -> Vec<(String, Uuid, i64, i32)> {
        let mut conn = self.database.connect().await.unwrap();
        sqlx::query_as("SELECT tenant_id, key, generation, attempts FROM cases.timer ORDER BY key")
            .fetch_all(&mut conn)
            .await
            .unwrap()
    }
}

pub(crate) struct Runner {
    pub(crate) task: tokio::task::JoinHandle<()>,
    pub(crate) stop: CancellationToken,
}

impl Runner {
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        tokio::time::timeout(PATIENCE, self.task).await.expect("it stops when told to").unwrap();
    }
}

/// What happened in transactions that committed, and in those that did not.
#[derive(Default)]
pub(crate) struct Recorder {
    pub(crate) firings: Mutex<Vec<Firing>>,
    pub(crate) refused: Mutex<HashSet<Uuid>>,
    /// What others are changing.
    pub(crate) busy: Mutex<HashSet<Uuid>>,
    /// What is no more.
    pub(crate) gone: Mutex<HashSet<Uuid>>,
    /// Whether it panics over what it refuses.
    pub(crate) panics: AtomicBool,
    pub(crate) crashing: AtomicBool,
    pub(crate) lag: Mutex<Vec<Duration>>,
}

#[derive(Clone, Debug)]
pub(crate) struct Firing {
    pub(crate) tenant: String,
    pub(crate) fired: Fired,
}

impl Recorder {
    pub(crate) fn keys(&self) -> Vec<Uuid> {
        self.firings.lock().unwrap().iter().map(|firing| firing.fired.key).collect()
    }

    pub(crate) fn count(&self) -> usize {
        self.firings.lock().unwrap().len()
    }
}

impl Alarm for Recorder {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn hold<'a>(&'a self, _: &'a mut Tx, keys: &'a [Uuid]) -> BoxFuture<'a, Result<Held, Fault>> {
        let (busy, gone) = (self.busy.lock().unwrap(), self.gone.lock().unwrap());
        let idle = keys.iter().copied().filter(|key| !busy.contains(key));
        let (gone, held) = idle.partition(|key| gone.contains(key));
        Box::pin(std::future::ready(Ok(Held { held, gone })))
    }

    fn fire<'a>(&'a self, tx: &'a mut Tx, fired: &'a [Fired]) -> BoxFuture<'a, Result<(), Fault>> {
        Box::pin(async move {
            let tenant: String =
                sqlx::query_scalar("SELECT current_setting('redress.tenant')").fetch_one(&mut **tx).await?;
            if fired.iter().any(|timer| self.refused.lock().unwrap().contains(&timer.key)) {
                assert!(!self.panics.load(Ordering::Relaxed), "this one always panics");
                return Err(Fault::internal("this one always fails"));
            }
            // The process dies in the middle: nothing of the transaction stays.
            while self.crashing.load(Ordering::Relaxed) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            let now = tx.now();
            self.lag
                .lock()
                .unwrap()
                .extend(fired.iter().map(|f| now.duration_since(f.fire_at).unsigned_abs()));
            let firings = fired.iter().map(|fired| Firing { tenant: tenant.clone(), fired: fired.clone() });
            self.firings.lock().unwrap().extend(firings);
            Ok(())
        })
    }
}

pub(crate) fn tenant_of(name: &str) -> TenantId {
    TenantId::parse(name).unwrap()
}

pub(crate) async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let started = Instant::now();
    while !holds().await {
        assert!(started.elapsed() < PATIENCE, "never: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
