//! One try of a delivery: looked at, written down, made, and settled.

use std::slice;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use fault::Fault;
use kernel::TenantId;
use opentelemetry::metrics::{Counter, Histogram};
use opentelemetry::{KeyValue, global};
use pg::{Db, Tx};
use tokio::sync::Semaphore;

use super::carrier::{Carrier, DeliveryResult};
use crate::delivery::{Answer, Delivery, DeliveryKind, DeliveryState, Hold, Next};
use crate::endpoint::Endpoint;
use crate::flow::remedy_types::TypesInUse;
use crate::flow::{progress, reports};
use crate::plan::Plan;
use crate::remedy_type::RemedyTypes;
use crate::task::{CANCELLED_CODE, Failure, Task, TaskState};
use crate::wire::deliveries::Outgoing;
use crate::{store, wire};

/// How often what came of a try is written again while the database is away. After that
/// its claim runs out, and it is made again.
const WRITES: u32 = 5;
/// Pause between two of them.
const PAUSE: Duration = Duration::from_secs(1);

static TRIES: LazyLock<Histogram<f64>> = LazyLock::new(|| {
    global::meter("redress")
        .f64_histogram("redress.delivery.duration")
        .with_unit("s")
        .with_description("How long tries of deliveries to departments took, by whether they were answered")
        .build()
});

static PAUSES: LazyLock<Counter<u64>> = LazyLock::new(|| {
    global::meter("redress")
        .u64_counter("redress.endpoint.paused")
        .with_description("Endpoints of departments that were paused for their failures")
        .build()
});

/// Makes tries.
#[derive(Clone)]
pub(super) struct Attempts {
    pub(super) db: Db,
    pub(super) carrier: Carrier,
    pub(super) types: Arc<TypesInUse>,
    /// Who works on the database.
    pub(super) places: Arc<Semaphore>,
}

/// A try that is about to be made.
struct Prepared {
    delivery: Delivery,
    endpoint: Endpoint,
    message: Outgoing,
    hold: Hold,
    /// Whether the message says that the task is no longer wanted.
    tells_cancel: bool,
}

/// What is locked of a delivery.
struct Locked {
    plan: Option<Plan>,
    task: Task,
    delivery: Delivery,
}

impl Locked {
    /// The plan first, if there is one, then the task, then the delivery; none where one of
    /// these is no more.
    async fn of(tx: &mut Tx, delivery: &Delivery) -> Result<Option<Self>, Fault> {
        let plan = store::plans::lock_of_tasks(tx, &[delivery.task_id.0]).await?.pop();
        let task = store::tasks::lock(tx, &[delivery.task_id.0]).await?.pop();
        let delivery = store::deliveries::lock(tx, delivery.delivery_id).await?;
        let Some((task, delivery)) = task.zip(delivery) else { return Ok(None) };
        tx.join_trace(&task.traceparent);
        Ok(Some(Self { plan, task, delivery }))
    }

    fn is_held(&self) -> bool {
        self.task.state == TaskState::Leased && self.task.lease_token == Some(self.delivery.token)
    }

    async fn failed(&mut self, tx: &mut Tx, failure: Failure, jitter: f64) -> Result<(), Fault> {
        let Self { plan, task, delivery } = self;
        reports::failed(tx, plan.take(), task, (delivery.token, failure), jitter).await
    }

    async fn hold(&self, tx: &mut Tx, hold: Hold) -> Result<(), Fault> {
        store::deliveries::hold(tx, &[(self.delivery.task_id.0, self.delivery.token)], hold).await
    }
}

