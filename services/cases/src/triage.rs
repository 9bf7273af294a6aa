//! Triage: what a complaint is about and how urgent it is. Pure.
//!
//! [`Keywords`] is the simple default: lists of words, Chinese and English. It
//! stands behind [`Triager`], where rules kept as data will stand as well.

mod words;

use kernel::Money;

use crate::case::{Channel, Priority};
use words::{CATEGORIES, MAJOR_LOSS, MEDIA, MINOR, SAFETY};

/// Reach of a public post from which it is urgent.
const WIDE_REACH: i64 = 10_000;
/// Category when nothing matched.
pub(crate) const UNCLASSIFIED: &str = "unclassified";
/// Sums from which a loss is major, in the smallest unit of the currency.
const MAJOR_SUMS: [(&str, i64); 6] = [
    ("CNY", 5_000_000),
    ("USD", 1_000_000),
    ("EUR", 1_000_000),
    ("GBP", 1_000_000),
    ("HKD", 5_000_000),
    ("JPY", 1_000_000),
];

/// What triage looks at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts<'a> {
    /// The road the complaint came by.
    pub(crate) channel: Channel,
    /// One line, in the complainant's words.
    pub(crate) subject: &'a str,
    /// What happened, in their words.
    pub(crate) description: &'a str,
    /// What the channel believes it is about; empty when it does not know.
    pub(crate) category_hint: &'a str,
    /// How many vulnerabilities were told or seen.
    pub(crate) vulnerabilities: usize,
    /// How many may have seen a public post; 0 elsewhere.
    pub(crate) reach: i64,
    /// The sum asked for, where one was named.
    pub(crate) amount_sought: Option<&'a Money>,
}

/// What triage decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Triage {
    /// What it is about, as a path.
    pub(crate) category: String,
    /// How urgent it is.
    pub(crate) priority: Priority,
    /// Why, a sentence for each rule that matched.
    pub(crate) reasons: Vec<String>,
}

/// Decides what a complaint is about and how urgent it is.
pub(crate) trait Triager: Send + Sync + 'static {
    /// Decides for one complaint; the same facts give the same answer.
    fn triage(&self, facts: &Facts<'_>) -> Triage;
}

/// Triage by lists of words.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Keywords;

impl Triager for Keywords {
    fn triage(&self, facts: &Facts<'_>) -> Triage {
        let text = normal(&[facts.subject, facts.description]);
        let (category, why) = category(facts, &text);
        let mut reasons = vec![why];
        let priority = priority(facts, &text, &mut reasons);
        Triage { category, priority, reasons }
    }
}

/// The hint of the channel; else the category most of whose words occur, the
/// earlier in the list where two are even.
fn category(facts: &Facts<'_>, text: &str) -> (String, String) {
    let hint = facts.category_hint.trim();
    if !hint.is_empty() {
        return (hint.to_owned(), format!("category {hint}: as the channel says"));
    }
    let mut best = (UNCLASSIFIED, 0);
    for (category, words) in CATEGORIES {
        let count = words.iter().filter(|word| text.contains(**word)).count();
        if count > best.1 {
            best = (category, count);
        }
    }
    match best {
        (category, 0) => (category.to_owned(), format!("category {category}: no rule matched")),
        (category, _) => (category.to_owned(), format!("category {category}: the text speaks of it")),
    }
}

/// The highest priority any rule gives, with the reason of every rule at that
/// level.
fn priority(facts: &Facts<'_>, text: &str, reasons: &mut Vec<String>) -> Priority {
    let speaks_of = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let first = [
        (speaks_of(SAFETY), "P1: personal safety or injury"),
        (speaks_of(MAJOR_LOSS) || is_major(facts.amount_sought), "P1: major loss"),
    ];
    let second = [
        (facts.channel == Channel::Regulator, "P2: handed over by a regulator"),
        (facts.reach >= WIDE_REACH, "P2: a public post with a wide reach"),
        (speaks_of(MEDIA), "P2: the media are or will be told"),
        (facts.vulnerabilities > 0, "P2: a vulnerable person"),
    ];
    let before = reasons.len();
    let mut note = |rules: &[(bool, &str)]| {
        reasons.extend(rules.iter().filter(|rule| rule.0).map(|rule| rule.1.to_owned()));
        reasons.len() > before
    };
    if note(&first) {
        Priority::P1
    } else if note(&second) {
        Priority::P2
    } else if note(&[(facts.amount_sought.is_none() && speaks_of(MINOR), "P4: minor, and no loss named")]) {
        Priority::P4
    } else {
        note(&[(true, "P3: the usual case")]);
        Priority::P3
    }
}

fn is_major(sum: Option<&Money>) -> bool {
    sum.is_some_and(|sum| {
        MAJOR_SUMS.iter().any(|(currency, from)| sum.currency == *currency && sum.minor >= *from)
    })
}

