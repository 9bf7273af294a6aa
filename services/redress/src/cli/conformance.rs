//! `redress conformance`: whether somebody's own program keeps what its part promises.

use std::io;
use std::net::SocketAddr;
use std::process::{ExitCode, Stdio};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use clap::{Args, Subcommand};
use conformance::{Options, Rule, Runner, Verdict};
use proto::redress::resolution::v1::Task;
use serde_json::json;
use tokio::process::{Child, Command};

use super::plan::step;

#[derive(Args)]
pub(crate) struct Conformance {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Attacks a department's worker with lost answers, duplicate deliveries, slow answers,
    /// cancels, cut streams, broken connections and late tokens; fails where it breaks a rule
    Worker(Worker),
}

/// Serves what a worker sees of a department's tasks, in place of Redress. Have no other
/// worker ask at the address, and let yours pay into books that are for trying out.
#[derive(Args)]
struct Worker {
    /// Where the worker is to ask for tasks; port 0 takes a free one
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:50060")]
    address: SocketAddr,
    /// What its tasks are like: `exchange@warehouse,goods=SKU-7*1`
    #[arg(long, value_name = "KIND@DEPARTMENT", default_value = "refund@finance,amount=EUR 39.90", value_parser = read_task)]
    task: Box<Task>,
    /// The worker has its tasks streamed (`StreamTasks`) and does not poll: it is tried by
    /// the rules of streams
    #[arg(long)]
    stream: bool,
    /// Only these rules, by name
    #[arg(long, value_name = "RULE", value_delimiter = ',', value_parser = read_rule)]
    rules: Vec<Rule>,
    /// How long the worker is waited for, each time
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    patience: u64,
    /// A command that prints a line for each thing the worker did, with the task's id in
    /// it: shows what it did twice and told once
    #[arg(long, value_name = "COMMAND")]
    effects: Option<String>,
    /// Answers as JSON
    #[arg(long)]
    json: bool,
    /// The worker, started with the address in `REDRESS_SERVER`, and ended with this;
    /// without it, start yours by hand
    #[arg(last = true, value_name = "WORKER")]
    command: Vec<String>,
}

fn read_task(text: &str) -> Result<Box<Task>, String> {
    let step = step::read(&format!("task={text}"))?;
    Ok(Box::new(Task {
        department_id: step.department_id,
        kind: step.kind,
        amount: step.amount,
        goods: step.goods,
        instructions: step.instructions,
        ..Task::default()
    }))
}

fn read_rule(name: &str) -> Result<Rule, String> {
    let rules = || {
        let others = Rule::STREAM_ATTACKS.into_iter().filter(|rule| !Rule::ATTACKS.contains(rule));
        Rule::ATTACKS.into_iter().chain(others)
    };
    let names = || rules().map(Rule::name).collect::<Vec<_>>().join(", ");
    rules()
        .find(|rule| rule.name().eq_ignore_ascii_case(name))
        .ok_or_else(|| format!("must be one of {}", names()))
}

impl Conformance {
    /// Succeeds where every rule is kept.
    pub(crate) async fn run(self) -> anyhow::Result<ExitCode> {
        let Verb::Worker(worker) = self.verb;
        worker.run().await
    }
}

impl Worker {
    async fn run(self) -> anyhow::Result<ExitCode> {
        let options = Options { task: *self.task.clone(), patience: Duration::from_secs(self.patience) };
        let listens = || format!("{} cannot be listened at", self.address);
        let runner = Runner::bind(self.address, options).await.with_context(listens)?;
        let _worker = self.start(&runner)?;
        let rules = match (&self.rules[..], self.stream) {
            ([], false) => &Rule::ATTACKS[..],
            ([], true) => &Rule::STREAM_ATTACKS,
            (some, _) => some,
        };
        let mut verdicts = Vec::new();
        for rule in rules {
            verdicts.push(runner.attack(*rule).await);
            self.tell(verdicts.last())?;
        }
        if let Some(command) = &self.effects {
            verdicts.push(runner.judge_effects(&output(command).await?));
            self.tell(verdicts.last())?;
        }
        let broken = verdicts.iter().filter(|verdict| !verdict.passed).count();
        if self.json {
            show::say(&json!({ "rules": verdicts.iter().map(as_json).collect::<Vec<_>>() }).to_string())?;
        } else {
            show::say(&format!("{} rules kept, {broken} broken", verdicts.len() - broken))?;
        }
        Ok(if broken == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    /// Starts the worker, or says where to start it.
    fn start(&self, runner: &Runner) -> anyhow::Result<Option<Child>> {
        let (address, department) = (runner.address(), &self.task.department_id);
        let Some((program, arguments)) = self.command.split_first() else {
            let say =
                format!("serving the tasks of {department} at http://{address}; start your worker there");
            eprintln!("{}", show::escaped(&say));
            return Ok(None);
        };
        let started = Command::new(program)
            .args(arguments)
            .env("REDRESS_SERVER", format!("http://{address}"))
            .stdin(Stdio::null())
            // What it says must not be taken for our answer.
            .stdout(io::stderr())
            .kill_on_drop(true)
            .spawn();
        started.map(Some).with_context(|| format!("{program} cannot be started"))
    }

    fn tell(&self, verdict: Option<&Verdict>) -> io::Result<()> {
        match verdict {
            Some(Verdict { rule, passed, seen }) if !self.json => {
                let passed = if *passed { "kept  " } else { "BROKEN" };
                show::say(&format!("{passed} {:<20} {}\n       {seen}", rule.name(), rule.promise()))
            }
            _ => Ok(()),
        }
    }
}

fn as_json(verdict: &Verdict) -> serde_json::Value {
    let Verdict { rule, passed, seen } = verdict;
    json!({ "rule": rule.name(), "promise": rule.promise(), "passed": passed, "seen": seen })
}

/// What a command prints.
async fn output(command: &str) -> anyhow::Result<String> {
    let ran = Command::new("sh").arg("-c").arg(command).stderr(Stdio::inherit()).output().await?;
    ensure!(ran.status.success(), "{command:?} failed: {}", ran.status);
    String::from_utf8(ran.stdout).with_context(|| format!("{command:?} prints what is not text"))
}
