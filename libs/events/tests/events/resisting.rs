//! Events that cannot be applied: they hold up their own case only.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::Result;
use events::{Delivered, Follow, LocalSource, Reactor};
use fault::{Fault, Kind};
use futures::future::BoxFuture;
use kernel::{Clock as _, Ids as _, Lane, RandomIds, SystemClock, TenantId};
use pg::{Db, Tx};
use proto::redress::cases::v1::CaseClosed;
use testkit::MockClock;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::fixture::{Diary, FOLLOWS, Fixture, POISON};

#[tokio::test(flavor = "multi_thread")]
async fn poison_is_parked_and_driven_again_without_holding_others_up() -> Result<()> {
    let fixture = Fixture::open().await?;
    fixture.poisoned.store(true, Ordering::Relaxed);
    let beta = fixture.consumer(LocalSource(fixture.feed.clone()));
    let (sick, well) = (RandomIds.token(), RandomIds.token());
    let one = TenantId::parse("one")?;
    for number in [1, POISON, 2, 3] {
        fixture.tell("one", sick, number).await?;
        fixture.tell("one", well, number + 100).await?;
    }
    let written = fixture.wait_for(5).await?;
    let of = |subject| {
        written.iter().filter(|(of, _)| *of == subject).map(|(_, number)| *number).collect::<Vec<_>>()
    };
    assert_eq!(of(sick), [1], "its case waits");
    assert_eq!(of(well), [101, 100 + POISON, 102, 103], "others go on");

    let head = fixture.feed.head();
    let wait =
        |position| beta.wait_applied("alpha", (position, Lane::Live), &one, Duration::from_millis(300));
    wait(head).await?;
    let parked: i64 = sqlx::query_scalar("SELECT position FROM beta.parked_event WHERE error <> ''")
        .fetch_one(&mut fixture.database.connect().await?)
        .await?;
    let refused = wait(parked).await.err().map(|fault| fault.reason());
    assert_eq!(refused, Some("NOT_YET_APPLIED"), "a parked event has not taken effect");

    assert_eq!(beta.redrive(&one, sick).await?, (0, 3), "still poison");
    fixture.poisoned.store(false, Ordering::Relaxed);
    assert_eq!(beta.redrive(&one, sick).await?, (3, 0));
    fixture.tell("one", sick, 4).await?;
    let written = fixture.wait_for(9).await?;
    let of_sick: Vec<i32> = written.iter().filter(|(of, _)| *of == sick).map(|(_, number)| *number).collect();
    assert_eq!(of_sick, [1, POISON, 2, 3, 4], "in order, after all");
    Ok(())
}

/// Cannot swallow the poison, and takes its time over the last try.
struct Slow {
    diary: Diary,
    tries: AtomicU32,
    last: Arc<Notify>,
    go_on: Arc<Notify>,
}

fn is_poisoned(batch: &[Delivered]) -> bool {
    batch.iter().any(|event| event.read::<CaseClosed>().is_ok_and(|told| told.cycle == POISON))
}

/// Once in its batch and once alone, then its tenant is read apart: again in its batch,
/// and five times alone.
const LAST_TRY: u32 = 8;

