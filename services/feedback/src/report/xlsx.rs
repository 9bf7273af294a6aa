//! A report as a workbook: a sheet for each section with a chart of the workbook's own, and one
//! with all figures, a row each, to turn tables from.

use jiff::tz::TimeZone;
use rust_xlsxwriter::{
    Chart as SheetChart, ChartType, Color, DocProperties, ExcelDateTime, Format, FormatAlign, FormatBorder,
    Formula, Workbook, Worksheet, XlsxError,
};
use tables::csv::is_lawful;

use super::Term;
use super::content::Content;
use super::data::{self, Field, major};
use super::document::{Block, Cell, Chart, Document, Table, document, shown};
use super::html::totals;
use super::word::{Language, Word};

/// Most UTF-16 units of a cell.
pub const MAX_CELL: usize = 32_767;
/// Most UTF-16 units of the name of a sheet.
const MAX_NAME: usize = 31;
/// Where a table begins: below the title and what it says.
const TOP: u32 = 3;
/// Rows that a chart covers.
const CHART_ROWS: u32 = 22;
/// Widths of columns.
const WIDE: f64 = 30.0;
const NARROW: f64 = 15.0;

/// How cells look.
struct Look {
    title: Format,
    lead: Format,
    heading: Format,
    text: Format,
    count: Format,
    share: Format,
    hours: Format,
    total: Format,
}

impl Look {
    fn new(language: Language) -> Self {
        let hours = format!("#,##0.0\" {}\"", Word::HoursShort.of(language));
        let faint = Color::RGB(0x0057_606A);
        Self {
            title: Format::new().set_bold().set_font_size(14),
            lead: Format::new().set_font_color(faint),
            heading: Format::new()
                .set_bold()
                .set_text_wrap()
                .set_align(FormatAlign::Top)
                .set_border_bottom(FormatBorder::Thin),
            text: Format::new().set_num_format("@"),
            count: Format::new().set_num_format("#,##0"),
            share: Format::new().set_num_format("0.0%"),
            hours: Format::new().set_num_format(hours),
            total: Format::new().set_bold().set_num_format("#,##0").set_border_top(FormatBorder::Thin),
        }
    }
}

/// A text as a cell may hold it: lines end with LF alone, and no more than fits.
pub fn cell_text(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut room = MAX_CELL;
    let fits = |letter: &char| {
        let fits = letter.len_utf16() <= room;
        room = if fits { room - letter.len_utf16() } else { 0 };
        fits
    };
    text.chars().map(|letter| if is_lawful(letter) { letter } else { '\u{fffd}' }).take_while(fits).collect()
}

/// A text as the name of a sheet.
fn sheet_name(text: &str) -> String {
    let kept = text.chars().filter(|letter| !"[]:*?/\\'".contains(*letter));
    let mut room = MAX_NAME;
    kept.take_while(|letter| {
        let fits = letter.len_utf16() <= room;
        room = room.saturating_sub(letter.len_utf16());
        fits
    })
    .collect()
}

/// The file.
///
/// # Errors
///
/// Fails where the workbook cannot hold what is written, which bounds rule out.
pub fn render(term: &Term, content: &Content, language: Language) -> Result<Vec<u8>, XlsxError> {
    let document = document(term, content, language);
    let mut workbook = Workbook::new();
    let look = Look::new(language);
    let mut properties = DocProperties::new().set_title(&document.title);
    let made = content.as_of.to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%S").to_string();
    if let Ok(made) = ExcelDateTime::parse_from_str(&made) {
        // The moment of the figures: made again, it is the same file.
        properties = properties.set_creation_datetime(&made);
    }
    workbook.set_properties(&properties);
    for (place, block) in document.blocks.iter().enumerate() {
        let sheet = workbook.add_worksheet();
        section(sheet, &document, block, &look, place == 0)?;
    }
    let sheet = workbook.add_worksheet();
    pivot(sheet, *term, content, language, &look)?;
    workbook.save_to_buffer()
}

fn section(
    sheet: &mut Worksheet,
    document: &Document,
    block: &Block,
    look: &Look,
    is_first: bool,
) -> Result<(), XlsxError> {
    let name = sheet_name(&block.title);
    sheet.set_name(&name)?;
    page(sheet);
    let title = if is_first { &document.title } else { &block.title };
    sheet.write_string_with_format(0, 0, cell_text(title), &look.title)?;
    sheet.write_string_with_format(1, 0, cell_text(&block.lead), &look.lead)?;
    let mut row = TOP;
    if is_first {
        for note in &document.notes {
            sheet.write_string_with_format(row, 0, cell_text(note), &look.lead)?;
            row += 1;
        }
        row += 1;
    }
    let top = row;
    table(sheet, document, &block.table, look, top)?;
    let rows = u32::try_from(block.table.rows.len()).unwrap_or(0);
    if rows > 0 {
        chart(sheet, block, &name, (top, rows), document.language)?;
    }
    Ok(())
}

/// How a sheet is printed and read.
fn page(sheet: &mut Worksheet) {
    sheet.set_landscape();
    sheet.set_paper_size(9);
    sheet.set_print_fit_to_pages(1, 0);
}

fn column(place: usize) -> u16 {
    u16::try_from(place).unwrap_or(u16::MAX)
}

