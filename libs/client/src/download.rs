//! Files that come in parts.

use proto::redress::feedback::v1::report_service_client::ReportServiceClient;
use proto::redress::feedback::v1::{DownloadReportRequest, ReportFile};
use sha2::{Digest as _, Sha256};
use tonic::Status;

use crate::Client;

/// Largest file that is taken.
pub const MAX_FILE: usize = 256 * 1024 * 1024;

/// Why a file could not be had.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// The call failed.
    #[error("the file could not be fetched: {0}")]
    Call(#[from] Box<Status>),
    /// It is not what the server said it would be.
    #[error("the file is not whole: its length or its SHA-256 differs; fetch it again")]
    NotWhole,
    /// It is larger than is taken.
    #[error("the file is larger than {MAX_FILE} bytes")]
    TooLarge,
}

/// Fetches a file of a report, whole: as long as it was said to be, and with its SHA-256.
///
/// # Errors
///
/// Fails if the call does, and if the file is too large or not whole.
pub async fn report_file(
    client: &Client,
    request: DownloadReportRequest,
) -> Result<(ReportFile, Vec<u8>), DownloadError> {
    let mut reports = ReportServiceClient::new(client.calls());
    let mut parts = reports.download_report(request).await.map_err(Box::new)?.into_inner();
    let (mut told, mut bytes) = (None, Vec::new());
    while let Some(part) = parts.message().await.map_err(Box::new)? {
        told = told.or(part.file);
        if bytes.len() + part.data.len() > MAX_FILE {
            return Err(DownloadError::TooLarge);
        }
        bytes.extend_from_slice(&part.data);
    }
    let file = told.ok_or(DownloadError::NotWhole)?;
    let hash: String =
        Sha256::digest(&bytes).iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    let is_whole = i64::try_from(bytes.len()) == Ok(file.size_bytes) && hash == file.sha256;
    if is_whole { Ok((file, bytes)) } else { Err(DownloadError::NotWhole) }
}
