//! What can be asked for, and the values there are.

use vocabulary::{Channel, Outcome, Priority, State};

use std::fmt::Debug;

/// A field of a case that filters name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// Where it stands.
    State,
    /// How urgent it is.
    Priority,
    /// What it is about.
    Category,
    /// The road it came by.
    Channel,
    /// Who handles it.
    Agent,
    /// With whom it lies.
    Department,
    /// Whose it is.
    Customer,
    /// How many levels up it has been raised.
    Tier,
    /// What was decided.
    Outcome,
    /// Language to answer in.
    Language,
    /// Whether it is not over.
    Open,
    /// Whether it is open and its due time has passed.
    Breached,
    /// Whether one of its clocks stands still.
    Paused,
    /// Whether the complainant has said more since it was answered.
    Replied,
    /// When the complaint was registered.
    ReceiveTime,
    /// When the case was opened.
    OpenTime,
    /// When the outcome took effect.
    ResolveTime,
    /// When it ended.
    CloseTime,
    /// When its next clock is due.
    DueTime,
    /// What people wrote.
    Text,
}

/// Each field by the name it has in filters. Where the case's own field is named
/// longer, that name is understood as well.
const NAMES: &[(&str, Field)] = &[
    ("state", Field::State),
    ("priority", Field::Priority),
    ("category", Field::Category),
    ("channel", Field::Channel),
    ("agent", Field::Agent),
    ("department", Field::Department),
    ("customer", Field::Customer),
    ("tier", Field::Tier),
    ("outcome", Field::Outcome),
    ("language", Field::Language),
    ("open", Field::Open),
    ("breached", Field::Breached),
    ("paused", Field::Paused),
    ("replied", Field::Replied),
    ("receive_time", Field::ReceiveTime),
    ("open_time", Field::OpenTime),
    ("resolve_time", Field::ResolveTime),
    ("close_time", Field::CloseTime),
    ("due_time", Field::DueTime),
    ("text", Field::Text),
    ("agent_id", Field::Agent),
    ("department_id", Field::Department),
    ("customer_id", Field::Customer),
];

impl Field {
    /// The field of a name.
    pub fn named(name: &str) -> Option<Self> {
        NAMES.iter().find(|(known, _)| *known == name).map(|(_, field)| *field)
    }

    /// Its name in filters.
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(_, field)| *field == self).map_or("", |(name, _)| name)
    }

    /// Every field.
    pub fn every() -> impl Iterator<Item = Self> {
        NAMES.iter().filter(|(name, _)| !name.ends_with("_id")).map(|(_, field)| *field)
    }

    /// The names of all, for who misspelt one.
    pub(super) fn all() -> String {
        let mut names: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
        names.retain(|name| !name.ends_with("_id"));
        names.join(", ")
    }
}

/// A field whose values are numbers of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// Where it stands.
    State,
    /// How urgent it is.
    Priority,
    /// The road it came by.
    Channel,
    /// What was decided; may be missing.
    Outcome,
}

impl Code {
    /// The number of a value, by the contract's name for it with or without what
    /// all of them begin with, in capitals or not.
    pub fn number(self, text: &str) -> Option<i16> {
        let plain = |text: &str| text.to_uppercase().replace(['-', ' '], "_");
        let name = plain(text);
        let short = name.strip_prefix(self.prefix()).unwrap_or(&name);
        self.values().into_iter().find(|(known, _)| known == short).map(|(_, number)| number)
    }

    /// The names of all values, for who misspelt one.
    pub(super) fn names(self) -> String {
        self.values().into_iter().map(|(name, _)| name).collect::<Vec<_>>().join(", ")
    }

    fn prefix(self) -> &'static str {
        match self {
            Self::State => "CASE_STATE_",
            Self::Priority => "PRIORITY_",
            Self::Channel => "CHANNEL_",
            Self::Outcome => "OUTCOME_",
        }
    }

    fn values(self) -> Vec<(String, i16)> {
        fn all<E: Copy + Debug>(values: &[E], number: fn(E) -> i16) -> Vec<(String, i16)> {
            values.iter().map(|value| (value_name(*value), number(*value))).collect()
        }
        match self {
            Self::State => all(State::ALL, State::number),
            Self::Priority => all(Priority::ALL, Priority::number),
            Self::Channel => all(Channel::ALL, Channel::number),
            Self::Outcome => all(Outcome::ALL, Outcome::number),
        }
    }
}

/// How a filter writes a value of the domain: `OutOfScope` is OUT_OF_SCOPE, as in
/// the contract.
pub(crate) fn value_name(value: impl Debug) -> String {
    let mut name = String::new();
    for c in format!("{value:?}").chars() {
        if c.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(c.to_ascii_uppercase());
    }
    name
}

/// A field whose values are names people chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// Who handles it.
    Agent,
    /// With whom it lies.
    Department,
    /// Whose it is.
    Customer,
    /// Language to answer in.
    Language,
}

/// A field whose values are moments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// When the complaint was registered.
    Received,
    /// When the case was opened.
    Opened,
    /// When the outcome took effect; may be missing.
    Resolved,
    /// When it ended; may be missing.
    Closed,
    /// When its next clock is due; may be missing.
    Due,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_known_by_its_short_name_in_any_case() {
        assert_eq!(Code::Channel.number("in-app"), Some(Channel::InApp.number()));
        assert_eq!(Code::Priority.number("p2"), Some(2));
        assert_eq!(Code::Outcome.number("OUTCOME_UNSPECIFIED"), None);
    }

    #[test]
    fn every_field_has_its_name() {
        for (name, field) in NAMES {
            assert_eq!(Field::named(name), Some(*field));
            assert_eq!(Field::named(field.name()), Some(*field));
        }
    }
}
