//! HTTP/JSON: the same calls, by other words.

mod connect;

use bytes::Bytes;
use http::{Method, Response};
use serde_json::{Value, json};
use server::{Running, Settings};

use crate::identity::{claims, identified, token};
use crate::probe::{self, CASES, FEEDBACK};
use crate::web::http_at;

const JSON: (&str, &str) = ("content-type", "application/json");
const WHO: &str = "/v1/cases/a/feedback";

async fn get(running: &Running, path: &str, headers: &[(&str, &str)]) -> Response<Bytes> {
    http_at(running, path, Method::GET, headers, Bytes::new()).await
}

async fn post(running: &Running, path: &str, headers: &[(&str, &str)], body: &str) -> Response<Bytes> {
    http_at(
        running,
        path,
        Method::POST,
        &[&[JSON], headers].concat(),
        Bytes::copy_from_slice(body.as_bytes()),
    )
    .await
}

fn read(answer: &Response<Bytes>) -> Value {
    assert_eq!(answer.headers()["content-type"], "application/json", "{answer:?}");
    serde_json::from_slice(answer.body()).unwrap()
}

/// The status of HTTP, the code and the reason of a refusal.
fn refusal(answer: &Response<Bytes>) -> (u16, i64, String) {
    let status = read(answer);
    let is_info = |detail: &&Value| detail["@type"] == "type.googleapis.com/google.rpc.ErrorInfo";
    let info = status["details"].as_array().and_then(|all| all.iter().find(is_info)).unwrap();
    assert_eq!(info["domain"], "redress.dev");
    (answer.status().as_u16(), status["code"].as_i64().unwrap(), info["reason"].as_str().unwrap().to_owned())
}

