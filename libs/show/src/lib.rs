//! What answers look like: aligned text for people, proto3 JSON for programs.
#![warn(clippy::missing_errors_doc)]

pub mod json;
pub mod lines;
pub mod table;
pub mod text;
pub mod words;
mod wrap;

use std::borrow::Cow;
use std::io::{self, Write as _};

use prost::{Message, Name};
use proto::redress::event::v1::Event;

/// Prints a line, or lines, whatever people wrote into them: see [`escaped`].
///
/// # Errors
///
/// Fails if standard output cannot be written.
pub fn say(text: &str) -> io::Result<()> {
    say_styled(&escaped(text))
}

/// Prints a line, or lines, with the escape codes that colour them: for words of our own.
///
/// # Errors
///
/// Fails if standard output cannot be written.
pub fn say_styled(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(format!("{}\n", text.trim_end_matches('\n')).as_bytes())?;
    out.flush()
}

/// A text that a terminal shows as it is: what would move its cursor, colour it, ring or
/// turn the order of letters is written as an escape, `\u{1b}`. Lines and tabs stay.
pub fn escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(is_treacherous) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        if is_treacherous(letter) { shown.extend(letter.escape_default()) } else { shown.push(letter) }
    }
    Cow::Owned(shown)
}

/// Whether a terminal does something with a character other than to show it: control
/// characters but for lines and tabs, and those that turn the direction of a text
/// (Unicode's `Bidi_Control`, with the separators that terminals take for lines).
pub fn is_treacherous(letter: char) -> bool {
    let turns = matches!(
        letter,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    );
    turns || (letter.is_control() && letter != '\n' && letter != '\t')
}

/// Prints an answer, as JSON or as the text it reads as.
///
/// # Errors
///
/// Fails if standard output cannot be written, or if the contracts do not have the message.
pub fn answer<M: Message + Name>(
    as_json: bool,
    message: &M,
    text: impl FnOnce(&M) -> String,
) -> anyhow::Result<()> {
    Ok(say(&if as_json { json::pretty(message)? } else { text(message) })?)
}

/// Prints one of a stream of answers: JSON is then one line each.
///
/// # Errors
///
/// Fails if standard output cannot be written, or if the contracts do not have the message.
pub fn piece<M: Message + Name>(
    as_json: bool,
    message: &M,
    text: impl FnOnce(&M) -> String,
) -> anyhow::Result<()> {
    Ok(say(&if as_json { json::line(message)? } else { text(message) })?)
}

/// How this program was called, for lines to be typed.
pub fn program() -> String {
    std::env::args().next().unwrap_or_else(|| "redress".to_owned())
}

/// The short name of what an event carries: `CaseOpened`.
pub fn payload_name(event: &Event) -> &str {
    event.payload.as_ref().and_then(|payload| payload.type_url.rsplit('.').next()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_shown_instead() {
        let hostile = "a\u{1b}[2Jb\u{7}c\rd\u{9b}e\u{202e}f\u{2066}g\u{2028}h\u{7f}\0";
        assert_eq!(
            escaped(hostile),
            "a\\u{1b}[2Jb\\u{7}c\\rd\\u{9b}e\\u{202e}f\\u{2066}g\\u{2028}h\\u{7f}\\u{0}"
        );
        let harmless = "燃气表\tlate\nagain — naïve 👨‍👩‍👧 שלום";
        assert!(matches!(escaped(harmless), Cow::Borrowed(same) if same == harmless));
    }
}
