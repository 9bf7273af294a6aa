//! Real server processes over a database of their own.

use std::net::TcpListener;
use std::ops::AddAssign;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use cluster::Cluster;
use futures::future::try_join_all;
use proto::redress::assignment::v1::assignment_service_client::AssignmentServiceClient;
use proto::redress::assignment::v1::{Agent, CreateAgentRequest, CreateDepartmentRequest, Department};
use proto::redress::cases::v1::case_service_client::CaseServiceClient;
use proto::redress::cases::v1::{CaseState, CountCasesRequest};
use tokio::process::{Child, Command};
use tonic::transport::{Channel, Endpoint};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::procfs;

const SERVICES: [&str; 5] = ["intake", "cases", "assignment", "resolution", "feedback"];
const PATIENCE: Duration = Duration::from_mins(1);
/// More than any run can have open.
const CAPACITY: i32 = 100_000;
/// Agents of the roster: `agent-0` and so on.
pub(crate) const AGENTS: usize = 20;
/// How long it may take until another case is assigned.
const CATCH_UP: Duration = Duration::from_mins(1);

/// What every phase builds on.
#[derive(Clone)]
pub(crate) struct Base {
    binaries: PathBuf,
    url: String,
    postmaster: u32,
    postgres: PathBuf,
}

impl Base {
    /// A base over a running cluster, whose data lies in `data`.
    pub(crate) fn new(binaries: PathBuf, cluster: &Cluster, data: &Path) -> Result<Self> {
        let noted = std::fs::read_to_string(data.join("postmaster.pid"))?;
        let postmaster = noted.lines().next().context("a postmaster notes its pid")?.parse()?;
        // pgbench and psql lie beside the server that runs.
        let server = std::fs::read_link(format!("/proc/{postmaster}/exe"))?;
        let postgres = server.parent().context("the server lies somewhere")?.to_owned();
        Ok(Self { binaries, url: cluster.url().to_owned(), postmaster, postgres })
    }

    /// The same over another build.
    pub(crate) fn with_binaries(&self, binaries: &Path) -> Self {
        Self { binaries: binaries.to_owned(), ..self.clone() }
    }

    pub(crate) fn postgres_binary(&self, name: &str) -> Result<PathBuf> {
        let path = self.postgres.join(name);
        path.exists().then_some(path).with_context(|| format!("{name} is not installed beside Postgres"))
    }

    /// CPU time Postgres has used, all its processes together.
    pub(crate) fn postgres_cpu(&self) -> Result<Duration> {
        procfs::cpu_of_family(self.postmaster)
    }

    /// A database of this name, made if it is not there; its URL.
    pub(crate) async fn create_database(&self, name: &str) -> Result<String> {
        let url = self.url.replace("/redress?", &format!("/{name}?"));
        if self.execute(&url, "SELECT 1").await.is_err() {
            self.execute(&self.url, &format!("CREATE DATABASE {name}")).await?;
        }
        Ok(url)
    }

    /// A program built beside the servers.
    pub(crate) fn binary(&self, name: &str) -> PathBuf {
        self.binaries.join(name)
    }

