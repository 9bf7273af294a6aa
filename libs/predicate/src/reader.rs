//! From CEL to conditions: the text is parsed by the `cel` crate, and its types are
//! checked here.

use cel::common::ast::{CallExpr, Expr, LiteralValue, operators};
use cel::parser::{Expression, Parser};

use super::limits::{self, MAX_FACTS, PARSER_STACK};
use super::{Comparison, Condition, Question, Value, Vocabulary, Wrong};

impl<V: Vocabulary> Value<V> {
    fn kind(&self, vocabulary: &V) -> &'static str {
        match self {
            Self::Truth(_) => "a condition",
            Self::Integer(_) | Self::Broken(_) | Self::Number(_) => "a number",
            Self::Named(scale, _) => vocabulary.kind(*scale),
            Self::Literal(_) | Self::Text(_) => "a text",
            Self::Constants(_) | Self::List(_) => "a list",
        }
    }
}

/// Reads conditions. On a thread of its own: the parser calls itself, and only here is
/// known how much stack there is.
pub fn conditions<V: Vocabulary + Sync>(
    sources: &[&str],
    vocabulary: &V,
) -> Vec<Result<Condition<V::Fact>, Wrong>>
where
    V::Fact: Send,
{
    let failed = |why: String| sources.iter().map(|_| Err(why.clone())).collect();
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("conditions".to_owned()).stack_size(PARSER_STACK);
        let read = || sources.iter().map(|source| condition(source, vocabulary)).collect();
        match thread.spawn_scoped(scope, read) {
            Ok(reading) => {
                reading.join().unwrap_or_else(|_| failed("cannot be read: the parser failed".to_owned()))
            }
            Err(error) => failed(format!("cannot be read just now: {error}")),
        }
    })
}

/// Reads a condition on the thread that asks, for those who know their stack.
///
/// # Errors
///
/// It is too deep or too long, no CEL, or does not type-check.
pub fn condition<V: Vocabulary>(source: &str, vocabulary: &V) -> Result<Condition<V::Fact>, Wrong> {
    limits::check(source)?;
    let parsed = Parser::default().parse(source).map_err(|errors| {
        let first = errors.errors.first().map(|error| error.msg.clone()).unwrap_or_default();
        format!("cannot be read: {first}")
    })?;
    Reader { vocabulary }.truth(&parsed)
}

struct Reader<'a, V> {
    vocabulary: &'a V,
}

type Read<V> = Result<Value<V>, Wrong>;

