//! A report in one language: what it says, section by section, before it is written down.

mod maker;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::section::Name;
use super::word::{Language, Word};
use crate::kpi::Time;

pub use charts::{Bar, BarRow, Chart};
pub use maker::{document, value_name};

/// What a cell of a table holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// There is nothing to tell.
    None,
    /// It is not told: too few.
    Suppressed,
    /// A text.
    Text(String),
    /// A number of things.
    Count(i64),
    /// A share, 0.0–1.0.
    Share(f64),
    /// From one share to another.
    Range(f64, f64),
    /// Seconds, and of which time.
    Duration(f64, Time),
    /// A sum in the smallest unit of a currency.
    Money(String, i64),
}

/// A table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// What columns are called.
    pub columns: Vec<String>,
    /// The rows, each as long as there are columns.
    pub rows: Vec<Vec<Cell>>,
    /// Columns that may be added up.
    pub summed: Vec<usize>,
    /// What is said below it.
    pub notes: Vec<String>,
}

/// A section of a report.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// Which it is.
    pub name: Name,
    /// What it is called.
    pub title: String,
    /// What it says.
    pub lead: String,
    /// Its chart.
    pub chart: Option<Chart>,
    /// The columns of its table that a chart of a workbook shows.
    pub charted: Vec<usize>,
    /// Its table.
    pub table: Table,
}

/// A report in one language.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// The language.
    pub language: Language,
    /// What it is called.
    pub title: String,
    /// What kind it is.
    pub kind: String,
    /// What is said of all of it.
    pub notes: Vec<String>,
    /// Its sections.
    pub blocks: Vec<Block>,
}

/// A moment in a zone.
pub fn moment(at: Timestamp, zone: &str) -> String {
    let zone = calendar::zones::get(zone).unwrap_or(TimeZone::UTC);
    at.to_zoned(zone).strftime("%Y-%m-%d %H:%M").to_string()
}

/// A number with its thousands parted.
pub fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if number < 0 { format!("-{text}") } else { text }
}

/// A cell, as people read it.
pub fn shown(cell: &Cell, language: Language) -> String {
    match cell {
        Cell::None => "–".to_owned(),
        Cell::Suppressed => "–*".to_owned(),
        Cell::Text(text) => text.clone(),
        Cell::Count(count) => grouped(*count),
        Cell::Share(share) => format!("{:.1}%", share * 100.0),
        Cell::Range(lower, upper) => format!("{:.1}–{:.1}%", lower * 100.0, upper * 100.0),
        Cell::Duration(seconds, time) => duration(*seconds, *time, language),
        Cell::Money(currency, minor) => {
            let size = minor.unsigned_abs().try_into().unwrap_or(i64::MAX);
            let money = kernel::Money { currency: currency.clone(), minor: size }.to_string();
            let (code, sum) = money.split_once(' ').unwrap_or((currency, ""));
            let (units, rest) = sum.find('.').map_or((sum, ""), |point| sum.split_at(point));
            let units = units.parse().map_or_else(|_| units.to_owned(), grouped);
            format!("{code} {}{units}{rest}", if *minor < 0 { "-" } else { "" })
        }
    }
}

/// A duration in the unit that reads best; days are of 24 hours, so of working time there are
/// none.
fn duration(seconds: f64, time: Time, language: Language) -> String {
    let (number, unit) = if seconds < 59.5 {
        (format!("{seconds:.0}"), Word::SecondsShort)
    } else if seconds < 3_570.0 {
        (format!("{:.0}", seconds / 60.0), Word::MinutesShort)
    } else if seconds < 172_800.0 || time == Time::Working {
        (format!("{:.1}", seconds / 3_600.0), Word::HoursShort)
    } else {
        (format!("{:.1}", seconds / 86_400.0), Word::DaysShort)
    };
    format!("{number} {}", unit.of(language))
}
