//! What cases of one complainant have in common. Pure.

use jiff::Timestamp;
use kernel::CaseId;
use sameness::Person;
use vocabulary::{Channel, Matter, Outcome, State};

/// Most cases of a complainant that are looked at, those registered last: a number that
/// thousands give, as a shop's own, costs no more.
pub(crate) const MAX_HISTORY: i64 = 1_000;

kernel::numbered! {
    /// What a complainant is known by.
    Identifier {
        /// The organisation's number for the customer.
        CustomerNumber = 1,
        /// A telephone number.
        Phone = 2,
        /// An e-mail address.
        Email = 3,
    }
}

impl Identifier {
    fn of_person(self, person: &Person) -> Option<i64> {
        match self {
            Self::CustomerNumber => person.customer,
            Self::Phone => person.phone,
            Self::Email => person.email,
        }
    }

    /// What somebody is known by.
    pub(crate) fn known(person: &Person) -> Vec<Self> {
        Self::that(|one| one.of_person(person).is_some())
    }

    /// What two have in common.
    pub(crate) fn same(one: &Person, other: &Person) -> Vec<Self> {
        Self::both_know(one, other, |one, other| one == other)
    }

    /// What is known of both and is not the same.
    pub(crate) fn differing(one: &Person, other: &Person) -> Vec<Self> {
        Self::both_know(one, other, |one, other| one != other)
    }

    fn both_know(one: &Person, other: &Person, holds: impl Fn(i64, i64) -> bool) -> Vec<Self> {
        Self::that(|identifier| {
            let both = identifier.of_person(one).zip(identifier.of_person(other));
            both.is_some_and(|(one, other)| holds(one, other))
        })
    }

    fn that(holds: impl Fn(&Self) -> bool) -> Vec<Self> {
        Self::ALL.iter().copied().filter(holds).collect()
    }
}

/// Whose cases are asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ComplainantQuery {
    /// What is known of them.
    pub(crate) person: Person,
    /// A case that is theirs whatever is known.
    pub(crate) case: Option<CaseId>,
}

/// A case of a complainant, in short.
#[derive(Clone, Debug)]
pub(crate) struct CaseInShort {
    /// The case.
    pub(crate) id: CaseId,
    /// Where it stands.
    pub(crate) state: State,
    /// Which attempt at resolution this is.
    pub(crate) cycle: i32,
    /// Complaint or report.
    pub(crate) matter: Matter,
    /// The road it came by.
    pub(crate) channel: Channel,
    /// What it is about.
    pub(crate) category: String,
    /// One line, in the complainant's words.
    pub(crate) subject: String,
    /// What was decided in this cycle.
    pub(crate) outcome: Option<Outcome>,
    /// When the complaint counts as received.
    pub(crate) receive_time: Timestamp,
    /// When it was closed, withdrawn, declined or merged.
    pub(crate) close_time: Option<Timestamp>,
    /// The case it is merged into.
    pub(crate) merged_into: Option<CaseId>,
    /// What is known of its complainant.
    pub(crate) person: Person,
}

/// How many cases of a complainant have an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OutcomeCount {
    /// What was decided; none where nothing was.
    pub(crate) outcome: Option<Outcome>,
    /// How many.
    pub(crate) cases: i64,
    /// How many of them are open.
    pub(crate) open: i64,
}

#[cfg(test)]
mod tests {
    use sameness::{email, number, phone};

    use super::*;

    #[test]
    fn people_are_told_by_what_both_are_known_by() {
        let one = Person { customer: number("C-1"), phone: phone("+86 138 0013 8000"), email: None };
        let other = Person { customer: number("c2"), phone: phone("13800138000"), email: email("a@b.org") };
        assert_eq!(Identifier::known(&one), [Identifier::CustomerNumber, Identifier::Phone]);
        assert_eq!(Identifier::same(&one, &other), [Identifier::Phone]);
        assert_eq!(Identifier::differing(&one, &other), [Identifier::CustomerNumber]);
        let nobody = Person::default();
        assert!(Identifier::known(&nobody).is_empty() && Identifier::same(&nobody, &nobody).is_empty());
    }
}
