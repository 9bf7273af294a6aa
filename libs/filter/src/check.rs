//! Makes typed conditions of what a filter says.

use std::collections::BTreeSet;

use crate::terms;
use jiff::Timestamp;

use super::Problem;
use super::fields::{Code, Field, Moment, Word};
use super::syntax::{Expression, Operator, Value};

/// How numbers and moments are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compare {
    /// The same.
    Equal,
    /// Before.
    Less,
    /// Before or the same.
    AtMost,
    /// After.
    More,
    /// After or the same.
    AtLeast,
}

/// Something that is so or not of each case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Test {
    /// A code compares so with a number; a missing one does not.
    Code(Code, Compare, i16),
    /// It has a code at all.
    HasCode(Code),
    /// It was raised so many levels.
    Tier(Compare, i32),
    /// A name is this one; the empty one is nobody's.
    Word(Word, String),
    /// A name is not empty.
    HasWord(Word),
    /// It is about this, or something below it in the tree.
    Category(String),
    /// It is about something below this in the tree.
    BelowCategory(String),
    /// A moment compares so; a missing one does not.
    Moment(Moment, Compare, Timestamp),
    /// The moment has come or is set.
    HasMoment(Moment),
    /// It is not over.
    Open,
    /// It is open and its due time has passed.
    Breached,
    /// One of its clocks stands still.
    Paused,
    /// The complainant has said more since it was answered, and nobody has seen to it.
    Replied,
    /// Its texts have these words.
    Text(String),
}

/// Which cases are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Each of these holds; of none, all cases are meant.
    All(Vec<Condition>),
    /// At least one of these holds.
    Any(Vec<Condition>),
    /// This does not hold.
    Not(Box<Condition>),
    /// This holds.
    Test(Test),
}

/// A filter, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    /// Which cases are meant.
    pub condition: Condition,
    /// The fields it names.
    pub fields: BTreeSet<Field>,
}

impl Default for Search {
    fn default() -> Self {
        Self { condition: Condition::All(Vec::new()), fields: BTreeSet::new() }
    }
}

impl Search {
    /// Narrows it to cases of which this holds too.
    pub fn narrow(&mut self, test: Test) {
        let before = std::mem::replace(&mut self.condition, Condition::Test(test.clone()));
        if before != Condition::All(Vec::new()) {
            self.condition = Condition::All(vec![before, Condition::Test(test)]);
        }
    }

    /// Whether it plainly means open cases only.
    pub fn is_of_open_cases(&self) -> bool {
        fn opens(condition: &Condition) -> bool {
            match condition {
                Condition::All(parts) => parts.iter().any(opens),
                Condition::Test(test) => matches!(test, Test::Open | Test::Breached),
                Condition::Any(_) | Condition::Not(_) => false,
            }
        }
        opens(&self.condition)
    }
}

/// Understands what a filter says, or tells everything that is wrong with it.
pub(crate) fn check(expression: &Expression) -> Result<Search, Vec<Problem>> {
    let mut checker = Checker::default();
    match checker.condition(expression) {
        Some(condition) if checker.problems.is_empty() => Ok(Search { condition, fields: checker.fields }),
        _ => Err(checker.problems),
    }
}

#[derive(Default)]
struct Checker {
    fields: BTreeSet<Field>,
    problems: Vec<Problem>,
}

impl Checker {
    fn fault<T>(&mut self, at: usize, text: impl Into<String>) -> Option<T> {
        self.problems.push(Problem::new(at, text));
        None
    }

    fn condition(&mut self, expression: &Expression) -> Option<Condition> {
        match expression {
            Expression::All(parts) => self.each(parts).map(Condition::All),
            Expression::Any(parts) => self.each(parts).map(Condition::Any),
            Expression::Not(part) => self.condition(part).map(|part| Condition::Not(Box::new(part))),
            Expression::Words(words) => self.words(words),
            Expression::Restriction { field, operator, value } => match Field::named(&field.text) {
                Some(known) => {
                    self.fields.insert(known);
                    self.restriction(known, field.at, *operator, value)
                }
                None => {
                    self.fault(field.at, format!("there is no field {}; there are {}", field, Field::all()))
                }
            },
        }
    }

    /// All of the parts, so that all of their faults are told.
    fn each(&mut self, parts: &[Expression]) -> Option<Vec<Condition>> {
        let parts: Vec<_> = parts.iter().map(|part| self.condition(part)).collect();
        parts.into_iter().collect()
    }

    fn words(&mut self, words: &Value) -> Option<Condition> {
        if !words.quoted && Field::named(&words.text).is_some() {
            let text = format!("{words} is a field: compare it, or seek the word as \"{words}\"");
            return self.fault(words.at, text);
        }
        self.fields.insert(Field::Text);
        self.text(words)
    }

