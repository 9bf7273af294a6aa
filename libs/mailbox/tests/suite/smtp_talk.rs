//! Sessions of SMTP and LMTP, byte by byte.

use std::net::SocketAddr;

use mailbox::smtp::{Accept, Options, Protocol, Recipient, serve};
use mailbox::{Kept, Origin};
use tokio::io::{
    AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader,
};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_util::sync::CancellationToken;

use crate::support::{Memory, client_tls, server_tls, soon};

/// Knows who begins with `c`; cannot tell of who begins with `l`.
pub(crate) struct Names;

impl Accept for Names {
    async fn recipient(&self, address: &str) -> Recipient {
        match address.chars().next() {
            Some('c' | 'p' | 'é') => Recipient::Yes,
            Some('l') => Recipient::TryLater,
            Some('s') => std::future::pending().await,
            _ => Recipient::Unknown,
        }
    }
}

/// A listener at work.
pub(crate) struct Listening {
    pub(crate) address: SocketAddr,
    pub(crate) keep: Memory,
    pub(crate) stop: CancellationToken,
    pub(crate) serving: JoinHandle<()>,
}

pub(crate) fn smtp() -> Options {
    Options { largest: 1_000, ..Options::new("mx.example.org", Protocol::Smtp) }
}

impl Listening {
    pub(crate) async fn with(options: Options, keep: Memory) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
        let serving = tokio::spawn(serve(listener, options, Names, keep.clone(), stop.clone()));
        Self { address, keep, stop, serving }
    }

    pub(crate) async fn talk(&self) -> Talk<TcpStream> {
        let mut talk = Talk::on(TcpStream::connect(self.address).await.unwrap());
        talk.hear(&["220 mx.example.org ESMTP"]).await;
        talk
    }

    /// One that has said EHLO and named sender and recipient.
    pub(crate) async fn ready(&self) -> Talk<TcpStream> {
        let mut talk = self.talk().await;
        talk.ehlo().await;
        talk.say("MAIL FROM:<a@example.org>", "250 2.1.0 sender accepted").await;
        talk.say("RCPT TO:<c@example.org>", "250 2.1.5 recipient accepted").await;
        talk
    }
}

/// A client that says what a test wants.
pub(crate) struct Talk<S>(BufReader<S>);

impl<S: AsyncRead + AsyncWrite + Unpin> Talk<S> {
    pub(crate) fn on(stream: S) -> Self {
        Self(BufReader::new(stream))
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.unwrap();
        self.0.flush().await.unwrap();
    }

    /// The next line; empty at the end.
    pub(crate) async fn line(&mut self) -> String {
        let mut line = String::new();
        soon(self.0.read_line(&mut line)).await.unwrap();
        line.trim_end().to_owned()
    }

    pub(crate) async fn hear(&mut self, lines: &[&str]) {
        for line in lines {
            assert_eq!(self.line().await, *line);
        }
    }

    pub(crate) async fn say(&mut self, command: &str, answer: &str) {
        self.send(format!("{command}\r\n").as_bytes()).await;
        assert_eq!(self.line().await, answer, "to {command}");
    }

    pub(crate) async fn ehlo(&mut self) -> Vec<String> {
        self.send(b"EHLO client.example\r\n").await;
        let mut offers = Vec::new();
        loop {
            let line = self.line().await;
            offers.push(line[4..].to_owned());
            if line.starts_with("250 ") {
                return offers;
            }
        }
    }

    /// Says no more, and hears nothing more.
    pub(crate) async fn ends(&mut self) {
        let mut rest = Vec::new();
        let read = soon(self.0.read_to_end(&mut rest)).await;
        assert!(read.is_ok() && rest.is_empty(), "{read:?} {:?}", String::from_utf8_lossy(&rest));
    }
}

