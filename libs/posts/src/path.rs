//! JSONPath (RFC 9535), such as visits each value of a document a few times at most.
//!
//! A segment visits what the one before it found, and each value is below one other only: so
//! each segment visits each value once, unless values are found several times. They would be
//! by several selectors in one pair of brackets (`[*,*]`) and by a second descent (`..a..b`):
//! these are refused, as is a filter that looks at the document from its beginning (`?$.a`), and
//! with the comma every function of two arguments, which are those that look for patterns.
//! What is left visits at most [`MAX_SEGMENTS`] times the values of the document.

use serde_json::Value;
use serde_json_path::JsonPath;

use crate::limits::{MAX_PATH, MAX_SEGMENTS};

/// A path.
#[derive(Clone, Debug, PartialEq)]
pub struct Path(JsonPath);

/// A text that is no path, or none that is followed here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPath {
    /// It is too long.
    #[error("must have at most {MAX_PATH} characters")]
    TooLong,
    /// It has too many segments.
    #[error("must have at most {MAX_SEGMENTS} segments, those of filters included")]
    TooManySegments,
    /// It descends twice.
    #[error("must have .. once at most")]
    SecondDescent,
    /// It has several selectors in one pair of brackets.
    #[error("must have one selector in each pair of brackets")]
    SeveralSelectors,
    /// A filter begins at the root.
    #[error("must not have $ within a filter")]
    RootInFilter,
    /// It is no JSONPath.
    #[error("must be a JSONPath as in RFC 9535: {0}")]
    NoPath(String),
}

impl Path {
    /// Reads a path.
    ///
    /// # Errors
    ///
    /// Fails if it is no JSONPath, or one that might visit too much.
    pub fn parse(text: &str) -> Result<Self, InvalidPath> {
        if text.len() > MAX_PATH && text.chars().count() > MAX_PATH {
            return Err(InvalidPath::TooLong);
        }
        bounded(text)?;
        JsonPath::parse(text).map(Self).map_err(|error| InvalidPath::NoPath(error.to_string()))
    }

    /// The values it leads to, in order.
    pub fn find<'a>(&self, document: &'a Value) -> Vec<&'a Value> {
        self.0.query(document).all()
    }
}

/// Refuses what might visit too much. What stands in quotes is text.
fn bounded(text: &str) -> Result<(), InvalidPath> {
    let (mut quote, mut is_escaped, mut before) = (None, false, ' ');
    let (mut descents, mut segments) = (0, 0);
    for (at, c) in text.char_indices() {
        if let Some(end) = quote {
            (quote, is_escaped) = (quote.filter(|_| is_escaped || c != end), c == '\\' && !is_escaped);
            before = ' ';
            continue;
        }
        match c {
            '\'' | '"' => quote = Some(c),
            ',' => return Err(InvalidPath::SeveralSelectors),
            '$' if at > 0 => return Err(InvalidPath::RootInFilter),
            '.' if before == '.' => descents += 1,
            '.' => segments += 1,
            '[' if before != '.' => segments += 1,
            _ => {}
        }
        before = c;
    }
    if descents > 1 {
        return Err(InvalidPath::SecondDescent);
    }
    if segments > MAX_SEGMENTS { Err(InvalidPath::TooManySegments) } else { Ok(()) }
}
