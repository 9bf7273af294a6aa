//! What happens to a call on its way: deadline, overload, panic, limits.

use std::time::{Duration, Instant};

use proto::redress::cases::v1::WatchCaseRequest;
use proto::redress::cases::v1::case_service_client::CaseServiceClient;
use proto::redress::feedback::v1::RespondToOutcomeRequest;
use proto::redress::feedback::v1::feedback_service_client::FeedbackServiceClient;
use proto::redress::resolution::v1::PollTasksRequest;
use proto::redress::resolution::v1::resolution_service_client::ResolutionServiceClient;
use server::{Running, Settings};
use testkit::reason;
use tonic::{Code, Request, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_types::StatusExt as _;

use crate::identity::{claims, identified, token, with};
use crate::probe::{self, CASES, FEEDBACK, about, channel, reaches};
use crate::web;

fn within<T>(message: T, time: Duration) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(time);
    request
}

fn watch(script: &'static str) -> Request<WatchCaseRequest> {
    let mut request = Request::new(WatchCaseRequest::default());
    request.metadata_mut().insert("script", script.parse().unwrap());
    request
}

fn one_place() -> Settings {
    Settings { max_in_flight: 1, ..Settings::default() }
}

#[tokio::test]
async fn the_handler_is_dropped_when_the_deadline_passes() {
    let running = probe::serve(Settings::default(), &[FEEDBACK]).await;
    // Not through tonic's client, which gives up by itself and hides our answer.
    let headers = [("content-type", "application/grpc-web+proto"), ("grpc-timeout", "200m")];
    let began = Instant::now();
    let answer = web::call(&running, &about("slow:deadline"), &headers).await;
    assert!(began.elapsed() >= Duration::from_millis(200));
    let status = Status::from_header_map(answer.headers()).unwrap();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::DeadlineExceeded, "DEADLINE_EXCEEDED"));
    reaches("deadline", "dropped").await;
    running.stop().await.unwrap();
}

#[tokio::test]
async fn what_is_not_served_here_is_not_implemented() {
    let running = probe::serve(Settings::default(), &[FEEDBACK]).await;
    // One of ours that another process serves, and one of nobody's.
    let elsewhere = CaseServiceClient::new(channel(&running)).watch_case(watch("once")).await;
    let health = HealthClient::with_origin(Astray(channel(&running)), "http://x".parse().unwrap())
        .check(HealthCheckRequest::default())
        .await;
    for status in [elsewhere.unwrap_err(), health.unwrap_err()] {
        assert_eq!((status.code(), reason(&status).as_str()), (Code::Unimplemented, "UNKNOWN_SERVICE"));
    }
    running.stop().await.unwrap();
}

/// Calls a service of nobody's, whatever is asked for.
#[derive(Clone)]
struct Astray(tonic::transport::Channel);

impl tower::Service<http::Request<tonic::body::Body>> for Astray {
    type Response = http::Response<tonic::body::Body>;
    type Error = tonic::transport::Error;
    type Future = <tonic::transport::Channel as tower::Service<http::Request<tonic::body::Body>>>::Future;

    fn poll_ready(
        &mut self,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), Self::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, mut request: http::Request<tonic::body::Body>) -> Self::Future {
        *request.uri_mut() = "/nobodys.v1.Nothing/Do".parse().unwrap();
        self.0.call(request)
    }
}

/// What a method that is not there is answered, over HTTP/2 as gRPC calls are made.
async fn answer_of(running: &Running, path: &str) -> http::Response<tonic::body::Body> {
    let mut request = http::Request::post(format!("http://{}{path}", running.address()))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(tonic::body::Body::empty())
        .unwrap();
    *request.version_mut() = http::Version::HTTP_2;
    let mut channel = channel(running);
    std::future::poll_fn(|context| tower::Service::poll_ready(&mut channel, context)).await.unwrap();
    tower::Service::call(&mut channel, request).await.unwrap()
}

