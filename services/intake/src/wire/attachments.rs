//! Proto ⇄ domain: attachments, their parts, and what is accepted of them.

use std::fmt::Write as _;

use fault::{Check, Fault};
use jiff::Timestamp;
use kernel::CaseId;
use kernel::page::Page;
use proto::redress::intake::v1::{
    self as contract, CreateAttachmentRequest, DeleteAttachmentRequest, DownloadAttachmentRequest,
    DownloadAttachmentResponse, DownloadByTokenRequest, DownloadByTokenResponse, GetAttachmentRequest,
    GetDownloadTokenRequest, GetDownloadTokenResponse, ListAttachmentsRequest,
    UpdateAttachmentSettingsRequest, UploadAttachmentRequest,
};
use proto::timestamp;
use uuid::Uuid;

use super::MAX_WORD;
use crate::attachment::settings::{MAX_MEDIA_TYPES, MAX_QUOTA, MAX_SIZE, is_media_type};
use crate::attachment::{Attachment, Settings, State, Store, Wrong};

/// Most bytes of one part of an upload.
const MAX_PART: usize = 1 << 20;
/// Hexadecimal digits of a SHA-256.
const SHA256_HEX: usize = 64;

const INVALID_ATTACHMENT_ID: &str = "INVALID_ATTACHMENT_ID";
const INVALID_UPLOAD: &str = "INVALID_UPLOAD";
const MUST_BE_SHA256: &str = "must be 64 hexadecimal digits, lower case";

/// An attachment that is announced.
#[derive(Clone, Debug)]
pub(crate) struct New {
    file_name: String,
    media_type: String,
    size: i64,
    sha256: Option<Vec<u8>>,
}

impl New {
    /// How long it will be.
    pub(crate) fn size(&self) -> i64 {
        self.size
    }

    /// The attachment it becomes.
    pub(crate) fn attachment(
        self,
        (id, store): (Uuid, Store),
        creator: String,
        created: Timestamp,
    ) -> Attachment {
        Attachment {
            id,
            file_name: self.file_name,
            media_type: self.media_type,
            size: self.size,
            received: 0,
            declared_sha256: self.sha256,
            sha256: None,
            state: State::Receiving,
            reason: None,
            signature: String::new(),
            store,
            complaint: None,
            creator,
            created,
        }
    }
}

/// An announcement being read: what the tenant accepts is held against it next.
pub(crate) struct Announced {
    check: Check,
    new: New,
}

/// Reads what is announced.
pub(crate) fn create(request: CreateAttachmentRequest) -> Announced {
    let CreateAttachmentRequest { request_id, file_name, media_type, size_bytes, sha256 } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let file_name = check.required("file_name", file_name, MAX_WORD);
    let is_plain = !file_name.contains(|c: char| c == '/' || c == '\\' || c.is_control());
    check.ensure(is_plain, "file_name", "must not contain slashes, backslashes and control characters");
    let is_given = is_media_type(&media_type);
    check.ensure(is_given, "media_type", "must be a media type in lower case, e.g. image/jpeg");
    check.ensure(size_bytes >= 1, "size_bytes", "must be at least 1");
    let declared = (!sha256.is_empty()).then(|| read_sha256(&sha256));
    check.ensure(declared != Some(None), "sha256", MUST_BE_SHA256);
    Announced { check, new: New { file_name, media_type, size: size_bytes, sha256: declared.flatten() } }
}

impl Announced {
    /// What is announced, if the tenant accepts it; every violation at once otherwise.
    pub(crate) fn accepted(mut self, settings: &Settings) -> Result<New, Fault> {
        if is_media_type(&self.new.media_type) && !settings.accepts(&self.new.media_type) {
            self.check.fail("media_type", "is not accepted here");
        }
        if self.new.size > settings.max_size {
            self.check.fail("size_bytes", format!("must be at most {}", settings.max_size));
        }
        self.check.done("INVALID_ATTACHMENT")?;
        Ok(self.new)
    }
}

