//! A form with its papers, as a browser sends it without scripts.

use axum::extract::{FromRequest as _, Multipart, Request};
use client::Client;
use proto::redress::intake::v1::attachment_service_client::AttachmentServiceClient;
use proto::redress::intake::v1::{AttachmentState, CreateAttachmentRequest};
use sha2::{Digest as _, Sha256};

use super::spool::{Spooled, hexadecimal};
use super::{Limits, PAPER, PAPERS_MAX, Paper, named, refused};
use crate::app::App;
use crate::form::{BYTES_MAX, Posted, TOKEN};
use crate::guest::{Cost, Guest};
use crate::problem::Problem;

/// How long a paper may take to intake, which is near.
const PATIENCE: std::time::Duration = std::time::Duration::from_mins(1);
/// Longest that a form with papers may have fields beside them.
const FIELDS_MAX: usize = 500;

/// A form that was sent, and its papers: those that were here before and are still ticked,
/// and those that came now.
pub(crate) struct Sent {
    /// Its fields.
    pub(crate) posted: Posted,
    /// Its papers; intake has them.
    pub(crate) papers: Vec<Paper>,
    /// What was not taken, and why, in the words of the page.
    pub(crate) refused: Vec<String>,
}

/// Takes in a form of ours, with or without papers.
pub(crate) async fn receive(
    request: Request,
    app: &App,
    guest: &Guest,
    limits: &Limits,
) -> Result<Sent, Problem> {
    let kind = request.headers().get(http::header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    if !kind.is_some_and(|kind| kind.starts_with("multipart/form-data")) {
        let posted = Posted::from_request(request, app).await?;
        return Ok(with_kept(posted, guest));
    }
    let multipart = Multipart::from_request(request, app).await;
    let mut multipart = multipart.map_err(|refused| Problem::unreadable(&refused.body_text()))?;
    let (mut fields, mut files) = (Vec::new(), Vec::new());
    let (mut text_bytes, mut too_many) = (0, 0);
    let mut is_ours = false;
    loop {
        let next = multipart.next_field().await;
        let Some(field) = next.map_err(|refused| Problem::unreadable(&refused.body_text()))? else { break };
        let name = field.name().unwrap_or_default().to_owned();
        if field.file_name().is_some() {
            // Nothing is read before the token is, which stands first.
            if !is_ours {
                return Err(Problem::form_expired());
            }
            let file = Spooled::take(field, limits.bytes).await?;
            // A field of files that nobody chose one for has an empty one.
            match (file.name.is_empty() && file.bytes == 0, files.len() < PAPERS_MAX) {
                (true, _) => {}
                (false, true) => files.push(file),
                (false, false) => too_many += 1,
            }
            continue;
        }
        let value = field.text().await.map_err(|refused| Problem::unreadable(&refused.body_text()))?;
        text_bytes += value.len() + name.len();
        if text_bytes > BYTES_MAX || fields.len() >= FIELDS_MAX {
            return Err(Problem::unreadable("too many fields, or too long ones"));
        }
        if name == TOKEN {
            is_ours = crate::form_token::is_of(&app.seals, &guest.visitor.session.id, value.trim());
        }
        fields.push((name, value));
    }
    if !is_ours {
        return Err(Problem::form_expired());
    }
    let mut sent = with_kept(Posted::of(fields), guest);
    let t = guest.words();
    let request_id = sent.posted.request_id();
    for file in files {
        guest.pay(Cost::Code)?;
        let name = named(&file.name, t);
        if file.bytes > limits.bytes {
            let why = t.paper_size_refused(super::size(limits.bytes));
            sent.refused.push(t.paper_refused(name, why));
            continue;
        }
        match hand_over(file, &name, &request_id, guest).await {
            Ok(paper) => sent.papers.push(paper),
            Err(problem) => sent.refused.push(refused(&problem, &name, limits, t)),
        }
    }
    // The same file chosen twice is one paper.
    sent.papers.dedup_by(|one, other| one.id == other.id);
    if too_many > 0 || sent.papers.len() > PAPERS_MAX {
        sent.papers.truncate(PAPERS_MAX);
        sent.refused.push(t.paper_too_many(PAPERS_MAX));
    }
    Ok(sent)
}

fn with_kept(posted: Posted, guest: &Guest) -> Sent {
    let papers = posted.all(PAPER).filter_map(|sealed| Paper::opened(sealed, guest)).collect();
    Sent { posted, papers, refused: Vec::new() }
}

/// Gives a paper to intake. The same one of the same form is the same attachment, however
/// often the form is sent.
async fn hand_over(file: Spooled, name: &str, form: &str, guest: &Guest) -> Result<Paper, Problem> {
    let client: Client = guest.client.within(PATIENCE);
    let mut attachments = AttachmentServiceClient::new(client.calls());
    let request = CreateAttachmentRequest {
        request_id: key(form, name, &file.sha256, &file.media_type),
        file_name: name.to_owned(),
        media_type: file.media_type.clone(),
        size_bytes: file.bytes,
        sha256: file.sha256.clone(),
    };
    let created = attachments.create_attachment(request).await?.into_inner();
    let attachment = created.attachment.ok_or_else(|| Problem::broken("no attachment was created"))?;
    let is_whole =
        |state: AttachmentState| matches!(state, AttachmentState::Scanning | AttachmentState::Ready);
    if is_whole(attachment.state()) {
        return Ok(Paper::of(attachment, guest));
    }
    let parts = file.parts(attachment.attachment_id, attachment.received_bytes).await?;
    let uploaded = tokio::time::timeout(PATIENCE, attachments.upload_attachment(parts)).await;
    let uploaded = uploaded.map_err(|_| Problem::own(tonic::Code::DeadlineExceeded, "UPLOAD_TOO_SLOW"))??;
    let attachment = uploaded.into_inner().attachment.unwrap_or_default();
    if !is_whole(attachment.state()) {
        return Err(Problem::broken("a paper did not arrive whole"));
    }
    Ok(Paper::of(attachment, guest))
}

fn key(form: &str, name: &str, sha256: &str, media_type: &str) -> String {
    let mut digest = Sha256::new();
    for part in [form, name, sha256, media_type] {
        digest.update(part.len().to_be_bytes());
        digest.update(part);
    }
    hexadecimal(&digest.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_paper_of_the_same_form_has_the_same_key() {
        let one = key("form", "cup.jpg", "ab", "image/jpeg");
        assert_eq!(one, key("form", "cup.jpg", "ab", "image/jpeg"));
        assert_eq!(one.len(), 64);
        for other in [key("other", "cup.jpg", "ab", "image/jpeg"), key("form", "cup.jp", "gab", "image/jpeg")]
        {
            assert_ne!(one, other);
        }
    }
}
