//! Reads a file row by row.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Cursor, Read, Seek as _, SeekFrom};
use std::path::Path;

use anyhow::{Context as _, bail};
use flate2::read::MultiGzDecoder;
use proto::redress::intake::v1::Complaint;
use sha2::{Digest as _, Sha256};

use super::mapping::Mapping;
use crate::show::json;

/// How the rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Csv,
    JsonLines,
}

/// A row of a file.
pub(crate) struct Row {
    /// Its number, from 1; of JSON lines the line's.
    pub(crate) number: u64,
    /// The complaint, or what is wrong with the row.
    pub(crate) complaint: Result<Complaint, String>,
}

/// A file of complaints.
pub(crate) struct Source {
    input: Input,
    format: Format,
    gzip: bool,
    fingerprint: [u8; 32],
    length: u64,
}

enum Input {
    File(File),
    Memory(Vec<u8>),
}

impl Source {
    /// Opens a file; `-` is standard input, read as JSON lines.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        let what = || format!("{}", path.display());
        let name = path.to_string_lossy();
        let (name, gzip) = name.strip_suffix(".gz").map_or((&*name, false), |name| (name, true));
        let format = match name.rsplit('.').next() {
            _ if name == "-" => Format::JsonLines,
            Some("csv") => Format::Csv,
            Some("jsonl" | "ndjson") => Format::JsonLines,
            _ => bail!("{}: must end in .csv, .jsonl or .ndjson, with or without .gz", what()),
        };
        let input = if name == "-" {
            let mut memory = Vec::new();
            io::stdin().lock().read_to_end(&mut memory)?;
            Input::Memory(memory)
        } else {
            Input::File(File::open(path).with_context(what)?)
        };
        Self::new(input, format, gzip).with_context(what)
    }

    /// JSON lines that are at hand.
    pub(crate) fn json_lines(text: &str) -> anyhow::Result<Self> {
        Self::new(Input::Memory(text.as_bytes().to_vec()), Format::JsonLines, false)
    }

    fn new(mut input: Input, format: Format, gzip: bool) -> anyhow::Result<Self> {
        let (fingerprint, length) = match &mut input {
            Input::Memory(bytes) => (Sha256::digest(&*bytes).into(), u64::try_from(bytes.len())?),
            Input::File(file) => {
                let digest = fingerprint(file)?;
                file.seek(SeekFrom::Start(0))?;
                (digest, file.metadata()?.len())
            }
        };
        Ok(Self { input, format, gzip, fingerprint, length })
    }

    /// What tells this file's contents from any other's.
    pub(crate) fn fingerprint(&self) -> [u8; 32] {
        self.fingerprint
    }

    /// Bytes to read.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Whether its columns can be mapped.
    pub(crate) fn has_columns(&self) -> bool {
        self.format == Format::Csv
    }

    /// The rows, in order; `watch` sees every byte that is read.
    pub(crate) fn rows(
        self,
        mapping: Mapping,
        watch: impl FnOnce(Box<dyn Read + Send>) -> Box<dyn Read + Send>,
    ) -> anyhow::Result<Box<dyn Iterator<Item = anyhow::Result<Row>> + Send>> {
        let bytes: Box<dyn Read + Send> = match self.input {
            Input::File(file) => Box::new(file),
            Input::Memory(bytes) => Box::new(Cursor::new(bytes)),
        };
        let bytes = watch(bytes);
        let text: Box<dyn Read + Send> =
            if self.gzip { Box::new(MultiGzDecoder::new(BufReader::new(bytes))) } else { bytes };
        match self.format {
            Format::Csv => csv_rows(text, mapping),
            Format::JsonLines => Ok(Box::new(json_rows(text))),
        }
    }
}

fn fingerprint(file: &mut File) -> io::Result<[u8; 32]> {
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(digest.finalize().into()),
            read => digest.update(&buffer[..read]),
        }
    }
}

type Rows = Box<dyn Iterator<Item = anyhow::Result<Row>> + Send>;

