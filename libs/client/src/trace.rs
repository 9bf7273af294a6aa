//! W3C trace context: sent with every call, and continued from what a lease says.

use std::collections::HashMap;

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::propagation::{Injector, TextMapPropagator as _};
use opentelemetry::trace::TraceContextExt as _;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// Header of the W3C trace context.
pub const TRACEPARENT: &str = "traceparent";

/// Tells the server the trace the current span belongs to, unless the request
/// tells one already.
pub(crate) fn inject(headers: &mut HeaderMap) {
    if !headers.contains_key(TRACEPARENT) {
        TraceContextPropagator::new().inject_context(&Span::current().context(), &mut Headers(headers));
    }
}

/// Whether the current span is part of a trace.
pub(crate) fn is_traced() -> bool {
    Span::current().context().span().span_context().is_valid()
}

/// Makes a span continue the trace a `traceparent` tells of.
pub fn adopt(span: &Span, traceparent: &str) {
    let carrier = HashMap::from([(TRACEPARENT.to_owned(), traceparent.to_owned())]);
    // A span that no layer exports cannot be given a parent, and needs none.
    let _ = span.set_parent(TraceContextPropagator::new().extract(&carrier));
}

/// The trace id a `traceparent` tells of, 32 hexadecimal digits; empty if none.
pub fn trace_id(traceparent: &str) -> &str {
    traceparent.split('-').nth(1).unwrap_or_default()
}

struct Headers<'a>(&'a mut HeaderMap);

impl Injector for Headers<'_> {
    fn set(&mut self, key: &str, value: String) {
        if let Ok(name) = HeaderName::from_bytes(key.as_bytes())
            && let Ok(value) = HeaderValue::from_str(&value)
            && !value.is_empty()
        {
            self.0.insert(name, value);
        }
    }
}
