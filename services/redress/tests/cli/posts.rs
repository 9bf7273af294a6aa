//! `redress webhook-source …` and `redress post …`.

use proto::redress::intake::v1::ReceiveWebhookRequest;
use proto::redress::intake::v1::webhook_source_service_client::WebhookSourceServiceClient;
use testkit::eventually;
use webhook::{Message, Secret};

use super::Terminal;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OTHER: &str = "whsec_b3RoZXJvdGhlcm90aGVyb3RoZXJvdGhlcg==";
const MAPPING: &str = r#"{
    "fields": [{"field": "POST_FIELD_TEXT", "path": "$.text"}, {"field": "POST_FIELD_AUTHOR", "path": "$.author"}],
    "rules": [{"name": "refund", "anyOf": ["退款"]}],
    "templates": [{"language": "zh-CN", "text": "@{author} 我们在处理"}]
}"#;

/// Delivers two posts, signed.
async fn deliver(terminal: &Terminal) {
    let body = r#"[{"text": "我要退款", "author": "安"}, {"text": "真好看", "author": "鲍"}]"#.as_bytes();
    let timestamp = terminal.house.db("intake").clock().now().as_second();
    let secret: Secret = SECRET.parse().unwrap();
    let request = ReceiveWebhookRequest {
        source_id: "weibo".to_owned(),
        webhook_id: "msg_1".to_owned(),
        webhook_timestamp: timestamp.to_string(),
        webhook_signature: secret.sign(&Message { id: "msg_1", timestamp, body }),
        body: body.to_vec(),
        ..ReceiveWebhookRequest::default()
    };
    WebhookSourceServiceClient::new(terminal.house.channel()).receive_webhook(request).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_is_set_up_and_mapped_and_its_posts_are_answered() {
    let terminal = Terminal::open().await;
    assert!(terminal.text(&["webhook-source", "list"]).await.contains("no webhook sources"));
    let set =
        ["webhook-source", "set", "weibo", "--owner", "ada", "--silent-after", "24", "--secret", SECRET];
    let text = terminal.text(&set).await;
    assert!(text.contains("/v1/webhookSources/development/weibo/posts") && text.contains("24 h"), "{text}");
    assert!(!text.contains("whsec"), "{text}");
    assert!(!text.contains("token to ask with"), "only of a hub: {text}");
    let hub =
        ["webhook-source", "set", "page", "--owner", "ada", "--signature", "hub-sha256", "--secret", OTHER];
    let text = terminal.text(&hub).await;
    let token = webhook::hub::verify_token(OTHER.as_bytes(), "development/page");
    assert!(text.contains(&token), "{text}");

    let folder = tempfile::tempdir().unwrap();
    let (file, sample) = (folder.path().join("m.json"), folder.path().join("sample.json"));
    std::fs::write(&file, MAPPING).unwrap();
    std::fs::write(&sample, r#"{"text": "退款", "author": 7}"#).unwrap();
    let (file, sample) = (file.to_str().unwrap(), sample.to_str().unwrap());
    let mapping = ["webhook-source", "mapping"];
    let preview = [&mapping[..], &["preview", "weibo", "--file", file, "--sample", sample]].concat();
    assert!(terminal.text(&preview).await.contains("yes, by refund"));
    let made = terminal.text(&[&mapping[..], &["create", "weibo", file]].concat()).await;
    assert!(made.contains("1 of weibo") && made.contains("any of 退款"), "{made}");
    let active = terminal.text(&[&mapping[..], &["activate", "weibo", "1"]].concat()).await;
    assert!(active.lines().any(|line| line.starts_with("mapping") && line.ends_with('1')), "{active}");
    let shown = terminal.json(&[&mapping[..], &["get", "weibo", "1"]].concat()).await;
    assert_eq!(shown["templates"][0]["language"], "zh-CN");
    assert!(terminal.text(&[&mapping[..], &["list", "weibo"]].concat()).await.contains("yes"));

    deliver(&terminal).await;
    let aside = ["post", "list", "--state", "set-aside"];
    eventually(|| async { terminal.text(&aside).await.contains("no rule") }).await;
    let found = terminal.json(&aside).await;
    let id = found["posts"][0]["postId"].as_str().unwrap();
    let text = terminal.text(&["post", "register", id]).await;
    assert!(text.contains("真好看"), "{text}");
    eventually(|| async { terminal.text(&["post", "show", id]).await.contains("registered") }).await;

    let text = terminal.text(&["post", "reply", "draft", id]).await;
    assert!(text.contains("@鲍 我们在处理"), "{text}");
    let refused = terminal.refusal(&["post", "reply", "draft", id, "call 13800138000"]).await;
    assert!(refused.contains("a telephone number"), "{refused}");
    let own = terminal.refusal(&["post", "reply", "approve", id, "--version", "1"]).await;
    assert!(own.contains("somebody else"), "{own}");
    let approve = ["post", "reply", "approve", id, "--version", "1", "--as", "bob"];
    assert!(terminal.text(&approve).await.contains("approved"));
    assert!(terminal.text(&["post", "reply", "list", "--state", "approved"]).await.contains("bob"));
    let uri = "https://weibo.example/shop/1";
    let posted = ["post", "reply", "sent", id, "--version", "2", "--uri", uri];
    assert!(terminal.text(&posted).await.contains(uri));

    let text = terminal.text(&["webhook-source", "rotate", "weibo", "--next-secret", OTHER]).await;
    assert!(text.contains("a second one"), "{text}");
    terminal.text(&["webhook-source", "rotate", "weibo", "--finish"]).await;
    assert!(terminal.text(&["webhook-source", "pause", "weibo"]).await.contains("paused"));
    let text = terminal.text(&["webhook-source", "resume", "weibo"]).await;
    assert!(text.contains("receiving") && text.contains("24 h"), "all else stays: {text}");
    terminal.text(&["webhook-source", "delete", "weibo"]).await;
    terminal.house.done().await;
}
