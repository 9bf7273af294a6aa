//! Reports of a month, a quarter or a year: asked for, and fetched as files.

use askama::Template;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use bytes::Bytes;
use futures::StreamExt as _;
use http::{HeaderValue, StatusCode, header};
use jiff::ToSpan as _;
use kernel::Role;
use proto::redress::feedback::v1::report_service_client::ReportServiceClient;
use proto::redress::feedback::v1::{
    CreateReportRequest, DownloadReportRequest, ListReportsRequest, Report, ReportFormat, ReportLength,
    ReportState,
};
use serde::Deserialize;

use super::{sees, tabs};
use crate::app::App;
use crate::boards::{Failed, Forms, Tab, When, encoded};
use crate::form::Posted;
use crate::page::{Frame, html_with};
use crate::papers::size;
use crate::problem::Problem;
use crate::routes::see_other;
use crate::session::Visitor;

/// Rows of a page.
const ROWS: i32 = 30;
/// What a file is, as addresses name it.
const FORMATS: [(&str, ReportFormat, &str); 3] = [
    ("html", ReportFormat::Html, "text/html"),
    ("xlsx", ReportFormat::Xlsx, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("csv", ReportFormat::Csv, "text/csv"),
];

#[derive(Default, Deserialize)]
pub(super) struct ReportsQuery {
    #[serde(default)]
    page: String,
    /// What was just done.
    #[serde(default)]
    done: String,
}

/// A file as a link.
struct File {
    path: String,
    format: i32,
    language: String,
    size: String,
}

/// A report as a row.
struct Row {
    report: Report,
    last: String,
    made: Option<When>,
    files: Vec<File>,
}

#[derive(Template)]
#[template(path = "figures/reports.html")]
struct Page {
    f: Frame,
    tabs: Vec<Tab>,
    rows: Vec<Row>,
    next: Option<String>,
    forms: Forms,
    can_create: bool,
    /// The month that ended last.
    month: String,
    done: &'static str,
}

/// Lists reports, the newest first.
pub(super) async fn list(visitor: Visitor, Query(asked): Query<ReportsQuery>) -> Result<Response, Problem> {
    listed(visitor, asked, None).await
}

async fn listed(visitor: Visitor, asked: ReportsQuery, failed: Option<Failed>) -> Result<Response, Problem> {
    sees(&visitor, Role::Reader)?;
    let client = visitor.client()?;
    let request = ListReportsRequest { page_size: ROWS, page_token: asked.page };
    let answer = ReportServiceClient::new(client.calls()).list_reports(request).await?.into_inner();
    let next = (!answer.next_page_token.is_empty())
        .then(|| visitor.app.path(&format!("/figures/reports?page={}", encoded(&answer.next_page_token))));
    let status = failed.as_ref().map_or(StatusCode::OK, |failed| failed.problem.status());
    let t = visitor.words;
    let f = Frame::new(&visitor, t.reports_title(), "figures");
    let forms = Forms::new(&visitor, &f.token, failed);
    let today = visitor.app.clock.now().to_zoned(visitor.zone.clone()).date();
    let month = today.first_of_month().checked_sub(1.month()).unwrap_or(today);
    let page = Page {
        tabs: tabs(&visitor, "/figures/reports"),
        rows: answer.reports.into_iter().map(|report| row(report, &visitor)).collect(),
        next,
        forms,
        can_create: visitor.may_act_as(Role::Supervisor),
        month: month.to_string(),
        done: if asked.done == "create" { t.done_create_report() } else { "" },
        f,
    };
    Ok(html_with(status, &page))
}

fn row(report: Report, visitor: &Visitor) -> Row {
    let key =
        |format: i32| FORMATS.iter().find(|(_, one, _)| i32::from(*one) == format).map(|(key, ..)| *key);
    let files = report.files.iter().filter_map(|file| {
        let (id, language) = (encoded(&report.report_id), encoded(&file.language));
        Some(File {
            path: visitor.app.path(&format!("/figures/reports/{id}/{language}/{}", key(file.format)?)),
            format: file.format,
            language: file.language.clone(),
            size: size(file.size_bytes),
        })
    });
    let end: Option<jiff::civil::Date> = report.end_date.parse().ok();
    Row {
        files: files.collect(),
        last: end.and_then(|end| end.yesterday().ok()).map(|last| last.to_string()).unwrap_or_default(),
        made: When::of(report.finish_time.as_ref().or(report.create_time.as_ref()), visitor),
        report,
    }
}

impl Row {
    fn class(&self) -> &'static str {
        match self.report.state() {
            ReportState::Done => "good",
            ReportState::Failed => "bad",
            _ => "warn",
        }
    }

    fn is_running(&self) -> bool {
        self.report.state() == ReportState::Running
    }
}

impl Page {
    fn lengths(&self) -> [(String, &'static str); 3] {
        [ReportLength::Month, ReportLength::Quarter, ReportLength::Year]
            .map(|length| (i32::from(length).to_string(), self.f.t.report_length(i32::from(length))))
    }
}

/// Asks for a report.
pub(super) async fn create(
    State(app): State<App>,
    visitor: Visitor,
    posted: Posted,
) -> Result<Response, Problem> {
    sees(&visitor, Role::Supervisor)?;
    let client = visitor.client()?;
    let request = CreateReportRequest {
        request_id: posted.request_id(),
        length: posted.number("length").unwrap_or_default(),
        start_date: posted.text("start").to_owned(),
        languages: Vec::new(),
        formats: Vec::new(),
    };
    match ReportServiceClient::new(client.calls()).create_report(request).await {
        Ok(_) => Ok(see_other(&app.path("/figures/reports?done=create"))),
        Err(status) => {
            let failed = Failed { form: "create".to_owned(), posted, problem: status.into() };
            listed(visitor, ReportsQuery::default(), Some(failed)).await
        }
    }
}

/// Streams a file of a report. A browser saves it, and never shows it as a page of ours.
pub(super) async fn download(
    visitor: Visitor,
    Path((report_id, language, format)): Path<(String, String, String)>,
) -> Result<Response, Problem> {
    sees(&visitor, Role::Reader)?;
    let client = visitor.client()?;
    let (_, format, kind) =
        FORMATS.into_iter().find(|(key, ..)| *key == format).ok_or_else(Problem::not_found)?;
    let request = DownloadReportRequest { report_id, language, format: format.into() };
    let mut parts = ReportServiceClient::new(client.calls()).download_report(request).await?.into_inner();
    let first = parts.message().await?.ok_or_else(Problem::not_found)?;
    let name = encoded(&first.file.map(|file| file.name).unwrap_or_default());
    let rest = parts.map(|part| part.map(|part| Bytes::from(part.data)));
    let mut answer = Response::new(Body::from_stream(rest));
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Ok(disposition) = HeaderValue::from_str(&format!("attachment; filename*=UTF-8''{name}")) {
        answer.headers_mut().insert(header::CONTENT_DISPOSITION, disposition);
    }
    Ok(answer)
}
