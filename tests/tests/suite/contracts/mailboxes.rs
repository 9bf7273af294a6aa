//! The lines of mailboxes and mails.

use super::table::{EMPTY, Invalid, invalid};
use super::unknown::{Unknown, unknown};

pub(super) const INVALID: &[Invalid] = &[
    invalid(
        "MailboxService.SetMailbox",
        r#"{"mailbox": {"address": "a+b@example.org", "imap": {"security": 9, "port": -1,
            "tokenSource": {"tokenUrl": "http://login.example.org/token"}}, "maxPerSenderHour": 1001, "silentAfter": "-1s"}}"#,
        "INVALID_MAILBOX",
        &[
            "request_id",
            "mailbox.max_per_sender_hour",
            "mailbox.silent_after",
            "mailbox.mailbox_id",
            "mailbox.address",
            "mailbox.imap.host",
            "mailbox.imap.security",
            "mailbox.imap.port",
            "mailbox.imap.username",
            "mailbox.imap.token_source.token_url",
            "mailbox.imap.token_source.client_id",
            "mailbox.owner",
            "mailbox.language",
        ],
    ),
    invalid("MailboxService.GetMailbox", EMPTY, "INVALID_MAILBOX_ID", &["mailbox_id"]),
    invalid("MailboxService.DeleteMailbox", EMPTY, "INVALID_MAILBOX_ID", &["request_id", "mailbox_id"]),
    invalid(
        "MailboxService.ListMails",
        r#"{"pageSize": -1, "mailboxId": "A B", "state": 99, "complaintId": "x", "setAside": 99}"#,
        "INVALID_LIST",
        &["page_size", "mailbox_id", "state", "complaint_id", "set_aside"],
    ),
    invalid("MailboxService.GetMail", EMPTY, "INVALID_MAIL_ID", &["mail_id"]),
    invalid(
        "MailboxService.RegisterMail",
        r#"{"complaintId": "x"}"#,
        "INVALID_MAIL",
        &["request_id", "mail_id", "complaint_id"],
    ),
    invalid("MailboxService.DismissMail", EMPTY, "INVALID_MAIL", &["request_id", "mail_id", "reason"]),
];

pub(super) const UNKNOWN: &[Unknown] = &[
    unknown("MailboxService.GetMailbox", r#"{"mailbox_id": "nowhere"}"#, "MAILBOX_NOT_FOUND"),
    unknown(
        "MailboxService.DeleteMailbox",
        r#"{"request_id": "$KEY", "mailbox_id": "nowhere"}"#,
        "MAILBOX_NOT_FOUND",
    ),
    unknown("MailboxService.GetMail", r#"{"mail_id": "$ID"}"#, "MAIL_NOT_FOUND"),
    unknown("MailboxService.RegisterMail", r#"{"request_id": "$KEY", "mail_id": "$ID"}"#, "MAIL_NOT_FOUND"),
    unknown(
        "MailboxService.DismissMail",
        r#"{"request_id": "$KEY", "mail_id": "$ID", "reason": "x"}"#,
        "MAIL_NOT_FOUND",
    ),
];
