//! Encoded words (RFC 2047) and raw bytes in headers. Neighbours of one charset are joined
//! before they are decoded: half the world's programs cut words inside a character, which
//! RFC 2047 forbids and `mail-parser` reads as two damaged ones.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::charset::{self, Hints};
use crate::remark::{Remark, Remarks};
use crate::{clean, transfer};

/// Most bytes of a field that are decoded.
const MAX_FIELD: usize = 64 * 1024;
/// Longest name of a charset.
const MAX_CHARSET: usize = 60;
/// Longest data of a word: RFC 2047 allows 75 bytes of all of it, some programs cut nothing.
const MAX_DATA: usize = 8 * 1024;

/// A piece of a header.
enum Piece<'a> {
    /// As it stands there.
    Raw(&'a [u8]),
    /// Encoded: charset, encoding in lower case, data.
    Word(&'a [u8], u8, &'a [u8]),
}

/// The text of a field, on one line.
pub(crate) fn text(value: &[u8], hints: &Hints, remarks: &mut Remarks) -> String {
    let mut text = String::new();
    for piece in decoded(value, hints, remarks) {
        text.push_str(&piece.text);
    }
    clean::line(&text)
}

/// A field of addresses or parameters as UTF-8, for a reader that knows encoded words: what
/// a word says must not be taken for the commas and brackets of the field itself.
pub(crate) fn joined(value: &[u8], hints: &Hints, remarks: &mut Remarks) -> String {
    let mut text = String::new();
    for piece in decoded(value, hints, remarks) {
        if piece.is_word {
            text.push_str("=?utf-8?B?");
            STANDARD.encode_string(clean::line(&piece.text), &mut text);
            text.push_str("?=");
        } else {
            text.push_str(&clean::unfolded(&piece.text));
        }
    }
    text
}

/// The charsets that encoded words of a field name.
pub(crate) fn charsets(value: &[u8]) -> Vec<String> {
    let names = pieces(value).into_iter().filter_map(|piece| match piece {
        Piece::Word(charset, ..) => Some(String::from_utf8_lossy(charset).into_owned()),
        Piece::Raw(_) => None,
    });
    names.collect()
}

struct Decoded {
    text: String,
    is_word: bool,
}

fn decoded(value: &[u8], hints: &Hints, remarks: &mut Remarks) -> Vec<Decoded> {
    let value = value.get(..MAX_FIELD).unwrap_or(value);
    let pieces = pieces(value);
    let (mut all, mut at) = (Vec::new(), 0);
    while let Some(piece) = pieces.get(at) {
        match piece {
            Piece::Raw(raw) => {
                let text = charset::decode(raw, "", hints, remarks);
                // What looks like a word and is none stays as it is.
                if text.contains("=?") && text.contains("?=") {
                    remarks.make(Remark::WordUndecodable);
                }
                all.push(Decoded { text, is_word: false });
                at += 1;
            }
            Piece::Word(name, ..) => {
                let (bytes, end) = join(&pieces, at, name);
                let label = String::from_utf8_lossy(name);
                let text = charset::decode(&bytes, &label, hints, remarks);
                all.push(Decoded { text, is_word: true });
                at = end;
            }
        }
    }
    all
}

/// The bytes of the words of one charset that follow each other, and where they end. Base64
/// that was cut elsewhere than at four characters is put together before it is decoded.
fn join(pieces: &[Piece<'_>], from: usize, charset: &[u8]) -> (Vec<u8>, usize) {
    let (mut bytes, mut held, mut at) = (Vec::new(), Vec::new(), from);
    while let Some(Piece::Word(name, encoding, data)) = pieces.get(at) {
        if !name.eq_ignore_ascii_case(charset) {
            break;
        }
        if *encoding == b'b' && !data.ends_with(b"=") {
            held.extend_from_slice(data);
        } else {
            let data = if *encoding == b'b' { [held.as_slice(), data].concat() } else { data.to_vec() };
            if *encoding != b'b' {
                bytes.extend(transfer::word(b'b', &held).unwrap_or_default());
            }
            held.clear();
            bytes.extend(transfer::word(*encoding, &data).unwrap_or_default());
        }
        at += 1;
    }
    bytes.extend(transfer::word(b'b', &held).unwrap_or_default());
    (bytes, at)
}

fn pieces(value: &[u8]) -> Vec<Piece<'_>> {
    let (mut pieces, mut raw, mut at) = (Vec::new(), 0, 0);
    while let Some(found) = value.get(at..).and_then(|rest| rest.windows(2).position(|two| two == b"=?")) {
        let start = at + found;
        let Some((word, end)) = word(value, start) else {
            at = start + 2;
            continue;
        };
        let between = value.get(raw..start).unwrap_or_default();
        // Blanks between two words are not of the text.
        let is_gap = crate::field::is_blank(between) && matches!(pieces.last(), Some(Piece::Word(..)));
        if !between.is_empty() && !is_gap {
            pieces.push(Piece::Raw(between));
        }
        pieces.push(word);
        (raw, at) = (end, end);
    }
    let rest = value.get(raw..).unwrap_or_default();
    if !rest.is_empty() {
        pieces.push(Piece::Raw(rest));
    }
    pieces
}

