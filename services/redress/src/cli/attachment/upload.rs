//! Uploads a file, and goes on with one that broke off.

use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use clap::Args;
use proto::redress::intake::v1::{
    Attachment, AttachmentState, CreateAttachmentRequest, Evidence, GetAttachmentRequest,
    UploadAttachmentRequest,
};
use sha2::{Digest as _, Sha256};
use show::text;
use tokio::sync::mpsc::{Sender, channel};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Request;

use super::client_of;
use crate::cli::connection::{Caller, passing};

/// Bytes of one part.
const PART: usize = 256 << 10;
/// Parts that are read ahead.
const AHEAD: usize = 4;
/// Longest that one stream may take.
const PATIENCE: Duration = Duration::from_mins(10);
/// How often it is gone on with where nothing more has arrived.
const TRIES: u32 = 5;
/// Pause before it is gone on with.
const PAUSE: Duration = Duration::from_secs(1);

#[derive(Args)]
pub(super) struct Upload {
    /// The file
    file: PathBuf,
    /// Its media type; by the end of its name where it is not said
    #[arg(long = "type", value_name = "TYPE")]
    media_type: Option<String>,
    /// The attachment to go on with, where an upload of the file has broken off
    #[arg(long, value_name = "ID")]
    resume: Option<String>,
}

impl Upload {
    pub(super) async fn run(self, caller: &Caller) -> anyhow::Result<()> {
        let attachment = match self.resume {
            Some(attachment_id) => {
                let read = client_of(caller).get_attachment(GetAttachmentRequest { attachment_id }).await?;
                read.into_inner().attachment.unwrap_or_default()
            }
            None => announced(caller, &self.file, self.media_type, caller.request_id()).await?,
        };
        let done = sent(caller, &self.file, attachment).await?;
        show::answer(caller.json, &done, text::attachment)
    }
}

/// Uploads files as evidence. Made again under the same key, the same files are the same
/// attachments.
pub(crate) async fn attached(
    caller: &Caller,
    files: &[PathBuf],
    request_id: &str,
) -> anyhow::Result<Vec<Evidence>> {
    let mut evidence = Vec::with_capacity(files.len());
    for (place, file) in files.iter().enumerate() {
        let attachment = announced(caller, file, None, format!("{request_id}/{place}")).await?;
        let done = sent(caller, file, attachment).await?;
        evidence.push(Evidence { attachment_id: done.attachment_id, ..Evidence::default() });
    }
    Ok(evidence)
}

/// Announces a file.
async fn announced(
    caller: &Caller,
    file: &Path,
    media_type: Option<String>,
    request_id: String,
) -> anyhow::Result<Attachment> {
    let guess = || mime_guess::from_path(file).first_or_octet_stream().essence_str().to_lowercase();
    let media_type = media_type.unwrap_or_else(guess);
    let name = file.file_name().with_context(|| format!("{} is no file", file.display()))?;
    let (file_name, path) = (name.to_string_lossy().into_owned(), file.to_owned());
    let read = tokio::task::spawn_blocking(move || measured(&path)).await?;
    let (size_bytes, sha256) = read.with_context(|| format!("{}", file.display()))?;
    let request = CreateAttachmentRequest { request_id, file_name, media_type, size_bytes, sha256 };
    let answer = client_of(caller).create_attachment(request).await?.into_inner();
    answer.attachment.ok_or_else(|| anyhow!("the server answered nothing"))
}

/// How long a file is, and its SHA-256.
fn measured(file: &Path) -> std::io::Result<(i64, String)> {
    let (mut file, mut hash, mut bytes) = (std::fs::File::open(file)?, Sha256::new(), 0);
    let mut part = vec![0; PART];
    loop {
        let read = file.read(&mut part)?;
        if read == 0 {
            return Ok((bytes, hex(&hash.finalize())));
        }
        hash.update(&part[..read]);
        bytes += i64::try_from(read).map_err(std::io::Error::other)?;
    }
}

/// Bytes in lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// Sends what is not kept yet, and goes on where that breaks off.
async fn sent(caller: &Caller, file: &Path, mut attachment: Attachment) -> anyhow::Result<Attachment> {
    let mut tries = 0;
    if attachment.state() == AttachmentState::Receiving {
        // Said before anything can break off: nothing lists what is unfinished.
        let id = show::escaped(&attachment.attachment_id);
        eprintln!("redress: uploads as {id}; if this breaks off: attachment upload FILE --resume {id}");
    }
    while attachment.state() == AttachmentState::Receiving {
        let kept = attachment.received_bytes;
        attachment = match send(caller, file, &attachment).await? {
            Ok(now) => now,
            Err(status) => {
                tries += 1;
                if tries == TRIES {
                    return Err(status.into());
                }
                passing(status)?;
                tokio::time::sleep(PAUSE).await;
                let attachment_id = attachment.attachment_id;
                let read = client_of(caller).get_attachment(GetAttachmentRequest { attachment_id }).await?;
                read.into_inner().attachment.unwrap_or_default()
            }
        };
        if attachment.received_bytes > kept {
            tries = 0;
        } else if attachment.state() == AttachmentState::Receiving && tries == 0 {
            bail!("{} is shorter than what was announced", file.display());
        }
    }
    Ok(attachment)
}

/// One stream, from what is kept to the end of the file.
async fn send(
    caller: &Caller,
    file: &Path,
    attachment: &Attachment,
) -> anyhow::Result<Result<Attachment, tonic::Status>> {
    let (sender, receiver) = channel(AHEAD);
    let (path, id, from) = (file.to_owned(), attachment.attachment_id.clone(), attachment.received_bytes);
    let reading = tokio::task::spawn_blocking(move || read(&path, &id, from, &sender));
    let mut stream = Request::new(ReceiverStream::new(receiver));
    stream.set_timeout(PATIENCE);
    let answer = client_of(caller).upload_attachment(stream).await;
    reading.await?.with_context(|| format!("{}", file.display()))?;
    Ok(answer.map(|answer| answer.into_inner().attachment.unwrap_or_default()))
}

/// Reads a file from an offset on, part by part; the last is empty, so that there is one.
fn read(
    file: &Path,
    attachment_id: &str,
    from: i64,
    sender: &Sender<UploadAttachmentRequest>,
) -> std::io::Result<()> {
    let mut file = std::fs::File::open(file)?;
    let mut offset = from;
    file.seek(SeekFrom::Start(from.unsigned_abs()))?;
    loop {
        let mut data = vec![0; PART];
        let read = file.read(&mut data)?;
        data.truncate(read);
        let part = UploadAttachmentRequest { attachment_id: attachment_id.to_owned(), offset, data };
        // Nobody listens once the server has refused it; it says why.
        if sender.blocking_send(part).is_err() || read == 0 {
            return Ok(());
        }
        offset += i64::try_from(read).map_err(std::io::Error::other)?;
    }
}
