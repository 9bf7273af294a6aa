//! Applies events in transactions with the cursor; sets aside those that resist, those
//! that wait for the other lane, and those behind them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use fault::Fault;
use kernel::{Lane, TenantId};
use pg::{Patience, Tx};
use uuid::Uuid;

use super::retry::FIRST_RETRY;
use super::{Consumer, HOLD, is_outage};
use crate::Delivered;
use crate::cursor::{self, FeedProgress, Part};
use crate::parked::{self, Aside, First};

/// How often one event is tried before it is parked.
pub(super) const TRIES: u32 = 5;
/// Pause before the second try; doubles each time.
pub(super) const TRY_PAUSE: Duration = Duration::from_millis(40);
/// How long a batch waits for a lock that somebody else has, and how long a statement of
/// it may take: everybody else's events wait behind it.
const BATCH: Patience = Patience { lock: Duration::from_secs(2), statement: Duration::from_secs(5) };
/// The same of an event alone, to find the one that a batch fails of.
pub(super) const ALONE: Patience =
    Patience { lock: Duration::from_millis(500), statement: Duration::from_secs(2) };
/// So many in a row that meet a busy database are not the fault of one of them.
const MAX_BUSY: usize = 3;

/// Events that are applied together, and how far the cursor moves with them.
pub(super) struct Piece {
    pub(super) events: Arc<Vec<Delivered>>,
    pub(super) cursor: i64,
    epoch: Arc<str>,
}

impl Piece {
    pub(super) fn new(events: Vec<Delivered>, cursor: i64, epoch: Arc<str>) -> Self {
        Self { events: Arc::new(events), cursor, epoch }
    }

    fn alone(&self, event: &Delivered) -> Self {
        Self::new(vec![event.clone()], event.position, self.epoch.clone())
    }
}

/// What became of a piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// All of it is applied, or set aside.
    Whole,
    /// The rest has to wait until something else is applied.
    Waits,
    /// The tenants that are read apart are others than was thought.
    Stale,
    /// An event of this tenant resists, or has to wait for what does.
    Resists(TenantId),
}

impl Consumer {
    /// Applies a piece, in whole or, where an event resists, one by one.
    pub(super) async fn apply(
        &self,
        part: &Part,
        except: &[TenantId],
        piece: &Piece,
    ) -> Result<Outcome, Fault> {
        match self.apply_whole(part, except, piece, BATCH).await {
            Ok(outcome) => {
                self.measure((part.source, part.lane), &piece.events);
                Ok(outcome)
            }
            Err(fault) if is_outage(&fault) || piece.events.is_empty() => Err(fault),
            Err(fault) => {
                let (source, lane) = (part.source, part.lane.name());
                tracing::warn!(
                    source,
                    lane,
                    fault = fault.chain(),
                    "a batch resists; its events are tried one by one"
                );
                self.apply_singly(part, except, piece).await
            }
        }
    }

    /// Where others are read along, the first that resists has its tenant read apart; on
    /// its own, a tenant waits for no one but itself.
    async fn apply_singly(&self, part: &Part, except: &[TenantId], piece: &Piece) -> Result<Outcome, Fault> {
        let mut busy = 0;
        for event in piece.events.iter() {
            let one = piece.alone(event);
            match self.apply_whole(part, except, &one, ALONE).await {
                Ok(Outcome::Whole) => busy = 0,
                Ok(outcome) => return Ok(outcome),
                Err(fault) if is_outage(&fault) => return Err(fault),
                Err(_) if part.apart.is_none() && Self::has_room_apart(except) => {
                    return Ok(Outcome::Resists(event.tenant.clone()));
                }
                Err(fault) if fault.is_contention() && busy + 1 == MAX_BUSY => return Err(fault),
                Err(fault) => busy = if self.endure(part, except, &one, fault).await? { busy + 1 } else { 0 },
            }
        }
        let rest = Piece::new(Vec::new(), piece.cursor, piece.epoch.clone());
        self.apply_whole(part, except, &rest, BATCH).await
    }