#[tokio::test]
async fn a_message_is_taken_as_it_was_written() {
    let listening = Listening::with(smtp(), Memory::default()).await;
    let mut talk = listening.talk().await;
    let offers = talk.ehlo().await;
    let expected = [
        "mx.example.org",
        "PIPELINING",
        "8BITMIME",
        "SMTPUTF8",
        "ENHANCEDSTATUSCODES",
        "CHUNKING",
        "SIZE 1000",
    ];
    assert_eq!(offers, expected);
    talk.say("MAIL FROM:<a@example.org> SIZE=20 BODY=8BITMIME", "250 2.1.0 sender accepted").await;
    talk.say("RCPT TO:<c@example.org>", "250 2.1.5 recipient accepted").await;
    talk.say("RCPT TO:<nobody@example.org>", "550 5.1.1 no such recipient here").await;
    talk.say("RCPT TO:<later@example.org>", "451 4.3.0 cannot look up the recipient now").await;
    talk.say("RCPT TO:<Postmaster>", "250 2.1.5 recipient accepted").await;
    talk.say("DATA", "354 send the message, end with CR LF . CR LF").await;
    talk.send(b"Subject: a\r\n\r\n..dot\r\nb\xe9\nc\r\n").await;
    talk.say(".", "250 2.0.0 OK").await;
    // The next one: without a return path.
    talk.say("MAIL FROM:<>", "250 2.1.0 sender accepted").await;
    talk.say("RCPT TO:<c@example.org>", "250 2.1.5 recipient accepted").await;
    talk.say("DATA", "354 send the message, end with CR LF . CR LF").await;
    talk.say(".", "250 2.0.0 OK").await;
    talk.say("QUIT", "221 2.0.0 bye").await;
    talk.ends().await;
    let met = listening.keep.met.lock().unwrap().clone();
    assert_eq!(met[0].raw.as_ref(), b"Subject: a\r\n\r\n.dot\r\nb\xe9\nc\r\n");
    assert_eq!(met[1].raw.as_ref(), b"");
    let Origin::Smtp { peer, helo, mail_from, recipients, tls } = &met[0].origin else {
        panic!("not by SMTP")
    };
    assert_eq!((helo.as_str(), mail_from.as_deref(), *tls), ("client.example", Some("a@example.org"), false));
    assert_eq!(
        (peer.ip().to_string(), &**recipients),
        ("127.0.0.1".to_owned(), &["c@example.org", "postmaster"].map(str::to_owned)[..])
    );
    let Origin::Smtp { mail_from, .. } = &met[1].origin else { panic!("not by SMTP") };
    assert_eq!(*mail_from, None);
}

#[tokio::test]
async fn commands_come_in_order() {
    let listening = Listening::with(smtp(), Memory::default()).await;
    let mut talk = listening.talk().await;
    for (command, answer) in [
        ("MAIL FROM:<a@example.org>", "503 5.5.1 bad sequence of commands"),
        ("LHLO a", "500 5.5.1 unknown command"),
        ("HELO a", "250 mx.example.org"),
        ("RCPT TO:<c@example.org>", "503 5.5.1 bad sequence of commands"),
        ("DATA", "503 5.5.1 bad sequence of commands"),
        ("STARTTLS", "502 5.5.1 command not implemented"),
        ("AUTH PLAIN AGEAYg==", "502 5.5.1 command not implemented"),
        ("MAIL FROM:<a@example.org>", "250 2.1.0 sender accepted"),
        ("MAIL FROM:<b@example.org>", "503 5.5.1 bad sequence of commands"),
        ("DATA", "554 5.5.1 no valid recipients"),
        ("RCPT TO:<c\u{e9}@example.org>", "553 5.6.7 the address needs SMTPUTF8"),
        ("VRFY c", "252 2.1.5 send a message and see"),
        ("RSET", "250 2.0.0 OK"),
        ("RCPT TO:<c@example.org>", "503 5.5.1 bad sequence of commands"),
        ("MAIL FROM:<a@example.org> SIZE=1001", "552 5.3.4 message too large"),
        ("NOOP", "250 2.0.0 OK"),
        ("QUIT", "221 2.0.0 bye"),
    ] {
        talk.say(command, answer).await;
    }
    assert_eq!(listening.keep.count(), 0);
}

