//! Services are killed (`kill -9`) at random points of many lives, sometimes two at
//! a time, and department workers and Postgres with them. In the end nothing is lost,
//! nothing is done twice, nobody is stuck, and the money adds up.
//!
//! The short forms, with one and with two processes of each service, are part of every
//! run of the tests; `make chaos` runs the long one. `REDRESS_CHAOS_SEED` repeats the choices of a run, if not its timing.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::env;
use std::str::FromStr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use client::Client;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use kernel::{Ids as _, RandomIds};
use proto::redress::cases::v1::{CaseState, TimelineKind};
use proto::redress::resolution::v1::Step;
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use tests::complaint::{made_up, yuan};
use tests::department::{Department, Ledger};
use tests::life::{Lived, People, Script, exchange, refund};
use tests::postgres::MortalPostgres;
use tests::processes::Processes;
use tests::reached::{self, ReachedDepartment};
use tests::{SERVICES, books, roster};
use tokio::sync::watch;

/// Lives under way at once.
const IN_FLIGHT: usize = 24;
/// Two services die together this often.
const TWINS: f64 = 0.25;
/// Postgres dies with a service this often.
const POSTGRES_TOO: f64 = 0.15;
/// A finance worker dies with a service this often.
const WORKER_TOO: f64 = 0.3;
const FINANCE_WORKERS: usize = 2;
/// Longest from the moment a kill is due to the kill, and from there to the restart.
const DELAY_MAX_MS: u64 = 250;
const AWAY_MAX_MS: u64 = 350;
/// Longest calm between two blows: the next one falls before all has recovered.
const CALM_MAX: Duration = Duration::from_secs(3);
/// Of each process: there may be ten beside other tests', and Postgres lets 200 in.
const CONNECTIONS: &str = "5";
/// How many books are opened at once, when all is over.
const READERS: usize = 16;

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_or_doubled_when_services_are_killed() {
    chaos(Plan { replicas: 1, kills: 20, complaints: 200 }).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_or_doubled_when_one_of_two_replicas_is_killed() {
    chaos(Plan { replicas: 2, kills: 20, complaints: 150 }).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes; `make chaos` runs it"]
async fn nothing_is_lost_or_doubled_when_services_are_killed_many_times() {
    let kills = setting("REDRESS_CHAOS_KILLS", LONG.kills).unwrap();
    let complaints = setting("REDRESS_CHAOS_COMPLAINTS", LONG.complaints).unwrap();
    chaos(Plan { kills, complaints, ..LONG }).await.unwrap();
}

/// How hard it is tried.
#[derive(Clone, Copy, Debug)]
struct Plan {
    /// Processes of each service, over the same database.
    replicas: usize,
    kills: usize,
    complaints: usize,
}

fn setting<T: FromStr<Err: std::error::Error + Send + Sync + 'static>>(name: &str, usual: T) -> Result<T> {
    match env::var(name) {
        Ok(text) => text.parse().with_context(|| format!("{name}={text}")),
        Err(_) => Ok(usual),
    }
}

async fn chaos(plan: Plan) -> Result<()> {
    let seed = setting("REDRESS_CHAOS_SEED", RandomIds.token().as_u64_pair().0)?;
    println!("chaos: REDRESS_CHAOS_SEED={seed}, {plan:?}");
    let begun = Instant::now();
    let mut scene = Scene::set(plan.replicas).await?;
    let clients = scene.clients.clone();
    let (done, progress) = watch::channel(0);

    let blows = blows(&mut StdRng::seed_from_u64(seed), plan);
    let (lives, killed) =
        futures::try_join!(play(&clients, plan.complaints, &done), scene.torment(blows, progress))?;
    let (ledger, workers, crashes) = (scene.ledger.clone(), scene.workers_killed, scene.postgres_killed);
    let brought = scene.depot.brought();
    let (processes, postgres) = scene.close().await?;
    let refunds = check(&clients[0], &lives, &ledger).await?;

    // A blow that falls when all is over shows nothing.
    let amidst = killed.iter().filter(|kill| kill.lives_over < plan.complaints).count();
    println!("chaos: {amidst} of {} kills fell among lives under way", killed.len());
    ensure!(killed.len() == plan.kills && amidst * 2 > plan.kills, "too few fell among lives: {killed:?}");
    let mut each: BTreeMap<&str, usize> = BTreeMap::new();
    for kill in &killed {
        *each.entry(kill.service).or_default() += 1;
    }
    let took = begun.elapsed().as_secs();
    println!("chaos: {each:?} killed, and {workers} workers, and Postgres {crashes} times, in {took} s");
    println!("chaos: {} cases closed; {refunds}; {brought} of them brought", lives.len());
    ensure!(brought > 0, "nothing was brought to a department");
    ensure!(crashes > 0, "Postgres was never killed");
    drop((processes, postgres));
    Ok(())
}

/// How the long one is: `make chaos`.
const LONG: Plan = Plan { replicas: 1, kills: 400, complaints: 5_600 };

/// One complaint in five is disputed once, one in ten is not upheld, all others are
/// put right at once.
fn script(number: usize) -> Script {
    let sum = yuan(10 + i64::try_from(number).unwrap_or_default(), 50);
    // One in four is shipped by a department that does not poll.
    let department_id = if number % 4 == 3 { "depot" } else { "warehouse" }.to_owned();
    let upheld = vec![refund(sum), Step { department_id, ..exchange("CUP-6", &["refund"]) }];
    let cycles = match number % 10 {
        0 => vec![Vec::new()],
        1 | 6 => vec![vec![refund(yuan(5, 0))], upheld],
        _ => vec![upheld],
    };
    Script { name: format!("life-{number}"), complaint: made_up(number), cycles }
}

/// Plays so many lives to their end, in the order of their numbers, each by one of the
/// clients.
async fn play(clients: &[Client], complaints: usize, done: &watch::Sender<usize>) -> Result<Vec<Lived>> {
    let people: Vec<People> = clients.iter().map(People::new).collect();
    let live = |number: usize| {
        let people = people[number % people.len()].clone();
        let life = tokio::spawn(async move { people.live(&script(number)).await });
        async move {
            let lived = life.await??;
            done.send_modify(|done| *done += 1);
            anyhow::Ok((number, lived))
        }
    };
    let lives = stream::iter(0..complaints).map(live).buffer_unordered(IN_FLIGHT);
    let mut lives: Vec<(usize, Lived)> = lives.try_collect().await?;
    lives.sort_by_key(|(number, _)| *number);
    Ok(lives.into_iter().map(|(_, lived)| lived).collect())
}

/// Something that is done to the services.
#[derive(Debug)]
struct Blow {
    /// When so many lives are over, or nothing was killed for long; and a little later.
    after: usize,
    delay: Duration,
    /// Which replica of which service.
    victims: Vec<(usize, &'static str)>,
    worker_too: bool,
    postgres_too: bool,
    away: Duration,
}

/// A process that was killed.
#[derive(Debug)]
struct Kill {
    service: &'static str,
    /// How many lives were over then.
    lives_over: usize,
}

/// So many kills, each process as often as the others, at random points.
fn blows(random: &mut StdRng, Plan { replicas, kills, complaints }: Plan) -> Vec<Blow> {
    let all = (0..replicas).flat_map(|set| SERVICES.iter().map(move |service| (set, service.name)));
    let mut victims: Vec<_> = all.cycle().take(kills).collect();
    victims.shuffle(random);
    let mut blows = Vec::new();
    while let Some(victim) = victims.pop() {
        let mut both = vec![victim];
        if random.random_bool(TWINS) {
            both.extend(victims.pop_if(|other| *other != victim));
        }
        blows.push(Blow {
            after: random.random_range(0..complaints),
            delay: Duration::from_millis(random.random_range(0..DELAY_MAX_MS)),
            victims: both,
            worker_too: random.random_bool(WORKER_TOO),
            // Once at least, whatever the dice say.
            postgres_too: blows.is_empty() || random.random_bool(POSTGRES_TOO),
            away: Duration::from_millis(random.random_range(0..AWAY_MAX_MS)),
        });
    }
    blows.sort_by_key(|blow| blow.after);
    blows
}

/// Where it happens.
struct Scene {
    postgres: MortalPostgres,
    /// The five services, as often as there are replicas.
    sets: Vec<Processes>,
    /// A client of each set.
    clients: Vec<Client>,
    ledger: Ledger,
    finance: Vec<Department>,
    warehouse: Department,
    depot: ReachedDepartment,
    workers_killed: usize,
    postgres_killed: usize,
}

impl Scene {
    async fn set(replicas: usize) -> Result<Self> {
        let postgres = MortalPostgres::start().await?;
        let mut sets = Vec::new();
        for _ in 0..replicas {
            let connections = ("REDRESS_DB_CONNECTIONS", CONNECTIONS.to_owned());
            let networks = (reached::NETWORKS.0, reached::NETWORKS.1.to_owned());
            sets.push(Processes::start_with(postgres.url(), vec![connections, networks]).await?);
        }
        let clients = sets.iter().map(Processes::client).collect::<Result<Vec<_>>>()?;
        roster::staff(&clients[0], 5).await?;
        let ledger = Ledger::new()?;
        let work = |department: &str, number: usize| {
            let client = &clients[number % replicas];
            Department::open(client, department, &format!("{department}-{number}"), &ledger)
        };
        let finance = (0..FINANCE_WORKERS).map(|number| work("finance", number)).collect();
        let warehouse = work("warehouse", 0);
        let depot = ReachedDepartment::open(&clients[0], "depot", &ledger).await?;
        let (workers_killed, postgres_killed) = (0, 0);
        Ok(Self {
            postgres,
            sets,
            clients,
            ledger,
            finance,
            warehouse,
            depot,
            workers_killed,
            postgres_killed,
        })
    }

    /// Deals the blows; answers what was killed.
    async fn torment(&mut self, blows: Vec<Blow>, mut progress: watch::Receiver<usize>) -> Result<Vec<Kill>> {
        let mut killed = Vec::new();
        for Blow { after, delay, victims, worker_too, postgres_too, away } in blows {
            let due = progress.wait_for(|done| *done >= after);
            if let Ok(gone) = tokio::time::timeout(CALM_MAX, due).await {
                gone.context("nobody lives any more")?;
            }
            tokio::time::sleep(delay).await;
            for &(set, service) in &victims {
                let lives_over = *progress.borrow();
                self.sets[set].kill(service).await?;
                killed.push(Kill { service, lives_over });
            }
            if worker_too {
                self.replace_worker().await;
            }
            if postgres_too {
                self.postgres.crash().await?;
                self.postgres_killed += 1;
            }
            tokio::time::sleep(away).await;
            for (set, service) in victims {
                self.sets[set].restart(service)?;
            }
        }
        Ok(killed)
    }

    /// Kills the finance worker that is longest at it, and has another go on.
    async fn replace_worker(&mut self) {
        self.finance.remove(0).crash().await;
        self.workers_killed += 1;
        let name = format!("finance-{}", FINANCE_WORKERS + self.workers_killed);
        let client = &self.clients[self.workers_killed % self.clients.len()];
        self.finance.push(Department::open(client, "finance", &name, &self.ledger));
    }

    async fn close(self) -> Result<(Vec<Processes>, MortalPostgres)> {
        for worker in self.finance.into_iter().chain([self.warehouse]) {
            worker.close().await?;
        }
        Ok((self.sets, self.postgres))
    }
}

/// Makes sure that everything happened once; tells of the refunds.
async fn check(client: &Client, lives: &[Lived], ledger: &Ledger) -> Result<String> {
    let complaints: BTreeSet<String> = lives.iter().map(|life| life.case_id.clone()).collect();
    ensure!(complaints.len() == lives.len(), "two complaints share a case");
    let cases = books::one_case_each(client, &complaints).await?;
    let open: Vec<_> = cases.iter().filter(|case| case.state() != CaseState::Closed).collect();
    ensure!(open.is_empty(), "{} cases are stuck: {open:?}", open.len());
    stream::iter(lives.iter().enumerate())
        .map(|(number, life)| happened_once(client, script(number), life))
        .buffer_unordered(READERS)
        .try_collect::<()>()
        .await?;

    let plans: Vec<_> = lives.iter().flat_map(|life| life.plans.clone()).collect();
    let approved = books::approved_refunds(client, &plans).await?;
    let executed = books::executed_refunds(ledger)?;
    ensure!(approved == executed, "the ledger differs from what was approved");
    let sum = executed.values().map(|amount| amount.minor).sum::<i64>();
    let scripted = (0..lives.len()).flat_map(|number| script(number).cycles).flatten();
    let due = scripted
        .filter_map(|step| step.amount)
        .map(|sum| sum.units * 100 + i64::from(sum.nanos) / 10_000_000);
    ensure!(sum == due.sum::<i64>(), "another sum was paid than was due");
    let scripted = (0..lives.len()).flat_map(|number| script(number).cycles).flatten();
    let (exchanges, shipped) =
        (scripted.filter(|step| step.amount.is_none()).count(), books::shipped(ledger)?);
    ensure!(exchanges == shipped, "{shipped} exchanges were shipped, not {exchanges}");
    let booked = books::booked(client).await?;
    ensure!(
        booked == HashMap::from([("CNY".to_owned(), sum)]),
        "the books differ from what was paid: {booked:?}"
    );
    let parked = books::parked(client).await?;
    ensure!(parked.is_empty(), "events are parked: {parked:?}");
    Ok(format!(
        "{} refunds approved and executed once each, {shipped} exchanges shipped, {}.{:02} CNY; tasks handed out {} times",
        approved.len(),
        sum / 100,
        sum % 100,
        ledger.handed_out()
    ))
}

/// Makes sure that the timeline tells each thing as often as it was to happen.
async fn happened_once(client: &Client, script: Script, life: &Lived) -> Result<()> {
    let attempts = script.cycles.len();
    let plans = script.cycles.iter().filter(|steps| !steps.is_empty()).count();
    let expected = HashMap::from([
        (TimelineKind::Opened, 1),
        (TimelineKind::Accepted, attempts),
        (TimelineKind::Decided, attempts),
        (TimelineKind::PlanProposed, plans),
        (TimelineKind::PlanApproved, plans),
        (TimelineKind::TaskCompleted, script.cycles.iter().map(Vec::len).sum()),
        (TimelineKind::Resolved, attempts),
        (TimelineKind::Response, attempts),
        (TimelineKind::Reopened, attempts - 1),
        (TimelineKind::Closed, 1),
    ]);
    let timeline = books::timeline(client, &life.case_id).await?;
    for (kind, times) in expected {
        let told = timeline.iter().filter(|entry| entry.kind() == kind).count();
        ensure!(told == times, "case {} has {told} of {kind:?}, not {times}: {timeline:#?}", life.case_id);
    }
    Ok(())
}
