//! The dispatcher: brings tasks to departments that cannot poll.
//!
//! It leases tasks that wait for departments with an endpoint, and writes a delivery for
//! each in the same transaction; claims deliveries that are due, of all tenants, in a
//! short one; makes each outside of any; and writes what came of it in another. A process
//! that dies in between leaves a claim that runs out, and the delivery is made again under
//! the same id. What may have reached the department stays its own, see
//! [`crate::delivery`].
//!
//! An endpoint that answers nobody has one try under way, a tenant a part of all: others
//! never wait for it.

mod attempt;
mod carrier;
mod leasing;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use fault::Fault;
use jiff::Timestamp;
use kernel::TenantId;
use pg::Db;
use server::Stop;
use tokio::sync::Semaphore;
use tokio::task::{Id, JoinError, JoinSet};
use tracing::Instrument as _;

pub(crate) use carrier::Carrier;

use crate::delivery::{Delivery, KEPT, TRY_HOLD};
use crate::endpoint::MAX_TIMEOUT;
use crate::flow::departments::Departments;
use crate::flow::progress::{DELIVERIES, TASKS};
use crate::flow::remedy_types::TypesInUse;
use crate::store;
use crate::store::deliveries::Room;

/// Most deliveries under way in a process.
const CONCURRENT: i64 = 256;
/// Most of them of one tenant.
const CONCURRENT_OF_TENANT: i64 = 64;
/// Most departments whose tasks are leased between two looks.
const DEPARTMENTS: i64 = 32;
/// Most deliveries that work on the database at once: calls need connections, too.
const DATABASE: usize = 2;
/// How long to wait without having heard of anything: a back-off or a lease may end.
const POLL: Duration = Duration::from_millis(500);
/// Least time between two looks.
const FLOOR: Duration = Duration::from_millis(10);
/// How long to wait when the database cannot be reached.
const RETRY: Duration = Duration::from_secs(1);
/// How often old deliveries are forgotten.
const CLEAN_UP: Duration = Duration::from_mins(10);
// What is under way is finished when the process ends.
const _: () = assert!(MAX_TIMEOUT.as_secs() < server::WORKERS_STOP.as_secs());
const _: () = assert!(MAX_TIMEOUT.as_secs() < TRY_HOLD.as_secs());

/// Delivers until told to stop; what is under way then is finished.
pub(crate) async fn run(
    db: Db,
    carrier: Carrier,
    (departments, types): (Arc<Departments>, Arc<TypesInUse>),
    stop: Stop,
) {
    let (mut tasks, mut deliveries) = (db.notifier().listen(TASKS), db.notifier().listen(DELIVERIES));
    let cleaned = db.clock().now();
    let mut worker = Dispatcher {
        attempts: attempt::Attempts {
            db: db.clone(),
            carrier,
            types,
            places: Arc::new(Semaphore::new(DATABASE)),
        },
        db,
        departments,
        under_way: JoinSet::new(),
        whose: HashMap::new(),
        cleaned,
    };
    while !stop.is_cancelled() {
        let again = match worker.turn().await {
            Ok(again) => again,
            Err(fault) => {
                tracing::warn!(fault.chain = fault.chain(), "deliveries wait for their database");
                tokio::time::sleep(RETRY).await;
                false
            }
        };
        if again {
            continue;
        }
        tokio::select! {
            () = stop.cancelled() => {}
            Some(ended) = worker.under_way.join_next_with_id() => worker.note(ended),
            () = tasks.notified_within(POLL) => tokio::time::sleep(FLOOR).await,
            () = deliveries.notified_within(POLL) => tokio::time::sleep(FLOOR).await,
        }
    }
    while let Some(ended) = worker.under_way.join_next_with_id().await {
        worker.note(ended);
    }
}

struct Dispatcher {
    db: Db,
    attempts: attempt::Attempts,
    departments: Arc<Departments>,
    under_way: JoinSet<()>,
    /// Whose deliveries they are.
    whose: HashMap<Id, (TenantId, String)>,
    /// When old deliveries were forgotten last.
    cleaned: Timestamp,
}

