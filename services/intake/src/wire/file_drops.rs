//! Proto ⇄ domain: file drops and the files that were put into them.

use std::time::Duration;

use fault::{Check, Fault};
use jiff::Timestamp;
use kernel::page::Page;
use proto::redress::intake::v1 as wire;
use proto::timestamp;
use uuid::Uuid;

use super::MAX_WORD;
use crate::dropped_file::{DroppedFile, Filter, Problem, State as FileState, hex};
use crate::file_drop::{FileDrop, MAX_SILENT, On, Place, Settings, Tried, is_path};

const INVALID_FILE_DROP: &str = "INVALID_FILE_DROP";
const INVALID_FILE_DROP_ID: &str = "INVALID_FILE_DROP_ID";
/// Longest mapping.
const MAX_MAPPING: usize = 65_536;
/// Largest sample.
const MAX_SAMPLE: usize = 2 << 20;

/// A drop as somebody wants it.
#[derive(Debug)]
pub(crate) struct Setting {
    pub(crate) settings: Settings,
    pub(crate) expected: Option<i64>,
}

/// Reads how a drop is to be. A mapping is looked at as a whole, which takes milliseconds.
pub(crate) fn setting(request: wire::SetFileDropRequest) -> Result<Setting, Fault> {
    let wire::SetFileDropRequest { request_id, file_drop, expected_version: expected } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    check.ensure(file_drop.is_some(), "file_drop", "is required");
    check.ensure(expected.is_none_or(|seen| seen >= 0), "expected_version", "must not be negative");
    let settings = settings(&mut check, file_drop.unwrap_or_default());
    check.done(INVALID_FILE_DROP)?;
    Ok(Setting { settings, expected })
}

fn settings(check: &mut Check, file_drop: wire::FileDrop) -> Settings {
    let wire::FileDrop {
        file_drop_id,
        place,
        path,
        channel,
        authority,
        mapping,
        sheet,
        encoding,
        separator,
        owner,
        language,
        silent_after,
        paused,
        // Output only, as is what follows.
        state: _,
        error_reason: _,
        error: _,
        error_time: _,
        last_file_time: _,
        look_time: _,
        version: _,
        update_time: _,
        updater: _,
    } = file_drop;
    let known = wire::FileDropPlace::try_from(place);
    check.ensure(known.is_ok(), "file_drop.place", "must be one of the kinds of places");
    check.ensure(
        is_path(&path),
        "file_drop.path",
        "must be letters, digits, dots, dashes and underscores between slashes, no part beginning with a dot, \
         at most 200",
    );
    let reading = Reading { mapping, sheet, encoding, separator, channel, authority, language };
    let read = checked_reading(check, "file_drop.", reading);
    let silent = Duration::ZERO..=MAX_SILENT;
    let silent_after = check.duration("file_drop.silent_after", silent_after, silent, "0 s to 90 d");
    Settings {
        id: check.slug("file_drop.file_drop_id", file_drop_id),
        place: match known {
            Ok(wire::FileDropPlace::Bucket) => Place::Bucket,
            _ => Place::Folder,
        },
        path,
        owner: check.required("file_drop.owner", owner, MAX_WORD),
        silent_after: silent_after.filter(|after| !after.is_zero()),
        paused,
        ..read
    }
}

/// How files are read, as somebody wants it.
struct Reading {
    mapping: String,
    sheet: String,
    encoding: String,
    separator: String,
    channel: i32,
    authority: String,
    language: String,
}

/// The settings of a drop that say how its files are read; fields are named below a root.
fn checked_reading(check: &mut Check, root: &str, reading: Reading) -> Settings {
    let Reading { mapping, sheet, encoding, separator, channel, authority, language } = reading;
    let field = |name: &str| format!("{root}{name}");
    let known = wire::Channel::try_from(channel);
    check.ensure(known.is_ok(), &field("channel"), "must be one of the channels");
    let stated = known.ok().filter(|channel| *channel != wire::Channel::Unspecified);
    let channel = stated.unwrap_or(wire::Channel::Partner);
    let is_regulator = channel == wire::Channel::Regulator;
    let authority_field = field("authority");
    check.ensure(is_regulator || authority.is_empty(), &authority_field, "is for the channel of regulators");
    Settings {
        channel: i16::try_from(i32::from(channel)).unwrap_or(0),
        authority: check.text(&authority_field, authority, MAX_WORD),
        mapping: checked_mapping(check, &field("mapping"), mapping),
        sheet: check.text(&field("sheet"), sheet, MAX_WORD),
        encoding: checked(check, &field("encoding"), encoding, |name| {
            imports::encoding_named(name).map(drop)
        }),
        separator: checked(check, &field("separator"), separator, |name| {
            imports::separator_named(name).map(drop)
        }),
        language: check.language(&field("language"), language),
        id: String::new(),
        place: Place::Folder,
        path: String::new(),
        owner: String::new(),
        silent_after: None,
        paused: false,
    }
}

