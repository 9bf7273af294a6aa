//! A form: what is asked of complaints of a category, what is wrong with an answer,
//! and how complete it is. Pure.

use jsonschema::error::ValidationErrorKind;
use jsonschema::{PatternOptions, ValidationError, Validator};
use serde_json::{Map, Value};

/// Weight of a property that states none.
const USUAL_WEIGHT: f64 = 1.0;
/// Where a property states its weight.
const WEIGHT: &str = "x-weight";
/// Most that is told of one answer.
const MAX_VIOLATIONS: usize = 200;

/// A form ready to be answered.
#[derive(Debug)]
pub(crate) struct Form {
    validator: Validator,
    /// Path and weight of each field.
    fields: Vec<(Vec<String>, f64)>,
}

/// Something wrong with an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Violation {
    /// Path of the field, names and places separated by dots; empty for the whole.
    pub(crate) field: String,
    /// What is wrong with it.
    pub(crate) what: String,
}

/// What an answer amounts to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Review {
    /// Everything wrong with it.
    pub(crate) violations: Vec<Violation>,
    /// How usable it is, 0 to 100.
    pub(crate) completeness: i32,
    /// Paths of what is not filled in, what counts most first.
    pub(crate) missing: Vec<String>,
}

impl Form {
    /// Reads a JSON Schema of an object; or tells what is wrong with it.
    pub(crate) fn read(schema: &str) -> Result<Self, String> {
        let schema: Value = serde_json::from_str(schema).map_err(|error| format!("is no JSON: {error}"))?;
        if schema.get("type") != Some(&Value::from("object")) {
            return Err("must be a schema with \"type\": \"object\"".to_owned());
        }
        // Patterns without look-around: matched in linear time, whoever wrote them.
        let validator = jsonschema::options()
            .should_validate_formats(true)
            .with_pattern_options(PatternOptions::regex())
            .build(&schema)
            .map_err(|error| format!("is no JSON Schema: {error}"))?;
        let mut fields = Vec::new();
        collect(&schema, &mut Vec::new(), &mut fields)?;
        Ok(Self { validator, fields })
    }

