//! What a server says of a message: `* 5 FETCH (UID 7 BODY[] {3}…)` (RFC 3501, 7.4.2).
//!
//! Read here, though there is a library for it (imap-proto): that one panics at
//! `INTERNALDATE NIL` and other things a server may say, and ends the process at a thousand
//! parentheses. Nothing here recurses, and an attribute nobody asked for is skipped
//! whatever it is.

use bytes::Bytes;
use jiff::Timestamp;

/// What was said of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Fetched {
    pub(super) uid: Option<u32>,
    /// In bytes.
    pub(super) size: Option<u64>,
    pub(super) internal_date: Option<Timestamp>,
    pub(super) body: Option<Bytes>,
    /// Its header, or the beginning of it.
    pub(super) header: Option<Bytes>,
    /// Whether the server says that there is no body (`NIL`).
    pub(super) has_no_body: bool,
}

/// Reads attributes: what begins at this place of a response, with a parenthesis. None if
/// it is no such list.
pub(super) fn read(frame: &Bytes, at: usize) -> Option<Fetched> {
    let mut rest = Rest { frame, at };
    let mut fetched = Fetched::default();
    rest.skip(b'(').then_some(())?;
    loop {
        while rest.skip(b' ') {}
        if rest.skip(b')') {
            return (rest.bytes() == b"\r\n").then_some(fetched);
        }
        let name = rest.name()?.to_ascii_uppercase();
        rest.skip(b' ').then_some(())?;
        let value = rest.value()?;
        match (name.as_slice(), value) {
            (b"UID", Value::Atom(text)) => fetched.uid = Some(number(&text)?),
            (b"RFC822.SIZE", Value::Atom(text)) => fetched.size = Some(number(&text)?),
            (b"INTERNALDATE", Value::String(text)) => fetched.internal_date = internal_date(&text),
            (b"BODY[]", Value::String(text)) => fetched.body = Some(text),
            (b"BODY[]", _) => fetched.has_no_body = true,
            // Of a part that was asked for, it is told where it begins.
            (b"BODY[HEADER]" | b"BODY[HEADER]<0>", Value::String(text)) => fetched.header = Some(text),
            _ => {}
        }
    }
}

/// A number.
pub(super) fn number<T: std::str::FromStr>(text: &[u8]) -> Option<T> {
    // No sign, which Rust would take.
    text.iter().all(u8::is_ascii_digit).then_some(())?;
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// E.g. `17-Jul-1996 02:44:25 -0700`, the day with a space before it if it has one digit.
fn internal_date(text: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(text).ok()?.trim();
    jiff::fmt::strtime::parse("%d-%b-%Y %H:%M:%S %z", text).ok()?.to_timestamp().ok()
}

/// The value of an attribute.
enum Value {
    /// A word, `NIL` too.
    Atom(Bytes),
    /// What was quoted, or a literal.
    String(Bytes),
    /// A list of whatever.
    List,
}

/// What of a response is not read yet.
struct Rest<'a> {
    frame: &'a Bytes,
    at: usize,
}

