//! Event logs for process mining: OCEL 2.0 (JSON, XML, SQLite) and XES (IEEE 1849).
//!
//! A log is spooled first, into a database in a temporary file that is gone with it, and
//! written from there: however long it is, little of it is in memory, each object is there
//! once whoever names it how often, and events are written in the order of time.
//!
//! What is written is what other programs read the same way in each format:
//!
//! - Values are texts and numbers with a fraction. Whole numbers, truth values and times come
//!   back as something else from one format or the other.
//! - There is one relation, with one qualifier, between an event and an object.
//! - Each event has an object and each object an event: what has none is left out.
//! - Ids begin with their kind, so that none reads as a number or a date.
//! - Times have six decimals and are of UTC. Events of one time are told apart by the number
//!   [`PLACE`], which each has: where it stands in its trace.
#![warn(clippy::missing_errors_doc)]

mod json;
mod relational;
mod spool;
#[cfg(test)]
mod tests;
mod xes;
mod xml;

use std::io;

use jiff::Timestamp;

pub use spool::{Counts, Log, Spool};

/// The attribute of each event that says where it stands in its trace, from 1.
pub const PLACE: &str = "place";
/// Longest text of an attribute or an id, in bytes; what is longer is cut.
pub const MAX_TEXT: usize = 1_000;

/// What a log is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// OCEL 2.0, JSON.
    OcelJson,
    /// OCEL 2.0, XML.
    OcelXml,
    /// OCEL 2.0, a SQLite database.
    OcelSqlite,
    /// XES, a trace for each object that events are told of.
    Xes,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 4] = [Self::OcelJson, Self::OcelXml, Self::OcelSqlite, Self::Xes];

    /// What it is called, as `ocel-json`.
    pub fn name(self) -> &'static str {
        match self {
            Self::OcelJson => "ocel-json",
            Self::OcelXml => "ocel-xml",
            Self::OcelSqlite => "ocel-sqlite",
            Self::Xes => "xes",
        }
    }

    /// How a file of it ends, as programs expect it.
    pub fn ending(self) -> &'static str {
        match self {
            Self::OcelJson => "jsonocel",
            Self::OcelXml => "xmlocel",
            Self::OcelSqlite => "sqlite",
            Self::Xes => "xes",
        }
    }

    /// The format of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }
}

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A text. What XML cannot hold becomes a blank; an empty text is none.
    Text(String),
    /// A number; one that is not finite is none.
    Number(f64),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// A thing that events are about.
#[derive(Clone, Debug, PartialEq)]
pub struct Object<'a> {
    /// Its kind, lower case letters, as `case`.
    pub kind: &'static str,
    /// What tells it apart from others of its kind.
    pub id: &'a str,
    /// What it is like.
    pub attributes: Vec<(&'static str, Value)>,
}

/// What an event, or an object, has to do with an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Relation<'a> {
    /// The kind of the object.
    pub kind: &'static str,
    /// Its id among those of its kind.
    pub id: &'a str,
    /// What it has to do with it, as `done by`.
    pub qualifier: &'static str,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Event<'a> {
    /// What tells it apart.
    pub id: &'a str,
    /// What happened, lower case words, as `case opened`.
    pub activity: &'a str,
    /// When it happened.
    pub time: Timestamp,
    /// What it is like.
    pub attributes: Vec<(&'static str, Value)>,
    /// Whose trace it is of in XES, and first of what it is about.
    pub trace: Relation<'a>,
    /// What else it is about.
    pub objects: Vec<Relation<'a>>,
}

/// Why a log could not be written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file could not be written.
    #[error("the log could not be written: {0}")]
    Io(#[from] io::Error),
    /// The spool, or the database it is written as, could not be.
    #[error("the log could not be kept: {0}")]
    Database(#[from] rusqlite::Error),
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::Io(error.into())
    }
}

/// The id of an object in a log: unlike any number or date.
fn object_id(kind: &str, id: &str) -> String {
    lawful(&format!("{kind}:{id}"))
}

/// A text that every format holds as it is: no control characters, and not too long.
fn lawful(text: &str) -> String {
    let is_lawful = |letter: char| !letter.is_control() && !matches!(letter, '\u{fffe}' | '\u{ffff}');
    let clean: String = text.chars().map(|letter| if is_lawful(letter) { letter } else { ' ' }).collect();
    let mut end = clean.len().min(MAX_TEXT);
    while !clean.is_char_boundary(end) {
        end -= 1;
    }
    clean[..end].trim().to_owned()
}
