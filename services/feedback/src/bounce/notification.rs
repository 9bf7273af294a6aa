//! Delivery status notifications (RFC 3464), as mail servers send them back. Pure, and
//! lenient as far as mail servers are lax; what cannot be told for sure is not read.

use mail_parser::{Message, MessageParser, MessagePart, MimeHeaders as _, PartType};

use super::{Action, MAX_SERVER};
use crate::notice::abridged;

/// Most bytes of a message.
pub const MAX_MESSAGE: usize = 262_144;
/// Most parts of a message, with those of the messages in it: each has a header that says
/// what it is, so that they are counted before anything is taken apart.
const MAX_PARTS: usize = 100;
/// Most recipients of one notification.
const MAX_RECIPIENTS: usize = 50;
/// Most addresses that are looked at for ours.
const MAX_ADDRESSES: usize = 50;
/// Headers that name the address a notification was received at.
const ADDRESSED: [&str; 5] = ["delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "to"];

/// What a mail server sends back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notification {
    /// The addresses it was sent to, and the one that the mail returned was to come back to.
    pub addresses: Vec<String>,
    /// Message-ID of the mail returned, without brackets; none where it is not returned.
    pub message_id: Option<String>,
    /// The server that reports; may be empty.
    pub server: String,
    /// What it reports of each recipient; at least one.
    pub recipients: Vec<RecipientReport>,
}

/// What is reported of a recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecipientReport {
    /// The address the mail was sent to, and the one it came to: empty where not said.
    pub addresses: [String; 2],
    /// What became of it.
    pub action: Action,
    /// The status code, as `5.1.1`.
    pub status: String,
    /// What the server says of it; may be empty.
    pub diagnostic: String,
}

impl Notification {
    /// Reads a message; none of what is no delivery status notification, or says of no
    /// recipient what became of the mail.
    pub fn read(message: &[u8]) -> Option<Self> {
        if message.len() > MAX_MESSAGE || parts(message) > MAX_PARTS {
            return None;
        }
        let message = MessageParser::default().parse(message)?;
        let of = message.content_type()?;
        let is_report = of.ctype().eq_ignore_ascii_case("multipart")
            && of.subtype().is_some_and(|subtype| subtype.eq_ignore_ascii_case("report"))
            && of.attribute("report-type").is_some_and(|kind| kind.eq_ignore_ascii_case("delivery-status"));
        if !is_report {
            return None;
        }
        let mut read = Self { addresses: addressed(&message), ..Self::default() };
        for part in &message.parts {
            read.take_part(part);
        }
        read.addresses.truncate(MAX_ADDRESSES);
        (!read.recipients.is_empty()).then_some(read)
    }

    /// What is reported of a mail to this address: the one recipient there is may bear
    /// another, where a server has sent it on.
    pub fn of(&self, address: &str) -> Option<&RecipientReport> {
        let is_named = |report: &&RecipientReport| {
            report.addresses.iter().any(|named| named.eq_ignore_ascii_case(address.trim()))
        };
        let only = if let [only] = self.recipients.as_slice() { Some(only) } else { None };
        self.recipients.iter().find(is_named).or(only)
    }

    fn take_part(&mut self, part: &MessagePart<'_>) {
        if let PartType::Message(returned) = &part.body {
            return self.take_returned(returned);
        }
        let Some(of) = part.content_type() else { return };
        let subtype = of.subtype().unwrap_or_default().to_ascii_lowercase();
        match subtype.as_str() {
            "delivery-status" | "global-delivery-status" => {
                self.take_status(&String::from_utf8_lossy(part.contents()));
            }
            "rfc822-headers" | "global-headers" => {
                if let Some(returned) = MessageParser::default().parse_headers(part.contents()) {
                    self.take_returned(&returned);
                }
            }
            _ => {}
        }
    }

    /// Of the mail returned, the first one.
    fn take_returned(&mut self, returned: &Message<'_>) {
        let path = returned.headers_raw().filter(|(name, _)| name.eq_ignore_ascii_case("return-path"));
        self.addresses.extend(path.flat_map(|(_, value)| in_header(value)));
        if self.message_id.is_none() {
            self.message_id = returned.message_id().map(str::to_owned);
        }
    }

