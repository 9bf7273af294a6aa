//! File drops, and the files that were put into them.

use proto::redress::intake::v1::{
    Channel, DroppedFile, DroppedFileState, DroppedRowProblem, FileDrop, FileDropPlace, FileDropState,
    ListDroppedFilesResponse, ListFileDropsResponse, TriedHeading, TriedRow, TryDropMappingResponse,
};

use super::none_of;
use crate::lines::time;
use crate::table::{Table, facts};
use crate::words::word;

/// One drop, with its mapping.
pub fn file_drop(one: &FileDrop) -> String {
    let silent = one.silent_after.map(|after| format!("{} h", after.seconds / 3_600));
    facts(&[
        ("file drop", one.file_drop_id.clone()),
        ("version", one.version.to_string()),
        ("lies in", place(one)),
        ("channel", word::<Channel>(one.channel)),
        ("authority", one.authority.clone()),
        ("owner", one.owner.clone()),
        ("language", one.language.clone()),
        ("sheet", one.sheet.clone()),
        ("encoding", one.encoding.clone()),
        ("separator", one.separator.clone()),
        ("may be silent for", silent.unwrap_or_default()),
        ("state", word::<FileDropState>(one.state)),
        ("cannot be looked into because", joined(&one.error_reason, &one.error)),
        ("since", time(one.error_time.as_ref())),
        ("latest file", time(one.last_file_time.as_ref())),
        ("looked into", time(one.look_time.as_ref())),
        ("changed by", one.updater.clone()),
        ("changed", time(one.update_time.as_ref())),
        ("mapping", one.mapping.clone()),
    ])
}

fn place(one: &FileDrop) -> String {
    format!("the {} {}", word::<FileDropPlace>(one.place), one.path)
}

fn joined(reason: &str, words: &str) -> String {
    if words.is_empty() { reason.to_owned() } else { format!("{reason}: {words}") }
}

/// All drops.
pub fn file_drops(list: &ListFileDropsResponse) -> String {
    if list.file_drops.is_empty() {
        return none_of("file drops", "");
    }
    let mut table = Table::new(["file drop", "lies in", "channel", "state", "latest file", "owner", "why"]);
    for one in &list.file_drops {
        table.row([
            one.file_drop_id.clone(),
            place(one),
            word::<Channel>(one.channel),
            word::<FileDropState>(one.state),
            time(one.last_file_time.as_ref()),
            one.owner.clone(),
            one.error_reason.clone(),
        ]);
    }
    table.render()
}

/// One file: how far it is, what its rows became, and the first problems.
pub fn dropped_file(one: &DroppedFile) -> String {
    let version = Some(one.file_drop_version).filter(|version| *version > 0);
    facts(&[
        ("file", one.dropped_file_id.clone()),
        ("name", one.file_name.clone()),
        ("file drop", one.file_drop_id.clone()),
        ("read by its version", version.map(|version| version.to_string()).unwrap_or_default()),
        ("bytes", one.size_bytes.to_string()),
        ("SHA-256", one.sha256.clone()),
        ("state", word::<DroppedFileState>(one.state)),
        ("because", joined(&one.reason, &one.error)),
        ("rows", format!("{} of {} read", one.read_count, one.row_count)),
        ("registered", one.registered_count.to_string()),
        ("registered before", one.registered_before_count.to_string()),
        ("refused", one.refused_count.to_string()),
        ("noted", time(one.note_time.as_ref())),
        ("ended", time(one.end_time.as_ref())),
        ("first problems", problems(&one.first_problems)),
    ])
}

