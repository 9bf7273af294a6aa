//! Answers of calls, written as they were asked for.

use std::pin::pin;
use std::sync::Arc;

use bytes::Bytes;
use fault::Fault;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, TRAILER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use http_body_util::BodyExt as _;
use tonic::body::Body;
use tonic::{Code, Status};
use transcoding::status::{Outcome, http_status, retry_after};

use super::files;
use super::frames::Frames;
use super::plain;
use super::read::HEAVY;
use super::spoken::{Dialect, Encoding, Form, Spoken, broken_off, outcome};
use super::{streamed, webhooks};
use crate::blocking::aside;

/// What the headers of gRPC begin with: not for who speaks something else.
const GRPC: &str = "grpc-";

/// Writes an answer; of a stream, its beginning.
pub(crate) async fn write(response: Response<Body>, spoken: Arc<Spoken>) -> Response<Body> {
    let (parts, body) = response.into_parts();
    let told = parts.headers.get("grpc-status").and_then(|_| Status::from_header_map(&parts.headers));
    let failed = told.filter(|status| status.code() != Code::Ok).map(|status| outcome(&status));
    let mut written = match (&spoken.dialect, failed) {
        (Dialect::Stream(encoding), Some(failed)) => {
            streamed::ended_at_once(&spoken.contracts, *encoding, &failed)
        }
        (_, Some(failed)) => error(&spoken, &failed),
        (Dialect::Rest(call), None) if call.form == Form::Object => one(&spoken, body).await,
        (Dialect::Unary(_) | Dialect::Upload(_) | Dialect::Webhook(_) | Dialect::Challenge(_), None) => {
            one(&spoken, body).await
        }
        (Dialect::File(wanted), None) => match files::answer(&wanted.asked, body).await {
            Ok(file) => file,
            Err(status) => error(&spoken, &outcome(&status)),
        },
        (Dialect::Rest(call), None) if call.is_head => streamed::begun(&spoken, Body::empty()),
        (Dialect::Rest(_) | Dialect::Stream(_), None) => streamed::begun(&spoken, body),
    };
    keep(&parts.headers, written.headers_mut());
    written
}

/// The headers of the answer that are not of gRPC.
fn keep(answered: &HeaderMap, written: &mut HeaderMap) {
    for (name, value) in answered {
        let is_grpcs =
            name.as_str().starts_with(GRPC) || [CONTENT_TYPE, CONTENT_LENGTH, TRAILER].contains(name);
        if !is_grpcs {
            written.append(name, value.clone());
        }
    }
}

/// The answer of a call that has one message.
async fn one(spoken: &Spoken, body: Body) -> Response<Body> {
    let written = match message(body).await {
        Ok(message) => aside(message.len() > HEAVY, || json(spoken, &message)),
        Err(failed) => return error(spoken, &failed),
    };
    match written {
        Ok(response) => response,
        Err(fault) => error(spoken, &outcome(&Status::from(fault))),
    }
}

fn json(spoken: &Spoken, message: &Bytes) -> Result<Response<Body>, Fault> {
    let is_head = matches!(&spoken.dialect, Dialect::Rest(call) if call.is_head);
    if matches!(spoken.dialect, Dialect::Unary(Encoding::Proto)) {
        let mut response = plain::json(StatusCode::OK, message.clone(), false);
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/proto"));
        return Ok(response);
    }
    if matches!(spoken.dialect, Dialect::Challenge(_)) {
        return webhooks::answered(message);
    }
    let json = transcoding::answer(&spoken.rpc().output, message).map_err(Fault::internal)?;
    // What is posted is kept, and looked at later.
    let is_posted = matches!(spoken.dialect, Dialect::Webhook(_));
    let status = if is_posted { StatusCode::ACCEPTED } else { StatusCode::OK };
    Ok(plain::json(status, json, is_head))
}

/// The message of an answer that is whole.
async fn message(body: Body) -> Result<Bytes, Outcome> {
    let (mut frames, mut body) = (Frames::default(), pin!(body));
    let mut ended = None;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|status| outcome(&status))?;
        match frame.into_data() {
            Ok(bytes) => frames.push(&bytes),
            Err(frame) => ended = frame.trailers_ref().and_then(Status::from_header_map),
        }
    }
    let ended = ended.ok_or_else(broken_off)?;
    if ended.code() != Code::Ok {
        return Err(outcome(&ended));
    }
    // How large it may be was decided where it was written.
    match frames.next(usize::MAX) {
        Ok(Some((0, message))) => Ok(message),
        _ => Err(broken_off()),
    }
}

fn error(spoken: &Spoken, failed: &Outcome) -> Response<Body> {
    let pool = spoken.contracts.pool();
    if matches!(spoken.dialect, Dialect::Challenge(_)) {
        return webhooks::unanswered(failed.code, retry_after(failed, pool));
    }
    let (body, is_head) = match &spoken.dialect {
        Dialect::Rest(call) => (failed.to_json(pool), call.is_head),
        Dialect::Upload(_) | Dialect::Webhook(_) => (failed.to_json(pool), false),
        Dialect::File(wanted) => (failed.to_json(pool), wanted.asked.is_head()),
        Dialect::Unary(_) | Dialect::Stream(_) | Dialect::Challenge(_) => (failed.to_connect(pool), false),
    };
    let status = http_status(failed.code);
    let mut response = plain::json(status, body.to_string(), is_head);
    let headers = response.headers_mut();
    if let Some(seconds) = retry_after(failed, pool) {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    if status == StatusCode::UNAUTHORIZED && !matches!(spoken.dialect, Dialect::Webhook(_)) {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}
