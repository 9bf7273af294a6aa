//! The five services in this process, over a Postgres of their own or one that is
//! given.

use std::collections::HashMap;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use cluster::{Cluster, Options};
use kernel::{RandomIds, SystemClock};
use server::{Assembly, Running, RunningSite, Secret, Settings};
use sqlx::migrate::Migrator;

use crate::SERVICES;

/// Connections of the embedded Postgres, at least.
const CONNECTIONS_MIN: u32 = 200;
/// Connections left for whoever looks at the embedded Postgres beside the services.
const SPARE_CONNECTIONS: u32 = 20;

/// The services, and the Postgres that is theirs alone, if they have one.
pub(crate) struct Suite {
    running: Running,
    console: Option<RunningSite>,
    cluster: Option<Cluster>,
}

impl Suite {
    /// Starts Postgres where none is given, brings the schemas up to date, and serves.
    pub(crate) async fn start(
        mut settings: Settings,
        data: &Path,
        options: &Options,
        listener: Option<TcpListener>,
    ) -> anyhow::Result<Self> {
        let mut cluster = None;
        if settings.database_url.is_none() {
            let mut options = options.clone();
            let needed = server::connections(&settings, SERVICES.len().try_into()?) * settings.replicas;
            let allowed = needed.saturating_add(SPARE_CONNECTIONS).max(CONNECTIONS_MIN);
            options.settings.push(format!("max_connections={allowed}"));
            let own = Cluster::start(data, &options).await.context("the embedded Postgres does not start")?;
            settings.database_url = Some(Secret::from(own.url().to_owned()));
            cluster = Some(own);
        }
        let url = settings.database_url().to_owned();
        // Who has only the services' roles cannot migrate, and need not.
        if cluster.is_some() || !missing(&url).await?.is_empty() {
            server::migrate(&url, &SERVICES).await?;
        }
        let running = server::start(Assembly {
            settings,
            services: SERVICES.to_vec(),
            clock: Arc::new(SystemClock),
            ids: Arc::new(RandomIds),
            listener,
            sources: HashMap::new(),
        })
        .await?;
        Ok(Self { running, console: None, cluster })
    }

    /// Serves the web console too, before the services of this process, and says where; none
    /// where people could not sign in, or the services are reached over TLS: there it is a
    /// process of its own. Where nobody says which, any address will do if the usual is taken.
    pub(crate) async fn open_console(&mut self, settings: &Settings) -> anyhow::Result<Option<SocketAddr>> {
        let (identity, console) = (&settings.identity, &settings.console);
        let nobody_signs_in = identity.is_configured() && console.is_development();
        if nobody_signs_in || identity.tls_cert.is_some() {
            return Ok(None);
        }
        let usual = console.listen();
        let listener = match TcpListener::bind(usual) {
            Err(_) if console.listen.is_none() => TcpListener::bind((usual.ip(), 0)),
            bound => bound,
        };
        let listener = listener.with_context(|| format!("the console cannot listen on {usual}"))?;
        let services = console::at(self.running.address())?;
        let site = console::start(settings, services, Some(listener), Arc::new(SystemClock)).await?;
        let address = site.address();
        self.console = Some(site);
        Ok(Some(address))
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.running.address()
    }

    /// Serves until told to stop; Postgres stops last. A Postgres of its own that ends
    /// before is started again, and given up after a number of times.
    pub(crate) async fn until_signal(self) -> anyhow::Result<()> {
        let Self { running, mut console, mut cluster } = self;
        let broken = async {
            let of_cluster = async {
                match &mut cluster {
                    Some(cluster) => cluster.keep_running().await,
                    None => std::future::pending().await,
                }
            };
            let of_console = async {
                match &mut console {
                    Some(console) => console.failure().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                failure = of_cluster => failure,
                failure = of_console => failure,
            }
        };
        let ended = running.until_signal_or(broken).await;
        let left = leave(console).await;
        ended.and(left).and(close(cluster).await)
    }

    /// Stops; Postgres last.
    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        let Self { running, console, cluster } = self;
        let left = leave(console).await;
        let ended = running.stop().await;
        left.and(ended).and(close(cluster).await)
    }
}

async fn leave(console: Option<RunningSite>) -> anyhow::Result<()> {
    match console {
        Some(console) => console.stop().await,
        None => Ok(()),
    }
}

async fn close(cluster: Option<Cluster>) -> anyhow::Result<()> {
    match cluster {
        Some(cluster) => cluster.stop().await,
        None => Ok(()),
    }
}

/// The services whose schemas are not up to date.
pub(crate) async fn missing(url: &str) -> anyhow::Result<Vec<&'static str>> {
    let mut missing = Vec::new();
    for service in SERVICES {
        let lists: [&Migrator; 4] =
            [&pg::MIGRATIONS, &events::MIGRATIONS, &timers::MIGRATIONS, service.migrations];
        if pg::is_behind(url, service.name, &lists).await.context("the database cannot be used")? {
            missing.push(service.name);
        }
    }
    Ok(missing)
}
