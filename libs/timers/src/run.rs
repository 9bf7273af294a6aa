//! The worker: looks for timers that are due and fires their alarms, one
//! transaction per tenant and kind.
//!
//! A look takes all that is due. Where that is too much for one look, tenants take
//! turns, see [`crate::tenant_rotation`]: what one of them has due, or locked, starves no other.
//! Timers that cannot be held now stay as they are and are passed over. One of what is
//! no more is taken, counted and logged.
//!
//! A timer whose alarm fails is put off, longer each time, and from then on tried
//! alone: neither its neighbours nor other tenants wait for it. It is never given
//! up: what it stands for is owed.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use fault::Fault;
use jiff::Timestamp;
use kernel::TenantId;
use opentelemetry::metrics::{Counter, Histogram};
use opentelemetry::{KeyValue, global};
use pg::{Db, Tx};
use sqlx::Executor as _;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;
use uuid::Uuid;

use crate::store::{self, Due};
use crate::tenant_rotation::{ALONE_MAX, LOOK_MAX, TENANTS_MAX, TenantRotation};
use crate::{Alarm, Fired, Held, POLL, TOPIC};

/// First delay of a timer whose alarm failed; doubles each time.
const PUT_OFF: Duration = Duration::from_millis(200);
/// Longest such delay.
const PUT_OFF_MAX: Duration = Duration::from_mins(10);
/// Pause between two looks of which nothing came: what is passed over should cost
/// little.
const FRUITLESS: Duration = Duration::from_millis(20);
/// Longest an alarm waits for a lock: the other tenants' wait for it.
const LOCK_TIMEOUT: &str = "SET LOCAL lock_timeout = '1s'";

/// A share is read in the order of the index. While the table is new and has no
/// statistics, reading and sorting all that is due would seem cheaper.
const BY_INDEX: &str = "SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off";

static LAG: LazyLock<Histogram<f64>> = LazyLock::new(|| {
    global::meter("redress")
        .f64_histogram("redress.timer.lag")
        .with_unit("s")
        .with_description("From when a timer is due until its effects are committed")
        .build()
});

static ORPHANS: LazyLock<Counter<u64>> = LazyLock::new(|| {
    global::meter("redress")
        .u64_counter("redress.timer.orphans")
        .with_description("Timers that were due when what they are about was no more")
        .build()
});

/// Fires alarms as their timers become due, until told to stop; then finishes the
/// batch at hand. Timers of other kinds are left alone.
pub async fn run(db: Db, alarms: Vec<Arc<dyn Alarm>>, stop: CancellationToken) {
    let kinds = alarms.iter().map(|alarm| alarm.kind()).collect();
    let mut worker = Worker { kinds, db, alarms, stop, rotation: TenantRotation::default() };
    let mut listener = worker.db.notifier().listen(TOPIC);
    while !worker.stop.is_cancelled() {
        let pause = match worker.round().await {
            Ok(Round::Fired) => continue,
            Ok(Round::Fruitless) => {
                worker.stop.run_until_cancelled(tokio::time::sleep(FRUITLESS)).await;
                continue;
            }
            Ok(Round::Idle(pause)) => pause,
            Err(fault) => {
                tracing::warn!(fault.chain = fault.chain(), "timers cannot be read; trying again");
                POLL
            }
        };
        tokio::select! {
            () = listener.notified_within(pause) => {}
            () = worker.stop.cancelled() => {}
        }
    }
}

struct Worker {
    db: Db,
    kinds: Vec<&'static str>,
    alarms: Vec<Arc<dyn Alarm>>,
    stop: CancellationToken,
    rotation: TenantRotation,
}

/// What one look at the timers came to.
enum Round {
    /// Something fired: there may be more.
    Fired,
    /// Nothing that was looked at can fire now, but there is more to look at.
    Fruitless,
    /// Nothing to do for a while.
    Idle(Duration),
}

/// What one look found.
struct Look {
    due: Vec<Due>,
    /// When the next is due, if that is before the next poll.
    next: Option<Timestamp>,
    /// Whether there is more that is due.
    more: bool,
}

