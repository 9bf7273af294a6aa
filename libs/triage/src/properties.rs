//! Conditions mean what CEL says they mean, and what is called dead is.

use std::sync::Arc;

use cel::{Context, Program};
use proptest::prelude::*;

use super::condition::{Condition, HAND_OVERS, THREATS};
use vocabulary::{Channel, Level};

use super::definition::{Definition, Rule, Sets, WordList};
use super::rules::{RuleSet, world_of};
use super::*;

const ANGER: [language::Level; 5] = {
    use language::Level::{Angry, Annoyed, Calm, Displeased, Furious};
    [Calm, Displeased, Annoyed, Angry, Furious]
};
const LISTS: [(&str, &[&str]); 2] = [("one", &["a"]), ("other", &["ab", " b "])];

/// The facts of a complaint, owned.
#[derive(Clone, Debug)]
struct Told {
    channel: Channel,
    subject: String,
    description: String,
    hint: String,
    vulnerabilities: Vec<String>,
    reach: i64,
    anger: i64,
    threats: Vec<Threat>,
    conversation: Conversation,
    sum: Option<Money>,
    around: Surroundings,
}

impl Told {
    fn facts(&self) -> Facts<'_> {
        Facts {
            channel: self.channel,
            subject: &self.subject,
            description: &self.description,
            language: "en",
            category_hint: &self.hint,
            vulnerabilities: &self.vulnerabilities,
            reach: self.reach,
            anger: ANGER[usize::try_from(self.anger).expect("a level")],
            threats: &self.threats,
            conversation: self.conversation,
            amount_sought: self.sum.as_ref(),
            named: None,
            around: self.around,
        }
    }
}

fn conversation() -> impl Strategy<Value = Conversation> {
    let reason =
        proptest::option::of(proptest::sample::select(HAND_OVERS.map(|(reason, _)| reason).to_vec()));
    let levels = proptest::collection::vec(proptest::sample::select(ANGER.to_vec()), 0..4);
    (any::<[bool; 3]>(), reason, levels).prop_map(
        |([missed_call, call_back_requested, handed_over], reason, levels)| Conversation {
            missed_call,
            call_back_requested,
            handed_over,
            hand_over_reason: reason.filter(|_| handed_over),
            mood: MoodFacts::of(&levels),
        },
    )
}

fn told() -> impl Strategy<Value = Told> {
    let text = "[abA .]{0,4}";
    let sum = proptest::option::of((0..4_i64).prop_map(|minor| Money { minor, currency: "CNY".to_owned() }));
    let hint = prop_oneof![Just(String::new()), Just("x".to_owned()), Just("x/y".to_owned())];
    let vulnerabilities = proptest::sample::subsequence(vec!["v".to_owned(), "w".to_owned()], 0..=2);
    let threats = proptest::sample::subsequence(THREATS.map(|(threat, _)| threat).to_vec(), 0..=4);
    let mood = (0..5_i64, threats, conversation());
    (0..Channel::ALL.len(), text, text, hint, vulnerabilities, 0..4_i64, mood, sum, 0..4_i64, any::<bool>())
        .prop_map(
            |(
                channel,
                subject,
                description,
                hint,
                vulnerabilities,
                reach,
                (anger, threats, conversation),
                sum,
                repeats,
                surge,
            )| Told {
                channel: Channel::ALL[channel],
                subject,
                description,
                hint,
                vulnerabilities,
                reach,
                anger,
                threats,
                conversation,
                sum,
                around: Surroundings { repeats, surge, hint_known: true },
            },
        )
}

