//! What holds for every filter, and what some say.

use proptest::prelude::*;

use super::check::{Compare, Condition, Test};
use super::fields::{Code, Moment, Word};
use super::parse::parse;
use super::syntax::{Expression, Operator, Value};
use super::{Problem, read};

/// An expression without its places: what it says.
fn said(expression: Expression) -> Expression {
    let plain = |value: Value| Value { at: 0, ..value };
    match expression {
        Expression::All(parts) => Expression::All(parts.into_iter().map(said).collect()),
        Expression::Any(parts) => Expression::Any(parts.into_iter().map(said).collect()),
        Expression::Not(part) => Expression::Not(Box::new(said(*part))),
        Expression::Words(words) => Expression::Words(plain(words)),
        Expression::Restriction { field, operator, value } => {
            Expression::Restriction { field: plain(field), operator, value: plain(value) }
        }
    }
}

fn value(text: &'static str) -> impl Strategy<Value = Value> {
    let quoted = any::<String>().prop_map(|text| Value { at: 0, text, quoted: true });
    let keyword = |text: &String| !["AND", "OR", "NOT"].contains(&text.as_str());
    let plain = text.prop_filter("no keyword", keyword).prop_map(|text| Value { at: 0, text, quoted: false });
    prop_oneof![quoted, plain]
}

fn expression() -> impl Strategy<Value = Expression> {
    let restriction = (
        value("[a-z_]{1,9}"),
        proptest::sample::select(Operator::ALL.to_vec()),
        value("[-0-9A-Za-z*.退][-0-9A-Za-z*:.退]{0,8}"),
    )
        .prop_map(|(field, operator, value)| Expression::Restriction { field, operator, value });
    let leaf = prop_oneof![
        restriction,
        value("[a-zA-Z退款0-9.*][-a-zA-Z退款0-9.*]{0,6}").prop_map(Expression::Words)
    ];
    leaf.prop_recursive(4, 24, 4, |part| {
        prop_oneof![
            prop::collection::vec(part.clone(), 2..4).prop_map(Expression::All),
            prop::collection::vec(part.clone(), 2..4).prop_map(Expression::Any),
            part.prop_map(|part| Expression::Not(Box::new(part))),
        ]
    })
}

proptest! {
    /// What is written is read as it was meant.
    #[test]
    fn written_and_read_it_says_the_same(expression in expression()) {
        let text = expression.to_string();
        let (read, problems) = parse(&text);
        prop_assert_eq!(problems, vec![], "{}", text);
        prop_assert_eq!(read.map(said), Some(expression), "{}", text);
    }

    /// Whatever is sent is read or refused, and the places are in the text.
    #[test]
    fn nothing_sent_confuses_the_reader(text in r#"([-()"'\\:=<>! ]|AND|OR|NOT|state|open|true|[a-z退0-9*]){0,30}"#) {
        if let Err(problems) = read(&text) {
            prop_assert!(!problems.is_empty());
            for Problem { at, .. } in problems {
                prop_assert!((1..=text.chars().count() + 1).contains(&at));
            }
        }
    }
}

fn condition(text: &str) -> Condition {
    read(text).unwrap_or_else(|problems| panic!("{text}: {problems:?}")).condition
}

fn problems(text: &str) -> Vec<(usize, String)> {
    read(text).expect_err(text).into_iter().map(|problem| (problem.at, problem.text)).collect()
}

fn test(test: Test) -> Condition {
    Condition::Test(test)
}

fn not(test: Test) -> Condition {
    Condition::Not(Box::new(Condition::Test(test)))
}

#[test]
fn or_binds_tighter_than_and() {
    let triaged = test(Test::Code(Code::State, Compare::Equal, 2));
    let urgent = test(Test::Code(Code::Priority, Compare::AtMost, 2));
    let breached = test(Test::Breached);
    let expected =
        Condition::All(vec![triaged.clone(), Condition::Any(vec![urgent.clone(), breached.clone()])]);
    assert_eq!(condition("state = TRIAGED AND priority <= P2 OR breached = true"), expected);
    assert_eq!(condition("state:triaged (priority<=p2 OR breached=true)"), expected);
    let grouped = Condition::Any(vec![Condition::All(vec![triaged, urgent]), breached]);
    assert_eq!(condition("(state = CASE_STATE_TRIAGED AND priority <= P2) OR breached = true"), grouped);
}

#[test]
fn each_kind_of_field_has_its_values() {
    let due: jiff::Timestamp = "2026-12-01T09:00:00Z".parse().expect("a time");
    let due = |compare| test(Test::Moment(Moment::Due, compare, due));
    assert_eq!(condition("due_time < 2026-12-01T09:00:00Z"), due(Compare::Less));
    assert_eq!(condition("due_time >= \"2026-12-01T17:00:00+08:00\""), due(Compare::AtLeast));
    assert_eq!(condition("NOT agent:*"), not(Test::HasWord(Word::Agent)));
    assert_eq!(condition("agent:\"*\""), test(Test::Word(Word::Agent, "*".to_owned())));
    assert_eq!(condition("-customer_id = 'c-1'"), not(Test::Word(Word::Customer, "c-1".to_owned())));
    assert_eq!(condition("open = false"), not(Test::Open));
    assert_eq!(condition("open != false"), test(Test::Open));
    assert_eq!(condition("tier > 1"), test(Test::Tier(Compare::More, 1)));
    assert_eq!(condition("outcome:*"), test(Test::HasCode(Code::Outcome)));
    assert_eq!(condition("category = delivery"), test(Test::Category("delivery".to_owned())));
    assert_eq!(condition("category:\"delivery/*\""), test(Test::BelowCategory("delivery".to_owned())));
    let words = |text: &str| test(Test::Text(text.to_owned()));
    assert_eq!(condition("kettle \"破 损\""), Condition::All(vec![words("kettle"), words("破 损")]));
    assert_eq!(condition(""), Condition::All(vec![]));
}

#[test]
fn everything_wrong_is_told_with_its_place() {
    let found = problems("state = TRIGED AND colour = red OR priority < P9 AND due_time < soon");
    assert_eq!(found.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [9, 20, 47, 65]);
    assert!(found[0].1.starts_with("TRIGED is none of RECEIVED, TRIAGED,"), "{found:?}");
    assert!(found[1].1.starts_with("there is no field colour; there are state,"), "{found:?}");
    assert_eq!(problems("category < x"), [(1, "this field has no order: < does not apply".to_owned())]);
    assert_eq!(problems("open")[0].0, 1);
    assert_eq!(problems("open = yes")[0].0, 8);
    assert_eq!(problems("text:\"…\"")[0].1, "\"…\" has no word to be found");
}

#[test]
fn what_cannot_be_read_does_not_hide_the_rest() {
    let places = |text: &str| problems(text).iter().map(|(at, _)| *at).collect::<Vec<_>>();
    assert_eq!(places("state = AND tier = x"), [7, 20]);
    assert_eq!(places("(open = true"), [1]);
    assert_eq!(places("open = true) tier = x"), [12, 21]);
    assert_eq!(places("= 3 AND tier = x"), [1, 16]);
    assert_eq!(places("tier = (1 OR 2) AND tier = x"), [6, 28]);
    assert_eq!(places("agent = \"bob"), [7, 9]);
    assert_eq!(places("a AND"), [6]);
    assert_eq!(places(&"(".repeat(40)), (1..=33).collect::<Vec<_>>());
}
