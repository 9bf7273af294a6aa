//! `redress demo`: everyone at once.
//!
//! The suite runs in this process; all that is played here goes over gRPC, as it
//! would from anywhere else: complainants submit, agents accept, investigate and
//! decide, a supervisor approves, departments' workers pay and ship, complainants
//! accept or dispute. What the players react to they read from the event feeds.
//!
//! - [`board`] is what happened, per case; [`tally`] what it adds up to.
//! - [`cast`] is who there is; [`choice`] what they decide, [`words`] how they say it.
//! - [`life`] is one complaint from submission to its end.
//! - [`stage`] shows progress; [`summary`] tells the tale.

mod board;
mod cast;
mod choice;
mod life;
mod stage;
mod summary;
mod tally;
mod words;

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use client::{Client, ClientOptions};
use kernel::{Ids as _, RandomIds};
use pg::cluster::Options;
use proto::redress::intake::v1::Complaint;
use server::{LogFormat, Secret, Settings};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::import::{Mapping, Source, Written};
use crate::show;
use crate::suite::Suite;
use board::Board;
use life::{End, Life};
use stage::Stage;
use tally::Tally;

const SAMPLE: &str = include_str!("../sample/complaints.jsonl");
/// Longest that the whole play may take.
const PATIENCE: Duration = Duration::from_secs(90);
/// Longest that the feeds may lag behind, and how often they are looked at.
const PATIENCE_FEEDS: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(50);
/// Longest that one call may take: this machine plays everyone.
const DEADLINE: Duration = Duration::from_secs(30);
/// Players who act at once.
const ROOM: usize = 24;
/// Where it listens when it stays up, if that is free.
const USUAL: &str = "127.0.0.1:50051";
/// What is logged: the stage belongs to the play.
const LOG: &str = "warn,sqlx=error";

/// How to play.
pub(crate) struct Play {
    /// Postgres to play in; one of its own without.
    pub(crate) database_url: Option<Secret>,
    /// Mail server notices leave through.
    pub(crate) smtp_url: Option<Secret>,
    /// Stays up afterwards, until told to stop.
    pub(crate) keep: bool,
}

impl Play {
    /// Plays to the end.
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let settings = Settings {
            database_url: self.database_url.clone(),
            smtp_url: self.smtp_url.clone(),
            log: LOG.to_owned(),
            log_format: Some(LogFormat::Pretty),
            ..Settings::default()
        };
        server::work(&settings.clone(), "redress", self.play(settings))
    }

    async fn play(self, settings: Settings) -> anyhow::Result<()> {
        let mut complaints = sample()?;
        if self.database_url.is_some() {
            mark(&mut complaints);
        }
        let begun = Instant::now();
        let suite = Suite::start(settings, &data_folder(), &Options::disposable(), self.listener()?).await?;
        let address = suite.address();
        show::say(&format!(
            "\n  Five services over Postgres, at {address}, {:.1} s after the start.\n\
             \x20 {} complaints are waiting, in Chinese and English, on ten channels.\n",
            begun.elapsed().as_secs_f64(),
            complaints.len()
        ))?;
        let played = perform(address, complaints, self.keep).await;
        if self.keep && played.is_ok() {
            show::say("\n  Still up. Ctrl-C stops it.")?;
            return suite.until_signal().await;
        }
        let stopped = suite.stop().await;
        played.and(stopped)
    }

    /// The usual address where it stays and is free; else any.
    fn listener(&self) -> anyhow::Result<Option<TcpListener>> {
        let usual = if self.keep { TcpListener::bind(USUAL).ok() } else { None };
        let listener = usual.map_or_else(|| TcpListener::bind("127.0.0.1:0"), Ok);
        Ok(Some(listener.context("no loopback port is free")?))
    }
}

/// The complaints of the sample.
fn sample() -> anyhow::Result<Vec<Complaint>> {
    let source = Source::json_lines(SAMPLE);
    let reading = source.rows(Mapping::default(), Written::default(), |bytes| bytes)?;
    reading.rows.map(|row| row?.complaint.map_err(anyhow::Error::msg)).collect()
}

/// Makes a database that has seen a demo before take the sample for new.
fn mark(complaints: &mut [Complaint]) {
    let run = RandomIds.token().simple().to_string();
    for complaint in complaints {
        complaint.external_ref = format!("{}-{}", complaint.external_ref, &run[..8]);
    }
}

/// A folder that nobody else has; Postgres' own user must be able to walk to it.
fn data_folder() -> PathBuf {
    std::env::temp_dir().join(format!("redress-demo-{}", RandomIds.token().simple()))
}

/// Everything between curtain up and the applause.
async fn perform(address: SocketAddr, complaints: Vec<Complaint>, stays: bool) -> anyhow::Result<()> {
    let options =
        ClientOptions { deadline: DEADLINE, ..ClientOptions::at(format!("http://{address}").parse()?) };
    let client = Client::connect(options).await?;
    let cast = cast::Cast::read()?;
    cast.enter(&client).await?;
    let ledgers = tempfile::tempdir()?;
    let stop = CancellationToken::new();
    let mut workers = cast.work(&client, ledgers.path(), &stop)?;

    let (board, tally) = (Arc::new(Board::default()), Arc::new(Tally::new()));
    let mut watching = JoinSet::new();
    for source in crate::SERVICES.map(|service| service.name) {
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
    let all = async {
        while let Some(lived) = lives.join_next().await {
            match lived {
                Ok((_, Ok(end))) => ends.push(end),
                Ok((name, Err(error))) => failures.push(format!("{name}: {error:#}")),
                Err(panicked) => failures.push(panicked.to_string()),
            }
        }
    };
    if tokio::time::timeout(PATIENCE, all).await.is_err() {
        failures.push(format!("{} more did not end within {} s", lives.len(), PATIENCE.as_secs()));
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