impl Reactor for Slow {
    fn consumer(&self) -> &'static str {
        "beta"
    }

    fn follows(&self) -> &'static [Follow] {
        FOLLOWS
    }

    fn react<'a>(&'a self, tx: &'a mut Tx, batch: &'a [Delivered]) -> BoxFuture<'a, Result<(), Fault>> {
        Box::pin(async move {
            if !is_poisoned(batch) {
                return self.diary.react(tx, batch).await;
            }
            if self.tries.fetch_add(1, Ordering::Relaxed) + 1 == LAST_TRY {
                self.last.notify_one();
                self.go_on.notified().await;
            }
            Err(Fault::new(Kind::Precondition, "POISON", "cannot be swallowed"))
        })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_parks_late_does_not_take_the_feed_back() -> Result<()> {
    let fixture = Fixture::open().await?;
    for number in [POISON, 1, 2] {
        fixture.tell("one", RandomIds.token(), number).await?;
    }
    let (last, go_on) = (Arc::<Notify>::default(), Arc::<Notify>::default());
    let slow =
        Slow { diary: fixture.diary(), tries: AtomicU32::new(0), last: last.clone(), go_on: go_on.clone() };
    // One connection: whoever takes it decides when the first replica goes on.
    let first = Db::open(fixture.database.url(), 1, "beta", Arc::new(SystemClock), Arc::new(RandomIds))?;
    let _first = fixture.replica(first.clone(), slow, LocalSource(fixture.feed.clone()));
    last.notified().await;

    // To the second, which can swallow it, the first one's hold ran out long ago.
    let late = Arc::new(MockClock::at(SystemClock.now() + Duration::from_hours(1)));
    let second = Db::open(fixture.database.url(), 4, "beta", late, Arc::new(RandomIds))?;
    let _second = fixture.replica(second, fixture.diary(), LocalSource(fixture.feed.clone()));
    let mut taken = Box::pin(first.pool().acquire());
    assert!(futures::poll!(taken.as_mut()).is_pending(), "the first is at its last try");
    go_on.notify_one();
    let taken = taken.await?;
    assert_eq!(fixture.wait_for(3).await?.len(), 3, "the second has applied all");
    let holder = async || -> Result<Option<Uuid>> {
        let holder = sqlx::query_scalar("SELECT holder FROM beta.feed_cursor WHERE lane = 1 AND apart = ''");
        Ok(holder.fetch_one(&mut fixture.database.connect().await?).await?)
    };
    let second = holder().await?;
    drop(taken);
    while holder().await? == second {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(fixture.written().await?.len(), 3, "nothing is applied twice");
    let parked: i64 = sqlx::query_scalar("SELECT count(*) FROM beta.parked_event")
        .fetch_one(&mut fixture.database.connect().await?)
        .await?;
    assert_eq!(parked, 0, "it was applied, after all");
    Ok(())
}

/// Meets the poison in its own way.
struct Sick {
    diary: Diary,
    way: Way,
}

#[derive(Clone, Copy)]
enum Way {
    /// Takes longer than a statement may.
    Stuck,
    Panics,
}

impl Reactor for Sick {
    fn consumer(&self) -> &'static str {
        "beta"
    }

    fn follows(&self) -> &'static [Follow] {
        FOLLOWS
    }

    fn react<'a>(&'a self, tx: &'a mut Tx, batch: &'a [Delivered]) -> BoxFuture<'a, Result<(), Fault>> {
        Box::pin(async move {
            match self.way {
                _ if !is_poisoned(batch) => {}
                Way::Stuck => {
                    let too_long = "SET LOCAL statement_timeout = '50ms'; SELECT pg_sleep(60)";
                    sqlx::raw_sql(too_long).execute(&mut **tx).await?;
                }
                Way::Panics => panic!("cannot be swallowed"),
            }
            self.diary.react(tx, batch).await
        })
    }
}

/// The others go on, and who follows them is still there to be told to try again.
async fn is_set_aside(way: Way) -> Result<()> {
    let fixture = Fixture::open().await?;
    let (sick, one) = (RandomIds.token(), TenantId::parse("one")?);
    fixture.tell("one", RandomIds.token(), 1).await?;
    fixture.tell("one", sick, POISON).await?;
    fixture.tell("one", RandomIds.token(), 2).await?;
    let sick_of_it = Sick { diary: fixture.diary(), way };
    let beta = fixture.replica(fixture.beta.clone(), sick_of_it, LocalSource(fixture.feed.clone()));
    let numbers: Vec<i32> = fixture.wait_for(2).await?.iter().map(|(_, number)| *number).collect();
    assert_eq!(numbers, [1, 2]);
    assert_eq!(beta.redrive(&one, sick).await?, (0, 1));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_always_takes_too_long_is_set_aside() -> Result<()> {
    is_set_aside(Way::Stuck).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_makes_its_reactor_panic_is_parked() -> Result<()> {
    is_set_aside(Way::Panics).await
}
