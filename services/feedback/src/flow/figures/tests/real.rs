//! Figures of real complaints, against a recount of their file.

use std::fs::File;
use std::path::PathBuf;

use flate2::read::GzDecoder;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use kernel::CaseId;
use uuid::Uuid;

use super::*;
use crate::fact::{CaseFact, Facts, Filing, Ranked};
use crate::flow::facts::keep;

/// A row of the file: channel, state, status, and the day.
type Row = (String, String, String, Date);

fn comcast() -> Vec<Row> {
    let Some(folder) = std::env::var_os("REDRESS_DATA") else {
        panic!("REDRESS_DATA does not name the folder with the real files");
    };
    let file = File::open(PathBuf::from(folder).join("en_comcast_fcc_2224.csv.gz")).expect("the file");
    let mut reader = csv::Reader::from_reader(GzDecoder::new(file));
    let headings = reader.headers().expect("headings").clone();
    let place = |name: &str| headings.iter().position(|heading| heading == name).expect("a column");
    let places = ["Received Via", "State", "Status", "date_iso_derived"].map(place);
    let row = |row: csv::StringRecord| {
        let [via, state, status, day] = places.map(|place| row[place].to_owned());
        (via, state, status, day.parse().expect("a day"))
    };
    reader.records().map(|record| row(record.expect("a row"))).collect()
}

fn number(via: &str) -> i16 {
    match via {
        "Customer Care Call" => 1,
        "Internet" => 5,
        other => panic!("{other} is no channel"),
    }
}

/// The file as facts: what is closed or solved has ended.
fn imported(rows: &[Row]) -> Facts {
    let mut facts = Facts::default();
    for (place, (via, state, status, day)) in (1..).zip(rows) {
        let received = day.at(12, 0, 0, 0).to_zoned(TimeZone::UTC).expect("a time").timestamp();
        let ended = ["Closed", "Solved"].contains(&status.as_str());
        let fact = CaseFact {
            received: Some(received),
            channel: Some(number(via)),
            region: Some(state.clone()),
            history: Some(false),
            filing: Some(Filing::default()),
            ended: ended
                .then(|| Ranked::new(Some((received + SignedDuration::from_hours(1), Ending::Closed)), 1)),
            ..CaseFact::default()
        };
        facts.case(CaseId(Uuid::from_u128(place)), fact);
    }
    facts
}

/// How many of those received have ended, and how many were received, by a value of a row.
fn by(rows: &[Row], value: impl Fn(&Row) -> String) -> BTreeMap<String, (i64, i64)> {
    let mut all = BTreeMap::<String, (i64, i64)>::new();
    for row in rows {
        let counted = all.entry(value(row)).or_default();
        counted.0 += i64::from(row.2 == "Closed" || row.2 == "Solved");
        counted.1 += 1;
    }
    all
}

#[tokio::test]
#[ignore = "needs the real files: `make real` runs it"]
async fn real_complaints_are_counted_by_channel_state_and_status_as_their_file_has_them() -> anyhow::Result<()>
{
    let rows = comcast();
    let (database, db) = feedback().await?;
    let mine = tenant("mine");
    let facts = imported(&rows);
    let settings = Settings { version: 1, min_group: 0, ..Settings::default() };
    db.transact("test", &mine, async move |mut tx| {
        store::save_kpi_settings(&mut tx, &settings).await?;
        keep(&mut tx, &facts).await?;
        Ok((tx, ()))
    })
    .await?;
    let whole = Window { start: date(2015, 4, 1), end: date(2015, 7, 1), period: None };
    let query = |dimension| Query { window: Some(whole), ..daily("completion_rate", dimension, None) };
    let dimensions = [None, Some(Dimension::Channel), Some(Dimension::Region)];
    for round in ["facts", "totals"] {
        if round == "totals" {
            renewed(&db).await?;
        }
        let answers = answered(&db, &mine, &dimensions.map(query)).await?;
        let counted = |place: usize| -> BTreeMap<String, (i64, i64)> {
            let row =
                |row: &crate::kpi::Row| (row.value.clone(), (row.figure.numerator, row.figure.denominator));
            answers[place].iter().map(row).collect()
        };
        assert_eq!(counted(0), BTreeMap::from([(String::new(), (973 + 734, 2_224))]), "{round}");
        let channels = counted(1);
        assert_eq!(channels, by(&rows, |row| number(&row.0).to_string()), "{round}");
        assert_eq!((channels["1"].1, channels["5"].1), (1_119, 1_105), "{round}");
        let states = counted(2);
        assert_eq!(states, by(&rows, |row| row.1.clone()), "{round}");
        assert_eq!((states.len(), states["Georgia"].1), (43, 288), "{round}");
    }
    database.drop().await?;
    Ok(())
}
