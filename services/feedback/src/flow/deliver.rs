//! The delivery worker.
//!
//! It claims notices that are due, of all tenants, in a short transaction; sends
//! them outside of any; and writes what came of it in another. A worker that
//! dies in between leaves a claim that runs out, and the notice is sent again:
//! mail is delivered at least once, never exactly once, and every copy bears the
//! same Message-ID (`<notice id@redress>`) so that a mailbox can tell. A notice
//! left pending when the transport is taken away waits until it is given again.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use fault::Fault;
use jiff::Timestamp;
use kernel::TenantId;
use pg::Db;
use server::Stop;
use tokio::task::{Id, JoinError, JoinSet};
use tracing::Instrument as _;

use crate::mail::Transport;
use crate::notice::{Answer, State};
use crate::store::{self, Attempt, Claimed, Claims};
use crate::wire;

/// Topic that tells there are notices to deliver.
pub(crate) const TOPIC: &str = "notices";
/// Most notices sent at once.
pub(crate) const CONCURRENT: u32 = 16;
/// How long the worker waits to be notified before it looks by itself.
const POLL: Duration = Duration::from_secs(2);
/// How long it waits when the database cannot be reached.
const RETRY: Duration = Duration::from_secs(1);
/// Longest one attempt may take.
const SEND_LIMIT: Duration = Duration::from_secs(15);
// One that is cut off by the end of the process may have been sent, and is sent again.
const _: () = assert!(SEND_LIMIT.as_secs() < server::WORKERS_STOP.as_secs());
/// How long a claim holds: an attempt, and the time to write what came of it
/// while the database is away for a moment.
const CLAIM: Duration = Duration::from_mins(2);
/// How often what is known of addresses of late is swept.
const SWEEP: Duration = Duration::from_mins(10);

/// Delivers notices until told to stop; what is being sent then is finished.
pub(crate) async fn run(db: Db, transport: Arc<dyn Transport>, stop: Stop) {
    let mut listener = db.notifier().listen(TOPIC);
    let swept = db.clock().now();
    let mut worker =
        Worker { db, transport, sending: JoinSet::new(), tenants: HashMap::new(), tried: Vec::new(), swept };
    while !stop.is_cancelled() {
        if let Err(fault) = worker.turn().await {
            tracing::warn!(fault = fault.chain(), "delivery waits for its database");
            tokio::time::sleep(RETRY).await;
        }
        tokio::select! {
            () = stop.cancelled() => {}
            Some(sent) = worker.sending.join_next_with_id() => worker.note(sent),
            () = listener.notified_within(POLL), if worker.room() > 0 => {}
        }
    }
    worker.finish().await;
}

struct Worker {
    db: Db,
    transport: Arc<dyn Transport>,
    sending: JoinSet<(Claimed, Answer)>,
    /// Whose notices they are.
    tenants: HashMap<Id, TenantId>,
    /// Attempts that ended and are not written yet.
    tried: Vec<Attempt>,
    /// When what is known of addresses of late was swept.
    swept: Timestamp,
}

impl Worker {
    /// Writes what came of attempts, and claims as many notices as there is room
    /// for: a claim is made only when its attempt can begin.
    async fn turn(&mut self) -> Result<(), Fault> {
        while let Some(sent) = self.sending.try_join_next_with_id() {
            self.note(sent);
        }
        self.settle().await?;
        self.sweep().await;
        let limit = self.room();
        if limit == 0 {
            return Ok(());
        }
        for claimed in self.claim(limit).await? {
            self.send(claimed);
        }
        Ok(())
    }

    fn room(&self) -> u32 {
        CONCURRENT.saturating_sub(u32::try_from(self.sending.len()).unwrap_or(u32::MAX))
    }

    async fn claim(&self, limit: u32) -> Result<Vec<Claimed>, Fault> {
        self.db
            .transact_as_worker("notices.claim", async |mut tx| {
                let now = tx.now();
                let mut under_way: BTreeMap<TenantId, i64> = BTreeMap::new();
                for tenant in self.tenants.values() {
                    *under_way.entry(tenant.clone()).or_default() += 1;
                }
                let claims = Claims { now, until: later(now, CLAIM), limit: limit.into(), under_way };
                let claimed = store::claim(&mut tx, claims).await?;
                Ok((tx, claimed))
            })
            .await
    }

