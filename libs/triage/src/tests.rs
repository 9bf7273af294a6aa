//! What the shipped rules decide, and which sets are refused.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::definition::{Definition, WordList};
use super::rules::Flaw;
use super::*;

/// Reach of a public post from which it is urgent.
const WIDE_REACH: i64 = 10_000;
const NOTHING_SPECIAL: Surroundings = Surroundings { repeats: 0, surge: false, hint_known: true };

/// Read once: that takes milliseconds.
static DEFAULT_SET: LazyLock<RuleSet> =
    LazyLock::new(|| RuleSet::shipped().expect("the shipped set can be read"));

fn default_set() -> &'static RuleSet {
    &DEFAULT_SET
}

fn facts(description: &str) -> Facts<'_> {
    Facts {
        channel: Channel::Web,
        subject: "",
        description,
        language: "en",
        category_hint: "",
        vulnerabilities: &[],
        reach: 0,
        anger: language::Level::Calm,
        threats: &[],
        conversation: Conversation::default(),
        amount_sought: None,
        named: None,
        around: NOTHING_SPECIAL,
    }
}

fn triage(facts: &Facts<'_>) -> Triage {
    default_set().triage(facts).triage
}

fn category_of(description: &str) -> String {
    triage(&facts(description)).category
}

fn priority_of(facts: &Facts<'_>) -> Priority {
    triage(facts).priority
}