#[tokio::test]
async fn everything_may_be_sent_at_once() {
    let listening = Listening::with(smtp(), Memory::default()).await;
    let mut talk = Talk::on(TcpStream::connect(listening.address).await.unwrap());
    talk.send(
        b"HELO a\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<c@example.org>\r\nDATA\r\none\r\n.\r\n\
        MAIL FROM:<b@example.org>\r\nRCPT TO:<c@example.org>\r\nDATA\r\ntwo\r\n.\r\nQUIT\r\n",
    )
    .await;
    talk.hear(&["220 mx.example.org ESMTP", "250 mx.example.org"]).await;
    for _ in 0..2 {
        talk.hear(&["250 2.1.0 sender accepted", "250 2.1.5 recipient accepted"]).await;
        talk.hear(&["354 send the message, end with CR LF . CR LF", "250 2.0.0 OK"]).await;
    }
    talk.hear(&["221 2.0.0 bye"]).await;
    assert_eq!(listening.keep.texts(), ["one\r\n", "two\r\n"]);
}

#[tokio::test]
async fn no_message_is_smuggled_within_another() {
    for end in ["\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r\n", "\r\n.\rx", "\r.\r"] {
        let listening = Listening::with(smtp(), Memory::default()).await;
        let mut talk = listening.ready().await;
        talk.say("DATA", "354 send the message, end with CR LF . CR LF").await;
        let within =
            "MAIL FROM:<boss@example.org>\r\nRCPT TO:<c@example.org>\r\nDATA\r\nPay\r\n.\r\nQUIT\r\n";
        talk.send(format!("Subject: a\r\n\r\nb{end}{within}").as_bytes()).await;
        talk.hear(&["550 5.5.2 a lone dot next to a bare CR or LF"]).await;
        talk.ends().await;
        assert_eq!(listening.keep.count(), 0, "{end:?}");
    }
}

#[tokio::test]
async fn messages_come_in_chunks_too() {
    let listening = Listening::with(smtp(), Memory::default()).await;
    let mut talk = listening.ready().await;
    talk.send(b"BDAT 6\r\na\n.\r\n.BDAT 5\r\n\r\n\0\xff.").await;
    talk.hear(&["250 2.0.0 chunk received"; 2]).await;
    talk.say("DATA", "503 5.5.1 bad sequence of commands").await;
    talk.say("RCPT TO:<c2@example.org>", "503 5.5.1 bad sequence of commands").await;
    talk.say("BDAT 0 LAST", "250 2.0.0 OK").await;
    assert_eq!(listening.keep.met.lock().unwrap()[0].raw.as_ref(), b"a\n.\r\n.\r\n\0\xff.");
    // What nobody wants is read nevertheless, and no command in it heeded.
    talk.send(b"BDAT 6 LAST\r\nQUIT\r\nNOOP\r\n").await;
    talk.hear(&["503 5.5.1 bad sequence of commands", "250 2.0.0 OK"]).await;
    talk.say("MAIL FROM:<a@example.org>", "250 2.1.0 sender accepted").await;
    talk.send(b"BDAT 6 LAST\r\nQUIT\r\n").await;
    talk.hear(&["554 5.5.1 no valid recipients"]).await;
    talk.say("RCPT TO:<c@example.org>", "250 2.1.5 recipient accepted").await;
    let chunk = [b"BDAT 600\r\n".to_vec(), vec![b'a'; 600]].concat();
    talk.send(&chunk).await;
    talk.hear(&["250 2.0.0 chunk received"]).await;
    talk.send(&chunk).await;
    talk.hear(&["552 5.3.4 message too large"]).await;
    talk.say("BDAT 0 LAST", "552 5.3.4 message too large").await;
    assert_eq!(listening.keep.count(), 1);
    talk.say("BDAT 5000", "421 4.7.0 much too large").await;
    talk.ends().await;
}

