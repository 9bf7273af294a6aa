//! A remedy plan: steps that depend on each other, done in order, and undone in
//! the reverse order when the plan is cancelled.
//!
//! A transition changes what somebody decided or did; [`Plan::advance`] then takes
//! the plan as far as it goes by itself, and answers the tasks that begin.
//!
//! Every step that ever was one is kept, in the order in which they came: what a
//! [`revision`] takes out is undone like what is cancelled, beside the steps that go on, and
//! what one that waits would put in is no part of the plan yet.

mod advance;
pub mod approval;
pub mod dag;
pub mod revision;
#[cfg(test)]
pub(crate) mod tests;

use jiff::Timestamp;
use kernel::{CaseId, Money, PlanId, TaskId};

use crate::approval::{Approval, Ruling};
use crate::ledger::Books;
use crate::refusal::Refusal;
use crate::remedy::Remedy;
use crate::task::{Task, TaskState};

pub use crate::state::{PlanState, StepState};

/// How a case is to be put right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Identity.
    pub plan_id: PlanId,
    /// Counts the changes.
    pub version: i64,
    /// The case it is for.
    pub case_id: CaseId,
    /// The cycle it is for.
    pub cycle: i32,
    /// Where it stands.
    pub state: PlanState,
    /// What is done, and what revisions took out of it or would put in.
    pub steps: Vec<Step>,
    /// How many revisions of it there are, those that were rejected too.
    pub revisions: i16,
    /// The revision that waits for approval.
    pub pending_revision: Option<i16>,
    /// Who has revised it, in the order in which that took effect.
    pub revisers: Vec<String>,
    /// Roles of the last of them, as identities name them.
    pub reviser_roles: Vec<String>,
    /// Who approved it as it was before a revision, and whose authority was used for that.
    pub earlier_approvers: Vec<String>,
    /// Who proposed it.
    pub proposer: String,
    /// Their roles, as identities name them; empty of plans from before they were kept.
    pub proposer_roles: Vec<String>,
    /// Who approved it last, or rejected it; empty before, and where a rule approved it.
    pub approver: String,
    /// Who approved it first, where several must; empty otherwise.
    pub first_approver: String,
    /// Why two at least must approve it; empty when one is enough.
    pub second_reason: String,
    /// Who has approved it, in their order.
    pub approvals: Vec<Approval>,
    /// How a policy judged it last; none of plans from before there were policies.
    pub ruling: Option<Ruling>,
    /// When it was approved; none before.
    pub approved_at: Option<Timestamp>,
    /// Why it was rejected or cancelled; empty otherwise.
    pub reason: String,
    /// How urgent the case was when it was proposed: 1 (most) to 4. Tasks are as urgent as
    /// the case is.
    pub priority: i16,
    /// Trace of the case.
    pub traceparent: String,
    /// When it was proposed.
    pub created_at: Timestamp,
    /// When it reached a final state.
    pub ended_at: Option<Timestamp>,
}

/// One remedy of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Name within the plan.
    pub step_id: String,
    /// Who does it.
    pub department_id: String,
    /// What is done.
    pub remedy: Remedy,
    /// Names of the steps that must be done before.
    pub depends_on: Vec<String>,
    /// By when it should be done.
    pub due_time: Option<Timestamp>,
    /// How far it is.
    pub state: StepState,
    /// Place in the order in which steps were done, from 1.
    pub done_order: Option<i16>,
    /// The sum moved so far, in one part or several: what undoing it collects again.
    pub moved: Option<Money>,
    /// Why its next task is the rest of a part payment; empty otherwise, and never kept.
    pub part: String,
    /// The task it became.
    pub task_id: Option<TaskId>,
    /// What has been booked of its sum.
    pub books: Books,
    /// The revision that put it in; 0 is the plan as it was proposed.
    pub put_in_by: i16,
    /// The revision that took it out; none while it is part of the plan. One that was to be
    /// put in and never was is taken out by the same.
    pub taken_out_by: Option<i16>,
    /// The step it was put in place of: it begins once that is settled. Empty otherwise.
    pub replaces: String,
}

impl Step {
    /// Whether nothing of it is left to do, to wait for or to undo, once it is not wanted.
    pub fn is_settled(&self) -> bool {
        match self.state {
            StepState::Dropped | StepState::Undone | StepState::WrittenOff => true,
            StepState::Done => !self.remedy.can_be_undone(),
            StepState::Waiting | StepState::Open | StepState::Undoing => false,
        }
    }

    /// Whether it is done, and not undone.
    pub fn is_done(&self) -> bool {
        matches!(self.state, StepState::Done | StepState::Undoing)
    }

    /// A task of it is completed, in whole or in part. While the plan goes on, the rest
    /// of a part payment is still to be done.
    fn done(&mut self, task: &Task, order: i16, goes_on: bool) {
        let before = self.moved.as_ref().map_or(0, |moved| moved.minor);
        let now = task.result.as_ref().and_then(|result| result.amount.clone());
        self.moved = now.map(|now| Money { minor: before + now.minor, currency: now.currency });
        self.done_order = self.done_order.or(Some(order));
        self.task_id = Some(task.task_id);
        self.part = if goes_on { part(task) } else { String::new() };
        self.state = if self.part.is_empty() { StepState::Done } else { StepState::Waiting };
    }

    /// The undoing of it is completed, in whole or in part: the rest is still to be
    /// collected.
    fn undone(&mut self, task: &Task) {
        self.part = part(task);
        let rest = task.rest();
        self.state = if rest.is_some() { StepState::Done } else { StepState::Undone };
        self.moved = rest.or_else(|| self.moved.take());
    }

