//! The fields of a header, as they came: bytes, of which nothing is taken for granted.

/// Most fields of a header.
const MAX_FIELDS: usize = 1_000;
/// Fields that most mails have.
const USUAL: [&str; 14] = [
    "from",
    "to",
    "cc",
    "subject",
    "date",
    "message-id",
    "mime-version",
    "received",
    "reply-to",
    "return-path",
    "references",
    "in-reply-to",
    "sender",
    "dkim-signature",
];
/// Longest name of a field.
const MAX_NAME: usize = 100;

/// A field: its name in lower case, its value with the line breaks it was folded at.
#[derive(Clone, Debug)]
pub(crate) struct Field<'a> {
    pub(crate) name: String,
    pub(crate) value: &'a [u8],
}

/// The fields of a header in their order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Header<'a> {
    fields: Vec<Field<'a>>,
    /// There is more of it than is read.
    pub(crate) is_cut: bool,
    /// A line of it is no field.
    pub(crate) is_broken: bool,
}

impl<'a> Header<'a> {
    /// Takes the header off the beginning of bytes, of which no more than so many are read as
    /// fields; what is left is the body. A line that is no field ends a header that lacks the
    /// empty line: what follows are somebody's words.
    pub(crate) fn read(bytes: &'a [u8], most: usize) -> (Self, &'a [u8]) {
        let (mut header, mut at) = (Self::default(), 0);
        while at < bytes.len() {
            let end = end_of_field(bytes, at);
            let field = bytes.get(at..end).unwrap_or_default();
            if is_blank(field) {
                return (header, bytes.get(end..).unwrap_or_default());
            }
            match split(field) {
                Some(field) if end <= most && header.fields.len() < MAX_FIELDS => header.fields.push(field),
                Some(_) => header.is_cut = true,
                // The line an mbox puts before a mail, and what of it was quoted.
                None if field.starts_with(b"From ") || field.starts_with(b">From ") => {}
                None => {
                    header.is_broken = true;
                    return (header, bytes.get(at..).unwrap_or_default());
                }
            }
            at = end;
        }
        (header, &[])
    }

    /// Whether there is no field at all, not even one that is too long.
    pub(crate) fn is_empty(&self) -> bool {
        self.fields.is_empty() && !self.is_cut
    }

    /// The values of all fields of this name, which is in lower case.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.fields.iter().filter(move |field| field.name == name).map(|field| field.value)
    }

    /// The value of the first field of this name that says anything.
    pub(crate) fn first(&self, name: &str) -> Option<&'a [u8]> {
        self.all(name).find(|value| !is_blank(value))
    }

    /// What an ASCII field says, in lower case and on one line; empty if there is none.
    pub(crate) fn word(&self, name: &str) -> String {
        let value = self.first(name).unwrap_or_default();
        String::from_utf8_lossy(value).trim().to_ascii_lowercase()
    }

    /// Whether there is a field of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.all(name).next().is_some()
    }
}

/// Where the field ends that begins here: after the last line that goes on with it.
fn end_of_field(bytes: &[u8], from: usize) -> usize {
    let mut end = end_of_line(bytes, from);
    // An empty line ends the header, whatever the next one begins with.
    if is_blank(bytes.get(from..end).unwrap_or_default()) {
        return end;
    }
    while matches!(bytes.get(end), Some(b' ' | b'\t')) {
        let next = end_of_line(bytes, end);
        // A line of blanks ends the header for some senders, and is of the field for RFC 5322:
        // what comes next tells.
        let is_end = is_blank(bytes.get(end..next).unwrap_or_default()) && !is_usual(bytes, next);
        if is_end {
            return end;
        }
        end = next;
    }
    end
}

/// Whether a field begins here that mails have: somebody's words may have a colon too.
fn is_usual(bytes: &[u8], from: usize) -> bool {
    let line = bytes.get(from..end_of_line(bytes, from)).unwrap_or_default();
    split(line).is_some_and(|field| {
        let name = field.name.as_str();
        USUAL.contains(&name) || ["x-", "content-", "list-"].iter().any(|start| name.starts_with(start))
    })
}

/// Where the line ends that begins here, after what ends it.
pub(crate) fn end_of_line(bytes: &[u8], from: usize) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    rest.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |at| from + at + 1)
}

/// Whether there is nothing but blanks.
pub(crate) fn is_blank(bytes: &[u8]) -> bool {
    bytes.iter().all(u8::is_ascii_whitespace)
}

fn split(field: &[u8]) -> Option<Field<'_>> {
    let colon = field.iter().position(|byte| *byte == b':')?;
    let (name, value) = (field.get(..colon)?.trim_ascii(), field.get(colon + 1..)?);
    let is_name = !name.is_empty() && name.len() <= MAX_NAME && name.iter().all(u8::is_ascii_graphic);
    is_name.then(|| Field { name: String::from_utf8_lossy(name).to_ascii_lowercase(), value })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(header: &Header<'_>) -> Vec<String> {
        header.fields.iter().map(|field| field.name.clone()).collect()
    }

    #[test]
    fn a_field_goes_on_where_the_next_line_is_indented() {
        let (header, body) = Header::read(b"Subject: a\r\n b\r\nTO : c\r\n\r\nhello\r\n", 1_000);
        assert_eq!(names(&header), ["subject", "to"]);
        assert_eq!(header.first("subject"), Some(&b" a\r\n b\r\n"[..]));
        assert_eq!((header.word("to").as_str(), body), ("c", &b"hello\r\n"[..]));
    }

    #[test]
    fn a_line_of_blanks_ends_the_header_unless_it_goes_on() {
        let (header, body) = Header::read(b"Subject: a\r\n \r\nFrom: b\r\n \r\nNote: my parcel\r\n", 1_000);
        assert_eq!(
            (names(&header), body),
            (vec!["subject".to_owned(), "from".to_owned()], &b"Note: my parcel\r\n"[..])
        );
    }

    #[test]
    fn words_right_after_the_fields_are_the_body() {
        let (header, body) =
            Header::read(b"From x@example.com Mon\nSubject: a\nMy parcel is lost.\n\nBye\n", 1_000);
        assert_eq!((names(&header), header.is_broken), (vec!["subject".to_owned()], true));
        assert_eq!(body, b"My parcel is lost.\n\nBye\n");
    }

    #[test]
    fn what_is_beyond_the_limit_is_no_field_and_no_body_either() {
        let (header, body) = Header::read(b"A: 1\nB: 2\nC: 3\n\nbody", 10);
        assert_eq!(
            (names(&header), header.is_cut, body),
            (vec!["a".to_owned(), "b".to_owned()], true, &b"body"[..])
        );
    }
}
