//! One complaint is one trace, through five processes, as a collector sees it; and
//! what nobody asked to trace is not recorded.

mod collector;

use std::collections::{BTreeSet, HashSet};

use proto::redress::assignment::v1::CaseAssigned;
use proto::redress::cases::v1::GetCaseRequest;
use proto::redress::cases::v1::case_service_client::CaseServiceClient;
use proto::redress::event::v1::Event;
use proto::redress::feedback::v1::{FeedbackReceived, NoticeKind, NoticeSettled, Response};
use proto::redress::intake::v1::SubmitComplaintRequest;
use proto::redress::intake::v1::intake_service_client::IntakeServiceClient;
use testkit::request_id;
use tests::complaint::{made_up, yuan};
use tests::department::{Department, Ledger};
use tests::life::{Lived, People, Script, exchange, refund};
use tests::observed::{ObservedEvents, read};
use tests::processes::Processes;
use tests::{SERVICES, database, roster};
use tonic::transport::Endpoint;

use collector::{Arrived, Collector, SpanRecord};

/// A trace its caller chose not to record: the last two digits.
const UNSAMPLED: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";

/// Everything is exported, and soon. The sampler is the default: what begins here is
/// recorded, what a caller did not sample is not.
fn exporting_to(collector: &Collector) -> Vec<(&'static str, String)> {
    vec![
        ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.uri()),
        ("OTEL_TRACES_SAMPLER", "parentbased_always_on".to_owned()),
        ("OTEL_BSP_SCHEDULE_DELAY", "200".to_owned()),
        ("OTEL_BLRP_SCHEDULE_DELAY", "200".to_owned()),
        ("OTEL_METRIC_EXPORT_INTERVAL", "500".to_owned()),
        ("REDRESS_LOG", "info".to_owned()),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_complaint_is_one_trace_from_submission_to_the_last_notice() {
    let collector = Collector::start().await;
    let database = database().await.unwrap();
    let mut processes = Processes::start_with(database.url(), exporting_to(&collector)).await.unwrap();
    let client = processes.client().unwrap();
    roster::staff(&client, 2).await.unwrap();
    let people = People::new(&client);

    let lived = lived(&client, &people).await;
    let request = GetCaseRequest { case_id: lived.case_id.clone() };
    let case = CaseServiceClient::new(client.calls()).get_case(request).await.unwrap().into_inner();
    let trace_id = case.case.unwrap().trace_id;
    assert_eq!(trace_id.len(), 32, "the case knows its trace: {trace_id:?}");
    told_in_one_trace(people.observed(), &lived.case_id, &trace_id).await;
    let unsampled = submitted_unsampled(&processes, people.observed()).await;
    drop(people);

    // What is not sent yet is sent at the end.
    for (service, exit) in processes.terminate().await.unwrap() {
        assert!(exit.status.success(), "{service} ends with {}", exit.status);
    }
    let arrived = collector.arrived();
    spans_hang_together(&arrived, &trace_id);
    every_signal_arrives(&arrived);
    let recorded: Vec<_> = arrived.of_trace(unsampled).map(|span| &span.name).collect();
    assert!(recorded.is_empty(), "nobody wanted {recorded:?}");
    drop(processes);
    database.drop().await.unwrap();
}

/// A life with a refund and an exchange, disputed once.
async fn lived(client: &client::Client, people: &People) -> Lived {
    let ledger = Ledger::new().unwrap();
    let departments =
        ["finance", "warehouse"].map(|name| Department::open(client, name, &format!("{name}-1"), &ledger));
    let remedies = vec![refund(yuan(199, 50)), exchange("CUP-6", &["refund"])];
    let cycles = vec![vec![refund(yuan(100, 0))], remedies];
    let lived = people.live(&Script { name: "life".into(), complaint: made_up(0), cycles }).await.unwrap();
    for department in departments {
        department.close().await.unwrap();
    }
    lived
}

/// Whatever any service tells of the case is told in its trace.
async fn told_in_one_trace(observed: &ObservedEvents, case_id: &str, trace_id: &str) {
    let outcome = |notice: &NoticeSettled| notice.kind() == NoticeKind::Outcome && notice.cycle == 2;
    observed.of::<NoticeSettled>(case_id, outcome).await.unwrap();
    let told = observed.all(case_id);
    let sources: BTreeSet<&str> = told.iter().map(|event| event.source.as_str()).collect();
    assert_eq!(sources.len(), SERVICES.len(), "all five tell of it: {sources:?}");
    let elsewhere: Vec<&Event> = told.iter().filter(|event| !event.traceparent.contains(trace_id)).collect();
    assert!(elsewhere.is_empty(), "told in another trace than {trace_id}: {elsewhere:#?}");
    let answers = told.iter().filter_map(|event| read::<FeedbackReceived>(event).unwrap());
    let answers: Vec<Response> = answers.map(|answer| answer.response()).collect();
    assert_eq!(answers, [Response::Disputed, Response::Accepted]);
}

/// A complaint of a caller who records nothing: its case is opened and assigned,
/// and its trace goes on nowhere. Answers the trace.
async fn submitted_unsampled(processes: &Processes, observed: &ObservedEvents) -> &'static str {
    let endpoint = Endpoint::from_shared(processes.uri("intake").unwrap()).unwrap();
    let mut intake = IntakeServiceClient::new(endpoint.connect_lazy());
    let message = SubmitComplaintRequest { request_id: request_id(), complaint: Some(made_up(1)) };
    let mut request = tonic::Request::new(message);
    request.metadata_mut().insert("traceparent", UNSAMPLED.parse().unwrap());
    let case_id = intake.submit_complaint(request).await.unwrap().into_inner().complaint_id;
    observed.of::<CaseAssigned>(&case_id, |_| true).await.unwrap();
    UNSAMPLED.split('-').nth(1).unwrap()
}

/// One root, the submission; every other span has its parent in the trace; all five
/// services take part.
fn spans_hang_together(arrived: &Arrived, trace_id: &str) {
    let spans: Vec<&SpanRecord> = arrived.of_trace(trace_id).collect();
    let services: BTreeSet<&str> = spans.iter().map(|span| span.service.as_str()).collect();
    let expected = SERVICES.map(|service| format!("redress-{}", service.name));
    assert_eq!(services, expected.iter().map(String::as_str).collect());
    let ids: HashSet<&str> = spans.iter().map(|span| span.id.as_str()).collect();
    assert_eq!(ids.len(), spans.len(), "no span is sent twice");
    let (roots, others): (Vec<&SpanRecord>, Vec<_>) = spans.iter().partition(|span| span.parent.is_empty());
    let roots: Vec<_> = roots.iter().map(|span| (span.service.as_str(), span.name.as_str())).collect();
    assert_eq!(roots, [("redress-intake", "redress.intake.v1.IntakeService/SubmitComplaint")]);
    let orphans: Vec<_> = others.iter().filter(|span| !ids.contains(span.parent.as_str())).collect();
    assert!(orphans.is_empty(), "their parents were not recorded: {orphans:#?}");
}

/// Metrics and logs come from every service, too.
fn every_signal_arrives(arrived: &Arrived) {
    for service in SERVICES {
        let name = format!("redress-{}", service.name);
        let of = |signal: &BTreeSet<(String, String)>, what: &str| {
            signal.contains(&(name.clone(), what.to_owned()))
        };
        assert!(of(&arrived.metrics, "rpc.server.duration"), "{name}: {:?}", arrived.metrics);
        assert!(of(&arrived.logs, "serving"), "{name}: {:?}", arrived.logs);
    }
}
