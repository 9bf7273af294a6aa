//! From CEL to conditions. The text is parsed by the `cel` crate, which knows no
//! types; they are checked here against what a rule may look at:
//!
//! | name | type | |
//! |---|---|---|
//! | `text`, `subject`, `description` | text | in normal form |
//! | `channel`, `category`, `language`, `amount_currency` | text | |
//! | `amount_minor`, `loss`, `reach`, `repeat_count` | number | |
//! | `severity`, `complexity`, `impact`, `urgency` | number | `LOW` to `CRITICAL`, as the rules before have set it |
//! | `safety`, `vulnerable` | flag | as the rules before have set it |
//! | `emotion` | number | `CALM`, `DISPLEASED`, `ANNOYED`, `ANGRY`, `FURIOUS` |
//! | `surge`, `is_regulator`, `has_amount` | flag | |
//! | `threatens_escalation` | flag | `size(threats) > 0` |
//! | `vulnerabilities` | list | `'x' in vulnerabilities`, `size(vulnerabilities)` |
//! | `threats` | list | of `regulator`, `media`, `court` and `leaving`, likewise |
//!
//! Numbers are whole; they are compared with whole and with broken constants as numbers
//! (`reach > 1.5` is `reach > 1`, as the specification says). A list has a `size`, a text
//! has none: texts are in normal form, whose length says nothing.
//!
//! Variables are compared with constants; texts are asked `contains`,
//! `startsWith`, `endsWith`, and `speaks_of(text, 'list')`. That is all: such
//! conditions are total, and [`super::reach`] can tell which of them are dead.

use cel::common::ast::{CallExpr, Expr, LiteralValue, operators};
use cel::parser::{Expression, Parser};

use super::condition::{CHANNELS, Comparison, Condition, Fact, Flag, Number, Question, THREATS, Text};
use super::limits::{self, MAX_FACTS, PARSER_STACK};
use super::text::can_occur;

/// What is wrong with a condition, in words for its author.
pub(crate) type Wrong = String;

/// The value of an expression: a condition, something known or a variable.
#[derive(Clone, Debug)]
enum Typed {
    Truth(Condition),
    Integer(i64),
    Broken(f64),
    Named(Scale, i64),
    Number(Number),
    Literal(String),
    Text(Text),
    Constants(Vec<Typed>),
    Vulnerabilities,
    Threats,
}

/// Names of numbers, which only numbers of their kind are compared with: that
/// anger is `HIGH` is a mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scale {
    Levels,
    Emotions,
}

impl Scale {
    fn is_of(self, number: Number) -> bool {
        match self {
            Self::Emotions => number == Number::Emotion,
            Self::Levels => {
                matches!(number, Number::Severity | Number::Complexity | Number::Impact | Number::Urgency)
            }
        }
    }
}

impl Typed {
    fn kind(&self) -> &'static str {
        match self {
            Self::Truth(_) => "a condition",
            Self::Integer(_) | Self::Broken(_) | Self::Number(_) => "a number",
            Self::Named(Scale::Levels, _) => "a level",
            Self::Named(Scale::Emotions, _) => "an emotion",
            Self::Literal(_) | Self::Text(_) => "a text",
            Self::Constants(_) | Self::Vulnerabilities | Self::Threats => "a list",
        }
    }
}

/// Reads conditions; `lists` are the names of the word lists. On a thread of its own: the
/// parser calls itself, and only here is known how much stack there is.
pub(crate) fn conditions(sources: &[&str], lists: &[String]) -> Vec<Result<Condition, Wrong>> {
    let failed = |why: String| sources.iter().map(|_| Err(why.clone())).collect();
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("conditions".to_owned()).stack_size(PARSER_STACK);
        let read = || sources.iter().map(|source| condition(source, lists)).collect();
        match thread.spawn_scoped(scope, read) {
            Ok(reading) => {
                reading.join().unwrap_or_else(|_| failed("cannot be read: the parser failed".to_owned()))
            }
            Err(error) => failed(format!("cannot be read just now: {error}")),
        }
    })
}

