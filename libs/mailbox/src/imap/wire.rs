//! Lines and literals of IMAP (RFC 3501, 2.2 and 4.3), within limits. What they mean is for
//! others: here it is only found where a response ends.

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::{Instant, timeout_at};

use super::Error;

/// Longest response without its literals, in bytes. The longest that is asked for names
/// [`WINDOW`](super::session::WINDOW) uids, of 11 bytes at most.
const MAX_LINES: usize = 256 * 1024;
/// Most bytes of literals in one response that are read and thrown away because they are
/// larger than what is wanted. Who announces more is left.
const MAX_DRAINED: u64 = 512 * 1024 * 1024;
/// Most literals of one response.
const MAX_LITERALS: usize = 16;
/// Most bytes read at once.
const READ_AHEAD: usize = 16 * 1024;

/// A connection, encrypted or not.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Sync + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin> Stream for T {}

/// One response, with its last CR LF.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Frame {
    /// All of it.
    Whole(Bytes),
    /// A literal of so many bytes was larger than what is wanted; all of it was thrown
    /// away.
    TooLarge(u64),
}

/// What is sent and received.
pub(super) struct Wire {
    stream: Box<dyn Stream>,
    ahead: BytesMut,
}

impl Wire {
    pub(super) fn new(stream: Box<dyn Stream>) -> Self {
        Self { stream, ahead: BytesMut::new() }
    }

    /// The stream, if nothing was received beyond what was looked at.
    pub(super) fn into_stream(self) -> Option<Box<dyn Stream>> {
        self.ahead.is_empty().then_some(self.stream)
    }

    /// Sends bytes.
    pub(super) async fn send(&mut self, bytes: &[u8], by: Instant) -> Result<(), Error> {
        let sending = async {
            self.stream.write_all(bytes).await?;
            self.stream.flush().await
        };
        match timeout_at(by, sending).await {
            Err(_) => Err(Error::TimedOut),
            Ok(sent) => sent.map_err(|error| Error::Broken(error.kind().to_string())),
        }
    }

    /// Waits for the beginning of the next response. That may be given up, while who gives
    /// up a response within it has no more use for the connection.
    pub(super) async fn wait(&mut self, by: Instant) -> Result<(), Error> {
        if self.ahead.is_empty() { self.fill(by).await } else { Ok(()) }
    }

    /// The next response, with no more than so many bytes of literals.
    pub(super) async fn receive(&mut self, largest: usize, by: Instant) -> Result<Frame, Error> {
        let (mut frame, mut in_literals, mut too_large) = (BytesMut::new(), 0, None);
        for _ in 0..=MAX_LITERALS {
            let start = frame.len();
            self.line(&mut frame, in_literals, by).await?;
            let Some(length) = announced(&frame[start..]).filter(|_| !is_status(&frame)) else {
                return Ok(too_large.map_or_else(|| Frame::Whole(frame.freeze()), Frame::TooLarge));
            };
            let is_wanted = usize::try_from(length).is_ok_and(|length| length <= largest - in_literals);
            match usize::try_from(length) {
                Ok(length) if is_wanted && too_large.is_none() => {
                    in_literals += length;
                    self.literal(&mut frame, length, by).await?;
                }
                _ => {
                    self.drain(length, by).await?;
                    too_large = too_large.max(Some(length));
                }
            }
        }
        Err(Error::Protocol("a response has too many literals".to_owned()))
    }

    /// Reads to the next CR LF, onto what there is of the response.
    async fn line(&mut self, frame: &mut BytesMut, in_literals: usize, by: Instant) -> Result<(), Error> {
        loop {
            let end = self.ahead.iter().position(|&byte| byte == b'\n').map(|at| at + 1);
            let count = end.unwrap_or(self.ahead.len());
            if frame.len() - in_literals + count > MAX_LINES {
                return Err(Error::Protocol("a response is too long".to_owned()));
            }
            frame.extend_from_slice(&self.ahead[..count]);
            self.ahead.advance(count);
            if end.is_some() && frame.ends_with(b"\r\n") {
                return Ok(());
            }
            if self.ahead.is_empty() {
                self.fill(by).await?;
            }
        }
    }

    async fn literal(&mut self, frame: &mut BytesMut, length: usize, by: Instant) -> Result<(), Error> {
        let already = length.min(self.ahead.len());
        frame.extend_from_slice(&self.ahead[..already]);
        self.ahead.advance(already);
        let mut left = length - already;
        while left > 0 {
            // The room grows with what has come, not with what was announced.
            let mut room = frame.limit(left);
            left -= read(&mut self.stream, &mut room, by).await?;
        }
        Ok(())
    }

    async fn drain(&mut self, length: u64, by: Instant) -> Result<(), Error> {
        if length > MAX_DRAINED {
            return Err(Error::Protocol("a literal is much too large".to_owned()));
        }
        let mut left = usize::try_from(length).unwrap_or(usize::MAX);
        while left > 0 {
            if self.ahead.is_empty() {
                self.fill(by).await?;
            }
            let some = left.min(self.ahead.len());
            self.ahead.advance(some);
            left -= some;
        }
        Ok(())
    }

