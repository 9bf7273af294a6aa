//! The vocabulary of approval rules (see `predicate`): what they may look at of a plan.
//! The contract, `ApprovalRule.when`, says what each name means.

use kernel::Role;
use predicate::{Comparison, Condition, Question, Value, Vocabulary, Wrong};

use super::{Facts, of};
use crate::remedy::RemedyKind;

/// What conditions are over.
#[derive(Clone, Copy, Debug)]
pub(super) struct Words;

/// Something that is true or false of a plan in one currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fact {
    /// A yes or no.
    Flag(Flag),
    /// A number compared with a constant.
    Number(Number, Comparison, i64),
    /// Something about a text.
    Text(Text, Question),
    /// That a list has this.
    Member(List, String),
}

/// The yes-or-no variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flag {
    HasSought,
    AboveSought,
    ComplainantKnown,
    LinkedRefund,
}

/// The numeric variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Number {
    Amount,
    Total,
    CaseGranted,
    CaseTotal,
    ComplainantGranted,
    ComplainantTotal,
    Sought,
    Steps,
    Priority,
    Cycle,
    Kinds,
    RemedyTypes,
    Roles,
}

/// The text variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Text {
    Currency,
    Category,
    Proposer,
}

/// The list variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum List {
    Kinds,
    RemedyTypes,
    Roles,
}

/// Names of priorities.
#[derive(Clone, Copy, Debug)]
pub(super) struct Priorities;

impl Vocabulary for Words {
    type Fact = Fact;
    type Number = Number;
    type Text = Text;
    type List = List;
    type Scale = Priorities;

    const FUNCTIONS: &'static [(&'static str, usize)] = &[];

    fn named(&self, name: &str) -> Option<Value<Self>> {
        let flag = |flag| Value::Truth(Condition::Fact(Fact::Flag(flag)));
        Some(match name {
            "amount_minor" => Value::Number(Number::Amount),
            "total_minor" => Value::Number(Number::Total),
            "case_granted_minor" => Value::Number(Number::CaseGranted),
            "case_total_minor" => Value::Number(Number::CaseTotal),
            "complainant_granted_minor" => Value::Number(Number::ComplainantGranted),
            "complainant_total_minor" => Value::Number(Number::ComplainantTotal),
            "sought_minor" => Value::Number(Number::Sought),
            "steps" => Value::Number(Number::Steps),
            "priority" => Value::Number(Number::Priority),
            "cycle" => Value::Number(Number::Cycle),
            "currency" => Value::Text(Text::Currency),
            "category" => Value::Text(Text::Category),
            "proposer" => Value::Text(Text::Proposer),
            "kinds" => Value::List(List::Kinds),
            "remedy_types" => Value::List(List::RemedyTypes),
            "proposer_roles" => Value::List(List::Roles),
            "has_sought" => flag(Flag::HasSought),
            "above_sought" => flag(Flag::AboveSought),
            "complainant_known" => flag(Flag::ComplainantKnown),
            "linked_refund" => flag(Flag::LinkedRefund),
            "P1" => Value::Named(Priorities, 1),
            "P2" => Value::Named(Priorities, 2),
            "P3" => Value::Named(Priorities, 3),
            "P4" => Value::Named(Priorities, 4),
            _ => return None,
        })
    }

    fn compared(&self, number: Number, comparison: Comparison, with: i64) -> Fact {
        Fact::Number(number, comparison, with)
    }

    fn asked(&self, text: Text, question: Question) -> Result<Fact, Wrong> {
        let (Question::Is(piece)
        | Question::Contains(piece)
        | Question::StartsWith(piece)
        | Question::EndsWith(piece)) = &question;
        if text == Text::Proposer && piece.to_lowercase() != *piece {
            return Err(format!("no proposer is so with {piece:?}: they are in lower case"));
        }
        Ok(Fact::Text(text, question))
    }

    fn member(&self, what: String, list: List) -> Result<Fact, Wrong> {
        let known = match list {
            List::Kinds => RemedyKind::ALL.iter().any(|kind| kind.word() == what),
            // Which there are is the tenant's to say, and they come later than the rule.
            List::RemedyTypes => !what.is_empty() && what.bytes().all(is_of_name),
            List::Roles => Role::named(&what).is_some(),
        };
        match list {
            _ if known => Ok(Fact::Member(list, what)),
            List::Kinds => Err(format!("there is no kind of remedy {what:?}")),
            List::RemedyTypes => Err(format!("no type of remedy can be called {what:?}")),
            List::Roles => Err(format!("there is no role {what:?}")),
        }
    }

    fn size(&self, list: List) -> Number {
        match list {
            List::Kinds => Number::Kinds,
            List::RemedyTypes => Number::RemedyTypes,
            List::Roles => Number::Roles,
        }
    }

    fn is_on(&self, _: Priorities, number: Number) -> bool {
        number == Number::Priority
    }

    fn kind(&self, _: Priorities) -> &'static str {
        "a priority"
    }

    fn call(&self, name: &str, _: Vec<Value<Self>>) -> Result<Fact, Wrong> {
        Err(format!("there is no {name}"))
    }
}

/// Whether the name of a type of remedy may have it.
fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'.'
}

/// A plan as rules see it: in one currency, and so many days.
#[derive(Clone, Copy, Debug)]
pub(super) struct View<'a> {
    pub(super) facts: &'a Facts,
    /// Empty for a plan without money.
    pub(super) currency: &'a str,
    pub(super) days: i32,
}

impl View<'_> {
    /// Whether something is true of it.
    pub(super) fn holds(&self, fact: &Fact) -> bool {
        match fact {
            Fact::Flag(flag) => self.flag(*flag),
            Fact::Number(number, comparison, with) => comparison.holds(self.number(*number), *with),
            Fact::Text(text, question) => question.holds(self.text(*text)),
            Fact::Member(List::Kinds, what) => self.facts.kinds.contains(what),
            Fact::Member(List::RemedyTypes, what) => self.facts.remedy_types.contains(what),
            Fact::Member(List::Roles, what) => self.facts.roles.contains(what),
        }
    }

    fn flag(&self, flag: Flag) -> bool {
        match flag {
            Flag::HasSought => self.facts.sought().is_some(),
            Flag::AboveSought => self.facts.is_above_sought(self.currency),
            Flag::ComplainantKnown => self.facts.complainant_known,
            Flag::LinkedRefund => !self.facts.linked_refunds.is_empty(),
        }
    }

    fn number(&self, number: Number) -> i64 {
        let Self { facts, currency, days } = *self;
        let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        match number {
            Number::Amount => of(&facts.largest, currency),
            Number::Total => of(&facts.total, currency),
            Number::CaseGranted => of(&facts.case_granted, currency),
            Number::CaseTotal => facts.case_total(currency),
            Number::ComplainantGranted => facts.complainant_granted(currency, days),
            Number::ComplainantTotal => facts.complainant_total(currency, days),
            Number::Sought if facts.sought_currency == currency => facts.sought_minor,
            Number::Sought => 0,
            Number::Steps => facts.steps,
            Number::Priority => facts.priority.into(),
            Number::Cycle => facts.cycle.into(),
            Number::Kinds => count(facts.kinds.len()),
            Number::RemedyTypes => count(facts.remedy_types.len()),
            Number::Roles => count(facts.roles.len()),
        }
    }

    fn text(&self, text: Text) -> &str {
        match text {
            Text::Currency => self.currency,
            Text::Category => &self.facts.category,
            Text::Proposer => &self.facts.proposer,
        }
    }
}
