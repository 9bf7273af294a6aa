//! A mail that stays in its folder: what is known of it without it. Pure.

use jiff::Timestamp;
use mail::Mail;
use mailbox::Outline;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{Envelope, InboundMail, SetAside, State};

/// Where a mail is in its folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Which life of the folder (UIDVALIDITY).
    pub(crate) uid_validity: u32,
    /// Its number in it.
    pub(crate) uid: u32,
}

impl InboundMail {
    /// One that stays in the folder of a mailbox: what its header says, as it was read, and why it
    /// is set aside, in a word and in words. What arrived later than now arrives now.
    pub(crate) fn unfetched(
        id: Uuid,
        (mailbox, now): (String, Timestamp),
        outline: &Outline,
        header: Option<&Mail>,
        (why, words): (SetAside, &str),
    ) -> Self {
        let sent = header.and_then(|mail| mail.date).map(|date| date.at);
        let received = outline.internal_date.or(sent).map_or(now, |at| at.min(now));
        let envelope = Envelope { mailbox, recipients: Vec::new(), received };
        let mut mail = Self::new(id, envelope, &outline.header, header);
        mail.identity = identity(&mail, outline);
        mail.size = outline.size.map_or(0, |size| i64::try_from(size).unwrap_or(i64::MAX));
        mail.place = Some(Place { uid_validity: outline.uid_validity, uid: outline.uid });
        (mail.state, mail.set_aside) = (State::SetAside, Some(why));
        mail.remark(words);
        if header.is_none() {
            mail.remark("its header is not known either");
        }
        if let Some(sent) = sent {
            mail.remark(&format!("it says that it was sent at {sent}"));
        }
        mail
    }
}

/// What tells a mail that stays in its folder from any other: what its header says, so that it is
/// the same one in a folder that was made anew; where it is, if nothing is known of it.
fn identity(mail: &InboundMail, outline: &Outline) -> [u8; 32] {
    let mut digest = Sha256::new_with_prefix(b"redress.mail.unfetched");
    let mut add = |bytes: &[u8]| {
        digest.update(u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
        digest.update(bytes);
    };
    add(&outline.size.unwrap_or_default().to_be_bytes());
    if !mail.message_id.is_empty() {
        for text in [&mail.message_id, &mail.sender, &mail.subject] {
            add(text.as_bytes());
        }
    } else if outline.header.is_empty() {
        add(mail.mailbox.as_bytes());
        add(&outline.uid_validity.to_be_bytes());
        add(&outline.uid.to_be_bytes());
    } else {
        add(&outline.header);
    }
    digest.finalize().into()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    const HEADER: &str = "From: Ada <Ada@example.org>\r\nSubject: Pictures\r\nMessage-ID: <1@example.org>\r\n\
                          Date: Mon, 30 Nov 2026 08:00:00 +0800\r\n\r\n";

    fn now() -> Timestamp {
        "2026-11-30T09:00:00Z".parse().expect("a moment")
    }

    fn outline(uid: u32, header: &str) -> Outline {
        Outline {
            uid_validity: 7,
            uid,
            size: Some(40_000_000),
            internal_date: None,
            header: Bytes::copy_from_slice(header.as_bytes()),
        }
    }

    fn mail(outline: &Outline) -> InboundMail {
        let read = mail::read(&outline.header, &mail::Limits::default()).ok();
        let why = (SetAside::TooLarge, "it is too large");
        InboundMail::unfetched(Uuid::nil(), ("shop".to_owned(), now()), outline, read.as_ref(), why)
    }

    #[test]
    fn it_has_what_its_header_says() {
        let one = mail(&outline(3, HEADER));
        assert_eq!((one.sender.as_str(), one.subject.as_str()), ("ada@example.org", "Pictures"));
        assert_eq!((one.message_id.as_str(), one.size), ("1@example.org", 40_000_000));
        assert_eq!(one.received.to_string(), "2026-11-30T00:00:00Z", "when it says it was sent");
        assert_eq!(one.remarks, ["it is too large", "it says that it was sent at 2026-11-30T00:00:00Z"]);
        assert_eq!((one.state, one.set_aside), (State::SetAside, Some(SetAside::TooLarge)));
        assert_eq!(one.place, Some(Place { uid_validity: 7, uid: 3 }));
        assert!(!one.is_readable());
        let later =
            Outline { internal_date: Some(now() + jiff::SignedDuration::from_secs(9)), ..outline(3, "") };
        assert_eq!(mail(&later).received, now());
        assert!(mail(&later).remarks.contains(&"its header is not known either".to_owned()));
    }

    #[test]
    fn it_is_one_wherever_it_is_as_long_as_its_header_is_known() {
        let same = |one: &Outline, other: &Outline| mail(one).identity == mail(other).identity;
        assert!(same(&outline(3, HEADER), &outline(4, HEADER)));
        let no_id = "From: ada@example.org\r\nSubject: Pictures\r\n\r\n";
        assert!(same(&outline(3, no_id), &outline(4, no_id)));
        assert!(!same(&outline(3, no_id), &outline(3, HEADER)));
        assert!(same(&outline(3, ""), &outline(3, "")) && !same(&outline(3, ""), &outline(4, "")));
        let larger = Outline { size: Some(50_000_000), ..outline(3, HEADER) };
        assert!(!same(&larger, &outline(3, HEADER)), "two may bear one Message-ID");
    }
}
