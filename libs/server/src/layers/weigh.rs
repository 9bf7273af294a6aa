//! Bounded memory: the bytes of requests that are being worked on, of all callers together.
//!
//! A request is weighed while it arrives, and weighs until it is answered. What is small
//! weighs nothing: there are never more of them than calls worked on at once. Streams of
//! requests weigh nothing here: a handler that reads one knows which of its messages it has
//! done with, and bounds them itself.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use fault::{Fault, Kind};
use http::{Request, Response};
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::Status;
use tonic::body::Body;

use super::middle::{Inner, Middle};
use crate::call::Call;

/// Bytes of a request that weigh nothing.
pub(crate) const LIGHT: usize = 16 << 10;
/// Most bytes of requests at once beyond that; more where one message may have more than a
/// quarter of it. Decoded, they take several times as much.
pub(crate) const MAX_BYTES: usize = 16 << 20;
/// When one whose request was refused is told to come back.
const RETRY: Duration = Duration::from_millis(250);

/// Weighs requests.
#[derive(Clone)]
pub(crate) struct Weigh {
    bytes: Arc<Semaphore>,
}

impl Weigh {
    /// For messages of at most so many bytes.
    pub(crate) fn new(max_message_bytes: usize) -> Self {
        let bytes = MAX_BYTES.max(max_message_bytes.saturating_mul(4)).min(Semaphore::MAX_PERMITS);
        Self { bytes: Arc::new(Semaphore::new(bytes)) }
    }
}

/// What one request weighs; given back when it is answered.
type Held = Arc<Mutex<Option<OwnedSemaphorePermit>>>;

impl Middle for Weigh {
    async fn handle<S: Inner>(self, request: Request<Body>, inner: S) -> Response<Body> {
        let is_light = Call::of(&request).is_none_or(|call| call.method.streams_requests)
            || request.body().size_hint().upper().is_some_and(|bytes| bytes <= LIGHT as u64);
        if is_light {
            return inner.answer(request).await;
        }
        let held = Held::default();
        let kept = Arc::clone(&held);
        let request =
            request.map(|body| Body::new(Weighed { body, bytes: self.bytes, arrived: 0, held: kept }));
        let response = inner.answer(request).await;
        drop(held.lock().unwrap_or_else(PoisonError::into_inner).take());
        response
    }
}

fn overloaded() -> Fault {
    Fault::new(Kind::Exhausted, "OVERLOADED", "the server is working on as many bytes as it can; try again")
        .retry_after(RETRY)
}

/// A request's body, weighed as it arrives.
struct Weighed {
    body: Body,
    bytes: Arc<Semaphore>,
    arrived: usize,
    held: Held,
}

impl Weighed {
    fn weigh(&mut self, bytes: usize) -> Result<(), Fault> {
        let before = self.arrived.saturating_sub(LIGHT);
        self.arrived = self.arrived.saturating_add(bytes);
        let more = u32::try_from(self.arrived.saturating_sub(LIGHT) - before).map_err(|_| overloaded())?;
        if more == 0 {
            return Ok(());
        }
        // Nobody waits: those who hold a part of what is left would wait for each other.
        let more = Arc::clone(&self.bytes).try_acquire_many_owned(more).map_err(|_| overloaded())?;
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        match held.as_mut() {
            Some(held) => held.merge(more),
            None => *held = Some(more),
        }
        Ok(())
    }
}

impl HttpBody for Weighed {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        let arrived = match &polled {
            Poll::Ready(Some(Ok(frame))) => frame.data_ref().map_or(0, Bytes::len),
            _ => 0,
        };
        match self.weigh(arrived) {
            Ok(()) => polled,
            Err(fault) => Poll::Ready(Some(Err(fault.into()))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
