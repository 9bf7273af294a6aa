//! What one request can cost others: every list of every request, messages that grow when
//! they are decoded, and the worst of each language that is accepted; and that others are
//! answered meanwhile.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use prost_reflect::{Cardinality, FieldDescriptor, Kind, MessageDescriptor};
use proto::redress::cases::v1::ListCasesRequest;
use proto::redress::cases::v1::case_service_client::CaseServiceClient;
use serde_json::{Map, Value, json};
use testkit::{House, reason, violations};
use tests::SERVICES;
use tonic::{Code, Status};

use crate::contracts::{ask, methods, send};

/// More than any list may have, and fewer values than any message.
const TOO_LONG: usize = 20_000;
/// How deep lists are looked for.
const DEPTH: usize = 5;

/// A list of a request: where it stands, and a request with too much of it.
struct List {
    place: String,
    request: Value,
}

fn lists(message: &MessageDescriptor, depth: usize) -> Vec<List> {
    let mut found = Vec::new();
    for field in message.fields().filter(|_| depth > 0) {
        let (name, is_list) = (field.name(), field.cardinality() == Cardinality::Repeated);
        if field.is_map() {
            continue;
        }
        if is_list {
            found.push(List {
                place: name.to_owned(),
                request: json!({ name: vec![element(&field); TOO_LONG] }),
            });
        }
        if let Kind::Message(inner) = field.kind()
            && inner.package_name().starts_with("redress.")
        {
            found.extend(lists(&inner, depth - 1).into_iter().map(|list| {
                let at = if is_list { format!("{name}[0]") } else { name.to_owned() };
                let request = if is_list { json!([list.request]) } else { list.request };
                List { place: format!("{at}.{}", list.place), request: json!({ name: request }) }
            }));
        }
    }
    found
}

fn element(field: &FieldDescriptor) -> Value {
    match field.kind() {
        Kind::Message(_) => json!({}),
        Kind::String | Kind::Bytes => json!(""),
        _ => json!(0),
    }
}

/// Lists that only an answer has, though requests take the message they are in.
const OUTPUT_ONLY: &[&str] = &[
    "IntakeService.SubmitComplaint complaint.phone.ivr_labels",
    "IntakeService.SubmitComplaint complaint.filled_fields",
    "ResolutionService.ProposePlan steps[0].shortage.alternatives",
    "RevisionService.RevisePlan steps[0].shortage.alternatives",
];
/// Rows of imports, which are refused by a verdict of their own, as one violation too: see
/// `services/assignment/tests/rpc/imports.rs`.
const ROWS: &[&str] = &["RosterService.ImportAgents agents[0]."];

#[tokio::test(flavor = "multi_thread")]
async fn every_list_that_is_too_long_is_one_violation() {
    let house = House::open(&SERVICES).await;
    let (mut tried, mut otherwise) = (0, Vec::new());
    for (name, method) in methods() {
        if method.is_client_streaming() {
            continue;
        }
        for List { place, request } in lists(&method.input(), DEPTH) {
            let named = format!("{name} {place}");
            if OUTPUT_ONLY.contains(&named.as_str()) || ROWS.iter().any(|rows| named.starts_with(rows)) {
                continue;
            }
            tried += 1;
            let answer = ask(house.channel(), &method, &request.to_string()).await;
            let told = answer.as_ref().map_err(|status| (status.code(), violations(status)));
            let is_right =
                matches!(&told, Err((Code::InvalidArgument, fields)) if about(&place, fields) == (1, 0));
            if !is_right {
                otherwise.push(format!("{name} {place}: {told:?}"));
            }
        }
    }
    assert!(otherwise.is_empty(), "{} of {tried}: {otherwise:#?}", otherwise.len());
    assert!(tried >= 25, "{tried} lists");
    house.done().await;
}

/// How many violations are about a list itself, and about what is in it.
fn about(place: &str, fields: &[String]) -> (usize, usize) {
    let itself = fields.iter().filter(|field| *field == place).count();
    let within = fields.iter().filter(|field| field.starts_with(&format!("{place}["))).count();
    (itself, within)
}

fn rss() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
}

