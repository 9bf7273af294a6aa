//! Files of complaints: CSV with a mapping of its columns, or JSON lines; plain or
//! gzip.
//!
//! A row's idempotency key is made of the file's contents and the row's number, so
//! that a file can be imported again, or further, and registers nothing twice.

mod mapping;
mod rows;
mod send;

pub(crate) use mapping::Mapping;
pub(crate) use rows::{Row, Source};
pub(crate) use send::{MAX_CHUNK, Sender, Verdict};
