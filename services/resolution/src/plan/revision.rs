//! A plan is revised: steps are taken out of it and put into it while it waits for approval
//! or is carried out.
//!
//! A step of the new set that reads as one of the plan does is that step, and keeps its task;
//! any other of its name is a step of its own, under a name that no step of the plan ever had:
//! tasks and the ledger go by names. What the steps are is fixed when the plan is revised;
//! how far they are by the time it takes effect decides what becomes of those taken out.

#[cfg(test)]
mod tests;

use jiff::Timestamp;
use kernel::{PlanId, person};
use serde::{Deserialize, Serialize};

use super::approval::consent;
use super::dag::{MAX_STEP_ID, MAX_STEPS_EVER};
use super::{Plan, PlanState, Step, StepState};
use crate::approval::{Approval, Outcome, Ruling, Sums};
use crate::refusal::Refusal;
use crate::remedy::{CustomRemedy, Flaw, Remedy};
use crate::task::{Task, TaskState};

/// Most revisions of a plan.
pub const MAX_REVISIONS: i16 = 20;

kernel::numbered! {
    /// Where a revision stands.
    RevisionState {
        /// Waits for approval.
        Pending = 1,
        /// Took effect. Final.
        Applied = 2,
        /// Rejected by an approver. Final.
        Rejected = 3,
        /// Its plan was cancelled while it waited. Final.
        Lapsed = 4,
    }
}

/// What a step of the new set waits for, and when it is due: the part of a step that may
/// change while it stays what it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Name of the step.
    pub step_id: String,
    /// Names of the steps that must be done before.
    pub depends_on: Vec<String>,
    /// By when it should be done.
    pub due_time: Option<Timestamp>,
}

/// What a revision makes of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The whole new set.
    pub places: Vec<Place>,
    /// Steps that are put in.
    pub new: Vec<Step>,
    /// Names of the steps that are taken out.
    pub removed: Vec<String>,
}

/// Who revises a plan, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reviser {
    /// Their subject.
    pub subject: String,
    /// Their roles, as identities name them.
    pub roles: Vec<String>,
    /// Whether they may cancel the whole plan.
    pub may_cancel: bool,
    /// Why.
    pub reason: String,
}

/// A change of a plan's steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision {
    /// Which of the plan's, from 1.
    pub number: i16,
    /// The plan.
    pub plan_id: PlanId,
    /// Where it stands.
    pub state: RevisionState,
    /// Who revises the plan.
    pub reviser: String,
    /// Their roles, as identities name them.
    pub reviser_roles: Vec<String>,
    /// Why.
    pub reason: String,
    /// The whole new set.
    pub places: Vec<Place>,
    /// Names of the steps it puts in.
    pub added: Vec<String>,
    /// Names of the steps it takes out.
    pub removed: Vec<String>,
    /// Who has approved it, in their order.
    pub approvals: Vec<Approval>,
    /// How many people must; 0 where it takes effect at once.
    pub approvals_required: i16,
    /// How a policy judged the plan as revised.
    pub ruling: Ruling,
    /// Who approved it last, or rejected it; empty before, and where nobody had to.
    pub decider: String,
    /// Why it was rejected; empty otherwise.
    pub decision_reason: String,
    /// When the plan was revised.
    pub created_at: Timestamp,
    /// When it took effect, was rejected or lapsed.
    pub decided_at: Option<Timestamp>,
}

impl Revision {
    /// It ends so.
    fn decide(&mut self, state: RevisionState, decider: &str, now: Timestamp) {
        self.state = state;
        decider.clone_into(&mut self.decider);
        self.decided_at = Some(now);
    }

    fn must_be_pending(&self) -> Result<(), Refusal> {
        if self.state == RevisionState::Pending { Ok(()) } else { Err(Refusal::InvalidRevisionState) }
    }
}

