//! Holds a task while it is worked on.

use std::convert::Infallible;

use proto::redress::resolution::v1::HeartbeatRequest;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tonic::Request;

use super::{Bench, is_answered};
use crate::trace;

/// Heartbeats within one lease.
const BEATS: u32 = 3;

/// A task this worker holds, and the proof of it.
pub(super) struct Held {
    pub(super) task_id: String,
    pub(super) lease_token: String,
    pub(super) traceparent: String,
}

impl Held {
    /// A request in the task's trace, exported from here or not.
    pub(super) fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        if !trace::is_traced()
            && let Ok(traceparent) = self.traceparent.parse()
        {
            request.metadata_mut().insert(trace::TRACEPARENT, traceparent);
        }
        request
    }
}

impl Bench {
    /// Sends signs of life without end, and passes on what the server says: that the
    /// work is no longer wanted, or no longer ours.
    pub(super) async fn hold(
        &self,
        held: &Held,
        mut notes: watch::Receiver<Vec<u8>>,
        cancelled: CancellationToken,
    ) -> Infallible {
        let mut lost = false;
        loop {
            tokio::select! {
                () = tokio::time::sleep(self.worker.lease / BEATS) => {}
                // Once the handler has ended nothing more is noted.
                Ok(()) = notes.changed() => {}
            }
            if lost {
                continue;
            }
            let message = HeartbeatRequest {
                task_id: held.task_id.clone(),
                lease_token: held.lease_token.clone(),
                lease_duration: prost_types::Duration::try_from(self.worker.lease).ok(),
                checkpoint: notes.borrow_and_update().clone(),
            };
            match self.service.clone().heartbeat(held.request(message)).await {
                Ok(answer) if answer.get_ref().cancel_requested => cancelled.cancel(),
                Err(status) if is_answered(&status) => {
                    tracing::warn!(task.id = held.task_id, "the lease is lost");
                    lost = true;
                    cancelled.cancel();
                }
                // The next beat tries again; the lease holds that long.
                Ok(_) | Err(_) => {}
            }
        }
    }
}
