//! The lines of attachments.

use super::table::{EMPTY, Invalid, invalid};
use super::unknown::{Unknown, unknown};

pub(super) const INVALID: &[Invalid] = &[
    invalid(
        "AttachmentService.CreateAttachment",
        EMPTY,
        "INVALID_ATTACHMENT",
        &["request_id", "file_name", "media_type", "size_bytes"],
    ),
    invalid("AttachmentService.UploadAttachment", EMPTY, "INVALID_UPLOAD", &["attachment_id"]),
    invalid("AttachmentService.GetAttachment", EMPTY, "INVALID_ATTACHMENT_ID", &["attachment_id"]),
    invalid(
        "AttachmentService.ListAttachments",
        r#"{"page_size": -1}"#,
        "INVALID_LIST",
        &["page_size", "complaint_id"],
    ),
    invalid(
        "AttachmentService.DownloadAttachment",
        r#"{"offset": -1, "length": -1}"#,
        "INVALID_DOWNLOAD",
        &["attachment_id", "offset", "length"],
    ),
    invalid(
        "AttachmentService.GetDownloadToken",
        r#"{"valid_seconds": 3601}"#,
        "INVALID_DOWNLOAD",
        &["attachment_id", "valid_seconds"],
    ),
    invalid(
        "AttachmentService.DownloadByToken",
        r#"{"offset": -1, "length": -1}"#,
        "INVALID_DOWNLOAD",
        &["offset", "length"],
    ),
    invalid(
        "AttachmentService.DeleteAttachment",
        EMPTY,
        "INVALID_ATTACHMENT_ID",
        &["request_id", "attachment_id"],
    ),
    invalid(
        "AttachmentService.UpdateAttachmentSettings",
        EMPTY,
        "INVALID_ATTACHMENT_SETTINGS",
        &["request_id", "settings"],
    ),
];

pub(super) const UNKNOWN: &[Unknown] = &[
    unknown("AttachmentService.UploadAttachment", r#"{"attachment_id": "$ID"}"#, "ATTACHMENT_NOT_FOUND"),
    unknown("AttachmentService.GetAttachment", r#"{"attachment_id": "$ID"}"#, "ATTACHMENT_NOT_FOUND"),
    unknown("AttachmentService.ListAttachments", r#"{"complaint_id": "$ID"}"#, "COMPLAINT_NOT_FOUND"),
    unknown("AttachmentService.DownloadAttachment", r#"{"attachment_id": "$ID"}"#, "ATTACHMENT_NOT_FOUND"),
    unknown("AttachmentService.GetDownloadToken", r#"{"attachment_id": "$ID"}"#, "ATTACHMENT_NOT_FOUND"),
    unknown("AttachmentService.DownloadByToken", r#"{"token": "$ID"}"#, "DOWNLOAD_TOKEN_UNKNOWN"),
    unknown(
        "AttachmentService.DeleteAttachment",
        r#"{"request_id": "$KEY", "attachment_id": "$ID"}"#,
        "ATTACHMENT_NOT_FOUND",
    ),
];
