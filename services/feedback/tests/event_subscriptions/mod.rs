//! Events posted to a server: as CloudEvents, signed, in order, again after failures and after a
//! replay; and what is refused of subscriptions.

mod places;

use std::time::Duration;

use proto::redress::cases::v1::{CaseWithdrawn, CloseReason};
use proto::redress::feedback::v1::event_subscription_service_client::EventSubscriptionServiceClient;
use proto::redress::feedback::v1::{
    CreateEventSubscriptionRequest, DeleteEventSubscriptionRequest, EventSubscription,
    EventSubscriptionProgress, EventSubscriptionState, GetEventSubscriptionRequest,
    ListEventSubscriptionsRequest, PauseEventSubscriptionRequest, ReplayEventSubscriptionRequest,
    ResumeEventSubscriptionRequest, RotateEventSubscriptionSecretRequest, UpdateEventSubscriptionRequest,
};
use proto::redress::intake::v1::{ComplaintRegistered, DeliveryReportReceived};
use testkit::{CallerChannel, House, MockClock, eventually, request_id, violations};
use tonic::{Code, Status};
use webhook::{Message, Secret, verify};

use crate::endpoint::{Endpoint, Posted, Reply};
use crate::{case, closed, refused, registered};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OTHER: &str = "whsec_b3RoZXJvdGhlcm90aGVyb3RoZXJvdGhlcg==";
const TAKEN: Reply = Reply::Says(204, "", "");
const FAILS: Reply = Reply::Says(503, "", "");

type Client = EventSubscriptionServiceClient<CallerChannel>;

async fn house() -> House {
    House::builder(&[feedback::SERVICE])
        .clock(MockClock::default())
        .settings(|settings| settings.endpoint_networks = vec!["127.0.0.0/8".parse().unwrap()])
        .open()
        .await
}

fn client(house: &House) -> Client {
    Client::new(house.channel_as("development", "ann", &["admin"]))
}

fn wanted(url: &str) -> CreateEventSubscriptionRequest {
    CreateEventSubscriptionRequest {
        request_id: request_id(),
        title: "CRM".to_owned(),
        url: url.to_owned(),
        secret: SECRET.to_owned(),
        types: Vec::new(),
        filter: String::new(),
        timeout_duration: Some(prost_types::Duration { seconds: 5, nanos: 0 }),
        from_beginning: false,
    }
}

async fn create(house: &House, request: CreateEventSubscriptionRequest) -> Result<EventSubscription, Status> {
    Ok(client(house).create_event_subscription(request).await?.into_inner().event_subscription.unwrap())
}

async fn get(house: &House, id: &str) -> EventSubscription {
    let request = GetEventSubscriptionRequest { event_subscription_id: id.to_owned() };
    client(house).get_event_subscription(request).await.unwrap().into_inner().event_subscription.unwrap()
}

async fn progress(house: &House, id: &str, source: &str) -> EventSubscriptionProgress {
    let of = get(house, id).await.progress;
    of.into_iter().find(|progress| progress.source == source).unwrap()
}

/// Waits until so many were posted, and answers them.
async fn posts(server: &Endpoint, count: usize) -> Vec<Posted> {
    eventually(async || server.posts().len() >= count).await;
    server.posts()
}

/// Waits until so many of a source were taken, and nothing of it is under way.
async fn taken(house: &House, id: &str, source: &str, count: i64) {
    eventually(async || progress(house, id, source).await.posted_count == count).await;
}

fn of(posts: &[Posted], source: &str) -> Vec<serde_json::Value> {
    posts.iter().map(Posted::json).filter(|event| event["source"] == source).collect()
}

fn believed(house: &House, posted: &Posted, secrets: &[&str]) -> bool {
    let secrets: Vec<Secret> = secrets.iter().map(|secret| secret.parse().unwrap()).collect();
    let message = Message {
        id: posted.header(webhook::ID),
        timestamp: posted.header(webhook::TIMESTAMP).parse().unwrap(),
        body: posted.body.as_bytes(),
    };
    let now = house.db("feedback").clock().now().as_second();
    verify(&secrets, &message, posted.header(webhook::SIGNATURE), now).is_ok()
}

