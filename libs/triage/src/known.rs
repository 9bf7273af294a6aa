//! Known answers: what the CEL specification says of everything that conditions may be
//! made of. The library reads conditions and may be replaced; these answers stay.

use super::definition::{Definition, Rule, Sets, WordList};
use super::*;
use predicate::limits::{self, MAX_FACTS, MAX_NESTING, MAX_OPERATORS};

/// Reach 7, two vulnerabilities, a threat of court, 12.50 CNY of a major loss of 10.
fn holds(when: &str) -> Result<bool, String> {
    let rule = Rule {
        name: "known".to_owned(),
        when: when.to_owned(),
        reason: "it holds".to_owned(),
        sets: Sets { priority: Some(Priority::P1), ..Sets::default() },
    };
    let words = vec![" late ".to_owned(), "退款".to_owned()];
    let definition = Definition {
        word_lists: vec![WordList { name: "late".to_owned(), words }],
        major_losses: vec![definition::MajorLoss { currency: "CNY".to_owned(), minor: 1_000 }],
        rules: vec![rule],
        ..Definition::default()
    };
    let set = RuleSet::read(1, definition)
        .map_err(|flaws| flaws.into_iter().map(|flaw| flaw.what).collect::<String>())?;
    let sum = Money { minor: 1_250, currency: "CNY".to_owned() };
    let facts = Facts {
        channel: Channel::Web,
        subject: "Café LATE!",
        description: "申请退款 a.b",
        language: "zh-CN",
        category_hint: "loan/rate",
        vulnerabilities: &["elderly".to_owned(), "ill".to_owned()],
        reach: 7,
        anger: language::Level::Angry,
        threats: &[Threat::Court],
        conversation: TALK,
        amount_sought: Some(&sum),
        named: None,
        around: Surroundings { repeats: 2, surge: true, hint_known: true },
    };
    Ok(set.triage(&facts).triage.priority == Priority::P1)
}

/// A chat that was handed over as its customer grew angrier, and asks for a call.
const TALK: Conversation = Conversation {
    missed_call: false,
    call_back_requested: true,
    handed_over: true,
    hand_over_reason: Some(HandOverReason::NotUnderstood),
    mood: Some(MoodFacts {
        first: language::Level::Calm,
        worst: language::Level::Furious,
        last: language::Level::Annoyed,
        trend: Some(Trend::Rising),
    }),
};

