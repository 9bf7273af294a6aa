//! What holds of every mail, of random bytes and of mails of the corpus that were damaged.

use std::sync::LazyLock;

use mail::{Limits, MAX_TEXT, Mail, read, tag};
use proptest::prelude::*;

use super::corpus::{all, uncovered};

static CORPUS: LazyLock<Vec<Vec<u8>>> =
    LazyLock::new(|| all().into_iter().map(|message| message.raw).collect());

/// What no mail may break.
fn holds(read: &Mail, limits: &Limits) -> Result<(), TestCaseError> {
    prop_assert!(read.text.whole.chars().count() <= limits.text);
    prop_assert_eq!(uncovered(read), Vec::<String>::new());
    prop_assert!(read.parts.len() <= limits.parts + 1);
    prop_assert!(read.to.len() <= 200 && read.cc.len() <= 200 && read.references.len() <= 100);
    prop_assert!(read.remarks.len() <= 50);
    let mailboxes =
        read.from.iter().chain(&read.to).chain(&read.cc).chain(&read.reply_to).chain(&read.sender);
    let lines = mailboxes.clone().flat_map(|one| [&one.name, &one.address]);
    let lines = lines.chain([&read.subject]).chain(read.parts.iter().map(|part| &part.name));
    for line in lines {
        prop_assert!(
            !line
                .contains(|c: char| c.is_control()
                    || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')),
            "{:?}",
            line
        );
    }
    for one in mailboxes {
        prop_assert!(one.address.len() <= 320 && one.address.contains('@'), "{:?}", one);
    }
    for part in &read.parts {
        prop_assert!(
            !part.name.is_empty() && !part.name.contains(['/', '\\']) && part.name.chars().count() <= 150
        );
    }
    prop_assert!(!read.text.whole.contains(|c: char| c.is_control() && c != '\n' && c != '\t'));
    prop_assert!(tag::case_tokens(read).count() <= tag::MAX_CANDIDATES);
    Ok(())
}

fn small() -> Limits {
    Limits { bytes: MAX_TEXT, parts: 9, depth: 3, text: 200, header: 2_000 }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn random_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        for limits in [Limits::default(), small()] {
            if let Ok(read) = read(&[b"Subject: x\n", bytes.as_slice()].concat(), &limits) {
                holds(&read, &limits)?;
            }
            if let Ok(read) = read(&bytes, &limits) {
                holds(&read, &limits)?;
            }
        }
    }

    #[test]
    fn damaged_mails_are_read_or_refused(
        at in any::<proptest::sample::Index>(),
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>(), 0..4_u8), 0..40),
        other in any::<proptest::sample::Index>(),
    ) {
        let mut raw = at.get(&CORPUS).clone();
        for (place, byte, kind) in changes {
            if raw.is_empty() {
                break;
            }
            let place = place.index(raw.len());
            match kind {
                0 => raw[place] = byte,
                1 => drop(raw.remove(place)),
                2 => raw.insert(place, byte),
                // Two mails, one in the middle of the other.
                _ => {
                    let piece: Vec<u8> = other.get(&CORPUS).iter().skip(place).take(200).copied().collect();
                    raw.splice(place..place, piece);
                }
            }
        }
        for limits in [Limits::default(), small()] {
            if let Ok(read) = read(&raw, &limits) {
                holds(&read, &limits)?;
            }
        }
    }

    #[test]
    fn any_text_is_the_senders_or_folded_away(
        lines in proptest::collection::vec(
            prop_oneof![
                "[a-z>:@ ]{0,30}",
                "> [a-z]{0,5}",
                Just("-- ".to_owned()),
                Just("-----Original Message-----".to_owned()),
                Just("On 5 Jan 2026, a@example.com wrote:".to_owned()),
                Just("From: a@example.com".to_owned()),
                Just("Subject: x".to_owned()),
                Just("Date: y".to_owned()),
                Just("发自我的iPhone".to_owned()),
                Just(String::new()),
            ],
            0..30,
        ),
    ) {
        let text = lines.join("\n");
        let raw = format!("Content-Type: text/plain; charset=utf-8\n\n{text}");
        let read = read(raw.as_bytes(), &Limits::default()).unwrap();
        holds(&read, &Limits::default())?;
        prop_assert_eq!(read.text.own.is_empty(), text.trim().is_empty(), "{:?}", text);
    }
}
