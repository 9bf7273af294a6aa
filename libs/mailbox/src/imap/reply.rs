//! What a response means, as far as a reader heeds it.

use bytes::Bytes;

use super::fetch::{self, Fetched, number};
use crate::arrival::said;

/// Most bytes of a status that are looked at.
const MAX_STATUS: usize = 4 * 1024;

/// Whether a command, or the server itself, fares well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    Ok,
    No,
    Bad,
    PreAuth,
    Bye,
}

/// A condition with what is said of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Status {
    pub(super) condition: Condition,
    /// The code in brackets in upper case, e.g. `UIDVALIDITY 7`; empty if there is none.
    pub(super) code: String,
    /// What it says, code and all, as one printable line.
    pub(super) said: String,
}

/// What a response means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// A command is done.
    Done { tag: String, status: Status },
    /// The server says how it fares.
    Untagged(Status),
    /// The server waits for the rest of a command; with what it says.
    Continue(Bytes),
    /// What the server can do, in upper case.
    Capabilities(Vec<String>),
    /// How many messages the folder has.
    Exists(u32),
    /// A message is no more.
    Expunge,
    /// Uids that were searched for.
    Search(Vec<u32>),
    /// Attributes of a message.
    Fetch(Fetched),
    /// Something about a message that cannot be read.
    Unreadable,
    /// Nothing that matters here.
    Other,
}

/// Reads a response.
pub(super) fn read(frame: &Bytes) -> Reply {
    if let Some(text) = frame.strip_prefix(b"+") {
        let text = text.strip_prefix(b" ").unwrap_or(text);
        return Reply::Continue(frame.slice_ref(text.strip_suffix(b"\r\n").unwrap_or(text)));
    }
    if let Some(reply) = data(frame) {
        return reply;
    }
    let text = String::from_utf8_lossy(&frame[..frame.len().min(MAX_STATUS)]);
    let mut words = text.trim_end().splitn(3, ' ');
    let (tag, kind, rest) = (words.next(), words.next(), words.next().unwrap_or_default());
    match (tag, kind.and_then(condition)) {
        (Some("*"), Some(condition)) => Reply::Untagged(status(condition, rest)),
        (Some(tag), Some(condition)) => Reply::Done { tag: tag.to_owned(), status: status(condition, rest) },
        _ => Reply::Other,
    }
}

/// What the server says of a folder and itself.
fn data(frame: &Bytes) -> Option<Reply> {
    let text = frame.strip_prefix(b"* ")?;
    let line = text.strip_suffix(b"\r\n")?;
    let mut words = line.splitn(3, |&byte| byte == b' ');
    let (first, second) = (words.next()?.to_ascii_uppercase(), words.next().map(<[u8]>::to_ascii_uppercase));
    match (first.as_slice(), second.as_deref()) {
        (b"CAPABILITY", _) => {
            let names = String::from_utf8_lossy(&line[first.len()..]).to_ascii_uppercase();
            Some(Reply::Capabilities(capabilities(&names)))
        }
        (b"SEARCH", _) => {
            let uids = line[first.len()..].split(|&byte| byte == b' ').filter(|word| !word.is_empty());
            // Some name how the folder has changed after them, in parentheses.
            Some(Reply::Search(uids.map_while(number).collect()))
        }
        (count, Some(b"EXISTS")) => number(count).map(Reply::Exists),
        (sequence, Some(b"EXPUNGE")) => number::<u32>(sequence).map(|_| Reply::Expunge),
        (sequence, Some(b"FETCH")) => {
            number::<u32>(sequence)?;
            let list = "* ".len() + sequence.len() + " FETCH ".len();
            Some(fetch::read(frame, list).map_or(Reply::Unreadable, Reply::Fetch))
        }
        _ => None,
    }
}

fn condition(word: &str) -> Option<Condition> {
    [
        ("OK", Condition::Ok),
        ("NO", Condition::No),
        ("BAD", Condition::Bad),
        ("PREAUTH", Condition::PreAuth),
        ("BYE", Condition::Bye),
    ]
    .into_iter()
    .find_map(|(name, condition)| word.eq_ignore_ascii_case(name).then_some(condition))
}

fn status(condition: Condition, text: &str) -> Status {
    let code = text.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let code = code.map(|(code, _)| code.to_ascii_uppercase()).unwrap_or_default();
    Status { condition, code, said: said(text) }
}

