//! Consistency tokens, readiness, and what else needs a database.

use std::time::Duration;

use proto::CONSISTENCY_TOKEN;
use proto::redress::event::v1::SubscribeRequest;
use proto::redress::event::v1::event_feed_client::EventFeedClient;
use proto::redress::feedback::v1::GetFeedbackRequest;
use proto::redress::feedback::v1::feedback_service_client::FeedbackServiceClient;
use proto::redress::intake::v1::ComplaintRegistered;
use server::{Secret, Settings};
use testkit::{Database, House, eventually, reason};
use tonic::{Code, Request};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_types::StatusExt as _;
use uuid::Uuid;

use crate::probe::{self, CASES, FEEDBACK, about};

fn presenting(token: &str) -> Request<GetFeedbackRequest> {
    let mut request = Request::new(about(""));
    request.metadata_mut().insert(CONSISTENCY_TOKEN, token.parse().unwrap());
    request
}

#[tokio::test]
async fn a_call_waits_for_what_its_token_stands_for() {
    let house = House::open(&[FEEDBACK]).await;
    let mut client = FeedbackServiceClient::new(house.channel());
    let event = house.tell("intake", Uuid::from_u128(1), &ComplaintRegistered::default()).await;
    let position = event.position;
    client.get_feedback(presenting(&format!("intake:{position}"))).await.expect("it waits");
    client.get_feedback(presenting("feedback:999")).await.expect("its own writes are seen at once");

    let mut early = presenting(&format!("intake:{}", position + 100));
    early.set_timeout(Duration::from_millis(500));
    let status = client.get_feedback(early).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::Unavailable, "NOT_YET_APPLIED"));
    assert!(status.get_details_retry_info().is_some());

    for wrong in ["cases:1", "nobody:1", "intake", "intake:x", "intake:-1"] {
        let status = client.get_feedback(presenting(wrong)).await.unwrap_err();
        let refused = (status.code(), reason(&status));
        assert_eq!(refused, (Code::InvalidArgument, "INVALID_CONSISTENCY_TOKEN".to_owned()), "{wrong}");
    }
    house.done().await;
}

#[tokio::test]
async fn readiness_follows_the_database() {
    let house = House::builder(&[FEEDBACK]).breakable().open().await;
    let line = house.channel();
    let serves = async |name: &str, wanted: i32| {
        eventually(|| async {
            let request = HealthCheckRequest { service: name.to_owned() };
            let answer = HealthClient::new(line.clone()).check(request).await;
            answer.unwrap().into_inner().status == wanted
        })
        .await;
    };
    for name in ["", "redress.feedback.v1.FeedbackService", "redress.event.v1.EventFeed"] {
        serves(name, 1).await;
    }
    house.proxy().cut();
    serves("", 2).await;
    serves("redress.feedback.v1.FeedbackService", 2).await;
    house.proxy().restore();
    serves("", 1).await;
    house.done().await;
}

