//! A mail server in small, in the process that plays: takes over whatever it is sent, so
//! that notices are delivered, and keeps who was written to.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Most connections at once; others wait.
const CONNECTIONS: usize = 64;
/// Longest line, its end included (RFC 5321 allows 1000).
const MAX_LINE: u64 = 2_000;
/// Most bytes of a mail.
const MAX_MAIL: usize = 1024 * 1024;
/// Most mails of which is kept who they went to.
const MAX_KEPT: usize = 10_000;
/// Longest that a client may take for its next line.
const PATIENCE: Duration = Duration::from_mins(5);

/// The server. It ends when it is dropped.
pub struct MailSink {
    address: SocketAddr,
    taken: Arc<Taken>,
    _serving: JoinSet<()>,
}

/// The mails it took over: to whom, by Message-ID.
#[derive(Default)]
struct Taken(Mutex<HashMap<String, String>>);

impl MailSink {
    /// One that listens on a loopback port that is free.
    ///
    /// # Errors
    ///
    /// Fails if no port is.
    pub async fn open() -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let (address, taken) = (listener.local_addr()?, Arc::new(Taken::default()));
        let mut serving = JoinSet::new();
        serving.spawn(serve(listener, taken.clone()));
        Ok(Self { address, taken, _serving: serving })
    }

    /// Its URL, as `REDRESS_SMTP_URL` has it.
    pub fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    /// How many mails it took over.
    pub fn count(&self) -> usize {
        self.taken.mails().len()
    }

    /// To whom the mail with a Message-ID went, if it was taken over.
    pub fn recipient(&self, message_id: &str) -> Option<String> {
        self.taken.mails().get(message_id).cloned()
    }
}

impl Taken {
    fn mails(&self) -> std::sync::MutexGuard<'_, HashMap<String, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn serve(listener: TcpListener, taken: Arc<Taken>) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    let mut talking = JoinSet::new();
    loop {
        while talking.try_join_next().is_some() {}
        let Ok(place) = room.clone().acquire_owned().await else { return };
        if let Ok((stream, _)) = listener.accept().await {
            let taken = taken.clone();
            talking.spawn(async move {
                // A client that goes away has ended its own mail.
                let _ = talk(stream, &taken).await;
                drop(place);
            });
        }
    }
}

/// One connection, by RFC 5321 as far as senders of notices need it.
async fn talk(stream: TcpStream, taken: &Taken) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut recipients: Vec<String> = Vec::new();
    stream.write_all(b"220 redress demo\r\n").await?;
    while let Some(line) = line(&mut stream).await? {
        let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        let reply = match verb.as_str() {
            "EHLO" => "250-redress demo\r\n250 8BITMIME".to_owned(),
            "HELO" | "NOOP" => "250 2.0.0 ok".to_owned(),
            "MAIL" | "RSET" => {
                recipients.clear();
                "250 2.1.0 ok".to_owned()
            }
            "RCPT" => {
                recipients.push(address(&line).to_owned());
                "250 2.1.5 ok".to_owned()
            }
            "DATA" if recipients.is_empty() => "503 5.5.1 nobody to send it to".to_owned(),
            "DATA" => {
                stream.write_all(b"354 go on\r\n").await?;
                let Some(id) = mail(&mut stream).await? else { return Ok(()) };
                let mut mails = taken.mails();
                if mails.len() < MAX_KEPT {
                    mails.insert(id, recipients.join(", "));
                }
                format!("250 2.0.0 queued as {}", mails.len())
            }
            "QUIT" => {
                stream.write_all(b"221 2.0.0 bye\r\n").await?;
                return Ok(());
            }
            _ => "502 5.5.2 not here".to_owned(),
        };
        stream.write_all(format!("{reply}\r\n").as_bytes()).await?;
    }
    Ok(())
}

/// The address of a `MAIL` or `RCPT`.
fn address(line: &str) -> &str {
    line.split(['<', '>']).nth(1).unwrap_or_default()
}

/// Reads a mail to its end; answers its Message-ID. None where it never ends.
async fn mail(stream: &mut BufReader<TcpStream>) -> std::io::Result<Option<String>> {
    let (mut id, mut in_head, mut read) = (String::new(), true, 0);
    while let Some(line) = line(stream).await? {
        read += line.len();
        if line == "." {
            return Ok(Some(id));
        }
        if read > MAX_MAIL {
            return Ok(None);
        }
        in_head &= !line.is_empty();
        if let Some((_, value)) =
            line.split_once(':').filter(|(name, _)| name.eq_ignore_ascii_case("message-id"))
            && in_head
        {
            value.trim().clone_into(&mut id);
        }
    }
    Ok(None)
}

/// The next line without its end; none where there is no more, or it is too long.
async fn line(stream: &mut (impl AsyncBufRead + Unpin)) -> std::io::Result<Option<String>> {
    let mut line = Vec::new();
    let mut bounded = stream.take(MAX_LINE);
    let count = timeout(PATIENCE, bounded.read_until(b'\n', &mut line)).await.unwrap_or(Ok(0))?;
    if count == 0 || !line.ends_with(b"\n") {
        return Ok(None);
    }
    Ok(Some(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn say(stream: &mut BufReader<TcpStream>, text: &str, reply: &str) {
        stream.write_all(text.as_bytes()).await.expect("the sink is there");
        let mut said = String::new();
        while said.lines().last().is_none_or(|line| line.get(3..4) != Some(" ")) {
            assert!(stream.read_line(&mut said).await.expect("an answer") > 0, "hung up after {text}");
        }
        assert!(said.lines().last().expect("a line").starts_with(reply), "{text}: {said}");
    }

    #[tokio::test]
    async fn a_mail_is_taken_over_with_evidence_and_kept_by_its_id() {
        let sink = MailSink::open().await.expect("a port");
        let address = sink.url().strip_prefix("smtp://").expect("a URL").to_owned();
        let mut stream = BufReader::new(TcpStream::connect(address).await.expect("it listens"));
        for (text, reply) in [
            ("", "220 "),
            ("EHLO redress\r\n", "250 8BITMIME"),
            ("DATA\r\n", "503 "),
            ("MAIL FROM:<> BODY=8BITMIME\r\n", "250 "),
            ("RCPT TO:<ada@example.org>\r\n", "250 "),
            ("DATA\r\n", "354 "),
            (
                "Message-ID: <7@redress>\r\n\r\nMessage-ID: <8@redress>\r\n..\r\n.\r\n",
                "250 2.0.0 queued as 1",
            ),
            ("VRFY ada\r\n", "502 "),
            ("QUIT\r\n", "221 "),
        ] {
            say(&mut stream, text, reply).await;
        }
        assert_eq!(sink.recipient("<7@redress>").as_deref(), Some("ada@example.org"));
        assert_eq!((sink.recipient("<8@redress>"), sink.count()), (None, 1), "the body has no headers");
    }

    #[tokio::test]
    async fn a_line_without_an_end_ends_the_connection() {
        let sink = MailSink::open().await.expect("a port");
        let mut stream = TcpStream::connect(sink.address).await.expect("it listens");
        let _ = stream.write_all("x".repeat(10_000).as_bytes()).await;
        let mut said = Vec::new();
        // It may be reset, for what it has not read.
        let _ = stream.read_to_end(&mut said).await;
        assert_eq!(sink.count(), 0);
    }
}
