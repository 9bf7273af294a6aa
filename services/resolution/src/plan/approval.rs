//! A plan is judged by the approval policy, and approved: by people, or by a rule.

use jiff::Timestamp;
use kernel::{Money, person};

use super::{Plan, PlanState};
use crate::approval::{Approval, Facts, Outcome, Ruling, Sums, total};
use crate::refusal::Refusal;
use crate::remedy::{Remedy, RemedyKind};

impl Plan {
    fn remedies(&self) -> impl Iterator<Item = &Remedy> {
        self.parts().map(|step| &step.remedy)
    }

    /// All its sums, by currency.
    pub fn total(&self) -> Sums {
        total(self.remedies())
    }

    /// What it refunds, by currency.
    pub fn refunds(&self) -> Sums {
        total(self.remedies().filter(|remedy| remedy.kind == RemedyKind::Refund))
    }

    /// What the plan itself tells a policy.
    pub fn facts(&self) -> Facts {
        let mut largest = Sums::new();
        for Money { minor, currency } in self.remedies().filter_map(|remedy| remedy.amount.as_ref()) {
            let most = largest.entry(currency.clone()).or_default();
            *most = (*most).max(*minor);
        }
        let (proposer, roles) = match self.revisers.last() {
            Some(reviser) => (reviser, &self.reviser_roles),
            None => (&self.proposer, &self.proposer_roles),
        };
        Facts {
            kinds: self.remedies().map(|remedy| remedy.kind.word()).collect(),
            remedy_types: self
                .remedies()
                .filter_map(|remedy| remedy.custom.as_ref())
                .map(|custom| custom.type_id.clone())
                .collect(),
            steps: i64::try_from(self.parts().count()).unwrap_or(i64::MAX),
            largest,
            total: self.total(),
            priority: self.priority,
            cycle: self.cycle,
            proposer: person::folded(proposer),
            roles: roles.iter().cloned().collect(),
            ..Facts::default()
        }
    }

    /// How many people must approve it; none where a rule does, or no policy has judged it.
    pub fn approvals_required(&self) -> i16 {
        self.ruling.as_ref().and_then(Ruling::approvers).unwrap_or(0).into()
    }

    /// A policy has judged it.
    pub fn judged(&mut self, ruling: Ruling) {
        self.second_reason.clone_from(&ruling.second_reason);
        self.ruling = Some(ruling);
    }

    /// The rule that judged it approves it: nobody need.
    pub fn approve_automatically(&mut self, now: Timestamp) -> Result<(), Refusal> {
        self.must_be_proposed()?;
        match self.ruling.as_ref().map(|ruling| ruling.outcome) {
            Some(Outcome::Automatic) => {
                self.version += 1;
                self.begin(now);
                Ok(())
            }
            Some(Outcome::Refused) => Err(Refusal::RefusedByPolicy),
            Some(Outcome::Approvers(_)) | None => Err(Refusal::InvalidPlanState(self.state)),
        }
    }

    /// Somebody other than the proposer approves it, up to a limit by currency, as it is
    /// judged now. It waits until as many people have as must: whoever approves on another's
    /// behalf and that other are one.
    pub fn approve(&mut self, approval: Approval, limit: &Sums, ruling: Ruling) -> Result<(), Refusal> {
        self.must_be_proposed()?;
        let ruling = ruling.by_people();
        let Some(needed) = ruling.approvers() else { return Err(Refusal::RefusedByPolicy) };
        consent(&approval, (limit, &self.total()), self.planners(), &self.approvals)?;
        if is_of(&approval, &self.first_approver) {
            return Err(Refusal::ApprovedAlready);
        }
        self.version += 1;
        self.judged(ruling);
        // A first approval from before approvals were kept counts, too.
        let (now, earlier) = (approval.approved_at, self.has_unkept_approval());
        let approver = approval.approver.clone();
        self.approvals.push(approval);
        if usize::from(needed) <= self.approvals.len() + usize::from(earlier) {
            self.approver = approver;
            self.begin(now);
        } else if self.first_approver.is_empty() {
            self.first_approver = approver;
        }
        Ok(())
    }

    fn has_unkept_approval(&self) -> bool {
        let kept = |approval: &Approval| person::is_same(&approval.approver, &self.first_approver);
        !self.first_approver.is_empty() && !self.approvals.iter().any(kept)
    }

    fn begin(&mut self, now: Timestamp) {
        self.state = PlanState::Executing;
        self.approved_at = Some(now);
    }
}

/// Refuses an approval by who planned what is approved, by who approved it already, and of
/// more than the approver may.
pub(super) fn consent<'a>(
    approval: &Approval,
    (limit, total): (&Sums, &Sums),
    mut planners: impl Iterator<Item = &'a str>,
    before: &[Approval],
) -> Result<(), Refusal> {
    if planners.any(|one| is_of(approval, one)) {
        return Err(Refusal::ApproverIsProposer);
    }
    if before.iter().flat_map(Approval::people).any(|one| is_of(approval, one)) {
        return Err(Refusal::ApprovedAlready);
    }
    let exceeds = |(currency, sum): (&String, &i64)| limit.get(currency).is_some_and(|most| sum > most);
    if total.iter().any(exceeds) { Err(Refusal::ApproverLimitExceeded) } else { Ok(()) }
}

fn is_of(approval: &Approval, person: &str) -> bool {
    approval.people().any(|one| person::is_same(one, person))
}
