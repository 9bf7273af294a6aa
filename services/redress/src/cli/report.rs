//! `redress report …`: reports on a month, a quarter or a year, and when they are made by
//! themselves.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use client::download::DownloadError;
use proto::redress::feedback::v1::report_service_client::ReportServiceClient;
use proto::redress::feedback::v1::{
    CreateReportRequest, DownloadReportRequest, GetReportRequest, GetReportSchedulesRequest,
    ListReportsRequest, Report, ReportFormat, ReportLength, ReportSchedule, ReportState,
    UpdateReportSchedulesRequest,
};

use super::connection::{Caller, Connection, Page};
use show::{self, text, words};

/// How often it is looked how far a report is.
const LOOK: Duration = Duration::from_millis(300);

#[derive(Args)]
pub(crate) struct Reports {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Has a report made, and waits until it is
    Create(Create),
    /// Lists reports, the newest first
    List {
        #[command(flatten)]
        page: Page,
    },
    /// Shows how far a report is, and its files
    Show {
        /// Id of the report
        report_id: String,
    },
    /// Fetches a file of a report
    Download(Download),
    /// Shows which reports are made by themselves, or changes it
    Schedule(Schedule),
}

#[derive(Args)]
struct Create {
    /// Of what: `2026-11`, `2026-Q4` or `2026`
    term: String,
    /// What it is written in: en, zh; both by default
    #[arg(long = "language")]
    languages: Vec<String>,
    /// What it is written as: html, xlsx, csv; all by default
    #[arg(long = "format", value_parser = words::read::<ReportFormat>)]
    formats: Vec<ReportFormat>,
    /// Does not wait until it is made
    #[arg(long)]
    no_wait: bool,
}

#[derive(Args)]
struct Download {
    /// Id of the report
    report_id: String,
    /// The language of the file: en, zh
    #[arg(long, default_value = "en")]
    language: String,
    /// What the file is: html, xlsx, csv
    #[arg(long, default_value = "html", value_parser = words::read::<ReportFormat>)]
    format: ReportFormat,
    /// Where it is written; under its own name in this folder by default
    #[arg(long)]
    out: Option<PathBuf>,
}

#[derive(Args)]
struct Schedule {
    /// Has one made of each: month, quarter, year
    #[arg(long, value_parser = words::read::<ReportLength>)]
    each: Option<ReportLength>,
    /// What it is written in; both by default
    #[arg(long = "language", requires = "each")]
    languages: Vec<String>,
    /// What it is written as; all by default
    #[arg(long = "format", requires = "each", value_parser = words::read::<ReportFormat>)]
    formats: Vec<ReportFormat>,
    /// How many days after the end of its time, 0–28
    #[arg(long, requires = "each", default_value_t = 2)]
    after_days: i32,
    /// Has none made of these any more
    #[arg(long, conflicts_with = "each", value_parser = words::read::<ReportLength>)]
    none_of: Option<ReportLength>,
    /// Why it is so
    #[arg(long, default_value = "")]
    note: String,
}

/// Reads `2026-11`, `2026-Q4` or `2026`: how long it is, and its first day.
fn term(text: &str) -> anyhow::Result<(ReportLength, String)> {
    let wrong =
        || format!("must be a month, quarter or year, as `2026-11`, `2026-Q4` or `2026`, unlike {text:?}");
    let (year, rest) = text.split_once('-').map_or((text, None), |(year, rest)| (year, Some(rest)));
    let is_year = year.len() == 4 && year.bytes().all(|byte| byte.is_ascii_digit());
    if !is_year {
        bail!(wrong());
    }
    let Some(rest) = rest else { return Ok((ReportLength::Year, format!("{year}-01-01"))) };
    if let Some(quarter) = rest.strip_prefix(['Q', 'q']) {
        let quarter: u32 =
            quarter.parse().ok().filter(|quarter| (1..=4).contains(quarter)).with_context(wrong)?;
        return Ok((ReportLength::Quarter, format!("{year}-{:02}-01", quarter * 3 - 2)));
    }
    let month: u32 = rest.parse().ok().filter(|month| (1..=12).contains(month)).with_context(wrong)?;
    Ok((ReportLength::Month, format!("{year}-{month:02}-01")))
}

fn numbers(formats: &[ReportFormat]) -> Vec<i32> {
    formats.iter().map(|format| (*format).into()).collect()
}

impl Create {
    async fn run(self, caller: &Caller) -> anyhow::Result<()> {
        let (length, start_date) = term(&self.term)?;
        let request = CreateReportRequest {
            request_id: caller.request_id(),
            length: length.into(),
            start_date,
            languages: self.languages,
            formats: numbers(&self.formats),
        };
        let mut reports = ReportServiceClient::new(caller.client.calls());
        let made = reports.create_report(request).await?.into_inner().report.unwrap_or_default();
        let report = if self.no_wait { made } else { made_at_last(caller, made).await? };
        show::answer(caller.json, &report, text::report)
    }
}

