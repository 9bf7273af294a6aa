//! Papers that a script sends part by part: announced, sent, and gone on with where they were
//! broken off.

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Query, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{Router, post};
use futures::stream;
use http::{HeaderName, HeaderValue, header};
use proto::redress::intake::v1::attachment_service_client::AttachmentServiceClient;
use proto::redress::intake::v1::{AttachmentState, CreateAttachmentRequest, UploadAttachmentRequest};
use serde::{Deserialize, Serialize};

use super::{Limits, Paper, named, refused, size};
use crate::app::App;
use crate::form::Posted;
use crate::form_token;
use crate::guest::{Cost, Guest};
use crate::problem::Problem;

/// Bytes of one part; a script sends no larger ones. Four of the pieces that intake keeps whole.
const PART_MAX: usize = 1 << 20;
/// The header with the token of the page that sends a part.
const TOKEN: HeaderName = HeaderName::from_static("x-redress-token");

/// Paths of papers that come part by part.
pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/complaints/papers", post(announce))
        .route("/complaints/papers/part", post(part).layer(DefaultBodyLimit::max(PART_MAX)))
}

/// What a script is told of a paper.
#[derive(Default, Serialize)]
struct Told {
    /// The paper as the form sends it; empty where it was refused.
    paper: String,
    /// Its name, for people.
    name: String,
    /// Its size, for people.
    size: String,
    /// How many bytes of it are kept: where the next part begins.
    kept: i64,
    /// Whether all of it is here.
    whole: bool,
    /// Why it was not taken; empty where it was.
    refused: String,
}

fn told(told: &Told) -> Response {
    let text = serde_json::to_string(told).unwrap_or_default();
    let kind = HeaderValue::from_static("application/json");
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}

/// Announces a paper: `name`, `media_type`, `bytes`.
async fn announce(guest: Guest, posted: Posted) -> Result<Response, Problem> {
    guest.pay(Cost::Code)?;
    let t = guest.words();
    let name = named(posted.text("name"), t);
    let limits = Limits::of(&guest.client).await?;
    let request = CreateAttachmentRequest {
        request_id: posted.request_id(),
        file_name: name.clone(),
        media_type: posted.text("media_type").to_ascii_lowercase(),
        size_bytes: posted.number("bytes").unwrap_or_default(),
        sha256: String::new(),
    };
    let mut attachments = AttachmentServiceClient::new(guest.client.calls());
    let created = attachments.create_attachment(request).await.map_err(Problem::from);
    let answer = match created {
        Ok(created) => {
            let attachment = created.into_inner().attachment.unwrap_or_default();
            let kept = attachment.received_bytes;
            let paper = Paper::of(attachment, &guest);
            Told { paper: paper.sealed(&guest), size: size(paper.bytes), name, kept, ..Told::default() }
        }
        Err(problem) if problem.is_undecided() => return Err(problem),
        Err(problem) => Told { refused: refused(&problem, &name, &limits, t), name, ..Told::default() },
    };
    Ok(told(&answer))
}

/// Which part it is.
#[derive(Deserialize)]
struct Part {
    paper: String,
    offset: i64,
}

/// Takes a part; the answer says where the next one begins. A part without bytes only asks.
async fn part(
    State(app): State<App>,
    guest: Guest,
    Query(part): Query<Part>,
    headers: http::HeaderMap,
    data: Bytes,
) -> Result<Response, Problem> {
    let token = headers.get(TOKEN).and_then(|token| token.to_str().ok()).unwrap_or_default();
    if !form_token::is_of(&app.seals, &guest.visitor.session.id, token) {
        return Err(Problem::form_expired());
    }
    let paper =
        Paper::opened(&part.paper, &guest).ok_or_else(|| Problem::unreadable("no paper of this session"))?;
    let message =
        UploadAttachmentRequest { attachment_id: paper.id.clone(), offset: part.offset, data: data.to_vec() };
    let mut attachments = AttachmentServiceClient::new(guest.client.calls());
    let uploaded = attachments.upload_attachment(stream::iter([message])).await.map_err(Problem::from);
    let (name, size) = (paper.name.clone(), paper.size());
    let answer = match uploaded {
        Ok(uploaded) => {
            let attachment = uploaded.into_inner().attachment.unwrap_or_default();
            let whole = matches!(attachment.state(), AttachmentState::Scanning | AttachmentState::Ready);
            Told {
                paper: part.paper,
                name,
                size,
                kept: attachment.received_bytes,
                whole,
                refused: String::new(),
            }
        }
        Err(problem) if problem.is_undecided() => return Err(problem),
        Err(problem) => {
            let limits = Limits::of(&guest.client).await?;
            let refused = refused(&problem, &name, &limits, guest.words());
            Told { name, size, refused, ..Told::default() }
        }
    };
    Ok(told(&answer))
}
