//! W3C trace context as text, the way it rides in rows and events.

use std::collections::HashMap;

use opentelemetry::trace::{SpanContext, TraceContextExt as _};
use opentelemetry::{Context, global};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

const HEADER: &str = "traceparent";

/// The trace context of the current span; empty when nothing is traced.
pub fn current() -> String {
    of(&Span::current())
}

/// The trace context of a span; empty when it is not traced.
pub fn of(span: &Span) -> String {
    write(span.context().span().span_context())
}

fn write(span: &SpanContext) -> String {
    if !span.is_valid() {
        return String::new();
    }
    format!("00-{}-{}-{:02x}", span.trace_id(), span.span_id(), span.trace_flags().to_u8())
}

/// The trace context a text tells of; the empty context if it tells of none.
pub fn parse(traceparent: &str) -> Context {
    if traceparent.is_empty() {
        return Context::new();
    }
    let carrier = HashMap::from([(HEADER.to_owned(), traceparent.to_owned())]);
    global::get_text_map_propagator(|propagator| propagator.extract_with_context(&Context::new(), &carrier))
}

/// The trace id a text tells of, 32 hexadecimal digits; empty if none.
pub fn trace_id(traceparent: &str) -> &str {
    traceparent.split('-').nth(1).unwrap_or_default()
}

/// Whether spans of this trace are recorded.
pub fn is_sampled(traceparent: &str) -> bool {
    traceparent.as_bytes().last().is_some_and(|flags| matches!(flags, b'1' | b'3'))
}

/// A span that continues the trace a row or event came from, linked to the
/// current one; a disabled span when that trace is not recorded, so that
/// untraced work costs nothing.
#[macro_export]
macro_rules! continued_span {
    ($traceparent:expr, $name:literal $(, $($field:tt)*)?) => {{
        let traceparent: &str = $traceparent;
        if $crate::trace::is_sampled(traceparent) {
            let here = tracing::Span::current();
            let span = tracing::info_span!(parent: None, $name $(, $($field)*)?);
            $crate::trace::adopt(&span, traceparent, &here);
            span
        } else {
            tracing::Span::none()
        }
    }};
}

/// Makes a span the child of a stored trace context, linked to another span.
pub fn adopt(span: &Span, traceparent: &str, linked: &Span) {
    let _ = span.set_parent(parse(traceparent));
    let context = linked.context().span().span_context().clone();
    if context.is_valid() {
        span.add_link(context);
    }
}