#[tokio::test]
async fn what_services_tell_is_posted_as_signed_cloud_events_in_order() {
    let house = house().await;
    let server = Endpoint::open(TAKEN).await;
    let case = case();
    let before = house.tell("intake", case, &registered(case, "ada@example.org")).await;
    let one = create(&house, wanted(&server.url())).await.unwrap();
    assert_eq!((one.state(), one.version, one.creator.as_str()), (EventSubscriptionState::Enabled, 1, "ann"));
    assert_eq!(one.progress.len(), 5);
    assert_eq!(progress(&house, &one.event_subscription_id, "intake").await.position, before.position);

    let first = house.tell("cases", case, &closed(case, 1, CloseReason::Accepted)).await;
    let withdrawn =
        CaseWithdrawn { case_id: case.to_string(), reason: "done".into(), ..CaseWithdrawn::default() };
    let second = house.tell("cases", case, &withdrawn).await;
    house.tell_as("another", "cases", case, &withdrawn).await;
    taken(&house, &one.event_subscription_id, "cases", 2).await;
    let posted = server.posts();
    let events = of(&posted, "cases");
    let ids: Vec<&str> = events.iter().map(|event| event["id"].as_str().unwrap()).collect();
    assert_eq!(ids, [&first.id, &second.id], "in order, and none of another tenant");
    assert!(of(&posted, "intake").is_empty(), "what was told before is not posted");

    let event = &events[1];
    assert_eq!(event["specversion"], "1.0");
    assert_eq!(event["type"], "redress.cases.v1.CaseWithdrawn");
    assert_eq!(event["subject"], case.to_string());
    assert_eq!(event["tenantid"], "development");
    assert_eq!(event["sequence"], format!("{:020}", second.position));
    assert_eq!(event["datacontenttype"], "application/json");
    assert_eq!(event["data"]["caseId"], case.to_string());
    assert_eq!(event["data"]["reason"], "done");
    let time: jiff::Timestamp = event["time"].as_str().unwrap().parse().unwrap();
    assert_eq!(time.as_second(), second.occur_time.unwrap().seconds);

    let posted = posted.iter().find(|posted| posted.json()["id"] == second.id).unwrap();
    assert_eq!(posted.header("content-type"), "application/cloudevents+json; charset=utf-8");
    assert_eq!(posted.header(webhook::ID), second.id);
    assert!(believed(&house, posted, &[SECRET]) && !believed(&house, posted, &[OTHER]));
    house.done().await;
}

#[tokio::test]
async fn what_fails_is_posted_again_later_and_what_follows_waits() {
    let house = house().await;
    let server = Endpoint::open(TAKEN).await;
    let one = create(&house, wanted(&server.url())).await.unwrap();
    let id = one.event_subscription_id;
    server.script(&[FAILS, Reply::HangsUp]);
    let case = case();
    let first = house.tell("cases", case, &closed(case, 1, CloseReason::Accepted)).await;
    let second = house.tell("cases", case, &closed(case, 2, CloseReason::Accepted)).await;
    eventually(async || progress(&house, &id, "cases").await.failures == 1).await;
    let failing = progress(&house, &id, "cases").await;
    assert_eq!((failing.last_error.as_str(), failing.posted_count), ("503", 0));
    let wait = failing.next_try_time.unwrap().seconds - failing.failing_since_time.unwrap().seconds;
    assert_eq!((wait, server.posts().len()), (5, 1));

    house.advance(Duration::from_secs(6));
    eventually(async || progress(&house, &id, "cases").await.failures == 2).await;
    let failing = progress(&house, &id, "cases").await;
    assert_eq!(failing.last_error, "the connection broke before the whole answer was there");
    house.advance(Duration::from_secs(11));
    taken(&house, &id, "cases", 2).await;
    let ids: Vec<String> =
        server.posts().iter().map(|posted| posted.header(webhook::ID).to_owned()).collect();
    assert_eq!(ids, [&first.id, &first.id, &first.id, &second.id].map(String::clone));
    let done = progress(&house, &id, "cases").await;
    assert_eq!((done.failures, done.last_error.as_str(), done.next_try_time), (0, "", None));
    assert_eq!(done.position, second.position);
    house.done().await;
}

