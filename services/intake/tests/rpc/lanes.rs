//! The lane of the feed in which a complaint is told of.

use proto::redress::intake::v1::intake_service_client::IntakeServiceClient;
use proto::redress::intake::v1::{SubmitComplaintRequest, SubmitComplaintsRequest};
use testkit::{House, consistency_token};
use uuid::Uuid;

use crate::{complaint, submission, tokio_stream};

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_by_submit_complaints_is_told_in_the_bulk_lane() {
    let house = House::open(&[intake::SERVICE]).await;
    let mut client = IntakeServiceClient::new(house.channel());
    let row = |row| SubmitComplaintsRequest {
        request_id: format!("row-{row}"),
        complaint: Some(complaint(&format!("bulk-{row}"))),
    };
    let single = client.submit_complaint(submission(complaint("single"))).await.unwrap();
    let bulk = client.submit_complaints(tokio_stream((0..3).map(row).collect())).await.unwrap();
    let position = |token: &str| token.split(':').nth(1).map(str::to_owned);
    let (live, of_bulk) = (consistency_token(&single), consistency_token(&bulk));
    assert!(!live.ends_with(":bulk") && of_bulk.ends_with(":bulk"), "{live} {of_bulk}");
    let SubmitComplaintsRequest { request_id, complaint } = row(2);
    let again = client.submit_complaint(SubmitComplaintRequest { request_id, complaint }).await.unwrap();
    assert_eq!(consistency_token(&again), of_bulk, "it stands for where it is told of");
    assert_eq!(position(&of_bulk).unwrap(), "4");

    // What is live about a bulk complaint follows its registration.
    let mut owner = house.owner().await;
    let id = Uuid::parse_str(&again.into_inner().complaint_id).unwrap();
    sqlx::query(
        "INSERT INTO intake.outbox (tenant_id, event_id, subject, type, occurred_at, traceparent, payload)
         VALUES ('development', gen_random_uuid(), $1, 'redress.intake.v1.InformationAdded', now(), '', '')",
    )
    .bind(id)
    .execute(&mut owner)
    .await
    .unwrap();
    let last: i64 =
        sqlx::query_scalar("SELECT max(position) FROM intake.outbox").fetch_one(&mut owner).await.unwrap();
    for (lane, expected) in [
        (0_i16, vec![(1_i64, 1_i16, 0_i64), (2, 2, 0), (3, 2, 0), (4, 2, 0), (last, 1, 4)]),
        (1, vec![(1, 1, 0), (last, 1, 4)]),
        (2, vec![(2, 2, 0), (3, 2, 0), (4, 2, 0)]),
    ] {
        let told: Vec<(i64, i16, i64)> = sqlx::query_as(
            "SELECT position, lane, follows FROM intake.feed_page(0, 1000, 1000, $1, '', '{}', '{}') ORDER BY position",
        )
        .bind(lane)
        .fetch_all(&mut owner)
        .await
        .unwrap();
        assert_eq!(told, expected, "lane {lane}");
    }
    house.done().await;
}
