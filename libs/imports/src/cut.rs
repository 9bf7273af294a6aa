//! Cuts a text into rows, in bounded memory: a row that is too long is passed over,
//! whatever its length, and spoils no other.

use std::io::{self, BufRead, BufReader, Read};

use csv_core::ReadRecordResult;

/// Most bytes of a row; no complaint that is valid comes near.
pub const MAX_ROW: usize = 2 << 20;
/// Most cells of a row.
const MAX_CELLS: usize = 4_096;
/// What separates cells where nobody says so.
const SEPARATORS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// What is wrong with a row before it is even read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// More bytes or cells than a row may have.
    TooLong,
    /// A quoted cell begins in it and never ends.
    NeverEnds,
}

impl std::fmt::Display for Wrong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::TooLong => "has more than 2 MiB, or more than 4 096 cells",
            Self::NeverEnds => {
                "a quoted cell begins in this row and never ends: it swallows every row after it"
            }
        })
    }
}

/// The cells of a row, as bytes.
pub type Cells = Vec<Vec<u8>>;

/// The separator a first line suggests: the one it has most of outside of quotes.
pub fn separator(first_line: &[u8]) -> u8 {
    let mut counts = [0; SEPARATORS.len()];
    let mut quoted = false;
    for byte in first_line {
        if !quoted && matches!(byte, b'\n' | b'\r') {
            break;
        }
        quoted ^= *byte == b'"';
        if let Some(place) = SEPARATORS.iter().position(|known| known == byte).filter(|_| !quoted) {
            counts[place] += 1;
        }
    }
    let most = counts.iter().max().copied().unwrap_or_default();
    let place = counts.iter().position(|count| *count == most && most > 0);
    place.map_or(b',', |place| SEPARATORS[place])
}

/// The rows of separated cells; blank ones are passed over.
pub struct Table<R> {
    text: BufReader<R>,
    parser: csv_core::Reader,
    cells: Vec<u8>,
    ends: Vec<usize>,
}

impl<R: Read> Table<R> {
    /// Cuts a text into rows.
    pub fn new(text: R, separator: u8) -> Self {
        let parser = csv_core::ReaderBuilder::new().delimiter(separator).build();
        Self { text: BufReader::new(text), parser, cells: vec![0; 4_096], ends: vec![0; 64] }
    }

    /// The next row; none after the last.
    ///
    /// # Errors
    ///
    /// Fails if the text cannot be read.
    #[expect(clippy::should_implement_trait, reason = "two ways to fail, which an iterator has no room for")]
    pub fn next(&mut self) -> io::Result<Option<Result<Cells, Wrong>>> {
        loop {
            match self.row()? {
                Some(Ok(cells)) if cells.iter().all(|cell| cell.trim_ascii().is_empty()) => {}
                row => return Ok(row),
            }
        }
    }

    fn row(&mut self) -> io::Result<Option<Result<Cells, Wrong>>> {
        let (mut written, mut ended, mut quotes, mut lines) = (0, 0, 0_usize, 0_usize);
        let mut too_long = false;
        loop {
            let input = self.text.fill_buf()?;
            let at_end = input.is_empty();
            let (result, read, bytes, cells) =
                self.parser.read_record(input, &mut self.cells[written..], &mut self.ends[ended..]);
            quotes += count(&input[..read], b'"');
            lines += count(&input[..read], b'\n');
            self.text.consume(read);
            (written, ended) = (written + bytes, ended + cells);
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull if self.cells.len() < MAX_ROW => {
                    self.cells.resize(self.cells.len() * 2, 0);
                }
                ReadRecordResult::OutputEndsFull if self.ends.len() < MAX_CELLS => {
                    self.ends.resize(self.ends.len() * 2, 0);
                }
                // Goes on over what is there: nobody is going to read it.
                ReadRecordResult::OutputFull => (written, too_long) = (0, true),
                ReadRecordResult::OutputEndsFull => (ended, too_long) = (0, true),
                ReadRecordResult::Record if at_end && quotes % 2 == 1 && lines > 0 => {
                    return Ok(Some(Err(Wrong::NeverEnds)));
                }
                ReadRecordResult::Record if too_long => return Ok(Some(Err(Wrong::TooLong))),
                ReadRecordResult::Record => return Ok(Some(Ok(self.cut(ended)))),
                ReadRecordResult::End => return Ok(None),
            }
        }
    }

    fn cut(&self, cells: usize) -> Cells {
        let mut from = 0;
        let cut = |end: &usize| self.cells[std::mem::replace(&mut from, *end)..*end].to_vec();
        self.ends[..cells].iter().map(cut).collect()
    }
}

