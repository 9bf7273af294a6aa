//! The report at the end: made, fetched and kept where it can be opened.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail};
use client::Client;
use jiff::Zoned;
use jiff::tz::TimeZone;
use kernel::{Clock as _, Ids as _, RandomIds, SystemClock};
use proto::redress::feedback::v1::kpi_service_client::KpiServiceClient;
use proto::redress::feedback::v1::report_service_client::ReportServiceClient;
use proto::redress::feedback::v1::{
    CreateReportRequest, DownloadReportRequest, GetKpiSettingsRequest, GetReportRequest, Report,
    ReportFormat, ReportLength, ReportState,
};

/// Longest that it may take, and how often it is looked.
const PATIENCE: Duration = Duration::from_mins(1);
const LOOK: Duration = Duration::from_millis(200);

/// Has a report of this month made, and keeps its files in a folder of its own; answers where
/// each is.
pub(super) async fn kept(client: &Client) -> anyhow::Result<Vec<PathBuf>> {
    let mut kpis = KpiServiceClient::new(client.calls());
    let settings = kpis.get_kpi_settings(GetKpiSettingsRequest {}).await?.into_inner().settings;
    let zone = calendar::zones::get(&settings.unwrap_or_default().time_zone).unwrap_or(TimeZone::UTC);
    let today: Zoned = SystemClock.now().to_zoned(zone);
    let request = CreateReportRequest {
        request_id: RandomIds.token().to_string(),
        length: ReportLength::Month.into(),
        start_date: today.strftime("%Y-%m-01").to_string(),
        ..CreateReportRequest::default()
    };
    let mut reports = ReportServiceClient::new(client.calls());
    let asked = reports.create_report(request).await?.into_inner().report.context("a report")?;
    let made = tokio::time::timeout(PATIENCE, made(client, &asked.report_id));
    let report = made.await.context("the report was not made in time")??;
    let folder = std::env::temp_dir().join(format!("redress-report-{}", &report.report_id));
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let mut paths = Vec::new();
    for file in report.files {
        let (report_id, language) = (report.report_id.clone(), file.language);
        let request = DownloadReportRequest { report_id, language, format: file.format };
        let (file, bytes) = client::download::report_file(client, request).await?;
        let path = folder.join(file.name.replace(['/', '\\'], "-"));
        std::fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
        if file.format() == ReportFormat::Html {
            paths.insert(0, path);
        } else {
            paths.push(path);
        }
    }
    Ok(paths)
}

async fn made(client: &Client, id: &str) -> anyhow::Result<Report> {
    loop {
        let request = GetReportRequest { report_id: id.to_owned() };
        let mut reports = ReportServiceClient::new(client.calls());
        let report = reports.get_report(request).await?.into_inner().report.context("a report")?;
        match report.state() {
            ReportState::Done => return Ok(report),
            ReportState::Failed => bail!("the report was given up: {}", report.failure),
            _ => tokio::time::sleep(LOOK).await,
        }
    }
}
