//! Tokens from a server that does as a test wants.

use std::sync::{Arc, Mutex};

use mailbox::oauth::{Client, Error, Grant, Token as _, Tokens};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use webhook::{Networks, Sender};

use crate::support::{CA, server_tls};

/// A server that answers each request with the next of these, and what it was asked.
async fn server(answers: Vec<(u16, &'static str)>) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}/token", listener.local_addr().unwrap().port());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&asked);
    tokio::spawn(async move {
        for (status, body) in answers {
            let (stream, _) = listener.accept().await.unwrap();
            let mut stream = TlsAcceptor::from(server_tls()).accept(stream).await.unwrap();
            let mut request = Vec::new();
            while !String::from_utf8_lossy(&request).contains("grant_type") {
                assert!(stream.read_buf(&mut request).await.unwrap() > 0, "the request ends too soon");
            }
            heard.lock().unwrap().push(String::from_utf8(request).unwrap());
            let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n{body}", body.len());
            stream.write_all(answer.as_bytes()).await.unwrap();
            stream.shutdown().await.unwrap();
        }
    });
    (url, asked)
}

fn client(url: &str, grant: Grant) -> Client {
    Client {
        endpoint: url.parse().unwrap(),
        client_id: "redress".to_owned(),
        client_secret: "hunter2&".to_owned(),
        scope: "https://outlook.office365.com/.default".to_owned(),
        grant,
    }
}

fn tokens(url: &str, grant: Grant) -> Result<Tokens, Error> {
    let networks = Networks::new(["127.0.0.0/8", "::1/128"].map(|text| text.parse().unwrap()));
    Tokens::new(client(url, grant), Sender::new(networks, Some(CA)).unwrap())
}

#[tokio::test]
async fn a_token_is_asked_for_once_and_again_when_it_is_refused_or_ends() {
    let (url, asked) = server(vec![
        (200, r#"{"access_token":"one","expires_in":3600,"token_type":"Bearer"}"#),
        (200, r#"{"access_token":"two","expires_in":"30"}"#),
        (200, r#"{"access_token":"three"}"#),
    ])
    .await;
    let tokens = tokens(&url, Grant::ClientCredentials).unwrap();
    let together = futures::future::join(tokens.token(), tokens.token()).await;
    assert_eq!(together, (Ok("one".to_owned()), Ok("one".to_owned())));
    tokens.refused("another");
    assert_eq!(tokens.token().await, Ok("one".to_owned()));
    tokens.refused("one");
    assert_eq!(tokens.token().await, Ok("two".to_owned()));
    // That one ends in half a minute, which is too soon.
    assert_eq!(tokens.token().await, Ok("three".to_owned()));
    assert_eq!(tokens.token().await, Ok("three".to_owned()));
    let asked = asked.lock().unwrap();
    assert_eq!(asked.len(), 3);
    let body = asked[0].rsplit("\r\n\r\n").next().unwrap();
    let form = "client_id=redress&client_secret=hunter2%26&scope=https%3A%2F%2Foutlook.office365.com%2F.default\
        &grant_type=client_credentials";
    assert_eq!(body, form);
    assert!(
        asked[0].to_lowercase().contains("content-type: application/x-www-form-urlencoded\r\n"),
        "{}",
        asked[0]
    );
    assert!(!format!("{tokens:?}").contains("hunter2"));
}

#[tokio::test]
async fn a_refresh_token_is_replaced_when_the_server_gives_another() {
    let (url, asked) = server(vec![
        (200, r#"{"access_token":"one","refresh_token":"second"}"#),
        (200, r#"{"access_token":"two"}"#),
        (200, r#"{"access_token":"three"}"#),
    ])
    .await;
    let tokens = tokens(&url, Grant::RefreshToken("first".to_owned())).unwrap();
    for token in ["one", "two", "three"] {
        assert_eq!(tokens.token().await, Ok(token.to_owned()));
        tokens.refused(token);
    }
    let asked = asked.lock().unwrap();
    let used: Vec<&str> = asked.iter().map(|request| request.rsplit('=').next().unwrap()).collect();
    assert_eq!(used, ["first", "second", "second"]);
}

#[tokio::test]
async fn what_is_no_token_is_an_error() {
    for (status, body, error) in [
        (
            400,
            r#"{"error":"invalid_client","error_description":"hunter2"}"#,
            Error::Refused("invalid_client".to_owned()),
        ),
        (401, "<html>", Error::Refused("401".to_owned())),
        (
            400,
            r#"{"error":"temporarily_unavailable"}"#,
            Error::TryLater("temporarily_unavailable".to_owned()),
        ),
        (429, "", Error::TryLater("429".to_owned())),
        (302, "", Error::TryLater("302".to_owned())),
        (200, "<html>", Error::NoToken),
        (200, r#"{"access_token":""}"#, Error::NoToken),
        (200, r#"{"access_token":"a\r\nb"}"#, Error::NoToken),
    ] {
        let (url, _) = server(vec![(status, body)]).await;
        let got = tokens(&url, Grant::ClientCredentials).unwrap().token().await.unwrap_err();
        assert_eq!((got.is_permanent(), got), (matches!(error, Error::Refused(_)), error), "{body}");
    }
    let (url, _) = server(vec![]).await;
    let plain = tokens(&url.replace("https", "http"), Grant::ClientCredentials);
    assert_eq!(plain.err(), Some(Error::Insecure));
    let nobody = tokens(&url, Grant::ClientCredentials).unwrap().token().await.unwrap_err();
    assert!(matches!(nobody, Error::Unreachable(_)) && !nobody.is_permanent(), "{nobody}");
}
