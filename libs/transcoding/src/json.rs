//! Messages from JSON, strictly, with everything that is wrong at once.

use std::collections::HashMap;

use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, Value};

use crate::node::{Node, parse};
use crate::scalar::{from_json, from_text, is_well_known, named};
use crate::violation::{Refused, Violations};

/// A message from JSON.
///
/// # Errors
///
/// Fails on what is no JSON, is too much, or is not what the message's contract says.
pub fn read(descriptor: &MessageDescriptor, body: &[u8]) -> Result<DynamicMessage, Refused> {
    let node = parse(body)?;
    let mut violations = Violations::default();
    let message = message(descriptor, &node, "", &mut violations);
    violations.check()?;
    Ok(message)
}

/// The message that an object is.
pub(crate) fn message(
    descriptor: &MessageDescriptor,
    node: &Node,
    path: &str,
    violations: &mut Violations,
) -> DynamicMessage {
    let mut message = DynamicMessage::new(descriptor.clone());
    let Node::Object(members) = node else {
        violations.note(path, "must be a JSON object");
        return message;
    };
    let mut seen: Vec<u32> = Vec::new();
    for (name, node) in members {
        let Some(field) = named(descriptor, name) else {
            violations.note(below(path, name), "there is no such field");
            continue;
        };
        let at = below(path, field.name());
        if seen.contains(&field.number()) {
            violations.note(at, "is there twice");
            continue;
        }
        seen.push(field.number());
        // Null is the same as nothing, but where null is a value.
        if *node == Node::Null && !takes_null(&field) {
            continue;
        }
        let others = field.containing_oneof().filter(|oneof| !oneof.is_synthetic());
        if others.is_some_and(|oneof| oneof.fields().any(|other| message.has_field(&other))) {
            violations.note(at, "excludes another field that is there too");
            continue;
        }
        if let Some(value) = field_value(&field, node, &at, violations) {
            message.set_field(&field, value);
        }
    }
    message
}

fn takes_null(field: &FieldDescriptor) -> bool {
    matches!(field.kind(), Kind::Message(of) if of.full_name() == "google.protobuf.Value") && !field.is_list()
}

/// The value of a field, whatever its cardinality.
pub(crate) fn field_value(
    field: &FieldDescriptor,
    node: &Node,
    path: &str,
    violations: &mut Violations,
) -> Option<Value> {
    if field.is_map() {
        return map(field, node, path, violations);
    }
    if !field.is_list() {
        return single(&field.kind(), node, path, violations);
    }
    let Node::List(list) = node else {
        violations.note(path, "must be a JSON array");
        return None;
    };
    let kind = field.kind();
    let values = list.iter().enumerate();
    let values = values.map(|(at, node)| single(&kind, node, &format!("{path}[{at}]"), violations));
    values.collect::<Vec<_>>().into_iter().collect::<Option<Vec<_>>>().map(Value::List)
}

fn single(kind: &Kind, node: &Node, path: &str, violations: &mut Violations) -> Option<Value> {
    match kind {
        Kind::Message(descriptor) if !is_well_known(descriptor) => {
            Some(Value::Message(message(descriptor, node, path, violations)))
        }
        _ => from_json(kind, node).map_err(|wrong| violations.note(path, wrong)).ok(),
    }
}

fn map(field: &FieldDescriptor, node: &Node, path: &str, violations: &mut Violations) -> Option<Value> {
    let Node::Object(members) = node else {
        violations.note(path, "must be a JSON object");
        return None;
    };
    let Kind::Message(entry) = field.kind() else { return None };
    let (key, value) = (entry.map_entry_key_field().kind(), entry.map_entry_value_field().kind());
    let mut map = HashMap::new();
    for (name, node) in members {
        let at = format!("{path}[{name:?}]");
        let Some(key) = from_text(&key, name).ok().and_then(map_key) else {
            violations.note(at, "is no key of this map");
            continue;
        };
        if let Some(value) = single(&value, node, &at, violations)
            && map.insert(key, value).is_some()
        {
            violations.note(at, "is there twice");
        }
    }
    Some(Value::Map(map))
}

fn map_key(value: Value) -> Option<MapKey> {
    match value {
        Value::Bool(key) => Some(MapKey::Bool(key)),
        Value::I32(key) => Some(MapKey::I32(key)),
        Value::I64(key) => Some(MapKey::I64(key)),
        Value::U32(key) => Some(MapKey::U32(key)),
        Value::U64(key) => Some(MapKey::U64(key)),
        Value::String(key) => Some(MapKey::String(key)),
        _ => None,
    }
}

pub(crate) fn below(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}