impl Step {
    /// Whether what is asked for under its name is this step: what it waits for and when it is
    /// due may differ, and its version of a type of the tenant's own stays.
    fn reads_as(&self, asked: &Self) -> bool {
        let Remedy { kind, amount, goods, instructions, custom } = &self.remedy;
        let of_type = |custom: &Option<CustomRemedy>| {
            custom.as_ref().map(|custom| (custom.type_id.clone(), custom.input.clone()))
        };
        // A type may say who does it.
        let same_department =
            self.department_id == asked.department_id || (custom.is_some() && asked.department_id.is_empty());
        same_department
            && (kind, amount, goods, instructions)
                == (&asked.remedy.kind, &asked.remedy.amount, &asked.remedy.goods, &asked.remedy.instructions)
            && of_type(custom) == of_type(&asked.remedy.custom)
    }

    /// Whether its department has had it.
    pub fn has_begun(&self) -> bool {
        !matches!(self.state, StepState::Waiting | StepState::Dropped)
    }
}

impl Plan {
    /// The step of it that a step of a new set is; none where that is another.
    pub fn kept(&self, asked: &Step) -> Option<&Step> {
        self.parts().find(|step| step.step_id == asked.step_id && step.reads_as(asked))
    }

    /// Refuses a revision of a plan that has ended, or while another waits.
    pub fn may_be_revised(&self) -> Result<(), Refusal> {
        match self.state {
            PlanState::Proposed | PlanState::Executing => {}
            ended => return Err(Refusal::InvalidPlanState(ended)),
        }
        if self.pending_revision.is_some() {
            return Err(Refusal::RevisionPending);
        }
        if self.revisions < MAX_REVISIONS { Ok(()) } else { Err(Refusal::TooManyRevisions(MAX_REVISIONS)) }
    }

    /// What is wrong with a new set of steps beside what is wrong with them by themselves:
    /// nothing that has begun can be made to wait, or be due at another time.
    pub fn flaws_of_revision(&self, asked: &[Step]) -> Vec<Flaw> {
        let mut flaws = Vec::new();
        let done = |id: &String| {
            let wanted = asked.iter().find(|step| step.step_id == *id);
            wanted.and_then(|step| self.kept(step)).is_some_and(Step::is_done)
        };
        for (index, step) in asked.iter().enumerate() {
            let Some(kept) = self.kept(step).filter(|kept| kept.has_begun()) else { continue };
            if step.due_time.is_some() && step.due_time != kept.due_time {
                let what = "cannot change once its step has begun; ask for an extension of its task";
                flaws.push(Flaw::new(format!("steps[{index}].due_time"), what));
            }
            let waits = |needed: &String| !done(needed) && !kept.depends_on.contains(needed);
            for (nth, needed) in step.depends_on.iter().enumerate().filter(|(_, needed)| waits(needed)) {
                let what = format!("has begun and cannot wait for {needed}");
                flaws.push(Flaw::new(format!("steps[{index}].depends_on[{nth}]"), what));
            }
        }
        let new = asked.iter().filter(|step| self.kept(step).is_none()).count();
        if self.steps.len() + new > MAX_STEPS_EVER {
            let what =
                format!("a plan has {MAX_STEPS_EVER} at most, with those taken out: propose another plan");
            flaws.push(Flaw::new("steps", what));
        }
        flaws
    }

