//! A reader of an IMAP mailbox (RFC 3501).
//!
//! A session fetches every message after a [`Position`], one at a time in the order of
//! their uids, hands each to [`Keep`], and waits for more. It
//! changes nothing in the mailbox: the folder is opened for reading only, and messages stay
//! unread.

mod connect;
mod error;
mod fetch;
mod folder;
mod login;
mod reading;
mod reply;
mod session;
mod wire;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use webhook::Networks;

pub use error::Error;

use crate::arrival::{Keep, Outline};
use crate::oauth::Token;
use reading::Reading;
use session::Answer;

/// How the way to a server is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// From the first byte, mostly on port 993.
    Tls,
    /// From STARTTLS on, mostly on port 143. Nothing is said before, and a server that
    /// does not offer it is not spoken to.
    StartTls,
    /// Not at all: only to addresses of this machine, or where [`Options::networks`] is set, to
    /// those the operator named there.
    None,
}

/// As whom a mailbox is read.
#[derive(Clone)]
pub enum Login {
    /// With a password.
    Password {
        /// The user, mostly an address.
        user: String,
        /// Their password.
        password: String,
    },
    /// With a token (XOAUTH2), as Microsoft 365 and Google want it.
    OAuth2 {
        /// The user, mostly an address.
        user: String,
        /// Where tokens come from.
        token: Arc<dyn Token>,
    },
}

/// Shows neither password nor token.
impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Password { user, .. } => {
                f.debug_struct("Password").field("user", user).field("password", &"…").finish()
            }
            Self::OAuth2 { user, .. } => {
                f.debug_struct("OAuth2").field("user", user).field("token", &"…").finish()
            }
        }
    }
}

/// Which mailbox is read, and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// The server, a name or an address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the way there is encrypted.
    pub security: Security,
    /// As whom it is read.
    pub login: Login,
    /// The folder, e.g. `INBOX`. In plain characters, not in IMAP's UTF-7.
    pub folder: String,
    /// Largest message that is fetched, in bytes. A session holds one such message at
    /// most.
    pub largest: u32,
    /// Authorities that are trusted beside those of the web, in PEM.
    pub trusted: Option<Vec<u8>>,
    /// To where connections are made. None: wherever the name leads, for a server that the
    /// operator named. Set it where somebody else may name one.
    pub networks: Option<Networks>,
    /// How long is waited for what.
    pub timeouts: Timeouts,
}

impl Options {
    /// Those of a mailbox read over TLS on port 993: `INBOX`, messages of 25 MiB.
    pub fn new(host: &str, login: Login) -> Self {
        Self {
            host: host.to_owned(),
            port: 993,
            security: Security::Tls,
            login,
            folder: "INBOX".to_owned(),
            largest: 25 * 1024 * 1024,
            trusted: None,
            networks: None,
            timeouts: Timeouts::default(),
        }
    }
}

/// How long a reader waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For connecting, encrypting and the greeting. 30 seconds.
    pub connect: Duration,
    /// For the answer to one command. 1 minute.
    pub command: Duration,
    /// For one message as a whole. 10 minutes: 25 MiB at 350 kbit/s.
    pub message: Duration,
    /// Before a message that could not be read is asked for once more in a session. 1
    /// second.
    pub retry: Duration,
    /// For [`Keep::keep`], and for each call of [`Observer`]. 2 minutes.
    pub keep: Duration,
    /// For the server to tell of something new, before it is asked to do so again: servers
    /// may end a session after 30 minutes (RFC 2177: 29), and routers forget connections
    /// sooner. 9 minutes.
    pub idle: Duration,
    /// Between two questions for something new where the server does not tell (no IDLE). 1
    /// minute.
    pub poll: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(30),
            command: Duration::from_mins(1),
            message: Duration::from_mins(10),
            retry: Duration::from_secs(1),
            keep: Duration::from_mins(2),
            idle: Duration::from_mins(9),
            poll: Duration::from_mins(1),
        }
    }
}