fn condition(source: &str, lists: &[String]) -> Result<Condition, Wrong> {
    limits::check(source)?;
    let parsed = Parser::default().parse(source).map_err(|errors| {
        let first = errors.errors.first().map(|error| error.msg.clone()).unwrap_or_default();
        format!("cannot be read: {first}")
    })?;
    Reader { lists }.truth(&parsed)
}

struct Reader<'a> {
    lists: &'a [String],
}

impl Reader<'_> {
    fn truth(&self, expression: &Expression) -> Result<Condition, Wrong> {
        match self.typed(expression)? {
            Typed::Truth(condition) => Ok(condition),
            other => Err(format!("{} stands where a condition is wanted", other.kind())),
        }
    }

    fn typed(&self, expression: &Expression) -> Result<Typed, Wrong> {
        match &expression.expr {
            Expr::Ident(name) => named(name),
            Expr::Literal(literal) => constant(literal),
            Expr::List(list) => {
                let elements = list.elements.iter().map(|element| self.typed(element));
                Ok(Typed::Constants(elements.collect::<Result<_, _>>()?))
            }
            Expr::Call(call) => self.call(call),
            Expr::Select(select) => Err(format!("nothing has a field {}", select.field)),
            Expr::Comprehension(_) => Err("macros over lists are not known here".to_owned()),
            Expr::Map(_) | Expr::Struct(_) | Expr::Unspecified => {
                Err("only conditions over the record are known here".to_owned())
            }
        }
    }

    fn call(&self, call: &CallExpr) -> Result<Typed, Wrong> {
        // `text.contains('x')` and `contains(text, 'x')` are the same call.
        let arguments: Vec<&Expression> = call.target.as_deref().into_iter().chain(&call.args).collect();
        match (call.func_name.as_str(), arguments.as_slice()) {
            (operators::LOGICAL_AND, all) => Ok(Typed::Truth(Condition::All(self.truths(all)?))),
            (operators::LOGICAL_OR, any) => Ok(Typed::Truth(Condition::Any(self.truths(any)?))),
            (operators::LOGICAL_NOT, [one]) => Ok(Typed::Truth(self.truth(one)?.negated())),
            (operators::CONDITIONAL, [wanted, then, otherwise]) => {
                let (wanted, then) = (self.truth(wanted)?, self.truth(then)?);
                choice(wanted, then, self.truth(otherwise)?)
            }
            (operators::NEGATE, [one]) => match self.typed(one)? {
                Typed::Integer(number) => {
                    let negated = number.checked_neg();
                    negated.map(Typed::Integer).ok_or_else(|| "a number is too large".to_owned())
                }
                Typed::Broken(number) => Ok(Typed::Broken(-number)),
                other => Err(format!("{} cannot be negated", other.kind())),
            },
            (operators::IN, [one, list]) => is_in(self.typed(one)?, self.typed(list)?),
            (name, [left, right]) if is_comparison(name) => {
                compare(name, self.typed(left)?, self.typed(right)?)
            }
            ("size", [one]) => match self.typed(one)? {
                Typed::Vulnerabilities => Ok(Typed::Number(Number::Vulnerabilities)),
                Typed::Threats => Ok(Typed::Number(Number::Threats)),
                other => Err(format!("the size of {} is not known", other.kind())),
            },
            ("speaks_of", [text, list]) => self.speaks_of(self.typed(text)?, self.typed(list)?),
            (name @ ("contains" | "startsWith" | "endsWith"), [text, piece]) => {
                asked(name, self.typed(text)?, self.typed(piece)?)
            }
            (name, given) => Err(format!("there is no {} of {} arguments", word(name), given.len())),
        }
    }

    fn truths(&self, expressions: &[&Expression]) -> Result<Vec<Condition>, Wrong> {
        expressions.iter().map(|expression| self.truth(expression)).collect()
    }

    fn speaks_of(&self, text: Typed, list: Typed) -> Result<Typed, Wrong> {
        match (text, list) {
            (Typed::Text(text), Typed::Literal(name)) if text.is_normal() => {
                let at = self.lists.iter().position(|list| *list == name);
                let list = at.ok_or_else(|| format!("there is no word list {name}"))?;
                Ok(fact(Fact::Text(text, Question::SpeaksOf(list))))
            }
            _ => Err("speaks_of takes text, subject or description and the name of a word list".to_owned()),
        }
    }
}