/// A submission of so many empty vulnerabilities: two bytes each on the wire.
fn vulnerabilities(count: usize) -> Bytes {
    let inner: Vec<u8> = [0x32, 0x00].repeat(count);
    let mut complainant = vec![0x22];
    prost::encoding::encode_varint(inner.len() as u64, &mut complainant);
    complainant.extend(inner);
    let mut request = vec![0x12];
    prost::encoding::encode_varint(complainant.len() as u64, &mut request);
    request.extend(complainant);
    Bytes::from(request)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn messages_that_grow_when_decoded_leave_the_memory_as_it_was() {
    let house = House::open(&SERVICES).await;
    let submit = &methods()["IntakeService.SubmitComplaint"];
    let huge = vulnerabilities(2_000_000);
    let calm = send(house.channel(), submit, huge.clone()).await.unwrap_err();
    assert_eq!((calm.code(), reason(&calm).as_str()), (Code::InvalidArgument, "TOO_MANY_VALUES"));
    let few = send(house.channel(), submit, vulnerabilities(40_000)).await.unwrap_err();
    assert_eq!(violations(&few).iter().filter(|field| field.contains("vulnerabilities")).count(), 1);
    let before = rss();
    let mut most = 0;
    for _ in 0..4 {
        let calls = (0..16).map(|_| send(house.channel(), submit, huge.clone()));
        for answer in futures::future::join_all(calls).await {
            let status = answer.unwrap_err();
            let told = reason(&status);
            assert!(["TOO_MANY_VALUES", "OVERLOADED"].contains(&told.as_str()), "{status:?}");
        }
        most = most.max(rss());
    }
    println!("resident before {before} MiB, at most {most} MiB under 64 messages of 4 MiB, 16 at once");
    // Sixteen of them arrive at both ends of this one process.
    assert!(most < before + 200, "{before} MiB grew to {most} MiB");
    house.done().await;
}

/// The worst of each language that the limits let through, as a request.
fn worst() -> BTreeMap<&'static str, Value> {
    let properties: Map<String, Value> =
        (0..60).map(|at| (at.to_string(), json!({ "pattern": "^(a*)*(b|a*)*c$", "maxLength": 1 }))).collect();
    let schema = json!({ "type": "object", "properties": properties,
        "additionalProperties": { "allOf": vec![json!({ "anyOf": [{ "type": "null" }, { "maxLength": 0 }] }); 100] } });
    let texts = ["text.contains('a') && !text.contains('b')"; 8].join(" || ");
    let rules: Vec<Value> = (0..200)
        .map(|at| json!({ "name": format!("r{at}"), "when": format!("({texts}) && reach > {at}"), "reason": "x", "priority": 1 }))
        .collect();
    let words: Vec<String> = (0..2_000).map(|at| format!("w{at:05}")).collect();
    let mondays: Vec<Value> = ["1st", "2nd", "3rd", "4th"]
        .iter()
        .flat_map(|nth| ["january", "march", "may", "july", "august", "october"].map(|month| json!({ "name": "off", "on": format!("{nth} monday of {month}"), "observance": "OBSERVANCE_NEXT" })))
        .collect();
    let categories: Vec<Value> = (0..10_000).map(|at| json!({ "path": format!("c{at}") })).collect();
    let filter = ["(text:\"a b c d\" OR state = TRIAGED)"; 50].join(" AND ");
    BTreeMap::from([
        (
            "FormService.CreateForm",
            json!({ "request_id": "$KEY", "form": { "title": "x", "schema": schema.to_string() } }),
        ),
        (
            "RemedyTypeService.SetRemedyType",
            json!({ "request_id": "$KEY", "remedy_type": { "type_id": "x", "title": "x", "input_schema": schema.to_string(), "result_schema": schema.to_string() } }),
        ),
        (
            "TriageService.CreateRuleSet",
            json!({ "request_id": "$KEY", "rule_set": { "rules": rules, "word_lists": [{ "name": "w", "words": words }] } }),
        ),
        (
            "CalendarService.CreateCalendar",
            json!({ "request_id": "$KEY", "name": "worst", "content": { "title": "x", "time_zone": "Asia/Shanghai", "hours": { "monday": ["09:00-17:00"] }, "holidays": mondays } }),
        ),
        ("CategoryService.ImportCategories", json!({ "request_id": "$KEY", "categories": categories })),
        ("ClassifierService.ClassifyText", json!({ "text": "退款未到 ".repeat(4_000) })),
        ("CaseService.ListCases", json!({ "filter": filter })),
        ("FormService.ValidateForm", json!({ "form_data": json!({ "a": vec!["x"; 15_000] }).to_string() })),
    ])
}

/// Longest that another call may take meanwhile, without optimisation and on a machine that
/// has more to do; optimised it is a tenth.
const ANSWERED: Duration = Duration::from_secs(1);
/// How often it is tried. What else the machine does only ever makes an answer later: what one
/// try shows to be possible, is. A call that others wait for makes them wait in every try.
const TRIES: usize = 5;

/// The longest that another tenant's call took while four of these were answered.
async fn slowest_beside(house: &House, name: &str, request: &Value, tenant: &str) -> Duration {
    let mut cases = CaseServiceClient::new(house.channel());
    let line = house.channel_as(tenant, "developer", &["admin", "supervisor", "agent", "reader", "channel"]);
    let (method, request) = (methods()[name].clone(), request.to_string());
    let heavy = tokio::spawn(async move {
        let calls = (0..4).map(|_| ask(line.clone(), &method, &request));
        futures::future::join_all(calls).await
    });
    let mut slowest = Duration::ZERO;
    while !heavy.is_finished() {
        let asked = Instant::now();
        cases.list_cases(ListCasesRequest::default()).await.unwrap();
        slowest = slowest.max(asked.elapsed());
    }
    for answer in heavy.await.unwrap() {
        let told = answer.map_err(|status: Status| (status.code(), reason(&status)));
        let refused = matches!(told, Err((Code::Internal | Code::Unknown | Code::PermissionDenied, _)));
        assert!(!refused, "{name}: {told:?}");
    }
    slowest
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_worst_of_each_language_leaves_others_answered() {
    let house = House::builder(&SERVICES).identified().open().await;
    CaseServiceClient::new(house.channel()).list_cases(ListCasesRequest::default()).await.unwrap();
    for (name, request) in worst() {
        let mut tries = Vec::new();
        // Each try by a tenant of its own: nothing of it is there already.
        while tries.iter().all(|slowest| *slowest >= ANSWERED) {
            assert!(tries.len() < TRIES, "{name}: {tries:?}");
            let tenant = format!("heavy-{}", tries.len());
            tries.push(slowest_beside(&house, name, &request, &tenant).await);
        }
        println!("{name}: ListCases took at most {tries:?} meanwhile");
    }
    house.done().await;
}
