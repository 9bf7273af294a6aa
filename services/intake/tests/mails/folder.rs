//! An IMAP server with one folder, for tests: some of its mails are larger than they may be, and
//! some it does not give.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// What the server does where it is asked for a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Gives {
    /// It gives it.
    Whole,
    /// It says no.
    Refusal(&'static str),
    /// It cuts the connection.
    Cut,
}

/// A mail as it lies there.
#[derive(Clone, Debug)]
pub(crate) struct Lying {
    /// All of it.
    pub(crate) text: String,
    /// How long it is, by the server's word.
    pub(crate) size: u64,
    /// Whether it is given.
    pub(crate) gives: Gives,
    /// Whether its header is.
    pub(crate) gives_header: bool,
}

impl Lying {
    /// One that is given.
    pub(crate) fn whole(text: String) -> Self {
        let size = text.len() as u64;
        Self { text, size, gives: Gives::Whole, gives_header: true }
    }
}

#[derive(Default)]
struct State {
    uid_validity: u32,
    mails: BTreeMap<u32, Lying>,
    commands: Vec<String>,
}

/// The server.
#[derive(Clone)]
pub(crate) struct Folder {
    state: Arc<Mutex<State>>,
    pub(crate) port: u16,
}

impl Folder {
    /// One with mails of these uids.
    pub(crate) async fn with(mails: impl IntoIterator<Item = (u32, Lying)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let state = State { uid_validity: 7, mails: mails.into_iter().collect(), commands: Vec::new() };
        let folder = Self { state: Arc::new(Mutex::new(state)), port };
        let serving = folder.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let folder = serving.clone();
                tokio::spawn(async move { folder.serve(stream).await });
            }
        });
        folder
    }

    /// Makes the folder anew: the same mails under other numbers.
    pub(crate) fn anew(&self) {
        let mut state = self.state.lock().expect("one test");
        state.uid_validity += 1;
        let mails = std::mem::take(&mut state.mails);
        state.mails = mails.into_iter().map(|(uid, mail)| (uid + 100, mail)).collect();
    }

    /// How often a command was sent that begins so.
    pub(crate) fn count(&self, beginning: &str) -> usize {
        let state = self.state.lock().expect("one test");
        state.commands.iter().filter(|command| command.starts_with(beginning)).count()
    }

    async fn serve(self, stream: TcpStream) -> Option<()> {
        let (reading, mut writing) = stream.into_split();
        writing.write_all(b"* OK ready\r\n").await.ok()?;
        let mut lines = BufReader::new(reading).lines();
        let mut idling = String::new();
        while let Some(line) = lines.next_line().await.ok()? {
            let (tag, command) = line.split_once(' ').unwrap_or((&line, ""));
            self.state.lock().expect("one test").commands.push(command.to_owned());
            let answer = match command {
                "IDLE" => {
                    tag.clone_into(&mut idling);
                    "+ idling\r\n".to_owned()
                }
                _ if line == "DONE" => format!("{idling} OK done\r\n"),
                _ => self.answer(tag, command)?,
            };
            writing.write_all(answer.as_bytes()).await.ok()?;
        }
        Some(())
    }

    /// What it says to a command; none where it cuts the connection.
    fn answer(&self, tag: &str, command: &str) -> Option<String> {
        let state = self.state.lock().expect("one test");
        let done = |data: String| Some(format!("{data}{tag} OK done\r\n"));
        let words: Vec<&str> = command.split(' ').collect();
        match words.as_slice() {
            ["CAPABILITY"] => done("* CAPABILITY IMAP4rev1 IDLE\r\n".to_owned()),
            ["EXAMINE", _] => done(format!(
                "* {} EXISTS\r\n* OK [UIDVALIDITY {}] life\r\n",
                state.mails.len(),
                state.uid_validity
            )),
            ["FETCH", which, _] => {
                let uid = if *which == "*" { state.mails.keys().last() } else { state.mails.keys().next() };
                done(uid.map(|uid| format!("* 1 FETCH (UID {uid})\r\n")).unwrap_or_default())
            }
            ["UID", "SEARCH", _, range] => {
                let (from, to) = range.split_once(':')?;
                let range = from.parse::<u32>().ok()?..=to.parse::<u32>().ok()?;
                let found: Vec<String> = state.mails.range(range).map(|(uid, _)| uid.to_string()).collect();
                done(format!("* SEARCH {}\r\n", found.join(" ")))
            }
            ["UID", "FETCH", uid, _, what @ ..] => {
                let mail = state.mails.get(&uid.parse().ok()?)?;
                if what[0] == "RFC822.SIZE" {
                    return done(format!(
                        "* 1 FETCH (UID {uid} RFC822.SIZE {} INTERNALDATE \"20-Nov-2026 08:00:00 +0000\")\r\n",
                        mail.size
                    ));
                }
                let literal = |name: &str, text: &str| {
                    done(format!("* 1 FETCH (UID {uid} {name} {{{}}}\r\n{text})\r\n", text.len()))
                };
                if what[0].contains("HEADER") {
                    let end = mail.text.find("\r\n\r\n").map_or(mail.text.len(), |at| at + 4);
                    return if mail.gives_header {
                        literal("BODY[HEADER]<0>", &mail.text[..end])
                    } else {
                        Some(format!("{tag} NO nothing to be had\r\n"))
                    };
                }
                match mail.gives {
                    Gives::Whole => literal("BODY[]", &mail.text),
                    Gives::Refusal(said) => Some(format!("{tag} NO {said}\r\n")),
                    Gives::Cut => None,
                }
            }
            _ => done(String::new()),
        }
    }
}
