//! Attachments that are fetched by a token.

use std::time::Duration;

use proto::redress::intake::v1::{DownloadByTokenRequest, GetDownloadTokenRequest};
use testkit::{House, MockClock};
use tonic::{Code, Status};

use super::{Client, announcement, create, picture, refused, uploaded};

async fn token(client: &Client, id: &str, valid_seconds: i32) -> Result<String, Status> {
    let request = GetDownloadTokenRequest { attachment_id: id.to_owned(), valid_seconds };
    Ok(client.clone().get_download_token(request).await?.into_inner().token)
}

async fn fetch(client: &Client, token: &str, offset: i64, length: i64) -> Result<Vec<u8>, Status> {
    let request = DownloadByTokenRequest { token: token.to_owned(), offset, length };
    let mut parts = client.clone().download_by_token(request).await?.into_inner();
    assert!(parts.message().await?.expect("a first message").attachment.is_some());
    let mut bytes = Vec::new();
    while let Some(part) = parts.message().await? {
        bytes.extend_from_slice(&part.data);
    }
    Ok(bytes)
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_the_token_fetches_that_one_attachment_for_a_while() {
    let clock = MockClock::default();
    let house = House::builder(&[intake::SERVICE]).identified().clock(clock.clone()).open().await;
    let reader = Client::new(house.channel_as("acme", "ann", &["reader", "channel"]));
    let worker = Client::new(house.channel_as("acme", "warehouse", &["department-worker:warehouse"]));
    let bytes = picture(300_000, 1);
    let id = uploaded(&reader, &bytes).await.attachment_id;
    assert_eq!(refused(token(&worker, &id, 0).await).1, "ROLE_REQUIRED");
    let short = token(&reader, &id, 0).await.unwrap();
    let long = token(&reader, &id, 3_600).await.unwrap();
    assert_eq!(fetch(&worker, &short, 0, 0).await.unwrap(), bytes);
    assert_eq!(fetch(&worker, &short, 262_143, 2).await.unwrap(), &bytes[262_143..262_145]);
    let elsewhere = Client::new(house.channel_as("globex", "bob", &["reader"]));
    let unknown = (Code::NotFound, "DOWNLOAD_TOKEN_UNKNOWN".to_owned());
    assert_eq!(refused(fetch(&elsewhere, &short, 0, 0).await), unknown);

    clock.advance(Duration::from_mins(5));
    let expired = (Code::FailedPrecondition, "DOWNLOAD_TOKEN_EXPIRED".to_owned());
    assert_eq!(refused(fetch(&worker, &short, 0, 0).await), expired);
    assert_eq!(fetch(&worker, &long, 0, 0).await.unwrap(), bytes);
    clock.advance(Duration::from_mins(55));
    assert_eq!(refused(fetch(&worker, &long, 0, 0).await), expired);

    let unfinished = create(&reader, announcement(&bytes)).await.unwrap().attachment_id;
    assert_eq!(refused(token(&reader, &unfinished, 0).await).1, "ATTACHMENT_NOT_READY");
    house.done().await;
}
