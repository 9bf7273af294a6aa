//! A house does what tests rely on: it tells, settles, identifies, breaks, and
//! notices what went wrong.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::time::Duration;

use events::{Delivered, Follow, Reactor};
use fault::Fault;
use futures::future::BoxFuture;
use kernel::TenantId;
use pg::Tx;
use proto::redress::cases::v1::CaseOpened;
use proto::redress::event::v1::ListParkedEventsRequest;
use proto::redress::event::v1::event_inbox_client::EventInboxClient;
use proto::redress::intake::v1::ComplaintRegistered;
use server::Service;
use sqlx::migrate::Migrator;
use testkit::{House, MockClock};
use tonic::Code;
use uuid::Uuid;

static NO_TABLES: Migrator = Migrator::DEFAULT;

/// Opens a case for each complaint; cannot stand the one of subject zero.
const CASES: Service = Service {
    name: "cases",
    port: 0,
    migrations: &NO_TABLES,
    open: |_, parts| {
        parts.react(Opener);
        Ok(())
    },
};

/// Hears of cases, and does nothing about them.
const FEEDBACK: Service = Service {
    name: "feedback",
    port: 0,
    migrations: &NO_TABLES,
    open: |_, parts| {
        parts.react(Hearer);
        Ok(())
    },
};

struct Opener;
struct Hearer;

impl Reactor for Opener {
    fn consumer(&self) -> &'static str {
        "cases"
    }

    fn follows(&self) -> &'static [Follow] {
        &[Follow { source: "intake", types: &["redress.intake.v1.ComplaintRegistered"] }]
    }

    fn react<'a>(&'a self, tx: &'a mut Tx, batch: &'a [Delivered]) -> BoxFuture<'a, Result<(), Fault>> {
        Box::pin(async move {
            for event in batch {
                if event.subject.is_nil() {
                    return Err(Fault::internal("poison"));
                }
                tx.emit_in(event.traceparent.clone(), event.subject, &CaseOpened::default());
            }
            Ok(())
        })
    }
}

impl Reactor for Hearer {
    fn consumer(&self) -> &'static str {
        "feedback"
    }

    fn follows(&self) -> &'static [Follow] {
        &[
            Follow { source: "cases", types: &["redress.cases.v1.CaseOpened"] },
            Follow { source: "intake", types: &["redress.intake.v1.ComplaintRegistered"] },
        ]
    }

    fn react<'a>(&'a self, _: &'a mut Tx, _: &'a [Delivered]) -> BoxFuture<'a, Result<(), Fault>> {
        Box::pin(async { Ok(()) })
    }
}

/// How far `feedback` has applied the feed of `cases`, as stored.
async fn applied_by_feedback(house: &House) -> Option<i64> {
    sqlx::query_scalar(
        "SELECT position FROM feedback.feed_cursor WHERE source = 'cases' AND lane = 1 AND apart = ''",
    )
    .fetch_optional(&mut house.owner().await)
    .await
    .unwrap()
}

#[tokio::test]
async fn what_is_told_has_taken_effect_when_settled() {
    let house = House::open(&[CASES, FEEDBACK]).await;
    let complaint = ComplaintRegistered::default();
    let subjects: Vec<Uuid> = (1..=40).map(Uuid::from_u128).collect();
    for subject in &subjects {
        house.tell("intake", *subject, &complaint).await;
    }
    house.settled().await;
    let told = house.published_by("cases").await;
    assert_eq!(told.iter().map(|told| told.subject).collect::<Vec<_>>(), subjects);
    assert_eq!(house.published::<CaseOpened>("cases").await.len(), subjects.len());
    assert_eq!(house.published::<ComplaintRegistered>("cases").await.len(), 0);
    assert!(applied_by_feedback(&house).await >= told.last().map(|told| told.position), "down the road, too");
    house.done().await;
}

#[tokio::test]
async fn an_event_delivered_again_has_no_second_effect_under_its_old_position() {
    let house = House::open(&[CASES]).await;
    let event = house.tell("intake", Uuid::from_u128(1), &ComplaintRegistered::default()).await;
    house.settled().await;
    house.tell_raw("intake", event.clone()).await;
    let last = house.tell("intake", Uuid::from_u128(2), &ComplaintRegistered::default()).await;
    house.settled().await;
    assert_eq!(house.published::<CaseOpened>("cases").await.len(), 2);
    let position = last.position + 1;
    house.tell_raw("intake", proto::redress::event::v1::Event { position, ..event }).await;
    house.settled().await;
    assert_eq!(house.published::<CaseOpened>("cases").await.len(), 3, "a new position is a new event");
    house.done().await;
}

