//! What a call says beside its message: not too much of it, and a time that can be read.

use fault::{Fault, Kind, Violation};
use http::{HeaderMap, Request, Response};
use tonic::body::Body;

use super::middle::{Inner, Middle};
use super::refuse;
use crate::call::caller_waits;
use crate::limits::METADATA_BYTES;

/// What each name and value count beside their own bytes (RFC 9113, section 6.5.2).
const BYTES_EACH: usize = 32;

/// Refuses metadata that is too large or cannot be read.
#[derive(Clone)]
pub(crate) struct Metadata;

impl Middle for Metadata {
    async fn handle<S: Inner>(self, request: Request<Body>, inner: S) -> Response<Body> {
        let bytes = size(request.headers()) + request.uri().path().len();
        if bytes > METADATA_BYTES {
            return refuse(too_large(bytes));
        }
        if let Some(Err(_)) = caller_waits(&request) {
            return refuse(invalid_timeout());
        }
        inner.answer(request).await
    }
}

fn size(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + BYTES_EACH).sum()
}

fn too_large(bytes: usize) -> Fault {
    let sentence =
        format!("the call's metadata have {bytes} bytes; this server accepts at most {METADATA_BYTES}");
    Fault::new(Kind::Invalid, "METADATA_TOO_LARGE", sentence).with("limit_bytes", METADATA_BYTES.to_string())
}

fn invalid_timeout() -> Fault {
    let form = "must have one to eight digits and a unit: H, M, S, m, u or n";
    Fault::new(Kind::Invalid, "INVALID_TIMEOUT", "the call's grpc-timeout cannot be read")
        .violating(vec![Violation::new("grpc-timeout", form)])
}