/// Where reading goes on: after this message. A uid says which message only within one
/// life of a folder, which `uid_validity` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Which life of the folder.
    pub uid_validity: u32,
    /// The last message that is done with; 0 before the first.
    pub last_uid: u32,
}

/// Is told how reading goes. Every position it is told may be noted as the one to go on
/// from: whatever is before it is done with. Each call is waited for, no longer than
/// [`Timeouts::keep`]. All of it is optional.
pub trait Observer: Send + Sync {
    /// The folder is open. Reading begins after this position, which is another one than
    /// was asked for if the folder was made anew ([`Position::last_uid`] is 0 then).
    fn connected(&self, position: Position) -> impl Future<Output = ()> + Send {
        let _ = position;
        async {}
    }

    /// A message was kept.
    fn kept(&self, position: Position) -> impl Future<Output = ()> + Send {
        let _ = position;
        async {}
    }

    /// A message was refused by who keeps them, who said why, and passed over.
    fn refused(&self, position: Position, why: &str) -> impl Future<Output = ()> + Send {
        let _ = (position, why);
        async {}
    }

    /// A message of so many bytes is larger than may be, was not fetched, and passed over. What
    /// can be known of it was handed to [`Keep::keep_outline`] before.
    fn too_large(&self, position: Position, size: u64) -> impl Future<Output = ()> + Send {
        let _ = (position, size);
        async {}
    }

    /// A message was removed before it was fetched.
    fn gone(&self, position: Position) -> impl Future<Output = ()> + Send {
        let _ = position;
        async {}
    }

    /// Everything that is in the folder was read.
    fn caught_up(&self, position: Position) -> impl Future<Output = ()> + Send {
        let _ = position;
        async {}
    }

    /// There is nothing new, and the server is still there. Told once for every
    /// [`Timeouts::idle`] or [`Timeouts::poll`].
    fn quiet(&self) -> impl Future<Output = ()> + Send {
        async {}
    }
}

/// Nobody is told.
impl Observer for () {}

/// Reads a mailbox in one session: what is there after `position` (None: from the first
/// message on), then whatever comes, until `stop`. It ends between two messages then.
///
/// Where the folder was made anew since `position`, its uids mean other messages, and all
/// of it is read: whoever keeps messages knows which they have.
///
/// # Errors
///
/// Ends with the first error. Who calls it tries again after a while, from the last
/// position they were told.
pub async fn read(
    options: &Options,
    position: Option<Position>,
    keep: &impl Keep,
    observer: &impl Observer,
    stop: &CancellationToken,
) -> Result<(), Error> {
    let opening = session::open(options);
    let (session, uid_validity) = tokio::select! {
        biased;
        () = stop.cancelled() => return Ok(()),
        opened = opening => opened?,
    };
    let last_uid = position.filter(|position| position.uid_validity == uid_validity);
    let last_uid = last_uid.map_or(0, |position| position.last_uid);
    let position = Position { uid_validity, last_uid };
    Reading { session, options, keep, observer, stop, position }.run().await
}

/// What can be known of one message, in a session of its own: for who gives up a message that the
/// server does not give ([`Error::not_given`]). None where it is no more: it was removed, or the
/// folder was made anew.
///
/// # Errors
///
/// Fails if the folder cannot be opened. What fails then is left open in the outline: it may be
/// this message that the server breaks at.
pub async fn outline(options: &Options, position: Position) -> Result<Option<Outline>, Error> {
    let Position { uid_validity, last_uid: uid } = position;
    let (mut session, now) = session::open(options).await?;
    if now != uid_validity || !session.search(uid, uid).await?.contains(&uid) {
        return Ok(None);
    }
    let mut outline =
        Outline { uid_validity, uid, size: None, internal_date: None, header: bytes::Bytes::new() };
    let Ok(seen) = session.look(uid).await else { return Ok(Some(outline)) };
    if let Answer::Got(seen) = seen {
        (outline.size, outline.internal_date) = (seen.size, seen.internal_date);
    }
    if let Ok(Answer::Got(header)) = session.header(uid).await {
        outline.header = header;
    }
    Ok(Some(outline))
}
