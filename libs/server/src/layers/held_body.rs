//! An answer on its way out that keeps something until it ends: its place among others, its
//! connection.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use tonic::Status;
use tonic::body::Body;

/// A body with what it keeps.
pub(crate) struct HeldBody<T> {
    body: Body,
    _kept: T,
}

impl<T: Send + Unpin + 'static> HeldBody<T> {
    /// The body, which lets go of what it keeps when it is dropped.
    pub(crate) fn around(body: Body, kept: T) -> Body {
        Body::new(Self { body, _kept: kept })
    }
}

impl<T: Send + Unpin> HttpBody for HeldBody<T> {
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
