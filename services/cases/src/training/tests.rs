//! What becomes of a closed case that is to be learnt from.

use jiff::SignedDuration;
use kernel::CaseId;
use kernel::receipt::{ReceiptCode, ReceiptKey};
use proptest::prelude::*;
use triage::Triage;
use uuid::Uuid;
use vocabulary::Level;

use super::*;
use crate::case::{Occasion, Origin};
use crate::timeline::Visibility;

fn received() -> Timestamp {
    "2026-11-03T10:00:00Z".parse().unwrap()
}

fn case(subject: &str) -> Case {
    let origin = Origin {
        subject: subject.to_owned(),
        language: "zh-CN".to_owned(),
        ..Origin::of_somebody(received())
    };
    let triage = Triage {
        category: "delivery/late".to_owned(),
        priority: Priority::P2,
        complexity: Level::Medium,
        reasons: vec![],
    };
    let at = Occasion { now: received(), actor: "<cases>", traceparent: "" };
    Case::open(CaseId(Uuid::from_u128(1)), origin, triage, &at)
}

fn entry(after: SignedDuration, kind: Kind, text: &str) -> Entry {
    Entry {
        ordinal: 1,
        time: received() + after,
        cycle: 1,
        kind,
        visibility: Visibility::Internal,
        actor: "bob".to_owned(),
        text: text.to_owned(),
        trace_id: String::new(),
    }
}

fn source(subject: &str, description: &str, entries: Vec<Entry>) -> Source {
    Source {
        case: case(subject),
        description: description.to_owned(),
        order_key: sameness::number("A-17"),
        entries,
        names: HashMap::from([("bob".to_owned(), "bob hope".to_owned())]),
    }
}

#[test]
fn a_case_is_told_without_those_it_is_about_in_days_since_it_came() {
    let entries = vec![
        entry(SignedDuration::from_hours(1), Kind::Assigned, "assigned to bob of care: least loaded"),
        entry(
            SignedDuration::from_hours(49),
            Kind::Note,
            "Bob Hope called 张伟 (c77) on 2026-11-05 about a-17",
        ),
        entry(SignedDuration::from_hours(50), Kind::Note, "mallory stone denies it"),
    ];
    let whole = source("张伟的快递", "我是张伟,订单 A-17,电话13800138000。", entries);
    let told = vec![Party { kind: IdentifyingKind::Name, forms: vec!["张伟".to_owned()] }];
    let (about, content) = whole.anonymous(told, vec![Challenge::Disputed]);
    assert_eq!((about.category.as_str(), about.priority), ("delivery/late", Priority::P2));
    assert_eq!(about.challenges, [Challenge::Disputed]);
    assert_eq!(content.title, "[NAME 1]的快递");
    assert_eq!(content.description, "我是[NAME 1],订单 [ORDER 1],电话[PHONE 1]。");
    let steps: Vec<(i64, &str)> = content.steps.iter().map(|step| (step.after_s, &*step.text)).collect();
    assert_eq!(
        steps,
        [
            (3_600, "assigned to [NAME 2] of care: least loaded"),
            (176_400, "[NAME 2] called [NAME 1] ([ACCOUNT 1]) on [DAY 2] about [ORDER 1]"),
            (180_000, "[NAME 3] denies it"),
        ]
    );
}

#[test]
fn an_agent_named_by_a_word_leaves_the_words_of_the_texts() {
    let entries = vec![entry(SignedDuration::ZERO, Kind::Note, "a kettle came to an office; An Li saw it")];
    let mut whole = source("a late kettle", "a parcel for an office", entries);
    whole.names = HashMap::from([("a".to_owned(), "a".to_owned()), ("an".to_owned(), "an li".to_owned())]);
    let (_, content) = whole.anonymous(vec![], vec![]);
    assert_eq!(content.title, "a late kettle");
    assert_eq!(content.description, "a parcel for an office");
    assert_eq!(content.steps[0].text, "a kettle came to an office; [NAME 1] saw it");
}

