//! Reads a file row by row.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};
use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use encoding_rs::Encoding;
use flate2::read::MultiGzDecoder;
use proto::redress::intake::v1::Complaint;
use sha2::{Digest as _, Sha256};
use show::json;
use tables::encoding::{self, recognised};
use tables::workbook::Sheet;

use super::cut::{Cells, Lines, Table, Wrong, separator};
use super::mapping::{Fitted, Mapping, Plan};
use super::problem::{Kind, Problem};
use super::text::Decoded;
use super::unpacked::Unpacked;
use super::{fields, mapping, sheet};

/// Bytes looked at to tell how a file is written.
const SAMPLE: u64 = 1 << 20;
/// What the keys of rows begin with: keys made otherwise get another number.
const KEY_VERSION: &[u8] = b"redress.import.2";
/// How a gzip begins.
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// Other spreadsheets, which are not read, and what they are.
const OTHER_SHEETS: [(&str, &str); 4] = [
    ("xls", "an old Excel workbook"),
    ("xlsb", "a binary Excel workbook"),
    ("ods", "an OpenDocument sheet"),
    ("numbers", "a Numbers sheet"),
];

/// How the rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Table,
    JsonLines,
    Workbook,
}

/// How a file is written, as far as somebody says so.
#[derive(Clone, Debug, Default)]
pub struct Written {
    /// The encoding.
    pub encoding: Option<&'static Encoding>,
    /// What separates cells.
    pub separator: Option<u8>,
    /// The sheet of a workbook.
    pub sheet: Option<String>,
}

/// A row of a file.
pub struct Row {
    /// Its number, from 1; of JSON lines the line's, of a sheet the sheet's.
    pub number: u64,
    /// What tells its content from any other's.
    pub key: [u8; 32],
    /// The complaint, or all that is wrong with the row.
    pub complaint: Result<Complaint, Vec<Problem>>,
}

type Bytes = Box<dyn Read + Send>;
/// Rows, in their order.
pub struct Rows(Box<dyn Cut + Send>);

/// A file of complaints.
pub struct Source {
    input: Input,
    format: Format,
    length: Option<u64>,
    /// Most bytes that its text, or the parts of a workbook, may have, unpacked.
    most: u64,
}

/// Where its bytes are.
enum Input {
    File(File),
    Standard,
}

/// How a file is found to be written, and what becomes of it.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    /// The encoding, and what tells it; none of a workbook.
    pub encoding: Option<(&'static Encoding, String)>,
    /// What separates cells; none in JSON lines and workbooks.
    pub separator: Option<u8>,
    /// The sheet of a workbook that is read.
    pub sheet: Option<String>,
    /// How many rows a sheet says it has.
    pub rows: Option<u64>,
    /// What becomes of its columns; none in JSON lines.
    pub plan: Option<Plan>,
}

/// Rows, and how they are found to be written.
pub struct Reading {
    /// The rows.
    pub rows: Rows,
    /// How they are written.
    pub layout: Layout,
}

