//! Events are posted to those who cannot read the feed.
//!
//! Whoever posts a feed to a subscription holds it, and writes after each event how far it is:
//! who dies is gone on from when the hold ends, and posts at most one event again. A feed that is
//! quiet is let go of; so is any other after a turn, where there are more feeds than places: those
//! of the tenant with the fewest places come next.

mod cloud_event;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use events::{Batch, Follow, Subscription, Tenants};
use fault::{Fault, Kind};
use futures::StreamExt as _;
use http::{HeaderMap, HeaderValue, header};
use jiff::{SignedDuration, Timestamp};
use pg::{Db, Tx};
use proto::redress::event::v1::Event;
use server::{FollowedSources, Stop};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use uuid::Uuid;
use webhook::{Failure, Message, Post, Sender, Target};

use self::cloud_event::CloudEvent;
use crate::event_subscription::filter::Filter;
use crate::event_subscription::{EventSubscription, Failed, Pause, Progress, SOURCES};
use crate::store::{self, ClaimedFeed};

/// Wakes who posts events.
pub(crate) const TOPIC: &str = "event_subscriptions";
/// How often it is looked for feeds that nobody was woken for.
const LOOK: Duration = Duration::from_secs(1);
/// Most feeds that a process posts at once.
const AT_ONCE: usize = 64;
/// How long a feed is held without a word from who posts it; longer than a try may take.
const HOLD: SignedDuration = SignedDuration::from_secs(30);
/// How long a feed may be quiet before it is let go of.
const QUIET: Duration = Duration::from_secs(10);
/// How long a feed is posted before it is let go of where others wait for a place.
const TURN: Duration = Duration::from_secs(5);
/// Longest that it is waited for a feed's first word.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long the feed is left alone that cannot be read.
const AWAY: SignedDuration = SignedDuration::from_secs(5);
/// How long what is being posted may take once the process is told to stop.
const LAST_WORD: Duration = Duration::from_secs(2);
/// Most events that are read at once.
const BATCH: usize = 50;
/// Bytes of an event that take about a millisecond to be written as JSON.
const HEAVY_BYTES: usize = 20_000;
/// The status of a server that is gone for good.
const GONE: u16 = 410;
const CLOUD_EVENT: HeaderValue = HeaderValue::from_static("application/cloudevents+json; charset=utf-8");

/// The feeds of all services, with all they tell.
pub(crate) static FOLLOWS: [Follow; SOURCES.len()] = {
    const fn all(source: &'static str) -> Follow {
        Follow { source, types: &[] }
    }
    [all(SOURCES[0]), all(SOURCES[1]), all(SOURCES[2]), all(SOURCES[3]), all(SOURCES[4])]
};

/// What events are posted with.
#[derive(Clone)]
pub(crate) struct EventPush {
    /// Where subscriptions are.
    pub(crate) db: Db,
    /// The feeds of all services.
    pub(crate) sources: FollowedSources,
    /// How servers are reached.
    pub(crate) sender: Sender,
    /// Whether feeds wait for a place.
    pub(crate) others_wait: Arc<AtomicBool>,
}

/// Why posting a feed ends for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// It is quiet, its feed ended, or it is the turn of others.
    Quiet,
    /// Its feed cannot be read.
    Away,
    /// A try failed: when the next is due is written.
    Failed,
    /// It is held by somebody else, or is no more.
    Lost,
}

/// What is true of a feed that is posted once its progress was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Held {
    /// It goes on.
    Still,
    /// Somebody has changed the subscription: it is to be read anew.
    Changed,
    /// It is held by somebody else, or is no more; nothing was written.
    Lost,
}

impl Held {
    /// Why posting does not go on, if so.
    fn end(self) -> Option<End> {
        match self {
            Self::Still => None,
            Self::Changed => Some(End::Quiet),
            Self::Lost => Some(End::Lost),
        }
    }
}

