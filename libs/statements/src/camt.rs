//! A bank's statement as a message `camt.053` of ISO 20022 (versions 02 to 13), read entry by
//! entry.
//!
//! A booked entry is a row; one that gathers several payments is a row for each of them. The
//! reference is what the organisation gave the payment (`EndToEndId`), else what the bank
//! gave it (`AcctSvcrRef`), else the entry's own (`NtryRef`). What is only announced
//! (`PDNG`, `INFO`) is no row.

use std::collections::VecDeque;
use std::io::{self, BufRead, Read};

use anyhow::{Context as _, bail};
use proto::redress::resolution::v1::{StatementDirection, StatementRow};
use quick_xml::Reader;
use quick_xml::events::{BytesRef, BytesStart, Event};
use show::lines::read_money;

use crate::file::Input;

/// Most elements within each other; a statement has 12.
const MAX_DEPTH: usize = 64;
/// Most bytes of one tag, or of the text between two.
const MAX_PIECE: u64 = 1 << 20;
/// What a payment has instead of a number where the organisation gave it none.
const NOT_PROVIDED: &str = "NOTPROVIDED";

/// What is read of an entry, or of a payment within it.
#[derive(Clone, Debug, Default)]
struct Booking {
    currency: String,
    amount: String,
    direction: String,
    end_to_end: String,
    servicer: String,
    own: String,
}

/// An entry that is being read.
#[derive(Debug, Default)]
struct Entry {
    booking: Booking,
    status: String,
    day: String,
    /// The payment read last, until it is known whether it is the only one.
    payment: Option<Booking>,
    payments: usize,
}

/// A message that is being read.
pub(crate) struct Rows {
    reader: Reader<Bounded<Input>>,
    buffer: Vec<u8>,
    /// The elements the reader is in.
    path: Vec<String>,
    text: String,
    currency: String,
    entry: Entry,
    ready: VecDeque<StatementRow>,
    number: i64,
    is_statement: bool,
    is_over: bool,
}

impl Rows {
    /// Begins to read a message.
    pub(crate) fn open(input: Input) -> Self {
        Self {
            reader: Reader::from_reader(Bounded { inner: input, left: MAX_PIECE }),
            buffer: Vec::new(),
            path: Vec::new(),
            text: String::new(),
            currency: String::new(),
            entry: Entry::default(),
            ready: VecDeque::new(),
            number: 0,
            is_statement: false,
            is_over: false,
        }
    }

    /// So many rows more, or those that are left.
    pub(crate) fn next(&mut self, count: usize) -> anyhow::Result<Vec<StatementRow>> {
        while self.ready.len() < count && !self.is_over {
            self.step()?;
        }
        Ok(self.ready.drain(..count.min(self.ready.len())).collect())
    }

