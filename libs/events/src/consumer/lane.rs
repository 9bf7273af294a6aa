//! One lane of a feed: everybody's events but those of the tenants that are read apart.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use fault::Fault;
use futures::StreamExt as _;
use kernel::{Lane, TenantId};
use proto::redress::event::v1::Event;
use tokio::sync::watch;
use tokio::time::Instant;

use super::apply::{Outcome, Piece};
use super::silence::Silence;
use super::{Consumer, HOLD, SILENCE, silent};
use crate::cursor::{Cursor, FeedProgress, Part};
use crate::{Batch, Delivered, Follow, MAX_BATCH, Source, Subscription, Tenants};

/// A cursor that moved over filtered events only is stored no more often than this, and
/// no later: the bulk lane waits for the live one's.
const IDLE_STORE: Duration = Duration::from_millis(250);
/// The same of the bulk lane's cursor, for which nobody waits but a restart.
const IDLE_BULK_STORE: Duration = Duration::from_secs(2);
/// How long what may not be applied yet waits for the other lane, or for its own.
const LANE_WAIT: Duration = Duration::from_millis(50);
/// Most events of a batch of the bulk lane: who waits for what it locks waits no longer
/// than for so many.
const MAX_BULK_BATCH: usize = 200;
/// So many events of one tenant that are read while the lane is behind are a backlog: the
/// tenant is read apart, and others wait for no more than these.
const BACKLOG: usize = 2 * MAX_BATCH;
/// Most tenants that are read apart in a lane.
const MAX_APART: usize = 32;

/// A lane as this replica works it.
pub(super) struct Work<'a> {
    pub(super) follow: &'static Follow,
    pub(super) lane: Lane,
    pub(super) source: &'a dyn Source,
    /// Who is read apart, in order.
    pub(super) apart: watch::Sender<Vec<TenantId>>,
}

impl<'a> Work<'a> {
    pub(super) fn new(
        follow: &'static Follow,
        lane: Lane,
        source: &'a dyn Source,
        progress: &FeedProgress,
    ) -> Self {
        Self { follow, lane, source, apart: watch::Sender::new(progress.apart(lane)) }
    }

    pub(super) fn key(&self) -> (&'static str, Lane) {
        (self.follow.source, self.lane)
    }

    /// The part that is everybody's, or one tenant's.
    pub(super) fn part(&self, apart: Option<TenantId>) -> Part {
        Part { source: self.follow.source, lane: self.lane, apart }
    }

    pub(super) fn subscription(&self, cursor: &Cursor, tenants: Tenants) -> Subscription {
        Subscription {
            epoch: cursor.epoch.clone(),
            lane: Some(self.lane),
            tenants,
            max: if self.lane == Lane::Bulk { MAX_BULK_BATCH } else { MAX_BATCH },
            ..Subscription::after(cursor.position, self.follow.types)
        }
    }
}

/// How far the cursor has moved, and is stored.
struct Progress {
    seen: i64,
    stored: i64,
    stored_at: Instant,
    heard_at: Instant,
    epoch: Arc<str>,
    idle_store: Duration,
}

impl Progress {
    fn new(cursor: &Cursor, lane: Lane) -> Self {
        let (now, stored, epoch) = (Instant::now(), cursor.position, cursor.epoch.as_str().into());
        let idle_store = if lane == Lane::Live { IDLE_STORE } else { IDLE_BULK_STORE };
        Self { seen: stored, stored, stored_at: now, heard_at: now, epoch, idle_store }
    }

    /// When it is to be stored though nothing was applied.
    fn due(&self) -> Instant {
        self.stored_at + if self.seen > self.stored { self.idle_store } else { HOLD.unsigned_abs() / 2 }
    }

    fn store(&mut self) {
        (self.stored, self.stored_at) = (self.seen, Instant::now());
    }
}

/// What comes next for a lane.
enum Step {
    /// Other tenants are read apart than those the subscription leaves out.
    Anew,
    Store,
    Read(Option<Result<Batch, Fault>>),
}