#[test]
fn the_shipped_set_is_sound() {
    assert_eq!(default_set().dead_rules(), []);
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
fn a_category_hint_outranks_the_text() {
    let hinted = Facts { category_hint: " loan/rate ", ..facts("please refund") };
    assert_eq!(triage(&hinted).category, "loan/rate");
}

#[test]
fn a_tree_admits_nothing_else() {
    let around = Surroundings { hint_known: false, ..NOTHING_SPECIAL };
    let hinted = Facts { category_hint: "loan/rate", around, ..facts("please refund, it is broken") };
    let mut set = default_set().clone();
    let decided = set.triage(&hinted).triage;
    assert_eq!(decided.category, "delivery/damaged");
    let why = "category delivery/damaged: the text speaks of it; the channel says loan/rate, which is not in the tree";
    assert_eq!(decided.reasons[0], why);
    set.keep_to(&["refund".to_owned()].into());
    assert_eq!(set.triage(&hinted).triage.category, "refund");
    set.keep_to(&std::collections::HashSet::new());
    assert_eq!(set.triage(&hinted).triage.category, UNCLASSIFIED);
}

#[test]
fn dangers_and_sums_get_their_priority() {
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
    let told = ["elderly".to_owned()];
    assert_eq!(priority_of(&Facts { vulnerabilities: &told, ..usual }), Priority::P2);
    assert_eq!(priority_of(&facts("我要找媒体曝光你们")), Priority::P2);
    assert_eq!(priority_of(&facts("I will take you to court")), Priority::P2);
}

#[test]
fn what_goes_on_around_a_complaint_counts() {
    let with = |repeats, surge, text| {
        let around = Surroundings { repeats, surge, hint_known: true };
        default_set().triage(&Facts { around, ..facts(text) })
    };
    assert_eq!(with(1, false, "late").triage.priority, Priority::P3);
    assert_eq!(with(2, false, "late").triage.priority, Priority::P2);
    let minor = "a small thing";
    assert_eq!(with(0, false, minor).triage.priority, Priority::P4);
    let surging = with(0, true, minor);
    assert_eq!((surging.triage.priority, surging.attributes.impact), (Priority::P3, Level::High));
}

#[test]
fn how_a_complaint_is_meant_counts() {
    use language::Level::{Angry, Annoyed, Furious};
    let calm = facts("the parcel is late");
    let with = |anger, threats| default_set().triage(&Facts { anger, threats, ..calm });
    let urgency = |verdict: &Verdict| (verdict.triage.priority, verdict.attributes.urgency);
    assert_eq!(urgency(&with(Annoyed, &[])), (Priority::P3, Level::Medium));
    assert_eq!(urgency(&with(Angry, &[Threat::Leaving])), (Priority::P3, Level::Medium));
    let furious = with(Furious, &[]);
    assert_eq!(urgency(&furious), (Priority::P2, Level::High));
    assert_eq!(furious.triage.reasons[1..], ["P2: the complainant is beside themselves"]);
    for threat in [Threat::Regulator, Threat::Media, Threat::Court] {
        let threats = [threat];
        let threatens = default_set().triage(&Facts { anger: Annoyed, threats: &threats, ..calm });
        assert_eq!(urgency(&threatens), (Priority::P2, Level::High), "{threat:?}");
    }
    // Being hurt counts for more than being angry.
    let hurt = Facts { anger: Furious, threats: &[Threat::Court], ..facts("My son was injured") };
    assert_eq!(priority_of(&hurt), Priority::P1);
}

#[test]
fn minor_only_where_nothing_was_lost() {
    let minor = facts("Just a suggestion: larger print on the form");
    assert_eq!(priority_of(&minor), Priority::P4);
    let sum = Money { minor: 100, currency: "USD".to_owned() };
    assert_eq!(priority_of(&Facts { amount_sought: Some(&sum), ..minor }), Priority::P3);
    let told = ["illness".to_owned()];
    assert_eq!(priority_of(&Facts { vulnerabilities: &told, ..minor }), Priority::P2);
}

#[test]
fn every_rule_of_the_level_is_named() {
    let told = ["elderly".to_owned(), "illness".to_owned()];
    let urgent = Facts { channel: Channel::Regulator, vulnerabilities: &told, ..facts("refund") };
    let verdict = default_set().triage(&urgent);
    let expected = [
        "category refund: the text speaks of it",
        "P2: handed over by a regulator",
        "P2: a vulnerable person",
    ];
    assert_eq!(verdict.triage.reasons, expected);
    let matched: Vec<_> = verdict.matched.iter().map(|one| (one.name.as_str(), one.decided)).collect();
    assert_eq!(matched, [("regulator", true), ("vulnerable", true), ("usual", false)]);
    let Attributes { urgency, severity, vulnerable, safety, .. } = verdict.attributes;
    assert_eq!((urgency, severity, vulnerable, safety), (Level::High, Level::High, true, false));
}

proptest! {
    #[test]
    fn any_text_is_triaged_with_reasons(subject in "\\PC{0,80}", description in "\\PC{0,400}") {
        let facts = Facts { subject: &subject, ..facts(&description) };
        let decided = triage(&facts);
        prop_assert!(decided.reasons.len() >= 2);
        prop_assert!(!decided.category.is_empty());
        prop_assert_eq!(&decided, &triage(&facts));
    }
}

/// A set of rules, each a name, a condition and what it sets.
fn set(rules: &[(&str, &str, Sets)]) -> Definition {
    let list = |name: &str, words: &[&str]| WordList {
        name: name.to_owned(),
        words: words.iter().map(ToString::to_string).collect(),
    };
    let rule = |(name, when, sets): &(&str, &str, Sets)| Rule {
        name: (*name).to_owned(),
        when: (*when).to_owned(),
        reason: "because".to_owned(),
        sets: *sets,
    };
    Definition {
        word_lists: vec![list("fire", &[" on fire ", "起火"]), list("heat", &[" fire ", " hot ", "火"])],
        rules: rules.iter().map(rule).collect(),
        ..Definition::default()
    }
}

fn flaws(definition: Definition) -> Vec<String> {
    let told = |flaws: Vec<Flaw>| flaws.into_iter().map(|flaw| flaw.what).collect::<Vec<_>>();
    match RuleSet::read(1, definition) {
        Ok(set) => told(set.dead_rules()),
        Err(flaws) => told(flaws),
    }
}

fn p(priority: Priority) -> Sets {
    Sets { priority: Some(priority), ..Sets::default() }
}

/// What is told of a set whose only rule has this condition.
fn told_of(when: &str) -> Option<String> {
    let mut flaws = flaws(set(&[("r", when, p(Priority::P1))]));
    assert!(flaws.len() < 2, "{flaws:?}");
    flaws.pop()
}

#[test]
fn what_does_not_type_check_is_refused_by_name() {
    let wrong = [
        ("reach > 'x'", "a text cannot be compared with a number"),
        ("reach", "a number stands where a condition is wanted"),
        ("colour == 'red'", "there is no colour"),
        ("speaks_of(text, 'water')", "there is no word list water"),
        (
            "speaks_of(channel, 'fire')",
            "speaks_of takes text, subject or description and the name of a word list",
        ),
        ("channel == 'fax'", "there is no channel \"fax\""),
        ("text.matches('a')", "there is no matches of 2 arguments"),
        ("category == b'x'", "constants are numbers, texts, true and false"),
        ("size(text) > 5", "the size of a text is not known"),
        ("vulnerabilities.exists(v, v == 'x')", "macros over lists are not known here"),
        ("reach + 1 > 2", "there is no + of 2 arguments"),
        ("!reach", "a number stands where a condition is wanted"),
        ("emotion >= HIGH", "a number cannot be compared with a level"),
        ("severity == FURIOUS", "a number cannot be compared with an emotion"),
        ("'lawyer' in threats", "there is no threat \"lawyer\""),
        ("threats < 1", "a list cannot be compared with a number"),
        ("emotion.level > 1", "nothing has a field level"),
    ];
    for (when, why) in wrong {
        assert_eq!(told_of(when), Some(format!("rule r does not type-check: {why}")), "{when}");
    }
    let unreadable = told_of("reach >").expect("it is refused");
    assert!(unreadable.starts_with("rule r does not type-check: cannot be read"), "{unreadable}");
}

#[test]
fn what_can_never_match_is_refused_by_name() {
    let dead = [
        "false",
        "reach > 10 && reach < 5",
        "reach > 10 && reach < 11",
        "reach < 0",
        "repeat_count > 20",
        "channel == 'web' && is_regulator",
        "!(channel in ['phone', 'chat', 'in_app', 'email', 'web', 'social', 'letter', 'branch', 'regulator', 'partner'])",
        "surge && !surge",
        "surge ? !surge : surge",
        "'elderly' in vulnerabilities && 'ill' in vulnerabilities && size(vulnerabilities) < 2",
        "text.contains('a bc') && !text.contains('bc')",
        "speaks_of(text, 'fire') && !speaks_of(text, 'heat')",
        "speaks_of(subject, 'fire') && !speaks_of(text, 'fire')",
        "category.startsWith('loan/') && category.startsWith('card/')",
        "category == 'loan' && category.endsWith('/rate')",
        "has_amount && amount_currency == ''",
        "severity == HIGH",
        "safety",
        "urgency != MEDIUM",
        "emotion > FURIOUS",
        "emotion == ANGRY && emotion < 3",
        "'court' in threats && !threatens_escalation",
        "'court' in threats && 'media' in threats && size(threats) == 1",
        "size(threats) > 2 && !('court' in threats || 'media' in threats)",
        "threatens_escalation && !('regulator' in threats || 'media' in threats || 'court' in threats || 'leaving' in threats)",
    ];
    for when in dead {
        assert_eq!(told_of(when), Some("rule r can never match".to_owned()), "{when}");
    }
}

#[test]
fn what_may_match_is_accepted() {
    let alive = [
        "true",
        "reach > 10 && reach < 12",
        "repeat_count == 20",
        "channel != 'web' || surge",
        "speaks_of(text, 'heat') && !speaks_of(text, 'fire')",
        "speaks_of(text, 'fire') && !speaks_of(subject, 'fire')",
        "text.contains('a') && !text.contains('ab')",
        "category.startsWith('loan/') && category.startsWith('loan/rate')",
        "language in ['en', 'zh-CN'] && size(vulnerabilities) == 0",
        "severity == MEDIUM && (has_amount == surge)",
        "emotion in [ANGRY, FURIOUS] && !threatens_escalation",
        "size(threats) == 2 && !('court' in threats || 'media' in threats)",
        "threatens_escalation && !('court' in threats)",
        "amount_minor >= 0 ? !has_amount : loss > -1",
    ];
    for when in alive {
        assert_eq!(told_of(when), None, "{when}");
    }
}

#[test]
fn a_shadowed_rule_is_refused_with_its_shadow() {
    let two =
        |first, second| flaws(set(&[("first", first, p(Priority::P1)), ("second", second, p(Priority::P2))]));
    let shadowed = ["rule second is shadowed by first: whatever it sets is set before"];
    assert_eq!(two("reach > 5", "reach > 10"), shadowed);
    assert_eq!(two("true", "surge"), shadowed);
    assert_eq!(two("speaks_of(text, 'heat')", "speaks_of(subject, 'fire') && surge"), shadowed);
    assert_eq!(two("reach > 10", "reach > 5"), [""; 0]);
    let three = flaws(set(&[
        ("low", "reach <= 5", p(Priority::P1)),
        ("high", "reach >= 5", p(Priority::P2)),
        ("any", "surge", p(Priority::P3)),
    ]));
    assert_eq!(three, ["rule any is shadowed by high, low: whatever it sets is set before"]);
    // It sets something else as well: not shadowed.
    let more = Sets { urgency: Some(Level::High), ..p(Priority::P2) };
    assert_eq!(flaws(set(&[("first", "true", p(Priority::P1)), ("second", "surge", more)])), [""; 0]);
}

#[test]
fn attributes_are_read_where_the_rule_stands() {
    let severe = Sets { severity: Some(Level::High), ..Sets::default() };
    let sound = set(&[("bad", "surge", severe), ("worse", "severity >= HIGH", p(Priority::P1))]);
    assert_eq!(flaws(sound.clone()), [""; 0]);
    let set_up = RuleSet::read(1, sound).expect("it is sound");
    let around = Surroundings { surge: true, ..NOTHING_SPECIAL };
    let verdict = set_up.triage(&Facts { around, ..facts("x") });
    assert_eq!(verdict.triage.priority, Priority::P1);
    assert_eq!(verdict.triage.reasons[1..], ["severity high: because", "P1: because"]);
    let backwards = set(&[("worse", "severity >= HIGH", p(Priority::P1)), ("bad", "surge", severe)]);
    assert_eq!(flaws(backwards), ["rule worse can never match"]);
    // Where `calm` stands severity is always medium, whatever it is later.
    let changing = set(&[
        ("calm", "severity == MEDIUM", p(Priority::P3)),
        ("bad", "surge", severe),
        ("still", "severity == HIGH", p(Priority::P1)),
    ]);
    assert_eq!(flaws(changing), ["rule still is shadowed by calm: whatever it sets is set before"]);
}

#[test]
fn a_set_is_refused_with_everything_that_is_wrong_with_it() {
    let mut wrong = set(&[("r", "true", Sets::default()), ("r", "x", p(Priority::P1))]);
    wrong.word_lists[0].words.push("Capital".to_owned());
    wrong.word_lists[1].name = "fire".to_owned();
    wrong.surge.times = 0;
    let places: Vec<String> =
        RuleSet::read(1, wrong).expect_err("much is wrong").into_iter().map(|flaw| flaw.place).collect();
    let expected = [
        "word_lists[0].words[2]",
        "word_lists[1].name",
        "surge",
        "rules[0]",
        "rules[1].name",
        "rules[1].when",
    ];
    assert_eq!(places, expected);
}