impl<V: Vocabulary> Reader<'_, V> {
    fn truth(&self, expression: &Expression) -> Result<Condition<V::Fact>, Wrong> {
        match self.typed(expression)? {
            Value::Truth(condition) => Ok(condition),
            other => Err(format!("{} stands where a condition is wanted", self.kind(&other))),
        }
    }

    fn kind(&self, value: &Value<V>) -> &'static str {
        value.kind(self.vocabulary)
    }

    fn typed(&self, expression: &Expression) -> Read<V> {
        match &expression.expr {
            Expr::Ident(name) => self.vocabulary.named(name).ok_or_else(|| format!("there is no {name}")),
            Expr::Literal(literal) => constant(literal),
            Expr::List(list) => {
                let elements = list.elements.iter().map(|element| self.typed(element));
                Ok(Value::Constants(elements.collect::<Result<_, _>>()?))
            }
            Expr::Call(call) => self.call(call),
            Expr::Select(select) => Err(format!("nothing has a field {}", select.field)),
            Expr::Comprehension(_) => Err("macros over lists are not known here".to_owned()),
            Expr::Map(_) | Expr::Struct(_) | Expr::Unspecified => {
                Err("only conditions over the record are known here".to_owned())
            }
        }
    }

    fn call(&self, call: &CallExpr) -> Read<V> {
        // `text.contains('x')` and `contains(text, 'x')` are the same call.
        let arguments: Vec<&Expression> = call.target.as_deref().into_iter().chain(&call.args).collect();
        match (call.func_name.as_str(), arguments.as_slice()) {
            (operators::LOGICAL_AND, all) => Ok(Value::Truth(Condition::All(self.truths(all)?))),
            (operators::LOGICAL_OR, any) => Ok(Value::Truth(Condition::Any(self.truths(any)?))),
            (operators::LOGICAL_NOT, [one]) => Ok(Value::Truth(self.truth(one)?.negated())),
            (operators::CONDITIONAL, [wanted, then, otherwise]) => {
                let (wanted, then) = (self.truth(wanted)?, self.truth(then)?);
                choice(wanted, then, self.truth(otherwise)?)
            }
            (operators::NEGATE, [one]) => match self.typed(one)? {
                Value::Integer(number) => {
                    let negated = number.checked_neg();
                    negated.map(Value::Integer).ok_or_else(|| "a number is too large".to_owned())
                }
                Value::Broken(number) => Ok(Value::Broken(-number)),
                other => Err(format!("{} cannot be negated", self.kind(&other))),
            },
            (operators::IN, [one, list]) => self.is_in(self.typed(one)?, self.typed(list)?),
            (name, [left, right]) if is_comparison(name) => {
                self.compare(name, self.typed(left)?, self.typed(right)?)
            }
            ("size", [one]) => match self.typed(one)? {
                Value::List(list) => Ok(Value::Number(self.vocabulary.size(list))),
                other => Err(format!("the size of {} is not known", self.kind(&other))),
            },
            (name @ ("contains" | "startsWith" | "endsWith"), [text, piece]) => {
                self.asked(name, self.typed(text)?, self.typed(piece)?)
            }
            (name, given) if V::FUNCTIONS.contains(&(name, given.len())) => {
                let given = given.iter().map(|one| self.typed(one)).collect::<Result<_, _>>()?;
                self.vocabulary.call(name, given).map(fact)
            }
            (name, given) => Err(format!("there is no {} of {} arguments", word(name), given.len())),
        }
    }

    fn truths(&self, expressions: &[&Expression]) -> Result<Vec<Condition<V::Fact>>, Wrong> {
        expressions.iter().map(|expression| self.truth(expression)).collect()
    }

    fn is_in(&self, one: Value<V>, list: Value<V>) -> Read<V> {
        match (one, list) {
            (Value::Literal(what), Value::List(list)) => self.vocabulary.member(what, list).map(fact),
            (variable @ (Value::Text(_) | Value::Number(_)), Value::Constants(constants)) => {
                let each = constants
                    .into_iter()
                    .map(|constant| self.truth_of(self.equal(variable.clone(), constant)?));
                Ok(Value::Truth(Condition::Any(each.collect::<Result<_, _>>()?)))
            }
            (one, other) => Err(format!("{} cannot be looked for in {}", self.kind(&one), self.kind(&other))),
        }
    }

    fn truth_of(&self, value: Value<V>) -> Result<Condition<V::Fact>, Wrong> {
        match value {
            Value::Truth(condition) => Ok(condition),
            other => Err(format!("{} is no condition", self.kind(&other))),
        }
    }

    fn compare(&self, operator: &str, left: Value<V>, right: Value<V>) -> Read<V> {
        let not = |value| Ok(Value::Truth(self.truth_of(value)?.negated()));
        match operator {
            operators::EQUALS => self.equal(left, right),
            operators::NOT_EQUALS => not(self.equal(left, right)?),
            operators::LESS => self.less(left, right),
            operators::GREATER => self.less(right, left),
            operators::GREATER_EQUALS => not(self.less(left, right)?),
            _ => not(self.less(right, left)?),
        }
    }

    /// A name becomes its number beside a number on its scale.
    fn on_one_scale(&self, left: Value<V>, right: Value<V>) -> (Value<V>, Value<V>) {
        match (left, right) {
            (Value::Number(number), Value::Named(scale, value)) if self.vocabulary.is_on(scale, number) => {
                (Value::Number(number), Value::Integer(value))
            }
            (Value::Named(scale, value), Value::Number(number)) if self.vocabulary.is_on(scale, number) => {
                (Value::Integer(value), Value::Number(number))
            }
            other => other,
        }
    }

    fn equal(&self, left: Value<V>, right: Value<V>) -> Read<V> {
        match self.on_one_scale(left, right) {
            (Value::Number(number), Value::Integer(with)) | (Value::Integer(with), Value::Number(number)) => {
                Ok(self.compared(number, Comparison::Equal, with))
            }
            (Value::Number(number), Value::Broken(with)) | (Value::Broken(with), Value::Number(number)) => {
                let whole = whole(with.floor()).filter(|_| with.fract() == 0.0);
                let never = Value::Truth(Condition::Constant(false));
                Ok(whole.map_or(never, |with| self.compared(number, Comparison::Equal, with)))
            }
            (Value::Text(text), Value::Literal(with)) | (Value::Literal(with), Value::Text(text)) => {
                self.vocabulary.asked(text, Question::Is(with)).map(fact)
            }
            (Value::Truth(left), Value::Truth(right)) => {
                let not = right.clone().negated();
                choice(left, right, not)
            }
            (left, right) => Err(self.cannot_compare(&left, &right)),
        }
    }

    /// Strictly less; the other orders are its converse and their negations.
    fn less(&self, left: Value<V>, right: Value<V>) -> Read<V> {
        match self.on_one_scale(left, right) {
            (Value::Number(number), Value::Integer(with)) => {
                Ok(self.compared(number, Comparison::Less, with))
            }
            (Value::Integer(with), Value::Number(number)) => {
                let at_most = Condition::Fact(self.vocabulary.compared(number, Comparison::AtMost, with));
                Ok(Value::Truth(at_most.negated()))
            }
            // Below 1.5 is below 2, and above 1.5 is above 1.
            (Value::Number(number), Value::Broken(with)) => match whole(with.ceil()) {
                Some(with) => self.less(Value::Number(number), Value::Integer(with)),
                None => Ok(Value::Truth(Condition::Constant(with > 0.0))),
            },
            (Value::Broken(with), Value::Number(number)) => match whole(with.floor()) {
                Some(with) => self.less(Value::Integer(with), Value::Number(number)),
                None => Ok(Value::Truth(Condition::Constant(with < 0.0))),
            },
            (left, right) => Err(self.cannot_compare(&left, &right)),
        }
    }

    fn compared(&self, number: V::Number, comparison: Comparison, with: i64) -> Value<V> {
        fact(self.vocabulary.compared(number, comparison, with))
    }

    fn cannot_compare(&self, left: &Value<V>, right: &Value<V>) -> Wrong {
        let (left, right) = (self.kind(left), self.kind(right));
        if left == right {
            format!("{left} is compared so with a constant only where an order or equality is known")
        } else {
            format!("{left} cannot be compared with {right}")
        }
    }

    fn asked(&self, name: &str, text: Value<V>, piece: Value<V>) -> Read<V> {
        let (Value::Text(text), Value::Literal(piece)) = (text, piece) else {
            return Err(format!("{name} asks a text of the record for a constant"));
        };
        let question = match name {
            "contains" => Question::Contains(piece),
            "startsWith" => Question::StartsWith(piece),
            _ => Question::EndsWith(piece),
        };
        self.vocabulary.asked(text, question).map(fact)
    }
}