    async fn fill(&mut self, by: Instant) -> Result<(), Error> {
        self.ahead.reserve(READ_AHEAD);
        let mut room = (&mut self.ahead).limit(READ_AHEAD);
        read(&mut self.stream, &mut room, by).await.map(|_| ())
    }
}

async fn read(
    stream: &mut Box<dyn Stream>,
    room: &mut (impl bytes::BufMut + Send),
    by: Instant,
) -> Result<usize, Error> {
    match timeout_at(by, stream.read_buf(room)).await {
        Err(_) => Err(Error::TimedOut),
        Ok(Ok(0)) => Err(Error::Broken("the server ended the connection".to_owned())),
        Ok(Ok(count)) => Ok(count),
        Ok(Err(error)) => Err(Error::Broken(error.kind().to_string())),
    }
}

/// The length of the literal that a line announces at its end: `{123}` CR LF. A length
/// that is no number, or none of 64 bits, is no literal.
fn announced(line: &[u8]) -> Option<u64> {
    let line = line.strip_suffix(b"}\r\n")?;
    let open = line.iter().rposition(|&byte| byte == b'{')?;
    let digits = &line[open + 1..];
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Whether a response ends in a sentence for people, which may look as if a literal came:
/// those of `OK`, `NO`, `BAD`, `BYE`, `PREAUTH` and `+`.
fn is_status(line: &[u8]) -> bool {
    if line.starts_with(b"+") {
        return true;
    }
    let mut words = line.split(|byte| matches!(byte, b' ' | b'\r' | b'\n'));
    let kind = words.nth(1).unwrap_or_default();
    [&b"OK"[..], b"NO", b"BAD", b"BYE", b"PREAUTH"].iter().any(|word| kind.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;
    use std::time::Duration;

    use super::*;

    fn by() -> Instant {
        Instant::now() + Duration::from_mins(1)
    }

    async fn frames(sent: &[u8], largest: usize) -> Vec<Result<Frame, &'static str>> {
        let mut wire = Wire::new(Box::new(Cursor::new(sent.to_vec())));
        let mut frames = Vec::new();
        loop {
            let frame = wire.receive(largest, by()).await.map_err(|error| error.reason());
            let has_ended = frame.is_err();
            frames.push(frame);
            if has_ended {
                return frames;
            }
        }
    }

    fn whole(text: &str) -> Frame {
        Frame::Whole(Bytes::copy_from_slice(text.as_bytes()))
    }

    const CUT: Result<Frame, &'static str> = Err("BROKEN");
    const WRONG: Result<Frame, &'static str> = Err("PROTOCOL");

    #[tokio::test]
    async fn a_response_ends_after_its_literals() {
        let sent = "* OK hi\r\n* 1 FETCH (A {5}\r\na\r\n(( B {0}\r\n)\r\na1 OK done {5}\r\n";
        let expected = vec![
            Ok(whole("* OK hi\r\n")),
            Ok(whole("* 1 FETCH (A {5}\r\na\r\n(( B {0}\r\n)\r\n")),
            Ok(whole("a1 OK done {5}\r\n")),
            CUT,
        ];
        assert_eq!(frames(sent.as_bytes(), 5).await, expected);
    }

    #[tokio::test]
    async fn what_is_too_large_is_thrown_away() {
        let sent = "* 1 FETCH (A {6}\r\nabcdef B {2}\r\nab)\r\n* 2 EXISTS\r\n";
        assert_eq!(
            frames(sent.as_bytes(), 5).await,
            vec![Ok(Frame::TooLarge(6)), Ok(whole("* 2 EXISTS\r\n")), CUT]
        );
        // Several that are too large together.
        let sent = "* 1 FETCH (A {3}\r\nabc B {3}\r\nabc)\r\n";
        assert_eq!(frames(sent.as_bytes(), 5).await, vec![Ok(Frame::TooLarge(3)), CUT]);
    }

    #[tokio::test]
    async fn nothing_grows_without_end() {
        assert_eq!(frames(&vec![b'a'; MAX_LINES + 1], 5).await, vec![WRONG]);
        assert_eq!(frames("a\n".repeat(MAX_LINES).as_bytes(), 5).await, vec![WRONG]);
        assert_eq!(frames("A {1}\r\na".repeat(40).as_bytes(), 100).await, vec![WRONG]);
        assert_eq!(frames(b"* 1 FETCH (A {99999999999}\r\nabc", 5).await, vec![WRONG]);
        // It announces much, and sends little: no room is made for it.
        let mut wire = Wire::new(Box::new(Cursor::new(b"A {2000000000}\r\nabc".to_vec())));
        let cut = wire.receive(usize::MAX, by()).await;
        assert_eq!(cut.map_err(|error| error.reason()), CUT);
        // No number at all is no literal, but a line.
        let odd = "A {99999999999999999999999}\r\n";
        assert_eq!(frames(odd.as_bytes(), 5).await, vec![Ok(whole(odd)), CUT]);
    }
}