/// The word that begins here, and where it ends. Blanks in it are forbidden, and found in
/// what Outlook has made of long subjects.
fn word(value: &[u8], start: usize) -> Option<(Piece<'_>, usize)> {
    let rest = value.get(start + 2..)?;
    let name = rest.iter().take(MAX_CHARSET).position(|byte| *byte == b'?')?;
    let charset = rest.get(..name)?;
    // The language of RFC 2231, `utf-8*en`, is not needed.
    let charset = charset.split(|byte| *byte == b'*').next()?;
    let is_name = !charset.is_empty() && charset.iter().all(u8::is_ascii_graphic);
    let encoding = rest.get(name + 1)?.to_ascii_lowercase();
    if !is_name || !matches!(encoding, b'b' | b'q') || rest.get(name + 2) != Some(&b'?') {
        return None;
    }
    let data = rest.get(name + 3..)?;
    let length = data.windows(2).take(MAX_DATA).position(|two| two == b"?=")?;
    let data = data.get(..length)?;
    // One that was cut into the pieces of a parameter has quotes in it, and is none here.
    let is_sound = match encoding {
        b'b' => data.iter().all(|byte| transfer::is_base64(*byte) || byte.is_ascii_whitespace()),
        _ => !data.windows(2).any(|two| two == b"\";"),
    };
    if !is_sound || (encoding == b'b' && transfer::word(b'b', data).is_none()) {
        return None;
    }
    Some((Piece::Word(charset, encoding, data), start + 2 + name + 3 + length + 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &[u8]) -> String {
        text(value, &Hints::default(), &mut Remarks::default())
    }

    #[test]
    fn words_are_put_together_before_they_are_decoded() {
        assert_eq!(read(b"=?utf-8?B?5YyF6KM=?=\r\n =?UTF-8?B?ueWdj+S6hg==?="), "包裹坏了");
        assert_eq!(read(b"=?utf-8?Q?=E5=8C=85=E8=A3?= =?utf-8?q?=B9?="), "包裹");
        assert_eq!(read(b"=?utf-8?B?5YyF6?= =?utf-8?B?KO5?="), "包裹");
        assert_eq!(read(b"=?gb2312?B?sPw=?= =?utf-8?B?6KO5?="), "包裹");
        assert_eq!(read(b"=?utf-8?Q?=E5=8C?= =?utf-8?B?hQ==?="), "包");
    }

    #[test]
    fn blanks_are_of_the_text_but_for_those_between_words() {
        assert_eq!(read(b"Re: [=?utf-8?Q?late?=] =?utf-8?Q?parcel_7?= now\r\n"), "Re: [late] parcel 7 now");
        assert_eq!(read(b"=?utf-8?Q?Late parcel?= and=?utf-8?Q?_more?="), "Late parcel and more");
        assert_eq!(read(b"=?utf-8*en?Q?late?="), "late");
    }

    #[test]
    fn what_is_no_word_stays_as_it_is() {
        let mut remarks = Remarks::default();
        let shown = text(b"a =?utf-8?X?zz?= b =? =?utf-8?B?!!!?=", &Hints::default(), &mut remarks);
        assert_eq!(shown, "a =?utf-8?X?zz?= b =? =?utf-8?B?!!!?=");
        assert_eq!(remarks.into_vec(), [Remark::WordUndecodable]);
        assert_eq!(read(b"=?x-unknown?Q?=E5=8C=85?="), "包");
        assert_eq!(charsets(b"=?GBK?B?sPw=?= =?utf-8?Q?x?="), ["GBK", "utf-8"]);
    }

    #[test]
    fn a_word_cannot_bring_in_another_field() {
        assert_eq!(read(b"=?utf-8?Q?a=0D=0ABcc:_b=40example.org?="), "a Bcc: b@example.org");
        let hints = Hints::default();
        let address = joined(
            b"=?utf-8?Q?Evil=2C_=3Cb=40example.org=3E?= <a@example.com>\n",
            &hints,
            &mut Remarks::default(),
        );
        assert_eq!(
            address,
            format!("=?utf-8?B?{}?= <a@example.com>", STANDARD.encode("Evil, <b@example.org>"))
        );
    }
}
