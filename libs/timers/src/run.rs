//! The worker: looks for timers that are due and rings their alarms, one
//! transaction per tenant and kind.
//!
//! A timer whose alarm fails is put off, longer each time, and from then on tried
//! alone: neither its neighbours nor other tenants wait for it. It is never given
//! up: what it stands for is owed.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use fault::Fault;
use jiff::Timestamp;
use kernel::TenantId;
use opentelemetry::metrics::Histogram;
use opentelemetry::{KeyValue, global};
use pg::Db;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;
use uuid::Uuid;

use crate::store::{self, Due};
use crate::{Alarm, POLL, TOPIC};

/// First delay of a timer whose alarm failed; doubles each time.
const PUT_OFF: Duration = Duration::from_millis(200);
/// Longest such delay.
const PUT_OFF_MAX: Duration = Duration::from_mins(10);

static LAG: LazyLock<Histogram<f64>> = LazyLock::new(|| {
    global::meter("redress")
        .f64_histogram("redress.timer.lag")
        .with_unit("s")
        .with_description("From when a timer is due until its effects are committed")
        .build()
});

/// Rings alarms as their timers become due, until told to stop; then finishes the
/// batch at hand. Timers of other kinds are left alone.
pub async fn run(db: Db, alarms: Vec<Arc<dyn Alarm>>, stop: CancellationToken) {
    let worker = Worker { kinds: alarms.iter().map(|alarm| alarm.kind()).collect(), db, alarms, stop };
    let mut bell = worker.db.bell().listen(TOPIC);
    while !worker.stop.is_cancelled() {
        let pause = match worker.round().await {
            Ok(Round::Fired) => continue,
            Ok(Round::Idle(pause)) => pause,
            Err(fault) => {
                tracing::warn!(fault.chain = fault.chain(), "timers cannot be read; trying again");
                POLL
            }
        };
        tokio::select! {
            () = bell.heard_within(pause) => {}
            () = worker.stop.cancelled() => {}
        }
    }
}

struct Worker {
    db: Db,
    kinds: Vec<&'static str>,
    alarms: Vec<Arc<dyn Alarm>>,
    stop: CancellationToken,
}

/// What one look at the timers came to.
enum Round {
    /// Something fired: there may be more.
    Fired,
    /// Nothing to do for a while.
    Idle(Duration),
}

/// Timers that fire in one transaction.
struct Batch {
    tenant: TenantId,
    alarm: Arc<dyn Alarm>,
    attempts: i32,
    keys: Vec<Uuid>,
}

impl Worker {
    async fn round(&self) -> Result<Round, Fault> {
        let now = self.db.clock().now();
        let mut soon = self
            .db
            .transact_as_worker("timers.due", async |mut tx| {
                let due = store::due_until(&mut tx, &self.kinds, now + POLL).await?;
                Ok((tx, due))
            })
            .await?;
        let due_now = soon.iter().take_while(|due| due.try_at <= now).count();
        let next = soon.get(due_now).map(|due| due.try_at);
        soon.truncate(due_now);
        let mut fired = false;
        for batch in self.batches(soon) {
            if self.stop.is_cancelled() {
                break;
            }
            fired |= self.fire(&batch).await?;
        }
        Ok(if fired { Round::Fired } else { Round::Idle(pause(now, next)) })
    }

    /// Groups by tenant and kind, in the order of what is due first. What has
    /// failed before goes alone.
    fn batches(&self, due: Vec<Due>) -> Vec<Batch> {
        let mut batches: Vec<Batch> = Vec::new();
        for Due { tenant, kind, key, attempts, .. } in due {
            let Some(alarm) = self.alarms.iter().find(|alarm| alarm.kind() == kind) else { continue };
            let fits = |batch: &&mut Batch| {
                attempts == 0 && batch.attempts == 0 && batch.tenant == tenant && batch.alarm.kind() == kind
            };
            match batches.iter_mut().find(fits) {
                Some(batch) => batch.keys.push(key),
                None => batches.push(Batch { tenant, alarm: alarm.clone(), attempts, keys: vec![key] }),
            }
        }
        batches
    }

    /// Whether anything fired. An error means that not even putting off is possible.
    async fn fire(&self, batch: &Batch) -> Result<bool, Fault> {
        let span =
            tracing::info_span!("timers.fire", timer.kind = batch.alarm.kind(), tenant = %batch.tenant);
        async {
            match self.ring(batch).await {
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

    /// Takes the timers nobody is in the way of and rings the alarm; answers when
    /// each had been due.
    async fn ring(&self, batch: &Batch) -> Result<Vec<Timestamp>, Fault> {
        let Batch { tenant, alarm, keys, .. } = batch;
        self.db
            .transact("timers.fire", tenant, async |mut tx| {
                let now = tx.now();
                let held = fault::caught(alarm.hold(&mut tx, keys)).await?;
                let fired = store::take(&mut tx, alarm.kind(), &held, now).await?;
                if !fired.is_empty() {
                    fault::caught(alarm.ring(&mut tx, &fired)).await?;
                }
                Ok((tx, fired.iter().map(|timer| timer.fire_at).collect()))
            })
            .await
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
