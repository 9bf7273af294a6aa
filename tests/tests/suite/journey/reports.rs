//! What the stories come to as a report, made once however often it is asked for.

use proto::redress::feedback::v1::report_service_client::ReportServiceClient;
use proto::redress::feedback::v1::{
    CreateReportRequest, GetReportRequest, ListReportsRequest, Report, ReportFormat, ReportLength,
    ReportSchedules, ReportState, UpdateReportSchedulesRequest,
};
use testkit::{eventually, request_id};

use super::scene::Scene;
use crate::twice::Twice;

fn reports(scene: &Scene) -> ReportServiceClient<Twice> {
    ReportServiceClient::new(scene.line("reader"))
}

async fn read(scene: &Scene, report_id: String) -> Report {
    let request = GetReportRequest { report_id };
    reports(scene).get_report(request).await.unwrap().into_inner().report.unwrap()
}

/// A report of a year is asked for and made; none is made by itself.
pub(crate) async fn told(scene: &Scene) {
    let request = CreateReportRequest {
        request_id: request_id(),
        length: ReportLength::Year.into(),
        start_date: "2026-01-01".to_owned(),
        languages: vec!["zh".to_owned()],
        formats: vec![ReportFormat::Html.into(), ReportFormat::Csv.into()],
    };
    let asked = reports(scene).create_report(request).await.unwrap().into_inner().report.unwrap();
    eventually(|| async { read(scene, asked.report_id.clone()).await.state() == ReportState::Done }).await;
    let listed = reports(scene).list_reports(ListReportsRequest::default()).await.unwrap().into_inner();
    assert_eq!(listed.reports.len(), 1, "made once");
    assert_eq!(listed.reports[0].files.len(), 2);

    let schedules = ReportSchedules { note: "none by itself".to_owned(), ..ReportSchedules::default() };
    let request = UpdateReportSchedulesRequest {
        request_id: request_id(),
        expected_version: 0,
        schedules: Some(schedules),
    };
    let kept = reports(scene).update_report_schedules(request).await.unwrap().into_inner();
    assert_eq!(kept.schedules.unwrap().version, 1);
}
