//! What browsers and tools see: gRPC-Web, other origins, reflection.

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use prost::Message as _;
use proto::redress::feedback::v1::{GetFeedbackRequest, GetFeedbackResponse};
use server::{Running, Settings};
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
use tonic_reflection::pb::v1alpha as older;

use crate::probe::{self, FEEDBACK, about, channel};

const ORIGIN: &str = "https://desk.example.org";

/// Calls `GetFeedback` the way browsers do.
pub(crate) async fn call(
    running: &Running,
    message: &GetFeedbackRequest,
    headers: &[(&str, &str)],
) -> Response<Bytes> {
    let message = message.encode_to_vec();
    let length = u32::try_from(message.len()).unwrap();
    let body = [&[0], &length.to_be_bytes()[..], &message].concat();
    http(running, Method::POST, headers, body.into()).await
}

/// Calls a path with an empty message the way browsers do.
pub(crate) async fn call_at(running: &Running, path: &str, headers: &[(&str, &str)]) -> Response<Bytes> {
    http_at(running, path, Method::POST, headers, Bytes::from_static(&[0; 5])).await
}

async fn http(running: &Running, method: Method, headers: &[(&str, &str)], body: Bytes) -> Response<Bytes> {
    http_at(running, "/redress.feedback.v1.FeedbackService/GetFeedback", method, headers, body).await
}

pub(crate) async fn http_at(
    running: &Running,
    path: &str,
    method: Method,
    headers: &[(&str, &str)],
    body: Bytes,
) -> Response<Bytes> {
    let url = format!("http://{}{path}", running.address());
    let mut request = Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Full::new(body)).unwrap();
    let client = Client::builder(TokioExecutor::new()).build_http();
    let (parts, body) = client.request(request).await.unwrap().into_parts();
    Response::from_parts(parts, body.collect().await.unwrap().to_bytes())
}

#[tokio::test]
async fn browsers_call_over_http_1() {
    let running = probe::serve(Settings::default(), &[FEEDBACK]).await;
    let web = ("content-type", "application/grpc-web+proto");
    let answer = call(&running, &about(""), &[web]).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let body = answer.body();
    let length = usize::from(body[4]);
    let message = GetFeedbackResponse::decode(&body[5..5 + length]).unwrap();
    assert_eq!(message.cycles[0].case_id, "development/developer/platform");
    let trailers = String::from_utf8_lossy(&body[10 + length..]);
    assert!(trailers.contains("grpc-status:0"), "{trailers}");
    running.stop().await.unwrap();
}

#[tokio::test]
async fn only_pages_of_known_origins_may_call() {
    let settings = Settings { web_origins: vec![ORIGIN.parse().unwrap()], ..Settings::default() };
    let running = probe::serve(settings, &[FEEDBACK]).await;
    let ask = async |origin: &str| {
        let headers = [
            ("origin", origin),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "authorization,content-type,x-grpc-web"),
        ];
        let answer = http(&running, Method::OPTIONS, &headers, Bytes::new()).await;
        answer.headers().get("access-control-allow-origin").map(|origin| origin.to_str().unwrap().to_owned())
    };
    assert_eq!(ask(ORIGIN).await.as_deref(), Some(ORIGIN));
    assert_eq!(ask("https://elsewhere.example.org").await, None);
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_page_of_somebody_elses_reaches_nothing_while_nobody_proves_who_they_are() {
    let running = probe::serve(Settings::default(), &[FEEDBACK]).await;
    let reached = about("panic:a handler is reached");
    let own = format!("http://{}", running.address());
    let web = ("content-type", "application/grpc-web+proto");
    for (header, value, reason) in [
        ("origin", "https://evil.example", "ORIGIN_NOT_ALLOWED"),
        ("host", "evil.example", "HOST_NOT_ALLOWED"),
        ("origin", own.as_str(), "INTERNAL"),
    ] {
        let answer = call(&running, &reached, &[web, (header, value)]).await;
        let status = tonic::Status::from_header_map(answer.headers()).expect("a status in the headers");
        assert_eq!(testkit::reason(&status), reason, "{header}: {value}");
    }
    running.stop().await.unwrap();
}

#[tokio::test]
async fn what_is_no_call_is_answered_in_plain_http() {
    let running = probe::serve(Settings::default(), &[FEEDBACK]).await;
    let grpc = ("content-type", "application/grpc");
    for (method, headers, status) in [
        (Method::GET, &[][..], 405),
        (Method::POST, &[], 415),
        (Method::POST, &[("content-type", "text/plain")], 415),
        (Method::POST, &[grpc], 505),
    ] {
        let answer = http(&running, method.clone(), headers, Bytes::new()).await;
        assert_eq!(answer.status().as_u16(), status, "{method} {headers:?}");
        assert!(String::from_utf8_lossy(answer.body()).contains("gRPC"), "it says what to do: {answer:?}");
    }
    running.stop().await.unwrap();
}

#[tokio::test]
async fn tools_learn_the_contracts_from_the_server() {
    let running = probe::serve(Settings::default(), &[FEEDBACK]).await;
    let request = ServerReflectionRequest {
        message_request: Some(MessageRequest::ListServices(String::new())),
        ..ServerReflectionRequest::default()
    };
    let mut client = ServerReflectionClient::new(channel(&running));
    let answers = client.server_reflection_info(tokio_stream::once(request)).await.unwrap();
    let answer = answers.into_inner().message().await.unwrap().unwrap();
    let Some(MessageResponse::ListServicesResponse(list)) = answer.message_response else {
        panic!("not a list of services: {answer:?}")
    };
    let names: Vec<_> = list.service.iter().map(|service| service.name.as_str()).collect();
    for name in ["redress.cases.v1.CaseService", "redress.event.v1.EventFeed", "grpc.health.v1.Health"] {
        assert!(names.contains(&name), "{name} is among {names:?}");
    }

    // A file whose options are our own comes with the files it leans on.
    for file in ["redress/access/v1/role.proto", "google/protobuf/descriptor.proto"] {
        let request = ServerReflectionRequest {
            message_request: Some(MessageRequest::FileByFilename(file.to_owned())),
            ..ServerReflectionRequest::default()
        };
        let answers = client.server_reflection_info(tokio_stream::once(request)).await.unwrap();
        let answer = answers.into_inner().message().await.unwrap().unwrap().message_response;
        assert!(matches!(answer, Some(MessageResponse::FileDescriptorResponse(_))), "{file}: {answer:?}");
    }

    let request = older::ServerReflectionRequest {
        message_request: Some(older::server_reflection_request::MessageRequest::ListServices(String::new())),
        ..Default::default()
    };
    let mut client = older::server_reflection_client::ServerReflectionClient::new(channel(&running));
    let answers = client.server_reflection_info(tokio_stream::once(request)).await.unwrap();
    assert!(answers.into_inner().message().await.unwrap().is_some());
    running.stop().await.unwrap();
}
