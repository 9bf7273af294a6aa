//! Reports: what is asked for, how they are shown, when they are made by themselves.

use fault::{Check, Fault};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use kernel::page::Page;
use proto::redress::feedback::v1 as wire;
use proto::timestamp;
use uuid::Uuid;

use super::INVALID_REQUEST;
use super::surveys::within;
use crate::report::{
    Definition, File, Format, Language, Length, MAX_AFTER_DAYS, Report, Schedule, Schedules, Term,
};
use crate::revision::MAX_NOTE;

/// Reason of a report that cannot be.
const INVALID_REPORT: &str = "INVALID_REPORT";
/// Reason of schedules that cannot be.
const INVALID_REPORT_SCHEDULES: &str = "INVALID_REPORT_SCHEDULES";
/// It may be tomorrow somewhere.
const EASTMOST: SignedDuration = SignedDuration::from_hours(14);

/// The report somebody wants.
pub(crate) fn created_report(
    request: wire::CreateReportRequest,
    now: Timestamp,
) -> Result<Definition, Fault> {
    let wire::CreateReportRequest { request_id, length, start_date, languages, formats } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let languages = if languages.is_empty() {
        Language::ALL.to_vec()
    } else {
        languages_of(&mut check, "languages", languages)
    };
    let formats =
        if formats.is_empty() { Format::ALL.to_vec() } else { formats_of(&mut check, "formats", formats) };
    let length = length_of(&mut check, "length", length);
    let start: Option<Date> = (start_date.len() == 10).then(|| start_date.parse().ok()).flatten();
    let start = start.filter(|date| (1900..=2200).contains(&date.year()));
    check.ensure(start.is_some(), "start_date", "must be a day, as `2026-11-01`, from 1900 to 2200");
    let term = length.zip(start).and_then(|(length, start)| Term::new(length, start));
    let is_first = term.is_some() || length.is_none() || start.is_none();
    check.ensure(is_first, "start_date", "must be the first day of a month, quarter or year");
    let today = (now + EASTMOST).to_zoned(TimeZone::UTC).date();
    check.ensure(start.is_none_or(|start| start <= today), "start_date", "must not be in the future");
    check.done(INVALID_REPORT)?;
    let term = term.ok_or_else(|| Fault::internal("a report has no time"))?;
    Ok(Definition { term, languages, formats })
}

fn length_of(check: &mut Check, field: &str, length: i32) -> Option<Length> {
    let known = Length::of(length);
    check.ensure(known.is_some(), field, "must be MONTH, QUARTER or YEAR");
    known
}

fn languages_of(check: &mut Check, field: &str, tags: Vec<String>) -> Vec<Language> {
    let tags = check.some(field, tags, Language::ALL.len());
    let known: Option<Vec<Language>> = tags.iter().map(|tag| Language::of_tag(tag)).collect();
    check.ensure(known.is_some(), field, "must be `en` or `zh`");
    once(check, field, known.unwrap_or_default())
}

fn formats_of(check: &mut Check, field: &str, numbers: Vec<i32>) -> Vec<Format> {
    let numbers = check.some(field, numbers, Format::ALL.len());
    let known: Option<Vec<Format>> = numbers.iter().map(|number| Format::of(*number)).collect();
    check.ensure(known.is_some(), field, "must be HTML, XLSX or CSV");
    once(check, field, known.unwrap_or_default())
}

/// A list in order, that names each once.
fn once<T: Ord>(check: &mut Check, field: &str, mut values: Vec<T>) -> Vec<T> {
    let count = values.len();
    values.sort();
    values.dedup();
    check.ensure(values.len() == count, field, "must name each once");
    values
}

/// Which report is asked for.
pub(crate) fn report_key(request: wire::GetReportRequest) -> Result<Uuid, Fault> {
    let wire::GetReportRequest { report_id } = request;
    let mut check = Check::new();
    let id = check.id("report_id", &report_id);
    check.done(INVALID_REQUEST)?;
    Ok(id)
}

/// Which reports are listed, from where on.
#[derive(Clone, Debug)]
pub(crate) struct ReportListQuery {
    pub(crate) page: Page,
    pub(crate) after: Option<Uuid>,
}

/// A list that is asked for.
pub(crate) fn reports_of(request: wire::ListReportsRequest) -> Result<ReportListQuery, Fault> {
    let wire::ListReportsRequest { page_size, page_token } = request;
    let mut check = Check::new();
    let page = check.page(page_size, &page_token, "");
    check.done(INVALID_REQUEST)?;
    let after = page.after.as_deref().map(str::parse).transpose();
    let after = after.map_err(|_| Fault::invalid_page_token())?;
    Ok(ReportListQuery { page, after })
}

/// Which file is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Download {
    pub(crate) report: Uuid,
    pub(crate) language: Language,
    pub(crate) format: Format,
}

