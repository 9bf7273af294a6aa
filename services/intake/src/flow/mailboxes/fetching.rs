//! Reads IMAP folders: each by one process at a time, from where the one before ended.
//!
//! Whoever reads a mailbox holds it, and says so every few seconds; who dies is followed when
//! the hold ends. How far it is read is noted as it goes; what was not noted is read again, and
//! known by what it says.

mod passing;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use fault::Fault;
use jiff::SignedDuration;
use mailbox::imap::{self, Login, Observer, Options, Position};
use mailbox::oauth::{Client, Grant, Tokens};
use mailbox::{Arrived, Keep, Kept, Origin, Outline};
use pg::Db;
use server::{Secret, Settings, Stop};
use tokio::task::JoinSet;
use tokio::time::Instant;
use uuid::Uuid;
use webhook::{Networks, Sender};

use super::MAILBOXES;
use super::keeping::{MAX_MAIL, MailKeeper};
use crate::inbound_mail::Envelope;
use crate::mailbox::{self as domain, Failure, Imap, Mailbox, Security, TokenSource, retry};
use crate::store::mailboxes::{self as store, Found};

/// How often it is looked for mailboxes that nobody was woken for.
const LOOK: Duration = Duration::from_secs(1);
/// Most mailboxes that a process reads at once: each may have a mail of 32 MiB in memory. Where
/// there are more, they take turns.
const AT_ONCE: usize = 32;
/// How long a mailbox is read before another has its turn, where there is nothing more in it.
const TURN: Duration = Duration::from_secs(10);
/// How long a mailbox is held without a word from who reads it.
const HOLD: SignedDuration = SignedDuration::from_secs(30);
/// How often who reads one says so.
const SAY: Duration = Duration::from_secs(5);
/// Longest words of a failure that are kept.
const MAX_WORDS: usize = 500;

/// Reads IMAP folders.
#[derive(Clone)]
pub(crate) struct Fetcher {
    db: Db,
    keeper: MailKeeper,
    /// Where servers may be.
    networks: Networks,
    /// Authorities that are trusted beside those of the web.
    trusted: Option<Vec<u8>>,
    /// How tokens are had.
    sender: Sender,
    /// Whether mailboxes wait for a place here.
    others_wait: Arc<AtomicBool>,
}

/// A mailbox that is being read, and by whom.
struct Reader {
    fetcher: Fetcher,
    found: Found,
    holder: Uuid,
    /// How far it is, for who goes on with it after a failure.
    position: RwLock<Position>,
    /// Whether the server has said that there is nothing more.
    is_caught_up: AtomicBool,
}

impl Fetcher {
    /// Reads the mailboxes of a schema.
    pub(crate) fn new(keeper: MailKeeper, settings: &Settings) -> anyhow::Result<Self> {
        let networks = Networks::new(settings.endpoint_networks.iter().copied());
        let trusted = settings.endpoint_authorities()?;
        let sender = settings.endpoint_sender()?;
        Ok(Self { db: keeper.db().clone(), keeper, networks, trusted, sender, others_wait: Arc::default() })
    }

    /// Reads until told to stop.
    pub(crate) async fn run(self, stop: Stop) {
        let mut listener = self.db.notifier().listen(MAILBOXES);
        let mut readers = JoinSet::new();
        loop {
            while readers.try_join_next().is_some() {}
            let free = AT_ONCE.saturating_sub(readers.len());
            let holder = self.db.ids().token();
            match self.claim(holder, free).await {
                Ok(claimed) => {
                    for found in claimed {
                        let reader = Reader {
                            fetcher: self.clone(),
                            found,
                            holder,
                            position: RwLock::new(Position { uid_validity: 0, last_uid: 0 }),
                            is_caught_up: AtomicBool::new(false),
                        };
                        readers.spawn(reader.run(stop.clone()));
                    }
                }
                Err(fault) => tracing::warn!(fault = fault.chain(), "mailboxes cannot be read; trying again"),
            }
            tokio::select! {
                () = stop.cancelled() => break,
                () = listener.notified_within(LOOK) => {}
            }
        }
        while readers.join_next().await.is_some() {}
    }

    async fn claim(&self, holder: Uuid, free: usize) -> Result<Vec<Found>, Fault> {
        let most = i64::try_from(free).unwrap_or(i64::MAX);
        let claimed = self.db.transact_as_worker("mailbox.claim", async move |mut tx| {
            let now = tx.now();
            let claimed = store::claim(&mut tx, holder, (now, now + HOLD), most).await?;
            let others_wait = claimed.len() == free && store::is_any_waiting(&mut tx, now).await?;
            Ok((tx, (claimed, others_wait)))
        });
        let (claimed, others_wait) = claimed.await?;
        self.others_wait.store(others_wait, Ordering::Relaxed);
        Ok(claimed)
    }

