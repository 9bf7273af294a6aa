//! Topics of texts that are made up: nothing is told of what did not change, and what did is
//! found, whatever the order.

use jiff::civil::date;
use kernel::TenantId;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;

fn terms() -> Terms {
    Terms::of(&TenantId::development())
}

fn kept(id: usize, text: &str) -> KeptCase {
    let vector = terms().vector(&[text]);
    let words: BTreeSet<&str> =
        vector.split_terminator(' ').filter_map(|one| one.split_once(':').map(|(term, _)| term)).collect();
    let terms = words.into_iter().collect::<Vec<_>>().join(" ");
    KeptCase { case: CaseId(Uuid::from_u128(id as u128)), terms }
}

/// What the store counts of a baseline.
fn counted(cases: &[KeptCase], recent: &Recent) -> Before {
    let (mut bearers, tag) = (BTreeMap::new(), terms());
    for term in cases.iter().flat_map(|case| case.terms.split(' ')) {
        let term = tag.untagged(term).unwrap();
        if recent.bearers.contains_key(term) {
            *bearers.entry(term.to_owned()).or_default() += 1;
        }
    }
    Before { cases: i64::try_from(cases.len()).unwrap(), bearers }
}

fn all_kept(texts: &[String]) -> Vec<KeptCase> {
    texts.iter().enumerate().map(|(id, text)| kept(id, text)).collect()
}

fn compared(now: &[String], before: &[String]) -> Vec<Topic> {
    let recent = Recent::of(all_kept(now), &terms());
    topics(&recent, &counted(&all_kept(before), &recent))
}

/// Numbers that are the same for the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % most
    }
}

/// Words that complaints are made of, common ones and rare ones.
const WORDS: [&str; 24] = [
    "parcel", "late", "refund", "kettle", "broken", "invoice", "courier", "rude", "store", "queue", "phone",
    "screen", "退款", "快递", "发票", "客服", "包装", "破损", "门店", "排队", "手机", "屏幕", "物流", "态度",
];

/// A complaint of a few words, of which the first are the most frequent, and a few rare ones.
fn story(random: &mut Random) -> String {
    let mut words: Vec<String> = (0..8)
        .map(|_| {
            let most = random.below(WORDS.len()) + 1;
            WORDS[random.below(most)].to_owned()
        })
        .collect();
    words.push(format!("rare{}", (b'a' + u8::try_from(random.below(26)).unwrap()) as char));
    words.push(format!("x{}y{}z", random.below(40), random.below(20)));
    words.join(" ")
}

fn stories(random: &mut Random, count: usize) -> Vec<String> {
    (0..count).map(|_| story(random)).collect()
}

#[test]
fn a_planted_surge_is_found_in_chinese_and_english() {
    let mut random = Random(7);
    let (mut now, before) = (stories(&mut random, 200), stories(&mut random, 1_600));
    for text in now.iter_mut().take(12) {
        text.push_str(" the battery swelling got worse");
    }
    for text in now.iter_mut().skip(100).take(10) {
        text.push_str("，电池鼓包了");
    }
    let found = compared(&now, &before);
    assert_eq!(found.len(), 2, "{found:?}");
    let words = |topic: &Topic| topic.terms.iter().map(|term| term.word.clone()).collect::<Vec<_>>();
    assert_eq!(words(&found[0]), ["battery", "swelling", "worse"]);
    let mut chinese = words(&found[1]);
    chinese.sort_unstable();
    assert_eq!(chinese, ["池鼓", "电池", "鼓包"]);
    assert_eq!((found[0].count, found[1].count), (12, 10));
    assert!(found[0].terms[0].expected < 1.0 && found[0].terms[0].ratio > LEAST_RATIO);
    assert_eq!(phrases(&found[0], &now)[0], "battery swelling");
    assert_eq!(phrases(&found[1], &now), ["电池鼓包"]);
}

