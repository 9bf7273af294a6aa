//! What a tenant accepts as attachments.

use jiff::Timestamp;

/// Most bytes that one attachment may ever have.
pub(crate) const MAX_SIZE: i64 = 1 << 30;
/// Most bytes that a quota may ever have.
pub(crate) const MAX_QUOTA: i64 = 1 << 50;
/// Most media types that may be accepted.
pub(crate) const MAX_MEDIA_TYPES: usize = 100;
/// Most bytes of one attachment where nothing is settled.
const DEFAULT_MAX_SIZE: i64 = 100 << 20;
/// Most bytes of all where nothing is settled.
const DEFAULT_QUOTA: i64 = 10 << 30;
/// The media types that are accepted where nothing is settled: what people send. No
/// archives, which nobody can look into, and nothing that a browser would run.
const DEFAULT_MEDIA_TYPES: [&str; 28] = [
    "application/msword",
    "application/pdf",
    "application/rtf",
    "application/vnd.ms-excel",
    "application/vnd.oasis.opendocument.spreadsheet",
    "application/vnd.oasis.opendocument.text",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "audio/aac",
    "audio/amr",
    "audio/mp4",
    "audio/mpeg",
    "audio/ogg",
    "audio/wav",
    "image/bmp",
    "image/gif",
    "image/heic",
    "image/heif",
    "image/jpeg",
    "image/png",
    "image/tiff",
    "image/webp",
    "text/csv",
    "text/plain",
    "video/mp4",
    "video/quicktime",
    "video/webm",
];

/// What a tenant accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    /// Most bytes of one attachment.
    pub(crate) max_size: i64,
    /// Most bytes of all.
    pub(crate) quota: i64,
    /// The media types accepted.
    pub(crate) media_types: Vec<String>,
    /// Counts the changes; 0 before the first.
    pub(crate) version: i64,
    /// Who changed it last.
    pub(crate) updater: String,
    /// When; none before the first change.
    pub(crate) updated: Option<Timestamp>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_size: DEFAULT_MAX_SIZE,
            quota: DEFAULT_QUOTA,
            media_types: DEFAULT_MEDIA_TYPES.map(str::to_owned).to_vec(),
            version: 0,
            updater: String::new(),
            updated: None,
        }
    }
}

impl Settings {
    /// Whether a media type is accepted.
    pub(crate) fn accepts(&self, media_type: &str) -> bool {
        self.media_types.iter().any(|accepted| accepted == media_type)
    }
}

/// Whether a text is a media type without parameters, in lower case (RFC 6838).
pub(crate) fn is_media_type(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"!#$&-^_.+".contains(&b);
    let is_name = |name: &str| {
        (1..=MAX_NAME).contains(&name.len())
            && name.bytes().all(plain)
            && name.as_bytes()[0].is_ascii_alphanumeric()
    };
    text.split_once('/').is_some_and(|(kind, name)| is_name(kind) && is_name(name))
}

/// Longest half of a media type.
const MAX_NAME: usize = 127;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_media_type_has_two_plain_halves() {
        for good in ["image/jpeg", "application/vnd.ms-excel", "image/svg+xml", "audio/x-wav"] {
            assert!(is_media_type(good), "{good}");
        }
        for bad in ["", "image", "image/", "/jpeg", "image/*", "Image/jpeg", "text/plain; charset=x", "a/b/c"]
        {
            assert!(!is_media_type(bad), "{bad}");
        }
        assert!(Settings::default().media_types.iter().all(|one| is_media_type(one)));
        assert!(Settings::default().media_types.is_sorted());
    }
}