#[tokio::test]
async fn an_unknown_method_is_refused_in_the_headers_alone() {
    let running = probe::serve(Settings::default(), &[FEEDBACK]).await;
    for (path, wanted) in [
        ("/redress.feedback.v1.FeedbackService/Nothing", "UNKNOWN_METHOD"),
        ("/redress.feedback.v1.FeedbackService/", "UNKNOWN_METHOD"),
        ("/grpc.health.v1.Health/Nothing", "UNKNOWN_METHOD"),
        ("/redress.cases.v1.CaseService/GetCase", "UNKNOWN_SERVICE"),
        ("/nobodys.v1.Nothing/Do", "UNKNOWN_SERVICE"),
        ("/", "UNKNOWN_SERVICE"),
    ] {
        let answer = answer_of(&running, path).await;
        assert_eq!(
            (answer.status(), &answer.headers()["content-type"]),
            (http::StatusCode::OK, &"application/grpc".parse().unwrap()),
            "{path}"
        );
        let status = Status::from_header_map(answer.headers()).expect("a status in the headers");
        assert_eq!((status.code(), reason(&status).as_str()), (Code::Unimplemented, wanted), "{path}");
        assert!(http_body::Body::is_end_stream(answer.body()), "{path}: nothing follows the headers");
    }
    // And over gRPC-Web, from where the headers are all that a page sees.
    let headers = [("content-type", "application/grpc-web+proto")];
    let answer = web::call_at(&running, "/redress.feedback.v1.FeedbackService/Nothing", &headers).await;
    let status = Status::from_header_map(answer.headers()).unwrap();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::Unimplemented, "UNKNOWN_METHOD"));
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_time_that_cannot_be_read_is_refused() {
    let running = probe::serve(Settings::default(), &[FEEDBACK]).await;
    let mut client = FeedbackServiceClient::new(channel(&running));
    for timeout in ["", "5", "S", "-1S", "1.5S", "123456789S", "1s", "soon"] {
        let mut request = Request::new(about(""));
        request.metadata_mut().insert("grpc-timeout", timeout.parse().unwrap());
        let status = client.get_feedback(request).await.unwrap_err();
        assert_eq!(
            (status.code(), reason(&status).as_str()),
            (Code::InvalidArgument, "INVALID_TIMEOUT"),
            "{timeout:?}"
        );
        assert_eq!(testkit::violations(&status), ["grpc-timeout"]);
    }
    // Not through tonic's client, which gives up by itself.
    let headers = [("content-type", "application/grpc-web+proto"), ("grpc-timeout", "0n")];
    let answer = web::call(&running, &about("panic:a handler is reached"), &headers).await;
    let status = Status::from_header_map(answer.headers()).unwrap();
    assert_eq!(reason(&status), "DEADLINE_EXCEEDED", "what is over before it begins is not begun");
    running.stop().await.unwrap();
}

#[tokio::test]
async fn too_large_metadata_are_refused_with_their_limit() {
    let running = probe::serve(Settings::default(), &[FEEDBACK]).await;
    let mut client = FeedbackServiceClient::new(channel(&running));
    let mut with = async |bytes: usize| {
        let mut request = Request::new(about(""));
        request.metadata_mut().insert("note", "x".repeat(bytes).parse().unwrap());
        client.get_feedback(request).await
    };
    with(15_000).await.expect("within the limit");
    for bytes in [16_384, 20_000, 200_000] {
        let status = with(bytes).await.unwrap_err();
        assert_eq!((status.code(), reason(&status).as_str()), (Code::InvalidArgument, "METADATA_TOO_LARGE"));
        assert_eq!(status.get_details_error_info().unwrap().metadata["limit_bytes"], "16384");
    }
    running.stop().await.unwrap();
}

#[tokio::test]
async fn what_a_caller_does_not_read_is_held_against_their_own_share() {
    let settings = Settings { max_in_flight: 8, ..Settings::default() };
    let running = probe::serve(settings, &[CASES]).await;
    let of = |subject: &str| {
        let mut request = watch("once");
        request.metadata_mut().insert("redress-subject", subject.parse().unwrap());
        let mut client = CaseServiceClient::new(channel(&running));
        async move { client.watch_case(request).await }
    };
    let mut held = Vec::new();
    let refused = loop {
        match of("greedy").await {
            Ok(stream) => held.push(stream),
            Err(status) => break status,
        }
    };
    assert_eq!(held.len(), 4, "half of the places");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::ResourceExhausted, "SHARE_EXCEEDED"));
    assert_eq!(refused.get_details_error_info().unwrap().metadata["share_of"], "caller");
    assert!(refused.get_details_retry_info().and_then(|retry| retry.retry_delay).is_some());
    let other = of("modest").await.expect("another is served");
    drop((held, other));
    testkit::eventually(|| async { of("greedy").await.is_ok() }).await;
    running.stop().await.unwrap();
}

#[tokio::test]
async fn one_tenant_does_not_take_the_places_of_another() {
    let settings = Settings { max_in_flight: 16, ..identified() };
    let running = probe::serve(settings, &[CASES]).await;
    let of = |tenant: &str, subject: &str| {
        let claims = with(with(claims(), "tenant", tenant), "sub", subject);
        let mut request = watch("once");
        let bearer = format!("Bearer {}", token(Some("first"), &claims));
        request.metadata_mut().insert("authorization", bearer.parse().unwrap());
        let mut client = CaseServiceClient::new(channel(&running));
        async move { client.watch_case(request).await }
    };
    let (mut held, mut shares) = (Vec::new(), Vec::new());
    for caller in 0..16 {
        match of("acme", &format!("caller-{caller}")).await {
            Ok(stream) => held.push(stream),
            Err(status) => shares.push(status.get_details_error_info().unwrap().metadata["share_of"].clone()),
        }
    }
    assert_eq!(held.len(), 12, "three quarters of the places");
    assert_eq!(shares, ["tenant"; 4]);
    of("globex", "caller").await.expect("another tenant is served");
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_stream_ends_at_its_deadline() {
    let running = probe::serve(Settings::default(), &[CASES]).await;
    let mut request = watch("once");
    request.metadata_mut().insert("grpc-timeout", "200m".parse().unwrap());
    let mut stream =
        CaseServiceClient::new(channel(&running)).watch_case(request).await.unwrap().into_inner();
    assert!(stream.message().await.unwrap().is_some());
    let status = stream.message().await.unwrap_err();
    assert_eq!(reason(&status), "DEADLINE_EXCEEDED");
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_full_server_refuses_at_once_and_says_when_to_return() {
    let running = probe::serve(one_place(), &[FEEDBACK]).await;
    let mut client = FeedbackServiceClient::new(channel(&running));
    let mut first = client.clone();
    let slow = tokio::spawn(async move { first.get_feedback(about("brief:overload")).await });
    reaches("overload", "begun").await;

    let refused = client.get_feedback(about("")).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::ResourceExhausted, "OVERLOADED"));
    assert!(refused.get_details_retry_info().and_then(|retry| retry.retry_delay).is_some());
    let health = HealthClient::new(channel(&running)).check(HealthCheckRequest::default()).await;
    assert!(health.is_ok(), "a full server still tells its health");

    slow.await.unwrap().unwrap();
    client.get_feedback(about("")).await.expect("there is a place again");
    running.stop().await.unwrap();
}

