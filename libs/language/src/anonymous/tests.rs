//! What is found in texts and what is put in its place; that nothing of it is left.

use jiff::civil::date;
use proptest::prelude::*;

use super::*;
use crate::personal::personal_details;

fn name(forms: &[&str]) -> Party {
    Party { kind: IdentifyingKind::Name, forms: forms.iter().map(|form| (*form).to_owned()).collect() }
}

fn told(parties: Vec<Party>, text: &str) -> String {
    let mut anonymiser = Anonymiser::new(parties, Some(date(2026, 11, 3)));
    anonymiser.anonymise(vec![text.to_owned()]).remove(0)
}

#[test]
fn each_kind_has_its_placeholder_in_chinese_and_english() {
    for (text, expected) in [
        ("Call +86 138 0013 8000 or ann@example.org", "Call [PHONE 1] or [EMAIL 1]"),
        ("电话１３８００１３８０００，谢谢", "电话[PHONE 1]，谢谢"),
        ("My name is Ann Lee, order no. A-20417 is late", "My name is [NAME 1], order no. [ORDER 1] is late"),
        ("我叫王小明，订单号：JD13800138000 没到", "我叫[NAME 1]，订单号：[ORDER 1] 没到"),
        ("王小明先生说：找李经理", "[NAME 1]先生说：找[NAME 2]"),
        ("Mr Miller and Dr. O'Neil", "Mr [NAME 1] and Dr. [NAME 2]"),
        ("地址：北京市朝阳区建国路88号3栋201室，请上门", "地址：[ADDRESS 1]，请上门"),
        ("送到上海市浦东新区世纪大道100号，没人", "[ADDRESS 1]，没人"),
        ("I live at 12 Old Mill Road, BS1 4DJ.", "I live at [ADDRESS 1], [ADDRESS 2]."),
        ("身份证 11010519491231002X", "身份证 [IDENTITY 1]"),
        ("card 4111 1111 1111 1111", "card [CARD 1]"),
        ("IBAN DE89 3704 0044 0532 0130 00", "IBAN [ACCOUNT 1]"),
        ("微信号 kettle_fan88, QQ: 10001000", "微信号 [ACCOUNT 1], QQ: [ACCOUNT 2]"),
        ("see https://example.org/p/1?x=2, please", "see [LINK 1], please"),
        ("on 2026-11-05 and 2026年11月1日, since 11月4日", "on [DAY 2] and [DAY -2], since [DAY 1]"),
        ("from 3 November 2026 to Nov 30, born 02/03/1961", "from [DAY 0] to [DAY 27], born [DATE 1]"),
        ("born 1961-03-02", "born [DATE 1]"),
        ("0190a5c4-7d00-7000-8000-0123456789ab", "[NUMBER 1]"),
        ("case X99887766Z", "case [ORDER 1]"),
    ] {
        assert_eq!(told(vec![], text), expected);
    }
}

/// Not a measure: what is done to one long text must not grow with its square.
#[test]
fn a_long_text_is_read_to_its_end() {
    let text = "打电话13800138000给王小明, order 20261129-0001, 12 Old Mill Road. ".repeat(250);
    let anonymous = told(vec![name(&["王小明"])], &text);
    assert_eq!(anonymous.matches("[PHONE 1]给[NAME 1], order [ORDER 1], [ADDRESS 1]").count(), 250);
}

#[test]
fn a_receipt_code_is_known_by_its_check_character() {
    use kernel::receipt::{ReceiptCode, ReceiptKey};
    let key = ReceiptKey::new(b"a key for these tests").unwrap();
    let code = ReceiptCode::derive(&key, uuid::Uuid::from_u128(7)).to_string();
    assert_eq!(told(vec![], &format!("My code: {code}.")), "My code: [RECEIPT 1].");
    assert_eq!(told(vec![], &format!("代码{}", code.to_lowercase())), "代码[RECEIPT 1]");
}

