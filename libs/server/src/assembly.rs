//! Puts a server together from services and settings, and starts it.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use events::{Consumer, Feed, Source, feed_service, inbox_service};
use fault::Fault;
use http::{Request, Response};
use http_body::Body as HttpBody;
use kernel::{Clock, Ids};
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::codegen::StdError;
use tonic::transport::{Certificate, Server, ServerTlsConfig};
use tonic_health::server::{HealthReporter, HealthService};

use crate::connections::{KEEP_ALIVE, Limits, accept};
use crate::identity::Identity;
use crate::layers::{LayerContext, around};
use crate::limits::{CONNECTION_AGE, CONNECTION_STREAMS, METADATA_BYTES_READ};
use crate::peers::{self, Sources};
use crate::readiness::{Hosted, Readiness};
use crate::routes::{Router, Routes};
use crate::running::Running;
use crate::service::{Kit, Parts, Service, Stop, Worker};
use crate::settings::{IdentitySettings, Settings};
use crate::workers::Workers;
use crate::{contracts, database, idempotency_cleanup, retention, skew, telemetry, watch};

/// How long the answer to a probe of a silent connection may take.
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// What a server is made of.
pub struct Assembly {
    /// All settings.
    pub settings: Settings,
    /// The services it hosts.
    pub services: Vec<Service>,
    /// Its clock.
    pub clock: Arc<dyn Clock>,
    /// Its source of ids.
    pub ids: Arc<dyn Ids>,
    /// Already bound; otherwise the address of the settings is.
    pub listener: Option<TcpListener>,
    /// Sources that replace feeds and peers, by service.
    pub sources: HashMap<&'static str, Arc<dyn Source>>,
}

/// Brings every service's schema to the version of this code.
///
/// # Errors
///
/// Fails at the first schema that cannot be migrated, as [`pg::migrate`] does.
pub async fn migrate(url: &str, services: &[Service]) -> anyhow::Result<()> {
    for service in services {
        pg::migrate(url, service.name, &service.migrators())
            .await
            .with_context(|| format!("the schema of {} cannot be migrated", service.name))?;
    }
    Ok(())
}

/// Starts a server; it accepts calls when this returns.
///
/// # Errors
///
/// Fails if a setting cannot be used, the address is taken, the identity source or a
/// certificate cannot be read, or the database allows fewer connections than are needed.
pub async fn start(assembly: Assembly) -> anyhow::Result<Running> {
    let Assembly { settings, services, clock, ids, listener, sources } = assembly;
    telemetry::install_propagator();
    contracts::load();
    let listener = bind(&settings, &services, listener)?;
    let address = listener.local_addr()?;
    settings.check(address)?;
    let identity = Arc::new(Identity::open(&settings.identity).await?);
    let tls = server_tls(&settings.identity)?;

    let mut probe = pg::Probe::new(settings.database_url())
        .map_err(|error| anyhow::anyhow!("DATABASE_URL cannot be used: {error}"))?;
    count_connections(&settings, services.len(), &mut probe).await?;
    let allowed = Duration::from_millis(settings.max_clock_skew_ms.into());
    let skew = pg::Skew::of(&clock, allowed);
    let opened = open(&services, &Arc::new(settings.clone()), &clock, &ids, skew.as_ref())?;
    let feeds = FeedConnections::connect(&opened, &sources, &settings)?;
    let dbs: Vec<pg::Db> = opened.iter().map(|(_, db, _)| db.clone()).collect();

    let mut workers = Workers::default();
    let by_service = feeds.by_service();
    let consumers = feeds.consumers.iter().flatten().cloned().collect();
    feeds.run(&mut workers);
    spawn_maintenance(&dbs, &identity, &mut workers);
    if let (Some(skew), Some(db)) = (skew.clone(), dbs.first().cloned()) {
        workers.start(Worker::new("clock", move |stop| skew::run(skew, db, stop)));
    }
    let (routes, hosted) = split_parts(opened, feeds, &mut workers);

    let reporter = HealthReporter::new();
    let routes = add_tools(routes, &reporter);
    let readiness = Readiness::new(reporter, hosted, skew).await;
    let told = readiness.clone();
    workers.start(Worker::new("readiness", move |stop| told.run(probe, stop)));

    let closing = Stop::new();
    let context = LayerContext {
        identity,
        consumers: by_service,
        web_origins: settings.web_origins.clone(),
        max_in_flight: settings.max_in_flight,
        max_message_bytes: settings.max_message_bytes as usize,
        closing: closing.clone(),
    };
    let limits = Limits::new(settings.max_connections, settings.max_connections_per_address);
    let server = listen(listener, limits, tls, around(routes, context), closing.clone())?;
    tracing::info!(%address, services = ?names(&services), "serving");
    let drain = Duration::from_secs(settings.drain_seconds.into());
    Ok(Running { address, dbs, consumers, readiness, closing, server, workers, drain })
}

