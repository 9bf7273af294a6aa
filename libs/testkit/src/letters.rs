//! Mails, handed over by SMTP as another server would.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

/// How long it is waited for somebody to listen.
const PATIENCE: Duration = Duration::from_mins(1);
/// Between two tries to connect.
const PAUSE: Duration = Duration::from_millis(50);

/// An address of this machine that nobody listens at just now.
pub fn free_address() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener.local_addr().expect("it has an address")
}

/// A connection to a listener.
struct Line {
    answers: BufReader<OwnedReadHalf>,
    commands: OwnedWriteHalf,
}

impl Line {
    async fn open(to: SocketAddr) -> Self {
        let begun = Instant::now();
        loop {
            match TcpStream::connect(to).await {
                Ok(stream) => {
                    let (answers, commands) = stream.into_split();
                    return Self { answers: BufReader::new(answers), commands };
                }
                Err(error) => assert!(begun.elapsed() < PATIENCE, "nobody listens at {to}: {error}"),
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// The last line of the next answer.
    async fn answer(&mut self) -> String {
        loop {
            let mut line = String::new();
            let read = self.answers.read_line(&mut line).await.expect("an answer");
            assert!(read > 0, "the connection ended in the middle");
            if line.as_bytes().get(3) != Some(&b'-') {
                return line.trim_end().to_owned();
            }
        }
    }

    /// Says something; answers what is said to it.
    async fn say(&mut self, command: &str) -> String {
        self.commands.write_all(format!("{command}\r\n").as_bytes()).await.expect("it is said");
        self.answer().await
    }
}

/// Hands a mail over to a mailbox. Its lines end with CRLF. Answers what is said to it at the
/// end: `250 …` where it is kept.
pub async fn hand_over(at: SocketAddr, mailbox: &str, mail: &str) -> String {
    let mut line = Line::open(at).await;
    line.answer().await;
    line.say("EHLO sender.example").await;
    line.say("MAIL FROM:<sender@sender.example>").await;
    let accepted = line.say(&format!("RCPT TO:<{mailbox}>")).await;
    if !accepted.starts_with("250") {
        return accepted;
    }
    line.say("DATA").await;
    let stuffed = mail.replace("\r\n.", "\r\n..");
    line.say(&format!("{}\r\n.", stuffed.trim_end_matches("\r\n"))).await
}
