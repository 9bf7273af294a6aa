//! `redress import`: registers the complaints of a file.

mod dry_run;
mod progress;
mod summary;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use clap::Args;
use encoding_rs::Encoding;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::connection::Connection;
use super::worker::stop_on_signal;
use crate::import::{
    Identity, Log, MAX_CHUNK, MAX_CHUNK_BYTES, Mapping, Reading, Row, Rows, Sender, Source, Written,
    encoding_named, fingerprint, format, separator_named,
};
use progress::Progress;

/// Rows for which a chunk is small enough to be sent within a second.
const MAX_RATE: u64 = 1_000_000;
/// How a process that was interrupted ends.
const INTERRUPTED: i32 = 130;
/// Chunks read ahead of the one under way.
const AHEAD: usize = 1;

#[derive(Args)]
#[command(after_help = "How files, headings and mappings are written, with every heading there is: \
    `redress import --formats`.")]
pub(crate) struct Import {
    #[command(flatten)]
    connection: Connection,
    /// A table (.csv, .tsv, .txt; headings in its first row), a workbook (.xlsx) or JSON
    /// lines, a complaint each; `.gz` of texts too; `-` for JSON lines on standard input
    #[arg(required_unless_present = "formats")]
    file: Option<PathBuf>,
    /// Which column becomes which field; without it the headings are fields
    #[arg(long, value_name = "TOML")]
    mapping: Option<PathBuf>,
    /// Shows how files, headings and mappings are written, with every heading there is
    #[arg(long)]
    formats: bool,
    /// The encoding, where it is not the one recognised: utf-8, gb18030, utf-16le, …
    #[arg(long, value_parser = encoding_named)]
    encoding: Option<&'static Encoding>,
    /// What separates cells, where it is not the one recognised: a character, or `tab`
    #[arg(long, value_parser = separator_named)]
    separator: Option<u8>,
    /// The sheet of a workbook, where it is not the first
    #[arg(long, value_name = "NAME")]
    sheet: Option<String>,
    /// Registers nothing and connects to nobody: shows how the file is read, and what is
    /// wrong with it
    #[arg(long, conflicts_with_all = ["verdicts", "state", "rate"])]
    dry_run: bool,
    /// Most rows looked at; without it all
    #[arg(long, value_name = "N", requires = "dry_run", value_parser = clap::value_parser!(u64).range(1..))]
    rows: Option<u64>,
    /// Where to write what became of each row, as JSON lines: receipt codes, refusals
    #[arg(long, value_name = "FILE")]
    verdicts: Option<PathBuf>,
    /// Where to write how far the import is; the same command with it goes on there
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// Most rows a second
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=MAX_RATE))]
    rate: Option<u64>,
    /// Most rows sent at once
    #[arg(long, default_value_t = MAX_CHUNK as u64, value_parser = clap::value_parser!(u64).range(1..=MAX_CHUNK as u64))]
    chunk: u64,
}

