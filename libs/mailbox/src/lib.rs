//! Messages as they arrive at an address of ours, by two roads. Knows no database: who
//! uses it says who keeps what arrives.
//!
//! - [`imap::read`] fetches what lies in a folder of an IMAP mailbox, message by message
//!   in the order of their uids, and waits for more.
//! - [`smtp::serve`] is a listener that other mail servers deliver to, by SMTP or LMTP. It
//!   relays nothing.
//! - [`oauth::Grant`] gets the tokens that some mailboxes want instead of a password.
//!
//! Both roads hand a message to [`Keep`], whole and as it came, and count it as taken in
//! only when the answer is [`Kept::Kept`]: until then an IMAP reader does not go on, and a
//! mail server is not told that we have it. So none is lost, and some come twice: an
//! answer may be lost on its way to the server, and a reader may end before its position
//! is noted. Who keeps them knows a second copy by its Message-ID and its bytes.
//!
//! What the other side sends is not trusted: every line, literal and count has a limit,
//! every wait a deadline, and a session holds one message at a time. Passwords, tokens and
//! messages are never logged, and are not shown by `Debug`.
//!
//! ```no_run
//! use mailbox::imap::{Login, Options, read};
//! use mailbox::{Arrived, Keep, Kept};
//! use tokio_util::sync::CancellationToken;
//!
//! struct Store;
//!
//! impl Keep for Store {
//!     async fn keep(&self, message: Arrived) -> Kept {
//!         println!("{} bytes from {:?}", message.raw.len(), message.origin);
//!         Kept::Kept
//!     }
//! }
//!
//! # async fn example() -> Result<(), mailbox::imap::Error> {
//! let login = Login::Password { user: "complaints@example.org".into(), password: "…".into() };
//! let options = Options::new("imap.example.org", login);
//! // Nobody is told of the progress here: the unit is an observer, too.
//! read(&options, None, &Store, &(), &CancellationToken::new()).await
//! # }
//! ```
#![warn(clippy::missing_errors_doc)]

mod arrival;
pub mod imap;
pub mod oauth;
pub mod smtp;

pub use arrival::{Arrived, Keep, Kept, MAX_HEADER, MAX_SAID, Origin, Outline};
