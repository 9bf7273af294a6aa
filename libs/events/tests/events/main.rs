//! The feed between two services, over a real Postgres: nothing is skipped,
//! nothing is done twice, order holds per case, and poison holds up its own case
//! only.

mod busy;
mod epochs;
mod fixture;
mod lanes;
mod resisting;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use events::{Batch, LocalSource, Source, Subscription};
use fault::Fault;
use futures::future::join_all;
use futures::stream::{BoxStream, StreamExt as _};
use kernel::{Ids as _, RandomIds, TenantId};
use prost::Message as _;
use proto::redress::cases::v1::CaseClosed;
use sqlx::{Connection as _, Executor as _};
use testkit::Database;
use uuid::Uuid;

use self::fixture::{Fixture, emit_by_hand, emit_payload};

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_commits_late_is_not_skipped() -> Result<()> {
    let fixture = Fixture::open().await?;
    let _beta = fixture.consumer(LocalSource(fixture.feed.clone()));
    let (early, late) = (RandomIds.token(), RandomIds.token());
    fixture.tell("one", early, 1).await?;
    fixture.wait_for(1).await?;

    let mut slow = fixture.by_hand().await?;
    emit_by_hand(&mut slow, late, 2).await?;
    for number in 3..8 {
        fixture.tell("one", early, number).await?; // higher positions, committed first
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(fixture.written().await?.len(), 1, "nothing may pass the open transaction");

    slow.execute("COMMIT").await?;
    let written = fixture.wait_for(7).await?;
    let numbers: Vec<i32> = written.iter().map(|(_, number)| *number).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6, 7]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_transaction_is_waited_for() -> Result<()> {
    let fixture = Fixture::open().await?;
    let _beta = fixture.consumer(LocalSource(fixture.feed.clone()));
    fixture.tell("one", RandomIds.token(), 1).await?;
    fixture.wait_for(1).await?;
    // Nobody begins after it: no later transaction id tells the reader that it runs.
    let mut newest = fixture.by_hand().await?;
    emit_by_hand(&mut newest, RandomIds.token(), 2).await?;
    for _ in 0..7 {
        fixture.alpha.notifier().notify(pg::notifier::EVENTS);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    newest.execute("COMMIT").await?;
    assert_eq!(fixture.wait_for(2).await?.len(), 2);
    Ok(())
}

#[tokio::test]
async fn the_readers_lock_ends_with_its_transaction() -> Result<()> {
    let migrate = async |url: String| pg::migrate(&url, "alpha", &[&pg::MIGRATIONS]).await;
    let database = Database::copy_of("reader", migrate).await?;
    let mut reader = database.connect().await?;
    reader.execute("SET search_path = alpha; SELECT nextval('outbox_position')").await?;
    let locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()";

    reader.execute("BEGIN").await?;
    let quiet: bool = sqlx::query_scalar("SELECT quiet FROM feed_sight(0, 0)").fetch_one(&mut reader).await?;
    assert!(quiet, "nobody writes");
    let held: i64 = sqlx::query_scalar(locks).fetch_one(&mut reader).await?;
    assert_eq!(held, 1, "it is for the end of the transaction to give it back");
    // A statement that is cancelled ends it like this.
    reader.execute("ROLLBACK").await?;
    let left: i64 = sqlx::query_scalar(locks).fetch_one(&mut reader).await?;
    assert_eq!(left, 0);
    reader.close().await?;
    database.drop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_tells_nothing_holds_nobody_up() -> Result<()> {
    let fixture = Fixture::open().await?;
    let _beta = fixture.consumer(LocalSource(fixture.feed.clone()));
    // Somebody else's, of whatever database of the cluster: it may run for hours.
    let mut foreign = fixture.by_hand().await?;
    foreign.execute("SELECT pg_current_xact_id()").await?;
    for number in 1..4 {
        fixture.tell("one", RandomIds.token(), number).await?;
    }
    assert_eq!(fixture.wait_for(3).await?.len(), 3);
    foreign.execute("COMMIT").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn under_a_storm_everything_arrives_once_and_in_order_per_case() -> Result<()> {
    let fixture = Arc::new(Fixture::open().await?);
    let _beta = fixture.consumer(LocalSource(fixture.feed.clone()));
    let _second_replica = fixture.consumer(LocalSource(fixture.feed.clone()));
    let writers = (0..6).map(|writer| {
        let fixture = fixture.clone();
        async move {
            let mut conn = fixture.by_hand().await?;
            let subject = RandomIds.token();
            let mut told = Vec::new();
            for number in 0..30 {
                emit_by_hand(&mut conn, subject, 100 + number).await?;
                tokio::time::sleep(Duration::from_millis(12).mul_f64(RandomIds.fraction())).await;
                // Every fourth transaction is rolled back: its position is a gap for ever.
                let kept = (number + writer) % 4 != 0;
                conn.execute(if kept { "COMMIT" } else { "ROLLBACK" }).await?;
                conn.execute("BEGIN").await?;
                if kept {
                    told.push((subject, 100 + number));
                }
            }
            conn.execute("COMMIT").await?;
            anyhow::Ok(told)
        }
    });
    let told: Vec<Vec<(Uuid, i32)>> = join_all(writers).await.into_iter().collect::<Result<_>>()?;
    let count = told.iter().map(Vec::len).sum();
    let written = fixture.wait_for(count).await?;
    assert_eq!(written.len(), count, "once each");
    for mine in told {
        let subject = mine[0].0;
        let heard: Vec<_> = written.iter().filter(|(of, _)| *of == subject).copied().collect();
        assert_eq!(heard, mine, "in order per case");
    }
    Ok(())
}

/// Delivers every event twice, then the batch again, and then once more behind the
/// one before it.
struct Stutter(LocalSource);

impl Source for Stutter {
    fn subscribe(&self, wanted: Subscription) -> BoxStream<'static, Result<Batch, Fault>> {
        let mut before = Vec::new();
        let stream = self.0.subscribe(wanted).flat_map(move |batch| {
            let again = batch.as_ref().map(Clone::clone).unwrap_or_default();
            let mut replay = again.clone();
            replay.events = std::mem::replace(&mut before, again.events.clone());
            replay.events.extend(again.events.clone());
            let doubled = batch.map(|batch| Batch {
                events: batch.events.iter().flat_map(|event| [event.clone(), event.clone()]).collect(),
                ..batch
            });
            futures::stream::iter([doubled, Ok(again), Ok(replay)])
        });
        stream.boxed()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_duplicate_has_no_second_effect() -> Result<()> {
    let fixture = Fixture::open().await?;
    let _beta = fixture.consumer(Stutter(LocalSource(fixture.feed.clone())));
    let subjects: Vec<Uuid> = (0..4).map(|_| RandomIds.token()).collect();
    for number in 0..40 {
        fixture.tell("one", subjects[number % 4], i32::try_from(number)? + 100).await?;
    }
    fixture.wait_for(40).await?;
    tokio::time::sleep(Duration::from_millis(200)).await;
    let written = fixture.written().await?;
    assert_eq!(written.len(), 40);
    assert_eq!(written.iter().collect::<HashSet<_>>().len(), 40);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn long_events_come_in_batches_that_any_client_takes_in() -> Result<()> {
    let fixture = Fixture::open().await?;
    let mut conn = fixture.by_hand().await?;
    let long = CaseClosed { case_id: "x".repeat(1024 * 1024), ..CaseClosed::default() };
    for _ in 0..20 {
        emit_payload(&mut conn, RandomIds.token(), &long).await?;
    }
    conn.execute("COMMIT").await?;
    fixture.tell("one", RandomIds.token(), 1).await?; // notifies, so that all is read at once

    let wanted = Subscription::after(0, &["redress.cases.v1.CaseClosed"]);
    let mut stream = LocalSource(fixture.feed.clone()).subscribe(wanted);
    let mut positions = Vec::new();
    while positions.len() < 21 {
        let batch = stream.next().await.unwrap_or_else(|| Ok(Batch::default()))?;
        assert!(batch.events.iter().map(|event| event.encoded_len()).sum::<usize>() < 4 * 1024 * 1024);
        positions.extend(batch.events.iter().map(|event| event.position));
    }
    assert!(positions.is_sorted_by(|one, next| one < next), "{positions:?}");
    assert_eq!(positions.len(), 21);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn tenants_share_a_batch_but_not_their_rows() -> Result<()> {
    let fixture = Fixture::open().await?;
    let (first, second) = (RandomIds.token(), RandomIds.token());
    fixture.tell("one", first, 1).await?;
    fixture.tell("two", second, 2).await?;
    let _beta = fixture.consumer(LocalSource(fixture.feed.clone()));
    fixture.wait_for(2).await?;
    for (tenant, subject) in [("one", first), ("two", second)] {
        let seen = fixture
            .beta
            .transact("look", &TenantId::parse(tenant)?, async move |mut tx| {
                let seen: Vec<Uuid> =
                    sqlx::query_scalar("SELECT subject FROM diary").fetch_all(&mut *tx).await?;
                Ok((tx, seen))
            })
            .await?;
        assert_eq!(seen, [subject]);
    }
    Ok(())
}
