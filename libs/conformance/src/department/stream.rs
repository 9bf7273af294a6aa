//! Tasks that are streamed, as `ResolutionService.StreamTasks` promises.

use std::sync::Arc;

use proto::redress::resolution::v1::{Lease, StreamTasksRequest, StreamTasksResponse};
use tokio_stream::Stream;
use tonic::{Code, Status};

use super::{Answer, Department, refused};
use crate::worker_call::{Ask, What};

impl Department {
    /// `StreamTasks`: what the stream holds still, then what is offered, as far as there are
    /// credits. An answer that is lost cuts it.
    pub(crate) fn stream(
        self: Arc<Self>,
        request: StreamTasksRequest,
    ) -> Result<impl Stream<Item = Result<StreamTasksResponse, Status>> + use<>, Status> {
        let (credits, ask) = (request.credits, Ask::Stream(request));
        self.hear(What::Ask(ask.clone()));
        let flaws = ask.flaws(&self.id);
        if !flaws.is_empty() {
            return Err(refused(Code::InvalidArgument, "INVALID_STREAM", &flaws.join(", ")));
        }
        let held = self.state().held_by(&ask)?;
        let credits = usize::try_from(credits).unwrap_or_default();
        Ok(async_stream::try_stream! {
            let mut changes = self.changes();
            for lease in held {
                yield StreamTasksResponse { lease: Some(lease) };
            }
            loop {
                while let Some((lease, answer)) = self.next(&ask, credits)? {
                    answer.of(()).await?;
                    yield StreamTasksResponse { lease: Some(lease) };
                }
                // The sender lives as long as the department.
                let _ = changes.changed().await;
            }
        })
    }

    /// What a stream gets now, if anything.
    fn next(&self, ask: &Ask, credits: usize) -> Result<Option<(Lease, Answer)>, Status> {
        let mut state = self.state();
        let held = state.held_by(ask)?.len();
        if held >= credits {
            return Ok(None);
        }
        let Some(offer) = state.offers.pop_front() else { return Ok(None) };
        let answer = offer.answer;
        Ok(Some((state.hand_out(ask, offer), answer)))
    }
}
