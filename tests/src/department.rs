//! A department that carries out tasks, and remembers for ever which.
//!
//! A task may be handed out more than once: when a report is lost, when a worker
//! dies after it has paid. What keeps the money right is the ledger, keyed by the
//! task's id; it is the department's own and knows nothing of Redress.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result};
use client::Client;
use client::worker::{Failure, Work, Worker};
use kernel::{Ids as _, Money, RandomIds};
use proto::redress::resolution::v1::{Task, TaskResult};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::Status;

/// Short, so that what a dead worker held is soon somebody else's.
const LEASE: Duration = Duration::from_secs(3);
const WAIT: Duration = Duration::from_secs(2);

/// What a department has done: a folder with a file per task, of which the file
/// system lets there be only one. Whoever dies half way through leaves either the
/// whole entry or none.
#[derive(Clone, Debug)]
pub struct Ledger {
    folder: Arc<TempDir>,
    handed_out: Arc<AtomicUsize>,
}

/// One thing done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The task it was done for.
    pub task_id: String,
    /// The sum moved; none where goods were.
    pub amount: Option<Money>,
}

impl Ledger {
    /// An empty ledger; gone with its last copy.
    pub fn new() -> io::Result<Self> {
        Ok(Self { folder: Arc::new(tempfile::tempdir()?), handed_out: Arc::default() })
    }

    /// Carries a task out unless that was done before; answers its number.
    pub fn carry_out(&self, task: &Task) -> Result<String> {
        self.handed_out.fetch_add(1, Ordering::Relaxed);
        let draft = self.folder.path().join(format!("draft-{}", RandomIds.token()));
        let mut file = File::create_new(&draft)?;
        match amount(task)? {
            Some(Money { minor, currency }) => write!(file, "{minor} {currency}")?,
            None => write!(file, "goods")?,
        }
        file.sync_data()?;
        match fs::hard_link(&draft, self.place_of(&task.task_id)) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error.into()),
            Ok(()) | Err(_) => {}
        }
        fs::remove_file(draft)?;
        Ok(format!("REF-{}", task.task_id))
    }

    /// Everything done.
    pub fn entries(&self) -> Result<Vec<Entry>> {
        let files = fs::read_dir(self.folder.path())?.collect::<io::Result<Vec<_>>>()?;
        let paths = files.into_iter().map(|file| file.path());
        paths.filter_map(|path| entry(&path).transpose()).collect()
    }

    /// How often a task was handed out, all workers and tasks together.
    pub fn handed_out(&self) -> usize {
        self.handed_out.load(Ordering::Relaxed)
    }

    fn place_of(&self, task_id: &str) -> PathBuf {
        self.folder.path().join(format!("task-{task_id}"))
    }
}

/// What a file tells; none if it is a draft whose writer died.
fn entry(path: &Path) -> Result<Option<Entry>> {
    let name = path.file_name().and_then(|name| name.to_str()).context("a file of the ledger has a name")?;
    let Some(task_id) = name.strip_prefix("task-") else { return Ok(None) };
    let text = fs::read_to_string(path)?;
    let amount = match text.split_once(' ') {
        Some((minor, currency)) => Some(Money { minor: minor.parse()?, currency: currency.to_owned() }),
        None => None,
    };
    Ok(Some(Entry { task_id: task_id.to_owned(), amount }))
}

fn amount(task: &Task) -> Result<Option<Money>> {
    let amount = task.amount.as_ref();
    Ok(amount.map(|sum| Money::parse(&sum.currency_code, sum.units, sum.nanos)).transpose()?)
}

/// A worker at work.
pub struct Department {
    stop: CancellationToken,
    work: JoinHandle<Result<(), Status>>,
}

impl Department {
    /// A worker of a department, which writes what it does into a ledger.
    pub fn open(client: &Client, department: &str, name: &str, ledger: &Ledger) -> Self {
        let stop = CancellationToken::new();
        let worker = Worker { lease: LEASE, wait: WAIT, ..Worker::new(department, name) };
        let (client, until, ledger) = (client.clone(), stop.clone(), ledger.clone());
        let handler = move |work: Work| {
            let ledger = ledger.clone();
            async move { carry_out(&ledger, &work.task) }
        };
        let work = tokio::spawn(async move { worker.run(&client, handler, until).await });
        Self { stop, work }
    }

    /// Dies where it stands: what it has done and not reported stays so.
    pub async fn crash(self) {
        self.work.abort();
        let _ = self.work.await;
    }

    /// Finishes what it holds and goes.
    pub async fn close(self) -> Result<()> {
        self.stop.cancel();
        Ok(self.work.await.context("a worker panicked")??)
    }
}

fn carry_out(ledger: &Ledger, task: &Task) -> Result<TaskResult, Failure> {
    let reference = ledger.carry_out(task).map_err(|error| Failure::Retryable {
        code: "LEDGER_FAILED".to_owned(),
        message: error.to_string(),
    })?;
    Ok(TaskResult { reference, amount: task.amount.clone(), ..TaskResult::default() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::complaint::yuan;

    #[test]
    fn a_ledger_has_one_entry_a_task_however_often_it_is_handed_out() {
        let ledger = Ledger::new().unwrap();
        let task = |id: &str, amount| Task { task_id: id.to_owned(), amount, ..Task::default() };
        let first = ledger.carry_out(&task("a", Some(yuan(19, 90)))).unwrap();
        assert_eq!(ledger.carry_out(&task("a", Some(yuan(19, 90)))).unwrap(), first);
        ledger.carry_out(&task("b", None)).unwrap();
        File::create_new(ledger.folder.path().join("draft-of-a-dead-worker")).unwrap();

        let mut entries = ledger.entries().unwrap();
        entries.sort_by(|one, other| one.task_id.cmp(&other.task_id));
        let paid = Money { minor: 1990, currency: "CNY".to_owned() };
        let expected = [("a", Some(paid)), ("b", None)];
        assert_eq!(entries, expected.map(|(id, amount)| Entry { task_id: id.to_owned(), amount }));
        assert_eq!(ledger.handed_out(), 3);
    }
}
