//! Streamed answers, a message at a time; their last words say whether they are whole.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use fault::Fault;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response};
use http_body::{Body as HttpBody, Frame};
use http_body_util::Full;
use serde_json::json;
use tonic::Status;
use tonic::body::Body;
use transcoding::Contracts;
use transcoding::status::Outcome;

use super::frames::{Frames, framed};
use super::plain;
use super::read::HEAVY;
use super::spoken::{Dialect, Encoding, Form, Spoken, broken_off, outcome};
use crate::blocking::aside;

/// The flag of the envelope that ends a stream of Connect.
const END: u8 = 2;

/// An answer that streams.
pub(crate) fn begun(spoken: &Arc<Spoken>, body: Body) -> Response<Body> {
    let kind = match &spoken.dialect {
        Dialect::Rest(call) if call.form == Form::Events => plain::EVENTS,
        // Files are no streams of messages.
        Dialect::Unary(encoding) | Dialect::Stream(encoding) => encoding.of_streams(),
        _ => plain::LINES,
    };
    let spoken = Arc::clone(spoken);
    of_kind(kind, Body::new(Streamed { body: Some(body), frames: Frames::default(), spoken }))
}

/// A stream of Connect that ends before it has begun.
pub(crate) fn ended_at_once(contracts: &Contracts, encoding: Encoding, failed: &Outcome) -> Response<Body> {
    of_kind(encoding.of_streams(), Body::new(Full::new(end_of_stream(contracts, failed))))
}

fn of_kind(kind: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    plain::unshared(response.headers_mut());
    response
}

fn end_of_stream(contracts: &Contracts, ended: &Outcome) -> Bytes {
    let end =
        if ended.code == 0 { json!({}) } else { json!({ "error": ended.to_connect(contracts.pool()) }) };
    framed(END, end.to_string().as_bytes()).unwrap_or_default()
}

/// A stream of gRPC, written as it was asked for.
struct Streamed {
    /// None once it has ended.
    body: Option<Body>,
    frames: Frames,
    spoken: Arc<Spoken>,
}

impl Streamed {
    fn write(&self, message: &Bytes) -> Result<Bytes, Fault> {
        let json = || transcoding::answer(&self.spoken.rpc().output, message).map_err(Fault::internal);
        match &self.spoken.dialect {
            Dialect::Unary(Encoding::Proto) | Dialect::Stream(Encoding::Proto) => framed(0, message),
            Dialect::Unary(Encoding::Json) | Dialect::Stream(Encoding::Json) => framed(0, &json()?),
            Dialect::Rest(call) if call.form == Form::Events => {
                Ok([b"data: ".as_slice(), &json()?, b"\n\n"].concat().into())
            }
            _ => Ok([b"{\"result\":".as_slice(), &json()?, b"}\n"].concat().into()),
        }
    }

    /// The last words; what is below is dropped.
    fn end(&mut self, ended: &Outcome) -> Bytes {
        self.body = None;
        let contracts = &self.spoken.contracts;
        match &self.spoken.dialect {
            Dialect::Rest(call) => {
                let status = ended.to_json(contracts.pool());
                let words = match call.form {
                    Form::Events => format!("event: status\ndata: {status}\n\n"),
                    Form::Lines | Form::Object => format!("{}\n", json!({ "status": status })),
                };
                words.into()
            }
            _ => end_of_stream(contracts, ended),
        }
    }

    /// The next message that is there, written; or the last words, if it cannot be.
    fn next(&mut self) -> Option<Bytes> {
        // How large it may be was decided where it was written.
        let written = match self.frames.next(usize::MAX) {
            Ok(None) => return None,
            Ok(Some((_, message))) => aside(message.len() > HEAVY, || self.write(&message)),
            Err(fault) => Err(fault),
        };
        Some(written.unwrap_or_else(|fault| self.end(&outcome(&Status::from(fault)))))
    }
}

impl HttpBody for Streamed {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        loop {
            if self.body.is_some()
                && let Some(written) = self.next()
            {
                return Poll::Ready(Some(Ok(Frame::data(written))));
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
            let ended = ended.map_or_else(broken_off, |status| outcome(&status));
            let words = self.end(&ended);
            return Poll::Ready(Some(Ok(Frame::data(words))));
        }
    }
}
