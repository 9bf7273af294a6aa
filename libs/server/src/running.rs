//! A running server, and its end in good order.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Error, anyhow};
use events::Consumer;
use futures::future::join_all;
use pg::Db;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinHandle;

use crate::readiness::Readiness;
use crate::service::Stop;
use crate::telemetry::FLUSH;
use crate::workers::Workers;

/// Longest wait for the workers, once the calls have ended. What a worker cannot leave
/// half done must take less.
pub const WORKERS_STOP: Duration = Duration::from_secs(20);
/// Longest wait for the database connections to close.
const POOL_CLOSE: Duration = Duration::from_millis(500);
/// Longest that a process takes to end once its calls have ended or were cut off.
pub const LONGEST_END: Duration = WORKERS_STOP.saturating_add(POOL_CLOSE).saturating_add(FLUSH);

/// A server that serves.
pub struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) dbs: Vec<Db>,
    pub(crate) consumers: Vec<Arc<Consumer>>,
    pub(crate) readiness: Readiness,
    /// Cancelled to stop accepting.
    pub(crate) closing: Stop,
    pub(crate) server: JoinHandle<Result<(), tonic::transport::Error>>,
    pub(crate) workers: Workers,
    pub(crate) drain: Duration,
}

impl Running {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The schema of a service of this process.
    pub fn db(&self, service: &str) -> Option<&Db> {
        self.dbs.iter().find(|db| db.schema() == service)
    }

    /// The services of this process that follow others.
    pub fn consumers(&self) -> &[Arc<Consumer>] {
        &self.consumers
    }

    /// Stops in order: says so, accepts no more, lets calls in flight end, stops the
    /// workers.
    ///
    /// # Errors
    ///
    /// Fails if calls were cut off because they did not end within the drain, or if a worker
    /// had failed or does not stop in time.
    pub async fn stop(self) -> anyhow::Result<()> {
        let Self { readiness, closing, mut server, workers, drain, dbs, .. } = self;
        readiness.close().await;
        closing.cancel();
        let drained = tokio::time::timeout(drain, &mut server).await;
        if drained.is_err() {
            server.abort();
        }
        let drained = drained
            .with_context(|| format!("calls were cut off: they did not end within {} s", drain.as_secs()))
            .and_then(|served| Ok(served.context("the server panicked")??));
        let stopped = workers.stop(WORKERS_STOP).await;
        // A connection that does not close in time has nothing left to lose.
        let closed = join_all(dbs.iter().map(|db| db.pool().close()));
        let _ = tokio::time::timeout(POOL_CLOSE, closed).await;
        drained.and(stopped)
    }

    /// Runs until SIGTERM or SIGINT, or until a part fails, and stops in order. A
    /// second signal cuts the stop short.
    ///
    /// # Errors
    ///
    /// Fails with the failure of the part that ended it, if the stop is cut short, and as
    /// [`Self::stop`] does.
    pub async fn until_signal(self) -> anyhow::Result<()> {
        self.until_signal_or(std::future::pending()).await
    }

    /// The same, or until something beside the server fails that it cannot do without.
    ///
    /// # Errors
    ///
    /// Fails as [`Self::until_signal`] does, and with what was broken.
    pub async fn until_signal_or(mut self, broken: impl Future<Output = Error>) -> anyhow::Result<()> {
        let mut signals = Signals::new()?;
        let ended = tokio::select! {
            name = signals.next() => {
                tracing::info!(signal = name, "stopping");
                Ok(())
            }
            failure = self.workers.failure() => Err(failure),
            failure = broken => Err(failure),
            served = &mut self.server => {
                Err(anyhow!("the server ended by itself: {served:?}"))
            }
        };
        if let Err(error) = &ended {
            tracing::error!(error = format!("{error:#}"), "stopping because a part failed");
        }
        if self.server.is_finished() {
            return ended;
        }
        tokio::select! {
            stopped = self.stop() => ended.and(stopped),
            name = signals.next() => Err(anyhow!("the stop was cut short by a second signal, {name}")),
        }
    }
}

pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    pub(crate) fn new() -> anyhow::Result<Self> {
        let hear = |kind| signal(kind).context("signals cannot be heard");
        Ok(Self { terminate: hear(SignalKind::terminate())?, interrupt: hear(SignalKind::interrupt())? })
    }

    pub(crate) async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}
