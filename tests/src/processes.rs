//! The five services as five processes over one database.
//!
//! Each has its own port, of an address that belongs to this set alone: Linux
//! answers on all of 127.0.0.0/8, so no port has to be chosen, closed, and hoped to
//! stay free.

use std::collections::HashMap;
use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use client::{Client, ClientOptions, Endpoints};
use kernel::{Ids as _, RandomIds};
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tonic::transport::Endpoint;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::SERVICES;

/// How long a process may take to serve, or to end once it was told to.
const PATIENCE: Duration = Duration::from_mins(1);
const LOOK: Duration = Duration::from_millis(10);
/// Each, of the 200 the tests' Postgres lets in.
const CONNECTIONS: &str = "6";
/// How much of each log a failed test shows.
const LOG_LINES: usize = 15;
/// How long a client repeats a call: longer than a service is ever away.
const DEADLINE: Duration = Duration::from_mins(1);

/// The path of a binary of this workspace, built before the tests are run.
pub fn binary(name: &str) -> Result<PathBuf> {
    let me = std::env::current_exe()?;
    // target/<profile>/deps/<test>: binaries lie one folder up.
    let folder = me.parent().and_then(Path::parent).context("a test lies in the target folder")?;
    let path = folder.join(name);
    ensure!(
        path.exists(),
        "{} is missing: run `cargo build --workspace --bins` first, as `make test` does",
        path.display()
    );
    Ok(path)
}

/// Five processes, or those of them that run. Killed when dropped; a failed test
/// shows the end of their logs.
pub struct Processes {
    host: Ipv4Addr,
    database_url: String,
    /// Settings beside those that put them together.
    settings: Vec<(&'static str, String)>,
    logs: TempDir,
    running: HashMap<&'static str, Child>,
}

/// How a process ended.
#[derive(Clone, Copy, Debug)]
pub struct Exit {
    /// What it told its parent.
    pub status: ExitStatus,
    /// From the signal to the end.
    pub took: Duration,
}

impl Processes {
    /// Starts all five over a migrated database; they serve when this returns.
    pub async fn start(database_url: &str) -> Result<Self> {
        Self::start_with(database_url, Vec::new()).await
    }

    /// Starts all five with more settings, or other ones.
    pub async fn start_with(database_url: &str, settings: Vec<(&'static str, String)>) -> Result<Self> {
        let mut this = Self {
            host: unused_host()?,
            database_url: database_url.to_owned(),
            settings,
            logs: tempfile::tempdir()?,
            running: HashMap::new(),
        };
        for service in SERVICES {
            this.spawn(service.name)?;
        }
        for service in SERVICES {
            this.serving(service.name).await?;
        }
        Ok(this)
    }

    /// A client that knows where each of them is.
    pub fn client(&self) -> Result<Client> {
        let mut endpoints = Endpoints::one(self.uri(SERVICES[0].name)?.parse()?);
        for service in SERVICES {
            endpoints = endpoints.with(service.name, self.uri(service.name)?.parse()?);
        }
        // Where it says `at`, the endpoints say better.
        let options = ClientOptions {
            endpoints,
            deadline: DEADLINE,
            ..ClientOptions::at(self.uri(SERVICES[0].name)?.parse()?)
        };
        Ok(Client::lazy(options)?)
    }

    /// Kills one at once (SIGKILL), wherever it stands.
    pub async fn kill(&mut self, service: &str) -> Result<()> {
        let mut process = self.running.remove(service).with_context(|| format!("{service} runs"))?;
        if let Some(ended) = process.try_wait()? {
            bail!("{service} has ended by itself: {ended}");
        }
        process.kill().await.context("it can be killed")
    }

    /// Starts one that does not run; it does not serve yet when this returns.
    pub fn restart(&mut self, service: &'static str) -> Result<()> {
        ensure!(!self.running.contains_key(service), "{service} runs");
        self.spawn(service)
    }

    /// Tells all that run to end in good order (SIGTERM), and waits until they have.
    pub async fn terminate(&mut self) -> Result<HashMap<&'static str, Exit>> {
        let begun = Instant::now();
        let mut exits = HashMap::new();
        for process in self.running.values() {
            let pid = process.id().context("it runs")?;
            testkit::terminate(pid)?;
        }
        for (service, mut process) in self.running.drain() {
            let ended = tokio::time::timeout(PATIENCE, process.wait()).await;
            let status = ended.with_context(|| format!("{service} does not end"))??;
            exits.insert(service, Exit { status, took: begun.elapsed() });
        }
        Ok(exits)
    }

