//! Reads a file row by row.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};
use std::path::Path;

use anyhow::{Context as _, bail};
use encoding_rs::Encoding;
use flate2::read::MultiGzDecoder;
use proto::redress::intake::v1::Complaint;
use sha2::{Digest as _, Sha256};
use show::json;

use super::cut::{Cells, Lines, Table, Wrong, separator};
use super::mapping::{Fitted, Mapping};
use super::text::{Decoded, guessed};
use super::{mapping, text};

/// Bytes looked at to tell how a file is written.
const SAMPLE: u64 = 1 << 20;
/// What the keys of rows begin with: keys made otherwise get another number.
const KEY_VERSION: &[u8] = b"redress.import.2";
/// How a gzip begins.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// How the rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Table,
    JsonLines,
}

/// How a file is written, as far as somebody says so.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Written {
    /// The encoding.
    pub(crate) encoding: Option<&'static Encoding>,
    /// What separates cells.
    pub(crate) separator: Option<u8>,
}

/// A row of a file.
pub(crate) struct Row {
    /// Its number, from 1; of JSON lines the line's.
    pub(crate) number: u64,
    /// What tells its content from any other's.
    pub(crate) key: [u8; 32],
    /// The complaint, or what is wrong with the row.
    pub(crate) complaint: Result<Complaint, String>,
}

type Bytes = Box<dyn Read + Send>;
/// Rows, in their order.
pub(crate) type Rows = Box<dyn Iterator<Item = anyhow::Result<Row>> + Send>;

/// A file of complaints.
pub(crate) struct Source {
    input: Bytes,
    format: Format,
    length: Option<u64>,
}

/// Rows, and how they are found to be written.
pub(crate) struct Reading {
    /// The rows.
    pub(crate) rows: Rows,
    /// The encoding.
    pub(crate) encoding: &'static Encoding,
    /// What separates cells; none in JSON lines.
    pub(crate) separator: Option<u8>,
}

impl Source {
    /// Opens a file; `-` is standard input, read as JSON lines.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        let what = || format!("{}", path.display());
        let name = path.to_string_lossy().to_lowercase();
        let format = match name.strip_suffix(".gz").unwrap_or(&name).rsplit('.').next() {
            _ if name == "-" => Format::JsonLines,
            Some("csv" | "tsv" | "txt") => Format::Table,
            Some("jsonl" | "ndjson") => Format::JsonLines,
            _ => bail!("{}: must end in .csv, .tsv, .txt, .jsonl or .ndjson, with or without .gz", what()),
        };
        if name == "-" {
            return Ok(Self { input: Box::new(io::stdin()), format, length: None });
        }
        let file = File::open(path).with_context(what)?;
        let length = Some(file.metadata()?.len());
        Ok(Self { input: Box::new(file), format, length })
    }

    /// Bytes to read, where that is known.
    pub(crate) fn length(&self) -> Option<u64> {
        self.length
    }

    /// Whether its columns can be mapped.
    pub(crate) fn has_columns(&self) -> bool {
        self.format == Format::Table
    }

    /// The rows, in order; `watch` sees every byte that is read.
    pub(crate) fn rows(
        self,
        mapping: Mapping,
        written: Written,
        watch: impl FnOnce(Bytes) -> Bytes,
    ) -> anyhow::Result<Reading> {
        let (begin, rest) = peek(watch(self.input), 2)?;
        let bytes: Bytes = if begin == GZIP {
            Box::new(MultiGzDecoder::new(BufReader::new(Cursor::new(begin).chain(rest))))
        } else {
            Box::new(Cursor::new(begin).chain(rest))
        };
        let (sample, rest) = peek(bytes, SAMPLE)?;
        let encoding = written.encoding.unwrap_or_else(|| guessed(&sample));
        let whole = Decoded::new(Cursor::new(sample).chain(rest), encoding);
        if self.format == Format::JsonLines {
            return Ok(Reading { rows: json_rows(whole), encoding, separator: None });
        }
        let (begin, rest) = peek(Box::new(whole), SAMPLE)?;
        let separator = written.separator.unwrap_or_else(|| separator(&begin));
        let table = Table::new(Cursor::new(begin).chain(rest), separator);
        Ok(Reading { rows: table_rows(table, mapping, encoding)?, encoding, separator: Some(separator) })
    }
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
) -> anyhow::Result<Rows> {
    let headings = match table.next()? {
        Some(Ok(cells)) => {
            texts(cells, encoding).map_err(|wrong| anyhow::anyhow!("the headings: {wrong}"))?
        }
        Some(Err(wrong)) => bail!("the headings: {wrong}"),
        None => bail!("there are no headings: the file is empty"),
    };
    let headings: Vec<String> = headings.iter().map(|heading| heading.trim().to_owned()).collect();
    let fitted = mapping.fit(&headings)?;
    let columns = headings.len();
    let mut number = 0;
    Ok(Box::new(std::iter::from_fn(move || match table.next() {
        Ok(None) => None,
        Ok(Some(row)) => {
            number += 1;
            Some(Ok(table_row(number, row, columns, &fitted, encoding)))
        }
        Err(error) => Some(Err(error.into())),
    })))
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
    let complaint = row.map_err(|wrong| wrong.to_string()).and_then(|cells| {
        let found = cells.len();
        if found != columns {
            return Err(format!("has {found} cells, where the headings are {columns}"));
        }
        fitted.complaint(&texts(cells, encoding)?)
    });
    Row { number, key, complaint }
}

