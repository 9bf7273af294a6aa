//! What was encoded for transfer, decoded as RFC 2045 asks: what does not belong is passed
//! over, where `mail-parser` gives the whole part back as it came (one stray byte in Base64,
//! one `==` in quoted-printable, the footer of a mailing list).

use mail_parser::decoders::base64::base64_decode;

/// Bytes of a part, and whether some of them could not be made sense of.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Decoded {
    pub(crate) bytes: Vec<u8>,
    pub(crate) is_damaged: bool,
}

/// Decodes by the name of an encoding; one that is not known is none. What stands after the
/// end of Base64 is kept with a text, and does not belong to anything else.
pub(crate) fn decode(encoding: &str, body: &[u8], is_text: bool) -> Decoded {
    let name = encoding.split(|c: char| c.is_whitespace() || matches!(c, ';' | '(')).next();
    match name.unwrap_or_default().trim_matches('"') {
        "base64" => base64(body, is_text),
        "quoted-printable" => quoted_printable(body),
        "uuencode" | "x-uuencode" | "x-uue" | "uue" => Decoded { bytes: body.to_vec(), is_damaged: true },
        _ => Decoded { bytes: body.to_vec(), is_damaged: false },
    }
}

/// Decodes Base64. A line that is no Base64 ends it: mailing lists put their footer there.
fn base64(body: &[u8], is_text: bool) -> Decoded {
    let (mut kept, mut footer, mut is_damaged) = (Vec::with_capacity(body.len()), &body[body.len()..], false);
    let mut at = 0;
    while at < body.len() {
        let end = crate::field::end_of_line(body, at);
        let line = body.get(at..end).unwrap_or_default().trim_ascii();
        let strays = line.iter().filter(|byte| !is_base64(**byte)).count();
        if strays * 4 > line.len() || (strays > 0 && line.contains(&b' ')) {
            (footer, is_damaged) = (body.get(at..).unwrap_or_default(), true);
            break;
        }
        is_damaged |= strays > 0;
        kept.extend(line.iter().filter(|byte| is_base64(**byte)));
        at = end;
    }
    // Several pieces, each with its own padding, come of senders that encode by the line; the
    // library takes them one after the other.
    let mut bytes = base64_decode(&kept).unwrap_or_default();
    if is_text && !footer.is_empty() && std::str::from_utf8(footer).is_ok() {
        bytes.push(b'\n');
        bytes.extend_from_slice(footer);
    }
    Decoded { bytes, is_damaged }
}

/// Whether a byte is one of Base64, its padding included.
pub(crate) fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

fn quoted_printable(body: &[u8]) -> Decoded {
    let (mut bytes, mut is_damaged, mut at) = (Vec::with_capacity(body.len()), false, 0);
    while at < body.len() {
        let end = crate::field::end_of_line(body, at);
        let line = body.get(at..end).unwrap_or_default();
        at = end;
        let text = line.trim_ascii_end();
        let is_soft = text.ends_with(b"=");
        let text = text.strip_suffix(b"=").unwrap_or(text);
        is_damaged |= !quoted(text, &mut bytes);
        if !is_soft && line.ends_with(b"\n") {
            bytes.extend_from_slice(if line.ends_with(b"\r\n") { b"\r\n" } else { b"\n" });
        }
    }
    Decoded { bytes, is_damaged }
}

/// Decodes what stands on a line; whether all of it could be.
fn quoted(text: &[u8], into: &mut Vec<u8>) -> bool {
    let (mut at, mut is_sound) = (0, true);
    while let Some(byte) = text.get(at) {
        let coded = (*byte == b'=').then(|| hex(text.get(at + 1..at + 3)?)).flatten();
        is_sound &= *byte != b'=' || coded.is_some();
        into.push(coded.unwrap_or(*byte));
        at += if coded.is_some() { 3 } else { 1 };
    }
    is_sound
}

/// The byte that two hexadecimal digits are.
pub(crate) fn hex(digits: &[u8]) -> Option<u8> {
    let [high, low] = digits else { return None };
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    u8::try_from(digit(high)? << 4 | digit(low)?).ok()
}

/// Decodes the data of an encoded word (RFC 2047): `b` or `q` in lower case.
pub(crate) fn word(encoding: u8, data: &[u8]) -> Option<Vec<u8>> {
    if encoding == b'b' {
        let kept: Vec<u8> = data.iter().copied().filter(|byte| is_base64(*byte)).collect();
        return base64_decode(&kept).filter(|bytes| !bytes.is_empty() || data.is_empty());
    }
    let blanks: Vec<u8> = data.iter().map(|byte| if *byte == b'_' { b' ' } else { *byte }).collect();
    let mut bytes = Vec::with_capacity(blanks.len());
    quoted(&blanks, &mut bytes);
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(encoding: &str, body: &str) -> (String, bool) {
        let decoded = decode(encoding, body.as_bytes(), true);
        (String::from_utf8(decoded.bytes).unwrap(), decoded.is_damaged)
    }

    #[test]
    fn what_is_whole_is_decoded_and_said_to_be_whole() {
        assert_eq!(text("base64", "5YyF6KO5\r\n5Z2P5LqG\r\n"), ("包裹坏了".to_owned(), false));
        assert_eq!(text("quoted-printable", "a=3Db =\r\nc \t\r\nd"), ("a=b c\r\nd".to_owned(), false));
        assert_eq!(text("8bit", "a=3D"), ("a=3D".to_owned(), false));
        assert_eq!(text("base64 (sic)", "aGk="), ("hi".to_owned(), false));
    }

    #[test]
    fn what_is_damaged_is_decoded_as_far_as_it_goes() {
        assert_eq!(text("base64", "5YyF\n!6KO5\n"), ("包裹".to_owned(), true));
        assert_eq!(text("base64", "aGk=\nSSBhbQ==\n"), ("hiI am".to_owned(), false));
        let footer = "5YyF6KO5\n_______________\nthe list of the shop\n";
        assert_eq!(
            text("base64", footer),
            ("包裹\n_______________\nthe list of the shop\n".to_owned(), true)
        );
        assert_eq!(text("quoted-printable", "a == b =ZZ =E5=8C=85=\n!"), ("a == b =ZZ 包!".to_owned(), true));
    }

    #[test]
    fn nothing_comes_of_nothing() {
        assert_eq!(text("base64", ""), (String::new(), false));
        assert_eq!(text("quoted-printable", ""), (String::new(), false));
    }
}