#[tokio::test]
async fn what_was_said_before_tls_counts_no_more() {
    let options = Options { tls: Some(server_tls()), require_tls: true, ..smtp() };
    let listening = Listening::with(options, Memory::default()).await;
    let mut talk = listening.talk().await;
    talk.say("STARTTLS", "503 5.5.1 bad sequence of commands").await;
    assert!(talk.ehlo().await.contains(&"STARTTLS".to_owned()));
    talk.say("MAIL FROM:<a@example.org>", "530 5.7.0 issue STARTTLS first").await;
    // Somebody on the way adds commands of their own.
    talk.send(b"STARTTLS\r\nEHLO evil\r\nMAIL FROM:<evil@example.org>\r\n").await;
    talk.hear(&["220 2.0.0 ready to start TLS"]).await;
    let stream = talk.0.into_inner();
    let connecting = TlsConnector::from(client_tls()).connect("localhost".try_into().unwrap(), stream);
    let mut talk = Talk::on(connecting.await.unwrap());
    talk.say("MAIL FROM:<a@example.org>", "503 5.5.1 bad sequence of commands").await;
    let offers = talk.ehlo().await;
    assert!(offers[0] == "mx.example.org" && !offers.contains(&"STARTTLS".to_owned()), "{offers:?}");
    talk.say("STARTTLS", "503 5.5.1 TLS is active").await;
    talk.say("MAIL FROM:<a@example.org>", "250 2.1.0 sender accepted").await;
    talk.say("RCPT TO:<c@example.org>", "250 2.1.5 recipient accepted").await;
    talk.say("DATA", "354 send the message, end with CR LF . CR LF").await;
    talk.say("text\r\n.", "250 2.0.0 OK").await;
    let Origin::Smtp { tls, helo, .. } = listening.keep.origin(0) else { panic!("not by SMTP") };
    assert_eq!((tls, helo.as_str()), (true, "client.example"));
}

#[tokio::test]
async fn lmtp_answers_for_each_recipient() {
    let options = Options { protocol: Protocol::Lmtp, ..smtp() };
    let keep = Memory::answering([Kept::Kept, Kept::TryLater("full".to_owned())]);
    let listening = Listening::with(options, keep).await;
    let mut talk = Talk::on(TcpStream::connect(listening.address).await.unwrap());
    talk.hear(&["220 mx.example.org LMTP"]).await;
    talk.say("EHLO a", "500 5.5.1 unknown command").await;
    talk.send(b"LHLO a\r\n").await;
    while !talk.line().await.starts_with("250 ") {}
    for answer in ["250 2.0.0 OK", "451 4.3.0 full", "552 5.3.4 message too large"] {
        talk.say("MAIL FROM:<a@example.org>", "250 2.1.0 sender accepted").await;
        talk.say("RCPT TO:<c@example.org>", "250 2.1.5 recipient accepted").await;
        talk.say("RCPT TO:<x@example.org>", "550 5.1.1 no such recipient here").await;
        talk.say("RCPT TO:<c@example.org>", "250 2.1.5 recipient accepted").await;
        talk.say("DATA", "354 send the message, end with CR LF . CR LF").await;
        let text = if answer.starts_with("552") { "a".repeat(2_000) } else { "a".to_owned() };
        talk.send(format!("{text}\r\n.\r\nNOOP\r\n").as_bytes()).await;
        talk.hear(&[answer, answer, "250 2.0.0 OK"]).await;
    }
    assert_eq!(listening.keep.count(), 2, "once for each message");
    let Origin::Smtp { recipients, .. } = listening.keep.origin(0) else { panic!("not by SMTP") };
    assert_eq!(recipients, ["c@example.org", "c@example.org"]);
}

#[tokio::test]
async fn what_became_of_a_message_is_answered() {
    let answers = [Kept::TryLater("no\r\n250 room".to_owned()), Kept::Refuse(String::new()), Kept::Kept];
    let listening = Listening::with(smtp(), Memory::answering(answers)).await;
    for answer in ["451 4.3.0 no??250 room", "554 5.6.0 message refused", "250 2.0.0 OK"] {
        let mut talk = listening.ready().await;
        talk.say("DATA", "354 send the message, end with CR LF . CR LF").await;
        talk.say("text\r\n.", answer).await;
        talk.say("NOOP", "250 2.0.0 OK").await;
    }
}
