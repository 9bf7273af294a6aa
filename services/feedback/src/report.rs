//! Reports: what is told of the complaints of a month, a quarter or a year.
//!
//! `section` is what a report asks, `content` the figures it got, `word` the words for them in
//! each language. `document` joins them; `html`, `xlsx` and `csv` write it down, the first
//! with the charts of `charts`; the latter two by way of `data`.

pub mod content;
pub mod csv;
pub mod data;
pub mod document;
pub mod html;
pub mod section;
pub mod word;
pub mod xlsx;

#[cfg(test)]
mod tests;

use jiff::civil::Date;
use jiff::{Span, Timestamp};
use uuid::Uuid;

use crate::kpi::{Period, Window};

pub use word::Language;

/// How often it is tried to make a report.
pub const MAX_ATTEMPTS: i32 = 5;
/// Most reports of a tenant that wait to be made.
pub const MAX_WAITING: i64 = 20;
/// Most days after the end of its time that a schedule has a report made.
pub const MAX_AFTER_DAYS: i32 = 28;
/// No time has more days.
const MOST_DAYS: i32 = 366;
/// Most bytes of a file that are kept in one row, and sent at once.
pub const CHUNK: usize = 256 * 1024;

kernel::numbered! {
    /// How long the time of a report is.
    Length {
        /// A calendar month.
        Month = 1,
        /// A calendar quarter.
        Quarter = 2,
        /// A calendar year.
        Year = 3,
    }
}

kernel::numbered! {
    /// What a report is written as.
    Format {
        /// A page with charts.
        Html = 1,
        /// A workbook.
        Xlsx = 2,
        /// All figures, a row each.
        Csv = 3,
    }
}

kernel::numbered! {
    /// What becomes of a report.
    State {
        /// Nobody has begun.
        Pending = 1,
        /// It is being made.
        Running = 2,
        /// Its files are there.
        Done = 3,
        /// It was given up.
        Failed = 4,
    }
}

impl Length {
    fn months(self) -> i8 {
        match self {
            Self::Month => 1,
            Self::Quarter => 3,
            Self::Year => 12,
        }
    }

    fn span(self) -> Span {
        Span::new().months(self.months())
    }
}

impl Format {
    /// How names of its files end.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Html => "html",
            Self::Xlsx => "xlsx",
            Self::Csv => "csv",
        }
    }
}

/// The time of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Term {
    /// How long it is.
    pub length: Length,
    /// Its first day.
    pub start: Date,
}

impl Term {
    /// The time that begins on a day; none where that is not the first of one.
    pub fn new(length: Length, start: Date) -> Option<Self> {
        let term = Self::around(length, start);
        (term.start == start).then_some(term)
    }

    /// The time a day lies in.
    pub fn around(length: Length, day: Date) -> Self {
        let months = length.months();
        let month = (day.month() - 1) / months * months + 1;
        let start = Date::new(day.year(), month, 1).unwrap_or(day);
        Self { length, start }
    }

    /// The day after its last.
    pub fn end(&self) -> Date {
        self.start.checked_add(self.length.span()).unwrap_or(self.start)
    }

    /// The time before it.
    #[must_use]
    pub fn before(&self) -> Self {
        let start = self.start.checked_sub(self.length.span()).unwrap_or(self.start);
        Self { start, ..*self }
    }

    /// The same time a year earlier.
    #[must_use]
    pub fn year_before(&self) -> Self {
        let start = self.start.checked_sub(Span::new().years(1)).unwrap_or(self.start);
        Self { start, ..*self }
    }

    /// The last time that ended so many days ago or more.
    pub fn last_due(length: Length, today: Date, after_days: i32) -> Self {
        let day = today.checked_sub(Span::new().days(after_days)).unwrap_or(today);
        Self::around(length, day).before()
    }

    /// How it is cut.
    pub fn period(&self) -> Period {
        match self.length {
            Length::Month => Period::Day,
            Length::Quarter | Length::Year => Period::Month,
        }
    }

    /// Its days up to one of them.
    pub fn window(&self, days: i32) -> Window {
        let until = self.start.checked_add(Span::new().days(days)).unwrap_or(self.start);
        Window { start: self.start, end: until.min(self.end()), period: None }
    }

    /// How many of its days there have been; all of one that has ended.
    pub fn days_until(&self, today: Date) -> i32 {
        let tomorrow = today.tomorrow().unwrap_or(today);
        if tomorrow >= self.end() {
            return MOST_DAYS;
        }
        self.start.until(tomorrow).map_or(1, |span| span.get_days()).max(1)
    }

    /// How its files are named, but for the ending.
    pub fn file_name(&self) -> String {
        let year = self.start.year();
        match self.length {
            Length::Month => format!("complaints-{year}-{:02}", self.start.month()),
            Length::Quarter => format!("complaints-{year}-q{}", self.quarter()),
            Length::Year => format!("complaints-{year}"),
        }
    }

    /// Which quarter of its year it begins.
    pub fn quarter(&self) -> i8 {
        (self.start.month() - 1) / 3 + 1
    }
}

/// What a report shall be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// Its time.
    pub term: Term,
    /// What it is written in.
    pub languages: Vec<Language>,
    /// What it is written as, each in every language.
    pub formats: Vec<Format>,
}

impl Definition {
    /// Its files, in order.
    pub fn files(&self) -> Vec<(Language, Format)> {
        let of = |language: &Language| self.formats.iter().map(|format| (*language, *format)).collect();
        self.languages.iter().flat_map(|language| -> Vec<_> { of(language) }).collect()
    }
}

/// A file of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// What it is written in.
    pub language: Language,
    /// What it is written as.
    pub format: Format,
    /// How many bytes.
    pub size: i64,
    /// What they hash to.
    pub sha256: Vec<u8>,
}

/// A report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Its id.
    pub id: Uuid,
    /// What it shall be.
    pub definition: Definition,
    /// What became of it.
    pub state: State,
    /// Who asked for it; empty where a schedule did.
    pub creator: String,
    /// When it was asked for.
    pub created: Timestamp,
    /// The moment its figures are of.
    pub as_of: Option<Timestamp>,
    /// When it was done or given up.
    pub finished: Option<Timestamp>,
    /// Why it was given up or put off.
    pub failure: String,
    /// The files there are.
    pub files: Vec<File>,
}

impl Report {
    /// How many of its parts are made: the figures are one, each file another.
    pub fn parts(&self) -> (usize, usize) {
        let done = usize::from(self.as_of.is_some()) + self.files.len();
        (done, 1 + self.definition.files().len())
    }
}

/// Reports that are made by themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// How long their time is.
    pub length: Length,
    /// What they are written in.
    pub languages: Vec<Language>,
    /// What they are written as.
    pub formats: Vec<Format>,
    /// How many days after the end of their time they are made.
    pub after_days: i32,
}

impl Schedule {
    /// The report that is due, whether it was made or not.
    pub fn due(&self, today: Date) -> Definition {
        let term = Term::last_due(self.length, today, self.after_days);
        Definition { term, languages: self.languages.clone(), formats: self.formats.clone() }
    }
}

/// A tenant's schedules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schedules {
    /// Counts the changes.
    pub version: i64,
    /// The schedules.
    pub schedules: Vec<Schedule>,
    /// Why it is so.
    pub note: String,
}
