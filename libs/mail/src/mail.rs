//! One mail, and how it is read.

use encoding_rs::UTF_8;

use crate::address::{self, Mailbox};
use crate::automatic::{Automatic, automatic};
use crate::charset::{self, Hints};
use crate::date::{self, SentAt};
use crate::entity::{self, Entity};
use crate::field::Header;
use crate::limits::{Limits, Unreadable};
use crate::part::Part;
use crate::remark::{Remark, Remarks};
use crate::{body, quote, word};

/// Longest subject, in characters.
const MAX_SUBJECT: usize = 1_000;
/// Longest name of a language.
const MAX_LANGUAGE: usize = 35;
/// Fields whose bytes may be of any charset.
const UNNAMED: [&str; 5] = ["subject", "from", "to", "cc", "reply-to"];
/// Bytes of a text that are looked at with them; no character is cut that is.
const MAX_LOOK: usize = 64 * 1024;
/// Most fields Received that are looked at.
const MAX_RECEIVED: usize = 50;

/// What a complaint needs of a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// Its id, without brackets.
    pub message_id: Option<String>,
    /// The ids of the mails it answers, without brackets, in their order.
    pub in_reply_to: Vec<String>,
    /// The ids of the mails before it, without brackets, the oldest first; of too many, the
    /// newest.
    pub references: Vec<String>,
    /// Who has written it, by what it says.
    pub from: Option<Mailbox>,
    /// Who has sent it for them.
    pub sender: Option<Mailbox>,
    /// Whom to answer.
    pub reply_to: Option<Mailbox>,
    /// Whom it is for.
    pub to: Vec<Mailbox>,
    /// Who else is to know of it.
    pub cc: Vec<Mailbox>,
    /// The addresses that mail servers say they delivered it to.
    pub delivered_to: Vec<String>,
    /// What it says it is about: one line, may be empty.
    pub subject: String,
    /// When it was sent; none if it does not say, or cannot be believed.
    pub date: Option<SentAt>,
    /// What it says.
    pub text: Text,
    /// What else it holds, in its order: files, pictures, mails.
    pub parts: Vec<Part>,
    /// Why a program is taken to have sent it; none for a person.
    pub automatic: Option<Automatic>,
    /// The language it says it is written in, as `zh-CN`.
    pub language: Option<String>,
    /// What had to be guessed or repaired.
    pub remarks: Vec<Remark>,
}

/// The text of a mail. Each line of `whole` is in `own` or in `quoted`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    /// The sender's words; all there are, where none would be left.
    pub own: String,
    /// What was folded away: quotes, the lines that introduce them, mails passed on,
    /// signatures.
    pub quoted: String,
    /// All of it, with `\n` at the end of lines.
    pub whole: String,
    /// It was made of HTML.
    pub from_html: bool,
}

/// Reads a mail.
///
/// # Errors
/// [`Unreadable`] if it is larger, deeper or of more parts than is allowed, or no mail at all.
/// Whatever else is wrong with it is a [`Remark`].
pub fn read(raw: &[u8], limits: &Limits) -> Result<Mail, Unreadable> {
    // Lines may end as they did on old Macs; a mail that has others holds such bytes as well.
    let is_old = raw.len() <= limits.bytes && !raw.contains(&b'\n') && raw.contains(&b'\r');
    let lines = |byte: &u8| if *byte == b'\r' { b'\n' } else { *byte };
    let renewed: Vec<u8> = if is_old { raw.iter().map(lines).collect() } else { Vec::new() };
    let entity = entity::read(if is_old { &renewed } else { raw }, limits)?;
    let header = &entity.header;
    let mut remarks = Remarks::default();
    let is_chinese = is_chinese(&entity);
    let hints = hints(&entity, is_chinese);
    let subject = word::text(header.first("subject").unwrap_or_default(), &hints, &mut remarks);
    let subject: String = subject.chars().take(MAX_SUBJECT).collect();
    let message_id = address::ids(header, "message-id").into_iter().next();
    let mut mailboxes = |name| address::mailboxes(header, name, &hints, &mut remarks);
    let first = |found: Vec<Mailbox>| found.into_iter().next();
    let (from, sender, reply_to) =
        (first(mailboxes("from")), first(mailboxes("sender")), first(mailboxes("reply-to")));
    let (to, cc) = (mailboxes("to"), mailboxes("cc"));
    let date = header.first("date").and_then(|field| date::read(field, is_chinese, &mut remarks));
    let body = body::read(&entity, &hints, limits, &mut remarks);
    let (own, quoted) = quote::fold(&body.text);
    Ok(Mail {
        in_reply_to: address::ids(header, "in-reply-to"),
        references: address::ids(header, "references"),
        delivered_to: address::delivered_to(header),
        automatic: automatic(&entity, message_id.as_deref(), &subject),
        language: language(header),
        text: Text { own, quoted, whole: body.text, from_html: body.from_html },
        parts: body.parts,
        remarks: remarks.into_vec(),
        message_id,
        from,
        sender,
        reply_to,
        to,
        cc,
        subject,
        date,
    })
}

