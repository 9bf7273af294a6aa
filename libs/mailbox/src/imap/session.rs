//! The commands a reader sends, and their answers. Whatever else the server says in
//! between is noted if it matters, and borne if it does not.

use std::collections::BTreeSet;

use bytes::Bytes;
use tokio::time::Instant;

use super::fetch::Fetched;
use super::reply::{Condition, Reply, Status};
use super::wire::{Frame, Wire};
use super::{Error, Options, Security, Timeouts, connect, folder, login, reply};
use crate::arrival::MAX_HEADER;

/// How many uids are asked for at once: so many that few questions go by in a folder
/// with gaps, so few that the answer is short.
pub(super) const WINDOW: u32 = 10_000;
/// Most capabilities that are remembered.
const MAX_CAPABILITIES: usize = 200;
/// Most responses to one command. Servers may tell of every change in the folder.
const MAX_RESPONSES: usize = 100_000;

/// A session with a server.
pub(super) struct Session {
    wire: Wire,
    timeouts: Timeouts,
    /// Largest message, in bytes.
    largest: usize,
    tags: u32,
    capabilities: Vec<String>,
    /// How many messages there are, by the server's last word.
    exists: u32,
    /// Whether the server told of messages since it was last asked for them.
    has_news: bool,
}

/// What asking for a message came to.
#[derive(Debug)]
pub(super) enum Answer<T> {
    /// This.
    Got(T),
    /// Nothing: there may be no such message any more.
    Nothing,
    /// The message is larger than may be: of so many bytes.
    TooLarge(u64),
    /// There is something that cannot be read.
    Unreadable(String),
}

/// Connects, encrypts, logs in and opens the folder; with its life.
pub(super) async fn open(options: &Options) -> Result<(Session, u32), Error> {
    let by = Instant::now() + options.timeouts.connect;
    let tcp = connect::reach(options, by).await?;
    let mut session = match options.security {
        Security::Tls => Session::new(connect::encrypt(tcp, options, by).await?, options),
        Security::StartTls | Security::None => Session::new(Box::new(tcp), options),
    };
    let greeting = session.greeted(by).await?;
    if options.security == Security::StartTls {
        // Who greets as if we were known already would have us pass STARTTLS over.
        if greeting.condition == Condition::PreAuth {
            return Err(Error::NoStartTls);
        }
        session = session.start_tls(options).await?;
        session.ask_capabilities().await?;
    } else if let Some(capabilities) = greeting.capabilities() {
        session.set_capabilities(capabilities);
    } else {
        session.ask_capabilities().await?;
    }
    if greeting.condition != Condition::PreAuth {
        login::log_in(&mut session, &options.login).await?;
    }
    let uid_validity = session.examine(&options.folder).await?;
    Ok((session, uid_validity))
}

impl Session {
    fn new(stream: Box<dyn super::wire::Stream>, options: &Options) -> Self {
        Self {
            wire: Wire::new(stream),
            timeouts: options.timeouts,
            largest: usize::try_from(options.largest).unwrap_or(usize::MAX),
            tags: 0,
            capabilities: Vec::new(),
            exists: 0,
            has_news: false,
        }
    }

    async fn greeted(&mut self, by: Instant) -> Result<Status, Error> {
        match self.next(by).await? {
            Ok(Reply::Untagged(status)) => match status.condition {
                Condition::Ok | Condition::PreAuth => Ok(status),
                _ => Err(Error::Ended(status.said)),
            },
            _ => Err(Error::Protocol("the server does not greet".to_owned())),
        }
    }

    /// Encrypts what was plain until now.
    async fn start_tls(mut self, options: &Options) -> Result<Self, Error> {
        self.ask_capabilities().await?;
        if !self.can("STARTTLS") || self.command("STARTTLS").await?.condition != Condition::Ok {
            return Err(Error::NoStartTls);
        }
        let by = Instant::now() + options.timeouts.connect;
        // What came with the answer was not encrypted, and would be taken for an answer
        // that was.
        let stream =
            self.wire.into_stream().ok_or_else(|| Error::Protocol("it says more before TLS".to_owned()))?;
        Ok(Self::new(connect::encrypt(stream, options, by).await?, options))
    }

