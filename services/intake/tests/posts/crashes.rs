//! Whoever takes a post may die between any two lines: nothing is lost, and nothing doubled.

use serde_json::json;
use testkit::House;

use super::{Posts, complaints, mapping, open, post, send, settled, states};
use proto::redress::intake::v1::{PostState, Spread};

/// As if whoever took the posts had died before that was noted, but for what SQL says.
async fn forget(house: &House, more: &'static str) {
    let mut owner = house.owner().await;
    let again = "UPDATE intake.webhook_post SET state = 1, next_at = received_at, complaint_id = NULL";
    sqlx::raw_sql(again).execute(&mut owner).await.expect("they wait again");
    sqlx::raw_sql(more).execute(&mut owner).await.expect("noted");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_registered_before_a_crash_is_known_again() {
    let (house, posts) = open(mapping()).await;
    let mut repost = post(2, "bob", "转发");
    repost["repost_of"] = json!({"id": 1});
    let mut more = post(3, "ann", "还没有回复");
    more["reply_to"] = json!(1);
    send(&house, &json!([post(1, "ann", "杯子碎了"), repost, more])).await;
    let before = settled(&posts, 3).await;
    let expected = [PostState::Registered, PostState::Mention, PostState::Added];
    assert_eq!(states(&before), expected);
    // After all of it; before the matter was noted to be the complaint's; and before the post
    // was noted to be of a matter, which is one transaction with the count.
    for more in ["SELECT 1", "UPDATE intake.webhook_matter SET complaint_id = NULL"] {
        forget(&house, more).await;
        let after = settled(&posts, 3).await;
        assert_eq!(states(&after), expected, "{more}");
        assert_eq!(complaints(&house).await, 1);
        let ids = |posts: &[proto::redress::intake::v1::Post]| {
            posts.iter().map(|one| one.complaint_id.clone()).collect::<Vec<_>>()
        };
        assert_eq!(ids(&after), ids(&before), "{more}");
        let spread = after[0].spread.map(|spread| Spread { first_time: None, last_time: None, ..spread });
        let counted = Spread {
            mentions: 2,
            accounts: 2,
            reports: 2,
            max_reach: 100,
            total_reach: 200,
            ..Spread::default()
        };
        assert_eq!(spread, Some(counted), "counted once");
    }
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_is_durable_and_split_by_whoever_comes_next() {
    let (house, _) = open(mapping()).await;
    send(&house, &post(1, "ann", "杯子碎了")).await;
    let posts = Posts::new(house.channel());
    settled(&posts, 1).await;
    // Half of the work of one who died: the lease of another delivery is over.
    let mut owner = house.owner().await;
    sqlx::raw_sql(
        "INSERT INTO intake.webhook_delivery (tenant_id, delivery_id, source_id, content_hash, body, received_at, next_at)
         VALUES ('development', gen_random_uuid(), 'weibo', 'x', convert_to('{\"text\": \"丢了\", \"id\": 9}', 'UTF8'), now(), now())",
    )
    .execute(&mut owner)
    .await
    .expect("kept");
    drop(owner);
    let all = settled(&posts, 2).await;
    assert_eq!(states(&all), [PostState::Registered, PostState::Registered]);
    house.done().await;
}
