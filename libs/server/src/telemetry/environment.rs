//! The `OTEL_*` variables that the SDK leaves to its user.

use std::env;

use anyhow::{Context as _, bail};
use opentelemetry_sdk::trace::Sampler;

/// One kind of telemetry.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Signal {
    Traces,
    Metrics,
    Logs,
}

impl Signal {
    fn name(self) -> &'static str {
        match self {
            Self::Traces => "TRACES",
            Self::Metrics => "METRICS",
            Self::Logs => "LOGS",
        }
    }
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// Whether a signal goes to a collector.
pub(crate) fn exports(signal: Signal) -> bool {
    let name = signal.name();
    let disabled = variable("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"))
        || variable(&format!("OTEL_{name}_EXPORTER")).as_deref() == Some("none");
    let addressed = variable("OTEL_EXPORTER_OTLP_ENDPOINT").is_some()
        || variable(&format!("OTEL_EXPORTER_OTLP_{name}_ENDPOINT")).is_some();
    addressed && !disabled
}

/// Whether the service's name is set from outside.
pub(crate) fn names_the_service() -> bool {
    variable("OTEL_SERVICE_NAME").is_some()
        || variable("OTEL_RESOURCE_ATTRIBUTES")
            .is_some_and(|list| list.split(',').any(|pair| pair.trim_start().starts_with("service.name=")))
}

/// The sampler to use. Where nothing is exported, only traces that a caller began
/// and samples are followed, so that their ids are passed on.
pub(crate) fn sampler(exports: bool) -> anyhow::Result<Sampler> {
    if !exports {
        return Ok(Sampler::ParentBased(Box::new(Sampler::AlwaysOff)));
    }
    let name = variable("OTEL_TRACES_SAMPLER");
    named(name.as_deref().unwrap_or("parentbased_always_on"), variable("OTEL_TRACES_SAMPLER_ARG").as_deref())
}

fn named(name: &str, argument: Option<&str>) -> anyhow::Result<Sampler> {
    if let Some(root) = name.strip_prefix("parentbased_") {
        return Ok(Sampler::ParentBased(Box::new(plain(root, argument)?)));
    }
    plain(name, argument)
}

fn plain(name: &str, argument: Option<&str>) -> anyhow::Result<Sampler> {
    Ok(match name {
        "always_on" => Sampler::AlwaysOn,
        "always_off" => Sampler::AlwaysOff,
        "traceidratio" => Sampler::TraceIdRatioBased(ratio(argument)?),
        _ => bail!(
            "OTEL_TRACES_SAMPLER must be always_on, always_off or traceidratio, \
             or one of them after parentbased_"
        ),
    })
}

fn ratio(argument: Option<&str>) -> anyhow::Result<f64> {
    let Some(argument) = argument else { return Ok(1.0) };
    argument
        .parse()
        .ok()
        .filter(|ratio| (0.0..=1.0).contains(ratio))
        .with_context(|| format!("OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1, unlike {argument:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, argument: Option<&str>) -> Option<String> {
        named(name, argument).ok().map(|sampler| format!("{sampler:?}"))
    }

    #[test]
    fn samplers_have_their_standard_names() {
        assert_eq!(read("always_off", None).as_deref(), Some("AlwaysOff"));
        assert_eq!(read("traceidratio", Some("0.25")).as_deref(), Some("TraceIdRatioBased(0.25)"));
        assert_eq!(
            read("parentbased_traceidratio", Some("0.1")).as_deref(),
            Some("ParentBased(TraceIdRatioBased(0.1))")
        );
    }

    #[test]
    fn a_wrong_sampler_is_refused() {
        assert_eq!(read("sometimes", None), None);
        assert_eq!(read("parentbased_sometimes", None), None);
        assert_eq!(read("traceidratio", Some("2")), None);
        assert_eq!(read("traceidratio", Some("often")), None);
    }
}
