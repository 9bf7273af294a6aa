//! The door: submissions that arrive while a transaction commits go into the next
//! one together, each with a verdict of its own.
//!
//! One writer takes whatever is waiting, the first without delay when nobody else
//! is there. One commit for many rows is what lets durable throughput exceed one
//! commit per row; a second writer gains nothing.

use fault::Fault;
use kernel::receipt::ReceiptKey;
use pg::{Db, Tx};
use server::Stop;
use tokio::sync::{OnceCell, mpsc, oneshot};

use crate::complaint::{Filing, Registered, settle};
use crate::refusal::Refusal;
use crate::store;

/// Most submissions of one transaction.
const MAX_BATCH: usize = 256;
/// Most submissions that wait; beyond, callers are told to come back.
const MAX_WAITING: usize = 4_096;
/// When they are told to come back.
const FULL_RETRY: std::time::Duration = std::time::Duration::from_millis(100);

type Verdict = Result<Registered, Fault>;

/// A submission, and who waits for its verdict.
struct Knock {
    filing: Filing,
    verdict: oneshot::Sender<Verdict>,
}

/// Where submissions go in.
pub(crate) struct Door {
    db: Db,
    key: OnceCell<ReceiptKey>,
    knocks: mpsc::Sender<Knock>,
}

/// The writer behind the door.
pub(crate) struct Writer {
    db: Db,
    knocks: mpsc::Receiver<Knock>,
}

impl Door {
    /// A door, and the writer that must run behind it. `key` is what receipt codes
    /// derive from; without one the database's own is used.
    pub(crate) fn new(db: Db, key: Option<ReceiptKey>) -> (Self, Writer) {
        let (sender, knocks) = mpsc::channel(MAX_WAITING);
        let writer = Writer { db: db.clone(), knocks };
        (Self { db, key: OnceCell::new_with(key), knocks: sender }, writer)
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
    pub(crate) async fn register(&self, filing: Filing) -> Verdict {
        let (verdict, answer) = oneshot::channel();
        self.knocks.try_send(Knock { filing, verdict }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Fault::from(Refusal::DoorFull).retry_after(FULL_RETRY),
            mpsc::error::TrySendError::Closed(_) => Fault::from(Refusal::Closing),
        })?;
        // A writer that stops in between leaves the verdict open; the caller repeats.
        answer.await.map_err(|_| Fault::from(Refusal::Closing))?
    }
}

impl Writer {
    /// Takes submissions in until told to stop, then those still waiting.
    pub(crate) async fn run(mut self, stop: Stop) {
        let mut batch = Vec::with_capacity(MAX_BATCH);
        loop {
            tokio::select! {
                biased;
                taken = self.knocks.recv_many(&mut batch, MAX_BATCH) => {
                    if taken == 0 {
                        return;
                    }
                }
                () = stop.cancelled() => self.knocks.close(),
            }
            self.admit(std::mem::take(&mut batch)).await;
        }
    }

    async fn admit(&self, batch: Vec<Knock>) {
        // Where nobody waits any more, the row is registered all the same: the
        // caller may repeat it, and finds it.
        let (filings, waiting): (Vec<_>, Vec<_>) =
            batch.into_iter().map(|knock| (knock.filing, knock.verdict)).unzip();
        if filings.is_empty() {
            return;
        }
        let verdicts = match self.register(filings.iter().collect()).await {
            Ok(verdicts) => verdicts,
            Err(fault) if fault.is_transient() || filings.len() == 1 => shared(&fault, filings.len()),
            Err(fault) => {
                tracing::warn!(fault = fault.chain(), rows = filings.len(), "a batch resists; one by one");
                self.register_singly(&filings).await
            }
        };
        for (waiting, verdict) in waiting.into_iter().zip(verdicts) {
            let _ = waiting.send(verdict);
        }
    }

    async fn register_singly(&self, filings: &[Filing]) -> Vec<Verdict> {
        let mut verdicts = Vec::with_capacity(filings.len());
        for filing in filings {
            let one = self.register(vec![filing]).await;
            verdicts
                .push(one.and_then(|mut verdicts| verdicts.pop().unwrap_or(Err(Refusal::Closing.into()))));
        }
        verdicts
    }

    /// Registers a batch in one transaction; the verdicts are in its order.
    async fn register(&self, filings: Vec<&Filing>) -> Result<Vec<Verdict>, Fault> {
        let Some(first) = filings.first() else { return Ok(Vec::new()) };
        self.db
            .transact("intake.submit", &first.tenant, async move |mut tx| {
                let mut verdicts: Vec<Option<Verdict>> = filings.iter().map(|_| None).collect();
                for places in by_tenant(&filings) {
                    tx.act_for(&filings[places[0]].tenant).await?;
                    admit_tenant(&mut tx, &filings, &places, &mut verdicts).await?;
                }
                let all = verdicts.into_iter().map(|verdict| verdict.unwrap_or(Err(Refusal::Closing.into())));
                Ok((tx, all.collect()))
            })
            .await
    }
}

/// Registers one tenant's filings, to which the transaction is bound.
async fn admit_tenant(
    tx: &mut Tx,
    filings: &[&Filing],
    places: &[usize],
    verdicts: &mut [Option<Verdict>],
) -> Result<(), Fault> {
    let mine: Vec<&Filing> = places.iter().map(|place| filings[*place]).collect();
    let positions = store::register(tx, &mine).await?;
    for place in places {
        let filing = filings[*place];
        let verdict = match positions.get(&filing.id) {
            Some(position) => Ok(Registered {
                id: filing.id,
                received: filing.received,
                position: *position,
                already: false,
            }),
            None => known(tx, filing).await?,
        };
        verdicts[*place] = Some(verdict);
    }
    Ok(())
}

/// The verdict on a filing that was not new.
async fn known(tx: &mut Tx, filing: &Filing) -> Result<Verdict, Fault> {
    let standing = store::standing(tx, filing).await?;
    let mine = standing.iter().any(|one| one.request_id == filing.request_id);
    let used = if mine { None } else { Some(store::remember_key(tx, filing).await?) };
    let verdict = settle(filing, &standing, used.as_deref());
    verdict.map(|verdict| verdict.map_err(Fault::from)).ok_or_else(|| {
        Fault::internal("a submission was neither registered nor found; its twin was rolled back")
    })
}

/// The places of each tenant's filings, tenants in order of appearance.
fn by_tenant(filings: &[&Filing]) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (place, filing) in filings.iter().enumerate() {
        match groups.iter_mut().find(|group| filings[group[0]].tenant == filing.tenant) {
            Some(group) => group.push(place),
            None => groups.push(vec![place]),
        }
    }
    groups
}

/// One failure for all who waited.
fn shared(fault: &Fault, count: usize) -> Vec<Verdict> {
    (0..count).map(|_| Err(fault.twin())).collect()
}
