//! By what cases are counted.

use vocabulary::{Channel, Outcome, Priority, State};

use super::fields::value_name;

/// A field by whose values cases are counted: one with few of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Facet {
    /// Where they stand.
    State,
    /// How urgent they are.
    Priority,
    /// What they are about.
    Category,
    /// The road they came by.
    Channel,
    /// Who handles them.
    Agent,
    /// With whom they lie.
    Department,
    /// How many levels up they were raised.
    Tier,
    /// What was decided.
    Outcome,
    /// Language to answer in.
    Language,
    /// Whether they are not over.
    Open,
    /// Whether they are open and their due time has passed.
    Breached,
}

impl Facet {
    /// Every one.
    pub const ALL: [Self; 11] = [
        Self::State,
        Self::Priority,
        Self::Category,
        Self::Channel,
        Self::Agent,
        Self::Department,
        Self::Tier,
        Self::Outcome,
        Self::Language,
        Self::Open,
        Self::Breached,
    ];

    /// Its name: the same as in filters.
    pub fn name(self) -> String {
        value_name(self).to_lowercase()
    }

    /// The facet of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|facet| facet.name() == name)
    }

    /// A value as filters write it; empty where there is none.
    pub fn spell(self, stored: &str) -> String {
        let code = stored.parse::<i16>().unwrap_or_default();
        let spelt = match self {
            Self::State => State::of(code).map(value_name),
            Self::Priority => Priority::of(code).map(value_name),
            Self::Channel => Channel::of(code).map(value_name),
            Self::Outcome => Outcome::of(code).map(value_name),
            _ => None,
        };
        spelt.unwrap_or_else(|| stored.to_owned())
    }
}

/// The cases that are meant, counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// How many were counted.
    pub total: i64,
    /// Whether those are certainly all there are.
    pub exact: bool,
    /// A list for each facet asked for.
    pub facets: Vec<FacetCounts>,
}

/// The values of one facet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FacetCounts {
    /// Which.
    pub facet: Facet,
    /// How many cases there are of each value, the most frequent first.
    pub counts: Vec<(String, i64)>,
    /// Whether there are more values.
    pub more: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Field;

    #[test]
    fn facets_and_their_values_are_written_as_in_filters() {
        for facet in Facet::ALL {
            assert!(Field::named(&facet.name()).is_some(), "{}", facet.name());
            assert_eq!(Facet::named(&facet.name()), Some(facet));
        }
        assert_eq!(Facet::State.spell("10"), "OUT_OF_SCOPE");
        assert_eq!(Facet::Outcome.spell(""), "");
        assert_eq!(Facet::Tier.spell("1"), "1");
        assert_eq!(Facet::Breached.spell("true"), "true");
    }
}
