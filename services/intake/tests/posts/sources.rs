//! Sources as they are settled, their limits, and how far each is.

use std::time::Duration;

use futures::future::join_all;
use proto::redress::intake::v1::channel_service_client::ChannelServiceClient;
use proto::redress::intake::v1::{
    Channel, DeleteWebhookSourceRequest, GetChannelSettingsRequest, ListPostsRequest,
    ListWebhookSourcesRequest, PostSetAside, PostState, SetWebhookSourceRequest, WebhookSource,
    WebhookSourceState,
};
use testkit::{House, MockClock, eventually, reason, request_id, violations};

use super::{
    Posts, SECRET, Sent, Sources, complaints, deliver, get, list, mapping, open, post, refusal, send, set,
    set_up, settled, source,
};

fn setting(source: WebhookSource, secret: &str, seen: Option<i64>) -> SetWebhookSourceRequest {
    SetWebhookSourceRequest {
        request_id: request_id(),
        source: Some(source),
        secret: secret.to_owned(),
        expected_version: seen,
        ..SetWebhookSourceRequest::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_is_its_tenants_and_its_secret_is_kept_and_never_shown() {
    let house = House::builder(&[intake::SERVICE]).identified().open().await;
    let client = Sources::new(house.channel());
    let missing =
        client.clone().set_webhook_source(setting(source(), "", None)).await.expect_err("no secret");
    assert_eq!(
        (reason(&missing).as_str(), violations(&missing)),
        ("INVALID_WEBHOOK_SOURCE", vec!["secret".to_owned()])
    );
    let made = client.clone().set_webhook_source(setting(source(), SECRET, Some(0))).await.expect("set up");
    assert!(!format!("{made:?}").contains(SECRET));
    let made = made.into_inner().source.expect("a source");
    assert_eq!((made.version, made.uri_path.as_str()), (1, super::PATH));
    assert_eq!((made.max_per_author_hour, made.max_reply_length), (20, 280));
    client.clone().set_webhook_source(setting(source(), "", Some(1))).await.expect("kept its secret");
    let stale = client.clone().set_webhook_source(setting(source(), "", Some(1))).await.expect_err("stale");
    assert_eq!(reason(&stale), "VERSION_MISMATCH");

    let theirs = Sources::new(house.channel_as("other", "admin", &["admin"]));
    let none = theirs.clone().list_webhook_sources(ListWebhookSourcesRequest {}).await.expect("listed");
    assert_eq!(none.into_inner().sources, []);
    set(&theirs, source()).await.expect("the name is each tenant's own");
    let number = super::create(&theirs, mapping()).await.expect("a mapping").number;
    super::activate(&theirs, number).await.expect("active");
    let to = Sent { to: "/v1/webhookSources/other/weibo/posts", ..Sent::default() };
    let body = post(1, "ann", "快递丢了").to_string();
    assert_eq!(deliver(&house, house.address(), to, body.as_bytes()).await.status(), 202);
    let posts = Posts::new(house.channel_as("other", "ann", &["agent"]));
    assert_eq!(settled(&posts, 1).await[0].state(), PostState::Registered);
    let ours = Posts::new(house.channel());
    assert_eq!(list(&ours, PostState::Unspecified).await, [], "each tenant sees its own posts");

    let request = DeleteWebhookSourceRequest {
        request_id: request_id(),
        source_id: "weibo".to_owned(),
        expected_version: Some(1),
    };
    let stale = client.clone().delete_webhook_source(request.clone()).await.expect_err("stale");
    assert_eq!(reason(&stale), "VERSION_MISMATCH");
    let request = DeleteWebhookSourceRequest { expected_version: Some(2), ..request };
    client.clone().delete_webhook_source(request).await.expect("deleted");
    let gone = deliver(&house, house.address(), Sent::default(), body.as_bytes()).await;
    assert_eq!(refusal(&gone), (401, "WEBHOOK_NOT_VERIFIED".to_owned()));
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_has_fifty_sources_and_no_more() {
    let house = House::open(&[intake::SERVICE]).await;
    let client = Sources::new(house.channel());
    let numbered = |number: u32| WebhookSource { source_id: format!("weibo-{number}"), ..source() };
    for number in 0..50 {
        set(&client, numbered(number)).await.expect("there is room");
    }
    let refused = set(&client, numbered(50)).await.expect_err("there is none");
    assert_eq!(reason(&refused), "TOO_MANY_WEBHOOK_SOURCES");
    set(&client, numbered(7)).await.expect("one of them is changed");
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_is_silent_for_longer_than_its_rhythm_says_so() {
    let clock = MockClock::default();
    let house = House::builder(&[intake::SERVICE]).clock(clock.clone()).open().await;
    let posts = set_up(&house, mapping()).await;
    let client = Sources::new(house.channel());
    let hour = prost_types::Duration { seconds: 3_600, nanos: 0 };
    set(&client, WebhookSource { silent_after: Some(hour), ..source() }).await.expect("set up");
    assert_eq!(get(&client).await.state(), WebhookSourceState::Waiting, "nothing has come yet");
    send(&house, &post(1, "ann", "快递丢了")).await;
    assert_eq!(get(&client).await.state(), WebhookSourceState::Receiving);
    clock.advance(Duration::from_hours(1));
    assert_eq!(get(&client).await.state(), WebhookSourceState::Receiving);
    clock.advance(Duration::from_secs(1));
    assert_eq!(get(&client).await.state(), WebhookSourceState::Silent);
    // The same again is a sign of life, too.
    send(&house, &post(1, "ann", "快递丢了")).await;
    assert_eq!(get(&client).await.state(), WebhookSourceState::Receiving);
    settled(&posts, 1).await;
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_source_is_told_to_send_again_later() {
    let (house, posts) = open(mapping()).await;
    let client = Sources::new(house.channel());
    set(&client, WebhookSource { paused: true, ..source() }).await.expect("paused");
    let body = post(1, "ann", "x").to_string();
    let later = deliver(&house, house.address(), Sent::default(), body.as_bytes()).await;
    assert_eq!(refusal(&later), (503, "WEBHOOK_SOURCE_PAUSED".to_owned()));
    assert_eq!(later.headers()["retry-after"], "300");
    assert_eq!(get(&client).await.state(), WebhookSourceState::Paused);
    set(&client, source()).await.expect("resumed");
    send(&house, &post(1, "ann", "x")).await;
    settled(&posts, 1).await;
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_has_its_limits_and_what_cannot_be_read_is_set_aside() {
    let (house, posts) = open(mapping()).await;
    let at = house.address();
    let long = format!("{{\"text\": \"{}\"}}", "x".repeat(256 << 10));
    let refused = deliver(&house, at, Sent::default(), long.as_bytes()).await;
    assert_eq!(refusal(&refused), (400, "MESSAGE_TOO_LARGE".to_owned()));
    let refused = deliver(&house, at, Sent::default(), b"").await;
    assert_eq!(refusal(&refused), (400, "INVALID_WEBHOOK_DELIVERY".to_owned()));
    let deep = "[".repeat(200) + &"]".repeat(200);
    let many = serde_json::json!(vec![post(1, "ann", "x"); 101]).to_string();
    for body in ["no json", deep.as_str(), &many, "\u{0}"] {
        assert_eq!(deliver(&house, at, Sent::default(), body.as_bytes()).await.status(), 202);
    }
    let all = settled(&posts, 4).await;
    for post in &all {
        assert_eq!(
            (post.state(), post.set_aside()),
            (PostState::SetAside, PostSetAside::Unreadable),
            "{post:?}"
        );
        assert!(!post.remarks.is_empty());
    }
    let request = proto::redress::intake::v1::RegisterPostRequest {
        request_id: request_id(),
        post_id: all[0].post_id.clone(),
        complaint_id: String::new(),
    };
    let refused = posts.clone().register_post(request).await.expect_err("there is nothing in it");
    assert_eq!(reason(&refused), "POST_UNREADABLE");
    let source = get(&Sources::new(house.channel())).await;
    assert_eq!(
        (source.state(), source.error_reason.as_str()),
        (WebhookSourceState::Failing, "MAPPING_REFUSED")
    );
    // Its channel says so, too.
    let request = GetChannelSettingsRequest { channel: Channel::Social.into() };
    let social = ChannelServiceClient::new(house.channel()).get_channel_settings(request).await;
    let health = social.expect("a channel").into_inner().settings.and_then(|one| one.health);
    let failing = health.expect("how it is").failing;
    let names: Vec<_> = failing.iter().map(|one| (one.name.clone(), one.reason.as_str())).collect();
    assert_eq!(names, [(format!("webhookSources/{}", source.source_id), "MAPPING_REFUSED")]);
    send(&house, &serde_json::json!([])).await;
    send(&house, &post(2, "ann", "x")).await;
    settled(&posts, 5).await;
    assert_eq!(get(&Sources::new(house.channel())).await.state(), WebhookSourceState::Receiving);
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_sends_too_fast_is_told_to_wait() {
    let house = House::open(&[intake::SERVICE]).await;
    let client = Sources::new(house.channel());
    set(&client, source()).await.expect("set up");
    let (mut refused, mut sent) = (None, 0_u32);
    // More at once than fifty a second, until it is too much.
    while refused.is_none() && sent < 5_000 {
        let numbers = sent..sent + 20;
        let answers = join_all(numbers.map(|number| {
            let (house, body) = (&house, post(number, "ann", "x").to_string());
            async move { deliver(house, house.address(), Sent::default(), body.as_bytes()).await }
        }));
        refused = answers.await.into_iter().find(|answer| answer.status() != 202);
        sent += 20;
    }
    let refused = refused.expect("one of them is too much");
    assert_eq!(refusal(&refused), (429, "WEBHOOK_RATE_EXCEEDED".to_owned()));
    assert!(refused.headers().contains_key("retry-after"));
    assert!(sent >= 200, "so many at once are taken");
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_author_has_so_many_complaints_an_hour_and_what_was_set_aside_is_forgotten() {
    let clock = MockClock::default();
    let house = House::builder(&[intake::SERVICE]).clock(clock.clone()).open().await;
    let posts = set_up(&house, mapping()).await;
    let client = Sources::new(house.channel());
    set(&client, WebhookSource { max_per_author_hour: 2, ..source() }).await.expect("set up");
    for number in 1..=3 {
        send(&house, &post(number, "ann", &format!("{number}"))).await;
        settled(&posts, number as usize).await;
    }
    send(&house, &post(4, "bob", "4")).await;
    settled(&posts, 4).await;
    // Of one moment of a clock that stands still: in no order.
    let became = async |number: &str| {
        let all = list(&posts, PostState::Unspecified).await;
        let one =
            all.into_iter().find(|one| one.content.as_ref().is_some_and(|said| said.external_id == number));
        one.map(|one| (one.state(), one.set_aside())).expect("the post")
    };
    assert_eq!(became("3").await, (PostState::SetAside, PostSetAside::AuthorRate));
    assert_eq!(became("4").await.0, PostState::Registered);
    clock.advance(Duration::from_mins(61));
    send(&house, &post(5, "ann", "5")).await;
    settled(&posts, 5).await;
    assert_eq!(became("5").await.0, PostState::Registered);
    clock.advance(Duration::from_hours(90 * 24) + Duration::from_secs(1));
    eventually(|| async { list(&posts, PostState::SetAside).await.is_empty() }).await;
    let all = posts.clone().list_posts(ListPostsRequest::default()).await.expect("listed").into_inner().posts;
    assert_eq!(all.len(), 4, "what became a complaint stays");
    assert_eq!(complaints(&house).await, 4);
    eventually(|| async {
        let mut owner = house.owner().await;
        let count = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM intake.webhook_delivery");
        count.fetch_one(&mut owner).await.expect("counted") == 0
    })
    .await;
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_posts_are_known_by_is_forgotten_two_years_after_the_last_that_told_of_their_matter() {
    let clock = MockClock::default();
    let house = House::builder(&[intake::SERVICE]).clock(clock.clone()).open().await;
    let posts = set_up(&house, mapping()).await;
    let kept = async || {
        let mut owner = house.owner().await;
        let kept = "SELECT (SELECT count(*) FROM intake.webhook_key),
                           (SELECT count(*) FROM intake.webhook_account),
                           (SELECT count(*) FROM intake.webhook_matter WHERE account <> '')";
        sqlx::query_as::<_, (i64, i64, i64)>(kept).fetch_one(&mut owner).await.expect("counted")
    };
    let day = Duration::from_hours(24);
    send(&house, &serde_json::json!([post(1, "ann", "杯子碎了"), post(2, "bob", "快递丢了")])).await;
    settled(&posts, 2).await;
    assert_eq!(kept().await, (4, 2, 2), "a number and an address of each");
    clock.advance(day * 400);
    // Somebody tells of one of them again.
    let mut again = post(1, "cy", "转发");
    again["url"] = "".into();
    send(&house, &again).await;
    settled(&posts, 3).await;
    assert_eq!(kept().await, (4, 3, 2));
    clock.advance(day * 340);
    eventually(|| async { kept().await == (2, 2, 1) }).await;
    clock.advance(day * 400);
    eventually(|| async { kept().await == (0, 0, 0) }).await;
    // It is a matter of its own now, though the network's number is that of the complaint.
    send(&house, &post(1, "dan", "还是没有")).await;
    eventually(|| async { list(&posts, PostState::Registered).await.len() == 3 }).await;
    assert_eq!(complaints(&house).await, 3);
    house.done().await;
}
