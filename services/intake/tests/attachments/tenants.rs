//! Attachments of another tenant: as if there were none.

use proto::redress::intake::v1::intake_service_client::IntakeServiceClient;
use proto::redress::intake::v1::{DeleteAttachmentRequest, SubmitComplaintRequest};
use testkit::{House, request_id, violations};
use tonic::Code;

use super::evidence::complaint_with;
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
