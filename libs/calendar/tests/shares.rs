//! Known answers from real data: how long a city's departments took to reply to
//! 2 816 messages. `REDRESS_DATA` names the folder; `make real` runs it.
//!
//! The rules that give the published figures: within n calendar days means by
//! the same time of day n days later; within n working days means by the end of
//! the nth working day after the day of receipt, with make-up days.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use calendar::{Budget, Calendar, DayKind, builtin};
use flate2::read::GzDecoder;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime, date};

fn data(name: &str) -> PathBuf {
    let Some(folder) = std::env::var_os("REDRESS_DATA") else {
        panic!("REDRESS_DATA does not name the folder with {name}");
    };
    PathBuf::from(folder).join(name)
}

/// When each message came and when it was answered.
fn messages(path: PathBuf, calendar: &Calendar) -> Vec<(Timestamp, Timestamp)> {
    let mut text = String::new();
    GzDecoder::new(File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    let mut reader = csv::Reader::from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    let headers = reader.headers().unwrap().clone();
    let column = |name: &str| headers.iter().position(|header| header == name).unwrap();
    let (asked, answered) = (column("留言时间"), column("答复时间"));
    let time = |text: &str| {
        // Seconds, minutes or the whole time of day are missing here and there.
        let text = text.trim().replace('/', "-");
        let formats = ["%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M"];
        let shown = formats.iter().find_map(|format| DateTime::strptime(format, &text).ok());
        let shown = shown.unwrap_or_else(|| Date::strptime("%Y-%m-%d", &text).unwrap().at(0, 0, 0, 0));
        calendar.zone().to_timestamp(shown).unwrap()
    };
    reader
        .records()
        .map(|record| record.unwrap())
        .map(|row| (time(&row[asked]), time(&row[answered])))
        .collect()
}

#[test]
#[ignore = "needs the real files: `make real` runs it"]
fn the_shares_of_real_answers_in_time_are_the_known_ones() {
    let calendar = builtin::get("cn").unwrap();
    let messages = messages(data("zh_gov_messages_with_replies_2816.csv.gz"), calendar);
    assert_eq!(messages.len(), 2_816);
    let share = |budget: String| {
        let budget: Budget = budget.parse().unwrap();
        let in_time =
            messages.iter().filter(|(asked, answered)| *answered < budget.due(calendar, *asked)).count();
        format!("{:.1}", 100.0 * f64::from(u32::try_from(in_time).unwrap()) / 2_816.0)
    };
    let days = [7, 15, 30, 60].map(|days| share(format!("{days} days to same time")));
    assert_eq!(days, ["35.2", "61.5", "83.6", "94.4"]);
    let working_days = [7, 15, 30].map(|days| share(format!("{days} working days")));
    assert_eq!(working_days, ["48.5", "74.7", "91.2"]);
}

#[test]
#[ignore = "needs the real files: `make real` runs it"]
fn the_built_in_calendar_of_china_is_the_real_one_as_published() {
    let path = data("calendar_cn_chinesecalendar_1.11.0.csv");
    let mut reader = csv::Reader::from_path(path).unwrap();
    let listed: Vec<(Date, DayKind)> = reader
        .records()
        .map(|record| record.unwrap())
        .map(|row| {
            (row[0].parse().unwrap(), if &row[1] == "holiday" { DayKind::Holiday } else { DayKind::Workday })
        })
        .collect();
    let calendar = builtin::get("cn").unwrap();
    let differs = |day: &Date| {
        let usual = day.weekday().to_monday_zero_offset() < 5;
        let worked =
            listed.iter().find(|entry| entry.0 == *day).map_or(usual, |entry| entry.1 == DayKind::Workday);
        calendar.is_worked(*day) != worked
    };
    let days = date(2004, 1, 1).series(jiff::Span::new().days(1)).take_while(|day| *day < date(2026, 12, 26));
    let differing: Vec<Date> = days.filter(differs).collect();
    // The one day they differ on: the announcement for 2006 has it worked.
    assert_eq!(differing, [date(2005, 12, 31)]);
}