/// Lower case, with a single space for every run of ASCII white space and
/// punctuation and one at either end: ` late ` is then a whole word, ` injur` the
/// beginning of one, and Chinese is found wherever it stands.
fn normal(texts: &[&str]) -> String {
    let mut normal = String::with_capacity(texts.iter().map(|text| text.len() + 2).sum());
    normal.push(' ');
    for text in texts {
        for c in text.chars() {
            if c.is_ascii() && !c.is_ascii_alphanumeric() {
                if !normal.ends_with(' ') {
                    normal.push(' ');
                }
            } else {
                normal.extend(c.to_lowercase());
            }
        }
        if !normal.ends_with(' ') {
            normal.push(' ');
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn facts(description: &str) -> Facts<'_> {
        Facts {
            channel: Channel::Web,
            subject: "",
            description,
            category_hint: "",
            vulnerabilities: 0,
            reach: 0,
            amount_sought: None,
        }
    }

    fn category_of(description: &str) -> String {
        Keywords.triage(&facts(description)).category
    }

    fn priority_of(facts: &Facts<'_>) -> Priority {
        Keywords.triage(facts).priority
    }

    #[test]
    fn the_text_tells_the_category() {
        let cases = [
            ("The kettle arrived broken, the box was crushed.", "delivery/damaged"),
            ("快递送到时包装破损,杯子碎了", "delivery/damaged"),
            ("My parcel is two weeks late and still not delivered", "delivery/late"),
            ("一直没有收到货,物流延误", "delivery/late"),
            ("I want my money back, please refund the order", "refund"),
            ("申请退款一个月没有到账", "refund"),
            ("I was charged twice, see my invoice", "billing"),
            ("乱收费,账单不对", "billing"),
            ("The screen stopped working after a day: defective", "quality"),
            ("质量太差,用了一天就坏了", "quality"),
            ("The agent was rude to me", "service"),
            ("客服态度恶劣", "service"),
            ("You leaked my personal data", "privacy"),
            ("泄露个人信息", "privacy"),
            ("A scam: an unauthorized transaction on my card", "fraud"),
            ("我被诈骗了,账户被盗刷", "fraud"),
            ("Hello", UNCLASSIFIED),
            // "related" is not "late", "brokerage" is not "broken"
            ("It is related to brokerage", UNCLASSIFIED),
        ];
        for (text, category) in cases {
            assert_eq!(category_of(text), category, "{text}");
        }
    }

    #[test]
    fn the_channel_knows_better() {
        let hinted = Facts { category_hint: " loan/rate ", ..facts("please refund") };
        assert_eq!(Keywords.triage(&hinted).category, "loan/rate");
    }

    #[test]
    fn priorities_in_order() {
        let usual = facts("the parcel is late");
        assert_eq!(priority_of(&usual), Priority::P3);
        assert_eq!(priority_of(&facts("My son was injured by the heater")), Priority::P1);
        assert_eq!(priority_of(&facts("充电器爆炸,手被烫伤")), Priority::P1);
        let sum = |minor| Money { minor, currency: "CNY".to_owned() };
        let (small, large) = (sum(4_999_999), sum(5_000_000));
        assert_eq!(priority_of(&Facts { amount_sought: Some(&large), ..usual }), Priority::P1);
        assert_eq!(priority_of(&Facts { amount_sought: Some(&small), ..usual }), Priority::P3);
        assert_eq!(priority_of(&Facts { channel: Channel::Regulator, ..usual }), Priority::P2);
        assert_eq!(priority_of(&Facts { reach: WIDE_REACH, ..usual }), Priority::P2);
        assert_eq!(priority_of(&Facts { reach: WIDE_REACH - 1, ..usual }), Priority::P3);
        assert_eq!(priority_of(&Facts { vulnerabilities: 1, ..usual }), Priority::P2);
        assert_eq!(priority_of(&facts("我要找媒体曝光你们")), Priority::P2);
    }

    #[test]
    fn minor_only_where_nothing_was_lost() {
        let minor = facts("Just a suggestion: larger print on the form");
        assert_eq!(priority_of(&minor), Priority::P4);
        let sum = Money { minor: 100, currency: "USD".to_owned() };
        assert_eq!(priority_of(&Facts { amount_sought: Some(&sum), ..minor }), Priority::P3);
        assert_eq!(priority_of(&Facts { vulnerabilities: 1, ..minor }), Priority::P2);
    }

    #[test]
    fn every_rule_of_the_level_is_named() {
        let urgent = Facts { channel: Channel::Regulator, vulnerabilities: 2, ..facts("refund") };
        assert_eq!(
            Keywords.triage(&urgent).reasons,
            [
                "category refund: the text speaks of it",
                "P2: handed over by a regulator",
                "P2: a vulnerable person"
            ]
        );
    }

    #[test]
    fn no_word_is_dead() {
        let lists = CATEGORIES.iter().map(|(_, words)| *words).chain([SAFETY, MAJOR_LOSS, MEDIA, MINOR]);
        for word in lists.flatten() {
            assert!(normal(&[&format!("x {word} x")]).contains(word), "{word:?} can never match");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_triaged_with_reasons(subject in "\\PC{0,80}", description in "\\PC{0,400}") {
            let facts = Facts { subject: &subject, ..facts(&description) };
            let triage = Keywords.triage(&facts);
            prop_assert!(triage.reasons.len() >= 2);
            prop_assert!(!triage.category.is_empty());
            prop_assert_eq!(&triage, &Keywords.triage(&facts));
        }
    }
}
