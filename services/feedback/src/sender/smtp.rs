//! E-mail, by SMTP.

use std::time::{Duration, SystemTime};

use anyhow::{Context as _, ensure};
use futures::future::BoxFuture;
use lettre::address::Envelope;
use lettre::message::Mailbox;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::transport::smtp::{AsyncSmtpTransport, Error as SmtpError, PoolConfig};
use lettre::{Address, AsyncTransport as _, Message, Tokio1Executor};

use super::Transport;
use crate::bounce::{ReturnPath, Sent};
use crate::notice::{Answer, Contact, Kind, Notice, Obstacle};

/// Longest a server may take to answer one command.
const COMMAND_LIMIT: Duration = Duration::from_secs(10);
/// How long a connection is kept for the next notice.
const IDLE_LIMIT: Duration = Duration::from_mins(1);

/// E-mail through an SMTP server, which takes over from there.
pub(crate) struct Smtp {
    server: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    /// Where mails come back to; without it to their sender.
    path: Option<ReturnPath>,
    /// The mailbox that answers are read from; empty where they go to the sender.
    reply_to: String,
}

impl Smtp {
    /// A transport to the server at `smtp://` or `smtps://`, with at most so many
    /// connections kept. Connects when first used.
    pub(crate) fn new(
        url: &str,
        (from, reply_to): (&str, &str),
        path: Option<ReturnPath>,
        connections: u32,
    ) -> anyhow::Result<Self> {
        let is_one = reply_to.is_empty() || reply_to.parse::<Address>().is_ok();
        ensure!(is_one, "the address that answers to notices go to is not an e-mail address");
        let from = from.parse().context("the sender of notices is not an e-mail address")?;
        // The URL may hold a password: the error must not repeat it.
        let server = AsyncSmtpTransport::<Tokio1Executor>::from_url(url)
            .ok()
            .context("the SMTP server must be given as smtp://host:port or smtps://user:password@host:port")?
            .timeout(Some(COMMAND_LIMIT))
            .pool_config(PoolConfig::new().max_size(connections).idle_timeout(IDLE_LIMIT))
            .build();
        Ok(Self { server, from, path, reply_to: reply_to.to_owned() })
    }

    /// From whom a notice comes, and where answers to it go.
    fn road<'a>(&'a self, contact: Option<&'a Contact>) -> Road<'a> {
        let token = contact.map_or("", |contact| contact.mail_token.as_str());
        Road { from: &self.from, reply_to: &self.reply_to, token }
    }

    /// The address notices come from.
    pub(crate) fn sender(&self) -> &str {
        self.from.email.as_ref()
    }
}

impl Transport for Smtp {
    fn send<'a>(&'a self, notice: &'a Notice, contact: Option<&'a Contact>) -> BoxFuture<'a, Answer> {
        Box::pin(async move {
            let Some((envelope, message)) = message(self.road(contact), self.path.as_ref(), notice) else {
                return Answer::Refused(Obstacle::NoAddress.reason().to_owned());
            };
            match self.server.send_raw(&envelope, &message.formatted()).await {
                Ok(response) => {
                    let said: Vec<&str> = response.message().collect();
                    Answer::Taken(format!("{} {}", response.code(), said.join(" ")))
                }
                Err(error) => refusal(&error),
            }
        })
    }
}

/// From whom a mail comes, and where answers to it go.
#[derive(Clone, Copy)]
struct Road<'a> {
    from: &'a Mailbox,
    /// Mailbox that answers are read from; may be empty.
    reply_to: &'a str,
    /// Token of the case; may be empty.
    token: &'a str,
}

