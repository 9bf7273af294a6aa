//! Mailboxes of a header, and message ids.

use mail_parser::parsers::MessageStream;
use mail_parser::{Addr, Address, HeaderValue};

use crate::charset::Hints;
use crate::field::Header;
use crate::remark::{Remark, Remarks};
use crate::{clean, word};

/// Most addresses of a header.
const MAX_ADDRESSES: usize = 200;
/// Longest address (RFC 5321: 64 octets, `@`, 255 octets).
const MAX_ADDRESS: usize = 320;
/// Longest name, in characters.
const MAX_NAME: usize = 200;
/// Most message ids of a header: of more, the newest are kept.
const MAX_IDS: usize = 100;
/// Longest message id (RFC 5322: a line).
const MAX_ID: usize = 998;
/// Headers that name the address a mail was delivered to.
const DELIVERED: [&str; 4] = ["delivered-to", "x-original-to", "envelope-to", "x-envelope-to"];

/// Somebody who sends or receives mail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mailbox {
    /// The name shown for it; may be empty.
    pub name: String,
    /// The address, its domain in lower case.
    pub address: String,
}

/// The mailboxes of all fields of this name, without what is none.
pub(crate) fn mailboxes(
    header: &Header<'_>,
    name: &'static str,
    hints: &Hints,
    remarks: &mut Remarks,
) -> Vec<Mailbox> {
    let (mut found, mut is_sound) = (Vec::new(), true);
    for value in header.all(name) {
        let line = parted(&word::joined(value, hints, remarks));
        let HeaderValue::Address(read) = MessageStream::new(line.as_bytes()).parse_address() else {
            continue;
        };
        let all: Vec<&Addr<'_>> = match &read {
            Address::List(list) => list.iter().collect(),
            Address::Group(groups) => groups.iter().flat_map(|group| &group.addresses).collect(),
        };
        for one in all {
            match mailbox(one).filter(|_| found.len() < MAX_ADDRESSES) {
                Some(mailbox) => found.push(mailbox),
                None => is_sound = false,
            }
        }
    }
    if !is_sound {
        remarks.make(Remark::AddressUnreadable(name));
    }
    found
}

/// Puts a comma between addresses in brackets that lack it, which would be read as one.
fn parted(line: &str) -> String {
    let (mut parted, mut is_quoted, mut is_after) = (String::with_capacity(line.len() + 1), false, false);
    for c in line.chars() {
        is_quoted ^= c == '"';
        if c == '<' && is_after && !is_quoted {
            parted.push(',');
        }
        is_after = c == '>' || (is_after && c.is_whitespace());
        parted.push(c);
    }
    parted.push('\n');
    parted
}

fn mailbox(read: &Addr<'_>) -> Option<Mailbox> {
    let address = address(read.address.as_deref()?)?;
    let name = clean::line(read.name.as_deref().unwrap_or_default());
    let name: String = name.trim_matches(['"', '\'', ' ']).chars().take(MAX_NAME).collect();
    // Many programs repeat the address as the name.
    let name = if name.eq_ignore_ascii_case(&address) { String::new() } else { name };
    Some(Mailbox { name, address })
}

/// An address, if it is one: the domain in lower case.
pub(crate) fn address(text: &str) -> Option<String> {
    let text = text.trim().trim_matches(['<', '>', '"', '\'']);
    let (local, domain) = text.rsplit_once('@')?;
    let is_plain =
        |c: char| !c.is_control() && !c.is_whitespace() && !matches!(c, '<' | '>' | ',' | ';' | '@');
    let is_one = !local.is_empty()
        && !domain.is_empty()
        && text.len() <= MAX_ADDRESS
        && (local.chars().all(is_plain) || local.starts_with('"'))
        && domain.chars().all(is_plain)
        && clean::line(text) == text;
    is_one.then(|| format!("{local}@{}", domain.to_lowercase()))
}

/// The addresses a mail was delivered to, each once.
pub(crate) fn delivered_to(header: &Header<'_>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for value in DELIVERED.iter().flat_map(|name| header.all(name)) {
        let value = String::from_utf8_lossy(value);
        let words = value.split(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | ',' | ';'));
        for address in words.filter_map(address) {
            if found.len() < MAX_ADDRESSES && !found.contains(&address) {
                found.push(address);
            }
        }
    }
    found
}