fn csv_rows(text: Box<dyn Read + Send>, mapping: Mapping) -> anyhow::Result<Rows> {
    let mut reader = csv::Reader::from_reader(BufReader::new(text));
    let headings: Vec<String> = reader.headers()?.iter().map(clean).map(str::to_owned).collect();
    let fitted = mapping.fit(&headings)?;
    let rows = reader.into_records().zip(1..).map(move |(record, number)| match record {
        Ok(record) => Ok(Row { number, complaint: fitted.complaint(&record) }),
        Err(error) if error.is_io_error() => Err(error.into()),
        // Cells too many or too few, or no text: the next row may be in order.
        Err(error) => Ok(Row { number, complaint: Err(error.to_string()) }),
    });
    Ok(Box::new(rows))
}

/// A heading without the mark some programs begin a file with.
fn clean(heading: &str) -> &str {
    heading.trim_start_matches('\u{feff}').trim()
}

fn json_rows(text: Box<dyn Read + Send>) -> impl Iterator<Item = anyhow::Result<Row>> + Send {
    BufReader::new(text).lines().zip(1..).filter_map(|(line, number)| match line {
        Ok(line) if line.trim().is_empty() => None,
        Ok(line) => {
            let complaint = json::read(&line).map_err(|error| format!("{error:#}"));
            Some(Ok(Row { number, complaint }))
        }
        Err(error) => Some(Err(error.into())),
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn rows(source: Source, mapping: Mapping) -> Vec<Row> {
        source.rows(mapping, |bytes| bytes).unwrap().map(Result::unwrap).collect()
    }

    #[test]
    fn the_sample_is_whole() {
        let source = Source::json_lines(include_str!("../../sample/complaints.jsonl")).unwrap();
        let rows = rows(source, Mapping::default());
        assert!(rows.len() >= 240, "{}", rows.len());
        for row in rows {
            let complaint = row.complaint.unwrap_or_else(|wrong| panic!("line {}: {wrong}", row.number));
            assert!(!complaint.subject.is_empty() && complaint.channel != 0, "line {}", row.number);
        }
    }

    #[test]
    fn a_csv_reads_the_same_packed_or_not() {
        let dir = tempfile::tempdir().unwrap();
        let text = "\u{feff}subject,description\nLate,\"two\nlines\"\n,empty subject\n";
        let plain = dir.path().join("a.csv");
        std::fs::write(&plain, text).unwrap();
        let packed = dir.path().join("a.csv.gz");
        let mut gzip =
            flate2::write::GzEncoder::new(File::create(&packed).unwrap(), flate2::Compression::fast());
        gzip.write_all(text.as_bytes()).unwrap();
        gzip.finish().unwrap();
        for path in [plain, packed] {
            let rows = rows(Source::open(&path).unwrap(), Mapping::default());
            let subjects: Vec<_> = rows.iter().map(|row| row.complaint.clone().unwrap().subject).collect();
            assert_eq!(subjects, ["Late", ""], "{}", path.display());
            assert_eq!(rows[0].complaint.clone().unwrap().description, "two\nlines");
        }
    }

    #[test]
    fn a_bad_line_harms_no_other() {
        let source = Source::json_lines("{\"subject\":\"a\"}\n\n{\"subjekt\":1}\nnonsense\n").unwrap();
        let rows = rows(source, Mapping::default());
        assert_eq!(rows.iter().map(|row| row.number).collect::<Vec<_>>(), [1, 3, 4]);
        assert_eq!(rows.iter().map(|row| row.complaint.is_ok()).collect::<Vec<_>>(), [true, false, false]);
    }

    #[test]
    fn a_bad_row_harms_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.csv");
        std::fs::write(&path, b"subject,description\na,b\nc\n\xff,d\ne,f\n").unwrap();
        let rows = rows(Source::open(&path).unwrap(), Mapping::default());
        assert_eq!(rows.iter().map(|row| row.number).collect::<Vec<_>>(), [1, 2, 3, 4]);
        let good: Vec<_> = rows.iter().map(|row| row.complaint.is_ok()).collect();
        assert_eq!(good, [true, false, false, true]);
    }

    #[test]
    fn a_file_of_another_kind_is_refused() {
        assert!(Source::open(Path::new("complaints.xlsx")).is_err());
    }
}
