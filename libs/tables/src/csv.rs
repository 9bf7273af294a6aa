//! Separated cells as they are written for spreadsheets: commas and CRLF, and nothing in them
//! that a spreadsheet takes for a formula. A file of them begins with [`BYTE_ORDER_MARK`].

/// What a file in UTF-8 begins with, so that Excel reads Chinese right.
pub const BYTE_ORDER_MARK: &str = "\u{feff}";

/// What a spreadsheet takes for the beginning of a formula.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// A row of fields that are written already.
pub fn line(fields: impl IntoIterator<Item = String>) -> String {
    let fields: Vec<String> = fields.into_iter().collect();
    fields.join(",") + "\r\n"
}

/// A text as a field. An apostrophe before what looks like a formula makes it text; what may
/// not stand in XML, or turns a text around, becomes a blank.
pub fn field(text: &str) -> String {
    let clean: String = text.chars().map(|letter| if is_lawful(letter) { letter } else { ' ' }).collect();
    // The bare carriage return is gone by now; what stood behind it is looked at as well.
    let is_formula = text.trim_start().starts_with(FORMULA) || text.starts_with(FORMULA);
    let safe = if is_formula { format!("'{clean}") } else { clean };
    if safe.contains([',', '"', '\n', ' ']) { format!("\"{}\"", safe.replace('"', "\"\"")) } else { safe }
}

/// Whether a letter may stand in XML, and turns no text around.
pub fn is_lawful(letter: char) -> bool {
    let turns = matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fffe}' | '\u{ffff}');
    !turns && (!letter.is_control() || matches!(letter, '\n' | '\t'))
}