/// The bytes of a SHA-256 in lower-case hexadecimal digits; none where it is not one.
pub(super) fn read_sha256(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    if text.len() != SHA256_HEX {
        return None;
    }
    text.as_bytes().chunks(2).map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}

/// Bytes in lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Reads whose content the first part of an upload begins.
pub(crate) fn upload(first: &UploadAttachmentRequest) -> Result<Uuid, Fault> {
    let mut check = Check::new();
    let id = check.id("attachment_id", &first.attachment_id);
    check.done(INVALID_UPLOAD)?;
    Ok(id)
}

/// Reads a part of the content of an attachment: where it begins, and its bytes.
pub(crate) fn part(request: UploadAttachmentRequest, of: Uuid) -> Result<(i64, Vec<u8>), Fault> {
    let UploadAttachmentRequest { attachment_id, offset, data } = request;
    let mut check = Check::new();
    if let Some(id) = check.optional_id::<Uuid>("attachment_id", &attachment_id) {
        check.ensure(id == of, "attachment_id", "must be the same in every part");
    }
    check.ensure(offset >= 0, "offset", "must not be negative");
    check.ensure(data.len() <= MAX_PART, "data", "must have at most 1 048 576 bytes");
    check.done(INVALID_UPLOAD)?;
    Ok((offset, data))
}

/// The refusal of a part.
pub(crate) fn refused_part(wrong: Wrong) -> Fault {
    let mut check = Check::new();
    match wrong {
        Wrong::Gap(come) => check.fail("offset", format!("must be at most {come}, where what has come ends")),
        Wrong::Beyond => check.fail("data", "goes on after the end: see size_bytes"),
    }
    check.done(INVALID_UPLOAD).err().unwrap_or_else(|| Fault::internal("a violation was lost"))
}

/// Reads which attachment is wanted.
pub(crate) fn get(request: &GetAttachmentRequest) -> Result<Uuid, Fault> {
    let mut check = Check::new();
    let id = check.id("attachment_id", &request.attachment_id);
    check.done(INVALID_ATTACHMENT_ID)?;
    Ok(id)
}

/// Reads which attachment is to be deleted.
pub(crate) fn delete(request: DeleteAttachmentRequest) -> Result<Uuid, Fault> {
    let DeleteAttachmentRequest { request_id, attachment_id } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    let id = check.id("attachment_id", &attachment_id);
    check.done(INVALID_ATTACHMENT_ID)?;
    Ok(id)
}

/// Attachments of a complaint, page by page.
pub(crate) struct List {
    pub(crate) page: Page,
    pub(crate) complaint: CaseId,
    pub(crate) after: Option<Uuid>,
}

/// Reads whose attachments are wanted.
pub(crate) fn list(request: ListAttachmentsRequest) -> Result<List, Fault> {
    let ListAttachmentsRequest { page_size, page_token, complaint_id } = request;
    let mut check = Check::new();
    let page = check.page(page_size, &page_token, &complaint_id);
    let after = page.after.as_deref().and_then(|key| check.optional_id("page_token", key));
    let complaint = check.id("complaint_id", &complaint_id);
    check.done("INVALID_LIST")?;
    Ok(List { page, complaint, after })
}

/// A range of a content.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Download {
    pub(crate) id: Uuid,
    pub(crate) offset: i64,
    pub(crate) length: i64,
}

/// Reads what is to be fetched.
pub(crate) fn download(request: &DownloadAttachmentRequest) -> Result<Download, Fault> {
    let DownloadAttachmentRequest { attachment_id, offset, length } = request;
    let mut check = Check::new();
    let id = check.id("attachment_id", attachment_id);
    check.ensure(*offset >= 0, "offset", "must not be negative");
    check.ensure(*length >= 0, "length", "must not be negative");
    check.done(INVALID_DOWNLOAD)?;
    Ok(Download { id, offset: *offset, length: *length })
}