#[test]
fn what_names_nobody_stays() {
    for text in [
        "The kettle arrived broken on the third day; EUR 39.90 was refunded.",
        "水壶坏了，要求退款300元，客服说等3天。",
        "Call 400-820-8820, it is a free number. Version 1.2.3 of the app.",
        "decided: upheld, a remedy is due: the carrier dropped it",
        "The order came late. We refund the account within 5 days.",
        "高兴。方案已经执行。",
        "[NAME 1] called [PHONE 2] on [DAY -3]",
        "",
    ] {
        assert_eq!(told(vec![], text), text);
    }
}

#[test]
fn one_person_is_one_placeholder_however_they_are_written() {
    let lee = name(&["ann.lee", "Ann  LEE"]);
    let text = "Ann Lee wrote, ann.lee answered, ANN LEE called; Lee said no, ann did not. Annual leave.";
    assert_eq!(
        told(vec![lee], text),
        "[NAME 1] wrote, [NAME 1] answered, [NAME 1] called; [NAME 1] said no, ann did not. Annual leave."
    );
    let wang = name(&["王小明"]);
    assert_eq!(
        told(vec![wang], "王小明来电，王先生很生气，王经理没来"),
        "[NAME 1]来电，[NAME 1]很生气，[NAME 1]没来"
    );
}

#[test]
fn one_number_is_one_placeholder_in_all_texts() {
    let mut anonymiser = Anonymiser::new([], None);
    let texts = ["call 138-0013-8000", "+8613800138000 or 010-88886666", "13800138000"].map(str::to_owned);
    assert_eq!(
        anonymiser.anonymise(texts.to_vec()),
        ["call [PHONE 1]", "[PHONE 1] or [PHONE 2]", "[PHONE 1]"]
    );
}

#[test]
fn a_name_that_one_text_gives_away_is_found_in_the_others() {
    let mut anonymiser = Anonymiser::new([], None);
    let texts =
        ["Miller was furious", "Regards,\nJoan Miller", "王小明来过", "我叫王小明。"].map(str::to_owned);
    assert_eq!(
        anonymiser.anonymise(texts.to_vec()),
        ["[NAME 1] was furious", "Regards,\n[NAME 1]", "[NAME 2]来过", "我叫[NAME 2]。"]
    );
}

#[test]
fn placeholders_that_are_there_are_not_given_again() {
    assert_eq!(told(vec![], "[PHONE 1] and 13800138000"), "[PHONE 1] and [PHONE 2]");
}

#[test]
fn where_it_still_tells_is_told() {
    let anonymiser = Anonymiser::new([name(&["ann"])], None);
    let found = anonymiser.identifying("fine\nask Ann\n[NAME 1] of 13800138000");
    let told: Vec<_> = found.iter().map(|one| (one.kind, one.line, one.column)).collect();
    assert_eq!(told, [(IdentifyingKind::Name, 2, 5), (IdentifyingKind::Telephone, 3, 13)]);
}

/// Details, and how they are written where they stand.
fn detail() -> impl Strategy<Value = String> {
    let family = prop::sample::select(vec!["王", "李", "张", "欧阳", "陈"]);
    prop_oneof![
        (0..100_000_000_u32).prop_map(|last| format!("139{last:08}")),
        (0..10_000_u32, 0..10_000_u32).prop_map(|(one, other)| format!("+86 138 {one:04} {other:04}")),
        "[a-z]{2,9}[0-9]{0,3}@[a-z]{2,9}\\.(com|cn|org)",
        "JD[0-9]{9,14}",
        "[0-9]{4}-[A-Z]{2}[0-9]{6}-[0-9]{3}",
        (family, "[明芳伟静丽]{1,2}").prop_map(|(family, given)| format!("{family}{given}")),
        "[A-Z][a-z]{3,8} [A-Z][a-z]{4,9}",
        "https://[a-z]{3,9}\\.example/[a-z0-9]{1,9}",
        Just("11010519491231002X".to_owned()),
        Just("4111 1111 1111 1111".to_owned()),
        Just("北京市朝阳区建国路88号3栋201室".to_owned()),
        Just("12 Old Mill Road".to_owned()),
    ]
}

