//! What can be said in a filter, and how it is written.

use std::fmt;

/// How a field is compared with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    More,
    /// `>=`
    AtLeast,
    /// `:`
    Has,
}

impl Operator {
    /// Every operator; none begins with one that stands before it.
    pub(crate) const ALL: [Self; 7] =
        [Self::NotEqual, Self::AtMost, Self::AtLeast, Self::Equal, Self::Less, Self::More, Self::Has];

    /// How it is written.
    pub(crate) const fn sign(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::More => ">",
            Self::AtLeast => ">=",
            Self::Has => ":",
        }
    }
}

/// A value as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Value {
    /// Which character it begins at, from 1.
    pub(crate) at: usize,
    /// What it says.
    pub(crate) text: String,
    /// Whether it stands in quotation marks.
    pub(crate) quoted: bool,
}

impl Value {
    /// Whether it stands for anything at all.
    pub(crate) fn is_star(&self) -> bool {
        !self.quoted && self.text == "*"
    }
}

/// What a filter says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Expression {
    /// Each of them: two or more.
    All(Vec<Expression>),
    /// At least one of them: two or more.
    Any(Vec<Expression>),
    /// Not this.
    Not(Box<Expression>),
    /// A field compared with a value.
    Restriction {
        /// Name of the field.
        field: Value,
        /// How it is compared.
        operator: Operator,
        /// With what.
        value: Value,
    },
    /// A word or text alone: to be found in what people wrote.
    Words(Value),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.quoted {
            write!(f, "\"{}\"", self.text.replace('\\', r"\\").replace('"', "\\\""))
        } else {
            f.write_str(&self.text)
        }
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All(parts) => joined(f, parts, " AND "),
            Self::Any(parts) => joined(f, parts, " OR "),
            Self::Not(part) => {
                f.write_str("NOT ")?;
                enclosed(f, part)
            }
            Self::Restriction { field, operator, value } => write!(f, "{field} {} {value}", operator.sign()),
            Self::Words(words) => write!(f, "{words}"),
        }
    }
}

fn joined(f: &mut fmt::Formatter<'_>, parts: &[Expression], with: &str) -> fmt::Result {
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            f.write_str(with)?;
        }
        match part {
            // NOT belongs to what follows it alone.
            Expression::Not(_) => write!(f, "{part}")?,
            part => enclosed(f, part)?,
        }
    }
    Ok(())
}

/// Writes a part so that nothing beside it changes what it says.
fn enclosed(f: &mut fmt::Formatter<'_>, part: &Expression) -> fmt::Result {
    match part {
        Expression::Restriction { .. } | Expression::Words(_) => write!(f, "{part}"),
        part => write!(f, "({part})"),
    }
}
