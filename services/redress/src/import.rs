//! Files of complaints: tables of separated cells with a mapping of their columns, or
//! JSON lines; plain or gzip, in whatever encoding.
//!
//! A row's idempotency key is made of what the row says, so that a file can be
//! corrected and imported again, or another with the same rows: nothing is registered
//! twice.

mod cut;
mod fields;
mod mapping;
mod rows;
mod send;
mod text;

pub(crate) use cut::{Table, separator};
pub(crate) use fields::format;
pub(crate) use mapping::Mapping;
pub(crate) use rows::{Reading, Row, Source, Written, encoding_named, separator_named};
pub(crate) use send::{MAX_CHUNK, MAX_CHUNK_BYTES, Sender, Verdict};
