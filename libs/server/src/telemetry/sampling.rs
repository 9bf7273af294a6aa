//! Which traces are recorded, decided once per call and before its span is built:
//! the span of an unsampled call would cost more than all of its layers.

use std::sync::OnceLock;

use opentelemetry::trace::{Link, SpanKind, TraceContextExt as _, TraceId};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{
    IdGenerator as _, RandomIdGenerator, Sampler, SamplingDecision, SamplingResult, ShouldSample,
};

static HEAD: OnceLock<Head> = OnceLock::new();

struct Head {
    sampler: Sampler,
    /// Whether traces may begin here; not where nothing is exported.
    begins: bool,
}

/// Makes a sampler the one that [`chosen`] asks, and wraps it for the SDK.
pub(crate) fn install(sampler: Sampler, begins: bool) -> Chosen {
    // The first stays: telemetry starts once per process.
    Chosen(HEAD.get_or_init(|| Head { sampler, begins }).sampler.clone())
}

/// The context a call's span continues, if it is to have one: empty for a new trace.
pub(crate) fn chosen(traceparent: Option<&str>) -> Option<Context> {
    let Head { sampler, begins } = HEAD.get()?;
    if traceparent.is_none() && !begins {
        return None;
    }
    let parent = pg::trace::parse(traceparent.unwrap_or_default());
    let span = parent.span().span_context().clone();
    let trace = if span.is_valid() { span.trace_id() } else { RandomIdGenerator::default().new_trace_id() };
    let result = sampler.should_sample(Some(&parent), trace, "", &SpanKind::Server, &[], &[]);
    (result.decision == SamplingDecision::RecordAndSample).then_some(parent)
}

/// The sampler as the SDK asks it, once a span exists. A call's span was chosen
/// already; what has no parent and is no call is work of ours that nobody asked
/// for, or a part of a call that was not chosen, and would be a trace in pieces.
#[derive(Clone, Debug)]
pub(crate) struct Chosen(Sampler);

impl ShouldSample for Chosen {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        trace: TraceId,
        name: &str,
        kind: &SpanKind,
        attributes: &[KeyValue],
        links: &[Link],
    ) -> SamplingResult {
        let is_root = !parent.is_some_and(|parent| parent.span().span_context().is_valid());
        let sampler = match kind {
            SpanKind::Server if is_root => &Sampler::AlwaysOn,
            _ if is_root => &Sampler::AlwaysOff,
            _ => &self.0,
        };
        sampler.should_sample(parent, trace, name, kind, attributes, links)
    }
}
