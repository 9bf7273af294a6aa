//! What had to be guessed or repaired while a mail was read.

use std::fmt;

/// Most remarks on one mail: a broken one would be remarked upon at every line.
const MAX_REMARKS: usize = 50;
/// Most characters of what the mail itself says in a remark.
const MAX_SAID: usize = 60;

/// Something that was guessed, repaired or left out. Each is made once of a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remark {
    /// Bytes that were said to be of one charset were read as of another.
    CharsetReplaced {
        /// What the mail says.
        declared: String,
        /// What it was read as.
        used: &'static str,
    },
    /// The mail does not say of which charset bytes are, or names one that is not known: it
    /// was guessed from them.
    CharsetGuessed {
        /// What the mail says; may be empty.
        declared: String,
        /// What it was read as.
        used: &'static str,
    },
    /// Some bytes are no characters of their charset; `U+FFFD` stands in their place.
    CharsetDamaged(&'static str),
    /// An encoded word of a header could not be read, and was left as it is.
    WordUndecodable,
    /// The header is longer than is read.
    HeaderCut,
    /// The header is not as it should be: a line of it is no field.
    HeaderBroken,
    /// A multipart is not as it should be: its parts are not told from each other, or it does
    /// not end.
    StructureBroken,
    /// What was encoded for transfer is damaged; what could be read was.
    TransferDamaged,
    /// A header holds something that is no address, or more of them than are read.
    AddressUnreadable(&'static str),
    /// The zone of the date was guessed: what the mail says, or empty.
    DateZoneGuessed(String),
    /// There is a date, and none that can be believed.
    DateRefused(String),
    /// The text is longer than is kept here; the whole of it is a part.
    TextCut,
    /// Outlook's `winmail.dat` is kept as it came: what is in it is not read.
    TnefUnread,
    /// The mail is encrypted, or signed in a way that hides its text; it is kept as it came.
    EncryptedUnread,
}

impl Remark {
    /// A word for programs, that stays as it is.
    pub fn code(&self) -> &'static str {
        match self {
            Self::CharsetReplaced { .. } => "CHARSET_REPLACED",
            Self::CharsetGuessed { .. } => "CHARSET_GUESSED",
            Self::CharsetDamaged(_) => "CHARSET_DAMAGED",
            Self::WordUndecodable => "WORD_UNDECODABLE",
            Self::HeaderCut => "HEADER_CUT",
            Self::HeaderBroken => "HEADER_BROKEN",
            Self::StructureBroken => "STRUCTURE_BROKEN",
            Self::TransferDamaged => "TRANSFER_DAMAGED",
            Self::AddressUnreadable(_) => "ADDRESS_UNREADABLE",
            Self::DateZoneGuessed(_) => "DATE_ZONE_GUESSED",
            Self::DateRefused(_) => "DATE_REFUSED",
            Self::TextCut => "TEXT_CUT",
            Self::TnefUnread => "TNEF_UNREAD",
            Self::EncryptedUnread => "ENCRYPTED_UNREAD",
        }
    }
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CharsetReplaced { declared, used } => write!(f, "said to be {declared}, read as {used}"),
            Self::CharsetGuessed { declared, used } if declared.is_empty() => {
                write!(f, "the charset is not said, read as {used}")
            }
            Self::CharsetGuessed { declared, used } => write!(f, "{declared} is no charset, read as {used}"),
            Self::CharsetDamaged(charset) => write!(f, "some bytes are no characters of {charset}"),
            Self::WordUndecodable => f.write_str("an encoded word of the header could not be read"),
            Self::HeaderCut => f.write_str("the header is longer than is read"),
            Self::HeaderBroken => f.write_str("a line of the header is no field"),
            Self::StructureBroken => {
                f.write_str("the parts of the mail are not told apart as they should be")
            }
            Self::TransferDamaged => f.write_str("what was encoded for transfer is damaged"),
            Self::AddressUnreadable(header) => write!(f, "{header} holds what is no address, or too many"),
            Self::DateZoneGuessed(zone) if zone.is_empty() => f.write_str("the date names no time zone"),
            Self::DateZoneGuessed(zone) => write!(f, "the time zone {zone} of the date was guessed"),
            Self::DateRefused(date) => write!(f, "the date cannot be believed: {date}"),
            Self::TextCut => f.write_str("the text is longer than is kept here"),
            Self::TnefUnread => f.write_str("winmail.dat is kept, what is in it is not read"),
            Self::EncryptedUnread => f.write_str("the mail is encrypted and kept as it came"),
        }
    }
}

/// The remarks on a mail.
#[derive(Debug, Default)]
pub(crate) struct Remarks(Vec<Remark>);

impl Remarks {
    /// Makes one, unless it was made before.
    pub(crate) fn make(&mut self, remark: Remark) {
        if self.0.len() < MAX_REMARKS && !self.0.contains(&remark) {
            self.0.push(remark);
        }
    }

    pub(crate) fn into_vec(self) -> Vec<Remark> {
        self.0
    }
}

/// What the mail itself says, short and without what cannot be shown.
pub(crate) fn said(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(MAX_SAID).collect()
}
