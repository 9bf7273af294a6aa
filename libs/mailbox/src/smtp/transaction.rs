//! One message while it is being sent: from whom, to whom, and its bytes.

use bytes::{Bytes, BytesMut};
use tokio::io::AsyncRead;
use tokio::time::Instant;

use super::Timeouts;
use super::command::Sender;
use super::data::{Progress, Unstuffed};
use super::line::{Broken, Input};

/// How many times over the largest message is read to its end, so that it can be
/// answered, before the client is given up.
const MOST_TIMES_TOO_LARGE: usize = 4;

/// What `MAIL` began.
#[derive(Debug)]
pub(super) struct Transaction {
    pub(super) from: Sender,
    pub(super) recipients: Vec<String>,
    /// What `BDAT` sent so far; None before the first.
    pub(super) chunks: Option<Chunks>,
}

/// What `BDAT` sent so far.
#[derive(Debug)]
pub(super) enum Chunks {
    /// All of it.
    Whole(BytesMut),
    /// It is more than a message may have, and was not kept.
    TooLarge,
}

/// How the bytes of a message ended.
#[derive(Debug)]
pub(super) enum Text {
    /// They are all there.
    Whole(Bytes),
    /// They ended, and were too many.
    TooLarge,
    /// Their end cannot be told.
    Ambiguous,
    /// They are so many that nobody waits for their end.
    TooMuch,
}

impl Transaction {
    pub(super) fn new(from: Sender) -> Self {
        Self { from, recipients: Vec::new(), chunks: None }
    }
}

/// Reads what follows `DATA`.
pub(super) async fn data(
    stream: &mut (impl AsyncRead + Unpin),
    input: &mut Input,
    largest: usize,
    timeouts: &Timeouts,
) -> Result<Text, Broken> {
    let end = Instant::now() + timeouts.message;
    let mut unstuffed = Unstuffed::new(largest);
    let mut read = 0_usize;
    loop {
        let by = end.min(Instant::now() + timeouts.block);
        let some = input.some(stream, by).await?;
        let (progress, count) = (unstuffed.take(some), some.len());
        match progress {
            Progress::Ended(used) => {
                input.used(used);
                return Ok(unstuffed.into_text().map_or(Text::TooLarge, |text| Text::Whole(text.freeze())));
            }
            Progress::Ambiguous => return Ok(Text::Ambiguous),
            Progress::Unfinished => input.used(count),
        }
        read = read.saturating_add(count);
        if read > largest.saturating_mul(MOST_TIMES_TOO_LARGE) {
            return Ok(Text::TooMuch);
        }
    }
}

/// Reads the bytes of a `BDAT` onto what came before; None if they are so many that nobody
/// waits for their end.
pub(super) async fn chunk(
    stream: &mut (impl AsyncRead + Unpin),
    input: &mut Input,
    size: usize,
    mut chunks: Chunks,
    largest: usize,
    timeouts: &Timeouts,
) -> Result<Option<Chunks>, Broken> {
    if size > largest.saturating_mul(MOST_TIMES_TOO_LARGE) {
        return Ok(None);
    }
    let end = Instant::now() + timeouts.message;
    let mut left = size;
    while left > 0 {
        let by = end.min(Instant::now() + timeouts.block);
        let some = input.some(stream, by).await?;
        let count = some.len().min(left);
        match &mut chunks {
            Chunks::Whole(text) if text.len() + count <= largest => text.extend_from_slice(&some[..count]),
            whole @ Chunks::Whole(_) => *whole = Chunks::TooLarge,
            Chunks::TooLarge => {}
        }
        input.used(count);
        left -= count;
    }
    Ok(Some(chunks))
}
