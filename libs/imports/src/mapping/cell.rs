//! A cell of text as the value of a field.

use prost_reflect::{
    DynamicMessage, EnumDescriptor, FieldDescriptor, Kind as Type, MessageDescriptor, Value,
};
use tables::moment::Times;
use tables::money::{self, NotASum, Sum};
use tables::number::{self, Decimal, Mark};
use tables::phone::{self, Country};

use crate::problem::{Kind, Problem};

/// Whether a message is written in one cell: a moment, a sum.
pub(crate) fn is_one_cell(message: &MessageDescriptor) -> bool {
    is_time(message) || is_money(message)
}

fn is_time(message: &MessageDescriptor) -> bool {
    message.full_name() == "google.protobuf.Timestamp"
}

fn is_money(message: &MessageDescriptor) -> bool {
    message.full_name() == "google.type.Money"
}

/// How the cells of a file are written.
#[derive(Debug)]
pub(super) struct Writing {
    /// Times, and their zone.
    pub(super) times: Times,
    /// The decimal mark, where the mapping says so.
    pub(super) mark: Option<Mark>,
    /// The currency of sums that name none.
    pub(super) currency: Option<String>,
    /// The country of telephone numbers; without it they are taken as they stand.
    pub(super) country: Option<Country>,
}

/// A cell, and how cells are written in its file.
pub(super) struct Cell<'a> {
    pub(super) text: &'a str,
    pub(super) writing: &'a Writing,
}

impl Cell<'_> {
    /// Sets a field of a message to what the cell says, or tells what is wrong with it.
    pub(super) fn set(&self, message: &mut DynamicMessage, field: &FieldDescriptor) -> Result<(), Problem> {
        if is_money(field.parent_message()) && field.name() == "units" {
            set_parts(message, self.decimal()?);
            return Ok(());
        }
        if let Type::Message(kind) = field.kind()
            && is_money(&kind)
        {
            let Some(sum) = message.get_field_mut(field).as_message_mut() else { return Ok(()) };
            return self.sum(sum);
        }
        message.set_field(field, self.value(field)?);
        Ok(())
    }

    fn value(&self, field: &FieldDescriptor) -> Result<Value, Problem> {
        let plain = self.text.trim();
        // Spreadsheets write whole numbers as `12.0`.
        let whole = || match self.decimal()? {
            Decimal { units, nanos: 0 } => Ok(units),
            Decimal { .. } => Err(self.wrong(Kind::Number, "must be a whole number")),
        };
        let narrow = |whole| {
            i32::try_from(whole)
                .map_err(|_| self.wrong(Kind::Number, "is more than a number of this kind can be"))
        };
        match field.kind() {
            Type::String if field.name() == "phone" => self.phone().map(Value::String),
            Type::String => Ok(Value::String(self.text.to_owned())),
            Type::Bool => truth(plain)
                .map(Value::Bool)
                .ok_or_else(|| self.wrong(Kind::Truth, "must be true or false, yes or no, 1 or 0")),
            Type::Int32 => whole().and_then(narrow).map(Value::I32),
            Type::Int64 => whole().map(Value::I64),
            Type::Enum(kind) => {
                let choice = choice(&kind, plain).map_err(|why| self.wrong(Kind::Choice, why));
                choice.map(Value::EnumNumber)
            }
            Type::Message(kind) if is_time(&kind) => Ok(Value::Message(self.time(kind)?)),
            _ => Err(self.wrong(Kind::Cells, "cannot be mapped")),
        }
    }

    fn wrong(&self, kind: Kind, why: impl std::fmt::Display) -> Problem {
        Problem::of_cell(kind, self.text, why)
    }

    fn phone(&self) -> Result<String, Problem> {
        let Some(country) = self.writing.country else { return Ok(self.text.trim().to_owned()) };
        phone::normalised(self.text, country).map_err(|why| self.wrong(Kind::Phone, why))
    }

    fn time(&self, kind: MessageDescriptor) -> Result<DynamicMessage, Problem> {
        let time = self.writing.times.moment(self.text).map_err(|why| self.wrong(Kind::Time, why))?;
        let mut message = DynamicMessage::new(kind);
        message.set_field_by_name("seconds", Value::I64(time.as_second()));
        message.set_field_by_name("nanos", Value::I32(time.subsec_nanosecond()));
        Ok(message)
    }

    /// A sum with or without its currency, which another column or constant may have.
    fn sum(&self, message: &mut DynamicMessage) -> Result<(), Problem> {
        let named = self.writing.currency.as_deref();
        let Sum { currency, amount } = money::sum(self.text, self.writing.mark, named)
            .map_err(|why| self.wrong(Kind::Number, of_sum(why)))?;
        if let Some(currency) = currency.as_deref().or(named) {
            message.set_field_by_name("currency_code", Value::String(currency.to_owned()));
        }
        set_parts(message, amount);
        Ok(())
    }

    fn decimal(&self) -> Result<Decimal, Problem> {
        number::decimal(self.text, self.writing.mark).map_err(|why| self.wrong(Kind::Number, why))
    }
}

/// What is wrong with a sum, with the way out that mappings have.
fn of_sum(why: NotASum) -> String {
    match why {
        NotASum::Number(number::NotANumber::Other) => "is no sum such as 128.50 or CNY 128.50".to_owned(),
        NotASum::WhichCurrency(_) => format!("{why} ([numbers] currency)"),
        why => why.to_string(),
    }
}

fn set_parts(message: &mut DynamicMessage, Decimal { units, nanos }: Decimal) {
    message.set_field_by_name("units", Value::I64(units));
    message.set_field_by_name("nanos", Value::I32(nanos));
}

fn truth(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "true" | "yes" | "1" | "是" => Some(true),
        "false" | "no" | "0" | "否" => Some(false),
        _ => None,
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
        format!("must be one of {}", names.join(", "))
    })
}

/// A value's name as people write it.
pub(crate) fn written(name: &str, prefix: &str) -> String {
    name.trim_start_matches(prefix).to_lowercase().replace('_', "-")
}