fn problems(first: &[DroppedRowProblem]) -> String {
    let line = |DroppedRowProblem { row, reason, field, problem }: &DroppedRowProblem| {
        let field = if field.is_empty() { String::new() } else { format!("{field}: ") };
        format!("row {row} {reason} {field}{problem}")
    };
    first.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// How a file would be read: its headings, its first rows, and the first problems.
pub fn drop_trial(one: &TryDropMappingResponse) -> String {
    let heading = |TriedHeading { heading, fields }: &TriedHeading| {
        let fields = if fields.is_empty() { "not imported".to_owned() } else { fields.join(", ") };
        format!("{heading} -> {fields}")
    };
    let always = one.constants.iter().map(|one| format!("always {} -> {}", one.value, one.field));
    let headings = one.headings.iter().map(heading).chain(always).collect::<Vec<_>>();
    let row = |TriedRow { row, values }: &TriedRow| {
        let values = values.iter().map(|one| format!("\n  {}: {}", one.field, one.value));
        format!("row {row}{}", values.collect::<String>())
    };
    let more = if one.has_more_rows { "the first " } else { "" };
    facts(&[
        ("would be refused because", one.refused_because.clone()),
        ("encoding", one.encoding.clone()),
        ("separator", one.separator.clone()),
        ("sheet", one.sheet.clone()),
        ("headings", headings.join("\n")),
        ("times without a zone", one.time_zone.clone()),
        ("decimal mark", one.decimal_mark.clone()),
        ("currency", one.currency.clone()),
        ("telephone numbers of", one.phone_country.clone()),
        ("rows", format!("{more}{} read, {} would be refused", one.row_count, one.refused_count)),
        ("first rows", one.first_rows.iter().map(row).collect::<Vec<_>>().join("\n")),
        ("first problems", problems(&one.first_problems)),
    ])
}

/// Files, a line each.
pub fn dropped_files(list: &ListDroppedFilesResponse) -> String {
    if list.dropped_files.is_empty() {
        return none_of("dropped files", &list.next_page_token);
    }
    let mut table = Table::new(["file", "noted", "file drop", "state", "rows", "refused", "name", "why"]);
    for one in &list.dropped_files {
        table.row([
            one.dropped_file_id.clone(),
            time(one.note_time.as_ref()),
            one.file_drop_id.clone(),
            word::<DroppedFileState>(one.state),
            format!("{}/{}", one.read_count, one.row_count),
            one.refused_count.to_string(),
            one.file_name.clone(),
            one.reason.clone(),
        ]);
    }
    table.render()
}

#[cfg(test)]
mod tests {
    use proto::redress::intake::v1::TriedValue;

    use super::*;

    #[test]
    fn a_drop_says_where_it_is_and_why_it_cannot_be_looked_into() {
        let one = FileDrop {
            file_drop_id: "acme".to_owned(),
            place: FileDropPlace::Folder.into(),
            path: "partners/acme".to_owned(),
            channel: Channel::Partner.into(),
            state: FileDropState::Failing.into(),
            error_reason: "FOLDER_MISSING".to_owned(),
            error: "development/partners: not there".to_owned(),
            ..FileDrop::default()
        };
        let text = file_drop(&one);
        assert!(text.contains("the folder partners/acme") && text.contains("partner"), "{text}");
        assert!(text.contains("FOLDER_MISSING: development/partners: not there"), "{text}");
        let row = file_drops(&ListFileDropsResponse { file_drops: vec![one] });
        assert!(row.contains("failing") && row.contains("FOLDER_MISSING"), "{row}");
        assert!(file_drops(&ListFileDropsResponse::default()).contains("no file drops"));
    }

    #[test]
    fn a_trial_says_what_becomes_of_headings_and_of_rows() {
        let heading = |heading: &str, fields: &[&str]| TriedHeading {
            heading: heading.to_owned(),
            fields: fields.iter().map(|field| (*field).to_owned()).collect(),
        };
        let value =
            |field: &str, value: &str| TriedValue { field: field.to_owned(), value: value.to_owned() };
        let one = TryDropMappingResponse {
            encoding: "gb18030".to_owned(),
            headings: vec![heading("标题", &["subject"]), heading("备注", &[])],
            constants: vec![value("complainant.name", "n/a")],
            first_rows: vec![TriedRow { row: 1, values: vec![value("subject", "晚了")] }],
            row_count: 3,
            refused_count: 2,
            has_more_rows: true,
            ..TryDropMappingResponse::default()
        };
        let text = drop_trial(&one);
        for line in [
            "标题 -> subject",
            "备注 -> not imported",
            "always n/a -> complainant.name",
            "the first 3 read, 2 would be refused",
            "subject: 晚了",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
        assert!(!text.contains("would be refused because"), "{text}");
    }

    #[test]
    fn a_file_says_what_its_rows_became() {
        let problem = DroppedRowProblem {
            row: 7,
            reason: "INVALID_COMPLAINT".to_owned(),
            field: "complaint.subject".to_owned(),
            problem: "is required".to_owned(),
        };
        let one = DroppedFile {
            file_name: "a.csv".to_owned(),
            state: DroppedFileState::Reading.into(),
            row_count: 9,
            read_count: 8,
            refused_count: 1,
            first_problems: vec![problem],
            ..DroppedFile::default()
        };
        let text = dropped_file(&one);
        assert!(text.contains("8 of 9 read"), "{text}");
        assert!(text.contains("row 7 INVALID_COMPLAINT complaint.subject: is required"), "{text}");
        let list = ListDroppedFilesResponse { dropped_files: vec![one], next_page_token: String::new() };
        assert!(dropped_files(&list).contains("8/9"), "{}", dropped_files(&list));
        assert!(dropped_files(&ListDroppedFilesResponse::default()).contains("no dropped files"));
    }
}
