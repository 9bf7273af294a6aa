//! A bank's statements as messages MT940 of SWIFT, read line by line.
//!
//! A field `:61:` is a row. The reference is what the organisation gave the payment (`EREF+`
//! in `:86:`, else the customer's reference), else what the bank gave it. A field that cannot
//! be read is a row that says so.
//!
//! Read by hand: of the libraries there are, mt940 1.1 (Rust) names reversals the wrong way
//! round and mt-940 4.30 (Python) gives one the wrong sign; see findings.

use std::collections::VecDeque;
use std::io::{BufRead as _, Read as _};

use anyhow::bail;
use proto::redress::resolution::v1::{StatementDirection, StatementRow};
use show::lines::read_money;

use crate::file::Input;

/// Most bytes of one line; SWIFT allows 65 characters.
const MAX_LINE: usize = 64 << 10;
/// Lines of `:86:` that are read; SWIFT allows 6, some banks send more.
const MAX_DETAILS: usize = 20;
/// What a payment has instead of a number where the organisation gave it none.
const NO_REFERENCE: [&str; 3] = ["", "NONREF", "NOTPROVIDED"];

/// Messages that are being read.
pub(crate) struct Rows {
    input: Input,
    /// Of the balance the message begins with; empty before.
    currency: String,
    /// The field `:61:` that was read last, until its details are.
    entry: Option<Entry>,
    ready: VecDeque<StatementRow>,
    number: i64,
    is_over: bool,
}

/// A field `:61:`, with its details.
struct Entry {
    value: String,
    details: Vec<String>,
    /// Whether lines that begin no field go on with the details.
    is_detailed: bool,
}

impl Rows {
    /// Begins to read messages.
    pub(crate) fn open(input: Input) -> Self {
        let (currency, ready) = (String::new(), VecDeque::new());
        Self { input, currency, entry: None, ready, number: 0, is_over: false }
    }

    /// So many rows more, or those that are left.
    pub(crate) fn next(&mut self, count: usize) -> anyhow::Result<Vec<StatementRow>> {
        while self.ready.len() < count && !self.is_over {
            let Some(line) = self.line()? else {
                self.finish();
                self.is_over = true;
                break;
            };
            // The envelope may stand on the line of the first field.
            self.take(line.rsplit_once("{4:").map_or(&*line, |(_, after)| after).trim_end());
        }
        Ok(self.ready.drain(..count.min(self.ready.len())).collect())
    }

    /// The next line; none at the end. What is no UTF-8 is read as Latin 1, as older banks
    /// write.
    fn line(&mut self) -> anyhow::Result<Option<String>> {
        let mut line = Vec::new();
        if self.input.by_ref().take(MAX_LINE as u64 + 1).read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        if line.len() > MAX_LINE {
            bail!("a line is longer than {MAX_LINE} bytes");
        }
        let latin = |bytes: Vec<u8>| bytes.into_iter().map(char::from).collect();
        Ok(Some(String::from_utf8(line).unwrap_or_else(|wrong| latin(wrong.into_bytes()))))
    }

    fn take(&mut self, line: &str) {
        let field = line.strip_prefix(':').and_then(|rest| rest.split_once(':'));
        match (field, &mut self.entry) {
            (Some(("61", value)), _) => {
                self.finish();
                self.entry = Some(Entry { value: value.to_owned(), details: Vec::new(), is_detailed: false });
            }
            (Some(("86", details)), Some(entry)) => {
                entry.details.push(details.to_owned());
                entry.is_detailed = true;
            }
            (Some((tag, value)), _) => {
                self.finish();
                if tag.starts_with("60") {
                    self.currency = value.get(7..10).unwrap_or_default().to_owned();
                }
            }
            (None, Some(entry)) if entry.is_detailed && entry.details.len() < MAX_DETAILS => {
                entry.details.push(line.to_owned());
            }
            (None, _) => {}
        }
    }

    /// The field `:61:` that was read last is whole.
    fn finish(&mut self) {
        let Some(entry) = self.entry.take() else { return };
        self.number += 1;
        let row = StatementRow { number: self.number, ..StatementRow::default() };
        self.ready.push_back(match booked(&entry.value) {
            Some(booked) => booked.row(row, &self.currency, &entry.details.concat()),
            None => StatementRow { fault: format!("the field :61: cannot be read: {}", entry.value), ..row },
        });
    }
}

