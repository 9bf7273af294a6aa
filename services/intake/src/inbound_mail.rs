//! A mail that arrived: what is done with it, and the complaint it becomes. Pure.

use jiff::Timestamp;
use kernel::CaseId;
use mail::{Automatic, Mail};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::mailbox::Settings;

pub(crate) mod unfetched;

pub(crate) use unfetched::Place;

/// Longest text of a complaint, or of what is added to one.
pub(crate) const MAX_TEXT: usize = 20_000;
/// Longest subject of a complaint.
pub(crate) const MAX_SUBJECT: usize = 300;
/// Longest Message-ID that is kept: a line of a mail has no more (RFC 5322).
const MAX_MESSAGE_ID: usize = 998;
/// Longest address that is kept.
pub(crate) const MAX_ADDRESS: usize = 320;
/// Characters of an excerpt.
const MAX_EXCERPT: usize = 500;
/// Most remarks that are kept.
const MAX_REMARKS: usize = 50;
/// Longest remark.
const MAX_REMARK: usize = 300;
/// What stands where a mail says nothing.
const NO_TEXT: &str = "(no text)";
/// The language of a text that is written in Chinese and says nothing of it.
const CHINESE: &str = "zh-CN";
/// The language of a text in Latin letters, in a mailbox whose language has others.
const ENGLISH: &str = "en";
/// Fewer letters say nothing of a language: a number, a name.
const FEW_LETTERS: usize = 20;
/// One in so many letters of a Chinese text may be others: names, numbers, product codes.
const CHINESE_SHARE: usize = 4;

kernel::numbered! {
    /// What became of a mail; numbers of the contract.
    State {
        /// It is about to be read.
        Waiting = 1,
        /// It became a complaint.
        Registered = 2,
        /// It was added to one.
        Added = 3,
        /// It became nothing.
        SetAside = 4,
        /// It was handed to feedback.
        DeliveryReport = 5,
    }
}

kernel::numbered! {
    /// Why a mail was set aside; numbers of the contract.
    SetAside {
        /// A machine answered by itself.
        AutoReply = 1,
        /// It tells that a mail was read.
        ReadReceipt = 2,
        /// It was sent to many.
        Bulk = 3,
        /// This system sent it.
        Own = 4,
        /// Its sender sent too many.
        SenderRate = 5,
        /// It cannot be read.
        Unreadable = 6,
        /// What it says was refused.
        Refused = 7,
        /// It is too large to be fetched.
        TooLarge = 8,
        /// Its server does not give it.
        FetchFailed = 9,
    }
}

/// A mail that arrived, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InboundMail {
    /// Its identity.
    pub(crate) id: Uuid,
    /// The mailbox.
    pub(crate) mailbox: String,
    /// What tells it from any other.
    pub(crate) identity: [u8; 32],
    /// Message-ID without brackets; may be empty.
    pub(crate) message_id: String,
    /// Address of its sender, in lower case; may be empty.
    pub(crate) sender: String,
    /// Its subject, cut.
    pub(crate) subject: String,
    /// How its text begins.
    pub(crate) excerpt: String,
    /// The addresses of its envelope.
    pub(crate) recipients: Vec<String>,
    /// When it arrived.
    pub(crate) received: Timestamp,
    /// How long it is.
    pub(crate) size: i64,
    /// The attachment that has its bytes.
    pub(crate) attachment: Option<Uuid>,
    /// What became of it.
    pub(crate) state: State,
    /// Why it was set aside.
    pub(crate) set_aside: Option<SetAside>,
    /// The complaint it became, was added to, or is to be added to.
    pub(crate) complaint: Option<CaseId>,
    /// What had to be guessed or left out.
    pub(crate) remarks: Vec<String>,
    /// Whether somebody says that it is to be registered.
    pub(crate) by_hand: bool,
    /// Who does.
    pub(crate) registrar: String,
    /// How often it could not be read.
    pub(crate) attempts: i32,
    /// Where it is in its folder; none where it is here.
    pub(crate) place: Option<Place>,
    /// What it says, by whoever registers it by hand and has read it where it is.
    pub(crate) told_text: String,
    /// Who said that nothing is to be done about it.
    pub(crate) dismisser: String,
    /// Why they did.
    pub(crate) dismiss_reason: String,
}

