//! Whoever is to deliver asks before, as Meta does, and is answered by its token alone.

use bytes::Bytes;
use http::{Method, Response};
use proto::redress::intake::v1::{
    CheckWebhookChallengeRequest, SetWebhookSourceRequest, WebhookSignature, WebhookSource,
};
use testkit::{House, reason, request_id};

use super::plain_http::{ask, whole};
use super::{PATH, Sources, get, set, source};

const SECRET: &str = "It'saSecrettoEverybody";
const NEXT: &str = "AnotherSecretOfTheSame";

async fn asked(house: &House, path: &str, query: &str) -> Response<Bytes> {
    let to = format!("{path}?{query}");
    ask(house.address(), (Method::GET, &to), &[], whole(b"")).await.expect("an answer")
}

fn query(token: &str, challenge: &str) -> String {
    format!("hub.mode=subscribe&hub.challenge={challenge}&hub.verify_token={token}")
}

/// Sets the source up; answers its token.
async fn hub(client: &Sources, next_secret: &str, finish_rotation: bool) -> String {
    let request = SetWebhookSourceRequest {
        request_id: request_id(),
        source: Some(WebhookSource { signature: WebhookSignature::HubSha256.into(), ..source() }),
        secret: if finish_rotation { String::new() } else { SECRET.to_owned() },
        next_secret: next_secret.to_owned(),
        finish_rotation,
        expected_version: None,
    };
    let set = client.clone().set_webhook_source(request).await.expect("set up").into_inner();
    set.source.expect("the source").verify_token
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_the_token_is_answered_the_challenge_and_nothing_else() {
    let house = House::builder(&[intake::SERVICE]).identified().open().await;
    let client = Sources::new(house.channel());
    let token = hub(&client, "", false).await;
    assert_eq!(token, webhook::hub::verify_token(SECRET.as_bytes(), "development/weibo"));
    assert_eq!(get(&client).await.verify_token, "", "nobody else is told");
    let answer = asked(&house, PATH, &query(&token, "1158201444")).await;
    assert_eq!((answer.status().as_u16(), answer.body().as_ref()), (200, b"1158201444".as_slice()));
    assert_eq!(answer.headers()["content-type"], "text/plain");
    assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_wrong_is_refused_alike_and_without_a_word() {
    let house = House::builder(&[intake::SERVICE]).identified().open().await;
    let client = Sources::new(house.channel());
    let token = hub(&client, "", false).await;
    let standard = WebhookSource { source_id: "listener".to_owned(), ..source() };
    set(&client, standard).await.expect("set up");
    let of_another = webhook::hub::verify_token(super::SECRET.as_bytes(), "development/listener");
    let good = query(&token, "1");
    let long = "1".repeat(201);
    for (path, query) in [
        (PATH, String::new()),
        (PATH, query("", "1")),
        (PATH, query(&token.replace('a', "b"), "1")),
        (PATH, query(&of_another, "1")),
        (PATH, good.replace("subscribe", "unsubscribe")),
        (PATH, good.replace("hub.mode=subscribe&", "")),
        (PATH, format!("{good}&hub.mode=subscribe")),
        (PATH, query(&token, "")),
        (PATH, query(&token, &long)),
        (PATH, query(&token, "%3Cscript%3E")),
        (PATH, query(&token, "a%0d%0ab")),
        ("/v1/webhookSources/development/listener/posts", query(&of_another, "1")),
        ("/v1/webhookSources/development/nothing/posts", good.clone()),
        ("/v1/webhookSources/nobody/weibo/posts", good.clone()),
        ("/v1/webhookSources/NO%20TENANT/weibo/posts", good.clone()),
    ] {
        let answer = asked(&house, path, &query).await;
        assert_eq!((answer.status().as_u16(), answer.body().len()), (403, 0), "{path}?{query}");
        assert_eq!(answer.headers().get("content-type"), None);
        assert_eq!(answer.headers().get("www-authenticate"), None);
    }
    assert_eq!(asked(&house, PATH, &good).await.status(), 200);
    assert_eq!(get(&client).await.error_reason, "", "a stranger's question says nothing of the source");
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_a_secret_is_changed_the_tokens_of_both_are_good() {
    let house = House::open(&[intake::SERVICE]).await;
    let client = Sources::new(house.channel());
    let first = hub(&client, "", false).await;
    let next = hub(&client, NEXT, false).await;
    assert_ne!(first, next);
    let status = async |token: &str| asked(&house, PATH, &query(token, "1")).await.status().as_u16();
    assert_eq!((status(&first).await, status(&next).await), (200, 200));
    assert_eq!(hub(&client, "", true).await, next);
    assert_eq!((status(&first).await, status(&next).await), (403, 200));
    let request = CheckWebhookChallengeRequest {
        source_id: "weibo".to_owned(),
        mode: "subscribe".to_owned(),
        verify_token: first,
        challenge: "1".to_owned(),
    };
    let refused = client.clone().check_webhook_challenge(request).await.expect_err("by other roads, too");
    assert_eq!(reason(&refused), "WEBHOOK_NOT_VERIFIED");
    house.done().await;
}
