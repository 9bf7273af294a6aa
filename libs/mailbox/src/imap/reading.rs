//! Reading a folder: message by message, then waiting for more.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::session::{Answer, Session, WINDOW};
use super::{Error, Observer, Options, Position};
use crate::arrival::{Arrived, Keep, Kept, Origin, Outline, said};

/// How often a message that cannot be read is asked for in a session.
const FETCH_ATTEMPTS: u32 = 3;
/// How long is waited at least after nothing new was found, whatever the server tells of.
const CALM: Duration = Duration::from_secs(1);

/// Why reading goes no further.
enum Halt {
    /// It was to stop.
    Stopped,
    /// Something went wrong.
    Failed(Error),
}

impl From<Error> for Halt {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// Waits for the server, unless it is to stop.
async fn ask<T>(
    stop: &CancellationToken,
    asking: impl Future<Output = Result<T, Error>> + Send,
) -> Result<T, Halt> {
    tokio::select! {
        biased;
        () = stop.cancelled() => Err(Halt::Stopped),
        asked = asking => asked.map_err(Halt::Failed),
    }
}

/// Waits for the server's answer about a message, unless it is to stop.
async fn ask_of<T>(
    uid: u32,
    stop: &CancellationToken,
    asking: impl Future<Output = Result<T, Error>> + Send,
) -> Result<T, Halt> {
    let at = |error| Error::AtMessage { uid, error: Box::new(error) };
    ask(stop, async { asking.await.map_err(at) }).await
}

/// A folder that is being read.
pub(super) struct Reading<'a, K, O> {
    pub(super) session: Session,
    pub(super) options: &'a Options,
    pub(super) keep: &'a K,
    pub(super) observer: &'a O,
    pub(super) stop: &'a CancellationToken,
    pub(super) position: Position,
}

