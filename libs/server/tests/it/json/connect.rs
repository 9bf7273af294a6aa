//! The Connect protocol, by bytes written here.

use bytes::Bytes;
use http::{Method, Response};
use prost::Message as _;
use proto::redress::feedback::v1::GetFeedbackResponse;
use serde_json::{Value, json};
use server::{Running, Settings};

use crate::probe::{self, CASES, FEEDBACK, about};
use crate::web::http_at;

const GET_FEEDBACK: &str = "/redress.feedback.v1.FeedbackService/GetFeedback";
const WATCH: &str = "/redress.cases.v1.CaseService/WatchCase";
const VERSION: (&str, &str) = ("connect-protocol-version", "1");

async fn call(
    running: &Running,
    path: &str,
    kind: &str,
    headers: &[(&str, &str)],
    body: impl Into<Bytes>,
) -> Response<Bytes> {
    let headers = [&[("content-type", kind), VERSION], headers].concat();
    http_at(running, path, Method::POST, &headers, body.into()).await
}

fn read(answer: &Response<Bytes>) -> Value {
    assert_eq!(answer.headers()["content-type"], "application/json", "{answer:?}");
    serde_json::from_slice(answer.body()).unwrap()
}

fn envelope(flags: u8, message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap();
    [&[flags], &length.to_be_bytes()[..], message].concat()
}

fn envelopes(answer: &Response<Bytes>) -> Vec<(u8, Vec<u8>)> {
    assert_eq!(answer.status(), 200);
    let (mut rest, mut found) = (&answer.body()[..], Vec::new());
    while let Some((header, after)) = rest.split_first_chunk::<5>() {
        let length =
            usize::try_from(u32::from_be_bytes([header[1], header[2], header[3], header[4]])).unwrap();
        found.push((header[0], after[..length].to_vec()));
        rest = &after[length..];
    }
    assert!(rest.is_empty());
    found
}

#[tokio::test]
async fn one_message_is_answered_with_one() {
    let running = probe::serve(Settings::default(), &[FEEDBACK]).await;
    let who = [("redress-subject", "bob")];
    let answer = call(&running, GET_FEEDBACK, "application/json", &who, r#"{"caseId": "a"}"#).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(read(&answer), json!({ "cycles": [{ "caseId": "development/bob/platform" }] }));
    let answer = call(&running, GET_FEEDBACK, "application/proto", &who, about("a").encode_to_vec()).await;
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["content-type"]),
        (200, &"application/proto".parse().unwrap())
    );
    let message = GetFeedbackResponse::decode(answer.body().clone()).unwrap();
    assert_eq!(message.cycles[0].case_id, "development/bob/platform");
    running.stop().await.unwrap();
}

#[tokio::test]
async fn errors_are_connects() {
    let running = probe::serve(Settings::default(), &[FEEDBACK]).await;
    let slow = r#"{"caseId": "slow:connect"}"#;
    for (kind, headers, body, expected) in [
        ("application/json", &[][..], r#"{"case": "a"}"#, (400, "invalid_argument", "INVALID_REQUEST")),
        ("application/json", &[], "{", (400, "invalid_argument", "UNREADABLE_JSON")),
        ("application/proto", &[], "\u{7f}\u{7f}", (400, "invalid_argument", "UNREADABLE_MESSAGE")),
        (
            "application/json",
            &[("connect-timeout-ms", "100")],
            slow,
            (504, "deadline_exceeded", "DEADLINE_EXCEEDED"),
        ),
        (
            "application/json",
            &[("connect-timeout-ms", "x")],
            "{}",
            (400, "invalid_argument", "INVALID_TIMEOUT"),
        ),
        ("application/json", &[("redress-subject", "")], "{}", (401, "unauthenticated", "UNAUTHENTICATED")),
        (
            "application/json",
            &[("content-encoding", "gzip")],
            "{}",
            (501, "unimplemented", "UNKNOWN_ENCODING"),
        ),
    ] {
        let answer = call(&running, GET_FEEDBACK, kind, headers, body).await;
        let error = read(&answer);
        let reason = &error["details"][0]["debug"]["reason"];
        assert_eq!(error["details"][0]["type"], "google.rpc.ErrorInfo");
        let found = (answer.status().as_u16(), error["code"].as_str().unwrap(), reason.as_str().unwrap());
        assert_eq!(found, expected, "{kind} {headers:?} {body}");
        assert!(!error["message"].as_str().unwrap().is_empty());
    }
    let other = [("content-type", "application/json"), ("connect-protocol-version", "2")];
    let answer = http_at(&running, GET_FEEDBACK, Method::POST, &other, "{}".into()).await;
    assert_eq!((answer.status().as_u16(), &read(&answer)["code"]), (400, &json!("invalid_argument")));
    running.stop().await.unwrap();
}

#[tokio::test]
async fn ten_digits_of_milliseconds_can_be_waited() {
    let running = probe::serve(Settings::default(), &[FEEDBACK]).await;
    for (told, status) in
        [("9999999999", 200), ("99999999", 200), ("12345678901", 400), ("", 400), ("-1", 400)]
    {
        let answer =
            call(&running, GET_FEEDBACK, "application/json", &[("connect-timeout-ms", told)], "{}").await;
        assert_eq!(answer.status().as_u16(), status, "{told}");
    }
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_kind_that_the_rpc_is_not_called_by_is_refused() {
    let running = probe::serve(Settings::default(), &[FEEDBACK, CASES]).await;
    let answer = call(&running, GET_FEEDBACK, "application/connect+json", &[], envelope(0, b"{}")).await;
    assert_eq!(answer.status(), 415);
    assert_eq!(answer.headers()["accept-post"], "application/json, application/proto");
    let answer = call(&running, WATCH, "application/json", &[], "{}").await;
    assert_eq!(answer.status(), 415);
    assert_eq!(answer.headers()["accept-post"], "application/connect+json, application/connect+proto");
    running.stop().await.unwrap();
}

#[tokio::test]
async fn streams_are_in_envelopes_and_say_how_they_end() {
    let running = probe::serve(Settings::default(), &[CASES]).await;
    let ask = envelope(0, br#"{"caseId": "a"}"#);
    let whole = call(&running, WATCH, "application/connect+json", &[("script", "whole")], ask.clone()).await;
    assert_eq!(whole.headers()["content-type"], "application/connect+json");
    assert_eq!(envelopes(&whole), [(0, br#"{"case":{}}"#.to_vec()), (2, b"{}".to_vec())]);
    let whole =
        call(&running, WATCH, "application/connect+proto", &[("script", "whole")], envelope(0, b"")).await;
    assert_eq!(whole.headers()["content-type"], "application/connect+proto");
    assert_eq!(envelopes(&whole), [(0, vec![10, 0]), (2, b"{}".to_vec())]);
    let broken = call(&running, WATCH, "application/connect+json", &[("script", "panic")], ask.clone()).await;
    let broken = envelopes(&broken);
    let end: Value = serde_json::from_slice(&broken[1].1).unwrap();
    assert_eq!((broken.len(), broken[1].0, &end["error"]["code"]), (2, 2, &json!("internal")));
    let refused = call(&running, WATCH, "application/connect+json", &[("redress-subject", "")], ask).await;
    let refused = envelopes(&refused);
    let end: Value = serde_json::from_slice(&refused[0].1).unwrap();
    assert_eq!((refused.len(), refused[0].0, &end["error"]["code"]), (1, 2, &json!("unauthenticated")));
    running.stop().await.unwrap();
}
