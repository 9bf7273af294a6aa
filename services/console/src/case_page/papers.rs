//! Fetches a paper of a complaint. It is what somebody sent: a browser saves it, and never shows
//! it as a page of ours.

use axum::body::Body;
use axum::extract::Path;
use axum::response::Response;
use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream::once;
use http::{HeaderValue, header};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proto::redress::intake::v1::DownloadAttachmentRequest;
use proto::redress::intake::v1::attachment_service_client::AttachmentServiceClient;

use crate::problem::Problem;
use crate::session::Visitor;

/// Streams a paper; only one of this case's complaint.
pub(super) async fn fetch(
    visitor: Visitor,
    Path((case, attachment_id)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let client = visitor.client()?;
    let request = DownloadAttachmentRequest { attachment_id, ..DownloadAttachmentRequest::default() };
    let mut parts =
        AttachmentServiceClient::new(client.calls()).download_attachment(request).await?.into_inner();
    let first = parts.message().await?.ok_or_else(Problem::not_found)?;
    let paper = first.attachment.filter(|paper| paper.complaint_id == case).ok_or_else(Problem::not_found)?;
    let rest = parts.map(|part| part.map(|part| Bytes::from(part.data)));
    let mut answer =
        Response::new(Body::from_stream(once(async { Ok(Bytes::from(first.data)) }).chain(rest)));
    let name = utf8_percent_encode(&paper.file_name, NON_ALPHANUMERIC);
    let disposition = HeaderValue::from_str(&format!("attachment; filename*=UTF-8''{name}"));
    let kind = HeaderValue::from_static("application/octet-stream");
    answer.headers_mut().insert(header::CONTENT_TYPE, kind);
    if let Ok(disposition) = disposition {
        answer.headers_mut().insert(header::CONTENT_DISPOSITION, disposition);
    }
    Ok(answer)
}