    /// Tries an event again that failed alone, and sets it aside if that does not help: for
    /// a while if the database was busy, else until somebody looks into it. Answers whether
    /// it was busy.
    async fn endure(
        &self,
        part: &Part,
        except: &[TenantId],
        one: &Piece,
        mut fault: Fault,
    ) -> Result<bool, Fault> {
        let Some(event) = one.events.first() else { return Ok(false) };
        let mut pause = TRY_PAUSE;
        let mut attempts = 1;
        while attempts < TRIES && !fault.is_contention() {
            tokio::time::sleep(pause).await;
            pause *= 2;
            attempts += 1;
            match self.apply_whole(part, except, one, ALONE).await {
                Ok(_) => return Ok(false),
                Err(again) if is_outage(&again) => return Err(again),
                Err(again) => fault = again,
            }
        }
        let is_busy = fault.is_contention();
        let now = self.db.clock().now();
        let mut aside = Aside { error: fault.chain(), attempts, ..Aside::default() };
        if is_busy {
            (aside.retry_at, aside.failing_since) = (Some(self.try_at(now, FIRST_RETRY)), Some(now));
        } else {
            log_parked(part.source, event, &fault);
        }
        self.park(part, event.clone(), aside).await?;
        Ok(is_busy)
    }

    /// Sets an event aside, unless another replica has got past it meanwhile.
    async fn park(&self, part: &Part, event: Delivered, aside: Aside) -> Result<(), Fault> {
        let part = part.clone();
        self.db
            .transact_shared("inbox.park", async move |mut tx| {
                let progress = cursor::lock(&mut tx, &part).await?;
                let is_ours =
                    part.apart.is_some() || progress.cursor(part.lane, event.tenant.as_str()).is_none();
                if is_ours && progress.of(&part).is_some_and(|mine| event.position > mine.position) {
                    tx.act_for(&event.tenant).await?;
                    parked::park(&mut tx, part.source, &event, &aside).await?;
                    cursor::store(&mut tx, &part, (event.position, ""), None).await?;
                }
                Ok((tx, ()))
            })
            .await
    }

    /// Applies events in one transaction with the cursor, as far as they may be applied.
    /// What is at or below the stored cursor was applied before and is left out.
    async fn apply_whole(
        &self,
        part: &Part,
        except: &[TenantId],
        piece: &Piece,
        patience: Patience,
    ) -> Result<Outcome, Fault> {
        let is_background = part.apart.is_some() || part.lane == Lane::Bulk;
        let _permit = if is_background {
            Some(self.background.acquire().await.map_err(Fault::internal)?)
        } else {
            None
        };
        let (reactor, replica) = (self.reactor.clone(), self.replica);
        let (mine, expected) = (part.clone(), except.to_vec());
        let (events, cursor, epoch) = (piece.events.clone(), piece.cursor, piece.epoch.clone());
        let (outcome, moved) = self
            .db
            .transact_within("inbox.apply", patience, None, async move |mut tx| {
                let progress = cursor::lock(&mut tx, &mine).await?;
                let Some(own) = progress.of(&mine) else { return Ok((tx, (Outcome::Stale, None))) };
                if mine.apart.is_none() && progress.apart(mine.lane) != expected {
                    return Ok((tx, (Outcome::Stale, None)));
                }
                let applicable = Applicable::of(&mine, &progress, &events, own.position, cursor);
                tx.set_lane(mine.lane);
                for (tenant, group) in by_tenant(&applicable.events) {
                    tx.act_for(&tenant).await?;
                    let ready = set_behind(&mut tx, &mine, &progress, group).await?;
                    if !ready.is_empty() {
                        fault::caught(reactor.react(&mut tx, &ready)).await?;
                    }
                }
                let Applicable { outcome, position, .. } = applicable;
                let keep = mine.apart.is_none().then_some((replica, HOLD));
                cursor::store(&mut tx, &mine, (position, &epoch), keep).await?;
                let aside = parked::size(&mut tx, mine.source).await?;
                Ok((tx, (outcome, Some((position, aside)))))
            })
            .await?;
        if let Some((position, aside)) = moved {
            self.note_applied(part, position, aside);
        }
        Ok(outcome)
    }
}