fn lines(answer: &Response<Bytes>) -> Vec<Value> {
    assert_eq!(answer.headers()["content-type"], "application/x-ndjson");
    let text = std::str::from_utf8(answer.body()).unwrap();
    assert!(text.ends_with('\n'));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn a_path_is_a_call() {
    let running = probe::serve(Settings::default(), &[FEEDBACK]).await;
    let answer = get(&running, WHO, &[("redress-subject", "bob")]).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(read(&answer), json!({ "cycles": [{ "caseId": "development/bob/platform" }] }));
    for (name, value) in [("cache-control", "no-store"), ("x-content-type-options", "nosniff")] {
        assert_eq!(answer.headers()[name], value);
    }
    assert!(!answer.headers().keys().any(|name| name.as_str().starts_with("grpc-")), "{answer:?}");
    let body = json!({ "cycle": 1, "response": "RESPONSE_ACCEPTED" }).to_string();
    let answer = post(&running, "/v1/cases/a:respondToOutcome", &[("idempotency-key", "k")], &body).await;
    assert_eq!((answer.status().as_u16(), read(&answer)), (200, json!({})));
    let head = http_at(&running, WHO, Method::HEAD, &[], Bytes::new()).await;
    assert_eq!((head.status().as_u16(), head.body().len()), (200, 0));
    assert!(head.headers()["content-length"].to_str().unwrap().parse::<u32>().unwrap() > 10);
    running.stop().await.unwrap();
}

#[tokio::test]
async fn large_messages_come_and_go_whole() {
    let running = probe::serve(Settings::default(), &[FEEDBACK]).await;
    let answer = get(&running, "/v1/cases/long:200000/feedback", &[]).await;
    assert_eq!(read(&answer)["cycles"][0]["caseId"].as_str().unwrap().len(), 200_000);
    let body = |bytes: usize| json!({ "cycle": 1, "comment": "x".repeat(bytes) }).to_string();
    let path = "/v1/cases/a:respondToOutcome";
    assert_eq!(post(&running, path, &[], &body(300_000)).await.status(), 200);
    let large = post(&running, path, &[], &body(5 << 20)).await;
    assert_eq!(refusal(&large), (400, 3, "MESSAGE_TOO_LARGE".to_owned()));
    running.stop().await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_with_a_reason() {
    let running = probe::serve(Settings::default(), &[FEEDBACK]).await;
    let path = "/v1/cases/a:respondToOutcome";
    let many = format!("{{\"x\":[{}1]}}", "1,".repeat(60_000));
    let deep = format!("{{\"x\":{}", "[".repeat(100));
    for (body, reason) in [
        ("{", "UNREADABLE_JSON"),
        (many.as_str(), "TOO_MANY_VALUES"),
        (&deep, "TOO_DEEP"),
        ("[]", "INVALID_REQUEST"),
        (r#"{"caseId": "b"}"#, "INVALID_REQUEST"),
    ] {
        assert_eq!(refusal(&post(&running, path, &[], body).await), (400, 3, reason.to_owned()));
    }
    let answer =
        post(&running, path, &[("if-match", "\"3\"")], r#"{"cycle": "x", "response": 99, "extra": 1}"#).await;
    let status = read(&answer);
    let fields: Vec<_> = status["details"][1]["fieldViolations"].as_array().unwrap().iter().collect();
    let fields: Vec<_> = fields.iter().map(|field| field["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["cycle", "response", "extra", "If-Match"]);
    assert_eq!(status["message"], "the request is not valid: see cycle, response, extra, If-Match");
    let answer = get(&running, "/v1/notices?pageSize=1&page_sise=2", &[]).await;
    assert_eq!(read(&answer)["details"][1]["fieldViolations"][0]["field"], "page_sise");
    running.stop().await.unwrap();
}

#[tokio::test]
async fn errors_of_calls_have_a_body_and_a_status_of_http() {
    let running = probe::serve(Settings::default(), &[FEEDBACK]).await;
    for (path, headers, expected) in [
        ("/v1/cases/panic:loud/feedback", &[][..], (500, 13, "INTERNAL")),
        ("/v1/plans/a", &[], (501, 12, "UNKNOWN_SERVICE")),
        (WHO, &[("redress-subject", "")], (401, 16, "UNAUTHENTICATED")),
        (WHO, &[("grpc-timeout", "soon")], (400, 3, "INVALID_TIMEOUT")),
        ("/v1/cases/slow:json/feedback", &[("grpc-timeout", "100m")], (504, 4, "DEADLINE_EXCEEDED")),
        (WHO, &[("redress-consistency-token", "x")], (400, 3, "INVALID_CONSISTENCY_TOKEN")),
        (WHO, &[("host", "evil.example")], (403, 7, "HOST_NOT_ALLOWED")),
        (WHO, &[("origin", "https://evil.example")], (403, 7, "ORIGIN_NOT_ALLOWED")),
    ] {
        let answer = get(&running, path, headers).await;
        assert_eq!(refusal(&answer), (expected.0, expected.1, expected.2.to_owned()), "{path} {headers:?}");
    }
    running.stop().await.unwrap();
}

#[tokio::test]
async fn what_is_no_call_is_answered_in_http() {
    let running = probe::serve(Settings::default(), &[FEEDBACK]).await;
    let none = get(&running, "/v1/nothing", &[]).await;
    assert_eq!(refusal(&none), (404, 5, "NO_SUCH_PATH".to_owned()));
    for (method, status) in [(Method::DELETE, 405), (Method::PUT, 405), (Method::OPTIONS, 204)] {
        let answer = http_at(&running, "/v1/departments/a", method.clone(), &[], Bytes::new()).await;
        assert_eq!(answer.status().as_u16(), status, "{method}");
        assert_eq!(answer.headers()["allow"], "GET, HEAD, OPTIONS, PATCH");
        assert_eq!(answer.body().is_empty(), status == 204);
    }
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let answer =
        http_at(&running, "/v1/cases/a:respondToOutcome", Method::POST, &form, "cycle=1".into()).await;
    assert_eq!(refusal(&answer), (415, 3, "UNSUPPORTED_MEDIA_TYPE".to_owned()));
    let answer = get(&running, WHO, &[("accept", "text/html")]).await;
    assert_eq!(refusal(&answer), (406, 3, "NOT_ACCEPTABLE".to_owned()));
    let answer = get(&running, "/favicon.ico", &[]).await;
    assert_eq!(answer.status(), 405);
    running.stop().await.unwrap();
}

#[tokio::test]
async fn nothing_is_parsed_for_a_stranger() {
    let running = probe::serve(identified(), &[FEEDBACK]).await;
    let path = "/v1/cases/a:respondToOutcome";
    let stranger = post(&running, path, &[], "{").await;
    assert_eq!(stranger.headers()["connection"], "close", "what is left of the request is not read");
    assert_eq!(
        (stranger.status().as_u16(), &stranger.headers()["www-authenticate"]),
        (401, &"Bearer".parse().unwrap())
    );
    let bearer = format!("Bearer {}", token(Some("first"), &claims()));
    let alice = [("authorization", bearer.as_str())];
    // An agent answers for no complainant.
    assert_eq!(refusal(&post(&running, path, &alice, "{").await), (403, 7, "ROLE_REQUIRED".to_owned()));
    let answer = get(&running, WHO, &alice).await;
    assert_eq!(read(&answer)["cycles"][0]["caseId"], "tenant-b/alice/agent");
    running.stop().await.unwrap();
}

const WATCH: &str = "/v1/cases/a:watch";

#[tokio::test]
async fn a_stream_is_lines_and_says_how_it_ends() {
    let running = probe::serve(Settings::default(), &[CASES]).await;
    let whole = lines(&get(&running, WATCH, &[("script", "whole")]).await);
    assert_eq!(whole, [json!({ "result": { "case": {} } }), json!({ "status": { "code": 0 } })]);
    let broken = lines(&get(&running, WATCH, &[("script", "panic")]).await);
    assert_eq!((broken.len(), &broken[1]["status"]["code"]), (2, &json!(13)), "{broken:?}");
    let ended = lines(&get(&running, WATCH, &[("grpc-timeout", "300m")]).await);
    assert_eq!(ended[0], json!({ "result": { "case": {} } }));
    assert_eq!(ended[1]["status"]["code"], 4);
    assert_eq!(ended[1]["status"]["details"][0]["reason"], "DEADLINE_EXCEEDED");
    let refused = get(&running, WATCH, &[("accept", "application/json")]).await;
    assert_eq!(refusal(&refused), (406, 3, "NOT_ACCEPTABLE".to_owned()));
    let refused = get(&running, &format!("{WATCH}?x=1"), &[]).await;
    assert_eq!(refusal(&refused), (400, 3, "INVALID_REQUEST".to_owned()));
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_stream_is_events_where_they_are_accepted() {
    let running = probe::serve(Settings::default(), &[CASES]).await;
    let answer = get(&running, WATCH, &[("script", "whole"), ("accept", "text/event-stream")]).await;
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    let expected = "data: {\"case\":{}}\n\nevent: status\ndata: {\"code\":0}\n\n";
    assert_eq!(std::str::from_utf8(answer.body()).unwrap(), expected);
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_stream_ends_in_good_order_with_the_server() {
    let running = probe::serve(Settings::default(), &[CASES]).await;
    let url = format!("http://{}{WATCH}", running.address());
    let client = hyper_util::client::legacy::Client::builder(hyper_util::rt::TokioExecutor::new());
    let request = http::Request::get(url).body(http_body_util::Full::<Bytes>::default()).unwrap();
    let answer = client.build_http().request(request).await.unwrap();
    let stopped = tokio::spawn(running.stop());
    let body = http_body_util::BodyExt::collect(answer.into_body()).await.unwrap().to_bytes();
    let last: Value = serde_json::from_slice(body.split(|byte| *byte == b'\n').nth_back(1).unwrap()).unwrap();
    assert_eq!(last["status"]["code"], 14, "{last}");
    assert!(last.to_string().contains("\"STOPPING\""), "{last}");
    stopped.await.unwrap().unwrap();
}

#[tokio::test]
async fn over_http_2_it_is_the_same() {
    let running = probe::serve(Settings::default(), &[FEEDBACK]).await;
    let client = hyper_util::client::legacy::Client::builder(hyper_util::rt::TokioExecutor::new())
        .http2_only(true)
        .build_http();
    let url = format!("http://{}{WHO}", running.address());
    let request = http::Request::get(url).body(http_body_util::Full::<Bytes>::default()).unwrap();
    let (parts, body) = client.request(request).await.unwrap().into_parts();
    let body = http_body_util::BodyExt::collect(body).await.unwrap().to_bytes();
    assert_eq!((parts.status.as_u16(), parts.version), (200, http::Version::HTTP_2));
    let answer: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(answer, json!({ "cycles": [{ "caseId": "development/developer/platform" }] }));
    // A page's own name that points here is no name of this machine.
    let port = running.address().port();
    let request =
        http::Request::get(format!("http://127.0.0.1:{port}{WHO}")).header("origin", "https://evil.example");
    let request = request.body(http_body_util::Full::<Bytes>::default()).unwrap();
    assert_eq!(client.request(request).await.unwrap().status(), 403);
    running.stop().await.unwrap();
}

#[tokio::test]
async fn the_document_is_served() {
    let running = probe::serve(Settings::default(), &[FEEDBACK]).await;
    let answer = get(&running, "/openapi.json", &[]).await;
    let document = read(&answer);
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(
        document["paths"]["/v1/cases/{case_id}/feedback"]["get"]["operationId"],
        "FeedbackService_GetFeedback"
    );
    let answer = post(&running, "/openapi.json", &[], "{}").await;
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["allow"]),
        (405, &"GET, HEAD, OPTIONS".parse().unwrap())
    );
    running.stop().await.unwrap();
}

#[tokio::test]
async fn pages_of_known_origins_may_use_every_method() {
    let origin = "https://desk.example.org";
    let settings = Settings { web_origins: vec![origin.parse().unwrap()], ..Settings::default() };
    let running = probe::serve(settings, &[FEEDBACK]).await;
    let asks = [("origin", origin), ("access-control-request-method", "PATCH")];
    let answer = http_at(&running, "/v1/departments/a", Method::OPTIONS, &asks, Bytes::new()).await;
    let methods = answer.headers()["access-control-allow-methods"].to_str().unwrap();
    assert!(
        ["GET", "POST", "PUT", "PATCH", "DELETE"].iter().all(|method| methods.contains(method)),
        "{methods}"
    );
    let answer = get(&running, WHO, &[("origin", origin)]).await;
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["access-control-allow-origin"]),
        (200, &origin.parse().unwrap())
    );
    running.stop().await.unwrap();
}
