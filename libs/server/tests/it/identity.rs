//! Who may call, and as whom.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use kernel::{Clock as _, SystemClock};
use proto::redress::event::v1::SubscribeRequest;
use proto::redress::event::v1::event_feed_client::EventFeedClient;
use proto::redress::feedback::v1::feedback_service_client::FeedbackServiceClient;
use serde_json::{Value, json};
use server::{Running, Settings};
use testkit::badge::token_until;
use testkit::{House, reason};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};
use tonic::{Code, Request, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::probe::{self, FEEDBACK, about, channel};

/// Long ago, and far in the future.
const PAST: u64 = 1_000_000_000;
const FUTURE: u64 = 4_102_444_800;

/// Path of a file made for the test.
pub(crate) fn pem(name: &str) -> String {
    format!("{}/tests/it/pems/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn read(name: &str) -> String {
    std::fs::read_to_string(pem(name)).unwrap()
}

pub(crate) fn claims() -> Value {
    json!({ "sub": "alice", "tenant": "tenant-b", "roles": ["agent"], "exp": FUTURE })
}

pub(crate) fn with(mut claims: Value, name: &str, value: impl Into<Value>) -> Value {
    claims[name] = value.into();
    claims
}

pub(crate) fn token(kid: Option<&str>, claims: &Value) -> String {
    let lines: String = read("token.key").lines().filter(|line| !line.starts_with('-')).collect();
    let key = EncodingKey::from_ec_der(&BASE64_STANDARD.decode(lines).unwrap());
    let header = Header { kid: kid.map(str::to_owned), ..Header::new(Algorithm::ES256) };
    encode(&header, claims, &key).unwrap()
}

/// Asks the probe who calls.
async fn who(line: Channel, headers: &[(&'static str, &str)]) -> Result<String, Status> {
    let mut request = Request::new(about(""));
    for (name, value) in headers {
        request.metadata_mut().insert(*name, value.parse().unwrap());
    }
    let answer = FeedbackServiceClient::new(line).get_feedback(request).await?.into_inner();
    Ok(answer.cycles.into_iter().next().unwrap().case_id)
}

async fn bearer(running: &Running, token: &str) -> Result<String, Status> {
    who(channel(running), &[("authorization", &format!("Bearer {token}"))]).await
}

pub(crate) fn identified() -> Settings {
    let mut settings = Settings::default();
    settings.identity.jwks = Some(pem("jwks.json"));
    settings
}

#[tokio::test]
async fn in_development_everyone_is_the_developer_or_whom_they_name() {
    let running = probe::serve(Settings::default(), &[FEEDBACK]).await;
    assert_eq!(who(channel(&running), &[]).await.unwrap(), "development/developer/platform");
    let named = who(channel(&running), &[("redress-subject", "bob")]).await.unwrap();
    assert_eq!(named, "development/bob/platform");
    let nobody = who(channel(&running), &[("redress-subject", "")]).await.unwrap_err();
    assert_eq!(nobody.code(), Code::Unauthenticated);
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_good_token_names_the_caller() {
    let running = probe::serve(identified(), &[FEEDBACK]).await;
    for good in [
        token(Some("first"), &claims()),
        token(None, &claims()),
        token(Some("first"), &with(claims(), "nbf", PAST)),
        token(Some("first"), &with(claims(), "aud", "anyone")),
    ] {
        assert_eq!(bearer(&running, &good).await.unwrap(), "tenant-b/alice/agent");
    }
    // The header of the development mode counts for nothing here.
    let good = format!("bearer {}", token(Some("first"), &claims()));
    let headers = [("authorization", good.as_str()), ("redress-subject", "mallory")];
    assert_eq!(who(channel(&running), &headers).await.unwrap(), "tenant-b/alice/agent");
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_bad_token_names_nobody() {
    let running = probe::serve(identified(), &[FEEDBACK]).await;
    let good = token(Some("first"), &claims());
    let (rest, signature) = good.rsplit_once('.').unwrap();
    let other = if signature.starts_with('A') { "B" } else { "A" };
    let forged = format!("{rest}.{other}{}", &signature[1..]);
    // Signed with the public key, as if it were a shared secret.
    let public = EncodingKey::from_secret(read("jwks.json").as_bytes());
    let header = Header { kid: Some("first".to_owned()), ..Header::new(Algorithm::HS256) };
    let confused = encode(&header, &claims(), &public).unwrap();
    for (bad, why) in [
        ("no token".to_owned(), "cannot be accepted"),
        (forged, "signature"),
        (confused, "algorithm"),
        (token(Some("first"), &with(claims(), "exp", PAST)), "expired"),
        (token(Some("first"), &with(claims(), "nbf", FUTURE)), "not hold yet"),
        (token(Some("first"), &json!({ "sub": "a", "tenant": "t" })), "cannot be accepted"),
        (token(Some("first"), &json!({ "sub": "a", "exp": FUTURE })), "cannot be accepted"),
        (token(Some("first"), &with(claims(), "tenant", "Not A Tenant'")), "tenant"),
        (token(Some("first"), &with(claims(), "sub", "")), "subject"),
        (token(Some("other"), &claims()), "not known"),
    ] {
        let status = bearer(&running, &bad).await.unwrap_err();
        assert_eq!((status.code(), reason(&status).as_str()), (Code::Unauthenticated, "UNAUTHENTICATED"));
        assert!(status.message().contains(why), "{:?} says {why}", status.message());
    }
    for headers in [&[][..], &[("authorization", "Basic eA==")], &[("authorization", "x")]] {
        assert_eq!(who(channel(&running), headers).await.unwrap_err().code(), Code::Unauthenticated);
    }
    HealthClient::new(channel(&running)).check(HealthCheckRequest::default()).await.expect("probes may ask");
    running.stop().await.unwrap();
}

#[tokio::test]
async fn issuer_and_audience_are_checked_where_they_are_set() {
    let mut settings = identified();
    settings.identity.jwt_issuer = Some("https://idp".to_owned());
    settings.identity.jwt_audience = Some("redress".to_owned());
    let running = probe::serve(settings, &[FEEDBACK]).await;
    let right = with(with(claims(), "iss", "https://idp"), "aud", json!(["other", "redress"]));
    bearer(&running, &token(Some("first"), &right)).await.expect("both are right");
    for wrong in [
        claims(),
        with(right.clone(), "iss", "https://else"),
        with(right.clone(), "aud", "other"),
        with(claims(), "iss", "https://idp"),
    ] {
        let status = bearer(&running, &token(Some("first"), &wrong)).await.unwrap_err();
        assert_eq!(status.code(), Code::Unauthenticated, "{wrong}");
    }
    running.stop().await.unwrap();
}

/// Serves key sets over HTTP: nothing at first, then the keys.
async fn key_server(asked: Arc<AtomicUsize>) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/keys", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            let body = read("jwks.json");
            let head = if asked.fetch_add(1, Ordering::SeqCst) == 0 { "503 Not Yet" } else { "200 OK" };
            let length = body.len();
            let answer =
                format!("HTTP/1.1 {head}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    url
}

#[tokio::test]
async fn keys_are_fetched_and_fetched_again_for_an_unknown_one() {
    let asked = Arc::new(AtomicUsize::new(0));
    let mut settings = Settings::default();
    settings.identity.jwks = Some(key_server(Arc::clone(&asked)).await);
    let running = probe::serve(settings, &[FEEDBACK]).await;
    assert_eq!(asked.load(Ordering::SeqCst), 1, "the start goes on without keys");

    let good = token(Some("first"), &claims());
    assert_eq!(bearer(&running, &good).await.unwrap(), "tenant-b/alice/agent");
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    for _ in 0..5 {
        let status = bearer(&running, &token(Some("other"), &claims())).await.unwrap_err();
        assert_eq!(status.code(), Code::Unauthenticated);
    }
    assert_eq!(asked.load(Ordering::SeqCst), 2, "unknown keys do not make it ask all the time");
    running.stop().await.unwrap();
}

#[tokio::test]
async fn while_there_are_no_keys_callers_may_come_back() {
    let mut settings = Settings::default();
    settings.identity.jwks = Some("http://127.0.0.1:1/keys".to_owned());
    let running = probe::serve(settings, &[FEEDBACK]).await;
    let status = bearer(&running, &token(Some("first"), &claims())).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::Unavailable, "KEYS_UNAVAILABLE"));
    running.stop().await.unwrap();
}

fn tls(running: &Running, shown: Option<Identity>) -> Channel {
    let mut tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(read("ca.pem")));
    if let Some(identity) = shown {
        tls = tls.identity(identity);
    }
    let url = format!("https://localhost:{}", running.address().port());
    Endpoint::from_shared(url).unwrap().tls_config(tls).unwrap().connect_lazy()
}

fn mutual_tls() -> Settings {
    let mut settings = Settings::default();
    settings.identity.tls_cert = Some(pem("server.pem").into());
    settings.identity.tls_key = Some(pem("server.key").into());
    settings.identity.tls_client_ca = Some(pem("ca.pem").into());
    settings
}

#[tokio::test]
async fn a_client_certificate_names_the_caller() {
    let running = probe::serve(mutual_tls(), &[FEEDBACK]).await;
    let alice = Identity::from_pem(read("client.pem"), read("client.key"));
    assert_eq!(who(tls(&running, Some(alice)), &[]).await.unwrap(), "tenant-b/alice/agent,supervisor");

    let nobody = who(tls(&running, None), &[]).await.unwrap_err();
    assert_eq!(nobody.code(), Code::Unauthenticated);
    HealthClient::new(tls(&running, None))
        .check(HealthCheckRequest::default())
        .await
        .expect("probes may ask");

    let plain = who(channel(&running), &[]).await.unwrap_err();
    assert_ne!(plain.code(), Code::Unauthenticated, "nothing is served in the clear: {plain:?}");
    running.stop().await.unwrap();
}

#[tokio::test]
async fn where_there_are_both_the_token_counts() {
    let mut settings = mutual_tls();
    settings.identity.jwks = Some(pem("jwks.json"));
    let running = probe::serve(settings, &[FEEDBACK]).await;
    let alice = Identity::from_pem(read("client.pem"), read("client.key"));
    let bob = format!("Bearer {}", token(Some("first"), &with(claims(), "sub", "bob")));
    let line = tls(&running, Some(alice));
    assert_eq!(who(line.clone(), &[("authorization", &bob)]).await.unwrap(), "tenant-b/bob/agent");
    assert_eq!(who(line, &[]).await.unwrap(), "tenant-b/alice/agent,supervisor");
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_stream_ends_when_the_token_it_was_opened_with_does() {
    let house = House::builder(&[FEEDBACK]).identified().open().await;
    let line = Endpoint::from_shared(format!("http://{}", house.address())).unwrap().connect_lazy();
    // Clocks may differ by 30 s: this one is good for two more.
    let expires = u64::try_from(SystemClock.now().as_second()).unwrap() - 28;
    let token = token_until("tenant-a", "reader", &["reader"], expires);
    let asked = SubscribeRequest { source: "feedback".to_owned(), ..SubscribeRequest::default() };
    let mut request = Request::new(asked);
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    let mut stream = EventFeedClient::new(line).subscribe(request).await.unwrap().into_inner();
    assert!(stream.message().await.unwrap().is_some(), "it holds yet");
    let ended = loop {
        match stream.message().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("it ends with a reason"),
            Err(status) => break status,
        }
    };
    assert_eq!((ended.code(), reason(&ended).as_str()), (Code::Unauthenticated, "TOKEN_EXPIRED"));
    house.done().await;
}
