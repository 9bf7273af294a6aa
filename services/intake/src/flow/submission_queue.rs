//! Submissions that arrive while a transaction commits wait in a queue and go into the
//! next one together, each with a verdict of its own. Those that refer to attachments get
//! them with it (`claims`).
//!
//! One batch writer takes what is waiting, the first without delay when nobody else is
//! there, and what a person has just submitted before the rows of streams. One commit for many rows is what lets durable throughput exceed one commit
//! per row; a second writer gains nothing.

mod claims;

use fault::Fault;
use kernel::receipt::ReceiptKey;
use kernel::{Lane, TenantId};
use pg::{Db, DedicatedConnection};
use server::Stop;
use sqlx::PgConnection;
use tokio::sync::{OnceCell, mpsc, oneshot};
use uuid::Uuid;

use crate::complaint::{NewComplaint, Registered, settle};
use crate::refusal::Refusal;
use crate::{store, wire};

/// Most submissions of one transaction.
const MAX_BATCH: usize = 256;
/// Where more than these wait, half of them go: were it all, the database would wait
/// while everybody is answered, and everybody while the database works.
const WHOLE_BATCH: usize = 32;
/// Of a batch, one in so many is left to the rows of streams, however many others wait.
const BULK_SHARE: usize = 4;
/// Most submissions that wait in each lane; beyond, callers are told to come back.
const MAX_WAITING: usize = 4_096;
/// When they are told to come back.
const FULL_RETRY: std::time::Duration = std::time::Duration::from_millis(100);

type Verdict = Result<Registered, Fault>;

/// A submission, and who waits for its verdict.
struct PendingSubmission {
    complaint: NewComplaint,
    verdict: oneshot::Sender<Verdict>,
}

/// Where submissions wait to be registered.
pub(crate) struct SubmissionQueue {
    db: Db,
    key: OnceCell<ReceiptKey>,
    live: mpsc::Sender<PendingSubmission>,
    bulk: mpsc::Sender<PendingSubmission>,
}

/// What waits, by lane.
struct Waiting {
    live: mpsc::Receiver<PendingSubmission>,
    bulk: mpsc::Receiver<PendingSubmission>,
}

impl Waiting {
    /// Waits for submissions and takes a batch of them; none once it is closed and empty.
    /// One that is given up before it ends has taken none.
    async fn take(&mut self) -> Vec<PendingSubmission> {
        let mut batch = Vec::with_capacity(MAX_BATCH);
        tokio::select! {
            biased;
            Some(first) = self.live.recv() => batch.push(first),
            Some(first) = self.bulk.recv() => batch.push(first),
            else => {}
        }
        let waiting = self.live.len() + self.bulk.len();
        let most = (waiting / 2).clamp(WHOLE_BATCH, MAX_BATCH);
        let of_bulk = self.bulk.len().min(most / BULK_SHARE);
        fill(&mut batch, &mut self.live, most - of_bulk);
        fill(&mut batch, &mut self.bulk, most);
        batch
    }

    fn close(&mut self) {
        self.live.close();
        self.bulk.close();
    }
}

/// Takes what waits in a lane until the batch has so many.
fn fill(batch: &mut Vec<PendingSubmission>, lane: &mut mpsc::Receiver<PendingSubmission>, most: usize) {
    while batch.len() < most
        && let Ok(pending) = lane.try_recv()
    {
        batch.push(pending);
    }
}

/// Registers what waits in the queue.
pub(crate) struct BatchWriter {
    db: Db,
    connection: DedicatedConnection,
    waiting: Waiting,
    /// Whether the last batch held submissions that were not new: repeated ones come
    /// in swarms.
    doubles: bool,
}

