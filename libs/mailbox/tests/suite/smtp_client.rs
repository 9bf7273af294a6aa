//! A listener of SMTP and a client that is not ours.

use lettre::address::Envelope;
use lettre::message::Mailbox;
use lettre::transport::smtp::AsyncSmtpTransport;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncTransport as _, Message, Tokio1Executor};
use mailbox::smtp::Options;
use mailbox::{Kept, Origin};

use crate::smtp_talk::{Listening, smtp};
use crate::support::{CA, Memory, server_tls};

fn client(listening: &Listening, tls: bool) -> AsyncSmtpTransport<Tokio1Executor> {
    let tls = if tls {
        let trusted = Certificate::from_pem(CA).unwrap();
        let parameters = TlsParameters::builder("localhost".to_owned()).add_root_certificate(trusted);
        Tls::Required(parameters.build_rustls().unwrap())
    } else {
        Tls::None
    };
    AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous("127.0.0.1")
        .port(listening.address.port())
        .hello_name(ClientId::Domain("client.example".to_owned()))
        .tls(tls)
        .build()
}

fn mail(to: &str) -> (Envelope, Vec<u8>) {
    let mailbox = |address: &str| Mailbox::new(None, address.parse().unwrap());
    let message = Message::builder()
        .from(mailbox("a@example.org"))
        .to(mailbox(to))
        .subject("包裹晚到")
        .body(".first\r\n..second\r\n.\r\nlast\r\n".to_owned())
        .unwrap();
    (message.envelope().clone(), message.formatted())
}

#[tokio::test]
async fn it_delivers_with_and_without_tls() {
    let options = Options { tls: Some(server_tls()), largest: 10_000, ..smtp() };
    let listening = Listening::with(options, Memory::default()).await;
    for (index, tls) in [false, true].into_iter().enumerate() {
        let (envelope, raw) = mail("c@example.org");
        let client = client(&listening, tls);
        for _ in 0..2 {
            let response = client.send_raw(&envelope, &raw).await.unwrap();
            assert!(response.is_positive());
        }
        let met = listening.keep.met.lock().unwrap().clone();
        assert_eq!(met.len(), 2 * (index + 1));
        let (met, written) = (&met[2 * index + 1], String::from_utf8_lossy(&raw));
        // This client ends every text with one more line.
        assert_eq!(String::from_utf8_lossy(&met.raw), format!("{written}\r\n"));
        let Origin::Smtp { mail_from, recipients, tls: was_tls, helo, .. } = &met.origin else {
            panic!("not by SMTP")
        };
        assert_eq!((mail_from.as_deref(), *was_tls), (Some("a@example.org"), tls));
        assert_eq!((recipients[0].as_str(), helo.as_str()), ("c@example.org", "client.example"));
    }
}

#[tokio::test]
async fn it_is_told_what_is_wrong() {
    let keep = Memory::answering([Kept::TryLater("busy".to_owned()), Kept::Refuse("spam".to_owned())]);
    let listening = Listening::with(Options { require_tls: false, ..smtp() }, keep).await;
    let client = client(&listening, false);
    for (to, code, is_permanent) in [
        ("nobody@example.org", 550, true),
        ("later@example.org", 451, false),
        ("c@example.org", 451, false),
        ("c@example.org", 554, true),
    ] {
        let (envelope, raw) = mail(to);
        let error = client.send_raw(&envelope, &raw).await.unwrap_err();
        assert_eq!((error.status().map(u16::from), error.is_permanent()), (Some(code), is_permanent), "{to}");
    }
    let (envelope, _) = mail("c@example.org");
    let error = client.send_raw(&envelope, &[b'a'; 3_000]).await.unwrap_err();
    assert_eq!(error.status().map(u16::from), Some(552));
    let address = "cé@example.org".parse().unwrap();
    let international = Envelope::new(Some("a@example.org".parse().unwrap()), vec![address]).unwrap();
    assert!(client.send_raw(&international, b"text\r\n").await.unwrap().is_positive());
    let Origin::Smtp { recipients, .. } = listening.keep.origin(2) else { panic!("not by SMTP") };
    assert_eq!(recipients, ["cé@example.org"]);
}
