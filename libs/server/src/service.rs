//! What a service and its process owe each other.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::Future;
use std::sync::{Arc, OnceLock};

use events::{Follow, Reactor, Source};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use http::{Request, Response};
use sqlx::migrate::Migrator;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::server::NamedService;
use tower::Service as TowerService;

use crate::limits::Limited;
use crate::queue_age;
use crate::retention::{self, Retention};
use crate::routes::{Answer, Routes};
use crate::settings::Settings;

/// Cancelled when the process is told to stop and its calls have ended.
pub type Stop = CancellationToken;

/// One service, as a process hosts it.
#[derive(Clone, Copy)]
pub struct Service {
    /// Its name: also its schema, its event source and its name as a consumer.
    pub name: &'static str,
    /// Port it listens on by default when it is alone.
    pub port: u16,
    /// Its own tables; those every service has are added here.
    pub migrations: &'static Migrator,
    /// Makes its routes and workers.
    pub open: fn(&Kit, &mut Parts) -> anyhow::Result<()>,
}

impl Service {
    /// Every migration of its schema, in order.
    pub(crate) fn migrators(&self) -> [&'static Migrator; 4] {
        [&pg::MIGRATIONS, &events::MIGRATIONS, &timers::MIGRATIONS, self.migrations]
    }
}

/// What a service gets.
#[derive(Clone)]
pub struct Kit {
    /// Its schema, and with it the clock and the source of ids.
    pub db: pg::Db,
    /// All settings of the process.
    pub settings: Arc<Settings>,
}

/// What a service hands back.
pub struct Parts {
    max_message_bytes: usize,
    pub(crate) routes: Routes,
    /// Full names of the gRPC services routed, for health.
    pub(crate) rpc_services: Vec<&'static str>,
    pub(crate) reactors: Vec<Arc<dyn Reactor>>,
    pub(crate) workers: Vec<Worker>,
    pub(crate) followed: Vec<(&'static [Follow], FollowedSources)>,
}

/// The feeds of other services, and a service's own, to be read beside what its reactor is
/// given. They are there once the process has been put together; copies are the same.
#[derive(Clone, Default)]
pub struct FollowedSources(Arc<OnceLock<HashMap<&'static str, Arc<dyn Source>>>>);

impl FollowedSources {
    /// The feed of a service, if it is one of those asked for.
    pub fn get(&self, source: &str) -> Option<&Arc<dyn Source>> {
        self.0.get()?.get(source)
    }

    pub(crate) fn set(&self, sources: HashMap<&'static str, Arc<dyn Source>>) {
        // They are put together once.
        let _ = self.0.set(sources);
    }
}

/// A loop that runs beside the calls until told to stop.
pub(crate) struct Worker {
    pub(crate) name: String,
    pub(crate) run: Box<dyn FnOnce(Stop) -> BoxFuture<'static, ()> + Send>,
}

impl Worker {
    pub(crate) fn new<F>(name: impl Into<String>, run: impl FnOnce(Stop) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Self { name: name.into(), run: Box::new(move |stop| run(stop).boxed()) }
    }
}

impl Parts {
    pub(crate) fn new(max_message_bytes: usize) -> Self {
        Self {
            max_message_bytes,
            routes: Routes::default(),
            rpc_services: Vec::new(),
            reactors: Vec::new(),
            workers: Vec::new(),
            followed: Vec::new(),
        }
    }

    /// Serves a generated server, its messages limited as the settings say.
    pub fn route<S>(&mut self, service: S) -> &mut Self
    where
        S: TowerService<Request<Body>, Response = Response<Body>, Error = Infallible, Future = Answer>
            + Limited
            + NamedService
            + Clone
            + Send
            + Sync
            + 'static,
    {
        self.rpc_services.push(S::NAME);
        self.routes.add(service.limited(self.max_message_bytes));
        self
    }

    /// Applies other services' events; one reactor per service.
    pub fn react(&mut self, reactor: impl Reactor) -> &mut Self {
        self.reactors.push(Arc::new(reactor));
        self
    }

    /// The feeds of these services, to be read whenever it is asked for.
    pub fn follow(&mut self, follows: &'static [Follow]) -> FollowedSources {
        let sources = FollowedSources::default();
        self.followed.push((follows, sources.clone()));
        sources
    }

    /// Runs a loop until it is told to stop. One that ends before, or panics, ends
    /// the process.
    pub fn worker<F>(&mut self, name: &'static str, run: impl FnOnce(Stop) -> F + Send + 'static) -> &mut Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.workers.push(Worker::new(name, run));
        self
    }

    /// Measures how long what waits longest has waited, over all tenants. `oldest`
    /// reads since when, or null.
    pub fn queue_age(&mut self, db: &pg::Db, metric: &'static str, oldest: impl Into<String>) -> &mut Self {
        let (db, oldest) = (db.clone(), oldest.into());
        self.worker("queue_age", move |stop| queue_age::run(db, metric, oldest, stop))
    }

    /// Forgets what is kept for a time only.
    pub fn retention(&mut self, db: &pg::Db, retention: Retention) -> &mut Self {
        let db = db.clone();
        self.worker("retention", move |stop| retention::run(db, retention, stop))
    }
}
