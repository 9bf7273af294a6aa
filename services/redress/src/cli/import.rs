//! `redress import`: registers the complaints of a file.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use proto::redress::intake::v1::RowRefusal;
use serde_json::json;

use encoding_rs::Encoding;

use super::connection::Connection;
use crate::import::{
    MAX_CHUNK, MAX_CHUNK_BYTES, Mapping, Reading, Row, Sender, Source, Verdict, Written, encoding_named,
    format, separator_named,
};

/// Refusals quoted in the summary.
const QUOTED: usize = 5;

#[derive(Args)]
#[command(after_help = "How files, headings and mappings are written, with every heading there is: \
    `redress import --formats`.")]
pub(crate) struct Import {
    #[command(flatten)]
    connection: Connection,
    /// A table (.csv, .tsv, .txt; headings in its first row) or JSON lines, a complaint
    /// each; `.gz` too; `-` for JSON lines on standard input
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
    /// Where to write what became of each row, as JSON lines: receipt codes, refusals
    #[arg(long, value_name = "FILE")]
    verdicts: Option<PathBuf>,
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
        let caller = self.connection.open().await?;
        let mut verdicts = Verdicts::create(self.verdicts.as_ref())?;
        let sender = Sender::new(caller.client.clone());
        let bar = bar(source.length());
        let watched = bar.clone();
        let what = || format!("{}", file.display());
        let written = Written { encoding: self.encoding, separator: self.separator };
        let reading = source.rows(mapping, written, move |bytes| Box::new(watched.wrap_read(bytes)));
        let Reading { rows, encoding, separator } = reading.with_context(what)?;

        let begun = Instant::now();
        let mut summary = Summary { encoding: encoding.name(), separator, ..Summary::default() };
        let (mut chunk, mut bytes) = (Vec::new(), 0);
        for row in rows {
            let row = row.with_context(what)?;
            bytes += row.complaint.as_ref().map_or(0, prost::Message::encoded_len);
            chunk.push(row);
            if chunk.len() as u64 >= self.chunk || bytes >= MAX_CHUNK_BYTES {
                summary.add(&send(&sender, &mut chunk, &mut verdicts).await?);
                bytes = 0;
                bar.set_message(summary.in_short());
            }
        }
        summary.add(&send(&sender, &mut chunk, &mut verdicts).await?);
        bar.finish_and_clear();
        verdicts.finish()?;
        show::say(&if caller.json { summary.json() } else { summary.text(begun.elapsed()) })?;
        if summary.refused > 0 {
            bail!("{} of {} rows were refused", summary.refused, summary.rows());
        }
        Ok(())
    }

    fn mapping(&self, source: &Source) -> anyhow::Result<Mapping> {
        let Some(path) = &self.mapping else { return Ok(Mapping::default()) };
        ensure!(source.has_columns(), "--mapping is for tables");
        let what = || format!("{}", path.display());
        Mapping::read(&std::fs::read_to_string(path).with_context(what)?).with_context(what)
    }
}

fn bar(length: Option<u64>) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(length, ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("  {bar:40} {percent:>3} %  {msg}  {elapsed}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

async fn send(sender: &Sender, chunk: &mut Vec<Row>, file: &mut Verdicts) -> anyhow::Result<Vec<Verdict>> {
    let verdicts = sender.send(std::mem::take(chunk)).await?;
    for verdict in &verdicts {
        file.write(verdict)?;
    }
    Ok(verdicts)
}

/// Where verdicts are written to, if anywhere.
struct Verdicts(Option<BufWriter<File>>);

impl Verdicts {
    fn create(path: Option<&PathBuf>) -> anyhow::Result<Self> {
        let open = |path: &PathBuf| File::create(path).with_context(|| format!("{}", path.display()));
        Ok(Self(path.map(open).transpose()?.map(BufWriter::new)))
    }

    fn write(&mut self, verdict: &Verdict) -> anyhow::Result<()> {
        let Some(file) = &mut self.0 else { return Ok(()) };
        let Verdict { number, request_id, before, outcome } = verdict;
        let line = match outcome {
            Ok(registered) => json!({
                "row": number, "requestId": request_id,
                "complaintId": registered.complaint_id, "receiptCode": registered.receipt_code,
                "alreadyRegistered": registered.already_registered, "registeredBefore": before,
            }),
            Err(refused) => {
                let violation = |v: &proto::redress::intake::v1::FieldViolation| json!({ "field": v.field, "description": v.description });
                json!({
                    "row": number, "requestId": request_id,
                    "refused": {
                        "code": refused.code, "reason": refused.reason, "message": refused.message,
                        "violations": refused.violations.iter().map(violation).collect::<Vec<_>>(),
                    },
                })
            }
        };
        writeln!(file, "{line}")?;
        Ok(())
    }

    fn finish(self) -> anyhow::Result<()> {
        self.0.map_or(Ok(()), |mut file| Ok(file.flush()?))
    }
}

/// What became of all rows.
#[derive(Default)]
struct Summary {
    encoding: &'static str,
    separator: Option<u8>,
    registered: u64,
    known: u64,
    refused: u64,
    reasons: BTreeMap<String, u64>,
    quotes: Vec<String>,
}

impl Summary {
    fn add(&mut self, verdicts: &[Verdict]) {
        for Verdict { number, before, outcome, .. } in verdicts {
            match outcome {
                Ok(registered) if *before || registered.already_registered => self.known += 1,
                Ok(_) => self.registered += 1,
                Err(refused) => {
                    self.refused += 1;
                    *self.reasons.entry(refused.reason.clone()).or_default() += 1;
                    if self.quotes.len() < QUOTED {
                        self.quotes.push(quote(*number, refused));
                    }
                }
            }
        }
    }

    fn rows(&self) -> u64 {
        self.registered + self.known + self.refused
    }

    fn in_short(&self) -> String {
        format!("{} registered, {} refused", self.registered + self.known, self.refused)
    }

    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    fn text(&self, took: Duration) -> String {
        let rate = self.rows() as f64 / took.as_secs_f64().max(1e-3);
        let mut text = format!("{} rows in {:.1} s ({rate:.0} a second)\n", self.rows(), took.as_secs_f64());
        let _ = writeln!(text, "  read as             {}{}", self.encoding, self.separated());
        let _ = writeln!(text, "  registered          {:>7}", self.registered);
        if self.known > 0 {
            let _ = writeln!(text, "  registered before   {:>7}", self.known);
        }
        for (reason, count) in &self.reasons {
            let _ = writeln!(text, "  refused, {reason}  {count}");
        }
        for quote in &self.quotes {
            let _ = writeln!(text, "    {quote}");
        }
        text
    }

    /// By what its cells are separated, in words.
    fn separated(&self) -> String {
        match self.separator {
            None => String::new(),
            Some(b'\t') => ", separated by tabs".to_owned(),
            Some(separator) => format!(", separated by {}", char::from(separator)),
        }
    }

    fn json(&self) -> String {
        json!({
            "encoding": self.encoding, "separator": self.separator.map(char::from),
            "rows": self.rows(), "registered": self.registered, "registeredBefore": self.known,
            "refused": self.refused, "reasons": self.reasons,
        })
        .to_string()
    }
}

fn quote(number: u64, refused: &RowRefusal) -> String {
    let fields: Vec<_> =
        refused.violations.iter().map(|v| format!("{} {}", v.field, v.description)).collect();
    let why = if fields.is_empty() { refused.message.clone() } else { fields.join("; ") };
    format!("row {number}: {why}")
}
