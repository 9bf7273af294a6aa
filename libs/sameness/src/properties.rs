//! What always holds of sketches and verdicts.

use std::collections::HashSet;

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;

/// The share of shingles two texts have in common.
fn jaccard(one: &[u64], other: &[u64]) -> f64 {
    let (one, other): (HashSet<_>, HashSet<_>) = (one.iter().collect(), other.iter().collect());
    let count = |number: usize| f64::from(u32::try_from(number).expect("small"));
    count(one.intersection(&other).count()) / count(one.union(&other).count())
}

fn traits() -> impl Strategy<Value = Traits> {
    let text = prop_oneof![
        Just("The kettle arrived broken, the box was crushed."),
        Just("The kettle arrived broken and the box was crushed!"),
        Just("杯子碎了,包装也破损,客服不回复"),
        Just("short"),
    ];
    let name = || prop_oneof![Just(""), Just("ann"), Just("bob")];
    (any::<bool>(), prop_oneof![Just("refund"), Just(UNCLASSIFIED)], name(), 0..60_i64, text, name(), name())
        .prop_map(|(report, category, customer, days, text, order, phone)| Traits {
            matter: if report { Matter::Report } else { Matter::Complaint },
            category: category.to_owned(),
            customer: customer.to_owned(),
            received: Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * days),
            keys: Keys { sketch: Sketch::of(text), order: number(order), phone: number(phone), email: None },
        })
}

proptest! {
    /// 128 minima: the standard deviation is at most 4.5 %, so 5 of them are 0.22.
    #[test]
    fn the_estimate_is_close_to_the_share_in_common(
        common in 0..300_u64, mine in 10..300_u64, yours in 10..300_u64, seed in any::<u64>(),
    ) {
        let shingle = |number: u64| sketch::hash([seed, number].into_iter());
        let one: Vec<u64> = (0..common + mine).map(shingle).collect();
        let other: Vec<u64> = (0..common).chain(1_000..1_000 + yours).map(shingle).collect();
        let (a, b) = (Sketch::of_shingles(&one).expect("enough"), Sketch::of_shingles(&other).expect("enough"));
        let (told, estimate) = (jaccard(&one, &other), a.likeness(&b));
        prop_assert!((told - estimate).abs() < 0.22, "{told} was taken for {estimate}");
        prop_assert!((a.likeness(&b) - b.likeness(&a)).abs() < f64::EPSILON);
    }

    #[test]
    fn a_sketch_is_of_the_text_alone(text in "[\\PC]{0,200}", seed in any::<u64>()) {
        let mut shuffled = sketch::shingles(&text);
        shuffled.sort_by_key(|shingle| shingle ^ seed);
        prop_assert_eq!(Sketch::of(&text), Sketch::of_shingles(&shuffled));
        if let Some(sketch) = Sketch::of(&text) {
            prop_assert!((sketch.likeness(&sketch) - 1.0).abs() < f64::EPSILON);
            prop_assert_eq!(Sketch::from_bytes(&sketch.to_bytes()), Some(sketch));
        }
    }

    #[test]
    fn who_is_compared_with_whom_does_not_matter(one in traits(), other in traits()) {
        prop_assert_eq!(compare(&one, &other), compare(&other, &one));
    }

    #[test]
    fn a_verdict_agrees_with_itself(one in traits(), other in traits()) {
        let Some(verdict) = compare(&one, &other) else { return Ok(()) };
        prop_assert!((SUGGEST_FROM..=1.0).contains(&verdict.score));
        prop_assert_eq!(verdict.standing == LinkStanding::Linked, verdict.score >= LINK_FROM);
        let person = |traits: &Traits| Person::of(&traits.customer, &traits.keys);
        let apart = person(&one).differs_from(&person(&other)) && !person(&one).shares_with(&person(&other));
        prop_assert!(verdict.kind == LinkKind::Related || (!apart && one.matter == other.matter));
        prop_assert!(!verdict.reasons.is_empty());
    }

    #[test]
    fn the_best_are_the_same_in_whatever_order_they_are_found(
        scores in proptest::collection::vec(75..=100_u8, 0..9), turn in any::<prop::sample::Index>(),
    ) {
        let verdict = |score: u8| Verdict {
            kind: LinkKind::Duplicate,
            standing: LinkStanding::Suggested,
            score: f64::from(score) / 100.0,
            reasons: Vec::new(),
        };
        let found: Vec<_> = scores.iter().enumerate().map(|(at, score)| (at, verdict(*score))).collect();
        let mut turned = found.clone();
        turned.rotate_left(if found.is_empty() { 0 } else { turn.index(found.len()) });
        prop_assert_eq!(best(found), best(turned));
    }
}