/// Whether the database allows the connections this process may use; where it does not
/// answer yet, nobody knows.
async fn count_connections(
    settings: &Settings,
    services: usize,
    probe: &mut pg::Probe,
) -> anyhow::Result<()> {
    match probe.connections_allowed().await {
        Ok(allowed) => database::fit(settings, u32::try_from(services)?, allowed),
        Err(error) => {
            tracing::warn!(
                %error,
                "the database does not answer yet, so its connections are not counted; the start goes on"
            );
            Ok(())
        }
    }
}

fn names(services: &[Service]) -> Vec<&'static str> {
    services.iter().map(|service| service.name).collect()
}

fn bind(
    settings: &Settings,
    services: &[Service],
    listener: Option<TcpListener>,
) -> anyhow::Result<TcpListener> {
    if let Some(listener) = listener {
        return Ok(listener);
    }
    let first = services.first().context("a server needs a service")?;
    let address = settings.listen.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], first.port)));
    // Before it is bound: a forbidden address must not be open for a moment.
    settings.check(address)?;
    TcpListener::bind(address).with_context(|| format!("cannot listen on {address}"))
}

pub(crate) fn server_tls(settings: &IdentitySettings) -> anyhow::Result<Option<ServerTlsConfig>> {
    let (Some(cert), Some(key)) = (&settings.tls_cert, &settings.tls_key) else { return Ok(None) };
    let mut tls = ServerTlsConfig::new().identity(peers::own_identity(cert, key)?).timeout(HANDSHAKE);
    if let Some(ca) = &settings.tls_client_ca {
        let ca = Certificate::from_pem(peers::read("REDRESS_TLS_CLIENT_CA", ca)?);
        // Optional to connect, so that probes and token bearers can; the identity
        // layer refuses calls of those who have neither.
        tls = tls.client_ca_root(ca).client_auth_optional(true);
    }
    Ok(Some(tls))
}

type Opened = Vec<(Service, pg::Db, Parts)>;

fn open(
    services: &[Service],
    settings: &Arc<Settings>,
    clock: &Arc<dyn Clock>,
    ids: &Arc<dyn Ids>,
    skew: Option<&Arc<pg::Skew>>,
) -> anyhow::Result<Opened> {
    let open = |service: &Service| {
        let db = pg::Db::open(
            settings.database_url(),
            settings.db_connections,
            service.name,
            Arc::clone(clock),
            Arc::clone(ids),
        )
        .map_err(|fault| anyhow::anyhow!("DATABASE_URL cannot be used: {}", fault.chain()))?
        .with_skew(skew.cloned());
        let kit = Kit { db: db.clone(), settings: Arc::clone(settings) };
        let mut parts = Parts::new(settings.max_message_bytes as usize);
        (service.open)(&kit, &mut parts).with_context(|| format!("{} cannot start", service.name))?;
        ensure!(parts.reactors.len() <= 1, "{} has more than one reactor", service.name);
        Ok((*service, db, parts))
    };
    services.iter().map(open).collect()
}

/// The event feeds between services, as far as they touch this process.
struct FeedConnections {
    feeds: Vec<Arc<Feed>>,
    consumers: Vec<Option<Arc<Consumer>>>,
}

impl FeedConnections {
    fn connect(
        opened: &Opened,
        given: &HashMap<&'static str, Arc<dyn Source>>,
        settings: &Settings,
    ) -> anyhow::Result<Self> {
        let feeds: Vec<_> = opened.iter().map(|(_, db, _)| Feed::new(db.clone())).collect();
        let sources = Sources { given, feeds: &feeds, settings };
        let mut consumers = Vec::new();
        for (_, db, parts) in opened {
            for (follows, followed) in &parts.followed {
                followed.set(sources.of(follows)?);
            }
            consumers.push(match parts.reactors.first() {
                Some(reactor) => {
                    let sources = sources.of(reactor.follows())?;
                    Some(Consumer::new(db.clone(), Arc::clone(reactor), sources))
                }
                None => None,
            });
        }
        Ok(Self { feeds, consumers })
    }