impl Import {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        if self.formats {
            return Ok(show::say(&format()?)?);
        }
        let file = self.file.clone().unwrap_or_default();
        let source = Source::open(&file)?;
        let mapping = self.mapping(&source)?;
        let written =
            Written { encoding: self.encoding, separator: self.separator, sheet: self.sheet.clone() };
        if self.dry_run {
            return dry_run::run(&file, source, mapping, &written, self.rows, self.connection.json);
        }
        self.register(&file, source, mapping, &written).await
    }

    async fn register(
        &self,
        file: &Path,
        source: Source,
        mapping: Mapping,
        written: &Written,
    ) -> anyhow::Result<()> {
        let caller = self.connection.open().await?;
        let identity = self.state.as_ref().map(|_| self.identity(file)).transpose()?;
        let state = self.state.as_deref().zip(identity);
        let mut log = Log::open(self.verdicts.as_deref(), state)?;
        let begin = log.rows();
        let mut progress = Progress::new(source.length());
        let watched = progress.clone();
        let what = || format!("{}", file.display());
        let reading = source.rows(mapping, written, move |bytes| watched.watch(bytes));
        let Reading { rows, layout } = reading.with_context(what)?;
        progress.of(&layout);

        let stop = stop_on_signal()?;
        end_at_once_on_a_second_signal(stop.clone());
        let sender = Sender::new(caller.client.clone());
        let most = self.rate.map_or(self.chunk, |rate| rate.min(self.chunk));
        let mut pace = Pace { rate: self.rate, begun: Instant::now(), sent: 0 };
        let mut chunks = if log.is_complete() { mpsc::channel(AHEAD).1 } else { chunked(rows, begin, most) };
        while let Some(chunk) = next(&mut chunks, &stop).await {
            let chunk = chunk.with_context(what)?;
            let sent = sender.send(chunk).await;
            let verdicts = sent.map_err(|status| {
                anyhow::Error::from(status).context(self.how_to_go_on(&log, "the server cannot be reached"))
            })?;
            log.add(&verdicts)?;
            progress.tell(log.counts(), begin);
            pace.wait(verdicts.len() as u64, &stop).await;
        }
        progress.end();
        if stop.is_cancelled() {
            bail!("{}", self.how_to_go_on(&log, "stopped"));
        }
        let was_complete = log.is_complete();
        log.finish()?;
        let told = summary::Summary {
            counts: log.counts(),
            layout: &layout,
            here: log.rows() - begin,
            took: pace.begun.elapsed(),
            was_complete,
        };
        show::say(&if caller.json { told.json() } else { told.text() })?;
        if log.counts().refused > 0 {
            bail!("{} of {} rows were refused", log.counts().refused, log.rows());
        }
        Ok(())
    }

    fn mapping(&self, source: &Source) -> anyhow::Result<Mapping> {
        let Some(path) = &self.mapping else { return Ok(Mapping::default()) };
        ensure!(source.has_columns(), "--mapping is for tables");
        let what = || format!("{}", path.display());
        Mapping::read(&std::fs::read_to_string(path).with_context(what)?).with_context(what)
    }

    /// What this import is of.
    fn identity(&self, file: &Path) -> anyhow::Result<Identity> {
        ensure!(file != Path::new("-"), "--state is for files: standard input cannot be read again");
        let what = || format!("{}", file.display());
        let mapping = self.mapping.as_ref().map(std::fs::read).transpose()?.unwrap_or_default();
        let encoding = self.encoding.map(Encoding::name);
        let read_as = format!("{encoding:?} {:?} {:?}\n", self.separator, self.sheet);
        Ok(Identity {
            file: fingerprint(File::open(file).with_context(what)?).with_context(what)?,
            read_as: fingerprint([read_as.as_bytes(), &mapping].concat().as_slice())?,
            server: self.connection.server.to_string(),
            verdicts: self.verdicts.as_ref().map(|path| path.display().to_string()),
        })
    }

    /// How far the import is, and how it goes on.
    fn how_to_go_on(&self, log: &Log, why: &str) -> String {
        let rows = log.rows();
        if self.state.is_some() {
            format!("{why} after {rows} rows: the same command goes on there")
        } else {
            format!(
                "{why} after {rows} rows: run it again, what was registered is known; with --state FILE it would go on there"
            )
        }
    }
}

/// Who interrupts again does not wait for the chunk under way.
fn end_at_once_on_a_second_signal(stop: CancellationToken) {
    tokio::spawn(async move {
        stop.cancelled().await;
        eprintln!("redress: ends after the rows under way; Ctrl-C again ends at once");
        if tokio::signal::ctrl_c().await.is_ok() {
            std::process::exit(INTERRUPTED);
        }
    });
}

/// The next chunk; none after the last, or once the import is to stop.
async fn next<T>(chunks: &mut mpsc::Receiver<T>, stop: &CancellationToken) -> Option<T> {
    if stop.is_cancelled() {
        return None;
    }
    tokio::select! {
        () = stop.cancelled() => None,
        chunk = chunks.recv() => chunk,
    }
}

/// Rows in chunks of at most so many, read by a thread of its own; without the first ones,
/// which are done.
fn chunked(rows: Rows, done: u64, most: u64) -> mpsc::Receiver<anyhow::Result<Vec<Row>>> {
    let (sender, receiver) = mpsc::channel(AHEAD);
    std::thread::spawn(move || {
        let (mut chunk, mut bytes, mut passed) = (Vec::new(), 0, 0);
        for row in rows {
            if passed < done && row.is_ok() {
                passed += 1;
                continue;
            }
            match row {
                Ok(row) => {
                    bytes += row.complaint.as_ref().map_or(0, prost::Message::encoded_len);
                    chunk.push(row);
                }
                Err(error) => {
                    let _ = sender.blocking_send(Err(error));
                    return;
                }
            }
            if chunk.len() as u64 >= most || bytes >= MAX_CHUNK_BYTES {
                bytes = 0;
                // Whoever sends them may have given up.
                if sender.blocking_send(Ok(std::mem::take(&mut chunk))).is_err() {
                    return;
                }
            }
        }
        if !chunk.is_empty() {
            let _ = sender.blocking_send(Ok(chunk));
        }
    });
    receiver
}

/// Keeps to a number of rows a second.
struct Pace {
    rate: Option<u64>,
    begun: Instant,
    sent: u64,
}

impl Pace {
    /// Waits until the rows sent so far have taken their time, or the import is to stop.
    async fn wait(&mut self, rows: u64, stop: &CancellationToken) {
        self.sent += rows;
        let Some(rate) = self.rate else { return };
        let due = self.begun + Duration::from_millis(self.sent * 1_000 / rate);
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep_until(due) => {}
        }
    }
}
