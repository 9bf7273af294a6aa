//! The answers of a listener, each with its code, its enhanced code (RFC 3463) and a
//! sentence.

use std::fmt;

use crate::arrival::said;

/// An answer of one line, without its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// One that is always the same.
    Fixed(&'static str),
    /// One with what somebody else says, made a line already.
    Said(String),
}

impl Reply {
    pub(super) const DONE: Self = Self::Fixed("250 2.0.0 OK");
    pub(super) const SENDER: Self = Self::Fixed("250 2.1.0 sender accepted");
    pub(super) const RECIPIENT: Self = Self::Fixed("250 2.1.5 recipient accepted");
    pub(super) const CHUNK: Self = Self::Fixed("250 2.0.0 chunk received");
    pub(super) const SEND: Self = Self::Fixed("354 send the message, end with CR LF . CR LF");
    pub(super) const BYE: Self = Self::Fixed("221 2.0.0 bye");
    pub(super) const READY_FOR_TLS: Self = Self::Fixed("220 2.0.0 ready to start TLS");
    pub(super) const CANNOT_VERIFY: Self = Self::Fixed("252 2.1.5 send a message and see");
    pub(super) const HELP: Self = Self::Fixed("214 2.0.0 see RFC 5321");

    pub(super) const STOPPING: Self = Self::Fixed("421 4.3.2 the service stops, send again");
    pub(super) const TOO_LATE: Self = Self::Fixed("421 4.4.2 waited too long");
    pub(super) const TOO_LONG_A_SESSION: Self =
        Self::Fixed("421 4.7.0 the session takes too long, connect again");
    pub(super) const TOO_MANY_ERRORS: Self = Self::Fixed("421 4.7.0 too many errors");
    pub(super) const ENDLESS: Self = Self::Fixed("421 4.7.0 a line has no end");
    pub(super) const TOO_MUCH: Self = Self::Fixed("421 4.7.0 much too large");

    pub(super) const CANNOT_TELL: Self = Self::Fixed("451 4.3.0 cannot look up the recipient now");
    pub(super) const CANNOT_KEEP: Self = Self::Fixed("451 4.3.0 cannot store the message now");
    pub(super) const TOO_MANY_RECIPIENTS: Self = Self::Fixed("452 4.5.3 too many recipients");

    pub(super) const UNKNOWN_COMMAND: Self = Self::Fixed("500 5.5.1 unknown command");
    pub(super) const LINE_TOO_LONG: Self = Self::Fixed("500 5.5.2 line too long");
    pub(super) const MALFORMED: Self = Self::Fixed("500 5.5.2 lines must end with CR LF and be UTF-8");
    pub(super) const SYNTAX: Self = Self::Fixed("501 5.5.4 syntax error in parameters");
    pub(super) const BAD_SENDER: Self = Self::Fixed("501 5.1.7 no valid address of a sender");
    pub(super) const BAD_RECIPIENT: Self = Self::Fixed("501 5.1.3 no valid address of a recipient");
    pub(super) const NOT_DONE_HERE: Self = Self::Fixed("502 5.5.1 command not implemented");
    pub(super) const OUT_OF_ORDER: Self = Self::Fixed("503 5.5.1 bad sequence of commands");
    pub(super) const TLS_ALREADY: Self = Self::Fixed("503 5.5.1 TLS is active");
    pub(super) const NEEDS_TLS: Self = Self::Fixed("530 5.7.0 issue STARTTLS first");
    pub(super) const NO_SUCH_USER: Self = Self::Fixed("550 5.1.1 no such recipient here");
    pub(super) const AMBIGUOUS_END: Self = Self::Fixed("550 5.5.2 a lone dot next to a bare CR or LF");
    pub(super) const TOO_LARGE: Self = Self::Fixed("552 5.3.4 message too large");
    pub(super) const NOT_ASCII: Self = Self::Fixed("553 5.6.7 the address needs SMTPUTF8");
    pub(super) const NO_RECIPIENT: Self = Self::Fixed("554 5.5.1 no valid recipients");
    pub(super) const UNKNOWN_PARAMETER: Self = Self::Fixed("555 5.5.4 parameter not supported");

    /// It cannot be kept now.
    pub(super) fn later(why: &str) -> Self {
        Self::Said(format!("451 4.3.0 {}", or(&said(why), "cannot store the message now")))
    }

    /// It is not kept.
    pub(super) fn refused(why: &str) -> Self {
        Self::Said(format!("554 5.6.0 {}", or(&said(why), "message refused")))
    }

    /// Whether the client did something wrong.
    pub(super) fn is_error(&self) -> bool {
        self.as_str().starts_with(['4', '5'])
    }

    fn as_str(&self) -> &str {
        match self {
            Self::Fixed(text) => text,
            Self::Said(text) => text,
        }
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn or<'a>(text: &'a str, otherwise: &'a str) -> &'a str {
    if text.is_empty() { otherwise } else { text }
}
