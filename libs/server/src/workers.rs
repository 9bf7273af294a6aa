//! Loops that run beside the calls. Each is joined; one that panics or ends before
//! it was told to is the end of the process.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::{Error, anyhow, ensure};
use tokio::task::{Id, JoinError, JoinSet};

use crate::service::{Stop, Worker};
use crate::watch;

/// Every worker of the process.
#[derive(Default)]
pub(crate) struct Workers {
    running: JoinSet<()>,
    names: HashMap<Id, String>,
    stop: Stop,
}

impl Workers {
    /// Starts a worker.
    pub(crate) fn start(&mut self, worker: Worker) {
        let Worker { name, run } = worker;
        // Few, and as long as the process: their names may stay.
        let known: &'static str = Box::leak(name.clone().into_boxed_str());
        let task = self.running.spawn(watch::named(known, run(self.stop.clone())));
        self.names.insert(task.id(), name);
    }

    /// Waits for one to fail; for ever if none does.
    pub(crate) async fn failure(&mut self) -> Error {
        match self.running.join_next_with_id().await {
            Some(ended) => self.describe(ended),
            None => std::future::pending().await,
        }
    }

    /// Tells all to stop and waits for them; those that do not are cut off.
    pub(crate) async fn stop(mut self, patience: Duration) -> anyhow::Result<()> {
        self.stop.cancel();
        let all = async {
            let mut outcome = Ok(());
            while let Some(ended) = self.running.join_next_with_id().await {
                if ended.is_err() {
                    outcome = Err(self.describe(ended));
                }
            }
            outcome
        };
        let stopped = tokio::time::timeout(patience, all).await;
        let left: Vec<&str> = match &stopped {
            Ok(_) => Vec::new(),
            Err(_) => self.names.values().map(String::as_str).collect(),
        };
        ensure!(left.is_empty(), "workers did not stop in time, one of {}", left.join(", "));
        stopped?
    }

    fn describe(&self, ended: Result<(Id, ()), JoinError>) -> Error {
        let name = |id| self.names.get(&id).map_or("unknown", String::as_str);
        match ended {
            Ok((id, ())) => anyhow!("the worker {} ended before it was told to", name(id)),
            Err(error) => anyhow!("the worker {} panicked", name(error.id())),
        }
    }
}
