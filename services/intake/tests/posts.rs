//! Posts over a real Postgres: signed, kept once, mapped, matched, and what becomes of each.

#![expect(clippy::expect_used, reason = "a test says what it expects")]

#[path = "posts/challenges.rs"]
mod challenges;
#[path = "posts/crashes.rs"]
mod crashes;
#[path = "posts/deleted_sources.rs"]
mod deleted_sources;
#[path = "posts/mappings.rs"]
mod mappings;
#[path = "posts/matters.rs"]
mod matters;
#[path = "shared/plain_http.rs"]
mod plain_http;
#[path = "posts/replies.rs"]
mod replies;
#[path = "posts/rules.rs"]
mod rules;
#[path = "posts/signatures.rs"]
mod signatures;
#[path = "posts/sources.rs"]
mod sources;
#[path = "posts/spread.rs"]
mod spread;

use std::net::SocketAddr;

use bytes::Bytes;
use http::{Method, Response};
use proto::redress::intake::v1::intake_service_client::IntakeServiceClient;
use proto::redress::intake::v1::post_service_client::PostServiceClient;
use proto::redress::intake::v1::webhook_source_service_client::WebhookSourceServiceClient;
use proto::redress::intake::v1::{
    ActivateWebhookMappingRequest, Complaint, CreateWebhookMappingRequest, GetComplaintRequest,
    GetWebhookSourceRequest, KeywordRule, ListPostsRequest, Post, PostField, PostFieldPath, PostState,
    SetWebhookSourceRequest, WebhookMapping, WebhookSource,
};
use serde_json::{Value, json};
use testkit::{CallerChannel, House, eventually, request_id};
use tonic::Status;
use webhook::{Message, Secret};

use plain_http::{ask, whole};

type Sources = WebhookSourceServiceClient<CallerChannel>;
type Posts = PostServiceClient<CallerChannel>;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const PATH: &str = "/v1/webhookSources/development/weibo/posts";

fn source() -> WebhookSource {
    WebhookSource {
        source_id: "weibo".to_owned(),
        owner: "ada".to_owned(),
        language: "zh-CN".to_owned(),
        category_hint: "delivery".to_owned(),
        ..WebhookSource::default()
    }
}

async fn set(client: &Sources, source: WebhookSource) -> Result<WebhookSource, Status> {
    let request = SetWebhookSourceRequest {
        request_id: request_id(),
        source: Some(source),
        secret: SECRET.to_owned(),
        ..SetWebhookSourceRequest::default()
    };
    Ok(client.clone().set_webhook_source(request).await?.into_inner().source.expect("a source"))
}

async fn get(client: &Sources) -> WebhookSource {
    let request = GetWebhookSourceRequest { source_id: "weibo".to_owned() };
    client.clone().get_webhook_source(request).await.expect("the source").into_inner().source.expect("one")
}

/// Where a tool of these tests writes each field.
fn mapping() -> WebhookMapping {
    let fields = [
        (PostField::Text, "$.text"),
        (PostField::Author, "$.user.name"),
        (PostField::AuthorId, "$.user.id"),
        (PostField::ExternalId, "$.id"),
        (PostField::Uri, "$.url"),
        (PostField::Reach, "$.user.followers"),
        (PostField::Time, "$.created_at"),
        (PostField::OrderRef, "$.order"),
        (PostField::CustomerId, "$.customer"),
        (PostField::ParentId, "$.reply_to"),
        (PostField::OriginId, "$.repost_of.id"),
        (PostField::OriginUri, "$.repost_of.url"),
    ];
    let path =
        |(field, path): (PostField, &str)| PostFieldPath { field: field.into(), path: path.to_owned() };
    WebhookMapping {
        source_id: "weibo".to_owned(),
        items: String::new(),
        fields: fields.into_iter().map(path).collect(),
        ..WebhookMapping::default()
    }
}

fn rule(name: &str, any_of: &[&str]) -> KeywordRule {
    KeywordRule {
        name: name.to_owned(),
        any_of: any_of.iter().map(ToString::to_string).collect(),
        ..KeywordRule::default()
    }
}

async fn create(client: &Sources, mapping: WebhookMapping) -> Result<WebhookMapping, Status> {
    let request = CreateWebhookMappingRequest { request_id: request_id(), mapping: Some(mapping) };
    Ok(client.clone().create_webhook_mapping(request).await?.into_inner().mapping.expect("a mapping"))
}

