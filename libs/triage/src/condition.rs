//! Conditions that have been read and type-checked: what they may look at, and
//! whether they hold for a record. Evaluation cannot fail.

use std::collections::HashMap;

use crate::text::{Found, Normal};
use crate::{Attributes, Conversation, MoodFacts};
use language::{Threat, Trend};
pub(crate) use predicate::Comparison;
use vocabulary::HandOverReason;

/// A condition of a rule.
pub(crate) type Condition = predicate::Condition<Fact>;

/// Something that is true or false of a record, and cannot be taken apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Fact {
    /// A yes or no.
    Flag(Flag),
    /// A number compared with a constant.
    Number(Number, Comparison, i64),
    /// Something about a text.
    Text(Text, Question),
    /// That a vulnerability was told or seen.
    Vulnerable(String),
    /// That the text threatens this.
    Threatens(Threat),
}

/// The yes-or-no variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Flag {
    /// The channel is surging.
    Surge,
    /// An attribute, as the rules before have set it.
    Safety,
    /// An attribute, as the rules before have set it.
    Vulnerable,
    /// Nobody took the call.
    MissedCall,
    /// The caller is to be called back.
    CallBackRequested,
    /// A bot handed over to a person.
    HandedOver,
    /// The customer grew angrier.
    MoodRising,
    /// The customer calmed down.
    MoodFalling,
}

/// The numeric variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Number {
    /// Sum sought in the smallest unit of its currency; 0 when none was named.
    AmountMinor,
    /// Sum sought in percent of a major loss in its currency; 0 when none was named
    /// or the set does not know the currency.
    Loss,
    /// How many may have seen a public post.
    Reach,
    /// Cases of the same customer in the 30 days before.
    RepeatCount,
    /// How angry the text is, from calm (0) to furious (4).
    Emotion,
    /// How angry the customer's first turn is; calm where no turns were told.
    MoodFirst,
    /// How angry the angriest is, likewise.
    MoodWorst,
    /// How angry the last is, likewise.
    MoodLast,
    /// How many things the text threatens.
    Threats,
    /// How many vulnerabilities were told or seen.
    Vulnerabilities,
    /// An attribute, as the rules before have set it.
    Severity,
    /// An attribute, as the rules before have set it.
    Complexity,
    /// An attribute, as the rules before have set it.
    Impact,
    /// An attribute, as the rules before have set it.
    Urgency,
}

/// The text variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Text {
    /// Subject and description in normal form.
    Both,
    /// The subject in normal form.
    Subject,
    /// The description in normal form.
    Description,
    /// Name of the channel.
    Channel,
    /// The category found.
    Category,
    /// BCP 47 tag.
    Language,
    /// Currency of the sum sought; empty when none was named.
    Currency,
    /// Name of why a bot handed over; empty where that is not told.
    HandOverReason,
}

impl Text {
    /// Whether it is in normal form.
    pub(crate) fn is_normal(self) -> bool {
        matches!(self, Self::Both | Self::Subject | Self::Description)
    }
}

/// What may be asked of a text.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Question {
    /// It is this.
    Is(String),
    /// This occurs in it.
    Contains(String),
    /// It begins with this.
    StartsWith(String),
    /// It ends with this.
    EndsWith(String),
    /// A word of the list, by its place among the lists, occurs in it.
    SpeaksOf(usize),
}

/// Names of what a text may threaten, as conditions call it.
pub(crate) const THREATS: [(Threat, &str); 4] = [
    (Threat::Regulator, "regulator"),
    (Threat::Media, "media"),
    (Threat::Court, "court"),
    (Threat::Leaving, "leaving"),
];

/// Names of why a bot hands over, as conditions call them.
pub(crate) const HAND_OVERS: [(HandOverReason, &str); 6] = [
    (HandOverReason::NotUnderstood, "not_understood"),
    (HandOverReason::Requested, "requested"),
    (HandOverReason::Emotion, "emotion"),
    (HandOverReason::Policy, "policy"),
    (HandOverReason::Failure, "failure"),
    (HandOverReason::Other, "other"),
];

/// A complaint while its rules are tried.
#[derive(Clone, Debug)]
pub(crate) struct Record<'a> {
    /// Subject and description.
    pub(crate) text: &'a Normal,
    /// The words found in them, the lists of conditions first.
    pub(crate) found: &'a Found,
    /// The category found.
    pub(crate) category: &'a str,
    /// Name of the channel.
    pub(crate) channel: &'static str,
    /// BCP 47 tag.
    pub(crate) language: &'a str,
    /// Currency of the sum sought.
    pub(crate) currency: &'a str,
    /// Sum sought.
    pub(crate) amount_minor: i64,
    /// Sum sought in percent of a major loss.
    pub(crate) loss: i64,
    /// How many may have seen a public post.
    pub(crate) reach: i64,
    /// Earlier cases of the customer.
    pub(crate) repeat_count: i64,
    /// How angry the text is.
    pub(crate) emotion: i64,
    /// Whether the channel surges.
    pub(crate) surge: bool,
    /// What was told or seen.
    pub(crate) vulnerabilities: &'a [String],
    /// What the text threatens.
    pub(crate) threats: &'a [Threat],
    /// What is known of the call or chat.
    pub(crate) conversation: Conversation,
    /// Name of why a bot handed over.
    pub(crate) hand_over_reason: &'static str,
    /// What the rules so far have set.
    pub(crate) attributes: Attributes,
}

