//! Files of complaints: tables of separated cells or sheets of workbooks with a mapping of
//! their columns, or JSON lines; texts plain or gzip, in whatever encoding.
//!
//! A row's idempotency key is made of what the row says, so that a file can be
//! corrected and imported again, or another with the same rows: nothing is registered
//! twice.

mod cut;
mod fields;
mod log;
mod mapping;
mod preview;
mod problem;
mod rows;
mod send;
mod sheet;
mod text;

pub(crate) use cut::{Table, separator};
pub(crate) use fields::format;
pub(crate) use log::{Counts, Identity, Log, fingerprint};
pub(crate) use mapping::{Mapping, Plan};
pub(crate) use preview::facts;
pub(crate) use problem::Problem;
pub(crate) use rows::{Layout, Reading, Row, Rows, Source, Written, encoding_named, separator_named};
pub(crate) use send::{MAX_CHUNK, MAX_CHUNK_BYTES, Sender};