#[tokio::test]
async fn readiness_does_not_wait_for_the_pool() {
    let house = House::open(&[FEEDBACK]).await;
    let line = house.channel();
    let serves = async || {
        let mut health = HealthClient::new(line.clone());
        health.check(HealthCheckRequest::default()).await.unwrap().into_inner().status == 1
    };
    eventually(serves).await;
    let pool = house.db("feedback").pool();
    let mut taken = Vec::new();
    while let Ok(Ok(connection)) = tokio::time::timeout(Duration::from_millis(300), pool.acquire()).await {
        taken.push(connection);
    }
    assert!(taken.len() >= 3, "the pool is busy");
    // Longer than it takes to look and to be told that there is none.
    for _ in 0..25 {
        assert!(serves().await, "a busy pool is no reason to take a service out of traffic");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    drop(taken);
    house.done().await;
}

#[tokio::test]
async fn a_process_whose_connections_do_not_fit_does_not_start() {
    let database = Database::copy_of("nothing", async |_| Ok(())).await.unwrap();
    let url = Some(Secret::from(database.url().to_owned()));
    let settings = Settings { database_url: url, db_connections: 20, replicas: 60, ..Settings::default() };
    let refusal = probe::try_serve(settings, &[FEEDBACK]).await.err().expect("there are not so many");
    let refusal = format!("{refusal:#}");
    assert!(refusal.contains("times 60 of REDRESS_REPLICAS, is 1440"), "{refusal}");
    database.drop().await.unwrap();
}

#[tokio::test]
async fn a_schema_is_ready_when_it_is_migrated() {
    let database = Database::copy_of("nothing", async |_| Ok(())).await.unwrap();
    let url = Some(Secret::from(database.url().to_owned()));
    let running = probe::serve(Settings { database_url: url, ..Settings::default() }, &[CASES]).await;
    let serves = async || {
        let mut health = HealthClient::new(probe::channel(&running));
        health.check(HealthCheckRequest::default()).await.unwrap().into_inner().status == 1
    };
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(!serves().await);
    server::migrate(database.url(), &[CASES]).await.unwrap();
    eventually(serves).await;
    running.stop().await.unwrap();
    database.drop().await.unwrap();
}

#[tokio::test]
async fn what_services_share_is_ready_when_all_are() {
    let database = Database::copy_of("nothing", async |_| Ok(())).await.unwrap();
    server::migrate(database.url(), &[FEEDBACK]).await.unwrap();
    let url = Some(Secret::from(database.url().to_owned()));
    // The one that is ready comes last: it must not have the last word.
    let running =
        probe::serve(Settings { database_url: url, ..Settings::default() }, &[CASES, FEEDBACK]).await;
    let serves = async |name: &str| {
        let request = HealthCheckRequest { service: name.to_owned() };
        let mut health = HealthClient::new(probe::channel(&running));
        health.check(request).await.unwrap().into_inner().status == 1
    };
    eventually(|| serves("redress.feedback.v1.FeedbackService")).await;
    for _ in 0..20 {
        assert!(!serves("redress.event.v1.EventFeed").await, "the feed of cases cannot be read");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    server::migrate(database.url(), &[CASES]).await.unwrap();
    for name in ["redress.event.v1.EventFeed", "redress.event.v1.EventInbox", ""] {
        eventually(|| serves(name)).await;
    }
    running.stop().await.unwrap();
    database.drop().await.unwrap();
}

#[tokio::test]
async fn the_feed_is_open_when_every_place_is_taken() {
    let house = House::builder(&[FEEDBACK]).settings(|settings| settings.max_in_flight = 1).open().await;
    let mut feed = EventFeedClient::new(house.channel());
    let subscribe = || SubscribeRequest { source: "feedback".to_owned(), ..SubscribeRequest::default() };
    let mut streams = Vec::new();
    for _ in 0..3 {
        streams.push(feed.subscribe(subscribe()).await.expect("the feed has no lane"));
    }
    FeedbackServiceClient::new(house.channel()).get_feedback(about("")).await.expect("and takes no place");
    drop(streams);
    house.done().await;
}

#[tokio::test]
async fn who_reads_the_feed_from_outside_may_do_so_much_and_no_more() {
    let house = House::builder(&[FEEDBACK]).identified().open().await;
    let reader = EventFeedClient::new(house.channel_as("tenant-a", "reader", &["reader"]));
    let whole = SubscribeRequest { source: "feedback".to_owned(), ..SubscribeRequest::default() };
    let mut streams = Vec::new();
    for _ in 0..4 {
        let mut stream = reader.clone().subscribe(whole.clone()).await.expect("a place").into_inner();
        let heartbeat = stream.message().await.expect("it lives").expect("a message");
        assert_eq!((heartbeat.cursor, heartbeat.head, heartbeat.epoch.len()), (0, 0, 36));
        streams.push(stream);
    }
    let refused = reader.clone().subscribe(whole.clone()).await.expect_err("no fifth");
    assert_eq!(
        (refused.code(), reason(&refused).as_str()),
        (Code::ResourceExhausted, "TOO_MANY_SUBSCRIPTIONS")
    );
    assert!(refused.get_details_retry_info().is_some());
    let mut other = EventFeedClient::new(house.channel_as("tenant-b", "reader", &["reader"]));
    other.subscribe(whole.clone()).await.expect("another caller has its own");
    streams.pop();
    eventually(async || reader.clone().subscribe(whole.clone()).await.is_ok()).await;

    for (wrong, field) in [
        (SubscribeRequest { tenant_id: "tenant-a".to_owned(), ..whole.clone() }, "tenant_id"),
        (SubscribeRequest { lane: 7, ..whole.clone() }, "lane"),
        (
            SubscribeRequest { except_tenant_ids: vec!["t".to_owned(); 65], ..whole.clone() },
            "except_tenant_ids",
        ),
        (SubscribeRequest { epoch: "x".repeat(65), ..whole.clone() }, "epoch"),
    ] {
        let refused = other.subscribe(wrong).await.expect_err("it is refused");
        assert_eq!(
            (refused.code(), reason(&refused).as_str()),
            (Code::InvalidArgument, "INVALID_SUBSCRIPTION")
        );
        let fields = refused.get_details_bad_request().expect("fields").field_violations;
        assert_eq!(fields.iter().map(|field| field.field.as_str()).collect::<Vec<_>>(), [field]);
    }
    let beyond = SubscribeRequest { cursor: 1_000, ..whole.clone() };
    let stale = SubscribeRequest { epoch: "another".to_owned(), ..whole };
    for (asked, refusal) in [(beyond, "CURSOR_BEYOND_HEAD"), (stale, "FEED_EPOCH_CHANGED")] {
        let mut stream = other.subscribe(asked).await.expect("it is said in the stream").into_inner();
        let refused = stream.message().await.expect_err("it is refused");
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, refusal));
    }
    drop(streams);
    house.done().await;
}
