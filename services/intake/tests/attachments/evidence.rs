//! Complaints, and what is added to them, that refer to attachments.

use futures::future::join_all;
use proto::redress::intake::v1::form_service_client::FormServiceClient;
use proto::redress::intake::v1::intake_service_client::IntakeServiceClient;
use proto::redress::intake::v1::row_verdict::Verdict;
use proto::redress::intake::v1::{
    AddInformationRequest, Channel, Complaint, ComplaintRegistered, DeleteAttachmentRequest, Evidence,
    GetInformationRequest, InformationAdded, InformationSource, ListAttachmentsRequest,
    SubmitComplaintRequest, SubmitComplaintResponse, SubmitComplaintsRequest,
};
use testkit::{House, reason, request_id, violations};
use tonic::{Code, Status};

use super::{Client, announcement, create, get, picture, refused, sha256, uploaded};

/// A complaint that offers these attachments as proof.
pub(super) fn complaint_with(external_ref: &str, attachments: &[&str]) -> Complaint {
    let evidence = |id: &&str| Evidence {
        kind: "photograph".to_owned(),
        attachment_id: (*id).to_owned(),
        ..Evidence::default()
    };
    Complaint {
        channel: Channel::Web.into(),
        external_ref: external_ref.to_owned(),
        subject: "The parcel came broken".to_owned(),
        description: "One cup is in pieces.".to_owned(),
        language: "en".to_owned(),
        evidence: attachments.iter().map(evidence).collect(),
        ..Complaint::default()
    }
}

fn submission(complaint: Complaint) -> SubmitComplaintRequest {
    SubmitComplaintRequest { request_id: request_id(), complaint: Some(complaint) }
}

async fn submit(house: &House, request: SubmitComplaintRequest) -> Result<SubmitComplaintResponse, Status> {
    Ok(IntakeServiceClient::new(house.channel()).submit_complaint(request).await?.into_inner())
}

