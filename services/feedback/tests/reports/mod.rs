//! Reports: asked for, made, gone on with, fetched, made by themselves.

use std::time::Duration;

use futures::TryStreamExt as _;
use kernel::Clock as _;
use proto::redress::feedback::v1::report_service_client::ReportServiceClient;
use proto::redress::feedback::v1::{
    CreateReportRequest, DownloadReportRequest, DownloadReportResponse, GetReportRequest,
    GetReportSchedulesRequest, ListReportsRequest, Report, ReportFormat, ReportLength, ReportSchedule,
    ReportSchedules, ReportState, UpdateReportSchedulesRequest,
};
use proto::redress::intake::v1::Respondent;
use sha2::{Digest as _, Sha256};
use testkit::{CallerChannel, House, MockClock, eventually, reason, request_id, violations};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::{case, house, refused, registered, resolved};

type Reports = ReportServiceClient<CallerChannel>;

fn reports(house: &House) -> Reports {
    Reports::new(house.channel())
}

/// The month it is.
fn this_month() -> String {
    MockClock::default().now().strftime("%Y-%m-01").to_string()
}

fn wanted() -> CreateReportRequest {
    CreateReportRequest {
        request_id: request_id(),
        length: ReportLength::Month.into(),
        start_date: this_month(),
        ..CreateReportRequest::default()
    }
}

async fn create(house: &House, request: CreateReportRequest) -> Result<Report, Status> {
    Ok(reports(house).create_report(request).await?.into_inner().report.unwrap())
}

async fn read(house: &House, id: &str) -> Report {
    let request = GetReportRequest { report_id: id.to_owned() };
    reports(house).get_report(request).await.unwrap().into_inner().report.unwrap()
}

async fn made(house: &House, id: &str) -> Report {
    eventually(|| async { read(house, id).await.state() == ReportState::Done }).await;
    read(house, id).await
}

async fn list(house: &House) -> Vec<Report> {
    let answer = reports(house).list_reports(ListReportsRequest::default()).await.unwrap();
    answer.into_inner().reports
}

/// The messages of a file.
async fn messages(
    mut reports: Reports,
    id: &str,
    (language, format): (&str, ReportFormat),
) -> Result<Vec<DownloadReportResponse>, Status> {
    let (report_id, language) = (id.to_owned(), language.to_owned());
    let request = DownloadReportRequest { report_id, language, format: format.into() };
    reports.download_report(request).await?.into_inner().try_collect().await
}

/// A file that is whole.
async fn file(house: &House, id: &str, of: (&str, ReportFormat)) -> Vec<u8> {
    let messages = messages(reports(house), id, of).await.unwrap();
    let told = messages[0].file.clone().unwrap();
    assert!(messages[0].data.is_empty() && messages[1..].iter().all(|message| message.file.is_none()));
    assert!(messages.iter().all(|message| message.data.len() <= 256 * 1024));
    let bytes: Vec<u8> = messages.into_iter().flat_map(|message| message.data).collect();
    let hash: String =
        Sha256::digest(&bytes).iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    assert_eq!((i64::try_from(bytes.len()).unwrap(), hash), (told.size_bytes, told.sha256));
    bytes
}

/// A house with some cases.
async fn busy_house() -> House {
    let house = house().await;
    for number in 0..6 {
        let one = case();
        let mut registered = registered(one, "ada@example.org");
        let complaint = registered.complaint.as_mut().unwrap();
        complaint.receive_time = Some(proto::timestamp(MockClock::default().now()));
        let product = "=HYPERLINK(\"x\")".to_owned();
        complaint.respondent = Some(Respondent { product, ..Respondent::default() });
        house.tell("intake", one, &registered).await;
        if number < 5 {
            house.tell("cases", one, &resolved(one, 1)).await;
        }
    }
    house.settled().await;
    house
}

