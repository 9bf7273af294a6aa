//! A span and a duration per call, after OpenTelemetry's conventions for RPC.
//!
//! The span exists only for a call that is sampled; whether it is, is decided here,
//! before anything is built. An unsampled call costs a header look-up and one
//! measurement.

use std::pin::Pin;
use std::sync::LazyLock;
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::{Body as HttpBody, Frame, SizeHint};
use opentelemetry::metrics::Histogram;
use opentelemetry::{KeyValue, global};
use tonic::body::Body;
use tonic::{Code, Status};
use tracing::{Instrument as _, Span};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use super::code;
use super::middle::{Inner, Middle};
use crate::call::Call;
use crate::contracts::Method;
use crate::telemetry::sampling;
use crate::watch;

const TRACE_PARENT: &str = "traceparent";

/// Upper bounds of the duration's buckets, in seconds.
const BOUNDS: [f64; 14] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0];

static DURATION: LazyLock<Histogram<f64>> = LazyLock::new(|| {
    global::meter("redress")
        .f64_histogram("rpc.server.duration")
        .with_unit("s")
        .with_description("Duration of calls, until the answer's last byte")
        .with_boundaries(BOUNDS.to_vec())
        .build()
});

/// Observes each call of ours.
#[derive(Clone)]
pub(crate) struct Observe;

impl Middle for Observe {
    async fn handle<S: Inner>(self, request: Request<Body>, inner: S) -> Response<Body> {
        let Some(Call { method, .. }) = Call::of(&request) else { return inner.answer(request).await };
        let span = span(method, request.headers());
        let observed =
            Observed { method, started: Instant::now(), span: span.clone(), code: Code::Cancelled };
        let answer = std::pin::pin!(inner.answer(request).instrument(span));
        let response = watch::named(&method.full_name, answer).await;
        observed.answered(response)
    }
}

fn span(method: &'static Method, headers: &HeaderMap) -> Span {
    let traceparent = headers.get(TRACE_PARENT).and_then(|value| value.to_str().ok());
    let Some(parent) = sampling::chosen(traceparent) else { return Span::none() };
    let span = tracing::info_span!(
        parent: None,
        "rpc",
        otel.name = method.full_name,
        otel.kind = "server",
        otel.status_code = tracing::field::Empty,
        rpc.system = "grpc",
        rpc.service = method.service,
        rpc.method = method.name,
        rpc.grpc.status_code = tracing::field::Empty,
    );
    // Fails only where no exporter's layer is installed: then there is no trace.
    let _ = span.set_parent(parent);
    span
}

/// A call under observation; what is known of it is recorded when it is dropped,
/// so that a caller who hangs up is counted too.
struct Observed {
    method: &'static Method,
    started: Instant,
    span: Span,
    /// CANCELLED until something else is known.
    code: Code,
}

impl Observed {
    fn answered(mut self, response: Response<Body>) -> Response<Body> {
        if let Some(code) = code(response.headers()) {
            self.code = code;
            return response;
        }
        response.map(|body| Body::new(Watched { body, observed: self }))
    }
}

impl Drop for Observed {
    fn drop(&mut self) {
        let code = self.code as i32;
        let took = self.started.elapsed().as_secs_f64();
        DURATION.record(
            took,
            &[
                KeyValue::new("rpc.system", "grpc"),
                KeyValue::new("rpc.service", self.method.service.as_str()),
                KeyValue::new("rpc.method", self.method.name.as_str()),
                KeyValue::new("rpc.grpc.status_code", i64::from(code)),
            ],
        );
        self.span.record("rpc.grpc.status_code", code);
        if is_error(self.code) {
            self.span.record("otel.status_code", "ERROR");
        }
        tracing::debug!(
            parent: &self.span, rpc = self.method.full_name, status = ?self.code, took_s = took, "call ended"
        );
    }
}

/// Whether a status counts as the server's error, by the semantic conventions.
fn is_error(code: Code) -> bool {
    matches!(
        code,
        Code::Unknown
            | Code::DeadlineExceeded
            | Code::Unimplemented
            | Code::Internal
            | Code::Unavailable
            | Code::DataLoss
    )
}

/// An answer on its way out; its status is in its trailers.
struct Watched {
    body: Body,
    observed: Observed,
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let Self { body, observed } = &mut *self;
        let polled = observed.span.in_scope(|| Pin::new(body).poll_frame(cx));
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                if let Some(code) = frame.trailers_ref().and_then(code) {
                    observed.code = code;
                }
            }
            Poll::Ready(Some(Err(status))) => observed.code = status.code(),
            Poll::Ready(None) | Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
