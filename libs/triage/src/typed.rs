//! The vocabulary of conditions (see `predicate`): what a rule may look at.
//!
//! | name | type | |
//! |---|---|---|
//! | `text`, `subject`, `description` | text | in normal form |
//! | `channel`, `category`, `language`, `amount_currency` | text | |
//! | `amount_minor`, `loss`, `reach`, `repeat_count` | number | |
//! | `severity`, `complexity`, `impact`, `urgency` | number | `LOW` to `CRITICAL`, as the rules before have set it |
//! | `safety`, `vulnerable` | flag | as the rules before have set it |
//! | `emotion` | number | `CALM`, `DISPLEASED`, `ANNOYED`, `ANGRY`, `FURIOUS` |
//! | `mood_first`, `mood_worst`, `mood_last` | number | of the customer's turns in a chat, likewise |
//! | `mood_rising`, `mood_falling` | flag | where it went along the turns |
//! | `handed_over` | flag | a bot handed over to a person |
//! | `hand_over_reason` | text | `not_understood`, `requested`, `emotion`, `policy`, `failure`, `other` or empty |
//! | `missed_call`, `call_back_requested` | flag | nobody took the call; the caller is to be called |
//! | `surge`, `is_regulator`, `has_amount` | flag | |
//! | `threatens_escalation` | flag | `size(threats) > 0` |
//! | `vulnerabilities` | list | `'x' in vulnerabilities`, `size(vulnerabilities)` |
//! | `threats` | list | of `regulator`, `media`, `court` and `leaving`, likewise |
//!
//! Texts are in normal form, whose length says nothing. Beside what every condition may
//! ask there is `speaks_of(text, 'list')`. That is all: [`super::reachability`] can tell
//! which conditions are dead.

use predicate::{Comparison, Value, Vocabulary, Wrong};
use vocabulary::Channel;

use super::condition::{Condition, Fact, Flag, HAND_OVERS, Number, Question, THREATS, Text};
use super::text::can_occur;

/// What conditions of a rule set are over: the record, and its word lists.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Words<'a> {
    /// Names of the word lists.
    pub(crate) lists: &'a [String],
}

/// The list variables.
#[derive(Clone, Copy, Debug)]
pub(crate) enum List {
    /// Vulnerabilities told or seen.
    Vulnerabilities,
    /// What the text threatens.
    Threats,
}

/// Names of numbers, which only numbers of their kind are compared with: that
/// anger is `HIGH` is a mistake.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Scale {
    /// `LOW` to `CRITICAL`.
    Levels,
    /// `CALM` to `FURIOUS`.
    Emotions,
}

impl Vocabulary for Words<'_> {
    type Fact = Fact;
    type Number = Number;
    type Text = Text;
    type List = List;
    type Scale = Scale;

    const FUNCTIONS: &'static [(&'static str, usize)] = &[("speaks_of", 2)];

    fn named(&self, name: &str) -> Option<Value<Self>> {
        named(name)
    }

    fn compared(&self, number: Number, comparison: Comparison, with: i64) -> Fact {
        Fact::Number(number, comparison, with)
    }

    fn asked(&self, text: Text, question: predicate::Question) -> Result<Fact, Wrong> {
        about(text, question.into())
    }

    fn member(&self, what: String, list: List) -> Result<Fact, Wrong> {
        match list {
            List::Vulnerabilities => Ok(Fact::Vulnerable(what)),
            List::Threats => {
                let known = THREATS.iter().find(|(_, name)| *name == what);
                let (threat, _) = known.ok_or_else(|| format!("there is no threat {what:?}"))?;
                Ok(Fact::Threatens(*threat))
            }
        }
    }

    fn size(&self, list: List) -> Number {
        match list {
            List::Vulnerabilities => Number::Vulnerabilities,
            List::Threats => Number::Threats,
        }
    }

    fn is_on(&self, scale: Scale, number: Number) -> bool {
        match scale {
            Scale::Emotions => {
                matches!(number, Number::Emotion | Number::MoodFirst | Number::MoodWorst | Number::MoodLast)
            }
            Scale::Levels => {
                matches!(number, Number::Severity | Number::Complexity | Number::Impact | Number::Urgency)
            }
        }
    }

    fn kind(&self, scale: Scale) -> &'static str {
        match scale {
            Scale::Levels => "a level",
            Scale::Emotions => "an emotion",
        }
    }

    /// Whether a text speaks of a list of words.
    fn call(&self, _: &str, arguments: Vec<Value<Self>>) -> Result<Fact, Wrong> {
        match arguments.as_slice() {
            [Value::Text(text), Value::Literal(name)] if text.is_normal() => {
                let at = self.lists.iter().position(|list| list == name);
                let list = at.ok_or_else(|| format!("there is no word list {name}"))?;
                Ok(Fact::Text(*text, Question::SpeaksOf(list)))
            }
            _ => Err("speaks_of takes text, subject or description and the name of a word list".to_owned()),
        }
    }
}

