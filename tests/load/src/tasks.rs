//! How many tasks department workers poll for and complete in a second, and what it costs
//! them when a transaction that does nothing holds the xmin horizon back: then no dead row
//! of the queue can be removed, and every look has to pass them over.
//!
//! Both take turns over equally many tasks, so that a drifting machine favours neither. The
//! tasks are those of real cases; each plan has ten steps. The cases are brought there by all
//! five services; then resolution is alone, as all it does shall be for tasks, and all the
//! tasks wait that the turns to come carry out.

use std::process::Stdio;
use std::str::FromStr as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use futures::future::try_join_all;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use hdrhistogram::Histogram;
use http::Uri;
use proto::redress::resolution::v1::resolution_service_client::ResolutionServiceClient;
use proto::redress::resolution::v1::{CompleteTaskRequest, Lease, PollTasksRequest, Step, TaskResult};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::Instant;

use crate::connection::Connection;
use crate::lifecycle::{Clients, refund};
use crate::report::{Report, ms};
use crate::run::{approximate, histogram, micros};
use crate::suite::{Base, Cpu, Suite};

const DATABASE: &str = "load_tasks";
/// Workers of the one department.
const WORKERS: usize = 16;
/// Connections they share.
const CONNECTIONS: usize = 4;
/// Tasks that a worker asks for, and carries out at once.
const TASKS_A_POLL: i32 = 10;
/// Steps of a plan.
const STEPS: u64 = 10;
/// Tasks a second that workers ask for who do not take whatever there is: the least that is
/// aimed at.
const OFFERED: u64 = 2_000;
/// Cases that are brought as far as an approved plan at a time.
const IN_FLIGHT: usize = 32;
/// How often both take turns.
const ROUNDS: u64 = 2;
/// Longest that all tasks of a turn may take, and what is still to do after the cases.
const PATIENCE: Duration = Duration::from_mins(5);
/// How often it is looked whether all tasks wait.
const LOOK: Duration = Duration::from_millis(500);

type Client = ResolutionServiceClient<Connection>;

/// What the turns of one kind came to.
pub(crate) struct Turns {
    pub(crate) done: u64,
    pub(crate) took: Duration,
    pub(crate) cpu: Cpu,
    /// How long polls took that were handed tasks, in microseconds.
    pub(crate) claims: Histogram<u64>,
    dead_rows: u64,
}

impl Turns {
    fn new() -> Result<Self> {
        Ok(Self { done: 0, took: Duration::ZERO, cpu: Cpu::default(), claims: histogram()?, dead_rows: 0 })
    }

    pub(crate) fn per_second(&self) -> f64 {
        approximate(self.done) / self.took.as_secs_f64()
    }
}

/// Measures it with the tasks of so many plans a turn.
pub(crate) async fn measure(base: &Base, plans: u64, statements: u32, report: &mut Report) -> Result<()> {
    // Workers end a turn with what they hold, which may be more than it has.
    let more = (WORKERS as u64 * u64::try_from(TASKS_A_POLL)?).div_ceil(STEPS);
    fill(base, (plans + more) * (2 + 2 * ROUNDS)).await?;
    let suite = Suite::resolution(base, DATABASE).await?;
    let url = base.create_database(DATABASE).await?;
    let mut load =
        Load { base, url, suite: &suite, workers: workers(&suite).await?, tasks: plans * STEPS, done: 0 };
    load.turn(&mut Turns::new()?, None, None).await?; // warm
    let (mut free, mut held_back, mut paced) = (Turns::new()?, Turns::new()?, Turns::new()?);
    for _ in 0..ROUNDS {
        base.forget_costs(statements).await?;
        load.turn(&mut free, None, None).await?;
        base.costs(DATABASE, statements, plans * STEPS).await?;
        let idle = Idle::begin(base, &load.url).await?;
        load.turn(&mut held_back, Some(idle), None).await?;
    }
    load.turn(&mut paced, None, Some(OFFERED)).await?;
    report.tasks("tasks, poll to completed", &free);
    report.tasks("the same, xmin held back", &held_back);
    report.tasks("the same, 2 000/s asked for", &paced);
    report.tasks_per_s = Some(free.per_second());
    report.task_claim_p99_ms = Some(ms(&free.claims, 0.99));
    report.task_claim_paced_p99_ms = Some(ms(&paced.claims, 0.99));
    report.tasks_paced_per_s = Some(paced.per_second());
    report.tasks_held_back_per_s = Some(held_back.per_second());
    report.task_claim_held_back_p99_ms = Some(ms(&held_back.claims, 0.99));
    report.task_held_back_cost = Some(1.0 - held_back.per_second() / free.per_second());
    report.task_dead_rows = Some(approximate(held_back.dead_rows));
    println!("dead rows of tasks at most: {} as usual, {} held back", free.dead_rows, held_back.dead_rows);
    suite.stop().await
}