async fn activate(client: &Sources, number: i64) -> Result<WebhookSource, Status> {
    let request = ActivateWebhookMappingRequest {
        request_id: request_id(),
        source_id: "weibo".to_owned(),
        number,
        expected_version: None,
    };
    Ok(client.clone().activate_webhook_mapping(request).await?.into_inner().source.expect("a source"))
}

/// A house with a source whose posts are read by a mapping.
async fn open(mapping: WebhookMapping) -> (House, Posts) {
    let house = House::open(&[intake::SERVICE]).await;
    let posts = set_up(&house, mapping).await;
    (house, posts)
}

async fn set_up(house: &House, mapping: WebhookMapping) -> Posts {
    let client = Sources::new(house.channel());
    set(&client, source()).await.expect("set up");
    let number = create(&client, mapping).await.expect("a mapping").number;
    activate(&client, number).await.expect("active");
    Posts::new(house.channel())
}

/// A delivery that is sent.
struct Sent<'a> {
    to: &'a str,
    id: &'a str,
    secret: &'a str,
    /// Seconds between the clock of its sender and that of the house.
    skew: i64,
}

impl Default for Sent<'_> {
    fn default() -> Self {
        Self { to: PATH, id: "", secret: SECRET, skew: 0 }
    }
}

/// Posts a body, signed after Standard Webhooks.
async fn deliver(house: &House, at: SocketAddr, sent: Sent<'_>, body: &[u8]) -> Response<Bytes> {
    let id = if sent.id.is_empty() { request_id() } else { sent.id.to_owned() };
    let timestamp = house.db("intake").clock().now().as_second() + sent.skew;
    let secret: Secret = sent.secret.parse().expect("a secret");
    let signature = secret.sign(&Message { id: &id, timestamp, body });
    let headers = [
        ("content-type", "application/json"),
        ("webhook-id", id.as_str()),
        ("webhook-timestamp", &timestamp.to_string()),
        ("webhook-signature", &signature),
    ];
    ask(at, (Method::POST, sent.to), &headers, whole(body)).await.expect("an answer")
}

/// Posts JSON, which must be taken.
async fn send(house: &House, body: &Value) -> Value {
    let answer = deliver(house, house.address(), Sent::default(), body.to_string().as_bytes()).await;
    assert_eq!(answer.status(), 202, "{answer:?}");
    serde_json::from_slice(answer.body()).expect("JSON")
}

/// A post of the network.
fn post(id: u32, author: &str, text: &str) -> Value {
    json!({
        "id": id, "text": text, "url": format!("https://weibo.example/{author}/{id}"),
        "user": {"name": author, "id": format!("u-{author}"), "followers": 100},
    })
}

/// The status and the reason of a refusal.
fn refusal(answer: &Response<Bytes>) -> (u16, String) {
    let read: Value = serde_json::from_slice(answer.body()).expect("JSON");
    let details = read["details"].as_array().expect("details");
    let reason = details.iter().find_map(|one| one["reason"].as_str()).expect("a reason");
    (answer.status().as_u16(), reason.to_owned())
}

async fn list(client: &Posts, state: PostState) -> Vec<Post> {
    let request = ListPostsRequest { state: state.into(), page_size: 500, ..ListPostsRequest::default() };
    let mut posts = client.clone().list_posts(request).await.expect("listed").into_inner().posts;
    posts.reverse();
    posts
}

/// The posts, oldest first, once none waits any more and there are so many.
async fn settled(client: &Posts, count: usize) -> Vec<Post> {
    eventually(|| async {
        let all = list(client, PostState::Unspecified).await;
        all.len() == count && all.iter().all(|post| post.state() != PostState::Waiting)
    })
    .await;
    list(client, PostState::Unspecified).await
}

fn states(posts: &[Post]) -> Vec<PostState> {
    posts.iter().map(Post::state).collect()
}

async fn complaint(house: &House, id: &str) -> Complaint {
    let request = GetComplaintRequest { complaint_id: id.to_owned() };
    let answer = IntakeServiceClient::new(house.channel()).get_complaint(request).await;
    answer.expect("the complaint").into_inner().complaint.expect("the complaint")
}

/// How many complaints there are.
async fn complaints(house: &House) -> i64 {
    let mut owner = house.owner().await;
    let count = sqlx::query_scalar("SELECT count(*) FROM intake.complaint");
    count.fetch_one(&mut owner).await.expect("counted")
}