impl Dispatcher {
    /// Makes what is due, as far as there is room, and leases what waits; answers whether
    /// there is more to do at once.
    async fn turn(&mut self) -> Result<bool, Fault> {
        while let Some(ended) = self.under_way.try_join_next_with_id() {
            self.note(ended);
        }
        self.clean_up().await;
        let room = self.room();
        if room.limit == 0 {
            return Ok(false);
        }
        for (tenant, delivery) in self.claim(room).await? {
            self.deliver(tenant, delivery);
        }
        self.lease().await
    }

    fn room(&self) -> Room {
        let mut under_way: HashMap<(TenantId, String), i64> = HashMap::new();
        for whose in self.whose.values() {
            *under_way.entry(whose.clone()).or_default() += 1;
        }
        let busy = i64::try_from(self.under_way.len()).unwrap_or(i64::MAX);
        Room { limit: CONCURRENT.saturating_sub(busy).max(0), of_tenant: CONCURRENT_OF_TENANT, under_way }
    }

    async fn claim(&self, room: Room) -> Result<Vec<(TenantId, Delivery)>, Fault> {
        self.db
            .transact_as_worker("deliveries.claim", async |mut tx| {
                let now = tx.now();
                let until = now.saturating_add(TRY_HOLD).unwrap_or(now);
                let claimed = store::deliveries::claim(&mut tx, &room, (now, until)).await?;
                Ok((tx, claimed))
            })
            .await
    }

    fn deliver(&mut self, tenant: TenantId, delivery: Delivery) {
        let whose = (tenant.clone(), delivery.department_id.clone());
        let span = pg::continued_span!(
            &delivery.traceparent,
            "resolution.deliver",
            otel.kind = "client",
            delivery.id = %delivery.delivery_id,
            delivery.tries = delivery.tries,
        );
        let attempts = self.attempts.clone();
        let work = async move { Box::pin(attempts.make(tenant, delivery)).await };
        let task = self.under_way.spawn(work.instrument(span));
        self.whose.insert(task.id(), whose);
    }

    fn note(&mut self, ended: Result<(Id, ()), JoinError>) {
        let task = ended.as_ref().map_or_else(JoinError::id, |(task, ())| *task);
        self.whose.remove(&task);
        if let Err(error) = ended {
            tracing::error!(%error, "a delivery broke off; its claim runs out");
        }
    }

    /// Leases tasks of departments that have room; answers whether any was.
    async fn lease(&self) -> Result<bool, Fault> {
        let waiting = self
            .db
            .transact_as_worker("deliveries.waiting", async |mut tx| {
                let now = tx.now();
                let waiting = store::deliveries::waiting(&mut tx, now, DEPARTMENTS).await?;
                Ok((tx, waiting))
            })
            .await?;
        let mut any = false;
        for (tenant, department_id, free) in waiting {
            let leased = leasing::lease(&self.db, &self.departments, &tenant, &department_id, free);
            match leased.await {
                Ok(count) => any |= count > 0,
                Err(fault) if fault.is_outage() => return Err(fault),
                // The others' turn comes nevertheless.
                Err(fault) => {
                    tracing::warn!(fault.chain = fault.chain(), %tenant, department_id, "tasks cannot be leased");
                }
            }
        }
        Ok(any)
    }

    /// Forgets old deliveries. Nothing waits for that: where it fails it is done the next
    /// time.
    async fn clean_up(&mut self) {
        let now = self.db.clock().now();
        if self.cleaned.saturating_add(CLEAN_UP).is_ok_and(|next| now < next) {
            return;
        }
        self.cleaned = now;
        let cleaned = self.db.transact_as_worker("deliveries.sweep", async move |mut tx| {
            let before = now.saturating_sub(KEPT).unwrap_or(now);
            let cleaned = store::deliveries::clean_up(&mut tx, before).await?;
            Ok((tx, cleaned))
        });
        match cleaned.await {
            Ok(cleaned) => tracing::debug!(cleaned, "old deliveries are forgotten"),
            Err(fault) => {
                tracing::warn!(fault.chain = fault.chain(), "old deliveries could not be forgotten");
            }
        }
    }
}

#[cfg(test)]
mod tests;