const INVALID_DOWNLOAD: &str = "INVALID_DOWNLOAD";

/// A range of the content that a token is for.
#[derive(Clone, Debug)]
pub(crate) struct ByToken {
    pub(crate) token: String,
    pub(crate) offset: i64,
    pub(crate) length: i64,
}

/// Reads what is to be fetched by a token.
pub(crate) fn by_token(request: DownloadByTokenRequest) -> Result<ByToken, Fault> {
    let DownloadByTokenRequest { token, offset, length } = request;
    let mut check = Check::new();
    check.ensure(offset >= 0, "offset", "must not be negative");
    check.ensure(length >= 0, "length", "must not be negative");
    check.done(INVALID_DOWNLOAD)?;
    Ok(ByToken { token, offset, length })
}

/// A part of a download as that of one by token.
pub(crate) fn of_token(part: DownloadAttachmentResponse) -> DownloadByTokenResponse {
    let DownloadAttachmentResponse { attachment, offset, data } = part;
    DownloadByTokenResponse { attachment, offset, data }
}

/// Reads for which attachment a token is to be made, and for how many seconds.
pub(crate) fn token_wanted(request: &GetDownloadTokenRequest) -> Result<(Uuid, i64), Fault> {
    let GetDownloadTokenRequest { attachment_id, valid_seconds } = request;
    let mut check = Check::new();
    let id = check.id("attachment_id", attachment_id);
    let is_short = (0..=MAX_VALID_SECONDS).contains(valid_seconds);
    check.ensure(is_short, "valid_seconds", "must be 1 to 3600, or 0 for 300");
    check.done(INVALID_DOWNLOAD)?;
    let seconds = if *valid_seconds == 0 { DEFAULT_VALID_SECONDS } else { *valid_seconds };
    Ok((id, seconds.into()))
}

/// Longest that a token may last.
const MAX_VALID_SECONDS: i32 = 3_600;
/// How long one lasts of which nothing is said.
const DEFAULT_VALID_SECONDS: i32 = 300;

/// Where a file is for whoever has its token.
const LINKS: &str = "/v1/attachmentContents/";

/// A token as callers see it.
pub(crate) fn token(token: String, end: Timestamp) -> GetDownloadTokenResponse {
    let uri_path = format!("{LINKS}{token}");
    GetDownloadTokenResponse { token, expire_time: Some(timestamp(end)), uri_path }
}

/// The refusal of a range that begins after the end.
pub(crate) fn after_the_end(size: i64) -> Fault {
    let mut check = Check::new();
    check.fail("offset", format!("must be at most {size}, the size"));
    check.done(INVALID_DOWNLOAD).err().unwrap_or_else(|| Fault::internal("a violation was lost"))
}

/// The first message of a download.
pub(crate) fn head(attachment: &Attachment, offset: i64) -> DownloadAttachmentResponse {
    let attachment = Some(self::attachment(attachment));
    DownloadAttachmentResponse { attachment, offset, data: Vec::new() }
}

/// A later message of a download.
pub(crate) fn piece(offset: i64, data: Vec<u8>) -> DownloadAttachmentResponse {
    DownloadAttachmentResponse { attachment: None, offset, data }
}

/// What is to be settled, and the version the caller has seen.
pub(crate) fn settle(request: UpdateAttachmentSettingsRequest) -> Result<(Settings, Option<i64>), Fault> {
    let UpdateAttachmentSettingsRequest { request_id, settings, expected_version } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    check.ensure(settings.is_some(), "settings", "is required");
    let settings = settings.map(|settings| read_settings(&mut check, settings)).unwrap_or_default();
    check.done("INVALID_ATTACHMENT_SETTINGS")?;
    Ok((settings, expected_version))
}

