//! What became of the rows so far, on disk: verdicts, and how far the import is.
//!
//! After each chunk its verdicts are written and synced, and only then a line that says so
//! is added to the state and synced. Whatever ends the import between any two of these
//! steps, the state's last whole line stands for verdicts that are all there; what comes
//! after them in either file is cut off when the import goes on, and that chunk is sent
//! again, which registers nothing twice.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Read, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use proto::redress::intake::v1::{FieldViolation, RowRefusal};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::send::Verdict;

/// How states are written; others cannot be gone on with.
const VERSION: u32 = 1;
/// Refusals quoted in the summary.
const QUOTED: usize = 5;
/// Most bytes of a line of a state.
const MAX_LINE: u64 = 1 << 20;

/// What an import is of: another file, mapping or server is another import.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Identity {
    /// SHA-256 of the file.
    pub(crate) file: String,
    /// SHA-256 of the mapping and of what the command line says of how it is written.
    pub(crate) read_as: String,
    /// Where the services are.
    pub(crate) server: String,
    /// Where verdicts are written to.
    pub(crate) verdicts: Option<String>,
}

/// What became of the rows so far.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Counts {
    /// Registered now.
    pub(crate) registered: u64,
    /// Registered before.
    pub(crate) known: u64,
    /// Refused.
    pub(crate) refused: u64,
    /// Refused, by reason.
    pub(crate) reasons: BTreeMap<String, u64>,
    /// The first refusals.
    pub(crate) quotes: Vec<String>,
}

impl Counts {
    /// All rows.
    pub(crate) fn rows(&self) -> u64 {
        self.registered + self.known + self.refused
    }

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
}

fn quote(number: u64, refused: &RowRefusal) -> String {
    let fields: Vec<_> =
        refused.violations.iter().map(|v| format!("{} {}", v.field, v.description)).collect();
    let why = if fields.is_empty() { refused.message.clone() } else { fields.join("; ") };
    format!("row {number}: {why}")
}

/// The first line of a state.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Begin {
    import: u32,
    of: Identity,
}

/// Every other line: what is done.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Done {
    rows: u64,
    verdict_bytes: u64,
    complete: bool,
    counts: Counts,
}

/// Verdicts and state of an import.
pub(crate) struct Log {
    verdicts: Option<File>,
    state: Option<File>,
    done: Done,
}

impl Log {
    /// Begins an import, or goes on with the one whose state there is.
    pub(crate) fn open(verdicts: Option<&Path>, state: Option<(&Path, Identity)>) -> anyhow::Result<Self> {
        let Some((path, identity)) = state else {
            let begin = |path: &Path| File::create(path).with_context(|| path.display().to_string());
            return Ok(Self {
                verdicts: verdicts.map(begin).transpose()?,
                state: None,
                done: Done::default(),
            });
        };
        let what = || path.display().to_string();
        let mut file = writable(path).with_context(what)?;
        file.try_lock().with_context(|| format!("{}: another import goes on with it", what()))?;
        let (done, whole) = read(&mut file, &identity).with_context(what)?;
        let verdicts = verdicts.map(|path| at(path, &done)).transpose()?;
        file.set_len(whole)?;
        file.seek(SeekFrom::End(0))?;
        let mut log = Self { verdicts, state: Some(file), done };
        if whole == 0 {
            let begin = Begin { import: VERSION, of: identity };
            log.tell(&serde_json::to_string(&begin)?)?;
        }
        synced_name(path)?;
        Ok(log)
    }

    /// Rows that have a verdict.
    pub(crate) fn rows(&self) -> u64 {
        self.done.rows
    }

    /// Whether every row has one.
    pub(crate) fn is_complete(&self) -> bool {
        self.done.complete
    }

    /// What became of them.
    pub(crate) fn counts(&self) -> &Counts {
        &self.done.counts
    }

    /// Keeps the verdicts of a chunk: on disk when this returns, if there is a state.
    pub(crate) fn add(&mut self, verdicts: &[Verdict]) -> anyhow::Result<()> {
        if verdicts.is_empty() {
            return Ok(());
        }
        if let Some(file) = &mut self.verdicts {
            let lines: String =
                verdicts.iter().flat_map(|verdict| [line(verdict), "\n".to_owned()]).collect();
            file.write_all(lines.as_bytes()).context("the verdicts cannot be written")?;
            if self.state.is_some() {
                file.sync_data().context("the verdicts cannot be written")?;
            }
            self.done.verdict_bytes += lines.len() as u64;
        }
        self.done.rows += verdicts.len() as u64;
        self.done.counts.add(verdicts);
        self.tell_done()
    }

    /// Says that every row has a verdict.
    pub(crate) fn finish(&mut self) -> anyhow::Result<()> {
        self.done.complete = true;
        self.tell_done()
    }

