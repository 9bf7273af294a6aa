//! All figures of a report as CSV: UTF-8 with a byte order mark, so that Excel reads Chinese
//! right, CRLF, and nothing in it that a spreadsheet takes for a formula.

use super::Term;
use super::content::Content;
use super::data::{self, Field};
use super::html::is_lawful;
use super::word::Language;

/// What a spreadsheet takes for the beginning of a formula.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// The file.
pub fn render(term: &Term, content: &Content, language: Language) -> String {
    let mut file = String::from("\u{feff}");
    file += &line(data::headings(language).iter().map(|text| field(text)));
    for row in data::rows(term, content, language) {
        file += &line(row.iter().map(written));
    }
    file
}

/// A row of fields that are written already.
pub fn line(fields: impl IntoIterator<Item = String>) -> String {
    let fields: Vec<String> = fields.into_iter().collect();
    fields.join(",") + "\r\n"
}

fn written(of: &Field) -> String {
    match of {
        Field::Empty => String::new(),
        Field::Text(text) => field(text),
        Field::Number(number) => number.to_string(),
    }
}

/// A text as a field. An apostrophe before what looks like a formula makes it text.
pub fn field(text: &str) -> String {
    let clean: String = text.chars().map(|letter| if is_lawful(letter) { letter } else { ' ' }).collect();
    // The bare carriage return is gone by now; what stood behind it is looked at as well.
    let is_formula = text.trim_start().starts_with(FORMULA) || text.starts_with(FORMULA);
    let safe = if is_formula { format!("'{clean}") } else { clean };
    if safe.contains([',', '"', '\n', ' ']) { format!("\"{}\"", safe.replace('"', "\"\"")) } else { safe }
}
