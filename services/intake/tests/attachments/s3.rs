//! Attachments that lie in a bucket: whatever the store does, and between whichever two calls
//! of it somebody dies, nothing is lost and nothing stays behind.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::join_all;
use proto::redress::intake::v1::{
    Attachment, AttachmentState, DeleteAttachmentRequest, UploadAttachmentRequest,
};
use testkit::{House, MockClock, eventually, request_id};
use tonic::{Code, Status};

use super::fake_s3::{FakeS3, Wrong};
use super::{
    CHUNK, Client, announcement, chunks, create, fetch, get, parts, picture, refused, send, sha256, uploaded,
    used,
};

/// Calls of the store that an upload of three chunks makes: puts, and gets to hash them.
const CALLS: usize = 6;

async fn open(store: &FakeS3, clock: &MockClock) -> House {
    House::builder(&[intake::SERVICE]).clock(clock.clone()).settings(|all| store.set(all)).open().await
}

/// Objects that are known, and those of them that are chunks.
async fn known(house: &House) -> (i64, i64) {
    let counts = "SELECT count(*), count(*) FILTER (WHERE remove_at IS NULL) FROM intake.attachment_object";
    sqlx::query_as(counts).fetch_one(&mut house.owner().await).await.expect("the table is there")
}

/// Waits until as many objects are left, and no more are known of.
async fn left(house: &House, store: &FakeS3, objects: usize) {
    let count = i64::try_from(objects).expect("a count");
    eventually(|| async { known(house).await == (count, count) && store.keys().len() == objects }).await;
}

fn unavailable<T: std::fmt::Debug>(answer: Result<T, Status>) {
    assert_eq!(refused(answer), (Code::Unavailable, "ATTACHMENT_STORE_UNAVAILABLE".to_owned()));
}

/// Goes on with an upload from what is kept, as a client does.
async fn go_on(client: &Client, id: &str, bytes: &[u8]) -> Result<Attachment, Status> {
    let from = usize::try_from(get(client, id).await?.received_bytes).expect("an offset");
    let rest = parts(id, bytes, from, 100_000);
    let nothing = vec![UploadAttachmentRequest { attachment_id: id.to_owned(), ..Default::default() }];
    send(client, if rest.is_empty() { nothing } else { rest }).await
}

