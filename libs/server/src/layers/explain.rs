//! Refusals that tonic itself makes carry no reason; here they get one, and the kind
//! they should have had: all of them are about a message, one that was sent, or an
//! answer too large to be sent.

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

/// Gives a reason to what was refused without one.
#[derive(Clone)]
pub(crate) struct Explain;

impl Middle for Explain {
    async fn handle<S: Inner>(self, request: Request<Body>, inner: S) -> Response<Body> {
        let is_ours = Call::of(&request).is_some();
        let response = inner.answer(request).await;
        if !is_ours {
            return response;
        }
        match explanation(response.headers()) {
            Some(fault) => refuse(fault),
            None => response.map(|body| Body::new(Explained(body))),
        }
    }
}

/// What was refused before a handler saw it, in the headers.
fn explanation(headers: &HeaderMap) -> Option<Fault> {
    let (reason, sentence) = match unexplained(headers)? {
        // From our codec, which counts values before it decodes them.
        Code::ResourceExhausted => ("TOO_MANY_VALUES", proto::codec::TOO_MANY_VALUES),
        Code::OutOfRange => ("MESSAGE_TOO_LARGE", "the message is larger than this server accepts"),
        Code::Internal => ("UNREADABLE_MESSAGE", "the message is not what the contract says"),
        _ => return None,
    };
    Some(Fault::new(Kind::Invalid, reason, sentence))
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
