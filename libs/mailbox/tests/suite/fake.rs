//! An IMAP server in this process that does as a test wants.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mailbox::imap::{Error, Login, Observer, Options, Position, Security, read};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::support::{CA, Memory, server_tls};

/// What the server does at a command instead of what it should. `{tag}` stands for the
/// command's tag.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// Says this.
    Say(&'static str),
    /// Says this, then what it should.
    Also(&'static str),
    /// Says this and cuts the connection.
    Cut(&'static str),
    /// Says nothing more.
    Stall,
}

#[derive(Default)]
struct State {
    uid_validity: u32,
    messages: BTreeMap<u32, Vec<u8>>,
    capabilities: String,
    greeting: String,
    /// Commands that are answered otherwise: by their beginning, and how often.
    acts: Vec<(&'static str, usize, Act)>,
    commands: Vec<String>,
    /// Bytes after which a connection is cut, once.
    cut_after: Option<usize>,
    is_slow: bool,
}

/// The server.
#[derive(Clone)]
pub(crate) struct Fake {
    state: Arc<Mutex<State>>,
    changed: Arc<Notify>,
    pub(crate) port: u16,
}

/// What a message looks like.
pub(crate) fn message(uid: u32) -> Vec<u8> {
    format!("Subject: {uid}\r\n\r\n((((((((((( {{5}}\r\n{}", "text \"\r\n".repeat(uid as usize % 7))
        .into_bytes()
}

impl Fake {
    /// One with messages of these uids, that offers TLS where a test asks for it.
    pub(crate) async fn with(uids: &[u32]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let state = State {
            uid_validity: 7,
            messages: uids.iter().map(|&uid| (uid, message(uid))).collect(),
            capabilities: "IMAP4rev1 IDLE".to_owned(),
            greeting: "* OK hello".to_owned(),
            ..State::default()
        };
        let port = listener.local_addr().unwrap().port();
        let fake = Self { state: Arc::new(Mutex::new(state)), changed: Arc::default(), port };
        let serving = fake.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).unwrap();
                let fake = serving.clone();
                tokio::spawn(async move { fake.serve(stream).await });
            }
        });
        fake
    }

    pub(crate) fn offers(self, capabilities: &str) -> Self {
        capabilities.clone_into(&mut self.state.lock().unwrap().capabilities);
        self
    }

    pub(crate) fn greets(self, greeting: &str) -> Self {
        greeting.clone_into(&mut self.state.lock().unwrap().greeting);
        self
    }

    /// Acts so at the next command that begins so.
    pub(crate) fn once(self, command: &'static str, act: Act) -> Self {
        self.times(1, command, act)
    }

    pub(crate) fn always(self, command: &'static str, act: Act) -> Self {
        self.times(usize::MAX, command, act)
    }

    pub(crate) fn times(self, times: usize, command: &'static str, act: Act) -> Self {
        self.state.lock().unwrap().acts.push((command, times, act));
        self
    }

    pub(crate) fn slowly(self) -> Self {
        self.state.lock().unwrap().is_slow = true;
        self
    }

    pub(crate) fn cut_after(&self, bytes: usize) {
        self.state.lock().unwrap().cut_after = Some(bytes);
    }

    pub(crate) fn anew(&self, uid_validity: u32) {
        self.state.lock().unwrap().uid_validity = uid_validity;
    }

    pub(crate) fn put(&self, uid: u32, text: Vec<u8>) {
        self.state.lock().unwrap().messages.insert(uid, text);
        self.changed.notify_waiters();
    }

    pub(crate) fn arrive(&self, uid: u32) {
        self.put(uid, message(uid));
    }

    pub(crate) fn remove(&self, uid: u32) {
        self.state.lock().unwrap().messages.remove(&uid);
        self.changed.notify_waiters();
    }

    /// The commands it was sent, without their tags.
    pub(crate) fn commands(&self) -> Vec<String> {
        self.state.lock().unwrap().commands.clone()
    }

    pub(crate) fn count(&self, beginning: &str) -> usize {
        self.commands().iter().filter(|command| command.starts_with(beginning)).count()
    }

    async fn serve(self, stream: tokio::net::TcpStream) {
        let greeting = self.state.lock().unwrap().greeting.clone();
        let mut stream = BufReader::new(stream);
        if self.say(&mut stream, format!("{greeting}\r\n").into_bytes()).await.is_none() {
            return;
        }
        if self.converse(&mut stream).await == Some(true) {
            // What was read ahead is lost, as it should be.
            if let Ok(tls) = TlsAcceptor::from(server_tls()).accept(stream.into_inner()).await {
                self.converse(&mut BufReader::new(tls)).await;
            }
        }
    }

    /// Converses to the end, or to STARTTLS: true.
    async fn converse<S: AsyncRead + AsyncWrite + Unpin>(&self, stream: &mut BufReader<S>) -> Option<bool> {
        loop {
            let line = line(stream).await?;
            let (tag, command) = line.split_once(' ').unwrap_or((&line, ""));
            self.state.lock().unwrap().commands.push(command.to_owned());
            match self.act(command) {
                None => {}
                Some(Act::Say(text)) => {
                    self.say(stream, text.replace("{tag}", tag).into_bytes()).await?;
                    continue;
                }
                Some(Act::Also(text)) => self.say(stream, text.replace("{tag}", tag).into_bytes()).await?,
                Some(Act::Cut(text)) => {
                    self.say(stream, text.replace("{tag}", tag).into_bytes()).await?;
                    return None;
                }
                Some(Act::Stall) => std::future::pending().await,
            }
            let is_empty = self.state.lock().unwrap().messages.is_empty();
            if is_empty && command.starts_with("FETCH") {
                self.say(stream, format!("{tag} BAD no such message\r\n").into_bytes()).await?;
                continue;
            }
            if command == "IDLE" {
                self.idle(stream).await?;
            } else if command.starts_with("AUTHENTICATE") {
                self.say(stream, b"+ \r\n".to_vec()).await?;
                let answer = self::line(stream).await?;
                self.state.lock().unwrap().commands.push(answer);
            } else {
                let data = self.data(command);
                self.say(stream, data).await?;
            }
            self.say(stream, format!("{tag} OK done\r\n").into_bytes()).await?;
            if command == "STARTTLS" {
                return Some(true);
            }
        }
    }

    fn act(&self, command: &str) -> Option<Act> {
        let mut state = self.state.lock().unwrap();
        let (_, times, act) = state
            .acts
            .iter_mut()
            .find(|(beginning, times, _)| *times > 0 && command.starts_with(beginning))?;
        *times -= 1;
        Some(act.clone())
    }

    /// What comes before a command is done.
    fn data(&self, command: &str) -> Vec<u8> {
        let state = self.state.lock().unwrap();
        let words: Vec<&str> = command.split(' ').collect();
        let uids: Vec<u32> = state.messages.keys().copied().collect();
        match words.as_slice() {
            ["CAPABILITY"] => format!("* CAPABILITY {}\r\n", state.capabilities).into_bytes(),
            ["EXAMINE", _] => format!(
                "* FLAGS (\\Seen)\r\n* {} EXISTS\r\n* 0 RECENT\r\n* OK [UIDVALIDITY {}] fine\r\n",
                uids.len(),
                state.uid_validity
            )
            .into_bytes(),
            ["NOOP"] => format!("* {} EXISTS\r\n", uids.len()).into_bytes(),
            ["FETCH", which, "(UID)"] => {
                let uid = if *which == "*" { uids.last() } else { uids.first() };
                uid.map(|uid| format!("* 1 FETCH (UID {uid})\r\n")).unwrap_or_default().into_bytes()
            }
            ["UID", "SEARCH", "UID", range] => {
                let (from, to) = range.split_once(':').unwrap();
                let range = from.parse::<u32>().unwrap()..=to.parse::<u32>().unwrap();
                let found = uids.iter().filter(|uid| range.contains(uid));
                // Servers need not sort.
                let found: Vec<String> = found.rev().map(ToString::to_string).collect();
                format!("* SEARCH {}\r\n", found.join(" ")).into_bytes()
            }
            ["UID", "FETCH", uid, "(UID", rest @ ..] => fetch(&state.messages, uid.parse().unwrap(), rest),
            _ => Vec::new(),
        }
    }

    async fn idle<S: AsyncRead + AsyncWrite + Unpin>(&self, stream: &mut BufReader<S>) -> Option<()> {
        let count = || self.state.lock().unwrap().messages.len();
        let before = count();
        self.say(stream, b"+ idling\r\n".to_vec()).await?;
        let mut told = before;
        loop {
            let changed = self.changed.notified();
            while count() < told {
                told -= 1;
                self.say(stream, b"* 1 EXPUNGE\r\n".to_vec()).await?;
            }
            if count() > told {
                told = count();
                self.say(stream, format!("* {told} EXISTS\r\n").into_bytes()).await?;
            }
            tokio::select! {
                done = line(stream) => return (done? == "DONE").then_some(()),
                () = changed => {}
                // One may have come before anybody waited for it.
                () = tokio::time::sleep(Duration::from_millis(20)) => {}
            }
        }
    }

    async fn say<S: AsyncWrite + Unpin>(&self, stream: &mut S, bytes: Vec<u8>) -> Option<()> {
        let (is_slow, cut) = {
            let mut state = self.state.lock().unwrap();
            let cut = state.cut_after.filter(|&left| left <= bytes.len());
            state.cut_after = state.cut_after.filter(|_| cut.is_none()).map(|left| left - bytes.len());
            (state.is_slow, cut)
        };
        let bytes = &bytes[..cut.unwrap_or(bytes.len())];
        for piece in bytes.chunks(if is_slow { 3 } else { usize::MAX }) {
            stream.write_all(piece).await.ok()?;
            stream.flush().await.ok()?;
            tokio::task::yield_now().await;
        }
        cut.is_none().then_some(())
    }
}

