//! The worker: takes work as long as there is some and there is room for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fault::Fault;
use jiff::Timestamp;
use kernel::TenantId;
use kernel::time::later;
use pg::{Db, Tx};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{Claimed, Retry, Table, Trouble};

/// How often it is looked for work that nobody was woken for.
const POLL: Duration = Duration::from_secs(1);

/// Work of one kind, and how it is taken.
#[derive(Clone, Debug)]
pub struct Queue {
    /// Name of the transaction that takes one; names it in the log, too.
    pub take: &'static str,
    /// Name of the transaction that notes that one was not done.
    pub put_off: &'static str,
    /// Topic of those who wait for work.
    pub topic: &'static str,
    /// Where it waits.
    pub table: Table,
    /// How long it is one replica's without a word from it; beyond, that is taken to have died.
    /// What is held is said to be so six times as often.
    pub lease: Duration,
    /// When what could not be done is tried again.
    pub retry: Retry,
    /// How much a process does at once.
    pub at_once: usize,
    /// How long one goes on before another has its turn, where there is no room for it otherwise:
    /// who does the work asks [`Lease::is_over`]. None where it is never long.
    pub turn: Option<Duration>,
}

impl Queue {
    /// Work that is done one after the other, and is tried again as is usual.
    pub fn new(
        (take, put_off): (&'static str, &'static str),
        topic: &'static str,
        table: Table,
        lease: Duration,
    ) -> Self {
        Self { take, put_off, topic, table, lease, retry: Retry::default(), at_once: 1, turn: None }
    }
}

/// One kind of work.
pub trait Work: Send + Sync + 'static {
    /// How it is taken.
    fn queue(&self) -> &Queue;

    /// Does what there is to do, and notes that it is done. It may be given up at any `await`, and
    /// done again by another.
    fn take(&self, lease: &Lease) -> impl Future<Output = Result<(), Trouble>> + Send;

    /// Notes why it could not be done, beside that it is tried again, in that transaction.
    fn note(
        &self,
        _tx: &mut Tx,
        _lease: &Lease,
        _trouble: &Trouble,
    ) -> impl Future<Output = Result<(), Fault>> + Send {
        async { Ok(()) }
    }

    /// Tells the log that it could not be done, and was in vain so often.
    fn tell(&self, lease: &Lease, trouble: &Trouble, attempts: i32) {
        let (queue, tenant, id) = (self.queue().take, &lease.claimed.tenant, lease.claimed.id);
        if attempts > 1 {
            tracing::warn!(queue, %tenant, %id, attempts, fault = trouble.chain, "work cannot be done; trying again");
        }
    }
}

/// Work that is this process's for a time.
#[derive(Clone, Debug)]
pub struct Lease {
    claimed: Claimed,
    begun: Instant,
    turn: Option<Duration>,
    /// Whether there is work that has no room.
    others_wait: Arc<AtomicBool>,
}

impl Lease {
    /// Whose work it is.
    pub fn tenant(&self) -> &TenantId {
        &self.claimed.tenant
    }

    /// Its identity.
    pub fn id(&self) -> Uuid {
        self.claimed.id
    }

    /// Who has it, as the row's `holder` where it is held.
    pub fn holder(&self) -> Uuid {
        self.claimed.holder
    }

    /// When it ends, where it is not renewed.
    pub fn until(&self) -> Timestamp {
        self.claimed.until
    }

    /// Whether it has gone on for its turn, and others wait for theirs.
    pub fn is_over(&self) -> bool {
        let is_long = self.turn.is_some_and(|turn| self.begun.elapsed() >= turn);
        is_long && self.others_wait.load(Ordering::Relaxed)
    }
}

struct Worker<W> {
    db: Db,
    work: W,
    stop: CancellationToken,
    others_wait: Arc<AtomicBool>,
}

/// Takes work until told to stop; what is under way then is given back.
pub async fn run<W: Work>(db: Db, work: W, stop: CancellationToken) {
    let worker = Arc::new(Worker { db, work, stop, others_wait: Arc::default() });
    let mut listener = worker.db.notifier().listen(worker.work.queue().topic);
    let (mut under_way, mut last) = (JoinSet::new(), String::new());
    while !worker.stop.is_cancelled() {
        if let Err(fault) = worker.fill(&mut under_way, &mut last).await {
            let queue = worker.work.queue().take;
            tracing::warn!(queue, fault = fault.chain(), "work cannot be taken now; trying again");
        }
        tokio::select! {
            () = worker.stop.cancelled() => break,
            Some(_) = under_way.join_next(), if !under_way.is_empty() => {}
            () = listener.notified_within(POLL) => {}
        }
    }
    while under_way.join_next().await.is_some() {}
}