/// The cells as texts, or that some are none.
fn texts(cells: Cells, encoding: &'static Encoding) -> Result<Vec<String>, String> {
    let broken = |_| format!("has bytes that are not {}: --encoding names another", encoding.name());
    cells.into_iter().map(|cell| String::from_utf8(cell).map_err(broken)).collect()
}

fn json_rows<R: Read + Send + 'static>(text: Decoded<R>) -> Rows {
    let mut lines = Lines::new(text);
    let mut number = 0;
    Box::new(std::iter::from_fn(move || {
        loop {
            number += 1;
            return match lines.next() {
                Ok(None) => None,
                Ok(Some(Ok(line))) if line.trim_ascii().is_empty() => continue,
                Ok(Some(Ok(line))) => Some(Ok(json_row(number, line))),
                Ok(Some(Err(wrong))) => {
                    let key = key([number.to_be_bytes().as_slice()]);
                    Some(Ok(Row { number, key, complaint: Err(wrong.to_string()) }))
                }
                Err(error) => Some(Err(error.into())),
            };
        }
    }))
}

fn json_row(number: u64, line: Vec<u8>) -> Row {
    let key = key([line.trim_ascii()]);
    let complaint = String::from_utf8(line)
        .map_err(|_| "has bytes that are no text: --encoding names another".to_owned())
        .and_then(|line| json::read(&line).map_err(|error| format!("{error:#}")))
        .and_then(|complaint| mapping::nothing_given(&complaint).map(|()| complaint));
    Row { number, key, complaint }
}

/// What tells one content from another: the same row has the same key wherever it
/// stands, in whatever file, encoded and separated however.
fn key<'a>(cells: impl IntoIterator<Item = &'a [u8]>) -> [u8; 32] {
    let mut digest = Sha256::new_with_prefix(KEY_VERSION);
    for cell in cells {
        let cell = cell.trim_ascii();
        digest.update((cell.len() as u64).to_be_bytes());
        digest.update(cell);
    }
    digest.finalize().into()
}

/// Reads the name of a separator: a character, or `tab`.
pub(crate) fn separator_named(name: &str) -> Result<u8, String> {
    match name.as_bytes() {
        [one] if !one.is_ascii_alphanumeric() && !matches!(one, b'"' | b'\n' | b'\r') => Ok(*one),
        b"tab" | b"\\t" => Ok(b'\t'),
        _ => Err("must be one character such as ; or |, or `tab`".to_owned()),
    }
}