    fn take_status(&mut self, text: &str) {
        for fields in groups(text) {
            if let Some(server) = fields.value("reporting-mta").filter(|_| self.server.is_empty()) {
                self.server = typed(server).chars().take(MAX_SERVER).collect();
            }
            if self.recipients.len() < MAX_RECIPIENTS {
                self.recipients.extend(fields.recipient());
            }
        }
    }
}

/// How many parts a message has at most: none is without this header that is more than text.
fn parts(message: &[u8]) -> usize {
    const NAME: &[u8] = b"content-type";
    message.windows(NAME.len()).filter(|window| window.eq_ignore_ascii_case(NAME)).count()
}

fn addressed(message: &Message<'_>) -> Vec<String> {
    let is_one = |name: &str| ADDRESSED.iter().any(|known| name.eq_ignore_ascii_case(known));
    let headers = message.headers_raw().filter(|(name, _)| is_one(name));
    headers.flat_map(|(_, value)| in_header(value)).take(MAX_ADDRESSES).collect()
}

/// The addresses in a header, however they are written.
fn in_header(value: &str) -> Vec<String> {
    let words = value.split(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | ',' | ';' | '"'));
    words.filter(|word| word.contains('@')).take(MAX_ADDRESSES).map(str::to_owned).collect()
}

/// Fields that belong together, names in lower case.
struct Fields(Vec<(String, String)>);

/// The groups of fields of a report, which empty lines part; long ones go on on the next
/// line, indented.
fn groups(text: &str) -> Vec<Fields> {
    let (mut groups, mut fields): (Vec<Fields>, Vec<(String, String)>) = (Vec::new(), Vec::new());
    for line in text.lines() {
        if line.trim().is_empty() {
            groups.push(Fields(std::mem::take(&mut fields)));
        } else if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = fields.last_mut() {
                value.push(' ');
                value.push_str(line.trim());
            }
        } else if let Some((name, value)) = line.split_once(':') {
            fields.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    groups.push(Fields(fields));
    groups
}

impl Fields {
    fn value(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// What they report of a recipient, if they do: what became of the mail must be said,
    /// and a failure not be called a success.
    fn recipient(&self) -> Option<RecipientReport> {
        let action = word(self.value("action")?).to_ascii_lowercase();
        let action = match action.as_str() {
            "failed" => Action::Failed,
            "delayed" => Action::Delayed,
            "delivered" => Action::Delivered,
            "relayed" => Action::Relayed,
            "expanded" => Action::Expanded,
            _ => return None,
        };
        let status = status(self.value("status")?)?;
        let is_success = matches!(action, Action::Delivered | Action::Relayed | Action::Expanded);
        if is_success != status.starts_with('2') {
            return None;
        }
        let address = |name: &str| self.value(name).map(typed).unwrap_or_default();
        let addresses = [address("original-recipient"), address("final-recipient")];
        let diagnostic = self.value("diagnostic-code").map(abridged).unwrap_or_default();
        Some(RecipientReport { addresses, action, status, diagnostic })
    }
}

fn word(value: &str) -> &str {
    value.split(|c: char| c.is_whitespace() || c == '(').next().unwrap_or_default()
}

/// A status code (RFC 3463): class, subject and detail.
fn status(value: &str) -> Option<String> {
    let code = word(value);
    let parts: Vec<&str> = code.split('.').collect();
    let [class, subject, detail] = parts.as_slice() else { return None };
    let is_number = |part: &str| (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    (matches!(*class, "2" | "4" | "5") && is_number(subject) && is_number(detail)).then(|| code.to_owned())
}

/// What follows the type of a value: `rfc822; ada@example.org`, `dns; mail.example.org`.
fn typed(value: &str) -> String {
    value.split_once(';').map_or(value, |(_, value)| value).trim().trim_matches(['<', '>']).to_owned()
}
