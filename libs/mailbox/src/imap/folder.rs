//! Names of folders as IMAP writes them: in a UTF-7 of its own (RFC 3501, 5.1.3), which
//! servers without UTF-8 all know.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::alphabet::IMAP_MUTF7;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};

const ENCODING: GeneralPurpose = GeneralPurpose::new(&IMAP_MUTF7, NO_PAD);

/// A name, within quotes.
pub(super) fn quoted(name: &str) -> String {
    let (mut encoded, mut foreign) = (String::from("\""), Vec::new());
    for c in name.chars() {
        if c == ' ' || c.is_ascii_graphic() {
            close(&mut encoded, &mut foreign);
            match c {
                '&' => encoded.push_str("&-"),
                '"' | '\\' => encoded.extend(['\\', c]),
                c => encoded.push(c),
            }
        } else {
            let mut units = [0; 2];
            foreign.extend(c.encode_utf16(&mut units).iter().flat_map(|unit| unit.to_be_bytes()));
        }
    }
    close(&mut encoded, &mut foreign);
    encoded.push('"');
    encoded
}

fn close(encoded: &mut String, foreign: &mut Vec<u8>) {
    if !foreign.is_empty() {
        let _ = write!(encoded, "&{}-", ENCODING.encode(&*foreign));
        foreign.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_written_as_the_standard_shows() {
        for (name, expected) in [
            ("INBOX", "\"INBOX\""),
            ("~peter/mail/台北/日本語", "\"~peter/mail/&U,BTFw-/&ZeVnLIqe-\""),
            ("收件箱", "\"&ZTZO9nux-\""),
            ("Black & \"White\\", "\"Black &- \\\"White\\\\\""),
            ("🎲", "\"&2Dzfsg-\""),
            ("a\r\nb", "\"a&AA0ACg-b\""),
        ] {
            assert_eq!(quoted(name), expected, "{name}");
        }
    }
}