    /// Whether the server can do this, by its word.
    pub(super) fn can(&self, capability: &str) -> bool {
        self.capabilities.iter().any(|name| name == capability)
    }

    pub(super) fn set_capabilities(&mut self, mut capabilities: Vec<String>) {
        capabilities.truncate(MAX_CAPABILITIES);
        self.capabilities = capabilities;
    }

    pub(super) async fn ask_capabilities(&mut self) -> Result<(), Error> {
        self.capabilities.clear();
        self.command("CAPABILITY").await.map(|_| ())
    }

    /// Longest that one answer is waited for.
    pub(super) fn patience(&self) -> std::time::Duration {
        self.timeouts.command
    }

    /// Whether there may be messages nobody asked for yet.
    pub(super) fn has_news(&self) -> bool {
        self.has_news
    }

    /// The next response, read; or how large it was.
    async fn next(&mut self, by: Instant) -> Result<Result<Reply, u64>, Error> {
        let reply = match self.wire.receive(self.largest, by).await? {
            Frame::TooLarge(size) => return Ok(Err(size)),
            Frame::Whole(bytes) => reply::read(&bytes),
        };
        match &reply {
            Reply::Untagged(status) if status.condition == Condition::Bye => {
                return Err(Error::Ended(status.said.clone()));
            }
            Reply::Capabilities(capabilities) => self.set_capabilities(capabilities.clone()),
            // Some servers say with every answer how many there are.
            Reply::Exists(count) => {
                self.has_news |= *count != self.exists;
                self.exists = *count;
            }
            Reply::Expunge => self.exists = self.exists.saturating_sub(1),
            _ => {}
        }
        Ok(Ok(reply))
    }

    async fn start(&mut self, command: &str, by: Instant) -> Result<String, Error> {
        self.tags = self.tags.wrapping_add(1);
        let tag = format!("r{}", self.tags);
        self.wire.send(format!("{tag} {command}\r\n").as_bytes(), by).await?;
        Ok(tag)
    }

    /// Reads responses until the command is done.
    async fn done(
        &mut self,
        tag: &str,
        by: Instant,
        mut heed: impl FnMut(Result<Reply, u64>) + Send,
    ) -> Result<Status, Error> {
        for _ in 0..MAX_RESPONSES {
            match self.next(by).await? {
                Ok(Reply::Done { tag: done, status }) if done == tag => return Ok(status),
                reply => heed(reply),
            }
        }
        Err(Error::Protocol("a command has no end".to_owned()))
    }

    /// Sends a command whose answer is only how it went.
    pub(super) async fn command(&mut self, command: &str) -> Result<Status, Error> {
        let by = Instant::now() + self.timeouts.command;
        let tag = self.start(command, by).await?;
        self.done(&tag, by, |_| {}).await
    }

    /// Sends what proves who we are, once the server is ready for it.
    pub(super) async fn authenticate(&mut self, mechanism: &str, response: &str) -> Result<Status, Error> {
        let by = Instant::now() + self.timeouts.command;
        let tag = self.start(&format!("AUTHENTICATE {mechanism}"), by).await?;
        let mut lines = [response, ""].into_iter();
        for _ in 0..MAX_RESPONSES {
            match self.next(by).await? {
                Ok(Reply::Done { tag: done, status }) if done == tag => return Ok(status),
                // A second one is the reason of a refusal, which wants an empty line.
                Ok(Reply::Continue(_)) => {
                    let Some(line) = lines.next() else { break };
                    self.wire.send(format!("{line}\r\n").as_bytes(), by).await?;
                }
                _ => {}
            }
        }
        Err(Error::Protocol("it asks for more than it needs to know us".to_owned()))
    }

