//! `redress up`, the five services in one process, and the other verbs of the same
//! binary.

use std::ffi::OsStr;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{ExitStatus, Output, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use client::{Client, ClientOptions};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::processes::binary;

/// How long it may take to serve, or to end.
const PATIENCE: Duration = Duration::from_mins(1);

/// A running `redress up`. Killed when dropped.
pub struct Up {
    process: Child,
    address: SocketAddr,
}

/// The binary, deaf to the database the tests themselves may be told to use.
fn redress() -> Result<Command> {
    let mut command = Command::new(binary("redress")?);
    command.env_remove("DATABASE_URL");
    Ok(command)
}

impl Up {
    /// Starts it over a database, which it migrates; it serves when this returns.
    pub async fn start(database_url: &str) -> Result<Self> {
        let mut up = redress()?;
        up.env("DATABASE_URL", database_url);
        Self::started(up).await
    }

    async fn started(mut up: Command) -> Result<Self> {
        let mut process = up
            .arg("up")
            .env("REDRESS_LISTEN", "127.0.0.1:0")
            .env("REDRESS_LOG", "warn")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let mut lines = BufReader::new(process.stdout.take().context("it says something")?).lines();
        let told = async {
            while let Some(line) = lines.next_line().await? {
                if let Some(address) = line.split_whitespace().find_map(|word| word.parse().ok()) {
                    return Ok(address);
                }
            }
            anyhow::bail!("it ends without a word of where it listens")
        };
        let address = tokio::time::timeout(PATIENCE, told).await.context("it does not start")??;
        // Nobody may be cut off who still talks.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Self { process, address })
    }

    /// Starts it with a Postgres of its own in a folder; it serves when this returns.
    pub async fn start_alone(folder: &Path) -> Result<Self> {
        let mut up = redress()?;
        up.env("REDRESS_DATA_DIR", folder);
        Self::started(up).await
    }

    /// Waits until it has ended by itself.
    pub async fn ended(mut self) -> Result<ExitStatus> {
        let ended = tokio::time::timeout(PATIENCE * 3, self.process.wait()).await;
        Ok(ended.context("it does not end")??)
    }

    /// A client of it.
    pub fn client(&self) -> Result<Client> {
        Ok(Client::lazy(ClientOptions::at(self.uri().parse()?))?)
    }

    /// Runs another verb against it, to its end.
    pub async fn run(&self, words: &[impl AsRef<OsStr>]) -> Result<Output> {
        let output = redress()?.args(words).env("REDRESS_SERVER", self.uri()).output().await?;
        ensure!(output.status.success(), "redress: {}", String::from_utf8_lossy(&output.stderr));
        Ok(output)
    }

    /// Tells it to end in good order, and waits until it has.
    pub async fn terminate(mut self) -> Result<ExitStatus> {
        let pid = self.process.id().context("it runs")?;
        testkit::terminate(pid)?;
        let ended = tokio::time::timeout(PATIENCE, self.process.wait()).await;
        Ok(ended.context("it does not end")??)
    }

    fn uri(&self) -> String {
        format!("http://{}", self.address)
    }
}
