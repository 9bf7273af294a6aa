//! A streamed answer that ends in good order, whatever ends it: its own end, the
//! caller's deadline, the end of the process, a panic.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use fault::Fault;
use futures::future::{BoxFuture, FutureExt as _};
use http_body::{Body as HttpBody, Frame};
use tonic::Status;
use tonic::body::Body;

use super::last_words;
use crate::call::Deadline;
use crate::service::Stop;

/// A streamed answer with its ends.
pub(crate) struct Ending {
    /// None once it has ended.
    body: Option<Body>,
    end: BoxFuture<'static, Fault>,
    /// What ends it, while its last words are on their way.
    ended: Option<Fault>,
}

type Said = Option<Result<Frame<Bytes>, Status>>;

impl Ending {
    pub(crate) fn new(body: Body, deadline: Deadline, closing: Stop) -> Self {
        let end = async move {
            tokio::select! {
                () = deadline.passing() => deadline.refusal(),
                () = closing.cancelled() => Fault::stopping(),
            }
        };
        Self::by(body, end)
    }

    /// A streamed answer that something ends.
    pub(crate) fn by(body: Body, end: impl Future<Output = Fault> + Send + 'static) -> Self {
        Self { body: Some(body), end: end.boxed(), ended: None }
    }

    fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<Said> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        std::panic::catch_unwind(AssertUnwindSafe(|| Pin::new(body).poll_frame(cx)))
            .unwrap_or_else(|panic| self.close(fault::panicked(panic.as_ref())))
    }

    /// Drops the handler's stream and closes the call with a refusal.
    fn close(&mut self, fault: Fault) -> Poll<Said> {
        self.body = None;
        Poll::Ready(Some(last_words(fault)))
    }
}

impl HttpBody for Ending {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Said> {
        if let Some(fault) = self.ended.take() {
            return self.close(fault);
        }
        if self.body.is_none() {
            return Poll::Ready(None);
        }
        // The end comes first, or a stream that always has more to say would never
        // end; but what it has to say just now is let out: of health, that we stop.
        let Poll::Ready(fault) = self.end.as_mut().poll(cx) else { return self.poll_body(cx) };
        match self.poll_body(cx) {
            Poll::Ready(said) => {
                self.ended = Some(fault);
                Poll::Ready(said)
            }
            Poll::Pending => self.close(fault),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }
}
