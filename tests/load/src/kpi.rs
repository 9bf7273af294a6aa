//! How long a board of figures takes, by month over a year of cases: of all of them, whose
//! days have totals; told apart by channel; and while the last days have changed. And what a
//! report of that year takes.

use std::time::Duration;

use anyhow::{Result, ensure};
use proto::redress::feedback::v1::kpi_service_client::KpiServiceClient;
use proto::redress::feedback::v1::report_service_client::ReportServiceClient;
use proto::redress::feedback::v1::{
    CreateReportRequest, GetReportRequest, KpiDimension, KpiPeriod, KpiQuery, QueryKpisRequest, ReportLength,
    ReportState,
};
use tokio::time::Instant;
use tonic::transport::Channel;

use crate::report::Report;
use crate::suite::{Base, Suite};

const DATABASE: &str = "load_kpi";
/// What is on the board.
const BOARD: [&str; 10] = [
    "received",
    "response_time",
    "on_time_rate",
    "completion_rate",
    "first_time_resolution",
    "satisfaction",
    "repeat_rate",
    "escalation_rate",
    "reopen_rate",
    "upheld_rate",
];
/// How often each board is asked for.
const ROUNDS: usize = 15;
/// Days that are out of date, of the board that is told while cases go on.
const CHANGED: u32 = 30;
/// Longest that making the totals may take.
const PATIENCE: Duration = Duration::from_mins(15);

/// Measures it over so many cases of the year 2025.
pub(crate) async fn measure(base: &Base, cases: u32, statements: u32, report: &mut Report) -> Result<()> {
    // The first start makes the tables; the totals are made by the second.
    Suite::one_process(base, DATABASE).await?.stop().await?;
    let url = base.create_database(DATABASE).await?;
    invent(base, &url, cases).await?;
    let suite = Suite::one_process(base, DATABASE).await?;
    let begun = Instant::now();
    while changed(base, &url).await? > 0 {
        ensure!(begun.elapsed() < PATIENCE, "the totals are not made");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    println!("totals of {cases} cases made within {:?}", begun.elapsed());
    base.costs(DATABASE, statements, 1).await?;
    base.execute(&url, "VACUUM ANALYZE").await?;
    let client = KpiServiceClient::new(suite.channel.clone());
    report.kpi_board_ms = Some(median(&client, &board(KpiDimension::Unspecified), cases).await?);
    report.kpi_board_by_channel_ms = Some(median(&client, &board(KpiDimension::Channel), cases).await?);
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let change = format!(
            "INSERT INTO feedback.fact_change (tenant_id, day, changed_at)
             SELECT 'development', date '2025-12-31' - n, now() FROM generate_series(0, {CHANGED} - 1) AS n"
        );
        base.execute(&url, &change).await?;
        times.push(timed(&client, &board(KpiDimension::Unspecified), cases).await?);
    }
    report.kpi_board_changing_ms = Some(middle(times));
    base.costs(DATABASE, statements, 1).await?;
    suite.stop().await?;
    yearly(base, report).await?;
    base.costs(DATABASE, statements, 1).await
}