/// Reads the name of an encoding.
pub(crate) fn encoding_named(name: &str) -> Result<&'static Encoding, String> {
    text::named(name)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::io::Write as _;

    use super::*;

    fn rows(source: Source) -> Vec<Row> {
        let reading = source.rows(Mapping::default(), Written::default(), |bytes| bytes).unwrap();
        reading.rows.map(Result::unwrap).collect()
    }

    /// The rows of a file of these bytes.
    fn file(name: &str, bytes: &[u8]) -> Vec<Row> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        rows(Source::open(&path).unwrap())
    }

    #[test]
    fn every_row_of_the_shipped_sample_can_be_read() {
        let rows = file("complaints.jsonl", demo::SAMPLE.as_bytes());
        assert!(rows.len() >= 240, "{}", rows.len());
        let keys: HashSet<_> = rows.iter().map(|row| row.key).collect();
        assert_eq!(keys.len(), rows.len());
        for row in rows {
            let complaint = row.complaint.unwrap_or_else(|wrong| panic!("line {}: {wrong}", row.number));
            assert!(!complaint.subject.is_empty() && complaint.channel != 0, "line {}", row.number);
        }
    }

    #[test]
    fn a_table_reads_the_same_however_it_is_written() {
        let text = "subject,description\n丢件,\"two\nlines\"\n,empty subject\n";
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(text.as_bytes()).unwrap();
        let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let files: [(&str, Vec<u8>); 6] = [
            ("a.csv", text.as_bytes().to_vec()),
            ("marked.csv", format!("\u{feff}\n{text}\n,\n").into_bytes()),
            ("a.csv.gz", gzip.finish().unwrap()),
            ("a.txt", text.replace(',', ";").into_bytes()),
            ("a.tsv", text.replace(',', "\t").into_bytes()),
            ("wide.csv", wide),
        ];
        let keys: HashSet<Vec<[u8; 32]>> = files
            .iter()
            .map(|(name, bytes)| {
                let rows = file(name, bytes);
                let subjects: Vec<_> =
                    rows.iter().map(|row| row.complaint.clone().unwrap().subject).collect();
                assert_eq!(subjects, ["丢件", ""], "{name}");
                assert_eq!(rows[0].complaint.clone().unwrap().description, "two\nlines");
                rows.iter().map(|row| row.key).collect()
            })
            .collect();
        assert_eq!(keys.len(), 1, "the same rows have the same keys");
    }

    #[test]
    fn a_bad_line_harms_no_other() {
        let text = "\u{feff}{\"subject\":\"a\"}\n\n{\"subjekt\":1}\nnonsense\n{\"complaintId\":\"x\"}\n";
        let bytes = [text.as_bytes(), b"{\"subject\":\"\xff\"}\n{\"subject\":\"b\"}"].concat();
        let rows = file("a.jsonl", &bytes);
        assert_eq!(rows.iter().map(|row| row.number).collect::<Vec<_>>(), [1, 3, 4, 5, 6, 7]);
        let good: Vec<_> = rows.iter().map(|row| row.complaint.is_ok()).collect();
        assert_eq!(good, [true, false, false, false, false, true]);
        assert!(rows[3].complaint.as_ref().unwrap_err().starts_with("complaint.complaint_id"));
    }

    #[test]
    fn a_bad_row_harms_no_other() {
        let long = "x".repeat(5 << 20);
        let text = [b"subject,description\na,b\nc\n\xff,d\n", long.as_bytes(), b",x\n\ne,f\n"].concat();
        let rows = file("a.csv", &text);
        let wrong: Vec<_> = rows.iter().map(|row| row.complaint.as_ref().err().map(String::as_str)).collect();
        assert_eq!(wrong[0], None);
        assert_eq!(wrong[1], Some("has 1 cells, where the headings are 2"));
        assert_eq!(wrong[2], Some("has bytes that are not UTF-8: --encoding names another"));
        assert_eq!(wrong[3], Some("has more than 2 MiB, or more than 4 096 cells"));
        assert_eq!((wrong[4], wrong.len(), rows[4].number), (None, 5, 5));
    }

    #[test]
    fn a_file_of_another_kind_is_refused() {
        assert!(Source::open(Path::new("complaints.xlsx")).is_err());
        assert_eq!(separator_named("tab"), Ok(b'\t'));
        assert!(separator_named("ab").is_err() && separator_named("\"").is_err());
    }
}
