//! Links between cases: found when a case is opened, or made and dismissed by
//! people.

use std::collections::HashMap;

use fault::Fault;
use jiff::Timestamp;
use kernel::CaseId;
use pg::Tx;

use crate::case::{Case, Occasion};
use crate::refusal::Refusal;
use crate::sameness::{self, Keys, LinkKind, LinkStanding, Traits, Verdict};
use crate::store;
use crate::timeline::{Fact, Together};

/// Two cases, in the order of their registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pair {
    /// The case registered later.
    pub(crate) later: CaseId,
    /// The case registered first.
    pub(crate) earlier: CaseId,
}

impl Pair {
    /// Of two cases, in whatever order.
    pub(crate) fn of(one: CaseId, other: CaseId) -> Self {
        Self { later: one.max(other), earlier: one.min(other) }
    }

    /// The one that is not this.
    pub(crate) fn other_than(self, one: CaseId) -> CaseId {
        if one == self.later { self.earlier } else { self.later }
    }
}

/// A link between two cases.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Link {
    /// The cases.
    pub(crate) pair: Pair,
    /// What they are to each other.
    pub(crate) kind: LinkKind,
    /// How much it is worth.
    pub(crate) standing: LinkStanding,
    /// How alike they were found; 0 when only a person linked them.
    pub(crate) score: f64,
    /// Why.
    pub(crate) reasons: Vec<String>,
    /// Who linked or dismissed last.
    pub(crate) actor: String,
    /// When that was.
    pub(crate) change_time: Timestamp,
}

impl Link {
    /// A person links two cases, or confirms what was found; both tell of it.
    pub(crate) fn made(
        before: Option<Self>,
        (case, other): (&mut Case, &mut Case),
        kind: LinkKind,
        reason: String,
        at: &Occasion<'_>,
    ) -> Self {
        let pair = Pair::of(case.id, other.id);
        for one in [case, other] {
            one.note(
                at,
                Fact::Together(Together::Linked {
                    other: pair.other_than(one.id),
                    kind,
                    reason: reason.clone(),
                }),
            );
        }
        let (score, found) = before.map(|link| (link.score, link.reasons)).unwrap_or_default();
        let reasons = if reason.is_empty() { found } else { vec![reason] };
        let (actor, change_time) = (at.actor.to_owned(), at.now);
        Self { pair, kind, standing: LinkStanding::Linked, score, reasons, actor, change_time }
    }

    /// A person dismisses it; both cases tell of it.
    pub(crate) fn dismissed(
        before: Option<Self>,
        (case, other): (&mut Case, &mut Case),
        reason: String,
        at: &Occasion<'_>,
    ) -> Result<Self, Refusal> {
        let before = before.ok_or(Refusal::LinkNotFound)?;
        for one in [case, other] {
            one.note(
                at,
                Fact::Together(Together::Unlinked {
                    other: before.pair.other_than(one.id),
                    reason: reason.clone(),
                }),
            );
        }
        let reasons = if reason.is_empty() { before.reasons } else { vec![reason] };
        let (actor, change_time) = (at.actor.to_owned(), at.now);
        Ok(Self { standing: LinkStanding::Dismissed, reasons, actor, change_time, ..before })
    }
}

/// Makes new cases findable, and links each to those before it that are like it:
/// two statements for a batch, and a third when anything was found.
pub(crate) async fn find(tx: &mut Tx, cases: &[Case], keys: &HashMap<CaseId, Keys>) -> Result<(), Fault> {
    let sketched: Vec<(&Case, &Keys)> =
        cases.iter().filter_map(|case| Some((case, keys.get(&case.id)?))).collect();
    if sketched.is_empty() {
        return Ok(());
    }
    store::sketch::keep(tx, &sketched).await?;
    let mut found: Vec<Vec<(CaseId, Verdict)>> = vec![Vec::new(); sketched.len()];
    for candidate in store::sketch::candidates(tx, &sketched).await? {
        let (case, keys) = sketched[candidate.place];
        if let Some(verdict) = sameness::compare(&traits(case, keys), &candidate.traits) {
            found[candidate.place].push((candidate.case, verdict));
        }
    }
    let now = tx.now();
    let links: Vec<Link> = sketched
        .iter()
        .zip(found)
        .flat_map(|((case, _), found)| {
            sameness::best(found).into_iter().map(|(other, v)| (case.id, other, v))
        })
        .map(|(case, other, Verdict { kind, standing, score, reasons })| Link {
            pair: Pair::of(case, other),
            kind,
            standing,
            score,
            reasons,
            actor: "<cases>".to_owned(),
            change_time: now,
        })
        .collect();
    if links.is_empty() { Ok(()) } else { store::links::found(tx, &links).await }
}

fn traits(case: &Case, keys: &Keys) -> Traits {
    Traits {
        matter: case.origin.matter,
        category: case.category.clone(),
        customer: case.origin.customer_id.clone(),
        received: case.origin.receive_time,
        keys: keys.clone(),
    }
}
