//! A delivery is believed by its signature, and by nothing else.

use std::time::Duration;

use http::Method;
use proto::redress::intake::v1::{
    ReceiveWebhookRequest, SetWebhookSourceRequest, WebhookSignature, WebhookSource, WebhookSourceState,
};
use serde_json::json;
use testkit::{House, MockClock, eventually, reason, request_id};

use super::plain_http::{ask, whole};
use super::{
    PATH, Posts, SECRET, Sent, Sources, deliver, get, list, mapping, open, post, refusal, send, set, set_up,
    settled, source,
};
use proto::redress::intake::v1::PostState;

const OTHER: &str = "whsec_AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB";

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_delivery_is_kept_and_sent_again_it_is_the_same() {
    let (house, posts) = open(mapping()).await;
    let body = post(1, "ann", "快递丢了").to_string();
    let sent = || Sent { id: "msg_1", ..Sent::default() };
    let first = deliver(&house, house.address(), sent(), body.as_bytes()).await;
    assert_eq!(first.status(), 202);
    let told: serde_json::Value = serde_json::from_slice(first.body()).expect("JSON");
    assert_eq!(told.get("alreadyReceived"), None);
    for again in [
        deliver(&house, house.address(), sent(), body.as_bytes()).await,
        // The same id with another body, and the same body with another id.
        deliver(&house, house.address(), sent(), b"{\"text\": \"other\"}").await,
        deliver(&house, house.address(), Sent { id: "msg_2", ..Sent::default() }, body.as_bytes()).await,
    ] {
        let same: serde_json::Value = serde_json::from_slice(again.body()).expect("JSON");
        assert_eq!((again.status().as_u16(), &same["alreadyReceived"]), (202, &json!(true)));
        assert_eq!(same["deliveryId"], told["deliveryId"]);
    }
    settled(&posts, 1).await;
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_signed_by_the_source_is_refused_alike() {
    let house = House::builder(&[intake::SERVICE]).identified().open().await;
    let client = Sources::new(house.channel());
    set(&client, source()).await.expect("set up");
    let body = post(1, "ann", "快递丢了").to_string();
    let at = house.address();
    let mut answers = Vec::new();
    for sent in [
        Sent { secret: OTHER, ..Sent::default() },
        Sent { skew: -310, ..Sent::default() },
        Sent { skew: 310, ..Sent::default() },
        Sent { to: "/v1/webhookSources/development/nothing/posts", ..Sent::default() },
        Sent { to: "/v1/webhookSources/nobody/weibo/posts", ..Sent::default() },
        Sent { to: "/v1/webhookSources/NO%20TENANT/weibo/posts", ..Sent::default() },
    ] {
        answers.push(deliver(&house, at, sent, body.as_bytes()).await);
    }
    answers.push(ask(at, (Method::POST, PATH), &[], whole(body.as_bytes())).await.expect("an answer"));
    for answer in &answers {
        assert_eq!(refusal(answer), (401, "WEBHOOK_NOT_VERIFIED".to_owned()), "{answer:?}");
        assert_eq!(answer.body(), answers[0].body(), "nothing tells one from another");
        assert_eq!(answer.headers().get("www-authenticate"), None, "a bearer would not help");
    }
    let good = deliver(&house, at, Sent { skew: -290, ..Sent::default() }, body.as_bytes()).await;
    assert_eq!(good.status(), 202, "no bearer is needed, and nearly five minutes are near enough: {good:?}");
    let put = ask(at, (Method::PUT, PATH), &[], whole(b"")).await.expect("an answer");
    assert_eq!(put.status(), 405);
    let packed = [("content-encoding", "gzip")];
    let packed = ask(at, (Method::POST, PATH), &packed, whole(b"x")).await.expect("an answer");
    assert_eq!(packed.status(), 415);
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_a_secret_is_changed_both_are_good() {
    let house = House::open(&[intake::SERVICE]).await;
    let client = Sources::new(house.channel());
    set(&client, source()).await.expect("set up");
    let change = |next_secret: &str, finish_rotation| SetWebhookSourceRequest {
        request_id: request_id(),
        source: Some(source()),
        next_secret: next_secret.to_owned(),
        finish_rotation,
        ..SetWebhookSourceRequest::default()
    };
    let changed = client.clone().set_webhook_source(change(OTHER, false)).await.expect("a second one");
    assert!(!format!("{changed:?}").contains(OTHER), "secrets are never shown");
    assert_eq!(changed.into_inner().source.map(|one| one.has_next_secret), Some(true));
    let status = async |secret, number: u32| {
        let body = post(number, "ann", "x").to_string();
        let sent = Sent { secret, ..Sent::default() };
        deliver(&house, house.address(), sent, body.as_bytes()).await.status().as_u16()
    };
    assert_eq!((status(SECRET, 1).await, status(OTHER, 2).await), (202, 202));
    client.clone().set_webhook_source(change("", true)).await.expect("the first is gone");
    assert_eq!((status(SECRET, 3).await, status(OTHER, 4).await), (401, 202));
    let refused =
        client.clone().set_webhook_source(change("", true)).await.expect_err("there is no next one");
    assert_eq!(reason(&refused), "INVALID_WEBHOOK_SOURCE");
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_may_sign_as_github_and_meta_do() {
    let house = House::open(&[intake::SERVICE]).await;
    let client = Sources::new(house.channel());
    let hub = WebhookSource { signature: WebhookSignature::HubSha256.into(), ..source() };
    let refused = set(&client, WebhookSource { source_id: "a".to_owned(), ..hub.clone() }).await;
    assert!(refused.is_ok(), "what is a secret of one kind may be one of the other");
    let request = SetWebhookSourceRequest {
        request_id: request_id(),
        source: Some(hub),
        secret: "It'saSecrettoEverybody".to_owned(),
        ..SetWebhookSourceRequest::default()
    };
    client.clone().set_webhook_source(request).await.expect("set up");
    let body = post(1, "ann", "x").to_string();
    let signature = webhook::hub::sign(b"It'saSecrettoEverybody", body.as_bytes());
    let status = async |signature: &str| {
        let headers = [("x-hub-signature-256", signature)];
        let answer = ask(house.address(), (Method::POST, PATH), &headers, whole(body.as_bytes())).await;
        answer.expect("an answer").status().as_u16()
    };
    assert_eq!(status(&signature.replace('a', "b")).await, 401);
    assert_eq!(status("").await, 401);
    assert_eq!(deliver(&house, house.address(), Sent::default(), body.as_bytes()).await.status(), 401);
    assert_eq!((status(&signature).await, status(&signature).await), (202, 202));
    let mut owner = house.owner().await;
    let count: i64 = sqlx::query_scalar("SELECT count(*) FROM intake.webhook_delivery")
        .fetch_one(&mut owner)
        .await
        .expect("counted");
    assert_eq!(count, 1, "sent again by whoever has it, it is the same");
    drop(owner);
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn by_other_roads_it_needs_the_same_signature() {
    let (house, _) = open(mapping()).await;
    let request = ReceiveWebhookRequest {
        source_id: "weibo".to_owned(),
        webhook_id: "msg_1".to_owned(),
        webhook_timestamp: "1".to_owned(),
        webhook_signature: "v1,AAAA".to_owned(),
        body: b"{}".to_vec(),
        ..ReceiveWebhookRequest::default()
    };
    let refused = Sources::new(house.channel()).receive_webhook(request).await.expect_err("not signed");
    assert_eq!(reason(&refused), "WEBHOOK_NOT_VERIFIED");
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_whose_deliveries_are_refused_again_and_again_says_so() {
    let (house, posts) = open(mapping()).await;
    let client = Sources::new(house.channel());
    let body = post(1, "ann", "x").to_string();
    for _ in 0..3 {
        let wrong = Sent { secret: OTHER, ..Sent::default() };
        deliver(&house, house.address(), wrong, body.as_bytes()).await;
    }
    eventually(|| async { get(&client).await.state() == WebhookSourceState::Failing }).await;
    let failing = get(&client).await;
    assert_eq!(failing.error_reason, "SIGNATURE_REFUSED");
    assert!(failing.error_time.is_some() && !failing.error.is_empty(), "{failing:?}");
    assert_eq!(list(&posts, PostState::Unspecified).await, []);
    deliver(&house, house.address(), Sent::default(), body.as_bytes()).await;
    let good = get(&client).await;
    assert_eq!((good.state(), good.error_reason.as_str()), (WebhookSourceState::Receiving, ""));
    settled(&Posts::new(house.channel()), 1).await;
    house.done().await;
}

/// Deliveries that anybody may send.
async fn disbelieved(house: &House, count: usize) {
    let body = post(1, "ann", "x").to_string();
    for _ in 0..count {
        let wrong = Sent { secret: OTHER, ..Sent::default() };
        assert_eq!(deliver(house, house.address(), wrong, body.as_bytes()).await.status(), 401);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_anybody_may_send_neither_hides_what_is_wrong_with_posts_nor_lets_a_source_fail() {
    let clock = MockClock::default();
    let house = House::builder(&[intake::SERVICE]).clock(clock.clone()).open().await;
    let posts = set_up(&house, mapping()).await;
    let client = Sources::new(house.channel());
    // Three posts of its own that cannot be read.
    for number in 0..3 {
        send(&house, &json!({"n": number})).await;
    }
    settled(&posts, 3).await;
    let unread = get(&client).await;
    assert_eq!(
        (unread.state(), unread.error_reason.as_str()),
        (WebhookSourceState::Failing, "MAPPING_REFUSED")
    );
    disbelieved(&house, 5).await;
    eventually(|| async { get(&client).await.error.contains("besides, of 5 deliveries") }).await;
    let both = get(&client).await;
    assert_eq!(
        (both.state(), both.error_reason.as_str(), both.error_time),
        (WebhookSourceState::Failing, "MAPPING_REFUSED", unread.error_time)
    );
    // One that is signed, and cannot be read either, ends the one and not the other.
    send(&house, &json!({"n": 4})).await;
    settled(&posts, 4).await;
    let still = get(&client).await;
    assert_eq!(
        (still.state(), still.error_reason.as_str()),
        (WebhookSourceState::Failing, "MAPPING_REFUSED")
    );
    assert!(!still.error.contains("besides"), "{still:?}");

    send(&house, &post(2, "ann", "x")).await;
    settled(&posts, 5).await;
    assert_eq!(get(&client).await.state(), WebhookSourceState::Receiving);
    disbelieved(&house, 5).await;
    eventually(|| async { get(&client).await.error_reason == "SIGNATURE_REFUSED" }).await;
    assert_eq!(get(&client).await.state(), WebhookSourceState::Receiving, "it was believed before");
    clock.advance(Duration::from_hours(1));
    disbelieved(&house, 1).await;
    eventually(|| async { get(&client).await.state() == WebhookSourceState::Failing }).await;
    send(&house, &post(3, "ann", "x")).await;
    let good = get(&client).await;
    assert_eq!((good.state(), good.error_reason.as_str()), (WebhookSourceState::Receiving, ""));
    settled(&posts, 6).await;
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_believed_yet_is_looked_at_by_eight_at_once_and_no_more() {
    let (house, _) = open(mapping()).await;
    let mut owner = house.owner().await;
    let lock = "BEGIN; LOCK TABLE intake.webhook_source IN ACCESS EXCLUSIVE MODE";
    sqlx::raw_sql(lock).execute(&mut owner).await.expect("nobody reads it now");
    let body = post(1, "ann", "x").to_string();
    let wrong = || Sent { secret: OTHER, ..Sent::default() };
    let all = futures::future::join_all(
        (0..20).map(|_| deliver(&house, house.address(), wrong(), body.as_bytes())),
    );
    let free = async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        sqlx::raw_sql("ROLLBACK").execute(&mut owner).await.expect("it can be read again");
    };
    let (answers, ()) = tokio::join!(all, free);
    let too_many = answers.iter().filter(|one| refusal(one) == (429, "WEBHOOK_RATE_EXCEEDED".to_owned()));
    assert_eq!(too_many.clone().count(), 12, "{answers:?}");
    assert!(too_many.clone().all(|one| one.headers().contains_key("retry-after")));
    drop(owner);
    house.done().await;
}