impl SubmissionQueue {
    /// A queue, and the batch writer that must run behind it. `key` is what receipt codes
    /// derive from; without one the database's own is used.
    pub(crate) fn new(db: Db, key: Option<ReceiptKey>) -> (Self, BatchWriter) {
        let (live, live_waiting) = mpsc::channel(MAX_WAITING);
        let (bulk, bulk_waiting) = mpsc::channel(MAX_WAITING);
        let waiting = Waiting { live: live_waiting, bulk: bulk_waiting };
        let writer = BatchWriter {
            db: db.clone(),
            connection: DedicatedConnection::new(db.clone()),
            waiting,
            doubles: false,
        };
        (Self { db, key: OnceCell::new_with(key), live, bulk }, writer)
    }

    /// The key receipt codes derive from.
    pub(crate) async fn key(&self) -> Result<&ReceiptKey, Fault> {
        self.key
            .get_or_try_init(async || {
                let key = self
                    .db
                    .transact_shared("intake.receipt_key", async move |mut tx| {
                        let key = store::receipt_key(&mut tx).await?;
                        Ok((tx, key))
                    })
                    .await?;
                ReceiptKey::new(&key).ok_or_else(|| Fault::internal("the stored receipt key is too short"))
            })
            .await
    }

    /// Registers a submission and waits for the verdict, which is durable when it
    /// comes.
    pub(crate) async fn register(&self, complaint: NewComplaint) -> Verdict {
        let (verdict, answer) = oneshot::channel();
        let lane = match complaint.lane {
            Lane::Live => &self.live,
            Lane::Bulk => &self.bulk,
        };
        lane.try_send(PendingSubmission { complaint, verdict }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Fault::from(Refusal::QueueFull).retry_after(FULL_RETRY),
            mpsc::error::TrySendError::Closed(_) => Fault::stopping(),
        })?;
        // A writer that stops in between leaves the verdict open; the caller repeats.
        answer.await.map_err(|_| Fault::stopping())?
    }
}

impl BatchWriter {
    /// Takes submissions in until told to stop, then those still waiting.
    pub(crate) async fn run(mut self, stop: Stop) {
        loop {
            tokio::select! {
                biased;
                batch = self.waiting.take() => {
                    if batch.is_empty() {
                        return;
                    }
                    self.admit(batch).await;
                }
                () = stop.cancelled() => self.waiting.close(),
            }
        }
    }

    async fn admit(&mut self, mut batch: Vec<PendingSubmission>) {
        while let Some(first) = batch.first() {
            let tenant = first.complaint.tenant.clone();
            let (mine, others) = batch.into_iter().partition(|pending| pending.complaint.tenant == tenant);
            self.admit_tenant(&tenant, mine).await;
            batch = others;
        }
    }

    async fn admit_tenant(&mut self, tenant: &TenantId, batch: Vec<PendingSubmission>) {
        // Where nobody waits any more, the row is registered all the same: the
        // caller may repeat it, and finds it.
        let (complaints, waiting): (Vec<_>, Vec<_>) =
            batch.into_iter().map(|pending| (pending.complaint, pending.verdict)).unzip();
        let verdicts = match self.register_caught(tenant, &complaints).await {
            Ok(verdicts) => verdicts,
            Err(fault) if fault.is_transient() || complaints.len() == 1 => fault.shared(complaints.len()),
            Err(fault) => {
                tracing::warn!(fault = fault.chain(), rows = complaints.len(), "a batch resists; one by one");
                self.register_singly(tenant, &complaints).await
            }
        };
        for (waiting, verdict) in waiting.into_iter().zip(verdicts) {
            let _ = waiting.send(verdict);
        }
    }

    /// Registers complaints; a panic is our mistake about them, not the writer's end.
    async fn register_caught(
        &mut self,
        tenant: &TenantId,
        complaints: &[NewComplaint],
    ) -> Result<Vec<Verdict>, Fault> {
        let registered = fault::caught(self.register(tenant, complaints)).await;
        if registered.is_err() {
            // It may have been left in the middle of a statement.
            self.connection.close();
        }
        registered
    }

