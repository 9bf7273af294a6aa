//! Files of complaints: tables of separated cells or sheets of workbooks with a mapping of
//! their columns, or JSON lines; texts plain or gzip, in whatever encoding.
//!
//! - [`Source`] is a file, and [`Rows`] its rows, each a complaint or all that is wrong with it
//!   ([`Problem`]). They are read one by one, in bounded memory: one that is too long, or no
//!   complaint, spoils no other.
//! - [`Mapping`] says which column becomes which field, and how cells are written.
//! - [`format()`] is how files, headings and mappings are written, for people who write them;
//!   [`facts`] is a complaint as its file told it.
//! - [`Table`] are the rows of separated cells, for files of something else.
//!
//! Nothing is sent anywhere and nothing is remembered: what becomes of rows is for others, the
//! command line's import and intake's file drops.
#![warn(clippy::missing_errors_doc)]

mod cut;
mod fields;
mod mapping;
mod preview;
mod problem;
mod rows;
mod sheet;
mod text;
mod unpacked;

pub use cut::{Cells, MAX_ROW, Table, Wrong, separator};
pub use fields::format;
pub use mapping::{Fitted, Mapping, Plan};
pub use preview::facts;
pub use problem::{Kind, Problem, cut, sentence};
pub use rows::{Layout, Reading, Row, Rows, Source, Written, encoding_named, separator_named};
