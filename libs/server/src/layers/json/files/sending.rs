//! A file as the answer to whoever asked for it: a browser is to save it, and to believe
//! nothing else of it.

use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use fault::{Fault, Kind};
use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE,
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::BodyExt as _;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use prost::Message as _;
use proto::redress::intake::v1::{Attachment, DownloadAttachmentResponse};
use tonic::body::Body;
use tonic::{Code, Status};

use crate::file_request::{FilePart, FileRequest, tag};
use crate::layers::json::frames::Frames;
use crate::layers::json::plain;

/// What may stand in a parameter's value as it is (RFC 8187).
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');
const UNKNOWN_TYPE: HeaderValue = HeaderValue::from_static("application/octet-stream");
/// Should it be shown all the same, it does nothing and loads nothing.
const POLICY: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; sandbox");

/// The answer that a stream of its parts comes to. What the stream is refused with before it
/// has begun is for the caller to write.
pub(crate) async fn answer(asked: &FileRequest, body: Body) -> Result<Response<Body>, Status> {
    let (mut body, mut frames) = (body, Frames::default());
    let first = first(&mut body, &mut frames).await?;
    let file = first.attachment.ok_or_else(broken_off)?;
    let part = asked.part(file.size_bytes, &tag(&file.sha256));
    let (status, (from, to)) = match part {
        FilePart::Whole => (StatusCode::OK, (0, file.size_bytes)),
        FilePart::Range(from, to) => (StatusCode::PARTIAL_CONTENT, (from, to)),
        FilePart::Nothing => {
            drained(body).await;
            return Ok(unsatisfiable(file.size_bytes));
        }
    };
    let left = u64::try_from(to - from).unwrap_or_default();
    let body = if asked.is_head() {
        drained(body).await;
        Body::empty()
    } else {
        Body::new(FileBody { body: Some(body), frames, left, last: None })
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    describe(&file, response.headers_mut());
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(left));
    if status == StatusCode::PARTIAL_CONTENT {
        let range = format!("bytes {from}-{}/{}", to - 1, file.size_bytes);
        set(response.headers_mut(), CONTENT_RANGE, &range);
    }
    Ok(response)
}

fn describe(file: &Attachment, headers: &mut HeaderMap) {
    let media_type = HeaderValue::from_str(&file.media_type).unwrap_or(UNKNOWN_TYPE);
    headers.insert(CONTENT_TYPE, media_type);
    set(headers, CONTENT_DISPOSITION, &disposition(&file.file_name));
    set(headers, ETAG, &tag(&file.sha256));
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
}

/// That it is to be saved, and as what. Whatever the name is, it ends no header.
fn disposition(file_name: &str) -> String {
    format!("attachment; filename*=UTF-8''{}", utf8_percent_encode(file_name, PLAIN))
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

fn unsatisfiable(size: i64) -> Response<Body> {
    let fault = Fault::new(Kind::Invalid, "INVALID_DOWNLOAD", format!("the file has {size} bytes"));
    let mut response = plain::refused(StatusCode::RANGE_NOT_SATISFIABLE, fault);
    set(response.headers_mut(), CONTENT_RANGE, &format!("bytes */{size}"));
    response
}

/// The first message: what it is.
async fn first(body: &mut Body, frames: &mut Frames) -> Result<DownloadAttachmentResponse, Status> {
    loop {
        if let Some((_, message)) = frames.next(usize::MAX)? {
            return read(message);
        }
        let frame = body.frame().await.ok_or_else(broken_off)??;
        match frame.into_data() {
            Ok(bytes) => frames.push(&bytes),
            Err(frame) => {
                let ended = frame.trailers_ref().and_then(Status::from_header_map);
                return Err(ended.filter(|status| status.code() != Code::Ok).unwrap_or_else(broken_off));
            }
        }
    }
}

/// By a token it is the same message under another name.
fn read(message: Bytes) -> Result<DownloadAttachmentResponse, Status> {
    DownloadAttachmentResponse::decode(message).map_err(|error| Fault::internal(error).into())
}

/// Hears a stream out that has nothing more to say.
async fn drained(body: Body) {
    let mut body = pin!(body);
    while let Some(Ok(_)) = body.frame().await {}
}

fn broken_off() -> Status {
    Fault::internal("a file ended before its end").into()
}

/// The bytes of a file. Where they end early, so does the connection, or the stream in it:
/// fewer bytes than were promised are never taken to be all.
struct FileBody {
    /// None once it has ended.
    body: Option<Body>,
    frames: Frames,
    /// How many are still to be read.
    left: u64,
    /// The last of them, until the stream has said that it ended well.
    last: Option<Bytes>,
}

impl FileBody {
    /// The next bytes of what is here.
    fn next(&mut self) -> Result<Option<Bytes>, Status> {
        while let Some((_, message)) = self.frames.next(usize::MAX)? {
            let data = Bytes::from(read(message)?.data);
            let length = u64::try_from(data.len()).unwrap_or(u64::MAX);
            self.left = self.left.checked_sub(length).ok_or_else(broken_off)?;
            if self.left == 0 {
                self.last = Some(data);
            } else if !data.is_empty() {
                return Ok(Some(data));
            }
        }
        Ok(None)
    }

    fn end(&mut self, ended: Option<Status>) -> Option<Result<Frame<Bytes>, Status>> {
        self.body = None;
        match self.last.take() {
            Some(last) => Some(Ok(Frame::data(last))),
            None if self.left == 0 => None,
            None => Some(Err(ended.filter(|status| status.code() != Code::Ok).unwrap_or_else(broken_off))),
        }
    }
}

impl HttpBody for FileBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        loop {
            if self.body.is_none() {
                return Poll::Ready(None);
            }
            match self.next() {
                Ok(Some(data)) => return Poll::Ready(Some(Ok(Frame::data(data)))),
                Ok(None) => {}
                Err(status) => {
                    (self.body, self.last) = (None, None);
                    return Poll::Ready(Some(Err(status)));
                }
            }
            let Some(body) = &mut self.body else { return Poll::Ready(None) };
            let ended = match ready!(Pin::new(body).poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(bytes) => {
                        self.frames.push(&bytes);
                        continue;
                    }
                    Err(frame) => frame.trailers_ref().and_then(Status::from_header_map),
                },
                Some(Err(status)) => Some(status),
                None => None,
            };
            return Poll::Ready(self.end(ended));
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        let waiting = self.last.as_ref().map_or(0, Bytes::len);
        SizeHint::with_exact(self.left + u64::try_from(waiting).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_ends_its_header() {
        let name = "a\"b\r\nSet-Cookie: x=1;\u{202e}Straße 5%.png";
        let written = disposition(name);
        assert_eq!(
            written,
            "attachment; filename*=UTF-8''a%22b%0D%0ASet-Cookie%3A%20x%3D1%3B%E2%80%AEStra%C3%9Fe%205%25.png"
        );
        assert!(HeaderValue::from_str(&written).is_ok());
    }
}
