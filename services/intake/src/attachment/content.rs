//! What a content is: looked at, not believed.

use super::settings::is_media_type;
use super::{Reason, Settings};

/// How much of a content is looked at to tell text from anything else.
const LOOKED_AT: usize = 64 << 10;

/// Names of one and the same type: what is found, and what people call it. The first is
/// the one that is kept where nothing was declared that is in the line.
const SAME: &[&[&str]] = &[
    &["audio/mp4", "audio/m4a", "audio/x-m4a"],
    &["audio/wav", "audio/x-wav", "audio/vnd.wave", "audio/wave"],
    &["audio/flac", "audio/x-flac"],
    &["audio/ogg", "audio/opus", "application/ogg"],
    &["audio/mpeg", "audio/mp3"],
    &["image/jpeg", "image/jpg"],
    &["image/bmp", "image/x-ms-bmp"],
    &["image/heif", "image/heic", "image/heif-sequence", "image/heic-sequence"],
    &["application/rtf", "text/rtf"],
    &["application/gzip", "application/x-gzip"],
    &["application/vnd.rar", "application/x-rar-compressed"],
    &["video/mp4", "video/x-m4v"],
    &["video/webm", "video/x-matroska"],
    &["text/xml", "application/xml"],
];

/// Types whose content is one of another: which of them it is, is not looked into.
const WITHIN: &[(&str, &[&str])] = &[
    (
        "application/zip",
        &[
            "application/vnd.openxmlformats-officedocument.presentationml.presentation",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            "application/vnd.oasis.opendocument.presentation",
            "application/vnd.oasis.opendocument.spreadsheet",
            "application/vnd.oasis.opendocument.text",
        ],
    ),
    (
        "application/x-ole-storage",
        &["application/msword", "application/vnd.ms-excel", "application/vnd.ms-powerpoint"],
    ),
];

/// Types of text, which nothing but being text gives away.
const TEXT: [&str; 5] = ["text/plain", "text/csv", "text/markdown", "application/json", "message/rfc822"];

/// Types that say nothing of what something is.
const ANY: [&str; 5] = [
    "",
    "application/octet-stream",
    "binary/octet-stream",
    "application/force-download",
    "application/x-download",
];

/// The media type somebody declares who may not know better: without parameters, that of the
/// file's name where it says nothing, and by the name that is kept of several.
pub(crate) fn media_type_of(declared: &str, file_name: &str) -> String {
    let essence = declared.split(';').next().unwrap_or_default().trim().to_lowercase();
    let by_name = || mime_guess::from_path(file_name).first_or_octet_stream().essence_str().to_lowercase();
    let says_nothing = ANY.contains(&essence.as_str()) || !is_media_type(&essence);
    let found = if says_nothing { by_name() } else { essence };
    let line = SAME.iter().find(|names| names.contains(&found.as_str()));
    line.and_then(|names| names.first()).map_or(found, |name| (*name).to_owned())
}

/// The media type of a content that begins so, where it is what was declared and accepted.
pub(crate) fn inspect(settings: &Settings, declared: &str, head: &[u8]) -> Result<String, Reason> {
    let Some(found) = infer::get(head).map(|kind| kind.mime_type()) else {
        let is_declared_text = TEXT.contains(&declared) && is_text(head);
        return if is_declared_text { accepted(settings, declared) } else { Err(Reason::MediaTypeMismatch) };
    };
    if is_same(declared, found) {
        return accepted(settings, declared);
    }
    Err(if settings.accepts(found) { Reason::MediaTypeMismatch } else { mismatch(settings, found) })
}

/// Of what is not what was declared: a forbidden type that is named as another is both, and
/// is told as what is worse.
fn mismatch(settings: &Settings, found: &str) -> Reason {
    let is_known = names(found).any(|name| settings.accepts(name));
    if is_known { Reason::MediaTypeMismatch } else { Reason::MediaTypeForbidden }
}

/// A type, if it is accepted.
fn accepted(settings: &Settings, media_type: &str) -> Result<String, Reason> {
    if settings.accepts(media_type) { Ok(media_type.to_owned()) } else { Err(Reason::MediaTypeForbidden) }
}

/// Every name of a type, and of those that it may be.
fn names(found: &str) -> impl Iterator<Item = &str> {
    let same = SAME.iter().filter(move |line| line.contains(&found)).flat_map(|line| line.iter().copied());
    std::iter::once(found).chain(same)
}

