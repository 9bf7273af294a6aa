//! Rebuilds of the facts: those of before are thrown away, and the feeds are read again from
//! their beginning, beside what arrives. What is kept twice is kept once: the two need know
//! nothing of each other.
//!
//! Each step moves how far it is together with what it keeps: replicas take turns, and who is
//! killed is gone on from.

use std::collections::HashMap;
use std::time::Duration;

use events::{Batch, Delivered, Subscription, Tenants};
use fault::{Fault, Kind};
use futures::StreamExt as _;
use futures::stream::BoxStream;
use kernel::{Lane, TenantId};
use pg::{Db, Tx};
use server::{FollowedSources, Stop};

use super::facts;
use super::process::FOLLOWS;
use crate::fact::Rebuild;
use crate::refusal::Refusal;
use crate::store;

/// How often it is looked for rebuilds.
const LOOK: Duration = Duration::from_millis(500);
/// A feed that says nothing for so long is asked again.
const SILENCE: Duration = Duration::from_secs(10);
/// Longest that a feed may take to say whether it holds more.
const LAG_PATIENCE: Duration = Duration::from_secs(1);
/// How we name ourselves in traces.
const READER: &str = "feedback.facts";

/// Refuses while what is there is not all.
pub(crate) async fn refuse_while_rebuilding(tx: &mut Tx) -> Result<(), Fault> {
    if store::is_rebuilding(tx).await? { Err(Refusal::FactsRebuilding.into()) } else { Ok(()) }
}

/// Goes on with rebuilds until told to stop.
pub(crate) async fn run(db: Db, sources: FollowedSources, stop: Stop) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LOOK) => {}
        }
        let outcome = tokio::select! {
            () = stop.cancelled() => return,
            done = go_on(&db, &sources) => done,
        };
        if let Err(fault) = outcome {
            tracing::warn!(fault = fault.chain(), "facts cannot be rebuilt; trying again");
        }
    }
}

async fn go_on(db: &Db, sources: &FollowedSources) -> Result<(), Fault> {
    let tenants = db
        .transact_as_worker("facts.rebuilding", async move |mut tx| {
            let tenants = store::rebuilding_tenants(&mut tx).await?;
            Ok((tx, tenants))
        })
        .await?;
    for tenant in tenants {
        while throw_away(db, &tenant).await? {}
        for follow in FOLLOWS {
            read(db, sources, &tenant, follow.source).await?;
        }
    }
    Ok(())
}

/// Throws some of the facts of before away; answers whether any may be left.
async fn throw_away(db: &Db, tenant: &TenantId) -> Result<bool, Fault> {
    db.transact("facts.throw_away", tenant, async move |mut tx| {
        store::hold_kpi_settings(&mut tx).await?;
        if !store::rebuilds(&mut tx).await?.iter().any(Rebuild::is_throwing) {
            return Ok((tx, false));
        }
        store::hold_totals(&mut tx).await?;
        let left = store::throw_facts_away(&mut tx).await?;
        if !left {
            store::begin_rebuilds(&mut tx).await?;
        }
        Ok((tx, left))
    })
    .await
}

/// Reads a source up to where it stood when reading began.
async fn read(
    db: &Db,
    sources: &FollowedSources,
    tenant: &TenantId,
    name: &'static str,
) -> Result<(), Fault> {
    let Some(mut rebuild) = look(db, tenant, name).await?.filter(is_reading) else { return Ok(()) };
    let source = sources.get(name).ok_or_else(not_connected)?;
    let mut stream = source.subscribe(subscription(name, tenant, rebuild.position, events::MAX_BATCH));
    while is_reading(&rebuild) {
        let next = tokio::time::timeout(SILENCE, stream.next()).await.map_err(|_| silent())?;
        let Some(batch) = next else { return Ok(()) };
        match keep(db, tenant, &rebuild, batch?).await? {
            Some(now) => rebuild = now,
            // Somebody else is at it, or it was asked for anew.
            None => return Ok(()),
        }
    }
    Ok(())
}

fn is_reading(rebuild: &Rebuild) -> bool {
    rebuild.finished.is_none() && !rebuild.is_throwing()
}

