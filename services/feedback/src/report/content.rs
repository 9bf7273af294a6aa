//! The figures of a report, as they are kept until all its files are made.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::Term;
use super::section::{Ask, Question};
use crate::kpi::{Figure, Row};

/// Most groups that are kept of an answer: those counted from most.
pub const MAX_GROUPS: usize = 300;

/// Which time a figure is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum When {
    /// That of the report.
    Now,
    /// The one before.
    Before,
    /// The same a year earlier.
    YearBefore,
}

impl When {
    /// The time, of the report's.
    pub fn of(self, term: &Term) -> Term {
        match self {
            Self::Now => *term,
            Self::Before => term.before(),
            Self::YearBefore => term.year_before(),
        }
    }
}

/// An answer to a question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The KPI.
    pub kpi: String,
    /// Which time a duration counts, by its number.
    pub time: i16,
    /// What its figures are told apart by, by its number.
    pub dimension: Option<i16>,
    /// Whether it is told of each day or month.
    pub parts: bool,
    /// Of which time.
    pub when: When,
    /// First day.
    pub start: Date,
    /// The day after the last.
    pub end: Date,
    /// The figures.
    pub rows: Vec<Told>,
    /// How many groups more there are.
    pub left_out: usize,
    /// There were too many groups to count.
    pub too_many: bool,
}

/// A figure and what it is of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Told {
    /// The day or month, or the age.
    pub period: String,
    /// The value of the dimension.
    pub value: String,
    /// The figure.
    pub figure: Figure,
}

/// All figures of a report, of one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Content {
    /// The moment.
    pub as_of: Timestamp,
    /// IANA name of the zone of its days.
    pub zone: String,
    /// Groups of fewer are suppressed.
    pub min_group: i32,
    /// The time has not ended.
    pub unfinished: bool,
    /// The facts were being rebuilt: they lack what was not read again yet.
    pub rebuilding: bool,
    /// The answers.
    pub answers: Vec<Answer>,
}

impl Answer {
    /// The answer to a question: its rows, or none where there were too many.
    pub fn new(question: &Question, term: &Term, days: i32, rows: Option<Vec<Row>>) -> Self {
        let Ask { kpi, time, dimension, parts, compared: _ } = question.ask;
        let too_many = rows.is_none();
        let told = |row: Row| {
            let Row { period, value, figure, previous: _ } = row;
            Told { period, value, figure }
        };
        let mut rows: Vec<Told> = rows.unwrap_or_default().into_iter().map(told).collect();
        if dimension.is_some() {
            // What is suppressed has no size, and comes last.
            rows.sort_by(|one, other| {
                (other.figure.group, &one.value).cmp(&(one.figure.group, &other.value))
            });
        }
        let left_out = if dimension.is_some() { rows.len().saturating_sub(MAX_GROUPS) } else { 0 };
        rows.truncate(rows.len() - left_out);
        let window = question.when.of(term).window(days);
        Self {
            kpi: kpi.to_owned(),
            time: time.number(),
            dimension: dimension.map(crate::kpi::Dimension::number),
            parts,
            when: question.when,
            start: window.start,
            end: window.end,
            rows,
            left_out,
            too_many,
        }
    }

    fn is_of(&self, ask: &Ask, when: When) -> bool {
        self.kpi == ask.kpi
            && self.time == ask.time.number()
            && self.dimension == ask.dimension.map(crate::kpi::Dimension::number)
            && self.parts == ask.parts
            && self.when == when
    }
}

impl Content {
    /// The answer to a question, if it was asked.
    pub fn answer(&self, ask: &Ask, when: When) -> Option<&Answer> {
        self.answers.iter().find(|answer| answer.is_of(ask, when))
    }

    /// The one figure of a question that is told apart by nothing.
    pub fn figure(&self, ask: &Ask, when: When) -> Option<&Figure> {
        self.answer(ask, when)?.rows.first().map(|row| &row.figure)
    }
}
