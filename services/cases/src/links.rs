//! Links between cases: found when a case is opened, or made and dismissed by
//! people. Pure.

use jiff::Timestamp;
use kernel::CaseId;
use sameness::{LinkKind, LinkStanding, Sketch};
use vocabulary::Outcome;

use crate::case::{Case, Occasion};
use crate::refusal::Refusal;
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

/// A closed case whose text shares something with a text.
pub(crate) struct Closed {
    /// The case.
    pub(crate) case: CaseId,
    /// Its text.
    pub(crate) sketch: Sketch,
    /// One line, in the complainant's words.
    pub(crate) subject: String,
    /// What it was about.
    pub(crate) category: String,
    /// What was decided.
    pub(crate) outcome: Option<Outcome>,
    /// Why.
    pub(crate) decision_reasons: String,
}
