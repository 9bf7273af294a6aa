//! The text of a message as `DATA` sends it: where it ends, and which dots are not its own
//! (RFC 5321, 4.1.1.4 and 4.5.2).
//!
//! Only CR LF . CR LF ends a message. Servers that let other line ends pass there can be
//! told a second message within a first one by whoever writes to their users ("SMTP
//! smuggling"). A dot alone between line ends of which one is not CR LF is therefore
//! neither an end nor text: nobody can know what its sender meant.

use bytes::{BufMut as _, BytesMut};

/// What the bytes so far have come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// More is to come.
    Unfinished,
    /// The message has ended after so many of the bytes.
    Ended(usize),
    /// A dot stands alone between line ends of which one is bare.
    Ambiguous,
}

/// Where in a line the last byte was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// After CR LF, or before the first byte.
    Start,
    /// After a bare LF.
    Bare,
    /// Within a line.
    Text,
    /// After a CR: an LF makes it an end of line, all else makes it bare.
    Cr,
    /// After a dot at the start of a line: it is not the message's own.
    Dot,
    /// After such a dot and a CR.
    DotCr,
    /// After a dot at the start of what only a bare CR or LF makes a line.
    BareDot,
    /// After such a dot and a CR.
    BareDotCr,
}

/// Takes the dots out and finds the end. Keeps no more than there is room for.
#[derive(Debug)]
pub(crate) struct Unstuffed {
    at: At,
    text: BytesMut,
    largest: usize,
    is_too_large: bool,
}

impl Unstuffed {
    /// Before the first byte of a message that has at most so many.
    pub(crate) fn new(largest: usize) -> Self {
        Self { at: At::Start, text: BytesMut::new(), largest, is_too_large: false }
    }

    /// The message; None if it is larger than it may be.
    pub(crate) fn into_text(self) -> Option<BytesMut> {
        (!self.is_too_large).then_some(self.text)
    }