/// The mail of a notice and its envelope: the same at every attempt, its Message-ID
/// above all, so that a mailbox can tell a second copy. None if the recipient is no
/// address.
///
/// What comes back goes to the return address of the mail, where there is a mailbox for
/// that: it is read, and answered by nobody. Without one, an acknowledgement, which answers a
/// mail that a program may have sent, names no sender in its envelope, so that nothing answers
/// it in turn (RFC 3834); the other notices come of what a person did, and theirs names ours,
/// so that what comes back reaches a person.
///
/// An answer to it finds its case: by the address it goes to, which is the case's own where
/// there is a mailbox for answers, and by the message that all notices of the case refer to,
/// which mail programs name in an answer and show them together by.
fn message(
    Road { from, reply_to, token }: Road<'_>,
    path: Option<&ReturnPath>,
    notice: &Notice,
) -> Option<(Envelope, Message)> {
    let to: Address = notice.recipient.trim().parse().ok()?;
    let is_answer = notice.kind == Kind::Acknowledgement;
    let sent = Sent::of(notice);
    let returned = path.and_then(|path| path.address(sent)?.parse().ok());
    let sender = returned.or_else(|| (!is_answer).then(|| from.email.clone()));
    let envelope = Envelope::new(sender, vec![to.clone()]).ok()?;
    let mut message = Message::builder()
        .message_id(Some(format!("<{}>", sent.message_id())))
        .date(SystemTime::from(notice.created))
        .from(from.clone())
        .to(Mailbox::new(None, to))
        .subject(&notice.letter.subject)
        .raw_header(header("Content-Language", notice.letter.language.clone()));
    if !token.is_empty() {
        message = message.references(format!("<{}>", mail::tag::thread_id(token)));
    }
    if !reply_to.is_empty() {
        let tagged = Some(token).filter(|token| !token.is_empty());
        let tagged = tagged.and_then(|token| mail::tag::tagged(reply_to, token));
        let address: Address = tagged.as_deref().unwrap_or(reply_to).parse().ok()?;
        message = message.reply_to(Mailbox::new(None, address));
    }
    for (name, value) in if is_answer { ANSWER } else { GENERATED } {
        message = message.raw_header(header(name, (*value).to_owned()));
    }
    let message = message.header(ContentType::TEXT_PLAIN).body(notice.letter.body.clone()).ok()?;
    Some((envelope, message))
}

/// What tells programs not to answer an acknowledgement: RFC 3834, and what Exchange
/// and older ones heed instead.
const ANSWER: &[(&str, &str)] =
    &[("Auto-Submitted", "auto-replied"), ("X-Auto-Response-Suppress", "All"), ("Precedence", "auto_reply")];
/// What tells them not to answer the other notices; that one could not be delivered
/// they may say.
const GENERATED: &[(&str, &str)] =
    &[("Auto-Submitted", "auto-generated"), ("X-Auto-Response-Suppress", "DR, RN, NRN, OOF, AutoReply")];

