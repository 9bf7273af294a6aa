//! All figures of a report as CSV: UTF-8 with a byte order mark, so that Excel reads Chinese
//! right, CRLF, and nothing in it that a spreadsheet takes for a formula.

use tables::csv::BYTE_ORDER_MARK;
pub use tables::csv::{field, line};

use super::Term;
use super::content::Content;
use super::data::{self, Field};
use super::word::Language;

/// The file.
pub fn render(term: &Term, content: &Content, language: Language) -> String {
    let mut file = String::from(BYTE_ORDER_MARK);
    file += &line(data::headings(language).iter().map(|text| field(text)));
    for row in data::rows(term, content, language) {
        file += &line(row.iter().map(written));
    }
    file
}

fn written(of: &Field) -> String {
    match of {
        Field::Empty => String::new(),
        Field::Text(text) => field(text),
        Field::Number(number) => number.to_string(),
    }
}
