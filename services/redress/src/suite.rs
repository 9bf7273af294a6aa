//! The five services in this process, over a Postgres of their own or one that is
//! given.

use std::collections::HashMap;
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use cluster::{Cluster, Options};
use kernel::{RandomIds, SystemClock};
use server::{Assembly, Running, Secret, Settings};
use sqlx::migrate::Migrator;

use crate::SERVICES;

/// Connections of the embedded Postgres, at least.
const CONNECTIONS_MIN: u32 = 200;
/// Connections left for whoever looks at the embedded Postgres beside the services.
const SPARE_CONNECTIONS: u32 = 20;

/// The services, and the Postgres that is theirs alone, if they have one.
pub(crate) struct Suite {
    running: Running,
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
        Ok(Self { running, cluster })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> std::net::SocketAddr {
        self.running.address()
    }

    /// Serves until told to stop; Postgres stops last. A Postgres of its own that ends
    /// before is started again, and given up after a number of times.
    pub(crate) async fn until_signal(self) -> anyhow::Result<()> {
        let Self { running, mut cluster } = self;
        let broken = async {
            match &mut cluster {
                Some(cluster) => cluster.keep_running().await,
                None => std::future::pending().await,
            }
        };
        let ended = running.until_signal_or(broken).await;
        ended.and(close(cluster).await)
    }

    /// Stops; Postgres last.
    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        let Self { running, cluster } = self;
        let ended = running.stop().await;
        ended.and(close(cluster).await)
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
