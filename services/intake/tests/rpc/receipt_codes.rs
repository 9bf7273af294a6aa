//! What is added by receipt code.

use proto::redress::intake::v1::form_service_client::FormServiceClient;
use proto::redress::intake::v1::intake_service_client::IntakeServiceClient;
use proto::redress::intake::v1::{
    AddInformationRequest, GetInformationRequest, InformationSource, SubmitComplaintResponse,
};
use testkit::{House, reason, request_id, violations};
use tonic::Code;

use crate::{complaint, submission};

async fn submit(house: &House, tenant: &str) -> SubmitComplaintResponse {
    let mut intake = IntakeServiceClient::new(house.channel_as(tenant, "portal", &["channel"]));
    intake.submit_complaint(submission(complaint(""))).await.unwrap().into_inner()
}

fn by_code(code: &str) -> AddInformationRequest {
    AddInformationRequest {
        request_id: request_id(),
        receipt_code: code.to_owned(),
        end_user: "session 7".to_owned(),
        source: InformationSource::Complainant.into(),
        text: "the box was open".to_owned(),
        ..AddInformationRequest::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_the_code_adds_as_the_complainant_once() {
    let house = House::builder(&[intake::SERVICE]).identified().open().await;
    let registered = submit(&house, "tenant-a").await;
    let mut portal = FormServiceClient::new(house.channel_as("tenant-a", "portal", &["channel"]));
    let request = by_code(&registered.receipt_code.to_lowercase());
    let added = portal.add_information(request.clone()).await.unwrap().into_inner();
    assert_eq!(
        added.addition.as_ref().map(|one| (one.ordinal, one.text.as_str())),
        Some((1, "the box was open"))
    );
    assert_eq!(
        portal.add_information(request).await.unwrap().into_inner(),
        added,
        "sent again it is the same"
    );

    let mut staff = FormServiceClient::new(house.channel_as("tenant-a", "ann", &["agent"]));
    let request = GetInformationRequest { complaint_id: registered.complaint_id.clone() };
    let kept = staff.get_information(request).await.unwrap().into_inner().additions;
    let kept: Vec<_> = kept.iter().map(|one| (one.source(), one.author.as_str())).collect();
    assert_eq!(kept, [(InformationSource::Complainant, "portal")]);

    let as_staff = AddInformationRequest {
        source: InformationSource::Staff.into(),
        complaint_id: registered.complaint_id,
        ..by_code(&registered.receipt_code)
    };
    let refusal = portal.add_information(as_staff).await.unwrap_err();
    assert_eq!(violations(&refusal), ["receipt_code", "source"]);
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_code_is_unknown_and_too_many_are_refused() {
    let house = House::builder(&[intake::SERVICE]).identified().open().await;
    let (ours, theirs) = (submit(&house, "tenant-a").await, submit(&house, "tenant-b").await);
    let mut portal = FormServiceClient::new(house.channel_as("tenant-a", "portal", &["channel"]));
    let slip = format!("{}0", ours.receipt_code);
    for _ in 0..10 {
        for code in [&theirs.receipt_code, &slip] {
            let refusal = portal.add_information(by_code(code)).await.unwrap_err();
            assert_eq!((refusal.code(), reason(&refusal).as_str()), (Code::NotFound, "RECEIPT_CODE_UNKNOWN"));
        }
    }
    let refusal = portal.add_information(by_code(&theirs.receipt_code)).await.unwrap_err();
    assert_eq!((refusal.code(), reason(&refusal).as_str()), (Code::ResourceExhausted, "TOO_MANY_GUESSES"));
    portal.add_information(by_code(&ours.receipt_code)).await.expect("a right code is always taken");
    house.done().await;
}
