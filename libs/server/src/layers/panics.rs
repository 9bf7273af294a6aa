//! A panic in a handler is our mistake, not the end of the process.

use std::any::Any;
use std::panic::AssertUnwindSafe;

use fault::Fault;
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
        outcome.unwrap_or_else(|panic| refuse(fault(panic.as_ref())))
    }
}

/// A panic as a fault.
pub(crate) fn fault(panic: &(dyn Any + Send)) -> Fault {
    let said = panic.downcast_ref::<&str>().copied();
    let said = said.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    Fault::internal(format!("panicked: {}", said.unwrap_or("without a word")))
}