impl EventPush {
    /// Posts events until told to stop.
    pub(crate) async fn run(self, stop: Stop) {
        let this = Arc::new(self);
        let mut listener = this.db.notifier().listen(TOPIC);
        let mut feeds = JoinSet::new();
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                () = listener.notified_within(LOOK) => {}
            }
            while feeds.try_join_next().is_some() {}
            let free = AT_ONCE.saturating_sub(feeds.len());
            // Another each time: what this process has let slip, it does not write any more either.
            let holder = this.db.ids().token();
            match this.claim(holder, free).await {
                Ok(claimed) => {
                    for feed in claimed {
                        let (this, stop) = (Arc::clone(&this), stop.clone());
                        feeds.spawn(async move { this.work(feed, holder, stop).await });
                    }
                }
                Err(fault) => {
                    tracing::warn!(fault = fault.chain(), "events cannot be posted; trying again");
                }
            }
        }
        // What is being posted ends, and is written; who takes longer is asked again.
        let _ = timeout(LAST_WORD, async { while feeds.join_next().await.is_some() {} }).await;
        feeds.shutdown().await;
    }

    async fn claim(&self, holder: Uuid, free: usize) -> Result<Vec<ClaimedFeed>, Fault> {
        let now = self.db.clock().now();
        let most = i64::try_from(free).unwrap_or(i64::MAX);
        let claimed = self.db.transact_as_worker("event_push.claim", async move |mut tx| {
            let claimed = store::claim_event_feeds(&mut tx, holder, (now, now + HOLD), most).await?;
            let others_wait = claimed.len() == free && store::is_any_event_feed_due(&mut tx, now).await?;
            Ok((tx, (claimed, others_wait)))
        });
        let (claimed, others_wait) = claimed.await?;
        self.others_wait.store(others_wait, Ordering::Relaxed);
        Ok(claimed)
    }

    /// Posts a feed that was claimed until it is quiet or fails; then lets go of it.
    async fn work(&self, feed: ClaimedFeed, holder: Uuid, stop: Stop) {
        // The hold of one that fails so ends by itself.
        if let Err(fault) = self.post_feed(&feed, holder, &stop).await {
            let ClaimedFeed { tenant, id, source } = &feed;
            tracing::warn!(%tenant, source, subscription = %id, fault = fault.chain(), "events cannot be posted");
        }
    }

    async fn post_feed(&self, feed: &ClaimedFeed, holder: Uuid, stop: &Stop) -> Result<End, Fault> {
        let Some((subscription, progress)) = self.read(feed).await? else { return Ok(End::Lost) };
        let Some(source) = self.sources.get(&feed.source) else { return Ok(End::Away) };
        let filter = server::aside(true, || Filter::read(&subscription.wanted.filter));
        let filter = filter.map_err(Fault::internal)?;
        let wanted = Subscription {
            tenants: Tenants::Only(feed.tenant.clone()),
            types: subscription.wanted.types.clone().into(),
            max: BATCH,
            ..Subscription::after(progress.position, &[])
        };
        let mut batches = source.subscribe(wanted);
        let begun = Instant::now();
        let mut poster = Poster { push: self, feed, holder, subscription, filter, progress, begun };
        let mut heard = Instant::now();
        let end = loop {
            let next = tokio::select! {
                () = stop.cancelled() => break End::Quiet,
                next = timeout(PATIENCE, batches.next()) => next,
            };
            let batch = match next {
                Ok(Some(Ok(batch))) => batch,
                // The feed does not know the cursor: it was moved beyond its end, or the service's
                // database was restored to an earlier moment. Only a replay mends that.
                Ok(Some(Err(fault))) if fault.kind() == Kind::Precondition => {
                    let why = format!("{}: {}", fault.reason(), fault.message());
                    poster.failed(Failed { why, retry_after: None, is_gone: false }).await?;
                    break End::Failed;
                }
                Ok(Some(Err(fault))) => {
                    let source = &feed.source;
                    tracing::debug!(source, fault = fault.chain(), "a feed cannot be read to be posted");
                    break End::Away;
                }
                Ok(None) | Err(_) => break End::Away,
            };
            if !batch.events.is_empty() {
                heard = Instant::now();
            }
            if let Some(end) = poster.post(batch, stop).await? {
                break end;
            }
            if heard.elapsed() > QUIET || poster.is_over() {
                break End::Quiet;
            }
        };
        poster.let_go(end).await?;
        Ok(end)
    }

    /// The subscription and how far it is; none where it is paused or no more.
    async fn read(&self, feed: &ClaimedFeed) -> Result<Option<(EventSubscription, Progress)>, Fault> {
        let (id, source) = (feed.id, feed.source.clone());
        let read = self.db.transact("event_push.read", &feed.tenant, async move |mut tx| {
            let subscription = store::event_subscription(&mut tx, id).await?;
            let progress = store::event_progress(&mut tx, &[id]).await?.remove(&id).unwrap_or_default();
            let progress = progress.into_iter().find(|progress| progress.source == source);
            Ok((tx, subscription.filter(|one| one.pause.is_none()).zip(progress)))
        });
        read.await
    }
}

