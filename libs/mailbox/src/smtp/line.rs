//! The lines a client sends, and the bytes between them.

use bytes::{Buf as _, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::time::{Instant, timeout_at};

/// Longest command, with its end, in bytes. RFC 5321 wants 512, extensions some more; the
/// longest that anybody sends hold an address of 256 bytes twice over.
pub(super) const MAX_COMMAND: usize = 2_048;
/// Most bytes of a line that is too long which are read to its end, so that it can be
/// answered, before the client is given up.
const MAX_PASSED_OVER: usize = 64 * 1024;
/// Most bytes read ahead of what was asked for.
const READ_AHEAD: usize = 16 * 1024;

/// What a client sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// A command, with its CR LF.
    Command(BytesMut),
    /// A line that is longer than a command may be; it was passed over.
    TooLong,
    /// A line with a bare CR or LF, or a NUL.
    Malformed,
}

/// Why nothing more is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Broken {
    /// The client has gone.
    Gone,
    /// It took too long.
    TooLate,
    /// A line has no end.
    Endless,
}

/// What a client sent and nobody looked at yet.
#[derive(Debug, Default)]
pub(super) struct Input {
    ahead: BytesMut,
}

impl Input {
    /// Whether a whole line is there already, so that a client which sends many at once
    /// is answered at once.
    pub(super) fn has_line(&self) -> bool {
        self.ahead.contains(&b'\n')
    }

    /// Forgets what was sent ahead.
    pub(super) fn discard(&mut self) {
        self.ahead.clear();
    }

    /// What is there now, at least a byte.
    pub(super) async fn some(
        &mut self,
        stream: &mut (impl AsyncRead + Unpin),
        by: Instant,
    ) -> Result<&[u8], Broken> {
        if self.ahead.is_empty() {
            self.fill(stream, by).await?;
        }
        Ok(&self.ahead)
    }

    /// Goes on after so many bytes of what is there.
    pub(super) fn used(&mut self, count: usize) {
        self.ahead.advance(count.min(self.ahead.len()));
    }

    /// The next line.
    pub(super) async fn line(
        &mut self,
        stream: &mut (impl AsyncRead + Unpin),
        by: Instant,
    ) -> Result<Line, Broken> {
        let mut passed_over = 0;
        loop {
            if let Some(end) = self.ahead.iter().position(|&byte| byte == b'\n') {
                let line = self.ahead.split_to(end + 1);
                return Ok(if passed_over > 0 || line.len() > MAX_COMMAND {
                    Line::TooLong
                } else {
                    read(line)
                });
            }
            if self.ahead.len() >= MAX_COMMAND {
                passed_over += self.ahead.len();
                self.ahead.clear();
            }
            if passed_over > MAX_PASSED_OVER {
                return Err(Broken::Endless);
            }
            self.fill(stream, by).await?;
        }
    }

    async fn fill(&mut self, stream: &mut (impl AsyncRead + Unpin), by: Instant) -> Result<(), Broken> {
        self.ahead.reserve(READ_AHEAD);
        let mut room = bytes::BufMut::limit(&mut self.ahead, READ_AHEAD);
        match timeout_at(by, stream.read_buf(&mut room)).await {
            Err(_) => Err(Broken::TooLate),
            Ok(Err(_) | Ok(0)) => Err(Broken::Gone),
            Ok(Ok(_)) => Ok(()),
        }
    }
}

fn read(line: BytesMut) -> Line {
    match line.strip_suffix(b"\r\n") {
        Some(command) if !command.iter().any(|byte| matches!(byte, 0 | b'\r' | b'\n')) => Line::Command(line),
        _ => Line::Malformed,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    async fn lines(sent: &[u8]) -> Vec<Result<Line, Broken>> {
        let (mut input, mut stream) = (Input::default(), sent);
        let mut lines = Vec::new();
        loop {
            let line = input.line(&mut stream, Instant::now() + Duration::from_mins(1)).await;
            let has_ended = line.is_err();
            lines.push(line);
            if has_ended {
                return lines;
            }
        }
    }

    fn command(text: &str) -> Line {
        Line::Command(text.as_bytes().into())
    }

    #[tokio::test]
    async fn lines_end_with_cr_lf() {
        let read = lines(b"NOOP\r\n\r\nNOOP\nNO\rOP\r\nNO\0OP\r\nRSET\r\nQUI").await;
        let expected = vec![
            Ok(command("NOOP\r\n")),
            Ok(command("\r\n")),
            Ok(Line::Malformed),
            Ok(Line::Malformed),
            Ok(Line::Malformed),
            Ok(command("RSET\r\n")),
            Err(Broken::Gone),
        ];
        assert_eq!(read, expected);
    }

    #[tokio::test]
    async fn a_line_that_is_too_long_is_passed_over_or_given_up() {
        let fits = format!("NOOP {}\r\n", "a".repeat(MAX_COMMAND - 7));
        let too_long = format!("NOOP {}\r\n", "a".repeat(MAX_COMMAND - 6));
        let longer = format!("{}\r\n", "a".repeat(40_000));
        let read = lines(format!("{fits}{too_long}{longer}NOOP\r\n").as_bytes()).await;
        let expected = vec![
            Ok(command(&fits)),
            Ok(Line::TooLong),
            Ok(Line::TooLong),
            Ok(command("NOOP\r\n")),
            Err(Broken::Gone),
        ];
        assert_eq!(read, expected);
        assert_eq!(lines("a".repeat(200_000).as_bytes()).await, vec![Err(Broken::Endless)]);
    }
}
