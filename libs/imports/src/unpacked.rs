//! What a text unpacks to, within a bound: a few kilobytes of gzip may be terabytes.

use std::io::{self, Read};

/// Bytes of which so many are read, and no more.
pub(super) struct Unpacked<R> {
    from: R,
    left: u64,
}

impl<R: Read> Unpacked<R> {
    /// Reads at most so many bytes.
    pub(super) fn new(from: R, most: u64) -> Self {
        Self { from, left: most }
    }
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(buffer)?;
        let left = self.left.checked_sub(read as u64);
        self.left = left.ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidData, "it unpacks to more than a file may")
        })?;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_unpacks_to_more_than_it_may_is_an_error() {
        let read = |most| Unpacked::new(&b"12345"[..], most).read_to_end(&mut Vec::new());
        assert_eq!(read(5).unwrap(), 5);
        assert_eq!(read(4).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
