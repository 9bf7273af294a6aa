//! Bounded concurrency: a call gets a place at once or is refused; nothing queues.
//!
//! There are two lanes of equal width, so that calls which wait by design (streams,
//! long polls) cannot take the places of those which are answered at once. The
//! event feed has no lane: the other services live on it, and they are few.

use std::pin::Pin;
use std::sync::Arc;
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
use super::refuse;
use crate::call::Call;
use crate::contracts::{Method, Pace};

/// When a refused caller is told to come back.
const RETRY: Duration = Duration::from_millis(250);

/// Gives each call a place, or refuses it.
#[derive(Clone)]
pub(crate) struct Lanes {
    calls: Arc<Semaphore>,
    waits: Arc<Semaphore>,
}

impl Lanes {
    pub(crate) fn new(width: u32) -> Self {
        let lane = || Arc::new(Semaphore::new(width as usize));
        Self { calls: lane(), waits: lane() }
    }

    fn of(&self, method: &Method) -> Option<&Arc<Semaphore>> {
        match method.pace {
            _ if method.is_feed => None,
            Pace::Call => Some(&self.calls),
            Pace::Wait | Pace::Stream => Some(&self.waits),
        }
    }
}

impl Middle for Lanes {
    async fn handle<S: Inner>(self, request: Request<Body>, inner: S) -> Response<Body> {
        let Some(Call { method, .. }) = Call::of(&request) else { return inner.answer(request).await };
        let Some(lane) = self.of(method) else { return inner.answer(request).await };
        let Ok(place) = Arc::clone(lane).try_acquire_owned() else { return refuse(overloaded()) };
        let response = inner.answer(request).await;
        if method.pace == Pace::Stream {
            return response.map(|body| Body::new(Placed { body, _place: place }));
        }
        response
    }
}

fn overloaded() -> Fault {
    Fault::new(Kind::Exhausted, "OVERLOADED", "the server is working on as many calls as it can; try again")
        .retry_after(RETRY)
}

/// A streamed answer that holds its place until it ends.
struct Placed {
    body: Body,
    _place: OwnedSemaphorePermit,
}

impl HttpBody for Placed {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
