//! Mappings are versioned, tried before they hold, and read what waits and what was not read.

use proto::redress::intake::v1::{
    ListWebhookMappingsRequest, PostField, PostFieldPath, PostProblem, PostSetAside, PostState,
    PreviewWebhookMappingRequest, PreviewedPost, RegisterPostRequest, WebhookMapping, WebhookSourceState,
};
use serde_json::json;
use testkit::{House, eventually, reason, request_id, violations};
use tonic::Status;

use super::{
    Posts, Sources, activate, create, get, list, mapping, open, post, rule, send, set, settled, source,
};

async fn preview(
    client: &Sources,
    request: PreviewWebhookMappingRequest,
) -> Result<Vec<PreviewedPost>, Status> {
    let request = PreviewWebhookMappingRequest { source_id: "weibo".to_owned(), ..request };
    Ok(client.clone().preview_webhook_mapping(request).await?.into_inner().posts)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_before_there_is_a_mapping_waits_for_it() {
    let house = House::open(&[intake::SERVICE]).await;
    let client = Sources::new(house.channel());
    set(&client, source()).await.expect("set up");
    send(&house, &post(1, "ann", "快递丢了")).await;
    assert_eq!(get(&client).await.state(), WebhookSourceState::Waiting);
    let unknown = activate(&client, 1).await.expect_err("there is none");
    assert_eq!(reason(&unknown), "WEBHOOK_MAPPING_NOT_FOUND");
    assert_eq!(create(&client, mapping()).await.expect("the first").number, 1);
    let two = WebhookMapping { rules: vec![rule("lost", &["丢了"])], ..mapping() };
    assert_eq!(create(&client, two).await.expect("the second").number, 2);
    let posts = Posts::new(house.channel());
    assert_eq!(list(&posts, PostState::Unspecified).await, [], "none of them holds");
    let active = activate(&client, 2).await.expect("it holds");
    assert_eq!((active.active_mapping, active.version), (2, 2));
    let one = settled(&posts, 1).await.remove(0);
    assert_eq!((one.state(), one.mapping_number, one.rule.as_str()), (PostState::Registered, 2, "lost"));
    let request = ListWebhookMappingsRequest { source_id: "weibo".to_owned(), ..Default::default() };
    let all = client.clone().list_webhook_mappings(request).await.expect("listed").into_inner().mappings;
    let told: Vec<(i64, bool)> = all.iter().map(|one| (one.number, one.active)).collect();
    assert_eq!(told, [(2, true), (1, false)]);
    assert_eq!(all[1].fields, mapping().fields, "it is as it was written");
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mapping_is_tried_on_a_sample_and_on_what_is_kept() {
    let (house, posts) = open(mapping()).await;
    let client = Sources::new(house.channel());
    send(&house, &json!([post(1, "ann", "我要退款"), post(2, "bob", "真好看")])).await;
    settled(&posts, 2).await;
    let tried = WebhookMapping { rules: vec![rule("refund", &["退款"])], ..mapping() };
    let request =
        PreviewWebhookMappingRequest { mapping: Some(tried.clone()), kept_posts: 10, ..Default::default() };
    let kept = preview(&client, request).await.expect("tried");
    let told: Vec<(bool, &str)> = kept.iter().map(|one| (one.taken, one.rule.as_str())).collect();
    assert_eq!(told, [(false, ""), (true, "refund")], "newest first");
    assert!(kept.iter().all(|one| !one.post_id.is_empty()));
    let sample = r#"[{"text": "退款", "user": {"followers": "many"}}, {"name": "x"}]"#.as_bytes().to_vec();
    let request = PreviewWebhookMappingRequest { number: 1, sample, ..Default::default() };
    let sampled = preview(&client, request).await.expect("tried");
    assert_eq!(sampled[0].content.as_ref().map(|content| content.text.as_str()), Some("退款"));
    let problems = |at: usize| sampled[at].problems.iter().map(PostProblem::field).collect::<Vec<_>>();
    assert_eq!((problems(0), problems(1)), (vec![PostField::Reach], vec![PostField::Text]));
    assert_eq!((sampled[0].taken, sampled[1].taken), (true, false));
    let request = PreviewWebhookMappingRequest { number: 1, sample: b"?".to_vec(), ..Default::default() };
    assert_eq!(reason(&preview(&client, request).await.expect_err("no JSON")), "SAMPLE_UNREADABLE");
    let wrong = WebhookMapping {
        fields: vec![PostFieldPath { field: 99, path: "$..a..b".to_owned() }],
        mention_thresholds: vec![1],
        ..mapping()
    };
    let refused = create(&client, wrong).await.expect_err("all of it is wrong");
    let fields =
        ["mapping.fields[0].path", "mapping.fields[0].field", "mapping.fields", "mapping.mention_thresholds"];
    assert_eq!(
        (reason(&refused).as_str(), violations(&refused)),
        ("INVALID_WEBHOOK_MAPPING", fields.map(str::to_owned).to_vec())
    );
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_without_text_is_set_aside_and_read_again_by_a_better_mapping() {
    let (house, posts) = open(mapping()).await;
    let client = Sources::new(house.channel());
    send(&house, &json!({"message": "快递丢了", "id": 1, "nul": "a\u{0}b"})).await;
    let one = settled(&posts, 1).await.remove(0);
    assert_eq!((one.state(), one.set_aside()), (PostState::SetAside, PostSetAside::Unmapped));
    assert_eq!(one.remarks, ["text is not there"]);
    assert_eq!(get(&client).await.error_reason, "MAPPING_REFUSED");
    let again = async || {
        let request = RegisterPostRequest {
            request_id: request_id(),
            post_id: one.post_id.clone(),
            complaint_id: String::new(),
        };
        posts.clone().register_post(request).await.expect("waits");
        eventually(|| async { list(&posts, PostState::Waiting).await.is_empty() }).await;
        settled(&posts, 1).await.remove(0)
    };
    assert_eq!(again().await.set_aside(), PostSetAside::Unmapped, "the mapping is the same");
    let better = WebhookMapping {
        fields: vec![PostFieldPath { field: PostField::Text.into(), path: "$.message".to_owned() }],
        ..mapping()
    };
    let number = create(&client, better).await.expect("a mapping").number;
    activate(&client, number).await.expect("active");
    let read = again().await;
    assert_eq!((read.state(), read.mapping_number), (PostState::Registered, 2));
    assert_eq!(read.content.map(|content| content.text), Some("快递丢了".to_owned()));
    house.done().await;
}
