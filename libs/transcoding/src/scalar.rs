//! Values of single fields: from text, as in paths and queries, and from JSON.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use prost_reflect::{DynamicMessage, EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor, Value};
use serde_json::Number;

use crate::node::Node;

/// What a value must be, for people.
pub(crate) type Wrong = String;

const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// The messages that JSON writes as something else than an object of their fields.
pub(crate) fn is_well_known(message: &MessageDescriptor) -> bool {
    message.package_name() == "google.protobuf"
}

/// The single field that a path with dots leads to, through single messages: by the names
/// of the contract or of its JSON.
pub(crate) fn field_at(message: &MessageDescriptor, path: &str) -> Option<FieldDescriptor> {
    let mut parts = path.split('.');
    let mut field = named(message, parts.next()?)?;
    for part in parts {
        if field.is_list() || field.is_map() {
            return None;
        }
        let Kind::Message(inner) = field.kind() else { return None };
        if is_well_known(&inner) {
            return None;
        }
        field = named(&inner, part)?;
    }
    Some(field)
}

/// A field by its name in JSON or in the contract.
pub(crate) fn named(message: &MessageDescriptor, name: &str) -> Option<FieldDescriptor> {
    message.get_field_by_json_name(name).or_else(|| message.get_field_by_name(name))
}

/// The value a text means: what JSON would write as a string or without quotes.
pub(crate) fn from_text(kind: &Kind, text: &str) -> Result<Value, Wrong> {
    match kind {
        Kind::Bool => match text {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            _ => Err(wanted(kind)),
        },
        Kind::Enum(of) => enum_from_text(of, text)
            .or_else(|| text.parse().ok().and_then(|number| enum_from_number(of, number)))
            .ok_or_else(|| wanted(kind)),
        Kind::Message(message) if !is_well_known(message) => {
            Err("is a message, not a single value".to_owned())
        }
        Kind::Message(message) => {
            let quoted = serde_json::Value::String(text.to_owned());
            // Quotes are part of a text, not around it.
            let bare =
                || serde_json::from_str(text).ok().filter(|bare: &serde_json::Value| !bare.is_string());
            well_known(message, &quoted).or_else(|wrong| match bare() {
                Some(value) => well_known(message, &value),
                None => Err(wrong),
            })
        }
        _ => from_json(kind, &Node::String(text.to_owned())),
    }
}

/// The value a JSON value means, of a field that is no message with fields of its own.
pub(crate) fn from_json(kind: &Kind, node: &Node) -> Result<Value, Wrong> {
    let value = match (kind, node) {
        (Kind::Bool, Node::Bool(value)) => Some(Value::Bool(*value)),
        (Kind::String, Node::String(text)) => Some(Value::String(text.clone())),
        (Kind::Bytes, Node::String(text)) => STANDARD
            .decode(text)
            .or_else(|_| URL_SAFE.decode(text))
            .ok()
            .map(|bytes| Value::Bytes(bytes.into())),
        (Kind::Enum(of), Node::String(name)) => enum_from_text(of, name),
        (Kind::Enum(of), Node::Number(_)) => whole(node)
            .and_then(|number| number.try_into().ok())
            .and_then(|number| enum_from_number(of, number)),
        (Kind::Message(message), node) => return well_known(message, &node.clone().into()),
        (Kind::Double, node) => float(node).map(Value::F64),
        (Kind::Float, node) => float(node).and_then(single).map(Value::F32),
        (Kind::Int32 | Kind::Sint32 | Kind::Sfixed32, node) => {
            whole(node).and_then(|number| number.try_into().ok()).map(Value::I32)
        }
        (Kind::Int64 | Kind::Sint64 | Kind::Sfixed64, node) => {
            whole(node).and_then(|number| number.try_into().ok()).map(Value::I64)
        }
        (Kind::Uint32 | Kind::Fixed32, node) => {
            whole(node).and_then(|number| number.try_into().ok()).map(Value::U32)
        }
        (Kind::Uint64 | Kind::Fixed64, node) => {
            whole(node).and_then(|number| number.try_into().ok()).map(Value::U64)
        }
        _ => None,
    };
    value.ok_or_else(|| wanted(kind))
}