/// Brings so many cases as far as a plan that is approved, and waits until every task of them
/// waits for a worker. What other services still make of it is not waited for: they are not
/// there while tasks are carried out.
async fn fill(base: &Base, plans: u64) -> Result<()> {
    let suite = Suite::one_process(base, DATABASE).await?;
    let clients = Clients::open(&suite).await?;
    stream::iter(0..plans)
        .map(|number| plan(&clients[usize::try_from(number).unwrap_or(0) % clients.len()], number))
        .buffer_unordered(IN_FLIGHT)
        .try_collect::<()>()
        .await?;
    let url = base.create_database(DATABASE).await?;
    let end = Instant::now() + PATIENCE;
    loop {
        let ready = count(base, &url, "SELECT count(*) FROM resolution.task WHERE state = 1").await?;
        if ready == plans * STEPS {
            return suite.stop().await;
        }
        ensure!(Instant::now() < end, "{ready} of {} tasks wait for a worker", plans * STEPS);
        tokio::time::sleep(LOOK).await;
    }
}

async fn count(base: &Base, url: &str, query: &str) -> Result<u64> {
    let told = base.execute(url, &format!("COPY ({query}) TO STDOUT")).await?;
    Ok(told.trim().parse()?)
}

/// The workers' ways to the servers.
async fn workers(suite: &Suite) -> Result<Vec<Client>> {
    let lines = try_join_all((0..CONNECTIONS).map(|_| Connection::connect(suite.address()))).await?;
    let origin = Uri::from_str(&format!("http://{}", suite.address()))?;
    Ok(lines.into_iter().map(|line| Client::with_origin(line, origin.clone())).collect())
}

struct Load<'a> {
    base: &'a Base,
    url: String,
    suite: &'a Suite,
    workers: Vec<Client>,
    /// Tasks of a turn.
    tasks: u64,
    /// Tasks carried out so far.
    done: u64,
}

impl Load<'_> {
    /// Has tasks carried out: that is measured.
    async fn turn(&mut self, turns: &mut Turns, idle: Option<Idle>, offered: Option<u64>) -> Result<()> {
        self.base
            .execute(&self.url, "VACUUM ANALYZE resolution.task, resolution.plan, resolution.plan_step")
            .await?;
        self.base.execute(&self.url, "CHECKPOINT").await?;
        let left = Arc::new(AtomicI64::new(i64::try_from(self.tasks)?));
        let (before, begun) = (self.suite.cpu()?, Instant::now());
        let pace = offered.map(|offered| Pace::of(offered, begun)).transpose()?;
        let working = (0..WORKERS).map(|worker| {
            let client = self.workers[worker % CONNECTIONS].clone();
            let beat = pace.map(|pace| pace.beat(worker));
            tokio::spawn(work(client, format!("worker-{}-{worker}", self.done), Arc::clone(&left), beat))
        });
        let claims = tokio::time::timeout(PATIENCE, try_join_all(working)).await;
        for claims in claims.context("the tasks are not carried out in time")?? {
            turns.claims.add(claims?)?;
        }
        turns.took += begun.elapsed();
        turns.cpu += self.suite.cpu()?.since(before);
        let done = u64::try_from(i64::try_from(self.tasks)? - left.load(Ordering::Relaxed))?;
        turns.done += done;
        self.done += done;
        let completed =
            count(self.base, &self.url, "SELECT count(*) FROM resolution.task WHERE state = 3").await?;
        ensure!(completed == self.done, "{completed} of {} tasks are completed", self.done);
        turns.dead_rows = turns.dead_rows.max(self.dead_rows().await?);
        match idle {
            Some(idle) => idle.end().await,
            None => Ok(()),
        }
    }

    /// Postgres counts them once the processes that made them have told.
    async fn dead_rows(&self) -> Result<u64> {
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        let dead =
            "SELECT n_dead_tup FROM pg_stat_user_tables WHERE schemaname = 'resolution' AND relname = 'task'";
        count(self.base, &self.url, dead).await
    }
}