/// Which mails a list shows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    /// Those of a mailbox.
    pub(crate) mailbox: Option<String>,
    /// Those of which this became.
    pub(crate) state: Option<State>,
    /// Those that became a complaint, or were added to it.
    pub(crate) complaint: Option<CaseId>,
    /// Those that were set aside for this.
    pub(crate) set_aside: Option<SetAside>,
}

/// How a mail came: what is known of it but its bytes.
#[derive(Clone, Debug)]
pub(crate) struct Envelope {
    /// The mailbox.
    pub(crate) mailbox: String,
    /// The addresses it was sent to, as far as they are known.
    pub(crate) recipients: Vec<String>,
    /// When it arrived.
    pub(crate) received: Timestamp,
}

impl InboundMail {
    /// One that arrives now: what a list shows of it, where it can be read.
    pub(crate) fn new(id: Uuid, envelope: Envelope, raw: &[u8], read: Option<&Mail>) -> Self {
        let Envelope { mailbox, recipients, received } = envelope;
        let text = |of: Option<&str>, most| of.map(|text| cut(text, most)).unwrap_or_default();
        Self {
            id,
            mailbox,
            identity: identity(raw, read),
            message_id: text(read.and_then(|mail| mail.message_id.as_deref()), MAX_MESSAGE_ID),
            sender: read.and_then(sender).map(|address| cut(&address, MAX_ADDRESS)).unwrap_or_default(),
            subject: text(read.map(|mail| mail.subject.as_str()), MAX_SUBJECT),
            excerpt: text(read.map(|mail| words(mail).trim()), MAX_EXCERPT),
            recipients,
            received,
            size: i64::try_from(raw.len()).unwrap_or(i64::MAX),
            attachment: None,
            state: State::Waiting,
            set_aside: None,
            complaint: None,
            remarks: Vec::new(),
            by_hand: false,
            registrar: String::new(),
            attempts: 0,
            place: None,
            told_text: String::new(),
            dismisser: String::new(),
            dismiss_reason: String::new(),
        }
    }

    /// Whether what it says can be read here: not where it stays on its server.
    pub(crate) fn is_readable(&self) -> bool {
        self.place.is_none() && self.set_aside != Some(SetAside::Unreadable)
    }

    /// The key it is registered under, however often that is tried.
    pub(crate) fn request_id(&self) -> String {
        format!("mail.{}", self.id)
    }

    /// The name that the machine has which registers mails of its mailbox.
    pub(crate) fn subject_of_reader(&self) -> String {
        format!("mailbox:{}", self.mailbox)
    }

    /// Adds to what is remarked about it, as far as there is room, nothing twice.
    pub(crate) fn remark(&mut self, remark: &str) {
        let remark = cut(remark, MAX_REMARK);
        if self.remarks.len() < MAX_REMARKS && !self.remarks.contains(&remark) {
            self.remarks.push(remark);
        }
    }

    /// The id of the attachment that a part becomes: the same each time it is tried, and sorted
    /// by its time as all are.
    pub(crate) fn part_id(&self, place: usize) -> Uuid {
        let mut digest = Sha256::new_with_prefix(b"redress.mail.part");
        digest.update(self.id.as_bytes());
        digest.update(u64::try_from(place).unwrap_or(u64::MAX).to_be_bytes());
        let digest = digest.finalize();
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        bytes[..6].copy_from_slice(&self.id.as_bytes()[..6]);
        // The place first among the random bits, so that parts are in their order.
        let place = u16::try_from(place).unwrap_or(u16::MAX) & 0x0fff;
        bytes[6..8].copy_from_slice(&(0x7000 | place).to_be_bytes());
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        Uuid::from_bytes(bytes)
    }
}

/// What is to be done with a mail, going by what it says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Road {
    /// It is taken in; whether a machine sent it.
    Take {
        /// `Complaint.automatic`.
        automatic: bool,
    },
    /// It is handed to feedback.
    DeliveryReport,
    /// It becomes nothing.
    SetAside(SetAside),
}

