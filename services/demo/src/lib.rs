//! The demonstration: everyone at once, on a sample of complaints.
//!
//! All that is played here goes over gRPC, to a server that runs already, as it would
//! from anywhere else: complainants submit, agents accept, investigate and decide, a
//! supervisor approves, departments' workers pay and ship, complainants accept or
//! dispute. What the players react to they read from the event feeds. Knows the
//! contracts, and no service; `redress demo` starts the five and plays.
//!
//! - [`run`] is all of it; [`complaints`] is what it is played with.
//! - `board` is what happened, per case; `tally` what it adds up to.
//! - `cast` is who there is; `choice` what they decide, `words` how they say it.
//! - [`MailSink`] takes over the notices' mails.
//! - `departments` is what they show: a shortage, and a statement.
//! - `life` is one complaint from submission to its end.
//! - `report` has a report made, and keeps it.
//! - `stage` shows progress; `summary` tells the tale.
//! - [`reference_worker`] is a department's worker, which `redress worker` runs too.

mod board;
mod cast;
mod choice;
mod departments;
mod life;
mod mail;
pub mod reference_worker;
mod report;
mod stage;
mod summary;
mod tally;
mod words;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use client::{Client, ClientOptions};
use kernel::{Ids as _, RandomIds};
use proto::redress::intake::v1::Complaint;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use board::Board;
use departments::Shortage;
use life::{End, Life};
pub use mail::MailSink;
use stage::Stage;
use tally::Tally;

/// The complaints that are played with: proto3 JSON, one a line.
pub const SAMPLE: &str = include_str!("../sample/complaints.jsonl");
/// Where the server listens when it stays up, if that is free.
pub const USUAL: &str = "127.0.0.1:50051";
/// Longest that nobody may come to an end: how long all of it takes is the machine's.
const PATIENCE: Duration = Duration::from_secs(90);
/// Longest that the feeds may lag behind, and how often they are looked at.
const PATIENCE_FEEDS: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(50);
/// Longest that one call may take: this machine plays everyone.
const DEADLINE: Duration = Duration::from_secs(30);
/// Players who act at once.
const ROOM: usize = 24;

/// The complaints of [`SAMPLE`]. Where the database has seen a demo before, they are
/// `renamed`, so that they are taken for new.
///
/// # Errors
///
/// Fails if a line of the sample is no complaint, which a test rules out.
pub fn complaints(renamed: bool) -> anyhow::Result<Vec<Complaint>> {
    let mut complaints: Vec<Complaint> = SAMPLE.lines().map(show::json::read).collect::<Result<_, _>>()?;
    if renamed {
        let run = RandomIds.token().simple().to_string();
        for complaint in &mut complaints {
            complaint.external_ref = format!("{}-{}", complaint.external_ref, &run[..8]);
        }
    }
    Ok(complaints)
}

/// A server to play at.
pub struct Server {
    /// Where it listens, in the clear.
    pub address: SocketAddr,
    /// The services whose events are followed.
    pub sources: Vec<&'static str>,
    /// Whether it is there afterwards, for what the tale says to try next.
    pub stays: bool,
    /// Where its mails go, if that is in this process.
    pub mail: Option<MailSink>,
}

