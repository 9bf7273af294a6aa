//! The two lanes: what is live does not wait behind what is bulk, nor one tenant behind
//! another's backlog; order per case holds whichever lane its events travel in.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Result, ensure};
use events::{Delivered, Follow, LocalSource, Reactor};
use fault::Fault;
use futures::future::BoxFuture;
use kernel::{Ids as _, Lane, RandomIds};
use pg::Tx;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use proto::redress::cases::v1::CaseClosed;
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::fixture::{Diary, FOLLOWS, Fixture};

/// Events of a backlog of live events.
const MANY: i32 = 2_600;
/// Numbers from here on are of a backlog.
const BACKLOG: i32 = 100_000;

/// Writes down; takes a batch of the backlog in only when it is let.
struct Gated {
    diary: Diary,
    gate: Arc<Semaphore>,
}

impl Reactor for Gated {
    fn consumer(&self) -> &'static str {
        "beta"
    }

    fn follows(&self) -> &'static [Follow] {
        FOLLOWS
    }

    fn react<'a>(&'a self, tx: &'a mut Tx, batch: &'a [Delivered]) -> BoxFuture<'a, Result<(), Fault>> {
        Box::pin(async move {
            let is_backlog =
                |event: &Delivered| event.read::<CaseClosed>().is_ok_and(|told| told.cycle >= BACKLOG);
            if batch.iter().any(is_backlog) {
                // One permit is one batch; it is not given back.
                self.gate.acquire().await.map_err(Fault::internal)?.forget();
            }
            self.diary.react(tx, batch).await
        })
    }
}

fn gated(fixture: &Fixture) -> (Gated, Arc<Semaphore>) {
    let gate = Arc::new(Semaphore::new(0));
    (Gated { diary: fixture.diary(), gate: gate.clone() }, gate)
}

#[tokio::test(flavor = "multi_thread")]
async fn live_events_do_not_wait_behind_bulk_ones() -> Result<()> {
    let fixture = Fixture::open().await?;
    let (old, new, other) = (RandomIds.token(), RandomIds.token(), RandomIds.token());
    for number in 0..300 {
        fixture.tell_in(Lane::Bulk, "one", old, BACKLOG + number).await?;
    }
    let (reactor, gate) = gated(&fixture);
    let beta = fixture.replica(fixture.beta.clone(), reactor, LocalSource(fixture.feed.clone()));
    fixture.tell("one", new, 1).await?;
    fixture.tell("two", other, 2).await?;
    let told = fixture.feed.head();
    let written = fixture.wait_for(2).await?;
    assert_eq!(written, [(new, 1), (other, 2)], "while not one bulk event is applied");

    // Read your writes: a live token waits for the live lane, a bulk one for both.
    let one = kernel::TenantId::parse("one")?;
    let wait = |lane| beta.wait_applied("alpha", (told, lane), &one, std::time::Duration::from_millis(200));
    wait(Lane::Live).await?;
    assert_eq!(wait(Lane::Bulk).await.err().map(|fault| fault.reason()), Some("NOT_YET_APPLIED"));

    // A live event of a case whose bulk events are not applied waits for them.
    fixture.tell("one", old, 7).await?;
    fixture.until(async || Ok(fixture.aside().await?.0 == 1)).await?;
    let waiting = fixture.feed.head();
    let one_more =
        beta.wait_applied("alpha", (waiting, Lane::Live), &one, std::time::Duration::from_millis(200));
    assert_eq!(
        one_more.await.err().map(|fault| fault.reason()),
        Some("NOT_YET_APPLIED"),
        "it is not seen yet"
    );
    gate.add_permits(1_000);
    fixture.wait_for(303).await?;
    let mut expected: Vec<i32> = (0..300).map(|number| BACKLOG + number).collect();
    expected.push(7);
    assert_eq!(fixture.numbers_of(old).await?, expected, "in the order in which it happened");
    fixture.until(async || Ok(fixture.aside().await? == (0, 0))).await?;
    beta.wait_applied("alpha", (waiting, Lane::Bulk), &one, std::time::Duration::from_secs(10)).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenants_backlog_of_live_events_holds_no_other_tenant_up() -> Result<()> {
    let fixture = Fixture::open().await?;
    let (busy, quick) = (RandomIds.token(), RandomIds.token());
    fixture.tell_many("one", busy, BACKLOG..BACKLOG + MANY).await?;
    fixture.tell("two", quick, 1).await?;
    let (reactor, gate) = gated(&fixture);
    let _beta = fixture.replica(fixture.beta.clone(), reactor, LocalSource(fixture.feed.clone()));
    // As many batches as the bound says: then the tenant is read apart, and there is no
    // permit for any more of its events.
    gate.add_permits(2);
    fixture.until(async || Ok(!fixture.numbers_of(quick).await?.is_empty())).await?;
    let before = fixture.numbers_of(busy).await?.len();
    assert!(before <= 1_000, "{before} events of the backlog came first");
    gate.add_permits(1_000);
    fixture.wait_for(usize::try_from(MANY)? + 1).await?;
    assert_eq!(fixture.numbers_of(busy).await?, (BACKLOG..BACKLOG + MANY).collect::<Vec<_>>());

    // Once it has caught up it is read with the others again, and nothing is lost in between.
    let is_together = async || -> Result<bool> {
        let apart = sqlx::query_scalar("SELECT count(*) FROM beta.feed_cursor WHERE apart <> ''");
        let apart: i64 = apart.fetch_one(&mut fixture.database.connect().await?).await?;
        Ok(apart == 0)
    };
    fixture.until(is_together).await?;
    fixture.tell("one", busy, 5).await?;
    fixture.wait_for(usize::try_from(MANY)? + 2).await?;
    assert_eq!(fixture.numbers_of(busy).await?.last(), Some(&5));
    Ok(())
}

/// What happens in the property test.
#[derive(Clone, Copy, Debug)]
struct Step {
    tenant: usize,
    subject: usize,
    lane: Lane,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (0..2_usize, 0..3_usize, prop_oneof![Just(Lane::Live), Just(Lane::Bulk)]);
    prop::collection::vec(step.prop_map(|(tenant, subject, lane)| Step { tenant, subject, lane }), 40..90)
}

/// Whatever lanes a case's events travel in, they are applied once and in their order, by
/// two replicas, with events that resist and are driven again by themselves.
#[tokio::test(flavor = "multi_thread")]
async fn order_per_case_holds_in_whatever_lanes_its_events_travel() -> Result<()> {
    let mut runner = TestRunner::default();
    for _ in 0..4 {
        let steps = steps().new_tree(&mut runner).map_err(|reason| anyhow::anyhow!(reason))?.current();
        let fixture = Fixture::open().await?;
        let subjects: [[Uuid; 3]; 2] = std::array::from_fn(|_| std::array::from_fn(|_| RandomIds.token()));
        let lost = Arc::new(AtomicBool::new(false));
        for _ in 0..2 {
            let fickle = Fickle { diary: fixture.diary(), busy: lost.clone() };
            fixture.replica(fixture.beta.clone(), fickle, LocalSource(fixture.feed.clone()));
        }
        let mut expected: HashMap<Uuid, Vec<i32>> = HashMap::new();
        for (number, step) in steps.iter().enumerate() {
            let (tenant, subject) = (["one", "two"][step.tenant], subjects[step.tenant][step.subject]);
            let number = i32::try_from(number)? + 100;
            lost.store(number % 17 == 0, Ordering::Relaxed);
            fixture.tell_in(step.lane, tenant, subject, number).await?;
            expected.entry(subject).or_default().push(number);
        }
        lost.store(false, Ordering::Relaxed);
        fixture.wait_for(steps.len()).await?;
        for (subject, numbers) in expected {
            let seen = fixture.numbers_of(subject).await?;
            ensure!(seen == numbers, "{seen:?} is not {numbers:?} with {steps:?}");
        }
    }
    Ok(())
}

/// Meets a deadlock now and then.
struct Fickle {
    diary: Diary,
    busy: Arc<AtomicBool>,
}

impl Reactor for Fickle {
    fn consumer(&self) -> &'static str {
        "beta"
    }

    fn follows(&self) -> &'static [Follow] {
        FOLLOWS
    }

    fn react<'a>(&'a self, tx: &'a mut Tx, batch: &'a [Delivered]) -> BoxFuture<'a, Result<(), Fault>> {
        Box::pin(async move {
            if self.busy.load(Ordering::Relaxed) {
                let deadlock = "DO $$ BEGIN RAISE EXCEPTION 'a deadlock' USING ERRCODE = '40P01'; END $$";
                sqlx::raw_sql(deadlock).execute(&mut **tx).await?;
            }
            self.diary.react(tx, batch).await
        })
    }
}