fn count(bytes: &[u8], wanted: u8) -> usize {
    bytes.split(|byte| *byte == wanted).count() - 1
}

/// The lines of a text, without what ends them.
pub(super) struct Lines<R>(BufReader<R>);

impl<R: Read> Lines<R> {
    pub(super) fn new(text: R) -> Self {
        Self(BufReader::new(text))
    }

    /// The next line; none after the last.
    pub(super) fn next(&mut self) -> io::Result<Option<Result<Vec<u8>, Wrong>>> {
        let (mut line, mut too_long) = (Vec::new(), false);
        loop {
            let input = self.0.fill_buf()?;
            if input.is_empty() && line.is_empty() && !too_long {
                return Ok(None);
            }
            let end = input.iter().position(|byte| *byte == b'\n');
            let taken = end.unwrap_or(input.len());
            too_long |= line.len() + taken > MAX_ROW;
            if !too_long {
                line.extend_from_slice(&input[..taken]);
            }
            let done = end.is_some() || input.is_empty();
            self.0.consume(taken + usize::from(end.is_some()));
            if done {
                return Ok(Some(if too_long { Err(Wrong::TooLong) } else { Ok(line) }));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &[u8]) -> Vec<Result<Vec<String>, Wrong>> {
        let mut table = Table::new(text, separator(text));
        let mut rows = Vec::new();
        while let Some(row) = table.next().unwrap() {
            let text = |cell: &Vec<u8>| String::from_utf8_lossy(cell).into_owned();
            rows.push(row.map(|cells| cells.iter().map(text).collect()));
        }
        rows
    }

    #[test]
    fn the_separator_is_the_one_there_is_most_of() {
        assert_eq!(separator(b"a,b;c,d\n;;;;"), b',');
        assert_eq!(separator(b"a;b;\"c,d,e,f\"\n"), b';');
        assert_eq!(separator("编号\t主题\n".as_bytes()), b'\t');
        assert_eq!(separator(b"subject\n"), b',');
    }

    #[test]
    fn blank_rows_of_a_file_are_skipped() {
        let read = rows(b"a;b\r\n\r\n;\n\"x\ny\";2\n \n");
        let row = |cells: [&str; 2]| Ok(cells.map(str::to_owned).to_vec());
        assert_eq!(read, [row(["a", "b"]), row(["x\ny", "2"])]);
    }

    #[test]
    fn a_row_that_is_too_long_spoils_no_other_and_takes_no_room() {
        let long = format!("a,\"{}\"\n", "x\n".repeat(5 << 19));
        let wide = format!("a{}\n", ",".repeat(9_000));
        let text = format!("a,b\n1,2\n{long}3,4\n{wide}5,6\n");
        let mut table = Table::new(text.as_bytes(), b',');
        let mut good = Vec::new();
        while let Some(row) = table.next().unwrap() {
            good.push(row.map(|cells| cells[0].clone()));
        }
        let cell = |text: &str| Ok(text.as_bytes().to_vec());
        let long = Err(Wrong::TooLong);
        assert_eq!(good, [cell("a"), cell("1"), long.clone(), cell("3"), long, cell("5")]);
        assert!(table.cells.capacity() <= 2 * MAX_ROW);
    }

    #[test]
    fn a_cell_that_never_ends_is_said_to() {
        let read = rows(b"a,b\n1,2\n3,\"oh\n5,6\n7,8\n");
        assert_eq!(read.len(), 3);
        assert_eq!(read[2], Err(Wrong::NeverEnds));
        assert_eq!(rows(b"a,b\n1,5\" nail\n2,\"x\"\"\"")[1..].iter().filter(|row| row.is_ok()).count(), 2);
    }

    #[test]
    fn lines_end_wherever_the_text_does() {
        let long = "x".repeat(MAX_ROW + 1);
        let text = format!("one\n\n{long}\ntwo");
        let mut lines = Lines::new(text.as_bytes());
        let mut read = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            read.push(line.map(|line| line.len()));
        }
        assert_eq!(read, [Ok(3), Ok(0), Err(Wrong::TooLong), Ok(3)]);
    }
}
