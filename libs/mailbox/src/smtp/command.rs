//! What a client asks for, as far as a listener heeds it.

use smtp_proto::{Error, MAIL_BODY_7BIT, MAIL_BODY_8BITMIME, MAIL_SMTPUTF8, MailFrom, RcptTo, Request};

use super::reply::Reply;

/// The recipient that every domain has, and that may be named without one.
const POSTMASTER: &str = "postmaster";

/// Most digits of a number. The parser takes one that it has no room for as another one:
/// `99999999999999999999999` is 999 to it, and what follows would be taken for commands.
const MAX_DIGITS: usize = 15;

/// A command.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Command {
    /// `HELO`.
    Helo(String),
    /// `EHLO`.
    Ehlo(String),
    /// `LHLO`.
    Lhlo(String),
    /// `MAIL`.
    Mail(Sender),
    /// `RCPT`: to whom.
    Rcpt(String),
    /// `DATA`.
    Data,
    /// `BDAT`: how many bytes follow, and whether they are the last.
    Bdat(usize, bool),
    /// `STARTTLS`.
    StartTls,
    /// `RSET`.
    Rset,
    /// `NOOP`.
    Noop,
    /// `QUIT`.
    Quit,
    /// Something that has but one answer.
    Answered(Reply),
}

/// Of whom a message is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sender {
    /// None: the null return path.
    pub(super) address: Option<String>,
    /// How large it is, by their word; 0 if they do not say.
    pub(super) size: usize,
    /// Whether its addresses may hold what is not ASCII.
    pub(super) is_utf8: bool,
}

/// Reads a line. One that is no command, or asks for what was not offered, is a command
/// too: its answer is clear.
pub(super) fn read(line: &[u8]) -> Command {
    let Ok(text) = std::str::from_utf8(line) else { return Command::Answered(Reply::MALFORMED) };
    match Request::parse(&mut line.iter()) {
        Ok(Request::Ehlo { host }) => Command::Ehlo(host.into_owned()),
        Ok(Request::Helo { host }) => Command::Helo(host.into_owned()),
        Ok(Request::Lhlo { host }) => Command::Lhlo(host.into_owned()),
        Ok(Request::Mail { from }) => mail(&from, text),
        Ok(Request::Rcpt { to }) => rcpt(to, text),
        Ok(Request::Data) => Command::Data,
        Ok(Request::Bdat { .. }) if longest_number(text) > MAX_DIGITS => Command::Answered(Reply::SYNTAX),
        Ok(Request::Bdat { chunk_size, is_last }) => Command::Bdat(chunk_size, is_last),
        Ok(Request::StartTls) => Command::StartTls,
        Ok(Request::Rset) => Command::Rset,
        Ok(Request::Noop { .. }) => Command::Noop,
        Ok(Request::Quit) => Command::Quit,
        Ok(Request::Vrfy { .. }) => Command::Answered(Reply::CANNOT_VERIFY),
        Ok(Request::Help { .. }) => Command::Answered(Reply::HELP),
        Ok(
            Request::Auth { .. }
            | Request::Expn { .. }
            | Request::Etrn { .. }
            | Request::Atrn { .. }
            | Request::Burl { .. },
        ) => Command::Answered(Reply::NOT_DONE_HERE),
        Err(error) => Command::Answered(fault(&error)),
    }
}

fn fault(error: &Error) -> Reply {
    match error {
        Error::UnknownCommand => Reply::UNKNOWN_COMMAND,
        Error::InvalidSenderAddress => Reply::BAD_SENDER,
        Error::InvalidRecipientAddress => Reply::BAD_RECIPIENT,
        Error::UnsupportedParameter { .. } => Reply::UNKNOWN_PARAMETER,
        _ => Reply::SYNTAX,
    }
}

fn mail<T: AsRef<str>>(from: &MailFrom<T>, line: &str) -> Command {
    let MailFrom { address, flags, size, trans_id, by, env_id, solicit, mtrk, auth, .. } = from;
    let strange = flags & !(MAIL_BODY_7BIT | MAIL_BODY_8BITMIME | MAIL_SMTPUTF8);
    let named = [trans_id, env_id, solicit, auth].iter().any(|parameter| parameter.is_some());
    let numbered = *by != 0 || from.hold_for != 0 || from.hold_until != 0 || from.mt_priority != 0;
    if strange != 0 || named || numbered || mtrk.is_some() {
        return Command::Answered(Reply::UNKNOWN_PARAMETER);
    }
    let address = address.as_ref();
    let parameters = line.rsplit('>').next().unwrap_or_default();
    if longest_number(parameters) > MAX_DIGITS {
        return Command::Answered(Reply::TOO_LARGE);
    }
    // To the parser `<postmaster>`, `<"">` and `<>` are all empty.
    if address.is_empty() && !path(line).is_empty() {
        return Command::Answered(Reply::BAD_SENDER);
    }
    let is_utf8 = flags & MAIL_SMTPUTF8 != 0;
    if !is_utf8 && !address.is_ascii() {
        return Command::Answered(Reply::NOT_ASCII);
    }
    let address = (!address.is_empty()).then(|| address.to_owned());
    Command::Mail(Sender { address, size: *size, is_utf8 })
}