    /// What its next task moves: what it is for, less what was moved already.
    fn left(&self) -> Remedy {
        let moved = self.moved.as_ref().map_or(0, |moved| moved.minor);
        let amount = self.remedy.amount.clone();
        let amount = amount.map(|whole| Money { minor: whole.minor - moved, currency: whole.currency });
        Remedy { amount, ..self.remedy.clone() }
    }
}

/// Why the rest of a task is still open; empty when none is.
fn part(task: &Task) -> String {
    let moved = task.result.as_ref().and_then(|result| result.amount.as_ref());
    match (task.rest(), moved) {
        (Some(rest), Some(moved)) => format!("part payment: {moved} was moved, {rest} is still open"),
        _ => String::new(),
    }
}

impl Plan {
    /// What it consists of, in a sentence.
    pub fn summary(&self) -> String {
        let remedies: Vec<String> = self.parts().map(|step| step.remedy.to_string()).collect();
        remedies.join(", ")
    }

    /// Whether a step is part of it: neither taken out, nor to be put in by a revision that
    /// waits.
    pub fn is_part(&self, step: &Step) -> bool {
        step.taken_out_by.is_none() && !self.is_pending(step)
    }

    /// Whether a revision that waits would put a step in.
    pub fn is_pending(&self, step: &Step) -> bool {
        self.pending_revision == Some(step.put_in_by)
    }

    /// The steps it consists of.
    pub fn parts(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|step| self.is_part(step))
    }

    /// Refuses a caller who has seen another version; absent skips the check.
    pub fn seen_as(&self, version: Option<i64>) -> Result<(), fault::Fault> {
        match version {
            Some(seen) if seen != self.version => Err(fault::Fault::version_mismatch(self.version)),
            _ => Ok(()),
        }
    }

    /// It is refused, and nothing of it done.
    pub fn reject(&mut self, approver: &str, reason: String, now: Timestamp) -> Result<(), Refusal> {
        self.must_be_proposed()?;
        self.version += 1;
        approver.clone_into(&mut self.approver);
        self.reason = reason;
        self.end(PlanState::Rejected, now);
        Ok(())
    }

    /// It is cancelled: its tasks are cancelled or asked to stop. `tasks` are those
    /// under way, of this plan or of others beside. Cancelling it once more gives
    /// up the tasks that were asked to stop and now need attention.
    pub fn cancel(&mut self, reason: String, tasks: &mut [Task], now: Timestamp) -> Result<(), Refusal> {
        match self.state {
            PlanState::Proposed => {
                self.reason = reason;
                self.end(PlanState::Cancelled, now);
            }
            PlanState::Executing => {
                self.reason = reason;
                self.state = PlanState::Cancelling;
                self.stop(tasks);
            }
            PlanState::Cancelling => self.stop(tasks),
            ended => return Err(Refusal::InvalidPlanState(ended)),
        }
        self.version += 1;
        Ok(())
    }

    /// A task of it has ended: its step is done, undone or dropped.
    pub fn task_ended(&mut self, task: &Task) {
        self.version += 1;
        self.settle(task);
    }

    /// A step of it goes on as another task.
    pub fn task_given_on(&mut self, task: &Task) {
        self.version += 1;
        let step = self.steps.iter_mut().find(|step| step.step_id == task.step_id);
        // The undoing of a step is not what it became.
        if let Some(step) = step.filter(|_| !task.is_compensation()) {
            step.task_id = task.given_to;
        }
    }

    fn settle(&mut self, task: &Task) {
        let order = 1 + self.steps.iter().filter_map(|step| step.done_order).max().unwrap_or(0);
        let Some(step) = self.steps.iter_mut().find(|step| step.step_id == task.step_id) else { return };
        match task.state {
            TaskState::Completed if task.is_compensation() => step.undone(task),
            TaskState::Completed => {
                let goes_on = self.state == PlanState::Executing && step.taken_out_by.is_none();
                step.done(task, order, goes_on);
            }
            // What was moved in part is undone like what was moved whole.
            TaskState::Cancelled if step.moved.is_some() => step.state = StepState::Done,
            TaskState::Cancelled => step.state = StepState::Dropped,
            TaskState::WrittenOff => step.state = StepState::WrittenOff,
            TaskState::Ready
            | TaskState::Leased
            | TaskState::NeedsAttention
            | TaskState::OutcomeUnknown
            | TaskState::AwaitingStock
            | TaskState::Reassigned => {}
        }
    }

    fn must_be_proposed(&self) -> Result<(), Refusal> {
        if self.state == PlanState::Proposed { Ok(()) } else { Err(Refusal::InvalidPlanState(self.state)) }
    }

    fn end(&mut self, state: PlanState, now: Timestamp) {
        self.state = state;
        self.ended_at = Some(now);
        self.drop_waiting();
    }

    /// What waits never begins; neither does what a revision would put in, which lapses.
    fn drop_waiting(&mut self) {
        self.give_up_pending();
        for step in self.steps.iter_mut().filter(|step| step.state == StepState::Waiting) {
            step.state = StepState::Dropped;
        }
    }

    fn stop(&mut self, tasks: &mut [Task]) {
        self.drop_waiting();
        self.cancel_tasks(tasks, |_| true);
    }

    /// Cancels those of its tasks that are for such steps, or has their holders asked to stop.
    fn cancel_tasks(&mut self, tasks: &mut [Task], of: impl Fn(&Step) -> bool) {
        let plan_id = self.plan_id;
        for task in tasks.iter_mut().filter(|task| task.plan_id == Some(plan_id)) {
            if !self.steps.iter().any(|step| step.step_id == task.step_id && of(step)) {
                continue;
            }
            let before = task.state;
            task.cancel();
            if task.state == TaskState::Cancelled && before != TaskState::Cancelled {
                self.settle(task);
            }
        }
    }
}
