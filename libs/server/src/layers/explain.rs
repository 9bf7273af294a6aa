//! Refusals that tonic makes before a handler is reached carry no reason; here they
//! get one, and the kind they should have had: all of them are about the message
//! that was sent.

use fault::{Fault, Kind};
use http::{HeaderMap, Request, Response};
use tonic::Code;
use tonic::body::Body;

use super::middle::{Inner, Middle};
use super::{code, refuse};
use crate::call::Call;

const DETAILS: &str = "grpc-status-details-bin";

/// Gives a reason to what was refused without one.
#[derive(Clone)]
pub(crate) struct Explain;

impl Middle for Explain {
    async fn handle<S: Inner>(self, request: Request<Body>, inner: S) -> Response<Body> {
        let is_ours = Call::of(&request).is_some();
        let response = inner.answer(request).await;
        match explanation(response.headers()).filter(|_| is_ours) {
            Some(fault) => refuse(fault),
            None => response,
        }
    }
}

fn explanation(headers: &HeaderMap) -> Option<Fault> {
    if headers.contains_key(DETAILS) {
        return None;
    }
    let (reason, sentence) = match code(headers)? {
        Code::OutOfRange => ("MESSAGE_TOO_LARGE", "the message is larger than this server accepts"),
        Code::Internal => ("UNREADABLE_MESSAGE", "the message is not what the contract says"),
        _ => return None,
    };
    Some(Fault::new(Kind::Invalid, reason, sentence))
}
