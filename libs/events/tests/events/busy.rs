//! A busy database: locks that others hold and statements that take too long park
//! nothing, and hold up nobody who does not need the same.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use events::{Delivered, Follow, LocalSource, Reactor};
use fault::Fault;
use futures::future::BoxFuture;
use kernel::{Clock as _, Ids as _, RandomIds, SystemClock};
use pg::{Db, Tx};
use sqlx::{Connection as _, Executor as _};
use testkit::MockClock;
use uuid::Uuid;

use crate::fixture::{Diary, FOLLOWS, Fixture, POISON};

/// Takes a lock for each case before it writes down, and one for its tenant.
struct Locking(Diary);

impl Reactor for Locking {
    fn consumer(&self) -> &'static str {
        "beta"
    }

    fn follows(&self) -> &'static [Follow] {
        FOLLOWS
    }

    fn react<'a>(&'a self, tx: &'a mut Tx, batch: &'a [Delivered]) -> BoxFuture<'a, Result<(), Fault>> {
        Box::pin(async move {
            for event in batch {
                for key in [event.tenant.to_string(), event.subject.to_string()] {
                    sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))")
                        .bind(key)
                        .execute(&mut **tx)
                        .await?;
                }
            }
            self.0.react(tx, batch).await
        })
    }
}

/// Holds what a key stands for, as somebody else, until it is dropped or ended.
async fn hold(fixture: &Fixture, key: &str) -> Result<sqlx::PgConnection> {
    let mut conn = fixture.database.connect().await?;
    sqlx::query("SELECT pg_advisory_lock(hashtextextended($1, 0))").bind(key).execute(&mut conn).await?;
    Ok(conn)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_held_elsewhere_holds_up_its_own_case_and_parks_nothing() -> Result<()> {
    let fixture = Fixture::open().await?;
    let (held, free, other) = (RandomIds.token(), RandomIds.token(), RandomIds.token());
    let holder = hold(&fixture, &held.to_string()).await?;
    for number in 1..4 {
        fixture.tell("one", held, number).await?;
        fixture.tell("one", free, number + 10).await?;
        fixture.tell("two", other, number + 20).await?;
    }
    let _beta =
        fixture.replica(fixture.beta.clone(), Locking(fixture.diary()), LocalSource(fixture.feed.clone()));
    fixture.wait_for(6).await?;
    assert_eq!(fixture.numbers_of(free).await?, [11, 12, 13], "its tenant's other cases go on");
    assert_eq!(fixture.numbers_of(other).await?, [21, 22, 23], "other tenants go on");
    fixture.tell("two", other, 24).await?;
    fixture.wait_for(7).await?;
    fixture.until(async || Ok(fixture.aside().await?.0 == 3)).await?;
    assert_eq!(fixture.aside().await?, (3, 0), "nothing waits for somebody to come");
    holder.close().await?;
    fixture.wait_for(10).await?;
    assert_eq!(fixture.numbers_of(held).await?, [1, 2, 3], "once it is free, in order, by itself");
    assert_eq!(fixture.aside().await?, (0, 0));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_on_a_whole_tenant_holds_no_other_tenant_up() -> Result<()> {
    let fixture = Fixture::open().await?;
    let holder = hold(&fixture, "one").await?;
    let subjects: Vec<Uuid> = (0..20).map(|_| RandomIds.token()).collect();
    let other = RandomIds.token();
    for (number, subject) in subjects.iter().enumerate() {
        fixture.tell("one", *subject, i32::try_from(number)? + 100).await?;
    }
    fixture.tell("two", other, 1).await?;
    let _beta =
        fixture.replica(fixture.beta.clone(), Locking(fixture.diary()), LocalSource(fixture.feed.clone()));
    assert_eq!(fixture.wait_for(1).await?, [(other, 1)]);
    for number in 2..6 {
        fixture.tell("two", other, number).await?;
    }
    assert_eq!(fixture.wait_for(5).await?.len(), 5, "while the lock is held");
    assert_eq!(fixture.aside().await?.1, 0, "nothing waits for somebody to come");
    holder.close().await?;
    assert_eq!(fixture.wait_for(25).await?.len(), 25);
    assert_eq!(fixture.aside().await?, (0, 0));
    Ok(())
}

/// Takes longer over the poison than a statement may.
struct Stuck(Diary);

impl Reactor for Stuck {
    fn consumer(&self) -> &'static str {
        "beta"
    }

    fn follows(&self) -> &'static [Follow] {
        FOLLOWS
    }

    fn react<'a>(&'a self, tx: &'a mut Tx, batch: &'a [Delivered]) -> BoxFuture<'a, Result<(), Fault>> {
        Box::pin(async move {
            let is_poison = |event: &Delivered| {
                let told: Result<proto::redress::cases::v1::CaseClosed, _> = event.read();
                told.is_ok_and(|told| told.cycle == POISON)
            };
            if batch.iter().any(is_poison) {
                let too_long = "SET LOCAL statement_timeout = '20ms'; SELECT pg_sleep(60)";
                (&mut **tx).execute(sqlx::raw_sql(too_long)).await?;
            }
            self.0.react(tx, batch).await
        })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_alone_keeps_the_database_busy_for_long_is_parked() -> Result<()> {
    let fixture = Fixture::open().await?;
    let (sick, well) = (RandomIds.token(), RandomIds.token());
    for (subject, number) in [(well, 1), (sick, POISON), (well, 2), (sick, 3)] {
        fixture.tell("one", subject, number).await?;
    }
    let clock = MockClock::at(SystemClock.now());
    let beta = Db::open(fixture.database.url(), 6, "beta", Arc::new(clock.clone()), Arc::new(RandomIds))?;
    let _beta = fixture.replica(beta, Stuck(fixture.diary()), LocalSource(fixture.feed.clone()));
    fixture.wait_for(2).await?;
    assert_eq!(fixture.numbers_of(well).await?, [1, 2], "other cases of the tenant go on");
    fixture.until(async || Ok(fixture.aside().await?.0 == 2)).await?;
    assert_eq!(fixture.aside().await?, (2, 0), "it is tried again by itself");
    // Every time it is due it fails again, and all else works: after so long it is parked.
    fixture
        .until(async || {
            clock.advance(Duration::from_mins(3));
            Ok(fixture.aside().await? == (2, 2))
        })
        .await?;
    let error: String = sqlx::query_scalar("SELECT error FROM beta.parked_event WHERE error <> ''")
        .fetch_one(&mut fixture.database.connect().await?)
        .await?;
    assert!(error.contains("statement timeout"), "{error}");
    Ok(())
}