fn checked_mapping(check: &mut Check, field: &str, mapping: String) -> String {
    let mapping = check.text(field, mapping, MAX_MAPPING);
    if mapping.chars().count() <= MAX_MAPPING
        && let Err(error) = imports::Mapping::check(&mapping)
    {
        // Errors of TOML show where they are, over several lines.
        let words = format!("{error:#}").split_whitespace().collect::<Vec<_>>().join(" ");
        check.fail(field, words.chars().take(MAX_WORDS).collect::<String>());
    }
    mapping
}

/// Longest words of what is wrong with a mapping.
const MAX_WORDS: usize = 500;

/// A name that may be empty, and must be known otherwise.
fn checked(
    check: &mut Check,
    field: &str,
    name: String,
    known: impl Fn(&str) -> Result<(), String>,
) -> String {
    let name = check.text(field, name, MAX_WORD);
    if let Some(Err(wrong)) = Some(&name).filter(|name| !name.is_empty()).map(|name| known(name)) {
        check.fail(field, wrong);
    }
    name
}

/// Reads which drop is wanted.
pub(crate) fn file_drop_id(request: wire::GetFileDropRequest) -> Result<String, Fault> {
    let wire::GetFileDropRequest { file_drop_id } = request;
    let mut check = Check::new();
    let id = check.slug("file_drop_id", file_drop_id);
    check.done(INVALID_FILE_DROP_ID)?;
    Ok(id)
}

/// Reads which drop is to be forgotten.
pub(crate) fn deleted(request: wire::DeleteFileDropRequest) -> Result<(String, Option<i64>), Fault> {
    let wire::DeleteFileDropRequest { request_id, file_drop_id, expected_version } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let id = check.slug("file_drop_id", file_drop_id);
    check.done(INVALID_FILE_DROP_ID)?;
    Ok((id, expected_version))
}

/// A drop as it is shown.
pub(crate) fn file_drop(file_drop: FileDrop, now: Timestamp) -> wire::FileDrop {
    let state = file_drop.state(now);
    let FileDrop { settings, version, updater, updated, looked, last_file, failure, .. } = file_drop;
    let Settings {
        id,
        place,
        path,
        channel,
        authority,
        mapping,
        sheet,
        encoding,
        separator,
        owner,
        language,
        silent_after,
        paused,
    } = settings;
    let (error_reason, error, since) =
        failure.map(|one| (one.reason, one.words, Some(timestamp(one.since)))).unwrap_or_default();
    wire::FileDrop {
        file_drop_id: id,
        place: i32::from(place.number()),
        path,
        channel: i32::from(channel),
        authority,
        mapping,
        sheet,
        encoding,
        separator,
        owner,
        language,
        silent_after: silent_after.and_then(|after| after.try_into().ok()),
        paused,
        state: i32::from(state.number()),
        error_reason,
        error,
        error_time: since,
        last_file_time: last_file.map(timestamp),
        look_time: looked.map(timestamp),
        version,
        update_time: Some(timestamp(updated)),
        updater,
    }
}

/// Reads how a file is to be tried, and which. A mapping is looked at as a whole, which takes
/// milliseconds.
pub(crate) fn trial(request: wire::TryDropMappingRequest) -> Result<(Settings, On), Fault> {
    let wire::TryDropMappingRequest {
        mapping,
        sheet,
        encoding,
        separator,
        channel,
        authority,
        language,
        sample,
        file_name,
        dropped_file_id,
    } = request;
    let mut check = Check::new();
    let reading = Reading { mapping, sheet, encoding, separator, channel, authority, language };
    let settings = checked_reading(&mut check, "", reading);
    let kept = check.optional_id("dropped_file_id", &dropped_file_id);
    let is_one = sample.is_empty() != dropped_file_id.is_empty();
    check.ensure(is_one, "sample", "is required, or dropped_file_id, and not both");
    check.ensure(sample.len() <= MAX_SAMPLE, "sample", "must have at most 2097152 bytes");
    let needs_name = !sample.is_empty();
    check.ensure(needs_name != file_name.is_empty(), "file_name", "is required with a sample, and is for it");
    let file_name = check.text("file_name", file_name, MAX_WORD);
    check.done("INVALID_DROP_TRIAL")?;
    Ok((settings, kept.map_or_else(|| On::Sample(file_name, sample), On::Kept)))
}

