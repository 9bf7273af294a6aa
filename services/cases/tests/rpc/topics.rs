//! Topics: a surge of a phrase is found in real cases, in Chinese and English; without one, or
//! without a past, nothing is.

use jiff::{SignedDuration, Timestamp};
use proto::redress::cases::v1::topic_service_client::TopicServiceClient;
use proto::redress::cases::v1::{GetTopicRequest, ListTopicsRequest, ListTopicsResponse, Topic};
use proto::redress::intake::v1::Complaint;
use testkit::{CallerChannel, House, MockClock, reason};
use tonic::Code;

use crate::scene::{Scene, complaint, registered};

fn client(scene: &Scene) -> TopicServiceClient<CallerChannel> {
    TopicServiceClient::new(scene.house.channel())
}

async fn list(scene: &Scene) -> ListTopicsResponse {
    let request = ListTopicsRequest::default();
    client(scene).list_topics(request).await.expect("they are sought").into_inner()
}

/// Complaints received some days ago.
async fn received(scene: &Scene, days: i64, texts: impl IntoIterator<Item = String>) {
    let time: Timestamp = scene.now() - SignedDuration::from_hours(24 * days);
    for text in texts {
        let case = scene.house.db("cases").ids().id(time);
        let one = Complaint { subject: "Complaint".to_owned(), description: text, ..complaint() };
        scene.house.tell("intake", case, &registered(case, one, time)).await;
    }
}

/// As many complaints as there are words, each about one of them.
fn usual(round: usize) -> impl Iterator<Item = String> {
    let words = ["kettle", "parcel", "invoice", "refund", "courier", "退款", "快递", "发票"];
    words.into_iter().map(move |word| format!("It is about the {word}, number {round}."))
}

#[tokio::test]
async fn a_surge_of_a_phrase_is_a_topic_with_its_cases_and_days() {
    let scene = Scene::timed().await;
    for week in 0..6 {
        received(&scene, 10 + 7 * week, usual(usize::try_from(week).expect("few"))).await;
    }
    received(&scene, 2, usual(9)).await;
    scene.house.settled().await;
    let quiet = list(&scene).await;
    assert_eq!(quiet.topics, Vec::<Topic>::new(), "nothing has changed");
    let coverage = quiet.coverage.expect("what was looked at");
    assert_eq!((coverage.case_count, coverage.baseline_case_count), (8, 48));
    assert_eq!((coverage.sampled_one_in, coverage.terms_capped), (1, false));
    assert!((coverage.false_alarm_probability - 0.05).abs() < f64::EPSILON);

    received(&scene, 1, (0..8).map(|n| format!("Phone {n}: the battery swelling bends the screen."))).await;
    received(&scene, 0, (0..7).map(|n| format!("手机{n}：电池鼓包，后盖翘起"))).await;
    scene.house.settled().await;
    let found = list(&scene).await.topics;
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!((found[0].case_count, found[1].case_count), (8, 7));
    assert!(found[0].phrases[0].contains("battery swelling"), "{:?}", found[0].phrases);
    assert!(found[1].phrases.iter().any(|phrase| phrase == "电池鼓包"), "{:?}", found[1].phrases);
    assert!(found.iter().all(|topic| topic.expected_count < 0.01 && topic.case_ids.len() == 5));
    let days = |topic: &Topic| topic.days.iter().map(|day| day.case_count).collect::<Vec<_>>();
    assert_eq!((days(&found[0]), days(&found[1])), (vec![0, 8, 0], vec![0, 0, 7]));

    let request = GetTopicRequest { topic_id: found[1].topic_id.clone() };
    let read = client(&scene).get_topic(request).await.expect("it is found").into_inner();
    let read = read.topic.expect("a topic");
    assert_eq!((read.case_ids.len(), read.days.len()), (7, 9));
    assert_eq!(read.days.iter().map(|day| day.total_count).sum::<i64>(), 48 + 8 + 15);
    assert_eq!(read.terms, found[1].terms);
    let unknown = found[1].topic_id.replace(char::is_alphabetic, "x");
    let refusal = client(&scene).get_topic(GetTopicRequest { topic_id: unknown }).await;
    let refusal = refusal.expect_err("no topic has that word");
    assert_eq!((refusal.code(), reason(&refusal)), (Code::NotFound, "TOPIC_NOT_FOUND".to_owned()));
    scene.house.done().await;
}

#[tokio::test]
async fn of_a_long_complaint_the_first_600_words_of_the_index_are_looked_at() {
    let scene = Scene::timed().await;
    for week in 0..6 {
        received(&scene, 10 + 7 * week, usual(usize::try_from(week).expect("few"))).await;
    }
    let words = |case: usize| (0..650).map(|n| format!("aa{case}x{n}")).collect::<Vec<_>>().join(" ");
    received(&scene, 1, (0..8).map(|case| format!("zzswelling {}", words(case)))).await;
    scene.house.settled().await;
    assert_eq!(list(&scene).await.topics, Vec::<Topic>::new());
    received(&scene, 1, (0..8).map(|n| format!("zzswelling, number {n}"))).await;
    scene.house.settled().await;
    let found = list(&scene).await.topics;
    let counts: Vec<i64> = found.iter().map(|topic| topic.case_count).collect();
    assert_eq!(counts, [8], "{found:?}");
    scene.house.done().await;
}

#[tokio::test]
async fn without_a_past_nothing_is_a_topic() {
    let scene = Scene::timed().await;
    received(&scene, 0, (0..9).map(|n| format!("Phone {n}: the battery swelling."))).await;
    scene.house.settled().await;
    let answer = list(&scene).await;
    let coverage = answer.coverage.expect("what was looked at");
    assert_eq!((answer.topics.len(), coverage.case_count, coverage.baseline_case_count), (0, 9, 0));
    scene.house.done().await;
}

#[tokio::test]
async fn another_tenants_cases_are_no_topics_of_ours() {
    let house = House::builder(&[cases::SERVICE]).identified().clock(MockClock::default()).open().await;
    let now = house.db("cases").clock().now();
    for (days, count, text) in [(20, 40, "It is about the kettle"), (1, 9, "The battery swelling")] {
        for _ in 0..count {
            let time = now - SignedDuration::from_hours(24 * days);
            let case = house.db("cases").ids().id(time);
            let one = Complaint { description: text.to_owned(), ..complaint() };
            house.tell_as("acme", "intake", case, &registered(case, one, time)).await;
        }
    }
    house.settled().await;
    let of = |tenant: &str| TopicServiceClient::new(house.channel_as(tenant, "rea", &["reader"]));
    let ours = of("acme").list_topics(ListTopicsRequest::default()).await.expect("sought").into_inner();
    assert_eq!(ours.topics.len(), 1, "{ours:?}");
    let theirs = of("other").list_topics(ListTopicsRequest::default()).await.expect("sought").into_inner();
    assert_eq!((theirs.topics.len(), theirs.coverage.map(|one| one.case_count)), (0, Some(0)));
    house.done().await;
}