    /// What a new set of steps makes of it; of those it does not keep, each is given a name
    /// that is free.
    pub fn draft(&self, asked: &[Step]) -> Draft {
        let number = self.revisions + 1;
        let kept: Vec<bool> = asked.iter().map(|step| self.kept(step).is_some()).collect();
        let mut taken: Vec<String> = self.steps.iter().map(|step| step.step_id.clone()).collect();
        let fresh = asked.iter().zip(&kept).filter(|(step, kept)| !**kept && !taken.contains(&step.step_id));
        taken.extend(fresh.map(|(step, _)| step.step_id.clone()).collect::<Vec<_>>());
        let mut names: Vec<String> = Vec::with_capacity(asked.len());
        for (step, kept) in asked.iter().zip(&kept) {
            let is_free = *kept || !self.steps.iter().any(|one| one.step_id == step.step_id);
            let name = if is_free { step.step_id.clone() } else { free_name(&step.step_id, number, &taken) };
            taken.push(name.clone());
            names.push(name);
        }
        let renamed = |id: &String| {
            let place = asked.iter().position(|step| step.step_id == *id);
            place.map_or_else(|| id.clone(), |place| names[place].clone())
        };
        let (mut places, mut new) = (Vec::new(), Vec::new());
        for ((step, kept), name) in asked.iter().zip(kept).zip(&names) {
            let depends_on: Vec<String> = step.depends_on.iter().map(renamed).collect();
            places.push(Place {
                step_id: name.clone(),
                depends_on: depends_on.clone(),
                due_time: step.due_time,
            });
            if !kept {
                let replaces = if step.step_id == *name { String::new() } else { step.step_id.clone() };
                let step_id = name.clone();
                new.push(Step { step_id, depends_on, replaces, put_in_by: number, ..step.clone() });
            }
        }
        let stays = |step: &&Step| places.iter().any(|place| place.step_id == step.step_id);
        let removed = self.parts().filter(|step| !stays(step)).map(|step| step.step_id.clone()).collect();
        Draft { places, new, removed }
    }

    /// Whether a draft changes anything: which steps there are, what they wait for, or when
    /// one that has not begun is due.
    pub fn is_changed_by(&self, draft: &Draft) -> bool {
        let differs = |place: &Place| {
            let waiting = self.parts().find(|step| step.step_id == place.step_id && !step.has_begun());
            waiting
                .is_some_and(|step| (&step.depends_on, step.due_time) != (&place.depends_on, place.due_time))
        };
        !draft.new.is_empty() || !draft.removed.is_empty() || draft.places.iter().any(differs)
    }

    /// Whether tasks of steps that were taken out need attention: revising the plan once more
    /// gives them up.
    pub fn has_stuck(&self, tasks: &[Task]) -> bool {
        let taken_out = |task: &Task| {
            let mut steps = self.steps.iter().filter(|step| step.taken_out_by.is_some());
            steps.any(|step| step.step_id == task.step_id)
        };
        tasks
            .iter()
            .any(|task| task.state == TaskState::NeedsAttention && !task.is_compensation() && taken_out(task))
    }

    /// What it would be once revised so, for a policy to judge: who revises it proposes it.
    #[must_use]
    pub fn as_revised(&self, draft: &Draft, reviser: &Reviser) -> Self {
        let mut plan = self.clone();
        plan.steps.extend(draft.new.iter().cloned());
        plan.rearrange(self.revisions + 1, &draft.places, &draft.removed);
        plan.revisers.push(reviser.subject.clone());
        plan.reviser_roles.clone_from(&reviser.roles);
        plan
    }

    /// What it would be once a revision that waits takes effect.
    #[must_use]
    pub fn as_revised_by(&self, revision: &Revision) -> Self {
        let mut plan = self.clone();
        plan.pending_revision = None;
        plan.rearrange(revision.number, &revision.places, &revision.removed);
        plan.revisers.push(revision.reviser.clone());
        plan.reviser_roles.clone_from(&revision.reviser_roles);
        plan
    }

