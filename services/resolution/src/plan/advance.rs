//! How far a plan goes by itself.

use jiff::Timestamp;
use kernel::{Money, TaskId};

use super::{Plan, PlanState, Step, StepState};
use crate::remedy::Remedy;
use crate::task::{Task, TaskOrigin, TaskState};

impl Plan {
    /// Takes it as far as it goes by itself: opens the steps whose dependencies are
    /// done, or undoes the next one, or ends. Answers the tasks that begin.
    pub fn advance(&mut self, now: Timestamp, mut new_id: impl FnMut() -> TaskId) -> Vec<Task> {
        let mut begun = Vec::new();
        match self.state {
            PlanState::Executing => {
                while let Some(index) = self.next_to_open() {
                    begun.push(self.open(index, new_id(), now));
                }
                let undone = self.next_to_undo(|step| step.taken_out_by.is_some());
                begun.extend(undone.map(|index| self.undo(index, new_id(), now)));
                if self.is_complete() {
                    self.end(PlanState::Completed, now);
                }
            }
            PlanState::Cancelling => {
                let next = self.next_to_undo(|_| true);
                begun.extend(next.map(|index| self.undo(index, new_id(), now)));
                if !self.steps.iter().any(is_under_way) {
                    self.end(PlanState::Cancelled, now);
                }
            }
            PlanState::Proposed | PlanState::Completed | PlanState::Rejected | PlanState::Cancelled => {}
        }
        begun
    }

    /// Place of the first step that waits for nothing any more.
    fn next_to_open(&self) -> Option<usize> {
        let done = |id: &String| self.parts().any(|step| step.step_id == *id && step.is_done());
        let ready = |step: &Step| {
            self.is_part(step)
                && step.state == StepState::Waiting
                && step.depends_on.iter().all(done)
                && self.has_room_for(step)
        };
        self.steps.iter().position(ready)
    }

    /// Whether a step that a revision put in may begin beside what the revision took out:
    /// nobody is to hold what is replaced and what replaces it, nor more in all than the plan
    /// as revised comes to. Steps that were there before begin as they would have, and the
    /// rest of a part payment goes on.
    fn has_room_for(&self, step: &Step) -> bool {
        if step.put_in_by == 0 || step.moved.is_some() {
            return true;
        }
        let replaced = self.steps.iter().find(|one| one.step_id == step.replaces);
        if replaced.is_some_and(|one| !one.is_settled()) {
            return false;
        }
        let Some(left) = step.left().amount else { return true };
        let most = self.parts().map(|one| whole(one, &left.currency)).sum::<i128>();
        let out = self.steps.iter().map(|one| out(one, &left.currency)).sum::<i128>();
        out + i128::from(left.minor) <= most
    }

    /// Place of the step to undo next: of those that are to be undone, done and can be, the one
    /// done last. None while departments are at work on one of them: a step that is done late
    /// would be undone out of order.
    fn next_to_undo(&self, unwanted: impl Fn(&Step) -> bool) -> Option<usize> {
        if self.steps.iter().any(|step| unwanted(step) && is_under_way(step)) {
            return None;
        }
        let undoable =
            |step: &Step| unwanted(step) && step.state == StepState::Done && step.remedy.can_be_undone();
        (0..self.steps.len())
            .filter(|&index| undoable(&self.steps[index]))
            .max_by_key(|&index| self.steps[index].done_order)
    }

    /// Whether every step is done and all that was taken out is settled. While a revision
    /// waits more may be wanted.
    fn is_complete(&self) -> bool {
        let is_over = |step: &Step| match step.taken_out_by {
            Some(_) => step.is_settled(),
            None => step.state == StepState::Done,
        };
        self.pending_revision.is_none() && self.steps.iter().all(is_over)
    }

    fn open(&mut self, index: usize, task_id: TaskId, now: Timestamp) -> Task {
        let step = &mut self.steps[index];
        step.state = StepState::Open;
        step.task_id = Some(task_id);
        let (remedy, due_time) = (step.left(), step.due_time);
        Task { due_time, due_with_case: due_time.is_none(), ..self.task(index, task_id, remedy, now) }
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

/// Whether a department is at work on a step.
fn is_under_way(step: &Step) -> bool {
    matches!(step.state, StepState::Open | StepState::Undoing)
}

fn minor_of(sum: Option<&Money>, currency: &str) -> i128 {
    sum.filter(|sum| sum.currency == currency).map_or(0, |sum| sum.minor.into())
}

/// What a step comes to.
fn whole(step: &Step, currency: &str) -> i128 {
    minor_of(step.remedy.amount.as_ref(), currency)
}

/// What the complainant may hold of a step: all of it while its department is at work, or is to
/// move the rest, else what was moved and not collected again.
fn out(step: &Step, currency: &str) -> i128 {
    match step.state {
        StepState::Open => whole(step, currency),
        StepState::Waiting if step.moved.is_some() => whole(step, currency),
        StepState::Done | StepState::Undoing => minor_of(step.moved.as_ref(), currency),
        // What was given up is a loss already: what replaces it need not wait for it.
        StepState::Waiting | StepState::Dropped | StepState::Undone | StepState::WrittenOff => 0,
    }
}
