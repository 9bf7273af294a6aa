//! Sends notices by e-mail.

use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use futures::future::BoxFuture;
use lettre::message::Mailbox;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::transport::smtp::{AsyncSmtpTransport, Error as SmtpError, PoolConfig};
use lettre::{AsyncTransport as _, Message, Tokio1Executor};

use crate::notice::{Answer, NO_ADDRESS, Notice};

/// Longest a server may take to answer one command.
const COMMAND_LIMIT: Duration = Duration::from_secs(10);
/// How long a connection is kept for the next notice.
const IDLE_LIMIT: Duration = Duration::from_mins(1);

/// A road notices can take.
pub(crate) trait Transport: Send + Sync + 'static {
    /// Tries once to deliver a notice.
    fn send<'a>(&'a self, notice: &'a Notice) -> BoxFuture<'a, Answer>;
}

/// E-mail through an SMTP server, which takes over from there.
pub(crate) struct Smtp {
    server: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl Smtp {
    /// A transport to the server at `smtp://` or `smtps://`, with at most so many
    /// connections kept. Connects when first used.
    pub(crate) fn new(url: &str, from: &str, connections: u32) -> anyhow::Result<Self> {
        let from = from.parse().context("the sender of notices is not an e-mail address")?;
        // The URL may hold a password: the error must not repeat it.
        let server = AsyncSmtpTransport::<Tokio1Executor>::from_url(url)
            .ok()
            .context("the SMTP server must be given as smtp://host:port or smtps://user:password@host:port")?
            .timeout(Some(COMMAND_LIMIT))
            .pool_config(PoolConfig::new().max_size(connections).idle_timeout(IDLE_LIMIT))
            .build();
        Ok(Self { server, from })
    }
}

impl Transport for Smtp {
    fn send<'a>(&'a self, notice: &'a Notice) -> BoxFuture<'a, Answer> {
        Box::pin(async move {
            let Some(message) = message(&self.from, notice) else {
                return Answer::Refused(NO_ADDRESS.to_owned());
            };
            match self.server.send(message).await {
                Ok(response) => {
                    let said: Vec<&str> = response.message().collect();
                    Answer::Taken(format!("{} {}", response.code(), said.join(" ")))
                }
                Err(error) => refusal(&error),
            }
        })
    }
}

/// The mail of a notice: the same at every attempt, its Message-ID above all, so
/// that a mailbox can tell a second copy. None if the recipient is no address.
fn message(from: &Mailbox, notice: &Notice) -> Option<Message> {
    let to = Mailbox::new(None, notice.recipient.trim().parse().ok()?);
    Message::builder()
        .message_id(Some(format!("<{}@redress>", notice.id)))
        .date(SystemTime::from(notice.created))
        .from(from.clone())
        .to(to)
        .subject(&notice.letter.subject)
        // Keeps autoresponders from answering (RFC 3834).
        .raw_header(HeaderValue::new(
            HeaderName::new_from_ascii_str("Auto-Submitted"),
            "auto-generated".to_owned(),
        ))
        .raw_header(HeaderValue::new(
            HeaderName::new_from_ascii_str("Content-Language"),
            notice.letter.language.clone(),
        ))
        .header(ContentType::TEXT_PLAIN)
        .body(notice.letter.body.clone())
        .ok()
}

/// What a failure means for the notice. Only what the server says about this mail
/// is final: that it does not know *us* is for operators to mend, and the notice
/// waits for it.
fn refusal(error: &SmtpError) -> Answer {
    let mut said = error.status().map_or_else(|| "not reached".to_owned(), |code| code.to_string());
    if let Some(cause) = std::error::Error::source(error) {
        said = format!("{said} {cause}");
    }
    let about_us = error.status().is_some_and(|code| matches!(u16::from(code), 530 | 534 | 535 | 538));
    if error.is_permanent() && !about_us { Answer::Refused(said) } else { Answer::Later(said) }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use kernel::{CaseId, NoticeId};
    use uuid::Uuid;

    use super::*;
    use crate::notice::{Contact, Owed, Road, Word};

    fn notice(recipient: &str) -> Notice {
        let contact = Contact {
            case_id: CaseId(Uuid::nil()),
            recipient: recipient.to_owned(),
            name: String::new(),
            language: "zh-CN".to_owned(),
            subject: "包裹晚到".to_owned(),
            traceparent: String::new(),
        };
        let case_id = contact.case_id;
        let owed = Owed { case_id, cycle: 1, word: Word::Acknowledgement, traceparent: String::new() };
        Notice::new(NoticeId(Uuid::nil()), owed, &contact, Road::Mail, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn a_second_attempt_sends_the_same_mail() {
        let from: Mailbox = "Redress <redress@example.org>".parse().unwrap();
        let first = message(&from, &notice("someone@example.org")).unwrap().formatted();
        let second = message(&from, &notice(" someone@example.org ")).unwrap().formatted();
        assert_eq!(first, second);
        let text = String::from_utf8(first).unwrap();
        for line in [
            "Message-ID: <00000000-0000-0000-0000-000000000000@redress>",
            "Date: Thu, 01 Jan 1970 00:00:00 +0000",
            "Auto-Submitted: auto-generated",
            "Content-Language: zh-CN",
            "Content-Type: text/plain; charset=utf-8",
        ] {
            assert!(text.contains(line), "{line} is not in {text}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused_here() {
        let from: Mailbox = "redress@example.org".parse().unwrap();
        for recipient in ["someone", "a@b@c", "a b@example.org", "a@example.org\r\nBcc: b@example.org"] {
            assert!(message(&from, &notice(recipient)).is_none(), "{recipient}");
        }
    }

    #[test]
    fn a_wrong_setting_is_told_without_its_password() {
        let wrong = Smtp::new("mail://user:hunter2@host", "redress@example.org", 1).err().unwrap();
        assert!(!format!("{wrong:#}").contains("hunter2"));
        assert!(Smtp::new("smtp://localhost:25", "nobody", 1).is_err());
    }
}