/// Which party makes a detail known that has no form of its own.
fn known(detail: &str) -> Option<Party> {
    let is_name = detail.chars().all(|c| c.is_alphabetic() || c == ' ');
    is_name.then(|| name(&[detail]))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_detail_survives_each_has_one_placeholder_and_again_changes_nothing(
        details in prop::collection::vec(detail(), 1..6),
        words in prop::collection::vec("[，。;: ]|the kettle |水壶坏了，|, then |\n|退款。", 1..12),
        order in prop::collection::vec(any::<prop::sample::Index>(), 1..10),
    ) {
        let mut text = String::new();
        for (at, which) in order.iter().enumerate() {
            let (word, detail) = (&words[at % words.len()], &details[which.index(details.len())]);
            text.extend([" ", word.as_str(), " ", detail.as_str()]);
            text += " ";
        }
        let parties: Vec<Party> = details.iter().filter_map(|detail| known(detail)).collect();
        let mut anonymiser = Anonymiser::new(parties.clone(), Some(date(2026, 11, 3)));
        let anonymous = anonymiser.anonymise(vec![text.clone()]).remove(0);
        for detail in &details {
            prop_assert!(!anonymous.contains(detail.as_str()), "{detail} is left in {anonymous}");
        }
        prop_assert!(anonymiser.identifying(&anonymous).is_empty(), "{anonymous}");
        prop_assert_eq!(personal_details(&anonymous), []);
        let again = Anonymiser::new(parties.clone(), Some(date(2026, 11, 3)));
        prop_assert_eq!(again.identifying(&anonymous), [], "{}", anonymous);
        // In a text of its own, each is what it is among the others.
        let alone = anonymiser.anonymise(details.iter().map(|detail| format!(" {detail} ")).collect());
        for which in &order {
            let placeholder = alone[which.index(details.len())].trim();
            prop_assert!(anonymous.contains(placeholder), "{placeholder} is not in {anonymous}");
        }
    }

    #[test]
    fn any_text_is_read_and_ends_without_details(text in "[0-9a-zA-Z王先生我叫订单号地址路月日@.+:：，\\[\\] \n-]{0,80}") {
        let mut anonymiser = Anonymiser::new([], Some(date(2026, 11, 3)));
        let anonymous = anonymiser.anonymise(vec![text]).remove(0);
        prop_assert_eq!(anonymiser.identifying(&anonymous), [], "{}", anonymous);
        prop_assert_eq!(Anonymiser::new([], None).anonymise(vec![anonymous.clone()]), [anonymous]);
    }
}

#[test]
fn who_is_named_by_a_word_of_any_text_does_not_mask_it_everywhere() {
    let text = "a parcel came to an address in the city, and will be sent by Will Young and bob";
    for name in ["a", "A", "an", "in", "the", "will", "and"] {
        let party = Party { kind: IdentifyingKind::Name, forms: vec![name.to_owned()] };
        let kept = Anonymiser::new([party], None).anonymise(vec![text.to_owned()]);
        assert_eq!(kept, [text], "{name} masks words");
    }
    // The rest of a name still tells who it is; where it is a word it is one.
    let party =
        Party { kind: IdentifyingKind::Name, forms: vec!["will".to_owned(), "Will Young".to_owned()] };
    let made = Anonymiser::new([party], None).anonymise(vec![text.to_owned()]);
    assert_eq!(made, ["a parcel came to an address in the city, and will be sent by [NAME 1] and bob"],);
    for (name, text, made) in [
        ("bob", "assigned to bob", "assigned to [NAME 1]"),
        ("张伟", "请张伟处理", "请[NAME 1]处理"),
        ("li", "assigned to li", "assigned to li"),
    ] {
        let party = Party { kind: IdentifyingKind::Name, forms: vec![name.to_owned()] };
        assert_eq!(Anonymiser::new([party], None).anonymise(vec![text.to_owned()]), [made]);
    }
}