fn plain(text: &str) -> Traits {
    Traits {
        matter: Matter::Complaint,
        category: "delivery/damaged".to_owned(),
        customer: String::new(),
        received: Timestamp::UNIX_EPOCH,
        keys: Keys { sketch: Sketch::of(text), ..Keys::default() },
    }
}

const KETTLE: &str = "The kettle arrived broken, the box was crushed and nobody answers the phone.";

#[test]
fn marks_of_bands_and_numbers_never_meet() {
    let keys = Keys {
        sketch: Sketch::of(KETTLE),
        order: number("A-1"),
        phone: phone("+86 138 0013 8000"),
        email: email("ann@example.org"),
    };
    let all = marks(&keys, "c-1");
    assert_eq!(all.len(), BANDS + 4);
    assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
    let (bands, numbers) = all.split_at(BANDS);
    assert!(bands.iter().zip(0..).all(|(band, place)| band >> HASH_BITS == place));
    assert!(numbers.iter().zip(16..).all(|(mark, place)| mark >> HASH_BITS == place));
    assert!(bands.iter().all(|band| *band < FIRST_NUMBER_MARK));
    assert!(marks(&Keys::default(), "").is_empty());
}

#[test]
fn numbers_are_the_same_however_they_are_written() {
    assert_eq!(number("ab-12 3"), number("AB123"));
    assert_ne!(number("AB123"), number("AB124"));
    assert_eq!(phone("+86 138-0013-8000"), phone("13800138000"));
    assert_eq!(phone("110"), None);
    assert_eq!(number(" - "), None);
}

#[test]
fn the_words_alone_suggest_or_link() {
    let verdict = compare(&plain(KETTLE), &plain(&KETTLE.to_uppercase())).expect("the same words");
    assert_eq!((verdict.kind, verdict.standing), (LinkKind::Duplicate, LinkStanding::Linked));
    assert_eq!(verdict.reasons, ["texts 1.00 alike"]);
    assert_eq!(compare(&plain(KETTLE), &plain("我要退款,客服电话一直打不通,没有人处理")), None);
    assert_eq!(compare(&plain("broken"), &plain("broken")), None, "too short to tell");
}

#[test]
fn the_same_order_and_issue_is_the_same_complaint_whatever_the_words() {
    let of = |text: &str| Traits { keys: Keys { order: number("A-1"), ..plain(text).keys }, ..plain(text) };
    let verdict = compare(&of(KETTLE), &of("Still no answer about my kettle!")).expect("the same order");
    assert_eq!((verdict.kind, verdict.standing), (LinkKind::Duplicate, LinkStanding::Linked));
    assert_eq!(verdict.reasons, ["same order and issue"]);
    let other_issue = Traits { category: "billing".to_owned(), ..of("I was charged twice for it.") };
    assert_eq!(compare(&of(KETTLE), &other_issue), None);
}

#[test]
fn a_customer_speaks_for_the_same_matter_for_thirty_days() {
    let of = |text: &str, days: i64| Traits {
        customer: "ann".to_owned(),
        received: Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * days),
        ..plain(text)
    };
    let again = "Nobody has called me back about it in spite of three letters.";
    let verdict = compare(&of(KETTLE, 0), &of(again, 30)).expect("of late");
    assert_eq!((verdict.kind, verdict.standing), (LinkKind::Duplicate, LinkStanding::Suggested));
    assert_eq!(verdict.reasons, ["same customer within 30 days", "same issue"]);
    assert_eq!(compare(&of(KETTLE, 0), &of(again, 31)), None);
}

#[test]
fn the_same_words_of_another_customer_or_of_a_report_are_related() {
    let of = |customer: &str| Traits { customer: customer.to_owned(), ..plain(KETTLE) };
    let kind = |one: &Traits, other: &Traits| compare(one, other).map(|verdict| verdict.kind);
    assert_eq!(kind(&of("ann"), &of("bob")), Some(LinkKind::Related));
    assert_eq!(kind(&of("ann"), &of("")), Some(LinkKind::Duplicate));
    let report = Traits { matter: Matter::Report, ..of("ann") };
    assert_eq!(kind(&of("ann"), &report), Some(LinkKind::Related));
}
