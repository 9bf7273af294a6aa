//! One connection: what is said when (RFC 5321, 4.1.4).

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::command::{Command, Sender, read};
use super::line::{Broken, Input, Line};
use super::reply::Reply;
use super::transaction::{Chunks, Text, Transaction, chunk, data};
use super::{Accept, Options, Protocol, Recipient};
use crate::arrival::{Arrived, Keep, Kept, Origin};

/// Most answers 4xx and 5xx of a session; with the next one it ends.
const MAX_ERRORS: usize = 20;
/// Answers of so many bytes are sent though more commands are there already.
const MAX_UNSENT: usize = 4 * 1024;

/// How long, and for how many bytes, a client is listened to after the last answer. Were it
/// not, what it still sends would make the system cut the connection, and the answer with
/// it.
const PARTING: Duration = Duration::from_secs(2);
const MAX_PARTING: u64 = 256 * 1024;

/// What follows a command.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    /// The next command.
    Command,
    /// The handshake of TLS.
    StartTls,
    /// The end.
    End,
}

/// A session with one client.
pub(super) struct Session<A, K> {
    options: Arc<Options>,
    accept: Arc<A>,
    keep: Arc<K>,
    stop: CancellationToken,
    peer: SocketAddr,
    end: Instant,
    helo: Option<String>,
    is_tls: bool,
    transaction: Option<Transaction>,
    errors: usize,
    input: Input,
    unsent: String,
}

impl<A: Accept, K: Keep> Session<A, K> {
    pub(super) fn new(
        options: &Arc<Options>,
        accept: &Arc<A>,
        keep: &Arc<K>,
        stop: CancellationToken,
        peer: SocketAddr,
    ) -> Self {
        Self {
            options: Arc::clone(options),
            accept: Arc::clone(accept),
            keep: Arc::clone(keep),
            stop,
            peer,
            end: Instant::now() + options.timeouts.session,
            helo: None,
            is_tls: false,
            transaction: None,
            errors: 0,
            input: Input::default(),
            unsent: String::new(),
        }
    }

    /// Talks with the client to the end.
    pub(super) async fn run(mut self, mut stream: TcpStream) {
        let kind = match self.options.protocol {
            Protocol::Smtp => "ESMTP",
            Protocol::Lmtp => "LMTP",
        };
        let _ = write!(self.unsent, "220 {} {kind}\r\n", self.options.name);
        if self.converse(&mut stream).await != Next::StartTls {
            return part(stream).await;
        }
        let Some(config) = self.options.tls.clone() else { return };
        // What was sent before the handshake nobody vouches for: it counts no more.
        (self.helo, self.transaction, self.is_tls) = (None, None, true);
        self.input.discard();
        let handshake = TlsAcceptor::from(config).accept(stream);
        let Ok(Ok(mut stream)) = timeout(self.options.timeouts.handshake, handshake).await else { return };
        self.converse(&mut stream).await;
        part(stream).await;
    }

    async fn converse(&mut self, stream: &mut (impl AsyncRead + AsyncWrite + Unpin + Send)) -> Next {
        loop {
            let next = match self.line(stream).await {
                Ok(line) => self.obey(line, stream).await,
                Err(broken) => Err(broken),
            };
            let next = next.unwrap_or_else(|broken| self.give_up(broken));
            if next == Next::Command && self.errors <= MAX_ERRORS {
                continue;
            }
            if next == Next::Command {
                self.say(&Reply::TOO_MANY_ERRORS);
            }
            let is_sent = self.send(stream).await.is_ok();
            return if next == Next::StartTls && is_sent { next } else { Next::End };
        }
    }

    /// The next line; None where the session is to end instead, and why was said.
    async fn line(
        &mut self,
        stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    ) -> Result<Option<Line>, Broken> {
        if !self.input.has_line() || self.unsent.len() > MAX_UNSENT {
            self.send(stream).await?;
        }
        if self.is_to_stop() {
            self.say(&Reply::STOPPING);
            return Ok(None);
        }
        let by = self.end.min(Instant::now() + self.options.timeouts.command);
        let is_under_way = self.is_under_way();
        tokio::select! {
            biased;
            line = self.input.line(stream, by) => match line {
                Err(Broken::TooLate) if Instant::now() >= self.end => {
                    self.say(&Reply::TOO_LONG_A_SESSION);
                    Ok(None)
                }
                line => line.map(Some),
            },
            () = self.stop.cancelled(), if !is_under_way => {
                self.say(&Reply::STOPPING);
                Ok(None)
            }
        }
    }

    /// Whether the next command is not waited for. A message whose first bytes are here is
    /// finished.
    fn is_to_stop(&self) -> bool {
        self.stop.is_cancelled() && !self.is_under_way()
    }