#[tokio::test]
async fn what_waits_by_design_takes_no_place_of_calls() {
    let running = probe::serve(one_place(), &[CASES, FEEDBACK]).await;
    let mut stream =
        CaseServiceClient::new(channel(&running)).watch_case(watch("once")).await.unwrap().into_inner();
    assert!(stream.message().await.unwrap().is_some());
    FeedbackServiceClient::new(channel(&running))
        .get_feedback(about(""))
        .await
        .expect("calls have their own");

    let poll = || async {
        let request = within(PollTasksRequest::default(), Duration::from_millis(100));
        ResolutionServiceClient::new(channel(&running)).poll_tasks(request).await.unwrap_err()
    };
    assert_eq!(reason(&poll().await), "OVERLOADED", "the stream holds the one place for waiting");
    drop(stream);
    testkit::eventually(|| async { poll().await.code() != Code::ResourceExhausted }).await;
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_panic_is_internal_and_tells_the_caller_nothing() {
    let running = probe::serve(Settings::default(), &[FEEDBACK, CASES]).await;
    let mut client = FeedbackServiceClient::new(channel(&running));
    let status = client.get_feedback(about("panic:hunter2")).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::Internal, "INTERNAL"));
    assert!(!format!("{status:?}").contains("hunter2"));
    client.get_feedback(about("")).await.expect("the server lives");

    let mut stream =
        CaseServiceClient::new(channel(&running)).watch_case(watch("panic")).await.unwrap().into_inner();
    assert!(stream.message().await.unwrap().is_some());
    let status = stream.message().await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::Internal, "INTERNAL"));
    running.stop().await.unwrap();
}

#[tokio::test]
async fn messages_have_a_largest_size_that_can_be_set() {
    let large = |bytes| RespondToOutcomeRequest { comment: "x".repeat(bytes), ..Default::default() };
    let settings = Settings { max_message_bytes: 1024, ..Settings::default() };
    let running = probe::serve(settings, &[FEEDBACK]).await;
    let mut client = FeedbackServiceClient::new(channel(&running));
    client.respond_to_outcome(large(900)).await.unwrap();
    let status = client.respond_to_outcome(large(1100)).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::InvalidArgument, "MESSAGE_TOO_LARGE"));
    running.stop().await.unwrap();

    // More than tonic allows by itself.
    let settings = Settings { max_message_bytes: 8 << 20, ..Settings::default() };
    let running = probe::serve(settings, &[FEEDBACK]).await;
    let mut client = FeedbackServiceClient::new(channel(&running));
    client.respond_to_outcome(large(6 << 20)).await.unwrap();
    running.stop().await.unwrap();
}

#[tokio::test]
async fn an_answer_too_large_to_be_sent_says_so() {
    let settings = Settings { max_message_bytes: 1024, ..Settings::default() };
    let running = probe::serve(settings, &[FEEDBACK]).await;
    let mut client = FeedbackServiceClient::new(channel(&running));
    client.get_feedback(about("long:900")).await.unwrap();
    let status = client.get_feedback(about("long:1100")).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::ResourceExhausted, "ANSWER_TOO_LARGE"));
    running.stop().await.unwrap();
}

#[tokio::test]
async fn garbage_is_the_callers_fault() {
    use proto::redress::cases::v1::GetTimelineRequest;

    let running = probe::serve(Settings::default(), &[FEEDBACK]).await;
    let mut grpc = tonic::client::Grpc::new(channel(&running));
    grpc.ready().await.unwrap();
    let path = "/redress.feedback.v1.FeedbackService/RespondToOutcome".parse().unwrap();
    // A page size where a text should be.
    let wrong = GetTimelineRequest { case_id: "\u{0}".to_owned(), page_size: 7, ..Default::default() };
    let answer: Result<tonic::Response<GetTimelineRequest>, Status> =
        grpc.unary(Request::new(wrong), path, tonic_prost::ProstCodec::default()).await;
    let status = answer.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::InvalidArgument, "UNREADABLE_MESSAGE"));
    running.stop().await.unwrap();
}