    /// How a folder is read.
    fn options(&self, imap: &Imap) -> Result<Options, imap::Error> {
        let Imap { host, port, security, username, folder, secret, token_source } = imap;
        let secret = secret.as_ref().map(Secret::expose).unwrap_or_default().to_owned();
        let login = match token_source {
            None => Login::Password { user: username.clone(), password: secret },
            Some(source) => {
                let tokens = Tokens::new(client(source, secret)?, self.sender.clone());
                let token = Arc::new(tokens.map_err(imap::Error::NoToken)?);
                Login::OAuth2 { user: username.clone(), token }
            }
        };
        let security = match security {
            Security::Tls => imap::Security::Tls,
            Security::StartTls => imap::Security::StartTls,
            Security::Plain => imap::Security::None,
        };
        Ok(Options {
            port: *port,
            security,
            folder: folder.clone(),
            largest: u32::try_from(MAX_MAIL).unwrap_or(u32::MAX),
            trusted: self.trusted.clone(),
            networks: Some(self.networks.clone()),
            ..Options::new(host, login)
        })
    }
}

/// Who asks for tokens.
fn client(source: &TokenSource, secret: String) -> Result<Client, imap::Error> {
    let TokenSource { url, client_id, client_secret, scope, by_refresh_token } = source;
    let wrong = |_| imap::Error::Unreachable("the URL of the token endpoint is none".to_owned());
    let theirs = client_secret.as_ref().map(Secret::expose).unwrap_or_default().to_owned();
    let (client_secret, grant) = if *by_refresh_token {
        (theirs, Grant::RefreshToken(secret))
    } else {
        (secret, Grant::ClientCredentials)
    };
    Ok(Client {
        endpoint: url.parse().map_err(wrong)?,
        client_id: client_id.clone(),
        client_secret,
        scope: scope.clone(),
        grant,
    })
}

impl Reader {
    async fn run(self, stop: Stop) {
        let ended = match self.mailbox().await {
            Ok(Some(mailbox)) => match Box::pin(self.read(&mailbox, &stop)).await {
                Err(error) => self.heed(&mailbox, error).await,
                Ok(()) => Ok(()),
            },
            Ok(None) => Ok(()),
            Err(fault) => Err(imap::Error::TryLater { uid: None, said: fault.message().to_owned() }),
        };
        let noted = match ended {
            Ok(()) => self.let_go().await,
            Err(error) => self.failed(&error).await,
        };
        // The hold ends by itself.
        if let Err(fault) = noted {
            let Found { tenant, id } = &self.found;
            tracing::warn!(%tenant, mailbox = id, fault = fault.chain(), "how a mailbox is read cannot be noted");
        }
    }

