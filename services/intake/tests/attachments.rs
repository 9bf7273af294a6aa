//! Attachments over a real Postgres: taken in, broken off, raced, refused, referred to,
//! scanned, collected; and another tenant's.

#![expect(clippy::expect_used, reason = "a test says what it expects")]

#[path = "attachments/collecting.rs"]
mod collecting;
#[path = "attachments/evidence.rs"]
mod evidence;
#[path = "attachments/fake_s3.rs"]
mod fake_s3;
#[path = "attachments/http.rs"]
mod http_files;
#[path = "shared/plain_http.rs"]
mod plain_http;
#[path = "attachments/refusals.rs"]
mod refusals;
#[path = "attachments/s3.rs"]
mod s3;
#[path = "attachments/scanning.rs"]
mod scanning;
#[path = "attachments/settings.rs"]
mod settings;
#[path = "attachments/tenants.rs"]
mod tenants;
#[path = "attachments/tokens.rs"]
mod tokens;

use futures::stream;
use proto::redress::intake::v1::attachment_service_client::AttachmentServiceClient;
use proto::redress::intake::v1::{
    Attachment, AttachmentState, CreateAttachmentRequest, DownloadAttachmentRequest, GetAttachmentRequest,
    GetAttachmentSettingsRequest, UploadAttachmentRequest,
};
use sha2::{Digest as _, Sha256};
use testkit::{CallerChannel, House, reason, request_id};
use tonic::{Code, Request, Status};

type Client = AttachmentServiceClient<CallerChannel>;

const CHUNK: i64 = 262_144;

