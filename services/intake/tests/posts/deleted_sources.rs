//! A source may be deleted while posts of it are on their way: none is lost, none waits for ever.

use std::time::Duration;

use kernel::time::Clock as _;
use proto::redress::intake::v1::{DeleteWebhookSourceRequest, Post, PostSetAside, PostState};
use serde_json::{Value, json};
use testkit::{House, MockClock, eventually, request_id};

use super::{Posts, Sources, complaints, list, mapping, open, post, send, set_up, settled};

async fn sql(house: &House, statement: &'static str) {
    let mut owner = house.owner().await;
    sqlx::raw_sql(statement).execute(&mut owner).await.expect("done");
}

async fn delete(house: &House) {
    let request = DeleteWebhookSourceRequest {
        request_id: request_id(),
        source_id: "weibo".to_owned(),
        expected_version: None,
    };
    Sources::new(house.channel()).delete_webhook_source(request).await.expect("deleted");
}

/// Has no complaint registered until told otherwise.
const NOT_NOW: &str = "ALTER TABLE intake.complaint ADD CONSTRAINT not_now CHECK (false) NOT VALID";
const AGAIN: &str = "ALTER TABLE intake.complaint DROP CONSTRAINT not_now";
/// As what a version left that did not say so.
const NOT_ABANDONED: &str = "UPDATE intake.webhook_matter SET abandoned = false";

fn repost(id: u32, author: &str) -> Value {
    let mut repost = post(id, author, "转发");
    repost["repost_of"] = json!({"id": 1});
    repost
}

fn reply(id: u32) -> Value {
    let mut reply = post(id, "ann", "客服还没有回复");
    reply["reply_to"] = json!(1);
    reply
}

/// The post with a number of the network.
async fn numbered(posts: &Posts, number: &str) -> Post {
    let is_it = |one: &Post| one.content.as_ref().is_some_and(|said| said.external_id == number);
    list(posts, PostState::Unspecified).await.into_iter().find(is_it).expect("the post")
}

/// A house in which the first post of a matter was matched, and set aside as its source was
/// deleted; the source is set up again.
async fn abandoned() -> (House, Posts) {
    let (house, posts) = open(mapping()).await;
    sql(&house, NOT_NOW).await;
    send(&house, &post(1, "ann", "杯子碎了")).await;
    eventually(|| async {
        let mut owner = house.owner().await;
        let tried =
            "SELECT EXISTS (SELECT FROM intake.webhook_post WHERE matter_id IS NOT NULL AND attempts > 0)";
        sqlx::query_scalar::<_, bool>(tried).fetch_one(&mut owner).await.expect("read")
    })
    .await;
    delete(&house).await;
    let head = settled(&posts, 1).await.remove(0);
    assert_eq!((head.state(), head.set_aside()), (PostState::SetAside, PostSetAside::Refused), "{head:?}");
    sql(&house, AGAIN).await;
    set_up(&house, mapping()).await;
    (house, posts)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_matter_of_a_post_whose_source_was_deleted_becomes_a_complaint_by_the_next() {
    let (house, posts) = abandoned().await;
    send(&house, &repost(2, "bob")).await;
    let next = settled(&posts, 2).await.remove(1);
    assert_eq!(next.state(), PostState::Registered, "{next:?}");
    send(&house, &repost(3, "cy")).await;
    let third = settled(&posts, 3).await.remove(2);
    assert_eq!((third.state(), third.complaint_id), (PostState::Mention, next.complaint_id));
    assert_eq!(complaints(&house).await, 1);
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_matter_that_was_left_behind_is_found_out_by_its_next_post() {
    let (house, posts) = abandoned().await;
    sql(&house, NOT_ABANDONED).await;
    send(&house, &reply(2)).await;
    settled(&posts, 2).await;
    let own = numbered(&posts, "2").await;
    assert_eq!(own.state(), PostState::Registered, "its author's answer waits for nobody: {own:?}");
    send(&house, &repost(3, "bob")).await;
    settled(&posts, 3).await;
    let next = numbered(&posts, "3").await;
    assert_eq!(next.state(), PostState::Registered, "{next:?}");
    assert_eq!(complaints(&house).await, 2);
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_registered_before_its_source_was_deleted_is_known_again() {
    let (house, posts) = open(mapping()).await;
    send(&house, &json!([post(1, "ann", "杯子碎了"), reply(2)])).await;
    let before = settled(&posts, 2).await;
    delete(&house).await;
    // As if whoever took them had died before that was noted.
    sql(&house, "UPDATE intake.webhook_matter SET complaint_id = NULL").await;
    sql(&house, "UPDATE intake.webhook_post SET state = 1, next_at = received_at, complaint_id = NULL").await;
    let after = settled(&posts, 2).await;
    let became = |posts: &[Post]| -> Vec<_> {
        posts.iter().map(|one| (one.state(), one.complaint_id.clone())).collect()
    };
    assert_eq!(became(&after), became(&before));
    assert_eq!(after[0].head_post_id, after[0].post_id);
    set_up(&house, mapping()).await;
    send(&house, &repost(3, "bob")).await;
    let third = settled(&posts, 3).await.remove(2);
    assert_eq!((third.state(), &third.complaint_id), (PostState::Mention, &before[0].complaint_id));
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_to_a_post_that_cannot_be_registered_waits_with_it_ever_longer() {
    let clock = MockClock::default();
    let began = clock.now().as_second();
    let house = House::builder(&[intake::SERVICE]).clock(clock.clone()).open().await;
    let posts = set_up(&house, mapping()).await;
    sql(&house, NOT_NOW).await;
    send(&house, &json!([post(1, "ann", "杯子碎了"), reply(2)])).await;
    let waits = async |column: &'static str| {
        let mut owner = house.owner().await;
        let statement = format!("SELECT {column} FROM intake.webhook_post WHERE external_id = '2'");
        sqlx::query_scalar::<_, i64>(sqlx::AssertSqlSafe(statement))
            .fetch_optional(&mut owner)
            .await
            .expect("read")
    };
    eventually(|| async { waits("attempts::bigint").await >= Some(1) }).await;
    sql(&house, "UPDATE intake.webhook_post SET attempts = 29 WHERE external_id = '2'").await;
    clock.advance(Duration::from_secs(1));
    // Each second for as long as a post takes that is about to be registered, then less often.
    for (tried, expected) in [(30, 1), (31, 1), (32, 2), (33, 4)] {
        eventually(|| async { waits("attempts::bigint").await >= Some(tried) }).await;
        let until = waits("extract(epoch FROM next_at - received_at)::bigint").await.expect("it waits");
        assert_eq!(until - (clock.now().as_second() - began), expected, "after try {tried}");
        clock.advance(Duration::from_secs(expected.unsigned_abs()));
    }
    sql(&house, AGAIN).await;
    clock.advance(Duration::from_mins(5));
    eventually(|| async { numbered(&posts, "1").await.state() == PostState::Registered }).await;
    clock.advance(Duration::from_mins(5));
    let all = settled(&posts, 2).await;
    assert_eq!(numbered(&posts, "2").await.state(), PostState::Added, "{all:#?}");
    house.done().await;
}
