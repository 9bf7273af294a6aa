//! How fast the suite is, measured beside Postgres's own limit on the same cluster
//! in the same run: on a shared machine only ratios mean anything.
//!
//! Each phase starts real server processes over a fresh database, loads them from
//! this process, and reads the CPU they and Postgres used from `/proc`.

mod clocks;
mod compare;
mod connection;
mod console;
mod kpi;
mod lifecycle;
mod pgbench;
mod procfs;
mod reconcile;
mod report;
mod routing;
mod run;
mod sink;
mod submit;
mod suite;
mod tasks;
mod words;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::Parser;
use cluster::{Cluster, Options};

use crate::report::Report;
use crate::suite::{Base, Suite};

/// How often silent and traced submissions take turns.
const OTLP_ROUNDS: u32 = 4;
/// How long a load runs before it is measured: new tables have no statistics yet, and
/// are analysed with every doubling.
const WARM: Duration = Duration::from_secs(4);
/// Rounds of assignments that are measured.
const ROUNDS: u32 = 10;
/// Timers that are armed and not due.
const ARMED: u32 = 1_000_000;
/// Cases of the year whose figures are asked for.
const CASES: u32 = 1_000_000;
/// Plans whose tasks workers carry out in one turn.
const PLANS: u64 = 2_000;
/// Rows of a statement that is held against the ledger.
const STATEMENT_ROWS: u32 = 1_000_000;

/// Measures the suite and writes a report.
#[derive(Parser)]
struct Arguments {
    /// Seconds each load lasts
    #[arg(long, env = "REDRESS_LOAD_SECONDS", default_value_t = 10)]
    seconds: u64,
    /// Submissions in flight in the closed loop
    #[arg(long, default_value_t = 64)]
    in_flight: usize,
    /// Submissions a second in the open loop
    #[arg(long, default_value_t = 500)]
    rate: u64,
    /// Whole lifecycles in flight
    #[arg(long, default_value_t = 256)]
    lifecycles: usize,
    /// Where the report goes
    #[arg(long, default_value = "target/load/report.json")]
    report: PathBuf,
    /// Folder of the server binaries; where this one lies by default
    #[arg(long)]
    binaries: Option<PathBuf>,
    /// Folder of another build's binaries: submissions and lifecycles are run by both in
    /// turns, and nothing else is measured
    #[arg(long)]
    baseline: Option<PathBuf>,
    /// Turns of each build beside a baseline
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=i64::from(compare::MAX_ROUNDS)))]
    rounds: u32,
    /// A server setting for the cluster, `name=value`; may be repeated
    #[arg(long)]
    setting: Vec<String>,
    /// After each suite phase, this many statements that cost Postgres most
    #[arg(long, default_value_t = 0)]
    statements: u32,
    /// Small loads for a second each, by whatever build: what is counted must come out,
    /// what is measured means nothing
    #[arg(long)]
    short: bool,
    /// Only these phases: submit, otlp, suite, assign, clocks, routing, kpi, lifecycle, tasks, reconcile, console, idle
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
}

impl Arguments {
    /// The loads of a short run.
    fn shortened(self) -> Self {
        if self.short { Self { seconds: 2, in_flight: 8, rate: 25, lifecycles: 4, ..self } } else { self }
    }

    fn warm(&self) -> Duration {
        if self.short { Duration::from_secs(1) } else { WARM }
    }

    /// Timers that are armed and not due.
    fn armed(&self) -> u32 {
        if self.short { ARMED / 50 } else { ARMED }
    }

    fn wants(&self, phase: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == phase)
    }

    /// What is run beside a baseline.
    fn loads(&self) -> compare::Loads {
        compare::Loads {
            rounds: self.rounds,
            warm: self.warm(),
            length: Duration::from_secs(self.seconds),
            in_flight: self.in_flight,
            lifecycles: self.lifecycles,
        }
    }

    fn cluster(&self) -> Options {
        let mut settings = self.setting.clone();
        if self.statements > 0 {
            settings.push("shared_preload_libraries=pg_stat_statements".to_owned());
            settings.push("pg_stat_statements.track_planning=on".to_owned());
        }
        Options { settings, ..Options::default() }
    }
}

fn main() -> Result<()> {
    // As the servers by default: a core each is left to Postgres and to the others.
    let threads = std::thread::available_parallelism()?.get().saturating_sub(1).max(1);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build()?;
    runtime.block_on(load(&Arguments::parse().shortened()))
}

async fn load(arguments: &Arguments) -> Result<()> {
    let binaries = match &arguments.binaries {
        Some(folder) => folder.clone(),
        None => std::env::current_exe()?.parent().context("this binary lies somewhere")?.to_owned(),
    };
    let folder = std::env::temp_dir().join(format!("redress-load-{}", std::process::id()));
    let cluster = Cluster::start(&folder, &arguments.cluster()).await?;
    let base = Base::new(binaries, &cluster, &folder.join("cluster"))?;
    let outcome = match &arguments.baseline {
        Some(baseline) => compare::measure(&base, baseline, &arguments.loads()).await.map(|()| None),
        None => measure(arguments, &base).await.map(Some),
    };
    drop(cluster);
    let _ = std::fs::remove_dir_all(&folder);
    let Some(report) = outcome? else { return Ok(()) };
    report.print();
    report.write(&arguments.report)
}