#[test]
fn a_long_step_ends_before_what_would_be_cut_in_two() {
    let long = format!("{} 13800138000 and more", "x ".repeat(MAX_STEP / 2 - 3));
    let (_, content) =
        source("x", "x", vec![entry(SignedDuration::ZERO, Kind::Note, &long)]).anonymous(vec![], vec![]);
    assert!(content.steps[0].text.ends_with("x x  "), "{}", content.steps[0].text);
    let names = "bob ".repeat(MAX_STEP / 4);
    let (_, content) =
        source("x", "x", vec![entry(SignedDuration::ZERO, Kind::Note, &names)]).anonymous(vec![], vec![]);
    assert!(content.steps[0].text.ends_with("[NAME 1] "), "{}", content.steps[0].text);
    assert!(content.steps[0].text.chars().count() <= MAX_STEP);
}

#[test]
fn raised_by_being_reopened_is_not_escalated() {
    let course = |cycle, tier| Course { cycle, tier, ..Course::default() }.challenges();
    assert_eq!(course(1, 0), []);
    assert_eq!(course(2, 1), [Challenge::Reopened]);
    assert_eq!(course(2, 2), [Challenge::Reopened, Challenge::Escalated]);
}

proptest! {
    /// Whatever is planted where, in whatever words: none of it is in what is made, nothing that
    /// is made tells who somebody is, and one thing has one placeholder in all of it.
    #[test]
    fn nothing_that_was_planted_survives(
        phone in "1[3-9][0-9]{9}",
        email in "[a-z]{3,8}@[a-z]{3,8}\\.(com|cn)",
        name in "[A-Z][a-z]{4,8} [A-Z][a-z]{4,8}",
        han in "[王李张刘陈][明芳伟静丽]{1,2}",
        // QQ and figures are somebody's account.
        order in "[A-P][A-Z][0-9]{10,12}",
        seed in any::<u128>(),
        places in prop::collection::vec((0..6_usize, 0..4_usize), 1..20),
    ) {
        let code = ReceiptCode::derive(&ReceiptKey::new(b"a key for these tests").unwrap(), Uuid::from_u128(seed));
        let details = [phone, email, name.clone(), han.clone(), order, code.to_string()];
        let mut texts = ["水壶 ", "The parcel came late. ", "客服说: ", "He said: "].map(str::to_owned);
        for (detail, text) in &places {
            texts[*text].extend([details[*detail].as_str(), " , 然后 then "]);
        }
        let [subject, description, first, second] = texts;
        let entries = vec![
            entry(SignedDuration::ZERO, Kind::Note, &first),
            entry(SignedDuration::from_hours(30), Kind::Findings, &second),
        ];
        let names = [name, han].map(|name| Party { kind: IdentifyingKind::Name, forms: vec![name] });
        let whole = source(&subject, &description, entries);
        let known = whole.clone();
        let (_, content) = whole.anonymous(names.to_vec(), vec![]);
        let made: Vec<String> = content.texts().into_iter().map(|(_, text)| text.to_owned()).collect();
        let all = made.join("\n");
        for detail in &details {
            prop_assert!(!all.contains(detail.as_str()), "{detail} is left in {all}");
        }
        for (at, placeholder) in ["PHONE", "EMAIL", "NAME", "NAME", "ORDER", "RECEIPT"].into_iter().enumerate() {
            let planted = places.iter().any(|(detail, _)| *detail == at);
            // A Chinese order number without its label is a number; each is one thing alone.
            let second = format!("[{placeholder} {}]", if placeholder == "NAME" { 3 } else { 2 });
            prop_assert!(!all.contains(&second), "{second} in {all}");
            let told = all.contains(&format!("[{placeholder} ")) || placeholder == "ORDER" && all.contains("[NUMBER 1]");
            prop_assert!(!planted || told, "no {placeholder} in {all}");
        }
        let anonymiser = known.anonymiser(names.to_vec(), made.iter().map(String::as_str));
        for text in &made {
            prop_assert_eq!(anonymiser.identifying(text), []);
        }
    }
}