fn fact(fact: Fact) -> Typed {
    Typed::Truth(Condition::Fact(fact))
}

fn named(name: &str) -> Result<Typed, Wrong> {
    let is = |text, constant: &str| Condition::Fact(Fact::Text(text, Question::Is(constant.to_owned())));
    Ok(match name {
        "text" => Typed::Text(Text::Both),
        "subject" => Typed::Text(Text::Subject),
        "description" => Typed::Text(Text::Description),
        "channel" => Typed::Text(Text::Channel),
        "category" => Typed::Text(Text::Category),
        "language" => Typed::Text(Text::Language),
        "amount_currency" => Typed::Text(Text::Currency),
        "amount_minor" => Typed::Number(Number::AmountMinor),
        "loss" => Typed::Number(Number::Loss),
        "reach" => Typed::Number(Number::Reach),
        "repeat_count" => Typed::Number(Number::RepeatCount),
        "emotion" => Typed::Number(Number::Emotion),
        "severity" => Typed::Number(Number::Severity),
        "complexity" => Typed::Number(Number::Complexity),
        "impact" => Typed::Number(Number::Impact),
        "urgency" => Typed::Number(Number::Urgency),
        "surge" => fact(Fact::Flag(Flag::Surge)),
        "safety" => fact(Fact::Flag(Flag::Safety)),
        "vulnerable" => fact(Fact::Flag(Flag::Vulnerable)),
        "is_regulator" => Typed::Truth(is(Text::Channel, "regulator")),
        "has_amount" => Typed::Truth(is(Text::Currency, "").negated()),
        "threatens_escalation" => {
            Typed::Truth(Condition::Fact(Fact::Number(Number::Threats, Comparison::AtMost, 0)).negated())
        }
        "vulnerabilities" => Typed::Vulnerabilities,
        "threats" => Typed::Threats,
        "LOW" => Typed::Named(Scale::Levels, 1),
        "MEDIUM" => Typed::Named(Scale::Levels, 2),
        "HIGH" => Typed::Named(Scale::Levels, 3),
        "CRITICAL" => Typed::Named(Scale::Levels, 4),
        "CALM" => Typed::Named(Scale::Emotions, 0),
        "DISPLEASED" => Typed::Named(Scale::Emotions, 1),
        "ANNOYED" => Typed::Named(Scale::Emotions, 2),
        "ANGRY" => Typed::Named(Scale::Emotions, 3),
        "FURIOUS" => Typed::Named(Scale::Emotions, 4),
        unknown => return Err(format!("there is no {unknown}")),
    })
}

fn constant(literal: &LiteralValue) -> Result<Typed, Wrong> {
    match literal {
        LiteralValue::Boolean(truth) => Ok(Typed::Truth(Condition::Constant(*truth.inner()))),
        LiteralValue::Int(number) => Ok(Typed::Integer(*number.inner())),
        LiteralValue::Double(number) => Ok(Typed::Broken(*number.inner())),
        LiteralValue::UInt(number) => {
            let number = i64::try_from(*number.inner());
            number.map(Typed::Integer).map_err(|_| "a number is too large".to_owned())
        }
        LiteralValue::String(text) => Ok(Typed::Literal(text.inner().to_owned())),
        _ => Err("constants are numbers, texts, true and false".to_owned()),
    }
}