/// Timers that fire in one transaction.
struct Batch {
    tenant: TenantId,
    alarm: Arc<dyn Alarm>,
    attempts: i32,
    keys: Vec<Uuid>,
}

impl Worker {
    async fn round(&mut self) -> Result<Round, Fault> {
        let now = self.db.clock().now();
        let Look { due, next, more } = self.look(now).await?;
        let mut fired = false;
        for batch in self.batches(due) {
            if self.stop.is_cancelled() {
                break;
            }
            match self.fire(&batch).await {
                Ok(any) => fired |= any,
                Err(fault) if fault.is_outage() => return Err(fault),
                // Its timers stay as they are; the others' turn comes nevertheless.
                Err(fault) => tracing::warn!(fault.chain = fault.chain(), "timers cannot be put off"),
            }
        }
        Ok(match (fired, more) {
            (true, _) => Round::Fired,
            (false, true) => Round::Fruitless,
            (false, false) => Round::Idle(pause(now, next)),
        })
    }

    /// Looks at all that is due; where that is too much, at a share of each tenant whose
    /// turn it is.
    async fn look(&mut self, now: Timestamp) -> Result<Look, Fault> {
        let (kinds, rotation) = (&self.kinds, &mut self.rotation);
        self.db
            .transact_as_worker("timers.due", async |mut tx| {
                let mut due = store::due_until(&mut tx, kinds, now + POLL).await?;
                let due_now = due.iter().take_while(|due| due.try_at <= now).count();
                let next = due.get(due_now).map(|due| due.try_at);
                due.truncate(due_now);
                if due_now < LOOK_MAX {
                    *rotation = TenantRotation::default();
                    return Ok((tx, Look { due, next, more: false }));
                }
                tx.execute(BY_INDEX).await?;
                let tenants = due_tenants(&mut tx, rotation, now).await?;
                let share = TenantRotation::share(tenants.len());
                let due = store::shares(&mut tx, now, &tenants, &rotation.places(&tenants), share).await?;
                let more = rotation.looked(&tenants, &due);
                Ok((tx, Look { due, next: None, more }))
            })
            .await
    }

    /// Groups by tenant and kind, in the order of what is due first. What has
    /// failed before goes alone, and waits for the next look where that is too many.
    fn batches(&self, due: Vec<Due>) -> Vec<Batch> {
        let mut batches: Vec<Batch> = Vec::new();
        for Due { tenant, kind, key, attempts, .. } in due {
            let Some(alarm) = self.alarms.iter().find(|alarm| alarm.kind() == kind) else { continue };
            let fits = |batch: &&mut Batch| {
                attempts == 0 && batch.attempts == 0 && batch.tenant == tenant && batch.alarm.kind() == kind
            };
            let alone = |batch: &&Batch| batch.attempts > 0 && batch.tenant == tenant;
            if let Some(batch) = batches.iter_mut().find(fits) {
                batch.keys.push(key);
            } else if attempts == 0 || batches.iter().filter(alone).count() < ALONE_MAX {
                batches.push(Batch { tenant, alarm: alarm.clone(), attempts, keys: vec![key] });
            }
        }
        batches
    }

    /// Whether anything fired. An error means that not even putting off is possible.
    async fn fire(&self, batch: &Batch) -> Result<bool, Fault> {
        let span =
            tracing::info_span!("timers.fire", timer.kind = batch.alarm.kind(), tenant = %batch.tenant);
        async {
            match self.take_and_fire(batch).await {
                Ok(fired) => {
                    self.measure(batch.alarm.kind(), &fired);
                    Ok(!fired.is_empty())
                }
                Err(fault) => self.put_off(batch, &fault).await.map(|()| false),
            }
        }
        .instrument(span)
        .await
    }