/// Whether a condition holds for a record.
pub(crate) fn holds(condition: &Condition, record: &Record<'_>) -> bool {
    condition.holds(&|fact| fact.holds(record))
}

/// The pieces that a condition looks for in texts of normal form.
pub(crate) fn pieces(condition: &Condition) -> impl Iterator<Item = &str> {
    condition.facts().into_iter().filter_map(Fact::piece)
}

/// The same condition, its pieces looked for as words of lists: all in one pass over a
/// text, however many there are.
pub(crate) fn listed(condition: &Condition, list_of: &HashMap<&str, usize>) -> Condition {
    condition.map(&|fact| fact.listed(list_of))
}

impl Fact {
    /// What it looks for in a text of normal form; everything begins with nothing.
    fn piece(&self) -> Option<&str> {
        match self {
            Self::Text(text, Question::Contains(piece)) if text.is_normal() && !piece.is_empty() => {
                Some(piece)
            }
            _ => None,
        }
    }

    fn listed(&self, list_of: &HashMap<&str, usize>) -> Self {
        match (self, self.piece().and_then(|piece| list_of.get(piece))) {
            (Self::Text(text, _), Some(list)) => Self::Text(*text, Question::SpeaksOf(*list)),
            (fact, _) => fact.clone(),
        }
    }

    fn holds(&self, record: &Record<'_>) -> bool {
        match self {
            Self::Flag(flag) => record.flag(*flag),
            Self::Number(number, comparison, with) => comparison.holds(record.number(*number), *with),
            Self::Text(text, Question::SpeaksOf(list)) => {
                let places = record.found.places[*list];
                match text {
                    Text::Subject => places.subject,
                    Text::Description => places.description,
                    _ => places.anywhere,
                }
            }
            Self::Text(text, question) => question.holds(record.text(*text)),
            Self::Vulnerable(what) => record.vulnerabilities.contains(what),
            Self::Threatens(threat) => record.threats.contains(threat),
        }
    }
}

impl From<predicate::Question> for Question {
    fn from(question: predicate::Question) -> Self {
        match question {
            predicate::Question::Is(constant) => Self::Is(constant),
            predicate::Question::Contains(piece) => Self::Contains(piece),
            predicate::Question::StartsWith(piece) => Self::StartsWith(piece),
            predicate::Question::EndsWith(piece) => Self::EndsWith(piece),
        }
    }
}

impl Question {
    /// Whether the answer for a text is yes; never where lists of words are needed.
    pub(crate) fn holds(&self, text: &str) -> bool {
        match self {
            Self::Is(constant) => text == constant,
            Self::Contains(piece) => text.contains(piece.as_str()),
            Self::StartsWith(piece) => text.starts_with(piece.as_str()),
            Self::EndsWith(piece) => text.ends_with(piece.as_str()),
            Self::SpeaksOf(_) => false,
        }
    }
}

impl Record<'_> {
    fn flag(&self, flag: Flag) -> bool {
        let goes = |trend: Trend| self.conversation.mood.is_some_and(|mood| mood.trend == Some(trend));
        match flag {
            Flag::MissedCall => self.conversation.missed_call,
            Flag::CallBackRequested => self.conversation.call_back_requested,
            Flag::HandedOver => self.conversation.handed_over,
            Flag::MoodRising => goes(Trend::Rising),
            Flag::MoodFalling => goes(Trend::Falling),
            Flag::Surge => self.surge,
            Flag::Safety => self.attributes.safety,
            Flag::Vulnerable => self.attributes.vulnerable,
        }
    }

    fn number(&self, number: Number) -> i64 {
        let level = |level: vocabulary::Level| i64::from(level.number());
        let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let mood = |of: fn(MoodFacts) -> language::Level| {
            self.conversation.mood.map_or(0, |mood| of(mood).number().into())
        };
        match number {
            Number::MoodFirst => mood(|mood| mood.first),
            Number::MoodWorst => mood(|mood| mood.worst),
            Number::MoodLast => mood(|mood| mood.last),
            Number::AmountMinor => self.amount_minor,
            Number::Loss => self.loss,
            Number::Reach => self.reach,
            Number::RepeatCount => self.repeat_count,
            Number::Emotion => self.emotion,
            Number::Threats => count(self.threats.len()),
            Number::Vulnerabilities => count(self.vulnerabilities.len()),
            Number::Severity => level(self.attributes.severity),
            Number::Complexity => level(self.attributes.complexity),
            Number::Impact => level(self.attributes.impact),
            Number::Urgency => level(self.attributes.urgency),
        }
    }

    fn text(&self, text: Text) -> &str {
        match text {
            Text::Both => self.text.all(),
            Text::Subject => self.text.subject(),
            Text::Description => self.text.description(),
            Text::Channel => self.channel,
            Text::Category => self.category,
            Text::Language => self.language,
            Text::Currency => self.currency,
            Text::HandOverReason => self.hand_over_reason,
        }
    }
}