/// A file that is asked for.
pub(crate) fn download(request: wire::DownloadReportRequest) -> Result<Download, Fault> {
    let wire::DownloadReportRequest { report_id, language, format } = request;
    let mut check = Check::new();
    let report = check.id("report_id", &report_id);
    let language = Language::of_tag(&language);
    check.ensure(language.is_some(), "language", "must be `en` or `zh`");
    let format = Format::of(format);
    check.ensure(format.is_some(), "format", "must be HTML, XLSX or CSV");
    check.done(INVALID_REQUEST)?;
    let missing = || Fault::internal("a file has no format");
    let (language, format) = (language.ok_or_else(missing)?, format.ok_or_else(missing)?);
    Ok(Download { report, language, format })
}

/// The schedules somebody wants.
pub(crate) fn wanted_report_schedules(
    request: wire::UpdateReportSchedulesRequest,
) -> Result<(Schedules, i64), Fault> {
    let wire::UpdateReportSchedulesRequest { request_id, expected_version, schedules } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    check.ensure(expected_version >= 0, "expected_version", "must not be negative");
    check.ensure(schedules.is_some(), "schedules", "is required");
    let wire::ReportSchedules { version: _, schedules, note } = schedules.unwrap_or_default();
    let note = check.text("schedules.note", note, MAX_NOTE);
    let schedules = check.list("schedules.schedules", schedules, Length::ALL.len());
    let mut read: Vec<Schedule> = Vec::new();
    for (place, schedule) in schedules.into_iter().enumerate() {
        let wire::ReportSchedule { length, languages, formats, after_days } = schedule;
        let at = |field: &str| format!("schedules.schedules[{place}].{field}");
        let length = length_of(&mut check, &at("length"), length);
        let is_new = length.is_none_or(|length| read.iter().all(|other| other.length != length));
        check.ensure(is_new, &at("length"), "has a schedule already");
        let languages = languages_of(&mut check, &at("languages"), languages);
        let formats = formats_of(&mut check, &at("formats"), formats);
        let after_days = within(&mut check, &at("after_days"), after_days, 0..=MAX_AFTER_DAYS);
        read.extend(length.map(|length| Schedule { length, languages, formats, after_days }));
    }
    check.done(INVALID_REPORT_SCHEDULES)?;
    Ok((Schedules { version: expected_version + 1, schedules: read, note }, expected_version))
}

/// Schedules, as they are told.
pub(crate) fn report_schedules(schedules: Schedules) -> wire::ReportSchedules {
    let Schedules { version, schedules, note } = schedules;
    let one = |schedule: Schedule| {
        let Schedule { length, languages, formats, after_days } = schedule;
        let (languages, formats) = (tags(&languages), numbers(&formats));
        wire::ReportSchedule { length: length.number().into(), languages, formats, after_days }
    };
    wire::ReportSchedules { version, schedules: schedules.into_iter().map(one).collect(), note }
}

fn tags(languages: &[Language]) -> Vec<String> {
    languages.iter().map(|language| language.tag().to_owned()).collect()
}

fn numbers(formats: &[Format]) -> Vec<i32> {
    formats.iter().map(|format| format.number().into()).collect()
}

/// A file, as it is told.
pub(crate) fn report_file(term: Term, file: &File) -> wire::ReportFile {
    let File { language, format, size, sha256 } = file;
    wire::ReportFile {
        name: format!("{}.{}.{}", term.file_name(), language.tag(), format.ending()),
        language: language.tag().to_owned(),
        format: format.number().into(),
        size_bytes: *size,
        sha256: sha256.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}")),
    }
}

/// A report, as it is told.
pub(crate) fn report(report: &Report) -> wire::Report {
    let count = |parts: usize| i32::try_from(parts).unwrap_or(i32::MAX);
    let (done, total) = report.parts();
    let Report { id, definition, state, creator, created, as_of, finished, failure, files } = report;
    let Definition { term, languages, formats } = definition;
    wire::Report {
        report_id: id.to_string(),
        length: term.length.number().into(),
        start_date: term.start.to_string(),
        end_date: term.end().to_string(),
        languages: tags(languages),
        formats: numbers(formats),
        state: state.number().into(),
        parts_done: count(done),
        parts_total: count(total),
        as_of_time: as_of.map(timestamp),
        files: files.iter().map(|file| report_file(*term, file)).collect(),
        create_time: Some(timestamp(*created)),
        creator: creator.clone(),
        finish_time: finished.map(timestamp),
        failure: failure.clone(),
    }
}

#[cfg(test)]
mod tests {
    use proto::redress::intake::v1::Channel;

    use crate::report::word;

    #[test]
    fn each_channel_of_the_contracts_has_a_word_in_reports() {
        let known = (1..100).filter(|number| Channel::try_from(*number).is_ok());
        let worded = (1..100).filter(|number: &i32| word::channel(&number.to_string()).is_some());
        assert_eq!(worded.collect::<Vec<_>>(), known.collect::<Vec<_>>());
    }
}
