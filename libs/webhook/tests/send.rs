//! The sender against real servers that answer, stall, redirect, talk too much and die.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use webhook::{Failure, Networks, Post, Reply, Sender, Target};

const CA: &[u8] = include_bytes!("../../server/tests/it/pems/ca.pem");
const CERTIFICATE: &[u8] = include_bytes!("../../server/tests/it/pems/server.pem");
const KEY: &[u8] = include_bytes!("../../server/tests/it/pems/server.key");

fn here() -> Networks {
    Networks::new(["127.0.0.0/8", "::1/128"].map(|text| text.parse().unwrap()))
}

fn sender() -> Sender {
    Sender::new(here(), None).unwrap()
}

fn post() -> Post {
    let mut headers = HeaderMap::new();
    headers.insert(webhook::ID, "m-1".parse().unwrap());
    Post { headers, body: Bytes::from_static(b"{\"a\":1}"), timeout: Duration::from_secs(5) }
}

/// Reads a request with a body of so many bytes, and answers what was read.
async fn heard(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut read = Vec::new();
    let mut chunk = [0; 4_096];
    while !String::from_utf8_lossy(&read).contains("{\"a\":1}") {
        let count = stream.read(&mut chunk).await.unwrap();
        assert!(count > 0, "the request ends too soon: {read:?}");
        read.extend_from_slice(&chunk[..count]);
    }
    String::from_utf8(read).unwrap()
}

async fn answer(mut stream: impl AsyncRead + AsyncWrite + Unpin, bytes: Vec<u8>) -> String {
    let heard = heard(&mut stream).await;
    stream.write_all(&bytes).await.unwrap();
    stream.flush().await.unwrap();
    heard
}

/// A server that answers one request with these bytes; what it was sent.
async fn server(bytes: &str) -> (Target, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = format!("http://{}/hooks?a=b", listener.local_addr().unwrap()).parse().unwrap();
    let bytes = bytes.as_bytes().to_vec();
    let serving = tokio::spawn(async move { answer(listener.accept().await.unwrap().0, bytes).await });
    (target, serving)
}

#[tokio::test]
async fn a_message_is_posted_and_its_answer_read() {
    let (target, serving) = server("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await;
    let reply = sender().post(&target, post()).await.unwrap();
    let expected = Reply { status: 200, retry_after: None, body: Bytes::from_static(b"{}"), is_whole: true };
    assert_eq!(reply, expected);
    let heard = serving.await.unwrap().to_lowercase();
    assert!(heard.starts_with("post /hooks?a=b http/1.1\r\n"), "{heard}");
    for line in [
        format!("host: 127.0.0.1:{}", target.port()),
        "content-type: application/json".to_owned(),
        "webhook-id: m-1".to_owned(),
        "content-length: 7".to_owned(),
    ] {
        assert!(heard.contains(&format!("{line}\r\n")), "{line} is not in {heard}");
    }
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let elsewhere = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = elsewhere.local_addr().unwrap();
    let moved = format!(
        "HTTP/1.1 307 Moved\r\nlocation: http://{place}/\r\nretry-after: 7\r\ncontent-length: 0\r\n\r\n"
    );
    let (target, _) = server(&moved).await;
    let reply = sender().post(&target, post()).await.unwrap();
    assert_eq!((reply.status, reply.retry_after), (307, Some(Duration::from_secs(7))));
    let followed = tokio::time::timeout(Duration::from_millis(100), elsewhere.accept()).await;
    assert!(followed.is_err(), "nobody came");
}

#[tokio::test]
async fn an_answer_is_read_as_far_as_there_is_room() {
    let long = "x".repeat(200_000);
    let (target, _) = server(&format!("HTTP/1.1 500 No\r\ncontent-length: 200000\r\n\r\n{long}")).await;
    let reply = sender().post(&target, post()).await.unwrap();
    assert_eq!((reply.status, reply.body.len(), reply.is_whole), (500, 65_536, false));
}

#[tokio::test]
async fn what_stalls_is_given_up_and_may_have_arrived() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target: Target = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let stalling = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        heard(&mut stream).await;
        // Drips for half a minute: who counts from the last byte waits for the whole of it.
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 600\r\n\r\n").await.unwrap();
        while stream.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    let failure = sender().post(&target, Post { timeout: Duration::from_millis(400), ..post() }).await;
    assert_eq!(failure, Err(Failure::TooLate));
    assert!(Failure::TooLate.may_have_arrived());
    stalling.abort();
}

#[tokio::test]
async fn a_server_that_dies_in_its_answer_may_have_received() {
    for cut in ["", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{"] {
        let (target, _) = server(cut).await;
        let failure = sender().post(&target, post()).await.unwrap_err();
        assert_eq!((failure, failure.may_have_arrived()), (Failure::Broken, true), "{cut}");
    }
}

#[tokio::test]
async fn nothing_of_ours_is_connected_to_unless_the_operator_says_so() {
    let (target, serving) = server("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let port = target.port();
    let stranger = Sender::new(Networks::default(), None).unwrap();
    for host in ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "127.1"] {
        let target: Target = format!("http://{host}:{port}/").parse().unwrap();
        let failure = stranger.post(&target, post()).await.unwrap_err();
        assert_eq!((failure, failure.may_have_arrived()), (Failure::AddressRefused, false), "{host}");
    }
    assert!(!serving.is_finished(), "nobody came");
    // The same way for other protocols.
    assert_eq!(stranger.connect(&target).await.err(), Some(Failure::AddressRefused));
    let plain: Target = "http://8.8.8.8/".parse().unwrap();
    assert_eq!(stranger.post(&plain, post()).await, Err(Failure::Unencrypted));
    sender().post(&target, post()).await.unwrap();
}

#[tokio::test]
async fn where_nobody_listens_nothing_arrived() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target: Target = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    drop(listener);
    let failure = sender().post(&target, post()).await.unwrap_err();
    assert_eq!((failure, failure.may_have_arrived()), (Failure::Unreachable, false));
    let nowhere: Target = "http://nowhere.invalid/".parse().unwrap();
    assert_eq!(sender().post(&nowhere, post()).await, Err(Failure::Unresolved));
}

#[tokio::test]
async fn a_server_proves_who_it_is_to_an_authority_of_the_operator() {
    let chain: Vec<_> = CertificateDer::pem_slice_iter(CERTIFICATE).map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_slice(KEY).unwrap();
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving = tokio::spawn(async move {
        loop {
            let (tcp, _) = listener.accept().await.unwrap();
            if let Ok(stream) = acceptor.accept(tcp).await {
                return answer(stream, b"HTTP/1.1 204 Done\r\n\r\n".to_vec()).await;
            }
        }
    });
    let target: Target = format!("https://localhost:{port}/").parse().unwrap();
    assert_eq!(sender().post(&target, post()).await, Err(Failure::Untrusted), "nobody knows its authority");
    let trusting = Sender::new(here(), Some(CA)).unwrap();
    let other: Target = format!("https://127.0.0.2:{port}/").parse().unwrap();
    assert!(!trusting.post(&other, post()).await.unwrap_err().may_have_arrived());
    assert_eq!(trusting.post(&target, post()).await.unwrap().status, 204);
    serving.await.unwrap();
    assert!(Sender::new(here(), Some(b"no certificate")).is_err());
}
