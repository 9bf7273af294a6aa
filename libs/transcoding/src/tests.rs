//! Requests and answers of the real contracts.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use http::Method;
use proptest::prelude::*;
use prost::Message as _;
use prost_reflect::{DynamicMessage, MessageDescriptor};
use proto::redress::cases::v1::{CaseState, GetCaseRequest, ListCasesRequest};
use proto::redress::intake::v1::{Complaint, SubmitComplaintRequest};
use serde_json::{Value as Json, json};
use tonic_types::pb;

use crate::limits::{MAX_DEPTH, MAX_PATH_BYTES, MAX_QUERY_PARAMETERS, MAX_VALUES, MAX_VIOLATIONS};
use crate::status::{Outcome, http_status, retry_after};
use crate::{Contracts, Found, HttpCall, Refused, answer, bind, openapi, read};

static CONTRACTS: LazyLock<Contracts> =
    LazyLock::new(|| Contracts::read(&[proto::DESCRIPTOR_SET, pb::FILE_DESCRIPTOR_SET], "redress").unwrap());

/// Who asks with a stream has no way by HTTP/JSON; and what the suite calls itself, at
/// workers that listen, is not served.
const UNREACHED: [&str; 9] = [
    "/redress.directory.v1.Directory/GetCustomer",
    "/redress.directory.v1.Directory/GetProduct",
    "/redress.directory.v1.Directory/ListContacts",
    "/redress.directory.v1.Directory/ListOrders",
    "/redress.intake.v1.AttachmentService/UploadAttachment",
    "/redress.intake.v1.IntakeService/SubmitComplaints",
    "/redress.resolution.v1.DepartmentWorker/CancelTask",
    "/redress.resolution.v1.DepartmentWorker/DeliverTask",
    "/redress.resolution.v1.LedgerService/ReconcileStatement",
];

#[test]
fn every_rpc_but_those_has_a_rule() {
    let reached: BTreeSet<usize> = CONTRACTS.routes().iter().map(|route| route.rpc).collect();
    let rpcs = CONTRACTS.rpcs().iter().enumerate();
    let unreached: BTreeSet<&str> =
        rpcs.filter(|(at, _)| !reached.contains(at)).map(|(_, rpc)| rpc.path.as_str()).collect();
    assert_eq!(unreached, BTreeSet::from(UNREACHED));
    assert!(CONTRACTS.routes().len() > 250, "rules are missing");
    for route in CONTRACTS.routes() {
        let rpc = &CONTRACTS.rpcs()[route.rpc];
        assert!(!rpc.streams_requests, "{} asks with a stream", rpc.path);
        let may_be_asked_again = rpc.input.get_field_by_name("request_id").is_none();
        assert!(route.method != Method::GET || may_be_asked_again, "{} changes something by GET", rpc.path);
    }
}

/// Links land in histories and logs: what only the complainant knows is in none.
#[test]
fn no_secret_is_in_a_link() {
    for route in CONTRACTS.routes() {
        let rpc = &CONTRACTS.rpcs()[route.rpc];
        for secret in ["receipt_code", "survey_code", "lease_token", "secret", "text"] {
            let has_it = rpc.input.get_field_by_name(secret).is_some();
            let is_in_path = route.template.fields().any(|field| field == secret);
            let is_in_query = has_it && route.method == Method::GET;
            assert!(!is_in_path && !is_in_query, "{}: {secret}", rpc.path);
        }
    }
}

fn found(method: &Method, path: &str) -> String {
    match CONTRACTS.route(method, path) {
        Found::Route(route, _) => CONTRACTS.rpcs()[route.rpc].path.rsplit('/').next().unwrap().to_owned(),
        Found::Methods(mut methods) => {
            methods.sort_by_key(|method| method.as_str().to_owned());
            format!("{methods:?}")
        }
        Found::Nothing => "nothing".to_owned(),
    }
}

