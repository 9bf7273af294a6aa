//! A complaint as its file told it: fields and values, for people to look at.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, ReflectMessage as _, Value};
use proto::redress::intake::v1::Complaint;
use show::json;
use show::table::one_line;

use super::mapping::{is_one_cell, written};

/// Letters of a text that are shown.
const SHOWN: usize = 100;

/// The fields a complaint has, in the order of the contract, with their values.
///
/// # Errors
///
/// Fails if the contracts cannot be read.
pub fn facts(complaint: &Complaint, zone: &TimeZone) -> anyhow::Result<Vec<(String, String)>> {
    let mut message = DynamicMessage::new(json::descriptor::<Complaint>()?);
    message.transcode_from(complaint)?;
    let mut facts = Vec::new();
    gather(&mut facts, "", &message, zone);
    Ok(facts)
}

fn gather(facts: &mut Vec<(String, String)>, root: &str, message: &DynamicMessage, zone: &TimeZone) {
    for (field, value) in message.fields() {
        let name = format!("{root}{}", field.name());
        match value {
            Value::Message(below) if is_one_cell(&below.descriptor()) => {
                facts.push((name, in_one_cell(below, zone)));
            }
            Value::Message(below) => gather(facts, &format!("{name}."), below, zone),
            Value::List(list) => {
                for (place, one) in list.iter().enumerate() {
                    let name = format!("{name}[{}]", place + 1);
                    match one {
                        Value::Message(below) => gather(facts, &format!("{name}."), below, zone),
                        one => facts.push((name, plain(&field, one))),
                    }
                }
            }
            value => facts.push((name, plain(&field, value))),
        }
    }
}

fn plain(field: &FieldDescriptor, value: &Value) -> String {
    match (value, field.kind()) {
        (Value::String(text), _) => shortened(text),
        (Value::Bool(truth), _) => if *truth { "yes" } else { "no" }.to_owned(),
        (Value::EnumNumber(number), Kind::Enum(kind)) => {
            let prefix = kind.values().find(|value| value.number() == 0);
            let prefix = prefix.map(|value| value.name().trim_end_matches("UNSPECIFIED").to_owned());
            let name = kind.get_value(*number).map(|value| value.name().to_owned());
            name.map_or_else(
                || number.to_string(),
                |name| written(&name, prefix.as_deref().unwrap_or_default()),
            )
        }
        (value, _) => value.to_string(),
    }
}

/// A time in its zone, a sum with its currency.
fn in_one_cell(message: &DynamicMessage, zone: &TimeZone) -> String {
    let number = |name: &str| {
        let value = message.get_field_by_name(name).map(std::borrow::Cow::into_owned);
        value.and_then(|value| value.as_i64().or(value.as_i32().map(i64::from))).unwrap_or_default()
    };
    let is_time = |kind: &MessageDescriptor| kind.full_name() == "google.protobuf.Timestamp";
    if is_time(&message.descriptor()) {
        let moment = Timestamp::from_second(number("seconds"));
        return moment.map_or_else(
            |_| number("seconds").to_string(),
            |moment| {
                let there = moment.to_zoned(zone.clone());
                there.strftime("%Y-%m-%d %H:%M:%S %:z").to_string()
            },
        );
    }
    let currency = message.get_field_by_name("currency_code");
    let currency = currency.as_deref().and_then(Value::as_str).unwrap_or_default().to_owned();
    let (units, nanos) = (number("units"), number("nanos"));
    let sign = if units < 0 || nanos < 0 { "-" } else { "" };
    let decimals = format!("{:09}", nanos.unsigned_abs());
    let decimals = decimals.trim_end_matches('0');
    format!("{currency} {sign}{}.{decimals:0<2}", units.unsigned_abs()).trim_start().to_owned()
}

fn shortened(text: &str) -> String {
    let text = one_line(text);
    let mut letters = text.chars();
    let mut begin: String = letters.by_ref().take(SHOWN).collect();
    if letters.next().is_some() {
        begin.push('…');
    }
    begin
}

#[cfg(test)]
mod tests {
    use proto::google::r#type::Money;
    use proto::redress::intake::v1::{Evidence, RemedySought};

    use super::*;

    #[test]
    fn a_complaint_reads_as_it_will_be_registered() {
        let amount = Some(Money { currency_code: "CNY".to_owned(), units: 128, nanos: 500_000_000 });
        let complaint = Complaint {
            channel: 5,
            subject: "丢件\n两次".to_owned(),
            description: "长".repeat(300),
            occur_time: Some(prost_types::Timestamp { seconds: 1_767_571_380, nanos: 0 }),
            consent_given: true,
            remedy_sought: Some(RemedySought { text: String::new(), amount }),
            evidence: vec![Evidence { uri: "https://a/1.jpg".to_owned(), ..Evidence::default() }],
            ..Complaint::default()
        };
        let zone = calendar::zones::get("Asia/Shanghai").unwrap();
        let facts = facts(&complaint, &zone).unwrap();
        let told =
            |name: &str| facts.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        assert_eq!(told("channel"), Some("web"));
        assert_eq!(told("subject"), Some("丢件 两次"));
        assert_eq!(told("description").unwrap().chars().count(), SHOWN + 1);
        assert_eq!(told("occur_time"), Some("2026-01-05 08:03:00 +08:00"));
        assert_eq!(told("consent_given"), Some("yes"));
        assert_eq!(told("remedy_sought.amount"), Some("CNY 128.50"));
        assert_eq!(told("evidence[1].uri"), Some("https://a/1.jpg"));
    }
}