    fn restriction(
        &mut self,
        field: Field,
        at: usize,
        operator: Operator,
        value: &Value,
    ) -> Option<Condition> {
        match field {
            Field::State => self.code(Code::State, at, operator, value),
            Field::Priority => self.code(Code::Priority, at, operator, value),
            Field::Channel => self.code(Code::Channel, at, operator, value),
            Field::Outcome => self.code(Code::Outcome, at, operator, value),
            Field::Tier => self.tier(operator, value),
            Field::Agent => self.word(Word::Agent, at, operator, value),
            Field::Department => self.word(Word::Department, at, operator, value),
            Field::Customer => self.word(Word::Customer, at, operator, value),
            Field::Language => self.word(Word::Language, at, operator, value),
            Field::Category => self.category(at, operator, value),
            Field::ReceiveTime => self.moment(Moment::Received, operator, value),
            Field::OpenTime => self.moment(Moment::Opened, operator, value),
            Field::ResolveTime => self.moment(Moment::Resolved, operator, value),
            Field::CloseTime => self.moment(Moment::Closed, operator, value),
            Field::DueTime => self.moment(Moment::Due, operator, value),
            Field::Open => self.flag(Test::Open, at, operator, value),
            Field::Breached => self.flag(Test::Breached, at, operator, value),
            Field::Paused => self.flag(Test::Paused, at, operator, value),
            Field::Replied => self.flag(Test::Replied, at, operator, value),
            Field::Text => {
                let equal = self.equal(at, operator)?;
                self.text(value).map(|found| equal.of(found))
            }
        }
    }

    fn code(&mut self, code: Code, at: usize, operator: Operator, value: &Value) -> Option<Condition> {
        if operator == Operator::Has && value.is_star() {
            return Some(Condition::Test(Test::HasCode(code)));
        }
        let (equal, compare) = match code {
            // P1 is the first of them.
            Code::Priority => compare(operator),
            _ => (self.equal(at, operator)?, Compare::Equal),
        };
        match code.number(&value.text) {
            Some(number) => Some(equal.of(Condition::Test(Test::Code(code, compare, number)))),
            None => self.fault(value.at, format!("{value} is none of {}", code.names())),
        }
    }

    fn tier(&mut self, operator: Operator, value: &Value) -> Option<Condition> {
        let (equal, compare) = compare(operator);
        match value.text.parse() {
            Ok(tier) => Some(equal.of(Condition::Test(Test::Tier(compare, tier)))),
            Err(_) => self.fault(value.at, format!("{value} is no whole number")),
        }
    }

    fn word(&mut self, word: Word, at: usize, operator: Operator, value: &Value) -> Option<Condition> {
        let equal = self.equal(at, operator)?;
        let test = match operator {
            Operator::Has if value.is_star() => Test::HasWord(word),
            _ => Test::Word(word, value.text.clone()),
        };
        Some(equal.of(Condition::Test(test)))
    }

    fn category(&mut self, at: usize, operator: Operator, value: &Value) -> Option<Condition> {
        let equal = self.equal(at, operator)?;
        let test = match value.text.strip_suffix("/*") {
            Some(path) => Test::BelowCategory(path.to_owned()),
            None => Test::Category(value.text.clone()),
        };
        Some(equal.of(Condition::Test(test)))
    }

    fn moment(&mut self, moment: Moment, operator: Operator, value: &Value) -> Option<Condition> {
        if operator == Operator::Has && value.is_star() {
            return Some(Condition::Test(Test::HasMoment(moment)));
        }
        let (equal, compare) = compare(operator);
        match value.text.parse::<Timestamp>() {
            Ok(time) => {
                let time = kernel::time::micros(time);
                Some(equal.of(Condition::Test(Test::Moment(moment, compare, time))))
            }
            Err(_) => self.fault(value.at, format!("{value} is no time such as 2026-12-01T09:00:00Z")),
        }
    }

    fn flag(&mut self, test: Test, at: usize, operator: Operator, value: &Value) -> Option<Condition> {
        let equal = self.equal(at, operator)?;
        let holds = Condition::Test(test);
        match value.text.as_str() {
            "true" => Some(equal.of(holds)),
            "false" => Some(equal.not().of(holds)),
            _ => self.fault(value.at, format!("{value} is neither true nor false")),
        }
    }

    fn text(&mut self, value: &Value) -> Option<Condition> {
        if terms::has_words(&value.text) {
            return Some(Condition::Test(Test::Text(value.text.clone())));
        }
        self.fault(value.at, format!("{value} has no word to be found"))
    }

    /// The operators of what has no order.
    fn equal(&mut self, at: usize, operator: Operator) -> Option<Equal> {
        match operator {
            Operator::Equal | Operator::Has => Some(Equal::Yes),
            Operator::NotEqual => Some(Equal::No),
            _ => self.fault(at, format!("this field has no order: {} does not apply", operator.sign())),
        }
    }
}

/// Whether a comparison is meant as it stands.
#[derive(Clone, Copy)]
enum Equal {
    Yes,
    No,
}

impl Equal {
    fn of(self, condition: Condition) -> Condition {
        match self {
            Self::Yes => condition,
            Self::No => Condition::Not(Box::new(condition)),
        }
    }

    fn not(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
        }
    }
}

fn compare(operator: Operator) -> (Equal, Compare) {
    match operator {
        Operator::Equal | Operator::Has => (Equal::Yes, Compare::Equal),
        Operator::NotEqual => (Equal::No, Compare::Equal),
        Operator::Less => (Equal::Yes, Compare::Less),
        Operator::AtMost => (Equal::Yes, Compare::AtMost),
        Operator::More => (Equal::Yes, Compare::More),
        Operator::AtLeast => (Equal::Yes, Compare::AtLeast),
    }
}
