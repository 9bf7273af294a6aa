//! One post by many accounts is one matter, by each of its ways; whoever delivers it, and however
//! many replicas look at it.

use futures::future::join_all;
use proto::redress::intake::v1::complaint::ChannelDetail;
use proto::redress::intake::v1::form_service_client::FormServiceClient;
use proto::redress::intake::v1::{GetInformationRequest, ListPostsRequest, Post, PostState, Spread};
use serde_json::{Value, json};
use testkit::House;

use super::{
    Sent, Sources, complaint, complaints, deliver, mapping, open, post, send, set, settled, source, states,
};

const LONG: &str = "我上周五在你们店里买的杯子到货就碎了,客服三天一直不回复我,我要求全额退款并且道歉";

fn with(post: Value, more: &Value) -> Value {
    let mut all = post;
    for (name, value) in more.as_object().expect("an object") {
        all[name] = value.clone();
    }
    all
}

fn spread(post: &Post) -> Spread {
    Spread { first_time: None, last_time: None, ..post.spread.expect("of a matter") }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_becomes_a_complaint_with_all_that_is_read_of_it() {
    let (house, posts) = open(mapping()).await;
    let sent = json!({
        "id": 7, "text": "快递丢了\n第二行", "url": "https://weibo.example/ann/7",
        "user": {"name": "Ann", "id": "u-1", "followers": 4_200}, "created_at": "Tue May 31 17:46:55 +0800 2011",
        "order": "A-1", "customer": "C-7",
    });
    send(&house, &sent).await;
    let one = settled(&posts, 1).await.remove(0);
    assert_eq!((one.state(), one.head_post_id.as_str()), (PostState::Registered, one.post_id.as_str()));
    let complaint = complaint(&house, &one.complaint_id).await;
    assert_eq!((complaint.channel, complaint.external_ref.as_str()), (6, "7"));
    assert_eq!(
        (complaint.subject.as_str(), complaint.description.as_str()),
        ("快递丢了", "快递丢了\n第二行")
    );
    assert_eq!((complaint.language.as_str(), complaint.category_hint.as_str()), ("zh-CN", "delivery"));
    assert_eq!(complaint.receive_time, one.receive_time);
    let complainant = complaint.complainant.expect("who");
    assert_eq!((complainant.display_name.as_str(), complainant.customer_id.as_str()), ("Ann", "C-7"));
    assert_eq!(complaint.respondent.expect("what").order_ref, "A-1");
    let Some(ChannelDetail::Social(social)) = complaint.channel_detail else { panic!("it is a post") };
    assert_eq!(
        (social.author.as_str(), social.uri.as_str(), social.reach),
        ("Ann", "https://weibo.example/ann/7", 4_200)
    );
    assert_eq!(social.post_time.map(|time| time.seconds), Some(1_306_835_215));
    assert_eq!(complaint.evidence[0].uri, "https://weibo.example/ann/7");
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_with_the_number_the_address_the_origin_or_the_words_of_another_is_a_mention() {
    let (house, posts) = open(mapping()).await;
    send(&house, &post(1, "ann", LONG)).await;
    let head = settled(&posts, 1).await.remove(0);
    let repeats = [
        // The same number, as the crawler comes again: more have seen it.
        with(post(1, "ann", LONG), &json!({"user": {"name": "ann", "id": "u-ann", "followers": 900}})),
        // The same address by another tool, otherwise written.
        json!({"text": "x", "url": "http://Weibo.example/ann/1/?utm_source=app#top", "user": {"id": "u-ann"}}),
        // A repost, and one that names an address.
        with(post(2, "bob", "转发微博"), &json!({"repost_of": {"id": 1}})),
        with(post(3, "cy", ""), &json!({"repost_of": {"url": "https://weibo.example/ann/1"}})),
        // A repost of the repost.
        with(post(4, "dan", "看看"), &json!({"repost_of": {"id": 2}})),
        // Nearly the same words.
        post(5, "eve", &format!("{LONG}!!")),
    ];
    for (place, repeat) in repeats.iter().enumerate() {
        send(&house, repeat).await;
        settled(&posts, place + 2).await;
    }
    let all = settled(&posts, 7).await;
    assert_eq!(states(&all)[0], PostState::Registered);
    assert_eq!(states(&all)[1..], [PostState::Mention; 6], "{all:#?}");
    assert!(all.iter().all(|one| one.complaint_id == head.complaint_id && one.head_post_id == head.post_id));
    assert_eq!(complaints(&house).await, 1);
    let expected = Spread {
        mentions: 5,
        accounts: 5,
        reports: 7,
        max_reach: 900,
        total_reach: 1_300,
        ..Spread::default()
    };
    assert_eq!(spread(&all[0]), expected);
    let request = ListPostsRequest { complaint_id: head.complaint_id.clone(), ..ListPostsRequest::default() };
    let of_case = posts.clone().list_posts(request).await.expect("listed").into_inner().posts;
    let request = ListPostsRequest { head_post_id: head.post_id, ..ListPostsRequest::default() };
    let of_matter = posts.clone().list_posts(request).await.expect("listed").into_inner().posts;
    assert_eq!((of_case.len(), of_matter.len()), (7, 7));
    // Other words of another account are another matter, and so are few words that many say.
    send(&house, &json!([post(8, "fay", "快递太慢了"), post(9, "gus", "快递太慢了")])).await;
    settled(&posts, 9).await;
    assert_eq!(complaints(&house).await, 3);
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_repeats_a_post_that_comes_later_is_its_matter() {
    let (house, posts) = open(mapping()).await;
    send(&house, &with(post(2, "bob", "转发"), &json!({"repost_of": {"id": 1}}))).await;
    settled(&posts, 1).await;
    send(&house, &post(1, "ann", LONG)).await;
    let all = settled(&posts, 2).await;
    assert_eq!(states(&all), [PostState::Registered, PostState::Mention]);
    let expected = Spread {
        mentions: 2,
        accounts: 2,
        reports: 2,
        max_reach: 100,
        total_reach: 200,
        ..Spread::default()
    };
    assert_eq!(spread(&all[1]), expected);
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn under_two_replicas_and_many_deliveries_at_once_it_is_one_complaint() {
    let (house, posts) = open(mapping()).await;
    let replica = house.replica(&[intake::SERVICE]).await;
    let client = Sources::new(house.channel());
    set(&client, proto::redress::intake::v1::WebhookSource { source_id: "x".to_owned(), ..source() })
        .await
        .expect("set up");
    let at = [house.address(), replica.address()];
    let bodies: Vec<String> = (0..40_u32)
        .map(|number| {
            let author = format!("u{number}");
            let repost = with(post(100 + number, &author, "转发"), &json!({"repost_of": {"id": 1}}));
            let body = match number % 4 {
                0 => post(1, "ann", LONG),
                1 => repost,
                2 => post(200 + number, &author, &format!("{LONG}{number}")),
                _ => with(post(300 + number, &author, "x"), &json!({"url": "https://weibo.example/ann/1"})),
            };
            // One body is one delivery: they differ by a number that nothing reads.
            with(body, &json!({"n": number})).to_string()
        })
        .collect();
    let sent = bodies
        .iter()
        .enumerate()
        .map(|(number, body)| deliver(&house, at[number % 2], Sent::default(), body.as_bytes()));
    assert!(join_all(sent).await.iter().all(|answer| answer.status() == 202));
    let all = settled(&posts, 40).await;
    // Until the first of those with a number and an address has come, words and reposts may be
    // two matters, but never more than there are ways.
    let registered = all.iter().filter(|one| one.state() == PostState::Registered).count();
    let spread_over: i64 = all
        .iter()
        .filter(|one| one.state() == PostState::Registered)
        .map(|one| one.spread.expect("of a matter").reports)
        .sum();
    assert_eq!(i64::try_from(registered), Ok(complaints(&house).await));
    assert!((1..=4).contains(&registered), "{registered} complaints");
    assert_eq!(spread_over, 40, "each is counted once");
    replica.done().await;
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_post_delivered_forty_times_at_once_is_one_complaint() {
    let (house, posts) = open(mapping()).await;
    let replica = house.replica(&[intake::SERVICE]).await;
    let at = [house.address(), replica.address()];
    let bodies: Vec<String> = (0..40_u32)
        .map(|number| {
            with(post(1, &format!("u{number}"), LONG), &json!({"n": number, "url": ""})).to_string()
        })
        .collect();
    let sent = bodies
        .iter()
        .enumerate()
        .map(|(number, body)| deliver(&house, at[number % 2], Sent::default(), body.as_bytes()));
    assert!(join_all(sent).await.iter().all(|answer| answer.status() == 202));
    let all = settled(&posts, 40).await;
    assert_eq!(complaints(&house).await, 1);
    let expected = Spread {
        mentions: 1,
        accounts: 40,
        reports: 40,
        max_reach: 100,
        total_reach: 4_000,
        ..Spread::default()
    };
    assert_eq!(spread(&all[0]), expected);
    replica.done().await;
    house.done().await;
}

async fn said(house: &House, id: &str) -> Vec<String> {
    let request = GetInformationRequest { complaint_id: id.to_owned() };
    let answer = FormServiceClient::new(house.channel()).get_information(request).await.expect("listed");
    answer.into_inner().additions.into_iter().map(|one| one.text).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_author_answers_to_their_own_post_is_added_to_its_case() {
    let (house, posts) = open(mapping()).await;
    let reply =
        |id: u32, to: u32, author: &str, text: &str| with(post(id, author, text), &json!({"reply_to": to}));
    send(
        &house,
        &json!([
            post(1, "ann", "杯子碎了"),
            reply(2, 1, "ann", "客服还没有回复"),
            reply(3, 2, "ann", "还是没有"),
            reply(4, 1, "bob", "我的也碎了"),
        ]),
    )
    .await;
    let all = settled(&posts, 4).await;
    let expected = [PostState::Registered, PostState::Added, PostState::Added, PostState::Registered];
    assert_eq!(states(&all), expected, "{all:#?}");
    assert_eq!(all[2].complaint_id, all[0].complaint_id);
    assert_ne!(all[3].complaint_id, all[0].complaint_id, "another account's trouble is its own");
    assert_eq!(said(&house, &all[0].complaint_id).await, ["客服还没有回复", "还是没有"]);
    house.done().await;
}
