//! Logs to standard error; traces, metrics and logs to an OTLP collector when
//! `OTEL_EXPORTER_OTLP_ENDPOINT` names one. The standard `OTEL_*` variables hold.

mod environment;
pub(crate) mod sampling;

use std::io::IsTerminal as _;
use std::sync::Once;
use std::time::Duration;

use anyhow::Context as _;
use opentelemetry::global;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_otlp::{LogExporter, MetricExporter, SpanExporter};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::SdkLoggerProvider;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer, Registry};

use crate::settings::{LogFormat, Settings};
use environment::Signal;

/// Longest wait for the collector at the end.
pub(crate) const FLUSH: Duration = Duration::from_secs(5);
/// What the exporters themselves use: their log lines must not be exported, or each
/// export would cause the next.
const EXPORTERS: [&str; 5] = ["opentelemetry", "h2", "hyper", "tonic", "tower"];

/// Target of the last log line of a failed process.
pub(crate) const EXIT: &str = "redress::exit";

type BoxLayer = Box<dyn Layer<Registry> + Send + Sync>;

/// The telemetry of a process; flushed at its end, however it ends.
pub struct Telemetry {
    traces: SdkTracerProvider,
    metrics: Option<SdkMeterProvider>,
    logs: Option<SdkLoggerProvider>,
}

/// Installs the W3C trace context, by which every traceparent is read and written.
pub(crate) fn install_propagator() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| global::set_text_map_propagator(TraceContextPropagator::new()));
}

impl Telemetry {
    /// Begins to log, and to export if a collector is named. Called within a tokio
    /// runtime, once per process, before anything is measured.
    ///
    /// # Errors
    ///
    /// Fails if it was started before, if the filter of the log is wrong, or if an exporter
    /// cannot be set up.
    pub fn start(settings: &Settings, service_name: &str) -> anyhow::Result<Self> {
        install_propagator();
        let resource = resource(service_name);
        let traces = tracer_provider(&resource)?;
        let metrics = environment::exports(Signal::Metrics).then(|| meter_provider(&resource)).transpose()?;
        let logs = environment::exports(Signal::Logs).then(|| logger_provider(&resource)).transpose()?;
        let mut layers = vec![log_layer(settings)?, trace_layer(&traces)];
        if let Some(logs) = &logs {
            layers.push(export_layer(settings, logs)?);
        }
        tracing_subscriber::registry().with(layers).try_init().context("telemetry was started before")?;
        if let Some(metrics) = &metrics {
            global::set_meter_provider(metrics.clone());
        }
        log_panics();
        Ok(Self { traces, metrics, logs })
    }

    /// Sends what is not sent yet. Blocks; the runtime must still run.
    pub fn flush(self) {
        let Self { traces, metrics, logs } = self;
        let note = |outcome: OTelSdkResult| {
            if let Err(error) = outcome {
                tracing::warn!(%error, "some telemetry was not delivered");
            }
        };
        // At the same time: a collector that is away costs the end of the process once.
        std::thread::scope(|scope| {
            scope.spawn(|| note(traces.shutdown_with_timeout(FLUSH)));
            scope.spawn(|| metrics.map(|metrics| note(metrics.shutdown_with_timeout(FLUSH))));
            scope.spawn(|| logs.map(|logs| note(logs.shutdown_with_timeout(FLUSH))));
        });
    }
}

fn resource(service_name: &str) -> Resource {
    let builder = Resource::builder();
    if environment::names_the_service() {
        builder
    } else {
        builder.with_service_name(service_name.to_owned())
    }
    .with_attribute(opentelemetry::KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
    .build()
}

fn tracer_provider(resource: &Resource) -> anyhow::Result<SdkTracerProvider> {
    let exports = environment::exports(Signal::Traces);
    let sampler = sampling::install(environment::sampler(exports)?, exports);
    let builder = SdkTracerProvider::builder().with_sampler(sampler).with_resource(resource.clone());
    if !exports {
        return Ok(builder.build());
    }
    let exporter = SpanExporter::builder().with_tonic().build().context("OTEL_EXPORTER_OTLP_* for traces")?;
    Ok(builder.with_batch_exporter(exporter).build())
}

fn meter_provider(resource: &Resource) -> anyhow::Result<SdkMeterProvider> {
    let exporter =
        MetricExporter::builder().with_tonic().build().context("OTEL_EXPORTER_OTLP_* for metrics")?;
    Ok(SdkMeterProvider::builder().with_periodic_exporter(exporter).with_resource(resource.clone()).build())
}

fn logger_provider(resource: &Resource) -> anyhow::Result<SdkLoggerProvider> {
    let exporter = LogExporter::builder().with_tonic().build().context("OTEL_EXPORTER_OTLP_* for logs")?;
    Ok(SdkLoggerProvider::builder().with_batch_exporter(exporter).with_resource(resource.clone()).build())
}

fn log_filter(settings: &Settings) -> anyhow::Result<EnvFilter> {
    EnvFilter::try_new(&settings.log).with_context(|| {
        format!("REDRESS_LOG must be a filter like info,pg=debug, unlike {:?}", settings.log)
    })
}

fn log_layer(settings: &Settings) -> anyhow::Result<BoxLayer> {
    let filter = log_filter(settings)?.add_directive(format!("{EXIT}=off").parse()?);
    let terminal = std::io::stderr().is_terminal();
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let default = if terminal { LogFormat::Pretty } else { LogFormat::Json };
    Ok(match settings.log_format.unwrap_or(default) {
        LogFormat::Pretty => layer.with_ansi(terminal).with_filter(filter).boxed(),
        LogFormat::Json => layer.json().flatten_event(true).with_span_list(false).with_filter(filter).boxed(),
    })
}

/// Spans become traces; events do not ride on them, they are exported as logs.
fn trace_layer(traces: &SdkTracerProvider) -> BoxLayer {
    let spans = filter_fn(|metadata| metadata.is_span() && *metadata.level() <= tracing::Level::INFO)
        .with_max_level_hint(LevelFilter::INFO);
    tracing_opentelemetry::layer()
        .with_tracer(traces.tracer("redress"))
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_tracked_inactivity(false)
        .with_filter(spans)
        .boxed()
}

fn export_layer(settings: &Settings, logs: &SdkLoggerProvider) -> anyhow::Result<BoxLayer> {
    let mut filter = log_filter(settings)?;
    for exporter in EXPORTERS {
        filter = filter.add_directive(format!("{exporter}=off").parse()?);
    }
    Ok(OpenTelemetryTracingBridge::new(logs).with_filter(filter).boxed())
}

/// A panic is a log line like any other.
fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        let said = panic.payload_as_str();
        tracing::error!(panic.place = place, panic.said = said, "panicked");
    }));
}
