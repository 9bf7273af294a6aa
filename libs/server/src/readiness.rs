//! Health as gRPC tells it: per gRPC service, and `""` for the whole process.
//! Serving means that the service's database answers and has every migration, and that
//! this machine's clock agrees with the database's. It is asked over a connection kept for
//! that: whether calls wait for one of the pool says nothing about the database.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use proto::redress::event::v1::event_feed_server::SERVICE_NAME as FEED;
use proto::redress::event::v1::event_inbox_server::SERVICE_NAME as INBOX;
use sqlx::migrate::Migrator;
use tokio::sync::Mutex;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

use crate::service::Stop;

/// How often a database is asked.
const LOOK: Duration = Duration::from_secs(2);
/// How often one is asked that was not ready: a start should not wait for the clock.
const LOOK_UNREADY: Duration = Duration::from_millis(200);
/// What all services of the process serve together, told when all are ready: the whole
/// process, in the health protocol, and the feeds between services.
const SHARED: [&str; 3] = ["", FEED, INBOX];

/// One service whose readiness is told.
pub(crate) struct Hosted {
    pub(crate) name: &'static str,
    pub(crate) migrators: [&'static Migrator; 4],
    /// Its gRPC services.
    pub(crate) rpc_services: Vec<&'static str>,
}

/// Tells readiness until the end is announced.
#[derive(Clone)]
pub(crate) struct Readiness(Arc<Inner>);

struct Inner {
    reporter: HealthReporter,
    hosted: Vec<Hosted>,
    /// None where the clock is no real one.
    skew: Option<Arc<pg::Skew>>,
    /// What was told last.
    told: Mutex<Told>,
}

#[derive(Default)]
struct Told {
    /// Nothing is told any more: the server stops.
    closed: bool,
    serving: HashMap<&'static str, bool>,
}

impl Readiness {
    /// Nothing serves until it was looked at.
    pub(crate) async fn new(
        reporter: HealthReporter,
        hosted: Vec<Hosted>,
        skew: Option<Arc<pg::Skew>>,
    ) -> Self {
        let this = Self(Arc::new(Inner { reporter, hosted, skew, told: Mutex::default() }));
        for name in this.names() {
            this.0.reporter.set_service_status(name, ServingStatus::NotServing).await;
        }
        this
    }

    /// Looks from time to time, until told to stop.
    pub(crate) async fn run(self, mut database: pg::Probe, stop: Stop) {
        let look = async {
            loop {
                let pause = if self.look(&mut database).await { LOOK } else { LOOK_UNREADY };
                tokio::time::sleep(pause).await;
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = look => {}
        }
    }

    /// Tells everyone that the server stops.
    pub(crate) async fn close(&self) {
        let mut told = self.0.told.lock().await;
        told.closed = true;
        for name in self.names() {
            self.0.reporter.set_service_status(name, ServingStatus::NotServing).await;
        }
    }

    fn names(&self) -> impl Iterator<Item = &'static str> + '_ {
        let of_services = self.0.hosted.iter().flat_map(|hosted| hosted.rpc_services.iter().copied());
        of_services.chain(SHARED)
    }

    /// Looks at every database, tells what changed, and answers whether all is well.
    async fn look(&self, database: &mut pg::Probe) -> bool {
        let mut ready = Vec::new();
        for hosted in &self.0.hosted {
            ready.push((hosted, is_ready(hosted, database).await));
        }
        let agrees = self.0.skew.as_ref().is_none_or(|skew| skew.agrees());
        let all = agrees && ready.iter().all(|(_, ready)| *ready);
        let mut told = self.0.told.lock().await;
        for (hosted, ready) in ready {
            self.tell(&mut told, hosted.name, &hosted.rpc_services, ready && agrees).await;
        }
        self.tell(&mut told, "all", &SHARED, all).await;
        all
    }

    /// Tells of the rpc services of one service, which change together: in one line of the log.
    async fn tell(&self, told: &mut Told, service: &'static str, names: &[&'static str], serving: bool) {
        let status = if serving { ServingStatus::Serving } else { ServingStatus::NotServing };
        let mut changed = 0_usize;
        for name in names {
            if !told.closed && told.serving.insert(name, serving) != Some(serving) {
                self.0.reporter.set_service_status(name, status).await;
                changed += 1;
            }
        }
        if changed > 0 {
            tracing::info!(health.service = service, health.status = %status, rpc_services = changed, "readiness changed");
        }
    }
}

async fn is_ready(hosted: &Hosted, database: &mut pg::Probe) -> bool {
    match database.migrated(hosted.name, &hosted.migrators).await {
        Ok(migrated) => migrated,
        Err(error) => {
            tracing::debug!(service = hosted.name, %error, "the database does not answer");
            false
        }
    }
}
