//! Policies that were put in force and calendars that were edited reach the open clocks
//! page by page, each page in one short transaction with the note of how far it has come:
//! whoever is killed, any replica goes on from there.
//!
//! What was put in force holds from that moment on, wherever the pages are: whatever
//! happens to a case that was not reached yet first brings it under all that is pending,
//! as of when that was put in force. So nobody can tell from a case's record in which
//! order the pages came. Nobody waits for more than the page that their case is in.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use fault::Fault;
use kernel::{CaseId, TenantId};
use pg::{Db, Tx};
use server::{Length, Stop};
use sqlx::Executor as _;
use uuid::Uuid;

use super::CaseClocks;
use crate::case::Case;
use crate::clocks::policy::{Policy, shipped_pack};
use crate::clocks::policy_activation::{Change, Job, What};
use crate::clocks::{CaseClock, Clocks};
use crate::flow::persist;
use crate::refusal::Refusal;
use crate::store;

/// Most cases of one page: their changes wait for it, some tens of milliseconds.
pub(crate) const PAGE: i64 = 200;
/// Longest a page waits for a case that somebody else is changing: the rest of its cases
/// wait with it.
const LOCK_TIMEOUT: &str = "SET LOCAL lock_timeout = '1s'";
/// Topic of the bell that is rung when something was put in force.
const TOPIC: &str = "clock_jobs";
/// How often a replica looks for pages, bell or no bell.
const POLL: Duration = Duration::from_secs(1);
/// How long who puts something in force waits for it to reach all.
const SETTLE: Duration = Duration::from_secs(1);
/// How often they look, while a page is in other hands.
const LOOK: Duration = Duration::from_millis(10);
/// Tenants whose pages take turns.
const TENANTS: i64 = 200;

/// What has not reached all open clocks, the oldest first.
pub(crate) type Pending = Arc<Vec<(Job, Change)>>;
/// A job by its number, and a case that it is still to reach.
pub(crate) type Due = (i64, CaseId);

/// Begins a job, in the transaction in which it was put in force: that has the clocks of
/// the tenant to itself.
pub(crate) async fn begin(tx: &mut Tx, what: &What) -> Result<(), Fault> {
    let now = tx.now();
    store::jobs::begin(tx, what, now).await?;
    tx.notify(TOPIC);
    Ok(())
}

/// What is pending.
pub(crate) async fn pending(tx: &mut Tx) -> Result<Pending, Fault> {
    let mut pending = Vec::new();
    for job in store::jobs::unfinished(tx).await? {
        let change = change(tx, &job).await?;
        pending.push((job, change));
    }
    Ok(Arc::new(pending))
}

async fn change(tx: &mut Tx, job: &Job) -> Result<Change, Fault> {
    Ok(match &job.what {
        What::Policy(version) => Change::Policy(Box::new(policy(tx, *version).await?), job.asked),
        What::Calendar(name) => Change::Calendar(name.clone()),
    })
}

/// A version of the tenant's policy, or the shipped one, with its calendar as it is now.
pub(crate) async fn policy(tx: &mut Tx, version: i32) -> Result<Policy, Fault> {
    let pack = match version {
        0 => shipped_pack()?.clone(),
        version => store::policies::get(tx, version).await?.ok_or(Refusal::PolicyNotFound)?.pack,
    };
    let calendars = store::calendars::resolve(tx, &[&pack.calendar]).await?;
    let policies = store::policies::of(tx, BTreeSet::from([version]), &calendars).await?;
    let policy = policies.into_iter().find(|policy| policy.version == version);
    policy.ok_or_else(|| Refusal::PolicyNotFound.into())
}