async fn plan(clients: &Clients, number: u64) -> Result<()> {
    let (case_id, decided) = clients.decided(number).await?;
    let steps: Vec<Step> = (0..STEPS).map(|step| refund(&format!("refund-{step}"), 1)).collect();
    clients.remedy(&case_id, decided, steps).await
}

/// How often each worker polls, so that all together ask for so many tasks a second.
#[derive(Clone, Copy)]
struct Pace {
    begun: Instant,
    every: Duration,
}

impl Pace {
    fn of(tasks_a_second: u64, begun: Instant) -> Result<Self> {
        let polls = approximate(tasks_a_second) / f64::from(TASKS_A_POLL);
        let every = Duration::from_secs_f64(f64::from(u32::try_from(WORKERS)?) / polls);
        Ok(Self { begun, every })
    }

    /// When a worker is to poll: they take turns.
    fn beat(self, worker: usize) -> Beat {
        let share = u32::try_from(worker).unwrap_or(0);
        let workers = u32::try_from(WORKERS).unwrap_or(1);
        Beat { next: self.begun + self.every * share / workers, every: self.every }
    }
}

/// When a worker polls next.
struct Beat {
    next: Instant,
    every: Duration,
}

impl Beat {
    /// Waits until it is time; answers when it was. Who is late then has waited since.
    async fn due(&mut self) -> Instant {
        let due = self.next;
        self.next += self.every;
        tokio::time::sleep_until(due).await;
        due
    }
}

/// A worker: polls, and reports each task done; answers how long it took to be handed some.
async fn work(
    mut client: Client,
    name: String,
    left: Arc<AtomicI64>,
    mut beat: Option<Beat>,
) -> Result<Histogram<u64>> {
    let mut claims = histogram()?;
    let mut polls = 0_u64;
    while left.load(Ordering::Relaxed) > 0 {
        let due = match &mut beat {
            Some(beat) => Some(beat.due().await),
            None => None,
        };
        polls += 1;
        let poll = PollTasksRequest {
            request_id: format!("{name}-{polls}"),
            department_id: "finance".to_owned(),
            worker: name.clone(),
            max_tasks: TASKS_A_POLL,
            // Who comes when all is handed out sees soon that all is done.
            wait_duration: Some(prost_types::Duration { seconds: 0, nanos: 20_000_000 }),
            lease_duration: None,
        };
        let asked = due.unwrap_or_else(Instant::now);
        let leases = client.poll_tasks(poll).await?.into_inner().leases;
        if !leases.is_empty() {
            claims.saturating_record(micros(asked.elapsed()));
        }
        let done = i64::try_from(leases.len())?;
        try_join_all(leases.into_iter().map(|lease| complete(client.clone(), lease))).await?;
        left.fetch_sub(done, Ordering::Relaxed);
    }
    Ok(claims)
}

async fn complete(mut client: Client, lease: Lease) -> Result<()> {
    let task = lease.task.context("a lease has a task")?;
    let result = TaskResult {
        reference: format!("REF-{}", task.task_id),
        amount: task.amount,
        ..TaskResult::default()
    };
    let request = CompleteTaskRequest {
        request_id: format!("complete-{}", task.task_id),
        lease_token: lease.lease_token,
        result: Some(result),
        task_id: task.task_id,
    };
    client.complete_task(request).await?;
    Ok(())
}

/// A transaction that has looked once, and does nothing more.
struct Idle(Child);

impl Idle {
    async fn begin(base: &Base, url: &str) -> Result<Self> {
        let mut session = Command::new(base.postgres_binary("psql")?)
            .args(["-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", url])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) >= 0 FROM resolution.task;\n";
        session.stdin.as_mut().context("psql is asked")?.write_all(begin.as_bytes()).await?;
        let mut told = String::new();
        BufReader::new(session.stdout.as_mut().context("psql answers")?).read_line(&mut told).await?;
        ensure!(told.trim() == "t", "psql answers {told:?}");
        Ok(Self(session))
    }

    /// Ends it; it must have been there all the while.
    async fn end(mut self) -> Result<()> {
        ensure!(self.0.try_wait()?.is_none(), "the idle transaction ended by itself");
        drop(self.0.stdin.take());
        self.0.wait().await?;
        Ok(())
    }
}