    fn is_under_way(&self) -> bool {
        self.transaction.as_ref().is_some_and(|transaction| transaction.chunks.is_some())
    }

    fn give_up(&mut self, broken: Broken) -> Next {
        match broken {
            Broken::Gone => {}
            Broken::TooLate => self.say(&Reply::TOO_LATE),
            Broken::Endless => self.say(&Reply::ENDLESS),
        }
        Next::End
    }

    fn say(&mut self, reply: &Reply) {
        self.errors += usize::from(reply.is_error());
        let _ = write!(self.unsent, "{reply}\r\n");
    }

    async fn send(&mut self, stream: &mut (impl AsyncWrite + Unpin)) -> Result<(), Broken> {
        let unsent = std::mem::take(&mut self.unsent);
        let sending = async {
            stream.write_all(unsent.as_bytes()).await?;
            stream.flush().await
        };
        match timeout(self.options.timeouts.write, sending).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(Broken::Gone),
        }
    }

    async fn obey(
        &mut self,
        line: Option<Line>,
        stream: &mut (impl AsyncRead + AsyncWrite + Unpin + Send),
    ) -> Result<Next, Broken> {
        let command = match line {
            None => return Ok(Next::End),
            Some(Line::TooLong) => Command::Answered(Reply::LINE_TOO_LONG),
            Some(Line::Malformed) => Command::Answered(Reply::MALFORMED),
            Some(Line::Command(line)) => read(&line),
        };
        let reply = match command {
            Command::Ehlo(_) | Command::Helo(_) if self.options.protocol == Protocol::Lmtp => {
                Reply::UNKNOWN_COMMAND
            }
            Command::Lhlo(_) if self.options.protocol == Protocol::Smtp => Reply::UNKNOWN_COMMAND,
            Command::Ehlo(name) | Command::Lhlo(name) => {
                self.greet(name, true);
                return Ok(Next::Command);
            }
            Command::Helo(name) => {
                self.greet(name, false);
                return Ok(Next::Command);
            }
            Command::Mail(sender) => self.mail(sender),
            Command::Rcpt(address) => self.rcpt(address).await,
            Command::Data => return self.data(stream).await,
            Command::Bdat(size, is_last) => return self.bdat(size, is_last, stream).await,
            Command::StartTls => return Ok(self.start_tls()),
            Command::Rset => {
                self.transaction = None;
                Reply::DONE
            }
            Command::Noop => Reply::DONE,
            Command::Quit => {
                self.say(&Reply::BYE);
                return Ok(Next::End);
            }
            Command::Answered(reply) => reply,
        };
        self.say(&reply);
        Ok(Next::Command)
    }

    fn greet(&mut self, name: String, is_extended: bool) {
        (self.helo, self.transaction) = (Some(name), None);
        if !is_extended {
            let _ = write!(self.unsent, "250 {}\r\n", self.options.name);
            return;
        }
        let size = format!("SIZE {}", self.options.largest);
        let mut offers = vec!["PIPELINING", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", "CHUNKING"];
        if self.options.tls.is_some() && !self.is_tls {
            offers.push("STARTTLS");
        }
        let _ = write!(self.unsent, "250-{}\r\n", self.options.name);
        for offer in offers {
            let _ = write!(self.unsent, "250-{offer}\r\n");
        }
        let _ = write!(self.unsent, "250 {size}\r\n");
    }

    fn start_tls(&mut self) -> Next {
        let reply = match () {
            () if self.is_tls => Reply::TLS_ALREADY,
            () if self.options.tls.is_none() => Reply::NOT_DONE_HERE,
            () if self.helo.is_none() => Reply::OUT_OF_ORDER,
            () => {
                self.say(&Reply::READY_FOR_TLS);
                return Next::StartTls;
            }
        };
        self.say(&reply);
        Next::Command
    }

    fn mail(&mut self, sender: Sender) -> Reply {
        if self.options.require_tls && !self.is_tls {
            return Reply::NEEDS_TLS;
        }
        if self.helo.is_none() || self.transaction.is_some() {
            return Reply::OUT_OF_ORDER;
        }
        if sender.size > self.options.largest {
            return Reply::TOO_LARGE;
        }
        self.transaction = Some(Transaction::new(sender));
        Reply::SENDER
    }

    async fn rcpt(&mut self, address: String) -> Reply {
        let Some(transaction) = &mut self.transaction else { return Reply::OUT_OF_ORDER };
        if transaction.chunks.is_some() {
            return Reply::OUT_OF_ORDER;
        }
        if !transaction.from.is_utf8 && !address.is_ascii() {
            return Reply::NOT_ASCII;
        }
        if transaction.recipients.len() >= self.options.most_recipients {
            return Reply::TOO_MANY_RECIPIENTS;
        }
        match timeout(self.options.timeouts.accept, self.accept.recipient(&address)).await {
            Ok(Recipient::Yes) => {
                transaction.recipients.push(address);
                Reply::RECIPIENT
            }
            Ok(Recipient::Unknown) => Reply::NO_SUCH_USER,
            Ok(Recipient::TryLater) | Err(_) => Reply::CANNOT_TELL,
        }
    }

    async fn data(
        &mut self,
        stream: &mut (impl AsyncRead + AsyncWrite + Unpin + Send),
    ) -> Result<Next, Broken> {
        let refusal = match &self.transaction {
            None => Some(Reply::OUT_OF_ORDER),
            Some(transaction) if transaction.chunks.is_some() => Some(Reply::OUT_OF_ORDER),
            Some(transaction) if transaction.recipients.is_empty() => Some(Reply::NO_RECIPIENT),
            Some(_) => None,
        };
        if let Some(reply) = refusal {
            self.say(&reply);
            return Ok(Next::Command);
        }
        self.say(&Reply::SEND);
        self.send(stream).await?;
        match data(stream, &mut self.input, self.options.largest, &self.options.timeouts).await? {
            Text::Whole(raw) => self.finish(Some(raw)).await,
            Text::TooLarge => self.finish(None).await,
            Text::Ambiguous => {
                self.say(&Reply::AMBIGUOUS_END);
                return Ok(Next::End);
            }
            Text::TooMuch => {
                self.say(&Reply::TOO_MUCH);
                return Ok(Next::End);
            }
        }
        Ok(Next::Command)
    }

    async fn bdat(
        &mut self,
        size: usize,
        is_last: bool,
        stream: &mut (impl AsyncRead + AsyncWrite + Unpin + Send),
    ) -> Result<Next, Broken> {
        // The bytes follow, whatever the answer: they are read even if nobody wants them.
        let (before, refusal) = match &mut self.transaction {
            None => (Chunks::TooLarge, Some(Reply::OUT_OF_ORDER)),
            Some(transaction) if transaction.recipients.is_empty() => {
                (Chunks::TooLarge, Some(Reply::NO_RECIPIENT))
            }
            Some(transaction) => {
                (transaction.chunks.take().unwrap_or_else(|| Chunks::Whole(BytesMut::new())), None)
            }
        };
        let (largest, timeouts) = (self.options.largest, self.options.timeouts);
        let Some(chunks) = chunk(stream, &mut self.input, size, before, largest, &timeouts).await? else {
            self.say(&Reply::TOO_MUCH);
            return Ok(Next::End);
        };
        match (refusal, chunks) {
            (Some(reply), _) => self.say(&reply),
            (None, Chunks::Whole(text)) if is_last => self.finish(Some(text.freeze())).await,
            (None, Chunks::TooLarge) if is_last => self.finish(None).await,
            (None, chunks) => {
                let reply = if matches!(chunks, Chunks::TooLarge) { Reply::TOO_LARGE } else { Reply::CHUNK };
                if let Some(transaction) = &mut self.transaction {
                    transaction.chunks = Some(chunks);
                }
                self.say(&reply);
            }
        }
        Ok(Next::Command)
    }

    /// Hands the message on, if it is not too large, and answers what became of it: once,
    /// or by LMTP once for each recipient.
    async fn finish(&mut self, raw: Option<Bytes>) {
        let Some(Transaction { from, recipients, .. }) = self.transaction.take() else { return };
        let answers = match self.options.protocol {
            Protocol::Smtp => 1,
            Protocol::Lmtp => recipients.len(),
        };
        let reply = match raw {
            None => Reply::TOO_LARGE,
            Some(raw) => self.hand_on(raw, from.address, recipients).await,
        };
        for _ in 0..answers {
            let _ = write!(self.unsent, "{reply}\r\n");
        }
        self.errors += usize::from(reply.is_error());
    }

    async fn hand_on(&self, raw: Bytes, mail_from: Option<String>, recipients: Vec<String>) -> Reply {
        let helo = self.helo.clone().unwrap_or_default();
        let origin = Origin::Smtp { peer: self.peer, helo, mail_from, recipients, tls: self.is_tls };
        match timeout(self.options.timeouts.keep, self.keep.keep(Arrived { raw, origin })).await {
            Ok(Kept::Kept) => Reply::DONE,
            Ok(Kept::TryLater(why)) => Reply::later(&why),
            Ok(Kept::Refuse(why)) => Reply::refused(&why),
            Err(_) => Reply::CANNOT_KEEP,
        }
    }
}

/// Ends a connection so that the last answer is heard.
async fn part(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    let parting = async {
        stream.shutdown().await?;
        tokio::io::copy(&mut stream.take(MAX_PARTING), &mut tokio::io::sink()).await
    };
    let _ = timeout(PARTING, parting).await;
}
