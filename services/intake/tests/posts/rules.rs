//! Which posts are complaints, and those that somebody says are.

use proto::redress::intake::v1::{
    KeywordRule, Post, PostSetAside, PostState, RegisterPostRequest, WebhookMapping,
};
use serde_json::json;
use testkit::{eventually, reason, request_id};
use tonic::Status;

use super::{Posts, complaint, complaints, list, mapping, open, post, rule, send, settled, states};

async fn register(client: &Posts, post: &Post, complaint_id: &str) -> Result<Post, Status> {
    let request = RegisterPostRequest {
        request_id: request_id(),
        post_id: post.post_id.clone(),
        complaint_id: complaint_id.to_owned(),
    };
    Ok(client.clone().register_post(request).await?.into_inner().post.expect("a post"))
}

fn rules() -> WebhookMapping {
    let angry = KeywordRule { none_of: vec!["招聘".to_owned()], ..rule("refund", &["退款", "refund"]) };
    WebhookMapping { rules: vec![angry, rule("broken", &["broken"])], ..mapping() }
}

#[tokio::test(flavor = "multi_thread")]
async fn posts_that_a_rule_takes_are_complaints_and_the_others_are_set_aside() {
    let (house, posts) = open(rules()).await;
    send(
        &house,
        &json!([
            post(1, "a", "我要退款"),
            post(2, "b", "Where is my ＲＥＦＵＮＤ?"),
            post(3, "c", "heartbroken today"),
            post(4, "d", "The cup came broken."),
            post(5, "e", "退款专员招聘"),
            post(6, "f", "新品很好看"),
        ]),
    )
    .await;
    let all = settled(&posts, 6).await;
    let taken: Vec<(PostState, &str)> = all.iter().map(|one| (one.state(), one.rule.as_str())).collect();
    assert_eq!(
        taken,
        [
            (PostState::Registered, "refund"),
            (PostState::Registered, "refund"),
            (PostState::SetAside, ""),
            (PostState::Registered, "broken"),
            (PostState::SetAside, ""),
            (PostState::SetAside, ""),
        ]
    );
    assert_eq!(all[4].set_aside(), PostSetAside::NoRule);
    assert_eq!(
        (complaint(&house, &all[1].complaint_id).await.language, complaints(&house).await),
        ("zh-CN".to_owned(), 3)
    );
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_that_was_set_aside_or_counted_is_registered_by_hand() {
    let (house, posts) = open(rules()).await;
    send(
        &house,
        &json!([
            post(1, "a", "新品很难看"),
            post(2, "b", "also bad"),
            post(3, "c", "退款"),
            post(3, "d", "转发")
        ]),
    )
    .await;
    let all = settled(&posts, 4).await;
    let expected = [PostState::SetAside, PostState::SetAside, PostState::Registered, PostState::Mention];
    assert_eq!(states(&all), expected);
    let refused = register(&posts, &all[2], "").await.expect_err("it is a complaint");
    assert_eq!(reason(&refused), "POST_NOT_SET_ASIDE");
    let refused =
        register(&posts, &all[0], "01890000-0000-7000-8000-000000000000").await.expect_err("no case");
    assert_eq!(reason(&refused), "COMPLAINT_NOT_FOUND");
    register(&posts, &all[0], "").await.expect("waits");
    register(&posts, &all[1], &all[2].complaint_id).await.expect("waits");
    let mention = register(&posts, &all[3], "").await.expect("waits");
    assert_eq!(mention.state(), PostState::Waiting);
    eventually(|| async { list(&posts, PostState::Waiting).await.is_empty() }).await;
    let all = settled(&posts, 4).await;
    let expected = [PostState::Registered, PostState::Added, PostState::Registered, PostState::Registered];
    assert_eq!(states(&all), expected, "{all:#?}");
    assert_eq!((all[0].registrar.as_str(), &all[1].complaint_id), ("developer", &all[2].complaint_id));
    assert_ne!(all[3].complaint_id, all[2].complaint_id, "counted wrongly, it is one of its own");
    assert_eq!(complaints(&house).await, 3);
    house.done().await;
}
