//! Which column becomes which field: the format is told in `sample/mappings/`.

mod cell;

use std::collections::BTreeMap;

use anyhow::{Context as _, bail, ensure};
use jiff::tz::TimeZone;
use prost_reflect::{DynamicMessage, FieldDescriptor, MessageDescriptor, Value};
use proto::redress::intake::v1::Complaint;
use serde::Deserialize;

use crate::show::json;
use cell::Cell;

/// What fields are named by in files and refusals.
const ROOT: &str = "complaint.";

/// A mapping as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Mapping {
    /// Field by heading.
    #[serde(default)]
    columns: BTreeMap<String, String>,
    /// Field by value.
    #[serde(default)]
    constants: BTreeMap<String, String>,
    /// Values by cell, per field.
    #[serde(default)]
    values: BTreeMap<String, BTreeMap<String, String>>,
    /// How cells of time fields are written.
    times: Option<Times>,
}

/// How cells of time fields are written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Times {
    formats: Vec<String>,
    zone: Option<String>,
}

impl Mapping {
    /// Reads a mapping.
    pub(crate) fn read(text: &str) -> anyhow::Result<Self> {
        let mapping: Self = toml::from_str(text)?;
        if let Some(field) = mapping.columns.keys().find(|field| mapping.constants.contains_key(*field)) {
            bail!("{field} is in both [columns] and [constants]");
        }
        let mapped =
            |field: &str| mapping.columns.contains_key(field) || mapping.constants.contains_key(field);
        if let Some(field) = mapping.values.keys().find(|field| !mapped(field)) {
            bail!("[values] names {field}, which no column is mapped to");
        }
        Ok(mapping)
    }

    /// Fits the mapping to a file's headings. A column or field that does not exist
    /// is an error; without any mapping the headings are the fields.
    pub(crate) fn fit(self, headings: &[String]) -> anyhow::Result<Fitted> {
        let Self { mut columns, constants, mut values, times } = self;
        if columns.is_empty() && constants.is_empty() {
            columns = headings.iter().map(|heading| (heading.clone(), heading.clone())).collect();
        }
        let times = Zoned::of(times)?;
        let complaint = json::descriptor::<Complaint>()?;
        let mut fields = Vec::new();
        for (field, heading) in columns {
            let column = headings.iter().position(|known| *known == heading).with_context(|| {
                format!("the file has no column {heading:?}, which {field} is to come from")
            })?;
            let values = values.remove(&field).unwrap_or_default();
            fields.push(Field {
                path: path(&complaint, &field)?,
                name: field,
                from: From::Column(column),
                values,
            });
        }
        for (field, value) in constants {
            let values = values.remove(&field).unwrap_or_default();
            fields.push(Field {
                path: path(&complaint, &field)?,
                name: field,
                from: From::Constant(value),
                values,
            });
        }
        Ok(Fitted { complaint, fields, times })
    }
}

/// The time zone and formats of time cells.
#[derive(Debug)]
struct Zoned {
    formats: Vec<String>,
    zone: TimeZone,
}

impl Zoned {
    fn of(times: Option<Times>) -> anyhow::Result<Self> {
        let Some(Times { formats, zone }) = times else {
            return Ok(Self { formats: Vec::new(), zone: TimeZone::UTC });
        };
        let zone = zone.map_or(Ok(TimeZone::UTC), |zone| {
            TimeZone::get(&zone).with_context(|| format!("[times] names no time zone: {zone}"))
        })?;
        Ok(Self { formats, zone })
    }
}

/// The descriptors a path such as `complaint.complainant.email` goes through.
fn path(complaint: &MessageDescriptor, field: &str) -> anyhow::Result<Vec<FieldDescriptor>> {
    let mut message = Some(complaint.clone());
    let mut path: Vec<FieldDescriptor> = Vec::new();
    for name in field.strip_prefix(ROOT).unwrap_or(field).split('.') {
        let step = message
            .and_then(|message| message.get_field_by_name(name))
            .with_context(|| format!("a complaint has no field {field:?}"))?;
        ensure!(!step.is_list(), "{field}: lists cannot be mapped");
        message = step.kind().as_message().filter(|message| !cell::is_time(message)).cloned();
        path.push(step);
    }
    ensure!(message.is_none(), "{field} has fields of its own: name one of them");
    Ok(path)
}

/// Where a field's value comes from.
#[derive(Debug)]
enum From {
    Column(usize),
    Constant(String),
}

#[derive(Debug)]
struct Field {
    name: String,
    path: Vec<FieldDescriptor>,
    from: From,
    values: BTreeMap<String, String>,
}

