//! A webhook source is set up with a mapping; a post becomes a complaint, one that no rule takes is
//! registered by hand; a reply is written, approved by somebody else and posted; then the source
//! is given up.

use proto::redress::intake::v1::post_service_client::PostServiceClient;
use proto::redress::intake::v1::webhook_source_service_client::WebhookSourceServiceClient;
use proto::redress::intake::v1::{
    ActivateWebhookMappingRequest, ApproveReplyRequest, CheckWebhookChallengeRequest,
    CreateWebhookMappingRequest, DeleteWebhookSourceRequest, DraftReplyRequest, KeywordRule,
    ListPostsRequest, Post, PostField, PostFieldPath, PostState, ReceiveWebhookRequest,
    RecordReplySentRequest, RegisterPostRequest, SetWebhookSourceRequest, WebhookMapping, WebhookSignature,
    WebhookSource,
};
use testkit::{eventually, request_id};
use webhook::{Message, Secret};

use super::scene::Scene;
use crate::twice::Twice;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const SOURCE: &str = "weibo";

type Posts = PostServiceClient<Twice>;

async fn found(client: &Posts, state: PostState) -> Vec<Post> {
    let request = ListPostsRequest { state: state.into(), ..ListPostsRequest::default() };
    client.clone().list_posts(request).await.unwrap().into_inner().posts
}

/// Sets a source up whose posts are complaints where they speak of a refund.
async fn set_up(client: &mut WebhookSourceServiceClient<Twice>) {
    let source = WebhookSource {
        source_id: SOURCE.to_owned(),
        owner: "ada".to_owned(),
        language: "zh-CN".to_owned(),
        ..WebhookSource::default()
    };
    let request = SetWebhookSourceRequest {
        request_id: request_id(),
        source: Some(source),
        secret: SECRET.to_owned(),
        expected_version: Some(0),
        ..SetWebhookSourceRequest::default()
    };
    client.set_webhook_source(request).await.unwrap();
    let fields =
        [(PostField::Text, "$.text"), (PostField::ExternalId, "$.id"), (PostField::Author, "$.author")];
    let path =
        |(field, path): (PostField, &str)| PostFieldPath { field: field.into(), path: path.to_owned() };
    let rule =
        KeywordRule {
            name: "refund".to_owned(), any_of: vec!["退款".to_owned()], ..KeywordRule::default()
        };
    let mapping = WebhookMapping {
        source_id: SOURCE.to_owned(),
        fields: fields.map(path).to_vec(),
        rules: vec![rule],
        ..WebhookMapping::default()
    };
    let request = CreateWebhookMappingRequest { request_id: request_id(), mapping: Some(mapping) };
    client.create_webhook_mapping(request).await.unwrap();
    let request = ActivateWebhookMappingRequest {
        request_id: request_id(),
        source_id: SOURCE.to_owned(),
        number: 1,
        expected_version: Some(1),
    };
    client.activate_webhook_mapping(request).await.unwrap();
}

async fn deliver(scene: &Scene, client: &mut WebhookSourceServiceClient<Twice>, body: &str) {
    let timestamp = scene.house.db("intake").clock().now().as_second();
    let secret: Secret = SECRET.parse().unwrap();
    let message = Message { id: "msg_1", timestamp, body: body.as_bytes() };
    let request = ReceiveWebhookRequest {
        source_id: SOURCE.to_owned(),
        webhook_id: "msg_1".to_owned(),
        webhook_timestamp: timestamp.to_string(),
        webhook_signature: secret.sign(&message),
        body: body.as_bytes().to_vec(),
        ..ReceiveWebhookRequest::default()
    };
    let first = client.receive_webhook(request.clone()).await.unwrap().into_inner();
    let again = client.receive_webhook(request).await.unwrap().into_inner();
    assert_eq!((first.already_received, again.already_received), (false, true));
    assert_eq!(first.delivery_id, again.delivery_id);
}

/// Who is to deliver as Meta does asks before.
async fn asked(client: &mut WebhookSourceServiceClient<Twice>) {
    let source = WebhookSource {
        source_id: "page".to_owned(),
        owner: "ada".to_owned(),
        language: "en".to_owned(),
        signature: WebhookSignature::HubSha256.into(),
        ..WebhookSource::default()
    };
    let request = SetWebhookSourceRequest {
        request_id: request_id(),
        source: Some(source),
        secret: "It'saSecrettoEverybody".to_owned(),
        expected_version: Some(0),
        ..SetWebhookSourceRequest::default()
    };
    let page = client.set_webhook_source(request).await.unwrap().into_inner().source.unwrap();
    let request = CheckWebhookChallengeRequest {
        source_id: page.source_id,
        mode: "subscribe".to_owned(),
        verify_token: page.verify_token,
        challenge: "1158201444".to_owned(),
    };
    let answer = client.check_webhook_challenge(request).await.unwrap().into_inner();
    assert_eq!(answer.challenge, "1158201444");
}

/// What is answered to a post in public.
async fn answered(scene: &Scene, post_id: &str) {
    let (mut ann, mut bob) = (Posts::new(scene.line("ann")), Posts::new(scene.line("bob")));
    let request = DraftReplyRequest {
        request_id: request_id(),
        post_id: post_id.to_owned(),
        text: "我们正在处理".to_owned(),
        expected_version: Some(0),
    };
    ann.draft_reply(request).await.unwrap();
    let request =
        ApproveReplyRequest { request_id: request_id(), post_id: post_id.to_owned(), expected_version: 1 };
    bob.approve_reply(request).await.unwrap();
    let request = RecordReplySentRequest {
        request_id: request_id(),
        post_id: post_id.to_owned(),
        reply_uri: "https://weibo.example/shop/1".to_owned(),
        expected_version: 2,
    };
    bob.record_reply_sent(request).await.unwrap();
}

pub(crate) async fn taken(scene: &Scene) {
    let mut sources = WebhookSourceServiceClient::new(scene.line("admin"));
    let posts = Posts::new(scene.line("admin"));
    set_up(&mut sources).await;
    asked(&mut sources).await;
    let body =
        r#"[{"id": 1, "text": "我要退款", "author": "安"}, {"id": 2, "text": "不好看", "author": "鲍"}]"#;
    deliver(scene, &mut sources, body).await;
    eventually(|| async { found(&posts, PostState::Registered).await.len() == 1 }).await;
    eventually(|| async { found(&posts, PostState::SetAside).await.len() == 1 }).await;
    let post_id = found(&posts, PostState::SetAside).await.remove(0).post_id;
    let request = RegisterPostRequest { request_id: request_id(), post_id, complaint_id: String::new() };
    posts.clone().register_post(request).await.unwrap();
    eventually(|| async { found(&posts, PostState::Registered).await.len() == 2 }).await;
    let post_id = found(&posts, PostState::Registered).await.remove(0).post_id;
    answered(scene, &post_id).await;
    let request = DeleteWebhookSourceRequest {
        request_id: request_id(),
        source_id: SOURCE.to_owned(),
        expected_version: Some(2),
    };
    sources.delete_webhook_source(request).await.unwrap();
    scene.settled().await;
}
