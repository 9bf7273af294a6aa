//! How mails arrive.

use std::net::SocketAddr;

use clap::{Args, ValueEnum};

/// How mails arrive (intake), and how answers to notices do (feedback).
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Services")]
pub struct MailSettings {
    /// Address to take mails at that mail servers hand over (intake), as `0.0.0.0:2525`; those
    /// to mailboxes (`redress mailbox set`) are taken, all others refused. Encrypted by STARTTLS
    /// where there is a certificate (REDRESS_TLS_CERT)
    #[arg(long, env = "REDRESS_SMTP_LISTEN")]
    pub smtp_listen: Option<SocketAddr>,
    /// The protocol they are handed over by
    #[arg(long, env = "REDRESS_SMTP_PROTOCOL", default_value = "smtp")]
    pub smtp_protocol: MailProtocol,
    /// Address of the mailbox that answers to notices are read from (feedback), as
    /// `complaints@example.org`: each case has its own there, `complaints+…@example.org`
    #[arg(long = "mail-reply-to", env = "REDRESS_MAIL_REPLY_TO", default_value = "")]
    pub reply_to: String,
}

/// How mail servers hand mails over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum MailProtocol {
    /// SMTP (RFC 5321).
    #[default]
    Smtp,
    /// LMTP (RFC 2033), as Postfix and Dovecot deliver by.
    Lmtp,
}