/// A mapping fitted to a file.
#[derive(Debug)]
pub(crate) struct Fitted {
    complaint: MessageDescriptor,
    fields: Vec<Field>,
    times: Zoned,
}

impl Fitted {
    /// The complaint a row of cells is, or what is wrong with a cell.
    pub(crate) fn complaint(&self, cells: &csv::StringRecord) -> Result<Complaint, String> {
        let mut complaint = DynamicMessage::new(self.complaint.clone());
        for field in &self.fields {
            let cell = match &field.from {
                From::Column(column) => cells.get(*column).unwrap_or_default(),
                From::Constant(value) => value,
            };
            let cell = field.values.get(cell.trim()).map_or(cell, String::as_str);
            if cell.trim().is_empty() {
                continue;
            }
            let Some((last, parents)) = field.path.split_last() else { continue };
            let value = Cell { text: cell, times: &self.times }
                .value(last)
                .map_err(|wrong| format!("{} {wrong}", field.name))?;
            set(&mut complaint, parents, last, value);
        }
        complaint.transcode_to().map_err(|error| error.to_string())
    }
}

fn set(message: &mut DynamicMessage, parents: &[FieldDescriptor], last: &FieldDescriptor, value: Value) {
    match parents.split_first() {
        None => message.set_field(last, value),
        Some((parent, parents)) => {
            if let Some(message) = message.get_field_mut(parent).as_message_mut() {
                set(message, parents, last, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proto::redress::intake::v1::Channel;
    use proto::redress::intake::v1::complaint::ChannelDetail;

    use super::*;

    const MAPPINGS: [&str; 2] = [
        include_str!("../../sample/mappings/cfpb.toml"),
        include_str!("../../sample/mappings/zh-gov-messages.toml"),
    ];

    fn headings(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_mappings_of_the_sample_fit() {
        let cfpb = Mapping::read(MAPPINGS[0]).unwrap();
        let fitted = cfpb.fit(&headings(&["src_row", "Product", "Consumer complaint narrative"])).unwrap();
        let row = csv::StringRecord::from(vec!["7", "Credit card", "They charged me twice."]);
        let complaint = fitted.complaint(&row).unwrap();
        assert_eq!(complaint.channel(), Channel::Regulator);
        assert_eq!(complaint.external_ref, "7");
        assert_eq!(complaint.category_hint, "banking/card");
        assert!(complaint.consent_given);
        let Some(ChannelDetail::Regulator(detail)) = complaint.channel_detail else { panic!("no detail") };
        assert_eq!(detail.reference, "7");

        let gov = Mapping::read(MAPPINGS[1]).unwrap();
        let names = ["留言编号", "留言用户", "留言主题", "留言时间", "留言详情", "答复意见"];
        let fitted = gov.fit(&headings(&names)).unwrap();
        let row =
            csv::StringRecord::from(vec!["2549", "A00045581", "物业费", "2019/4/25 9:32:09", "太高", "x"]);
        let complaint = fitted.complaint(&row).unwrap();
        assert_eq!(complaint.occur_time.unwrap().seconds, 1_556_155_929);
        let row = csv::StringRecord::from(vec!["2549", "A00045581", "物业费", "yesterday", "太高", "x"]);
        assert!(fitted.complaint(&row).unwrap_err().starts_with("complaint.occur_time"));
    }

    #[test]
    fn without_a_mapping_headings_are_fields() {
        let fitted = Mapping::default().fit(&headings(&["subject", "complaint.respondent.product"])).unwrap();
        let complaint = fitted.complaint(&csv::StringRecord::from(vec!["Late", "Kettle"])).unwrap();
        assert_eq!(complaint.subject, "Late");
        assert_eq!(complaint.respondent.unwrap().product, "Kettle");
    }

    #[test]
    fn what_does_not_exist_is_refused_before_the_first_row() {
        let error = |text: &str| {
            Mapping::read(text).and_then(|mapping| mapping.fit(&headings(&["a"]))).unwrap_err().to_string()
        };
        assert!(error("[columns]\n\"complaint.subjekt\" = \"a\"").contains("no field"));
        assert!(error("[columns]\n\"complaint.subject\" = \"b\"").contains("no column"));
        assert!(error("[columns]\n\"complaint.evidence\" = \"a\"").contains("lists"));
        assert!(error("[columns]\n\"complaint.complainant\" = \"a\"").contains("fields of its own"));
        assert!(error("[columns]\nsubject = \"a\"\n[constants]\nsubject = \"x\"").contains("both"));
        assert!(
            error("[columns]\nsubject = \"a\"\n[values.language]\nx = \"y\"").contains("no column is mapped")
        );
        assert!(error("[colums]\nsubject = \"a\"").contains("colums"));
    }
}