    pub(crate) async fn execute(&self, url: &str, sql: &str) -> Result<String> {
        let output = Command::new(self.postgres_binary("psql")?)
            .args(["-q", "-v", "ON_ERROR_STOP=1", "-c", sql, url])
            .output()
            .await?;
        if !output.status.success() {
            bail!("{}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Makes sure that all submissions that were answered are kept, and told of.
    pub(crate) async fn stored(&self, database: &str, answered: u64) -> Result<()> {
        let sql = "COPY (SELECT count(*), count(position) FROM intake.complaint) TO STDOUT";
        let stored = self.execute(&self.create_database(database).await?, sql).await?;
        let expected = format!("{answered}\t{answered}");
        anyhow::ensure!(
            stored.trim() == expected,
            "{answered} were answered, kept and told of are {}",
            stored.trim()
        );
        Ok(())
    }

    /// The time from submission to assignment within which 99 % of so many latest
    /// cases came, in milliseconds.
    pub(crate) async fn assigned_ms(&self, database: &str, latest: u64) -> Result<f64> {
        let sql = format!(
            "COPY (SELECT extract(epoch FROM percentile_disc(0.99) WITHIN GROUP (ORDER BY first_assigned_at - received_at)) * 1e3
             FROM (SELECT * FROM cases.cases ORDER BY case_id DESC LIMIT {latest}) latest)
             TO STDOUT"
        );
        Ok(self.execute(&self.create_database(database).await?, &sql).await?.trim().parse()?)
    }

    /// Prints, per operation, the statements that cost most since this was last
    /// asked, and the tables of the database that were written most, with the share
    /// of updates that touched no index (HOT).
    pub(crate) async fn costs(&self, database: &str, top: u32, operations: u64) -> Result<()> {
        if top == 0 {
            return Ok(());
        }
        let operations = operations.max(1);
        let statements = format!(
            r"SET client_min_messages = error; CREATE EXTENSION IF NOT EXISTS pg_stat_statements;
             SELECT round(calls::numeric / {operations}, 2) AS calls,
                    round(plans::numeric / {operations}, 2) AS plans,
                    round((1e3 * total_plan_time)::numeric / {operations}) AS plan_us,
                    round((1e3 * total_exec_time)::numeric / {operations}) AS exec_us,
                    round(blocks / {operations}, 1) AS blocks, round(wal_bytes / {operations}) AS wal_bytes,
                    left(regexp_replace(coalesce(query, '(all)'), '\s+', ' ', 'g'), 100) AS statement
             FROM (SELECT query, sum(calls) AS calls, sum(plans) AS plans, sum(total_plan_time) AS total_plan_time,
                          sum(total_exec_time) AS total_exec_time, sum(shared_blks_hit + shared_blks_read) AS blocks,
                          sum(wal_bytes) AS wal_bytes
                   FROM pg_stat_statements GROUP BY GROUPING SETS ((query), ())) s
             ORDER BY total_plan_time + total_exec_time DESC LIMIT {top}"
        );
        let writes = format!(
            "SELECT schemaname || '.' || relname AS written, round(n_tup_ins::numeric / {operations}, 2) AS inserts,
                    round(n_tup_upd::numeric / {operations}, 2) AS updates,
                    n_tup_hot_upd * 100 / greatest(n_tup_upd, 1) AS hot_percent,
                    round(n_tup_del::numeric / {operations}, 2) AS deletes
             FROM pg_stat_user_tables WHERE n_tup_ins + n_tup_upd + n_tup_del > {operations} / 10
             ORDER BY n_tup_ins + n_tup_upd + n_tup_del DESC LIMIT {top}"
        );
        print!("{}", self.execute(&self.url, &statements).await?);
        self.forget_costs(top).await?;
        print!("{}", self.execute(&self.create_database(database).await?, &writes).await?);
        Ok(())
    }

    /// Has [`Self::costs`] tell of what comes from here on.
    pub(crate) async fn forget_costs(&self, top: u32) -> Result<()> {
        if top > 0 {
            let forget = "SET client_min_messages = error; CREATE EXTENSION IF NOT EXISTS pg_stat_statements;
                          DO 'BEGIN PERFORM pg_stat_statements_reset(); END'";
            self.execute(&self.url, forget).await?;
        }
        Ok(())
    }
}

/// Running servers and the way to them.
pub(crate) struct Suite {
    servers: Vec<Child>,
    postmaster: u32,
    address: String,
    /// One connection, for whoever needs no more.
    pub(crate) channel: Channel,
    pub(crate) started_in: Duration,
}

/// CPU time used so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cpu {
    pub(crate) services: Duration,
    pub(crate) postgres: Duration,
}

impl Cpu {
    /// What was used since an earlier reading.
    pub(crate) fn since(self, earlier: Self) -> Self {
        Self {
            services: self.services.saturating_sub(earlier.services),
            postgres: self.postgres.saturating_sub(earlier.postgres),
        }
    }
}

impl AddAssign for Cpu {
    fn add_assign(&mut self, other: Self) {
        self.services += other.services;
        self.postgres += other.postgres;
    }
}

impl Suite {
    /// All five services in one process.
    pub(crate) async fn one_process(base: &Base, database: &str) -> Result<Self> {
        let url = base.create_database(database).await?;
        Self::start(base, &[("redress", &["up"])], &url, &[], true).await
    }

