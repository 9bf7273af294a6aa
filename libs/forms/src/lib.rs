//! Forms: JSON Schemas of objects that a tenant writes, what is wrong with an answer to one,
//! and how complete it is. Pure.
//!
//! A schema is accepted where what it costs to check an answer by it is bounded, whoever
//! wrote either: see [`Form::read`]. Reading one takes milliseconds, and looking an answer
//! over may where [`Form::is_heavy`] says so: neither belongs on a thread that serves calls.

#![warn(clippy::missing_errors_doc)]

mod cost;
mod prefill;

#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use jsonschema::error::ValidationErrorKind;
use jsonschema::{Draft, PatternOptions, ValidationError, Validator};
use serde_json::{Map, Value, json};

use cost::Cost;
use prefill::Prefill;

/// Weight of a property that states none.
const USUAL_WEIGHT: f64 = 1.0;
/// Where a property states its weight.
const WEIGHT: &str = "x-weight";
/// Most that is told of one answer.
const MAX_VIOLATIONS: usize = 200;
/// Longest text, in bytes, that is repeated when it is told what is wrong with it.
const MAX_SHOWN: usize = 100;
/// Longest text about one thing that is wrong, in characters.
const MAX_TOLD: usize = 300;
/// Most memory, in bytes, of a pattern, and as much again while it is matched.
const PATTERN_BYTES: usize = 256 << 10;

/// The formats as the newest draft checks them. Older drafts know fewer, and would let the
/// others pass.
static FORMATS: LazyLock<Vec<(&str, Validator)>> = LazyLock::new(|| {
    let options = || jsonschema::options().with_draft(Draft::Draft202012).should_validate_formats(true);
    let check = |name| Some((name, options().build(&json!({ "format": name })).ok()?));
    cost::FORMATS.into_iter().filter_map(check).collect()
});

/// A form ready to be answered.
#[derive(Debug)]
pub struct Form {
    validator: Validator,
    /// Path and weight of each field.
    fields: Vec<(Vec<String>, f64)>,
    /// The fields that may be filled in beforehand.
    prefills: Vec<Prefill>,
    cost: Cost,
    /// How much memory it takes, roughly.
    bytes: usize,
}

/// Something wrong with an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Path of the field, names and places separated by dots; empty for the whole.
    pub field: String,
    /// What is wrong with it.
    pub what: String,
}

/// What an answer amounts to.
#[derive(Clone, Debug, PartialEq)]
pub struct Review {
    /// Everything wrong with it.
    pub violations: Vec<Violation>,
    /// How usable it is, 0 to 100.
    pub completeness: i32,
    /// Paths of what is not filled in, what counts most first.
    pub missing: Vec<String>,
}

impl Form {
    /// Reads a JSON Schema of an object; or tells what is wrong with it.
    ///
    /// Takes milliseconds. Nothing is fetched: references lead only within the schema. What is
    /// accepted is at most 48 deep, has 5 000 keywords with its references written out, and 64
    /// patterns, which are matched in linear time.
    ///
    /// # Errors
    ///
    /// Fails with what is wrong with the schema, and where, in a sentence about it.
    pub fn read(text: &str) -> Result<Self, String> {
        let schema: Value = serde_json::from_str(text).map_err(|error| format!("is no JSON: {error}"))?;
        if schema.get("type") != Some(&Value::from("object")) {
            return Err("must be a schema with \"type\": \"object\"".to_owned());
        }
        let (cost, patterns) = cost::of(&schema)?;
        // Patterns without look-around: matched in linear time, whoever wrote them.
        let patterns_as = PatternOptions::regex().size_limit(PATTERN_BYTES).dfa_size_limit(PATTERN_BYTES);
        let mut options =
            jsonschema::options().should_validate_formats(true).with_pattern_options(patterns_as);
        for (name, validator) in &*FORMATS {
            options = options.with_format(*name, |text: &str| validator.is_valid(&Value::from(text)));
        }
        let validator =
            options.build(&schema).map_err(|error| format!("is no JSON Schema{}", placed(&error)))?;
        let (mut fields, mut prefills) = (Vec::new(), Vec::new());
        collect(&schema, &mut Vec::new(), &mut |path, property| {
            fields.push((path.to_vec(), weight(path, property)?));
            prefills.extend(Prefill::of(path, property)?);
            Ok(())
        })?;
        let bytes = text.len().saturating_mul(16).saturating_add(patterns * PATTERN_BYTES / 4);
        Ok(Self { validator, fields, prefills, cost, bytes })
    }

