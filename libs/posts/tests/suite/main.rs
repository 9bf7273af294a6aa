//! Posts as networks push them: what is read, what is taken, which addresses are one.
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod documents;
mod keywords;
mod mappings;
mod paths;
mod uris;
