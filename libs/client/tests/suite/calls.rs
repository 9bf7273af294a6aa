//! Deadlines, retries, headers.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use client::{Client, ConnectError, Token};
use proto::redress::event::v1::SubscribeRequest;
use proto::redress::event::v1::event_feed_client::EventFeedClient;
use proto::redress::feedback::v1::feedback_service_client::FeedbackServiceClient;
use proto::redress::feedback::v1::{GetFeedbackRequest, GetFeedbackResponse};
use tokio::net::TcpListener;
use tonic::{Code, Request, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::fake::{Fake, bytes, options};

fn come_back(code: Code, delay: Duration) -> Status {
    let mut details = ErrorDetails::new();
    details.set_retry_info(Some(delay));
    Status::with_error_details(code, "later", details)
}

/// A server that fails some times before it answers, and the count of calls.
fn failing(times: usize, status: Status) -> (Fake, Arc<AtomicUsize>) {
    let calls = Arc::new(AtomicUsize::new(0));
    let seen = calls.clone();
    let fake = Fake::new(move |_| {
        let fails = seen.fetch_add(1, Ordering::SeqCst) < times;
        let status = status.clone();
        async move { if fails { Err(status) } else { Ok(bytes(&GetFeedbackResponse::default())) } }
    });
    (fake, calls)
}

async fn call(client: &Client) -> Result<(), Status> {
    let mut feedback = FeedbackServiceClient::new(client.calls());
    feedback.get_feedback(GetFeedbackRequest { case_id: "a".into() }).await.map(drop)
}

#[tokio::test]
async fn what_is_unavailable_is_asked_again() {
    let (fake, calls) = failing(3, Status::unavailable("restarting"));
    call(&fake.client().await).await.expect("an answer");
    assert_eq!(calls.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn the_server_says_when_to_come_back() {
    let delay = Duration::from_millis(300);
    for code in [Code::ResourceExhausted, Code::Aborted, Code::Unavailable] {
        let (fake, calls) = failing(1, come_back(code, delay));
        let client = fake.client().await;
        let begun = Instant::now();
        call(&client).await.expect("an answer");
        assert!(begun.elapsed() >= delay, "{code:?}");
        assert_eq!(calls.load(Ordering::SeqCst), 2, "{code:?}");
    }
}

#[tokio::test]
async fn a_refusal_is_final() {
    for code in [Code::Aborted, Code::ResourceExhausted, Code::InvalidArgument, Code::Internal] {
        let (fake, calls) = failing(1, Status::new(code, "no"));
        let refused = call(&fake.client().await).await.expect_err("a refusal");
        assert_eq!((refused.code(), refused.message()), (code, "no"));
        assert_eq!(calls.load(Ordering::SeqCst), 1, "{code:?}");
    }
}

#[tokio::test]
async fn no_retry_outlasts_the_deadline() {
    let (fake, calls) = failing(usize::MAX, come_back(Code::Unavailable, Duration::from_mins(1)));
    let begun = Instant::now();
    let refused = call(&fake.client().await).await.expect_err("no answer");
    assert_eq!(refused.code(), Code::Unavailable);
    assert!(begun.elapsed() < Duration::from_mins(1), "gave up at once");
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn the_deadline_is_kept_and_told() {
    let told = Arc::new(Mutex::new(String::new()));
    let seen = told.clone();
    let fake = Fake::new(move |call| {
        *seen.lock().expect("lock") = call.header("grpc-timeout");
        std::future::pending()
    });
    let client = fake.client().await;
    let slow = call(&client.within(Duration::from_secs(1))).await.expect_err("no answer");
    assert_eq!(slow.code(), Code::DeadlineExceeded);
    let millis: u64 = told.lock().expect("lock").trim_end_matches('m').parse().expect("milliseconds");
    assert!((500..=1_010).contains(&millis), "{millis}");

    let mut request = Request::new(GetFeedbackRequest::default());
    request.set_timeout(Duration::from_millis(100));
    let begun = Instant::now();
    let patient = client.within(Duration::from_mins(1));
    let slow =
        FeedbackServiceClient::new(patient.calls()).get_feedback(request).await.expect_err("no answer");
    assert_eq!(slow.code(), Code::DeadlineExceeded);
    assert!(begun.elapsed() < Duration::from_secs(50), "the request's own deadline rules");
}

#[tokio::test]
async fn a_stream_is_passed_through_once() {
    let (fake, calls) = failing(usize::MAX, Status::unavailable("restarting"));
    let mut feed = EventFeedClient::new(fake.client().await.calls_at("cases"));
    let refused = feed.subscribe(SubscribeRequest::default()).await.expect_err("refused");
    assert_eq!(refused.code(), Code::Unavailable);
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn who_calls_and_what_they_saw_go_along() {
    let headers = Arc::new(Mutex::new(Vec::new()));
    let seen = headers.clone();
    let fake = Fake::new(move |call| {
        let names = ["authorization", "redress-subject", "redress-consistency-token", "traceparent"];
        *seen.lock().expect("lock") = names.map(|name| call.header(name)).to_vec();
        async { Ok(bytes(&GetFeedbackResponse::default())) }
    });
    let mut options = options(fake.serve().await);
    options.token = Some("secret".into());
    options.subject = Some("lin".into());
    let client = Client::connect(options).await.expect("a server");
    let token = Token::parse("cases:7").expect("a token");
    let mut request = Request::new(GetFeedbackRequest::default());
    let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    request.metadata_mut().insert("traceparent", traceparent.parse().expect("a header"));
    FeedbackServiceClient::new(client.seeing(&token).calls()).get_feedback(request).await.expect("an answer");
    assert_eq!(*headers.lock().expect("lock"), ["Bearer secret", "lin", "cases:7", traceparent]);
}

#[tokio::test]
async fn a_server_may_start_after_its_clients() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let nobody = Client::connect(options(address)).await.err().expect("nobody is there");
    assert!(matches!(nobody, ConnectError::Unreachable { .. }), "{nobody}");

    let client = Client::lazy(options(address)).expect("options");
    let (answer, ()) = tokio::join!(call(&client), async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        failing(0, Status::ok("")).0.serve_on(TcpListener::bind(address).await.expect("the port again"));
    });
    answer.expect("an answer, once somebody was there");
}

#[tokio::test]
async fn an_address_must_be_one() {
    for wrong in ["ftp://127.0.0.1:1", "127.0.0.1:1"] {
        let options = client::ClientOptions::at(wrong.parse().expect("a URI"));
        assert!(matches!(Client::lazy(options), Err(ConnectError::Scheme { .. })), "{wrong}");
    }
    let options = client::ClientOptions::at("https://127.0.0.1:1".parse().expect("a URI"));
    assert!(matches!(Client::lazy(options), Err(ConnectError::Authority)));
}
