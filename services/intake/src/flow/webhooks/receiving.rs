//! Takes deliveries in: believed by their signature, kept as they came, each once.

use std::num::NonZeroU32;
use std::time::Duration;

use fault::Fault;
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use kernel::TenantId;
use pg::Db;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;
use uuid::Uuid;

use super::DELIVERIES;
use super::refusals::Refusals;
use crate::post::hash;
use crate::refusal::Refusal;
use crate::store::webhook_deliveries::{self as deliveries, NewDelivery};
use crate::store::webhook_sources as sources;
use crate::webhook_delivery::{Challenge, Signed, is_believed, is_meant};
use crate::webhook_source::{Signature, WebhookSource};

/// Deliveries of a source within a second, in the long run; of each process.
const PER_SECOND: NonZeroU32 = NonZeroU32::MIN.saturating_add(49);
/// Deliveries of a source at once.
const BURST: NonZeroU32 = NonZeroU32::MIN.saturating_add(199);
/// Most deliveries of a source that wait to be split.
const MAX_WAITING: i64 = 10_000;
/// When one is to be sent again that came too fast behind others.
const FULL_RETRY: Duration = Duration::from_mins(1);
/// Most deliveries that are looked at at once of which nobody knows yet whose they are: each is
/// a read of the database, and a hash of its body.
const MAX_LOOKS: usize = 8;
/// Longest that one waits for its turn to be looked at.
const PATIENCE: Duration = Duration::from_secs(2);
/// When one is to be sent again that was not looked at.
const LOOK_RETRY: Duration = Duration::from_secs(5);
/// When one is to be sent again to a source that is paused.
const PAUSED_RETRY: Duration = Duration::from_mins(5);
/// Bytes from which on it takes a while to see whether a signature is good.
const LONG: usize = 64 << 10;

/// What became of a delivery.
pub(crate) struct Received {
    /// Its identity.
    pub(crate) id: Uuid,
    /// Whether it had been taken in before.
    pub(crate) before: bool,
}

/// Takes deliveries in.
pub(crate) struct DeliveryReceiver {
    db: Db,
    refusals: Refusals,
    limiter: DefaultKeyedRateLimiter<(TenantId, String)>,
    clock: DefaultClock,
    looks: Semaphore,
}

impl DeliveryReceiver {
    /// Keeps in a schema, and notes what is not believed.
    pub(crate) fn new(db: Db, refusals: Refusals) -> Self {
        let quota = Quota::per_second(PER_SECOND).allow_burst(BURST);
        let looks = Semaphore::new(MAX_LOOKS);
        Self { db, refusals, limiter: RateLimiter::keyed(quota), clock: DefaultClock::default(), looks }
    }

    /// Takes a delivery in for whoever it says; it is durable when this answers. The same work
    /// is done whether there is such a source or not.
    pub(crate) async fn receive(&self, tenant: &TenantId, signed: Signed) -> Result<Received, Fault> {
        let look = self.look().await?;
        let source = self.believed(tenant, &signed).await?.ok_or(Refusal::WebhookNotVerified)?;
        drop(look);
        self.admit(tenant, &source)?;
        self.keep(tenant, &source, signed).await
    }

    /// Leave to look at something that anybody may have sent: few at once may, so that they do not
    /// keep everybody else from the database.
    async fn look(&self) -> Result<SemaphorePermit<'_>, Fault> {
        match timeout(PATIENCE, self.looks.acquire()).await {
            Ok(Ok(look)) => Ok(look),
            _ => Err(Fault::from(Refusal::WebhookRateExceeded).retry_after(LOOK_RETRY)),
        }
    }

    /// The source of a delivery, where it is believed to be of it.
    async fn believed(&self, tenant: &TenantId, signed: &Signed) -> Result<Option<WebhookSource>, Fault> {
        let source = self.source(tenant, &signed.source).await?;
        let now = self.db.clock().now();
        let settings = source.as_ref().map(|source| &source.settings);
        let is_its = server::aside(signed.body.len() > LONG, || is_believed(settings, signed, now));
        if source.is_some() && !is_its {
            self.refusals.count(tenant, &signed.source);
        }
        Ok(source.filter(|_| is_its))
    }

    /// What is answered to who asks whether to deliver. The same work is done whether there is such
    /// a source or not; what is refused says nothing about the source.
    pub(crate) async fn challenged(&self, tenant: &TenantId, asked: Challenge) -> Result<String, Fault> {
        let look = self.look().await?;
        let source = self.source(tenant, &asked.source).await?;
        drop(look);
        let settings = source.as_ref().map(|source| &source.settings);
        if is_meant(settings, tenant.as_str(), &asked) {
            Ok(asked.echo)
        } else {
            Err(Refusal::WebhookNotVerified.into())
        }
    }

    async fn source(&self, tenant: &TenantId, id: &str) -> Result<Option<WebhookSource>, Fault> {
        let id = id.to_owned();
        let read = self.db.transact("webhook.source", tenant, async move |mut tx| {
            let source = sources::get(&mut tx, &id).await?;
            Ok((tx, source))
        });
        read.await
    }

    /// Refuses what is not to come now.
    fn admit(&self, tenant: &TenantId, source: &WebhookSource) -> Result<(), Fault> {
        if source.settings.paused {
            return Err(Fault::from(Refusal::WebhookSourcePaused).retry_after(PAUSED_RETRY));
        }
        let key = (tenant.clone(), source.settings.id.clone());
        self.limiter.check_key(&key).map_err(|refused| {
            let wait = refused.wait_time_from(self.clock.now());
            Fault::from(Refusal::WebhookRateExceeded).retry_after(wait)
        })
    }

    async fn keep(
        &self,
        tenant: &TenantId,
        source: &WebhookSource,
        signed: Signed,
    ) -> Result<Received, Fault> {
        let is_named = source.settings.signature == Signature::Standard;
        self.db
            .transact("webhook.keep", tenant, async move |mut tx| {
                let id = tx.new_id();
                let message = is_named.then(|| hash(&[b"redress.webhook.id", signed.webhook_id.as_bytes()]));
                let new = NewDelivery {
                    id,
                    source: &signed.source,
                    message,
                    content: hash(&[b"redress.webhook.body", &signed.body]),
                    body: &signed.body,
                };
                let now = tx.now();
                if let Some(known) = deliveries::known(&mut tx, &new).await? {
                    sources::heard(&mut tx, &signed.source, now).await?;
                    return Ok((tx, Received { id: known, before: true }));
                }
                if deliveries::is_full(&mut tx, &signed.source, MAX_WAITING).await? {
                    return Err(Fault::from(Refusal::TooManyDeliveriesWait).retry_after(FULL_RETRY));
                }
                // Of two who keep the same, one waits here and is told of the other's.
                let known = deliveries::insert(&mut tx, &new, now).await?;
                sources::heard(&mut tx, &signed.source, now).await?;
                tx.notify(DELIVERIES);
                Ok((tx, Received { id: known.unwrap_or(id), before: known.is_some() }))
            })
            .await
    }
}
