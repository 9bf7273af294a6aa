//! Nothing is worked on for a caller who no longer waits.

use fault::{Fault, Kind};
use http::{Request, Response};
use tonic::body::Body;

use super::middle::{Inner, Middle};
use super::refuse;
use super::stream::Ending;
use crate::call::Call;
use crate::contracts::Pace;
use crate::service::Stop;

/// Drops the handler when the caller's deadline passes, and ends what waits by
/// design when the server is about to stop.
#[derive(Clone)]
pub(crate) struct Deadline {
    pub(crate) closing: Stop,
}

impl Middle for Deadline {
    async fn handle<S: Inner>(self, request: Request<Body>, inner: S) -> Response<Body> {
        let Some(call) = Call::of(&request) else {
            // Health and reflection may stream for ever too.
            let response = inner.answer(request).await;
            return response.map(|body| Body::new(Ending::new(body, None, self.closing)));
        };
        let answer = inner.answer(request);
        let response = match (call.method.pace, call.deadline) {
            (Pace::Call, None) => answer.await,
            (Pace::Call, Some(deadline)) => {
                tokio::select! {
                    biased;
                    response = answer => response,
                    () = tokio::time::sleep_until(deadline.into()) => refuse(too_late()),
                }
            }
            (Pace::Wait | Pace::Stream, deadline) => {
                tokio::select! {
                    biased;
                    response = answer => response,
                    () = passing(deadline) => refuse(too_late()),
                    () = self.closing.cancelled() => refuse(Fault::stopping()),
                }
            }
        };
        if call.method.pace == Pace::Stream {
            return response.map(|body| Body::new(Ending::new(body, call.deadline, self.closing)));
        }
        response
    }
}

/// Until a deadline passes; for ever without one.
pub(crate) async fn passing(deadline: Option<std::time::Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
        None => std::future::pending().await,
    }
}

/// The refusal of a call whose time is over.
pub(crate) fn too_late() -> Fault {
    Fault::new(Kind::TooLate, "DEADLINE_EXCEEDED", "the call took longer than the caller would wait")
}
