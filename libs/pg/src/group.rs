//! Group commit for mutations: those of one kind that arrive while a transaction of
//! theirs is under way go into the next one together, each with an answer of its
//! own. Alone, a mutation waits for nobody.
//!
//! One commit, and one of each statement, for many changes is what lets durable
//! throughput exceed what one transaction a change can give.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fault::{Fault, Kind};
use kernel::{Caller, Lane};
use prost::Message;
use tokio::sync::oneshot;

use crate::mutate::{Key, MutationContext, remember};
use crate::{Db, Done, Patience, Tx, trace};

/// Most mutations of one transaction.
const MAX_BATCH: usize = 64;
/// Most mutations that wait; beyond, callers are told to come back.
const MAX_WAITING: usize = 4_096;
/// How long a batch waits for a lock, and how long a statement of it may take: all
/// mutations of the kind wait behind it.
const PATIENCE: Patience = Patience { lock: Duration::from_secs(1), statement: Duration::from_secs(5) };
/// So many in a row that meet a busy database are not the fault of one of them.
const MAX_BUSY: usize = 3;
/// When they are told to come back.
const FULL_RETRY: Duration = Duration::from_millis(100);

/// What became of each mutation of a batch, in its order: the encoded answer, or
/// why it was refused.
pub type Verdicts = Vec<Result<Vec<u8>, Fault>>;
/// The work on a batch.
pub type Work<'a, T> = Pin<Box<dyn Future<Output = Result<T, Fault>> + Send + 'a>>;

/// A kind of mutation that is carried out many at a time.
pub trait Batch: Send + Sync + 'static {
    /// What one caller wants.
    type Job: Send + Sync + 'static;

    /// What its transactions are called, e.g. `plan.approve`.
    fn name(&self) -> &'static str;

    /// Carries out mutations of one tenant, to which the transaction is bound;
    /// answers a verdict for each. What is refused must leave no trace; a fault
    /// undoes all of them, and each is tried alone.
    fn carry_out<'a>(
        &'a self,
        tx: &'a mut Tx,
        mutations: &'a [BatchedMutation<Self::Job>],
    ) -> Work<'a, Verdicts>;
}

/// A mutation in a batch.
pub struct BatchedMutation<J> {
    /// Who asks.
    pub caller: Caller,
    /// What they want.
    pub job: J,
    key: Key,
    traceparent: String,
}

impl<J> BatchedMutation<J> {
    /// Has what follows happen in the trace of this request, or in the stored
    /// trace of what it is about.
    pub fn trace(&self, tx: &mut Tx, stored: &str) {
        tx.follow_trace(if stored.is_empty() { &self.traceparent } else { stored });
    }
}

type Verdict = Result<(Vec<u8>, i64), Fault>;

struct Waiting<J> {
    mutation: BatchedMutation<J>,
    verdict: oneshot::Sender<Verdict>,
}

/// Where mutations of one kind meet.
pub struct Group<B: Batch> {
    db: Db,
    batch: B,
    waiting: Mutex<VecDeque<Waiting<B::Job>>>,
    turn: tokio::sync::Mutex<()>,
}

impl<B: Batch> Group<B> {
    /// A group whose transactions run on a database.
    pub fn new(db: Db, batch: B) -> Arc<Self> {
        Arc::new(Self { db, batch, waiting: Mutex::default(), turn: tokio::sync::Mutex::default() })
    }

    /// Answers a mutation, with the promise of [`Db::mutate`].
    ///
    /// # Errors
    ///
    /// Fails with the verdict on this mutation, as [`Db::mutate`] does; with `OVERLOADED` if
    /// too many are waiting, and if the process is stopping.
    pub async fn mutate<A>(self: &Arc<Self>, context: MutationContext, job: B::Job) -> Result<Done<A>, Fault>
    where
        A: Message + Default,
    {
        let MutationContext { caller, key } = context;
        let tenant = caller.tenant.clone();
        match self
            .ask(BatchedMutation { caller, job, key: key.clone(), traceparent: trace::current() })
            .await?
        {
            Ok((answer, position)) => {
                let answer = A::decode(answer.as_slice()).map_err(Fault::internal)?;
                Ok(Done { answer, source: self.db.schema(), position, lane: Lane::Live })
            }
            Err(fault) => self.db.remembered_or(&tenant, &key, fault).await,
        }
    }

    /// A fault here is of a mutation that was not even tried.
    async fn ask(self: &Arc<Self>, mutation: BatchedMutation<B::Job>) -> Result<Verdict, Fault> {
        let (verdict, answer) = oneshot::channel();
        self.admit(Waiting { mutation, verdict })?;
        // A task of its own: a caller who leaves takes nobody else's answer along.
        tokio::spawn(self.clone().take_turn());
        answer.await.map_err(|_| Fault::stopping())
    }

