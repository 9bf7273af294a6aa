//! What a department has done: a file of JSON lines that only grows.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use anyhow::Context as _;
use jiff::Timestamp;
use proto::redress::resolution::v1::Task;
use serde::{Deserialize, Serialize};
use show::text;

/// A ledger, of one worker at a time.
#[derive(Debug)]
pub struct Ledger {
    file: File,
    department: String,
    /// References by task.
    entries: HashMap<String, String>,
}

/// A line of the ledger.
#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    task: String,
    case: String,
    /// The remedy in short: `refund CNY 128.00`.
    what: String,
    /// The sum moved, with the currency; empty where none is.
    sum: String,
    reference: String,
    time: String,
}

/// What became of entering a task.
#[derive(Debug, PartialEq, Eq)]
pub enum Entered {
    /// It is done now.
    Now(String),
    /// It was done before; nothing was done again.
    Before(String),
}

impl Entered {
    /// The department's number for it.
    pub fn reference(&self) -> &str {
        match self {
            Self::Now(reference) | Self::Before(reference) => reference,
        }
    }
}

impl Ledger {
    /// Opens a ledger, or begins one. A line that a dying worker left half-written
    /// was never reported: it is taken away.
    pub fn open(path: &Path, department: &str) -> anyhow::Result<Self> {
        let what = || format!("the ledger {}", path.display());
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).with_context(what)?;
        }
        let mut file =
            OpenOptions::new().create(true).append(true).read(true).open(path).with_context(what)?;
        file.try_lock().with_context(|| format!("{} is another worker's", what()))?;
        let mut text = String::new();
        file.read_to_string(&mut text).with_context(what)?;
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        file.set_len(u64::try_from(whole)?).with_context(what)?;
        file.seek(SeekFrom::End(0)).with_context(what)?;
        let mut entries = HashMap::new();
        for line in text[..whole].lines() {
            let entry: Entry = serde_json::from_str(line).with_context(what)?;
            entries.insert(entry.task, entry.reference);
        }
        Ok(Self { file, department: department.to_owned(), entries })
    }

    /// Whether a task was done.
    pub fn has(&self, task: &str) -> bool {
        self.entries.contains_key(task)
    }

    /// Does a task unless it was done; on disk before this returns.
    pub fn enter(&mut self, task: &Task, now: Timestamp) -> io::Result<Entered> {
        if let Some(reference) = self.entries.get(&task.task_id) {
            return Ok(Entered::Before(reference.clone()));
        }
        let reference = format!("{}-{:06}", self.department, self.entries.len() + 1);
        let entry = Entry {
            task: task.task_id.clone(),
            case: task.case_id.clone(),
            what: text::in_short(task),
            sum: show::lines::money(task.amount.as_ref()),
            reference: reference.clone(),
            time: now.to_string(),
        };
        let mut line = serde_json::to_vec(&entry)?;
        line.push(b'\n');
        let whole = self.file.metadata()?.len();
        if let Err(error) = self.file.write_all(&line).and_then(|()| self.file.sync_data()) {
            // Not reported, hence not done: the next line must not follow half of this one.
            let _ = self.file.set_len(whole);
            return Err(error);
        }
        self.entries.insert(entry.task, entry.reference);
        Ok(Entered::Now(reference))
    }
}

/// What a ledger has of sums moved: the reference of each, and the sum as `CNY 128.00`.
///
/// # Errors
///
/// Fails if the file cannot be read, or is no ledger.
pub fn read_payments(path: &Path) -> anyhow::Result<Vec<(String, String)>> {
    let what = || format!("the ledger {}", path.display());
    let text = std::fs::read_to_string(path).with_context(what)?;
    let entries = text.lines().map(serde_json::from_str::<Entry>);
    let entries = entries.collect::<Result<Vec<_>, _>>().with_context(what)?;
    let payments = entries.into_iter().filter(|entry| !entry.sum.is_empty());
    Ok(payments.map(|entry| (entry.reference, entry.sum)).collect())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn task(id: &str) -> Task {
        Task { task_id: id.into(), ..Task::default() }
    }

    #[test]
    fn a_task_is_done_once_whoever_asks_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger.jsonl");
        let now = Timestamp::UNIX_EPOCH;
        let mut ledger = Ledger::open(&path, "finance").unwrap();
        assert_eq!(ledger.enter(&task("a"), now).unwrap(), Entered::Now("finance-000001".into()));
        assert_eq!(ledger.enter(&task("a"), now).unwrap(), Entered::Before("finance-000001".into()));
        assert!(Ledger::open(&path, "finance").is_err(), "a ledger has one worker");
        drop(ledger);

        let mut ledger = Ledger::open(&path, "finance").unwrap();
        assert_eq!(ledger.enter(&task("a"), now).unwrap(), Entered::Before("finance-000001".into()));
        assert_eq!(ledger.enter(&task("b"), now).unwrap(), Entered::Now("finance-000002".into()));
        assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 2);
    }

    #[test]
    fn half_a_line_was_never_done() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger.jsonl");
        let mut ledger = Ledger::open(&path, "finance").unwrap();
        ledger.enter(&task("a"), Timestamp::UNIX_EPOCH).unwrap();
        drop(ledger);
        let whole = fs::read(&path).unwrap();
        fs::write(&path, [&whole[..], b"{\"task\":\"b\""].concat()).unwrap();
        let mut ledger = Ledger::open(&path, "finance").unwrap();
        assert!(ledger.has("a"));
        assert_eq!(
            ledger.enter(&task("b"), Timestamp::UNIX_EPOCH).unwrap(),
            Entered::Now("finance-000002".into())
        );
        assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 2);
    }
}