    fn tell_done(&mut self) -> anyhow::Result<()> {
        if self.state.is_none() {
            return Ok(());
        }
        let line = serde_json::to_string(&self.done)?;
        self.tell(&line)
    }

    fn tell(&mut self, line: &str) -> anyhow::Result<()> {
        let Some(file) = &mut self.state else { return Ok(()) };
        let mut write = || -> std::io::Result<()> {
            file.write_all(format!("{line}\n").as_bytes())?;
            file.sync_data()
        };
        write().context("the state cannot be written")
    }
}

fn writable(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
}

/// The file of verdicts, at the end of those that the state tells of.
fn at(path: &Path, done: &Done) -> anyhow::Result<File> {
    let what = || path.display().to_string();
    let mut file = writable(path).with_context(what)?;
    let length = file.metadata()?.len();
    ensure!(
        length >= done.verdict_bytes,
        "{}: has {length} bytes of verdicts, where the state tells of {}: it was changed; begin anew with another state",
        what(),
        done.verdict_bytes
    );
    file.set_len(done.verdict_bytes)?;
    file.seek(SeekFrom::End(0))?;
    synced_name(path)?;
    Ok(file)
}

/// Makes sure that a file is found by its name after a crash.
fn synced_name(path: &Path) -> anyhow::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all().with_context(|| folder.display().to_string())
}

/// What a state says is done, and how long it is as far as it is whole. One that broke off
/// while it was begun says nothing.
fn read(file: &mut File, identity: &Identity) -> anyhow::Result<(Done, u64)> {
    let no_state = "is no state of an import: name another file";
    let mut lines = BufReader::new(&*file);
    let mut line = Vec::new();
    let mut next = |line: &mut Vec<u8>| -> std::io::Result<bool> {
        line.clear();
        lines.by_ref().take(MAX_LINE).read_until(b'\n', line)?;
        Ok(line.ends_with(b"\n"))
    };
    if !next(&mut line)? {
        let begins = serde_json::to_string(&Begin { import: VERSION, of: identity.clone() })?;
        ensure!(begins.as_bytes().starts_with(&line), no_state);
        return Ok((Done::default(), 0));
    }
    let Ok(begin) = serde_json::from_slice::<Begin>(&line) else { bail!(no_state) };
    ensure!(begin.import == VERSION, "is a state of another version: begin anew with another file");
    same(&begin.of, identity)?;
    let (mut done, mut whole) = (Done::default(), line.len() as u64);
    while next(&mut line)? {
        // What a crash made of the last line.
        let Ok(read) = serde_json::from_slice(&line) else { break };
        (done, whole) = (read, whole + line.len() as u64);
    }
    Ok((done, whole))
}

/// Refuses to go on with another import.
fn same(begun: &Identity, now: &Identity) -> anyhow::Result<()> {
    let differs = [
        (begun.file != now.file, "the file was changed"),
        (begun.read_as != now.read_as, "the mapping, --encoding, --separator or --sheet was changed"),
        (begun.server != now.server, "--server is another"),
        (begun.verdicts != now.verdicts, "--verdicts is another"),
    ];
    let found = differs.iter().find(|(differs, _)| *differs).map(|(_, what)| *what);
    found.map_or(Ok(()), |what| {
        bail!("{what} since the import began: begin anew with another state; what was registered is known")
    })
}

/// SHA-256 of what can be read, in hexadecimal.
pub(crate) fn fingerprint(mut from: impl Read) -> std::io::Result<String> {
    let mut digest = Sha256::new();
    let mut block = vec![0; 64 * 1024];
    loop {
        match from.read(&mut block)? {
            0 => {
                let mut text = String::new();
                for byte in digest.finalize() {
                    // A text can always be written to.
                    let _ = write!(text, "{byte:02x}");
                }
                return Ok(text);
            }
            read => digest.update(&block[..read]),
        }
    }
}

/// A verdict as a line of JSON.
fn line(verdict: &Verdict) -> String {
    let Verdict { number, request_id, before, outcome } = verdict;
    let line = match outcome {
        Ok(registered) => json!({
            "row": number, "requestId": request_id,
            "complaintId": registered.complaint_id, "receiptCode": registered.receipt_code,
            "alreadyRegistered": registered.already_registered, "registeredBefore": before,
        }),
        Err(refused) => {
            let violation = |v: &FieldViolation| json!({ "field": v.field, "description": v.description });
            json!({
                "row": number, "requestId": request_id,
                "refused": {
                    "code": refused.code, "reason": refused.reason, "message": refused.message,
                    "violations": refused.violations.iter().map(violation).collect::<Vec<_>>(),
                },
            })
        }
    };
    line.to_string()
}

#[cfg(test)]
mod tests;