fn read_settings(check: &mut Check, settings: contract::AttachmentSettings) -> Settings {
    let contract::AttachmentSettings {
        max_size_bytes,
        quota_bytes,
        media_types,
        used_bytes: _, // output only, as is what follows
        version: _,
        update_time: _,
        updater: _,
    } = settings;
    let is_size = (1..=MAX_SIZE).contains(&max_size_bytes);
    check.ensure(is_size, "settings.max_size_bytes", "must be 1 to 1 073 741 824");
    let is_quota = (0..=MAX_QUOTA).contains(&quota_bytes);
    check.ensure(is_quota, "settings.quota_bytes", "must be 0 to 1 125 899 906 842 624");
    let mut media_types = check.some("settings.media_types", media_types, MAX_MEDIA_TYPES);
    for (place, one) in media_types.iter().enumerate() {
        let field = format!("settings.media_types[{place}]");
        check.ensure(is_media_type(one), &field, "must be a media type in lower case, e.g. image/jpeg");
    }
    media_types.sort_unstable();
    media_types.dedup();
    Settings { max_size: max_size_bytes, quota: quota_bytes, media_types, ..Settings::default() }
}

/// Settings as callers see them.
pub(crate) fn settings(settings: Settings, used: i64) -> contract::AttachmentSettings {
    let Settings { max_size, quota, media_types, version, updater, updated } = settings;
    contract::AttachmentSettings {
        max_size_bytes: max_size,
        quota_bytes: quota,
        media_types,
        used_bytes: used,
        version,
        update_time: updated.map(timestamp),
        updater,
    }
}

/// The SHA-256 of an attachment as callers see it.
pub(crate) fn sha256(attachment: &Attachment) -> String {
    let sha256 = attachment.sha256.as_ref().or(attachment.declared_sha256.as_ref());
    sha256.map(|bytes| hex(bytes)).unwrap_or_default()
}

/// An attachment as callers see it.
pub(crate) fn attachment(attachment: &Attachment) -> contract::Attachment {
    let Attachment {
        id,
        file_name,
        media_type,
        size,
        received,
        declared_sha256: _, // told where the other is not known
        sha256: _,
        state,
        reason,
        signature,
        store: _, // ours to know
        complaint,
        creator,
        created,
    } = attachment;
    contract::Attachment {
        attachment_id: id.to_string(),
        file_name: file_name.clone(),
        media_type: media_type.clone(),
        size_bytes: *size,
        received_bytes: *received,
        sha256: sha256(attachment),
        state: state.number().into(),
        refusal: reason.map_or(0, |reason| reason.number().into()),
        signature: signature.clone(),
        complaint_id: complaint.map(|id| id.to_string()).unwrap_or_default(),
        create_time: Some(timestamp(*created)),
        creator: creator.clone(),
    }
}

#[cfg(test)]
mod tests {
    use proto::redress::intake::v1::{AttachmentRefusal, AttachmentState};

    use super::*;
    use crate::attachment::Reason;

    #[test]
    fn a_sha256_is_read_and_written() {
        let text = "00ff".repeat(16);
        assert_eq!(read_sha256(&text).map(|bytes| hex(&bytes)), Some(text.clone()));
        for wrong in [text.to_uppercase(), text[1..].to_owned(), format!("{}é", &text[2..])] {
            assert_eq!(read_sha256(&wrong), None, "{wrong}");
        }
    }

    #[test]
    fn states_and_reasons_are_the_contracts() {
        for state in State::ALL.iter().filter(|state| **state != State::Deleted) {
            let contract = AttachmentState::try_from(i32::from(state.number())).map(|one| format!("{one:?}"));
            assert_eq!(contract.ok(), Some(format!("{state:?}")));
        }
        for reason in Reason::ALL {
            let contract =
                AttachmentRefusal::try_from(i32::from(reason.number())).map(|one| format!("{one:?}"));
            assert_eq!(contract.ok(), Some(format!("{reason:?}")));
        }
        assert!(AttachmentState::try_from(5).is_err() && AttachmentRefusal::try_from(5).is_err());
    }
}
