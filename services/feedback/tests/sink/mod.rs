//! A mail server in small: takes mail over TCP, as scripted.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A reply that closes the connection instead.
pub(crate) const HANG_UP: &str = "";

/// The server. Copies are the same one.
#[derive(Clone)]
pub(crate) struct Sink(Arc<Inner>);

struct Inner {
    port: u16,
    mails: Mutex<Vec<Mail>>,
    replies: Mutex<HashMap<String, VecDeque<&'static str>>>,
    /// While true, recipients get no reply.
    held: watch::Sender<bool>,
    asked: watch::Sender<usize>,
}

/// A mail taken over.
#[derive(Clone, Debug)]
pub(crate) struct Mail {
    /// The envelope's sender; empty where it names none.
    pub(crate) from: String,
    /// The envelope's recipient.
    pub(crate) to: String,
    /// Headers and body, as sent.
    pub(crate) text: String,
}

impl Mail {
    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> &str {
        let start = format!("{name}: ");
        self.text.lines().find_map(|line| line.strip_prefix(&start)).unwrap_or_default()
    }

    /// What a server sends back about it to the envelope's sender (RFC 3464): an action and
    /// its status code.
    pub(crate) fn reported(&self, (action, status): (&str, &str)) -> Vec<u8> {
        let Self { from, to, text } = self;
        format!(
            "Return-Path: <>\nDelivered-To: {from}\nFrom: MAILER-DAEMON@mx.example.com\nTo: {from}\n\
             Subject: Mail delivery\nAuto-Submitted: auto-replied\nMIME-Version: 1.0\n\
             Content-Type: multipart/report; report-type=delivery-status; boundary=\"b/1\"\n\n\
             --b/1\nContent-Type: text/plain\n\nThis is the mail system.\n\n\
             --b/1\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.com\n\n\
             Final-Recipient: rfc822; {to}\nAction: {action}\nStatus: {status}\n\
             Diagnostic-Code: smtp; said of it\n\n\
             --b/1\nContent-Type: message/rfc822\n\n{text}\n--b/1--\n"
        )
        .into_bytes()
    }
}

impl Sink {
    /// A server that takes everything.
    pub(crate) async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let sink = Self(Arc::new(Inner {
            port: listener.local_addr().unwrap().port(),
            mails: Mutex::default(),
            replies: Mutex::default(),
            held: watch::Sender::new(false),
            asked: watch::Sender::new(0),
        }));
        let serving = sink.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serving.clone().serve(stream));
            }
        });
        sink
    }

    pub(crate) fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.0.port)
    }

    /// What a recipient gets, one reply an attempt; mail for them is taken after.
    pub(crate) fn script(&self, to: &str, replies: &[&'static str]) {
        self.0.replies.lock().unwrap().insert(to.to_owned(), replies.iter().copied().collect());
    }

    /// Keeps recipients waiting for their reply, or no more.
    pub(crate) fn hold(&self, held: bool) {
        self.0.held.send_replace(held);
    }

    /// How many recipients were named so far.
    pub(crate) fn asked(&self) -> usize {
        *self.0.asked.borrow()
    }

    pub(crate) fn mails(&self) -> Vec<Mail> {
        self.0.mails.lock().unwrap().clone()
    }

    async fn serve(self, stream: TcpStream) {
        let (read, mut write) = stream.into_split();
        let mut lines = BufReader::new(read);
        let (mut from, mut to) = (String::new(), String::new());
        if !say(&mut write, "220 sink").await {
            return;
        }
        while let Some(line) = line(&mut lines).await {
            let command = line.split([' ', ':']).next().unwrap_or_default().to_uppercase();
            let reply = match command.as_str() {
                "EHLO" => "250-sink\r\n250 8BITMIME",
                "MAIL" => {
                    from = address(&line);
                    "250 ok"
                }
                "RCPT" => {
                    to = address(&line);
                    self.recipient(&to).await
                }
                "DATA" => {
                    if !say(&mut write, "354 go on").await {
                        return;
                    }
                    let text = data(&mut lines).await;
                    self.0.mails.lock().unwrap().push(Mail { from: from.clone(), to: to.clone(), text });
                    "250 2.0.0 queued as 4711"
                }
                "QUIT" => "221 bye",
                _ => "250 ok",
            };
            if reply == HANG_UP || !say(&mut write, reply).await || command == "QUIT" {
                return;
            }
        }
    }

    async fn recipient(&self, to: &str) -> &'static str {
        self.0.asked.send_modify(|asked| *asked += 1);
        let _ = self.0.held.subscribe().wait_for(|held| !held).await;
        let scripted = self.0.replies.lock().unwrap().get_mut(to).and_then(VecDeque::pop_front);
        scripted.unwrap_or("250 ok")
    }
}

fn address(line: &str) -> String {
    line.split(['<', '>']).nth(1).unwrap_or_default().to_owned()
}

async fn line(lines: &mut BufReader<OwnedReadHalf>) -> Option<String> {
    let mut line = String::new();
    match lines.read_line(&mut line).await {
        Ok(count) if count > 0 => Some(line.trim_end().to_owned()),
        _ => None,
    }
}

async fn data(lines: &mut BufReader<OwnedReadHalf>) -> String {
    let mut text = String::new();
    while let Some(line) = line(lines).await.filter(|line| line != ".") {
        text.push_str(&line);
        text.push('\n');
    }
    text
}

async fn say(write: &mut OwnedWriteHalf, reply: &str) -> bool {
    write.write_all(format!("{reply}\r\n").as_bytes()).await.is_ok()
}
