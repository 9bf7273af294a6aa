//! What is wrong with a row.

use std::fmt;

/// Letters of a cell that are quoted.
const QUOTED: usize = 40;

/// Kinds of problems, to be counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Bytes that the encoding does not have.
    NotText,
    /// More or fewer cells than there are headings.
    Cells,
    /// More text or cells than a row may have.
    TooLong,
    /// A quoted cell without an end.
    NeverEnds,
    /// A line that is no JSON of a complaint.
    NotJson,
    /// A field that registration gives.
    Given,
    /// A cell of a spreadsheet that has an error, or a number that lost digits.
    Cell,
    /// No time, or one that may be two.
    Time,
    /// No number or sum, or one that may be two.
    Number,
    /// Not a value of those there are.
    Choice,
    /// Neither true nor false.
    Truth,
    /// No telephone number.
    Phone,
    /// Evidence that does not fit together.
    Evidence,
}

impl Kind {
    /// Its name for programs.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotText => "NOT_TEXT",
            Self::Cells => "NUMBER_OF_CELLS",
            Self::TooLong => "TOO_LONG",
            Self::NeverEnds => "NEVER_ENDS",
            Self::NotJson => "NOT_JSON",
            Self::Given => "GIVEN_AT_REGISTRATION",
            Self::Cell => "CELL_ERROR",
            Self::Time => "NOT_A_TIME",
            Self::Number => "NOT_A_NUMBER",
            Self::Choice => "NOT_A_CHOICE",
            Self::Truth => "NOT_TRUE_OR_FALSE",
            Self::Phone => "NOT_A_PHONE",
            Self::Evidence => "EVIDENCE",
        }
    }
}

/// What is wrong with a row, or a cell of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What kind it is of.
    pub kind: Kind,
    /// The field it keeps from being read; none where it is the whole row.
    pub field: Option<String>,
    /// The heading of the cell.
    pub column: Option<String>,
    /// What the cell says, cut.
    pub value: Option<String>,
    /// Why, as the end of a sentence that begins with the cell.
    pub why: String,
}

impl Problem {
    /// A problem of a whole row.
    pub fn of_row(kind: Kind, why: impl Into<String>) -> Self {
        Self { kind, field: None, column: None, value: None, why: why.into() }
    }

    /// A problem of a cell, whose place is still to be told.
    pub(super) fn of_cell(kind: Kind, value: &str, why: impl fmt::Display) -> Self {
        Self { kind, field: None, column: None, value: Some(cut(value)), why: why.to_string() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(field) = &self.field {
            write!(f, "{field} ")?;
        }
        f.write_str(&self.why)?;
        match &self.value {
            Some(value) => write!(f, ": {value:?}"),
            None => Ok(()),
        }
    }
}

/// All problems of a row in one sentence.
pub fn sentence(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// The beginning of a text.
pub fn cut(text: &str) -> String {
    let mut letters = text.chars();
    let mut begin: String = letters.by_ref().take(QUOTED).collect();
    if letters.next().is_some() {
        begin.push('…');
    }
    begin
}
