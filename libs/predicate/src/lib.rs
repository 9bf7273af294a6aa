//! Conditions in CEL over somebody's variables: bounded, typed, and total. Pure.
//!
//! A text is bounded before it is parsed ([`limits`]), parsed by the `cel` crate, which
//! knows no types, and checked against a [`Vocabulary`]: the names a condition may use and
//! the facts it may ask for. What comes of it is a [`Condition`] over those facts, whose
//! evaluation cannot fail.
//!
//! Variables are compared with constants; numbers are whole, and compared with whole and
//! with broken constants as numbers (`reach > 1.5` is `reach > 1`, as the specification
//! says). Texts are asked `contains`, `startsWith` and `endsWith`. A list has a `size`, and
//! `'x' in list`. There is `&&`, `||`, `!` and `? :`, and what functions the vocabulary
//! has. That is all.
#![warn(clippy::missing_errors_doc)]

pub mod limits;
mod reader;

use std::fmt::Debug;

pub use reader::{condition, conditions};

/// What is wrong with a condition, in words for its author.
pub type Wrong = String;

/// A condition over facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition<F> {
    /// Holds always, or never.
    Constant(bool),
    /// Holds as a fact does.
    Fact(F),
    /// Holds when the other does not.
    Not(Box<Condition<F>>),
    /// Holds when all do.
    All(Vec<Condition<F>>),
    /// Holds when one does.
    Any(Vec<Condition<F>>),
}

impl<F> Condition<F> {
    /// Whether it holds where facts do as told.
    pub fn holds(&self, fact: &impl Fn(&F) -> bool) -> bool {
        match self {
            Self::Constant(holds) => *holds,
            Self::Fact(asked) => fact(asked),
            Self::Not(condition) => !condition.holds(fact),
            Self::All(conditions) => conditions.iter().all(|condition| condition.holds(fact)),
            Self::Any(conditions) => conditions.iter().any(|condition| condition.holds(fact)),
        }
    }

    /// The facts it asks for, as often as it does.
    pub fn facts(&self) -> Vec<&F> {
        let mut facts = Vec::new();
        self.collect(&mut facts);
        facts
    }

    fn collect<'a>(&'a self, facts: &mut Vec<&'a F>) {
        match self {
            Self::Constant(_) => {}
            Self::Fact(fact) => facts.push(fact),
            Self::Not(condition) => condition.collect(facts),
            Self::All(conditions) | Self::Any(conditions) => {
                for condition in conditions {
                    condition.collect(facts);
                }
            }
        }
    }

    /// The same over other facts.
    #[must_use]
    pub fn map(&self, change: &impl Fn(&F) -> F) -> Self {
        let each = |conditions: &[Self]| conditions.iter().map(|one| one.map(change)).collect();
        match self {
            Self::Constant(holds) => Self::Constant(*holds),
            Self::Fact(fact) => Self::Fact(change(fact)),
            Self::Not(condition) => Self::Not(Box::new(condition.map(change))),
            Self::All(conditions) => Self::All(each(conditions)),
            Self::Any(conditions) => Self::Any(each(conditions)),
        }
    }

    /// How much it asks: its facts and constants.
    fn weight(&self) -> usize {
        match self {
            Self::Constant(_) | Self::Fact(_) => 1,
            Self::Not(condition) => condition.weight(),
            Self::All(conditions) | Self::Any(conditions) => conditions.iter().map(Self::weight).sum(),
        }
    }

    /// The opposite.
    #[must_use]
    pub fn negated(self) -> Self {
        match self {
            Self::Constant(holds) => Self::Constant(!holds),
            Self::Not(condition) => *condition,
            condition => Self::Not(Box::new(condition)),
        }
    }
}

/// How a number is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// `==`
    Equal,
    /// `<`
    Less,
    /// `<=`
    AtMost,
}

impl Comparison {
    /// Whether a number compares so with a constant.
    pub fn holds(self, number: i64, with: i64) -> bool {
        match self {
            Self::Equal => number == with,
            Self::Less => number < with,
            Self::AtMost => number <= with,
        }
    }
}

/// What may be asked of a text.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Question {
    /// It is this.
    Is(String),
    /// This occurs in it.
    Contains(String),
    /// It begins with this.
    StartsWith(String),
    /// It ends with this.
    EndsWith(String),
}

impl Question {
    /// Whether the answer for a text is yes.
    pub fn holds(&self, text: &str) -> bool {
        match self {
            Self::Is(constant) => text == constant,
            Self::Contains(piece) => text.contains(piece.as_str()),
            Self::StartsWith(piece) => text.starts_with(piece.as_str()),
            Self::EndsWith(piece) => text.ends_with(piece.as_str()),
        }
    }
}

/// The value of an expression: a condition, something known, or a variable.
#[derive(Clone, Debug)]
pub enum Value<V: Vocabulary> {
    /// A condition.
    Truth(Condition<V::Fact>),
    /// A whole number.
    Integer(i64),
    /// A number with a point.
    Broken(f64),
    /// A named number, which only numbers on its scale are compared with.
    Named(V::Scale, i64),
    /// A numeric variable.
    Number(V::Number),
    /// A text.
    Literal(String),
    /// A text variable.
    Text(V::Text),
    /// A list of values.
    Constants(Vec<Value<V>>),
    /// A list variable.
    List(V::List),
}

/// What conditions are over: names, and the facts they lead to.
pub trait Vocabulary: Clone + Debug {
    /// Something that is true or false, and cannot be taken apart.
    type Fact: Clone + Debug;
    /// A numeric variable.
    type Number: Copy + Debug;
    /// A text variable.
    type Text: Copy + Debug;
    /// A list variable.
    type List: Copy + Debug;
    /// A set of names for numbers.
    type Scale: Copy + Debug;

    /// Names of functions beside those that are always there, and how many arguments each
    /// takes.
    const FUNCTIONS: &'static [(&'static str, usize)];

    /// What a name stands for.
    fn named(&self, name: &str) -> Option<Value<Self>>;

    /// That a number compares so with a constant.
    fn compared(&self, number: Self::Number, comparison: Comparison, with: i64) -> Self::Fact;

    /// That the answer for a text is yes.
    ///
    /// # Errors
    ///
    /// No text can be so.
    fn asked(&self, text: Self::Text, question: Question) -> Result<Self::Fact, Wrong>;

    /// That a list has this.
    ///
    /// # Errors
    ///
    /// No list can have it.
    fn member(&self, what: String, list: Self::List) -> Result<Self::Fact, Wrong>;

    /// How many a list has.
    fn size(&self, list: Self::List) -> Self::Number;

    /// Whether a number is on a scale.
    fn is_on(&self, scale: Self::Scale, number: Self::Number) -> bool;

    /// What a name of a scale is, with its article.
    fn kind(&self, scale: Self::Scale) -> &'static str;

    /// What a function of its own comes to.
    ///
    /// # Errors
    ///
    /// It does not take such arguments.
    fn call(&self, name: &str, arguments: Vec<Value<Self>>) -> Result<Self::Fact, Wrong>;
}
