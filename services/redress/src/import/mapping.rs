//! Which column becomes which field: the format is told in `format.md`.

mod cell;
mod moment;
mod money;

use std::collections::BTreeMap;

use anyhow::{Context as _, bail, ensure};
use prost_reflect::{DynamicMessage, FieldDescriptor, MessageDescriptor};
use proto::redress::intake::v1::{Complaint, RemedySought};
use serde::Deserialize;
use show::json;

use cell::Cell;
pub(super) use cell::{is_one_cell, written};
use moment::{Times, Zoned};

/// What fields are named by in files and refusals.
const ROOT: &str = "complaint.";
/// What registration gives a complaint, and no file can.
pub(super) const GIVEN: [&str; 6] =
    ["complaint_id", "form_category", "form_version", "completeness", "register_time", "receive_time_by"];

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
        let times = Zoned::of(times.unwrap_or_default())?;
        let complaint = json::descriptor::<Complaint>()?;
        let mut fields = Vec::new();
        // First, so that a cell that names its currency is believed.
        for (field, value) in constants {
            let values = values.remove(&field).unwrap_or_default();
            fields.push(Field {
                path: path(&complaint, &field)?,
                name: field,
                from: From::Constant(value),
                values,
            });
        }
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
        Ok(Fitted { complaint, fields, times })
    }
}

/// The descriptors a path such as `complaint.complainant.email` goes through.
fn path(complaint: &MessageDescriptor, field: &str) -> anyhow::Result<Vec<FieldDescriptor>> {
    let mut message = Some(complaint.clone());
    let mut path: Vec<FieldDescriptor> = Vec::new();
    let below = field.strip_prefix(ROOT).unwrap_or(field);
    ensure!(!GIVEN.contains(&below), "{}", given(below));
    for name in below.split('.') {
        let step = message
            .and_then(|message| message.get_field_by_name(name))
            .with_context(|| format!("a complaint has no field {field:?}"))?;
        ensure!(!step.is_list(), "{field}: lists cannot be mapped");
        message = step.kind().as_message().cloned();
        path.push(step);
    }
    ensure!(
        message.is_none_or(|message| is_one_cell(&message)),
        "{field} has fields of its own: name one of them"
    );
    Ok(path)
}

fn given(field: &str) -> String {
    format!("{ROOT}{field} is given at registration, and cannot be imported: leave the column out")
}

/// Refuses a complaint that states what registration gives, for which there is no room.
pub(super) fn nothing_given(complaint: &Complaint) -> Result<(), String> {
    let Complaint { complaint_id, form_category, form_version, completeness, .. } = complaint;
    let stated = [
        !complaint_id.is_empty(),
        !form_category.is_empty(),
        *form_version != 0,
        completeness.is_some(),
        complaint.register_time.is_some(),
        !complaint.receive_time_by.is_empty(),
    ];
    let found = GIVEN.iter().zip(stated).find(|(_, stated)| *stated);
    found.map_or(Ok(()), |(field, _)| Err(given(field)))
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
    pub(crate) fn complaint(&self, cells: &[String]) -> Result<Complaint, String> {
        let mut complaint = DynamicMessage::new(self.complaint.clone());
        for field in &self.fields {
            let cell = match &field.from {
                From::Column(column) => cells.get(*column).map_or("", String::as_str),
                From::Constant(value) => value,
            };
            let cell = field.values.get(cell.trim()).map_or(cell, String::as_str);
            if cell.trim().is_empty() {
                continue;
            }
            let Some((last, parents)) = field.path.split_last() else { continue };
            set(&mut complaint, parents, last, &Cell { text: cell, times: &self.times })
                .map_err(|wrong| format!("{} {wrong}", field.name))?;
        }
        let mut complaint: Complaint = complaint.transcode_to().map_err(|error| error.to_string())?;
        if let Some(sought) = &mut complaint.remedy_sought {
            // A currency alone, the same for every row, is no sum.
            sought.amount = sought.amount.take().filter(|sum| (sum.units, sum.nanos) != (0, 0));
        }
        complaint.remedy_sought = complaint.remedy_sought.filter(|sought| *sought != RemedySought::default());
        Ok(complaint)
    }
}