/// Waits until a report is done or given up, and says how far it is.
async fn made_at_last(caller: &Caller, mut report: Report) -> anyhow::Result<Report> {
    let mut told = -1;
    while matches!(report.state(), ReportState::Pending | ReportState::Running) {
        if !caller.json && report.parts_done != told {
            told = report.parts_done;
            show::say(&format!("{told} of {} parts are made", report.parts_total))?;
        }
        tokio::time::sleep(LOOK).await;
        let request = GetReportRequest { report_id: report.report_id.clone() };
        let mut reports = ReportServiceClient::new(caller.client.calls());
        report = reports.get_report(request).await?.into_inner().report.unwrap_or_default();
    }
    Ok(report)
}

impl Download {
    async fn run(self, caller: &Caller) -> anyhow::Result<()> {
        let Self { report_id, language, format, out } = self;
        let request = DownloadReportRequest { report_id, language, format: format.into() };
        let fetched = client::download::report_file(&caller.client, request).await;
        let (file, bytes) = fetched.map_err(|error| match error {
            // As any refusal, told with its reason.
            DownloadError::Call(status) => anyhow::Error::from(*status),
            other => other.into(),
        })?;
        // A name of the server's is a name, and no way to elsewhere.
        let name = PathBuf::from(file.name.replace(['/', '\\'], "-"));
        let path = out.unwrap_or(name);
        std::fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(show::say(&format!("{} ({} bytes)", path.display(), file.size_bytes))?)
    }
}

impl Schedule {
    /// Changes the schedules there are; whoever changes them meanwhile is noticed.
    async fn run(self, caller: &Caller) -> anyhow::Result<()> {
        let mut reports = ReportServiceClient::new(caller.client.calls());
        let read = reports.get_report_schedules(GetReportSchedulesRequest {}).await?.into_inner();
        let mut schedules = read.schedules.unwrap_or_default();
        let Some(length) = self.each.or(self.none_of) else {
            return show::answer(caller.json, &schedules, text::report_schedules);
        };
        let expected_version = schedules.version;
        schedules.note = self.note;
        schedules.schedules.retain(|schedule| schedule.length() != length);
        if self.each.is_some() {
            let or = |given: Vec<String>, all: [&str; 2]| {
                if given.is_empty() { all.map(str::to_owned).to_vec() } else { given }
            };
            let all = [ReportFormat::Html, ReportFormat::Xlsx, ReportFormat::Csv];
            schedules.schedules.push(ReportSchedule {
                length: length.into(),
                languages: or(self.languages, ["en", "zh"]),
                formats: numbers(if self.formats.is_empty() { &all } else { &self.formats }),
                after_days: self.after_days,
            });
        }
        let request = UpdateReportSchedulesRequest {
            request_id: caller.request_id(),
            expected_version,
            schedules: Some(schedules),
        };
        let answer = reports.update_report_schedules(request).await?.into_inner();
        show::answer(caller.json, &answer.schedules.unwrap_or_default(), text::report_schedules)
    }
}

impl Reports {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let caller = self.connection.open().await?;
        let mut reports = ReportServiceClient::new(caller.client.calls());
        match self.verb {
            Verb::Create(create) => create.run(&caller).await,
            Verb::List { page } => {
                let request = ListReportsRequest { page_size: page.limit, page_token: page.page };
                let answer = reports.list_reports(request).await?.into_inner();
                show::answer(caller.json, &answer, text::reports)
            }
            Verb::Show { report_id } => {
                let answer = reports.get_report(GetReportRequest { report_id }).await?.into_inner();
                show::answer(caller.json, &answer.report.unwrap_or_default(), text::report)
            }
            Verb::Download(download) => download.run(&caller).await,
            Verb::Schedule(schedule) => schedule.run(&caller).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_as_people_write_it() {
        let of = |text: &str| term(text).unwrap();
        assert_eq!(of("2026-11"), (ReportLength::Month, "2026-11-01".to_owned()));
        assert_eq!(of("2026-Q4"), (ReportLength::Quarter, "2026-10-01".to_owned()));
        assert_eq!(of("2026-q1"), (ReportLength::Quarter, "2026-01-01".to_owned()));
        assert_eq!(of("2026"), (ReportLength::Year, "2026-01-01".to_owned()));
        for wrong in ["", "26", "2026-13", "2026-Q5", "2026-Q", "2026-0", "soon", "2026-11-01"] {
            assert!(term(wrong).is_err(), "{wrong}");
        }
    }
}
