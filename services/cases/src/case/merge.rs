//! Merging a case into another, and undoing it.
//!
//! A merged case keeps everything it has: only its state says that another stands
//! for it, and where it stood is remembered. Undoing a merge is therefore exact.
//! News of other services goes on being taken in, as it would have been, and its
//! clocks run on; but nothing is due and nothing fires while another case stands
//! for it. The people of a merged case are told the outcome of that one.

use kernel::CaseId;

use super::{Case, Move, Occasion};
use crate::refusal::Refusal;
use crate::timeline::{Fact, Ruling, SharedOutcome, Together};
use vocabulary::State;

/// What a case is merged into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Merged {
    /// The case that stands for it.
    pub(crate) into: CaseId,
    /// Where it stood.
    pub(crate) stood: State,
    /// Whether the other is of other people, so that its own are told as well.
    pub(crate) across: bool,
}

/// Why a case is merged into another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Joining {
    /// Why.
    pub(crate) reason: String,
    /// Whether what is known of the two complainants differs.
    pub(crate) people_differ: bool,
    /// Why cases of different people are merged all the same, as a supervisor says it;
    /// none where nobody does.
    pub(crate) across: Option<String>,
}

impl Case {
    /// The outcome that took effect, as others are told it; none before.
    pub(crate) fn shared(&self) -> Option<SharedOutcome> {
        let (outcome, respond_until) = self.outcome.zip(self.respond_until())?;
        Some(SharedOutcome { outcome, reasons: self.decision_reasons.clone(), respond_until })
    }

    /// Its people are told the outcome of the case that stands for it. Each outcome they
    /// are told is of a cycle of its own, so that each can be answered.
    pub(crate) fn share_outcome(&mut self, shared: SharedOutcome, at: &Occasion<'_>) {
        if self.resolve_time.is_some() {
            self.cycle += 1;
        }
        self.resolve_time = Some(at.now);
        self.reopening = None;
        self.first_resolve_time.get_or_insert(at.now);
        self.version += 1;
        self.note(at, Fact::Ruling(Ruling::SharedOutcome(shared)));
    }

    /// Whether it was merged before what its journal tells of.
    pub(crate) fn was_merged(&self) -> bool {
        let before = self.journal.iter().find_map(|noted| {
            let merges = matches!(noted.fact, Fact::Together(Together::Merged { .. }));
            let parts = matches!(noted.fact, Fact::Together(Together::Unmerged { .. }));
            (merges || parts).then_some(parts)
        });
        before.unwrap_or(self.merged.is_some())
    }

    /// Merges it into another, which goes on for both.
    pub(crate) fn merge_into(
        &mut self,
        other: &mut Self,
        joining: Joining,
        at: &Occasion<'_>,
    ) -> Result<(), Refusal> {
        let Joining { reason, people_differ, across } = joining;
        Move::Merge.from(self.state)?;
        if other.state.is_over() || other.merged.is_some() {
            return Err(Refusal::MergeTargetOver(other.state));
        }
        if self.origin.matter != other.origin.matter {
            return Err(Refusal::MattersDiffer);
        }
        if people_differ && across.is_none() {
            return Err(Refusal::ComplainantsDiffer);
        }
        self.merged = Some(Merged { into: other.id, stood: self.state, across: across.is_some() });
        self.make(Move::Merge)?;
        self.close_time = Some(at.now);
        let (why, other_people) = (reason.clone(), across.clone());
        other.note(
            at,
            Fact::Together(Together::Absorbed { case: self.id, reason: why, across: other_people }),
        );
        let told = other.shared().filter(|_| across.is_some());
        self.note(at, Fact::Together(Together::Merged { into: other.id, reason, across }));
        // Other people's, which has its outcome already: they are told it now.
        if let Some(shared) = told {
            self.share_outcome(shared, at);
        }
        Ok(())
    }

    /// Undoes its merge: it stands where it stood.
    pub(crate) fn unmerge(
        &mut self,
        other: &mut Self,
        reason: String,
        at: &Occasion<'_>,
    ) -> Result<(), Refusal> {
        let merged = self.merged.filter(|merged| merged.into == other.id);
        let Merged { into, stood, across: _ } = merged.ok_or(Refusal::InvalidCaseState(self.state))?;
        if self.resolve_time.is_some() {
            return Err(Refusal::OutcomeShared);
        }
        self.merged = None;
        self.state = stood;
        // Merged before it was decided, hence while it was open.
        self.close_time = None;
        self.version += 1;
        other.note(at, Fact::Together(Together::Parted { case: self.id, reason: reason.clone() }));
        self.note(at, Fact::Together(Together::Unmerged { from: into, reason }));
        Ok(())
    }
}