    /// Reads on to the next tag or text.
    fn step(&mut self) -> anyhow::Result<()> {
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.clear();
        self.reader.get_mut().left = MAX_PIECE;
        match self.reader.read_event_into(&mut buffer)? {
            Event::Start(tag) => self.begin(&tag)?,
            Event::End(_) => self.end(),
            Event::Text(text) => self.text.push_str(&text.xml10_content()),
            Event::CData(text) => self.text.push_str(&text.xml10_content()),
            Event::GeneralRef(reference) => self.text.push(character(&reference)?),
            Event::DocType(_) => bail!("it has a document type, which no statement has"),
            Event::Eof => self.close()?,
            Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
        self.buffer = buffer;
        Ok(())
    }

    fn begin(&mut self, tag: &BytesStart<'_>) -> anyhow::Result<()> {
        let name = tag.local_name().as_ref().to_owned();
        if self.path.len() == MAX_DEPTH {
            bail!("it has more than {MAX_DEPTH} elements within each other");
        }
        match name.as_str() {
            "BkToCstmrStmt" => self.is_statement = true,
            "Ntry" => self.entry = Entry::default(),
            "TxDtls" => self.another_payment(),
            "Amt" => {
                let currency = tag.try_get_attribute("Ccy").context("it has a sum without a currency")?;
                self.currency = currency.map(|currency| currency.value.into_owned()).unwrap_or_default();
            }
            _ => {}
        }
        self.path.push(name);
        self.text.clear();
        Ok(())
    }

    /// One more payment begins: the one before is a row of its own.
    fn another_payment(&mut self) {
        self.entry.payments += 1;
        if let Some(before) = self.entry.payment.replace(Booking::default()) {
            self.row(&before);
        }
    }

    fn end(&mut self) {
        let text = std::mem::take(&mut self.text);
        self.keep(text.trim());
        if self.path.pop().as_deref() == Some("Ntry") {
            let payment = self.entry.payment.take();
            let booking = self.entry.booking.clone();
            match payment {
                // What a lone payment does not say again is the entry's.
                Some(lone) if self.entry.payments == 1 && lone.amount.is_empty() => {
                    let (currency, amount) = (booking.currency, booking.amount);
                    self.row(&Booking { currency, amount, ..lone });
                }
                Some(last) => self.row(&last),
                None => self.row(&booking),
            }
        }
    }

    /// Keeps the text of the element that ends, where it is of an entry.
    fn keep(&mut self, text: &str) {
        let Some(entry) = self.path.iter().rposition(|name| name == "Ntry") else { return };
        let below: Vec<&str> = self.path[entry + 1..].iter().map(String::as_str).collect();
        let text = text.to_owned();
        let of = &mut self.entry;
        if let ["NtryDtls", "TxDtls", rest @ ..] = below.as_slice() {
            let payment = of.payment.get_or_insert_default();
            match rest {
                ["Refs", "EndToEndId"] => payment.end_to_end = text,
                ["Refs", "AcctSvcrRef"] => payment.servicer = text,
                ["CdtDbtInd"] => payment.direction = text,
                ["Amt"] => (payment.amount, payment.currency) = (text, self.currency.clone()),
                ["AmtDtls", "TxAmt", "Amt"] if payment.amount.is_empty() => {
                    (payment.amount, payment.currency) = (text, self.currency.clone());
                }
                _ => {}
            }
            return;
        }
        match below.as_slice() {
            ["Amt"] => (of.booking.amount, of.booking.currency) = (text, self.currency.clone()),
            ["CdtDbtInd"] => of.booking.direction = text,
            ["Sts"] if of.status.is_empty() => of.status = text,
            ["Sts", "Cd"] => of.status = text,
            ["BookgDt", "Dt"] => of.day = text,
            ["BookgDt", "DtTm"] => of.day = text.get(..10).unwrap_or_default().to_owned(),
            ["AcctSvcrRef"] => of.booking.servicer = text,
            ["NtryRef"] => of.booking.own = text,
            _ => {}
        }
    }

    /// A payment is a row, or an entry is; what it does not say is the entry's.
    fn row(&mut self, booking: &Booking) {
        if self.entry.status != "BOOK" {
            return;
        }
        self.number += 1;
        let whole = &self.entry.booking;
        let first = |texts: [&String; 5]| {
            let known = |text: &&String| !text.is_empty() && text.as_str() != NOT_PROVIDED;
            texts.into_iter().find(known).cloned().unwrap_or_default()
        };
        let reference =
            first([&booking.end_to_end, &booking.servicer, &whole.servicer, &booking.own, &whole.own]);
        let way = if booking.direction.is_empty() { &whole.direction } else { &booking.direction };
        let direction = match way.as_str() {
            "DBIT" => Ok(StatementDirection::Paid),
            "CRDT" => Ok(StatementDirection::Collected),
            other => Err(format!("the entry is neither DBIT nor CRDT, but {other:?}")),
        };
        let row = StatementRow { number: self.number, reference, ..StatementRow::default() };
        let sum = read_money(&format!("{} {}", booking.currency, booking.amount));
        self.ready.push_back(match (sum, direction) {
            (Ok(sum), Ok(direction)) => StatementRow {
                amount: Some(sum),
                direction: direction.into(),
                day: self.entry.day.clone(),
                ..row
            },
            (Err(fault), _) | (_, Err(fault)) => StatementRow { fault, ..row },
        });
    }

    /// The file ends, at the end of a statement or before.
    fn close(&mut self) -> anyhow::Result<()> {
        if !self.path.is_empty() {
            bail!("it ends within {}: a part of it is missing", self.path.join("/"));
        }
        if !self.is_statement {
            bail!("it is no statement camt.053: it has no BkToCstmrStmt");
        }
        self.is_over = true;
        Ok(())
    }
}

/// The character that a reference stands for: those of XML itself, as no others can be
/// declared.
fn character(reference: &BytesRef<'_>) -> anyhow::Result<char> {
    if let Some(character) = reference.resolve_char_ref()? {
        return Ok(character);
    }
    Ok(match reference.as_ref() {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        other => bail!("&{other}; stands for nothing"),
    })
}

/// A reader that ends when one piece of what it reads is too large for a statement.
struct Bounded<R> {
    inner: R,
    left: u64,
}

impl<R: BufRead> Read for Bounded<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.inner.read(into)
    }
}

impl<R: BufRead> BufRead for Bounded<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.left == 0 {
            return Err(io::Error::other(format!("a tag or text is larger than {MAX_PIECE} bytes")));
        }
        self.inner.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.left = self.left.saturating_sub(amount as u64);
        self.inner.consume(amount);
    }
}

#[cfg(test)]
mod tests {
    use crate::file::tests::{rows, told};

