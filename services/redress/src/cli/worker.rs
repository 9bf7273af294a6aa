//! `redress worker`: a department's worker, for trying out.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use client::worker::{Failure, Work, Worker};
use demo::reference_worker::{Entered, Ledger, ReferenceWorker};
use jiff::Timestamp;
use proto::redress::resolution::v1::{Task, TaskResult};
use serde_json::json;
use server::{Settings, Telemetry};
use show::text;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::connection::Connection;
use super::submit::read_text;

#[derive(Args)]
pub(crate) struct WorkerArgs {
    #[command(flatten)]
    connection: Connection,
    /// Whose tasks to carry out, e.g. `finance`
    #[arg(long)]
    department: String,
    /// Name of this worker
    #[arg(long, default_value = "redress-worker")]
    name: String,
    /// What it has done, so that nothing is done twice; one worker per file
    #[arg(long, value_name = "FILE")]
    ledger: Option<PathBuf>,
    /// Most tasks at once
    #[arg(long, default_value_t = 8)]
    concurrency: usize,
    /// How long a task takes
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 0)]
    pace: u64,
    /// Answers that it lacks an article, as `SKU=TIME` with when that is expected; repeat for
    /// several
    #[arg(long, value_name = "SKU=TIME", value_parser = read_lacking)]
    lacks: Vec<(String, Timestamp)>,
    /// What comes of tasks of a type of your own, as `TYPE=FILE` with JSON that fits its result
    /// schema; repeat for several
    #[arg(long, value_name = "TYPE=FILE", value_parser = read_output)]
    output: Vec<(String, String)>,
    /// How long a task is held without a heartbeat
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3600))]
    lease: u64,
}

impl WorkerArgs {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let telemetry =
            Telemetry::start(&Settings { log: "warn".to_owned(), ..Settings::default() }, "redress-worker")?;
        let worked = self.work().await;
        telemetry.flush();
        worked
    }

    async fn work(self) -> anyhow::Result<()> {
        let Self { connection, department, name, ledger, concurrency, pace, lacks, output, lease } = self;
        let path = ledger.unwrap_or_else(|| format!(".redress/ledger-{department}.jsonl").into());
        let ledger = Ledger::open(&path, &department)?;
        let caller = connection.open().await?;
        let tell: fn(&Task, &Entered) = if caller.json { tell_json } else { tell };
        let reference = ReferenceWorker::new(ledger, Duration::from_millis(pace), tell);
        let stop = stop_on_signal()?;
        let (server, ledger) = (connection.server.to_string(), path.display().to_string());
        show::say(&if caller.json {
            json!({ "department": department, "server": server, "ledger": ledger }).to_string()
        } else {
            format!("working for {department} at {server}, writing to {ledger}; Ctrl-C stops")
        })?;
        let worker =
            Worker { concurrency, lease: Duration::from_secs(lease), ..Worker::new(department, name) };
        let lacks: HashMap<String, Timestamp> = lacks.into_iter().collect();
        let outputs: Arc<HashMap<String, String>> = Arc::new(output.into_iter().collect());
        let tell_lacking: fn(&Task, &str, Timestamp) =
            if caller.json { tell_lacking_json } else { tell_lacking };
        let handler = move |work: Work| {
            let lacking = lacking(&work.task, &lacks);
            let (reference, outputs) = (reference.clone(), Arc::clone(&outputs));
            async move {
                let Some((sku, expected)) = lacking else {
                    let output = output_of(&work.task, &outputs);
                    return Ok(TaskResult { output, ..reference.carry_out(work).await? });
                };
                tell_lacking(&work.task, &sku, expected);
                Err(Failure::OutOfStock { sku, expected: proto::timestamp(expected) })
            }
        };
        worker.run(&caller.client, handler, stop).await?;
        Ok(())
    }
}

/// `A-17=2026-12-10T09:00:00Z`: an article, and when it is expected.
fn read_lacking(text: &str) -> anyhow::Result<(String, Timestamp)> {
    let (sku, until) = text.rsplit_once('=').context("write it as SKU=TIME")?;
    Ok((sku.to_owned(), until.parse()?))
}

/// `gift-card=done.json`: a type, and what comes of its tasks.
fn read_output(text: &str) -> anyhow::Result<(String, String)> {
    let (of, file) = text.split_once('=').context("write it as TYPE=FILE")?;
    Ok((of.to_owned(), read_text(Path::new(file))?))
}

/// What comes of a task of a type of one's own. What is undone brings nothing.
fn output_of(task: &Task, outputs: &HashMap<String, String>) -> String {
    let output = outputs.get(&task.remedy_type).filter(|_| !task.compensation);
    output.cloned().unwrap_or_default()
}

/// The goods that a task is for and that are lacking, if they are, and when they are
/// expected. What is undone needs none.
fn lacking(task: &Task, lacks: &HashMap<String, Timestamp>) -> Option<(String, Timestamp)> {
    let sku = task.goods.as_ref().filter(|_| !task.compensation)?.sku.clone();
    let expected = *lacks.get(&sku)?;
    Some((sku, expected))
}

pub(super) fn stop_on_signal() -> anyhow::Result<CancellationToken> {
    let stop = CancellationToken::new();
    let mut terminate = signal(SignalKind::terminate()).context("signals cannot be heard")?;
    let told = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        told.cancel();
    });
    Ok(stop)
}

fn tell(task: &Task, entered: &Entered) {
    let what = text::in_short(task);
    let line = match entered {
        Entered::Now(reference) => format!("{reference}  {what}  (task {})", task.task_id),
        Entered::Before(reference) => format!("{reference}  {what}: done before (task {})", task.task_id),
    };
    // Nobody reads any more: the work goes on.
    let _ = show::say(&line);
}

fn tell_lacking(task: &Task, sku: &str, expected: Timestamp) {
    let what = text::in_short(task);
    let sku = show::table::one_line(sku);
    let _ = show::say(&format!("lacks {sku} until {expected}: {what}  (task {})", task.task_id));
}

fn tell_lacking_json(task: &Task, sku: &str, expected: Timestamp) {
    let line = json!({ "taskId": task.task_id, "lacks": sku, "expected": expected.to_string() });
    let _ = show::say(&line.to_string());
}

fn tell_json(task: &Task, entered: &Entered) {
    let before = matches!(entered, Entered::Before(_));
    let line = json!({ "taskId": task.task_id, "reference": entered.reference(), "doneBefore": before });
    let _ = show::say(&line.to_string());
}
