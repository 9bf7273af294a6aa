//! A body, read.

use serde_json::Value;

use crate::limits::{MAX_BODY, MAX_VALUES};

/// Why a body cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It is too large.
    #[error("it has more than {MAX_BODY} bytes")]
    TooLarge,
    /// It is no JSON, or nested too deep.
    #[error("it is no JSON: {0}")]
    NoJson(String),
    /// It has too many values.
    #[error("it has more than {MAX_VALUES} values")]
    TooManyValues,
}

/// Reads a body: JSON in UTF-8, nested at most 127 deep.
///
/// # Errors
///
/// Fails if it is too large, no JSON, too deep, or has too many values.
pub fn read(body: &[u8]) -> Result<Value, Unreadable> {
    if body.len() > MAX_BODY {
        return Err(Unreadable::TooLarge);
    }
    let value: Value = serde_json::from_slice(body).map_err(|error| Unreadable::NoJson(error.to_string()))?;
    if has_more_than(&value, MAX_VALUES) {
        return Err(Unreadable::TooManyValues);
    }
    Ok(value)
}

/// Whether there are more values than so many.
fn has_more_than(value: &Value, most: usize) -> bool {
    let (mut left, mut waiting) = (most, vec![value]);
    while let Some(value) = waiting.pop() {
        let Some(fewer) = left.checked_sub(1) else { return true };
        left = fewer;
        match value {
            Value::Array(values) => waiting.extend(values),
            Value::Object(values) => waiting.extend(values.values()),
            _ => {}
        }
    }
    false
}
