//! A file on its way: in a file without a name until its size and digest are known.

use std::io::SeekFrom;

use axum::extract::multipart::Field;
use bytes::{Bytes, BytesMut};
use futures::{Stream, stream};
use proto::redress::intake::v1::UploadAttachmentRequest;
use sha2::{Digest as _, Sha256};
use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _, AsyncWriteExt as _};

use crate::problem::Problem;

/// Bytes of one message to intake.
pub(super) const PART: usize = 256 << 10;

/// A file that came in with a form.
pub(super) struct Spooled {
    /// What the browser calls it.
    pub(super) name: String,
    /// What the browser takes it for.
    pub(super) media_type: String,
    /// How many bytes it has.
    pub(super) bytes: i64,
    /// SHA-256, in hexadecimal digits.
    pub(super) sha256: String,
    file: File,
}

impl Spooled {
    /// Takes it in. Of one that is too large no more is kept than shows that it is.
    pub(super) async fn take(mut field: Field<'_>, bytes_max: i64) -> Result<Self, Problem> {
        let name = field.file_name().unwrap_or_default().to_owned();
        let media_type = field.content_type().unwrap_or_default();
        let media_type = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let file = tokio::task::spawn_blocking(tempfile::tempfile).await;
        let file = file.map_err(|error| Problem::broken(&error.to_string()))?;
        let mut file = File::from_std(file.map_err(|error| Problem::broken(&error.to_string()))?);
        let (mut bytes, mut digest) = (0_i64, Sha256::new());
        while let Some(chunk) =
            field.chunk().await.map_err(|error| Problem::unreadable(&error.body_text()))?
        {
            bytes = bytes.saturating_add(i64::try_from(chunk.len()).unwrap_or(i64::MAX));
            if bytes <= bytes_max {
                digest.update(&chunk);
                file.write_all(&chunk).await.map_err(|error| Problem::broken(&error.to_string()))?;
            }
        }
        file.flush().await.map_err(|error| Problem::broken(&error.to_string()))?;
        let sha256 = hexadecimal(&digest.finalize());
        Ok(Self { name, media_type, bytes, sha256, file })
    }

    /// As intake takes it, from where it was broken off.
    pub(super) async fn parts(
        mut self,
        attachment_id: String,
        from: i64,
    ) -> Result<impl Stream<Item = UploadAttachmentRequest> + Send + 'static, Problem> {
        let start = SeekFrom::Start(u64::try_from(from).unwrap_or_default());
        self.file.seek(start).await.map_err(|error| Problem::broken(&error.to_string()))?;
        let begin = (self.file, from, attachment_id);
        Ok(stream::unfold(begin, |(mut file, offset, attachment_id)| async move {
            let mut part = BytesMut::with_capacity(PART);
            while part.len() < PART {
                match file.read_buf(&mut part).await {
                    Ok(0) => break,
                    Ok(_) => {}
                    // The upload ends before its end, which its answer shows.
                    Err(error) => {
                        tracing::error!(%error, "a paper on its way cannot be read");
                        return None;
                    }
                }
            }
            if part.is_empty() {
                return None;
            }
            let data: Bytes = part.freeze();
            let next = offset.saturating_add(i64::try_from(data.len()).unwrap_or_default());
            let message =
                UploadAttachmentRequest { attachment_id: attachment_id.clone(), offset, data: data.to_vec() };
            Some((message, (file, next, attachment_id)))
        }))
    }
}

/// Bytes as hexadecimal digits.
pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}
