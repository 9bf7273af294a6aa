//! A Postgres that can be killed: of its own, as the tests' own one serves many at a time.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use cluster::{Cluster, Options};
use kernel::{Ids as _, RandomIds};
use tokio::process::Command;

use crate::SERVICES;

/// The process whose end makes Postgres give up every connection, forget its memory, and
/// start again from its log: as a crash of any of its processes does.
const VICTIM: &str = "walwriter";
/// How long Postgres may take to have that process again.
const PATIENCE: Duration = Duration::from_mins(1);
const LOOK: Duration = Duration::from_millis(10);

/// A database with the schemas of all services, in a cluster of its own; gone when dropped.
pub struct MortalPostgres {
    cluster: Cluster,
    folder: PathBuf,
}

impl MortalPostgres {
    /// Starts one. What it says is committed is in its log and survives its own end, if not
    /// the machine's: nothing waits for the disk.
    pub async fn start() -> Result<Self> {
        let folder = std::env::temp_dir().join(format!("redress-mortal-{}", RandomIds.token()));
        let settings = vec!["fsync=off".to_owned()];
        let options = Options { settings, port: None, disposable: true };
        let cluster = Cluster::start(&folder, &options).await?;
        server::migrate(cluster.url(), &SERVICES).await?;
        Ok(Self { cluster, folder })
    }

    /// Where it is reached, as its superuser.
    pub fn url(&self) -> &str {
        self.cluster.url()
    }

    /// Kills a process of it (SIGKILL): every connection breaks, what was not committed is
    /// gone, and it starts again by itself.
    pub async fn crash(&self) -> Result<()> {
        let victim = self.victim().await?.to_string();
        let killed = Command::new("kill").args(["-KILL", &victim]).status().await?;
        ensure!(killed.success(), "process {victim} of Postgres cannot be killed ({killed})");
        Ok(())
    }

    /// The process to kill, once there is one: after the last crash it takes a while.
    async fn victim(&self) -> Result<u32> {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if let Some(victim) = self.child(VICTIM)? {
                return Ok(victim);
            }
            tokio::time::sleep(LOOK).await;
        }
        bail!("Postgres has no {VICTIM}")
    }

    /// The postmaster's child with this name.
    fn child(&self, name: &str) -> Result<Option<u32>> {
        let pid_file = fs::read_to_string(self.folder.join("cluster/postmaster.pid"))?;
        let postmaster: u32 =
            pid_file.lines().next().context("the file of the postmaster is empty")?.parse()?;
        let processes =
            fs::read_dir("/proc")?.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        Ok(processes.into_iter().find(|pid| {
            let process = Path::new("/proc").join(u32::to_string(pid));
            let title = fs::read_to_string(process.join("cmdline")).unwrap_or_default();
            let status = fs::read_to_string(process.join("status")).unwrap_or_default();
            title.contains(name) && status.lines().any(|line| line == format!("PPid:\t{postmaster}"))
        }))
    }
}