#[tokio::test]
async fn tenants_are_told_of_apart() {
    let house = House::open(&[CASES]).await;
    house.tell_as("tenant-b", "intake", Uuid::from_u128(1), &ComplaintRegistered::default()).await;
    house.settled().await;
    assert_eq!(house.published_by("cases").await[0].tenant_id, "tenant-b");
    house.done().await;
}

#[tokio::test]
#[should_panic(expected = "cases has parked events")]
async fn a_parked_event_fails_the_test() {
    let house = House::open(&[CASES]).await;
    let told = ComplaintRegistered { mail_token: "c1abc".to_owned(), ..ComplaintRegistered::default() };
    house.tell("intake", Uuid::nil(), &told).await;
    house.settled().await;
    assert_eq!(house.parked("cases").await[0].source, "intake");
    // Whoever looks into the inbox does not see what would be a way into the case.
    let list = ListParkedEventsRequest { consumer: "cases".to_owned(), ..Default::default() };
    let parked = EventInboxClient::new(house.channel()).list_parked_events(list).await.unwrap().into_inner();
    let event = parked.parked_events.into_iter().next().and_then(|one| one.event).unwrap();
    assert_eq!(event.payload.unwrap().value, Vec::<u8>::new(), "nothing else is in it");
    house.done().await;
}

#[tokio::test]
#[should_panic(expected = "house.done()")]
async fn a_test_that_forgets_to_look_fails() {
    let _house = House::open(&[CASES]).await;
}

#[tokio::test]
#[should_panic(expected = "nobody here follows assignment")]
async fn what_nobody_follows_is_not_told_in_vain() {
    let house = House::open(&[CASES]).await;
    house.tell("assignment", Uuid::from_u128(1), &ComplaintRegistered::default()).await;
}

#[tokio::test]
async fn callers_prove_who_they_are_when_the_house_wants_it() {
    let house = House::builder(&[CASES]).identified().open().await;
    let list = || ListParkedEventsRequest { consumer: "cases".to_owned(), ..Default::default() };
    let alice = house.channel_as("tenant-b", "alice", &["admin"]);
    EventInboxClient::new(alice).list_parked_events(list()).await.unwrap();
    let nobody = EventInboxClient::new(house.channel_of_nobody()).list_parked_events(list()).await;
    let refusal = nobody.unwrap_err();
    assert_eq!(refusal.code(), Code::Unauthenticated);
    assert_eq!(testkit::reason(&refusal), "UNAUTHENTICATED");
    house.done().await;
}

#[tokio::test]
async fn developers_may_call_without_proof() {
    let house = House::open(&[CASES]).await;
    let list = ListParkedEventsRequest { consumer: "cases".to_owned(), page_size: -1, ..Default::default() };
    let refusal = EventInboxClient::new(house.channel()).list_parked_events(list).await.unwrap_err();
    assert_eq!(testkit::violations(&refusal), ["page_size"]);
    house.done().await;
}

#[tokio::test]
async fn the_clock_is_the_tests_own() {
    let clock = MockClock::default();
    let house = House::builder(&[CASES]).clock(clock.clone()).open().await;
    let before = house.db("cases").clock().now();
    house.advance(Duration::from_hours(48));
    assert_eq!(house.db("cases").clock().now(), before + Duration::from_hours(48));
    let event = house.tell("intake", Uuid::from_u128(1), &ComplaintRegistered::default()).await;
    assert_eq!(event.occur_time.unwrap().seconds, (before + Duration::from_hours(48)).as_second());
    house.settled().await;
    house.done().await;
}

#[tokio::test]
async fn an_outage_of_the_database_loses_nothing() {
    let house = House::builder(&[CASES]).breakable().open().await;
    let tell = async |number| {
        house.tell("intake", Uuid::from_u128(number), &ComplaintRegistered::default()).await;
    };
    tell(1).await;
    house.settled().await;
    house.proxy().cut();
    tell(2).await;
    let tenant = TenantId::development();
    let lost = house.db("cases").transact("outage", &tenant, async |tx| Ok((tx, ()))).await.unwrap_err();
    assert_eq!(lost.reason(), "DATABASE_UNAVAILABLE");
    house.proxy().restore();
    tell(3).await;
    house.settled().await;
    assert_eq!(house.published::<CaseOpened>("cases").await.len(), 3);
    house.done().await;
}