/// Conditions that hold of it; each also fails when it is negated.
const TRUE: &[&str] = &[
    // Numbers: whole, hexadecimal, unsigned and broken constants on one scale.
    "reach == 7 && 7 == reach && reach != 8",
    "reach > 6 && reach >= 7 && reach < 8 && reach <= 7",
    "6 < reach && 7 <= reach && 8 > reach && 7 >= reach",
    "reach == 0x7 && reach == 7u && reach < 0xFFu",
    "reach > 6.5 && reach < 7.5 && reach >= 7.0 && reach <= 7.0 && reach == 7.0",
    "reach != 7.1 && 7.1 > reach && 6.9 < reach",
    "reach < 1e300 && reach > -1e300 && -0.5 < reach",
    "reach > -9223372036854775808 && reach < 9223372036854775807",
    "reach == 7e0 && reach != .7 && reach > -7",
    "-(-7) == reach",
    // 2^53 + 1 is no float: constants that are whole stay whole.
    "reach != 9007199254740993",
    "amount_minor == 1250 && loss == 125 && loss > 124.9",
    "repeat_count == 2 && emotion == ANGRY && emotion > ANNOYED && emotion < FURIOUS",
    "mood_first == CALM && mood_worst == FURIOUS && mood_last == ANNOYED && mood_last > DISPLEASED",
    "mood_rising && !mood_falling && handed_over && call_back_requested && !missed_call",
    "hand_over_reason == 'not_understood' && hand_over_reason != '' && hand_over_reason.startsWith('not')",
    "severity == MEDIUM && severity > LOW && severity < HIGH && severity != CRITICAL",
    // Sizes of lists.
    "size(vulnerabilities) == 2 && vulnerabilities.size() == 2 && size(threats) == 1",
    "size(vulnerabilities) > 1.5",
    // Membership.
    "'elderly' in vulnerabilities && !('child' in vulnerabilities)",
    "'court' in threats && !('media' in threats) && threatens_escalation",
    "reach in [1, 7.0, 9u] && !(reach in []) && !(reach in [7.5])",
    "channel in ['phone', 'web'] && !(channel in ['phone'])",
    // Texts: case, characters and escapes as written.
    "channel == 'web' && channel != 'chat' && \"web\" == channel",
    "category == 'loan/rate' && category.startsWith('loan/') && category.endsWith('rate')",
    "category == '\\u006coan/rate' && category == '\\x6coan/rate' && category == '\\154oan/rate'",
    "category == '\\U0000006coan/rate' && category == '''loan/rate''' && category == r'loan/rate'",
    "category != r'\\u006coan/rate' && category != 'Loan/rate' && category != ''",
    "category.contains('') && category.startsWith('') && category.endsWith('')",
    "contains(category, '/r') && !category.contains('/R')",
    "language == 'zh-CN' && amount_currency == 'CNY' && has_amount",
    "text == ' café late 申请退款 a b ' && subject == ' café late ' && description == ' 申请退款 a b '",
    "text.contains('caf\\u00e9') && subject.contains('é l') && !description.contains('late')",
    "text.contains('late 申') && !subject.contains('late 申') && text.contains('')",
    "text.startsWith(' café') && description.endsWith(' b ') && !text.endsWith('late ')",
    "speaks_of(text, 'late') && speaks_of(subject, 'late') && speaks_of(description, 'late')",
    // Logic: precedence, associativity, laziness that nobody sees.
    "true || false && false",
    "!(true && false || false)",
    "!false == true",
    "true ? true : false ? false : true",
    "(false ? false : true) ? true : false",
    "false || (reach == 7 ? surge : !surge)",
    "surge == has_amount && surge != is_regulator && (surge == true) == true",
    "!(!surge) && !is_regulator && -1 < reach",
    "surge // the rest of the line is a comment && false\n && true",
];

/// Conditions that are refused, and why.
const REFUSED: &[(&str, &str)] = &[
    ("hand_over_reason == 'bored'", "there is no reason \"bored\" to hand over"),
    ("mood_worst == HIGH", "a number cannot be compared with a level"),
    ("size(text) > 5", "the size of a text is not known"),
    ("size('é') == 1", "the size of a text is not known"),
    ("reach + 1 == 8", "there is no + of 2 arguments"),
    ("reach == 9223372036854775808", "cannot be read"),
    ("reach == 18446744073709551615u", "a number is too large"),
    ("-(-9223372036854775808) == reach", "a number is too large"),
    ("text < 'a'", "a text is compared so with a constant only"),
    ("reach == '7'", "a number cannot be compared with a text"),
    ("!!surge", "doubled sign"),
    ("surge < true", "is compared so with a constant only"),
    ("text.matches('a+')", "there is no matches of 2 arguments"),
    ("timestamp('2026-01-01T00:00:00Z') < now", "there is no"),
    ("duration('1h') < 2", "there is no duration of 1 arguments"),
    ("getHours(reach) == 1", "there is no getHours of 1 arguments"),
    ("has(text.a)", "nothing has a field a"),
    ("vulnerabilities.all(v, v == 'x')", "macros over lists are not known here"),
    ("vulnerabilities[0] == 'x'", "arguments"),
    ("{'a': 1} == {'a': 1}", "only conditions over the record are known here"),
    ("category == b'x'", "constants are numbers, texts, true and false"),
    ("reach == null", "constants are numbers, texts, true and false"),
    ("[1, 2] == [1, 2]", "a list is compared so with a constant only"),
];

