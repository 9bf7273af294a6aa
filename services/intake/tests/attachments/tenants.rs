//! Attachments of another tenant: as if there were none, however many there are.

use std::time::Duration;

use proto::redress::intake::v1::intake_service_client::IntakeServiceClient;
use proto::redress::intake::v1::{DeleteAttachmentRequest, SubmitComplaintRequest};
use testkit::{House, MockClock, eventually, request_id, violations};
use tonic::Code;

use super::evidence::complaint_with;
use super::fake_s3::FakeS3;
use super::{Client, fetch, get, parts, picture, refused, send, uploaded, used};

#[tokio::test(flavor = "multi_thread")]
async fn an_attachment_is_its_tenants_alone() {
    let house = House::builder(&[intake::SERVICE]).identified().open().await;
    let roles = ["channel", "agent", "admin"];
    let mine = Client::new(house.channel_as("acme", "ann", &roles));
    let theirs = Client::new(house.channel_as("globex", "bob", &roles));
    let bytes = picture(300_000, 1);
    let done = uploaded(&mine, &bytes).await;
    let id = done.attachment_id;
    let not_found = (Code::NotFound, "ATTACHMENT_NOT_FOUND".to_owned());
    assert_eq!(refused(get(&theirs, &id).await), not_found);
    assert_eq!(refused(fetch(&theirs, &id, 0, 0).await), not_found);
    assert_eq!(refused(send(&theirs, parts(&id, &bytes, 0, 100_000)).await), not_found);
    let delete = DeleteAttachmentRequest { request_id: request_id(), attachment_id: id.clone() };
    assert_eq!(refused(theirs.clone().delete_attachment(delete).await), not_found);
    let mut intake = IntakeServiceClient::new(house.channel_as("globex", "bob", &["channel"]));
    let complaint = complaint_with("", &[&id]);
    let request = SubmitComplaintRequest { request_id: request_id(), complaint: Some(complaint) };
    let refusal = intake.submit_complaint(request).await.expect_err("it is another tenant's");
    assert_eq!(violations(&refusal), ["complaint.evidence[0].attachment_id"]);
    assert_eq!((used(&mine).await, used(&theirs).await), (300_000, 0));
    assert_eq!(fetch(&mine, &id, 0, 0).await.unwrap(), bytes);
    house.done().await;
}

/// Counts what a tenant has in a table.
async fn count(house: &House, table: &str, tenant: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM intake.{table} WHERE tenant_id = '{tenant}'");
    sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(&mut house.owner().await).await.expect("counted")
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_of_one_tenant_do_not_wait_for_the_many_of_another() {
    const MANY: i64 = 4_000;
    let (store, clock) = (FakeS3::open().await, MockClock::default());
    let house =
        House::builder(&[intake::SERVICE]).clock(clock.clone()).settings(|all| store.set(all)).open().await;
    // All of the many were due before the few.
    for (tenant, many, due) in [("acme", MANY, "-1 hour"), ("globex", 3, "-1 minute")] {
        let sql = format!(
            "INSERT INTO intake.attachment_object
             SELECT '{tenant}', gen_random_uuid(), gen_random_uuid(), 0, '2026-11-23T08:00:00Z',
                    '2026-11-23T09:00:00Z'::timestamptz + '{due}'::interval
             FROM generate_series(1, {many})"
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut house.owner().await).await.expect("inserted");
    }
    eventually(|| async { count(&house, "attachment_object", "globex").await == 0 }).await;
    let left = count(&house, "attachment_object", "acme").await;
    assert!(left > MANY / 2, "{left}: the few have their turn long before the many are gone");
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn orphans_of_one_tenant_do_not_wait_for_the_many_of_another() {
    let clock = MockClock::default();
    let house = House::builder(&[intake::SERVICE]).clock(clock.clone()).identified().open().await;
    let client = |tenant| Client::new(house.channel_as(tenant, "ann", &["channel", "agent", "admin"]));
    uploaded(&client("acme"), &picture(300, 1)).await;
    let copies = "INSERT INTO intake.attachment
         SELECT (jsonb_populate_record(a, jsonb_build_object('attachment_id', gen_random_uuid(), 'held_bytes', 0))).*
         FROM intake.attachment a, generate_series(1, 200)";
    sqlx::raw_sql(copies).execute(&mut house.owner().await).await.expect("copied");
    clock.advance(Duration::from_secs(1));
    uploaded(&client("globex"), &picture(300, 2)).await;
    clock.advance(Duration::from_hours(26));
    eventually(|| async { count(&house, "attachment", "globex").await == 0 }).await;
    let left = count(&house, "attachment", "acme").await;
    assert!(left > 100, "{left}: the one has its turn long before the many are gone");
    house.done().await;
}