/// What is to be done with a mail. What another system wrote by itself may well be a
/// complaint, handed on; what answers by itself, is sent to many, or was sent by us is none,
/// unless somebody says so.
pub(crate) fn road(mail: &Mail, by_hand: bool) -> Road {
    let Some(automatic) = mail.automatic else { return Road::Take { automatic: false } };
    if by_hand {
        return Road::Take { automatic: true };
    }
    match automatic {
        Automatic::AutoGenerated => Road::Take { automatic: true },
        Automatic::DeliveryReport => Road::DeliveryReport,
        Automatic::AutoReply => Road::SetAside(SetAside::AutoReply),
        Automatic::ReadReceipt => Road::SetAside(SetAside::ReadReceipt),
        Automatic::Bulk => Road::SetAside(SetAside::Bulk),
        Automatic::OwnMessage => Road::SetAside(SetAside::Own),
    }
}

/// Who sent a mail, in lower case.
pub(crate) fn sender(mail: &Mail) -> Option<String> {
    let from = mail.from.as_ref().or(mail.sender.as_ref())?;
    Some(from.address.trim().to_lowercase()).filter(|address| !address.is_empty())
}

/// What a mail says, as it is registered or added: cut where it is too long, which is remarked.
pub(crate) fn text(mail: &Mail, remarks: &mut Vec<String>) -> String {
    let words = words(mail).trim();
    if words.is_empty() {
        return NO_TEXT.to_owned();
    }
    let text = cut(words, MAX_TEXT);
    if text.len() < words.len() {
        remarks.push(format!("the text was cut after {MAX_TEXT} characters; the mail has all of it"));
    }
    text
}

/// The sender's own words; what they quote where there are no others.
pub(crate) fn words(mail: &Mail) -> &str {
    if mail.text.own.trim().is_empty() { &mail.text.whole } else { &mail.text.own }
}

/// The language to answer in: what the mail names, that of its letters, or the mailbox's.
pub(crate) fn language(mail: &Mail, text: &str, settings: &Settings) -> String {
    let is_tag = |tag: &&String| {
        (2..=35).contains(&tag.len()) && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    if let Some(tag) = mail.language.as_ref().filter(is_tag) {
        return tag.clone();
    }
    language_by_letters(text, &settings.language)
}

/// The language to answer a text in that names none: that of its letters, or the usual one.
pub(crate) fn language_by_letters(text: &str, usual: &str) -> String {
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    let han = text.chars().filter(|c| ('\u{4e00}'..='\u{9fff}').contains(c)).count();
    let kana = text.chars().any(|c| ('\u{3040}'..='\u{30ff}').contains(&c));
    let is_chinese = han > 0 && han * CHINESE_SHARE >= letters && !kana;
    if is_chinese && !usual.starts_with("zh") {
        return CHINESE.to_owned();
    }
    // Who writes in Latin letters alone reads English rather than Chinese, Japanese or Korean.
    let is_latin = letters >= FEW_LETTERS && text.chars().all(|c| !c.is_alphabetic() || c < '\u{0250}');
    if is_latin && ["zh", "ja", "ko"].iter().any(|theirs| usual.starts_with(theirs)) {
        return ENGLISH.to_owned();
    }
    usual.to_owned()
}

/// What tells a mail from any other: its Message-ID and what it says, where it has one, and
/// its bytes otherwise. Servers on the way add to the headers of a mail they pass on twice.
fn identity(raw: &[u8], read: Option<&Mail>) -> [u8; 32] {
    let named = read.and_then(|mail| Some((mail, mail.message_id.as_deref()?)));
    let Some((mail, message_id)) = named else {
        return Sha256::new_with_prefix(b"redress.mail.bytes").chain_update(raw).finalize().into();
    };
    let mut digest = Sha256::new_with_prefix(b"redress.mail.message");
    let mut add = |bytes: &[u8]| {
        digest.update(u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
        digest.update(bytes);
    };
    add(message_id.as_bytes());
    add(sender(mail).unwrap_or_default().as_bytes());
    add(mail.subject.as_bytes());
    // Some senders put an empty line more at the end of what they hand over.
    add(mail.text.whole.trim_end().as_bytes());
    for part in &mail.parts {
        add(part.name.as_bytes());
        add(&part.content);
    }
    digest.finalize().into()
}

/// The first characters of a text.
pub(crate) fn cut(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

#[cfg(test)]
mod tests;
