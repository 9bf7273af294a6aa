//! The rows of a workbook's sheet.

use anyhow::{Context as _, bail};
use tables::workbook::{Cell, Row as SheetRow, Sheet};

use super::mapping::{Fitted, Mapping};
use super::problem::{Kind, Problem};
use super::rows::{Layout, Reading, Row, Rows, cells_fit, key};

/// Rows of a sheet: its first row that is not blank has the headings.
pub(super) fn reading(mut sheet: Sheet, mapping: Mapping) -> anyhow::Result<Reading> {
    let (name, declared) = (sheet.name.clone(), sheet.rows);
    let first = sheet.find(|row| row.as_ref().map_or(true, |row| !is_blank(row)));
    let headings = first.with_context(|| format!("there are no headings: the sheet {name:?} is empty"))??;
    let Some(cells) = headings.cells else { bail!("the headings: they have more than 2 MiB") };
    let mut headings = Vec::new();
    for cell in cells {
        headings.push(cell.map_err(|wrong| anyhow::anyhow!("the headings: one {wrong}"))?.trim().to_owned());
    }
    while headings.last().is_some_and(String::is_empty) {
        headings.pop();
    }
    let fitted = mapping.fit(&headings)?;
    let layout = Layout {
        sheet: Some(name),
        rows: declared.map(u64::from),
        plan: Some(fitted.plan()),
        ..Layout::default()
    };
    let columns = headings.len();
    let full = sheet.filter(|row| row.as_ref().map_or(true, |row| !is_blank(row)));
    let cut = full.map(|row| row.map_err(anyhow::Error::from));
    let read = move |row| complaint(row, columns, &fitted);
    Ok(Reading { rows: Rows::new(cut, read), layout })
}

fn is_blank(row: &SheetRow) -> bool {
    let is_blank = |cell: &Cell| cell.as_ref().is_ok_and(|text| text.trim().is_empty());
    row.cells.as_ref().is_some_and(|cells| cells.iter().all(is_blank))
}

fn complaint(row: SheetRow, columns: usize, fitted: &Fitted) -> Row {
    let number = u64::from(row.number);
    let Some(mut cells) = row.cells else {
        let too_long = Problem::of_row(Kind::TooLong, "has more than 2 MiB of text");
        return Row { number, key: key([number.to_be_bytes().as_slice()]), complaint: Err(vec![too_long]) };
    };
    // A sheet's rows end with the last cell that has something.
    while cells.len() > columns && cells.last().is_some_and(|cell| cell.as_ref().is_ok_and(String::is_empty))
    {
        cells.pop();
    }
    cells.resize(columns.max(cells.len()), Ok(String::new()));
    let mut problems = Vec::new();
    let mut texts = Vec::new();
    for (column, cell) in cells.into_iter().enumerate() {
        texts.push(cell.unwrap_or_else(|wrong| {
            let (field, heading) = fitted.of_column(column);
            // What nothing comes from harms nothing.
            if field.is_some() {
                let wrong = Problem::of_row(Kind::Cell, wrong.to_string());
                problems.push(Problem { field, column: heading, ..wrong });
            }
            String::new()
        }));
    }
    let key = key(texts.iter().map(String::as_bytes));
    let complaint = cells_fit(texts.len(), columns).and_then(|()| {
        let read = fitted.complaint(&texts);
        match (read, problems.is_empty()) {
            (read, true) => read,
            (Ok(_), false) => Err(problems),
            (Err(more), false) => Err(problems.into_iter().chain(more).collect()),
        }
    });
    Row { number, key, complaint }
}