/// How a file would be read, as it is shown.
pub(crate) fn tried(tried: Tried) -> wire::TryDropMappingResponse {
    let Tried { refused, layout, first_rows, problems, rows, refused_rows, has_more } = tried;
    let imports::Layout { encoding, separator, sheet, rows: _, plan } = layout;
    let plan = plan.unwrap_or_default();
    let value = |(field, value)| wire::TriedValue { field, value };
    let fields = |heading: &str| {
        let columns = plan.columns.iter().filter(|(_, from)| from == heading);
        columns.map(|(field, _)| field.clone()).collect()
    };
    let heading = |heading: &String| wire::TriedHeading { fields: fields(heading), heading: heading.clone() };
    let row = |(number, values): (u64, Vec<(String, String)>)| wire::TriedRow {
        row: count(number),
        values: values.into_iter().map(value).collect(),
    };
    wire::TryDropMappingResponse {
        refused_because: refused.unwrap_or_default(),
        encoding: encoding.map(|(encoding, _)| encoding.name().to_lowercase()).unwrap_or_default(),
        separator: match separator {
            Some(b'\t') => "tab".to_owned(),
            other => other.map(|byte| char::from(byte).to_string()).unwrap_or_default(),
        },
        sheet: sheet.unwrap_or_default(),
        headings: plan.headings.iter().map(heading).collect(),
        time_zone: plan.zone.clone(),
        decimal_mark: plan.decimal.map(String::from).unwrap_or_default(),
        currency: plan.currency.clone().unwrap_or_default(),
        phone_country: plan.country.clone().unwrap_or_default(),
        constants: plan.constants.iter().cloned().map(value).collect(),
        first_rows: first_rows.into_iter().map(row).collect(),
        first_problems: problems.into_iter().map(problem).collect(),
        row_count: count(rows),
        refused_count: count(refused_rows),
        has_more_rows: has_more,
    }
}

fn count(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn problem(Problem { row, refusal }: Problem) -> wire::DroppedRowProblem {
    wire::DroppedRowProblem {
        row: count(row),
        reason: refusal.reason,
        field: refusal.field,
        problem: refusal.problem,
    }
}

/// What a list of files asks for.
pub(crate) struct List {
    pub(crate) page: Page,
    pub(crate) filter: Filter,
    pub(crate) before: Option<Uuid>,
}

/// Reads what a list of files asks for.
pub(crate) fn list(request: wire::ListDroppedFilesRequest) -> Result<List, Fault> {
    let wire::ListDroppedFilesRequest { page_size, page_token, file_drop_id, state } = request;
    let mut check = Check::new();
    let page = check.page(page_size, &page_token, &format!("{file_drop_id} {state}"));
    let before = page.after.as_deref().and_then(|key| check.optional_id("page_token", key));
    let drop_id = check.optional_slug("file_drop_id", file_drop_id);
    check.ensure(wire::DroppedFileState::try_from(state).is_ok(), "state", "must be one of the states");
    check.done("INVALID_LIST")?;
    let state = i16::try_from(state).ok().and_then(FileState::of);
    Ok(List { page, filter: Filter { drop_id, state }, before })
}

/// Reads which file is wanted.
pub(crate) fn dropped_file_id(request: &wire::GetDroppedFileRequest) -> Result<Uuid, Fault> {
    let mut check = Check::new();
    let id = check.id("dropped_file_id", &request.dropped_file_id);
    check.done("INVALID_DROPPED_FILE_ID")?;
    Ok(id)
}

/// A file as it is shown.
pub(crate) fn dropped_file(file: DroppedFile) -> wire::DroppedFile {
    wire::DroppedFile {
        dropped_file_id: file.id.to_string(),
        file_drop_id: file.drop_id,
        file_name: file.lying.name,
        size_bytes: count(file.lying.size),
        sha256: file.sha256.map(|sha256| hex(&sha256)).unwrap_or_default(),
        state: i32::from(file.state.number()),
        row_count: count(file.rows.unwrap_or(0)),
        read_count: count(file.counts.read),
        registered_count: count(file.counts.registered),
        registered_before_count: count(file.counts.known),
        refused_count: count(file.counts.refused),
        reason: file.reason,
        error: file.error,
        first_problems: file.problems.into_iter().map(problem).collect(),
        file_drop_version: file.drop_version,
        note_time: Some(timestamp(file.noted)),
        end_time: file.ended.map(timestamp),
    }
}