/// Has the report of that year made, in every language and format, by a process that has done
/// nothing else.
async fn yearly(base: &Base, report: &mut Report) -> Result<()> {
    let suite = Suite::one_process(base, DATABASE).await?;
    let mut client = ReportServiceClient::new(suite.channel.clone());
    let request = CreateReportRequest {
        request_id: "the year".to_owned(),
        length: ReportLength::Year.into(),
        start_date: "2025-01-01".to_owned(),
        ..CreateReportRequest::default()
    };
    let begun = Instant::now();
    let mut made = client.create_report(request).await?.into_inner().report.unwrap_or_default();
    while made.state() != ReportState::Done {
        ensure!(begun.elapsed() < PATIENCE && made.state() != ReportState::Failed, "no report: {made:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
        let request = GetReportRequest { report_id: made.report_id };
        made = client.get_report(request).await?.into_inner().report.unwrap_or_default();
    }
    ensure!(
        made.failure.is_empty() && made.parts_done == made.parts_total,
        "the report is not whole: {made:?}"
    );
    report.yearly_report_s = Some(begun.elapsed().as_secs_f64());
    report.yearly_report_peak_rss_mb = Some(suite.peak_rss_mb()?);
    suite.stop().await
}

/// Invents a year of cases, most of them resolved, told and closed.
async fn invent(base: &Base, url: &str, cases: u32) -> Result<()> {
    let facts = format!(
        "INSERT INTO feedback.case_fact (tenant_id, case_id, received_at, received_work, channel, region, product,
             complainant, history, category, category_rank, priority, priority_rank, department, department_rank,
             acknowledged_at, acknowledged_work, resolved_at, resolved_work, reopened_at, escalated_at, breached_at,
             limit_breached_at, ended_at, ending, ended_rank)
         SELECT 'development', id, at, 0, 1 + n % 10, 'r' || n % 34, 'p' || n % 100,
                substring(sha256((n % ({cases} / 3 + 1))::text::bytea) FOR 16), false, 'c' || n % 50, 1, 1 + n % 4, 1,
                'd' || n % 20, 1, at + interval '1 hour', 3600, done, 7200,
                CASE WHEN n % 20 = 0 THEN done + interval '1 day' END,
                CASE WHEN n % 15 = 0 THEN at + interval '2 days' END,
                CASE WHEN n % 12 = 0 THEN at + interval '7 days' END,
                CASE WHEN n % 24 = 0 THEN at + interval '7 days' END,
                CASE WHEN n % 10 > 0 THEN done + interval '3 days' END, 1, 1
         FROM (SELECT n, id, at, at + interval '1 day' * (n % 300) / 20 AS done
               FROM (SELECT n, ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid AS id,
                            timestamptz '2025-01-01 00:00Z' + interval '365 days' * n / {cases} AS at
                     FROM generate_series(1, {cases}) AS n) raw) f"
    );
    let cycles = "INSERT INTO feedback.cycle_fact (tenant_id, case_id, cycle, resolved_at, outcome, outcome_rank,
             reopened_at, told_at, satisfaction, satisfaction_at, satisfaction_rank)
         SELECT tenant_id, case_id, 1, resolved_at, 1 + channel % 3, 0, reopened_at, resolved_at + interval '1 hour',
                CASE WHEN channel % 3 = 0 THEN 1 + priority END, resolved_at + interval '1 day', 2
         FROM feedback.case_fact";
    let changes = "INSERT INTO feedback.fact_change (tenant_id, day, changed_at)
         SELECT 'development', date '2025-01-01' + n, now() - interval '1 hour' FROM generate_series(0, 400) AS n";
    for statement in [facts.as_str(), cycles, "VACUUM ANALYZE", changes] {
        base.execute(url, statement).await?;
    }
    Ok(())
}

async fn changed(base: &Base, url: &str) -> Result<u64> {
    let count = "COPY (SELECT count(*) FROM feedback.fact_change) TO STDOUT";
    Ok(base.execute(url, count).await?.trim().parse()?)
}

fn board(dimension: KpiDimension) -> QueryKpisRequest {
    let one = |kpi: &str| KpiQuery {
        name: kpi.to_owned(),
        kpi: kpi.to_owned(),
        start_date: "2025-01-01".to_owned(),
        end_date: "2026-01-01".to_owned(),
        period: KpiPeriod::Month.into(),
        dimension: dimension.into(),
        ..KpiQuery::default()
    };
    QueryKpisRequest { queries: BOARD.map(one).to_vec() }
}

async fn median(client: &KpiServiceClient<Channel>, request: &QueryKpisRequest, cases: u32) -> Result<f64> {
    let mut times = Vec::new();
    timed(client, request, cases).await?; // warm
    for _ in 0..ROUNDS {
        times.push(timed(client, request, cases).await?);
    }
    Ok(middle(times))
}

/// How long a board takes, in milliseconds; it must be whole.
async fn timed(client: &KpiServiceClient<Channel>, request: &QueryKpisRequest, cases: u32) -> Result<f64> {
    let begun = Instant::now();
    let answer = client.clone().query_kpis(request.clone()).await?.into_inner();
    let took = begun.elapsed();
    let received = answer.answers.iter().find(|answer| answer.kpi == "received");
    let rows = received.into_iter().flat_map(|answer| &answer.rows);
    let counted: i64 = rows.filter_map(|row| row.figure.as_ref()).map(|figure| figure.numerator).sum();
    // The last of them is of the first moment of the next year.
    ensure!(counted == i64::from(cases) - 1, "{counted} of {cases} cases are counted");
    Ok(took.as_secs_f64() * 1e3)
}

fn middle(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or(f64::NAN)
}
