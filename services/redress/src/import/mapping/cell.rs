//! A cell of text as the value of a field.

use prost_reflect::{DynamicMessage, EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor, Value};

use super::moment::Zoned;
use super::money;

/// Whether a message is written in one cell: a moment, a sum.
pub(in crate::import) fn is_one_cell(message: &MessageDescriptor) -> bool {
    is_time(message) || is_money(message)
}

fn is_time(message: &MessageDescriptor) -> bool {
    message.full_name() == "google.protobuf.Timestamp"
}

fn is_money(message: &MessageDescriptor) -> bool {
    message.full_name() == "google.type.Money"
}

/// A cell, and how times are written in its file.
pub(super) struct Cell<'a> {
    pub(super) text: &'a str,
    pub(super) times: &'a Zoned,
}

impl Cell<'_> {
    /// Sets a field of a message to what the cell says, or tells what is wrong with it.
    pub(super) fn set(&self, message: &mut DynamicMessage, field: &FieldDescriptor) -> Result<(), String> {
        if is_money(field.parent_message()) && field.name() == "units" {
            return self.units(message);
        }
        if let Kind::Message(kind) = field.kind()
            && is_money(&kind)
        {
            let Some(sum) = message.get_field_mut(field).as_message_mut() else { return Ok(()) };
            return self.sum(sum);
        }
        message.set_field(field, self.value(field)?);
        Ok(())
    }

    fn value(&self, field: &FieldDescriptor) -> Result<Value, String> {
        let plain = self.text.trim();
        let number = || format!("must be a whole number, unlike {plain:?}");
        // Spreadsheets write whole numbers as `12.0`.
        let whole = || money::decimal(plain).filter(|(_, part)| *part == 0).map(|(whole, _)| whole);
        match field.kind() {
            Kind::String => Ok(Value::String(self.text.to_owned())),
            Kind::Bool => truth(plain).map(Value::Bool),
            Kind::Int32 => {
                whole().and_then(|whole| i32::try_from(whole).ok()).map(Value::I32).ok_or_else(number)
            }
            Kind::Int64 => whole().map(Value::I64).ok_or_else(number),
            Kind::Enum(kind) => choice(&kind, plain).map(Value::EnumNumber),
            Kind::Message(kind) if is_time(&kind) => Ok(Value::Message(self.time(kind)?)),
            _ => Err("cannot be mapped".to_owned()),
        }
    }

    fn time(&self, kind: MessageDescriptor) -> Result<DynamicMessage, String> {
        let time = self.times.moment(self.text);
        let time = time.ok_or_else(|| format!("is no time as told: {:?}", self.text))?;
        let mut message = DynamicMessage::new(kind);
        message.set_field_by_name("seconds", Value::I64(time.as_second()));
        message.set_field_by_name("nanos", Value::I32(time.subsec_nanosecond()));
        Ok(message)
    }

    /// A sum with or without its currency, which another column or constant may have.
    fn sum(&self, message: &mut DynamicMessage) -> Result<(), String> {
        let (currency, units, nanos) = money::sum(self.text)
            .ok_or_else(|| format!("is no sum such as 128.50 or CNY 128.50: {:?}", self.text))?;
        if !currency.is_empty() {
            message.set_field_by_name("currency_code", Value::String(currency));
        }
        set_parts(message, units, nanos);
        Ok(())
    }

    fn units(&self, message: &mut DynamicMessage) -> Result<(), String> {
        let (units, nanos) = money::decimal(self.text.trim())
            .ok_or_else(|| format!("is no number such as 128.50: {:?}", self.text))?;
        set_parts(message, units, nanos);
        Ok(())
    }
}

fn set_parts(message: &mut DynamicMessage, units: i64, nanos: i32) {
    message.set_field_by_name("units", Value::I64(units));
    message.set_field_by_name("nanos", Value::I32(nanos));
}

fn truth(text: &str) -> Result<bool, String> {
    match text.to_lowercase().as_str() {
        "true" | "yes" | "1" | "是" => Ok(true),
        "false" | "no" | "0" | "否" => Ok(false),
        _ => Err(format!("must be true or false, yes or no, 1 or 0, unlike {text:?}")),
    }
}

/// The value of an enum, by its name in the contract or as people write it: `web` for
/// `CHANNEL_WEB`.
fn choice(kind: &EnumDescriptor, text: &str) -> Result<i32, String> {
    let unspecified = kind.values().find(|value| value.number() == 0);
    let unspecified = unspecified.map(|value| value.name().to_owned()).unwrap_or_default();
    let prefix = unspecified.trim_end_matches("UNSPECIFIED");
    let name = text.to_uppercase().replace(['-', ' '], "_");
    let value = kind.get_value_by_name(&name).or_else(|| kind.get_value_by_name(&format!("{prefix}{name}")));
    value.filter(|value| value.number() != 0).map(|value| value.number()).ok_or_else(|| {
        let names = kind.values().filter(|value| value.number() != 0);
        let names: Vec<_> = names.map(|value| written(value.name(), prefix)).collect();
        format!("has no value {text:?}: it is one of {}", names.join(", "))
    })
}

/// A value's name as people write it.
pub(in crate::import) fn written(name: &str, prefix: &str) -> String {
    name.trim_start_matches(prefix).to_lowercase().replace('_', "-")
}
