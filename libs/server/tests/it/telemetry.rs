//! What a collector gets. Telemetry belongs to a whole process, so the one that is
//! observed is a process of its own: this binary again, with one test.

use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use opentelemetry::trace::{SpanId, TraceId};
use opentelemetry_proto::tonic::collector::logs::v1::logs_service_server::{LogsService, LogsServiceServer};
use opentelemetry_proto::tonic::collector::logs::v1::{ExportLogsServiceRequest, ExportLogsServiceResponse};
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_server::{
    MetricsService, MetricsServiceServer,
};
use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsServiceRequest, ExportMetricsServiceResponse,
};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use proto::redress::feedback::v1::feedback_service_client::FeedbackServiceClient;
use server::{LONGEST_END, Settings, Telemetry, WORKERS_STOP};
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

use crate::probe::{self, FEEDBACK, about, channel};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";
const RPC: &str = "redress.feedback.v1.FeedbackService/GetFeedback";

/// What arrived.
#[derive(Default)]
struct Arrived {
    spans: Vec<Span>,
    services: Vec<String>,
    metrics: Vec<String>,
    logs: Vec<String>,
}

#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Arrived>>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let mut arrived = self.0.lock().unwrap();
        for resource in request.into_inner().resource_spans {
            let attributes = resource.resource.map(|resource| resource.attributes).unwrap_or_default();
            arrived.services.push(text(&attributes, "service.name"));
            arrived.spans.extend(resource.scope_spans.into_iter().flat_map(|scope| scope.spans));
        }
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl MetricsService for Collector {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        let scopes = request.into_inner().resource_metrics.into_iter().flat_map(|all| all.scope_metrics);
        let names = scopes.flat_map(|scope| scope.metrics).map(|metric| metric.name);
        self.0.lock().unwrap().metrics.extend(names);
        Ok(Response::new(ExportMetricsServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl LogsService for Collector {
    async fn export(
        &self,
        request: Request<ExportLogsServiceRequest>,
    ) -> Result<Response<ExportLogsServiceResponse>, Status> {
        let scopes = request.into_inner().resource_logs.into_iter().flat_map(|all| all.scope_logs);
        let lines = scopes.flat_map(|scope| scope.log_records).map(|line| format!("{:?}", line.body));
        self.0.lock().unwrap().logs.extend(lines);
        Ok(Response::new(ExportLogsServiceResponse::default()))
    }
}

fn text(attributes: &[KeyValue], key: &str) -> String {
    let value =
        attributes.iter().find(|attribute| attribute.key == key).and_then(|found| found.value.clone());
    match value.and_then(|value| value.value) {
        Some(Value::StringValue(text)) => text,
        Some(Value::IntValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    }
}

/// Runs the observed process with this sampler, and answers what arrived.
async fn observe(sampler: &str, ratio: &str) -> Arrived {
    let collector = Collector::default();
    let incoming = TcpIncoming::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let endpoint = format!("http://{}", incoming.local_addr().unwrap());
    let server = Server::builder()
        .add_service(TraceServiceServer::new(collector.clone()))
        .add_service(MetricsServiceServer::new(collector.clone()))
        .add_service(LogsServiceServer::new(collector.clone()))
        .serve_with_incoming(incoming);
    let server = tokio::spawn(server);
    let is_fine = end_well(endpoint, sampler, ratio).await;
    server.abort();
    assert!(is_fine);
    std::mem::take(&mut collector.0.lock().unwrap())
}

/// Runs the observed process; whether it ended as it should.
async fn end_well(endpoint: String, sampler: &str, ratio: &str) -> bool {
    let mut observed = Command::new(std::env::current_exe().unwrap());
    observed
        .args(["--exact", "telemetry::the_process_that_is_observed", "--ignored"])
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
        .envs([("OTEL_TRACES_SAMPLER", sampler), ("OTEL_TRACES_SAMPLER_ARG", ratio)])
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    tokio::task::spawn_blocking(move || observed.status()).await.unwrap().unwrap().success()
}

/// Makes three calls: in a sampled trace, in one that is not, and in none.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "is run by the others, as a process of its own"]
async fn the_process_that_is_observed() {
    let settings = Settings::default();
    let telemetry = Telemetry::start(&settings, "redress-feedback").unwrap();
    let running = probe::serve(settings, &[FEEDBACK]).await;
    let mut client = FeedbackServiceClient::new(channel(&running));
    for flags in [Some("01"), Some("00"), None] {
        let mut request = Request::new(about(""));
        if let Some(flags) = flags {
            let parent = format!("00-{TRACE}-{PARENT}-{flags}");
            request.metadata_mut().insert("traceparent", parent.parse().unwrap());
        }
        client.get_feedback(request).await.unwrap();
    }
    running.stop().await.unwrap();
    let started = Instant::now();
    tokio::task::spawn_blocking(|| telemetry.flush()).await.unwrap();
    assert!(started.elapsed() + WORKERS_STOP < LONGEST_END + Duration::from_secs(2));
}

#[tokio::test]
async fn a_sampled_call_continues_its_callers_trace() {
    let arrived = observe("parentbased_traceidratio", "0").await;
    let [span] = arrived.spans.as_slice() else { panic!("one span, not {:#?}", arrived.spans) };
    assert_eq!((span.name.as_str(), span.kind), (RPC, 2), "kind SERVER");
    let trace = TraceId::from_bytes(span.trace_id.as_slice().try_into().unwrap()).to_string();
    let parent = SpanId::from_bytes(span.parent_span_id.as_slice().try_into().unwrap()).to_string();
    assert_eq!((trace.as_str(), parent.as_str()), (TRACE, PARENT));
    for (key, value) in [
        ("rpc.system", "grpc"),
        ("rpc.service", "redress.feedback.v1.FeedbackService"),
        ("rpc.method", "GetFeedback"),
        ("rpc.grpc.status_code", "0"),
    ] {
        assert_eq!(text(&span.attributes, key), value, "{key}");
    }
    assert_eq!(arrived.services, ["redress-feedback"]);
    assert!(arrived.metrics.iter().any(|name| name == "rpc.server.duration"), "{:?}", arrived.metrics);
    assert!(arrived.logs.iter().any(|line| line.contains("serving")), "{:?}", arrived.logs);
}

#[tokio::test]
async fn a_call_without_a_trace_begins_one_where_it_is_sampled() {
    let arrived = observe("parentbased_always_on", "").await;
    let roots = arrived.spans.iter().filter(|span| span.parent_span_id.is_empty());
    assert_eq!((arrived.spans.len(), roots.count()), (2, 1), "{:#?}", arrived.spans);
}

#[tokio::test]
async fn what_is_not_sampled_is_not_sent() {
    assert_eq!(observe("always_off", "").await.spans, []);
}

#[tokio::test]
async fn a_collector_that_never_answers_costs_the_end_of_a_process_once() {
    let deaf = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    assert!(end_well(format!("http://{}", deaf.local_addr().unwrap()), "always_on", "").await);
}
