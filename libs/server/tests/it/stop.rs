//! The end in good order.

use proto::redress::cases::v1::WatchCaseRequest;
use proto::redress::cases::v1::case_service_client::CaseServiceClient;
use proto::redress::feedback::v1::feedback_service_client::FeedbackServiceClient;
use proto::redress::resolution::v1::PollTasksRequest;
use proto::redress::resolution::v1::resolution_service_client::ResolutionServiceClient;
use server::Settings;
use testkit::reason;
use tonic::{Code, Request};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::probe::{self, CASES, DOOMED, FEEDBACK, about, channel, reaches, stage};

#[tokio::test]
async fn calls_in_flight_end_and_what_waits_is_ended() {
    let running = probe::serve(Settings::default(), &[FEEDBACK, CASES]).await;
    let (address, line) = (running.address(), channel(&running));
    let mut feedback = FeedbackServiceClient::new(line.clone());
    let call = tokio::spawn(async move { feedback.get_feedback(about("brief:drain")).await });
    let mut endless = Request::new(WatchCaseRequest::default());
    endless.metadata_mut().insert("script", "endless".parse().unwrap());
    let mut cases = CaseServiceClient::new(line.clone());
    let mut quiet = cases.watch_case(WatchCaseRequest::default()).await.unwrap().into_inner();
    // On a line of its own: what is not read fills the window of its connection.
    let mut elsewhere = CaseServiceClient::new(channel(&running));
    let mut endless = elsewhere.watch_case(endless).await.unwrap().into_inner();
    let mut resolution = ResolutionServiceClient::new(line);
    let poll = tokio::spawn(async move { resolution.poll_tasks(PollTasksRequest::default()).await });
    assert!(quiet.message().await.unwrap().is_some());
    reaches("drain", "begun").await;

    let (stopped, ended) = tokio::join!(running.stop(), async {
        while endless.message().await?.is_some() {}
        Ok::<_, tonic::Status>(())
    });
    stopped.expect("in good order");
    assert_eq!(stage("drain"), "done");
    call.await.unwrap().expect("a call in flight is answered");
    for status in [ended.unwrap_err(), quiet.message().await.unwrap_err(), poll.await.unwrap().unwrap_err()] {
        assert_eq!((status.code(), reason(&status).as_str()), (Code::Unavailable, "STOPPING"));
    }
    assert!(tokio::net::TcpStream::connect(address).await.is_err(), "the door is closed");
}

#[tokio::test]
async fn health_reports_the_stop_before_calls_end() {
    let running = probe::serve(Settings::default(), &[FEEDBACK]).await;
    let mut feedback = FeedbackServiceClient::new(channel(&running));
    let call = tokio::spawn(async move { feedback.get_feedback(about("brief:health")).await });
    reaches("health", "begun").await;
    let mut health = HealthClient::new(channel(&running));
    let mut watch = health.watch(HealthCheckRequest::default()).await.unwrap().into_inner();
    assert!(watch.message().await.unwrap().is_some());
    let (stopped, told) = tokio::join!(running.stop(), watch.message());
    assert_eq!(told.unwrap().map(|told| told.status), Some(2), "NOT_SERVING");
    call.await.unwrap().unwrap();
    assert_eq!(reason(&watch.message().await.unwrap_err()), "STOPPING");
    stopped.unwrap();
}

#[tokio::test]
async fn calls_that_do_not_end_are_cut_off() {
    let settings = Settings { drain_seconds: 1, ..Settings::default() };
    let running = probe::serve(settings, &[FEEDBACK]).await;
    let mut feedback = FeedbackServiceClient::new(channel(&running));
    tokio::spawn(async move { feedback.get_feedback(about("slow:cut")).await });
    reaches("cut", "begun").await;
    let error = running.stop().await.unwrap_err();
    assert!(error.to_string().contains("cut off"), "{error}");
    assert_ne!(stage("cut"), "done", "nobody waited for it");
}

#[tokio::test]
async fn a_worker_that_panics_ends_the_process() {
    let running = probe::serve(Settings::default(), &[DOOMED]).await;
    let error = running.until_signal().await.unwrap_err();
    assert!(error.to_string().contains("feedback.doomed panicked"), "{error}");
}
