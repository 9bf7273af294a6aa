//! What is done with mails, whatever they say.

use mail::Limits;
use proptest::prelude::*;

use super::*;

fn read(text: &str) -> Mail {
    mail::read(text.as_bytes(), &Limits::default()).expect("a mail")
}

fn kept(text: &str) -> InboundMail {
    let envelope =
        Envelope { mailbox: "shop".to_owned(), recipients: Vec::new(), received: Timestamp::UNIX_EPOCH };
    InboundMail::new(Uuid::from_u128(7), envelope, text.as_bytes(), Some(&read(text)))
}

fn mail_of(headers: &str, text: &str) -> String {
    format!("From: Ada <Ada@Example.org>\r\nMessage-ID: <1@example.org>\r\n{headers}\r\n{text}\r\n")
}

#[test]
fn what_programs_send_goes_its_road_unless_somebody_says_otherwise() {
    for (headers, expected) in [
        ("", Road::Take { automatic: false }),
        ("Auto-Submitted: no\r\n", Road::Take { automatic: false }),
        ("Auto-Submitted: auto-generated\r\n", Road::Take { automatic: true }),
        ("Auto-Submitted: auto-replied\r\n", Road::SetAside(SetAside::AutoReply)),
        ("Precedence: bulk\r\n", Road::SetAside(SetAside::Bulk)),
    ] {
        let mail = read(&mail_of(headers, "The cup broke."));
        assert_eq!(road(&mail, false), expected, "{headers}");
        assert!(matches!(road(&mail, true), Road::Take { .. }), "{headers}");
    }
    let own =
        read("From: a@b.example\r\nMessage-ID: <00000000-0000-0000-0000-000000000000@redress>\r\n\r\nx\r\n");
    assert_eq!(road(&own, false), Road::SetAside(SetAside::Own));
}

#[test]
fn a_mail_is_known_by_what_it_says_and_not_by_what_servers_add() {
    let one = mail_of("Subject: x\r\n", "The cup broke.");
    let same = format!("Received: from a by b\r\nX-Spam: no\r\n{one}");
    assert_eq!(kept(&one).identity, kept(&same).identity);
    assert_eq!(kept(&one).identity, kept(&format!("{one}\r\n")).identity, "as lettre hands it over");
    for other in [
        mail_of("Subject: y\r\n", "The cup broke."),
        mail_of("Subject: x\r\n", "The saucer broke."),
        one.replace("<1@", "<2@"),
        one.replace("Ada@", "Bob@"),
    ] {
        assert_ne!(kept(&one).identity, kept(&other).identity, "{other}");
    }
    let bare = one.replace("Message-ID: <1@example.org>\r\n", "");
    assert_ne!(kept(&bare).identity, kept(&format!("X-Spam: no\r\n{bare}")).identity, "by its bytes");
    assert_eq!(kept(&one).sender, "ada@example.org");
}

#[test]
fn the_language_is_that_of_the_mail_its_letters_or_its_mailbox() {
    let settings = |language: &str| Settings {
        id: "shop".to_owned(),
        address: "complaints@shop.example".to_owned(),
        imap: None,
        owner: "ada".to_owned(),
        language: language.to_owned(),
        category_hint: String::new(),
        max_per_sender_hour: 20,
        silent_after: None,
        paused: false,
    };
    let of = |headers: &str, text: &str, mailbox: &str| {
        language(&read(&mail_of(headers, text)), text, &settings(mailbox))
    };
    assert_eq!(of("Content-Language: fr\r\n", "Bonjour", "en"), "fr");
    assert_eq!(of("", "杯子第一天就碎了，型号 AB-12。", "en"), "zh-CN");
    assert_eq!(of("", "杯子碎了", "zh-TW"), "zh-TW", "the mailbox knows better which Chinese");
    assert_eq!(of("", "The cup 杯 broke on the first day", "en"), "en");
    assert_eq!(of("", "It arrived in pieces on the first day.", "zh-CN"), "en");
    assert_eq!(of("", "AB-12, 订单号", "zh-CN"), "zh-CN");
    assert_eq!(of("", "OK, thanks", "zh-CN"), "zh-CN", "too short to say");
    assert_eq!(of("", "カップが割れました", "en"), "en");
}

#[test]
fn a_text_that_is_too_long_is_cut_and_said_to_be() {
    let long = read(&mail_of("", &"word ".repeat(5_000)));
    let mut remarks = Vec::new();
    assert_eq!(text(&long, &mut remarks).chars().count(), MAX_TEXT);
    assert_eq!(remarks.len(), 1);
    let (mut remarks, quotes) = (Vec::new(), read(&mail_of("", "> only a quote")));
    assert!(text(&quotes, &mut remarks).contains("only a quote"), "what is nothing but quotes is kept");
    assert_eq!(text(&read(&mail_of("", "")), &mut remarks), NO_TEXT);
    assert!(remarks.is_empty());
}

proptest! {
    #[test]
    fn parts_have_ids_of_their_own_in_their_order(id in any::<u128>(), place in 0..4_000_usize) {
        let mail = InboundMail { id: Uuid::from_u128(id), ..kept(&mail_of("", "x")) };
        let (one, next) = (mail.part_id(place), mail.part_id(place + 1));
        prop_assert_eq!(one, mail.part_id(place), "the same whenever it is tried");
        prop_assert!(one < next);
        prop_assert_eq!(one.get_version_num(), 7);
    }

    #[test]
    fn whatever_is_remarked_there_is_room_for_it(remarks in prop::collection::vec(".{0,400}", 0..120)) {
        let mut mail = kept(&mail_of("", "x"));
        for remark in &remarks {
            mail.remark(remark);
        }
        prop_assert!(mail.remarks.len() <= MAX_REMARKS);
        prop_assert!(mail.remarks.iter().all(|remark| remark.chars().count() <= MAX_REMARK));
    }
}