/// Whether a time or a length of time is no finer than can be kept: the rest would be cut off.
fn is_kept_whole(text: &str) -> bool {
    /// Of a fraction of a second, the digits down to nanoseconds.
    const DIGITS: usize = 9;
    let is_longer =
        |(_, fraction): (&str, &str)| fraction.bytes().take_while(u8::is_ascii_digit).count() > DIGITS;
    !text.split_once('.').is_some_and(is_longer)
}

fn well_known(message: &MessageDescriptor, value: &serde_json::Value) -> Result<Value, Wrong> {
    let is_time = ["google.protobuf.Timestamp", "google.protobuf.Duration"].contains(&message.full_name());
    if is_time && value.as_str().is_some_and(|text| !is_kept_whole(text)) {
        return Err("must have at most nine digits of a second".to_owned());
    }
    DynamicMessage::deserialize(message.clone(), value)
        .map(Value::Message)
        .map_err(|_| wanted(&Kind::Message(message.clone())))
}

fn enum_from_text(of: &EnumDescriptor, name: &str) -> Option<Value> {
    of.get_value_by_name(name).map(|value| Value::EnumNumber(value.number()))
}

fn enum_from_number(of: &EnumDescriptor, number: i32) -> Option<Value> {
    of.get_value(number).map(|value| Value::EnumNumber(value.number()))
}

/// A whole number, written as one, as a fraction of nothing (`1.0`), or as text.
fn whole(node: &Node) -> Option<i128> {
    match node {
        Node::Number(number) => number_whole(number),
        Node::String(text) => {
            let is_plain = !text.starts_with('+') && !text.is_empty();
            text.parse().ok().filter(|_| is_plain)
        }
        _ => None,
    }
}

fn number_whole(number: &Number) -> Option<i128> {
    /// Beyond, a fraction no longer tells whole numbers apart.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let exact = number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
    exact.or_else(|| {
        let fraction = number.as_f64().filter(|number| number.fract() == 0.0 && number.abs() <= EXACT)?;
        format!("{fraction:.0}").parse().ok()
    })
}

fn float(node: &Node) -> Option<f64> {
    match node {
        Node::Number(number) => number.as_f64(),
        Node::String(text) => match text.as_str() {
            "NaN" => Some(f64::NAN),
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            // No other word for infinity, and nothing too large.
            text => text.parse().ok().filter(|number: &f64| number.is_finite()),
        },
        _ => None,
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the nearest float is what is meant; what has none is refused"
)]
fn single(value: f64) -> Option<f32> {
    let narrowed = value as f32;
    (narrowed.is_finite() || !value.is_finite()).then_some(narrowed)
}

fn wanted(kind: &Kind) -> Wrong {
    /// Most names of an enum that are told.
    const NAMES: usize = 30;
    match kind {
        Kind::Bool => "must be true or false".to_owned(),
        Kind::String => "must be a string".to_owned(),
        Kind::Bytes => "must be a string of base64".to_owned(),
        Kind::Double | Kind::Float => "must be a number".to_owned(),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => "must be a whole number of 32 bits".to_owned(),
        Kind::Uint32 | Kind::Fixed32 => "must be a whole number of 32 bits, not below 0".to_owned(),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => {
            "must be a whole number of 64 bits, as a string or a number".to_owned()
        }
        Kind::Uint64 | Kind::Fixed64 => "must be a whole number of 64 bits, not below 0".to_owned(),
        Kind::Enum(of) => {
            let names: Vec<_> = of.values().take(NAMES).map(|value| value.name().to_owned()).collect();
            format!("must be one of {}", names.join(", "))
        }
        Kind::Message(message) => match message.full_name() {
            "google.protobuf.Timestamp" => "must be a time such as 2026-12-01T09:00:00+08:00".to_owned(),
            "google.protobuf.Duration" => "must be a length of time in seconds such as 1.5s".to_owned(),
            name => format!("must be a {name} as proto3 writes it in JSON"),
        },
    }
}