/// The message ids of all fields of this name in their order, without brackets; of too many
/// the last ones.
pub(crate) fn ids(header: &Header<'_>, name: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for value in header.all(name) {
        let value = String::from_utf8_lossy(value);
        let is_bare = !value.contains('<');
        let parts: Vec<String> = if is_bare {
            // `Your message of Monday` of old programs is none.
            value.split_whitespace().filter(|word| word.contains('@')).map(str::to_owned).collect()
        } else {
            let after = value.split('<').skip(1);
            after.map(|rest| rest.split('>').next().unwrap_or_default()).map(compact).collect()
        };
        found.extend(parts.into_iter().filter(|id| !id.is_empty() && id.len() <= MAX_ID));
    }
    found.split_off(found.len().saturating_sub(MAX_IDS))
}

/// A message id has no blanks; where a header was folded within one, they are no part of it.
fn compact(id: &str) -> String {
    id.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> (Vec<String>, usize) {
        let text = format!("From: {value}\n");
        let (header, _) = Header::read(text.as_bytes(), 10_000);
        let mut remarks = Remarks::default();
        let found = mailboxes(&header, "from", &Hints::default(), &mut remarks);
        (
            found.into_iter().map(|one| format!("{}|{}", one.name, one.address)).collect(),
            remarks.into_vec().len(),
        )
    }

    #[test]
    fn mailboxes_are_read_however_they_are_written() {
        assert_eq!(
            read("=?utf-8?B?5byg5LiJ?= <Zhang@EXAMPLE.com>"),
            (vec!["张三|Zhang@example.com".to_owned()], 0)
        );
        assert_eq!(read("\"=?gb2312?B?1cXI/Q==?=\" <a@example.com>").0, ["张三|a@example.com"]);
        assert_eq!(
            read("\"Zhang, San\" <a@example.com>, b@example.com (Bo)").0,
            ["Zhang, San|a@example.com", "Bo|b@example.com"]
        );
        assert_eq!(read("Team: a@example.com, b@example.com;").0, ["|a@example.com", "|b@example.com"]);
        assert_eq!(read("\"a@example.com\" <a@example.com>").0, ["|a@example.com"]);
        assert_eq!(read("<a@example.com> <b@example.com>").0, ["|a@example.com", "|b@example.com"]);
        assert_eq!(read("张三 <a@example.com>").0, ["张三|a@example.com"]);
    }

    #[test]
    fn what_a_name_says_is_no_address() {
        assert_eq!(
            read("=?utf-8?Q?Evil=2C_=3Cb=40example.org=3E?= <a@example.com>").0,
            ["Evil, <b@example.org>|a@example.com"]
        );
        assert_eq!(
            read("=?utf-8?Q?A=E2=80=AEmoc=2Eelpmaxe?= <a@example.com>").0,
            ["Amoc.elpmaxe|a@example.com"]
        );
        assert_eq!(read("MAILER-DAEMON (Mail Delivery)"), (vec![], 1));
        assert_eq!(read("undisclosed-recipients:;"), (vec![], 0));
        assert_eq!(read("a b@example.com").0, Vec::<String>::new());
    }

    #[test]
    fn ids_are_without_brackets_and_the_newest_are_kept() {
        let many: Vec<String> = (0..150).map(|n| format!("\r\n <{n}@example.com>")).collect();
        let many = many.concat();
        let text = format!(
            "References: {many}\r\nIn-Reply-To: <a b\r\n c@example.com>\r\nMessage-ID: x@example.com\r\n"
        );
        let (header, _) = Header::read(text.as_bytes(), 10_000);
        let found = ids(&header, "references");
        assert_eq!(
            (found.len(), found[0].as_str(), found[99].as_str()),
            (100, "50@example.com", "149@example.com")
        );
        assert_eq!(ids(&header, "in-reply-to"), ["abc@example.com"]);
        assert_eq!(ids(&header, "message-id"), ["x@example.com"]);
    }
}
