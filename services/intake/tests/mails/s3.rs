//! Mails that lie in a bucket: kept whole or not at all, and once, whatever the store does.

use std::collections::HashMap;
use std::time::Duration;

use proto::redress::intake::v1::MailState;
use testkit::{House, MockClock, eventually, free_address, hand_over};

use super::fake_s3::{FakeS3, Wrong};
use super::kept::download;
use super::{ADDRESS, Client, complaint, mail, mailbox, set, settled};

/// Pieces of the mail.
const PIECES: usize = 5;

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_whose_pieces_cannot_all_be_put_comes_again_and_is_kept_once() {
    let (store, clock, at) = (FakeS3::open().await, MockClock::default(), free_address());
    let house = House::builder(&[intake::SERVICE])
        .clock(clock.clone())
        .settings(|settings| {
            settings.mails.smtp_listen = Some(at);
            store.set(settings);
        })
        .open()
        .await;
    let client = Client::new(house.channel());
    set(&client, mailbox()).await.expect("set up");
    let line = format!("{}\r\n", "The cup broke. ".repeat(60));
    let sent = mail(1, "Subject: A long one\r\n", &line.repeat(1_250));
    assert_eq!(sent.len().div_ceil(262_144), PIECES);
    for wrong in [Wrong::Refused, Wrong::Lost] {
        for place in 1..=PIECES {
            // Each try has an id of its own: calls of the one before may still arrive.
            let mut calls: HashMap<String, usize> = HashMap::new();
            store.plan(move |_, key| {
                let count = calls.entry(key.split('/').nth(1)?.to_owned()).or_default();
                *count += 1;
                (*count == place).then_some(wrong)
            });
            let told = hand_over(at, ADDRESS, &sent).await;
            assert!(told.starts_with('4'), "{wrong:?} {place}: the sender keeps it: {told}");
        }
    }
    settled(&client, 0).await;
    // Fetched pieces may fail as well: it is taken again.
    let mut calls = 0;
    store.plan(move |method, _| {
        calls += usize::from(method == "GET");
        (method == "GET" && calls < 3).then_some(Wrong::Refused)
    });
    assert!(hand_over(at, ADDRESS, &sent).await.starts_with("250"));
    assert!(hand_over(at, ADDRESS, &sent).await.starts_with("250"), "it is known");
    eventually(|| async {
        clock.advance(Duration::from_secs(5));
        !super::list(&client, MailState::Registered).await.is_empty()
    })
    .await;
    let mails = settled(&client, 1).await;
    let evidence = complaint(&house, &mails[0].complaint_id).await.evidence;
    assert_eq!(evidence[0].attachment_id, mails[0].attachment_id);
    let whole = download(&house, &evidence[0].attachment_id).await;
    assert_eq!(String::from_utf8_lossy(&whole).trim_end(), sent.trim_end());
    // What was put of those that were not kept goes.
    clock.advance(Duration::from_mins(61));
    // The long text is a file of its own, beside the mail.
    let ids: Vec<&str> = evidence.iter().map(|one| one.attachment_id.as_str()).collect();
    assert_eq!(ids.len(), 2);
    eventually(|| async { store.keys().len() == 2 * PIECES }).await;
    let is_evidence = |key: &String| key.split('/').nth(1).is_some_and(|id| ids.contains(&id));
    assert!(store.keys().iter().all(is_evidence), "{:?}", store.keys());
    let counts = "SELECT count(*), count(*) FILTER (WHERE remove_at IS NULL) FROM intake.attachment_object";
    eventually(|| async {
        let mut owner = house.owner().await;
        let known: (i64, i64) = sqlx::query_as(counts).fetch_one(&mut owner).await.expect("a table");
        known == (10, 10)
    })
    .await;
    house.done().await;
}
