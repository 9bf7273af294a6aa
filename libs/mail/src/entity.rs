//! The parts of a mail as they lie within each other.
//!
//! Not by `mail-parser`: it takes a boundary in the middle of a line for one, and drops what
//! the sender wrote after it; it looks for a boundary that is missing through the rest of the
//! mail at every part; and a mail of some thousand mails within each other overflows its
//! stack. Here a boundary is a line, a level of parts is read once, and depth is limited
//! before it is entered.

use crate::charset::Hints;
use crate::field::{self, Header};
use crate::limits::{Limits, Unreadable};
use crate::parameter::Parameters;
use crate::remark::Remarks;

/// Longest boundary: RFC 2046 allows 70 characters, some programs take more.
const MAX_BOUNDARY: usize = 250;
/// What a part is that does not say it.
const TEXT: &str = "text/plain";
const MESSAGE: &str = "message/rfc822";

/// A mail or a part of it.
#[derive(Clone, Debug)]
pub(crate) struct Entity<'a> {
    pub(crate) header: Header<'a>,
    /// Type and subtype in lower case, and parameters.
    pub(crate) content: Parameters,
    /// As it came, encoded for transfer.
    pub(crate) body: &'a [u8],
    /// The parts of a multipart; those of a mail within the mail are only counted.
    pub(crate) children: Vec<Entity<'a>>,
    /// It should be a multipart and cannot be taken apart, or does not end.
    pub(crate) is_broken: bool,
}

impl Entity<'_> {
    /// Whether it is of this type: `text/plain`.
    pub(crate) fn is(&self, kind: &str) -> bool {
        self.content.value == kind
    }

    /// Whether it is a multipart that could be taken apart.
    pub(crate) fn is_multipart(&self) -> bool {
        !self.children.is_empty()
    }

    /// Whether it is a mail, kept as it is.
    pub(crate) fn is_message(&self) -> bool {
        matches!(self.content.value.as_str(), MESSAGE | "message/global" | "message/news")
    }

    /// How it is encoded for transfer, in lower case.
    pub(crate) fn encoding(&self) -> String {
        self.header.word("content-transfer-encoding")
    }
}

/// Takes a mail apart.
pub(crate) fn read<'a>(raw: &'a [u8], limits: &Limits) -> Result<Entity<'a>, Unreadable> {
    if raw.len() > limits.bytes {
        return Err(Unreadable::TooLarge(limits.bytes));
    }
    let start = raw.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(raw.len());
    let raw = raw.get(start..).unwrap_or_default();
    let raw = raw.strip_prefix(b"\xef\xbb\xbf").unwrap_or(raw);
    let mut reader = Reader { limits, parts: 0 };
    let entity = reader.entity(raw, TEXT, 0)?;
    if entity.header.is_empty() { Err(Unreadable::NoHeader) } else { Ok(entity) }
}

struct Reader<'l> {
    limits: &'l Limits,
    parts: usize,
}

impl Reader<'_> {
    fn entity<'a>(&mut self, raw: &'a [u8], default: &str, depth: usize) -> Result<Entity<'a>, Unreadable> {
        self.parts += 1;
        if self.parts > self.limits.parts {
            return Err(Unreadable::TooManyParts(self.limits.parts));
        }
        let (header, body) = Header::read(raw, self.limits.header);
        let content = content_type(&header, default);
        let mut entity = Entity { header, content, body, children: Vec::new(), is_broken: false };
        if entity.content.value.starts_with("multipart/") {
            self.enter(depth)?;
            self.children(&mut entity, depth)?;
        } else if entity.is_message() && is_plain(&entity.encoding()) {
            // What is in it belongs to no complaint, and counts: whoever opens it reads it.
            self.enter(depth)?;
            self.entity(body, TEXT, depth + 1)?;
        }
        Ok(entity)
    }

    fn enter(&self, depth: usize) -> Result<(), Unreadable> {
        if depth < self.limits.depth { Ok(()) } else { Err(Unreadable::TooDeep(self.limits.depth)) }
    }

    fn children(&mut self, entity: &mut Entity<'_>, depth: usize) -> Result<(), Unreadable> {
        let (hints, mut unheard) = (Hints::default(), Remarks::default());
        let boundary = entity.content.get("boundary", &hints, &mut unheard).unwrap_or_default();
        let boundary = boundary.trim_end();
        let default = if entity.is("multipart/digest") { MESSAGE } else { TEXT };
        let is_usable = !boundary.is_empty() && boundary.len() <= MAX_BOUNDARY;
        let (parts, is_closed) = if is_usable {
            split(entity.body, boundary.as_bytes(), self.limits.parts - self.parts)
        } else {
            (Vec::new(), false)
        };
        entity.is_broken = !is_closed;
        for part in parts {
            entity.children.push(self.entity(part, default, depth + 1)?);
        }
        Ok(())
    }
}

fn is_plain(encoding: &str) -> bool {
    !matches!(encoding, "base64" | "quoted-printable")
}

