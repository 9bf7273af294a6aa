//! What a refusal may say: it travels in the trailers of an answer, and clients bound
//! those. Common ones refuse more than 8 KiB, and grpcio 1.85 makes `RESOURCE_EXHAUSTED`
//! of some answers between 8 and 16 KiB. The sentence and the details are bounded together,
//! as they are written: the sentence percent-encoded, and once more within the details,
//! the details in base64.

use std::borrow::Cow;

/// Most bytes of a refusal's trailers, names and 32 bytes for each of them included, as
/// HTTP/2 counts. The rest of 8 KiB is left to what others add.
pub const MAX_TRAILER_BYTES: usize = 7 << 10;
/// Most bytes of the sentence, percent-encoded.
const MAX_SENTENCE: usize = 1_500;
/// Longest name, description or value among the details, in bytes.
const MAX_TEXT: usize = 400;
/// What each of the details takes beside its texts: tags and lengths.
pub(crate) const EACH: usize = 16;
/// What the trailers take beside the sentence and the list of details: their names, the
/// code, types of details, the reason's domain, when to retry, what was not shown.
const FRAME: usize = 640;

/// A sentence that there is room for.
pub(crate) fn sentence(text: &str) -> String {
    let mut encoded = 0;
    let end = text.char_indices().find(|(_, c)| {
        encoded += encoded_len(*c);
        encoded > MAX_SENTENCE
    });
    cut(text, end.map_or(text.len(), |(at, _)| at)).into_owned()
}

/// A text among the details that there is room for.
pub(crate) fn clipped(text: &str) -> Cow<'_, str> {
    let end = (0..=MAX_TEXT.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    cut(text, end.unwrap_or(0))
}

fn cut(text: &str, end: usize) -> Cow<'_, str> {
    if end == text.len() { Cow::Borrowed(text) } else { Cow::Owned(format!("{}…", &text[..end])) }
}

/// Bytes that are left for details beside a sentence.
pub(crate) fn for_details(sentence: &str) -> usize {
    let encoded: usize = sentence.chars().map(encoded_len).sum();
    let left = MAX_TRAILER_BYTES.saturating_sub(FRAME + encoded);
    (left / 4 * 3).saturating_sub(sentence.len())
}

/// Bytes of a character in `grpc-message`: all but plain ones are written as %XX.
fn encoded_len(c: char) -> usize {
    let is_plain = c.is_ascii_alphanumeric() || matches!(c, '.' | ',' | '-' | '_' | ':');
    if is_plain { 1 } else { 3 * c.len_utf8() }
}