/// Reads conditions; `lists` are the names of the word lists.
pub(crate) fn conditions(sources: &[&str], lists: &[String]) -> Vec<Result<Condition, Wrong>> {
    predicate::conditions(sources, &Words { lists })
}

fn named<'a>(name: &str) -> Option<Value<Words<'a>>> {
    let fact = |fact| Value::Truth(Condition::Fact(fact));
    let is = |text, constant: &str| Condition::Fact(Fact::Text(text, Question::Is(constant.to_owned())));
    Some(match name {
        "text" => Value::Text(Text::Both),
        "subject" => Value::Text(Text::Subject),
        "description" => Value::Text(Text::Description),
        "channel" => Value::Text(Text::Channel),
        "category" => Value::Text(Text::Category),
        "language" => Value::Text(Text::Language),
        "amount_currency" => Value::Text(Text::Currency),
        "hand_over_reason" => Value::Text(Text::HandOverReason),
        "amount_minor" => Value::Number(Number::AmountMinor),
        "loss" => Value::Number(Number::Loss),
        "reach" => Value::Number(Number::Reach),
        "repeat_count" => Value::Number(Number::RepeatCount),
        "emotion" => Value::Number(Number::Emotion),
        "mood_first" => Value::Number(Number::MoodFirst),
        "mood_worst" => Value::Number(Number::MoodWorst),
        "mood_last" => Value::Number(Number::MoodLast),
        "severity" => Value::Number(Number::Severity),
        "complexity" => Value::Number(Number::Complexity),
        "impact" => Value::Number(Number::Impact),
        "urgency" => Value::Number(Number::Urgency),
        "surge" => fact(Fact::Flag(Flag::Surge)),
        "safety" => fact(Fact::Flag(Flag::Safety)),
        "vulnerable" => fact(Fact::Flag(Flag::Vulnerable)),
        "missed_call" => fact(Fact::Flag(Flag::MissedCall)),
        "call_back_requested" => fact(Fact::Flag(Flag::CallBackRequested)),
        "handed_over" => fact(Fact::Flag(Flag::HandedOver)),
        "mood_rising" => fact(Fact::Flag(Flag::MoodRising)),
        "mood_falling" => fact(Fact::Flag(Flag::MoodFalling)),
        "is_regulator" => Value::Truth(is(Text::Channel, "regulator")),
        "has_amount" => Value::Truth(is(Text::Currency, "").negated()),
        "threatens_escalation" => {
            Value::Truth(Condition::Fact(Fact::Number(Number::Threats, Comparison::AtMost, 0)).negated())
        }
        "vulnerabilities" => Value::List(List::Vulnerabilities),
        "threats" => Value::List(List::Threats),
        "LOW" => Value::Named(Scale::Levels, 1),
        "MEDIUM" => Value::Named(Scale::Levels, 2),
        "HIGH" => Value::Named(Scale::Levels, 3),
        "CRITICAL" => Value::Named(Scale::Levels, 4),
        "CALM" => Value::Named(Scale::Emotions, 0),
        "DISPLEASED" => Value::Named(Scale::Emotions, 1),
        "ANNOYED" => Value::Named(Scale::Emotions, 2),
        "ANGRY" => Value::Named(Scale::Emotions, 3),
        "FURIOUS" => Value::Named(Scale::Emotions, 4),
        _ => return None,
    })
}

/// A question of a text; refused where the text can never be so.
fn about(text: Text, question: Question) -> Result<Fact, Wrong> {
    let (Question::Is(piece)
    | Question::Contains(piece)
    | Question::StartsWith(piece)
    | Question::EndsWith(piece)) = &question
    else {
        return Ok(Fact::Text(text, question));
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
    let is_channel = Channel::named(piece).is_some();
    if text == Text::Channel && matches!(question, Question::Is(_)) && !is_channel {
        return Err(format!("there is no channel {piece:?}"));
    }
    let is_reason = piece.is_empty() || HAND_OVERS.iter().any(|(_, name)| name == piece);
    if text == Text::HandOverReason && matches!(question, Question::Is(_)) && !is_reason {
        return Err(format!("there is no reason {piece:?} to hand over"));
    }
    Ok(Fact::Text(text, question))
}