/// What is chosen by stands in it twice: choices by choices double each time.
fn choice(wanted: Condition, then: Condition, otherwise: Condition) -> Result<Typed, Wrong> {
    let facts = 2 * wanted.facts() + then.facts() + otherwise.facts();
    if facts > MAX_FACTS {
        return Err(format!("asks for more than {MAX_FACTS} facts once its choices are written out"));
    }
    let not = wanted.clone().negated();
    let either = vec![Condition::All(vec![wanted, then]), Condition::All(vec![not, otherwise])];
    Ok(Typed::Truth(Condition::Any(either)))
}

fn is_in(one: Typed, list: Typed) -> Result<Typed, Wrong> {
    match (one, list) {
        (Typed::Literal(what), Typed::Vulnerabilities) => Ok(fact(Fact::Vulnerable(what))),
        (Typed::Literal(what), Typed::Threats) => {
            let known = THREATS.iter().find(|(_, name)| *name == what);
            let (threat, _) = known.ok_or_else(|| format!("there is no threat {what:?}"))?;
            Ok(fact(Fact::Threatens(*threat)))
        }
        (variable @ (Typed::Text(_) | Typed::Number(_)), Typed::Constants(constants)) => {
            let each = constants.into_iter().map(|constant| truth_of(equal(variable.clone(), constant)?));
            Ok(Typed::Truth(Condition::Any(each.collect::<Result<_, _>>()?)))
        }
        (one, other) => Err(format!("{} cannot be looked for in {}", one.kind(), other.kind())),
    }
}

fn truth_of(typed: Typed) -> Result<Condition, Wrong> {
    match typed {
        Typed::Truth(condition) => Ok(condition),
        other => Err(format!("{} is no condition", other.kind())),
    }
}

fn is_comparison(name: &str) -> bool {
    use operators::{EQUALS, GREATER, GREATER_EQUALS, LESS, LESS_EQUALS, NOT_EQUALS};
    [EQUALS, NOT_EQUALS, LESS, LESS_EQUALS, GREATER, GREATER_EQUALS].contains(&name)
}

fn compare(operator: &str, left: Typed, right: Typed) -> Result<Typed, Wrong> {
    let not = |typed| Ok(Typed::Truth(truth_of(typed)?.negated()));
    match operator {
        operators::EQUALS => equal(left, right),
        operators::NOT_EQUALS => not(equal(left, right)?),
        operators::LESS => less(left, right),
        operators::GREATER => less(right, left),
        operators::GREATER_EQUALS => not(less(left, right)?),
        _ => not(less(right, left)?),
    }
}

/// A name becomes its number beside a number of its kind.
fn on_one_scale(left: Typed, right: Typed) -> (Typed, Typed) {
    match (left, right) {
        (Typed::Number(number), Typed::Named(scale, value)) if scale.is_of(number) => {
            (Typed::Number(number), Typed::Integer(value))
        }
        (Typed::Named(scale, value), Typed::Number(number)) if scale.is_of(number) => {
            (Typed::Integer(value), Typed::Number(number))
        }
        other => other,
    }
}

fn equal(left: Typed, right: Typed) -> Result<Typed, Wrong> {
    match on_one_scale(left, right) {
        (Typed::Number(number), Typed::Integer(with)) | (Typed::Integer(with), Typed::Number(number)) => {
            Ok(fact(Fact::Number(number, Comparison::Equal, with)))
        }
        (Typed::Number(number), Typed::Broken(with)) | (Typed::Broken(with), Typed::Number(number)) => {
            let whole = whole(with.floor()).filter(|_| with.fract() == 0.0);
            Ok(whole.map_or(NEVER, |with| fact(Fact::Number(number, Comparison::Equal, with))))
        }
        (Typed::Text(text), Typed::Literal(with)) | (Typed::Literal(with), Typed::Text(text)) => {
            about(text, Question::Is(with))
        }
        (Typed::Truth(left), Typed::Truth(right)) => {
            let not = right.clone().negated();
            choice(left, right, not)
        }
        (left, right) => Err(cannot_compare(&left, &right)),
    }
}