/// Whether the marks of a mail are Chinese: its charsets, its language, the clocks of the
/// servers it went through.
fn is_chinese(mail: &Entity<'_>) -> bool {
    let header = &mail.header;
    let by_charset = charsets(mail).iter().any(|label| charset::is_chinese(label));
    let by_language =
        language(header).is_some_and(|language| language.to_ascii_lowercase().starts_with("zh"));
    let by_clock =
        header.all("received").take(MAX_RECEIVED).any(|field| field.windows(5).any(|five| five == b"+0800"));
    by_charset || by_language || by_clock
}

/// The charsets that a mail names: of its texts, and of what its header says.
fn charsets(mail: &Entity<'_>) -> Vec<String> {
    let mut found = text_charsets(mail);
    for name in ["subject", "from"] {
        found.extend(mail.header.first(name).map(word::charsets).unwrap_or_default());
    }
    found
}

fn text_charsets(entity: &Entity<'_>) -> Vec<String> {
    let (hints, mut unheard) = (Hints::default(), Remarks::default());
    let own = entity
        .content
        .value
        .starts_with("text/")
        .then(|| entity.content.get("charset", &hints, &mut unheard));
    own.flatten().into_iter().chain(entity.children.iter().flat_map(text_charsets)).collect()
}

fn hints(mail: &Entity<'_>, is_chinese: bool) -> Hints {
    let named: Vec<_> = charsets(mail).iter().filter_map(|label| charset::named(label)).collect();
    // Latin is named where nobody has thought of it, others are not.
    let named =
        named.iter().find(|encoding| !encoding.is_single_byte() && **encoding != UTF_8).or(named.first());
    let from = mail.header.word("from");
    let domain =
        from.rsplit('@').next().unwrap_or_default().trim_end_matches(|c: char| !c.is_ascii_alphabetic());
    let country = domain.rsplit('.').next().filter(|label| label.len() == 2).map(str::to_owned);
    let country = country.or_else(|| is_chinese.then(|| "cn".to_owned()));
    let text = named.copied().filter(|encoding| *encoding != UTF_8);
    let hints = Hints { text, country };
    let unnamed = unnamed(mail);
    let looks = || (!unnamed.is_empty()).then(|| charset::guess(&unnamed, &hints));
    Hints { text: hints.text.or_else(looks), ..hints.clone() }
}

/// The bytes of a mail that do not say what they are, and are not UTF-8: a name of two
/// characters is too short to tell by itself.
fn unnamed(mail: &Entity<'_>) -> Vec<u8> {
    let is_plain = text_charsets(mail).is_empty() && !mail.is_multipart();
    let body = if is_plain { mail.body.get(..MAX_LOOK).unwrap_or(mail.body) } else { &[] };
    let fields = UNNAMED.iter().filter_map(|name| mail.header.first(name));
    let found: Vec<&[u8]> =
        fields.chain([body]).filter(|bytes| std::str::from_utf8(bytes).is_err()).collect();
    found.join(&b'\n')
}

/// The first language a mail names: its own, or the one its sender reads.
fn language(header: &Header<'_>) -> Option<String> {
    let field = header.first("content-language").or_else(|| header.first("accept-language"))?;
    let text = String::from_utf8_lossy(field);
    let language = text.split([',', ';']).next().unwrap_or_default().trim();
    let is_one = (2..=MAX_LANGUAGE).contains(&language.len())
        && language.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    is_one.then(|| language.to_owned())
}
