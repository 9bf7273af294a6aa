//! Mails that arrive: `fetching` reads IMAP folders, `handover` takes what mail servers hand
//! over; both have `keeping` keep each mail as it came. Then `taking` reads it, and it becomes a
//! complaint, is added to one, is handed to feedback, or is set aside. `tokens` are how an
//! answer finds its case.
//!
//! Nothing is done with a mail before it is kept, and the server that has it is not told that
//! we do: whatever crashes, it comes again, and is known by what it says. What it becomes is
//! registered under a key made of its id, so that it becomes that once.

pub(crate) mod fetching;
pub(crate) mod handover;
pub(crate) mod keeping;
pub(crate) mod taking;
pub(crate) mod tokens;

use std::time::Duration;

use server::Retention;

use crate::store::mails;

/// Topic of those who wait for mailboxes to read.
pub(crate) const MAILBOXES: &str = "mailboxes";
/// Topic of those who wait for mails to take in.
pub(crate) const MAILS: &str = "mails";

/// Mails that became nothing.
pub(crate) const SET_ASIDE: Retention =
    Retention { name: "mails.forget", kept: Duration::from_hours(90 * 24), forget: mails::forget };