#[tokio::test]
async fn a_report_is_made_and_each_of_its_files_comes_whole() {
    let house = busy_house().await;
    let request = wanted();
    let asked = create(&house, request.clone()).await.unwrap();
    assert_eq!((asked.state(), asked.parts_done, asked.parts_total), (ReportState::Pending, 0, 7));
    assert_eq!(create(&house, request).await.unwrap(), asked, "the same request, the same report");
    let report = made(&house, &asked.report_id).await;
    assert_eq!((report.parts_done, report.files.len()), (7, 6));
    assert!(report.as_of_time.is_some() && report.finish_time.is_some() && report.failure.is_empty());
    let month = MockClock::default().now().strftime("%Y-%m").to_string();
    assert_eq!(report.files[0].name, format!("complaints-{month}.en.html"));

    let page = String::from_utf8(file(&house, &report.report_id, ("zh", ReportFormat::Html)).await).unwrap();
    assert!(page.contains("月度报告") && page.contains("lang=\"zh-Hans\""));
    let table = String::from_utf8(file(&house, &report.report_id, ("en", ReportFormat::Csv)).await).unwrap();
    let received = table.lines().find(|line| line.starts_with("received,")).unwrap();
    assert!(received.contains("count,6,,,6,6,"), "{received}");
    assert!(table.contains("\"'=HYPERLINK(\"\"x\"\")\""), "no formula: {table}");
    let book = file(&house, &report.report_id, ("en", ReportFormat::Xlsx)).await;
    assert!(book.starts_with(b"PK"));
    assert_eq!(list(&house).await, [report]);
    house.done().await;
}

#[tokio::test]
async fn a_report_is_told_all_that_is_wrong_with_it() {
    let house = house().await;
    let wrong = CreateReportRequest {
        request_id: String::new(),
        length: 9,
        start_date: "2999-01-02".to_owned(),
        languages: vec!["en".to_owned(), "fr".to_owned()],
        formats: vec![1, 1],
    };
    let status = create(&house, wrong).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::InvalidArgument, "INVALID_REPORT"));
    assert_eq!(violations(&status), ["request_id", "languages", "formats", "length", "start_date"]);
    let late = CreateReportRequest { start_date: "2026-11-02".to_owned(), ..wanted() };
    assert_eq!(violations(&create(&house, late).await.unwrap_err()), ["start_date"]);
    let quarter = ReportLength::Quarter.into();
    let crooked = CreateReportRequest { start_date: "2026-02-01".to_owned(), length: quarter, ..wanted() };
    assert_eq!(violations(&create(&house, crooked).await.unwrap_err()), ["start_date"]);
    let future = CreateReportRequest { start_date: "2199-01-01".to_owned(), ..wanted() };
    assert_eq!(violations(&create(&house, future).await.unwrap_err()), ["start_date"]);
    house.done().await;
}

#[tokio::test]
async fn a_file_that_is_not_there_is_said_not_to_be() {
    let house = house().await;
    let of = ("en", ReportFormat::Csv);
    let nothing = messages(reports(&house), &Uuid::nil().to_string(), of).await.unwrap_err();
    assert_eq!(reason(&nothing), "REPORT_NOT_FOUND");
    let formats = vec![ReportFormat::Html.into()];
    let asked = create(&house, CreateReportRequest { formats, ..wanted() }).await.unwrap();
    let report = made(&house, &asked.report_id).await;
    let (code, reason) = refused(messages(reports(&house), &report.report_id, of).await);
    assert_eq!((code, reason.as_str()), (Code::NotFound, "REPORT_FILE_NOT_FOUND"));
    let wrong = messages(reports(&house), "x", ("fr", ReportFormat::Unspecified)).await.unwrap_err();
    assert_eq!(violations(&wrong), ["report_id", "language", "format"]);
    house.done().await;
}

