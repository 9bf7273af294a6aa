//! What posts are known by, and when the case is told.

use posts::Content;
use uuid::Uuid;

use super::*;

fn post(content: Content) -> Post {
    let now = Timestamp::from_second(1_800_000_000).expect("a moment");
    Post { content, ..Post::new(Uuid::from_u128(1), "weibo", now) }
}

fn of(external_id: &str, uri: &str, origin_id: &str) -> Content {
    Content {
        external_id: external_id.to_owned(),
        uri: uri.to_owned(),
        origin_id: origin_id.to_owned(),
        ..Content::default()
    }
}

#[test]
fn a_post_is_known_by_its_number_its_address_and_those_of_what_it_repeats() {
    let first = post(of("1", "https://x.example/1?utm_source=a", ""));
    let again = post(of("", "http://X.example/1/", ""));
    assert_eq!(first.keys()[1], again.keys()[0], "one address");
    let repost = post(of("2", "", "1"));
    let (own, origin) = (&repost.keys()[0], &repost.keys()[1]);
    assert!(own.is_own && !origin.is_own);
    assert_eq!(origin.hash, first.keys()[0].hash);
    let elsewhere = Post { source: "x".to_owned(), ..post(of("1", "", "")) };
    assert_ne!(elsewhere.keys()[0].hash, first.keys()[0].hash, "numbers are each network's own");
    assert_eq!(post(of("1", "", "1")).keys().len(), 1, "one that repeats itself is itself");
    assert_eq!(post(Content::default()).keys(), []);
}

#[test]
fn a_text_is_compared_only_where_it_says_enough() {
    let says = |text: &str| post(Content { text: text.to_owned(), ..Content::default() }).sketch().is_some();
    assert!(!says("快递太慢了"));
    assert!(!says("my parcel is late"));
    assert!(says("我上周五买的杯子到货就碎了客服一直不回复我要求全额退款"));
    assert!(says("I bought a cup last Friday, it came in pieces, and nobody there answers me at all."));
}

#[test]
fn a_case_is_told_of_each_threshold_once() {
    let (mentions, reach) = ([10, 50], [1_000, 100_000]);
    let head = post(Content { reach: 2_000, ..Content::default() });
    let mut matter = Matter::new(&head, &reach);
    assert_eq!(matter.told_reach, 1_000, "its complaint says so");
    assert_eq!(matter.crossed_thresholds(&mentions, &reach), None);
    matter.spread.mentions = 10;
    assert_eq!(matter.crossed_thresholds(&mentions, &reach), Some((10, 1_000)));
    (matter.told_mentions, matter.spread.mentions) = (10, 49);
    assert_eq!(matter.crossed_thresholds(&mentions, &reach), None);
    (matter.spread.mentions, matter.spread.total_reach) = (70, 100_000);
    assert_eq!(matter.crossed_thresholds(&mentions, &reach), Some((50, 100_000)), "both at once");
    (matter.told_mentions, matter.told_reach) = (50, 100_000);
    assert_eq!(matter.crossed_thresholds(&mentions, &reach), None);
    assert_eq!(matter.crossed_thresholds(&[10], &[]), None, "fewer thresholds than were told");
}
