//! `redress attachment …`: files that complaints refer to, and what is accepted of them.

mod upload;

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use client::Calls;
use futures::StreamExt as _;
use futures::stream::BoxStream;
use proto::redress::intake::v1::attachment_service_client::AttachmentServiceClient;
use proto::redress::intake::v1::{
    Attachment, DeleteAttachmentRequest, DownloadAttachmentRequest, DownloadAttachmentResponse,
    DownloadByTokenRequest, DownloadByTokenResponse, GetAttachmentRequest, GetAttachmentSettingsRequest,
    GetDownloadTokenRequest, ListAttachmentsRequest, UpdateAttachmentSettingsRequest,
};
use sha2::{Digest as _, Sha256};
use show::text;
use tokio::io::AsyncWriteExt as _;

use super::connection::{Caller, Connection, Page};

pub(crate) use upload::attached;

#[derive(Args)]
pub(crate) struct Attachments {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Uploads a file; what breaks off is gone on with. A complaint then refers to it
    Upload(upload::Upload),
    /// Shows what a file is, and how far
    Show {
        /// Its id
        attachment_id: String,
    },
    /// Fetches a file, or a range of it
    Download(Download),
    /// Makes a token by which whoever has it fetches a file: `attachment download --by`
    Token {
        /// Its id
        attachment_id: String,
        /// For how many seconds
        #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(i32).range(1..=3_600))]
        seconds: i32,
    },
    /// Lists the files of a complaint
    List {
        /// The complaint's id
        complaint_id: String,
        #[command(flatten)]
        page: Page,
    },
    /// Deletes a file that nothing refers to
    Delete {
        /// Its id
        attachment_id: String,
    },
    /// Shows, or changes, what is accepted
    Settings(Settings),
}

#[derive(Args)]
struct Download {
    /// Its id
    #[arg(required_unless_present = "by_token")]
    attachment_id: Option<String>,
    /// The token to fetch it by, instead
    #[arg(id = "by_token", long = "by", value_name = "TOKEN", conflicts_with = "attachment_id")]
    by_token: Option<String>,
    /// Where to write it; its own name in this folder by default
    #[arg(long)]
    out: Option<PathBuf>,
    /// The first byte to fetch
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(i64).range(0..))]
    offset: i64,
    /// How many bytes to fetch; all that follow by default
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(i64).range(0..))]
    length: i64,
}

#[derive(Args)]
struct Settings {
    /// Most bytes of one file
    #[arg(long, value_name = "BYTES")]
    max_size: Option<i64>,
    /// Most bytes of all files
    #[arg(long, value_name = "BYTES")]
    quota: Option<i64>,
    /// The media types that are accepted, all of them, as `image/jpeg,application/pdf`
    #[arg(long, value_name = "TYPES", value_delimiter = ',')]
    types: Vec<String>,
}

fn client_of(caller: &Caller) -> AttachmentServiceClient<Calls> {
    AttachmentServiceClient::new(caller.client.calls())
}

impl Attachments {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let caller = self.connection.open().await?;
        let mut attachments = client_of(&caller);
        match self.verb {
            Verb::Upload(upload) => upload.run(&caller).await,
            Verb::Show { attachment_id } => {
                let answer = attachments.get_attachment(GetAttachmentRequest { attachment_id }).await?;
                let attachment = answer.into_inner().attachment.unwrap_or_default();
                show::answer(caller.json, &attachment, text::attachment)
            }
            Verb::Download(download) => download.run(&caller).await,
            Verb::Token { attachment_id, seconds } => {
                let request = GetDownloadTokenRequest { attachment_id, valid_seconds: seconds };
                let answer = attachments.get_download_token(request).await?.into_inner();
                show::answer(caller.json, &answer, text::download_token)
            }
            Verb::List { complaint_id, page } => {
                let request =
                    ListAttachmentsRequest { page_size: page.limit, page_token: page.page, complaint_id };
                let answer = attachments.list_attachments(request).await?.into_inner();
                show::answer(caller.json, &answer, text::attachments)
            }
            Verb::Delete { attachment_id } => {
                let request = DeleteAttachmentRequest { request_id: caller.request_id(), attachment_id };
                let answer = attachments.delete_attachment(request).await?.into_inner();
                show::answer(caller.json, &answer, |_| "it is deleted\n".to_owned())
            }
            Verb::Settings(settings) => settings.run(&caller).await,
        }
    }
}