/// Strictly less; the other orders are its converse and their negations.
fn less(left: Typed, right: Typed) -> Result<Typed, Wrong> {
    match on_one_scale(left, right) {
        (Typed::Number(number), Typed::Integer(with)) => {
            Ok(fact(Fact::Number(number, Comparison::Less, with)))
        }
        (Typed::Integer(with), Typed::Number(number)) => {
            let at_most = Condition::Fact(Fact::Number(number, Comparison::AtMost, with));
            Ok(Typed::Truth(at_most.negated()))
        }
        // Below 1.5 is below 2, and above 1.5 is above 1.
        (Typed::Number(number), Typed::Broken(with)) => match whole(with.ceil()) {
            Some(with) => less(Typed::Number(number), Typed::Integer(with)),
            None => Ok(Typed::Truth(Condition::Constant(with > 0.0))),
        },
        (Typed::Broken(with), Typed::Number(number)) => match whole(with.floor()) {
            Some(with) => less(Typed::Integer(with), Typed::Number(number)),
            None => Ok(Typed::Truth(Condition::Constant(with < 0.0))),
        },
        (left, right) => Err(cannot_compare(&left, &right)),
    }
}

const NEVER: Typed = Typed::Truth(Condition::Constant(false));

/// A whole number that is no larger than numbers are.
fn whole(number: f64) -> Option<i64> {
    // 2^63, exactly; i64::MAX as a float is this too.
    const END: f64 = 9_223_372_036_854_775_808.0;
    #[expect(clippy::cast_possible_truncation, reason = "it is whole and within bounds")]
    let whole = (-END..END).contains(&number).then_some(number as i64);
    whole
}

fn cannot_compare(left: &Typed, right: &Typed) -> Wrong {
    if left.kind() == right.kind() {
        format!("{} is compared so with a constant only where an order or equality is known", left.kind())
    } else {
        format!("{} cannot be compared with {}", left.kind(), right.kind())
    }
}

fn asked(name: &str, text: Typed, piece: Typed) -> Result<Typed, Wrong> {
    let (Typed::Text(text), Typed::Literal(piece)) = (text, piece) else {
        return Err(format!("{name} asks a text of the record for a constant"));
    };
    about(
        text,
        match name {
            "contains" => Question::Contains(piece),
            "startsWith" => Question::StartsWith(piece),
            _ => Question::EndsWith(piece),
        },
    )
}

/// A question of a text; refused where the text can never be so.
fn about(text: Text, question: Question) -> Result<Typed, Wrong> {
    let (Question::Is(piece)
    | Question::Contains(piece)
    | Question::StartsWith(piece)
    | Question::EndsWith(piece)) = &question
    else {
        return Ok(fact(Fact::Text(text, question)));
    };
    let (first, last) = (piece.starts_with(' '), piece.ends_with(' '));
    let fits = match question {
        Question::Is(_) => first && last,
        Question::StartsWith(_) => first || piece.is_empty(),
        Question::EndsWith(_) => last || piece.is_empty(),
        _ => true,
    };
    if text.is_normal() && !(fits && can_occur(piece)) {
        return Err(format!(
            "no text is so with {piece:?}: texts are lower case, with one space between words and at either end"
        ));
    }
    let is_channel = CHANNELS.iter().any(|(_, name)| name == piece);
    if text == Text::Channel && matches!(question, Question::Is(_)) && !is_channel {
        return Err(format!("there is no channel {piece:?}"));
    }
    Ok(fact(Fact::Text(text, question)))
}

/// An operator or function as people write it.
fn word(name: &str) -> String {
    name.replace('_', " ").trim().to_owned()
}

/// Reads a condition on the thread that asks, for those who know their stack.
#[cfg(test)]
pub(super) fn tests_read(source: &str) -> Result<Condition, Wrong> {
    condition(source, &[])
}
