//! Refusals that tonic itself makes carry no reason; here they get one, and the kind
//! they should have had: they are about a message, one that was sent, or an answer too
//! large to be sent, or about an rpc that is not there.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use fault::{Fault, Kind};
use http::{HeaderMap, Request, Response};
use http_body::{Body as HttpBody, Frame, SizeHint};
use tonic::body::Body;
use tonic::{Code, Status};

use super::middle::{Inner, Middle};
use super::{code, last_words, refuse};
use crate::call::Call;

const DETAILS: &str = "grpc-status-details-bin";
const ENCODINGS: &str = "grpc-accept-encoding";

/// Gives a reason to what was refused without one.
#[derive(Clone)]
pub(crate) struct Explain;

impl Middle for Explain {
    async fn handle<S: Inner>(self, request: Request<Body>, inner: S) -> Response<Body> {
        let is_ours = Call::of(&request).is_some();
        let response = inner.answer(request).await;
        match explanation(response.headers()) {
            Some(fault) => {
                let mut refusal = refuse(fault);
                // Which encodings are known, as the protocol wants it said.
                if let Some(known) = response.headers().get(ENCODINGS) {
                    refusal.headers_mut().insert(ENCODINGS, known.clone());
                }
                refusal
            }
            None if is_ours => response.map(|body| Body::new(Explained(body))),
            None => response,
        }
    }
}

/// What was refused before a handler saw it, in the headers.
fn explanation(headers: &HeaderMap) -> Option<Fault> {
    let (kind, reason, sentence) = match unexplained(headers)? {
        // From our codec, which counts values before it decodes them.
        Code::ResourceExhausted => (Kind::Invalid, "TOO_MANY_VALUES", proto::codec::TOO_MANY_VALUES),
        Code::OutOfRange => {
            (Kind::Invalid, "MESSAGE_TOO_LARGE", "the message is larger than this server accepts")
        }
        Code::Internal => (Kind::Invalid, "UNREADABLE_MESSAGE", "the message is not what the contract says"),
        Code::Unimplemented if headers.contains_key(ENCODINGS) => (
            Kind::Unimplemented,
            "UNKNOWN_ENCODING",
            "the message is compressed in a way this server does not know: gzip is known",
        ),
        Code::Unimplemented => {
            (Kind::Unimplemented, "UNKNOWN_METHOD", "the service has no such method in this version")
        }
        _ => return None,
    };
    Some(Fault::new(kind, reason, sentence))
}

/// The code of a refusal that has no reason.
fn unexplained(headers: &HeaderMap) -> Option<Code> {
    code(headers).filter(|_| !headers.contains_key(DETAILS))
}

/// An answer on its way out: when it turns out too large to be sent, its trailers
/// say so.
struct Explained(Body);

impl HttpBody for Explained {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let polled = Pin::new(&mut self.0).poll_frame(cx);
        match &polled {
            Poll::Ready(Some(Ok(frame)))
                if frame.trailers_ref().and_then(unexplained) == Some(Code::OutOfRange) =>
            {
                Poll::Ready(Some(last_words(too_large())))
            }
            _ => polled,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}

/// What was asked is done, whatever it was; only the answer is missing.
fn too_large() -> Fault {
    Fault::new(
        Kind::Exhausted,
        "ANSWER_TOO_LARGE",
        "the answer is larger than this server sends; ask for less",
    )
}
