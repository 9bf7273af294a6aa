//! The whole library against servers and clients that fail: by IMAP a server that does as a
//! test wants, by SMTP raw bytes and a client that is not ours, over real connections.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod fake;
mod imap_faults;
mod imap_login;
mod imap_read;
mod oauth;
mod smtp_client;
mod smtp_limits;
mod smtp_talk;
mod support;
