//! What happens to a call on its way: deadline, overload, panic, limits.

use std::time::{Duration, Instant};

use proto::redress::cases::v1::WatchCaseRequest;
use proto::redress::cases::v1::case_service_client::CaseServiceClient;
use proto::redress::feedback::v1::RespondToOutcomeRequest;
use proto::redress::feedback::v1::feedback_service_client::FeedbackServiceClient;
use proto::redress::resolution::v1::PollTasksRequest;
use proto::redress::resolution::v1::resolution_service_client::ResolutionServiceClient;
use server::Settings;
use testkit::reason;
use tonic::{Code, Request, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_types::StatusExt as _;

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
        assert_eq!((status.code(), status.message()), (Code::Unimplemented, "there is no such service"));
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
