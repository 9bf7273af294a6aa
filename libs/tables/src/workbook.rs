//! The rows of a sheet of a workbook (XLSX), one by one.
//!
//! A workbook is read by a thread of its own, which is a few rows ahead of who takes them:
//! only the texts that its cells share are all in memory. What it unpacks to is looked at
//! before, see `parts`; a sheet has as many rows and columns as spreadsheets have, at
//! most.
//!
//! Cells are typed: dates by their number format, as `2026-01-05T08:03:00`; formulas by
//! the value they had when the workbook was saved. Where a cell has an error, or a number
//! of which the spreadsheet has lost digits, it says so instead of a text.

mod parts;

use std::fs::File;
use std::io::{self, BufReader, Read as _, Seek as _};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use calamine::{DataRef, Reader as _, Xlsx, XlsxError};
use thiserror::Error;

use crate::moment;

pub use parts::{MAX_PARTS, MAX_SHARED_BYTES, MAX_TEXT_BYTES, MAX_UNPACKED_BYTES};

/// Most rows of a sheet: those spreadsheets have.
pub const MAX_ROWS: u32 = 1_048_576;
/// Most columns that are read.
pub const MAX_COLUMNS: u32 = 4_096;
/// Most cells of a sheet.
pub const MAX_CELLS: u64 = 64 << 20;
/// Most bytes of the texts of a row.
pub const MAX_ROW_BYTES: usize = 2 << 20;
/// Rows read ahead.
const AHEAD: usize = 64;
/// The first whole number of which spreadsheets, which keep 15 digits, lose some.
const FIRST_INEXACT: f64 = 1e15;
/// How a compound file begins: old workbooks, and new ones under a password.
const COMPOUND: [u8; 8] = [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];

/// Why a workbook is not read.
#[derive(Debug, Error)]
pub enum Refused {
    /// It is under a password.
    #[error("is under a password: save it without one, or save the sheet as CSV UTF-8")]
    Password,
    /// It is a workbook of another kind.
    #[error("is {0}: save it as an Excel workbook (.xlsx), or the sheet as CSV UTF-8")]
    OtherKind(&'static str),
    /// It is no workbook, or a damaged one.
    #[error("is no workbook that can be read: {0}")]
    Damaged(String),
    /// It unpacks to more than a workbook may.
    #[error("unpacks to more than a workbook may: {0}; save the sheet as CSV UTF-8")]
    TooLarge(String),
    /// It has no sheet of that name.
    #[error("has no sheet {wanted:?}: it has {}", list(.has))]
    NoSheet {
        /// The name that was asked for.
        wanted: String,
        /// Those there are.
        has: Vec<String>,
    },
    /// It cannot be read at all.
    #[error("{0}")]
    Io(#[from] io::Error),
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// Why a cell is no text.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum WrongCell {
    /// A formula came to an error.
    #[error("has the error {0}")]
    Error(String),
    /// A number longer than the fifteen digits that a spreadsheet keeps.
    #[error("is a number of more than 15 digits, of which the spreadsheet lost some: it should be text")]
    LostDigits,
    /// A day that spreadsheets count wrongly.
    #[error("is a day that spreadsheets count wrongly: before March 1900, or after the year 9999")]
    NoDay,
}

/// A cell: its text, empty where there is none, or why it has none.
pub type Cell = Result<String, WrongCell>;

/// A row with at least one cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its number in the sheet, from 1.
    pub number: u32,
    /// Its cells from the first column on; none where it has more text than a row may.
    pub cells: Option<Vec<Cell>>,
}

/// A sheet, and its rows.
#[derive(Debug)]
pub struct Sheet {
    /// Its name.
    pub name: String,
    /// All sheets there are.
    pub all: Vec<String>,
    /// How many rows it says it has; none where it does not say.
    pub rows: Option<u32>,
    receiver: Receiver<Told>,
    ended: bool,
}

/// What the reading thread tells.
enum Told {
    Sheet { name: String, all: Vec<String>, rows: Option<u32> },
    Row(Row),
    Failed(Refused),
    End,
}

impl Sheet {
    /// Opens a sheet of a workbook, or its first.
    ///
    /// # Errors
    ///
    /// Fails if it is no workbook that can be read, or too large a one, or has no such sheet.
    pub fn open(file: File, wanted: Option<&str>) -> Result<Self, Refused> {
        Self::within(file, wanted, MAX_UNPACKED_BYTES)
    }

    /// As [`Sheet::open`], of a workbook that may unpack to so many bytes.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn within(mut file: File, wanted: Option<&str>, most: u64) -> Result<Self, Refused> {
        let mut begin = [0; 8];
        let read = file.read(&mut begin)?;
        file.rewind()?;
        if read < begin.len() {
            return Err(Refused::Damaged("it is too short".to_owned()));
        }
        if begin != COMPOUND {
            parts::check(&file, most)?;
        }
        let (sender, receiver) = sync_channel(AHEAD);
        let wanted = wanted.map(str::to_owned);
        thread::Builder::new().name("workbook".to_owned()).spawn(move || {
            let told = match read_sheet(file, wanted, &sender) {
                Ok(()) => Told::End,
                Err(refused) => Told::Failed(refused),
            };
            // Who took the rows may have gone.
            let _ = sender.send(told);
        })?;
        match receiver.recv() {
            Ok(Told::Sheet { name, all, rows }) => Ok(Self { name, all, rows, receiver, ended: false }),
            Ok(Told::Failed(refused)) => Err(refused),
            Ok(Told::Row(_) | Told::End) | Err(_) => Err(broken()),
        }
    }
}

