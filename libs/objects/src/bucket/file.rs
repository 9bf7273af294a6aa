//! A file as what is sent, a piece at a time.

use std::fs::File;
use std::io::{self, Seek as _};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::io::{AsyncRead as _, ReadBuf};

/// Bytes sent at once.
const PIECE: usize = 256 * 1024;

/// What is left of a file to be sent.
pub(super) struct FileBody {
    file: tokio::fs::File,
    left: u64,
    piece: Vec<u8>,
}

impl FileBody {
    /// A file from its beginning, and how long it is.
    pub(super) fn new(mut file: File) -> io::Result<(Self, u64)> {
        file.rewind()?;
        let length = file.metadata()?.len();
        Ok((Self { file: tokio::fs::File::from_std(file), left: length, piece: vec![0; PIECE] }, length))
    }
}

impl Body for FileBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let Self { file, left, piece } = &mut *self;
        let room = usize::try_from(*left).unwrap_or(usize::MAX).min(piece.len());
        let mut buffer = ReadBuf::new(&mut piece[..room]);
        ready!(pin!(file).poll_read(context, &mut buffer))?;
        let read = buffer.filled();
        if read.is_empty() {
            // It became shorter: what was announced cannot be sent.
            return Poll::Ready(Some(Err(io::ErrorKind::UnexpectedEof.into())));
        }
        *left -= read.len() as u64;
        Poll::Ready(Some(Ok(Frame::data(Bytes::copy_from_slice(read)))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