fn fact<V: Vocabulary>(fact: V::Fact) -> Value<V> {
    Value::Truth(Condition::Fact(fact))
}

fn constant<V: Vocabulary>(literal: &LiteralValue) -> Read<V> {
    match literal {
        LiteralValue::Boolean(truth) => Ok(Value::Truth(Condition::Constant(*truth.inner()))),
        LiteralValue::Int(number) => Ok(Value::Integer(*number.inner())),
        LiteralValue::Double(number) => Ok(Value::Broken(*number.inner())),
        LiteralValue::UInt(number) => {
            let number = i64::try_from(*number.inner());
            number.map(Value::Integer).map_err(|_| "a number is too large".to_owned())
        }
        LiteralValue::String(text) => Ok(Value::Literal(text.inner().to_owned())),
        _ => Err("constants are numbers, texts, true and false".to_owned()),
    }
}

/// What is chosen by stands in it twice: choices by choices double each time.
fn choice<V: Vocabulary>(
    wanted: Condition<V::Fact>,
    then: Condition<V::Fact>,
    otherwise: Condition<V::Fact>,
) -> Read<V> {
    let facts = 2 * wanted.weight() + then.weight() + otherwise.weight();
    if facts > MAX_FACTS {
        return Err(format!("asks for more than {MAX_FACTS} facts once its choices are written out"));
    }
    let not = wanted.clone().negated();
    let either = vec![Condition::All(vec![wanted, then]), Condition::All(vec![not, otherwise])];
    Ok(Value::Truth(Condition::Any(either)))
}

fn is_comparison(name: &str) -> bool {
    use operators::{EQUALS, GREATER, GREATER_EQUALS, LESS, LESS_EQUALS, NOT_EQUALS};
    [EQUALS, NOT_EQUALS, LESS, LESS_EQUALS, GREATER, GREATER_EQUALS].contains(&name)
}

/// A whole number that is no larger than numbers are.
fn whole(number: f64) -> Option<i64> {
    // 2^63, exactly; i64::MAX as a float is this too.
    const END: f64 = 9_223_372_036_854_775_808.0;
    #[expect(clippy::cast_possible_truncation, reason = "it is whole and within bounds")]
    let whole = (-END..END).contains(&number).then_some(number as i64);
    whole
}

/// An operator or function as people write it.
fn word(name: &str) -> String {
    name.replace('_', " ").trim().to_owned()
}