/// What a header says that its part is: what makes no sense is text (RFC 2045, 5.2).
fn content_type(header: &Header<'_>, default: &str) -> Parameters {
    let (hints, mut unheard) = (Hints::default(), Remarks::default());
    let field = header.first("content-type").unwrap_or_default();
    let mut content = Parameters::read(field, &hints, &mut unheard);
    let is_type =
        content.value.split_once('/').is_some_and(|(kind, sub)| !kind.is_empty() && !sub.is_empty());
    if !is_type {
        default.clone_into(&mut content.value);
    }
    content
}

/// The parts between lines that are the boundary, one more than asked for at most, and
/// whether the last such line ends them. The line break before a boundary belongs to it.
fn split<'a>(body: &'a [u8], boundary: &[u8], most: usize) -> (Vec<&'a [u8]>, bool) {
    let (mut parts, mut start, mut at) = (Vec::new(), None, 0);
    while at < body.len() {
        let end = field::end_of_line(body, at);
        let line = body.get(at..end).unwrap_or_default();
        if let Some(is_last) = boundary_line(line, boundary) {
            if let Some(start) = start {
                parts.push(without_line_break(body, start, at));
            }
            if is_last {
                return (parts, true);
            }
            if parts.len() > most {
                return (parts, true);
            }
            start = Some(end);
        }
        at = end;
    }
    if let Some(rest) = start.and_then(|start| body.get(start..)) {
        parts.push(rest);
    }
    (parts, false)
}

/// Whether a line is a boundary, and if so whether it is the last one.
fn boundary_line(line: &[u8], boundary: &[u8]) -> Option<bool> {
    let rest = line.strip_prefix(b"--")?.strip_prefix(boundary)?;
    let (rest, is_last) = rest.strip_prefix(b"--").map_or((rest, false), |rest| (rest, true));
    field::is_blank(rest).then_some(is_last)
}

fn without_line_break(body: &[u8], start: usize, end: usize) -> &[u8] {
    let part = body.get(start..end).unwrap_or_default();
    let part = part.strip_suffix(b"\n").unwrap_or(part);
    part.strip_suffix(b"\r").unwrap_or(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(entity: &Entity<'_>) -> String {
        let children: Vec<String> = entity.children.iter().map(shape).collect();
        let body = if entity.is_multipart() {
            String::new()
        } else {
            String::from_utf8_lossy(entity.body).into_owned()
        };
        format!("{}({}{})", entity.content.value, children.join(" "), body)
    }

    fn read_shape(raw: &str) -> String {
        read(raw.as_bytes(), &Limits::default())
            .map_or_else(|error| error.reason().to_owned(), |read| shape(&read))
    }

    #[test]
    fn a_boundary_is_a_line_of_its_own() {
        let raw = "Content-Type: multipart/mixed; boundary=cut\r\n\r\npreamble\r\n--cut\r\n\r\n\
                   I tried --cut here\r\n--cutter\r\nand it broke\r\n--cut \r\nContent-Type: text/csv\r\n\r\na\r\n--cut--\r\nepilogue";
        let text = "text/plain(I tried --cut here\r\n--cutter\r\nand it broke)";
        assert_eq!(read_shape(raw), format!("multipart/mixed({text} text/csv(a))"));
    }

    #[test]
    fn an_inner_multipart_ends_with_the_outer_one() {
        let raw = "Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/alternative; boundary=ab\n\n\
                   --ab\n\nplain\n--a\nContent-Type: image/png\n\nx\n--a--\n";
        assert_eq!(read_shape(raw), "multipart/mixed(multipart/alternative(text/plain(plain)) image/png(x))");
        assert!(read(raw.as_bytes(), &Limits::default()).unwrap().children[0].is_broken);
    }

    #[test]
    fn depth_and_number_are_limited_before_anything_is_made() {
        let nested = |kind: &str, n: usize| format!("{}Subject: x\n\nx", kind.repeat(n));
        let message = "Content-Type: message/rfc822\n\n";
        assert_eq!(
            read_shape(&nested(message, 20)).len(),
            "message/rfc822()".len() + nested(message, 19).len()
        );
        assert_eq!(read_shape(&nested(message, 21)), "TOO_DEEP");
        assert_eq!(read_shape(&nested(message, 100_000)), "TOO_DEEP");
        let level = |n: usize| format!("Content-Type: multipart/mixed; boundary={n}\n\n--{n}\n");
        let multiparts = (0..21).map(level).collect::<Vec<String>>().concat();
        assert_eq!(read_shape(&multiparts), "TOO_DEEP");
        let many = |n: usize| {
            format!("Content-Type: multipart/mixed; boundary=a\n\n{}--a--", "--a\n\nx\n".repeat(n))
        };
        assert_eq!(read_shape(&many(499)).matches("text/plain").count(), 499);
        assert_eq!(read_shape(&many(500)), "TOO_MANY_PARTS");
        assert_eq!(read_shape(&many(100_000)), "TOO_MANY_PARTS");
    }

    #[test]
    fn what_does_not_begin_with_a_header_is_no_mail() {
        for raw in ["", "\r\n\r\n", "hello", "hello world: I am\n", "\0\0\0"] {
            assert_eq!(read_shape(raw), "NO_HEADER", "{raw:?}");
        }
        assert_eq!(read_shape("\r\n Subject: x\r\n\r\nbody"), "text/plain(body)");
    }
}
