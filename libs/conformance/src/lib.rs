//! Whether a department's worker keeps the promises that make money move once.
//!
//! [`Runner::bind`] serves what a worker sees of `redress.resolution.v1.ResolutionService`
//! (`PollTasks`, `StreamTasks`, `Heartbeat`, `CompleteTask`, `FailTask`, `RejectTask`) to the
//! worker under test; [`Runner::run`] hands it tasks and attacks it rule by rule: answers are
//! lost or late, tasks come twice, streams are cut, connections break, leases pass to somebody
//! else. Each [`Rule`] ends in a [`Verdict`] that says what was seen. A worker that polls is
//! tried by [`Rule::ATTACKS`], one that has its tasks streamed by [`Rule::STREAM_ATTACKS`].
//!
//! The runner sees what the worker tells, and takes it to have done something twice when
//! it tells two references for one task. What it did is told by
//! [`Runner::judge_effects`], given the worker's own books.
#![warn(clippy::missing_errors_doc)]

mod attacks;
mod department;
mod effects;
mod front;
mod rule;
mod serve;
mod worker_call;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use proto::redress::resolution::v1::Task;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use department::Department;
use front::Front;
pub use rule::{Rule, Verdict};

/// What a worker is tried with.
#[derive(Clone, Debug)]
pub struct Options {
    /// What its tasks are like: department, kind, amount or goods. Ids are added.
    pub task: Task,
    /// How long the worker is waited for, each time.
    pub patience: Duration,
}

/// A department whose tasks a worker under test may ask for.
#[derive(Debug)]
pub struct Runner {
    department: Arc<Department>,
    front: Front,
    options: Options,
    _serving: JoinSet<()>,
}

impl Runner {
    /// Serves at an address; port 0 takes a free one.
    ///
    /// # Errors
    ///
    /// Fails if the address cannot be listened at.
    pub async fn bind(address: SocketAddr, options: Options) -> io::Result<Self> {
        let department = Arc::new(Department::new(options.task.department_id.clone()));
        let inner = TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).await?;
        let behind = inner.local_addr()?;
        let mut serving = JoinSet::new();
        serving.spawn(serve::run(inner, department.clone()));
        let front = Front::bind(address, behind).await?;
        Ok(Self { department, front, options, _serving: serving })
    }

    /// Where the worker finds it.
    pub fn address(&self) -> SocketAddr {
        self.front.address
    }

    /// Tries these rules, one after the other.
    pub async fn run(&self, rules: &[Rule]) -> Vec<Verdict> {
        let mut verdicts = Vec::new();
        for rule in rules {
            verdicts.push(self.attack(*rule).await);
        }
        verdicts
    }

    /// Tries one rule.
    pub async fn attack(&self, rule: Rule) -> Verdict {
        let found = attacks::attack(rule, self).await;
        self.department.be_calm();
        let passed = found.is_ok();
        let seen = found.unwrap_or_else(|seen| seen);
        Verdict { rule, passed, seen }
    }

    /// Judges the worker's own books: `effects` has a line for each thing it did, which
    /// names the task. Every task it reported done must be in one line, every other in
    /// none.
    pub fn judge_effects(&self, effects: &str) -> Verdict {
        let found = effects::compare(&self.department.reports(), effects);
        let passed = found.is_ok();
        Verdict { rule: Rule::EffectsOnce, passed, seen: found.unwrap_or_else(|seen| seen) }
    }
}