/// A picture of so many bytes; no two numbers make the same.
fn picture(bytes: usize, number: u32) -> Vec<u8> {
    let mut picture = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    let mut state = number.wrapping_mul(2_654_435_761).wrapping_add(1);
    while picture.len() < bytes {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        picture.extend_from_slice(&state.to_be_bytes());
    }
    picture.truncate(bytes);
    picture
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

fn announcement(bytes: &[u8]) -> CreateAttachmentRequest {
    CreateAttachmentRequest {
        request_id: request_id(),
        file_name: "cup.png".to_owned(),
        media_type: "image/png".to_owned(),
        size_bytes: i64::try_from(bytes.len()).expect("a size"),
        sha256: sha256(bytes),
    }
}

async fn create(client: &Client, request: CreateAttachmentRequest) -> Result<Attachment, Status> {
    Ok(client.clone().create_attachment(request).await?.into_inner().attachment.expect("an attachment"))
}

/// A content from an offset on, in parts of so many bytes.
fn parts(id: &str, bytes: &[u8], from: usize, length: usize) -> Vec<UploadAttachmentRequest> {
    let part = |(place, data): (usize, &[u8])| UploadAttachmentRequest {
        attachment_id: id.to_owned(),
        offset: i64::try_from(from + place * length).expect("an offset"),
        data: data.to_vec(),
    };
    bytes[from..].chunks(length).enumerate().map(part).collect()
}

async fn send(client: &Client, parts: Vec<UploadAttachmentRequest>) -> Result<Attachment, Status> {
    let answer = client.clone().upload_attachment(stream::iter(parts)).await?;
    Ok(answer.into_inner().attachment.expect("an attachment"))
}

/// Announces a content and uploads it whole.
async fn uploaded(client: &Client, bytes: &[u8]) -> Attachment {
    let attachment = create(client, announcement(bytes)).await.expect("announced");
    send(client, parts(&attachment.attachment_id, bytes, 0, 100_000)).await.expect("uploaded")
}

async fn get(client: &Client, id: &str) -> Result<Attachment, Status> {
    let request = GetAttachmentRequest { attachment_id: id.to_owned() };
    Ok(client.clone().get_attachment(request).await?.into_inner().attachment.expect("an attachment"))
}

/// Fetches a range; each part must begin where the one before ended.
async fn fetch(client: &Client, id: &str, offset: i64, length: i64) -> Result<Vec<u8>, Status> {
    let request = DownloadAttachmentRequest { attachment_id: id.to_owned(), offset, length };
    let mut parts = client.clone().download_attachment(request).await?.into_inner();
    let first = parts.message().await?.expect("a first message");
    assert_eq!((first.attachment.expect("what it is").attachment_id.as_str(), first.offset), (id, offset));
    let mut bytes = Vec::new();
    while let Some(part) = parts.message().await? {
        assert_eq!(part.offset, offset + i64::try_from(bytes.len()).expect("an offset"));
        assert!(part.attachment.is_none() && !part.data.is_empty());
        bytes.extend_from_slice(&part.data);
    }
    Ok(bytes)
}

async fn used(client: &Client) -> i64 {
    let answer = client.clone().get_attachment_settings(GetAttachmentSettingsRequest {}).await;
    answer.expect("the settings").into_inner().settings.expect("the settings").used_bytes
}

async fn chunks(house: &House) -> i64 {
    let count = sqlx::query_scalar("SELECT count(*) FROM intake.attachment_chunk");
    count.fetch_one(&mut house.owner().await).await.expect("the table is there")
}

fn refused<T: std::fmt::Debug>(answer: Result<T, Status>) -> (Code, String) {
    let refusal = answer.expect_err("it must be refused");
    (refusal.code(), reason(&refusal))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_uploaded_in_parts_and_fetched_by_range() {
    let house = House::open(&[intake::SERVICE]).await;
    let client = Client::new(house.channel());
    let bytes = picture(700_001, 1);
    let request = announcement(&bytes);
    let created = create(&client, request.clone()).await.unwrap();
    assert_eq!(create(&client, request.clone()).await.unwrap(), created, "told twice, it is one");
    let changed = CreateAttachmentRequest { file_name: "other.png".to_owned(), ..request };
    let again = refused(create(&client, changed).await);
    assert_eq!(again, (Code::AlreadyExists, "IDEMPOTENCY_KEY_REUSED".to_owned()));
    assert_eq!(
        (created.state(), created.received_bytes, used(&client).await),
        (AttachmentState::Receiving, 0, 700_001)
    );
    let id = created.attachment_id.clone();
    let early = refused(fetch(&client, &id, 0, 0).await);
    assert_eq!(early, (Code::FailedPrecondition, "ATTACHMENT_NOT_READY".to_owned()));

    let done = send(&client, parts(&id, &bytes, 0, 100_000)).await.unwrap();
    let expected = Attachment { received_bytes: 700_001, state: AttachmentState::Ready.into(), ..created };
    assert_eq!(done, expected);
    assert_eq!(get(&client, &id).await.unwrap(), done);
    for (offset, length) in [
        (0_i64, 0_i64),
        (0, 1),
        (CHUNK - 1, 2),
        (CHUNK, CHUNK),
        (CHUNK + 7, 2 * CHUNK),
        (5, CHUNK),
        (700_000, 1),
        (700_000, i64::MAX),
        (700_001, 0),
    ] {
        let from = usize::try_from(offset).unwrap();
        let to = if length == 0 {
            bytes.len()
        } else {
            bytes.len().min(from.saturating_add(usize::try_from(length).unwrap()))
        };
        assert_eq!(fetch(&client, &id, offset, length).await.unwrap(), &bytes[from..to], "{offset} {length}");
    }
    let after = refused(fetch(&client, &id, 700_002, 1).await);
    assert_eq!(after, (Code::InvalidArgument, "INVALID_DOWNLOAD".to_owned()));
    // Sent once more, it stays as it is.
    assert_eq!(send(&client, parts(&id, &bytes, 0, 100_000)).await.unwrap(), done);
    assert_eq!(send(&client, parts(&id, &bytes, 600_000, 1_000)).await.unwrap(), done);
    assert_eq!(chunks(&house).await, 3);
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_breaks_goes_on_where_it_ended_at_another_replica() {
    let house = House::open(&[intake::SERVICE]).await;
    let client = Client::new(house.channel());
    let bytes = picture(600_000, 2);
    let id = create(&client, announcement(&bytes)).await.unwrap().attachment_id;
    // It ends early: what is kept is whole chunks.
    let ended = send(&client, parts(&id, &bytes[..300_000], 0, 50_000)).await.unwrap();
    assert_eq!((ended.state(), ended.received_bytes), (AttachmentState::Receiving, CHUNK));

    // It breaks: whoever sent it is gone in the middle of the call.
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    let calling = {
        let mut client = client.clone();
        let parts = stream::unfold(receiver, |mut receiver: tokio::sync::mpsc::Receiver<_>| async {
            receiver.recv().await.map(|part| (part, receiver))
        });
        tokio::spawn(async move { client.upload_attachment(Request::new(parts)).await.map(drop) })
    };
    for part in parts(&id, &bytes[..560_000], 262_144, 50_000) {
        sender.send(part).await.expect("the server reads");
    }
    testkit::eventually(|| async {
        get(&client, &id).await.is_ok_and(|now| now.received_bytes == 2 * CHUNK)
    })
    .await;
    calling.abort();
    assert!(calling.await.expect_err("it was given up").is_cancelled());

    let replica = house.replica(&[intake::SERVICE]).await;
    let other = Client::new(replica.channel());
    let kept = get(&other, &id).await.unwrap().received_bytes;
    assert_eq!(kept, 2 * CHUNK);
    let done = send(&other, parts(&id, &bytes, usize::try_from(kept).unwrap(), 50_000)).await.unwrap();
    assert_eq!((done.state(), done.sha256.as_str()), (AttachmentState::Ready, sha256(&bytes).as_str()));
    assert_eq!(fetch(&client, &id, 0, 0).await.unwrap(), bytes);
    replica.done().await;
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_was_whole_when_its_server_died_is_finished_by_the_next_call() {
    let house = House::open(&[intake::SERVICE]).await;
    let client = Client::new(house.channel());
    let bytes = picture(300_000, 3);
    let done = uploaded(&client, &bytes).await;
    // As the rows are between the last chunk and the end.
    sqlx::query("UPDATE intake.attachment SET state = 1, sha256 = NULL, finished_at = NULL")
        .execute(&mut house.owner().await)
        .await
        .unwrap();
    let receiving = get(&client, &done.attachment_id).await.unwrap();
    assert_eq!((receiving.state(), receiving.received_bytes), (AttachmentState::Receiving, 300_000));
    let empty = UploadAttachmentRequest { attachment_id: done.attachment_id.clone(), ..Default::default() };
    assert_eq!(send(&client, vec![empty]).await.unwrap(), done);
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_replicas_that_take_the_same_in_at_once_keep_it_once() {
    let house = House::open(&[intake::SERVICE]).await;
    let replica = house.replica(&[intake::SERVICE]).await;
    let lines = [Client::new(house.channel()), Client::new(replica.channel())];
    for number in 0..4 {
        let bytes = picture(900_000, 10 + number);
        let id = create(&lines[0], announcement(&bytes)).await.unwrap().attachment_id;
        let (first, second) = tokio::join!(
            send(&lines[0], parts(&id, &bytes, 0, 70_000)),
            send(&lines[1], parts(&id, &bytes, 0, 130_000)),
        );
        let (first, second) = (first.unwrap(), second.unwrap());
        assert_eq!(first, second);
        assert_eq!(first.state(), AttachmentState::Ready);
        assert_eq!(chunks(&house).await, i64::from(number + 1) * 4);
        assert_eq!(fetch(&lines[1], &id, 0, 0).await.unwrap(), bytes);
    }
    assert_eq!(used(&lines[0]).await, 4 * 900_000);
    replica.done().await;
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_during_which_the_database_is_lost_goes_on_with_what_was_kept() {
    let house = House::builder(&[intake::SERVICE]).breakable().open().await;
    let client = Client::new(house.channel());
    let bytes = picture(1_200_000, 5);
    let id = create(&client, announcement(&bytes)).await.unwrap().attachment_id;
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    let calling = tokio::spawn({
        let mut client = client.clone();
        let parts = stream::unfold(receiver, |mut receiver: tokio::sync::mpsc::Receiver<_>| async {
            receiver.recv().await.map(|part| (part, receiver))
        });
        async move { client.upload_attachment(Request::new(parts)).await.map(drop) }
    });
    for (place, part) in parts(&id, &bytes, 0, 100_000).into_iter().enumerate() {
        if place == 6 {
            testkit::eventually(|| async {
                get(&client, &id).await.is_ok_and(|now| now.received_bytes >= CHUNK)
            })
            .await;
            house.proxy().cut();
        }
        // Nobody listens any more once the call has failed.
        if sender.send(part).await.is_err() {
            break;
        }
    }
    drop(sender);
    let broken = calling.await.expect("the call ends").expect_err("the database is away");
    assert_eq!(broken.code(), Code::Unavailable, "{broken:?}");
    house.proxy().restore();
    testkit::eventually(|| async { get(&client, &id).await.is_ok() }).await;
    let kept = get(&client, &id).await.unwrap();
    assert_eq!((kept.state(), kept.received_bytes % CHUNK), (AttachmentState::Receiving, 0));
    let from = usize::try_from(kept.received_bytes).unwrap();
    assert!((262_144..=524_288).contains(&from), "{from}");
    let done = send(&client, parts(&id, &bytes, from, 100_000)).await.unwrap();
    assert_eq!((done.state(), done.sha256.as_str()), (AttachmentState::Ready, sha256(&bytes).as_str()));
    assert_eq!(fetch(&client, &id, 0, 0).await.unwrap(), bytes);
    assert_eq!(used(&client).await, 1_200_000);
    house.done().await;
}
