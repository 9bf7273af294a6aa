//! Papers that complainants send along: kept by intake as attachments, taken in here part by
//! part and never whole in memory.
//!
//! A form that is sent without scripts brings them all at once; they lie in a file without a
//! name while their size and digest are found out, then go on to intake. With scripts a paper
//! goes part by part (`parts`), and goes on where it was broken off.
//!
//! What a page holds of a paper is sealed, with the session it was sent in: nobody can refer
//! to a paper of somebody else's.

mod parts;
mod sending;
mod spool;

use client::Client;
use proto::redress::intake::v1::attachment_service_client::AttachmentServiceClient;
use proto::redress::intake::v1::{Attachment, AttachmentSettings, Evidence, GetAttachmentSettingsRequest};
use serde::{Deserialize, Serialize};

use crate::guest::Guest;
use crate::problem::Problem;
use crate::words::Words;

pub(crate) use parts::routes;
pub(crate) use sending::{Sent, receive};

/// Most papers sent at once.
pub(crate) const PAPERS_MAX: usize = 10;
/// Most bytes of a form with its papers, where no script sends them one by one.
pub(crate) const SENDING_MAX: usize = 256 << 20;
/// The field of papers that are here already.
pub(crate) const PAPER: &str = "_paper";
/// What sealed papers are for.
const SEAL: &str = "paper";
/// Longest name of a file, in characters.
const NAME_MAX: usize = 200;
const MEBIBYTE: i64 = 1 << 20;

/// What papers may be, as pages say before anything is sent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Limits {
    /// Most bytes of one.
    pub(crate) bytes: i64,
    /// What they may be, as browsers ask for it.
    pub(crate) accept: String,
    media_types: Vec<String>,
}

impl Limits {
    /// As intake has them.
    pub(crate) async fn of(client: &Client) -> Result<Self, Problem> {
        let mut attachments = AttachmentServiceClient::new(client.calls());
        let answer = attachments.get_attachment_settings(GetAttachmentSettingsRequest {}).await?;
        let AttachmentSettings { max_size_bytes, media_types, .. } =
            answer.into_inner().settings.unwrap_or_default();
        Ok(Self { bytes: max_size_bytes, accept: media_types.join(","), media_types })
    }

    /// In words: how many, how large, of which kinds.
    pub(crate) fn told(&self, t: Words) -> String {
        t.paper_limits(PAPERS_MAX, size(self.bytes), size(i64::try_from(SENDING_MAX).unwrap_or(i64::MAX)))
    }

    /// The kinds, as people call them.
    pub(crate) fn kinds(&self) -> String {
        let mut kinds: Vec<String> = self.media_types.iter().map(|media_type| called(media_type)).collect();
        kinds.sort_unstable();
        kinds.dedup();
        kinds.join(", ")
    }
}

/// A media type as people call it: the ending of its files.
fn called(media_type: &str) -> String {
    let (_, kind) = media_type.split_once('/').unwrap_or(("", media_type));
    let short = match kind {
        "msword" => "doc",
        "vnd.openxmlformats-officedocument.wordprocessingml.document" => "docx",
        "vnd.ms-excel" => "xls",
        "vnd.openxmlformats-officedocument.spreadsheetml.sheet" => "xlsx",
        "vnd.ms-powerpoint" => "ppt",
        "vnd.openxmlformats-officedocument.presentationml.presentation" => "pptx",
        "plain" => "txt",
        "quicktime" => "mov",
        "rfc822" => "eml",
        "vnd.ms-outlook" => "msg",
        "mpeg" => "mp3",
        "x-wav" | "vnd.wave" => "wav",
        kind => kind.rsplit(['.', '-', '+']).next().unwrap_or(kind),
    };
    short.to_uppercase()
}

/// Bytes as people read them.
pub(crate) fn size(bytes: i64) -> String {
    if bytes >= MEBIBYTE {
        // Tenths are enough, and no more than there are.
        let tenths = bytes / (MEBIBYTE / 10);
        if tenths % 10 == 0 {
            format!("{} MB", tenths / 10)
        } else {
            format!("{}.{} MB", tenths / 10, tenths % 10)
        }
    } else {
        format!("{} kB", (bytes + 1023) / 1024)
    }
}

