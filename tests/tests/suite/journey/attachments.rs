//! A complainant sends pictures of what is broken; of two, one is the wrong one.

use futures::stream;
use proto::redress::intake::v1::attachment_service_client::AttachmentServiceClient;
use proto::redress::intake::v1::form_service_client::FormServiceClient;
use proto::redress::intake::v1::{
    AddInformationRequest, Attachment, AttachmentState, CreateAttachmentRequest, DeleteAttachmentRequest,
    DownloadAttachmentRequest, Evidence, GetAttachmentSettingsRequest, InformationSource,
    UpdateAttachmentSettingsRequest, UploadAttachmentRequest,
};
use testkit::request_id;

use super::scene::Scene;

const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR and so on";

/// One picture is added to the complaint, the other is deleted.
pub(crate) async fn sent(scene: &Scene, complaint_id: &str) {
    let (kept, wrong) = (uploaded(scene, "cup.png").await, uploaded(scene, "cat.png").await);
    let request = DeleteAttachmentRequest { request_id: request_id(), attachment_id: wrong.attachment_id };
    AttachmentServiceClient::new(scene.line("supervisor")).delete_attachment(request).await.unwrap();

    let evidence = Evidence { attachment_id: kept.attachment_id.clone(), ..Evidence::default() };
    let request = AddInformationRequest {
        request_id: request_id(),
        complaint_id: complaint_id.to_owned(),
        source: InformationSource::Complainant.into(),
        evidence: vec![evidence],
        ..AddInformationRequest::default()
    };
    FormServiceClient::new(scene.line("supervisor")).add_information(request).await.unwrap();
    scene.settled().await;
    let noted = scene.timeline(complaint_id).await;
    assert_eq!(
        noted.last().unwrap().text,
        "the complainant added a piece of evidence (the form is 100 % complete)"
    );

    let request = DownloadAttachmentRequest { attachment_id: kept.attachment_id, offset: 0, length: 0 };
    let mut attachments = AttachmentServiceClient::new(scene.line("supervisor"));
    let mut parts = attachments.download_attachment(request).await.unwrap().into_inner();
    let head = parts.message().await.unwrap().unwrap();
    assert_eq!(head.attachment.unwrap().complaint_id, complaint_id);
    assert_eq!(parts.message().await.unwrap().unwrap().data, PICTURE);
}

async fn uploaded(scene: &Scene, file_name: &str) -> Attachment {
    let mut attachments = AttachmentServiceClient::new(scene.line("supervisor"));
    let request = CreateAttachmentRequest {
        request_id: request_id(),
        file_name: file_name.to_owned(),
        media_type: "image/png".to_owned(),
        size_bytes: i64::try_from(PICTURE.len()).unwrap(),
        sha256: String::new(),
    };
    let created = attachments.create_attachment(request).await.unwrap().into_inner().attachment.unwrap();
    let part =
        UploadAttachmentRequest { attachment_id: created.attachment_id, offset: 0, data: PICTURE.to_vec() };
    let done = attachments.upload_attachment(stream::iter([part])).await.unwrap().into_inner();
    let done = done.attachment.unwrap();
    assert_eq!(done.state(), AttachmentState::Ready);
    done
}

/// The tenant lets no file be larger than a picture needs.
pub(crate) async fn limited(scene: &Scene) {
    let mut attachments = AttachmentServiceClient::new(scene.line("supervisor"));
    let read = attachments.get_attachment_settings(GetAttachmentSettingsRequest {}).await.unwrap();
    let mut settings = read.into_inner().settings.unwrap();
    settings.max_size_bytes = 20 << 20;
    let request = UpdateAttachmentSettingsRequest {
        request_id: request_id(),
        expected_version: Some(settings.version),
        settings: Some(settings),
    };
    let changed = attachments.update_attachment_settings(request).await.unwrap().into_inner();
    assert_eq!(changed.settings.unwrap().version, 1);
}