    fn by_service(&self) -> HashMap<&'static str, Option<Arc<Consumer>>> {
        let names = self.feeds.iter().map(|feed| feed.source());
        names.zip(self.consumers.iter().cloned()).collect()
    }

    fn run(&self, workers: &mut Workers) {
        for feed in self.feeds.iter().cloned() {
            workers.start(Worker::new(format!("{}.feed", feed.source()), move |stop| feed.run(stop)));
        }
        for consumer in self.consumers.iter().flatten().cloned() {
            let name = format!("{}.consumer", consumer.name());
            workers.start(Worker::new(name, move |stop| consumer.run(stop)));
        }
    }
}

/// What every schema and process needs beside its services.
fn spawn_maintenance(dbs: &[pg::Db], identity: &Arc<Identity>, workers: &mut Workers) {
    for db in dbs {
        let (notifier, swept) = (db.notifier().clone(), db.clone());
        workers.start(Worker::new(
            format!("{}.notifier", db.schema()),
            async move |stop: CancellationToken| {
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = notifier.run() => {}
                }
            },
        ));
        workers.start(Worker::new(format!("{}.idempotency_cleanup", db.schema()), move |stop| {
            retention::run(swept, idempotency_cleanup::ANSWERS, stop)
        }));
    }
    workers.start(Worker::new("runtime.watch", watch::run));
    let identity = Arc::clone(identity);
    workers.start(Worker::new("identity.keys", move |stop| identity.keep_fresh(stop)));
}

/// Starts the services' own workers and gathers their routes.
fn split_parts(opened: Opened, feeds: FeedConnections, workers: &mut Workers) -> (Routes, Vec<Hosted>) {
    let mut routes = Routes::default();
    let mut hosted = Vec::new();
    for (service, _, mut parts) in opened {
        routes.extend(parts.routes);
        for worker in parts.workers.drain(..) {
            workers.start(Worker { name: format!("{}.{}", service.name, worker.name), ..worker });
        }
        let (migrators, rpc_services) = (service.migrators(), parts.rpc_services);
        hosted.push(Hosted { name: service.name, migrators, rpc_services });
    }
    routes.add(feed_service(feeds.feeds));
    routes.add(inbox_service(feeds.consumers.into_iter().flatten().collect()));
    (routes, hosted)
}

/// Health and reflection.
fn add_tools(mut routes: Routes, reporter: &HealthReporter) -> Router {
    let health = HealthService::from_health_reporter(reporter.clone());
    routes.add(tonic_health::pb::health_server::HealthServer::new(health));
    routes.add_when_called(|| reflection().build_v1().map_err(Fault::internal));
    // What grpcurl 1.8 and other older tools speak.
    routes.add_when_called(|| reflection().build_v1alpha().map_err(Fault::internal));
    routes.finish()
}

fn reflection<'a>() -> tonic_reflection::server::Builder<'a> {
    tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(proto::DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        // The details of errors, so that a stranger's client can show them.
        .register_encoded_file_descriptor_set(tonic_types::pb::FILE_DESCRIPTOR_SET)
}

pub(crate) type Serving = tokio::task::JoinHandle<Result<(), tonic::transport::Error>>;

/// Serves whatever answers HTTP, behind the limits on connections, until it is told to close.
pub(crate) fn listen<S, B>(
    listener: TcpListener,
    limits: Limits,
    tls: Option<ServerTlsConfig>,
    service: S,
    closing: Stop,
) -> anyhow::Result<Serving>
where
    S: tower::Service<Request<Body>, Response = Response<B>, Error = Infallible, Future: Send>
        + Clone
        + Send
        + 'static,
    B: HttpBody<Data = Bytes, Error: Into<StdError>> + Send + 'static,
{
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let mut server = Server::builder()
        .accept_http1(true) // gRPC-Web comes over HTTP/1.1 too
        .http2_keepalive_interval(Some(KEEP_ALIVE))
        .http2_keepalive_timeout(Some(KEEP_ALIVE_TIMEOUT))
        .http2_max_header_list_size(METADATA_BYTES_READ)
        .max_concurrent_streams(CONNECTION_STREAMS)
        // Without tonic's own grace, which would close it without a word before.
        .max_connection_age(CONNECTION_AGE);
    if let Some(tls) = tls {
        server = server.tls_config(tls).context("REDRESS_TLS_CERT and REDRESS_TLS_KEY cannot be used")?;
    }
    Ok(tokio::spawn(server.serve_with_incoming_shutdown(
        service,
        accept(listener, limits),
        closing.cancelled_owned(),
    )))
}