/// The attachments of a complaint, page by page.
async fn listed(client: &Client, complaint_id: &str) -> Vec<String> {
    let (mut ids, mut page_token) = (Vec::new(), String::new());
    loop {
        let request =
            ListAttachmentsRequest { page_size: 1, page_token, complaint_id: complaint_id.to_owned() };
        let answer = client.clone().list_attachments(request).await.expect("listed").into_inner();
        ids.extend(answer.attachments.into_iter().map(|one| one.attachment_id));
        page_token = answer.next_page_token;
        if page_token.is_empty() {
            return ids;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_complaint_has_the_attachments_it_refers_to_and_says_what_they_are() {
    let house = House::open(&[intake::SERVICE]).await;
    let client = Client::new(house.channel());
    let (first, second) =
        (uploaded(&client, &picture(300, 1)).await, uploaded(&client, &picture(300, 2)).await);
    let ids = [first.attachment_id.as_str(), &second.attachment_id];
    let request = submission(complaint_with("", &ids));
    let answer = submit(&house, request.clone()).await.unwrap();
    assert_eq!(
        submit(&house, request).await.unwrap(),
        answer,
        "told twice, it is answered as the first time"
    );
    assert_eq!(get(&client, ids[0]).await.unwrap().complaint_id, answer.complaint_id);
    assert_eq!(listed(&client, &answer.complaint_id).await, ids);
    let published: Vec<ComplaintRegistered> = house.published("intake").await;
    let told = &published[0].complaint.as_ref().unwrap().evidence;
    assert_eq!(told[1].sha256, sha256(&picture(300, 2)));

    let other =
        submit(&house, submission(complaint_with("", &ids[..1]))).await.expect_err("it has its owner");
    assert_eq!((other.code(), reason(&other).as_str()), (Code::InvalidArgument, "INVALID_COMPLAINT"));
    assert_eq!(violations(&other), ["complaint.evidence[0].attachment_id"]);
    let delete = DeleteAttachmentRequest { request_id: request_id(), attachment_id: ids[0].to_owned() };
    let kept = refused(client.clone().delete_attachment(delete).await);
    assert_eq!(kept, (Code::FailedPrecondition, "ATTACHMENT_REFERRED_TO".to_owned()));
    let nobody = ListAttachmentsRequest { complaint_id: first.attachment_id, ..Default::default() };
    let nobody = refused(client.clone().list_attachments(nobody).await);
    assert_eq!(nobody, (Code::NotFound, "COMPLAINT_NOT_FOUND".to_owned()));
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_is_wrong_with_the_evidence_is_told_at_once() {
    let house = House::open(&[intake::SERVICE]).await;
    let client = Client::new(house.channel());
    let done = uploaded(&client, &picture(300, 1)).await.attachment_id;
    let unfinished = create(&client, announcement(&picture(300, 2))).await.unwrap().attachment_id;
    let unknown = "01890000-0000-7000-8000-000000000000";
    let mut complaint = complaint_with("", &[unknown, &unfinished, &done, "what?", &done]);
    complaint.subject = String::new();
    complaint.evidence[2].sha256 = "0".repeat(64);
    complaint.evidence[4].uri = "https://example.org/cup.png".to_owned();
    complaint.evidence.push(Evidence::default());
    let refusal = submit(&house, submission(complaint)).await.expect_err("it is wrong");
    let told = [
        "complaint.subject",
        "complaint.evidence[4].uri",
        "complaint.evidence[3].attachment_id",
        "complaint.evidence[5].uri",
        "complaint.evidence[0].attachment_id",
        "complaint.evidence[1].attachment_id",
        "complaint.evidence[2].sha256",
    ];
    let (mut fields, mut told) = (violations(&refusal), told.map(str::to_owned).to_vec());
    fields.sort_unstable();
    told.sort_unstable();
    assert_eq!(fields, told);
    assert_eq!(get(&client, &done).await.unwrap().complaint_id, "", "nothing was given away");
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_complaint_told_again_by_its_channel_has_its_attachments_already() {
    let house = House::open(&[intake::SERVICE]).await;
    let client = Client::new(house.channel());
    let bytes = picture(300, 1);
    let id = uploaded(&client, &bytes).await.attachment_id;
    let first = submit(&house, submission(complaint_with("T-1", &[&id]))).await.unwrap();
    let request = submission(complaint_with("T-1", &[&id]));
    for _ in 0..2 {
        let again = submit(&house, request.clone()).await.unwrap();
        assert_eq!(again, SubmitComplaintResponse { already_registered: true, ..first.clone() });
    }
    // Uploaded anew, it is the same proof; the copy is nobody's.
    let copy = uploaded(&client, &bytes).await.attachment_id;
    let again = submit(&house, submission(complaint_with("T-1", &[&copy]))).await.unwrap();
    assert_eq!(again, SubmitComplaintResponse { already_registered: true, ..first });
    assert_eq!(get(&client, &copy).await.unwrap().complaint_id, "");
    let elsewhere = submit(&house, submission(complaint_with("T-2", &[&id]))).await.expect_err("another's");
    assert_eq!(violations(&elsewhere), ["complaint.evidence[0].attachment_id"]);
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_want_one_attachment_at_once_one_gets_it() {
    let house = House::open(&[intake::SERVICE]).await;
    let replica = house.replica(&[intake::SERVICE]).await;
    let client = Client::new(house.channel());
    for number in 0..5 {
        let id = uploaded(&client, &picture(300, number)).await.attachment_id;
        let submit = |at: usize| {
            let line = if at.is_multiple_of(2) { house.channel() } else { replica.channel() };
            let request = submission(complaint_with("", &[&id]));
            async move { IntakeServiceClient::new(line).submit_complaint(request).await }
        };
        let answers = join_all((0..10).map(submit)).await;
        let (mut owners, mut others) = (Vec::new(), 0);
        for answer in answers {
            match answer {
                Ok(answer) => owners.push(answer.into_inner().complaint_id),
                Err(status) => {
                    assert_eq!(violations(&status), ["complaint.evidence[0].attachment_id"], "{status:?}");
                    others += 1;
                }
            }
        }
        assert_eq!((owners.len(), others), (1, 9));
        assert_eq!(get(&client, &id).await.unwrap().complaint_id, owners[0]);
    }
    let registered: Vec<ComplaintRegistered> = house.published("intake").await;
    assert_eq!(registered.len(), 5);
    replica.done().await;
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_an_import_refer_to_attachments_each_for_itself() {
    let house = House::open(&[intake::SERVICE]).await;
    let client = Client::new(house.channel());
    let (one, two) = (uploaded(&client, &picture(300, 1)).await, uploaded(&client, &picture(300, 2)).await);
    let unknown = "01890000-0000-7000-8000-000000000000";
    let rows: Vec<_> = [one.attachment_id.as_str(), unknown, &two.attachment_id]
        .iter()
        .map(|id| submission(complaint_with("", &[id])))
        .map(|SubmitComplaintRequest { request_id, complaint }| SubmitComplaintsRequest {
            request_id,
            complaint,
        })
        .collect();
    let mut intake = IntakeServiceClient::new(house.channel());
    let answer = intake.submit_complaints(futures::stream::iter(rows)).await.unwrap().into_inner();
    let told: Vec<bool> =
        answer.verdicts.iter().map(|row| matches!(row.verdict, Some(Verdict::Registered(_)))).collect();
    assert_eq!(told, [true, false, true]);
    for id in [&one.attachment_id, &two.attachment_id] {
        assert_ne!(get(&client, id).await.unwrap().complaint_id, "");
    }
    house.done().await;
}

fn addition(complaint_id: &str, attachments: &[&str]) -> AddInformationRequest {
    AddInformationRequest {
        request_id: request_id(),
        complaint_id: complaint_id.to_owned(),
        source: InformationSource::Complainant.into(),
        evidence: complaint_with("", attachments).evidence,
        ..AddInformationRequest::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_added_later_brings_attachments_of_its_own_or_the_complaints() {
    let house = House::open(&[intake::SERVICE]).await;
    let client = Client::new(house.channel());
    let mut forms = FormServiceClient::new(house.channel());
    let (one, two) = (uploaded(&client, &picture(300, 1)).await, uploaded(&client, &picture(300, 2)).await);
    let complaint = submit(&house, submission(complaint_with("", &[&one.attachment_id]))).await.unwrap();
    let id = complaint.complaint_id.as_str();
    let request = addition(id, &[&one.attachment_id, &two.attachment_id]);
    let added = forms.add_information(request.clone()).await.unwrap().into_inner().addition.unwrap();
    let again = forms.add_information(request).await.unwrap().into_inner().addition.unwrap();
    assert_eq!(again, added);
    assert_eq!(added.evidence[1].sha256, sha256(&picture(300, 2)));
    assert_eq!(listed(&client, id).await, [one.attachment_id.as_str(), &two.attachment_id]);
    let read = forms.get_information(GetInformationRequest { complaint_id: id.to_owned() }).await.unwrap();
    assert_eq!(read.into_inner().additions, std::slice::from_ref(&added));
    let told: Vec<InformationAdded> = house.published("intake").await;
    assert_eq!((told.len(), &told[0].evidence), (1, &added.evidence));

    let other = submit(&house, submission(complaint_with("", &[]))).await.unwrap();
    let unfinished = create(&client, announcement(&picture(300, 3))).await.unwrap().attachment_id;
    let mut wrong = addition(&other.complaint_id, &[&one.attachment_id, &unfinished]);
    wrong.form_data = r#"{"a": 1}"#.to_owned();
    let refusal = forms.add_information(wrong).await.expect_err("it is wrong");
    assert_eq!(reason(&refusal), "INVALID_INFORMATION");
    let fields = ["evidence[0].attachment_id", "evidence[1].attachment_id", "form_data"];
    assert_eq!(violations(&refusal), fields);
    house.done().await;
}