/// Has calls about each attachment go wrong, one of each, by its place among them.
fn wrongs(store: &FakeS3, wrongs: HashMap<String, (usize, Wrong)>) {
    let mut calls: HashMap<String, usize> = HashMap::new();
    store.plan(move |method, key| {
        let id = key.split('/').nth(1).filter(|_| method != "DELETE")?;
        let count = calls.entry(id.to_owned()).or_default();
        *count += 1;
        wrongs.get(id).filter(|(place, _)| place == count).map(|(_, wrong)| *wrong)
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_lies_in_the_bucket_until_nobody_wants_it() {
    let (store, clock) = (FakeS3::open().await, MockClock::default());
    let house = open(&store, &clock).await;
    let client = Client::new(house.channel());
    let bytes = picture(700_001, 1);
    let done = uploaded(&client, &bytes).await;
    assert_eq!((done.state(), done.sha256.as_str()), (AttachmentState::Ready, sha256(&bytes).as_str()));
    assert_eq!((chunks(&house).await, known(&house).await), (0, (3, 3)));
    let folder = format!("development/{}/", done.attachment_id);
    assert!(store.keys().len() == 3 && store.keys().iter().all(|key| key.starts_with(&folder)));
    for (offset, length) in [(0, 0), (CHUNK - 1, 2), (CHUNK, CHUNK), (2 * CHUNK + 7, 0), (700_000, 1)] {
        let from = usize::try_from(offset).unwrap();
        let to = if length == 0 { bytes.len() } else { from + usize::try_from(length).unwrap() };
        assert_eq!(fetch(&client, &done.attachment_id, offset, length).await.unwrap(), &bytes[from..to]);
    }
    let request = DeleteAttachmentRequest { request_id: request_id(), attachment_id: done.attachment_id };
    client.clone().delete_attachment(request).await.unwrap();
    assert_eq!((store.keys().len(), used(&client).await), (3, 0));
    // Deletions that are refused, or whose answers are lost, are made again.
    let mut calls = 0;
    store.plan(move |_, _| {
        calls += 1;
        [Wrong::Refused, Wrong::Lost].get(calls - 1).copied()
    });
    clock.advance(Duration::from_mins(61));
    eventually(|| async { known(&house).await.1 == 0 }).await;
    eventually(|| async {
        clock.advance(Duration::from_mins(11));
        known(&house).await == (0, 0)
    })
    .await;
    left(&house, &store, 0).await;
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_fails_between_any_two_calls_goes_on_and_leaves_nothing_behind() {
    let (store, clock) = (FakeS3::open().await, MockClock::default());
    let house = open(&store, &clock).await;
    let client = Client::new(house.channel());
    let mut planned = HashMap::new();
    let mut files = Vec::new();
    for wrong in [Wrong::Refused, Wrong::Lost, Wrong::Stalled] {
        for place in 1..=CALLS {
            let number = u32::try_from(files.len()).unwrap();
            let bytes = picture(600_000, number);
            let id = create(&client, announcement(&bytes)).await.unwrap().attachment_id;
            planned.insert(id.clone(), (place, wrong));
            files.push((id, bytes, place));
        }
    }
    wrongs(&store, planned);
    let begun = Instant::now();
    let first = join_all(files.iter().map(async |(id, bytes, place)| {
        unavailable(send(&client, parts(id, bytes, 0, 100_000)).await);
        let kept = get(&client, id).await.unwrap();
        let whole = i64::try_from((place - 1).min(3)).unwrap();
        assert_eq!(
            (kept.state(), kept.received_bytes),
            (AttachmentState::Receiving, (whole * CHUNK).min(600_000))
        );
        let done = go_on(&client, id, bytes).await.unwrap();
        assert_eq!((done.state(), done.sha256), (AttachmentState::Ready, sha256(bytes)));
        assert_eq!(&fetch(&client, id, 0, 0).await.unwrap(), bytes);
    }));
    first.await;
    assert!(begun.elapsed() < Duration::from_secs(50), "what stalls is given up: {:?}", begun.elapsed());
    // Nine puts came to nothing for us; three of them were done all the same.
    assert_eq!((known(&house).await, store.keys().len()), ((54 + 9, 54), 54 + 3));
    clock.advance(Duration::from_mins(59));
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!((known(&house).await, store.keys().len()), ((54 + 9, 54), 54 + 3), "somebody may be at it");
    clock.advance(Duration::from_mins(2));
    left(&house, &store, 54).await;
    for (id, bytes, _) in &files {
        assert_eq!(&fetch(&client, id, 0, 0).await.unwrap(), bytes);
    }
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_store_stalls_everything_else_goes_on() {
    let (store, clock) = (FakeS3::open().await, MockClock::default());
    let house = open(&store, &clock).await;
    let client = Client::new(house.channel());
    let bytes = picture(300_000, 1);
    // One of before there was a bucket.
    let old = uploaded(&client, &bytes).await.attachment_id;
    for (place, chunk) in bytes.chunks(262_144).enumerate() {
        sqlx::query("INSERT INTO intake.attachment_chunk SELECT tenant_id, attachment_id, $1, $2 FROM intake.attachment")
            .bind(i32::try_from(place).unwrap())
            .bind(chunk)
            .execute(&mut house.owner().await)
            .await
            .unwrap();
    }
    for sql in ["UPDATE intake.attachment SET store = 1", "DELETE FROM intake.attachment_object"] {
        sqlx::query(sql).execute(&mut house.owner().await).await.unwrap();
    }
    let mut ids = Vec::new();
    for number in 0..30 {
        ids.push(create(&client, announcement(&picture(300_000, 100 + number))).await.unwrap().attachment_id);
    }
    store.plan(|_, _| Some(Wrong::Stalled));
    let begun = Instant::now();
    let uploading = join_all(ids.iter().zip(0..).map(async |(id, number)| {
        send(&client, parts(id, &picture(300_000, 100 + number), 0, 300_000)).await
    }));
    let others = async {
        eventually(|| async { known(&house).await.0 >= 16 }).await;
        assert_eq!(fetch(&client, &old, 0, 0).await.unwrap(), bytes, "it lies in the database");
        let more = create(&client, announcement(&picture(300, 1_000))).await.unwrap();
        assert_eq!(get(&client, &more.attachment_id).await.unwrap(), more);
        begun.elapsed()
    };
    let (uploaded, took) = tokio::join!(uploading, others);
    assert!(took < Duration::from_secs(8), "{took:?}: nobody waits for the store but who needs it");
    uploaded.into_iter().for_each(unavailable);
    store.plan(|_, _| None);
    for (id, number) in ids.iter().zip(0..) {
        let done = go_on(&client, id, &picture(300_000, 100 + number)).await.unwrap();
        assert_eq!(done.state(), AttachmentState::Ready);
    }
    clock.advance(Duration::from_mins(61));
    eventually(|| async { known(&house).await == (60, 60) }).await;
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_late_or_twice_changes_nothing_of_what_is_kept() {
    let (store, clock) = (FakeS3::open().await, MockClock::default());
    let house = open(&store, &clock).await;
    let replica = house.replica(&[intake::SERVICE]).await;
    let lines = [Client::new(house.channel()), Client::new(replica.channel())];
    // Another content, which a slow put brings after the file was finished.
    let (bytes, other) = (picture(200_000, 1), picture(200_000, 2));
    let named =
        proto::redress::intake::v1::CreateAttachmentRequest { sha256: String::new(), ..announcement(&bytes) };
    let id = create(&lines[0], named).await.unwrap().attachment_id;
    let mut is_first = true;
    store.plan(move |_, _| std::mem::take(&mut is_first).then_some(Wrong::Late));
    let slow = tokio::spawn({
        let (line, parts) = (lines[0].clone(), parts(&id, &other, 0, 200_000));
        async move { send(&line, parts).await }
    });
    eventually(|| async { known(&house).await.0 == 1 }).await;
    let done = send(&lines[1], parts(&id, &bytes, 0, 200_000)).await.unwrap();
    assert_eq!((done.state(), done.sha256.as_str()), (AttachmentState::Ready, sha256(&bytes).as_str()));
    store.catch_up().await;
    unavailable(slow.await.unwrap());
    assert_eq!(store.keys().len(), 2);
    assert_eq!(fetch(&lines[0], &id, 0, 0).await.unwrap(), bytes);

    for number in 0..3 {
        let bytes = picture(900_000, 10 + number);
        let id = create(&lines[0], announcement(&bytes)).await.unwrap().attachment_id;
        let (first, second) = tokio::join!(
            send(&lines[0], parts(&id, &bytes, 0, 70_000)),
            send(&lines[1], parts(&id, &bytes, 0, 130_000)),
        );
        assert_eq!(first.unwrap(), second.unwrap());
        assert_eq!(fetch(&lines[1], &id, 0, 0).await.unwrap(), bytes);
    }
    clock.advance(Duration::from_mins(61));
    left(&house, &store, 1 + 3 * 4).await;
    assert_eq!(fetch(&lines[0], &id, 0, 0).await.unwrap(), bytes);
    replica.done().await;
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_is_not_kept_and_what_is_lost_is_never_taken_to_be_there() {
    let (store, clock) = (FakeS3::open().await, MockClock::default());
    let house = open(&store, &clock).await;
    let client = Client::new(house.channel());
    let program = [b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0".as_slice(), &[0; 900]].concat();
    let id = create(&client, announcement(&program)).await.unwrap().attachment_id;
    let refusal = refused(send(&client, parts(&id, &program, 0, 1_000)).await);
    assert_eq!((refusal.0, known(&house).await, store.keys().len()), (Code::FailedPrecondition, (0, 0), 0));
    let bytes = picture(600_000, 1);
    let id = uploaded(&client, &bytes).await.attachment_id;
    // An operator removes one; another is cut.
    let keys = store.keys();
    store.change(|objects| drop(objects.remove(&keys[0])));
    unavailable(fetch(&client, &id, 0, 0).await);
    store.change(|objects| objects.values_mut().for_each(|object| object.truncate(10)));
    unavailable(fetch(&client, &id, CHUNK + 5, 100).await);
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tenants_share_the_bucket_and_nothing_in_it() {
    let store: Arc<FakeS3> = FakeS3::open().await;
    let house = House::builder(&[intake::SERVICE]).identified().settings(|all| store.set(all)).open().await;
    let mine = Client::new(house.channel_as("acme", "ann", &["channel", "reader"]));
    let theirs = Client::new(house.channel_as("globex", "bob", &["channel", "reader"]));
    let (ours, others) = (picture(300_000, 1), picture(300_000, 2));
    let id = uploaded(&mine, &ours).await.attachment_id;
    let other = uploaded(&theirs, &others).await.attachment_id;
    assert_eq!(refused(fetch(&theirs, &id, 0, 0).await).0, Code::NotFound);
    assert_eq!(fetch(&theirs, &other, 0, 0).await.unwrap(), others);
    let folders: Vec<String> =
        store.keys().iter().map(|key| key.split('/').take(2).collect::<Vec<_>>().join("/")).collect();
    let (mine, theirs) = (format!("acme/{id}"), format!("globex/{other}"));
    assert_eq!(folders, [mine.clone(), mine, theirs.clone(), theirs]);
    house.done().await;
}