#[tokio::test]
async fn an_upgrade_skips_nothing_and_applies_nothing_twice() -> Result<()> {
    let database = testkit::Database::copy_of("before lanes", async move |url| {
        pg::migrate(&url, "alpha", &[&pg::MIGRATIONS]).await?;
        let before = before(&events::MIGRATIONS, 20_261_128_000_000);
        pg::migrate(&url, "beta", &[&pg::MIGRATIONS, &before]).await
    })
    .await?;
    let mut owner = database.connect().await?;
    let parked = "INSERT INTO beta.inbox_cursor (source, position, parked) VALUES ('alpha', 42, 1), ('gamma', 7, 0);
         INSERT INTO beta.parked_event (tenant_id, source, position, event_id, subject, type, occurred_at, traceparent,
                                        payload, error, attempts, parked_at)
         VALUES ('one', 'alpha', 40, gen_random_uuid(), gen_random_uuid(), 't', now(), '', '', 'poison', 5, now())";
    sqlx::raw_sql(parked).execute(&mut owner).await?;
    pg::migrate(database.url(), "beta", &[&pg::MIGRATIONS, &events::MIGRATIONS]).await?;
    let cursors: Vec<(String, i16, i64)> = sqlx::query_as(
        "SELECT source, lane, position FROM beta.feed_cursor WHERE apart = '' AND epoch = '' ORDER BY source, lane",
    )
    .fetch_all(&mut owner)
    .await?;
    let row = |source: &str, lane, position| (source.to_owned(), lane, position);
    assert_eq!(
        cursors,
        [row("alpha", 1, 42), row("alpha", 2, 42), row("gamma", 1, 7), row("gamma", 2, 7)],
        "both lanes go on where the feed stood"
    );
    let kept: Vec<(String, i64, i64)> = sqlx::query_as(
        "SELECT s.source, s.events, count(p.position) FROM beta.inbox_size s
         LEFT JOIN beta.parked_event p ON p.source = s.source AND p.retry_at IS NULL GROUP BY 1, 2 ORDER BY 1",
    )
    .fetch_all(&mut owner)
    .await?;
    assert_eq!(kept, [("alpha".to_owned(), 1, 1), ("gamma".to_owned(), 0, 0)]);
    drop(owner);
    database.drop().await
}

/// The migrations there were before a version.
fn before(all: &sqlx::migrate::Migrator, version: i64) -> sqlx::migrate::Migrator {
    let migrations = all.migrations.iter().filter(|migration| migration.version < version).cloned().collect();
    sqlx::migrate::Migrator {
        migrations: std::borrow::Cow::Owned(migrations),
        ..sqlx::migrate::Migrator::DEFAULT
    }
}