    /// Looks an answer over.
    pub(crate) fn review(&self, answer: &Value) -> Review {
        let errors = self.validator.iter_errors(answer).take(MAX_VIOLATIONS);
        let total: f64 = self.fields.iter().map(|(_, weight)| weight).sum();
        let (filled, open): (Vec<_>, Vec<_>) =
            self.fields.iter().partition(|(path, _)| is_filled(answer, path));
        let reached: f64 = filled.iter().map(|(_, weight)| weight).sum();
        let mut missing: Vec<&(Vec<String>, f64)> =
            open.into_iter().filter(|(_, weight)| *weight > 0.0).collect();
        missing.sort_by(|one, other| other.1.total_cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
        Review {
            violations: errors.flat_map(|error| violations(&error)).collect(),
            completeness: percent(reached, total),
            missing: missing.into_iter().map(|(path, _)| path.join(".")).collect(),
        }
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

/// Collects the fields below a schema: properties that have no properties themselves.
fn collect(
    schema: &Value,
    path: &mut Vec<String>,
    fields: &mut Vec<(Vec<String>, f64)>,
) -> Result<(), String> {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return Ok(()) };
    for (name, property) in properties {
        path.push(name.clone());
        if property.get("properties").is_some() {
            collect(property, path, fields)?;
        } else {
            let weight = match property.get(WEIGHT) {
                None => Some(USUAL_WEIGHT),
                Some(weight) => weight.as_f64().filter(|weight| weight.is_finite() && *weight >= 0.0),
            };
            let weight =
                weight.ok_or_else(|| format!("{}: {WEIGHT} must be a number from 0", path.join(".")))?;
            fields.push((path.clone(), weight));
        }
        path.pop();
    }
    Ok(())
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
        _ => vec![Violation { field: path, what: error.to_string() }],
    }
}

/// A JSON pointer as a path with dots.
fn dotted(pointer: &str) -> String {
    let names = pointer.split('/').skip(1).map(|name| name.replace("~1", "/").replace("~0", "~"));
    names.collect::<Vec<_>>().join(".")
}

/// Reads an answer: a JSON object.
pub(crate) fn answer(text: &str) -> Result<Value, String> {
    match serde_json::from_str(text) {
        Ok(value @ Value::Object(_)) => Ok(value),
        Ok(_) => Err("must be a JSON object".to_owned()),
        Err(error) => Err(format!("is no JSON: {error}")),
    }
}

/// Puts a patch over an answer (RFC 7396): null takes out, objects are merged, the
/// rest replaces.
pub(crate) fn merge(answer: &mut Value, patch: Value) {
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
pub(crate) fn touched(patch: &Value) -> Vec<String> {
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

/// The categories whose form may serve one, nearest first: itself, those above it,
/// and the form for all.
pub(crate) fn candidates(category: &str) -> Vec<String> {
    let mut candidates = vec![category.to_owned()];
    let mut rest = category;
    while let Some((above, _)) = rest.rsplit_once('/') {
        candidates.push(above.to_owned());
        rest = above;
    }
    if !category.is_empty() {
        candidates.push(String::new());
    }
    candidates
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn form() -> Form {
        let schema = json!({
            "type": "object",
            "required": ["order"],
            "additionalProperties": false,
            "properties": {
                "order": { "type": "string", "pattern": "^[0-9]{6}$", "x-weight": 3 },
                "when": { "type": "string", "format": "date" },
                "parcel": {
                    "type": "object",
                    "required": ["weight"],
                    "properties": {
                        "weight": { "type": "number", "minimum": 0 },
                        "photos": { "type": "array", "x-weight": 5 },
                    },
                },
                "remark": { "type": "string", "x-weight": 0 },
            },
        });
        Form::read(&schema.to_string()).expect("it is a schema")
    }

    #[test]
    fn everything_wrong_is_told_at_once_by_its_path() {
        let answer = json!({ "when": "yesterday", "parcel": { "photos": 3 }, "colour": "red" });
        let mut fields: Vec<_> = form().review(&answer).violations.into_iter().map(|one| one.field).collect();
        fields.sort_unstable();
        assert_eq!(fields, ["colour", "order", "parcel.photos", "parcel.weight", "when"]);
    }

    #[test]
    fn completeness_counts_by_weight() {
        let review = |answer: Value| {
            let Review { completeness, missing, .. } = form().review(&answer);
            (completeness, missing.join(" "))
        };
        assert_eq!(review(json!({})), (0, "parcel.photos order parcel.weight when".to_owned()));
        let some = json!({ "order": "123456", "parcel": { "weight": 2, "photos": [] } });
        assert_eq!(review(some), (40, "parcel.photos when".to_owned()));
        let all =
            json!({ "order": "123456", "when": "2026-11-22", "parcel": { "weight": 2, "photos": ["x"] } });
        assert_eq!(review(all), (100, String::new()), "a remark counts for nothing");
        assert_eq!(review(json!({ "order": " " })).0, 0, "white space is nothing");
    }

    #[test]
    fn what_is_no_schema_is_refused() {
        let wrong = |schema: &str| Form::read(schema).expect_err("it is refused");
        assert!(wrong("{").starts_with("is no JSON"));
        assert!(wrong("[]").contains("\"type\": \"object\""));
        assert!(wrong(r#"{"type": "object", "properties": 3}"#).starts_with("is no JSON Schema"));
        let weight = r#"{"type": "object", "properties": {"a": {"x-weight": -1}}}"#;
        assert_eq!(wrong(weight), "a: x-weight must be a number from 0");
        let elsewhere = r#"{"type": "object", "$ref": "https://example.org/schema"}"#;
        assert!(wrong(elsewhere).starts_with("is no JSON Schema"), "nothing is fetched");
    }

    #[test]
    fn a_patch_takes_out_merges_and_replaces() {
        let mut answer = json!({ "a": 1, "b": { "c": 2, "d": 3 } });
        let patch = json!({ "a": null, "b": { "c": 5 }, "e": { "f": null, "g": 1 } });
        assert_eq!(touched(&patch), ["a", "b.c", "e.f", "e.g"]);
        merge(&mut answer, patch);
        assert_eq!(answer, json!({ "b": { "c": 5, "d": 3 }, "e": { "g": 1 } }));
    }

    #[test]
    fn the_nearest_form_serves() {
        assert_eq!(candidates("a/b/c"), ["a/b/c", "a/b", "a", ""]);
        assert_eq!(candidates(""), [""]);
    }
}
