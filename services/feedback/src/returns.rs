//! Returns to regulators: what they ask to be told of the complaints of a period, in their
//! form, or nothing.
//!
//! `record` is what facts know of a case, `mapping` how a tenant's words become a regulator's
//! codes. `cfpb`, `asic` and `cn_bank` make rows of records, `fca` counts them. A [`Maker`]
//! takes records one page after another, and gives the file part by part; whatever a record
//! lacks is an [`Issue`], and a return with issues is none.

pub mod asic;
pub mod cfpb;
pub mod cn_bank;
pub mod fca;
pub mod mapping;
pub mod record;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use calendar::{Calendar, builtin};
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan as _};
use kernel::{CaseId, Money};

use crate::kpi::window::begin;
use crate::report::csv;

pub use mapping::Mapping;
pub use record::Record;

/// Longest period, in days.
pub const MAX_DAYS: i32 = 366;
/// Most issues that are told one by one.
pub const MAX_ISSUES: usize = 200;
/// Most cases that are looked at with one statement.
pub const PAGE: usize = 1_000;
/// The FCA's consolidated return holds from here on.
pub const FCA_CONSOLIDATED: Date = date(2027, 1, 1);

kernel::numbered! {
    /// Whose form a return has.
    Regime {
        /// The Consumer Financial Protection Bureau's.
        Cfpb = 1,
        /// The Financial Conduct Authority's.
        FcaDisp1Annex1r = 2,
        /// The Australian Securities and Investments Commission's.
        AsicIdr = 3,
        /// Banks in China.
        CnBank = 4,
    }
}

kernel::numbered! {
    /// What a return is written as.
    Format {
        /// A table.
        Csv = 1,
        /// An object.
        Json = 2,
    }
}

impl Regime {
    /// How names of its files begin.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cfpb => "cfpb",
            Self::FcaDisp1Annex1r => "fca-disp-1-annex-1r",
            Self::AsicIdr => "asic-idr",
            Self::CnBank => "cn-bank",
        }
    }

    /// Whether complaints that were open at the start belong to it as well.
    pub fn carries_over(self) -> bool {
        matches!(self, Self::FcaDisp1Annex1r | Self::AsicIdr)
    }
}

/// The days of a return.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Term {
    /// The first.
    pub start: Date,
    /// The day after the last.
    pub end: Date,
}

impl Term {
    /// Whether it is a half of a calendar year.
    pub fn is_half_year(&self) -> bool {
        let is_first = self.start.day() == 1 && matches!(self.start.month(), 1 | 7);
        is_first && self.start.checked_add(Span::new().months(6)).is_ok_and(|end| end == self.end)
    }

    /// What is wrong with it for a regime.
    pub fn flaw(&self, regime: Regime) -> Option<&'static str> {
        let is_consolidated = self.end > FCA_CONSOLIDATED;
        match regime {
            Regime::FcaDisp1Annex1r if is_consolidated && self.start < FCA_CONSOLIDATED => {
                Some("must not lie beyond 2027-01-01, from when on another return holds")
            }
            Regime::AsicIdr if !self.is_half_year() => Some("must be the end of a half-year that begins it"),
            Regime::FcaDisp1Annex1r if is_consolidated && !self.is_half_year() => {
                Some("must be the end of a half-year that begins it")
            }
            _ => None,
        }
    }

    /// Its last day.
    pub fn last(&self) -> Date {
        self.end.checked_sub(1.day()).unwrap_or(self.end)
    }
}

/// A return that is to be made.
#[derive(Debug)]
pub struct Return {
    /// Whose form it has.
    pub regime: Regime,
    /// What it is written as.
    pub format: Format,
    /// Its days.
    pub term: Term,
    /// The zone they are in.
    pub zone: TimeZone,
    /// When they begin.
    pub from: Timestamp,
    /// When they end.
    pub until: Timestamp,
    /// What happened from here on is not told.
    pub as_of: Timestamp,
    /// How cases become records.
    pub mapping: Mapping,
    /// The version of that.
    pub mapping_version: i64,
    /// By which business days are counted; Monday to Friday without one.
    calendar: Option<&'static Calendar>,
}

impl Return {
    /// A return of some days of a zone, as things stand now.
    pub fn new(
        (regime, format, term): (Regime, Format, Term),
        zone: TimeZone,
        (mapping, mapping_version): (Mapping, i64),
        now: Timestamp,
    ) -> Self {
        let (from, until) = (begin(term.start, &zone), begin(term.end, &zone));
        let named = builtin::get(&mapping.calendar);
        let of_zone = || builtin::names().filter(|name| *name != "always").filter_map(builtin::get);
        let calendar = named.or_else(|| of_zone().find(|one| one.zone().iana_name() == zone.iana_name()));
        let as_of = until.min(now);
        Self { regime, format, term, zone, from, until, as_of, mapping, mapping_version, calendar }
    }

    /// Whether its days are over.
    pub fn has_ended(&self) -> bool {
        self.as_of == self.until
    }

    /// The day of a moment.
    pub fn date(&self, at: Timestamp) -> Date {
        self.zone.to_datetime(at).date()
    }

    /// Whether a moment lies within its days.
    pub fn covers(&self, at: Timestamp) -> bool {
        self.from <= at && at < self.until
    }