async fn look(db: &Db, tenant: &TenantId, name: &'static str) -> Result<Option<Rebuild>, Fault> {
    db.transact("facts.look", tenant, async move |mut tx| {
        let all = store::rebuilds(&mut tx).await?;
        Ok((tx, all.into_iter().find(|rebuild| rebuild.source == name)))
    })
    .await
}

/// Keeps what a batch adds, and how far that is; none where the rebuild is not where it was.
async fn keep(db: &Db, tenant: &TenantId, rebuild: &Rebuild, batch: Batch) -> Result<Option<Rebuild>, Fault> {
    let Batch { events, cursor, head, .. } = batch;
    let opened = events.iter().filter_map(|event| Delivered::open(event, READER).ok());
    // One that cannot be read is parked where it is first heard, and counts nowhere.
    let opened: Vec<Delivered> = opened.collect();
    let mut kept = crate::fact::Facts::default();
    for event in &opened {
        if let Err(fault) = facts::add(&mut kept, event) {
            tracing::warn!(position = event.position, fault = fault.chain(), "an event counts nowhere");
        }
    }
    let expected = rebuild.clone();
    db.transact("facts.rebuild", tenant, async move |mut tx| {
        let known = store::lock_rebuild(&mut tx, &expected.source).await?;
        let Some(mut known) = known.filter(|known| *known == expected) else { return Ok((tx, None)) };
        known.read(cursor, head, tx.now());
        store::save_rebuild(&mut tx, &known).await?;
        facts::keep(&mut tx, &kept).await?;
        Ok((tx, Some(known)))
    })
    .await
}

fn subscription(name: &str, tenant: &TenantId, cursor: i64, max: usize) -> Subscription {
    let follow = FOLLOWS.iter().find(|follow| follow.source == name);
    let types = follow.map_or(&[][..], |follow| follow.types);
    Subscription { tenants: Tenants::Only(tenant.clone()), max, ..Subscription::after(cursor, types) }
}

/// Age of the oldest event of a source that is not counted yet, beyond where its lanes have
/// been applied; none where the feed cannot be asked.
pub(crate) async fn lag(
    db: &Db,
    sources: &FollowedSources,
    tenant: &TenantId,
    (name, positions): (&'static str, &Positions),
) -> Option<Duration> {
    let lanes = Lane::ALL.iter().map(|lane| async move {
        let cursor = positions.get(&(name.to_owned(), lane.number())).copied().unwrap_or(0);
        let wanted = Subscription { lane: Some(*lane), ..subscription(name, tenant, cursor, 1) };
        tokio::time::timeout(LAG_PATIENCE, oldest(db, sources.get(name)?.subscribe(wanted)))
            .await
            .ok()
            .flatten()
    });
    let lanes: Vec<Option<Duration>> = futures::future::join_all(lanes).await;
    lanes.into_iter().collect::<Option<Vec<Duration>>>()?.into_iter().max()
}

/// How far each lane of each source has been applied.
pub(crate) type Positions = HashMap<(String, i16), i64>;

/// Age of the first event of a stream; zero where it has none.
async fn oldest(db: &Db, mut stream: BoxStream<'static, Result<Batch, Fault>>) -> Option<Duration> {
    loop {
        let Batch { events, cursor, head, .. } = stream.next().await?.ok()?;
        if let Some(event) = events.first() {
            let occurred = Delivered::open(event, READER).ok()?.occurred;
            return Some(db.clock().now().duration_since(occurred).unsigned_abs());
        }
        if cursor >= head {
            return Some(Duration::ZERO);
        }
    }
}

fn silent() -> Fault {
    Fault::new(Kind::Unavailable, "FEED_SILENT", "the feed fell silent")
}

fn not_connected() -> Fault {
    Fault::internal("a source is counted but not connected")
}

/// The sources that are counted, in the order in which facts list them.
pub(crate) fn sources() -> Vec<&'static str> {
    let mut sources: Vec<&'static str> = FOLLOWS.iter().map(|follow| follow.source).collect();
    sources.sort_by_key(|source| facts::FOLLOWS.iter().position(|follow| follow.source == *source));
    sources
}
