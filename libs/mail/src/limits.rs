//! How much of a mail is read, and why one is not.

use thiserror::Error;

/// Most bytes of a mail.
pub const MAX_BYTES: usize = 32 * 1024 * 1024;
/// Most parts of a mail, with those of the mails in it.
pub const MAX_PARTS: usize = 500;
/// Most multiparts and mails within each other.
pub const MAX_DEPTH: usize = 20;
/// Most characters of the text.
pub const MAX_TEXT: usize = 200_000;
/// Most bytes of the header of a mail or of a part; fields beyond them are not read.
pub const MAX_HEADER: usize = 256 * 1024;

/// How much of a mail is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes of a mail: one that is larger is refused.
    pub bytes: usize,
    /// Most parts, with those of the mails in it: one that has more is refused.
    pub parts: usize,
    /// Most multiparts and mails within each other: one that is deeper is refused.
    pub depth: usize,
    /// Most characters of the text: what is beyond them is cut, and the whole kept as a part.
    pub text: usize,
    /// Most bytes of one header: fields beyond them are not read.
    pub header: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: MAX_BYTES, parts: MAX_PARTS, depth: MAX_DEPTH, text: MAX_TEXT, header: MAX_HEADER }
    }
}

/// Why a mail is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Unreadable {
    /// It has more bytes than this many.
    #[error("the mail is larger than {0} bytes")]
    TooLarge(usize),
    /// It has more parts than this many.
    #[error("the mail has more than {0} parts")]
    TooManyParts(usize),
    /// It has more multiparts and mails within each other than this many.
    #[error("the mail has parts more than {0} deep within each other")]
    TooDeep(usize),
    /// It does not begin with a field of a header.
    #[error("this is no mail: it does not begin with a header")]
    NoHeader,
}

impl Unreadable {
    /// A word for programs, that stays as it is: `TOO_LARGE`, `TOO_MANY_PARTS`, `TOO_DEEP` or
    /// `NO_HEADER`.
    pub fn reason(self) -> &'static str {
        match self {
            Self::TooLarge(_) => "TOO_LARGE",
            Self::TooManyParts(_) => "TOO_MANY_PARTS",
            Self::TooDeep(_) => "TOO_DEEP",
            Self::NoHeader => "NO_HEADER",
        }
    }
}
