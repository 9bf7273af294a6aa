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
    /// The receipt code is wrong in some way.
    ReceiptCodeUnknown,
    /// Too many wrong receipt codes of late.
    TooManyGuesses,
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
    /// There is no such webhook source for this tenant.
    WebhookSourceNotFound,
    /// The tenant has as many webhook sources as it may.
    TooManyWebhookSources,
    /// The source has no such mapping.
    WebhookMappingNotFound,
    /// The source has as many mappings as it may.
    TooManyWebhookMappings,
    /// A delivery is not believed.
    WebhookNotVerified,
    /// The source is left alone.
    WebhookSourcePaused,
    /// The source delivers too fast.
    WebhookRateExceeded,
    /// Too many deliveries of the source wait to be read.
    TooManyDeliveriesWait,
    /// There is no such post for this tenant.
    PostNotFound,
    /// The post was not set aside: there is nothing to be registered by hand.
    PostNotSetAside,
    /// Nothing can be read of the post.
    PostUnreadable,
    /// The post is no complaint.
    PostNotRegistered,
    /// The mapping has no template.
    NoReplyTemplate,
    /// The post has no reply.
    ReplyNotFound,
    /// The reply was posted.
    ReplyAlreadySent,
    /// The reply does not wait for approval.
    ReplyNotDrafted,
    /// The reply is not approved.
    ReplyNotApproved,
    /// Who wrote a reply approves it.
    OwnReply,
    /// There is no such file drop for this tenant.
    FileDropNotFound,
    /// Another drop of the tenant is in the same place, or one within the other.
    FileDropOverlaps,
    /// The operator has set no such place.
    FileDropPlaceUnset,
    /// The tenant has as many drops as it may.
    TooManyFileDrops,
    /// There is no such dropped file for this tenant.
    DroppedFileNotFound,
    /// The dropped file is too large to be tried.
    DroppedFileTooLarge,
    /// The dropped file lies nowhere, or is another.
    DroppedFileGone,
    /// The place of a drop cannot be read.
    FileDropUnreachable,
    /// There is no such version of the menu, or none is in force.
    IvrMenuNotFound,
    /// There are as many versions as is allowed.
    TooManyVersions,
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
            Self::ReceiptCodeUnknown => "this receipt code is not known",
            Self::TooManyGuesses => "too many wrong receipt codes; try again later",
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
            Self::IvrMenuNotFound => "there is no such version of the menu, or none is in force",
            Self::TooManyVersions => "there may be 500 versions",
            Self::MailUnreadable => "this mail cannot be read here: `text` must say what it says",
            Self::WebhookSourceNotFound => "there is no webhook source with this id",
            Self::TooManyWebhookSources => "a tenant may have 50 webhook sources; delete one first",
            Self::WebhookMappingNotFound => "the source has no mapping with this number",
            Self::TooManyWebhookMappings => "a source may have 1 000 mappings; set up another source",
            Self::WebhookNotVerified => "the signature is not one of a webhook source here",
            Self::WebhookSourcePaused => "this source is paused; send it again later",
            Self::WebhookRateExceeded => "this source sends more than is taken in; send it again later",
            Self::TooManyDeliveriesWait => {
                "too many deliveries of this source wait to be read; send it again later"
            }
            Self::PostNotFound => "there is no post with this id",
            Self::PostNotSetAside => {
                "the post was not set aside: it is a complaint's already, or about to be"
            }
            Self::PostUnreadable => "the body that it came in cannot be read; submit what it says by hand",
            Self::PostNotRegistered => "the post is no complaint: there is nothing to be answered",
            Self::NoReplyTemplate => "the mapping has no template for a reply; say what it is to say",
            Self::ReplyNotFound => "there is no reply to this post",
            Self::ReplyAlreadySent => "the reply was posted already",
            Self::ReplyNotDrafted => "the reply does not wait to be approved",
            Self::ReplyNotApproved => "the reply is not approved, or was sent already",
            Self::OwnReply => "somebody else approves what you have written",
            Self::FileDropNotFound => "there is no file drop with this id",
            Self::FileDropOverlaps => "another file drop is in this place, or one of them within the other",
            Self::FileDropPlaceUnset => {
                "this installation has no such place: its operator sets REDRESS_DROP_FOLDER or REDRESS_DROP_BUCKET"
            }
            Self::TooManyFileDrops => "a tenant may have 50 file drops; delete one first",
            Self::DroppedFileNotFound => "there is no dropped file with this id",
            Self::DroppedFileTooLarge => "it has more than 32 MiB: try its beginning as a sample",
            Self::DroppedFileGone => "the file no longer lies where it was put or moved to, or is another by now",
            Self::FileDropUnreachable => "the place of the file drop cannot be read now; try again",
        })
    }
}

