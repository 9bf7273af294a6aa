//! Which closed cases are picked to be learnt from, and why these. Pure.
//!
//! A lot drawn among all would be of the largest category, and ordinary: what trains is to see
//! each kind of case, and how a hard one went. So each round takes one of each stratum, hard and
//! ordinary by turns, and the lot decides only within that.

use std::collections::BTreeMap;

use kernel::CaseId;
use statistics::ticket;
use vocabulary::{Outcome, Priority};

use super::Challenge;

/// Most cases that are looked at, the newest.
pub(crate) const MOST_CASES: usize = 2_000;

/// A closed case that may be picked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Candidate {
    /// The case.
    pub(crate) case: CaseId,
    /// What it is about.
    pub(crate) category: String,
    /// How urgent it was.
    pub(crate) priority: Priority,
    /// What was decided.
    pub(crate) outcome: Option<Outcome>,
    /// What made it hard.
    pub(crate) challenges: Vec<Challenge>,
}

/// A case that was picked, and from what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pick {
    /// The case.
    pub(crate) candidate: Candidate,
    /// In which round, from 1.
    pub(crate) round: usize,
    /// How many cases its stratum has.
    pub(crate) stratum: usize,
    /// How many of them are hard, or ordinary, as it is.
    pub(crate) drawn_from: usize,
}

/// What is left of a stratum, the last to be taken first; and how much there was.
struct Stratum {
    hard: Vec<Candidate>,
    ordinary: Vec<Candidate>,
    counts: (usize, usize),
}

/// Picks cases. The order of what is given does not matter.
pub(crate) fn pick(candidates: Vec<Candidate>, seed: &str, most: usize) -> Vec<Pick> {
    let mut strata: BTreeMap<(String, Priority), Vec<Candidate>> = BTreeMap::new();
    for candidate in candidates {
        strata.entry((candidate.category.clone(), candidate.priority)).or_default().push(candidate);
    }
    let mut strata: Vec<Vec<Candidate>> = strata.into_values().collect();
    // What is as large stays in the order of category and priority.
    strata.sort_by_key(|stratum| std::cmp::Reverse(stratum.len()));
    let mut strata: Vec<Stratum> = strata.into_iter().map(|all| Stratum::of(all, seed)).collect();
    let mut picks = Vec::new();
    for round in 1.. {
        let before = picks.len();
        for stratum in &mut strata {
            if picks.len() < most
                && let Some(pick) = stratum.next(round)
            {
                picks.push(pick);
            }
        }
        if picks.len() == before {
            break;
        }
    }
    picks
}

impl Stratum {
    fn of(mut all: Vec<Candidate>, seed: &str) -> Self {
        let lot = |candidate: &Candidate| ticket(seed, &candidate.case.to_string());
        all.sort_by(|one, other| lot(other).total_cmp(&lot(one)).then_with(|| other.case.cmp(&one.case)));
        let (ordinary, hard): (Vec<_>, Vec<_>) = all.into_iter().partition(|one| one.challenges.is_empty());
        let counts = (hard.len(), ordinary.len());
        Self { hard, ordinary, counts }
    }

    /// The next: in odd rounds a hard one, as long as there are any.
    fn next(&mut self, round: usize) -> Option<Pick> {
        let Self { hard, ordinary, counts } = self;
        let is_hard = if hard.is_empty() || ordinary.is_empty() { !hard.is_empty() } else { round % 2 == 1 };
        let (from, drawn_from) = if is_hard { (hard, counts.0) } else { (ordinary, counts.1) };
        let candidate = from.pop()?;
        Some(Pick { candidate, round, stratum: counts.0 + counts.1, drawn_from })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn candidate(id: u128, category: &str, hard: bool) -> Candidate {
        Candidate {
            case: CaseId(Uuid::from_u128(id)),
            category: category.to_owned(),
            priority: Priority::P3,
            outcome: None,
            challenges: if hard { vec![Challenge::Disputed] } else { vec![] },
        }
    }

    #[test]
    fn each_stratum_has_its_turn_hard_ones_first_then_ordinary_ones() {
        let mut all: Vec<Candidate> = (0..100).map(|id| candidate(id, "late", id < 2)).collect();
        all.extend((100..103).map(|id| candidate(id, "rude", false)));
        let picks = pick(all, "x", 6);
        let told: Vec<_> = picks
            .iter()
            .map(|one| (one.candidate.category.as_str(), !one.candidate.challenges.is_empty(), one.round))
            .collect();
        let expected = [
            ("late", true, 1),
            ("rude", false, 1),
            ("late", false, 2),
            ("rude", false, 2),
            ("late", true, 3),
            ("rude", false, 3),
        ];
        assert_eq!(told, expected);
        assert_eq!((picks[0].stratum, picks[0].drawn_from, picks[2].drawn_from), (100, 2, 98));
    }

    #[test]
    fn another_seed_draws_others() {
        let all: Vec<Candidate> = (0..100).map(|id| candidate(id, "late", false)).collect();
        assert_ne!(pick(all.clone(), "a", 5), pick(all, "b", 5));
    }

    proptest! {
        #[test]
        fn whatever_their_order_the_same_are_picked_once_each_and_no_stratum_is_passed_over(
            given in prop::collection::vec(("[a-d]", any::<bool>()), 0..60),
            turn in any::<prop::sample::Index>(),
            seed in "[a-z]{0,5}",
            most in 1..40_usize,
        ) {
            let all: Vec<Candidate> =
                (0..).zip(&given).map(|(id, (category, hard))| candidate(id, category, *hard)).collect();
            let mut turned = all.clone();
            let by = if turned.is_empty() { 0 } else { turn.index(turned.len()) };
            turned.rotate_left(by);
            let picks = pick(all.clone(), &seed, most);
            prop_assert_eq!(&picks, &pick(turned, &seed, most));
            prop_assert_eq!(picks.len(), most.min(all.len()));
            let ids: BTreeSet<CaseId> = picks.iter().map(|one| one.candidate.case).collect();
            prop_assert_eq!(ids.len(), picks.len());
            let strata: BTreeSet<&str> = all.iter().map(|one| one.category.as_str()).collect();
            let picked: BTreeSet<&str> = picks.iter().map(|one| one.candidate.category.as_str()).collect();
            prop_assert_eq!(picked.len(), strata.len().min(most));
            // More are wanted: who asks for fewer gets the first of them.
            let fewer = pick(all, &seed, most / 2);
            prop_assert_eq!(&picks[..fewer.len()], &fewer[..]);
        }
    }
}