    /// All five services in one process with the console before them, which believes one proxy;
    /// and where the console listens: `host:port`.
    pub(crate) async fn with_console(base: &Base, database: &str) -> Result<(Self, String)> {
        let url = base.create_database(database).await?;
        let console = format!("127.0.0.1:{}", free_port()?);
        let settings = [("REDRESS_CONSOLE_LISTEN", console.as_str()), ("REDRESS_CONSOLE_PROXIES", "1")];
        let suite = Self::start(base, &[("redress", &["up"])], &url, &settings, true).await?;
        Ok((suite, console))
    }

    /// Intake alone, with some settings.
    pub(crate) async fn intake(base: &Base, database: &str, settings: &[(&str, &str)]) -> Result<Self> {
        let url = base.create_database(database).await?;
        migrate(base, &url).await?;
        Self::start(base, &[("redress-intake", &[])], &url, settings, false).await
    }

    /// Assignment alone.
    pub(crate) async fn assignment(base: &Base, database: &str) -> Result<Self> {
        let url = base.create_database(database).await?;
        migrate(base, &url).await?;
        // That no other service is there is no news.
        let quiet = [("REDRESS_LOG", "error")];
        Self::start(base, &[("redress-assignment", &[])], &url, &quiet, false).await
    }

    /// Resolution alone.
    pub(crate) async fn resolution(base: &Base, database: &str) -> Result<Self> {
        let url = base.create_database(database).await?;
        migrate(base, &url).await?;
        let quiet = [("REDRESS_LOG", "error")];
        Self::start(base, &[("redress-resolution", &[])], &url, &quiet, false).await
    }

    /// Each service in a process of its own; the way leads to `cases`.
    pub(crate) async fn five_processes(base: &Base, database: &str) -> Result<Self> {
        let url = base.create_database(database).await?;
        let names: Vec<String> = SERVICES.iter().map(|name| format!("redress-{name}")).collect();
        let list: Vec<(&str, &[&str])> = names.iter().map(|name| (name.as_str(), [].as_slice())).collect();
        Self::start(base, &list, &url, &[], false).await
    }

    async fn start(
        base: &Base,
        list: &[(&str, &[&str])],
        url: &str,
        settings: &[(&str, &str)],
        staffed: bool,
    ) -> Result<Self> {
        let started = Instant::now();
        let mut servers = Vec::new();
        let mut reached = None;
        for (binary, arguments) in list {
            let address = format!("127.0.0.1:{}", free_port()?);
            let server = Command::new(base.binaries.join(binary))
                .args(*arguments)
                .env("DATABASE_URL", url)
                .env("REDRESS_LISTEN", &address)
                .env("REDRESS_LOG", "warn")
                .envs(settings.iter().copied())
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .kill_on_drop(true)
                .spawn()
                .with_context(|| format!("{binary} is built beside this program"))?;
            servers.push(server);
            reached = Some((serving(&address).await?, address));
        }
        let started_in = started.elapsed();
        let (channel, address) = reached.context("no server")?;
        if staffed {
            staff(&channel).await?;
        }
        Ok(Self { servers, postmaster: base.postmaster, address, channel, started_in })
    }

    /// Where the first server listens: `host:port`.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Connections of their own, as separate clients have them.
    pub(crate) async fn connect(&self, count: usize) -> Result<Vec<Channel>> {
        let connections = (0..count).map(|_| async { Ok(endpoint(&self.address)?.connect().await?) });
        try_join_all(connections).await
    }

    pub(crate) fn cpu(&self) -> Result<Cpu> {
        let own = self.pids().map(procfs::cpu).sum::<Result<Duration>>()?;
        Ok(Cpu { services: own, postgres: procfs::cpu_of_family(self.postmaster)? })
    }

    pub(crate) fn rss_mb(&self) -> Result<f64> {
        self.pids().map(procfs::rss_mb).sum()
    }

    /// The most resident memory its processes have had, each at its own time.
    pub(crate) fn peak_rss_mb(&self) -> Result<f64> {
        self.pids().map(procfs::peak_rss_mb).sum()
    }

    fn pids(&self) -> impl Iterator<Item = u32> + '_ {
        self.servers.iter().filter_map(Child::id)
    }