/// Who posts a feed to a subscription.
struct Poster<'a> {
    push: &'a EventPush,
    feed: &'a ClaimedFeed,
    holder: Uuid,
    subscription: EventSubscription,
    filter: Filter,
    progress: Progress,
    begun: Instant,
}

impl Poster<'_> {
    /// Whether it is the turn of others.
    fn is_over(&self) -> bool {
        self.push.others_wait.load(Ordering::Relaxed) && self.begun.elapsed() >= TURN
    }

    /// Posts what was read, in order; answers why it does not go on, if so.
    async fn post(&mut self, batch: Batch, stop: &Stop) -> Result<Option<End>, Fault> {
        // What is told after the subscription was changed is left out, or not, as it is then: so the
        // look at it comes after what was read.
        if (!batch.events.is_empty() || batch.cursor > self.progress.position)
            && let Some(end) = self.save(HOLD).await?.end()
        {
            return Ok(Some(end));
        }
        for event in batch.events {
            if stop.is_cancelled() {
                return Ok(Some(End::Quiet));
            }
            let Some(body) = self.written(&event)? else {
                self.progress.passed(event.position);
                // Many that are left out in a row are no long turn of this thread.
                tokio::task::yield_now().await;
                continue;
            };
            match self.try_once(&event, body).await {
                Ok(()) => {
                    self.progress.taken(event.position, self.push.db.clock().now());
                    if let Some(end) = self.save(HOLD).await?.end() {
                        return Ok(Some(end));
                    }
                    // After it: one event at least is posted in each turn.
                    if self.is_over() {
                        return Ok(Some(End::Quiet));
                    }
                }
                Err(failed) => {
                    self.failed(failed).await?;
                    return Ok(Some(End::Failed));
                }
            }
        }
        self.progress.passed(batch.cursor);
        Ok(self.save(HOLD).await?.end())
    }

    /// An event as it is posted; none where the filter leaves it out.
    fn written(&self, event: &Arc<Event>) -> Result<Option<Bytes>, Fault> {
        let is_heavy = event.payload.as_ref().is_some_and(|payload| payload.value.len() > HEAVY_BYTES);
        server::aside(is_heavy, || {
            let written = CloudEvent::of(event)?;
            if self.filter.holds(&written.seen()) { written.json().map(Some) } else { Ok(None) }
        })
    }

    async fn try_once(&self, event: &Event, body: Bytes) -> Result<(), Failed> {
        let why = |why: &str| Failed { why: why.to_owned(), retry_after: None, is_gone: false };
        let target: Target =
            self.subscription.wanted.url.parse().map_err(|_| why("its URL is none that can be used"))?;
        let now = self.push.db.clock().now();
        let headers =
            headers(&self.subscription, event, &body, now).ok_or_else(|| why("it cannot be signed"))?;
        let post = Post { headers, body, timeout: self.subscription.wanted.timeout };
        let reply = self
            .push
            .sender
            .post(&target, post)
            .await
            .map_err(|failure: Failure| why(&failure.to_string()))?;
        match reply.status {
            200..=299 => Ok(()),
            status => Err(Failed {
                why: status.to_string(),
                retry_after: reply.retry_after,
                is_gone: status == GONE,
            }),
        }
    }

    /// Writes that a try failed, and pauses the subscription where that is enough.
    async fn failed(&mut self, failed: Failed) -> Result<(), Fault> {
        let now = self.push.db.clock().now();
        let given_up = self.progress.failed(failed, now);
        if self.save(SignedDuration::ZERO).await? == Held::Lost {
            return Ok(());
        }
        let Some(reason) = given_up else { return Ok(()) };
        let (id, tenant, source) = (self.feed.id, &self.feed.tenant, &self.feed.source);
        tracing::warn!(subscription = %id, %tenant, source, reason, "an event subscription is paused for its failures");
        let paused = self.push.db.transact("event_push.pause", tenant, async move |mut tx| {
            if let Some(mut one) = store::lock_event_subscription(&mut tx, id).await? {
                // Somebody else may have paused it meanwhile: then that stands.
                if one.pause(Pause { reason, by: String::new(), at: tx.now() }).is_ok() {
                    store::save_event_subscription(&mut tx, &one).await?;
                }
            }
            Ok((tx, ()))
        });
        paused.await
    }

    /// Lets go of the feed, so that another may have it at once, or once it can be read.
    async fn let_go(&mut self, end: End) -> Result<(), Fault> {
        match end {
            End::Quiet => self.save(SignedDuration::ZERO).await.map(|_| ()),
            End::Away => self.save(AWAY).await.map(|_| ()),
            End::Failed | End::Lost => Ok(()),
        }
    }

    /// Writes how far it is, and holds the feed for that long.
    async fn save(&self, hold: SignedDuration) -> Result<Held, Fault> {
        let (of, version) = ((self.feed.id, self.holder), self.subscription.version);
        let progress = self.progress.clone();
        let save = async move |mut tx: Tx| {
            let until = tx.now() + hold;
            if !store::save_event_progress(&mut tx, of, &progress, until).await? {
                return Ok((tx, Held::Lost));
            }
            let now = store::event_subscription(&mut tx, of.0).await?;
            let is_same = now.is_some_and(|now| now.version == version);
            Ok((tx, if is_same { Held::Still } else { Held::Changed }))
        };
        self.push.db.transact("event_push.save", &self.feed.tenant, save).await
    }
}

