//! How a content arrives: in parts of any length, which may repeat and overlap, and is
//! kept in chunks of one length.

/// Bytes of a chunk; the last of an attachment has fewer.
pub(crate) const CHUNK: usize = 256 << 10;

/// One stream's view of a content: what is kept, and what has come since.
#[derive(Debug)]
pub(crate) struct Upload {
    size: i64,
    kept: i64,
    waiting: Vec<u8>,
}

/// What is wrong with a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// It begins after what has come; here is where that ends.
    Gap(i64),
    /// It goes on after the end.
    Beyond,
}

impl Upload {
    /// Of a content of so many bytes, of which so many are kept.
    pub(crate) fn new(size: i64, kept: i64) -> Self {
        Self { size, kept, waiting: Vec::new() }
    }

    /// Takes a part; what has come before is passed over.
    pub(crate) fn take(&mut self, offset: i64, data: &[u8]) -> Result<(), Wrong> {
        let length = i64::try_from(data.len()).unwrap_or(i64::MAX);
        let come = self.kept + i64::try_from(self.waiting.len()).unwrap_or(i64::MAX);
        if offset > come {
            return Err(Wrong::Gap(come));
        }
        if offset.saturating_add(length) > self.size {
            return Err(Wrong::Beyond);
        }
        let known = usize::try_from(come.saturating_sub(offset)).unwrap_or(usize::MAX);
        self.waiting.extend_from_slice(data.get(known..).unwrap_or_default());
        Ok(())
    }

    /// The next chunk to be kept, and where it begins; none until it is whole.
    pub(crate) fn chunk(&self) -> Option<(i64, &[u8])> {
        let is_last = self.kept + i64::try_from(self.waiting.len()).unwrap_or(i64::MAX) == self.size;
        let whole = self.waiting.len() >= CHUNK || (is_last && !self.waiting.is_empty());
        whole.then(|| (self.kept, &self.waiting[..self.waiting.len().min(CHUNK)]))
    }

    /// Notes that so much is kept now, by this stream or by another.
    pub(crate) fn keep(&mut self, kept: i64) {
        let done = usize::try_from(kept.saturating_sub(self.kept)).unwrap_or(0);
        // A vector of its own length: between parts, no more is held than waits.
        self.waiting = self.waiting.split_off(done.min(self.waiting.len()));
        self.kept = self.kept.max(kept);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LENGTH: i64 = 262_144;

    fn bytes(from: i64, to: i64) -> Vec<u8> {
        (from..to).map(|at| u8::try_from(at % 251).unwrap_or(0)).collect()
    }

    /// Sends parts, keeps every chunk; answers what was kept.
    fn sent(size: i64, parts: &[(i64, i64)]) -> Result<Vec<u8>, Wrong> {
        let (mut upload, mut kept) = (Upload::new(size, 0), Vec::new());
        for (from, to) in parts {
            upload.take(*from, &bytes(*from, *to))?;
            while let Some((at, chunk)) = upload.chunk() {
                assert_eq!(at, i64::try_from(kept.len()).unwrap_or(0));
                kept.extend_from_slice(chunk);
                upload.keep(i64::try_from(kept.len()).unwrap_or(0));
            }
        }
        Ok(kept)
    }

    #[test]
    fn however_it_is_cut_and_repeated_the_content_is_the_same() {
        let size = 2 * LENGTH + 7;
        let whole = bytes(0, size);
        let in_order: Vec<_> = (0..size).step_by(1000).map(|at| (at, (at + 1000).min(size))).collect();
        let overlapping: Vec<_> = (0..size).step_by(1000).map(|at| (at, (at + 1999).min(size))).collect();
        let twice: Vec<_> = in_order.iter().chain(&in_order).copied().collect();
        for parts in [vec![(0, size)], in_order, overlapping, twice] {
            assert_eq!(sent(size, &parts).as_ref(), Ok(&whole));
        }
        assert_eq!(sent(size, &[(0, size - 1)]).map(|kept| kept.len()), Ok(2 * CHUNK), "whole chunks only");
    }

    #[test]
    fn a_gap_and_what_is_beyond_the_end_are_refused() {
        assert_eq!(sent(10, &[(0, 4), (5, 6)]), Err(Wrong::Gap(4)));
        assert_eq!(sent(10, &[(0, 4), (4, 11)]), Err(Wrong::Beyond));
        assert_eq!(Upload::new(10, 0).take(i64::MAX, &[1]), Err(Wrong::Gap(0)));
        assert_eq!(Upload::new(10, 10).take(3, &[1, 2]), Ok(()), "what is kept is passed over");
    }

    #[test]
    fn what_another_stream_has_kept_is_passed_over() {
        let size = 3 * LENGTH;
        let mut upload = Upload::new(size, 0);
        assert_eq!(upload.take(0, &bytes(0, LENGTH + 10)), Ok(()));
        upload.keep(2 * LENGTH);
        assert_eq!(upload.chunk(), None);
        assert_eq!(upload.take(LENGTH + 10, &bytes(LENGTH + 10, size)), Ok(()));
        assert_eq!(upload.chunk(), Some((2 * LENGTH, &bytes(2 * LENGTH, size)[..])));
    }
}
