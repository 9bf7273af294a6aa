//! Why reading ended.

/// Why reading a mailbox ended. Nothing is lost by it: reading goes on after the last
/// [`Position`](super::Position) that was told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The name leads nowhere, to no address that may be connected to, or nobody answers
    /// there.
    #[error("the mail server cannot be reached: {0}")]
    Unreachable(String),
    /// No encryption is asked for, and the way to the server is not trusted.
    #[error("without TLS only a server in a network that is allowed for that may be read")]
    Insecure,
    /// The server does not offer STARTTLS, or would have it passed over.
    #[error("the mail server offers no STARTTLS")]
    NoStartTls,
    /// The server does not prove to be who it should be, or speaks no TLS.
    #[error("no trusted TLS connection can be made: {0}")]
    Tls(String),
    /// The server does not know the user by this password or token, or takes no such
    /// thing.
    #[error("the mail server refuses the login: {0}")]
    LoginRefused(String),
    /// There was no token to log in with.
    #[error("there is no token for the login: {0}")]
    NoToken(#[source] crate::oauth::Error),
    /// The folder is not there, or may not be read.
    #[error("the folder cannot be opened: {0}")]
    FolderMissing(String),
    /// The server, or who keeps the messages, asks to come back later.
    #[error("to be tried again later: {said}")]
    TryLater {
        /// The message it was about, if it was about one.
        uid: Option<u32>,
        /// What was said.
        said: String,
    },
    /// The server has this message and does not give it, or not so that it can be read.
    /// Trying again may help; where it does not, reading goes on after the message if its
    /// uid is given as the last one.
    #[error("message {uid} cannot be read: {said}")]
    Unreadable {
        /// Which message.
        uid: u32,
        /// What the server said.
        said: String,
    },
    /// The server failed while it was asked for this message: it broke off, fell silent, or says
    /// that it cannot now. Trying again mostly helps; where it never does, it is this message
    /// that it cannot give.
    #[error("at message {uid}: {error}")]
    AtMessage {
        /// Which message.
        uid: u32,
        /// What went wrong.
        error: Box<Error>,
    },
    /// The server says what it must not.
    #[error("the mail server breaks the protocol: {0}")]
    Protocol(String),
    /// The server ended the session, saying so.
    #[error("the mail server ended the session: {0}")]
    Ended(String),
    /// The connection broke.
    #[error("the connection to the mail server broke: {0}")]
    Broken(String),
    /// The server did not answer in time.
    #[error("the mail server did not answer in time")]
    TimedOut,
}

impl Error {
    /// What it is, as a name that does not change.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "UNREACHABLE",
            Self::Insecure => "INSECURE",
            Self::NoStartTls => "NO_STARTTLS",
            Self::Tls(_) => "TLS",
            Self::LoginRefused(_) => "LOGIN_REFUSED",
            Self::NoToken(_) => "NO_TOKEN",
            Self::FolderMissing(_) => "FOLDER_MISSING",
            Self::TryLater { .. } => "TRY_LATER",
            Self::Unreadable { .. } => "UNREADABLE",
            Self::AtMessage { error, .. } => error.reason(),
            Self::Protocol(_) => "PROTOCOL",
            Self::Ended(_) => "ENDED",
            Self::Broken(_) => "BROKEN",
            Self::TimedOut => "TIMED_OUT",
        }
    }

    /// The message that the server was asked for and did not give, if that is what went wrong.
    /// Where it goes wrong at the same message again and again, nothing after it is ever read:
    /// who gives it up reads on with it as the last one, and may ask for what can be known of it
    /// ([`outline`](super::outline)). Never a message that was not kept: that is to be tried for
    /// ever.
    pub fn not_given(&self) -> Option<u32> {
        match self {
            Self::Unreadable { uid, .. } | Self::AtMessage { uid, .. } => Some(*uid),
            _ => None,
        }
    }

    /// Whether it stays so until somebody changes something: trying again soon only
    /// annoys the server, which may lock the account. Some servers refuse a login for a
    /// while without saying so, so it is worth trying now and then.
    pub fn is_permanent(&self) -> bool {
        match self {
            Self::Insecure | Self::NoStartTls | Self::LoginRefused(_) | Self::FolderMissing(_) => true,
            Self::NoToken(error) => error.is_permanent(),
            Self::AtMessage { error, .. } => error.is_permanent(),
            _ => false,
        }
    }
}
