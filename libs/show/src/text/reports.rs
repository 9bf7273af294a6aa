//! Reports, and when they are made by themselves.

use proto::redress::feedback::v1::{
    ListReportsResponse, Report, ReportFormat, ReportLength, ReportSchedules, ReportState,
};

use super::{more, none_of};
use crate::lines::time;
use crate::table::{Table, facts};
use crate::words::word;

/// A page of reports.
pub fn reports(list: &ListReportsResponse) -> String {
    if list.reports.is_empty() {
        return none_of("reports", &list.next_page_token);
    }
    let mut table = Table::new(["report", "of", "from", "until", "state", "made", "asked for", "by"]);
    for report in &list.reports {
        table.row([
            report.report_id.clone(),
            word::<ReportLength>(report.length),
            report.start_date.clone(),
            report.end_date.clone(),
            word::<ReportState>(report.state),
            format!("{} of {}", report.parts_done, report.parts_total),
            time(report.create_time.as_ref()),
            creator(report),
        ]);
    }
    table.render() + &more(&list.next_page_token)
}

fn creator(report: &Report) -> String {
    if report.creator.is_empty() { "the schedule".to_owned() } else { report.creator.clone() }
}

fn formats(formats: &[i32]) -> String {
    formats.iter().map(|format| word::<ReportFormat>(*format)).collect::<Vec<_>>().join(", ")
}

/// One report, and its files.
pub fn report(report: &Report) -> String {
    let head = facts(&[
        ("report", report.report_id.clone()),
        ("of a", word::<ReportLength>(report.length)),
        ("from", report.start_date.clone()),
        ("until", report.end_date.clone()),
        ("languages", report.languages.join(", ")),
        ("formats", formats(&report.formats)),
        ("state", word::<ReportState>(report.state)),
        ("parts made", format!("{} of {}", report.parts_done, report.parts_total)),
        ("figures as of", time(report.as_of_time.as_ref())),
        ("asked for", time(report.create_time.as_ref())),
        ("by", creator(report)),
        ("ended", time(report.finish_time.as_ref())),
        ("failure", report.failure.clone()),
    ]);
    if report.files.is_empty() {
        return head;
    }
    let mut table = Table::new(["file", "bytes", "sha-256"]);
    for file in &report.files {
        table.row([file.name.clone(), file.size_bytes.to_string(), file.sha256.clone()]);
    }
    format!("{head}\n{}", table.render())
}

/// Which reports are made by themselves.
pub fn report_schedules(schedules: &ReportSchedules) -> String {
    let head = facts(&[("version", schedules.version.to_string()), ("note", schedules.note.clone())]);
    if schedules.schedules.is_empty() {
        return format!("{head}no reports are made by themselves\n");
    }
    let mut table = Table::new(["of each", "languages", "formats", "days after its end"]);
    for schedule in &schedules.schedules {
        table.row([
            word::<ReportLength>(schedule.length),
            schedule.languages.join(", "),
            formats(&schedule.formats),
            schedule.after_days.to_string(),
        ]);
    }
    format!("{head}\n{}", table.render())
}
