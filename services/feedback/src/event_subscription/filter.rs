//! The vocabulary of filters of event subscriptions (see `predicate`). The contract,
//! `CreateEventSubscriptionRequest.filter`, says what each name means.

use predicate::{Comparison, Condition, Question, Value, Vocabulary, Wrong};
use serde_json::Value as Json;

/// Most names in the path of a field.
const MAX_PATH: usize = 8;

/// A filter that was read.
#[derive(Clone, Debug)]
pub struct Filter(Condition<Fact>);

/// An event as filters see it.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// Full name of its message.
    pub kind: &'a str,
    /// The service that tells it.
    pub source: &'a str,
    /// The case it is about.
    pub subject: &'a str,
    /// Whether it came with an import.
    pub is_bulk: bool,
    /// Its message as JSON.
    pub data: &'a Json,
}

impl Filter {
    /// Reads a filter; an empty one lets everything through.
    ///
    /// # Errors
    ///
    /// It is too deep or too long, no CEL, or does not type-check: in words for its author.
    pub fn read(source: &str) -> Result<Self, Wrong> {
        if source.trim().is_empty() {
            return Ok(Self(Condition::Constant(true)));
        }
        let read = predicate::conditions(&[source], &Words).pop();
        read.unwrap_or_else(|| Err("cannot be read".to_owned())).map(Self)
    }

    /// Whether it lets an event through.
    pub fn holds(&self, seen: &Seen<'_>) -> bool {
        self.0.holds(&|fact| match fact {
            Fact::Bulk => seen.is_bulk,
            Fact::Text(text, question) => question.holds(text.of(seen)),
            Fact::Field(path, text) => is_in(seen.data, path, text),
        })
    }
}

/// Whether a field is a text, or a list there has it. A name on the way that is a list is looked
/// for in each of its members.
fn is_in(data: &Json, path: &[String], text: &str) -> bool {
    match (data, path) {
        (Json::Array(members), path) => members.iter().any(|member| is_in(member, path, text)),
        (Json::Object(fields), [name, rest @ ..]) => {
            fields.get(name).is_some_and(|field| is_in(field, rest, text))
        }
        (Json::String(told), []) => told == text,
        (Json::Bool(told), []) => told.to_string() == text,
        (Json::Number(told), []) => told.to_string() == text,
        _ => false,
    }
}

/// What filters are over.
#[derive(Clone, Copy, Debug)]
struct Words;

/// Something that is true or false of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Fact {
    /// It came with an import.
    Bulk,
    /// Something about a text.
    Text(Text, Question),
    /// A field is this.
    Field(Vec<String>, String),
}

/// The text variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Text {
    Type,
    Source,
    Subject,
}

impl Text {
    fn of<'a>(self, seen: &Seen<'a>) -> &'a str {
        match self {
            Self::Type => seen.kind,
            Self::Source => seen.source,
            Self::Subject => seen.subject,
        }
    }
}

/// There are no numbers, lists and names of numbers.
#[derive(Clone, Copy, Debug)]
enum Never {}

impl Vocabulary for Words {
    type Fact = Fact;
    type Number = Never;
    type Text = Text;
    type List = Never;
    type Scale = Never;

    const FUNCTIONS: &'static [(&'static str, usize)] = &[("field", 2)];

    fn named(&self, name: &str) -> Option<Value<Self>> {
        Some(match name {
            "type" => Value::Text(Text::Type),
            "source" => Value::Text(Text::Source),
            "subject" => Value::Text(Text::Subject),
            "bulk" => Value::Truth(Condition::Fact(Fact::Bulk)),
            _ => return None,
        })
    }

    fn compared(&self, number: Never, _: Comparison, _: i64) -> Fact {
        match number {}
    }

    fn asked(&self, text: Text, question: Question) -> Result<Fact, Wrong> {
        if let (Text::Source, Question::Is(source)) = (text, &question)
            && !super::SOURCES.contains(&source.as_str())
        {
            return Err(format!("there is no service {source:?}"));
        }
        Ok(Fact::Text(text, question))
    }

    fn member(&self, _: String, list: Never) -> Result<Fact, Wrong> {
        match list {}
    }

    fn size(&self, list: Never) -> Never {
        list
    }

    fn is_on(&self, scale: Never, _: Never) -> bool {
        match scale {}
    }

    fn kind(&self, scale: Never) -> &'static str {
        match scale {}
    }

    fn call(&self, _: &str, arguments: Vec<Value<Self>>) -> Result<Fact, Wrong> {
        let mut texts = arguments.into_iter().map(|argument| match argument {
            Value::Literal(text) => Ok(text),
            other => Err(format!("field takes two texts, not {other:?}")),
        });
        let (Some(path), Some(text)) = (texts.next().transpose()?, texts.next().transpose()?) else {
            return Err("field takes a path and a text".to_owned());
        };
        let path: Vec<String> = path.split('.').map(str::to_owned).collect();
        if path.len() > MAX_PATH || path.iter().any(String::is_empty) {
            return Err(format!("a path is up to {MAX_PATH} names, with points between them"));
        }
        Ok(Fact::Field(path, text))
    }
}