    /// What went wrong; nothing where it was one mail that the server does not give, and that was
    /// passed over.
    async fn heed(&self, mailbox: &Mailbox, error: imap::Error) -> Result<(), imap::Error> {
        let Some(uid) = error.not_given() else { return Err(error) };
        match Box::pin(self.gives_up(mailbox, (uid, &error))).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(error),
            Err(fault) => {
                tracing::debug!(fault = fault.chain(), "that a mail is not given cannot be noted now");
                Err(error)
            }
        }
    }

    async fn mailbox(&self) -> Result<Option<Mailbox>, Fault> {
        let id = self.found.id.clone();
        let read = self.fetcher.db.transact("mailbox.read", &self.found.tenant, async move |mut tx| {
            let mailbox = store::get(&mut tx, &id).await?;
            Ok((tx, mailbox))
        });
        read.await
    }

    /// Reads until told to stop, or it is no more this one's to read.
    async fn read(&self, mailbox: &Mailbox, stop: &Stop) -> Result<(), imap::Error> {
        let Some(imap) = &mailbox.settings.imap else { return Ok(()) };
        let options = self.fetcher.options(imap)?;
        let domain::Position { uid_validity, last_uid } = mailbox.position;
        let position = Position { uid_validity, last_uid };
        self.reached(position);
        let position = (uid_validity > 0).then_some(position);
        let mine = stop.child_token();
        let begun = Instant::now();
        let reading = imap::read(&options, position, self, self, &mine);
        tokio::pin!(reading);
        loop {
            tokio::select! {
                ended = &mut reading => return ended,
                () = tokio::time::sleep(SAY) => {
                    let is_over = self.others_wait() && begun.elapsed() >= TURN;
                    if is_over || !self.is_mine().await {
                        mine.cancel();
                        return reading.await;
                    }
                }
            }
        }
    }

    /// Whether others wait for a place, and nothing more is in this one.
    fn others_wait(&self) -> bool {
        self.fetcher.others_wait.load(Ordering::Relaxed) && self.is_caught_up.load(Ordering::Relaxed)
    }

    /// Whether it is still this one's to read; what cannot be asked now is so until its hold is
    /// somebody else's.
    async fn is_mine(&self) -> bool {
        let (id, holder) = (self.found.id.clone(), self.holder);
        let held = self.fetcher.db.transact("mailbox.hold", &self.found.tenant, async move |mut tx| {
            let until = tx.now() + HOLD;
            let held = store::keep_hold(&mut tx, &id, (holder, until)).await?;
            Ok((tx, held))
        });
        held.await.unwrap_or(true)
    }

    async fn let_go(&self) -> Result<(), Fault> {
        let (id, holder) = (self.found.id.clone(), self.holder);
        self.fetcher
            .db
            .transact("mailbox.let_go", &self.found.tenant, async move |mut tx| {
                let now = tx.now();
                store::let_go(&mut tx, &id, holder, now).await?;
                Ok((tx, ()))
            })
            .await
    }

    /// Notes that it cannot be read, and when it is tried again.
    async fn failed(&self, error: &imap::Error) -> Result<(), Fault> {
        let (id, holder) = (self.found.id.clone(), self.holder);
        let (reason, words): (&str, String) =
            (error.reason(), error.to_string().chars().take(MAX_WORDS).collect());
        let told = words.clone();
        let first = self.fetcher.db.transact("mailbox.failed", &self.found.tenant, async move |mut tx| {
            let Some(mailbox) = store::lock(&mut tx, &id).await? else { return Ok((tx, false)) };
            let now = tx.now();
            let failure = Failure { reason: reason.to_owned(), words: told, since: now };
            let again = now.saturating_add(retry(mailbox.attempts)).unwrap_or(now);
            store::failed(&mut tx, &id, holder, (&failure, again)).await?;
            Ok((tx, mailbox.failure.is_none()))
        });
        let is_first = first.await?;
        let Found { tenant, id } = &self.found;
        if is_first {
            tracing::error!(%tenant, mailbox = id, reason, error = words, "a mailbox cannot be read");
        } else {
            tracing::debug!(%tenant, mailbox = id, reason, error = words, "a mailbox cannot be read");
        }
        Ok(())
    }

    fn position(&self) -> Position {
        *self.position.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn reached(&self, position: Position) {
        *self.position.write().unwrap_or_else(PoisonError::into_inner) = position;
    }

    /// Notes how far it is read. What cannot be noted now is read again.
    async fn note(&self, position: Position) {
        self.reached(position);
        let (id, holder) = (self.found.id.clone(), self.holder);
        let Position { uid_validity, last_uid } = position;
        let noted = self.fetcher.db.transact("mailbox.read_to", &self.found.tenant, async move |mut tx| {
            store::read_to(&mut tx, &id, holder, domain::Position { uid_validity, last_uid }).await?;
            Ok((tx, ()))
        });
        if let Err(fault) = noted.await {
            tracing::debug!(fault = fault.chain(), "how far a mailbox is read cannot be noted now");
        }
    }
}

impl Keep for Reader {
    async fn keep(&self, message: Arrived) -> Kept {
        let Origin::Imap { internal_date, .. } = message.origin else {
            return Kept::Refuse("it was not fetched".to_owned());
        };
        let now = self.fetcher.db.clock().now();
        let received = internal_date.map_or(now, |date| date.min(now));
        let envelope = Envelope { mailbox: self.found.id.clone(), recipients: Vec::new(), received };
        match self.fetcher.keeper.keep(&self.found.tenant, envelope, message.raw).await {
            Ok(_) => Kept::Kept,
            Err(fault) => later(&fault),
        }
    }

    async fn keep_outline(&self, message: Outline) -> Kept {
        match self.set_aside_large(message).await {
            Ok(()) => Kept::Kept,
            Err(fault) => later(&fault),
        }
    }
}

fn later(fault: &Fault) -> Kept {
    Kept::TryLater(format!("{}: {}", fault.reason(), fault.message()))
}

impl Observer for Reader {
    /// Which life of the folder it is, before a first mail of it is kept: that one may be what the
    /// server does not give.
    async fn connected(&self, position: Position) {
        self.reached(position);
    }

    async fn kept(&self, position: Position) {
        self.note(position).await;
    }

    async fn refused(&self, position: Position, _: &str) {
        self.note(position).await;
    }

    async fn gone(&self, position: Position) {
        self.note(position).await;
    }

    async fn caught_up(&self, position: Position) {
        self.is_caught_up.store(true, Ordering::Relaxed);
        self.note(position).await;
        self.is_heard().await;
    }

    async fn quiet(&self) {
        self.is_heard().await;
    }
}

impl Reader {
    /// Notes that the server says that there is nothing more.
    async fn is_heard(&self) {
        let (id, holder) = (self.found.id.clone(), self.holder);
        let noted = self.fetcher.db.transact("mailbox.caught_up", &self.found.tenant, async move |mut tx| {
            let now = tx.now();
            store::caught_up(&mut tx, &id, holder, now).await?;
            Ok((tx, ()))
        });
        if let Err(fault) = noted.await {
            tracing::debug!(fault = fault.chain(), "that a mailbox is read cannot be noted now");
        }
    }
}