impl Source {
    /// Opens a file; `-` is standard input, read as JSON lines.
    ///
    /// # Errors
    ///
    /// Fails if its name is that of no kind of file that is read, or if it cannot be opened.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let what = || format!("{}", path.display());
        let format = format_of(&path.to_string_lossy());
        let format = format.map_err(|error| anyhow::anyhow!("{}: {error}", what()))?;
        if path == Path::new("-") {
            return Ok(Self { input: Input::Standard, format, length: None, most: u64::MAX });
        }
        let file = File::open(path).with_context(what)?;
        let length = Some(file.metadata()?.len());
        Ok(Self { input: Input::File(file), format, length, most: u64::MAX })
    }

    /// A file that is open, from where it is on; its name tells how it is written. It may have so
    /// many bytes, unpacked: beyond, reading it fails, of a workbook before its first row.
    ///
    /// # Errors
    ///
    /// Fails if the name is that of no kind of file that is read.
    pub fn of(file: File, name: &str, most: u64) -> anyhow::Result<Self> {
        Ok(Self { input: Input::File(file), format: format_of(name)?, length: None, most })
    }

    /// Whether it is a workbook, which says itself how it is written.
    pub fn is_workbook(&self) -> bool {
        self.format == Format::Workbook
    }

    /// Bytes to read, where that is known and tells how far the reading is.
    pub fn length(&self) -> Option<u64> {
        self.length.filter(|_| self.format != Format::Workbook)
    }

    /// Whether its columns can be mapped.
    pub fn has_columns(&self) -> bool {
        self.format != Format::JsonLines
    }

    /// The rows, in order; `watch` sees every byte that is read of a text.
    ///
    /// # Errors
    ///
    /// Fails if the mapping does not fit the file, or if how it is written is said and cannot be.
    pub fn rows(
        self,
        mapping: Mapping,
        written: &Written,
        watch: impl FnOnce(Bytes) -> Bytes,
    ) -> anyhow::Result<Reading> {
        let is_workbook = self.format == Format::Workbook;
        ensure!(is_workbook || written.sheet.is_none(), "--sheet is for workbooks");
        let input: Bytes = match self.input {
            Input::File(file) if is_workbook => {
                let said = written.encoding.is_some() || written.separator.is_some();
                ensure!(!said, "a workbook says itself how it is written: no --encoding, no --separator");
                let sheet = Sheet::within(file, written.sheet.as_deref(), self.most)?;
                return sheet::reading(sheet, mapping);
            }
            Input::File(file) => Box::new(file),
            Input::Standard => Box::new(io::stdin()),
        };
        let (begin, rest) = peek(watch(input), 2)?;
        let bytes: Bytes = if begin == GZIP {
            let packed = BufReader::new(Cursor::new(begin).chain(rest));
            Box::new(Unpacked::new(MultiGzDecoder::new(packed), self.most))
        } else {
            Box::new(Cursor::new(begin).chain(rest))
        };
        let (sample, rest) = peek(bytes, SAMPLE)?;
        let (encoding, why) = match written.encoding {
            Some(encoding) => (encoding, "as --encoding says".to_owned()),
            None => by_sample(&sample, &mapping)?,
        };
        let layout = Layout { encoding: Some((encoding, why)), ..Layout::default() };
        let whole = Decoded::new(Cursor::new(sample).chain(rest), encoding);
        if self.format == Format::JsonLines {
            return Ok(Reading { rows: json_rows(whole), layout });
        }
        let (begin, rest) = peek(Box::new(whole), SAMPLE)?;
        let separator = written.separator.unwrap_or_else(|| separator(&begin));
        let table = Table::new(Cursor::new(begin).chain(rest), separator);
        table_rows(table, mapping, encoding, Layout { separator: Some(separator), ..layout })
    }
}

/// How a file of this name is written.
fn format_of(name: &str) -> anyhow::Result<Format> {
    let name = name.to_lowercase();
    let end = name.strip_suffix(".gz").unwrap_or(&name).rsplit('.').next().unwrap_or_default();
    match end {
        _ if name == "-" => Ok(Format::JsonLines),
        "csv" | "tsv" | "txt" => Ok(Format::Table),
        "jsonl" | "ndjson" => Ok(Format::JsonLines),
        "xlsx" | "xlsm" if name.len() > end.len() && !name.ends_with(end) => {
            bail!("a workbook is compressed as it is: unpack it first")
        }
        "xlsx" | "xlsm" => Ok(Format::Workbook),
        _ => match OTHER_SHEETS.iter().find(|(other, _)| *other == end) {
            Some((_, kind)) => {
                bail!("is {kind}: save it as an Excel workbook (.xlsx) or as CSV UTF-8")
            }
            None => {
                bail!("must end in .csv, .tsv, .txt, .jsonl or .ndjson, with or without .gz, or in .xlsx")
            }
        },
    }
}