/// Which of some cases are still to be reached, and by which jobs.
pub(crate) async fn awaited(tx: &mut Tx, pending: &Pending, cases: &[Uuid]) -> Result<BTreeSet<Due>, Fault> {
    let due = |(job, _): &(Job, Change)| {
        let awaits = cases.iter().map(|case| CaseId(*case)).filter(|case| job.awaits(*case));
        awaits.map(|case| (job.number, case)).collect::<Vec<_>>()
    };
    let mut awaited: BTreeSet<Due> = pending.iter().flat_map(due).collect();
    if !awaited.is_empty() {
        for done in store::jobs::done(tx, cases).await? {
            awaited.remove(&done);
        }
    }
    Ok(awaited)
}

/// Brings clocks of a case under what is pending and awaits it, the oldest first.
pub(crate) fn apply(pending: &Pending, awaited: &BTreeSet<Due>, case: &Case, clocks: &mut [CaseClock]) {
    for (_, change) in pending.iter().filter(|(job, _)| awaited.contains(&(job.number, case.id))) {
        change.apply(case, clocks);
    }
}

/// The clocks of a case that somebody looks at, as they are even where what is pending has
/// not reached them. Locks and changes nothing.
pub(crate) async fn look(tx: &mut Tx, case: &Case) -> Result<Clocks, Fault> {
    let (mut clocks, is_pending) = store::clocks::of(tx, &[case.id.0]).await?;
    if is_pending {
        let pending = pending(tx).await?;
        let awaited = awaited(tx, &pending, &[case.id.0]).await?;
        apply(&pending, &awaited, case, &mut clocks);
    }
    Ok(Clocks(clocks))
}

/// Brings cases that are locked by this transaction under what is pending, because
/// something happens to them; answers whether there was anything to do.
pub(crate) async fn reach(tx: &mut Tx, cases: &[Uuid]) -> Result<bool, Fault> {
    let pending = pending(tx).await?;
    let awaited = awaited(tx, &pending, cases).await?;
    if awaited.is_empty() {
        return Ok(false);
    }
    let reaching = Reaching::read(tx, pending, awaited).await?;
    let due: Vec<Due> = reaching.awaited.iter().copied().collect();
    reaching.reached().write(tx).await?;
    store::jobs::mark(tx, &due).await?;
    Ok(true)
}

/// Notes of cases that are opened that what is pending need not reach them: they begin
/// under it.
pub(crate) async fn pass_by(tx: &mut Tx, unfinished: &[Job], opened: &[Case]) -> Result<(), Fault> {
    let due = |job: &Job| {
        let awaits = opened.iter().filter(|case| job.awaits(case.id));
        awaits.map(|case| (job.number, case.id)).collect::<Vec<_>>()
    };
    let due: Vec<Due> = unfinished.iter().flat_map(due).collect();
    if due.is_empty() { Ok(()) } else { store::jobs::mark(tx, &due).await }
}

/// Cases that are being brought under what is pending.
struct Reaching {
    pending: Pending,
    awaited: BTreeSet<Due>,
    cases: Vec<Case>,
    case_clocks: CaseClocks,
}

impl Reaching {
    async fn read(tx: &mut Tx, pending: Pending, awaited: BTreeSet<Due>) -> Result<Self, Fault> {
        let ids: BTreeSet<Uuid> = awaited.iter().map(|(_, case)| case.0).collect();
        let ids: Vec<Uuid> = ids.into_iter().collect();
        let cases = store::get_all(tx, &ids).await?;
        let mut case_clocks = CaseClocks::read(tx, &ids).await?;
        for (_, change) in pending.iter() {
            if let Change::Policy(policy, _) = change {
                case_clocks.policies.retain(|other| other.version != policy.version);
                case_clocks.policies.push((**policy).clone());
            }
        }
        Ok(Self { pending, awaited, cases, case_clocks })
    }

    /// Computes; pure.
    fn reached(mut self) -> Self {
        for case in &mut self.cases {
            let Some(clocks) = self.case_clocks.clocks.get_mut(&case.id) else { continue };
            apply(&self.pending, &self.awaited, case, &mut clocks.0);
            clocks.date(case);
            self.case_clocks.rearm(case);
        }
        self
    }