    fn admit(&self, waiting: Waiting<B::Job>) -> Result<(), Fault> {
        let mut queue = self.queue();
        if queue.len() == MAX_WAITING {
            let sentence = "too many changes of this kind are waiting; try again shortly";
            return Err(Fault::new(Kind::Exhausted, "OVERLOADED", sentence).retry_after(FULL_RETRY));
        }
        queue.push_back(waiting);
        Ok(())
    }

    fn queue(&self) -> std::sync::MutexGuard<'_, VecDeque<Waiting<B::Job>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Carries out what waits, once it is this turn's; there is a turn for every
    /// mutation, so that whoever is left over finds one.
    async fn take_turn(self: Arc<Self>) {
        let _turn = self.turn.lock().await;
        let (mutations, waiting): (Vec<_>, Vec<_>) =
            self.next().into_iter().map(|one| (one.mutation, one.verdict)).unzip();
        if mutations.is_empty() {
            return;
        }
        let mutations = Arc::new(mutations);
        let verdicts = self.answer(&mutations).await;
        for (waiting, verdict) in waiting.into_iter().zip(verdicts) {
            // Whoever has left may ask again, and finds the answer.
            let _ = waiting.send(verdict);
        }
    }

    /// The next batch: of one tenant, and no key twice, for the second must find
    /// the answer of the first. Who has left before is left out, and may ask again.
    fn next(&self) -> Vec<Waiting<B::Job>> {
        let mut queue = self.queue();
        let mut batch: Vec<Waiting<B::Job>> = Vec::new();
        let mut later = Vec::new();
        while batch.len() < MAX_BATCH
            && let Some(one) = queue.pop_front()
        {
            let fits = batch.iter().all(|other| {
                other.mutation.caller.tenant == one.mutation.caller.tenant
                    && !other.mutation.key.is_twin(&one.mutation.key)
            });
            if one.verdict.is_closed() {
                continue;
            } else if fits {
                batch.push(one);
            } else {
                later.push(one);
            }
        }
        // They keep their places.
        for one in later.into_iter().rev() {
            queue.push_front(one);
        }
        batch
    }

    async fn answer(&self, mutations: &[BatchedMutation<B::Job>]) -> Vec<Verdict> {
        match self.together(mutations).await {
            Ok(verdicts) => verdicts,
            // A database that is away is so for each of them; a lock or a statement that
            // took too long may be the fault of one.
            Err(fault) if mutations.len() == 1 || fault.is_outage() => fault.shared(mutations.len()),
            Err(fault) => {
                tracing::debug!(
                    batch = self.batch.name(),
                    fault = fault.chain(),
                    "a batch resists; one by one"
                );
                self.singly(mutations).await
            }
        }
    }

    /// Tries each alone. Where several in a row meet a database that is busy, the others
    /// are told to come back rather than to wait for their turn to meet it too.
    async fn singly(&self, mutations: &[BatchedMutation<B::Job>]) -> Vec<Verdict> {
        let mut verdicts = Vec::with_capacity(mutations.len());
        let mut busy = 0;
        for (place, one) in mutations.iter().enumerate() {
            let alone = self.together(std::slice::from_ref(one)).await;
            match alone {
                Err(fault) if fault.is_contention() && busy + 1 == MAX_BUSY => {
                    verdicts.extend(fault.shared(mutations.len() - place));
                    break;
                }
                alone => {
                    let is_busy = alone.as_ref().is_err_and(Fault::is_contention);
                    busy = if is_busy { busy + 1 } else { 0 };
                    let missing = || Err(Fault::internal("a mutation without a verdict"));
                    verdicts.push(alone.and_then(|mut verdicts| verdicts.pop().unwrap_or_else(missing)));
                }
            }
        }
        verdicts
    }

    /// Carries out a batch in one transaction; a panic undoes it.
    async fn together(&self, mutations: &[BatchedMutation<B::Job>]) -> Result<Vec<Verdict>, Fault> {
        let Some(first) = mutations.first() else { return Ok(Vec::new()) };
        let (name, tenant) = (self.batch.name(), Some(&first.caller.tenant));
        let carried_out = self.db.transact_within(name, PATIENCE, tenant, async |mut tx| {
            let verdicts = self.batch.carry_out(&mut tx, mutations).await?;
            let answers: Vec<_> = mutations
                .iter()
                .zip(&verdicts)
                .filter_map(|(one, verdict)| Some((&one.key, verdict.as_deref().ok()?)))
                .collect();
            let position = remember(&mut tx, &answers).await?;
            let verdicts = verdicts.into_iter().map(|verdict| verdict.map(|answer| (answer, position)));
            Ok((tx, verdicts.collect()))
        });
        fault::caught(carried_out).await
    }
}
