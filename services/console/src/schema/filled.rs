//! Controls filled in, and read back.

use serde_json::{Map, Number as JsonNumber, Value};

use super::parsed::shown;
use super::{Field, Item, Kind, Number, fields};
use crate::form::Posted;
use crate::words::Words;

/// Puts into controls what is known.
pub(crate) fn fill(items: &mut [Item], form_data: &str) {
    let Ok(data) = serde_json::from_str::<Value>(form_data) else { return };
    for field in fields(items) {
        let mut value = Some(&data);
        for name in &field.path {
            value = value.and_then(|value| value.get(name));
        }
        match value {
            None | Some(Value::Null | Value::Object(_)) => {}
            Some(Value::Array(values)) => field.values = joined(&field.kind, values.iter().map(shown)),
            Some(value) => field.values = vec![shown(value)],
        }
    }
}

fn joined(kind: &Kind, values: impl Iterator<Item = String>) -> Vec<String> {
    match kind {
        Kind::Lines { .. } => vec![values.collect::<Vec<_>>().join("\n")],
        _ => values.collect(),
    }
}

/// Puts into controls what was sent, for whoever has to send it again.
pub(crate) fn refill(items: &mut [Item], posted: &Posted) {
    for field in fields(items) {
        field.values = posted.all(&field.name).map(str::to_owned).collect();
    }
}

/// What was sent, as the form has it: a JSON object, empty where nothing was filled in. What
/// is no number where one is asked for goes as it was written, and the service says so.
pub(crate) fn read(items: &[Item], posted: &Posted) -> Map<String, Value> {
    let mut data = Map::new();
    for item in items {
        let Item::Field(field) = item else { continue };
        let Some(value) = value(field, posted) else { continue };
        put(&mut data, &field.path, value);
    }
    data
}

/// Puts a value where it belongs.
fn put(data: &mut Map<String, Value>, path: &[String], value: Value) {
    match path {
        [] => {}
        [last] => {
            data.insert(last.clone(), value);
        }
        [first, rest @ ..] => {
            let inner = data.entry(first.clone()).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(inner) = inner {
                put(inner, rest, value);
            }
        }
    }
}

fn value(field: &Field, posted: &Posted) -> Option<Value> {
    let text = posted.text(&field.name);
    let filled = (!text.is_empty()).then_some(text);
    match &field.kind {
        Kind::Line { number: Some(number), .. } => filled.map(|text| read_number(text, *number)),
        Kind::Line { .. } | Kind::Lines { is_list: false, .. } => {
            filled.map(|text| Value::String(text.to_owned()))
        }
        Kind::Tick => filled.map(|_| Value::Bool(true)),
        Kind::Lines { is_list: true, .. } => filled.map(|text| {
            let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
            Value::Array(lines.map(|line| Value::String(line.to_owned())).collect())
        }),
        Kind::One(choices) | Kind::OneOfMany(choices) => filled.map(|text| {
            let chosen = choices.iter().find(|choice| choice.value == text);
            chosen.map_or_else(|| Value::String(text.to_owned()), |choice| choice.json.clone())
        }),
        Kind::Several(choices) => {
            let chosen: Vec<&str> = posted.all(&field.name).collect();
            let ticked = choices.iter().filter(|choice| chosen.contains(&choice.value.as_str()));
            let ticked: Vec<Value> = ticked.map(|choice| choice.json.clone()).collect();
            (!ticked.is_empty()).then_some(Value::Array(ticked))
        }
    }
}

fn read_number(text: &str, number: Number) -> Value {
    let read: Option<JsonNumber> = match number {
        Number::Whole => text.parse::<i64>().ok().map(JsonNumber::from),
        Number::Any => text.parse().ok(),
    };
    read.map_or_else(|| Value::String(text.to_owned()), Value::Number)
}

/// Says beside each control what is wrong with it: `wrong` are paths within the form and the
/// service's words. Answers those that no control is for.
pub(crate) fn place_errors(
    items: &mut [Item],
    wrong: &[(String, String)],
    t: Words,
) -> Vec<(String, String)> {
    let mut left = Vec::new();
    for (path, description) in wrong {
        let found = fields(items).find(|field| {
            let own = field.path.join(".");
            *path == own || path.strip_prefix(&own).is_some_and(|rest| rest.starts_with('.'))
        });
        match found {
            Some(field) => field.error = told(field, description, t),
            None => left.push((path.clone(), description.clone())),
        }
    }
    left
}

/// What to do about it, in the language of the page.
fn told(field: &Field, description: &str, t: Words) -> String {
    if description == "is required" || field.values.iter().all(|value| value.trim().is_empty()) {
        return t.fill_in().to_owned();
    }
    if description.contains("does not match") {
        // A pattern says nothing to people; what the form says of the field may.
        return if field.help.is_empty() { t.wants_other().to_owned() } else { t.wants_as_said(&field.help) };
    }
    match &field.kind {
        Kind::Line { number: Some(Number::Whole), .. } => t.wants_whole_number().to_owned(),
        Kind::Line { number: Some(Number::Any), .. } => t.wants_number().to_owned(),
        Kind::Line { kind: "date", .. } => t.wants_date().to_owned(),
        Kind::Line { kind: "email", .. } => t.wants_email().to_owned(),
        Kind::Line { kind: "url", .. } => t.wants_address().to_owned(),
        Kind::One(_) | Kind::OneOfMany(_) | Kind::Several(_) => t.wants_choice().to_owned(),
        Kind::Line { .. } | Kind::Lines { .. } | Kind::Tick => t.check_this(description),
    }
}
