//! The corpus: mails written for this project in the manner of many programs, languages and
//! charsets, put together from `tests/corpus` and read back.

mod assemble;
mod encode;
mod table;

use std::collections::BTreeSet;

use mail::{Limits, Mail, read};

pub(crate) use assemble::{Expected, all};

/// Fewest mails: all of them are different.
const FEWEST: usize = 500;

#[test]
fn every_mail_of_the_corpus_is_read_as_it_was_written() {
    let messages = all();
    let mut wrong = Vec::new();
    for message in &messages {
        let found = differences(&message.expected, &read(&message.raw, &Limits::default()).unwrap());
        if !found.is_empty() {
            wrong.push(format!("{}\n  {}", message.title, found.join("\n  ")));
        }
    }
    let shown: Vec<&String> = wrong.iter().take(20).collect();
    assert!(wrong.is_empty(), "{} of {} are wrong: {shown:#?}", wrong.len(), messages.len());
}

#[test]
fn the_corpus_is_large_and_no_mail_is_there_twice() {
    let messages = all();
    let raw: BTreeSet<&[u8]> = messages.iter().map(|message| message.raw.as_slice()).collect();
    let titles: BTreeSet<&str> = messages.iter().map(|message| message.title.as_str()).collect();
    assert_eq!((raw.len(), titles.len()), (messages.len(), messages.len()));
    assert!(messages.len() >= FEWEST, "only {}", messages.len());
    let automatic = messages.iter().filter(|message| message.expected.automatic.is_some()).count();
    assert!(automatic > 50 && messages.len() - automatic > FEWEST, "{automatic} of {}", messages.len());
}

/// In what a mail was read otherwise than it was written.
fn differences(expected: &Expected, mail: &Mail) -> Vec<String> {
    let mut found = Vec::new();
    let mut differ = |what: &str, expected: &dyn std::fmt::Debug, read: &dyn std::fmt::Debug| {
        let (expected, read) = (format!("{expected:?}"), format!("{read:?}"));
        if expected != read {
            found.push(format!("{what}: {expected} was read as {read}"));
        }
    };
    differ("subject", &expected.subject, &mail.subject);
    let from = mail.from.as_ref().map(|from| (from.name.as_str(), from.address.as_str()));
    differ("from", &Some((expected.name.as_str(), expected.address.as_str())), &from);
    differ("own", &expected.own, &mail.text.own);
    differ("from_html", &expected.from_html, &mail.text.from_html);
    differ("automatic", &expected.automatic, &mail.automatic.map(|why| format!("{why:?}")));
    let parts: Vec<(&str, &str, bool, &[u8])> = mail
        .parts
        .iter()
        .map(|part| (part.name.as_str(), part.media_type.as_str(), part.inline, part.content.as_slice()))
        .collect();
    let sent: Vec<(&str, &str, bool, &[u8])> = expected
        .parts
        .iter()
        .map(|part| (part.name.as_str(), part.media_type, part.is_inline, part.content.as_slice()))
        .collect();
    differ("parts", &sent, &parts);
    let lost: Vec<&String> = expected.shown.iter().filter(|line| !mail.text.whole.contains(*line)).collect();
    differ("lost", &Vec::<&String>::new(), &lost);
    let codes: Vec<&str> = mail.remarks.iter().map(mail::Remark::code).collect();
    let is_remarked = expected.remark.as_deref().is_none_or(|code| codes.contains(&code));
    differ("remark", &true, &is_remarked);
    differ("uncovered", &Vec::<String>::new(), &uncovered(mail));
    found
}

/// Lines of the text that are neither the sender's nor folded away.
pub(crate) fn uncovered(mail: &Mail) -> Vec<String> {
    let lines = |text: &str| -> Vec<String> {
        text.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
    };
    let mut left = lines(&mail.text.own);
    left.extend(lines(&mail.text.quoted));
    let mut found = lines(&mail.text.whole);
    found.retain(|line| match left.iter().position(|kept| kept == line) {
        Some(at) => {
            left.swap_remove(at);
            false
        }
        None => true,
    });
    // Nor is there anything in them that the text does not hold.
    found.extend(left);
    found
}
