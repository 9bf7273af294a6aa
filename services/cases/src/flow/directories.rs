//! Asks directories about new cases, aside from everything else.
//!
//! Claims cases that are due, of all tenants, in a short transaction; asks outside of any; and
//! writes what came of it in another. A process that dies in between leaves a claim that runs
//! out. A directory that answers nobody has a part of all that is under way: others never
//! wait for it.

mod carrier;

use std::collections::HashMap;
use std::time::Duration;

use fault::Fault;
use jiff::SignedDuration;
use kernel::{CaseId, TenantId};
use pg::Db;
use server::Stop;
use tokio::task::{Id, JoinError, JoinSet};

pub(crate) use carrier::Carrier;

use crate::directory::{Lookup, MAX_TIMEOUT};
use crate::store::directories as store;

/// Notified when there are cases to ask about.
pub(crate) const LOOKUPS: &str = "directory_lookups";
/// Most cases asked about at once in a process.
const CONCURRENT: usize = 32;
/// Most of them of one tenant, when others are claimed.
const CONCURRENT_OF_TENANT: usize = 8;
/// Most cases claimed at once.
const CLAIM: usize = 8;
/// How long a claim holds.
const HOLD: SignedDuration = SignedDuration::from_mins(1);
/// How long to wait without having heard of anything: a wait may be over.
const POLL: Duration = Duration::from_secs(1);
/// Least time between two looks.
const FLOOR: Duration = Duration::from_millis(10);
/// How many questions follow one another: who the customer is, then everything else.
const STAGES: u64 = 2;
// What is under way is finished when the process ends.
const _: () = assert!(STAGES * MAX_TIMEOUT.as_secs() < server::WORKERS_STOP.as_secs());

/// Asks until told to stop; what is under way then is finished.
pub(crate) async fn run(db: Db, carrier: Carrier, stop: Stop) {
    let mut lookups = db.notifier().listen(LOOKUPS);
    let mut worker = Worker { db, carrier, under_way: JoinSet::new(), whose: HashMap::new() };
    while !stop.is_cancelled() {
        match worker.turn().await {
            Ok(true) => continue,
            Ok(false) => {}
            Err(fault) => tracing::warn!(fault.chain = fault.chain(), "directories wait for the database"),
        }
        tokio::select! {
            () = stop.cancelled() => {}
            Some(ended) = worker.under_way.join_next_with_id() => worker.note(ended),
            () = lookups.notified_within(POLL) => tokio::time::sleep(FLOOR).await,
        }
    }
    while let Some(ended) = worker.under_way.join_next_with_id().await {
        worker.note(ended);
    }
}

struct Worker {
    db: Db,
    carrier: Carrier,
    under_way: JoinSet<()>,
    /// Whose cases are asked about.
    whose: HashMap<Id, TenantId>,
}

impl Worker {
    /// Begins what is due, as far as there is room; answers whether there may be more.
    async fn turn(&mut self) -> Result<bool, Fault> {
        let most = CONCURRENT.saturating_sub(self.under_way.len()).min(CLAIM);
        if most == 0 {
            return Ok(false);
        }
        let mut count: HashMap<&TenantId, usize> = HashMap::new();
        for tenant in self.whose.values() {
            *count.entry(tenant).or_default() += 1;
        }
        let busy: Vec<&str> = count
            .into_iter()
            .filter(|(_, count)| *count >= CONCURRENT_OF_TENANT)
            .map(|(tenant, _)| tenant.as_str())
            .collect();
        let limit = i64::try_from(most).unwrap_or(i64::MAX);
        let claimed = self
            .db
            .transact_as_worker("directory.claim", async |mut tx| {
                let now = tx.now();
                let until = now.saturating_add(HOLD).unwrap_or(now);
                let claimed = store::claim(&mut tx, (now, until), &busy, limit).await?;
                Ok((tx, claimed))
            })
            .await?;
        let again = claimed.len() == most;
        for (tenant, case) in claimed {
            let (db, carrier, whose) = (self.db.clone(), self.carrier.clone(), tenant.clone());
            let asked = self.under_way.spawn(async move {
                if let Err(fault) = ask(&db, &carrier, &tenant, case).await {
                    tracing::warn!(fault.chain = fault.chain(), %case, "what a directory said is not kept; it is asked again");
                }
            });
            self.whose.insert(asked.id(), whose);
        }
        Ok(again)
    }

    fn note(&mut self, ended: Result<(Id, ()), JoinError>) {
        let task = ended.as_ref().map_or_else(JoinError::id, |(task, ())| *task);
        self.whose.remove(&task);
        if let Err(error) = ended {
            tracing::error!(%error, "asking a directory broke off; its claim runs out");
        }
    }
}

/// Asks the directory about a case and keeps what it said; answers what is known then. None
/// where there is nothing to ask by, as it was not to be asked.
pub(crate) async fn ask(
    db: &Db,
    carrier: &Carrier,
    tenant: &TenantId,
    case: CaseId,
) -> Result<Option<Lookup>, Fault> {
    let (directory, lookup) = db
        .transact("directory.read", tenant, async move |mut tx| {
            let directory = store::get(&mut tx).await?;
            let lookup = store::lookup(&mut tx, case).await?;
            Ok((tx, (directory, lookup)))
        })
        .await?;
    let (Some(directory), Some(lookup)) = (directory, lookup) else { return Ok(None) };
    let heard = carrier.ask(&directory, tenant, &lookup.named).await;
    db.transact("directory.keep", tenant, async move |mut tx| {
        let mut kept = store::lock_lookup(&mut tx, case).await?;
        if let Some(lookup) = &mut kept {
            lookup.hear(heard.clone(), tx.now());
            store::keep(&mut tx, lookup).await?;
        }
        Ok((tx, kept))
    })
    .await
}
