//! Mails as they are received, and what is read of them.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod corpus;
mod headers;
mod limits;
mod properties;
mod structure;

use mail::{Limits, Mail, Remark, read};

/// Reads a mail that can be read.
fn mail(raw: impl AsRef<[u8]>) -> Mail {
    read(raw.as_ref(), &Limits::default()).unwrap()
}

/// The names and contents of the parts of a mail.
fn parts(mail: &Mail) -> Vec<(&str, &[u8])> {
    mail.parts.iter().map(|part| (part.name.as_str(), part.content.as_slice())).collect()
}

fn codes(mail: &Mail) -> Vec<&'static str> {
    mail.remarks.iter().map(Remark::code).collect()
}