fn fetch(messages: &BTreeMap<u32, Vec<u8>>, uid: u32, what: &[&str]) -> Vec<u8> {
    let Some(text) = messages.get(&uid) else { return Vec::new() };
    if what[0] == "BODY.PEEK[])" {
        let mut said = format!("* 1 FETCH (UID {uid} BODY[] {{{}}}\r\n", text.len()).into_bytes();
        said.extend_from_slice(text);
        said.extend_from_slice(b")\r\n");
        return said;
    }
    if what[0].starts_with("BODY.PEEK[HEADER]<0.") {
        let end = text.windows(4).position(|bytes| bytes == b"\r\n\r\n").map_or(text.len(), |at| at + 4);
        let mut said = format!("* 1 FETCH (UID {uid} BODY[HEADER]<0> {{{end}}}\r\n").into_bytes();
        said.extend_from_slice(&text[..end]);
        said.extend_from_slice(b")\r\n");
        return said;
    }
    let date = "17-Jul-1996 02:44:25 -0700";
    format!("* 1 FETCH (RFC822.SIZE {} UID {uid} INTERNALDATE \"{date}\")\r\n", text.len()).into_bytes()
}

async fn line<S: AsyncRead + Unpin>(stream: &mut BufReader<S>) -> Option<String> {
    let mut line = String::new();
    stream.read_line(&mut line).await.ok().filter(|count| *count > 0)?;
    line.strip_suffix("\r\n").map(str::to_owned)
}