/// The headers of an event: its signatures, and its trace.
fn headers(
    subscription: &EventSubscription,
    event: &Event,
    body: &[u8],
    now: Timestamp,
) -> Option<HeaderMap> {
    let secrets: Vec<webhook::Secret> =
        subscription.secrets(now).into_iter().filter_map(|secret| secret.expose().parse().ok()).collect();
    let (id, timestamp) = (event.id.clone(), now.as_second());
    let signature = webhook::signatures(&secrets, &Message { id: &id, timestamp, body });
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, CLOUD_EVENT);
    for (name, value) in
        [(webhook::ID, id), (webhook::TIMESTAMP, timestamp.to_string()), (webhook::SIGNATURE, signature)]
    {
        headers.insert(name, HeaderValue::from_str(&value).ok()?);
    }
    Some(headers)
}

/// Where each feed ends now, in the order of the services' names.
///
/// # Errors
///
/// Fails if one cannot be read.
pub(crate) async fn heads(sources: &FollowedSources) -> Result<Vec<(&'static str, i64)>, Fault> {
    let each = SOURCES.map(|source| async move {
        let feed = sources.get(source).ok_or_else(not_ready)?;
        let mut batches = feed.subscribe(Subscription { max: 1, ..Subscription::after(0, &[]) });
        let first = timeout(PATIENCE, batches.next()).await.map_err(|_| not_ready())?;
        Ok((source, first.ok_or_else(not_ready)??.head))
    });
    futures::future::try_join_all(each).await
}

fn not_ready() -> Fault {
    Fault::new(Kind::Unavailable, "FEED_NOT_READY", "a feed cannot be read just now; try again")
        .retry_after(PATIENCE)
}
