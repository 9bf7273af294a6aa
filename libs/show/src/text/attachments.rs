//! Attachments, and what is accepted of them.

use proto::redress::intake::v1::{
    Attachment, AttachmentRefusal, AttachmentSettings, AttachmentState, GetDownloadTokenResponse,
    ListAttachmentsResponse,
};

use super::{more, none_of};
use crate::lines::time;
use crate::table::{Table, facts};
use crate::words::word;

/// Bytes of a kibibyte.
const STEP: i64 = 1024;
/// What bytes are counted in, from the smallest on.
const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];

/// A length as people say it: `1.5 MiB`.
fn size(bytes: i64) -> String {
    let (mut whole, mut unit, mut rest) = (bytes, 0, 0);
    while whole >= STEP && unit + 1 < UNITS.len() {
        (rest, whole, unit) = (whole % STEP, whole / STEP, unit + 1);
    }
    let tenth = rest * 10 / STEP;
    if unit > 0 && tenth > 0 {
        format!("{whole}.{tenth} {}", UNITS[unit])
    } else {
        format!("{whole} {}", UNITS[unit])
    }
}

/// How far it is, in a few words.
fn standing(attachment: &Attachment) -> String {
    let state = word::<AttachmentState>(attachment.state);
    match attachment.state() {
        AttachmentState::Receiving => {
            format!("{state}, {} of {}", size(attachment.received_bytes), size(attachment.size_bytes))
        }
        AttachmentState::Refused => format!("{state}, {}", word::<AttachmentRefusal>(attachment.refusal)),
        _ => state,
    }
}

/// An attachment.
pub fn attachment(attachment: &Attachment) -> String {
    facts(&[
        ("attachment", attachment.attachment_id.clone()),
        ("file", attachment.file_name.clone()),
        ("type", attachment.media_type.clone()),
        ("size", format!("{} ({} bytes)", size(attachment.size_bytes), attachment.size_bytes)),
        ("state", standing(attachment)),
        ("found", attachment.signature.clone()),
        ("SHA-256", attachment.sha256.clone()),
        ("complaint", attachment.complaint_id.clone()),
        ("created", time(attachment.create_time.as_ref())),
        ("by", attachment.creator.clone()),
    ])
}

/// A page of attachments.
pub fn attachments(list: &ListAttachmentsResponse) -> String {
    if list.attachments.is_empty() {
        return none_of("attachments", &list.next_page_token);
    }
    let mut table = Table::new(["attachment", "state", "size", "type", "created", "file"]);
    for attachment in &list.attachments {
        table.row([
            attachment.attachment_id.clone(),
            standing(attachment),
            size(attachment.size_bytes),
            attachment.media_type.clone(),
            time(attachment.create_time.as_ref()),
            attachment.file_name.clone(),
        ]);
    }
    table.render() + &more(&list.next_page_token)
}

/// A token to fetch an attachment by.
pub fn download_token(answer: &GetDownloadTokenResponse) -> String {
    facts(&[
        ("token", answer.token.clone()),
        ("link", answer.uri_path.clone()),
        ("until", time(answer.expire_time.as_ref())),
    ])
}

/// What is accepted as attachments.
pub fn attachment_settings(settings: &AttachmentSettings) -> String {
    facts(&[
        ("largest file", format!("{} ({} bytes)", size(settings.max_size_bytes), settings.max_size_bytes)),
        ("quota", format!("{} ({} bytes)", size(settings.quota_bytes), settings.quota_bytes)),
        ("used", format!("{} ({} bytes)", size(settings.used_bytes), settings.used_bytes)),
        ("types", settings.media_types.join(", ")),
        ("version", settings.version.to_string()),
        ("changed", time(settings.update_time.as_ref())),
        ("by", settings.updater.clone()),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_read_as_people_say_them() {
        for (bytes, said) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1 KiB"),
            (1536, "1.5 KiB"),
            (100 << 20, "100 MiB"),
            (i64::MAX, "8388607.9 TiB"),
            (-5, "-5 B"),
        ] {
            assert_eq!(size(bytes), said);
        }
    }

    #[test]
    fn a_refused_attachment_says_why() {
        let mut refused = Attachment { signature: "Eicar".to_owned(), ..Attachment::default() };
        refused.set_state(AttachmentState::Refused);
        refused.set_refusal(AttachmentRefusal::Malware);
        let said = attachment(&refused);
        assert!(said.contains("refused, malware") && said.contains("Eicar"), "{said}");
    }
}