    /// Takes some bytes.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> Progress {
        for (index, &byte) in bytes.iter().enumerate() {
            match self.step(byte) {
                Progress::Unfinished => {}
                Progress::Ended(_) => return Progress::Ended(index + 1),
                Progress::Ambiguous => return Progress::Ambiguous,
            }
        }
        Progress::Unfinished
    }

    fn step(&mut self, byte: u8) -> Progress {
        let next = match (self.at, byte) {
            (At::DotCr, b'\n') => return Progress::Ended(0),
            (At::Dot | At::BareDot, b'\n') | (At::DotCr | At::BareDotCr, _) => return Progress::Ambiguous,
            (At::Dot, b'\r') => At::DotCr,
            (At::BareDot, b'\r') => At::BareDotCr,
            (At::Start, b'.') => At::Dot,
            (At::Bare | At::Cr, b'.') => At::BareDot,
            (At::Cr, b'\n') => At::Start,
            (_, b'\n') => At::Bare,
            (_, b'\r') => At::Cr,
            _ => At::Text,
        };
        // The dot of SMTP is left out, and so is the CR after it, which no text follows.
        if !matches!(next, At::Dot | At::DotCr) {
            self.push(byte);
        }
        self.at = next;
        Progress::Unfinished
    }

    fn push(&mut self, byte: u8) {
        if self.text.len() < self.largest {
            self.text.put_u8(byte);
        } else if !self.is_too_large {
            self.is_too_large = true;
            self.text = BytesMut::new();
            self.largest = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(bytes: &[u8]) -> (Progress, Option<Vec<u8>>) {
        let mut unstuffed = Unstuffed::new(1_000);
        let progress = unstuffed.take(bytes);
        (progress, unstuffed.into_text().map(|text| text.to_vec()))
    }

    fn stuffed(text: &[u8]) -> Vec<u8> {
        let mut sent = Vec::new();
        let mut last = *b"\r\n";
        for &byte in text {
            if last == *b"\r\n" && byte == b'.' {
                sent.push(b'.');
            }
            sent.push(byte);
            last = [last[1], byte];
        }
        sent.extend(if last == *b"\r\n" { &b".\r\n"[..] } else { &b"\r\n.\r\n"[..] });
        sent
    }

    #[test]
    fn only_a_dot_between_ends_of_lines_ends_a_message() {
        for (sent, text, ended) in [
            (&b".\r\n"[..], &b""[..], 3),
            (b"a\r\n.\r\nQUIT\r\n", b"a\r\n", 6),
            (b"..\r\n...a\r\n.\r\n", b".\r\n..a\r\n", 13),
            (b".a\r\n\r\n.\r\n", b"a\r\n\r\n", 9),
            (b"a\nb\rc\r\n.\r\n", b"a\nb\rc\r\n", 10),
            (b"a\n.b\r\n.\r\n", b"a\n.b\r\n", 9),
            (b"a.\r\n.\r\n", b"a.\r\n", 7),
        ] {
            assert_eq!(read(sent), (Progress::Ended(ended), Some(text.to_vec())), "{sent:?}");
        }
    }

    #[test]
    fn a_lone_dot_between_bare_ends_of_lines_is_no_end() {
        for sent in [
            &b"a\n.\n"[..],
            b"a\n.\r\n",
            b"a\r\n.\n",
            b"a\r.\r\n",
            b"a\r.\rb",
            b"a\n.\rb",
            b"a\r\n.\rb",
            b"a\r.\n",
            b"\n.\n",
            b".\n",
            b"a\r\n\r.\r\n",
        ] {
            assert_eq!(read(sent).0, Progress::Ambiguous, "{sent:?}");
        }
    }

    #[test]
    fn what_is_too_large_is_not_kept() {
        let mut unstuffed = Unstuffed::new(4);
        assert_eq!(unstuffed.take(b"ab\r\n.\r\n"), Progress::Ended(7));
        assert_eq!(unstuffed.into_text().as_deref(), Some(&b"ab\r\n"[..]));
        let mut unstuffed = Unstuffed::new(4);
        assert_eq!(unstuffed.take(b"abcdefghijkl\r\n.\r\n"), Progress::Ended(17));
        assert_eq!((unstuffed.text.capacity(), unstuffed.into_text()), (0, None));
    }

    fn piece() -> impl Strategy<Value = &'static [u8]> {
        prop::sample::select(vec![&b"\r\n"[..], b".", b"..", b"a", b"\xff", b"", b"b.", b"\r\n\r\n"])
    }

    proptest! {
        /// Whatever has no bare line end comes out as it was, however it is cut.
        #[test]
        fn a_text_comes_out_as_it_went_in(
            pieces in prop::collection::vec(piece(), 0..40),
            cut in 0_usize..60,
        ) {
            let text = pieces.concat();
            let sent = stuffed(&text);
            let whole = if text.is_empty() || text.ends_with(b"\r\n") { text } else { [&text[..], b"\r\n"].concat() };
            let cut = cut.min(sent.len());
            let mut unstuffed = Unstuffed::new(1_000);
            let first = unstuffed.take(&sent[..cut]);
            if cut < sent.len() {
                prop_assert_eq!(first, Progress::Unfinished);
                prop_assert_eq!(unstuffed.take(&sent[cut..]), Progress::Ended(sent.len() - cut));
            } else {
                prop_assert_eq!(first, Progress::Ended(cut));
            }
            prop_assert_eq!(unstuffed.into_text().map(|text| text.to_vec()), Some(whole));
        }

        /// Whatever is sent, no message ends but after CR LF . CR LF.
        #[test]
        fn nothing_else_ends_a_message(pieces in prop::collection::vec(
            prop::sample::select(vec![&b"\r"[..], b"\n", b".", b"a", b"\r\n"]), 0..40)) {
            let sent = pieces.concat();
            let from_start = [b"\r\n", &sent[..]].concat();
            if let Progress::Ended(count) = Unstuffed::new(1_000).take(&sent) {
                prop_assert!(from_start[..count + 2].ends_with(b"\r\n.\r\n"));
            }
        }
    }
}
