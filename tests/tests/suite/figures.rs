//! Complaints of a file, submitted each as it came in, and what the KPIs tell of them: as
//! many by channel, by state, by day and by status as the file itself.
//!
//! `make real` submits the 2 224 complaints of the folder `REDRESS_DATA` names; a few of our
//! own are submitted in any case.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;

use anyhow::{Context as _, Result, ensure};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use proto::redress::feedback::v1::kpi_service_client::KpiServiceClient;
use proto::redress::feedback::v1::{
    GetKpiSettingsRequest, KpiAnswer, KpiDimension, KpiPeriod, KpiQuery, KpiSettings, QueryKpisRequest,
    UpdateKpiSettingsRequest,
};
use proto::redress::intake::v1::intake_service_client::IntakeServiceClient;
use proto::redress::intake::v1::{Channel, Complainant, Complaint, History, SubmitComplaintRequest};
use testkit::{House, MockClock};
use tests::{SERVICES, real_data};

const FILE: &str = "en_comcast_fcc_2224.csv.gz";
/// Submissions in flight.
const AT_ONCE: usize = 16;

/// A row of the file.
struct Row {
    ticket: String,
    text: String,
    day: Date,
    channel: Channel,
    state: String,
    is_over: bool,
}

fn read(file: impl Read) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for row in csv::Reader::from_reader(file).into_deserialize() {
        let row: BTreeMap<String, String> = row?;
        let cell = |name: &str| row.get(name).cloned().with_context(|| format!("no column {name}"));
        let channel = match cell("Received Via")?.as_str() {
            "Internet" => Channel::Web,
            _ => Channel::Phone,
        };
        rows.push(Row {
            ticket: cell("Ticket #")?,
            text: cell("Customer Complaint")?,
            day: cell("date_iso_derived")?.parse()?,
            channel,
            state: cell("State")?,
            is_over: matches!(cell("Status")?.as_str(), "Solved" | "Closed"),
        });
    }
    Ok(rows)
}

fn noon(day: Date) -> Result<Timestamp> {
    Ok(day.at(12, 0, 0, 0).to_zoned(TimeZone::UTC)?.timestamp())
}

/// A complaint; of one that is over the file does not say since when.
fn complaint(row: &Row) -> Result<Complaint> {
    let received = noon(row.day)?;
    let closed = received + SignedDuration::from_hours(24);
    let history =
        row.is_over.then(|| History { close_time: Some(proto::timestamp(closed)), ..History::default() });
    Ok(Complaint {
        channel: row.channel.into(),
        external_ref: row.ticket.clone(),
        complainant: Some(Complainant { region: row.state.clone(), ..Complainant::default() }),
        subject: row.text.chars().take(100).collect(),
        description: row.text.clone(),
        language: "en".to_owned(),
        receive_time: Some(proto::timestamp(received)),
        history,
        ..Complaint::default()
    })
}

/// Numerators and denominators by part of the window and value.
type Counted = BTreeMap<(String, String), (i64, i64)>;

/// What the file tells: how many of each group, and how many of those are over.
fn of_file(rows: &[Row], group: impl Fn(&Row) -> (String, String)) -> Counted {
    let mut counted = Counted::new();
    for row in rows {
        let (over, all) = counted.entry(group(row)).or_default();
        *over += i64::from(row.is_over);
        *all += 1;
    }
    counted
}

fn of_answer(answer: &KpiAnswer) -> Counted {
    let figures = answer.rows.iter().filter_map(|row| Some((row, row.figure.as_ref()?)));
    let counted = figures.filter(|(_, figure)| figure.denominator > 0);
    counted
        .map(|(row, figure)| {
            ((row.period.clone(), row.value.clone()), (figure.numerator, figure.denominator))
        })
        .collect()
}

fn query(name: &str, dimension: KpiDimension, period: KpiPeriod) -> KpiQuery {
    KpiQuery {
        name: name.to_owned(),
        kpi: "completion_rate".to_owned(),
        start_date: "2015-01-01".to_owned(),
        end_date: "2016-01-01".to_owned(),
        period: period.into(),
        dimension: dimension.into(),
        ..KpiQuery::default()
    }
}

async fn counted_as_in_the_file(rows: &[Row]) -> Result<()> {
    let clock = MockClock::at(noon(date(2015, 12, 31))?);
    let house = House::builder(&SERVICES).clock(clock).open().await;
    let submit = |row| {
        let complaint = complaint(row);
        let mut intake = IntakeServiceClient::new(house.channel());
        async move {
            let request =
                SubmitComplaintRequest { request_id: row.ticket.clone(), complaint: Some(complaint?) };
            intake.submit_complaint(request).await?;
            anyhow::Ok(())
        }
    };
    stream::iter(rows).map(submit).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
    house.settled().await;

    let mut kpis = KpiServiceClient::new(house.channel());
    let read = kpis.get_kpi_settings(GetKpiSettingsRequest {}).await?.into_inner();
    let settings = Some(KpiSettings { min_group_size: 0, ..read.settings.unwrap_or_default() });
    let request = UpdateKpiSettingsRequest { request_id: "all".to_owned(), expected_version: 0, settings };
    kpis.update_kpi_settings(request).await?;
    let queries = vec![
        query("channel", KpiDimension::Channel, KpiPeriod::Unspecified),
        query("state", KpiDimension::Region, KpiPeriod::Month),
        query("day", KpiDimension::Unspecified, KpiPeriod::Day),
    ];
    let answers = kpis.query_kpis(QueryKpisRequest { queries }).await?.into_inner().answers;
    let channel = |row: &Row| if row.channel == Channel::Web { "web" } else { "phone" };
    let expected = [
        of_file(rows, |row| (String::new(), channel(row).to_owned())),
        of_file(rows, |row| (row.day.strftime("%Y-%m").to_string(), row.state.clone())),
        of_file(rows, |row| (row.day.to_string(), String::new())),
    ];
    for (answer, expected) in answers.iter().zip(&expected) {
        let told = of_answer(answer);
        ensure!(told == *expected, "by {}: {told:?}, and the file {expected:?}", answer.name);
        println!("figures: by {} in {} groups as in the file", answer.name, expected.len());
    }
    house.done().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_few_complaints_are_counted_as_their_file_says() {
    const FEW: &str = "\
        Ticket #,Customer Complaint,Received Via,State,Status,date_iso_derived\n\
        1,No internet,Internet,Maryland,Closed,2015-04-22\n\
        2,No internet,Customer Care Call,Georgia,Solved,2015-04-22\n\
        3,Bill,Customer Care Call,Georgia,Open,2015-06-23\n\
        4,Bill,Internet,Georgia,Pending,2015-06-23\n\
        5,Bill,Internet,Maine,Solved,2015-12-01\n";
    counted_as_in_the_file(&read(FEW.as_bytes()).unwrap()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the real files: `make real` runs it"]
async fn the_complaints_of_the_real_file_are_counted_as_it_says() {
    let path = real_data(FILE).unwrap();
    let rows = read(flate2::read::GzDecoder::new(File::open(path).unwrap())).unwrap();
    assert_eq!(rows.len(), 2_224);
    // As counted by other means beforehand.
    let of = |is: &dyn Fn(&Row) -> bool| rows.iter().filter(|row| is(row)).count();
    assert_eq!(of(&|row| row.channel == Channel::Web), 1_105);
    assert_eq!(of(&|row| row.is_over), 973 + 734);
    assert_eq!(of(&|row| row.state == "Georgia"), 288);
    counted_as_in_the_file(&rows).await.unwrap();
}
