//! Which column becomes which field: the format is told in `format.md`.

mod cell;
mod evidence;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, bail, ensure};
use jiff::tz::TimeZone;
use prost_reflect::{DynamicMessage, FieldDescriptor, MessageDescriptor};
use proto::redress::intake::v1::{Complaint, RemedySought};
use serde::Deserialize;
use show::json;
use tables::moment::Times;
use tables::number::Mark;
use tables::phone::Country;

use super::problem::{Kind, Problem};
use cell::{Cell, Writing};
pub(super) use cell::{is_one_cell, written};
use evidence::Offered;
pub(super) use evidence::Part;

/// What fields are named by in files and refusals.
const ROOT: &str = "complaint.";
/// What registration gives a complaint, and no file can.
pub(super) const GIVEN: [&str; 8] = [
    "complaint_id",
    "form_category",
    "form_version",
    "completeness",
    "register_time",
    "receive_time_by",
    "recorder",
    "filled_fields",
];
/// The field whose constant is the currency of sums that name none.
const CURRENCY: &str = "remedy_sought.amount.currency_code";

/// A mapping as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
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
    #[serde(default)]
    times: TimesWritten,
    /// How numbers and sums are.
    #[serde(default)]
    numbers: NumbersWritten,
    /// How telephone numbers are.
    #[serde(default)]
    phones: PhonesWritten,
    /// How several pieces of evidence stand in one cell.
    #[serde(default)]
    evidence: EvidenceWritten,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct TimesWritten {
    formats: Option<Vec<String>>,
    zone: Option<String>,
    pivot: Option<i16>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct NumbersWritten {
    decimal: Option<String>,
    currency: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct PhonesWritten {
    country: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct EvidenceWritten {
    separator: Option<String>,
}

impl Mapping {
    /// Reads a mapping.
    ///
    /// # Errors
    ///
    /// Fails if the text is no mapping, or contradicts itself.
    pub fn read(text: &str) -> anyhow::Result<Self> {
        let mapping: Self = toml::from_str(text)?;
        if let Some(field) = mapping.columns.keys().find(|field| mapping.constants.contains_key(*field)) {
            bail!("{field} is in both [columns] and [constants]");
        }
        let mapped =
            |field: &str| mapping.columns.contains_key(field) || mapping.constants.contains_key(field);
        if let Some(field) = mapping.values.keys().find(|field| !mapped(field)) {
            bail!("[values] names {field}, which no column is mapped to");
        }
        mapping.writing()?;
        Ok(mapping)
    }

    /// Looks whether a text is a mapping, of fields that there are.
    ///
    /// # Errors
    ///
    /// Fails if it is none, or names a field that cannot be imported.
    pub fn check(text: &str) -> anyhow::Result<()> {
        let mapping = Self::read(text)?;
        let known: BTreeSet<String> = mapping.headings().map(str::to_owned).collect();
        mapping.fit(&known.into_iter().collect::<Vec<_>>()).map(drop)
    }

    /// The headings it knows a file to have.
    pub(super) fn headings(&self) -> impl Iterator<Item = &str> {
        self.columns.values().map(String::as_str)
    }

    /// How the cells are written.
    fn writing(&self) -> anyhow::Result<Writing> {
        let TimesWritten { formats, zone, pivot } = self.times.clone();
        let zone = zone.map_or(Ok(TimeZone::UTC), |zone| {
            calendar::zones::get(&zone).with_context(|| format!("[times] names no time zone: {zone}"))
        })?;
        let mark = match self.numbers.decimal.as_deref() {
            None => None,
            Some(".") => Some(Mark::Point),
            Some(",") => Some(Mark::Comma),
            Some(_) => bail!("[numbers] decimal: must be \".\" or \",\""),
        };
        let constant =
            self.constants.iter().find(|(field, _)| field.strip_prefix(ROOT).unwrap_or(field) == CURRENCY);
        let currency = self.numbers.currency.as_ref().or(constant.map(|(_, value)| value));
        let is_code = |code: &&String| code.len() == 3 && code.bytes().all(|b| b.is_ascii_uppercase());
        if let Some(currency) = self.numbers.currency.as_ref().filter(|code| !is_code(code)) {
            bail!("[numbers] currency: {currency} is no code of three letters, such as CNY");
        }
        let country = self.phones.country.as_deref().map(Country::named).transpose();
        let country = country.map_err(|wrong| anyhow::anyhow!("[phones] country: {wrong}"))?;
        ensure!(self.evidence.separator.as_deref() != Some(""), "[evidence] separator: is empty");
        Ok(Writing { times: Times::new(formats, zone, pivot)?, mark, currency: currency.cloned(), country })
    }

    /// Fits the mapping to a file's headings. A column or field that does not exist
    /// is an error; without any mapping the headings are the fields.
    ///
    /// # Errors
    ///
    /// Fails if a column or a field does not exist, is there twice, or cannot be mapped.
    pub fn fit(self, headings: &[String]) -> anyhow::Result<Fitted> {
        let writing = self.writing()?;
        let country = self.phones.country.clone();
        let Self { mut columns, constants, mut values, evidence, .. } = self;
        if columns.is_empty() && constants.is_empty() {
            columns = headings.iter().map(|heading| (heading.clone(), heading.clone())).collect();
        }
        let complaint = json::descriptor::<Complaint>()?;
        // Constants first, so that a cell that names its currency is believed.
        let constants = constants.into_iter().map(|(field, value)| (field, From::Constant(value)));
        let columns = columns.into_iter().map(|(field, heading)| {
            let column = column(headings, &field, &heading)?;
            Ok((field, From::Column(column)))
        });
        let columns = columns.collect::<anyhow::Result<Vec<_>>>()?;
        let mut fields = Vec::new();
        for (name, from) in constants.chain(columns) {
            let values = values.remove(&name).unwrap_or_default();
            fields.push(Field { target: target(&complaint, &name)?, name, from, values });
        }
        let separator = evidence.separator;
        Ok(Fitted { complaint, fields, writing, separator, country, headings: headings.to_vec() })
    }
}

/// The column of a heading, which must be one.
fn column(headings: &[String], field: &str, heading: &str) -> anyhow::Result<usize> {
    let mut found = headings.iter().enumerate().filter(|(_, known)| *known == heading);
    let (column, _) = found
        .next()
        .with_context(|| format!("the file has no column {heading:?}, which {field} is to come from"))?;
    ensure!(found.next().is_none(), "the file has two columns {heading:?}: {field} can come from one");
    Ok(column)
}

/// What a field such as `complaint.complainant.email` names.
fn target(complaint: &MessageDescriptor, field: &str) -> anyhow::Result<Target> {
    let below = field.strip_prefix(ROOT).unwrap_or(field);
    match Part::named(below) {
        Some(part) => part.map(Target::Evidence),
        None => path(complaint, field).map(Target::Path),
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
        !complaint.recorder.is_empty(),
        !complaint.filled_fields.is_empty(),
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

/// What a field sets.
#[derive(Debug)]
enum Target {
    /// The descriptors on the way to it.
    Path(Vec<FieldDescriptor>),
    Evidence(Part),
}

#[derive(Debug)]
struct Field {
    name: String,
    target: Target,
    from: From,
    values: BTreeMap<String, String>,
}

/// A mapping fitted to a file.
#[derive(Debug)]
pub struct Fitted {
    complaint: MessageDescriptor,
    fields: Vec<Field>,
    writing: Writing,
    separator: Option<String>,
    country: Option<String>,
    headings: Vec<String>,
}

/// What a mapping makes of a file: for people to look at.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// The headings, in their order.
    pub headings: Vec<String>,
    /// Fields and the headings they come from.
    pub columns: Vec<(String, String)>,
    /// Fields and the value they have in every row.
    pub constants: Vec<(String, String)>,
    /// Headings that nothing comes from.
    pub ignored: Vec<String>,
    /// The zone of times that name none.
    pub zone: String,
    /// The decimal mark, where the mapping says so.
    pub decimal: Option<char>,
    /// The currency of sums that name none.
    pub currency: Option<String>,
    /// The country of telephone numbers.
    pub country: Option<String>,
}

impl Fitted {
    /// The complaint a row of cells is, or everything that is wrong with its cells.
    ///
    /// # Errors
    ///
    /// Fails with everything that is wrong with them.
    pub fn complaint(&self, cells: &[String]) -> Result<Complaint, Vec<Problem>> {
        let mut complaint = DynamicMessage::new(self.complaint.clone());
        let (mut offered, mut problems) = (Offered::default(), Vec::new());
        for field in &self.fields {
            let cell = match &field.from {
                From::Column(column) => cells.get(*column).map_or("", String::as_str),
                From::Constant(value) => value,
            };
            let cell = field.values.get(cell.trim()).map_or(cell, String::as_str);
            if cell.trim().is_empty() {
                continue;
            }
            match &field.target {
                Target::Evidence(part) => offered.add(*part, cell, self.separator.as_deref()),
                Target::Path(path) => {
                    let Some((last, parents)) = path.split_last() else { continue };
                    let cell = Cell { text: cell, writing: &self.writing };
                    let wrong = set(&mut complaint, parents, last, &cell).err();
                    problems.extend(wrong.map(|wrong| self.placed(field, wrong)));
                }
            }
        }
        let read = complaint.transcode_to::<Complaint>();
        let mut complaint = read.map_err(|error| vec![Problem::of_row(Kind::Cells, error.to_string())])?;
        problems.extend(offered.give(&mut complaint).err());
        if !problems.is_empty() {
            return Err(problems);
        }
        if let Some(sought) = &mut complaint.remedy_sought {
            // A currency alone, the same for every row, is no sum.
            sought.amount = sought.amount.take().filter(|sum| (sum.units, sum.nanos) != (0, 0));
        }
        complaint.remedy_sought = complaint.remedy_sought.filter(|sought| *sought != RemedySought::default());
        Ok(complaint)
    }

    /// A problem with its place.
    fn placed(&self, field: &Field, problem: Problem) -> Problem {
        let column = match &field.from {
            From::Column(column) => self.headings.get(*column).cloned(),
            From::Constant(_) => None,
        };
        Problem { field: Some(field.name.clone()), column, ..problem }
    }

    /// What becomes of the file's columns.
    pub fn plan(&self) -> Plan {
        let mut plan = Plan {
            zone: self.writing.times.zone().iana_name().unwrap_or("UTC").to_owned(),
            decimal: self.writing.mark.map(Mark::as_char),
            currency: self.writing.currency.clone(),
            country: self.country.clone(),
            headings: self.headings.clone(),
            ..Plan::default()
        };
        let mut taken = vec![false; self.headings.len()];
        for Field { name, from, .. } in &self.fields {
            match from {
                From::Constant(value) => plan.constants.push((name.clone(), value.clone())),
                From::Column(column) => {
                    taken[*column] = true;
                    plan.columns.push((name.clone(), self.headings[*column].clone()));
                }
            }
        }
        let ignored = self.headings.iter().zip(taken).filter(|(_, taken)| !taken);
        plan.ignored = ignored.map(|(heading, _)| heading.clone()).collect();
        plan
    }

    /// The field a column becomes, and its heading.
    pub(super) fn of_column(&self, column: usize) -> (Option<String>, Option<String>) {
        let comes_from = |field: &&Field| matches!(field.from, From::Column(from) if from == column);
        let field = self.fields.iter().find(comes_from).map(|field| field.name.clone());
        (field, self.headings.get(column).cloned())
    }
}

fn set(
    message: &mut DynamicMessage,
    parents: &[FieldDescriptor],
    last: &FieldDescriptor,
    cell: &Cell<'_>,
) -> Result<(), Problem> {
    match parents.split_first() {
        None => cell.set(message, last),
        Some((parent, parents)) => match message.get_field_mut(parent).as_message_mut() {
            Some(message) => set(message, parents, last, cell),
            None => Ok(()),
        },
    }
}