impl Settings {
    /// Changes the settings there are; whoever changes them meanwhile is noticed.
    async fn run(self, caller: &Caller) -> anyhow::Result<()> {
        let mut attachments = client_of(caller);
        let read = attachments.get_attachment_settings(GetAttachmentSettingsRequest {}).await?.into_inner();
        let mut settings = read.settings.unwrap_or_default();
        let Self { max_size, quota, types } = self;
        if max_size.is_none() && quota.is_none() && types.is_empty() {
            return show::answer(caller.json, &settings, text::attachment_settings);
        }
        settings.max_size_bytes = max_size.unwrap_or(settings.max_size_bytes);
        settings.quota_bytes = quota.unwrap_or(settings.quota_bytes);
        if !types.is_empty() {
            settings.media_types = types;
        }
        let request = UpdateAttachmentSettingsRequest {
            request_id: caller.request_id(),
            expected_version: Some(settings.version),
            settings: Some(settings),
        };
        let answer = attachments.update_attachment_settings(request).await?.into_inner();
        show::answer(caller.json, &answer.settings.unwrap_or_default(), text::attachment_settings)
    }
}

/// The parts of a file.
type Parts = BoxStream<'static, Result<DownloadAttachmentResponse, tonic::Status>>;

impl Download {
    /// The parts of the file, whichever way it is fetched.
    async fn parts(&self, caller: &Caller) -> anyhow::Result<Parts> {
        let (mut attachments, offset, length) = (client_of(caller), self.offset, self.length);
        if let Some(token) = self.by_token.clone() {
            let request = DownloadByTokenRequest { token, offset, length };
            let parts = attachments.download_by_token(request).await?.into_inner();
            let plain = |part: DownloadByTokenResponse| DownloadAttachmentResponse {
                attachment: part.attachment,
                offset: part.offset,
                data: part.data,
            };
            return Ok(parts.map(move |part| part.map(plain)).boxed());
        }
        let attachment_id = self.attachment_id.clone().unwrap_or_default();
        let request = DownloadAttachmentRequest { attachment_id, offset, length };
        Ok(attachments.download_attachment(request).await?.into_inner().boxed())
    }

    /// Writes beside the place first: what breaks off leaves no half of a file under its name.
    async fn run(self, caller: &Caller) -> anyhow::Result<()> {
        let (offset, length) = (self.offset, self.length);
        let mut parts = self.parts(caller).await?;
        let first = parts.next().await.transpose()?.unwrap_or_default();
        let attachment = first.attachment.context("the server does not say what it is")?;
        let path = self.out.unwrap_or_else(|| own_name(&attachment));
        let mut beside = path.clone().into_os_string();
        beside.push(".part");
        let written = || format!("cannot write {}", path.display());
        let mut file = tokio::fs::File::create(&beside).await.with_context(written)?;
        let (mut hash, mut bytes) = (Sha256::new(), 0);
        while let Some(part) = parts.next().await.transpose()? {
            hash.update(&part.data);
            bytes += i64::try_from(part.data.len())?;
            file.write_all(&part.data).await.with_context(written)?;
        }
        file.flush().await.with_context(written)?;
        let expected = if length == 0 {
            attachment.size_bytes - offset
        } else {
            length.min(attachment.size_bytes - offset)
        };
        let is_all = offset == 0 && expected == attachment.size_bytes;
        if bytes != expected || (is_all && upload::hex(&hash.finalize()) != attachment.sha256) {
            bail!("the file is not whole: its length or its SHA-256 differs; fetch it again");
        }
        tokio::fs::rename(&beside, &path).await.with_context(written)?;
        Ok(show::say(&format!("{} ({bytes} bytes)", path.display()))?)
    }
}

/// The name a file came with: a name, and no way to elsewhere.
fn own_name(attachment: &Attachment) -> PathBuf {
    let name = attachment.file_name.replace(['/', '\\'], "-");
    PathBuf::from(if name.trim_matches('.').is_empty() { attachment.attachment_id.clone() } else { name })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_no_way_to_elsewhere() {
        let named = |file_name: &str| {
            let attachment = Attachment {
                attachment_id: "id".to_owned(),
                file_name: file_name.to_owned(),
                ..Attachment::default()
            };
            own_name(&attachment)
        };
        assert_eq!(named("cup.png"), PathBuf::from("cup.png"));
        assert_eq!(named("../../etc/passwd"), PathBuf::from("..-..-etc-passwd"));
        assert_eq!(named(".."), PathBuf::from("id"));
        assert_eq!(named(""), PathBuf::from("id"));
    }
}