/// What a field `:61:` says.
struct Booked<'a> {
    day: String,
    direction: StatementDirection,
    amount: String,
    customer: &'a str,
    bank: &'a str,
}

impl Booked<'_> {
    fn row(self, row: StatementRow, currency: &str, details: &str) -> StatementRow {
        let ours = end_to_end(details);
        let known = |text: &&str| !NO_REFERENCE.contains(text);
        let reference = [ours.as_str(), self.customer, self.bank].into_iter().find(known).unwrap_or_default();
        let row = StatementRow { reference: reference.to_owned(), ..row };
        match read_money(&format!("{currency} {}", self.amount)) {
            Ok(sum) => {
                StatementRow { amount: Some(sum), direction: self.direction.into(), day: self.day, ..row }
            }
            Err(fault) => StatementRow { fault, ..row },
        }
    }
}

/// Reads a field `:61:`: the value's date, the booking's, the mark, a letter of the currency,
/// the sum, the kind, and the references of the customer and, after `//`, of the bank.
fn booked(value: &str) -> Option<Booked<'_>> {
    let (date, rest) = digits(value, 6)?;
    let (booking, rest) = digits(rest, 4).map_or(("", rest), |(day, rest)| (day, rest));
    // A debit taken back (RD) is money that comes in.
    let marks = [
        ("RD", StatementDirection::Collected),
        ("RC", StatementDirection::Paid),
        ("D", StatementDirection::Paid),
        ("C", StatementDirection::Collected),
    ];
    let of = |(mark, direction): (&str, StatementDirection)| Some((rest.strip_prefix(mark)?, direction));
    let (rest, direction) = marks.into_iter().find_map(of)?;
    let rest = rest.strip_prefix(|letter: char| letter.is_ascii_uppercase()).unwrap_or(rest);
    let end = rest.find(|sign: char| !sign.is_ascii_digit() && sign != ',')?;
    let (amount, rest) = rest.split_at(end);
    let kind = rest.get(..4)?;
    if amount.is_empty() || !kind.starts_with(['N', 'F', 'S']) {
        return None;
    }
    let references = rest.get(4..)?;
    let (customer, bank) = references.split_once("//").unwrap_or((references, ""));
    Some(Booked {
        day: day(date, booking)?,
        direction,
        amount: amount.replace(',', ".").trim_end_matches('.').to_owned(),
        customer: customer.trim(),
        bank: bank.trim(),
    })
}

/// So many digits, and what follows them.
fn digits(text: &str, count: usize) -> Option<(&str, &str)> {
    let digits = text.get(..count)?;
    digits.bytes().all(|digit| digit.is_ascii_digit()).then(|| (digits, &text[count..]))
}

/// The day something was booked: the year is that of the value's date, or, about New Year,
/// the one beside it.
fn day(date: &str, booking: &str) -> Option<String> {
    let year: i16 = date[..2].parse().ok()?;
    let (month, booked) =
        if booking.is_empty() { (&date[2..4], &date[2..]) } else { (&booking[..2], booking) };
    let year = match (&date[2..4], month) {
        ("12", "01") => 2001 + year,
        ("01", "12") => 1999 + year,
        _ => 2000 + year,
    };
    let day = format!("{year}-{}-{}", &booked[..2], &booked[2..]);
    day.parse::<jiff::civil::Date>().is_ok().then_some(day)
}