/// Rows as they are cut out of a file, each read when it is asked for.
struct Parsed<C, F> {
    cut: C,
    read: F,
}

/// Where rows come from.
trait Cut {
    /// The next row.
    fn row(&mut self) -> Option<anyhow::Result<Row>>;
    /// Passes over the next row, which is cut out and not read.
    fn pass(&mut self) -> Option<anyhow::Result<()>>;
}

impl<T, C, F> Cut for Parsed<C, F>
where
    C: Iterator<Item = anyhow::Result<T>>,
    F: FnMut(T) -> Row,
{
    fn row(&mut self) -> Option<anyhow::Result<Row>> {
        Some(self.cut.next()?.map(&mut self.read))
    }

    fn pass(&mut self) -> Option<anyhow::Result<()>> {
        Some(self.cut.next()?.map(drop))
    }
}

impl Rows {
    /// Rows that are cut and read so.
    pub(super) fn new<T, C, F>(cut: C, read: F) -> Self
    where
        C: Iterator<Item = anyhow::Result<T>> + Send + 'static,
        F: FnMut(T) -> Row + Send + 'static,
    {
        Self(Box::new(Parsed { cut, read }))
    }

    /// Passes over at most so many rows, without reading what they say; answers how many there
    /// were.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be read on.
    pub fn pass(&mut self, most: u64) -> anyhow::Result<u64> {
        for passed in 0..most {
            match self.0.pass() {
                None => return Ok(passed),
                Some(row) => row?,
            }
        }
        Ok(most)
    }
}

impl Iterator for Rows {
    type Item = anyhow::Result<Row>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.row()
    }
}

/// The encoding a file that begins like this is written in, and what tells it.
fn by_sample(sample: &[u8], mapping: &Mapping) -> anyhow::Result<(&'static Encoding, String)> {
    let fields = fields::names()?;
    let known: Vec<&str> = mapping.headings().chain(fields.iter().map(String::as_str)).collect();
    let found = recognised(sample, &known);
    Ok((found.encoding, found.why.to_string()))
}

/// The first bytes, and the rest.
fn peek(mut bytes: Bytes, most: u64) -> io::Result<(Vec<u8>, Bytes)> {
    let mut begin = Vec::new();
    bytes.by_ref().take(most).read_to_end(&mut begin)?;
    Ok((begin, bytes))
}

fn table_rows<R: Read + Send + 'static>(
    mut table: Table<R>,
    mapping: Mapping,
    encoding: &'static Encoding,
    layout: Layout,
) -> anyhow::Result<Reading> {
    let headings = match table.next()? {
        Some(Ok(cells)) => {
            texts(cells, encoding).map_err(|wrong| anyhow::anyhow!("the headings: {wrong}"))?
        }
        Some(Err(wrong)) => bail!("the headings: {wrong}"),
        None => bail!("there are no headings: the file is empty"),
    };
    let headings: Vec<String> = headings.iter().map(|heading| heading.trim().to_owned()).collect();
    let fitted = mapping.fit(&headings)?;
    let layout = Layout { plan: Some(fitted.plan()), ..layout };
    let columns = headings.len();
    let mut number = 0;
    let cut = std::iter::from_fn(move || match table.next() {
        Ok(None) => None,
        Ok(Some(row)) => {
            number += 1;
            Some(Ok((number, row)))
        }
        Err(error) => Some(Err(error.into())),
    });
    let read = move |(number, row)| table_row(number, row, columns, &fitted, encoding);
    Ok(Reading { rows: Rows::new(cut, read), layout })
}

fn table_row(
    number: u64,
    row: Result<Cells, Wrong>,
    columns: usize,
    fitted: &Fitted,
    encoding: &'static Encoding,
) -> Row {
    let key = match &row {
        Ok(cells) => key(cells.iter().map(Vec::as_slice)),
        Err(_) => key([number.to_be_bytes().as_slice()]),
    };
    let complaint = row.map_err(|wrong| vec![of_shape(wrong)]).and_then(|cells| {
        cells_fit(cells.len(), columns)?;
        fitted.complaint(&texts(cells, encoding).map_err(|wrong| vec![wrong])?)
    });
    Row { number, key, complaint }
}