    /// A statement with these entries.
    fn statement(entries: &str) -> String {
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08\"><BkToCstmrStmt>\
             <GrpHdr><MsgId>M-1</MsgId></GrpHdr><Stmt><Id>S-1</Id>\
             <Bal><Amt Ccy=\"EUR\">99.00</Amt><CdtDbtInd>CRDT</CdtDbtInd></Bal>{entries}</Stmt>\
             </BkToCstmrStmt></Document>"
        )
    }

    #[test]
    fn an_entry_or_each_payment_of_one_is_a_row() {
        let text = statement(
            "<Ntry><Amt Ccy=\"EUR\">128.50</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>\
             <BookgDt><Dt>2026-11-27</Dt></BookgDt><AcctSvcrRef>B-1</AcctSvcrRef><NtryDtls><TxDtls><Refs>\
             <EndToEndId>R&amp;D-&#49;</EndToEndId></Refs></TxDtls></NtryDtls></Ntry>\
             <Ntry><Amt Ccy=\"EUR\">30.00</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>BOOK</Sts>\
             <BookgDt><DtTm>2026-11-28T09:00:00+01:00</DtTm></BookgDt><NtryDtls>\
             <Btch><NbOfTxs>2</NbOfTxs></Btch>\
             <TxDtls><Refs><EndToEndId>P-2</EndToEndId></Refs><Amt Ccy=\"EUR\">10</Amt></TxDtls>\
             <TxDtls><Refs><EndToEndId>NOTPROVIDED</EndToEndId><AcctSvcrRef>B-3</AcctSvcrRef></Refs>\
             <AmtDtls><TxAmt><Amt Ccy=\"EUR\">20.00</Amt></TxAmt></AmtDtls></TxDtls></NtryDtls></Ntry>\
             <Ntry><NtryRef>N-4</NtryRef><Amt Ccy=\"JPY\">500</Amt><CdtDbtInd>CRDT</CdtDbtInd>\
             <Sts>BOOK</Sts></Ntry>\
             <Ntry><Amt Ccy=\"EUR\">1</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts><Cd>PDNG</Cd></Sts></Ntry>",
        );
        let read = rows(&text, "").unwrap();
        let expected = [
            (1, "R&D-1", "EUR 128.50".to_owned(), "PAID", "2026-11-27", ""),
            (2, "P-2", "EUR 10.00".to_owned(), "PAID", "2026-11-28", ""),
            (3, "B-3", "EUR 20.00".to_owned(), "PAID", "2026-11-28", ""),
            (4, "N-4", "JPY 500".to_owned(), "COLLECTED", "", ""),
        ];
        assert_eq!(read.iter().map(told).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn an_entry_that_cannot_be_read_says_so_and_spoils_no_other() {
        let booked = "<Sts><Cd>BOOK</Cd></Sts>";
        let text = statement(&format!(
            "<Ntry><NtryRef>A</NtryRef><Amt>5</Amt><CdtDbtInd>DBIT</CdtDbtInd>{booked}</Ntry>\
             <Ntry><NtryRef>B</NtryRef><Amt Ccy=\"EUR\">5</Amt><CdtDbtInd>SIDE</CdtDbtInd>{booked}</Ntry>\
             <Ntry><NtryRef>C</NtryRef><Amt Ccy=\"EUR\">9</Amt><CdtDbtInd>DBIT</CdtDbtInd>{booked}<NtryDtls>\
             <TxDtls><Refs><EndToEndId>C-1</EndToEndId></Refs></TxDtls>\
             <TxDtls><Refs><EndToEndId>C-2</EndToEndId></Refs><Amt Ccy=\"EUR\">4</Amt></TxDtls></NtryDtls></Ntry>"
        ));
        let read = rows(&text, "").unwrap();
        let faulty: Vec<(&str, bool)> =
            read.iter().map(|row| (row.reference.as_str(), !row.fault.is_empty())).collect();
        assert_eq!(faulty, [("A", true), ("B", true), ("C-1", true), ("C-2", false)]);
    }

    #[test]
    fn what_is_no_whole_statement_is_refused() {
        let whole = statement("");
        let deep = format!("{}x", "<a>".repeat(70));
        for (text, said) in [
            (whole.split("</Stmt>").next().unwrap(), "missing"),
            ("<Document></Document>", "camt.053"),
            ("<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>", "document type"),
            ("<a>&b;</a>", "stands for nothing"),
            (deep.as_str(), "within each other"),
            ("<a><b></a>", "b"),
        ] {
            let error = rows(text, "").unwrap_err();
            assert!(format!("{error:#}").contains(said), "{error:#}");
        }
        assert!(rows(&whole, "").unwrap().is_empty());
    }

    #[test]
    fn a_piece_larger_than_any_statement_has_ends_the_reading() {
        let long = statement(&format!("<Ntry><NtryRef>{}</NtryRef></Ntry>", "x".repeat(3 << 20)));
        let error = rows(&long, "").unwrap_err();
        assert!(format!("{error:#}").contains("larger than"), "{error:#}");
    }
}