    async fn examine(&mut self, name: &str) -> Result<u32, Error> {
        let by = Instant::now() + self.timeouts.command;
        let tag = self.start(&format!("EXAMINE {}", folder::quoted(name)), by).await?;
        let mut uid_validity = None;
        let heed = |reply| {
            if let Ok(Reply::Untagged(status)) = reply {
                uid_validity = status.number("UIDVALIDITY").or(uid_validity);
            }
        };
        let status = self.done(&tag, by, heed).await?;
        match status.condition {
            Condition::Ok => {
                uid_validity.ok_or_else(|| Error::Protocol("the folder has no UIDVALIDITY".to_owned()))
            }
            _ if status.is_passing() => Err(Error::TryLater { uid: None, said: status.said }),
            _ => Err(Error::FolderMissing(status.said)),
        }
    }

    /// The uid of the last message; None if there is none.
    pub(super) async fn last_uid(&mut self) -> Result<Option<u32>, Error> {
        self.has_news = false;
        if self.exists == 0 {
            return Ok(None);
        }
        Ok(self.uids("FETCH * (UID)").await?.last().copied())
    }

    /// A uid before which there is no message: mailboxes that are emptied now and then
    /// begin far from 1.
    pub(super) async fn first_uid(&mut self) -> Result<u32, Error> {
        let Some(first) = self.uids("FETCH 1 (UID)").await?.first().copied() else { return Ok(1) };
        // What came unasked may have been about another one.
        let before = if first > 1 { self.search(1, first - 1).await? } else { BTreeSet::new() };
        Ok(before.first().copied().unwrap_or(first).max(1))
    }

    /// The messages of these uids that are there.
    pub(super) async fn search(&mut self, from: u32, to: u32) -> Result<BTreeSet<u32>, Error> {
        let mut uids = self.uids(&format!("UID SEARCH UID {from}:{to}")).await?;
        uids.retain(|uid| (from..=to).contains(uid));
        Ok(uids)
    }

    /// Uids in what a command brings.
    async fn uids(&mut self, command: &str) -> Result<BTreeSet<u32>, Error> {
        let by = Instant::now() + self.timeouts.command;
        let tag = self.start(command, by).await?;
        let mut uids = BTreeSet::new();
        let status = self.done(&tag, by, |reply| match reply {
            // More than were asked for are no answer, and not remembered.
            Ok(Reply::Search(found)) if uids.len() <= WINDOW as usize => uids.extend(found),
            Ok(Reply::Fetch(Fetched { uid: Some(uid), .. })) if uids.len() <= WINDOW as usize => {
                uids.insert(uid);
            }
            _ => {}
        });
        let status = status.await?;
        if status.condition == Condition::Ok {
            Ok(uids)
        } else {
            Err(Error::TryLater { uid: None, said: status.said })
        }
    }

    /// How large a message is, and when the server received it.
    pub(super) async fn look(&mut self, uid: u32) -> Result<Answer<Fetched>, Error> {
        let by = Instant::now() + self.timeouts.command;
        self.fetch(uid, "RFC822.SIZE INTERNALDATE", by, |fetched| fetched.size.is_some()).await
    }

    /// The header of a message, as far as [`MAX_HEADER`] goes.
    pub(super) async fn header(&mut self, uid: u32) -> Result<Answer<Bytes>, Error> {
        let by = Instant::now() + self.timeouts.command;
        let what = format!("BODY.PEEK[HEADER]<0.{MAX_HEADER}>");
        Ok(match self.fetch(uid, &what, by, |fetched| fetched.header.is_some()).await? {
            // A server may say more than it was asked for.
            Answer::Got(Fetched { header: Some(bytes), .. }) => {
                Answer::Got(bytes.slice(..bytes.len().min(MAX_HEADER)))
            }
            Answer::Got(_) | Answer::Nothing => Answer::Nothing,
            Answer::TooLarge(size) => Answer::TooLarge(size),
            Answer::Unreadable(said) => Answer::Unreadable(said),
        })
    }