#[test]
fn a_condition_means_what_the_specification_says() {
    for when in TRUE {
        assert_eq!(holds(when), Ok(true), "{when}");
        assert_eq!(holds(&format!("!({when}\n)")), Ok(false), "not {when}");
    }
    assert!(TRUE.len() >= 35, "answers were lost");
}

#[test]
fn what_is_not_offered_is_refused_by_name() {
    for (when, why) in REFUSED {
        let told = holds(when).expect_err(when);
        assert!(told.contains(why), "{when}: {told}");
    }
}

/// The worst that the limits let through, of each kind.
fn worst() -> Vec<String> {
    let (deep, long) = (MAX_NESTING, MAX_OPERATORS);
    vec![
        format!("{}surge{}", "(".repeat(deep), ")".repeat(deep)),
        format!("{}surge{}", "!(".repeat(deep), ")".repeat(deep)),
        format!("{}surge", "surge ? surge : ".repeat(deep)),
        format!("{}surge{}", "!(".repeat(deep), ")".repeat(deep)),
        format!("{}1{} < reach", "-(".repeat(deep), ")".repeat(deep)),
        format!("surge{}", " == surge".repeat(long)),
        format!("surge{}", " && surge".repeat(long)),
        format!("surge{}", " || surge && surge".repeat(long / 2)),
        format!("surge{}", ".a".repeat(long)),
        format!("1{} < reach", "+1".repeat(long - 1)),
        format!("reach{}", "[1]".repeat(long)),
        format!("surge{}", " in surge".repeat(long)),
        format!("{}surge{}", "[".repeat(deep), "]".repeat(deep)),
        format!("{}surge{}", "size(".repeat(deep), ")".repeat(deep)),
        format!("{}surge{}", "vulnerabilities.all(a, ".repeat(deep), ")".repeat(deep)),
        format!("text{}", ".f(1)".repeat(long / 2)),
        format!("{}surge{}", "{1: ".repeat(deep), "}".repeat(deep)),
    ]
}

#[test]
fn the_worst_conditions_are_read_with_little_of_the_stack() {
    let sources = worst();
    assert!(sources.iter().all(|source| limits::check(source).is_ok()), "the limits refuse some");
    for source in &sources {
        // Read on its own thread as ever; a stack that does not suffice ends the process.
        let _ = holds(source);
    }
    let few = std::thread::Builder::new().stack_size(limits::PARSER_STACK / 8);
    let read = few.spawn(move || {
        sources.iter().filter(|one| predicate::condition(one, &typed::Words { lists: &[] }).is_ok()).count()
    });
    let accepted = read.expect("a thread").join().expect("an eighth of the stack is enough");
    assert!((1..worst().len()).contains(&accepted), "{accepted}");
}

#[test]
fn deeper_and_longer_conditions_are_refused_before_they_are_read() {
    for source in [
        format!("{}surge{}", "(".repeat(50_000), ")".repeat(50_000)),
        format!("{}surge", "!(".repeat(50_000)),
        format!("{}(surge)", "!!(".repeat(50_000)),
        format!("surge{}", ".a".repeat(50_000)),
        format!("{}surge", "surge ? surge : ".repeat(50_000)),
    ] {
        let told = holds(&source).expect_err("it is too much");
        assert!(
            ["is nested deeper", "has more than", "doubled"].iter().any(|why| told.contains(why)),
            "{told}"
        );
    }
}

#[test]
fn choices_of_choices_do_not_grow_without_bound() {
    for (open, close) in [("(", " ? surge : has_amount)"), ("(", " == has_amount)")] {
        let nested = |depth: usize| format!("{}surge{}", open.repeat(depth), close.repeat(depth));
        assert!(holds(&nested(3)).is_ok());
        let told = holds(&nested(MAX_NESTING / 2)).expect_err("2^12 facts");
        assert!(told.contains(&format!("more than {MAX_FACTS} facts")), "{told}");
    }
}