/// A paper that intake has, or is being sent to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Paper {
    /// The attachment.
    pub(crate) id: String,
    /// Its name, for people.
    pub(crate) name: String,
    /// How many bytes it has.
    pub(crate) bytes: i64,
    /// The session it was sent in.
    session: String,
}

impl Paper {
    fn of(attachment: Attachment, guest: &Guest) -> Self {
        Self {
            id: attachment.attachment_id,
            name: attachment.file_name,
            bytes: attachment.size_bytes,
            session: guest.visitor.session.id.clone(),
        }
    }

    /// As a page holds it.
    pub(crate) fn sealed(&self, guest: &Guest) -> String {
        let text = serde_json::to_vec(self).unwrap_or_default();
        guest.visitor.app.seals.seal(SEAL, &text).unwrap_or_default()
    }

    /// The one that a page held; none of another session.
    fn opened(sealed: &str, guest: &Guest) -> Option<Self> {
        let text = guest.visitor.app.seals.open(SEAL, sealed)?;
        let paper: Self = serde_json::from_slice(&text).ok()?;
        (paper.session == guest.visitor.session.id).then_some(paper)
    }

    /// As a complaint refers to it.
    pub(crate) fn evidence(&self) -> Evidence {
        Evidence { attachment_id: self.id.clone(), ..Evidence::default() }
    }

    /// Its size, as people read it.
    pub(crate) fn size(&self) -> String {
        size(self.bytes)
    }
}

/// A name that a file can be shown by: no path, no control characters.
fn named(name: &str, t: Words) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let plain: String = last.chars().filter(|c| !c.is_control()).take(NAME_MAX).collect();
    let plain = plain.trim();
    if plain.is_empty() { t.paper_unnamed().to_owned() } else { plain.to_owned() }
}

/// Why a paper was not taken, for who sent it.
fn refused(problem: &Problem, name: &str, limits: &Limits, t: Words) -> String {
    let told = |field: &str| problem.violations.iter().any(|one| one.field.ends_with(field));
    let why = match problem.reason.as_str() {
        "INVALID_ATTACHMENT" if told("media_type") => t.paper_kind_refused(limits.kinds()),
        "MEDIA_TYPE_MISMATCH" | "MEDIA_TYPE_FORBIDDEN" => t.paper_kind_refused(limits.kinds()),
        "INVALID_ATTACHMENT" if told("size_bytes") => t.paper_size_refused(size(limits.bytes)),
        "MALWARE_FOUND" => t.paper_malware().to_owned(),
        "ATTACHMENT_QUOTA_EXCEEDED" => t.paper_no_room().to_owned(),
        _ => problem.explanation(t),
    };
    t.paper_refused(name, why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Language;

    #[test]
    fn sizes_and_kinds_are_told_as_people_read_them() {
        for (bytes, told) in
            [(1, "1 kB"), (1024, "1 kB"), (1025, "2 kB"), (1 << 20, "1 MB"), (100 << 20, "100 MB")]
        {
            assert_eq!(size(bytes), told);
        }
        assert_eq!(size(1_600_000), "1.5 MB");
        for (media_type, told) in
            [("image/jpeg", "JPEG"), ("text/plain", "TXT"), ("application/vnd.ms-excel", "XLS")]
        {
            assert_eq!(called(media_type), told);
        }
    }

    #[test]
    fn a_name_is_no_path() {
        let t = Words(Language::English);
        for (sent, shown) in [
            ("C:\\fakepath\\cup.jpg", "cup.jpg"),
            ("../../etc/passwd", "passwd"),
            ("a\u{0}b\n.pdf", "ab.pdf"),
            (" ", "paper"),
            ("收据.pdf", "收据.pdf"),
        ] {
            assert_eq!(named(sent, t), shown);
        }
        assert_eq!(named(&"长".repeat(300), t).chars().count(), NAME_MAX);
    }
}