/// Everything between curtain up and the applause: plays the complaints to their end,
/// then prints what became of them.
///
/// # Errors
///
/// Fails if the server cannot be reached or refuses a player, if a complaint does not come
/// to an end in time, and if what was paid is not what was approved.
pub async fn run(server: Server, complaints: Vec<Complaint>) -> anyhow::Result<()> {
    let Server { address, sources, stays, mail } = server;
    let options =
        ClientOptions { deadline: DEADLINE, ..ClientOptions::at(format!("http://{address}").parse()?) };
    let client = Client::connect(options).await?;
    let cast = cast::Cast::read()?;
    cast.enter(&client).await?;
    cast::Cast::set_zone(&client).await.context("the zone of figures cannot be set")?;
    cast::Cast::approve_small_sums(&client).await.context("small sums cannot be approved by a rule")?;
    let ledgers = tempfile::tempdir()?;
    let stop = CancellationToken::new();
    let shortage = Shortage::default();
    let mut workers = cast.work(&client, ledgers.path(), &shortage, &stop)?;

    let (board, tally) = (Arc::new(Board::default()), Arc::new(Tally::new()));
    let mut watching = JoinSet::new();
    for source in sources {
        let seen = tally.clone();
        watching.spawn(board.clone().follow(client.clone(), source, move |event| seen.see(event)));
    }
    watching.spawn(Stage::new(tally.clone(), complaints.len()).show());

    let begun = Instant::now();
    let ends = live(&client, &board, &tally, complaints).await;
    let took = begun.elapsed();
    stop.cancel();
    while let Some(worker) = workers.join_next().await {
        worker?.context("a worker was refused")?;
    }
    let ends = ends?;
    heard(&tally).await;
    watching.shutdown().await;
    show::say_styled(&summary::numbers(&client, &tally, ends.len(), took).await?)?;
    let telling = summary::telling(&ends);
    if let Some(end) = telling {
        show::say_styled(&summary::story(&client, end).await?)?;
    }
    if let Some(mail) = &mail {
        show::say_styled(&summary::letter(&client, mail, &ends).await?)?;
    }
    let reconciled = departments::reconcile(&client, ledgers.path()).await.context("reconciling")?;
    show::say_styled(&summary::doing(&client, &ends, shortage.plan(), reconciled.as_ref()).await?)?;
    let report = report::kept(&client).await.context("the report")?;
    show::say(&summary::report(&report))?;
    show::say_styled(&summary::next(telling, address, stays))?;
    check(&tally)
}

/// Every complaint's life, all at once; fails with those that did not end.
async fn live(
    client: &Client,
    board: &Arc<Board>,
    tally: &Arc<Tally>,
    complaints: Vec<Complaint>,
) -> anyhow::Result<Vec<End>> {
    let room = Arc::new(Semaphore::new(ROOM));
    let mut lives = JoinSet::new();
    for complaint in complaints {
        let name = format!("{} {}", complaint.external_ref, complaint.subject);
        let (client, board, tally, room) = (client.clone(), board.clone(), tally.clone(), room.clone());
        let life = Life { client, board, tally, room, complaint };
        lives.spawn(async move { (name, life.live().await) });
    }
    let (mut ends, mut failures) = (Vec::new(), Vec::new());
    loop {
        match tokio::time::timeout(PATIENCE, lives.join_next()).await {
            Ok(Some(Ok((_, Ok(end))))) => ends.push(end),
            Ok(Some(Ok((name, Err(error))))) => failures.push(format!("{name}: {error:#}")),
            Ok(Some(Err(panicked))) => failures.push(panicked.to_string()),
            Ok(None) => break,
            Err(_) => {
                let (left, waited) = (lives.len(), PATIENCE.as_secs());
                failures.push(format!("{left} are left, and none has ended for {waited} s"));
                break;
            }
        }
    }
    if failures.is_empty() {
        return Ok(ends);
    }
    bail!("{} complaints were not brought to an end:\n  {}", failures.len(), failures.join("\n  "))
}

/// Waits until the feeds, which are read side by side, have told everything.
async fn heard(tally: &Tally) {
    let begun = Instant::now();
    while check(tally).is_err() && begun.elapsed() < PATIENCE_FEEDS {
        tokio::time::sleep(LOOK).await;
    }
}

/// What must add up.
fn check(tally: &Tally) -> anyhow::Result<()> {
    let (approved, paid) = (tally.sum_approved.all(), tally.sum_paid.all());
    ensure!(approved == paid, "what was paid is not what was approved: {paid:?}, {approved:?}");
    Ok(())
}
