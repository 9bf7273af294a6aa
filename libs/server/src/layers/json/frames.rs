//! Messages in frames, as gRPC and Connect have them: a byte of flags, four of length.

use bytes::{Buf as _, Bytes, BytesMut};
use fault::{Fault, Kind};

const HEADER: usize = 5;

/// Splits bytes into frames as they arrive.
#[derive(Default)]
pub(crate) struct Frames(BytesMut);

impl Frames {
    pub(crate) fn push(&mut self, bytes: &Bytes) {
        self.0.extend_from_slice(bytes);
    }

    /// The next whole frame, its flags first.
    ///
    /// # Errors
    ///
    /// Fails on one that says it is larger than `limit`, before it is there.
    pub(crate) fn next(&mut self, limit: usize) -> Result<Option<(u8, Bytes)>, Fault> {
        let Some((flags, length)) = self.0.split_first_chunk::<HEADER>().map(|(header, _)| {
            let [flags, length @ ..] = *header;
            (flags, usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX))
        }) else {
            return Ok(None);
        };
        if length > limit {
            return Err(too_large(limit));
        }
        if self.0.len() - HEADER < length {
            return Ok(None);
        }
        self.0.advance(HEADER);
        Ok(Some((flags, self.0.split_to(length).freeze())))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A message in a frame.
pub(crate) fn framed(flags: u8, message: &[u8]) -> Result<Bytes, Fault> {
    let length = u32::try_from(message.len()).map_err(Fault::internal)?;
    let mut frame = BytesMut::with_capacity(HEADER + message.len());
    frame.extend_from_slice(&[flags]);
    frame.extend_from_slice(&length.to_be_bytes());
    frame.extend_from_slice(message);
    Ok(frame.freeze())
}

pub(crate) fn too_large(limit: usize) -> Fault {
    Fault::new(Kind::Invalid, "MESSAGE_TOO_LARGE", "the message is larger than this server accepts")
        .with("limit_bytes", limit.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_whole_however_they_arrive() {
        let bytes =
            [framed(0, b"one").unwrap(), framed(2, b"").unwrap(), framed(1, b"three").unwrap()].concat();
        for piece in 1..bytes.len() {
            let (mut frames, mut found) = (Frames::default(), Vec::new());
            for part in bytes.chunks(piece) {
                frames.push(&Bytes::copy_from_slice(part));
                while let Some((flags, message)) = frames.next(10).unwrap() {
                    found.push((flags, message.to_vec()));
                }
            }
            assert_eq!(found, [(0, b"one".to_vec()), (2, Vec::new()), (1, b"three".to_vec())]);
            assert!(frames.is_empty());
        }
    }

    #[test]
    fn a_frame_that_would_be_too_large_is_refused_by_its_header() {
        let mut frames = Frames::default();
        frames.push(&Bytes::from_static(&[0, 0, 0, 0, 11]));
        assert_eq!(frames.next(10).map_err(|fault| fault.reason()), Err("MESSAGE_TOO_LARGE"));
        assert_eq!(frames.next(11).map_err(|fault| fault.reason()), Ok(None));
    }
}