fn rcpt<T: AsRef<str>>(to: RcptTo<T>, line: &str) -> Command {
    let RcptTo { address, orcpt, rrvs, flags } = to;
    if orcpt.is_some() || rrvs != 0 || flags != 0 {
        return Command::Answered(Reply::UNKNOWN_PARAMETER);
    }
    match address.as_ref() {
        "" if path(line).eq_ignore_ascii_case(POSTMASTER) => Command::Rcpt(POSTMASTER.to_owned()),
        "" => Command::Answered(Reply::BAD_RECIPIENT),
        address => Command::Rcpt(address.to_owned()),
    }
}

/// How many digits the longest number in a text has.
fn longest_number(text: &str) -> usize {
    text.split(|c: char| !c.is_ascii_digit()).map(str::len).max().unwrap_or_default()
}

/// What stands between the angle brackets of a line.
fn path(line: &str) -> &str {
    let path = line.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    path.map(|(path, _)| path.trim()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(line: &str) -> Command {
        read(format!("{line}\r\n").as_bytes())
    }

    fn sender(address: Option<&str>) -> Command {
        Command::Mail(Sender { address: address.map(str::to_owned), size: 0, is_utf8: false })
    }

    #[test]
    fn commands_are_read_in_any_case() {
        let utf8 = Sender { address: Some("é@example.org".to_owned()), size: 12, is_utf8: true };
        for (line, command) in [
            ("ehlo example.org", Command::Ehlo("example.org".to_owned())),
            ("HELO [192.0.2.1]", Command::Helo("[192.0.2.1]".to_owned())),
            ("LHLO a", Command::Lhlo("a".to_owned())),
            ("MAIL FROM:<>", sender(None)),
            ("mail from: <a@example.org>", sender(Some("a@example.org"))),
            ("MAIL FROM:<a@example.org> BODY=8BITMIME", sender(Some("a@example.org"))),
            ("MAIL FROM:<é@example.org> SMTPUTF8 SIZE=12", Command::Mail(utf8)),
            // Quotes are taken off.
            ("RCPT TO:<\"a @b\"@example.org>", Command::Rcpt("a @b@example.org".to_owned())),
            ("RCPT TO:<PostMaster>", Command::Rcpt("postmaster".to_owned())),
            ("RCPT TO:<@relay.example:a@example.org>", Command::Rcpt("a@example.org".to_owned())),
            ("BDAT 86 LAST", Command::Bdat(86, true)),
            ("BDAT 0", Command::Bdat(0, false)),
            ("data", Command::Data),
            ("StartTLS", Command::StartTls),
            ("RSET", Command::Rset),
            ("NOOP what", Command::Noop),
            ("QUIT", Command::Quit),
        ] {
            assert_eq!(of(line), command, "{line}");
        }
    }

    #[test]
    fn what_is_not_offered_or_no_command_is_answered() {
        for (line, reply) in [
            ("", Reply::UNKNOWN_COMMAND),
            ("GET / HTTP/1.1", Reply::UNKNOWN_COMMAND),
            ("EHLO", Reply::SYNTAX),
            ("MAIL FROM:a@example.org", Reply::SYNTAX),
            ("MAIL FROM:<a>", Reply::BAD_SENDER),
            ("MAIL FROM:<postmaster>", Reply::BAD_SENDER),
            ("MAIL FROM:<é@example.org>", Reply::NOT_ASCII),
            ("MAIL FROM:<a@example.org> BODY=BINARYMIME", Reply::UNKNOWN_PARAMETER),
            ("MAIL FROM:<a@example.org> AUTH=<>", Reply::UNKNOWN_PARAMETER),
            ("MAIL FROM:<a@example.org> RET=FULL", Reply::UNKNOWN_PARAMETER),
            ("MAIL FROM:<a@example.org> X=1", Reply::UNKNOWN_PARAMETER),
            ("MAIL FROM:<\"\">", Reply::BAD_SENDER),
            ("RCPT TO:<\"\">", Reply::BAD_RECIPIENT),
            ("RCPT TO:<>", Reply::BAD_RECIPIENT),
            ("RCPT TO:<a@b@c>", Reply::BAD_RECIPIENT),
            ("RCPT TO:<a@example.org> NOTIFY=NEVER", Reply::UNKNOWN_PARAMETER),
            ("MAIL FROM:<a@example.org> SIZE=99999999999999999999999", Reply::TOO_LARGE),
            ("BDAT 99999999999999999999999", Reply::SYNTAX),
            ("BDAT", Reply::SYNTAX),
            ("BDAT x LAST", Reply::SYNTAX),
            ("VRFY a", Reply::CANNOT_VERIFY),
            ("EXPN a", Reply::NOT_DONE_HERE),
            ("AUTH PLAIN AGEAYg==", Reply::NOT_DONE_HERE),
        ] {
            assert_eq!(of(line), Command::Answered(reply), "{line}");
        }
        assert_eq!(read(b"NOOP \xff\r\n"), Command::Answered(Reply::MALFORMED));
    }

    proptest! {
        /// No line makes the parser panic or want more, and no address has a line in it.
        #[test]
        fn every_line_has_an_answer(line in "(MAIL FROM:|RCPT TO:|EHLO |BDAT |AUTH )?[<>@a-z0-9 =\"\\\\.:,+é;-]{0,60}") {
            if let Command::Rcpt(address) | Command::Ehlo(address) = of(&line) {
                prop_assert!(!address.is_empty() && !address.contains(['\r', '\n']));
            }
        }

        #[test]
        fn bytes_have_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let line: Vec<u8> = bytes.into_iter().filter(|byte| !matches!(byte, 0 | b'\r' | b'\n')).collect();
            read(&[&line[..], b"\r\n"].concat());
        }
    }
}
