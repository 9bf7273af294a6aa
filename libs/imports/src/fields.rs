//! What a file can say of a complaint: every heading there is, read off the contract.

use prost_reflect::prost_types::FileDescriptorProto;
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};
use proto::redress::intake::v1::{Complaint, Evidence};
use show::json;
use show::table::Table;

use super::mapping::{GIVEN, Part, is_one_cell, written};

/// What every heading may begin with.
const ROOT: &str = "complaint.";

/// How files, headings and mappings are written; with every heading there is.
///
/// # Errors
///
/// Fails if the contracts cannot be read.
pub fn format() -> anyhow::Result<String> {
    let mut table = Table::new(["HEADING", "WRITTEN AS", "WHAT IT IS"]);
    for (name, field) in all()? {
        let said = comment(field.parent_file().file_descriptor_proto(), field.path());
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        table.row([name, kind(&field), said]);
    }
    Ok(format!("{}\n{}", include_str!("format.md"), table.render()))
}

/// Every heading there is, with and without `complaint.` before it.
pub(super) fn names() -> anyhow::Result<Vec<String>> {
    let names = all()?.into_iter().map(|(name, _)| name);
    Ok(names.flat_map(|name| [name.trim_start_matches(ROOT).to_owned(), name]).collect())
}

/// Every field that can be imported, by its heading.
fn all() -> anyhow::Result<Vec<(String, FieldDescriptor)>> {
    let mut found = Vec::new();
    list(&mut found, ROOT, &json::descriptor::<Complaint>()?);
    let evidence = json::descriptor::<Evidence>()?;
    for (name, _) in Part::ALL {
        let field = name.rsplit('.').next().and_then(|field| evidence.get_field_by_name(field));
        found.extend(field.map(|field| (format!("{ROOT}{name}"), field)));
    }
    Ok(found)
}

fn list(found: &mut Vec<(String, FieldDescriptor)>, root: &str, message: &MessageDescriptor) {
    for field in message.fields().filter(|field| !field.is_list() && !GIVEN.contains(&field.name())) {
        let name = format!("{root}{}", field.name());
        match field.kind().as_message().filter(|kind| !is_one_cell(kind)) {
            Some(below) => list(found, &format!("{name}."), below),
            None => found.push((name, field)),
        }
    }
}

fn kind(field: &FieldDescriptor) -> String {
    match field.kind() {
        Kind::Bool => "true or false".to_owned(),
        Kind::Int32 | Kind::Int64 => "a whole number".to_owned(),
        Kind::Enum(kind) => {
            let names = kind.values().map(|value| value.name().to_owned()).collect::<Vec<_>>();
            let prefix = names.first().map_or("", |first| first.trim_end_matches("UNSPECIFIED"));
            names.iter().skip(1).map(|name| written(name, prefix)).collect::<Vec<_>>().join(", ")
        }
        Kind::Message(kind) if kind.name() == "Money" => "a sum: CNY 128.50".to_owned(),
        Kind::Message(_) => "a time".to_owned(),
        _ => "text".to_owned(),
    }
}

/// What the contract says of a place in it.
pub(super) fn comment(file: &FileDescriptorProto, path: &[i32]) -> String {
    let places = file.source_code_info.iter().flat_map(|info| &info.location);
    let mut said =
        places.filter(|place| place.path == path).filter_map(|place| place.leading_comments.clone());
    said.next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Mapping;

    #[test]
    fn every_heading_that_is_told_can_be_used() {
        let told = format().unwrap();
        let (_, table) = told.split_once("HEADING  ").unwrap();
        let headings: Vec<String> = table
            .lines()
            .filter_map(|line| line.split_whitespace().next().filter(|word| word.starts_with("complaint.")))
            .map(str::to_owned)
            .collect();
        assert!(headings.len() > 30, "{headings:?}");
        for wanted in [
            "complaint.channel",
            "complaint.history.close_time",
            "complaint.remedy_sought.amount",
            "complaint.evidence.attachment_id",
        ] {
            assert!(headings.iter().any(|heading| heading == wanted), "{wanted}");
        }
        Mapping::default().fit(&headings).unwrap();
        assert!(told.contains("phone, chat, in-app, email, web"), "{told}");
    }
}