impl Consumer {
    /// Applies a lane until its stream ends in good order or something fails.
    pub(super) async fn read_lane(&self, work: &Work<'_>, silence: &mut Silence) -> Result<(), Fault> {
        loop {
            let mut apart = work.apart.subscribe();
            let except = apart.borrow_and_update().clone();
            let part = work.part(None);
            let progress = self.look_now(part.source).await?;
            let cursor = progress.of(&part).cloned().unwrap_or_default();
            let tenants =
                if except.is_empty() { Tenants::All } else { Tenants::Except(except.as_slice().into()) };
            let mut stream = work.source.subscribe(work.subscription(&cursor, tenants));
            let mut progress = Progress::new(&cursor, work.lane);
            let mut backlog = Backlog::default();
            loop {
                let step = tokio::select! {
                    biased;
                    _ = apart.changed() => Step::Anew,
                    () = tokio::time::sleep_until(progress.due()) => Step::Store,
                    batch = tokio::time::timeout_at(progress.heard_at + SILENCE, stream.next()) => {
                        Step::Read(batch.map_err(|_| silent())?)
                    }
                };
                let is_current = match step {
                    Step::Anew => false,
                    Step::Store => self.store(work, &except, &mut progress).await?,
                    Step::Read(None) => return Ok(()),
                    Step::Read(Some(batch)) => {
                        progress.heard_at = Instant::now();
                        self.hear(work.key(), silence);
                        self.take(work, &except, (&mut progress, &mut backlog), batch?).await?
                    }
                };
                if !is_current {
                    break;
                }
            }
        }
    }

    /// Stores how far the cursor has moved over what nobody here wants.
    async fn store(
        &self,
        work: &Work<'_>,
        except: &[TenantId],
        progress: &mut Progress,
    ) -> Result<bool, Fault> {
        let nothing = Piece::new(Vec::new(), progress.seen, progress.epoch.clone());
        let outcome = self.apply(&work.part(None), except, &nothing).await?;
        progress.store();
        Ok(outcome != Outcome::Stale)
    }

    /// Applies a batch; answers whether the subscription is still the right one.
    async fn take(
        &self,
        work: &Work<'_>,
        except: &[TenantId],
        (progress, backlog): (&mut Progress, &mut Backlog),
        batch: Batch,
    ) -> Result<bool, Fault> {
        let Batch { events, cursor, head, epoch } = batch;
        let part = work.part(None);
        progress.seen = progress.seen.max(cursor);
        progress.epoch = epoch;
        if events.is_empty() {
            // Nothing of interest up to here: known at once, stored now and then.
            self.note_position(&part, cursor);
            backlog.observe(&[], cursor < head);
            return Ok(true);
        }
        let piece = Piece::new(self.open(&events, work.lane), cursor, progress.epoch.clone());
        if !self.apply_all(work, &part, except, &piece).await? {
            return Ok(false);
        }
        progress.store();
        if let Some(tenant) = backlog.observe(&piece.events, cursor < head) {
            let (source, lane) = (part.source, part.lane.name());
            tracing::info!(source, lane, %tenant, "a tenant has a backlog; it is read apart");
            return Ok(!self.set_apart(work, &tenant).await?);
        }
        Ok(true)
    }

    /// Applies a piece in whole, waiting for what has to be applied before; answers
    /// false where that is not this part's any more.
    pub(super) async fn apply_all(
        &self,
        work: &Work<'_>,
        part: &Part,
        except: &[TenantId],
        piece: &Piece,
    ) -> Result<bool, Fault> {
        loop {
            match self.apply(part, except, piece).await? {
                Outcome::Whole => return Ok(true),
                Outcome::Stale => return Ok(false),
                Outcome::Waits => {}
                Outcome::Resists(tenant) => {
                    if self.set_apart(work, &tenant).await? {
                        return Ok(false);
                    }
                }
            }
            tokio::time::sleep(LANE_WAIT).await;
        }
    }

    /// Whether one more tenant may be read apart.
    pub(super) fn has_room_apart(except: &[TenantId]) -> bool {
        except.len() < MAX_APART
    }

    /// Takes events apart, those of a lane. One that is not an event at all has no tenant
    /// to be parked under: it is logged and left out.
    pub(super) fn open(&self, events: &[Arc<Event>], lane: Lane) -> Vec<Delivered> {
        let of_lane = events.iter().filter(|event| Lane::of(event.lane) == lane);
        let opened = of_lane.filter_map(|event| {
            Delivered::open(event, self.name())
                .inspect_err(|fault| {
                    tracing::error!(event.id = event.id, fault = fault.chain(), "not an event; left out");
                })
                .ok()
        });
        opened.collect()
    }
}

/// Who has had how many events read while the lane was behind.
#[derive(Default)]
struct Backlog(HashMap<TenantId, usize>);

impl Backlog {
    /// Takes a batch into account; answers who has a backlog.
    fn observe(&mut self, events: &[Delivered], is_behind: bool) -> Option<TenantId> {
        if !is_behind {
            self.0.clear();
            return None;
        }
        for event in events {
            *self.0.entry(event.tenant.clone()).or_default() += 1;
        }
        self.0.iter().find(|(_, count)| **count >= BACKLOG).map(|(tenant, _)| tenant.clone())
    }
}