/// A condition, as its author writes it.
fn source() -> impl Strategy<Value = String> {
    let number = prop_oneof![
        Just("reach"),
        Just("repeat_count"),
        Just("amount_minor"),
        Just("loss"),
        Just("size(vulnerabilities)"),
        Just("severity"),
        Just("emotion"),
        Just("mood_worst"),
        Just("mood_last"),
        Just("size(threats)"),
    ];
    let comparison = prop_oneof![Just("=="), Just("!="), Just("<"), Just("<="), Just(">"), Just(">=")];
    let text = prop_oneof![Just("text"), Just("subject"), Just("description")];
    let piece = prop_oneof![Just("a"), Just("ab"), Just(" b "), Just("b")];
    let other = prop_oneof![
        Just("surge"),
        Just("is_regulator"),
        Just("has_amount"),
        Just("true"),
        Just("safety"),
        Just("channel == 'web'"),
        Just("channel != 'regulator'"),
        Just("channel in ['web', 'phone']"),
        Just("category == 'x'"),
        Just("category.startsWith('x/')"),
        Just("category.endsWith('y')"),
        Just("category.contains('/')"),
        Just("'v' in vulnerabilities"),
        Just("'w' in vulnerabilities"),
        Just("'court' in threats"),
        Just("'media' in threats"),
        Just("threatens_escalation"),
        Just("emotion < ANGRY"),
        Just("mood_first < ANGRY"),
        Just("mood_rising"),
        Just("mood_falling"),
        Just("handed_over"),
        Just("missed_call"),
        Just("call_back_requested"),
        Just("hand_over_reason == 'emotion'"),
        Just("hand_over_reason in ['emotion', 'other', '']"),
        Just("FURIOUS == emotion"),
        Just("amount_currency == 'CNY'"),
        Just("language == 'en'"),
        Just("severity >= MEDIUM"),
    ];
    let leaf = prop_oneof![
        3 => (number, comparison, -1..4_i64).prop_map(|(number, how, with)| format!("{number} {how} {with}")),
        3 => (text.clone(), piece).prop_map(|(text, piece)| format!("{text}.contains('{piece}')")),
        2 => (text, 0..LISTS.len()).prop_map(|(text, list)| format!("speaks_of({text}, '{}')", LISTS[list].0)),
        3 => other.prop_map(str::to_owned),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|one| format!("!({one})")),
            (inner.clone(), inner.clone()).prop_map(|(one, other)| format!("({one}) && ({other})")),
            (inner.clone(), inner.clone()).prop_map(|(one, other)| format!("({one}) || ({other})")),
            (inner.clone(), inner.clone(), inner).prop_map(|(a, b, c)| format!("({a}) ? ({b}) : ({c})")),
        ]
    })
}

fn rule(name: &str, when: &str) -> Rule {
    let sets = Sets { priority: Some(Priority::P1), ..Sets::default() };
    Rule { name: name.to_owned(), when: when.to_owned(), reason: "because".to_owned(), sets }
}

fn set(conditions: &[&str]) -> RuleSet {
    let list = |(name, words): &(&str, &[&str])| WordList {
        name: (*name).to_owned(),
        words: words.iter().map(ToString::to_string).collect(),
    };
    let rules = conditions.iter().enumerate().map(|(at, when)| rule(&at.to_string(), when));
    let losses = vec![definition::MajorLoss { currency: "CNY".to_owned(), minor: 2 }];
    let definition = Definition {
        word_lists: LISTS.iter().map(list).collect(),
        rules: rules.collect(),
        major_losses: losses,
        ..Definition::default()
    };
    RuleSet::read(1, definition).expect("it type-checks")
}

fn holds(set: &RuleSet, condition: &Condition, told: &Told) -> bool {
    let facts = told.facts();
    let text = Normal::of(facts.subject, facts.description);
    let found = set.finder.find(&text);
    let (category, _) = set.category(&facts, &found);
    condition::holds(condition, &set.record(&facts, &text, &found, &category))
}

