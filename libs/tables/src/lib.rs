//! Tables as people write them.
//!
//! - [`encoding`] recognises the encoding of a text, of one short row as of thousands.
//! - [`number`] and [`money`] read amounts exactly, with separators, full-width digits,
//!   signs of currencies and 万; what could be two numbers is refused by name.
//! - [`moment`] reads dates and times, with the time zone they are of.
//! - [`phone`] reads telephone numbers, as E.164 where the country is known.
//! - [`csv`] writes separated cells that spreadsheets open, and take for no formulas.
//! - [`workbook`] reads the rows of a spreadsheet (XLSX) one by one, within bounds.
//!
//! Nothing here knows what a column means: that is for others.
#![warn(clippy::missing_errors_doc)]

pub mod csv;
pub mod encoding;
pub mod moment;
pub mod money;
pub mod number;
pub mod phone;
pub mod workbook;

/// Letters, digits and marks as wide as Chinese, as they are in ASCII: `１２８．５０` is
/// `128.50`. Every blank is a space, every dash a hyphen; none stand before or after.
pub fn narrow(text: &str) -> String {
    let narrow = |letter: char| match letter {
        '\u{ff01}'..='\u{ff5e}' => {
            char::from_u32(u32::from(letter) - 0xff01 + u32::from('!')).unwrap_or(letter)
        }
        '\u{3000}' | '\u{a0}' | '\u{2007}' | '\u{2009}' | '\u{202f}' => ' ',
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        '\u{ffe5}' => '¥',
        '\u{ffe0}' => '¢',
        '\u{ffe1}' => '£',
        '\u{2018}' | '\u{2019}' => '\'',
        letter => letter,
    };
    text.trim().chars().map(narrow).collect::<String>().trim().to_owned()
}