    /// The message.
    pub(super) async fn message(&mut self, uid: u32) -> Result<Answer<Bytes>, Error> {
        let by = Instant::now() + self.timeouts.message;
        let answer = self
            .fetch(uid, "BODY.PEEK[]", by, |fetched| fetched.body.is_some() || fetched.has_no_body)
            .await?;
        Ok(match answer {
            Answer::Got(Fetched { body: Some(bytes), .. }) => Answer::Got(bytes),
            Answer::Got(_) => Answer::Unreadable("the server says it has no text".to_owned()),
            Answer::Nothing => Answer::Nothing,
            Answer::TooLarge(size) => Answer::TooLarge(size),
            Answer::Unreadable(said) => Answer::Unreadable(said),
        })
    }

    async fn fetch(
        &mut self,
        uid: u32,
        what: &str,
        by: Instant,
        is_it: fn(&Fetched) -> bool,
    ) -> Result<Answer<Fetched>, Error> {
        let tag = self.start(&format!("UID FETCH {uid} (UID {what})"), by).await?;
        let mut answer = Answer::Nothing;
        let heed = |reply| match reply {
            // Responses about other messages, or with flags alone, come unasked.
            Ok(Reply::Fetch(fetched)) if fetched.uid == Some(uid) && is_it(&fetched) => {
                answer = Answer::Got(fetched);
            }
            Ok(Reply::Unreadable) if matches!(answer, Answer::Nothing) => {
                answer = Answer::Unreadable("its response cannot be read".to_owned());
            }
            // Nothing else that was asked for is large.
            Err(size) => answer = Answer::TooLarge(size),
            _ => {}
        };
        let status = self.done(&tag, by, heed).await?;
        match (status.condition, answer) {
            (Condition::Ok, answer) => Ok(answer),
            (_, Answer::Got(_)) if status.is_passing() => {
                Err(Error::TryLater { uid: Some(uid), said: status.said })
            }
            (_, answer @ (Answer::Got(_) | Answer::TooLarge(_))) => Ok(answer),
            _ if status.is_passing() => Err(Error::TryLater { uid: Some(uid), said: status.said }),
            _ => Ok(Answer::Unreadable(status.said)),
        }
    }

    /// Waits until the server tells of something, or until `by`.
    pub(super) async fn idle(&mut self, by: Instant) -> Result<(), Error> {
        let tag = self.start("IDLE", Instant::now() + self.timeouts.command).await?;
        self.idling(&tag).await?;
        while !self.has_news {
            match self.wire.wait(by).await {
                Err(Error::TimedOut) => break,
                waited => waited?,
            }
            match self.next(Instant::now() + self.timeouts.command).await? {
                Ok(Reply::Done { tag: done, status }) if done == tag => {
                    return Err(Error::Ended(status.said));
                }
                _ => {}
            }
        }
        self.end_idle(&tag).await
    }

    /// Waits until the server has begun to tell.
    async fn idling(&mut self, tag: &str) -> Result<(), Error> {
        let by = Instant::now() + self.timeouts.command;
        for _ in 0..MAX_RESPONSES {
            match self.next(by).await? {
                Ok(Reply::Continue(_)) => return Ok(()),
                Ok(Reply::Done { tag: done, status }) if done == tag => {
                    return Err(Error::Protocol(format!("no IDLE, which it offers: {}", status.said)));
                }
                _ => {}
            }
        }
        Err(Error::Protocol("a command has no end".to_owned()))
    }

    async fn end_idle(&mut self, tag: &str) -> Result<(), Error> {
        let by = Instant::now() + self.timeouts.command;
        self.wire.send(b"DONE\r\n", by).await?;
        self.done(tag, by, |_| {}).await.map(|_| ())
    }
}