async fn measure(arguments: &Arguments, base: &Base) -> Result<Report> {
    let mut report = Report::default();
    let length = Duration::from_secs(arguments.seconds);
    if arguments.wants("submit") {
        submit(arguments, base, length, &mut report).await?;
    }
    if arguments.wants("otlp") {
        otlp(arguments, base, length, &mut report).await?;
    }
    if arguments.wants("suite") {
        let suite = Suite::one_process(base, "load_suite").await?;
        let run = submit::closed(&suite, arguments.in_flight, length).await?;
        report.submit("submit, suite in one process", &run);
        suite::assigned(&suite, run.done).await?;
        suite.stop().await?;
        base.costs("load_suite", arguments.statements, run.done).await?;
    }
    if arguments.wants("assign") {
        let suite = Suite::one_process(base, "load_assign").await?;
        let warm = submit::open(&suite, arguments.rate, arguments.warm()).await?.done;
        suite::assigned(&suite, warm).await?;
        let run = submit::open(&suite, arguments.rate, length).await?;
        suite::assigned(&suite, warm + run.done).await?;
        report.submit("submit, open loop", &run);
        report.assigned(base.assigned_ms("load_assign", run.done).await?);
        suite.stop().await?;
        base.costs("load_assign", arguments.statements, run.done).await?;
    }
    if arguments.wants("clocks") {
        let load =
            clocks::Load { rate: arguments.rate, warm: arguments.warm(), length, armed: arguments.armed() };
        clocks::measure(base, &load, &mut report).await?;
    }
    if arguments.wants("routing") {
        let rounds = if arguments.short { 1 } else { ROUNDS };
        routing::measure(base, rounds, &mut report).await?;
    }
    if arguments.wants("kpi") {
        let cases = if arguments.short { CASES / 50 } else { CASES };
        kpi::measure(base, cases, arguments.statements, &mut report).await?;
    }
    if arguments.wants("lifecycle") {
        let suite = Suite::one_process(base, "load_lifecycle").await?;
        let warm = lifecycle::run(&suite, arguments.lifecycles, arguments.warm()).await?.done;
        let run = lifecycle::run(&suite, arguments.lifecycles, length).await?;
        report.lifecycle(&run);
        suite::closed(&suite, warm + run.done).await?;
        suite.stop().await?;
        base.costs("load_lifecycle", arguments.statements, run.done).await?;
    }
    if arguments.wants("tasks") {
        let plans = if arguments.short { PLANS / 100 } else { PLANS };
        tasks::measure(base, plans, arguments.statements, &mut report).await?;
    }
    if arguments.wants("reconcile") {
        let rows = if arguments.short { STATEMENT_ROWS / 50 } else { STATEMENT_ROWS };
        reconcile::measure(base, rows, arguments.statements, &mut report).await?;
    }
    if arguments.wants("console") {
        console::measure(base, length, arguments.short, &mut report).await?;
    }
    if arguments.wants("idle") {
        idle(base, &mut report).await?;
    }
    Ok(report)
}

/// Submissions alone against what Postgres can do with the same rows.
async fn submit(arguments: &Arguments, base: &Base, length: Duration, report: &mut Report) -> Result<()> {
    let baseline = pgbench::prepare(base, "load_pgbench").await?;
    let suite = Suite::intake(base, "load_submit", &[]).await?;
    let mut done = submit::closed(&suite, arguments.in_flight, Duration::from_secs(2)).await?.done; // warm
    // Twice in turn, so that a drifting machine does not favour one side.
    for _ in 0..2 {
        report.baseline(&pgbench::run(base, &baseline, arguments.in_flight, length / 2).await?);
        let run = submit::closed(&suite, arguments.in_flight, length / 2).await?;
        report.intake_alone(&run);
        done += run.done;
        report.baseline_single(&pgbench::run(base, &baseline, 1, length / 4).await?);
        let run = submit::closed(&suite, 1, length / 4).await?;
        report.submit_single(&run);
        done += run.done;
    }
    suite.stop().await?;
    base.stored("load_submit", done).await?;
    base.costs("load_submit", arguments.statements, 1).await
}

/// Submissions without telemetry against those that tell a collector of every tenth submission.
async fn otlp(arguments: &Arguments, base: &Base, length: Duration, report: &mut Report) -> Result<()> {
    let collector = sink::start().await?;
    let settings = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.as_str()),
        ("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"),
        ("OTEL_TRACES_SAMPLER_ARG", "0.1"),
    ];
    let silent = Suite::intake(base, "load_silent", &[]).await?;
    let traced = Suite::intake(base, "load_traced", &settings).await?;
    for suite in [&silent, &traced] {
        submit::closed(suite, arguments.in_flight, Duration::from_secs(2)).await?; // warm
    }
    for _ in 0..OTLP_ROUNDS {
        report.silent(&submit::closed(&silent, arguments.in_flight, length / OTLP_ROUNDS).await?);
        report.traced(&submit::closed(&traced, arguments.in_flight, length / OTLP_ROUNDS).await?);
    }
    silent.stop().await?;
    traced.stop().await
}

async fn idle(base: &Base, report: &mut Report) -> Result<()> {
    // The first start migrates; the second is the one that counts.
    Suite::one_process(base, "load_idle").await?.stop().await?;
    let one = Suite::one_process(base, "load_idle").await?;
    report.cold_start_ms = Some(one.started_in.as_secs_f64() * 1e3);
    tokio::time::sleep(Duration::from_secs(2)).await;
    report.idle_rss_mb_one_process = Some(one.rss_mb()?);
    one.stop().await?;
    let five = Suite::five_processes(base, "load_idle").await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    report.idle_rss_mb_five_processes = Some(five.rss_mb()?);
    five.stop().await
}