impl Refuses for Refusal {
    fn kind(&self) -> Kind {
        match self {
            Self::KeyReused | Self::ExternalRefReused | Self::MailAddressTaken | Self::FileDropOverlaps => {
                Kind::Exists
            }
            Self::ComplaintNotFound
            | Self::ReceiptCodeUnknown
            | Self::FormNotFound
            | Self::AttachmentNotFound
            | Self::MailboxNotFound
            | Self::MailNotFound
            | Self::WebhookSourceNotFound
            | Self::WebhookMappingNotFound
            | Self::PostNotFound
            | Self::ReplyNotFound
            | Self::FileDropNotFound
            | Self::DroppedFileNotFound
            | Self::IvrMenuNotFound
            | Self::DownloadTokenUnknown => Kind::NotFound,
            Self::StoreUnavailable | Self::WebhookSourcePaused | Self::FileDropUnreachable => {
                Kind::Unavailable
            }
            Self::TooManyRows => Kind::Invalid,
            Self::QueueFull
            | Self::QuotaExceeded
            | Self::TooManyGuesses
            | Self::TooManyMailboxes
            | Self::TooManyWebhookSources
            | Self::TooManyWebhookMappings
            | Self::WebhookRateExceeded
            | Self::TooManyDeliveriesWait
            | Self::TooManyFileDrops
            | Self::TooManyVersions => Kind::Exhausted,
            Self::WebhookNotVerified => Kind::Unauthenticated,
            Self::OwnReply => Kind::Forbidden,
            Self::Sha256Mismatch
            | Self::MediaTypeMismatch
            | Self::MediaTypeForbidden
            | Self::MalwareFound
            | Self::AttachmentNotReady
            | Self::AttachmentRefused
            | Self::AttachmentReferredTo
            | Self::MailNotSetAside
            | Self::MailUnreadable
            | Self::PostNotSetAside
            | Self::PostUnreadable
            | Self::PostNotRegistered
            | Self::NoReplyTemplate
            | Self::ReplyAlreadySent
            | Self::ReplyNotDrafted
            | Self::ReplyNotApproved
            | Self::FileDropPlaceUnset
            | Self::DroppedFileTooLarge
            | Self::DroppedFileGone
            | Self::DownloadTokenExpired => Kind::Precondition,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::KeyReused => "IDEMPOTENCY_KEY_REUSED",
            Self::ExternalRefReused => "EXTERNAL_REF_REUSED",
            Self::ComplaintNotFound => "COMPLAINT_NOT_FOUND",
            Self::ReceiptCodeUnknown => "RECEIPT_CODE_UNKNOWN",
            Self::TooManyGuesses => "TOO_MANY_GUESSES",
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
            Self::WebhookSourceNotFound => "WEBHOOK_SOURCE_NOT_FOUND",
            Self::TooManyWebhookSources => "TOO_MANY_WEBHOOK_SOURCES",
            Self::WebhookMappingNotFound => "WEBHOOK_MAPPING_NOT_FOUND",
            Self::TooManyWebhookMappings => "TOO_MANY_WEBHOOK_MAPPINGS",
            Self::WebhookNotVerified => "WEBHOOK_NOT_VERIFIED",
            Self::WebhookSourcePaused => "WEBHOOK_SOURCE_PAUSED",
            Self::WebhookRateExceeded => "WEBHOOK_RATE_EXCEEDED",
            Self::TooManyDeliveriesWait => "TOO_MANY_DELIVERIES_WAIT",
            Self::PostNotFound => "POST_NOT_FOUND",
            Self::PostNotSetAside => "POST_NOT_SET_ASIDE",
            Self::PostUnreadable => "POST_UNREADABLE",
            Self::PostNotRegistered => "POST_NOT_REGISTERED",
            Self::NoReplyTemplate => "NO_REPLY_TEMPLATE",
            Self::ReplyNotFound => "REPLY_NOT_FOUND",
            Self::ReplyAlreadySent => "REPLY_ALREADY_SENT",
            Self::ReplyNotDrafted => "REPLY_NOT_DRAFTED",
            Self::ReplyNotApproved => "REPLY_NOT_APPROVED",
            Self::OwnReply => "OWN_REPLY",
            Self::FileDropNotFound => "FILE_DROP_NOT_FOUND",
            Self::FileDropOverlaps => "FILE_DROP_OVERLAPS",
            Self::FileDropPlaceUnset => "FILE_DROP_PLACE_UNSET",
            Self::TooManyFileDrops => "TOO_MANY_FILE_DROPS",
            Self::DroppedFileNotFound => "DROPPED_FILE_NOT_FOUND",
            Self::DroppedFileTooLarge => "DROPPED_FILE_TOO_LARGE",
            Self::DroppedFileGone => "DROPPED_FILE_GONE",
            Self::FileDropUnreachable => "FILE_DROP_UNREACHABLE",
            Self::IvrMenuNotFound => "IVR_MENU_NOT_FOUND",
            Self::TooManyVersions => "TOO_MANY_VERSIONS",
        }
    }
}
