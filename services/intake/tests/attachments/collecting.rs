//! What nobody refers to, and what was refused or deleted, goes, and its quota with it.

use std::time::Duration;

use proto::redress::intake::v1::intake_service_client::IntakeServiceClient;
use proto::redress::intake::v1::{CreateAttachmentRequest, DeleteAttachmentRequest, SubmitComplaintRequest};
use testkit::{House, MockClock, eventually, request_id};
use tonic::Code;

use super::evidence::complaint_with;
use super::{
    Client, announcement, chunks, create, fetch, get, parts, picture, refused, send, sha256, uploaded, used,
};

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_refers_to_within_a_day_is_collected_and_what_somebody_does_is_kept() {
    let clock = MockClock::default();
    let house = House::builder(&[intake::SERVICE]).clock(clock.clone()).open().await;
    let client = Client::new(house.channel());
    let bytes = picture(300_000, 1);
    let kept = uploaded(&client, &bytes).await.attachment_id;
    let complaint = Some(complaint_with("", &[&kept]));
    let request = SubmitComplaintRequest { request_id: request_id(), complaint };
    IntakeServiceClient::new(house.channel()).submit_complaint(request).await.unwrap();
    let finished = uploaded(&client, &picture(300_000, 2)).await.attachment_id;
    let unfinished = create(&client, announcement(&picture(300_000, 3))).await.unwrap().attachment_id;
    send(&client, parts(&unfinished, &picture(300_000, 3)[..280_000], 0, 100_000)).await.unwrap();
    assert_eq!((chunks(&house).await, used(&client).await), (5, 900_000));

    // Looked for, and nothing is old enough.
    clock.advance(Duration::from_hours(23));
    let young = uploaded(&client, &picture(300, 4)).await.attachment_id;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!((chunks(&house).await, used(&client).await), (6, 900_300));
    clock.advance(Duration::from_hours(2));
    eventually(|| async { chunks(&house).await == 3 && used(&client).await == 300_300 }).await;
    for gone in [&finished, &unfinished] {
        eventually(|| async { get(&client, gone).await.is_err() }).await;
        let told = refused(send(&client, parts(gone, &bytes, 0, 100_000)).await);
        assert_eq!(told, (Code::NotFound, "ATTACHMENT_NOT_FOUND".to_owned()));
    }
    assert_eq!(fetch(&client, &kept, 0, 0).await.unwrap(), bytes);
    assert_eq!(get(&client, &young).await.unwrap().sha256, sha256(&picture(300, 4)));
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_content_of_what_was_refused_or_deleted_is_removed_within_the_hour() {
    let clock = MockClock::default();
    let house = House::builder(&[intake::SERVICE]).clock(clock.clone()).open().await;
    let client = Client::new(house.channel());
    let bytes = picture(300_000, 1);
    let wrong = CreateAttachmentRequest { sha256: "0".repeat(64), ..announcement(&bytes) };
    let refused = create(&client, wrong).await.unwrap().attachment_id;
    send(&client, parts(&refused, &bytes, 0, 100_000)).await.expect_err("another hash");
    let deleted = uploaded(&client, &bytes).await.attachment_id;
    let delete = DeleteAttachmentRequest { request_id: request_id(), attachment_id: deleted.clone() };
    client.clone().delete_attachment(delete).await.unwrap();
    assert_eq!((chunks(&house).await, used(&client).await), (4, 0));
    clock.advance(Duration::from_mins(61));
    eventually(|| async { chunks(&house).await == 0 }).await;
    assert_eq!(used(&client).await, 0);
    assert!(get(&client, &refused).await.is_ok(), "why it was refused can still be read");
    assert!(get(&client, &deleted).await.is_err());
    house.done().await;
}