/// What the interpreter of the `cel` crate says.
fn interpreted(set: &RuleSet, program: &Program, told: &Told) -> bool {
    let facts = told.facts();
    let text = Normal::of(facts.subject, facts.description);
    let found = set.finder.find(&text);
    let (category, _) = set.category(&facts, &found);
    let record = set.record(&facts, &text, &found, &category);
    let mut context = Context::default();
    let texts = [
        ("text", text.all()),
        ("subject", text.subject()),
        ("description", text.description()),
        ("channel", record.channel),
        ("category", record.category),
        ("language", record.language),
        ("amount_currency", record.currency),
        ("hand_over_reason", record.hand_over_reason),
    ];
    for (name, value) in texts {
        context.add_variable_from_value(name, value.to_owned());
    }
    let medium = i64::from(Level::Medium.number());
    let talk = told.conversation;
    let mood =
        |of: fn(MoodFacts) -> language::Level| talk.mood.map_or(0, |mood| i64::from(of(mood).number()));
    let trend = |trend| talk.mood.is_some_and(|mood| mood.trend == Some(trend));
    let numbers = [
        ("reach", record.reach),
        ("repeat_count", record.repeat_count),
        ("amount_minor", record.amount_minor),
        ("loss", record.loss),
        ("severity", medium),
        ("MEDIUM", medium),
        ("emotion", told.anger),
        ("mood_first", mood(|mood| mood.first)),
        ("mood_worst", mood(|mood| mood.worst)),
        ("mood_last", mood(|mood| mood.last)),
        ("ANGRY", 3),
        ("FURIOUS", 4),
    ];
    for (name, value) in numbers {
        context.add_variable_from_value(name, value);
    }
    let flags = [
        ("surge", record.surge),
        ("mood_rising", trend(Trend::Rising)),
        ("mood_falling", trend(Trend::Falling)),
        ("handed_over", talk.handed_over),
        ("missed_call", talk.missed_call),
        ("call_back_requested", talk.call_back_requested),
        ("safety", false),
        ("is_regulator", told.channel == Channel::Regulator),
        ("has_amount", told.sum.is_some()),
        ("threatens_escalation", !told.threats.is_empty()),
    ];
    for (name, value) in flags {
        context.add_variable_from_value(name, value);
    }
    context.add_variable_from_value("vulnerabilities", told.vulnerabilities.clone());
    let threats = THREATS.iter().filter(|(threat, _)| told.threats.contains(threat));
    let threats: Vec<String> = threats.map(|(_, name)| (*name).to_owned()).collect();
    context.add_variable_from_value("threats", threats);
    context.add_function("speaks_of", |text: Arc<String>, list: Arc<String>| {
        let words = LISTS.iter().find(|(name, _)| *name == list.as_str()).expect("a list").1;
        words.iter().any(|word| text.contains(word))
    });
    matches!(program.execute(&context), Ok(cel::Value::Bool(true)))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn a_condition_holds_when_cel_says_so(source in source(), all in proptest::collection::vec(told(), 8)) {
        let set = set(&[&source]);
        let program = Program::compile(&source).expect("it parses");
        for told in &all {
            let ours = holds(&set, &set.conditions[0], told);
            prop_assert_eq!(ours, holds(&set, &set.evaluated[0], told), "{} of {:?}", source, told);
            prop_assert_eq!(ours, interpreted(&set, &program, told), "{} of {:?}", source, told);
        }
    }

    #[test]
    fn nothing_meets_a_dead_condition(
        one in source(), other in source(), all in proptest::collection::vec(told(), 32),
    ) {
        let both = format!("({one}) && ({other})");
        let set = set(&[&one, &other, &both]);
        let (dead, covered) = world_of(&set, |world| {
            let covered = world.is_covered(1, &set.conditions[1], &[(0, &set.conditions[0])]);
            (world.is_dead(2, &set.conditions[2]), covered)
        });
        for told in &all {
            let [first, second] = [0, 1].map(|at| holds(&set, &set.conditions[at], told));
            prop_assert!(!(dead && first && second), "{} && {} is met by {:?}", one, other, told);
            prop_assert!(!covered || first || !second, "{} does not cover {} of {:?}", one, other, told);
        }
    }

    /// Over numbers, flags and channels nothing dead is missed.
    #[test]
    fn what_nothing_meets_is_found_dead(
        facts in proptest::collection::vec(
            prop_oneof![
                (prop_oneof![Just("=="), Just("!="), Just("<"), Just("<="), Just(">"), Just(">=")], 0..4_i64)
                    .prop_map(|(how, with)| format!("reach {how} {with}")),
                prop_oneof![Just("surge"), Just("!surge"), Just("channel == 'web'"), Just("channel != 'web'"),
                    Just("is_regulator"), Just("!is_regulator")].prop_map(str::to_owned),
            ],
            1..6,
        ),
    ) {
        let source = facts.join(" && ");
        let set = set(&[&source]);
        let dead = world_of(&set, |world| world.is_dead(0, &set.conditions[0]));
        let met = Channel::ALL.iter().any(|channel| {
            (0..6).any(|reach| {
                [false, true].into_iter().any(|surge| {
                    let around = Surroundings { surge, hint_known: true, repeats: 0 };
                    let told = Told { channel: *channel, reach, around, subject: String::new(),
                        description: String::new(), hint: String::new(), vulnerabilities: Vec::new(), anger: 0,
                        threats: Vec::new(), conversation: Conversation::default(), sum: None };
                    holds(&set, &set.conditions[0], &told)
                })
            })
        });
        prop_assert_eq!(dead, !met, "{}", source);
    }
}

/// `cargo test --release -p triage --lib -- --ignored --nocapture triages_per_second`
#[test]
#[ignore = "a measurement: only optimised code tells"]
fn triages_per_second_are_measured() {
    let set = RuleSet::shipped().expect("the shipped set can be read");
    let english =
        "The kettle arrived broken, the box was crushed and the parcel was two weeks late. I called \
        customer service three times; nobody answers and I want my money back. "
            .repeat(3);
    let chinese =
        "快递送到时包装破损,杯子碎了,联系客服一直没人接,申请退款一个月没有到账,非常失望。".repeat(4);
    let told: Vec<Told> = [english, chinese, "Just a suggestion: larger print".to_owned()]
        .into_iter()
        .map(|description| Told {
            channel: Channel::Web,
            subject: "Kettle arrived broken".to_owned(),
            description,
            hint: String::new(),
            vulnerabilities: Vec::new(),
            reach: 0,
            anger: 0,
            threats: Vec::new(),
            conversation: Conversation::default(),
            sum: None,
            around: Surroundings { hint_known: true, ..Surroundings::default() },
        })
        .collect();
    let (started, mut count) = (std::time::Instant::now(), 0_u32);
    while started.elapsed().as_secs() < 3 {
        for one in &told {
            std::hint::black_box(set.triage(&one.facts()));
            count += 1;
        }
    }
    let rate = f64::from(count) / started.elapsed().as_secs_f64();
    println!("{rate:.0} triages/s on one core");
    assert!(rate >= 20_000.0, "{rate:.0} triages/s");
}