pub(super) fn log_parked(source: &'static str, event: &Delivered, fault: &Fault) {
    tracing::error!(
        source,
        event.id = %event.id,
        event.type = event.type_name,
        case.id = %event.subject,
        fault = fault.chain(),
        "an event is parked; its case waits for it to be driven again"
    );
}

/// The events of a piece that may be applied now.
struct Applicable {
    events: Vec<Delivered>,
    outcome: Outcome,
    /// Where the cursor is after them.
    position: i64,
}

impl Applicable {
    /// Events of a lane are in the order of their positions. Between the lanes, a bulk event
    /// waits for what is told before it in the live lane; a live one that follows a bulk one
    /// is set aside until that is applied, for what is live waits for nobody else. A tenant
    /// that is read apart stays behind its lane, so that it can be read with it again.
    fn of(part: &Part, progress: &FeedProgress, events: &[Delivered], applied: i64, cursor: i64) -> Self {
        let lane = if part.apart.is_some() { progress.cursor(part.lane, "") } else { None };
        let most = lane.map_or(i64::MAX, |lane| lane.position);
        let mut applicable = Vec::with_capacity(events.len());
        for event in fresh(events, applied) {
            let live = match part.lane {
                Lane::Live => i64::MAX,
                Lane::Bulk => progress.position(Lane::Live, &event.tenant),
            };
            if event.position > most.min(live) {
                let is_apart = progress.cursor(Lane::Live, event.tenant.as_str()).is_some();
                let holds_others_up = part.apart.is_none() && part.lane == Lane::Bulk && is_apart;
                let outcome =
                    if holds_others_up { Outcome::Resists(event.tenant.clone()) } else { Outcome::Waits };
                return Self {
                    events: applicable,
                    outcome,
                    position: applied.max(event.position - 1).min(most),
                };
            }
            applicable.push(event.clone());
        }
        Self { events: applicable, outcome: Outcome::Whole, position: applied.max(cursor.min(most)) }
    }
}

/// The events that were not applied yet: positions grow, and one that comes again
/// was applied, or is in this very batch.
fn fresh(events: &[Delivered], mut applied: i64) -> impl Iterator<Item = &Delivered> {
    events.iter().filter(move |event| {
        let is_new = event.position > applied;
        applied = applied.max(event.position);
        is_new
    })
}

/// Splits events by tenant, keeping each tenant's order.
fn by_tenant(events: &[Delivered]) -> Vec<(TenantId, Vec<Delivered>)> {
    let mut groups: Vec<(TenantId, Vec<Delivered>)> = Vec::new();
    for event in events {
        match groups.iter_mut().find(|(tenant, _)| *tenant == event.tenant) {
            Some((_, group)) => group.push(event.clone()),
            None => groups.push((event.tenant.clone(), vec![event.clone()])),
        }
    }
    groups
}

/// Sets aside the events of cases of which earlier events are, and live ones that follow
/// bulk events that are not applied yet; answers the others.
async fn set_behind(
    tx: &mut Tx,
    part: &Part,
    progress: &FeedProgress,
    group: Vec<Delivered>,
) -> Result<Vec<Delivered>, Fault> {
    let follows_most = group.iter().map(|event| event.follows).max().unwrap_or_default();
    let Some(tenant) = group.first().map(|event| event.tenant.clone()) else { return Ok(group) };
    let bulk = progress.position(Lane::Bulk, &tenant);
    if progress.aside == 0 && (part.lane == Lane::Bulk || follows_most <= bulk) {
        return Ok(group);
    }
    let mut waiting: HashMap<Uuid, First> = parked::firsts(tx, part.source, &group).await?;
    let mut ready = Vec::with_capacity(group.len());
    for event in group {
        let first = waiting.get(&event.subject).filter(|first| first.position < event.position).copied();
        let is_early = part.lane == Lane::Live && event.follows > bulk;
        if first.is_none() && !is_early {
            ready.push(event);
            continue;
        }
        let is_stuck = first.is_some_and(|first| first.is_stuck);
        let aside = Aside { retry_at: (!is_stuck).then_some(tx.now()), ..Aside::default() };
        parked::park(tx, part.source, &event, &aside).await?;
        waiting.entry(event.subject).or_insert(First { position: event.position, is_stuck });
    }
    Ok(ready)
}