impl<K: Keep, O: Observer> Reading<'_, K, O> {
    /// Reads until an error or `stop`.
    pub(super) async fn run(mut self) -> Result<(), Error> {
        match self.go_on().await {
            Ok(()) | Err(Halt::Stopped) => Ok(()),
            Err(Halt::Failed(error)) => Err(error),
        }
    }

    async fn go_on(&mut self) -> Result<(), Halt> {
        self.tell(self.observer.connected(self.position)).await?;
        let mut is_quiet = false;
        loop {
            let before = self.position;
            self.catch_up().await?;
            if is_quiet && self.position == before {
                self.tell(self.observer.quiet()).await?;
            } else {
                self.tell(self.observer.caught_up(self.position)).await?;
            }
            is_quiet = ask(self.stop, wait(&mut self.session, self.options)).await?;
        }
    }

    /// Reads what is there.
    async fn catch_up(&mut self) -> Result<(), Halt> {
        let Some(last) = ask(self.stop, self.session.last_uid()).await? else { return Ok(()) };
        let mut from = self.position.last_uid.saturating_add(1);
        if self.position.last_uid == 0 {
            from = ask(self.stop, self.session.first_uid()).await?;
        }
        while from <= last && self.position.last_uid < u32::MAX {
            let to = last.min(from.saturating_add(WINDOW - 1));
            for uid in ask(self.stop, self.session.search(from, to)).await? {
                self.one(uid).await?;
            }
            let Some(next) = to.checked_add(1) else { break };
            from = next;
        }
        Ok(())
    }

    /// Reads one message.
    async fn one(&mut self, uid: u32) -> Result<(), Halt> {
        for attempt in 1.. {
            let Err(said) = self.attempt(uid).await? else { return Ok(()) };
            if attempt == FETCH_ATTEMPTS {
                return Err(Error::Unreadable { uid, said }.into());
            }
            tokio::time::sleep(self.options.timeouts.retry).await;
        }
        Ok(())
    }

    /// Reads one message; or says why it cannot be read.
    async fn attempt(&mut self, uid: u32) -> Result<Result<(), String>, Halt> {
        let seen = match ask_of(uid, self.stop, self.session.look(uid)).await? {
            Answer::Got(seen) => seen,
            Answer::Nothing => return self.absent(uid).await,
            Answer::TooLarge(_) => return Ok(Err("its size cannot be read".to_owned())),
            Answer::Unreadable(said) => return self.absent(uid).await.map(|absent| absent.map_err(|_| said)),
        };
        if let Some(size) = seen.size.filter(|size| *size > u64::from(self.options.largest)) {
            return self.too_large(uid, size, seen.internal_date).await.map(Ok);
        }
        match ask_of(uid, self.stop, self.session.message(uid)).await? {
            Answer::Got(raw) => self.hand_on(uid, raw, seen.internal_date).await.map(Ok),
            Answer::Nothing => self.absent(uid).await,
            // Sizes by a server's word are not always those of its messages.
            Answer::TooLarge(size) => self.too_large(uid, size, seen.internal_date).await.map(Ok),
            Answer::Unreadable(said) => self.absent(uid).await.map(|absent| absent.map_err(|_| said)),
        }
    }

    /// A message that was not given: it is gone, or cannot be read.
    async fn absent(&mut self, uid: u32) -> Result<Result<(), String>, Halt> {
        if ask_of(uid, self.stop, self.session.search(uid, uid)).await?.contains(&uid) {
            return Ok(Err("the server does not give it".to_owned()));
        }
        self.pass(uid);
        self.tell(self.observer.gone(self.position)).await?;
        Ok(Ok(()))
    }

    async fn hand_on(
        &mut self,
        uid: u32,
        raw: Bytes,
        internal_date: Option<jiff::Timestamp>,
    ) -> Result<(), Halt> {
        let origin = Origin::Imap { uid_validity: self.position.uid_validity, uid, internal_date };
        let refusal = self.answered(uid, self.keep.keep(Arrived { raw, origin })).await?;
        self.pass(uid);
        match refusal {
            None => self.tell(self.observer.kept(self.position)).await,
            Some(why) => self.tell(self.observer.refused(self.position, &why)).await,
        }
    }

    /// A message that is too large: what can be known of it is handed on.
    async fn too_large(
        &mut self,
        uid: u32,
        size: u64,
        internal_date: Option<jiff::Timestamp>,
    ) -> Result<(), Halt> {
        let header = match ask_of(uid, self.stop, self.session.header(uid)).await? {
            Answer::Got(header) => header,
            Answer::Nothing | Answer::TooLarge(_) | Answer::Unreadable(_) => Bytes::new(),
        };
        let uid_validity = self.position.uid_validity;
        let outline = Outline { uid_validity, uid, size: Some(size), internal_date, header };
        self.answered(uid, self.keep.keep_outline(outline)).await?;
        self.pass(uid);
        self.tell(self.observer.too_large(self.position, size)).await
    }

    /// Waits for who keeps messages; why it was refused, if it was.
    async fn answered(
        &self,
        uid: u32,
        keeping: impl Future<Output = Kept> + Send,
    ) -> Result<Option<String>, Halt> {
        let later = |said: String| Err(Error::TryLater { uid: Some(uid), said }.into());
        match timeout(self.options.timeouts.keep, keeping).await {
            Ok(Kept::Kept) => Ok(None),
            Ok(Kept::Refuse(why)) => Ok(Some(said(&why))),
            Ok(Kept::TryLater(why)) => later(said(&why)),
            Err(_) => later("it was not kept in time".to_owned()),
        }
    }

    fn pass(&mut self, uid: u32) {
        self.position.last_uid = self.position.last_uid.max(uid);
    }

    async fn tell(&self, telling: impl Future<Output = ()> + Send) -> Result<(), Halt> {
        let said = || "its progress was not noted in time".to_owned();
        let told = timeout(self.options.timeouts.keep, telling).await;
        told.map_err(|_| Error::TryLater { uid: None, said: said() }.into())
    }
}

/// Waits for more; whether nothing came in time.
async fn wait(session: &mut Session, options: &Options) -> Result<bool, Error> {
    let timeouts = options.timeouts;
    if session.has_news() {
        tokio::time::sleep(CALM).await;
        return Ok(false);
    }
    if session.can("IDLE") {
        session.idle(Instant::now() + timeouts.idle).await?;
    } else {
        tokio::time::sleep(timeouts.poll).await;
        session.command("NOOP").await?;
    }
    Ok(!session.has_news())
}