    /// How much memory it takes, roughly.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether looking over an answer of so many bytes may take more than a millisecond.
    pub fn is_heavy(&self, bytes: usize) -> bool {
        self.cost.is_heavy(u64::try_from(bytes).unwrap_or(u64::MAX))
    }

    /// Whether looking over this answer may take more than a millisecond.
    pub fn is_heavy_for(&self, answer: &Value) -> bool {
        let values = usize::try_from(cost::values(answer)).unwrap_or(usize::MAX);
        self.is_heavy(text_bytes(answer).saturating_add(values.saturating_mul(2)))
    }

    /// What is wrong with an answer; that it is too large for this form, if so.
    pub fn violations(&self, answer: &Value) -> Vec<Violation> {
        let bytes = u64::try_from(text_bytes(answer)).unwrap_or(u64::MAX);
        if !self.cost.allows(cost::values(answer), bytes) {
            let what = "is too large to be checked by this form".to_owned();
            return vec![Violation { field: String::new(), what }];
        }
        let errors = self.validator.iter_errors(answer).take(MAX_VIOLATIONS);
        let mut all: Vec<Violation> = errors.flat_map(|error| violations(&error)).collect();
        all.truncate(MAX_VIOLATIONS);
        all
    }

    /// Looks an answer over.
    pub fn review(&self, answer: &Value) -> Review {
        let total: f64 = self.fields.iter().map(|(_, weight)| weight).sum();
        let (filled, open): (Vec<_>, Vec<_>) =
            self.fields.iter().partition(|(path, _)| is_filled(answer, path));
        let reached: f64 = filled.iter().map(|(_, weight)| weight).sum();
        let mut missing: Vec<&(Vec<String>, f64)> =
            open.into_iter().filter(|(_, weight)| *weight > 0.0).collect();
        missing.sort_by(|one, other| other.1.total_cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
        Review {
            violations: self.violations(answer),
            completeness: percent(reached, total),
            missing: missing.into_iter().map(|(path, _)| path.join(".")).collect(),
        }
    }
}

/// Bytes of the texts of an answer, and of its names.
fn text_bytes(answer: &Value) -> usize {
    match answer {
        Value::String(text) => text.len(),
        Value::Array(values) => values.iter().map(text_bytes).sum(),
        Value::Object(fields) => fields.iter().map(|(name, value)| name.len() + text_bytes(value)).sum(),
        _ => 0,
    }
}

/// What is wrong with a schema, and where in it.
fn placed(error: &ValidationError<'_>) -> String {
    match error.instance_path().as_str() {
        "" => format!(": {}", told(error)),
        place => format!(" at {place}: {}", told(error)),
    }
}

/// What is wrong, in words; a value is repeated only where it is short.
fn told(error: &ValidationError<'_>) -> String {
    let is_short = match error.instance().as_ref() {
        Value::String(text) => text.len() <= MAX_SHOWN,
        Value::Array(_) | Value::Object(_) => false,
        _ => true,
    };
    let text = if is_short { error.to_string() } else { error.masked().to_string() };
    match text.char_indices().nth(MAX_TOLD) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// A part in whole percent, rounded down: 100 only when nothing is missing. A form
/// that asks nothing is complete.
fn percent(part: f64, whole: f64) -> i32 {
    if part >= whole {
        return 100;
    }
    #[expect(clippy::cast_possible_truncation, reason = "between 0 and 100")]
    let percent = (part / whole * 100.0).floor() as i32;
    percent.clamp(0, 99)
}

/// What is made of a field: its path and its property.
type Visit<'v> = dyn FnMut(&[String], &Value) -> Result<(), String> + 'v;

/// Goes through the fields below a schema: properties that have no properties themselves.
fn collect(schema: &Value, path: &mut Vec<String>, field: &mut Visit<'_>) -> Result<(), String> {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return Ok(()) };
    for (name, property) in properties {
        path.push(name.clone());
        if property.get("properties").is_some() {
            collect(property, path, field)?;
        } else {
            field(path, property)?;
        }
        path.pop();
    }
    Ok(())
}

/// How much a field counts.
fn weight(path: &[String], property: &Value) -> Result<f64, String> {
    let weight = match property.get(WEIGHT) {
        None => Some(USUAL_WEIGHT),
        Some(weight) => weight.as_f64().filter(|weight| weight.is_finite() && *weight >= 0.0),
    };
    weight.ok_or_else(|| format!("{}: {WEIGHT} must be a number from 0", path.join(".")))
}

/// Whether something stands at a path.
fn is_filled(answer: &Value, path: &[String]) -> bool {
    let found = path.iter().try_fold(answer, |value, name| value.get(name));
    match found {
        None | Some(Value::Null) => false,
        Some(Value::String(text)) => !text.trim().is_empty(),
        Some(Value::Array(values)) => !values.is_empty(),
        Some(Value::Object(values)) => !values.is_empty(),
        Some(Value::Bool(_) | Value::Number(_)) => true,
    }
}

/// An error as the fields it is about: what is missing or too much is named itself.
fn violations(error: &ValidationError<'_>) -> Vec<Violation> {
    let path = dotted(error.instance_path().as_str());
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match error.kind() {
        ValidationErrorKind::Required { property } => {
            let field = below(property.as_str().unwrap_or_default());
            vec![Violation { field, what: "is required".to_owned() }]
        }
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
            let each = unexpected.iter();
            each.map(|name| Violation { field: below(name), what: "is not asked for".to_owned() }).collect()
        }
        _ => vec![Violation { field: path, what: told(error) }],
    }
}

/// A JSON pointer as a path with dots.
fn dotted(pointer: &str) -> String {
    let names = pointer.split('/').skip(1).map(|name| name.replace("~1", "/").replace("~0", "~"));
    names.collect::<Vec<_>>().join(".")
}

/// From here on, a number that JSON keeps as a fraction may stand for several whole ones: 2^53.
const FIRST_INEXACT: f64 = 9_007_199_254_740_992.0;

/// Reads an answer: a JSON object, with numbers that are kept as they were written.
///
/// # Errors
///
/// Fails with what is wrong with it, in a sentence about it.
pub fn answer(text: &str) -> Result<Value, String> {
    match serde_json::from_str(text) {
        Ok(value @ Value::Object(_)) => match inexact(&value) {
            None => Ok(value),
            Some(path) => Err(format!(
                "{path} has more digits than are kept of a number: an order's or a customer's number must be a text"
            )),
        },
        Ok(_) => Err("must be a JSON object".to_owned()),
        Err(error) => Err(format!("is no JSON: {error}")),
    }
}

/// Whether all numbers of a value are kept digit by digit: two that differ might be one otherwise.
pub fn is_exact(value: &Value) -> bool {
    inexact(value).is_none()
}

/// The path of the first number that is not.
fn inexact(value: &Value) -> Option<String> {
    let below = |name: String, value: &Value| {
        inexact(value).map(|rest| if rest.is_empty() { name.clone() } else { format!("{name}.{rest}") })
    };
    match value {
        Value::Number(number) => {
            let is_whole = number.is_i64() || number.is_u64();
            let is_large = number.as_f64().is_none_or(|number| number.abs() >= FIRST_INEXACT);
            (!is_whole && is_large).then(String::new)
        }
        Value::Array(values) => {
            (0..).zip(values).find_map(|(place, value): (usize, _)| below(place.to_string(), value))
        }
        Value::Object(values) => values.iter().find_map(|(name, value)| below(name.clone(), value)),
        Value::Null | Value::Bool(_) | Value::String(_) => None,
    }
}

/// Puts a patch over an answer (RFC 7396): null takes out, objects are merged, the
/// rest replaces.
pub fn merge(answer: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *answer = patch;
        return;
    };
    if !answer.is_object() {
        *answer = Value::Object(Map::new());
    }
    let Value::Object(fields) = answer else { return };
    for (name, value) in patch {
        if value.is_null() {
            fields.remove(&name);
        } else {
            merge(fields.entry(name).or_insert(Value::Null), value);
        }
    }
}

/// The paths a patch touches.
pub fn touched(patch: &Value) -> Vec<String> {
    let Value::Object(fields) = patch else { return Vec::new() };
    let mut paths = Vec::new();
    for (name, value) in fields {
        let below = touched(value);
        if below.is_empty() {
            paths.push(name.clone());
        } else {
            paths.extend(below.into_iter().map(|path| format!("{name}.{path}")));
        }
    }
    paths
}