    /// It is revised, as a policy judged what it becomes: at once, or as soon as enough people
    /// have approved that. `tasks` are its own that have not ended.
    pub fn revise(
        &mut self,
        draft: Draft,
        reviser: Reviser,
        ruling: Ruling,
        (tasks, now): (&mut [Task], Timestamp),
    ) -> Result<Revision, Refusal> {
        self.may_be_revised()?;
        if ruling.outcome == Outcome::Refused {
            return Err(Refusal::RefusedByPolicy);
        }
        self.version += 1;
        self.revisions += 1;
        let is_proposed = self.state == PlanState::Proposed;
        let undoes =
            draft.removed.iter().any(|id| self.steps.iter().any(|one| one.step_id == *id && one.has_begun()));
        // Whoever may cancel the whole may take out a part of it; a rule approves by itself
        // what is granted, not what is taken back.
        let only_less = draft.new.is_empty() && reviser.may_cancel;
        let by_rule = ruling.outcome == Outcome::Automatic && (!undoes || reviser.may_cancel);
        let ruling = if is_proposed || by_rule || only_less { ruling } else { ruling.by_people() };
        let waits = !is_proposed && !by_rule && !only_less;
        let mut revision = Revision {
            number: self.revisions,
            plan_id: self.plan_id,
            state: RevisionState::Pending,
            reviser: reviser.subject,
            reviser_roles: reviser.roles,
            reason: reviser.reason,
            places: draft.places,
            added: draft.new.iter().map(|step| step.step_id.clone()).collect(),
            removed: draft.removed,
            approvals: Vec::new(),
            approvals_required: if waits { ruling.approvers().unwrap_or_default().into() } else { 0 },
            ruling,
            decider: String::new(),
            decision_reason: String::new(),
            created_at: now,
            decided_at: None,
        };
        self.steps.extend(draft.new);
        if waits {
            self.pending_revision = Some(revision.number);
            return Ok(revision);
        }
        if is_proposed || !only_less {
            self.retire_approvals();
            self.judged(revision.ruling.clone());
            self.approved_at = Some(now).filter(|_| !is_proposed);
        }
        self.take_effect(&mut revision, tasks, now);
        Ok(revision)
    }

    /// Somebody approves a revision of it that waits, up to a limit by currency, as the plan
    /// it makes is judged now. `revised` is that plan.
    pub fn approve_revision(
        &mut self,
        revision: &mut Revision,
        (approval, limit, ruling): (Approval, &Sums, Ruling),
        revised: &Self,
        tasks: &mut [Task],
    ) -> Result<(), Refusal> {
        revision.must_be_pending()?;
        let ruling = ruling.by_people();
        let Some(needed) = ruling.approvers() else { return Err(Refusal::RefusedByPolicy) };
        consent(&approval, (limit, &revised.total()), revised.planners(), &revision.approvals)?;
        self.version += 1;
        revision.ruling = ruling;
        revision.approvals_required = needed.into();
        let (now, approver) = (approval.approved_at, approval.approver.clone());
        revision.decider.clone_from(&approver);
        revision.approvals.push(approval);
        if revision.approvals.len() < usize::from(needed) {
            return Ok(());
        }
        self.retire_approvals();
        self.judged(revision.ruling.clone());
        self.approvals.clone_from(&revision.approvals);
        if let [first, _, ..] = self.approvals.as_slice() {
            self.first_approver.clone_from(&first.approver);
        }
        self.approver = approver;
        self.approved_at = Some(now);
        self.take_effect(revision, tasks, now);
        Ok(())
    }

    /// A revision of it that waits is rejected: it goes on as it was.
    pub fn reject_revision(
        &mut self,
        revision: &mut Revision,
        (approver, reason): (&str, String),
        now: Timestamp,
    ) -> Result<(), Refusal> {
        revision.must_be_pending()?;
        self.version += 1;
        self.give_up_pending();
        revision.decision_reason = reason;
        revision.decide(RevisionState::Rejected, approver, now);
        Ok(())
    }

    /// What a revision that waits would put in never is.
    pub(super) fn give_up_pending(&mut self) {
        let Some(number) = self.pending_revision.take() else { return };
        for step in self.steps.iter_mut().filter(|step| step.put_in_by == number) {
            step.taken_out_by = Some(number);
            step.state = StepState::Dropped;
        }
    }

