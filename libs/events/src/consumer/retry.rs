//! Tries again what was set aside and needs nobody to say so: events that met a busy
//! database, those that waited for the other lane, and those behind them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use fault::Fault;
use futures::StreamExt as _;
use jiff::{SignedDuration, Timestamp};
use kernel::{Lane, TenantId};
use uuid::Uuid;

use super::Consumer;
use super::apply::{ALONE, TRIES, TRY_PAUSE, log_parked};
use crate::Delivered;
use crate::cursor;
use crate::inbox::event;
use crate::parked::{self, Aside, Row};

/// How often it is looked for what is due, where something is set aside.
const LOOK: Duration = Duration::from_millis(200);
/// Pause before an event that met a busy database is tried again; doubles each time.
pub(super) const FIRST_RETRY: Duration = Duration::from_secs(1);
/// Longest such pause.
const MAX_RETRY: Duration = Duration::from_secs(5);
/// An event that meets a busy database for so long, alone and while the database does what
/// else it is asked, is itself what keeps it busy: it is parked.
const BUSY_AT_MOST: SignedDuration = SignedDuration::from_mins(10);
/// Most subjects of one tenant in one look.
const OF_EACH: i64 = 20;
/// Most tenants whose events are tried again at once.
const AT_ONCE: usize = 2;

/// What became of a subject's first event.
enum Tried {
    Applied,
    /// There is none, or none that is due.
    Nothing,
}

impl Consumer {
    /// When to try again after a pause. A clock that is set by hand stands while it is
    /// waited for: by it, the next look is as good as any.
    pub(super) fn try_at(&self, now: Timestamp, pause: Duration) -> Timestamp {
        if self.db.clock().is_real() { now + pause } else { now }
    }

    /// Looks for what is due from time to time, without end.
    pub(super) async fn retry(&self, source: &'static str) {
        loop {
            tokio::time::sleep(LOOK).await;
            if self.is_idle(source) {
                continue;
            }
            if let Err(fault) = self.retry_due(source).await {
                tracing::debug!(source, fault = fault.chain(), "what was set aside cannot be looked at");
            }
        }
    }

    async fn retry_due(&self, source: &'static str) -> Result<(), Fault> {
        let due = self
            .db
            .transact_as_worker("inbox.due", async move |mut tx| {
                let due = parked::due(&mut tx, source, OF_EACH).await?;
                Ok((tx, due))
            })
            .await?;
        let mut tenants: HashMap<TenantId, Vec<Uuid>> = HashMap::new();
        for (tenant, subject) in due {
            if let Ok(tenant) = TenantId::parse(&tenant) {
                tenants.entry(tenant).or_default().push(subject);
            }
        }
        let tried = tenants.into_iter().map(|(tenant, subjects)| async move {
            for subject in subjects {
                self.retry_subject(&tenant, source, subject).await;
            }
        });
        futures::stream::iter(tried).for_each_concurrent(AT_ONCE, |tenant| tenant).await;
        Ok(())
    }

    /// Applies a subject's events, up to the first that is not due or fails again.
    async fn retry_subject(&self, tenant: &TenantId, source: &'static str, subject: Uuid) {
        loop {
            let outcome = match self.retry_first(tenant, source, subject).await {
                Ok(Tried::Applied) => continue,
                Ok(Tried::Nothing) => return,
                Err(fault) => self.failed_again(tenant, source, subject, fault).await,
            };
            if let Err(fault) = outcome {
                tracing::debug!(source, fault = fault.chain(), "what failed again cannot be noted");
            }
            return;
        }
    }

    /// Applies a subject's first event that is set aside, if it is due. Its row's lock keeps
    /// other replicas away; what comes of the subject meanwhile queues up behind it.
    async fn retry_first(
        &self,
        tenant: &TenantId,
        source: &'static str,
        subject: Uuid,
    ) -> Result<Tried, Fault> {
        let _permit = self.background.acquire().await.map_err(Fault::internal)?;
        let (name, reactor, of) = (self.name(), self.reactor.clone(), tenant.clone());
        let left = self
            .db
            .transact_within("inbox.retry", ALONE, Some(tenant), async move |mut tx| {
                let Some(row) = parked::first_of(&mut tx, source, subject).await? else {
                    return Ok((tx, None));
                };
                let bulk = cursor::look(&mut tx, source).await?.position(Lane::Bulk, &of);
                let is_due = row.retry_at.is_some_and(|at| at.to_jiff() <= tx.now());
                if !is_due || row.follows > bulk {
                    return Ok((tx, None));
                }
                let (position, lane) = (row.position, Lane::of(row.lane.into()));
                let event = Delivered::open(&Arc::new(event(row)), name)?;
                tx.set_lane(lane);
                fault::caught(reactor.react(&mut tx, std::slice::from_ref(&event))).await?;
                let left = parked::delete(&mut tx, source, position).await?;
                Ok((tx, Some(left)))
            })
            .await?;
        let Some(left) = left else { return Ok(Tried::Nothing) };
        self.note_aside(source, left);
        Ok(Tried::Applied)
    }

    /// Notes that a subject's first event failed again, in a transaction that shows that
    /// the database does what else it is asked.
    async fn failed_again(
        &self,
        tenant: &TenantId,
        source: &'static str,
        subject: Uuid,
        fault: Fault,
    ) -> Result<(), Fault> {
        if fault.is_outage() {
            return Err(fault);
        }
        let name = self.name();
        let parked = self
            .db
            .transact_within("inbox.fail", ALONE, Some(tenant), async move |mut tx| {
                let row = parked::first_of(&mut tx, source, subject).await?;
                let Some(row) = row.filter(|row| row.retry_at.is_some()) else { return Ok((tx, None)) };
                let now = tx.now();
                let aside = verdict(&row, &fault, now, |pause| self.try_at(now, pause));
                parked::failed_again(&mut tx, &row, &aside).await?;
                let is_parked = aside.retry_at.is_none();
                Ok((tx, is_parked.then_some((row, fault))))
            })
            .await?;
        if let Some((row, fault)) = parked
            && let Ok(event) = Delivered::open(&Arc::new(event(row)), name)
        {
            log_parked(source, &event, &fault);
        }
        Ok(())
    }
}

/// What becomes of an event that has failed again: tried again after a pause, or parked.
fn verdict(row: &Row, fault: &Fault, now: Timestamp, after: impl Fn(Duration) -> Timestamp) -> Aside {
    let attempts = u32::try_from(row.attempts).unwrap_or_default().saturating_add(1);
    let error = fault.chain();
    if !fault.is_contention() {
        let pause = TRY_PAUSE.saturating_mul(1 << attempts.min(TRIES));
        let retry_at = (attempts < TRIES).then(|| after(pause));
        return Aside { error, attempts, retry_at, failing_since: None };
    }
    let since = row.failing_since.map_or(now, jiff_sqlx::Timestamp::to_jiff);
    let is_its_own_fault = attempts >= TRIES && now.duration_since(since) >= BUSY_AT_MOST;
    let pause = FIRST_RETRY.saturating_mul(1 << attempts.min(TRIES)).min(MAX_RETRY);
    let retry_at = (!is_its_own_fault).then(|| after(pause));
    Aside { error, attempts, retry_at, failing_since: Some(since) }
}