#[tokio::test]
async fn a_server_that_is_gone_pauses_it_and_what_is_resumed_goes_on_where_it_was() {
    let house = house().await;
    let server = Endpoint::open(TAKEN).await;
    let id = create(&house, wanted(&server.url())).await.unwrap().event_subscription_id;
    server.script(&[Reply::Says(410, "", "")]);
    let case = case();
    let event = house.tell("cases", case, &closed(case, 1, CloseReason::Accepted)).await;
    eventually(async || get(&house, &id).await.state() == EventSubscriptionState::Paused).await;
    let paused = get(&house, &id).await;
    assert!(paused.pause_reason.contains("410") && paused.pauser.is_empty() && paused.pause_time.is_some());
    assert_eq!(paused.version, 2);

    let resume =
        ResumeEventSubscriptionRequest { request_id: request_id(), event_subscription_id: id.clone() };
    client(&house).resume_event_subscription(resume.clone()).await.unwrap();
    let again = ResumeEventSubscriptionRequest { request_id: request_id(), ..resume };
    let twice = client(&house).resume_event_subscription(again.clone()).await;
    assert_eq!(refused(twice), (Code::FailedPrecondition, "EVENT_SUBSCRIPTION_NOT_PAUSED".into()));
    taken(&house, &id, "cases", 1).await;
    assert_eq!(server.posts()[1].header(webhook::ID), event.id);

    let pause = PauseEventSubscriptionRequest {
        request_id: request_id(),
        event_subscription_id: id.clone(),
        reason: "the CRM moves".into(),
    };
    let paused = client(&house).pause_event_subscription(pause.clone()).await.unwrap().into_inner();
    assert_eq!(paused.event_subscription.unwrap().pauser, "ann");
    let twice = PauseEventSubscriptionRequest { request_id: request_id(), ..pause };
    let twice = client(&house).pause_event_subscription(twice).await;
    assert_eq!(refused(twice), (Code::FailedPrecondition, "EVENT_SUBSCRIPTION_PAUSED".into()));
    let meanwhile = house.tell("cases", case, &closed(case, 2, CloseReason::Accepted)).await;
    // Long enough for whoever posted to have found the pause: what comes is after the resumption.
    client(&house).resume_event_subscription(again).await.unwrap();
    taken(&house, &id, "cases", 2).await;
    assert_eq!(server.posts()[2].header(webhook::ID), meanwhile.id);
    house.done().await;
}

#[tokio::test]
async fn types_and_filter_leave_out_what_is_not_wanted_and_can_be_changed() {
    let house = house().await;
    let server = Endpoint::open(TAKEN).await;
    let case = case();
    let request = CreateEventSubscriptionRequest {
        types: vec![
            "redress.cases.v1.CaseWithdrawn".into(),
            "redress.cases.v1.CaseClosed".into(),
            // Of another file than the other two.
            "redress.cases.v1.CaseEscalated".into(),
        ],
        filter: "field('reason', 'CLOSE_REASON_ACCEPTED') || type.endsWith('CaseWithdrawn')".into(),
        ..wanted(&server.url())
    };
    let one = create(&house, request).await.unwrap();
    let id = &one.event_subscription_id;
    house.tell("cases", case, &closed(case, 1, CloseReason::WindowPassed)).await;
    house.tell("intake", case, &registered(case, "ada@example.org")).await;
    let withdrawn = CaseWithdrawn { case_id: case.to_string(), ..CaseWithdrawn::default() };
    house.tell("cases", case, &withdrawn).await;
    let last = house.tell("cases", case, &closed(case, 2, CloseReason::Accepted)).await;
    eventually(async || progress(&house, id, "cases").await.position >= last.position).await;
    let kinds: Vec<String> =
        of(&server.posts(), "cases").iter().map(|event| event["type"].as_str().unwrap().to_owned()).collect();
    assert_eq!(kinds, ["redress.cases.v1.CaseWithdrawn", "redress.cases.v1.CaseClosed"]);

    let change = UpdateEventSubscriptionRequest {
        request_id: request_id(),
        event_subscription_id: id.clone(),
        expected_version: 1,
        title: "CRM, all".into(),
        url: server.url(),
        types: Vec::new(),
        filter: "source == 'cases'".into(),
        timeout_duration: None,
    };
    let changed = client(&house).update_event_subscription(change.clone()).await.unwrap().into_inner();
    let changed = changed.event_subscription.unwrap();
    assert_eq!((changed.version, changed.timeout_duration.unwrap().seconds), (2, 10));
    let stale = UpdateEventSubscriptionRequest { request_id: request_id(), ..change };
    let stale = client(&house).update_event_subscription(stale).await;
    assert_eq!(refused(stale), (Code::Aborted, "VERSION_MISMATCH".into()));
    house.tell("cases", case, &closed(case, 3, CloseReason::WindowPassed)).await;
    taken(&house, id, "cases", 3).await;
    house.done().await;
}