    fn is_business_day(&self, day: Date) -> bool {
        let is_weekday = day.weekday().to_monday_zero_offset() < 5;
        let is_worked = self.calendar.map_or(is_weekday, |calendar| calendar.is_worked(day));
        is_worked && !self.mapping.closed_dates.contains(&day)
    }

    /// The so manieth business day after a day.
    pub fn business_day_after(&self, day: Date, count: usize) -> Date {
        let after = day.tomorrow().unwrap_or(day).series(1.day()).take(MAX_IDLE + count);
        after.filter(|day| self.is_business_day(*day)).nth(count.saturating_sub(1)).unwrap_or(Date::MAX)
    }

    /// The name its file is best kept under.
    pub fn file_name(&self, entity: &str) -> String {
        let ending = if self.format == Format::Json { "json" } else { "csv" };
        let of = if entity.is_empty() { String::new() } else { format!("-{entity}") };
        format!("{}{of}-{}-{}.{ending}", self.regime.name(), self.term.start, self.term.last())
    }
}

/// A sum as a decimal number.
fn decimal(minor: i64, currency: &str) -> String {
    let text = Money { minor, currency: currency.to_owned() }.to_string();
    text.split_once(' ').map_or_else(String::new, |(_, number)| number.to_owned())
}

/// No business day is looked for beyond so many days, and as many as are counted.
const MAX_IDLE: usize = 800;

/// What a record, or the return as a whole, lacks or has wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issue {
    /// The case; none where it is the return as a whole.
    pub case: Option<CaseId>,
    /// The field.
    pub field: &'static str,
    /// What is wrong with it.
    pub problem: String,
}

/// What one record lacks.
pub type Problems = Vec<(&'static str, String)>;

/// How complete a return is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completeness {
    /// How many complaints it tells of.
    pub records: i64,
    /// How many of them are incomplete.
    pub incomplete: i64,
    /// How many fields are missing or wrong.
    pub issues: i64,
    /// The first of them.
    pub first: Vec<Issue>,
}

impl Completeness {
    fn note(&mut self, case: Option<CaseId>, problems: Problems) {
        self.incomplete += i64::from(case.is_some() && !problems.is_empty());
        for (field, problem) in problems {
            self.issues += 1;
            if self.first.len() < MAX_ISSUES {
                self.first.push(Issue { case, field, problem });
            }
        }
    }
}

/// What a file comes to.
#[derive(Debug)]
pub struct Examined {
    /// How complete it is.
    pub completeness: Completeness,
    /// How long it is.
    pub size: usize,
    /// What it hashes to.
    pub sha256: Vec<u8>,
}

/// Makes the file of a return, part by part.
#[derive(Debug)]
pub struct Maker {
    of: Arc<Return>,
    counts: fca::Counts,
    /// How complete it is so far.
    pub completeness: Completeness,
}

impl Maker {
    /// Begins with a file.
    pub fn new(of: Arc<Return>) -> Self {
        Self { of, counts: fca::Counts::default(), completeness: Completeness::default() }
    }

    /// What the file begins with.
    pub fn head(&mut self) -> String {
        let of = Arc::clone(&self.of);
        let heading = |name: &&str| csv::field(of.mapping.heading(name));
        match of.regime {
            Regime::Cfpb => csv::line(cfpb::COLUMNS.iter().map(|name| csv::field(name))),
            Regime::AsicIdr => csv::line(asic::COLUMNS.iter().map(heading)),
            Regime::CnBank => format!("\u{feff}{}", csv::line(cn_bank::COLUMNS.iter().map(heading))),
            Regime::FcaDisp1Annex1r => String::new(),
        }
    }

    /// Takes the next records, and gives what follows.
    pub fn take(&mut self, records: &[Record]) -> String {
        let mut part = String::new();
        for record in records {
            let of = Arc::clone(&self.of);
            if !record.belongs_to(&of) {
                continue;
            }
            let mut problems = record.flaws(&of);
            let row = match of.regime {
                Regime::Cfpb => cfpb::row(&of, record, &mut problems),
                Regime::AsicIdr => asic::row(&of, record, &mut problems),
                Regime::CnBank => cn_bank::row(&of, record, &mut problems),
                Regime::FcaDisp1Annex1r => {
                    self.counts.take(&of, record, &mut problems);
                    Vec::new()
                }
            };
            if !row.is_empty() {
                part += &csv::line(row);
            }
            self.completeness.records += 1;
            self.completeness.note(Some(record.case_id), problems);
        }
        part
    }

    /// What the file ends with.
    pub fn tail(&mut self) -> String {
        let of = Arc::clone(&self.of);
        let mut problems = match of.regime {
            Regime::Cfpb => of.mapping.lacking(&["company"]),
            Regime::AsicIdr => of.mapping.lacking(&["status_open", "status_closed"]),
            Regime::CnBank => of.mapping.lacking(&["institution"]),
            Regime::FcaDisp1Annex1r => self.counts.flaws(&of),
        };
        if !of.mapping.calendar.is_empty() && builtin::get(&of.mapping.calendar).is_none() {
            problems.push(("calendar", "is no calendar that ships with Redress".to_owned()));
        }
        self.completeness.note(None, problems);
        match (of.regime, of.format) {
            (Regime::FcaDisp1Annex1r, Format::Json) => self.counts.json(&of),
            (Regime::FcaDisp1Annex1r, Format::Csv) => self.counts.csv(&of),
            _ => String::new(),
        }
    }
}