    async fn register_singly(&mut self, tenant: &TenantId, complaints: &[NewComplaint]) -> Vec<Verdict> {
        let mut verdicts = Vec::with_capacity(complaints.len());
        for complaint in complaints {
            let one = self.register_caught(tenant, std::slice::from_ref(complaint)).await;
            let missing = || Err(Fault::internal("a submission without a verdict"));
            verdicts.push(one.and_then(|mut verdicts| verdicts.pop().unwrap_or_else(missing)));
        }
        verdicts
    }

    /// Registers one tenant's complaints, all or none; the verdicts are in their order.
    /// Tried once more over a new connection when one from before turns out to be lost:
    /// whatever became of the first try, its complaints are found or registered now.
    async fn register(
        &mut self,
        tenant: &TenantId,
        complaints: &[NewComplaint],
    ) -> Result<Vec<Verdict>, Fault> {
        let db = self.db.clone();
        let was_open = self.connection.is_open();
        match db.timed("intake.submit", self.try_register(tenant, complaints)).await {
            Err(fault) if was_open && pg::is_connection_lost(&fault) => {
                tracing::debug!(fault = fault.chain(), "submissions are registered at the second try");
                db.timed("intake.submit", self.try_register(tenant, complaints)).await
            }
            registered => registered,
        }
    }

    async fn try_register(
        &mut self,
        tenant: &TenantId,
        complaints: &[NewComplaint],
    ) -> Result<Vec<Verdict>, Fault> {
        let conn = self.connection.bound_to(tenant).await?;
        let registered = register(conn, &self.db, complaints, &mut self.doubles).await;
        if registered.is_err() {
            self.connection.close();
        }
        registered
    }
}

/// Registers complaints of the tenant the connection is bound to; learns whether there
/// were doubles.
async fn register(
    conn: &mut PgConnection,
    db: &Db,
    complaints: &[NewComplaint],
    doubles: &mut bool,
) -> Result<Vec<Verdict>, Fault> {
    let claims::Registered { positions, unfit } = claims::register(conn, complaints, *doubles).await?;
    *doubles = positions.len() + unfit.len() < complaints.len();
    db.notifier().notify(pg::notifier::EVENTS);
    let mut verdicts = Vec::with_capacity(complaints.len());
    for complaint in complaints {
        verdicts.push(match positions.get(&complaint.id) {
            Some(position) => Ok(Registered {
                id: complaint.id,
                received: complaint.received,
                position: *position,
                lane: complaint.lane,
                already: false,
            }),
            None => known(conn, complaint, unfit.get(&complaint.id)).await?,
        });
    }
    Ok(verdicts)
}

/// The verdict on a complaint that was not new, or whose attachments were not free.
async fn known(
    conn: &mut PgConnection,
    complaint: &NewComplaint,
    unfit: Option<&Vec<Uuid>>,
) -> Result<Verdict, Fault> {
    let kept = store::existing(conn, complaint).await?;
    let existing = kept.into_iter().map(wire::existing).collect::<Result<Vec<_>, _>>()?;
    let mine = existing.iter().any(|one| one.request_id == complaint.request_id);
    let used = if mine { None } else { store::used_key(conn, &complaint.request_id).await? };
    let verdict = match (settle(complaint, &existing, used.as_deref()), unfit) {
        (Some(verdict), _) => verdict,
        (None, Some(unfit)) => return Ok(Err(wire::evidence::taken(complaint, unfit))),
        (None, None) => {
            let sentence = "a submission was neither registered nor found; its twin was rolled back";
            return Err(Fault::internal(sentence));
        }
    };
    if let Ok(Registered { id, already: true, .. }) = verdict
        && used.is_none()
        && store::remember_key(conn, complaint, id).await? != complaint.request_hash
    {
        return Ok(Err(Refusal::KeyReused.into()));
    }
    Ok(verdict.map_err(Fault::from))
}

#[cfg(test)]
mod tests;
