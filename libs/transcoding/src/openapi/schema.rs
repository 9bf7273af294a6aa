//! Messages, fields and enums as JSON Schema, as proto3 writes them in JSON.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, VecDeque};

use prost_reflect::{EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Map, Value as Json, json};

use super::comments::Comments;
use crate::scalar::is_well_known;

/// Schemas of the messages and enums that were referred to.
pub(crate) struct Schemas<'a> {
    comments: &'a Comments,
    done: BTreeMap<String, Json>,
    wanted: VecDeque<Wanted>,
}

enum Wanted {
    Message(MessageDescriptor),
    Enum(EnumDescriptor),
}

impl<'a> Schemas<'a> {
    pub(crate) fn new(comments: &'a Comments) -> Self {
        Self { comments, done: BTreeMap::new(), wanted: VecDeque::new() }
    }

    /// All that were referred to, and all that those refer to.
    pub(crate) fn finish(mut self) -> BTreeMap<String, Json> {
        while let Some(wanted) = self.wanted.pop_front() {
            let (name, schema) = match wanted {
                Wanted::Message(message) => (message.full_name().to_owned(), self.object(&message, &[])),
                Wanted::Enum(of) => (of.full_name().to_owned(), self.names(&of)),
            };
            self.done.insert(name, schema);
        }
        self.done
    }

    /// A message, by reference.
    pub(crate) fn message(&mut self, message: &MessageDescriptor) -> Json {
        if is_well_known(message) {
            return well_known(message);
        }
        self.refer(message.full_name().to_owned(), || Wanted::Message(message.clone()))
    }

    /// A message without some of its fields.
    pub(crate) fn without(&mut self, message: &MessageDescriptor, fields: &[&str]) -> Json {
        if fields.is_empty() { self.message(message) } else { self.object(message, fields) }
    }

    /// A field, with what the contract says about it.
    pub(crate) fn field(&mut self, field: &FieldDescriptor) -> Json {
        let mut schema = self.bare(field);
        let comment = self.comment(field);
        if let (Json::Object(members), false) = (&mut schema, comment.is_empty()) {
            members.insert("description".to_owned(), comment.into());
        }
        schema
    }

    /// What the contract says about a field.
    pub(crate) fn comment(&self, field: &FieldDescriptor) -> String {
        self.comments.of_field(field)
    }

    /// A field.
    pub(crate) fn bare(&mut self, field: &FieldDescriptor) -> Json {
        if field.is_map()
            && let Kind::Message(entry) = field.kind()
        {
            let value = self.kind(&entry.map_entry_value_field().kind());
            return json!({ "type": "object", "additionalProperties": value });
        }
        let kind = self.kind(&field.kind());
        if field.is_list() { json!({ "type": "array", "items": kind }) } else { kind }
    }

    fn refer(&mut self, name: String, wanted: impl FnOnce() -> Wanted) -> Json {
        let reference = json!({ "$ref": format!("#/components/schemas/{name}") });
        if let Entry::Vacant(place) = self.done.entry(name) {
            // It is taken until it is written.
            place.insert(Json::Null);
            self.wanted.push_back(wanted());
        }
        reference
    }

    fn kind(&mut self, kind: &Kind) -> Json {
        match kind {
            Kind::Double => number("double"),
            Kind::Float => number("float"),
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => {
                json!({ "type": "integer", "format": "int32", "minimum": i32::MIN, "maximum": i32::MAX })
            }
            Kind::Uint32 | Kind::Fixed32 => json!({ "type": "integer", "minimum": 0, "maximum": u32::MAX }),
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => {
                json!({ "type": "string", "format": "int64", "pattern": "^-?[0-9]{1,18}$" })
            }
            Kind::Uint64 | Kind::Fixed64 => {
                json!({ "type": "string", "format": "uint64", "pattern": "^[0-9]{1,19}$" })
            }
            Kind::Bool => json!({ "type": "boolean" }),
            Kind::String => json!({ "type": "string" }),
            Kind::Bytes => json!({ "type": "string", "contentEncoding": "base64", "format": "byte" }),
            Kind::Message(message) => self.message(message),
            Kind::Enum(of) => self.refer(of.full_name().to_owned(), || Wanted::Enum(of.clone())),
        }
    }

    fn object(&mut self, message: &MessageDescriptor, without: &[&str]) -> Json {
        let kept = message.fields().filter(|field| !without.contains(&field.name()));
        let properties: Map<String, Json> =
            kept.map(|field| (field.json_name().to_owned(), self.field(&field))).collect();
        let description = self.comments.of_message(message);
        json!({ "type": "object", "description": description, "properties": properties })
    }

    fn names(&self, of: &EnumDescriptor) -> Json {
        let names: Vec<_> = of.values().map(|value| value.name().to_owned()).collect();
        let mut description = self.comments.of_enum(of);
        for value in of.values() {
            let said = self.comments.of_value(&value).replace('\n', " ");
            if !said.is_empty() {
                description.extend(["\n- `", value.name(), "`: ", &said]);
            }
        }
        json!({ "type": "string", "description": description, "enum": names })
    }
}

fn number(format: &str) -> Json {
    json!({ "anyOf": [
        { "type": "number", "format": format },
        { "type": "string", "enum": ["NaN", "Infinity", "-Infinity"] },
    ] })
}

fn well_known(message: &MessageDescriptor) -> Json {
    match message.name() {
        "Timestamp" => json!({ "type": "string", "format": "date-time" }),
        "Duration" => json!({ "type": "string", "pattern": "^-?[0-9]{1,12}(\\.[0-9]{1,9})?s$" }),
        "Any" => json!({
            "type": "object",
            "properties": { "@type": { "type": "string" } },
            "required": ["@type"],
            "additionalProperties": true,
        }),
        "Struct" => json!({ "type": "object", "additionalProperties": true }),
        "ListValue" => json!({ "type": "array" }),
        "Empty" => json!({ "type": "object" }),
        "BoolValue" => json!({ "type": "boolean" }),
        "FieldMask" | "StringValue" | "Int64Value" | "UInt64Value" => json!({ "type": "string" }),
        "BytesValue" => json!({ "type": "string", "contentEncoding": "base64" }),
        "Int32Value" | "UInt32Value" => json!({ "type": "integer" }),
        "FloatValue" | "DoubleValue" => number("double"),
        // Value: anything.
        _ => json!({}),
    }
}
