//! What answers look like: aligned text for people, proto3 JSON for programs.

pub(crate) mod json;
pub(crate) mod lines;
pub(crate) mod table;
pub(crate) mod text;
pub(crate) mod words;
mod wrap;

use std::io::{self, Write as _};

use prost::{Message, Name};
use proto::redress::event::v1::Event;

/// Prints a line, or lines.
pub(crate) fn say(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(format!("{}\n", text.trim_end_matches('\n')).as_bytes())?;
    out.flush()
}

/// Prints an answer, as JSON or as the text it reads as.
pub(crate) fn answer<M: Message + Name>(
    as_json: bool,
    message: &M,
    text: impl FnOnce(&M) -> String,
) -> anyhow::Result<()> {
    Ok(say(&if as_json { json::pretty(message)? } else { text(message) })?)
}

/// Prints one of a stream of answers: JSON is then one line each.
pub(crate) fn piece<M: Message + Name>(
    as_json: bool,
    message: &M,
    text: impl FnOnce(&M) -> String,
) -> anyhow::Result<()> {
    Ok(say(&if as_json { json::line(message)? } else { text(message) })?)
}

/// How this program was called, for lines to be typed.
pub(crate) fn program() -> String {
    std::env::args().next().unwrap_or_else(|| "redress".to_owned())
}

/// The short name of what an event carries: `CaseOpened`.
pub(crate) fn payload_name(event: &Event) -> &str {
    event.payload.as_ref().and_then(|payload| payload.type_url.rsplit('.').next()).unwrap_or_default()
}