impl Attempts {
    /// Makes a try of a delivery that is claimed.
    pub(super) async fn make(self, tenant: TenantId, claimed: Delivery) {
        let id = claimed.delivery_id;
        let prepared = match self.prepare(&tenant, claimed).await {
            Ok(Some(prepared)) => prepared,
            Ok(None) => return,
            Err(fault) => {
                tracing::warn!(fault.chain = fault.chain(), delivery.id = %id, "a delivery cannot be looked at");
                return;
            }
        };
        let begun = Instant::now();
        let now = self.db.clock().now();
        let here = pg::trace::current();
        let traceparent = if here.is_empty() { &prepared.delivery.traceparent } else { &here };
        let heard = self.carrier.carry(&prepared.endpoint, &prepared.message, id, (now, traceparent)).await;
        let took = begun.elapsed();
        let is_answered = !matches!(heard.answer, Answer::None(_));
        TRIES.record(took.as_secs_f64(), &[KeyValue::new("answered", is_answered)]);
        for _ in 0..WRITES {
            match self.settle(&tenant, &prepared, &heard, took).await {
                Ok(()) => return,
                Err(fault) => {
                    tracing::warn!(
                        fault.chain = fault.chain(),
                        delivery.id = %id,
                        "what came of a delivery cannot be written"
                    );
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    /// Looks what is to be done about a delivery, and does it where that is not to try it.
    async fn prepare(&self, tenant: &TenantId, claimed: Delivery) -> Result<Option<Prepared>, Fault> {
        let _place = self.places.acquire().await.map_err(Fault::internal)?;
        let jitter = self.db.ids().fraction();
        self.db
            .transact("resolution.prepare_delivery", tenant, async |mut tx| {
                let Some(mut locked) = Locked::of(&mut tx, &claimed).await? else { return Ok((tx, None)) };
                let is_ours =
                    locked.delivery.state == DeliveryState::Pending && locked.delivery.tries == claimed.tries;
                if !is_ours {
                    return Ok((tx, None));
                }
                let endpoint = store::endpoints::get(&mut tx, &claimed.department_id).await?;
                let pauses = store::departments::pauses(&mut tx, &claimed.department_id).await?;
                let kind = locked.task.remedy.kind;
                let is_paused = pauses.iter().any(|pause| pause.kind.is_none_or(|paused| paused == kind));
                let next = locked.delivery.next(Some(&locked.task), endpoint.as_ref(), is_paused, tx.now());
                let prepared = match (next, endpoint) {
                    (Next::Try(hold), Some(endpoint)) => {
                        Some(begin(&mut tx, tenant, locked, endpoint, hold).await?)
                    }
                    (next, _) => {
                        end(&mut tx, &mut locked, next, jitter).await?;
                        None
                    }
                };
                Ok((tx, prepared))
            })
            .await
    }

    /// Writes what came of a try.
    async fn settle(
        &self,
        tenant: &TenantId,
        prepared: &Prepared,
        heard: &DeliveryResult,
        took: Duration,
    ) -> Result<(), Fault> {
        let _place = self.places.acquire().await.map_err(Fault::internal)?;
        let jitter = self.db.ids().fraction();
        let (is_paused, is_escalated) = self
            .db
            .transact("resolution.settle_delivery", tenant, async |mut tx| {
                let Some(mut locked) = Locked::of(&mut tx, &prepared.delivery).await? else {
                    return Ok((tx, (false, false)));
                };
                let mut seen = heard.seen.clone();
                // Another try of it is under way, or it has ended: only a word that counts
                // is heard of this one.
                let is_latest = locked.delivery.tries == prepared.delivery.tries;
                let counts = is_latest || !matches!(heard.answer, Answer::None(_));
                let mut is_escalated = false;
                if locked.delivery.state == DeliveryState::Pending && counts {
                    let types =
                        self.types.of_tasks(&mut tx, tenant, slice::from_ref(&locked.task).iter()).await?;
                    let answer = fitting((&locked.task, &types), &heard.answer, &mut seen.reason);
                    apply(&mut tx, &mut locked, prepared, &answer, jitter).await?;
                    is_escalated = matches!(answer, Answer::Rejected(_)) && locked.task.is_escalated();
                }
                let key = (prepared.delivery.delivery_id, prepared.delivery.tries);
                store::deliveries::end_try(&mut tx, key, took, &seen).await?;
                let endpoint = store::endpoints::lock(&mut tx, &prepared.endpoint.department_id).await?;
                if is_latest && is_overtaken(prepared, &locked, endpoint.as_ref()) {
                    look_now(&mut tx, &mut locked.delivery).await?;
                }
                let is_paused =
                    update_endpoint_health(&mut tx, &prepared.endpoint, endpoint, &heard.answer).await?;
                Ok((tx, (is_paused, is_escalated)))
            })
            .await?;
        reports::count_escalation(is_escalated);
        PAUSES.add(u64::from(is_paused), &[]);
        Ok(())
    }
}

/// Writes a try down that is made next: as if it arrived, for the case that nobody comes
/// to write what came of it.
async fn begin(
    tx: &mut Tx,
    tenant: &TenantId,
    locked: Locked,
    endpoint: Endpoint,
    hold: Hold,
) -> Result<Prepared, Fault> {
    let now = tx.now();
    store::deliveries::begin_try(tx, &locked.delivery, now).await?;
    if locked.delivery.kind == DeliveryKind::Task {
        let arriving = Delivery { may_have_arrived: true, ..locked.delivery.clone() };
        locked.hold(tx, arriving.lease(Some(hold.attempt_until))).await?;
    }
    let message = Outgoing::of(&locked.delivery, tenant, &locked.task, hold);
    let tells_cancel = locked.task.cancel_requested;
    Ok(Prepared { delivery: locked.delivery, endpoint, message, hold, tells_cancel })
}

/// Does what is to be done about a delivery that is not tried.
async fn end(tx: &mut Tx, locked: &mut Locked, next: Next, jitter: f64) -> Result<(), Fault> {
    let now = tx.now();
    tracing::debug!(delivery.id = %locked.delivery.delivery_id, ?next, "a delivery is not made");
    // It was no try.
    locked.delivery.tries -= 1;
    match next {
        Next::Wait(until) => {
            locked.delivery.wait(until);
            return store::deliveries::save(tx, &locked.delivery).await;
        }
        Next::GiveUp => {
            if locked.delivery.kind == DeliveryKind::Task {
                let failure = locked.delivery.undeliverable(&locked.task);
                locked.failed(tx, failure, jitter).await?;
            }
            locked.delivery.end(DeliveryState::Undeliverable, now);
            return store::deliveries::save(tx, &locked.delivery).await;
        }
        Next::Release(_) => {
            locked.task.release(locked.delivery.token, now)?;
            store::tasks::save(tx, slice::from_ref(&locked.task)).await?;
            tx.notify(progress::TASKS);
        }
        Next::Cancel => locked.failed(tx, cancelled(), jitter).await?,
        Next::Leave if locked.delivery.kind == DeliveryKind::Task => {
            let attempt_until = locked.task.attempt_until.unwrap_or(now);
            locked.hold(tx, Hold { until: now, attempt_until }).await?;
            tx.notify(progress::TASKS);
        }
        Next::Leave | Next::Supersede(_) | Next::Try(_) => {}
    }
    locked.delivery.end(DeliveryState::Superseded, now);
    store::deliveries::save(tx, &locked.delivery).await
}

fn cancelled() -> Failure {
    Failure {
        code: CANCELLED_CODE.to_owned(),
        message: String::new(),
        retryable: false,
        outcome_unknown: false,
    }
}

/// The answer, unless it is a result that does not fit the task: that takes it, and what is
/// wrong is noted.
fn fitting((task, types): (&Task, &RemedyTypes), answer: &Answer, reason: &mut String) -> Answer {
    if let Answer::Done(result) = answer {
        let is_heavy = types.is_heavy_for_output(&task.remedy, &result.output);
        let flaws = server::aside(is_heavy, || task.flaws(result, types));
        if !flaws.is_empty() {
            let each: Vec<String> =
                flaws.into_iter().map(|flaw| format!("result.{} {}", flaw.field, flaw.what)).collect();
            *reason = wire::deliveries::cut(&each.join("; "), wire::MAX_REASON);
            return Answer::Taken;
        }
    }
    answer.clone()
}

/// What an answer makes of the task and its delivery.
async fn apply(
    tx: &mut Tx,
    locked: &mut Locked,
    prepared: &Prepared,
    answer: &Answer,
    jitter: f64,
) -> Result<(), Fault> {
    let now = tx.now();
    locked.delivery.answered(answer, now, jitter);
    if locked.is_held() {
        let Locked { plan, task, delivery } = &mut *locked;
        match answer {
            Answer::Done(result) => {
                reports::completed(tx, plan.take(), task, delivery.token, result.clone()).await?;
            }
            Answer::Rejected(reason) => {
                reports::rejected(tx, task, delivery.token, reason.clone()).await?;
            }
            Answer::Failed(failure) => locked.failed(tx, failure.clone(), jitter).await?,
            Answer::Stopped => locked.failed(tx, cancelled(), jitter).await?,
            Answer::Taken if delivery.kind == DeliveryKind::Task => {
                locked.hold(tx, prepared.hold).await?;
                if locked.task.cancel_requested && !prepared.tells_cancel {
                    let cancel = Delivery::of_cancel(tx.new_id(), &locked.task, locked.delivery.token, now);
                    store::deliveries::insert(tx, &[cancel], now).await?;
                    tx.notify(progress::DELIVERIES);
                }
            }
            Answer::None(_) if delivery.kind == DeliveryKind::Task => {
                let lease = delivery.lease(Some(prepared.hold.attempt_until));
                locked.hold(tx, lease).await?;
            }
            Answer::Taken | Answer::None(_) => {}
        }
    }
    store::deliveries::save(tx, &locked.delivery).await
}

/// Whether something else is to be done about a delivery than when its try was begun: its
/// endpoint was paused, changed or deleted, its task cancelled, or somebody asked for it
/// once more. Whoever does one of these has what waits looked at, but not what is under way.
fn is_overtaken(prepared: &Prepared, locked: &Locked, endpoint: Option<&Endpoint>) -> bool {
    let is_changed = endpoint.map(|endpoint| endpoint.version) != Some(prepared.endpoint.version);
    let is_cancelled = locked.task.cancel_requested && !prepared.tells_cancel;
    is_changed || is_cancelled || locked.delivery.give_up_at != prepared.delivery.give_up_at
}

/// Has a delivery that waits for its next try looked at now instead.
async fn look_now(tx: &mut Tx, delivery: &mut Delivery) -> Result<(), Fault> {
    if delivery.state != DeliveryState::Pending {
        return Ok(());
    }
    delivery.wait(tx.now());
    tx.notify(progress::DELIVERIES);
    store::deliveries::save(tx, delivery).await
}

/// Counts for or against an endpoint, locked, what it answered; answers whether it is
/// paused now. What was heard of another URL counts nothing.
async fn update_endpoint_health(
    tx: &mut Tx,
    tried: &Endpoint,
    endpoint: Option<Endpoint>,
    answer: &Answer,
) -> Result<bool, Fault> {
    let Some(mut endpoint) = endpoint.filter(|endpoint| endpoint.url == tried.url) else { return Ok(false) };
    let Answer::None(none) = answer else {
        if endpoint.failures > 0 {
            endpoint.succeeded();
            store::endpoints::save(tx, &endpoint).await?;
        }
        return Ok(false);
    };
    let is_paused = endpoint.failed(none.is_gone, tx.now());
    store::endpoints::save(tx, &endpoint).await?;
    if let Some(pause) = endpoint.pause.as_ref().filter(|_| is_paused) {
        let watch = store::departments::lock(tx, &endpoint.department_id).await?;
        if let Some(watch) = watch {
            tx.emit(watch, &wire::endpoints::paused(&endpoint, pause));
        }
        let now = tx.now();
        store::deliveries::wake(tx, &endpoint.department_id, now).await?;
        tx.notify(progress::DELIVERIES);
    }
    Ok(is_paused)
}
