//! Where a matter passes a threshold, its case is told so, once for each.

use proto::redress::intake::v1::form_service_client::FormServiceClient;
use proto::redress::intake::v1::{GetInformationRequest, InformationSource, WebhookMapping};
use serde_json::{Value, json};
use testkit::House;

use super::{mapping, open, post, send, settled};

fn repost(id: u32, followers: i64) -> Value {
    let author = format!("u{id}");
    let mut one = post(id, &author, "转发");
    one["repost_of"] = json!({"id": 1});
    one["user"]["followers"] = json!(followers);
    one
}

async fn told(house: &House, id: &str) -> Vec<(String, i32)> {
    let request = GetInformationRequest { complaint_id: id.to_owned() };
    let answer = FormServiceClient::new(house.channel()).get_information(request).await.expect("listed");
    answer.into_inner().additions.into_iter().map(|one| (one.text, one.source)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_is_told_of_each_threshold_once_under_two_replicas() {
    let thresholds =
        WebhookMapping { mention_thresholds: vec![3, 10], reach_thresholds: vec![10_000], ..mapping() };
    let (house, posts) = open(thresholds).await;
    let replica = house.replica(&[intake::SERVICE]).await;
    send(&house, &post(1, "ann", "杯子碎了")).await;
    let id = settled(&posts, 1).await[0].complaint_id.clone();
    send(&house, &repost(2, 100)).await;
    settled(&posts, 2).await;
    assert_eq!(told(&house, &id).await, []);
    send(&house, &repost(3, 100)).await;
    settled(&posts, 3).await;
    let first = told(&house, &id).await;
    assert_eq!(first.len(), 1, "{first:?}");
    assert!(first[0].0.contains("3 posts of 3 accounts"), "{first:?}");
    assert_eq!(first[0].1, i32::from(InformationSource::Staff));
    // Twenty at once, and one of them is widely read.
    let many: Vec<Value> = (4..24).map(|id| repost(id, if id == 9 { 20_000 } else { 10 })).collect();
    send(&house, &json!(many)).await;
    settled(&posts, 23).await;
    let all = told(&house, &id).await;
    let of = |what: &str| all.iter().filter(|(text, _)| text.contains(what)).count();
    assert_eq!((of("passed 3 posts"), of("10 posts"), of("a reach of 10000")), (1, 1, 1), "{all:?}");
    replica.done().await;
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_complaint_says_itself_is_not_told_again() {
    let thresholds = WebhookMapping { reach_thresholds: vec![50], ..mapping() };
    let (house, posts) = open(thresholds).await;
    send(&house, &post(1, "ann", "杯子碎了")).await;
    let id = settled(&posts, 1).await[0].complaint_id.clone();
    send(&house, &repost(2, 100)).await;
    settled(&posts, 2).await;
    assert_eq!(told(&house, &id).await, []);
    house.done().await;
}
