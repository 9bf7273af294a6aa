//! A drop in a bucket, whatever the store does.

use std::sync::Arc;

use proto::redress::intake::v1::{FileDrop, FileDropPlace, FileDropState};

use super::fake_s3::{FakeS3, Wrong};
use super::{Desk, acme, counts, lines, set, table};

/// What the keys of the drop begin with.
const BELOW: &str = "drops/development/acme";

async fn open() -> (Arc<FakeS3>, Desk) {
    let store = FakeS3::open().await;
    let desk = Desk::open_with(|settings| {
        store.set(settings);
        settings.objects.store = None;
        settings.drops.bucket = Some("s3://files/redress/drops".to_owned());
    })
    .await;
    (store, desk)
}

fn drop() -> FileDrop {
    FileDrop { place: FileDropPlace::Bucket.into(), ..acme() }
}

fn put(store: &FakeS3, name: &str, content: &str) {
    store.change(|objects| {
        for (name, content) in [(name.to_owned(), content), (format!("{name}.done"), "")] {
            objects.insert(format!("{BELOW}/incoming/{name}"), content.as_bytes().to_vec());
        }
    });
}

fn below(store: &FakeS3) -> Vec<String> {
    let plain = |key: &String| key.strip_prefix(BELOW).unwrap_or(key).to_owned();
    store.keys().iter().map(plain).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_a_bucket_are_taken_and_moved_within_it() {
    let (store, desk) = open().await;
    // More than one page of a list.
    store.change(|objects| {
        for number in 0..300 {
            objects.insert(format!("{BELOW}/incoming/.{number:03}"), Vec::new());
        }
    });
    put(&store, "a.csv", &table(0..3));
    set(&desk.client, drop()).await.expect("set up");
    let file = desk.ended(1).await.remove(0);
    assert_eq!(counts(&file), (3, 0, 0));
    let lie = ["/done/a.csv", "/done/a.csv.done", "/verdicts/a.csv.verdicts.csv"];
    let told: Vec<String> = below(&store).into_iter().filter(|key| !key.contains("/.")).collect();
    assert_eq!(told, lie);
    let mut text = String::new();
    store.change(|objects| {
        let verdicts = &objects[&format!("{BELOW}/verdicts/a.csv.verdicts.csv")];
        text = String::from_utf8(verdicts.clone()).expect("text");
        assert_eq!(objects[&format!("{BELOW}/done/a.csv")], table(0..3).into_bytes());
    });
    assert_eq!(lines(&text).len(), 3);
    desk.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_of_the_store_that_fail_or_whose_answers_are_lost_double_nothing() {
    let (store, desk) = open().await;
    set(&desk.client, drop()).await.expect("set up");
    // The first call of each kind and key is refused where it reads, and done with its answer lost
    // where it changes something.
    let mut calls = std::collections::HashMap::<String, u32>::new();
    store.plan(move |method, key| {
        let count = calls.entry(format!("{method} {key}")).or_default();
        *count += 1;
        match (method, *count) {
            ("GET", 1) => Some(Wrong::Refused),
            ("PUT" | "DELETE", 1) => Some(Wrong::Lost),
            _ => None,
        }
    });
    put(&store, "a.csv", &table(0..3));
    let file = desk.ended(1).await.remove(0);
    assert_eq!((counts(&file), file.reason.as_str()), ((3, 0, 0), ""));
    assert_eq!(below(&store), ["/done/a.csv", "/done/a.csv.done", "/verdicts/a.csv.verdicts.csv"]);
    assert_eq!(desk.count().await, 3);
    desk.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_away_is_told_and_asked_again() {
    let (store, desk) = open().await;
    store.plan(|_, _| Some(Wrong::Refused));
    set(&desk.client, drop()).await.expect("set up");
    put(&store, "a.csv", &table(0..1));
    desk.until(|| async { desk.drop().await.state() == FileDropState::Failing }).await;
    assert_eq!(desk.drop().await.error_reason, "STORE_REFUSED");
    store.plan(|_, _| None);
    assert_eq!(counts(&desk.ended(1).await[0]), (1, 0, 0));
    assert_eq!(desk.drop().await.state(), FileDropState::Watching);
    desk.house.done().await;
}