fn table(
    sheet: &mut Worksheet,
    document: &Document,
    table: &Table,
    look: &Look,
    top: u32,
) -> Result<(), XlsxError> {
    let Table { columns, rows, summed, notes } = table;
    for (place, heading) in columns.iter().enumerate() {
        sheet.write_string_with_format(top, column(place), cell_text(heading), &look.heading)?;
        sheet.set_column_width(column(place), if place == 0 { WIDE } else { NARROW })?;
    }
    let mut row = top + 1;
    for cells in rows {
        for (place, cell) in cells.iter().enumerate() {
            write(sheet, (row, column(place)), cell, document.language, look)?;
        }
        row += 1;
    }
    if rows.is_empty() {
        let nothing = Word::NothingCounted.of(document.language);
        sheet.write_string_with_format(row, 0, nothing, &look.lead)?;
        row += 1;
    }
    if let Some(totals) = totals(columns.len(), rows, summed) {
        sheet.write_string_with_format(row, 0, Word::Total.of(document.language), &look.total)?;
        for (place, total) in totals.iter().enumerate() {
            let Some(total) = total else { continue };
            // The result stands beside the formula, for readers that do not reckon.
            let letter = rust_xlsxwriter::utility::column_number_to_name(column(place));
            let formula = Formula::new(format!("=SUM({letter}{}:{letter}{row})", top + 2));
            let formula = formula.set_result(total.to_string());
            sheet.write_formula_with_format(row, column(place), formula, &look.total)?;
        }
        row += 1;
    }
    for note in notes {
        sheet.write_string_with_format(row, 0, cell_text(note), &look.lead)?;
        row += 1;
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn write(
    sheet: &mut Worksheet,
    (row, column): (u32, u16),
    cell: &Cell,
    language: Language,
    look: &Look,
) -> Result<(), XlsxError> {
    match cell {
        Cell::Count(count) => sheet.write_number_with_format(row, column, *count as f64, &look.count)?,
        Cell::Share(share) => sheet.write_number_with_format(row, column, *share, &look.share)?,
        Cell::Duration(seconds, _) => {
            sheet.write_number_with_format(row, column, seconds / 3_600.0, &look.hours)?
        }
        Cell::Money(currency, minor) => {
            let amount = shown(&Cell::Money(currency.clone(), 0), language);
            let decimals = amount.split_once('.').map_or("", |(_, rest)| rest);
            let places = if decimals.is_empty() { String::new() } else { format!(".{decimals}") };
            let look = Format::new().set_num_format(format!("#,##0{places}"));
            sheet.write_number_with_format(row, column, major(currency, *minor), &look)?
        }
        // As text, whatever it looks like: numbers of orders keep their digits and zeros.
        Cell::Text(text) => sheet.write_string_with_format(row, column, cell_text(text), &look.text)?,
        Cell::None | Cell::Suppressed | Cell::Range(..) => {
            sheet.write_string_with_format(row, column, shown(cell, language), &look.text)?
        }
    };
    Ok(())
}

/// Most rows of groups that a chart shows.
const CHARTED: u32 = 12;

fn chart(
    sheet: &mut Worksheet,
    block: &Block,
    name: &str,
    (top, rows): (u32, u32),
    language: Language,
) -> Result<(), XlsxError> {
    let kind = match &block.chart {
        None | Some(Chart::Heat(_)) => return Ok(()),
        Some(Chart::Lines { .. }) => ChartType::Line,
        Some(Chart::Bars { rows, .. }) if rows.is_empty() => return Ok(()),
        Some(Chart::Bars { .. }) => ChartType::Bar,
    };
    let shown = if kind == ChartType::Bar { rows.min(CHARTED) } else { rows };
    let (first, last) = (top + 1, top + shown);
    let mut drawn = SheetChart::new(kind);
    for place in &block.charted {
        let column = column(*place);
        drawn
            .add_series()
            .set_name((name, top, column))
            .set_categories((name, first, 0, last, 0))
            .set_values((name, first, column, last, column));
    }
    drawn.title().set_name(&block.title);
    if block.charted.len() < 2 {
        drawn.legend().set_hidden();
    } else {
        drawn.legend().set_position(rust_xlsxwriter::ChartLegendPosition::Bottom);
    }
    if kind == ChartType::Bar {
        // The first row at the top, as in the table.
        drawn.y_axis().set_reverse();
    }
    drawn.set_width(640).set_height(CHART_ROWS * 20 - 20);
    drawn.set_alt_text(format!("{} {}", block.lead, Word::SeeTable.of(language)));
    let below = top + rows + 5 + u32::try_from(block.table.notes.len()).unwrap_or(0);
    sheet.insert_chart(below, 0, &drawn)?;
    Ok(())
}

/// All figures, a row each, under headings that can be filtered by.
fn pivot(
    sheet: &mut Worksheet,
    term: Term,
    content: &Content,
    language: Language,
    look: &Look,
) -> Result<(), XlsxError> {
    sheet.set_name(Word::Data.of(language))?;
    page(sheet);
    let headings = data::headings(language);
    for (place, heading) in headings.iter().enumerate() {
        sheet.write_string_with_format(0, column(place), heading, &look.heading)?;
        sheet.set_column_width(column(place), if [1, 7].contains(&place) { WIDE } else { NARROW })?;
    }
    let rows = data::rows(&term, content, language);
    let mut at = 1;
    for row in &rows {
        for (place, field) in row.iter().enumerate() {
            match field {
                Field::Empty => {}
                Field::Text(text) => {
                    sheet.write_string_with_format(at, column(place), cell_text(text), &look.text)?;
                }
                Field::Number(number) => {
                    sheet.write_number(at, column(place), *number)?;
                }
            }
        }
        at += 1;
    }
    sheet.autofilter(0, 0, at.saturating_sub(1), column(headings.len().saturating_sub(1)))?;
    sheet.set_freeze_panes(1, 0)?;
    Ok(())
}