impl Iterator for Sheet {
    type Item = Result<Row, Refused>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        match self.receiver.recv() {
            Ok(Told::Row(row)) => Some(Ok(row)),
            Ok(Told::End) => {
                self.ended = true;
                None
            }
            Ok(Told::Failed(refused)) => {
                self.ended = true;
                Some(Err(refused))
            }
            // The thread panicked: calamine counts rows without looking for an overflow.
            Ok(Told::Sheet { .. }) | Err(_) => {
                self.ended = true;
                Some(Err(broken()))
            }
        }
    }
}

fn broken() -> Refused {
    Refused::Damaged("its cells do not make sense".to_owned())
}

/// Reads a sheet to its end, or until nobody takes its rows any longer.
fn read_sheet(file: File, wanted: Option<String>, sender: &SyncSender<Told>) -> Result<(), Refused> {
    let mut workbook = Xlsx::new(BufReader::new(file)).map_err(refused)?;
    let all = workbook.sheet_names();
    let name = match wanted {
        Some(wanted) if all.contains(&wanted) => wanted,
        Some(wanted) => return Err(Refused::NoSheet { wanted, has: all }),
        None => all.first().cloned().ok_or_else(|| Refused::Damaged("it has no sheet".to_owned()))?,
    };
    let from_1904 = workbook.has_1904_epoch();
    let mut cells = workbook.worksheet_cells_reader(&name).map_err(refused)?;
    let (first, last) = (cells.dimensions().start.0, cells.dimensions().end.0);
    let rows = (last > first).then(|| last - first + 1);
    if sender.send(Told::Sheet { name, all, rows }).is_err() {
        return Ok(());
    }
    let mut gathered = Gathered::default();
    let mut count = 0_u64;
    while let Some(cell) = cells.next_cell().map_err(refused)? {
        let (row, column) = cell.get_position();
        count += 1;
        if row >= MAX_ROWS || column >= MAX_COLUMNS || count > MAX_CELLS {
            let most = format!("{MAX_ROWS} rows, {MAX_COLUMNS} columns, {MAX_CELLS} cells");
            return Err(Refused::TooLarge(most));
        }
        if row < gathered.row {
            return Err(Refused::Damaged("its rows are not in order".to_owned()));
        }
        if row > gathered.row && !gathered.send(sender) {
            return Ok(());
        }
        gathered.add(row, column, text(cell.get_value(), from_1904));
    }
    gathered.send(sender);
    Ok(())
}

/// The cells of a row so far.
#[derive(Default)]
struct Gathered {
    row: u32,
    cells: Vec<Cell>,
    bytes: usize,
}

impl Gathered {
    fn add(&mut self, row: u32, column: u32, cell: Cell) {
        self.row = row;
        self.bytes += cell.as_ref().map_or(0, String::len);
        if self.bytes > MAX_ROW_BYTES {
            self.cells = vec![Ok(String::new())];
            return;
        }
        let column = column as usize;
        if self.cells.len() <= column {
            self.cells.resize(column + 1, Ok(String::new()));
        }
        self.cells[column] = cell;
    }

    /// Hands the row on, if it has any cell; whether somebody takes it.
    fn send(&mut self, sender: &SyncSender<Told>) -> bool {
        let Self { row, cells, bytes } = std::mem::take(self);
        if cells.is_empty() {
            return true;
        }
        let cells = (bytes <= MAX_ROW_BYTES).then_some(cells);
        sender.send(Told::Row(Row { number: row + 1, cells })).is_ok()
    }
}

/// What a cell says.
fn text(value: &DataRef<'_>, from_1904: bool) -> Cell {
    match value {
        DataRef::Empty => Ok(String::new()),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => Ok(text.clone()),
        DataRef::SharedString(text) => Ok((*text).to_owned()),
        DataRef::Bool(truth) => Ok(truth.to_string()),
        DataRef::Int(whole) => Ok(whole.to_string()),
        DataRef::Float(number) => shown(*number),
        DataRef::DateTime(time) if time.is_duration() => Ok(lasting(time.as_f64())),
        DataRef::DateTime(time) => day(time.as_f64(), from_1904),
        DataRef::Error(error) => Err(WrongCell::Error(error.to_string())),
    }
}

/// A number as a spreadsheet shows it: to fifteen digits.
fn shown(number: f64) -> Cell {
    if number.abs() >= FIRST_INEXACT || !number.is_finite() {
        return Err(WrongCell::LostDigits);
    }
    let fifteen = format!("{number:.14e}").parse::<f64>().unwrap_or(number);
    Ok(format!("{fifteen}"))
}

/// A time that lasts: hours, which may be more than a day has.
fn lasting(days: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "saturates")]
    let seconds = (days * 86_400.0).round() as i64;
    let (sign, seconds) = if seconds < 0 { ("-", -seconds) } else { ("", seconds) };
    format!("{sign}{}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

/// A day and time, or a time of the day where there is no day.
fn day(days: f64, from_1904: bool) -> Cell {
    if (0.0..1.0).contains(&days) && !from_1904 {
        return Ok(format!("{:0>8}", lasting(days)));
    }
    let time = moment::counted(days, from_1904).ok_or(WrongCell::NoDay)?;
    Ok(time.to_string())
}

fn refused(error: XlsxError) -> Refused {
    match error {
        XlsxError::Password => Refused::Password,
        XlsxError::Io(error) => Refused::Io(error),
        XlsxError::Zip(error) if error.to_string().contains("EOCD") => {
            Refused::OtherKind("an old workbook (.xls)")
        }
        XlsxError::NotAWorksheet(_) => Refused::Damaged("the sheet has no cells: it is a chart".to_owned()),
        error => Refused::Damaged(error.to_string()),
    }
}