#[test]
fn a_method_and_a_path_mean_an_rpc() {
    for (method, path, rpc) in [
        (Method::GET, "/v1/cases", "ListCases"),
        (Method::HEAD, "/v1/cases/a", "GetCase"),
        (Method::GET, "/v1/cases:count", "CountCases"),
        (Method::GET, "/v1/cases/a:watch", "WatchCase"),
        (Method::GET, "/v1/cases/a:b", "GetCase"),
        (Method::POST, "/v1/cases/a:close", "CloseCase"),
        (Method::GET, "/v1/cases/a:close", "[POST]"),
        (Method::DELETE, "/v1/cases:count", "[GET]"),
        (Method::POST, "/v1/cases/a:unknown", "[GET]"),
        (Method::PATCH, "/v1/departments/d", "UpdateDepartment"),
        (Method::DELETE, "/v1/departments/d", "[GET, PATCH]"),
        (Method::DELETE, "/v1/endpoints/d", "DeleteEndpoint"),
        (Method::GET, "/v1/categories/delivery/late", "GetCategory"),
        (Method::POST, "/v1/plans/p/revisions/2:approve", "ApprovePlanRevision"),
        (Method::GET, "/v1/", "nothing"),
        (Method::GET, "/", "nothing"),
        (Method::GET, "*", "nothing"),
    ] {
        assert_eq!(found(&method, path), rpc, "{method} {path}");
    }
    let long = format!("/v1/cases/{}", "a".repeat(MAX_PATH_BYTES));
    assert_eq!(found(&Method::GET, &long), "nothing");
    assert_eq!(found(&Method::GET, &"/v1".repeat(10_000)), "nothing");
}

/// The request of a call, or the fields at fault with what is said of them.
fn ask(method: &Method, path: &str, asked: &HttpCall<'_>) -> Result<DynamicMessage, Refused> {
    let Found::Route(route, variables) = CONTRACTS.route(method, path) else {
        panic!("{path} means nothing")
    };
    let input = &CONTRACTS.rpcs()[route.rpc].input;
    bind(input, route, &HttpCall { variables: &variables, ..asked.clone() })
}