    fn send(&mut self, claimed: Claimed) {
        let tenant = claimed.tenant.clone();
        let transport = self.transport.clone();
        let span = pg::continued_span!(
            &claimed.notice.traceparent,
            "feedback.deliver",
            otel.kind = "client",
            notice.id = %claimed.notice.id,
            notice.attempt = claimed.notice.attempts,
        );
        let attempt = async move {
            let answer = tokio::time::timeout(SEND_LIMIT, transport.send(&claimed.notice)).await;
            let answer =
                answer.unwrap_or_else(|_| Answer::Later("the server did not answer in time".to_owned()));
            let traceparent = pg::trace::current();
            let mut claimed = claimed;
            if !traceparent.is_empty() {
                // What is told of it continues from the attempt.
                claimed.notice.traceparent = traceparent;
            }
            (claimed, answer)
        };
        let task = self.sending.spawn(attempt.instrument(span));
        self.tenants.insert(task.id(), tenant);
    }

    fn note(&mut self, sent: Result<(Id, (Claimed, Answer)), JoinError>) {
        let task = sent.as_ref().map_or_else(JoinError::id, |(task, _)| *task);
        self.tenants.remove(&task);
        match sent {
            Ok((_, (Claimed { tenant, mut notice }, answer))) => {
                let again = notice.tried(answer, self.db.clock().now(), self.db.ids().fraction());
                self.tried.push(Attempt { tenant, notice, again });
            }
            Err(error) => tracing::error!(%error, "an attempt to deliver broke off; its claim runs out"),
        }
    }

    /// Writes what came of attempts and tells of notices settled. What cannot be
    /// written is kept and tried again.
    async fn settle(&mut self) -> Result<(), Fault> {
        if self.tried.is_empty() {
            return Ok(());
        }
        let mut tenants: BTreeMap<&TenantId, Vec<&Attempt>> = BTreeMap::new();
        for attempt in &self.tried {
            tenants.entry(&attempt.tenant).or_default().push(attempt);
        }
        self.db
            .transact_as_worker("notices.settle", async |mut tx| {
                for (tenant, attempts) in &tenants {
                    tx.act_for(tenant).await?;
                    let written = store::settle(&mut tx, attempts).await?;
                    for Attempt { notice, again, tenant: _ } in attempts {
                        if again.is_none() && written.contains(&(notice.id, notice.attempts)) {
                            let traceparent = notice.traceparent.clone();
                            tx.emit_in(traceparent, notice.case_id.0, &wire::settled(notice));
                        }
                    }
                }
                Ok((tx, ()))
            })
            .await?;
        self.tried.drain(..).for_each(|attempt| log(&attempt));
        Ok(())
    }

    /// Forgets of addresses what limits nothing any more. Nothing waits for that: where
    /// it fails it is done the next time.
    async fn sweep(&mut self) {
        let now = self.db.clock().now();
        if now < later(self.swept, SWEEP) {
            return;
        }
        self.swept = now;
        let swept = self.db.transact_as_worker("notices.sweep", async move |mut tx| {
            store::sweep(&mut tx, now).await?;
            Ok((tx, ()))
        });
        if let Err(fault) = swept.await {
            tracing::warn!(fault = fault.chain(), "what is known of addresses could not be swept");
        }
    }

    /// Waits for the attempts under way, which take [`SEND_LIMIT`] at most.
    async fn finish(&mut self) {
        while let Some(sent) = self.sending.join_next_with_id().await {
            self.note(sent);
        }
        if let Err(fault) = self.settle().await {
            let count = self.tried.len();
            tracing::warn!(fault = fault.chain(), count, "attempts were not written; they are made again");
        }
    }
}

/// The server's words stay out of the log: they repeat addresses.
fn log(Attempt { notice, again, .. }: &Attempt) {
    let (id, attempts) = (notice.id, notice.attempts);
    match notice.state {
        State::Pending => {
            let again = again.map(|at| at.to_string());
            tracing::debug!(notice.id = %id, notice.attempts = attempts, again, "notice is tried again");
        }
        State::Delivered => tracing::debug!(notice.id = %id, notice.attempts = attempts, "notice delivered"),
        State::Undelivered => {
            tracing::warn!(notice.id = %id, notice.attempts = attempts, "notice cannot be delivered");
        }
    }
}

fn later(time: Timestamp, by: Duration) -> Timestamp {
    time.saturating_add(by).unwrap_or(time)
}

#[cfg(test)]
mod tests;
