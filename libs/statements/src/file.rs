//! The rows of a statement's file, whatever its format, in bounded memory.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read};
use std::path::Path;

use proto::redress::resolution::v1::StatementRow;

use crate::{camt, mt940, table};

/// What text in UTF-8 may begin with.
const MARK: &[u8] = "\u{feff}".as_bytes();

/// What a statement is read from.
pub(crate) type Input = BufReader<Box<dyn Read + Send>>;

/// A statement that is being read, by its format.
enum Format {
    /// A table of separated cells.
    Table(Box<table::Rows>),
    /// A message `camt.053` of ISO 20022.
    Camt(Box<camt::Rows>),
    /// Messages MT940 of SWIFT.
    Mt940(Box<mt940::Rows>),
}

/// A statement that is being read, in bounded memory; its first characters tell its format.
pub struct Statement(Format);

impl Statement {
    /// Opens a file; `-` is standard input. `currency` is that of rows of a table that name none.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be read, or is a table without the columns that are needed.
    pub fn open(path: &Path, currency: &str) -> anyhow::Result<Self> {
        let input: Box<dyn Read + Send> =
            if path == Path::new("-") { Box::new(io::stdin()) } else { Box::new(File::open(path)?) };
        Self::read(input, currency)
    }

    /// Reads from what is not a file.
    ///
    /// # Errors
    ///
    /// Fails as [`Statement::open`] does.
    pub fn read(input: Box<dyn Read + Send>, currency: &str) -> anyhow::Result<Self> {
        let mut input = BufReader::new(input);
        if input.fill_buf()?.starts_with(MARK) {
            input.consume(MARK.len());
        }
        let start = input.fill_buf()?.trim_ascii_start();
        if start.starts_with(b"<") {
            return Ok(Self(Format::Camt(Box::new(camt::Rows::open(input)))));
        }
        if start.starts_with(b":20:") || start.starts_with(b"{1:") {
            return Ok(Self(Format::Mt940(Box::new(mt940::Rows::open(input)))));
        }
        Ok(Self(Format::Table(Box::new(table::Rows::open(input, currency)?))))
    }

    /// So many rows more, or those that are left. A row that is wrong says so in its `fault`.
    ///
    /// # Errors
    ///
    /// Fails if the rest cannot be read at all: it is cut off, or no statement.
    pub fn next(&mut self, count: usize) -> anyhow::Result<Vec<StatementRow>> {
        match &mut self.0 {
            Format::Table(rows) => Ok(rows.next(count)?),
            Format::Camt(rows) => rows.next(count),
            Format::Mt940(rows) => rows.next(count),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The rows of a text, read two by two.
    pub(crate) fn rows(text: &str, currency: &str) -> anyhow::Result<Vec<StatementRow>> {
        let mut statement = Statement::read(Box::new(io::Cursor::new(text.as_bytes().to_vec())), currency)?;
        let mut all = Vec::new();
        loop {
            let some = statement.next(2)?;
            if some.is_empty() {
                return Ok(all);
            }
            all.extend(some);
        }
    }

    /// A row as its reference, sum, way, day and what is wrong with it.
    pub(crate) fn told(row: &StatementRow) -> (i64, &str, String, &str, &str, &str) {
        let sum = row.amount.as_ref().map_or(String::new(), |sum| show::lines::money(Some(sum)));
        let way = row.direction().as_str_name().trim_start_matches("STATEMENT_DIRECTION_");
        (row.number, &row.reference, sum, way, &row.day, &row.fault)
    }
}
