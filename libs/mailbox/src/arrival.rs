//! What arrives, and who keeps it.

use std::fmt;
use std::net::SocketAddr;

use bytes::Bytes;
use jiff::Timestamp;

/// Longest sentence of another server, or about a message, that is handed on; in
/// characters. The rest is cut off.
pub const MAX_SAID: usize = 200;

/// Who keeps what arrives.
pub trait Keep: Send + Sync + 'static {
    /// Keeps a message, durably. Called once for each message a session meets, and again
    /// for the same message when the session before did not come to hear the answer. A
    /// session waits for one answer at a time, and no longer than its options say: then
    /// it is as if the answer were [`Kept::TryLater`], and the call is dropped.
    fn keep(&self, message: Arrived) -> impl Future<Output = Kept> + Send;

    /// Keeps what can be known of a message that an IMAP reader passes over because it is larger
    /// than may be fetched. Called and answered as [`Keep::keep`] is; who does not care is told
    /// of it by [`crate::imap::Observer::too_large`] all the same.
    fn keep_outline(&self, message: Outline) -> impl Future<Output = Kept> + Send {
        let _ = message;
        async { Kept::Kept }
    }
}

/// Most bytes of the header of a message that is not fetched.
pub const MAX_HEADER: usize = 64 * 1024;

/// What can be known of a message in a folder that is not fetched.
#[derive(Clone, PartialEq, Eq)]
pub struct Outline {
    /// Which life of the folder the uid belongs to.
    pub uid_validity: u32,
    /// Its number in the folder.
    pub uid: u32,
    /// How many bytes it has, by the server's word; None where it does not say.
    pub size: Option<u64>,
    /// When the server received it, where it says so.
    pub internal_date: Option<Timestamp>,
    /// Its header, as far as [`MAX_HEADER`] goes; empty where the server does not give it.
    pub header: Bytes,
}

/// Shows how long its header is, not what it says.
impl fmt::Debug for Outline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outline")
            .field("uid_validity", &self.uid_validity)
            .field("uid", &self.uid)
            .field("size", &self.size)
            .field("internal_date", &self.internal_date)
            .field("header", &self.header.len())
            .finish()
    }
}

/// A message that arrived.
#[derive(Clone, PartialEq, Eq)]
pub struct Arrived {
    /// Its bytes as they were sent: headers, an empty line, the body. SMTP's dots are
    /// taken out. May be no well-formed message at all.
    pub raw: Bytes,
    /// How it came here.
    pub origin: Origin,
}

/// Shows how long it is, not what it says.
impl fmt::Debug for Arrived {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Arrived").field("bytes", &self.raw.len()).field("origin", &self.origin).finish()
    }
}

/// How a message came here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Fetched from a folder.
    Imap {
        /// Which life of the folder the uid belongs to.
        uid_validity: u32,
        /// Its number in the folder.
        uid: u32,
        /// When the server received it, where it says so.
        internal_date: Option<Timestamp>,
    },
    /// Delivered by another server.
    Smtp {
        /// Where it connected from.
        peer: SocketAddr,
        /// How it named itself. Nobody checked that.
        helo: String,
        /// Where a report goes if it cannot be delivered; None for the null return path
        /// (`<>`), which bounces and automatic answers have. Nobody checked that.
        mail_from: Option<String>,
        /// Whom it is for: those that were accepted, in order, a second time if they were
        /// named twice.
        recipients: Vec<String>,
        /// Whether the connection was encrypted.
        tls: bool,
    },
}

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It is stored durably, or was known already.
    Kept,
    /// Not now; the sentence says why, for the other side and for operators. A mail
    /// server is answered 451 and sends it again; an IMAP reader stops here, with
    /// [`crate::imap::Error::TryLater`], so that no message is passed over.
    TryLater(String),
    /// Never; the sentence says why. A mail server is answered 554 and reports it to the
    /// sender; an IMAP reader tells of it ([`crate::imap::Observer::refused`]) and goes on.
    Refuse(String),
}

/// A sentence of somebody else as it may be handed on: one line of printable ASCII, not
/// longer than [`MAX_SAID`].
pub(crate) fn said(text: &str) -> String {
    let one_line = text.chars().map(|c| if c == ' ' || c.is_ascii_graphic() { c } else { '?' });
    one_line.take(MAX_SAID).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_say_is_one_short_line() {
        assert_eq!(said("  No such\r\n250 folder é\u{7} "), "No such??250 folder ??");
        assert_eq!(said(&"a".repeat(1_000)).len(), MAX_SAID);
    }

    #[test]
    fn a_message_is_not_shown() {
        let origin = Origin::Imap { uid_validity: 1, uid: 2, internal_date: None };
        let shown = format!("{:?}", Arrived { raw: Bytes::from_static(b"hunter2"), origin });
        assert_eq!(
            shown,
            "Arrived { bytes: 7, origin: Imap { uid_validity: 1, uid: 2, internal_date: None } }"
        );
    }
}