#[tokio::test]
async fn what_gives_whoever_has_it_a_way_into_a_case_is_not_posted_and_no_filter_finds_it() {
    let house = house().await;
    let (server, prying) = (Endpoint::open(TAKEN).await, Endpoint::open(TAKEN).await);
    let one = create(&house, wanted(&server.url())).await.unwrap();
    let filter = "field('mailToken', 'c1abc') || field('message', 'eA==')";
    let request = CreateEventSubscriptionRequest { filter: filter.into(), ..wanted(&prying.url()) };
    let two = create(&house, request).await.unwrap();
    let case = case();
    let complaint = ComplaintRegistered {
        mail_token: "c1abc".into(),
        receipt_hash: vec![7; 32],
        ..registered(case, "ada@example.org")
    };
    house.tell("intake", case, &complaint).await;
    let report = DeliveryReportReceived {
        mail_id: case.to_string(),
        mailbox_id: "main".into(),
        recipients: vec!["ada@example.org".into()],
        message: b"x".to_vec(),
    };
    let last = house.tell("intake", case, &report).await;
    taken(&house, &one.event_subscription_id, "intake", 2).await;
    let events = of(&server.posts(), "intake");
    assert_eq!(events[0]["data"]["complaint"]["subject"], "late parcel");
    let names = |event: &serde_json::Value| -> Vec<String> {
        event["data"].as_object().unwrap().keys().cloned().collect()
    };
    assert_eq!(names(&events[0]), ["complaint"]);
    let mut second = names(&events[1]);
    second.sort();
    assert_eq!(second, ["mailId", "mailboxId", "recipients"]);
    let passed = async || progress(&house, &two.event_subscription_id, "intake").await;
    eventually(async || passed().await.position >= last.position).await;
    assert_eq!(passed().await.posted_count, 0);
    house.done().await;
}

#[tokio::test]
async fn another_secret_signs_beside_the_old_one_and_a_replay_posts_again() {
    let house = house().await;
    let server = Endpoint::open(TAKEN).await;
    let case = case();
    let first = house.tell("cases", case, &closed(case, 1, CloseReason::Accepted)).await;
    let second = house.tell("cases", case, &closed(case, 2, CloseReason::Accepted)).await;
    let request = CreateEventSubscriptionRequest { from_beginning: true, ..wanted(&server.url()) };
    let id = create(&house, request).await.unwrap().event_subscription_id;
    taken(&house, &id, "cases", 2).await;
    let rotate = RotateEventSubscriptionSecretRequest {
        request_id: request_id(),
        event_subscription_id: id.clone(),
        expected_version: 1,
        secret: OTHER.into(),
        keep_duration: None,
    };
    let rotated = client(&house).rotate_event_subscription_secret(rotate).await.unwrap().into_inner();
    assert!(rotated.event_subscription.unwrap().old_secret_expire_time.is_some());

    let replay = ReplayEventSubscriptionRequest {
        request_id: request_id(),
        event_subscription_id: id.clone(),
        source: "cases".into(),
        position: first.position,
    };
    client(&house).replay_event_subscription(replay).await.unwrap();
    taken(&house, &id, "cases", 3).await;
    let posted = of(&server.posts(), "cases");
    let ids: Vec<&str> = posted.iter().map(|event| event["id"].as_str().unwrap()).collect();
    assert_eq!(ids, [&first.id, &second.id, &second.id]);
    let last = server.posts().into_iter().rfind(|posted| posted.json()["source"] == "cases").unwrap();
    assert!(believed(&house, &last, &[OTHER]) && believed(&house, &last, &[SECRET]));
    house.done().await;
}

