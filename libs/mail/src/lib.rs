//! Reads one received e-mail into what a complaint needs: who has written it, in their own
//! words, with the files they sent, and whether a person has sent it at all. Pure: no I/O, no
//! clock.
//!
//! [`read`] takes the bytes as a mail server hands them over. It refuses only what is too
//! large, too deep, of too many parts, or no mail ([`Unreadable`]); everything else is read as
//! well as it can be, and what had to be guessed or repaired is a [`Remark`].
//!
//! # Charsets
//! Bytes are read as what they are said to be where that fits. All of GB2312, GBK and GB18030
//! are read as GB18030, which holds the others; ISO-8859-1 as Windows-1252. What is UTF-8 and
//! said to be Latin or Chinese is read as UTF-8, and what is Chinese and said to be Latin as
//! Chinese, where the mail has other marks of it. Where nothing is said, nothing known, or what
//! is said does not fit: UTF-8, else a charset the mail names elsewhere, else a guess from all
//! such bytes together. Encoded words of one charset that follow each other are joined before they are
//! decoded, for many are cut within a character; so are the pieces of a file name (RFC 2231).
//! A field of a header becomes one line: no control characters, none that turn the direction of
//! writing.
//!
//! # Text and evidence
//! Of several forms of one text, plain text is taken, unless it is empty or only says that
//! there is HTML. HTML becomes plain text in one pass: scripts and styles are dropped, links
//! keep their address, cells of a row are parted by ` | `, and what is quoted begins with
//! `> `. `format=flowed` is put together again. All else is evidence: attachments, pictures, text
//! files that have a name even where they are shown inline, and mails within the mail, whose
//! words are not the sender's. A text that is too long is cut, and kept whole as a part.
//!
//! # Whose words
//! [`Text::own`] are the sender's words. Folded away into [`Text::quoted`] are lines that
//! begin with `>`, the lines before them that say who wrote them, and everything below a
//! line such as `-----Original Message-----` or `原始邮件`, below the header of a mail that
//! was quoted without marks, and below a line that names an address and says that its owner
//! wrote; so are signatures after `-- ` and the line a telephone adds. Words between quoted
//! lines stay the sender's; those written into a quote that nothing marks cannot be told from
//! it, and are folded with it. Mails passed on within the text are folded as well. If nothing
//! would be left, nothing is folded. Each line of [`Text::whole`] is in one of the two.
//!
//! # Time
//! A date without a zone, or with one that several have, is guessed: `CST` is China's where the
//! mail's charset, language or servers are Chinese, else that of Chicago. Years before 1970 and
//! after 2100 are refused, and days that no calendar has.
//!
//! # Programs
//! [`Mail::automatic`] says why a program is taken to have sent a mail: it says so itself
//! (RFC 3834), it reports on another mail (RFC 3464, RFC 8098), it goes to many, or it is one
//! that the suite itself has sent ([`is_own`]). A subject alone, as `自动回复`, proves nothing.
//!
//! # Answers
//! [`tag`] makes the token that lets an answer find its case: signed, so that nobody can make
//! one up, in the address that is answered to and in a message id that notices refer to.
//!
//! # What is not taken from `mail-parser`
//! It reads lists of addresses, Base64 and, where all else fails, HTML. Structure, words,
//! parameters and dates are our own: each of these modules says what the library does with mail
//! that people receive every day.
#![warn(clippy::missing_errors_doc)]

mod address;
mod automatic;
mod body;
mod charset;
mod clean;
mod date;
mod entity;
mod field;
mod flowed;
mod html;
mod limits;
mod mail;
mod parameter;
mod part;
mod quote;
mod remark;
pub mod tag;
mod transfer;
mod word;

pub use address::Mailbox;
pub use automatic::{Automatic, is_own};
pub use date::{SentAt, Zone};
pub use limits::{Limits, MAX_BYTES, MAX_DEPTH, MAX_HEADER, MAX_PARTS, MAX_TEXT, Unreadable};
pub use mail::{Mail, Text, read};
pub use part::Part;
pub use remark::Remark;