fn set(
    message: &mut DynamicMessage,
    parents: &[FieldDescriptor],
    last: &FieldDescriptor,
    cell: &Cell<'_>,
) -> Result<(), String> {
    match parents.split_first() {
        None => cell.set(message, last),
        Some((parent, parents)) => match message.get_field_mut(parent).as_message_mut() {
            Some(message) => set(message, parents, last, cell),
            None => Ok(()),
        },
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

    fn cells(cells: &[&str]) -> Vec<String> {
        headings(cells)
    }

    #[test]
    fn the_mappings_of_the_sample_fit() {
        let cfpb = Mapping::read(MAPPINGS[0]).unwrap();
        let fitted = cfpb.fit(&headings(&["src_row", "Product", "Consumer complaint narrative"])).unwrap();
        let row = cells(&["7", "Credit card", "They charged me twice."]);
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
        let row = cells(&["2549", "A00045581", "物业费", "2019/4/25 9:32:09", "太高", "x"]);
        let complaint = fitted.complaint(&row).unwrap();
        assert_eq!(complaint.occur_time.unwrap().seconds, 1_556_155_929);
        let row = cells(&["2549", "A00045581", "物业费", "yesterday", "太高", "x"]);
        assert!(fitted.complaint(&row).unwrap_err().starts_with("complaint.occur_time"));
    }

    #[test]
    fn without_a_mapping_headings_are_fields() {
        let fitted = Mapping::default().fit(&headings(&["subject", "complaint.respondent.product"])).unwrap();
        let complaint = fitted.complaint(&cells(&["Late", "Kettle"])).unwrap();
        assert_eq!(complaint.subject, "Late");
        assert_eq!(complaint.respondent.unwrap().product, "Kettle");
    }

    #[test]
    fn cells_are_read_as_spreadsheets_write_them() {
        let mapping = "[columns]\nchannel = \"c\"\nconsent_given = \"y\"\n\"remedy_sought.amount\" = \"m\"\n\
                       \"social.reach\" = \"r\"\n[constants]\n\"remedy_sought.amount.currency_code\" = \"CNY\"";
        let fitted = Mapping::read(mapping).unwrap().fit(&headings(&["c", "y", "m", "r"])).unwrap();
        let sum = |complaint: Complaint| complaint.remedy_sought.unwrap().amount.unwrap();
        for (channel, yes) in [("web", "TRUE"), ("CHANNEL_WEB", "是"), (" Web ", "1")] {
            let complaint = fitted.complaint(&cells(&[channel, yes, "1,128.50", "12.0"])).unwrap();
            assert_eq!((complaint.channel(), complaint.consent_given), (Channel::Web, true));
            let sum = sum(complaint);
            assert_eq!((sum.currency_code.as_str(), sum.units, sum.nanos), ("CNY", 1_128, 500_000_000));
        }
        assert!(fitted.complaint(&cells(&["fax", "no", "", ""])).unwrap_err().contains("in-app"));
        assert!(fitted.complaint(&cells(&["in-app", "maybe", "", ""])).is_err());
        assert!(fitted.complaint(&cells(&["in-app", "no", "a lot", ""])).unwrap_err().contains("128.50"));
        let parts = "[columns]\n\"remedy_sought.amount.units\" = \"m\"\n\
                     [constants]\n\"remedy_sought.amount.currency_code\" = \"EUR\"";
        let fitted = Mapping::read(parts).unwrap().fit(&headings(&["m"])).unwrap();
        let sum = sum(fitted.complaint(&cells(&["128.50"])).unwrap());
        assert_eq!((sum.currency_code.as_str(), sum.units, sum.nanos), ("EUR", 128, 500_000_000));
    }

    #[test]
    fn what_registration_gives_cannot_be_imported() {
        for given in GIVEN {
            let as_heading = Mapping::default().fit(&headings(&["subject", given])).unwrap_err().to_string();
            assert!(as_heading.starts_with(&format!("complaint.{given} is given at registration")));
        }
        let stated = Complaint { form_version: 3, ..Complaint::default() };
        assert!(nothing_given(&stated).unwrap_err().starts_with("complaint.form_version"));
        assert_eq!(nothing_given(&Complaint::default()), Ok(()));
        // The list is the contract's: what it calls output only.
        let complaint = json::descriptor::<Complaint>().unwrap();
        let said = |field: &FieldDescriptor| {
            crate::import::fields::comment(field.parent_file().file_descriptor_proto(), field.path())
        };
        let output_only: Vec<String> = complaint
            .fields()
            .filter(|field| {
                said(field).split_whitespace().collect::<Vec<_>>().join(" ").contains("Output only")
            })
            .map(|field| field.name().to_owned())
            .collect();
        assert_eq!(output_only, GIVEN);
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