impl Rest<'_> {
    fn bytes(&self) -> &[u8] {
        self.frame.get(self.at..).unwrap_or_default()
    }

    fn skip(&mut self, byte: u8) -> bool {
        let is_it = self.bytes().first() == Some(&byte);
        self.at += usize::from(is_it);
        is_it
    }

    /// So many bytes, which are not copied.
    fn take(&mut self, count: usize) -> Option<Bytes> {
        let end = self.at.checked_add(count).filter(|end| *end <= self.frame.len())?;
        let taken = self.frame.slice(self.at..end);
        self.at = end;
        Some(taken)
    }

    /// The bytes before the first of which this holds.
    fn until(&mut self, ends: impl Fn(u8) -> bool) -> Option<Bytes> {
        let count = self.bytes().iter().position(|&byte| ends(byte))?;
        self.take(count)
    }

    /// The name of an attribute: `BODY[HEADER.FIELDS (A B)]<0>` is one.
    fn name(&mut self) -> Option<Bytes> {
        let mut in_brackets = false;
        let count = self.bytes().iter().position(|&byte| {
            in_brackets = (in_brackets || byte == b'[') && byte != b']';
            matches!(byte, b'\r' | b'\n') || (!in_brackets && matches!(byte, b' ' | b'(' | b')'))
        })?;
        self.take(count).filter(|name| !name.is_empty())
    }

    fn value(&mut self) -> Option<Value> {
        match self.bytes().first()? {
            b'"' | b'{' | b'~' => self.string().map(Value::String),
            b'(' => self.list().map(|()| Value::List),
            _ => {
                let atom = self.until(|byte| matches!(byte, b' ' | b'(' | b')' | b'\r' | b'\n'))?;
                (!atom.is_empty()).then_some(Value::Atom(atom))
            }
        }
    }

    fn string(&mut self) -> Option<Bytes> {
        if self.skip(b'"') {
            return self.quoted();
        }
        // With a tilde it may hold NUL (RFC 3516).
        self.skip(b'~');
        self.skip(b'{').then_some(())?;
        let length = number(&self.until(|byte| byte == b'}')?)?;
        (self.take(3)?.as_ref() == b"}\r\n").then_some(())?;
        self.take(length)
    }

    /// What comes before the closing quote; some characters have a backslash before them.
    fn quoted(&mut self) -> Option<Bytes> {
        let mut text = Vec::new();
        loop {
            text.extend_from_slice(&self.until(|byte| matches!(byte, b'"' | b'\\' | b'\r' | b'\n'))?);
            match *self.take(1)? {
                [b'"'] => return Some(text.into()),
                [b'\\'] => text.extend_from_slice(&self.take(1)?),
                _ => return None,
            }
        }
    }

    /// Passes over a list, and the lists in it.
    fn list(&mut self) -> Option<()> {
        let mut depth = 0_usize;
        loop {
            match self.bytes().first()? {
                b'(' => depth += 1,
                b')' => depth -= 1,
                b'"' | b'{' => {
                    self.string()?;
                    continue;
                }
                b'\r' | b'\n' => return None,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return Some(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Reads a list, after what is before it in a response.
    fn of(list: &str) -> Option<Fetched> {
        read(&Bytes::from(format!("* 1 FETCH {list}\r\n")), 10)
    }

    fn body(text: &'static str) -> Fetched {
        Fetched { uid: Some(7), body: Some(Bytes::from_static(text.as_bytes())), ..Fetched::default() }
    }

    #[test]
    fn messages_are_read_from_literals_and_quotes() {
        assert_eq!(of("(FLAGS (\\Seen $a) UID 7 BODY[] {6}\r\na)\r\n\"b)"), Some(body("a)\r\n\"b")));
        assert_eq!(of("(body[] {0}\r\n uid 7)"), Some(body("")));
        assert_eq!(of("(UID 7 BODY[] \"a\\\"\\\\b\")"), Some(body("a\"\\b")));
        assert_eq!(of("(UID 7 BODY[] ~{3}\r\n\0ab)"), Some(body("\0ab")));
        let none = Fetched { uid: Some(7), has_no_body: true, ..Fetched::default() };
        assert_eq!(of("(UID 7 BODY[] NIL)"), Some(none));
    }

    #[test]
    fn headers_are_read_whole_and_in_part() {
        let header = Bytes::from_static(b"a: b\r\n");
        let expected = Fetched { uid: Some(7), header: Some(header), ..Fetched::default() };
        assert_eq!(of("(UID 7 BODY[HEADER]<0> {6}\r\na: b\r\n)"), Some(expected.clone()));
        assert_eq!(of("(UID 7 body[header] {6}\r\na: b\r\n)"), Some(expected));
        let none = Fetched { uid: Some(7), ..Fetched::default() };
        assert_eq!(of("(UID 7 BODY[HEADER]<9> \"x\" BODY[HEADER] NIL)"), Some(none));
    }

    #[test]
    fn what_nobody_asked_for_is_skipped() {
        let deep =
            format!("(BODYSTRUCTURE {}{} UID 7 BODY[] {{1}}\r\na)", "(".repeat(100_000), ")".repeat(100_000));
        for list in [
            "(BODY[HEADER.FIELDS (A B)] {2}\r\n)\" UID 7 BODY[] {1}\r\na)",
            "(BODY[TEXT]<0> \"x\" BODY[1] NIL UID 7 BODY[] {1}\r\na MODSEQ (12))",
            "( UID 7  X-GM-LABELS (\\Inbox \"a)\" {2}\r\n((ß) BODY[] {1}\r\na SAVEDATE NIL )",
            "(ENVELOPE (NIL \"a \\\" (\" ((\"b\" NIL)) NIL) INTERNALDATE NIL UID 7 BODY[] {1}\r\na)",
            &deep,
        ] {
            assert_eq!(of(list), Some(body("a")), "{}", &list[..list.len().min(100)]);
        }
    }

    #[test]
    fn sizes_and_dates_are_read() {
        let seen = of("(RFC822.SIZE 4294967296 UID 7 INTERNALDATE \" 7-Jul-1996 02:44:25 -0700\")").unwrap();
        let date = seen.internal_date.map(|date| date.to_string());
        assert_eq!((seen.size, date.as_deref()), (Some(4_294_967_296), Some("1996-07-07T09:44:25Z")));
        assert_eq!(of("(UID 7 INTERNALDATE \"yesterday\")").unwrap().internal_date, None);
    }

    #[test]
    fn what_is_no_list_is_not_read() {
        for list in [
            "",
            "(",
            "UID 7",
            "(UID 7",
            "(UID 7) (",
            "(UID)",
            "(UID +7)",
            "(UID -7)",
            "(UID 4294967296)",
            "(UID 7 BODY[] {9}\r\na)",
            "(UID 7 BODY[] {1 }\r\na)",
            "(UID 7 BODY[] {99999999999999999999999}\r\na)",
            "(UID 7 BODY[] \"a)",
            "(UID 7 BODY[ \"a\")",
            "(UID 7 FLAGS (a)",
        ] {
            assert_eq!(of(list), None, "{list}");
        }
    }

    const PIECES: [&str; 24] = [
        "(",
        ")",
        " ",
        "\"",
        "\\",
        "[",
        "]",
        "{1}\r\n",
        "{0}\r\n",
        "{5}\r\n",
        "é",
        "a",
        "NIL",
        "1",
        "4294967296",
        "UID ",
        "BODY[] ",
        "BODY[HEADER.FIELDS (A)] ",
        "<0>",
        "~{1}\r\n",
        "INTERNALDATE ",
        "RFC822.SIZE ",
        "\r\n",
        "FLAGS ",
    ];

    proptest! {
        /// Whatever a server says, it is read or not, and no more.
        #[test]
        fn nothing_breaks_it(pieces in prop::collection::vec(prop::sample::select(PIECES.to_vec()), 0..30)) {
            of(&pieces.concat());
            of(&format!("({})", pieces.concat()));
        }

        /// Whatever is in a message, it comes out as it went in.
        #[test]
        fn every_message_comes_out(text in prop::collection::vec(any::<u8>(), 0..50)) {
            let mut frame = format!("* 1 FETCH (UID 7 BODY[] {{{}}}\r\n", text.len()).into_bytes();
            frame.extend_from_slice(&text);
            frame.extend_from_slice(b" FLAGS ())\r\n");
            let fetched = read(&frame.into(), 10);
            prop_assert_eq!(fetched.and_then(|fetched| fetched.body), Some(Bytes::from(text)));
        }
    }
}