#[tokio::test]
async fn a_report_is_nothing_to_another_tenant() {
    let clock = MockClock::default();
    let house = House::builder(&[feedback::SERVICE]).clock(clock).identified().open().await;
    let as_of = |tenant: &str| Reports::new(house.channel_as(tenant, "eve", &["supervisor"]));
    let asked = as_of("one").create_report(wanted()).await.unwrap().into_inner().report.unwrap();
    let request = || GetReportRequest { report_id: asked.report_id.clone() };
    eventually(|| async {
        let read = as_of("one").get_report(request()).await.unwrap().into_inner().report.unwrap();
        read.state() == ReportState::Done
    })
    .await;
    let (code, reason) = refused(as_of("other").get_report(request()).await);
    assert_eq!((code, reason.as_str()), (Code::NotFound, "REPORT_NOT_FOUND"));
    let of = ("en", ReportFormat::Html);
    let (_, reason) = refused(messages(as_of("other"), &asked.report_id, of).await);
    assert_eq!(reason, "REPORT_NOT_FOUND");
    let seen = as_of("other").list_reports(ListReportsRequest::default()).await.unwrap().into_inner();
    assert_eq!(seen.reports, []);
    let reader = Reports::new(house.channel_as("one", "bo", &["reader"])).create_report(wanted()).await;
    let (code, reason) = refused(reader);
    assert_eq!((code, reason.as_str()), (Code::PermissionDenied, "ROLE_REQUIRED"));
    house.done().await;
}

#[tokio::test]
async fn a_report_whose_maker_died_is_gone_on_with_and_is_the_same() {
    let house = busy_house().await;
    let asked = create(&house, wanted()).await.unwrap();
    let before = made(&house, &asked.report_id).await;
    let page = file(&house, &asked.report_id, ("en", ReportFormat::Html)).await;
    // As whoever made it left it who died once the figures and some files were kept.
    let mut owner = house.owner().await;
    sqlx::raw_sql(
        "UPDATE feedback.report SET state = 2, finished_at = NULL, attempts = 1, lease = gen_random_uuid();
         DELETE FROM feedback.report_file WHERE format <> 1",
    )
    .execute(&mut owner)
    .await
    .unwrap();
    let half = read(&house, &asked.report_id).await;
    assert_eq!((half.state(), half.parts_done), (ReportState::Running, 3));
    house.advance(Duration::from_mins(3));
    let after = made(&house, &asked.report_id).await;
    assert_eq!(after.files.len(), before.files.len());
    assert_eq!(
        file(&house, &asked.report_id, ("en", ReportFormat::Html)).await,
        page,
        "what was kept is kept"
    );
    let chunks: i64 =
        sqlx::query_scalar("SELECT count(*) FROM feedback.report_chunk").fetch_one(&mut owner).await.unwrap();
    assert!(chunks >= 6, "each file has its parts: {chunks}");
    house.done().await;
}

#[tokio::test]
async fn two_servers_make_one_report_and_a_schedule_is_kept_once() {
    let house = busy_house().await;
    let replica = house.replica(&[feedback::SERVICE]).await;
    let schedule = |length: ReportLength| ReportSchedule {
        length: length.into(),
        languages: vec!["en".to_owned()],
        formats: vec![ReportFormat::Csv.into()],
        after_days: 0,
    };
    let schedules =
        ReportSchedules { schedules: vec![schedule(ReportLength::Month)], ..ReportSchedules::default() };
    let updated = update(&house, 0, schedules.clone()).await.unwrap();
    assert_eq!(updated.version, 1);
    let done = || async {
        let all = list(&house).await;
        !all.is_empty() && all.iter().all(|report| report.state() == ReportState::Done)
    };
    eventually(done).await;
    let first = list(&house).await;
    assert_eq!(first.len(), 1, "of the last month that ended, once");
    assert!(first[0].creator.is_empty() && first[0].end_date == this_month());

    house.advance(Duration::from_hours(32 * 24));
    eventually(|| async { list(&house).await.len() == 2 }).await;
    eventually(done).await;
    let second = list(&house).await;
    assert_eq!(second[0].start_date, this_month(), "the newest first");
    let none = ReportSchedules::default();
    assert_eq!(update(&house, 1, none).await.unwrap().schedules, []);
    replica.done().await;
    house.done().await;
}

async fn update(house: &House, expected: i64, wanted: ReportSchedules) -> Result<ReportSchedules, Status> {
    let request = UpdateReportSchedulesRequest {
        request_id: request_id(),
        expected_version: expected,
        schedules: Some(wanted),
    };
    Ok(reports(house).update_report_schedules(request).await?.into_inner().schedules.unwrap())
}

