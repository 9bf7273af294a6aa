//! Parts that are evidence, and what they are called.

use crate::charset::Hints;
use crate::entity::Entity;
use crate::parameter::Parameters;
use crate::remark::{Remark, Remarks};
use crate::{clean, transfer, word};

/// Longest name, in characters.
const MAX_NAME: usize = 150;
/// Longest ending of a name that is kept when it is cut, in characters.
const MAX_ENDING: usize = 12;
/// Longest content id, in bytes.
const MAX_ID: usize = 998;
/// Endings of names for parts that have none. Not from `mime_guess`, which gives the first
/// of the alphabet: `jfif` for a photo, `asm` for a text.
const ENDINGS: [(&str, &str); 18] = [
    ("application/pdf", "pdf"),
    ("application/zip", "zip"),
    ("application/pkcs7-signature", "p7s"),
    ("application/x-pkcs7-signature", "p7s"),
    ("application/pgp-signature", "asc"),
    ("audio/mpeg", "mp3"),
    ("image/gif", "gif"),
    ("image/heic", "heic"),
    ("image/jpeg", "jpg"),
    ("image/jpg", "jpg"),
    ("image/png", "png"),
    ("image/webp", "webp"),
    ("message/rfc822", "eml"),
    ("text/calendar", "ics"),
    ("text/csv", "csv"),
    ("text/html", "html"),
    ("text/vcard", "vcf"),
    ("video/mp4", "mp4"),
];

/// A part of a mail that is evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// What it is called: no path, no control characters, never empty. Two parts may be
    /// called the same.
    pub name: String,
    /// What it is said to be, in lower case: `image/jpeg`. Not looked at.
    pub media_type: String,
    /// The charset it is said to be of, where it is a text; not looked at.
    pub charset: Option<String>,
    /// What it holds; a mail within the mail as it came.
    pub content: Vec<u8>,
    /// It is shown within the text, rather than attached to it.
    pub inline: bool,
    /// What the text refers to it by, without brackets.
    pub content_id: Option<String>,
}

/// How a part is to be shown and what it is called, as its header says.
pub(crate) struct Disposition {
    pub(crate) is_attachment: bool,
    is_inline: bool,
    /// As it is given: not yet fit for a name.
    pub(crate) name: Option<String>,
}

impl Disposition {
    pub(crate) fn of(entity: &Entity<'_>, hints: &Hints, remarks: &mut Remarks) -> Self {
        let field = entity.header.first("content-disposition").unwrap_or_default();
        let disposition = Parameters::read(field, hints, remarks);
        let has_words = |name: &String| !name.trim().is_empty();
        // The type was read before it was known what its raw bytes are of.
        let content =
            Parameters::read(entity.header.first("content-type").unwrap_or_default(), hints, remarks);
        let name = disposition.get("filename", hints, remarks).filter(has_words);
        let name = name.or_else(|| disposition.get("name", hints, remarks).filter(has_words));
        let name = name.or_else(|| content.get("name", hints, remarks).filter(has_words));
        let name = name.or_else(|| content.get("filename", hints, remarks).filter(has_words));
        Self {
            is_attachment: disposition.value == "attachment",
            is_inline: disposition.value == "inline"
                || (disposition.value.is_empty() && entity.header.has("content-id")),
            name,
        }
    }
}

impl Part {
    /// Of an entity that is no text of the mail; `number` is for what has no name.
    pub(crate) fn of(
        entity: &Entity<'_>,
        disposition: &Disposition,
        number: usize,
        hints: &Hints,
        remarks: &mut Remarks,
    ) -> Self {
        let media_type = entity.content.value.clone();
        let decoded = transfer::decode(&entity.encoding(), entity.body, media_type.starts_with("text/"));
        if decoded.is_damaged {
            remarks.make(Remark::TransferDamaged);
        }
        let given =
            disposition.name.clone().or_else(|| entity.is_message().then(|| subject(&decoded.bytes, hints)));
        let name = file_name(&given.unwrap_or_default(), &media_type, number);
        Self {
            name,
            inline: disposition.is_inline,
            content_id: content_id(entity),
            charset: entity
                .content
                .get("charset", hints, remarks)
                .filter(|charset| !charset.trim().is_empty()),
            content: decoded.bytes,
            media_type,
        }
    }
}

fn content_id(entity: &Entity<'_>) -> Option<String> {
    let value = String::from_utf8_lossy(entity.header.first("content-id")?);
    let id = clean::line(value.trim().trim_matches(['<', '>']));
    (!id.is_empty() && id.len() <= MAX_ID).then_some(id)
}

/// What a mail within a mail is called: by its subject.
fn subject(raw: &[u8], hints: &Hints) -> String {
    let (header, _) = crate::field::Header::read(raw, crate::limits::MAX_HEADER);
    let mut unheard = Remarks::default();
    let subject = word::text(header.first("subject").unwrap_or_default(), hints, &mut unheard);
    let subject = subject.replace(['/', '\\', ':'], " ");
    if subject.trim().is_empty() { String::new() } else { format!("{}.eml", clean::line(&subject)) }
}

/// A name that is one of a file anywhere: without a path, of one line, not too long.
pub(crate) fn file_name(given: &str, media_type: &str, number: usize) -> String {
    let line = clean::line(given);
    let name = line.rsplit(['/', '\\']).next().unwrap_or_default();
    let name: String = name
        .chars()
        .map(|c| if matches!(c, '<' | '>' | ':' | '"' | '|' | '?' | '*') { '_' } else { c })
        .collect();
    let name = name.trim().trim_end_matches('.').trim_end();
    if name.is_empty() {
        let ending = ENDINGS.iter().find(|(known, _)| *known == media_type).map(|(_, ending)| *ending);
        let is_text = media_type.starts_with("text/") || media_type.starts_with("message/");
        let ending = ending.or_else(|| is_text.then_some("txt"));
        return format!("attachment-{number}.{}", ending.unwrap_or("bin"));
    }
    if name.chars().count() <= MAX_NAME {
        return name.to_owned();
    }
    let ending =
        name.rsplit_once('.').map(|(_, ending)| ending).filter(|ending| ending.chars().count() < MAX_ENDING);
    let ending = ending.map(|ending| format!(".{ending}")).unwrap_or_default();
    let start: String = name.chars().take(MAX_NAME - ending.chars().count()).collect();
    format!("{}{ending}", start.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_of_a_file_and_never_empty() {
        for (given, name) in [
            ("photo.jpg", "photo.jpg"),
            ("../../etc/passwd", "passwd"),
            (r"C:\Users\Ada\包裹.pdf", "包裹.pdf"),
            ("a\r\nb\0c.txt", "a b c.txt"),
            ("invoice\u{202e}fdp.exe", "invoicefdp.exe"),
            ("what? \"this\".txt", "what_ _this_.txt"),
            ("x.pdf...", "x.pdf"),
            ("..", "attachment-3.jpg"),
            ("", "attachment-3.jpg"),
            ("folder/", "attachment-3.jpg"),
        ] {
            assert_eq!(file_name(given, "image/jpeg", 3), name, "{given:?}");
        }
        assert_eq!(file_name("", "text/x-log", 1), "attachment-1.txt");
        assert_eq!(file_name("", "application/x-new", 1), "attachment-1.bin");
        let long = file_name(&format!("{}.docx", "包".repeat(300)), "", 1);
        assert_eq!((long.chars().count(), long.ends_with("包.docx")), (150, true));
    }
}
