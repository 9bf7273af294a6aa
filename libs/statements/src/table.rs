//! A statement as a table of separated cells.

use std::io::{self, BufRead as _};

use anyhow::{Context as _, bail};
use proto::redress::resolution::v1::{StatementDirection, StatementRow};

use crate::file::Input;
use imports::{Table, separator};
use show::lines::read_money;

/// Where the columns are.
struct Columns {
    reference: usize,
    amount: usize,
    currency: Option<usize>,
    direction: Option<usize>,
    day: Option<usize>,
}

/// A table that is being read.
pub(crate) struct Rows {
    table: Table<Input>,
    columns: Columns,
    currency: String,
    number: i64,
}

impl Rows {
    /// Reads the names of the columns.
    pub(crate) fn open(mut input: Input, currency: &str) -> anyhow::Result<Self> {
        let separator = separator(input.fill_buf()?);
        let mut table = Table::new(input, separator);
        let names = match table.next()? {
            Some(Ok(names)) => names,
            Some(Err(wrong)) => bail!("the line of names {wrong}"),
            None => bail!("it is empty"),
        };
        let names: Vec<String> =
            names.iter().map(|name| String::from_utf8_lossy(name).trim().to_lowercase()).collect();
        let place = |name: &str| names.iter().position(|known| known == name);
        let needed = |name: &str| place(name).with_context(|| format!("there is no column {name:?}"));
        let columns = Columns {
            reference: needed("reference")?,
            amount: needed("amount")?,
            currency: place("currency"),
            direction: place("direction"),
            day: place("day"),
        };
        Ok(Self { table, columns, currency: currency.to_owned(), number: 0 })
    }

    /// So many rows more, or those that are left.
    pub(crate) fn next(&mut self, count: usize) -> io::Result<Vec<StatementRow>> {
        let mut rows = Vec::new();
        while rows.len() < count {
            let Some(row) = self.table.next()? else { break };
            self.number += 1;
            rows.push(match row {
                Ok(cells) => self.row(&cells),
                Err(wrong) => self.faulty(format!("the row {wrong}")),
            });
        }
        Ok(rows)
    }

    fn faulty(&self, fault: String) -> StatementRow {
        StatementRow { number: self.number, fault, ..StatementRow::default() }
    }

    fn row(&self, cells: &[Vec<u8>]) -> StatementRow {
        let cell = |place: usize| {
            let bytes = cells.get(place).map(Vec::as_slice).unwrap_or_default();
            String::from_utf8_lossy(bytes).trim().to_owned()
        };
        let told = |place: Option<usize>| place.map(cell).filter(|text| !text.is_empty());
        let currency = told(self.columns.currency).unwrap_or_else(|| self.currency.clone());
        let direction = told(self.columns.direction).map_or("paid".to_owned(), |text| text.to_lowercase());
        let reference = cell(self.columns.reference);
        let sum = read_money(&format!("{currency} {}", cell(self.columns.amount)));
        let direction = match direction.as_str() {
            "paid" => Ok(StatementDirection::Paid),
            "collected" => Ok(StatementDirection::Collected),
            other => Err(format!("direction must be paid or collected, unlike {other:?}")),
        };
        match (sum, direction) {
            (Ok(sum), Ok(direction)) => StatementRow {
                number: self.number,
                reference,
                amount: Some(sum),
                direction: direction.into(),
                day: told(self.columns.day).unwrap_or_default(),
                fault: String::new(),
            },
            (Err(wrong), _) | (_, Err(wrong)) => StatementRow { reference, ..self.faulty(wrong) },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file;

    fn rows(text: &str) -> Vec<StatementRow> {
        file::tests::rows(text, "CNY").unwrap()
    }

    #[test]
    fn columns_are_found_by_name_and_what_is_not_told_is_paid_in_the_currency_asked_for() {
        let read = rows("\u{feff}Amount;note;Reference;day\n128.50;x;P-1;2026-11-28\n\n7;\"a;b\";P-2;\n");
        let money = |row: &StatementRow| show::lines::money(row.amount.as_ref());
        assert_eq!(read.len(), 2);
        assert_eq!(
            (read[0].number, read[0].reference.as_str(), money(&read[0]).as_str()),
            (1, "P-1", "CNY 128.50")
        );
        assert_eq!((read[0].direction(), read[0].day.as_str()), (StatementDirection::Paid, "2026-11-28"));
        assert_eq!((read[1].number, money(&read[1]).as_str(), read[1].day.as_str()), (2, "CNY 7.00", ""));
    }

    #[test]
    fn a_row_that_cannot_be_read_says_so_and_spoils_no_other() {
        let read = rows(
            "reference,amount,currency,direction\nA,1,USD,collected\nB,many,,\nC,1,,lost\nD,2,JPY,PAID\n",
        );
        let faults: Vec<bool> = read.iter().map(|row| !row.fault.is_empty()).collect();
        assert_eq!(faults, [false, true, true, false]);
        assert_eq!(read[0].direction(), StatementDirection::Collected);
        assert_eq!((read[2].number, read[2].reference.as_str()), (3, "C"));
        assert!(read[2].fault.contains("lost"), "{}", read[2].fault);
    }

    #[test]
    fn a_statement_without_its_columns_is_refused() {
        for (text, told) in [("", "empty"), ("a,b\n", "reference"), ("reference\n", "amount")] {
            let error = file::tests::rows(text, "").unwrap_err();
            assert!(error.to_string().contains(told), "{error}");
        }
    }
}
