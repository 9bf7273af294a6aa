//! What the stories come to, in figures, before and after the facts are rebuilt.

use futures::TryStreamExt as _;
use proto::redress::cases::v1::CountCasesRequest;
use proto::redress::feedback::v1::kpi_service_client::KpiServiceClient;
use proto::redress::feedback::v1::process_service_client::ProcessServiceClient;
use proto::redress::feedback::v1::{
    ExportProcessLogRequest, ExportProcessLogResponse, GetFactStateRequest, GetKpiSettingsRequest, KpiAnswer,
    KpiDimension, KpiPeriod, KpiQuery, KpiSettings, ListKpisRequest, ProcessLogSummary, QueryKpisRequest,
    RebuildFactsRequest, UpdateKpiSettingsRequest,
};
use testkit::{eventually, request_id};

use super::scene::Scene;
use crate::twice::Twice;

fn kpis(scene: &Scene) -> KpiServiceClient<Twice> {
    KpiServiceClient::new(scene.line("reader"))
}

/// Every KPI of the years around, and how many were received by channel.
async fn board(scene: &Scene) -> Vec<KpiAnswer> {
    let all = kpis(scene).list_kpis(ListKpisRequest {}).await.unwrap().into_inner().kpis;
    let flows = all.into_iter().filter(|kpi| !["backlog", "density"].contains(&kpi.name.as_str()));
    let query = |kpi: &str, dimension: KpiDimension| KpiQuery {
        name: format!("{kpi} {dimension:?}"),
        kpi: kpi.to_owned(),
        start_date: "2025-01-01".to_owned(),
        end_date: "2029-01-01".to_owned(),
        period: KpiPeriod::Month.into(),
        dimension: dimension.into(),
        ..KpiQuery::default()
    };
    let mut queries: Vec<KpiQuery> = flows.map(|kpi| query(&kpi.name, KpiDimension::Unspecified)).collect();
    queries.push(query("received", KpiDimension::Channel));
    kpis(scene).query_kpis(QueryKpisRequest { queries }).await.unwrap().into_inner().answers
}

/// How much a process log of all cases has.
async fn exported(scene: &Scene) -> ProcessLogSummary {
    let request =
        ExportProcessLogRequest { start_date: "2025-01-01".to_owned(), end_date: "2029-01-01".to_owned() };
    let mut service = ProcessServiceClient::new(scene.line("reader"));
    let pieces = service.export_process_log(request).await.unwrap().into_inner();
    let pieces: Vec<ExportProcessLogResponse> = pieces.try_collect().await.unwrap();
    pieces.last().unwrap().summary.unwrap()
}

fn total(answers: &[KpiAnswer], kpi: &str) -> i64 {
    let rows = answers.iter().find(|answer| answer.kpi == kpi).unwrap().rows.iter();
    rows.map(|row| row.figure.as_ref().unwrap().numerator).sum()
}

/// As many were received as there are cases that were not merged, groups of any size are
/// told, and facts that are thrown away come back as they were.
pub(crate) async fn told(scene: &Scene) {
    scene.settled().await;
    let read = kpis(scene).get_kpi_settings(GetKpiSettingsRequest {}).await.unwrap().into_inner();
    let settings = read.settings.unwrap();
    let request = UpdateKpiSettingsRequest {
        request_id: request_id(),
        expected_version: settings.version,
        settings: Some(KpiSettings { min_group_size: 0, ..settings }),
    };
    kpis(scene).update_kpi_settings(request).await.unwrap();
    let counted = scene.cases("reader").count_cases(CountCasesRequest {}).await.unwrap().into_inner();
    let before = board(scene).await;
    assert_eq!(total(&before, "received"), counted.total, "none is merged now");
    let by_channel = before.last().unwrap();
    assert!(by_channel.rows.iter().all(|row| !row.value.is_empty()), "{by_channel:?}");
    assert!(total(&before, "reopen_rate") > 0 && total(&before, "upheld_rate") > 0);

    let happened = exported(scene).await;
    assert_eq!(happened.case_count, counted.total, "each case is in the process log");
    kpis(scene).rebuild_facts(RebuildFactsRequest { request_id: request_id() }).await.unwrap();
    eventually(|| async {
        let read = kpis(scene).get_fact_state(GetFactStateRequest {}).await.unwrap().into_inner();
        !read.state.unwrap().rebuilding
    })
    .await;
    assert_eq!(board(scene).await, before);
    assert_eq!(exported(scene).await, happened, "what was thrown away is there again");
}
