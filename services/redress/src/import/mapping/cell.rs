//! A cell of text as the value of a field.

use jiff::Timestamp;
use jiff::fmt::strtime;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, Value};

use super::Zoned;

/// Whether a message is a moment: written in one cell.
pub(super) fn is_time(message: &MessageDescriptor) -> bool {
    message.full_name() == "google.protobuf.Timestamp"
}

/// A cell, and how times are written in its file.
pub(super) struct Cell<'a> {
    pub(super) text: &'a str,
    pub(super) times: &'a Zoned,
}

impl Cell<'_> {
    /// Its value as this field's, or what is wrong with it.
    pub(super) fn value(&self, field: &FieldDescriptor) -> Result<Value, String> {
        let plain = self.text.trim();
        let number = || format!("must be a whole number, unlike {plain:?}");
        match field.kind() {
            Kind::String => Ok(Value::String(self.text.to_owned())),
            Kind::Bool => match plain {
                "true" => Ok(Value::Bool(true)),
                "false" => Ok(Value::Bool(false)),
                _ => Err(format!("must be true or false, unlike {plain:?}")),
            },
            Kind::Int32 => plain.parse().map(Value::I32).map_err(|_| number()),
            Kind::Int64 => plain.parse().map(Value::I64).map_err(|_| number()),
            Kind::Enum(kind) => kind
                .get_value_by_name(plain)
                .map(|value| Value::EnumNumber(value.number()))
                .ok_or_else(|| format!("has no value {plain:?}")),
            Kind::Message(kind) if is_time(&kind) => Ok(Value::Message(self.time(kind)?)),
            _ => Err("cannot be mapped".to_owned()),
        }
    }

    fn time(&self, kind: MessageDescriptor) -> Result<DynamicMessage, String> {
        let time = self.moment().ok_or_else(|| format!("is no time as told: {:?}", self.text))?;
        let mut message = DynamicMessage::new(kind);
        message.set_field_by_name("seconds", Value::I64(time.as_second()));
        message.set_field_by_name("nanos", Value::I32(time.subsec_nanosecond()));
        Ok(message)
    }

    fn moment(&self) -> Option<Timestamp> {
        let text = self.text.trim();
        if self.times.formats.is_empty() {
            return text.parse().ok();
        }
        self.times.formats.iter().find_map(|format| {
            let parsed = strtime::parse(format, text).ok()?;
            parsed.to_timestamp().ok().or_else(|| {
                let local = parsed.to_datetime().ok()?;
                Some(local.to_zoned(self.times.zone.clone()).ok()?.timestamp())
            })
        })
    }
}