/// Writes down what it is told.
#[derive(Clone, Default)]
pub(crate) struct Log(pub(crate) Arc<Mutex<Vec<String>>>, pub(crate) Arc<Mutex<Option<Position>>>);

impl Log {
    fn put(&self, position: Position, text: String) {
        *self.1.lock().unwrap() = Some(position);
        self.0.lock().unwrap().push(text);
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    pub(crate) fn has(&self, line: &str) -> bool {
        self.lines().iter().any(|told| told == line)
    }

    pub(crate) fn position(&self) -> Option<Position> {
        *self.1.lock().unwrap()
    }
}

impl Observer for Log {
    async fn connected(&self, at: Position) {
        self.put(at, format!("connected {}/{}", at.uid_validity, at.last_uid));
    }
    async fn kept(&self, at: Position) {
        self.put(at, format!("kept {}", at.last_uid));
    }
    async fn refused(&self, at: Position, why: &str) {
        self.put(at, format!("refused {}: {why}", at.last_uid));
    }
    async fn too_large(&self, at: Position, size: u64) {
        self.put(at, format!("too large {}: {size}", at.last_uid));
    }
    async fn gone(&self, at: Position) {
        self.put(at, format!("gone {}", at.last_uid));
    }
    async fn caught_up(&self, at: Position) {
        self.put(at, format!("caught up {}", at.last_uid));
    }
    async fn quiet(&self) {
        self.0.lock().unwrap().push("quiet".to_owned());
    }
}

/// A reader at work.
pub(crate) struct Reader {
    pub(crate) keep: Memory,
    pub(crate) log: Log,
    pub(crate) stop: CancellationToken,
    pub(crate) reading: JoinHandle<Result<(), Error>>,
}

/// How the server is read, without waiting long for anything.
pub(crate) fn options(fake: &Fake) -> Options {
    let login = Login::Password { user: "complaints".to_owned(), password: "hunter2".to_owned() };
    let mut options = Options::new("127.0.0.1", login);
    options.port = fake.port;
    options.security = Security::None;
    options.trusted = Some(CA.to_vec());
    options.timeouts.retry = Duration::from_millis(10);
    options.timeouts.poll = Duration::from_millis(20);
    options
}

impl Reader {
    pub(crate) fn of(fake: &Fake) -> Self {
        Self::start(options(fake), None, Memory::default())
    }

    pub(crate) fn start(options: Options, position: Option<Position>, keep: Memory) -> Self {
        let (log, stop) = (Log::default(), CancellationToken::new());
        let (keep_of_it, log_of_it, stop_of_it) = (keep.clone(), log.clone(), stop.clone());
        let reading =
            tokio::spawn(async move { read(&options, position, &keep_of_it, &log_of_it, &stop_of_it).await });
        Self { keep, log, stop, reading }
    }

    /// Stops it, and waits for its end.
    pub(crate) async fn end(self) -> Result<(), Error> {
        self.stop.cancel();
        crate::support::soon(self.reading).await.unwrap()
    }
}

/// Why reading ends by itself.
pub(crate) async fn error(options: Options) -> Error {
    let reader = Reader::start(options, None, Memory::default());
    crate::support::soon(reader.reading).await.unwrap().unwrap_err()
}