/// The number the organisation gave a SEPA payment: what follows `EREF+`, to the next
/// such mark (`MREF+`, `SVWZ+`, …) or the end; empty where there is none. Subfields (`?20`)
/// and line ends cut it nowhere.
fn end_to_end(details: &str) -> String {
    let mut text = String::new();
    let mut signs = details.chars().filter(|sign| !matches!(sign, '\r' | '\n'));
    while let Some(sign) = signs.next() {
        if sign == '?' {
            signs.nth(1);
        } else {
            text.push(sign);
        }
    }
    let Some((_, after)) = text.split_once("EREF+") else { return String::new() };
    let marks = after.match_indices('+').filter_map(|(at, _)| at.checked_sub(4));
    let is_mark = |start: &usize| after[*start..].chars().take(4).all(|c| c.is_ascii_uppercase());
    let end = marks.filter(|start| after.is_char_boundary(*start)).find(is_mark).unwrap_or(after.len());
    after[..end].trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::tests::{rows, told};

    const HEAD: &str = ":20:X-1\r\n:25:DABADKKK/111111\r\n:28C:00001/001\r\n:60F:C261124EUR54484,04\r\n";
    const TAIL: &str = ":62F:C261128EUR53126,94\r\n";

    #[test]
    fn a_line_is_a_row_with_the_organisations_number_before_the_banks() {
        let text = format!(
            "{{1:F01DABADKKKAXXX0000000000}}{{2:I940X}}{{4:\r\n{HEAD}\
             :61:2611251126DR583,92NMSCP-1//1234\r\n:86:11100304030101391234\r\nSomebody\r\n\
             :61:2611261126CR62,60NCHGNONREF//B-2\r\n\
             :61:261127D1,NTRFNONREF\r\n:86:166?00Transfer?20EREF+P-?213 4?22SVWZ+refund?32A\r\n{TAIL}-}}\r\n\
             {HEAD}:61:2611281128RD5,00NTRFP-4\r\n:61:2611281128RC6,00NTRFP-5\r\n{TAIL}"
        );
        let read = rows(&text, "").unwrap();
        let expected = [
            (1, "P-1", "EUR 583.92".to_owned(), "PAID", "2026-11-26", ""),
            (2, "B-2", "EUR 62.60".to_owned(), "COLLECTED", "2026-11-26", ""),
            (3, "P-3 4", "EUR 1.00".to_owned(), "PAID", "2026-11-27", ""),
            (4, "P-4", "EUR 5.00".to_owned(), "COLLECTED", "2026-11-28", ""),
            (5, "P-5", "EUR 6.00".to_owned(), "PAID", "2026-11-28", ""),
        ];
        assert_eq!(read.iter().map(told).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_field_that_cannot_be_read_says_so_and_spoils_no_other() {
        let text = format!(
            "{HEAD}:61:nonsense\r\n:61:2611251126X1,00NMSCP-0\r\n:61:261331D1,00NMSCP-0\r\n\
             :61:2611251126D1,00NMSCP-1\r\n{TAIL}-\r\n"
        );
        let read = rows(&text, "").unwrap();
        assert_eq!(read.len(), 4);
        assert!(read[..3].iter().all(|row| row.fault.contains(":61:")), "{read:?}");
        assert_eq!((read[3].number, read[3].reference.as_str(), read[3].fault.as_str()), (4, "P-1", ""));
        let read = rows(":20:X\r\n:61:2611251126D1,00NMSCP-1\r\n", "").unwrap();
        assert!(!read[0].fault.is_empty(), "a sum in no currency");
    }

    #[test]
    fn a_booking_about_new_year_is_of_the_year_it_was_booked_in() {
        for (field, day) in [
            ("2612310102D1,NMSCA", "2027-01-02"),
            ("2701021231D1,NMSCA", "2026-12-31"),
            ("270102D1,NMSCA", "2027-01-02"),
        ] {
            assert_eq!(booked(field).unwrap().day, day);
        }
    }

    #[test]
    fn the_number_of_a_payment_is_found_among_its_details() {
        for (details, number) in [
            ("EREF+P-1", "P-1"),
            ("166?00X?20EREF+P?21-2MREF+M?22SVWZ+text", "P-2"),
            ("SVWZ+text EREF+A+B", "A+B"),
            ("nothing", ""),
        ] {
            assert_eq!(end_to_end(details), number, "{details}");
        }
    }

    #[test]
    fn a_line_longer_than_any_ends_the_reading() {
        let text = format!(":20:X\r\n:86:{}", "x".repeat(MAX_LINE));
        let error = rows(&text, "").unwrap_err();
        assert!(error.to_string().contains("longer than"), "{error:#}");
    }
}