    /// Stops the servers as an operator would.
    pub(crate) async fn stop(mut self) -> Result<()> {
        for server in &mut self.servers {
            if let Some(pid) = server.id() {
                // Through the shell: `kill` is a program of its own only where installed.
                Command::new("sh").args(["-c", "kill \"$1\"", "sh", &pid.to_string()]).status().await?;
            }
            tokio::time::timeout(PATIENCE, server.wait()).await.context("a server does not stop")??;
        }
        Ok(())
    }
}

async fn migrate(base: &Base, url: &str) -> Result<()> {
    let status = Command::new(base.binaries.join("redress"))
        .arg("migrate")
        .env("DATABASE_URL", url)
        .stdout(Stdio::null())
        .status()
        .await?;
    if !status.success() {
        bail!("redress migrate failed");
    }
    Ok(())
}

/// A port that was free a moment ago: the server is another process and cannot be
/// handed a listener.
fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

fn endpoint(address: &str) -> Result<Endpoint> {
    Ok(Endpoint::from_shared(format!("http://{address}"))?.tcp_nodelay(true))
}

async fn serving(address: &str) -> Result<Channel> {
    let endpoint = endpoint(address)?;
    let started = Instant::now();
    while started.elapsed() < PATIENCE {
        if let Ok(channel) = endpoint.connect().await {
            let check = HealthCheckRequest { service: String::new() };
            let answer = HealthClient::new(channel.clone()).check(check).await;
            if answer.is_ok_and(|answer| answer.get_ref().status() == ServingStatus::Serving) {
                return Ok(channel);
            }
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    bail!("no server at {address} after {PATIENCE:?}")
}

/// One department that takes every case, with agents enough.
async fn staff(channel: &Channel) -> Result<()> {
    let mut client = AssignmentServiceClient::new(channel.clone());
    let departments = [("care", vec!["*".to_owned()]), ("finance", Vec::new()), ("warehouse", Vec::new())];
    for (department_id, categories) in departments {
        let department = Department {
            department_id: department_id.to_owned(),
            display_name: department_id.to_owned(),
            categories,
            ..Department::default()
        };
        let request_id = department_id.to_owned();
        let request = CreateDepartmentRequest { request_id, department: Some(department) };
        client.create_department(request).await?;
    }
    for number in 0..AGENTS {
        let agent = Agent {
            agent_id: format!("agent-{number}"),
            department_id: "care".to_owned(),
            display_name: format!("Agent {number}"),
            capacity: CAPACITY,
            available: true,
            ..Agent::default()
        };
        let request = CreateAgentRequest { request_id: format!("agent-{number}"), agent: Some(agent) };
        client.create_agent(request).await?;
    }
    Ok(())
}

/// Waits until so many cases are assigned, for as long as there are more of them.
pub(crate) async fn assigned(suite: &Suite, submitted: u64) -> Result<()> {
    let mut client = CaseServiceClient::new(suite.channel.clone());
    let (mut most, mut patience) = (0, Instant::now() + CATCH_UP);
    loop {
        let counts = client.count_cases(CountCasesRequest {}).await?.into_inner();
        let assigned: i64 =
            counts.counts.iter().filter(|count| count.state >= 3).map(|count| count.count).sum();
        if u64::try_from(assigned)? == submitted {
            return Ok(());
        }
        if assigned > most {
            (most, patience) = (assigned, Instant::now() + CATCH_UP);
        }
        if Instant::now() > patience {
            bail!("{assigned} of {submitted} cases are assigned, and no more came for {CATCH_UP:?}");
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Makes sure that so many cases were closed, and no others are there.
pub(crate) async fn closed(suite: &Suite, done: u64) -> Result<()> {
    let mut client = CaseServiceClient::new(suite.channel.clone());
    let counts = client.count_cases(CountCasesRequest {}).await?.into_inner().counts;
    let closed = i32::from(CaseState::Closed);
    let of = |wanted: bool| -> i64 {
        counts.iter().filter(|count| (count.state == closed) == wanted).map(|count| count.count).sum()
    };
    anyhow::ensure!(
        u64::try_from(of(true))? == done && of(false) == 0,
        "{done} lifecycles were ended, {} cases are closed and {} are not",
        of(true),
        of(false)
    );
    Ok(())
}