/// Refuses a row of more or fewer cells than there are headings.
pub(super) fn cells_fit(found: usize, columns: usize) -> Result<(), Vec<Problem>> {
    let why = format!("has {found} cells, where the headings are {columns}");
    if found == columns { Ok(()) } else { Err(vec![Problem::of_row(Kind::Cells, why)]) }
}

fn of_shape(wrong: Wrong) -> Problem {
    let kind = match wrong {
        Wrong::TooLong => Kind::TooLong,
        Wrong::NeverEnds => Kind::NeverEnds,
    };
    Problem::of_row(kind, wrong.to_string())
}

/// The cells as texts, or that some are none.
fn texts(cells: Cells, encoding: &'static Encoding) -> Result<Vec<String>, Problem> {
    let broken = |_| {
        let why = format!("has bytes that are not {}: --encoding names another", encoding.name());
        Problem::of_row(Kind::NotText, why)
    };
    cells.into_iter().map(|cell| String::from_utf8(cell).map_err(broken)).collect()
}

fn json_rows<R: Read + Send + 'static>(text: Decoded<R>) -> Rows {
    let mut lines = Lines::new(text);
    let mut number = 0;
    let cut = std::iter::from_fn(move || {
        loop {
            number += 1;
            return match lines.next() {
                Ok(None) => None,
                Ok(Some(Ok(line))) if line.trim_ascii().is_empty() => continue,
                Ok(Some(line)) => Some(Ok((number, line))),
                Err(error) => Some(Err(error.into())),
            };
        }
    });
    let read = |(number, line)| match line {
        Ok(line) => json_row(number, line),
        Err(wrong) => {
            let key = key([number.to_be_bytes().as_slice()]);
            Row { number, key, complaint: Err(vec![of_shape(wrong)]) }
        }
    };
    Rows::new(cut, read)
}

fn json_row(number: u64, line: Vec<u8>) -> Row {
    let key = key([line.trim_ascii()]);
    let row = |kind, why: String| Problem::of_row(kind, why);
    let complaint = String::from_utf8(line)
        .map_err(|_| row(Kind::NotText, "has bytes that are no text: --encoding names another".to_owned()))
        .and_then(|line| json::read(&line).map_err(|error| row(Kind::NotJson, format!("{error:#}"))))
        .and_then(|complaint| {
            mapping::nothing_given(&complaint).map(|()| complaint).map_err(|why| row(Kind::Given, why))
        });
    Row { number, key, complaint: complaint.map_err(|wrong| vec![wrong]) }
}

/// What tells one content from another: the same row has the same key wherever it
/// stands, in whatever file, encoded and separated however.
pub(super) fn key<'a>(cells: impl IntoIterator<Item = &'a [u8]>) -> [u8; 32] {
    let mut digest = Sha256::new_with_prefix(KEY_VERSION);
    for cell in cells {
        let cell = cell.trim_ascii();
        digest.update((cell.len() as u64).to_be_bytes());
        digest.update(cell);
    }
    digest.finalize().into()
}

/// Reads the name of a separator: a character, or `tab`.
///
/// # Errors
///
/// Fails if it is neither.
pub fn separator_named(name: &str) -> Result<u8, String> {
    match name.as_bytes() {
        [one] if !one.is_ascii_alphanumeric() && !matches!(one, b'"' | b'\n' | b'\r') => Ok(*one),
        b"tab" | b"\\t" => Ok(b'\t'),
        _ => Err("must be one character such as ; or |, or `tab`".to_owned()),
    }
}

/// Reads the name of an encoding.
///
/// # Errors
///
/// Fails if there is none of that name.
pub fn encoding_named(name: &str) -> Result<&'static Encoding, String> {
    encoding::named(name)
}

#[cfg(test)]
mod tests;