    /// What a revision changes, in a sentence.
    pub fn changes(&self, revision: &Revision) -> String {
        let find = |id: &String| self.steps.iter().find(|step| step.step_id == *id);
        let added: Vec<&Step> = revision.added.iter().filter_map(find).collect();
        let removed: Vec<&Step> = revision.removed.iter().filter_map(find).collect();
        let former = |step: &Step| removed.iter().find(|one| one.step_id == step.replaces);
        let put_in = added.iter().map(|step| match former(step) {
            Some(former) => format!("{} in place of {}", step.remedy, former.remedy),
            None => format!("{} put in", step.remedy),
        });
        let alone = removed.iter().filter(|step| !added.iter().any(|one| one.replaces == step.step_id));
        let taken_out = alone.map(|step| format!("{} taken out", step.remedy));
        let all: Vec<String> = put_in.chain(taken_out).collect();
        if all.is_empty() { "what steps wait for".to_owned() } else { all.join(", ") }
    }

    /// A revision takes effect: what it takes out is dropped, stopped or to be undone.
    fn take_effect(&mut self, revision: &mut Revision, tasks: &mut [Task], now: Timestamp) {
        self.pending_revision = None;
        self.rearrange(revision.number, &revision.places, &revision.removed);
        self.revisers.push(revision.reviser.clone());
        self.reviser_roles.clone_from(&revision.reviser_roles);
        self.cancel_tasks(tasks, |step| step.taken_out_by.is_some());
        let approver = revision.approvals.last().map(|approval| approval.approver.clone());
        revision.decide(RevisionState::Applied, &approver.unwrap_or_default(), now);
    }

    /// Takes steps out, and has the others wait for what they wait for now; what has begun has
    /// waited for what it had to.
    fn rearrange(&mut self, number: i16, places: &[Place], removed: &[String]) {
        for step in &mut self.steps {
            if removed.contains(&step.step_id) {
                step.taken_out_by = Some(number);
                if step.state == StepState::Waiting {
                    step.state = StepState::Dropped;
                }
            } else if let Some(place) = places.iter().find(|place| place.step_id == step.step_id) {
                if step.has_begun() {
                    step.depends_on.retain(|needed| !removed.contains(needed));
                } else {
                    step.depends_on.clone_from(&place.depends_on);
                    step.due_time = place.due_time;
                }
            }
        }
    }

    /// Those who stand for the plan as it is: who proposed it, and who revised it.
    pub(super) fn planners(&self) -> impl Iterator<Item = &str> {
        [&self.proposer].into_iter().chain(&self.revisers).map(String::as_str)
    }

    /// It is another plan than was approved: who approved that is kept apart.
    fn retire_approvals(&mut self) {
        let people = self.approvals.iter().flat_map(Approval::people).map(str::to_owned);
        let more: Vec<String> = people.chain([self.approver.clone(), self.first_approver.clone()]).collect();
        for one in more.into_iter().filter(|one| !one.is_empty()) {
            if !self.earlier_approvers.iter().any(|known| person::is_same(known, &one)) {
                self.earlier_approvers.push(one);
            }
        }
        self.approvals.clear();
        self.approver.clear();
        self.first_approver.clear();
    }
}

/// A name that no step has: `refund`, revised for the second time, is `refund-r2`.
fn free_name(name: &str, number: i16, taken: &[String]) -> String {
    let base = match name.rsplit_once("-r") {
        Some((base, digits)) if !base.is_empty() && digits.parse::<i16>().is_ok() => base,
        _ => name,
    };
    let named = |number: i32| {
        let suffix = format!("-r{number}");
        let most = MAX_STEP_ID - suffix.len();
        // Names are ASCII letters, digits and dashes.
        format!("{}{suffix}", &base[..base.len().min(most)])
    };
    // Each name that is taken rules out one number.
    let numbers = (0..=taken.len()).filter_map(|more| i32::try_from(more).ok());
    let free = numbers.map(|more| named(i32::from(number) + more)).find(|name| !taken.contains(name));
    free.unwrap_or_else(|| named(i32::from(number)))
}
