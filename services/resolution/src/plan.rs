//! A remedy plan: steps that depend on each other, done in order, and undone in
//! the reverse order when the plan is cancelled.
//!
//! A transition changes what somebody decided or did; [`Plan::advance`] then takes
//! the plan as far as it goes by itself, and answers the tasks that begin.

pub mod approval;
pub mod dag;
#[cfg(test)]
pub(crate) mod tests;

use std::fmt;

use jiff::Timestamp;
use kernel::{CaseId, Money, PlanId, TaskId};

use crate::approval::{Approval, Ruling};
use crate::ledger::Books;
use crate::refusal::Refusal;
use crate::remedy::Remedy;
use crate::task::{Task, TaskOrigin, TaskState};

kernel::numbered! {
    /// Where a plan stands.
    PlanState {
        /// Waits for approval.
        Proposed = 1,
        /// Departments carry it out.
        Executing = 2,
        /// Every step is done. Final.
        Completed = 3,
        /// Refused by an approver. Final.
        Rejected = 4,
        /// Steps under way are stopped, steps done are undone.
        Cancelling = 5,
        /// Nothing of it is left to stop or undo. Final.
        Cancelled = 6,
    }
}

impl fmt::Display for PlanState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Proposed => "proposed",
            Self::Executing => "executing",
            Self::Completed => "completed",
            Self::Rejected => "rejected",
            Self::Cancelling => "cancelling",
            Self::Cancelled => "cancelled",
        })
    }
}

kernel::numbered! {
    /// How far a step is.
    StepState {
        /// Steps it depends on are not done.
        Waiting = 1,
        /// Its department has it as a task.
        Open = 2,
        /// Done.
        Done = 3,
        /// Its plan was cancelled before it was done.
        Dropped = 4,
        /// Its department has the undoing of it as a task.
        Undoing = 5,
        /// Done and undone.
        Undone = 6,
    }
}

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
    /// What is done.
    pub steps: Vec<Step>,
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
    /// How urgent the case is: 1 (most) to 4.
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
}

impl Step {
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
        let remedies: Vec<String> = self.steps.iter().map(|step| step.remedy.to_string()).collect();
        remedies.join(", ")
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
            TaskState::Completed => step.done(task, order, self.state == PlanState::Executing),
            // What was moved in part is undone like what was moved whole.
            TaskState::Cancelled if step.moved.is_some() => step.state = StepState::Done,
            TaskState::Cancelled => step.state = StepState::Dropped,
            TaskState::Ready
            | TaskState::Leased
            | TaskState::NeedsAttention
            | TaskState::OutcomeUnknown
            | TaskState::AwaitingStock
            | TaskState::Reassigned => {}
        }
    }

    /// Takes it as far as it goes by itself: opens the steps whose dependencies are
    /// done, or undoes the next one, or ends. Answers the tasks that begin.
    pub fn advance(&mut self, now: Timestamp, mut new_id: impl FnMut() -> TaskId) -> Vec<Task> {
        match self.state {
            PlanState::Executing => {
                let ready = self.ready();
                let tasks = ready.into_iter().map(|index| self.open(index, new_id(), now)).collect();
                if self.steps.iter().all(|step| step.state == StepState::Done) {
                    self.end(PlanState::Completed, now);
                }
                tasks
            }
            PlanState::Cancelling if !self.is_under_way() => {
                let next = self.next_to_undo();
                if next.is_none() {
                    self.end(PlanState::Cancelled, now);
                }
                next.map(|index| self.undo(index, new_id(), now)).into_iter().collect()
            }
            _ => Vec::new(),
        }
    }

    /// Places of the steps that wait for nothing any more.
    pub fn ready(&self) -> Vec<usize> {
        let done = |id: &String| self.steps.iter().any(|step| step.step_id == *id && step.is_done());
        let ready = |step: &Step| step.state == StepState::Waiting && step.depends_on.iter().all(done);
        (0..self.steps.len()).filter(|&index| ready(&self.steps[index])).collect()
    }

    /// Place of the step to undo next: of those done that can be undone, the one
    /// done last.
    pub fn next_to_undo(&self) -> Option<usize> {
        let undoable = |step: &Step| step.state == StepState::Done && step.remedy.can_be_undone();
        (0..self.steps.len())
            .filter(|&index| undoable(&self.steps[index]))
            .max_by_key(|&index| self.steps[index].done_order)
    }

    /// Whether departments are at work on it. Nothing is undone meanwhile: a step
    /// that is done late would be undone out of order.
    fn is_under_way(&self) -> bool {
        self.steps.iter().any(|step| matches!(step.state, StepState::Open | StepState::Undoing))
    }

    fn must_be_proposed(&self) -> Result<(), Refusal> {
        if self.state == PlanState::Proposed { Ok(()) } else { Err(Refusal::InvalidPlanState(self.state)) }
    }

    fn end(&mut self, state: PlanState, now: Timestamp) {
        self.state = state;
        self.ended_at = Some(now);
        self.drop_waiting();
    }

    fn drop_waiting(&mut self) {
        for step in self.steps.iter_mut().filter(|step| step.state == StepState::Waiting) {
            step.state = StepState::Dropped;
        }
    }

    fn stop(&mut self, tasks: &mut [Task]) {
        self.drop_waiting();
        let plan_id = self.plan_id;
        for task in tasks.iter_mut().filter(|task| task.plan_id == Some(plan_id)) {
            task.cancel();
            if task.state == TaskState::Cancelled {
                self.settle(task);
            }
        }
    }

    fn open(&mut self, index: usize, task_id: TaskId, now: Timestamp) -> Task {
        let step = &mut self.steps[index];
        step.state = StepState::Open;
        step.task_id = Some(task_id);
        let (remedy, due_time) = (step.left(), step.due_time);
        Task { due_time, ..self.task(index, task_id, remedy, now) }
    }

    fn undo(&mut self, index: usize, task_id: TaskId, now: Timestamp) -> Task {
        let step = &mut self.steps[index];
        step.state = StepState::Undoing;
        let compensates = step.task_id;
        let remedy = Remedy { amount: step.moved.clone(), ..step.remedy.undoing() };
        Task { compensates, ..self.task(index, task_id, remedy, now) }
    }

    fn task(&self, index: usize, task_id: TaskId, remedy: Remedy, now: Timestamp) -> Task {
        let step = &self.steps[index];
        let (case_id, cycle, priority) = (self.case_id, self.cycle, self.priority);
        let origin = TaskOrigin { case_id, cycle, priority, traceparent: &self.traceparent };
        Task {
            plan_id: Some(self.plan_id),
            step_id: step.step_id.clone(),
            state: if step.part.is_empty() { TaskState::Ready } else { TaskState::NeedsAttention },
            last_error: step.part.clone(),
            ..Task::new(task_id, origin, (step.department_id.clone(), remedy), now)
        }
    }
}