    /// Waits until one serves.
    pub async fn serving(&mut self, service: &'static str) -> Result<()> {
        let endpoint = Endpoint::from_shared(self.uri(service)?)?;
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if health(&endpoint).await == Some(ServingStatus::Serving) {
                return Ok(());
            }
            let process = self.running.get_mut(service).with_context(|| format!("{service} runs"))?;
            if let Some(ended) = process.try_wait()? {
                bail!("{service} has ended by itself ({ended}): {}", self.log_of(service));
            }
            tokio::time::sleep(LOOK).await;
        }
        bail!("{service} does not serve after {PATIENCE:?}: {}", self.log_of(service))
    }

    fn spawn(&mut self, service: &'static str) -> Result<()> {
        let log = File::options().create(true).append(true).open(self.log_path(service))?;
        let mut command = Command::new(binary(&format!("redress-{service}"))?);
        for peer in SERVICES {
            command.env(format!("REDRESS_PEER_{}", peer.name.to_uppercase()), self.uri(peer.name)?);
        }
        let process = command
            .env("DATABASE_URL", &self.database_url)
            .env("REDRESS_LISTEN", self.address(service)?.to_string())
            .env("REDRESS_DB_CONNECTIONS", CONNECTIONS)
            .env("REDRESS_RECEIPT_KEY", "a key for tests only")
            .env("REDRESS_LOG", "warn")
            .envs(self.settings.clone())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()?;
        self.running.insert(service, process);
        Ok(())
    }

    /// Where one of them is, or will be once it runs again.
    pub fn uri(&self, service: &str) -> Result<String> {
        Ok(format!("http://{}", self.address(service)?))
    }

    fn address(&self, service: &str) -> Result<SocketAddr> {
        let service = SERVICES.iter().find(|one| one.name == service);
        let port = service.with_context(|| "there is no such service")?.port;
        Ok((self.host, port).into())
    }

    fn log_path(&self, service: &str) -> PathBuf {
        self.logs.path().join(service)
    }

    /// The end of what a process has logged.
    fn log_of(&self, service: &str) -> String {
        let text = std::fs::read_to_string(self.log_path(service)).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for service in SERVICES {
                eprintln!("--- {} logged last:\n{}", service.name, self.log_of(service.name));
            }
        }
    }
}

/// What a process says of itself; none if it does not answer.
async fn health(endpoint: &Endpoint) -> Option<ServingStatus> {
    let channel = endpoint.connect().await.ok()?;
    let request = HealthCheckRequest { service: String::new() };
    Some(HealthClient::new(channel).check(request).await.ok()?.get_ref().status())
}

/// An address of the loopback nobody listens on.
pub fn unused_host() -> Result<Ipv4Addr> {
    loop {
        let [.., one, two, three] = *RandomIds.token().as_bytes();
        let host = Ipv4Addr::new(127, one, two, three);
        // Neither the usual one nor the ends of the range.
        if (1..255).contains(&one) && (1..255).contains(&three) && is_unused(host)? {
            return Ok(host);
        }
    }
}

fn is_unused(host: Ipv4Addr) -> Result<bool> {
    match TcpListener::bind((host, SERVICES[0].port)) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => Ok(false),
        Err(error) => Err(error).context("the loopback answers on one address only"),
    }
}