#[test]
fn what_was_as_frequent_before_is_not_told_and_without_a_past_nothing_is() {
    let mut random = Random(8);
    let (now, before) = (stories(&mut random, 200), stories(&mut random, 1_600));
    assert_eq!(compared(&now, &before), Vec::new());
    let surge = vec!["battery swelling".to_owned(); 50];
    assert_eq!(compared(&surge, &before[..29]), Vec::new());
    assert_eq!(compared(&surge, &before[..30]).len(), 1);
}

/// Of cases that were shuffled between window and baseline, anything is told as seldom as is
/// promised.
#[test]
fn shuffled_cases_raise_no_more_false_alarms_than_declared() {
    const TRIALS: usize = 200;
    let mut random = Random(9);
    let mut all = all_kept(&stories(&mut random, 900));
    let mut alarms = 0;
    for _ in 0..TRIALS {
        for at in (1..all.len()).rev() {
            all.swap(at, random.below(at + 1));
        }
        let recent = Recent::of(all[..100].to_vec(), &terms());
        alarms += usize::from(!topics(&recent, &counted(&all[100..], &recent)).is_empty());
    }
    // 10 are expected at the declared rate; 20 or more are so with a chance below 0.3 %.
    assert!(alarms < 20, "{alarms} of {TRIALS}");
}

#[test]
fn the_chance_of_a_draw_is_that_of_the_books() {
    // Fisher's tea: of eight cups four have milk first, all four are told.
    let draw = Draw::new(4, 4);
    assert!((draw.tail(4, 0) - 1.0 / 70.0).abs() < 1e-12);
    assert!((draw.tail(3, 1) - 17.0 / 70.0).abs() < 1e-12);
    // 2·(10·ln(10·110/(10·15)) + …), computed by hand.
    let draw = Draw::new(20, 200);
    let parts = [(10.0, 20.0, 15.0), (10.0, 20.0, 205.0), (5.0, 200.0, 15.0), (195.0, 200.0, 205.0)];
    let by_hand: f64 = parts
        .iter()
        .map(|(o, row, column): &(f64, f64, f64)| 2.0 * o * (o * 220.0 / (row * column)).ln())
        .sum();
    assert!((draw.ratio(10, 5) - by_hand).abs() < 1e-9);
    assert!(draw.ratio(2, 20).abs() < 1e-9, "as frequent as before");
}

#[test]
fn a_window_ends_where_its_baseline_has_ended_before() {
    let window = Window { end: date(2026, 11, 29), days: 7, before: 56 };
    assert_eq!((window.start(), window.after()), (date(2026, 11, 23), date(2026, 11, 30)));
    assert_eq!(window.baseline_start(), date(2026, 9, 28));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_order_of_cases_does_not_matter_and_each_word_is_of_one_topic(
        seed in any::<u64>(), turn in any::<prop::sample::Index>(),
    ) {
        let mut random = Random(seed);
        let (mut now, before) = (stories(&mut random, 80), stories(&mut random, 300));
        for text in now.iter_mut().take(15) {
            text.push_str(" surge of swollen 电池鼓包");
        }
        let cases = all_kept(&now);
        let mut turned = cases.clone();
        let by = turn.index(turned.len());
        turned.rotate_left(by);
        let (recent, other) = (Recent::of(cases, &terms()), Recent::of(turned, &terms()));
        let before = counted(&all_kept(&before), &recent);
        let found = topics(&recent, &before);
        prop_assert_eq!(&found, &topics(&other, &before));
        prop_assert!(found.iter().any(|topic| topic.terms.iter().any(|term| term.word == "swollen")));
        let mut words: Vec<&str> =
            found.iter().flat_map(|topic| &topic.terms).map(|term| term.word.as_str()).collect();
        let count = words.len();
        words.sort_unstable();
        words.dedup();
        prop_assert_eq!(words.len(), count);
        for topic in &found {
            prop_assert!(topic.terms.iter().all(|term| term.cases >= 4 && term.cases <= topic.count));
        }
    }
}
