//! An OTLP collector that keeps what it gets.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

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
use opentelemetry_proto::tonic::common::v1::AnyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::resource::v1::Resource;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

/// A span, and the service it comes from. Ids are hexadecimal.
#[derive(Clone, Debug)]
pub(crate) struct SpanRecord {
    pub(crate) service: String,
    pub(crate) trace: String,
    pub(crate) id: String,
    /// Empty for a root.
    pub(crate) parent: String,
    pub(crate) name: String,
}

/// What arrived. Metrics and logs are noted as service and name, or body.
#[derive(Clone, Debug, Default)]
pub(crate) struct Arrived {
    pub(crate) spans: Vec<SpanRecord>,
    pub(crate) metrics: BTreeSet<(String, String)>,
    pub(crate) logs: BTreeSet<(String, String)>,
}

impl Arrived {
    /// The spans of one trace.
    pub(crate) fn of_trace<'a>(&'a self, trace: &'a str) -> impl Iterator<Item = &'a SpanRecord> {
        self.spans.iter().filter(move |span| span.trace == trace)
    }
}

/// The collector. Ends with the test's runtime.
pub(crate) struct Collector {
    uri: String,
    arrived: Arc<Mutex<Arrived>>,
}

impl Collector {
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let uri = format!("http://{}", listener.local_addr().unwrap());
        let arrived = Arc::<Mutex<Arrived>>::default();
        let services = Services(arrived.clone());
        let server = Server::builder()
            .add_service(TraceServiceServer::new(services.clone()))
            .add_service(MetricsServiceServer::new(services.clone()))
            .add_service(LogsServiceServer::new(services))
            .serve_with_incoming(TcpIncoming::from(listener));
        tokio::spawn(server);
        Self { uri, arrived }
    }

    pub(crate) fn uri(&self) -> String {
        self.uri.clone()
    }

    /// Everything until now.
    pub(crate) fn arrived(&self) -> Arrived {
        self.arrived.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[derive(Clone)]
struct Services(Arc<Mutex<Arrived>>);

impl Services {
    fn note(&self, note: impl FnOnce(&mut Arrived)) {
        note(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

fn service_name(resource: Option<Resource>) -> String {
    let attributes = resource.map(|resource| resource.attributes).unwrap_or_default();
    attributes
        .into_iter()
        .find(|one| one.key == "service.name")
        .map(|one| text(one.value))
        .unwrap_or_default()
}

fn text(value: Option<AnyValue>) -> String {
    match value.and_then(|value| value.value) {
        Some(Value::StringValue(text)) => text,
        _ => String::new(),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

#[tonic::async_trait]
impl TraceService for Services {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        for part in request.into_inner().resource_spans {
            let service = service_name(part.resource);
            let spans = part.scope_spans.into_iter().flat_map(|scope| scope.spans);
            let records = spans.map(|span| SpanRecord {
                service: service.clone(),
                trace: hex(&span.trace_id),
                id: hex(&span.span_id),
                parent: hex(&span.parent_span_id),
                name: span.name,
            });
            self.note(|arrived| arrived.spans.extend(records));
        }
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl MetricsService for Services {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        for part in request.into_inner().resource_metrics {
            let service = service_name(part.resource);
            let metrics = part.scope_metrics.into_iter().flat_map(|scope| scope.metrics);
            self.note(|arrived| arrived.metrics.extend(metrics.map(|metric| (service.clone(), metric.name))));
        }
        Ok(Response::new(ExportMetricsServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl LogsService for Services {
    async fn export(
        &self,
        request: Request<ExportLogsServiceRequest>,
    ) -> Result<Response<ExportLogsServiceResponse>, Status> {
        for part in request.into_inner().resource_logs {
            let service = service_name(part.resource);
            let records = part.scope_logs.into_iter().flat_map(|scope| scope.log_records);
            self.note(|arrived| {
                arrived.logs.extend(records.map(|record| (service.clone(), text(record.body))));
            });
        }
        Ok(Response::new(ExportLogsServiceResponse::default()))
    }
}
