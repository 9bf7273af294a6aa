//! The ways intake says no.

use fault::{Kind, Refusal as Refuses};

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The key was used for another submission.
    KeyReused,
    /// The channel's number is another complaint's.
    ExternalRefReused,
    /// There is no such complaint for this tenant.
    ComplaintNotFound,
    /// No form serves the category, or it has no such version.
    FormNotFound,
    /// A bulk submission has more rows than one stream may have.
    TooManyRows,
    /// More submissions wait than the queue holds.
    QueueFull,
    /// There is no such attachment for this tenant.
    AttachmentNotFound,
    /// The tenant's attachments would be larger than its quota.
    QuotaExceeded,
    /// The attachment is not what it was declared to be.
    Sha256Mismatch,
    /// The attachment is of another type than it was declared.
    MediaTypeMismatch,
    /// The attachment is of a type that is not accepted.
    MediaTypeForbidden,
    /// The scanner found something in the attachment.
    MalwareFound,
    /// The store that attachments lie in does not do what it is asked.
    StoreUnavailable,
    /// The attachment cannot be fetched yet.
    AttachmentNotReady,
    /// The attachment was refused: there is nothing to fetch.
    AttachmentRefused,
    /// Something refers to the attachment.
    AttachmentReferredTo,
    /// The token is none of ours, or another tenant's.
    DownloadTokenUnknown,
    /// The token has ended.
    DownloadTokenExpired,
    /// There is no such mailbox for this tenant.
    MailboxNotFound,
    /// Another mailbox has the address.
    MailAddressTaken,
    /// The tenant has as many mailboxes as it may.
    TooManyMailboxes,
    /// There is no such mail for this tenant.
    MailNotFound,
    /// The mail was not set aside: there is nothing to be registered by hand.
    MailNotSetAside,
    /// Nothing can be read of the mail.
    MailUnreadable,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::KeyReused => "this request_id was used for another request; take a new one",
            Self::ExternalRefReused => {
                "external_ref is the number of another complaint of this channel; give this one its own, \
                 or let the channel's numbers repeat"
            }
            Self::ComplaintNotFound => "there is no complaint with this id",
            Self::FormNotFound => "there is no form for this category",
            Self::TooManyRows => "a stream may have 10 000 rows; send the rest in another",
            Self::QueueFull => "too many submissions are waiting; try again shortly",
            Self::AttachmentNotFound => "there is no attachment with this id",
            Self::QuotaExceeded => {
                "with this file all attachments would be larger than the quota; raise it, or delete others"
            }
            Self::Sha256Mismatch => "what was received is not what was declared: its SHA-256 is another",
            Self::MediaTypeMismatch => "the content is not of the media type that was declared",
            Self::MediaTypeForbidden => "the content is of a media type that is not accepted here",
            Self::MalwareFound => "the scanner has found malware in it",
            Self::StoreUnavailable => "the store of attachments does not answer now; try again",
            Self::AttachmentNotReady => "it is still being received or scanned; try again later",
            Self::AttachmentRefused => "it was refused, and its content is not kept",
            Self::AttachmentReferredTo => "a complaint refers to it: it belongs to the complaint",
            Self::DownloadTokenUnknown => "there is no such token",
            Self::DownloadTokenExpired => "the token has ended; have another made",
            Self::MailboxNotFound => "there is no mailbox with this id",
            Self::MailAddressTaken => "another mailbox of this installation has this address",
            Self::TooManyMailboxes => "a tenant may have 50 mailboxes; delete one first",
            Self::MailNotFound => "there is no mail with this id",
            Self::MailNotSetAside => {
                "the mail was not set aside: it is a complaint's already, or about to be"
            }
            Self::MailUnreadable => "nothing can be read of this mail; submit what it says by hand",
        })
    }
}

impl Refuses for Refusal {
    fn kind(&self) -> Kind {
        match self {
            Self::KeyReused | Self::ExternalRefReused | Self::MailAddressTaken => Kind::Exists,
            Self::ComplaintNotFound
            | Self::FormNotFound
            | Self::AttachmentNotFound
            | Self::MailboxNotFound
            | Self::MailNotFound
            | Self::DownloadTokenUnknown => Kind::NotFound,
            Self::StoreUnavailable => Kind::Unavailable,
            Self::TooManyRows => Kind::Invalid,
            Self::QueueFull | Self::QuotaExceeded | Self::TooManyMailboxes => Kind::Exhausted,
            Self::Sha256Mismatch
            | Self::MediaTypeMismatch
            | Self::MediaTypeForbidden
            | Self::MalwareFound
            | Self::AttachmentNotReady
            | Self::AttachmentRefused
            | Self::AttachmentReferredTo
            | Self::MailNotSetAside
            | Self::MailUnreadable
            | Self::DownloadTokenExpired => Kind::Precondition,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::KeyReused => "IDEMPOTENCY_KEY_REUSED",
            Self::ExternalRefReused => "EXTERNAL_REF_REUSED",
            Self::ComplaintNotFound => "COMPLAINT_NOT_FOUND",
            Self::FormNotFound => "FORM_NOT_FOUND",
            Self::TooManyRows => "TOO_MANY_ROWS",
            Self::QueueFull => "OVERLOADED",
            Self::AttachmentNotFound => "ATTACHMENT_NOT_FOUND",
            Self::QuotaExceeded => "ATTACHMENT_QUOTA_EXCEEDED",
            Self::Sha256Mismatch => "SHA256_MISMATCH",
            Self::MediaTypeMismatch => "MEDIA_TYPE_MISMATCH",
            Self::MediaTypeForbidden => "MEDIA_TYPE_FORBIDDEN",
            Self::MalwareFound => "MALWARE_FOUND",
            Self::StoreUnavailable => "ATTACHMENT_STORE_UNAVAILABLE",
            Self::AttachmentNotReady => "ATTACHMENT_NOT_READY",
            Self::AttachmentRefused => "ATTACHMENT_REFUSED",
            Self::AttachmentReferredTo => "ATTACHMENT_REFERRED_TO",
            Self::DownloadTokenUnknown => "DOWNLOAD_TOKEN_UNKNOWN",
            Self::DownloadTokenExpired => "DOWNLOAD_TOKEN_EXPIRED",
            Self::MailboxNotFound => "MAILBOX_NOT_FOUND",
            Self::MailAddressTaken => "MAIL_ADDRESS_TAKEN",
            Self::TooManyMailboxes => "TOO_MANY_MAILBOXES",
            Self::MailNotFound => "MAIL_NOT_FOUND",
            Self::MailNotSetAside => "MAIL_NOT_SET_ASIDE",
            Self::MailUnreadable => "MAIL_UNREADABLE",
        }
    }
}