fn fields<T: std::fmt::Debug>(refused: Result<T, Refused>) -> Vec<String> {
    match refused.unwrap_err() {
        Refused::Fields(violations, 0) => violations.into_iter().map(|one| one.field).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn path_and_query_are_fields() {
    let request = ask(&Method::GET, "/v1/cases/a%2Fb", &HttpCall::default()).unwrap();
    assert_eq!(request.transcode_to::<GetCaseRequest>().unwrap().case_id, "a/b");
    let query = "pageSize=7&state=CASE_STATE_CLOSED&filter=a%20b&order_by=c+d";
    let request = ask(&Method::GET, "/v1/cases", &HttpCall { query, ..HttpCall::default() }).unwrap();
    let expected = ListCasesRequest {
        page_size: 7,
        state: CaseState::Closed.into(),
        filter: "a b".into(),
        order_by: "c d".into(),
        ..ListCasesRequest::default()
    };
    assert_eq!(request.transcode_to::<ListCasesRequest>().unwrap(), expected);
    let query = "fields=state&fields=channel";
    let request = ask(&Method::GET, "/v1/cases:facet", &HttpCall { query, ..HttpCall::default() }).unwrap();
    assert_eq!(serde_json::to_value(&request).unwrap(), json!({ "fields": ["state", "channel"] }));
    let query = "startTime=2026-12-01T09:00:00%2B08:00&end_time=2026-12-02T00:00:00Z";
    let request =
        ask(&Method::GET, "/v1/callBacks:count", &HttpCall { query, ..HttpCall::default() }).unwrap();
    assert_eq!(serde_json::to_value(&request).unwrap()["startTime"], "2026-12-01T01:00:00Z");
}

#[test]
fn everything_wrong_with_a_query_is_told_at_once() {
    let query = "pageSize=x&state=OPEN&filter=a&filter=b&what=1&page_size=9999999999&caseId.x=1";
    let refused = ask(&Method::GET, "/v1/cases", &HttpCall { query, ..HttpCall::default() });
    assert_eq!(fields(refused), ["page_size", "state", "filter", "what", "page_size", "caseId.x"]);
    let refused = ask(&Method::GET, "/v1/cases/a", &HttpCall { query: "case_id=a", ..HttpCall::default() });
    assert_eq!(fields(refused), ["case_id"]);
    let refused = ask(&Method::GET, "/v1/cases/%FF", &HttpCall::default());
    assert_eq!(fields(refused), ["case_id"]);
    let refused =
        ask(&Method::POST, "/v1/complaints", &HttpCall { query: "request_id=a", ..HttpCall::default() });
    assert_eq!(fields(refused), ["request_id"]);
    let refused = ask(&Method::GET, "/v1/cases", &HttpCall { body: b"{}", ..HttpCall::default() });
    assert_eq!(fields(refused), ["body"]);
    // None of it is read as other text than was sent.
    let query = "customerId=%FF&page%FEsize=1&=1&filter=%C3%A4";
    let refused = ask(&Method::GET, "/v1/cases", &HttpCall { query, ..HttpCall::default() });
    assert_eq!(fields(refused), ["customerId", "page\u{fffd}size", "query"]);
    let query = "x".repeat(MAX_PATH_BYTES + 1);
    let refused = ask(&Method::GET, "/v1/cases", &HttpCall { query: &query, ..HttpCall::default() });
    assert_eq!(fields(refused), ["query"]);
    let many = "x=1&".repeat(MAX_QUERY_PARAMETERS + 1);
    let Err(Refused::Fields(noted, more)) =
        ask(&Method::GET, "/v1/cases", &HttpCall { query: &many, ..HttpCall::default() })
    else {
        panic!("they are too many")
    };
    assert_eq!((noted.len(), more), (MAX_VIOLATIONS, MAX_QUERY_PARAMETERS + 1 - MAX_VIOLATIONS));
}

#[test]
fn a_body_is_the_request() {
    let body = json!({
        "requestId": "r",
        "complaint": {
            "channel": "CHANNEL_WEB", "subject": "早", "consent_given": true, "language": null,
            "complainant": { "customerId": "C-9" },
        },
    });
    let body = body.to_string();
    let request =
        ask(&Method::POST, "/v1/complaints", &HttpCall { body: body.as_bytes(), ..HttpCall::default() });
    let request: SubmitComplaintRequest = request.unwrap().transcode_to().unwrap();
    let complaint = request.complaint.unwrap();
    assert_eq!((request.request_id.as_str(), complaint.subject.as_str()), ("r", "早"));
    assert!(complaint.consent_given);
    assert_eq!(complaint.complainant.unwrap().customer_id, "C-9");
}

#[test]
fn everything_wrong_with_a_body_is_told_at_once() {
    let body = r#"{"requestId": 7, "request_id": "twice", "extra": 1,
        "complaint": {"channel": "WEB", "subjekt": 1, "consentGiven": "yes", "complainant": [], "externalRefs": {}}}"#;
    let refused =
        ask(&Method::POST, "/v1/complaints", &HttpCall { body: body.as_bytes(), ..HttpCall::default() });
    let told = fields(refused);
    let first = ["request_id", "request_id", "extra", "complaint.channel", "complaint.subjekt"];
    assert_eq!(told[..5], first);
    assert!(told.contains(&"complaint.consent_given".to_owned()), "{told:?}");
    assert!(told.contains(&"complaint.complainant".to_owned()), "{told:?}");
    let steps =
        br#"{"steps": [{"kind": "REMEDY_KIND_REFUND"}, null, {"amount": {"units": "1.5", "nanos": 0.5}}]}"#;
    let refused =
        ask(&Method::POST, "/v1/cases/a:proposePlan", &HttpCall { body: steps, ..HttpCall::default() });
    assert_eq!(fields(refused), ["steps[1]", "steps[2].amount.units", "steps[2].amount.nanos"]);
}

#[test]
fn no_part_of_a_time_is_cut_off() {
    let post = |path: &str, body: &str| {
        ask(&Method::POST, path, &HttpCall { body: body.as_bytes(), ..HttpCall::default() })
    };
    let at = |time: &str| post("/v1/complaints", &format!("{{\"complaint\": {{\"occurTime\": {time:?}}}}}"));
    let whole = at("2026-01-02T03:04:05.123456789+08:00").unwrap();
    let occur_time = &serde_json::to_value(&whole).unwrap()["complaint"]["occurTime"];
    assert_eq!(occur_time, "2026-01-01T19:04:05.123456789Z");
    for time in
        ["\"2026-01-02T03:04:05Z\"", "2026-01-02T03:04:05.1234567891Z", "2026-01-02T03:04:05.0000000000Z"]
    {
        assert_eq!(fields(at(time)), ["complaint.occur_time"], "{time}");
    }
    let wait =
        |length: &str| post("/v1/departments/care:pollTasks", &format!("{{\"waitDuration\": {length:?}}}"));
    assert!(wait("1.123456789s").is_ok());
    assert_eq!(fields(wait("1.1234567891s")), ["wait_duration"]);
    for query in ["startTime=2026-12-01T09:00:00.1234567891Z", "startTime=%222026-12-01T09:00:00Z%22"] {
        let refused = ask(&Method::GET, "/v1/callBacks:count", &HttpCall { query, ..HttpCall::default() });
        assert_eq!(fields(refused), ["start_time"], "{query}");
    }
}

#[test]
fn what_is_no_json_or_too_much_is_refused() {
    let post = |body: &[u8]| ask(&Method::POST, "/v1/complaints", &HttpCall { body, ..HttpCall::default() });
    for wrong in ["{", "{} {}", "{'a': 1}", "\u{feff}{}", "{\"complaint\": 1e999}", "nul"] {
        assert!(matches!(post(wrong.as_bytes()), Err(Refused::NoJson(_))), "{wrong}");
    }
    assert!(matches!(post(b"{\"requestId\": \"\xff\"}"), Err(Refused::NoJson(_))));
    assert_eq!(fields(post(b"[]")), ["body"]);
    assert_eq!(fields(post(b"7")), ["body"]);
    let deep = format!("{{\"x\": {}{}}}", "[".repeat(MAX_DEPTH), "]".repeat(MAX_DEPTH));
    assert_eq!(post(deep.as_bytes()), Err(Refused::TooDeep));
    let many = format!("{{\"x\": [{}1]}}", "1,".repeat(MAX_VALUES));
    assert_eq!(post(many.as_bytes()), Err(Refused::TooManyValues));
    // What is in a string is no value, and no level.
    let text = format!("{{\"requestId\": \"{}\\\"{}\"}}", "[".repeat(MAX_DEPTH + 1), ",".repeat(MAX_VALUES));
    assert!(post(text.as_bytes()).is_ok());
}

#[test]
fn headers_are_fields_and_contradict_nothing() {
    let path = "/v1/cases/a:close";
    let close = |body: &[u8], key: Option<&str>, tag: Option<&str>| {
        let asked = HttpCall { body, idempotency_key: key, if_match: tag, ..HttpCall::default() };
        ask(&Method::POST, path, &asked).map(|request| serde_json::to_value(&request).unwrap())
    };
    let expected = json!({ "caseId": "a", "requestId": "k", "expectedVersion": "3" });
    assert_eq!(close(b"", Some("k"), Some("\"3\"")), Ok(expected.clone()));
    assert_eq!(close(br#"{"requestId": "k", "caseId": "a"}"#, Some("k"), Some("3")), Ok(expected.clone()));
    assert_eq!(close(br#"{"requestId": "k", "expectedVersion": 3}"#, None, Some("*")), Ok(expected));
    let wrong = close(br#"{"requestId": "j", "caseId": "b", "expectedVersion": 4}"#, Some("k"), Some("3"));
    assert_eq!(fields(wrong), ["case_id", "request_id", "expected_version"]);
    for tag in ["x", "\"3\", \"4\"", "W/\"3\"", ""] {
        assert_eq!(fields(close(b"", None, Some(tag))), ["If-Match"], "{tag}");
    }
    let asked = HttpCall { if_match: Some("3"), idempotency_key: Some("k"), ..HttpCall::default() };
    assert_eq!(fields(ask(&Method::GET, "/v1/cases/a", &asked)), ["If-Match"]);
}

#[test]
fn a_path_may_be_a_field_of_the_message_in_the_body() {
    let body = br#"{"department": {"displayName": "Care"}}"#;
    let request =
        ask(&Method::PATCH, "/v1/departments/care", &HttpCall { body, ..HttpCall::default() }).unwrap();
    let department = json!({ "departmentId": "care", "displayName": "Care" });
    assert_eq!(serde_json::to_value(&request).unwrap(), json!({ "department": department }));
    let body = br#"{"department": {"departmentId": "finance"}}"#;
    let refused = ask(&Method::PATCH, "/v1/departments/care", &HttpCall { body, ..HttpCall::default() });
    assert_eq!(fields(refused), ["department.department_id"]);
}

fn complaint() -> MessageDescriptor {
    CONTRACTS.pool().get_message_by_name("redress.intake.v1.Complaint").unwrap()
}

#[test]
fn errors_have_their_details() {
    let info = pb::ErrorInfo { reason: "X".into(), domain: "redress.dev".into(), ..Default::default() };
    let retry = pb::RetryInfo { retry_delay: Some(prost_types_duration(0, 250_000_000)) };
    let any = |name: &str, value: Vec<u8>| prost_reflect_any(name, value);
    let details = vec![
        any("google.rpc.ErrorInfo", info.encode_to_vec()),
        any("google.rpc.RetryInfo", retry.encode_to_vec()),
        any("somebody.elses.Message", vec![1, 2]),
    ];
    let status = pb::Status { code: 8, message: "later".into(), details };
    let outcome = Outcome { code: 8, message: "later".into(), details: status.encode_to_vec() };
    let pool = CONTRACTS.pool();
    assert_eq!(
        outcome.to_json(pool),
        json!({ "code": 8, "message": "later", "details": [
            { "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "X", "domain": "redress.dev" },
            { "@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "0.250s" },
            { "@type": "type.googleapis.com/somebody.elses.Message", "value": "AQI=" },
        ] })
    );
    assert_eq!(retry_after(&outcome, pool), Some(1));
    let connect = outcome.to_connect(pool);
    assert_eq!((&connect["code"], &connect["message"]), (&json!("resource_exhausted"), &json!("later")));
    assert_eq!(connect["details"][2], json!({ "type": "somebody.elses.Message", "value": "AQI" }));
    assert_eq!(connect["details"][0]["debug"]["reason"], "X");
    assert_eq!(Outcome { code: 5, ..Outcome::default() }.to_json(pool), json!({ "code": 5 }));
    assert_eq!(http_status(8).as_u16(), 429);
    assert_eq!((http_status(99).as_u16(), http_status(-1).as_u16()), (500, 500));
}

fn prost_types_duration(seconds: i64, nanos: i32) -> prost_types::Duration {
    prost_types::Duration { seconds, nanos }
}

fn prost_reflect_any(name: &str, value: Vec<u8>) -> prost_types::Any {
    prost_types::Any { type_url: format!("type.googleapis.com/{name}"), value }
}

fn references(json: &Json, found: &mut BTreeSet<String>) {
    match json {
        Json::Object(members) => {
            for (name, value) in members {
                match value {
                    Json::String(text) if name == "$ref" => {
                        found.insert(text.clone());
                    }
                    other => references(other, found),
                }
            }
        }
        Json::Array(list) => list.iter().for_each(|one| references(one, found)),
        _ => {}
    }
}

#[test]
fn the_document_has_every_route_and_every_schema() {
    let info = openapi::Info { title: "Redress", version: "v1", description: "" };
    let document = openapi::document(&CONTRACTS, &info);
    let paths = document["paths"].as_object().unwrap();
    let operations: Vec<&Json> = paths.values().flat_map(|path| path.as_object().unwrap().values()).collect();
    assert_eq!(operations.len(), CONTRACTS.routes().len());
    let ids: BTreeSet<_> = operations.iter().map(|one| one["operationId"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), operations.len());
    assert!(operations.iter().all(|one| !one["description"].as_str().unwrap().is_empty()));
    let shapes: BTreeSet<String> = CONTRACTS.routes().iter().map(|route| route.template.shape()).collect();
    assert_eq!(paths.len(), shapes.len(), "two paths differ only by the names of their variables");
    let mut named = BTreeSet::new();
    references(&document, &mut named);
    assert!(named.len() > 200, "{}", named.len());
    for reference in named {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some_and(|schema| !schema.is_null()), "{reference}");
    }
    let close = &document["paths"]["/v1/cases/{case_id}:close"]["post"];
    let body = &close["requestBody"]["content"]["application/json"]["schema"]["properties"];
    assert!(body.get("caseId").is_none() && body.get("expectedVersion").is_some(), "{body}");
}

proptest! {
    #[test]
    fn no_bytes_break_a_request(body in proptest::collection::vec(any::<u8>(), 0..200), query in any::<String>()) {
        let asked = HttpCall { body: &body, query: &query, idempotency_key: Some(&query), if_match: Some(&query), ..HttpCall::default() };
        let _ = ask(&Method::POST, "/v1/complaints", &asked);
        let _ = ask(&Method::GET, "/v1/cases", &asked);
        let _ = CONTRACTS.route(&Method::GET, &query);
    }

    #[test]
    fn what_is_written_reads_the_same(
        subject in any::<String>(),
        channel in 0..5_i32,
        consent in any::<bool>(),
        raw in proptest::collection::vec(any::<u8>(), 0..60),
    ) {
        let complaint_written = Complaint { subject, channel, consent_given: consent, ..Complaint::default() };
        let written = answer(&complaint(), &complaint_written.encode_to_vec()).unwrap();
        let again: Complaint = read(&complaint(), &written).unwrap().transcode_to().unwrap();
        prop_assert_eq!(again, complaint_written);
        // Whatever decodes and can be written reads, but for numbers no enum has.
        if let Ok(written) = answer(&complaint(), &raw) {
            let _ = read(&complaint(), &written);
        }
    }
}
