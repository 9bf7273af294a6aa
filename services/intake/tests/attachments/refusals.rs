//! What is not taken in: parts that do not fit, contents that are not what they were said
//! to be.

use proto::redress::intake::v1::{
    AttachmentRefusal, AttachmentState, CreateAttachmentRequest, UploadAttachmentRequest,
};
use testkit::{House, violations};
use tonic::Code;

use super::{Client, announcement, chunks, create, fetch, get, parts, picture, refused, send, sha256, used};

#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_does_not_fit_is_refused_and_what_is_kept_stays() {
    let house = House::open(&[intake::SERVICE]).await;
    let client = Client::new(house.channel());
    let bytes = picture(400_000, 1);
    let id = create(&client, announcement(&bytes)).await.unwrap().attachment_id;
    let part = |offset: i64, data: &[u8]| UploadAttachmentRequest {
        attachment_id: id.clone(),
        offset,
        data: data.to_vec(),
    };
    let other = UploadAttachmentRequest { attachment_id: testkit::request_id(), ..part(10, &[1]) };
    for (wrong, fields) in [
        (vec![part(1, &bytes)], vec!["offset"]),
        (vec![part(0, &bytes[..10]), part(11, &bytes)], vec!["offset"]),
        (vec![part(-1, &bytes)], vec!["offset"]),
        (vec![part(0, &bytes), part(400_000, &[1])], vec!["data"]),
        (vec![part(0, &vec![0; 1_048_577])], vec!["data"]),
        (vec![part(0, &bytes[..10]), other], vec!["attachment_id"]),
        (vec![], vec!["attachment_id"]),
    ] {
        let refusal = send(&client, wrong).await.expect_err("it does not fit");
        assert_eq!(refusal.code(), Code::InvalidArgument);
        assert_eq!(
            (testkit::reason(&refusal).as_str(), violations(&refusal)),
            ("INVALID_UPLOAD", fields.into_iter().map(str::to_owned).collect())
        );
    }
    // The fourth sent all of it before what was too much.
    let kept = get(&client, &id).await.unwrap();
    assert_eq!((kept.state(), kept.received_bytes), (AttachmentState::Receiving, 400_000));
    let done = send(&client, vec![part(400_000, &[])]).await.unwrap();
    assert_eq!((done.state(), done.sha256), (AttachmentState::Ready, sha256(&bytes)));
    let unknown = UploadAttachmentRequest { attachment_id: testkit::request_id(), ..Default::default() };
    let unknown = refused(send(&client, vec![unknown]).await);
    assert!(["INVALID_UPLOAD", "ATTACHMENT_NOT_FOUND"].contains(&unknown.1.as_str()), "{unknown:?}");
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_what_it_was_said_to_be_is_refused_for_good_and_takes_no_quota() {
    let house = House::open(&[intake::SERVICE]).await;
    let client = Client::new(house.channel());
    let bytes = picture(300_000, 1);
    let program = [b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0".as_slice(), &[0; 900]].concat();
    let page = b"<!DOCTYPE html><html><script>alert(1)</script></html>".to_vec();
    let cases = [
        (
            CreateAttachmentRequest { sha256: "0".repeat(64), ..announcement(&bytes) },
            &bytes,
            AttachmentRefusal::Sha256Mismatch,
            "SHA256_MISMATCH",
        ),
        (
            CreateAttachmentRequest { media_type: "image/jpeg".to_owned(), ..announcement(&bytes) },
            &bytes,
            AttachmentRefusal::MediaTypeMismatch,
            "MEDIA_TYPE_MISMATCH",
        ),
        (announcement(&program), &program, AttachmentRefusal::MediaTypeForbidden, "MEDIA_TYPE_FORBIDDEN"),
        (
            CreateAttachmentRequest { media_type: "text/plain".to_owned(), ..announcement(&page) },
            &page,
            AttachmentRefusal::MediaTypeForbidden,
            "MEDIA_TYPE_FORBIDDEN",
        ),
    ];
    for (request, content, refusal, reason) in cases {
        let id = create(&client, request).await.unwrap().attachment_id;
        for _ in 0..2 {
            let told = refused(send(&client, parts(&id, content, 0, 100_000)).await);
            assert_eq!(told, (Code::FailedPrecondition, reason.to_owned()));
        }
        let kept = get(&client, &id).await.unwrap();
        assert_eq!((kept.state(), kept.refusal()), (AttachmentState::Refused, refusal));
        let told = refused(fetch(&client, &id, 0, 0).await);
        assert_eq!(told, (Code::FailedPrecondition, "ATTACHMENT_REFUSED".to_owned()));
        assert_eq!(used(&client).await, 0, "{reason}");
    }
    // Only of the first is anything kept, until it is collected: its type was right.
    assert_eq!(chunks(&house).await, 2);
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_violation_of_an_announcement_is_told_at_once() {
    let house = House::open(&[intake::SERVICE]).await;
    let client = Client::new(house.channel());
    let wrong = CreateAttachmentRequest {
        request_id: String::new(),
        file_name: "../../etc/passwd".to_owned(),
        media_type: "application/x-executable".to_owned(),
        size_bytes: 104_857_601,
        sha256: "XYZ".to_owned(),
    };
    let refusal = create(&client, wrong).await.expect_err("it is wrong");
    assert_eq!(
        (refusal.code(), testkit::reason(&refusal).as_str()),
        (Code::InvalidArgument, "INVALID_ATTACHMENT")
    );
    assert_eq!(violations(&refusal), ["request_id", "file_name", "sha256", "media_type", "size_bytes"]);
    for name in ["", "a\nb", "a\u{0}", "a\\b"] {
        let wrong = CreateAttachmentRequest { file_name: name.to_owned(), ..announcement(b"x") };
        let refusal = create(&client, wrong).await.expect_err("it is no name");
        assert!(violations(&refusal).iter().all(|field| field == "file_name"), "{name:?}");
    }
    assert_eq!(used(&client).await, 0);
    house.done().await;
}
