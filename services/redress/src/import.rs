//! Files of complaints, registered: `imports` reads their rows, `send` has them registered, and
//! `log` keeps what became of each, and how far the import is.
//!
//! A row's idempotency key is made of what the row says, so that a file can be
//! corrected and imported again, or another with the same rows: nothing is registered
//! twice.

mod log;
mod send;

pub(crate) use imports::{
    Layout, Mapping, Plan, Problem, Reading, Row, Rows, Source, Written, encoding_named, facts, format,
    separator_named,
};
pub(crate) use log::{Counts, Identity, Log, fingerprint};
pub(crate) use send::{MAX_CHUNK, MAX_CHUNK_BYTES, Sender};