fn capabilities(names: &str) -> Vec<String> {
    names.split(' ').filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

impl Status {
    /// The first word of the code.
    pub(super) fn code_name(&self) -> &str {
        self.code.split(' ').next().unwrap_or_default()
    }

    /// The number of a code such as `UIDVALIDITY 7`.
    pub(super) fn number(&self, name: &str) -> Option<u32> {
        self.code.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok()
    }

    /// What the server can do, if the code says so.
    pub(super) fn capabilities(&self) -> Option<Vec<String>> {
        self.code.strip_prefix("CAPABILITY ").map(capabilities)
    }

    /// Whether it says that this passes (RFC 5530, 3).
    pub(super) fn is_passing(&self) -> bool {
        ["UNAVAILABLE", "INUSE", "LIMIT", "SERVERBUG", "OVERQUOTA"].contains(&self.code_name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Reply {
        read(&Bytes::copy_from_slice(text.as_bytes()))
    }

    fn told(condition: Condition, code: &str, said: &str) -> Status {
        Status { condition, code: code.to_owned(), said: said.to_owned() }
    }

    #[test]
    fn statuses_are_read_with_any_code_and_any_text() {
        let done = |tag: &str, status| Reply::Done { tag: tag.to_owned(), status };
        for (text, expected) in [
            ("* OK hello\r\n", Reply::Untagged(told(Condition::Ok, "", "hello"))),
            ("* ok\r\n", Reply::Untagged(told(Condition::Ok, "", ""))),
            ("* BYE \r\n", Reply::Untagged(told(Condition::Bye, "", ""))),
            (
                "* OK [UIDVALIDITY 7] é\r\n",
                Reply::Untagged(told(Condition::Ok, "UIDVALIDITY 7", "[UIDVALIDITY 7] ?")),
            ),
            ("* OK [alert]é\r\n", Reply::Untagged(told(Condition::Ok, "ALERT", "[alert]?"))),
            (
                "a1 NO [AUTHENTICATIONFAILED] No\r\n",
                done("a1", told(Condition::No, "AUTHENTICATIONFAILED", "[AUTHENTICATIONFAILED] No")),
            ),
            ("a1 BAD\r\n", done("a1", told(Condition::Bad, "", ""))),
            ("+ idling\r\n", Reply::Continue(Bytes::from_static(b"idling"))),
            ("+\r\n", Reply::Continue(Bytes::new())),
            (
                "* Capability IMAP4rev2  idle\r\n",
                Reply::Capabilities(vec!["IMAP4REV2".to_owned(), "IDLE".to_owned()]),
            ),
            ("* 3 EXISTS\r\n", Reply::Exists(3)),
            ("* SEARCH 3 1 2\r\n", Reply::Search(vec![3, 1, 2])),
            ("* search 3 1  2 (MODSEQ 9)\r\n", Reply::Search(vec![3, 1, 2])),
            ("* SEARCH\r\n", Reply::Search(vec![])),
            ("* 3 EXPUNGE\r\n", Reply::Expunge),
            ("* XODD (\r\n", Reply::Other),
            ("\r\n", Reply::Other),
            ("* OK FETCH is slow\r\n", Reply::Untagged(told(Condition::Ok, "", "FETCH is slow"))),
            ("* NO EXPUNGE now\r\n", Reply::Untagged(told(Condition::No, "", "EXPUNGE now"))),
            ("* 3 EXPUNGED\r\n", Reply::Other),
            ("* -3 EXISTS\r\n", Reply::Other),
            ("* 3 fetch (uid 7)\r\n", Reply::Fetch(Fetched { uid: Some(7), ..Fetched::default() })),
            ("* 3 FETCH\r\n", Reply::Unreadable),
            ("* 3 FETCH (BODY[ \r\n", Reply::Unreadable),
        ] {
            assert_eq!(of(text), expected, "{text}");
        }
        let Reply::Untagged(status) = of("* OK [CAPABILITY IMAP4rev1 IDLE]\r\n") else { panic!("no status") };
        assert_eq!(status.capabilities(), Some(vec!["IMAP4REV1".to_owned(), "IDLE".to_owned()]));
        assert_eq!(told(Condition::Ok, "UIDVALIDITY 7", "").number("UIDVALIDITY"), Some(7));
        assert_eq!(told(Condition::Ok, "UIDVALIDITY 7", "").number("UIDNEXT"), None);
    }
}
