//! Facts of invented histories, in a database.

use std::sync::Arc;

use kernel::{RandomIds, SystemClock, TenantId};
use pg::Db;
use testkit::Database;

use super::history::{Chance, events, invented};
use super::*;

/// A copy of the schema, and a pool over it.
pub(crate) async fn feedback() -> anyhow::Result<(Database, Db)> {
    let migrate = async |url: String| {
        let all = [&pg::MIGRATIONS, &events::MIGRATIONS, &crate::MIGRATIONS];
        pg::migrate(&url, "feedback", &all).await
    };
    let database = Database::copy_of("facts", migrate).await?;
    let db = Db::open(database.url(), 4, "feedback", Arc::new(SystemClock), Arc::new(RandomIds))?;
    Ok((database, db))
}

pub(crate) fn tenant(name: &str) -> TenantId {
    TenantId::parse(name).expect("a tenant")
}

/// Keeps what events add, in one transaction.
pub(crate) async fn kept(db: &Db, tenant: &TenantId, events: &[Delivered]) -> anyhow::Result<()> {
    let facts = read(events)?;
    let kept = db.transact("test", tenant, async move |mut tx| {
        keep(&mut tx, &facts).await?;
        Ok((tx, ()))
    });
    Ok(kept.await?)
}

/// All that is kept of a tenant, as one hash.
pub(crate) async fn hash(db: &Db, tenant: &TenantId) -> anyhow::Result<String> {
    let hash = db.transact("test", tenant, async move |mut tx| {
        let hash = store::facts_hash(&mut tx).await?;
        Ok((tx, hash))
    });
    Ok(hash.await?)
}

/// Delivers each source in an order of its own, some of it more than once, in batches of all
/// sizes; in the end everything was delivered at least once.
fn delivered_anyhow(sources: &[Vec<Delivered>], chance: &mut Chance) -> Vec<Vec<Delivered>> {
    let mut all: Vec<Delivered> = sources.iter().flatten().cloned().collect();
    for place in (1..all.len()).rev() {
        all.swap(place, chance.place(place + 1));
    }
    let again: Vec<Delivered> = all.iter().filter(|_| chance.below(3) == 0).cloned().collect();
    all.extend(again);
    let mut batches = Vec::new();
    while !all.is_empty() {
        let size = (chance.place(60) + 1).min(all.len());
        batches.push(all.split_off(all.len() - size));
    }
    batches
}

#[tokio::test]
async fn events_of_all_sources_in_any_order_and_told_again_come_to_the_same_rows() -> anyhow::Result<()> {
    let (database, db) = feedback().await?;
    for seed in 1..=4 {
        let truths = invented(seed, 40, 60);
        let ordered = tenant(&format!("ordered-{seed}"));
        for source in events(ordered.as_str(), &truths) {
            for batch in source.chunks(50) {
                kept(&db, &ordered, batch).await?;
            }
        }
        let expected = hash(&db, &ordered).await?;
        let mut chance = Chance(seed * 7_919);
        for round in 0..3 {
            let other = tenant(&format!("anyhow-{seed}-{round}"));
            for batch in delivered_anyhow(&events(other.as_str(), &truths), &mut chance) {
                kept(&db, &other, &batch).await?;
            }
            assert_eq!(hash(&db, &other).await?, expected, "seed {seed}, round {round}");
        }
        let other = tenant("nobody");
        assert_ne!(hash(&db, &other).await?, expected);
    }
    database.drop().await?;
    Ok(())
}

#[tokio::test]
async fn two_who_keep_facts_of_the_same_cases_wait_for_each_other_and_neither_fails() -> anyhow::Result<()> {
    let (database, db) = feedback().await?;
    let truths = invented(11, 60, 30);
    let alone = tenant("alone");
    let together = tenant("together");
    for source in events(alone.as_str(), &truths) {
        kept(&db, &alone, &source).await?;
    }
    let sources = events(together.as_str(), &truths);
    let at_once = sources.iter().map(|source| async {
        for batch in source.chunks(7) {
            kept(&db, &together, batch).await?;
        }
        anyhow::Ok(())
    });
    futures::future::try_join_all(at_once).await?;
    assert_eq!(hash(&db, &together).await?, hash(&db, &alone).await?);
    database.drop().await?;
    Ok(())
}