#[tokio::test]
async fn a_position_that_the_feed_does_not_know_is_said_until_a_replay_mends_it() {
    let house = house().await;
    let server = Endpoint::open(TAKEN).await;
    let case = case();
    house.tell("intake", case, &registered(case, "ada@example.com")).await;
    house.settled().await;
    let request = CreateEventSubscriptionRequest { from_beginning: true, ..wanted(&server.url()) };
    let id = create(&house, request).await.unwrap().event_subscription_id;
    let replay = |position| ReplayEventSubscriptionRequest {
        request_id: request_id(),
        event_subscription_id: id.clone(),
        source: "feedback".into(),
        position,
    };
    client(&house).replay_event_subscription(replay(1_000_000)).await.unwrap();
    // As after the service's database was restored to an earlier moment.
    let said = async || progress(&house, &id, "feedback").await.last_error;
    eventually(|| async { said().await.starts_with("CURSOR_BEYOND_HEAD: ") }).await;
    client(&house).replay_event_subscription(replay(0)).await.unwrap();
    eventually(|| async { progress(&house, &id, "feedback").await.posted_count > 0 }).await;
    assert_eq!(said().await, "");
    house.done().await;
}

#[tokio::test]
async fn two_processes_post_each_event_once() {
    let house = house().await;
    let server = Endpoint::open(TAKEN).await;
    let replica = house.replica(&[feedback::SERVICE]).await;
    let id = create(&house, wanted(&server.url())).await.unwrap().event_subscription_id;
    let case = case();
    let mut told = Vec::new();
    for cycle in 1..=20 {
        told.push(house.tell("cases", case, &closed(case, cycle, CloseReason::Accepted)).await.id);
    }
    taken(&house, &id, "cases", 20).await;
    let ids: Vec<String> = of(&posts(&server, 20).await, "cases")
        .iter()
        .map(|event| event["id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(ids, told);
    replica.done().await;
    house.done().await;
}

#[tokio::test]
async fn a_subscription_that_cannot_be_is_refused_with_all_that_is_wrong() {
    let house = house().await;
    let server = Endpoint::open(TAKEN).await;
    let wrong = CreateEventSubscriptionRequest {
        title: String::new(),
        url: "ftp://example.com".into(),
        secret: "seven".into(),
        types: vec!["redress.cases.v1.Case".into()],
        filter: "priority == 1".into(),
        timeout_duration: Some(prost_types::Duration { seconds: 16, nanos: 0 }),
        ..wanted("")
    };
    let status = create(&house, wrong).await.unwrap_err();
    assert_eq!(
        (status.code(), testkit::reason(&status).as_str()),
        (Code::InvalidArgument, "INVALID_EVENT_SUBSCRIPTION")
    );
    let mut fields = violations(&status);
    fields.sort();
    assert_eq!(fields, ["filter", "secret", "timeout_duration", "title", "types[0]", "url"]);

    for _ in 0..20 {
        create(&house, wanted(&server.url())).await.unwrap();
    }
    let more = create(&house, wanted(&server.url())).await;
    assert_eq!(refused(more), (Code::ResourceExhausted, "TOO_MANY_EVENT_SUBSCRIPTIONS".into()));
    let list = async || {
        let request = ListEventSubscriptionsRequest {};
        client(&house).list_event_subscriptions(request).await.unwrap().into_inner().event_subscriptions
    };
    let all = list().await;
    assert_eq!(all.len(), 20);
    let delete = DeleteEventSubscriptionRequest {
        request_id: request_id(),
        event_subscription_id: all[0].event_subscription_id.clone(),
        expected_version: 1,
    };
    client(&house).delete_event_subscription(delete.clone()).await.unwrap();
    let again = DeleteEventSubscriptionRequest { request_id: request_id(), ..delete };
    let again = client(&house).delete_event_subscription(again).await;
    assert_eq!(refused(again), (Code::NotFound, "EVENT_SUBSCRIPTION_NOT_FOUND".into()));
    assert_eq!(list().await.len(), 19);
    house.done().await;
}