    async fn write(mut self, tx: &mut Tx) -> Result<(), Fault> {
        persist::redated(tx, &mut self.cases).await?;
        self.case_clocks.write(tx).await
    }
}

/// What became of an attempt at a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A page was reached, or a job ended: there may be more.
    Done,
    /// Another has the job in hand.
    Busy,
    /// Nothing is pending.
    Idle,
}

/// Reaches the next page of a tenant's oldest job, of so many cases at most.
pub(crate) async fn step(db: &Db, tenant: &TenantId, cases: i64) -> Result<Step, Fault> {
    db.transact("clocks.reach", tenant, async |mut tx| {
        tx.execute(LOCK_TIMEOUT).await?;
        let Some(job) = store::jobs::take_oldest(&mut tx).await? else {
            let idle = store::jobs::unfinished(&mut tx).await?.is_empty();
            return Ok((tx, if idle { Step::Idle } else { Step::Busy }));
        };
        let ids = store::jobs::next_cases(&mut tx, &job, cases).await?;
        let now = tx.now();
        match ids.last() {
            None => store::jobs::finish(&mut tx, &job, now).await?,
            Some(last) => {
                let reached = page(&mut tx, tenant, &job, &ids).await?;
                store::jobs::advance(&mut tx, &job, *last, reached).await?;
            }
        }
        Ok((tx, Step::Done))
    })
    .await
}

/// Reaches cases; answers how many there was something to do for.
async fn page(tx: &mut Tx, tenant: &TenantId, job: &Job, ids: &[Uuid]) -> Result<usize, Fault> {
    store::lock_all(tx, ids).await?;
    let change = change(tx, job).await?;
    let pending = Arc::new(vec![(job.clone(), change)]);
    let awaited = awaited(tx, &pending, ids).await?;
    let count = awaited.len();
    let reaching = Reaching::read(tx, pending, awaited).await?;
    let reached = server::blocking(tenant, Length::Quick, "clocks.reach", move || reaching.reached()).await?;
    reached.write(tx).await?;
    Ok(count)
}

/// Waits a while for what is pending of a tenant to reach all, and lends a hand: where
/// there is not much, whoever asked for it has it done with the answer.
pub(crate) async fn settle(db: &Db, tenant: &TenantId) {
    let all = async {
        loop {
            match step(db, tenant, PAGE).await {
                Ok(Step::Done) => {}
                Ok(Step::Busy) => tokio::time::sleep(LOOK).await,
                Ok(Step::Idle) => return,
                Err(fault) => return tracing::debug!(fault.chain = fault.chain(), "the worker goes on"),
            }
        }
    };
    let _ = tokio::time::timeout(SETTLE, all).await;
}

/// Reaches pages until told to stop, of every tenant that has some one after the other.
pub(crate) async fn run(db: Db, stop: Stop) {
    let mut listener = db.notifier().listen(TOPIC);
    while !stop.is_cancelled() {
        let more = round(&db, &stop).await.unwrap_or_else(|fault| {
            tracing::warn!(
                fault.chain = fault.chain(),
                "policies and calendars cannot be read; trying again"
            );
            false
        });
        if !more {
            tokio::select! {
                () = listener.notified_within(POLL) => {}
                () = stop.cancelled() => {}
            }
        }
    }
}

async fn round(db: &Db, stop: &Stop) -> Result<bool, Fault> {
    let tenants = db
        .transact_as_worker("clocks.jobs", async |mut tx| {
            let tenants = store::jobs::tenants(&mut tx, TENANTS).await?;
            Ok((tx, tenants))
        })
        .await?;
    let mut more = false;
    for tenant in tenants {
        if stop.is_cancelled() {
            return Ok(false);
        }
        match step(db, &tenant, PAGE).await {
            Ok(reached) => more |= reached == Step::Done,
            Err(fault) => {
                let chain = fault.chain();
                tracing::warn!(%tenant, fault.chain = chain, "clocks cannot be reached just now; trying again");
            }
        }
    }
    Ok(more)
}

#[cfg(test)]
mod tests;
