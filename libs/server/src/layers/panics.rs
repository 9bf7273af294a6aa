//! A panic in a handler is our mistake, not the end of the process.

use std::panic::AssertUnwindSafe;

use futures::FutureExt as _;
use http::{Request, Response};
use tonic::body::Body;

use super::middle::{Inner, Middle};
use super::refuse;

/// Answers INTERNAL where a handler panics.
#[derive(Clone)]
pub(crate) struct Panics;

impl Middle for Panics {
    async fn handle<S: Inner>(self, request: Request<Body>, inner: S) -> Response<Body> {
        // What a panic leaves behind is dropped with the call: a transaction is
        // rolled back, nothing else is shared.
        let outcome = AssertUnwindSafe(inner.answer(request)).catch_unwind().await;
        outcome.unwrap_or_else(|panic| refuse(fault::panicked(panic.as_ref())))
    }
}