fn is_same(declared: &str, found: &str) -> bool {
    // Office files of before 2007 are all found as the first that fits.
    let is_old_office = |name: &str| WITHIN[1].1.contains(&name);
    names(found).any(|name| name == declared)
        || WITHIN.iter().any(|(outer, inner)| *outer == found && inner.contains(&declared))
        || (is_old_office(declared) && is_old_office(found))
}

/// Whether bytes are text: UTF-16 with a mark, or without NUL and other control
/// characters, in whatever encoding.
fn is_text(head: &[u8]) -> bool {
    let head = &head[..head.len().min(LOOKED_AT)];
    let is_wide = head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff]);
    // Tab, line feed, form feed, carriage return, and escape (ISO 2022).
    let is_plain = |byte: &u8| *byte >= 0x20 || [0x09, 0x0a, 0x0c, 0x0d, 0x1b].contains(byte);
    is_wide || head.iter().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
    const JPEG: &[u8] = b"\xff\xd8\xff\xe0\0\x10JFIF\0";
    const PDF: &[u8] = b"%PDF-1.7\n";
    const EXE: &[u8] = b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0";
    const ELF: &[u8] = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    const ZIP: &[u8] = b"PK\x03\x04\x14\0\0\0\0\0";
    const OLE: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0\0\0\0\0\0\0";
    const WAV: &[u8] = b"RIFF\0\0\0\0WAVEfmt ";
    const DOCX: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";

    fn told(declared: &str, head: &[u8]) -> Result<String, Reason> {
        inspect(&Settings::default(), declared, head)
    }

    #[test]
    fn what_says_nothing_of_its_type_is_known_by_its_name() {
        for (declared, name, expected) in [
            ("image/jpeg; name=\"a.jpg\"", "a.jpg", "image/jpeg"),
            ("IMAGE/JPG", "a.jpg", "image/jpeg"),
            ("application/octet-stream", "cup.PNG", "image/png"),
            ("application/octet-stream", "cup", "application/octet-stream"),
            ("", "发票.pdf", "application/pdf"),
            ("not a type", "a.txt", "text/plain"),
            ("text/plain", "a.pdf", "text/plain"),
        ] {
            assert_eq!(media_type_of(declared, name), expected, "{declared} {name}");
        }
    }

    #[test]
    fn what_is_what_it_says_is_accepted() {
        for (declared, head) in [
            ("image/png", PNG),
            ("image/jpeg", JPEG),
            ("application/pdf", PDF),
            ("audio/wav", WAV),
            (DOCX, ZIP),
            ("application/msword", OLE),
            ("application/vnd.ms-excel", OLE),
            ("text/plain", "退款未到\r\n".as_bytes()),
            ("text/plain", b"\xd6\xd0\xce\xc4"),
            ("text/csv", b"\xff\xfea\0,\0b\0"),
        ] {
            assert_eq!(told(declared, head), Ok(declared.to_owned()), "{declared}");
        }
    }

    #[test]
    fn what_is_something_else_is_refused() {
        for (declared, head) in [
            ("image/png", JPEG),
            ("image/jpeg", PDF),
            ("application/pdf", b"what I think of it".as_slice()),
            ("text/plain", PNG),
            ("text/plain", b"a\0b"),
            ("image/jpeg", b""),
        ] {
            assert_eq!(told(declared, head), Err(Reason::MediaTypeMismatch), "{declared}");
        }
        for (declared, head) in [
            ("image/jpeg", EXE),
            ("image/jpeg", ELF),
            ("application/pdf", ZIP),
            ("text/plain", b"<!DOCTYPE html><script>alert(1)</script>".as_slice()),
            ("text/plain", b"#!/bin/sh\nrm -r .\n"),
            ("image/png", b"<?xml version=\"1.0\"?><svg onload=\"alert(1)\"/>"),
        ] {
            assert_eq!(told(declared, head), Err(Reason::MediaTypeForbidden), "{declared}");
        }
    }

    #[test]
    fn a_type_that_is_accepted_no_longer_is_refused_under_its_own_name() {
        let few = Settings { media_types: vec!["image/png".to_owned()], ..Settings::default() };
        assert_eq!(inspect(&few, "image/jpeg", JPEG), Err(Reason::MediaTypeForbidden));
        assert_eq!(inspect(&few, "image/png", PNG), Ok("image/png".to_owned()));
    }
}