fn header(name: &'static str, value: String) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value)
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
    if error.is_permanent() && !about_us { Answer::Refused(said) } else { Answer::Later(said, None) }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use kernel::{CaseId, NoticeId};
    use uuid::Uuid;

    use super::*;
    use crate::address::OwnAddresses;
    use crate::letter::Letters;
    use crate::notice::routing::Routing;
    use crate::notice::{Delivery, Dispatch, Owed, Word};

    fn notice(recipient: &str, word: Word) -> Notice {
        let contact = Contact {
            case_id: CaseId(Uuid::nil()),
            recipient: recipient.to_owned(),
            phone: String::new(),
            channel: 0,
            name: String::new(),
            language: "zh-CN".to_owned(),
            subject: "包裹晚到".to_owned(),
            traceparent: String::new(),
            anonymous: false,
            automatic: false,
            mail_token: String::new(),
            version: 1,
        };
        let case_id = contact.case_id;
        let owed = Owed { case_id, cycle: 1, word, zone: String::new(), traceparent: String::new() };
        let (delivery, letters) = (Delivery::mail(OwnAddresses::default()), Letters::default());
        let dispatch = Dispatch { delivery: &delivery, letters: &letters, routing: &Routing::shipped() };
        Notice::new(NoticeId(Uuid::nil()), owed, &contact, dispatch, Timestamp::UNIX_EPOCH)
    }

    fn mail(notice: &Notice) -> (Envelope, String) {
        let from: Mailbox = "Redress <redress@example.org>".parse().unwrap();
        let road = Road { from: &from, reply_to: "", token: "" };
        let (envelope, message) = message(road, None, notice).unwrap();
        (envelope, String::from_utf8(message.formatted()).unwrap())
    }

    #[test]
    fn a_second_attempt_sends_the_same_mail() {
        let first = mail(&notice("someone@example.org", Word::Acknowledgement));
        let second = mail(&notice(" someone@example.org ", Word::Acknowledgement));
        assert_eq!(first, second);
        for line in [
            "Message-ID: <00000000-0000-0000-0000-000000000000@redress>",
            "Date: Thu, 01 Jan 1970 00:00:00 +0000",
            "Content-Language: zh-CN",
            "Content-Type: text/plain; charset=utf-8",
        ] {
            assert!(first.1.contains(line), "{line} is not in {}", first.1);
        }
    }

    #[test]
    fn sent_again_it_is_another_mail() {
        let again = Notice { sending: 2, ..notice("someone@example.org", Word::Recourse) };
        let (_, text) = mail(&again);
        assert!(text.contains("Message-ID: <00000000-0000-0000-0000-000000000000.2@redress>"), "{text}");
    }

    #[test]
    fn nothing_answers_an_acknowledgement() {
        let (envelope, text) = mail(&notice("someone@example.org", Word::Acknowledgement));
        assert_eq!(envelope.from(), None);
        for line in
            ["Auto-Submitted: auto-replied", "X-Auto-Response-Suppress: All", "Precedence: auto_reply"]
        {
            assert!(text.contains(line), "{line} is not in {text}");
        }
    }

    #[test]
    fn what_comes_back_of_other_notices_reaches_a_person() {
        let (envelope, text) = mail(&notice("someone@example.org", Word::Recourse));
        assert_eq!(envelope.from().map(ToString::to_string).as_deref(), Some("redress@example.org"));
        for line in
            ["Auto-Submitted: auto-generated", "X-Auto-Response-Suppress: DR, RN, NRN, OOF, AutoReply"]
        {
            assert!(text.contains(line), "{line} is not in {text}");
        }
        assert!(!text.contains("Precedence"), "{text}");
    }

    #[test]
    fn each_mail_comes_back_to_an_address_of_its_own_where_there_is_a_mailbox_for_it() {
        let from: Mailbox = "redress@example.org".parse().unwrap();
        let path = ReturnPath::new("bounces@example.org", "0123456789abcdef0123456789abcdef").unwrap();
        for word in [Word::Acknowledgement, Word::Recourse] {
            let notice = Notice { sending: 2, ..notice("someone@example.org", word) };
            let (envelope, sent) =
                message(Road { from: &from, reply_to: "", token: "" }, Some(&path), &notice).unwrap();
            let sender = envelope.from().map(ToString::to_string).unwrap();
            assert_eq!(path.read(&sender), crate::bounce::Reading::Ours(Sent::of(&notice)));
            assert!(String::from_utf8(sent.formatted()).unwrap().contains("Auto-Submitted: auto-"));
        }
    }

    #[test]
    fn an_answer_finds_its_case_by_where_it_goes_and_by_what_it_refers_to() {
        let from: Mailbox = "Redress <redress@example.org>".parse().unwrap();
        let sent = |reply_to, token| {
            let road = Road { from: &from, reply_to, token };
            let (_, message) = message(road, None, &notice("someone@example.org", Word::Recourse)).unwrap();
            String::from_utf8(message.formatted()).unwrap()
        };
        let text = sent("complaints@example.org", "c1abc");
        assert!(text.contains("Reply-To: complaints+c1abc@example.org\r\n"), "{text}");
        assert!(text.contains(&format!("References: <{}>\r\n", mail::tag::thread_id("c1abc"))), "{text}");
        assert!(sent("complaints@example.org", "").contains("Reply-To: complaints@example.org\r\n"));
        let text = sent("", "c1abc");
        assert!(!text.contains("Reply-To") && text.contains("References"), "{text}");
        assert!(!sent("", "").contains("References"));
    }

    #[test]
    fn what_is_no_address_is_refused_here() {
        let from: Mailbox = "redress@example.org".parse().unwrap();
        for recipient in ["someone", "a@b@c", "a b@example.org", "a@example.org\r\nBcc: b@example.org"] {
            let road = Road { from: &from, reply_to: "", token: "" };
            assert!(message(road, None, &notice(recipient, Word::Recourse)).is_none(), "{recipient}");
        }
    }

    #[test]
    fn a_wrong_setting_is_told_without_its_password() {
        let wrong =
            Smtp::new("mail://user:hunter2@host", ("redress@example.org", ""), None, 1).err().unwrap();
        assert!(!format!("{wrong:#}").contains("hunter2"));
        assert!(Smtp::new("smtp://localhost:25", ("nobody", ""), None, 1).is_err());
        assert!(Smtp::new("smtp://localhost:25", ("redress@example.org", "nobody"), None, 1).is_err());
    }
}