#[tokio::test]
async fn schedules_are_replaced_once_and_by_who_has_seen_them() {
    let house = house().await;
    let good = ReportSchedule {
        length: ReportLength::Year.into(),
        languages: vec!["zh".to_owned()],
        formats: vec![ReportFormat::Html.into()],
        after_days: 28,
    };
    let request = UpdateReportSchedulesRequest {
        request_id: request_id(),
        expected_version: 0,
        schedules: Some(ReportSchedules { schedules: vec![good.clone()], note: "n".to_owned(), version: 9 }),
    };
    let made = reports(&house).update_report_schedules(request.clone()).await.unwrap().into_inner();
    let again = reports(&house).update_report_schedules(request).await.unwrap().into_inner();
    assert_eq!(made, again);
    let read = reports(&house).get_report_schedules(GetReportSchedulesRequest {}).await.unwrap().into_inner();
    assert_eq!(read.schedules, made.schedules);
    let (code, reason) = refused(update(&house, 0, ReportSchedules::default()).await);
    assert_eq!((code, reason.as_str()), (Code::Aborted, "VERSION_MISMATCH"));
    let empty = ReportSchedule { after_days: 29, ..ReportSchedule::default() };
    let wrong = ReportSchedules { schedules: vec![good.clone(), good, empty], ..ReportSchedules::default() };
    let fields = violations(&update(&house, 1, wrong).await.unwrap_err());
    let expected = ["[1].length", "[2].length", "[2].languages", "[2].formats", "[2].after_days"];
    assert_eq!(fields, expected.map(|field| format!("schedules.schedules{field}")));
    house.done().await;
}

#[tokio::test]
async fn a_report_is_forgotten_after_400_days_with_its_files() {
    let house = house().await;
    let asked = create(&house, wanted()).await.unwrap();
    made(&house, &asked.report_id).await;
    let mut owner = house.owner().await;
    house.advance(Duration::from_hours(399 * 24));
    let later = create(&house, wanted()).await.unwrap();
    made(&house, &later.report_id).await;
    house.advance(Duration::from_hours(2 * 24));
    eventually(|| async { list(&house).await.len() == 1 }).await;
    assert_eq!(list(&house).await[0].report_id, later.report_id);
    let of = "SELECT count(*) FROM feedback.report_chunk WHERE report_id = $1::uuid";
    let left: i64 = sqlx::query_scalar(of).bind(&asked.report_id).fetch_one(&mut owner).await.unwrap();
    assert_eq!(left, 0);
    house.done().await;
}

#[tokio::test]
async fn no_more_reports_wait_than_may_and_one_that_cannot_be_made_is_given_up() {
    let house = house().await;
    let asked = create(&house, wanted()).await.unwrap();
    made(&house, &asked.report_id).await;
    let mut owner = house.owner().await;
    // As if it had been begun with often enough, and nobody had lived to tell.
    let again = "UPDATE feedback.report SET state = 2, finished_at = NULL, attempts = 5, due_at = created_at";
    sqlx::query(again).execute(&mut owner).await.unwrap();
    eventually(|| async { read(&house, &asked.report_id).await.state() == ReportState::Failed }).await;
    assert_eq!(read(&house, &asked.report_id).await.failure, "GIVEN_UP");

    sqlx::query(
        "INSERT INTO feedback.report (tenant_id, report_id, length, start_date, languages, formats, state, creator,
                                      scheduled, created_at, attempts, due_at, failure)
         SELECT tenant_id, gen_random_uuid(), length, start_date, languages, formats, 2, creator, false, created_at, 1,
                created_at + interval '1 hour', ''
         FROM feedback.report, generate_series(1, 20)",
    )
    .execute(&mut owner)
    .await
    .unwrap();
    let (code, reason) = refused(create(&house, wanted()).await);
    assert_eq!((code, reason.as_str()), (Code::ResourceExhausted, "TOO_MANY_REPORTS"));
    house.done().await;
}