    /// Takes the timers nobody is in the way of and fires the alarm; answers when
    /// each had been due. Takes those, too, of what is no more.
    async fn take_and_fire(&self, batch: &Batch) -> Result<Vec<Timestamp>, Fault> {
        let Batch { tenant, alarm, keys, .. } = batch;
        let (fired, orphans) = self
            .db
            .transact("timers.fire", tenant, async |mut tx| {
                let now = tx.now();
                tx.execute(LOCK_TIMEOUT).await?;
                let Held { held, gone } = fault::caught(alarm.hold(&mut tx, keys)).await?;
                let fired = take(&mut tx, alarm.kind(), &held, now).await?;
                let orphans = take(&mut tx, alarm.kind(), &gone, now).await?;
                if !fired.is_empty() {
                    fault::caught(alarm.fire(&mut tx, &fired)).await?;
                }
                Ok((tx, (fired, orphans)))
            })
            .await?;
        if let Some(first) = orphans.first() {
            self.tell_of_orphans(alarm.kind(), first, orphans.len());
        }
        Ok(fired.iter().chain(&orphans).map(|timer| timer.fire_at).collect())
    }

    fn tell_of_orphans(&self, kind: &'static str, first: &Fired, count: usize) {
        ORPHANS.add(
            count.try_into().unwrap_or(u64::MAX),
            &[KeyValue::new("timer.kind", kind), KeyValue::new("db.namespace", self.db.schema())],
        );
        tracing::warn!(
            timer.kind = kind,
            timer.key = %first.key,
            timer.count = count,
            "timers were due of what is no more; they are gone"
        );
    }

    async fn put_off(&self, batch: &Batch, fault: &Fault) -> Result<(), Fault> {
        let Batch { tenant, alarm, attempts, keys } = batch;
        let delay = backoff(*attempts);
        tracing::warn!(
            timer.kind = alarm.kind(),
            timer.key = %keys[0],
            timer.count = keys.len(),
            timer.attempts = attempts + 1,
            delay_ms = delay.as_millis(),
            fault.chain = fault.chain(),
            "an alarm failed; its timers are put off"
        );
        self.db
            .transact("timers.put_off", tenant, async |mut tx| {
                tx.execute(LOCK_TIMEOUT).await?;
                let until = tx.now() + delay;
                store::put_off(&mut tx, alarm.kind(), keys, *attempts, until).await?;
                Ok((tx, ()))
            })
            .await
    }

    fn measure(&self, kind: &'static str, fired: &[Timestamp]) {
        let now = self.db.clock().now();
        let labels = [KeyValue::new("timer.kind", kind), KeyValue::new("db.namespace", self.db.schema())];
        for fire_at in fired {
            LAG.record(now.duration_since(*fire_at).as_secs_f64(), &labels);
        }
    }
}

async fn take(tx: &mut Tx, kind: &str, keys: &[Uuid], now: Timestamp) -> Result<Vec<Fired>, Fault> {
    if keys.is_empty() { Ok(Vec::new()) } else { store::take(tx, kind, keys, now).await }
}

/// The tenants whose turn it is.
async fn due_tenants(tx: &mut Tx, rotation: &TenantRotation, now: Timestamp) -> Result<Vec<TenantId>, Fault> {
    let tenants = store::due_tenants(tx, rotation.last(), now, TENANTS_MAX).await?;
    if tenants.is_empty() { store::due_tenants(tx, None, now, TENANTS_MAX).await } else { Ok(tenants) }
}

/// Until the next timer is due, if that is before the next poll.
fn pause(now: Timestamp, next: Option<Timestamp>) -> Duration {
    let wait = next.and_then(|next| Duration::try_from(next.duration_since(now)).ok());
    wait.map_or(POLL, |wait| wait.min(POLL))
}

fn backoff(attempts: i32) -> Duration {
    let doublings = u32::try_from(attempts).unwrap_or(0).min(16);
    (PUT_OFF * 2_u32.pow(doublings)).min(PUT_OFF_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_a_limit() {
        assert_eq!(backoff(0), PUT_OFF);
        assert_eq!(backoff(3), PUT_OFF * 8);
        assert_eq!(backoff(i32::MAX), PUT_OFF_MAX);
    }

    #[test]
    fn the_worker_sleeps_until_the_next_timer_but_no_longer_than_a_poll() {
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(pause(now, None), POLL);
        assert_eq!(pause(now, Some(now + Duration::from_millis(20))), Duration::from_millis(20));
        assert_eq!(pause(now, Some(now + Duration::from_hours(1))), POLL);
    }
}