impl<W: Work> Worker<W> {
    /// Takes as much as there is room for.
    async fn fill(self: &Arc<Self>, under_way: &mut JoinSet<()>, last: &mut String) -> Result<(), Fault> {
        let queue = self.work.queue();
        while under_way.try_join_next().is_some() {}
        while under_way.len() < queue.at_once {
            let (after, holder) = (last.clone(), self.db.ids().token());
            let claimed = self.db.transact_as_worker(queue.take, async |mut tx| {
                let now = tx.now();
                let claimed = queue.table.claim(&mut tx, &after, holder, (now, later(now, queue.lease)));
                let claimed = claimed.await?;
                Ok((tx, claimed))
            });
            let Some(claimed) = claimed.await? else { break };
            claimed.tenant.as_str().clone_into(last);
            let (begun, others_wait) = (Instant::now(), self.others_wait.clone());
            let lease = Lease { claimed, begun, turn: queue.turn, others_wait };
            under_way.spawn(self.clone().finish(lease));
        }
        if queue.turn.is_some() {
            let is_full = under_way.len() >= queue.at_once;
            let waiting = self.db.transact_as_worker(queue.take, async |mut tx| {
                let now = tx.now();
                let waits = is_full && queue.table.is_any_waiting(&mut tx, now).await?;
                Ok((tx, waits))
            });
            self.others_wait.store(waiting.await?, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Sees to it that work is done, or tried again.
    async fn finish(self: Arc<Self>, lease: Lease) {
        let taken = tokio::select! {
            taken = Box::pin(self.taken(&lease)) => taken,
            () = self.lost(&lease) => return,
            () = self.stop.cancelled() => Err(Trouble::stop()),
        };
        let noted = match taken {
            Ok(()) => self.let_go(&lease).await,
            Err(trouble) => self.put_off(&lease, &trouble).await,
        };
        // The lease ends by itself.
        if let Err(fault) = noted {
            let (queue, Claimed { tenant, id, .. }) = (self.work.queue().take, &lease.claimed);
            tracing::warn!(queue, %tenant, %id, fault = fault.chain(), "how far work is cannot be noted");
        }
    }

    /// Work that panics has failed: it must not take what is beside it with it.
    async fn taken(&self, lease: &Lease) -> Result<(), Trouble> {
        let taken = fault::caught(async { Ok(self.work.take(lease).await) });
        taken.await.unwrap_or_else(|fault| Err(fault.into()))
    }

    /// Says that work is held, until it no longer is; for ever where that is not said.
    async fn lost(&self, lease: &Lease) {
        let queue = self.work.queue();
        if queue.table.holding.is_none() {
            return std::future::pending().await;
        }
        loop {
            tokio::time::sleep(queue.lease / 6).await;
            let held = self.db.transact(queue.take, lease.tenant(), async |mut tx| {
                let until = later(tx.now(), queue.lease);
                let held = queue.table.renew(&mut tx, &lease.claimed, until).await?;
                Ok((tx, held))
            });
            // What cannot be asked now is so until it is somebody else's.
            if !held.await.unwrap_or(true) {
                return;
            }
        }
    }

    /// Gives back what is held: what waits longer goes first.
    async fn let_go(&self, lease: &Lease) -> Result<(), Fault> {
        let queue = self.work.queue();
        if queue.table.holding.is_none() {
            return Ok(());
        }
        let let_go = self.db.transact(queue.put_off, lease.tenant(), async |mut tx| {
            let now = tx.now();
            let same = |attempts| crate::Again { after: Duration::ZERO, attempts };
            queue.table.again(&mut tx, &lease.claimed, now, same).await?;
            Ok((tx, ()))
        });
        let_go.await
    }

    /// Has work tried again that could not be done.
    async fn put_off(&self, lease: &Lease, trouble: &Trouble) -> Result<(), Fault> {
        let queue = self.work.queue();
        let put_off = self.db.transact(queue.put_off, lease.tenant(), async |mut tx| {
            let (now, decide) = (tx.now(), |attempts| queue.retry.again(attempts, trouble.blame));
            let attempts = queue.table.again(&mut tx, &lease.claimed, now, decide).await?;
            if attempts.is_some() {
                self.work.note(&mut tx, lease, trouble).await?;
            }
            Ok((tx, attempts))
        });
        if let Some(attempts) = put_off.await? {
            self.work.tell(lease, trouble, attempts);
        }
        Ok(())
    }
}
